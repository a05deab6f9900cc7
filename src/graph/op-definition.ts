// defineOp: an op is one entry: signature, shape, gradient, lowering and algebra side by side. The node holds the definition itself,
// so nothing is looked up by name while running, and bundlers drop the ops that nobody uses.

import type { DType } from "../base/dtype.ts";
import type { NDArray } from "../base/ndarray.ts";
import type { TensorShape } from "../base/shape.ts";
import type { State, Value } from "../ir/program.ts";
import type { Attr } from "./attributes.ts";
import { buildOperation } from "./build-operation.ts";
import type { TensorLike } from "./conversion.ts";
import type { Wanted } from "./expand-calls.ts";
import type { Expansion } from "./functions.ts";
import type { IndexedSlices } from "./indexed-slices.ts";
import type { Operation, Tensor } from "./operation.ts";

/** Values of a small integer tensor as far as they are known while the graph is built; null where unknown. Rank 0 or 1. */
export interface PartialArray {
  readonly shape: readonly number[];
  readonly values: readonly (number | null)[];
  /** Good for shapes alone, as TensorFlow follows them: a partly known vector, not a constant. A single number of a Shape's own ("direct") is one. */
  readonly isShapeOnly?: "direct" | "derived" | undefined;
}

/** What a shape function may ask besides its record. */
export interface ShapeContext {
  /** The value of an input, if it is known while the graph is built. */
  constant(input: string, index?: number): NDArray | undefined;
  /** Values of a small integer input, as far as known. */
  partial(input: string, index?: number): PartialArray | undefined;
  /** The size that an integer scalar input stands for. With a rank it is an axis of that rank, from the end where negative. */
  scalarSize(input: string, rank?: number | null): number | null;
  /** The shape that an integer vector input stands for, as far as known. Where scalars are admitted they stand for any. */
  shapeFrom(input: string, admitsScalars?: boolean): TensorShape;
  /** Static shape and type of what a resource input holds. */
  handle(input: string): { readonly dtype: DType; readonly shape: TensorShape } | undefined;
  /** The dtype of an input. */
  dtype(input: string, index?: number): DType;
  /** The static shape of an input, for `holds`, whose record has the attributes alone. */
  shapeOf(input: string): TensorShape;
  readonly name: string;
}

/** What a lowering may ask besides its record. */
export interface LowerContext {
  /** The operation's name, for error messages and state names. */
  readonly name: string;
  readonly op: Operation;
  /** What TensorFlow's kernel calls an input in its messages. */
  runName(input: string): string;
  /** The state a variable op owns, or a random op's generator. */
  state(state: State): StateHandle;
  /** The object of the session behind a handle. */
  resource(handle: StateHandle): object;
  /** A handle of the object that this op names. */
  object(): StateHandle;
  /** An input's value, if it is known while compiling; for inputs that are fast when known but need not be (slice's `begin`). */
  known(input: string, index?: number): NDArray | undefined;
  /** An input's value; where it is only known while running, the run is cut before this op to get it. */
  required(input: string): NDArray;
  /** The concrete shapes and types of the outputs, as inferred from concrete inputs; unknown dimensions are null. */
  readonly outputShapes: readonly TensorShape[];
  /** How many rows of an input of `cappedInputs` count, if that is known only while running: an int32 scalar. Those behind hold anything. */
  rows(input: string): Value | undefined;
  /** The same for two inputs that must have equally many rows (the second may be a scalar). */
  sharedRows(first: string, second: string): Value | undefined;
  /** Upper bounds of an integer input, element by element, where they are known while compiling. */
  atMost(input: string): NDArray | undefined;
  /** May this op give capped results? Not where something reads them that needs their size. */
  readonly mayCap: boolean;
  /** Marks a result of which only the first `rows` (int32 scalar) count; its size is the most there can be. */
  capped(value: Value, rows: Value): Value;
  /** Marks an integer result that is known to be no larger than `limit` while compiling. */
  bounded(value: Value, limit: NDArray): Value;
  /** What an earlier attempt to lower has found the elements of this op's list to be like. */
  readonly elementShape: readonly number[] | undefined;
  /** A list [size] of which nothing says yet what its elements are like; what reads it for more than its size calls `settle`. */
  open(list: Value): Value;
  isOpen(list: Value): boolean;
  /** Tells what the elements of an open list are like: lowering starts again with a list of such elements. */
  settle(list: Value, element: readonly number[]): never;
  /** Stops lowering: objects of this run have to be kept on the host. */
  keepOnHost(): never;
}

