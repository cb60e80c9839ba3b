package absfin

// Reason is why a call failed: a name of the contract's enum ErrorReason without its prefix, or empty where the server did
// not say. It is a target of [errors.Is], as in errors.Is(err, absfin.ProblemInfeasible).
type Reason string

// Error is the name of the reason.
func (r Reason) Error() string { return string(r) }

// The reasons of the contract; new ones may come.
const (
	// InvalidInput: a field breaks a rule: BadRequest names each field.
	InvalidInput Reason = "INVALID_INPUT"
	// RequestIdReused: the id belongs to another request.
	RequestIdReused Reason = "REQUEST_ID_REUSED"
	// ProblemInfeasible: no weights keep all constraints: InfeasibilityReport names a conflict.
	ProblemInfeasible Reason = "PROBLEM_INFEASIBLE"
	// ProblemUnbounded: the objective is unbounded.
	ProblemUnbounded Reason = "PROBLEM_UNBOUNDED"
	// NoPositiveExcessReturn: no portfolio has a return above the risk-free rate.
	NoPositiveExcessReturn Reason = "NO_POSITIVE_EXCESS_RETURN"
	// MissingMarketData: stored data does not cover the request.
	MissingMarketData Reason = "MISSING_MARKET_DATA"
	// NotFound: there is no resource of this name.
	NotFound Reason = "NOT_FOUND"
	// AlreadyExists: there is a resource of this name already.
	AlreadyExists Reason = "ALREADY_EXISTS"
	// EtagMismatch: the resource changed since it was read; `etag` in the metadata is the current version.
	EtagMismatch Reason = "ETAG_MISMATCH"
	// BacktestRunning: a job that runs cannot be deleted.
	BacktestRunning Reason = "BACKTEST_RUNNING"
	// EpochChanged: the event log was lost; `epoch` in the metadata is the current one.
	EpochChanged Reason = "EPOCH_CHANGED"
	// EventsCompacted: events after the resume point are gone; `oldest_sequence` in the metadata is the oldest that is retained.
	EventsCompacted Reason = "EVENTS_COMPACTED"
	// NotSupported: the server cannot do this combination, or a field is not built yet.
	NotSupported Reason = "NOT_SUPPORTED"
	// MethodNotBuilt: the method is not built yet.
	MethodNotBuilt Reason = "METHOD_NOT_BUILT"
	// SolverTimedOut: the time limit ended before the answer was found.
	SolverTimedOut Reason = "SOLVER_TIMED_OUT"
	// Cancelled: the caller cancelled.
	Cancelled Reason = "CANCELLED"
	// Overloaded: too much work at once: wait as RetryInfo says.
	Overloaded Reason = "OVERLOADED"
	// Draining: the server shuts down: wait as RetryInfo says, or use another server.
	Draining Reason = "DRAINING"
	// SolverFailed: no answer passed verification.
	SolverFailed Reason = "SOLVER_FAILED"
	// NothingTradable: no trade of a reallocation can be done; only in ReallocationFailure.
	NothingTradable Reason = "NOTHING_TRADABLE"
	// Internal: an unexpected error; the id in the message is in the log of the server.
	Internal Reason = "INTERNAL"
	// StorageFull: the store is full: the message says what to delete.
	StorageFull Reason = "STORAGE_FULL"
	// StorageUnavailable: the store cannot be read or written now: wait as RetryInfo says.
	StorageUnavailable Reason = "STORAGE_UNAVAILABLE"
	// JobTimeBudgetExceeded: a job took more time than the settings allow; in the error of a backtest.
	JobTimeBudgetExceeded Reason = "JOB_TIME_BUDGET_EXCEEDED"
	// StreamIdle: a stream of requests sent nothing for too long.
	StreamIdle Reason = "STREAM_IDLE"
	// WorkerDied: the process that worked on the call died twice; the request may be too large.
	WorkerDied Reason = "WORKER_DIED"
	// CashNotRaised: sales cannot raise the cash that is missing; only in ReallocationFailure.
	CashNotRaised Reason = "CASH_NOT_RAISED"
	// FormulaMissesConstraint: the formula of the objective gives weights that miss a constraint; other weights may keep it.
	FormulaMissesConstraint Reason = "FORMULA_MISSES_CONSTRAINT"
	// WeightsLookLikePercent: weights or budgets sum to about 100: they are fractions, and percentages must be divided by 100.
	WeightsLookLikePercent Reason = "WEIGHTS_LOOK_LIKE_PERCENT"
	// TriggerLoop: a trigger of a mandate could start itself without end; the message says the way it would take.
	TriggerLoop Reason = "TRIGGER_LOOP"
	// RemoteUnavailable: a service outside cannot be reached, or is unavailable: wait as RetryInfo says.
	RemoteUnavailable Reason = "REMOTE_UNAVAILABLE"
	// RemoteCallFailed: a service outside returned an error; `status` in the metadata is its code.
	RemoteCallFailed Reason = "REMOTE_CALL_FAILED"
	// RemoteCallTimedOut: a service outside did not answer in time.
	RemoteCallTimedOut Reason = "REMOTE_CALL_TIMED_OUT"
	// RemoteAnswerInvalid: a service outside sent an answer that cannot be used.
	RemoteAnswerInvalid Reason = "REMOTE_ANSWER_INVALID"
	// TokenMissing: the call says in no way who makes it.
	TokenMissing Reason = "TOKEN_MISSING"
	// TokenInvalid: the token or key does not prove who calls; `cause` in the metadata says why.
	TokenInvalid Reason = "TOKEN_INVALID"
	// TokenExpired: the token or key has expired.
	TokenExpired Reason = "TOKEN_EXPIRED"
	// AnonymousRefused: the token is that of an anonymous sign-in.
	AnonymousRefused Reason = "ANONYMOUS_REFUSED"
	// RoleRequired: the role of the caller does not allow the method; `required` in the metadata is the one that does.
	RoleRequired Reason = "ROLE_REQUIRED"
	// IdentityUnavailable: the keys that tokens are verified with could not be fetched: wait as RetryInfo says.
	IdentityUnavailable Reason = "IDENTITY_UNAVAILABLE"
	// QuotaExceeded: the caller has as much of something as one caller may; QuotaFailure names it.
	QuotaExceeded Reason = "QUOTA_EXCEEDED"
	// MemoryLimitExceeded: the work needs more memory than one request may have.
	MemoryLimitExceeded Reason = "MEMORY_LIMIT_EXCEEDED"
)

