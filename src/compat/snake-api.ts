// An API under TensorFlow's snake_case names: the type `SnakeApi` and the function `snakeApi` that makes it, namespaces and classes included.
// Objects keep their identity: a tensor is the same tensor through both doors, and answers to both spellings, because classes get a
// prototype that looks a missing snake_case name up under ours. Happens at the first call through this door.

import type { SnakeOf } from "../base/names.ts";
import { AttributeError, withHint } from "../base/errors.ts";
import { iteration } from "../base/iteration.ts";
import { camelOf, nearestName, snakeOf } from "../base/names.ts";
import type { NDArray } from "../base/ndarray.ts";
import type { DType } from "../base/dtype.ts";
import { isDType } from "../base/dtype.ts";
import type { DType as DTypeClass } from "../base/dtype-class.ts";
import type { MessageMethods, messageKind } from "../formats/message-class.ts";
import type { MessageName } from "../formats/messages.ts";
import type { TensorLike } from "../graph/conversion.ts";
import type { Graph } from "../graph/graph.ts";
import type { IndexedSlices } from "../graph/indexed-slices.ts";
import type { Operation, Tensor } from "../graph/operation.ts";
import type { LSTMStateTuple } from "../library/layers/rnn-cell.ts";
import type { Optimizer } from "../library/train/optimizer.ts";
import type { Variable } from "../library/variables/variables.ts";
import type { CheckpointSaverListener } from "../monitored/hooks-saving.ts";
import type { SessionRunHook } from "../monitored/session-run-hook.ts";
import type { Feeds } from "../session/feeds.ts";
import type { Fetches, Results } from "../session/fetches.ts";
import type { RunSettings, Session } from "../session/session.ts";
import { arrangeArguments, isOurForm, parseSignature, type Signature } from "./calls.ts";
import { attachDtypeMembers, type DTypeMembers } from "./dtype-members.ts";
import { kindOf, MessageFields } from "./message-fields.ts";
import { insteadOf } from "./missing-members.ts";
import { rawArguments } from "./raw-arguments.ts";

// ---- the type ----

// any: inference of any function
type AnyFunction = (...args: any[]) => unknown;
// any: inference of any class
type AnyClass = abstract new (...args: any[]) => object;

type Plain = string | number | boolean | bigint | symbol | null | undefined | ArrayBufferView | Promise<unknown>;

/** Tensors, operations, variables and the like. */
type Element = { readonly graph: unknown } | null | undefined;

/** A value that comes out of the door: the same object, answering to snake_case names as well. Of lists only those of graph elements are
 *  followed: what may be turned into a tensor nests without end. A dictionary keeps its keys. */
export type Snake<T> =
  T extends AsyncGenerator<infer E>
    ? AsyncGenerator<Snake<E>>
    : T extends Plain
      ? T extends DType
        ? T & DTypeMembers
        : T
      : T extends readonly (infer E)[]
        ? [E] extends [Element | readonly Element[]]
          ? { [K in keyof T]: Snake<T[K]> }
          : T
        : T extends AnyFunction
          ? keyof T extends never
            ? Decorator<T>
            : SnakeCall<T> & T & SecondNames<T>
          : T extends object
            ? string extends keyof T
              ? { [K in keyof T]: Snake<T[K]> }
              : SnakeObject<T>
            : T;

/** A list in a message, as Python's grow. */
interface MessageList<E> extends Array<E> {
  append(item: MessageItem<E>): void;
  extend(items: Iterable<MessageItem<E>>): void;
  /** Puts a message with these fields at the end; for lists of messages. */
  add(fields?: object): E;
}
type MessageItem<E> = E extends bigint ? bigint | number : E extends Uint8Array ? Uint8Array | string : E extends object ? object : E;
/** A message in a message is there to be filled, whether it is set or not. */
type MessageField<V> = V extends Uint8Array
  ? V
  : V extends readonly (infer E)[]
    ? MessageList<MessageField<E>>
    : V extends ReadonlyMap<unknown, infer E>
      ? V & { readonly [key: string]: MessageField<E> }
      : V extends object
        ? MessageMembers<V> & MessageMethods<V> & V
        : V;
type MessageMembers<T> = {
  readonly [K in keyof T as K extends string ? SnakeOf<K> : never]: T[K] extends AnyFunction
    ? T[K]
    : T[K] extends object | undefined
      ? MessageField<NonNullable<T[K]>>
      : T[K];
};

