// Operations as NodeDef messages, every attribute written out.

import { snakeOf } from "../base/names.ts";
import { encodeText } from "../base/ndarray.ts";
import { createMessage } from "../formats/message-codec.ts";
import type { Operation } from "../graph/operation.ts";
import { type AttrMessage, attrToMessage, looseKind } from "./attribute-message.ts";
import { keptMessage, type NodeMessage } from "./graph-importer.ts";

/** One operation as a message. TF: Operation.node_def. */
export function nodeOf(op: Operation): NodeMessage {
  const attr = new Map<string, AttrMessage>();
  for (const [name, value] of Object.entries(op.attrs)) {
    const spec = op.definition.attrs[name];
    if (spec) attr.set(snakeOf(name), keptMessage(op, snakeOf(name)) ?? attrToMessage(value, spec.kind, spec.isList));
    else attr.set(name, keptMessage(op, name) ?? attrToMessage(value, looseKind(value), Array.isArray(value)));
  }
  if (op.colocation.length > 0) attr.set("_class", createMessage("AttrValue", { list: { s: op.colocation.map(encodeText) } }));
  return createMessage("NodeDef", {
    name: op.name,
    op: op.type,
    input: [
      ...op.inputs.map(tensor => (tensor.valueIndex === 0 ? tensor.op.name : tensor.name)),
      ...op.controlInputs.map(control => `^${control.name}`),
    ],
    device: op.device,
    attr: new Map([...attr].sort(([a], [b]) => (a < b ? -1 : 1))),
  });
}
