package com.example.absfinance.conformance;

import com.example.absfinance.AbsFinanceClient;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Runs the conformance cases: `--address HOST:PORT --cases FILE [--only ID]`. One line of JSON for each case. */
public final class Runner {
  private Runner() {}

  /** Ends with 0 if all cases are as expected, with 1 if one is not, with 2 if the arguments are wrong. */
  public static void main(String[] args) throws IOException {
    Optional<String> address = argument(args, "--address");
    Optional<String> file = argument(args, "--cases");
    if (address.isEmpty() || file.isEmpty()) {
      System.err.println("usage: run --address HOST:PORT --cases FILE [--only ID]");
      System.exit(2);
    }
    JsonObject cases = JsonParser.parseString(Files.readString(Path.of(file.get()))).getAsJsonObject();
    boolean allOk;
    try (AbsFinanceClient client = AbsFinanceClient.connect(address.get())) {
      allOk = run(client, cases, argument(args, "--only"));
    }
    System.exit(allOk ? 0 : 1);
  }

  private static boolean run(AbsFinanceClient client, JsonObject cases, Optional<String> only) {
    UnaryCase unary = new UnaryCase(client);
    StreamCase stream = new StreamCase(client);
    boolean allOk = true;
    boolean any = false;
    for (String kind : new String[] {"unary", "streams"}) {
      for (JsonElement element : list(cases, kind)) {
        JsonObject one = element.getAsJsonObject();
        if (only.isPresent() && !only.get().equals(one.get("id").getAsString())) {
          continue;
        }
        any = true;
        JsonObject line = judged(one, kind.equals("unary") ? unary : stream);
        allOk &= line.get("ok").getAsBoolean();
        System.out.println(line);
      }
    }
    if (!any) {
      System.err.println("there is no such case");
    }
    return allOk && any;
  }

  private static JsonObject judged(JsonObject one, Case kind) {
    JsonObject line = new JsonObject();
    line.add("id", one.get("id"));
    Optional<String> why;
    try {
      why = kind.difference(one, line);
    } catch (IOException | RuntimeException error) {
      why = Optional.of(error.toString());
    }
    line.addProperty("ok", why.isEmpty());
    line.addProperty("why", why.orElse(""));
    return line;
  }

  private static JsonArray list(JsonObject cases, String member) {
    return cases.has(member) ? cases.getAsJsonArray(member) : new JsonArray();
  }

  private static Optional<String> argument(String[] args, String name) {
    for (int i = 0; i + 1 < args.length; i++) {
      if (args[i].equals(name)) {
        return Optional.of(args[i + 1]);
      }
    }
    return Optional.empty();
  }

  /** A kind of case. */
  interface Case {
    /** How the outcome differs from what is expected; empty where it does not. Figures go into `line`. */
    Optional<String> difference(JsonObject one, JsonObject line) throws IOException;
  }
}
