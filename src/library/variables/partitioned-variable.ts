// Partitioned variables: one value kept in several variables, its parts along one axis. getVariable makes them where a partitioner says so; they
// are saved as slices under the name of the whole, so that a checkpoint fits other partitions. TF: PartitionedVariable, partitioned_variables.py.

import { type DType, dtypeTable } from "../../base/dtype.ts";
import { UnimplementedError, ValueError } from "../../base/errors.ts";
import type { TensorShape } from "../../base/shape.ts";
import type { AsTensor, TensorLike } from "../../graph/conversion.ts";
import type { Graph } from "../../graph/graph.ts";
import type { Operation, Tensor } from "../../graph/operation.ts";
import { identity } from "../../ops/array/array.ts";
import { concat, split } from "../../ops/array/slicing.ts";
import type { AssignOptions, Variable } from "./variables.ts";
import { refuseOthers } from "../../ops/arguments.ts";

/** Into how many parts each axis of a variable is cut; more than one along one axis at most. */
export type Partitioner = (shape: TensorShape, dtype: DType) => readonly number[];

type Assigned = Tensor | Variable | Operation;

/** A variable in parts: usable wherever a tensor is, as the parts joined; iterating gives the parts. TF: PartitionedVariable. */
export class PartitionedVariable implements AsTensor, Iterable<Variable> {
  readonly name: string;
  /** Of the whole. */
  readonly shape: TensorShape;
  readonly dtype: DType;
  readonly parts: readonly Variable[];
  /** How many parts there are along each axis. */
  readonly partitions: readonly number[];

  constructor(name: string, shape: TensorShape, dtype: DType, parts: readonly Variable[], partitions: readonly number[]) {
    this.name = name;
    this.shape = shape;
    this.dtype = dtype;
    this.parts = parts;
    this.partitions = partitions;
  }

  [Symbol.iterator](): Iterator<Variable> {
    return this.parts[Symbol.iterator]();
  }

  get graph(): Graph {
    return this.parts[0].graph;
  }

  getShape(): TensorShape {
    return this.shape;
  }

  /** The parts joined, outside of control dependencies. */
  asTensor(): Tensor {
    const { graph, name, parts } = this;
    return graph.controlDependencies(null, () => {
      const whole =
        parts.length === 1
          ? parts[0].value()
          : graph.nameScope(`${name}/ConcatPartitions/`, () => concat(parts, slicedAxis(this.partitions)));
      return graph.nameScope(null, () => identity(whole, { name }));
    });
  }

  asGraphTensor({ dtype, asRef = false }: { dtype?: DType | undefined; asRef?: boolean }): Tensor {
    if (asRef) throw new UnimplementedError("PartitionedVariable doesn't support being used as a reference.");
    if (dtype !== undefined && dtype !== this.dtype)
      throw new ValueError(
        `Incompatible type conversion requested to type ${dtype} for \`tf.Variable of type ${this.dtype}\`. (Variable: ${this})`,
      );
    return this.asTensor();
  }

  /** Sets each part to its piece of `value`; what assigning to the parts gives, or with `readValue: false` the operations. */
  assign(value: TensorLike, options: AssignOptions = {}): Assigned[] {
    return this.update(value, (part, piece) => part.assign(piece, options));
  }
  assignAdd(delta: TensorLike, options: AssignOptions = {}): Assigned[] {
    return this.update(delta, (part, piece) => part.assignAdd(piece, options));
  }
  assignSub(delta: TensorLike, options: AssignOptions = {}): Assigned[] {
    return this.update(delta, (part, piece) => part.assignSub(piece, options));
  }

  private update(value: TensorLike, assignTo: (part: Variable, piece: Tensor) => Assigned): Assigned[] {
    const axis = slicedAxis(this.partitions);
    const sizes = this.parts.map(part => part.shape.dim(axis) as number);
    const pieces = split(value, sizes, { axis });
    return this.parts.map((part, i) => assignTo(part, pieces[i]));
  }

  /** `<tf.PartitionedVariable 'v' shape=(5, 3) dtype=float32 in 2 parts>`. */
  toString(): string {
    return `<tf.PartitionedVariable '${this.name}' shape=${this.shape} dtype=${this.dtype} in ${this.parts.length} parts>`;
  }
}

const slicedAxis = (partitions: readonly number[]): number =>
  Math.max(
    0,
    partitions.findIndex(count => count > 1),
  );

const listed = (list: readonly unknown[]): string => `[${list.join(", ")}]`;

