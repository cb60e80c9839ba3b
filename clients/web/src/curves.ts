/** Curves of net asset value, and of drawdown below them, which grow while a backtest runs. */

import { drawing, element, table } from "./elements.js";
import { figure, isoDay, percent } from "./texts.js";

const LEFT = 52;
const RIGHT = 8;
const EQUITY = { top: 8, height: 190 };
const DRAWDOWN = { top: 224, height: 90 };
const HEIGHT = 340;
/** Of one line: more cannot be seen. */
const MOST_POINTS = 1500;
const COLOURS = 6;

interface Curve {
  label: string;
  dates: number[];
  navs: number[];
  drawdowns: number[];
  /** Highest net asset value so far. */
  peak: number;
}

interface Panel {
  readonly top: number;
  readonly height: number;
}

/** The chart and, for those who do not see it, a table of where each curve stands. */
export class Curves {
  readonly root = element("figure", { class: "curves" });
  readonly #svg = drawing("svg", { role: "img", height: HEIGHT, "aria-label": "Net asset value and drawdown over time" });
  readonly #legend = element("div");
  readonly #curves = new Map<number, Curve>();
  #waiting = false;

  constructor() {
    this.root.append(this.#svg, this.#legend);
    new ResizeObserver(() => this.#later()).observe(this.root);
  }

  /** Appends points of a stage: dates as days since 1970-01-01, and values in money. Dates that it has are left out. */
  append(stage: number, label: string, dates: readonly number[], navs: readonly number[]): void {
    const curve = this.#curve(stage, label);
    let last = curve.dates.at(-1) ?? Number.NEGATIVE_INFINITY;
    dates.forEach((date, index) => {
      const nav = navs[index];
      if (date > last && nav !== undefined) {
        last = date;
        curve.peak = Math.max(curve.peak, nav);
        curve.dates.push(date);
        curve.navs.push(nav);
        curve.drawdowns.push(nav / curve.peak - 1);
      }
    });
    this.#later();
  }

  /** Puts the final series of a stage in the place of what was drawn live; drawdowns are at least 0, and drawn below it. */
  replace(stage: number, label: string, dates: Int32Array, navs: Float64Array, drawdowns: Float64Array): void {
    this.#curves.set(stage, { label, dates: [...dates], navs: [...navs], drawdowns: Array.from(drawdowns, (fall) => -fall), peak: Number.NaN });
    this.#later();
  }

  #curve(stage: number, label: string): Curve {
    const known = this.#curves.get(stage);
    if (known !== undefined) {
      known.label = label || known.label;
      return known;
    }
    const fresh = { label, dates: [], navs: [], drawdowns: [], peak: 0 };
    this.#curves.set(stage, fresh);
    return fresh;
  }

  #later(): void {
    if (!this.#waiting) {
      this.#waiting = true;
      requestAnimationFrame(() => {
        this.#waiting = false;
        this.#draw();
      });
    }
  }

  #draw(): void {
    const drawn = [...this.#curves].filter(([, { dates }]) => dates.length > 1);
    const curves = drawn.sort(([first], [second]) => first - second);
    const width = this.root.clientWidth;
    if (curves.length === 0 || width === 0) {
      return;
    }
    const all = curves.map(([, curve]) => curve);
    const days = extent(all.map(({ dates }) => dates));
    const x = scale(days, [LEFT, width - RIGHT]);
    const equity = padded(extent(all.map(({ navs }) => navs)));
    const fall = padded([extent(all.map(({ drawdowns }) => drawdowns))[0], 0]);
    this.#svg.setAttribute("width", String(width));
    this.#svg.replaceChildren(
      ...axis(EQUITY, equity, width, figure),
      ...axis(DRAWDOWN, [fall[0], 0], width, (value) => percent(value, fall[0] > -0.05 ? 1 : 0)),
      ...years(days, x),
      drawing("text", { x: LEFT, y: DRAWDOWN.top - 10, class: "title" }, "Drawdown"),
      ...lines(curves, EQUITY, equity, x, ({ navs }) => navs),
      ...lines(curves, DRAWDOWN, [fall[0], 0], x, ({ drawdowns }) => drawdowns),
    );
    const fresh = legend(curves);
    const [body, rows] = [this.#legend, fresh].map((table) => table.querySelector("tbody"));
    if (body && rows) {
      body.replaceWith(rows); // the table stays, and with it the focus of who scrolls it
    } else {
      this.#legend.replaceChildren(fresh);
    }
  }
}

