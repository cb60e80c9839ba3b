package com.example.absfinance;

import com.example.absfinance.v1.EventServiceGrpc;
import com.example.absfinance.v1.WatchEventsRequest;
import com.example.absfinance.v1.WatchEventsResponse;
import com.google.protobuf.Any;
import com.google.rpc.ErrorInfo;
import io.grpc.BindableService;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/** A server of gRPC in this process, on a free port of loopback. */
final class FakeServer implements AutoCloseable {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  final List<String> tokens = new CopyOnWriteArrayList<>();
  private final Server server;

  private FakeServer(int port, BindableService... services) throws IOException {
    ServerBuilder<?> builder = Grpc.newServerBuilderForPort(port, InsecureServerCredentials.create());
    for (BindableService service : services) {
      builder.addService(service);
    }
    server = builder.intercept(new TokenReader()).build().start();
  }

  static FakeServer start(BindableService... services) throws IOException {
    return new FakeServer(0, services);
  }

  static FakeServer startOn(int port, BindableService... services) throws IOException {
    return new FakeServer(port, services);
  }

  int port() {
    return ((InetSocketAddress) server.getListenSockets().get(0)).getPort();
  }

  String address() {
    return "127.0.0.1:" + port();
  }

  @Override
  public void close() throws InterruptedException {
    server.shutdownNow();
    server.awaitTermination(10, TimeUnit.SECONDS);
  }

  /** An error as the server of the product sends it. */
  static StatusRuntimeException error(io.grpc.Status.Code code, String reason, Map<String, String> metadata) {
    ErrorInfo info =
        ErrorInfo.newBuilder().setDomain("absfinance").setReason(reason).putAllMetadata(metadata).build();
    return StatusProto.toStatusRuntimeException(
        com.google.rpc.Status.newBuilder()
            .setCode(code.value())
            .setMessage("as the test wants it")
            .addDetails(Any.pack(info))
            .build());
  }

  private final class TokenReader implements ServerInterceptor {
    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(
        ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
      String token = headers.get(AUTHORIZATION);
      tokens.add(token == null ? "" : token);
      return next.startCall(call, headers);
    }
  }

  /** A log of signals 1 to `length` in one epoch. Each call is cut after a few of them, and repeats the last one. */
  static final class Events extends EventServiceGrpc.EventServiceImplBase {
    final List<WatchEventsRequest> requests = new CopyOnWriteArrayList<>();
    private final int length;
    private final int callLength;

    Events(int length, int callLength) {
      this.length = length;
      this.callLength = callLength;
    }

    @Override
    public void watchEvents(WatchEventsRequest request, StreamObserver<WatchEventsResponse> answers) {
      requests.add(request);
      answers.onNext(
          message(0)
              .setSnapshot(WatchEventsResponse.Snapshot.newBuilder().setOldestSequence(1).setNewestSequence(length))
              .build());
      long from = request.getAfterSequence();
      for (long sequence = Math.max(from, 1); sequence <= Math.min(length, from + callLength); sequence++) {
        answers.onNext(message(sequence - 1).setHeartbeat(WatchEventsResponse.Heartbeat.getDefaultInstance()).build());
        answers.onNext(
            message(sequence)
                .setSignal(WatchEventsResponse.Signal.newBuilder().setMessage("signal " + sequence))
                .build());
      }
      if (from + callLength < length) {
        answers.onError(io.grpc.Status.UNAVAILABLE.asRuntimeException());
      }
    }

    private static WatchEventsResponse.Builder message(long sequence) {
      return WatchEventsResponse.newBuilder().setSequence(sequence).setEpoch("first");
    }
  }
}
