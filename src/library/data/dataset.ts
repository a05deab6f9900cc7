// tf.data.Dataset: chains of nodes that make elements, under TensorFlow's names for them. What the nodes do is ops/dataset.ts.

import { Dimension } from "../../base/dimension.ts";
import type { DType } from "../../base/dtype.ts";
import { OutOfRangeError, RuntimeError, ValueError, withHint } from "../../base/errors.ts";
import { type ArrayLike, bytesOfText, NDArray, textOfBytes } from "../../base/ndarray.ts";
import { pythonClass, pythonStr } from "../../base/python-text.ts";
import { type ShapeLike, TensorShape } from "../../base/shape.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { Named } from "../../graph/op-definition.ts";
import { Tensor } from "../../graph/operation.ts";
import { staticValue } from "../../graph/static-value.ts";
import type { SparseTensor } from "../../graph/sparse-tensor.ts";
import { expandDims, identity, shape, squeeze } from "../../ops/array/array.ts";
import { whereV2 } from "../../ops/array/selection.ts";
import { getItem } from "../../ops/array/slicing.ts";
import * as ops from "../../ops/data/dataset.ts";
import { type BuiltFunction, buildFunction } from "../../ops/data/dataset-functions.ts";
import * as sources from "../../ops/data/dataset-sources.ts";
import { RandomDatasetV2 } from "../../ops/data/dataset-experimental.ts";
import { DummySeedGenerator, RebatchDatasetV2 } from "../../ops/data/dataset-rarer.ts";
import { Assert } from "../../ops/flow/control-flow.ts";
import { type HostFunction, pyFunc } from "../../ops/flow/host-function.ts";
import { Add, floormod, maximum } from "../../ops/math/math.ts";
import { cast } from "../../ops/math/cast.ts";
import { equal, greater, logicalAnd } from "../../ops/math/comparison.ts";
import { log } from "../../ops/math/functions.ts";
import { inNameScope } from "../../ops/named.ts";
import { flatten, mapNested, type Nested } from "../../ops/flow/nested.ts";
import { getSeed } from "../../ops/random/random.ts";
import { StatelessMultinomial } from "../../ops/random/distributions.ts";
import { matchingFiles } from "../../ops/string/bytes.ts";
import { reduceJoin } from "../../ops/string/string.ts";
import { componentSpecFrom } from "../../ops/sparse/type-specs.ts";
import { arraysOf } from "./generated-element.ts";
import {
  ComponentSpec,
  componentsOf,
  componentTensors,
  forEach,
  specOf,
  specOfValue,
  tensorsOf,
  typesAndShapes,
  valueOf,
} from "./element-spec.ts";
import { lockOptions, mergedOptions, type Options, optionsToBytes } from "./options.ts";
import { type Iterator, makeInitializableIterator, makeOneShotIterator } from "./iterator.ts";
import { collect, isOptions, isOptionsOf, refuseOthers } from "../../ops/arguments.ts";

// `any`: what a dataset's function gets follows from the dataset's elements, and may be any nesting
type ElementFunction = (...element: any[]) => Nested;

interface MapOptions extends Named {
  /** Accepted; functions run one after the other. */
  readonly numParallelCalls?: TensorLike | null;
  readonly deterministic?: boolean | null;
}
interface OneByOneOptions extends MapOptions {
  /** Accepted, but not together with `numParallelCalls`. */
  readonly synchronous?: boolean | null;
  /** Accepted; there is one thread. */
  readonly useUnboundedThreadpool?: boolean | null;
}
interface RandomOptions extends Named {
  readonly seed?: number | Tensor | null;
  /** Other numbers each time the dataset is repeated. */
  readonly rerandomizeEachIteration?: boolean | null;
}
interface DroppingOptions extends Named {
  readonly dropRemainder?: boolean;
}
interface BatchOptions extends DroppingOptions {
  /** Accepted; batches are made one after the other. */
  readonly numParallelCalls?: TensorLike | null;
  readonly deterministic?: boolean | null;
}
interface PaddedOptions extends DroppingOptions {
  /** One for all components, or a nesting; zeros and empty strings by default. */
  readonly paddingValues?: Nested;
}
interface ShuffleOptions extends Named {
  readonly seed?: number | Tensor | null;
  readonly reshuffleEachIteration?: boolean | null;
}
interface InterleaveOptions extends MapOptions {
  readonly cycleLength?: number | null;
  readonly blockLength?: number | null;
}
interface CounterOptions {
  readonly start?: TensorLike;
  readonly step?: TensorLike;
  readonly dtype?: DType;
}
interface ListFilesOptions extends Named {
  readonly shuffle?: boolean | null;
  readonly seed?: number | null;
}
interface SampleOptions {
  /** One for each dataset; or a dataset of such, each of shape [1, n], of which one counts for each element. */
  readonly weights?: TensorLike | Dataset | null;
  readonly seed?: number | null;
  readonly stopOnEmptyDataset?: boolean;
  /** Draws anew each time the dataset is repeated. */
  readonly rerandomizeEachIteration?: boolean | null;
}
interface GroupOptions extends Named {
  readonly windowSize?: TensorLike | null;
  readonly windowSizeFunc?: ((key: Tensor) => TensorLike) | null;
}
interface WindowOptions extends DroppingOptions {
  readonly shift?: number | null;
  readonly stride?: number;
}

const int64 = (value: TensorLike, name: string): Tensor => convertToTensor(value, { dtype: "int64", name });
/** @throws ValueError for a name that is no identifier, which a dataset keeps besides its nodes. */
function refuseName(name: unknown): void {
  if (typeof name === "string" && !/^[A-Za-z_]\w*$/.test(name))
    throw new ValueError(
      "Invalid `name`. The argument `name` needs to be a valid identifier. Value is considered a valid identifier if it only contains alphanumeric characters (a-z), (A-Z), and (0-9), or underscores (_). A valid identifier cannot start with a number, or contain any spaces.",
    );
}

