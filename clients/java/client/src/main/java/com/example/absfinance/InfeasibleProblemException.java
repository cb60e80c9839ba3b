package com.example.absfinance;

import com.example.absfinance.v1.InfeasibilityReport;
import com.google.rpc.Status;
import java.util.List;
import java.util.OptionalDouble;

/** No weights satisfy all constraints; {@link #conflicts} is a smallest set of constraints that cannot hold together. */
public final class InfeasibleProblemException extends ProblemException {
  private static final long serialVersionUID = 1L;

  InfeasibleProblemException(Status status) {
    super(status);
  }

  /**
   * One constraint of the conflict; what it must give way is in its own unit.
   *
   * @param label its label in the request, or a reserved one
   * @param smallestRelaxation the least change of this constraint alone; empty where no change of this one is enough
   * @param jointRelaxation how far to relax it where all of the conflict are relaxed together
   */
  public record Conflict(String label, OptionalDouble smallestRelaxation, OptionalDouble jointRelaxation) {}

  /** A smallest set of constraints that conflict. */
  public List<Conflict> conflicts() {
    return detail(status(), InfeasibilityReport.getDefaultInstance()).orElse(InfeasibilityReport.getDefaultInstance())
        .getConflictsList().stream()
        .map(InfeasibleProblemException::conflict)
        .toList();
  }

  private static Conflict conflict(InfeasibilityReport.Conflict sent) {
    return new Conflict(
        sent.getLabel(),
        sent.hasSmallestRelaxation() ? OptionalDouble.of(sent.getSmallestRelaxation()) : OptionalDouble.empty(),
        sent.hasJointRelaxation() ? OptionalDouble.of(sent.getJointRelaxation()) : OptionalDouble.empty());
  }
}