/** What takes a function of the program's own, as `tf.RegisterGradient("Name")` does, takes one that writes down this door's types. */
type Decorator<T extends AnyFunction> = [Parameters<T>[0]] extends [AnyFunction] ? T & ((body: AnyFunction) => ReturnType<T>) : T;

/** What programs write down most is known by a name, in messages too. */
type SnakeObject<T> = T extends { readonly [messageKind]: MessageName } ? MessageMembers<T> & T : KnownObject<T>;
type KnownObject<T> = [Tensor, T] extends [T, Tensor]
  ? SnakeTensor
  : [Variable, T] extends [T, Variable]
    ? SnakeVariable
    : [Operation, T] extends [T, Operation]
      ? SnakeOperation
      : [NDArray, T] extends [T, NDArray]
        ? SnakeNDArray
        : [Session, T] extends [T, Session]
          ? SnakeSession
          : SnakeMembers<T> & T;
type TensorMembers = SnakeMembers<Tensor> & Tensor;
export interface SnakeTensor extends TensorMembers {}
type VariableMembers = SnakeMembers<Variable> & Variable;
export interface SnakeVariable extends VariableMembers {}
type OperationMembers = SnakeMembers<Operation> & Operation;
export interface SnakeOperation extends OperationMembers {}
type NDArrayMembers = SnakeMembers<NDArray> & NDArray;
export interface SnakeNDArray extends NDArrayMembers {}

/** Layers are called, and give what the door's functions give. */
type SnakeCall<T extends AnyFunction> = T extends (...args: infer A) => infer R ? (...args: A) => Snake<R> : unknown;

/** What is callable may be extended (cells, layers), so methods whose name is the same in both spellings stay methods. */
type SecondNames<T> = {
  readonly [K in keyof T as K extends string ? (SnakeOf<K> extends K ? never : SnakeOf<K>) : never]: T[K] extends AnyFunction
    ? SnakeFunction<T[K], K>
    : Snake<T[K]>;
};

/** Several tensors by name are taken apart by place too: `const [values, indices] = tf.nn.top_k(x, 2)`. */
type InOrder<T> = string extends keyof T
  ? unknown
  : [keyof T] extends [never]
    ? unknown
    : T extends { readonly [K in keyof T]: Element | NDArray | readonly Element[] }
      ? Iterable<Snake<T[keyof T]>> & { readonly [index: number]: Snake<T[keyof T]> }
      : unknown;

type SnakeMembers<T> = Indexed<T> &
  InOrder<T> & {
    [K in keyof T as K extends string ? SnakeOf<K> : never]: T[K] extends AnyFunction ? SnakeFunction<T[K], K> : Snake<T[K]>;
  };

/** What a run gives, each array answering as the door's objects do. any: as where `Results` cannot tell. */
type SnakeResults<R> = 0 extends 1 & R
  ? any
  : R extends NDArray
    ? Snake<NDArray>
    : R extends { readonly c: NDArray; readonly h: NDArray }
      ? R
      : R extends readonly unknown[]
        ? { [K in keyof R]: SnakeResults<R[K]> }
        : Snake<R>;

interface RunArguments {
  readonly feed_dict?: Feeds | null;
  readonly options?: RunSettings["options"];
  readonly run_metadata?: RunSettings["runMetadata"];
}

/** A session, whose results follow from the fetches in this door's form as well. */
type SnakeSession = SessionRuns & SnakeMembers<Session> & Session;
interface SessionRuns {
  run<const F extends Fetches>(fetches: F, given: RunArguments): Promise<SnakeResults<Results<F>>>;
  run<const F extends Fetches>(fetches: F, feed_dict?: Feeds | null, given?: RunArguments): Promise<SnakeResults<Results<F>>>;
}

/** `x[0]` is `x.at(0)`. */
type Indexed<T> = T extends Tensor
  ? { readonly [index: number]: Snake<Tensor> }
  : T extends { at(index: number): infer R }
    ? { readonly [index: number]: Snake<R> } & (T extends { readonly [iteration]: (() => Iterator<infer E>) | undefined }
        ? Iterable<Snake<E>>
        : unknown)
    : unknown;

type SnakeKeys<T> = { [K in keyof T as K extends string ? SnakeOf<K> : K]: AnyFunction extends T[K] ? T[K] : SnakeCallback<T[K]> };
/** Functions of a program are called with what comes out of the door. */
type SnakeCallback<T> = T extends AnyFunction
  ? T extends (...args: infer A) => infer R
    ? (...args: { [K in keyof A]: Snake<A[K]> }) => R
    : T
  : T;
