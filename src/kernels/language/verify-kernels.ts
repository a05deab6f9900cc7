// Checks recorded kernels before they are printed, so that a wrong kernel fails where it was made and not as an invalid module.
// Checked: types of every operand, declarations and their blocks, offsets, lanes, labels, calls, names. Not checked: bounds of memory.

import { InternalError } from "../../base/errors.ts";
import type { Expr, FunctionImport, KernelFunction, KernelModule, Statement, ValueType, VectorAccess, VectorName } from "./language.ts";
import { accessBytes, atomicSignatures, laneCount, laneTable, narrowAccesses, signatureOf } from "./language.ts";
import { printFunction } from "./print-kernels.ts";
import type { Target } from "../target.ts";
import { blocksOf, writesOf } from "./traverse-kernels.ts";

type Callees = ReadonlyMap<string, Pick<FunctionImport, "params" | "results">>;

/** @throws InternalError naming the function and the statement, with the function's text. */
export function verifyModule(module: KernelModule): void {
  const callees = new Map<string, Pick<FunctionImport, "params" | "results">>();
  for (const fn of [...module.imports, ...module.functions]) {
    if (callees.has(fn.name)) throw new InternalError(`Two functions of one module are called ${fn.name}.`);
    callees.set(fn.name, fn);
  }
  const { minPages, maxPages, shared } = module.memory;
  if (shared === true && maxPages === undefined) throw new InternalError("A shared memory needs a maximum of pages.");
  if (maxPages !== undefined && maxPages < minPages)
    throw new InternalError(`Memory of ${minPages} pages cannot have a maximum of ${maxPages}.`);
  for (const fn of [...module.imports, ...module.functions]) {
    const mask = [...fn.params, ...fn.results].find(type => type.startsWith("mask"));
    if (mask !== undefined) throw new InternalError(`${fn.name} has a ${mask} in its signature: masks stay inside functions.`);
  }
  for (const fn of module.functions) new FunctionVerifier(module, callees, fn).run();
}

class FunctionVerifier {
  readonly #target: Target;
  readonly #globals: ReadonlySet<string>;
  readonly #variables: ReadonlySet<string>;
  readonly #callees: Callees;
  readonly #fn: KernelFunction;
  /** Locals declared in the blocks that are open, and labels of the blocks. */
  readonly #scope = new Set<number>();
  readonly #everDeclared = new Set<number>();
  readonly #labels = new Set<number>();
  #where = "";

  constructor(module: KernelModule, callees: Callees, fn: KernelFunction) {
    this.#target = module.target;
    this.#globals = new Set([...module.globals, ...module.variables]);
    this.#variables = new Set(module.variables);
    this.#callees = callees;
    this.#fn = fn;
  }

  run(): void {
    this.#fn.params.forEach((type, id) => {
      this.#declare(id);
      if (this.#fn.locals[id].type !== type) this.#fail(`parameter ${id} is ${type}, its local ${this.#fn.locals[id].type}`);
    });
    this.#block(this.#fn.body);
    if (this.#fn.results.length > 0 && !leaves(this.#fn.body)) this.#fail("it has results, but its end is reached without return");
  }

  #fail(what: string): never {
    throw new InternalError(`Kernel ${this.#fn.name}${this.#where}: ${what}.`, printFunction(this.#fn));
  }

  #block(block: readonly Statement[]): void {
    const declared: number[] = [];
    for (const statement of block) {
      this.#where = `, ${statement.kind}`;
      declared.push(...this.#statement(statement));
    }
    for (const id of declared) this.#scope.delete(id);
  }

  #declare(id: number): number {
    if (this.#fn.locals[id] === undefined) this.#fail(`local ${id} does not exist`);
    if (this.#everDeclared.has(id)) this.#fail(`local ${id} is declared twice`);
    this.#everDeclared.add(id);
    this.#scope.add(id);
    return id;
  }

  #use(id: number): ValueType {
    if (!this.#scope.has(id)) {
      this.#fail(
        `local ${id} ${this.#everDeclared.has(id) ? "is used outside the block that declared it" : "is used before it is declared"}`,
      );
    }
    return this.#fn.locals[id].type;
  }

