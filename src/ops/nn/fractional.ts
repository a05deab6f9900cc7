// Fractional pooling: windows whose edges are drawn so that sizes shrink by a ratio that is no whole number (Graham, arXiv:1412.6071). The draws are
// TensorFlow's: equal seeds give equal windows. The host computes, in the type's own arithmetic.

import { isBigInteger } from "../../base/dtype.ts";
import { InvalidArgumentError, UnimplementedError, ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { type Dimension, sizeOf, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Gradients, type Named } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import * as ir from "../../ir/build.ts";
import type { Value } from "../../ir/program.ts";
import { arrayText, cNumber, collect, need } from "../arguments.ts";
import { numbersOf, shape as shapeOf } from "../array/array.ts";
import { PhiloxStream } from "../random/philox.ts";
import { shown as tensorText } from "../summary/tensor-summary.ts";

const elementTypes = attr.type(["float32", "float64", "int32", "int64"]);

interface PoolAttrs {
  readonly poolingRatio: readonly number[];
  readonly pseudoRandom: boolean;
  readonly overlapping: boolean;
  readonly deterministic: boolean;
  readonly seed: number;
  readonly seed2: number;
}

const poolAttrs = {
  poolingRatio: attr.floats(undefined, 4),
  pseudoRandom: attr.bool(false),
  overlapping: attr.bool(false),
  deterministic: attr.bool(false),
  seed: attr.int(0),
  seed2: attr.int(0),
  T: elementTypes,
};

/** As float32, which is what a list of floats holds. */
const outputSize = (input: number, ratio: number): number => Math.floor(Math.fround(input / Math.fround(ratio)));

function poolShape(value: TensorShape, ratios: readonly number[]): TensorShape[] {
  const input = value.withRank(4);
  if (ratios.length !== 4) throw new ValueError("pooling_ratio field must specify 4 dimensions");
  const sizes = ratios.map((ratio, axis): Dimension => {
    const size = input.dim(axis);
    if (size === null) return null;
    if (ratio === 0) throw new ValueError(`Size computed for dim ${axis} is negative: -9223372036854775808`);
    const output = outputSize(size, ratio);
    if (output < 0) throw new ValueError(`Size computed for dim ${axis} is negative: ${output}`);
    return output;
  });
  // The edges are one more than TensorFlow's shape function says; a value's own shape is what it is.
  return [new TensorShape(sizes), new TensorShape([sizes[1]]), new TensorShape([sizes[2]])];
}

function checkPool(kind: "max" | "average", value: readonly number[], { poolingRatio, deterministic, seed, seed2 }: PoolAttrs): void {
  if (poolingRatio[0] !== 1 && poolingRatio[3] !== 1)
    throw new UnimplementedError(`Fractional ${kind} pooling is not yet supported on the batch nor channel dimension.`);
  if (!deterministic && (seed !== 0 || seed2 !== 0))
    throw new InvalidArgumentError("Both seed and seed2 should be 0 if deterministic is false.");
  if (value.length !== 4) throw new InvalidArgumentError("tensor_in must be 4-dimensional");
  for (const [axis, size] of value.entries())
    need(
      size >= poolingRatio[axis],
      () =>
        `Pooling ratio is higher than input dimension size for dimension ${axis}. Input dim size: ${size} pooling ratio: ${cNumber(poolingRatio[axis])}`,
    );
}

// ---- where windows begin ----

/** Draws blocks of four words, as TensorFlow reserves them: each use begins with a new block. */
class Draws {
  private readonly stream: PhiloxStream;
  private used = 0;

  constructor({ deterministic, seed, seed2 }: PoolAttrs) {
    const isSeeded = deterministic && (seed !== 0 || seed2 !== 0);
    const [a, b] = isSeeded ? [BigInt(seed), BigInt(seed2)] : globalThis.crypto.getRandomValues(new BigInt64Array(2));
    this.stream = new PhiloxStream(new NDArray("int64", [3], BigInt64Array.of(a, b, 0n)));
  }

  reserve(words: number): PhiloxStream {
    this.stream.skipTo(this.used);
    this.used += Math.ceil(words / 4);
    return this.stream;
  }
}

/** The length of each window. Sizes that divide take their draws like others. */
function windowLengths(input: number, output: number, isPseudoRandom: boolean, draws: Draws): number[] {
  const least = Math.floor(input / output);
  if (isPseudoRandom) {
    const alpha = input / output;
    const most = Math.min((least + 2) / alpha - 1, (input + 1 - least) / alpha - (output - 1));
    const u = draws.reserve(2).unit64() * most;
    const ends = Array.from({ length: output + 1 }, (_, i) => (i === 0 ? 1 : i === output ? input + 1 : Math.ceil(alpha * (i + u))));
    return ends.slice(1).map((end, i) => end - ends[i]);
  }
  const lengths = Array.from({ length: output }, (_, i) => least + (i < input % output ? 1 : 0));
  const stream = draws.reserve(output);
  for (let i = 0; i < output - 1; i++) {
    const other = i + (stream.word() % (output - i));
    [lengths[i], lengths[other]] = [lengths[other], lengths[i]];
  }
  return lengths;
}

function windowStarts(input: number, output: number, isPseudoRandom: boolean, draws: Draws): number[] {
  let end = 0;
  return [0, ...windowLengths(input, output, isPseudoRandom, draws).map(length => (end += length))];
}

/** Calls `visit` with the flat places (times channels) of an output and of each input of its window. */
function eachWindow(
  [batch, height, width]: readonly number[],
  rows: readonly number[],
  columns: readonly number[],
  overlapping: boolean,
  visit: (out: number, inside: readonly number[]) => void,
): void {
  const last = (ends: readonly number[], i: number, most: number): number => Math.min(overlapping ? ends[i + 1] : ends[i + 1] - 1, most);
  for (let b = 0; b < batch; b++)
    for (let i = 0; i + 1 < rows.length; i++)
      for (let j = 0; j + 1 < columns.length; j++) {
        const inside: number[] = [];
        for (let y = rows[i]; y <= last(rows, i, height - 1); y++)
          for (let x = columns[j]; x <= last(columns, j, width - 1); x++) inside.push((b * height + y) * width + x);
        visit((b * (rows.length - 1) + i) * (columns.length - 1) + j, inside);
      }
}

type Element = number | bigint;
const isSame = (a: unknown, b: unknown): boolean => a === b || (Number.isNaN(a) && Number.isNaN(b));
// A bigint has no Math.max, and a NaN never wins.
const larger = (a: Element, b: Element): Element => (a < b ? b : a);
const plus = (a: Element, b: Element): Element => (typeof a === "bigint" ? a + (b as bigint) : a + (b as number));
const over = (a: Element, count: number): Element => (typeof a === "bigint" ? a / BigInt(count) : a / count);

function lowerPool(kind: "max" | "average", value: Value, attrs: PoolAttrs): readonly Value[] {
  checkPool(kind, value.shape, attrs);
  const { shape, dtype } = value;
  const sizes = shape.map((size, axis) => outputSize(size, attrs.poolingRatio[axis]));
  sizes.forEach((size, axis) => {
    if (size <= 0) throw new InvalidArgumentError(`The ${axis}'th dim size of output is ${size}, must be positive.`);
  });
  const channels = shape[3];
  const zero: Element = isBigInteger(dtype) ? 0n : 0;
  const run = ([given]: readonly NDArray[], [out, rowEnds, columnEnds]: readonly NDArray[]): void => {
    const draws = new Draws(attrs);
    const [rows, columns] = [1, 2].map(axis => windowStarts(shape[axis], sizes[axis], attrs.pseudoRandom, draws));
    rows.forEach((end, i) => void rowEnds.set(i, end));
    columns.forEach((end, i) => void columnEnds.set(i, end));
    eachWindow(shape, rows, columns, attrs.overlapping, (place, inside) => {
      for (let c = 0; c < channels; c++) {
        const values = inside.map(at => given.get(at * channels + c) as Element);
        const found =
          kind === "max"
            ? values.reduce(larger)
            : over(values.reduce(dtype === "float32" ? (a, b) => Math.fround((a as number) + (b as number)) : plus, zero), values.length);
        // Whole numbers are divided toward zero.
        out.set(place * channels + c, dtype === "int32" ? Math.trunc(found as number) : found);
      }
    });
  };
  return ir.call(
    { name: `fractional ${kind} pool`, run },
    [value],
    [
      { dtype, shape: sizes },
      { dtype: "int64", shape: [sizes[1] + 1] },
      { dtype: "int64", shape: [sizes[2] + 1] },
    ],
  );
}

const poolOutputs = { output: "T", rowPoolingSequence: "int64", colPoolingSequence: "int64" } as const;

/** The largest of each window, and where the windows begin. */
export const FractionalMaxPool = defineOp("FractionalMaxPool", {
  inputs: { value: "T" },
  outputs: poolOutputs,
  attrs: poolAttrs,
  gradient: ({ value, output, rowPoolingSequence, colPoolingSequence, overlapping }, d): Gradients => ({
    value: FractionalMaxPoolGrad({
      origInput: value,
      origOutput: output,
      outBackprop: d.output,
      rowPoolingSequence,
      colPoolingSequence,
      overlapping,
    }),
  }),
  shape: ({ value, poolingRatio }) => poolShape(value, poolingRatio),
  lower: ({ value, T: _, ...attrs }) => lowerPool("max", value, attrs),
});

/** The mean of each window, and where the windows begin. */
export const FractionalAvgPool = defineOp("FractionalAvgPool", {
  inputs: { value: "T" },
  outputs: poolOutputs,
  attrs: poolAttrs,
  gradient: ({ value, rowPoolingSequence, colPoolingSequence, overlapping }, d): Gradients => ({
    value: FractionalAvgPoolGrad({
      origInputTensorShape: value.shape.isFullyDefined
        ? NDArray.from(value.shape.asNumbers().map(BigInt), "int64", [4])
        : shapeOf(value, { outType: "int64" }),
      outBackprop: d.output,
      rowPoolingSequence,
      colPoolingSequence,
      overlapping,
    }),
  }),
  shape: ({ value, poolingRatio }) => poolShape(value, poolingRatio),
  lower: ({ value, T: _, ...attrs }) => lowerPool("average", value, attrs),
});

const sequences = { rowPoolingSequence: "int64", colPoolingSequence: "int64" } as const;

export const FractionalMaxPoolGrad = defineOp("FractionalMaxPoolGrad", {
  inputs: { origInput: "T", origOutput: "T", outBackprop: "T", ...sequences },
  outputs: { output: "T" },
  attrs: { overlapping: attr.bool(false), T: elementTypes },
  shape: ({ origInput }) => origInput.withRank(4),
  checks: ({ rowPoolingSequence, colPoolingSequence }) => {
    for (const [name, dims] of Object.entries({ row: rowPoolingSequence, col: colPoolingSequence }))
      need(dims.length === 1, () => `${name}_pooling_sequence must be a vector, received shape [${dims}]`);
  },
  lower: ({ origInput, origOutput, outBackprop, rowPoolingSequence, colPoolingSequence, overlapping }) => {
    const { shape } = origInput;
    const channels = shape[3];
    const run = ([input, output, back, rows, columns]: readonly NDArray[], [out]: readonly NDArray[]): void => {
      for (const [name, array] of Object.entries({ orig_input: input, orig_output: output }))
        need(array.rank === 4, () => `${name} should be a tensor of rank 4, got ${tensorText(array)}`);
      let same = 0;
      for (let k = 0; k < out.size; k++) out.set(k, 0);
      eachWindow(shape, numbersOf(rows), numbersOf(columns), overlapping, (place, inside) => {
        if (inside.length === 0) return;
        for (let c = 0; c < channels; c++) {
          const value = (at: number): Element => input.get(at * channels + c) as Element;
          const best = inside.reduce((a, b) => (value(b) > value(a) ? b : a));
          const to = place * channels + c;
          if (to < output.size && isSame(output.get(to), value(best))) same++;
          if (to < back.size) out.set(best * channels + c, plus(out.get(best * channels + c) as Element, back.get(to) as Element));
        }
      });
      need(same === output.size, () => "tensor_out_dup is not the same as tensor_out");
    };
    return ir.call(
      { name: "fractional max pool gradient", run },
      [origInput, origOutput, outBackprop, rowPoolingSequence, colPoolingSequence],
      [origInput],
    )[0];
  },
});

export const FractionalAvgPoolGrad = defineOp("FractionalAvgPoolGrad", {
  inputs: { origInputTensorShape: "int64", outBackprop: "T", ...sequences },
  outputs: { output: "T" },
  attrs: { overlapping: attr.bool(false), T: elementTypes },
  compileTimeInputs: ["origInputTensorShape"],
  sizesFromValues: true,
  // Where it is known, the vector says all; else there are four sizes.
  shape: (_, context) =>
    context.constant("origInputTensorShape") === undefined ? TensorShape.unknownOfRank(4) : context.shapeFrom("origInputTensorShape"),
  checks: ({ origInputTensorShape }) =>
    need(
      origInputTensorShape.length === 1 && origInputTensorShape[0] === 4,
      () => "original input tensor shape must be1-dimensional and 4 elements",
    ),
  lower: ({ origInputTensorShape, outBackprop, rowPoolingSequence, colPoolingSequence, overlapping, T }) => {
    const shape = numbersOf(origInputTensorShape);
    need(outBackprop.shape.length === 4, () => "out_backprop must be 4-dimensional");
    for (const size of outBackprop.shape) need(size > 0, () => `out_backprop must be positive for all dimension, got:${size}`);
    for (const [name, sequence, axis] of [
      ["row", rowPoolingSequence, 1],
      ["col", colPoolingSequence, 2],
    ] as const) {
      const [least, given] = [outBackprop.shape[axis] + 1, sizeOf(sequence.shape)];
      need(
        given >= least,
        () => `Given out_backprop shape [${outBackprop.shape}], ${name}_seq_tensor must have at least ${least} elements, but got ${given}`,
      );
    }
    for (const size of shape) need(size >= 0, () => `Expected a non-negative size, got ${size}`);
    const channels = shape[3];
    const run = ([back, rows, columns]: readonly NDArray[], [out]: readonly NDArray[]): void => {
      for (const [name, sequence] of Object.entries({ Row: numbersOf(rows), Column: numbersOf(columns) }))
        need(
          sequence.every(place => place >= 0),
          () => `${name} sequence tensor values must not be negative, got ${arrayText(sequence).slice(1, -1)}`,
        );
      for (let k = 0; k < out.size; k++) out.set(k, 0);
      eachWindow(shape, numbersOf(rows), numbersOf(columns), overlapping, (place, inside) => {
        for (const at of inside)
          for (let c = 0; c < channels; c++) {
            const k = at * channels + c;
            out.set(k, plus(out.get(k) as Element, over(back.get(place * channels + c) as Element, inside.length)));
          }
      });
    };
    const inputs = [outBackprop, rowPoolingSequence, colPoolingSequence];
    return ir.call({ name: "fractional average pool gradient", run }, inputs, [{ dtype: T, shape }])[0];
  },
});

// ---- public functions ----

interface FractionalOptions extends Named {
  readonly pseudoRandom?: boolean;
  readonly overlapping?: boolean;
  readonly deterministic?: boolean;
  readonly seed?: number;
  readonly seed2?: number;
}
interface Pooled {
  readonly output: Tensor;
  readonly rowPoolingSequence: Tensor;
  readonly colPoolingSequence: Tensor;
}
const optionNames = ["pseudoRandom", "overlapping", "deterministic", "seed", "seed2", "name"];

/** Maxima of windows that shrink `[batch, height, width, channels]` by ratios `[1, ≥1, ≥1, 1]`, with the drawn edges of the windows.
 *  TF: tf.nn.fractional_max_pool(value, pooling_ratio, pseudo_random, overlapping, deterministic, seed, seed2, name). */
export function fractionalMaxPool(value: TensorLike, poolingRatio: readonly number[], ...rest: unknown[]): Pooled {
  const { name, ...options } = collect<FractionalOptions>(optionNames, rest);
  return FractionalMaxPool({ value, poolingRatio, ...options }, { name });
}

/** Means of windows that shrink `[batch, height, width, channels]` by ratios `[1, ≥1, ≥1, 1]`, with the drawn edges of the windows.
 *  TF: tf.nn.fractional_avg_pool(value, pooling_ratio, pseudo_random, overlapping, deterministic, seed, seed2, name). */
export function fractionalAvgPool(value: TensorLike, poolingRatio: readonly number[], ...rest: unknown[]): Pooled {
  const { name, ...options } = collect<FractionalOptions>(optionNames, rest);
  return FractionalAvgPool({ value, poolingRatio, ...options }, { name });
}
