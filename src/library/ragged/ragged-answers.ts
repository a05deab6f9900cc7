// The one list of what functions of the public API do with ragged arguments. They themselves know nothing of it: the generated index wraps those that
// stand here (graph/composite.ts), and a ragged tensor among their arguments answers in their stead. TF: ops/ragged/ragged_dispatch.

import type { Callable, NotAny } from "../../graph/composite.ts";
import { gather, gatherNd, batchGather } from "../../ops/array/gather.ts";
import { broadcastTo, tile } from "../../ops/array/padding.ts";
import { dynamicPartition } from "../../ops/array/partition.ts";
import { reverse } from "../../ops/array/rearranging.ts";
import { where } from "../../ops/array/selection.ts";
import { concat, split, stack } from "../../ops/array/slicing.ts";
import * as arrays from "../../ops/array/array.ts";
import * as checks from "../../ops/flow/check.ts";
import * as images from "../../ops/image/image.ts";
import { resizeImages } from "../../ops/image/geometry.ts";
import * as randomImages from "../../ops/image/random.ts";
import * as bitwise from "../../ops/math/bitwise.ts";
import * as functions from "../../ops/math/functions.ts";
import * as integrals from "../../ops/math/integrals.ts";
import * as counting from "../../ops/math/counting.ts";
import * as math from "../../ops/math/math.ts";
import * as casts from "../../ops/math/cast.ts";
import * as comparison from "../../ops/math/comparison.ts";
import * as sums from "../../ops/math/add-n.ts";
import { matmul } from "../../ops/math/matrix.ts";
import * as special from "../../ops/math/special.ts";
import * as nn from "../../ops/nn/nn.ts";
import * as bytes from "../../ops/string/bytes.ts";
import * as parsing from "../../ops/string/parsing.ts";
import * as regex from "../../ops/string/regex.ts";
import * as strings from "../../ops/string/string.ts";
import * as unicode from "../../ops/string/unicode.ts";
import * as reductions from "../../ops/math/reduction.ts";
import * as segments from "../../ops/math/segment.ts";
import { embeddingLookup } from "../../ops/nn/embedding.ts";
import { embeddingLookupSparse, safeEmbeddingLookupSparse } from "../../ops/nn/embedding-sparse.ts";
import * as sparseCounting from "../../ops/sparse/counting.ts";
import { inNameScope } from "../../ops/named.ts";
import * as operators from "../../ops/operators.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import type { Operation, Tensor } from "../../graph/operation.ts";
import type { RaggedTensor } from "./ragged-tensor.ts";
import * as shapeAnswers from "./dynamic-ragged-shape.ts";
import type { DynamicRaggedShape } from "./dynamic-ragged-shape.ts";
import * as arrayAnswers from "./ragged-arrays.ts";
import { assertion, binary, type Ragged, type RaggedLike, unary } from "./ragged-elementwise.ts";
import { raggedEmbeddingLookupSparse, raggedMatmul, raggedSafeEmbeddingLookupSparse } from "./ragged-products.ts";
import { raggedCumsum, raggedReduceJoin, raggedReductions, raggedSegments, raggedSoftmax } from "./ragged-reduction.ts";
import { raggedBatchGather, raggedGather, raggedGatherNd, raggedWhere } from "./ragged-selection.ts";
import { raggedFormat, raggedResizeImages } from "./ragged-rows.ts";
import { raggedConcat, raggedStack } from "./ragged-stacking.ts";

/** A public function, called with ragged arguments or without; where it gives a tensor it gives a ragged one, or a dense one of fewer dimensions. */
export type Dispatched<F extends Callable> = RaggedCall<RaggedResult<ReturnType<F>>> & F;
/** A function of elements, whose result is as ragged as its arguments. */
export type Elementwise<F extends Callable> = RaggedCall<RaggedTensor> & F;
/** tf.shape, which gives for a ragged tensor a shape that no one tensor holds. */
// any: a name and a type, or options with both
export type ShapeOf<F extends Callable> = (<A extends RaggedTensor>(ragged: A & NotAny<A>, ...rest: any[]) => DynamicRaggedShape) & F;
/** A function that takes a shape, which may be that of a ragged tensor; so is its result then. */
export type OfShape<F extends Callable> = ShapedCall & F;
interface ShapedCall {
  // any: the other arguments of whichever function
  <S extends DynamicRaggedShape>(shape: S & NotAny<S>, ...rest: any[]): Ragged;
  <S extends DynamicRaggedShape>(value: RaggedLike, shape: S & NotAny<S>, ...rest: any[]): Ragged;
  <A extends RaggedTensor>(ragged: A & NotAny<A>, shape: TensorLike, ...rest: any[]): Tensor;
}
interface RaggedCall<R> {
  // any: the other arguments of whichever function
  <A extends RaggedTensor | readonly RaggedLike[]>(ragged: A & NotAny<A> & WithRagged<A>, ...rest: any[]): R;
  <A extends RaggedTensor | readonly RaggedLike[]>(dense: TensorLike, ragged: A & NotAny<A> & WithRagged<A>, ...rest: any[]): R;
}
type RaggedResult<R> = R extends Operation ? R : R extends readonly unknown[] ? readonly Ragged[] : Ragged;
/** Lists in which something may be ragged. */
type WithRagged<A> = A extends readonly (infer E)[] ? ([Extract<E, RaggedTensor>] extends [never] ? never : NotAny<E>) : unknown;

