// Loops over an iteration space: outer axes one by one, the inner axis by vectors where every expression allows it, else one by one.
// What does not depend on an axis is computed outside its loop.

import { forEachScalar, type Scalar } from "../ir/scalar.ts";
import { forEachAtom, type Index } from "../ir/index-map.ts";
import { least, plus, times } from "./arithmetic.ts";
import { elementOf } from "./element.ts";
import { isInlineFunction } from "./math/elementary.ts";
import { type Expr, i32 } from "./language/language.ts";
import { lastAxis } from "./nest.ts";
import type { AddressBook } from "./places.ts";
import type { FunctionRecorder } from "./language/recorder.ts";
import { indexCode, type Point, quantity, scalarCode } from "./language/scalar-code.ts";
import { flatIndex, isVectorizable, moves, pace, vectorCode, type VectorPoint } from "./language/vector-code.ts";

/** What happens at each place of the inner axis. */
export interface Leaf {
  scalar(point: Point): void;
  /** Absent if the leaf can only be done one by one. `which` counts the vectors of one pass where loops are unrolled. */
  vector?(point: VectorPoint, which: number): void;
}

/** Elements of a flat space that make one unit of work for a thread. */
export const flatUnit = 256;

/** How many units a space is cut into: places of the first axis, or blocks of a flat space. */
export const unitsOf = (sizes: readonly number[]): number =>
  sizes.length === 0 ? 1 : sizes.length === 1 ? Math.ceil(sizes[0] / flatUnit) : sizes[0];

export interface UnitRange {
  readonly low: Expr<"i32">;
  readonly high: Expr<"i32">;
  /** Places that are one unit. */
  readonly places?: number;
}

export interface Space {
  readonly k: FunctionRecorder;
  readonly addresses: AddressBook;
  readonly sizes: readonly number[];
  /** All expressions the leaf evaluates: what of them is constant along an axis is hoisted. */
  readonly bodies: readonly Scalar[];
  /** Units [low, high) of the first axis, if the space is cut; a unit is a block of a flat space and else one place, unless said. */
  readonly range?: UnitRange | undefined;
  /** Counters that stand for axes fixed outside. */
  readonly outer?: Point | undefined;
  /** Vectors in one pass of the inner loop, if not one. */
  readonly unroll?: number;
  /** Number of the first axis looped here; axes before it are fixed in `outer`. */
  readonly firstAxis?: number;
}

/** Runs the leaf everywhere in the space. */
export function loopOver(space: Space, leaf: Leaf): void {
  const { k, addresses, outer, firstAxis = 0 } = space;
  const start: Point = outer ?? { k, addresses, axes: [], memo: new Map() };
  nest(space, leaf, firstAxis, hoisted(space.bodies, start, firstAxis - 1));
}

function nest(space: Space, leaf: Leaf, axis: number, point: Point): void {
  const { k, sizes, range, firstAxis = 0 } = space;
  if (axis === firstAxis + sizes.length) {
    leaf.scalar(point);
    return;
  }
  const size = sizes[axis - firstAxis];
  const isInner = axis === firstAxis + sizes.length - 1;
  const isCut = axis === firstAxis && range !== undefined;
  const unit = range?.places ?? (sizes.length === 1 ? flatUnit : 1);
  const from: Expr<"i32"> = isCut ? k.let(times(range.low, unit)) : i32.const(0);
  const to: Expr<"i32"> = isCut ? k.let(least(times(range.high, unit), size)) : quantity(size, point);
  if (isInner && leaf.vector && space.bodies.every(body => isVectorizable(body, axis))) {
    if (point.quantities) vectorsOfAnySize(space, { ...leaf, vector: leaf.vector }, axis, to, point);
    else innerVectors(space, leaf.vector, axis, { from, to, size, isCut }, point);
    return;
  }
  k.loop({ from, to, name: `i${axis}` }, counter => {
    const axes = [...point.axes];
    axes[axis] = counter;
    nest(space, leaf, axis + 1, hoisted(space.bodies, { ...point, axes, memo: new Map(point.memo) }, axis));
  });
}

/** Counters get a local, but where that would hide from the engine that accesses are neighbours. */
const pinned = (k: FunctionRecorder, counter: Expr<"i32">): Expr<"i32"> => (k.target.joinsPairs ? counter : k.let(counter));

/** Neighbouring vectors, the statements of each in turn. */
function sideBySide(k: FunctionRecorder, vectors: number, counter: Expr<"i32">, one: (counter: Expr<"i32">, which: number) => void): void {
  const pieces = Array.from(
    { length: vectors },
    (_, which) => () => one(which === 0 ? counter : pinned(k, plus(counter, which * k.target.lanes32)), which),
  );
  k.inTurn(pieces);
}

