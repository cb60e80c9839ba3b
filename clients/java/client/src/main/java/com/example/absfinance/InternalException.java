package com.example.absfinance;

import com.google.rpc.Status;

/** An unexpected error of the server, whose log has it under the id in the message. */
public final class InternalException extends AbsFinanceException {
  private static final long serialVersionUID = 1L;

  InternalException(Status status) {
    super(status);
  }
}
