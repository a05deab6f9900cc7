// Input by queues: producers of file names, numbers and slices, and batches gathered by queue runners. TF: tf.train.batch and its family.
// Each adds a summary of how full its queue is.

import type { DType } from "../../base/dtype.ts";
import { ValueError } from "../../base/errors.ts";
import { pythonType } from "../../base/python-text.ts";
import { asShape, type ShapeLike, TensorShape } from "../../base/shape.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import type { Named } from "../../graph/op-definition.ts";
import { itemsOf } from "../../graph/iterating.ts";
import { type Operation, Tensor } from "../../graph/operation.ts";
import { staticValue } from "../../graph/static-value.ts";
import { SparseTensor } from "../../graph/sparse-tensor.ts";
import { constant, expandDims, identity, ones, shape as shapeOf, size as sizeOfTensor, squeeze } from "../../ops/array/array.ts";
import { gather } from "../../ops/array/gather.ts";
import { dynamicPartition } from "../../ops/array/partition.ts";
import { range } from "../../ops/array/ranges.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import { getItem } from "../../ops/array/slicing.ts";
import { Assert, noOp, withDependencies } from "../../ops/flow/control-flow.ts";
import { cond } from "../../ops/flow/control-flow-contexts.ts";
import { cast } from "../../ops/math/cast.ts";
import { greater } from "../../ops/math/comparison.ts";
import { maximum } from "../../ops/math/math.ts";
import { inNameScope } from "../../ops/named.ts";
import * as operator from "../../ops/operators.ts";
import { randomShuffle } from "../../ops/random/random.ts";
import { AddManySparseToTensorsMap, AddSparseToTensorsMap, TakeManySparseFromTensorsMap } from "../../ops/sparse/map.ts";
import { sparseRetain } from "../../ops/sparse/structure.ts";
import { smartCond } from "../layers/layers.ts";
import { GraphKeys } from "../variables/graph-keys.ts";
import { FIFOQueue, PaddingFIFOQueue, type QueueBase, type QueueResult, RandomShuffleQueue } from "../queue.ts";
import { scalar } from "../summary.ts";
import { countUpTo, Variable } from "../variables/variables.ts";
import { addQueueRunner, QueueRunner } from "./queue-runner.ts";
import { isOptions, refuseOthers } from "../../ops/arguments.ts";

interface LimitOptions extends Named {
  readonly numEpochs?: number | null;
}

/** `tensor`, `numEpochs` times; then OutOfRangeError. Needs localVariablesInitializer(). TF: tf.train.limit_epochs. */
export function limitEpochs(tensor: TensorLike, { numEpochs, name, ...others }: LimitOptions = {}): Tensor {
  refuseOthers(others);
  const given = convertToTensor(tensor);
  if (numEpochs === undefined || numEpochs === null) return given;
  if (numEpochs <= 0) throw new ValueError(`num_epochs must be > 0 not ${numEpochs}.`);
  return inNameScope({ name }, "limit_epochs", [given], scope => {
    const zero = convertToTensor(0n, { dtype: "int64" });
    const epochs = new Variable(zero, { name: "epochs", trainable: false, collections: [GraphKeys.LOCAL_VARIABLES] });
    return getDefaultGraph().controlDependencies([countUpTo(epochs, numEpochs)], () => identity(given, { name: String(scope) }));
  });
}

interface ProducerOptions extends LimitOptions {
  readonly shuffle?: boolean;
  readonly seed?: number | null;
  readonly capacity?: number;
  readonly sharedName?: string | null;
  readonly cancelOp?: Operation | null;
}

interface InputOptions extends ProducerOptions {
  readonly elementShape?: ShapeLike;
  /** A summary of how full the queue is. */
  readonly summaryName?: string | null;
}

/** A summary of the part of `capacity` that a size is. */
const fullness = (name: string, size: Tensor, capacity: number): Tensor => scalar(name, operator.mul(cast(size, "float32"), 1 / capacity));