/** How many vectors a pass should take where functions are computed in it, each a long chain of instructions; 1 where there are none, or so
 *  many that they are work enough for a processor. */
export function vectorsInTurn(bodies: readonly Scalar[]): number {
  const functions = new Set<Scalar>();
  for (const body of bodies)
    forEachScalar(body, node => {
      if (node.kind === "apply" && node.dtype === "float32" && isInlineFunction(node.fn)) functions.add(node);
    });
  if (functions.size === 0) return 1;
  return functions.size <= 2 ? 4 : functions.size <= 4 ? 2 : 1;
}

interface Extent {
  readonly from: Expr<"i32">;
  readonly to: Expr<"i32">;
  readonly size: number;
  readonly isCut: boolean;
}

/** Whole vectors, several in a pass while there are, then what is left one by one. */
function vectorsOfAnySize({ k, bodies, unroll = 1 }: Space, leaf: Required<Leaf>, inner: number, to: Expr<"i32">, point: Point): void {
  const count = k.target.lanes32;
  const bases = basesOf(bodies, inner, point);
  const vectors = fixedVectors(bodies, inner, point, bases);
  const whole = (of: number): Expr<"i32"> => k.let(i32.and(to, -of));
  const vector = (counter: Expr<"i32">, which: number): void =>
    leaf.vector(vectorPoint(point, inner, counter, undefined, vectors, bases), which);
  const end = whole(count);
  const unrolled = unroll > 1 ? whole(unroll * count) : i32.const(0);
  if (unroll > 1) k.loop({ to: unrolled, step: unroll * count, name: `i${inner}` }, counter => sideBySide(k, unroll, counter, vector));
  k.loop({ from: unrolled, to: end, step: count, name: `i${inner}` }, counter => vector(counter, 0));
  k.loop({ from: end, to, name: `i${inner}` }, counter => {
    const axes = [...point.axes];
    axes[inner] = counter;
    leaf.scalar(hoisted(bodies, { ...point, axes, memo: new Map(point.memo) }, inner));
  });
}

function vectorPoint(
  point: Point,
  inner: number,
  counter: Expr<"i32">,
  part: number | undefined,
  vectors: ReadonlyMap<Scalar, Expr>,
  bases: ReadonlyMap<Scalar, Expr<"i32">>,
): VectorPoint {
  const axes = [...point.axes];
  axes[inner] = counter;
  const bytes = new Map<number, Expr<"i32">>();
  const byteCounter = (width: number): Expr<"i32"> => {
    const known = bytes.get(width) ?? (width === 1 ? counter : pinned(point.k, times(counter, width)));
    bytes.set(width, known);
    return known;
  };
  return { ...point, axes, memo: new Map(point.memo), inner, part, vectors: new Map(vectors), bases, byteCounter };
}

function innerVectors(
  space: Space,
  leaf: NonNullable<Leaf["vector"]>,
  inner: number,
  { from, to, size, isCut }: Extent,
  point: Point,
): void {
  const { k } = space;
  const count = k.target.lanes32;
  const tail = size % count;
  const bases = basesOf(space.bodies, inner, point);
  const vectors = fixedVectors(space.bodies, inner, point, bases);
  const at = (counter: Expr<"i32">, part: number | undefined): VectorPoint => vectorPoint(point, inner, counter, part, vectors, bases);
  const whole = size - tail;
  const end: Expr<"i32"> = isCut && tail > 0 ? k.let(least(to, whole)) : isCut ? to : i32.const(whole);
  const one = (counter: Expr<"i32">, which: number): void => leaf(at(counter, undefined), which);
  const { unroll = 1 } = space;
  const step = unroll * count;
  // A cut begins at a whole unit, which is a multiple of the step.
  const isUnrolled = unroll > 1 && (isCut ? flatUnit % step === 0 : whole >= step);
  const unrolled = !isUnrolled ? from : isCut ? k.let(i32.and(end, -step)) : i32.const(whole - (whole % step));
  if (isUnrolled) k.loop({ from, to: unrolled, step, name: `i${inner}` }, counter => sideBySide(k, unroll, counter, one));
  const left = isUnrolled ? whole % step : whole;
  if (left === count && !isCut) one(unrolled, 0);
  else if (left > 0) k.loop({ from: unrolled, to: end, step: count, name: `i${inner}` }, counter => one(counter, 0));
  if (tail === 0) return;
  const last = (): void => leaf(at(i32.const(whole), tail), 0);
  if (isCut) k.if(i32.eq(to, size), last);
  else last();
}

