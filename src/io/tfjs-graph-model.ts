// TensorFlow.js graph models: a GraphDef in JSON whose constants are in weight files. Fused nodes become the nodes they stand for, so that the
// graph has gradients, runs everywhere, and can be written as a GraphDef of TensorFlow.

import { files } from "#platform";
import type { DType } from "../base/dtype.ts";
import { DataLossError, NotFoundError, UnimplementedError } from "../base/errors.ts";
import { folderOf, joinBytes, joinPath, readFile, staysInside } from "../base/files.ts";
import { decodeText, NDArray } from "../base/ndarray.ts";
import { createMessage, messageFromBytes, messageFromJson } from "../formats/message-codec.ts";
import type { Message } from "../formats/messages.ts";
import { arrayToMessage, dtypeOfEnumerator } from "../formats/tensor-message.ts";
import { readTfjsWeights, type TfjsWeightGroup, weightGroupsOf } from "../formats/tfjs-weights.ts";
import { getDefaultGraph } from "../graph/default-graph.ts";
import type { Graph } from "../graph/graph.ts";
import type { Operation, Tensor } from "../graph/operation.ts";
import { type GraphDefMessage, importGraphDef } from "./graph-def.ts";
import type { NodeMessage } from "./graph-importer.ts";

/** A graph model in a graph. */
export interface TfjsGraphModel {
  readonly graph: Graph;
  /** By the names of the signature; where there is none, placeholders and results by their own. */
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** Any tensor of the model by its name there. */
  tensor(name: string): Tensor;
}

interface LoadOptions {
  /** The graph to add to; the default graph if absent. */
  readonly graph?: Graph | null;
  /** Prefix of all names; "" (the default) for none. */
  readonly name?: string;
}

interface ModelJson {
  readonly format?: string;
  readonly modelTopology?: object;
  readonly weightsManifest?: unknown;
  readonly signature?: object;
  readonly userDefinedMetadata?: { readonly signature?: object };
  readonly modelInitializer?: { readonly node?: readonly unknown[] } | null;
}

/** Adds a TensorFlow.js graph model to a graph: `model.json` with its weight files, by path or address, or the old pair of `tensorflowjs_model.pb` and
 *  `weights_manifest.json`. Its constants are constants here; its tensors may be used, and trained on from, like any others.
 *  @throws NotFoundError and DataLossError naming the file; UnimplementedError for layers models. */
export async function loadTfjsGraphModel(path: string, { graph: given, name = "" }: LoadOptions = {}): Promise<TfjsGraphModel> {
  const graph = given ?? getDefaultGraph();
  const graphDef = await readTfjsGraphModel(path);
  return graph.asDefault(() => addToGraph(graph, graphDef, name));
}

/** A model's file as a GraphDef with its constants, and its signature. */
export async function readTfjsGraphModel(
  path: string,
): Promise<{ readonly graphDef: GraphDefMessage; readonly signature: Message<"SignatureDef"> }> {
  const bytes = await readAddress(path);
  const isOldPair = path.endsWith(".pb");
  const folder = path.includes("://") ? path.slice(0, path.lastIndexOf("/")) : folderOf(path);
  const json = isOldPair ? {} : parsed<ModelJson>(bytes, path);
  if (typeof json !== "object" || json === null)
    throw new DataLossError(`${path} is no model of TensorFlow.js, but ${JSON.stringify(json)}.`);
  if (
    json.format === "layers-model" ||
    (typeof json.modelTopology === "object" && json.modelTopology && "model_config" in json.modelTopology)
  )
    throw new UnimplementedError(
      `${path} is a layers model of Keras, not a graph.\n\nConvert it with tensorflowjs_converter to a graph model.`,
    );
  if (json.modelInitializer?.node?.length)
    throw new UnimplementedError(`${path} has an initializer graph (tables), which is not supported.`);
  if (!isOldPair && !json.modelTopology) throw new DataLossError(`${path} has no modelTopology: it is no model of TensorFlow.js.`);
  const topology = isOldPair ? messageFromBytes("GraphDef", bytes) : messageFromJson("GraphDef", json.modelTopology);
  const manifestPath = joinPath(folder, "weights_manifest.json");
  const manifest = isOldPair
    ? weightGroupsOf(parsed<unknown>(await readAddress(manifestPath), manifestPath), manifestPath)
    : weightGroupsOf(json.weightsManifest, path);
  const weights = new Map<string, NDArray>();
  for (const group of manifest) for (const [name, array] of await groupOf(group, folder)) weights.set(name, array);
  const graphDef = createMessage("GraphDef", {
    node: topology.node.map(node => withValue(node, weights, path)).flatMap(unfused),
    versions: topology.versions,
    library: topology.library,
  });
  return { graphDef, signature: messageFromJson("SignatureDef", json.signature ?? json.userDefinedMetadata?.signature ?? {}) };
}

