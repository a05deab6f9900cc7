// getVariable and variable scopes: a store of variables by full name on each graph, and the scope that prefixes names and supplies defaults.
// Name scopes and variable scopes are different things: opening a variable scope also opens a name scope, but getVariable ignores those.

import { isFloating, isInteger } from "../../base/dtype.ts";
import type { DType } from "../../base/dtype.ts";
import { scoped } from "../../base/disposable.ts";
import { RuntimeError, ValueError } from "../../base/errors.ts";
import { pythonStr } from "../../base/python-text.ts";
import type { ShapeLike } from "../../base/shape.ts";
import { TensorShape } from "../../base/shape.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import { convertToTensor } from "../../graph/conversion.ts";
import { getDefaultGraph, graphFor } from "../../graph/default-graph.ts";
import type { DeviceFunction } from "../../graph/device.ts";
import { type Graph, Scope } from "../../graph/graph.ts";
import { itemsOf } from "../../graph/iterating.ts";
import { Tensor } from "../../graph/operation.ts";
import { collect } from "../../ops/arguments.ts";
import { slice } from "../../ops/array/slicing.ts";
import { GraphKeys } from "./graph-keys.ts";
import { graphOfValues } from "./scopes.ts";
import type { Initializer, PartPlace } from "./initializers.ts";
import { glorotUniformInitializer, instantiated, zerosInitializer } from "./initializers.ts";
import { PartitionedVariable, type Partitioner, partitionsOf, partPlaces } from "./partitioned-variable.ts";
import { SlicePlace } from "./variable-nodes.ts";
import type { Constraint } from "./variables.ts";
import { Variable } from "./variables.ts";

/** Reuses a variable if it exists, makes it otherwise. */
export const AUTO_REUSE: unique symbol = Symbol.for("tensorloom.AUTO_REUSE");
/** false or null: make new ones; true: only existing ones. */
export type Reuse = boolean | typeof AUTO_REUSE | null;

/** A penalty on a variable, added to the regularization losses; null for none. Activities are tensors. The type of a method, which a function of variables alone,
 *  or of tensors alone, fits as well. */
export type Regularizer = { penalty(value: Tensor | Variable): Tensor | null | undefined }["penalty"];

/** What initializes a variable: an initializer or the class of one, a function without arguments, or a value. */
export type VariableInitializer = Initializer | (() => Initializer) | (() => TensorLike) | TensorLike;

/** Wraps the making of variables: called with the true getter, the full name, and the arguments. A tensor that it gives, such as a cast one or an updated one,
 *  stands for the variable. */
export type CustomGetter = (getter: VariableGetter, name: string, options: GetterOptions) => Variable | Tensor;
export type VariableGetter = (name: string, options?: GetterOptions) => Variable;

export interface GetVariableOptions {
  readonly dtype?: DType | null | undefined;
  readonly initializer?: VariableInitializer | null | undefined;
  readonly regularizer?: Regularizer | null | undefined;
  readonly trainable?: boolean | null | undefined;
  readonly collections?: readonly string[] | null | undefined;
  readonly cachingDevice?: string | DeviceFunction | null | undefined;
  /** Cuts the variable into parts. */
  readonly partitioner?: Partitioner | null | undefined;
  readonly validateShape?: boolean | undefined;
  readonly useResource?: boolean | null | undefined;
  readonly customGetter?: CustomGetter | null | undefined;
  readonly constraint?: Constraint | null | undefined;
}

/** The arguments as a custom getter sees them, scope defaults filled in. */
export interface GetterOptions extends Omit<GetVariableOptions, "customGetter"> {
  readonly shape?: ShapeLike | undefined;
  readonly reuse?: Reuse | undefined;
}

type Partitioned = { readonly partitioner: Partitioner };

interface ScopeDefaults {
  initializer: VariableInitializer | null;
  regularizer: Regularizer | null;
  cachingDevice: string | DeviceFunction | null;
  partitioner: Partitioner | null;
  customGetter: CustomGetter | null;
  dtype: DType;
  useResource: boolean | null;
  constraint: Constraint | null;
}

const rootDefaults: ScopeDefaults = {
  initializer: null,
  regularizer: null,
  cachingDevice: null,
  partitioner: null,
  customGetter: null,
  dtype: "float32",
  useResource: null,
  constraint: null,
};

