// Command conformance sends the requests of a file to a server, compares the answers, and prints a line of JSON for each
// case. It ends with 1 where a case fails. The file is that of clients/conformance.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	absfin "example.com/abs-finance/clients/go"
	absfinancev1 "example.com/abs-finance/clients/go/absfinance/v1"
)

// caseLimit is how long one case may take.
const caseLimit = 3 * time.Minute

type cases struct {
	Version int
	Unary   []unaryCase
	Streams []streamCase
}

type call struct {
	Method  string
	Request json.RawMessage
}

type unaryCase struct {
	call
	ID     string
	Setup  []call
	Expect struct {
		Response  any
		Tolerance float64
		Error     *expectedError
	}
}

type expectedError struct {
	Code       string
	Reason     string
	Fields     []string
	Infeasible *bool
}

type streamCase struct {
	ID      string
	Kind    string
	Request json.RawMessage
	Place   struct {
		AfterSequence uint64
		Epoch         string
	}
	Expect struct {
		Events struct {
			States     []string
			Milestones bool
		}
		Terminal string
		Error    *expectedError
	}
}

type outcome struct {
	ID          string   `json:"id"`
	OK          bool     `json:"ok"`
	Why         string   `json:"why"`
	Milestones  []uint64 `json:"milestones,omitempty"`
	Resumptions *int     `json:"resumptions,omitempty"`
}

func main() {
	log.SetFlags(0)
	address := flag.String("address", absfin.DefaultTarget, "address of the server")
	file := flag.String("cases", "", "file of cases")
	only := flag.String("only", "", "id of the one case to run")
	flag.Parse()
	found, err := read(*file)
	if err != nil {
		log.Fatal(err)
	}
	ran, failed := 0, 0
	report := func(result outcome) {
		ran++
		if !result.OK {
			failed++
		}
		if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
			log.Fatal(err)
		}
	}
	for _, one := range found.Unary {
		if *only == "" || *only == one.ID {
			report(finish(outcome{ID: one.ID}, runUnary(*address, one)))
		}
	}
	for _, one := range found.Streams {
		if *only == "" || *only == one.ID {
			report(runStream(*address, one))
		}
	}
	if ran == 0 {
		log.Fatalf("no case has the id %q", *only)
	}
	if failed > 0 {
		os.Exit(1)
	}
}

func read(file string) (*cases, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	found := &cases{}
	if err := json.Unmarshal(text, found); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if found.Version != 1 {
		return nil, fmt.Errorf("%s has version %d, not 1", file, found.Version)
	}
	return found, nil
}

func finish(result outcome, err error) outcome {
	result.OK = err == nil
	if err != nil {
		result.Why = err.Error()
	}
	return result
}

func runUnary(address string, one unaryCase) error {
	client, err := absfin.Connect(address)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), caseLimit)
	defer cancel()
	for _, setup := range one.Setup {
		if _, err := send(ctx, client, setup); err != nil {
			var refusal *absfin.Error
			if !errors.As(err, &refusal) {
				return fmt.Errorf("setup: %w", err)
			}
		}
	}
	answer, err := send(ctx, client, one.call)
	if one.Expect.Error != nil {
		return compareError(*one.Expect.Error, err)
	}
	if err != nil {
		return err
	}
	text, err := protojson.Marshal(answer)
	if err != nil {
		return err
	}
	var actual any
	if err := json.Unmarshal(text, &actual); err != nil {
		return err
	}
	return compare("", one.Expect.Response, actual, one.Expect.Tolerance)
}

// send calls a method such as "OptimizationService/Optimize" with a request in JSON.
func send(ctx context.Context, client *absfin.Client, sent call) (proto.Message, error) {
	service, name, _ := strings.Cut(sent.Method, "/")
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName("absfinance.v1." + service + "." + name))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", sent.Method, err)
	}
	method, ok := found.(protoreflect.MethodDescriptor)
	if !ok {
		return nil, fmt.Errorf("%s is no method", sent.Method)
	}
	request, err := emptyMessage(method.Input())
	if err != nil {
		return nil, err
	}
	answer, err := emptyMessage(method.Output())
	if err != nil {
		return nil, err
	}
	if err := protojson.Unmarshal(sent.Request, request); err != nil {
		return nil, fmt.Errorf("the request of the case: %w", err)
	}
	return answer, client.Connection().Invoke(ctx, "/absfinance.v1."+sent.Method, request, answer)
}

func emptyMessage(descriptor protoreflect.MessageDescriptor) (proto.Message, error) {
	kind, err := protoregistry.GlobalTypes.FindMessageByName(descriptor.FullName())
	if err != nil {
		return nil, err
	}
	return kind.New().Interface(), nil
}

