/** Vega with an interpreter of its expressions: the page allows no script that is made from text. */

import { parse, View } from "vega";
import { expressionInterpreter } from "vega-interpreter";
import { compile, type TopLevelSpec } from "vega-lite";

/** Draws a specification of Vega-Lite as SVG. */
export async function render(spec: object, into: HTMLElement): Promise<void> {
  const { spec: compiled } = compile(spec as TopLevelSpec);
  const view = new View(parse(compiled, undefined, { ast: true }), {
    renderer: "svg",
    container: into,
    expr: expressionInterpreter,
    hover: true,
  });
  await view.runAsync();
}
