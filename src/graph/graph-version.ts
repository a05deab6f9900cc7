// Versions of TensorFlow's graphs, and the ops that some of them hold no more.

import type { OpDefinition } from "./op-definition.ts";

/** The version that tensorloom reads and writes. */
export const graphVersion = 2474;

/** What speaks against an op in a graph of a version, in TensorFlow's words. */
export function removalText({ type, removed }: OpDefinition, version: number): string | undefined {
  if (removed === undefined || version < removed[0]) return undefined;
  return `Op ${type} is not available in GraphDef version ${version}. It has been removed in version ${removed[0]}. ${removed[1]}.`;
}

/** The TensorFlow whose `tf.compat.v1` this API is and whose answers it is tested against. Programs compare it. TF: tf.VERSION. */
export const VERSION = "2.21.0";
/** TensorFlow's word where a build knows no commit. TF: tf.GIT_VERSION. */
export const GIT_VERSION = "unknown";
/** There is no C++ compiler. TF: tf.COMPILER_VERSION. */
export const COMPILER_VERSION = "unknown";
/** TF: tf.GRAPH_DEF_VERSION. */
export const GRAPH_DEF_VERSION = graphVersion;
/** Graphs of all versions are read. TF: tf.GRAPH_DEF_VERSION_MIN_CONSUMER. */
export const GRAPH_DEF_VERSION_MIN_CONSUMER = 0;
/** TF: tf.GRAPH_DEF_VERSION_MIN_PRODUCER. */
export const GRAPH_DEF_VERSION_MIN_PRODUCER = 0;