function lines(
  curves: readonly (readonly [number, Curve])[],
  panel: Panel,
  range: readonly [number, number],
  x: (value: number) => number,
  values: (curve: Curve) => readonly number[],
): SVGElement[] {
  const y = scale(range, [panel.top + panel.height, panel.top]);
  return curves.map(([stage, curve]) => drawing("path", { class: colour(stage), d: path(curve.dates, values(curve), x, y) }));
}

function path(
  dates: readonly number[],
  values: readonly number[],
  x: (value: number) => number,
  y: (value: number) => number,
): string {
  const step = Math.ceil(dates.length / MOST_POINTS);
  const parts: string[] = [];
  for (let index = 0; index < dates.length; index += step) {
    parts.push(`${x(dates[index] as number).toFixed(1)} ${y(values[index] as number).toFixed(1)}`);
  }
  const last = dates.length - 1;
  parts.push(`${x(dates[last] as number).toFixed(1)} ${y(values[last] as number).toFixed(1)}`);
  return `M${parts.join("L")}`;
}

function axis(panel: Panel, range: readonly [number, number], width: number, text: (value: number) => string): SVGElement[] {
  const y = scale(range, [panel.top + panel.height, panel.top]);
  return steps(range, panel.height > 100 ? 5 : 3).flatMap((value) => [
    drawing("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }),
    drawing("text", { class: "scale", x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, text(value)),
  ]);
}

function years(days: readonly [number, number], x: (value: number) => number): SVGElement[] {
  const [first, last] = days.map((day) => new Date(day * 86_400_000).getUTCFullYear()) as [number, number];
  const step = Math.max(1, Math.ceil((last - first) / Math.max(1, Math.floor((x(days[1]) - x(days[0])) / 60))));
  const found: SVGElement[] = [];
  for (let year = first + 1; year <= last; year += step) {
    const place = x(Date.UTC(year, 0, 1) / 86_400_000);
    found.push(
      drawing("line", { class: "grid", x1: place, x2: place, y1: EQUITY.top, y2: DRAWDOWN.top + DRAWDOWN.height }),
      drawing("text", { class: "scale", x: place, y: HEIGHT - 8, "text-anchor": "middle" }, String(year)),
    );
  }
  return found;
}

function legend(curves: readonly (readonly [number, Curve])[]): HTMLElement {
  const rows = curves.map(([stage, { label, dates, navs, drawdowns }]) => [
    element("span", { class: `key ${colour(stage)}` }, label),
    isoDay(dates.at(-1) ?? 0),
    figure(navs.at(-1)),
    percent(drawdowns.at(-1)),
  ]);
  return table("Where the curves stand", ["Strategy", "Date", "Net asset value", "Drawdown"], rows);
}

function colour(stage: number): string {
  return `series series-${stage % COLOURS}`;
}

function extent(series: readonly (readonly number[])[]): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const values of series) {
    for (const value of values) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  return [low, high];
}

function padded([low, high]: readonly [number, number]): [number, number] {
  const margin = (high - low || Math.abs(high) || 0.01) * 0.05;
  return [low - margin, high + margin];
}

/** A linear map from a range of values to a range of pixels. */
export function scale(from: readonly [number, number], to: readonly [number, number]): (value: number) => number {
  const size = from[1] - from[0] || 1;
  return (value) => to[0] + ((value - from[0]) / size) * (to[1] - to[0]);
}

/** Round values inside a range, about `count` of them. */
export function steps([low, high]: readonly [number, number], count: number): number[] {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}
