// Records functions of the vector language: statements in order, locals as live ranges. Nothing here prints, and no kernel lives here.
// A local belongs to the block that declared it and is set there first, so its live range needs no data flow analysis: it runs from
// its declaration to its last use, or to the end of the outermost loop it is used in that began after the declaration.

import { InternalError } from "../../base/errors.ts";
import type {
  Arg,
  AtomicOperation,
  Expr,
  FunctionImport,
  KernelFunction,
  KernelModule,
  LaneName,
  LiveRange,
  Local,
  MemoryImport,
  ScalarAccess,
  ScalarType,
  Statement,
  ValueType,
  VectorAccess,
  VectorName,
} from "./language.ts";
import { atomicSignatures, constant, i32Const, laneTable, vectorConstant } from "./language.ts";
import { plus } from "../arithmetic.ts";
import type { Target } from "../target.ts";
import { liveRanges } from "./live-ranges.ts";
import { shareAddresses } from "./share-addresses.ts";
import { blocksOf } from "./traverse-kernels.ts";
import { verifyModule } from "./verify-kernels.ts";

/** Names a function of the module or an imported one, with its types. */
export interface FunctionRef {
  readonly name: string;
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

type ParamTypes = Readonly<Record<string, ScalarType | "vec">>;
type Locals<P extends ParamTypes> = { readonly [N in keyof P]: Local<P[N]> };

export interface FunctionOptions<P extends ParamTypes> {
  /** Names and types, in order. */
  readonly params?: P;
  readonly results?: readonly (ScalarType | "vec")[];
  readonly exported?: boolean;
}

interface LoopOptions {
  readonly from?: Arg<"i32">;
  /** The first value not reached. */
  readonly to: Arg<"i32">;
  /** Not zero; negative steps run while the counter is above `to`. */
  readonly step?: number;
  readonly name?: string;
}

/** The block a `break` leaves. */
export interface Label {
  readonly label: number;
}

/** Records the statements of one function. Numbers given for expressions become constants. */
export class FunctionRecorder {
  readonly module: ModuleRecorder;
  readonly target: Target;
  readonly #locals: { type: ValueType; name: string }[] = [];
  readonly #results: readonly ValueType[];
  readonly #firsts: Statement[] = [];
  #block: Statement[] = [];
  #labels = 0;

  constructor(module: ModuleRecorder, results: readonly ValueType[]) {
    this.module = module;
    this.target = module.target;
    this.#results = results;
  }

  /** Declares a local with the value it has from here on, evaluated once. `set` may change it. */
  let<T extends ValueType>(value: Expr<T>, name = ""): Local<T> {
    const local = this.#declare(value.type as T, name);
    this.#block.push({ kind: "set", local: local.id, declares: true, value });
    return local;
  }

  /** Declares a local before everything recorded so far, whatever block is being recorded; its value may use parameters and earlier ones of
   *  its kind only. */
  first<T extends ValueType>(value: Expr<T>): Local<T> {
    const local = this.#declare(value.type as T, "");
    this.#firsts.push({ kind: "set", local: local.id, declares: true, value });
    return local;
  }

  /** A local that starts as a constant. */
  number<T extends ScalarType>(type: T, value: number | bigint = 0, name = ""): Local<T> {
    return this.let(constant(type, value), name);
  }

  /** A vector local whose lanes start as one number. */
  vector(lane: VectorName, value: number | bigint = 0, name = ""): Local<"vec"> {
    return this.let(vectorConstant(lane, value), name);
  }

  set<T extends ValueType>(local: Local<T>, value: Arg<T>): void {
    this.#block.push({ kind: "set", local: local.id, declares: false, value: this.#lift(value as Arg, local.type) });
  }

  /** Writes a value in memory: a scalar, or a whole vector. */
  store(lane: { readonly name: LaneName } | LaneName, address: Arg<"i32">, offset: number, value: Arg): void {
    const name = typeof lane === "string" ? lane : lane.name;
    if (laneTable[name].value === "vec") this.#vectorStore(name as VectorName, { form: "whole" }, address, offset, value);
    else {
      const type = name as ScalarType;
      this.#block.push({ kind: "store", access: type, address: this.#address(address), offset, value: this.#lift(value, type) });
    }
  }

