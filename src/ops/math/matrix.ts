// Products of matrices and tensors: matmul (single and batched), tensordot. All are one primitive, `contract`. Einstein sums are math/einsum.ts.

import type { DType } from "../../base/dtype.ts";
import { isComplex } from "../../base/dtype.ts";
import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { pythonStr } from "../../base/python-text.ts";
import type { Dimension } from "../../base/shape.ts";
import { broadcastShapes, sizeOf, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertToTensor, literalType, type TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Gradients, type Named } from "../../graph/op-definition.ts";
import { Tensor } from "../../graph/operation.ts";
import * as ir from "../../ir/build.ts";
import { constantIndex, type Index } from "../../ir/index-map.ts";
import type { Value } from "../../ir/program.ts";
import { s } from "../../ir/scalar.ts";
import { collect, need } from "../arguments.ts";
import { constant, expandDims, rank, reshape, shape, squeeze } from "../array/array.ts";
import { BroadcastGradientArgs } from "../array/padding.ts";
import { gather } from "../array/gather.ts";
import { ListDiff } from "../array/partition.ts";
import { range } from "../array/ranges.ts";
import { transpose } from "../array/rearranging.ts";
import { where } from "../array/selection.ts";
import { concat, getItem, stack } from "../array/slicing.ts";
import { cast } from "./cast.ts";
import { conj } from "./functions.ts";
import { reduceProd, reduceSum } from "./reduction.ts";
import { inNameScope, type NameOption } from "../named.ts";
import * as operator from "../operators.ts";

const productTypes = [
  "bfloat16",
  "float16",
  "float32",
  "float64",
  "int32",
  "int64",
  "uint8",
  "uint16",
  "uint32",
  "uint64",
  "complex64",
  "complex128",
] as const satisfies readonly DType[];

/** @throws ValueError with TensorFlow's text. */
function sameDimension(d: Dimension, e: Dimension): void {
  if (d !== null && e !== null && d !== e)
    throw new ValueError(
      `Dimensions must be equal, but are ${d} and ${e}`,
      "The columns of the first matrix must equal the rows of the second; transposeA and transposeB swap them.",
    );
}

// ---- two matrices ----

/** @throws ValueError with TensorFlow's text. */
export function productShape(a: TensorShape, b: TensorShape, transposeA: boolean, transposeB: boolean): TensorShape {
  const [x, y] = [a.withRank(2), b.withRank(2)];
  const [m, k] = transposeA ? [x.dim(1), x.dim(0)] : [x.dim(0), x.dim(1)];
  const [l, n] = transposeB ? [y.dim(1), y.dim(0)] : [y.dim(0), y.dim(1)];
  sameDimension(k, l);
  return new TensorShape([m, n]);
}

function product(a: Value, b: Value, transposeA: boolean, transposeB: boolean): Value {
  const text = `In[0]: [${a.shape.join(",")}], In[1]: [${b.shape.join(",")}]`;
  const [length, other] = [a.shape.length, b.shape.length];
  need(length === other, () => `In[0] and In[1] has different ndims: [${a.shape}] vs. [${b.shape}]`);
  need(length === 2, () => `In[0] and In[1] ndims must be == 2: ${length}`);
  const [m, k] = transposeA ? [a.shape[1], a.shape[0]] : a.shape;
  const [l, n] = transposeB ? [b.shape[1], b.shape[0]] : b.shape;
  if (k !== l) throw new InvalidArgumentError(`Matrix size-incompatible: ${text}`);
  return ir.contract([m, n], [k], ([i, j], [r]) => [
    ir.operand(a, transposeA ? [r, i] : [i, r]),
    ir.operand(b, transposeB ? [j, r] : [r, j]),
  ]);
}

type ProductRecord = { readonly a: Tensor; readonly b: Tensor; readonly transposeA: boolean; readonly transposeB: boolean };

