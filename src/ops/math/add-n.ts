// Sums of several tensors of one shape.

import { type DType, isDType } from "../../base/dtype.ts";
import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertToTensor, mergedInto, type TensorLike } from "../../graph/conversion.ts";
import { itemsOf } from "../../graph/iterating.ts";
import { defineOp, type Gradients, type LowerContext, type Named } from "../../graph/op-definition.ts";
import { Tensor } from "../../graph/operation.ts";
import * as ir from "../../ir/build.ts";
import type { Value } from "../../ir/program.ts";
import { s } from "../../ir/scalar.ts";
import { collect } from "../arguments.ts";
import { identity } from "../array/array.ts";
import { named, type NameOption } from "../named.ts";
import { VariantArray } from "../flow/variant-array.ts";

/** The common shape of tensors. @throws ValueError naming the one that differs. */
function mergedShape(shapes: readonly TensorShape[]): TensorShape {
  let merged = shapes[shapes.length - 1];
  for (let k = shapes.length - 2; k >= 0; k--) merged = mergedInto(merged, shapes[k], k);
  return merged;
}

function sumOf(inputs: readonly Value[], { name, keepOnHost }: LowerContext): Value {
  const [first] = inputs;
  if (first.dtype === "variant") keepOnHost();
  inputs.forEach(({ shape: other }, k) => {
    if (other.join() !== first.shape.join())
      throw new InvalidArgumentError(
        `Inputs to operation ${name} of type AddN must have the same size and shape.  Input 0: [${first.shape.join(",")}] != input ${k}: [${other.join(",")}]`,
      );
  });
  return ir.generate(first.shape, i => inputs.map(input => s.load(input, i)).reduce((sum, x) => s.add(sum, x)));
}

export const AddN = defineOp("AddN", {
  inputs: { inputs: "N*T" },
  outputs: { sum: "T" },
  attrs: { N: attr.int(undefined, 1), T: attr.type([...attr.numbers, "variant"]) },
  shape: ({ inputs }) => mergedShape(inputs),
  holds: (_, context) => context.handle("inputs"),
  gradient: ({ inputs }, d): Gradients => ({ inputs: inputs.map(() => d.sum) }),
  takesSlices: true,
  commutative: true,
  lower: ({ inputs }, context) => sumOf(inputs, context),
  onHost: ({ inputs }) => [inputs.map(VariantArray.of).reduce((sum, x) => sum.plus(x))],
});

export const AccumulateNV2 = defineOp("AccumulateNV2", {
  inputs: { inputs: "N*T" },
  outputs: { sum: "T" },
  attrs: { N: attr.int(undefined, 1), T: attr.type(attr.numbers), shape: attr.shape() },
  shape: ({ inputs, shape }) => mergedShape(inputs).mergeWith(shape),
  gradient: ({ inputs }, d): Gradients => ({ inputs: inputs.map(() => d.sum) }),
  takesSlices: true,
  commutative: true,
  lower: ({ inputs }, context) => sumOf(inputs, context),
});

/** The sum of tensors of one shape; a single one is returned as it is. TF: tf.add_n. @throws ValueError for an empty list. */
export function addN(inputs: readonly TensorLike[], options?: NameOption): Tensor {
  const items = itemsOf(inputs);
  if (items.length === 0 || (items as readonly unknown[]).includes(null))
    throw new ValueError("Inputs must be an iterable of at least one Tensor/IndexedSlices with the same dtype and shape.");
  const { name } = named(options);
  if (items.length === 1) return name ? identity(items[0], { name }) : convertToTensor(items[0]);
  return AddN({ inputs: items }, { name });
}

interface AccumulateOptions extends Named {
  readonly shape?: readonly (number | null)[] | TensorShape | null;
  readonly tensorDtype?: DType | null;
}

/** The sum of tensors of one shape. TF: tf.accumulate_n. */
export function accumulateN(inputs: readonly Tensor[], ...rest: unknown[]): Tensor {
  const { shape: given, tensorDtype, name } = collect<AccumulateOptions>(["shape", "tensorDtype", "name"], rest);
  const items = inputs instanceof Tensor ? itemsOf(inputs, "asks") : inputs;
  const isList = Array.isArray(items) && items.length > 0 && !items.includes(null);
  const tensors = isList ? items.map(item => convertToTensor(item)) : [];
  if (tensors.length === 0 || tensors.some(({ dtype }) => dtype !== tensors[0].dtype))
    throw new ValueError("inputs must be a list of at least one Tensor with the same dtype and shape");
  let merged = new TensorShape(given ?? null);
  for (const { shape } of tensors) merged = merged.mergeWith(shape);
  if (tensorDtype && tensorDtype !== tensors[0].dtype)
    throw new TypeError(
      `The \`tensor_dtype\` argument is ${isDType(tensorDtype) ? `<dtype: '${tensorDtype}'>` : tensorDtype}, but \`input\` is of type <dtype: '${tensors[0].dtype}'>. These must be equal. Try casting the input to the desired type.`,
    );
  if (tensors.length === 1) return name ? identity(tensors[0], { name }) : tensors[0];
  return addN(tensors, { name });
}
