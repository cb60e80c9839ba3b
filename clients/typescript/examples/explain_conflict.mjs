// Says which constraints cannot hold together and how far to relax them, then relaxes one. Argument: address.
import { connect, InfeasibleProblem } from "@abs-finance/client";

const client = connect(process.argv[2]);
try {
  await leastRisk(0.6);
} catch (error) {
  if (!(error instanceof InfeasibleProblem)) throw error;
  console.log(error.message);
  for (const { label, smallestRelaxation } of error.conflicts) {
    const enough = smallestRelaxation === undefined ? "cannot resolve it alone" : `relax by ${smallestRelaxation.toFixed(4)}`;
    console.log(`  ${label}: ${enough}`);
  }
  const change = error.conflicts.find(({ label }) => label === "caps")?.smallestRelaxation ?? 0;
  const answer = await leastRisk(0.6 + change + 1e-6);
  console.log(answer.weights.map(({ symbol, weight = 0 }) => `${symbol} ${weight.toFixed(4)}`).join(", "));
} finally {
  client.close();
}

/** @param {number} upper upper bound on each weight */
function leastRisk(upper) {
  return client.optimization.optimize({
    input: {
      case: "moments",
      value: {
        symbols: ["A", "B"],
        expectedReturns: [0.01, 0.02],
        covariance: [0.04, 0.01, 0.01, 0.09],
        periodsPerYear: 12,
      },
    },
    objective: { kind: { case: "minRisk", value: {} } },
    constraints: [
      { label: "caps", kind: { case: "weightBounds", value: { upper } } },
      { label: "floor", kind: { case: "returnFloor", value: { minReturnAnnual: 0.2 } } },
    ],
  });
}
