// A receiver of webhooks as a user would write one, with Node alone: it verifies the signature over what was sent,
// and refuses what is too old. The first argument is the secret. Standard input says how it behaves from then on:
// "ok", "error", "gone", "redirect", "hang", "flood". Each delivery is a line of JSON on standard output.
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import { createInterface } from "node:readline";

const secret = process.argv[2];
const WINDOW_SECONDS = 300;
let behaviour = "ok";

function isGenuine(header, body) {
  const parts = Object.fromEntries((header ?? "").split(",").map((part) => part.split("=")));
  if (Math.abs(Date.now() / 1000 - Number(parts.t)) > WINDOW_SECONDS) return false;
  const expected = createHmac("sha256", secret).update(`${parts.t}.`).update(body).digest();
  const given = Buffer.from(parts.v1 ?? "", "hex");
  return given.length === expected.length && timingSafeEqual(given, expected);
}

const server = createServer((request, response) => {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => {
    const body = Buffer.concat(pieces);
    const genuine = isGenuine(request.headers["absfin-signature"], body);
    const line = { genuine, behaviour, path: request.url, host: request.headers.host, body: JSON.parse(body) };
    console.log(JSON.stringify(line));
    answer(response);
  });
});

function answer(response) {
  response.on("error", () => {});
  if (behaviour === "hang") return;
  if (behaviour === "redirect") {
    response.writeHead(307, { location: `http://127.0.0.1:${server.address().port}/elsewhere` }).end();
  } else if (behaviour === "flood") {
    response.writeHead(200);
    const pour = () => {
      while (!response.destroyed && response.write("x".repeat(65536)));
    };
    response.on("drain", pour);
    pour();
  } else {
    response.writeHead({ ok: 204, error: 500, gone: 410 }[behaviour]).end();
  }
}

createInterface({ input: process.stdin }).on("line", (line) => {
  behaviour = line;
  console.log(JSON.stringify({ behaves: line }));
});
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
