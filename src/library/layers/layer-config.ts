// What layers and cells are made of, as plain objects (get_config), and what shapes they give: for programs that come through the door of Python's names.
// Functions and initializers that were given stand in it as they are; TensorFlow writes their names. TF: tf_keras Layer.get_config, compute_output_shape.

import type { DType } from "../../base/dtype.ts";
import { NotImplementedError, ValueError } from "../../base/errors.ts";
import { camelOf, snakeOf } from "../../base/names.ts";
import { pythonStr } from "../../base/python-text.ts";
import { asShape, type ShapeLike, TensorShape } from "../../base/shape.ts";
import { isOptions } from "../../ops/arguments.ts";
import { TensorSpec } from "../../ops/sparse/type-specs.ts";
import { glorotUniformInitializer, type Initializer, onesInitializer, zerosInitializer } from "../variables/initializers.ts";
import { SeparableConvolution, SpatialLayer, TransposedConvolution } from "./convolution.ts";
import { activationName, type Activation, type ActivationLike, activationOf } from "./keras-activations.ts";
import type { ScopedLayer } from "./layer-base.ts";
import { Dense, Dropout, Flatten } from "./layers.ts";
import { BatchNormalization } from "./normalization.ts";
import { Pooling } from "./pooling.ts";
import { BasicLSTMCell, BasicRNNCell, GRUCell, LSTMCell, RNNCell } from "./rnn-cell.ts";
import type { DataFormat } from "./window.ts";
import type { Regularizer } from "../variables/variable-scope.ts";
import type { Constraint } from "../variables/variables.ts";
import { DeviceWrapper, DropoutWrapper, ResidualWrapper } from "./rnn-cell-wrappers.ts";

type Config = Readonly<Record<string, unknown>>;

/** A class's arguments beside name, trainable and dtype. */
interface Signature {
  /** Those that have to be there, in their order. */
  readonly required: readonly string[];
  /** The others as a layer has them that was not given any, in the order of TensorFlow's config. */
  readonly defaults: Config;
}

const dict = (className: string, config: Config): Config => ({ class_name: className, config });
const typed = { dtype: "float32" };
const [zeros, ones] = [dict("Zeros", typed), dict("Ones", typed)];
/** What stands for initializers where none was given. */
const initializers: Readonly<Record<string, () => unknown>> = {
  Zeros: () => zerosInitializer(),
  Ones: () => onesInitializer(),
  GlorotUniform: () => glorotUniformInitializer(),
};

const weights = {
  activation: "linear",
  useBias: true,
  kernelInitializer: null,
  biasInitializer: zeros,
  kernelRegularizer: null,
  biasRegularizer: null,
  activityRegularizer: null,
  kernelConstraint: null,
  biasConstraint: null,
};
const window = { padding: "valid", dataFormat: "channels_last" };
const convolution = { strides: 1, ...window, dilationRate: 1, groups: 1, ...weights };
const ofCells = { activation: "tanh", reuse: null };

type AnyLayer = abstract new (...given: never[]) => ScopedLayer;

const signatures: readonly (readonly [type: AnyLayer, signature: Signature])[] = [
  [Dense, { required: ["units"], defaults: weights }],
  [Flatten, { required: [], defaults: { dataFormat: "channels_last" } }],
  [Dropout, { required: [], defaults: { rate: 0.5, noiseShape: null, seed: null } }],
  [
    BatchNormalization,
    {
      required: [],
      defaults: {
        axis: -1,
        momentum: 0.99,
        epsilon: 0.001,
        center: true,
        scale: true,
        betaInitializer: zeros,
        gammaInitializer: ones,
        movingMeanInitializer: zeros,
        movingVarianceInitializer: ones,
        betaRegularizer: null,
        gammaRegularizer: null,
        betaConstraint: null,
        gammaConstraint: null,
      },
    },
  ],
  [
    SeparableConvolution,
    {
      required: ["filters", "kernelSize"],
      defaults: {
        ...convolution,
        kernelInitializer: dict("GlorotUniform", { seed: null, dtype: "float32" }),
        depthMultiplier: 1,
        depthwiseInitializer: null,
        pointwiseInitializer: null,
        depthwiseRegularizer: null,
        pointwiseRegularizer: null,
        depthwiseConstraint: null,
        pointwiseConstraint: null,
      },
    },
  ],
  [TransposedConvolution, { required: ["filters", "kernelSize"], defaults: { ...convolution, outputPadding: null } }],
  [SpatialLayer, { required: ["filters", "kernelSize"], defaults: convolution }],
  [Pooling, { required: ["poolSize", "strides"], defaults: window }],
  [BasicLSTMCell, { required: ["numUnits"], defaults: { forgetBias: 1, stateIsTuple: true, ...ofCells } }],
  [GRUCell, { required: ["numUnits"], defaults: { kernelInitializer: null, biasInitializer: null, ...ofCells } }],
  [
    LSTMCell,
    {
      required: ["numUnits"],
      defaults: {
        usePeepholes: false,
        cellClip: null,
        initializer: null,
        numProj: null,
        projClip: null,
        numUnitShards: null,
        numProjShards: null,
        forgetBias: 1,
        stateIsTuple: true,
        ...ofCells,
      },
    },
  ],
  [BasicRNNCell, { required: ["numUnits"], defaults: ofCells }],
  [
    DropoutWrapper,
    {
      required: ["cell"],
      defaults: { inputKeepProb: 1, outputKeepProb: 1, stateKeepProb: 1, variationalRecurrent: false, inputSize: null, seed: null },
    },
  ],
  [ResidualWrapper, { required: ["cell"], defaults: {} }],
  [DeviceWrapper, { required: ["cell", "device"], defaults: {} }],
];

