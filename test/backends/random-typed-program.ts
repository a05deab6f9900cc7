// Small programs at random, from a seed, over every element type, every scalar function and every primitive; sizes about the width of
// vectors. Floats are kept small where functions grow fast, so that a wrong element shows as a wrong number and not as an overflow.
import { type DType, dtypeBytes, dtypeTable, isBigInteger, isComplex, isFloating } from "../../src/base/dtype.ts";
import { NDArray } from "../../src/base/ndarray.ts";
import { sizeOf } from "../../src/base/shape.ts";
import * as ir from "../../src/ir/build.ts";
import { addIndex, constantIndex, dataIndex, type Index, modIndex, scaleIndex } from "../../src/ir/index-map.ts";
import type { Combine, ScatterCombine, State, Value } from "../../src/ir/program.ts";
import {
  applyScalar,
  bitcastScalar,
  castScalar,
  constantScalar,
  indexScalar,
  isDefinedFor,
  loadScalar,
  type Scalar,
  type ScalarFunction,
  s,
  scalarFunctions,
} from "../../src/ir/scalar.ts";
import { Chooser, randomNumbers, type RandomCase } from "../plans/random-program.ts";

const common: readonly DType[] = ["float32", "float32", "float32", "float32", "int32", "bool", "int64", "float64"];
const rare: readonly DType[] = [
  "uint8",
  "int8",
  "uint16",
  "int16",
  "uint32",
  "uint64",
  "float16",
  "bfloat16",
  "complex64",
  "complex128",
  "string",
];
const numeric = (dtype: DType): boolean => !["bool", "string", "handle"].includes(dtypeTable[dtype].kind);
const isOrdered = (dtype: DType): boolean => !isComplex(dtype) && dtype !== "string";

const dimensions = [1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 16, 17, 33, 70];
const functions = Object.keys(scalarFunctions) as ScalarFunction[];
/** Their arguments are kept in [-2, 2]. */
const growing: ReadonlySet<ScalarFunction> = new Set([
  "exp",
  "expm1",
  "sinh",
  "cosh",
  "mul",
  "pow",
  "tan",
  "zeta",
  "polygamma",
  "igammaGradA",
  "randomGammaGrad",
]);

const unordered = (dtype: DType): boolean => !isOrdered(dtype);

/** A program of about so many steps, with what it is fed and what its states hold. */
export function randomTypedCase(seed: number, steps = 16): RandomCase {
  return new TypedProgramMaker(randomNumbers(seed)).make(steps);
}

class TypedProgramMaker extends Chooser {
  private values: Value[] = [];
  private readonly feeds = new Map<string, NDArray>();
  private readonly contents = new Map<string, NDArray>();
  private readonly mostElements: number;
  private readonly types: readonly DType[];
  private readonly isHard: boolean;

  constructor(random: () => number) {
    super(random);
    this.mostElements = this.pick([40, 40, 200, 200, 600, 600, 5000]);
    const extra = Array.from({ length: this.below(4) }, () => this.pick(rare));
    this.types = [...common, ...extra, ...extra, ...extra];
    // NaN, infinities and zeros of both signs; sums of them say little, so they are not in every program.
    this.isHard = this.chance(0.12);
  }

  make(steps: number): RandomCase {
    const builder = new ir.ProgramBuilder();
    const results = ir.building(builder, () => {
      const states = this.begin();
      for (let i = 0; i < steps; i++) this.keep(this.step(1));
      for (const state of states) if (this.chance(0.8)) ir.updateState(state, this.fitted(state));
      const drawn = this.chance(0.2) ? [this.drawn()] : [];
      return [...drawn, ...Array.from({ length: 2 + this.below(3) }, () => this.recent() as Value), ...this.values.slice(-3)];
    });
    return { program: { steps: builder.steps, results }, feeds: this.feeds, states: this.contents };
  }

  private keep(value: Value): void {
    this.values.push(value);
  }

  private recent(isWanted: (value: Value) => boolean = () => true): Value | undefined {
    const wanted = this.values.filter(isWanted);
    return wanted.length === 0 ? undefined : wanted[Math.max(wanted.length - 1 - Math.floor(this.random() ** 2 * wanted.length), 0)];
  }

