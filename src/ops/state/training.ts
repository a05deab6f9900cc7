// Optimizer steps: Apply*, ResourceApply*, SparseApply* and ResourceSparseApply*. One rule says what a step does to an element, in
// TensorFlow's order of float operations (core/kernels/training_ops.cc); the four forms of an op are derived from it.

import { InvalidArgumentError, UnimplementedError, ValueError } from "../../base/errors.ts";
import { sameShape, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import type { LowerContext, ShapeContext, StateHandle } from "../../graph/op-definition.ts";
import { defineOp } from "../../graph/op-definition.ts";
import { cast, check, full, generate, scatter } from "../../ir/build.ts";
import { dataIndex } from "../../ir/index-map.ts";
import type { Value } from "../../ir/program.ts";
import type { Scalar } from "../../ir/scalar.ts";
import { loadScalar, s } from "../../ir/scalar.ts";
import { checkRows, heldShape, rowAt } from "./state.ts";

type Specs = Readonly<Record<string, string>>;
type Attrs = Readonly<Record<string, attr.Attr>>;
type Options = Readonly<Record<string, unknown>>;
/** One element of each input by name; hyperparameters are the same for all elements. */
type Elements = Readonly<Record<string, Scalar>>;
/** States in the order they change: later formulas see the new values of earlier ones. */
type Updates = readonly (readonly [state: string, next: (x: Elements, options: Options) => Scalar])[];

interface Rule<I extends Specs = Specs, A extends Attrs = Attrs> {
  /** In TensorFlow's order, for ref variables. */
  readonly inputs: I;
  readonly attrs: A;
  /** Hyperparameters made of others, computed once a step. */
  readonly once?: (x: Elements) => Elements;
  readonly updates: Updates;
  /** Where the sparse form goes another way. */
  readonly sparseUpdates?: Updates;
  /** What the sparse form refuses of its hyperparameters, and the dense one if `isLimited`. */
  readonly limits?: readonly Limit[];
  readonly isLimited?: boolean;
  /** Whether the sparse form refuses rows of nothing. */
  readonly needsWidth?: boolean;
}

type Limit = readonly [name: string, holds: (x: Scalar, options: Options) => Scalar, text: string];

const rule = <const I extends Specs, const A extends Attrs = Record<never, never>>(
  inputs: I,
  updates: Updates,
  { attrs, ...rest }: { attrs?: A } & Omit<Rule, "inputs" | "updates" | "attrs"> = {},
): Rule<I, A> => ({ inputs, updates, attrs: attrs ?? ({} as A), ...rest });

// ---- the four forms ----

type AsResource<I extends Specs> = { readonly [K in keyof I]: I[K] extends "Ref(T)" ? "resource" : I[K] };
type AsSparse<I extends Specs> = { readonly [K in Exclude<keyof I, "delta">]: I[K] } & { readonly grad: "T"; readonly indices: "Tindices" };

const isGradient = (name: string): boolean => name === "grad" || name === "delta";

const asResource = <I extends Specs>(inputs: I): AsResource<I> =>
  Object.fromEntries(Object.entries(inputs).map(([name, type]) => [name, type === "Ref(T)" ? "resource" : type])) as AsResource<I>;

/** Row indices follow the gradient, wherever it stands. */
const asSparse = <I extends Specs>(inputs: I): AsSparse<I> =>
  Object.fromEntries(
    Object.entries(inputs).flatMap(([name, type]) =>
      isGradient(name)
        ? [
            ["grad", type],
            ["indices", "Tindices"],
          ]
        : [[name, type]],
    ),
  ) as AsSparse<I>;

const attrsOf = <A extends Attrs>(own: A) => ({ T: attr.type(attr.numbers), useLocking: attr.bool(false), ...own });
const sparseAttrsOf = <A extends Attrs>(own: A) => ({ ...attrsOf(own), Tindices: attr.type(attr.indexTypes) });

/** ApplyX: ref variables, a gradient of their shape. */
const dense = <I extends Specs, A extends Attrs>(given: Rule<I, A>) => ({
  inputs: given.inputs,
  outputs: { out: "Ref(T)" } as const,
  attrs: attrsOf(given.attrs),
  shape: (record: object, context: ShapeContext) => stepShape(given.inputs, record as Shapes, context),
  lower: (record: object) => denseStep(given, record as Record_),
});

const resourceDense = <I extends Specs, A extends Attrs>(given: Rule<I, A>) => ({
  inputs: asResource(given.inputs),
  outputs: {},
  attrs: attrsOf(given.attrs),
  shape: (record: object, context: ShapeContext) => void stepShape(asResource(given.inputs), record as Shapes, context),
  stateful: true,
  lower: (record: object) => void denseStep(given, record as Record_),
});

/** SparseApplyX: only the rows that `indices` names change. */
const sparse = <I extends Specs, A extends Attrs>(given: Rule<I, A>) => ({
  inputs: asSparse(given.inputs),
  outputs: { out: "Ref(T)" } as const,
  attrs: sparseAttrsOf(given.attrs),
  shape: (record: object, context: ShapeContext) => stepShape(asSparse(given.inputs), record as Shapes, context),
  cappedInputs: ["indices", "grad"] as never[],
  lower: (record: object, context: LowerContext) => sparseStep(given, record as Record_, context),
});

const resourceSparse = <I extends Specs, A extends Attrs>(given: Rule<I, A>) => ({
  inputs: asResource(asSparse(given.inputs)),
  outputs: {},
  attrs: sparseAttrsOf(given.attrs),
  shape: (record: object, context: ShapeContext) => void stepShape(asResource(asSparse(given.inputs)), record as Shapes, context),
  stateful: true,
  cappedInputs: ["indices", "grad"] as never[],
  lower: (record: object, context: LowerContext) => void sparseStep(given, record as Record_, context),
});

// ---- shapes ----

type Shapes = Readonly<Record<string, TensorShape>>;

/** The variable's shape, after all that must agree with it. */
function stepShape(inputs: Specs, shapes: Shapes, context: ShapeContext): TensorShape {
  const shapeOf = (name: string): TensorShape => (inputs[name] === "resource" ? heldShape(context, name) : shapes[name]);
  let result = shapeOf("var");
  for (const [name, type] of Object.entries(inputs)) {
    if (type === "Ref(T)" || type === "resource") result = result.mergeWith(shapeOf(name));
    else if (!isGradient(name) && name !== "indices") shapeOf(name).withRank(0);
    else if (!("indices" in inputs)) result = result.mergeWith(shapeOf(name));
  }
  if ("indices" in inputs) checkSparseGradient(result, shapes.grad, shapes.indices.withRank(1));
  return result;
}

/** The gradient has one row for each index, shaped as the variable's rows. */
function checkSparseGradient(variable: TensorShape, gradient: TensorShape, indices: TensorShape): void {
  if (gradient.dims === null) return;
  const rows = new TensorShape([indices.dim(0)]).mergeWith(gradient.withRankAtLeast(1).slice(0, 1));
  if (variable.rank === null) return;
  if (variable.rank !== gradient.dims.length)
    throw new ValueError(`Shapes must be equal rank, but are ${variable.rank} and ${gradient.dims.length}`);
  rows.concatenate(variable.slice(1)).mergeWith(gradient);
}

// ---- lowering ----

type Record_ = Readonly<Record<string, Value | StateHandle>> & Options;

const isHandle = (value: unknown): value is StateHandle => typeof value === "object" && value !== null && "state" in value;

const handlesOf = ({ inputs }: Rule, record: Record_): Record<string, StateHandle> =>
  Object.fromEntries(
    Object.keys(inputs).flatMap(name => {
      const value: unknown = record[name];
      return isHandle(value) ? [[name, value]] : [];
    }),
  );

/** Inputs of rank 0, in the variable's type, and what the rule makes of them. */
function hyperparameters({ inputs, once }: Rule, record: Record_): Readonly<Record<string, Value>> {
  const { dtype } = (record.var as StateHandle).state;
  const values: Record<string, Value> = {};
  for (const name of Object.keys(inputs)) {
    const value: Value | StateHandle = record[name];
    if (isHandle(value) || isGradient(name)) continue;
    if (value.shape.length !== 0) throw new InvalidArgumentError(`${name} is not a scalar: [${value.shape}]`);
    values[name] = cast(value, dtype);
  }
  if (!once) return values;
  const made = once(loadAll(values));
  return { ...values, ...Object.fromEntries(Object.entries(made).map(([name, body]) => [name, generate([], () => body)])) };
}

const loadAll = (values: Readonly<Record<string, Value>>): Record<string, Scalar> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, loadScalar(value, [])]));

