package absfin

import (
	"testing"

	absfinancev1 "example.com/abs-finance/clients/go/absfinance/v1"
)

func TestAHeartbeatMovesThePlaceAndIsNotForTheReader(t *testing.T) {
	f := &follower[*absfinancev1.WatchEventsResponse]{at: position{sequence: 7}, kindOf: eventKind}
	heartbeat := func(sequence uint64) *absfinancev1.WatchEventsResponse {
		return &absfinancev1.WatchEventsResponse{
			Sequence: sequence,
			Event:    &absfinancev1.WatchEventsResponse_Heartbeat_{Heartbeat: &absfinancev1.WatchEventsResponse_Heartbeat{}},
		}
	}
	for _, sequence := range []uint64{90, 0} {
		event := heartbeat(sequence)
		if f.take(event, eventKind(event)) || f.at.sequence != 90 {
			t.Fatalf("after a heartbeat of %d the place is %d", sequence, f.at.sequence)
		}
	}
}
