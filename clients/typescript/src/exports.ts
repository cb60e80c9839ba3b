/** What both entry points export. */

export * from "./arrays.js";
export { Client } from "./client.js";
export type { ClientOptions, EventFilter, ImportOptions, RiskModel, Token, WatchBacktestOptions } from "./client.js";
export * from "./errors.js";
export { newRequestId } from "./retries.js";
export type { ResumingOptions } from "./resuming.js";
export { Code } from "@connectrpc/connect";
