// Opens each view on a desk, in the dark and on a phone, and prints what axe finds, the width of the page, and what the
// tabulator reaches. Arguments: address of the page, folder for pictures.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { withPage } from "./browser.mjs";

const [url, folder] = process.argv.slice(2);
const axe = readFileSync(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");
const screens = {
  light: { width: 1100, colorScheme: "light" },
  dark: { width: 1100, colorScheme: "dark" },
  phone: { width: 360, colorScheme: "light" },
};

await withPage(url, {}, async (page) => {
  const links = await page.getByRole("navigation", { name: "Views" }).getByRole("link").evaluateAll((all) => all.map((a) => a.hash));
  const backtest = await finished(page);
  const views = [];
  for (const [screen, { width, colorScheme }] of Object.entries(screens)) {
    await page.setViewportSize({ width, height: 800 });
    await page.emulateMedia({ colorScheme });
    for (const hash of [...links, `#/${backtest}`]) {
      await page.goto(`${url}/${hash}`);
      await page.locator("h1").waitFor();
      if (hash.endsWith(backtest)) {
        await page.locator("path.series").first().waitFor();
        await page.getByRole("region", { name: "Result" }).waitFor();
      }
      await page.evaluate(axe);
      const { violations, passes } = await page.evaluate(() => globalThis.axe.run(document));
      views.push({
        view: `${hash} ${screen}`,
        screen,
        checked: passes.length,
        faults: violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map(({ html }) => html).join("; ")}`),
        sideways: await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
        paper: await page.evaluate(() => getComputedStyle(document.body).backgroundColor),
      });
      await page.screenshot({ path: `${folder}/${hash.split("/")[1]}-${hash.split("/").length}-${screen}.png`, fullPage: true });
    }
  }
  await page.goto(`${url}/#/optimise`);
  await page.locator("h1").waitFor();
  const reached = [];
  for (let count = 0; count < 40; count += 1) {
    await page.keyboard.press("Tab");
    reached.push(await page.evaluate(() => document.activeElement.labels?.[0]?.textContent ?? document.activeElement.textContent));
  }
  return { links, views, reached };
});

/** The name of a backtest that has succeeded. */
async function finished(page) {
  await page.getByLabel("Dates", { exact: true }).fill("300");
  await page.getByRole("button", { name: "Start the backtest" }).click();
  await page.getByRole("region", { name: "Result" }).waitFor();
  return new URL(page.url()).hash.replace("#/", "");
}
