// Small windows that slide over images channel by channel (depthwise convolutions, forward and back), where vectors run along the channels. What
// is recorded is a run of neighbouring pixels whose taps are all inside the image's columns, as a function of sizes, strides and places: one
// for the middle of rows and one for each kind of edge serve all such contractions of a module. Rows outside the image are rows of zeros.

import { sizeOf } from "../../base/shape.ts";
import { axisIndex, flattenIndex, type Index } from "../../ir/index-map.ts";
import type { Operand, Value } from "../../ir/program.ts";
import { storeCost } from "../../schedule/cost.ts";
import { plus, times } from "../arithmetic.ts";
import { type Expr, f32x, i32, type Local } from "../language/language.ts";
import type { FunctionRecorder, FunctionRef } from "../language/recorder.ts";
import type { Point } from "../language/scalar-code.ts";
import { isAffine, scaleOf } from "../nest.ts";
import type { Phase, Recording } from "../phase.ts";
import { Addresses } from "../places.ts";
import { isInside } from "../spatial.ts";
import type { Target } from "../target.ts";
import type { ContractKernel } from "./plan.ts";
import { type PointedStores, pointedStores, pointerAt, pointerStep, storeAt } from "./pointers.ts";

/** One of the two ways in which a window slides: the pixel at `step`·place + `tap`·t + `offset` of `size`. */
interface Slide {
  readonly places: number;
  readonly taps: number;
  readonly step: number;
  readonly tap: number;
  readonly offset: number;
  readonly size: number;
}

export interface WindowsPlan {
  readonly data: Value;
  readonly filter: Value;
  readonly images: number;
  /** The axis of images; -1 for one image. */
  readonly imageAxis: number;
  readonly rows: Slide;
  readonly columns: Slide;
  readonly channels: number;
  /** Where taps begin in the filter, in elements: by row, then by column. */
  readonly filterAt: readonly (readonly number[])[];
  readonly stores: PointedStores;
  /** [vector of channels, tap, lane]. */
  readonly packed: Value;
  readonly zeros: Value | undefined;
}

const bytes = 4;
/** Rows and columns of a window: what a run keeps in registers. */
const mostTaps = 3;

/** The plan, or undefined where the contraction is of another form. */
export function planWindows({ shape, over, left, right, stores }: ContractKernel, target: Target): WindowsPlan | undefined {
  const rank = shape.length;
  const channels = shape[rank - 1];
  if (rank < 3 || left.source.dtype !== "float32" || target.joinsPairs || sizeOf(shape) === 0 || sizeOf(over) === 0) return undefined;
  if (channels % target.lanes32 !== 0 || ![...left.at, ...right.at].every(isAffine)) return undefined;
  const sizes = [...shape, ...over];
  for (const [data, filter] of [
    [left, right],
    [right, left],
  ]) {
    const slides = slidesOf(data, sizes, rank);
    if (slides === undefined || !isInside(filter)) continue;
    const flat = flattenIndex(filter.at, filter.source.shape);
    if (scaleOf(flat, rank - 1) !== 1 || shape.slice(0, -1).some((_, axis) => scaleOf(flat, axis) !== 0)) continue;
    const { rows, columns, rowTap, columnTap, imageAxis } = slides;
    const out = flattenIndex(
      shape.map((size, axis) => axisIndex(axis, size)),
      shape,
    );
    const pointed = pointedStores(
      stores.map(store => ({ ...store, flat: out })),
      rank - 1,
    );
    if (pointed === undefined) return undefined;
    const by = (axis: number): number => (axis < 0 ? 0 : scaleOf(flat, axis));
    const value = (id: number, size: number): Value => ({ id, dtype: "float32", shape: [size] });
    return {
      data: data.source,
      filter: filter.source,
      images: imageAxis < 0 ? 1 : shape[imageAxis],
      imageAxis,
      rows,
      columns,
      channels,
      filterAt: Array.from({ length: rows.taps }, (_, y) =>
        Array.from({ length: columns.taps }, (_, x) => flat.offset + y * by(rowTap) + x * by(columnTap)),
      ),
      stores: pointed,
      packed: value(-3, channels * rows.taps * columns.taps),
      zeros: isAlwaysInside(rows) ? undefined : value(-5, channels * (1 + (columns.taps - 1) * Math.abs(columns.tap))),
    };
  }
  return undefined;
}

export const windowsValues = ({ packed, zeros }: WindowsPlan): Value[] => (zeros ? [packed, zeros] : [packed]);

interface Slides {
  readonly rows: Slide;
  readonly columns: Slide;
  /** Axes of the taps; -1 where there is one. */
  readonly rowTap: number;
  readonly columnTap: number;
  readonly imageAxis: number;
}

