// Lookup tables: keys and values that a session keeps on the host (data/lookup-table.ts). Finding, inserting and removing are calls within a run, also inside
// branches and loops; a count of changes, threaded from one to the next, keeps them in order. Exporting gives sizes of the moment, so it runs between segments.

import type { DType } from "../../base/dtype.ts";
import { InternalError, InvalidArgumentError } from "../../base/errors.ts";
import type { NDArray } from "../../base/ndarray.ts";
import { mergedDimension, TensorShape } from "../../base/shape.ts";
import { need } from "../arguments.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp, type HostObject, type LowerContext, renameOp, type StateHandle } from "../../graph/op-definition.ts";
import type { Operation } from "../../graph/operation.ts";
import { call } from "../../ir/build.ts";
import type { Value } from "../../ir/program.ts";
import { handleFields, objectId, sharedAttrs } from "./host-handles.ts";
import { DenseTable, LookupTable, MutableTable, StaticTable } from "./lookup-table.ts";

const scalar = new TensorShape([]);
/** The handle of a table whose keys are scalars or vectors. */
const keyedScalar = ({ emptyKey }: { readonly emptyKey: TensorShape }): TensorShape => {
  emptyKey.withRankAtMost(1);
  return scalar;
};

// ---- handles ----

const tableAttrs = {
  ...sharedAttrs,
  useNodeNameSharing: attr.bool(false),
  keyDtype: attr.type(),
  valueDtype: attr.type(),
};

/** A table that is filled once, by its initializer. */
export const HashTableV2 = defineOp("HashTableV2", {
  inputs: {},
  outputs: { tableHandle: "resource" },
  attrs: tableAttrs,
  ...handleFields,
  resource: ({ keyDtype, valueDtype, ...shared }, op): HostObject => ({
    id: objectId("table", shared, op),
    make: () => new StaticTable({ keyDtype, valueDtype, valueShape: [] }),
  }),
});

export const MutableHashTableV2 = defineOp("MutableHashTableV2", {
  inputs: {},
  outputs: { tableHandle: "resource" },
  attrs: tableAttrs,
  ...handleFields,
  holds: attrs => holdsValues(attrs),
  resource: ({ keyDtype, valueDtype, ...shared }, op): HostObject => ({
    id: objectId("mutableTable", shared, op),
    make: () => new MutableTable({ keyDtype, valueDtype, valueShape: [] }),
  }),
});

/** What a mutable table says of the values it finds, one for a key. */
const holdsValues = ({ valueDtype, valueShape }: { readonly valueDtype: DType; readonly valueShape?: TensorShape }) => ({
  dtype: valueDtype,
  shape: valueShape ?? scalar,
});

/** The same with values of a shape. */
export const MutableHashTableOfTensorsV2 = defineOp("MutableHashTableOfTensorsV2", {
  inputs: {},
  outputs: { tableHandle: "resource" },
  attrs: { ...tableAttrs, valueShape: attr.shape(scalar) },
  ...handleFields,
  holds: holdsValues,
  resource: ({ keyDtype, valueDtype, valueShape, ...shared }, op): HostObject => ({
    id: objectId("tensorTable", shared, op),
    make: () => new MutableTable({ keyDtype, valueDtype, valueShape: knownDims(valueShape) }),
  }),
});

const knownDims = (shape: TensorShape): number[] => {
  if (shape.dims === null || shape.dims.includes(null))
    throw new InvalidArgumentError(`Default value must be a vector, got shape ${shape.format()}`);
  return shape.dims.map(Number);
};

/** A table in one array of buckets, two keys set apart to mark empty and deleted ones. */
export const MutableDenseHashTableV2 = defineOp("MutableDenseHashTableV2", {
  inputs: { emptyKey: "keyDtype", deletedKey: "keyDtype" },
  outputs: { tableHandle: "resource" },
  attrs: {
    ...tableAttrs,
    valueShape: attr.shape(scalar),
    initialNumBuckets: attr.int(131072),
    maxLoadFactor: attr.float(0.8),
  },
  ...handleFields,
  shape: keyedScalar,
  holds: (attrs, context) => (context.shapeOf("emptyKey").rank === 0 ? holdsValues(attrs) : undefined),
  resource: ({ keyDtype, valueDtype, valueShape, initialNumBuckets, maxLoadFactor, ...shared }, op): HostObject => ({
    id: objectId("denseTable", shared, op),
    make: () => new DenseTable({ keyDtype, valueDtype, valueShape: knownDims(valueShape) }, initialNumBuckets, maxLoadFactor),
  }),
  lower: ({ emptyKey, deletedKey }, context) => markedTable(context, emptyKey, deletedKey),
});

