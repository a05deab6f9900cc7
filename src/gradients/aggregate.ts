// Joining several contributions to one gradient: AddN for dense ones, concatenation for slices.

import { IndexedSlices } from "../graph/indexed-slices.ts";
import type { Graph } from "../graph/graph.ts";
import { Tensor } from "../graph/operation.ts";
import { concat } from "../ops/array/slicing.ts";
import { addN } from "../ops/math/add-n.ts";
import { cast } from "../ops/math/cast.ts";
import { slicesToTensor } from "../ops/math/segment.ts";

/** ADD_N (also the default), EXPERIMENTAL_TREE, EXPERIMENTAL_ACCUMULATE_N. */
export const AggregationMethods = [0, 1, 2] as const;
export type AggregationMethod = (typeof AggregationMethods)[number];

/** TF: tf.AggregationMethod. */
export const AggregationMethod = { ADD_N: 0, DEFAULT: 0, EXPERIMENTAL_TREE: 1, EXPERIMENTAL_ACCUMULATE_N: 2 } as const;

export function aggregate(list: readonly (Tensor | IndexedSlices)[], target: Tensor, method: AggregationMethod): Tensor | IndexedSlices {
  if (list.every(item => item instanceof IndexedSlices)) return joinSlices(list as readonly IndexedSlices[]);
  const { graph } = target;
  if (method === 0 && list.every(item => item instanceof Tensor)) return addByDevice(graph, list as readonly Tensor[]);
  if (method === 0)
    return graph.nameScope("AddN", scope =>
      addN(
        list.map((item, k) => slicesToTensor(item, `inputs_${k}`)),
        scope,
      ),
    );
  const dense = list.map(item => slicesToTensor(item));
  return graph.nameScope(`${target.op.name}_gradient_sum`, () => dense.reduce((sum, item) => addN([sum, item])));
}

/** First those of one device, beside the first of them. */
function addByDevice(graph: Graph, list: readonly Tensor[]): Tensor {
  const devices = [...new Set(list.map(({ op }) => op.device))].sort();
  const sums = devices.map(device => {
    const near = list.filter(({ op }) => op.device === device);
    return near.length === 1 ? near[0] : graph.colocateWith(near[0], { ignoreExisting: true }, () => addN(near));
  });
  return sums.length === 1 ? sums[0] : addN(sums);
}

function joinSlices(list: readonly IndexedSlices[]): IndexedSlices {
  const indices = list.map(slices => slices.indices);
  const widest = indices.some(index => index.dtype === "int64") ? "int64" : "int32";
  return new IndexedSlices(
    concat(
      list.map(slices => slices.values),
      0,
    ),
    concat(
      indices.map(index => (index.dtype === widest ? index : cast(index, widest))),
      0,
    ),
    list[0].denseShape,
  );
}