  /** Checks a statement; gives the locals it declares for the rest of its block. */
  #statement(s: Statement): readonly number[] {
    switch (s.kind) {
      case "set":
        this.#expect(s.value, this.#fn.locals[s.local]?.type ?? "i32", "the value");
        if (s.declares) return [this.#declare(s.local)];
        this.#use(s.local);
        return [];
      case "store":
        this.#memory(s.address, s.offset);
        this.#storedScalar(s.value, accessBytes[s.access], s.access);
        return [];
      case "vstore":
        this.#memory(s.address, s.offset);
        this.#vectorAccess(s.lane, s.access);
        if (s.access.form === "splat") this.#fail("a splat is a way to load, not to store");
        this.#expect(s.value, "vec", "the value");
        return [];
      case "loop":
        return this.#loop(s);
      case "while":
        this.#expect(s.condition, "i32", "the condition");
        this.#block(s.body);
        return [];
      case "if":
        this.#expect(s.condition, "i32", "the condition");
        this.#block(s.then);
        this.#block(s.otherwise);
        return [];
      case "block":
        this.#labels.add(s.label);
        this.#block(s.body);
        this.#labels.delete(s.label);
        return [];
      case "break":
        if (!this.#labels.has(s.label)) this.#fail(`there is no block @${s.label} around it`);
        if (s.condition !== null) this.#expect(s.condition, "i32", "the condition");
        return [];
      case "call": {
        const callee = this.#callees.get(s.callee);
        if (callee === undefined) return this.#fail(`there is no function ${s.callee}`);
        this.#list(s.args, callee.params, `${s.callee}'s arguments`);
        if (s.results.length !== callee.results.length)
          this.#fail(`${s.callee} gives ${callee.results.length} results, not ${s.results.length}`);
        for (const [i, id] of s.results.entries()) this.#typed(this.#declare(id), callee.results[i]);
        return s.results;
      }
      case "assign":
        if (!this.#variables.has(s.variable)) this.#fail(`there is no variable ${s.variable}`);
        this.#expect(s.value, "i32", "the value");
        return [];
      case "return":
        this.#list(s.values, this.#fn.results, "the results");
        return [];
      case "trap":
        return [];
      case "transpose": {
        const count = laneCount(s.lane, this.#target);
        if (s.rows.length !== count) this.#fail(`a block of ${s.lane} has ${count} rows, not ${s.rows.length}`);
        if (new Set(s.rows).size !== s.rows.length) this.#fail("two rows are the same local");
        for (const id of s.rows) if (this.#use(id) !== "vec") this.#fail(`row ${id} is not a vector`);
        return [];
      }
      case "copyBytes":
        this.#list([s.to, s.from, s.bytes], ["i32", "i32", "i32"], "the operands");
        return [];
      case "fillBytes":
        this.#list([s.to, s.byte, s.bytes], ["i32", "i32", "i32"], "the operands");
        return [];
      case "atomic":
        this.#memory(s.address, s.offset);
        this.#list(s.args, atomicSignatures[s.op].args, `the arguments of ${s.op}`);
        if (s.result === null) return [];
        this.#typed(this.#declare(s.result), "i32");
        return [s.result];
    }
  }

  #loop(s: Statement & { kind: "loop" }): readonly number[] {
    this.#list([s.from, s.to], ["i32", "i32"], "the bounds");
    if (!Number.isInteger(s.step) || s.step === 0 || s.step !== (s.step | 0)) this.#fail(`a step of ${s.step} is not possible`);
    if (s.to.kind !== "const" && s.to.kind !== "local") this.#fail("the bound must be a constant or a local");
    if (s.to.kind === "local" && writes(s.body, s.to.id)) this.#fail("the body changes the bound");
    this.#typed(this.#declare(s.counter), "i32");
    this.#block(s.body);
    this.#scope.delete(s.counter);
    return [];
  }

  #typed(id: number, type: ValueType): void {
    if (this.#fn.locals[id].type !== type) this.#fail(`local ${id} is ${this.#fn.locals[id].type}, not ${type}`);
  }

  #list(values: readonly Expr[], types: readonly ValueType[], what: string): void {
    if (values.length !== types.length) this.#fail(`${what} are ${values.length}, not ${types.length}`);
    for (const [i, value] of values.entries()) this.#expect(value, types[i], what);
  }

  #expect(expr: Expr, type: ValueType, what: string): void {
    this.#expression(expr);
    if (expr.type !== type) this.#fail(`${what}: ${expr.type} was given, ${type} is needed`);
  }

  #memory(address: Expr, offset: number): void {
    this.#expect(address, "i32", "the address");
    if (!Number.isInteger(offset) || offset < 0 || offset > 0xffffffff) this.#fail(`an offset of ${offset} is not possible`);
  }

