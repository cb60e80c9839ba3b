// Package client is what a caller writes.
package client

import (
	"context"

	"google.golang.org/grpc"

	absfinancev1 "example.com/abs-finance/clients/go/absfinance/v1"
)

// MinimumVariance returns the portfolio of two assets with the least variance.
func MinimumVariance(ctx context.Context, connection grpc.ClientConnInterface) (*absfinancev1.Optimization, error) {
	periods := 12.0
	return absfinancev1.NewOptimizationServiceClient(connection).Optimize(ctx, &absfinancev1.OptimizeRequest{
		Input: &absfinancev1.OptimizeRequest_Moments{Moments: &absfinancev1.Moments{
			Symbols:        []string{"A", "B"},
			Covariance:     []float64{0.04, 0.01, 0.01, 0.09},
			PeriodsPerYear: &periods,
		}},
		Objective: &absfinancev1.Objective{Kind: &absfinancev1.Objective_MinRisk{MinRisk: &absfinancev1.MinRisk{}}},
	})
}