const none: Signature = { required: [], defaults: {} };
const signatureOf = (prototype: object): Signature =>
  signatures.find(([type]) => prototype === type.prototype || prototype instanceof type)?.[1] ?? none;

/** What a layer holds under the name of one of its arguments. */
function valueOf(layer: ScopedLayer, name: string, fallback?: unknown): unknown {
  const given: unknown = Reflect.get(layer.madeWith, name);
  if (name === "activation") {
    const activation = (given || null) as ActivationLike | null;
    return activation === null ? fallback : (activationName(activation) ?? activation);
  }
  if (name === "padding" && typeof given === "string") return given.toLowerCase();
  if (name === "cell") {
    const cell: unknown = Reflect.get(layer, "cell");
    return cell instanceof RNNCell ? dict(cell.className, getConfig(cell)) : cell;
  }
  // Sizes are held as lists, whatever they were given as.
  if (["filters", "units", "numUnits", "kernelSize", "poolSize", "strides", "dilationRate"].includes(name)) return Reflect.get(layer, name);
  return given === undefined || (given === null && typeof fallback === "boolean") ? fallback : given;
}

/** The arguments that a layer or a cell was made with, under TensorFlow's names. TF: Layer.get_config. */
export function getConfig(layer: ScopedLayer): Record<string, unknown> {
  const { required, defaults } = signatureOf(layer);
  const { name, trainable, dtype } = layer;
  const own = [...required, ...Object.keys(defaults)].map(key => [snakeOf(key), valueOf(layer, key, defaults[key])] as const);
  return { name, trainable, dtype, ...Object.fromEntries(own) };
}

/** A layer of the class `type` that is like the one that gave `config`. TF: Layer.from_config. @throws ValueError for a cell that is only described. */
export function fromConfig<T extends ScopedLayer>(type: new (...given: never[]) => T, config: Config): T {
  const { required, defaults } = signatureOf(type.prototype as object);
  const given = new Map(Object.entries(config).map(([key, value]) => [camelOf(key), value]));
  if (isOptions(given.get("cell")))
    throw new ValueError(
      "RNNCellWrapper cannot reconstruct the wrapped cell. Please overwrite the cell in the config with a RNNCell instance.",
    );
  const first = required.map(key => given.get(key));
  for (const key of required) given.delete(key);
  // What it has anyway is left out: not every class takes all that its config tells.
  const isDefault = (key: string, value: unknown): boolean =>
    key in defaults && (Array.isArray(value) ? value : [value]).every(each => JSON.stringify(each) === JSON.stringify(defaults[key]));
  const made = [...given].flatMap(([key, value]) => (isDefault(key, value) ? [] : [[key, initializerOf(value)] as const]));
  return Reflect.construct(type, [...first, Object.fromEntries(made)]) as T;
}

/** An initializer of its description; other values are what they are. */
function initializerOf(value: unknown): unknown {
  if (!isOptions(value) || !("class_name" in value)) return value;
  const name = String(value.class_name);
  if (Object.hasOwn(initializers, name)) return initializers[name]();
  throw new ValueError(
    `Unknown initializer: '${name}'.`,
    `There are ${Object.keys(initializers).join(", ")}; or put an initializer there.`,
  );
}

// ---- shapes ----

