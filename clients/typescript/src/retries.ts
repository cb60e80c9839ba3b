/** Repeats calls that may be repeated, as the service config of the contract says. */

import { create, type DescMessage, type DescMethod, type Message, type MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createContextKey, type Interceptor, type StreamResponse } from "@connectrpc/connect";

import { SERVICE_CONFIG } from "./gen/service_config.js";
import { pause } from "./times.js";

/** Set to true for a call that repeats itself in another way, as streams that resume do. */
export const repeatsItself = createContextKey(false);

const PUSHBACK = "grpc-retry-pushback-ms";
const JITTER = 0.2;

interface Policy {
  readonly maxAttempts: number;
  readonly initialSeconds: number;
  readonly maxSeconds: number;
  readonly multiplier: number;
  readonly codes: ReadonlySet<Code>;
}

const POLICIES: ReadonlyMap<string, Policy> = policies();

/** Repeats a call before its first answer, with a request id where the method takes one. */
export const retries: Interceptor = (next) => async (request) => {
  const policy = POLICIES.get(`${request.service.typeName}/${request.method.name}`);
  if (policy === undefined || request.contextValues.get(repeatsItself)) {
    return next(request);
  }
  if (!request.stream) {
    const message = withRequestId(request.method, request.message);
    return repeated(policy, request.signal, () => next({ ...request, message }));
  }
  if (request.method.methodKind !== "server_streaming") {
    return next(request);
  }
  const messages: Message[] = [];
  for await (const message of request.message) {
    messages.push(withRequestId(request.method, message));
  }
  return repeated(policy, request.signal, async () => {
    const response = await next({ ...request, message: each(messages) });
    return response.stream ? begun(response) : response;
  });
};

/** A new id for a request: 32 hexadecimal digits. */
export function newRequestId(): string {
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function repeated<A>(policy: Policy, signal: AbortSignal, attempt: () => Promise<A>): Promise<A> {
  for (let count = 1; ; count += 1) {
    try {
      return await attempt();
    } catch (failure) {
      const seconds = count < policy.maxAttempts ? waitingTime(policy, count, failure) : undefined;
      if (seconds === undefined || signal.aborted) {
        throw failure;
      }
      await pause(seconds, signal);
      if (signal.aborted) {
        throw failure;
      }
    }
  }
}

/** Seconds to the next attempt; undefined where none may be made. */
function waitingTime(policy: Policy, count: number, failure: unknown): number | undefined {
  if (!(failure instanceof ConnectError) || !policy.codes.has(failure.code)) {
    return undefined;
  }
  const pushback = failure.metadata.get(PUSHBACK);
  if (pushback !== null) {
    const milliseconds = Number(pushback);
    return Number.isFinite(milliseconds) && milliseconds >= 0 ? milliseconds / 1000 : undefined;
  }
  const seconds = Math.min(policy.initialSeconds * policy.multiplier ** (count - 1), policy.maxSeconds);
  return seconds * (1 - JITTER + 2 * JITTER * Math.random());
}

/** The response once its first message is there, so that a failure before it can be repeated. */
async function begun<I extends DescMessage, O extends DescMessage>(
  response: StreamResponse<I, O>,
): Promise<StreamResponse<I, O>> {
  const messages = response.message[Symbol.asyncIterator]();
  const first = await messages.next();
  return { ...response, message: continued(first, messages) };
}

async function* continued<T>(first: IteratorResult<T>, rest: AsyncIterator<T>): AsyncGenerator<T> {
  for (let result = first; !result.done; result = await rest.next()) {
    yield result.value;
  }
}

async function* each<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}

function withRequestId<Desc extends DescMessage>(method: DescMethod, message: MessageShape<Desc>): MessageShape<Desc> {
  const field = method.input.field["requestId"];
  const fields = message as unknown as Record<string, unknown>;
  if (field === undefined || fields["requestId"] !== "") {
    return message;
  }
  return create(method.input, { ...fields, requestId: newRequestId() } as never) as MessageShape<Desc>;
}

function policies(): Map<string, Policy> {
  const found = new Map<string, Policy>();
  for (const { name, retryPolicy } of SERVICE_CONFIG.methodConfig) {
    const policy: Policy = {
      maxAttempts: retryPolicy.maxAttempts,
      initialSeconds: Number.parseFloat(retryPolicy.initialBackoff),
      maxSeconds: Number.parseFloat(retryPolicy.maxBackoff),
      multiplier: retryPolicy.backoffMultiplier,
      codes: new Set(retryPolicy.retryableStatusCodes.map(codeOf)),
    };
    for (const { service, method } of name) {
      found.set(`${service}/${method}`, policy);
    }
  }
  return found;
}

/** The code of a name such as "RESOURCE_EXHAUSTED". */
function codeOf(name: string): Code {
  const pascal = name.toLowerCase().replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return Code[pascal as keyof typeof Code];
}