/** A queue of the slices of a tensor along its first dimension, in random order unless `shuffle` is false. TF: tf.train.input_producer. */
export function inputProducer(inputTensor: TensorLike, options: InputOptions = {}): FIFOQueue {
  const { elementShape = null, numEpochs, shuffle = true, seed, capacity = 32, sharedName, name, cancelOp, summaryName } = options;
  return inNameScope({ name }, "input_producer", [inputTensor], () => {
    const input = convertToTensor(inputTensor, { name: "input_tensor" });
    const { dims } = input.shape;
    const element = new TensorShape(dims === null ? null : dims.slice(1)).mergeWith(asShape(elementShape));
    if (!element.isFullyDefined)
      throw new ValueError("Either `input_tensor` must have a fully defined shape or `element_shape` must be specified");
    const shuffled = shuffle ? randomShuffle(input, { seed }) : input;
    const limited = limitEpochs(shuffled, { numEpochs });
    const queue = new FIFOQueue(capacity, [limited.dtype], { shapes: [element], sharedName, name });
    addQueueRunner(new QueueRunner(queue, [queue.enqueueMany([limited])], { cancelOp }));
    if (summaryName) fullness(summaryName, queue.size(), capacity);
    return queue;
  });
}

function fullnessOf({ capacity = 32 }: ProducerOptions): string {
  if (typeof capacity !== "number") throw new TypeError(`%d format: a real number is required, not ${pythonType(capacity)}`);
  return `fraction_of_${Math.trunc(capacity)}_full`;
}

/** A queue of strings (file names). TF: tf.train.string_input_producer. @throws InvalidArgumentError while running if there is none. */
export function stringInputProducer(stringTensor: TensorLike, options: ProducerOptions = {}): FIFOQueue {
  const message = "string_input_producer requires a non-null input tensor";
  if (stringTensor === null || stringTensor === "" || (Array.isArray(stringTensor) && stringTensor.length === 0))
    throw new ValueError(message);
  return inNameScope({ name: options.name }, "input_producer", [stringTensor], scope => {
    const strings = convertToTensor(stringTensor, { dtype: "string" });
    const isFilled = Assert(greater(sizeOfTensor(strings), 0), [message]);
    const checked = getDefaultGraph().controlDependencies([isFilled], () => identity(strings));
    return inputProducer(checked, { ...options, elementShape: [], name: String(scope), summaryName: fullnessOf(options) });
  });
}

/** A queue of the integers from 0 to `limit`. TF: tf.train.range_input_producer. */
export const rangeInputProducer = (limit: TensorLike, options: ProducerOptions = {}): FIFOQueue =>
  inNameScope({ name: options.name }, "input_producer", [limit], scope =>
    inputProducer(range(limit), { ...options, elementShape: [], name: String(scope), summaryName: fullnessOf(options) }),
  );

/** One slice of each tensor along its first dimension, another in every run. TF: tf.train.slice_input_producer. */
export function sliceInputProducer(tensorList: readonly TensorLike[], options: ProducerOptions = {}): Tensor[] {
  if (tensorList === null) throw new TypeError("Argument `values` must be iterable.");
  const given = itemsOf(tensorList, "asks");
  return inNameScope({ name: options.name }, "input_producer", given, () => {
    const tensors = given.map(tensor => convertToTensor(tensor));
    if (tensors.length === 0) throw new ValueError("Expected at least one tensor in slice_input_producer().");
    const count = getItem(shapeOf(tensors[0]), 0);
    const at = rangeInputProducer(count, { ...options, name: null }).dequeue();
    return tensors.map(tensor => gather(tensor, at));
  });
}

// ---- batches ----

type Component = TensorLike | SparseTensor;
type Tensors = readonly Component[] | { readonly [name: string]: Component };

interface BatchOptions extends Named {
  readonly numThreads?: number;
  readonly capacity?: number;
  /** Each tensor holds several examples, along its first dimension. */
  readonly enqueueMany?: boolean;
  readonly shapes?: readonly ShapeLike[] | null;
  /** Pad examples of differing sizes with zeros. */
  readonly dynamicPad?: boolean;
  readonly allowSmallerFinalBatch?: boolean;
  readonly sharedName?: string | null;
}

interface ShuffleOptions extends Omit<BatchOptions, "dynamicPad" | "capacity"> {
  readonly seed?: number | null;
}

