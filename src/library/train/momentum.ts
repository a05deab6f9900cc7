// Momentum, plain and Nesterov's: a = a·m + g; w -= lr·a, or lr·(g + m·a).

import type { IndexedSlices } from "../../graph/indexed-slices.ts";
import type { Tensor } from "../../graph/operation.ts";
import { collect } from "../../ops/arguments.ts";
import { ApplyMomentum, ResourceApplyMomentum, ResourceSparseApplyMomentum, SparseApplyMomentum } from "../../ops/state/training.ts";
import type { Variable } from "../variables/variables.ts";
import { type Hyperparameter, inTypeOf, Optimizer } from "./optimizer.ts";

interface Options {
  readonly learningRate?: Hyperparameter;
  readonly momentum?: Hyperparameter;
  readonly useLocking?: boolean;
  readonly name?: string;
  readonly useNesterov?: boolean;
}

/** Slot: "momentum". TF: tf.train.MomentumOptimizer. */
export class MomentumOptimizer extends Optimizer {
  private readonly learningRate: Hyperparameter | undefined;
  private readonly momentum: Hyperparameter | undefined;
  private readonly useNesterov: boolean;
  private rateTensor: Tensor | undefined;
  private momentumTensor: Tensor | undefined;

  constructor(learningRate: Hyperparameter | Options, ...rest: readonly (Hyperparameter | boolean | string | Options)[]) {
    const options = collect<Options>(["learningRate", "momentum", "useLocking", "name", "useNesterov"], [learningRate, ...rest]);
    super(options.useLocking ?? false, options.name ?? "Momentum");
    this.learningRate = options.learningRate;
    this.momentum = options.momentum;
    this.useNesterov = options.useNesterov ?? false;
  }

  protected override createSlots(variables: readonly Variable[]): void {
    for (const variable of variables) this.zerosSlot(variable, "momentum");
  }

  protected override prepare(): void {
    this.rateTensor = this.tensorOf(this.learningRate, "learning_rate");
    this.momentumTensor = this.tensorOf(this.momentum, "momentum");
  }

  private record(variable: Variable) {
    return {
      accum: this.slot(variable, "momentum"),
      lr: inTypeOf(variable, this.rateTensor as Tensor),
      momentum: inTypeOf(variable, this.momentumTensor as Tensor),
      useNesterov: this.useNesterov,
    };
  }

  protected override applyDense(gradient: Tensor, variable: Variable): unknown {
    return this.step({ onRef: ApplyMomentum, onResource: ResourceApplyMomentum }, variable, { ...this.record(variable), grad: gradient });
  }

  protected override applySparse({ values, indices }: IndexedSlices, variable: Variable): unknown {
    const ops = { onRef: SparseApplyMomentum, onResource: ResourceSparseApplyMomentum };
    return this.step(ops, variable, { ...this.record(variable), grad: values, indices });
  }
}
