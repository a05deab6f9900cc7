// Graph: operations by name, unique names, scopes, collections, and the stacks that decorate new nodes (control dependencies, devices,
// colocation). Exactly TensorFlow's rules and messages. Neither ops nor sessions are known here.

import { scoped } from "../base/disposable.ts";
import { AssertionError, KeyError, RuntimeError, ValueError, withHint } from "../base/errors.ts";
import { nearestName } from "../base/names.ts";
import type { NDArray } from "../base/ndarray.ts";
import type { TensorShape } from "../base/shape.ts";
import type { AttrValue } from "./attributes.ts";
import { typesOf } from "./build-operation.ts";
import { isAsTensor } from "./conversion.ts";
import { pythonType } from "../base/python-text.ts";
import { popDefaultGraph, pushDefaultGraph } from "./default-graph.ts";
import type { DeviceFunction } from "./device.ts";
import { DeviceSpec, deviceFor } from "./device.ts";
import { captureLocation, placed } from "./location.ts";
import type { OpDefinition } from "./op-definition.ts";
import { Operation, Tensor } from "./operation.ts";
import { inferShapes } from "./shape-inference.ts";

const validName = /^[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*$/;
const validNestedScope = /^[A-Za-z0-9_.\\/>-]*$/;

/** An entered scope; left by `using` or at the end of the callback. What it holds is no option where a scope stands for a name's options. */
export class Scope implements Disposable {
  #leave: (() => void) | undefined;
  constructor(leave: () => void) {
    this.#leave = leave;
  }
  [Symbol.dispose](): void {
    const leave = this.#leave;
    this.#leave = undefined;
    leave?.();
  }
}

/** An entered name scope. `String(scope)` is its name with a trailing slash, to be passed as an op's name or re-entered. */
export class NameScope extends Scope {
  readonly name: string;
  constructor(name: string, leave: () => void) {
    super(leave);
    this.name = name;
  }
  override toString(): string {
    return this.name;
  }
}

/** A cond branch or loop body under construction: new operations pass through it. */
export interface ControlFlowContext {
  readonly outer: ControlFlowContext | null;
  /** Called for every operation made inside, after creation and within its name scope: brings its outer inputs in through Switch or Enter nodes. */
  addOperation(op: Operation): void;
}

interface ControlBlock {
  readonly ops: readonly Operation[];
  readonly made: Set<Operation>;
  readonly isClear: boolean;
  readonly outerContext: ControlFlowContext | null;
}

export type ControlInput = Operation | Tensor | string | { toString(): string };
export type Colocated = Operation | Tensor | { readonly op: Operation } | string | null;
type CollectionItem = unknown;

/** Σ of the gradients of `ys`, given those that flow into them, for each of `xs`; null where none flows. */
export type Differentiate = (ys: readonly Tensor[], xs: readonly Tensor[], given: readonly Tensor[]) => (Tensor | null)[];

/** Conditionals and loops whose branches, conditions and bodies are functions. */
export interface FunctionalFlow {
  /** What the function of the side taken returns. */
  cond(predicate: Tensor, whenTrue: () => unknown, whenFalse: () => unknown, isStrict: boolean): unknown;
  loop(
    initial: readonly Tensor[],
    shapes: readonly TensorShape[],
    condition: (vars: Tensor[]) => Tensor,
    body: (vars: Tensor[]) => Tensor[],
    options: { readonly parallelIterations: number; readonly backProp: boolean },
  ): readonly Tensor[];
}

/** A graph of operations. TF: tf.Graph. */
export class Graph {
  /** The graph-level random seed, or null. Set by tf.setRandomSeed. */
  seed: number | null = null;
  /** Default container of variables. */
  container = "";
  controlFlowContext: ControlFlowContext | null = null;
  /** The results of an operation on known values, or undefined where they cannot be had: what shapes are made of is followed with it as far as
   *  TensorFlow does. The main door brings it, for a graph knows no backend; without it only what the ops themselves say (`partial`) is known. */
  declare evaluateConstants?: (op: Operation, values: readonly NDArray[]) => readonly NDArray[] | undefined;
  /** Of the graph of a function that is being built: gives the argument that stands for a tensor of an outer graph, or undefined for a stranger. */
  capture: ((outside: Tensor) => Tensor | undefined) | null = null;
  /** Of the graph of a function: the graph that it is built inside. */
  around: Graph | null = null;
  /** Of the graph of a function of gradients: dense gradients of tensors in it. Calls in it stay calls, which have gradients of their own. */
  differentiate: Differentiate | null = null;
  /** Of the graph of a function: makes its conditionals and loops, as nodes that call functions. */
  functional: FunctionalFlow | null = null;
  private readonly ops: Operation[] = [];
  private readonly byName = new Map<string, Operation>();
  private readonly usedNames = new Map<string, number>();
  private collectionLists = new Map<string, CollectionItem[]>();
  private scopeName = "";
  private controlStack: ControlBlock[] = [];
  private deviceStack: (DeviceFunction | string | null)[] = [];
  private colocationStack: (Operation | string | null)[] = [];
  private gradientOverrides: Readonly<Record<string, string>>[] = [];
  private readonly unfeedable = new Set<Tensor>();
  private readonly unfetchable = new Set<Operation>();
  private isFinalized = false;
  private readonly attachments = new Map<unknown, unknown>();
  private seedCount = 0;

  // ---- operations ----

  /** Makes an operation; ops call this, users call ops. A name ending in "/" is taken verbatim. */
  createOperation(
    definition: OpDefinition,
    given: readonly Tensor[],
    attrs: Readonly<Record<string, AttrValue>>,
    name: string = definition.type,
  ): Operation {
    this.assertNotFinalized();
    const inputs = this.capture === null ? given : this.captured(definition, given, attrs);
    for (const tensor of inputs) this.assertOwn(tensor, inputs[0]);
    const unique = name.endsWith("/") ? name.slice(0, -1) : this.uniqueName(name);
    if (!validName.test(unique))
      throw new ValueError(
        `\`${unique}\` is not a valid node name. Accepted names conform to Regex /re.compile('^[A-Za-z0-9.][A-Za-z0-9_.\\\\\\\\/>-]*$')/`,
      );
    if (this.byName.has(unique)) throw new ValueError(`Duplicate node name in graph: '${unique}'`);
    const controlInputs = this.controlInputsFor(inputs);
    const colocation = this.colocationFor(attrs);
    const ownAttrs = withoutClass(attrs);
    const isContained = this.container !== "" && definition.stateful === true && "container" in ownAttrs;
    const plainAttrs = isContained ? { ...ownAttrs, container: this.container } : ownAttrs;
    const location = captureLocation();
    let shapes: TensorShape[];
    try {
      // TensorFlow sets the colocation after the shapes are known, so messages do not show it.
      const node = { name: unique, definition, attrs: plainAttrs, inputs, controlInputs, colocation: [] };
      shapes = inferShapes({ node, definition, inputs, attrs: plainAttrs });
    } catch (error) {
      throw error instanceof ValueError ? placed(error, unique, location) : error;
    }
    const outputs = typesOf(definition, "outputs", attrs).map(({ dtype, isRef, isHandle }, i) => ({
      dtype,
      isRef,
      isHandle,
      shape: shapes[i],
    }));
    const op = new Operation({
      graph: this,
      name: unique,
      definition,
      attrs: this.withGradientOverride(definition, plainAttrs),
      inputs,
      controlInputs,
      colocation,
      outputs,
      device: "",
      location,
      id: this.ops.length,
      context: this.controlFlowContext,
    });
    op.device = this.deviceOf(op);
    this.ops.push(op);
    this.byName.set(unique, op);
    this.coverControlDependencies(op);
    this.controlFlowContext?.addOperation(op);
    return op;
  }

  /** A copy of another graph's operation, shapes and all, that reads `inputs`. For graphs derived from others, not for building. */
  copyOperation(source: Operation, inputs: readonly Tensor[], controlInputs: readonly Operation[]): Operation {
    const { name, definition, attrs, outputs, device, colocation, location, context } = source;
    const op = new Operation({
      graph: this,
      name,
      definition,
      attrs,
      inputs,
      controlInputs,
      outputs,
      device,
      colocation,
      location,
      id: this.ops.length,
      context,
    });
    this.ops.push(op);
    this.byName.set(name, op);
    return op;
  }

  private captured(definition: OpDefinition, given: readonly Tensor[], attrs: Readonly<Record<string, AttrValue>>): readonly Tensor[] {
    const inputs = given.map(tensor => (tensor.graph === this ? tensor : (this.capture?.(tensor) ?? tensor)));
    const expected = typesOf(definition, "inputs", attrs);
    if (expected.some(({ isRef }, i) => isRef && !inputs[i].isRef))
      throw new TypeError(
        `In op '${definition.type}', input types ([${inputs.map(({ dtypeName }) => `tf.${dtypeName}`).join(", ")}]) are not compatible with expected types ([${expected.map(({ dtype, isRef }) => `tf.${dtype}${isRef ? "_ref" : ""}`).join(", ")}])`,
      );
    return inputs;
  }

  /** @throws ValueError for a tensor of another graph than the first. */
  assertOwn(tensor: Tensor, first: Tensor): void {
    if (tensor.graph !== this)
      throw new ValueError(
        `${tensor} must be from the same graph as ${first} (graphs are different).`,
        "Build all parts of one computation inside the same `graph.asDefault(…)`.",
      );
  }

  private assertNotFinalized(): void {
    if (!this.isFinalized) return;
    throw withHint(
      new RuntimeError("Graph is finalized and cannot be modified."),
      "Make every node before `graph.finalize()`; monitored sessions and tf.train.Supervisor finalize their graph, too. Summaries and initializers count as nodes.",
    );
  }

  /** All operations in order of creation. TF: get_operations. */
  getOperations(): readonly Operation[] {
    return this.ops;
  }

  /** How many operations have been made. */
  get version(): number {
    return this.ops.length;
  }

  /** Is this the graph of a function that is being built? */
  get buildingFunction(): boolean {
    return this.capture !== null;
  }

  /** The graph outside of all functions. */
  get outermost(): Graph {
    return this.around?.outermost ?? this;
  }

  /** Runs `body` outside of functions, loops, branches and control dependencies, but in the same name scope. */
  outside<R>(body: () => R): R {
    const { outermost } = this;
    return outermost.asDefault(() =>
      outermost.controlDependencies(null, () => outermost.nameScope(this.scopeName === "" ? null : `${this.scopeName}/`, body)),
    );
  }

  /** Of a function's graph: refuses its tensors as initial values of variables, which stand outside. */
  refuseInitial(_value: Tensor, _variable: unknown): void {}

  get finalized(): boolean {
    return this.isFinalized;
  }

  /** Runs `body`, which makes nodes in place of a call. */
  replacing<R>(body: () => R): R {
    const { functional } = this;
    this.functional = null;
    try {
      return body();
    } finally {
      this.functional = functional;
    }
  }

  /** Makes the graph read-only. */
  finalize(): void {
    this.isFinalized = true;
  }

  /** Makes the graph writable again, for who finalized it for a time. */
  unfinalize(): void {
    this.isFinalized = false;
  }

  // ---- names ----

  /** A name not used yet, under the current name scope: case-insensitive, only the full path is reserved. TF: unique_name. */
  uniqueName(name: string, markAsUsed = true): string {
    const full = this.scopeName ? `${this.scopeName}/${name}` : name;
    const base = full.toLowerCase();
    let count = this.usedNames.get(base) ?? 0;
    if (markAsUsed) this.usedNames.set(base, count + 1);
    if (count === 0) return full;
    let key = base;
    while (this.usedNames.has(key)) key = `${base}_${count++}`;
    if (markAsUsed) this.usedNames.set(key, 1);
    return `${full}_${count - 1}`;
  }

  getNameScope(): string {
    return this.scopeName;
  }

  /** Opens a name scope: unique, or verbatim if the name ends in "/"; null or "" is the root. TF: Graph.name_scope. */
  nameScope(name: string | { toString(): string } | null): NameScope;
  nameScope<R>(name: string | { toString(): string } | null, body: (scope: NameScope) => R): R;
  nameScope<R>(name: string | { toString(): string } | null, body?: (scope: NameScope) => R): NameScope | R {
    const outer = this.scopeName;
    const text = name === null ? "" : String(name);
    let inner = "";
    if (text.endsWith("/")) inner = text.slice(0, -1);
    else if (text !== "") {
      this.checkScopeName(text);
      inner = this.uniqueName(text);
    }
    this.scopeName = inner;
    return scoped(new NameScope(inner === "" ? "" : `${inner}/`, () => void (this.scopeName = outer)), body);
  }

  private checkScopeName(name: string): void {
    if (this.scopeName !== "") {
      if (!validNestedScope.test(name))
        throw new ValueError(
          `'${name}' is not a valid scope name. A scope name has to match the following pattern: ^[A-Za-z0-9_.\\\\/>-]*$`,
        );
    } else if (!validName.test(name))
      throw new ValueError(
        `'${name}' is not a valid root scope name. A root scope name has to match the following pattern: ^[A-Za-z0-9.][A-Za-z0-9_.\\\\/>-]*$`,
      );
  }

  // ---- default graph ----

  /** Makes this the default graph for a callback, or until the returned scope is disposed. TF: Graph.as_default. */
  asDefault(): Scope & { readonly graph: Graph };
  asDefault<R>(body: (graph: Graph) => R): R;
  asDefault<R>(body?: (graph: Graph) => R): R | (Scope & { readonly graph: Graph }) {
    pushDefaultGraph(this);
    const scope = Object.assign(new Scope(() => popDefaultGraph(this)), { graph: this });
    return scoped(scope, body && (() => body(this)));
  }

  // ---- control dependencies ----

  /** New operations run after these. Nested blocks add up; null clears. TF: Graph.control_dependencies. */
  controlDependencies(inputs: readonly ControlInput[] | null): Scope;
  controlDependencies<R>(inputs: readonly ControlInput[] | null, body: () => R): R;
  controlDependencies<R>(inputs: readonly ControlInput[] | null, body?: () => R): Scope | R {
    const ops = new Set<Operation>();
    for (const input of inputs ?? []) {
      const outside = this.outerOperation(input);
      if (outside) this.outerControls.add(outside);
      else ops.add(this.controlOperation(input));
    }
    const outerStack = this.controlStack;
    const outerContext = this.controlFlowContext;
    const block: ControlBlock = { ops: [...ops], made: new Set(), isClear: inputs === null, outerContext };
    this.controlStack = inputs === null ? [block] : [...this.controlStack, block];
    if (inputs === null) this.controlFlowContext = null;
    const leave = (): void => {
      if (!this.controlStack.includes(block)) throw new AssertionError("Control dependency scopes were left out of order.");
      this.controlStack = outerStack;
      this.controlFlowContext = outerContext;
    };
    return scoped(new Scope(leave), body);
  }

  /** Operations of graphs around a function's that it waits for: what calls it does. */
  readonly outerControls = new Set<Operation>();

  /** The operation of an outer graph, which has run when a function is called. */
  private outerOperation(input: ControlInput): Operation | undefined {
    if (this.capture === null || typeof input !== "object" || input === null) return undefined;
    const { op } = input as { op?: unknown };
    const found = op instanceof Operation ? op : (input as Operation);
    return found.graph === this ? undefined : found;
  }

  private controlOperation(input: ControlInput): Operation {
    const op: unknown = typeof input === "object" && input !== null && "op" in input ? input.op : undefined;
    if (op instanceof Operation && !(input instanceof Tensor)) return op;
    const element = this.asGraphElement(input);
    return element instanceof Tensor ? element.op : element;
  }

  /** What a new operation with these inputs waits for: dependencies it does not already have through an input made in the same block. */
  private controlInputsFor(inputs: readonly Tensor[]): Operation[] {
    if (this.controlStack.length === 0) return [];
    return this.controlInputsOf(new Set(inputs.map(tensor => tensor.op)));
  }

  private controlInputsOf(inputOps: ReadonlySet<Operation>): Operation[] {
    const result = new Set<Operation>();
    for (const block of this.controlStack) {
      const isCovered = [...inputOps].some(op => block.made.has(op));
      if (!isCovered) for (const op of block.ops) if (!inputOps.has(op)) result.add(op);
    }
    return [...result];
  }

  /** Counts an operation as made in the current blocks: what reads from it has their dependencies through it. */
  coverControlDependencies(op: Operation): void {
    for (const block of this.controlStack) block.made.add(op);
  }

  /** What the current blocks make an operation wait for that reads from these. */
  controlDependenciesFor(ops: readonly Operation[]): readonly Operation[] {
    return this.controlInputsOf(new Set(ops));
  }

  /** The control inputs a new operation without inputs would get. */
  currentControlInputs(): readonly Operation[] {
    return this.controlInputsFor([]);
  }

  // ---- devices and colocation ----

  /** Places new operations; inner fields override outer ones; null clears; a function decides per operation. TF: Graph.device. */
  device(deviceOf: DeviceFunction | DeviceSpec | string | null): Scope;
  device<R>(deviceOf: DeviceFunction | DeviceSpec | string | null, body: () => R): R;
  device<R>(deviceOf: DeviceFunction | DeviceSpec | string | null, body?: () => R): Scope | R {
    const outer = this.deviceStack;
    const spec = deviceOf instanceof DeviceSpec ? String(deviceOf) : deviceOf;
    if (typeof spec === "string") deviceFor([spec], null);
    this.deviceStack = [...outer, spec];
    return scoped(new Scope(() => void (this.deviceStack = outer)), body);
  }

  private deviceOf(op: Operation): string {
    const [group] = op.colocation;
    if (group !== undefined) {
      const target = this.byName.get(group.slice("loc:@".length));
      if (target) return target.device;
    }
    return deviceFor(this.deviceStack, op);
  }

  /** New operations share the device of `op`, or of the operation of that name, which need not exist yet. TF: Graph.colocate_with. */
  colocateWith(op: Colocated, options?: { ignoreExisting?: boolean }): Scope;
  colocateWith<R>(op: Colocated, options: { ignoreExisting?: boolean } | undefined, body: () => R): R;
  colocateWith<R>(op: Colocated, { ignoreExisting = false }: { ignoreExisting?: boolean } = {}, body?: () => R): Scope | R {
    if (op === null && !ignoreExisting) throw new ValueError("Trying to reset colocation (op is None) but ignore_existing is not True");
    const outer = this.colocationStack;
    const target = op === null || typeof op === "string" || op instanceof Operation ? op : op.op;
    this.colocationStack = ignoreExisting ? (target ? [target] : []) : [...outer, target];
    return scoped(new Scope(() => void (this.colocationStack = outer)), body);
  }

  /** As `colocateWith`, unless something around places operations already. TensorFlow's attribute scope of `_class`. */
  belongingTo<R>(node: string, body: () => R): R {
    return this.colocationStack.length > 0 ? body() : this.colocateWith(node, undefined, body);
  }

  private colocationFor(attrs: Readonly<Record<string, AttrValue>>): string[] {
    if (this.colocationStack.length === 0 && attrs._class === undefined) return [];
    const groups = new Set(Array.isArray(attrs._class) ? (attrs._class as string[]) : []);
    for (const op of this.colocationStack) {
      for (const group of typeof op === "string" ? [`loc:@${op}`] : (op?.colocationGroups() ?? [])) groups.add(group);
    }
    return [...groups].sort();
  }

  // ---- collections ----

  /** What one graph puts into its collections is in the other's from now on. */
  shareCollections(graph: Graph): void {
    this.collectionLists = graph.collectionLists;
  }

  addToCollection(name: string, value: CollectionItem): void {
    this.assertNotFinalized();
    this.getCollectionRef(name).push(value);
  }

  addToCollections(names: string | readonly string[], value: CollectionItem): void {
    for (const name of new Set(typeof names === "string" ? [names] : names)) this.addToCollection(name, value);
  }

  /** The live list, made if absent. */
  // `any`: a collection holds whatever was put in under its name
  getCollectionRef(name: string): any[] {
    let list = this.collectionLists.get(name);
    if (!list) {
      list = [];
      this.collectionLists.set(name, list);
    }
    return list;
  }

  /** A copy; `scope` keeps items whose `name` matches it as a regular expression from the start. TF: get_collection. */
  // `any`: as above
  getCollection(name: string, scope?: string | null): any[] {
    const list = this.collectionLists.get(name) ?? [];
    if (scope === undefined || scope === null) return [...list];
    const pattern = new RegExp(`^(?:${scope})`);
    return list.filter(item => {
      const itemName = (item as { name?: unknown } | null)?.name;
      return typeof itemName === "string" && pattern.test(itemName);
    });
  }

  getAllCollectionKeys(): string[] {
    return [...this.collectionLists.keys()];
  }

  get collections(): readonly string[] {
    return [...this.collectionLists.keys()];
  }

  clearCollection(name: string): void {
    this.assertNotFinalized();
    this.collectionLists.delete(name);
  }

  // ---- look-ups ----

  /** The operation or tensor behind a name or object. TF: as_graph_element. */
  asGraphElement(
    given: unknown,
    { allowTensor = true, allowOperation = true }: { allowTensor?: boolean; allowOperation?: boolean } = {},
  ): Operation | Tensor {
    if (!allowTensor && !allowOperation) throw new ValueError("allow_tensor and allow_operation can't both be False.");
    const element = isAsTensor(given) ? graphElementOf(given) : given;
    if (typeof element === "string") return this.elementByName(element, allowTensor, allowOperation);
    if (element instanceof Tensor && allowTensor) {
      if (element.graph !== this)
        throw new ValueError(`Tensor ${element} is not an element of this graph.`, "It was made in another graph: look at tensor.graph.");
      return element;
    }
    if (element instanceof Operation && allowOperation) {
      if (element.graph !== this) throw new ValueError(`Operation ${element} is not an element of this graph.`);
      return element;
    }
    const wanted = allowTensor && allowOperation ? "Tensor or Operation" : allowTensor ? "Tensor" : "Operation";
    throw new TypeError(`Can not convert a ${pythonType(element)} into a ${wanted}.`);
  }

  private elementByName(name: string, allowTensor: boolean, allowOperation: boolean): Operation | Tensor {
    const form = 'Tensor names must be of the form "<op_name>:<output_index>".';
    if (name.includes(":") && allowTensor) {
      const [opName, index, ...rest] = name.split(":");
      if (rest.length > 0 || !/^\d+$/.test(index))
        throw new ValueError(`The name '${name}' looks a like a Tensor name, but is not a valid one. ${form}`);
      const op = this.byName.get(opName);
      const missing = `The name '${name}' refers to a Tensor which does not exist. The operation, '${opName}', `;
      if (!op) throw this.withNearest(new KeyError(`${missing}does not exist in the graph.`), opName, `:${index}`);
      const tensor = op.outputs[Number(index)];
      if (!tensor) throw new KeyError(`${missing}exists but only has ${op.outputs.length} outputs.`);
      return tensor;
    }
    if (name.includes(":")) throw new ValueError(`Name '${name}' appears to refer to a Tensor, not a Operation.`);
    const op = this.byName.get(name);
    if (allowOperation) {
      if (!op) throw this.withNearest(new KeyError(`The name '${name}' refers to an Operation not in the graph.`), name);
      return op;
    }
    if (op) throw new ValueError(`The name '${name}' refers to an Operation, not a Tensor. ${form}`, `Its first output is "${name}:0".`);
    const invalid = new ValueError(`The name '${name}' looks like an (invalid) Operation name, not a Tensor. ${form}`);
    throw this.withNearest(invalid, name, ":0");
  }

  private withNearest<E extends Error>(error: E, name: string, suffix = ""): E {
    const near = nearestName(name, this.byName.keys());
    return near === undefined ? error : withHint(error, `There is "${near}${suffix}".`);
  }

  getOperationByName(name: string): Operation {
    if (typeof name !== "string") throw new TypeError(`Operation names are strings (or similar), not ${pythonType(name)}.`);
    return this.asGraphElement(name, { allowTensor: false }) as Operation;
  }

  getTensorByName(name: string): Tensor {
    if (typeof name !== "string") throw new TypeError(`Tensor names are strings (or similar), not ${pythonType(name)}.`);
    return this.asGraphElement(name, { allowOperation: false }) as Tensor;
  }

  /** The operation of a name, or undefined. */
  findOperation(name: string): Operation | undefined {
    return this.byName.get(name);
  }

  // ---- guards ----

  isFeedable(tensor: Tensor): boolean {
    return !this.unfeedable.has(tensor);
  }
  isFetchable(element: Tensor | Operation): boolean {
    return !this.unfetchable.has(element instanceof Tensor ? element.op : element);
  }
  preventFeeding(tensor: Tensor): void {
    this.unfeedable.add(tensor);
  }
  preventFetching(op: Operation): void {
    this.unfetchable.add(op);
  }
  /** Counts what may not be fed or fetched: what was allowed before is allowed as long as it stays the same. */
  get restrictions(): number {
    return this.unfeedable.size + this.unfetchable.size;
  }

  /** Ops made inside get their gradient from another registered function. TF: gradient_override_map. */
  gradientOverrideMap(map: Readonly<Record<string, string>>): Scope;
  gradientOverrideMap<R>(map: Readonly<Record<string, string>>, body: () => R): R;
  gradientOverrideMap<R>(map: Readonly<Record<string, string>>, body?: () => R): Scope | R {
    const outer = this.gradientOverrides;
    this.gradientOverrides = [...outer, map];
    return scoped(new Scope(() => void (this.gradientOverrides = outer)), body);
  }

  private withGradientOverride(definition: OpDefinition, attrs: Readonly<Record<string, AttrValue>>): Readonly<Record<string, AttrValue>> {
    for (const map of [...this.gradientOverrides].reverse()) {
      if (Object.hasOwn(map, definition.type)) return { ...attrs, _gradient_op_type: map[definition.type] };
    }
    return attrs;
  }

  // ---- what other rooms keep per graph ----

  /** Something another room keeps with this graph (variable store, variable scope), made when first asked for. */
  attached<T>(key: (...args: never[]) => unknown, make: () => T): T {
    if (!this.attachments.has(key)) this.attachments.set(key, make());
    return this.attachments.get(key) as T;
  }

  /** The next op seed when only the graph's seed is set (TensorFlow 2.21's rule: one count per graph). */
  nextOpSeed(): number {
    return this.seedCount++;
  }
}

/** A copy of the attributes but for the colocation, which nodes keep apart. */
function withoutClass(attrs: Readonly<Record<string, AttrValue>>): Record<string, AttrValue> {
  if (!("_class" in attrs)) return { ...attrs };
  const { _class: _dropped, ...own } = attrs;
  return own;
}

const graphElementOf = (given: object): unknown =>
  "asGraphElement" in given && typeof given.asGraphElement === "function" ? given.asGraphElement() : given;
