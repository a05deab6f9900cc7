// Methods that Python's classes have and ours have as functions, or not at all because they need every op by its name: programs that come through this
// door find them where they look. In the main door each has its own way, named beside it.

import { ValueError } from "../base/errors.ts";
import { RuntimeError } from "../base/errors.ts";
import { snakeOf } from "../base/names.ts";
import { pythonStr } from "../base/python-text.ts";
import { type ShapeLike, TensorShape } from "../base/shape.ts";
import { classOf, type MessageObject } from "../formats/message-class.ts";
import type { Message } from "../formats/messages.ts";
import { shapeToMessage } from "../formats/tensor-message.ts";
import { type DType, isDType } from "../base/dtype.ts";
import { NDArray } from "../base/ndarray.ts";
import type { AttrValue } from "../graph/attributes.ts";
import { parseInputType } from "../graph/build-operation.ts";
import { isAsTensor, type TensorLike } from "../graph/conversion.ts";
import { Graph } from "../graph/graph.ts";
import { graphVersion } from "../graph/graph-version.ts";
import { IndexedSlices } from "../graph/indexed-slices.ts";
import type { OpDefinition, UntypedOp } from "../graph/op-definition.ts";
import { Operation, Tensor } from "../graph/operation.ts";
import { attrFromMessage } from "../io/attribute-message.ts";
import { opToMessage } from "../io/op-message.ts";
import * as layerConfig from "../library/layers/layer-config.ts";
import { ScopedLayer } from "../library/layers/layer-base.ts";
import { bucketBySequenceLength } from "../library/data/experimental.ts";
import { Dataset } from "../library/data/dataset.ts";
import { type LoadOptions, loadDataset, saveDataset, type SaveOptions } from "../library/data/saved-dataset.ts";
import { rejectionResample } from "../library/data/resampling.ts";
import { denseToRaggedBatch, denseToSparseBatch } from "../library/data/sized-batches.ts";
import { ClusterSpec } from "../library/train/device-setter.ts";
import { batchScatterUpdate } from "../library/variables/batch-scatter.ts";
import { Variable } from "../library/variables/variables.ts";
import { Supervisor } from "../monitored/supervisor.ts";
import type { Nested } from "../ops/flow/nested.ts";
import { allOps } from "../ops/registry.ts";
import { isOptions } from "../ops/arguments.ts";
import type { TensorSpec } from "../ops/sparse/type-specs.ts";
import type { Feeds } from "../session/feeds.ts";
import { partialRun, partialRunSetup } from "../session/partial-run.ts";
import { Session } from "../session/session.ts";
import { messageKind } from "../formats/message-class.ts";

// `any`: what a dataset's function gets follows from the dataset's elements, and may be any nesting
type ElementFunction = (...element: any[]) => Nested;
type Options = Readonly<Record<string, unknown>>;
type BucketOptions = Parameters<typeof bucketBySequenceLength>[3];
type ResampleOptions = Parameters<typeof rejectionResample>[2];
type RaggedOptions = Parameters<typeof denseToRaggedBatch>[1];

interface CreateOptions {
  readonly dtypes?: unknown;
  readonly inputTypes?: unknown;
  readonly name?: string | null;
  /** By TensorFlow's names: values, or AttrValue messages. */
  readonly attrs?: Options | null;
  readonly opDef?: unknown;
  readonly computeShapes?: boolean;
  readonly computeDevice?: boolean;
}

declare module "../base/ndarray.ts" {
  interface NDArray {
    /** NumPy's name of toArray. */
    // any: as toArray
    tolist(): any;
    /** NumPy's name of cast. */
    astype(dtype: DType): NDArray;
    readonly ndim: number;
    flatten(): NDArray;
    ravel(): NDArray;
  }
}

declare module "../graph/graph.ts" {
  interface Graph {
    /** Makes an operation of a type by its name; `tf.rawOps.MatMul({ a, b })` in the main door. TF: Graph.create_op. */
    createOp(opType: string, inputs: readonly unknown[], options?: CreateOptions): Operation;
    /** TF: Graph.op_def_for_type. */
    opDefForType(type: string): MessageObject<"OpDef">;
    /** TF: Graph.graph_def_versions. */
    readonly graphDefVersions: MessageObject<"VersionDef">;
    /** TF: Graph.num_operations; `version` in the main door. */
    numOperations(): number;
  }
}

declare module "../graph/operation.ts" {
  interface Operation {
    /** TF: Operation.op_def. */
    readonly opDef: MessageObject<"OpDef">;
  }
}

