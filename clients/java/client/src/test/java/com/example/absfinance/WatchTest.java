package com.example.absfinance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.example.absfinance.v1.BacktestProgressRequest;
import com.example.absfinance.v1.BacktestProgressResponse;
import com.example.absfinance.v1.BacktestServiceGrpc;
import com.example.absfinance.v1.BacktestState;
import com.example.absfinance.v1.EventServiceGrpc;
import com.example.absfinance.v1.WatchEventsRequest;
import com.example.absfinance.v1.WatchEventsResponse;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Watches over calls that break. */
@Timeout(60)
class WatchTest {
  private static final WatchEventsRequest ALL = WatchEventsRequest.getDefaultInstance();

  @Test
  void eventsOfCutCallsAreNeitherLostNorRepeated() throws Exception {
    FakeServer.Events log = new FakeServer.Events(20, 3);
    try (FakeServer server = FakeServer.start(log);
        AbsFinanceClient client = AbsFinanceClient.connect(server.address());
        EventStream<WatchEventsResponse> events = client.watchEvents(ALL)) {
      assertTrue(events.next().hasSnapshot());
      assertEquals(upTo(20), take(events, 20));
      assertEquals(6, events.resumptions());
    }
    assertEquals(List.of(0L, 3L, 6L, 9L, 12L, 15L, 18L),
        log.requests.stream().map(WatchEventsRequest::getAfterSequence).toList());
    assertEquals("", log.requests.get(0).getEpoch());
    assertEquals("first", log.requests.get(1).getEpoch());
  }

  @Test
  void aRestartOfTheServerLosesNothing() throws Exception {
    FakeServer first = FakeServer.start(new FakeServer.Events(5, 5));
    int port = first.port();
    try (AbsFinanceClient client = AbsFinanceClient.connect(first.address());
        EventStream<WatchEventsResponse> events = client.watchEvents(ALL)) {
      events.next();
      assertEquals(upTo(5), take(events, 5));
      first.close();
      try (FakeServer second = FakeServer.startOn(port, new FakeServer.Events(8, 8))) {
        assertEquals(List.of(6L, 7L, 8L), take(events, 3));
        assertEquals(port, second.port());
      }
    }
  }

  @Test
  void aPublisherGivesNoMoreThanIsRequested() throws Exception {
    try (FakeServer server = FakeServer.start(new FakeServer.Events(10, 4));
        AbsFinanceClient client = AbsFinanceClient.connect(server.address())) {
      Reader reader = new Reader();
      client.async().watchEvents(ALL).subscribe(reader);
      Flow.Subscription subscription = reader.subscription.poll(30, TimeUnit.SECONDS);
      subscription.request(2);
      assertTrue(reader.next().hasSnapshot());
      assertEquals(1, reader.next().getSequence());
      assertEquals(null, reader.taken.poll(300, TimeUnit.MILLISECONDS));
      subscription.request(Long.MAX_VALUE);
      for (long sequence = 2; sequence <= 10; sequence++) {
        assertEquals(sequence, reader.next().getSequence());
      }
      subscription.cancel();
    }
  }

  @Test
  void lostEventsAreAnErrorThatSaysWhatIsThere() throws Exception {
    EventServiceGrpc.EventServiceImplBase lost =
        new EventServiceGrpc.EventServiceImplBase() {
          @Override
          public void watchEvents(WatchEventsRequest request, StreamObserver<WatchEventsResponse> answers) {
            answers.onError(
                FakeServer.error(Status.Code.FAILED_PRECONDITION, "EPOCH_CHANGED", Map.of("epoch", "second")));
          }
        };
    try (FakeServer server = FakeServer.start(lost);
        AbsFinanceClient client = AbsFinanceClient.connect(server.address());
        EventStream<WatchEventsResponse> events = client.watchEvents(ALL)) {
      EventsLostException error = assertThrows(EventsLostException.class, events::hasNext);
      assertEquals("second", error.metadata().get("epoch"));
      assertThrows(EventsLostException.class, events::hasNext);
    }
  }

