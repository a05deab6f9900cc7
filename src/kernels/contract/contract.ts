// Contraction kernels: padded copies, packed panels, then tiles of rows × columns kept in registers while they walk the reduced axes:
// per step one splat of A a row and one multiply-add a vector. One generator for matrix products and convolutions, forward and back.

import { sizeOf } from "../../base/shape.ts";
import { addIndex, axisIndex, constantIndex, type Index, scaleIndex } from "../../ir/index-map.ts";
import type { Value } from "../../ir/program.ts";
import { constantScalar, guardScalar, loadScalar, type Scalar, substituteScalar } from "../../ir/scalar.ts";
import { storeCost } from "../../schedule/cost.ts";
import { least, plus, times } from "../arithmetic.ts";
import { asReduce, type ProductSums } from "./reduce.ts";
import { type Axis, type ContractKernel, type ContractPlan, type Padding, scratchOffsets } from "./plan.ts";
import type { PartsPlan } from "./parts.ts";
import { recordBlocks } from "./blocks.ts";
import { recordDots } from "./dots.ts";
import { recordDouble } from "./double.ts";
import { recordLanes } from "./lanes.ts";
import { recordSweep } from "./sweep.ts";
import { wayOf } from "./way.ts";
import { type Expr, f32x, i32, type Local } from "../language/language.ts";
import { recordMap, recordMapIn, storesLeaf, valuesOf } from "../map.ts";
import type { Phase, Recording } from "../phase.ts";
import { Addresses } from "../places.ts";
import type { FunctionRecorder } from "../language/recorder.ts";
import { recordReduce } from "../reduce/reduce.ts";
import { indexCode, type Point } from "../language/scalar-code.ts";
import { blockPoint } from "../block-point.ts";
import { recordWindows } from "./windows.ts";
import { recordWinograd } from "./winograd.ts";

export function recordContract(kernel: ContractKernel, recording: Recording): Phase[] {
  const { target } = recording.module;
  const way = wayOf(kernel, target);
  const hasScratch = way.scratch.length === 0 || (kernel.scratch?.bytes ?? 0) > 0;
  // Kernels that were planned without scratch, for any size, are reductions.
  if (!hasScratch) return recordReduce(asReduce(kernel), recording);
  placeScratch(way.scratch, kernel, recording);
  switch (way.kind) {
    case "winograd":
      return recordWinograd(kernel, way.plan, recording);
    case "parts":
      return recordParts(kernel, way.plan, recording);
    case "blocks":
      return [...padded(way.plan.paddings, recording), ...recordBlocks(kernel, way.plan, recording)];
    case "dots":
      return [...padded(way.plan.paddings, recording), ...recordDots(kernel, way.plan, recording)];
    case "tiles":
      return recordTiles(kernel, way.plan, recording);
    case "double": {
      const { paddings, partial } = way.plan;
      const sums = recordDouble(kernel, way.plan, partial ?? kernel.stores[0].out, recording);
      return [...padded(paddings, recording), sums, ...(partial ? recordEpilogue(kernel, partial, recording) : [])];
    }
    case "lanes": {
      const { paddings, partial } = way.plan;
      const sums = recordLanes(kernel, way.plan, partial ?? kernel.stores[0].out, recording);
      return [...padded(paddings, recording), sums, ...(partial ? recordEpilogue(kernel, partial, recording) : [])];
    }
    case "windows":
      return recordWindows(kernel, way.plan, recording);
    case "reduce":
      return recordSums(way.plan, recording);
  }
}

function recordSums({ paddings, reduce, partial }: ProductSums, recording: Recording): Phase[] {
  const place = partial && recording.places.get(partial);
  return [...padded(paddings, recording), ...recordReduce(reduce, recording, place && "offsetBytes" in place ? place : undefined)];
}

const padded = (paddings: readonly Padding[], recording: Recording): Phase[] =>
  paddings.flatMap(padding => recordPadding(padding, recording));