/** Prefix and defaults of getVariable. Entered by variableScope; left by `using` or at the end of the callback. TF: tf.VariableScope. */
export class VariableScope extends Scope {
  /** `a/b`, or "" at the root. */
  readonly name: string;
  /** The name scope opened when this scope was first made, with a trailing slash; to be re-entered with nameScope. */
  readonly originalNameScope: string;
  private reuseMode: Reuse;
  private readonly defaults: ScopeDefaults;

  constructor(
    reuse: Reuse,
    {
      name = "",
      nameScope = "",
      leave = () => {},
      ...defaults
    }: { [K in keyof ScopeDefaults]?: ScopeDefaults[K] | null | undefined } & {
      name?: string;
      nameScope?: string;
      leave?: () => void;
    } = {},
  ) {
    super(leave);
    this.name = name;
    this.originalNameScope = nameScope;
    this.reuseMode = reuse;
    this.defaults = { ...rootDefaults, ...given(defaults) };
  }

  get reuse(): Reuse {
    return this.reuseMode;
  }
  get initializer(): VariableInitializer | null {
    return this.defaults.initializer;
  }
  get regularizer(): Regularizer | null {
    return this.defaults.regularizer;
  }
  get cachingDevice(): string | DeviceFunction | null {
    return this.defaults.cachingDevice;
  }
  get partitioner(): Partitioner | null {
    return this.defaults.partitioner;
  }
  get customGetter(): CustomGetter | null {
    return this.defaults.customGetter;
  }
  get dtype(): DType {
    return this.defaults.dtype;
  }
  get useResource(): boolean | null {
    return this.defaults.useResource;
  }
  get constraint(): Constraint | null {
    return this.defaults.constraint;
  }

  /** From here on variables of this scope must exist already. */
  reuseVariables(): void {
    this.reuseMode = true;
  }
  setInitializer(initializer: VariableInitializer | null): void {
    this.defaults.initializer = initializer;
  }
  setRegularizer(regularizer: Regularizer | null): void {
    this.defaults.regularizer = regularizer;
  }
  setCachingDevice(cachingDevice: string | DeviceFunction | null): void {
    this.defaults.cachingDevice = cachingDevice;
  }
  setPartitioner(partitioner: Partitioner | null): void {
    this.defaults.partitioner = partitioner;
  }
  setCustomGetter(customGetter: CustomGetter | null): void {
    this.defaults.customGetter = customGetter;
  }
  setDtype(dtype: DType): void {
    this.defaults.dtype = dtype;
  }
  setUseResource(useResource: boolean | null): void {
    this.defaults.useResource = useResource;
  }

  /** All defaults, to be inherited. */
  inherited(): ScopeDefaults {
    return { ...this.defaults };
  }

  // any: a collection holds whatever was put in under its name
  getCollection(name: string): any[] {
    return getDefaultGraph().getCollection(name, this.name === "" ? "" : `${this.name}/`);
  }
  globalVariables(): Variable[] {
    return this.getCollection(GraphKeys.GLOBAL_VARIABLES);
  }
  localVariables(): Variable[] {
    return this.getCollection(GraphKeys.LOCAL_VARIABLES);
  }
  trainableVariables(): Variable[] {
    return this.getCollection(GraphKeys.TRAINABLE_VARIABLES);
  }

  override toString(): string {
    return `<VariableScope '${this.name}'>`;
  }
}

/** Only the options that were given: null and undefined mean "as outside". */
function given<T extends object>(options: T): Given<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined && value !== null)) as Given<T>;
}
type Given<T> = { [K in keyof T]?: NonNullable<T[K]> };

// ---- what a graph keeps ----

class VariableStore {
  readonly variables = new Map<string, Variable>();
  /** Those in parts; the parts are among `variables`. */
  readonly partitioned = new Map<string, PartitionedVariable>();
  /** How often each variable scope was opened, by full name. */
  openings = new Map<string, number>();
  current: VariableScope = new VariableScope(false);

  open(name: string): void {
    this.openings.set(name, (this.openings.get(name) ?? 0) + 1);
  }

  /** Forgets the openings below a scope that is left. */
  closeSubscopes(name: string): void {
    for (const key of this.openings.keys()) if (name === "" || key.startsWith(`${name}/`)) this.openings.set(key, 0);
  }

  /** A name for a scope below the current one that was not opened yet: d, d_1, d_2 … */
  uniqueScopeName(prefix: string): string {
    const full = joined(this.current.name, prefix);
    if ((this.openings.get(full) ?? 0) === 0) return prefix;
    let i = 1;
    while ((this.openings.get(`${full}_${i}`) ?? 0) > 0) i++;
    return `${prefix}_${i}`;
  }
}

