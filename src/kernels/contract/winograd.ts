// Contractions over windows of images by Winograd's filtering: tiles of the image and the filter are transformed, multiplied place by place
// (n² small matrix products over the channels), and the sums transformed back. For the gradient of a filter the same places are
// multiplied the other way round and summed over all tiles. A block of tiles goes through all of it while it is in the second cache.

import { axisIndex, flattenIndex, type Index, substituteIndex } from "../../ir/index-map.ts";
import { constantScalar, guardScalar, loadScalar } from "../../ir/scalar.ts";
import type { Value } from "../../ir/program.ts";
import { least, plus, times } from "../arithmetic.ts";
import { blockPoint } from "../block-point.ts";
import type { ContractKernel } from "./plan.ts";
import { type Expr, f32x, i32 } from "../language/language.ts";
import { multiplyVectors } from "../language/linear-code.ts";
import { recordMap, storesLeaf, valuesOf } from "../map.ts";
import { scaleOf } from "../nest.ts";
import type { Phase, Recording } from "../phase.ts";
import { Addresses } from "../places.ts";
import type { FunctionRecorder, FunctionRef } from "../language/recorder.ts";
import type { Point } from "../language/scalar-code.ts";
import type { ImageContraction, Images, TapContraction } from "../spatial.ts";
import { recordProduct } from "./tile-product.ts";
import { type Matrix, transposed } from "./winograd-matrices.ts";
import { type Planes, type Scratch, transformCost, type WinogradPlan } from "./winograd-plan.ts";

/** Everything the functions of one contraction share. */
interface Work<S> {
  readonly kernel: ContractKernel;
  readonly plan: WinogradPlan;
  readonly spatial: S;
  readonly recording: Recording;
  readonly name: string;
  readonly size: number;
}

const bytes = 4;

/** Parameters of a phase with scratch for each thread. */
const phaseParams = { low: "i32", high: "i32", thread: "i32" } as const;

const scratchOf = (k: FunctionRecorder, addresses: Addresses, { scratch }: WinogradPlan, thread: Expr<"i32">): Expr<"i32"> =>
  k.let(plus(addresses.number(addresses.of(scratch.value)), times(thread, scratch.bytes)), "scratch");

const at = (base: Expr<"i32">, offset: number): Expr<"i32"> => plus(base, offset);

/** Records the phases. Scratch values of the plan have their places. */
export function recordWinograd(kernel: ContractKernel, plan: WinogradPlan, recording: Recording): Phase[] {
  const { spatial } = plan;
  const { size } = plan.filtering;
  const name = recording.name("winograd");
  return spatial.form === "images"
    ? recordImages({ kernel, plan, spatial, recording, name, size })
    : recordTaps({ kernel, plan, spatial, recording, name, size });
}

/** What the phases cost together, as schedule/cost.ts counts. */
const workOf = ({ plan, spatial }: Work<ImageContraction | TapContraction>): number => {
  const places = plan.filtering.size ** 2;
  return places * plan.tiles * plan.blocks.count * (spatial.inner * spatial.outer + transformCost * (spatial.inner + spatial.outer));
};

const filterWork = ({ plan, spatial, size }: Work<ImageContraction | TapContraction>): number =>
  size ** 2 * plan.groups * spatial.inner * spatial.outer * transformCost;

// ---- images: forward, and gradients of inputs ----

