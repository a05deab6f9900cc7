// Op definitions → OpDef messages: the list of ops that a MetaGraphDef carries, and which attributes of nodes are at their defaults.

import { dtypeEnumName, isDType } from "../base/dtype.ts";
import { snakeOf } from "../base/names.ts";
import { createMessage, messageToBytes } from "../formats/message-codec.ts";
import type { Message, MessageInit } from "../formats/messages.ts";
import type { Attr, AttrValue } from "../graph/attributes.ts";
import { parseInputType } from "../graph/build-operation.ts";
import type { OpDefinition } from "../graph/op-definition.ts";
import { attrToMessage } from "./attribute-message.ts";
import type { Definitions } from "./graph-importer.ts";

type OpMessage = Message<"OpDef">;

/** An op's definition as TensorFlow's registry has it, without its documentation. */
export function opToMessage(definition: OpDefinition): OpMessage {
  const { type, inputs, outputs, attrs, stateful = false, commutative = false, allowsUninitializedInput = false } = definition;
  return createMessage("OpDef", {
    name: type,
    inputArg: Object.entries(inputs).map(([name, text]) => argument(name, text, definition)),
    outputArg: Object.entries(outputs).map(([name, text]) => argument(name, text, definition)),
    attr: Object.entries(attrs).map(([name, attr]) => attribute(name, attr)),
    isStateful: stateful,
    isCommutative: commutative,
    allowsUninitializedInput,
  });
}

function argument(name: string, text: string, { attrs }: OpDefinition): MessageInit<"ArgDef"> {
  const { count, isRef, type } = parseInputType(text);
  const given = isDType(type) ? { type: dtypeEnumName(type) } : attrs[type]?.isList ? { typeListAttr: type } : { typeAttr: snakeOf(type) };
  return { name: snakeOf(name), ...given, numberAttr: count === undefined ? "" : snakeOf(count), isRef };
}

function attribute(name: string, attr: Attr): MessageInit<"AttrDef"> {
  const { kind, isList, default: fallback, allowed, minimum } = attr;
  return {
    name: snakeOf(name),
    type: isList ? `list(${kind})` : kind,
    defaultValue: fallback === undefined ? undefined : attrToMessage(fallback, kind, isList),
    hasMinimum: minimum !== undefined,
    minimum: BigInt(minimum ?? 0),
    allowedValues: allowed === undefined ? undefined : attrToMessage(allowed as readonly AttrValue[], kind, true),
  };
}

/** The definitions of the ops that nodes (and the functions they come with) use, by name, as far as `definitionOf` knows them. */
export function strippedOpList({ node, library }: Message<"GraphDef">, definitionOf: Definitions): Message<"OpList"> {
  const types = new Set([...node, ...(library?.function ?? []).flatMap(({ nodeDef }) => nodeDef)].map(({ op }) => op));
  const known = [...types].sort().flatMap(type => definitionOf(type) ?? []);
  return createMessage("OpList", { op: known.map(opToMessage) });
}

/** The graph with attributes left out that are at the defaults of their ops. */
export function withoutDefaultAttrs(graphDef: Message<"GraphDef">, definitionOf: Definitions): Message<"GraphDef"> {
  const strip = (node: Message<"NodeDef">): Message<"NodeDef"> => {
    const definition = definitionOf(node.op);
    if (!definition) return node;
    const defaults = new Map(
      Object.entries(definition.attrs).flatMap(([name, { kind, isList, default: fallback }]) =>
        fallback === undefined ? [] : [[snakeOf(name), attrToMessage(fallback, kind, isList)] as const],
      ),
    );
    const kept = [...node.attr].filter(([name, value]) => {
      const fallback = defaults.get(name);
      return fallback === undefined || !sameBytes(messageToBytes("AttrValue", fallback), messageToBytes("AttrValue", value));
    });
    return kept.length === node.attr.size ? node : { ...node, attr: new Map(kept) };
  };
  const { library } = graphDef;
  return {
    ...graphDef,
    node: graphDef.node.map(strip),
    library: library && { ...library, function: library.function.map(each => ({ ...each, nodeDef: each.nodeDef.map(strip) })) },
  };
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i]);
