// tf.data.Dataset: chains of nodes that make elements, under TensorFlow's names for them. What the nodes do is ops/dataset.ts.

import type { DType } from "../../base/dtype.ts";
import { OutOfRangeError, ValueError } from "../../base/errors.ts";
import { type ArrayLike, NDArray } from "../../base/ndarray.ts";
import { type ShapeLike, TensorShape } from "../../base/shape.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { Named } from "../../graph/op-definition.ts";
import { Tensor } from "../../graph/operation.ts";
import { constantValue } from "../../graph/shape-inference.ts";
import { whereV2 } from "../../ops/array-selection.ts";
import * as ops from "../../ops/dataset.ts";
import { type BuiltFunction, buildFunction } from "../../ops/dataset-functions.ts";
import * as sources from "../../ops/dataset-sources.ts";
import { type HostFunction, pyFunc } from "../../ops/host-function.ts";
import { equal, logicalAnd } from "../../ops/math.ts";
import { inNameScope } from "../../ops/named.ts";
import { flatten, mapNested, type Nested } from "../../ops/nested.ts";
import { getSeed } from "../../ops/random.ts";
import { ComponentSpec, componentsOf, forEach, specOf, tensorsOf, typesAndShapes, valueOf } from "./element-spec.ts";
import { type Iterator, makeInitializableIterator, makeOneShotIterator } from "./iterator.ts";

// `any`: what a dataset's function gets follows from the dataset's elements, and may be any nesting
type ElementFunction = (...element: any[]) => Nested;

interface MapOptions extends Named {
  /** Accepted; functions run one after the other. */
  readonly numParallelCalls?: TensorLike | null;
  readonly deterministic?: boolean | null;
}
interface BatchOptions extends Named {
  readonly dropRemainder?: boolean;
}
interface PaddedOptions extends BatchOptions {
  /** One for all components, or a nesting; zeros and empty strings by default. */
  readonly paddingValues?: Nested;
}
interface ShuffleOptions extends Named {
  readonly seed?: number | null;
  readonly reshuffleEachIteration?: boolean | null;
}
interface InterleaveOptions extends MapOptions {
  readonly cycleLength?: number | null;
  readonly blockLength?: number | null;
}
interface WindowOptions extends BatchOptions {
  readonly shift?: number | null;
  readonly stride?: number;
}

const int64 = (value: TensorLike, name: string): Tensor => convertToTensor(value, { dtype: "int64", name });
const bool = (value: boolean, name: string): Tensor => convertToTensor(value, { dtype: "bool", name });
const asShape = (shape: unknown): TensorShape =>
  shape instanceof TensorShape ? shape : new TensorShape(shape as ShapeLike & (number | null)[]);
/** What all elements of both are. */
function merged(a: Nested, b: Nested): Nested {
  const others = componentsOf(b);
  let next = 0;
  return mapNested(a, leaf => {
    const { dims } = (leaf as ComponentSpec).shape;
    const other = others[next++].shape.dims;
    const isSameRank = dims !== null && other !== null && dims.length === other.length;
    return (leaf as ComponentSpec).withShape(
      isSameRank ? new TensorShape(dims.map((d, axis) => (d === other[axis] ? d : null))) : TensorShape.unknown(),
    );
  });
}

/** A component that is a dataset itself. */
class DatasetSpec extends ComponentSpec {
  constructor(elementSpec: Nested) {
    super("variant", new TensorShape([]), elementSpec);
  }

  override valueOf(tensor: Tensor): Dataset {
    return new Dataset(tensor, this.inner);
  }
}

/** A source of elements, each a tensor or a nesting of tensors. Lists that hold tensors or arrays are nestings (Python's tuples); lists of numbers
 *  are one tensor. Functions (`map`, `filter`, …) build nodes in a graph of their own, once, and get what is in the outermost list as separate
 *  arguments. TF: tf.data.Dataset. */
