// Variables: objects over the nodes that hold, initialize and read a value. Ref variables are the default, as in TensorFlow 1;
// resource variables read anew at each use. getVariable and its scopes are in variables/variable-scope.ts, the nodes in ops/state/state.ts.

import type { DType } from "../../base/dtype.ts";
import { ValueError } from "../../base/errors.ts";
import type { ArrayLike, NDArray } from "../../base/ndarray.ts";
import type { ShapeLike } from "../../base/shape.ts";
import { TensorShape } from "../../base/shape.ts";
import type { AsTensor, TensorLike } from "../../graph/conversion.ts";
import { convertToTensor, isAsTensor } from "../../graph/conversion.ts";
import { pythonStr, pythonType } from "../../base/python-text.ts";
import { getDefaultGraph, graphFor } from "../../graph/default-graph.ts";
import type { DeviceFunction } from "../../graph/device.ts";
import type { Graph } from "../../graph/graph.ts";
import { fromHere } from "../../graph/location.ts";
import type { IndexedSlices } from "../../graph/indexed-slices.ts";
import type { Named } from "../../graph/op-definition.ts";
import type { Operation } from "../../graph/operation.ts";
import { Tensor } from "../../graph/operation.ts";
import { identity } from "../../ops/array/array.ts";
import { cond } from "../../ops/flow/control-flow-contexts.ts";
import * as state from "../../ops/state/state.ts";
import { classOf, type MessageObject } from "../../formats/message-class.ts";
import type { Message } from "../../formats/messages.ts";
import { isInScope, prependScope, stripScope } from "../../graph/import-scope.ts";
import { GraphKeys } from "./graph-keys.ts";
import { guardedInitialValue } from "./initial-value.ts";
import { nodesFromMessage, placeFromMessage, variableToMessage } from "./variable-message.ts";
import { SlicePlace, VariableNodes } from "./variable-nodes.ts";
import { checkOptions, refuseOthers } from "../../ops/arguments.ts";

/** A value, or a function that makes it (inside the variable's `Initializer` scope). */
export type InitialValue = TensorLike | (() => TensorLike);

/** Keeps a variable within bounds: applied to its value after each optimizer step. */
export type Constraint = (value: Tensor) => TensorLike;

/** What runs nodes, as far as variables need it: a Session. */
export interface Runner {
  // any: what a run returns depends on what is fetched
  run(fetches: any, feeds?: any): Promise<any>;
}

/** What the public doors attach to graph elements: running in the default session. */
type RunsByDefault = Operation & { run(feeds: unknown): Promise<void> };
type EvaluatesByDefault = Tensor & { eval(): Promise<NDArray> };

export interface VariableOptions {
  /** Listed in trainableVariables, and so trained by optimizers. Default true. */
  readonly trainable?: boolean | null | undefined;
  /** Collections to be listed in; default the global variables. */
  readonly collections?: readonly string[] | ReadonlySet<string> | null | undefined;
  /** With false, the variable may hold values of any shape. */
  readonly validateShape?: boolean | undefined;
  /** Device to read on. */
  readonly cachingDevice?: string | DeviceFunction | null | undefined;
  readonly name?: string | null | undefined;
  readonly dtype?: DType | null | undefined;
  /** Ignored, as in TensorFlow. */
  readonly expectedShape?: ShapeLike | undefined;
  readonly constraint?: Constraint | null | undefined;
  readonly useResource?: boolean | null | undefined;
  /** The shape, where it is to be less than the initial value's. */
  readonly shape?: ShapeLike | undefined;
  /** Settings of replicas, of which there are none here. */
  readonly synchronization?: unknown;
  readonly aggregation?: unknown;
  /** Nodes that are there, told by a message, in the place of an initial value; with the name scope that they were imported into. */
  readonly variableDef?: Message<"VariableDef"> | null | undefined;
  readonly importScope?: string | null | undefined;
}

const variableOptions: Readonly<Record<keyof VariableOptions, true>> = {
  trainable: true,
  collections: true,
  validateShape: true,
  cachingDevice: true,
  name: true,
  dtype: true,
  expectedShape: true,
  constraint: true,
  useResource: true,
  shape: true,
  synchronization: true,
  aggregation: true,
  variableDef: true,
  importScope: true,
};

export interface AssignOptions extends Named {
  readonly useLocking?: boolean | null | undefined;
  /** With false the operation is returned instead of the new value. */
  readonly readValue?: boolean | undefined;
}

