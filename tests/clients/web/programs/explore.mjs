// Traces a frontier, drags along it, and moves along it by keys; plans trades; opens the charts of a backtest; reads the
// events until one has a message. Arguments: address of the page, folder for pictures, the message.
import { withPage } from "./browser.mjs";

const [url, folder, message] = process.argv.slice(2);

await withPage(`${url}/#/frontier`, {}, async (page) => {
  const weights = (name) => page.getByRole("region", { name }).locator("tbody tr");
  await page.getByLabel("Dates", { exact: true }).fill("500");
  await page.getByRole("button", { name: "Trace the frontier" }).click();
  await page.locator(".frontier .chosen").waitFor();
  const middle = await page.getByRole("status").innerText();
  const slider = page.getByLabel("Least return a year");
  const box = await page.locator(".frontier").boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2, box.y + 10, { steps: 10 });
  await page.mouse.up();
  const top = await chosenAt(page, slider);
  await slider.press("Home");
  const bottom = await chosenAt(page, slider);
  const chosen = await weights("Weights").allInnerTexts();
  await page.screenshot({ path: `${folder}/frontier.png`, fullPage: true });

  await page.getByRole("link", { name: "Reallocate" }).click();
  await page.getByRole("button", { name: "Plan the trades" }).click();
  await weights("Trades in their order").first().waitFor();
  const trades = await weights("Trades in their order").allInnerTexts();
  await page.screenshot({ path: `${folder}/reallocation.png`, fullPage: true });

  await page.getByRole("link", { name: "Backtests" }).click();
  await page.getByLabel("Dates", { exact: true }).fill("300");
  await page.getByRole("button", { name: "Start the backtest" }).click();
  await page.getByText("Charts", { exact: true }).click();
  await page.locator(".charts figure svg").nth(3).waitFor();
  const charts = await page.locator(".charts figure svg").count();
  await page.screenshot({ path: `${folder}/charts.png`, fullPage: true });

  await page.getByRole("link", { name: "Events" }).click();
  await page.locator("ol.log li").filter({ hasText: message }).first().waitFor();
  const events = await page.locator("ol.log li").allInnerTexts();
  return { middle, top, bottom, chosen, trades, charts, events };
});

/** The figures of the weights for the return that the slider stands at, once they are there. */
async function chosenAt(page, slider) {
  const least = await slider.getAttribute("aria-valuetext");
  const found = page.getByRole("status").filter({ hasText: `Return ${least} and` });
  await found.waitFor();
  return found.innerText();
}