/** data[image, step·y + tap·r + offset, step·x + tap·s + offset, channel], where y, x and the channel are the last axes of the result. */
function slidesOf({ source, at }: Operand, sizes: readonly number[], rank: number): Slides | undefined {
  if (source.shape.length !== rank) return undefined;
  const isPlain = (axis: number): boolean =>
    source.shape[axis] === sizes[axis] &&
    at[axis].offset === 0 &&
    scaleOf(at[axis], axis) === (sizes[axis] > 1 ? 1 : 0) &&
    at[axis].terms.length <= 1;
  const moving = sizes.slice(0, rank - 3).flatMap((size, axis) => (size > 1 ? [axis] : []));
  if (!isPlain(rank - 1) || moving.length > 1) return undefined;
  for (let axis = 0; axis < rank - 3; axis++) if (!isPlain(axis)) return undefined;
  const used = new Set<number>();
  const slide = (axis: number): (Slide & { axis: number }) | undefined => {
    const index: Index = at[axis];
    const taps = index.terms.flatMap(({ atom }) => (atom.kind === "axis" && atom.axis !== axis ? [atom.axis] : []));
    if (taps.length > 1 || taps.some(tap => tap < rank || used.has(tap) || sizes[tap] > mostTaps)) return undefined;
    const [tap = -1] = taps;
    used.add(tap);
    return {
      axis: tap,
      places: sizes[axis],
      taps: tap < 0 ? 1 : sizes[tap],
      step: scaleOf(index, axis),
      tap: tap < 0 ? 0 : scaleOf(index, tap),
      offset: index.offset,
      size: source.shape[axis],
    };
  };
  const rows = slide(rank - 3);
  const columns = rows && slide(rank - 2);
  if (rows === undefined || columns === undefined) return undefined;
  if (sizes.some((size, axis) => axis >= rank && size > 1 && !used.has(axis))) return undefined;
  return { rows, columns, rowTap: rows.axis, columnTap: columns.axis, imageAxis: moving[0] ?? -1 };
}

const pixelAt = ({ step, tap, offset }: Slide, place: number, t: number): number => step * place + tap * t + offset;
const isInSize = (at: number, { size }: Slide): boolean => at >= 0 && at < size;

const isAlwaysInside = (slide: Slide): boolean =>
  Array.from({ length: slide.taps }, (_, t) => t).every(t =>
    [0, slide.places - 1].every(place => isInSize(pixelAt(slide, place, t), slide)),
  );

/** Places whose taps are the same: from which to which, and these taps. */
interface Run {
  readonly from: number;
  readonly to: number;
  readonly taps: readonly number[];
}

function runsOf(slide: Slide): Run[] {
  const runs: Run[] = [];
  for (let place = 0; place < slide.places; place++) {
    const taps = Array.from({ length: slide.taps }, (_, t) => t).filter(t => isInSize(pixelAt(slide, place, t), slide));
    const last = runs.at(-1);
    if (last !== undefined && last.taps.join() === taps.join()) runs[runs.length - 1] = { ...last, to: place + 1 };
    else runs.push({ from: place, to: place + 1, taps });
  }
  return runs;
}

/** Records the phases; scratch values have their places. */
export function recordWindows(kernel: ContractKernel, plan: WindowsPlan, recording: Recording): Phase[] {
  return [recordPacking(plan, recording), recordRows(kernel, plan, recording)];
}

/** The filter in the order in which runs read it, and zeros. */
function recordPacking({ filter, filterAt, packed, zeros, channels }: WindowsPlan, { module, places, name }: Recording): Phase {
  const label = name("taps");
  const { lanes32, vectorBytes } = module.target;
  const taps = filterAt.flat();
  const ref = module.function(label, { params: { low: "i32", high: "i32" } }, k => {
    const addresses = new Addresses(k, places, [filter, packed]);
    const from = k.let(addresses.number(addresses.of(filter)));
    const to = k.let(addresses.number(addresses.of(packed)));
    if (zeros) k.fillBytes(addresses.number(addresses.of(zeros)), 0, sizeOf(zeros.shape) * bytes);
    k.loop({ to: channels / lanes32 }, () => {
      for (const [t, at] of taps.entries()) k.store("f32x", to, t * vectorBytes, f32x.load(from, at * bytes));
      k.set(from, plus(from, vectorBytes));
      k.set(to, plus(to, taps.length * vectorBytes));
    });
  });
  return { name: label, function: ref, units: 1, work: storeCost * sizeOf(packed.shape) };
}

