package com.example.absfinance;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.util.Iterator;

/** A call with a stream of answers, or of requests, or of both. Neither side is read further ahead than the other takes. */
final class StreamCall<Q, A> extends ClientCall.Listener<A> implements Feed<A> {
  private static final int ANSWERS_AHEAD = 4;

  private final Mailbox<A> mailbox = new Mailbox<>();
  private final ClientCall<Q, A> call;
  private final Iterator<? extends Q> requests;
  private boolean closed; // read and written in the thread of the listener

  private StreamCall(ClientCall<Q, A> call, Iterator<? extends Q> requests) {
    this.call = call;
    this.requests = requests;
  }

  static <Q, A> StreamCall<Q, A> begin(
      Channel channel, MethodDescriptor<Q, A> method, CallOptions options, Iterator<? extends Q> requests) {
    StreamCall<Q, A> made = new StreamCall<>(channel.newCall(method, options), requests);
    made.call.start(made, new Metadata());
    made.call.request(ANSWERS_AHEAD);
    if (method.getType().clientSendsOneMessage()) {
      made.send(); // gRPC tells of readiness only where several messages are sent
    }
    return made;
  }

  @Override
  public Mailbox<A> mailbox() {
    return mailbox;
  }

  @Override
  public void taken() {
    call.request(1);
  }

  @Override
  public void cancel() {
    call.cancel("the caller needs no more answers", null);
  }

  @Override
  public void onReady() {
    if (!closed) {
      send();
    }
  }

  @Override
  public void onMessage(A answer) {
    mailbox.put(answer, false);
  }

  @Override
  public void onClose(Status status, Metadata trailers) {
    closed = true;
    mailbox.end(status.isOk() ? null : Errors.of(status, trailers));
  }

  private void send() {
    try {
      do {
        if (!requests.hasNext()) {
          closed = true;
          call.halfClose();
          return;
        }
        call.sendMessage(requests.next());
      } while (call.isReady());
      if (!requests.hasNext()) {
        closed = true;
        call.halfClose();
      }
    } catch (RuntimeException error) {
      closed = true;
      mailbox.end(error); // what the caller's iterator throws is the caller's to see
      call.cancel("the requests could not be read", error);
    }
  }
}
