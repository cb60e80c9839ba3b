package com.example.absfinance.examples;

import com.example.absfinance.AbsFinanceClient;
import com.example.absfinance.EventStream;
import com.example.absfinance.Table;
import com.example.absfinance.v1.BacktestProgressResponse;
import com.example.absfinance.v1.BacktestRequest;
import com.example.absfinance.v1.BacktestSeries;
import com.example.absfinance.v1.GetBacktestSeriesRequest;
import com.example.absfinance.v1.MinRisk;
import com.example.absfinance.v1.Objective;
import com.example.absfinance.v1.OptimizeSpec;
import com.example.absfinance.v1.Rebalancing;
import com.example.absfinance.v1.Strategy;

/** Follows a backtest live, and reads its drawdowns. Argument: the address of a server. */
public final class WatchBacktest {
  private static final Rebalancing.EveryPeriods EVERY_DAY = Rebalancing.EveryPeriods.newBuilder().setN(1).build();

  private WatchBacktest() {}

  /** Prints progress, milestones and the largest drawdown. */
  public static void main(String[] args) {
    OptimizeSpec leastRisk =
        OptimizeSpec.newBuilder()
            .setObjective(Objective.newBuilder().setMinRisk(MinRisk.getDefaultInstance()))
            .setLookbackPeriods(100)
            .build();
    BacktestRequest request =
        BacktestRequest.newBuilder()
            .setPrices(SampleMarket.prices(1000).toPanel())
            .setPeriodsPerYear(365)
            .setStrategy(Strategy.newBuilder().setLabel("least risk").setOptimize(leastRisk))
            .setRebalancing(Rebalancing.newBuilder().setEveryPeriods(EVERY_DAY))
            .build();
    try (AbsFinanceClient client = AbsFinanceClient.connect(args.length > 0 ? args[0] : "127.0.0.1:50051")) {
      String name = client.backtest(request).getName();
      // The stream resumes by itself after a broken connection or a restart of the server.
      try (EventStream<BacktestProgressResponse> events = client.watchBacktest(name)) {
        events.forEachRemaining(WatchBacktest::print);
      }
      Table drawdowns =
          client.backtestSeries(
              GetBacktestSeriesRequest.newBuilder()
                  .setName(name)
                  .setSeries(BacktestSeries.BACKTEST_SERIES_DRAWDOWN)
                  .build());
      double largest = 0;
      for (double drawdown : drawdowns.column("value")) {
        largest = Math.max(largest, Math.abs(drawdown));
      }
      System.out.printf("largest drawdown %.1f%% in %d days%n", 100 * largest, drawdowns.dates().size());
    }
  }

  private static void print(BacktestProgressResponse event) {
    switch (event.getEventCase()) {
      case TICK -> System.out.printf("%3.0f%%, %.3f%n", 100 * event.getTick().getFraction(), event.getTick().getNav());
      case MILESTONE -> System.out.println(event.getMilestone().getMessage());
      case FINISHED -> System.out.println(event.getFinished().getState());
      default -> { } // a snapshot says where the job stood
    }
  }
}
