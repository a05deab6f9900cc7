// Initializers by name, as layers accept them: `kernelInitializer: "he_normal"`. The defaults behind the names are Keras'.

import { ValueError } from "../../base/errors.ts";
import {
  constantInitializer,
  glorotNormalInitializer,
  glorotUniformInitializer,
  heNormal,
  heUniform,
  type Initializer,
  lecunNormal,
  lecunUniform,
  onesInitializer,
  randomNormalInitializer,
  randomUniformInitializer,
  truncatedNormalInitializer,
  varianceScalingInitializer,
  zerosInitializer,
} from "./initializers.ts";
import { identity } from "../layers/keras-initializers.ts";
import { orthogonalInitializer } from "./matrix-initializers.ts";

const byName: Readonly<Record<string, () => Initializer>> = {
  zeros: () => zerosInitializer(),
  ones: () => onesInitializer(),
  constant: () => constantInitializer(0),
  glorot_uniform: () => glorotUniformInitializer(),
  glorot_normal: () => glorotNormalInitializer(),
  he_normal: () => heNormal(),
  he_uniform: () => heUniform(),
  lecun_normal: () => lecunNormal(),
  lecun_uniform: () => lecunUniform(),
  random_normal: () => randomNormalInitializer({ stddev: 0.05 }),
  random_uniform: () => randomUniformInitializer({ minval: -0.05, maxval: 0.05 }),
  truncated_normal: () => truncatedNormalInitializer({ stddev: 0.05 }),
  variance_scaling: () => varianceScalingInitializer(),
  orthogonal: () => orthogonalInitializer(),
  identity: () => identity(),
};

/** Keras's words for a name that it does not know. */
export const unknownName = (kind: string, name: string): string =>
  `Unknown ${kind}: '${name}'. Please ensure you are using a \`keras.utils.custom_object_scope\` and that this object is included in the scope. See https://www.tensorflow.org/guide/keras/save_and_serialize#registering_the_custom_object for details.`;

/** @throws ValueError for a name that no initializer has. */
export function initializerNamed(name: string): Initializer {
  if (Object.hasOwn(byName, name)) return byName[name]();
  throw new ValueError(unknownName("initializer", name), `There are: ${Object.keys(byName).join(", ")}; or pass an initializer.`);
}