let isResourceDefault = false;

/** New variables are resource variables unless they say otherwise. TF: tf.enable_resource_variables. */
export const enableResourceVariables = (): void => void (isResourceDefault = true);
/** New variables are ref variables unless they say otherwise; so at the start. TF: tf.disable_resource_variables. */
export const disableResourceVariables = (): void => void (isResourceDefault = false);
export const resourceVariablesEnabled = (): boolean => isResourceDefault;

/** What new variables pass through: set when a first scope of creators opens (variable-creators.ts). */
export const creation: { through?: (initialValue: InitialValue | null | undefined, options: VariableOptions) => Variable | undefined } = {};

/** A value that lives from run to run: `new tf.Variable(tf.zeros([2]), { name: "v" })`. Usable wherever a tensor is.
 *  The initial value is computed when `initializer` (or globalVariablesInitializer) runs. TF: tf.Variable.
 *  @throws ValueError for a missing initial value, or one of unknown shape unless `validateShape` is false. */
export class Variable implements AsTensor {
  /** The ref output (`v:0`, float32_ref) or the resource handle. */
  readonly handle: Tensor;
  /** The operation that sets the initial value. */
  initializer: Operation;
  /** What the variable begins with; a checkpoint's value after `train.initFromCheckpoint`. */
  initialValue: Tensor;
  readonly dtype: DType;
  readonly trainable: boolean;
  readonly constraint: Constraint | null;
  readonly cachingDevice: string | DeviceFunction | null;
  /** Where it lies in its whole, if it is a part of a partitioned variable. */
  saveSliceInfo: SlicePlace | null = null;
  protected readonly snapshot: Tensor;
  private readonly declaredShape: TensorShape;
  private readonly validatesShape: boolean;

  constructor(initialValue: InitialValue | VariableNodes | null | undefined, options: VariableOptions = {}) {
    checkOptions<VariableOptions>(options, variableOptions);
    const created = initialValue instanceof VariableNodes ? undefined : creation.through?.(initialValue, options);
    const { variableDef, importScope } = options;
    if (variableDef && initialValue !== null && initialValue !== undefined)
      throw new ValueError("variable_def and initial_value are mutually exclusive.");
    const known = created
      ? created.nodes
      : variableDef
        ? nodesFromMessage(getDefaultGraph(), variableDef, prependScope(importScope))
        : initialValue;
    const nodes = known instanceof VariableNodes ? known : createNodes(known, options);
    this.handle = nodes.handle;
    this.initializer = nodes.initializer as Operation;
    this.initialValue = nodes.initialValue as Tensor;
    this.snapshot = nodes.snapshot;
    this.dtype = nodes.dtype;
    this.declaredShape = nodes.shape;
    this.trainable = nodes.trainable;
    this.constraint = options.constraint ?? null;
    this.cachingDevice = options.cachingDevice ?? null;
    this.validatesShape = options.validateShape ?? true;
    if (variableDef) this.saveSliceInfo = placeFromMessage(variableDef);
    if (!(known instanceof VariableNodes)) this.graph.addToCollections(collectionsOf(options), this);
    // biome-ignore lint/correctness/noConstructorReturn: a creator may give another variable, as in Python
    if (created) return created;
  }

  private get nodes(): VariableNodes {
    const { handle, initializer, initialValue, snapshot, dtype, declaredShape: shape, trainable } = this;
    return new VariableNodes({ handle, initializer, initialValue, snapshot, dtype, shape, trainable });
  }

  /** Where a part lies within its whole. */
  static readonly SaveSliceInfo = SlicePlace;

  /** The variable whose nodes a message names, in the default graph. TF: Variable.from_proto. @throws KeyError for a node that is not there. */
  static fromProto(variableDef: Message<"VariableDef">, { importScope, ...others }: { importScope?: string | null } = {}): Variable {
    refuseOthers(others);
    return new Variable(null, { variableDef, importScope });
  }

  /** The names of its nodes as a message; null for a variable outside of the scope. TF: Variable.to_proto. */
  toProto({ exportScope, ...others }: { exportScope?: string | null } = {}): MessageObject<"VariableDef"> | null {
    refuseOthers(others);
    if (!isInScope(this.handle.name, exportScope)) return null;
    return classOf("VariableDef").of(variableToMessage(this, stripScope(exportScope)));
  }

  /** How parts on several machines would be put together: not at all, there is one. TF: VariableAggregation.NONE. */
  get aggregation(): number {
    return 0;
  }

