package com.example.absfinance;

import com.google.rpc.Status;

/** The request is valid, but its problem has no answer that the server can give: the problem must change. */
public class ProblemException extends AbsFinanceException {
  private static final long serialVersionUID = 1L;

  ProblemException(Status status) {
    super(status);
  }
}
