// GraphDef ↔ Graph: tf.import_graph_def and Graph.as_graph_def. Bytes, JSON and text are the business of formats/, building the nodes that of
// graph-importer.ts, functions that of function-library.ts.

import { pythonRepr, pythonType } from "../base/python-text.ts";
import { ValueError } from "../base/errors.ts";
import { createMessage, messageFromBytes, messageFromJson, isAbsent } from "../formats/message-codec.ts";
import { GraphDef } from "../formats/message-types.ts";
import type { Message, MessageInit } from "../formats/messages.ts";
import { shapeToMessage } from "../formats/tensor-message.ts";
import { convertToTensor, type TensorLike } from "../graph/conversion.ts";
import { getDefaultGraph } from "../graph/default-graph.ts";
import { functionsOf } from "../graph/functions.ts";
import type { Graph } from "../graph/graph.ts";
import { graphVersion } from "../graph/graph-version.ts";
import type { Operation } from "../graph/operation.ts";
import { Tensor } from "../graph/operation.ts";
import { attachedLibrary, libraryOf } from "./function-library.ts";
import { functionMessage } from "./function-message.ts";
import { GraphImporter, type NodeMessage, tensorNameOf } from "./graph-importer.ts";
import { nodeOf } from "./node-message.ts";

/** A GraphDef as a plain object: what readers of .pb files give and what `exportGraphDef` makes. */
export type GraphDefMessage = Message<"GraphDef">;

export interface ImportGraphDefOptions {
  /** Inputs of the imported nodes to be taken from elsewhere: `{ "x:0": tensor }`. */
  readonly inputMap?: Readonly<Record<string, TensorLike>> | ReadonlyMap<string, TensorLike> | null;
  /** Names (in the GraphDef) of what to return: "x:0" a tensor, "x" an operation. */
  readonly returnElements?: readonly string[] | null;
  /** Prefix of all names; "" for none. "import" by default. */
  readonly name?: string | null;
  /** Op definitions of the producer: attributes that we do not know and that have the producer's default are dropped. */
  readonly producerOpList?: MessageInit<"OpList"> | null;
}

/** Adds the nodes of a GraphDef to the default graph; returns what `returnElements` names, or null without it. Takes the bytes
 *  of a .pb file, the message, or its proto3 JSON. TF: tf.import_graph_def.
 *  @throws NotFoundError listing all unknown op types; ValueError for missing inputs or attributes, double names, wrong types or shapes. */
export function importGraphDef(
  graphDef: GraphDefMessage | Uint8Array | object,
  // any: a name may mean a tensor ("x:0") or an operation ("x")
  options: ImportGraphDefOptions & { readonly returnElements: readonly string[] },
): any[];
export function importGraphDef(
  graphDef: GraphDefMessage | Uint8Array | object,
  options?: ImportGraphDefOptions,
): (Operation | Tensor)[] | null;
export function importGraphDef(
  graphDef: GraphDefMessage | Uint8Array | object,
  options: ImportGraphDefOptions = {},
): (Operation | Tensor)[] | null {
  const message = graphDefOf(graphDef);
  checkVersions(message);
  const graph = getDefaultGraph();
  const name = options.name ?? "import";
  const { inputMap: map } = options;
  if (map !== undefined && map !== null && (typeof map !== "object" || Array.isArray(map)))
    throw new TypeError(`Argument \`input_map\` must be a dictionary. Obtained ${pythonType(map)}`);
  const given = options.inputMap instanceof Map ? [...options.inputMap] : Object.entries(options.inputMap ?? {});
  if (given.some(([key]) => typeof key !== "string" && !(key instanceof Tensor)))
    throw new TypeError(`All keys for argument \`input_map\` must be strings. Obtained keys: ${pythonRepr(given.map(([key]) => key))}`);
  const elements = options.returnElements ? Array.from(options.returnElements) : null;
  if (elements?.some(element => typeof element !== "string"))
    throw new TypeError(`Argument \`return_elements\` must be a list of strings. Obtained ${pythonRepr(elements)}.`);
  const { prefix, inputMap } = graph.nameScope(name, scope => ({
    prefix: name === "" ? "" : String(scope),
    inputMap: new Map(given.map(([key, value]) => [tensorNameOf(key), mappedInput(graph, value)])),
  }));
  const functions = libraryOf(graph);
  functions.add(message.library);
  const importer = new GraphImporter({
    graph,
    nodes: message.node,
    prefix,
    inputMap,
    producerOpList: options.producerOpList ?? null,
    producer: isAbsent(message.versions) ? graphVersion : message.versions.producer,
    definitionOf: functions.definitionOf,
  });
  const start = graph.version;
  graph.nameScope(null, () => importer.run());
  importsOf(graph).push({ start, ops: message.node.map(node => importer.element(node.name) as Operation) });
  mergeVersions(graph, message);
  return elements?.map(element => importer.element(element)) ?? null;
}

