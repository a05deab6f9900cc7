// Losses multiplied before gradients are taken, and gradients divided after, so that small ones survive in float16: tf.mixed_precision. Runs here compute in the
// types that the graph says: nothing is rewritten to float16.

import { RuntimeError, ValueError } from "../../base/errors.ts";
import { pythonClass } from "../../base/python-text.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { IndexedSlices } from "../../graph/indexed-slices.ts";
import type { Operation, Tensor } from "../../graph/operation.ts";
import { cond } from "../../ops/flow/control-flow-contexts.ts";
import { group, noOp } from "../../ops/flow/control-flow.ts";
import { flatten, type Nested } from "../../ops/flow/nested.ts";
import { isFinite as isFiniteNumber } from "../../ops/math/functions.ts";
import { cast } from "../../ops/math/cast.ts";
import { maximum } from "../../ops/math/math.ts";
import { reduceAll } from "../../ops/math/reduction.ts";
import { add, greaterEqual, mul, truediv } from "../../ops/operators.ts";
import { Variable } from "../variables/variables.ts";
import {
  type ApplyGradientsOptions,
  type ComputeGradientsOptions,
  type Gradient,
  type GradientAndVariable,
  type GradientsAndVariables,
  operationOf,
  Optimizer,
} from "./optimizer.ts";
import { refuseOthers } from "../../ops/arguments.ts";

/** What losses are multiplied by. A subclass gives it as a tensor when called (`value`), and says after each step's gradients what becomes of it (`update`).
 *  TF: tf.mixed_precision.LossScale. */
export abstract class LossScale {
  /** Its variables by name. */
  readonly weights = new Map<string, Variable>();

  /** The scale now, a float32 scalar. TF: LossScale.__call__. */
  abstract value(): Tensor;
  /** The operation that follows the gradients (null among them are passed over), and whether these are to be applied. */
  abstract update(grads: Nested): [updateOp: Operation, shouldApplyGradients: Tensor | boolean];
  abstract getConfig(): Readonly<Record<string, number>>;

  /** Makes a variable of the scale's. @throws RuntimeError for a name that is taken. */
  protected addWeight(name: string, initialValue: TensorLike): Variable {
    if (this.weights.has(name)) throw new RuntimeError(`Duplicate variables detected. ('${name}')`);
    const variable = new Variable(convertWeight(initialValue), { name, trainable: false, useResource: true });
    this.weights.set(name, variable);
    return variable;
  }

  /** The variables that it has. */
  variables(): Variable[] {
    return [...this.weights.values()];
  }
}

const convertWeight = (value: TensorLike) => () => convertToTensor(value, { name: "initial_value" });

/** A scale that stays as it is. TF: tf.mixed_precision.FixedLossScale. @throws ValueError for numbers below 1. */
export class FixedLossScale extends LossScale {
  private readonly scale: number;

  constructor(lossScaleValue: number) {
    super();
    if (typeof lossScaleValue !== "number") throw new ValueError("loss_scale_value must be a Python int or float.");
    if (lossScaleValue < 1) throw new ValueError("loss_scale_value must be at least 1.");
    this.scale = lossScaleValue;
  }

  static fromConfig({ lossScaleValue }: { readonly lossScaleValue: number }): FixedLossScale {
    return new FixedLossScale(lossScaleValue);
  }

  value(): Tensor {
    return convertToTensor(this.scale, { dtype: "float32" });
  }

  update(_grads: Nested): [Operation, boolean] {
    return [noOp(), true];
  }

  getConfig(): Readonly<Record<string, number>> {
    return { lossScaleValue: this.scale };
  }
}

interface DynamicOptions {
  readonly initialLossScale?: number;
  /** So many steps with finite gradients before the scale grows. */
  readonly incrementPeriod?: number;
  readonly multiplier?: number;
}

/** A scale that shrinks by `multiplier` where gradients are not finite, which are then not applied, and grows by it after `incrementPeriod` finite steps.
 *  TF: tf.mixed_precision.DynamicLossScale. */
export class DynamicLossScale extends LossScale {
  readonly initialLossScale: number;
  readonly incrementPeriod: number;
  readonly multiplier: number;
  private readonly current: Variable;
  private readonly goodSteps: Variable;

  constructor({ initialLossScale = 2 ** 15, incrementPeriod = 2000, multiplier = 2, ...others }: DynamicOptions = {}) {
    refuseOthers(others);
    super();
    this.initialLossScale = initialLossScale;
    this.incrementPeriod = Math.trunc(incrementPeriod);
    this.multiplier = multiplier;
    this.current = this.addWeight("current_loss_scale", initialLossScale);
    this.goodSteps = this.addWeight("good_steps", 0n);
  }

  static fromConfig(config: DynamicOptions): DynamicLossScale {
    return new DynamicLossScale(config);
  }

  value(): Tensor {
    return convertToTensor(this.current);
  }