/** Stops the run at a hyperparameter outside its limits. */
function checkLimits({ limits = [] }: Rule, scalars: Readonly<Record<string, Value>>, options: Options): void {
  for (const [name, holds, text] of limits)
    check([], () => holds(loadScalar(scalars[name], []), options), {
      label: "limits",
      reads: [],
      error: () => new InvalidArgumentError(`${text}: []`),
    });
}

function denseStep(given: Rule, record: Record_): StateHandle {
  const handles = handlesOf(given, record);
  const scalars = hyperparameters(given, record);
  if (given.isLimited) checkLimits(given, scalars, record);
  const gradient = (record.grad ?? record.delta) as Value;
  const { shape } = handles.var.read();
  const values: Record<string, Value> = { grad: gradient };
  for (const [name, handle] of Object.entries(handles)) values[name] = handle.read();
  for (const [name, value] of Object.entries(values)) {
    if (!sameShape(value.shape, shape))
      throw new InvalidArgumentError(`var and ${name} do not have the same shape[${shape}] [${value.shape}]`);
  }
  for (const [name, next] of given.updates) {
    const updated = generate(shape, i => {
      const elements = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, loadScalar(value, i)]));
      return next({ ...loadAll(scalars), ...elements }, record);
    });
    values[name] = updated;
    handles[name].write(updated);
  }
  return handles.var;
}

