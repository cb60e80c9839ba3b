/**
 * Errors of calls, in families by what the caller can do.
 *
 * | family | what to do |
 * |---|---|
 * | `InvalidInput` | change the fields that `violations` names |
 * | `ProblemError` | change the problem: the same one fails again; `InfeasibleProblem` names the constraints |
 * | `ResourceError` | change what is stored, or what is requested of it |
 * | `AccessError` | change who calls: another token, or another role |
 * | `TransientError` | send the same call again, after `retryAfterSeconds` if it is given |
 * | `InternalError` | report the id in the message |
 *
 * `reason` says more: a name of the enum `ErrorReason` without its prefix. It never changes; messages may.
 */

import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";

import { InfeasibilityReportSchema } from "./gen/absfinance/v1/optimization_pb.js";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "./gen/google/rpc/error_details_pb.js";
import type { Status } from "./gen/google/rpc/status_pb.js";
import { secondsOf } from "./times.js";

/** A field of the request, the rule it breaks, and the stable name of that rule. */
export interface Violation {
  readonly field: string;
  readonly rule: string;
  readonly reason: string;
}

/** One constraint of a conflict, and how far to relax it, in its own unit. */
export interface Conflict {
  readonly label: string;
  /** Smallest relaxation of this one alone that resolves the conflict; absent where none does. */
  readonly smallestRelaxation?: number;
  /** How far to relax this one where all of the conflict are relaxed together. */
  readonly jointRelaxation?: number;
}

/** What an error is made from: the status of a call, or a status inside an answer. */
interface Failure {
  readonly code: Code;
  readonly message: string;
  readonly cause?: unknown;
  find<Desc extends DescMessage>(schema: Desc): MessageShape<Desc> | undefined;
}

/** Base of the errors of calls. */
export class AbsFinanceError extends Error {
  readonly code: Code;
  /** Stable reason, such as "PROBLEM_INFEASIBLE"; empty for an error that is not of the server itself. */
  readonly reason: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly retryAfterSeconds: number | undefined;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean = false;

  constructor(failure: Failure) {
    super(failure.message, { cause: failure.cause });
    this.name = new.target.name;
    const info = failure.find(ErrorInfoSchema);
    this.code = failure.code;
    this.reason = info?.reason ?? "";
    this.metadata = info?.metadata ?? {};
    this.retryAfterSeconds = secondsOf(failure.find(RetryInfoSchema)?.retryDelay);
  }
}

/** Fields of the request break rules; `violations` names each. */
export class InvalidInput extends AbsFinanceError {
  readonly violations: readonly Violation[];

  constructor(failure: Failure) {
    super(failure);
    const violations = failure.find(BadRequestSchema)?.fieldViolations ?? [];
    this.violations = violations.map(({ field, description, reason }) => ({ field, rule: description, reason }));
  }
}

/** The request is valid, but its problem has no answer that the server can give: the problem must change. */
export class ProblemError extends AbsFinanceError {}

/** No weights satisfy all constraints; `conflicts` is a smallest set of constraints that cannot hold together. */
export class InfeasibleProblem extends ProblemError {
  readonly conflicts: readonly Conflict[];

  constructor(failure: Failure) {
    super(failure);
    const conflicts = failure.find(InfeasibilityReportSchema)?.conflicts ?? [];
    this.conflicts = conflicts.map(({ label, smallestRelaxation, jointRelaxation }) => ({
      label,
      ...(smallestRelaxation === undefined ? {} : { smallestRelaxation }),
      ...(jointRelaxation === undefined ? {} : { jointRelaxation }),
    }));
  }
}

/** The server does not support this method, field or combination; the message names it. */
export class NotSupported extends ProblemError {}

/** What is stored does not allow the call. */
export class ResourceError extends AbsFinanceError {}

/** No resource has this name. */
export class NotFound extends ResourceError {}

/** The server no longer has the events after which a stream was to be resumed, or has another log of events. */
export class EventsLost extends ResourceError {}

/** The server does not know who calls, or their role does not allow the call. */
export class AccessError extends AbsFinanceError {}

/** The same call may succeed later. */
export class TransientError extends AbsFinanceError {
  override readonly retryable = true;
}

/** The time limit ended before the answer was found. */
export class DeadlineExceeded extends TransientError {}

/** The call was cancelled. */
export class Cancelled extends TransientError {}

/** An unexpected error of the server, whose log has it under the id in the message. */
export class InternalError extends AbsFinanceError {}

