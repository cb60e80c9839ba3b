package com.example.absfinance.conformance;

import com.example.absfinance.AbsFinanceClient;
import com.example.absfinance.AbsFinanceException;
import com.example.absfinance.InfeasibleProblemException;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.util.JsonFormat;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.PrototypeMarshaller;
import io.grpc.ServiceDescriptor;
import java.util.List;
import java.util.Optional;

/** One call, and its answer or its error. */
record UnaryCase(AbsFinanceClient client) implements Runner.Case {
  private static final double DEFAULT_TOLERANCE = 1e-6;

  @Override
  public Optional<String> difference(JsonObject one, JsonObject line) throws InvalidProtocolBufferException {
    if (one.has("setup")) {
      for (JsonElement before : one.getAsJsonArray("setup")) {
        ignoreAnswer(before.getAsJsonObject());
      }
    }
    JsonObject expected = one.getAsJsonObject("expect");
    Message answer;
    try {
      answer = call(one);
    } catch (AbsFinanceException error) {
      return expected.has("error")
          ? errorDifference(expected.getAsJsonObject("error"), error)
          : Optional.of(error.code() + " " + error.reasonName() + ": " + error.getMessage());
    }
    if (!expected.has("response")) {
      return Optional.of("an error was expected, and there was an answer");
    }
    double tolerance = expected.has("tolerance") ? expected.get("tolerance").getAsDouble() : DEFAULT_TOLERANCE;
    JsonElement found = JsonParser.parseString(printed(answer));
    return new Comparison(tolerance).difference(expected.get("response"), found);
  }

  private void ignoreAnswer(JsonObject before) throws InvalidProtocolBufferException {
    try {
      call(before);
    } catch (AbsFinanceException ignored) {
      // The case itself says what matters.
    }
  }

  private Message call(JsonObject one) throws InvalidProtocolBufferException {
    MethodDescriptor<Message, Message> method = method(one.get("method").getAsString());
    Message.Builder request = ((PrototypeMarshaller<Message>) method.getRequestMarshaller()).getMessagePrototype()
        .newBuilderForType();
    JsonFormat.parser().merge(one.get("request").toString(), request);
    return client.call(method, request.build());
  }

  private static String printed(MessageOrBuilder answer) throws InvalidProtocolBufferException {
    return JsonFormat.printer().omittingInsignificantWhitespace().print(answer);
  }

  @SuppressWarnings("unchecked") // all methods of the contract take and return messages
  private static MethodDescriptor<Message, Message> method(String name) {
    String[] parts = name.split("/");
    try {
      Class<?> stubs = Class.forName("com.example.absfinance.v1." + parts[0] + "Grpc");
      ServiceDescriptor service = (ServiceDescriptor) stubs.getMethod("getServiceDescriptor").invoke(null);
      return (MethodDescriptor<Message, Message>)
          service.getMethods().stream()
              .filter(method -> parts[1].equals(method.getBareMethodName()))
              .findFirst()
              .orElseThrow(() -> new IllegalArgumentException("there is no method " + name));
    } catch (ReflectiveOperationException error) {
      throw new IllegalArgumentException("there is no service of " + name, error);
    }
  }

  static Optional<String> errorDifference(JsonObject expected, AbsFinanceException error) {
    if (!expected.get("code").getAsString().equals(error.code().name())) {
      return Optional.of("code " + error.code() + " " + error.reasonName() + ": " + error.getMessage());
    }
    if (expected.has("reason") && !expected.get("reason").getAsString().equals(error.reasonName())) {
      return Optional.of("reason " + error.reasonName());
    }
    if (expected.has("fields")) {
      List<String> fields = error.violations().stream().map(AbsFinanceException.Violation::field).toList();
      for (JsonElement field : expected.getAsJsonArray("fields")) {
        if (!fields.contains(field.getAsString())) {
          return Optional.of("fields " + fields);
        }
      }
    }
    if (expected.has("infeasible")) {
      boolean infeasible = error instanceof InfeasibleProblemException report && !report.conflicts().isEmpty();
      if (infeasible != expected.get("infeasible").getAsBoolean()) {
        return Optional.of("an infeasibility report is " + (infeasible ? "there" : "not there"));
      }
    }
    return Optional.empty();
  }
}