  /** When parts on several machines would be. TF: VariableSynchronization.AUTO. */
  get synchronization(): number {
    return 0;
  }

  get isResource(): boolean {
    return this.handle.dtype === "resource";
  }

  get op(): Operation {
    return this.handle.op;
  }

  /** `v:0`. */
  get name(): string {
    return `${this.op.name}:0`;
  }

  get graph(): Graph {
    return this.handle.graph;
  }

  get device(): string {
    return this.handle.device;
  }

  get shape(): TensorShape {
    return this.isResource ? this.declaredShape : this.handle.shape;
  }

  getShape(): TensorShape {
    return this.shape;
  }

  /** `float32_ref` for a ref variable, `float32` for a resource variable. */
  get dtypeName(): string {
    return this.isResource ? this.dtype : `${this.dtype}_ref`;
  }

  /** What gradients are taken with respect to. */
  get gradientTensor(): Tensor {
    return this.handle;
  }

  setShape(shape: ShapeLike): void {
    this.handle.setShape(shape);
    this.value().setShape(shape);
  }

  // ---- reading ----

  /** The value as a tensor: for ref variables always the same node, for resource variables a new read. */
  value(): Tensor {
    if (!this.isResource) return this.snapshot;
    return this.readers.colocateWith(null, { ignoreExisting: true }, () => this.read());
  }

  /** A new read, ordered after what controlDependencies names. */
  readValue(): Tensor {
    if (!this.isResource) return identity(this.handle, { name: "read" });
    return identity(this.readers.nameScope("Read", () => this.read()));
  }

  /** The reference that assignments take (ref variables only). */
  ref(): Tensor {
    return this.handle;
  }

  /** As `readValue`: nothing is copied here before it is written. */
  readValueNoCopy(): Tensor {
    if (!this.isResource) return this.readValue();
    return identity(this.readers.nameScope("Read", () => this.read()));
  }

  /** Does a session hold a value for it? A bool scalar. TF: ResourceVariable.is_initialized. */
  isInitialized({ name, ...others }: Named = {}): Tensor {
    refuseOthers(others);
    return isVariableInitialized(this, { name });
  }

  /** The operation that sets the initial value, as resource variables call it. */
  get create(): Operation {
    return this.initializer;
  }

  protected read(): Tensor {
    const read = (): Tensor => state.ReadVariableOp({ resource: this.handle, dtype: this.dtype });
    const { cachingDevice } = this;
    if (cachingDevice === null) return read();
    return this.readers.colocateWith(null, { ignoreExisting: true }, () => this.readers.device(cachingDevice, read));
  }

  asGraphTensor({ dtype, asRef = false }: { dtype?: DType | undefined; asRef?: boolean }): Tensor {
    if (dtype !== undefined && dtype !== this.dtype)
      throw new ValueError(
        this.isResource
          ? `Incompatible type conversion requested to type ${dtype} for \`tf.Variable of type ${this.dtype}\`. (Variable: ${this})`
          : `Incompatible type conversion requested to type '${dtype}' for variable of type '${this.dtypeName}'`,
      );
    return asRef ? this.handle : this.value();
  }

  /** What fetching the variable fetches. */
  asGraphElement(): Tensor {
    return this.isResource ? this.snapshot : this.handle;
  }

  /** The value, or the initial value while the variable holds none: for initializing one variable from another. */
  initializedValue(): Tensor {
    return this.graph.controlDependencies(null, () =>
      cond(
        isVariableInitialized(this),
        () => this.readValue(),
        () => this.initialValue,
      ),
    ) as Tensor;
  }

  /** Rows at `indices`, without reading the whole (resource variables). */
  sparseRead(indices: TensorLike, { name, ...others }: Named = {}): Tensor {
    refuseOthers(others);
    if (!this.isResource) throw new TypeError("sparseRead is for resource variables.\n\nUse tf.gather(variable, indices).");
    return this.readers.nameScope(name ?? "Gather", scope =>
      state.ResourceGather({ resource: this.handle, indices, dtype: this.dtype }, { name: scope }),
    );
  }

  /** Elements or slices at positions, without reading the whole (resource variables). */
  gatherNd(indices: TensorLike, { name, ...others }: Named = {}): Tensor {
    refuseOthers(others);
    if (!this.isResource) throw new TypeError("gatherNd is for resource variables.\n\nUse tf.gatherNd(variable, indices).");
    return identity(
      this.readers.nameScope(name ?? "GatherNd", scope =>
        state.ResourceGatherNd({ resource: this.handle, indices, dtype: this.dtype }, { name: scope }),
      ),
    );
  }

