// MetaGraphDef ↔ Graph: nodes, collections (variables, control-flow contexts, lists of values and names), savers. TF: tf.train.export_meta_graph,
// tf.train.import_meta_graph. Files are read and written by meta-graph-files.ts.

import { UnimplementedError, ValueError } from "../base/errors.ts";
import { decodeText, encodeText } from "../base/ndarray.ts";
import { createMessage, messageFromBytes, messageToBytes } from "../formats/message-codec.ts";
import { MetaGraphDef } from "../formats/message-types.ts";
import type { Message, MessageInit, MessageName } from "../formats/messages.ts";
import { getDefaultGraph } from "../graph/default-graph.ts";
import { functionsOf } from "../graph/functions.ts";
import type { Graph } from "../graph/graph.ts";
import { Operation, Tensor } from "../graph/operation.ts";
import { GraphKeys } from "../library/variables/graph-keys.ts";
import { QueueRunner, queueRunnerFromMessage, queueRunnerToMessage } from "../library/train/queue-runner.ts";
import { nodesFromMessage, placeFromMessage, variableToMessage } from "../library/variables/variable-message.ts";
import { Variable } from "../library/variables/variables.ts";
import { CondContext, WhileContext } from "../ops/flow/control-flow-contexts.ts";
import { condFromMessage, condToMessage, whileFromMessage, whileToMessage } from "./context-message.ts";
import { attachedLibrary } from "./function-library.ts";
import { exportGraphDef, type GraphDefMessage, importGraphDef, type ImportGraphDefOptions } from "./graph-def.ts";
import type { Definitions } from "./graph-importer.ts";
import { isInScope, prependScope, type Renaming, stripScope } from "../graph/import-scope.ts";
import { strippedOpList, withoutDefaultAttrs } from "./op-message.ts";

export type MetaGraphMessage = Message<"MetaGraphDef">;
type CollectionMessage = Message<"CollectionDef">;

/** The TensorFlow whose files these are. */
const tensorflowVersion = "2.21.0";

// ---- variables ----

/** A variable over nodes of the graph that are there. */
function variableFromMessage(graph: Graph, message: Message<"VariableDef">, prefix: Renaming, isTrainable: boolean): Variable {
  const variable = new Variable(nodesFromMessage(graph, message, prefix, isTrainable));
  variable.saveSliceInfo = placeFromMessage(message);
  return variable;
}

// ---- collections ----

const variableCollections: ReadonlySet<string> = new Set([
  GraphKeys.GLOBAL_VARIABLES,
  GraphKeys.TRAINABLE_VARIABLES,
  GraphKeys.LOCAL_VARIABLES,
  GraphKeys.MODEL_VARIABLES,
  GraphKeys.MOVING_AVERAGE_VARIABLES,
  GraphKeys.METRIC_VARIABLES,
  GraphKeys.CONCATENATED_VARIABLES,
  GraphKeys.TRAINABLE_RESOURCE_VARIABLES,
  GraphKeys.GLOBAL_STEP,
]);

const bytesList = <N extends MessageName>(name: N, items: readonly MessageInit<N>[]): MessageInit<"CollectionDef"> => ({
  bytesList: { value: items.map(item => messageToBytes(name, item)) },
});

/** A collection as a message; null if nothing of it is to be written, undefined for what has no serialized form. */
function collectionToMessage(
  key: string,
  given: readonly unknown[],
  scope: string | null,
): MessageInit<"CollectionDef"> | undefined | null {
  const strip = stripScope(scope);
  const items = given.filter(item => nameOf(item) === undefined || isInScope(nameOf(item) as string, scope));
  if (items.length === 0) return null;
  if (variableCollections.has(key) && isAll(items, Variable))
    return bytesList(
      "VariableDef",
      items.map(item => variableToMessage(item, strip)),
    );
  if (isAll(items, CondContext))
    return bytesList(
      "CondContextDef",
      items.map(item => condToMessage(item, strip)),
    );
  if (isAll(items, WhileContext))
    return bytesList(
      "WhileContextDef",
      items.map(item => whileToMessage(item, strip)),
    );
  if (isAll(items, QueueRunner))
    return bytesList(
      "QueueRunnerDef",
      items.map(item => queueRunnerToMessage(item, strip)),
    );
  if (items.every(isSaver))
    return bytesList(
      "SaverDef",
      items.flatMap(item => item.toProto({ exportScope: scope }) ?? []),
    );
  const names = items.map(nameOf);
  if (!names.includes(undefined)) return { nodeList: { value: (names as string[]).map(strip) } };
  if (items.every(item => item instanceof Uint8Array || typeof item === "string"))
    return { bytesList: { value: items.map(item => (typeof item === "string" ? encodeText(item) : item)) } };
  if (items.every(item => typeof item === "bigint" || Number.isInteger(item)))
    return { int64List: { value: items.map(item => BigInt(item as number)) } };
  if (items.every(item => typeof item === "number")) return { floatList: { value: items } };
  return items.every(isAny) ? { anyList: { value: items } } : undefined;
}

const isAll = <T>(items: unknown[], type: abstract new (...args: never[]) => T): items is T[] => items.every(item => item instanceof type);