/** Gets the function and its arguments. */
// any: of the arguments each takes its own
type Answer = (plain: Callable, ...given: any[]) => unknown;

const ofOne = (): readonly Callable[] => [
  arrays.checkNumerics,
  arrays.onesLike,
  arrays.zerosLike,
  images.adjustBrightness,
  images.adjustGamma,
  images.convertImageDtype,
  randomImages.randomBrightness,
  bitwise.invert,
  functions.abs,
  functions.acos,
  functions.acosh,
  functions.angle,
  functions.asin,
  functions.asinh,
  functions.atan,
  functions.atanh,
  functions.besselI0,
  functions.besselI0e,
  functions.besselI1,
  functions.besselI1e,
  functions.ceil,
  functions.conj,
  functions.cos,
  functions.cosh,
  functions.digamma,
  functions.erf,
  functions.erfc,
  functions.erfcinv,
  functions.erfinv,
  functions.exp,
  functions.expm1,
  functions.floor,
  functions.imag,
  functions.isFinite,
  functions.isInf,
  functions.isNan,
  functions.lgamma,
  functions.log,
  functions.log1p,
  functions.logSigmoid,
  functions.ndtri,
  functions.negative,
  functions.real,
  functions.reciprocal,
  functions.reciprocalNoNan,
  functions.rint,
  functions.round,
  functions.rsqrt,
  functions.sigmoid,
  functions.sign,
  functions.sin,
  functions.sinh,
  functions.sqrt,
  functions.square,
  functions.tan,
  functions.tanh,
  integrals.besselJ0,
  integrals.besselJ1,
  integrals.besselK0,
  integrals.besselK0e,
  integrals.besselK1,
  integrals.besselK1e,
  integrals.besselY0,
  integrals.besselY1,
  integrals.dawsn,
  integrals.expint,
  integrals.fresnelCos,
  integrals.fresnelSin,
  integrals.spence,
  casts.cast,
  math.clipByValue,
  comparison.logicalNot,
  casts.toBfloat16,
  casts.toComplex128,
  casts.toComplex64,
  casts.toDouble,
  casts.toFloat,
  casts.toInt32,
  casts.toInt64,
  special.nextafter,
  special.saturateCast,
  nn.elu,
  nn.leakyRelu,
  nn.logSoftmax,
  nn.relu,
  nn.relu6,
  nn.selu,
  nn.silu,
  nn.softplus,
  nn.softsign,
  nn.swish,
  bytes.decodeCompressed,
  parsing.unicodeScript,
  strings.asString,
  strings.decodeBase64,
  strings.encodeBase64,
  strings.length,
  strings.lower,
  regex.regexFullMatch,
  regex.regexReplace,
  strings.stringStrip,
  strings.stringToHashBucket,
  strings.stringToHashBucketFast,
  strings.stringToHashBucketStrong,
  strings.stringToNumber,
  strings.substr,
  strings.upper,
  unicode.unicodeTranscode,
];

const ofTwo = (): readonly Callable[] => [
  bitwise.bitwiseAnd,
  bitwise.bitwiseOr,
  bitwise.bitwiseXor,
  bitwise.leftShift,
  bitwise.rightShift,
  functions.complex,
  math.add,
  math.atan2,
  math.div,
  math.divNoNan,
  math.divide,
  math.divideNoNan,
  comparison.equal,
  math.floorDiv,
  math.floordiv,
  math.floormod,
  comparison.greater,
  comparison.greaterEqual,
  comparison.less,
  comparison.lessEqual,
  comparison.logicalAnd,
  comparison.logicalOr,
  comparison.logicalXor,
  math.maximum,
  math.minimum,
  math.mod,
  math.multiply,
  math.multiplyNoNan,
  comparison.notEqual,
  math.pow,
  math.realdiv,
  math.scalarMul,
  math.squaredDifference,
  math.subtract,
  math.truediv,
  math.truncatediv,
  math.truncatemod,
  math.xdivy,
  math.xlog1py,
  math.xlogy,
  special.zeta,
];

const assertions = (): readonly Callable[] => [
  checks.assertEqual,
  checks.assertGreater,
  checks.assertGreaterEqual,
  checks.assertLess,
  checks.assertLessEqual,
  checks.assertNear,
  checks.assertNoneEqual,
];

