// Sort kernels: each row turned into keys that compare as unsigned integers, with their positions, then merged from short runs to long; a
// few of many are kept in a small sorted list instead. Equal elements stay in order, NaN is the largest, zeros of both signs are equal.

import { InternalError } from "../base/errors.ts";
import { sizeOf } from "../base/shape.ts";
import { addIndex, axisIndex, constantIndex } from "../ir/index-map.ts";
import type { Kernel } from "../schedule/plan.ts";
import { least, plus, times } from "./arithmetic.ts";
import { elementOf } from "./element.ts";
import { type Expr, f32, f64, i32, i64, type Local } from "./language/language.ts";
import { storeScalar } from "./map.ts";
import type { Phase, Recording } from "./phase.ts";
import { Addresses } from "./places.ts";
import type { FunctionRecorder } from "./language/recorder.ts";
import { loadElement, type Point } from "./language/scalar-code.ts";

type SortKernel = Extract<Kernel, { kind: "sort" }>;

/** Rows are sorted in so many units, each with scratch of its own. */
const mostUnits = 8;
/** A branch that is often foretold wrong, as schedule/cost.ts counts. */
const comparisonCost = 100;
/** Lists up to this length are kept by insertion, if that is a small part of the row. */
const longestList = 32;

interface Layout {
  readonly rows: number;
  readonly length: number;
  readonly count: number;
  readonly units: number;
  readonly isList: boolean;
  /** Keys of 64 bits have their positions beside them, shorter ones in their low half. */
  readonly isWide: boolean;
  /** Entries of one buffer; a merge needs two. */
  readonly capacity: number;
  readonly bufferBytes: number;
}

function layoutOf({ values, source }: SortKernel): Layout {
  const length = source.shape[source.shape.length - 1];
  const count = values.shape[values.shape.length - 1];
  const rows = sizeOf(values.shape.slice(0, -1));
  const isList = count <= longestList && length > 4 * count;
  const isWide = elementOf(source.dtype).bytes === 8;
  const capacity = isList ? count : length;
  return { rows, length, count, isList, isWide, capacity, units: Math.min(rows, mostUnits), bufferBytes: capacity * (isWide ? 12 : 8) };
}

/** Scratch a sort wants. */
export function sortScratchBytes(kernel: SortKernel): number {
  const { units, bufferBytes, isList } = layoutOf(kernel);
  return units * bufferBytes * (isList ? 1 : 2);
}

export function recordSort(kernel: SortKernel, recording: Recording): Phase[] {
  const { module, places, name } = recording;
  const { values, indices, source } = kernel;
  const scratch = recording.scratchOf(kernel);
  const layout = layoutOf(kernel);
  const { rows, units, bufferBytes, isList } = layout;
  if (sizeOf(values.shape) === 0) return [];
  if (scratch === undefined) throw new InternalError("A sort has no scratch.");
  const label = name("sort");
  const perUnit = Math.ceil(rows / units);
  const ref = module.function(label, { params: { low: "i32", high: "i32" } }, (k, { low, high }) => {
    const addresses = new Addresses(k, places, [values, indices, source]);
    const buffers = addresses.number(addresses.at(scratch));
    k.loop({ from: low, to: high }, unit => {
      const first = k.let(plus(buffers, times(unit, bufferBytes * (isList ? 1 : 2))));
      const to = k.let(least(times(plus(unit, 1), perUnit), rows));
      k.loop({ from: times(unit, perUnit), to }, row => {
        const work: Row = { kernel, layout, k, addresses, row };
        const a = new Entries(layout, first, k);
        if (isList) writeRow(work, keepList(work, a));
        else {
          const b = new Entries(layout, k.let(plus(first, bufferBytes)), k);
          k.loop({ to: layout.length }, at => a.store(at, entryOf(work, at)));
          writeRow(work, mergeRuns(work, a, b));
        }
      });
    });
  });
  return [
    {
      name: label,
      function: ref,
      units,
      work: rows * layout.length * comparisonCost * (isList ? 1 : Math.ceil(Math.log2(layout.length + 1))),
    },
  ];
}

interface Row {
  readonly kernel: SortKernel;
  readonly layout: Layout;
  readonly k: FunctionRecorder;
  readonly addresses: Addresses;
  readonly row: Expr<"i32">;
}

/** A key, and the position where it is not part of it. */
interface Entry {
  readonly key: Local<"i64">;
  readonly position: Local<"i32"> | undefined;
}

/** Entries side by side in scratch memory: keys, then positions. */
class Entries {
  readonly #layout: Layout;
  readonly base: Local<"i32">;
  readonly #k: FunctionRecorder;

  constructor(layout: Layout, base: Local<"i32">, k: FunctionRecorder) {
    this.#layout = layout;
    this.base = base;
    this.#k = k;
  }

  load(at: Expr<"i32">): Entry {
    const key = this.#k.let(i64.load(plus(this.base, i32.shl(at, 3))));
    const position = this.#layout.isWide ? this.#k.let(i32.load(this.#positionAt(at), this.#layout.capacity * 8)) : undefined;
    return { key, position };
  }

  store(at: Expr<"i32">, { key, position }: Entry): void {
    this.#k.store("i64", plus(this.base, i32.shl(at, 3)), 0, key);
    if (position) this.#k.store("i32", this.#positionAt(at), this.#layout.capacity * 8, position);
  }

  #positionAt(at: Expr<"i32">): Expr<"i32"> {
    return plus(this.base, i32.shl(at, 2));
  }
}

