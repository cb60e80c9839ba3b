/** The client, over any transport. */

import type { DescService, MessageInitShape } from "@bufbuild/protobuf";
import {
  type CallOptions,
  type Client as ServiceClient,
  createClient,
  createContextValues,
  type Interceptor,
  type Transport,
} from "@connectrpc/connect";

import { type Elements, float64, arrayFromTensor, type NumberArray, Panel, panelFromParts } from "./arrays.js";
import { brokenConnections } from "./connections.js";
import { errorFromCall } from "./errors.js";
import { AdminService } from "./gen/absfinance/v1/admin_service_pb.js";
import {
  type BacktestProgressResponse,
  BacktestService,
  type GetBacktestSeriesRequestSchema,
} from "./gen/absfinance/v1/backtest_service_pb.js";
import { EventService, type WatchEventsRequestSchema, type WatchEventsResponse } from "./gen/absfinance/v1/event_service_pb.js";
import { LiquidityService } from "./gen/absfinance/v1/liquidity_service_pb.js";
import {
  type GetPricesRequestSchema,
  type ImportPricesRequestSchema,
  type ImportPricesResponse,
  MarketDataService,
} from "./gen/absfinance/v1/market_data_service_pb.js";
import { OptimizationService } from "./gen/absfinance/v1/optimization_service_pb.js";
import type { PriceField } from "./gen/absfinance/v1/panel_pb.js";
import { PortfolioService } from "./gen/absfinance/v1/portfolio_service_pb.js";
import { ReallocationService } from "./gen/absfinance/v1/reallocation_service_pb.js";
import {
  EstimateRiskModelResponse_Chunk_Array as RiskArray,
  type EstimateRiskModelRequestSchema,
  type EstimateRiskModelResponse_Diagnostics as Diagnostics,
  RiskService,
} from "./gen/absfinance/v1/risk_service_pb.js";
import { latestTicks } from "./progress.js";
import { resuming, type ResumingOptions } from "./resuming.js";
import { newRequestId, repeatsItself, retries } from "./retries.js";
import { durationOf } from "./times.js";

/** A token or an API key, or what returns the current one: it is asked at every attempt of a call. */
export type Token = string | (() => string | Promise<string>);

/** Options of every connection. */
export interface ClientOptions {
  /** Sent as `authorization: Bearer ...`. */
  token?: Token;
  /** Time limit of a call that names none, 60 000 if absent. Streams that resume have none. */
  timeoutMs?: number;
  /** Further interceptors, outside of those of this client. */
  interceptors?: Interceptor[];
}

/** Time limit of a call that names none. */
export const DEFAULT_TIMEOUT_MS = 60_000;

/** Options of `watchBacktest`. */
export interface WatchBacktestOptions extends ResumingOptions {
  /** Least seconds between ticks, 0.1 if absent. */
  minIntervalSeconds?: number;
}

/** Options of `importPrices`. */
export interface ImportOptions {
  /** The caller's id of this import; a new one if absent. */
  importId?: string;
  /** Figure of the day; the closing price if absent. */
  field?: PriceField;
  /** Where the values are from. */
  source?: string;
}

/** What `watchEvents` follows; all events if empty. */
export type EventFilter = Pick<MessageInitShape<typeof WatchEventsRequestSchema> & object, "portfolios" | "kinds" | "minSeverity">;

/** An estimated risk model: what was done, and its arrays as 64-bit floats, by the name of the contract. */
export interface RiskModel {
  readonly diagnostics: Diagnostics | undefined;
  /** Such as `arrays.COVARIANCE`, (N, N) per period. */
  readonly arrays: Partial<Record<Exclude<keyof typeof RiskArray, "UNSPECIFIED">, NumberArray>>;
}

/** The interceptors of a connection, outermost first. */
export function interceptorsOf(options: ClientOptions): Interceptor[] {
  const access = options.token === undefined ? [] : [authorization(options.token)];
  return [...(options.interceptors ?? []), retries, ...access, brokenConnections];
}

