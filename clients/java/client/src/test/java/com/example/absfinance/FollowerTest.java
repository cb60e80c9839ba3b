package com.example.absfinance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.example.absfinance.v1.BacktestProgressRequest;
import com.example.absfinance.v1.BacktestProgressResponse;
import io.grpc.Status;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Where a stream resumes, and what of it is new. */
class FollowerTest {
  private long now;
  private final Follower<BacktestProgressRequest, BacktestProgressResponse> follower =
      new Follower<>(
          new EventLog.OfBacktest(BacktestProgressRequest.newBuilder().setBacktest("backtests/x").build()),
          Duration.ofSeconds(10),
          () -> now);

  @Test
  void itResumesAfterTheLastEvent() {
    assertTrue(follower.take(milestone(7)));
    follower.pause(Optional.empty());
    assertEquals(7, follower.request().getAfterSequence());
    assertEquals("first", follower.request().getEpoch());
    assertFalse(follower.take(milestone(7)));
    assertTrue(follower.take(milestone(8)));
  }

  @Test
  void aHeartbeatMovesThePlaceAndIsNotForTheReader() {
    assertTrue(follower.take(milestone(7)));
    BacktestProgressResponse.Builder heartbeat =
        BacktestProgressResponse.newBuilder()
            .setEpoch("first")
            .setHeartbeat(BacktestProgressResponse.Heartbeat.getDefaultInstance());
    assertFalse(follower.take(heartbeat.setSequence(90).build()));
    assertEquals(90, follower.request().getAfterSequence());
    assertFalse(follower.take(heartbeat.setSequence(0).build()));
    assertEquals(90, follower.request().getAfterSequence());
  }

  @Test
  void itBeginsAtThePlaceOfAnEarlierWatch() {
    BacktestProgressRequest place =
        BacktestProgressRequest.newBuilder().setAfterSequence(7).setEpoch("first").build();
    Follower<BacktestProgressRequest, BacktestProgressResponse> later =
        new Follower<>(new EventLog.OfBacktest(place), Duration.ofSeconds(10), () -> now);
    assertEquals(place, later.request());
    assertFalse(later.take(milestone(7)));
    assertTrue(later.take(milestone(8)));
  }

  @Test
  void lostProgressEndsTheStreamAndIsNotSkippedInSilence() {
    assertTrue(follower.take(milestone(7)));
    AbsFinanceException compacted = error(Status.Code.OUT_OF_RANGE, "EVENTS_COMPACTED");
    assertThrows(EventsLostException.class, () -> follower.pause(Optional.of(compacted)));
    AbsFinanceException anotherLog = error(Status.Code.FAILED_PRECONDITION, "EPOCH_CHANGED");
    assertThrows(EventsLostException.class, () -> follower.pause(Optional.of(anotherLog)));
  }

  @Test
  void anErrorOfTheCallerEndsTheStream() {
    AbsFinanceException missing = error(Status.Code.NOT_FOUND, "NOT_FOUND");
    assertEquals(missing, assertThrows(ResourceException.class, () -> follower.pause(Optional.of(missing))));
  }

  @Test
  void anExpiredTokenIsRenewedOnlyWhereTheStreamBroughtSomething() {
    AbsFinanceException expired = error(Status.Code.UNAUTHENTICATED, "TOKEN_EXPIRED");
    assertThrows(AccessException.class, () -> follower.pause(Optional.of(expired)));
    follower.take(milestone(1));
    follower.pause(Optional.of(expired));
    assertThrows(AccessException.class, () -> follower.pause(Optional.of(expired)));
  }

  @Test
  void pausesGrowUntilTheServerIsHeardAgain() {
    AbsFinanceException away = error(Status.Code.UNAVAILABLE, "DRAINING");
    Duration first = follower.pause(Optional.of(away));
    assertTrue(first.toMillis() >= 50 && first.toMillis() <= 100, first.toString());
    for (int i = 0; i < 10; i++) {
      follower.pause(Optional.of(away));
    }
    Duration late = follower.pause(Optional.of(away));
    assertTrue(late.toMillis() >= 1000 && late.toMillis() <= 2000, late.toString());
    follower.take(milestone(1));
    assertTrue(follower.pause(Optional.of(away)).toMillis() <= 100);
    now = Duration.ofSeconds(11).toNanos();
    assertThrows(TransientException.class, () -> follower.pause(Optional.of(away)));
  }

  @Test
  void theTimeThatTheReaderTakesIsNoSilenceOfTheServer() {
    AbsFinanceException away = error(Status.Code.UNAVAILABLE, "DRAINING");
    follower.take(milestone(1));
    now = Duration.ofSeconds(60).toNanos();
    follower.wasRead();
    follower.pause(Optional.of(away));
    now = Duration.ofSeconds(71).toNanos();
    assertThrows(TransientException.class, () -> follower.pause(Optional.of(away)));
  }

  private static BacktestProgressResponse milestone(long sequence) {
    return BacktestProgressResponse.newBuilder()
        .setSequence(sequence)
        .setEpoch("first")
        .setMilestone(BacktestProgressResponse.Milestone.getDefaultInstance())
        .build();
  }

  private static AbsFinanceException error(Status.Code code, String reason) {
    return Errors.of(io.grpc.protobuf.StatusProto.fromThrowable(FakeServer.error(code, reason, Map.of())));
  }
}
