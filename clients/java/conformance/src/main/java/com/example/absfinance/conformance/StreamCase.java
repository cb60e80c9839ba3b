package com.example.absfinance.conformance;

import com.example.absfinance.AbsFinanceClient;
import com.example.absfinance.AbsFinanceException;
import com.example.absfinance.EventStream;
import com.example.absfinance.v1.BacktestProgressRequest;
import com.example.absfinance.v1.BacktestProgressResponse;
import com.example.absfinance.v1.BacktestRequest;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import java.util.Optional;

/** A backtest, followed to its end. */
record StreamCase(AbsFinanceClient client) implements Runner.Case {
  @Override
  public Optional<String> difference(JsonObject one, JsonObject line) throws InvalidProtocolBufferException {
    BacktestRequest.Builder request = BacktestRequest.newBuilder();
    JsonFormat.parser().merge(one.get("request").toString(), request);
    String name = client.backtest(request.build()).getName();
    JsonArray milestones = new JsonArray();
    line.add("milestones", milestones);
    String state = "";
    Optional<String> why = Optional.empty();
    JsonObject expected = one.getAsJsonObject("expect");
    BacktestProgressRequest.Builder watched = BacktestProgressRequest.newBuilder();
    if (one.has("place")) {
      JsonFormat.parser().merge(one.get("place").toString(), watched);
    }
    watched.setBacktest(name);
    try (EventStream<BacktestProgressResponse> events =
        client.watchBacktest(watched.build(), AbsFinanceClient.DEFAULT_PATIENCE)) {
      long last = 0;
      while (events.hasNext()) {
        BacktestProgressResponse event = events.next();
        if (event.hasSnapshot()) {
          continue;
        }
        if (Long.compareUnsigned(event.getSequence(), last) <= 0) {
          why = Optional.of("sequence " + event.getSequence() + " came after " + last);
        }
        last = event.getSequence();
        if (event.hasMilestone()) {
          milestones.add(event.getSequence());
        } else if (event.hasFinished()) {
          state = event.getFinished().getState().name();
        }
      }
      line.addProperty("resumptions", events.resumptions());
    } catch (AbsFinanceException error) {
      if (!expected.has("error")) {
        throw error;
      }
      return UnaryCase.errorDifference(expected.getAsJsonObject("error"), error);
    }
    if (expected.has("error")) {
      return Optional.of("an error was expected, and the job ended as " + state);
    }
    String terminal = expected.get("terminal").getAsString();
    return why.isPresent() || terminal.equals(state) ? why : Optional.of("the job ended as " + state);
  }
}