function addToGraph(graph: Graph, { graphDef, signature }: Awaited<ReturnType<typeof readTfjsGraphModel>>, name: string): TfjsGraphModel {
  const names = graphDef.node.map(node => node.name);
  const made = new Map((importGraphDef(graphDef, { name, returnElements: names }) as Operation[]).map((op, i) => [names[i], op]));
  const tensor = (wanted: string): Tensor => {
    const [node, index = "0"] = wanted.split(":");
    const found = made.get(node)?.outputs[Number(index)];
    if (!found) throw new NotFoundError(`The model has no tensor named '${wanted}'.`);
    return found;
  };
  const listed = (infos: ReadonlyMap<string, Message<"TensorInfo">>): [string, Tensor][] =>
    [...infos].map(([key, info]) => [key, tensor(info.name ?? key)]);
  const read = new Set(graphDef.node.flatMap(({ input }) => input.map(source => source.replace(/^\^|:\d+$/g, ""))));
  const ends = (filter: (node: NodeMessage) => boolean): [string, Tensor][] =>
    graphDef.node
      .filter(node => filter(node) && (made.get(node.name)?.outputs.length ?? 0) > 0)
      .map(node => [node.name, tensor(node.name)]);
  const inputs = signature.inputs.size > 0 ? listed(signature.inputs) : ends(({ op }) => op === "Placeholder");
  const outputs = signature.outputs.size > 0 ? listed(signature.outputs) : ends(node => !read.has(node.name));
  return { graph, inputs: Object.fromEntries(inputs), outputs: Object.fromEntries(outputs), tensor };
}

// ---- files ----

