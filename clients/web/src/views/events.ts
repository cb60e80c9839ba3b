/** Follows what the server notices: signals, notifications and recomputations, the latest first. */

import type { WatchEventsResponse } from "@abs-finance/client/v1/event_service";

import { client } from "../connection.js";
import { element } from "../elements.js";
import { alertOf } from "../failures.js";
import { isoTime } from "../texts.js";
import type { View } from "./view.js";

/** Events that are shown. */
const SHOWN = 200;

/** The stream, followed while it is shown. */
export function events(): View {
  const state = element("p", { role: "status", class: "state" }, "Connecting");
  // The latest event is read out; those before it when the list is visited.
  const list = element("ol", { class: "log", reversed: true, "aria-live": "polite", "aria-relevant": "additions" });
  const stopped = new AbortController();
  void follow(state, list, stopped.signal);
  return { title: "Events", content: [state, list], close: () => stopped.abort() };
}

async function follow(state: HTMLElement, list: HTMLElement, signal: AbortSignal): Promise<void> {
  const options = {
    signal,
    onEventsLost: "restart" as const,
    onResume: () => {
      state.textContent = "Connecting again";
    },
  };
  try {
    for await (const event of client.watchEvents({}, options)) {
      state.textContent = "Watching";
      const text = textOf(event);
      if (text !== undefined) {
        list.prepend(element("li", {}, text));
        if (list.childElementCount > SHOWN) {
          list.lastElementChild?.remove();
        }
      }
    }
  } catch (failure) {
    if (!signal.aborted) {
      state.textContent = "Not watched";
      state.after(alertOf(failure));
    }
  }
}

function textOf({ event, eventTime }: WatchEventsResponse): string | undefined {
  const when = eventTime === undefined ? "" : isoTime(Number(eventTime.seconds));
  const parts = (...texts: string[]): string => [when, ...texts].filter(Boolean).join(" · ");
  switch (event.case) {
    case "signal":
      return parts("signal", event.value.portfolio, event.value.symbol, event.value.message);
    case "notification":
      return parts("notification", event.value.portfolio, event.value.symbol, event.value.message);
    case "recomputation": {
      const { portfolio, outcome } = event.value;
      const failed = outcome.case === "error" ? outcome.value.message : "";
      return parts("recomputation", portfolio, outcome.case === "result" ? outcome.value : failed);
    }
    default:
      return undefined;
  }
}
