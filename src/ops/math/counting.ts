// Counting values: bincount, histograms, buckets, confusion matrices.

import type { DType } from "../../base/dtype.ts";
import { isInteger } from "../../base/dtype.ts";
import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { sameShape, sizeOf, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Named } from "../../graph/op-definition.ts";
import { Tensor } from "../../graph/operation.ts";
import * as ir from "../../ir/build.ts";
import type { Value } from "../../ir/program.ts";
import { s } from "../../ir/scalar.ts";
import { cNumber, collect, need } from "../arguments.ts";
import { constant, numbersOf, onesLike, rank, reshape, shape, size, squeeze } from "../array/array.ts";
import { scatterNd } from "../array/gather.ts";
import { getItem, stack } from "../array/slicing.ts";
import { assertLess, assertNonNegative } from "../flow/check.ts";
import { withDependencies } from "../flow/control-flow.ts";
import { cond } from "../flow/control-flow-contexts.ts";
import { cast, castInteger, hasFraction } from "./cast.ts";
import { clipByValue, Maximum, Minimum, truediv } from "./math.ts";
import { floor } from "./functions.ts";
import { reduceMax } from "./reduction.ts";
import { inNameScope } from "../named.ts";
import * as operator from "../operators.ts";

const countTypes = ["int32", "int64", "float32", "float64"] as const satisfies readonly DType[];

/** bins[v] += weight of every element v; values from `size` on are dropped. */
function binned(values: Value, weights: Value, size: number, binary: boolean): Value {
  ir.check(values.shape, r => s.ge(s.load(values, r), 0), {
    label: "bincount",
    reads: [values],
    error: (at, read) =>
      new InvalidArgumentError(
        at.length < 2
          ? "Input arr must be non-negative!"
          : `Input 'in' must be non-negative! Negative input value found: ${read(values).get(at[0] * values.shape[1] + at[1])}`,
      ),
  });
  need(size >= 0, () => `size (${size}) must be non-negative`);
  const rows = values.shape.length === 2 ? [values.shape[0]] : [];
  const isWeighted = sizeOf(weights.shape) > 0 && !binary;
  return ir.scatter(binary ? "assign" : "add", ir.full(weights.dtype, [...rows, size], 0), values.shape, r => ({
    at: [...(rows.length === 1 ? [s.index(r[0])] : []), s.load(values, r)],
    body: isWeighted ? s.load(weights, r) : s.constant(weights.dtype, 1),
  }));
}

export const Bincount = defineOp("Bincount", {
  inputs: { arr: "int32", size: "int32", weights: "T" },
  outputs: { bins: "T" },
  attrs: { T: attr.type(countTypes) },
  shape: (_, context) => new TensorShape([context.partial("size")?.values[0] ?? null]),
  checks: ({ arr, size, weights }) => {
    need(size.length === 0, () => `Shape must be rank 0 but is rank ${size.length}`);
    need(sizeOf(weights) === 0 || sizeOf(weights) === sizeOf(arr), () => "Input indices and weights must have the same size.");
  },
  compileTimeInputs: ["size"],
  lower: ({ arr, size, weights }) => {
    const flat = ir.reshape(arr, [sizeOf(arr.shape)]);
    const w = sizeOf(weights.shape) === 0 ? weights : ir.reshape(weights, [sizeOf(weights.shape)]);
    return binned(flat, w, numbersOf(size)[0], false);
  },
});

export const DenseBincount = defineOp("DenseBincount", {
  inputs: { input: "Tidx", size: "Tidx", weights: "T" },
  outputs: { output: "T" },
  attrs: { Tidx: attr.type(attr.indexTypes), T: attr.type(countTypes), binaryOutput: attr.bool(false) },
  shape: ({ input, size: wanted }, context) => {
    input.withRankAtMost(2);
    wanted.withRank(0);
    const size = context.partial("size")?.values[0] ?? null;
    if (input.rank === null) return TensorShape.unknown();
    if (size === null) return TensorShape.unknownOfRank(input.rank);
    return input.rank === 2 ? new TensorShape([input.dim(0), size]) : new TensorShape([size]);
  },
  checks: ({ input, size, weights }) => {
    need(size.length === 0, () => `Shape must be rank 0 but is rank ${size.length}`);
    need(input.length < 3, () => `Shape must be at most rank 2 but is rank ${input.length}`);
    need(
      sizeOf(weights) === 0 || sameShape(weights, input),
      () =>
        `\`weights\` must be the same shape as \`arr\` or a length-0 \`Tensor\`, in which case it acts as all weights equal to 1. Received [${weights}]`,
    );
  },
  compileTimeInputs: ["size"],
  lower: ({ input, size, weights, binaryOutput }) => binned(input, weights, numbersOf(size)[0], binaryOutput),
});

