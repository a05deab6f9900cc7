// SavedModels: what is in one, its signatures, and loading one into a session. TF: tf.saved_model. Writing is saved-model-builder.ts.

import { files } from "#platform";
import { DataLossError, NotFoundError, RuntimeError, ValueError } from "../base/errors.ts";
import { type FileSystem, joinPath, staysInside } from "../base/files.ts";
import { messageFromBytes } from "../formats/message-codec.ts";
import { MetaGraphDef } from "../formats/message-types.ts";
import { classOf, type MessageObject } from "../formats/message-class.ts";
import type { Message, MessageInit } from "../formats/messages.ts";
import { shapeToMessage } from "../formats/tensor-message.ts";
import { dtypeEnumName } from "../base/dtype.ts";
import { getDefaultGraph } from "../graph/default-graph.ts";
import type { Graph } from "../graph/graph.ts";
import type { Operation, Tensor } from "../graph/operation.ts";
import { SparseTensor } from "../graph/sparse-tensor.ts";
import { globalVariablesInitializer, localVariablesInitializer } from "../library/variables/variable-lists.ts";
import { group } from "../ops/flow/control-flow.ts";
import type { Session } from "../session/session.ts";
import { prependScope } from "../graph/import-scope.ts";
import { readMessageFile } from "./message-files.ts";
import type { MetaGraphMessage } from "./meta-graph.ts";
import { withSaver } from "./meta-graph-files.ts";
import { GraphKeys } from "../library/variables/graph-keys.ts";
import { refuseOthers } from "../ops/arguments.ts";

export const ASSETS_DIRECTORY = "assets";
export const ASSETS_KEY = "saved_model_assets";
export const LEGACY_INIT_OP_KEY = "legacy_init_op";
export const MAIN_OP_KEY = "saved_model_main_op";
export const SAVED_MODEL_FILENAME_PB = "saved_model.pb";
export const SAVED_MODEL_FILENAME_PBTXT = "saved_model.pbtxt";
export const SAVED_MODEL_SCHEMA_VERSION = 1;
export const VARIABLES_DIRECTORY = "variables";
export const VARIABLES_FILENAME = "variables";
export const DEBUG_DIRECTORY = "debug";
export const DEBUG_INFO_FILENAME_PB = "saved_model_debug_info.pb";
export const SERVING = "serve";
export const TRAINING = "train";
export const GPU = "gpu";
export const TPU = "tpu";
export const DEFAULT_SERVING_SIGNATURE_DEF_KEY = "serving_default";
export const CLASSIFY_INPUTS = "inputs";
export const CLASSIFY_METHOD_NAME = "tensorflow/serving/classify";
export const CLASSIFY_OUTPUT_CLASSES = "classes";
export const CLASSIFY_OUTPUT_SCORES = "scores";
export const PREDICT_INPUTS = "inputs";
export const PREDICT_METHOD_NAME = "tensorflow/serving/predict";
export const PREDICT_OUTPUTS = "outputs";
export const REGRESS_INPUTS = "inputs";
export const REGRESS_METHOD_NAME = "tensorflow/serving/regress";
export const REGRESS_OUTPUTS = "outputs";

export type SignatureMessage = Message<"SignatureDef">;
export type TensorInfoMessage = Message<"TensorInfo">;

// ---- signatures ----

/** A tensor's name, type and shape, for a signature. TF: tf.saved_model.build_tensor_info. */
export function buildTensorInfo(tensor: Tensor | SparseTensor): MessageObject<"TensorInfo"> {
  const shared = { dtype: dtypeEnumName(tensor.dtype), tensorShape: shapeToMessage(tensor.shape) };
  const TensorInfo = classOf("TensorInfo");
  if (!(tensor instanceof SparseTensor)) return new TensorInfo({ ...shared, name: tensor.name });
  const { values, indices, denseShape } = tensor;
  return new TensorInfo({
    ...shared,
    cooSparse: { valuesTensorName: values.name, indicesTensorName: indices.name, denseShapeTensorName: denseShape.name },
  });
}

/** The tensor of a graph that a signature means. TF: tf.saved_model.get_tensor_from_tensor_info. */
export function getTensorFromTensorInfo(
  tensorInfo: TensorInfoMessage,
  { graph, importScope }: { readonly graph?: Graph | null; readonly importScope?: string | null } = {},
): Tensor | SparseTensor {
  const prefix = prependScope(importScope);
  const find = (name: string): Tensor => (graph ?? getDefaultGraph()).getTensorByName(prefix(name));
  if (tensorInfo.name !== undefined) return find(tensorInfo.name);
  const { cooSparse } = tensorInfo;
  if (cooSparse)
    return new SparseTensor(find(cooSparse.indicesTensorName), find(cooSparse.valuesTensorName), find(cooSparse.denseShapeTensorName));
  throw new ValueError("Invalid TensorInfo.encoding: None");
}

type InfoMap = Readonly<Record<string, MessageInit<"TensorInfo">>>;

