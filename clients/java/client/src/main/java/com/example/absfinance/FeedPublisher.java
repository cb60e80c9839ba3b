package com.example.absfinance;

import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/** Makes a call for each subscriber, and gives it the answers that it has requested, one at a time. */
final class FeedPublisher<T> implements Flow.Publisher<T> {
  private final Supplier<Feed<T>> open;
  private final Executor executor;

  FeedPublisher(Supplier<Feed<T>> open, Executor executor) {
    this.open = open;
    this.executor = executor;
  }

  @Override
  public void subscribe(Flow.Subscriber<? super T> subscriber) {
    Objects.requireNonNull(subscriber, "subscriber");
    new Delivery<>(subscriber, open.get(), executor).begin();
  }

  private static final class Delivery<T> implements Flow.Subscription {
    private final Flow.Subscriber<? super T> subscriber;
    private final Feed<T> feed;
    private final Executor executor;
    private final AtomicInteger waiting = new AtomicInteger();
    private long demand; // guarded by this
    private RuntimeException misuse; // guarded by this
    private volatile boolean over;

    Delivery(Flow.Subscriber<? super T> subscriber, Feed<T> feed, Executor executor) {
      this.subscriber = subscriber;
      this.feed = feed;
      this.executor = executor;
    }

    void begin() {
      waiting.set(1); // no delivery before onSubscribe has returned
      executor.execute(
          () -> {
            subscriber.onSubscribe(this);
            feed.mailbox().onChange(this::schedule);
            run();
          });
    }

    @Override
    public void request(long count) {
      synchronized (this) {
        if (count <= 0) {
          misuse = new IllegalArgumentException("the number of requested answers must be above 0");
        } else {
          demand = demand + count < 0 ? Long.MAX_VALUE : demand + count;
        }
      }
      schedule();
    }

    @Override
    public void cancel() {
      over = true;
      feed.cancel();
      feed.mailbox().close();
    }

    private void schedule() {
      if (waiting.getAndIncrement() == 0) {
        executor.execute(this::run);
      }
    }

    private void run() {
      int seen = 1;
      do {
        seen = waiting.get();
        deliver();
      } while (waiting.addAndGet(-seen) != 0);
    }

    private void deliver() {
      while (!over) {
        RuntimeException wrong = wrong();
        if (wrong != null || feed.mailbox().finished()) {
          finish(wrong == null ? feed.mailbox().failure() : wrong);
          return;
        }
        if (!mayDeliver()) {
          return;
        }
        T value = feed.mailbox().poll();
        if (value == null) {
          giveBack();
          if (!feed.mailbox().finished()) {
            return;
          }
          continue;
        }
        feed.taken();
        subscriber.onNext(value);
      }
    }

    private void finish(RuntimeException failure) {
      over = true;
      feed.cancel();
      if (failure == null) {
        subscriber.onComplete();
      } else {
        subscriber.onError(failure);
      }
    }

    private synchronized RuntimeException wrong() {
      return misuse;
    }

    private synchronized boolean mayDeliver() {
      if (demand == 0) {
        return false;
      }
      if (demand != Long.MAX_VALUE) {
        demand--;
      }
      return true;
    }

    private synchronized void giveBack() {
      if (demand != Long.MAX_VALUE) {
        demand++;
      }
    }
  }
}
