// SparseTensor: coordinates and values of the elements of a tensor that are not the default. The ops that take it apart are in ops/sparse.ts.

import type { DType } from "../base/dtype.ts";
import { TensorShape } from "../base/shape.ts";
import { convertToTensor, type TensorLike } from "./conversion.ts";
import { getDefaultGraph } from "./default-graph.ts";
import type { Graph } from "./graph.ts";
import { type Operation, Tensor } from "./operation.ts";
import { staticShape } from "./static-value.ts";

/** `values[k]` stands at the coordinates `indices[k]` of a tensor of shape `denseShape`; coordinates in row-major order. TF: tf.SparseTensor. */
export class SparseTensor {
  /** int64 `[n, rank]`. */
  readonly indices: Tensor;
  /** `[n]`. */
  readonly values: Tensor;
  /** int64 `[rank]`. */
  readonly denseShape: Tensor;

  constructor(indices: TensorLike, values: TensorLike, denseShape: TensorLike) {
    const graph = [indices, values, denseShape].find(part => part instanceof Tensor)?.graph ?? getDefaultGraph();
    const parts = graph.asDefault(() =>
      graph.nameScope("SparseTensor", () => [
        convertToTensor(indices, { name: "indices", dtype: "int64" }),
        convertToTensor(values, { name: "values" }),
        convertToTensor(denseShape, { name: "dense_shape", dtype: "int64" }),
      ]),
    );
    [this.indices, this.values, this.denseShape] = parts;
    const rank = this.indices.shape.withRank(2).dim(1);
    this.values.shape.withRank(1);
    const shape = this.denseShape.shape.withRank(1);
    if (rank !== null) shape.mergeWith(new TensorShape([rank]));
  }

  get dtype(): DType {
    return this.values.dtype;
  }

  get graph(): Graph {
    return this.indices.graph;
  }

  get op(): Operation {
    return this.values.op;
  }

  /** The static shape of the whole, as far as known. */
  get shape(): TensorShape {
    return staticShape(this.denseShape);
  }

  getShape(): TensorShape {
    return this.shape;
  }

  toString(): string {
    return `SparseTensor(indices=${this.indices}, values=${this.values}, dense_shape=${this.denseShape})`;
  }
}
