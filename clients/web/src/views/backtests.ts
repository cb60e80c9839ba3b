/** Starts a backtest, and lists those of the server. */

import { BacktestState } from "@abs-finance/client/v1/backtest";

import { client } from "../connection.js";
import { element, field, number, table } from "../elements.js";
import { alertOf } from "../failures.js";
import { PriceFields } from "../prices.js";
import { percent } from "../texts.js";
import { submitted } from "./submitted.js";
import type { View } from "./view.js";

const STRATEGIES = {
  equal: "Equal weights",
  inverse: "Inverse volatility",
  risk: "Least risk",
  ratio: "Highest return by risk",
} as const;

type StrategyInput = NonNullable<Parameters<typeof client.backtests.backtest>[0]["strategies"]>[number];

const LISTED = 20;

/** The states of a job for people. */
export const STATES: Readonly<Record<BacktestState, string>> = {
  [BacktestState.UNSPECIFIED]: "unknown",
  [BacktestState.QUEUED]: "queued",
  [BacktestState.RUNNING]: "running",
  [BacktestState.SUCCEEDED]: "succeeded",
  [BacktestState.FAILED]: "failed",
  [BacktestState.CANCELLED]: "cancelled",
};

/** The form and the list. */
export function backtests(): View {
  const list = element("section", { "aria-label": "Backtests of the server" });
  void fill(list);
  return { title: "Backtests", content: [form(), list] };
}

function form(): HTMLFormElement {
  const prices = new PriceFields();
  const boxes = Object.entries(STRATEGIES).map(([value, text]) => {
    const box = element("input", { type: "checkbox", name: "strategy", value, checked: value === "equal" });
    return element("label", { class: "box" }, box, text);
  });
  const every = number("every", "21", { min: 1, step: 1 });
  const lookback = number("lookback", "250", { min: 2, step: 1 });
  const costs = number("costs", "0", { min: 0 });
  const outcome = element("div");
  const start = element("button", { type: "submit" }, "Start the backtest");
  const made = element(
    "form",
    { "aria-label": "A new backtest" },
    prices.root,
    element("fieldset", {}, element("legend", {}, "Strategies"), ...boxes),
    element(
      "fieldset",
      {},
      element("legend", {}, "Rules"),
      element(
        "div",
        { class: "fields" },
        field("Rebalance every", every, "Dates from one rebalancing to the next"),
        field("Look back", lookback, "Dates that a decision sees; equal weights need none"),
        field("Commission", costs, "Basis points of what is traded"),
      ),
    ),
    start,
    outcome,
  );
  made.addEventListener("submit", (event) => {
    event.preventDefault();
    void submitted(start, outcome, async () => {
      const chosen = new FormData(made).getAll("strategy").map(String);
      const job = await client.backtests.backtest({
        input: prices.input(),
        strategies: chosen.map((kind) => strategy(kind, Number(lookback.value))),
        rebalancing: { schedule: { case: "everyPeriods", value: { n: Number(every.value) } } },
        ...(Number(costs.value) > 0 ? { costs: { commissionBps: Number(costs.value) } } : {}),
      });
      window.location.hash = `#/${job.name}`;
    });
  });
  return made;
}

function strategy(kind: string, lookbackPeriods: number): StrategyInput {
  const label = STRATEGIES[kind as keyof typeof STRATEGIES];
  switch (kind) {
    case "equal":
      return { label, kind: { case: "equalWeight", value: {} } };
    case "inverse":
      return { label, kind: { case: "inverseVolatility", value: { lookbackPeriods } } };
    default: {
      const goal = kind === "risk" ? { case: "minRisk" as const, value: {} } : { case: "maxRatio" as const, value: {} };
      return { label, kind: { case: "optimize", value: { objective: { kind: goal }, lookbackPeriods } } };
    }
  }
}

async function fill(list: HTMLElement): Promise<void> {
  try {
    const { backtests: found } = await client.backtests.listBacktests({ pageSize: LISTED });
    const rows = found.map(({ name, label, state, fraction }) => [
      element("a", { href: `#/${name}` }, name.replace("backtests/", "")),
      label,
      STATES[state],
      percent(fraction, 0),
    ]);
    list.replaceChildren(
      rows.length === 0
        ? element("p", {}, "No backtest is stored yet.")
        : table("The latest backtests", ["Name", "Strategy", "State", "Done"], rows),
    );
  } catch (failure) {
    list.replaceChildren(alertOf(failure));
  }
}

