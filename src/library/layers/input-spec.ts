// InputSpec: what a layer demands of its inputs, checked whenever it is applied. TF: tf.layers.InputSpec; texts are Keras'.

import { type DType, isDType, noDtype } from "../../base/dtype.ts";
import { ValueError } from "../../base/errors.ts";
import { pythonStr } from "../../base/python-text.ts";
import { TensorShape } from "../../base/shape.ts";
import type { Tensor } from "../../graph/operation.ts";
import { refuseOthers } from "../../ops/arguments.ts";

type Size = number | null;

export interface InputSpecOptions {
  readonly dtype?: DType | null;
  /** Every dimension's size, null for any; decides the rank, too. */
  readonly shape?: readonly Size[] | null;
  readonly ndim?: number | null;
  readonly maxNdim?: number | null;
  readonly minNdim?: number | null;
  /** Sizes of some dimensions. */
  readonly axes?: Readonly<Record<number, Size>> | null;
  readonly allowLastAxisSqueeze?: boolean;
  readonly name?: string | null;
  readonly optional?: boolean;
}

const tuple = (list: readonly (Size | string)[]): string =>
  `(${list.map(item => item ?? "None").join(", ")}${list.length === 1 ? "," : ""})`;

/** Rank, type and sizes that a layer's input must have. TF: tf.layers.InputSpec. @throws ValueError for an axis beyond the rank. */
export class InputSpec {
  readonly dtype: DType | null;
  readonly shape: readonly Size[] | null;
  readonly ndim: number | null;
  readonly maxNdim: number | null;
  readonly minNdim: number | null;
  readonly axes: Readonly<Record<number, Size>>;
  readonly allowLastAxisSqueeze: boolean;
  readonly name: string | null;
  readonly optional: boolean;

  constructor(options: InputSpecOptions = {}) {
    const { dtype, shape, ndim, maxNdim, minNdim, axes, allowLastAxisSqueeze = false, name, optional = false, ...others } = options;
    refuseOthers(others);
    if (dtype !== null && dtype !== undefined && !isDType(dtype)) throw noDtype(dtype);
    if (typeof (axes ?? {}) !== "object")
      throw new TypeError(`Argument \`axes\` must be a dict with integer keys. Received: axes=${pythonStr(axes)}`);
    this.dtype = dtype ?? null;
    const sizes = new TensorShape(shape ?? null).dims;
    this.shape = sizes;
    this.ndim = sizes ? sizes.length : (ndim ?? null);
    this.maxNdim = maxNdim ?? null;
    this.minNdim = minNdim ?? null;
    this.axes = { ...axes };
    this.allowLastAxisSqueeze = allowLastAxisSqueeze;
    this.name = name ?? null;
    this.optional = optional;
    const most = this.ndim ?? this.maxNdim;
    const highest = Math.max(...Object.keys(this.axes).map(Number));
    if (most !== null && highest > most - 1) throw new ValueError(`Axis ${highest} is greater than the maximum allowed value: ${most - 1}`);
  }

  /** What the constructor takes. */
  getConfig(): InputSpecOptions {
    const { dtype, shape, ndim, maxNdim, minNdim, axes } = this;
    return { dtype, shape, ndim, maxNdim, minNdim, axes };
  }

  static fromConfig(config: InputSpecOptions): InputSpec {
    return new InputSpec(config);
  }

  toString(): string {
    const { dtype, shape, ndim, maxNdim, minNdim, axes } = this;
    const parts = [
      dtype === null ? "" : `dtype=${dtype}`,
      shape === null ? "" : `shape=${tuple(shape)}`,
      ndim === null ? "" : `ndim=${ndim}`,
      maxNdim === null ? "" : `max_ndim=${maxNdim}`,
      minNdim === null ? "" : `min_ndim=${minNdim}`,
      Object.keys(axes).length === 0
        ? ""
        : `axes={${Object.entries(axes)
            .map(([axis, size]) => `${axis}: ${size ?? "None"}`)
            .join(", ")}}`,
    ];
    return `InputSpec(${parts.filter(part => part !== "").join(", ")})`;
  }

  /** @throws ValueError naming the layer if an input is not as demanded. */
  check(layerName: string, input: Tensor): void {
    const wrong = this.complaint(input);
    if (wrong !== null) throw new ValueError(`Input 0 of layer "${layerName}" is incompatible with the layer: ${wrong}`);
  }

  private complaint({ shape, dtype }: Tensor): string | null {
    const { rank } = shape;
    if (rank === null) return null;
    const sizes = shape.asList();
    const full = `Full shape received: ${tuple(sizes)}`;
    if (this.ndim !== null && rank !== this.ndim && !(this.allowLastAxisSqueeze && (rank === this.ndim - 1 || rank === this.ndim + 1)))
      return `expected ndim=${this.ndim}, found ndim=${rank}. ${full}`;
    if (this.maxNdim !== null && rank > this.maxNdim) return `expected max_ndim=${this.maxNdim}, found ndim=${rank}`;
    if (this.minNdim !== null && rank < this.minNdim) return `expected min_ndim=${this.minNdim}, found ndim=${rank}. ${full}`;
    if (this.dtype !== null && dtype !== this.dtype) return `expected dtype=${this.dtype}, found dtype=<dtype: '${dtype}'>`;
    for (const [axis, size] of Object.entries(this.axes)) {
      const found = sizes.at(Number(axis));
      if (size !== null && found !== size && found !== null)
        return `expected axis ${axis} of input shape to have value ${size}, but received input with shape ${tuple(sizes)}`;
    }
    if (this.shape !== null && this.shape.some((size, i) => size !== null && sizes[i] !== null && sizes[i] !== size))
      return `expected shape=${tuple(this.shape)}, found shape=${tuple(sizes)}`;
    return null;
  }
}
