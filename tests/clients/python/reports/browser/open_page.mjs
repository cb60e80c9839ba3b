// Opens an HTML file at several widths, in light and dark, and prints what a reader would meet, as JSON.
// node open_page.mjs CHROMIUM FILE FOLDER
import { chromium } from "playwright-core";
import { pathToFileURL } from "node:url";

const [executablePath, file, folder] = process.argv.slice(2);
const views = [
  { name: "desktop", width: 1200, colorScheme: "light" },
  { name: "dark", width: 1200, colorScheme: "dark" },
  { name: "phone", width: 360, colorScheme: "light" },
];
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
});
const seen = [];
for (const { name, width, colorScheme } of views) {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
  const problems = [];
  const requests = [];
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("request", (request) => requests.push(request.url()));
  await page.goto(pathToFileURL(file).href);
  await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
  const found = await page.evaluate(() => {
    const shown = (element) => element.getBoundingClientRect().width > 0;
    return {
      pageWidth: document.documentElement.scrollWidth,
      pictures: [...document.querySelectorAll("figure svg")].filter(shown).map((e) => e.getBoundingClientRect().width),
      ink: getComputedStyle(document.body).color,
      paper: getComputedStyle(document.body).backgroundColor,
      axis: getComputedStyle([...document.querySelectorAll("figure text")].find(shown)).fill,
    };
  });
  seen.push({ name, width, problems, requests, ...found });
  await page.close();
}
const page = await browser.newPage();
await page.goto(pathToFileURL(file).href);
await page.pdf({ path: `${folder}/print.pdf`, preferCSSPageSize: true });
await browser.close();
console.log(JSON.stringify(seen));
