// tf.layers.batch_normalization: fused for images, by moments otherwise. The updates of the moving averages are put in UPDATE_OPS: programs
// run them with controlDependencies around the training step. The base of layers is in layers.ts.

import { UnimplementedError, ValueError } from "../../base/errors.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { Tensor } from "../../graph/operation.ts";
import { collect } from "../../ops/arguments.ts";
import { constant, reshape } from "../../ops/array/array.ts";
import { cast } from "../../ops/math/math.ts";
import { batchNormalization as normalized, fusedBatchNorm, moments } from "../../ops/nn/normalization.ts";
import { mul, sub } from "../../ops/operators.ts";
import { onesInitializer, zerosInitializer } from "../variables/initializers.ts";
import { layerArguments, type LayerOptions, type WeightOptions } from "./layer-base.ts";
import { Layer, type Rest, smartCond } from "./layers.ts";
import type { Regularizer, VariableInitializer } from "../variables/variable-scope.ts";
import { assignSub, type Constraint, type Variable } from "../variables/variables.ts";

export interface BatchNormalizationOptions extends LayerOptions {
  /** The dimension of features; default the last. */
  readonly axis?: number;
  /** Share of the old value in the moving averages. */
  readonly momentum?: number;
  readonly epsilon?: number;
  readonly center?: boolean;
  readonly scale?: boolean;
  readonly betaInitializer?: VariableInitializer | string | null;
  readonly gammaInitializer?: VariableInitializer | string | null;
  readonly movingMeanInitializer?: VariableInitializer | string | null;
  readonly movingVarianceInitializer?: VariableInitializer | string | null;
  readonly betaRegularizer?: Regularizer | null;
  readonly gammaRegularizer?: Regularizer | null;
  readonly betaConstraint?: Constraint | null;
  readonly gammaConstraint?: Constraint | null;
  /** Batch statistics (true) or moving averages (false), or a bool tensor that says which. */
  readonly training?: boolean | number | Tensor;
  readonly renorm?: boolean;
  readonly renormClipping?: object | null;
  readonly renormMomentum?: number;
  readonly fused?: boolean | null;
  readonly virtualBatchSize?: number | null;
  readonly adjustment?: unknown;
}

const parameterOrder = [
  "axis",
  "momentum",
  "epsilon",
  "center",
  "scale",
  "betaInitializer",
  "gammaInitializer",
  "movingMeanInitializer",
  "movingVarianceInitializer",
  "betaRegularizer",
  "gammaRegularizer",
  "betaConstraint",
  "gammaConstraint",
];
const laterParameters = ["renorm", "renormClipping", "renormMomentum", "fused", "trainable", "virtualBatchSize", "adjustment", "name"];

/** TF: tf.layers.BatchNormalization. */
export class BatchNormalization extends Layer {
  protected override readonly takesTensors = false;
  gamma: Variable | null = null;
  beta: Variable | null = null;
  private readonly options: BatchNormalizationOptions;
  private means: Variable | null = null;
  private variances: Variable | null = null;
  private axis = -1;
  private size = 0;
  private isFused = false;

  constructor(...rest: Rest<BatchNormalizationOptions>) {
    const options = collect<BatchNormalizationOptions>([...parameterOrder, ...laterParameters, ...layerArguments], rest);
    super("batch_normalization", options);
    if (options.renorm || options.virtualBatchSize || options.adjustment)
      throw new UnimplementedError("batch normalization with renorm, virtual_batch_size or adjustment is not supported.");
    this.options = options;
  }

  get movingMean(): Variable {
    return this.means as Variable;
  }
  get movingVariance(): Variable {
    return this.variances as Variable;
  }

  protected override makeWeights(input: Tensor): void {
    const { options } = this;
    const rank = input.shape.rank;
    if (rank === null) throw new ValueError(`Input has undefined rank. Received: input_shape=${input.shape}`);
    if (rank === 0) throw new ValueError(`Input has undefined rank. Received: input_shape=()`);
    const axis = options.axis ?? -1;
    if (axis < -rank || axis >= rank)
      throw new ValueError(
        `Invalid value for \`axis\` argument. Expected 0 <= axis < inputs.rank (with inputs.rank=${rank}). Received: axis=(${axis},)`,
      );
    this.axis = axis < 0 ? axis + rank : axis;
    const size = input.shape.dim(this.axis);
    if (size === null)
      throw new ValueError(`Input has undefined \`axis\` dimension. Received input with shape ${input.shape} and axis=(${this.axis},)`);
    this.size = size;
    this.isFused = (options.fused ?? true) && rank === 4 && (this.axis === 1 || this.axis === 3);
    // An initializer that is null, Python's None, is left to the scope.
    const { scale = true, center = true, gammaInitializer = onesInitializer(), betaInitializer = zerosInitializer() } = options;
    const { movingMeanInitializer = zerosInitializer(), movingVarianceInitializer = onesInitializer() } = options;
    // Statistics and parameters are kept in float32 for the narrow types.
    const dtype = input.dtype === "float16" || input.dtype === "bfloat16" ? "float32" : input.dtype;
    const weight = (name: string, initializer: WeightOptions["initializer"], more: object = {}): Variable =>
      this.addWeight(name, { shape: [size], dtype, initializer, ...more });
    if (scale)
      this.gamma = weight("gamma", gammaInitializer, {
        regularizer: options.gammaRegularizer,
        constraint: options.gammaConstraint,
      });
    if (center)
      this.beta = weight("beta", betaInitializer, {
        regularizer: options.betaRegularizer,
        constraint: options.betaConstraint,
      });
    this.means = weight("moving_mean", movingMeanInitializer, { trainable: false });
    this.variances = weight("moving_variance", movingVarianceInitializer, { trainable: false });
  }

