// How a run is to be done and what it took, as messages: `session.run(loss, feeds, { options, runMetadata })` reads the one and fills the other.

import { messageClass, type MessageObject } from "../formats/message-class.ts";
import type { Graph } from "../graph/graph.ts";
import type { Operation } from "../graph/operation.ts";
import type { RunMetadataTarget } from "../session/session.ts";
import { exportGraphDef } from "./graph-def.ts";

/** `new tf.RunOptions({ traceLevel: tf.RunOptions.FULL_TRACE })` for `session.run`. TF: tf.RunOptions. */
export const RunOptions = Object.assign(messageClass("RunOptions"), {
  NO_TRACE: 0,
  SOFTWARE_TRACE: 1,
  HARDWARE_TRACE: 2,
  FULL_TRACE: 3,
} as const);
export type RunOptions = MessageObject<"RunOptions">;

/** What a traced run took, by device and node; `session.run` fills it. TF: tf.RunMetadata. */
export class RunMetadata extends messageClass("RunMetadata") implements RunMetadataTarget {
  /** Keeps the nodes of a graph that ran. */
  addPartitionGraph(graph: Graph, operations: readonly Operation[]): void {
    const names = new Set(operations.map(({ name }) => name));
    const { node, ...rest } = exportGraphDef(graph);
    Object.assign(this, { partitionGraphs: [{ ...rest, node: node.filter(({ name }) => names.has(name)) }] });
  }
}
