/** The connection to the server that the page came from, and the token, which lives as long as the tab. */

import { type Client, connect } from "@abs-finance/client/web";

import { element, field } from "./elements.js";

const KEY = "absfin-token";

/** Calls of the page, with the token that is given now. */
export let client: Client = connected();

function connected(): Client {
  const token = sessionStorage.getItem(KEY) ?? "";
  // Over gRPC-Web an error is an answer like any other; over Connect it is a status of HTTP, which browsers log as if the
  // page had failed.
  return connect(window.location.origin, { protocol: "grpc-web", ...(token === "" ? {} : { token }) });
}

/** Fills the form for a token; `changed` is called when there is another one. */
export function accessForm(form: HTMLFormElement, changed: () => void): void {
  const token = element("input", { type: "password", autocomplete: "off", placeholder: "none" });
  token.value = sessionStorage.getItem(KEY) ?? "";
  form.append(field("Token or API key", token));
  form.addEventListener("submit", (event) => event.preventDefault());
  token.addEventListener("change", () => {
    sessionStorage.setItem(KEY, token.value.trim());
    client = connected();
    changed();
  });
}