const joined = (outer: string, inner: string): string => (outer === "" ? inner : `${outer}/${inner}`);

const storeOf = (graph: Graph = getDefaultGraph()): VariableStore => graph.outermost.attached(variableScope, () => new VariableStore());

/** The variables that `getVariable` made in a graph, by name. */
export const storedVariables = (graph: Graph): ReadonlyMap<string, Variable> => storeOf(graph).variables;

/** The current variable scope of the default graph. TF: tf.get_variable_scope. */
export const getVariableScope = (): VariableScope => storeOf().current;

// ---- entering a scope ----

export interface VariableScopeOptions {
  /** Used, made unique, when the name is null. */
  readonly defaultName?: string | null | undefined;
  /** Tensors whose graph is to be the default inside. */
  readonly values?: readonly unknown[] | null | undefined;
  readonly initializer?: VariableInitializer | null | undefined;
  readonly regularizer?: Regularizer | null | undefined;
  readonly cachingDevice?: string | DeviceFunction | null | undefined;
  readonly partitioner?: Partitioner | null | undefined;
  readonly customGetter?: CustomGetter | null | undefined;
  readonly reuse?: Reuse | undefined;
  readonly dtype?: DType | null | undefined;
  readonly useResource?: boolean | null | undefined;
  readonly constraint?: Constraint | null | undefined;
  /** With false no name scope is opened. */
  readonly auxiliaryNameScope?: boolean | undefined;
}

const scopeArguments = [
  "defaultName",
  "values",
  "initializer",
  "regularizer",
  "cachingDevice",
  "partitioner",
  "customGetter",
  "reuse",
  "dtype",
  "useResource",
  "constraint",
  "auxiliaryNameScope",
] as const;

type Body<R> = (scope: VariableScope) => R;

/** Prefixes the names of variables made inside by getVariable and sets their defaults: `variableScope("gen", { reuse: AUTO_REUSE }, scope => …)`,
 *  or `using scope = variableScope("gen")`. A scope object is re-entered wherever one is. TF: tf.variable_scope.
 *  @throws ValueError or TypeError with TensorFlow's texts for missing names and wrong reuse. */
export function variableScope(nameOrScope: string | VariableScope | null, options?: VariableScopeOptions): VariableScope;
export function variableScope<R>(nameOrScope: string | VariableScope | null, body: Body<R>): R;
export function variableScope<R>(nameOrScope: string | VariableScope | null, options: VariableScopeOptions | undefined, body: Body<R>): R;
export function variableScope<R>(nameOrScope: string | VariableScope | null, ...rest: unknown[]): VariableScope | R {
  const last = rest[rest.length - 1];
  // A function in the last place is the body, except where a custom getter or an initializer stands by position.
  const body = typeof last === "function" && rest.length <= 2 ? (last as Body<R>) : undefined;
  const options = collect<VariableScopeOptions>(scopeArguments, body ? rest.slice(0, -1) : rest);
  return scoped(enterVariableScope(nameOrScope, options), body);
}

/** The older form, with the values first. TF: tf.variable_op_scope. */
export function variableOpScope<R>(
  values: readonly unknown[],
  nameOrScope: string | VariableScope | null,
  defaultName?: string | null,
  options: VariableScopeOptions = {},
  body?: Body<R>,
): VariableScope | R {
  return scoped(enterVariableScope(nameOrScope, { ...options, values, defaultName }), body);
}

function enterVariableScope(nameOrScope: string | VariableScope | null, options: VariableScopeOptions): VariableScope {
  checkScopeArguments(nameOrScope, options);
  const graph = graphFor(graphOfValues(options.values ?? []));
  const asDefault = graph === getDefaultGraph() ? undefined : graph.asDefault();
  try {
    const names = openNameScope(graph, nameOrScope, options);
    try {
      return openVariableScope(graph, names.name, names.original, options, () => {
        names.leave();
        asDefault?.[Symbol.dispose]();
      });
    } catch (error) {
      names.leave();
      throw error;
    }
  } catch (error) {
    asDefault?.[Symbol.dispose]();
    throw error;
  }
}

