import assert from "node:assert/strict";
import { test } from "node:test";

import { arrayFromTensor, Panel } from "@abs-finance/client";
import { DataType, TensorSchema } from "@abs-finance/client/v1/panel";
import { create } from "@bufbuild/protobuf";

function tensor(shape: number[], dtype: DataType, data: Uint8Array) {
  return create(TensorSchema, { shape: shape.map(BigInt), dtype, data });
}

test("a panel from dates of every form", () => {
  const panel = Panel.of(["A", "B"], ["1970-01-02", new Date("1970-01-03T12:00:00Z"), 3], [[1, 2], [3, NaN], [5, 6]]);
  assert.deepEqual([...panel.dates], [1, 2, 3]);
  assert.deepEqual(panel.isoDates(), ["1970-01-02", "1970-01-03", "1970-01-04"]);
  assert.deepEqual([...panel.column("B")], [2, NaN, 6]);
  assert.deepEqual([...panel.row(2)], [5, 6]);
  assert.deepEqual(panel.toMessage(), { symbols: ["A", "B"], dates: [1, 2, 3], values: [1, 2, 3, NaN, 5, 6] });
});

test("a panel refuses what does not fit", () => {
  assert.throws(() => Panel.of(["A"], [1, 2], [[1]]), RangeError);
  assert.throws(() => Panel.of(["A"], [1], [[1], [2]]), RangeError);
  assert.throws(() => Panel.of(["A"], [1], [[1, 2]]), RangeError);
  assert.throws(() => Panel.of(["A"], ["soon"], [[1]]), /soon is no date/);
  assert.throws(() => new Panel(["A"], new Int32Array(2), new Float64Array(1)), RangeError);
  assert.throws(() => Panel.of(["A"], [1], [[1]]).column("B"), /no symbol B/);
});

test("tensors of each type, from bytes at any place of a buffer", () => {
  const buffer = new Uint8Array(33);
  const view = new DataView(buffer.buffer, 1);
  view.setFloat64(0, 1.5, true);
  view.setFloat64(8, -2, true);
  view.setFloat64(16, Number.NaN, true);
  view.setFloat64(24, 4, true);
  const array = arrayFromTensor(tensor([2, 2], DataType.FLOAT64, buffer.subarray(1)));
  assert.deepEqual(array.shape, [2, 2]);
  assert.deepEqual(array.values, Float64Array.of(1.5, -2, NaN, 4));
  const bytes = (values: ArrayBufferView): Uint8Array => new Uint8Array(values.buffer);
  const read = (dtype: DataType, values: ArrayBufferView) => arrayFromTensor(tensor([2], dtype, bytes(values))).values;
  assert.deepEqual(read(DataType.FLOAT32, Float32Array.of(0.5, 2)), Float32Array.of(0.5, 2));
  assert.deepEqual(read(DataType.INT32, Int32Array.of(-1, 2)), Int32Array.of(-1, 2));
  assert.deepEqual(read(DataType.INT64, BigInt64Array.of(-1n, 2n)), BigInt64Array.of(-1n, 2n));
});

test("a tensor whose bytes do not fit its shape is an error", () => {
  assert.throws(() => arrayFromTensor(tensor([2, 2], DataType.FLOAT64, new Uint8Array(24))), /32 bytes, not 24/);
  assert.throws(() => arrayFromTensor(tensor([1], DataType.UNSPECIFIED, new Uint8Array(8))), RangeError);
});
