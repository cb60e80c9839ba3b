/** Gives every call that a broken connection has ended the code UNAVAILABLE, as gRPC does. */

import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";

/** Innermost, so that repetitions and streams that resume see the code. */
export const brokenConnections: Interceptor = (next) => async (request) => {
  try {
    const response = await next(request);
    return response.stream ? { ...response, message: received(response.message, request.signal) } : response;
  } catch (failure) {
    throw withCode(failure, request.signal);
  }
};

async function* received<T>(messages: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (failure) {
    throw withCode(failure, signal);
  }
}

function withCode(failure: unknown, signal: AbortSignal): unknown {
  if (!(failure instanceof ConnectError) || signal.aborted || !isOfConnection(failure)) {
    return failure;
  }
  return new ConnectError(`the connection broke: ${failure.rawMessage}`, Code.Unavailable, undefined, undefined, failure);
}

/**
 * Whether the server has not answered: its errors come with metadata. A connection that ends makes a stream CANCELED
 * that nobody cancelled, an error of Node with a code such as "ECONNRESET", or a TypeError of fetch.
 */
function isOfConnection({ code, cause, metadata }: ConnectError): boolean {
  if (code === Code.Unavailable || [...metadata.keys()].length > 0) {
    return false;
  }
  const ofNode = cause instanceof Error && "code" in cause && typeof cause.code === "string";
  return code === Code.Canceled || ofNode || (code === Code.Unknown && cause instanceof TypeError);
}
