package com.example.absfinance.examples;

import com.example.absfinance.AbsFinanceClient;
import com.example.absfinance.AbsFinanceException;
import com.example.absfinance.EventStream;
import com.example.absfinance.v1.ErrorReason;
import com.example.absfinance.v1.WatchEventsRequest;
import com.example.absfinance.v1.WatchEventsResponse;

/** Prints events of portfolios as they happen. Arguments: the address of a server, and after how many events to end. */
public final class WatchEvents {
  private WatchEvents() {}

  /** Prints where the log stands, then events. */
  public static void main(String[] args) {
    long most = args.length > 1 ? Long.parseLong(args[1]) : Long.MAX_VALUE;
    try (AbsFinanceClient client = AbsFinanceClient.connect(args.length > 0 ? args[0] : "127.0.0.1:50051");
        EventStream<WatchEventsResponse> events = client.watchEvents(WatchEventsRequest.getDefaultInstance())) {
      for (long count = 0; count < most && events.hasNext(); count++) {
        print(events.next());
      }
    } catch (AbsFinanceException error) {
      if (error.reason() != ErrorReason.ERROR_REASON_METHOD_NOT_BUILT) {
        throw error;
      }
      System.out.println("this server has no events: " + error.getMessage());
    }
  }

  private static void print(WatchEventsResponse event) {
    switch (event.getEventCase()) {
      case SNAPSHOT -> System.out.printf("the log ends at %d%n", event.getSnapshot().getNewestSequence());
      case SIGNAL -> System.out.printf("%d %s%n", event.getSequence(), event.getSignal().getMessage());
      case RECOMPUTATION ->
          System.out.printf("%d %s was recomputed%n", event.getSequence(), event.getRecomputation().getPortfolio());
      case NOTIFICATION -> System.out.printf("%d %s%n", event.getSequence(), event.getNotification().getMessage());
      default -> { }
    }
  }
}