/** The shape that a layer gives for inputs of a shape. TF: Layer.compute_output_shape. @throws NotImplementedError for cells and classes of a program's own. */
export function computeOutputShape(layer: ScopedLayer, inputShape: ShapeLike): TensorShape {
  const shape = asShape(inputShape);
  if (layer instanceof Dropout || layer instanceof BatchNormalization) return shape;
  if (layer instanceof Dense) {
    const known = shape.withRankAtLeast(2);
    if (known.dims === null || known.dims.at(-1) === null)
      throw new ValueError(
        `The last dimension of the input shape of a Dense layer should be defined. Found None. Received: input_shape=${shape}`,
      );
    return new TensorShape([...known.dims.slice(0, -1), layer.units]);
  }
  const dims = shape.asList();
  if (layer instanceof Flatten) {
    const rest = dims.slice(1);
    const size = rest.includes(null) ? null : rest.reduce<number>((product, each) => product * (each as number), 1);
    return new TensorShape([dims.length === 0 ? 1 : dims[0], size]);
  }
  if (layer instanceof Pooling) {
    const { poolSize, strides, isChannelsFirst } = layer;
    const padding = String(valueOf(layer, "padding", "valid"));
    return spatial(dims, isChannelsFirst, poolSize.length, undefined, (length, i) => {
      const room = padding === "same" ? length : length - poolSize[i] + 1;
      return Math.floor((room + strides[i] - 1) / strides[i]);
    });
  }
  if (layer instanceof SpatialLayer) {
    const { filters, kernelSize, strides, dilationRate, rank, isChannelsFirst } = layer as SpatialLayer<object>;
    if (layer instanceof TransposedConvolution)
      return spatial(dims, isChannelsFirst, rank, filters, (length, i) => layer.lengthOf(length, i) as number);
    const padding = String(valueOf(layer, "padding", "valid"));
    (layer as SpatialLayer<object>).refuseNoOutput(shape);
    return spatial(dims, isChannelsFirst, rank, filters, (length, i) => {
      const reach = kernelSize[i] + (kernelSize[i] - 1) * (dilationRate[i] - 1);
      return Math.floor(((padding === "valid" ? length - reach + 1 : length) + strides[i] - 1) / strides[i]);
    });
  }
  throw new NotImplementedError(`${layer.name} does not say its output's shape.\n\nCall it: its result has the shape.`);
}

/** The last `rank` dimensions beside the channels by `lengthOf`, those before them as they are. */
function spatial(
  dims: readonly (number | null)[],
  isChannelsFirst: boolean,
  rank: number,
  channels: number | undefined,
  lengthOf: (length: number, i: number) => number,
): TensorShape {
  const batch = dims.slice(0, dims.length - rank - 1);
  const own = isChannelsFirst ? dims[batch.length] : dims[dims.length - 1];
  const first = batch.length + (isChannelsFirst ? 1 : 0);
  const sizes = dims.slice(first, first + rank).map((length, i) => (length === null ? null : lengthOf(length, i)));
  const last = channels ?? own;
  return new TensorShape(isChannelsFirst ? [...batch, last, ...sizes] : [...batch, ...sizes, last]);
}

/** The type and shape that a layer gives. TF: Layer.compute_output_signature. */
export const computeOutputSignature = (
  layer: ScopedLayer,
  { shape, dtype }: { readonly shape: TensorShape; readonly dtype: DType },
): TensorSpec => new TensorSpec(computeOutputShape(layer, shape), layer.dtype ?? dtype);

/** The mask of a layer's output. TF: Layer.compute_mask. @throws TypeError for a mask where a layer takes none. */
export function computeMask(layer: ScopedLayer, _inputs: unknown, mask: unknown = null): unknown {
  if (layer.supportsMasking || mask === null || mask === undefined) return mask;
  throw new TypeError(`Layer ${layer.name} does not support masking, but was passed an input_mask: ${pythonStr(mask)}`);
}

/** What a layer has under the name of an argument that TensorFlow's has as a property: functions, where a config has names. */
function propertyOf(layer: ScopedLayer, name: string, fallback: unknown): unknown {
  const value = valueOf(layer, name, fallback);
  if (name !== "activation") return initializerOf(value);
  return typeof value === "string" ? activationOf(value) : value;
}

/** Layers with weights tell how these are made. */
export interface WeightProperties {
  readonly activation: Activation;
  readonly useBias: boolean;
  readonly kernelInitializer: Initializer | string | null;
  readonly biasInitializer: Initializer | string | null;
  readonly kernelRegularizer: Regularizer | null;
  readonly biasRegularizer: Regularizer | null;
  readonly kernelConstraint: Constraint | null;
  readonly biasConstraint: Constraint | null;
}
/** Layers with windows tell how these lie. */
export interface WindowProperties {
  readonly padding: "same" | "valid" | "causal";
  readonly dataFormat: DataFormat;
}

/** Properties of layers that tell their arguments, by class: `dense.useBias`. */
export const properties: readonly (readonly [type: AnyLayer, getters: Readonly<Record<string, PropertyDescriptor>>])[] = signatures
  .filter(([type]) => !(type.prototype instanceof RNNCell))
  .map(([type, { defaults }]) => [
    type,
    Object.fromEntries(
      Object.entries(defaults).flatMap(([name, fallback]) =>
        ["strides", "dilationRate", "activityRegularizer"].includes(name)
          ? []
          : [
              [
                name,
                {
                  get(this: ScopedLayer) {
                    return propertyOf(this, name, fallback);
                  },
                },
              ],
            ],
      ),
    ),
  ]);