function checkScopeArguments(nameOrScope: unknown, { defaultName, reuse, auxiliaryNameScope = true }: VariableScopeOptions): void {
  const isUnnamed = nameOrScope === null || nameOrScope === undefined;
  if (isUnnamed && (defaultName === null || defaultName === undefined))
    throw new TypeError("If default_name is None then name_or_scope is required");
  if (reuse !== undefined && reuse !== null && typeof reuse !== "boolean" && reuse !== AUTO_REUSE)
    throw new ValueError("The reuse parameter must be True or False or None.");
  if (typeof auxiliaryNameScope !== "boolean")
    throw new TypeError(`The auxiliary_name_scope must be \`True\` or \`False\`, while get ${String(auxiliaryNameScope)}`);
  if (!isUnnamed && typeof nameOrScope !== "string" && !(nameOrScope instanceof VariableScope))
    throw new TypeError("VariableScope: name_or_scope must be a string or VariableScope.");
  if (isUnnamed && reuse) throw new ValueError("reuse=True cannot be used without a name_or_scope");
}

/** The name scope that goes with a variable scope, and what the latter is to be called. */
function openNameScope(
  graph: Graph,
  nameOrScope: string | VariableScope | null,
  { defaultName, auxiliaryNameScope = true }: VariableScopeOptions,
): { name: string | VariableScope; original: string | undefined; leave: () => void } {
  const wanted = nameOrScope ?? defaultName ?? "";
  const plain = typeof wanted === "string" ? wanted : (wanted.name.split("/").pop() ?? "");
  const around = graph.getNameScope();
  const scope = auxiliaryNameScope
    ? plain === ""
      ? undefined
      : graph.nameScope(plain)
    : graph.nameScope(around === "" ? "" : `${around}/`);
  const leave = (): void => scope?.[Symbol.dispose]();
  if (nameOrScope === null || nameOrScope === undefined)
    return { name: storeOf(graph).uniqueScopeName(plain), original: String(scope ?? ""), leave };
  if (typeof nameOrScope === "string") return { name: nameOrScope, original: scope && String(scope), leave };
  return { name: nameOrScope, original: nameOrScope.originalNameScope, leave };
}

function openVariableScope(
  graph: Graph,
  nameOrScope: string | VariableScope,
  nameScope: string | undefined,
  options: VariableScopeOptions,
  leaveNameScope: () => void,
): VariableScope {
  const store = storeOf(graph);
  const outer = store.current;
  const openingsBefore = new Map(store.openings);
  const isJump = typeof nameOrScope !== "string";
  const parent = isJump ? nameOrScope : outer;
  const name = isJump ? nameOrScope.name : joined(outer.name, nameOrScope);
  store.open(name);
  if (isJump) openingsBefore.set(name, store.openings.get(name) as number);
  const { initializer, regularizer, cachingDevice, partitioner, dtype, useResource, constraint } = options;
  const scope: VariableScope = new VariableScope(options.reuse || parent.reuse, {
    ...parent.inherited(),
    ...given({ initializer, regularizer, cachingDevice, partitioner, dtype, useResource, constraint }),
    customGetter: composed(options.customGetter ?? null, parent.customGetter),
    name,
    nameScope: nameScope ?? (isJump ? nameOrScope.originalNameScope : nameOrScope),
    leave: () => {
      if (store.current !== scope) throw new RuntimeError("Improper nesting of variable_scope.");
      // A jump to another place leaves the counts of that place as they were.
      if (isJump) store.openings = openingsBefore;
      else store.closeSubscopes(name);
      store.current = outer;
      leaveNameScope();
    },
  });
  store.current = scope;
  return scope;
}

/** Calls the inner getter with a getter that is the outer one. */
function composed(inner: CustomGetter | null, outer: CustomGetter | null): CustomGetter | null {
  if (inner === null) return outer;
  if (outer === null) return inner;
  return (getter, name, options) =>
    inner((innerName, innerOptions = {}) => outer(getter, innerName, innerOptions) as Variable, name, options);
}

// ---- getVariable ----

const getterArguments = [
  "shape",
  "dtype",
  "initializer",
  "regularizer",
  "trainable",
  "collections",
  "cachingDevice",
  "partitioner",
  "validateShape",
  "useResource",
  "customGetter",
  "constraint",
  "synchronization",
  "aggregation",
] as const;

type GetArguments = GetVariableOptions & { readonly shape?: ShapeLike | undefined };

/** A variable by its full name (variable scope + name): new, or an existing one where the scope says to reuse. TF: tf.get_variable.
 *  `getVariable("b", [32], { initializer: constantInitializer(0.1) })`. With a partitioner (its own, or its scope's) it is a PartitionedVariable,
 *  unless it is a scalar.
 *  @throws ValueError if it exists and must not, or does not exist and must, or differs in shape, type or partition. */
