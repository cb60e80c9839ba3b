// Starts a backtest of ten assets with simulated prices and follows it live. Argument: address of the server.
import { connect, errorFromStatus, Panel } from "@abs-finance/client";

const SYMBOLS = Array.from({ length: 10 }, (_, index) => `S${index}`);
const DATES = 3000;

const client = connect(process.argv[2]);
const job = await client.backtests.backtest({
  input: { case: "prices", value: simulatedPrices().toMessage() },
  strategy: {
    label: "least variance",
    kind: { case: "optimize", value: { objective: { kind: { case: "minRisk", value: {} } }, lookbackPeriods: 100 } },
  },
  rebalancing: { schedule: { case: "everyPeriods", value: { n: 1 } } },
});

for await (const { event } of client.watchBacktest(job.name)) {
  if (event.case === "tick") {
    const { fraction = 0, nav = 1 } = event.value;
    console.log(`${(100 * fraction).toFixed(0)} %: net asset value ${nav.toFixed(4)}`);
  } else if (event.case === "milestone") {
    console.log(`milestone: ${event.value.message || event.value.label}`);
  } else if (event.case === "finished" && event.value.outcome.case === "error") {
    throw errorFromStatus(event.value.outcome.value);
  }
}

const { result } = await client.backtests.getBacktest({ name: job.name });
const equity = await client.backtestSeries({ name: job.name, series: 1 });
console.log(`finished: net asset value ${result?.finalNav?.toFixed(4)} after ${equity.dates.length} dates`);
client.close();

/** Prices of a random walk, the same at each run. */
function simulatedPrices() {
  let state = 1;
  const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
  const prices = SYMBOLS.map(() => 100);
  const rows = Array.from({ length: DATES }, () =>
    prices.map((price, index) => (prices[index] = price * (1.0002 + 0.02 * (random() - 0.5)))),
  );
  return Panel.of(SYMBOLS, rows.keys(), rows);
}