declare module "../session/session.ts" {
  interface Session {
    /** Begins a run in parts; gives its handle. TF: Session.partial_run_setup. */
    partialRunSetup(fetches: unknown, feeds?: unknown): string;
    /** A part of it: `await sess.partial_run(handle, r1, [[a, 1]])`. TF: Session.partial_run. */
    // any: follows from what is fetched
    partialRun(handle: string | null, fetches: unknown, feedDict?: Feeds | { readonly feedDict?: Feeds | null } | null): Promise<any>;
  }
}

declare module "../base/shape.ts" {
  interface TensorShape {
    /** TF: TensorShape.as_proto. */
    asProto(): MessageObject<"TensorShapeProto">;
  }
}

declare module "../library/variables/variables.ts" {
  interface Variable {
    /** TF: Variable.batch_scatter_update; `tf.batchScatterUpdate` in the main door. */
    batchScatterUpdate(sparseDelta: IndexedSlices, options?: { useLocking?: boolean; name?: string | null }): Tensor | Variable;
  }
}

declare module "../library/layers/layer-base.ts" {
  interface ScopedLayer {
    /** The arguments it was made with, under TensorFlow's names. TF: Layer.get_config. */
    getConfig(): Record<string, unknown>;
    /** The shape of the output for inputs of a shape; a layer by itself makes no nodes for it. TF: Layer.compute_output_shape. */
    computeOutputShape(inputShape: ShapeLike): TensorShape;
    /** TF: Layer.compute_output_signature. */
    computeOutputSignature(inputSignature: TensorSpec): TensorSpec;
    /** TF: Layer.compute_mask. */
    computeMask(inputs: unknown, mask?: unknown): unknown;
  }
  namespace ScopedLayer {
    /** A layer like the one that gave `config`. TF: Layer.from_config. */
    function fromConfig<T>(this: abstract new (...given: never[]) => T, config: Readonly<Record<string, unknown>>): T;
  }
}

declare module "../library/layers/layers.ts" {
  interface Dense extends layerConfig.WeightProperties {}
  interface Flatten extends Pick<layerConfig.WindowProperties, "dataFormat"> {}
  interface Dropout {
    readonly rate: TensorLike;
    readonly noiseShape: TensorLike | null;
    readonly seed: number | null;
  }
}

declare module "../library/layers/convolution.ts" {
  // The parameter is that of the class.
  interface SpatialLayer<O> extends layerConfig.WeightProperties, layerConfig.WindowProperties {}
}

declare module "../library/layers/pooling.ts" {
  interface Pooling extends layerConfig.WindowProperties {}
}

declare module "../library/layers/normalization.ts" {
  interface BatchNormalization {
    readonly momentum: number;
    readonly epsilon: number;
    readonly center: boolean;
    readonly scale: boolean;
  }
}

declare module "../library/train/device-setter.ts" {
  interface ClusterSpec {
    /** TF: ClusterSpec.as_cluster_def. */
    asClusterDef(): MessageObject<"ClusterDef">;
  }
}

declare module "../library/data/dataset.ts" {
  interface Dataset {
    /** TF: Dataset.bucket_by_sequence_length; tf.data.experimental's function of that name in the main door, as with the next three. */
    bucketBySequenceLength(
      elementLengthFunc: ElementFunction,
      bucketBoundaries: readonly number[],
      bucketBatchSizes: readonly number[],
      options?: BucketOptions,
    ): Dataset;
    rejectionResample(classFunc: ElementFunction, targetDist: TensorLike, options?: ResampleOptions): Dataset;
    raggedBatch(batchSize: TensorLike, options?: RaggedOptions): Dataset;
    sparseBatch(batchSize: TensorLike, rowShape: readonly (number | null)[]): Dataset;
    /** The operation that writes all elements into a folder; the file of what they are has to be awaited: `sess.run(await dataset.save(path))`. TF: Dataset.save. */
    save(path: string, options?: SaveOptions): Promise<Operation>;
  }
  namespace Dataset {
    /** What was saved in a folder, by TensorFlow too. TF: Dataset.load, which waits. */
    function load(path: string, options?: LoadOptions): Promise<Dataset>;
  }
}

let known: ReadonlyMap<string, OpDefinition> | undefined;