/**
 * A connection to one server. Its services have all methods of the contract; requests are plain objects. A failed call
 * throws an error of `errors.ts`.
 */
export class Client {
  readonly optimization: ServiceClient<typeof OptimizationService>;
  readonly risk: ServiceClient<typeof RiskService>;
  readonly backtests: ServiceClient<typeof BacktestService>;
  readonly reallocation: ServiceClient<typeof ReallocationService>;
  readonly portfolios: ServiceClient<typeof PortfolioService>;
  readonly marketData: ServiceClient<typeof MarketDataService>;
  readonly events: ServiceClient<typeof EventService>;
  readonly liquidity: ServiceClient<typeof LiquidityService>;
  readonly admin: ServiceClient<typeof AdminService>;
  readonly #close: () => void;

  constructor(transport: Transport, close: () => void = () => undefined) {
    this.optimization = serviceOf(OptimizationService, transport);
    this.risk = serviceOf(RiskService, transport);
    this.backtests = serviceOf(BacktestService, transport);
    this.reallocation = serviceOf(ReallocationService, transport);
    this.portfolios = serviceOf(PortfolioService, transport);
    this.marketData = serviceOf(MarketDataService, transport);
    this.events = serviceOf(EventService, transport);
    this.liquidity = serviceOf(LiquidityService, transport);
    this.admin = serviceOf(AdminService, transport);
    this.#close = close;
  }

  /** Ends the connection, and calls that are under way. */
  close(): void {
    this.#close();
  }

  /**
   * Follows a backtest or a sweep until it ends: a snapshot, every milestone once, the latest ticks, `finished` last.
   *
   * It resumes by itself when the connection breaks or the server restarts. A job that failed is `finished` with an
   * error, which `errorFromStatus` types.
   */
  watchBacktest(name: string, options: WatchBacktestOptions = {}): AsyncGenerator<BacktestProgressResponse, void, undefined> {
    const stopped = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, stopped.signal]) : stopped.signal;
    const events = resuming<BacktestProgressResponse>(
      (afterSequence, epoch, attempt) =>
        this.backtests.backtestProgress(
          {
            backtest: name,
            afterSequence,
            epoch,
            minInterval: durationOf(options.minIntervalSeconds ?? 0.1),
            heartbeatInterval: durationOf(options.heartbeatSeconds ?? 15),
          },
          following(attempt),
        ),
      (event) => event.event.case === "finished",
      { ...options, signal },
    );
    return stopping(latestTicks(events), stopped);
  }

  /**
   * Follows signals, notifications and recomputations: a snapshot, then each event once, in order. It has no end of its
   * own: leave the loop, or abort `signal`. It resumes by itself, as `watchBacktest` does.
   */
  watchEvents(filter: EventFilter = {}, options: ResumingOptions = {}): AsyncGenerator<WatchEventsResponse, void, undefined> {
    return resuming<WatchEventsResponse>(
      (afterSequence, epoch, attempt) =>
        this.events.watchEvents(
          { ...filter, afterSequence, epoch, heartbeatInterval: durationOf(options.heartbeatSeconds ?? 15) },
          following(attempt),
        ),
      () => false,
      options,
    );
  }

  /** Stored prices. */
  prices(selection: MessageInitShape<typeof GetPricesRequestSchema>["selection"], options?: CallOptions): Promise<Panel> {
    return panelFromParts(this.marketData.getPrices({ selection } as MessageInitShape<typeof GetPricesRequestSchema>, options));
  }

  /** Stores prices, or another figure of the days; the same `importId` stores them once, however often it is sent. */
  importPrices(panel: Panel, options: ImportOptions = {}, call?: CallOptions): Promise<ImportPricesResponse> {
    return this.marketData.importPrices(importParts(panel, options), call);
  }

  /** A series of a finished backtest; one that is not by asset has one column, "value". */
  backtestSeries(request: MessageInitShape<typeof GetBacktestSeriesRequestSchema>, options?: CallOptions): Promise<Panel> {
    return panelFromParts(this.backtests.getBacktestSeries(request, options));
  }

  /** A risk model with its arrays joined. */
  async riskModel(request: MessageInitShape<typeof EstimateRiskModelRequestSchema>, options?: CallOptions): Promise<RiskModel> {
    let diagnostics: Diagnostics | undefined;
    const pieces = new Map<RiskArray, { shape: number[]; values: Elements[] }>();
    for await (const { part } of this.risk.estimateRiskModel(request, options)) {
      if (part.case === "diagnostics") {
        diagnostics = part.value;
      } else if (part.case === "chunk" && part.value.rows !== undefined) {
        const { shape, values } = arrayFromTensor(part.value.rows);
        const joined = pieces.get(part.value.array) ?? { shape: [0, ...shape.slice(1)], values: [] };
        joined.shape[0] = (joined.shape[0] ?? 0) + (shape[0] ?? 0);
        joined.values.push(values);
        pieces.set(part.value.array, joined);
      }
    }
    const arrays = Array.from(pieces, ([array, { shape, values }]) => [RiskArray[array], { shape, values: float64(values) }]);
    return { diagnostics, arrays: Object.fromEntries(arrays) as RiskModel["arrays"] };
  }
}

