// Small programs at random, from a seed: chains and webs of maps, movement, reductions, products, scatters, states, branches and loops.
// Values stay small numbers, so that a wrong element shows as a wrong number and not as an overflow.
import type { DType } from "../../src/base/dtype.ts";
import { NDArray } from "../../src/base/ndarray.ts";
import { sizeOf } from "../../src/base/shape.ts";
import * as ir from "../../src/ir/build.ts";
import type { Index } from "../../src/ir/index-map.ts";
import { addIndex, constantIndex, dataIndex, scaleIndex } from "../../src/ir/index-map.ts";
import type { Program, State, Value } from "../../src/ir/program.ts";
import { loadScalar, type Scalar, s } from "../../src/ir/scalar.ts";

/** Numbers in [0, 1) from a seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface RandomCase {
  readonly program: Program;
  readonly feeds: ReadonlyMap<string, NDArray>;
  readonly states: ReadonlyMap<string, NDArray>;
}

/** A program with what it is fed and what its states hold. */
export function randomCase(seed: number, steps = 24): RandomCase {
  return new ProgramMaker(randomNumbers(seed)).make(steps);
}

const dimensions = [1, 2, 3, 4, 6];

/** Choices from a source of numbers in [0, 1). */
export class Chooser {
  protected readonly random: () => number;

  constructor(random: () => number) {
    this.random = random;
  }

  protected below(n: number): number {
    return Math.floor(this.random() * n);
  }

  protected chance(p: number): boolean {
    return this.random() < p;
  }

  protected pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }
}

class ProgramMaker extends Chooser {
  private values: Value[] = [];
  private readonly feeds = new Map<string, NDArray>();
  private readonly contents = new Map<string, NDArray>();

  make(steps: number): RandomCase {
    const builder = new ir.ProgramBuilder();
    const results = ir.building(builder, () => {
      const states = this.begin();
      for (let i = 0; i < steps; i++) this.values.push(this.step(2));
      if (this.chance(0.3)) this.values.push(this.drawn());
      for (const state of states) if (this.chance(0.8)) ir.updateState(state, this.fitted(state));
      if (states.length > 1 && this.chance(0.2)) this.swap(states);
      return [...Array.from({ length: 1 + this.below(4) }, () => this.pick(this.values)), this.blend(this.values[0])];
    });
    return { program: { steps: builder.steps, results }, feeds: this.feeds, states: this.contents };
  }

  /** Later values more often, so that programs grow deep. */
  private recent(isWanted: (value: Value) => boolean = () => true): Value | undefined {
    const wanted = this.values.filter(isWanted);
    return wanted.length === 0 ? undefined : wanted[Math.max(wanted.length - 1 - Math.floor(this.random() ** 2 * wanted.length), 0)];
  }

  private array(shape: readonly number[], dtype: DType = "float32"): NDArray {
    const array = NDArray.zeros(dtype, shape);
    for (let i = 0; i < array.size; i++) array.set(i, dtype === "float32" ? Math.round(this.random() * 64 - 32) / 16 : this.below(4));
    return array;
  }

  private begin(): State[] {
    const shape = (): number[] => Array.from({ length: this.below(4) }, () => this.pick(dimensions));
    for (let i = 0; i < 3; i++) {
      const data = this.array(i === 0 ? [this.pick(dimensions), this.pick(dimensions)] : shape());
      this.feeds.set(`x${i}`, data);
      this.values.push(ir.feed(`x${i}`, data.dtype, data.shape));
    }
    this.values.push(ir.constant(this.array(shape())));
    return Array.from({ length: 1 + this.below(3) }, (_, i) => {
      const like = this.chance(0.6) ? this.pick(this.values).shape : shape();
      const state: State = { id: `s${i}`, dtype: "float32", shape: like, role: "variable" };
      this.contents.set(state.id, this.array(like));
      if (this.chance(0.85)) this.values.push(ir.readState(state, "reader"));
      return state;
    });
  }

  /** A value of a state's shape, often one made from it, the state's own or another state's. */
  private fitted(state: State): Value {
    const same = this.recent(value => value.dtype === state.dtype && value.shape.join() === state.shape.join());
    if (same !== undefined && this.chance(0.8)) {
      if (this.chance(0.3) && same.shape.length > 0) return this.scatteredInto(this.chance(0.5) ? same : ir.map(x => s.mul(x, 0.5), same));
      return this.chance(0.6) ? ir.map(x => s.add(s.mul(x, 0.5), 1), same) : same;
    }
    return ir.generate(state.shape, i => s.mul(s.cast(s.index(i.reduce(addIndex, constantIndex(0))), "float32"), 0.25));
  }

