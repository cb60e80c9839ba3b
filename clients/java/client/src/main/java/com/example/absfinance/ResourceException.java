package com.example.absfinance;

import com.google.rpc.Status;

/** What is stored does not allow the call. */
public class ResourceException extends AbsFinanceException {
  private static final long serialVersionUID = 1L;

  ResourceException(Status status) {
    super(status);
  }
}