function productGradient({ a: givenA, b: givenB, transposeA, transposeB }: ProductRecord, d: { readonly product: Tensor }): Gradients {
  const [dz, a, b] = [d.product, conj(givenA), conj(givenB)];
  const byA = transposeA
    ? MatMul({ a: b, b: dz, transposeA: transposeB, transposeB: true, gradA: true })
    : MatMul({ a: dz, b, transposeB: !transposeB, gradA: true });
  const byB = transposeB
    ? MatMul({ a: dz, b: a, transposeA: true, transposeB: transposeA, gradB: true })
    : MatMul({ a, b: dz, transposeA: !transposeA, gradB: true });
  return { a: byA, b: byB };
}

export const MatMul = defineOp("MatMul", {
  inputs: { a: "T", b: "T" },
  outputs: { product: "T" },
  attrs: {
    transposeA: attr.bool(false),
    transposeB: attr.bool(false),
    T: attr.type(productTypes),
    gradA: attr.bool(false),
    gradB: attr.bool(false),
  },
  shape: ({ a, b, transposeA, transposeB }) => productShape(a, b, transposeA, transposeB),
  gradient: productGradient,
  lower: ({ a, b, transposeA, transposeB }) => product(a, b, transposeA, transposeB),
});

/** MatMul with hints that many elements are zero; the result is float32. */
export const SparseMatMul = defineOp("SparseMatMul", {
  inputs: { a: "Ta", b: "Tb" },
  outputs: { product: "float32" },
  attrs: {
    transposeA: attr.bool(false),
    transposeB: attr.bool(false),
    aIsSparse: attr.bool(false),
    bIsSparse: attr.bool(false),
    Ta: attr.type(["float32", "bfloat16"], "float32"),
    Tb: attr.type(["float32", "bfloat16"], "float32"),
  },
  shape: ({ a, b, transposeA, transposeB }) => productShape(a, b, transposeA, transposeB),
  checks: ({ a, b, transposeA, transposeB }) => {
    need(a.length === 2, () => "a is not a matrix");
    need(b.length === 2, () => "b is not a matrix");
    need(a[transposeA ? 0 : 1] === b[transposeB ? 1 : 0], () => `Matrix size incompatible: a: [${a}], b: [${b}]`);
  },
  gradient: ({ a, b, transposeA, transposeB, aIsSparse, bIsSparse }, d): Gradients => {
    const isSparse = new Map([
      [a, aIsSparse],
      [b, bIsSparse],
      [d.product, d.product.op.type === "ReluGrad"],
    ]);
    const times = (x: Tensor, y: Tensor, to: DType, flipX: boolean, flipY: boolean): Tensor =>
      cast(
        matmul(x, flipY ? transpose(y) : y, {
          transposeA: flipX,
          aIsSparse: isSparse.get(x) ?? false,
          bIsSparse: isSparse.get(y) ?? false,
        }),
        to,
      );
    const dz = d.product;
    return {
      a: transposeA ? times(b, dz, a.dtype, transposeB, true) : times(dz, b, a.dtype, false, !transposeB),
      b: transposeB ? times(dz, a, b.dtype, true, transposeA) : times(a, dz, b.dtype, !transposeA, false),
    };
  },
  lower: ({ a, b, transposeA, transposeB }) => product(ir.cast(a, "float32"), ir.cast(b, "float32"), transposeA, transposeB),
});

// ---- batches of matrices ----

function batchShape(x: TensorShape, y: TensorShape, adjX: boolean, adjY: boolean, broadcasts: boolean): TensorShape {
  const [a, b] = [x.withRankAtLeast(2), y.withRankAtLeast(2)];
  const [m, k] = adjX ? [a.dim(-1), a.dim(-2)] : [a.dim(-2), a.dim(-1)];
  const [l, n] = adjY ? [b.dim(-1), b.dim(-2)] : [b.dim(-2), b.dim(-1)];
  sameDimension(k, l);
  const batch = broadcasts ? broadcastShapes(a.slice(0, -2), b.slice(0, -2)) : a.slice(0, -2).mergeWith(b.slice(0, -2));
  return batch.concatenate([m, n]);
}

/** The index of an operand's batch dimensions, those of size 1 repeating. */
const batchIndex = (value: Value, i: readonly Index[], batchRank: number): Index[] => {
  const own = value.shape.length - 2;
  return value.shape.slice(0, own).map((size, axis) => (size === 1 ? constantIndex(0) : i[batchRank - own + axis]));
};