export class Dataset {
  /** The node's output. */
  readonly variantTensor: Tensor;
  /** What its elements are. */
  readonly elementSpec: Nested;

  constructor(variantTensor: Tensor, elementSpec: Nested) {
    this.variantTensor = variantTensor;
    this.elementSpec = elementSpec;
  }

  get outputTypes(): Nested {
    return mapNested(this.elementSpec, leaf => (leaf as ComponentSpec).dtype);
  }

  get outputShapes(): Nested {
    return mapNested(this.elementSpec, leaf => (leaf as ComponentSpec).shape);
  }

  // ---- sources ----

  /** One element: the tensors as they are. */
  static fromTensors(tensors: Nested, { name }: Named = {}): Dataset {
    const given = normalized(tensors);
    const spec = mapNested(given, leaf => ComponentSpec.of(leaf as Tensor));
    const { outputShapes } = typesAndShapes(spec);
    return new Dataset(sources.TensorDataset({ components: flatten(given) as Tensor[], outputShapes }, { name }), spec);
  }

  /** An element for each slice along the first axis. @throws ValueError for scalars and differing first dimensions. */
  static fromTensorSlices(tensors: Nested, { name }: Named = {}): Dataset {
    const given = normalized(tensors);
    const components = flatten(given) as Tensor[];
    let rows = new TensorShape([null]);
    for (const { shape } of components) {
      if (shape.rank === 0) throw new ValueError("Unbatching a tensor is only supported for rank >= 1");
      if (shape.dims !== null) rows = rows.mergeWith(new TensorShape(shape.dims.slice(0, 1)));
    }
    const spec = mapNested(given, leaf => {
      const { dtype, shape } = leaf as Tensor;
      return new ComponentSpec(dtype, shape.dims === null ? TensorShape.unknown() : new TensorShape(shape.dims.slice(1)));
    });
    const { outputShapes } = typesAndShapes(spec);
    return new Dataset(sources.TensorSliceDataset({ components, outputShapes }, { name }), spec);
  }

  /** Numbers, as Python's range: `(stop)`, `(start, stop)` or `(start, stop, step)`, of type int64 or `outputType`. */
  static range(...given: readonly (TensorLike | (Named & { readonly outputType?: DType }))[]): Dataset {
    const last = given.at(-1);
    const isOptions = typeof last === "object" && last !== null && Object.getPrototypeOf(last) === Object.prototype;
    const { outputType = "int64", name } = (isOptions ? last : {}) as Named & { readonly outputType?: DType };
    const numbers = (isOptions ? given.slice(0, -1) : given) as TensorLike[];
    const [start, stop, step] = numbers.length === 1 ? [0, numbers[0], 1] : [numbers[0], numbers[1], numbers[2] ?? 1];
    const spec = new ComponentSpec(outputType, new TensorShape([]));
    const inputs = { start: int64(start, "start"), stop: int64(stop, "stop"), step: int64(step, "step") };
    return new Dataset(sources.RangeDataset({ ...inputs, ...typesAndShapes(spec) }, { name }), spec);
  }

