// Command optimize finds the portfolio of two assets with the highest Sharpe ratio.
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
	answer, err := client.Optimization.Optimize(ctx, &absfinancev1.OptimizeRequest{
		Input: &absfinancev1.OptimizeRequest_Moments{Moments: &absfinancev1.Moments{
			Symbols:         []string{"A", "B"},
			ExpectedReturns: []float64{0.01, 0.02},
			Covariance:      []float64{0.04, 0.01, 0.01, 0.09},
			PeriodsPerYear:  proto.Float64(12),
		}},
		Objective: &absfinancev1.Objective{Kind: &absfinancev1.Objective_MaxRatio{
			MaxRatio: &absfinancev1.MaxRatio{RiskFreeRateAnnual: 0},
		}},
		Constraints: []*absfinancev1.Constraint{{
			Label: "caps",
			Kind: &absfinancev1.Constraint_WeightBounds{
				WeightBounds: &absfinancev1.WeightBounds{Upper: proto.Float64(0.6)},
			},
		}},
	})
	if err != nil {
		return err
	}
	for _, entry := range answer.GetWeights() {
		fmt.Printf("%s %.1f %%\n", entry.GetSymbol(), 100*entry.GetWeight())
	}
	fmt.Printf("return %.3f and volatility %.3f a year, solved by %s\n",
		answer.GetExpectedReturnAnnual(), answer.GetVolatilityAnnual(), answer.GetCertificate().GetSolver())
	return nil
}
