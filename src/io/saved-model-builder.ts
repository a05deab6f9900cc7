// Writing SavedModels: meta graphs under tags, one set of variables, assets. TF: tf.saved_model.Builder, tf.saved_model.simple_save.

import { files } from "#platform";
import { AssertionError, RuntimeError, ValueError } from "../base/errors.ts";
import { fileNameOf, joinPath, readFile } from "../base/files.ts";
import { staticValue } from "../graph/static-value.ts";
import { createMessage, messageToBytes } from "../formats/message-codec.ts";
import type { MessageInit } from "../formats/messages.ts";
import { decodeText } from "../base/ndarray.ts";
import { getDefaultGraph } from "../graph/default-graph.ts";
import type { Graph } from "../graph/graph.ts";
import type { Operation, Tensor } from "../graph/operation.ts";
import type { SparseTensor } from "../graph/sparse-tensor.ts";
import { GraphKeys } from "../library/variables/graph-keys.ts";
import type { Session } from "../session/session.ts";
import { writeMessageFile } from "./message-files.ts";
import type { MetaGraphMessage } from "./meta-graph.ts";
import {
  ASSETS_DIRECTORY,
  ASSETS_KEY,
  buildTensorInfo,
  DEFAULT_SERVING_SIGNATURE_DEF_KEY,
  LEGACY_INIT_OP_KEY,
  MAIN_OP_KEY,
  predictSignatureDef,
  SAVED_MODEL_FILENAME_PB,
  SAVED_MODEL_FILENAME_PBTXT,
  SERVING,
  type SignatureMessage,
  VARIABLES_DIRECTORY,
  VARIABLES_FILENAME,
} from "./saved-model.ts";
import { Saver } from "./saver.ts";
import { refuseOthers } from "../ops/arguments.ts";

interface MetaGraphSettings {
  /** Signatures by key. */
  readonly signatureDefMap?: Readonly<Record<string, SignatureMessage>> | null;
  /** Constant string tensors that hold the paths of files to be taken along. */
  readonly assetsCollection?: readonly Tensor[] | null;
  /** Where files are now whose tensors hold another path: those of a model that was loaded. */
  readonly assetPaths?: ReadonlyMap<Tensor, string> | null;
  readonly legacyInitOp?: Operation | null;
  readonly clearDevices?: boolean;
  /** Run after loading. */
  readonly mainOp?: Operation | null;
  readonly stripDefaultAttrs?: boolean;
  readonly saver?: Saver | null;
}

/** Writes a SavedModel: `addMetaGraphAndVariables` first, further meta graphs, then `save`. TF: tf.saved_model.Builder.
 *  @throws AssertionError if the folder is not empty, or for calls in another order. */
export class SavedModelBuilder {
  private readonly exportDir: string;
  private readonly metaGraphs: MetaGraphMessage[] = [];
  private hasVariables = false;
  /** What has been asked for, one after the other: calls need not be awaited before the next. */
  private turn: Promise<unknown> = Promise.resolve();
  private readonly folder: Promise<void>;

  constructor(exportDir: string) {
    this.exportDir = exportDir;
    this.folder = files.list(exportDir).then(async names => {
      if (names.length > 0)
        throw new AssertionError(
          `Export directory ${exportDir} already exists, and isn't empty. Please choose a different export directory, or delete all the contents of the specified directory.`,
        );
      await files.makeFolder(exportDir);
    });
    // Whoever waits for a method hears of it.
    this.folder.catch(() => undefined);
  }

  /** Adds the session's graph under these tags, with its variables and assets. Once only. */
  addMetaGraphAndVariables(sess: Session, tags: readonly string[], options: MetaGraphSettings = {}): Promise<void> {
    return this.inTurn(() => this.addFirst(sess, tags, options));
  }

  private inTurn<T>(step: () => Promise<T>): Promise<T> {
    const done = this.turn.then(step);
    this.turn = done.catch(() => undefined);
    return done;
  }

  private async addFirst(sess: Session, tags: readonly string[], options: MetaGraphSettings): Promise<void> {
    if (this.hasVariables)
      throw new AssertionError(
        "Graph state including variables and assets has already been saved. Please invoke `add_meta_graph()` instead.",
      );
    checkSignatures(options.signatureDefMap);
    await this.folder;
    const { graph } = sess;
    await this.addCollections(graph, options);
    const saver = graph.asDefault(() => saverFor(graph, options));
    const folder = joinPath(this.exportDir, VARIABLES_DIRECTORY);
    await files.makeFolder(folder);
    await saver.save(sess, joinPath(folder, VARIABLES_FILENAME), { writeMetaGraph: false, writeState: false });
    this.hasVariables = true;
    await this.add(graph, saver, tags, options);
  }

  /** Adds the default graph under other tags; it shares the variables that are there. */
  addMetaGraph(tags: readonly string[], options: MetaGraphSettings = {}): Promise<void> {
    const graph = getDefaultGraph();
    return this.inTurn(() => this.addOther(graph, tags, options));
  }

  private async addOther(graph: Graph, tags: readonly string[], options: MetaGraphSettings): Promise<void> {
    if (!this.hasVariables)
      throw new AssertionError(
        "Graph state including variables and assets has not been saved yet. Please invoke `add_meta_graph_and_variables()` first.",
      );
    checkSignatures(options.signatureDefMap);
    await this.addCollections(graph, options);
    await this.add(
      graph,
      graph.asDefault(() => saverFor(graph, options)),
      tags,
      options,
    );
  }

