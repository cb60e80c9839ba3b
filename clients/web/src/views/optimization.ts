/** Optimises weights, and offers the smallest relaxations where constraints cannot hold together. */

import { type Conflict, InfeasibleProblem } from "@abs-finance/client/web";
import type { Optimization } from "@abs-finance/client/v1/optimization";

import { weightTable } from "../bars.js";
import { client } from "../connection.js";
import { choice, element, field, number, table } from "../elements.js";
import { PriceFields } from "../prices.js";
import { figure, percent } from "../texts.js";
import { submitted } from "./submitted.js";
import type { View } from "./view.js";

/** A constraint of the form: its field in per cent, and which way it is relaxed. */
interface Limit {
  readonly input: HTMLInputElement;
  readonly direction: 1 | -1;
}

/** Added to a relaxation, which is on the edge of what can be done: a millionth. */
const MARGIN = 1e-6;

/** The form, and what it finds. */
export function optimization(): View {
  return new OptimizationView();
}

class OptimizationView implements View {
  readonly title = "Optimise";
  readonly content: readonly HTMLElement[];
  readonly #prices = new PriceFields();
  readonly #goal = choice("goal", { risk: "Least risk", ratio: "Highest return by risk", growth: "Highest return" });
  /** By the label of the constraint. */
  readonly #limits: Readonly<Record<string, Limit>> = {
    "smallest weight": { input: number("lower", "0"), direction: -1 },
    "largest weight": { input: number("upper", "40"), direction: 1 },
    "least return": { input: number("floor", "", { required: false }), direction: -1 },
  };
  readonly #button = element("button", { type: "submit" }, "Optimise");
  readonly #outcome = element("div", { "aria-live": "polite" });

  constructor() {
    const limits = Object.entries(this.#limits).map(([label, { input }]) =>
      field(label.charAt(0).toUpperCase() + label.slice(1), input, label === "least return" ? "Per cent a year; none if empty" : "Per cent"),
    );
    const form = element(
      "form",
      { "aria-label": "An optimisation" },
      this.#prices.root,
      element("fieldset", {}, element("legend", {}, "Goal"), field("Objective", this.#goal)),
      element("fieldset", {}, element("legend", {}, "Constraints"), element("div", { class: "fields" }, ...limits)),
      this.#button,
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#run();
    });
    this.content = [form, this.#outcome];
  }

  async #run(): Promise<void> {
    await submitted(this.#button, this.#outcome, async () => {
      try {
        const found = await client.optimization.optimize({
          input: this.#prices.input(),
          objective: { kind: this.#objective() },
          constraints: this.#constraints(),
        });
        this.#outcome.replaceChildren(...shown(found));
      } catch (failure) {
        if (!(failure instanceof InfeasibleProblem)) {
          throw failure;
        }
        this.#outcome.replaceChildren(this.#conflict(failure));
      }
    });
  }

  #objective() {
    switch (this.#goal.value) {
      case "ratio":
        return { case: "maxRatio" as const, value: {} };
      case "growth":
        return { case: "maxReturn" as const, value: {} };
      default:
        return { case: "minRisk" as const, value: {} };
    }
  }

  #constraints() {
    const fraction = (label: string): number | undefined => {
      const text = this.#limits[label]?.input.value ?? "";
      return text === "" ? undefined : Number(text) / 100;
    };
    const least = fraction("least return");
    const bounds = (label: string, value: { lower: number | undefined } | { upper: number | undefined }) => ({
      label,
      kind: { case: "weightBounds" as const, value },
    });
    return [
      bounds("smallest weight", { lower: fraction("smallest weight") }),
      bounds("largest weight", { upper: fraction("largest weight") }),
      ...(least === undefined
        ? []
        : [{ label: "least return", kind: { case: "returnFloor" as const, value: { minReturnAnnual: least } } }]),
    ];
  }

  #conflict(failure: InfeasibleProblem): HTMLElement {
    const rows = failure.conflicts.map((conflict) => [
      conflict.label,
      percent(conflict.smallestRelaxation, 2),
      percent(conflict.jointRelaxation, 2),
      this.#relaxing(conflict),
    ]);
    return element(
      "div",
      {},
      element("div", { role: "alert", class: "alert" }, element("p", {}, failure.message)),
      table("These constraints cannot hold together", ["Constraint", "Relaxed alone by", "Relaxed together by", ""], rows),
    );
  }

  /** A button that relaxes one constraint and optimises again, where that helps. */
  #relaxing({ label, smallestRelaxation }: Conflict): HTMLElement | string {
    const limit = this.#limits[label];
    if (smallestRelaxation === undefined) {
      return "Does not help alone";
    }
    if (limit === undefined) {
      return "Has no field here";
    }
    const relaxed = Number(limit.input.value) / 100 + limit.direction * (smallestRelaxation + MARGIN);
    const button = element("button", { type: "button" }, `Relax ${label} to ${percent(relaxed, 2)}`);
    button.addEventListener("click", () => {
      limit.input.value = (100 * relaxed).toFixed(4);
      void this.#run();
    });
    return button;
  }
}

function shown(found: Optimization): HTMLElement[] {
  const facts = [
    `return ${percent(found.expectedReturnAnnual)} a year`,
    `volatility ${percent(found.volatilityAnnual)} a year`,
    `return by risk ${figure(found.ratio)}`,
    `${figure(found.effectiveNumberOfAssets)} assets effectively`,
  ];
  const binding = [...new Set(found.binding.map(({ label }) => label))];
  return [
    element("p", {}, facts.join(" · ")),
    weightTable("Weights", found.weights),
    element("p", {}, binding.length > 0 ? `At their limit: ${binding.join(", ")}` : "No constraint is at its limit."),
  ];
}
