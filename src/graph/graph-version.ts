// Versions of TensorFlow's graphs, and the ops that some of them hold no more.

import type { OpDefinition } from "./op-definition.ts";

/** The version that tensorloom reads and writes. */
export const graphVersion = 2474;

/** What speaks against an op in a graph of a version, in TensorFlow's words. */
export function removalText({ type, removed }: OpDefinition, version: number): string | undefined {
  if (removed === undefined || version < removed[0]) return undefined;
  return `Op ${type} is not available in GraphDef version ${version}. It has been removed in version ${removed[0]}. ${removed[1]}.`;
}
