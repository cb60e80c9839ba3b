package absfin_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	absfin "example.com/abs-finance/clients/go"
	absfinancev1 "example.com/abs-finance/clients/go/absfinance/v1"
)

// recorder answers Optimize and Delete, and keeps what it was sent.
type recorder struct {
	absfinancev1.UnimplementedOptimizationServiceServer
	mutex    sync.Mutex
	failures int // how many calls fail first
	ids      []string
	tokens   []string
	limits   []time.Duration
}

func (r *recorder) Optimize(ctx context.Context, request *absfinancev1.OptimizeRequest) (*absfinancev1.Optimization, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.ids = append(r.ids, request.GetRequestId())
	sent, _ := metadata.FromIncomingContext(ctx)
	r.tokens = append(r.tokens, sent.Get("authorization")...)
	if end, ok := ctx.Deadline(); ok {
		r.limits = append(r.limits, time.Until(end))
	}
	if r.failures > 0 {
		r.failures--
		return nil, status.Error(codes.Unavailable, "the server starts")
	}
	return &absfinancev1.Optimization{Name: "optimizations/" + request.GetLabel()}, nil
}

// serve starts a server for the time of a test and returns its address.
func serve(t *testing.T, register func(*grpc.Server), options ...grpc.ServerOption) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(options...)
	register(server)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

func connect(t *testing.T, address string, options ...absfin.Option) *absfin.Client {
	t.Helper()
	client, err := absfin.Connect(address, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

func (r *recorder) serve(t *testing.T) string {
	return serve(t, func(server *grpc.Server) { absfinancev1.RegisterOptimizationServiceServer(server, r) })
}

func TestARepeatedCallHasOneRequestIDAndTheNextCallAnother(t *testing.T) {
	r := &recorder{failures: 2}
	client := connect(t, r.serve(t))
	request := &absfinancev1.OptimizeRequest{Label: "mine"}
	for range 2 {
		answer, err := client.Optimization.Optimize(t.Context(), request)
		if err != nil || answer.GetName() != "optimizations/mine" {
			t.Fatal(answer, err)
		}
	}
	if len(r.ids) != 4 || r.ids[0] == "" || r.ids[0] != r.ids[1] || r.ids[0] != r.ids[2] || r.ids[0] == r.ids[3] {
		t.Errorf("request ids of three attempts and one more call: %q", r.ids)
	}
	if request.RequestId != "" {
		t.Errorf("the request of the caller has changed: %q", request.RequestId)
	}
	request.RequestId = "given"
	if _, err := client.Optimization.Optimize(t.Context(), request); err != nil || r.ids[4] != "given" {
		t.Error(r.ids[4], err)
	}
}

func TestTheTokenIsAskedForAtEachCall(t *testing.T) {
	r := &recorder{}
	tokens := []string{"first", "second"}
	client := connect(t, r.serve(t), absfin.WithTokenSource(func(context.Context) (string, error) {
		next := tokens[0]
		tokens = tokens[1:]
		return next, nil
	}))
	for range 2 {
		if _, err := client.Optimization.Optimize(t.Context(), &absfinancev1.OptimizeRequest{}); err != nil {
			t.Fatal(err)
		}
	}
	if len(r.tokens) != 2 || r.tokens[0] != "Bearer first" || r.tokens[1] != "Bearer second" {
		t.Error(r.tokens)
	}
}

func TestTheDefaultDeadlineYieldsToThatOfTheCaller(t *testing.T) {
	r := &recorder{}
	client := connect(t, r.serve(t), absfin.WithTimeout(10*time.Second))
	if _, err := client.Optimization.Optimize(t.Context(), &absfinancev1.OptimizeRequest{}); err != nil {
		t.Fatal(err)
	}
	longer, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	if _, err := client.Optimization.Optimize(longer, &absfinancev1.OptimizeRequest{}); err != nil {
		t.Fatal(err)
	}
	if len(r.limits) != 2 || r.limits[0] > 10*time.Second || r.limits[1] < 50*time.Minute {
		t.Error(r.limits)
	}
}

func TestNobodyListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	client := connect(t, address)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := client.WaitUntilReady(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	_, err = client.Risk.AnalyzeRisk(t.Context(), &absfinancev1.AnalyzeRiskRequest{})
	if !errors.Is(err, absfin.ErrTransient) || status.Code(err) != codes.Unavailable {
		t.Error(err)
	}
}
