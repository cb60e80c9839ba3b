package com.example.absfinance;

/** Events of a watch, as they happen. It resumes by itself; {@link #hasNext} waits meanwhile. */
public final class EventStream<T> extends AnswerStream<T> {
  private final Watch<?, T> watch;

  EventStream(Watch<?, T> watch) {
    super(watch);
    this.watch = watch;
  }

  /** How often the stream was begun again, after a broken connection or a restart of the server. */
  public int resumptions() {
    return watch.resumptions();
  }

  /** How many events were received that the reader has not taken yet. */
  int waiting() {
    return watch.mailbox().size();
  }
}