function recordParts(kernel: ContractKernel, { paddings, parts, zeros, partial }: PartsPlan, recording: Recording): Phase[] {
  const nothing = partial
    ? [{ out: partial, body: constantScalar("float32", 0) }]
    : kernel.stores.map(({ out, body }) => ({ out, body: replaceAccumulator(body, kernel.shape, constantScalar("float32", 0)) }));
  return [
    ...padded(paddings, recording),
    ...parts.flatMap(part => recordTiles(part.kernel, part.plan, recording)),
    ...zeros.map(box => recordMapIn({ kind: "map", shape: kernel.shape, stores: nothing }, box, recording)),
    ...(partial ? recordEpilogue(kernel, partial, recording) : []),
  ];
}

function recordTiles(kernel: ContractKernel, plan: ContractPlan, recording: Recording): Phase[] {
  const phases = padded(plan.paddings, recording);
  if (plan.packed && !plan.isGiven) phases.push(...recordPacking(plan, plan.packed, recording));
  phases.push(plan.isSweep && plan.partial ? recordSweep(kernel, plan, plan.partial, recording) : recordProducts(kernel, plan, recording));
  if (plan.partial) phases.push(...recordEpilogue(kernel, plan.partial, recording));
  return phases;
}

function placeScratch(values: readonly Value[], kernel: ContractKernel, recording: Recording): void {
  const scratch = recording.scratchOf(kernel);
  if (scratch === undefined) return;
  for (const { value, offset } of scratchOffsets(values, recording.module.target.alignment))
    recording.place(value, { ...scratch, offsetBytes: scratch.offsetBytes + offset });
}

/** The source surrounded by zeros. */
function recordPadding({ from, padded, low }: Padding, recording: Recording): Phase[] {
  const at = padded.shape.map((size, axis) => addIndex(axisIndex(axis, size), constantIndex(low[axis])));
  const body = guardScalar(
    at.map((index, axis) => ({ index, low: 0, high: from.shape[axis] })),
    loadScalar(from, at),
    constantScalar(from.dtype, 0),
  );
  return recordMap({ kind: "map", shape: padded.shape, stores: [{ out: padded, body }] }, recording);
}

/** B as [batch…, panel, reduced…, column in panel], zero past the last column. */
function recordPacking(plan: ContractPlan, packed: Value, recording: Recording): Phase[] {
  const last = plan.reduced[plan.reduced.length - 1];
  const isWhole = last !== undefined && plan.column.size % plan.panelWidth === 0 && plan.batch.every(axis => axis.b === 0);
  const how = !isWhole
    ? "map"
    : plan.column.b === 1
      ? "rows"
      : last.b === 1 && last.size >= recording.module.target.lanes32
        ? "transposed"
        : "map";
  return how === "map" ? packByMap(plan, packed, recording) : [recordPanels(plan, packed, how, recording)];
}

/** Panels copied side by side, so that rows of B are read by whole cache lines and pages. */
const panelsAtOnce = 8;

/** Whole panels: rows copied by vectors, or columns read by vectors and turned. */
function recordPanels(plan: ContractPlan, packed: Value, how: "rows" | "transposed", recording: Recording): Phase {
  const { module, places } = recording;
  const name = recording.name("pack");
  const { column, panelWidth, b, bFlat } = plan;
  const width = module.target.lanes32;
  const perPanel = 4 * sizeOf(packed.shape.slice(plan.batch.length + 1));
  const ref = module.function(name, { params: { low: "i32", high: "i32" } }, (k, { low, high }) => {
    const addresses = new Addresses(k, places, [b, packed]);
    const source = addresses.of(b);
    const target = addresses.of(packed);
    const panels = (panel: Expr<"i32">, count: number): void => {
      const from = k.let(plus(plus(source.base, source.offset + bFlat.offset * 4), times(panel, panelWidth * column.b * 4)));
      const to = k.let(plus(plus(target.base, target.offset), times(panel, perPanel)));
      const rows = (size: number, stride: number): void =>
        k.loop({ to: size }, () => {
          for (let p = 0; p < count; p++)
            for (let at = 0; at < panelWidth; at += width)
              k.store("f32x", to, p * perPanel + at * 4, f32x.load(from, (p * panelWidth + at) * 4));
          move(k, from, stride);
          move(k, to, panelWidth);
        });
      walkColumns(k, plan, from, (size, stride) => (how === "rows" ? rows(size, stride) : turnColumns(k, from, to, size, plan, width)));
    };
    const single = how === "rows" ? k.let(plus(low, i32.and(i32.sub(high, low), -panelsAtOnce))) : low;
    if (how === "rows") k.loop({ from: low, to: single, step: panelsAtOnce }, panel => panels(panel, panelsAtOnce));
    k.loop({ from: single, to: high }, panel => panels(panel, 1));
  });
  return { name, function: ref, units: column.size / panelWidth, work: storeCost * sizeOf(packed.shape) };
}

