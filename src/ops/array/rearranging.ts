// Moving elements about: transpose, reverse, roll, blocks of space into depth and batch. All are index maps.

import type { DType } from "../../base/dtype.ts";
import { isComplex } from "../../base/dtype.ts";
import { InvalidArgumentError, UnimplementedError, ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import type { Dimension } from "../../base/shape.ts";
import { sameShape, sizeOf, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Gradients, type Named, type PartialArray, type ShapeContext } from "../../graph/op-definition.ts";
import { Tensor } from "../../graph/operation.ts";
import { staticValue } from "../../graph/static-value.ts";
import * as ir from "../../ir/build.ts";
import { addIndex, constantIndex, dataIndex, divIndex, modIndex, scaleIndex } from "../../ir/index-map.ts";
import type { Value } from "../../ir/program.ts";
import { s } from "../../ir/scalar.ts";
import { collect, eitherName, need } from "../arguments.ts";
import { evenly, numbersOf, Rank, zeros } from "./array.ts";
import { Range } from "./ranges.ts";
import { getItem, stack } from "./slicing.ts";
import { inNameScope, named, type NameOption } from "../named.ts";
import * as operator from "../operators.ts";

// ---- transpose ----

function transposedShape(x: TensorShape, perm: TensorShape, context: ShapeContext): TensorShape {
  const length = perm.withRank(1).dim(0) ?? x.rank;
  if (x.rank !== null && perm.rank === 1 && perm.dim(0) !== null && x.rank !== perm.dim(0))
    throw new ValueError(`Dimension must be ${x.rank} but is ${perm.dim(0)}`);
  // A permutation of one element may be that of a scalar, too.
  if (length === null || (x.rank === null && length < 2)) return TensorShape.unknown();
  const values = context.partial("perm")?.values;
  if (!values || values.includes(null)) return TensorShape.unknownOfRank(length);
  if (x.dims === null) return TensorShape.unknownOfRank(length);
  const { dims } = x;
  return new TensorShape(
    (values as number[]).map(axis => {
      if (axis < -dims.length || axis >= dims.length) throw new ValueError(`perm dim ${axis} is out of range of input rank ${dims.length}`);
      return dims[axis < 0 ? axis + dims.length : axis];
    }),
  );
}

/** @throws InvalidArgumentError with the kernel's text unless `perm` is a permutation. */
function checkedPermutation(perm: NDArray, length: number): number[] {
  const axes = numbersOf(perm).map(axis => (axis < 0 ? axis + length : axis));
  if (axes.length !== length)
    throw new InvalidArgumentError(`transpose expects a vector of size ${length}. But input(1) is a vector of size ${axes.length}`);
  const text = `{${axes.join(",")}}`;
  const far = axes.find(axis => axis < 0 || axis >= length);
  if (far !== undefined) throw new InvalidArgumentError(`${far} is out of range [0 .. ${length})`);
  for (let axis = 0; axis < length; axis++) if (!axes.includes(axis)) throw new InvalidArgumentError(`${axis} is missing from ${text}.`);
  return axes;
}

const isIdentity = (perm: NDArray | undefined): boolean => perm !== undefined && numbersOf(perm).every((axis, i) => axis === i);

export const Transpose = defineOp("Transpose", {
  inputs: { x: "T", perm: "Tperm" },
  outputs: { y: "T" },
  attrs: { T: attr.type(), Tperm: attr.type(attr.indexTypes, "int32") },
  shape: ({ x, perm }, context) => transposedShape(x, perm, context),
  checks: ({ perm }) => need(perm.length === 1, () => `perm must be rank 1, got shape [${perm}]`),
  gradient: ({ perm }, d): Gradients => ({ x: transpose(d.y, invertPermutation(perm)) }),
  compileTimeInputs: ["perm"],
  partial: ({ x, perm }) => {
    if (!x || !perm || x.values.includes(null) || perm.values.includes(null)) return undefined;
    if (x.shape.length < 2 || perm.values.every((axis, i) => axis === i)) return x;
    const [rows, columns] = x.shape;
    return {
      shape: [columns, rows],
      values: Array.from({ length: columns * rows }, (_, i) => x.values[(i % rows) * columns + Math.floor(i / rows)]),
    };
  },
  simplify: ({ x }, { constant }) => (isIdentity(constant("perm")) ? x : undefined),
  lower: ({ x, perm }) => ir.transpose(x, checkedPermutation(perm, x.shape.length)),
});

export const ConjugateTranspose = defineOp("ConjugateTranspose", {
  inputs: { x: "T", perm: "Tperm" },
  outputs: { y: "T" },
  attrs: { T: attr.type(), Tperm: attr.type(attr.indexTypes, "int32") },
  shape: ({ x, perm }, context) => transposedShape(x, perm, context),
  gradient: ({ perm }, d): Gradients => ({ x: transpose(d.y, invertPermutation(perm), { conjugate: true }) }),
  compileTimeInputs: ["perm"],
  lower: ({ x, perm }) => {
    const turned = ir.transpose(x, checkedPermutation(perm, x.shape.length));
    return isComplex(x.dtype) ? ir.map(s.conj, turned) : turned;
  },
});

const inverse = (perm: readonly number[]): number[] => perm.map((_, axis) => perm.indexOf(axis));

export const InvertPermutation = defineOp("InvertPermutation", {
  inputs: { x: "T" },
  outputs: { y: "T" },
  attrs: { T: attr.type(attr.indexTypes, "int32") },
  shape: ({ x }) => x.withRank(1),
  checks: ({ x }) => need(x.length === 1, () => "invert_permutation expects a 1D vector."),
  gradient: "none",
  partial: ({ x }): PartialArray | undefined =>
    x && !x.values.includes(null) ? { shape: x.shape, values: inverse(x.values as number[]) } : undefined,
  compileTimeInputs: ["x"],
  lower: ({ x, T }) => {
    const perm = numbersOf(x);
    perm.forEach((axis, i) => {
      if (axis < 0 || axis >= perm.length) throw new InvalidArgumentError(`${axis} is not between 0 and ${perm.length}`);
      if (perm.indexOf(axis) !== i) throw new InvalidArgumentError(`${axis} is duplicated in the input.`);
    });
    return ir.constant(NDArray.from(inverse(perm), T, [perm.length]));
  },
});

export const invertPermutation = (x: TensorLike, options?: NameOption): Tensor => InvertPermutation({ x }, named(options));

interface TransposeOptions extends Named {
  readonly perm?: TensorLike | null;
  /** Conjugates complex numbers too. */
  readonly conjugate?: boolean;
}

/** Axes in another order: axis k of the result is axis perm[k]; reversed by default. TF: tf.transpose(a, perm, name, conjugate). */
export function transpose(a: TensorLike, perm?: TensorLike | null, options?: TransposeOptions | string): Tensor;
export function transpose(a: TensorLike, options?: TransposeOptions): Tensor;
export function transpose(a: TensorLike, ...rest: unknown[]): Tensor {
  const { perm, name, conjugate = false } = collect<TransposeOptions>(["perm", "name", "conjugate"], rest);
  return inNameScope({ name }, "transpose", [a], scope => {
    const x = convertToTensor(a, { name: "a" });
    const op = conjugate && isComplex(x.dtype) ? ConjugateTranspose : Transpose;
    if (perm !== undefined && perm !== null) return op({ x, perm }, scope);
    if (x.shape.rank !== null) return op({ x, perm: Array.from({ length: x.shape.rank }, (_, i) => (x.shape.rank ?? 0) - 1 - i) }, scope);
    return op({ x, perm: Range({ start: operator.sub(Rank({ input: x }), 1), limit: -1, delta: -1 }) }, scope);
  });
}

// ---- reverse, roll ----

const anyTypes = [
  "uint8",
  "int8",
  "uint16",
  "int16",
  "uint32",
  "int32",
  "uint64",
  "int64",
  "bool",
  "bfloat16",
  "float16",
  "float32",
  "float64",
  "complex64",
  "complex128",
  "string",
] as const satisfies readonly DType[];

export const ReverseV2 = defineOp("ReverseV2", {
  inputs: { tensor: "T", axis: "Tidx" },
  outputs: { output: "T" },
  attrs: {
    Tidx: attr.type(attr.indexTypes, "int32"),
    T: attr.type([
      "uint8",
      "int8",
      "uint16",
      "int16",
      "int32",
      "uint32",
      "int64",
      "uint64",
      "bool",
      "bfloat16",
      "float16",
      "float32",
      "float64",
      "complex64",
      "complex128",
      "string",
    ]),
  },
  shape: ({ tensor, axis: axesShape }, context) => {
    axesShape.withRank(1);
    const axes = context.partial("axis")?.values;
    if (tensor.rank === null || !axes) return tensor;
    const seen = new Set<number>();
    for (const [i, axis] of axes.entries()) {
      if (axis === null) continue;
      const at = axis < 0 ? axis + tensor.rank : axis;
      if (at < 0 || at >= tensor.rank) throw new ValueError(`'axis'[${i}] = ${axis} is out of valid range [0, ${tensor.rank - 1}`);
      if (seen.has(at)) throw new ValueError(`axis ${at} specified more than once.`);
      seen.add(at);
    }
    return tensor;
  },
  isLenient: true,
  checks: ({ axis }) => need(axis.length === 1, () => `'dims' must be 1-dimension, not ${axis.length}`),
  gradient: ({ axis }, d): Gradients => ({ tensor: reverse(d.output, axis) }),
  partial: ({ tensor, axis }) =>
    tensor?.shape.length === 1 && axis !== undefined && !axis.values.includes(null)
      ? { shape: tensor.shape, values: axis.values.length === 0 ? tensor.values : tensor.values.toReversed() }
      : undefined,
  compileTimeInputs: ["axis"],
  lower: ({ tensor, axis }) => {
    const rank = tensor.shape.length;
    if (rank === 0 || tensor.shape.includes(0)) return tensor;
    need(rank <= 8, () => "reverse is not implemented for tensors of rank > 8.", UnimplementedError);
    const seen = new Set<number>();
    numbersOf(axis).forEach((k, i) => {
      const at = k < 0 ? k + rank : k;
      // The bracket is not closed there either.
      need(at >= 0 && at < rank, () => `'axis'[${i}] = ${k} is out of valid range [0, ${rank - 1}`);
      need(!seen.has(at), () => `axis ${at} specified more than once.`);
      seen.add(at);
    });
    return ir.reverse(tensor, [...seen]);
  },
});

/** The older ReverseV2: a bool for every axis. */
export const Reverse = defineOp("Reverse", {
  inputs: { tensor: "T", dims: "bool" },
  outputs: { output: "T" },
  attrs: { T: attr.type(anyTypes) },
  shape: ({ tensor }) => tensor,
  gradient: ({ dims }, d): Gradients => ({ tensor: Reverse({ tensor: d.output, dims }) }),
  compileTimeInputs: ["dims"],
  checks: ({ tensor }) => need(tensor[0] !== 0, () => "Invalid input first dimension. Found 0."),
  lower: ({ tensor, dims }) =>
    ir.reverse(
      tensor,
      numbersOf(dims).flatMap((flag, axis) => (flag ? [axis] : [])),
    ),
});

/** Axes turned around. TF: tf.reverse. */
export const reverse = (tensor: TensorLike, axis: TensorLike, options?: NameOption): Tensor => ReverseV2({ tensor, axis }, named(options));
export const reverseV2 = reverse;

export const ReverseSequence = defineOp("ReverseSequence", {
  inputs: { input: "T", seqLengths: "Tlen" },
  outputs: { output: "T" },
  attrs: { seqDim: attr.int(), batchDim: attr.int(0), T: attr.type(), Tlen: attr.type(attr.indexTypes, "int64") },
  shape: ({ input, seqLengths, seqDim, batchDim }) => {
    const lengths = seqLengths.withRank(1);
    if (input.dims === null) return input;
    if (batchDim < 0) throw new ValueError(`batch_dim must be >=0, got ${batchDim}`);
    if (batchDim >= input.dims.length) throw new ValueError(`batch_dim must be < input rank: ${batchDim} vs. ${input.dims.length}`);
    if (seqDim >= input.dims.length) throw new ValueError(`seq_dim must be < input rank: ${seqDim} vs. ${input.dims.length}`);
    const [batch, count] = [input.dims[batchDim], lengths.dim(0)];
    if (batch !== null && count !== null && batch !== count)
      throw new ValueError(`Dimensions must be equal, but are ${batch} and ${count}`);
    return new TensorShape(input.dims.with(batchDim, batch ?? count));
  },
  checks: ({ input, seqLengths, seqDim, batchDim }) => {
    need(batchDim !== seqDim, () => `batch_dim == seq_dim == ${seqDim}`);
    need(seqLengths.length === 1, () => `seq_lengths must be 1-dim, not ${seqLengths.length}`);
    need(seqDim < input.length, () => `seq_dim must be < input rank ( ${seqDim} vs. ${input.length})`);
    need(batchDim < input.length, () => `batch_dim must be < input rank ( ${batchDim} vs. ${input.length})`);
  },
  gradient: ({ seqLengths, seqDim, batchDim }, d): Gradients => ({
    input: ReverseSequence({ input: d.output, seqLengths, seqDim, batchDim }),
  }),
  lower: ({ input, seqLengths, seqDim, batchDim }) => {
    const size = input.shape[seqDim];
    const [count, batch] = [seqLengths.shape[0], input.shape[batchDim]];
    need(count === batch, () => `Length of seq_lengths != input.dims(${batchDim}), (${count} vs. ${batch})`);
    ir.check(seqLengths.shape, r => s.and(s.ge(s.load(seqLengths, r), 0), s.le(s.load(seqLengths, r), size)), {
      label: "ReverseSequence",
      reads: [seqLengths],
      error: ([b], read) => {
        const length = Number(read(seqLengths).get(b));
        return new InvalidArgumentError(length < 0 ? `seq_lens(${b}) < 0` : `seq_lens(${b}) > input.dims(${seqDim})`);
      },
    });
    return ir.generate(input.shape, i => {
      const length = s.cast(s.load(seqLengths, [i[batchDim]]), "int32");
      const at = s.index(i[seqDim]);
      const source = s.select(s.lt(at, length), s.sub(s.sub(length, at), 1), at);
      return s.load(input, i.with(seqDim, dataIndex(source, size)));
    });
  },
});

interface ReverseSequenceOptions extends Named {
  readonly seqAxis?: number | null;
  readonly batchAxis?: number | null;
  /** Older names of `seqAxis` and `batchAxis`. */
  readonly seqDim?: number | null;
  readonly batchDim?: number | null;
}

/** For each batch b, the first seqLengths[b] elements along `seqAxis` turned around. TF: tf.reverse_sequence. */
export function reverseSequence(input: TensorLike, seqLengths: TensorLike, ...rest: unknown[]): Tensor {
  const given = collect<ReverseSequenceOptions>(["seqAxis", "batchAxis", "name", "seqDim", "batchDim"], rest);
  const seqDim = eitherName("seq_axis", given.seqAxis, "seq_dim", given.seqDim);
  const batchDim = eitherName("batch_axis", given.batchAxis, "batch_dim", given.batchDim) ?? 0;
  return ReverseSequence({ input, seqLengths, seqDim, batchDim }, { name: given.name });
}

export const Roll = defineOp("Roll", {
  inputs: { input: "T", shift: "Tshift", axis: "Taxis" },
  outputs: { output: "T" },
  attrs: { T: attr.type(), Tshift: attr.type(attr.indexTypes), Taxis: attr.type(attr.indexTypes) },
  shape: ({ input, shift, axis }) => {
    input.withRankAtLeast(1);
    shift.withRankAtMost(1).mergeWith(axis.withRankAtMost(1));
    return input;
  },
  checks: ({ input, shift, axis }) => {
    need(input.length >= 1, () => "input must be 1-D or higher");
    need(shift.length <= 1, () => `shift must be a scalar or a 1-D vector. Found: [${shift}]`);
    need(axis.length <= 1, () => `axis must be a scalar or a 1-D vector. Found: [${axis}]`);
    need(sameShape(shift, axis), () => "shift and axis must have the same size");
  },
  gradient: ({ shift, axis }, d): Gradients => ({ input: roll(d.output, operator.neg(shift), axis) }),
  compileTimeInputs: ["shift", "axis"],
  lower: ({ input, shift, axis }) => {
    const [shifts, axes] = [numbersOf(shift), numbersOf(axis)];
    if (shifts.length !== axes.length) throw new InvalidArgumentError("shift and axis must have the same size");
    const total = input.shape.map(() => 0);
    axes.forEach((k, i) => {
      const at = k < 0 ? k + input.shape.length : k;
      if (at < 0 || at >= input.shape.length) throw new InvalidArgumentError(`axis ${at} is out of range`);
      total[at] += shifts[i];
    });
    return ir.generate(input.shape, i =>
      s.load(
        input,
        i.map((index, k) => modIndex(addIndex(index, constantIndex(-total[k])), Math.max(input.shape[k], 1))),
      ),
    );
  },
});

/** Elements moved along axes by `shift`, those that leave coming in at the other end. TF: tf.roll. */
export const roll = (input: TensorLike, shift: TensorLike, axis: TensorLike, options?: NameOption): Tensor =>
  Roll({ input, shift, axis }, named(options));

// ---- blocks of space and depth ----

const dataFormat = attr.oneOf(["NHWC", "NCHW", "NCHW_VECT_C"], "NHWC");
const block = attr.int(undefined, 2);

/** The axes of height, width and depth. */
const imageAxes = (format: string): readonly [number, number, number] => (format === "NHWC" ? [1, 2, 3] : [2, 3, 1]);

function refuseVectors(format: string): void {
  if (format === "NCHW_VECT_C")
    throw new InvalidArgumentError("Only NHWC and NCHW data_format are supported here; NCHW_VECT_C needs quantized types.");
}

function checkImageRank({ length }: readonly number[], format: string, colon: string): void {
  const rank = format === "NCHW_VECT_C" ? 5 : 4;
  need(length === rank, () => `Input rank should be${colon} ${rank} instead of${colon} ${length}`);
}

export const SpaceToDepth = defineOp("SpaceToDepth", {
  inputs: { input: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(), blockSize: block, dataFormat },
  shape: ({ input, blockSize, dataFormat: format }) => {
    const x = input.withRank(format === "NCHW_VECT_C" ? 5 : 4);
    const [h, w, c] = imageAxes(format);
    const dims = [...(x.dims ?? [])];
    for (const axis of [h, w]) dims[axis] = dims[axis] === null ? null : evenly(dims[axis] as number, blockSize);
    dims[c] = dims[c] === null ? null : (dims[c] as number) * blockSize ** 2;
    return new TensorShape(dims);
  },
  checks: ({ input, dataFormat: format }) => checkImageRank(input, format, ""),
  gradient: ({ blockSize, dataFormat: format }, d): Gradients => ({
    input: DepthToSpace({ input: d.output, blockSize, dataFormat: format }),
  }),
  lower: ({ input, blockSize: b, dataFormat: format }, context) => {
    refuseVectors(format);
    const [h, w, c] = imageAxes(format);
    const depth = input.shape[c];
    if (input.shape[h] % b !== 0 || input.shape[w] % b !== 0)
      throw new InvalidArgumentError(`Image width ${input.shape[w]} and height ${input.shape[h]} should be divisible by block_size: ${b}`);
    // Output channel (y·b + x)·depth + k comes from row y and column x of the block.
    return ir.generate(context.outputShapes[0].asNumbers(), i => {
      const place = divIndex(i[c], depth);
      const at = [...i];
      at[h] = addIndex(scaleIndex(i[h], b), divIndex(place, b));
      at[w] = addIndex(scaleIndex(i[w], b), modIndex(place, b));
      at[c] = modIndex(i[c], depth);
      return s.load(input, at);
    });
  },
});

export const DepthToSpace = defineOp("DepthToSpace", {
  inputs: { input: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(), blockSize: block, dataFormat },
  shape: ({ input, blockSize, dataFormat: format }) => {
    const x = input.withRank(format === "NCHW_VECT_C" ? 5 : 4);
    const [h, w, c] = imageAxes(format);
    const dims = [...(x.dims ?? [])];
    dims[c] = dims[c] === null ? null : evenly(dims[c] as number, blockSize ** 2);
    for (const axis of [h, w]) dims[axis] = dims[axis] === null ? null : (dims[axis] as number) * blockSize;
    return new TensorShape(dims);
  },
  checks: ({ input, dataFormat: format }) => checkImageRank(input, format, ":"),
  gradient: ({ blockSize, dataFormat: format }, d): Gradients => ({
    input: SpaceToDepth({ input: d.output, blockSize, dataFormat: format }),
  }),
  lower: ({ input, blockSize: b, dataFormat: format }, context) => {
    refuseVectors(format);
    const [h, w, c] = imageAxes(format);
    if (input.shape[c] % b ** 2 !== 0)
      throw new InvalidArgumentError(`Input depth dimension ${input.shape[c]} should be divisible by: ${b ** 2}`);
    const dims = context.outputShapes[0].asNumbers();
    return ir.generate(dims, i => {
      const at = [...i];
      at[h] = divIndex(i[h], b);
      at[w] = divIndex(i[w], b);
      at[c] = addIndex(scaleIndex(addIndex(scaleIndex(modIndex(i[h], b), b), modIndex(i[w], b)), dims[c]), i[c]);
      return s.load(input, at);
    });
  },
});

interface DepthOptions extends Named {
  readonly dataFormat?: "NHWC" | "NCHW";
}

/** Blocks of an image stacked in its channels, in the order row, column, channel. TF: tf.space_to_depth(input, block_size, name, data_format). */
export function spaceToDepth(input: TensorLike, blockSize: number, ...rest: unknown[]): Tensor {
  const { name, dataFormat: format = "NHWC" } = collect<DepthOptions>(["name", "dataFormat"], rest);
  return SpaceToDepth({ input, blockSize, dataFormat: format }, { name });
}

/** Channels laid out as blocks of an image: the inverse of spaceToDepth. TF: tf.depth_to_space(input, block_size, name, data_format). */
export function depthToSpace(input: TensorLike, blockSize: number, ...rest: unknown[]): Tensor {
  const { name, dataFormat: format = "NHWC" } = collect<DepthOptions>(["name", "dataFormat"], rest);
  return DepthToSpace({ input, blockSize, dataFormat: format }, { name });
}

// ---- blocks of space and batch ----

/** What becomes of a size along an axis that is cut into blocks or made of them, with what is padded or cropped before and after. */
type SizeOfSpace = (size: number, block: number, before: number, after: number) => number;

/** How many dimensions are cut, for each of which two amounts are given. */
function blockCount(blockShape: TensorShape, amounts: TensorShape): Dimension {
  if (blockShape.rank !== null && blockShape.rank !== 1) throw new ValueError("block_shape must have rank 1.");
  const count = blockShape.dim(0);
  amounts.mergeWith(new TensorShape([count, 2]));
  return count;
}

function blocksShape(
  input: TensorShape,
  blocks: readonly (number | null)[] | undefined,
  amounts: NDArray | undefined,
  count: Dimension,
  batchOf: (batch: number, block: number) => number,
  sizeOfSpace: SizeOfSpace,
): TensorShape {
  if (count === null || input.dims === null) return input.rank === null ? TensorShape.unknown() : TensorShape.unknownOfRank(input.rank);
  const dims = input.withRankAtLeast(count + 1).dims as readonly Dimension[];
  const given = amounts && numbersOf(amounts);
  let batch = dims[0];
  const space = Array.from({ length: count }, (_, k): Dimension => {
    const block = blocks?.[k] ?? null;
    if (block !== null && block < 1) throw new ValueError("block_shape must be positive");
    batch = batch === null || block === null ? null : batchOf(batch, block);
    const size = dims[k + 1];
    return size === null || block === null || !given ? null : sizeOfSpace(size, block, given[2 * k], given[2 * k + 1]);
  });
  return new TensorShape([batch, ...space, ...dims.slice(count + 1)]);
}

const spaceToBatchShape = (
  input: TensorShape,
  blocks: readonly (number | null)[] | undefined,
  pads: NDArray | undefined,
  count: Dimension,
): TensorShape =>
  blocksShape(
    input,
    blocks,
    pads,
    count,
    (batch, block) => batch * block,
    (size, block, before, after) => {
      if (before < 0 || after < 0) throw new ValueError("paddings cannot be negative");
      return evenly(size + before + after, block);
    },
  );

const batchToSpaceShape = (
  input: TensorShape,
  blocks: readonly (number | null)[] | undefined,
  crops: NDArray | undefined,
  count: Dimension,
): TensorShape =>
  blocksShape(input, blocks, crops, count, evenly, (size, block, before, after) => {
    if (before < 0 || after < 0) throw new ValueError("crops cannot be negative");
    return [before, after].reduce((left, crop) => {
      if (left < crop) throw new ValueError(`Negative dimension size caused by subtracting ${crop} from ${left}`);
      return left - crop;
    }, size * block);
  });

const checkBlockRank = ({ shape }: Value, blocks: number): void =>
  need(shape.length > blocks, () => `input rank should be >= ${blocks + 1} instead of ${shape.length}`);

/** out[(y·bx + x)·n + i, h, w, …] = in[i, h·by + y − top, …], zero outside. */
function blocksToBatch(input: Value, blocks: readonly number[], pads: readonly number[]): Value {
  const [n] = input.shape;
  const count = blocks.length;
  checkBlockRank(input, count);
  const space = blocks.map((b, k) => {
    const padded = input.shape[k + 1] + pads[2 * k] + pads[2 * k + 1];
    if (padded % b !== 0) throw new InvalidArgumentError(`padded_shape[${k}]=${padded} is not divisible by block_shape[${k}]=${b}`);
    return padded / b;
  });
  return ir.generate([n * sizeOf(blocks), ...space, ...input.shape.slice(count + 1)], i => {
    let place = divIndex(i[0], Math.max(n, 1));
    const at = [...i];
    at[0] = modIndex(i[0], Math.max(n, 1));
    for (let k = count - 1; k >= 0; k--) {
      at[k + 1] = addIndex(addIndex(scaleIndex(i[k + 1], blocks[k]), modIndex(place, blocks[k])), constantIndex(-pads[2 * k]));
      place = divIndex(place, blocks[k]);
    }
    const bounds = blocks.map((_, k) => ({ index: at[k + 1], low: 0, high: input.shape[k + 1] }));
    return s.guard(bounds, s.load(input, at), s.constant(input.dtype, 0));
  });
}

function batchToBlocks(input: Value, blocks: readonly number[], crops: readonly number[]): Value {
  const count = blocks.length;
  const batches = sizeOf(blocks);
  checkBlockRank(input, count);
  if (input.shape[0] % batches !== 0)
    throw new InvalidArgumentError(`Input batch dimension (${input.shape[0]}) is not divisible by product of block sizes (${batches})`);
  const n = input.shape[0] / batches;
  const space = blocks.map((b, k) => input.shape[k + 1] * b - crops[2 * k] - crops[2 * k + 1]);
  if (space.some(d => d < 0)) throw new InvalidArgumentError(`cropped_shape must be non-negative`);
  return ir.generate([n, ...space, ...input.shape.slice(count + 1)], i => {
    const at = [...i];
    let place = constantIndex(0);
    blocks.forEach((b, k) => {
      const full = addIndex(i[k + 1], constantIndex(crops[2 * k]));
      place = addIndex(scaleIndex(place, b), modIndex(full, b));
      at[k + 1] = divIndex(full, b);
    });
    at[0] = addIndex(scaleIndex(place, n), i[0]);
    return s.load(input, at);
  });
}

export const SpaceToBatchND = defineOp("SpaceToBatchND", {
  inputs: { input: "T", blockShape: "Tblock_shape", paddings: "Tpaddings" },
  outputs: { output: "T" },
  attrs: { T: attr.type(), Tblock_shape: attr.type(attr.indexTypes, "int32"), Tpaddings: attr.type(attr.indexTypes, "int32") },
  shape: ({ input, blockShape, paddings }, context) =>
    spaceToBatchShape(input, context.partial("blockShape")?.values, context.constant("paddings"), blockCount(blockShape, paddings)),
  gradient: ({ blockShape, paddings }, d): Gradients => ({ input: batchToSpaceNd(d.output, blockShape, paddings) }),
  compileTimeInputs: ["blockShape", "paddings"],
  lower: ({ input, blockShape, paddings }) => blocksToBatch(input, numbersOf(blockShape), numbersOf(paddings)),
});

export const BatchToSpaceND = defineOp("BatchToSpaceND", {
  inputs: { input: "T", blockShape: "Tblock_shape", crops: "Tcrops" },
  outputs: { output: "T" },
  attrs: { T: attr.type(), Tblock_shape: attr.type(attr.indexTypes, "int32"), Tcrops: attr.type(attr.indexTypes, "int32") },
  shape: ({ input, blockShape, crops }, context) =>
    batchToSpaceShape(input, context.partial("blockShape")?.values, context.constant("crops"), blockCount(blockShape, crops)),
  gradient: ({ blockShape, crops }, d): Gradients => ({ input: spaceToBatchNd(d.output, blockShape, crops) }),
  compileTimeInputs: ["blockShape", "crops"],
  lower: ({ input, blockShape, crops }) => batchToBlocks(input, numbersOf(blockShape), numbersOf(crops)),
});

/** The older SpaceToBatchND: one block size for height and width. */
export const SpaceToBatch = defineOp("SpaceToBatch", {
  inputs: { input: "T", paddings: "Tpaddings" },
  outputs: { output: "T" },
  attrs: { T: attr.type(), Tpaddings: attr.type(attr.indexTypes, "int32"), blockSize: block },
  shape: ({ input, blockSize }, context) => spaceToBatchShape(input.withRank(4), [blockSize, blockSize], context.constant("paddings"), 2),
  gradient: ({ paddings, blockSize }, d): Gradients => ({ input: BatchToSpace({ input: d.output, crops: paddings, blockSize }) }),
  compileTimeInputs: ["paddings"],
  lower: ({ input, paddings, blockSize }) => blocksToBatch(input, [blockSize, blockSize], numbersOf(paddings)),
});

export const BatchToSpace = defineOp("BatchToSpace", {
  inputs: { input: "T", crops: "Tidx" },
  outputs: { output: "T" },
  attrs: { T: attr.type(), blockSize: block, Tidx: attr.type(attr.indexTypes, "int32") },
  shape: ({ input, blockSize }, context) => batchToSpaceShape(input.withRank(4), [blockSize, blockSize], context.constant("crops"), 2),
  gradient: ({ crops, blockSize }, d): Gradients => ({ input: SpaceToBatch({ input: d.output, paddings: crops, blockSize }) }),
  compileTimeInputs: ["crops"],
  lower: ({ input, crops, blockSize }) => batchToBlocks(input, [blockSize, blockSize], numbersOf(crops)),
});

/** Blocks of space moved into the batch, after zero padding. TF: tf.space_to_batch_nd. */
export const spaceToBatchNd = (input: TensorLike, blockShape: TensorLike, paddings: TensorLike, options?: NameOption): Tensor =>
  SpaceToBatchND({ input, blockShape, paddings }, named(options));
/** Batches laid out as blocks of space, then cropped: the inverse of spaceToBatchNd. TF: tf.batch_to_space_nd. */
export const batchToSpaceNd = (input: TensorLike, blockShape: TensorLike, crops: TensorLike, options?: NameOption): Tensor =>
  BatchToSpaceND({ input, blockShape, crops }, named(options));

interface BlockOptions extends Named {
  readonly blockSize?: number | null;
  readonly blockShape?: number | null;
}

const squareBlock = (blockSize: number): NDArray => NDArray.from([blockSize, blockSize], "int64");

/** TF: tf.space_to_batch(input, paddings, block_size, name). */
export function spaceToBatch(input: TensorLike, paddings: TensorLike, ...rest: unknown[]): Tensor {
  const given = collect<BlockOptions>(["blockSize", "name", "blockShape"], rest);
  const blockSize = eitherName("block_shape", given.blockShape, "block_size", given.blockSize) ?? 0;
  const result = spaceToBatchNd(input, squareBlock(blockSize), paddings, { name: given.name });
  result.setShape(result.shape.withRank(4));
  return result;
}

/** TF: tf.batch_to_space(input, crops, block_size, name). */
export function batchToSpace(input: TensorLike, crops: TensorLike, ...rest: unknown[]): Tensor {
  const given = collect<BlockOptions>(["blockSize", "name", "blockShape"], rest);
  const blockSize = eitherName("block_shape", given.blockShape, "block_size", given.blockSize) ?? 0;
  const result = batchToSpaceNd(input, squareBlock(blockSize), crops, { name: given.name });
  result.setShape(result.shape.withRank(4));
  return result;
}

interface PaddingsOptions extends Named {
  readonly basePaddings?: TensorLike | null;
}

/** Paddings that make space divisible by the block, and the crops that undo them. TF: tf.required_space_to_batch_paddings. */
export function requiredSpaceToBatchPaddings(
  inputShape: TensorLike,
  blockShape: TensorLike,
  ...rest: unknown[]
): [paddings: Tensor, crops: Tensor] {
  const { basePaddings, name } = collect<PaddingsOptions>(["basePaddings", "name"], rest);
  return inNameScope({ name }, "required_space_to_batch_paddings", [inputShape, blockShape], () => {
    const integers = (value: TensorLike, label: string): Tensor =>
      convertToTensor(value, { name: label, dtype: value instanceof Tensor ? undefined : "int32" });
    const [dims, blocks] = [integers(inputShape, "input_shape"), integers(blockShape, "block_shape")];
    const count = blocks.shape.withRank(1).asNumbers()[0];
    if (count === 0) return [zeros([0, 2], "int32"), zeros([0, 2], "int32")];
    dims.shape.assertIsCompatibleWith([count]);
    const base = basePaddings === undefined || basePaddings === null ? zeros([count, 2], "int32") : integers(basePaddings, "base_paddings");
    base.shape.assertIsCompatibleWith([count, 2]);
    const [knownDims, knownBlocks, knownBase] = [staticValue(dims), staticValue(blocks), staticValue(base)];
    if (knownDims && knownBlocks && knownBase) return requiredNumbers(numbersOf(knownDims), numbersOf(knownBlocks), numbersOf(knownBase));
    const [start, end] = [getItem(base, [], 0), getItem(base, [], 1)];
    const full = operator.add(operator.add(dims, start), end);
    const extra = operator.mod(operator.sub(blocks, operator.mod(full, blocks)), blocks);
    const padEnd = operator.add(end, extra);
    const rows = (first: (k: number) => TensorLike, second: Tensor): TensorLike[] =>
      Array.from({ length: count }, (_, k) => [first(k), getItem(second, k)]);
    return [
      stack(
        rows(k => getItem(start, k), padEnd),
        0,
        { name: "paddings" },
      ),
      stack(
        rows(() => 0, extra),
        0,
        { name: "crops" },
      ),
    ];
  });
}

function requiredNumbers(dims: readonly number[], blocks: readonly number[], base: readonly number[]): [Tensor, Tensor] {
  const extra = blocks.map((b, k) => {
    const full = dims[k] + base[2 * k] + base[2 * k + 1];
    return b === 0 ? 0 : (b - (full % b)) % b;
  });
  const paddings = blocks.map((_, k) => [base[2 * k], base[2 * k + 1] + extra[k]]);
  return [
    convertToTensor(paddings, { name: "paddings", dtype: "int32" }),
    convertToTensor(
      extra.map(e => [0, e]),
      { name: "crops", dtype: "int32" },
    ),
  ];
}
