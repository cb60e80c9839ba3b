package com.example.absfinance;

import com.example.absfinance.v1.ErrorReason;
import com.google.protobuf.Duration;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import com.google.rpc.Status;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A call failed. The subclasses are families by what the caller can do: {@link InvalidInputException}, {@link
 * ProblemException}, {@link ResourceException}, {@link AccessException}, {@link TransientException} and {@link
 * InternalException}; {@link #reason} says more.
 */
public class AbsFinanceException extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private static final String PREFIX = "ERROR_REASON_";

  private final transient Status status;
  private final transient ErrorInfo info;

  AbsFinanceException(Status status) {
    super(status.getMessage());
    this.status = status;
    this.info = detail(status, ErrorInfo.getDefaultInstance()).orElse(ErrorInfo.getDefaultInstance());
  }

  /** The code of gRPC. */
  public io.grpc.Status.Code code() {
    return io.grpc.Status.fromCodeValue(status.getCode()).getCode();
  }

  /** The stable reason; UNRECOGNIZED for one of a newer server, ERROR_REASON_UNSPECIFIED where the server gave none. */
  public ErrorReason reason() {
    return reasonOf(info);
  }

  /** The stable reason as the server sent it, such as "PROBLEM_INFEASIBLE"; empty where it gave none. */
  public String reasonName() {
    return info.getReason();
  }

  /** Figures and names that belong to the reason. */
  public Map<String, String> metadata() {
    return info.getMetadataMap();
  }

  /** How long to wait before the same call is sent again, where the server says so. */
  public Optional<java.time.Duration> retryAfter() {
    return detail(status, RetryInfo.getDefaultInstance()).map(found -> javaDuration(found.getRetryDelay()));
  }

  /**
   * A field that breaks a rule.
   *
   * @param field its path in the request, such as "constraints[1].weight_bounds.lower"
   * @param rule the rule in words
   * @param reason the stable name of the rule
   */
  public record Violation(String field, String rule, String reason) {}

  /** Each field that breaks a rule, where the server names some; other errors than InvalidInputException have fields too. */
  public List<Violation> violations() {
    return detail(status(), BadRequest.getDefaultInstance()).orElse(BadRequest.getDefaultInstance())
        .getFieldViolationsList().stream()
        .map(sent -> new Violation(sent.getField(), sent.getDescription(), sent.getReason()))
        .toList();
  }

  /** The status with all its details. */
  public Status status() {
    return status;
  }

  /** Whether the same call may succeed later. */
  public boolean isRetryable() {
    return false;
  }

  static ErrorReason reasonOf(ErrorInfo info) {
    if (info.getReason().isEmpty()) {
      return ErrorReason.ERROR_REASON_UNSPECIFIED;
    }
    try {
      return ErrorReason.valueOf(PREFIX + info.getReason());
    } catch (IllegalArgumentException unknown) {
      return ErrorReason.UNRECOGNIZED;
    }
  }

  /** The first detail of a kind. */
  static <M extends Message> Optional<M> detail(Status status, M kind) {
    for (com.google.protobuf.Any packed : status.getDetailsList()) {
      if (packed.is(kind.getClass())) {
        try {
          @SuppressWarnings("unchecked") // the class of a message is that of its instance
          M found = (M) packed.unpack(kind.getClass());
          return Optional.of(found);
        } catch (InvalidProtocolBufferException unreadable) {
          return Optional.empty();
        }
      }
    }
    return Optional.empty();
  }

  private static java.time.Duration javaDuration(Duration sent) {
    return java.time.Duration.ofSeconds(sent.getSeconds(), sent.getNanos());
  }
}