const bool = (value: boolean, name: string): Tensor => convertToTensor(value, { dtype: "bool", name });
const asShape = (shape: unknown): TensorShape =>
  shape instanceof TensorShape ? shape : new TensorShape(shape as ShapeLike & (number | null)[]);
/** Are batches of so many rows all there is in each, as far as sizes are known? @throws ValueError for scalars and differing sizes. */
function dividesRows(components: readonly ComponentSpec[], size: number): boolean {
  const rows = components.flatMap(({ shape }) => {
    if (shape.rank === 0)
      throw new ValueError(
        "Invalid `batch_sizes`. Expected dataset with rank of >= 1 but found a dataset with scalar elements. Fix the issue by adding the `batch` transformation to the dataset.",
      );
    return shape.dims?.[0] ?? [];
  });
  if (rows.some(count => count !== rows[0]))
    throw new ValueError(
      `Invalid \`input_dataset.\` The batch dimension of component 0 is ${rows[0]}, while the batch dimension of component i is [${rows.join(" ")}].`,
    );
  return rows.length > 0 && rows[0] % size === 0;
}
/** What all elements of both are. */
export function merged(a: Nested, b: Nested): Nested {
  const others = componentsOf(b);
  let next = 0;
  return mapNested(a, leaf => {
    const spec = leaf as ComponentSpec;
    return spec.withShape(spec.shape.mostSpecificCompatibleShape(others[next++].shape));
  });
}

/** A component that is a dataset itself. TF: tf.data.DatasetSpec. */
export class DatasetSpec extends ComponentSpec {
  constructor(elementSpec: Nested) {
    super("variant", new TensorShape([]), elementSpec);
  }
  /** TF: DatasetSpec.from_value. */
  static fromValue(value: Dataset): DatasetSpec {
    return new DatasetSpec(value.elementSpec);
  }