  // ---- writing ----

  /** Sets the value. @throws ValueError if the shapes differ. */
  assign(value: TensorLike, options?: AssignOptions & { readValue?: true }): Tensor | Variable;
  assign(value: TensorLike, options: AssignOptions): Tensor | Variable | Operation;
  assign(value: TensorLike, { useLocking = false, name, readValue = true, ...others }: AssignOptions = {}): Tensor | Variable | Operation {
    refuseOthers(others);
    if (!this.isResource) return resultOf(assign(this.handle, value, { useLocking, name }) as Tensor, readValue);
    const converted = convertToTensor(value, { dtype: this.dtype });
    if (!this.shape.isCompatibleWith(converted.shape))
      throw new ValueError(
        `Cannot assign value to variable ' ${this.name}': Shape mismatch.The variable shape ${this.shape}, and the assigned value shape ${converted.shape} are incompatible.`,
      );
    const validateShape = this.validatesShape && this.shape.isFullyDefined;
    const op = state.AssignVariableOp({ resource: this.handle, value: converted, dtype: this.dtype, validateShape }, { name });
    return readValue ? this.afterUpdate(op) : op;
  }

  assignAdd(delta: TensorLike, options?: AssignOptions & { readValue?: true }): Tensor | Variable;
  assignAdd(delta: TensorLike, options: AssignOptions): Tensor | Variable | Operation;
  assignAdd(
    delta: TensorLike,
    { useLocking = false, name, readValue = true, ...others }: AssignOptions = {},
  ): Tensor | Variable | Operation {
    refuseOthers(others);
    if (!this.isResource) return resultOf(assignAdd(this.handle, delta, { useLocking, name }) as Tensor, readValue);
    const value = convertToTensor(delta, { dtype: this.dtype });
    const op = state.AssignAddVariableOp({ resource: this.handle, value, dtype: this.dtype }, { name });
    return readValue ? this.afterUpdate(op) : op;
  }

  assignSub(delta: TensorLike, options?: AssignOptions & { readValue?: true }): Tensor | Variable;
  assignSub(delta: TensorLike, options: AssignOptions): Tensor | Variable | Operation;
  assignSub(
    delta: TensorLike,
    { useLocking = false, name, readValue = true, ...others }: AssignOptions = {},
  ): Tensor | Variable | Operation {
    refuseOthers(others);
    if (!this.isResource) return resultOf(assignSub(this.handle, delta, { useLocking, name }) as Tensor, readValue);
    const value = convertToTensor(delta, { dtype: this.dtype });
    const op = state.AssignSubVariableOp({ resource: this.handle, value, dtype: this.dtype }, { name });
    return readValue ? this.afterUpdate(op) : op;
  }

  /** The graph that nodes which read it go to. */
  protected get readers(): Graph {
    return graphFor(this.graph);
  }

  /** This variable as it is after `op`. */
  afterUpdate(op: Operation): Variable {
    return new UpdatedVariable(this, op);
  }

  private scatter(kind: ScatterKind, delta: IndexedSlices, { useLocking = false, name }: ScatterOptions = {}): Tensor | Variable {
    const isSlices = typeof delta === "object" && delta !== null && "indices" in delta && "values" in delta;
    if (!isSlices) throw new TypeError(`sparse_delta is not IndexedSlices: ${pythonStr(delta)}`);
    return scatterRows(kind, this, delta.indices, delta.values, { useLocking, name });
  }