async function readAddress(path: string): Promise<Uint8Array> {
  if (!/^(?:https?|blob|data):/.test(path)) return readFile(files, path);
  const response = await fetch(path);
  if (!response.ok) throw new NotFoundError(`${path}; ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

function parsed<T>(bytes: Uint8Array, path: string): T {
  try {
    return JSON.parse(decodeText(bytes)) as T;
  } catch (error) {
    throw new DataLossError(`Cannot parse file ${path}: ${(error as Error).message}`);
  }
}

async function groupOf(group: TfjsWeightGroup, folder: string): Promise<Map<string, NDArray>> {
  const bad = group.paths.find(path => !staysInside(path));
  if (bad !== undefined) throw new DataLossError(`The weight file '${bad}' lies outside the model's folder ${folder}.`);
  const pieces = await Promise.all(
    group.paths.map(path => readAddress(folder.includes("://") ? `${folder}/${path}` : joinPath(folder, path))),
  );
  return readTfjsWeights(group, joinBytes(pieces));
}

// ---- nodes ----

/** A constant with its value from the weights, in the type that the node says. */
function withValue(node: NodeMessage, weights: ReadonlyMap<string, NDArray>, path: string): NodeMessage {
  if (node.op !== "Const") return node;
  const weight = weights.get(node.name);
  const value = node.attr.get("value");
  if (!weight) {
    const isHeld = Object.values(value?.tensor ?? {}).some(held => (Array.isArray(held) || held instanceof Uint8Array) && held.length > 0);
    if (isHeld) return node;
    throw new DataLossError(`${path}: the constant '${node.name}' has no weights.`);
  }
  const dtype = dtypeOfEnumerator(node.attr.get("dtype")?.type ?? 0) ?? weight.dtype;
  const attr = new Map([...node.attr, ["value", createMessage("AttrValue", { tensor: arrayToMessage(inType(weight, dtype)) })]] as const);
  return { ...node, attr };
}

/** TensorFlow.js has few types: int64 was written as int32, double as float32. */
function inType(array: NDArray, dtype: DType): NDArray {
  if (array.dtype === dtype) return array;
  const result = NDArray.zeros(dtype, array.shape);
  const isBig = dtype === "int64" || dtype === "uint64";
  for (let i = 0; i < array.size; i++) result.set(i, isBig ? BigInt(Number(array.get(i))) : array.get(i));
  return result;
}

type AttrMessage = Message<"AttrValue">;

const fusedBases: Readonly<Record<string, string>> = {
  _FusedConv2D: "Conv2D",
  FusedDepthwiseConv2dNative: "DepthwiseConv2dNative",
  _FusedMatMul: "MatMul",
};
const fusedAttrs = new Set(["fused_ops", "num_args", "epsilon", "leakyrelu_alpha", "TArgs", "num_host_args", "host_args", "user_ops"]);
const activations = new Set(["Relu", "Relu6", "Elu", "LeakyRelu", "Sigmoid", "Tanh", "Selu", "Softplus"]);

/** The nodes that a fused one stands for; the last has its name. */
function unfused(node: NodeMessage): NodeMessage[] {
  // Some converters leave the type out where it is float.
  const type = node.attr.get("T") ?? createMessage("AttrValue", { type: "DT_FLOAT" });
  if (node.op === "Prelu") return prelu(node.name, node.input[0], node.input[1], type, node.device);
  const base = Object.hasOwn(fusedBases, node.op) ? fusedBases[node.op] : undefined;
  if (base === undefined) return [node];
  const data = node.input.filter(input => !input.startsWith("^"));
  const steps = (node.attr.get("fused_ops")?.list?.s ?? []).map(decodeText).filter(step => step !== "");
  const attr = new Map([...node.attr].filter(([name]) => !fusedAttrs.has(name)));
  if (base === "DepthwiseConv2dNative") attr.delete("explicit_paddings");
  const result: NodeMessage[] = [];
  const args = data.slice(2);
  const last = steps.length - 1;
  const nameOf = (step: number, op: string): string => (step === last ? node.name : `${node.name}/${op}`);
  result.push({
    ...node,
    op: base,
    name: nameOf(-1, base),
    input: [...data.slice(0, 2), ...node.input.filter(input => input.startsWith("^"))],
    attr,
  });
  for (const [k, step] of steps.entries()) {
    const before = result[result.length - 1].name;
    const make = (op: string, input: string[], extra: readonly (readonly [string, AttrMessage | undefined])[] = []): void => {
      const given = [["T", type], ...extra].filter((entry): entry is [string, AttrMessage] => entry[1] !== undefined);
      result.push(createMessage("NodeDef", { name: nameOf(k, op), op, input, device: node.device, attr: new Map(given) }));
    };
    if (step === "BiasAdd")
      make("BiasAdd", [before, args.shift() ?? ""], [["data_format", base === "MatMul" ? undefined : node.attr.get("data_format")]]);
    else if (step === "Prelu") result.push(...prelu(nameOf(k, step), before, args.shift() ?? "", type, node.device));
    else if (activations.has(step)) make(step, [before], step === "LeakyRelu" ? [["alpha", node.attr.get("leakyrelu_alpha")]] : []);
    else throw new UnimplementedError(`${node.op} node '${node.name}' is fused with ${step}, which is not supported.`);
  }
  return result;
}

/** max(x, 0) + alpha · min(x, 0), the latter as -relu(-x). */
function prelu(name: string, x: string, alpha: string, type: AttrMessage, device: string): NodeMessage[] {
  const attr = new Map([["T", type] as const]);
  const make = (part: string, op: string, input: string[]): NodeMessage =>
    createMessage("NodeDef", { name: part === "" ? name : `${name}/${part}`, op, input, device, attr });
  return [
    make("positive", "Relu", [x]),
    make("flipped", "Neg", [x]),
    make("negative", "Relu", [`${name}/flipped`]),
    make("scaled", "Mul", [alpha, `${name}/negative`]),
    make("", "Sub", [`${name}/positive`, `${name}/scaled`]),
  ];
}