const mappedInput = (graph: Graph, value: TensorLike): Tensor =>
  value instanceof Tensor ? value : graph.nameScope("_inputs", () => convertToTensor(value));

function graphDefOf(given: GraphDefMessage | Uint8Array | object): GraphDefMessage {
  if (given instanceof Uint8Array) return messageFromBytes("GraphDef", given);
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw new TypeError(
      "Argument `graph_def` must be a GraphDef proto.\n\nPass the bytes of a .pb file, the object that exportGraphDef gives, or proto3 JSON. Text (.pbtxt) is read by messageFromText of tensorloom/formats.",
    );
  const { node } = given as { node?: readonly { attr?: unknown }[] };
  const isMessage = Array.isArray(node) && (node.length === 0 ? "versions" in given && "library" in given : node[0].attr instanceof Map);
  return isMessage ? (given as GraphDefMessage) : messageFromJson("GraphDef", given);
}

/** The operations of each import in the order their nodes had, which they have again when they are written. */
function importsOf(graph: Graph): { readonly start: number; readonly ops: readonly Operation[] }[] {
  return graph.attached(importsOf, () => []);
}

function exportOrder(graph: Graph): readonly Operation[] {
  const ops = [...graph.getOperations()];
  for (const { start, ops: imported } of importsOf(graph)) ops.splice(start, imported.length, ...imported);
  return ops;
}

interface Versions {
  producer: number;
  minConsumer: number;
  badConsumers: readonly number[];
}

/** What a graph says of the TensorFlows that may read it: importing older or more demanding graphs changes it. */
function versionsOf(graph: Graph): Versions {
  return graph.attached(versionsOf, () => ({ producer: graphVersion, minConsumer: 0, badConsumers: [] }));
}

function mergeVersions(graph: Graph, { versions }: GraphDefMessage): void {
  const own = versionsOf(graph);
  if (!versions) return;
  own.producer = Math.min(own.producer, versions.producer);
  own.minConsumer = Math.max(own.minConsumer, versions.minConsumer);
  own.badConsumers = [...new Set([...own.badConsumers, ...versions.badConsumers])].sort((a, b) => a - b);
}

function checkVersions({ versions }: GraphDefMessage): void {
  if (versions === undefined) return;
  if (versions.minConsumer > graphVersion)
    throw new ValueError(
      `GraphDef min consumer version ${versions.minConsumer} above current version ${graphVersion} for TensorFlow 2.21.0.  Please upgrade TensorFlow.`,
      "The file was written for a newer TensorFlow than tensorloom knows.",
    );
  if (versions.badConsumers.includes(graphVersion))
    throw new ValueError(`GraphDef disallows consumer version ${graphVersion}.  Please upgrade TensorFlow: this version is likely buggy.`);
}

// ---- export ----

export interface ExportGraphDefOptions {
  /** Only operations made after this `graph.version`. */
  readonly fromVersion?: number | null;
  /** Adds the inferred shapes of outputs as the attribute `_output_shapes`. */
  readonly addShapes?: boolean;
}

/** The graph as a message: all operations in order of creation, every attribute written out. TF: Graph.as_graph_def. */
export function exportGraphDef(graph: Graph, { fromVersion, addShapes = false }: ExportGraphDefOptions = {}): GraphDef {
  const ops = exportOrder(graph).slice(fromVersion ?? 0);
  return new GraphDef({
    node: ops.map(op => (addShapes ? withShapes(op) : nodeOf(op))),
    versions: versionsOf(graph),
    library: libraryMessage(graph),
  });
}

/** The functions that came with a GraphDef, as they came, and those that the program made. */
function libraryMessage(graph: Graph): GraphDefMessage["library"] {
  const brought = attachedLibrary(graph)?.toMessage();
  const made = functionsOf(graph).made.map(functionMessage);
  if (made.length === 0) return brought;
  return createMessage("FunctionDefLibrary", { ...brought, function: [...(brought?.function ?? []), ...made] });
}

function withShapes(op: Operation): NodeMessage {
  const node = nodeOf(op);
  if (op.outputs.length === 0) return node;
  const shapes = createMessage("AttrValue", { list: { shape: op.outputs.map(output => shapeToMessage(output.shape)) } });
  return { ...node, attr: new Map([...node.attr, ["_output_shapes", shapes] as const].sort(([x], [y]) => (x < y ? -1 : 1))) };
}