  scatterUpdate(sparseDelta: IndexedSlices, options?: ScatterOptions): Tensor | Variable {
    return this.scatter("Update", sparseDelta, options);
  }
  scatterAdd(sparseDelta: IndexedSlices, options?: ScatterOptions): Tensor | Variable {
    return this.scatter("Add", sparseDelta, options);
  }
  scatterSub(sparseDelta: IndexedSlices, options?: ScatterOptions): Tensor | Variable {
    return this.scatter("Sub", sparseDelta, options);
  }
  scatterMul(sparseDelta: IndexedSlices, options?: ScatterOptions): Tensor | Variable {
    return this.scatter("Mul", sparseDelta, options);
  }
  scatterDiv(sparseDelta: IndexedSlices, options?: ScatterOptions): Tensor | Variable {
    return this.scatter("Div", sparseDelta, options);
  }
  scatterMin(sparseDelta: IndexedSlices, options?: ScatterOptions): Tensor | Variable {
    return this.scatter("Min", sparseDelta, options);
  }
  scatterMax(sparseDelta: IndexedSlices, options?: ScatterOptions): Tensor | Variable {
    return this.scatter("Max", sparseDelta, options);
  }
  scatterNdUpdate(indices: TensorLike, updates: TensorLike, options?: Named): Tensor | Variable {
    return scatterPositions("Update", this, indices, updates, { useLocking: true, name: options?.name });
  }
  scatterNdAdd(indices: TensorLike, updates: TensorLike, options?: Named): Tensor | Variable {
    return scatterPositions("Add", this, indices, updates, { useLocking: true, name: options?.name });
  }
  scatterNdSub(indices: TensorLike, updates: TensorLike, options?: Named): Tensor | Variable {
    return scatterPositions("Sub", this, indices, updates, { useLocking: true, name: options?.name });
  }
  scatterNdMax(indices: TensorLike, updates: TensorLike, options?: Named): Tensor | Variable {
    return scatterPositions("Max", this, indices, updates, { useLocking: true, name: options?.name });
  }
  scatterNdMin(indices: TensorLike, updates: TensorLike, options?: Named): Tensor | Variable {
    return scatterPositions("Min", this, indices, updates, { useLocking: true, name: options?.name });
  }

  /** The value before it is counted up by one; a run at the limit ends with OutOfRangeError. */
  countUpTo(limit: number): Tensor {
    return countUpTo(this, limit);
  }

  /** Sets the value in a session (default: the default session) by running the initializer with the initial value fed. TF: load. */
  async load(value: ArrayLike, session?: Runner | null): Promise<void> {
    const { initializer } = this;
    const feeds = [[initializer.inputs[1], value]];
    if (session) await session.run(initializer, feeds);
    else await (initializer as RunsByDefault).run(feeds);
  }

  /** The value in a session; without one, in the default session. */
  eval(session?: Runner | null): Promise<NDArray> {
    if (session) return session.run(this) as Promise<NDArray>;
    return (this.asGraphElement() as EvaluatesByDefault).eval();
  }

  /** `<tf.Variable 'v:0' shape=(2, 3) dtype=float32_ref>`. */
  toString(): string {
    return `<tf.Variable '${this.name}' shape=${this.shape} dtype=${this.dtypeName}>`;
  }

  [Symbol.toPrimitive](hint: string): string {
    if (hint === "string" || hint === "default") return this.toString();
    throw new TypeError(
      `Using a variable as a number is not allowed.\n\n${this} has no value until the graph runs: use session.run(variable), or operators such as v.add(y).`,
    );
  }
}

const resultOf = (assigned: Tensor, readValue: boolean): Tensor | Operation => (readValue ? assigned : assigned.op);

/** A resource variable after an update: reading it waits for the update. */
class UpdatedVariable extends Variable {
  private readonly update: Operation;
  constructor(variable: Variable, update: Operation) {
    super(
      new VariableNodes({
        handle: variable.handle,
        initializer: variable.initializer,
        initialValue: variable.initialValue,
        snapshot: graphFor(variable.graph).controlDependencies([update], () =>
          state.ReadVariableOp({ resource: variable.handle, dtype: variable.dtype }),
        ),
        dtype: variable.dtype,
        shape: variable.shape,
        trainable: variable.trainable,
      }),
    );
    this.update = update;
  }

  override get op(): Operation {
    return this.update;
  }

  override get name(): string {
    return this.update.name;
  }

  protected override read(): Tensor {
    return this.readers.controlDependencies([this.update], () => super.read());
  }

  override sparseRead(indices: TensorLike, options: Named = {}): Tensor {
    return this.readers.controlDependencies([this.update], () => super.sparseRead(indices, options));
  }

  override gatherNd(indices: TensorLike, options: Named = {}): Tensor {
    return this.readers.controlDependencies([this.update], () => super.gatherNd(indices, options));
  }

  override assign(value: TensorLike, options: AssignOptions = {}): Tensor | Variable {
    return this.readers.controlDependencies([this.update], () => super.assign(value, options)) as Variable;
  }

  override assignAdd(delta: TensorLike, options: AssignOptions = {}): Tensor | Variable {
    return this.readers.controlDependencies([this.update], () => super.assignAdd(delta, options)) as Variable;
  }