/** @throws RuntimeError for a type that there is not. */
function definitionOf(type: string): OpDefinition {
  known ??= new Map(allOps().map(op => [op.type, op]));
  const found = known.get(type);
  if (!found)
    throw new RuntimeError(
      `Op type not registered '${type}' in binary running on tensorloom. Make sure the Op and Kernel are registered in the binary running in this process.\n\ndocs/support.md lists the ops that there are.`,
    );
  return found;
}

const isMessageValue = (value: unknown): value is Message<"AttrValue"> =>
  typeof value === "object" && value !== null && Reflect.get(value, messageKind) === "AttrValue";

/** Attributes by TensorFlow's names as an op takes them. */
function attributesOf({ type, attrs }: OpDefinition, given: Options): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, attr] of Object.entries(attrs)) {
    const value = given[snakeOf(name)] ?? given[name];
    if (value === undefined || value === null) continue;
    result[name] = isMessageValue(value) ? attrFromMessage(value, attr, `attr '${snakeOf(name)}' of op '${type}'`) : value;
  }
  return result;
}

/** Tensors in their order as the inputs of an op: a list of `N` tensors takes as many as the attribute says, or what the others leave. */
function inputsOf(definition: OpDefinition, tensors: readonly Tensor[], attrs: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const specs = Object.entries(definition.inputs).map(([name, text]) => ({ name, ...parseInputType(text) }));
  const isList = ({ count, type }: (typeof specs)[number]): boolean =>
    count !== undefined || (!isDType(type) && definition.attrs[type]?.isList === true);
  const lists = specs.filter(isList).length;
  const rest = lists === 1 ? tensors.length - (specs.length - 1) : 0;
  const result: Record<string, unknown> = {};
  let next = 0;
  for (const spec of specs) {
    if (!isList(spec)) {
      if (next >= tensors.length) throw new ValueError(`Op '${definition.type}' takes an input '${snakeOf(spec.name)}' that is not given.`);
      result[spec.name] = tensors[next++];
      continue;
    }
    const told = spec.count === undefined ? (attrs[spec.type] as AttrValue[] | undefined)?.length : attrs[spec.count];
    const size = told === undefined ? rest : Number(told);
    result[spec.name] = tensors.slice(next, next + size);
    next += size;
  }
  if (next < tensors.length) throw new ValueError(`Op '${definition.type}' takes ${next} inputs, but ${tensors.length} were given.`);
  return result;
}

function createOp(this: Graph, opType: string, inputs: readonly unknown[], { name, attrs }: CreateOptions = {}): Operation {
  const definition = definitionOf(opType);
  const tensors = inputs.map((input, i) => {
    if (!(input instanceof Tensor))
      throw new TypeError(`Input #${i} is not a tensor: ${isAsTensor(input) ? String(input) : pythonStr(input)}`);
    return input;
  });
  const given = attributesOf(definition, attrs ?? {});
  return this.asDefault(() => {
    const before = this.version;
    // Every definition of the registry is the function that makes its nodes.
    (definition as UntypedOp)({ ...inputsOf(definition, tensors, given), ...given }, { name });
    return this.getOperations()[Math.max(before, this.version - 1)];
  });
}

const define = (
  target: { readonly prototype: object },
  members: Readonly<Record<string, PropertyDescriptor | ((...given: never[]) => unknown)>>,
): void => {
  for (const [name, member] of Object.entries(members))
    if (!Object.hasOwn(target.prototype, name))
      Object.defineProperty(
        target.prototype,
        name,
        typeof member === "function" ? { configurable: true, writable: true, value: member } : { configurable: true, ...member },
      );
};

/** Old names of the supervisor's methods. */
const supervisorNames = {
  Loop: "loop",
  StopOnException: "stopOnException",
  PrepareSession: "prepareOrWaitForSession",
  RequestStop: "requestStop",
  ShouldStop: "shouldStop",
  StartQueueRunners: "startQueueRunners",
  StartStandardServices: "startStandardServices",
  Stop: "stop",
  SummaryComputed: "summaryComputed",
  WaitForStop: "waitForStop",
} as const;

