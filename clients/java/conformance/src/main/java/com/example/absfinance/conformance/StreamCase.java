package com.example.absfinance.conformance;

import com.example.absfinance.AbsFinanceClient;
import com.example.absfinance.EventStream;
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
    try (EventStream<BacktestProgressResponse> events = client.watchBacktest(name)) {
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
    }
    String terminal = one.getAsJsonObject("expect").get("terminal").getAsString();
    return why.isPresent() || terminal.equals(state) ? why : Optional.of("the job ended as " + state);
  }
}
