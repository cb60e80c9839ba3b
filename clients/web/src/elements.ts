/** Elements of the page, made from plain values. */

type Child = Node | string | undefined | false;
type Properties = Record<string, string | number | boolean | EventListener | undefined>;

/** An element of HTML. A property that is a function listens, one that is a boolean is there or not. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return filled(document.createElement(tag), properties, children);
}

/** An element of SVG. */
export function drawing<K extends keyof SVGElementTagNameMap>(
  tag: K,
  properties: Properties = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), properties, children);
}

function filled<E extends Element>(made: E, properties: Properties, children: Child[]): E {
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") {
      made.addEventListener(name, value);
    } else if (value !== undefined && value !== false) {
      made.setAttribute(name, value === true ? "" : String(value));
    }
  }
  made.append(...children.filter((child) => child !== undefined && child !== false));
  return made;
}

let count = 0;

/** A field with its label and, where it is given, what it means. */
export function field(label: string, input: HTMLElement, hint?: string): HTMLElement {
  count += 1;
  input.id = `field-${count}`;
  const explanation = hint === undefined ? undefined : element("small", { id: `hint-${count}` }, hint);
  if (explanation) {
    input.setAttribute("aria-describedby", explanation.id);
  }
  return element("div", { class: "field" }, element("label", { for: input.id }, label), input, explanation);
}

/** A field for a number. */
export function number(name: string, value: string, properties: Properties = {}): HTMLInputElement {
  return element("input", { type: "number", name, value, step: "any", required: true, ...properties });
}

/** A field with choices, of which the first is chosen. */
export function choice(name: string, options: Readonly<Record<string, string>>): HTMLSelectElement {
  const entries = Object.entries(options).map(([value, text]) => element("option", { value }, text));
  return element("select", { name }, ...entries);
}

/** A table with a caption; the first cell of each row is its heading. A column that is `numeric` ends at one line. */
export function table(caption: string, columns: readonly string[], rows: readonly (readonly Child[])[]): HTMLElement {
  const head = element("tr", {}, ...columns.map((text) => element("th", { scope: "col" }, text)));
  const body = rows.map((cells) =>
    element("tr", {}, ...cells.map((cell, index) => (index === 0 ? element("th", { scope: "row" }, cell) : element("td", {}, cell)))),
  );
  const made = element("table", {}, element("caption", {}, caption), element("thead", {}, head), element("tbody", {}, ...body));
  // It scrolls by itself where it is wider than a phone, by the keyboard too.
  return element("div", { class: "scrolls", tabindex: 0, role: "region", "aria-label": caption }, made);
}
