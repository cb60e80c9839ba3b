/** A server in this process that sends what a test says, over the same libraries and a real connection. */

import { createServer, type Http2Server, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";

import { Code, ConnectError, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";

import { ErrorInfoSchema } from "@abs-finance/client/google/rpc/error_details";
import { EventService, type WatchEventsRequest } from "@abs-finance/client/v1/event_service";

/** A server and its address. */
export class FakeServer {
  readonly #sessions = new Set<ServerHttp2Session>();
  #server: Http2Server | undefined;
  #routes: (router: ConnectRouter) => void;
  #port = 0;

  constructor(routes: (router: ConnectRouter) => void) {
    this.#routes = routes;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Listens on the port of before, or on a free one. */
  async start(): Promise<this> {
    const server = createServer(connectNodeAdapter({ routes: this.#routes }));
    server.on("session", (session) => {
      this.#sessions.add(session);
      session.on("close", () => this.#sessions.delete(session));
    });
    await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
    return this;
  }

  /** Breaks all connections, as a network does. */
  cut(): void {
    for (const session of this.#sessions) {
      session.destroy();
    }
  }

  /** Breaks all connections and takes no new ones. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) {
      return;
    }
    this.#server = undefined;
    const closed = new Promise((resolve) => server.close(resolve));
    this.cut();
    await closed;
  }
}

/** An error as the server sends it. */
export function failure(code: Code, reason: string, headers: Record<string, string> = {}): ConnectError {
  return new ConnectError(`because of ${reason}`, code, headers, [
    { desc: ErrorInfoSchema, value: { reason, domain: "absfinance" } },
  ]);
}

/** A log of signals. `broken` is called with the number of each event that is sent, and may break the connection. */
export class FakeLog {
  epoch = "first";
  oldest = 1;
  readonly requests: WatchEventsRequest[] = [];
  broken: (count: number) => void = () => undefined;
  #sent = 0;

  constructor(readonly count: number) {}

  readonly routes = (router: ConnectRouter): void => {
    router.rpc(EventService.method.watchEvents, (request, context) => this.#events(request, context));
  };

  async *#events(request: WatchEventsRequest, context: HandlerContext) {
    this.requests.push(request);
    if (request.epoch !== "" && request.epoch !== this.epoch) {
      throw failure(Code.FailedPrecondition, "EPOCH_CHANGED");
    }
    if (request.afterSequence > 0n && request.afterSequence + 1n < BigInt(this.oldest)) {
      throw failure(Code.OutOfRange, "EVENTS_COMPACTED");
    }
    const snapshot = { oldestSequence: BigInt(this.oldest), newestSequence: BigInt(this.count) };
    yield this.#envelope(request.afterSequence, { case: "snapshot" as const, value: snapshot });
    const first = Math.max(Number(request.afterSequence) + 1, this.oldest);
    for (let sequence = first; sequence <= this.count; sequence += 1) {
      const signal = { message: `signal ${sequence}` };
      yield this.#envelope(BigInt(sequence), { case: "signal" as const, value: signal });
      await new Promise((resolve) => setTimeout(resolve, 2));
      this.#sent += 1;
      this.broken(this.#sent);
    }
    yield this.#envelope(BigInt(this.count + 1), { case: "heartbeat" as const, value: {} });
    await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
  }

  #envelope<E>(sequence: bigint, event: E) {
    return { sequence, epoch: this.epoch, event };
  }
}