function sparseStep(given: Rule, record: Record_, { op, sharedRows }: LowerContext): StateHandle {
  const handles = handlesOf(given, record);
  const scalars = hyperparameters(given, record);
  const gradient = record.grad as Value;
  const indices = record.indices as Value;
  const { shape } = handles.var.read();
  checkLimits(given, scalars, record);
  if (given.needsWidth && shape.slice(1).includes(0)) throw new InvalidArgumentError("Inner dimension should be greater than zero.");
  if (!sameShape([indices.shape[0], ...shape.slice(1)], gradient.shape))
    throw new InvalidArgumentError(`var and grad must match in all dimensions but the first: [${shape}] and [${gradient.shape}]`);
  const count = sharedRows("indices", "grad");
  checkRows(indices, shape[0], { count, error: (at, index) => `Index ${index} at offset ${at} in indices is out of range` });
  // Rows from Unique are distinct; optimizers always make them so.
  if (!op.inputs.some(input => input.op.type === "Unique")) checkDistinct(indices, shape[0]);
  for (const [name, next] of given.sparseUpdates ?? given.updates) {
    const handle = handles[name];
    const updated = scatter("assign", handle.read(), gradient.shape, r => {
      const index = loadScalar(indices, [r[0]]);
      const at = [dataIndex(index, shape[0]), ...r.slice(1)];
      const elements = Object.fromEntries(Object.entries(handles).map(([key, each]) => [key, loadScalar(each.read(), at)]));
      const body = next({ ...loadAll(scalars), ...elements, grad: loadScalar(gradient, r) }, record);
      return { at: [rowAt(indices, [r[0]], count), ...r.slice(1).map(i => s.index(i))], body };
    });
    handle.write(updated);
  }
  return handles.var;
}

/** TensorFlow applies repeated rows one after another; here each row is updated once, so repeats are refused. */
function checkDistinct(indices: Value, rows: number): void {
  const counts = scatter("add", full("int32", [rows], 0), indices.shape, r => ({
    at: [loadScalar(indices, r)],
    body: s.constant("int32", 1),
  }));
  check(indices.shape, r => s.le(loadScalar(counts, [dataIndex(loadScalar(indices, r), rows)]), 1), {
    label: "distinct-rows",
    reads: [indices],
    error: (at, read) =>
      new UnimplementedError(
        `indices[${at}] = ${String(read(indices).get(at[0]))} occurs more than once.\n\nSparse updates here need distinct rows: sum the repeated ones first (unique + unsortedSegmentSum), as tf.train optimizers do.`,
      ),
  });
}

// ---- the rules ----

/** x soft-thresholded at `l1`, if l1 is positive. */
const shrunk = (x: Scalar, positive: Scalar, threshold: Scalar): Scalar =>
  s.select(s.gt(positive, 0), s.mul(s.sign(x), s.max(s.sub(s.abs(x), threshold), 0)), x);

const oneMinus = (x: Scalar): Scalar => s.sub(s.constant(x.dtype, 1), x);
const minus = (x: Scalar, y: Scalar): Scalar => s.sub(x, y);

