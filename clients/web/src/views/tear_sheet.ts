/** The charts that the server describes for a finished backtest, drawn with Vega-Lite, which is loaded when it is needed. */

import { ChartTheme, type ChartSpec } from "@abs-finance/client/v1/chart";

import { client } from "../connection.js";
import { element } from "../elements.js";
import { alertOf } from "../failures.js";

/** A part of the page that draws the charts when it is opened. */
export function tearSheet(name: string, signal: AbortSignal): HTMLElement {
  const charts = element("div", { class: "charts" });
  const root = element("details", {}, element("summary", {}, "Charts"), charts);
  let drawn = false;
  root.addEventListener("toggle", () => {
    if (root.open && !drawn) {
      drawn = true;
      charts.replaceChildren(element("p", { role: "status" }, "Drawing"));
      draw(name, charts, signal).catch((failure: unknown) => {
        if (!signal.aborted) {
          charts.replaceChildren(alertOf(failure));
        }
      });
    }
  });
  return root;
}

async function draw(name: string, into: HTMLElement, signal: AbortSignal): Promise<void> {
  const dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  const theme = dark ? ChartTheme.DARK : ChartTheme.LIGHT;
  const [{ charts }, { render }] = await Promise.all([
    client.backtests.getBacktestCharts({ name, theme }, { signal }),
    import("../vega.js"),
  ]);
  into.replaceChildren();
  for (const { spec } of charts as ChartSpec[]) {
    if (spec !== undefined) {
      const figure = element("figure", { class: "scrolls", tabindex: 0 });
      into.append(figure);
      await render(spec, figure);
    }
  }
}
