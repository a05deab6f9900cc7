// Grayscale morphology: dilation (the largest of pixel plus filter under a window) with its gradients, and erosion, its mirror image.

import { isFloating, limitOf } from "../../base/dtype.ts";
import { ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { checkLength, mergedDimension, sameShape, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Gradients } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import * as ir from "../../ir/build.ts";
import { divIndex, modIndex } from "../../ir/index-map.ts";
import type { Value } from "../../ir/program.ts";
import { s } from "../../ir/scalar.ts";
import { eitherName, need, refuseOthers } from "../arguments.ts";
import { reverse } from "../array/rearranging.ts";
import { negative } from "../math/functions.ts";
import { inNameScope, type NameOption } from "../named.ts";
import type { Named } from "../../graph/op-definition.ts";
import { extentOf, tapIndex, type WindowAxis, windowAlong } from "./window.ts";

const window = {
  T: attr.type(attr.realNumbers),
  strides: attr.ints(undefined, 4),
  rates: attr.ints(undefined, 4),
  padding: attr.oneOf(["SAME", "VALID"]),
};

interface Attrs {
  readonly strides: readonly number[];
  readonly rates: readonly number[];
  readonly padding: "SAME" | "VALID";
}

const extent = ({ strides, rates, padding }: Attrs, axis: number): Parameters<typeof windowAlong>[2] =>
  extentOf({ strides, padding, dilations: rates, dataFormat: "NHWC" }, axis);

const windows = (image: readonly number[], filter: readonly number[], attrs: Attrs): [WindowAxis, WindowAxis] => [
  windowAlong(image[1], filter[0], extent(attrs, 1)),
  windowAlong(image[2], filter[1], extent(attrs, 2)),
];

export const Dilation2D = defineOp("Dilation2D", {
  inputs: { input: "T", filter: "T" },
  outputs: { output: "T" },
  attrs: window,
  shape: ({ input, filter, ...attrs }) => {
    const [x, w] = [input.withRank(4), filter.withRank(3)];
    checkLength("Dilation2D", "stride", attrs.strides, 4);
    checkLength("Dilation2D", "rates", attrs.rates, 4);
    const sizes = [x.dim(1), x.dim(2), w.dim(0), w.dim(1)];
    const known = sizes.filter(size => size !== null);
    if (known.length === 4) mergedDimension(x.dim(3), w.dim(2));
    const [height, width] =
      known.length < 4
        ? [null, null]
        : [0, 1].map(axis => windowAlong(known[axis], known[axis + 2], extent(attrs, axis + 1), ValueError).output);
    return new TensorShape([x.dim(0), height, width, w.dim(2)]);
  },
  isLenient: true,
  gradient: ({ input, filter, strides, rates, padding }, d): Gradients => {
    const record = { input, filter, outBackprop: d.output, strides, rates, padding };
    return { input: Dilation2DBackpropInput(record), filter: Dilation2DBackpropFilter(record) };
  },
  lower: ({ input, filter, ...attrs }) => {
    need(input.shape.length === 4, () => `input must be 4-dimensional[${input.shape}]`);
    need(filter.shape.length === 3, () => `filter must be 3-dimensional: [${filter.shape}]`);
    need(input.shape[3] === filter.shape[2], () => `input and filter must have the same depth: ${input.shape[3]} vs ${filter.shape[2]}`);
    const [rows, columns] = windows(input.shape, filter.shape, attrs);
    const dims = [input.shape[0], rows.output, columns.output, input.shape[3]];
    if (rows.size * columns.size === 0) return ir.full(input.dtype, dims, limitOf(input.dtype, false));
    return ir.reduceOver("max", dims, [rows.size * columns.size], ([n, y, x, c], [k]) => {
      const tap = [divIndex(k, columns.size), modIndex(k, columns.size)];
      const at = [tapIndex(rows, y, tap[0]), tapIndex(columns, x, tap[1])];
      const bounds = at.map((index, axis) => ({ index, low: 0, high: input.shape[axis + 1] }));
      const sum = s.add(s.load(input, [n, ...at, c]), s.load(filter, [...tap, c]));
      // TensorFlow begins with the least finite number, so that NaN and -∞ never win.
      const floor = s.constant(input.dtype, limitOf(input.dtype, false));
      return s.guard(bounds, isFloating(input.dtype) ? s.select(s.gt(sum, floor), sum, floor) : sum, floor);
    });
  },
});

/** Adds each output's gradient to what it came from: the first largest under its window. */
function backprop(kind: "input" | "filter", given: readonly Value[], attrs: Attrs): Value {
  const [input, filter, outBackprop] = given;
  need(input.shape.length === 4, () => `input must be 4-dimensional[${input.shape}]`);
  need(filter.shape.length === 3, () => `filter must be 3-dimensional: [${filter.shape}]`);
  const depth = input.shape[3];
  need(depth === filter.shape[2], () => `input and filter must have the same depth: ${depth} vs ${filter.shape[2]}`);
  const [rows, columns] = windows(input.shape, filter.shape, attrs);
  const expected = [input.shape[0], rows.output, columns.output, depth];
  need(sameShape(expected, outBackprop.shape), () => "out_backprop has incompatible size.");
  const run = ([x, w, d]: readonly NDArray[], [result]: readonly NDArray[]): void => {
    // Integers wrap; floats are rounded once.
    const sums = NDArray.zeros(isFloating(result.dtype) ? "float64" : result.dtype, result.shape);
    const place = NDArray.zeros(x.dtype, [1]);
    let out = 0;
    for (let n = 0; n < x.shape[0]; n++)
      for (let y = 0; y < rows.output; y++)
        for (let column = 0; column < columns.output; column++)
          for (let c = 0; c < depth; c++) {
            const best = bestTap(x, w, place, [n, y, column, c], rows, columns);
            const at = kind === "input" ? best.pixel : best.weight;
            sums.set(at, sum(sums, at, d, out++));
          }
    for (let i = 0; i < result.size; i++) result.set(i, sums.get(i));
  };
  const [out] = ir.call({ name: `Dilation2DBackprop ${kind}`, run }, given, [kind === "input" ? input : filter]);
  return out;
}

/** The sum of two elements, in their own kind of number. */
function sum(x: NDArray, i: number, y: NDArray, k: number): number | bigint {
  const [a, b] = [x.get(i), y.get(k)];
  return typeof a === "bigint" && typeof b === "bigint" ? a + b : Number(a) + Number(b);
}

/** The first largest tap of a window, as its sum is in the elements' type; where none is larger than the least finite number, what TensorFlow
 *  begins with: the first pixel inside, the first weight. `place` is where sums are rounded, and wrap. */
function bestTap(
  x: NDArray,
  w: NDArray,
  place: NDArray,
  [n, y, column, c]: readonly number[],
  rows: WindowAxis,
  columns: WindowAxis,
): { pixel: number; weight: number } {
  const depth = x.shape[3];
  const pixelAt = (row: number, at: number): number => ((n * rows.input + row) * columns.input + at) * depth + c;
  const [top, left] = [y * rows.stride - rows.before, column * columns.stride - columns.before];
  place.set(0, limitOf(x.dtype, false));
  let largest = place.get(0);
  let best = { pixel: pixelAt(Math.max(top, 0), Math.max(left, 0)), weight: c };
  for (let i = 0; i < rows.size; i++) {
    const row = top + i * rows.dilation;
    if (row < 0 || row >= rows.input) continue;
    for (let j = 0; j < columns.size; j++) {
      const at = left + j * columns.dilation;
      if (at < 0 || at >= columns.input) continue;
      const pixel = pixelAt(row, at);
      const weight = (i * columns.size + j) * depth + c;
      place.set(0, sum(x, pixel, w, weight));
      const value = place.get(0);
      if (value > largest) {
        largest = value;
        best = { pixel, weight };
      }
    }
  }
  return best;
}

const backpropInputs = { input: "T", filter: "T", outBackprop: "T" } as const;

export const Dilation2DBackpropInput = defineOp("Dilation2DBackpropInput", {
  inputs: backpropInputs,
  outputs: { inBackprop: "T" },
  attrs: window,
  shape: ({ input }) => input,
  lower: ({ input, filter, outBackprop, ...attrs }) => backprop("input", [input, filter, outBackprop], attrs),
});

export const Dilation2DBackpropFilter = defineOp("Dilation2DBackpropFilter", {
  inputs: backpropInputs,
  outputs: { filterBackprop: "T" },
  attrs: window,
  shape: ({ filter }) => filter,
  lower: ({ input, filter, outBackprop, ...attrs }) => backprop("filter", [input, filter, outBackprop], attrs),
});

/** out[b, y, x, c] = max over (i, j) of input[b, y·stride + i·rate, x·stride + j·rate, c] + filter[i, j, c].
 *  input `[batch, h, w, depth]`, filter `[h, w, depth]`; four strides and rates. TF: tf.nn.dilation2d. */
export const dilation2d = (
  input: TensorLike,
  filter: TensorLike | null,
  strides: readonly number[],
  rates: readonly number[] | null,
  padding: "SAME" | "VALID",
  options: DilationOptions | string = {},
): Tensor => {
  const { filters, dilations, name, ...others } = typeof options === "string" ? ({ name: options } as DilationOptions) : options;
  refuseOthers(others);
  const kernel = eitherName("filters", filters, "filter", filter) as TensorLike;
  const steps = eitherName("dilations", dilations, "rates", rates) as readonly number[];
  return Dilation2D({ input, filter: kernel, strides, rates: steps, padding }, { name });
};

interface DilationOptions extends Named {
  /** Newer names of `filter` and `rates`. */
  readonly filters?: TensorLike | null;
  readonly dilations?: readonly number[] | null;
}

/** The least of value minus kernel under a window: dilation of the negative with the mirrored kernel. TF: tf.nn.erosion2d. */
export const erosion2d = (
  value: TensorLike,
  kernel: TensorLike,
  strides: readonly number[],
  rates: readonly number[],
  padding: "SAME" | "VALID",
  options?: NameOption,
): Tensor =>
  inNameScope(options, "erosion2d", [value, kernel], scope =>
    negative(Dilation2D({ input: negative(value), filter: reverse(kernel, [0, 1]), strides, rates, padding }, scope)),
  );