export function getVariable(name: string, shape: ShapeLike, options: GetVariableOptions & Partitioned): PartitionedVariable;
export function getVariable(name: string, options: GetArguments & Partitioned): PartitionedVariable;
export function getVariable(name: string, shape?: ShapeLike, options?: GetVariableOptions): Variable;
export function getVariable(name: string, options?: GetArguments): Variable;
export function getVariable(name: string, ...rest: unknown[]): Variable | PartitionedVariable {
  return getInScope(name, collect<GetArguments>(getterArguments, rest));
}

/** A variable that is not saved or trained: in the local variables only. TF: tf.get_local_variable. */
export function getLocalVariable(name: string, shape?: ShapeLike, options?: GetVariableOptions): Variable;
export function getLocalVariable(name: string, options?: GetArguments): Variable;
export function getLocalVariable(name: string, ...rest: unknown[]): Variable {
  const options = collect<GetArguments>(getterArguments, rest);
  const { LOCAL_VARIABLES } = GraphKeys;
  const collections = options.collections ? [...options.collections, LOCAL_VARIABLES] : [LOCAL_VARIABLES];
  return getInScope(name, { ...options, collections, trainable: false });
}

/** @throws ValueError for a mode of several machines that there is not; there is one machine, so those that there are decide nothing. */
function checkParts(name: string, options: object): void {
  const { aggregation, synchronization } = options as { readonly aggregation?: unknown; readonly synchronization?: unknown };
  for (const [what, mode] of Object.entries({ aggregation, synchronization }))
    if (mode !== undefined && mode !== null && ![0, 1, 2, 3].includes(mode as number))
      throw new ValueError(`Invalid variable ${what} mode: ${pythonStr(mode)} for variable: ${name}`);
}

function getInScope(name: string, options: GetArguments): Variable {
  if ((name as unknown) instanceof Tensor) itemsOf(name, "asks");
  const graph = getDefaultGraph();
  const store = storeOf(graph);
  const scope = store.current;
  const full = joined(scope.name, name);
  const { dtype, initializer } = options;
  // Names come from variable scopes only.
  return graph.nameScope(null, () => {
    if (dtype && isValue(initializer)) {
      const found = convertToTensor(initializer).dtype;
      if (found !== dtype)
        throw new ValueError(`Initializer type '<dtype: '${found}'>' and explicit dtype '<dtype: '${dtype}'>' don't match.`);
    }
    const customGetter = options.customGetter ?? scope.customGetter;
    const { customGetter: _own, ...plain } = options;
    const complete: GetterOptions = {
      ...plain,
      shape: options.shape,
      dtype: dtype ?? scope.dtype,
      initializer: initializer ?? scope.initializer,
      regularizer: options.regularizer ?? scope.regularizer,
      reuse: scope.reuse,
      cachingDevice: options.cachingDevice ?? scope.cachingDevice,
      partitioner: options.partitioner ?? scope.partitioner,
      validateShape: options.validateShape ?? true,
      useResource: options.useResource ?? scope.useResource,
      constraint: options.constraint ?? scope.constraint,
    };
    const getter: VariableGetter = (given, changed = complete) => {
      checkParts(given, changed);
      return getFromStore(store, given, changed);
    };
    if (customGetter === null) return getter(full, complete);
    if (typeof customGetter !== "function")
      throw new ValueError(`Passed a custom_getter which is not callable: ${pythonStr(customGetter)}`);
    return customGetter(getter, full, complete) as Variable;
  });
}

const isValue = (initializer: VariableInitializer | null | undefined): initializer is TensorLike =>
  initializer !== null && initializer !== undefined && typeof initializer !== "function";

/** An existing variable checked against the request, or a new one. In parts it is one, too, for all that take it as a tensor. */
function getFromStore(store: VariableStore, name: string, options: GetterOptions): Variable {
  const { partitioner, shape, reuse } = options;
  const isScalar = Array.isArray(shape) && shape.length === 0;
  const isInParts = partitioner ? !isScalar : reuse === true && store.partitioned.has(name);
  if (isInParts) return inParts(store, name, options) as Variable | PartitionedVariable as Variable;
  if (store.variables.has(`${name}/part_0`))
    throw new ValueError(
      `No partitioner was provided, but a partitioned version of the variable was found: ${name}/part_0. Perhaps a variable of the same name was already created with partitioning?`,
    );
  return getSingle(store, name, options, null);
}