function batchProduct(given: readonly [Value, Value], adjX: boolean, adjY: boolean): Value {
  const conjugate = (value: Value, adjoint: boolean): Value => (adjoint && isComplex(value.dtype) ? ir.map(s.conj, value) : value);
  const [x, y] = [conjugate(given[0], adjX), conjugate(given[1], adjY)];
  const text = `In[0]: [${x.shape.join(",")}], In[1]: [${y.shape.join(",")}]`;
  for (const [k, { shape }] of [x, y].entries()) need(shape.length >= 2, () => `In[${k}] ndims must be >= 2: ${shape.length}`);
  const [xs, ys] = [x.shape.slice(-2), y.shape.slice(-2)];
  const [m, k] = adjX ? [xs[1], xs[0]] : xs;
  const [l, n] = adjY ? [ys[1], ys[0]] : ys;
  if (k !== l) throw new InvalidArgumentError(`Matrix size-incompatible: ${text}`);
  const [bx, by] = [x.shape.slice(0, -2).reverse(), y.shape.slice(0, -2).reverse()];
  if (bx.some((d, axis) => axis < by.length && d !== by[axis] && d !== 1 && by[axis] !== 1))
    throw new InvalidArgumentError(
      `In[0] and In[1] must have compatible batch dimensions: [${x.shape.join(",")}] vs. [${y.shape.join(",")}]`,
    );
  const batch = ir.broadcastShape(x.shape.slice(0, -2), y.shape.slice(0, -2));
  return ir.contract([...batch, m, n], [k], (i, [r]) => {
    const [row, column] = i.slice(-2);
    return [
      ir.operand(x, [...batchIndex(x, i, batch.length), ...(adjX ? [r, row] : [row, r])]),
      ir.operand(y, [...batchIndex(y, i, batch.length), ...(adjY ? [column, r] : [r, column])]),
    ];
  });
}

type BatchRecord = { readonly x: Tensor; readonly y: Tensor; readonly adjX: boolean; readonly adjY: boolean };

function batchGradient({ x, y, adjX, adjY }: BatchRecord, dz: Tensor, broadcasts: boolean): Gradients {
  const gx = adjX ? matmul(y, dz, { adjointA: adjY, adjointB: true, gradA: true }) : matmul(dz, y, { adjointB: !adjY, gradA: true });
  const gy = adjY ? matmul(dz, x, { adjointA: true, adjointB: adjX, gradB: true }) : matmul(x, dz, { adjointA: !adjX, gradB: true });
  const [bx, by] = [x.shape.slice(0, -2), y.shape.slice(0, -2)];
  const mayHaveBatch = (x.shape.rank ?? 3) > 2 || (y.shape.rank ?? 3) > 2;
  if (!broadcasts || !mayHaveBatch || (bx.isFullyDefined && bx.equals(by))) return { x: gx, y: gy };
  const [sx, sy] = [shape(x), shape(y)];
  const { r0, r1 } = BroadcastGradientArgs({ s0: getItem(sx, [null, -2]), s1: getItem(sy, [null, -2]) });
  return { x: reshape(reduceSum(gx, r0), sx), y: reshape(reduceSum(gy, r1), sy) };
}

const batchAttrs = { adjX: attr.bool(false), adjY: attr.bool(false), gradX: attr.bool(false), gradY: attr.bool(false) };
const batchTypes = [
  "bfloat16",
  "float16",
  "float32",
  "float64",
  "int32",
  "int64",
  "complex64",
  "complex128",
] as const satisfies readonly DType[];

export const BatchMatMul = defineOp("BatchMatMul", {
  inputs: { x: "T", y: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(batchTypes), ...batchAttrs },
  shape: ({ x, y, adjX, adjY }) => batchShape(x, y, adjX, adjY, false),
  gradient: (record, d): Gradients => batchGradient(record, d.output, false),
  lower: ({ x, y, adjX, adjY }) => batchProduct([x, y], adjX, adjY),
});

