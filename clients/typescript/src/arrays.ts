/** Tables and arrays of answers as typed arrays. */

import type { Panel as PanelMessage, Tensor } from "./gen/absfinance/v1/panel_pb.js";
import { DataType } from "./gen/absfinance/v1/panel_pb.js";

/** Milliseconds of a day. */
const DAY = 86_400_000;

/** A date: a Date (its day in UTC), an ISO text such as "2024-01-31", or days since 1970-01-01. */
export type DateLike = Date | string | number;

/** Elements of a tensor, in its own type. */
export type Elements = Float64Array | Float32Array | Int32Array | BigInt64Array;

/** Values by date (rows) and symbol (columns), row by row; NaN means missing. */
export class Panel {
  /** `dates` has T days since 1970-01-01, `values` T x N numbers. Throws RangeError where the lengths disagree. */
  constructor(
    readonly symbols: readonly string[],
    readonly dates: Int32Array,
    readonly values: Float64Array,
  ) {
    if (values.length !== dates.length * symbols.length) {
      throw new RangeError(
        `a panel of ${dates.length} dates and ${symbols.length} symbols has ${dates.length * symbols.length} values, ` +
          `not ${values.length}`,
      );
    }
  }

  /** From T dates and T rows of N values. Throws RangeError for a row of another length, or what is no date. */
  static of(symbols: readonly string[], dates: Iterable<DateLike>, rows: Iterable<ArrayLike<number>>): Panel {
    const days = Int32Array.from(dates, daysOf);
    const values = new Float64Array(days.length * symbols.length);
    let row = 0;
    for (const entries of rows) {
      if (entries.length !== symbols.length || row === days.length) {
        throw new RangeError(`a panel has one row for each date, with one value for each symbol: see row ${row}`);
      }
      values.set(entries, row * symbols.length);
      row += 1;
    }
    if (row !== days.length) {
      throw new RangeError(`a panel of ${days.length} dates has as many rows, not ${row}`);
    }
    return new Panel(symbols, days, values);
  }

  /** From the message. */
  static fromMessage(message: PanelMessage): Panel {
    return new Panel(message.symbols, Int32Array.from(message.dates), Float64Array.from(message.values));
  }

  /** The fields of the message, for a request. */
  toMessage(): { symbols: string[]; dates: number[]; values: number[] } {
    return { symbols: [...this.symbols], dates: Array.from(this.dates), values: Array.from(this.values) };
  }

  /** Values of one date, (N). It shares memory with the panel. */
  row(index: number): Float64Array {
    return this.values.subarray(index * this.symbols.length, (index + 1) * this.symbols.length);
  }

  /** Values of one symbol, (T). Throws RangeError for a symbol that the panel does not have. */
  column(symbol: string): Float64Array {
    const column = this.symbols.indexOf(symbol);
    if (column < 0) {
      throw new RangeError(`the panel has no symbol ${symbol}`);
    }
    return Float64Array.from(this.dates, (_, row) => this.values[row * this.symbols.length + column] as number);
  }

  /** The dates as ISO text. */
  isoDates(): string[] {
    return Array.from(this.dates, (day) => new Date(day * DAY).toISOString().slice(0, 10));
  }
}

/** An array with a shape, row by row. */
export interface NumberArray {
  readonly shape: readonly number[];
  readonly values: Elements;
}

/** Elements of a tensor. Throws RangeError where its data does not fit its shape and type. */
export function arrayFromTensor(tensor: Tensor): NumberArray {
  const shape = tensor.shape.map(Number);
  const count = shape.reduce((product, length) => product * length, 1);
  const [width, make] = layoutOf(tensor.dtype);
  if (tensor.data.byteLength !== count * width) {
    throw new RangeError(
      `a tensor of shape (${shape.join(", ")}) has ${count * width} bytes, not ${tensor.data.byteLength}`,
    );
  }
  // A copy: the bytes are a part of a larger buffer, at a place that typed arrays cannot start from.
  const bytes = tensor.data.slice();
  if (!LITTLE_ENDIAN) {
    for (let start = 0; start < bytes.length; start += width) {
      bytes.subarray(start, start + width).reverse();
    }
  }
  return { shape, values: make(bytes.buffer) };
}

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function layoutOf(type: DataType): [number, (buffer: ArrayBuffer) => Elements] {
  switch (type) {
    case DataType.FLOAT64:
      return [8, (buffer) => new Float64Array(buffer)];
    case DataType.FLOAT32:
      return [4, (buffer) => new Float32Array(buffer)];
    case DataType.INT32:
      return [4, (buffer) => new Int32Array(buffer)];
    case DataType.INT64:
      return [8, (buffer) => new BigInt64Array(buffer)];
    default:
      throw new RangeError(`element type ${type} of a tensor is unknown: a newer client may know it`);
  }
}

/** A part of a table that is sent in parts, as GetPrices and GetBacktestSeries do: a header, then rows. */
export interface TablePart {
  readonly part:
    | { case: "header"; value: { symbols: string[] } }
    | { case: "rows"; value: { dates: number[]; values?: Tensor } }
    | { case: undefined; value?: undefined };
}

/** Joins the parts of a table; a series that is not by asset has one column, "value". */
export async function panelFromParts(parts: AsyncIterable<TablePart>): Promise<Panel> {
  let symbols = ["value"];
  const dates: number[][] = [];
  const pieces: Elements[] = [];
  for await (const { part } of parts) {
    if (part.case === "header" && part.value.symbols.length > 0) {
      symbols = part.value.symbols;
    } else if (part.case === "rows" && part.value.values !== undefined) {
      dates.push(part.value.dates);
      pieces.push(arrayFromTensor(part.value.values).values);
    }
  }
  return new Panel(symbols, Int32Array.from(dates.flat()), float64(pieces));
}

/** The pieces one after the other, as 64-bit floats. */
export function float64(pieces: readonly Elements[]): Float64Array {
  const joined = new Float64Array(pieces.reduce((total, piece) => total + piece.length, 0));
  let place = 0;
  for (const piece of pieces) {
    joined.set(piece instanceof BigInt64Array ? Float64Array.from(piece, Number) : piece, place);
    place += piece.length;
  }
  return joined;
}

function daysOf(date: DateLike): number {
  if (typeof date === "number") {
    return date;
  }
  const time = (date instanceof Date ? date : new Date(date)).getTime();
  if (Number.isNaN(time)) {
    throw new RangeError(`${String(date)} is no date: write it as "2024-01-31"`);
  }
  return Math.floor(time / DAY);
}
