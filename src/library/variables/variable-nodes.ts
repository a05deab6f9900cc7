// What a variable is made of: the nodes that hold, set and read it, and its place in a whole of which it may be a part.

import type { DType } from "../../base/dtype.ts";
import type { TensorShape } from "../../base/shape.ts";
import type { Operation, Tensor } from "../../graph/operation.ts";

/** Where a part lies within its whole. TF: Variable.SaveSliceInfo. */
export class SlicePlace {
  readonly fullName: string;
  readonly fullShape: readonly number[];
  readonly varOffset: readonly number[];
  readonly varShape: readonly number[];

  constructor(fullName: string, fullShape: readonly number[], varOffset: readonly number[], varShape: readonly number[]) {
    this.fullName = fullName;
    this.fullShape = fullShape;
    this.varOffset = varOffset;
    this.varShape = varShape;
  }

  /** As save ops have it: `10 4 4,3:0,4`. */
  get spec(): string {
    return `${this.fullShape.join(" ")} ${this.varOffset.map((start, axis) => `${start},${this.varShape[axis]}`).join(":")}`;
  }
}

/** Nodes that already exist, to be wrapped by a Variable (imported graphs, assigned resource variables). */
export class VariableNodes {
  readonly handle: Tensor;
  readonly initializer: Operation | null;
  readonly initialValue: Tensor | null;
  /** The read that conversions use (ref), or that fetching uses (resource). */
  readonly snapshot: Tensor;
  readonly dtype: DType;
  readonly shape: TensorShape;
  readonly trainable: boolean;
  constructor(given: {
    handle: Tensor;
    initializer: Operation | null;
    initialValue: Tensor | null;
    snapshot: Tensor;
    dtype: DType;
    shape: TensorShape;
    trainable: boolean;
  }) {
    this.handle = given.handle;
    this.initializer = given.initializer;
    this.initialValue = given.initialValue;
    this.snapshot = given.snapshot;
    this.dtype = given.dtype;
    this.shape = given.shape;
    this.trainable = given.trainable;
  }
}