/** Options objects (all of whose fields may be left out) get their keys in snake_case; anything else is taken as it is. */
type SnakeArgument<T> = unknown extends T
  ? T
  : T extends Plain | readonly unknown[]
    ? T
    : T extends AnyFunction
      ? SnakeCallback<T>
      : string extends keyof T
        ? T
        : object extends T
          ? SnakeKeys<T>
          : T;
type SnakeArguments<A> = A extends readonly unknown[] ? { [K in keyof A]: SnakeArgument<A[K]> } : never;

/** Functions whose last argument is what happens inside: they give what it gives. */
type WithBody =
  | "asDefault"
  | "colocateWith"
  | "container"
  | "controlDependencies"
  | "device"
  | "initScope"
  | "nameScope"
  | "variableCreatorScope"
  | "variableScope"
  | "varScope";
/** any: what a scope is called with differs, and is named by few. */
type BodyFunction<K> = K extends WithBody ? <R>(...args: readonly [...unknown[], body: (scope: any) => R]) => R : unknown;

/** any: of a function with type parameters TypeScript keeps here only that there were some, and a result nobody can use helps no one. */
type Known<R> = unknown extends R
  ? any
  : R extends readonly (infer E)[]
    ? KnownItems<R, E>
    : R extends Promise<infer E>
      ? Later<E>
      : Snake<R>;
type KnownItems<R, E> = unknown extends E
  ? // any: as above
    any[]
  : Snake<R>;
type Later<E> = unknown extends E
  ? // any: as above
    Promise<any>
  : Promise<Snake<E>>;

/** Our parameters with snake_case options; also any arguments in TensorFlow's own order, which types do not follow.
 *  Up to four overloads are seen; where there are fewer, TypeScript repeats the first. */
type SnakeFunction<F, K = ""> = BodyFunction<K> &
  (F extends {
    (...args: infer A1): infer R1;
    (...args: infer A2): infer R2;
    (...args: infer A3): infer R3;
    (...args: infer A4): infer R4;
  }
    ? {
        (...args: SnakeArguments<A1>): Known<R1>;
        (...args: SnakeArguments<A2>): Known<R2>;
        (...args: SnakeArguments<A3>): Known<R3>;
        (...args: SnakeArguments<A4>): Known<R4>;
        (...args: readonly unknown[]): Known<R4>;
      }
    : F extends (...args: infer _) => infer R
      ? (...args: readonly unknown[]) => Known<R>
      : // any: a rest that is a readonly list matches nothing narrower
        F extends (...args: any) => infer R
        ? (...args: readonly unknown[]) => Known<R>
        : never);

/** What a branch or a loop gives for what it was given: numbers and lists of numbers have become tensors. */
type Made<V> = 0 extends 1 & V
  ? V
  : V extends number | bigint | boolean | string
    ? SnakeTensor
    : V extends readonly unknown[]
      ? IsNumbers<V[number]> extends true
        ? SnakeTensor
        : { [K in keyof V]: Made<V[K]> }
      : V;
/** Among others a state of no type (`any`) is no number. */
type IsNumbers<E> = 0 extends 1 & E ? false : [E] extends [number | readonly number[]] ? true : false;
/** One loop variable comes back by itself. */
type Looped<V> = V extends readonly [infer One] ? Made<One> : Made<V>;

/** What collections of these names hold; of others nobody knows. */
type Collected<K> = K extends "variables" | "trainable_variables" | "local_variables" | "model_variables" | "moving_average_variables"
  ? SnakeVariable[]
  : K extends "summaries" | "losses" | "regularization_losses"
    ? SnakeTensor[]
    : // any: as Graph.getCollection
      any[];

/** Functions with type parameters, of which TypeScript keeps nothing where a type is made of another. */
interface GenericFunctions {
  cond<R>(pred: unknown, true_fn: () => R, false_fn: () => R, ...rest: readonly unknown[]): Made<R>;
  cond<R>(pred: unknown, given: { readonly true_fn: () => R; readonly false_fn: () => R; readonly name?: string | null }): Made<R>;
  while_loop<const V extends readonly unknown[]>(
    // any: the loop variables in turn, as tensors
    cond: (...variables: any[]) => unknown,
    body: (...variables: any[]) => unknown,
    loop_vars: V,
    ...rest: readonly unknown[]
  ): Looped<V>;
  get_collection<const K extends string>(key: K, scope?: string | null): Collected<K>;
  clip_by_norm<T>(t: T, ...rest: readonly unknown[]): Clipped<T>;
  clip_by_value<T>(t: T, ...rest: readonly unknown[]): Clipped<T>;
}