/** Where each stepping load is at inner = 0 (without its constant offset), computed once outside the loop. */
function basesOf(bodies: readonly Scalar[], inner: number, point: Point): Map<Scalar, Expr<"i32">> {
  const bases = new Map<Scalar, Expr<"i32">>();
  const known = new Map<string, Expr<"i32">>();
  visitOpen(bodies, node => {
    if (node.kind !== "load" || bases.has(node)) return;
    const flat = flatIndex(node);
    if (pace(flat, inner) !== "step") return;
    const { bytes } = elementOf(node.dtype);
    const rest: Index = { ...flat, offset: 0, terms: flat.terms.filter(({ atom }) => atom.kind !== "axis" || atom.axis !== inner) };
    const { base } = point.addresses.of(node.source);
    if (point.quantities) {
      const others = flat.terms.filter(({ atom }) => atom.kind !== "axis" || atom.axis !== inner);
      bases.set(node, point.k.let(plus(base, times(indexCode({ ...flat, terms: others }, point), bytes))));
      return;
    }
    const key = `${base.kind === "local" ? base.id : ""}:${bytes}:${rest.terms.map(({ atom, scale }) => `${scale}*${atom.key}`).join("+")}`;
    const found = known.get(key) ?? (rest.terms.length === 0 ? base : point.k.let(plus(base, times(indexCode(rest, point), bytes))));
    known.set(key, found);
    bases.set(node, found);
  });
  return bases;
}

/** Splats of what is constant along the inner axis. */
function fixedVectors(bodies: readonly Scalar[], inner: number, point: Point, bases: ReadonlyMap<Scalar, Expr<"i32">>): Map<Scalar, Expr> {
  const vectors = new Map<Scalar, Expr>();
  const outside: VectorPoint = { ...point, inner, part: undefined, vectors, bases, byteCounter: () => i32.const(0) };
  visitOpen(bodies, node => {
    // Positions in 64 bits, of what is gathered, are scalars.
    if (!moves(node, inner) && node.kind !== "constant" && isVectorizable(node, inner) && !isUnderFixed(node, bodies, inner))
      vectorOnce(node, outside);
  });
  return vectors;
}

/** Only expressions whose reader moves along the axis need a splat of their own. */
function isUnderFixed(node: Scalar, bodies: readonly Scalar[], inner: number): boolean {
  let isRead = bodies.includes(node);
  visitOpen(bodies, reader => {
    if (moves(reader, inner) && argsOf(reader).includes(node)) isRead = true;
  });
  return !isRead;
}

const vectorOnce = (node: Scalar, point: VectorPoint): void => void vectorCode(node, point);

const argsOf = (node: Scalar): readonly Scalar[] =>
  node.kind === "apply" ? node.args : node.kind === "cast" || node.kind === "bitcast" ? [node.arg] : [];

/** Visits expressions that are evaluated unconditionally: not the branches of guards. */
export function visitOpen(bodies: readonly Scalar[], visit: (node: Scalar) => void): void {
  const seen = new Set<Scalar>();
  const data = (index: Index): void =>
    forEachAtom(index, atom => {
      if (atom.kind === "data") walk(atom.value);
    });
  const walk = (node: Scalar): void => {
    if (seen.has(node)) return;
    seen.add(node);
    if (node.kind === "load") for (const index of node.at) data(index);
    if (node.kind === "index") data(node.index);
    for (const arg of argsOf(node)) walk(arg);
    visit(node);
  };
  for (const body of bodies) walk(body);
}

/** The point with everything computed that depends on no axis deeper than `axis`. */
function hoisted(bodies: readonly Scalar[], point: Point, axis: number): Point {
  const roots: Scalar[] = [];
  const seen = new Set<Scalar>();
  const walk = (node: Scalar): void => {
    if (seen.has(node) || point.memo.has(node)) return;
    seen.add(node);
    if (node.kind === "constant" || node.kind === "accumulator") return;
    if (lastAxis(node) <= axis) {
      if (node.kind !== "index") roots.push(node);
      return;
    }
    if (node.kind === "guard") return;
    for (const arg of argsOf(node)) walk(arg);
    const indices = node.kind === "load" ? node.at : node.kind === "index" ? [node.index] : [];
    for (const index of indices)
      forEachAtom(index, atom => {
        if (atom.kind === "data") walk(atom.value);
      });
  };
  for (const body of bodies) walk(body);
  for (const root of roots) scalarCode(root, point);
  return point;
}
