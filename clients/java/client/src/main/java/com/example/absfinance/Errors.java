package com.example.absfinance;

import com.example.absfinance.v1.ErrorReason;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import io.grpc.Metadata;
import io.grpc.Status;

/** Turns the failure of a call into its typed exception. */
public final class Errors {
  private static final Metadata.Key<byte[]> DETAILS =
      Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);

  private Errors() {}

  /** The exception of a status, such as that of one account of a batch. */
  public static AbsFinanceException of(com.google.rpc.Status status) {
    ErrorReason reason =
        AbsFinanceException.reasonOf(
            AbsFinanceException.detail(status, ErrorInfo.getDefaultInstance()).orElse(ErrorInfo.getDefaultInstance()));
    return switch (reason) {
      case ERROR_REASON_INVALID_INPUT,
          ERROR_REASON_REQUEST_ID_REUSED,
          ERROR_REASON_WEIGHTS_LOOK_LIKE_PERCENT,
          ERROR_REASON_TRIGGER_LOOP ->
          new InvalidInputException(status);
      case ERROR_REASON_PROBLEM_INFEASIBLE -> new InfeasibleProblemException(status);
      case ERROR_REASON_FORMULA_MISSES_CONSTRAINT,
          ERROR_REASON_PROBLEM_UNBOUNDED,
          ERROR_REASON_NO_POSITIVE_EXCESS_RETURN,
          ERROR_REASON_NOT_SUPPORTED,
          ERROR_REASON_METHOD_NOT_BUILT,
          ERROR_REASON_SOLVER_FAILED,
          ERROR_REASON_WORKER_DIED,
          ERROR_REASON_MEMORY_LIMIT_EXCEEDED,
          ERROR_REASON_NOTHING_TRADABLE,
          ERROR_REASON_CASH_NOT_RAISED,
          ERROR_REASON_REMOTE_CALL_FAILED,
          ERROR_REASON_REMOTE_ANSWER_INVALID ->
          new ProblemException(status);
      case ERROR_REASON_MISSING_MARKET_DATA,
          ERROR_REASON_NOT_FOUND,
          ERROR_REASON_ALREADY_EXISTS,
          ERROR_REASON_ETAG_MISMATCH,
          ERROR_REASON_BACKTEST_RUNNING,
          ERROR_REASON_STORAGE_FULL ->
          new ResourceException(status);
      case ERROR_REASON_EPOCH_CHANGED, ERROR_REASON_EVENTS_COMPACTED -> new EventsLostException(status);
      case ERROR_REASON_TOKEN_MISSING,
          ERROR_REASON_TOKEN_INVALID,
          ERROR_REASON_TOKEN_EXPIRED,
          ERROR_REASON_ANONYMOUS_REFUSED,
          ERROR_REASON_ROLE_REQUIRED ->
          new AccessException(status);
      case ERROR_REASON_SOLVER_TIMED_OUT,
          ERROR_REASON_JOB_TIME_BUDGET_EXCEEDED,
          ERROR_REASON_STREAM_IDLE,
          ERROR_REASON_OVERLOADED,
          ERROR_REASON_QUOTA_EXCEEDED,
          ERROR_REASON_DRAINING,
          ERROR_REASON_STORAGE_UNAVAILABLE,
          ERROR_REASON_IDENTITY_UNAVAILABLE,
          ERROR_REASON_REMOTE_UNAVAILABLE,
          ERROR_REASON_REMOTE_CALL_TIMED_OUT,
          ERROR_REASON_CANCELLED ->
          new TransientException(status);
      case ERROR_REASON_INTERNAL -> new InternalException(status);
      case ERROR_REASON_UNSPECIFIED, UNRECOGNIZED -> byCode(status);
    };
  }

  static AbsFinanceException of(Status status, Metadata trailers) {
    byte[] details = trailers == null ? null : trailers.get(DETAILS);
    if (details != null) {
      try {
        return of(com.google.rpc.Status.parseFrom(details));
      } catch (InvalidProtocolBufferException unreadable) {
        // The code and the message are still there.
      }
    }
    String message = status.getDescription() == null ? status.getCode().name() : status.getDescription();
    AbsFinanceException made =
        of(com.google.rpc.Status.newBuilder().setCode(status.getCode().value()).setMessage(message).build());
    if (status.getCause() != null) {
      made.initCause(status.getCause());
    }
    return made;
  }

  /** An error without a reason that is known here: of gRPC itself, a proxy, or a newer server. */
  private static AbsFinanceException byCode(com.google.rpc.Status status) {
    return switch (Status.fromCodeValue(status.getCode()).getCode()) {
      case INVALID_ARGUMENT -> new InvalidInputException(status);
      case NOT_FOUND, ALREADY_EXISTS -> new ResourceException(status);
      case UNAUTHENTICATED, PERMISSION_DENIED -> new AccessException(status);
      case UNIMPLEMENTED -> new ProblemException(status);
      case INTERNAL -> new InternalException(status);
      case DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNAVAILABLE, CANCELLED -> new TransientException(status);
      default -> new AbsFinanceException(status);
    };
  }
}