  override assignSub(delta: TensorLike, options: AssignOptions = {}): Tensor | Variable {
    return this.readers.controlDependencies([this.update], () => super.assignSub(delta, options)) as Variable;
  }
}

// ---- making the nodes ----

function collectionsOf({ collections, trainable }: VariableOptions): string[] {
  const list = collections === null || collections === undefined ? [GraphKeys.GLOBAL_VARIABLES] : [...collections];
  const { TRAINABLE_VARIABLES } = GraphKeys;
  return (trainable ?? true) && !list.includes(TRAINABLE_VARIABLES) ? [...list, TRAINABLE_VARIABLES] : list;
}

function createNodes(initialValue: InitialValue | null | undefined, options: VariableOptions): VariableNodes {
  const { collections, constraint, name, useResource } = options;
  // Inside a function, a ref could not be assigned.
  const isResource = useResource ?? (isResourceDefault || getDefaultGraph().buildingFunction);
  if (initialValue === null || initialValue === undefined)
    throw new ValueError(
      isResource
        ? "The `initial_value` arg to `tf.Variable` must be specified except when you are not providing a `variable_def`. You provided neither."
        : "initial_value must be specified.",
    );
  if (collections !== null && collections !== undefined && !Array.isArray(collections) && !(collections instanceof Set))
    throw new ValueError(
      `collections argument to Variable constructor must be a list, tuple, or set. Got ${String(collections)} of type <class '${pythonType(collections)}'>`,
    );
  if (constraint !== null && constraint !== undefined && typeof constraint !== "function")
    throw new ValueError("The `constraint` argument must be a callable.");
  const own = graphOfValue(initialValue);
  if (isResource && initialValue instanceof Tensor) initialValue.graph.refuseInitial(initialValue, name);
  // A variable is made at the top: outside functions, control dependencies and control flow, but within name scopes.
  const around = getDefaultGraph().buildingFunction ? getDefaultGraph() : (own ?? getDefaultGraph());
  const graph = around.outermost;
  const create = (): VariableNodes =>
    around.outside(() =>
      graph.nameScope(name ?? "Variable", scope => (isResource ? createResource : createRef)(graph, String(scope), initialValue, options)),
    );
  // Nodes that a function makes say where it made them.
  return typeof initialValue === "function" ? create() : fromHere(create);
}

const graphOfValue = (value: unknown): Graph | undefined =>
  value instanceof Tensor ? value.graph : isAsTensor(value) && "graph" in value ? (value.graph as Graph) : undefined;

const withoutSlash = (scope: string): string => scope.replace(/\/$/, "");

function assertOutsideControlFlow(name: string, value: Tensor): void {
  if (value.op.context !== null)
    throw new ValueError(
      `Initializer for variable ${name} is from inside a control-flow construct, such as a loop or conditional. When creating a variable inside a loop or conditional, use a lambda as the initializer.`,
    );
}

function createRef(graph: Graph, scope: string, given: InitialValue, options: VariableOptions): VariableNodes {
  const { validateShape = true, trainable, cachingDevice } = options;
  const dtype = options.dtype ?? undefined;
  const node = withoutSlash(scope);
  const declared = (value: Tensor): TensorShape =>
    options.shape !== undefined && options.shape !== null
      ? new TensorShape(options.shape)
      : validateShape
        ? value.shape
        : TensorShape.unknown();
  const hold = (value: Tensor): Tensor => state.VariableV2({ shape: declared(value), dtype: value.dtype }, { name: scope });
  let initialValue: Tensor;
  let handle: Tensor;
  if (typeof given === "function") {
    [initialValue, handle] = graph.belongingTo(node, () => {
      const value = graph.nameScope("Initializer", () =>
        graph.device(null, () => convertToTensor(given(), { dtype, name: "initial_value" })),
      );
      return [value, hold(value)];
    });
  } else {
    initialValue = convertToTensor(given, { dtype, name: "initial_value" });
    assertOutsideControlFlow(scope, initialValue);
    handle = hold(initialValue);
  }
  if (validateShape && !initialValue.shape.isFullyDefined)
    throw new ValueError(
      `initial_value must have a shape specified: ${initialValue}`,
      "Give the initial value a known shape, or pass { validateShape: false } for a variable whose shape may change.",
    );
  const initializer = (assign(handle, guardedInitialValue(scope, initialValue), { validateShape }) as Tensor).op;
  const read = (): Tensor => identity(handle, { name: "read" });
  const snapshot =
    cachingDevice === null || cachingDevice === undefined
      ? graph.colocateWith(handle.op, undefined, read)
      : graph.device(cachingDevice, read);
  return new VariableNodes({
    handle,
    initializer,
    initialValue,
    snapshot,
    dtype: handle.dtype,
    shape: handle.shape,
    trainable: trainable ?? true,
  });
}

