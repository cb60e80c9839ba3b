// Command reallocate lists the trades from a portfolio to target weights, and what could not be traded.
// Argument: the address of the server.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"google.golang.org/protobuf/proto"

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
	if err := run(context.Background(), client); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, client *absfin.Client) error {
	answer, err := client.Reallocation.Reallocate(ctx, &absfinancev1.ReallocateRequest{
		PortfolioSource: &absfinancev1.ReallocateRequest_Portfolio{Portfolio: &absfinancev1.Portfolio{
			Currency: "USD",
			Holdings: []*absfinancev1.Holding{{Symbol: "AAPL", Quantity: 100}},
			Cash:     proto.Float64(600),
		}},
		Market: &absfinancev1.ReallocateRequest_Snapshot{Snapshot: &absfinancev1.MarketSnapshot{
			Assets: []*absfinancev1.MarketSnapshot_Asset{
				{Symbol: "AAPL", Price: 125, AverageDailyVolume: proto.Float64(1_000_000)},
				{Symbol: "XOM", Price: 106, SpreadBps: proto.Float64(2)},
			},
		}},
		Target: &absfinancev1.ReallocateRequest_TargetWeights{TargetWeights: &absfinancev1.TargetWeights{
			Weights: []*absfinancev1.AssetWeight{
				{Symbol: "AAPL", Weight: proto.Float64(0.5)},
				{Symbol: "XOM", Weight: proto.Float64(0.5)},
			},
		}},
		Limits: &absfinancev1.ReallocationLimits{CashFloor: proto.Float64(100)},
		Costs:  &absfinancev1.CostModel{CommissionBps: proto.Float64(5)},
	})
	if err != nil {
		return err
	}
	for _, trade := range answer.GetPlan().GetTrades() {
		fmt.Printf("%d. %+g %s at %.2f, then %.2f in cash\n",
			trade.GetStep(), trade.GetQuantity(), trade.GetSymbol(), trade.GetPrice(), trade.GetCashAfter())
	}
	for _, shortfall := range answer.GetShortfalls() {
		fmt.Printf("%s: %.2f wanted, %g planned\n",
			shortfall.GetSymbol(), shortfall.GetRequested(), shortfall.GetPlanned())
	}
	return nil
}
