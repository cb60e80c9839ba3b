import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";

import { InfeasibleProblem } from "@abs-finance/client";
import { ErrorInfoSchema } from "@abs-finance/client/google/rpc/error_details";
import { InfeasibilityReportSchema } from "@abs-finance/client/v1/optimization";
import { OptimizationService } from "@abs-finance/client/v1/optimization_service";
import { connect } from "@abs-finance/client/web";
import { Code, ConnectError } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { build } from "esbuild";

import { FakeLog } from "./fake_server.js";

const log = new FakeLog(30);
let server: Server;
let url: string;

before(async () => {
  const adapter = connectNodeAdapter({
    routes: (router) => {
      log.routes(router);
      router.rpc(OptimizationService.method.optimize, (_, context) => {
        if (context.requestHeader.get("authorization") === "Bearer key") {
          return { name: "optimizations/x", weights: [{ symbol: "A", weight: 1 }] };
        }
        throw new ConnectError("no weights", Code.FailedPrecondition, {}, [
          { desc: ErrorInfoSchema, value: { reason: "PROBLEM_INFEASIBLE" } },
          { desc: InfeasibilityReportSchema, value: { conflicts: [{ label: "caps", smallestRelaxation: 0.1 }] } },
        ]);
      });
    },
  });
  server = createServer(adapter);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

after(() => {
  server.closeAllConnections();
  server.close();
});

for (const options of [{}, { json: true }, { protocol: "grpc-web" as const }]) {
  test(`answers, errors and events over ${JSON.stringify(options)}`, { timeout: 30_000 }, async () => {
    const answer = await connect(url, { ...options, token: "key" }).optimization.optimize({});
    assert.equal(answer.weights[0]?.weight, 1);
    const client = connect(url, options);
    await assert.rejects(client.optimization.optimize({}), (error) => {
      assert.ok(error instanceof InfeasibleProblem);
      assert.deepEqual(error.conflicts, [{ label: "caps", smallestRelaxation: 0.1 }]);
      return true;
    });
    log.broken = (count) => void (count % 10 === 0 ? server.closeAllConnections() : undefined);
    const found: number[] = [];
    for await (const { sequence, event } of client.watchEvents()) {
      if (event.case === "signal") {
        found.push(Number(sequence));
      }
      if (found.length === 30) {
        break;
      }
    }
    assert.deepEqual(found, Array.from({ length: 30 }, (_, index) => index + 1));
  });
}

test("the entry point of the browser imports nothing of Node", async () => {
  const { outputFiles, metafile } = await build({
    stdin: { contents: 'export * from "@abs-finance/client/web";', resolveDir: process.cwd() },
    bundle: true,
    format: "esm",
    platform: "browser",
    minify: true,
    write: false,
    metafile: true,
  });
  const inputs = Object.keys(metafile.inputs);
  assert.ok(inputs.some((path) => path.endsWith("dist/web.js")));
  assert.deepEqual(inputs.filter((path) => path.includes("connect-node") || path.endsWith("dist/node.js")), []);
  const text = outputFiles[0]?.text ?? "";
  assert.doesNotMatch(text, /from"node:|require\("/);
});