export const BatchMatMulV2 = defineOp("BatchMatMulV2", {
  inputs: { x: "T", y: "T" },
  outputs: { output: "T" },
  attrs: {
    T: attr.type([
      "bfloat16",
      "float16",
      "float32",
      "float64",
      "int16",
      "int32",
      "int64",
      "uint8",
      "uint16",
      "uint32",
      "uint64",
      "complex64",
      "complex128",
    ]),
    ...batchAttrs,
  },
  shape: ({ x, y, adjX, adjY }) => batchShape(x, y, adjX, adjY, true),
  gradient: (record, d): Gradients => batchGradient(record, d.output, true),
  lower: ({ x, y, adjX, adjY }) => batchProduct([x, y], adjX, adjY),
});

const mixedTypes = [
  "bfloat16",
  "float16",
  "float32",
  "float64",
  "uint8",
  "int8",
  "int16",
  "int32",
  "int64",
  "complex64",
  "complex128",
] as const satisfies readonly DType[];

export const BatchMatMulV3 = defineOp("BatchMatMulV3", {
  inputs: { x: "Ta", y: "Tb" },
  outputs: { output: "Tout" },
  attrs: {
    Ta: attr.type(mixedTypes),
    Tb: attr.type(mixedTypes),
    Tout: attr.type(["bfloat16", "float16", "float32", "float64", "int16", "int32", "int64", "complex64", "complex128"]),
    ...batchAttrs,
  },
  shape: ({ x, y, adjX, adjY }) => batchShape(x, y, adjX, adjY, true),
  gradient: (record, d): Gradients => batchGradient(record, d.output, true),
  lower: ({ x, y, adjX, adjY, Tout }) => batchProduct([ir.cast(x, Tout), ir.cast(y, Tout)], adjX, adjY),
});

export interface MatmulOptions extends Named {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  /** Transpose and conjugate. */
  readonly adjointA?: boolean;
  readonly adjointB?: boolean;
  readonly aIsSparse?: boolean;
  readonly bIsSparse?: boolean;
  readonly outputType?: DType | null;
  /** Marks a product made by a gradient, by operand. */
  readonly gradA?: boolean;
  readonly gradB?: boolean;
}

export const matmulNames = [
  "transposeA",
  "transposeB",
  "adjointA",
  "adjointB",
  "aIsSparse",
  "bIsSparse",
  "outputType",
  "gradA",
  "gradB",
  "name",
] as const;

/** The product of matrices: a `[…, m, k]`, b `[…, k, n]` → `[…, m, n]`; leading dimensions broadcast. TF: tf.matmul.
 *  @throws ValueError if the inner dimensions differ, or a matrix is to be transposed and adjoined. */
export function matmul(a: TensorLike, b: TensorLike, options?: MatmulOptions): Tensor;
export function matmul(a: TensorLike, b: TensorLike, ...rest: unknown[]): Tensor;
export function matmul(a: TensorLike, b: TensorLike, ...rest: unknown[]): Tensor {
  const options = collect<MatmulOptions>(matmulNames, rest);
  for (const side of ["A", "B"] as const)
    if (options[`transpose${side}`] && options[`adjoint${side}`]) {
      const [t, j] = [`transpose_${side.toLowerCase()}`, `adjoint_${side.toLowerCase()}`];
      throw new ValueError(`Only one of \`${t}\` and \`${j}\` can be True. Received \`${t}\`=True, \`${j}\`=True.`);
    }
  return inNameScope({ name: options.name }, "MatMul", [a, b], scope => {
    const x = convertToTensor(a, { name: "a", preferredDtype: certainType(b) });
    const y = convertToTensor(b, { name: "b", preferredDtype: x.dtype });
    return productOf(x, y, options, scope);
  });
}

const certainType = (value: TensorLike): DType | undefined => {
  const { dtype, isCertain } = literalType(value);
  return isCertain ? dtype : undefined;
};