  /** What a generator function of JavaScript gives; it begins anew with each iteration. `args` are evaluated and given to it as arrays. The graph's
   *  export does not hold it. */
  static fromGenerator(
    generator: (...args: NDArray[]) => Iterable<unknown> | AsyncIterable<unknown>,
    outputTypes: Nested,
    outputShapes: Nested = null,
    { args = [], name }: Named & { readonly args?: readonly TensorLike[] } = {},
  ): Dataset {
    if (typeof generator !== "function") throw new TypeError("`generator` must be a Python callable.");
    const isOneShape = outputTypes !== null && typeof outputTypes === "string" && outputShapes !== null;
    const spec = specOf(outputTypes, isOneShape ? asShape(outputShapes) : outputShapes, asShape);
    const components = componentsOf(spec);
    const given = args.map(value => convertToTensor(value));
    const generators = new Map<bigint, AsyncIterator<unknown> | globalThis.Iterator<unknown>>();
    let ids = 0n;
    const begin = (...arrays: NDArray[]): bigint => {
      const made = generator(...arrays);
      generators.set(ids, Symbol.asyncIterator in made ? made[Symbol.asyncIterator]() : made[Symbol.iterator]());
      return ids++;
    };
    const idOf = (id: NDArray): bigint => id.get(0) as bigint;
    const next = async (id: NDArray): Promise<readonly NDArray[]> => {
      const element = await generators.get(idOf(id))?.next();
      if (element === undefined || element.done) throw new OutOfRangeError("StopIteration: Iteration finished");
      return arraysOf(element.value, spec, components);
    };
    const end = async (id: NDArray): Promise<bigint> => {
      await generators.get(idOf(id))?.return?.();
      generators.delete(idOf(id));
      return 0n;
    };
    const idSpec = new ComponentSpec("int64", new TensorShape([]));
    const scalarOf = (func: HostFunction, inputs: readonly Tensor[]): Tensor => {
      const id = pyFunc(func, inputs, "int64");
      id.setShape([]);
      return id;
    };
    const what = "Dataset_from_generator";
    const elements = new Dataset(sources.TensorDataset({ components: [normalized(0) as Tensor], outputShapes: [new TensorShape([])] }), [
      new ComponentSpec("int32", new TensorShape([])),
    ]);
    return elements.flatMap(function flat_map_fn(dummy: Tensor) {
      const ofDummy = new ComponentSpec(dummy.dtype, dummy.shape);
      const init = buildFunction(what, { name: "get_iterator_id_fn" }, [ofDummy], () => [scalarOf(begin, given)]);
      const nextOf = buildFunction(what, { name: "generator_next_fn" }, [idSpec], ([id]) => {
        const values = pyFunc(
          next,
          [id],
          components.map(({ dtype }) => dtype),
        );
        values.forEach((value, i) => void value.setShape(components[i].shape));
        return values;
      });
      const finalize = buildFunction(what, { name: "finalize_fn" }, [idSpec], ([id]) => [scalarOf(end, [id])]);
      const variant = sources.GeneratorDataset(
        {
          initFuncOtherArgs: [dummy, ...init.captures],
          nextFuncOtherArgs: nextOf.captures,
          finalizeFuncOtherArgs: finalize.captures,
          initFunc: init.f,
          nextFunc: nextOf.f,
          finalizeFunc: finalize.f,
          ...typesAndShapes(spec),
        },
        { name },
      );
      return new Dataset(variant, spec);
    });
  }

  /** Elements of several datasets side by side, until the shortest ends; `datasets` may be any nesting. */
  static zip(datasets: Nested, { name }: Named = {}): Dataset {
    const list = flatten(datasets) as Dataset[];
    if (!list.every(each => each instanceof Dataset))
      throw new TypeError("The argument to `Dataset.zip()` must be a (nested) structure of `Dataset` objects.");
    const spec = mapNested(datasets, each => (each as Dataset).elementSpec);
    const inputDatasets = list.map(({ variantTensor }) => variantTensor);
    return new Dataset(ops.ZipDataset({ inputDatasets, ...typesAndShapes(spec) }, { name }), spec);
  }

  // ---- functions ----

  /** What `mapFunc` makes of each element. */
  map(mapFunc: ElementFunction, { numParallelCalls = null, deterministic = null, name }: MapOptions = {}): Dataset {
    const { f, spec, otherArguments } = this.function(mapFunc, "Dataset_map");
    const inputs = { inputDataset: this.variantTensor, otherArguments, f, ...typesAndShapes(spec) };
    if (numParallelCalls === null) return new Dataset(ops.MapDataset(inputs, { name }), spec);
    const calls = { numParallelCalls: int64(numParallelCalls, "num_parallel_calls"), deterministic: textOf(deterministic) };
    return new Dataset(ops.ParallelMapDatasetV2({ ...inputs, ...calls }, { name }), spec);
  }