/** A strictly before b. Keys that hold their positions are never equal. */
const isBefore = (a: Entry, b: Entry): Expr<"i32"> => i64.ltU(a.key, b.key);

function entryOf({ kernel, layout, k, addresses, row }: Row, at: Expr<"i32">): Entry {
  const { source, descending } = kernel;
  const position = k.let(plus(times(row, layout.length), at));
  const point: Point = { k, addresses, axes: [position], memo: new Map() };
  const ordered = orderedBits(source.dtype, loadElement(source, axisIndex(0, sizeOf(source.shape)), point), k);
  const bits = descending ? i64.xor(ordered, layout.isWide ? -1n : 0xffffffffn) : ordered;
  if (layout.isWide) return { key: k.let(bits), position: k.let(at) };
  return { key: k.let(i64.or(i64.shl(bits, 32), i64.fromI32U(at))), position: undefined };
}

/** Bits that compare unsigned as the elements do: 32 of them, or 64 for wide types. */
function orderedBits(dtype: SortKernel["source"]["dtype"], x: Expr, k: FunctionRecorder): Expr<"i64"> {
  const { scalar, isUnsigned } = elementOf(dtype);
  switch (scalar) {
    case "i32":
      return i64.fromI32U(isUnsigned ? (x as Expr<"i32">) : i32.xor(x as Expr<"i32">, -(2 ** 31)));
    case "i64":
      return isUnsigned ? (x as Expr<"i64">) : i64.xor(x as Expr<"i64">, -(2n ** 63n));
    case "f32": {
      // The sum with zero makes one zero of two.
      const value = k.let(f32.add(x as Expr<"f32">, 0));
      const bits = k.let(i32.ofBits(value));
      const flipped = i32.xor(bits, i32.or(i32.shr(bits, 31), -(2 ** 31)));
      return i64.fromI32U(i32.select(f32.ne(value, value), i32.const(-1), flipped));
    }
    case "f64": {
      const value = k.let(f64.add(x as Expr<"f64">, 0));
      const bits = k.let(i64.ofBits(value));
      const flipped = i64.xor(bits, i64.or(i64.shr(bits, 63), -(2n ** 63n)));
      return i64.select(f64.ne(value, value), i64.const(-1n), flipped);
    }
  }
}

/** The first `count` in order, by insertion into a list that is never longer. */
function keepList(work: Row, list: Entries): Entries {
  const { k, layout } = work;
  const { count, length } = layout;
  k.loop({ to: length }, at => {
    const entry = entryOf(work, at);
    const free = k.let(least(at, count - 1));
    k.block(done => {
      // A full list drops its last entry, or keeps it and has nothing to do.
      k.if(i32.geU(at, count), () => {
        const last = list.load(i32.const(count - 1));
        k.breakIf(done, i32.eqz(isBefore(entry, last)));
      });
      k.block(found => {
        k.while(i32.gt(free, 0), () => {
          const previous = list.load(i32.sub(free, 1));
          k.breakIf(found, i32.eqz(isBefore(entry, previous)));
          list.store(free, previous);
          k.set(free, i32.sub(free, 1));
        });
      });
      list.store(free, entry);
    });
  });
  return list;
}

/** Runs of one, two, four … merged from buffer to buffer; gives the buffer that holds all of them in the end. */
function mergeRuns({ k, layout }: Row, a: Entries, b: Entries): Entries {
  const { length } = layout;
  let [from, to] = [a, b];
  for (let run = 1; run < length; run *= 2) {
    const [source, target] = [from, to];
    k.loop({ to: length, step: 2 * run }, start => {
      const middle = k.let(least(plus(start, run), length));
      const end = k.let(least(plus(start, 2 * run), length));
      mergeTwo(source, target, { start, middle, end }, k);
    });
    [from, to] = [to, from];
  }
  return from;
}

interface Runs {
  readonly start: Expr<"i32">;
  readonly middle: Expr<"i32">;
  readonly end: Expr<"i32">;
}

function mergeTwo(from: Entries, to: Entries, { start, middle, end }: Runs, k: FunctionRecorder): void {
  const left = k.let(start);
  const right = k.let(middle);
  k.loop({ from: start, to: end }, at => {
    // 1: the right run has one left, and the left run has none or a later one.
    const takesRight = k.let(i32.lt(right, end));
    k.if(i32.and(takesRight, i32.lt(left, middle)), () => k.set(takesRight, isBefore(from.load(right), from.load(left))));
    const entry = from.load(i32.select(takesRight, right, left));
    to.store(at, entry);
    k.set(right, plus(right, takesRight));
    k.set(left, plus(left, i32.eqz(takesRight)));
  });
}

/** Positions, and the elements there as they were. */
function writeRow({ kernel, layout, k, addresses, row }: Row, sorted: Entries): void {
  const { values, indices, source } = kernel;
  const { length, count } = layout;
  k.loop({ to: count }, at => {
    const { key, position } = sorted.load(at);
    const index = position ?? k.let(i32.fromI64(key));
    const out = k.let(plus(times(row, count), at));
    const point: Point = { k, addresses, axes: [out, k.let(plus(times(row, length), index))], memo: new Map() };
    const element = k.let(loadElement(source, addIndex(constantIndex(0), axisIndex(1, sizeOf(source.shape))), point));
    const flat = axisIndex(0, sizeOf(values.shape));
    storeScalar(values, flat, element, point);
    storeScalar(indices, flat, index, point);
  });
}
