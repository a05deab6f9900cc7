// The stack of default graphs: `asDefault` pushes, and without any the process-wide graph is used.

import { AssertionError } from "../base/errors.ts";
import { Graph } from "./graph.ts";

const stack: Graph[] = [];
let processWide: Graph | undefined;

/** The graph that new nodes go to. TF: tf.get_default_graph. */
export function getDefaultGraph(): Graph {
  if (stack.length > 0) return stack[stack.length - 1];
  processWide ??= new Graph();
  return processWide;
}

/** The graph for new nodes that read from one: that graph, but for a function that is being built, which takes tensors of outer graphs in. */
export function graphFor(given: Graph | undefined): Graph {
  const current = getDefaultGraph();
  return given === undefined || current.capture !== null ? current : given;
}

export function pushDefaultGraph(graph: Graph): void {
  stack.push(graph);
}

/** @throws AssertionError if `graph` is not the innermost default. */
export function popDefaultGraph(graph: Graph): void {
  if (stack[stack.length - 1] !== graph)
    throw new AssertionError("Nesting violated for default stack of <class 'tensorflow.python.framework.ops.Graph'> objects");
  stack.pop();
}

/** Forgets the process-wide default graph. @throws AssertionError inside a nested graph. TF: tf.reset_default_graph. */
export function resetDefaultGraph(): void {
  if (stack.length > 0)
    throw new AssertionError(
      "Do not use tf.reset_default_graph() to clear nested graphs. If you need a cleared graph, exit the nesting and create a new graph.",
    );
  processWide = undefined;
}
