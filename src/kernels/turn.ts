// Transposing maps: what lies along one axis in memory is written along another. Square blocks are turned in registers, in strips as wide as
// a cache line, so that every line read or written is used whole while it is near.

import { sizeOf } from "../base/shape.ts";
import type { Index } from "../ir/index-map.ts";
import type { Value } from "../ir/program.ts";
import type { Scalar } from "../ir/scalar.ts";
import { storeCost } from "../schedule/cost.ts";
import { plus, times } from "./arithmetic.ts";
import { type Expr, f32x, i32, type Local } from "./language/language.ts";
import { isAffine, scaleOf } from "./nest.ts";
import type { NamedRecording, Phase } from "./phase.ts";
import { Addresses } from "./places.ts";
import { indexCode, movesDown, type Point } from "./language/scalar-code.ts";
import { flatIndex } from "./language/vector-code.ts";

/** A map that only moves elements of 32 bits, inside a box and with its axes joined. */
export interface Moving {
  readonly sizes: readonly number[];
  readonly out: Value;
  readonly body: Scalar;
  readonly target: Index;
}

interface Turn {
  readonly moving: Moving;
  readonly from: Extract<Scalar, { kind: "load" }>;
  readonly source: Index;
  /** The axis along which elements are neighbours where they are read; they are written so along the last one. */
  readonly across: number;
  readonly along: number;
}

const bytes = 4;
/** Vectors that make a strip: 64 bytes. */
const stripVectors = 4;

/** How the map is a transposition, if it is one. */
function turnOf(moving: Moving, lanes: number): Turn | undefined {
  const { sizes, body, out, target } = moving;
  if (body.kind !== "load" || body.dtype !== out.dtype || !["float32", "int32", "uint32"].includes(out.dtype)) return undefined;
  const along = sizes.length - 1;
  const source = flatIndex(body);
  if (along < 1 || !isAffine(source) || !isAffine(target) || movesDown(source) || movesDown(target)) return undefined;
  const across = sizes.findIndex((_, axis) => scaleOf(source, axis) === 1);
  const isTurned = across >= 0 && across !== along && scaleOf(target, along) === 1 && scaleOf(source, along) > 1;
  return isTurned && sizes[across] >= lanes && sizes[along] >= lanes ? { moving, from: body, source, across, along } : undefined;
}

/** The phase of a transposing map; undefined if it is none. */
export function recordTurn(moving: Moving, { module, places, name }: NamedRecording): Phase | undefined {
  const turn = turnOf(moving, module.target.lanes32);
  if (turn === undefined) return undefined;
  const { sizes, out } = moving;
  const { across, along } = turn;
  const strip = stripVectors * module.target.lanes32;
  const strips = Math.ceil(sizes[across] / strip);
  // Threads take places of the first other axis, or strips.
  const others = sizes.flatMap((size, axis) => (axis === across || axis === along ? [] : [{ axis, size }]));
  const [cut, ...inner] = others;
  const label = name("turn");
  const ref = module.function(label, { params: { low: "i32", high: "i32" } }, (k, { low, high }) => {
    const addresses = new Addresses(k, places, [turn.from.source, out]);
    const nested = (
      axes: readonly { axis: number; size: number }[],
      counters: readonly Expr<"i32">[],
      body: (counters: readonly Expr<"i32">[]) => void,
    ): void => {
      const [first, ...rest] = axes;
      if (first === undefined) return body(counters);
      k.loop({ to: first.size, name: `i${first.axis}` }, counter => nested(rest, withCounter(counters, first.axis, counter), body));
    };
    const all = (from: Expr<"i32">, to: Expr<"i32">, counters: readonly Expr<"i32">[]): void =>
      nested(inner, counters, at => turnStrips(turn, { k, addresses, axes: at, memo: new Map() }, from, to));
    if (cut === undefined) all(low, high, []);
    else
      k.loop({ from: low, to: high, name: `i${cut.axis}` }, counter =>
        all(k.number("i32", 0), k.number("i32", strips), withCounter([], cut.axis, counter)),
      );
  });
  return { name: label, function: ref, units: cut === undefined ? strips : cut.size, work: 2 * storeCost * sizeOf(sizes) };
}

function withCounter(counters: readonly Expr<"i32">[], axis: number, counter: Expr<"i32">): Expr<"i32">[] {
  const all = [...counters];
  all[axis] = counter;
  return all;
}

/** Strips [from, to) of the axis across, each over the whole axis along. */
function turnStrips(turn: Turn, point: Point, from: Expr<"i32">, to: Expr<"i32">): void {
  const { k } = point;
  const { moving, across } = turn;
  const width = stripVectors * k.target.lanes32;
  const whole = Math.floor(moving.sizes[across] / width);
  const rest = moving.sizes[across] - whole * width;
  k.loop({ from, to }, strip => {
    const start = k.let(times(strip, width));
    const one = (count: number): void => turnStrip(turn, { ...point, axes: withCounter(point.axes, across, start) }, count);
    if (rest === 0) one(width);
    else if (whole === 0) one(rest);
    else
      k.if(
        i32.eq(strip, whole),
        () => one(rest),
        () => one(width),
      );
  });
}

/** `count` neighbours where they are read, from where the point is. */
function turnStrip({ moving, from, source, across, along }: Turn, point: Point, count: number): void {
  const { k, addresses } = point;
  const { sizes, out, target } = moving;
  const lanes = k.target.lanes32;
  const start: Point = { ...point, axes: withCounter(point.axes, along, i32.const(0)) };
  const addressOf = (value: Value, index: Index): Local<"i32"> => {
    const { base, offset } = addresses.of(value);
    return k.let(plus(plus(base, times(indexCode(index, start), bytes)), offset));
  };
  const read = addressOf(from.source, source);
  const write = addressOf(out, target);
  const [readStep, writeStep] = [bytes * scaleOf(source, along), bytes * scaleOf(target, across)];
  const block = (rows: number): void => {
    for (let group = 0; group < count; group += lanes) {
      const width = Math.min(lanes, count - group);
      const vectors = Array.from({ length: lanes }, (_, r) => {
        if (r >= rows) return k.vector("f32x", 0);
        const offset = r * readStep + group * bytes;
        return k.let(width === lanes ? f32x.load(read, offset) : f32x.loadPart(width, read, offset));
      });
      k.transpose("f32x", vectors);
      for (let lane = 0; lane < width; lane++) {
        const offset = (group + lane) * writeStep;
        if (rows === lanes) k.store("f32x", write, offset, vectors[lane]);
        else k.storePart("f32x", rows, write, offset, vectors[lane]);
      }
    }
    k.set(read, plus(read, lanes * readStep));
    k.set(write, plus(write, lanes * bytes));
  };
  const rest = sizes[along] % lanes;
  k.loop({ to: (sizes[along] - rest) / lanes }, () => block(lanes));
  if (rest > 0) block(rest);
}