/** Slices stay slices, numbers become a tensor. */
type Clipped<T> = [T] extends [IndexedSlices] ? T : IndexedSlices extends T ? SnakeTensor | Snake<IndexedSlices> : SnakeTensor;

/** What stands by a function itself. */
type FunctionMembers<F> = [keyof F] extends [never] ? unknown : SecondNames<F>;

/** Constructed with or without `new`. */
type SnakeClass<C, I> = (C extends abstract new (
  ...args: never
) => LSTMStateTuple<unknown>
  ? Makes<I>
  : C extends abstract new (
        ...args: infer A
      ) => object
    ? MakesOf<SnakeArguments<A>, I>
    : Makes<I>) & {
  readonly prototype: I;
} & {
  readonly [K in Exclude<keyof C, "prototype"> as K extends string ? SnakeOf<K> : never]: C[K] extends AnyClass
    ? SnakeClass<C[K], InstanceType<C[K]>>
    : C[K] extends AnyFunction
      ? SnakeFunction<C[K]>
      : C[K];
};
type Makes<I> = { new (...args: readonly unknown[]): SnakeInstance<I>; (...args: readonly unknown[]): SnakeInstance<I> };
/** What is known of the arguments comes first, so that functions among them have typed parameters. */
type MakesOf<A extends readonly unknown[], I> = {
  new (...args: A): SnakeInstance<I>;
  new (...args: readonly unknown[]): SnakeInstance<I>;
  (...args: A): SnakeInstance<I>;
  (...args: readonly unknown[]): SnakeInstance<I>;
};

/** What a class makes. Hooks are there to be extended, and TypeScript takes a mapped type's members for properties, which no method overrides. */
type SnakeInstance<I> = I extends SessionRunHook | CheckpointSaverListener
  ? SnakeFields<I> & I
  : I extends Optimizer
    ? Snake<I> & OptimizerInside
    : I extends LSTMStateTuple<unknown>
      ? LSTMStateTuple
      : Snake<I>;

type SnakeFields<I> = {
  readonly [K in keyof I as K extends string ? (I[K] extends AnyFunction ? never : SnakeOf<K>) : never]: Snake<I[K]>;
};

/** What an optimizer of a program's own finds in itself. */
interface OptimizerInside {
  readonly _name: string;
  readonly _use_locking: boolean;
  _zeros_slot(variable: Variable, slot_name: string, op_name: string): Snake<Variable>;
  _get_or_make_slot(variable: Variable, value: TensorLike, slot_name: string, op_name: string): Snake<Variable>;
  _create_non_slot_variable(initial_value: TensorLike, name: string, colocate_with: Variable): Snake<Variable>;
  _get_non_slot_variable(name: string, graph?: Graph | null): Snake<Variable>;
  _call_if_callable<T>(param: T | (() => T)): T;
}
export type Instance<C> = C extends AnyClass
  ? InstanceType<C> extends InstanceType<typeof DTypeClass>
    ? // As the door's members are: names with members.
      (DType & DTypeMembers) | SnakeInstance<InstanceType<C>>
    : SnakeInstance<InstanceType<C>>
  : never;

/** An API (a module's namespace) under snake_case names: functions, classes, constants, namespaces in it. */
export type SnakeApi<Api> = {
  readonly [K in keyof Api as K extends string ? SnakeOf<K> : never]: Api[K] extends AnyClass
    ? SnakeClass<Api[K], InstanceType<Api[K]>>
    : Api[K] extends AnyFunction
      ? (SnakeOf<K & string> extends infer N extends keyof GenericFunctions
          ? GenericFunctions[N] & SnakeFunction<Api[K], K>
          : SnakeFunction<Api[K], K>) &
          FunctionMembers<Api[K]>
      : Api[K] extends Plain | readonly unknown[]
        ? Snake<Api[K]>
        : SnakeApi<Api[K]>;
};

// ---- the mapping ----

const isClass = (value: unknown): value is AnyClass =>
  typeof value === "function" && /^class\b/.test(Function.prototype.toString.call(value));
