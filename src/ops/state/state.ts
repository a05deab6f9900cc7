// State ops: variables of both kinds (ref and resource), assignments, and updates of single rows or elements.
// Lowerings speak to a StateHandle: reading gives the value at this point of the run, writing replaces it. Optimizer steps are in training.ts.

import type { DType } from "../../base/dtype.ts";
import { InvalidArgumentError, OutOfRangeError, ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { sameShape, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { IndexedSlices } from "../../graph/indexed-slices.ts";
import type { Gradients, LowerContext, ShapeContext, StateHandle } from "../../graph/op-definition.ts";
import { defineOp } from "../../graph/op-definition.ts";
import { handleOf } from "../../graph/shape-inference.ts";
import { broadcastTo, check, constant, generate, map, reshape as reshapeValue, scatter, slice as sliceValue } from "../../ir/build.ts";
import type { Index } from "../../ir/index-map.ts";
import { addIndex, constantIndex, dataIndex, scaleIndex } from "../../ir/index-map.ts";
import type { ScatterCombine, State, Value } from "../../ir/program.ts";
import { uninitializedError } from "../../ir/uninitialized.ts";
import type { Scalar } from "../../ir/scalar.ts";
import { loadScalar, s } from "../../ir/scalar.ts";
import { checkScalar, checkStrides, concat, expandedAtRun, getItem, resolvedAtRun, stridedSlice } from "../array/slicing.ts";
import {
  constant as constantOf,
  expandDims,
  numbersOf,
  reshape,
  shape as shapeOf,
  size as sizeOf,
  squeeze,
  zerosLike,
} from "../array/array.ts";
import { ScatterNd } from "../array/gather.ts";
import { BroadcastGradientArgs } from "../array/padding.ts";
import { reduceSum } from "../math/reduction.ts";
import type { Masks } from "../array/slice-spec.ts";
import { need, refuseOthers } from "../arguments.ts";

const scalar = new TensorShape([]);

// ---- ref variables ----

function refState(context: LowerContext, sharedName: string, container: string, dtype: DType): StateHandle {
  const prefix = container === "" ? "" : `${container}/`;
  return context.state(stateOf(`variable:${prefix}${sharedName === "" ? context.name : sharedName}`, dtype, context.outputShapes[0]));
}

/** A variable of unknown shape has the shape of what it holds; the session knows it. */
const stateOf = (id: string, dtype: DType, shape: TensorShape): State => ({
  id,
  dtype,
  shape: (shape.dims ?? []).map(d => d ?? 0),
  role: "variable",
});

const variableFields = {
  inputs: {},
  outputs: { ref: "Ref(dtype)" },
  attrs: { shape: attr.shape(), dtype: attr.type(), container: attr.string(""), sharedName: attr.string("") },
  gradient: "none",
  stateful: true,
  lower: ({ sharedName, container, dtype }: { sharedName: string; container: string; dtype: DType }, context: LowerContext) =>
    refState(context, sharedName, container, dtype),
} as const;

/** The memory of a ref variable. */
export const VariableV2 = defineOp("VariableV2", { ...variableFields, shape: ({ shape }) => shape });

/** The older form of VariableV2, where a scalar shape means an unknown one. */
export const Variable = defineOp("Variable", {
  ...variableFields,
  shape: ({ shape }) => (shape.rank === 0 ? TensorShape.unknown() : shape),
});

/** Sets a variable; its result is the variable. */
export const Assign = defineOp("Assign", {
  inputs: { ref: "Ref(T)", value: "T" },
  outputs: { outputRef: "Ref(T)" },
  attrs: { T: attr.type(), validateShape: attr.bool(true), useLocking: attr.bool(true) },
  shape: ({ ref, value, validateShape }) => (validateShape ? ref.mergeWith(value) : value),
  gradient: "none",
  allowsUninitializedInput: true,
  lower: ({ ref, value, validateShape }, { op }) => {
    if (validateShape && op.inputs[0].shape.isFullyDefined && !sameShape(ref.state.shape, value.shape))
      throw new InvalidArgumentError(
        `Assign requires shapes of both tensors to match. lhs shape= [${ref.state.shape}] rhs shape= [${value.shape}]`,
      );
    return ref.write(value);
  },
});

/** The new value of `ref` combined with a tensor of its shape. */
function combined(ref: StateHandle, value: Value, f: (x: Scalar, y: Scalar) => Scalar): StateHandle {
  const old = ref.read();
  if (!sameShape(old.shape, value.shape))
    throw new InvalidArgumentError(`The shapes of a variable [${old.shape}] and of what is added to it [${value.shape}] differ.`);
  return ref.write(map(f, old, value));
}

export const AssignAdd = defineOp("AssignAdd", {
  inputs: { ref: "Ref(T)", value: "T" },
  outputs: { outputRef: "Ref(T)" },
  attrs: { T: attr.type(attr.numbers), useLocking: attr.bool(false) },
  shape: ({ ref, value }) => ref.mergeWith(value),
  gradient: "none",
  lower: ({ ref, value }) => combined(ref, value, s.add),
});

export const AssignSub = defineOp("AssignSub", {
  inputs: { ref: "Ref(T)", value: "T" },
  outputs: { outputRef: "Ref(T)" },
  attrs: { T: attr.type(attr.numbers), useLocking: attr.bool(false) },
  shape: ({ ref, value }) => ref.mergeWith(value),
  gradient: "none",
  lower: ({ ref, value }) => combined(ref, value, s.sub),
});

export const IsVariableInitialized = defineOp("IsVariableInitialized", {
  inputs: { ref: "Ref(dtype)" },
  outputs: { isInitialized: "bool" },
  attrs: { dtype: attr.type() },
  shape: () => scalar,
  gradient: "none",
  allowsUninitializedInput: true,
  onlyReads: true,
  lower: ({ ref }) => ref.isInitialized(),
});

/** The value before counting; at the limit the run stops with OutOfRangeError. */
export const CountUpTo = defineOp("CountUpTo", {
  inputs: { ref: "Ref(T)" },
  outputs: { output: "T" },
  attrs: { limit: attr.int(), T: attr.type(attr.indexTypes) },
  shape: ({ ref }) => ref.withRank(0),
  gradient: "none",
  lower: ({ ref, limit }) => countUp(ref, limit),
});

export const ResourceCountUpTo = defineOp("ResourceCountUpTo", {
  inputs: { resource: "resource" },
  outputs: { output: "T" },
  attrs: { limit: attr.int(), T: attr.type(attr.indexTypes) },
  shape: (_, context) => heldShape(context, "resource").withRank(0),
  gradient: "none",
  stateful: true,
  lower: ({ resource, limit }) => countUp(resource, limit),
});

function countUp(handle: StateHandle, limit: number): Value {
  const value = handle.read();
  check([], () => s.lt(loadScalar(value, []), limit), {
    label: "count-up-to",
    reads: [],
    error: () => new OutOfRangeError(`Reached limit of ${limit}`),
  });
  handle.write(map(x => s.add(x, 1), value));
  return value;
}

// ---- resource variables ----

/** Static shape of what a resource holds. */
export const heldShape = (context: ShapeContext, input: string): TensorShape => context.handle(input)?.shape ?? TensorShape.unknown();

/** A handle on a resource variable. */
export const VarHandleOp = defineOp("VarHandleOp", {
  inputs: {},
  outputs: { resource: "resource" },
  attrs: {
    container: attr.string(""),
    sharedName: attr.string(""),
    debugName: attr.string(""),
    dtype: attr.type(),
    shape: attr.shape(),
    allowedDevices: attr.strings([]),
  },
  shape: () => scalar,
  gradient: "none",
  stateful: true,
  lower: ({ sharedName, container, dtype, shape }, context) => {
    const prefix = container === "" ? "" : `${container}/`;
    return context.state(stateOf(`resource:${prefix}${sharedName === "" ? context.name : sharedName}`, dtype, shape));
  },
});

export const ReadVariableOp = defineOp("ReadVariableOp", {
  inputs: { resource: "resource" },
  outputs: { value: "dtype" },
  attrs: { dtype: attr.type() },
  shape: ({ dtype }, context) => {
    const held = context.handle("resource");
    if (held && held.dtype !== dtype) throw new ValueError(`Trying to read variable with wrong dtype. Expected ${dtype} got ${held.dtype}`);
    return held?.shape ?? TensorShape.unknown();
  },
  gradient: (_, d): Gradients => ({ resource: d.value }),
  takesSlices: true,
  stateful: true,
  onlyReads: true,
  lower: ({ resource }) => resource.read(),
});

export const AssignVariableOp = defineOp("AssignVariableOp", {
  inputs: { resource: "resource", value: "dtype" },
  outputs: {},
  attrs: { dtype: attr.type(), validateShape: attr.bool(false) },
  shape: ({ value }, context) => void heldShape(context, "resource").mergeWith(value),
  gradient: "none",
  stateful: true,
  lower: ({ resource, value }) => void resource.write(value),
});

export const AssignAddVariableOp = defineOp("AssignAddVariableOp", {
  inputs: { resource: "resource", value: "dtype" },
  outputs: {},
  attrs: { dtype: attr.type() },
  shape: ({ value }, context) => void heldShape(context, "resource").mergeWith(value),
  gradient: "none",
  stateful: true,
  lower: ({ resource, value }) => void combined(resource, value, s.add),
});

export const AssignSubVariableOp = defineOp("AssignSubVariableOp", {
  inputs: { resource: "resource", value: "dtype" },
  outputs: {},
  attrs: { dtype: attr.type() },
  shape: ({ value }, context) => void heldShape(context, "resource").mergeWith(value),
  gradient: "none",
  stateful: true,
  lower: ({ resource, value }) => void combined(resource, value, s.sub),
});

export const VarIsInitializedOp = defineOp("VarIsInitializedOp", {
  inputs: { resource: "resource" },
  outputs: { isInitialized: "bool" },
  attrs: {},
  shape: () => scalar,
  gradient: "none",
  stateful: true,
  onlyReads: true,
  lower: ({ resource }) => resource.isInitialized(),
});

/** Tells TensorFlow's memory that the variable is read whole, as its savers leave it in graphs; nothing here. */
export const DisableCopyOnRead = defineOp("DisableCopyOnRead", {
  inputs: { resource: "resource" },
  outputs: {},
  attrs: {},
  shape: () => undefined,
  gradient: "none",
  stateful: true,
  onlyReads: true,
  lower: ({ resource }, { name }) => {
    const holds = resource.isInitialized();
    check([], () => s.load(holds, []), { label: "DisableCopyOnRead", reads: [], error: () => uninitializedError(resource.state, name) });
  },
});

export const VariableShape = defineOp("VariableShape", {
  inputs: { input: "resource" },
  outputs: { output: "outType" },
  attrs: { outType: attr.type(attr.indexTypes, "int32") },
  shape: (_, context) => new TensorShape([heldShape(context, "input").rank]),
  gradient: "none",
  stateful: true,
  onlyReads: true,
  lower: ({ input, outType }) => constant(NDArray.from([...input.state.shape], outType, [input.state.shape.length])),
});

export const DestroyResourceOp = defineOp("DestroyResourceOp", {
  inputs: { resource: "resource" },
  outputs: {},
  attrs: { ignoreLookupError: attr.bool(true) },
  shape: () => undefined,
  gradient: "none",
  stateful: true,
});

/** Rows of a variable, without reading it whole. */
export const ResourceGather = defineOp("ResourceGather", {
  inputs: { resource: "resource", indices: "Tindices" },
  outputs: { output: "dtype" },
  attrs: { batchDims: attr.int(0), validateIndices: attr.bool(true), dtype: attr.type(), Tindices: attr.type(attr.indexTypes) },
  shape: ({ indices, batchDims }, context) => {
    const held = heldShape(context, "resource");
    if (held.dims === null || indices.dims === null) return TensorShape.unknown();
    const params = held.withRankAtLeast(batchDims + 1);
    return params
      .slice(0, batchDims)
      .concatenate(indices.slice(batchDims))
      .concatenate(params.slice(batchDims + 1));
  },
  gradient: ({ resource, indices, batchDims }, d): Gradients => {
    if (batchDims !== 0) throw new ValueError("The gradient of ResourceGather with batch_dims other than 0 is not supported.");
    const held = handleOf(resource)?.shape;
    const dims = held?.isFullyDefined ? constantOf([...held.asNumbers()], "int32") : VariableShape({ input: resource });
    const count = expandDims(sizeOf(indices), 0);
    const rest = getItem(dims, [1, null]);
    const values = reshape(d.output, concat([count, rest], 0));
    return { resource: new IndexedSlices(values, reshape(indices, count), dims) };
  },
  stateful: true,
  onlyReads: true,
  lower: ({ resource, indices, batchDims }) => gatherRows(resource.read(), indices, batchDims),
});

function gatherRows(params: Value, indices: Value, batchDims: number): Value {
  const rows = params.shape[batchDims];
  checkRows(indices, rows);
  const rank = indices.shape.length;
  const shape = [...indices.shape, ...params.shape.slice(batchDims + 1)];
  return generate(shape, i => {
    const row = dataIndex(loadScalar(indices, i.slice(0, rank)), rows);
    return loadScalar(params, [...i.slice(0, batchDims), row, ...i.slice(rank)]);
  });
}

export const ResourceGatherNd = defineOp("ResourceGatherNd", {
  inputs: { resource: "resource", indices: "Tindices" },
  outputs: { output: "dtype" },
  attrs: { dtype: attr.type(), Tindices: attr.type(attr.indexTypes) },
  shape: ({ indices }, context) => {
    const held = heldShape(context, "resource");
    const depth = indices.dim(-1);
    if (held.dims === null || indices.dims === null || depth === null) return TensorShape.unknown();
    if (depth > held.dims.length)
      throw new ValueError(
        `indices.shape[-1] must be <= params.rank, but saw indices shape: ${indices.format()} and params shape: ${held.format()}`,
      );
    return indices.slice(0, -1).concatenate(held.slice(depth));
  },
  gradient: ({ resource, indices }, d): Gradients => {
    const dims = VariableShape({ input: resource, outType: indices.dtype as "int32" });
    if (indices.shape.rank === 2 && indices.shape.dim(-1) === 1)
      return { resource: new IndexedSlices(d.output, squeeze(indices, -1), dims) };
    const rows = ScatterNd({ indices, updates: d.output, shape: dims });
    const held = handleOf(resource)?.shape;
    if (held) rows.setShape(held);
    return { resource: rows };
  },
  stateful: true,
  onlyReads: true,
  lower: ({ resource, indices }) => {
    const params = resource.read();
    const outer = indices.shape.length - 1;
    const depth = indices.shape[outer];
    if (params.shape.includes(0) && !indices.shape.slice(0, -1).includes(0))
      throw new InvalidArgumentError(`Requested more than 0 entries, but params is empty.  Params shape: [${params.shape}]`);
    checkPositions(indices, params.shape, "param shape");
    return generate([...indices.shape.slice(0, -1), ...params.shape.slice(depth)], i => {
      const at = params.shape
        .slice(0, depth)
        .map((size, k) => dataIndex(loadScalar(indices, [...i.slice(0, outer), constantIndex(k)]), size));
      return loadScalar(params, [...at, ...i.slice(outer)]);
    });
  },
});

// ---- updates of rows ----

interface RowChecks {
  /** Only so many of the first rows are looked at. */
  readonly count?: Value;
  readonly error?: (at: readonly number[], index: string) => string;
}

const rowError = (rows: number) => (at: readonly number[], index: string) =>
  `indices${at.length === 0 ? "" : `[${at}]`} = ${index} is not in [0, ${rows})`;

/** Stops the run at an index outside [0, rows). */
export function checkRows(indices: Value, rows: number, { count, error, ...others }: RowChecks = {}): void {
  refuseOthers(others);
  const ok = (i: Index[]): Scalar => inRange(loadScalar(indices, i), rows);
  check(indices.shape, i => (count ? s.or(s.ge(s.index(i[0], "int32"), loadScalar(count, [])), ok(i)) : ok(i)), {
    label: "row-index",
    reads: [indices],
    error: (at, read) => new InvalidArgumentError((error ?? rowError(rows))(at, elementAt(read(indices), at))),
  });
}

const inRange = (index: Scalar, size: number): Scalar => s.and(s.ge(index, 0), s.lt(index, size));

const elementAt = (array: NDArray, at: readonly number[]): string =>
  String(array.get(at.reduce((flat, index, axis) => flat * array.shape[axis] + index, 0)));

/** An index to scatter to; behind the first `count` rows none. */
export function rowAt(indices: Value, at: readonly Index[], count: Value | undefined): Scalar {
  const row = loadScalar(indices, at);
  return count ? s.select(s.lt(s.index(at[0], "int32"), loadScalar(count, [])), row, s.constant(row.dtype, -1)) : row;
}

/** The rows of `base` named by `indices` combined with `updates` (one row each, or a scalar for all). */
export function scatterRows(combine: ScatterCombine, base: Value, indices: Value, updates: Value, count?: Value): Value {
  checkRows(indices, base.shape[0], { count });
  const rank = indices.shape.length;
  const over = [...indices.shape, ...base.shape.slice(1)];
  if (updates.shape.length !== 0 && !sameShape(updates.shape, over))
    throw new InvalidArgumentError(
      `Must have updates.shape = indices.shape + params.shape[1:] or updates.shape = [], got updates.shape [${updates.shape}], indices.shape [${indices.shape}], params.shape [${base.shape}]`,
    );
  return scatter(combine, base, over, r => ({
    at: [rowAt(indices, r.slice(0, rank), count), ...r.slice(rank).map(index => s.index(index))],
    body: loadScalar(updates, updates.shape.length === 0 ? [] : r),
  }));
}

/** What scattering `updates` to rows of `ref` leaves of its shape. */
function rowsShape(ref: TensorShape, indices: TensorShape, updates: TensorShape): TensorShape {
  if (updates.rank === 0) return ref;
  if (ref.rank !== null) updates.mergeWith(indices.concatenate(ref.withRankAtLeast(1).slice(1)));
  return ref;
}

const scatterFields = (combine: ScatterCombine, types: readonly DType[] | undefined, useLocking = false) =>
  ({
    inputs: { ref: "Ref(T)", indices: "Tindices", updates: "T" },
    outputs: { outputRef: "Ref(T)" },
    attrs: { T: attr.type(types), Tindices: attr.type(attr.indexTypes), useLocking: attr.bool(useLocking) },
    shape: ({ ref, indices, updates }: Record<"ref" | "indices" | "updates", TensorShape>) => rowsShape(ref, indices, updates),
    gradient: "none",
    cappedInputs: ["indices", "updates"],
    lower: ({ ref, indices, updates }: { ref: StateHandle; indices: Value; updates: Value }, context: LowerContext) =>
      ref.write(scatterRows(combine, ref.read(), indices, updates, context.sharedRows("indices", "updates"))),
  }) as const;

const orderedTypes = ["float16", "bfloat16", "float32", "float64", "int32", "int64"] as const satisfies readonly DType[];

export const ScatterUpdate = defineOp("ScatterUpdate", scatterFields("assign", undefined, true));
export const ScatterAdd = defineOp("ScatterAdd", scatterFields("add", attr.numbers));
export const ScatterSub = defineOp("ScatterSub", scatterFields("sub", attr.numbers));
export const ScatterMul = defineOp("ScatterMul", scatterFields("mul", attr.numbers));
export const ScatterDiv = defineOp("ScatterDiv", scatterFields("div", attr.numbers));
export const ScatterMin = defineOp("ScatterMin", scatterFields("min", orderedTypes));
export const ScatterMax = defineOp("ScatterMax", scatterFields("max", orderedTypes));

/** Stops the run at a zero to divide by: TensorFlow refuses it of every type. */
function checkDivisors(updates: Value, count?: Value): void {
  const isBehind = (i: Index[]): Scalar => s.ge(s.index(i[0], "int32"), loadScalar(count as Value, []));
  const ok = (i: Index[]): Scalar => s.ne(loadScalar(updates, i), 0);
  check(updates.shape, i => (count && i.length > 0 ? s.or(isBehind(i), ok(i)) : ok(i)), {
    label: "divisors",
    reads: [],
    error: () => new InvalidArgumentError("updates must not contain 0"),
  });
}

const resourceScatterFields = (combine: ScatterCombine, types: readonly DType[] | undefined) =>
  ({
    inputs: { resource: "resource", indices: "Tindices", updates: "dtype" },
    outputs: {},
    attrs: { dtype: attr.type(types), Tindices: attr.type(attr.indexTypes) },
    shape: ({ indices, updates }: Record<"indices" | "updates", TensorShape>, context: ShapeContext) =>
      void rowsShape(heldShape(context, "resource"), indices, updates),
    gradient: "none",
    stateful: true,
    cappedInputs: ["indices", "updates"],
    lower: ({ resource, indices, updates }: { resource: StateHandle; indices: Value; updates: Value }, context: LowerContext) => {
      const count = context.sharedRows("indices", "updates");
      if (combine === "div") checkDivisors(updates, count);
      resource.write(scatterRows(combine, resource.read(), indices, updates, count));
    },
  }) as const;

export const ResourceScatterUpdate = defineOp("ResourceScatterUpdate", resourceScatterFields("assign", undefined));
export const ResourceScatterAdd = defineOp("ResourceScatterAdd", resourceScatterFields("add", attr.numbers));
export const ResourceScatterSub = defineOp("ResourceScatterSub", resourceScatterFields("sub", attr.numbers));
export const ResourceScatterMul = defineOp("ResourceScatterMul", resourceScatterFields("mul", attr.numbers));
export const ResourceScatterDiv = defineOp("ResourceScatterDiv", resourceScatterFields("div", attr.numbers));
export const ResourceScatterMin = defineOp("ResourceScatterMin", resourceScatterFields("min", attr.numbers));
export const ResourceScatterMax = defineOp("ResourceScatterMax", resourceScatterFields("max", attr.numbers));

// ---- updates of single elements or slices, by multi-indices ----

/** Stops the run at a row of `indices` that lies outside the first dimensions of `shape`. */
function checkPositions(indices: Value, shape: readonly number[], what: string): void {
  const outer = indices.shape.slice(0, -1);
  const depth = indices.shape[outer.length];
  const ok = (i: Index[]): Scalar => {
    const inside = shape.slice(0, depth).map((size, k) => inRange(loadScalar(indices, [...i, constantIndex(k)]), size));
    return inside.length === 0 ? s.constant("bool", 1) : inside.reduce((all, one) => s.and(all, one));
  };
  check(outer, ok, {
    label: "multi-index",
    reads: [indices],
    error: (at, read) => {
      const array = read(indices);
      const row = Array.from({ length: depth }, (_, k) => elementAt(array, [...at, k]));
      const label = at.length === 0 ? "indices" : `indices[${at}]`;
      return new InvalidArgumentError(`${label} = [${row.join(", ")}] does not index into ${what} [${shape}]`);
    },
  });
}

/** What the kernels ask of sizes, in their words. */
function checkFit(whole: readonly number[], at: readonly number[], updates: readonly number[], depth: number): void {
  const outer = Math.max(at.length - 1, 1);
  for (let axis = 0; axis < outer; axis++)
    need(
      at[axis] === updates[axis],
      () =>
        `Dimensions [0,${outer}) of indices[shape=[${at}]] = ${at[axis]} must match dimensions [0,${outer}) of updates[shape=[${updates}]] = ${updates[axis]}`,
    );
  need(
    sameShape(updates.slice(outer), whole.slice(depth)),
    () =>
      `Dimensions [${depth},${whole.length}) of input[shape=[${whole}]] must match dimensions [${depth},${updates.length}) of updates[shape=[${updates}]]`,
  );
}

/** `base` with slices at multi-indices (last axis of `indices`) combined with `updates`. A vector of indices says rows, not one place, and
 *  TensorFlow's kernels write the first of them alone. */
function scatterNd(combine: ScatterCombine, base: Value, allIndices: Value, allUpdates: Value, policy: string): Value {
  const isVector = allIndices.shape.length === 1;
  checkFit(base.shape, allIndices.shape, allUpdates.shape, isVector ? 1 : allIndices.shape[allIndices.shape.length - 1]);
  const firstOf = (value: Value): Value =>
    sliceValue(
      value,
      value.shape.map(() => 0),
      [Math.min(1, value.shape[0]), ...value.shape.slice(1)],
    );
  const indices = isVector ? reshapeValue(firstOf(allIndices), [Math.min(1, allIndices.shape[0]), 1]) : allIndices;
  const updates = isVector ? firstOf(allUpdates) : allUpdates;
  const outer = indices.shape.length - 1;
  const depth = indices.shape[outer];
  if (policy !== "IGNORE") checkPositions(indices, base.shape, "shape");
  return scatter(combine, base, [...indices.shape.slice(0, -1), ...base.shape.slice(depth)], r => ({
    at: [
      ...Array.from({ length: depth }, (_, k) => loadScalar(indices, [...r.slice(0, outer), constantIndex(k)])),
      ...r.slice(outer).map(index => s.index(index)),
    ],
    body: loadScalar(updates, r),
  }));
}

/** @throws ValueError with TensorFlow's text if indices, updates and the variable do not fit. */
function positionsShape(ref: TensorShape, indices: TensorShape, updates: TensorShape): TensorShape {
  updates.withRankAtLeast(1);
  const depth = indices.withRankAtLeast(1).dim(-1);
  if (indices.rank === null || updates.rank === null || depth === null) return ref;
  const outer = indices.rank - 1;
  const must = (
    part: string,
    whole: TensorShape,
    [from, to]: readonly [number, number | null],
    a: TensorShape,
    [updatesFrom, updatesTo]: readonly [number, number],
    b: TensorShape,
  ): void => {
    try {
      a.mergeWith(b);
    } catch (error) {
      const left = `Dimensions [${from},${to}) of ${part}[shape=${whole.format()}] = ${a.format()}`;
      const right = `dimensions [${updatesFrom},${updatesTo}) of updates[shape=${updates.format()}] = ${b.format()}`;
      throw new ValueError(`${left} must match ${right}: ${(error as ValueError).reason}`);
    }
  };
  must("indices", indices, [0, outer], indices.slice(0, outer), [0, outer], updates.slice(0, outer));
  if (ref.rank !== null) must("input", ref, [depth, ref.rank], ref.slice(depth), [outer, updates.rank], updates.slice(outer));
  return ref;
}

const scatterNdFields = (combine: ScatterCombine, types: readonly DType[] | undefined, useLocking = false) =>
  ({
    inputs: { ref: "Ref(T)", indices: "Tindices", updates: "T" },
    outputs: { outputRef: "Ref(T)" },
    attrs: {
      T: attr.type(types),
      Tindices: attr.type(attr.indexTypes),
      useLocking: attr.bool(useLocking),
      badIndicesPolicy: attr.string(""),
    },
    shape: ({ ref, indices, updates }: Record<"ref" | "indices" | "updates", TensorShape>) => positionsShape(ref, indices, updates),
    gradient: "none",
    isLenient: true,
    lower: (r: { ref: StateHandle; indices: Value; updates: Value; badIndicesPolicy: string }) =>
      r.ref.write(scatterNd(combine, r.ref.read(), r.indices, r.updates, r.badIndicesPolicy)),
  }) as const;

export const ScatterNdUpdate = defineOp("ScatterNdUpdate", scatterNdFields("assign", undefined, true));
export const ScatterNdAdd = defineOp("ScatterNdAdd", scatterNdFields("add", attr.numbers));
export const ScatterNdSub = defineOp("ScatterNdSub", scatterNdFields("sub", attr.numbers));
export const ScatterNdMin = defineOp("ScatterNdMin", scatterNdFields("min", attr.numbers));
export const ScatterNdMax = defineOp("ScatterNdMax", scatterNdFields("max", attr.numbers));

const resourceScatterNdFields = (combine: ScatterCombine) =>
  ({
    inputs: { ref: "resource", indices: "Tindices", updates: "T" },
    outputs: {},
    attrs: { T: attr.type(), Tindices: attr.type(attr.indexTypes), useLocking: attr.bool(true), badIndicesPolicy: attr.string("") },
    shape: ({ indices, updates }: Record<"indices" | "updates", TensorShape>, context: ShapeContext) =>
      void positionsShape(heldShape(context, "ref"), indices, updates),
    gradient: "none",
    isLenient: true,
    stateful: true,
    lower: (r: { ref: StateHandle; indices: Value; updates: Value; badIndicesPolicy: string }) =>
      void r.ref.write(scatterNd(combine, r.ref.read(), r.indices, r.updates, r.badIndicesPolicy)),
  }) as const;

export const ResourceScatterNdUpdate = defineOp("ResourceScatterNdUpdate", resourceScatterNdFields("assign"));
export const ResourceScatterNdAdd = defineOp("ResourceScatterNdAdd", resourceScatterNdFields("add"));
export const ResourceScatterNdSub = defineOp("ResourceScatterNdSub", resourceScatterNdFields("sub"));
export const ResourceScatterNdMin = defineOp("ResourceScatterNdMin", resourceScatterNdFields("min"));
export const ResourceScatterNdMax = defineOp("ResourceScatterNdMax", resourceScatterNdFields("max"));

// ---- updates of slices ----

const maskAttrs = {
  beginMask: attr.int(0),
  endMask: attr.int(0),
  ellipsisMask: attr.int(0),
  newAxisMask: attr.int(0),
  shrinkAxisMask: attr.int(0),
};

interface SliceRecord extends Masks {
  readonly ref: StateHandle;
  readonly begin: NDArray;
  readonly end: NDArray;
  readonly strides: NDArray;
  readonly value: Value;
}

/** A variable with the slice that a StridedSlice would read set to `value`. */
const assignSlice = ({ ref, ...slice }: SliceRecord): StateHandle => ref.write(withSlice(ref.read(), slice));

/** `base` with that slice set. */
function withSlice(base: Value, { begin, end, strides, value, ...masks }: Omit<SliceRecord, "ref">): Value {
  const spec = expandedAtRun(base.shape.length, numbersOf(begin), numbersOf(end), numbersOf(strides), masks);
  const ranges = spec.axes.map((axis, k) => resolvedAtRun(axis, base.shape[k], k));
  const shape = spec.result.map(axis => (axis === "new" ? 1 : (ranges[axis].length as number)));
  if (!sameShape(shape, value.shape))
    throw new InvalidArgumentError(`A slice of shape [${shape}] cannot be assigned a value of shape [${value.shape}].`);
  return scatter("assign", base, shape, r => ({
    at: spec.axes.map((axis, k) => {
      const position = spec.result.indexOf(k);
      const start = constantIndex(ranges[k].begin as number);
      return s.index(position < 0 ? start : addIndex(start, scaleIndex(r[position], axis.stride)));
    }),
    body: loadScalar(value, r),
  }));
}

/** ref[slice] = value. */
export const StridedSliceAssign = defineOp("StridedSliceAssign", {
  inputs: { ref: "Ref(T)", begin: "Index", end: "Index", strides: "Index", value: "T" },
  outputs: { outputRef: "Ref(T)" },
  attrs: { T: attr.type(), Index: attr.type(attr.indexTypes), ...maskAttrs },
  shape: ({ ref }) => ref,
  compileTimeInputs: ["begin", "end", "strides"],
  lower: record => assignSlice(record),
});

export const ResourceStridedSliceAssign = defineOp("ResourceStridedSliceAssign", {
  inputs: { ref: "resource", begin: "Index", end: "Index", strides: "Index", value: "T" },
  outputs: {},
  attrs: { T: attr.type(), Index: attr.type(attr.indexTypes), ...maskAttrs },
  shape: () => undefined,
  stateful: true,
  compileTimeInputs: ["begin", "end", "strides"],
  lower: record => void assignSlice(record),
});

/** The tensor with the slice that a StridedSlice would read set to `value`, which is broadcast. */
export const TensorStridedSliceUpdate = defineOp("TensorStridedSliceUpdate", {
  inputs: { input: "T", begin: "Index", end: "Index", strides: "Index", value: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(), Index: attr.type(attr.indexTypes), ...maskAttrs },
  shape: ({ input }) => input,
  checks: ({ input, newAxisMask, ellipsisMask, ...sizes }) => {
    checkStrides(sizes);
    checkScalar(input.length, sizes.begin[0], newAxisMask | ellipsisMask);
  },
  compileTimeInputs: ["begin", "end", "strides"],
  sizesFromValues: false,
  gradient: ({ begin, end, strides, value, T: _T, Index: _I, input: _i, output: _o, ...masks }, d): Gradients => {
    const cut = stridedSlice(d.output, begin, end, strides, masks);
    const kept = TensorStridedSliceUpdate({ input: d.output, begin, end, strides, value: zerosLike(cut), ...masks });
    const { r1 } = BroadcastGradientArgs({ s0: shapeOf(cut), s1: shapeOf(value) });
    return { input: kept, begin: null, end: null, strides: null, value: reshape(reduceSum(cut, r1), shapeOf(value)) };
  },
  lower: ({ input, T: _T, Index: _I, value, begin, end, strides, ...masks }) => {
    const spec = expandedAtRun(input.shape.length, numbersOf(begin), numbersOf(end), numbersOf(strides), masks);
    const wanted = spec.result.map(axis =>
      axis === "new" ? 1 : (resolvedAtRun(spec.axes[axis], input.shape[axis], axis).length as number),
    );
    if (wanted.includes(0)) return input;
    const extra = value.shape.slice(0, Math.max(value.shape.length - wanted.length, 0));
    const own = value.shape.slice(extra.length);
    const lead = wanted.length - own.length;
    if (extra.some(d => d !== 1) || own.some((d, axis) => d !== 1 && d !== wanted[axis + lead]))
      throw new InvalidArgumentError(`Cannot broadcast input shape [${value.shape}] into final shape [${wanted}]`);
    return withSlice(input, { begin, end, strides, value: broadcastTo(reshapeValue(value, own), wanted), ...masks });
  },
});
