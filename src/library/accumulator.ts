// Accumulators of gradients as TensorFlow's classes: workers bring gradients in runs of their own, and who updates the variables takes their mean.

import type { DType } from "../base/dtype.ts";
import { ValueError } from "../base/errors.ts";
import { type ArrayLike, NDArray } from "../base/ndarray.ts";
import { type ShapeLike, TensorShape } from "../base/shape.ts";
import { convertToTensor, type TensorLike } from "../graph/conversion.ts";
import { IndexedSlices } from "../graph/indexed-slices.ts";
import type { Named } from "../graph/op-definition.ts";
import type { Operation, Tensor } from "../graph/operation.ts";
import {
  AccumulatorNumAccumulated,
  AccumulatorSetGlobalStep,
  ResourceAccumulatorApplyGradient,
  ResourceAccumulatorNumAccumulated,
  ResourceAccumulatorSetGlobalStep,
  ResourceAccumulatorTakeGradient,
  ResourceConditionalAccumulator,
  SparseAccumulatorApplyGradient,
  SparseAccumulatorTakeGradient,
  SparseConditionalAccumulator as SparseConditionalAccumulatorOp,
} from "../ops/state/accumulator.ts";
import { Cast, cast } from "../ops/math/cast.ts";
import { inNameScope } from "../ops/named.ts";
import { refuseOthers } from "../ops/arguments.ts";

export interface AccumulatorOptions extends Named {
  /** What gradients must look like; unknown if not given. */
  readonly shape?: ShapeLike | null;
  readonly sharedName?: string | null;
  /** What is taken: "MEAN" (the default) or "SUM". */
  readonly reductionType?: "MEAN" | "SUM";
}

export interface ApplyOptions extends Named {
  /** The step at which the gradient was computed (0); before the accumulator's own it is dropped. */
  readonly localStep?: TensorLike;
}

const asShape = (shape: ShapeLike | null | undefined): TensorShape =>
  shape instanceof TensorShape ? shape : new TensorShape(shape as readonly (number | null)[] | null);
const asInt64 = (value: TensorLike): Tensor =>
  cast(convertToTensor(value, { dtype: typeof value === "number" ? "int32" : undefined }), "int64");

/** What both kinds have in common. TF: tf.ConditionalAccumulatorBase. */
export class ConditionalAccumulatorBase {
  readonly dtype: DType;
  readonly accumulatorRef: Tensor;
  protected readonly shape: TensorShape;

  constructor(dtype: DType, shape: ShapeLike | null, accumulatorRef: Tensor) {
    this.dtype = dtype;
    this.shape = asShape(shape);
    this.accumulatorRef = accumulatorRef;
  }

  get name(): string {
    return this.accumulatorRef.op.name;
  }

  private get leaf(): string {
    return this.name.slice(this.name.lastIndexOf("/") + 1);
  }

  /** How many gradients there are, int32. TF: num_accumulated. */
  numAccumulated({ name, ...others }: Named = {}): Tensor {
    refuseOthers(others);
    const options = { name: name ?? `${this.leaf}_NumAccumulated` };
    const handle = this.accumulatorRef;
    if (handle.dtype === "resource") return ResourceAccumulatorNumAccumulated({ handle }, options);
    return AccumulatorNumAccumulated({ handle }, options) as Tensor;
  }

  /** Sets the step from which on gradients count. TF: set_global_step. */
  setGlobalStep(newGlobalStep: TensorLike, { name, ...others }: Named = {}): Operation {
    refuseOthers(others);
    const record = { handle: this.accumulatorRef, newGlobalStep: asInt64(newGlobalStep) };
    if (record.handle.dtype === "resource") return ResourceAccumulatorSetGlobalStep(record, { name });
    return AccumulatorSetGlobalStep(record, { name }) as Operation;
  }
}

/** Sums dense gradients until somebody takes their mean or sum. TF: tf.ConditionalAccumulator(dtype, shape, shared_name, name, reduction_type). */
export class ConditionalAccumulator extends ConditionalAccumulatorBase {
  constructor(dtype: DType, options: AccumulatorOptions = {}) {
    const { shape = null, sharedName, name, reductionType } = options;
    const record = { dtype, shape: shape as TensorShape, sharedName: sharedName ?? "", reductionType };
    super(dtype, shape, ResourceConditionalAccumulator(record, { name: name ?? "conditional_accumulator" }));
  }

