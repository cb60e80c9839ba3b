/**
 * Progress of a job for a reader of any pace: events are received at once, every milestone is kept, and of the ticks of
 * one stage that wait, only the latest, with the points of the equity curve of all of them.
 */

import type { BacktestProgressResponse } from "./gen/absfinance/v1/backtest_service_pb.js";

/** The events of `source`, received ahead of the reader. */
export async function* latestTicks(
  source: AsyncGenerator<BacktestProgressResponse, void, undefined>,
): AsyncGenerator<BacktestProgressResponse, void, undefined> {
  const waiting = new Waiting();
  const received = receive(source, waiting);
  try {
    for (;;) {
      const event = waiting.take();
      if (event !== undefined) {
        yield event;
      } else if (waiting.ended) {
        break;
      } else {
        await waiting.changed();
      }
    }
    await received; // raises what has ended the stream
  } finally {
    waiting.left = true;
    received.catch(() => undefined);
  }
}

async function receive(source: AsyncIterable<BacktestProgressResponse>, waiting: Waiting): Promise<void> {
  try {
    for await (const event of source) {
      if (waiting.left) {
        return;
      }
      waiting.add(event);
    }
  } finally {
    waiting.end();
  }
}

/** Events that the reader has not taken yet. */
class Waiting {
  ended = false;
  left = false;
  #events: BacktestProgressResponse[] = [];
  #wake: () => void = () => undefined;
  /** Last date of the curve of each stage that was received: a resumed stream sends curves from their beginning. */
  readonly #lastDates = new Map<number, number>();

  add(event: BacktestProgressResponse): void {
    if (event.event.case === "tick") {
      this.#withoutKnownPoints(event);
    }
    if (!this.#merged(event)) {
      this.#events.push(event);
    }
    this.#wake();
  }

  take(): BacktestProgressResponse | undefined {
    return this.#events.shift();
  }

  end(): void {
    this.ended = true;
    this.#wake();
  }

  changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #withoutKnownPoints(event: BacktestProgressResponse): void {
    const tick = event.event.case === "tick" ? event.event.value : undefined;
    if (tick?.equity === undefined) {
      return;
    }
    const { dates, navs } = tick.equity;
    const last = this.#lastDates.get(tick.stageIndex ?? 0) ?? Number.NEGATIVE_INFINITY;
    const fresh = dates.findIndex((date) => date > last);
    tick.equity.dates = fresh < 0 ? [] : dates.slice(fresh);
    tick.equity.navs = fresh < 0 ? [] : navs.slice(fresh);
    this.#lastDates.set(tick.stageIndex ?? 0, Math.max(last, dates.at(-1) ?? last));
  }

  /** Puts a tick in the place of the one of its stage that waits last. */
  #merged(event: BacktestProgressResponse): boolean {
    const before = this.#events.at(-1);
    if (event.event.case !== "tick" || before?.event.case !== "tick") {
      return false;
    }
    const [earlier, tick] = [before.event.value, event.event.value];
    if (earlier.stageIndex !== tick.stageIndex) {
      return false;
    }
    if (earlier.equity !== undefined && tick.equity !== undefined) {
      // Grown in place: a reader that takes nothing for long makes no work that grows with the square of the points.
      for (const date of tick.equity.dates) {
        earlier.equity.dates.push(date);
      }
      for (const nav of tick.equity.navs) {
        earlier.equity.navs.push(nav);
      }
    }
    tick.equity = earlier.equity ?? tick.equity;
    this.#events[this.#events.length - 1] = event;
    return true;
  }
}
