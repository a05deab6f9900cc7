// Functions with gradients of their own: tf.custom_gradient. Results and arguments go through one IdentityN whose gradient is overridden.

import { itemsOf } from "../graph/iterating.ts";
import { ValueError, withHint } from "../base/errors.ts";
import { pythonStr } from "../base/python-text.ts";
import { type AsTensor, convertToTensor, type TensorLike } from "../graph/conversion.ts";
import { getDefaultGraph } from "../graph/default-graph.ts";
import type { Operation, Tensor } from "../graph/operation.ts";
import { identity, identityN } from "../ops/array/array.ts";
import { isOptions } from "../ops/arguments.ts";
import { flatten, type Nested, packAs } from "../ops/flow/nested.ts";
import { RegisterGradient, registeredGradient } from "./registry.ts";

// any: gradients of the results in turn, then `{ variables }` where the function uses some
type GradFn = (...given: any[]) => Nested;

type Used = AsTensor & { readonly name: string; readonly op: Operation; readonly dtypeName?: string; readonly trainable?: boolean };

/** Makes names of registered gradients unique in the process, as the registry is. */
let count = 0;

/** Wraps a function that returns `[result, gradFn]`: what flows back to its arguments is what `gradFn(...resultGradients)` gives, one gradient for
 *  each argument. Results may nest. Where the function reads trainable variables, `gradFn(...resultGradients, { variables })` returns
 *  `[argumentGradients, variableGradients]`, the variables sorted by name. TF: tf.custom_gradient.
 *  @throws TypeError, as TensorFlow, if the function makes ref variables, or reads variables that gradFn does not take. */
export function customGradient(
  f: (...args: Tensor[]) => readonly [result: Nested, gradFn: GradFn],
): (...args: readonly TensorLike[]) => Nested {
  return (...args) => {
    const graph = getDefaultGraph();
    const converted = args.map(arg => convertToTensor(arg));
    const all = (): readonly Used[] => [...graph.getCollection("variables"), ...graph.getCollection("local_variables")];
    const before = new Set(all());
    const [result, gradFn] = itemsOf(f(...converted)) as ReturnType<typeof f>;
    if (all().some(variable => !before.has(variable) && variable.dtypeName?.endsWith("_ref")))
      throw new TypeError(
        "All variables used by a function wrapped with @custom_gradient must be `ResourceVariable`s. Ensure that no `variable_scope` is created with `use_resource=False`.",
      );
    const results = flatten(result).map(item => convertToTensor(item as TensorLike));
    // TensorFlow's search for variables leaves an unused copy of each result behind.
    for (const item of results) identity(item);
    const variables = variablesBetween(converted, results);
    if (variables.length > 0 && !takesVariables(gradFn))
      throw withHint(
        new TypeError(
          `@tf.custom_gradient grad_fn must accept keyword argument 'variables', since function uses variables: [${variables.map(pythonStr).join(", ")}]`,
        ),
        "Write (dy, { variables }) => [gradientOfTheArgument, [gradientOfEachVariable]].",
      );
    if (typeof gradFn !== "function") throw new TypeError("unsupported callable");
    const name = `CustomGradient-${count++}`;
    RegisterGradient(name, (_, ...grads) => {
      const flowing = grads.slice(0, results.length);
      const given: unknown = variables.length > 0 ? gradFn(...flowing, { variables }) : gradFn(...flowing);
      const [inputGrads, variableGrads] =
        variables.length > 0 ? (itemsOf(given as readonly unknown[]) as [unknown, Tensor[]]) : [given, []];
      if (variableGrads.length !== variables.length)
        throw new ValueError("Must return gradient for each variable from @custom_gradient grad_fn.");
      return [...results.map(() => null), ...(Array.isArray(inputGrads) ? inputGrads : [inputGrads]), ...variableGrads];
    });
    const passed = graph.gradientOverrideMap({ IdentityN: name }, () =>
      identityN([...results, ...converted, ...variables.map(variable => convertToTensor(variable))]),
    );
    return packAs(result, passed.slice(0, results.length));
  };
}

/** Does a function name the keyword among its parameters, or take any number of them? */
const takesVariables = (gradFn: GradFn): boolean => /\bvariables\b|\.\.\./.test(Function.prototype.toString.call(gradFn));

/** The trainable variables that results are computed from by operations with gradients, without going through the arguments; sorted by name. */
function variablesBetween(args: readonly Tensor[], results: readonly Tensor[]): Used[] {
  const stop = new Set(args);
  const seen = new Set<Operation>();
  const waiting = results.filter(result => !stop.has(result)).map(({ op }) => op);
  for (let op = waiting.pop(); op !== undefined; op = waiting.pop()) {
    if (seen.has(op)) continue;
    seen.add(op);
    const gradient = op.definition.gradient ?? registeredGradient(op.type);
    if (gradient === undefined || gradient === "none") continue;
    for (const input of op.inputs) if (!stop.has(input)) waiting.push(input.op);
  }
  const held: readonly Used[] = results.length === 0 ? [] : results[0].graph.getCollection("variables");
  return held.filter(({ op, trainable }) => trainable === true && seen.has(op)).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Wraps a function whose value is used, while gradients flow as if it returned its arguments: straight-through estimators.
 *  TF: tf.grad_pass_through. */
export const gradPassThrough = (f: (...args: Tensor[]) => Nested): ((...args: readonly TensorLike[]) => Nested) =>
  customGradient((...args) => [f(...args), passThrough]);

function passThrough(...given: readonly (Tensor | { readonly variables: readonly Used[] })[]): Nested {
  const named = given.at(-1);
  return isOptions(named) ? [given.slice(0, -1), (named.variables as readonly Used[]).map(() => null)] : given;
}