/** The handle of a dense table, which is told the keys set apart. */
export function markedTable(context: LowerContext, ...keys: readonly Value[]): StateHandle {
  const handle = context.object();
  const table = tableOf(handle, context);
  if (!(table instanceof DenseTable)) throw new InternalError(`${handle.state.id} is no dense table.`);
  change(handle, "lookupMark", keys, ([empty, deleted]) => table.mark(empty, deleted));
  return handle;
}

// ---- tables that nobody else can name ----

const anonymousId = (op: Operation): string => `anonymousTable:${op.name}`;
const plainAttrs = { keyDtype: attr.type(), valueDtype: attr.type() };
const shapedAttrs = { ...plainAttrs, valueShape: attr.shape(scalar) };

export const AnonymousHashTable = defineOp("AnonymousHashTable", {
  inputs: {},
  outputs: { tableHandle: "resource" },
  attrs: plainAttrs,
  ...handleFields,
  resource: (types, op): HostObject => ({ id: anonymousId(op), make: () => new StaticTable({ ...types, valueShape: [] }) }),
});
export const AnonymousMutableHashTable = defineOp("AnonymousMutableHashTable", {
  inputs: {},
  outputs: { tableHandle: "resource" },
  attrs: plainAttrs,
  ...handleFields,
  holds: attrs => holdsValues(attrs),
  resource: (types, op): HostObject => ({ id: anonymousId(op), make: () => new MutableTable({ ...types, valueShape: [] }) }),
});
export const AnonymousMutableHashTableOfTensors = defineOp("AnonymousMutableHashTableOfTensors", {
  inputs: {},
  outputs: { tableHandle: "resource" },
  attrs: shapedAttrs,
  ...handleFields,
  holds: holdsValues,
  resource: ({ valueShape, ...types }, op): HostObject => ({
    id: anonymousId(op),
    make: () => new MutableTable({ ...types, valueShape: knownDims(valueShape) }),
  }),
});
export const AnonymousMutableDenseHashTable = renameOp("AnonymousMutableDenseHashTable", MutableDenseHashTableV2, {
  attrs: { ...shapedAttrs, initialNumBuckets: attr.int(131072), maxLoadFactor: attr.float(0.8) },
  ...handleFields,
  shape: keyedScalar,
});

// ---- within a run ----

function tableOf(handle: StateHandle, context: LowerContext): LookupTable {
  const object = context.resource(handle);
  if (!(object instanceof LookupTable)) throw new InternalError(`${handle.state.id} is no table.`);
  return object;
}

/** Runs a change of the table after everything that was asked of it before. */
export function change(handle: StateHandle, name: string, inputs: readonly Value[], run: (inputs: readonly NDArray[]) => void): void {
  const routine = {
    name,
    run: ([count, ...given]: readonly NDArray[], [next]: readonly NDArray[]): void => {
      run(given);
      next.set(0, Number(count.get(0)) + 1);
    },
  };
  handle.write(call(routine, [handle.read(), ...inputs], [{ dtype: "int32", shape: [] }])[0]);
}

/** The values of keys, or the default where there is none. */
export const LookupTableFindV2 = defineOp("LookupTableFindV2", {
  inputs: { tableHandle: "resource", keys: "Tin", defaultValue: "Tout" },
  outputs: { values: "Tout" },
  attrs: { Tin: attr.type(), Tout: attr.type() },
  stateful: true,
  gradient: "none",
  shape: ({ tableHandle, keys }, context) => {
    tableHandle.withRank(0);
    const held = context.handle("tableHandle");
    return held ? keys.concatenate(held.shape) : TensorShape.unknown();
  },
  lower: ({ tableHandle, keys, defaultValue, Tout }, context) => {
    const table = tableOf(tableHandle, context);
    const routine = {
      name: "lookupFind",
      run: ([, given, fallback]: readonly NDArray[], [out]: readonly NDArray[]): void => table.find(given, fallback, out),
    };
    const shape = [...keys.shape, ...table.types.valueShape];
    return call(routine, [tableHandle.read(), keys, defaultValue], [{ dtype: Tout, shape }])[0];
  },
});

