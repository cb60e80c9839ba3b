// Starts a long backtest from the page, follows it, reloads in the middle, cancels it; then a short one to its end.
// Arguments: address of the page, folder for pictures.
import { withPage } from "./browser.mjs";

const [url, folder] = process.argv.slice(2);

await withPage(url, {}, async (page) => {
  await page.getByLabel("Equal weights").uncheck();
  await page.getByLabel("Least risk").check();
  await page.getByLabel("Dates", { exact: true }).fill("12000");
  await page.getByLabel("Rebalance every").fill("1");
  await page.getByRole("button", { name: "Start the backtest" }).click();
  await page.waitForURL(/#\/backtests\/.+/);
  const before = await live(page);
  await page.screenshot({ path: `${folder}/live.png` });
  await page.reload();
  const after = await live(page);
  await page.getByRole("button", { name: "Cancel" }).click();
  await state(page, "cancelled");
  const cancelled = { button: await page.getByRole("button", { name: "Cancel" }).isVisible() };

  await page.getByRole("link", { name: "Start another backtest" }).click();
  await page.getByLabel("Inverse volatility").check();
  await page.getByLabel("Dates", { exact: true }).fill("600");
  await page.getByRole("button", { name: "Start the backtest" }).click();
  await state(page, "succeeded");
  const result = page.getByRole("region", { name: "Result" }).locator("tbody tr");
  await result.nth(1).waitFor();
  await page.getByRole("img", { name: "Net asset value and drawdown over time" }).locator("path.series").nth(3).waitFor();
  const rows = await result.allInnerTexts();
  const stand = await page.getByRole("region", { name: "Where the curves stand" }).locator("tbody tr").allInnerTexts();
  await page.screenshot({ path: `${folder}/finished.png`, fullPage: true });
  return { before, after, cancelled, rows, stand };
});

/** What stands on the page once the curve has been drawn some way. */
async function live(page) {
  const line = page.locator("path.series").first();
  await page.waitForFunction(() => (document.querySelector("path.series")?.getAttribute("d")?.length ?? 0) > 1000);
  await page.locator("ol.log li").first().waitFor();  // a milestone is told when it is stored, ticks at once
  return {
    state: await page.getByRole("status").innerText(),
    done: await page.getByRole("progressbar").evaluate((bar) => bar.value),
    facts: await page.locator(".facts").innerText(),
    starts: (await line.getAttribute("d")).split("L")[0],
    lines: await page.locator("path.series").count(),
    milestones: await page.locator("ol.log li").allInnerTexts(),
    dates: await page.getByRole("region", { name: "Where the curves stand" }).locator("tbody td").first().innerText(),
  };
}

async function state(page, text) {
  await page.getByRole("status").filter({ hasText: new RegExp(`^${text}$`, "i") }).waitFor();
}
