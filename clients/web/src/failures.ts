/** What went wrong, shown where it was asked for. */

import { AbsFinanceError, AccessError, InvalidInput } from "@abs-finance/client/web";

import { element } from "./elements.js";

/** An alert that says what an error means and what can be done. */
export function alertOf(failure: unknown): HTMLElement {
  const error = failure instanceof Error ? failure : new Error(String(failure));
  const violations = error instanceof InvalidInput ? error.violations : [];
  const rules = violations.map(({ field, rule }) => element("li", {}, field ? `${field}: ${rule}` : rule));
  return element(
    "div",
    { role: "alert", class: "alert" },
    element("p", {}, violations.length > 0 ? "The server refuses this:" : error.message),
    rules.length > 0 && element("ul", {}, ...rules),
    error instanceof AccessError && element("p", {}, "Give a token or an API key at the top of the page."),
    error instanceof AbsFinanceError && error.reason !== "" && element("p", { class: "reason" }, error.reason),
  );
}
