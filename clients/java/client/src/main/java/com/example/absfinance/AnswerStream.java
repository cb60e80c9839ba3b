package com.example.absfinance;

import java.util.Iterator;
import java.util.NoSuchElementException;

/**
 * Answers as they arrive, for one thread. Close it to end it early; the end, or an exception, closes it too.
 *
 * <p>{@link #hasNext} and {@link #next} wait for the next answer, and throw {@link AbsFinanceException} where the call fails.
 */
public class AnswerStream<T> implements Iterator<T>, AutoCloseable {
  private final Feed<T> feed;
  private T next;
  private RuntimeException failure;

  AnswerStream(Feed<T> feed) {
    this.feed = feed;
  }

  @Override
  public boolean hasNext() {
    if (failure != null) {
      throw failure;
    }
    if (next == null) {
      next = take();
    }
    return next != null;
  }

  @Override
  public T next() {
    if (!hasNext()) {
      throw new NoSuchElementException("the stream has ended");
    }
    T taken = next;
    next = null;
    return taken;
  }

  @Override
  public void close() {
    feed.cancel();
    feed.mailbox().close();
  }

  private T take() {
    try {
      T value = feed.mailbox().take();
      if (value == null) {
        failure = feed.mailbox().failure();
        if (failure != null) {
          throw failure;
        }
        return null;
      }
      feed.taken();
      return value;
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      close();
      throw new IllegalStateException("the thread was interrupted while it read a stream", interrupted);
    }
  }
}