/** A signature of inputs and outputs by their logical names. TF: tf.saved_model.build_signature_def. */
export const buildSignatureDef = ({
  inputs,
  outputs,
  methodName,
  defaults,
  ...others
}: {
  readonly inputs?: InfoMap | null;
  readonly outputs?: InfoMap | null;
  readonly methodName?: string | null;
  /** What inputs are that are not given. */
  readonly defaults?: Readonly<Record<string, Message<"TensorProto">>> | null;
} = {}): MessageObject<"SignatureDef"> => {
  refuseOthers(others);
  return new (classOf("SignatureDef"))({
    inputs: inputs ?? {},
    outputs: outputs ?? {},
    methodName: methodName ?? "",
    defaults: defaults ?? {},
  });
};

type Tensors = Readonly<Record<string, Tensor | SparseTensor>>;
const infosOf = (tensors: Tensors): InfoMap =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, buildTensorInfo(tensor)]));

/** The signature of a prediction. TF: tf.saved_model.predict_signature_def. @throws ValueError without inputs or outputs. */
export function predictSignatureDef(inputs: Tensors, outputs: Tensors): MessageObject<"SignatureDef"> {
  if (!inputs || Object.keys(inputs).length === 0) throw new ValueError("Prediction `inputs` cannot be None or empty.");
  if (!outputs || Object.keys(outputs).length === 0) throw new ValueError("Prediction `outputs` cannot be None or empty.");
  return buildSignatureDef({ inputs: infosOf(inputs), outputs: infosOf(outputs), methodName: PREDICT_METHOD_NAME });
}

/** The signature of a classification of serialized examples. TF: tf.saved_model.classification_signature_def. */
export function classificationSignatureDef(examples: Tensor, classes: Tensor | null, scores: Tensor | null): MessageObject<"SignatureDef"> {
  if (!examples) throw new ValueError("Classification `examples` cannot be None.");
  if (examples.dtype !== "string")
    throw new ValueError(`Classification input tensors must be of type string, but found ${examples.dtype}.`);
  if (!classes && !scores) throw new ValueError("Classification `classes` and `scores` cannot both be None.");
  return buildSignatureDef({
    inputs: infosOf({ [CLASSIFY_INPUTS]: examples }),
    outputs: infosOf({ ...(classes && { [CLASSIFY_OUTPUT_CLASSES]: classes }), ...(scores && { [CLASSIFY_OUTPUT_SCORES]: scores }) }),
    methodName: CLASSIFY_METHOD_NAME,
  });
}

/** The signature of a regression from serialized examples. TF: tf.saved_model.regression_signature_def. */
export function regressionSignatureDef(examples: Tensor, predictions: Tensor): MessageObject<"SignatureDef"> {
  if (!examples) throw new ValueError("Regression `examples` cannot be None.");
  if (!predictions) throw new ValueError("Regression `predictions` cannot be None.");
  if (examples.dtype !== "string") throw new ValueError(`Regression input tensors must be of type string, but found ${examples.dtype}.`);
  return buildSignatureDef({
    inputs: infosOf({ [REGRESS_INPUTS]: examples }),
    outputs: infosOf({ [REGRESS_OUTPUTS]: predictions }),
    methodName: REGRESS_METHOD_NAME,
  });
}

/** Does a signature have what its method asks for? TF: tf.saved_model.is_valid_signature. */
export function isValidSignature(signatureDef: SignatureMessage | null): boolean {
  if (!signatureDef) return false;
  const { inputs, outputs, methodName } = signatureDef;
  if (methodName === PREDICT_METHOD_NAME) return inputs.size > 0 && outputs.size > 0;
  if (methodName === REGRESS_METHOD_NAME)
    return inputs.get(REGRESS_INPUTS)?.dtype === "DT_STRING" && outputs.get(REGRESS_OUTPUTS)?.dtype === "DT_FLOAT";
  const [classes, scores] = [outputs.get(CLASSIFY_OUTPUT_CLASSES), outputs.get(CLASSIFY_OUTPUT_SCORES)];
  return (
    methodName === CLASSIFY_METHOD_NAME &&
    inputs.get(CLASSIFY_INPUTS)?.dtype === "DT_STRING" &&
    (classes !== undefined || scores !== undefined) &&
    (classes === undefined || classes.dtype === "DT_STRING") &&
    (scores === undefined || scores.dtype === "DT_FLOAT")
  );
}

/** Initializes variables and tables: for the main op of a model. TF: tf.saved_model.main_op.main_op. */
export function mainOp(): Operation {
  const tables = getDefaultGraph().getCollection(GraphKeys.TABLE_INITIALIZERS) as Operation[];
  return group(globalVariablesInitializer(), localVariablesInitializer(), group(...tables, { name: "init_all_tables" }));
}

/** Restores a model and initializes what is not in it: for the main op of a model. TF: tf.saved_model.main_op_with_restore. */
export const mainOpWithRestore = (restoreOpName: Operation | Tensor): Operation =>
  getDefaultGraph().controlDependencies([mainOp()], () => group(restoreOpName));

// ---- reading ----

