// Map kernels: one loop nest for each box of the iteration space, all stores of a kernel inside the same loops.

import { sizeOf } from "../base/shape.ts";
import type { Value } from "../ir/program.ts";
import { addIndex, axisIndex, constantIndex, type Index } from "../ir/index-map.ts";
import { loadsOf, type Scalar } from "../ir/scalar.ts";
import { evaluationCost, innerAxes, storeCost } from "../schedule/cost.ts";
import type { Kernel } from "../schedule/plan.ts";
import { elementOf, vectorKind } from "./element.ts";
import { bitsOfHalf, isHalf } from "./halves.ts";
import { joinPhases } from "./language/join-phases.ts";
import type { Expr } from "./language/language.ts";
import { type Leaf, loopOver, unitsOf, vectorsInTurn } from "./loops.ts";
import { type Box, cutAtGuards, insideBox, mergeAxes, scaleOf } from "./nest.ts";
import type { NamedRecording, Phase } from "./phase.ts";
import { Addresses } from "./places.ts";
import { addressOf, type Point, scalarCode } from "./language/scalar-code.ts";
import { recordTurn } from "./turn.ts";
import { flatIndex, storeVector, vectorCode, type VectorPoint } from "./language/vector-code.ts";

type MapKernel = Extract<Kernel, { kind: "map" }>;

/** Records a map as one phase of all its boxes; none if it has no element. */
export function recordMap(kernel: MapKernel, recording: NamedRecording): Phase[] {
  const boxes = cutAtGuards(
    kernel.shape,
    kernel.stores.map(({ body }) => body),
  );
  const filled = boxes.filter(({ size }) => sizeOf(size) > 0);
  if (filled.length < 2) return filled.map(box => recordMapIn(kernel, box, recording));
  const { module, places } = recording;
  const name = recording.name("map");
  const phases = filled.map((box, b) => recordMapIn(kernel, box, { module, places, name: kind => `${name}.${kind}${b}` }));
  return [joinPhases(name, phases, module)];
}

/** Records what a map stores inside a box. */
export const recordMapIn = (kernel: MapKernel, box: Box, recording: NamedRecording): Phase =>
  recordBox(kernel, recording, insideStores(kernel, box));

interface PlacedStore {
  readonly out: Value;
  readonly body: Scalar;
  /** A load of the output at the kernel's index: only its address is used. */
  readonly target: Scalar;
}

/** Stores seen from inside a box, each with the address it writes to as a load of its own output. */
function insideStores({ stores, shape }: MapKernel, { start, size }: Box): { size: readonly number[]; stores: PlacedStore[] } {
  const at = size.map((extent, axis) => addIndex(axisIndex(axis, extent), constantIndex(start[axis])));
  const bodies = insideBox(
    stores.map(({ body }) => body),
    { start, size },
  );
  return {
    size,
    stores: stores.map(({ out }, i) => ({
      out,
      body: bodies[i],
      target: { kind: "load", dtype: out.dtype, source: { ...out, shape, splat: undefined }, at },
    })),
  };
}

function recordBox(kernel: MapKernel, recording: NamedRecording, given: { size: readonly number[]; stores: PlacedStore[] }): Phase {
  const { module, places } = recording;
  const bodies = given.stores.map(({ body }) => body);
  const targets = given.stores.map(({ target }) => flatIndex(target as Extract<Scalar, { kind: "load" }>));
  const merged = mergeAxes(given.size, bodies, targets);
  const [store] = given.stores;
  const turned =
    given.stores.length === 1 &&
    recordTurn({ sizes: merged.sizes, out: store.out, body: merged.bodies[0], target: merged.extra[0] }, recording);
  if (turned) return turned;
  const name = recording.name("map");
  const ref = module.function(name, { params: { low: "i32", high: "i32" } }, (k, { low, high }) => {
    const addresses = new Addresses(k, places, valuesOf(kernel));
    const stores = given.stores.map(({ out }, i) => ({ out, body: merged.bodies[i], flat: merged.extra[i] }));
    loopOver(
      {
        k,
        addresses,
        sizes: merged.sizes,
        bodies: merged.bodies,
        range: { low, high },
        unroll: Math.max(vectorsInTurn(merged.bodies), k.target.joinsPairs ? 2 : 1),
      },
      storesLeaf(stores, merged.sizes.length - 1),
    );
  });
  return { name, function: ref, units: unitsOf(merged.sizes), work: workOf(given) };
}

function workOf({ size, stores }: { size: readonly number[]; stores: readonly PlacedStore[] }): number {
  const inner = innerAxes(size);
  return sizeOf(size) * stores.reduce((sum, { body }) => sum + evaluationCost(body, inner) + storeCost, 0);
}

/** The values a map reads and writes. */
export function valuesOf(kernel: { readonly stores: readonly { readonly out: Value; readonly body: Scalar }[] }): Value[] {
  return kernel.stores.flatMap(({ out, body }) => [out, ...loadsOf(body).map(({ source }) => source)]);
}

interface FlatStore {
  readonly out: Value;
  readonly body: Scalar;
  readonly flat: Index;
}

/** Evaluates all bodies, then writes them: a store may overwrite what another body read at the same index. */
export function storesLeaf(stores: readonly FlatStore[], inner: number): Leaf {
  const scalar = (point: Point): void => {
    const values = stores.map(({ body }) => scalarCode(body, point));
    for (const [i, { out, flat }] of stores.entries()) storeScalar(out, flat, values[i], point);
  };
  const canVector = stores.every(({ out, flat }) => vectorKind(out.dtype) !== undefined && scaleOf(flat, inner) === 1);
  if (!canVector) return { scalar };
  return {
    scalar,
    vector: point => {
      const values = stores.map(({ body }) => vectorCode(body, point));
      for (const [i, { out, flat }] of stores.entries()) writeVector(out, flat, values[i], point);
    },
  };
}

export function storeScalar(out: Value, flat: Index, value: Expr, point: Point): void {
  const { scalar, access, bytes } = elementOf(out.dtype);
  const { base, offset } = point.addresses.of(out);
  const { at, extra } = addressOf(flat, bytes, offset, base, point);
  if (isHalf(out.dtype)) point.k.storeNarrow("i32", access, at, extra, bitsOfHalf(out.dtype, value as Expr<"f32">, point.k));
  else if (scalar === "i32" || scalar === "i64") point.k.storeNarrow(scalar, access, at, extra, value);
  else point.k.store(scalar, at, extra, value);
}

function writeVector(out: Value, flat: Index, value: Expr, point: VectorPoint): void {
  const { bytes } = elementOf(out.dtype);
  const { base, offset } = point.addresses.of(out);
  const { at, extra } = addressOf(flat, bytes, offset, base, point);
  storeVector(out.dtype, value, at, extra, point);
}
