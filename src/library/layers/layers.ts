// tf.layers: functions of a tensor that make their own variables, and the classes behind them, which can be applied again with the same
// variables. Here: dense, flatten and dropout. Convolutions: layers/convolution.ts; pooling: layers/pooling.ts; batch normalization: layers/normalization.ts; the
// base that RNN cells share: layers/layer-base.ts.

import type { DType } from "../../base/dtype.ts";
import { floatText } from "../../base/python-text.ts";
import { isComplex, isFloating } from "../../base/dtype.ts";
import { ValueError } from "../../base/errors.ts";
import { pythonClass, pythonStr } from "../../base/python-text.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { Tensor } from "../../graph/operation.ts";
import { staticValues } from "../../graph/static-value.ts";
import { collect } from "../../ops/arguments.ts";
import { constant, expandDims, identity, reshape, shape as shapeOf } from "../../ops/array/array.ts";
import { transpose } from "../../ops/array/rearranging.ts";
import { getItem } from "../../ops/array/slicing.ts";
import { cond } from "../../ops/flow/control-flow-contexts.ts";
import { matmul, tensordot } from "../../ops/math/matrix.ts";
import { biasAdd, dropout as dropoutOf } from "../../ops/nn/nn.ts";
import { zerosInitializer } from "../variables/initializers.ts";
import { type Activation, type ActivationLike, activationOf } from "./keras-activations.ts";
import { layerArguments, type LayerOptions, ScopedLayer, snakeName, type WeightOptions } from "./layer-base.ts";
import type { Regularizer, VariableInitializer } from "../variables/variable-scope.ts";
import type { Constraint, Variable } from "../variables/variables.ts";

/** Called as a function, a layer is applied. */
export interface Layer {
  (named: { readonly inputs: TensorLike; readonly [option: string]: unknown }): Tensor;
  (inputs: TensorLike, options?: Readonly<Record<string, unknown>>): Tensor;
}
/** TF: tf.layers.Layer. Subclasses supply `build`, which makes the variables, and `call`. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the base class makes its instances callable
export abstract class Layer extends ScopedLayer {
  /** `super()`, `super({ name })` in a program's own classes. */
  constructor(...given: [options?: LayerOptions] | [kind: string, options?: LayerOptions, activityRegularizer?: Regularizer | null]) {
    const [kind, options, activityRegularizer] = typeof given[0] === "string" ? given : [snakeName(new.target.name), given[0]];
    super(kind as string, options as LayerOptions | undefined, activityRegularizer as Regularizer | null | undefined);
  }

  /** Does the layer say so, where it is given none? */
  protected readonly takesTensors: boolean = true;

  /** Does it make its weights by the shape of the input? */
  protected readonly isBuiltOfShapes: boolean = false;

  protected makeWeights(input: Tensor): void {
    this.build(input.shape);
  }
  protected abstract call(input: Tensor, options: Readonly<Record<string, unknown>>): Tensor;

  /** The layer's output for an input; the first time its variables are made. */
  override apply(inputs: TensorLike, options: Readonly<Record<string, unknown>> = {}): Tensor {
    if (this.takesTensors) refuseNoTensor(inputs, this.name);
    // A list of one tensor is packed, but what is asked of its shape is asked of the tensor.
    const isListed = Array.isArray(inputs) && inputs.length === 1 && inputs[0] instanceof Tensor;
    if (isListed) this.refuseList(inputs[0]);
    const input = convertToTensor(inputs);
    this.inputSpec?.check(this.name, input);
    return this.inScope(input.graph, () => {
      if (!this.built) {
        this.makeWeights(isListed ? (inputs as readonly Tensor[])[0] : input);
        this.built = true;
      }
      const output = this.call(input, options);
      this.regularizeActivity(output);
      return output;
    });
  }

  /** A list of tensors is packed, but what a layer makes its weights for is the list of their shapes. */
  private refuseList(item: Tensor): void {
    if (this.built || !this.isBuiltOfShapes) return;
    this.inputSpec?.check(this.name, item);
    const { dims } = item.shape;
    const shown = dims === null ? "TensorShape(None)" : `TensorShape([${dims.map(size => `Dimension(${size ?? "None"})`).join(", ")}])`;
    throw new TypeError(
      `Dimension value must be integer or None or have an __index__ method, got value '${shown}' with type '<class 'tensorflow.python.framework.tensor_shape.TensorShape'>'`,
    );
  }

  /** An activation, or the one of a name; none leaves the output as it is. */
  protected activationOf(given: ActivationLike | null | undefined): Activation {
    return given === null || given === undefined ? x => x : activationOf(given);
  }
}