const gradientDescent = rule({ var: "Ref(T)", alpha: "T", delta: "T" }, [
  ["var", ({ var: w, alpha, grad }) => minus(w, s.mul(grad, alpha))],
]);
export const ApplyGradientDescent = defineOp("ApplyGradientDescent", dense(gradientDescent));
export const ResourceApplyGradientDescent = defineOp("ResourceApplyGradientDescent", resourceDense(gradientDescent));

const momentum = rule(
  { var: "Ref(T)", accum: "Ref(T)", lr: "T", grad: "T", momentum: "T" },
  [
    ["accum", ({ accum, grad, momentum }) => s.add(s.mul(accum, momentum), grad)],
    [
      "var",
      ({ var: w, accum, lr, grad, momentum }, { useNesterov }) =>
        minus(w, useNesterov ? s.add(s.mul(grad, lr), s.mul(s.mul(accum, momentum), lr)) : s.mul(accum, lr)),
    ],
  ],
  { attrs: { useNesterov: attr.bool(false) } },
);
export const ApplyMomentum = defineOp("ApplyMomentum", dense(momentum));
export const ResourceApplyMomentum = defineOp("ResourceApplyMomentum", resourceDense(momentum));
export const SparseApplyMomentum = defineOp("SparseApplyMomentum", sparse(momentum));
export const ResourceSparseApplyMomentum = defineOp("ResourceSparseApplyMomentum", resourceSparse(momentum));

/** The learning rate is inside the accumulator. */
const kerasMomentum = rule(
  { var: "Ref(T)", accum: "Ref(T)", lr: "T", grad: "T", momentum: "T" },
  [
    ["accum", ({ accum, grad, momentum, lr }) => minus(s.mul(accum, momentum), s.mul(grad, lr))],
    [
      "var",
      ({ var: w, accum, lr, grad, momentum }, { useNesterov }) =>
        s.add(w, useNesterov ? minus(s.mul(accum, momentum), s.mul(grad, lr)) : accum),
    ],
  ],
  { attrs: { useNesterov: attr.bool(false) } },
);
export const ResourceApplyKerasMomentum = defineOp("ResourceApplyKerasMomentum", resourceDense(kerasMomentum));
export const ResourceSparseApplyKerasMomentum = defineOp("ResourceSparseApplyKerasMomentum", resourceSparse(kerasMomentum));

const adam = rule(
  {
    var: "Ref(T)",
    m: "Ref(T)",
    v: "Ref(T)",
    beta1Power: "T",
    beta2Power: "T",
    lr: "T",
    beta1: "T",
    beta2: "T",
    epsilon: "T",
    grad: "T",
  },
  [
    ["m", ({ m, grad, beta1 }) => s.add(m, s.mul(minus(grad, m), oneMinus(beta1)))],
    ["v", ({ v, grad, beta2 }) => s.add(v, s.mul(minus(s.square(grad), v), oneMinus(beta2)))],
    [
      "var",
      ({ var: w, m, v, grad, beta1, epsilon, alpha }, { useNesterov }) => {
        const moment = useNesterov ? s.add(s.mul(grad, oneMinus(beta1)), s.mul(beta1, m)) : m;
        return minus(w, s.div(s.mul(moment, alpha), s.add(s.sqrt(v), epsilon)));
      },
    ],
  ],
  {
    attrs: { useNesterov: attr.bool(false) },
    once: ({ lr, beta1Power, beta2Power }) => ({ alpha: s.div(s.mul(lr, s.sqrt(oneMinus(beta2Power))), oneMinus(beta1Power)) }),
  },
);
export const ApplyAdam = defineOp("ApplyAdam", dense(adam));
export const ResourceApplyAdam = defineOp("ResourceApplyAdam", resourceDense(adam));

const amsgrad = rule(
  {
    var: "Ref(T)",
    m: "Ref(T)",
    v: "Ref(T)",
    vhat: "Ref(T)",
    beta1Power: "T",
    beta2Power: "T",
    lr: "T",
    beta1: "T",
    beta2: "T",
    epsilon: "T",
    grad: "T",
  },
  [
    ["m", ({ m, grad, beta1 }) => s.add(m, s.mul(minus(grad, m), oneMinus(beta1)))],
    ["v", ({ v, grad, beta2 }) => s.add(v, s.mul(minus(s.square(grad), v), oneMinus(beta2)))],
    ["vhat", ({ vhat, v }) => s.max(vhat, v)],
    ["var", ({ var: w, m, vhat, epsilon, alpha }) => minus(w, s.div(s.mul(m, alpha), s.add(s.sqrt(vhat), epsilon)))],
  ],
  { once: ({ lr, beta1Power, beta2Power }) => ({ alpha: s.div(s.mul(lr, s.sqrt(oneMinus(beta2Power))), oneMinus(beta1Power)) }) },
);
/** Adam with the greatest second moment so far. */
export const ResourceApplyAdamWithAmsgrad = defineOp("ResourceApplyAdamWithAmsgrad", resourceDense(amsgrad));