function recordImages(work: Work<ImageContraction>): Phase[] {
  const { plan, recording } = work;
  const turning = recordTurning(work);
  const filter = recordFilter(work);
  const { module, places } = recording;
  const spread = recordSpread(
    work,
    { name: "data", images: work.spatial.data, planes: plan.scratch.inputs, offsets: work.spatial.offsets },
    plan.filtering.inputs,
  );
  const gather = recordGather(work);
  const multiply = module.function(`${work.name}.product`, { params: { a: "i32", b: "i32", c: "i32" } }, (k, { a, b, c }) => {
    const { inner, outer } = work.spatial;
    const [{ columns }] = k.target.tiles;
    recordProduct(k, {
      ...{ a, aRow: inner * bytes, aStep: bytes },
      ...{ b, bStep: columns * bytes, bPanel: inner * columns * bytes },
      ...{ c, cRow: outer * bytes },
      ...{ rows: plan.tiles, columns: outer, terms: inner, isAdding: false },
    });
  });
  const ref = module.function(work.name, { params: phaseParams }, (k, { low, high, thread }) => {
    const addresses = new Addresses(k, places, [work.spatial.data.value, plan.transformed]);
    const scratch = scratchOf(k, addresses, plan, thread);
    clear(plan.scratch, work.size, k, scratch, [plan.scratch.inputs]);
    k.loop({ from: low, to: high }, block => {
      eachImage(work, k, block, ({ image, from, to, tile }) =>
        k.call(
          spread,
          scratch,
          imageAddress(work.spatial.data, addresses, image),
          from,
          to,
          at(plus(scratch, times(tile, plan.scratch.inputs.channels * bytes)), plan.scratch.inputs.offset),
        ),
      );
      const a = k.let(at(scratch, plan.scratch.inputs.offset));
      const b = k.let(addresses.number(addresses.of(plan.transformed)));
      const c = k.let(at(scratch, plan.scratch.others.offset));
      k.loop({ to: work.size ** 2 }, () => {
        k.call(multiply, a, b, c);
        k.set(a, plus(a, plan.scratch.inputs.pitch));
        k.set(b, plus(b, plan.filterPitch));
        k.set(c, plus(c, plan.scratch.others.pitch));
      });
      eachImage(work, k, block, ({ image, from, to, tile }) =>
        k.call(
          gather,
          scratch,
          image,
          from,
          to,
          at(plus(scratch, times(tile, plan.scratch.others.channels * bytes)), plan.scratch.others.offset),
        ),
      );
    });
  });
  return [...turning, filter, { name: work.name, function: ref, units: plan.blocks.count, work: workOf(work) }];
}

/** The filter copied to [tap, tap, inner, outer], where its outer channels are not neighbours, with zeros for the taps it lacks. */
function recordTurning({ kernel, spatial, plan, recording }: Work<ImageContraction>): Phase[] {
  const { turned } = plan;
  if (turned === undefined) return [];
  const { filter, axes } = spatial;
  const roles = [axes.tapRow, axes.tapColumn, axes.inner, ...axes.outer];
  const shape = [...turned.shape.slice(0, 3), ...axes.outer.map(axis => kernel.shape[axis])];
  const named: Index[] = [];
  roles.forEach((axis, position) => {
    named[axis] = axisIndex(position, shape[position]);
  });
  const source = filter.at.map(index => substituteIndex(index, named, value => value));
  const inside = source.map((index, axis) => ({ index, low: 0, high: filter.source.shape[axis] }));
  const body = guardScalar(inside, loadScalar(filter.source, source), constantScalar("float32", 0));
  return recordMap({ kind: "map", shape, stores: [{ out: turned, body }] }, recording);
}

/** Strides of the filter in elements, and where tap (0, 0) of the sliding window is. */
function filterSteps({ spatial, plan }: Work<ImageContraction>): { value: Value; steps: readonly number[]; offset: number } {
  const { taps, inner, outer, filter, axes, isFlipped } = spatial;
  const flat = flattenIndex(filter.at, filter.source.shape);
  const given = plan.turned
    ? { value: plan.turned, steps: [taps * inner * outer, inner * outer, outer], offset: 0 }
    : { value: filter.source, steps: [axes.tapRow, axes.tapColumn, axes.inner].map(axis => scaleOf(flat, axis)), offset: flat.offset };
  if (!isFlipped) return given;
  const [down, across, channel] = given.steps;
  return { ...given, steps: [-down, -across, channel], offset: given.offset + (taps - 1) * (down + across) };
}