/** An object of the session that a handle stands for: a table, a queue. Equal ids share one. */
export interface HostObject {
  readonly id: string;
  readonly make: () => object;
}

/** The values of `fetches`, given those of other tensors. */
export type SideRun = (fetches: readonly Tensor[], feeds: ReadonlyMap<Tensor, NDArray>) => Promise<readonly NDArray[]>;

/** What an operation of the host may ask besides its record. */
export interface HostContext {
  readonly name: string;
  readonly op: Operation;
  /** Aborted when the run is cancelled: what waits must stop. */
  readonly signal: AbortSignal;
  /** Another run of the session, of tensors of any graph: how a dataset calls its functions. */
  readonly run: SideRun;
  /** An object of the session, made if there is none of its id: for operations that no handle tells it. */
  readonly object: (object: HostObject) => object;
  /** Gives states of the session that began with a value (generators), and whose ids begin so, that value again. */
  readonly restart: (prefix: string) => void;
}

/** A variable as lowerings see it: a ref or resource input. */
export interface StateHandle {
  readonly state: State;
  /** The value at this point of the run. `isDemanded`: the run fails if there is none, even where nobody uses it. */
  read(isDemanded?: boolean): Value;
  /** Makes `value` the state's value from here on; returns this handle. */
  write(value: Value): StateHandle;
  /** A bool scalar: does it hold a value when the run begins, or was it written since? */
  isInitialized(): Value;
}

// ---- types of the callbacks' records, derived from the signature ----

type Specs = Readonly<Record<string, string>>;
type Attrs = Readonly<Record<string, Attr>>;
// `any`: inference position
type AttrOf<A> = A extends Attr<infer T, any> ? T : never;
export type AttrValues<A extends Attrs> = { readonly [K in keyof A]: AttrOf<A[K]> };

type IsList<S extends string, A> = S extends `${string}*${string}`
  ? true
  : S extends keyof A
    ? AttrOf<A[S]> extends readonly unknown[]
      ? true
      : false
    : false;
type IsHandle<S extends string> = S extends `Ref(${string})` | "resource" ? true : false;
type Each<I extends Specs, A, Item> = { readonly [K in keyof I]: IsList<I[K], A> extends true ? readonly Item[] : Item };

export type ShapeRecord<I extends Specs, A extends Attrs> = Each<I, A, TensorShape> & AttrValues<A>;
export type CheckRecord<I extends Specs, A extends Attrs> = Each<I, A, readonly number[]> & AttrValues<A>;
export type TensorRecord<I extends Specs, O extends Specs, A extends Attrs> = Each<I, A, Tensor> & Each<O, A, Tensor> & AttrValues<A>;
export type StaticRecord<I extends Specs, A extends Attrs> = Each<I, A, Tensor> & AttrValues<A>;
export type PartialRecord<I extends Specs, A extends Attrs> = Each<I, A, PartialArray | undefined> &
  AttrValues<A> & {
    readonly shapes: Each<I, A, TensorShape>;
    readonly outputIndex: number;
    /** Is the input a Const node itself, rather than computed from some? */
    readonly isLiteral: (input: string) => boolean;
  };
export type LowerRecord<I extends Specs, A extends Attrs, C extends string> = {
  readonly [K in keyof I]: K extends C
    ? IsList<I[K], A> extends true
      ? readonly NDArray[]
      : NDArray
    : IsHandle<I[K]> extends true
      ? StateHandle
      : IsList<I[K], A> extends true
        ? readonly Value[]
        : Value;
} & AttrValues<A>;

/** Arrays by input name, and the objects that handles stand for. */
export type HostRecord<I extends Specs, A extends Attrs> = {
  readonly [K in keyof I]: IsHandle<I[K]> extends true ? object : IsList<I[K], A> extends true ? readonly NDArray[] : NDArray;
} & AttrValues<A>;
export type HostResult = NDArray | readonly NDArray[] | undefined | void;