function createResource(graph: Graph, scope: string, given: InitialValue, options: VariableOptions): VariableNodes {
  const { trainable, validateShape = true } = options;
  const node = withoutSlash(scope);
  const [initialValue, handle, shape] = graph.belongingTo(node, () => {
    const value = graph.nameScope("Initializer", () =>
      graph.device(null, () =>
        convertToTensor(typeof given === "function" ? given() : given, { dtype: options.dtype ?? undefined, name: "initial_value" }),
      ),
    );
    const shape =
      options.shape !== undefined && options.shape !== null
        ? new TensorShape(options.shape)
        : validateShape
          ? value.shape
          : TensorShape.unknown();
    if (!value.shape.isCompatibleWith(shape))
      throw new ValueError(
        `In this \`tf.Variable\` creation, the initial value's shape (${value.shape}) is not compatible with the explicitly supplied \`shape\` argument (${shape}).`,
      );
    const made = state.VarHandleOp({ sharedName: node, debugName: scope, dtype: value.dtype, shape }, { name: scope });
    return [value, made, shape] as const;
  });
  if (typeof given !== "function") assertOutsideControlFlow(scope, initialValue);
  const { dtype } = initialValue;
  graph.nameScope("IsInitialized", () => state.VarIsInitializedOp({ resource: handle }));
  const atHome = <R>(body: () => R): R => graph.device(handle.device, body);
  const initializer = graph.nameScope("Assign", name =>
    graph.colocateWith(null, { ignoreExisting: true }, () =>
      atHome(() => state.AssignVariableOp({ resource: handle, value: guardedInitialValue(scope, initialValue), dtype }, { name })),
    ),
  );
  const snapshot = graph.nameScope("Read", () => atHome(() => state.ReadVariableOp({ resource: handle, dtype })));
  return new VariableNodes({ handle, initializer, initialValue, snapshot, dtype, shape, trainable: trainable ?? true });
}

// ---- functions on variables ----

export type VariableLike = Variable | Tensor;

/** The ref that a ref op takes, or the resource variable itself. */
const refOrResource = (ref: VariableLike): Tensor | Variable => (ref instanceof Variable && !ref.isResource ? ref.handle : ref);

/** Sets `ref`; the result is the variable after it. TF: tf.assign. @throws ValueError if the shapes differ and `validateShape`. */
export function assign(
  ref: VariableLike,
  value: TensorLike,
  { validateShape, useLocking, name }: Named & { validateShape?: boolean | null; useLocking?: boolean | null } = {},
): Tensor | Variable {
  const target = refOrResource(ref);
  if (target instanceof Variable) return target.assign(value, { name });
  return state.Assign({ ref: target, value, validateShape: validateShape ?? undefined, useLocking: useLocking ?? undefined }, { name });
}

interface UpdateOptions extends Named {
  readonly useLocking?: boolean | null | undefined;
}

/** Adds to `ref`. TF: tf.assign_add. */
export function assignAdd(ref: VariableLike, value: TensorLike, { useLocking, name, ...others }: UpdateOptions = {}): Tensor | Variable {
  refuseOthers(others);
  const target = refOrResource(ref);
  if (target instanceof Variable) return target.assignAdd(value, { name });
  return state.AssignAdd({ ref: target, value, useLocking: useLocking ?? undefined }, { name });
}

/** Subtracts from `ref`. TF: tf.assign_sub. */
export function assignSub(ref: VariableLike, value: TensorLike, { useLocking, name, ...others }: UpdateOptions = {}): Tensor | Variable {
  refuseOthers(others);
  const target = refOrResource(ref);
  if (target instanceof Variable) return target.assignSub(value, { name });
  return state.AssignSub({ ref: target, value, useLocking: useLocking ?? undefined }, { name });
}

/** Counts up, giving the value before; at `limit` the run ends with OutOfRangeError. TF: tf.count_up_to. */
export function countUpTo(ref: VariableLike, limit: number, { name, ...others }: Named = {}): Tensor {
  refuseOthers(others);
  const target = refOrResource(ref);
  if (target instanceof Variable) return state.ResourceCountUpTo({ resource: target.handle, limit, T: target.dtype }, { name });
  return state.CountUpTo({ ref: target, limit }, { name });
}