/** Loops over all but the last reduced axis; `from` moves along, and `inner` moves it along the last. */
function walkColumns(
  k: FunctionRecorder,
  { reduced }: ContractPlan,
  from: Local<"i32">,
  inner: (size: number, stride: number) => void,
): void {
  const walk = (depth: number): void => {
    const { size, b: stride } = reduced[depth];
    if (depth === reduced.length - 1) return inner(size, stride);
    const next = reduced[depth + 1];
    k.loop({ to: size }, () => {
      walk(depth + 1);
      move(k, from, stride - next.size * next.b);
    });
  };
  walk(0);
}

/** A square block at a time: as many columns and reduced places as a vector has lanes. */
function turnColumns(
  k: FunctionRecorder,
  from: Local<"i32">,
  to: Local<"i32">,
  size: number,
  { column, panelWidth }: ContractPlan,
  width: number,
): void {
  const block = (count: number): void => {
    for (let group = 0; group < panelWidth; group += width) {
      const base = k.let(plus(from, group * column.b * 4));
      const rows = Array.from({ length: width }, (_, c) => {
        const at = displaced(base, c * column.b * 4);
        return k.let(count === width ? f32x.load(at.address, at.offset) : f32x.loadPart(count, at.address, at.offset));
      });
      k.transpose("f32x", rows);
      for (let r = 0; r < count; r++) k.store("f32x", to, (r * panelWidth + group) * 4, rows[r]);
    }
    move(k, from, count);
    move(k, to, count * panelWidth);
  };
  const rest = size % width;
  k.loop({ to: (size - rest) / width }, () => block(width));
  if (rest > 0) block(rest);
}

function packByMap({ batch, reduced, column, b, bFlat, panelWidth }: ContractPlan, packed: Value, recording: Recording): Phase[] {
  const axes = packed.shape.map((size, axis) => axisIndex(axis, size));
  const panel = axes[batch.length];
  const columnIndex = addIndex(scaleIndex(panel, panelWidth), axes[axes.length - 1]);
  const source: Value = { ...b, shape: [sizeOf(b.shape)] };
  let flat: Index = addIndex(constantIndex(bFlat.offset), scaleIndex(columnIndex, column.b));
  batch.forEach((axis, i) => {
    if (axis.b !== 0) flat = addIndex(flat, scaleIndex(axes[i], axis.b));
  });
  reduced.forEach((axis, i) => {
    flat = addIndex(flat, scaleIndex(axes[batch.length + 1 + i], axis.b));
  });
  const body = guardScalar([{ index: columnIndex, low: 0, high: column.size }], loadScalar(source, [flat]), constantScalar("float32", 0));
  const place = recording.places.get(b);
  if (place) recording.place(source, place);
  return recordMap({ kind: "map", shape: packed.shape, stores: [{ out: packed, body }] }, recording);
}

/** What the epilogue makes of finished partial results. */
function recordEpilogue(kernel: ContractKernel, partial: Value, recording: Recording): Phase[] {
  const finished = loadScalar(
    partial,
    partial.shape.map((size, axis) => axisIndex(axis, size)),
  );
  const stores = kernel.stores.map(({ out, body }) => ({ out, body: replaceAccumulator(body, kernel.shape, finished) }));
  return recordMap({ kind: "map", shape: kernel.shape, stores }, recording);
}

const replaceAccumulator = (body: Scalar, shape: readonly number[], finished: Scalar): Scalar =>
  substituteScalar(
    body,
    shape.map((size, axis) => axisIndex(axis, size)),
    load => load,
    finished,
  );