  @Test
  void closingTheStreamEndsTheCall() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch cancelled = new CountDownLatch(1);
    EventServiceGrpc.EventServiceImplBase silent =
        new EventServiceGrpc.EventServiceImplBase() {
          @Override
          public void watchEvents(WatchEventsRequest request, StreamObserver<WatchEventsResponse> answers) {
            ((ServerCallStreamObserver<WatchEventsResponse>) answers).setOnCancelHandler(cancelled::countDown);
            begun.countDown();
          }
        };
    try (FakeServer server = FakeServer.start(silent);
        AbsFinanceClient client = AbsFinanceClient.connect(server.address())) {
      EventStream<WatchEventsResponse> events = client.watchEvents(ALL);
      assertTrue(begun.await(30, TimeUnit.SECONDS));
      events.close();
      assertTrue(cancelled.await(30, TimeUnit.SECONDS));
      assertFalse(events.hasNext());
    }
  }

  @Test
  void aServerThatIsAwayIsAnErrorAfterTheTimeOfPatience() {
    try (AbsFinanceClient client = AbsFinanceClient.connect("127.0.0.1:1");
        EventStream<WatchEventsResponse> events = client.watchEvents(ALL, Duration.ofMillis(500))) {
      TransientException error = assertThrows(TransientException.class, events::hasNext);
      assertEquals(Status.Code.UNAVAILABLE, error.code());
    }
  }

  @Test
  void progressEndsWithItsLastEventAndOnlyTheLatestTickIsKept() throws Exception {
    BacktestServiceGrpc.BacktestServiceImplBase progress =
        new BacktestServiceGrpc.BacktestServiceImplBase() {
          @Override
          public void backtestProgress(
              BacktestProgressRequest request, StreamObserver<BacktestProgressResponse> answers) {
            answers.onNext(progress(0).setSnapshot(BacktestProgressResponse.Snapshot.getDefaultInstance()).build());
            answers.onNext(progress(1).setMilestone(BacktestProgressResponse.Milestone.getDefaultInstance()).build());
            for (long sequence = 2; sequence <= 1000; sequence++) {
              answers.onNext(progress(sequence).setTick(BacktestProgressResponse.Tick.getDefaultInstance()).build());
            }
            answers.onNext(
                progress(1001)
                    .setFinished(
                        BacktestProgressResponse.Finished.newBuilder()
                            .setState(BacktestState.BACKTEST_STATE_SUCCEEDED))
                    .build());
            answers.onCompleted();
          }
        };
    try (FakeServer server = FakeServer.start(progress);
        AbsFinanceClient client = AbsFinanceClient.connect(server.address());
        EventStream<BacktestProgressResponse> events = client.watchBacktest("backtests/x")) {
      assertTrue(events.next().hasSnapshot());
      while (events.waiting() < 3) { // a slow reader: all ticks come meanwhile, and the end after them
        Thread.sleep(10);
      }
      assertEquals(List.of(1L, 1000L, 1001L), sequences(events));
      assertEquals(0, events.resumptions());
    }
  }

  private static BacktestProgressResponse.Builder progress(long sequence) {
    return BacktestProgressResponse.newBuilder().setSequence(sequence).setEpoch("first");
  }

  private static List<Long> sequences(EventStream<BacktestProgressResponse> events) {
    List<Long> found = new ArrayList<>();
    events.forEachRemaining(event -> found.add(event.getSequence()));
    return found;
  }

  private static List<Long> take(EventStream<WatchEventsResponse> events, int count) {
    List<Long> found = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      found.add(events.next().getSequence());
    }
    return found;
  }

  private static List<Long> upTo(long last) {
    return LongStream.rangeClosed(1, last).boxed().toList();
  }

  private static final class Reader implements Flow.Subscriber<WatchEventsResponse> {
    final LinkedBlockingQueue<Flow.Subscription> subscription = new LinkedBlockingQueue<>();
    final LinkedBlockingQueue<WatchEventsResponse> taken = new LinkedBlockingQueue<>();

    WatchEventsResponse next() throws InterruptedException {
      return taken.poll(30, TimeUnit.SECONDS);
    }

    @Override
    public void onSubscribe(Flow.Subscription given) {
      subscription.add(given);
    }

    @Override
    public void onNext(WatchEventsResponse event) {
      taken.add(event);
    }

    @Override
    public void onError(Throwable error) {}

    @Override
    public void onComplete() {}
  }
}
