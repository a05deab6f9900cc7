// Functions with gradients of their own: tf.custom_gradient. Results and arguments go through one IdentityN whose gradient is overridden.

import { itemsOf } from "../graph/iterating.ts";
import { UnimplementedError } from "../base/errors.ts";
import { convertToTensor, type TensorLike } from "../graph/conversion.ts";
import { getDefaultGraph } from "../graph/default-graph.ts";
import type { Tensor } from "../graph/operation.ts";
import { identity, identityN } from "../ops/array/array.ts";
import { flatten, type Nested, packAs } from "../ops/flow/nested.ts";
import { RegisterGradient } from "./registry.ts";

type GradFn = (...grads: Tensor[]) => Nested;

/** Makes names of registered gradients unique in the process, as the registry is. */
let count = 0;

/** Wraps a function that returns `[result, gradFn]`: what flows back to its arguments is what `gradFn(...resultGradients)` gives, one gradient for
 *  each argument. Results may nest. TF: tf.custom_gradient.
 *  @throws TypeError, as TensorFlow, if the function makes ref variables; UnimplementedError if it makes resource variables. */
export function customGradient(
  f: (...args: Tensor[]) => readonly [result: Nested, gradFn: GradFn],
): (...args: readonly TensorLike[]) => Nested {
  return (...args) => {
    const graph = getDefaultGraph();
    const converted = args.map(arg => convertToTensor(arg));
    const variables = (): readonly { readonly dtypeName?: string }[] => [
      ...graph.getCollection("variables"),
      ...graph.getCollection("local_variables"),
    ];
    const before = new Set(variables());
    const [result, gradFn] = itemsOf(f(...converted)) as ReturnType<typeof f>;
    const made = variables().filter(variable => !before.has(variable));
    if (made.some(({ dtypeName }) => dtypeName?.endsWith("_ref")))
      throw new TypeError(
        "All variables used by a function wrapped with @custom_gradient must be `ResourceVariable`s. Ensure that no `variable_scope` is created with `use_resource=False`.",
      );
    if (made.length > 0) throw new UnimplementedError("A function wrapped with customGradient made variables, which is not supported.");
    const results = flatten(result).map(item => convertToTensor(item as TensorLike));
    // TensorFlow's search for variables leaves an unused copy of each result behind.
    for (const item of results) identity(item);
    const name = `CustomGradient-${count++}`;
    RegisterGradient(name, (_, ...grads) => {
      const given: unknown = gradFn(...grads.slice(0, results.length));
      const inputGrads = Array.isArray(given) ? (given as Tensor[]) : [given as Tensor];
      return [...results.map(() => null), ...inputGrads];
    });
    const passed = graph.gradientOverrideMap({ IdentityN: name }, () => identityN([...results, ...converted]));
    return packAs(result, passed.slice(0, results.length));
  };
}

/** Wraps a function whose value is used, while gradients flow as if it returned its arguments: straight-through estimators.
 *  TF: tf.grad_pass_through. */
export const gradPassThrough = (f: (...args: Tensor[]) => Nested): ((...args: readonly TensorLike[]) => Nested) =>
  customGradient((...args) => [f(...args), (...grads) => grads]);
