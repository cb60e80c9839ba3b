// Command conflict sends constraints that cannot hold together, reads which they are, and relaxes one.
// Argument: the address of the server.
package main

import (
	"context"
	"errors"
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
	caps := &absfinancev1.WeightBounds{Upper: proto.Float64(0.4)}
	request := &absfinancev1.OptimizeRequest{
		Input: &absfinancev1.OptimizeRequest_Moments{Moments: &absfinancev1.Moments{
			Symbols:        []string{"A", "B"},
			Covariance:     []float64{0.04, 0.01, 0.01, 0.09},
			PeriodsPerYear: proto.Float64(12),
		}},
		Objective: &absfinancev1.Objective{Kind: &absfinancev1.Objective_MinRisk{MinRisk: &absfinancev1.MinRisk{}}},
		Constraints: []*absfinancev1.Constraint{{
			Label: "caps", Kind: &absfinancev1.Constraint_WeightBounds{WeightBounds: caps},
		}},
	}
	_, err := client.Optimization.Optimize(ctx, request)
	var refusal *absfin.Error
	if !errors.Is(err, absfin.ProblemInfeasible) || !errors.As(err, &refusal) {
		return fmt.Errorf("there should be a conflict: %w", err)
	}
	fmt.Println(refusal.Message)
	for _, conflict := range refusal.Conflicts {
		fmt.Printf("%s: relaxed by %.2f alone, the rest can hold\n", conflict.GetLabel(), conflict.GetSmallestRelaxation())
		if conflict.GetLabel() == "caps" {
			// A little more than the least: a limit that only just holds leaves nothing to choose.
			caps.Upper = proto.Float64(caps.GetUpper() + conflict.GetSmallestRelaxation() + 0.1)
		}
	}
	answer, err := client.Optimization.Optimize(ctx, request)
	if err != nil {
		return err
	}
	fmt.Printf("with caps of %.2f:", caps.GetUpper())
	for _, entry := range answer.GetWeights() {
		fmt.Printf(" %s %.2f", entry.GetSymbol(), entry.GetWeight())
	}
	fmt.Println()
	return nil
}
