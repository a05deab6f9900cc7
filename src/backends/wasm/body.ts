// One recorded function → the bytes of its WebAssembly body: statements, expression trees, memory accesses, and the operations that
// take several instructions. Modules, imports and sections are in printer.ts.
// Vector constants: V8 builds a v128.const anew at every use, which halves the speed of polynomials on Node 24 (exp: 0.60 elements/ns as
// v128.const, 1.24 from memory, 1.68 from an immutable global, 1.96 from a local set once; Node 20: all equal but memory, 0.8 of them).
// So all but zero are immutable globals, and those used in loops are read into locals at the start of the function. Scalars gain nothing (5 %).

import { InternalError } from "../../base/errors.ts";
import type {
  AtomicOperation,
  Expr,
  KernelFunction,
  LaneName,
  OperationName,
  ScalarAccess,
  Statement,
  VectorAccess,
  VectorName,
} from "../../kernels/language/language.ts";
import { accessBytes, laneTable } from "../../kernels/language/language.ts";
import type { Target } from "../../kernels/target.ts";
import { type ByteWriter, emptyBlock, op, valueTypes, type WasmType } from "./encoder.ts";
import { type Instruction, instructions, type Lowering } from "./instructions.ts";
import { allocateSlots, wasmTypeOf } from "./slots.ts";

/** Numbers the module gives to what functions mention. */
export interface Indices {
  readonly target: Target;
  function(name: string): number;
  global(name: string): number;
  /** The global that holds a vector constant; null for zero, which needs none. */
  vectorConstant(lane: VectorName, values: readonly (number | bigint)[]): number | null;
  constantBytes(global: number): Uint8Array;
}

const scalarLoads: Partial<Record<ScalarAccess, Partial<Record<string, number>>>> = {
  i8: { i32: 0x2c, i64: 0x30 },
  u8: { i32: 0x2d, i64: 0x31 },
  i16: { i32: 0x2e, i64: 0x32 },
  u16: { i32: 0x2f, i64: 0x33 },
  i32: { i32: 0x28, i64: 0x34 },
  u32: { i64: 0x35 },
  i64: { i64: 0x29 },
  f32: { f32: 0x2a },
  f64: { f64: 0x2b },
};

const scalarStores: Partial<Record<ScalarAccess, Partial<Record<string, number>>>> = {
  i8: { i32: 0x3a, i64: 0x3c },
  u8: { i32: 0x3a, i64: 0x3c },
  i16: { i32: 0x3b, i64: 0x3d },
  u16: { i32: 0x3b, i64: 0x3d },
  i32: { i32: 0x36, i64: 0x3e },
  u32: { i32: 0x36, i64: 0x3e },
  i64: { i64: 0x37 },
  f32: { f32: 0x38 },
  f64: { f64: 0x39 },
};

const atomicInstructions: Record<AtomicOperation, number> = {
  load: op["i32.atomic.load"],
  store: op["i32.atomic.store"],
  add: op["i32.atomic.rmw.add"],
  exchange: op["i32.atomic.rmw.xchg"],
  compareExchange: op["i32.atomic.rmw.cmpxchg"],
  wait: op["memory.atomic.wait32"],
  notify: op["memory.atomic.notify"],
};

/** Loads of 8, 4, 2 or 1 bytes: into a lane, and for the wider two with all other lanes zero. Stores of a lane. */
const pieces = [
  { bytes: 8, zero: op["v128.load64_zero"], load: op["v128.load64_lane"], store: op["v128.store64_lane"] },
  { bytes: 4, zero: op["v128.load32_zero"], load: op["v128.load32_lane"], store: op["v128.store32_lane"] },
  { bytes: 2, zero: null, load: op["v128.load16_lane"], store: op["v128.store16_lane"] },
  { bytes: 1, zero: null, load: op["v128.load8_lane"], store: op["v128.store8_lane"] },
] as const;

type Piece = { readonly at: number; readonly piece: (typeof pieces)[number] };

/** The first `bytes` bytes of a vector as pieces of falling size, each at a multiple of its own. */
function splitBytes(bytes: number): readonly Piece[] {
  const parts: Piece[] = [];
  let at = 0;
  for (const piece of pieces) {
    for (; at + piece.bytes <= bytes; at += piece.bytes) parts.push({ at, piece });
  }
  return parts;
}

