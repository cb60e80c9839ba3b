// Calls through the entry of the browser, by each protocol. Argument: JSON of the address.
import { AbsFinanceError, connect, InfeasibleProblem } from "@abs-finance/client/web";

const { url } = JSON.parse(process.argv[2]);
const moments = { symbols: ["A", "B"], expectedReturns: [0.01, 0.02], covariance: [0.04, 0.01, 0.01, 0.09], periodsPerYear: 12 };
const problem = {
  input: { case: "moments", value: moments },
  objective: { kind: { case: "minRisk", value: {} } },
};
const caps = { label: "caps", kind: { case: "weightBounds", value: { lower: 0, upper: 0.4 } } };

const found = {};
for (const [name, options] of Object.entries({ binary: {}, json: { json: true }, web: { protocol: "grpc-web" } })) {
  const client = connect(url, options);
  const { weights } = await client.optimization.optimize(problem);
  const conflict = await client.optimization.optimize({ ...problem, constraints: [caps] }).catch((error) => error);
  const nothing = await client.backtests.getBacktest({ name: "backtests/none" }).catch((error) => error);
  found[name] = {
    weights: weights.map(({ weight }) => Number(weight.toFixed(6))),
    conflict: conflict instanceof InfeasibleProblem && conflict.conflicts[0].label,
    nothing: nothing instanceof AbsFinanceError && nothing.reason,
    signals: await signals(client),
  };
}
console.log(JSON.stringify(found));

/** The first signal that is retained, from a stream that is left then. */
async function signals(client) {
  for await (const { event } of client.watchEvents()) {
    if (event.case === "signal") return event.value.message;
  }
}
