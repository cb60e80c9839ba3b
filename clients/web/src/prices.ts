/** Which prices a calculation uses: stored ones of the server, or sample prices that the page makes up. */

import { Panel } from "@abs-finance/client/web";

import { client } from "./connection.js";
import { choice, element, field, number } from "./elements.js";

/** Most symbols that are proposed; more can be typed. */
const PROPOSED = 20;

/** Fields for the choice of prices. */
export class PriceFields {
  readonly root = element("fieldset", {}, element("legend", {}, "Prices"));
  readonly #source = choice("source", { sample: "Sample prices, simulated", stored: "Stored prices of the server" });
  readonly #assets = number("assets", "8", { min: 2, max: 26, step: 1 });
  readonly #dates = number("dates", "2000", { min: 50, max: 15000, step: 1 });
  readonly #symbols = element("textarea", { name: "symbols", rows: 2, spellcheck: "false" });
  readonly #start = element("input", { type: "date", name: "start" });
  readonly #sample = element("div", { class: "fields" }, field("Assets", this.#assets), field("Dates", this.#dates));
  readonly #stored = element(
    "div",
    { class: "fields" },
    field("Symbols", this.#symbols, "With commas between them"),
    field("From", this.#start, "The earliest date if empty"),
  );

  constructor() {
    this.root.append(field("Source", this.#source), this.#sample, this.#stored);
    this.#source.addEventListener("change", () => this.#show());
    this.#show();
    void this.#propose();
  }

  /** The input of a request. */
  input() {
    return this.#source.value === "sample" ? this.#simulated() : this.#selection();
  }

  #simulated() {
    return { case: "prices" as const, value: samplePrices(Number(this.#assets.value), Number(this.#dates.value)).toMessage() };
  }

  #selection() {
    const symbols = this.#symbols.value.split(",").map((symbol) => symbol.trim()).filter(Boolean);
    const [year, month, day] = this.#start.value.split("-").map(Number);
    const startDate = year && month && day ? { startDate: { year, month, day } } : {};
    return { case: "marketData" as const, value: { symbols, ...startDate } };
  }

  #show(): void {
    const sample = this.#source.value === "sample";
    this.#sample.hidden = !sample;
    this.#stored.hidden = sample;
    for (const input of [this.#assets, this.#dates]) {
      input.disabled = !sample;
    }
  }

  /** Names what is stored. Where it cannot be read, the symbols are typed. */
  async #propose(): Promise<void> {
    const { instruments } = await client.marketData.listInstruments({ pageSize: 1000 }).catch(() => ({ instruments: [] }));
    const symbols = instruments.filter(({ hasPrices }) => hasPrices).map(({ symbol }) => symbol);
    if (symbols.length > 0 && this.#symbols.value === "") {
      this.#symbols.value = symbols.slice(0, PROPOSED).join(", ");
      this.#symbols.closest(".field")?.querySelector("small")?.append(`; prices of ${symbols.length} are stored`);
    }
  }
}

/** Prices of random walks with a common part, the same at each call; symbols A, B, ... on weekdays up to 2024. */
export function samplePrices(assets: number, dates: number): Panel {
  let state = 7;
  const random = (): number => (state = (state * 48271) % 2147483647) / 2147483647;
  const shock = (): number => random() + random() + random() + random() - 2; // variance 1/3
  const prices = Array.from({ length: assets }, () => 100);
  const rows = Array.from({ length: dates }, () => {
    const market = shock();
    return prices.map((price, asset) => {
      const [drift, size] = [0.0003 + 0.0001 * (asset % 6), 0.004 + 0.0018 * (asset % 6)];
      prices[asset] = price * Math.exp(drift + size * (0.7 * market + 1.1 * shock()));
      return price;
    });
  });
  return Panel.of(Array.from(prices, (_, asset) => String.fromCharCode(65 + asset)), weekdays(dates), rows);
}

/** Days since 1970-01-01, the last one in December 2024. */
function weekdays(count: number): number[] {
  const found: number[] = [];
  for (let day = 20_087; found.length < count; day -= 1) {
    const weekday = (day + 4) % 7; // 1970-01-01 was a Thursday; Sunday is 0
    if (weekday !== 0 && weekday !== 6) {
      found.push(day);
    }
  }
  return found.reverse();
}