// ---- the products ----

interface Products {
  readonly k: FunctionRecorder;
  /** Of the phase, and so of the functions that belong to it. */
  readonly name: string;
  readonly recording: Recording;
  readonly plan: ContractPlan;
  readonly kernel: ContractKernel;
  readonly addresses: Addresses;
  /** Where partial results go while the reduced axis is blocked. */
  readonly partial: Value | undefined;
}

function recordProducts(kernel: ContractKernel, plan: ContractPlan, recording: Recording): Phase {
  const { module, places } = recording;
  const name = recording.name("contract");
  const { batch, rows } = plan;
  const panels = Math.ceil(plan.column.size / plan.panelWidth);
  const partial = plan.block === undefined ? undefined : (plan.partial ?? kernel.stores[0].out);
  const outer = [...batch, ...rows.slice(0, -1)];
  const { cut } = plan;
  const ref = module.function(name, { params: { low: "i32", high: "i32" } }, (k, { low, high }) => {
    const addresses = new Addresses(k, places);
    const products: Products = { k, name, recording, plan, kernel, addresses, partial };
    const point: Point = { k, addresses, axes: [], memo: new Map() };
    const blocks = (at: Point): void =>
      reducedBlocks(
        products,
        at,
        cut ? undefined : { low, high },
        outer.filter(axis => axis !== cut),
      );
    if (cut) k.loop({ from: low, to: high }, counter => blocks(withAxis(point, cut, counter)));
    else blocks(point);
  });
  return { name, function: ref, units: cut ? cut.size : panels, work: sizeOf(kernel.shape) * (sizeOf(kernel.over) + storeCost) };
}

/** The values a tile reads and writes: their regions are looked up before its loops. */
const valuesRead = (kernel: ContractKernel, plan: ContractPlan, partial: Value | undefined): Value[] => [
  ...(partial === undefined || plan.partial === undefined ? valuesOf(kernel) : []),
  plan.a,
  plan.packed ?? plan.b,
  ...(partial ? [partial] : []),
];

const withAxis = (point: Point, { axis }: Axis, counter: Expr<"i32">): Point => {
  const axes = [...point.axes];
  axes[axis] = counter;
  return { ...point, axes };
};

type Range = { readonly low: Expr<"i32">; readonly high: Expr<"i32"> } | undefined;

/** Blocks of the outermost reduced axis, outermost of all: A's and B's blocks stay in the second cache. */
function reducedBlocks(products: Products, point: Point, range: Range, outer: readonly Axis[]): void {
  const { k, plan } = products;
  if (plan.block === undefined || plan.reduced.length === 0) return panelsOf(products, point, range, outer, undefined);
  const [first] = plan.reduced;
  const whole = Math.floor(first.size / plan.block);
  const rest = first.size - whole * plan.block;
  const block = plan.block;
  k.loop({ from: 0, to: whole * block, step: block }, start => panelsOf(products, point, range, outer, { start, size: block }));
  if (rest > 0) panelsOf(products, point, range, outer, { start: k.number("i32", whole * block), size: rest });
}

interface Block {
  readonly start: Expr<"i32">;
  readonly size: number;
}

function panelsOf(products: Products, point: Point, range: Range, outer: readonly Axis[], block: Block | undefined): void {
  const { k, plan } = products;
  const { column, panelWidth, batch, rows } = plan;
  const whole = Math.floor(column.size / panelWidth);
  const rest = column.size - whole * panelWidth;
  const remaining = outer.filter(axis => batch.includes(axis));
  const rowOuter = outer.filter(axis => rows.includes(axis));
  const body = (at: Point): void =>
    rowBlocks(products, block, rowBlock => {
      const atPanel = (panel: Expr<"i32">, width: number): void =>
        rowLoops(products, at, { outer: rowOuter, rowBlock, block, panel, width });
      if (range) {
        if (whole > 0) k.loop({ from: range.low, to: least(range.high, whole) }, panel => atPanel(panel, panelWidth));
        if (rest > 0) k.if(i32.gt(range.high, whole), () => atPanel(k.number("i32", whole), rest));
      } else {
        if (whole > 0) k.loop({ to: whole }, panel => atPanel(panel, panelWidth));
        if (rest > 0) atPanel(k.number("i32", whole), rest);
      }
    });
  nested(k, remaining, point, body);
}

