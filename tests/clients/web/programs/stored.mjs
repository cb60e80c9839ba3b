// Optimises over prices that the server has stored. Arguments: address, folder for pictures.
import { withPage } from "./browser.mjs";

const [url, folder] = process.argv.slice(2);

await withPage(`${url}/#/optimise`, {}, async (page) => {
  const weights = page.getByRole("region", { name: "Weights" }).locator("tbody tr");
  await page.getByLabel("Source").selectOption("stored");
  const symbols = page.getByLabel("Symbols");
  await page.waitForFunction((field) => field.value !== "", await symbols.elementHandle());
  const proposed = await symbols.inputValue();
  const hint = await page.locator(".field small", { hasText: "are stored" }).innerText();
  await page.getByLabel("Largest weight").fill("100");
  await page.getByRole("button", { name: "Optimise" }).click();
  await weights.first().waitFor();
  await page.screenshot({ path: `${folder}/stored.png`, fullPage: true });
  return { proposed, hint, weights: await weights.allInnerTexts() };
});
