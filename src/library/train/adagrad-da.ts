// Adagrad with dual averaging (Duchi and others 2011): the weights follow from the sums of all gradients, so rare features start at zero.

import { floatText } from "../../base/python-text.ts";
import type { IndexedSlices } from "../../graph/indexed-slices.ts";
import { ValueError } from "../../base/errors.ts";
import { convertIntegers, type TensorLike } from "../../graph/conversion.ts";
import type { Tensor } from "../../graph/operation.ts";
import { collect } from "../../ops/arguments.ts";
import { constant, identity } from "../../ops/array/array.ts";
import { add } from "../../ops/operators.ts";
import { ApplyAdagradDA, ResourceApplyAdagradDA, ResourceSparseApplyAdagradDA, SparseApplyAdagradDA } from "../../ops/state/training.ts";
import type { Variable } from "../variables/variables.ts";
import { castFloat } from "../../ops/math/cast.ts";
import { type Hyperparameter, inTypeOf, Optimizer } from "./optimizer.ts";

interface Options {
  readonly learningRate?: Hyperparameter;
  /** Counted from 0; its value plus one scales the regularization. */
  readonly globalStep?: TensorLike;
  readonly initialGradientSquaredAccumulatorValue?: number;
  readonly l1RegularizationStrength?: number;
  readonly l2RegularizationStrength?: number;
  readonly useLocking?: boolean;
  readonly name?: string;
}

/** Slots: "gradient_accumulator", "gradient_squared_accumulator". TF: tf.train.AdagradDAOptimizer. */
export class AdagradDAOptimizer extends Optimizer {
  private readonly options: Options & Required<Pick<Options, "l1RegularizationStrength" | "l2RegularizationStrength">>;
  private readonly initialAccumulator: number;
  private rate: Tensor | undefined;
  private stepCount: Tensor | undefined;

  constructor(learningRate: Hyperparameter | Options, ...rest: readonly (TensorLike | Options)[]) {
    const order = [
      "learningRate",
      "globalStep",
      "initialGradientSquaredAccumulatorValue",
      "l1RegularizationStrength",
      "l2RegularizationStrength",
      "useLocking",
      "name",
    ];
    const options = collect<Options>(order, [learningRate, ...rest]);
    const { initialGradientSquaredAccumulatorValue: initial = 0.1 } = options;
    if (initial <= 0) throw new ValueError(`initial_gradient_squared_accumulator_value must be positive: ${floatText(initial)}`);
    super(options.useLocking ?? false, options.name ?? "AdagradDA");
    this.options = { l1RegularizationStrength: 0, l2RegularizationStrength: 0, ...options };
    this.initialAccumulator = initial;
  }

  protected override createSlots(variables: readonly Variable[]): void {
    for (const variable of variables) {
      const { shape, dtype } = variable;
      const [sum, squares] = variable.graph.colocateWith(variable.op, undefined, () => [
        constant(0, { dtype, shape }),
        constant(this.initialAccumulator, { dtype, shape }),
      ]);
      this.slotWithValue(variable, sum, "gradient_accumulator");
      this.slotWithValue(variable, squares, "gradient_squared_accumulator");
    }
  }

  protected override prepare(): void {
    const rate = this.tensorOf(this.options.learningRate, "learning_rate");
    this.rate = rate;
    this.stepCount = rate.graph.colocateWith(rate.op, undefined, () =>
      add(identity(convertIntegers(this.options.globalStep as TensorLike, "input")), 1),
    );
  }

  private record(variable: Variable) {
    const globalStep = variable.graph.device(variable.device, () => identity(this.stepCount as Tensor));
    return {
      gradientAccumulator: this.slot(variable, "gradient_accumulator"),
      gradientSquaredAccumulator: this.slot(variable, "gradient_squared_accumulator"),
      lr: inTypeOf(variable, this.rate as Tensor),
      l1: castFloat(this.options.l1RegularizationStrength, variable.dtype),
      l2: castFloat(this.options.l2RegularizationStrength, variable.dtype),
      globalStep,
    };
  }

  protected override applyDense(gradient: Tensor, variable: Variable): unknown {
    return this.step({ onRef: ApplyAdagradDA, onResource: ResourceApplyAdagradDA }, variable, { ...this.record(variable), grad: gradient });
  }

  protected override applySparse({ values, indices }: IndexedSlices, variable: Variable): unknown {
    const ops = { onRef: SparseApplyAdagradDA, onResource: ResourceSparseApplyAdagradDA };
    return this.step(ops, variable, { ...this.record(variable), grad: values, indices });
  }
}