/** What a partitioner says, checked. @throws ValueError with TensorFlow's texts. */
export function partitionsOf(partitioner: Partitioner, shape: TensorShape, dtype: DType): readonly number[] {
  if (typeof partitioner !== "function") throw new ValueError(`Partitioner must be callable, but received: ${String(partitioner)}`);
  if (!shape.isFullyDefined) throw new ValueError(`Shape of a new partitioned variable must be fully defined, but instead was ${shape}.`);
  if (shape.rank === 0) throw new ValueError(`A partitioned Variable must have rank at least 1, shape: ${shape}`);
  const partitions: unknown = partitioner(shape, dtype);
  if (!Array.isArray(partitions)) throw new ValueError(`Partitioner must return a sequence, but saw: ${String(partitions)}`);
  const counts = partitions as readonly number[];
  if (counts.length !== shape.rank)
    throw new ValueError(`Partitioner returned a partition list that does not match the Variable's rank: ${listed(counts)} vs. ${shape}`);
  if (counts.some(count => !(count >= 1))) throw new ValueError(`Partitioner returned zero partitions for some axes: ${listed(counts)}`);
  if (counts.filter(count => count > 1).length > 1)
    throw new ValueError(`Can only slice a variable along one dimension: shape: ${shape}, partitioning: ${listed(counts)}`);
  return counts;
}

/** Offsets and shapes of the parts, the first ones larger by one where the axis does not divide. */
export function partPlaces(
  fullShape: readonly number[],
  partitions: readonly number[],
): { readonly offset: readonly number[]; readonly shape: readonly number[] }[] {
  const axis = slicedAxis(partitions);
  const count = partitions[axis];
  const [least, larger] = [Math.floor(fullShape[axis] / count), fullShape[axis] % count];
  const at = (list: readonly number[], value: number): number[] => list.map((own, i) => (i === axis ? value : own));
  const none = fullShape.map(() => 0);
  if (count > fullShape[axis]) {
    const [size, end] = [fullShape[axis], at(none, fullShape[axis])];
    throw new ValueError(
      `Expected 0 <= offset < shape but found offset=${size}, shape=${size} for var_offset=${listed(end)}, full_shape=${listed(fullShape)}`,
      "A partitioner may not ask for more parts than there are rows.",
    );
  }
  return Array.from({ length: count }, (_, part) => ({
    offset: at(none, part * least + Math.min(part, larger)),
    shape: at(fullShape, least + (part < larger ? 1 : 0)),
  }));
}

// ---- partitioners ----

function alongAxis(shape: TensorShape, axis: number, count: (length: number) => number): number[] {
  const dims = shape.asNumbers();
  if (axis >= dims.length) throw new ValueError(`Cannot partition variable along axis ${axis} when shape is only ${shape}`);
  return dims.map((length, i) => (i === axis ? count(length) : 1));
}

const bytesOf = (shape: TensorShape, dtype: DType, bytesPerStringElement: number): number =>
  shape.asNumbers().reduce((product, length) => product * length, dtype === "string" ? bytesPerStringElement : dtypeTable[dtype].bytes);

/** So many parts along an axis, but no more than it has places. TF: tf.fixed_size_partitioner. */
export const fixedSizePartitioner = (numShards: number, { axis = 0, ...others }: { readonly axis?: number } = {}): Partitioner => {
  refuseOthers(others);
  return shape => alongAxis(shape, axis, length => Math.min(numShards, length));
};

interface AxisSizeOptions {
  readonly axis?: number;
  readonly bytesPerStringElement?: number;
  readonly maxShards?: number | null;
}

/** As many parts as it takes for none to have more than `maxShardBytes`. TF: tf.variable_axis_size_partitioner. @throws ValueError for sizes under 1. */
export function variableAxisSizePartitioner(
  maxShardBytes: number,
  { axis = 0, bytesPerStringElement = 16, maxShards, ...others }: AxisSizeOptions = {},
): Partitioner {
  refuseOthers(others);
  if (!(maxShardBytes >= 1 && bytesPerStringElement >= 1))
    throw new ValueError(
      `Both max_shard_bytes and bytes_per_string_element must be positive. Currently, max_shard_bytes is ${maxShardBytes} andbytes_per_string_element is ${bytesPerStringElement}`,
    );
  if (maxShards && maxShards < 1) throw new ValueError("max_shards must be positive.");
  return (shape, dtype) =>
    alongAxis(shape, axis, length => {
      const perPlace = bytesOf(shape, dtype, bytesPerStringElement) / length;
      const shards = Math.ceil(length / Math.max(1, Math.floor(maxShardBytes / perPlace)));
      return maxShards ? Math.min(maxShards, shards) : shards;
    });
}

interface MinMaxOptions {
  readonly maxPartitions?: number;
  readonly axis?: number;
  readonly minSliceSize?: number;
  readonly bytesPerStringElement?: number;
}

/** At most `maxPartitions` parts, as few as leave each with about `minSliceSize` bytes. TF: tf.min_max_variable_partitioner. */
export const minMaxVariablePartitioner = ({
  maxPartitions = 1,
  axis = 0,
  minSliceSize = 256 << 10,
  bytesPerStringElement = 16,
  ...others
}: MinMaxOptions = {}): Partitioner => {
  refuseOthers(others);
  return (shape, dtype) =>
    alongAxis(shape, axis, length => {
      const wanted = Math.ceil(bytesOf(shape, dtype, bytesPerStringElement) / minSliceSize);
      return Math.max(1, Math.min(length, maxPartitions, wanted));
    });
};