function productOf(a: Tensor, b: Tensor, options: Partial<MatmulOptions>, scope: Named): Tensor {
  const { transposeA = false, transposeB = false, adjointA = false, adjointB = false, gradA = false, gradB = false, outputType } = options;
  const isSparse = options.aIsSparse || options.bIsSparse;
  const isMixed = outputType !== undefined && outputType !== null && (outputType !== a.dtype || outputType !== b.dtype);
  if (!isSparse && ((a.shape.rank ?? 3) > 2 || (b.shape.rank ?? 3) > 2 || isMixed)) {
    // adjoint of the conjugate = transpose
    const record = {
      x: transposeA ? conj(a) : a,
      y: transposeB ? conj(b) : b,
      adjX: adjointA || transposeA,
      adjY: adjointB || transposeB,
      gradX: gradA,
      gradY: gradB,
    };
    return isMixed ? BatchMatMulV3({ ...record, Tout: outputType }, scope) : BatchMatMulV2(record, scope);
  }
  const [x, y] = [adjointA ? conj(a) : a, adjointB ? conj(b) : b];
  const flips = { transposeA: transposeA || Boolean(adjointA), transposeB: transposeB || Boolean(adjointB) };
  const suits = (t: Tensor): boolean => t.dtype === "float32" || t.dtype === "bfloat16";
  if ((isSparse && suits(x) && suits(y)) || (x.dtype !== y.dtype && suits(x) && suits(y))) {
    const result = SparseMatMul(
      { a: x, b: y, ...flips, aIsSparse: options.aIsSparse ?? false, bIsSparse: options.bIsSparse ?? false },
      scope,
    );
    return x.dtype === "bfloat16" && y.dtype === "bfloat16" ? cast(result, "bfloat16") : result;
  }
  return MatMul({ a: x, b: y, ...flips, gradA, gradB }, scope);
}

/** Matrix times vector: a `[…, m, k]`, b `[…, k]` → `[…, m]`. TF: tf.linalg.matvec. */
export function matvec(a: TensorLike, b: TensorLike, ...rest: unknown[]): Tensor {
  const { name, ...options } = collect<MatmulOptions>(["transposeA", "adjointA", "aIsSparse", "bIsSparse", "name"], rest);
  return inNameScope({ name }, "MatVec", [a, b], () => squeeze(matmul(a, expandDims(b, -1), options), [-1]));
}

// ---- tensordot ----

type AxesOf = readonly number[] | Tensor;
/** One side of a tensordot, as a matrix; its free dimensions as numbers where they are known. */
interface Side {
  readonly matrix: Tensor;
  readonly free: readonly number[] | Tensor;
  readonly known: readonly Dimension[] | null;
}

/** The sum of products over pairs of axes: `axes` = n (the last n of a with the first n of b), or [axesOfA, axesOfB]. TF: tf.tensordot. */
export const tensordot = (
  a: TensorLike,
  b: TensorLike,
  axes: number | readonly (number | readonly number[])[] | Tensor,
  options?: NameOption,
): Tensor =>
  inNameScope(options, "Tensordot", [a, b, axes], scope => {
    const [x, y] = [convertToTensor(a, { name: "a" }), convertToTensor(b, { name: "b", preferredDtype: certainType(a) })];
    const [xAxes, yAxes] = tensordotAxes(x, axes);
    const [left, right] = [tensordotSide(x, xAxes, false), tensordotSide(y, yAxes, true)];
    const result = matmul(left.matrix, right.matrix);
    if (!(left.free instanceof Tensor) && !(right.free instanceof Tensor)) {
      const dims = [...left.free, ...right.free];
      return result.shape.isFullyDefined && result.shape.equals(dims) ? result : reshape(result, dims, scope);
    }
    const asVector = (free: readonly number[] | Tensor): Tensor =>
      free instanceof Tensor ? free : constant([...free], "int32", [free.length]);
    const shaped = reshape(result, concat([asVector(left.free), asVector(right.free)], 0), scope);
    if (left.known && right.known) shaped.setShape([...left.known, ...right.known]);
    return shaped;
  });

