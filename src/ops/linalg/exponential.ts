// The exponential of matrices, by scaling, a Padé approximant and squaring (Higham, "The scaling and squaring method for the matrix
// exponential revisited", SIAM J. Matrix Anal. Appl. 26, 2005): the nodes that TensorFlow makes for it.

import type { DType } from "../../base/dtype.ts";
import { ValueError } from "../../base/errors.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import type { Tensor } from "../../graph/operation.ts";
import { constant, fill, reshape, shape, size } from "../array/array.ts";
import { eye } from "../array/matrix.ts";
import { whereV2 } from "../array/selection.ts";
import { concat, ellipsis, getItem, newaxis } from "../array/slicing.ts";
import { cond, whileLoop } from "../flow/control-flow-contexts.ts";
import { matrixSolve } from "./linalg.ts";
import { cast } from "../math/cast.ts";
import { less } from "../math/comparison.ts";
import { maximum, pow } from "../math/math.ts";
import { abs, floor, isFinite, log } from "../math/functions.ts";
import { matmul } from "../math/matrix.ts";
import { reduceMax, reduceSum } from "../math/reduction.ts";
import { inNameScope, type NameOption } from "../named.ts";
import * as operator from "../operators.ts";

/** An approximant of a degree: exp(A) ≈ (V − U)⁻¹ (V + U). */
type Approximant = readonly [u: Tensor, v: Tensor];

/** (2m − j)! / ((m − j)! j!) for j below m: the numerator's coefficients where the last is 1. */
function coefficients(degree: number): number[] {
  const list = [1n];
  for (let j = degree; j > 0; j--) list.unshift((list[0] * BigInt(j * (2 * degree - j + 1))) / BigInt(degree - j + 1));
  return list.slice(0, -1).map(Number);
}

/** The weighted sum of powers, from the highest down; a power without a weight counts once. */
const sumOf = (terms: readonly (readonly [power: Tensor, weight?: Tensor])[], start?: Tensor): Tensor =>
  terms.reduce<Tensor | undefined>((sum, [power, weight]) => {
    const term = weight === undefined ? power : operator.mul(weight, power);
    return sum === undefined ? term : operator.add(sum, term);
  }, start) as Tensor;

function approximant(matrix: Tensor, degree: number): Approximant {
  const b = coefficients(degree).map(value => constant(value, matrix.dtype));
  const identity = eye(getItem(shape(matrix), -2), { batchShape: getItem(shape(matrix), [null, -2]), dtype: matrix.dtype });
  const square = matmul(matrix, matrix);
  const powers = [identity, square];
  const highest = degree === 13 ? 6 : degree - 1;
  while (2 * powers.length <= highest) powers.push(matmul(powers[powers.length - 1], square));
  const weighted = (from: number, to: number, parity: 0 | 1, shift = 0): (readonly [Tensor, Tensor?])[] =>
    Array.from({ length: (from - to) / 2 + 1 }, (_, i) => {
      const power = from - 2 * i;
      return [powers[power / 2], b[power + shift + parity]] as const;
    });
  if (degree !== 13) return [matmul(matrix, sumOf(weighted(highest, 0, 1))), sumOf(weighted(highest, 0, 0))];
  const high = sumOf(weighted(6, 2, 1, 6));
  const u = matmul(matrix, sumOf(weighted(6, 0, 1), matmul(powers[3], high)));
  return [u, sumOf(weighted(6, 0, 0), matmul(powers[3], sumOf(weighted(6, 2, 0, 6))))];
}

/** For each width of floats: the degrees, the norms below which each but the last is exact enough, the norm that the last bears. */
const plans = {
  float32: { degrees: [3, 5, 7], limits: [4.258730016922831e-1, 1.880152677804762], largest: 3.92572478313866 },
  float64: {
    degrees: [3, 5, 7, 9, 13],
    limits: [1.495585217958292e-2, 2.53939833006323e-1, 9.504178996162932e-1, 2.097847961257068],
    largest: 5.371920351148152,
  },
} as const;

function planOf(dtype: DType): (typeof plans)["float32" | "float64"] {
  if (dtype === "float64" || dtype === "complex128") return plans.float64;
  if (dtype === "float32" || dtype === "complex64" || dtype === "float16") return plans.float32;
  throw new ValueError(`tf.linalg.expm does not support matrices of type <dtype: '${dtype}'>`);
}

/** e to the power of square matrices `[..., m, m]`, floats or complex; NaN where a matrix of the batch is not finite. TF: tf.linalg.expm.
 *  @throws ValueError for a type without digits behind the point. */
export const expm = (input: TensorLike, options?: NameOption): Tensor =>
  inNameScope(options, "matrix_exponential", [input], () => {
    const given = convertToTensor(input, { name: "input" });
    const { dims } = given.shape;
    if (dims !== null && dims.length > 1 && dims.at(-1) === 0 && dims.at(-2) === 0) return given;
    const known = dims?.slice(0, -2);
    const batch = known?.every(d => d !== null) ? (known as number[]) : getItem(shape(given), [null, -2]);
    const matrix = reshape(given, concat([[-1], getItem(shape(given), [-2, null])], 0));
    const columns = reduceSum(abs(matrix), operator.sub(size(shape(matrix)), 2));
    const norm = getItem(reduceMax(columns, -1), ellipsis, newaxis, newaxis);
    const literal = (value: number): Tensor => constant(value, norm.dtype);
    const { degrees, limits, largest } = planOf(matrix.dtype);
    const maximal = literal(largest);
    const squarings = maximum(floor(operator.truediv(log(operator.truediv(norm, maximal)), log(literal(2)))), 0);
    const parts = degrees.map((degree, i) => {
      if (i < degrees.length - 1) return approximant(matrix, degree);
      return approximant(operator.truediv(matrix, cast(pow(literal(2), squarings), matrix.dtype)), degree);
    });
    const chosen = (side: 0 | 1, from = 0): Tensor => {
      if (from === limits.length) return parts[from][side];
      const isSmall = less(norm, literal(limits[from]));
      return whereV2(isSmall, parts[from][side], chosen(side, from + 1));
    };
    const [u, v] = [chosen(0), chosen(1)];
    const finite = isFinite(reduceMax(norm));
    const nan = constant(Number.NaN, matrix.dtype);
    const solved = cond(
      finite,
      () => matrixSolve(operator.add(operator.neg(u), v), operator.add(u, v)),
      () => fill(shape(matrix), nan),
    ) as Tensor;
    const most = reduceMax(squarings);
    const [, result] = whileLoop(
      i =>
        cond(
          finite,
          () => less(i as Tensor, most),
          () => constant(false),
        ) as Tensor,
      (i, r) => [operator.add(i as Tensor, 1), whereV2(less(i as Tensor, squarings), matmul(r as Tensor, r as Tensor), r as Tensor)],
      [literal(0), solved],
    ) as [Tensor, Tensor];
    if (Array.isArray(batch) && matrix.shape.isFullyDefined)
      return reshape(result, [...batch, ...(result.shape.dims as number[]).slice(-2)]);
    const leading = Array.isArray(batch) ? Int32Array.from(batch) : batch;
    return reshape(result, concat([leading, getItem(shape(result), [-2, null])], 0));
  });
