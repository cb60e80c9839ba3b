import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";

import { Cancelled, Code, connect, type ConnectOptions, InternalError, TransientError } from "@abs-finance/client";
import { MarketDataService } from "@abs-finance/client/v1/market_data_service";
import { OptimizationService } from "@abs-finance/client/v1/optimization_service";
import { PortfolioService } from "@abs-finance/client/v1/portfolio_service";

import { FakeServer } from "./fake_server.js";

const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

function isUnavailable(error: unknown): true {
  assert.ok(error instanceof TransientError, String(error));
  assert.equal(error.code, Code.Unavailable);
  return true;
}

test("a connection that breaks is UNAVAILABLE; a call that may be repeated survives it", { timeout: 30_000 }, async () => {
  let calls = 0;
  const server = new FakeServer((router) => {
    router.rpc(OptimizationService.method.optimize, async () => {
      calls += 1;
      if (calls === 1) {
        server.cut();
        await sleep(100);
      }
      return { name: "optimizations/x" };
    });
    router.rpc(OptimizationService.method.getOptimization, () => {
      throw new Error("a fault of the server");
    });
    router.rpc(PortfolioService.method.updatePortfolio, async () => {
      server.cut();
      await sleep(100);
      return {};
    });
    router.rpc(MarketDataService.method.getPrices, async function* () {
      yield { part: { case: "header" as const, value: {} } };
      await sleep(50);
      server.cut();
      await sleep(100);
    });
  });
  await server.start();
  const client = connect(server.address);
  assert.equal((await client.optimization.optimize({})).name, "optimizations/x");
  assert.equal(calls, 2);
  await assert.rejects(client.portfolios.updatePortfolio({}), isUnavailable);
  await assert.rejects(client.prices({ symbols: ["A"] }), isUnavailable);
  await assert.rejects(client.optimization.getOptimization({}), InternalError);
  const controller = new AbortController();
  controller.abort();
  await assert.rejects(client.optimization.optimize({}, { signal: controller.signal }), Cancelled);
  client.close();
  await server.stop();
});

test("what is no server of this kind is UNAVAILABLE", { timeout: 30_000 }, async () => {
  const listener = createServer((socket) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const { port } = listener.address() as { port: number };
  const attempts: [string, ConnectOptions][] = [
    [`127.0.0.1:${port}`, {}],
    [`127.0.0.1:${port}`, { tls: true }],
    ["127.0.0.1:1", {}],
  ];
  for (const [address, options] of attempts) {
    const client = connect(address, options);
    await assert.rejects(client.portfolios.updatePortfolio({}), isUnavailable);
    client.close();
  }
  listener.close();
});