/** `x.add(rt)` with a dense x: the function in a scope of the operator's name, or the function where the operator is no more than that. */
const ofOperators = (): readonly (readonly [Callable, Answer])[] => [
  [operators.add, within("add", math.add)],
  [operators.sub, within("sub", math.subtract)],
  [operators.mul, within("mul", math.multiply)],
  [operators.truediv, within("truediv", math.truediv)],
  [operators.floordiv, within("floordiv", math.floordiv)],
  [operators.mod, within("mod", math.floormod)],
  [operators.pow, within("pow", math.pow)],
  [operators.less, within(null, comparison.less)],
  [operators.lessEqual, within(null, comparison.lessEqual)],
  [operators.greater, within(null, comparison.greater)],
  [operators.greaterEqual, within(null, comparison.greaterEqual)],
  [operators.equal, within(null, comparison.equal)],
  [operators.notEqual, within(null, comparison.notEqual)],
  [operators.and, within("and", comparison.logicalAnd)],
  [operators.or, within("or", comparison.logicalOr)],
  [operators.xor, within("xor", comparison.logicalXor)],
];

const within =
  (scope: string | null, plain: Callable): Answer =>
  (_, x: RaggedLike, y: RaggedLike) =>
    scope === null ? binary(plain, x, y) : inNameScope(scope, scope, [x, y], () => binary(plain, x, y));

const others = (): readonly (readonly [Callable, Answer])[] => [
  [arrays.expandDims, arrayAnswers.raggedExpandDims],
  [arrays.shape, shapeAnswers.raggedShape],
  [arrays.reshape, shapeAnswers.raggedReshape],
  [broadcastTo, shapeAnswers.raggedBroadcastTo],
  [arrays.fill, shapeAnswers.filledRows],
  [arrays.ones, shapeAnswers.filledRows],
  [arrays.zeros, shapeAnswers.filledRows],
  [arrays.size, arrayAnswers.raggedSize],
  [arrays.rank, arrayAnswers.raggedRank],
  [arrays.identity, arrayAnswers.raggedOfParts],
  [arrays.stopGradient, arrayAnswers.raggedOfParts],
  [arrays.oneHot, arrayAnswers.raggedOneHot],
  [arrays.squeeze, arrayAnswers.raggedSqueeze],
  [arrays.bitcast, arrayAnswers.raggedBitcast],
  [tile, arrayAnswers.raggedTile],
  [reverse, arrayAnswers.raggedReverse],
  [dynamicPartition, arrayAnswers.raggedDynamicPartition],
  [sums.addN, arrayAnswers.raggedAddN],
  [nn.dropout, arrayAnswers.raggedDropout],
  [embeddingLookup, arrayAnswers.raggedEmbeddingLookup],
  [parsing.format, raggedFormat],
  [resizeImages, raggedResizeImages],
  [strings.stringJoin, arrayAnswers.raggedStringJoin],
  [concat, raggedConcat],
  [stack, raggedStack],
  [gather, raggedGather],
  [gatherNd, raggedGatherNd],
  [batchGather, raggedBatchGather],
  [where, raggedWhere],
  [reductions.cumsum, raggedCumsum],
  [reductions.reduceSum, raggedReductions.sum],
  [reductions.reduceProd, raggedReductions.prod],
  [reductions.reduceMin, raggedReductions.min],
  [reductions.reduceMax, raggedReductions.max],
  [reductions.reduceMean, raggedReductions.mean],
  [reductions.reduceVariance, raggedReductions.variance],
  [reductions.reduceStd, raggedReductions.std],
  [reductions.reduceAll, raggedReductions.all],
  [reductions.reduceAny, raggedReductions.any],
  [segments.unsortedSegmentSum, raggedSegments.sum],
  [segments.unsortedSegmentProd, raggedSegments.prod],
  [segments.unsortedSegmentMin, raggedSegments.min],
  [segments.unsortedSegmentMax, raggedSegments.max],
  [segments.unsortedSegmentMean, raggedSegments.mean],
  [segments.unsortedSegmentSqrtN, raggedSegments.sqrtN],
  [nn.softmax, raggedSoftmax],
  [matmul, raggedMatmul],
  [split, arrayAnswers.raggedSplit],
  [embeddingLookupSparse, raggedEmbeddingLookupSparse],
  [safeEmbeddingLookupSparse, raggedSafeEmbeddingLookupSparse],
  [strings.reduceJoin, raggedReduceJoin],
  [counting.bincount, arrayAnswers.raggedBincount],
  [sparseCounting.bincount, arrayAnswers.raggedSparseBincount],
  [checks.assertType, arrayAnswers.raggedAssertType],
];

let answers: ReadonlyMap<Callable, Answer> | undefined;

/** Which of the types above a function has, for the generated index. */
export function answerKind(plain: Callable): "Elementwise" | "ShapeOf" | "OfShape" | "Dispatched" {
  const answer = raggedAnswers().get(plain);
  if (answer === unary || answer === binary) return "Elementwise";
  if (answer === shapeAnswers.raggedShape) return "ShapeOf";
  return Object.values(shapeAnswers).includes(answer as never) ? "OfShape" : "Dispatched";
}

/** Function → what ragged tensors do in its stead. */
export function raggedAnswers(): ReadonlyMap<Callable, Answer> {
  const each = (functions: readonly Callable[], answer: Answer): [Callable, Answer][] => functions.map(plain => [plain, answer]);
  answers ??= new Map<Callable, Answer>([
    ...each(ofOne(), unary),
    ...each(ofTwo(), binary),
    ...each(assertions(), assertion),
    ...ofOperators(),
    ...others(),
  ]);
  return answers;
}