const isNative = (value: unknown): boolean =>
  typeof value === "function" && /\{\s*\[native code\]\s*\}\s*$/.test(Function.prototype.toString.call(value));
/** A module's namespace, or an object of functions standing for one. */
const isNamespace = (value: unknown): value is object =>
  typeof value === "object" &&
  value !== null &&
  (Object.getPrototypeOf(value) === null || Object.getPrototypeOf(value) === Object.prototype);

/** Makes the door. `signatures` are TensorFlow's: `{ "nn.max_pool": "4 value ksize …" }`, methods under `Class.method`; `more` are members as they are;
 *  `prepare` is called before classes get their second spelling. */
export function snakeApi<Api extends object, More extends object>(
  api: Api,
  signatures: Readonly<Record<string, string>>,
  more = {} as More,
  prepare: () => void = () => {},
): SnakeApi<Api> & More {
  const door = new Door(api, signatures, prepare);
  return door.namespace(api, "", more) as SnakeApi<Api> & More;
}

/** A subclass that overrides methods and properties by their snake_case names overrides ours: `after_run` is called where we call `afterRun`. */
function adoptOverrides(subclass: object, base: object): void {
  for (let prototype = subclass; prototype !== base && prototype !== null; prototype = Object.getPrototypeOf(prototype) as object) {
    for (const name of Object.getOwnPropertyNames(prototype)) {
      const ours = camelOf(name.replace(/^_(?=[a-z])/, ""));
      if (ours === name || Object.hasOwn(prototype, ours)) continue;
      const { value, get } = Object.getOwnPropertyDescriptor(prototype, name) as PropertyDescriptor;
      if (typeof value === "function" && ours in base)
        Object.defineProperty(prototype, ours, { value, writable: true, configurable: true });
      else if (get) Object.defineProperty(prototype, ours, { get, configurable: true });
    }
  }
}

/** `x[0]`, `x.shape[-1]`: what has no such property is asked by its `at`. */
function itemAt(object: { readonly at?: unknown }, index: number): unknown {
  return typeof object.at === "function" ? Reflect.apply(object.at, object, [index]) : undefined;
}

/** The names of outputs, where a plain object is made of them, as an operation with several has it; its `op` is none. */
function outputNames(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null || !isNamespace(value) || !Object.isExtensible(value)) return [];
  const isElement = (item: unknown): boolean => typeof item === "object" && item !== null && "graph" in item;
  const outputs = Object.entries(value).filter(([name]) => name !== "op");
  return outputs.every(([, item]) => (Array.isArray(item) ? item.every(isElement) : isElement(item))) ? outputs.map(([name]) => name) : [];
}

/** `const [values, indices] = tf.nn.top_k(x, 2)`, as a named tuple is taken apart, and `quantized.output_min`. What a run of them gives has the same ways (session/fetches.ts). */
function takeByPlace(outputs: object, names: readonly string[]): void {
  const add = (key: PropertyKey, way: PropertyDescriptor): unknown => Object.defineProperty(outputs, key, { configurable: true, ...way });
  add(Symbol.iterator, {
    value(this: Readonly<Record<string, unknown>>) {
      return names.map(name => this[name]).values();
    },
  });
  for (const [i, name] of names.entries())
    for (const key of snakeOf(name) === name ? [i] : [i, snakeOf(name)])
      add(key, {
        get(this: Readonly<Record<string, unknown>>) {
          return this[name];
        },
      });
}

/** What JavaScript itself asks objects for. */
export const isOwnProtocol = (key: string): boolean =>
  ["constructor", "default", "inspect", "length", "name", "prototype", "then", "toJSON", "toString", "valueOf"].includes(key);

/** @throws AttributeError for a name that a namespace does not have, unless JavaScript itself asks for it. */
/** Names whose nearest ones would mislead. */
const insteadOfMember: Readonly<Record<string, string>> = {
  "train.Server": "A program is no server here: it trains by itself, with new tf.Session() or tf.train.MonitoredTrainingSession().",
  "train.SummaryWriter": "Renamed in TensorFlow 1.0: tf.summary.FileWriter(logdir, graph).",
};