  /** The elements for which `predicate` is true. @throws ValueError unless it gives a bool scalar. */
  filter(predicate: ElementFunction, { name }: Named = {}): Dataset {
    const { f, spec, otherArguments } = this.function(predicate, "Dataset_filter");
    const isBool = spec instanceof ComponentSpec && spec.dtype === "bool" && spec.shape.isCompatibleWith([]);
    if (!isBool)
      throw new ValueError(
        `Invalid \`predicate\`. \`predicate\` must return a \`tf.bool\` scalar tensor, but its return type is ${described(spec)}.`,
      );
    return this.derived(
      ops.FilterDataset({ inputDataset: this.variantTensor, otherArguments, predicate: f, ...typesAndShapes(this.elementSpec) }, { name }),
    );
  }

  /** The elements of the datasets that `mapFunc` makes of the elements, one dataset after the other. */
  flatMap(mapFunc: ElementFunction, { name }: Named = {}): Dataset {
    const { f, spec, otherArguments } = this.datasetFunction(mapFunc, "Dataset_flat_map", "flat_map");
    return new Dataset(
      ops.FlatMapDataset({ inputDataset: this.variantTensor, otherArguments, f, ...typesAndShapes(spec) }, { name }),
      spec,
    );
  }

  /** The same, `cycleLength` datasets at a time, `blockLength` elements of each in turn. */
  interleave(
    mapFunc: ElementFunction,
    { cycleLength, blockLength, numParallelCalls = null, deterministic = null, name }: InterleaveOptions = {},
  ): Dataset {
    const { f, spec, otherArguments } = this.datasetFunction(mapFunc, "Dataset_interleave", "interleave");
    const inputs = {
      inputDataset: this.variantTensor,
      otherArguments,
      cycleLength: int64(cycleLength ?? 10, "cycle_length"),
      blockLength: int64(blockLength ?? 1, "block_length"),
    };
    const attrs = { f, ...typesAndShapes(spec) };
    if (numParallelCalls === null) return new Dataset(ops.InterleaveDataset({ ...inputs, ...attrs }, { name }), spec);
    const calls = {
      bufferOutputElements: int64(AUTOTUNE, "buffer_output_elements"),
      prefetchInputElements: int64(AUTOTUNE, "prefetch_input_elements"),
      numParallelCalls: int64(numParallelCalls, "num_parallel_calls"),
    };
    return new Dataset(
      ops.ParallelInterleaveDatasetV4({ ...inputs, ...calls, deterministic: textOf(deterministic), ...attrs }, { name }),
      spec,
    );
  }

  /** What `transformation` makes of this dataset. */
  apply<T>(transformation: (dataset: this) => T): T {
    return transformation(this);
  }

  // ---- batches ----

  /** `batchSize` elements as one, along a new first axis. */
  batch(batchSize: TensorLike, { dropRemainder = false, name }: BatchOptions = {}): Dataset {
    const inputs = {
      inputDataset: this.variantTensor,
      batchSize: int64(batchSize, "batch_size"),
      dropRemainder: bool(dropRemainder, "drop_remainder"),
    };
    const lead = batchDimension(inputs.batchSize, dropRemainder);
    const spec = mapNested(this.elementSpec, leaf => {
      const { dims } = (leaf as ComponentSpec).shape;
      return (leaf as ComponentSpec).withShape(dims === null ? TensorShape.unknown() : new TensorShape([lead, ...dims]));
    });
    return new Dataset(ops.BatchDatasetV2({ ...inputs, ...typesAndShapes(spec) }, { name }), spec);
  }