  update(grads: Nested): [Operation, Tensor] {
    const { current, goodSteps, multiplier } = this;
    const found = (flatten(grads) as Gradient[]).filter(gradient => gradient !== null);
    const isFinite = reduceAll(
      found.map(gradient => reduceAll(isFiniteNumber(gradient instanceof IndexedSlices ? gradient.values : gradient))),
    );
    const grow = (): Operation => {
      const larger = mul(current, multiplier);
      const grown = cond(
        isFiniteNumber(larger),
        () => operationOf(current.assign(larger)),
        () => noOp(),
      ) as Tensor;
      return group(grown.op, operationOf(goodSteps.assign(0n)));
    };
    const updated = cond(
      isFinite,
      () => cond(greaterEqual(add(goodSteps, 1n), BigInt(this.incrementPeriod)), grow, () => operationOf(goodSteps.assignAdd(1n))),
      () => {
        const smaller = maximum(truediv(current, multiplier), 1);
        return group(operationOf(goodSteps.assign(0n)), operationOf(current.assign(smaller)));
      },
    ) as Tensor;
    return [updated.op, isFinite];
  }

  getConfig(): Readonly<Record<string, number>> {
    return { initialLossScale: this.initialLossScale, incrementPeriod: this.incrementPeriod, multiplier: this.multiplier };
  }
}

type LossScaleLike = LossScale | number | "dynamic";

function scaleOf(given: LossScaleLike | null): LossScale {
  if (typeof given === "number") return new FixedLossScale(given);
  if (given === "dynamic") return new DynamicLossScale();
  if (given instanceof LossScale) return given;
  throw new ValueError(given === null ? "loss_scale cannot be None" : `Could not interpret loss scale identifier: ${String(given)}`);
}

/** An optimizer of which losses are scaled and gradients scaled back. With a DynamicLossScale a step whose gradients are not finite changes no variable.
 *  TF: tf.mixed_precision.MixedPrecisionLossScaleOptimizer. @throws ValueError for what is no optimizer. */
export class MixedPrecisionLossScaleOptimizer extends Optimizer {
  private readonly wrapped: Optimizer;
  private readonly lossScale: LossScale;

  constructor(opt: Optimizer, lossScale: LossScaleLike) {
    if (!(opt instanceof Optimizer)) throw new ValueError(`"opt" must be an instance of Optimizer, but got: ${pythonClass(opt)}`);
    super(false, opt.getName());
    this.wrapped = opt;
    this.lossScale = scaleOf(lossScale);
  }

  override computeGradients(loss: TensorLike, ...rest: unknown[]): [gradient: Gradient, variable: Variable][] {
    const target = convertToTensor(loss);
    const scaled = mul(target, castTo(this.lossScale.value(), target));
    const pairs = this.wrapped.computeGradients(scaled, ...(rest as [ComputeGradientsOptions?]));
    const back = truediv(1, this.lossScale.value());
    return pairs.map(([gradient, variable]) => [unscaled(gradient, back), variable]);
  }

  override applyGradients(given: GradientsAndVariables, ...rest: unknown[]): Operation {
    if (!(this.lossScale instanceof DynamicLossScale)) return this.wrapped.applyGradients(given, ...(rest as [ApplyGradientsOptions?]));
    const pairs = [...given] as GradientAndVariable[];
    const { globalStep = null, name } = optionsOf(rest);
    const [updated, isFinite] = this.lossScale.update(pairs.map(([gradient]) => gradient));
    const own = name ?? this.getName();
    const applied = cond(
      isFinite,
      () => this.wrapped.applyGradients(pairs, { globalStep, name: `${own}-wrapped` }),
      () => noOp(),
    ) as Tensor;
    return group(applied.op, updated, { name: own });
  }

  override variables(): Variable[] {
    return [...this.wrapped.variables(), ...this.lossScale.variables()];
  }
}

const castTo = (scale: Tensor, { dtype }: Tensor): Tensor => (dtype === scale.dtype ? scale : cast(scale, dtype));

/** Options by place or in an object. */
function optionsOf([first, second]: readonly unknown[]): ApplyGradientsOptions {
  const isStep = first instanceof Variable || (typeof first === "object" && first !== null && "op" in first);
  return isStep
    ? { globalStep: first as Variable, ...(second as ApplyGradientsOptions) }
    : ((first ?? second ?? {}) as ApplyGradientsOptions);
}

function unscaled(gradient: Gradient, back: Tensor): Gradient {
  if (gradient === null) return null;
  if (gradient instanceof IndexedSlices)
    return new IndexedSlices(mul(gradient.values, castTo(back, gradient.values)), gradient.indices, gradient.denseShape);
  return mul(gradient, castTo(back, gradient));
}

/** The optimizer with scaled losses. Nothing else changes: kernels compute in the types that the graph says.
 *  TF: tf.mixed_precision.enable_mixed_precision_graph_rewrite. @throws ValueError for what is no optimizer, or is one of these already. */
export function enableMixedPrecisionGraphRewrite(
  opt: Optimizer,
  { lossScale = "dynamic" }: { readonly lossScale?: LossScaleLike } = {},
): MixedPrecisionLossScaleOptimizer {
  if (opt instanceof MixedPrecisionLossScaleOptimizer)
    throw new ValueError('"opt" must not already be an instance of a MixedPrecisionLossScaleOptimizer.');
  if (!(opt instanceof Optimizer))
    throw new ValueError(`"opt" must be an instance of a tf.train.Optimizer or a tf.keras.optimizers.Optimizer, but got: ${String(opt)}`);
  return new MixedPrecisionLossScaleOptimizer(opt, lossScale);
}

/** Nothing was rewritten. TF: tf.mixed_precision.disable_mixed_precision_graph_rewrite. */
export const disableMixedPrecisionGraphRewrite = (): void => undefined;
