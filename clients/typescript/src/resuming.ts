/**
 * Streams of events that resume by themselves.
 *
 * BacktestProgress and WatchEvents share one envelope: a strictly increasing sequence, the epoch of the log, and an
 * event. After a broken connection or a restart of the server, the stream goes on after the last sequence received.
 */

import { Code } from "@connectrpc/connect";

import { AbsFinanceError, errorFromCall, EventsLost } from "./errors.js";
import { pause } from "./times.js";

const FIRST_WAIT_SECONDS = 0.1;
const LONGEST_WAIT_SECONDS = 2;

/** So many intervals of heartbeats without a message mean that the connection is dead. */
const SILENT_INTERVALS = 2;
const SILENCE_MARGIN_SECONDS = 5;

/** What every event of a log is in. */
export interface Envelope {
  readonly sequence: bigint;
  readonly epoch: string;
  readonly event: { readonly case: string | undefined };
}

/** Options of streams that resume. */
export interface ResumingOptions {
  /** Ends the stream. */
  signal?: AbortSignal;
  /** Go on after this event, of `epoch`; from the oldest retained one if absent. */
  afterSequence?: bigint;
  /** Epoch of `afterSequence`. */
  epoch?: string;
  /** Seconds without a new message after which the stream gives up; 300 if absent. */
  patienceSeconds?: number;
  /** Seconds between signs of life of the server; 15 if absent. */
  heartbeatSeconds?: number;
  /**
   * What to do where the server no longer has the events after the last one received (EVENTS_COMPACTED), or has another
   * log (EPOCH_CHANGED): "throw" EventsLost, which is the default, or "restart" with the oldest event there is.
   */
  onEventsLost?: "throw" | "restart";
  /** Called before each attempt to resume, with the number of attempts so far and what ended the one before. */
  onResume?: (attempt: number, cause: AbsFinanceError | undefined) => void;
}

/** Opens the stream after an event of an epoch. */
export type Open<E> = (afterSequence: bigint, epoch: string, signal: AbortSignal) => AsyncIterable<E>;

/** Codes of a connection that broke. Without a reason of the server they say nothing about the call itself. */
const BROKEN: ReadonlySet<Code> = new Set([
  Code.Unavailable,
  Code.Canceled,
  Code.Unknown,
  Code.Aborted,
  Code.Internal,
  Code.DataLoss,
  Code.DeadlineExceeded,
  Code.ResourceExhausted,
]);

/**
 * The events of a log: a snapshot first and once, then each event once, in order, without heartbeats. It ends with the
 * event that `isLast` names. Throws a typed error where resuming cannot help, or after `patienceSeconds`.
 */
export async function* resuming<E extends Envelope>(
  open: Open<E>,
  isLast: (event: E) => boolean,
  options: ResumingOptions = {},
): AsyncGenerator<E, void, undefined> {
  const place = new Place(options);
  while (!options.signal?.aborted) {
    let failure: AbsFinanceError | undefined;
    const attempt = new Attempt(options);
    try {
      for await (const event of attempt.events(open(place.after, place.epoch, attempt.signal))) {
        if (place.takes(event)) {
          const given = Date.now();
          yield event;
          place.wasRead(Date.now() - given);
        }
        if (isLast(event)) {
          return;
        }
      }
    } catch (error) {
      failure = place.resumable(error, attempt);
    } finally {
      attempt.end();
    }
    await pause(place.waitingTime(), options.signal);
    if (!options.signal?.aborted) {
      place.attempts += 1;
      options.onResume?.(place.attempts, failure);
    }
  }
  throw options.signal.reason;
}

/** Where a stream has come to. */
class Place {
  after: bigint;
  epoch: string;
  attempts = 0;
  #seen: bigint;
  #begun = false;
  #wait = FIRST_WAIT_SECONDS;
  #heard = Date.now();
  #answered = false;
  readonly #options: ResumingOptions;

