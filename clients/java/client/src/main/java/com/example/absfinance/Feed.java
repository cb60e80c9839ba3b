package com.example.absfinance;

/** A stream of answers that is being received. */
interface Feed<T> {
  /** What was received. */
  Mailbox<T> mailbox();

  /** Tells that the reader took a value, so that there is room for another. */
  void taken();

  /** Ends the stream. */
  void cancel();
}