/** The filter transformed, as panels for the product: [place][panel][inner][column of the panel]. Units are inner channels. */
function recordFilter(work: Work<ImageContraction>): Phase {
  const { plan, spatial, recording, size } = work;
  const { module, places } = recording;
  const { taps, inner, outer } = spatial;
  const { value, steps, offset } = filterSteps(work);
  const [down, across, channel] = steps.map(step => step * bytes);
  const matrix = plan.filtering.filter;
  const name = `${work.name}.filter`;
  const ref = module.function(name, { params: phaseParams }, (k, { low, high, thread }) => {
    const { vectorBytes } = k.target;
    const panel = k.target.tiles[0].columns * bytes;
    const addresses = new Addresses(k, places, [value, plan.transformed]);
    const scratch = k.let(at(scratchOf(k, addresses, plan, thread), plan.scratch.temporary));
    const source = k.let(plus(addresses.number(addresses.of(value)), offset * bytes));
    const target = k.let(addresses.number(addresses.of(plan.transformed)));
    const row = outer * bytes;
    k.loop({ from: low, to: high }, c => {
      const from = k.let(plus(source, times(c, channel)));
      const to = k.let(plus(target, times(c, panel)));
      const first = k.let(scratch);
      k.loop({ to: taps }, () => {
        k.vectors(row, [from, first], ([place, out], offset) => {
          const inputs = range(taps).map(t => k.let(f32x.load(at(place, t * down), offset)));
          multiplyVectors(k, matrix, inputs, (i, sum) => k.store(f32x, out, i * taps * row + offset, sum));
        });
        k.set(from, plus(from, across));
        k.set(first, plus(first, row));
      });
      const second = k.let(scratch);
      k.loop({ to: size }, () => {
        const group = (place: Expr<"i32">, out: Expr<"i32">, width: number): void => {
          const one = (v: number): void => {
            const inputs = range(taps).map(t => k.let(f32x.load(place, t * row + v)));
            multiplyVectors(k, matrix, inputs, (j, sum) => k.store(f32x, out, j * plan.filterPitch + v, sum));
          };
          const together = k.target.joinsPairs ? 2 : 1;
          for (let v = 0; v < width; v += together * vectorBytes)
            k.inTurn([v, v + vectorBytes].slice(0, together).flatMap(at => (at < width ? [() => one(at)] : [])));
        };
        const whole = row - (row % panel);
        const out = k.let(to);
        k.loop({ to: whole, step: panel }, f => {
          group(k.let(i32.add(second, f)), out, panel);
          k.set(out, plus(out, inner * panel));
        });
        if (row > whole) group(k.let(plus(second, whole)), out, row - whole);
        k.set(second, plus(second, taps * row));
        k.set(to, plus(to, size * plan.filterPitch));
      });
    });
  });
  return { name, function: ref, units: inner, work: filterWork(work) };
}

