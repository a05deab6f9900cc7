// AttrValue messages ↔ the attributes of operations, and how TensorFlow writes an op's signature in its complaints.

import type { DType } from "../base/dtype.ts";
import { dtypeEnumName, isDType } from "../base/dtype.ts";
import { ValueError } from "../base/errors.ts";
import { snakeOf } from "../base/names.ts";
import { textOfBytes, bytesOfText, NDArray } from "../base/ndarray.ts";
import { TensorShape } from "../base/shape.ts";
import { createMessage, isAbsent } from "../formats/message-codec.ts";
import type { Message } from "../formats/messages.ts";
import { arrayFromMessage, arrayToMessage, dtypeOfEnumerator, shapeFromMessage, shapeToMessage } from "../formats/tensor-message.ts";
import type { Attr, AttrValue, FunctionRef } from "../graph/attributes.ts";
import { parseInputType } from "../graph/build-operation.ts";
import type { OpDefinition } from "../graph/op-definition.ts";

export type AttrMessage = Message<"AttrValue">;

/** A type as TensorFlow's C++ names it: `float_ref`. */
export const cNameOf = (dtype: DType, isRef: boolean): string =>
  `${dtype === "float32" ? "float" : dtype === "float64" ? "double" : dtype === "float16" ? "half" : dtype}${isRef ? "_ref" : ""}`;

/** `Op<name=Softmax; signature=logits:T -> softmax:T; attr=T:type,allowed=[DT_HALF, …]>`, as TensorFlow summarizes an op. */
export function formatOp({ type, inputs, outputs, attrs }: OpDefinition): string {
  const side = (args: Readonly<Record<string, string>>): string =>
    Object.entries(args)
      .map(([name, text]) => `${snakeOf(name)}:${formatType(text)}`)
      .join(", ");
  const listed = Object.entries(attrs).map(([name, attr]) => `; attr=${snakeOf(name)}:${formatAttrSpec(attr)}`);
  return `Op<name=${type}; signature=${side(inputs)} -> ${side(outputs)}${listed.join("")}>`;
}

function formatType(text: string): string {
  const { count, isRef, type } = parseInputType(text);
  const name = isDType(type) ? cNameOf(type, false) : type;
  return `${count === undefined ? "" : `${count}*`}${isRef ? `Ref(${name})` : name}`;
}

function formatAttrSpec({ kind, isList, default: fallback, allowed, minimum }: Attr): string {
  const named = (value: unknown): string =>
    kind === "type"
      ? dtypeEnumName(value as DType)
      : kind === "string"
        ? `"${value}"`
        : Array.isArray(value)
          ? `[${value.map(named).join(", ")}]`
          : String(value);
  const type = isList ? `list(${kind})` : kind;
  return [
    type,
    fallback === undefined ? "" : `,default=${named(fallback)}`,
    allowed ? `,allowed=[${allowed.map(named).join(", ")}]` : "",
    minimum === undefined ? "" : `,min=${minimum}`,
  ].join("");
}

const int64Number = (value: bigint): number | bigint =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;

const dtypeFrom = (value: string | number, where: string): DType => {
  const dtype = dtypeOfEnumerator(value);
  if (dtype === undefined) throw new ValueError(`The ${where} is ${value}, a type that tensorloom does not know.`);
  return dtype;
};

const functionFrom = (message: Message<"NameAttrList">): FunctionRef => ({
  name: message.name,
  attrs: Object.fromEntries([...message.attr].map(([name, value]) => [name, looseAttr(value)])),
});

/** How each kind of attribute is read from its field of the message, alone or in a list. */
const readers: {
  readonly [K in Attr["kind"]]: { readonly field: keyof Message<"ListValue">; readonly read: (value: never, where: string) => AttrValue };
} = {
  type: { field: "type", read: dtypeFrom },
  int: { field: "i", read: int64Number },
  float: { field: "f", read: (value: number) => value },
  bool: { field: "b", read: (value: boolean) => value },
  string: { field: "s", read: (value: Uint8Array) => textOfBytes(value) },
  shape: { field: "shape", read: shapeFromMessage },
  tensor: { field: "tensor", read: arrayFromMessage },
  func: { field: "func", read: functionFrom },
};

export function attrFromMessage(message: AttrMessage, attr: Attr, where: string): AttrValue {
  const { field, read } = readers[attr.kind];
  if (attr.isList) {
    if (isAbsent(message.list)) throw new ValueError(`The ${where} should be a list of ${attr.kind}.`);
    return (message.list[field] as readonly never[]).map(item => read(item, where));
  }
  const value = message[field];
  if (isAbsent(value))
    throw new ValueError(`AttrValue had value with type '${kindOf(message)}' when '${attr.kind}' expected\n\t for ${where}`);
  return read(value as never, where);
}

const kindOf = (message: AttrMessage): string =>
  Object.entries(readers).find(([, { field }]) => !isAbsent(message[field]))?.[0] ?? (isAbsent(message.list) ? "none" : "list");

/** An attribute no definition describes, by the field it was given in. */
export function looseAttr(message: AttrMessage): AttrValue {
  for (const { field, read } of Object.values(readers)) {
    const value = message[field];
    if (!isAbsent(value)) return read(value as never, "attribute");
    const list = message.list?.[field];
    if (list !== undefined && list.length > 0) return (list as readonly never[]).map(item => read(item, "attribute"));
  }
  return [];
}

/** What kind an attribute without a definition is, by its value. */
export function looseKind(value: AttrValue): Attr["kind"] {
  const sample = Array.isArray(value) ? value[0] : value;
  if (typeof sample === "bigint" || Number.isInteger(sample)) return "int";
  if (typeof sample === "number") return "float";
  if (typeof sample === "boolean") return "bool";
  if (sample instanceof TensorShape) return "shape";
  if (sample instanceof NDArray) return "tensor";
  return typeof sample === "object" ? "func" : "string";
}

const writers: { readonly [K in Attr["kind"]]: (value: never) => unknown } = {
  type: (value: DType) => dtypeEnumName(value),
  int: (value: number | bigint) => BigInt(value),
  float: (value: number) => value,
  bool: (value: boolean) => value,
  string: (value: string) => bytesOfText(value),
  shape: shapeToMessage,
  tensor: arrayToMessage,
  func: ({ name, attrs }: FunctionRef) => ({
    name,
    attr: new Map(Object.entries(attrs).map(([key, value]) => [key, attrToMessage(value, looseKind(value), Array.isArray(value))])),
  }),
};

export function attrToMessage(value: AttrValue, kind: Attr["kind"], isList: boolean): AttrMessage {
  const { field } = readers[kind];
  const write = writers[kind];
  if (isList) return createMessage("AttrValue", { list: { [field]: (value as readonly never[]).map(item => write(item)) } });
  return createMessage("AttrValue", { [field]: write(value as never) });
}
