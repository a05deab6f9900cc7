// Initializers that TensorFlow exports under tf.initializers only, where their names would mean something else at the top level.

import { ValueError } from "../../base/errors.ts";
import { eye } from "../../ops/array/matrix.ts";
import { mul } from "../../ops/operators.ts";
import { assertFloat, initializerClass, type Typed } from "../variables/initializers.ts";
import type { DType } from "../../base/dtype.ts";

interface GainOptions extends Typed {
  readonly gain?: number;
}

/** The identity matrix times `gain`; other shapes than matrices are refused. TF: tf.initializers.identity. */
export const identity = initializerClass<GainOptions, [gain?: number | GainOptions, dtype?: DType | GainOptions]>(
  { gain: 1, dtype: "float32" },
  ({ gain = 1, dtype: own = "float32" }) => {
    assertFloat(own);
    return (shape, { dtype } = {}) => {
      if (shape.length !== 2)
        throw new ValueError(
          `The tensor to initialize, specified by argument \`shape\` must be at least two-dimensional. Received shape=[${shape.join(", ")}]`,
        );
      return mul(gain, eye(shape[0], { numColumns: shape[1], dtype: dtype ?? own }));
    };
  },
);