type Given = BatchOptions & { readonly seed?: number | null; readonly minAfterDequeue?: number };

const namesOf = (tensors: Tensors): string[] | null => (isOptions(tensors) ? Object.keys(tensors).sort() : null);

const valuesOf = (tensors: Tensors, names: readonly string[] | null): readonly Component[] =>
  names ? names.map(name => (tensors as Record<string, Component>)[name]) : itemsOf(tensors as readonly Component[]);

function converted(values: readonly Component[]): (Tensor | SparseTensor)[] {
  if (values.length === 0) throw new ValueError("Expected at least one tensor in batch().");
  return values.map(value => (value instanceof SparseTensor ? value : convertToTensor(value)));
}

/** Where sparse tensors wait while their numbers are in the queue. */
interface SparseStore {
  readonly dtype: DType;
  readonly rank: number | null;
  readonly op: Operation | undefined;
}

/** What goes into the queue: a tensor as it is, of a sparse one its number in the store of `shared`, or in one of its own. */
function stored(given: Tensor | SparseTensor, keep: Tensor, enqueueMany: boolean, shared?: SparseStore): [Tensor, SparseStore | undefined] {
  if (given instanceof Tensor) return [given, undefined];
  let op: Operation | undefined;
  const add = ({ indices, values, denseShape }: SparseTensor): Tensor => {
    const record = { sparseIndices: indices, sparseValues: values, sparseShape: denseShape, sharedName: shared?.op?.name ?? "" };
    const handles = enqueueMany ? AddManySparseToTensorsMap(record) : AddSparseToTensorsMap(record);
    op = handles.op;
    return handles;
  };
  const none = (): Tensor =>
    enqueueMany ? operator.mul(-1, ones(getItem(shapeOf(given), [0, 1]) as Tensor, "int64")) : constant(-1, "int64");
  const numbers =
    keep.shape.rank === 1
      ? add(sparseRetain(given, gather(keep, getItem(given.indices, [null, null], 0))))
      : smartCond(keep, () => add(given), none);
  if (enqueueMany) numbers.setShape([null]);
  const length = given.denseShape.shape.withRank(1).dim(0);
  const rank = length === null || !enqueueMany ? length : length - 1;
  return [expandDims(numbers, [-1] as TensorLike), { dtype: given.values.dtype, rank, op: shared?.op ?? op }];
}

/** Sparse tensors of their numbers; nothing is given before all are there. */
function restored(taken: readonly Tensor[], stores: readonly (SparseStore | undefined)[], isOne: boolean): (Tensor | SparseTensor)[] {
  if (stores.every(store => store === undefined)) return [...taken];
  const parts = taken.map((tensor, k) => {
    const store = stores[k];
    if (store === undefined) return tensor;
    const { op, dtype } = store;
    const sparseHandles = squeeze(tensor, [1]);
    if (op === undefined) throw new TypeError("sparse_map_op must be one of AddSparseToTensorsMap or AddSparseToTensorsMap.");
    const rank = store.rank === null ? null : store.rank + 1;
    return op.graph.colocateWith(op, undefined, () => {
      const { sparseIndices, sparseValues, sparseShape } = TakeManySparseFromTensorsMap({
        sparseHandles,
        dtype,
        sharedName: (op.attrs.sharedName as string) || op.name,
      });
      sparseIndices.setShape([null, rank]);
      sparseShape.setShape([rank]);
      return new SparseTensor(sparseIndices, sparseValues, sparseShape);
    });
  });
  const all = parts.map(part => (part instanceof SparseTensor ? part.values : part));
  const after = (tensor: Tensor): Tensor => withDependencies(all, tensor);
  const ensured = parts.map(part =>
    part instanceof SparseTensor ? new SparseTensor(after(part.indices), after(part.values), after(part.denseShape)) : after(part),
  );
  // As in TensorFlow, where one alone does not wait for itself.
  return isOne ? parts : ensured;
}

