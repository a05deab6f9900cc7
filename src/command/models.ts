// Models of any kind behind one face: a graph message to look at, or a session with its variables restored, and signatures.

import { files } from "#platform";
import { InvalidArgumentError, NotFoundError, ValueError } from "../base/errors.ts";
import { hasCheckpoint } from "../formats/checkpoint.ts";
import type { Message } from "../formats/messages.ts";
import { Graph } from "../graph/graph.ts";
import { GraphKeys } from "../library/variables/graph-keys.ts";
import { type GraphDefMessage, importGraphDef } from "../io/graph-def.ts";
import { readMessageFile } from "../io/message-files.ts";
import type { MetaGraphMessage } from "../io/meta-graph.ts";
import { importMetaGraph } from "../io/meta-graph-files.ts";
import { load, metaGraphWithTags, readSavedModel, type SignatureMessage } from "../io/saved-model.ts";
import { checkpointPath } from "../io/saver-checkpoints.ts";
import { readTfjsGraphModel } from "../io/tfjs-graph-model.ts";
import { Session } from "../session/session.ts";
import { type FileKind, findFile, type FoundFile } from "./file-kind.ts";
import { Progress } from "./layout.ts";
import { endSignature } from "./signatures.ts";

export interface ModelOptions {
  readonly kind?: FileKind | undefined;
  /** Of a SavedModel: which of its meta graphs. */
  readonly tags?: readonly string[] | undefined;
  /** Of a meta graph: where its variables are; by default beside it. */
  readonly checkpoint?: string | undefined;
}

/** What a model's file says, without a graph being built. */
export interface ModelFile extends FoundFile {
  readonly graphDef: GraphDefMessage;
  readonly signatures: ReadonlyMap<string, SignatureMessage>;
  readonly metaGraph?: MetaGraphMessage;
  /** Of a SavedModel: all of its tag sets. */
  readonly tagSets?: readonly (readonly string[])[];
  readonly tags?: readonly string[];
}

export const defaultSignature = "serving_default";

/** @throws InvalidArgumentError if the path is no model's. */
export async function readModel(given: string, { kind, tags }: ModelOptions = {}): Promise<ModelFile> {
  const found = await findFile(given, kind);
  const { path } = found;
  switch (found.kind) {
    case "saved-model": {
      const message = await readSavedModel(path);
      const tagSets = message.metaGraphs.map(({ metaInfoDef }) => metaInfoDef?.tags ?? []);
      const chosen = tags ?? tagSets.find(set => set.join() === "serve") ?? tagSets[0] ?? [];
      const metaGraph = metaGraphWithTags(message, chosen);
      return { ...found, graphDef: graphOf(metaGraph, path), signatures: metaGraph.signatureDef, metaGraph, tagSets, tags: chosen };
    }
    case "meta-graph": {
      const metaGraph = await readMessageFile("MetaGraphDef", path);
      const graphDef = graphOf(metaGraph, path);
      return { ...found, graphDef, signatures: metaGraph.signatureDef, metaGraph };
    }
    case "graph":
      return { ...found, graphDef: await readMessageFile("GraphDef", path), signatures: new Map() };
    case "tfjs": {
      const { graphDef, signature } = await readTfjsGraphModel(path);
      const isSaid = signature.inputs.size > 0 || signature.outputs.size > 0;
      return { ...found, graphDef, signatures: new Map(isSaid ? [[defaultSignature, signature]] : []) };
    }
    default:
      throw new InvalidArgumentError(`${given} is no model but ${nameOfKind[found.kind]}.`);
  }
}

export const nameOfKind: Readonly<Record<FileKind, string>> = {
  "saved-model": "a SavedModel",
  graph: "a graph",
  "meta-graph": "a meta graph",
  tfjs: "a TensorFlow.js model",
  checkpoint: "a checkpoint",
  events: "a file of events",
  records: "a file of records",
  npy: "an array of numpy",
};

function graphOf({ graphDef }: MetaGraphMessage, path: string): GraphDefMessage {
  if (!graphDef) throw new ValueError(`${path}: the meta graph has no graph.`);
  return graphDef;
}

/** A model that is ready to run. */
export interface OpenModel {
  readonly file: ModelFile;
  readonly graph: Graph;
  readonly session: Session;
  /** The file's; where it has none, one of placeholders and of what nobody reads. */
  readonly signatures: ReadonlyMap<string, Message<"SignatureDef">>;
  readonly hasVariables: boolean;
}

/** Builds a model's graph and restores its variables. */
export const openModel = (given: string, options: ModelOptions = {}): Promise<OpenModel> =>
  Progress.during(`opening ${given}`, () => opened(given, options));

async function opened(given: string, options: ModelOptions): Promise<OpenModel> {
  const file = await readModel(given, options);
  const graph = new Graph();
  const session = new Session({ graph });
  if (file.kind === "saved-model") await load(session, file.tags ?? [], file.path);
  else if (file.metaGraph) await restoreMetaGraph(file.metaGraph, graph, session, file.path, options.checkpoint);
  else graph.asDefault(() => importGraphDef(file.graphDef, { name: "" }));
  const signatures = file.signatures.size > 0 ? file.signatures : new Map([[defaultSignature, endSignature(graph)]]);
  const hasVariables = graph.getOperations().some(({ type }) => variableTypes.has(type));
  return { file, graph, session, signatures, hasVariables };
}

export const variableTypes: ReadonlySet<string> = new Set(["Variable", "VariableV2", "VarHandleOp"]);

async function restoreMetaGraph(
  metaGraph: MetaGraphMessage,
  graph: Graph,
  session: Session,
  path: string,
  checkpoint?: string,
): Promise<void> {
  const saver = await importMetaGraph(metaGraph, { graph, clearDevices: true });
  const prefix =
    checkpoint === undefined ? path.replace(/\.meta(?:\.pbtxt)?$/, "") : await checkpointPath(checkpoint.replace(/\.index$/, ""));
  if (await hasCheckpoint(files, prefix)) {
    if (saver) await saver.restore(session, prefix);
  } else if (checkpoint !== undefined) throw new NotFoundError(`There is no checkpoint ${prefix}.`);
  else if (saver)
    throw new NotFoundError(`${path} has variables, but there is no checkpoint ${prefix} beside it: name one with --checkpoint.`);
  const tables = graph.getCollection(GraphKeys.TABLE_INITIALIZERS);
  for (const initializer of tables) await session.run(graph.asGraphElement(initializer));
}