  /** Random numbers from a generator that moves on. */
  private drawn(): Value {
    const state: State = { id: "generator", dtype: "int64", shape: [3], role: "generator", initial: () => NDArray.from([1n, 2n, 3n]) };
    const used = ir.readState(state, "reader");
    const [shape, rows] = [[this.pick(dimensions), 4], 2];
    const words = ir.randomWords(used, shape[0] * shape[1]);
    ir.updateState(
      state,
      ir.generate([3], ([i]) => s.add(loadScalar(used, [i]), s.cast(s.eq(s.index(i), rows), "int64"))),
    );
    return ir.map(w => s.mul(s.cast(s.shr(w, 24), "float32"), 1 / 256), ir.reshape(words, shape));
  }

  private scatteredInto(base: Value): Value {
    const row = ir.constant(this.array([2], "int32"));
    if (this.chance(0.3)) this.values.push(base);
    return ir.scatter("add", base, [2, ...base.shape.slice(1)], r => ({
      at: [loadScalar(row, [r[0]]), ...r.slice(1).map(index => s.index(index))],
      body: s.cast(s.index(addIndex(r[0], constantIndex(1))), "float32"),
    }));
  }

  private swap(states: readonly State[]): void {
    const [a, b] = states;
    if (a.shape.join() !== b.shape.join()) return;
    const [x, y] = [ir.readState(a, "reader"), ir.readState(b, "reader")];
    ir.updateState(a, y);
    ir.updateState(b, x);
  }

  /** `x` changed a little by some values made lately, whatever their shapes, so that much of the program is needed. */
  private blend(x: Value): Value {
    let sum = x;
    for (let i = 0; i < 3; i++) {
      const other = this.recent(value => value.dtype === "float32") as Value;
      const scalar = ir.reduce("max", other, [...other.shape.keys()], { f: a => s.mul(a, 0.125) });
      sum = ir.map((a, b) => s.add(a, b), sum, scalar);
    }
    return sum;
  }

  private step(depth: number): Value {
    const source = this.recent(value => value.dtype === "float32" && sizeOf(value.shape) <= 200) as Value;
    const makers: readonly (() => Value)[] = [
      () => this.elementwise(source),
      () => this.elementwise(source),
      () => this.elementwise(source),
      () => this.movement(source),
      () => this.movement(source),
      () => this.reduction(source),
      () => this.product(source),
      () => this.product(source),
      () => this.scattered(source),
      () => this.gathered(source),
      () => this.other(source),
      () => (depth > 0 ? this.branched(source, depth - 1) : this.elementwise(source)),
      () => (depth > 0 ? this.looped(source, depth - 1) : this.movement(source)),
    ];
    return this.pick(makers)();
  }

  private elementwise(x: Value): Value {
    const other = this.recent(
      y => y.dtype === "float32" && y.shape.every((d, k) => d === 1 || d === x.shape[x.shape.length - y.shape.length + k]),
    );
    if (other !== undefined && this.chance(0.7)) {
      const fn = this.pick(["add", "sub", "max", "min"] as const);
      return ir.map((a, b) => s[fn](s.mul(a, 0.5), b), x, other);
    }
    const made = this.below(8);
    if (made === 6) return this.wide(x);
    if (made === 7) return this.picked(x);
    if (made === 0) return ir.map(a => s.max(a, 0), x);
    if (made === 1) return ir.map(a => s.sigmoid(a), x);
    if (made === 2) return ir.map(a => s.exp(s.min(a, 1)), x);
    if (made === 3) return ir.map(a => s.select(s.gt(a, 0), s.sub(a, 1), s.neg(a)), x);
    if (made === 4) return ir.map(a => s.div(a, s.add(s.mul(a, a), 1)), x);
    return ir.generate(x.shape, i => s.add(loadScalar(x, i), s.cast(s.index(i.reduce(addIndex, constantIndex(0))), "float32")));
  }

  /** Through elements of another width, stored because they are expensive and read twice. */
  private wide(x: Value): Value {
    const dtype = this.pick(["float64", "int32", "bool"] as const);
    const stored = ir.map(a => (dtype === "bool" ? s.gt(s.exp(s.min(a, 1)), 1) : s.cast(s.mul(s.exp(s.min(a, 1)), 4), dtype)), x);
    const back = ir.map(a => s.cast(a, "float32"), stored);
    this.values.push(ir.reverse(back, x.shape.length > 0 ? [0] : []));
    return ir.map((a, b) => s.add(s.cast(a, "float32"), b), stored, x);
  }

  /** The positions of the greatest along an axis. */
  private picked(x: Value): Value {
    if (x.shape.length === 0) return ir.map(a => s.neg(a), x);
    const axis = this.below(x.shape.length);
    const positions = ir.reduce(this.pick(["argmax", "argmin"] as const), x, [axis], {
      keepDims: true,
      indexType: this.pick(["int32", "int64"] as const),
    });
    return ir.map((a, p) => s.add(a, s.mul(s.cast(p, "float32"), 0.125)), x, positions);
  }