/** The common shape of each component. */
function commonShapes(lists: readonly (readonly Tensor[])[], enqueueMany: boolean, given: BatchOptions["shapes"]): readonly ShapeLike[] {
  if (given) return given;
  return lists[0].map((_, k) =>
    lists
      .map(list => {
        const { dims } = list[k].shape;
        if (dims === null) throw new ValueError(`Cannot infer Tensor's rank: ${list[k]}`);
        return new TensorShape(enqueueMany ? dims.slice(1) : dims);
      })
      .reduce((a, b) => a.mergeWith(b)),
  );
}

function enqueueOf(queue: QueueBase, list: readonly Tensor[], kept: Tensor, enqueueMany: boolean): Operation {
  const enqueue = (tensors: readonly Tensor[]): Operation => (enqueueMany ? queue.enqueueMany(tensors) : queue.enqueue(tensors));
  const known = staticValue(kept);
  if (known?.shape.length === 0) return known.get(0) ? enqueue(list) : noOp();
  if (kept.shape.rank === 1) {
    const parts = cast(kept, "int32");
    return enqueue(list.map(tensor => dynamicPartition(tensor, parts, 2)[1]));
  }
  return (
    cond(
      kept,
      () => enqueue(list),
      () => noOp(),
    ) as Tensor
  ).op;
}

/** Which examples are kept: one answer for all, or one for each. */
function keeping(keepInput: TensorLike, enqueueMany: boolean): Tensor {
  const kept = convertToTensor(keepInput);
  const { rank } = kept.shape;
  if (rank === null) throw new ValueError("`keep_input` dimensions must be known at graph construction.");
  if (!enqueueMany && rank === 1) throw new ValueError("`keep_input` cannot be a vector when `enqueue_many=False`.");
  if (rank > 1) throw new ValueError("`keep_input` must be 0 or 1 dimensions.");
  return kept;
}

/** Makes the queue, its runners, and takes batches. */
function batched(fallback: string, sources: readonly Tensors[], batchSize: TensorLike, keepInput: TensorLike, given: Given): QueueResult {
  const { enqueueMany = false, numThreads = 1, capacity = 32, sharedName } = given;
  if (!sources?.length) throw new ValueError("Expected at least one set of tensors");
  const names = namesOf(sources[0]);
  if (names && itemsOf(sources).some(source => String(namesOf(source)) !== String(names)))
    throw new ValueError("All dictionaries in tensors_list must have the same keys");
  const lists = itemsOf(sources).map(source => valuesOf(source, names));
  const { minAfterDequeue } = given;
  if (minAfterDequeue !== undefined && capacity <= minAfterDequeue)
    throw new ValueError(`capacity ${Math.trunc(Number(capacity))} must be bigger than min_after_dequeue ${minAfterDequeue}.`);
  return inNameScope({ name: given.name }, fallback, lists.flat(), scope => {
    const components = lists.map(converted);
    const keep = keeping(keepInput, enqueueMany);
    const first = components[0].map(value => stored(value, keep, enqueueMany));
    const stores = first.map(([, store]) => store);
    const others = components.slice(1).map(list => list.map((value, k) => stored(value, keep, enqueueMany, stores[k])));
    if (others.some(list => list.some(([, store], k) => (store === undefined) !== (stores[k] === undefined))))
      throw new ValueError(`Inconsistent SparseTensors list: ${String(components[0])} vs. ${String(components[1])}`);
    const tensors = [first, ...others].map(list => list.map(([tensor]) => tensor));
    const dtypes: DType[] = tensors[0].map(({ dtype }) => dtype);
    for (const list of tensors)
      if (list.map(({ dtype }) => dtype).join() !== dtypes.join())
        throw new TypeError(`Expected types to be consistent: ${list.map(({ dtype }) => dtype).join(", ")} vs. ${dtypes.join(", ")}.`);
    const shapes = commonShapes(tensors, enqueueMany, given.shapes);
    const queue =
      minAfterDequeue !== undefined
        ? new RandomShuffleQueue(capacity, minAfterDequeue, dtypes, { shapes, sharedName, seed: given.seed })
        : given.dynamicPad
          ? new PaddingFIFOQueue(capacity, dtypes, shapes, { sharedName })
          : new FIFOQueue(capacity, dtypes, { shapes, sharedName });
    const enqueues = tensors.map(list => enqueueOf(queue, list, keep, enqueueMany));
    addQueueRunner(new QueueRunner(queue, lists.length > 1 ? enqueues : Array<Operation>(Math.max(numThreads, 0)).fill(enqueues[0])));
    const least = minAfterDequeue ?? 0;
    const room = capacity - least;
    if (minAfterDequeue === undefined) fullness(`fraction_of_${capacity}_full`, queue.size(), room);
    else fullness(`fraction_over_${least}_of_${room}_full`, maximum(0, operator.sub(queue.size(), least)), room);
    const name = { name: String(scope) };
    const taken = given.allowSmallerFinalBatch ? queue.dequeueUpTo(batchSize, name) : queue.dequeueMany(batchSize, name);
    const isOne = dtypes.length === 1;
    const parts = restored(isOne ? [taken] : taken, stores, isOne && names === null);
    return (names ? Object.fromEntries(names.map((key, k) => [key, parts[k]])) : isOne ? parts[0] : parts) as QueueResult;
  });
}

