/** One backtest, followed live until it ends, and then what it found. */

import { errorFromStatus } from "@abs-finance/client/web";
import { type Backtest, BacktestState } from "@abs-finance/client/v1/backtest";
import {
  BacktestSeries,
  type BacktestProgressResponse,
  type BacktestProgressResponse_Milestone as Milestone,
  type BacktestProgressResponse_Tick as Tick,
} from "@abs-finance/client/v1/backtest_service";

import { client } from "../connection.js";
import { Curves } from "../curves.js";
import { element, table } from "../elements.js";
import { alertOf } from "../failures.js";
import { amount, figure, isoDate, percent, span } from "../texts.js";
import { STATES } from "./backtests.js";
import { tearSheet } from "./tear_sheet.js";
import type { View } from "./view.js";

/** Strategies whose final series are drawn. */
const DRAWN = 6;
/** Milestones that are shown, the latest ones. */
const SHOWN = 200;

/** Follows the job of this name, such as "backtests/main". */
export function followedBacktest(name: string): View {
  return new FollowedBacktest(name);
}

class FollowedBacktest implements View {
  readonly title: string;
  readonly content: readonly HTMLElement[];
  readonly #name: string;
  readonly #stopped = new AbortController();
  /** Read out when it changes: the state and the stage, not each tick. */
  readonly #state = element("p", { role: "status", class: "state" }, "Connecting");
  readonly #bar = element("progress", { max: 1, value: 0, "aria-label": "Work that is done" });
  readonly #facts = element("p", { class: "facts" });
  readonly #cancel = element("button", { type: "button", hidden: true }, "Cancel");
  readonly #curves = new Curves();
  readonly #milestones = element("ol", { class: "log" });
  readonly #outcome = element("div");

  constructor(name: string) {
    this.#name = name;
    this.title = `Backtest ${name.replace("backtests/", "")}`;
    this.#cancel.addEventListener("click", () => void this.#end());
    this.content = [
      element("div", { class: "progress" }, this.#state, this.#bar, this.#facts, this.#cancel),
      this.#curves.root,
      this.#outcome,
      element("details", { open: true }, element("summary", {}, "Stages and milestones"), this.#milestones),
      element("p", {}, element("a", { href: "#/backtests" }, "Start another backtest")),
    ];
    void this.#follow();
  }

  close(): void {
    this.#stopped.abort();
  }

  async #follow(): Promise<void> {
    const signal = this.#stopped.signal;
    try {
      const events = client.watchBacktest(this.#name, {
        signal,
        onEventsLost: "restart",
        onResume: () => this.#say("Connecting again"),
      });
      for await (const { event } of events) {
        await this.#take(event);
      }
    } catch (failure) {
      if (!signal.aborted) {
        this.#cancel.hidden = true;
        this.#say("Not followed");
        this.#outcome.replaceChildren(alertOf(failure));
      }
    }
  }

  async #take(event: BacktestProgressResponse["event"]): Promise<void> {
    switch (event.case) {
      case "snapshot":
        this.#show(event.value.state);
        this.#tick(event.value.tick);
        break;
      case "tick":
        this.#show(BacktestState.RUNNING);
        this.#tick(event.value);
        break;
      case "milestone":
        this.#milestone(event.value);
        break;
      case "finished":
        await this.#finished(event.value.state);
        break;
    }
  }

  #say(text: string): void {
    if (this.#state.textContent !== text) {
      this.#state.textContent = text;
    }
  }

  #show(state: BacktestState): void {
    this.#say(STATES[state]);
    this.#cancel.hidden = state !== BacktestState.QUEUED && state !== BacktestState.RUNNING;
  }

  #tick(tick: Tick | undefined): void {
    if (tick === undefined) {
      return;
    }
    const { fraction = 0, stageIndex = 0, stageCount = 1, equity, eta, nav } = tick;
    this.#bar.value = fraction;
    this.#facts.textContent = [
      `${percent(fraction, 0)} done`,
      `strategy ${stageIndex + 1} of ${stageCount}: ${tick.label}`,
      `simulated up to ${isoDate(tick.simulatedDate)}`,
      `net asset value ${figure(nav)}`,
      eta === undefined ? "" : `${span(Number(eta.seconds) + eta.nanos / 1e9)} left`,
    ].filter(Boolean).join(" · ");
    this.#curves.append(stageIndex, tick.label, equity?.dates ?? [], equity?.navs ?? []);
  }

  #milestone({ message, label, simulatedDate, reason }: Milestone): void {
    const when = isoDate(simulatedDate);
    this.#milestones.append(element("li", {}, [when, message || label, reason].filter(Boolean).join(" · ")));
    while (this.#milestones.childElementCount > SHOWN) {
      this.#milestones.firstElementChild?.remove();
    }
  }

  async #end(): Promise<void> {
    this.#say("Cancelling");
    try {
      await client.backtests.cancelBacktest({ name: this.#name });
    } catch (failure) {
      this.#outcome.replaceChildren(alertOf(failure));
    }
  }

  async #finished(state: BacktestState): Promise<void> {
    this.#show(state);
    const job = await client.backtests.getBacktest({ name: this.#name }, { signal: this.#stopped.signal });
    if (job.error !== undefined && state === BacktestState.FAILED) {
      this.#outcome.replaceChildren(alertOf(errorFromStatus(job.error)));
    } else if (job.result !== undefined) {
      this.#bar.value = 1;
      this.#facts.textContent = `Net asset value ${figure(job.result.finalNav)} at the end`;
      await this.#result(job);
    }
  }

  async #result({ result }: Backtest): Promise<void> {
    const found = [...(result?.strategies ?? []), ...(result?.benchmarks ?? [])];
    const rows = found.map(({ label, metrics, finalNav }) => [
      label,
      amount(finalNav),
      percent(metrics?.cagr),
      percent(metrics?.volatilityAnnual),
      figure(metrics?.sharpe),
      percent(metrics?.maxDrawdown),
      percent(metrics?.turnoverAnnual, 0),
    ]);
    const columns = ["Strategy", "Net asset value", "Return a year", "Volatility a year", "Sharpe ratio", "Drawdown", "Turnover a year"];
    const warnings = (result?.warnings ?? []).map(({ message }) => element("li", {}, message));
    this.#outcome.replaceChildren(
      table("Result", columns, rows),
      tearSheet(this.#name, this.#stopped.signal),
      warnings.length > 0 ? element("ul", { "aria-label": "Warnings" }, ...warnings) : "",
    );
    const signal = this.#stopped.signal;
    for (const [stage, { label }] of found.slice(0, DRAWN).entries()) {
      const [navs, falls] = await Promise.all(
        [BacktestSeries.NAV, BacktestSeries.DRAWDOWN].map((series) =>
          client.backtestSeries({ name: this.#name, series, label }, { signal }),
        ),
      );
      if (navs && falls) {
        this.#curves.replace(stage, label, navs.dates, navs.values, falls.values);
      }
    }
  }
}
