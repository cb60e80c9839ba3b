import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { type Client, connect, type ConnectOptions, DeadlineExceeded, TransientError } from "@abs-finance/client";
import { BacktestService } from "@abs-finance/client/v1/backtest_service";
import { MarketDataService } from "@abs-finance/client/v1/market_data_service";
import { OptimizationService } from "@abs-finance/client/v1/optimization_service";
import { PortfolioService } from "@abs-finance/client/v1/portfolio_service";
import { Code, type ConnectRouter } from "@connectrpc/connect";

import { failure, FakeServer } from "./fake_server.js";

const open: { client: Client; server: FakeServer }[] = [];

async function serving(routes: (router: ConnectRouter) => void, options: ConnectOptions = {}): Promise<Client> {
  const server = await new FakeServer(routes).start();
  const client = connect(server.address, options);
  open.push({ client, server });
  return client;
}

afterEach(async () => {
  for (const { client, server } of open.splice(0)) {
    client.close();
    await server.stop();
  }
});

test("a call is repeated with one request id of its own until it is answered", async () => {
  const ids: string[] = [];
  const client = await serving((router) => {
    router.rpc(OptimizationService.method.optimize, (request) => {
      ids.push(request.requestId);
      if (ids.length < 3) {
        throw failure(Code.Unavailable, "DRAINING");
      }
      return { name: "optimizations/x" };
    });
  });
  const answer = await client.optimization.optimize({});
  assert.equal(answer.name, "optimizations/x");
  assert.equal(ids.length, 3);
  assert.match(ids[0] ?? "", /^[0-9a-f]{32}$/);
  assert.equal(new Set(ids).size, 1);
});

test("the caller's request id is sent as it is", async () => {
  const ids: string[] = [];
  const client = await serving((router) => {
    router.rpc(BacktestService.method.backtest, (request) => {
      ids.push(request.requestId);
      return {};
    });
  });
  await client.backtests.backtest({ requestId: "mine" });
  assert.deepEqual(ids, ["mine"]);
});

test("a call is made four times at most", async () => {
  let calls = 0;
  const client = await serving((router) => {
    router.rpc(OptimizationService.method.optimize, () => {
      calls += 1;
      throw failure(Code.ResourceExhausted, "OVERLOADED", { "grpc-retry-pushback-ms": "5" });
    });
  });
  await assert.rejects(client.optimization.optimize({}), (error) => error instanceof TransientError && error.reason === "OVERLOADED");
  assert.equal(calls, 4);
});

test("neither other errors, nor those the server does not want repeated, nor other methods are repeated", async () => {
  let calls = 0;
  const client = await serving((router) => {
    router.rpc(OptimizationService.method.optimize, () => {
      calls += 1;
      throw failure(Code.FailedPrecondition, "PROBLEM_INFEASIBLE");
    });
    router.rpc(BacktestService.method.backtest, () => {
      calls += 1;
      throw failure(Code.ResourceExhausted, "STORAGE_FULL", { "grpc-retry-pushback-ms": "-1" });
    });
    router.rpc(PortfolioService.method.updatePortfolio, () => {
      calls += 1;
      throw failure(Code.Unavailable, "DRAINING");
    });
  });
  await assert.rejects(client.optimization.optimize({}));
  assert.equal(calls, 1);
  await assert.rejects(client.backtests.backtest({}));
  assert.equal(calls, 2);
  await assert.rejects(client.portfolios.updatePortfolio({}));
  assert.equal(calls, 3);
});

test("a stream is repeated before its first answer, and not after it", async () => {
  let calls = 0;
  const client = await serving((router) => {
    router.rpc(MarketDataService.method.getPrices, async function* () {
      calls += 1;
      if (calls === 1) {
        throw failure(Code.Unavailable, "DRAINING");
      }
      yield { part: { case: "header" as const, value: { symbols: ["A"] } } };
      throw failure(Code.Unavailable, "DRAINING");
    });
  });
  const parts: (string | undefined)[] = [];
  await assert.rejects(async () => {
    for await (const { part } of client.marketData.getPrices({})) {
      parts.push(part.case);
    }
  }, TransientError);
  assert.deepEqual(parts, ["header"]);
  assert.equal(calls, 2);
});

test("the time limit ends repetitions", async () => {
  const client = await serving(
    (router) => {
      router.rpc(OptimizationService.method.optimize, () => {
        throw failure(Code.Unavailable, "DRAINING", { "grpc-retry-pushback-ms": "60000" });
      });
    },
    { timeoutMs: 200 },
  );
  const begun = Date.now();
  await assert.rejects(client.optimization.optimize({}), DeadlineExceeded);
  assert.ok(Date.now() - begun < 5000);
});