/** How many values fall in each of `nbins` equal parts of a range; what lies outside counts at its ends. */
export const HistogramFixedWidth = defineOp("HistogramFixedWidth", {
  inputs: { values: "T", valueRange: "T", nbins: "int32" },
  outputs: { out: "dtype" },
  attrs: { T: attr.type(countTypes), dtype: attr.type(attr.indexTypes, "int32") },
  shape: ({ valueRange, nbins }, context) => {
    const ends = valueRange.withRank(1).dim(0);
    if (ends !== null && ends !== 2) throw new ValueError(`Dimension must be 2 but is ${ends}`);
    nbins.withRank(0);
    const bins = context.partial("nbins")?.values[0] ?? null;
    if (bins !== null && bins <= 0) throw new ValueError(`Requires nbins > 0: ${bins}`);
    return new TensorShape([bins]);
  },
  checks: ({ valueRange, nbins }) => {
    need(valueRange.length === 1, () => "value_range should be a vector.");
    need(valueRange[0] === 2, () => "value_range should be a vector of 2 elements.");
    need(nbins.length === 0, () => "nbins should be a scalar.");
  },
  compileTimeInputs: ["nbins", "valueRange"],
  lower: ({ values, valueRange, nbins, dtype }) => {
    const [bins] = numbersOf(nbins);
    const [low, high] = numbersOf(valueRange);
    if (bins <= 0) throw new InvalidArgumentError(`nbins should be a positive number, but got '${bins}'`);
    if (!(low < high))
      throw new InvalidArgumentError(
        `value_range should satisfy value_range[0] < value_range[1], but got '[${cNumber(low)}, ${cNumber(high)}]'`,
      );
    ir.check(values.shape, r => s.eq(s.load(values, r), s.load(values, r)), {
      label: "HistogramFixedWidth",
      reads: [],
      error: () => new InvalidArgumentError("Histogram values must not contain NaN"),
    });
    const step = (high - low) / bins;
    return ir.scatter("add", ir.full(dtype, [bins], 0), values.shape, r => {
      const place = s.div(s.sub(s.cast(s.load(values, r), "float64"), low), step);
      const clamped = s.min(s.max(s.floor(place), 0), bins - 1);
      return { at: [s.cast(clamped, "int32")], body: s.constant(dtype, 1) };
    });
  },
});

interface HistogramOptions extends Named {
  readonly nbins?: TensorLike;
  readonly dtype?: DType;
}

/** Counts of values in equal parts of [low, high]. TF: tf.histogram_fixed_width(values, value_range, nbins, dtype, name). */
export function histogramFixedWidth(values: TensorLike, valueRange: TensorLike, ...rest: unknown[]): Tensor {
  const { nbins = 100, dtype = "int32", name } = collect<HistogramOptions>(["nbins", "dtype", "name"], rest);
  return inNameScope({ name }, "histogram_fixed_width", [values, valueRange, nbins], scope =>
    HistogramFixedWidth({ values, valueRange, nbins, dtype }, scope),
  );
}

/** The number of the interval between ascending boundaries that each value falls in. */
export const Bucketize = defineOp("Bucketize", {
  inputs: { input: "T" },
  outputs: { output: "int32" },
  attrs: { T: attr.type(countTypes), boundaries: attr.floats() },
  shape: ({ input }) => input,
  lower: ({ input, boundaries }) => {
    need(
      boundaries.every((b, i) => i === 0 || b >= boundaries[i - 1]),
      () => "Expected sorted boundaries",
    );
    // NaN is below no boundary, so it lies behind all.
    return ir.map(x => {
      const value = isInteger(x.dtype) ? s.cast(x, "float64") : x;
      return boundaries.map(b => s.cast(s.not(s.lt(value, b)), "int32")).reduce((sum, one) => s.add(sum, one), s.constant("int32", 0));
    }, input);
  },
});

/** Which of `nbins` equal parts of a range each value falls in; what lies outside counts at its ends. TF: tf.histogram_fixed_width_bins. */
export function histogramFixedWidthBins(values: TensorLike, valueRange: TensorLike, ...rest: unknown[]): Tensor {
  const { nbins = 100, name } = collect<HistogramOptions>(["nbins", "dtype", "name"], rest);
  return inNameScope({ name }, "histogram_fixed_width_bins", [values, valueRange, nbins], () => {
    const given = convertToTensor(values, { name: "values" });
    const dims = shape(given);
    const flat = reshape(given, [-1]);
    const ends = convertToTensor(valueRange, { name: "value_range", preferredDtype: hasFraction(valueRange) ? "float32" : given.dtype });
    const bins = convertToTensor(nbins, { name: "nbins", dtype: nbins instanceof Tensor ? undefined : "int32" });
    const count = cast(bins, flat.dtype);
    const low = getItem(ends, 0);
    const scaled = truediv(operator.sub(flat, low), operator.sub(getItem(ends, 1), low), { name: "scaled_values" });
    const places = floor(operator.mul(count, scaled), { name: "indices" });
    return reshape(cast(clipByValue(places, 0, operator.sub(count, 1)), "int32"), dims);
  });
}

export interface BincountOptions extends Named {
  readonly weights?: TensorLike | null;
  readonly minlength?: TensorLike | null;
  readonly maxlength?: TensorLike | null;
  readonly dtype?: DType;
}

export const bincountOptions = (given: readonly unknown[]): BincountOptions =>
  collect(["weights", "minlength", "maxlength", "dtype", "name"], given);