function tensordotAxes(a: Tensor, axes: number | readonly (number | readonly number[])[] | Tensor): [AxesOf, AxesOf] {
  if (typeof axes === "boolean") return tensordotAxes(a, Number(axes));
  if (typeof axes === "number" && Number.isInteger(axes)) {
    if (axes < 0) throw new ValueError(`\`axes\` must be at least 0. Received: ${axes}.`);
    const length = a.shape.rank;
    if (length === null) {
      const r = rank(a);
      return [range(operator.sub(r, axes), r, 1, { dtype: "int32" }), range(axes, { dtype: "int32" })];
    }
    if (axes > length)
      throw new ValueError(
        `\`axes\` must not be larger than the number of dimensions of tensor ${a}.  Received ${axes}, vs tensor dimensions ${length}.`,
      );
    const first = Array.from({ length: axes }, (_, i) => i);
    return [first.map(i => i + length - axes), first];
  }
  if (!Array.isArray(axes)) {
    const pair = convertToTensor(axes as TensorLike, { name: "axes", dtype: "int32" });
    return [getItem(pair, 0), getItem(pair, 1)];
  }
  if (axes.length !== 2) throw new ValueError(`\`axes\` must be an integer or have length 2. Received ${pythonStr(axes)}.`);
  const [p, q] = axes.map(item => (typeof item === "number" ? [item] : [...item]));
  if (p.length !== q.length) throw new ValueError(`Different number of contraction axes \`a\` and \`b\`, ${p.length} != ${q.length}.`);
  return [p, q];
}

function tensordotSide(a: Tensor, axes: AxesOf, isRight: boolean): Side {
  const length = a.shape.rank;
  if (axes instanceof Tensor || length === null) return dynamicSide(a, axes, null, isRight);
  const summed = axes.map(i => (i < 0 ? i + length : i));
  const free = Array.from({ length }, (_, i) => i).filter(i => !summed.includes(i));
  if (!a.shape.isFullyDefined) return dynamicSide(a, summed, free, isRight);
  const dims = a.shape.asNumbers();
  const perm = isRight ? [...summed, ...free] : [...free, ...summed];
  const sizes = [sizeOf(free.map(i => dims[i])), sizeOf(summed.map(i => dims[i]))];
  const wanted = isRight ? sizes.reverse() : sizes;
  const turned = perm.every((axis, i) => axis === i) ? a : transpose(a, perm);
  const freeDims = free.map(i => dims[i]);
  return { matrix: turned.shape.equals(wanted) ? turned : reshape(turned, wanted), free: freeDims, known: freeDims };
}

function dynamicSide(a: Tensor, axes: AxesOf, free: readonly number[] | null, isRight: boolean): Side {
  const known = free && free.map(i => a.shape.dim(i));
  let axesTensor: Tensor;
  let freeTensor: Tensor;
  let dims: Tensor;
  if (free !== null) {
    axesTensor = convertToTensor([...(axes as readonly number[])], { dtype: "int32", name: "axes" });
    freeTensor = convertToTensor([...free], { dtype: "int32", name: "free" });
    dims = shape(a);
  } else {
    dims = shape(a);
    const r = rank(a);
    const given = axes instanceof Tensor ? axes : convertToTensor([...axes], { dtype: "int32", name: "axes" });
    axesTensor = where(operator.greaterEqual(given, 0), given, operator.add(given, r));
    freeTensor = ListDiff({ x: range(r), y: axesTensor, outIdx: "int32" }).out;
  }
  const [freeDims, summedDims] = [gather(dims, freeTensor), gather(dims, axesTensor)];
  const [freeSize, summedSize] = [reduceProd(freeDims), reduceProd(summedDims)];
  const perm = concat(isRight ? [axesTensor, freeTensor] : [freeTensor, axesTensor], 0);
  const wanted = stack(isRight ? [summedSize, freeSize] : [freeSize, summedSize]);
  return { matrix: reshape(transpose(a, perm), wanted), free: freeDims, known };
}

/** The product of two matrices of float32 or bfloat16, as float32; whether they are sparse changes nothing here.
 *  TF: tf.sparse_matmul(a, b, transpose_a, transpose_b, a_is_sparse, b_is_sparse, name). */
export function sparseMatmul(a: TensorLike, b: TensorLike, ...rest: unknown[]): Tensor {
  const names = ["transposeA", "transposeB", "aIsSparse", "bIsSparse", "name"];
  const { name, ...options } = collect<MatmulOptions & Named>(names, rest);
  return SparseMatMul({ a, b, ...options }, { name });
}