/** Sums transformed back, and what the kernel's epilogues make of them. */
function recordGather(work: Work<ImageContraction>): FunctionRef {
  const { plan, spatial, recording, kernel, size } = work;
  const { others } = plan.scratch;
  const { outer, height, width, axes } = spatial;
  const { outputs, sums } = plan.filtering;
  const params = { scratch: "i32", image: "i32", from: "i32", to: "i32", planes: "i32" } as const;
  return recording.module.function(`${work.name}.gather`, { params }, (k, { scratch: own, image, from, to, planes }) => {
    const addresses = new Addresses(k, recording.places, valuesOf(kernel));
    const scratch = k.let(at(own, plan.scratch.temporary));
    const row = outer * bytes;
    const leaf = leafOf(kernel, axes.outer);
    const places = placesOf(kernel, axes.outer, k);
    const plane = k.let(planes);
    k.loop({ from, to }, down => {
      const top = k.let(times(down, outputs));
      k.loop({ to: plan.tilesAcross }, across => {
        const left = k.let(times(across, outputs));
        const column = k.let(plane);
        const first = k.let(scratch);
        k.loop({ to: size }, () => {
          k.vectors(row, [column, first], ([place, out], offset) => {
            const inputs = range(size).map(i => k.let(f32x.load(place, i * size * others.pitch + offset)));
            multiplyVectors(k, sums, inputs, (i, sum) => k.store(f32x, out, i * size * row + offset, sum));
          });
          k.set(column, plus(column, others.pitch));
          k.set(first, plus(first, row));
        });
        const second = k.let(scratch);
        const rows = height % outputs === 0 ? outputs : least(outputs, i32.sub(height, top));
        k.loop({ to: rows }, i => {
          const y = k.let(plus(top, i));
          turnedBack(k, { matrix: sums, second, row, outer, places }, (j, results) => {
            const store = (): void => {
              const x = k.let(plus(left, j));
              const pixel = [
                [axes.image, image],
                [axes.row, y],
                [axes.column, x],
              ] as const;
              k.inTurn(
                results.map(
                  ({ value, channels }) =>
                    () =>
                      leaf(k, addresses, pixel, channels, value),
                ),
              );
            };
            if (j < tailOf(width, outputs)) store();
            else k.if(i32.lt(plus(left, j), width), store);
          });
          k.set(second, plus(second, size * row));
        });
        k.set(plane, plus(plane, row));
      });
    });
  });
}

interface Lines {
  readonly matrix: Matrix;
  /** Where the lines begin, and bytes from one to the next. */
  readonly second: Expr<"i32">;
  readonly row: number;
  readonly outer: number;
  readonly places: Places;
}

type Counter = readonly [axis: number, at: Expr<"i32">];

/** Where the channels of a vector are, from its first on: the axes of that one if the others follow it, else of each. */
type Places = (channel: Expr<"i32">) => readonly (readonly Counter[])[];

interface Turned {
  readonly value: Expr<"vec">;
  readonly channels: ReturnType<Places>;
}

/** The second half of a transform: place j of all channels, a vector or a pair of them at a time, as soon as it is there. */
function turnedBack(
  k: FunctionRecorder,
  { matrix, second, row, outer, places }: Lines,
  emit: (j: number, results: readonly Turned[]) => void,
): void {
  const { lanes32, vectorBytes, joinsPairs } = k.target;
  const pass = (together: number, from: number, to: number): void => {
    if (from === to) return;
    k.loop({ from, to, step: together * lanes32 }, f => {
      const place = k.let(plus(second, times(f, bytes)));
      const results: Turned[][] = matrix.map(() => []);
      const one = (v: number): void => {
        const inputs = range(matrix[0].length).map(j => k.let(f32x.load(place, j * row + v * vectorBytes)));
        const channels = places(plus(f, v * lanes32));
        multiplyVectors(k, matrix, inputs, (j, sum) => {
          results[j].push({ value: k.let(sum), channels });
          if (together === 1) emit(j, results[j]);
        });
      };
      k.inTurn(range(together).map(v => () => one(v)));
      if (together > 1) for (const [j, pair] of results.entries()) emit(j, pair);
    });
  };
  const paired = joinsPairs ? outer - (outer % (2 * lanes32)) : 0;
  pass(2, 0, paired);
  pass(1, paired, outer);
}

/** Results that every tile has along a side. */
const tailOf = (extent: number, outputs: number): number => (extent % outputs === 0 ? outputs : extent % outputs);

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Takes a channel apart into the axes it is made of. */
function placesOf({ shape }: ContractKernel, outer: readonly number[], k: FunctionRecorder): Places {
  const last = outer[outer.length - 1];
  if (outer.length === 1) return channel => [[[last, channel]]];
  const apart = (channel: Expr<"i32">): Counter[] => {
    const counters: Counter[] = [];
    let rest = k.let(channel);
    for (const axis of outer.slice(1).reverse()) {
      counters.push([axis, k.let(i32.remU(rest, shape[axis]))]);
      rest = k.let(i32.divU(rest, shape[axis]));
    }
    return [...counters, [outer[0], rest]];
  };
  if (shape[last] % k.target.lanes32 === 0) return channel => [apart(channel)];
  return channel => range(k.target.lanes32).map(lane => apart(plus(channel, lane)));
}

