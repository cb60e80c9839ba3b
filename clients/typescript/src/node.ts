/** Entry point for Node: gRPC over HTTP/2. */

import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import type { ConnectionOptions } from "node:tls";

import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";

import { Client, type ClientOptions, DEFAULT_TIMEOUT_MS, interceptorsOf } from "./client.js";

export * from "./exports.js";

/** How the connection is encrypted. */
export interface TlsOptions {
  /** PEM of the authorities that may have signed the certificate of the server; those of Node if absent. */
  ca?: string | Buffer;
  /** PEM of the certificate of this client, with `key`. */
  cert?: string | Buffer;
  /** PEM of the private key of this client. */
  key?: string | Buffer;
  /** Name that the certificate of the server must have, where it is not that of the address. */
  serverName?: string;
}

/** Options of a connection. */
export interface ConnectOptions extends ClientOptions {
  /** Encrypt: true, or with what. In clear text if absent. */
  tls?: boolean | TlsOptions;
}

const PING_INTERVAL_MS = 30_000;

/** A client of the server at `address`, "host:port". It connects with the first call; close it in the end. */
export function connect(address = "127.0.0.1:50051", options: ConnectOptions = {}): Client {
  const baseUrl = `${options.tls ? "https" : "http"}://${address}`;
  const sessions = new Sessions(baseUrl, { pingIntervalMs: PING_INTERVAL_MS }, tlsOf(options.tls));
  const transport = createGrpcTransport({
    baseUrl,
    sessionManager: sessions,
    defaultTimeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    interceptors: interceptorsOf(options),
  });
  return new Client(transport, () => sessions.abort());
}

/** Sessions whose errors never end the process: one that has failed and is closed at once reports its error later. */
class Sessions extends Http2SessionManager {
  readonly #known = new WeakSet<ClientHttp2Session>();

  override async request(...given: Parameters<Http2SessionManager["request"]>): Promise<ClientHttp2Stream> {
    const stream = await super.request(...given);
    const session = stream.session as ClientHttp2Session | undefined;
    if (session !== undefined && !this.#known.has(session)) {
      this.#known.add(session);
      session.on("error", () => undefined); // the calls of the session have failed with it
    }
    return stream;
  }
}

function tlsOf(tls: boolean | TlsOptions | undefined): ConnectionOptions {
  if (typeof tls !== "object") {
    return {};
  }
  const { serverName, ...pem } = tls;
  return serverName === undefined ? pem : { ...pem, servername: serverName };
}
