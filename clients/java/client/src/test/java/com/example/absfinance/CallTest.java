package com.example.absfinance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.example.absfinance.v1.Optimization;
import com.example.absfinance.v1.OptimizationServiceGrpc;
import com.example.absfinance.v1.OptimizeBatchRequest;
import com.example.absfinance.v1.OptimizeBatchResponse;
import com.example.absfinance.v1.OptimizeRequest;
import com.example.absfinance.v1.Portfolio;
import com.example.absfinance.v1.PortfolioServiceGrpc;
import com.example.absfinance.v1.UpdatePortfolioRequest;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Single calls, and streams that do not resume. */
@Timeout(60)
class CallTest {
  private static final OptimizeRequest REQUEST = OptimizeRequest.getDefaultInstance();

  @Test
  void whatIsSafeIsRepeatedWithTheSameRequestId() throws Exception {
    Unsteady service = new Unsteady(2);
    try (FakeServer server = FakeServer.start(service);
        AbsFinanceClient client = AbsFinanceClient.connect(server.address())) {
      assertEquals("optimizations/x", client.optimize(REQUEST).getName());
    }
    assertEquals(3, service.ids.size());
    assertEquals(1, service.ids.stream().distinct().count());
    assertFalse(service.ids.get(0).isEmpty());
  }

  @Test
  void anIdOfTheCallerStays() {
    OptimizeRequest request = REQUEST.toBuilder().setRequestId("mine").build();
    assertEquals("mine", Connection.withRequestId(request).getRequestId());
  }

  @Test
  void whatIsNotSafeIsSentOnce() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    PortfolioServiceGrpc.PortfolioServiceImplBase service =
        new PortfolioServiceGrpc.PortfolioServiceImplBase() {
          @Override
          public void updatePortfolio(UpdatePortfolioRequest request, StreamObserver<Portfolio> answer) {
            calls.incrementAndGet();
            answer.onError(Status.UNAVAILABLE.asRuntimeException());
          }
        };
    try (FakeServer server = FakeServer.start(service);
        AbsFinanceClient client = AbsFinanceClient.connect(server.address())) {
      assertThrows(
          TransientException.class, () -> client.updatePortfolio(UpdatePortfolioRequest.getDefaultInstance()));
    }
    assertEquals(1, calls.get());
  }

  @Test
  void deadlinesTokensAndFutures() throws Exception {
    Silent service = new Silent();
    try (FakeServer server = FakeServer.start(service);
        AbsFinanceClient client =
            AbsFinanceClient.connect(ClientOptions.of(server.address()).withToken("secret"))) {
      // First, so that the deadline below is not over before there is a connection.
      CompletableFuture<Optimization> future = client.async().optimize(REQUEST);
      assertTrue(service.begun.await(30, TimeUnit.SECONDS));
      future.cancel(true);
      assertTrue(service.cancelled.await(30, TimeUnit.SECONDS));
      AbsFinanceClient impatient = client.withDeadline(Duration.ofMillis(300));
      TransientException late = assertThrows(TransientException.class, () -> impatient.optimize(REQUEST));
      assertEquals(Status.Code.DEADLINE_EXCEEDED, late.code());
      assertEquals("called here", late.getSuppressed()[0].getMessage());
      assertEquals("Bearer secret", server.tokens.get(0));
      ExecutionException failed =
          assertThrows(ExecutionException.class, () -> impatient.async().optimize(REQUEST).get(30, TimeUnit.SECONDS));
      assertInstanceOf(TransientException.class, failed.getCause());
    }
  }

  @Test
  void accountsOfABatchAreSentWhileAnswersAreRead() throws Exception {
    OptimizationServiceGrpc.OptimizationServiceImplBase echo =
        new OptimizationServiceGrpc.OptimizationServiceImplBase() {
          @Override
          public StreamObserver<OptimizeBatchRequest> optimizeBatch(StreamObserver<OptimizeBatchResponse> answers) {
            return new StreamObserver<>() {
              @Override
              public void onNext(OptimizeBatchRequest sent) {
                answers.onNext(OptimizeBatchResponse.newBuilder().setKey(sent.getAccount().getKey()).build());
              }

              @Override
              public void onError(Throwable error) {}

              @Override
              public void onCompleted() {
                answers.onCompleted();
              }
            };
          }
        };
    List<OptimizeBatchRequest> accounts = new ArrayList<>();
    List<String> keys = new ArrayList<>();
    for (int i = 0; i < 5000; i++) {
      keys.add("account " + i);
      accounts.add(
          OptimizeBatchRequest.newBuilder()
              .setAccount(OptimizeBatchRequest.Account.newBuilder().setKey(keys.get(i)))
              .build());
    }
    try (FakeServer server = FakeServer.start(echo);
        AbsFinanceClient client = AbsFinanceClient.connect(server.address());
        AnswerStream<OptimizeBatchResponse> answers = client.optimizeBatch(accounts)) {
      List<String> found = new ArrayList<>();
      answers.forEachRemaining(answer -> found.add(answer.getKey()));
      assertEquals(keys, found);
      assertFalse(answers.hasNext());
    }
  }

  @Test
  void anErrorOfTheCallersIteratorReachesTheCaller() throws Exception {
    try (FakeServer server = FakeServer.start(new Silent());
        AbsFinanceClient client = AbsFinanceClient.connect(server.address())) {
      Iterable<OptimizeBatchRequest> broken =
          () -> {
            throw new IllegalStateException("no accounts");
          };
      assertThrows(IllegalStateException.class, () -> client.optimizeBatch(broken));
      Iterable<OptimizeBatchRequest> ending = () -> new ArrayList<>(Collections.<OptimizeBatchRequest>emptyList()).iterator();
      assertThrows(ProblemException.class, () -> client.optimizeBatch(ending).hasNext());
    }
  }

  /** Fails a few times before it answers. */
  private static final class Unsteady extends OptimizationServiceGrpc.OptimizationServiceImplBase {
    final List<String> ids = new CopyOnWriteArrayList<>();
    private final int failures;

    Unsteady(int failures) {
      this.failures = failures;
    }

    @Override
    public void optimize(OptimizeRequest request, StreamObserver<Optimization> answer) {
      ids.add(request.getRequestId());
      if (ids.size() <= failures) {
        answer.onError(Status.UNAVAILABLE.asRuntimeException());
      } else {
        answer.onNext(Optimization.newBuilder().setName("optimizations/x").build());
        answer.onCompleted();
      }
    }
  }

  /** Never answers. */
  private static final class Silent extends OptimizationServiceGrpc.OptimizationServiceImplBase {
    final CountDownLatch begun = new CountDownLatch(1);
    final CountDownLatch cancelled = new CountDownLatch(1);

    @Override
    public void optimize(OptimizeRequest request, StreamObserver<Optimization> answer) {
      ((ServerCallStreamObserver<Optimization>) answer).setOnCancelHandler(cancelled::countDown);
      begun.countDown();
    }
  }
}
