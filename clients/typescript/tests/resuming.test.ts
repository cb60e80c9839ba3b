import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { AbsFinanceError, type Client, connect, type ConnectOptions, EventsLost, NotFound, type ResumingOptions } from "@abs-finance/client";
import { EventService } from "@abs-finance/client/v1/event_service";
import { Code } from "@connectrpc/connect";

import { failure, FakeLog, FakeServer } from "./fake_server.js";

const open: { client: Client; server: FakeServer }[] = [];

async function started(server: FakeServer, options: ConnectOptions = {}): Promise<Client> {
  await server.start();
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

/** The sequences of the first `most` signals, and the number of snapshots. */
async function signals(client: Client, most: number, options: ResumingOptions = {}): Promise<[number[], number]> {
  const found: number[] = [];
  let snapshots = 0;
  for await (const { sequence, event } of client.watchEvents({}, options)) {
    assert.notEqual(event.case, "heartbeat");
    if (event.case === "snapshot") {
      snapshots += 1;
    } else {
      found.push(Number(sequence));
    }
    if (found.length >= most) {
      break;
    }
  }
  return [found, snapshots];
}

const upTo = (last: number, first = 1): number[] => Array.from({ length: last - first + 1 }, (_, index) => first + index);

test("a connection that breaks many times loses and repeats nothing", { timeout: 60_000 }, async () => {
  const log = new FakeLog(100);
  const server = new FakeServer(log.routes);
  log.broken = (count) => (count % 7 === 0 ? server.cut() : undefined);
  const client = await started(server);
  let resumptions = 0;
  const [found, snapshots] = await signals(client, 100, { onResume: () => void (resumptions += 1) });
  assert.deepEqual(found, upTo(100));
  assert.equal(snapshots, 1);
  assert.ok(resumptions >= 10, `${resumptions} resumptions`);
  assert.ok(log.requests.slice(1).every((request) => request.afterSequence > 0n && request.epoch === "first"));
});

test("a server that is away for a while is found again", { timeout: 30_000 }, async () => {
  const log = new FakeLog(20);
  const server = new FakeServer(log.routes);
  log.broken = (count) => {
    if (count === 5) {
      void server.stop().then(() => setTimeout(() => void server.start(), 1000));
    }
  };
  const client = await started(server);
  const causes: (AbsFinanceError | undefined)[] = [];
  const [found] = await signals(client, 20, { onResume: (_, cause) => void causes.push(cause) });
  assert.deepEqual(found, upTo(20));
  assert.ok(causes.length >= 2 && causes.every((cause) => cause instanceof AbsFinanceError));
});

test("patience ends", { timeout: 30_000 }, async () => {
  const log = new FakeLog(20);
  const server = new FakeServer(log.routes);
  const client = await started(server);
  log.broken = (count) => void (count === 5 ? void server.stop() : undefined);
  await assert.rejects(signals(client, 20, { patienceSeconds: 0.5 }), AbsFinanceError);
});

test("the time that the reader takes is no silence of the server", { timeout: 30_000 }, async () => {
  const log = new FakeLog(20);
  const server = new FakeServer(log.routes);
  const client = await started(server);
  log.broken = (count) => (count === 5 ? server.cut() : undefined);
  const found: number[] = [];
  for await (const { sequence, event } of client.watchEvents({}, { patienceSeconds: 1 })) {
    if (event.case === "signal") {
      found.push(Number(sequence));
      await new Promise((resolve) => setTimeout(resolve, found.length === 1 ? 1500 : 0));
    }
    if (found.length === 20) {
      break;
    }
  }
  assert.deepEqual(found, upTo(20));
});

test("a log that was compacted is a typed error, or starts again without what was received", { timeout: 30_000 }, async () => {
  for (const onEventsLost of ["throw", "restart"] as const) {
    const log = new FakeLog(30);
    const server = new FakeServer(log.routes);
    const client = await started(server);
    log.broken = (count) => {
      if (count === 10) {
        log.oldest = 15;
        server.cut();
      }
    };
    const reading = signals(client, 26, { onEventsLost });
    if (onEventsLost === "throw") {
      await assert.rejects(reading, (error) => error instanceof EventsLost && error.reason === "EVENTS_COMPACTED");
    } else {
      const [found] = await reading;
      assert.deepEqual(found.slice(-16), upTo(30, 15));
      assert.deepEqual(found, [...new Set(found)].sort((a, b) => a - b));
    }
  }
});

test("of a log that starts again, what was received is left out", { timeout: 20_000 }, async () => {
  const places: bigint[] = [];
  const server = new FakeServer((router) => {
    router.rpc(EventService.method.watchEvents, async function* (request, context) {
      places.push(request.afterSequence);
      if (request.afterSequence > 0n) {
        throw failure(Code.OutOfRange, "EVENTS_COMPACTED");
      }
      const [first, last] = places.length === 1 ? [1, 5] : [3, 8];
      for (const sequence of upTo(last, first)) {
        yield { epoch: "e", sequence: BigInt(sequence), event: { case: "signal" as const, value: {} } };
      }
      if (places.length > 1) {
        await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
      }
    });
  });
  const client = await started(server);
  const [found] = await signals(client, 8, { onEventsLost: "restart" });
  assert.deepEqual(found, upTo(8));
  assert.deepEqual(places, [0n, 5n, 0n]);
});

test("another log is a typed error, or is read from its start with its own snapshot", { timeout: 30_000 }, async () => {
  for (const onEventsLost of ["throw", "restart"] as const) {
    const log = new FakeLog(12);
    const server = new FakeServer(log.routes);
    const client = await started(server);
    log.broken = (count) => {
      if (count === 10) {
        log.epoch = "second";
        server.cut();
      }
    };
    const reading = signals(client, 21, { onEventsLost });
    if (onEventsLost === "throw") {
      await assert.rejects(reading, (error) => error instanceof EventsLost && error.reason === "EPOCH_CHANGED");
    } else {
      const [found, snapshots] = await reading;
      assert.equal(snapshots, 2);
      const start = found.indexOf(1, 1);
      assert.ok(start >= 9, String(found));
      assert.deepEqual(found, [...upTo(start), ...upTo(21 - start)]);
    }
  }
});

test("an error of the request is no reason to try again", { timeout: 10_000 }, async () => {
  let calls = 0;
  const server = new FakeServer((router) => {
    router.rpc(EventService.method.watchEvents, async function* () {
      calls += 1;
      yield* [];
      throw failure(Code.NotFound, "NOT_FOUND");
    });
  });
  const client = await started(server);
  await assert.rejects(signals(client, 1), NotFound);
  assert.equal(calls, 1);
});

test("an answer that cannot be read does not make an endless loop", { timeout: 20_000 }, async () => {
  let calls = 0;
  const server = new FakeServer((router) => {
    router.rpc(EventService.method.watchEvents, async function* () {
      calls += 1;
      yield { epoch: "first", event: { case: "snapshot" as const, value: {} } };
      throw new Error("broken after the snapshot");
    });
  });
  const client = await started(server);
  await assert.rejects(signals(client, 1, { patienceSeconds: 1 }), AbsFinanceError);
  assert.ok(calls < 10, `${calls} calls`);
});

test("a token that ends while a stream is read is replaced", { timeout: 20_000 }, async () => {
  const tokens: (string | null)[] = [];
  const server = new FakeServer((router) => {
    router.rpc(EventService.method.watchEvents, async function* (_, context) {
      tokens.push(context.requestHeader.get("authorization"));
      yield { epoch: "e", event: { case: "snapshot" as const, value: {} } };
      yield { epoch: "e", sequence: BigInt(tokens.length), event: { case: "signal" as const, value: {} } };
      throw failure(Code.Unauthenticated, "TOKEN_EXPIRED");
    });
  });
  let asked = 0;
  const client = await started(server, { token: () => `token ${(asked += 1)}` });
  await signals(client, 3);
  assert.deepEqual(tokens, ["Bearer token 1", "Bearer token 2", "Bearer token 3"]);
});

test("a silent server is left", { timeout: 30_000 }, async () => {
  let calls = 0;
  const server = new FakeServer((router) => {
    router.rpc(EventService.method.watchEvents, async function* (_, context) {
      calls += 1;
      yield { epoch: "e", sequence: BigInt(calls), event: { case: "signal" as const, value: {} } };
      await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
    });
  });
  const client = await started(server);
  const [found] = await signals(client, 2, { heartbeatSeconds: 1 });
  assert.deepEqual(found, [1, 2]);
});

test("a reader that leaves ends the call, and a signal ends the stream", { timeout: 20_000 }, async () => {
  let ended = 0;
  const server = new FakeServer((router) => {
    router.rpc(EventService.method.watchEvents, async function* (_, context) {
      context.signal.addEventListener("abort", () => void (ended += 1));
      for (let sequence = 1n; !context.signal.aborted; sequence += 1n) {
        yield { epoch: "e", sequence, event: { case: "signal" as const, value: {} } };
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    });
  });
  const client = await started(server);
  await signals(client, 2);
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 100);
  await assert.rejects(signals(client, 1000, { signal: controller.signal }), { name: "AbortError" });
  for (let wait = 0; ended < 2 && wait < 500; wait += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.equal(ended, 2);
});
