/** Explores the efficient frontier: the least risk at each return, optimised again for the return that is dragged to. */

import { weightTable } from "../bars.js";
import { client } from "../connection.js";
import { scale, steps } from "../curves.js";
import { drawing, element, field, number } from "../elements.js";
import { alertOf } from "../failures.js";
import { PriceFields } from "../prices.js";
import { percent } from "../texts.js";
import { submitted } from "./submitted.js";
import type { View } from "./view.js";

const HEIGHT = 320;
const MARGIN = { left: 56, right: 16, top: 12, bottom: 40 };
const POINTS = 20;
/** Positions of the slider between the least and the highest return. */
const STEPS = 200;

interface Point {
  readonly risk: number;
  readonly reward: number;
}

type Input = ReturnType<PriceFields["input"]>;

/** The form, and the frontier once it is traced. */
export function frontier(): View {
  return new FrontierView();
}

class FrontierView implements View {
  readonly title = "Frontier";
  readonly content: readonly HTMLElement[];
  readonly #prices = new PriceFields();
  readonly #upper = number("upper", "40", { min: 0.1 });
  readonly #button = element("button", { type: "submit" }, "Trace the frontier");
  readonly #outcome = element("div");
  #explorer: Explorer | undefined;

  constructor() {
    const form = element(
      "form",
      { "aria-label": "A frontier" },
      this.#prices.root,
      element("fieldset", {}, element("legend", {}, "Constraints"), field("Largest weight", this.#upper, "Per cent")),
      this.#button,
      this.#outcome,
    );
    const result = element("div");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void submitted(this.#button, this.#outcome, async () => {
        this.#outcome.replaceChildren();
        this.#explorer?.close();
        this.#explorer = new Explorer(this.#prices.input(), Number(this.#upper.value) / 100);
        result.replaceChildren(...this.#explorer.content);
        await this.#explorer.trace();
      });
    });
    this.content = [form, result];
  }

  close(): void {
    this.#explorer?.close();
  }
}

/** One frontier with its slider. At most one optimisation runs: while one does, only the latest position waits. */
class Explorer {
  readonly content: readonly HTMLElement[];
  readonly #input: Input;
  readonly #upper: number;
  readonly #stopped = new AbortController();
  readonly #slider = element("input", { type: "range", min: 0, max: STEPS, value: STEPS / 2, disabled: true });
  readonly #figure = element("figure", { class: "frontier" });
  readonly #chosen = element("div");
  readonly #points: Point[] = [];
  #found: Point | undefined;
  #running = false;
  #wanted: number | undefined;
  #dragging = false;