// families says of each reason what the caller can do.
var families = map[Reason]error{
	InvalidInput:            ErrInvalidInput,
	RequestIdReused:         ErrInvalidInput,
	ProblemInfeasible:       ErrProblem,
	ProblemUnbounded:        ErrProblem,
	NoPositiveExcessReturn:  ErrProblem,
	MissingMarketData:       ErrResource,
	NotFound:                ErrResource,
	AlreadyExists:           ErrResource,
	EtagMismatch:            ErrResource,
	BacktestRunning:         ErrResource,
	EpochChanged:            ErrResource,
	EventsCompacted:         ErrResource,
	NotSupported:            ErrProblem,
	MethodNotBuilt:          ErrProblem,
	SolverTimedOut:          ErrTransient,
	Cancelled:               ErrTransient,
	Overloaded:              ErrTransient,
	Draining:                ErrTransient,
	SolverFailed:            ErrProblem,
	NothingTradable:         ErrProblem,
	Internal:                ErrInternal,
	StorageFull:             ErrResource,
	StorageUnavailable:      ErrTransient,
	JobTimeBudgetExceeded:   ErrTransient,
	StreamIdle:              ErrTransient,
	WorkerDied:              ErrProblem,
	CashNotRaised:           ErrProblem,
	FormulaMissesConstraint: ErrProblem,
	WeightsLookLikePercent:  ErrInvalidInput,
	TriggerLoop:             ErrInvalidInput,
	RemoteUnavailable:       ErrTransient,
	RemoteCallFailed:        ErrProblem,
	RemoteCallTimedOut:      ErrTransient,
	RemoteAnswerInvalid:     ErrProblem,
	TokenMissing:            ErrAccess,
	TokenInvalid:            ErrAccess,
	TokenExpired:            ErrAccess,
	AnonymousRefused:        ErrAccess,
	RoleRequired:            ErrAccess,
	IdentityUnavailable:     ErrTransient,
	QuotaExceeded:           ErrTransient,
	MemoryLimitExceeded:     ErrProblem,
}
