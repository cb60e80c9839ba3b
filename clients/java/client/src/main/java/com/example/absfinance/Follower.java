package com.example.absfinance;

import com.example.absfinance.v1.ErrorReason;
import io.grpc.Status;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongSupplier;

/** State of a stream of events: where to resume, what was received before, and how long to wait. For one thread at a time. */
final class Follower<Q, A> {
  static final Duration FIRST_WAIT = Duration.ofMillis(100);
  static final Duration LONGEST_WAIT = Duration.ofSeconds(2);

  private static final Set<Status.Code> RESUMED =
      Set.of(Status.Code.UNAVAILABLE, Status.Code.CANCELLED, Status.Code.UNKNOWN);

  private final EventLog<Q, A> log;
  private final Duration patience;
  private final LongSupplier nanoTime;
  private long after; // highest sequence received, after which the next attempt resumes; unsigned
  private String epoch;
  private boolean begun; // whether the reader has a snapshot
  private boolean answered; // whether this attempt has brought anything
  private long heard; // when the server was last heard, in nanoseconds
  private long waitNanos = FIRST_WAIT.toNanos();
  private boolean finished;

  Follower(EventLog<Q, A> log, Duration patience, LongSupplier nanoTime) {
    this.log = log;
    this.after = log.firstSequence();
    this.epoch = log.firstEpoch();
    this.patience = patience;
    this.nanoTime = nanoTime;
    this.heard = nanoTime.getAsLong();
  }

  /** The request that resumes the stream. */
  Q request() {
    return log.request(after, epoch);
  }

  /** Takes a message of the stream, and says whether it is new to the reader. */
  boolean take(A message) {
    answered = true;
    heard = nanoTime.getAsLong();
    waitNanos = FIRST_WAIT.toNanos();
    epoch = log.epoch(message);
    switch (log.kind(message)) {
      case SNAPSHOT:
        boolean first = !begun;
        begun = true;
        return first;
      case HEARTBEAT: // has the place up to which everything was sent, also what a filter leaves out
        if (Long.compareUnsigned(log.sequence(message), after) > 0) {
          after = log.sequence(message);
        }
        return false;
      default:
        break;
    }
    long sequence = log.sequence(message);
    if (Long.compareUnsigned(sequence, after) <= 0) {
      return false; // received before
    }
    after = sequence;
    finished = log.kind(message) == EventLog.Kind.LAST;
    return true;
  }

  /** There is room again: the time that the reader took is not silence of the server. */
  void wasRead() {
    heard = nanoTime.getAsLong();
  }

  /** Whether the last event has come. */
  boolean finished() {
    return finished;
  }

  /**
   * How long to wait before the next attempt, after the stream has ended.
   *
   * @param failure why it has ended; empty where the server ended it without an error
   * @throws AbsFinanceException where another attempt cannot help
   */
  Duration pause(Optional<AbsFinanceException> failure) {
    boolean brought = answered;
    answered = false;
    if (failure.isPresent()) {
      AbsFinanceException error = failure.get();
      if (error.reason() == ErrorReason.ERROR_REASON_TOKEN_EXPIRED && brought) {
        return spread(); // the token has ended while the stream was read; the next attempt takes a new one
      }
      if (!RESUMED.contains(error.code()) || nanoTime.getAsLong() - heard > patience.toNanos()) {
        throw error;
      }
    }
    return spread();
  }

  /** The pauses double; a random part spreads the attempts of many clients. */
  private Duration spread() {
    long now = waitNanos;
    waitNanos = Math.min(2 * waitNanos, LONGEST_WAIT.toNanos());
    return Duration.ofNanos((long) (now * ThreadLocalRandom.current().nextDouble(0.5, 1.0)));
  }
}