const splatLoads: Record<number, number> = {
  1: op["v128.load8_splat"],
  2: op["v128.load16_splat"],
  4: op["v128.load32_splat"],
  8: op["v128.load64_splat"],
};

/** Loads of narrow elements: the load, then conversions. */
const narrowLoads: Record<string, readonly number[]> = {
  "i16x.i8": [op["v128.load8x8_s"]],
  "i16x.u8": [op["v128.load8x8_u"]],
  "i32x.i16": [op["v128.load16x4_s"]],
  "i32x.u16": [op["v128.load16x4_u"]],
  "i32x.i8": [op["v128.load32_zero"], op["i16x8.extend_low_i8x16_s"], op["i32x4.extend_low_i16x8_s"]],
  "i32x.u8": [op["v128.load32_zero"], op["i16x8.extend_low_i8x16_u"], op["i32x4.extend_low_i16x8_u"]],
  "i64x.i32": [op["v128.load32x2_s"]],
  "i64x.u32": [op["v128.load32x2_u"]],
  "f64x.f32": [op["v128.load64_zero"], op["f64x2.promote_low_f32x4"]],
};

/** extract_lane, replace_lane. Of i8x and i16x the signed form. */
const laneInstructions: Record<VectorName, readonly [extract: number, replace: number]> = {
  i8x: [0xfd0015, 0xfd0017],
  i16x: [0xfd0018, 0xfd001a],
  i32x: [0xfd001b, 0xfd001c],
  i64x: [0xfd001d, 0xfd001e],
  f32x: [0xfd001f, 0xfd0020],
  f64x: [0xfd0021, 0xfd0022],
};

interface Row {
  readonly kind: LaneName;
  readonly instruction: Instruction;
}

/** The rows of `instructions` by the whole name of the operation, as they are asked for. */
const rows = new Map<OperationName, Row>();

function rowOf(name: OperationName): Row {
  const known = rows.get(name);
  if (known !== undefined) return known;
  const [kind, method] = name.split(".") as [LaneName, string];
  const row = { kind, instruction: (instructions[kind] as Record<string, Instruction>)[method] };
  rows.set(name, row);
  return row;
}

/** Room that the printers of a module's functions use one after the other. */
export interface BodyRoom {
  readonly head: ByteWriter;
  readonly code: ByteWriter;
}

/** Writes the body of one function. Used once. */
export class BodyPrinter {
  readonly #fn: KernelFunction;
  readonly #indices: Indices;
  readonly #target: Target;
  readonly #head: ByteWriter;
  readonly #code: ByteWriter;
  readonly #slotOf: readonly number[];
  readonly #slotTypes: WasmType[];
  /** Slots for operands an instruction sequence reads twice; free again after it. */
  readonly #temporaries = new Map<WasmType, number[]>();
  /** Depth of nested structures, and the depth at which each label's block stands. */
  #depth = 0;
  readonly #labels = new Map<number, number>();
  /** Loops around the statement being written, and the constants used in loops: global → slot. */
  #loops = 0;
  readonly #constants = new Map<number, number>();

  constructor(fn: KernelFunction, indices: Indices, { head, code }: BodyRoom) {
    this.#fn = fn;
    this.#head = head;
    this.#code = code;
    head.clear();
    code.clear();
    this.#indices = indices;
    this.#target = indices.target;
    const { slotOf, types } = allocateSlots(fn);
    this.#slotOf = slotOf;
    this.#slotTypes = types;
  }