/** Attaches them all; again is harmless. */
export function attachMembers(): void {
  define(NDArray, {
    tolist(this: NDArray) {
      return this.toArray();
    },
    astype(this: NDArray, dtype: DType) {
      return this.cast(dtype);
    },
    flatten(this: NDArray) {
      return this.reshape([this.size]);
    },
    ravel(this: NDArray) {
      return this.reshape([this.size]);
    },
    ndim: {
      get(this: NDArray) {
        return this.rank;
      },
    },
  });
  define(Graph, {
    createOp,
    opDefForType: (type: string) => classOf("OpDef").of(opToMessage(definitionOf(type))),
    numOperations(this: Graph) {
      return this.version;
    },
    graphDefVersions: { get: () => new (classOf("VersionDef"))({ producer: graphVersion }) },
  });
  define(Operation, {
    opDef: {
      get(this: Operation) {
        return classOf("OpDef").of(opToMessage(this.definition));
      },
    },
  });
  define(Session, {
    partialRunSetup(this: Session, fetches: unknown, feeds?: unknown) {
      return partialRunSetup(this, fetches, isOptions(feeds) && "feeds" in feeds ? feeds.feeds : feeds);
    },
    partialRun(this: Session, handle: string | null, fetches: unknown, feedDict?: unknown) {
      const feeds = isOptions(feedDict) && "feedDict" in feedDict ? feedDict.feedDict : feedDict;
      return partialRun(this, handle, fetches, feeds as Feeds);
    },
  });
  define(TensorShape, {
    asProto(this: TensorShape) {
      return classOf("TensorShapeProto").of(shapeToMessage(this));
    },
  });
  define(Variable, {
    batchScatterUpdate(this: Variable, sparseDelta: IndexedSlices, options: { useLocking?: boolean; name?: string | null } = {}) {
      if (!(sparseDelta instanceof IndexedSlices)) throw new TypeError(`sparse_delta is not IndexedSlices: ${String(sparseDelta)}`);
      return batchScatterUpdate(this, sparseDelta.indices, sparseDelta.values, options);
    },
  });
  define(ScopedLayer, {
    getConfig(this: ScopedLayer) {
      return layerConfig.getConfig(this);
    },
    computeOutputShape(this: ScopedLayer, inputShape: ShapeLike) {
      return layerConfig.computeOutputShape(this, inputShape);
    },
    computeOutputSignature(this: ScopedLayer, inputSignature: TensorSpec) {
      return layerConfig.computeOutputSignature(this, inputSignature);
    },
    computeMask(this: ScopedLayer, inputs: unknown, mask?: unknown) {
      return layerConfig.computeMask(this, inputs, isOptions(mask) && "mask" in mask ? mask.mask : mask);
    },
  });
  Object.defineProperty(ScopedLayer, "fromConfig", {
    configurable: true,
    writable: true,
    value(this: new () => ScopedLayer, config: Options) {
      // Behind the door's class, which asks for Python's arguments, is ours.
      const { constructor } = this.prototype as { readonly constructor: new () => ScopedLayer };
      return layerConfig.fromConfig(constructor, config);
    },
  });
  for (const [type, getters] of layerConfig.properties) define(type, getters);
  define(ClusterSpec, {
    asClusterDef(this: ClusterSpec) {
      const jobs = Object.entries(this.asDict());
      const job = jobs.map(([name, tasks]) => ({ name, tasks: Array.isArray(tasks) ? Object.fromEntries(tasks.entries()) : tasks }));
      return new (classOf("ClusterDef"))({ job } as never);
    },
  });
  define(Dataset, {
    bucketBySequenceLength(
      this: Dataset,
      elementLengthFunc: ElementFunction,
      bucketBoundaries: number[],
      bucketBatchSizes: number[],
      options?: BucketOptions,
    ) {
      return this.apply(bucketBySequenceLength(elementLengthFunc, bucketBoundaries, bucketBatchSizes, options));
    },
    rejectionResample(this: Dataset, classFunc: (...element: unknown[]) => Tensor, targetDist: TensorLike, options?: ResampleOptions) {
      return this.apply(rejectionResample(classFunc, targetDist, options));
    },
    raggedBatch(this: Dataset, batchSize: TensorLike, options?: RaggedOptions) {
      return this.apply(denseToRaggedBatch(batchSize, options));
    },
    sparseBatch(this: Dataset, batchSize: TensorLike, rowShape: (number | null)[]) {
      return this.apply(denseToSparseBatch(batchSize, rowShape));
    },
  });
  define(Dataset, {
    save(this: Dataset, path: string, options?: SaveOptions) {
      return saveDataset(this, path, options);
    },
  });
  Object.defineProperty(Dataset, "load", { configurable: true, writable: true, value: loadDataset });
  define(
    Supervisor,
    Object.fromEntries(
      Object.entries(supervisorNames).flatMap(([theirs, ours]) => {
        const value: unknown = Reflect.get(Supervisor.prototype, ours);
        return typeof value === "function" ? [[theirs, value as (...given: never[]) => unknown] as const] : [];
      }),
    ),
  );
}