  private shape(): number[] {
    const shape = Array.from({ length: this.below(4) }, () => this.pick(dimensions));
    while (sizeOf(shape) > this.mostElements) shape[shape.indexOf(Math.max(...shape))] = this.pick(dimensions.slice(0, 6));
    return this.chance(0.02) && shape.length > 0 ? [...shape.slice(1), 0] : shape;
  }

  // ---- what there is at the beginning ----

  private element(dtype: DType): number | bigint | boolean | string | { re: number; im: number } {
    const special = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 0, 1e-45, -1e9];
    switch (dtypeTable[dtype].kind) {
      case "float":
        return this.isHard && this.chance(0.2) ? this.pick(special) : Math.round(this.random() * 256 - 128) / 32;
      case "complex":
        return { re: this.below(32) / 8 - 2, im: this.below(32) / 8 - 2 };
      case "bool":
        return this.chance(0.5);
      case "string":
        return this.pick(["", "a", "b", "ab", "ba", "é"]);
      default: {
        const wide = this.isHard && this.chance(0.3);
        const value = wide ? Math.floor(this.random() * 2 ** 33 - 2 ** 32) : this.below(24) - (dtypeTable[dtype].kind === "int" ? 12 : 0);
        return isBigInteger(dtype) ? BigInt(value) * (wide ? 1_000_003n : 1n) : value;
      }
    }
  }

  private array(dtype: DType, shape: readonly number[]): NDArray {
    const array = NDArray.zeros(dtype, shape);
    for (let i = 0; i < array.size; i++) array.set(i, this.element(dtype) as number);
    return array;
  }

  private begin(): State[] {
    const count = 2 + this.below(3);
    for (let i = 0; i < count; i++) {
      const data = this.array(this.pick(this.types), i === 0 ? [this.pick(dimensions), this.pick(dimensions)] : this.shape());
      this.feeds.set(String(i), data);
      this.keep(ir.feed(String(i), data.dtype, data.shape));
    }
    this.keep(ir.constant(this.array(this.pick(this.types), this.shape())));
    return Array.from({ length: this.below(3) }, (_, i) => {
      const dtype = this.pick(this.types.filter(type => type !== "string"));
      const state: State = { id: `s${i}`, dtype, shape: this.shape(), role: "variable" };
      this.contents.set(state.id, this.array(dtype, state.shape));
      if (this.chance(0.85)) this.keep(ir.readState(state, "reader"));
      return state;
    });
  }

  private fitted(state: State): Value {
    const same = this.recent(value => value.dtype === state.dtype && value.shape.join() === state.shape.join());
    return same ?? ir.constant(this.array(state.dtype, state.shape));
  }

  private drawn(): Value {
    const state: State = { id: "generator", dtype: "int64", shape: [3], role: "generator", initial: () => NDArray.from([1n, 2n, 3n]) };
    const used = ir.readState(state, "reader");
    const words = ir.randomWords(used, this.below(30));
    ir.updateState(
      state,
      ir.generate([3], ([i]) => s.add(loadScalar(used, [i]), s.cast(s.eq(s.index(i), 2), "int64"))),
    );
    return this.chance(0.5) ? words : ir.map(w => castScalar(s.shr(w, 9), "float32"), words);
  }

  // ---- steps ----

  private step(depth: number): Value {
    const source = this.recent(value => sizeOf(value.shape) <= this.mostElements) as Value;
    const makers: readonly (() => Value)[] = [
      () => this.elementwise(source),
      () => this.elementwise(source),
      () => this.elementwise(source),
      () => this.converted(source),
      () => this.converted(source),
      () => this.movement(source),
      () => this.movement(source),
      () => this.gathered(source),
      () => this.reduced(source),
      () => this.reduced(source),
      () => this.product(source),
      () => this.product(source),
      () => this.scattered(source),
      () => this.ordered(source),
      () => this.guarded(source),
      () => (depth > 0 ? this.branched(source, depth - 1) : this.elementwise(source)),
      () => (depth > 0 ? this.looped(source, depth - 1) : this.elementwise(source)),
    ];
    return this.pick(makers)();
  }

  /** Keeps a float where fast growing functions stay harmless. */
  private tame(x: Scalar, fn: ScalarFunction): Scalar {
    if (!growing.has(fn) || this.isHard) return x;
    return isFloating(x.dtype) ? applyScalar("max", applyScalar("min", x, 2), -2) : x;
  }

  /** A value whose shape broadcasts into that of x, of a type. */
  private partner(x: Value, dtype: DType): Value {
    const found = this.recent(
      y =>
        y.dtype === dtype &&
        y.shape.length <= x.shape.length &&
        y.shape.every((d, k) => d === 1 || d === x.shape[x.shape.length - y.shape.length + k]),
    );
    if (found !== undefined) return found;
    const from = this.below(x.shape.length + 1);
    return ir.constant(this.array(dtype, x.shape.slice(from)));
  }

  private elementwise(x: Value): Value {
    const possible = functions.filter(fn => fn !== "select" && isDefinedFor(fn, x.dtype));
    if (possible.length === 0) return this.movement(x);
    const basic = possible.filter(fn => ["add", "sub", "mul", "max", "min", "lt", "neg", "and", "xor"].includes(fn));
    const fn = basic.length > 0 && this.chance(0.5) ? this.pick(basic) : this.pick(possible);
    if (this.chance(0.15)) {
      const condition = this.partner(x, "bool");
      return ir.map((c, a, b) => applyScalar("select", c, a, b), condition, x, this.partner(x, x.dtype));
    }
    const { arity } = scalarFunctions[fn];
    if (arity === 1) return ir.map(a => applyScalar(fn, this.tame(a, fn)), x);
    if (arity === 2) return ir.map((a, b) => applyScalar(fn, this.tame(a, fn), this.tame(b, fn)), x, this.partner(x, x.dtype));
    return ir.map((a, b, c) => applyScalar(fn, a, b, c), x, this.partner(x, x.dtype), this.partner(x, x.dtype));
  }

  private converted(x: Value): Value {
    if (x.dtype === "string") return ir.map((a, b) => s.lt(a, b), x, this.partner(x, "string"));
    const made = this.below(8);
    if (made === 0) {
      const same = this.types.filter(type => dtypeBytes(type) === dtypeBytes(x.dtype) && type !== "bool");
      if (same.length > 0 && x.dtype !== "bool" && !isFloating(x.dtype)) {
        const to = this.pick(same);
        // Products of bits taken for floats overflow in single precision where they do not in double.
        const bounded = (a: Scalar): Scalar => (isFloating(to) ? applyScalar("max", applyScalar("min", a, 1e4), -1e4) : a);
        return ir.map(a => bounded(bitcastScalar(a, to)), x);
      }
    }
    if (made === 1)
      return ir.generate(x.shape, i =>
        applyScalar(
          "add",
          castScalar(this.affine(i), x.dtype === "bool" ? "int32" : x.dtype),
          castScalar(loadScalar(x, i), x.dtype === "bool" ? "int32" : x.dtype),
        ),
      );
    const to = this.pick(this.types.filter(type => type !== "string"));
    // What casts make of numbers outside an integer's range is tested on its own; sums of such numbers are not worth comparing.
    return ir.map(a => castScalar(this.chance(0.5) && isFloating(x.dtype) ? applyScalar("mul", a, 0.5) : a, to), x);
  }

  private affine(i: readonly Index[]): Scalar {
    let index = constantIndex(this.below(5) - 2);
    for (const axis of i) if (this.chance(0.8)) index = addIndex(index, scaleIndex(axis, this.below(7) - 3));
    if (this.chance(0.3)) index = modIndex(index, 2 + this.below(5));
    return indexScalar(index, this.pick(["int32", "int64"] as const));
  }

  private movement(x: Value): Value {
    const { shape } = x;
    const rank = shape.length;
    const made = this.below(9);
    const filled = x.dtype === "string" || isComplex(x.dtype) ? 0 : 1;
    if (made === 0 && rank > 1)
      return ir.transpose(
        x,
        [...shape.keys()].sort(() => this.random() - 0.5),
      );
    if (made === 1 && rank > 0)
      return ir.pad(
        x,
        shape.map(d => this.below(4) - (d > 2 ? 1 : 0)),
        shape.map(d => this.below(4) - (d > 2 ? 1 : 0)),
        this.below(2) * filled,
      );
    if (made === 2 && rank > 0) return ir.reverse(x, [this.below(rank)]);
    if (made === 3 && rank > 0 && sizeOf(shape) > 0) {
      const strides = shape.map(() => this.pick([1, 1, 2, 3, -1, -2]));
      const size = shape.map((d, k) => 1 + this.below(Math.ceil(d / Math.abs(strides[k]))));
      const begin = shape.map((d, k) =>
        strides[k] > 0 ? this.below(d - (size[k] - 1) * strides[k]) : d - 1 - this.below(d + (size[k] - 1) * strides[k]),
      );
      return ir.slice(x, begin, size, strides);
    }
    if (made === 4 && rank > 0) {
      const axis = this.below(rank);
      const other = this.recent(
        y => y.dtype === x.dtype && y.shape.length === rank && y.shape.every((d, k) => k === axis || d === shape[k]),
      );
      return ir.concat([x, other ?? x, ...(this.chance(0.3) ? [x] : [])], axis);
    }
    if (made === 5 && rank > 0)
      return ir.tile(
        x,
        shape.map(() => 1 + this.below(2)),
      );
    if (made === 6) return ir.broadcastTo(x, [this.pick(dimensions.slice(0, 6)), ...shape]);
    if (made === 7 && rank > 0) {
      const axis = this.below(rank);
      return ir.slice(
        x,
        shape.map((d, k) => (k === axis && d > 1 ? 1 : 0)),
        shape.map((d, k) => (k === axis && d > 1 ? d - 1 : d)),
      );
    }
    return this.reshaped(x);
  }

  private reshaped(x: Value): Value {
    const size = sizeOf(x.shape);
    if (size === 0) return ir.reshape(x, [0, ...x.shape]);
    const first = this.pick(dimensions.filter(d => size % d === 0));
    const second = this.pick(dimensions.filter(d => (size / first) % d === 0));
    return ir.reshape(x, this.pick([[size], [first, size / first], [first, second, size / first / second]]));
  }

  private positions(count: number, size: number): Value {
    const array = NDArray.zeros(this.pick(["int32", "int32", "int64"] as const), [count]);
    // Some lie outside: gathers clamp them, scatters drop them.
    for (let i = 0; i < count; i++) {
      const at = this.below(size + 2) - 1;
      array.set(i, array.dtype === "int64" ? BigInt(at) : at);
    }
    return ir.constant(array);
  }

  private gathered(x: Value): Value {
    if (x.shape.length === 0 || sizeOf(x.shape) === 0) return this.elementwise(x);
    const axis = this.chance(0.6) ? 0 : this.below(x.shape.length);
    const at = this.positions(this.pick(dimensions), x.shape[axis]);
    const shape = x.shape.map((d, k) => (k === axis ? at.shape[0] : d));
    return ir.generate(shape, i =>
      loadScalar(
        x,
        i.map((index, k) => (k === axis ? dataIndex(loadScalar(at, [index]), x.shape[k]) : index)),
      ),
    );
  }

  private reduced(x: Value): Value {
    const { dtype } = x;
    if (dtype === "string") return this.converted(x);
    const axes = [...x.shape.keys()].filter(() => this.chance(0.5));
    const combines: Combine[] =
      dtype === "bool"
        ? ["any", "all", "max", "min"]
        : isComplex(dtype)
          ? ["sum", "prod"]
          : ["sum", "sum", "prod", "max", "min", "argmax", "argmin"];
    const combine = this.pick(combines);
    const halved = isFloating(dtype) && (combine === "prod" || this.chance(0.3));
    const f = (a: Scalar): Scalar => (halved ? applyScalar("min", applyScalar("max", applyScalar("mul", a, 0.5), -1), 1) : a);
    return ir.reduce(combine, x, axes, { keepDims: this.chance(0.5), f, indexType: this.pick(["int32", "int64"] as const) });
  }

  // ---- contractions ----

  private product(x: Value): Value {
    if (!numeric(x.dtype) || sizeOf(x.shape) === 0) return this.converted(x);
    const made = this.below(4);
    const product = made === 0 ? this.correlation(x) : made === 1 ? this.batched(x) : this.matrices(x);
    if (this.chance(0.4) && isOrdered(product.dtype)) {
      const bias = this.partner(product, product.dtype);
      return ir.map((a, b) => applyScalar("max", applyScalar("add", a, b), 0), product, bias);
    }
    return product;
  }

  private asMatrix(x: Value): Value {
    return x.shape.length === 2
      ? x
      : ir.reshape(x, x.shape.length === 0 ? [1, 1] : [sizeOf(x.shape) / x.shape[x.shape.length - 1], x.shape[x.shape.length - 1]]);
  }

  private matrices(x: Value): Value {
    const a = this.asMatrix(x);
    const [rows, columns] = a.shape;
    const isLeftTurned = this.chance(0.4);
    const [m, k] = isLeftTurned ? [columns, rows] : [rows, columns];
    const isRightTurned = this.chance(0.4);
    const found = this.recent(y => y.dtype === x.dtype && y.shape.length === 2 && y.shape[isRightTurned ? 1 : 0] === k && y !== a);
    const n = this.pick(dimensions);
    const b = found ?? ir.constant(this.array(x.dtype, isRightTurned ? [n, k] : [k, n]));
    return ir.contract([m, b.shape[isRightTurned ? 0 : 1]], [k], ([i, j], [r]) => [
      ir.operand(a, isLeftTurned ? [r, i] : [i, r]),
      ir.operand(b, isRightTurned ? [j, r] : [r, j]),
    ]);
  }

  private batched(x: Value): Value {
    const a = this.asMatrix(x);
    const [m, k] = a.shape;
    const batch = this.pick([1, 2, 3]);
    const b = ir.constant(this.array(x.dtype, [batch, k, this.pick(dimensions)]));
    const isShared = this.chance(0.5);
    const left = isShared ? a : ir.broadcastTo(a, [batch, m, k]);
    return ir.contract([batch, m, b.shape[2]], [k], ([p, i, j], [r]) => [
      ir.operand(left, isShared ? [i, r] : [p, i, r]),
      ir.operand(b, [p, r, j]),
    ]);
  }

  /** Convolutions of one or two dimensions with stride, dilation and padding, or one filter per channel. */
  private correlation(x: Value): Value {
    const [h, c] = this.asMatrix(x).shape;
    const source = this.asMatrix(x);
    const taps = 1 + this.below(4);
    const stride = 1 + this.below(2);
    const dilation = 1 + this.below(2);
    const padding = this.below(3);
    const span = (taps - 1) * dilation + 1;
    const out = Math.floor((h + 2 * padding - span) / stride) + 1;
    if (out < 1) return this.matrices(x);
    const at = (y: Index, r: Index): Index => addIndex(addIndex(scaleIndex(y, stride), scaleIndex(r, dilation)), constantIndex(-padding));
    if (this.chance(0.3)) {
      const filter = ir.constant(this.array(x.dtype, [taps, c]));
      return ir.contract([out, c], [taps], ([y, q], [r]) => [ir.operand(source, [at(y, r), q]), ir.operand(filter, [r, q])]);
    }
    const filter = ir.constant(this.array(x.dtype, [taps, c, this.pick(dimensions)]));
    return ir.contract([out, filter.shape[2]], [taps, c], ([y, o], [r, q]) => [
      ir.operand(source, [at(y, r), q]),
      ir.operand(filter, [r, q, o]),
    ]);
  }

  // ---- scatters, scans, sorts, guards ----

  private scattered(x: Value): Value {
    const { dtype } = x;
    if (dtype === "string") return this.movement(x);
    const source = x.shape.length === 0 ? ir.reshape(x, [1]) : x;
    const rows = this.pick(dimensions);
    const shape = [rows, ...source.shape.slice(1)];
    const base = this.recent(y => y.dtype === dtype && y.shape.join() === shape.join()) ?? ir.full(dtype, shape, 0);
    const at = this.positions(source.shape[0], rows);
    const combines: ScatterCombine[] =
      dtype === "bool"
        ? ["assign", "max", "min"]
        : unordered(dtype)
          ? ["assign", "add", "sub"]
          : ["assign", "add", "sub", "min", "max", "mul"];
    const combine = this.pick(combines);
    const result = ir.scatter(combine, base, source.shape, r => ({
      at: [loadScalar(at, [r[0]]), ...r.slice(1).map(index => s.index(index))],
      body: loadScalar(source, r),
    }));
    if (this.chance(0.2)) this.keep(base);
    return result;
  }

  private ordered(x: Value): Value {
    if (x.shape.length === 0 || !isOrdered(x.dtype)) return this.elementwise(x);
    const last = x.shape[x.shape.length - 1];
    if (this.chance(0.4)) {
      const { values, indices } = ir.sort(x, this.below(last + 1), this.chance(0.5));
      this.keep(indices);
      return values;
    }
    const combines =
      x.dtype === "bool"
        ? (["max"] as const)
        : isFloating(x.dtype)
          ? (["sum", "max", "logsumexp"] as const)
          : (["sum", "prod", "max"] as const);
    return ir.scan(x, this.below(x.shape.length), this.pick(combines), { exclusive: this.chance(0.3), reverse: this.chance(0.4) });
  }

  /** Parts of one array inside bounds, of another outside. */
  private guarded(x: Value): Value {
    if (x.shape.length === 0) return this.elementwise(x);
    const other = this.partner(x, x.dtype);
    if (this.chance(0.3) && x.dtype !== "string")
      ir.check(x.shape, r => s.eq(loadScalar(x, r), loadScalar(x, r)), {
        label: "itself",
        reads: [x],
        error: () => new Error("not itself"),
      });
    return ir.generate(x.shape, i => {
      const axis = this.below(i.length);
      const both = this.chance(0.3) ? addIndex(i[axis], i[this.below(i.length)]) : i[axis];
      const low = this.below(3);
      const when = [{ index: both, low, high: low + 1 + this.below(x.shape[axis]) }];
      return s.guard(when, loadScalar(x, i), ir.loadBroadcast(other, i));
    });
  }

  // ---- regions ----

  private inside<T>(make: () => T): T {
    const outer = this.values;
    this.values = [...outer];
    try {
      return make();
    } finally {
      this.values = outer;
    }
  }

  private likes(x: Value): Value {
    return this.recent(value => value.dtype === x.dtype && value.shape.join() === x.shape.join()) as Value;
  }

  private branched(x: Value, depth: number): Value {
    const isSwitch = this.chance(0.3);
    const choice = isSwitch ? ir.constant(NDArray.from(this.below(5) - 1, "int32")) : ir.constant(NDArray.from(this.chance(0.5), "bool"));
    const fresh = ir.map(a => (isSwitch ? s.add(a, 0) : s.not(s.not(a))), choice);
    const region = () =>
      ir.region([], () =>
        this.inside(() => {
          for (let i = this.below(4); i > 0; i--) this.keep(this.step(depth));
          return [this.likes(x), this.likes(x)];
        }),
      );
    const [first, second] = ir.branch(fresh, Array.from({ length: isSwitch ? 3 : 2 }, region));
    this.keep(second);
    return first;
  }

  private looped(x: Value, depth: number): Value {
    const count = this.below(4);
    const initial = [ir.full("int32", [], 0), x, this.likes(x)];
    const condition = ir.region(initial, i => [ir.map(n => s.lt(n, count), i)]);
    const body = ir.region(initial, (i, a, b) =>
      this.inside(() => {
        this.values.push(a, b);
        for (let k = this.below(4); k > 0; k--) this.keep(this.step(depth));
        return [ir.map(n => s.add(n, constantScalar("int32", 1)), i), this.likes(x), this.chance(0.5) ? a : this.likes(x)];
      }),
    );
    const [, first, second] = ir.loop(initial, condition, body);
    this.keep(second);
    return first;
  }
}