  private async add(graph: Graph, saver: Saver, tags: readonly string[], options: MetaGraphSettings): Promise<void> {
    const { clearDevices = false, stripDefaultAttrs = false, signatureDefMap } = options;
    const message = await saver.exportMetaGraph({ graph, clearDevices, stripDefaultAttrs });
    this.metaGraphs.push({
      ...message,
      metaInfoDef: createMessage("MetaInfoDef", { ...message.metaInfoDef, tags: [...tags] } as MessageInit<"MetaInfoDef">),
      signatureDef: new Map(Object.entries(signatureDefMap ?? {})),
    });
  }

  private async addCollections(graph: Graph, { assetsCollection, assetPaths, legacyInitOp, mainOp }: MetaGraphSettings): Promise<void> {
    if (legacyInitOp && mainOp) throw new ValueError("Cannot specify both legacy_init_op and main_op; please pass only main_op.");
    for (const [key, op] of [
      [MAIN_OP_KEY, mainOp],
      [LEGACY_INIT_OP_KEY, legacyInitOp],
    ] as const) {
      if (!op) continue;
      if (op.graph !== graph) throw new TypeError(`${key} needs to be an Operation of the graph: ${op}`);
      graph.clearCollection(key);
      graph.addToCollection(key, op);
    }
    if (!assetsCollection || assetsCollection.length === 0) return;
    const assets = withOwnNames(assetsCollection.map(tensor => assetOf(tensor, assetPaths?.get(tensor))));
    const folder = joinPath(this.exportDir, ASSETS_DIRECTORY);
    await files.makeFolder(folder);
    for (const { path, filename } of new Map(assets.map(asset => [asset.filename, asset])).values())
      await files.write(joinPath(folder, filename), [await readFile(files, path)]);
    graph.clearCollection(ASSETS_KEY);
    for (const { filename, tensor } of assets)
      graph.addToCollection(ASSETS_KEY, {
        typeUrl: "type.googleapis.com/tensorflow.AssetFileDef",
        value: messageToBytes("AssetFileDef", { filename, tensorInfo: buildTensorInfo(tensor) }),
      });
  }

  /** Writes the file of the model; returns its path. */
  save({ asText = false }: { readonly asText?: boolean } = {}): Promise<string> {
    return this.inTurn(() => this.write(asText));
  }

  private async write(asText: boolean): Promise<string> {
    await this.folder;
    if (this.metaGraphs.length === 0) throw new RuntimeError("There is no meta graph to save.\n\nCall addMetaGraphAndVariables first.");
    const path = joinPath(this.exportDir, asText ? SAVED_MODEL_FILENAME_PBTXT : SAVED_MODEL_FILENAME_PB);
    await writeMessageFile("SavedModel", path, { savedModelSchemaVersion: 1n, metaGraphs: this.metaGraphs }, { asText });
    return path;
  }
}

/** @throws AssertionError for a tensor without a name. */
function checkSignatures(signatures: MetaGraphSettings["signatureDefMap"]): void {
  for (const { inputs, outputs } of Object.values(signatures ?? {}))
    for (const info of [...inputs.values(), ...outputs.values()])
      if (info.name === undefined && info.cooSparse === undefined && info.compositeTensor === undefined)
        throw new AssertionError(
          "Invalid `tensor_info`: All TensorInfo protos used in the SignatureDefs must have one of the 'encoding' fields (e.g., name or coo_sparse) set.",
        );
}

const saverFor = (graph: Graph, { saver }: MetaGraphSettings): Saver =>
  saver ??
  new Saver([...graph.getCollection(GraphKeys.GLOBAL_VARIABLES), ...graph.getCollection(GraphKeys.SAVEABLE_OBJECTS)], {
    sharded: true,
    allowEmpty: true,
  });

interface Asset {
  readonly path: string;
  readonly filename: string;
  readonly tensor: Tensor;
}

/** An asset's file. @throws ValueError unless the path is given or the tensor is a constant path. */
function assetOf(tensor: Tensor, given?: string): Asset {
  if (given !== undefined) return { path: given, filename: fileNameOf(given), tensor };
  const value = staticValue(tensor);
  if (tensor.dtype !== "string" || value === undefined || value.size !== 1)
    throw new ValueError(`Asset tensors must be constant strings: ${tensor}`);
  const path = decodeText(value.get(0) as Uint8Array);
  return { path, filename: fileNameOf(path), tensor };
}

/** Files of one name in several folders get names of their own, as TensorFlow gives them. */
function withOwnNames(assets: readonly Asset[]): Asset[] {
  const pathOf = new Map<string, string>();
  return assets.map(asset => {
    let { filename } = asset;
    for (let i = 1; (pathOf.get(filename) ?? asset.path) !== asset.path; i++) filename = `${asset.filename}_${i}`;
    pathOf.set(filename, asset.path);
    return { ...asset, filename };
  });
}

type Tensors = Readonly<Record<string, Tensor | SparseTensor>>;

/** Writes the session's graph for serving, with one signature, "serving_default". TF: tf.saved_model.simple_save. */
export async function simpleSave(
  session: Session,
  exportDir: string,
  inputs: Tensors,
  outputs: Tensors,
  { legacyInitOp, ...others }: { readonly legacyInitOp?: Operation | null } = {},
): Promise<void> {
  refuseOthers(others);
  const builder = new SavedModelBuilder(exportDir);
  await builder.addMetaGraphAndVariables(session, [SERVING], {
    signatureDefMap: { [DEFAULT_SERVING_SIGNATURE_DEF_KEY]: predictSignatureDef(inputs, outputs) },
    assetsCollection: session.graph.getCollection(GraphKeys.ASSET_FILEPATHS) as Tensor[],
    mainOp: legacyInitOp ?? null,
    clearDevices: true,
  });
  await builder.save();
}
