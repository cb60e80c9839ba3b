// Command backtest starts a backtest of simulated prices, follows it live, and reads its curve.
// Argument: the address of the server.
package main

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"os/signal"
	"time"

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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, client); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, client *absfin.Client) error {
	prices, err := simulated(10, 3000).Proto()
	if err != nil {
		return err
	}
	job, err := client.Backtests.Backtest(ctx, &absfinancev1.BacktestRequest{
		Input: &absfinancev1.BacktestRequest_Prices{Prices: prices},
		Strategy: &absfinancev1.Strategy{Kind: &absfinancev1.Strategy_Optimize{Optimize: &absfinancev1.OptimizeSpec{
			Objective:       &absfinancev1.Objective{Kind: &absfinancev1.Objective_MinRisk{MinRisk: &absfinancev1.MinRisk{}}},
			LookbackPeriods: proto.Uint32(100),
		}}},
		Rebalancing: &absfinancev1.Rebalancing{Schedule: &absfinancev1.Rebalancing_EveryPeriods_{
			EveryPeriods: &absfinancev1.Rebalancing_EveryPeriods{N: 1},
		}},
		Costs: &absfinancev1.CostModel{CommissionBps: proto.Float64(5)},
	})
	if err != nil {
		return err
	}
	// It resumes by itself where the connection breaks; the end of the context ends the watch and not the job.
	for event, err := range client.WatchBacktest(ctx, &absfinancev1.BacktestProgressRequest{Backtest: job.GetName()}) {
		if err != nil {
			return err
		}
		if tick := event.GetTick(); tick != nil {
			fmt.Printf("%3.0f %%, net asset value %.4f\n", 100*tick.GetFraction(), tick.GetNav())
		} else if milestone := event.GetMilestone(); milestone != nil {
			fmt.Println(milestone.GetMessage())
		} else if finished := event.GetFinished(); finished.GetError() != nil {
			return absfin.ErrorOf(finished.GetError())
		}
	}
	equity, err := client.BacktestSeries(ctx, &absfinancev1.GetBacktestSeriesRequest{
		Name: job.GetName(), Series: absfinancev1.BacktestSeries_BACKTEST_SERIES_EQUITY,
	})
	if err != nil {
		return err
	}
	last := len(equity.Dates) - 1
	fmt.Printf("1 has become %.4f on %s\n", equity.Values[last][0], equity.Dates[last].Format(time.DateOnly))
	return nil
}

// simulated has prices of independent assets, the same every time.
func simulated(assets, dates int) *absfin.Panel {
	random := rand.New(rand.NewPCG(1, 2))
	panel := &absfin.Panel{}
	latest := make([]float64, assets)
	for i := range latest {
		panel.Symbols = append(panel.Symbols, fmt.Sprintf("S%d", i))
		latest[i] = 100
	}
	for day := range int32(dates) {
		for i := range latest {
			latest[i] *= 1 + 0.0003 + 0.01*random.NormFloat64()
		}
		panel.Dates = append(panel.Dates, absfin.Date(day))
		panel.Values = append(panel.Values, append([]float64(nil), latest...))
	}
	return panel
}