function getSingle(store: VariableStore, name: string, options: GetterOptions, partitionInfo: PartPlace | null): Variable {
  const dtype = options.dtype ?? "float32";
  const hasShape = options.shape !== undefined && options.shape !== null;
  const shape = hasShape ? new TensorShape(options.shape as ShapeLike) : null;
  if (hasShape && isValue(options.initializer)) throw new ValueError("If initializer is a constant, do not specify shape.");
  const existing = store.variables.get(name);
  if (existing) return reused(existing, name, shape, dtype, options.reuse ?? null);
  if (options.reuse === true)
    throw new ValueError(
      `Variable ${name} does not exist, or was not created with tf.get_variable(). Did you mean to set reuse=tf.AUTO_REUSE in VarScope?`,
    );
  const initializer = instantiated(options.initializer ?? defaultInitializer(name, shape, dtype));
  const variable = new Variable(isValue(initializer) ? initializer : bound(initializer, shape, dtype, partitionInfo), {
    name,
    trainable: options.trainable,
    collections: options.collections,
    cachingDevice: options.cachingDevice,
    dtype: isValue(initializer) || !shape?.isFullyDefined ? undefined : dtype,
    validateShape: options.validateShape ?? true,
    constraint: options.constraint,
    useResource: options.useResource ?? undefined,
    shape: shape ?? undefined,
  });
  store.variables.set(name, variable);
  if (options.regularizer) regularize(variable, name, options.regularizer);
  return variable;
}

/** A variable in parts that exists, or a new one of parts `name/part_0`, `name/part_1` … */
function inParts(store: VariableStore, fullName: string, options: GetterOptions): PartitionedVariable {
  // A variable without a name of its own is called as its scope.
  const name = fullName.replace(/\/$/, "");
  const { initializer, partitioner, reuse } = options;
  const dtype = options.dtype ?? "float32";
  if (store.variables.has(name))
    throw new ValueError(
      `A partitioner was provided, but an unpartitioned version of the variable was found: ${name}.  Perhaps a variable of the same name was already created without partitioning?`,
    );
  const given = new TensorShape(options.shape ?? null);
  const shape = initializer instanceof Tensor ? given.mergeWith(initializer.shape) : given;
  const partitions = partitioner ? partitionsOf(partitioner, shape, dtype) : null;
  const existing = store.partitioned.get(name);
  if (existing) return reusedParts(existing, shape, dtype, partitions, reuse ?? null);
  if (reuse === true || partitions === null)
    throw new ValueError(
      `PartitionedVariable ${name} does not exist, or was not created with tf.get_variable(). Did you mean to set reuse=False or reuse=tf.AUTO_REUSE in VarScope?`,
    );
  const fullShape = shape.asNumbers();
  const parts = partPlaces(fullShape, partitions).map((place, i) => {
    const partName = `${name}/part_${i}`;
    const value = isValue(initializer)
      ? getDefaultGraph().nameScope(`${partName}/PartitionedInitializer`, () =>
          slice(initializer instanceof Tensor ? initializer : convertToTensor(initializer, { dtype }), [...place.offset], [...place.shape]),
        )
      : initializer;
    const part = getSingle(
      store,
      partName,
      {
        ...options,
        dtype: value instanceof Tensor ? value.dtype : dtype,
        initializer: value,
        shape: isValue(value) ? undefined : place.shape,
      },
      { fullShape, varOffset: place.offset },
    );
    part.saveSliceInfo = new SlicePlace(name, fullShape, place.offset, place.shape);
    return part;
  });
  const variable = new PartitionedVariable(name, shape, parts[0].dtype, parts, partitions);
  store.partitioned.set(name, variable);
  return variable;
}

function reusedParts(
  existing: PartitionedVariable,
  shape: TensorShape,
  dtype: DType,
  partitions: readonly number[] | null,
  reuse: Reuse,
): PartitionedVariable {
  const { name } = existing;
  if (!reuse)
    throw new ValueError(
      `Partitioned variable with name ${name} already exists. Did you mean to set reuse=True or reuse=tf.AUTO_REUSE in VarScope?`,
    );
  const differing = (what: string, wanted: unknown, found: unknown): ValueError =>
    new ValueError(`Trying to reuse partitioned variable ${name}, but specified ${what} ${wanted} and found ${what} ${found}.`);
  if (!shape.isCompatibleWith(existing.shape)) throw differing("shape", shape, existing.shape);
  if (dtype !== existing.dtype) throw differing("dtype", dtype, existing.dtype);
  if (partitions !== null && partitions.join() !== existing.partitions.join())
    throw differing("partitions", `[${partitions.join(", ")}]`, `[${existing.partitions.join(", ")}]`);
  return existing;
}

