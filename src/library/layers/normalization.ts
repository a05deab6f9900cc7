// tf.layers.batch_normalization: fused for images, by moments otherwise. The updates of the moving averages are put in UPDATE_OPS: programs
// run them with controlDependencies around the training step. The base of layers is in layers.ts.

import { ValueError } from "../../base/errors.ts";
import { pythonRepr } from "../../base/python-text.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { Tensor } from "../../graph/operation.ts";
import { collect } from "../../ops/arguments.ts";
import { constant, identity, onesLike, reshape, shape as shapeOf, stopGradient, zerosLike } from "../../ops/array/array.ts";
import { concat, getItem } from "../../ops/array/slicing.ts";
import { sqrt } from "../../ops/math/functions.ts";
import { cast } from "../../ops/math/cast.ts";
import { maximum, minimum } from "../../ops/math/math.ts";
import { reduceMean } from "../../ops/math/reduction.ts";
import { relu } from "../../ops/nn/nn.ts";
import { batchNormalization as normalized, fusedBatchNorm, moments } from "../../ops/nn/normalization.ts";
import { add, mul, neg, sub, truediv } from "../../ops/operators.ts";
import { initializerNamed } from "../variables/initializer-names.ts";
import { type Initializer, onesInitializer, zerosInitializer } from "../variables/initializers.ts";
import { layerArguments, type LayerOptions, type WeightOptions } from "./layer-base.ts";
import { Layer, type Rest, smartCond } from "./layers.ts";
import type { Regularizer, VariableInitializer } from "../variables/variable-scope.ts";
import { assign, assignSub, type Constraint, type Variable } from "../variables/variables.ts";

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
  /** Batches are corrected toward running averages while training, so that training and use agree for small batches (arXiv:1702.03275). */
  readonly renorm?: boolean;
  /** Bounds of the correction: the factor within rmin and rmax, what is added within -dmax and dmax. */
  readonly renormClipping?: RenormClipping | null;
  /** Share of the old value in the averages that batches are corrected toward. */
  readonly renormMomentum?: number;
  readonly fused?: boolean | null;
  /** Batches are normalized in parts, as [virtualBatchSize, parts, …], whose rows are the parts' batches: TensorFlow 1 has them in this order. */
  readonly virtualBatchSize?: number | null;
  /** Gives from the shape of the input a factor and what is added to normalized values while training, before scale and center. */
  readonly adjustment?: ((shape: Tensor) => readonly [Tensor, Tensor]) | null;
}

interface RenormClipping {
  readonly rmin?: TensorLike | null;
  readonly rmax?: TensorLike | null;
  readonly dmax?: TensorLike | null;
}

