// SparseTensor: coordinates and values of the elements of a tensor that are not the default. The ops that take it apart are in ops/sparse.ts.

import type { DType } from "../base/dtype.ts";
import { ValueError } from "../base/errors.ts";
import { type ShapeLike, TensorShape } from "../base/shape.ts";
import { convertToTensor, type TensorLike } from "./conversion.ts";
import { getDefaultGraph } from "./default-graph.ts";
import type { Graph } from "./graph.ts";
import { type Operation, Tensor } from "./operation.ts";
import { staticShape } from "./static-value.ts";

function assertSame(a: number | null, b: number | null): void {
  if (a !== null && b !== null && a !== b) throw new ValueError(`Dimensions ${a} and ${b} are not compatible`);
}

/** `values[k]` stands at the coordinates `indices[k]` of a tensor of shape `denseShape`; coordinates in row-major order. TF: tf.SparseTensor. */
export class SparseTensor {
  /** int64 `[n, rank]`. */
  readonly indices: Tensor;
  /** `[n]`. */
  readonly values: Tensor;
  /** int64 `[rank]`. */
  readonly denseShape: Tensor;
  /** What was told of the shape besides. */
  private knownShape: TensorShape = TensorShape.unknown();

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
    const [count, rank] = this.indices.shape.withRank(2).dims ?? [null, null];
    assertSame(count, this.values.shape.withRank(1).dim(0));
    assertSame(rank, this.denseShape.shape.withRank(1).dim(0));
    // What was read as a static shape stays as it is.
    if (this.denseShape.op.attrs.value !== undefined) graph.preventFeeding(this.denseShape);
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
    return staticShape(this.denseShape).mergeWith(this.knownShape);
  }

  /** Adds what the caller knows of the shape. TF: SparseTensor.set_shape. @throws ValueError if it contradicts what is known. */
  setShape(shape: ShapeLike): void {
    const [known, given] = [this.shape, new TensorShape(shape)];
    if (!known.isCompatibleWith(given)) throw new ValueError(`Shapes ${known} and ${given} are not compatible`);
    this.knownShape = known.mergeWith(given);
  }

  /** The same places with other values, of the same number. TF: SparseTensor.with_values. @throws ValueError for another number. */
  withValues(newValues: TensorLike): SparseTensor {
    const made = new SparseTensor(this.indices, newValues, this.denseShape);
    const [size, count] = [made.values.shape, this.values.shape];
    if (!count.isCompatibleWith(size)) throw new ValueError(`Dimensions ${count.dim(0)} and ${size.dim(0)} are not compatible`);
    return made;
  }

  /** The tensor of what a run gave for another, or of three arrays. TF: SparseTensor.from_value. @throws TypeError for what is no such value. */
  static fromValue(
    value: SparseTensor | { readonly indices: TensorLike; readonly values: TensorLike; readonly denseShape: TensorLike },
  ): SparseTensor {
    if (typeof value !== "object" || value === null || !("denseShape" in value))
      throw new TypeError(`Argument sparse_tensor_value=${String(value)} is neither a SparseTensor nor SparseTensorValue.`);
    return new SparseTensor(value.indices, value.values, value.denseShape);
  }

  /** What reads its values. */
  consumers(): Operation[] {
    return [...this.values.consumers()];
  }

  getShape(): TensorShape {
    return this.shape;
  }

  toString(): string {
    return `SparseTensor(indices=${this.indices}, values=${this.values}, dense_shape=${this.denseShape})`;
  }
}