  /** Appends the entry of the code section; gives its size. */
  print(section: ByteWriter): number {
    this.#block(this.#fn.body);
    // A body that returns in both branches of an `if` still needs an end that type-checks.
    if (this.#fn.results.length > 0) this.#code.instruction(op.unreachable);
    this.#code.instruction(op.end);
    const head = this.#head;
    const runs: [WasmType, number][] = [];
    for (const type of this.#slotTypes) {
      const run = runs.at(-1);
      if (run !== undefined && run[0] === type) run[1]++;
      else runs.push([type, 1]);
    }
    head.u32(runs.length);
    for (const [type, count] of runs) {
      head.u32(count);
      head.byte(valueTypes[type]);
    }
    for (const [global, slot] of this.#constants) {
      this.#readConstant(head, global);
      head.indexed(op["local.set"], slot);
    }
    const size = head.length + this.#code.length;
    section.u32(size);
    section.bytes(head.finish());
    section.bytes(this.#code.finish());
    return size;
  }

  #block(block: readonly Statement[]): void {
    for (const statement of block) this.#statement(statement);
  }

  #statement(s: Statement): void {
    const code = this.#code;
    switch (s.kind) {
      case "set":
        this.#expression(s.value);
        this.#setLocal(s.local);
        return;
      case "store":
        this.#expression(s.address);
        this.#expression(s.value);
        code.instruction(this.#scalarAccess(scalarStores, s.access, s.value.type));
        this.#memoryArgument(accessBytes[s.access], s.offset);
        return;
      case "vstore":
        this.#vectorStore(s);
        return;
      case "loop":
        this.#loop(s);
        return;
      case "while":
        this.#structure(op.loop, () => {
          this.#expression(s.condition);
          this.#structure(op.if, () => {
            this.#block(s.body);
            code.indexed(op.br, 1);
          });
        });
        return;
      case "if":
        this.#expression(s.condition);
        this.#structure(op.if, () => {
          this.#block(s.then);
          if (s.otherwise.length > 0) {
            code.instruction(op.else);
            this.#block(s.otherwise);
          }
        });
        return;
      case "block":
        this.#structure(op.block, () => {
          this.#labels.set(s.label, this.#depth);
          this.#block(s.body);
        });
        return;
      case "break":
        if (s.condition !== null) this.#expression(s.condition);
        code.indexed(s.condition === null ? op.br : op.br_if, this.#depth - (this.#labels.get(s.label) as number));
        return;
      case "call":
        for (const arg of s.args) this.#expression(arg);
        code.indexed(op.call, this.#indices.function(s.callee));
        for (const id of [...s.results].reverse()) this.#setLocal(id);
        return;
      case "assign":
        this.#expression(s.value);
        code.indexed(op["global.set"], this.#indices.global(s.variable));
        return;
      case "return":
        for (const value of s.values) this.#expression(value);
        code.instruction(op.return);
        return;
      case "trap":
        code.instruction(op.unreachable);
        return;
      case "transpose":
        this.#transpose(s.lane, s.rows);
        return;
      case "copyBytes":
        this.#bulk(op["memory.copy"], [s.to, s.from, s.bytes], [0, 0]);
        return;
      case "fillBytes":
        this.#bulk(op["memory.fill"], [s.to, s.byte, s.bytes], [0]);
        return;
      case "atomic":
        this.#expression(s.address);
        for (const arg of s.args) this.#expression(arg);
        code.instruction(atomicInstructions[s.op]);
        this.#memoryArgument(4, s.offset);
        if (s.result !== null) this.#setLocal(s.result);
        return;
    }
  }

  /** counter = from; if (counter < to) do { body } while ((counter += step) < to). The guard is left out where it is known to hold. */
  #loop(s: Statement & { kind: "loop" }): void {
    const code = this.#code;
    const goesOn = s.step > 0 ? op["i32.lt_s"] : op["i32.gt_s"];
    this.#expression(s.from);
    this.#setLocal(s.counter);
    const passes =
      s.from.kind === "const" && s.to.kind === "const" ? (s.step > 0 ? s.from.value < s.to.value : s.from.value > s.to.value) : null;
    if (passes === false) return;
    const loop = () =>
      this.#structure(op.loop, () => {
        this.#block(s.body);
        this.#getLocal(s.counter);
        this.#i32(s.step);
        code.instruction(op["i32.add"]);
        this.#local(op["local.tee"], s.counter);
        this.#expression(s.to);
        code.instruction(goesOn);
        code.indexed(op.br_if, 0);
      });
    if (passes === true) {
      loop();
      return;
    }
    this.#getLocal(s.counter);
    this.#expression(s.to);
    code.instruction(goesOn);
    this.#structure(op.if, loop);
  }

  #structure(opcode: number, inside: () => void): void {
    this.#code.instruction(opcode);
    this.#code.byte(emptyBlock);
    this.#depth++;
    if (opcode === op.loop) this.#loops++;
    inside();
    if (opcode === op.loop) this.#loops--;
    this.#depth--;
    this.#code.instruction(op.end);
  }

  #bulk(opcode: number, operands: readonly Expr[], memories: readonly number[]): void {
    for (const operand of operands) this.#expression(operand);
    this.#code.instruction(opcode);
    this.#code.bytes(memories);
  }

  #local(opcode: number, id: number): void {
    this.#slot(opcode, this.#slotOf[id]);
  }

  #getLocal(id: number): void {
    this.#local(op["local.get"], id);
  }

  #setLocal(id: number): void {
    this.#local(op["local.set"], id);
  }

  #slot(opcode: number, slot: number): void {
    this.#code.indexed(opcode, slot);
  }

  #i32(value: number): void {
    if (value >= -64 && value < 64) this.#code.indexed(op["i32.const"], value & 0x7f);
    else {
      this.#code.instruction(op["i32.const"]);
      this.#code.s32(value);
    }
  }

  #i64(value: bigint): void {
    this.#code.instruction(op["i64.const"]);
    this.#code.s64(value);
  }

  /** Alignment as the specification wants it, a power of two no greater than the access; then the offset. */
  #memoryArgument(bytes: number, offset: number): void {
    if (!(offset >= 0 && offset < 2 ** 32)) throw new InternalError(`${this.#fn.name} has an access at an offset of ${offset}.`);
    this.#code.indexed(31 - Math.clz32(bytes), offset);
  }

  #scalarAccess(table: typeof scalarLoads, access: ScalarAccess, type: string): number {
    const opcode = table[access]?.[type];
    if (opcode === undefined) throw new InternalError(`WebAssembly has no access of ${type} as ${access}.`);
    return opcode;
  }

  /** Runs `use` with slots of its own; the slots are free for others afterwards. */
  #withTemporaries(type: WasmType, count: number, use: (...slots: number[]) => void): void {
    const free = this.#temporaries.get(type) ?? [];
    this.#temporaries.set(type, free);
    const slots = Array.from({ length: count }, () => free.pop() ?? this.#newSlot(type));
    use(...slots);
    free.push(...slots.reverse());
  }

  /** Runs `use` with a way to write the expression again and again: itself if that is cheap, else a temporary set here. */
  #repeatable(expr: Expr, use: (write: () => void) => void): void {
    if (expr.kind === "local" || expr.kind === "const" || expr.kind === "global") {
      use(() => this.#expression(expr));
      return;
    }
    this.#withTemporaries(wasmTypeOf(expr.type), 1, slot => {
      this.#expression(expr);
      this.#slot(op["local.set"], slot);
      use(() => this.#slot(op["local.get"], slot));
    });
  }

  #expression(e: Expr): void {
    const code = this.#code;
    switch (e.kind) {
      case "const":
        this.#constant(e.type, e.value);
        return;
      case "vconst":
        this.#vectorConstant(e.lane, e.values);
        return;
      case "local":
        code.indexed(op["local.get"], this.#slotOf[e.id]);
        return;
      case "global":
        code.indexed(op["global.get"], this.#indices.global(e.name));
        return;
      case "load":
        this.#expression(e.address);
        code.instruction(this.#scalarAccess(scalarLoads, e.access, e.type));
        this.#memoryArgument(accessBytes[e.access], e.offset);
        return;
      case "vload":
        this.#vectorLoad(e.lane, e.access, e.address, e.offset);
        return;
      case "apply":
        this.#operation(e.op, e.args);
        return;
      case "extract":
        this.#expression(e.vector);
        code.instruction(laneInstructions[e.lane][0]);
        code.byte(e.index);
        return;
      case "insert":
        this.#expression(e.vector);
        this.#expression(e.value);
        code.instruction(laneInstructions[e.lane][1]);
        code.byte(e.index);
        return;
      case "shuffle":
        this.#expression(e.a);
        this.#expression(e.b);
        this.#shuffle(e.lane, e.lanes);
        return;
    }
  }

  #constant(type: string, value: number | bigint): void {
    const code = this.#code;
    if (type === "i32") {
      this.#i32(Number(value));
      return;
    }
    if (type === "i64") {
      this.#i64(BigInt(value));
      return;
    }
    code.instruction(type === "f32" ? op["f32.const"] : op["f64.const"]);
    if (type === "f32") code.f32(Number(value));
    else code.f64(Number(value));
  }

  #vectorConstant(lane: VectorName, values: readonly (number | bigint)[]): void {
    const code = this.#code;
    const global = this.#indices.vectorConstant(lane, values);
    if (global === null) {
      code.instruction(op["v128.const"]);
      code.bytes(new Uint8Array(this.#target.vectorBytes));
    } else if (this.#loops > 0) this.#slot(op["local.get"], this.#hoisted(global));
    else this.#readConstant(code, global);
  }

  /** V8's revectorizer ends the process when it meets a vector of a global, so code for it has constants. */
  #readConstant(code: ByteWriter, global: number): void {
    if (this.#target.joinsPairs) {
      code.instruction(op["v128.const"]);
      code.bytes(this.#indices.constantBytes(global));
    } else {
      code.indexed(op["global.get"], global);
    }
  }

  /** The slot that holds a constant from the start of the function. */
  #hoisted(global: number): number {
    const slot = this.#constants.get(global) ?? this.#newSlot("v128");
    this.#constants.set(global, slot);
    return slot;
  }

  #newSlot(type: WasmType): number {
    return this.#fn.params.length + this.#slotTypes.push(type) - 1;
  }

  #shuffle(lane: VectorName, lanes: readonly number[]): void {
    const { bytes } = laneTable[lane];
    this.#code.instruction(op["i8x16.shuffle"]);
    for (const index of lanes) for (let byte = 0; byte < bytes; byte++) this.#code.byte(index * bytes + byte);
  }

  #vectorLoad(lane: VectorName, access: VectorAccess, address: Expr<"i32">, offset: number): void {
    const code = this.#code;
    const { bytes } = laneTable[lane];
    switch (access.form) {
      case "whole":
        this.#expression(address);
        code.instruction(op["v128.load"]);
        this.#memoryArgument(bytes, offset);
        return;
      case "splat":
        this.#expression(address);
        code.instruction(splatLoads[bytes]);
        this.#memoryArgument(bytes, offset);
        return;
      case "narrow": {
        const [load, ...conversions] = narrowLoads[`${lane}.${access.element}`];
        this.#expression(address);
        code.instruction(load);
        this.#memoryArgument(accessBytes[access.element], offset);
        for (const conversion of conversions) code.instruction(conversion);
        return;
      }
      case "part":
        if (access.count * bytes === this.#target.vectorBytes) {
          this.#vectorLoad(lane, { form: "whole" }, address, offset);
          return;
        }
        this.#repeatable(address, write => this.#partialLoad(splitBytes(access.count * bytes), write, bytes, offset));
        return;
    }
  }

  /** Piece by piece into the lanes of a vector that begins as the first piece and zeros: every load takes the vector so far on top of
   *  its address, so the last one is written first. */
  #partialLoad(parts: readonly Piece[], writeAddress: () => void, align: number, offset: number): void {
    const code = this.#code;
    const { at, piece } = parts[parts.length - 1];
    const rest = parts.slice(0, -1);
    writeAddress();
    if (rest.length === 0 && piece.zero !== null) {
      code.instruction(piece.zero);
      this.#memoryArgument(Math.min(align, piece.bytes), offset + at);
      return;
    }
    if (rest.length > 0) this.#partialLoad(rest, writeAddress, align, offset);
    else this.#vectorConstant("i8x", [0]);
    code.instruction(piece.load);
    this.#memoryArgument(Math.min(align, piece.bytes), offset + at);
    code.byte(at / piece.bytes);
  }

  #vectorStore({ lane, access, address, offset, value }: Statement & { kind: "vstore" }): void {
    const code = this.#code;
    const { bytes } = laneTable[lane];
    switch (access.form) {
      case "whole":
        this.#expression(address);
        this.#expression(value);
        code.instruction(op["v128.store"]);
        this.#memoryArgument(bytes, offset);
        return;
      case "narrow":
        this.#expression(address);
        this.#narrowStore(lane, access.element, value, offset);
        return;
      case "part":
        if (access.count * bytes === this.#target.vectorBytes) {
          this.#vectorStore({ kind: "vstore", lane, access: { form: "whole" }, address, offset, value });
          return;
        }
        this.#repeatable(address, writeAddress =>
          this.#repeatable(value, writeValue => {
            for (const { at, piece } of splitBytes(access.count * bytes)) {
              writeAddress();
              writeValue();
              code.instruction(piece.store);
              this.#memoryArgument(Math.min(bytes, piece.bytes), offset + at);
              code.byte(at / piece.bytes);
            }
          }),
        );
        return;
      case "splat":
        throw new InternalError("A splat cannot be stored.");
    }
  }

  /** The low bytes of every lane side by side, then one store of them. The address is written already. */
  #narrowStore(lane: VectorName, element: ScalarAccess, value: Expr<"vec">, offset: number): void {
    const code = this.#code;
    const { bytes } = laneTable[lane];
    const narrow = accessBytes[element];
    const total = (this.#target.vectorBytes / bytes) * narrow;
    const { store } = splitBytes(total)[0].piece;
    if (lane === "f64x") {
      this.#expression(value);
      code.instruction(op["f32x4.demote_f64x2_zero"]);
    } else {
      this.#repeatable(value, write => {
        write();
        write();
        code.instruction(op["i8x16.shuffle"]);
        for (let i = 0; i < this.#target.vectorBytes; i++) {
          const kept = i % total;
          code.byte(Math.floor(kept / narrow) * bytes + (kept % narrow));
        }
      });
    }
    code.instruction(store);
    this.#memoryArgument(narrow, offset);
    code.byte(0);
  }

  /** Transposes in log2(lanes) rounds: each exchanges the off-diagonal quarters of blocks twice the size, as two shuffles per pair of rows. */
  #transpose(lane: VectorName, rows: readonly number[]): void {
    const count = rows.length;
    for (let half = 1; half < count; half *= 2) {
      for (let i = 0; i < count; i++) {
        if ((i & half) !== 0) continue;
        const [upper, lower] = [rows[i], rows[i + half]];
        const lanes = Array.from({ length: count }, (_, j) => j);
        this.#withTemporaries("v128", 1, slot => {
          this.#getLocal(upper);
          this.#getLocal(lower);
          this.#shuffle(
            lane,
            lanes.map(j => ((j & half) === 0 ? j : count + j - half)),
          );
          this.#slot(op["local.set"], slot);
          this.#getLocal(upper);
          this.#getLocal(lower);
          this.#shuffle(
            lane,
            lanes.map(j => ((j & half) === 0 ? j + half : count + j)),
          );
          this.#setLocal(lower);
          this.#slot(op["local.get"], slot);
          this.#setLocal(upper);
        });
      }
    }
  }

  #operation(name: OperationName, args: readonly Expr[]): void {
    const { kind, instruction } = rowOf(name);
    if (typeof instruction === "string") {
      this.#lowered(kind, instruction, args);
      return;
    }
    if (typeof instruction === "number") {
      for (let i = 0; i < args.length; i++) this.#expression(args[i]);
      this.#code.instruction(instruction);
      return;
    }
    const [value, count] = args;
    this.#expression(value);
    if (count.kind === "const") this.#i64(BigInt(count.value));
    else {
      this.#expression(count);
      this.#code.instruction(op["i64.extend_i32_u"]);
    }
    this.#code.instruction(instruction[1]);
  }

  #lowered(kind: LaneName, how: Lowering, args: readonly Expr[]): void {
    const code = this.#code;
    const rows = instructions[kind] as Record<string, number>;
    const isVector = laneTable[kind].value === "vec";
    const [a, b, c] = args;
    const write = (...exprs: readonly Expr[]) => {
      for (const e of exprs) this.#expression(e);
    };
    switch (how) {
      case "select":
        write(b, c, a);
        code.instruction(isVector ? op["v128.bitselect"] : op.select);
        return;
      case "keep":
        write(a, b);
        code.instruction(op["v128.and"]);
        return;
      case "copySign":
        write(b, a);
        this.#vectorConstant(kind === "f32x" ? "i32x" : "i64x", [kind === "f32x" ? -0x80000000 : -0x8000000000000000n]);
        code.instruction(op["v128.bitselect"]);
        return;
      case "madd":
        if (isVector && this.#target.hasRelaxedMadd) {
          write(a, b, c);
          code.instruction(kind === "f32x" ? op["f32x4.relaxed_madd"] : op["f64x2.relaxed_madd"]);
          return;
        }
        write(a, b);
        code.instruction(rows.mul);
        write(c);
        code.instruction(rows.add);
        return;
      case "nmadd":
        if (isVector && this.#target.hasRelaxedMadd) {
          write(a, b, c);
          code.instruction(kind === "f32x" ? op["f32x4.relaxed_nmadd"] : op["f64x2.relaxed_nmadd"]);
          return;
        }
        write(c, a, b);
        code.instruction(rows.mul);
        code.instruction(rows.sub);
        return;
      case "pmin":
      case "least":
        this.#choose(kind, a, b, "gt");
        return;
      case "pmax":
      case "greatest":
        this.#choose(kind, a, b, "lt");
        return;
      case "leastU":
        this.#choose(kind, a, b, "gtU");
        return;
      case "greatestU":
        this.#choose(kind, a, b, "ltU");
        return;
      case "not":
        write(a);
        this.#constant(kind, -1);
        code.instruction(rows.xor);
        return;
      case "neg":
        this.#constant(kind, 0);
        write(a);
        code.instruction(rows.sub);
        return;
      case "abs":
        this.#scalarAbs(kind, a);
        return;
      case "ltU":
      case "leU":
      case "gtU":
      case "geU":
        this.#unsigned(kind, how, [() => write(a), () => write(b)]);
        return;
    }
  }

  /** b where the comparison of a with b holds, else a. */
  #choose(kind: LaneName, a: Expr, b: Expr, comparison: "lt" | "gt" | "ltU" | "gtU"): void {
    const type = wasmTypeOf(laneTable[kind].value);
    this.#withTemporaries(type, 2, (first, second) => {
      const operands = [first, second].map(slot => () => this.#slot(op["local.get"], slot));
      this.#expression(a);
      this.#slot(op["local.set"], first);
      this.#expression(b);
      this.#slot(op["local.tee"], second);
      operands[0]();
      const instruction = (instructions[kind] as Record<string, Instruction>)[comparison];
      if (typeof instruction === "number") {
        for (const write of operands) write();
        this.#code.instruction(instruction);
      } else this.#unsigned(kind, comparison as "ltU" | "gtU", operands);
      this.#code.instruction(type === "v128" ? op["v128.bitselect"] : op.select);
    });
  }

  /** An unsigned comparison as the signed one of operands whose sign bits are flipped: i64x2 has no other. */
  #unsigned(kind: LaneName, comparison: "ltU" | "leU" | "gtU" | "geU", operands: readonly (() => void)[]): void {
    for (const write of operands) {
      write();
      this.#vectorConstant("i64x", [-0x8000000000000000n]);
      this.#code.instruction(op["v128.xor"]);
    }
    this.#code.instruction((instructions[kind] as Record<string, number>)[comparison.slice(0, 2)]);
  }

  /** (a ^ s) - s, where s is the sign in every bit. */
  #scalarAbs(kind: LaneName, a: Expr): void {
    const wide = kind === "i64";
    this.#withTemporaries(wide ? "i64" : "i32", 2, (value, sign) => {
      this.#expression(a);
      this.#slot(op["local.tee"], value);
      this.#slot(op["local.get"], value);
      this.#constant(kind, wide ? 63 : 31);
      this.#code.instruction(wide ? op["i64.shr_s"] : op["i32.shr_s"]);
      this.#slot(op["local.tee"], sign);
      this.#code.instruction(wide ? op["i64.xor"] : op["i32.xor"]);
      this.#slot(op["local.get"], sign);
      this.#code.instruction(wide ? op["i64.sub"] : op["i32.sub"]);
    });
  }
}