  /** Writes the first `count` lanes and nothing behind them. */
  storePart(lane: VectorName, count: number, address: Arg<"i32">, offset: number, value: Expr<"vec">): void {
    this.#vectorStore(lane, { form: "part", count }, address, offset, value);
  }

  /** Writes the low bits of an integer (or of every lane of a vector), side by side; f64x as f32 rounds. */
  storeNarrow(lane: "i32" | "i64" | VectorName, element: ScalarAccess, address: Arg<"i32">, offset: number, value: Arg): void {
    if (lane === "i32" || lane === "i64") {
      this.#block.push({ kind: "store", access: element, address: this.#address(address), offset, value: this.#lift(value, lane) });
    } else this.#vectorStore(lane, { form: "narrow", element }, address, offset, value);
  }

  /** Runs the body for counter = from, from + step, … while it is below `to`; not at all if it starts there. Signed.
   *  Bounds are evaluated once, before the first pass. */
  loop({ from = 0, to, step = 1, name = "" }: LoopOptions, body: (counter: Local<"i32">) => void): void {
    const bound = this.#address(to);
    const fixed = bound.kind === "const" ? bound : this.let(bound);
    const start = this.#address(from);
    const counter = this.#declare("i32", name);
    this.#block.push({ kind: "loop", counter: counter.id, from: start, to: fixed, step, body: this.#nested(() => body(counter)) });
  }

  /** Runs the body as long as the condition, evaluated before each pass, is not zero. */
  while(condition: Expr<"i32">, body: () => void): void {
    this.#block.push({ kind: "while", condition, body: this.#nested(body) });
  }

  if(condition: Expr<"i32">, then: () => void, otherwise: () => void = () => {}): void {
    this.#block.push({ kind: "if", condition, then: this.#nested(then), otherwise: this.#nested(otherwise) });
  }

