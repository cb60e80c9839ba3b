package com.example.absfinance;

import com.google.rpc.Status;

/** The same call may succeed later, after {@link #retryAfter} where the server gives it. */
public final class TransientException extends AbsFinanceException {
  private static final long serialVersionUID = 1L;

  TransientException(Status status) {
    super(status);
  }

  @Override
  public boolean isRetryable() {
    return true;
  }
}
