// Lists the trades that take a portfolio to target weights, at given prices and costs. Argument: address of the server.
import { connect } from "@abs-finance/client";

const client = connect(process.argv[2]);
const { outcome, summary } = await client.reallocation.reallocate({
  portfolioSource: {
    case: "portfolio",
    value: { holdings: [{ symbol: "A", quantity: 120 }, { symbol: "B", quantity: 40 }], cash: 2500 },
  },
  market: { case: "snapshot", value: { assets: [{ symbol: "A", price: 50 }, { symbol: "B", price: 100 }] } },
  target: {
    case: "targetWeights",
    value: { weights: [{ symbol: "A", weight: 0.4 }, { symbol: "B", weight: 0.55 }] },
  },
  costs: { commissionBps: 5 },
});
client.close();

if (outcome.case === "plan") {
  for (const { step, symbol, quantity = 0, price, cashAfter } of outcome.value.trades) {
    const trade = quantity < 0 ? "sell" : "buy";
    console.log(`${step}. ${trade} ${Math.abs(quantity)} ${symbol} at ${price}, then ${cashAfter?.toFixed(2)} in cash`);
  }
  console.log(`costs ${summary?.cost?.toFixed(2)}, turnover ${(100 * (summary?.turnoverOneWay ?? 0)).toFixed(1)} %`);
} else {
  console.log(outcome.case === "failure" ? `no plan: ${outcome.value.message}` : "no trade is needed");
}