type Training = boolean | number | Tensor;

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
  protected override readonly isBuiltOfShapes = true;
  gamma: Variable | null = null;
  beta: Variable | null = null;
  private readonly options: BatchNormalizationOptions;
  private means: Variable | null = null;
  private variances: Variable | null = null;
  /** What renormalization keeps besides. */
  private renorm: { readonly stddev: Variable; readonly mean: Variable; readonly meanStddev: Variable } | null = null;
  private axis = -1;
  private size = 0;
  private isFused = false;

  constructor(...rest: Rest<BatchNormalizationOptions>) {
    const options = collect<BatchNormalizationOptions>([...parameterOrder, ...laterParameters, ...layerArguments], rest);
    super("batch_normalization", options);
    const bounds = options.renorm ? Object.entries(options.renormClipping ?? {}) : [];
    const axes: unknown = options.axis ?? -1;
    if (!Number.isInteger(axes) && !Array.isArray(axes))
      throw new TypeError(`Expected an int or a list/tuple of ints for the argument 'axis', but received: ${pythonRepr(axes)}`);
    const isNumber = (bound: unknown): boolean => typeof bound === "number" && Number.isInteger(bound);
    const shown = bounds.map(([key, bound]) => `'${key}': ${isNumber(bound) ? `${bound}.0` : String(bound)}`).join(", ");
    if (bounds.some(([key]) => !["rmax", "rmin", "dmax"].includes(key)))
      throw new ValueError(
        `Received invalid keys for \`renorm_clipping\` argument: {${shown}}. Supported values: ['rmax', 'rmin', 'dmax'].`,
      );
    this.options = options;
  }

  override get supportsMasking(): boolean {
    return true;
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
    const parts = options.virtualBatchSize ?? null;
    if (parts !== null && parts <= 0)
      throw new ValueError(
        `\`virtual_batch_size\` must be a positive integer that divides the true batch size of the input tensor. Received: virtual_batch_size=${parts}`,
      );
    const axis = Array.isArray(options.axis) && options.axis.length === 1 ? (options.axis as readonly number[])[0] : (options.axis ?? -1);
    if (!Number.isInteger(axis))
      throw new TypeError(`Expected an int or a list/tuple of ints for the argument 'axis', but received: ${pythonRepr(axis)}`);
    this.axis = axis < 0 ? axis + rank : axis;
    if (this.axis < 0 || this.axis >= rank)
      throw new ValueError(
        `Invalid value for \`axis\` argument. Expected 0 <= axis < inputs.rank (with inputs.rank=${rank}). Received: axis=(${this.axis},)`,
      );
    const size = input.shape.dim(this.axis);
    if (size === null) {
      const sizes = input.shape.asList().map(known => `Dimension(${known ?? "None"})`);
      throw new ValueError(
        `Input has undefined \`axis\` dimension. Received input with shape (${sizes.join(", ")}${rank === 1 ? "," : ""}) and axis=(${this.axis},)`,
      );
    }
    this.size = size;
    const isPlain = options.renorm || parts !== null || options.adjustment;
    this.isFused = (options.fused ?? true) && !isPlain && rank === 4 && (this.axis === 1 || this.axis === 3);
    let shape = [size];
    if (parts !== null) {
      if (this.axis === 0)
        throw new ValueError(
          `When using \`virtual_batch_size\`, the batch dimension must be 0 and thus axis cannot include 0. Received axis=[${this.axis}]`,
        );
      if (options.adjustment) throw new ValueError("When using `virtual_batch_size`, adjustment cannot be specified");
      this.axis += 1;
      shape = Array.from({ length: rank + 1 }, (_, i) => (i === this.axis ? size : 1));
    }
    // An initializer that is null, Python's None, is left to the scope.
    const { scale = true, center = true, gammaInitializer = onesInitializer(), betaInitializer = zerosInitializer() } = options;
    const { movingMeanInitializer = zerosInitializer(), movingVarianceInitializer = onesInitializer() } = options;
    // Statistics and parameters are kept in float32 for the narrow types.
    const dtype = input.dtype === "float16" || input.dtype === "bfloat16" ? "float32" : input.dtype;
    const weight = (name: string, initializer: WeightOptions["initializer"], more: object = {}): Variable =>
      this.addWeight(name, { shape, dtype, initializer, ...more });
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
    if (!options.renorm) return;
    const given = movingVarianceInitializer ?? onesInitializer();
    const ofVariance = (typeof given === "string" ? initializerNamed(given) : given) as Initializer;
    const ofStddev: Initializer = (...about) => sqrt(ofVariance(...about));
    this.renorm = {
      stddev: weight("moving_stddev", ofStddev, { trainable: false }),
      mean: weight("renorm_mean", movingMeanInitializer, { trainable: false }),
      meanStddev: weight("renorm_stddev", ofStddev, { trainable: false }),
    };
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

  private plain(given: Tensor, training: Training): Tensor {
    const { epsilon = 0.001, virtualBatchSize = null, adjustment } = this.options;
    const original = virtualBatchSize === null ? null : concat([constant([-1], "int32"), getItem(shapeOf(given), [1, null])], 0);
    const parted =
      original === null
        ? given
        : reshape(given, concat([constant([virtualBatchSize as number, -1], "int32"), getItem(original, [1, null])], 0));
    const isNarrow = given.dtype === "float16" || given.dtype === "bfloat16";
    const input = isNarrow ? cast(parted, "float32") : parted;
    const rank = input.shape.rank as number;
    const axes = Array.from({ length: rank }, (_, i) => i).filter(axis => axis !== this.axis);
    // Statistics of parts have the dimensions of the input; vectors along the last dimension broadcast by themselves.
    const broadcasts = this.axis === rank - 1 || original !== null;
    const spread = (vector: TensorLike): Tensor =>
      broadcasts
        ? convertToTensor(vector)
        : reshape(vector, axes.length === 0 ? [this.size] : Array.from({ length: rank }, (_, i) => (i === this.axis ? this.size : 1)));
    let scale: TensorLike | null = this.gamma && (broadcasts ? this.gamma : spread(this.gamma));
    let offset: TensorLike | null = this.beta && (broadcasts ? this.beta : spread(this.beta));
    /** x·a + b, and then what scale and offset do. */
    const first = (a: Tensor, b: Tensor): void => {
      const added = scale === null ? b : mul(b, scale);
      offset = offset === null ? added : add(added, offset);
      scale = scale === null ? a : mul(a, scale);
    };
    let [mean, variance]: readonly TensorLike[] = [this.movingMean, this.movingVariance];
    if (training instanceof Tensor || training) {
      if (adjustment) {
        const [a, b] = adjustment(shapeOf(input));
        first(whileTraining(training, a, onesLike), whileTraining(training, b, zerosLike));
      }
      const reduced = original === null ? axes : axes.filter((_, i) => i !== 1);
      const [batchMean, batchVariance] = moments(input, reduced, { keepdims: original !== null }) as readonly Tensor[];
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
      const whole = (of: Tensor): Tensor => (original === null ? of : reduceMean(of, 1, { keepdims: true }));
      const [newMean, newVariance] = [whole(mean as Tensor), whole(variance as Tensor)];
      if (this.renorm === null) this.updateAverages(newMean, newVariance, training);
      else {
        const { r, d, ...moved } = this.renormalized(newMean, newVariance, training);
        first(spread(stopGradient(r, { name: "renorm_r" })), spread(stopGradient(d, { name: "renorm_d" })));
        this.updateRenormalized(moved.mean, moved.variance, training);
      }
    }
    const output = normalized(input, spread(mean), spread(variance), offset, scale, epsilon);
    output.setShape(input.shape);
    const result = isNarrow ? cast(output, given.dtype) : output;
    return original === null ? result : reshape(result, original);
  }

  /** How far a batch is from the running averages (x·r + d is normalized by those), and its statistics, to be had when those are moved. */
  private renormalized(mean: Tensor, variance: Tensor, training: Training): { r: Tensor; d: Tensor; mean: Tensor; variance: Tensor } {
    const { epsilon = 0.001, renormMomentum = 0.99, renormClipping } = this.options;
    const { mean: runningMean, meanStddev } = this.renorm as NonNullable<typeof this.renorm>;
    const { rmin = null, rmax = null, dmax = null } = renormClipping ?? {};
    const graph = mean.graph;
    const stddev = sqrt(add(variance, epsilon));
    // Early averages may be zero.
    const running = maximum(meanStddev, sqrt(constant(epsilon, mean.dtype)));
    let r = truediv(stddev, running);
    let d = truediv(sub(mean, runningMean), running);
    const [batchMean, batchStddev] = graph.controlDependencies([r, d], () => [identity(mean), identity(stddev)]);
    if (rmin !== null) r = maximum(r, rmin);
    if (rmax !== null) r = minimum(r, rmax);
    if (dmax !== null) d = minimum(maximum(d, neg(convertToTensor(dmax, { dtype: d.dtype }))), dmax);
    r = whileTraining(training, r, onesLike);
    d = whileTraining(training, d, zerosLike);
    const moved = (variable: Variable, to: Tensor): Tensor => {
      const value = identity(to);
      return smartCond(
        training,
        () => movedToward(variable, value, constant(renormMomentum)),
        () => identity(variable),
      );
    };
    const updates = [moved(runningMean, batchMean), moved(meanStddev, batchStddev)];
    return graph.controlDependencies(updates, () => ({ r, d, mean: identity(batchMean), variance: identity(variance) }));
  }

  /** The averages that count in use: of the mean, and of the deviation, of which the variance is the square. */
  private updateRenormalized(mean: Tensor, variance: Tensor, training: Training): void {
    const { momentum = 0.99, epsilon = 0.001 } = this.options;
    const { stddev } = this.renorm as NonNullable<typeof this.renorm>;
    const share = constant(momentum);
    const newVariance = (): Tensor => {
      const moved = movedToward(stddev, sqrt(add(variance, epsilon)), share);
      return variance.graph.nameScope("AssignNewValue", scope =>
        convertToTensor(assign(this.movingVariance, relu(sub(mul(moved, moved), epsilon)), { name: String(scope) })),
      );
    };
    const kept = (variable: Variable) => (): Tensor => identity(variable);
    this.addUpdate(smartCond(training, () => movedToward(this.movingMean, mean, share), kept(this.movingMean)));
    this.addUpdate(smartCond(training, newVariance, kept(this.movingVariance)));
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

/** A correction that there is none of in use. */
const whileTraining = (training: Training, value: Tensor, none: (like: Tensor) => Tensor): Tensor =>
  smartCond(
    training,
    () => value,
    () => none(value),
  );

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