function reused(existing: Variable, name: string, shape: TensorShape | null, dtype: DType, reuse: Reuse): Variable {
  if (!reuse)
    throw new ValueError(
      `Variable ${name} already exists, disallowed. Did you mean to set reuse=True or reuse=tf.AUTO_REUSE in VarScope?${existing.isResource ? "" : ` Originally defined at:\n\n  ${existing.op.location}`}`,
    );
  if (shape !== null && !shape.isCompatibleWith(existing.shape))
    throw new ValueError(`Trying to share variable ${name}, but specified shape ${shape} and found shape ${existing.shape}.`);
  if (dtype !== existing.dtype)
    throw new ValueError(`Trying to share variable ${name}, but specified dtype ${dtype} and found dtype ${existing.dtypeName}.`);
  return existing;
}

function defaultInitializer(name: string, shape: TensorShape | null, dtype: DType): Initializer {
  if (shape === null) throw new ValueError(`Variable ${name} did not get an initializer, so its \`shape\` argument must be specified.`);
  if (isFloating(dtype)) return glorotUniformInitializer();
  if (isInteger(dtype) || dtype === "bool" || dtype === "string") return zerosInitializer();
  throw new ValueError(`An initializer for variable ${name} of <dtype: '${dtype}'> is required`);
}

/** A function without arguments that makes the initial value. */
function bound(
  initializer: Exclude<VariableInitializer, TensorLike>,
  shape: TensorShape | null,
  dtype: DType,
  partitionInfo: PartPlace | null,
): () => TensorLike {
  if (shape?.isFullyDefined) {
    const dims = [...shape.asNumbers()];
    const options = partitionInfo ? { dtype, partitionInfo } : { dtype };
    return () => (initializer as Initializer)(dims, options);
  }
  if (initializer.length === 0) return initializer as () => TensorLike;
  throw new ValueError(
    "The initializer passed is not valid. It should be a callable with no arguments and the shape should not be provided or an instance of `tf.keras.initializers.*' and `shape` should be fully defined.",
  );
}

/** As TensorFlow 2.21 calls it: once to see whether there is a loss, whose nodes stay where they are made, and again for the loss. */
function regularize(variable: Variable, name: string, regularizer: Regularizer): void {
  const graph = variable.graph;
  const first = regularizer(variable);
  if (first === null || first === undefined) return;
  const loss = graph.colocateWith(variable.op, undefined, () => graph.nameScope(`${name}/Regularizer/`, () => regularizer(variable)));
  if (loss !== null && loss !== undefined) graph.addToCollection(GraphKeys.REGULARIZATION_LOSSES, loss);
}

/** A regularizer that adds nothing, to switch off that of the scope. TF: tf.no_regularizer. */
export const noRegularizer: Regularizer = () => null;

// ---- templates ----

export interface TemplateOptions {
  /** Makes the scope now rather than at the first call. */
  readonly createScopeNow?: boolean;
  /** A scope name taken as it is, instead of `name` made unique. */
  readonly uniqueName?: string | null;
  readonly customGetter?: CustomGetter | null;
  /** The same under TensorFlow's names. */
  readonly createScopeNow_?: boolean;
  readonly uniqueName_?: string | null;
  readonly customGetter_?: CustomGetter | null;
  /** Given to the function with each call. */
  readonly [option: string]: unknown;
}

/** A function with variables of its own, and what it has made. TF: the result of tf.make_template. */
export interface Template<A extends readonly unknown[], R> {
  (...args: A): R;
  readonly func: (...args: A) => R;
  /** The scope of its variables; null before the first call. */
  readonly variableScope: VariableScope | null;
  readonly varScope: VariableScope | null;
  /** The scope's name with a slash; null before the first call. */
  readonly variableScopeName: string | null;
  readonly variables: readonly Variable[];
  readonly weights: readonly Variable[];
  readonly globalVariables: readonly Variable[];
  readonly localVariables: readonly Variable[];
  readonly trainableVariables: readonly Variable[];
  readonly trainableWeights: readonly Variable[];
  readonly nonTrainableVariables: readonly Variable[];
  readonly nonTrainableWeights: readonly Variable[];
}

