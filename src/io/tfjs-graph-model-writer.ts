// Writing TensorFlow.js graph models: the graph in JSON, its constants in weight files of 4 MiB. Variables must have become constants before.

import { files } from "#platform";
import type { DType } from "../base/dtype.ts";
import { InvalidArgumentError, UnimplementedError } from "../base/errors.ts";
import { folderOf, joinBytes, joinPath } from "../base/files.ts";
import { camelOf } from "../base/names.ts";
import { encodeText, type NDArray } from "../base/ndarray.ts";
import { createMessage, messageToJson } from "../formats/message-codec.ts";
import type { Message } from "../formats/messages.ts";
import { arrayFromMessage } from "../formats/tensor-message.ts";
import type { TfjsWeight } from "../formats/tfjs-weights.ts";
import type { GraphDefMessage } from "./graph-def.ts";
import type { NodeMessage } from "./graph-importer.ts";

const shardBytes = 4 << 20;

/** TensorFlow.js has few types; of others the values are kept as far as these hold them. */
const storedAs: Partial<Record<DType, DType>> = {
  float32: "float32",
  int32: "int32",
  bool: "bool",
  string: "string",
  complex64: "complex64",
  float16: "float32",
  bfloat16: "float32",
  float64: "float32",
  int64: "int32",
  int16: "int32",
  int8: "int32",
  uint8: "int32",
  uint16: "int32",
};

/** Writes `path` (a model.json) and its weights beside it; how many files there are. @throws UnimplementedError for types that TensorFlow.js has not. */
export async function writeTfjsGraphModel(path: string, graphDef: GraphDefMessage, signature: Message<"SignatureDef">): Promise<number> {
  const folder = folderOf(path);
  const held = graphDef.node.flatMap(node => {
    const tensor = node.op === "Const" ? node.attr.get("value")?.tensor : undefined;
    return tensor ? [{ name: node.name, array: stored(node.name, arrayFromMessage(tensor)) }] : [];
  });
  const bytes = joinBytes([new Uint8Array(0), ...held.map(({ array }) => contentOf(array))]);
  const shards = Math.max(1, Math.ceil(bytes.length / shardBytes));
  const paths = Array.from({ length: shards }, (_, i) => `group1-shard${i + 1}of${shards}.bin`);
  const weights = held.map(({ name, array }): TfjsWeight => ({ name, shape: array.shape, dtype: array.dtype }));
  const model = {
    format: "graph-model",
    generatedBy: "2.21.0",
    convertedBy: "tensorloom",
    signature: inCamel(messageToJson("SignatureDef", signature)),
    modelTopology: inCamel(messageToJson("GraphDef", { ...graphDef, node: graphDef.node.map(withoutContent) })),
    weightsManifest: [{ paths, weights }],
  };
  await files.makeFolder(folder);
  for (const [i, name] of paths.entries())
    await files.write(joinPath(folder, name), [bytes.subarray(i * shardBytes, (i + 1) * shardBytes)]);
  await files.write(path, [encodeText(JSON.stringify(model))]);
  return 1 + shards;
}

function stored(name: string, array: NDArray): NDArray {
  const dtype = storedAs[array.dtype];
  if (dtype === undefined) throw new UnimplementedError(`The constant '${name}' has the type ${array.dtype}, which TensorFlow.js has not.`);
  if (dtype === array.dtype) return array;
  const result = array.cast(dtype);
  if (dtype === "int32")
    for (let i = 0; i < array.size; i++)
      if (Number(result.get(i)) !== Number(array.get(i)))
        throw new InvalidArgumentError(
          `The constant '${name}' holds ${array.get(i)}, which int32, the integer type of TensorFlow.js, does not.`,
        );
  return result;
}

function contentOf({ dtype, data }: NDArray): Uint8Array {
  if (dtype !== "string") {
    const { buffer, byteOffset, byteLength } = data as Uint8Array;
    return new Uint8Array(buffer, byteOffset, byteLength);
  }
  return joinBytes(
    (data as Uint8Array[]).flatMap(text => {
      const length = new Uint8Array(4);
      new DataView(length.buffer).setUint32(0, text.length, true);
      return [length, text];
    }),
  );
}

function withoutContent(node: NodeMessage): NodeMessage {
  const tensor = node.op === "Const" ? node.attr.get("value")?.tensor : undefined;
  if (!tensor) return node;
  const { dtype, tensorShape } = tensor;
  return { ...node, attr: new Map([...node.attr, ["value", createMessage("AttrValue", { tensor: { dtype, tensorShape } })] as const]) };
}

/** Maps whose keys are names, not fields. */
const namedMaps = new Set(["attr", "inputs", "outputs", "defaults"]);

/** Field names as TensorFlow.js looks for them: tensorShape, unknownRank. */
function inCamel(value: unknown, isNamed = false): unknown {
  if (Array.isArray(value)) return value.map(item => inCamel(item));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [isNamed ? key : camelOf(key), inCamel(item, !isNamed && namedMaps.has(key))]),
  );
}
