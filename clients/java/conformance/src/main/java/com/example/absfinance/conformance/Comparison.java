package com.example.absfinance.conformance;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/** Compares an answer with the members of it that are expected. Numbers agree within tolerance x (1 + |expected|). */
record Comparison(double tolerance) {
  /** Where they differ, and how; empty where they agree. */
  Optional<String> difference(JsonElement expected, JsonElement found) {
    return difference("", expected, found);
  }

  private Optional<String> difference(String path, JsonElement expected, JsonElement found) {
    if (found == null) {
      return isDefault(expected) ? Optional.empty() : Optional.of(path + " is not there");
    }
    if (expected.isJsonObject()) {
      return found.isJsonObject()
          ? members(path, expected.getAsJsonObject(), found.getAsJsonObject())
          : Optional.of(path + " is " + found);
    }
    if (expected.isJsonArray()) {
      return found.isJsonArray()
          ? elements(path, expected.getAsJsonArray(), found.getAsJsonArray())
          : Optional.of(path + " is " + found);
    }
    boolean equal = expected.equals(found) || agree(number(expected), number(found));
    return equal ? Optional.empty() : Optional.of(path + " is " + found + ", not " + expected);
  }

  private Optional<String> members(String path, JsonObject expected, JsonObject found) {
    for (Map.Entry<String, JsonElement> member : expected.entrySet()) {
      Optional<String> one =
          difference(path + "." + member.getKey(), member.getValue(), found.get(member.getKey()));
      if (one.isPresent()) {
        return one;
      }
    }
    return Optional.empty();
  }

  private Optional<String> elements(String path, JsonArray expected, JsonArray found) {
    if (expected.size() != found.size()) {
      return Optional.of(path + " has " + found.size() + " elements, not " + expected.size());
    }
    for (int i = 0; i < expected.size(); i++) {
      Optional<String> one = difference(path + "[" + i + "]", expected.get(i), found.get(i));
      if (one.isPresent()) {
        return one;
      }
    }
    return Optional.empty();
  }

  private boolean agree(OptionalDouble expected, OptionalDouble found) {
    return expected.isPresent()
        && found.isPresent()
        && Math.abs(expected.getAsDouble() - found.getAsDouble()) <= tolerance * (1 + Math.abs(expected.getAsDouble()));
  }

  /** A number, also one that is written as a text, as those of 64 bits are. */
  private static OptionalDouble number(JsonElement element) {
    if (!(element instanceof JsonPrimitive primitive) || primitive.isBoolean()) {
      return OptionalDouble.empty();
    }
    try {
      double value = Double.parseDouble(primitive.getAsString());
      return Double.isFinite(value) ? OptionalDouble.of(value) : OptionalDouble.empty();
    } catch (NumberFormatException text) {
      return OptionalDouble.empty();
    }
  }

  /** Whether proto JSON leaves such a value out. */
  private static boolean isDefault(JsonElement expected) {
    if (expected.isJsonArray()) {
      return expected.getAsJsonArray().isEmpty();
    }
    if (!(expected instanceof JsonPrimitive primitive)) {
      return expected.isJsonNull();
    }
    if (primitive.isBoolean()) {
      return !primitive.getAsBoolean();
    }
    OptionalDouble value = number(primitive);
    return value.isPresent() ? value.getAsDouble() == 0 : primitive.getAsString().isEmpty();
  }
}
