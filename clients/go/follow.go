package absfin

import (
	"context"
	"errors"
	"io"
	"iter"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	absfinancev1 "example.com/abs-finance/clients/go/absfinance/v1"
)

const (
	firstWait   = 100 * time.Millisecond
	longestWait = 2 * time.Second
)

// WatchBacktest follows a job: a snapshot, then ticks and milestones, and `finished` last. A job that failed is
// finished with an error, which is no error of the iteration.
//
// When the connection breaks or the server restarts, it resumes after the last event: none is repeated, and no milestone
// is lost. Heartbeats and the snapshots of later attempts are left out. An error is the last thing it yields: of the
// context, of a call that another attempt cannot help, or of the last attempt once the patience of the client has ended.
// [EpochChanged] and [EventsCompacted] mean that the events after the last one are gone: follow again from sequence 0
// with an empty epoch.
//
// Events wait for a slow reader: set min_interval of the request to the reader's own pace. The request may have the
// sequence and the epoch of the last event that an earlier watch has yielded.
func (c *Client) WatchBacktest(
	ctx context.Context, request *absfinancev1.BacktestProgressRequest,
) iter.Seq2[*absfinancev1.BacktestProgressResponse, error] {
	next := proto.CloneOf(request)
	return follow(ctx, c.patience, position{next.GetAfterSequence(), next.GetEpoch()}, progressKind,
		func(ctx context.Context, at position) (receiver[*absfinancev1.BacktestProgressResponse], error) {
			next.AfterSequence, next.Epoch = at.sequence, at.epoch
			return c.Backtests.BacktestProgress(ctx, next)
		})
}

// WatchEvents follows signals, notifications and results of recomputation until the context ends, and resumes as
// [Client.WatchBacktest] does: a snapshot first, no event lost or repeated.
func (c *Client) WatchEvents(
	ctx context.Context, request *absfinancev1.WatchEventsRequest,
) iter.Seq2[*absfinancev1.WatchEventsResponse, error] {
	next := proto.CloneOf(request)
	return follow(ctx, c.patience, position{next.GetAfterSequence(), next.GetEpoch()}, eventKind,
		func(ctx context.Context, at position) (receiver[*absfinancev1.WatchEventsResponse], error) {
			next.AfterSequence, next.Epoch = at.sequence, at.epoch
			return c.Events.WatchEvents(ctx, next)
		})
}

type kind int

const (
	ordinary kind = iota
	snapshot
	heartbeat
	last
)

func progressKind(event *absfinancev1.BacktestProgressResponse) kind {
	switch {
	case event.GetSnapshot() != nil:
		return snapshot
	case event.GetHeartbeat() != nil:
		return heartbeat
	case event.GetFinished() != nil:
		return last
	}
	return ordinary
}

func eventKind(event *absfinancev1.WatchEventsResponse) kind {
	switch {
	case event.GetSnapshot() != nil:
		return snapshot
	case event.GetHeartbeat() != nil:
		return heartbeat
	}
	return ordinary
}

// position is the last event that was received; its zero value is before all of them.
type position struct {
	sequence uint64
	epoch    string
}

type envelope interface {
	GetSequence() uint64
	GetEpoch() string
}

type receiver[E any] interface{ Recv() (E, error) }

// follower is the state of a stream over its attempts.
type follower[E envelope] struct {
	at       position
	kindOf   func(E) kind
	open     func(context.Context, position) (receiver[E], error)
	patience time.Duration
	heard    time.Time // when the last message came, or the stream began
	wait     time.Duration
	started  bool // whether the snapshot was yielded
	answered bool // whether this attempt has brought anything
}

func follow[E envelope](
	ctx context.Context, patience time.Duration, at position, kindOf func(E) kind,
	open func(context.Context, position) (receiver[E], error),
) iter.Seq2[E, error] {
	return func(yield func(E, error) bool) {
		f := &follower[E]{at: at, kindOf: kindOf, open: open, patience: patience, heard: time.Now(), wait: firstWait}
		for {
			failure, over := f.attempt(ctx, yield)
			if over {
				return
			}
			if err := f.pause(ctx, failure); err != nil {
				var none E
				yield(none, err)
				return
			}
		}
	}
}

// attempt reads one stream. It returns why the stream ended, and whether the iteration is over.
func (f *follower[E]) attempt(ctx context.Context, yield func(E, error) bool) (error, bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // the server ends the stream of a reader that left
	f.answered = false
	stream, err := f.open(ctx, f.at)
	if err != nil {
		return err, false
	}
	for {
		event, err := stream.Recv()
		if err != nil {
			return err, false
		}
		f.heard, f.wait, f.answered = time.Now(), firstWait, true
		found := f.kindOf(event)
		if !f.take(event, found) {
			continue
		}
		if !yield(event, nil) || found == last {
			return nil, true
		}
		f.heard = time.Now() // the time of the reader is not silence of the server
	}
}

// take notes where the stream is, and says whether the event is one for the reader.
func (f *follower[E]) take(event E, found kind) bool {
	f.at.epoch = event.GetEpoch()
	if found == snapshot {
		first := !f.started
		f.started = true
		return first
	}
	if event.GetSequence() <= f.at.sequence {
		return false
	}
	// A heartbeat has the place up to which everything was sent, also what a filter leaves out.
	f.at.sequence = event.GetSequence()
	return found != heartbeat
}

// pause waits until the next attempt, or returns the error that ends the iteration.
func (f *follower[E]) pause(ctx context.Context, failure error) error {
	if ctx.Err() != nil {
		return typed(contextStatus(ctx.Err()))
	}
	if !f.resumable(failure) || time.Since(f.heard) > f.patience {
		if errors.Is(failure, io.EOF) {
			return errors.New("the server ended the stream before its last event, and did not send it again")
		}
		return failure
	}
	// Jitter spreads the attempts of many clients.
	wait := time.Duration(float64(f.wait) * (0.5 + 0.5*rand.Float64()))
	f.wait = min(2*f.wait, longestWait)
	var refusal *Error
	if errors.As(failure, &refusal) {
		wait = max(wait, min(refusal.RetryAfter, f.patience))
	}
	select {
	case <-ctx.Done():
		return typed(contextStatus(ctx.Err()))
	case <-time.After(wait):
		return nil
	}
}

func (f *follower[E]) resumable(failure error) bool {
	var refusal *Error
	if !errors.As(failure, &refusal) {
		return errors.Is(failure, io.EOF)
	}
	switch refusal.Reason {
	case TokenExpired: // it ended while the stream was read; the next attempt sends the current one
		return f.answered
	case Overloaded:
		return true
	}
	switch refusal.Code {
	case codes.Unavailable, codes.Canceled, codes.Unknown:
		return true
	case codes.Internal: // a connection that is cut can be read as a broken message; the server itself gives a reason
		return refusal.Reason == ""
	}
	return false
}
