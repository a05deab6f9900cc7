// What a layer's options may call initializers, regularizers, constraints and activations by, and how Keras refuses the rest. The activations themselves
// are in keras-activations.ts, the initializers in variables/initializer-names.ts.

import { UnimplementedError, ValueError } from "../../base/errors.ts";
import { representation } from "../../graph/conversion.ts";
import { type ActivationLike, activationOf } from "./keras-activations.ts";
import { initializerNamed, unknownName } from "../variables/initializer-names.ts";

type Kind = "initializer" | "regularizer" | "constraint function";

/** Keras's, which are not here: a function does the same. */
const namesOfKeras: Readonly<Record<string, readonly string[]>> = {
  regularizer: ["l1", "l2", "l1_l2", "L1", "L2", "L1L2", "orthogonal_regularizer", "OrthogonalRegularizer"],
  "constraint function": ["max_norm", "MaxNorm", "min_max_norm", "MinMaxNorm", "non_neg", "NonNeg", "unit_norm", "UnitNorm"],
};

/** @throws ValueError for what stands for nothing of its kind; UnimplementedError for a regularizer or constraint by its name in Keras. */
function checkIdentifier(kind: Kind, value: unknown): void {
  if (value === null || value === undefined || typeof value === "function") return;
  if (typeof value !== "string") {
    if (kind === "initializer" && typeof value === "object" && !Array.isArray(value) && "call" in value) return;
    throw new ValueError(`Could not interpret ${kind} identifier: ${Array.isArray(value) ? representation(value) : String(value)}`);
  }
  if (kind === "initializer") return void initializerNamed(value);
  const known = namesOfKeras[kind];
  if (known.includes(value)) throw new UnimplementedError(`The ${kind} '${value}' is not there by its name.\n\nPass a function.`);
  throw new ValueError(unknownName(kind === "regularizer" ? kind : "constraint", value), "Pass a function.");
}

/** Checks the options of a layer whose names end in one of these kinds, and its activation. @throws ValueError or TypeError */
export function checkIdentifiers(options: object): void {
  for (const [name, value] of Object.entries(options)) {
    if (/initializer$/i.test(name)) checkIdentifier("initializer", value);
    else if (name === "activation" && value !== null && value !== undefined) activationOf(value as ActivationLike);
    else if (/regularizer$/i.test(name)) checkIdentifier("regularizer", value);
    else if (/constraint$/i.test(name)) checkIdentifier("constraint function", value);
  }
}