function absent(target: object, path: string, key: string | symbol): undefined {
  if (typeof key !== "string" || isOwnProtocol(key) || !/^[A-Za-z]\w*$/.test(key)) return undefined;
  const error = new AttributeError(`module 'tf${path === "" ? "" : `.${path}`}' has no attribute '${key}'`);
  const near = nearestName(key, Object.keys(target).map(snakeOf));
  const instead = insteadOfMember[`${path}.${key}`];
  if (instead !== undefined) throw withHint(error, instead);
  throw withHint(
    error,
    near === undefined ? "docs/support.md lists what there is." : `There is '${near}'. docs/support.md lists what there is.`,
  );
}

/** @throws AttributeError for a member that is known to be missing. */
function refuseMember(classes: readonly string[], key: string, what: "object" | "type"): undefined {
  const instead = insteadOf(classes, key);
  if (instead === undefined) return undefined;
  const name = (classes[0] ?? "").replace(/^.*\./, "");
  const text = what === "object" ? `'${name}' object has no attribute '${key}'` : `type object '${name}' has no attribute '${key}'`;
  throw withHint(new AttributeError(text), instead);
}

class Door {
  private readonly api: object;
  private readonly signatures: Readonly<Record<string, string>>;
  private readonly prepare: () => void;
  private readonly parsed = new Map<string, Signature | undefined>();
  /** Prototypes that need nothing more: those with a second spelling, and built-in ones. */
  private readonly adopted = new WeakSet<object>();
  private readonly methodSignatures = new WeakMap<AnyFunction, Signature>();
  private readonly secondMethods = new WeakMap<AnyFunction, AnyFunction>();
  private readonly innerClasses = new WeakMap<AnyClass, AnyClass>();
  /** Public names of classes, by their prototypes. */
  private readonly paths = new WeakMap<object, string>();
  private isOpen = false;
  /** What stands above functions with members of their own. */
  private functions: object | undefined;
  private readonly messages = new MessageFields(parent => this.secondSpelling(parent));

  constructor(api: object, signatures: Readonly<Record<string, string>>, prepare: () => void) {
    this.api = api;
    this.prepare = prepare;
    this.signatures = signatures;
  }

  private signature(path: string): Signature | undefined {
    if (!this.parsed.has(path)) {
      const text = Object.hasOwn(this.signatures, path) ? this.signatures[path] : undefined;
      this.parsed.set(path, text === undefined ? undefined : parseSignature(path, text));
    }
    return this.parsed.get(path);
  }

  /** A namespace whose members are looked up under our spelling. */
  namespace(target: object, path: string, more: object = {}): object {
    const members = new Map<string, unknown>();
    const nameOf = (key: string | symbol): string | undefined => {
      if (typeof key !== "string") return undefined;
      const ours = camelOf(key);
      return Object.hasOwn(target, ours) && snakeOf(ours) === key ? ours : undefined;
    };
    const get = (key: string | symbol): unknown => {
      const ours = nameOf(key);
      if (ours === undefined) return Object.hasOwn(more, key) ? Reflect.get(more, key) : absent(target, path, key);
      const name = key as string;
      if (!members.has(name))
        members.set(name, this.member((target as Record<string, unknown>)[ours], path === "" ? name : `${path}.${name}`));
      return members.get(name);
    };
    return new Proxy(Object.create(null) as object, {
      get: (_, key) => get(key),
      has: (_, key) => nameOf(key) !== undefined,
      ownKeys: () => Object.keys(target).map(snakeOf),
      getOwnPropertyDescriptor: (_, key) =>
        nameOf(key) === undefined ? undefined : { value: get(key), enumerable: true, configurable: true, writable: false },
    });
  }

  private member(value: unknown, path: string): unknown {
    if (isClass(value)) return this.class(value, path);
    if (typeof value === "function") return this.function(value as AnyFunction, path);
    if (isDType(value)) attachDtypeMembers();
    return isNamespace(value) ? this.namespace(value, path) : value;
  }

  private function(value: AnyFunction, path: string): AnyFunction {
    const call = (...given: unknown[]): unknown => {
      this.open();
      const all = arrangeArguments(this.signature(path), given);
      return this.met(value(...(path.startsWith("raw_ops.") ? rawArguments(path.slice("raw_ops.".length), all) : all)));
    };
    // What stands by the function itself: `tf.zeros_initializer.from_config(…)`.
    for (const [key, member] of Object.entries(value))
      if (typeof member === "function")
        Object.defineProperty(call, snakeOf(key), { value: this.function(member as AnyFunction, `${path}.${snakeOf(key)}`) });
    return Object.defineProperty(call, "name", { value: path.slice(path.lastIndexOf(".") + 1) });
  }