/** Rows of A that stay in the second cache while all panels pass over them. */
const rowBlockBytes = 160 * 1024;

/** The inner row axis in blocks, or whole: [start, size] with constant sizes. */
function rowBlocks({ k, plan }: Products, block: Block | undefined, body: (rows: RowBlock) => void): void {
  const inner = plan.rows[plan.rows.length - 1];
  if (!inner) return body({ start: undefined, size: 1 });
  const terms = plan.reduced.reduce((product, { size }, i) => product * (i === 0 && block ? block.size : size), 1);
  const fitting = Math.max(plan.tileRows, Math.floor(rowBlockBytes / (4 * terms) / plan.tileRows) * plan.tileRows);
  if (inner.size <= fitting * 1.5) return body({ start: undefined, size: inner.size });
  const whole = Math.floor(inner.size / fitting);
  k.loop({ from: 0, to: whole * fitting, step: fitting }, start => body({ start, size: fitting }));
  const rest = inner.size - whole * fitting;
  if (rest > 0) body({ start: k.number("i32", whole * fitting), size: rest });
}

interface RowBlock {
  /** Where the block begins; undefined for 0. */
  readonly start: Expr<"i32"> | undefined;
  readonly size: number;
}

function nested(k: FunctionRecorder, axes: readonly Axis[], point: Point, body: (point: Point) => void): void {
  const [first, ...rest] = axes;
  if (!first) return body(point);
  k.loop({ to: first.size }, counter => nested(k, rest, withAxis(point, first, counter), body));
}

/** Outer row axes, then tiles along the inner one: near-equal tiles rather than a small remainder. */
function rowLoops(products: Products, point: Point, { outer, rowBlock, block, panel, width }: RowWork): void {
  const { k, plan } = products;
  const inner = plan.rows[plan.rows.length - 1];
  const { start, size } = rowBlock;
  nested(k, outer, point, at => {
    if (!inner) return tile(products, at, { block, panel, width, rows: 1, inner });
    const count = Math.ceil(size / plan.tileRows);
    const small = Math.floor(size / count);
    const large = size - small * count;
    const at0 = (counter: Expr<"i32">): Point => withAxis(at, inner, start ? k.let(plus(start, counter)) : counter);
    const tiles = (from: number, to: number, rows: number): void => {
      const work = { block, panel, width, rows, inner };
      if (to - from === rows) tile(products, at0(k.number("i32", from)), work);
      else if (to > from) k.loop({ from, to, step: rows }, counter => tile(products, at0(counter), work));
    };
    tiles(0, large * (small + 1), small + 1);
    tiles(large * (small + 1), size, small);
  });
}

interface RowWork {
  readonly outer: readonly Axis[];
  readonly rowBlock: RowBlock;
  readonly block: Block | undefined;
  readonly panel: Expr<"i32">;
  readonly width: number;
}

/** One tile: rows × width results, by a function of its own. Engines replace code by optimised code when it is called again, and this is
 *  called thousands of times in the first run; it is also the only copy, whatever loops around it are written twice. */
function tile(products: Products, point: Point, { block, panel, width, rows, inner }: TileWork): void {
  const { k, plan, kernel, recording, name, partial } = products;
  const axes = [...plan.batch, ...plan.rows];
  const label = `${name}.tile${rows}x${width}${block ? `.${block.size}` : ""}`;
  const ref = k.module.once(label, () => {
    const params: Record<string, "i32"> = Object.fromEntries(
      [...axes.map(({ axis }) => `i${axis}`), "panel", "start"].map(param => [param, "i32"]),
    );
    return k.module.function(label, { params }, (own, locals) => {
      const addresses = new Addresses(own, recording.places, valuesRead(kernel, plan, partial));
      const at: Expr<"i32">[] = [];
      for (const { axis } of axes) at[axis] = locals[`i${axis}`];
      const inside: Products = { ...products, k: own, addresses };
      tileBody(
        inside,
        { k: own, addresses, axes: at, memo: new Map() },
        {
          block: block && { start: locals.start, size: block.size },
          panel: locals.panel,
          width,
          rows,
          inner,
        },
      );
    });
  });
  k.call(ref, ...axes.map(({ axis }) => point.axes[axis]), panel, block?.start ?? 0);
}

