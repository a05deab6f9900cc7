// Datasets kept in folders: Dataset.save and Dataset.load. The folder holds, besides the elements, what they are (`dataset_spec.pb`), which is written and
// read while the graph is built. They are methods through the door of Python's names alone: every page with a dataset would hold them. TF: data/ops/save_op.py, load_op.py.

import { availableThreads, files } from "#platform";
import { NotFoundError, UnimplementedError } from "../../base/errors.ts";
import { joinPath, readFile } from "../../base/files.ts";
import { type StructuredValue, structuredFromBytes, structuredToBytes } from "../../formats/structured-value.ts";
import { convertToTensor } from "../../graph/conversion.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { Operation } from "../../graph/operation.ts";
import { LoadDataset, SaveDataset } from "../../ops/data/dataset-files.ts";
import { refuseOthers } from "../../ops/arguments.ts";
import type { Nested } from "../../ops/flow/nested.ts";
import { ComponentSpec, SparseTensorSpec, TensorSpec } from "../../ops/sparse/type-specs.ts";
import { RaggedTensorSpec } from "../ragged/ragged-tensor-spec.ts";
import { AUTOTUNE, Dataset, DatasetSpec, elementsOf, functionOf, spread } from "./dataset.ts";
import { typesAndShapes } from "./element-spec.ts";
import { OptionalSpec } from "./optional.ts";

// `any`: what a dataset's function gets follows from the dataset's elements, and may be any nesting
type ElementFunction = (...element: any[]) => Nested;

export interface SaveOptions {
  /** "GZIP", "SNAPPY" or none. */
  readonly compression?: string | null;
  /** The number (int64) of the shard that an element goes to. */
  readonly shardFunc?: ElementFunction | null;
  /** Read by TensorFlow's eager execution alone. */
  readonly checkpointArgs?: unknown;
}
export interface LoadOptions {
  /** What the elements are, where the folder's own word is not to be asked. */
  readonly elementSpec?: Nested;
  /** What it was saved with. */
  readonly compression?: string | null;
  /** Makes a dataset of elements of the dataset of shards, each a dataset. Shards take turns by default, as many at a time as there are processors. */
  readonly readerFunc?: ((shards: Dataset) => Dataset) | null;
  /** Waits until there is such a folder. */
  readonly wait?: boolean;
}

const specFile = (path: string): string => joinPath(path, "dataset_spec.pb");

// ---- specs ----

const tuple = (...value: readonly StructuredValue[]): StructuredValue => ({ kind: "tuple", value });
const state = ({ shape, dtype }: ComponentSpec): StructuredValue[] => [
  { kind: "shape", value: shape },
  { kind: "dtype", value: dtype },
];

function componentToValue(spec: ComponentSpec): StructuredValue {
  const typed = (number: number, className: string, components: number, of: readonly StructuredValue[]): StructuredValue => ({
    kind: "typeSpec",
    value: { number, className, components, state: tuple(...of) },
  });
  if (spec instanceof SparseTensorSpec) return typed(1, "SparseTensorSpec", 3, state(spec));
  if (spec instanceof RaggedTensorSpec) {
    const { raggedRank, rowSplitsDtype } = spec;
    const rows: readonly StructuredValue[] = [
      { kind: "int64", value: BigInt(raggedRank) },
      { kind: "dtype", value: rowSplitsDtype },
    ];
    return typed(3, "RaggedTensorSpec", raggedRank + 1, [...state(spec), ...rows]);
  }
  if (spec instanceof DatasetSpec) return typed(5, "DatasetSpec", 1, [specToValue(spec.elementSpec), { kind: "shape", value: spec.shape }]);
  if (spec instanceof OptionalSpec) return typed(7, "OptionalSpec", 1, [specToValue(spec.inner)]);
  if (!spec.isTensor) throw new UnimplementedError(`Elements of ${spec} cannot be saved: files of datasets here have no word for them.`);
  return {
    kind: "tensorSpec",
    value: { name: (spec instanceof TensorSpec ? spec.name : null) ?? "", shape: spec.shape, dtype: spec.dtype },
  };
}

function specToValue(spec: Nested): StructuredValue {
  if (spec instanceof ComponentSpec) return componentToValue(spec);
  if (Array.isArray(spec)) return tuple(...spec.map(specToValue));
  return { kind: "dict", value: Object.entries(spec as Record<string, Nested>).map(([key, inner]) => [key, specToValue(inner)]) };
}