  /** The same, each component padded at its ends to a shape; null in a shape is the largest size of the batch. */
  paddedBatch(
    batchSize: TensorLike,
    paddedShapes: Nested = null,
    { paddingValues = null, dropRemainder = false, name }: PaddedOptions = {},
  ): Dataset {
    const components = componentsOf(this.elementSpec);
    const shapes =
      paddedShapes === null
        ? components.map(({ shape }) => shape)
        : forEach<unknown>(this.elementSpec, paddedShapes, () => false).map(asShape);
    if (shapes.some(({ dims }) => dims === null))
      throw new ValueError("You must provide `padded_shapes` argument because component 0 has unknown rank.");
    components.forEach(({ shape }, k) => {
      if (shape.rank !== null && shape.rank !== shapes[k].rank)
        throw new ValueError(
          `The padded shape ${shapes[k]} is not compatible with the shape ${shape} of the corresponding input component.`,
        );
    });
    const size = int64(batchSize, "batch_size");
    const tensors = shapes.map(({ dims }) =>
      convertToTensor(
        NDArray.from(
          (dims ?? []).map(d => d ?? -1),
          "int64",
          [(dims ?? []).length],
        ),
      ),
    );
    const isOne = (value: unknown): boolean => value === null || typeof value !== "object" || value instanceof Tensor;
    const given = forEach<TensorLike | null>(this.elementSpec, paddingValues, isOne);
    const values = components.map(({ dtype }, k) => {
      const zero = dtype === "string" ? "" : dtype === "bool" ? false : 0;
      return convertToTensor(given[k] ?? zero, { dtype, name: "padding_value" });
    });
    const lead = batchDimension(size, dropRemainder);
    let next = 0;
    const spec = mapNested(this.elementSpec, leaf =>
      (leaf as ComponentSpec).withShape(new TensorShape([lead, ...(shapes[next++].dims as (number | null)[])])),
    );
    const { outputShapes } = typesAndShapes(spec);
    const inputs = { batchSize: size, paddedShapes: tensors, paddingValues: values, dropRemainder: bool(dropRemainder, "drop_remainder") };
    return new Dataset(ops.PaddedBatchDatasetV2({ inputDataset: this.variantTensor, ...inputs, outputShapes }, { name }), spec);
  }

  /** Datasets of `size` elements; the next begins `shift` (`size`) elements further. */
  window(size: number, { shift = null, stride = 1, dropRemainder = false, name }: WindowOptions = {}): Dataset {
    const spec = mapNested(this.elementSpec, leaf => new DatasetSpec(leaf));
    const inputs = {
      inputDataset: this.variantTensor,
      size: int64(size, "size"),
      shift: int64(shift ?? size, "shift"),
      stride: int64(stride, "stride"),
      dropRemainder: bool(dropRemainder, "drop_remainder"),
    };
    return new Dataset(ops.WindowDataset({ ...inputs, ...typesAndShapes(spec) }, { name }), spec);
  }

  // ---- order and number ----

  /** Elements leave a buffer of `bufferSize` in random order, in another one with each iteration unless `reshuffleEachIteration` is false. */
  shuffle(bufferSize: TensorLike, { seed = null, reshuffleEachIteration = null, name }: ShuffleOptions = {}): Dataset {
    const size = int64(bufferSize, "buffer_size");
    const [first, second] = getSeed(seed);
    const seedTensor = int64(first ?? 0, "seed");
    // Two zeros would mean: unseeded.
    const seed2 =
      second === null
        ? int64(0, "seed2")
        : inNameScope({ name: "seed2" }, "seed2", [], scope => {
            const given = int64(second, "Const");
            const isUnseeded = logicalAnd(equal(seedTensor, 0), equal(given, 0));
            return whereV2(isUnseeded, int64(2 ** 31 - 1, "Const"), given, { name: scope.name });
          });
    const inputs = { inputDataset: this.variantTensor, bufferSize: size, seed: seedTensor, seed2 };
    return this.derived(
      ops.ShuffleDataset(
        { ...inputs, reshuffleEachIteration: reshuffleEachIteration ?? true, ...typesAndShapes(this.elementSpec) },
        { name },
      ),
    );
  }

