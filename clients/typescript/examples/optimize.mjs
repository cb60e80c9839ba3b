// Optimises weights from expected returns and a covariance of your own. Argument: address of the server.
import { connect } from "@abs-finance/client";

const client = connect(process.argv[2]);
const answer = await client.optimization.optimize({
  input: {
    case: "moments",
    value: {
      symbols: ["stocks", "bonds", "gold"],
      expectedReturns: [0.006, 0.002, 0.003], // a month
      covariance: [0.0016, 0.0001, 0.0002, 0.0001, 0.0002, 0.00005, 0.0002, 0.00005, 0.0012], // row by row
      periodsPerYear: 12,
    },
  },
  spec: {
    objective: { kind: { case: "maxRatio", value: {} } },
    constraints: [{ label: "caps", kind: { case: "weightBounds", value: { upper: 0.6 } } }],
  },
});

for (const { symbol, weight } of answer.weights) {
  console.log(`${symbol}: ${(100 * weight).toFixed(1)} %`);
}
console.log(`return ${(100 * (answer.expectedReturnAnnual ?? 0)).toFixed(2)} % a year`);
console.log(`volatility ${(100 * (answer.volatilityAnnual ?? 0)).toFixed(2)} % a year`);
client.close();
