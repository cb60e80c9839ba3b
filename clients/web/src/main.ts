/** The page: which view its address names. */

import { accessForm } from "./connection.js";
import { element } from "./elements.js";
import { backtests } from "./views/backtests.js";
import { followedBacktest } from "./views/followed_backtest.js";
import { events } from "./views/events.js";
import { frontier } from "./views/frontier.js";
import { optimization } from "./views/optimization.js";
import { reallocation } from "./views/reallocation.js";
import type { View } from "./views/view.js";

const BACKTEST = /^backtests\/[A-Za-z0-9_-]{1,64}$/;
const VIEWS: Readonly<Record<string, { readonly text: string; readonly open: () => View }>> = {
  backtests: { text: "Backtests", open: backtests },
  optimise: { text: "Optimise", open: optimization },
  frontier: { text: "Frontier", open: frontier },
  reallocate: { text: "Reallocate", open: reallocation },
  events: { text: "Events", open: events },
};

let shown: View | undefined;

/** Shows what the address names; the focus goes to the heading unless the page is only just opened. */
function show(moveFocus: boolean): void {
  const place = decodeURI(window.location.hash).replace(/^#\/?/, "");
  const section = place.split("/")[0] ?? "";
  const open = VIEWS[section]?.open ?? backtests;
  shown?.close?.();
  shown = BACKTEST.test(place) ? followedBacktest(place) : open();
  const heading = element("h1", { tabindex: -1 }, shown.title);
  find("main").replaceChildren(heading, ...shown.content);
  document.title = `${shown.title} – abs-finance`;
  for (const link of find("views").querySelectorAll("a")) {
    const current = link.hash === `#/${section}` || (section === "" && link.hash === "#/backtests");
    current ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
  }
  if (moveFocus) {
    heading.focus();
  }
}

function find(id: string): HTMLElement {
  return document.getElementById(id) as HTMLElement;
}

find("views").append(...Object.entries(VIEWS).map(([name, { text }]) => element("a", { href: `#/${name}` }, text)));
accessForm(find("access") as HTMLFormElement, () => show(false));
window.addEventListener("hashchange", () => show(true));
show(false);