const adaMax = rule(
  { var: "Ref(T)", m: "Ref(T)", v: "Ref(T)", beta1Power: "T", lr: "T", beta1: "T", beta2: "T", epsilon: "T", grad: "T" },
  [
    ["m", ({ m, grad, beta1 }) => s.add(m, s.mul(minus(grad, m), oneMinus(beta1)))],
    ["v", ({ v, grad, beta2 }) => s.max(s.mul(beta2, v), s.abs(grad))],
    ["var", ({ var: w, m, v, epsilon, alpha }) => minus(w, s.mul(alpha, s.div(m, s.add(v, epsilon))))],
  ],
  { once: ({ lr, beta1Power }) => ({ alpha: s.div(lr, oneMinus(beta1Power)) }) },
);
export const ApplyAdaMax = defineOp("ApplyAdaMax", dense(adaMax));
export const ResourceApplyAdaMax = defineOp("ResourceApplyAdaMax", resourceDense(adaMax));

const addGradientSquared = ({ accum, grad }: Elements, { updateSlots }: Options): Scalar =>
  updateSlots === false ? accum : s.add(accum, s.square(grad));

const adagrad = rule(
  { var: "Ref(T)", accum: "Ref(T)", lr: "T", grad: "T" },
  [
    ["accum", addGradientSquared],
    ["var", ({ var: w, accum, lr, grad }) => minus(w, s.mul(s.mul(grad, lr), s.rsqrt(accum)))],
  ],
  { attrs: { updateSlots: attr.bool(true) }, needsWidth: true },
);
export const ApplyAdagrad = defineOp("ApplyAdagrad", dense(adagrad));
export const ResourceApplyAdagrad = defineOp("ResourceApplyAdagrad", resourceDense(adagrad));
export const SparseApplyAdagrad = defineOp("SparseApplyAdagrad", sparse(adagrad));
export const ResourceSparseApplyAdagrad = defineOp("ResourceSparseApplyAdagrad", resourceSparse(adagrad));

const adagradV2 = rule(
  { var: "Ref(T)", accum: "Ref(T)", lr: "T", epsilon: "T", grad: "T" },
  [
    ["accum", addGradientSquared],
    ["var", ({ var: w, accum, lr, grad, epsilon }) => minus(w, s.div(s.mul(grad, lr), s.add(s.sqrt(accum), epsilon)))],
  ],
  { attrs: { updateSlots: attr.bool(true) }, needsWidth: true },
);
export const ApplyAdagradV2 = defineOp("ApplyAdagradV2", dense(adagradV2));
export const ResourceApplyAdagradV2 = defineOp("ResourceApplyAdagradV2", resourceDense(adagradV2));
export const SparseApplyAdagradV2 = defineOp("SparseApplyAdagradV2", sparse(adagradV2));
export const ResourceSparseApplyAdagradV2 = defineOp("ResourceSparseApplyAdagradV2", resourceSparse(adagradV2));

const rmsProp = rule(
  { var: "Ref(T)", ms: "Ref(T)", mom: "Ref(T)", lr: "T", rho: "T", momentum: "T", epsilon: "T", grad: "T" },
  [
    ["ms", ({ ms, grad, rho }) => s.add(ms, s.mul(minus(s.square(grad), ms), oneMinus(rho)))],
    ["mom", ({ mom, ms, momentum, lr, grad, epsilon }) => s.add(s.mul(mom, momentum), s.div(s.mul(grad, lr), s.sqrt(s.add(ms, epsilon))))],
    ["var", ({ var: w, mom }) => minus(w, mom)],
  ],
  {
    sparseUpdates: [
      ["ms", ({ ms, grad, rho }) => s.add(s.mul(ms, rho), s.mul(s.square(grad), oneMinus(rho)))],
      [
        "mom",
        ({ mom, ms, momentum, lr, grad, epsilon }) => s.add(s.mul(mom, momentum), s.mul(s.mul(s.rsqrt(s.add(ms, epsilon)), lr), grad)),
      ],
      ["var", ({ var: w, mom }) => minus(w, mom)],
    ],
  },
);
export const ApplyRMSProp = defineOp("ApplyRMSProp", dense(rmsProp));
export const ResourceApplyRMSProp = defineOp("ResourceApplyRMSProp", resourceDense(rmsProp));
export const SparseApplyRMSProp = defineOp("SparseApplyRMSProp", sparse(rmsProp));
export const ResourceSparseApplyRMSProp = defineOp("ResourceSparseApplyRMSProp", resourceSparse(rmsProp));

