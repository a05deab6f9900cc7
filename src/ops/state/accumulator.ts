// Accumulators of gradients: what several runs bring is summed, and another run waits for enough of them. Every operation on one runs on the host
// between segments, where it can wait. The classes are in library/accumulator.ts.

import { InternalError, InvalidArgumentError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp, type HostObject, type OpDefinition, renameOp, type UntypedOp } from "../../graph/op-definition.ts";
import type { Operation } from "../../graph/operation.ts";
import { type AccumulatorSettings, DenseAccumulator, SparseAccumulator } from "./accumulator-memory.ts";
import { objectId, sharedAttrs } from "../data/host-handles.ts";

const scalar = new TensorShape([]);
const dtype = attr.type(attr.numbers);
const attrs = { dtype, shape: attr.shape(), ...sharedAttrs, reductionType: attr.oneOf(["MEAN", "SUM"], "MEAN") };
const kernelTypes: readonly string[] = ["float16", "float32", "float64"];

function accumulatorObject(
  kind: string,
  op: Operation,
  given: Omit<AccumulatorSettings, "isMean"> & { readonly reductionType: string; readonly container: string; readonly sharedName: string },
  make: (settings: AccumulatorSettings) => object,
): HostObject {
  const { dtype, shape, reductionType } = given;
  if (!kernelTypes.includes(dtype))
    throw new InvalidArgumentError(
      `No OpKernel was registered to support Op '${op.type}' used by {{node ${op.name}}}\n\nAccumulators are of float16, float32 or float64, not ${dtype}.`,
    );
  return { id: objectId(kind, given, op), make: () => make({ dtype, shape, isMean: reductionType === "MEAN" }) };
}

export const ResourceConditionalAccumulator = defineOp("ResourceConditionalAccumulator", {
  inputs: {},
  outputs: { handle: "resource" },
  attrs,
  stateful: true,
  shape: () => scalar,
  resource: (given, op) => accumulatorObject("ConditionalAccumulator", op, given, settings => new DenseAccumulator(settings)),
});

type AnyAccumulator = DenseAccumulator | SparseAccumulator;

function accumulatorOf(handle: object): AnyAccumulator {
  if (handle instanceof DenseAccumulator || handle instanceof SparseAccumulator) return handle;
  throw new InternalError("The handle is no accumulator's.");
}
function denseOf(handle: object): DenseAccumulator {
  if (handle instanceof DenseAccumulator) return handle;
  throw new InvalidArgumentError("The handle is not a dense accumulator's.");
}
function sparseOf(handle: object): SparseAccumulator {
  if (handle instanceof SparseAccumulator) return handle;
  throw new InvalidArgumentError("The handle is not a sparse accumulator's.");
}

const stepOf = (array: NDArray): bigint => array.get(0) as bigint;

function checkType(accumulator: AnyAccumulator, dtype: string, what: string): void {
  if (accumulator.settings.dtype !== dtype)
    throw new InvalidArgumentError(`${what} of type ${dtype} does not fit an accumulator of ${accumulator.settings.dtype}.`);
}

/** Adds a gradient, unless it was computed before the accumulator's step. */
export const ResourceAccumulatorApplyGradient = defineOp("ResourceAccumulatorApplyGradient", {
  inputs: { handle: "resource", localStep: "int64", gradient: "dtype" },
  outputs: {},
  attrs: { dtype },
  stateful: true,
  shape: () => undefined,
  host: ({ handle, localStep, gradient }) => {
    checkType(denseOf(handle), gradient.dtype, "A gradient");
    denseOf(handle).apply(stepOf(localStep), gradient);
  },
});

/** The mean (or sum) of the gradients there are, once there are `numRequired`. */
export const ResourceAccumulatorTakeGradient = defineOp("ResourceAccumulatorTakeGradient", {
  inputs: { handle: "resource", numRequired: "int32" },
  outputs: { average: "dtype" },
  attrs: { dtype },
  stateful: true,
  waits: true,
  shape: ({ numRequired }) => {
    numRequired.withRank(0);
    return TensorShape.unknown();
  },
  host: ({ handle, numRequired, dtype }, { signal }) => {
    checkType(denseOf(handle), dtype, "A result");
    return denseOf(handle).take(Number(numRequired.get(0)), signal);
  },
});

