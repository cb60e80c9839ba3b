// Command events prints signals, notifications and recomputations as they happen, until it is interrupted.
// Argument: the address of the server.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/signal"

	absfin "example.com/abs-finance/clients/go"
	absfinancev1 "example.com/abs-finance/clients/go/absfinance/v1"
)

func main() {
	log.SetFlags(0)
	target := absfin.DefaultTarget
	if len(os.Args) > 1 {
		target = os.Args[1]
	}
	client, err := absfin.Connect(target)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, client); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, client *absfin.Client) error {
	request := &absfinancev1.WatchEventsRequest{MinSeverity: absfinancev1.Severity_SEVERITY_INFO}
	for event, err := range client.WatchEvents(ctx, request) {
		switch {
		case errors.Is(err, context.Canceled):
			return nil
		case errors.Is(err, absfin.EventsCompacted), errors.Is(err, absfin.EpochChanged):
			return fmt.Errorf("some events are gone; start again from the oldest: %w", err)
		case err != nil:
			return err
		}
		switch {
		case event.GetSnapshot() != nil:
			fmt.Printf("the newest event is %d\n", event.GetSnapshot().GetNewestSequence())
		case event.GetSignal() != nil:
			signal := event.GetSignal()
			fmt.Printf("%d %s %s: %s\n", event.GetSequence(), signal.GetSeverity(), signal.GetKind(), signal.GetMessage())
		case event.GetNotification() != nil:
			notification := event.GetNotification()
			fmt.Printf("%d %s is %s\n", event.GetSequence(), notification.GetName(), notification.GetState())
		case event.GetRecomputation() != nil:
			recomputation := event.GetRecomputation()
			fmt.Printf("%d %s: %s\n", event.GetSequence(), recomputation.GetPortfolio(), recomputation.GetResult())
		}
	}
	return nil
}