  /** So many times; for ever without a count, or with -1. */
  repeat(count: TensorLike | null = null, { name }: Named = {}): Dataset {
    return this.derived(ops.RepeatDataset({ ...this.counted(count ?? -1), ...typesAndShapes(this.elementSpec) }, { name }));
  }

  /** The first `count` elements; all with -1. */
  take(count: TensorLike, { name }: Named = {}): Dataset {
    return this.derived(ops.TakeDataset({ ...this.counted(count), ...typesAndShapes(this.elementSpec) }, { name }));
  }

  /** Without the first `count` elements. */
  skip(count: TensorLike, { name }: Named = {}): Dataset {
    return this.derived(ops.SkipDataset({ ...this.counted(count), ...typesAndShapes(this.elementSpec) }, { name }));
  }

  /** Every `numShards`th element, beginning with element `index`. */
  shard(numShards: TensorLike, index: TensorLike, { name }: Named = {}): Dataset {
    const inputs = { inputDataset: this.variantTensor, numShards: int64(numShards, "num_shards"), index: int64(index, "index") };
    return this.derived(ops.ShardDataset({ ...inputs, ...typesAndShapes(this.elementSpec) }, { name }));
  }

  /** Accepted; elements are made when they are asked for. */
  prefetch(bufferSize: TensorLike, { name }: Named = {}): Dataset {
    const inputs = { inputDataset: this.variantTensor, bufferSize: int64(bufferSize, "buffer_size") };
    const attrs = { legacyAutotune: false, ...typesAndShapes(this.elementSpec) };
    return this.derived(this.besides(() => ops.PrefetchDataset({ ...inputs, ...attrs }, { name })));
  }

  /** Keeps the elements of the first whole iteration in memory. */
  cache(filename: TensorLike = "", { name }: Named = {}): Dataset {
    const inputs = { inputDataset: this.variantTensor, filename: convertToTensor(filename, { dtype: "string", name: "filename" }) };
    return this.derived(ops.CacheDataset({ ...inputs, ...typesAndShapes(this.elementSpec) }, { name }));
  }

  /** The elements of this one, then those of another of the same types. @throws TypeError for other types. */
  concatenate(dataset: Dataset, { name }: Named = {}): Dataset {
    const types = (each: Dataset): string => JSON.stringify(each.outputTypes);
    if (types(this) !== types(dataset))
      throw new TypeError(`Incompatible types of input datasets: ${described(this.elementSpec)} vs. ${described(dataset.elementSpec)}.`);
    const spec = merged(this.elementSpec, dataset.elementSpec);
    const inputs = { inputDataset: this.variantTensor, anotherDataset: dataset.variantTensor };
    return new Dataset(ops.ConcatenateDataset({ ...inputs, ...typesAndShapes(spec) }, { name }), spec);
  }

  // ---- iterators ----

  /** An iterator that begins by itself, and once. TF: Dataset.make_one_shot_iterator. */
  makeOneShotIterator(): Iterator {
    return makeOneShotIterator(this);
  }

  /** An iterator that begins when its `initializer` is run. TF: Dataset.make_initializable_iterator. */
  makeInitializableIterator({ sharedName = null }: { readonly sharedName?: string | null } = {}): Iterator {
    return makeInitializableIterator(this, { sharedName });
  }

  // ---- building ----

  /** On the device of this dataset. */
  private besides<T>(make: () => T): T {
    const { graph, op } = this.variantTensor;
    return graph.colocateWith(op, undefined, make);
  }

  private derived(variantTensor: Tensor): Dataset {
    return new Dataset(variantTensor, this.elementSpec);
  }

  private counted(count: TensorLike): { inputDataset: Tensor; count: Tensor } {
    return { inputDataset: this.variantTensor, count: int64(count, "count") };
  }

