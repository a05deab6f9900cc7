// FTRL-Proximal (McMahan and others 2013), with the shrinkage form of L2 as an option.

import type { IndexedSlices } from "../../graph/indexed-slices.ts";
import { ValueError } from "../../base/errors.ts";
import type { Tensor } from "../../graph/operation.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { collect } from "../../ops/arguments.ts";
import { ones } from "../../ops/array/array.ts";
import { maximum } from "../../ops/math/math.ts";
import { add, mul, truediv } from "../../ops/operators.ts";
import {
  ApplyFtrl,
  ApplyFtrlV2,
  ResourceApplyFtrl,
  ResourceApplyFtrlV2,
  ResourceSparseApplyFtrl,
  ResourceSparseApplyFtrlV2,
  SparseApplyFtrl,
  SparseApplyFtrlV2,
} from "../../ops/state/training.ts";
import type { Initializer } from "../variables/initializers.ts";
import type { Variable } from "../variables/variables.ts";
import { type Hyperparameter, inTypeOf, Optimizer } from "./optimizer.ts";

interface Options {
  readonly learningRate?: Hyperparameter;
  readonly learningRatePower?: number;
  readonly initialAccumulatorValue?: number;
  readonly l1RegularizationStrength?: number;
  readonly l2RegularizationStrength?: number;
  readonly useLocking?: boolean;
  readonly name?: string;
  readonly accumName?: string | null;
  readonly linearName?: string | null;
  readonly l2ShrinkageRegularizationStrength?: number;
  readonly beta?: number | null;
}

/** Slots: "accum", "linear". TF: tf.train.FtrlOptimizer. @throws ValueError for strengths below zero or a power above it. */
export class FtrlOptimizer extends Optimizer {
  private readonly options: Options;
  private readonly settings: {
    readonly power: number;
    readonly start: number;
    readonly l1: number;
    readonly l2: number;
    readonly shrinkage: number;
  };
  private tensors:
    | { readonly lr: Tensor; readonly l1: Tensor; readonly l2: Tensor; readonly l2Shrinkage: Tensor; readonly lrPower: Tensor }
    | undefined;

  constructor(learningRate: Hyperparameter | Options, ...rest: readonly (number | boolean | string | null | Options)[]) {
    const order = [
      "learningRate",
      "learningRatePower",
      "initialAccumulatorValue",
      "l1RegularizationStrength",
      "l2RegularizationStrength",
      "useLocking",
      "name",
      "accumName",
      "linearName",
      "l2ShrinkageRegularizationStrength",
      "beta",
    ];
    const options = collect<Options>(order, [learningRate, ...rest]);
    super(options.useLocking ?? false, options.name ?? "Ftrl");
    this.options = options;
    this.settings = {
      power: options.learningRatePower ?? -0.5,
      start: options.initialAccumulatorValue ?? 0.1,
      l1: options.l1RegularizationStrength ?? 0,
      l2: options.l2RegularizationStrength ?? 0,
      shrinkage: options.l2ShrinkageRegularizationStrength ?? 0,
    };
    const { power, start, l1, l2, shrinkage } = this.settings;
    const refuse = (what: string, value: number, rule: string): never => {
      throw new ValueError(`${what} ${value.toFixed(6)} needs to be ${rule}`);
    };
    if (start < 0) refuse("initial_accumulator_value", start, "positive or zero");
    if (power > 0) refuse("learning_rate_power", power, "negative or zero");
    if (l1 < 0) refuse("l1_regularization_strength", l1, "positive or zero");
    if (l2 < 0) refuse("l2_regularization_strength", l2, "positive or zero");
    if (shrinkage < 0) refuse("l2_shrinkage_regularization_strength", shrinkage, "positive or zero");
  }

  protected override createSlots(variables: readonly Variable[]): void {
    const initial: Initializer = (shape, { dtype } = {}) => mul(ones(shape, dtype ?? "float32"), this.settings.start);
    for (const variable of variables) {
      this.slotWithInitializer(variable, initial, "accum", this.options.accumName ?? this.name);
      this.zerosSlot(variable, "linear", this.options.linearName ?? this.name);
    }
  }

  protected override prepare(): void {
    const { learningRate, beta } = this.options;
    const { power, l1, l2, shrinkage } = this.settings;
    const lr = this.tensorOf(learningRate, "learning_rate");
    const l1Tensor = this.tensorOf(l1, "l1_regularization_strength");
    // TensorFlow computes this from the number, not from the tensor made of it above.
    const least = maximum((typeof learningRate === "function" ? lr : learningRate) as TensorLike, 1e-36);
    const l2Tensor = add(l2, truediv(beta ?? 0, mul(2, least)));
    this.tensorOf(beta ?? 0, "beta");
    this.tensors = {
      lr,
      l1: l1Tensor,
      l2: l2Tensor,
      l2Shrinkage: this.tensorOf(shrinkage, "l2_shrinkage_regularization_strength"),
      lrPower: convertToTensor(power, { name: "learning_rate_power" }),
    };
  }

  private record(variable: Variable): Record<string, Tensor> {
    const { l2Shrinkage, ...plain } = this.tensors as NonNullable<typeof this.tensors>;
    const { lrPower, ...first } = plain;
    // In the order of the op's inputs, which is that of the casts.
    const used = this.settings.shrinkage > 0 ? { ...first, l2Shrinkage, lrPower } : plain;
    const hyper = Object.entries(used).map(([name, tensor]) => [name, inTypeOf(variable, tensor)]);
    return { accum: this.slot(variable, "accum"), linear: this.slot(variable, "linear"), ...Object.fromEntries(hyper) };
  }

  protected override applyDense(gradient: Tensor, variable: Variable): unknown {
    const ops =
      this.settings.shrinkage > 0
        ? { onRef: ApplyFtrlV2, onResource: ResourceApplyFtrlV2 }
        : { onRef: ApplyFtrl, onResource: ResourceApplyFtrl };
    return this.step(ops, variable, { ...this.record(variable), grad: gradient });
  }

  protected override applySparse({ values, indices }: IndexedSlices, variable: Variable): unknown {
    const ops =
      this.settings.shrinkage > 0
        ? { onRef: SparseApplyFtrlV2, onResource: ResourceSparseApplyFtrlV2 }
        : { onRef: SparseApplyFtrl, onResource: ResourceSparseApplyFtrl };
    return this.step(ops, variable, { ...this.record(variable), grad: values, indices });
  }
}
