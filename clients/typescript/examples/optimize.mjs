// Optimises weights from expected returns and a covariance of your own. Argument: address of the server.
import { connect } from "@abs-finance/client";

const client = connect(process.argv[2]);
const answer = await client.optimization.optimize({
  input: {
    case: "moments",
    value: {
      symbols: ["stocks", "bonds", "gold"],
      expectedReturns: [0.006, 0.002, 0.003], // per month
      covariance: [0.0016, 0.0001, 0.0002, 0.0001, 0.0002, 0.00005, 0.0002, 0.00005, 0.0012], // row by row
      periodsPerYear: 12,
    },
  },
  objective: { kind: { case: "maxRatio", value: { riskFreeRateAnnual: 0.01 } } },
  constraints: [{ label: "caps", kind: { case: "weightBounds", value: { upper: 0.6 } } }],
});
client.close();

for (const { symbol, weight } of answer.weights) {
  console.log(`${symbol} ${percent(weight)}`);
}
console.log(`return ${percent(answer.expectedReturnAnnual)}, volatility ${percent(answer.volatilityAnnual)} a year`);

/** @param {number | undefined} fraction */
function percent(fraction) {
  return fraction === undefined ? "unknown" : `${(100 * fraction).toFixed(1)} %`;
}
