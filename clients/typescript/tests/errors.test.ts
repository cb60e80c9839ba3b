import assert from "node:assert/strict";
import { test } from "node:test";

import { AbsFinanceError, AccessError, Code, errorFromCall, errorFromStatus, InvalidInput, TransientError } from "@abs-finance/client";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "@abs-finance/client/google/rpc/error_details";
import { type Status, StatusSchema } from "@abs-finance/client/google/rpc/status";
import { ErrorReason } from "@abs-finance/client/v1/error_reason";
import { create, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";

function detail<Desc extends DescMessage>(schema: Desc, value: MessageInitShape<Desc>): Any {
  return anyPack(schema, create(schema, value));
}

function status(code: Code, details: Any[] = []): Status {
  return create(StatusSchema, { code, message: "why", details });
}

test("each reason of the contract has a family", () => {
  const reasons = Object.values(ErrorReason).filter((name): name is string => typeof name === "string");
  for (const reason of reasons.filter((name) => name !== "UNSPECIFIED")) {
    const error = errorFromStatus(status(Code.Unknown, [detail(ErrorInfoSchema, { reason })]));
    assert.notEqual(error.constructor, AbsFinanceError, reason);
    assert.equal(error.reason, reason);
    assert.equal(error.name, error.constructor.name);
  }
});

test("an error without a reason, or with one of a newer server, is typed by its code", () => {
  assert.ok(errorFromStatus(status(Code.Unauthenticated)) instanceof AccessError);
  for (const reason of ["NEWER", "constructor"]) {
    assert.ok(errorFromStatus(status(Code.Unavailable, [detail(ErrorInfoSchema, { reason })])) instanceof TransientError);
  }
  assert.equal(errorFromStatus(status(99 as Code)).code, Code.Unknown);
});

test("violations, metadata and the time to wait", () => {
  const violation = { field: "constraints[0].label", description: "too long", reason: "STRING_MAX_LEN" };
  const error = errorFromStatus(
    status(Code.InvalidArgument, [
      detail(ErrorInfoSchema, { reason: "INVALID_INPUT", metadata: { omitted: "2" } }),
      detail(BadRequestSchema, { fieldViolations: [violation] }),
      detail(RetryInfoSchema, { retryDelay: { seconds: 1n, nanos: 500_000_000 } }),
    ]),
  );
  assert.ok(error instanceof InvalidInput);
  assert.deepEqual(error.violations, [{ field: "constraints[0].label", rule: "too long", reason: "STRING_MAX_LEN" }]);
  assert.deepEqual([error.message, error.metadata["omitted"], error.retryAfterSeconds], ["why", "2", 1.5]);
  assert.equal(error.retryable, false);
});

test("what is no error of a call stays as it is", () => {
  const error = new TypeError("mine");
  assert.equal(errorFromCall(error), error);
});
