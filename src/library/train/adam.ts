// Adam (Kingma and Ba 2015), in TensorFlow's form: the bias corrections are folded into the learning rate, epsilon is added to √v.

import type { IndexedSlices } from "../../graph/indexed-slices.ts";
import type { Operation, Tensor } from "../../graph/operation.ts";
import { collect } from "../../ops/arguments.ts";
import { group } from "../../ops/flow/control-flow.ts";
import { sqrt } from "../../ops/math/functions.ts";
import { cast } from "../../ops/math/cast.ts";
import { add, mul, sub, truediv } from "../../ops/operators.ts";
import { ResourceScatterAdd, ScatterAdd } from "../../ops/state/state.ts";
import { ApplyAdam, ResourceApplyAdam } from "../../ops/state/training.ts";
import type { Variable } from "../variables/variables.ts";
import { assign, assignSub } from "../variables/variables.ts";
import { type Hyperparameter, inTypeOf, Optimizer, operationOf } from "./optimizer.ts";

interface Options {
  readonly learningRate?: Hyperparameter;
  readonly beta1?: Hyperparameter;
  readonly beta2?: Hyperparameter;
  readonly epsilon?: Hyperparameter;
  readonly useLocking?: boolean;
  readonly name?: string;
  readonly useOwnNamescopeForNonSlotVars?: boolean;
}
type Arguments = readonly (Hyperparameter | boolean | string | Options | null | undefined)[];

/** `new AdamOptimizer(1e-4)`, `new AdamOptimizer(2e-4, { beta1: 0.5 })`. Slots: "m", "v". TF: tf.train.AdamOptimizer. */
export class AdamOptimizer extends Optimizer {
  private readonly options: Required<Pick<Options, "learningRate" | "beta1" | "beta2" | "epsilon">>;
  private rate: Tensor | undefined;
  private beta1: Tensor | undefined;
  private beta2: Tensor | undefined;
  private epsilon: Tensor | undefined;

  constructor(...given: Arguments) {
    const order = ["learningRate", "beta1", "beta2", "epsilon", "useLocking", "name", "useOwnNamescopeForNonSlotVars"];
    const { learningRate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, ...base } = collect<Options>(order, given);
    super(base.useLocking ?? false, base.name ?? "Adam", base.useOwnNamescopeForNonSlotVars);
    this.options = { learningRate, beta1, beta2, epsilon };
  }

  protected override createSlots(variables: readonly Variable[]): void {
    const first = variables.reduce((least, variable) => (variable.name < least.name ? variable : least));
    const start = (value: Hyperparameter) => (typeof value === "function" ? value() : value);
    this.nonSlotVariable("beta1_power", start(this.options.beta1), first);
    this.nonSlotVariable("beta2_power", start(this.options.beta2), first);
    for (const variable of variables) {
      this.zerosSlot(variable, "m");
      this.zerosSlot(variable, "v");
    }
  }

  protected override prepare(): void {
    const { learningRate, beta1, beta2, epsilon } = this.options;
    this.rate = this.tensorOf(learningRate, "learning_rate");
    this.beta1 = this.tensorOf(beta1, "beta1");
    this.beta2 = this.tensorOf(beta2, "beta2");
    this.epsilon = this.tensorOf(epsilon, "epsilon");
  }

  /** A power of beta in the type of the variable; reading it from a ref takes a name for a cast, as in TensorFlow, even where none is needed. */
  private power(variable: Variable, name: string): Tensor | Variable {
    const power = this.getNonSlot(name);
    return power.isResource ? inTypeOf(variable, power) : cast(power, variable.dtype);
  }

  private hyperparameters(variable: Variable) {
    return {
      beta1Power: this.power(variable, "beta1_power"),
      beta2Power: this.power(variable, "beta2_power"),
      lr: inTypeOf(variable, this.rate as Tensor),
      beta1: inTypeOf(variable, this.beta1 as Tensor),
      beta2: inTypeOf(variable, this.beta2 as Tensor),
      epsilon: inTypeOf(variable, this.epsilon as Tensor),
    };
  }

  protected override applyDense(gradient: Tensor, variable: Variable): unknown {
    const ops = { onRef: ApplyAdam, onResource: ResourceApplyAdam };
    const slots = { m: this.slot(variable, "m"), v: this.slot(variable, "v") };
    return this.step(ops, variable, { ...slots, ...this.hyperparameters(variable), grad: gradient });
  }

  /** Not lazy: the moments of all rows decay, and all rows move. */
  protected override applySparse({ values, indices }: IndexedSlices, variable: Variable): Operation {
    const { beta1Power, beta2Power, lr, beta1, beta2, epsilon } = this.hyperparameters(variable);
    const rate = truediv(mul(lr, sqrt(sub(1, beta2Power))), sub(1, beta1Power));
    const m = this.decayed(variable, "m", indices, mul(values, sub(1, beta1)), beta1);
    const v = this.decayed(variable, "v", indices, mul(mul(values, values), sub(1, beta2)), beta2);
    const root = sqrt(v);
    const change = truediv(mul(rate, m), add(root, epsilon));
    const update = assignSub(variable, change, { useLocking: this.useLocking });
    return group(operationOf(update), m.op, v.op);
  }

  /** slot = slot·beta + the rows' values. */
  private decayed(variable: Variable, name: "m" | "v", indices: Tensor, updates: Tensor, beta: Tensor): Tensor {
    const slot = this.getSlot(variable, name) as Variable;
    const { graph } = variable;
    const decay = operationOf(assign(slot, mul(slot, beta), { useLocking: this.useLocking }));
    return graph.controlDependencies([decay], () => {
      if (!slot.isResource) return ScatterAdd({ ref: slot.handle, indices, updates, useLocking: this.useLocking });
      const scattered = ResourceScatterAdd({ resource: slot.handle, indices, updates, dtype: slot.dtype });
      return graph.controlDependencies([scattered], () => slot.value());
    });
  }

  protected override finish(updates: readonly Operation[], scope: string): Operation {
    const [power1, power2] = [this.getNonSlot("beta1_power"), this.getNonSlot("beta2_power")];
    const { graph } = power1;
    const grown = graph.controlDependencies(updates, () =>
      graph.colocateWith(power1.op, undefined, () => [
        operationOf(power1.assign(mul(power1.value(), this.beta1 as Tensor), { useLocking: this.useLocking })),
        operationOf(power2.assign(mul(power2.value(), this.beta2 as Tensor), { useLocking: this.useLocking })),
      ]),
    );
    return group(...updates, ...grown, { name: scope });
  }
}