  private movement(x: Value): Value {
    const rank = x.shape.length;
    const made = this.below(8);
    if (made === 0 && rank > 1) return ir.transpose(x, [...x.shape.keys()].reverse());
    if (made === 1 && rank > 0)
      return ir.pad(
        x,
        x.shape.map(() => this.below(2)),
        x.shape.map(() => this.below(2)),
      );
    if (made === 2 && rank > 0) return ir.reverse(x, [this.below(rank)]);
    if (made === 3 && rank > 0 && x.shape[0] > 1)
      return ir.slice(
        x,
        x.shape.map((_, k) => (k === 0 ? 1 : 0)),
        x.shape.map((d, k) => (k === 0 ? d - 1 : d)),
      );
    if (made === 4 && rank > 0) return ir.concat([x, ir.map(a => s.mul(a, 2), x)], this.below(rank));
    if (made === 5 && rank > 0)
      return ir.tile(
        x,
        x.shape.map(() => 1 + this.below(2)),
      );
    if (made === 6) return ir.broadcastTo(x, [this.pick(dimensions), ...x.shape]);
    return this.reshaped(x);
  }

  private reshaped(x: Value): Value {
    const size = sizeOf(x.shape);
    const first = this.pick(dimensions.filter(d => size % d === 0));
    const second = this.pick(dimensions.filter(d => (size / first) % d === 0));
    return ir.reshape(x, this.pick([[size], [first, size / first], [first, second, size / first / second]]));
  }

  private reduction(x: Value): Value {
    const axes = [...x.shape.keys()].filter(() => this.chance(0.5));
    const combine = this.pick(["sum", "max", "min"] as const);
    const keepDims = this.chance(0.5);
    return ir.map(a => s.mul(a, 0.25), ir.reduce(combine, x, axes, { keepDims, f: this.chance(0.4) ? a => s.mul(a, a) : a => a }));
  }

  private product(x: Value): Value {
    if (x.shape.length !== 2) return this.product2(this.chance(0.5) ? this.flat(x) : ir.reshape(x, [1, sizeOf(x.shape)]));
    return this.product2(x);
  }

  private flat(x: Value): Value {
    return ir.reshape(x, [sizeOf(x.shape), 1]);
  }

  /** A product along an axis that fits, a correlation of rows that reaches beyond their ends, or an outer product. */
  private product2(x: Value): Value {
    const [m, k] = x.shape;
    const y = this.recent(value => value.dtype === "float32" && value.shape.length === 2 && value.shape.includes(k) && value !== x);
    if (y !== undefined && this.chance(0.7)) {
      const transposed = y.shape[0] !== k;
      const n = y.shape[transposed ? 0 : 1];
      const scaled = ir.contract([m, n], [k], (i, r) => [
        ir.operand(x, [i[0], r[0]]),
        ir.operand(y, transposed ? [i[1], r[0]] : [r[0], i[1]]),
      ]);
      return this.chance(0.6) ? ir.map(a => s.max(s.mul(a, 0.25), 0), scaled) : scaled;
    }
    const taps = ir.constant(this.array([3]));
    const moved = this.chance(0.7) ? this.movedMatrix(x) : x;
    return ir.contract([...moved.shape], [3], (i, r) => [
      ir.operand(moved, [i[0], addIndex(addIndex(i[1], r[0]), constantIndex(-1))]),
      ir.operand(taps, [r[0]]),
    ]);
  }

  private movedMatrix(x: Value): Value {
    const [m, k] = x.shape;
    const made = this.below(8);
    if (made === 6) return ir.slice(x, [0, 0], [m, Math.max(k - 1, 1)]);
    if (made === 7)
      return ir.generate(x.shape, i =>
        s.guard([{ index: i[1], low: 1, high: Math.max(k - 1, 2) }], loadScalar(x, i), s.constant("float32", 0)),
      );
    if (made === 0) return ir.pad(x, [0, 1], [0, this.below(2)], this.below(2));
    if (made === 1) return ir.transpose(x, [1, 0]);
    if (made === 2) return ir.reverse(x, [1]);
    if (made === 3) return ir.pad(x, [0, -Math.min(1, k - 1)], [0, 1]);
    if (made === 4) return ir.slice(x, [0, Math.min(1, k - 1)], [m, Math.max(k - 1, 1)]);
    return ir.broadcastTo(ir.slice(x, [0, 0], [m, 1]), [m, 3]);
  }