  /** Brings a gradient. @throws ValueError for one of another shape, InvalidArgumentError while running. TF: apply_grad. */
  applyGrad(grad: TensorLike, { localStep = 0, name, ...others }: ApplyOptions = {}): Operation {
    refuseOthers(others);
    const gradient = convertToTensor(grad, { dtype: this.dtype });
    if (!gradient.shape.isCompatibleWith(this.shape)) throw new ValueError(`Shapes ${gradient.shape} and ${this.shape} are incompatible`);
    return ResourceAccumulatorApplyGradient({ handle: this.accumulatorRef, localStep: asInt64(localStep), gradient }, { name });
  }

  /** What there is once `numRequired` gradients are, which a run waits for. TF: take_grad. */
  takeGrad(numRequired: TensorLike, { name, ...others }: Named = {}): Tensor {
    refuseOthers(others);
    const taken = ResourceAccumulatorTakeGradient({ handle: this.accumulatorRef, numRequired, dtype: this.dtype }, { name });
    taken.setShape(this.shape);
    return taken;
  }
}

export interface SparseApplyOptions extends ApplyOptions {
  /** The shape of the whole gradient. */
  readonly gradShape?: TensorLike | null;
}

interface TakenRows {
  readonly indices: Tensor;
  readonly values: Tensor;
  readonly shape: Tensor;
}

/** The same for gradients that are rows of a larger one; the mean of a row is over the gradients that have it. TF: tf.SparseConditionalAccumulator. */
export class SparseConditionalAccumulator extends ConditionalAccumulatorBase {
  constructor(dtype: DType, options: AccumulatorOptions = {}) {
    const { shape = null, sharedName, name, reductionType } = options;
    const record = { dtype, shape: shape as TensorShape, sharedName: sharedName ?? "", reductionType };
    super(dtype, shape, SparseConditionalAccumulatorOp(record, { name: name ?? "sparse_conditional_accumulator" }));
  }

  /** Brings rows `gradValues` with the numbers `gradIndices`. TF: apply_grad(grad_indices, grad_values, grad_shape, local_step, name). */
  applyGrad(gradIndices: TensorLike, gradValues: TensorLike, options: SparseApplyOptions = {}): Operation {
    const { gradShape, localStep = 0, name } = options;
    const hasKnownShape = gradShape !== undefined && gradShape !== null;
    const record = {
      handle: this.accumulatorRef,
      localStep: asInt64(localStep),
      gradientIndices: integers(gradIndices),
      gradientValues: gradValues,
      gradientShape: integers(gradShape ?? []),
      hasKnownShape,
      dtype: this.dtype,
    };
    return SparseAccumulatorApplyGradient(record, { name });
  }

  applyIndexedSlicesGrad(grad: IndexedSlices, { localStep = 0, name, ...others }: ApplyOptions = {}): Operation {
    refuseOthers(others);
    return this.applyGrad(grad.indices, grad.values, { gradShape: grad.denseShape, localStep, name });
  }

  takeGrad(numRequired: TensorLike, { name, ...others }: Named = {}): TakenRows {
    refuseOthers(others);
    return SparseAccumulatorTakeGradient({ handle: this.accumulatorRef, numRequired, dtype: this.dtype }, { name });
  }

  takeIndexedSlicesGrad(numRequired: TensorLike, options: Named = {}): IndexedSlices {
    const { indices, values, shape } = this.takeGrad(numRequired, options);
    return new IndexedSlices(values, indices, shape);
  }
}

/** Lists of numbers are int32 before they are cast, as in TensorFlow. */
const integers = (value: TensorLike): Tensor =>
  inNameScope(undefined, "Cast", [value], scope => {
    const x = convertToTensor(Array.isArray(value) ? NDArray.from(value as ArrayLike, "int32") : value, { name: "x" });
    return x.dtype === "int64" ? x : Cast({ x, DstT: "int64" }, { name: scope });
  });