/** @throws TypeError for None and for text, alone or in lists. */
function refuseNoTensor(inputs: unknown, layerName: string): void {
  for (const item of [inputs].flat(9))
    if (item === null || item === undefined || typeof item === "string")
      throw new TypeError(
        `Inputs to a layer should be tensors. Got '${pythonStr(item)}' (of type ${pythonClass(item)}) as input for layer '${layerName}'.`,
      );
}

// ---- dense ----

export interface KernelOptions extends LayerOptions {
  /** A function, or a name: "relu". */
  readonly activation?: ActivationLike | null;
  readonly useBias?: boolean;
  readonly kernelInitializer?: VariableInitializer | string | null;
  readonly biasInitializer?: VariableInitializer | string | null;
  readonly kernelRegularizer?: Regularizer | null;
  readonly biasRegularizer?: Regularizer | null;
  readonly activityRegularizer?: Regularizer | null;
  readonly kernelConstraint?: Constraint | null;
  readonly biasConstraint?: Constraint | null;
}

export const kernelOrder = [
  "activation",
  "useBias",
  "kernelInitializer",
  "biasInitializer",
  "kernelRegularizer",
  "biasRegularizer",
  "activityRegularizer",
  "kernelConstraint",
  "biasConstraint",
  "trainable",
  "name",
  "reuse",
] as const;

/** Options, or TensorFlow's arguments by position. */
export type Rest<O> = readonly (O | TensorLike | ActivationLike | VariableInitializer | Regularizer | null | undefined)[];

/** Every input connected to every unit: activation(input·kernel + bias). TF: tf.layers.Dense. */
export class Dense extends Layer {
  protected override readonly isBuiltOfShapes = true;
  readonly units: number;
  /** There from the first call on. */
  kernel!: Variable;
  bias: Variable | null = null;
  private readonly options: KernelOptions;

  constructor(units: number, ...rest: readonly (KernelOptions | Activation | boolean | string | null | undefined)[]) {
    const options = collect<KernelOptions>([...kernelOrder, ...layerArguments], rest);
    super("dense", options, options.activityRegularizer ?? null);
    this.units = typeof units === "number" ? Math.trunc(units) : typeof units === "boolean" ? units : Number(units);
    if (!(this.units >= 0))
      throw new ValueError(`Received an invalid value for \`units\`, expected a positive integer. Received: units=${pythonStr(units)}`);
    this.options = options;
  }

  override get supportsMasking(): boolean {
    return true;
  }

  protected override makeWeights(input: Tensor): void {
    const { dtype, shape } = input;
    this.checkRank(input, 2, true);
    if (!isFloating(dtype) && !isComplex(dtype))
      throw new TypeError(`A Dense layer can only be built with a floating-point dtype. Received: dtype=<dtype: '${dtype}'>`);
    const size = shape.dim(-1);
    if (size === null)
      throw new ValueError(
        `The last dimension of the inputs to a Dense layer should be defined. Found None. Full input shape received: ${shape}`,
        "Give the placeholder a known last dimension, such as [null, 784].",
      );
    const { kernelInitializer, kernelRegularizer, kernelConstraint, useBias = true } = this.options;
    this.kernel = this.addWeight("kernel", {
      shape: [size, this.units],
      dtype,
      initializer: kernelInitializer,
      regularizer: kernelRegularizer,
      constraint: kernelConstraint,
    });
    if (useBias) this.bias = this.addWeight("bias", biasOf(this.options, this.units, dtype));
  }

  protected override call(input: Tensor): Tensor {
    const kernel = this.kernel as Variable;
    const { rank } = input.shape;
    let output: Tensor;
    if (rank === 2 || rank === null) output = matmul(input, kernel);
    else {
      output = tensordot(input, kernel, [[rank - 1], [0]]);
      output.setShape([...input.shape.asList().slice(0, -1), this.units]);
    }
    if (this.bias) output = biasAdd(output, this.bias);
    return this.activationOf(this.options.activation)(output);
  }
}

/** The bias of a layer with `size` outputs. */
export const biasOf = (
  { biasInitializer = zerosInitializer(), biasRegularizer, biasConstraint }: KernelOptions,
  size: number,
  dtype: DType,
): WeightOptions => ({
  shape: [size],
  dtype,
  // Of null, Python's None, the scope decides.
  initializer: biasInitializer,
  regularizer: biasRegularizer,
  constraint: biasConstraint,
});