  /** What its elements are. */
  get elementSpec(): Nested {
    return this.inner;
  }
  override valueFrom(tensor: Tensor): Dataset {
    return new Dataset(tensor, this.inner);
  }
  override tensorOf(value: unknown): Tensor {
    return (value as Dataset).variantTensor;
  }
  override withShape(): DatasetSpec {
    return this;
  }
  override get valueClass(): unknown {
    return this;
  }
  override toString(): string {
    return `DatasetSpec(${described(this.inner)}, TensorShape([]))`;
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

  get outputClasses(): Nested {
    return getOutputClasses(this);
  }

  // ---- sources ----

  /** One element: the tensors as they are. */
  static fromTensors(tensors: Nested, { name, ...others }: Named = {}): Dataset {
    refuseOthers(others);
    const given = normalized(tensors);
    refuseName(name);
    const spec = specOfValue(given);
    const { outputShapes } = typesAndShapes(spec);
    return new Dataset(sources.TensorDataset({ components: componentTensors(spec, given), outputShapes }, { name }), spec);
  }

  /** An element for each slice along the first axis. @throws ValueError for scalars and differing first dimensions. */
  static fromTensorSlices(tensors: Nested, { name, ...others }: Named = {}): Dataset {
    refuseOthers(others);
    if (tensors === null) throw new ValueError("Invalid `element`. `element` should not be empty.");
    const given = normalized(tensors);
    refuseName(name);
    const whole = specOfValue(given);
    const components = componentTensors(whole, given, "rowsOf");
    let rows = new Dimension(null);
    for (const { shape } of components) {
      if (shape.rank === 0) throw new ValueError("Unbatching a tensor is only supported for rank >= 1");
      if (shape.dims !== null) rows = rows.mergeWith(shape.at(0));
    }
    const spec = mapNested(whole, leaf => (leaf as ComponentSpec).unbatched());
    const { outputShapes } = typesAndShapes(spec);
    return new Dataset(sources.TensorSliceDataset({ components, outputShapes }, { name }), spec);
  }

  /** Numbers, as Python's range: `(stop)`, `(start, stop)` or `(start, stop, step)`, of type int64 or `outputType`. */
  static range(...given: readonly (TensorLike | (Named & { readonly outputType?: DType }))[]): Dataset {
    const last = given.at(-1);
    const isOptions = typeof last === "object" && last !== null && Object.getPrototypeOf(last) === Object.prototype;
    const { outputType = "int64", name } = (isOptions ? last : {}) as Named & { readonly outputType?: DType };
    const numbers = (isOptions ? given.slice(0, -1) : given) as TensorLike[];
    if (numbers.length < 1 || numbers.length > 3)
      throw new ValueError(`Invalid \`args\`. The length of \`args\` should be between 1 and 3 but was ${numbers.length}.`);
    const [start, stop, step] = numbers.length === 1 ? [0, numbers[0], 1] : [numbers[0], numbers[1], numbers[2] ?? 1];
    const spec = new ComponentSpec(outputType, new TensorShape([]));
    const inputs = { start: int64(start, "start"), stop: int64(stop, "stop"), step: int64(step, "step") };
    return new Dataset(sources.RangeDataset({ ...inputs, ...typesAndShapes(spec) }, { name }), spec);
  }

  /** Each row of a sparse tensor as its indices, values and shape: `[int64[n, rank - 1], values[n], int64[rank - 1]]`. */
  static fromSparseTensorSlices({ indices, values, denseShape }: SparseTensor): Dataset {
    const rank = indices.shape.dims === null ? null : indices.shape.dim(1);
    const width = rank === null ? null : rank - 1;
    const spec = [
      new ComponentSpec("int64", new TensorShape([null, width])),
      new ComponentSpec(values.dtype, new TensorShape([null])),
      new ComponentSpec("int64", new TensorShape([width])),
    ];
    return new Dataset(sources.SparseTensorSliceDataset({ indices, values, denseShape }), spec);
  }

  /** Numbers for ever: int64 scalars below 2³². TF: Dataset.random. */
  static random({ seed = null, rerandomizeEachIteration = null, name, ...others }: RandomOptions = {}): Dataset {
    refuseOthers(others);
    const spec = new ComponentSpec("int64", new TensorShape([]));
    const given = { ...seedTensors(seed), ...typesAndShapes(spec) };
    if (!rerandomizeEachIteration) return new Dataset(sources.RandomDataset(given, { name }), spec);
    const inputs = { ...given, seedGenerator: DummySeedGenerator({}), rerandomizeEachIteration: true };
    return new Dataset(RandomDatasetV2(inputs, { name }) as Tensor, spec);
  }

  /** `start`, `start + step`, … for ever, of type `dtype` (int64). TF: Dataset.counter. */
  static counter({ start = 0, step = 1, dtype = "int64", ...others }: CounterOptions = {}): Dataset {
    refuseOthers(others);
    return getDefaultGraph().nameScope("counter", () => {
      const first = convertToTensor(start, { dtype, name: "start" });
      const by = convertToTensor(step, { dtype, name: "step" });
      return Dataset.fromTensors(NDArray.full("int32", [], 0))
        .repeat(null)
        .scan(first, (state: Tensor) => [state.add(by), state]);
    });
  }

  /** The next element of whichever of `datasets` each element of `choiceDataset` (an int64 scalar) names. One that has ended ends it all, or is passed
   *  over if `stopOnEmptyDataset` is false. TF: Dataset.choose_from_datasets. @throws TypeError for other choices and for datasets of differing types. */
  static chooseFromDatasets(
    datasets: readonly Dataset[],
    choiceDataset: Dataset,
    { stopOnEmptyDataset = true }: { readonly stopOnEmptyDataset?: boolean } = {},
  ): Dataset {
    if (datasets.length === 0) throw new ValueError("Invalid `datasets`. `datasets` should not be empty.");
    const { elementSpec } = choiceDataset;
    if (!(elementSpec instanceof ComponentSpec && elementSpec.dtype === "int64" && elementSpec.shape.isCompatibleWith([])))
      throw new TypeError(
        `Invalid \`choice_dataset\`. Elements of \`choice_dataset\` must be scalar \`tf.int64\` tensors but are ${described(elementSpec)}.`,
      );
    return directed(rewritten(choiceDataset), datasets, stopOnEmptyDataset);
  }

  /** The next element of one of `datasets`, drawn with `weights` (equal ones by default). TF: Dataset.sample_from_datasets. */
  static sampleFromDatasets(
    datasets: readonly Dataset[],
    { weights = null, seed = null, stopOnEmptyDataset = false, rerandomizeEachIteration = null, ...others }: SampleOptions = {},
  ): Dataset {
    refuseOthers(others);
    if (datasets.length === 0) throw new ValueError("Invalid `datasets`. `datasets` should not be empty.");
    if (weights !== null && !(weights instanceof Dataset) && !(weights instanceof Tensor)) {
      const given = NDArray.from(weights as ArrayLike);
      if (given.size !== datasets.length)
        throw new ValueError(
          `Invalid \`weights\`. \`weights\` should have the same length as \`datasets\` but got \`len(weights)=${given.size}\` vs. \`len(datasets)=${datasets.length}\`.`,
        );
      const chosen = datasets.flatMap((_, i) => (Number(given.get(i)) > 0 ? i : []));
      if (chosen.length === 0) return datasets[0].take(0);
      // Never drawn: they would not end either.
      if (chosen.length < datasets.length) {
        const left = NDArray.zeros(given.dtype, [chosen.length]);
        chosen.forEach((i, k) => void left.set(k, given.get(i)));
        const kept = chosen.map(i => datasets[i]);
        return Dataset.sampleFromDatasets(kept, { weights: left, seed, stopOnEmptyDataset, rerandomizeEachIteration });
      }
    }
    const draw = (logits: Tensor, drawn: Tensor): Tensor =>
      squeeze(StatelessMultinomial({ logits, numSamples: 1, seed: drawn, outputDtype: "int64" }), { axis: [0, 1] });
    const mapped = (dataset: Dataset, named: { readonly name: string }, body: ElementFunction): Dataset => {
      const { f, spec, otherArguments } = functionOf("Dataset_map", named, [dataset.elementSpec], ([element]) => spread(body, element));
      const inputs = { inputDataset: dataset.variantTensor, otherArguments, f, ...typesAndShapes(spec) };
      return new Dataset(ops.MapDataset({ ...inputs, useInterOpParallelism: false, preserveCardinality: true }), spec);
    };
    let selector: Dataset;
    if (weights instanceof Dataset) {
      const logits = weights.map((chances: Tensor) => log(chances, { name: "logits" }));
      const drawn = Dataset.zip([logits, Dataset.random({ seed, rerandomizeEachIteration }).batch(2)]);
      selector = mapped(drawn, { name: "select_dataset_varying_logits" }, draw);
    } else {
      const chances = convertToTensor(weights ?? datasets.map(() => 1 / datasets.length), { name: "weights" });
      const logits = expandDims(log(chances, { name: "logits" }), 0);
      if (datasets.length === 1) return datasets[0];
      const drawn = Dataset.random({ seed, rerandomizeEachIteration }).batch(2);
      selector = mapped(drawn, { name: "select_dataset_constant_logits" }, (seeds: Tensor) => draw(logits, seeds));
    }
    return directed(selector, datasets, stopOnEmptyDataset);
  }

  /** What a generator function of JavaScript gives; it begins anew with each iteration. `args` are evaluated and given to it as arrays. The graph's
   *  export does not hold it. */
  static fromGenerator(
    generator: (...args: NDArray[]) => Iterable<unknown> | AsyncIterable<unknown>,
    outputTypes: Nested,
    outputShapes: Nested = null,
    options: Named & { readonly args?: readonly TensorLike[] } = {},
  ): Dataset {
    for (const given of [outputTypes, outputShapes])
      if (isOptionsOf(given, "outputTypes", "outputShapes", "args", "name"))
        return Dataset.fromGenerator(generator, given.outputTypes ?? outputTypes, given.outputShapes, given);
    const { args = [], name } = options;
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
      return arraysOf(element.value, outputTypes, components);
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
    const elements = new Dataset(
      sources.TensorDataset({ components: [normalized(NDArray.full("int32", [], 0)) as Tensor], outputShapes: [new TensorShape([])] }),
      [new ComponentSpec("int32", new TensorShape([]))],
    );
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

  /** The names of files that match one of the patterns (`*`, `?`, `[…]`), string scalars in random order, or sorted if `shuffle` is false.
   *  TF: Dataset.list_files. @throws InvalidArgumentError while running, "No files matched pattern", where there are none. */
  static listFiles(filePattern: TensorLike, { shuffle = null, seed = null, name }: ListFilesOptions = {}): Dataset {
    return getDefaultGraph().nameScope("list_files", () => {
      const pattern = convertToTensor(filePattern, { dtype: "string", name: "file_pattern" });
      const matching = matchingFiles(pattern);
      const count = (files: Tensor, outType: "int32" | "int64"): Tensor => getItem(shape(files, { outType }), 0);
      const isMatched = greater(count(matching, "int32"), 0, { name: "match_not_empty" });
      const message = Add({ x: "No files matched pattern: ", y: reduceJoin(pattern, { separator: ", " }) }, { name: "message" });
      const checked = Assert(isMatched, [message], { summarize: 1, name: "assert_not_empty" });
      const files = getDefaultGraph().controlDependencies([checked], () => identity(matching));
      const attrs = { components: [files], outputShapes: [new TensorShape([])], isFiles: true };
      const dataset = new Dataset(sources.TensorSliceDataset(attrs, { name }), new ComponentSpec("string", new TensorShape([])));
      return shuffle === false ? dataset : dataset.shuffle(maximum(count(files, "int64"), 1), { seed, name });
    });
  }

  /** Elements of several datasets side by side, until the shortest ends; `datasets` may be any nesting. */
  static zip(datasets: Nested, { name, ...others }: Named = {}): Dataset {
    refuseOthers(others);
    const list = flatten(datasets) as Dataset[];
    if (!list.every(each => each instanceof Dataset))
      throw new TypeError("The argument to `Dataset.zip()` must be a (nested) structure of `Dataset` objects.");
    const spec = mapNested(datasets, each => (each as Dataset).elementSpec);
    const inputDatasets = list.map(({ variantTensor }) => variantTensor);
    return new Dataset(ops.ZipDataset({ inputDatasets, ...typesAndShapes(spec) }, { name }), spec);
  }

  // ---- settings ----

  /** The same elements, with settings for TensorFlow: those of earlier calls hold where these say nothing. TF: Dataset.with_options. */
  withOptions(options: Options, { name }: Named = {}): Dataset {
    const attrs = { serializedOptions: textOfBytes(optionsToBytes(options)), ...typesAndShapes(this.elementSpec) };
    return this.derived(ops.OptionsDataset({ inputDataset: this.variantTensor, ...attrs }, { name }));
  }

  /** The settings of this dataset and of those that it is made of. They cannot be changed. TF: Dataset.options. */
  options(): Options {
    const found: Uint8Array[] = [];
    const walk = ({ op }: Tensor): void => {
      for (const input of op.inputs) if (input.dtype === "variant") walk(input);
      const { serializedOptions } = op.attrs;
      if (serializedOptions !== undefined) found.push(bytesOfText(serializedOptions as string));
    };
    walk(this.variantTensor);
    return lockOptions(mergedOptions(found));
  }

  // ---- functions ----

  /** What `mapFunc` makes of each element. */
  map(mapFunc: ElementFunction, options: OneByOneOptions = {}): Dataset {
    const { numParallelCalls = null, deterministic = null, synchronous = null, useUnboundedThreadpool = false, name, ...others } = options;
    refuseOthers(others);
    if (synchronous && numParallelCalls !== null)
      throw new ValueError(
        `('\`synchronous\` is not supported with \`num_parallel_calls\`, but \`num_parallel_calls\` was set to ', ${pythonStr(numParallelCalls)})`,
      );
    const { f, spec, otherArguments } = this.function(mapFunc, "Dataset_map");
    const inputs = { inputDataset: this.variantTensor, otherArguments, f, ...typesAndShapes(spec) };
    if (numParallelCalls === null)
      return new Dataset(ops.MapDataset({ ...inputs, forceSynchronous: synchronous ?? false }, { name }), spec);
    const calls = { numParallelCalls: int64(numParallelCalls, "num_parallel_calls"), deterministic: textOf(deterministic) };
    return new Dataset(
      ops.ParallelMapDatasetV2({ ...inputs, ...calls, useUnboundedThreadpool: useUnboundedThreadpool ?? false }, { name }),
      spec,
    );
  }

  /** The elements for which `predicate` is true. @throws ValueError unless it gives a bool scalar. */
  filter(predicate: ElementFunction, { name, ...others }: Named = {}): Dataset {
    refuseOthers(others);
    const { f, otherArguments } = this.predicate(predicate, "Dataset_filter");
    return this.derived(
      ops.FilterDataset({ inputDataset: this.variantTensor, otherArguments, predicate: f, ...typesAndShapes(this.elementSpec) }, { name }),
    );
  }

  /** The same as `map`. TF: Dataset.map_with_legacy_function. */
  mapWithLegacyFunction(mapFunc: ElementFunction, options: Omit<OneByOneOptions, "synchronous" | "name"> = {}): Dataset {
    return this.map(mapFunc, options);
  }

  /** The same as `filter`. TF: Dataset.filter_with_legacy_function. */
  filterWithLegacyFunction(predicate: ElementFunction): Dataset {
    return this.filter(predicate);
  }

  /** The elements of the datasets that `mapFunc` makes of the elements, one dataset after the other. */
  flatMap(mapFunc: ElementFunction, { name, ...others }: Named = {}): Dataset {
    refuseOthers(others);
    const { f, spec, otherArguments } = this.datasetFunction(mapFunc, "Dataset_flat_map", "flat_map");
    return new Dataset(
      ops.FlatMapDataset({ inputDataset: this.variantTensor, otherArguments, f, ...typesAndShapes(spec) }, { name }),
      spec,
    );
  }

  /** The same, `cycleLength` datasets at a time, `blockLength` elements of each in turn. */
  interleave(
    mapFunc: ElementFunction,
    { cycleLength, blockLength, numParallelCalls = null, deterministic = null, name, ...others }: InterleaveOptions = {},
  ): Dataset {
    refuseOthers(others);
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
  batch(
    batchSize: TensorLike,
    { dropRemainder = false, numParallelCalls = null, deterministic = null, name, ...others }: BatchOptions = {},
  ): Dataset {
    refuseOthers(others);
    const inputs = {
      inputDataset: this.variantTensor,
      batchSize: int64(batchSize, "batch_size"),
      dropRemainder: bool(dropRemainder, "drop_remainder"),
    };
    const lead = batchDimension(inputs.batchSize, dropRemainder);
    const spec = mapNested(this.elementSpec, leaf => (leaf as ComponentSpec).batched(lead));
    const given = { ...inputs, ...typesAndShapes(spec) };
    if (numParallelCalls === null) return new Dataset(ops.BatchDatasetV2(given, { name }), spec);
    const calls = { numParallelCalls: int64(numParallelCalls, "num_parallel_calls"), deterministic: textOf(deterministic) };
    return new Dataset(ops.ParallelBatchDataset({ ...given, ...calls }, { name }), spec);
  }

  /** The rows of batches in batches of another size, or of several that come in turn. TF: Dataset.rebatch. */
  rebatch(batchSize: TensorLike, { dropRemainder = false, name, ...others }: DroppingOptions = {}): Dataset {
    refuseOthers(others);
    const batchSizes = int64(batchSize, "batch_sizes");
    const sizes = Array.from((staticValue(batchSizes)?.data ?? []) as Iterable<unknown>, Number);
    const isOne = sizes.length > 0 && sizes.every(size => size === sizes[0]);
    const lead = isOne && (dropRemainder || dividesRows(componentsOf(this.elementSpec), sizes[0])) ? sizes[0] : null;
    const spec = mapNested(this.elementSpec, leaf => {
      const { dims } = (leaf as ComponentSpec).shape;
      return (leaf as ComponentSpec).withShape(dims === null ? TensorShape.unknown() : new TensorShape([lead, ...dims.slice(1)]));
    });
    const inputs = { inputDataset: this.variantTensor, batchSizes, dropRemainder: bool(dropRemainder, "drop_remainder") };
    return new Dataset(RebatchDatasetV2({ ...inputs, ...typesAndShapes(spec) }, { name }), spec);
  }

  /** The same, each component padded at its ends to a shape; null in a shape is the largest size of the batch. */
  paddedBatch(batchSize: TensorLike, paddedShapes: Nested = null, options: PaddedOptions = {}): Dataset {
    if (isOptionsOf(paddedShapes, "paddedShapes", "paddingValues", "dropRemainder", "name")) {
      const { paddedShapes: shapes, ...rest } = paddedShapes;
      return this.paddedBatch(batchSize, shapes, rest);
    }
    const { paddingValues = null, dropRemainder = false, name, ...others } = options;
    refuseOthers(others);
    const components = componentsOf(this.elementSpec);
    for (const component of components)
      if (component.flat.dtype === "variant")
        throw new TypeError(
          `\`padded_batch\` is only supported for datasets that produce tensor elements but type spec of elements in the input dataset is not a subclass of TensorSpec: \`${component}\`.`,
        );
    const shapes =
      paddedShapes === null
        ? components.map(({ shape }) => shape)
        : forEach<unknown>(this.elementSpec, paddedShapes, () => false).map(given => asShape(staticSizes(given)));
    const sizesOf = paddedShapes === null ? [] : forEach<unknown>(this.elementSpec, paddedShapes, () => false);
    if (shapes.some(({ dims }) => dims === null))
      throw new ValueError("You must provide `padded_shapes` argument because component 0 has unknown rank.");
    components.forEach(({ shape }, k) => {
      if (shape.rank !== null && shape.rank !== shapes[k].rank)
        throw new ValueError(
          `The padded shape ${shapes[k]} is not compatible with the shape ${shape} of the corresponding input component.`,
        );
    });
    const size = int64(batchSize, "batch_size");
    const tensors = shapes.map(({ dims }, k) =>
      Array.isArray(sizesOf[k]) && sizesOf[k].some(each => each instanceof Tensor)
        ? convertToTensor(sizesOf[k].map(each => each ?? -1) as TensorLike, { dtype: "int64", name: "padded_shapes" })
        : convertToTensor(
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
  window(size: number, { shift = null, stride = 1, dropRemainder = false, name, ...others }: WindowOptions = {}): Dataset {
    refuseOthers(others);
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
  shuffle(bufferSize: TensorLike, { seed = null, reshuffleEachIteration = null, name, ...others }: ShuffleOptions = {}): Dataset {
    refuseOthers(others);
    const size = int64(bufferSize, "buffer_size");
    const inputs = { inputDataset: this.variantTensor, bufferSize: size, ...seedTensors(seed) };
    return this.derived(
      ops.ShuffleDataset(
        { ...inputs, reshuffleEachIteration: reshuffleEachIteration ?? true, ...typesAndShapes(this.elementSpec) },
        { name },
      ),
    );
  }

  /** So many times; for ever without a count, or with -1. */
  repeat(...given: readonly (TensorLike | null | (Named & { readonly count?: TensorLike | null }))[]): Dataset {
    const { count, name } = collect<{ count: TensorLike; name: string }>(["count", "name"], given);
    return this.derived(ops.RepeatDataset({ ...this.counted(count ?? -1), ...typesAndShapes(this.elementSpec) }, { name }));
  }

  /** The first `count` elements; all with -1. */
  take(count: TensorLike, { name, ...others }: Named = {}): Dataset {
    refuseOthers(others);
    return this.derived(ops.TakeDataset({ ...this.counted(count), ...typesAndShapes(this.elementSpec) }, { name }));
  }

  /** Without the first `count` elements. */
  skip(count: TensorLike, { name, ...others }: Named = {}): Dataset {
    refuseOthers(others);
    return this.derived(ops.SkipDataset({ ...this.counted(count), ...typesAndShapes(this.elementSpec) }, { name }));
  }

  /** Every `numShards`th element, beginning with element `index`. */
  shard(numShards: TensorLike, index: TensorLike, { name, ...others }: Named = {}): Dataset {
    refuseOthers(others);
    const inputs = { inputDataset: this.variantTensor, numShards: int64(numShards, "num_shards"), index: int64(index, "index") };
    return this.derived(ops.ShardDataset({ ...inputs, ...typesAndShapes(this.elementSpec) }, { name }));
  }

  /** Accepted; elements are made when they are asked for. */
  prefetch(bufferSize: TensorLike, { name, ...others }: Named = {}): Dataset {
    refuseOthers(others);
    const inputs = { inputDataset: this.variantTensor, bufferSize: int64(bufferSize, "buffer_size") };
    const attrs = { legacyAutotune: false, ...typesAndShapes(this.elementSpec) };
    return this.derived(this.besides(() => ops.PrefetchDataset({ ...inputs, ...attrs }, { name })));
  }

  /** Keeps the elements of the first whole iteration in memory. */
  cache(filename: TensorLike = "", { name, ...others }: Named = {}): Dataset {
    refuseOthers(others);
    const inputs = { inputDataset: this.variantTensor, filename: convertToTensor(filename, { dtype: "string", name: "filename" }) };
    return this.derived(ops.CacheDataset({ ...inputs, ...typesAndShapes(this.elementSpec) }, { name }));
  }

  /** The elements of this one, then those of another of the same types. @throws TypeError for other types. */
  concatenate(dataset: Dataset, { name, ...others }: Named = {}): Dataset {
    refuseOthers(others);
    const types = (each: Dataset): string => JSON.stringify(each.outputTypes);
    if (types(this) !== types(dataset))
      throw new TypeError(`Incompatible dataset elements:\n  ${described(this.elementSpec)} vs.   ${described(dataset.elementSpec)}`);
    const spec = merged(this.elementSpec, dataset.elementSpec);
    const inputs = { inputDataset: this.variantTensor, anotherDataset: dataset.variantTensor };
    return new Dataset(ops.ConcatenateDataset({ ...inputs, ...typesAndShapes(spec) }, { name }), spec);
  }

  /** Pairs of a count (int64, from `start`) and an element. */
  enumerate(start: TensorLike = 0n, { name, ...others }: Named = {}): Dataset {
    refuseOthers(others);
    return Dataset.zip([rewritten(Dataset.range(start, 2n ** 63n - 1n)), this], { name });
  }

  /** The elements up to the first for which `predicate` is false. @throws ValueError unless it gives a bool scalar. */
  takeWhile(predicate: ElementFunction, { name, ...others }: Named = {}): Dataset {
    refuseOthers(others);
    const { f, otherArguments } = this.predicate(predicate, "Dataset_take_while");
    const inputs = { inputDataset: this.variantTensor, otherArguments, predicate: f };
    return this.derived(ops.TakeWhileDataset({ ...inputs, ...typesAndShapes(this.elementSpec) }, { name }));
  }

  /** Each value once; elements are one tensor of type int32, int64 or string. @throws TypeError for other types, InvalidArgumentError while running for
   *  several tensors. */
  unique({ name, ...others }: Named = {}): Dataset {
    refuseOthers(others);
    const other = componentsOf(this.elementSpec).find(({ dtype }) => !["int32", "int64", "string"].includes(dtype));
    if (other !== undefined)
      throw new TypeError(
        `\`tf.data.Dataset.unique\` does not support type <dtype: '${other.dtype}'> -- only \`tf.int32\`, \`tf.int64\`, and \`tf.string\` are supported.`,
      );
    return this.derived(ops.UniqueDataset({ inputDataset: this.variantTensor, ...typesAndShapes(this.elementSpec) }, { name }));
  }

  /** Without the elements that fail to be made. */
  ignoreErrors({ logWarning = false, name }: Named & { readonly logWarning?: boolean } = {}): Dataset {
    const attrs = { logWarning, ...typesAndShapes(this.elementSpec) };
    return this.derived(ops.IgnoreErrorsDataset({ inputDataset: this.variantTensor, ...attrs }, { name }));
  }

  /** The rows of the elements, which are batches. @throws ValueError for scalars. */
  unbatch({ name, ...others }: Named = {}): Dataset {
    refuseOthers(others);
    const components = componentsOf(this.elementSpec);
    const rows = this.map(function normalize(...element: Nested[]) {
      let next = 0;
      return mapNested(element.length === 1 ? element[0] : element, leaf => components[next++].rowsOf(leaf));
    });
    const spec = mapNested(this.elementSpec, leaf => {
      if ((leaf as ComponentSpec).shape.rank === 0) throw new ValueError("Cannot unbatch an input with scalar components.");
      return (leaf as ComponentSpec).unbatched();
    });
    return new Dataset(ops.UnbatchDataset({ inputDataset: rows.variantTensor, ...typesAndShapes(spec) }, { name }), spec);
  }

  // ---- states ----

  /** `scanFunc(state, element)` gives the next state and what comes out for the element. */
  scan(
    initialState: Nested,
    scanFunc: (state: Nested, element: Nested) => readonly [Nested, Nested],
    { name, ...others }: Named = {},
  ): Dataset {
    refuseOthers(others);
    const state = tensorsOf(initialState, () => undefined);
    const { f, spec, otherArguments } = stateFunctionOf(
      "Dataset_scan",
      [specOfValue(state), this.elementSpec],
      scanFunc,
      ([next]: Nested) => next,
    );
    const output = spec[1];
    const inputs = { inputDataset: this.variantTensor, initialState: componentTensors(specOfValue(state), state), otherArguments, f };
    return new Dataset(ops.ScanDataset({ ...inputs, preserveCardinality: true, ...typesAndShapes(output) }, { name }), output);
  }

  /** The last state of `reduceFunc(state, element)`: tensors, which go through the whole dataset in each run. */
  reduce(initialState: Nested, reduceFunc: (state: Nested, element: Nested) => Nested, { name, ...others }: Named = {}): Nested {
    refuseOthers(others);
    const state = tensorsOf(initialState, () => undefined);
    const { f, spec, otherArguments } = stateFunctionOf("reduce", [specOfValue(state), this.elementSpec], reduceFunc, next => next);
    const inputs = { inputDataset: this.variantTensor, initialState: componentTensors(specOfValue(state), state), otherArguments, f };
    return valueOf(spec, [...ops.ReduceDataset({ ...inputs, ...typesAndShapes(spec) }, { name })]);
  }

  // ---- of the whole ----

  /** How many elements there are (int64): `INFINITE_CARDINALITY` without end, `UNKNOWN_CARDINALITY` where that is not known. */
  cardinality(): Tensor {
    return ops.DatasetCardinality({ inputDataset: this.variantTensor });
  }

  /** The one element. @throws InvalidArgumentError while running, unless there is exactly one. */
  getSingleElement({ name, ...others }: Named = {}): Nested {
    refuseOthers(others);
    const tensors = ops.DatasetToSingleElement({ dataset: this.variantTensor, ...typesAndShapes(this.elementSpec) }, { name });
    return valueOf(this.elementSpec, [...tensors]);
  }

  // ---- groups ----

  /** `windowSize` elements whose keys (`keyFunc`, an integer scalar) are equal, made into a dataset by `reduceFunc(key, window)`; the size may depend on the
   *  key (`windowSizeFunc`). TF: Dataset.group_by_window. @throws ValueError unless exactly one of both sizes is given. */
  groupByWindow(
    keyFunc: ElementFunction,
    reduceFunc: (key: Tensor, window: Dataset) => Dataset,
    { windowSize = null, windowSizeFunc = null, name, ...others }: GroupOptions = {},
  ): Dataset {
    refuseOthers(others);
    if ((windowSize === null) === (windowSizeFunc === null))
      throw new ValueError("Either the `window_size` argument or the `window_size_func` argument must be specified.");
    const scalar = new ComponentSpec("int64", new TensorShape([]));
    const sizeOf = windowSizeFunc ?? ((_key: Tensor): TensorLike => int64(windowSize as TensorLike, "Const"));
    const what = "Dataset_group_by_window";
    const key = functionOf(what, { name: "key_func_wrapper" }, [this.elementSpec], ([element]) =>
      cast(convertToTensor(spread(keyFunc, element)), "int64"),
    );
    const reduce = functionOf(what, reduceFunc, [scalar, new DatasetSpec(this.elementSpec)], ([first, window]) =>
      reduceFunc(first, window),
    );
    const size = functionOf(what, { name: "window_size_func_wrapper" }, [scalar], ([given]) =>
      cast(convertToTensor(sizeOf(given)), "int64"),
    );
    const spec = elementsOf(reduce.spec, "group_by_window");
    const variant = ops.GroupByWindowDataset(
      {
        inputDataset: this.variantTensor,
        keyFuncOtherArguments: key.otherArguments,
        reduceFuncOtherArguments: reduce.otherArguments,
        windowSizeFuncOtherArguments: size.otherArguments,
        keyFunc: key.f,
        reduceFunc: reduce.f,
        windowSizeFunc: size.f,
        ...typesAndShapes(spec),
      },
      { name },
    );
    return new Dataset(variant, spec);
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

  /** @throws RuntimeError: a graph has no elements before it is run. TF: Dataset.as_numpy_iterator. */
  asNumpyIterator(): never {
    throw withHint(
      new RuntimeError("`tf.data.Dataset.as_numpy_iterator()` is only supported in eager mode."),
      "Run what makeOneShotIterator().getNext() gives in a session until it throws OutOfRangeError.",
    );
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
    if (typeof func !== "function") throw notCallable(func);
    return functionOf(prefix, func, [this.elementSpec], ([element]) => spread(func, element));
  }

  /** @throws ValueError unless it gives a bool scalar. */
  private predicate(func: ElementFunction, what: string): ElementFunctionNodes {
    const built = this.function(func, what);
    const { spec } = built;
    if (spec instanceof ComponentSpec && spec.dtype === "bool" && spec.shape.isCompatibleWith([])) return built;
    throw new ValueError(
      `Invalid \`predicate\`. \`predicate\` must return a \`tf.bool\` scalar tensor, but its return type is ${described(spec)}.`,
    );
  }

  private datasetFunction(func: ElementFunction, prefix: string, what: string): ElementFunctionNodes {
    const { spec, ...built } = this.function(func, prefix);
    return { ...built, spec: elementsOf(spec, what) };
  }
}

/** What is in an outermost list are arguments of their own. */
export const spread = (func: ElementFunction, element: Nested): Nested => (Array.isArray(element) ? func(...element) : func(element));

function directed(selector: Dataset, datasets: readonly Dataset[], stopOnEmptyDataset: boolean): Dataset {
  const spec = datasets.slice(1).reduce((common, dataset) => {
    if (JSON.stringify(dataset.outputTypes) !== JSON.stringify(datasets[0].outputTypes))
      throw new TypeError(
        `Invalid \`datasets\`. \`datasets\` must have the same type and class signature, but got ${described(datasets[0].elementSpec)} and ${described(dataset.elementSpec)}.`,
      );
    return merged(common, dataset.elementSpec);
  }, datasets[0].elementSpec);
  const inputs = {
    selectorInputDataset: selector.variantTensor,
    dataInputDatasets: datasets.map(({ variantTensor }) => variantTensor),
  };
  return new Dataset(ops.DirectedInterleaveDataset({ ...inputs, stopOnEmptyDataset, ...typesAndShapes(spec) }), spec);
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
  const { f, captures } = buildFunction(
    what,
    named,
    componentsOf([...specs]).map(({ flat }) => flat),
    inputs => {
      let next = 0;
      const values = specs.map(each => valueOf(each, inputs.slice(next, (next += componentsOf(each).length))));
      const result: Nested = tensorsOf(body(values), () => undefined);
      spec = mapNested(result, leaf => (leaf instanceof Dataset ? new DatasetSpec(leaf.elementSpec) : componentSpecFrom(leaf)));
      return componentTensors(spec, result);
    },
  );
  return { f, otherArguments: captures, spec };
}

/** Builds a function of a state and an element; shapes of the state that change are unknown in it. @throws TypeError if the state's types change. */
export function stateFunctionOf(
  what: string,
  [state, element]: readonly [Nested, Nested],
  func: (state: Nested, element: Nested) => Nested,
  nextOf: (result: Nested) => Nested,
): ElementFunctionNodes {
  if (typeof func !== "function") throw notCallable(func);
  let stateSpec = state;
  for (;;) {
    const built = functionOf(what, func, [stateSpec, element], ([before, each]) => func(before, each));
    const next = nextOf(built.spec);
    const types = (spec: Nested): string =>
      pythonStr(mapNested(spec, leaf => `<dtype: '${(leaf as ComponentSpec).dtype}'>`)).replaceAll('"', "");
    if (types(stateSpec) !== types(next))
      throw new TypeError(
        `The element types for the new state must match the initial state. Expected ${types(stateSpec)}${what === "reduce" ? " but" : ";"} got ${types(next)}.`,
      );
    const common = merged(stateSpec, next);
    const shapes = (spec: Nested): string =>
      componentsOf(spec)
        .map(component => component.shape.format())
        .join();
    if (shapes(common) === shapes(stateSpec)) return built;
    stateSpec = common;
  }
}

/** What the elements are of the dataset that a function gives. @throws TypeError for another result. */
export function elementsOf(spec: Nested, what: string): Nested {
  if (!(spec instanceof DatasetSpec))
    throw new TypeError(
      `The \`map_func\` argument must return a \`Dataset\` object. Got ${described(spec)}.\n\nThis is the function of ${what}.`,
    );
  return spec.inner;
}

const notCallable = (func: unknown): ValueError =>
  new ValueError(`Argument \`func\` must be a callable. Received func=${pythonStr(func)} (of type ${pythonClass(func)})`);

/** Whether order counts, as an attribute. */
const textOf = (deterministic: boolean | null | undefined): string =>
  deterministic === null || deterministic === undefined ? "default" : String(deterministic);

/** Both seeds as tensors. TF: random_seed.get_seed of tf.data. */
export function seedTensors(opSeed: number | Tensor | null): { seed: Tensor; seed2: Tensor } {
  const [first, second] = opSeed instanceof Tensor ? [getSeed(0)[0], floormod(opSeed, 2 ** 31 - 1, { name: "mod" })] : getSeed(opSeed);
  const seed = int64(first ?? 0, "seed");
  if (second === null) return { seed, seed2: int64(0, "seed2") };
  // Two zeros would mean: unseeded.
  const seed2 = inNameScope({ name: "seed2" }, "seed2", [], scope => {
    const given = int64(second, "Const");
    const isUnseeded = logicalAnd(equal(seed, 0), equal(given, 0));
    return whereV2(isUnseeded, int64(2 ** 31 - 1, "Const"), given, { name: scope.name });
  });
  return { seed, seed2 };
}

/** Tells TensorFlow how a dataset may be split over machines. */
const rewritten = (dataset: Dataset): Dataset =>
  new Dataset(
    ops.RewriteDataset({
      inputDataset: dataset.variantTensor,
      rewriteName: "replicate_on_split",
      ...typesAndShapes(dataset.elementSpec),
    }),
    dataset.elementSpec,
  );

export const normalized = (value: Nested): Nested =>
  getDefaultGraph().nameScope("normalize_element", () => tensorsOf(value, i => `component_${i}`));

function batchDimension(batchSize: Tensor, dropsRemainder: boolean): number | null {
  const size = staticValue(batchSize)?.get(0);
  return dropsRemainder && size !== undefined ? Number(size) : null;
}

/** A shape in which tensors stand for sizes: what is known of it. */
const staticSizes = (given: unknown): unknown =>
  Array.isArray(given) ? given.map(each => (each instanceof Tensor || each === -1 ? null : (each as number | null))) : given;

export function described(spec: Nested): string {
  if (Array.isArray(spec)) return `(${spec.map(described).join(", ")}${spec.length === 1 ? "," : ""})`;
  if (!isOptions(spec)) return String(spec);
  return `{${Object.entries(spec as Record<string, Nested>)
    .map(([key, inner]) => `'${key}': ${described(inner)}`)
    .join(", ")}}`;
}

/** Types of a dataset's or an iterator's elements, in their nesting. TF: tf.data.get_output_types. */
export const getOutputTypes = (datasetOrIterator: { readonly outputTypes: Nested }): Nested => datasetOrIterator.outputTypes;
/** Shapes of a dataset's or an iterator's elements, in their nesting. TF: tf.data.get_output_shapes. */
export const getOutputShapes = (datasetOrIterator: { readonly outputShapes: Nested }): Nested => datasetOrIterator.outputShapes;

/** Classes of a dataset's or an iterator's components, in their nesting: tf.Tensor, tf.SparseTensor, or the spec of what has no class of its own.
 *  TF: tf.data.get_output_classes. */
export const getOutputClasses = (datasetOrIterator: { readonly elementSpec: Nested }): Nested =>
  mapNested(datasetOrIterator.elementSpec, leaf => (leaf as ComponentSpec).valueClass);

/** A number of calls or a buffer that is ours to choose. TF: tf.data.AUTOTUNE. */
export const AUTOTUNE = -1;
/** Of a dataset without end. TF: tf.data.INFINITE_CARDINALITY. */
export const INFINITE_CARDINALITY = -1;
/** Of a dataset whose number of elements is not known. TF: tf.data.UNKNOWN_CARDINALITY. */
export const UNKNOWN_CARDINALITY = -2;
