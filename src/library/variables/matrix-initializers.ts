// Initializers made of matrix decompositions: the orthogonal one. It is apart so that programs without it need no QR.

import type { DType } from "../../base/dtype.ts";
import { ValueError } from "../../base/errors.ts";
import { reshape } from "../../ops/array/array.ts";
import { diagPart } from "../../ops/array/matrix.ts";
import { matrixTranspose } from "../../ops/array/matrix.ts";
import { Qr } from "../../ops/linalg/linalg.ts";
import { sign } from "../../ops/math/functions.ts";
import { mul } from "../../ops/operators.ts";
import { randomNormal } from "../../ops/random/random.ts";
import { assertFloat, initializerClass, type Seeded } from "./initializers.ts";

interface OrthogonalOptions extends Seeded {
  readonly gain?: number;
}

/** A random orthogonal matrix (over all dimensions but the last). TF: tf.orthogonal_initializer. */
export const orthogonalInitializer = initializerClass<
  OrthogonalOptions,
  [gain?: number | OrthogonalOptions, seed?: number | OrthogonalOptions | null, dtype?: DType]
>({ gain: 1, seed: null, dtype: "float32" }, ({ gain = 1, seed, dtype: own = "float32" }) => {
  assertFloat(own);
  return (shape, { dtype } = {}) => {
    if (shape.length < 2)
      throw new ValueError(
        `The tensor to initialize, specified by argument \`shape\` must be at least two-dimensional. Received shape=[${shape.join(", ")}]`,
      );
    const rows = shape.slice(0, -1).reduce((product, size) => product * size, 1);
    const columns = shape[shape.length - 1];
    const flat = rows < columns ? [columns, rows] : [rows, columns];
    const { q, r } = Qr({ input: randomNormal(flat, { dtype: dtype ?? own, seed: seed ?? null }), fullMatrices: false });
    // Signs of the diagonal make the distribution uniform.
    const uniform = mul(q, sign(diagPart(r)));
    return mul(gain, reshape(rows < columns ? matrixTranspose(uniform) : uniform, shape));
  };
});
