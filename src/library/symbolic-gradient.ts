// SymbolicGradient: the gradient of a function of the graph's by its name, as TensorFlow 1's Defun leaves it. Its nodes are made where it is run. Not
// among the ops, which know nothing of gradients: importers ask for it.

import * as attr from "../graph/attributes.ts";
import type { FunctionRef } from "../graph/attributes.ts";
import { calls } from "../graph/copy-calls.ts";
import { callFunction, functionsOf } from "../graph/functions.ts";
import { IndexedSlices } from "../graph/indexed-slices.ts";
import { defineOp } from "../graph/op-definition.ts";
import { convertToTensor } from "../graph/conversion.ts";
import { gradients } from "../gradients/gradients.ts";
import { identity, zerosLike } from "../ops/array/array.ts";
import { afterEffects, bodyOf } from "../ops/flow/functional-calls.ts";

/** The gradients of `f` for its arguments, given these and the gradients of its results. */
export const SymbolicGradient = defineOp("SymbolicGradient", {
  inputs: { input: "Tin" },
  outputs: { output: "Tout" },
  attrs: { Tin: attr.types(undefined, { minimum: 1 }), Tout: attr.types(undefined, { minimum: 1 }), f: attr.func() },
  shape: ({ input, Tout }) => input.slice(0, Tout.length),
  expand: calls((op, inputs) => {
    const f = op.attrs.f as FunctionRef;
    const own = functionsOf(op.graph).brought?.gradientOf(f.name);
    if (own !== undefined) return { outputs: afterEffects(callFunction(bodyOf(op, { ...f, name: own }), inputs)), effects: [] };
    const count = op.outputs.length;
    const args = inputs.slice(0, count).map(input => identity(input));
    const { outputs } = callFunction(bodyOf(op, f), args);
    const found = gradients(outputs, args, { gradYs: inputs.slice(count) });
    const dense = found.map((d, i) => (d === null ? zerosLike(args[i]) : d instanceof IndexedSlices ? convertToTensor(d) : d));
    return { outputs: dense, effects: [] };
  }),
});
