package com.example.absfinance;

import com.google.rpc.Status;

/** Fields of the request break rules; {@link #violations} names each. */
public final class InvalidInputException extends AbsFinanceException {
  private static final long serialVersionUID = 1L;

  InvalidInputException(Status status) {
    super(status);
  }
}