const centeredRmsProp = rule(
  { var: "Ref(T)", mg: "Ref(T)", ms: "Ref(T)", mom: "Ref(T)", lr: "T", rho: "T", momentum: "T", epsilon: "T", grad: "T" },
  [
    ["ms", ({ ms, grad, rho }) => s.add(ms, s.mul(minus(s.square(grad), ms), oneMinus(rho)))],
    ["mg", ({ mg, grad, rho }) => s.add(mg, s.mul(minus(grad, mg), oneMinus(rho)))],
    [
      "mom",
      ({ mom, ms, mg, momentum, lr, grad, epsilon }) =>
        s.add(s.mul(mom, momentum), s.div(s.mul(grad, lr), s.sqrt(s.add(minus(ms, s.square(mg)), epsilon)))),
    ],
    ["var", ({ var: w, mom }) => minus(w, mom)],
  ],
  {
    sparseUpdates: [
      ["ms", ({ ms, grad, rho }) => s.add(s.mul(ms, rho), s.mul(s.square(grad), oneMinus(rho)))],
      ["mg", ({ mg, grad, rho }) => s.add(s.mul(mg, rho), s.mul(grad, oneMinus(rho)))],
      [
        "mom",
        ({ mom, ms, mg, momentum, lr, grad, epsilon }) =>
          s.add(s.mul(mom, momentum), s.mul(s.mul(s.rsqrt(minus(s.add(ms, epsilon), s.square(mg))), lr), grad)),
      ],
      ["var", ({ var: w, mom }) => minus(w, mom)],
    ],
  },
);
export const ApplyCenteredRMSProp = defineOp("ApplyCenteredRMSProp", dense(centeredRmsProp));
export const ResourceApplyCenteredRMSProp = defineOp("ResourceApplyCenteredRMSProp", resourceDense(centeredRmsProp));
export const SparseApplyCenteredRMSProp = defineOp("SparseApplyCenteredRMSProp", sparse(centeredRmsProp));
export const ResourceSparseApplyCenteredRMSProp = defineOp("ResourceSparseApplyCenteredRMSProp", resourceSparse(centeredRmsProp));

const adadeltaUpdate = ({ accum, accumUpdate, grad, epsilon }: Elements): Scalar =>
  s.mul(s.mul(s.sqrt(s.add(accumUpdate, epsilon)), s.rsqrt(s.add(accum, epsilon))), grad);

const adadelta = rule({ var: "Ref(T)", accum: "Ref(T)", accumUpdate: "Ref(T)", lr: "T", rho: "T", epsilon: "T", grad: "T" }, [
  ["accum", ({ accum, grad, rho }) => s.add(s.mul(accum, rho), s.mul(s.square(grad), oneMinus(rho)))],
  ["var", x => minus(x.var, s.mul(adadeltaUpdate(x), x.lr))],
  ["accumUpdate", x => s.add(s.mul(x.accumUpdate, x.rho), s.mul(s.square(adadeltaUpdate(x)), oneMinus(x.rho)))],
]);
export const ApplyAdadelta = defineOp("ApplyAdadelta", dense(adadelta));
export const ResourceApplyAdadelta = defineOp("ResourceApplyAdadelta", resourceDense(adadelta));
export const SparseApplyAdadelta = defineOp("SparseApplyAdadelta", sparse(adadelta));
export const ResourceSparseApplyAdadelta = defineOp("ResourceSparseApplyAdadelta", resourceSparse(adadelta));