  /** The class behind a proxy, so that `instanceof` and subclasses work; called without `new` it constructs, as in Python. */
  private class(value: AnyClass, path: string): AnyClass {
    const construct = (given: readonly unknown[], newTarget: Parameters<typeof Reflect.construct>[2]): object => {
      this.open();
      if (newTarget !== value) adoptOverrides((newTarget as AnyClass).prototype as object, value.prototype as object);
      return this.made(Reflect.construct(value, arrangeArguments(this.signature(path), given), newTarget));
    };
    return new Proxy(value, {
      construct: (_, given, newTarget) => construct(given, newTarget),
      apply: (_, __, given) => construct(given, value),
      get: (target, key) => {
        const found: unknown = Reflect.get(target, typeof key === "string" && !(key in target) ? camelOf(key) : key, target);
        if (found === undefined && typeof key === "string") return refuseMember([path], key, "type");
        if (key === "FromString") return (bytes: unknown) => this.met(Reflect.apply(found as AnyFunction, target, [bytes]));
        if (typeof key === "string" && isClass(found) && /^[A-Z]/.test(key)) return this.inner(found, `${path}.${key}`);
        return typeof key === "string" && typeof found === "function"
          ? this.static(found as AnyFunction, `${path}.${snakeOf(key)}`)
          : found;
      },
    });
  }

  /** A class that is declared inside of another: `tf.Summary.Value`. */
  private inner(value: AnyClass, path: string): AnyClass {
    let found = this.innerClasses.get(value);
    if (found === undefined) {
      this.adopt(value.prototype as object, path);
      found = this.class(value, path);
      this.innerClasses.set(value, found);
    }
    return found;
  }

  /** A message that a program makes answers as Python's from the start. */
  private made(value: object): object {
    const kind = kindOf(value);
    if (kind === undefined) return value;
    this.adopt(Object.getPrototypeOf(value), undefined);
    this.messages.adopt(value, kind);
    return value;
  }

  /** What is iterated over with `for await` is met item by item. */
  private async *eachMet<T>(items: AsyncGenerator<T>): AsyncGenerator<T> {
    for await (const item of items) yield this.met(item);
  }

  /** A method of a class itself, with TensorFlow's order of arguments where that is known. */
  private static(ours: AnyFunction, path: string): AnyFunction {
    const signature = isClass(ours) ? undefined : this.signature(path);
    // Of any number of arguments one object may be the only one: `Dataset.zip({ first_words, labels })`.
    if (signature === undefined || signature.isVariadic) return ours;
    this.methodSignatures.set(ours, signature);
    return this.secondMethod(ours);
  }

  /** Gives the classes of the API their second spelling, once, when the door is first used. */
  private open(): void {
    if (this.isOpen) return;
    this.isOpen = true;
    attachDtypeMembers();
    this.prepare();
    this.walk(this.api, "", new Set());
  }

  private walk(namespace: object, path: string, seen: Set<object>): void {
    if (seen.has(namespace)) return;
    seen.add(namespace);
    for (const [name, value] of Object.entries(namespace)) {
      const inner = path === "" ? snakeOf(name) : `${path}.${snakeOf(name)}`;
      if (isClass(value)) this.adopt(value.prototype as object, inner);
      else if (isNamespace(value)) this.walk(value, inner, seen);
    }
  }

  /** Results of classes that the API does not export learn their second spelling when they are first met. */
  private met<T>(value: T): T {
    if (value instanceof Promise) return value.then(item => this.met(item)) as T;
    if (Object.prototype.toString.call(value) === "[object AsyncGenerator]") return this.eachMet(value as AsyncGenerator) as T;
    const names = outputNames(value);
    if (names.length > 0) takeByPlace(value as object, names);
    else if (Array.isArray(value)) for (const item of value.slice(0, 64)) this.met(item);
    else if (typeof value === "object" && value !== null && !isNamespace(value)) this.adopt(Object.getPrototypeOf(value), undefined);
    else if (typeof value === "function" && Object.keys(value).length > 0 && Object.getPrototypeOf(value) === Function.prototype) {
      // A function with members of its own: an initializer, a template.
      this.functions ??= this.secondSpelling(Function.prototype);
      Object.setPrototypeOf(value, this.functions);
    }
    const kind = kindOf(value);
    if (kind !== undefined) this.messages.adopt(value as object, kind);
    return value;
  }