/** A function whose variables are made at its first call and shared by all later ones. TF: tf.make_template.
 *  @throws ValueError if a later call makes a trainable variable (with `new Variable` instead of getVariable). */
export function makeTemplate<A extends unknown[], R>(name: string, func: (...args: A) => R, options: TemplateOptions = {}): Template<A, R> {
  if (name === null) throw new ValueError("name cannot be None.");
  const { createScopeNow, uniqueName, customGetter, createScopeNow_, uniqueName_, customGetter_, ...more } = options;
  const isScopedNow = createScopeNow ?? createScopeNow_ ?? false;
  const getter = customGetter ?? customGetter_ ?? null;
  const open = <S>(body: Body<S>, auxiliaryNameScope = true): S =>
    variableScope(uniqueName ?? uniqueName_ ?? null, { defaultName: name, customGetter: getter, auxiliaryNameScope }, body);
  let scope: VariableScope | undefined = isScopedNow ? open(made => made, false) : undefined;
  let wasCalled = false;
  const call = (args: A): R => {
    const trainable = getDefaultGraph().getCollectionRef(GraphKeys.TRAINABLE_VARIABLES);
    const before = trainable.length;
    // Other options are the function's own last argument.
    const given = Object.keys(more).length === 0 ? args : ([...args, more] as readonly unknown[] as A);
    const result = func(...given);
    if (wasCalled && trainable.length !== before)
      throw new ValueError(
        `Trainable variable created when calling a template after the first time, perhaps you used tf.Variable when you meant tf.get_variable: [${trainable.slice(before).join(", ")}]`,
      );
    wasCalled = true;
    return result;
  };
  const template = (...args: A): R => {
    if (scope !== undefined) return variableScope(scope, { reuse: wasCalled }, () => call(args));
    return open(made => {
      scope = made;
      return call(args);
    });
  };
  const listed = (collection: string): readonly Variable[] => (scope === undefined ? [] : scope.getCollection(collection)) as Variable[];
  const all = (): readonly Variable[] => [...listed(GraphKeys.GLOBAL_VARIABLES), ...listed(GraphKeys.LOCAL_VARIABLES)];
  const trained = (): readonly Variable[] => listed(GraphKeys.TRAINABLE_VARIABLES);
  const untrained = (): readonly Variable[] => all().filter(variable => !trained().includes(variable));
  const members = {
    func: () => func,
    variableScope: () => scope ?? null,
    varScope: () => scope ?? null,
    variableScopeName: () => (scope === undefined ? null : `${scope.name}/`),
    variables: all,
    weights: all,
    globalVariables: () => listed(GraphKeys.GLOBAL_VARIABLES),
    localVariables: () => listed(GraphKeys.LOCAL_VARIABLES),
    trainableVariables: trained,
    trainableWeights: trained,
    nonTrainableVariables: untrained,
    nonTrainableWeights: untrained,
  };
  Object.defineProperty(template, "name", { value: name });
  for (const [member, get] of Object.entries(members)) Object.defineProperty(template, member, { get, enumerable: true });
  return template as Template<A, R>;
}

/** The parts of a variable, `slicing` of them along each axis (one axis at most is cut). TF: tf.create_partitioned_variables.
 *  @throws ValueError for a scalar, or if `slicing` has another length than `shape`. */
export function createPartitionedVariables(
  shape: readonly number[],
  slicing: readonly number[],
  initializer: GetVariableOptions["initializer"],
  options: Pick<GetVariableOptions, "dtype" | "trainable" | "collections"> & {
    readonly name?: string | null;
    readonly reuse?: Reuse;
  } = {},
): Variable[] {
  const listed = (dims: readonly number[]): string => `[${dims.join(", ")}]`;
  if (shape.length !== slicing.length)
    throw new ValueError(
      `The 'shape' and 'slicing' of a partitioned Variable must have the length: shape: ${listed(shape)}, slicing: ${listed(slicing)}`,
    );
  if (shape.length < 1) throw new ValueError(`A partitioned Variable must have rank at least 1: shape: ${listed(shape)}`);
  const { name = null, reuse = null, ...rest } = options;
  return variableScope(name, { defaultName: "PartitionedVariable", reuse }, () => [
    ...getVariable("", shape, { ...rest, initializer, partitioner: () => slicing }),
  ]);
}
