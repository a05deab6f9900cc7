// Nearest centers of points, and nearest monotone rows.

import type { DType } from "../../base/dtype.ts";
import { InvalidArgumentError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp, type Gradients } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import { gather } from "./gather.ts";
import { stack, unstack } from "./slicing.ts";
import { unsortedSegmentMean } from "../math/segment.ts";
import * as ir from "../../ir/build.ts";

// ---- nearest and monotone ----

/** The k nearest of the centers of each point, with squared distances. */
export const NearestNeighbors = defineOp("NearestNeighbors", {
  inputs: { points: "float32", centers: "float32", k: "int64" },
  outputs: { nearestCenterIndices: "int64", nearestCenterDistances: "float32" },
  attrs: {},
  shape: () => [TensorShape.unknown(), TensorShape.unknown()],
  host: ({ points, centers, k }) => {
    const refuse = (reason: string): never => {
      throw new InvalidArgumentError(reason);
    };
    if (points.rank !== 2) refuse("Input points should be a matrix.");
    if (centers.rank !== 2) refuse("Input centers should be a matrix.");
    if (k.rank !== 0) refuse("Input k should be a scalar.");
    const [rows, dims] = points.shape;
    if (rows === 0) refuse("Expected points.rows() > 0.");
    const [count, own] = centers.shape;
    if (dims !== own) refuse(`Expected point_dimensions == center_dimensions: ${dims} vs ${own}.`);
    const wanted = Number(k.get(0));
    if (wanted < 0) refuse("k must be non-negative.");
    const most = Math.min(wanted, count);
    const indices = NDArray.zeros("int64", [rows, most]);
    const distances = NDArray.zeros("float32", [rows, most]);
    for (let row = 0; row < rows; row++) {
      const found = Array.from({ length: count }, (_, c) => {
        let sum = 0;
        for (let d = 0; d < dims; d++) sum += (Number(points.get(row * dims + d)) - Number(centers.get(c * dims + d))) ** 2;
        return { c, sum };
      }).sort((a, b) => a.sum - b.sum);
      for (let n = 0; n < most; n++) {
        indices.set(row * most + n, found[n].c);
        distances.set(row * most + n, found[n].sum);
      }
    }
    return [indices, distances];
  },
});

/** The nearest rows that do not rise, and which runs of equal values they are made of. */
export const IsotonicRegression = defineOp("IsotonicRegression", {
  inputs: { input: "T" },
  outputs: { output: "outputDtype", segments: "int32" },
  attrs: { T: attr.type(attr.realNumbers), outputDtype: attr.type(attr.floatTypes, "float32") },
  gradient: ({ segments }, d): Gradients => ({ input: meanOfRuns(d.output, segments) }),
  shape: ({ input }) => [input, input],
  isLenient: true,
  lower: ({ input, outputDtype }) => {
    const width = input.shape[input.shape.length - 1] ?? 1;
    const run = ([given]: readonly NDArray[], [out, runs]: readonly NDArray[]): void => {
      for (let start = 0; start < given.size; start += width) {
        const pools: { sum: number; count: number }[] = [];
        for (let k = 0; k < width; k++) {
          pools.push({ sum: Number(given.get(start + k)), count: 1 });
          // Neighbours that rise are taken together; equal ones stay apart, and so does NaN.
          for (let last = pools.length - 1; last > 0; last--) {
            const [a, b] = [pools[last - 1], pools[last]];
            if (!(a.sum / a.count < b.sum / b.count)) break;
            pools.splice(last - 1, 2, { sum: a.sum + b.sum, count: a.count + b.count });
          }
        }
        let at = start;
        pools.forEach(({ sum, count }, segment) => {
          for (let n = 0; n < count; n++, at++) {
            out.set(at, sum / count);
            runs.set(at, segment);
          }
        });
      }
    };
    const outputs: { dtype: DType; shape: readonly number[] }[] = [
      { dtype: outputDtype, shape: input.shape },
      { dtype: "int32", shape: input.shape },
    ];
    return ir.call({ name: "IsotonicRegression", run }, [input], outputs);
  },
});

/** Each gradient replaced by the mean of its run. */
function meanOfRuns(d: Tensor, segments: Tensor): Tensor {
  const [rows, width] = d.shape.withRank(2).asNumbers();
  const split = (x: Tensor): readonly Tensor[] => unstack(x, rows);
  const runs = split(segments);
  return stack(split(d).map((row, i) => gather(unsortedSegmentMean(row, runs[i], width), runs[i])));
}
