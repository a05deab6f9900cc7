// Sobol' sequences: points that fill a cube evenly. Directions by the recurrence of Bratley and Fox (1988) from the first numbers of Joe and Kuo (2008), sobol-directions.ts.

import { UnimplementedError } from "../../base/errors.ts";
import type { NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Named } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import * as ir from "../../ir/build.ts";
import { collect, need } from "../arguments.ts";
import { inNameScope } from "../named.ts";
import { firstDirections } from "./sobol-directions.ts";

/** Bits of a coordinate: as many as a number of points has. */
const bits = 32;
const mostPoints = 2 ** 31 - 1;
/** TensorFlow's limit, and ours. */
const [mostDimensions, dimensionsHere] = [21200, 1111];

/** a · b of polynomials over two elements, modulo p of degree s. */
function product(a: number, b: number, p: number, s: number): number {
  let [result, shifted] = [0, a];
  for (let rest = b; rest > 0; rest >>= 1) {
    if (rest & 1) result ^= shifted;
    shifted <<= 1;
    if (shifted >> s) shifted ^= p;
  }
  return result;
}

/** Does x run through all polynomials of a smaller degree before it is 1 again? */
function isPrimitive(p: number, s: number): boolean {
  const x = 2 >> s ? 2 ^ p : 2;
  let power = x;
  for (let k = 1; k < 2 ** s - 1; k++) {
    if (power === 1) return false;
    power = product(power, x, p, s);
  }
  return power === 1;
}

/** Directions of each dimension: coordinates are sums modulo 2 of them. */
function directionsOf(dimensions: number): Uint32Array[] {
  const stored = atob(firstDirections);
  let at = 0;
  const read = (width: number): number => {
    let value = 0;
    for (const end = at + width; at < end; at++) value = 2 * value + ((stored.charCodeAt(at >> 3) >> (7 - (at & 7))) & 1);
    return value;
  };
  const found = [Uint32Array.from({ length: bits }, (_, k) => 2 ** (bits - 1 - k))];
  for (let s = 1; found.length < dimensions; s++)
    for (let p = 2 ** s + 1; p < 2 ** (s + 1) && found.length < dimensions; p += 2) {
      if (!isPrimitive(p, s)) continue;
      const v = new Uint32Array(bits);
      for (let k = 0; k < bits; k++) {
        if (k < s) {
          v[k] = (2 * read(k) + 1) * 2 ** (bits - 1 - k);
          continue;
        }
        v[k] = v[k - s] ^ (v[k - s] >>> s);
        for (let j = 1; j < s; j++) if ((p >> (s - j)) & 1) v[k] ^= v[k - j];
      }
      found.push(v);
    }
  return found;
}

const numberOf = (array: NDArray, name: string): number => {
  need(array.rank === 0, () => `${name} must be a scalar`);
  return Number(array.get(0));
};

export const SobolSample = defineOp("SobolSample", {
  inputs: { dim: "int32", numResults: "int32", skip: "int32" },
  outputs: { samples: "dtype" },
  attrs: { dtype: attr.type(["float32", "float64"], "float32") },
  compileTimeInputs: ["dim", "numResults", "skip"],
  isLenient: true,
  shape: ({ dim, numResults, skip }, context) => {
    for (const given of [dim, numResults, skip]) given.withRank(0);
    return new TensorShape(
      ["numResults", "dim"].map(name => {
        const size = context.partial(name)?.values[0] ?? null;
        return size === -1 ? null : size;
      }),
    );
  },
  lower: ({ dim, numResults, skip, dtype }, { op }) => {
    const [dimensions, points, before] = [numberOf(dim, "dim"), numberOf(numResults, "num_results"), numberOf(skip, "skip")];
    need(dimensions >= 1, () => "dim must be at least one");
    need(dimensions <= mostDimensions, () => `dim must be at most ${mostDimensions}`);
    need(points >= 1, () => "num_results must be at least one");
    need(before >= 0, () => "skip must be non-negative");
    need(points < mostPoints - before, () => `num_results+skip must be less than ${mostPoints}`);
    if (dimensions > dimensionsHere)
      throw new UnimplementedError(`SobolSample of ${dimensions} dimensions is not there: '${op.name}' may have ${dimensionsHere}.`, op);
    const run = (_: readonly NDArray[], [samples]: readonly NDArray[]): void => {
      const out = samples.data as Float64Array;
      directionsOf(dimensions).forEach((v, d) => {
        // Gray code: from one point to the next a single direction is added, that of the lowest zero of the point's number.
        let x = 0;
        for (let k = 0, gray = before ^ (before >>> 1); gray > 0; k++, gray >>>= 1) if (gray & 1) x ^= v[k];
        for (let n = 0; n < points; n++) {
          x ^= v[31 - Math.clz32(~(before + n) & (before + n + 1))];
          out[n * dimensions + d] = (x >>> 0) / 2 ** bits;
        }
      });
    };
    return ir.call({ name: "SobolSample", run }, [], [{ dtype, shape: [points, dimensions] }])[0];
  },
});

interface SobolOptions extends Named {
  /** So many points of the sequence are left out. */
  readonly skip?: TensorLike;
  readonly dtype?: "float32" | "float64";
}

/** The first points of Sobol's sequence in so many dimensions (1,111 at most): `[numResults, dim]`, between 0 and 1.
 *  TF: tf.math.sobol_sample(dim, num_results, skip, dtype, name), which has 21,200 dimensions. @throws InvalidArgumentError while running, for counts below 1. */
export function sobolSample(dim: TensorLike, numResults: TensorLike, ...rest: unknown[]): Tensor {
  const { skip = 0, dtype, name } = collect<SobolOptions>(["skip", "dtype", "name"], rest);
  return inNameScope({ name }, "sobol", [dim, numResults, skip], () => SobolSample({ dim, numResults, skip, dtype }));
}