const changing = {
  inputs: { tableHandle: "resource", keys: "Tin", values: "Tout" },
  outputs: {},
  attrs: { Tin: attr.type(), Tout: attr.type() },
  stateful: true,
  gradient: "none",
  shape: ({ tableHandle }: { readonly tableHandle: TensorShape }) => void tableHandle.withRank(0),
} as const;

export const LookupTableInsertV2 = defineOp("LookupTableInsertV2", {
  ...changing,
  lower: ({ tableHandle, keys, values }, context) => {
    const table = tableOf(tableHandle, context);
    change(tableHandle, "lookupInsert", [keys, values], ([k, v]) => table.insert(k, v));
  },
});

/** Replaces all entries; fills a static table. */
export const LookupTableImportV2 = defineOp("LookupTableImportV2", {
  ...changing,
  shape: ({ tableHandle, keys, values }) => {
    tableHandle.withRank(0);
    mergedDimension(keys.withRank(1).dim(0), values.withRankAtLeast(1).dim(0));
  },
  lower: ({ tableHandle, keys, values }, context) => {
    const table = tableOf(tableHandle, context);
    change(tableHandle, "lookupImport", [keys, values], ([k, v]) => table.fill(k, v));
  },
});

export const InitializeTableV2 = defineOp("InitializeTableV2", {
  inputs: { tableHandle: "resource", keys: "Tkey", values: "Tval" },
  outputs: {},
  attrs: { Tkey: attr.type(), Tval: attr.type() },
  stateful: true,
  gradient: "none",
  shape: ({ tableHandle, keys, values }) => {
    tableHandle.withRank(0);
    keys.withRank(1).mergeWith(values);
  },
  checks: ({ keys, values }) => {
    need(keys.length === 1, () => `Keys must be a vector, but received shape[${keys}]`);
    need(values.length === 1, () => `Values must be a vector, but received shape[${values}]`);
    need(keys[0] === values[0], () => `Keys and values must have the same size ${keys[0]} vs ${values[0]}`);
    need(keys[0] > 0, () => "keys and values cannot be empty tensors.");
  },
  lower: ({ tableHandle, keys, values }, context) => {
    const table = tableOf(tableHandle, context);
    change(tableHandle, "lookupInitialize", [keys, values], ([k, v]) => table.fill(k, v));
  },
});

export const LookupTableRemoveV2 = defineOp("LookupTableRemoveV2", {
  inputs: { tableHandle: "resource", keys: "Tin" },
  outputs: {},
  attrs: { Tin: attr.type() },
  stateful: true,
  gradient: "none",
  shape: ({ tableHandle, keys }) => {
    tableHandle.withRank(0);
    keys.withRankAtLeast(1);
  },
  lower: ({ tableHandle, keys }, context) => {
    const table = tableOf(tableHandle, context);
    change(tableHandle, "lookupRemove", [keys], ([k]) => table.remove(k));
  },
});

export const LookupTableSizeV2 = defineOp("LookupTableSizeV2", {
  inputs: { tableHandle: "resource" },
  outputs: { size: "int64" },
  attrs: {},
  stateful: true,
  gradient: "none",
  shape: ({ tableHandle }) => {
    tableHandle.withRank(0);
    return scalar;
  },
  lower: ({ tableHandle }, context) => {
    const table = tableOf(tableHandle, context);
    const run = (_: readonly NDArray[], [out]: readonly NDArray[]): void => out.set(0, table.size);
    return call({ name: "lookupSize", run }, [tableHandle.read()], [{ dtype: "int64", shape: [] }])[0];
  },
});

// ---- between segments ----

/** All keys and values, in an order of the table's own. */
export const LookupTableExportV2 = defineOp("LookupTableExportV2", {
  inputs: { tableHandle: "resource" },
  outputs: { keys: "Tkeys", values: "Tvalues" },
  attrs: { Tkeys: attr.type(), Tvalues: attr.type() },
  stateful: true,
  gradient: "none",
  shape: ({ tableHandle }) => {
    tableHandle.withRank(0);
    return [TensorShape.unknown(), TensorShape.unknown()];
  },
  host: ({ tableHandle }) => {
    if (!(tableHandle instanceof LookupTable)) throw new InternalError("The handle is no table's.");
    return tableHandle.export();
  },
});