const adagradDA = rule(
  {
    var: "Ref(T)",
    gradientAccumulator: "Ref(T)",
    gradientSquaredAccumulator: "Ref(T)",
    grad: "T",
    lr: "T",
    l1: "T",
    l2: "T",
    globalStep: "int64",
  },
  [
    ["gradientAccumulator", ({ gradientAccumulator, grad }) => s.add(gradientAccumulator, grad)],
    ["gradientSquaredAccumulator", ({ gradientSquaredAccumulator, grad }) => s.add(gradientSquaredAccumulator, s.square(grad))],
    [
      "var",
      ({ gradientAccumulator, gradientSquaredAccumulator, lr, l1, l2, globalStep }) => {
        const pull = shrunk(gradientAccumulator, l1, s.mul(l1, globalStep));
        return s.div(s.mul(s.neg(lr), pull), s.add(s.mul(s.mul(l2, globalStep), lr), s.sqrt(gradientSquaredAccumulator)));
      },
    ],
  ],
  { needsWidth: true },
);
export const ApplyAdagradDA = defineOp("ApplyAdagradDA", dense(adagradDA));
export const ResourceApplyAdagradDA = defineOp("ResourceApplyAdagradDA", resourceDense(adagradDA));
export const SparseApplyAdagradDA = defineOp("SparseApplyAdagradDA", sparse(adagradDA));
export const ResourceSparseApplyAdagradDA = defineOp("ResourceSparseApplyAdagradDA", resourceSparse(adagradDA));

/** accum^-power, by a square root where the power is -½. */
const accumPower = (accum: Scalar, lrPower: Scalar): Scalar => s.select(s.eq(lrPower, -0.5), s.sqrt(accum), s.pow(accum, s.neg(lrPower)));

const notNegative = (name: string): Limit => [name, x => s.ge(x, 0), `${name} regularization strength is not a non-negative scalar`];

const ftrlLimits: readonly Limit[] = [
  [
    "lr",
    (x, { multiplyLinearByLr }) => (multiplyLinearByLr ? s.ge(x, 0) : s.gt(x, 0)),
    "lr is not a positive scalar (or zero if multiply_linear_by_lr is set)",
  ],
  notNegative("l1"),
  notNegative("l2"),
  ["lrPower", x => s.le(x, 0), "lr_power is not a non-positive scalar"],
];

const ftrlUpdates = (gradient: (x: Elements) => Scalar, isSparse: boolean): Updates => [
  [
    "linear",
    (x, { multiplyLinearByLr }) => {
      const growth = minus(accumPower(s.add(x.accum, s.square(x.grad)), x.lrPower), accumPower(x.accum, x.lrPower));
      return multiplyLinearByLr
        ? s.add(x.linear, minus(s.mul(gradient(x), x.lr), s.mul(growth, x.var)))
        : s.add(x.linear, minus(gradient(x), s.mul(s.div(growth, x.lr), x.var)));
    },
  ],
  ["accum", ({ accum, grad }) => s.add(accum, s.square(grad))],
  [
    "var",
    ({ accum, linear, lr, l1, l2, lrPower }, { multiplyLinearByLr }) => {
      const bound = multiplyLinearByLr ? s.mul(l1, lr) : l1;
      const power = accumPower(accum, lrPower);
      const quadratic = multiplyLinearByLr ? s.add(power, s.mul(s.mul(l2, 2), lr)) : s.add(s.div(power, lr), s.mul(l2, 2));
      const next = s.div(minus(s.max(s.min(linear, bound), s.neg(bound)), linear), quadratic);
      // Where `linear` is NaN the dense form's weight is 0.
      return isSparse ? next : s.select(s.gt(s.abs(linear), bound), next, 0);
    },
  ],
];

const ftrlRule = <const I extends Specs>(inputs: I, gradient: (x: Elements) => Scalar) =>
  rule(inputs, ftrlUpdates(gradient, false), {
    attrs: { multiplyLinearByLr: attr.bool(false) },
    sparseUpdates: ftrlUpdates(gradient, true),
    limits: ftrlLimits,
    needsWidth: true,
  });

const ftrl = ftrlRule(
  { var: "Ref(T)", accum: "Ref(T)", linear: "Ref(T)", grad: "T", lr: "T", l1: "T", l2: "T", lrPower: "T" },
  ({ grad }) => grad,
);
export const ApplyFtrl = defineOp("ApplyFtrl", dense(ftrl));
export const ResourceApplyFtrl = defineOp("ResourceApplyFtrl", resourceDense(ftrl));
export const SparseApplyFtrl = defineOp("SparseApplyFtrl", sparse(ftrl));
export const ResourceSparseApplyFtrl = defineOp("ResourceSparseApplyFtrl", resourceSparse(ftrl));