  constructor(input: Input, upper: number) {
    this.#input = input;
    this.#upper = upper;
    this.#slider.addEventListener("input", () => this.#choose(this.#return()));
    this.#figure.addEventListener("pointerdown", (event) => this.#drag(event));
    this.#figure.addEventListener("pointermove", (event) => this.#dragging && this.#drag(event));
    for (const end of ["pointerup", "pointercancel"]) {
      this.#figure.addEventListener(end, () => (this.#dragging = false));
    }
    new ResizeObserver(() => this.#draw()).observe(this.#figure);
    const hint = "Drag the point, or use the arrow keys here: the weights are optimised again";
    this.content = [this.#figure, field("Least return a year", this.#slider, hint), this.#chosen];
  }

  close(): void {
    this.#stopped.abort();
  }

  async trace(): Promise<void> {
    const request = { input: this.#input, constraints: this.#constraints(), points: POINTS };
    for await (const point of client.optimization.traceFrontier(request, { signal: this.#stopped.signal })) {
      if (point.volatilityAnnual !== undefined && point.expectedReturnAnnual !== undefined) {
        this.#points.push({ risk: point.volatilityAnnual, reward: point.expectedReturnAnnual });
        this.#draw();
      }
    }
    this.#slider.disabled = this.#points.length < 2;
    this.#choose(this.#return());
  }

  #constraints() {
    return [{ label: "largest weight", kind: { case: "weightBounds" as const, value: { lower: 0, upper: this.#upper } } }];
  }

  /** The return that the slider stands at. */
  #return(): number {
    const [low, high] = extent(this.#points.map(({ reward }) => reward));
    return low + ((high - low) * Number(this.#slider.value)) / STEPS;
  }

  #drag(event: PointerEvent): void {
    if (this.#slider.disabled) {
      return;
    }
    this.#dragging = true;
    event.preventDefault();
    const place = event.clientY - this.#figure.getBoundingClientRect().top;
    const [low, high] = extent(this.#points.map(({ reward }) => reward));
    const position = (this.#scales().back(place) - low) / (high - low);
    this.#slider.value = String(Math.round(STEPS * Math.min(1, Math.max(0, position))));
    this.#choose(this.#return());
  }

  #choose(least: number): void {
    this.#slider.setAttribute("aria-valuetext", percent(least, 2));
    this.#wanted = least;
    if (!this.#running) {
      void this.#optimize();
    }
  }

  async #optimize(): Promise<void> {
    this.#running = true;
    try {
      while (this.#wanted !== undefined) {
        const least = this.#wanted;
        this.#wanted = undefined;
        await this.#one(least);
      }
    } catch (failure) {
      if (!this.#stopped.signal.aborted) {
        this.#chosen.replaceChildren(alertOf(failure));
      }
    } finally {
      this.#running = false;
    }
  }

  async #one(least: number): Promise<void> {
    const floor = { label: "least return", kind: { case: "returnFloor" as const, value: { minReturnAnnual: least } } };
    const request = {
      input: this.#input,
      objective: { kind: { case: "minRisk" as const, value: {} } },
      constraints: [...this.#constraints(), floor],
    };
    const found = await client.optimization.optimize(request, { signal: this.#stopped.signal });
    this.#found = { risk: found.volatilityAnnual ?? 0, reward: found.expectedReturnAnnual ?? 0 };
    const facts = `Return ${percent(this.#found.reward, 2)} and volatility ${percent(this.#found.risk, 2)} a year`;
    this.#chosen.replaceChildren(element("p", { role: "status" }, facts), weightTable("Weights", found.weights));
    this.#draw();
  }

  #scales() {
    const risks = padded(extent(this.#points.map(({ risk }) => risk)));
    const rewards = padded(extent(this.#points.map(({ reward }) => reward)));
    const right = Math.max(MARGIN.left + 1, this.#figure.clientWidth - MARGIN.right);
    const sides = [HEIGHT - MARGIN.bottom, MARGIN.top] as const;
    return { risks, rewards, x: scale(risks, [MARGIN.left, right]), y: scale(rewards, sides), back: scale(sides, rewards), right };
  }

  #draw(): void {
    if (this.#points.length < 2 || this.#figure.clientWidth === 0) {
      return;
    }
    const { risks, rewards, x, y, right } = this.#scales();
    const bottom = HEIGHT - MARGIN.bottom;
    const across = steps(rewards, 5).flatMap((value) => [
      drawing("line", { class: "grid", x1: MARGIN.left, x2: right, y1: y(value), y2: y(value) }),
      drawing("text", { x: MARGIN.left - 6, y: y(value) + 4, "text-anchor": "end" }, percent(value)),
    ]);
    const below = steps(risks, Math.max(2, Math.floor(right / 120))).map((value) =>
      drawing("text", { x: x(value), y: bottom + 18, "text-anchor": "middle" }, percent(value)),
    );
    const line = `M${this.#points.map(({ risk, reward }) => `${x(risk).toFixed(1)} ${y(reward).toFixed(1)}`).join("L")}`;
    const chart = drawing(
      "svg",
      { role: "img", "aria-label": "Efficient frontier: return by volatility", width: this.#figure.clientWidth, height: HEIGHT },
      ...across,
      ...below,
      drawing("text", { x: right, y: HEIGHT - 4, "text-anchor": "end" }, "Volatility a year"),
      drawing("path", { class: "series series-0", d: line }),
      ...this.#points.map(({ risk, reward }) => drawing("circle", { class: "point", cx: x(risk), cy: y(reward), r: 3 })),
      ...(this.#found ? [drawing("circle", { class: "chosen", cx: x(this.#found.risk), cy: y(this.#found.reward), r: 8 })] : []),
    );
    this.#figure.replaceChildren(chart);
  }
}

function extent(values: readonly number[]): [number, number] {
  return [Math.min(...values), Math.max(...values)];
}

function padded([low, high]: readonly [number, number]): [number, number] {
  const margin = (high - low || 0.01) * 0.08;
  return [low - margin, high + margin];
}