type ErrorClass = new (failure: Failure) => AbsFinanceError;

const BY_REASON: Readonly<Record<string, ErrorClass>> = {
  INVALID_INPUT: InvalidInput,
  REQUEST_ID_REUSED: InvalidInput,
  WEIGHTS_LOOK_LIKE_PERCENT: InvalidInput,
  PROBLEM_INFEASIBLE: InfeasibleProblem,
  FORMULA_MISSES_CONSTRAINT: ProblemError,
  PROBLEM_UNBOUNDED: ProblemError,
  NO_POSITIVE_EXCESS_RETURN: ProblemError,
  NOT_SUPPORTED: NotSupported,
  METHOD_NOT_BUILT: NotSupported,
  SOLVER_FAILED: ProblemError,
  WORKER_DIED: ProblemError,
  MEMORY_LIMIT_EXCEEDED: ProblemError,
  NOTHING_TRADABLE: ProblemError,
  CASH_NOT_RAISED: ProblemError,
  TRIGGER_LOOP: InvalidInput,
  REMOTE_CALL_FAILED: ProblemError,
  REMOTE_ANSWER_INVALID: ProblemError,
  MISSING_MARKET_DATA: ResourceError,
  NOT_FOUND: NotFound,
  ALREADY_EXISTS: ResourceError,
  ETAG_MISMATCH: ResourceError,
  BACKTEST_RUNNING: ResourceError,
  STORAGE_FULL: ResourceError,
  EPOCH_CHANGED: EventsLost,
  EVENTS_COMPACTED: EventsLost,
  TOKEN_MISSING: AccessError,
  TOKEN_INVALID: AccessError,
  TOKEN_EXPIRED: AccessError,
  ANONYMOUS_REFUSED: AccessError,
  ROLE_REQUIRED: AccessError,
  IDENTITY_UNAVAILABLE: TransientError,
  SOLVER_TIMED_OUT: DeadlineExceeded,
  JOB_TIME_BUDGET_EXCEEDED: DeadlineExceeded,
  REMOTE_CALL_TIMED_OUT: DeadlineExceeded,
  REMOTE_UNAVAILABLE: TransientError,
  STREAM_IDLE: DeadlineExceeded,
  OVERLOADED: TransientError,
  QUOTA_EXCEEDED: TransientError,
  DRAINING: TransientError,
  STORAGE_UNAVAILABLE: TransientError,
  CANCELLED: Cancelled,
  INTERNAL: InternalError,
};

// For an error without a reason of the server: of the connection, a proxy, or a newer server.
const BY_CODE: ReadonlyMap<Code, ErrorClass> = new Map<Code, ErrorClass>([
  [Code.InvalidArgument, InvalidInput],
  [Code.NotFound, NotFound],
  [Code.AlreadyExists, ResourceError],
  [Code.Unauthenticated, AccessError],
  [Code.PermissionDenied, AccessError],
  [Code.Unimplemented, NotSupported],
  [Code.Internal, InternalError],
  [Code.DeadlineExceeded, DeadlineExceeded],
  [Code.ResourceExhausted, TransientError],
  [Code.Unavailable, TransientError],
  [Code.Canceled, Cancelled],
]);

/** The typed error of a failed call; an error that is typed already, or that is of no call, is returned as it is. */
export function errorFromCall(failure: unknown): unknown {
  if (!(failure instanceof ConnectError)) {
    return failure;
  }
  return typed({
    code: failure.code,
    message: failure.rawMessage,
    cause: failure,
    find: (schema) => failure.findDetails(schema)[0],
  });
}

/** The typed error of a status inside an answer, such as that of one account of a batch or of a failed backtest. */
export function errorFromStatus(status: Status): AbsFinanceError {
  return typed({
    code: status.code in Code ? (status.code as Code) : Code.Unknown,
    message: status.message,
    find: (schema) => {
      for (const detail of status.details) {
        const found = anyUnpack(detail, schema);
        if (found !== undefined) {
          return found;
        }
      }
      return undefined;
    },
  });
}

function typed(failure: Failure): AbsFinanceError {
  const reason = failure.find(ErrorInfoSchema)?.reason ?? "";
  const kind = Object.hasOwn(BY_REASON, reason) ? BY_REASON[reason] : undefined;
  return new (kind ?? BY_CODE.get(failure.code) ?? AbsFinanceError)(failure);
}