const ftrlV2 = ftrlRule(
  { var: "Ref(T)", accum: "Ref(T)", linear: "Ref(T)", grad: "T", lr: "T", l1: "T", l2: "T", l2Shrinkage: "T", lrPower: "T" },
  x => s.add(x.grad, s.mul(s.mul(x.l2Shrinkage, 2), x.var)),
);
export const ApplyFtrlV2 = defineOp("ApplyFtrlV2", dense(ftrlV2));
export const ResourceApplyFtrlV2 = defineOp("ResourceApplyFtrlV2", resourceDense(ftrlV2));
export const SparseApplyFtrlV2 = defineOp("SparseApplyFtrlV2", sparse(ftrlV2));
export const ResourceSparseApplyFtrlV2 = defineOp("ResourceSparseApplyFtrlV2", resourceSparse(ftrlV2));

const proximalGradientDescent = rule(
  { var: "Ref(T)", alpha: "T", l1: "T", l2: "T", delta: "T" },
  [
    [
      "var",
      ({ var: w, alpha, l1, l2, grad }) => s.div(shrunk(minus(w, s.mul(grad, alpha)), l1, s.mul(alpha, l1)), s.add(s.mul(l2, alpha), 1)),
    ],
  ],
  { needsWidth: true },
);
export const ApplyProximalGradientDescent = defineOp("ApplyProximalGradientDescent", dense(proximalGradientDescent));
export const ResourceApplyProximalGradientDescent = defineOp(
  "ResourceApplyProximalGradientDescent",
  resourceDense(proximalGradientDescent),
);
export const SparseApplyProximalGradientDescent = defineOp("SparseApplyProximalGradientDescent", sparse(proximalGradientDescent));
export const ResourceSparseApplyProximalGradientDescent = defineOp(
  "ResourceSparseApplyProximalGradientDescent",
  resourceSparse(proximalGradientDescent),
);

const proximalAdagrad = rule(
  { var: "Ref(T)", accum: "Ref(T)", lr: "T", l1: "T", l2: "T", grad: "T" },
  [
    ["accum", ({ accum, grad }) => s.add(accum, s.square(grad))],
    [
      "var",
      ({ var: w, accum, lr, l1, l2, grad }) => {
        const rate = s.mul(lr, s.rsqrt(accum));
        return s.div(shrunk(minus(w, s.mul(grad, rate)), l1, s.mul(rate, l1)), s.add(s.mul(l2, rate), 1));
      },
    ],
  ],
  {
    limits: [["lr", x => s.gt(x, 0), "lr is not a positive scalar"], notNegative("l1"), notNegative("l2")],
    isLimited: true,
    needsWidth: true,
  },
);
export const ApplyProximalAdagrad = defineOp("ApplyProximalAdagrad", dense(proximalAdagrad));
export const ResourceApplyProximalAdagrad = defineOp("ResourceApplyProximalAdagrad", resourceDense(proximalAdagrad));
export const SparseApplyProximalAdagrad = defineOp("SparseApplyProximalAdagrad", sparse(proximalAdagrad));
export const ResourceSparseApplyProximalAdagrad = defineOp("ResourceSparseApplyProximalAdagrad", resourceSparse(proximalAdagrad));

/** Moments agree in sign with the gradient: +1, -1 or 0. */
const agreement = ({ grad, m }: Elements): Scalar => s.mul(s.sign(grad), s.sign(m));
const decayedMoment = ({ m, grad, beta }: Elements): Scalar => s.add(s.mul(m, beta), s.mul(grad, oneMinus(beta)));

const addSign = rule({ var: "Ref(T)", m: "Ref(T)", lr: "T", alpha: "T", signDecay: "T", beta: "T", grad: "T" }, [
  ["m", decayedMoment],
  ["var", x => minus(x.var, s.mul(s.mul(x.lr, s.add(x.alpha, s.mul(x.signDecay, agreement(x)))), x.grad))],
]);
export const ApplyAddSign = defineOp("ApplyAddSign", dense(addSign));
export const ResourceApplyAddSign = defineOp("ResourceApplyAddSign", resourceDense(addSign));

const powerSign = rule({ var: "Ref(T)", m: "Ref(T)", lr: "T", logbase: "T", signDecay: "T", beta: "T", grad: "T" }, [
  ["m", decayedMoment],
  ["var", x => minus(x.var, s.mul(s.mul(x.lr, s.exp(s.mul(s.mul(x.logbase, x.signDecay), agreement(x)))), x.grad))],
]);
export const ApplyPowerSign = defineOp("ApplyPowerSign", dense(powerSign));
export const ResourceApplyPowerSign = defineOp("ResourceApplyPowerSign", resourceDense(powerSign));
