package absfin_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	absfin "example.com/abs-finance/clients/go"
	absfinancev1 "example.com/abs-finance/clients/go/absfinance/v1"
)

// log is a server of events 1 to newest. attempt says how each attempt goes, from 1.
type log struct {
	absfinancev1.UnimplementedEventServiceServer
	absfinancev1.UnimplementedBacktestServiceServer
	newest   uint64
	attempt  func(number int, send func(sequence uint64) error) error
	requests []*absfinancev1.WatchEventsRequest
	left     chan struct{} // gets a value when a reader has left
}

func (l *log) WatchEvents(request *absfinancev1.WatchEventsRequest, stream grpc.ServerStreamingServer[absfinancev1.WatchEventsResponse]) error {
	l.requests = append(l.requests, request)
	opening := &absfinancev1.WatchEventsResponse{Epoch: "e1", Sequence: request.GetAfterSequence()}
	opening.Event = &absfinancev1.WatchEventsResponse_Snapshot_{Snapshot: &absfinancev1.WatchEventsResponse_Snapshot{NewestSequence: l.newest}}
	if err := stream.Send(opening); err != nil {
		return err
	}
	err := l.attempt(len(l.requests), func(sequence uint64) error {
		event := &absfinancev1.WatchEventsResponse{Epoch: "e1", Sequence: sequence}
		event.Event = &absfinancev1.WatchEventsResponse_Signal_{Signal: &absfinancev1.WatchEventsResponse_Signal{}}
		if sequence == 0 {
			event.Event = &absfinancev1.WatchEventsResponse_Heartbeat_{Heartbeat: &absfinancev1.WatchEventsResponse_Heartbeat{}}
		}
		return stream.Send(event)
	})
	if err == nil && l.left != nil {
		<-stream.Context().Done()
		l.left <- struct{}{}
	}
	return err
}

func (l *log) serve(t *testing.T, options ...absfin.Option) *absfin.Client {
	return connect(t, serve(t, func(server *grpc.Server) {
		absfinancev1.RegisterEventServiceServer(server, l)
		absfinancev1.RegisterBacktestServiceServer(server, l)
	}), options...)
}

// rest sends what is after the resume point of the latest request, at most so many.
func (l *log) rest(send func(uint64) error, most uint64) error {
	after := l.requests[len(l.requests)-1].GetAfterSequence()
	for sequence := after + 1; sequence <= min(l.newest, after+most); sequence++ {
		if err := send(sequence); err != nil {
			return err
		}
	}
	return nil
}

// read follows until the newest event, and returns the sequences of signals and the number of snapshots.
func read(t *testing.T, client *absfin.Client, newest uint64) (sequences []uint64, snapshots int, failure error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for event, err := range client.WatchEvents(ctx, &absfinancev1.WatchEventsRequest{}) {
		if err != nil {
			return sequences, snapshots, err
		}
		if event.GetSnapshot() != nil {
			snapshots++
			continue
		}
		sequences = append(sequences, event.GetSequence())
		if event.GetSequence() == newest {
			break
		}
	}
	return sequences, snapshots, nil
}

func upTo(newest uint64) (all []uint64) {
	for sequence := uint64(1); sequence <= newest; sequence++ {
		all = append(all, sequence)
	}
	return all
}

func TestEventsAreNeitherLostNorRepeatedOverBrokenStreams(t *testing.T) {
	endings := []error{
		status.Error(codes.Unavailable, "cut"), nil, status.Error(codes.Internal, "half a message"),
		refusal(t, codes.Unavailable, absfin.Draining).Err(), status.Error(codes.Canceled, "reset"),
	}
	l := &log{newest: 11}
	l.attempt = func(number int, send func(uint64) error) error {
		// A heartbeat, an event that was sent before, then two new ones.
		for _, repeated := range []uint64{0, l.requests[number-1].GetAfterSequence()} {
			if err := send(repeated); err != nil {
				return err
			}
		}
		if err := l.rest(send, 2); err != nil {
			return err
		}
		return endings[(number-1)%len(endings)]
	}
	sequences, snapshots, err := read(t, l.serve(t), l.newest)
	if err != nil || snapshots != 1 || !slices.Equal(sequences, upTo(l.newest)) {
		t.Error(sequences, snapshots, err)
	}
	if l.requests[0].GetEpoch() != "" || l.requests[1].GetEpoch() != "e1" || l.requests[1].GetAfterSequence() != 2 {
		t.Error(l.requests)
	}
}

