package absfin_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	absfin "example.com/abs-finance/clients/go"
	absfinancev1 "example.com/abs-finance/clients/go/absfinance/v1"
)

func refusal(t *testing.T, code codes.Code, reason absfin.Reason, details ...protoadapt.MessageV1) *status.Status {
	t.Helper()
	info := &errdetails.ErrorInfo{Reason: string(reason), Domain: "absfinance", Metadata: map[string]string{"field": "prices"}}
	found, err := status.New(code, "what is wrong").WithDetails(append([]protoadapt.MessageV1{info}, details...)...)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestEveryReasonOfTheContractIsInOneFamily(t *testing.T) {
	all := []error{absfin.ErrInvalidInput, absfin.ErrProblem, absfin.ErrResource, absfin.ErrAccess,
		absfin.ErrTransient, absfin.ErrInternal}
	for number, name := range absfinancev1.ErrorReason_name {
		if number == 0 {
			continue
		}
		reason := absfin.Reason(strings.TrimPrefix(name, "ERROR_REASON_"))
		// No code: so the family is that of the reason alone.
		err := absfin.ErrorOf(refusal(t, codes.Unknown, reason).Proto())
		families := 0
		for _, family := range all {
			if errors.Is(err, family) {
				families++
			}
		}
		if families != 1 || !errors.Is(err, reason) {
			t.Errorf("%s is in %d families", reason, families)
		}
	}
}

func TestTheDetailsOfAnError(t *testing.T) {
	err := absfin.ErrorOf(refusal(t, codes.FailedPrecondition, absfin.ProblemInfeasible,
		&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{
			{Field: "prices", Description: "is required", Reason: "REQUIRED"},
		}},
		&errdetails.RetryInfo{RetryDelay: durationpb.New(3 * time.Second)},
		protoadapt.MessageV1Of(&absfinancev1.InfeasibilityReport{Conflicts: []*absfinancev1.InfeasibilityReport_Conflict{
			{Label: "caps", SmallestRelaxation: proto.Float64(0.1)},
		}}),
	).Proto())
	var found *absfin.Error
	if !errors.As(err, &found) {
		t.Fatal(err)
	}
	if len(found.Violations) != 1 || found.Violations[0] != (absfin.Violation{Field: "prices", Rule: "is required", Reason: "REQUIRED"}) {
		t.Error(found.Violations)
	}
	if len(found.Conflicts) != 1 || found.Conflicts[0].GetSmallestRelaxation() != 0.1 {
		t.Error(found.Conflicts)
	}
	if found.RetryAfter != 3*time.Second || found.Metadata["field"] != "prices" || found.Retryable() {
		t.Error(found)
	}
	if status.Code(err) != codes.FailedPrecondition || err.Error() != "PROBLEM_INFEASIBLE: what is wrong" {
		t.Error(err)
	}
	if errors.Is(err, absfin.Reason("")) || errors.Is(err, absfin.NotFound) || errors.Is(err, context.Canceled) {
		t.Error("the error is taken for another")
	}
}

func TestNoErrorIsNil(t *testing.T) {
	if err := absfin.ErrorOf(nil); err != nil {
		t.Error(err)
	}
}

func TestTheEndOfAContextIsThatOfTheContext(t *testing.T) {
	r := &recorder{}
	client := connect(t, r.serve(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := client.Optimization.Optimize(ctx, &absfinancev1.OptimizeRequest{})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