interface SaverLike {
  toProto(options: { exportScope: string | null }): MessageInit<"SaverDef"> | null;
}
const isSaver = (item: unknown): item is SaverLike =>
  typeof item === "object" && item !== null && "saverDef" in item && "toProto" in item && typeof item.toProto === "function";
const isAny = (item: unknown): item is Message<"Any"> => typeof item === "object" && item !== null && "typeUrl" in item && "value" in item;

/** What a node list calls an item: tensors `name:0`, operations `name`. */
function nameOf(item: unknown): string | undefined {
  if (item instanceof Tensor || item instanceof Operation || item instanceof Variable || item instanceof QueueRunner) return item.name;
  const name = typeof item === "object" && item !== null && "asGraphElement" in item ? (item as { name?: unknown }).name : undefined;
  return typeof name === "string" ? name : undefined;
}

// ---- export ----

export interface MetaGraphOptions {
  readonly graph?: Graph | null;
  readonly metaInfoDef?: MessageInit<"MetaInfoDef"> | null;
  /** Instead of the graph's own nodes. Ops that `graph` has none of are left out of the list of ops, and their attributes stay as they are. */
  readonly graphDef?: GraphDefMessage | null;
  readonly saverDef?: MessageInit<"SaverDef"> | null;
  /** Only these collections. */
  readonly collectionList?: readonly string[] | null;
  /** Only what is in this name scope, without it. */
  readonly exportScope?: string | null;
  readonly clearDevices?: boolean;
  /** Without the nodes of other savers than `saverDef`'s, of which it has one or none. */
  readonly clearExtraneousSavers?: boolean;
  readonly stripDefaultAttrs?: boolean;
}

/** A graph with its collections as a message. TF: meta_graph.create_meta_graph_def. */
export function metaGraphOf(options: MetaGraphOptions = {}): MetaGraphDef {
  const { metaInfoDef, saverDef, collectionList, exportScope = null, clearDevices = false, stripDefaultAttrs = false } = options;
  const { clearExtraneousSavers = false } = options;
  const graph = options.graph ?? getDefaultGraph();
  const definitionOf = definitionsIn(graph);
  let graphDef = options.graphDef ?? exportGraphDef(graph, { addShapes: true });
  const extraneous = clearExtraneousSavers ? saverNodes(graphDef, saverDef ?? null) : new Set<string>();
  if (extraneous.size > 0) graphDef = { ...graphDef, node: graphDef.node.filter(({ name }) => !extraneous.has(name)) };
  if (exportScope) graphDef = scopedGraphDef(graphDef, exportScope);
  if (stripDefaultAttrs) graphDef = withoutDefaultAttrs(graphDef, definitionOf);
  if (clearDevices) graphDef = { ...graphDef, node: graphDef.node.map(node => ({ ...node, device: "" })) };
  return new MetaGraphDef({
    metaInfoDef: {
      tensorflowVersion,
      tensorflowGitVersion: "unknown",
      strippedOpList: strippedOpList(graphDef, definitionOf),
      strippedDefaultAttrs: stripDefaultAttrs,
      ...metaInfoDef,
    },
    graphDef,
    saverDef: saverDef ?? undefined,
    collectionDef: new Map(
      (collectionList ?? graph.getAllCollectionKeys()).flatMap(key => {
        if (clearExtraneousSavers && key === GraphKeys.SAVERS) return [];
        const kept = graph.getCollection(key).filter(item => !extraneous.has((nameOf(item) ?? "").split(":")[0]));
        const message = collectionToMessage(key, kept, exportScope);
        if (message) return [[key, createMessage("CollectionDef", message)] as const];
        if (message === null) return [];
        console.warn(
          `Issue encountered when serializing ${key}.\nType is unsupported, or the types of the items don't match field type in CollectionDef. Note this is a warning and probably safe to ignore.`,
        );
        return [];
      }),
    ),
  });
}

/** The definitions of a graph's own ops and its functions': what is exported is made of these, so no list of all ops there are is needed. */
function definitionsIn(graph: Graph): Definitions {
  const bodies = functionsOf(graph).made.flatMap(({ graph: body }) => body.getOperations());
  const own = new Map([...graph.getOperations(), ...bodies].map(op => [op.type, op.definition]));
  return type => own.get(type) ?? attachedLibrary(graph)?.definitionOf(type);
}

const saverOps = new Set(["Save", "SaveV2", "SaveSlices", "Restore", "RestoreV2", "RestoreSlice"]);
const scopeOf = (name: string): string => name.slice(0, Math.max(0, name.lastIndexOf("/")));

/** The names of all that is in the scopes of savers, but for those of one. */
function saverNodes(graphDef: GraphDefMessage, kept: MessageInit<"SaverDef"> | null): Set<string> {
  const keptScopes = new Set([kept?.saveTensorName, kept?.restoreOpName].map(name => scopeOf((name ?? "").split(":")[0])));
  const scopes = new Set(graphDef.node.filter(({ op }) => saverOps.has(op)).map(({ name }) => scopeOf(name)));
  const others = [...scopes].filter(scope => scope !== "" && !keptScopes.has(scope)).map(scope => `${scope}/`);
  return new Set(graphDef.node.map(({ name }) => name).filter(name => others.some(scope => name.startsWith(scope))));
}

