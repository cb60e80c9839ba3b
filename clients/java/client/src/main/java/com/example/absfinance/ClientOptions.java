package com.example.absfinance;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * How to connect.
 *
 * @param address host:port of the server
 * @param tls how to encrypt; clear text if empty
 * @param token returns a bearer token or an API key for each call, and must return at once; no token if empty
 * @param deadline longest time of a call without a deadline of its own; watches have none
 */
public record ClientOptions(String address, Optional<Tls> tls, Optional<Supplier<String>> token, Duration deadline) {
  /** The deadline of {@link #of}. */
  public static final Duration DEFAULT_DEADLINE = Duration.ofSeconds(60);

  public ClientOptions {
    Objects.requireNonNull(address, "address");
    Objects.requireNonNull(tls, "tls");
    Objects.requireNonNull(token, "token");
    if (deadline.isZero() || deadline.isNegative()) {
      throw new IllegalArgumentException("the deadline must be above 0");
    }
  }

  /**
   * How to encrypt.
   *
   * @param authority PEM file of the authority that signed the certificate of the server; those of Java if empty
   * @param identity certificate of the client; none if empty
   */
  public record Tls(Optional<Path> authority, Optional<Identity> identity) {}

  /**
   * What a client proves who it is with.
   *
   * @param certificates PEM file of the certificate of the client, with those that sign it
   * @param key PEM file of its private key, PKCS#8 without a password
   */
  public record Identity(Path certificates, Path key) {}

  /** A connection in clear text, without a token. */
  public static ClientOptions of(String address) {
    return new ClientOptions(address, Optional.empty(), Optional.empty(), DEFAULT_DEADLINE);
  }

  /** The same, encrypted; the server is known by the authorities of Java. */
  public ClientOptions withTls() {
    return withTls(new Tls(Optional.empty(), Optional.empty()));
  }

  /** The same, encrypted; the server is known by an authority of your own. */
  public ClientOptions withTls(Path authority) {
    return withTls(new Tls(Optional.of(authority), Optional.empty()));
  }

  /** The same, encrypted. */
  public ClientOptions withTls(Tls tls) {
    return new ClientOptions(address, Optional.of(tls), token, deadline);
  }

  /** The same, with a token or an API key. */
  public ClientOptions withToken(String token) {
    return withToken(() -> token);
  }

  /** The same, with a token that is asked for at each call. */
  public ClientOptions withToken(Supplier<String> token) {
    return new ClientOptions(address, tls, Optional.of(token), deadline);
  }

  /** The same, with another default deadline. */
  public ClientOptions withDeadline(Duration deadline) {
    return new ClientOptions(address, tls, token, deadline);
  }
}