/** How often each number 0, 1, … occurs, up to the greatest; with `weights` their sums. TF: tf.bincount(arr, weights, minlength, maxlength, dtype). */
export function bincount(arr: TensorLike, ...rest: unknown[]): Tensor {
  const { weights, minlength, maxlength, dtype = "int32", name } = bincountOptions(rest);
  return inNameScope({ name }, "bincount", [arr, weights], () => {
    const given = convertToTensor(arr, { name: "arr", preferredDtype: "int32" });
    const weight = weights === undefined || weights === null ? undefined : convertToTensor(weights, { name: "weights" });
    const values = isInteger(given.dtype) ? given : cast(given, "int32");
    const isFilled = operator.greater(size(values), 0);
    let length = operator.mul(cast(isFilled, values.dtype), operator.add(reduceMax(values), 1));
    const bound = (limit: TensorLike, label: string): Tensor =>
      convertToTensor(limit, { name: label, dtype: limit instanceof Tensor ? undefined : values.dtype });
    if (minlength !== undefined && minlength !== null) length = Maximum({ x: bound(minlength, "minlength"), y: length });
    if (maxlength !== undefined && maxlength !== null) length = Minimum({ x: bound(maxlength, "maxlength"), y: length });
    const flatWeights = weight && reshape(weight, [-1]);
    const flat = reshape(values, [-1]);
    return DenseBincount({ input: flat, size: length, weights: flatWeights ?? constant([], dtype) });
  });
}

interface ConfusionOptions extends Named {
  readonly numClasses?: TensorLike | null;
  readonly dtype?: DType | null;
  readonly weights?: TensorLike | null;
}

/** counts[label, prediction], over classes 0, 1, … (up to the greatest that occurs). TF: tf.confusion_matrix(labels, predictions, num_classes, dtype, name, weights).
 *  @throws InvalidArgumentError while running for negative classes, or classes out of range. */
export function confusionMatrix(labels: TensorLike, predictions: TensorLike, ...rest: unknown[]): Tensor {
  const given = collect<ConfusionOptions>(["numClasses", "dtype", "name", "weights"], rest);
  const { numClasses, name, weights } = given;
  const dtype = given.dtype ?? "int32";
  return inNameScope({ name }, "confusion_matrix", [predictions, labels, numClasses, weights], () => {
    const [l, p] = sameRank(convertToTensor(labels, { name: "labels" }), convertToTensor(predictions, { name: "predictions" }));
    let predicted = cast(p, "int64");
    let label = cast(l, "int64");
    label = withDependencies([assertNonNegative(label, { message: "`labels` contains negative values" })], label);
    predicted = withDependencies([assertNonNegative(predicted, { message: "`predictions` contains negative values" })], predicted);
    let classes: TensorLike;
    if (numClasses === undefined || numClasses === null) {
      const greatest = reduceMax(predicted);
      classes = operator.add(Maximum({ x: greatest, y: reduceMax(label) }), 1);
    } else {
      classes = numClasses;
      const limit = typeof numClasses === "number" ? castInteger(numClasses, "int64") : cast(numClasses, "int64");
      label = withDependencies([assertLess(label, limit, { message: "`labels` out of bound" })], label);
      predicted = withDependencies([assertLess(predicted, limit, { message: "`predictions` out of bound" })], predicted);
    }
    let weight: Tensor | undefined;
    if (weights !== undefined && weights !== null) {
      const own = convertToTensor(weights, { name: "weights" });
      if (!predicted.shape.isCompatibleWith(own.shape)) throw new ValueError(`Shapes ${predicted.shape} and ${own.shape} are incompatible`);
      weight = cast(own, dtype);
    }
    const side = typeof classes === "number" ? constant([classes, classes], "int32", [2], "stack") : stack([classes, classes]);
    const indices = stack([label, predicted], 1);
    // None for the type leaves the counts as the classes are.
    const values = weight ?? onesLike(predicted, given.dtype === null ? undefined : dtype);
    return scatterNd(indices, values, cast(side, "int64"));
  });
}

/** A last dimension of 1 taken off where one of the two has a dimension more. */
function sameRank(labels: Tensor, predictions: Tensor): [Tensor, Tensor] {
  return labels.graph.nameScope("remove_squeezable_dimensions", () => {
    const [a, b] = [labels.shape.rank, predictions.shape.rank];
    const mayBeOne = ({ shape }: Tensor): boolean => shape.rank === null || shape.dim(-1) === 1 || shape.dim(-1) === null;
    if (a === null || b === null) {
      const difference = operator.sub(rank(predictions), rank(labels));
      const squeezed = (tensor: Tensor, when: number): Tensor =>
        mayBeOne(tensor)
          ? (cond(
              operator.equal(when, difference),
              () => squeeze(tensor, [-1]),
              () => tensor,
            ) as Tensor)
          : tensor;
      const second = squeezed(predictions, 1);
      return [squeezed(labels, -1), second];
    }
    if (b === a + 1 && mayBeOne(predictions)) return [labels, squeeze(predictions, [-1])];
    return a === b + 1 && mayBeOne(labels) ? [squeeze(labels, [-1]), predictions] : [labels, predictions];
  });
}
