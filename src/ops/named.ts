// Names of what public functions make: given by position or in the options, and the scope that holds several nodes.

import { Graph, type NameScope } from "../graph/graph.ts";
import { graphFor } from "../graph/default-graph.ts";
import type { Named } from "../graph/op-definition.ts";
import { refuseOthers } from "./arguments.ts";

/** A name by itself, or among options: `tf.square(x, "sq")` is `tf.square(x, { name: "sq" })`. */
export type NameOption = Named | string | null;

/** The options of a function that has but a name. @throws TypeError for others among them. */
export function named(option: NameOption | undefined): Named {
  if (typeof option !== "object" || option === null) return typeof option === "string" ? { name: option } : {};
  const { name, ...others } = option;
  refuseOthers(others, "name");
  return { name };
}

/** Runs `body` inside a name scope, in the graph of the first tensor or variable among `values` (one level of lists is looked into).
 *  Pass the scope as the name of the node that is the result. TF: ops.name_scope(name, default_name, values). */
export function inNameScope<R>(
  option: NameOption | undefined,
  fallback: string,
  values: readonly unknown[],
  body: (scope: NameScope) => R,
): R {
  const graph = graphFor(graphOf(values));
  return graph.asDefault(() => graph.nameScope(named(option).name ?? fallback, body));
}

function graphOf(values: readonly unknown[]): Graph | undefined {
  for (const value of values) {
    const found = Array.isArray(value) ? graphOf(value) : graphOfOne(value);
    if (found) return found;
  }
  return undefined;
}

const graphOfOne = (value: unknown): Graph | undefined =>
  typeof value === "object" && value !== null && "graph" in value && value.graph instanceof Graph ? value.graph : undefined;
