// Adadelta (Zeiler 2012): steps in the units of the variable, from running means of squared gradients and squared updates.

import type { IndexedSlices } from "../../graph/indexed-slices.ts";
import type { Tensor } from "../../graph/operation.ts";
import { collect } from "../../ops/arguments.ts";
import { ApplyAdadelta, ResourceApplyAdadelta, ResourceSparseApplyAdadelta, SparseApplyAdadelta } from "../../ops/state/training.ts";
import type { Variable } from "../variables/variables.ts";
import { type Hyperparameter, inTypeOf, Optimizer } from "./optimizer.ts";

interface Options {
  readonly learningRate?: Hyperparameter;
  readonly rho?: Hyperparameter;
  readonly epsilon?: Hyperparameter;
  readonly useLocking?: boolean;
  readonly name?: string;
}

/** Slots: "accum", "accum_update". TF: tf.train.AdadeltaOptimizer. */
export class AdadeltaOptimizer extends Optimizer {
  private readonly options: Options;
  private tensors: { readonly lr: Tensor; readonly rho: Tensor; readonly epsilon: Tensor } | undefined;

  constructor(...given: readonly (Hyperparameter | boolean | string | Options)[]) {
    const options = collect<Options>(["learningRate", "rho", "epsilon", "useLocking", "name"], given);
    super(options.useLocking ?? false, options.name ?? "Adadelta");
    this.options = { learningRate: 0.001, rho: 0.95, epsilon: 1e-8, ...options };
  }

  protected override createSlots(variables: readonly Variable[]): void {
    for (const variable of variables) {
      this.zerosSlot(variable, "accum");
      this.zerosSlot(variable, "accum_update");
    }
  }

  protected override prepare(): void {
    const { learningRate, rho, epsilon } = this.options;
    this.tensors = { lr: this.tensorOf(learningRate, "lr"), rho: this.tensorOf(rho, "rho"), epsilon: this.tensorOf(epsilon, "epsilon") };
  }

  private record(variable: Variable): Record<string, Tensor> {
    const hyper = Object.entries(this.tensors ?? {}).map(([name, tensor]) => [name, inTypeOf(variable, tensor)]);
    return { accum: this.slot(variable, "accum"), accumUpdate: this.slot(variable, "accum_update"), ...Object.fromEntries(hyper) };
  }

  protected override applyDense(gradient: Tensor, variable: Variable): unknown {
    return this.step({ onRef: ApplyAdadelta, onResource: ResourceApplyAdadelta }, variable, { ...this.record(variable), grad: gradient });
  }

  protected override applySparse({ values, indices }: IndexedSlices, variable: Variable): unknown {
    const ops = { onRef: SparseApplyAdadelta, onResource: ResourceSparseApplyAdadelta };
    return this.step(ops, variable, { ...this.record(variable), grad: values, indices });
  }
}
