import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { type Client, connect } from "@abs-finance/client";
import { BacktestService } from "@abs-finance/client/v1/backtest_service";

import { FakeServer } from "./fake_server.js";

const TICKS = 200;
const server = new FakeServer((router) => {
  // A log of one stage: a milestone, many ticks with a point each, a milestone, the end. The first call breaks early,
  // and a call that resumes sends the curve from its beginning.
  let calls = 0;
  router.rpc(BacktestService.method.backtestProgress, async function* (request) {
    calls += 1;
    const place = request.afterSequence;
    const envelope = <E>(sequence: number, event: E) => ({ sequence: BigInt(sequence), epoch: "e", event });
    yield envelope(Number(place), { case: "snapshot" as const, value: {} });
    if (place < 1000n) {
      yield envelope(1000, { case: "milestone" as const, value: { message: "begun" } });
    }
    const start = calls === 1 ? 0 : 50;
    for (let index = start; index < TICKS; index += 1) {
      const dates = index === start ? Array.from({ length: index + 1 }, (_, day) => day) : [index];
      const value = { fraction: index / TICKS, stageIndex: 0, equity: { dates, navs: dates.map((day) => 1 + day) } };
      yield envelope(Math.max(Number(place), 1000) + 1 + index - start, { case: "tick" as const, value });
      if (calls === 1 && index === 80) {
        await new Promise((resolve) => setTimeout(resolve, 300)); // until the client has these ticks
        server.cut();
      }
    }
    yield envelope(2000, { case: "milestone" as const, value: { message: "almost" } });
    yield envelope(3000, { case: "finished" as const, value: { state: 3 } });
  });
});
let client: Client;

before(async () => {
  await server.start();
  client = connect(server.address);
});

after(async () => {
  client.close();
  await server.stop();
});

test("a slow reader gets few ticks, every milestone, and each point of the curve once", { timeout: 30_000 }, async () => {
  const milestones: string[] = [];
  const dates: number[] = [];
  let [ticks, last, snapshots] = [0, 0n, 0];
  for await (const { sequence, event } of client.watchBacktest("backtests/x")) {
    assert.ok(event.case === "snapshot" || sequence > last, `${sequence} after ${last}`);
    last = sequence;
    if (event.case === "tick") {
      ticks += 1;
      dates.push(...(event.value.equity?.dates ?? []));
      assert.equal(event.value.equity?.navs.length, event.value.equity?.dates.length);
    } else {
      snapshots += event.case === "snapshot" ? 1 : 0;
      milestones.push(event.case === "milestone" ? event.value.message : String(event.case));
    }
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  assert.deepEqual(milestones, ["snapshot", "begun", "almost", "finished"]);
  assert.equal(snapshots, 1);
  assert.ok(ticks < TICKS / 4, `${ticks} ticks`);
  assert.deepEqual(dates, Array.from({ length: TICKS }, (_, day) => day));
});