function specFromValue(given: StructuredValue): Nested {
  const refuse = (name: string): never => {
    throw new UnimplementedError(`Elements of ${name} cannot be loaded: datasets here have none. Give another \`elementSpec\`.`);
  };
  switch (given.kind) {
    case "tensorSpec":
      return new TensorSpec(given.value.shape, given.value.dtype, { name: given.value.name || null });
    case "list":
    case "tuple":
      return given.value.map(specFromValue);
    case "namedTuple":
      return given.value.map(([, inner]) => specFromValue(inner));
    case "dict":
      return Object.fromEntries(given.value.map(([key, inner]) => [key, specFromValue(inner)]));
    case "typeSpec": {
      const { number, className, state: held } = given.value;
      const [first, second, rank, splits] = held.kind === "tuple" ? held.value : [];
      if (number === 5 && first) return new DatasetSpec(specFromValue(first));
      if (number === 7 && first) return new OptionalSpec(specFromValue(first));
      if (first?.kind !== "shape" || second?.kind !== "dtype") return refuse(className);
      if (number === 1) return new SparseTensorSpec(first.value, second.value);
      if (number !== 3 || rank?.kind !== "int64" || splits?.kind !== "dtype") return refuse(className);
      return new RaggedTensorSpec(first.value, second.value, {
        raggedRank: Number(rank.value),
        rowSplitsDtype: splits.value === "int32" ? "int32" : "int64",
      });
    }
    default:
      return refuse(given.kind);
  }
}

// ---- saving and loading ----

/** Makes nodes in the graph and the name scope of now. */
function laterInGraph(): <T>(make: () => T) => T {
  const graph = getDefaultGraph();
  const scope = graph.getNameScope();
  return make => graph.asDefault(() => graph.nameScope(scope === "" ? null : `${scope}/`, make));
}

/** The operation that writes all elements into a folder, shard by shard, in TensorFlow's files; what they are is written at once, and has to be awaited.
 *  TF: Dataset.save. */
export async function saveDataset(dataset: Dataset, path: string, options: SaveOptions = {}): Promise<Operation> {
  const { elementSpec, variantTensor } = dataset;
  const { compression = null, shardFunc = null, checkpointArgs: _, ...others } = options;
  refuseOthers(others);
  // Without a function of the program's there stands one that nobody calls.
  const func = shardFunc ?? ((..._: readonly Nested[]): Nested => []);
  const bytes = structuredToBytes(specToValue(elementSpec));
  const { f, otherArguments } = functionOf("save", func, [elementSpec], ([element]) => spread(func, element));
  const op = SaveDataset({
    inputDataset: variantTensor,
    path: convertToTensor(path, { dtype: "string", name: "path" }),
    shardFuncOtherArgs: otherArguments,
    compression: compression ?? "",
    shardFunc: f,
    useShardFunc: shardFunc !== null,
  });
  await files.makeFolder(path);
  await files.write(specFile(path), [bytes]);
  return op;
}

const retryMs = 5000;

/** What a folder's elements are. @throws NotFoundError */
async function specOf(path: string, wait: boolean): Promise<Nested> {
  while ((await files.status(specFile(path))) === null) {
    if (!wait) throw new NotFoundError(`tf.data snapshot element_spec file not found: ${specFile(path)}.`);
    await new Promise(resolve => void setTimeout(resolve, retryMs));
  }
  return specFromValue(structuredFromBytes(await readFile(files, specFile(path))));
}

/** What was saved in a folder, by TensorFlow too; it is read again in each iteration. TF: Dataset.load, which waits.
 *  @throws NotFoundError where nothing tells what the elements are. */
export async function loadDataset(path: string, options: LoadOptions = {}): Promise<Dataset> {
  const inGraph = laterInGraph();
  const { elementSpec = null, compression = null, readerFunc = null, wait = false, ...others } = options;
  refuseOthers(others);
  const spec = elementSpec ?? (await specOf(path, wait));
  const read =
    readerFunc ??
    ((shards: Dataset): Dataset =>
      shards.interleave((shard: Dataset) => shard, { cycleLength: availableThreads(), numParallelCalls: AUTOTUNE }));
  return inGraph(() => {
    const {
      f,
      otherArguments,
      spec: given,
    } = functionOf("load", read, [new DatasetSpec(new DatasetSpec(spec))], ([shards]) => read(shards));
    elementsOf(given, "load");
    const variant = LoadDataset({
      path,
      readerFuncOtherArgs: otherArguments,
      compression: compression ?? "",
      readerFunc: f,
      ...typesAndShapes(spec),
    });
    return new Dataset(variant, spec);
  });
}
