// Adagrad (Duchi and others 2011): a += g²; w -= lr·g/√a.

import { floatText } from "../../base/python-text.ts";
import type { IndexedSlices } from "../../graph/indexed-slices.ts";
import { ValueError } from "../../base/errors.ts";
import type { Tensor } from "../../graph/operation.ts";
import { collect } from "../../ops/arguments.ts";
import { fill, shape } from "../../ops/array/array.ts";
import { ApplyAdagrad, ResourceApplyAdagrad, ResourceSparseApplyAdagrad, SparseApplyAdagrad } from "../../ops/state/training.ts";
import { constantInitializer, type Initializer } from "../variables/initializers.ts";
import type { Variable } from "../variables/variables.ts";
import { type Hyperparameter, inTypeOf, Optimizer } from "./optimizer.ts";

interface Options {
  readonly learningRate?: Hyperparameter;
  readonly initialAccumulatorValue?: number;
  readonly useLocking?: boolean;
  readonly name?: string;
}

/** Slot: "accumulator". TF: tf.train.AdagradOptimizer. @throws ValueError if the initial accumulator is not positive. */
export class AdagradOptimizer extends Optimizer {
  private readonly learningRate: Hyperparameter | undefined;
  private readonly initialAccumulator: number;
  private rate: Tensor | undefined;

  constructor(learningRate: Hyperparameter | Options, ...rest: readonly (number | boolean | string | Options)[]) {
    const order = ["learningRate", "initialAccumulatorValue", "useLocking", "name"];
    const options = collect<Options>(order, [learningRate, ...rest]);
    const { initialAccumulatorValue = 0.1 } = options;
    if (initialAccumulatorValue <= 0)
      throw new ValueError(`initial_accumulator_value must be positive: ${floatText(initialAccumulatorValue)}`);
    super(options.useLocking ?? false, options.name ?? "Adagrad");
    this.learningRate = options.learningRate;
    this.initialAccumulator = initialAccumulatorValue;
  }

  protected override createSlots(variables: readonly Variable[]): void {
    for (const variable of variables) {
      const initial = variable.shape.isFullyDefined
        ? constantInitializer(this.initialAccumulator, variable.dtype)
        : (((): Tensor => inTypeOf(variable, fill(shape(variable), this.initialAccumulator))) as Initializer);
      this.slotWithInitializer(variable, initial, "accumulator");
    }
  }

  protected override prepare(): void {
    this.rate = this.tensorOf(this.learningRate, "learning_rate");
  }

  private record(variable: Variable) {
    return { accum: this.slot(variable, "accumulator"), lr: inTypeOf(variable, this.rate as Tensor) };
  }

  protected override applyDense(gradient: Tensor, variable: Variable): unknown {
    return this.step({ onRef: ApplyAdagrad, onResource: ResourceApplyAdagrad }, variable, { ...this.record(variable), grad: gradient });
  }

  protected override applySparse({ values, indices }: IndexedSlices, variable: Variable): unknown {
    const ops = { onRef: SparseApplyAdagrad, onResource: ResourceSparseApplyAdagrad };
    return this.step(ops, variable, { ...this.record(variable), grad: values, indices });
  }
}
