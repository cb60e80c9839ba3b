package com.example.absfinance;

import com.example.absfinance.v1.BacktestProgressRequest;
import com.example.absfinance.v1.BacktestProgressResponse;
import com.example.absfinance.v1.WatchEventsRequest;
import com.example.absfinance.v1.WatchEventsResponse;

/** The envelope that streams of events have in common. */
interface EventLog<Q, A> {
  /** What a message is for the reader of a stream. */
  enum Kind {
    /** Where the log stands; first in each attempt. */
    SNAPSHOT,
    /** Of which only the latest counts. */
    LATEST_ONLY,
    /** Kept. */
    DURABLE,
    /** Nothing happened. */
    HEARTBEAT,
    /** Kept, and nothing comes after it. */
    LAST
  }

  Q request(long afterSequence, String epoch);

  Kind kind(A message);

  long sequence(A message);

  String epoch(A message);

  /** The place that the caller resumes from; 0 is before all events. */
  long firstSequence();

  /** The epoch that the place belongs to. */
  String firstEpoch();

  /** Progress of one job. */
  record OfBacktest(BacktestProgressRequest first) implements EventLog<BacktestProgressRequest, BacktestProgressResponse> {
    @Override
    public BacktestProgressRequest request(long afterSequence, String epoch) {
      return first.toBuilder().setAfterSequence(afterSequence).setEpoch(epoch).build();
    }

    @Override
    public Kind kind(BacktestProgressResponse message) {
      return switch (message.getEventCase()) {
        case SNAPSHOT -> Kind.SNAPSHOT;
        case TICK -> Kind.LATEST_ONLY;
        case FINISHED -> Kind.LAST;
        case MILESTONE -> Kind.DURABLE;
        case HEARTBEAT, EVENT_NOT_SET -> Kind.HEARTBEAT;
      };
    }

    @Override
    public long sequence(BacktestProgressResponse message) {
      return message.getSequence();
    }

    @Override
    public String epoch(BacktestProgressResponse message) {
      return message.getEpoch();
    }

    @Override
    public long firstSequence() {
      return first.getAfterSequence();
    }

    @Override
    public String firstEpoch() {
      return first.getEpoch();
    }
  }

  /** Events of portfolios. */
  record OfPortfolios(WatchEventsRequest first) implements EventLog<WatchEventsRequest, WatchEventsResponse> {
    @Override
    public WatchEventsRequest request(long afterSequence, String epoch) {
      return first.toBuilder().setAfterSequence(afterSequence).setEpoch(epoch).build();
    }

    @Override
    public Kind kind(WatchEventsResponse message) {
      return switch (message.getEventCase()) {
        case SNAPSHOT -> Kind.SNAPSHOT;
        case HEARTBEAT, EVENT_NOT_SET -> Kind.HEARTBEAT;
        case SIGNAL, RECOMPUTATION, NOTIFICATION -> Kind.DURABLE;
      };
    }

    @Override
    public long sequence(WatchEventsResponse message) {
      return message.getSequence();
    }

    @Override
    public String epoch(WatchEventsResponse message) {
      return message.getEpoch();
    }

    @Override
    public long firstSequence() {
      return first.getAfterSequence();
    }

    @Override
    public String firstEpoch() {
      return first.getEpoch();
    }
  }
}
