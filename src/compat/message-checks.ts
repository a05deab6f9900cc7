// What Python's protocol buffers refuse in the fields of messages, in their words: a number where text is due, what is no list, messages of another kind.

import { ValueError } from "../base/errors.ts";
import { pythonType } from "../base/python-text.ts";
import { messageKind } from "../formats/message-class.ts";
import { type Field, isEnumeration, isMessage } from "../formats/message-codec.ts";
import { enumerations, type MessageName } from "../formats/messages.ts";

/** Where TensorFlow's Python declares messages, and what it calls those that are declared inside of others. */
const declared = {
  "example.example": "Example SequenceExample",
  "example.feature": "BytesList FloatList Int64List Feature Features FeatureList FeatureLists",
  "framework.attr_value": "AttrValue NameAttrList AttrValue.ListValue",
  "framework.graph": "GraphDef",
  "framework.node_def": "NodeDef",
  "framework.summary": "Summary Summary.Value Summary.Image Summary.Audio HistogramProto",
  "framework.tensor": "TensorProto",
  "framework.tensor_shape": "TensorShapeProto TensorShapeProto.Dim",
  "framework.versions": "VersionDef",
  "protobuf.config": "RunOptions RunMetadata",
  "protobuf.meta_graph": "MetaGraphDef MetaGraphDef.MetaInfoDef TensorInfo",
  "protobuf.saver": "SaverDef",
  "util.event": "Event SessionLog TaggedRunMetadata",
};

/** `tensorflow.core.framework.summary_pb2.Summary.Value`, or the name alone. */
function pythonClass(message: MessageName): string {
  for (const [file, names] of Object.entries(declared)) {
    const found = names.split(" ").find(name => name.split(".").at(-1) === message || name.replace(".", "") === message);
    if (found !== undefined) return `tensorflow.core.${file}_pb2.${found}`;
  }
  return message;
}

/** @throws TypeError in protobuf's words for what is neither an object of fields nor a message of this kind. */
function refuseOtherMessage(kind: MessageName, given: unknown, role: string): void {
  const isObject = typeof given === "object" && given !== null && !Array.isArray(given);
  const own = isObject ? (Reflect.get(given, messageKind) as MessageName | undefined) : undefined;
  if (isObject && (own === undefined || own === kind)) return;
  const found = own === undefined ? pythonType(given) : pythonClass(own);
  throw new TypeError(`${role} instance of same class: expected <class '${pythonClass(kind)}'> got <class '${found}'>.`);
}

/** @throws TypeError for a list or a map that is none. */
function refuseSingle(message: MessageName, { originalName, label, type }: Field, value: unknown): void {
  if (label === "map" ? typeof value === "object" : Symbol.iterator in Object(value)) return;
  throw new TypeError(
    label === "map" || isMessage(type)
      ? `Argument for field tensorflow.${message}.${originalName} is not iterable`
      : "must assign iterable",
  );
}

/** @throws TypeError or ValueError in protobuf's words for what a field of numbers, texts or bytes cannot hold. */
function refuseScalar(message: MessageName, { originalName, type }: Field, given: unknown): void {
  // Arrays of one element count as it, as numpy's numbers do.
  const value: unknown = typeof given === "object" && given !== null && !(given instanceof Uint8Array) ? given.valueOf() : given;
  const kind = typeof value;
  if (type === "string" || type === "bytes") {
    if (kind === "string" || value instanceof Uint8Array) return;
    throw new TypeError(type === "bytes" ? `expected bytes, ${pythonType(value)} found` : "bad argument type for built-in operation");
  }
  if (type === "float" || type === "double") {
    if (kind === "number" || kind === "bigint" || kind === "boolean") return;
    throw new TypeError(`must be real number, not ${pythonType(value)}`);
  }
  if (isEnumeration(type) && kind === "string") {
    if (enumerations[type].has(value as string)) return;
    throw new ValueError(`unknown enum label "${String(value)}"`);
  }
  if (kind === "boolean" && type !== "bool")
    throw new TypeError(`Field tensorflow.${message}.${originalName}: Expected an int, got a boolean.`);
  if (kind === "boolean" || kind === "bigint" || Number.isInteger(value)) return;
  throw new TypeError(`'${pythonType(value)}' object cannot be interpreted as an integer`);
}

/** @throws TypeError or ValueError for what a field of a message cannot hold. */
export function refuseWrongField(message: MessageName, field: Field, value: unknown): void {
  const { label, type } = field;
  const isMany = label === "repeated" || label === "map";
  if (isMany) refuseSingle(message, field, value);
  const values =
    label === "map"
      ? value instanceof Map
        ? value.values()
        : Object.values(value as object)
      : isMany
        ? (value as Iterable<unknown>)
        : [value];
  for (const item of values)
    if (!isMessage(type)) refuseScalar(message, field, item);
    else
      refuseOtherMessage(
        type,
        item,
        label === "map" ? "Parameter to CopyFrom() must be" : "Parameter to initialize message field must be dict or",
      );
}
