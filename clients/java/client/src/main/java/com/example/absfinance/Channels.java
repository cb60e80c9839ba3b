package com.example.absfinance;

import com.google.gson.Gson;
import com.google.gson.JsonParseException;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.TlsChannelCredentials;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** Opens channels. */
final class Channels {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
  private static final long KEEPALIVE_SECONDS = 30;

  private Channels() {}

  /**
   * A channel that repeats what is safe to repeat.
   *
   * @throws UncheckedIOException if a file of certificates or keys cannot be read
   */
  static ManagedChannel open(ClientOptions options) {
    ManagedChannelBuilder<?> builder =
        Grpc.newChannelBuilder(options.address(), credentials(options))
            .defaultServiceConfig(serviceConfig())
            .keepAliveTime(KEEPALIVE_SECONDS, TimeUnit.SECONDS);
    options.token().ifPresent(token -> builder.intercept(new TokenInterceptor(token)));
    return builder.build();
  }

  /** The contents of service_config.json, in the form that gRPC takes. */
  @SuppressWarnings("unchecked") // a JSON object is a map of texts
  static Map<String, ?> serviceConfig() {
    try (InputStream file = Channels.class.getResourceAsStream("service_config.json");
        Reader text = new InputStreamReader(file, StandardCharsets.UTF_8)) {
      return new Gson().fromJson(text, Map.class);
    } catch (IOException | JsonParseException error) {
      throw new IllegalStateException("the library is damaged: service_config.json cannot be read", error);
    }
  }

  private static ChannelCredentials credentials(ClientOptions options) {
    if (options.tls().isEmpty()) {
      return InsecureChannelCredentials.create();
    }
    ClientOptions.Tls tls = options.tls().get();
    TlsChannelCredentials.Builder builder = TlsChannelCredentials.newBuilder();
    try {
      if (tls.authority().isPresent()) {
        builder.trustManager(tls.authority().get().toFile());
      }
      if (tls.identity().isPresent()) {
        ClientOptions.Identity identity = tls.identity().get();
        builder.keyManager(identity.certificates().toFile(), identity.key().toFile());
      }
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
    return builder.build();
  }

  /** Adds the token to each call. Call credentials of gRPC would need an encrypted channel. */
  private record TokenInterceptor(Supplier<String> token) implements ClientInterceptor {
    @Override
    public <Q, A> ClientCall<Q, A> interceptCall(MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
      return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
        @Override
        public void start(Listener<A> listener, Metadata headers) {
          headers.discardAll(AUTHORIZATION);
          headers.put(AUTHORIZATION, "Bearer " + token.get());
          super.start(listener, headers);
        }
      };
    }
  }
}