  private adopt(prototype: object, path: string | undefined): void {
    let current = prototype;
    if (path !== undefined) this.paths.set(prototype, path);
    for (;;) {
      if (path !== undefined) this.adoptMethods(current, path);
      if (this.adopted.has(current)) return;
      this.adopted.add(current);
      if (isNative(current.constructor)) return;
      const parent: object | null = Object.getPrototypeOf(current);
      if (parent === null) return;
      if (isNative(parent.constructor)) {
        Object.setPrototypeOf(current, this.secondSpelling(parent));
        return;
      }
      current = parent;
    }
  }

  /** Stands between the topmost class of ours and a built-in one: a name that nobody has is looked up under our spelling. */
  private secondSpelling(parent: object): object {
    const isOther = (key: string | symbol): key is string => typeof key === "string" && camelOf(key) !== key;
    return new Proxy(Object.create(parent) as object, {
      get: (target, key, receiver) => {
        if (typeof key === "string" && /^-?\d+$/.test(key)) return itemAt(receiver, Number(key));
        if (key === Symbol.iterator) return Reflect.get(receiver, iteration, receiver) ?? Reflect.get(target, key, receiver);
        if (!isOther(key))
          return typeof key === "string" && !(key in target) ? this.lacking(receiver, key) : Reflect.get(target, key, receiver);
        // What Python keeps to classes and their subclasses begins with an underscore: `self._zeros_slot(…)`.
        const inner = /^_[a-z]/.test(key) ? camelOf(key.slice(1)) : key;
        const value: unknown = Reflect.get(receiver, inner !== key && inner in receiver ? inner : camelOf(key), receiver);
        // Layers and cells can be called as well, and are no functions.
        if (value instanceof Function && !isClass(value)) return this.secondMethod(value as AnyFunction);
        if (value === undefined) return this.messages.unset(receiver, key) ?? this.lacking(receiver, key);
        // What a run has put into a message since it was made is met here.
        if (kindOf(receiver) !== undefined) this.made(receiver as object);
        return kindOf(value) === undefined ? value : this.made(value as object);
      },
      set: (target, key, value, receiver) => {
        const ours = isOther(key) ? camelOf(key) : key;
        return ours !== key && ours in receiver ? Reflect.set(receiver, ours, value, receiver) : Reflect.set(target, key, value, receiver);
      },
    });
  }

  /** @throws AttributeError for a member that TensorFlow's class has and ours has not, with what to do instead. */
  private lacking(object: object, key: string): undefined {
    const classes: string[] = [];
    for (let each: object | null = object; each !== null; each = Object.getPrototypeOf(each) as object | null) {
      const path = this.paths.get(each);
      if (path !== undefined) classes.push(path);
      const { constructor } = Object.getOwnPropertyDescriptors(each) as { constructor?: PropertyDescriptor };
      if (typeof constructor?.value === "function") classes.push((constructor.value as AnyFunction).name);
    }
    return refuseMember(classes, key, "object");
  }

  private secondMethod(ours: AnyFunction): AnyFunction {
    let method = this.secondMethods.get(ours);
    if (!method) {
      const call = (self: unknown, given: readonly unknown[]): unknown =>
        this.met(Reflect.apply(ours, self, arrangeArguments(this.methodSignatures.get(ours), given)));
      method = function (this: unknown, ...given: unknown[]): unknown {
        return call(this, given);
      };
      this.secondMethods.set(ours, method);
    }
    return method;
  }

  /** Notes TensorFlow's argument order of each method. One whose name is the same in both spellings learns to take both forms. */
  private adoptMethods(prototype: object, path: string): void {
    for (const [name, { value, ...rest }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      const signature = name === "constructor" || typeof value !== "function" ? undefined : this.signature(`${path}.${snakeOf(name)}`);
      if (signature === undefined || this.methodSignatures.has(value)) continue;
      this.methodSignatures.set(value, signature);
      if (snakeOf(name) !== name) continue;
      const call = (self: unknown, given: readonly unknown[]): unknown => this.met(Reflect.apply(value, self, given));
      const both = function (this: unknown, ...given: unknown[]): unknown {
        return call(this, isOurForm(signature, given) ? given : arrangeArguments(signature, given));
      };
      this.methodSignatures.set(both, signature);
      Object.defineProperty(prototype, name, { ...rest, value: both });
    }
  }
}
