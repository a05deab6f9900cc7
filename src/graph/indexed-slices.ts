// IndexedSlices: rows of a larger tensor, the gradient of gather. TF: tf.IndexedSlices.

import type { DType } from "../base/dtype.ts";
import { TensorShape } from "../base/shape.ts";
import type { Graph } from "./graph.ts";
import type { Operation, Tensor } from "./operation.ts";
import { staticShape } from "./static-value.ts";

/** `values[k]` belongs to row `indices[k]`; equal indices add up. `denseShape` is the shape of the whole, if known. */
export class IndexedSlices {
  readonly values: Tensor;
  readonly indices: Tensor;
  readonly denseShape: Tensor | null;

  constructor(values: Tensor, indices: Tensor, denseShape: Tensor | null = null) {
    this.values = values;
    this.indices = indices;
    this.denseShape = denseShape;
  }

  get dtype(): DType {
    return this.values.dtype;
  }

  get graph(): Graph {
    return this.values.graph;
  }

  get op(): Operation {
    return this.values.op;
  }

  get name(): string {
    return this.values.name;
  }

  get device(): string {
    return this.values.device;
  }

  /** The static shape of the whole, as far as it is known. */
  get shape(): TensorShape {
    return this.denseShape === null ? TensorShape.unknown() : staticShape(this.denseShape);
  }

  /** The same rows with other values. */
  withValues(values: Tensor): IndexedSlices {
    return new IndexedSlices(values, this.indices, this.denseShape);
  }

  /** What reads the values. */
  consumers(): Operation[] {
    return this.values.consumers();
  }

  toString(): string {
    return `IndexedSlices(indices=${this.indices}, values=${this.values}${this.denseShape ? `, dense_shape=${this.denseShape}` : ""})`;
  }
}

/** The tensors that slices are made of, in TensorFlow's order. */
export const partsOfSlices = ({ values, indices, denseShape }: IndexedSlices): Tensor[] => [
  values,
  indices,
  ...(denseShape ? [denseShape] : []),
];

/** A function of each element of a gradient, or of what may be one. */
export const onValues = <T>(gradient: T | IndexedSlices, f: (values: NoInfer<T> | Tensor) => Tensor): Tensor | IndexedSlices =>
  gradient instanceof IndexedSlices ? gradient.withValues(f(gradient.values)) : f(gradient);
