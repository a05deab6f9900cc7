// Convolutions with stride 1 and their two gradients as programs, and how far their results lie from those in double precision.

import { runReference } from "../../src/backends/reference/index.ts";
import { WasmDevice } from "../../src/backends/wasm/device.ts";
import { engineTarget } from "../../src/backends/wasm/features.ts";
import { NDArray } from "../../src/base/ndarray.ts";
import { sizeOf } from "../../src/base/shape.ts";
import * as ir from "../../src/ir/build.ts";
import { ProgramBuilder } from "../../src/ir/build.ts";
import { addIndex, constantIndex, type Index, subtractIndex } from "../../src/ir/index-map.ts";
import type { Program, Value } from "../../src/ir/program.ts";
import type { WinogradUse } from "../../src/kernels/target.ts";
import { schedule } from "../../src/schedule/index.ts";
import { type CompareOptions, compareBackends } from "./compare-backends.ts";

/** `n` images of h × w × c, windows of r × r to `f` channels, `pad` zeros around. */
export interface Convolution {
  readonly n: number;
  readonly h: number;
  readonly w: number;
  readonly c: number;
  readonly f: number;
  readonly r: number;
  readonly pad: number;
}

/** Height and width of the result. */
export const resultSize = ({ h, w, r, pad }: Convolution): [number, number] => [h + 2 * pad - r + 1, w + 2 * pad - r + 1];

const correlated = (pixel: Index, tap: Index, pad: number): Index => addIndex(addIndex(pixel, tap), constantIndex(-pad));

export const forward = (sizes: Convolution, x: Value, filter: Value): Value => {
  const { n, c, f, r, pad } = sizes;
  return ir.contract([n, ...resultSize(sizes), f], [r, r, c], ([b, y, z, k], [ky, kx, ci]) => [
    ir.operand(x, [b, correlated(y, ky, pad), correlated(z, kx, pad), ci]),
    ir.operand(filter, [ky, kx, ci, k]),
  ]);
};

export const inputGradient = ({ n, h, w, c, f, r, pad }: Convolution, dy: Value, filter: Value): Value =>
  ir.contract([n, h, w, c], [r, r, f], ([b, y, z, ci], [ky, kx, k]) => [
    ir.operand(dy, [b, addIndex(subtractIndex(y, ky), constantIndex(pad)), addIndex(subtractIndex(z, kx), constantIndex(pad)), k]),
    ir.operand(filter, [ky, kx, ci, k]),
  ]);

export const filterGradient = (sizes: Convolution, x: Value, dy: Value): Value => {
  const { n, c, f, r, pad } = sizes;
  return ir.contract([r, r, c, f], [n, ...resultSize(sizes)], ([ky, kx, ci, k], [b, y, z]) => [
    ir.operand(x, [b, correlated(y, ky, pad), correlated(z, kx, pad), ci]),
    ir.operand(dy, [b, y, z, k]),
  ]);
};

/** Compares a program that is fed random arrays of these shapes. @throws with all texts where the backends differ. */
export async function sameAsReference(
  shapes: readonly (readonly number[])[],
  random: () => number,
  build: (...feeds: Value[]) => readonly Value[],
  options: CompareOptions,
): Promise<void> {
  const builder = new ProgramBuilder();
  const results = ir.building(builder, () => build(...shapes.map((shape, i) => ir.feed(String(i), "float32", shape))));
  const feeds = new Map(shapes.map((shape, i) => [String(i), randomArray(shape, random)]));
  const { fault } = await compareBackends({ program: { steps: builder.root, results }, feeds, states: new Map() }, options);
  if (fault !== undefined) throw new Error(fault.slice(0, 1000));
}

const randomArray = (shape: readonly number[], random: () => number): NDArray =>
  new NDArray("float32", shape, Float32Array.from({ length: sizeOf(shape) }, random));

/** Each direction with the shapes of what it is given. */
export const directions = {
  forward: { of: forward, shapes: (s: Convolution) => [imageShape(s), filterShape(s)] },
  "input gradient": { of: inputGradient, shapes: (s: Convolution) => [gradientShape(s), filterShape(s)] },
  "filter gradient": { of: filterGradient, shapes: (s: Convolution) => [imageShape(s), gradientShape(s)] },
} as const;

export type Direction = keyof typeof directions;

const imageShape = ({ n, h, w, c }: Convolution): number[] => [n, h, w, c];
const filterShape = ({ r, c, f }: Convolution): number[] => [r, r, c, f];
const gradientShape = (s: Convolution): number[] => [s.n, ...resultSize(s), s.f];

function programOf(sizes: Convolution, direction: Direction, dtype: "float32" | "float64"): Program {
  const builder = new ProgramBuilder();
  const { of, shapes } = directions[direction];
  const results = ir.building(builder, () => {
    const [first, second] = shapes(sizes).map((shape, i) => ir.feed(String(i), dtype, shape));
    return [of(sizes, first, second)];
  });
  return { steps: builder.root, results };
}

/** The worst error of each way as a share of the largest result, against the reference in double precision. */
export async function errorsOf(
  sizes: Convolution,
  direction: Direction,
  ways: readonly WinogradUse[],
  random: () => number,
): Promise<number[]> {
  const feeds = directions[direction].shapes(sizes).map(shape => randomArray(shape, random));
  const wide = feeds.map(
    (array, i) => [String(i), new NDArray("float64", array.shape, Float64Array.from(array.data as Float32Array))] as const,
  );
  const want = runReference(programOf(sizes, direction, "float64"), { feeds: new Map(wide) }).results[0].data as Float64Array;
  const largest = want.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const errors: number[] = [];
  for (const winograd of ways) {
    const target = engineTarget({ winograd });
    const device = new WasmDevice(target);
    const program = programOf(sizes, direction, "float32");
    const executable = await device.compile(program, schedule(program, device.target));
    const [got] = await executable.run(feeds);
    errors.push(want.reduce((worst, value, i) => Math.max(worst, Math.abs(value - Number(got.data[i]))), 0) / largest);
  }
  return errors;
}
