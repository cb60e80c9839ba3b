/** Weights as a table with bars. */

import type { AssetWeight } from "@abs-finance/client/v1/weight";

import { element, table } from "./elements.js";
import { percent } from "./texts.js";

/** Weights, the largest first. */
export function weightTable(caption: string, weights: readonly AssetWeight[]): HTMLElement {
  const sorted = [...weights].sort((first, second) => (second.weight ?? 0) - (first.weight ?? 0));
  const widest = Math.max(...sorted.map(({ weight = 0 }) => Math.abs(weight)), 1e-9);
  const rows = sorted.map(({ symbol, weight = 0 }) => [symbol, percent(weight, 2), bar(weight / widest)]);
  return table(caption, ["Asset", "Weight", ""], rows);
}

function bar(share: number): HTMLElement {
  const made = element("span", { class: share < 0 ? "bar short" : "bar", "aria-hidden": "true" });
  made.style.width = `${(10 * Math.abs(share)).toFixed(2)}rem`;
  return made;
}