/** The message of a SavedModel's folder. @throws NotFoundError if there is none; DataLossError if it cannot be read. */
export async function readSavedModel(exportDir: string, from: FileSystem = files): Promise<Message<"SavedModel">> {
  for (const name of [SAVED_MODEL_FILENAME_PB, SAVED_MODEL_FILENAME_PBTXT]) {
    const path = joinPath(exportDir, name);
    const status = await from.status(path);
    if (status && !status.isFolder) return readMessageFile("SavedModel", path, from);
  }
  throw new NotFoundError(`SavedModel file does not exist at: ${exportDir}/{saved_model.pbtxt|saved_model.pb}`);
}

/** Does a folder hold a SavedModel? TF: tf.saved_model.loader.maybe_saved_model_directory. */
export async function maybeSavedModelDirectory(exportDir: string): Promise<boolean> {
  const found = await Promise.all(
    [SAVED_MODEL_FILENAME_PB, SAVED_MODEL_FILENAME_PBTXT].map(name => files.status(joinPath(exportDir, name))),
  );
  return found.some(status => status !== null && !status.isFolder);
}

/** As maybeSavedModelDirectory. TF: tf.saved_model.contains_saved_model. */
export const containsSavedModel = (exportDir: string): Promise<boolean> => maybeSavedModelDirectory(exportDir);

/** The meta graph whose tags are exactly these. @throws RuntimeError listing the tags that there are. */
export function metaGraphWithTags({ metaGraphs }: Message<"SavedModel">, tags: readonly string[]): MetaGraphMessage {
  const wanted = [...new Set(tags)].sort().join();
  const found = metaGraphs.find(({ metaInfoDef }) => [...new Set(metaInfoDef?.tags ?? [])].sort().join() === wanted);
  if (found) return found;
  const sets = metaGraphs.map(({ metaInfoDef }) => `{${(metaInfoDef?.tags ?? []).map(tag => `'${tag}'`).join(", ")}}`);
  throw new RuntimeError(
    `MetaGraphDef associated with tags ${[...tags].map(tag => `'${tag}'`).join(", ")} could not be found in SavedModel, with available tags '[${sets.join(", ")}]'. To inspect available tag-sets in the SavedModel, please use the SavedModel CLI: \`saved_model_cli\`.`,
  );
}

interface LoadOptions {
  readonly importScope?: string | null;
}

/** Loads the meta graph with these tags into a session: nodes, variables, tables from their assets. Signatures are in the result's `signatureDef`.
 *  TF: tf.saved_model.loader.load. @throws NotFoundError, DataLossError for files; RuntimeError for tags that are not there. */
export async function load(
  session: Session,
  tags: string | readonly string[],
  exportDir: string,
  { importScope, ...others }: LoadOptions = {},
): Promise<MetaGraphDef> {
  refuseOthers(others);
  const message = metaGraphWithTags(await readSavedModel(exportDir), typeof tags === "string" ? [tags] : tags);
  const { graph } = session;
  const scope = importScope ? graph.uniqueName(importScope, false) : "";
  const saver = graph.asDefault(() => graph.nameScope(null, () => withSaver(message, { importScope })));
  const path = joinPath(joinPath(exportDir, VARIABLES_DIRECTORY), VARIABLES_FILENAME);
  if (saver && (await files.status(`${path}.index`))) await saver.restore(session, path);
  const prefix = prependScope(scope);
  const init = initOperation(message);
  if (init !== undefined) await session.run(graph.asGraphElement(prefix(init)) as Operation, assetFeeds(message, graph, prefix, exportDir));
  return MetaGraphDef.of(message);
}

/** The name of what is to be run after loading. */
export function initOperation({ collectionDef, signatureDef }: MetaGraphMessage): string | undefined {
  for (const key of [MAIN_OP_KEY, LEGACY_INIT_OP_KEY]) {
    const names = collectionDef.get(key)?.nodeList?.value ?? [];
    if (names.length > 1) throw new RuntimeError(`Expected exactly one SavedModel init op. Found: ${names.length}`);
    if (names.length === 1) return names[0];
  }
  const info = [...(signatureDef.get("__saved_model_init_op")?.outputs.values() ?? [])][0];
  return info?.name?.replace(/:0$/, "");
}

/** Tensors that hold the paths of assets, and where these are now. @throws DataLossError for a name outside the model's folder. */
export function assetFeeds(
  message: MetaGraphMessage,
  graph: Graph,
  prefix: (name: string) => string,
  exportDir: string,
): [Tensor, string][] {
  const listed = (message.collectionDef.get(ASSETS_KEY)?.anyList?.value ?? []).map(({ value }) => messageFromBytes("AssetFileDef", value));
  const assets = listed.length > 0 ? listed : message.assetFileDef;
  return assets.map(({ tensorInfo, filename }) => {
    if (!staysInside(filename)) throw new DataLossError(`The asset '${filename}' of ${exportDir} lies outside its folder.`);
    return [graph.getTensorByName(prefix(tensorInfo?.name ?? "")), joinPath(joinPath(exportDir, ASSETS_DIRECTORY), filename)];
  });
}