  /** A block that `break` leaves early. Inside a loop's body it is the way to say `continue`; around a loop, to leave it. */
  block(body: (label: Label) => void): void {
    const label = { label: this.#labels++ };
    this.#block.push({ kind: "block", label: label.label, body: this.#nested(() => body(label)) });
  }

  break(label: Label): void {
    this.#block.push({ kind: "break", label: label.label, condition: null });
  }

  breakIf(label: Label, condition: Expr<"i32">): void {
    this.#block.push({ kind: "break", label: label.label, condition });
  }

  /** Records pieces that do not depend on each other, one statement of each in turn: a processor that looks ahead only so far then finds
   *  work of another piece while one waits for its last result. */
  inTurn(pieces: readonly (() => void)[]): void {
    const blocks = pieces.map(piece => this.#nested(piece));
    const longest = Math.max(0, ...blocks.map(block => block.length));
    for (let s = 0; s < longest; s++) this.#block.push(...blocks.flatMap(block => block.slice(s, s + 1)));
  }

  /** Places [0, end) of some addresses a vector at a time, bytes apart, or in pairs that an engine may join (`Target.joinsPairs`): the body
   *  adds `offset` to what it accesses at the places. */
  vectors(end: number, bases: readonly Expr<"i32">[], body: (places: readonly Local<"i32">[], offset: number) => void): void {
    const { vectorBytes, joinsPairs } = this.target;
    const from = joinsPairs ? end - (end % (2 * vectorBytes)) : 0;
    const placesAt = (at: Expr<"i32">): Local<"i32">[] => bases.map(base => this.let(plus(base, at)));
    if (from > 0)
      this.loop({ to: from, step: 2 * vectorBytes }, at => {
        const places = placesAt(at);
        this.inTurn([0, vectorBytes].map(offset => () => body(places, offset)));
      });
    if (from < end) this.loop({ from, to: end, step: vectorBytes }, at => body(placesAt(at), 0));
  }

  /** Calls a function of the module or an imported one; gives its results as locals. */
  call(callee: FunctionRef, ...args: readonly Arg[]): readonly Local[] {
    if (args.length !== callee.params.length) {
      throw new InternalError(`${callee.name} takes ${callee.params.length} arguments, not ${args.length}.`);
    }
    const lifted = args.map((arg, i) => this.#lift(arg, callee.params[i]));
    const results = callee.results.map(type => this.#declare(type, ""));
    this.#block.push({ kind: "call", callee: callee.name, args: lifted, results: results.map(({ id }) => id) });
    return results;
  }

  /** Calls a function with one result of a type known here. */
  call1<T extends ValueType>(type: T, callee: FunctionRef, ...args: readonly Arg[]): Local<T> {
    if (callee.results.length !== 1 || callee.results[0] !== type) {
      throw new InternalError(`${callee.name} gives (${callee.results.join(", ")}), not one ${type}.`);
    }
    return this.call(callee, ...args)[0] as Local<T>;
  }

  /** Gives a number of the module's own its value. */
  assign(variable: string, value: Arg<"i32">): void {
    this.module.variable(variable);
    this.#block.push({ kind: "assign", variable, value: this.#address(value) });
  }

  return(...values: readonly Arg[]): void {
    this.#block.push({ kind: "return", values: values.map((value, i) => this.#lift(value, this.#results[i] ?? "i32")) });
  }

  /** Stops everything: for what cannot happen. */
  trap(): void {
    this.#block.push({ kind: "trap" });
  }

  /** Transposes a square block in place: as many vector locals as a vector has lanes. */
  transpose(lane: VectorName, rows: readonly Local<"vec">[]): void {
    this.#block.push({ kind: "transpose", lane, rows: rows.map(({ id }) => id) });
  }

  /** Overlapping regions are copied as if through a buffer. */
  copyBytes(to: Arg<"i32">, from: Arg<"i32">, bytes: Arg<"i32">): void {
    this.#block.push({ kind: "copyBytes", to: this.#address(to), from: this.#address(from), bytes: this.#address(bytes) });
  }

  fillBytes(to: Arg<"i32">, byte: Arg<"i32">, bytes: Arg<"i32">): void {
    this.#block.push({ kind: "fillBytes", to: this.#address(to), byte: this.#address(byte), bytes: this.#address(bytes) });
  }

  /** An atomic operation on a 32-bit word; see `atomicSignatures` for its arguments. `store` gives nothing worth reading. */
  atomic(op: AtomicOperation, address: Arg<"i32">, offset: number, ...args: readonly Arg[]): Local<"i32"> {
    const signature = atomicSignatures[op];
    const lifted = args.map((arg, i) => this.#lift(arg, signature.args[i] ?? "i32"));
    const at = this.#address(address);
    if (!signature.result) {
      this.#block.push({ kind: "atomic", op, address: at, offset, args: lifted, result: null });
      return this.number("i32");
    }
    const result = this.#declare("i32", "");
    this.#block.push({ kind: "atomic", op, address: at, offset, args: lifted, result: result.id });
    return result;
  }

  /** Declares the parameters; called once, before anything else. */
  declareParams<P extends ParamTypes>(params: P): Locals<P> {
    return Object.fromEntries(Object.entries(params).map(([name, type]) => [name, this.#declare(type, name)])) as Locals<P>;
  }

  /** The function recorded so far. */
  finish(name: string, exported: boolean, params: readonly ValueType[]): KernelFunction {
    const recorded = this.#firsts.length > 0 ? [...this.#firsts, ...this.#block] : this.#block;
    const body = this.target.joinsPairs ? shareAddresses(recorded, () => this.#declare("i32", "").id) : recorded;
    const ranges = liveRanges(this.#locals.length, params.length, body);
    const locals: LiveRange[] = this.#locals.map((local, id) => ({ ...local, ...ranges[id] }));
    return { name, exported, params, results: this.#results, locals, body };
  }

  #declare<T extends ValueType>(type: T, name: string): Local<T> {
    this.#locals.push({ type, name });
    return { kind: "local", type, id: this.#locals.length - 1 } as Local<T>;
  }

  #nested(body: () => void): readonly Statement[] {
    const outer = this.#block;
    this.#block = [];
    try {
      body();
      return this.#block;
    } finally {
      this.#block = outer;
    }
  }

  #lift(value: Arg, type: ValueType): Expr {
    if (typeof value === "object") return value;
    if (type === "i32" || type === "i64" || type === "f32" || type === "f64") return constant(type, value);
    throw new InternalError(
      `The number ${value} cannot stand for a ${type}: say which lanes it has with f32x.const(${value}) or the like.`,
    );
  }

  #address(address: Arg<"i32">): Expr<"i32"> {
    return typeof address === "number" ? i32Const(address) : address;
  }

  #vectorStore(lane: VectorName, access: VectorAccess, address: Arg<"i32">, offset: number, value: Arg): void {
    const vector = typeof value === "object" ? (value as Expr<"vec">) : vectorConstant(lane, value);
    this.#block.push({ kind: "vstore", lane, access, address: this.#address(address), offset, value: vector });
  }
}

/** Records a module for one target: functions, and what they import. */
export class ModuleRecorder {
  readonly target: Target;
  readonly memory: MemoryImport;
  readonly #globals = new Set<string>();
  readonly #variables = new Set<string>();
  readonly #imports = new Map<string, FunctionImport>();
  readonly #functions: KernelFunction[] = [];
  readonly #byName = new Map<string, KernelFunction>();
  readonly #data: { global: string; bytes: Uint8Array }[] = [];
  readonly #known = new Map<string, FunctionRef>();

  constructor(target: Target, memory: MemoryImport = { minPages: 1 }) {
    this.target = target;
    this.memory = memory;
  }

  /** An imported number: where a region of memory begins. Asking again for a name gives the same. */
  global(name: string): Expr<"i32"> {
    this.#globals.add(name);
    return { kind: "global", type: "i32", name };
  }

  /** A number of the module's own, which functions assign. Asking again for a name gives the same. */
  variable(name: string): Expr<"i32"> {
    this.#variables.add(name);
    return { kind: "global", type: "i32", name };
  }

  /** A function of the host. Asking again for a name gives the same. */
  import(name: string, params: readonly ValueType[], results: readonly ValueType[] = []): FunctionRef {
    return this.once(name, () => {
      const ref = { name, params, results };
      this.#imports.set(name, ref);
      return ref;
    });
  }

  /** Records a function. The body may record others, and call itself through `self`. */
  function<P extends ParamTypes>(
    name: string,
    { params = {} as P, results = [], exported = false }: FunctionOptions<P>,
    body: (k: FunctionRecorder, params: Locals<P>, self: FunctionRef) => void,
  ): FunctionRef {
    const ref: FunctionRef = { name, params: Object.values(params), results };
    this.#known.set(name, ref);
    const k = new FunctionRecorder(this, results);
    body(k, k.declareParams(params), ref);
    const recorded = k.finish(name, exported, ref.params);
    this.#functions.push(recorded);
    this.#byName.set(name, recorded);
    return ref;
  }

  /** Takes over what another recorder has recorded; functions of the same name are the same. */
  include({ globals, variables, imports, functions }: KernelModule): void {
    for (const name of globals) this.global(name);
    for (const name of variables) this.variable(name);
    for (const { name, params, results } of imports) this.import(name, params, results);
    for (const recorded of functions) {
      this.once(recorded.name, () => {
        this.#functions.push(recorded);
        this.#byName.set(recorded.name, recorded);
        return recorded;
      });
    }
  }

  /** What was recorded under a name. */
  recorded(name: string): KernelFunction {
    const found = this.#byName.get(name);
    if (!found) throw new InternalError(`No function ${name} was recorded.`);
    return found;
  }

  /** The function of that name, recorded by `record` when it is first asked for. */
  once(name: string, record: () => FunctionRef): FunctionRef {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const ref = record();
    this.#known.set(name, ref);
    return ref;
  }

  /** Does a function recorded before reach a function of the host? */
  callsHost({ name }: FunctionRef, seen: Set<string> = new Set()): boolean {
    if (this.#imports.has(name)) return true;
    if (seen.has(name)) return false;
    seen.add(name);
    const calls = (block: readonly Statement[]): boolean =>
      block.some(s => (s.kind === "call" && this.callsHost({ name: s.callee, params: [], results: [] }, seen)) || blocksOf(s).some(calls));
    const recorded = this.#byName.get(name);
    return recorded !== undefined && calls(recorded.body);
  }

  /** Bytes that lie in memory at a global when the module starts. */
  data(global: string, bytes: Uint8Array): void {
    this.#globals.add(global);
    this.#data.push({ global, bytes });
  }

  /** The module recorded so far. Unverified only where the engine's own checks follow, for that takes a sixth of the time of recording. */
  finish({ isVerified = true }: { isVerified?: boolean } = {}): KernelModule {
    const module: KernelModule = {
      target: this.target,
      memory: this.memory,
      globals: [...this.#globals],
      variables: [...this.#variables],
      imports: [...this.#imports.values()],
      functions: this.#functions,
      data: this.#data,
    };
    if (isVerified) verifyModule(module);
    return module;
  }
}
