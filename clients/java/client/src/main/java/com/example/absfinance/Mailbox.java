package com.example.absfinance;

import java.util.ArrayDeque;
import java.util.Deque;

/** What was received and is not read yet, in order. One thread reads; any thread may write. */
final class Mailbox<T> {
  private record Entry<T>(T value, boolean replaceable) {}

  private final Deque<Entry<T>> entries = new ArrayDeque<>();
  private Runnable onChange = () -> {};
  private boolean ended;
  private RuntimeException failure;

  /** Adds a value. One that is replaceable takes the place of a replaceable one that is not read yet. */
  void put(T value, boolean replaceable) {
    Runnable told;
    synchronized (this) {
      if (ended) {
        return;
      }
      if (replaceable && !entries.isEmpty() && entries.peekLast().replaceable()) {
        entries.removeLast();
      }
      entries.addLast(new Entry<>(value, replaceable));
      notifyAll();
      told = onChange;
    }
    told.run();
  }

  /** Nothing more comes: because of `failure`, or, where it is null, because all has come. The first end counts. */
  void end(RuntimeException failure) {
    Runnable told;
    synchronized (this) {
      if (ended) {
        return;
      }
      ended = true;
      this.failure = failure;
      notifyAll();
      told = onChange;
    }
    told.run();
  }

  /** Forgets what is not read yet, and ends. */
  void close() {
    synchronized (this) {
      entries.clear();
      failure = null;
    }
    end(null);
  }

  /** Runs `action` after each change from now on. */
  synchronized void onChange(Runnable action) {
    onChange = action;
  }

  synchronized int size() {
    return entries.size();
  }

  /** The next value, or null if there is none now. */
  synchronized T poll() {
    Entry<T> entry = entries.pollFirst();
    return entry == null ? null : entry.value();
  }

  /** Whether all was read, and nothing more comes. */
  synchronized boolean finished() {
    return ended && entries.isEmpty();
  }

  /** Why nothing more comes; null at an end without an error. */
  synchronized RuntimeException failure() {
    return failure;
  }

  /** The answer, or the failure, of a call with one answer; null before it has ended. */
  synchronized Outcome<T> outcome() {
    return ended ? new Outcome<>(entries.isEmpty() ? null : entries.peekFirst().value(), failure) : null;
  }

  /** How a call with one answer ended; one of the two is null. */
  record Outcome<T>(T value, RuntimeException failure) {}

  /** Waits for the next value; null at the end. */
  synchronized T take() throws InterruptedException {
    while (entries.isEmpty() && !ended) {
      wait();
    }
    return poll();
  }
}