/** Stores all epilogues of one vector of results. */
function leafOf(
  kernel: ContractKernel,
  outer: readonly number[],
): (k: FunctionRecorder, addresses: Addresses, pixel: readonly Counter[], channels: ReturnType<Places>, sum: Expr<"vec">) => void {
  const inner = outer[outer.length - 1];
  const flat = flattenIndex(
    kernel.shape.map((size, axis) => axisIndex(axis, size)),
    kernel.shape,
  );
  const { vector, scalar } = storesLeaf(
    kernel.stores.map(({ out, body }) => ({ out, body, flat })),
    inner,
  );
  return (k, addresses, pixel, channels, sum) => {
    const points = channels.map(counters => pointAt(k, addresses, [...pixel, ...counters]));
    if (points.length === 1) vector?.(blockPoint({ ...points[0], accumulator: sum }, inner, 0, undefined, k), 0);
    else for (const [lane, point] of points.entries()) scalar({ ...point, accumulator: k.let(f32x.extract(sum, lane)) });
  };
}

function pointAt(k: FunctionRecorder, addresses: Addresses, counters: readonly Counter[]): Point {
  const axes: Expr<"i32">[] = [];
  for (const [axis, counter] of counters) if (axis >= 0) axes[axis] = counter;
  return { k, addresses, axes, memo: new Map() };
}

// ---- taps: gradients of filters ----

function recordTaps(work: Work<TapContraction>): Phase[] {
  const { plan, spatial, recording, name, size } = work;
  const { inputs, others } = plan.scratch;
  const { module, places } = recording;
  const { inner, outer } = spatial;
  const data = recordSpread(work, { name: "data", images: spatial.data, planes: inputs, offsets: spatial.offsets }, plan.filtering.inputs);
  const other = recordSpread(
    work,
    { name: "other", images: spatial.other, planes: others, offsets: [0, 0] },
    transposed(plan.filtering.sums),
  );
  const params = { a: "i32", b: "i32", c: "i32", terms: "i32" } as const;
  const multiply = module.function(`${name}.product`, { params }, (k, { a, b, c, terms }) =>
    recordProduct(k, {
      ...{ a, aRow: bytes, aStep: inner * bytes },
      ...{ b, bStep: outer * bytes, bPanel: k.target.tiles[0].columns * bytes },
      ...{ c, cRow: outer * bytes },
      ...{ rows: inner, columns: outer, terms, isAdding: true },
    }),
  );
  const perGroup = size ** 2 * plan.filterPitch;
  const ref = module.function(name, { params: phaseParams }, (k, { low, high, thread }) => {
    const addresses = new Addresses(k, places, [spatial.data.value, spatial.other.value, plan.transformed]);
    const scratch = scratchOf(k, addresses, plan, thread);
    clear(plan.scratch, size, k, scratch, [inputs, others]);
    k.loop({ from: low, to: high }, group => {
      const sums = k.let(plus(addresses.number(addresses.of(plan.transformed)), times(group, perGroup)));
      k.fillBytes(sums, 0, perGroup);
      const share = (index: Expr<"i32">): Expr<"i32"> => i32.divU(times(index, plan.blocks.count), plan.groups);
      k.loop({ from: share(group), to: share(plus(group, 1)) }, block => {
        const terms = k.number("i32", 0);
        eachImage(work, k, block, ({ image, from, to, tile }) => {
          const place = (planes: Planes): Expr<"i32"> => at(plus(scratch, times(tile, planes.channels * bytes)), planes.offset);
          k.call(data, scratch, imageAddress(spatial.data, addresses, image), from, to, place(inputs));
          k.call(other, scratch, imageAddress(spatial.other, addresses, image), from, to, place(others));
          k.set(terms, plus(tile, times(i32.sub(to, from), plan.tilesAcross)));
        });
        const [a, b, c] = [k.let(at(scratch, inputs.offset)), k.let(at(scratch, others.offset)), k.let(sums)];
        k.loop({ to: size ** 2 }, () => {
          k.call(multiply, a, b, c, terms);
          k.set(a, plus(a, inputs.pitch));
          k.set(b, plus(b, others.pitch));
          k.set(c, plus(c, plan.filterPitch));
        });
      });
    });
  });
  return [{ name, function: ref, units: plan.groups, work: workOf(work) }, recordFinish(work, perGroup)];
}

