// Optimises, meets a conflict of constraints, and relaxes one by its button. Arguments: address, folder for pictures.
import { withPage } from "./browser.mjs";

const [url, folder] = process.argv.slice(2);

await withPage(`${url}/#/optimise`, {}, async (page) => {
  const button = page.getByRole("button", { name: "Optimise" });
  const weights = page.getByRole("region", { name: "Weights" }).locator("tbody tr");
  await page.getByLabel("Dates", { exact: true }).fill("500");
  await button.click();
  await weights.first().waitFor();
  const first = await weights.allInnerTexts();

  await page.getByLabel("Largest weight").fill("10");
  await button.click();
  const conflicts = page.getByRole("region", { name: "These constraints cannot hold together" }).locator("tbody tr");
  await conflicts.first().waitFor();
  const shown = await conflicts.allInnerTexts();
  await page.screenshot({ path: `${folder}/conflict.png`, fullPage: true });
  await page.getByRole("button", { name: /^Relax largest weight/ }).click();
  await weights.first().waitFor();
  const upper = await page.getByLabel("Largest weight").inputValue();
  await page.screenshot({ path: `${folder}/optimised.png`, fullPage: true });
  return { first, shown, upper, relaxed: await weights.allInnerTexts() };
});