func TestLostEventsAreATypedError(t *testing.T) {
	for code, reason := range map[codes.Code]absfin.Reason{
		codes.FailedPrecondition: absfin.EpochChanged,
		codes.OutOfRange:         absfin.EventsCompacted,
	} {
		l := &log{newest: 3}
		l.attempt = func(number int, send func(uint64) error) error {
			if number > 1 {
				return refusal(t, code, reason).Err()
			}
			if err := l.rest(send, 2); err != nil {
				return err
			}
			return status.Error(codes.Unavailable, "cut")
		}
		sequences, _, err := read(t, l.serve(t), l.newest)
		if !errors.Is(err, reason) || !errors.Is(err, absfin.ErrResource) || !slices.Equal(sequences, upTo(2)) {
			t.Error(sequences, err)
		}
	}
}

func TestATokenThatHasEndedIsRenewedOnceTheStreamHasWorked(t *testing.T) {
	expired := refusal(t, codes.Unauthenticated, absfin.TokenExpired).Err()
	l := &log{newest: 4}
	l.attempt = func(_ int, send func(uint64) error) error {
		if err := l.rest(send, 2); err != nil {
			return err
		}
		return expired
	}
	if sequences, _, err := read(t, l.serve(t), l.newest); err != nil || len(sequences) != 4 {
		t.Error(sequences, err)
	}
	always := connect(t, serve(t, func(*grpc.Server) {}, grpc.UnknownServiceHandler(
		func(any, grpc.ServerStream) error { return expired })))
	if _, _, err := read(t, always, 1); !errors.Is(err, absfin.TokenExpired) {
		t.Error(err)
	}
}

func TestPatienceEnds(t *testing.T) {
	client := connect(t, serve(t, func(*grpc.Server) {}, grpc.UnknownServiceHandler(
		func(any, grpc.ServerStream) error { return status.Error(codes.Unavailable, "away") },
	)), absfin.WithPatience(time.Second))
	begun := time.Now()
	_, _, err := read(t, client, 1)
	if status.Code(err) != codes.Unavailable || time.Since(begun) < time.Second || time.Since(begun) > 20*time.Second {
		t.Error(time.Since(begun), err)
	}
}

func TestAReaderThatLeavesEndsTheStream(t *testing.T) {
	l := &log{newest: 2, left: make(chan struct{}, 1)}
	l.attempt = func(_ int, send func(uint64) error) error { return l.rest(send, 2) }
	if _, _, err := read(t, l.serve(t), 1); err != nil {
		t.Fatal(err)
	}
	select {
	case <-l.left:
	case <-time.After(60 * time.Second):
		t.Error("the stream goes on")
	}
}

func TestTheEndOfTheContextIsTheLastError(t *testing.T) {
	l := &log{newest: 1, left: make(chan struct{}, 1)}
	l.attempt = func(_ int, send func(uint64) error) error { return l.rest(send, 1) }
	client := l.serve(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for event, err := range client.WatchEvents(ctx, &absfinancev1.WatchEventsRequest{}) {
		if last = err; err == nil && event.GetSignal() != nil {
			cancel()
		}
	}
	if !errors.Is(last, context.Canceled) {
		t.Error(last)
	}
}

func (l *log) BacktestProgress(request *absfinancev1.BacktestProgressRequest, stream grpc.ServerStreamingServer[absfinancev1.BacktestProgressResponse]) error {
	if request.GetAfterSequence() == 0 {
		tick := &absfinancev1.BacktestProgressResponse{Sequence: 5, Epoch: "e1"}
		tick.Event = &absfinancev1.BacktestProgressResponse_Tick_{Tick: &absfinancev1.BacktestProgressResponse_Tick{}}
		if err := stream.Send(tick); err != nil {
			return err
		}
		return status.Error(codes.Unavailable, "cut")
	}
	end := &absfinancev1.BacktestProgressResponse{Sequence: 6, Epoch: "e1"}
	end.Event = &absfinancev1.BacktestProgressResponse_Finished_{Finished: &absfinancev1.BacktestProgressResponse_Finished{}}
	if err := stream.Send(end); err != nil {
		return err
	}
	<-stream.Context().Done() // only the client ends it
	return nil
}

func TestABacktestEndsWithItsLastEvent(t *testing.T) {
	var sequences []uint64
	client := (&log{}).serve(t)
	for event, err := range client.WatchBacktest(t.Context(), &absfinancev1.BacktestProgressRequest{Backtest: "backtests/x"}) {
		if err != nil {
			t.Fatal(err)
		}
		sequences = append(sequences, event.GetSequence())
	}
	if !slices.Equal(sequences, []uint64{5, 6}) {
		t.Error(sequences)
	}
}