  protected override call(input: Tensor, { training = false }: { training?: boolean | number | Tensor }): Tensor {
    return this.isFused ? this.fused(input, training) : this.plain(input, training);
  }

  private fused(input: Tensor, training: boolean | number | Tensor): Tensor {
    const { epsilon = 0.001 } = this.options;
    const { dtype } = this.movingMean;
    const beta = this.beta ?? constant(0, { dtype, shape: [this.size] });
    const gamma = this.gamma ?? constant(1, { dtype, shape: [this.size] });
    const dataFormat = this.axis === 1 ? "NCHW" : "NHWC";
    const run = (isTraining: boolean) => (): readonly Tensor[] =>
      fusedBatchNorm(input, gamma, beta, { mean: this.movingMean, variance: this.movingVariance, epsilon, isTraining, dataFormat });
    const [output, mean, variance] = smartCond(training, run(true), run(false));
    this.updateAverages(mean, variance, training);
    return output;
  }

  private plain(given: Tensor, training: boolean | number | Tensor): Tensor {
    const { epsilon = 0.001 } = this.options;
    const isNarrow = given.dtype === "float16" || given.dtype === "bfloat16";
    const input = isNarrow ? cast(given, "float32") : given;
    const rank = input.shape.rank as number;
    const axes = Array.from({ length: rank }, (_, i) => i).filter(axis => axis !== this.axis);
    // Vectors along the last dimension broadcast by themselves.
    const spread = (vector: TensorLike): Tensor =>
      this.axis === rank - 1
        ? convertToTensor(vector)
        : reshape(vector, axes.length === 0 ? [this.size] : Array.from({ length: rank }, (_, i) => (i === this.axis ? this.size : 1)));
    const scale = this.gamma && (this.axis === rank - 1 ? this.gamma : spread(this.gamma));
    const offset = this.beta && (this.axis === rank - 1 ? this.beta : spread(this.beta));
    let [mean, variance]: readonly TensorLike[] = [this.movingMean, this.movingVariance];
    if (training instanceof Tensor || training) {
      const [batchMean, batchVariance] = moments(input, axes) as readonly Tensor[];
      mean = smartCond(
        training,
        () => batchMean,
        () => convertToTensor(this.movingMean),
      );
      variance = smartCond(
        training,
        () => batchVariance,
        () => convertToTensor(this.movingVariance),
      );
      this.updateAverages(mean as Tensor, variance as Tensor, training);
    }
    const output = normalized(input, spread(mean), spread(variance), offset, scale, epsilon);
    output.setShape(given.shape);
    return isNarrow ? cast(output, given.dtype) : output;
  }

  private updateAverages(mean: Tensor, variance: Tensor, training: boolean | number | Tensor): void {
    if (!(training instanceof Tensor) && !training) return;
    const { momentum = 0.99 } = this.options;
    const share =
      training instanceof Tensor
        ? smartCond(
            training,
            () => constant(momentum),
            () => constant(1),
          )
        : constant(momentum);
    this.addUpdate(movedToward(this.movingMean, mean, share));
    this.addUpdate(movedToward(this.movingVariance, variance, share));
  }
}

/** variable -= (variable - value)·(1 - momentum). */
function movedToward(variable: Variable, value: Tensor, momentum: Tensor): Tensor {
  const { graph } = variable;
  return graph.nameScope("AssignMovingAvg", scope =>
    graph.colocateWith(variable.op, undefined, () => {
      const rest = sub(1, momentum);
      const rate = rest.dtype === variable.dtype ? rest : cast(rest, variable.dtype);
      const change = mul(sub(variable, cast(value, variable.dtype)), rate);
      return convertToTensor(assignSub(variable, change, { name: String(scope) }));
    }),
  );
}

/** Normalizes each feature over the batch: gamma·(x - mean)/√(variance + ε) + beta. With `training` the batch's own statistics are used, and the
 *  updates of the moving averages are added to UPDATE_OPS; else the moving averages. TF: tf.layers.batch_normalization. */
export function batchNormalization(inputs: TensorLike, ...rest: Rest<BatchNormalizationOptions>): Tensor {
  const order = [
    ...parameterOrder,
    "training",
    "trainable",
    "name",
    "reuse",
    "renorm",
    "renormClipping",
    "renormMomentum",
    "fused",
    "virtualBatchSize",
    "adjustment",
  ];
  const { training = false, ...options } = collect<BatchNormalizationOptions>(order, rest);
  return new BatchNormalization({ ...options, scope: options.name ?? null }).apply(inputs, { training });
}