function recordRows({ shape, over }: ContractKernel, plan: WindowsPlan, recording: Recording): Phase {
  const { data, packed, zeros, images, imageAxis, rows, columns, channels, stores } = plan;
  const { module, places } = recording;
  const label = recording.name("windows");
  const rank = shape.length;
  const lineBytes = channels * bytes;
  const pixelBytes = columns.step * lineBytes;
  const tapBytes = Math.abs(columns.tap) * lineBytes;
  const runs = runsOf(columns).map(run => ({ ...run, ref: recordRun(plan, run.taps, recording) }));
  const ref = module.function(label, { params: { low: "i32", high: "i32" } }, (k, { low, high }) => {
    const addresses = new Addresses(k, places, [data, packed, ...(zeros ? [zeros] : []), ...stores.pointers.map(({ value }) => value)]);
    const number = (value: Value): Local<"i32"> => k.let(addresses.number(addresses.of(value)));
    const [source, filter] = [number(data), number(packed)];
    const nothing = zeros && number(zeros);
    k.loop({ from: low, to: high }, unit => {
      const row = images === 1 ? unit : k.let(i32.remU(unit, rows.places));
      const image = images === 1 ? i32.const(0) : k.let(i32.divU(unit, rows.places));
      const lines = Array.from({ length: rows.taps }, (_, t) => lineAt(k, plan, { source, nothing, image, row, t }));
      const axes: Expr<"i32">[] = shape.map(() => i32.const(0));
      if (imageAxis >= 0) axes[imageAxis] = image;
      axes[rank - 3] = row;
      for (const { from, to, taps, ref } of runs) {
        axes[rank - 2] = i32.const(from);
        const point: Point = { k, addresses, axes: [...axes], memo: new Map() };
        const first = Math.min(...taps.map(tap => pixelAt(columns, from, tap)));
        const at = taps.length === 0 ? 0 : first * lineBytes;
        k.call(
          ref,
          to - from,
          lineBytes,
          tapBytes,
          filter,
          ...lines.flatMap(({ start, isIn }) => [
            isIn ? i32.add(start, i32.and(isIn, at)) : plus(start, at),
            isIn ? i32.and(isIn, pixelBytes) : i32.const(pixelBytes),
          ]),
          ...stores.pointers.flatMap(pointer => [pointerAt(pointer, addresses, point), pointerStep(pointer, rank - 2)]),
        );
      }
    });
  });
  return { name: label, function: ref, units: images * rows.places, work: sizeOf(shape) * (sizeOf(over) + storeCost) };
}

interface LineRequest {
  readonly source: Expr<"i32">;
  readonly nothing: Expr<"i32"> | undefined;
  readonly image: Expr<"i32">;
  readonly row: Expr<"i32">;
  readonly t: number;
}

/** Where the image's row under tap `t` begins, or zeros; and all bits if it is one, undefined where it is sure to be. */
function lineAt(
  k: FunctionRecorder,
  { rows, columns, channels }: WindowsPlan,
  { source, nothing, image, row, t }: LineRequest,
): { start: Expr<"i32">; isIn: Expr<"i32"> | undefined } {
  const at = k.let(plus(times(row, rows.step), rows.tap * t + rows.offset));
  const start = k.let(plus(source, times(plus(times(image, rows.size), at), columns.size * channels * bytes)));
  if (nothing === undefined || [0, rows.places - 1].every(place => isInSize(pixelAt(rows, place, t), rows)))
    return { start, isIn: undefined };
  const isIn = k.let(i32.sub(0, i32.ltU(at, rows.size)));
  return { start: k.let(i32.add(nothing, i32.and(isIn, i32.sub(start, nothing)))), isIn };
}

/** (count, line, tap, filter, [row, its step]…, [pointer, its step]…): `count` neighbouring pixels, `line` bytes of channels each, whose taps are
 *  all inside the image's columns, `tap` bytes apart. */
function recordRun({ rows, columns, stores }: WindowsPlan, taps: readonly number[], { module, name }: Recording): FunctionRef {
  const { vectorBytes } = module.target;
  // In the order of addresses: how many steps a tap is behind the first.
  const first = columns.tap < 0 ? taps[taps.length - 1] : taps[0];
  const isFlipped = columns.tap < 0;
  const key = `windows ${rows.taps}x${columns.taps} ${taps.join()} ${isFlipped} ${stores.text}`;
  return module.once(key, () => {
    const lines = Array.from({ length: rows.taps }, (_, t) => `row${t}`);
    const pointers = stores.pointers.map((_, p) => `pointer${p}`);
    const names = ["count", "line", "tap", "filter", ...[...lines, ...pointers].flatMap(one => [one, `${one}Step`])];
    const params: Record<string, "i32"> = Object.fromEntries(names.map(one => [one, "i32" as const]));
    return module.function(name("run"), { params }, (k, given) => {
      const { count, line, tap, filter } = given;
      const twice = k.let(i32.shl(tap, 1));
      const behind = (base: Expr<"i32">, t: number): Expr<"i32"> => {
        const steps = Math.abs(t - first);
        return steps === 0 ? base : i32.add(base, steps === 1 ? tap : twice);
      };
      k.loop({ to: count }, () => {
        const weights = k.let(filter);
        k.loop({ to: line, step: vectorBytes }, at => {
          const sum = k.vector("f32x", 0);
          for (const [r, row] of lines.entries()) {
            const base = k.let(i32.add(given[row], at));
            for (const t of taps) {
              const weight = f32x.load(weights, (r * columns.taps + t) * vectorBytes);
              k.set(sum, f32x.madd(f32x.load(behind(base, t)), weight, sum));
            }
          }
          storeAt(k, stores, {
            pointers: stores.pointers.map(({ moves }, p) => (moves ? k.let(i32.add(given[pointers[p]], at)) : given[pointers[p]])),
            accumulator: sum,
          });
          k.set(weights, plus(weights, rows.taps * columns.taps * vectorBytes));
        });
        for (const one of [...lines, ...pointers]) k.set(given[one], i32.add(given[one], given[`${one}Step`]));
      });
    });
  });
}