/** activation(inputs·kernel + bias): variables `dense/kernel` [inputs, units] and `dense/bias` [units]. Of inputs of rank above 2 the last
 *  dimension is connected. TF: tf.layers.dense. */
export function dense(inputs: TensorLike, units: number, ...rest: Rest<KernelOptions>): Tensor {
  const options = collect<KernelOptions>(kernelOrder, rest);
  return new Dense(units, { ...options, scope: options.name ?? null }).apply(inputs);
}

// ---- flatten ----

interface FlattenOptions extends LayerOptions {
  readonly dataFormat?: "channels_last" | "channels_first";
}

/** TF: tf.layers.Flatten. */
export class Flatten extends Layer {
  private readonly channelsFirst: boolean;

  constructor(options: FlattenOptions = {}) {
    super("flatten", options);
    this.channelsFirst = options.dataFormat === "channels_first";
  }

  protected override makeWeights(): void {}

  protected override call(given: Tensor): Tensor {
    let input = given;
    const { rank } = input.shape;
    if (rank === 0)
      throw new ValueError(
        `Input 0 of layer "${this.name}" is incompatible with the layer: expected min_ndim=1, found ndim=0. Full shape received: ()`,
      );
    if (this.channelsFirst && rank !== null && rank > 1)
      input = transpose(input, [0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1]);
    if (rank === 1) return expandDims(input, 1);
    const rest = input.shape.slice(1);
    const batch = input.shape.dim(0);
    if (rest.isFullyDefined) return reshape(input, constant([-1, rest.size as number], "int32"));
    if (batch !== null) return reshape(input, constant([batch, -1], "int32"));
    return reshape(input, [getItem(shapeOf(input), 0), -1]);
  }
}

/** All dimensions but the first made one. TF: tf.layers.flatten. */
export function flatten(inputs: TensorLike, ...rest: Rest<FlattenOptions>): Tensor {
  const options = collect<FlattenOptions>(["name", "dataFormat"], rest);
  return new Flatten(options).apply(inputs);
}

// ---- dropout ----

interface DropoutOptions extends LayerOptions {
  readonly rate?: TensorLike;
  readonly noiseShape?: TensorLike | null;
  readonly seed?: number | null;
  /** Drops only while training: true, false, or a bool tensor. */
  readonly training?: boolean | Tensor;
}

/** TF: tf.layers.Dropout. */
export class Dropout extends Layer {
  protected override readonly takesTensors = false;
  private readonly options: DropoutOptions;

  constructor(...rest: readonly (DropoutOptions | TensorLike | null | undefined)[]) {
    const options = collect<DropoutOptions>(["rate", "noiseShape", "seed", "name", ...layerArguments], rest);
    super("dropout", options);
    if (typeof options.rate === "number" && (options.rate < 0 || options.rate > 1))
      throw new ValueError(`Invalid value ${floatText(options.rate)} received for \`rate\`, expected a value between 0 and 1.`);
    this.options = options;
  }

  override get supportsMasking(): boolean {
    return true;
  }

  protected override makeWeights(): void {}

  protected override call(input: Tensor, { training = false }: { training?: boolean | Tensor }): Tensor {
    const { rate = 0.5, noiseShape, seed } = this.options;
    if (rate === 0) return identity(input);
    return smartCond(
      training,
      () => dropoutOf(input, { rate, noiseShape: noiseShape ?? undefined, seed: seed ?? undefined }),
      () => identity(input),
    );
  }
}

/** While training: elements zeroed at random with probability `rate`, the others scaled up; else the input. TF: tf.layers.dropout. */
export function dropout(inputs: TensorLike, ...rest: Rest<DropoutOptions>): Tensor {
  const { training = false, ...options } = collect<DropoutOptions>(["rate", "noiseShape", "seed", "training", "name"], rest);
  return new Dropout(options).apply(inputs, { training });
}

/** One of two branches, chosen now if that is possible. */
export function smartCond<T>(choice: boolean | number | Tensor, whenTrue: () => T, whenFalse: () => T): T {
  if (!(choice instanceof Tensor) && typeof choice !== "boolean" && choice !== 0 && choice !== 1)
    throw new TypeError(`\`pred\` must be a Tensor, or a Python bool, or 1 or 0. Received: ${pythonClass(choice)}`);
  const known = choice instanceof Tensor ? staticValues([choice])?.[0].get(0) : choice;
  if (known === undefined) return cond(choice as Tensor, whenTrue as () => Tensor, whenFalse as () => Tensor) as T;
  return known ? whenTrue() : whenFalse();
}