/** The groups added up in their order and transformed back to taps. Units are inner channels. */
function recordFinish(work: Work<TapContraction>, perGroup: number): Phase {
  const { plan, spatial, recording, kernel, size } = work;
  const { inner, outer, taps, axes } = spatial;
  const matrix = transposed(plan.filtering.filter);
  const name = `${work.name}.finish`;
  const ref = recording.module.function(name, { params: phaseParams }, (k, { low, high, thread }) => {
    const { vectorBytes } = k.target;
    const addresses = new Addresses(k, recording.places, [...valuesOf(kernel), plan.transformed]);
    const scratch = k.let(at(scratchOf(k, addresses, plan, thread), plan.scratch.temporary));
    const sums = k.let(addresses.number(addresses.of(plan.transformed)));
    const row = outer * bytes;
    const leaf = leafOf(kernel, axes.outer);
    const places = placesOf(kernel, axes.outer, k);
    k.loop({ from: low, to: high }, c => {
      const column = k.let(plus(sums, times(c, row)));
      const first = k.let(scratch);
      k.loop({ to: size }, () => {
        k.loop({ to: row, step: vectorBytes }, f => {
          const inputs = range(size).map(i => {
            const place = k.let(plus(i32.add(column, f), i * size * plan.filterPitch));
            const sum = k.let(f32x.load(place));
            if (plan.groups > 1)
              k.loop({ to: plan.groups - 1 }, () => {
                k.set(place, plus(place, perGroup));
                k.set(sum, f32x.add(sum, f32x.load(place)));
              });
            return sum;
          });
          const place = k.let(i32.add(first, f));
          multiplyVectors(k, matrix, inputs, (i, sum) => k.store(f32x, place, i * size * row, sum));
        });
        k.set(column, plus(column, plan.filterPitch));
        k.set(first, plus(first, row));
      });
      const second = k.let(scratch);
      k.loop({ to: taps }, i => {
        turnedBack(k, { matrix, second, row, outer, places }, (j, results) => {
          const tap = [
            [axes.tapRow, i],
            [axes.tapColumn, i32.const(j)],
            [axes.inner, c],
          ] as const;
          k.inTurn(
            results.map(
              ({ value, channels }) =>
                () =>
                  leaf(k, addresses, tap, channels, value),
            ),
          );
        });
        k.set(second, plus(second, size * row));
      });
    });
  });
  return { name, function: ref, units: inner, work: filterWork(work) };
}

// ---- both ----

/** Zeros where rows outside of the images are read, and in the lines beside them. */
function clear({ zeros, zeroBytes }: Scratch, size: number, k: FunctionRecorder, scratch: Expr<"i32">, planes: readonly Planes[]): void {
  k.fillBytes(at(scratch, zeros), 0, zeroBytes);
  for (const { lines, linePitch } of planes) k.fillBytes(at(scratch, lines), 0, size * linePitch);
}