  private scattered(x: Value): Value {
    const rows = this.pick(dimensions);
    const at = ir.constant(this.array([x.shape[0] ?? 1], "int32"));
    const base = this.chance(0.5)
      ? ir.full("float32", [rows, ...x.shape.slice(1)], 0)
      : ir.map(a => s.mul(a, 0.5), this.sized([rows, ...x.shape.slice(1)]));
    const source = x.shape.length === 0 ? ir.reshape(x, [1]) : x;
    const readsBase = this.chance(0.2);
    const update = (r: readonly Index[]): Scalar =>
      readsBase ? s.add(loadScalar(source, r), loadScalar(base, [constantIndex(0), ...r.slice(1)])) : loadScalar(source, r);
    const twice = (target: Value): Value =>
      ir.scatter(this.pick(["add", "assign", "max"] as const), target, source.shape, r => ({
        at: [loadScalar(at, [r[0]]), ...r.slice(1).map(index => s.index(index))],
        body: update(r),
      }));
    const result = twice(base);
    if (this.chance(0.3)) this.values.push(base);
    return this.chance(0.3) ? twice(result) : result;
  }

  private sized(shape: readonly number[]): Value {
    const same = this.recent(value => value.dtype === "float32" && value.shape.join() === shape.join());
    return same ?? ir.full("float32", shape, 1);
  }

  private gathered(x: Value): Value {
    if (x.shape.length === 0) return this.elementwise(x);
    const at = ir.constant(this.array([this.pick(dimensions)], "int32"));
    return ir.generate([at.shape[0], ...x.shape.slice(1)], i =>
      loadScalar(x, [dataIndex(loadScalar(at, [i[0]]), x.shape[0]), ...i.slice(1)]),
    );
  }

  private other(x: Value): Value {
    if (x.shape.length === 0) return this.elementwise(x);
    const made = this.below(4);
    if (made === 0) return ir.scan(x, this.below(x.shape.length), "max", { exclusive: false, reverse: this.chance(0.5) });
    if (made === 1) return ir.sort(x, x.shape[x.shape.length - 1], this.chance(0.5)).values;
    if (made === 2) {
      ir.check(x.shape, r => s.lt(loadScalar(x, r), 1e30), { label: "finite", reads: [x], error: () => new Error("too large") });
      return ir.generate(x.shape, i =>
        loadScalar(
          x,
          i.map((index, k) => addIndex(constantIndex(x.shape[k] - 1), scaleIndex(index, -1))),
        ),
      );
    }
    const out = { dtype: x.dtype, shape: x.shape };
    const routine = {
      name: "half",
      run: ([input]: readonly NDArray[], [output]: readonly NDArray[]): void => {
        for (let i = 0; i < input.size; i++) output.set(i, (input.get(i) as number) / 2);
      },
    };
    return ir.call(routine, [x], [out])[0];
  }

  /** Steps that see the values made so far and whose own stay inside. */
  private inside<T>(make: () => T): T {
    const outer = this.values;
    this.values = [...outer];
    try {
      return make();
    } finally {
      this.values = outer;
    }
  }

  private branched(x: Value, depth: number): Value {
    const choice = ir.generate([], () =>
      s.gt(
        loadScalar(
          x,
          x.shape.map(() => constantIndex(0)),
        ),
        0.25,
      ),
    );
    const steps = this.below(4);
    const region = () =>
      ir.region([], () =>
        this.inside(() => {
          for (let i = 0; i < steps; i++) this.values.push(this.step(depth));
          const same = this.recent(value => value.dtype === x.dtype && value.shape.join() === x.shape.join()) as Value;
          return [this.chance(0.3) ? same : this.blend(same), this.chance(0.5) ? same : x];
        }),
      );
    const [first, second] = ir.branch(choice, [region(), region()]);
    this.values.push(second);
    return first;
  }

  private looped(x: Value, depth: number): Value {
    const count = 1 + this.below(4);
    const zero = ir.full("int32", [], 0);
    const initial = [zero, x, this.chance(0.5) ? x : ir.map(a => s.mul(a, 0.5), x)];
    const condition = ir.region(initial, i => [ir.map(n => s.lt(n, count), i)]);
    const body = ir.region(initial, (i, a, b) =>
      this.inside(() => {
        this.values.push(a, b);
        const steps = this.below(6);
        for (let k = 0; k < steps; k++) this.values.push(this.step(depth));
        const same = (): Value => this.recent(value => value.dtype === x.dtype && value.shape.join() === x.shape.join()) as Value;
        const next = this.pick([
          () => [b, a],
          () => [same(), same()],
          () => [ir.map(v => s.mul(v, 0.5), a), ir.map((v, w) => s.sub(v, w), b, a)],
          () => [b, this.blend(a)],
          () => [this.blend(b), this.blend(a)],
        ])();
        return [ir.map(n => s.add(n, 1), i), ...next];
      }),
    );
    const [, first, second] = ir.loop(initial, condition, body);
    this.values.push(second);
    return first;
  }
}