/** What lowerings return: one result, several in order (lists flattened), or nothing for ops without outputs. */
export type Lowered = Value | StateHandle | readonly (Value | StateHandle)[] | undefined | void;
export type Shaped = TensorShape | readonly TensorShape[] | undefined | void;
export type Gradient = Tensor | IndexedSlices | null | undefined;
/** Gradients of outputs by name; asking for one that nothing flows into gives zeros. */
export type OutputGradients<O extends Specs, A> = Each<O, A, Tensor>;
/** Gradients by input name. Ops whose gradients name each other annotate the callback with it (`: Gradients`), which breaks the circle of inference. */
export type Gradients = { readonly [input: string]: Gradient | readonly Gradient[] };

/** What a simplification may look at: the same record as the gradient, and whether an input is a known constant. */
export interface SimplifyContext {
  constant(input: string): NDArray | undefined;
}

/** What a call of functions is in other nodes. Made by `calls` (graph/copy-calls.ts). */
export interface Calls {
  readonly nodes: (op: Operation, inputs: readonly Tensor[]) => Expansion;
  /** The request to a copy of the operations, in which there are no calls. */
  readonly copy: (needed: readonly Operation[], wanted: Wanted) => Wanted;
}

export interface OpFields<I extends Specs, O extends Specs, A extends Attrs, C extends string> {
  /** Input name → type: `"T"` (an attribute), `"float32"`, `"N*T"`, `"Tlist"` (a list(type) attribute), `"Ref(T)"`, `"resource"`. */
  readonly inputs: I;
  readonly outputs: O;
  readonly attrs: A;
  /** Output shapes from input shapes. @throws ValueError with TensorFlow's reason; the node's text is added. */
  readonly shape: (record: ShapeRecord<I, A>, context: ShapeContext) => Shaped;
  /** Gradients by input name, made of ops; `flows` says which outputs have a gradient at all (asking `d` for others makes zeros). "none": TensorFlow's NotDifferentiable (null, no error). Without this field: LookupError. */
  readonly gradient?:
    | ((record: TensorRecord<I, O, A>, d: OutputGradients<O, A>, op: Operation, flows: (output: string) => boolean) => Gradients)
    | "none";
  /** The gradient passes IndexedSlices on as they are; elsewhere they are made dense first. */
  readonly takesSlices?: boolean;
  /** What TensorFlow's kernel refuses of the shapes it is given, in its words: asked when they are known, before `lower` and `host`.
   *  Other refusals of the shape function hold then, too. @throws OpError */
  readonly checks?: (record: CheckRecord<I, A>, op: Operation) => void;
  /** The kernel takes shapes that the shape function refuses: once running, `checks` and `lower` alone decide. */
  readonly isLenient?: boolean;
  /** The same op in primitives. Without this field: the op builds and exports, but does not run here. */
  readonly lower?: (record: LowerRecord<I, A, C>, context: LowerContext) => Lowered;
  /** Instead of `lower`, where the shapes of results are only known when they are there, or have to be waited for: arrays in, arrays out, on the host. */
  readonly host?: (record: HostRecord<I, A>, context: HostContext) => HostResult | Promise<HostResult>;
  /** The same as `lower` on the host, for what lives in one run (a TensorArray, a stack) and is used by a loop that runs iteration by iteration:
   *  results in order, objects for handles. */
  readonly onHost?: (record: HostRecord<I, A>, context: HostContext) => readonly object[];
  /** `host` may wait for another run. */
  readonly waits?: boolean;
  /** What the handle or list that the op gives holds, as far as known while the graph is built. */
  readonly holds?: (attrs: AttrValues<A>, context: ShapeContext) => { readonly dtype: DType; readonly shape: TensorShape } | undefined;
  /** For an op that names an object of the session: its only output is the handle. `lower` only if the object is to be told the inputs. */
  readonly resource?: (attrs: AttrValues<A>, op: Operation) => HostObject;
  /** Inputs whose values must be known to compile (reshape's `shape`): `lower` gets them as arrays. */
  readonly compileTimeInputs?: readonly C[];
  /** Inputs that may have more rows (axis 0) than count; `lower` asks `context.rows` for how many do. */
  readonly cappedInputs?: readonly (string & keyof I)[];
  /** Sizes of results depend on the values of inputs, and on nothing else: where these are known only while running, the op is computed
   *  between two segments. True by default for ops whose inputs are all compile-time inputs. */
  readonly sizesFromValues?: boolean;
  /** Each element of the output depends on the elements of the inputs at its position, broadcast. */
  readonly isElementwise?: boolean;
  /** Larger integer inputs give no smaller outputs: bounds of the inputs give bounds of the output. */
  readonly isMonotone?: boolean;
  /** The same in other nodes, made in the default graph under the op's name: for calls of functions, which have no lowering of their own. */
  readonly expand?: Calls;
  /** The output's values as far as known while the graph is built (first output; small integer tensors only). */
  readonly partial?: (record: PartialRecord<I, A>) => PartialArray | undefined;
  /** The value of an output as Python's `constant_value` knows it while the graph is built; without this field it knows nothing of this op.
   *  Functions choose by it which nodes to make (graph/static-value.ts). */
  readonly staticValue?: (record: StaticRecord<I, A>, outputIndex: number, output: Tensor) => NDArray | undefined;
  /** The shape that the output, a vector, stands for, as `constant_value_as_shape` follows it; undefined: what `staticValue` says. */
  readonly staticShape?: (record: StaticRecord<I, A>) => TensorShape | undefined;
  /** What constants give for the shapes of what reads the outputs, where that is not what `lower` computes; undefined where an output is dead or may be fed. */
  readonly fold?: (inputs: readonly NDArray[]) => readonly (NDArray | undefined)[];
  /** `partial` may be asked with vectors that are good for shapes alone; other ops are computed from constants. */
  readonly followsShapes?: boolean;
  /** An equal tensor that is cheaper (`x·1 → x`), or undefined. */
  readonly simplify?: (record: TensorRecord<I, O, A>, context: SimplifyContext) => Tensor | undefined;
  /** Has effects or a state of its own: never folded, shared or dropped when needed. */
  readonly stateful?: boolean;
  /** Writes no variable, though it takes one by reference or is stateful. */
  readonly onlyReads?: boolean;
  readonly commutative?: boolean;
  /** May read a ref input that holds no value yet (Assign, IsVariableInitialized). */
  readonly allowsUninitializedInput?: boolean;
  /** Has no value of its own: it must be fed. */
  readonly isPlaceholder?: boolean;
  /** Its output is its first input, unchanged. */
  readonly isCopy?: boolean;
  /** Moves elements of any type, handles too: those are values then, the numbers of the operations that made them. */
  readonly movesHandles?: boolean;
  /** The value goes to the next pass of a loop: what reads it may be older. */
  readonly endsPass?: boolean;
  /** The version of graphs from which on there is no such op, and what TensorFlow says of it: only older graphs hold it. */
  readonly removed?: readonly [version: number, explanation: string];
}

