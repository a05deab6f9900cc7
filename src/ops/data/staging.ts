// Staging areas: tuples that one run leaves for another, in a line or by a key. Operations name the area by `sharedName` or by their own name, so
// those that belong together share a name. All run on the host between segments, where they can wait.

import type { DType } from "../../base/dtype.ts";
import { InvalidArgumentError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp, type HostContext, type OpDefinition, renameOp, type UntypedOp } from "../../graph/op-definition.ts";
import { numbersOf } from "../array/array.ts";
import { objectId, sharedAttrs } from "./host-handles.ts";
import { StagingArea, StagingMap } from "./staging-memory.ts";

const limits = { capacity: attr.int(0, 0), memoryLimit: attr.int(0, 0) };
const given = { ...limits, dtypes: attr.types(undefined, { minimum: 1 }), ...sharedAttrs };
const told = { ...limits, dtypes: attr.types(), ...sharedAttrs };
const scalar = new TensorShape([]);

interface Area {
  readonly capacity: number;
  readonly memoryLimit: number;
  readonly container: string;
  readonly sharedName: string;
}

const areaOf = (attrs: Area, { op, object }: HostContext): StagingArea =>
  object({ id: objectId("staging", attrs, op), make: () => new StagingArea(attrs) }) as StagingArea;

const unknownShapes = ({ dtypes }: { readonly dtypes: readonly DType[] }): TensorShape[] => dtypes.map(() => TensorShape.unknown());

/** @throws InvalidArgumentError where a tuple has other components than the op gives. */
function typed(tuple: readonly NDArray[], dtypes: readonly DType[]): readonly NDArray[] {
  if (tuple.length !== dtypes.length) throw new InvalidArgumentError(`Mismatch stage/unstage: ${tuple.length} vs. ${dtypes.length}`);
  tuple.forEach(({ dtype }, k) => {
    if (dtype !== dtypes[k]) throw new InvalidArgumentError(`Component ${k} was staged as ${dtype}, and is asked for as ${dtypes[k]}.`);
  });
  return tuple;
}

// ---- in a line ----

export const Stage = defineOp("Stage", {
  inputs: { values: "dtypes" },
  outputs: {},
  attrs: given,
  stateful: true,
  waits: true,
  shape: () => undefined,
  host: async ({ values, ...attrs }, context) => void (await areaOf(attrs, context).put(values, context.signal)),
});

export const Unstage = defineOp("Unstage", {
  inputs: {},
  outputs: { values: "dtypes" },
  attrs: given,
  stateful: true,
  waits: true,
  shape: unknownShapes,
  host: async (attrs, context) => typed(await areaOf(attrs, context).take(context.signal), attrs.dtypes),
});

/** A tuple that stays; waits until there are so many. */
export const StagePeek = defineOp("StagePeek", {
  inputs: { index: "int32" },
  outputs: { values: "dtypes" },
  attrs: given,
  stateful: true,
  waits: true,
  shape: unknownShapes,
  host: async ({ index, ...attrs }, context) => {
    if (index.rank !== 0) throw new InvalidArgumentError("index must be scalar");
    return typed(await areaOf(attrs, context).peek(Number(index.get(0)), context.signal), attrs.dtypes);
  },
});

export const StageSize = defineOp("StageSize", {
  inputs: {},
  outputs: { size: "int32" },
  attrs: told,
  stateful: true,
  shape: () => scalar,
  host: (attrs, context) => NDArray.full("int32", [], areaOf(attrs, context).size),
});

export const StageClear = defineOp("StageClear", {
  inputs: {},
  outputs: {},
  attrs: told,
  stateful: true,
  shape: () => undefined,
  host: (attrs, context) => areaOf(attrs, context).clear(),
});

// ---- by key ----

const mapOf = (attrs: Area, { op, object }: HostContext): StagingMap => {
  const isOrdered = op.type.startsWith("Ordered");
  const id = objectId(isOrdered ? "orderedStaging" : "stagingMap", attrs, op);
  return object({ id, make: () => new StagingMap(attrs, isOrdered) }) as StagingMap;
};

/** Brings the parts `indices` of a tuple. */
export const MapStage = defineOp("MapStage", {
  inputs: { key: "int64", indices: "int32", values: "fakeDtypes" },
  outputs: {},
  attrs: { ...limits, dtypes: attr.types(), fakeDtypes: attr.types(undefined, { minimum: 1 }), ...sharedAttrs },
  stateful: true,
  waits: true,
  shape: () => undefined,
  host: async ({ key, indices, values, dtypes, ...attrs }, context) => {
    const parts = { key: key.get(0) as bigint, indices: numbersOf(indices) };
    await mapOf(attrs, context).put(parts, values, dtypes.length, context.signal);
  },
});

const takes = (isPeek: boolean) =>
  ({
    inputs: { key: "int64", indices: "int32" },
    outputs: { values: "dtypes" },
    attrs: given,
    stateful: true,
    waits: true,
    shape: unknownShapes,
    host: async (
      { key, indices, ...attrs }: Area & { readonly key: NDArray; readonly indices: NDArray; readonly dtypes: readonly DType[] },
      context: HostContext,
    ) => {
      const parts = { key: key.get(0) as bigint, indices: numbersOf(indices) };
      return typed(await mapOf(attrs, context).take(parts, isPeek, context.signal), attrs.dtypes);
    },
  }) as const;

/** Takes the parts `indices` of a tuple, once it is whole. */
export const MapUnstage = defineOp("MapUnstage", takes(false));
export const MapPeek = defineOp("MapPeek", takes(true));

export const MapUnstageNoKey = defineOp("MapUnstageNoKey", {
  inputs: { indices: "int32" },
  outputs: { key: "int64", values: "dtypes" },
  attrs: given,
  stateful: true,
  waits: true,
  shape: ({ dtypes }) => [TensorShape.unknown(), ...unknownShapes({ dtypes })],
  host: async ({ indices, ...attrs }, context) => {
    const [key, tuple] = await mapOf(attrs, context).takeAny(numbersOf(indices), context.signal);
    return [NDArray.from(key, "int64"), ...typed(tuple, attrs.dtypes)];
  },
});

const counts = (of: (map: StagingMap) => number) =>
  ({
    inputs: {},
    outputs: { size: "int32" },
    attrs: told,
    stateful: true,
    shape: () => scalar,
    host: (attrs: Area, context: HostContext) => NDArray.full("int32", [], of(mapOf(attrs, context))),
  }) as const;

export const MapSize = defineOp(
  "MapSize",
  counts(map => map.size),
);
export const MapIncompleteSize = defineOp(
  "MapIncompleteSize",
  counts(map => map.incompleteSize),
);

export const MapClear = defineOp("MapClear", {
  inputs: {},
  outputs: {},
  attrs: told,
  stateful: true,
  shape: () => undefined,
  host: (attrs, context) => mapOf(attrs, context).clear(),
});

const ordered = (of: OpDefinition): UntypedOp => renameOp(`Ordered${of.type}`, of);
export const OrderedMapStage = ordered(MapStage);
export const OrderedMapUnstage = ordered(MapUnstage);
export const OrderedMapPeek = ordered(MapPeek);
export const OrderedMapUnstageNoKey = ordered(MapUnstageNoKey);
export const OrderedMapSize = ordered(MapSize);
export const OrderedMapIncompleteSize = ordered(MapIncompleteSize);
export const OrderedMapClear = ordered(MapClear);
