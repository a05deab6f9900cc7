// What goes in and what comes out of a model: signatures as plain objects, and what stands for one where a graph has none.

import { dtypeOfEnumName } from "../base/dtype.ts";
import { NotFoundError } from "../base/errors.ts";
import type { Message } from "../formats/messages.ts";
import { shapeFromMessage } from "../formats/tensor-message.ts";
import type { Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/operation.ts";
import { buildSignatureDef, buildTensorInfo, PREDICT_METHOD_NAME, type SignatureMessage } from "../io/saved-model.ts";

/** One entry of a signature. */
export interface End {
  readonly key: string;
  readonly tensor: string;
  readonly dtype: string;
  readonly shape: readonly (number | null)[] | null;
}

export const endsOf = (infos: ReadonlyMap<string, Message<"TensorInfo">>): End[] =>
  [...infos].map(([key, { name, dtype, tensorShape, cooSparse }]) => ({
    key,
    tensor: name ?? cooSparse?.valuesTensorName ?? "",
    dtype: dtypeOfEnumName(String(dtype)) ?? String(dtype).replace(/^DT_/, "").toLowerCase(),
    shape: tensorShape ? shapeFromMessage(tensorShape).dims : null,
  }));

/** Placeholders, and results that no operation reads. */
export function endSignature(graph: Graph): SignatureMessage {
  const ops = graph.getOperations();
  const read = new Set<unknown>(ops.flatMap(op => [...op.inputs.map(({ op: source }) => source), ...op.controlInputs]));
  const infos = (tensors: readonly Tensor[]): Record<string, Message<"TensorInfo">> =>
    Object.fromEntries(tensors.map(tensor => [tensor.valueIndex === 0 ? tensor.op.name : tensor.name, buildTensorInfo(tensor)]));
  const inputs = ops.filter(({ definition }) => definition.isPlaceholder).map(op => op.outputs[0]);
  const outputs = ops.filter(op => !read.has(op) && op.inputs.length > 0).flatMap(op => op.outputs);
  return buildSignatureDef({ inputs: infos(inputs), outputs: infos(outputs), methodName: PREDICT_METHOD_NAME });
}

/** @throws NotFoundError listing the signatures that there are. */
export function chosenSignature(signatures: ReadonlyMap<string, SignatureMessage>, wanted: string | undefined): [string, SignatureMessage] {
  const names = [...signatures.keys()].filter(name => !name.startsWith("__"));
  const name = wanted ?? (names.includes("serving_default") ? "serving_default" : names[0]);
  const signature = name === undefined ? undefined : signatures.get(name);
  if (name === undefined || !signature)
    throw new NotFoundError(`There is no signature '${wanted ?? ""}'; there are ${names.join(", ") || "none"}.`);
  return [name, signature];
}
