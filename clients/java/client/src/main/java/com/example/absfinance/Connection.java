package com.example.absfinance;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** A channel, and the ways to call through it that both clients share. */
final class Connection {
  private static final long CLOSE_SECONDS = 5;

  private final ManagedChannel channel;
  private final ScheduledExecutorService scheduler;

  private Connection(ManagedChannel channel, ScheduledExecutorService scheduler) {
    this.channel = channel;
    this.scheduler = scheduler;
  }

  static Connection open(ClientOptions options) {
    return new Connection(
        Channels.open(options),
        Executors.newSingleThreadScheduledExecutor(
            work -> {
              Thread thread = new Thread(work, "absfinance-watch");
              thread.setDaemon(true);
              return thread;
            }));
  }

  ManagedChannel channel() {
    return channel;
  }

  void close() {
    scheduler.shutdownNow();
    channel.shutdownNow();
    try {
      channel.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  <Q, A> CompletableFuture<A> unary(MethodDescriptor<Q, A> method, Q request, Duration deadline) {
    StreamCall<Q, A> call =
        StreamCall.begin(channel, method, options(deadline), List.of(withRequestId(request)).iterator());
    return joined(call);
  }

  <Q, A> CompletableFuture<A> clientStream(
      MethodDescriptor<Q, A> method, Iterator<? extends Q> requests, Duration deadline) {
    return joined(StreamCall.begin(channel, method, options(deadline), requests));
  }

  <Q, A> Feed<A> stream(MethodDescriptor<Q, A> method, Iterator<? extends Q> requests, Duration deadline) {
    return StreamCall.begin(channel, method, options(deadline), requests);
  }

  <Q, A> Watch<Q, A> watch(MethodDescriptor<Q, A> method, EventLog<Q, A> log, Duration patience) {
    return new Watch<>(channel, scheduler, method, log, patience).begin();
  }

  private static CallOptions options(Duration deadline) {
    return CallOptions.DEFAULT.withDeadlineAfter(deadline.toNanos(), TimeUnit.NANOSECONDS);
  }

  /** The answer of a call that has one; cancelling the future cancels the call. */
  private static <A> CompletableFuture<A> joined(StreamCall<?, A> call) {
    CompletableFuture<A> future = new CompletableFuture<>();
    call.mailbox().onChange(() -> complete(future, call.mailbox()));
    complete(future, call.mailbox()); // what came before this line
    future.whenComplete(
        (answer, failure) -> {
          if (future.isCancelled()) {
            call.cancel();
          }
        });
    return future;
  }

  private static <A> void complete(CompletableFuture<A> future, Mailbox<A> mailbox) {
    Mailbox.Outcome<A> outcome = mailbox.outcome();
    if (outcome == null) {
      return;
    }
    if (outcome.failure() != null) {
      future.completeExceptionally(outcome.failure());
    } else if (outcome.value() == null) {
      future.completeExceptionally(
          Errors.of(Status.INTERNAL.withDescription("the server ended the call without an answer"), new Metadata()));
    } else {
      future.complete(outcome.value());
    }
  }

  /** A request that may be repeated, with an id of its own: the server does not do the work twice. */
  @SuppressWarnings("unchecked") // a builder of a message makes messages of its class
  static <Q> Q withRequestId(Q request) {
    if (!(request instanceof Message message)) {
      return request;
    }
    FieldDescriptor field = message.getDescriptorForType().findFieldByName("request_id");
    if (field == null || !((String) message.getField(field)).isEmpty()) {
      return request;
    }
    return (Q) message.toBuilder().setField(field, UUID.randomUUID().toString()).build();
  }
}