  constructor(options: ResumingOptions) {
    this.#options = options;
    this.after = this.#seen = options.afterSequence ?? 0n;
    this.epoch = options.epoch ?? "";
  }

  /** Notes an event, and says whether the caller gets it. */
  takes(event: Envelope): boolean {
    this.epoch = event.epoch;
    this.#answered = true;
    if (event.event.case === "snapshot") {
      const first = !this.#begun;
      this.#begun = true;
      return first;
    }
    // Not by a snapshot: a server that breaks off after it would be asked for ever.
    this.#heard = Date.now();
    this.#wait = FIRST_WAIT_SECONDS;
    if (event.sequence <= this.#seen) {
      return false; // received before the stream started again from the oldest event
    }
    this.after = this.#seen = event.sequence;
    return event.event.case !== "heartbeat" && event.event.case !== undefined;
  }

  /** Notes how long the reader kept an event: meanwhile nothing was received, and the server was not silent. */
  wasRead(milliseconds: number): void {
    this.#heard += milliseconds;
  }

  /** The typed error of an attempt after which another one can help; throws it otherwise. */
  resumable(thrown: unknown, attempt: Attempt): AbsFinanceError | undefined {
    this.#options.signal?.throwIfAborted();
    const error = errorFromCall(thrown);
    const answered = this.#answered;
    this.#answered = false;
    if (!(error instanceof AbsFinanceError) && !attempt.silent) {
      throw error;
    }
    const late = Date.now() - this.#heard > (this.#options.patienceSeconds ?? 300) * 1000;
    if (!(error instanceof AbsFinanceError)) {
      if (late) {
        throw error;
      }
      return undefined;
    }
    if (error instanceof EventsLost && this.#options.onEventsLost === "restart") {
      this.#restart(error);
    } else if (error.reason === "TOKEN_EXPIRED" && answered) {
      // The token of this attempt has ended while it was read; the next one takes a new token.
    } else if (late || !mayBeTriedAgain(error)) {
      throw error;
    }
    return error;
  }

  /** Seconds to the next attempt: twice as long each time, and spread, since many clients come back at once. */
  waitingTime(): number {
    const seconds = this.#wait;
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT_SECONDS);
    return seconds * (0.5 + 0.5 * Math.random());
  }

  #restart(error: EventsLost): void {
    this.after = 0n; // of the same epoch, what was received comes again and is left out
    if (error.reason === "EPOCH_CHANGED") {
      this.#seen = 0n;
      this.epoch = "";
      this.#begun = false;
    }
  }
}

function mayBeTriedAgain(error: AbsFinanceError): boolean {
  return error.reason === "" ? BROKEN.has(error.code) : error.retryable;
}

/** One call of the stream, which ends where the server is silent for too long. */
class Attempt {
  readonly #controller = new AbortController();
  readonly #silence: number;
  readonly #signal: AbortSignal | undefined;
  readonly #abort = (): void => this.#controller.abort(this.#signal?.reason);
  #timer: ReturnType<typeof setTimeout> | undefined;
  silent = false;

  constructor(options: ResumingOptions) {
    this.#silence = (options.heartbeatSeconds ?? 15) * SILENT_INTERVALS + SILENCE_MARGIN_SECONDS;
    this.#signal = options.signal;
    this.#signal?.addEventListener("abort", this.#abort);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The messages of a call; waits for none longer than the server may be silent. */
  async *events<E>(messages: AsyncIterable<E>): AsyncGenerator<E> {
    const iterator = messages[Symbol.asyncIterator]();
    try {
      for (;;) {
        this.#timer = setTimeout(() => {
          this.silent = true;
          this.#controller.abort();
        }, this.#silence * 1000);
        const result = await iterator.next();
        clearTimeout(this.#timer);
        if (result.done) {
          return;
        }
        yield result.value;
      }
    } finally {
      this.end();
      await iterator.return?.();
    }
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#controller.abort();
  }
}