interface TileWork {
  readonly block: Block | undefined;
  readonly panel: Expr<"i32">;
  readonly width: number;
  readonly rows: number;
  readonly inner: Axis | undefined;
}

function tileBody(products: Products, point: Point, { block, panel, width, rows, inner }: TileWork): void {
  const { k, plan } = products;
  const lanesPerVector = k.target.lanes32;
  const vectors = Math.ceil(width / lanesPerVector);
  const firstColumn = k.let(times(panel, plan.panelWidth));
  const at = withAxis(point, plan.column, firstColumn);
  const sums = Array.from({ length: rows }, () => Array.from({ length: vectors }, () => k.vector("f32x", 0)));
  const partials = products.partial && partialAddress(products, at);
  const part = (v: number): number | undefined => (width - v * lanesPerVector < lanesPerVector ? width - v * lanesPerVector : undefined);
  const eachPartial = (visit: (sum: Local<"vec">, offset: number, count: number | undefined) => void): void => {
    for (const [r, row] of sums.entries())
      for (const [v, sum] of row.entries()) visit(sum, 4 * (r * (inner?.out ?? 0) + v * lanesPerVector), part(v));
  };
  // The first block begins at zero, so that nobody has to clear what others have begun.
  if (partials && block)
    k.if(i32.ne(block.start, 0), () =>
      eachPartial((sum, offset, count) =>
        k.set(sum, count === undefined ? f32x.load(partials, offset) : f32x.loadPart(count, partials, offset)),
      ),
    );
  const a = k.let(aAddress(products, point, block)) as Local<"i32">;
  const rowStep = inner?.a ?? 0;
  const b = k.let(bAddress(products, at, block, panel)) as Local<"i32">;
  walkReduced(products, { a, b }, block, 0, () => {
    const columns = Array.from({ length: vectors }, (_, v) => {
      const count = plan.packed ? undefined : part(v);
      const offset = 4 * v * lanesPerVector;
      return k.let(count === undefined ? f32x.load(b, offset) : f32x.loadPart(count, b, offset));
    });
    for (let r = 0; r < rows; r++) {
      const { address, offset } = displaced(a, 4 * r * rowStep);
      const splat = k.let(f32x.loadSplat(address, offset));
      for (const [v, column] of columns.entries()) k.set(sums[r][v], f32x.madd(splat, column, sums[r][v]));
    }
  });
  if (partials)
    eachPartial((sum, offset, count) => {
      if (count === undefined) k.store("f32x", partials, offset, sum);
      else k.storePart("f32x", count, partials, offset, sum);
    });
  else storeTile(products, at, sums, part, inner);
}

function storeTile(
  { k, plan, kernel }: Products,
  at: Point,
  sums: readonly (readonly Local<"vec">[])[],
  part: (v: number) => number | undefined,
  inner: Axis | undefined,
): void {
  const leaf = storesLeaf(
    kernel.stores.map(({ out }, i) => ({ out, body: plan.epilogues[i], flat: plan.outFlat })),
    plan.column.axis,
  );
  for (const [r, row] of sums.entries()) {
    const rowPoint = inner && r > 0 ? withAxis(at, inner, plus(at.axes[inner.axis], r)) : at;
    const pieces = row.map((sum, v) => () => {
      leaf.vector?.(blockPoint({ ...rowPoint, accumulator: sum }, plan.column.axis, v, part(v), k), v);
    });
    if (k.target.joinsPairs) k.inTurn(pieces);
    else for (const piece of pieces) piece();
  }
}

interface Pointers {
  readonly a: Local<"i32">;
  readonly b: Local<"i32">;
}