/** An op definition with its types forgotten: what nodes hold and shared code uses. */
export interface OpDefinition {
  readonly type: string;
  readonly inputs: Specs;
  readonly outputs: Specs;
  readonly attrs: Attrs;
  // `any`: the record's type is checked where the op is defined; shared code only passes it on
  readonly shape: (record: any, context: ShapeContext) => Shaped;
  // `any`: as above
  readonly gradient?: ((record: any, d: any, op: Operation, flows: (output: string) => boolean) => any) | "none" | undefined;
  readonly takesSlices?: boolean | undefined;
  // `any`: as above
  readonly checks?: ((record: any, op: Operation) => void) | undefined;
  readonly isLenient?: boolean | undefined;
  // `any`: as above
  readonly lower?: ((record: any, context: LowerContext) => Lowered) | undefined;
  // `any`: as above
  readonly host?: ((record: any, context: HostContext) => HostResult | Promise<HostResult>) | undefined;
  // `any`: as above
  readonly onHost?: ((record: any, context: HostContext) => readonly object[]) | undefined;
  readonly waits?: boolean | undefined;
  // `any`: as above
  readonly holds?: ((attrs: any, context: ShapeContext) => { readonly dtype: DType; readonly shape: TensorShape } | undefined) | undefined;
  // `any`: as above
  readonly resource?: ((attrs: any, op: Operation) => HostObject) | undefined;
  readonly compileTimeInputs?: readonly string[] | undefined;
  readonly cappedInputs?: readonly string[] | undefined;
  readonly sizesFromValues?: boolean | undefined;
  readonly isElementwise?: boolean | undefined;
  readonly isMonotone?: boolean | undefined;
  readonly expand?: Calls | undefined;
  // `any`: as above
  readonly partial?: ((record: any) => PartialArray | undefined) | undefined;
  // `any`: as above
  readonly staticValue?: ((record: any, outputIndex: number, output: Tensor) => NDArray | undefined) | undefined;
  // `any`: as above
  readonly staticShape?: ((record: any) => TensorShape | undefined) | undefined;
  readonly fold?: ((inputs: readonly NDArray[]) => readonly (NDArray | undefined)[]) | undefined;
  readonly followsShapes?: boolean | undefined;
  // `any`: as above
  readonly simplify?: ((record: any, context: SimplifyContext) => Tensor | undefined) | undefined;
  readonly stateful?: boolean | undefined;
  readonly onlyReads?: boolean | undefined;
  readonly commutative?: boolean | undefined;
  readonly allowsUninitializedInput?: boolean | undefined;
  readonly isPlaceholder?: boolean | undefined;
  readonly isCopy?: boolean | undefined;
  readonly movesHandles?: boolean | undefined;
  readonly endsPass?: boolean | undefined;
  /** Inputs and outputs that are handles of objects though their type is a string's. */
  readonly handles?: readonly string[] | undefined;
  readonly removed?: readonly [version: number, explanation: string] | undefined;
}

