// Graphs in files: tf.train.write_graph, export_meta_graph, import_meta_graph. Reading and writing take their time, so all of these give promises.

import { OSError } from "../base/errors.ts";
import { textOf } from "../base/python-text.ts";
import { exists } from "./file-access.ts";
import { files } from "#platform";
import { joinPath } from "../base/files.ts";
import { messageFromBytes } from "../formats/message-codec.ts";
import type { MetaGraphDef } from "../formats/message-types.ts";
import { getDefaultGraph } from "../graph/default-graph.ts";
import { Graph } from "../graph/graph.ts";
import { exportGraphDef, type GraphDefMessage } from "./graph-def.ts";
import { readMessageFile, writeMessageFile } from "./message-files.ts";
import { addMetaGraph, type ImportMetaGraphOptions, type MetaGraphMessage, type MetaGraphOptions, metaGraphOf } from "./meta-graph.ts";
import { GraphKeys } from "../library/variables/graph-keys.ts";
import { Saver, writeMetaGraphFile } from "./saver.ts";

/** Writes a graph to `logdir/name`, as text unless `asText` is false; returns the path. TF: tf.train.write_graph, tf.io.write_graph. */
export async function writeGraph(
  graphOrGraphDef: Graph | GraphDefMessage,
  logdir: string,
  name: string,
  { asText = true }: { readonly asText?: boolean } = {},
): Promise<string> {
  const message = graphOrGraphDef instanceof Graph ? exportGraphDef(graphOrGraphDef) : graphOrGraphDef;
  const path = joinPath(logdir, name);
  await files.makeFolder(logdir);
  await writeMessageFile("GraphDef", path, message, { asText });
  return path;
}

export interface ExportMetaGraphOptions extends MetaGraphOptions {
  /** Where to write; nothing is written without it. */
  readonly filename?: string | null;
  readonly asText?: boolean;
}

/** The graph with its collections, written to `filename` if there is one. TF: tf.train.export_meta_graph. */
export async function exportMetaGraph({ filename, asText = false, ...options }: ExportMetaGraphOptions = {}): Promise<MetaGraphDef> {
  const message = metaGraphOf(options);
  if (filename) await writeMetaGraphFile(filename, message, asText);
  return message;
}

/** Adds a meta graph (a file, its bytes, or the message) to `graph` or the default graph: nodes, variables and other collections. Returns its saver, or null
 *  if it has neither a saver nor variables. TF: tf.train.import_meta_graph. @throws OSError and DataLossError for files. */
export async function importMetaGraph(
  metaGraphOrFile: string | Uint8Array | MetaGraphMessage,
  { graph: given, ...options }: Omit<ImportMetaGraphOptions, "returnElements"> & { readonly graph?: Graph | null } = {},
): Promise<Saver | null> {
  // The default graph is that of the call, not of the moment when the file has been read.
  const graph = given ?? getDefaultGraph();
  const scope = graph.getNameScope();
  const message =
    typeof metaGraphOrFile === "string"
      ? await metaGraphIn(metaGraphOrFile)
      : metaGraphOrFile instanceof Uint8Array
        ? messageFromBytes("MetaGraphDef", metaGraphOrFile)
        : typeof metaGraphOrFile === "object" && metaGraphOrFile !== null
          ? metaGraphOrFile
          : await metaGraphIn(textOf(metaGraphOrFile));
  return graph.asDefault(() => graph.nameScope(scope === "" ? null : `${scope}/`, () => withSaver(message, options)));
}

async function metaGraphIn(file: string): Promise<MetaGraphMessage> {
  if (file === "" || !(await exists(file))) throw new OSError(`File does not exist. Received: ${file}.`);
  return readMessageFile("MetaGraphDef", file);
}

/** Adds a meta graph and makes its saver. */
export function withSaver(message: MetaGraphMessage, options: ImportMetaGraphOptions): Saver | null {
  const graph = getDefaultGraph();
  const { importScope } = options;
  const scope = importScope ? graph.uniqueName(importScope, false) : graph.getNameScope();
  addMetaGraph(message, options);
  const { saverDef } = message;
  if (saverDef) return new Saver(null, { saverDef, name: scope || null });
  const own = graph.getCollection(GraphKeys.GLOBAL_VARIABLES, scope || null);
  return own.length > 0 ? new Saver(own) : null;
}