  #storedScalar(value: Expr, bytes: number, access: string): void {
    this.#expression(value);
    const isFloat = access === "f32" || access === "f64";
    const allowed: readonly ValueType[] = isFloat ? [access] : bytes === 8 ? ["i64"] : ["i32", "i64"];
    if (!allowed.includes(value.type)) this.#fail(`${value.type} cannot be stored as ${access}`);
  }

  #loadedScalar(type: ValueType, access: keyof typeof accessBytes): void {
    const isFloat = access === "f32" || access === "f64";
    const fits = isFloat ? type === access : type === "i64" || (type === "i32" && accessBytes[access] <= 4 && access !== "u32");
    if (!fits) this.#fail(`${access} cannot be loaded as ${type}`);
  }

  #vectorAccess(lane: VectorName, access: VectorAccess): void {
    if (access.form === "part" && !(access.count >= 1 && access.count <= laneCount(lane, this.#target))) {
      this.#fail(`${lane} has ${laneCount(lane, this.#target)} lanes, not ${access.count}`);
    }
    if (access.form === "narrow" && !narrowAccesses[lane].includes(access.element))
      this.#fail(`${lane} has no access by ${access.element}`);
  }

  #lane(lane: VectorName, index: number, count = laneCount(lane, this.#target)): void {
    if (!(Number.isInteger(index) && index >= 0 && index < count)) this.#fail(`${lane} has no lane ${index}`);
  }

  #expression(e: Expr): void {
    switch (e.kind) {
      case "const":
        return;
      case "vconst":
        if (e.values.length !== 1 && e.values.length !== laneCount(e.lane, this.#target)) {
          this.#fail(`a constant of ${e.values.length} lanes does not fill ${e.lane}`);
        }
        return;
      case "local":
        if (this.#use(e.id) !== e.type) this.#fail(`local ${e.id} is ${this.#fn.locals[e.id].type}, not ${e.type}`);
        return;
      case "global":
        if (!this.#globals.has(e.name)) this.#fail(`there is no global ${e.name}`);
        return;
      case "load":
        this.#memory(e.address, e.offset);
        this.#loadedScalar(e.type, e.access);
        return;
      case "vload":
        this.#memory(e.address, e.offset);
        this.#vectorAccess(e.lane, e.access);
        return;
      case "apply": {
        const { args, result } = signatureOf(e.op);
        this.#list(e.args, args, `the arguments of ${e.op}`);
        if (e.type !== result) this.#fail(`${e.op} gives ${result}, not ${e.type}`);
        return;
      }
      case "extract":
        this.#lane(e.lane, e.index);
        this.#expect(e.vector, "vec", "the vector");
        return;
      case "insert":
        this.#lane(e.lane, e.index);
        this.#expect(e.vector, "vec", "the vector");
        this.#expect(e.value, laneTable[e.lane].scalar, "the lane");
        return;
      case "shuffle": {
        const count = laneCount(e.lane, this.#target);
        if (e.lanes.length !== count) this.#fail(`a shuffle of ${e.lane} has ${count} lanes, not ${e.lanes.length}`);
        for (const lane of e.lanes) this.#lane(e.lane, lane, 2 * count);
        this.#list([e.a, e.b], ["vec", "vec"], "the vectors");
        return;
      }
    }
  }
}

const writes = (block: readonly Statement[], id: number): boolean =>
  block.some(s => writesOf(s).includes(id) || blocksOf(s).some(inner => writes(inner, id)));

/** Does every way through the block end in a return or trap? */
function leaves(block: readonly Statement[]): boolean {
  const last = block.at(-1);
  if (last === undefined) return false;
  return last.kind === "return" || last.kind === "trap" || (last.kind === "if" && leaves(last.then) && leaves(last.otherwise));
}
