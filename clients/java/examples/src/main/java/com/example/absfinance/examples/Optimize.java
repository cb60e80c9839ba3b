package com.example.absfinance.examples;

import com.example.absfinance.AbsFinanceClient;
import com.example.absfinance.v1.Constraint;
import com.example.absfinance.v1.MaxRatio;
import com.example.absfinance.v1.Objective;
import com.example.absfinance.v1.Optimization;
import com.example.absfinance.v1.OptimizeRequest;
import com.example.absfinance.v1.WeightBounds;

/** Finds the weights with the highest Sharpe ratio under an upper bound. Argument: the address of a server. */
public final class Optimize {
  private Optimize() {}

  /** Prints weights, return and volatility. */
  public static void main(String[] args) {
    Constraint caps =
        Constraint.newBuilder().setLabel("caps").setWeightBounds(WeightBounds.newBuilder().setUpper(0.6)).build();
    OptimizeRequest request =
        OptimizeRequest.newBuilder()
            .setPrices(SampleMarket.prices(750).toPanel())
            .setPeriodsPerYear(365)
            .setObjective(Objective.newBuilder().setMaxRatio(MaxRatio.getDefaultInstance()))
            .addConstraints(caps)
            .build();
    try (AbsFinanceClient client = AbsFinanceClient.connect(args.length > 0 ? args[0] : "127.0.0.1:50051")) {
      Optimization found = client.optimize(request);
      found.getWeightsList().forEach(one -> System.out.printf("%s %.1f%%%n", one.getSymbol(), 100 * one.getWeight()));
      System.out.printf(
          "return %.2f%% a year, volatility %.2f%%%n",
          100 * found.getExpectedReturnAnnual(), 100 * found.getVolatilityAnnual());
    }
  }
}
