// RMSProp (Tieleman and Hinton 2012), with momentum, and its centered form that also keeps the mean of the gradients.

import type { IndexedSlices } from "../../graph/indexed-slices.ts";
import type { Tensor } from "../../graph/operation.ts";
import { collect } from "../../ops/arguments.ts";
import { onesLike } from "../../ops/array/array.ts";
import {
  ApplyCenteredRMSProp,
  ApplyRMSProp,
  ResourceApplyCenteredRMSProp,
  ResourceApplyRMSProp,
  ResourceSparseApplyCenteredRMSProp,
  ResourceSparseApplyRMSProp,
  SparseApplyCenteredRMSProp,
  SparseApplyRMSProp,
} from "../../ops/state/training.ts";
import { onesInitializer } from "../variables/initializers.ts";
import type { Variable } from "../variables/variables.ts";
import { type Hyperparameter, inTypeOf, Optimizer } from "./optimizer.ts";

interface Options {
  readonly learningRate?: Hyperparameter;
  readonly decay?: Hyperparameter;
  readonly momentum?: Hyperparameter;
  readonly epsilon?: Hyperparameter;
  readonly useLocking?: boolean;
  readonly centered?: boolean;
  readonly name?: string;
}

/** Slots: "rms" (starts at ones), "momentum", and "mg" if centered. TF: tf.train.RMSPropOptimizer. */
export class RMSPropOptimizer extends Optimizer {
  private readonly options: Options;
  private readonly centered: boolean;
  private tensors: { readonly lr: Tensor; readonly rho: Tensor; readonly momentum: Tensor; readonly epsilon: Tensor } | undefined;

  constructor(learningRate: Hyperparameter | Options, ...rest: readonly (Hyperparameter | boolean | string | Options)[]) {
    const order = ["learningRate", "decay", "momentum", "epsilon", "useLocking", "centered", "name"];
    const options = collect<Options>(order, [learningRate, ...rest]);
    super(options.useLocking ?? false, options.name ?? "RMSProp");
    this.options = { decay: 0.9, momentum: 0, epsilon: 1e-10, ...options };
    this.centered = options.centered ?? false;
  }

  protected override createSlots(variables: readonly Variable[]): void {
    for (const variable of variables) {
      const initial = variable.shape.isFullyDefined ? onesInitializer(variable.dtype) : onesLike(variable);
      this.slotWithInitializer(variable, initial, "rms");
      if (this.centered) this.zerosSlot(variable, "mg");
      this.zerosSlot(variable, "momentum");
    }
  }

  protected override prepare(): void {
    const { learningRate, decay, momentum, epsilon } = this.options;
    this.tensors = {
      lr: this.tensorOf(learningRate, "learning_rate"),
      rho: this.tensorOf(decay, "decay"),
      momentum: this.tensorOf(momentum, "momentum"),
      epsilon: this.tensorOf(epsilon, "epsilon"),
    };
  }

  private record(variable: Variable): Record<string, Tensor> {
    const hyper = Object.entries(this.tensors ?? {}).map(([name, tensor]) => [name, inTypeOf(variable, tensor)]);
    return {
      ...(this.centered ? { mg: this.slot(variable, "mg") } : {}),
      ms: this.slot(variable, "rms"),
      mom: this.slot(variable, "momentum"),
      ...Object.fromEntries(hyper),
    };
  }

  protected override applyDense(gradient: Tensor, variable: Variable): unknown {
    const ops = this.centered
      ? { onRef: ApplyCenteredRMSProp, onResource: ResourceApplyCenteredRMSProp }
      : { onRef: ApplyRMSProp, onResource: ResourceApplyRMSProp };
    return this.step(ops, variable, { ...this.record(variable), grad: gradient });
  }

  protected override applySparse({ values, indices }: IndexedSlices, variable: Variable): unknown {
    const ops = this.centered
      ? { onRef: SparseApplyCenteredRMSProp, onResource: ResourceSparseApplyCenteredRMSProp }
      : { onRef: SparseApplyRMSProp, onResource: ResourceSparseApplyRMSProp };
    return this.step(ops, variable, { ...this.record(variable), grad: values, indices });
  }
}
