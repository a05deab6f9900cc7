// Plain gradient descent: w -= lr·g.

import type { IndexedSlices } from "../../graph/indexed-slices.ts";
import type { Operation, Tensor } from "../../graph/operation.ts";
import { collect } from "../../ops/arguments.ts";
import { mul, neg } from "../../ops/operators.ts";
import { ResourceScatterAdd, ScatterSub } from "../../ops/state/state.ts";
import { ApplyGradientDescent, ResourceApplyGradientDescent } from "../../ops/state/training.ts";
import type { Variable } from "../variables/variables.ts";
import { type Hyperparameter, inTypeOf, Optimizer } from "./optimizer.ts";

interface Options {
  readonly learningRate?: Hyperparameter;
  readonly useLocking?: boolean;
  readonly name?: string;
}

/** TF: tf.train.GradientDescentOptimizer. */
export class GradientDescentOptimizer extends Optimizer {
  private readonly learningRate: Hyperparameter | undefined;
  private rate: Tensor | undefined;

  constructor(learningRate: Hyperparameter | Options, ...rest: readonly (boolean | string | Options)[]) {
    const options = collect<Options>(["learningRate", "useLocking", "name"], [learningRate, ...rest]);
    super(options.useLocking ?? false, options.name ?? "GradientDescent");
    this.learningRate = options.learningRate;
  }

  protected override prepare(): void {
    this.rate = this.tensorOf(this.learningRate, "learning_rate");
  }

  private rateFor(variable: Variable): Tensor {
    return inTypeOf(variable, this.rate as Tensor);
  }

  protected override applyDense(gradient: Tensor, variable: Variable): unknown {
    const ops = { onRef: ApplyGradientDescent, onResource: ResourceApplyGradientDescent };
    return this.step(ops, variable, { alpha: this.rateFor(variable), delta: gradient });
  }

  /** Repeated rows are no trouble here: subtraction adds up. */
  protected override applySparseDuplicateIndices({ values, indices }: IndexedSlices, variable: Variable): Tensor | Operation {
    if (variable.isResource) {
      const updates = mul(neg(values), this.rateFor(variable));
      return ResourceScatterAdd({ resource: variable.handle, indices, updates, dtype: variable.dtype });
    }
    return ScatterSub({ ref: variable.handle, indices, updates: mul(values, this.rateFor(variable)), useLocking: this.useLocking });
  }
}
