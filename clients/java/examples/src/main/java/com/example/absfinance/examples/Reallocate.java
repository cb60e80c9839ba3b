package com.example.absfinance.examples;

import com.example.absfinance.AbsFinanceClient;
import com.example.absfinance.v1.AssetWeight;
import com.example.absfinance.v1.Holding;
import com.example.absfinance.v1.MarketSnapshot;
import com.example.absfinance.v1.Portfolio;
import com.example.absfinance.v1.ReallocateRequest;
import com.example.absfinance.v1.Reallocation;
import com.example.absfinance.v1.TargetWeights;

/** Lists the trades that take a portfolio to its target weights. Argument: the address of a server. */
public final class Reallocate {
  private Reallocate() {}

  /** Prints each trade, and what all of them cost. */
  public static void main(String[] args) {
    ReallocateRequest request =
        ReallocateRequest.newBuilder()
            .setPortfolio(
                Portfolio.newBuilder()
                    .setCurrency("USD")
                    .setCash(600)
                    .addHoldings(Holding.newBuilder().setSymbol("AAPL").setQuantity(100)))
            .setSnapshot(MarketSnapshot.newBuilder().addAssets(quote("AAPL", 125)).addAssets(quote("XOM", 106)))
            .setTargetWeights(TargetWeights.newBuilder().addWeights(half("AAPL")).addWeights(half("XOM")))
            .build();
    try (AbsFinanceClient client = AbsFinanceClient.connect(args.length > 0 ? args[0] : "127.0.0.1:50051")) {
      Reallocation answer = client.reallocate(request);
      answer.getPlan().getTradesList().forEach(
          trade -> System.out.printf(
              "%d. %s %.0f %s at %.2f, then %.2f in cash%n",
              trade.getStep(),
              trade.getQuantity() < 0 ? "sell" : "buy",
              Math.abs(trade.getQuantity()),
              trade.getSymbol(),
              trade.getPrice(),
              trade.getCashAfter()));
      System.out.printf("turnover %.1f%%%n", 100 * answer.getSummary().getTurnoverOneWay());
    }
  }

  private static MarketSnapshot.Asset quote(String symbol, double price) {
    return MarketSnapshot.Asset.newBuilder().setSymbol(symbol).setPrice(price).build();
  }

  private static AssetWeight half(String symbol) {
    return AssetWeight.newBuilder().setSymbol(symbol).setWeight(0.5).build();
  }
}