/** Loops over the reduced axes; A's and B's addresses move along and are back at the next start after each inner loop. */
function walkReduced(products: Products, pointers: Pointers, block: Block | undefined, depth: number, step: () => void): void {
  const { a, b } = pointers;
  const { k, plan } = products;
  const { reduced } = plan;
  if (depth === reduced.length) return step();
  const size = depth === 0 && block ? block.size : reduced[depth].size;
  const bSteps = bStrides(plan);
  k.loop({ to: size }, () => {
    walkReduced(products, pointers, block, depth + 1, step);
    const isLast = depth === reduced.length - 1;
    const innerA = isLast ? 0 : reduced[depth + 1].size * reduced[depth + 1].a;
    const innerB = isLast ? 0 : reduced[depth + 1].size * bSteps[depth + 1];
    move(k, a, reduced[depth].a - innerA);
    move(k, b, bSteps[depth] - innerB);
  });
}

function move(k: FunctionRecorder, pointer: Local<"i32">, elements: number): void {
  if (elements !== 0) k.set(pointer, plus(pointer, elements * 4));
}

/** Constant offsets of memory operations cannot be negative. */
const displaced = (base: Expr<"i32">, bytes: number): { address: Expr<"i32">; offset: number } =>
  bytes >= 0 ? { address: base, offset: bytes } : { address: plus(base, bytes), offset: 0 };

/** What a step of each reduced axis moves in B as it is read. */
function bStrides({ reduced, packed, panelWidth }: ContractPlan): number[] {
  if (!packed) return reduced.map(({ b }) => b);
  const strides = reduced.map(() => panelWidth);
  for (let i = reduced.length - 2; i >= 0; i--) strides[i] = strides[i + 1] * reduced[i + 1].size;
  return strides;
}

function aAddress({ plan, addresses }: Products, point: Point, block: Block | undefined): Expr<"i32"> {
  const axes = [...plan.batch, ...plan.rows];
  return addressAt(
    addresses.of(plan.a),
    sumOf(axes.map(axis => [point.axes[axis.axis], axis.a])),
    plan.aFlat.offset,
    block && [block.start, plan.reduced[0].a],
  );
}

function bAddress({ plan, addresses }: Products, at: Point, block: Block | undefined, panel: Expr<"i32">): Expr<"i32"> {
  const { packed, batch, column, reduced } = plan;
  if (!packed)
    return addressAt(
      addresses.of(plan.b),
      sumOf([...batch, column].map(axis => [at.axes[axis.axis], axis.b])),
      plan.bFlat.offset,
      block && [block.start, reduced[0].b],
    );
  const perPanel = sizeOf(packed.shape.slice(batch.length + 1));
  const panels = packed.shape[batch.length];
  const terms: [Expr<"i32">, number][] = [[panel, perPanel]];
  let stride = perPanel * panels;
  [...batch].reverse().forEach((axis, i) => {
    if (axis.b !== 0) terms.push([at.axes[axis.axis], stride]);
    stride *= packed.shape[batch.length - 1 - i];
  });
  return addressAt(addresses.of(packed), sumOf(terms), 0, block && [block.start, bStrides(plan)[0]]);
}

function partialAddress({ k, plan, addresses, partial }: Products, at: Point): Expr<"i32"> {
  const { base, offset } = addresses.of(partial as Value);
  return k.let(plus(plus(base, offset), times(indexCode(plan.outFlat, at), 4)));
}

const sumOf = (terms: readonly (readonly [Expr<"i32">, number])[]): Expr<"i32"> | undefined =>
  terms
    .filter(([, scale]) => scale !== 0)
    .reduce<Expr<"i32"> | undefined>(
      (sum, [counter, scale]) => (sum ? plus(sum, times(counter, scale)) : times(counter, scale)),
      undefined,
    );

function addressAt(
  { base, offset }: { base: Expr<"i32">; offset: number },
  elements: Expr<"i32"> | undefined,
  constant: number,
  block: readonly [Expr<"i32">, number] | undefined,
): Expr<"i32"> {
  let at = plus(base, offset + constant * 4);
  if (elements) at = plus(at, times(elements, 4));
  return block ? plus(at, times(block[0], block[1] * 4)) : at;
}
