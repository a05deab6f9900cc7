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

/** @throws ValueError for a name that no initializer has. */
export function initializerNamed(name: string): Initializer {
  if (Object.hasOwn(byName, name)) return byName[name]();
  throw new ValueError(`Unknown initializer: '${name}'.`, `There are: ${Object.keys(byName).join(", ")}; or pass an initializer.`);
}