/** Batches of `batchSize` examples: each tensor, dense or sparse, is one example (a list, or by name); startQueueRunners fills the queue.
 *  A batch of sparse tensors is a sparse one with a dimension more. TF: tf.train.batch. */
export function batch(tensors: readonly [SparseTensor], batchSize: TensorLike, options?: BatchOptions): SparseTensor;
export function batch(tensors: Tensors, batchSize: TensorLike, options?: BatchOptions): QueueResult;
export function batch(tensors: Tensors, batchSize: TensorLike, options: BatchOptions = {}): QueueResult | SparseTensor {
  return batched("batch", [tensors], batchSize, true, options);
}

/** The same of those examples for which `keepInput` is true. TF: tf.train.maybe_batch. */
export const maybeBatch = (tensors: Tensors, keepInput: TensorLike, batchSize: TensorLike, options: BatchOptions = {}): QueueResult =>
  batched("batch", [tensors], batchSize, keepInput, options);

/** Batches of examples from several sources. TF: tf.train.batch_join. */
export const batchJoin = (tensorsList: readonly Tensors[], batchSize: TensorLike, options: BatchOptions = {}): QueueResult =>
  batched("batch_join", tensorsList, batchSize, true, options);

/** TF: tf.train.maybe_batch_join. */
export const maybeBatchJoin = (
  tensorsList: readonly Tensors[],
  keepInput: TensorLike,
  batchSize: TensorLike,
  options: BatchOptions = {},
): QueueResult => batched("batch_join", tensorsList, batchSize, keepInput, options);

/** Batches in random order, of at least `minAfterDequeue` examples to choose from. TF: tf.train.shuffle_batch. */
export const shuffleBatch = (
  tensors: Tensors,
  batchSize: TensorLike,
  capacity: number,
  minAfterDequeue: number,
  options: ShuffleOptions = {},
): QueueResult => batched("shuffle_batch", [tensors], batchSize, true, { ...options, capacity, minAfterDequeue });

/** TF: tf.train.maybe_shuffle_batch. */
export const maybeShuffleBatch = (
  tensors: Tensors,
  batchSize: TensorLike,
  capacity: number,
  minAfterDequeue: number,
  keepInput: TensorLike,
  options: ShuffleOptions = {},
): QueueResult => batched("shuffle_batch", [tensors], batchSize, keepInput, { ...options, capacity, minAfterDequeue });

/** TF: tf.train.shuffle_batch_join. */
export const shuffleBatchJoin = (
  tensorsList: readonly Tensors[],
  batchSize: TensorLike,
  capacity: number,
  minAfterDequeue: number,
  options: ShuffleOptions = {},
): QueueResult => batched("shuffle_batch_join", tensorsList, batchSize, true, { ...options, capacity, minAfterDequeue });

/** TF: tf.train.maybe_shuffle_batch_join. */
export const maybeShuffleBatchJoin = (
  tensorsList: readonly Tensors[],
  batchSize: TensorLike,
  capacity: number,
  minAfterDequeue: number,
  keepInput: TensorLike,
  options: ShuffleOptions = {},
): QueueResult => batched("shuffle_batch_join", tensorsList, batchSize, keepInput, { ...options, capacity, minAfterDequeue });
