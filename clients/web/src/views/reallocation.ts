/** Lists the trades that take a portfolio to target weights. */

import type { PlannedTrade, Reallocation } from "@abs-finance/client/v1/reallocation";

import { weightTable } from "../bars.js";
import { client } from "../connection.js";
import { element, field, number, table } from "../elements.js";
import { amount, figure, percent } from "../texts.js";
import { submitted } from "./submitted.js";
import type { View } from "./view.js";

const COLUMNS = ["Asset", "Units held", "Price", "Target weight, per cent"] as const;
/** Symbol, units, price, target. */
const FIRST: readonly (readonly [string, string, string, string])[] = [
  ["A", "120", "50", "40"],
  ["B", "40", "100", "55"],
  ["C", "0", "20", "5"],
];

/** The form, and the plan. */
export function reallocation(): View {
  const body = element("tbody", {}, ...FIRST.map(row));
  const head = element("tr", {}, ...COLUMNS.map((text) => element("th", { scope: "col" }, text)));
  const caption = element("caption", {}, "Portfolio, prices and target");
  const cash = number("cash", "2500");
  const costs = number("costs", "5", { min: 0 });
  const add = element("button", { type: "button", class: "second" }, "Add an asset");
  add.addEventListener("click", () => {
    const fresh = row(["", "0", "", "0"]);
    body.append(fresh);
    fresh.querySelector("input")?.focus();
  });
  const plan = element("button", { type: "submit" }, "Plan the trades");
  const outcome = element("div", { "aria-live": "polite" });
  const form = element(
    "form",
    { "aria-label": "A reallocation" },
    element("div", { class: "scrolls" }, element("table", {}, caption, element("thead", {}, head), body)),
    add,
    element("div", { class: "fields" }, field("Cash", cash), field("Commission", costs, "Basis points of what is traded")),
    plan,
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void submitted(plan, outcome, async () => {
      const assets = [...body.rows].map(read).filter(({ symbol }) => symbol !== "");
      const found = await client.reallocation.reallocate({
        portfolioSource: { case: "portfolio", value: { holdings: assets.map(holding), cash: Number(cash.value) } },
        market: { case: "snapshot", value: { assets: assets.map(({ symbol, price }) => ({ symbol, price })) } },
        target: {
          case: "targetWeights",
          value: { weights: assets.map(({ symbol, target }) => ({ symbol, weight: target / 100 })) },
        },
        costs: { commissionBps: Number(costs.value) },
      });
      outcome.replaceChildren(...shown(found));
    });
  });
  return { title: "Reallocate", content: [form, outcome] };
}

interface Asset {
  readonly symbol: string;
  readonly quantity: number;
  readonly price: number;
  readonly target: number;
}

function row([symbol, ...figures]: readonly string[]): HTMLTableRowElement {
  const name = element("input", { type: "text", value: symbol, "aria-label": COLUMNS[0], maxlength: 64 });
  const inputs = figures.map((value, index) => number("figure", value, { "aria-label": COLUMNS[index + 1] }));
  return element("tr", {}, ...[name, ...inputs].map((input) => element("td", {}, input)));
}

function read(line: HTMLTableRowElement): Asset {
  const [symbol = "", quantity, price, target] = [...line.querySelectorAll("input")].map(({ value }) => value.trim());
  return { symbol, quantity: Number(quantity), price: Number(price), target: Number(target) };
}

function holding({ symbol, quantity }: Asset) {
  return { symbol, quantity };
}

function shown({ outcome, summary, warnings }: Reallocation): HTMLElement[] {
  const notes = warnings.map(({ message }) => element("li", {}, message));
  const said = notes.length > 0 ? [element("ul", { "aria-label": "Warnings" }, ...notes)] : [];
  if (outcome.case === "failure") {
    return [element("div", { role: "alert", class: "alert" }, element("p", {}, outcome.value.message)), ...said];
  }
  if (outcome.case !== "plan") {
    return [element("p", {}, "No trade is needed."), ...said];
  }
  const facts = [
    `costs ${amount(summary?.cost)} (${figure(summary?.costBps)} basis points)`,
    `turnover ${percent(summary?.turnoverOneWay)}`,
    `cash ${amount(summary?.cashAfter)} after`,
  ];
  return [
    table("Trades in their order", ["Step", "Trade", "Units", "Price", "Cost", "Cash after"], outcome.value.trades.map(trade)),
    element("p", {}, facts.join(" · ")),
    weightTable("Weights after", summary?.weightsAfter ?? []),
    ...said,
  ];
}

function trade({ step, symbol, quantity = 0, price, cost, cashAfter }: PlannedTrade): string[] {
  const kind = `${quantity < 0 ? "sell" : "buy"} ${symbol}`;
  return [String(step), kind, figure(Math.abs(quantity)), amount(price), amount(cost), amount(cashAfter)];
}
