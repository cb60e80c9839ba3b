package com.example.absfinance;

import com.google.rpc.Status;

/** The server no longer has the events after which a stream was to be resumed: read it from its start. */
public final class EventsLostException extends ResourceException {
  private static final long serialVersionUID = 1L;

  EventsLostException(Status status) {
    super(status);
  }
}
