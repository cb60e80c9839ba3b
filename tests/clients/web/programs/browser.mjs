// A browser in which what goes wrong is noted. CHROMIUM names the program.
import { chromium } from "playwright-core";

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"];

/** Opens the page, does `work` with it, and prints what it returns with the errors of the console, as JSON. */
export async function withPage(url, options, work) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: FLAGS });
  try {
    const page = await browser.newPage({ viewport: { width: 1100, height: 900 }, ...options });
    page.setDefaultTimeout(60_000);
    const problems = [];
    const requests = [];
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("request", (request) => requests.push(request.url()));
    await page.goto(url);
    const found = await work(page);
    console.log(JSON.stringify({ problems, foreign: requests.filter((one) => !one.startsWith(new URL(url).origin)), ...found }));
  } finally {
    await browser.close();
  }
}