  /** Builds a function of elements. */
  private function(func: ElementFunction, prefix: string): ElementFunctionNodes {
    if (typeof func !== "function") throw new TypeError(`${prefix.replace("Dataset_", "")}_func must be callable.`);
    return functionOf(prefix, func, [this.elementSpec], ([element]) => (Array.isArray(element) ? func(...element) : func(element)));
  }

  private datasetFunction(func: ElementFunction, prefix: string, what: string): ElementFunctionNodes {
    const { spec, ...built } = this.function(func, prefix);
    return { ...built, spec: elementsOf(spec, what) };
  }
}

export interface ElementFunctionNodes {
  readonly f: BuiltFunction["f"];
  readonly otherArguments: readonly Tensor[];
  /** What it gives. */
  readonly spec: Nested;
}

/** Builds a function of structures, each of a spec; what it gives is flattened. */
export function functionOf(
  what: string,
  named: { readonly name: string },
  specs: readonly Nested[],
  body: (values: readonly Nested[]) => Nested,
): ElementFunctionNodes {
  let spec: Nested;
  const { f, captures } = buildFunction(what, named, componentsOf([...specs]), inputs => {
    let next = 0;
    const values = specs.map(each => valueOf(each, inputs.slice(next, (next += componentsOf(each).length))));
    const result: Nested = tensorsOf(body(values), () => undefined);
    spec = mapNested(result, leaf => (leaf instanceof Dataset ? new DatasetSpec(leaf.elementSpec) : ComponentSpec.of(leaf as Tensor)));
    return flatten(result).map(leaf => (leaf instanceof Dataset ? leaf.variantTensor : (leaf as Tensor)));
  });
  return { f, otherArguments: captures, spec };
}

/** What the elements are of the dataset that a function gives. @throws TypeError for another result. */
export function elementsOf(spec: Nested, what: string): Nested {
  if (!(spec instanceof DatasetSpec))
    throw new TypeError(
      `The \`map_func\` argument must return a \`Dataset\` object. Got ${described(spec)}.\n\nThis is the function of ${what}.`,
    );
  return spec.inner;
}

/** Whether order counts, as an attribute. */
const textOf = (deterministic: boolean | null | undefined): string =>
  deterministic === null || deterministic === undefined ? "default" : String(deterministic);

const normalized = (value: Nested): Nested =>
  getDefaultGraph().nameScope("normalize_element", () => tensorsOf(value, i => `component_${i}`));

function batchDimension(batchSize: Tensor, dropsRemainder: boolean): number | null {
  const size = constantValue(batchSize)?.get(0);
  return dropsRemainder && size !== undefined ? Number(size) : null;
}

const described = (spec: Nested): string =>
  JSON.stringify(mapNested(spec, leaf => `${(leaf as ComponentSpec).dtype}${(leaf as ComponentSpec).shape}`));

/** An element that a generator gave, as arrays. */
function arraysOf(value: unknown, spec: Nested, components: readonly ComponentSpec[]): NDArray[] {
  const values = forEach<ArrayLike>(spec, value, () => false);
  return components.map(({ dtype, shape }, i) => {
    const array = NDArray.from(values[i], dtype);
    if (!shape.isCompatibleWith(array.shape))
      throw new TypeError(
        `\`generator\` yielded an element of shape (${array.shape.join(", ")}) where an element of shape ${shape} was expected.`,
      );
    return array;
  });
}

/** Types of a dataset's or an iterator's elements, in their nesting. TF: tf.data.get_output_types. */
export const getOutputTypes = (datasetOrIterator: { readonly outputTypes: Nested }): Nested => datasetOrIterator.outputTypes;
/** Shapes of a dataset's or an iterator's elements, in their nesting. TF: tf.data.get_output_shapes. */
export const getOutputShapes = (datasetOrIterator: { readonly outputShapes: Nested }): Nested => datasetOrIterator.outputShapes;

/** A number of calls or a buffer that is ours to choose. TF: tf.data.AUTOTUNE. */
export const AUTOTUNE = -1;
