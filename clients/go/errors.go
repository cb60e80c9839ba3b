package absfin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	absfinancev1 "example.com/abs-finance/clients/go/absfinance/v1"
)

// Families of errors by what the caller can do, for [errors.Is].
var (
	ErrInvalidInput = errors.New("change the fields that the violations name")
	ErrProblem      = errors.New("change the problem: the same one fails again")
	ErrResource     = errors.New("change what is stored, or what is requested of it")
	ErrAccess       = errors.New("change who calls")
	ErrTransient    = errors.New("send the same call again")
	ErrInternal     = errors.New("report the id in the message")
)

var familiesByCode = map[codes.Code]error{
	codes.InvalidArgument:   ErrInvalidInput,
	codes.NotFound:          ErrResource,
	codes.AlreadyExists:     ErrResource,
	codes.Unauthenticated:   ErrAccess,
	codes.PermissionDenied:  ErrAccess,
	codes.Unimplemented:     ErrProblem,
	codes.Internal:          ErrInternal,
	codes.DeadlineExceeded:  ErrTransient,
	codes.ResourceExhausted: ErrTransient,
	codes.Unavailable:       ErrTransient,
	codes.Canceled:          ErrTransient,
}

// Violation is a field of the request and the rule that it breaks.
type Violation struct {
	Field  string // its path, such as "constraints[1].weight_bounds.lower"
	Rule   string // for people
	Reason string // stable name of the rule, such as "DOUBLE_GT"
}

// Error is the failure of a call, or of a part of one. [errors.Is] knows its [Reason], its family, and the errors of the
// context; [status.Code] knows its code.
type Error struct {
	Code       codes.Code
	Reason     Reason // empty where the server did not say, or was not reached
	Message    string
	Metadata   map[string]string
	Violations []Violation // of an invalid request

	// Conflicts is a smallest set of constraints that cannot hold together, with what each must give way: of
	// ProblemInfeasible.
	Conflicts []*absfinancev1.InfeasibilityReport_Conflict

	RetryAfter time.Duration // how long to wait before the same call; 0 where the server did not say

	status *status.Status
}

// Error is the message with the reason or the code.
func (e *Error) Error() string {
	if e.Reason != "" {
		return fmt.Sprintf("%s: %s", e.Reason, e.Message)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Message)
}

// GRPCStatus is the status of the call with all of its details.
func (e *Error) GRPCStatus() *status.Status { return e.status }

// Retryable says whether the same call may succeed later.
func (e *Error) Retryable() bool { return e.family() == ErrTransient }

// Is makes [errors.Is] compare with a reason, a family or an error of the context.
func (e *Error) Is(target error) bool {
	if reason, ok := target.(Reason); ok {
		return reason != "" && reason == e.Reason
	}
	switch target {
	case context.Canceled:
		return e.Code == codes.Canceled && e.Reason == ""
	case context.DeadlineExceeded:
		return e.Code == codes.DeadlineExceeded && e.Reason == ""
	}
	return target == e.family()
}

func (e *Error) family() error {
	if family, ok := families[e.Reason]; ok {
		return family
	}
	return familiesByCode[e.Code]
}

// ErrorOf is the error of a status inside an answer, such as that of a failed backtest or of one account of a batch; nil
// for nil and for OK.
func ErrorOf(found *spb.Status) error {
	return typed(status.ErrorProto(found))
}

// typed turns the error of a call into an Error. It leaves nil, the end of a stream and an Error as they are.
func typed(err error) error {
	var known *Error
	if err == nil || err == io.EOF || errors.As(err, &known) {
		return err
	}
	found, _ := status.FromError(err)
	failure := &Error{Code: found.Code(), Message: found.Message(), status: found}
	for _, detail := range found.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			failure.Reason, failure.Metadata = Reason(detail.GetReason()), detail.GetMetadata()
		case *errdetails.BadRequest:
			for _, violation := range detail.GetFieldViolations() {
				failure.Violations = append(failure.Violations,
					Violation{violation.GetField(), violation.GetDescription(), violation.GetReason()})
			}
		case *absfinancev1.InfeasibilityReport:
			failure.Conflicts = detail.GetConflicts()
		case *errdetails.RetryInfo:
			failure.RetryAfter = detail.GetRetryDelay().AsDuration()
		}
	}
	return failure
}

// contextStatus is the error that gRPC has for the end of a context.
func contextStatus(err error) error { return status.FromContextError(err).Err() }