/** A client of one service that throws typed errors, and whose streams end when their reader leaves. */
export function serviceOf<S extends DescService>(service: S, transport: Transport): ServiceClient<S> {
  const plain = createClient(service, transport) as Record<string, (...sent: never[]) => unknown>;
  const methods = service.methods.map((method) => {
    const call = plain[method.localName] as (request: unknown, options?: CallOptions) => never;
    const answersMany = method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming";
    return [method.localName, answersMany ? streamOf(call) : answerOf(call)];
  });
  return Object.fromEntries(methods) as ServiceClient<S>;
}

function answerOf<A>(call: (request: unknown, options?: CallOptions) => Promise<A>): typeof call {
  return async (request, options) => {
    try {
      return await call(request, options);
    } catch (failure) {
      throw errorFromCall(failure);
    }
  };
}

function streamOf<A>(call: (request: unknown, options?: CallOptions) => AsyncIterable<A>): typeof call {
  return async function* (request, options) {
    const left = new AbortController();
    const signal = options?.signal ? AbortSignal.any([options.signal, left.signal]) : left.signal;
    try {
      yield* call(request, { ...options, signal });
    } catch (failure) {
      throw errorFromCall(failure);
    } finally {
      left.abort();
    }
  };
}

/** Most values of a part of an import: with 8 bytes each, half of what a part may have. */
const IMPORT_VALUES = 65_536;

async function* importParts(
  panel: Panel,
  { importId = newRequestId(), ...header }: ImportOptions,
): AsyncGenerator<MessageInitShape<typeof ImportPricesRequestSchema>> {
  yield { part: { case: "header", value: { importId, ...header } } };
  const width = panel.symbols.length;
  const rows = Math.max(1, Math.floor(IMPORT_VALUES / width));
  for (let row = 0; row < panel.dates.length; row += rows) {
    const [dates, values] = [panel.dates.subarray(row, row + rows), panel.values.subarray(row * width, (row + rows) * width)];
    yield { part: { case: "chunk", value: new Panel(panel.symbols, dates, values).toMessage() } };
  }
  yield { part: { case: "footer", value: { valueCount: BigInt(panel.values.length) } } };
}

/** Ends the call under a generator as soon as its reader leaves it. */
async function* stopping<E>(events: AsyncGenerator<E, void, undefined>, stopped: AbortController): AsyncGenerator<E, void, undefined> {
  try {
    yield* events;
  } finally {
    stopped.abort();
  }
}

/** Options of a call that follows a log: no time limit, and not repeated, since it resumes. */
function following(signal: AbortSignal): CallOptions {
  return { signal, timeoutMs: 0, contextValues: createContextValues().set(repeatsItself, true) };
}

function authorization(token: Token): Interceptor {
  return (next) => async (request) => {
    request.header.set("authorization", `Bearer ${typeof token === "string" ? token : await token()}`);
    return next(request);
  };
}