export const ResourceAccumulatorNumAccumulated = defineOp("ResourceAccumulatorNumAccumulated", {
  inputs: { handle: "resource" },
  outputs: { numAccumulated: "int32" },
  attrs: {},
  stateful: true,
  shape: () => scalar,
  host: ({ handle }) => NDArray.full("int32", [], accumulatorOf(handle).count),
});

export const ResourceAccumulatorSetGlobalStep = defineOp("ResourceAccumulatorSetGlobalStep", {
  inputs: { handle: "resource", newGlobalStep: "int64" },
  outputs: {},
  attrs: {},
  stateful: true,
  shape: ({ newGlobalStep }) => void newGlobalStep.withRank(0),
  host: ({ handle, newGlobalStep }) => accumulatorOf(handle).setStep(stepOf(newGlobalStep)),
});

// ---- handles as references to strings ----

const handleShape = new TensorShape([2]);
const asRefs = (specs: Readonly<Record<string, string>>): Record<string, string> => ({ ...specs, handle: "Ref(string)" });
const byRef = (type: string, of: OpDefinition): UntypedOp => renameOp(type, of, { inputs: asRefs(of.inputs), stateful: false });

export const ConditionalAccumulator = renameOp("ConditionalAccumulator", ResourceConditionalAccumulator, {
  outputs: { handle: "Ref(string)" },
  shape: () => handleShape,
});
export const AccumulatorApplyGradient = byRef("AccumulatorApplyGradient", ResourceAccumulatorApplyGradient);
export const AccumulatorTakeGradient = byRef("AccumulatorTakeGradient", ResourceAccumulatorTakeGradient);
export const AccumulatorNumAccumulated = byRef("AccumulatorNumAccumulated", ResourceAccumulatorNumAccumulated);
export const AccumulatorSetGlobalStep = byRef("AccumulatorSetGlobalStep", ResourceAccumulatorSetGlobalStep);

// ---- rows of gradients ----

export const SparseConditionalAccumulator = defineOp("SparseConditionalAccumulator", {
  inputs: {},
  outputs: { handle: "Ref(string)" },
  attrs,
  stateful: true,
  shape: () => handleShape,
  resource: (given, op) => accumulatorObject("SparseConditionalAccumulator", op, given, settings => new SparseAccumulator(settings)),
});

export const SparseAccumulatorApplyGradient = defineOp("SparseAccumulatorApplyGradient", {
  inputs: { handle: "Ref(string)", localStep: "int64", gradientIndices: "int64", gradientValues: "dtype", gradientShape: "int64" },
  outputs: {},
  attrs: { dtype, hasKnownShape: attr.bool() },
  shape: () => undefined,
  host: ({ handle, localStep, gradientIndices, gradientValues, gradientShape, hasKnownShape }) => {
    checkType(sparseOf(handle), gradientValues.dtype, "A gradient");
    const denseShape = hasKnownShape ? gradientShape : undefined;
    sparseOf(handle).apply(stepOf(localStep), { indices: gradientIndices, values: gradientValues, denseShape });
  },
});

export const SparseAccumulatorTakeGradient = defineOp("SparseAccumulatorTakeGradient", {
  inputs: { handle: "Ref(string)", numRequired: "int32" },
  outputs: { indices: "int64", values: "dtype", shape: "int64" },
  attrs: { dtype },
  waits: true,
  shape: () => [TensorShape.unknown(), TensorShape.unknown(), TensorShape.unknown()],
  host: ({ handle, numRequired, dtype }, { signal }) => {
    checkType(sparseOf(handle), dtype, "A result");
    return sparseOf(handle).take(Number(numRequired.get(0)), signal);
  },
});
