// Batches of what several runs ask for at once, as servers make them. Here runs come one by one, so the batch of a run is what it brings, filled up to a size
// that is allowed; rows find their way back by the number of the run.

import { DeadlineExceededError, InvalidArgumentError, UnimplementedError, ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { type Dimension, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp } from "../../graph/op-definition.ts";
import { shown } from "../summary/tensor-summary.ts";
import { pause } from "./host-waiting.ts";
import { objectId, sharedAttrs } from "./host-handles.ts";
import { rowOf, stackedRows } from "./rows.ts";

interface Counter {
  next: bigint;
}

const rowsOf = (array: NDArray, places: readonly number[]): NDArray =>
  stackedRows(
    array.dtype,
    places.map(place => rowOf(array, place)),
    array.shape.slice(1),
  );
const numbersFrom = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, k) => from + k);

/** What Batch refuses of its attributes. */
function checkSizes(allowed: readonly number[], most: number): void {
  allowed.forEach((size, i) => {
    if (i > 0 && size <= allowed[i - 1]) throw new InvalidArgumentError("allowed_batch_sizes entries must be monotonically increasing");
  });
  if (allowed.length > 0 && allowed[allowed.length - 1] !== most)
    throw new InvalidArgumentError("final entry in allowed_batch_sizes must equal max_batch_size");
}

/** Rows of all inputs, filled up with the first row; `batchIndex` says for each run [id, from, to]. */
export const Batch = defineOp("Batch", {
  inputs: { inTensors: "T" },
  outputs: { batchedTensors: "T", batchIndex: "int64", id: "int64" },
  attrs: {
    numBatchThreads: attr.int(),
    maxBatchSize: attr.int(),
    maxEnqueuedBatches: attr.int(10),
    batchTimeoutMicros: attr.int(),
    allowedBatchSizes: attr.ints([]),
    gradTimeoutMicros: attr.int(),
    ...sharedAttrs,
    batchingQueue: attr.string(""),
    T: attr.types(undefined, { minimum: 1 }),
  },
  shape: ({ inTensors }) => [...inTensors.map(input => withRows(input)), new TensorShape([null, 3]), new TensorShape([])],
  host: ({ inTensors, maxBatchSize, allowedBatchSizes, ...shared }, { op, object }) => {
    checkSizes(allowedBatchSizes, maxBatchSize);
    const refuse = (reason: string): never => {
      const listed = inTensors.map(({ shape }, k) => ` - ${op.inputs[k].op.name} has shape [${shape}]`).join("\n");
      throw new InvalidArgumentError(`${reason}\nBelow are the input tensors: \n${listed}`);
    };
    if (inTensors.some(({ rank }) => rank === 0)) refuse("Batching input tensors must have at least one dimension.");
    const size = inTensors[0].shape[0];
    if (inTensors.some(({ shape }) => shape[0] !== size))
      refuse("Batching input tensors supplied in a given op invocation must have equal 0th-dimension size.");
    if (size > maxBatchSize) throw new InvalidArgumentError(`Task size ${size} is larger than maximum input batch size ${maxBatchSize}`);
    const padded = size === 0 ? 0 : (allowedBatchSizes.find(allowed => allowed >= size) ?? size);
    const counter = object({ id: objectId("batch", shared, op), make: (): Counter => ({ next: 1n }) }) as Counter;
    const id = counter.next++;
    const places = Array.from({ length: padded }, (_, row) => (row < size ? row : 0));
    const index = new NDArray("int64", [1, 3], BigInt64Array.of(id, 0n, BigInt(size)));
    return [...inTensors.map(input => rowsOf(input, places)), index, NDArray.full("int64", [], id)];
  },
});

const withRows = (shape: TensorShape): TensorShape => {
  if (shape.dims === null) return TensorShape.unknown();
  // TensorFlow replaces the first dimension, which has to be there.
  if (shape.dims.length === 0) throw new ValueError("Out of range dim_index 0 for shape with 0 dimensions");
  return new TensorShape([null, ...shape.dims.slice(1)] as Dimension[]);
};

/** [from, to] of the rows of a run; undefined if it is not in the batch. */
function rangeOf(batchIndex: NDArray, id: NDArray): readonly [from: number, to: number] | undefined {
  if (id.rank > 0) throw new InvalidArgumentError(`Input id should be scalar; Got: ${shown(id)}.`);
  if (batchIndex.rank !== 2 || batchIndex.shape[1] !== 3)
    throw new InvalidArgumentError(`Wrong shape for index tensor. Expected 1st dimension size to be 3 ; Got: ${batchIndex.shape[1] ?? 0}.`);
  for (let k = 0; k < batchIndex.shape[0]; k++)
    if (batchIndex.get(3 * k) === id.get(0)) return [Number(batchIndex.get(3 * k + 1)), Number(batchIndex.get(3 * k + 2))];
  return undefined;
}

/** The rows of the run that `id` is the number of. @throws DeadlineExceededError after its time if they are in no batch here. */
export const Unbatch = defineOp("Unbatch", {
  inputs: { batchedTensor: "T", batchIndex: "int64", id: "int64" },
  outputs: { unbatchedTensor: "T" },
  attrs: { timeoutMicros: attr.int(), ...sharedAttrs, T: attr.type() },
  waits: true,
  shape: ({ batchedTensor }) => withRows(batchedTensor),
  host: async ({ batchedTensor, batchIndex, id, timeoutMicros }, { signal }) => {
    const [[rows = 1], [parts = 1]] = [batchedTensor.shape, batchIndex.shape];
    if (parts > rows)
      throw new InvalidArgumentError(
        `Wrong shape for index tensor. Expected 0th dimension size to be no greater than ${rows}; Got: ${parts}.`,
      );
    const range = rangeOf(batchIndex, id);
    let all = 0;
    for (let k = 0; k < parts; k++) all += Number(batchIndex.get(3 * k + 2)) - Number(batchIndex.get(3 * k + 1));
    if (all > rows || (range !== undefined && (range[0] < 0 || range[0] > range[1] || range[1] > rows)))
      throw new InvalidArgumentError("Sum of split sizes must not exceed dim0-size of input tensor");
    if (range === undefined) {
      await pause(timeoutMicros / 1000, signal);
      throw new DeadlineExceededError("Batched data did not arrive within timeout window.");
    }
    return rowsOf(batchedTensor, numbersFrom(...range));
  },
});

/** The gradients of a batch's rows, from that of the only run in it. */
export const UnbatchGrad = defineOp("UnbatchGrad", {
  inputs: { originalInput: "T", batchIndex: "int64", grad: "T", id: "int64" },
  outputs: { batchedGrad: "T" },
  attrs: { ...sharedAttrs, T: attr.type() },
  shape: ({ grad }) => {
    const { dims } = grad;
    return dims === null ? TensorShape.unknown() : new TensorShape(dims.map(() => null));
  },
  host: ({ batchIndex, grad, id }) => {
    if (batchIndex.shape[0] !== 1 || rangeOf(batchIndex, id) === undefined)
      throw new UnimplementedError("The gradients of a batch of several runs are not joined here, where a batch is one run's.");
    return grad;
  },
});
