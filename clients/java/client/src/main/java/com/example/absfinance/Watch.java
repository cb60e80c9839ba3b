package com.example.absfinance;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Receives a stream of events, and resumes it after the last one where the connection breaks or the server restarts. */
final class Watch<Q, A> implements Feed<A> {
  /** As many events are received ahead of the reader; of progress, ticks that are not read yet count once. */
  private static final int EVENTS_AHEAD = 1024;

  private final ManagedChannel channel;
  private final ScheduledExecutorService scheduler;
  private final MethodDescriptor<Q, A> method;
  private final EventLog<Q, A> log;
  private final Follower<Q, A> follower; // guarded by this, as the next three
  private ClientCall<Q, A> call;
  private boolean cancelled;
  private boolean paused; // whether no message is requested until the reader takes one
  private final Mailbox<A> mailbox = new Mailbox<>();
  private final AtomicInteger resumptions = new AtomicInteger();

  Watch(
      ManagedChannel channel,
      ScheduledExecutorService scheduler,
      MethodDescriptor<Q, A> method,
      EventLog<Q, A> log,
      Duration patience) {
    this.channel = channel;
    this.scheduler = scheduler;
    this.method = method;
    this.log = log;
    this.follower = new Follower<>(log, patience, System::nanoTime);
  }

  Watch<Q, A> begin() {
    connect();
    return this;
  }

  /** How often the stream was begun again. */
  int resumptions() {
    return resumptions.get();
  }

  @Override
  public Mailbox<A> mailbox() {
    return mailbox;
  }

  @Override
  public synchronized void taken() {
    if (paused && mailbox.size() < EVENTS_AHEAD) {
      paused = false;
      follower.wasRead();
      call.request(1);
    }
  }

  @Override
  public synchronized void cancel() {
    cancelled = true;
    if (call != null) {
      call.cancel("the caller needs no more events", null);
    }
  }

  private synchronized void connect() {
    if (cancelled) {
      return;
    }
    // Otherwise the pauses of gRPC between attempts to connect grow to two minutes.
    channel.resetConnectBackoff();
    call = channel.newCall(method, CallOptions.DEFAULT);
    paused = false;
    call.start(new Attempt(call), new Metadata());
    call.sendMessage(follower.request());
    call.halfClose();
    call.request(1);
  }

  private synchronized void received(ClientCall<Q, A> from, A message) {
    if (follower.take(message)) {
      mailbox.put(message, log.kind(message) == EventLog.Kind.LATEST_ONLY);
    }
    if (mailbox.size() < EVENTS_AHEAD) {
      from.request(1);
    } else {
      paused = true;
    }
  }

  private synchronized void ended(Status status, Metadata trailers) {
    if (cancelled || follower.finished()) {
      mailbox.end(null);
      return;
    }
    if (paused) {
      follower.wasRead(); // nothing was requested: the reader has been silent, not the server
    }
    try {
      Duration wait = follower.pause(status.isOk() ? Optional.empty() : Optional.of(Errors.of(status, trailers)));
      resumptions.incrementAndGet();
      scheduler.schedule(this::connect, wait.toNanos(), TimeUnit.NANOSECONDS);
    } catch (AbsFinanceException hopeless) {
      mailbox.end(hopeless);
    } catch (RejectedExecutionException closed) {
      mailbox.end(new IllegalStateException("the client was closed"));
    }
  }

  private final class Attempt extends ClientCall.Listener<A> {
    private final ClientCall<Q, A> own;

    Attempt(ClientCall<Q, A> own) {
      this.own = own;
    }

    @Override
    public void onMessage(A message) {
      received(own, message);
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      ended(status, trailers);
    }
  }
}
