/** What stands between a form and its answer. */

import { alertOf } from "../failures.js";

/** Runs what a form asks for, once at a time; what goes wrong is shown in `outcome`. */
export async function submitted(button: HTMLButtonElement, outcome: HTMLElement, run: () => Promise<void>): Promise<void> {
  if (button.hasAttribute("aria-disabled")) {
    return;
  }
  button.setAttribute("aria-disabled", "true");
  try {
    await run();
  } catch (failure) {
    outcome.replaceChildren(alertOf(failure));
  } finally {
    button.removeAttribute("aria-disabled");
  }
}
