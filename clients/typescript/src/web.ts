/** Entry point for the browser: Connect or gRPC-Web over fetch. It imports nothing of Node. */

import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";

import { Client, type ClientOptions, DEFAULT_TIMEOUT_MS, interceptorsOf } from "./client.js";

export * from "./exports.js";

/** Options of a connection. */
export interface ConnectOptions extends ClientOptions {
  /** Protocol of the calls, "connect" if absent. */
  protocol?: "connect" | "grpc-web";
  /** With the protocol "connect": messages as JSON, which the tools of a browser show. */
  json?: boolean;
  /** In place of the fetch of the browser. */
  fetch?: typeof globalThis.fetch;
}

/**
 * A client of the server at `url`, such as "https://portfolio.example.com". A browser cannot send streams: the methods
 * OptimizeBatch, ReallocateBatch, ImportPrices and PublishMarketData fail there.
 */
export function connect(url: string, options: ConnectOptions = {}): Client {
  const shared = {
    baseUrl: url,
    defaultTimeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    interceptors: interceptorsOf(options),
    ...(options.fetch ? { fetch: options.fetch } : {}),
  };
  const transport =
    options.protocol === "grpc-web"
      ? createGrpcWebTransport(shared)
      : createConnectTransport({ ...shared, useBinaryFormat: !options.json });
  return new Client(transport);
}