const imageAddress = ({ value, imageStride }: Images, addresses: Addresses, image: Expr<"i32">): Expr<"i32"> =>
  plus(addresses.number(addresses.of(value)), times(image, imageStride * bytes));

interface Part {
  readonly image: Expr<"i32">;
  /** Rows of tiles. */
  readonly from: Expr<"i32">;
  readonly to: Expr<"i32">;
  /** The number of its first tile in the block. */
  readonly tile: Expr<"i32">;
}

/** The images of a block, or the part of one. */
function eachImage(
  { plan, spatial }: Work<ImageContraction | TapContraction>,
  k: FunctionRecorder,
  block: Expr<"i32">,
  body: (part: Part) => void,
): void {
  const { blocks, tilesDown, tilesAcross } = plan;
  if (blocks.perImage > 1) {
    const from = k.let(times(i32.remU(block, blocks.perImage), blocks.tileRows));
    const to = k.let(least(plus(from, blocks.tileRows), tilesDown));
    return body({ image: k.let(i32.divU(block, blocks.perImage)), from, to, tile: i32.const(0) });
  }
  const tile = k.number("i32", 0);
  const first = k.let(times(block, blocks.images));
  k.loop({ from: first, to: least(plus(first, blocks.images), spatial.images) }, image => {
    body({ image, from: i32.const(0), to: i32.const(tilesDown), tile });
    k.set(tile, plus(tile, tilesDown * tilesAcross));
  });
}

interface Spread {
  readonly name: string;
  readonly images: Images;
  readonly planes: Planes;
  readonly offsets: readonly [number, number];
}

/** Tiles of an image transformed, place by place into planes: first down all columns of a row of tiles, then along each tile's lines. */
function recordSpread(
  { plan, recording, name, size }: Work<unknown>,
  { name: what, images, planes, offsets }: Spread,
  matrix: Matrix,
): FunctionRef {
  const { channels, lines, linePitch } = planes;
  const window = matrix[0].length;
  const { outputs } = plan.filtering;
  const pixel = channels * bytes;
  const params = { scratch: "i32", image: "i32", from: "i32", to: "i32", out: "i32" } as const;
  // Columns of the lines that are columns of the image.
  const begin = Math.max(0, -offsets[1]);
  const end = Math.min((plan.tilesAcross - 1) * outputs + window, images.width - offsets[1]);
  return recording.module.function(`${name}.${what}`, { params }, (k, { scratch, image, from, to, out }) => {
    const tile = k.let(out);
    k.loop({ from, to }, down => {
      const rows = range(window).map(i => {
        const y = k.let(plus(times(down, outputs), i + offsets[0]));
        const inside = plus(plus(image, times(y, images.rowStride * bytes)), (begin + offsets[1]) * pixel);
        return k.let(i32.select(i32.ltU(y, images.height), inside, at(scratch, plan.scratch.zeros)));
      });
      if (end > begin)
        k.vectors((end - begin) * pixel, [scratch, ...rows], ([place, ...from], offset) => {
          const inputs = from.map(row => k.let(f32x.load(row, offset)));
          multiplyVectors(k, matrix, inputs, (i, sum) => k.store(f32x, place, lines + i * linePitch + begin * pixel + offset, sum));
        });
      k.loop({ to: plan.tilesAcross }, across => {
        const line = k.let(plus(scratch, times(across, outputs * pixel)));
        const plane = k.let(tile);
        k.loop({ to: size }, () => {
          k.vectors(pixel, [line, plane], ([place, target], offset) => {
            const inputs = range(window).map(x => k.let(f32x.load(place, lines + x * pixel + offset)));
            multiplyVectors(k, matrix, inputs, (j, sum) => k.store(f32x, target, j * planes.pitch + offset, sum));
          });
          k.set(line, plus(line, linePitch));
          k.set(plane, plus(plane, size * planes.pitch));
        });
        k.set(tile, plus(tile, pixel));
      });
    });
  });
}
