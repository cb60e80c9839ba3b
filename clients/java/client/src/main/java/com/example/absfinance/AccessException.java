package com.example.absfinance;

import com.google.rpc.Status;

/** The server does not know who calls, or their role does not allow the call. */
public final class AccessException extends AbsFinanceException {
  private static final long serialVersionUID = 1L;

  AccessException(Status status) {
    super(status);
  }
}