/** The nodes of a scope, named without it. @throws ValueError if they read from outside. */
function scopedGraphDef(graphDef: GraphDefMessage, scope: string): GraphDefMessage {
  const strip = stripScope(scope);
  const node = graphDef.node.filter(({ name }) => isInScope(name, scope));
  for (const { name, input } of node) {
    const outer = input.find(each => !isInScope(each, scope));
    if (outer !== undefined && !outer.startsWith("^"))
      throw new UnimplementedError(
        `The node '${name}' reads '${outer}', which is not in the scope '${scope}': inputs from outside an exported scope are not supported.`,
      );
  }
  return {
    ...graphDef,
    node: node.map(each => ({
      ...each,
      name: strip(each.name),
      input: each.input.filter(input => isInScope(input, scope)).map(strip),
      attr: new Map([...each.attr].map(([key, value]) => [key, key === "_class" ? strippedGroups(value, strip) : value] as const)),
    })),
  };
}

const strippedGroups = (value: Message<"AttrValue">, strip: Renaming): Message<"AttrValue"> =>
  createMessage("AttrValue", {
    list: { s: (value.list?.s ?? []).map(group => encodeText(strip(decodeText(group)))) },
  });

// ---- import ----

export interface ImportMetaGraphOptions {
  readonly clearDevices?: boolean;
  /** Names everything under this scope. */
  readonly importScope?: string | null;
  readonly inputMap?: ImportGraphDefOptions["inputMap"];
  readonly returnElements?: readonly string[] | null;
}

/** Adds a meta graph to the default graph, collections and all; returns what `returnElements` names. TF: meta_graph.import_scoped_meta_graph. */
export function addMetaGraph(message: MetaGraphMessage, options: ImportMetaGraphOptions = {}): (Operation | Tensor)[] | null {
  const { clearDevices = false, importScope, inputMap, returnElements } = options;
  const graph = getDefaultGraph();
  if (!message.graphDef) throw new ValueError("MetaGraphDef has no graph_def.");
  const graphDef = clearDevices
    ? { ...message.graphDef, node: message.graphDef.node.map(node => ({ ...node, device: "" })) }
    : message.graphDef;
  // The scope that importing is about to open.
  const scope = importScope ? graph.uniqueName(importScope, false) : graph.getNameScope();
  const elements = importGraphDef(graphDef, {
    name: importScope || "",
    inputMap,
    returnElements,
    producerOpList: message.metaInfoDef?.strippedOpList ?? null,
  });
  graph.nameScope(null, () => {
    graph.controlDependencies(null, () => {
      const prefix = prependScope(scope);
      const reader = new CollectionReader(graph, message, prefix);
      for (const [key, collection] of [...message.collectionDef].sort(([a], [b]) => (a < b ? -1 : 1)))
        for (const item of reader.items(key, collection)) graph.addToCollection(key, item);
    });
  });
  return elements;
}

class CollectionReader {
  private readonly graph: Graph;
  private readonly prefix: Renaming;
  /** A variable that is in several collections is one object. */
  private readonly variables = new Map<string, Variable>();
  private readonly trainable: ReadonlySet<string>;

  constructor(graph: Graph, message: MetaGraphMessage, prefix: Renaming) {
    this.graph = graph;
    this.prefix = prefix;
    this.trainable = new Set((message.collectionDef.get(GraphKeys.TRAINABLE_VARIABLES)?.bytesList?.value ?? []).map(String));
  }

  items(key: string, { nodeList, bytesList: bytes, int64List, floatList, anyList }: CollectionMessage): readonly unknown[] {
    if (nodeList) return nodeList.value.map(name => this.graph.asGraphElement(this.prefix(name)));
    if (bytes) return bytes.value.map(item => this.fromBytes(key, item));
    if (int64List) return int64List.value.map(value => (Number.isSafeInteger(Number(value)) ? Number(value) : value));
    return floatList?.value ?? anyList?.value ?? [];
  }

  private fromBytes(key: string, bytes: Uint8Array): unknown {
    const { graph, prefix } = this;
    if (variableCollections.has(key)) return this.variable(bytes);
    if (key === GraphKeys.COND_CONTEXT) return condFromMessage(messageFromBytes("CondContextDef", bytes), graph, prefix);
    if (key === GraphKeys.QUEUE_RUNNERS) return queueRunnerFromMessage(messageFromBytes("QueueRunnerDef", bytes), graph, prefix);
    if (key === GraphKeys.WHILE_CONTEXT) return whileFromMessage(messageFromBytes("WhileContextDef", bytes), graph, prefix);
    return bytes;
  }

  private variable(bytes: Uint8Array): Variable {
    const key = String(bytes);
    let variable = this.variables.get(key);
    if (!variable) {
      variable = variableFromMessage(this.graph, messageFromBytes("VariableDef", bytes), this.prefix, this.trainable.has(key));
      this.variables.set(key, variable);
    }
    return variable;
  }
}