func compareError(expected expectedError, err error) error {
	var refusal *absfin.Error
	if !errors.As(err, &refusal) {
		return fmt.Errorf("%s was expected, and came: %w", expected.Reason, orNothing(err))
	}
	if code := codeName(refusal.Code); code != expected.Code {
		return fmt.Errorf("code %s, not %s: %w", code, expected.Code, err)
	}
	if expected.Reason != "" && string(refusal.Reason) != expected.Reason {
		return fmt.Errorf("reason %s, not %s: %w", refusal.Reason, expected.Reason, err)
	}
	for _, field := range expected.Fields {
		if !slices.ContainsFunc(refusal.Violations, func(v absfin.Violation) bool { return v.Field == field }) {
			return fmt.Errorf("no violation of %s among %v", field, refusal.Violations)
		}
	}
	if expected.Infeasible != nil && *expected.Infeasible != (len(refusal.Conflicts) > 0) {
		return fmt.Errorf("the error has %d conflicts", len(refusal.Conflicts))
	}
	return nil
}

func orNothing(err error) error {
	if err == nil {
		return errors.New("an answer")
	}
	return err
}

func runStream(address string, one streamCase) outcome {
	result := outcome{ID: one.ID, Milestones: []uint64{}}
	attempts := 0
	counted := grpc.WithChainStreamInterceptor(func(
		ctx context.Context, description *grpc.StreamDesc, connection *grpc.ClientConn, method string,
		open grpc.Streamer, options ...grpc.CallOption,
	) (grpc.ClientStream, error) {
		if method == absfinancev1.BacktestService_BacktestProgress_FullMethodName {
			attempts++
		}
		return open(ctx, description, connection, method, options...)
	})
	client, err := absfin.Connect(address, absfin.WithDialOptions(counted))
	if err != nil {
		return finish(result, err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), caseLimit)
	defer cancel()
	err = followBacktest(ctx, client, one, &result.Milestones)
	resumptions := max(attempts-1, 0)
	result.Resumptions = &resumptions
	return finish(result, err)
}

func followBacktest(ctx context.Context, client *absfin.Client, one streamCase, milestones *[]uint64) error {
	if one.Kind != "backtest" {
		return fmt.Errorf("unknown kind %q", one.Kind)
	}
	request := &absfinancev1.BacktestRequest{}
	if err := protojson.Unmarshal(one.Request, request); err != nil {
		return fmt.Errorf("the request of the case: %w", err)
	}
	job, err := start(ctx, client, request)
	if err != nil {
		return err
	}
	latest, terminal := uint64(0), ""
	watched := &absfinancev1.BacktestProgressRequest{
		Backtest: job.GetName(), AfterSequence: one.Place.AfterSequence, Epoch: one.Place.Epoch,
	}
	for event, err := range client.WatchBacktest(ctx, watched) {
		if err != nil && one.Expect.Error != nil {
			return compareError(*one.Expect.Error, err)
		}
		if err != nil {
			return err
		}
		if event.GetSnapshot() != nil {
			continue
		}
		if event.GetSequence() <= latest {
			return fmt.Errorf("sequence %d came after %d", event.GetSequence(), latest)
		}
		latest = event.GetSequence()
		if event.GetMilestone() != nil {
			*milestones = append(*milestones, latest)
		}
		if finished := event.GetFinished(); finished != nil {
			terminal = finished.GetState().String()
		}
	}
	if one.Expect.Error != nil {
		return fmt.Errorf("%s was expected, and the job ended as %q", one.Expect.Error.Reason, terminal)
	}
	if terminal != one.Expect.Terminal {
		return fmt.Errorf("the job ended as %q, not %q", terminal, one.Expect.Terminal)
	}
	if states := one.Expect.Events.States; len(states) > 0 && !slices.Contains(states, terminal) {
		return fmt.Errorf("the last state is %q, not among %v", terminal, states)
	}
	if one.Expect.Events.Milestones && len(*milestones) < 1 {
		return errors.New("no milestone came before the end")
	}
	return nil
}

// start starts a backtest through a connection that may be cut: the request id makes it the same one each time.
func start(ctx context.Context, client *absfin.Client, request *absfinancev1.BacktestRequest) (*absfinancev1.Backtest, error) {
	if request.RequestId == "" {
		request.RequestId = fmt.Sprintf("conformance-%d-%d", os.Getpid(), time.Now().UnixNano())
	}
	for {
		job, err := client.Backtests.Backtest(ctx, request)
		if err == nil || !errors.Is(err, absfin.ErrTransient) {
			return job, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(100 * time.Millisecond):
		}
	}
}
