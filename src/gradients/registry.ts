// Gradients given by users: `tf.RegisterGradient("MyOp", (op, ...grads) => …)`, found by name for ops without one of their own
// and for `gradient_override_map`.

import { KeyError } from "../base/errors.ts";
import type { Gradient, OpDefinition } from "../graph/op-definition.ts";
import type { Operation, Tensor } from "../graph/operation.ts";

type Positional = (op: Operation, ...grads: Tensor[]) => Gradient | readonly Gradient[];

const registered = new Map<string, Exclude<OpDefinition["gradient"], "none" | undefined> | "none">();

/** Registers a gradient: `f(op, ...outputGradients)` returns one gradient for each input. Without `f`, what takes it, as Python's decorator does.
 *  TF: tf.RegisterGradient. @throws TypeError unless the name is a string; KeyError if it is taken. */
export function RegisterGradient(opType: string, f: Positional): Positional;
export function RegisterGradient(opType: string): (f: Positional) => Positional;
export function RegisterGradient(opType: string, f?: Positional): Positional | ((f: Positional) => Positional) {
  if (typeof opType !== "string") throw new TypeError("op_type must be a string");
  return f === undefined ? (given: Positional) => register(opType, given) : register(opType, f);
}

function register(opType: string, f: Positional): Positional {
  if (registered.has(opType)) throw new KeyError(`"Registering two gradient with name '${opType}'!"`);
  registered.set(opType, (_record: unknown, d: Record<string, Tensor | readonly Tensor[]>, op: Operation) => {
    const result = f(op, ...Object.values(d).flat());
    return Array.isArray(result) ? result : [result];
  });
  return f;
}

/** Says that an op has no gradient: null flows. TF: tf.NotDifferentiable. */
export function NotDifferentiable(opType: string): void {
  if (typeof opType !== "string") throw new TypeError("op_type must be a string");
  registered.set(opType, "none");
}

export const registeredGradient = (name: string): ReturnType<typeof registered.get> => registered.get(name);
