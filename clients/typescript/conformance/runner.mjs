// Runs the conformance cases against a server and prints one JSON line for each.
// Arguments: --address HOST:PORT --cases FILE [--only ID]. Exit code 0 if all are ok, 1 otherwise.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

import { createRegistry, fromJson, toJson } from "@bufbuild/protobuf";

import { AbsFinanceError, Code, connect, InfeasibleProblem, InvalidInput } from "@abs-finance/client";
import { file_google_rpc_error_details as errorDetails } from "@abs-finance/client/google/rpc/error_details";
import { file_absfinance_v1_admin_service as admin } from "@abs-finance/client/v1/admin_service";
import { BacktestState } from "@abs-finance/client/v1/backtest";
import {
  BacktestRequestSchema,
  file_absfinance_v1_backtest_service as backtests,
} from "@abs-finance/client/v1/backtest_service";
import { file_absfinance_v1_event_service as events } from "@abs-finance/client/v1/event_service";
import { file_absfinance_v1_liquidity_service as liquidity } from "@abs-finance/client/v1/liquidity_service";
import { file_absfinance_v1_market_data_service as marketData } from "@abs-finance/client/v1/market_data_service";
import { file_absfinance_v1_optimization_service as optimization } from "@abs-finance/client/v1/optimization_service";
import { file_absfinance_v1_portfolio_service as portfolios } from "@abs-finance/client/v1/portfolio_service";
import { file_absfinance_v1_reallocation_service as reallocation } from "@abs-finance/client/v1/reallocation_service";
import { file_absfinance_v1_risk_service as risk } from "@abs-finance/client/v1/risk_service";

const registry = createRegistry(
  errorDetails, admin, backtests, events, liquidity, marketData, optimization, portfolios, reallocation, risk,
);
const SERVICES = {
  AdminService: "admin",
  BacktestService: "backtests",
  EventService: "events",
  LiquidityService: "liquidity",
  MarketDataService: "marketData",
  OptimizationService: "optimization",
  PortfolioService: "portfolios",
  ReallocationService: "reallocation",
  RiskService: "risk",
};
const DEFAULT_TOLERANCE = 1e-6;

const { values: given } = parseArgs({
  options: { address: { type: "string" }, cases: { type: "string" }, only: { type: "string" } },
});
if (given.address === undefined || given.cases === undefined) {
  console.error("usage: run --address HOST:PORT --cases FILE [--only ID]");
  process.exit(2);
}
const cases = JSON.parse(readFileSync(given.cases, "utf8"));
const client = connect(given.address, { timeoutMs: 120_000 });

/** @param {string} path @param {any} request @returns {Promise<any>} the answer as proto JSON */
async function call(path, request) {
  const [service = "", name = ""] = path.split("/");
  const method = registry.getService(`absfinance.v1.${service}`)?.methods.find((one) => one.name === name);
  const calls = /** @type {any} */ (client)[/** @type {any} */ (SERVICES)[service]];
  if (method === undefined || method.methodKind !== "unary" || calls === undefined) {
    throw new Error(`no unary method ${path}`);
  }
  const answer = await calls[method.localName](fromJson(method.input, request, { registry }));
  return toJson(method.output, answer, { registry });
}

/** @param {any} one */
async function unary(one) {
  for (const { method, request } of one.setup ?? []) {
    await call(method, request).catch((error) => {
      if (!(error instanceof AbsFinanceError)) throw error;
    });
  }
  try {
    const answer = await call(one.method, one.request);
    if (one.expect.error !== undefined) {
      return { why: `an error was expected: ${JSON.stringify(one.expect.error)}` };
    }
    return { why: difference(one.expect.response, answer, one.expect.tolerance ?? DEFAULT_TOLERANCE, "response") };
  } catch (error) {
    if (!(error instanceof AbsFinanceError)) throw error;
    if (one.expect.error === undefined) {
      return { why: `${codeName(error.code)} ${error.reason}: ${error.message}` };
    }
    return { why: errorDifference(one.expect.error, error) };
  }
}