/** A bool scalar: does the variable hold a value? TF: tf.is_variable_initialized. */
export function isVariableInitialized(variable: VariableLike, { name, ...others }: Named = {}): Tensor {
  refuseOthers(others);
  const target = refOrResource(variable);
  if (target instanceof Variable) return state.VarIsInitializedOp({ resource: target.handle }, { name });
  return state.IsVariableInitialized({ ref: target }, { name });
}

type ScatterKind = "Update" | "Add" | "Sub" | "Mul" | "Div" | "Min" | "Max";
export type ScatterOptions = UpdateOptions;

const rowScatters = {
  Update: [state.ScatterUpdate, state.ResourceScatterUpdate],
  Add: [state.ScatterAdd, state.ResourceScatterAdd],
  Sub: [state.ScatterSub, state.ResourceScatterSub],
  Mul: [state.ScatterMul, state.ResourceScatterMul],
  Div: [state.ScatterDiv, state.ResourceScatterDiv],
  Min: [state.ScatterMin, state.ResourceScatterMin],
  Max: [state.ScatterMax, state.ResourceScatterMax],
} as const;

function scatterRows(
  kind: ScatterKind,
  ref: VariableLike,
  indices: TensorLike,
  updates: TensorLike,
  { useLocking, name }: UpdateOptions,
): Tensor | Variable {
  const target = refOrResource(ref);
  const [onRef, onResource] = rowScatters[kind];
  if (!(target instanceof Variable)) return onRef({ ref: target, indices, updates, useLocking: useLocking ?? undefined }, { name });
  const rows = convertToTensor(updates, { dtype: target.dtype });
  return target.afterUpdate(onResource({ resource: target.handle, indices, updates: rows, dtype: target.dtype }, { name }));
}

const positionScatters = {
  Update: [state.ScatterNdUpdate, state.ResourceScatterNdUpdate],
  Add: [state.ScatterNdAdd, state.ResourceScatterNdAdd],
  Sub: [state.ScatterNdSub, state.ResourceScatterNdSub],
  Max: [state.ScatterNdMax, state.ResourceScatterNdMax],
  Min: [state.ScatterNdMin, state.ResourceScatterNdMin],
} as const;

function scatterPositions(
  kind: keyof typeof positionScatters,
  ref: VariableLike,
  indices: TensorLike,
  updates: TensorLike,
  { useLocking, name }: UpdateOptions,
): Tensor | Variable {
  const target = refOrResource(ref);
  const [onRef, onResource] = positionScatters[kind];
  if (!(target instanceof Variable)) return onRef({ ref: target, indices, updates, useLocking: useLocking ?? undefined }, { name });
  const slices = convertToTensor(updates, { dtype: target.dtype });
  return target.afterUpdate(onResource({ ref: target.handle, indices, updates: slices }, { name }));
}

const rowScatter =
  (kind: ScatterKind, useLocking: boolean) =>
  (ref: VariableLike, indices: TensorLike, updates: TensorLike, options: ScatterOptions = {}): Tensor | Variable =>
    scatterRows(kind, ref, indices, updates, { useLocking: options.useLocking ?? useLocking, name: options.name });

/** Rows of `ref` replaced: ref[indices] = updates. TF: tf.scatter_update. */
export const scatterUpdate = rowScatter("Update", true);
export const scatterAdd = rowScatter("Add", false);
export const scatterSub = rowScatter("Sub", false);
export const scatterMul = rowScatter("Mul", false);
export const scatterDiv = rowScatter("Div", false);
export const scatterMin = rowScatter("Min", false);
export const scatterMax = rowScatter("Max", false);

const positionScatter =
  (kind: keyof typeof positionScatters, useLocking: boolean) =>
  (ref: VariableLike, indices: TensorLike, updates: TensorLike, options: ScatterOptions = {}): Tensor | Variable =>
    scatterPositions(kind, ref, indices, updates, { useLocking: options.useLocking ?? useLocking, name: options.name });

/** Elements or slices at multi-indices (last axis of `indices`) replaced. TF: tf.scatter_nd_update. */
export const scatterNdUpdate = positionScatter("Update", true);
export const scatterNdAdd = positionScatter("Add", false);
export const scatterNdSub = positionScatter("Sub", false);