// ---- calling an op ----

/** Types and counts are inferred from inputs where they can be, so every attribute is optional in the type; a missing one is reported at run time. */
type CallAttrs<A extends Attrs> = { readonly [K in keyof A]?: AttrOf<A[K]> | undefined };
type CallInputs<I extends Specs, A> = { readonly [K in keyof I]: IsList<I[K], A> extends true ? readonly TensorLike[] : TensorLike };
export type CallResult<O extends Specs, A> = [keyof O] extends [never]
  ? Operation
  : IsSingle<keyof O> extends true
    ? IsList<O[keyof O] & string, A> extends true
      ? readonly Tensor[]
      : Tensor
    : Each<O, A, Tensor> & { readonly op: Operation };
type IsSingle<K> = [K] extends [UnionToIntersection<K>] ? true : false;
// `any`: the usual distributive trick needs a parameter position
type UnionToIntersection<U> = (U extends any ? (x: U) => void : never) extends (x: infer X) => void ? X : never;

/** How a node is to be named: a name, a name scope's string ending in "/", or nothing for the default. */
export interface Named {
  readonly name?: string | { toString(): string } | null | undefined;
}

/** A callable op: `MatMul({ a, b, transposeA: false }, { name })` makes a node; one record of inputs and attributes, as tf.raw_ops. */
export interface Op<I extends Specs, O extends Specs, A extends Attrs> extends OpDefinition {
  (record: CallInputs<I, A> & CallAttrs<A>, options?: Named): CallResult<O, A>;
}

/** Defines an op. `type` is TensorFlow's name; input, output and attribute names are TensorFlow's in camelCase. */
export function defineOp<const I extends Specs, const O extends Specs, const A extends Attrs, const C extends string & keyof I = never>(
  type: string,
  fields: OpFields<I, O, A, C>,
): Op<I, O, A> {
  // `any`: the callable and its fields are one object; the declared result says what it is
  const op: any = (record: Readonly<Record<string, unknown>>, options?: Named) => buildOperation(op, record, options?.name);
  return Object.assign(op, { type, ...fields });
}

/** An op whose record is not typed: nobody but importers makes its nodes. */
export interface UntypedOp extends OpDefinition {
  (record: Readonly<Record<string, unknown>>, options?: Named): unknown;
}

/** The same op under another name, with what differs in place of its own fields; without the gradient, which TensorFlow registers by name. */
export function renameOp(type: string, of: OpDefinition, changes: Partial<OpDefinition> = {}): UntypedOp {
  // `any`: as in defineOp
  const op: any = (record: Readonly<Record<string, unknown>>, options?: Named) => buildOperation(op, record, options?.name);
  const { type: _, gradient: _gradient, ...fields } = { ...of };
  return Object.assign(op, { ...fields, ...changes, type });
}