/** @param {any} one */
async function stream(one) {
  const job = await client.backtests.backtest(fromJson(BacktestRequestSchema, one.request, { registry }));
  /** @type {number[]} */
  const milestones = [];
  let [resumptions, last, why, state] = [0, 0n, "", ""];
  const { afterSequence = 0, epoch = "" } = one.place ?? {};
  const place = { afterSequence: BigInt(afterSequence), epoch };
  const options = { ...place, onResume: () => void (resumptions += 1), minIntervalSeconds: 0.02 };
  try {
    for await (const { sequence, event } of client.watchBacktest(job.name, options)) {
      if (event.case === "snapshot") continue;
      if (sequence <= last) why ||= `sequence ${sequence} follows ${last}`;
      last = sequence;
      if (event.case === "milestone") milestones.push(Number(sequence));
      if (event.case === "finished") state = `BACKTEST_STATE_${BacktestState[event.value.state]}`;
    }
  } catch (error) {
    if (!(error instanceof AbsFinanceError) || one.expect.error === undefined) throw error;
    return { why: errorDifference(one.expect.error, error), milestones, resumptions };
  }
  if (one.expect.error !== undefined) why ||= `an error was expected: ${JSON.stringify(one.expect.error)}`;
  const { terminal, events: expected = {} } = one.expect;
  if (new Set(milestones).size < milestones.length) why ||= "a milestone is repeated";
  if (terminal !== undefined && state !== terminal) why ||= `ends with ${state || "no finished event"}, not ${terminal}`;
  if (expected.states && !expected.states.includes(state)) why ||= `${state} is none of ${expected.states}`;
  if (expected.milestones && milestones.length < 1) why ||= "there is no milestone before the end";
  return { why, milestones, resumptions };
}

/** @param {any} expected @param {AbsFinanceError} error @returns {string} */
function errorDifference(expected, error) {
  if (codeName(error.code) !== expected.code) return `code ${codeName(error.code)}, not ${expected.code}`;
  if (expected.reason !== undefined && error.reason !== expected.reason) return `reason ${error.reason}, not ${expected.reason}`;
  const fields = error instanceof InvalidInput ? error.violations.map(({ field }) => field) : [];
  const missing = (expected.fields ?? []).filter((/** @type {string} */ field) => !fields.includes(field));
  if (missing.length > 0) return `no violation of ${missing}, only of ${fields}`;
  const infeasible = error instanceof InfeasibleProblem && error.conflicts.length > 0;
  if (expected.infeasible !== undefined && infeasible !== expected.infeasible) {
    return infeasible ? "an InfeasibilityReport was not expected" : "there is no InfeasibilityReport";
  }
  return "";
}

/**
 * The first place where `found` has not what `expected` names; empty if there is none.
 * @param {any} expected @param {any} found @param {number} tolerance @param {string} path @returns {string}
 */
function difference(expected, found, tolerance, path) {
  if (Array.isArray(expected)) {
    if (!Array.isArray(found) || found.length !== expected.length) {
      return `${path}: ${Array.isArray(found) ? found.length : "no"} elements, not ${expected.length}`;
    }
    return firstOf(expected.map((one, index) => () => difference(one, found[index], tolerance, `${path}[${index}]`)));
  }
  if (expected !== null && typeof expected === "object") {
    if (found === null || typeof found !== "object") return `${path}: missing`;
    const names = Object.keys(expected);
    return firstOf(names.map((name) => () => difference(expected[name], found[name], tolerance, `${path}.${name}`)));
  }
  return same(expected, found, tolerance) ? "" : `${path}: ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`;
}

/** @param {(() => string)[]} checks @returns {string} */
function firstOf(checks) {
  for (const check of checks) {
    const found = check();
    if (found) return found;
  }
  return "";
}

/** @param {any} expected @param {any} found @param {number} tolerance @returns {boolean} */
function same(expected, found, tolerance) {
  if (isNumeric(expected) && isNumeric(found)) {
    const [a, b] = [Number(found), Number(expected)];
    return Math.abs(a - b) <= tolerance * (1 + Math.abs(b));
  }
  return expected === found;
}

/** @param {any} value @returns {boolean} whether it is a finite number, or a text of one */
function isNumeric(value) {
  return typeof value === "number" || (typeof value === "string" && /^-?\d+(\.\d+)?([eE][-+]?\d+)?$/.test(value));
}

/** @param {Code} code @returns {string} as gRPC writes it */
function codeName(code) {
  const name = Code[code].replace(/(?<!^)([A-Z])/g, "_$1").toUpperCase();
  return name === "CANCELED" ? "CANCELLED" : name;
}

let failed = 0;
for (const one of [...(cases.unary ?? []), ...(cases.streams ?? [])]) {
  if (given.only !== undefined && given.only !== one.id) continue;
  const found = await (one.kind === undefined ? unary(one) : stream(one)).catch((/** @type {unknown} */ error) => ({ why: String(error) }));
  const ok = found.why === "";
  failed += ok ? 0 : 1;
  console.log(JSON.stringify({ id: one.id, ok, ...found }));
}
client.close();
process.exitCode = failed > 0 ? 1 : 0;
