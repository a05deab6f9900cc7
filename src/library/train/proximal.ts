// Proximal steps (Duchi and Singer 2009): a gradient or Adagrad step, then shrinkage by L1 and L2.

import { floatText } from "../../base/python-text.ts";
import type { IndexedSlices } from "../../graph/indexed-slices.ts";
import { ValueError } from "../../base/errors.ts";
import type { Tensor } from "../../graph/operation.ts";
import { collect } from "../../ops/arguments.ts";
import { constant } from "../../ops/array/array.ts";
import {
  ApplyProximalAdagrad,
  ApplyProximalGradientDescent,
  ResourceApplyProximalAdagrad,
  ResourceApplyProximalGradientDescent,
  ResourceSparseApplyProximalAdagrad,
  ResourceSparseApplyProximalGradientDescent,
  SparseApplyProximalAdagrad,
  SparseApplyProximalGradientDescent,
} from "../../ops/state/training.ts";
import type { Variable } from "../variables/variables.ts";
import { type Hyperparameter, Optimizer } from "./optimizer.ts";

interface Options {
  readonly learningRate?: Hyperparameter;
  readonly l1RegularizationStrength?: number;
  readonly l2RegularizationStrength?: number;
  readonly useLocking?: boolean;
  readonly name?: string;
}

interface AdagradOptions extends Options {
  readonly initialAccumulatorValue?: number;
}

/** The tensors that both optimizers make. */
abstract class ProximalOptimizer extends Optimizer {
  private readonly options: Options;
  private tensors: { readonly rate: Tensor; readonly l1: Tensor; readonly l2: Tensor } | undefined;

  constructor(options: Options, name: string) {
    super(options.useLocking ?? false, options.name ?? name);
    this.options = options;
  }

  protected override prepare(): void {
    const { learningRate, l1RegularizationStrength = 0, l2RegularizationStrength = 0 } = this.options;
    this.tensors = {
      rate: this.tensorOf(learningRate, "learning_rate"),
      l1: this.tensorOf(l1RegularizationStrength, "l1_regularization_strength"),
      l2: this.tensorOf(l2RegularizationStrength, "l2_regularization_strength"),
    };
  }

  /** In the types they were given in: as in TensorFlow, variables of others are refused. */
  protected get hyperparameters(): { readonly rate: Tensor; readonly l1: Tensor; readonly l2: Tensor } {
    return this.tensors as NonNullable<typeof this.tensors>;
  }
}

/** TF: tf.train.ProximalGradientDescentOptimizer. */
export class ProximalGradientDescentOptimizer extends ProximalOptimizer {
  constructor(learningRate: Hyperparameter | Options, ...rest: readonly (number | boolean | string | Options)[]) {
    const order = ["learningRate", "l1RegularizationStrength", "l2RegularizationStrength", "useLocking", "name"];
    super(collect<Options>(order, [learningRate, ...rest]), "ProximalGradientDescent");
  }

  protected override applyDense(gradient: Tensor, variable: Variable): unknown {
    const { rate: alpha, l1, l2 } = this.hyperparameters;
    const ops = { onRef: ApplyProximalGradientDescent, onResource: ResourceApplyProximalGradientDescent };
    return this.step(ops, variable, { alpha, l1, l2, delta: gradient });
  }

  protected override applySparse({ values, indices }: IndexedSlices, variable: Variable): unknown {
    const { rate: alpha, l1, l2 } = this.hyperparameters;
    const ops = { onRef: SparseApplyProximalGradientDescent, onResource: ResourceSparseApplyProximalGradientDescent };
    return this.step(ops, variable, { alpha, l1, l2, grad: values, indices });
  }
}

/** Slot: "accumulator". TF: tf.train.ProximalAdagradOptimizer. */
export class ProximalAdagradOptimizer extends ProximalOptimizer {
  private readonly initialAccumulator: number;

  constructor(learningRate: Hyperparameter | AdagradOptions, ...rest: readonly (number | boolean | string | AdagradOptions)[]) {
    const order = ["learningRate", "initialAccumulatorValue", "l1RegularizationStrength", "l2RegularizationStrength", "useLocking", "name"];
    const { initialAccumulatorValue = 0.1, ...options } = collect<AdagradOptions>(order, [learningRate, ...rest]);
    if (initialAccumulatorValue <= 0)
      throw new ValueError(`initial_accumulator_value must be positive: ${floatText(initialAccumulatorValue)}`);
    super(options, "ProximalAdagrad");
    this.initialAccumulator = initialAccumulatorValue;
  }

  protected override createSlots(variables: readonly Variable[]): void {
    for (const variable of variables) {
      const { shape, dtype } = variable;
      const value = variable.graph.colocateWith(variable.op, undefined, () => constant(this.initialAccumulator, { dtype, shape }));
      this.slotWithValue(variable, value, "accumulator");
    }
  }

  protected override applyDense(gradient: Tensor, variable: Variable): unknown {
    const { rate: lr, l1, l2 } = this.hyperparameters;
    const ops = { onRef: ApplyProximalAdagrad, onResource: ResourceApplyProximalAdagrad };
    return this.step(ops, variable, { accum: this.slot(variable, "accumulator"), lr, l1, l2, grad: gradient });
  }

  protected override applySparse({ values, indices }: IndexedSlices, variable: Variable): unknown {
    const { rate: lr, l1, l2 } = this.hyperparameters;
    const ops = { onRef: SparseApplyProximalAdagrad, onResource: ResourceSparseApplyProximalAdagrad };
    return this.step(ops, variable, { accum: this.slot(variable, "accumulator"), lr, l1, l2, grad: values, indices });
  }
}
