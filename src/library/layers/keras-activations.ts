// Activations by name, as layers and cells accept them: `activation: "relu"` is `activation: tf.nn.relu`.

import { snakeOf } from "../../base/names.ts";
import { representation } from "../../graph/conversion.ts";
import { unknownName } from "../variables/initializer-names.ts";
import { ValueError } from "../../base/errors.ts";
import type { Tensor } from "../../graph/operation.ts";
import { exp, sigmoid, tanh } from "../../ops/math/functions.ts";
import { elu, leakyRelu, relu, relu6, selu, softmax, softplus, softsign, swish } from "../../ops/nn/nn.ts";

/** Applied to a layer's output. */
export type Activation = (x: Tensor) => Tensor;
/** A function of a tensor, or the name of a common one. */
export type ActivationLike = Activation | string;

const byName: Readonly<Record<string, () => (x: Tensor) => Tensor>> = {
  linear: () => x => x,
  relu: () => relu,
  relu6: () => relu6,
  leaky_relu: () => leakyRelu,
  elu: () => elu,
  selu: () => selu,
  softplus: () => softplus,
  softsign: () => softsign,
  softmax: () => softmax,
  sigmoid: () => sigmoid,
  tanh: () => tanh,
  exponential: () => exp,
  swish: () => swish,
};

/** What an activation is called by, if it is one of the common ones; none is "linear". */
export function activationName(activation: ActivationLike | null | undefined): string | undefined {
  if (activation === null || activation === undefined) return "linear";
  if (typeof activation === "string") return activation;
  return Object.keys(byName).find(name => byName[name]() === activation || name === snakeOf(activation.name));
}

/** @throws ValueError for a name that no activation has, TypeError for what is none. */
export function activationOf(activation: ActivationLike): Activation {
  if (typeof activation === "function") return activation;
  if (typeof activation !== "string")
    throw new TypeError(`Could not interpret activation function identifier: ${representation(activation)}`);
  const found = Object.hasOwn(byName, activation) ? byName[activation]() : undefined;
  if (!found)
    throw new ValueError(
      unknownName("activation function", activation),
      `There are: ${Object.keys(byName).join(", ")}; or pass a function.`,
    );
  return x => found(x);
}
