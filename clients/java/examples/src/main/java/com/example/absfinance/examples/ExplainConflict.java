package com.example.absfinance.examples;

import com.example.absfinance.AbsFinanceClient;
import com.example.absfinance.InfeasibleProblemException;
import com.example.absfinance.v1.Constraint;
import com.example.absfinance.v1.MinRisk;
import com.example.absfinance.v1.Moments;
import com.example.absfinance.v1.Objective;
import com.example.absfinance.v1.OptimizeRequest;
import com.example.absfinance.v1.ReturnFloor;
import com.example.absfinance.v1.WeightBounds;
import java.util.List;

/** Asks for more return than the bounds allow, and relaxes what the server names. Argument: the address of a server. */
public final class ExplainConflict {
  private static final double FLOOR = 0.2;

  private ExplainConflict() {}

  /** Prints the conflict, and the weights after the least relaxation. */
  public static void main(String[] args) {
    try (AbsFinanceClient client = AbsFinanceClient.connect(args.length > 0 ? args[0] : "127.0.0.1:50051")) {
      try {
        client.optimize(request(FLOOR));
      } catch (InfeasibleProblemException conflict) {
        System.out.println(conflict.reasonName());
        double relaxation = 0;
        for (InfeasibleProblemException.Conflict one : conflict.conflicts()) {
          System.out.printf("%s: relax it alone by %s%n", one.label(), text(one));
          if (one.label().equals("floor")) {
            relaxation = one.smallestRelaxation().orElse(0);
          }
        }
        client.optimize(request(FLOOR - relaxation - 1e-6)).getWeightsList()
            .forEach(one -> System.out.printf("%s %.1f%%%n", one.getSymbol(), 100 * one.getWeight()));
      }
    }
  }

  private static String text(InfeasibleProblemException.Conflict conflict) {
    return conflict.smallestRelaxation().isPresent()
        ? String.format("%.4f", conflict.smallestRelaxation().getAsDouble())
        : "no amount";
  }

  private static OptimizeRequest request(double floor) {
    Moments moments =
        Moments.newBuilder()
            .addAllSymbols(List.of("A", "B"))
            .addAllExpectedReturns(List.of(0.01, 0.02))
            .addAllCovariance(List.of(0.04, 0.01, 0.01, 0.09))
            .setPeriodsPerYear(12)
            .build();
    return OptimizeRequest.newBuilder()
        .setMoments(moments)
        .setObjective(Objective.newBuilder().setMinRisk(MinRisk.getDefaultInstance()))
        .addConstraints(
            Constraint.newBuilder().setLabel("caps").setWeightBounds(WeightBounds.newBuilder().setUpper(0.6)))
        .addConstraints(
            Constraint.newBuilder()
                .setLabel("floor")
                .setReturnFloor(ReturnFloor.newBuilder().setMinReturnAnnual(floor)))
        .build();
  }
}
