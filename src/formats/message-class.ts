// Messages as programs of TensorFlow's make them: `new tf.train.Feature({ int64List: { value: [1] } })`, SerializeToString, FromString.
// The fields are those of the table in messages.ts; text may stand for bytes, numbers for 64-bit integers, plain objects for maps.

import { ValueError } from "../base/errors.ts";
import { encodeText, NDArray } from "../base/ndarray.ts";
import {
  createMessage,
  type Field,
  fieldsOf,
  isAbsent,
  isMessage as isMessageType,
  messageFromBytes,
  messageToBytes,
} from "./message-codec.ts";
import type { Message, MessageName } from "./messages.ts";

/** Under which a message keeps the name of what it is. */
export const messageKind: unique symbol = Symbol("message kind");

/** A message as it may be given. */
export type Loose<V> = V extends Uint8Array
  ? Uint8Array | string
  : V extends bigint
    ? bigint | number
    : V extends readonly (infer T)[]
      ? readonly Loose<T>[]
      : V extends ReadonlyMap<infer K, infer T>
        ? ReadonlyMap<K, Loose<T>> | Readonly<Record<string, Loose<T>>>
        : V extends object
          ? { readonly [K in keyof V]?: Loose<V[K]> | undefined }
          : V;

export type MessageObject<N extends MessageName> = Message<N> & MessageMethods<Message<N>> & { readonly [messageKind]: N };

/** What every message can do. `M` is what it holds. */
export interface MessageMethods<M> {
  /** Becomes empty. */
  Clear(): void;
  /** A field gets its default, or is unset. @throws ValueError for a name that is no field. */
  ClearField(field: string): void;
  /** Becomes equal to another message of the same kind. */
  CopyFrom(other: M): void;
  /** Takes over what the other sets: single fields are replaced, lists go on, messages are merged. */
  MergeFrom(other: M): void;
  /** Is a field of the sort that may be unset, set? @throws ValueError for other fields. */
  HasField(field: string): boolean;
  /** The field that is set of those of which one may be, by its name in the .proto file; null if there is none. */
  WhichOneof(group: string): string | null;
  /** How many bytes SerializeToString gives. */
  ByteSize(): number;
  IsInitialized(): boolean;
  /** The message in protobuf's wire format, the same bytes every time. */
  SerializeToString(): Uint8Array;
  /** Becomes the message that the bytes hold; returns how many they are. @throws DataLossError naming the offset of damage. */
  ParseFromString(serialized: Serialized): number;
  /** Takes over what the bytes set, as MergeFrom does; returns how many they are. */
  MergeFromString(serialized: Serialized): number;
  /** As SerializeToString: no field has to be there. */
  SerializePartialToString(): Uint8Array;
  /** The fields that are set, each with its value, in the order of their numbers. */
  ListFields(): (readonly [field: Pick<Field, "name" | "number" | "label">, value: unknown])[];
  /** Is set from now on, even if nothing is put into it. */
  SetInParent(): void;
  /** Forgets fields of newer versions, which are not read in the first place. */
  DiscardUnknownFields(): void;
  /** Which fields have to be there and are not: none. */
  FindInitializationErrors(): string[];
}

export interface MessageClass<N extends MessageName> {
  new (fields?: Loose<Message<N>>): MessageObject<N>;
  /** Reads the wire format, also as a run gives it: `Summary.FromString(await session.run(merged))`. @throws DataLossError naming the offset of damage. */
  FromString(serialized: Serialized): MessageObject<N>;
  /** A message that is at hand, with the methods of its class. */
  of(message: Message<N>): MessageObject<N>;
}

/** A message's class with those of the messages that are declared inside of it: `tf.Summary.Value`. */
export type MessageClassWith<N extends MessageName, Inner extends Readonly<Record<string, MessageName>>> = MessageClass<N> & {
  readonly [K in keyof Inner]: MessageClass<Inner[K]>;
};

/** What a file opened by a mode that is not known holds may be text by its type. */
export type Serialized = Uint8Array | NDArray | string;

/** The bytes given, or those of an array's one string. @throws TypeError for text. */
function bytesOf(serialized: Serialized): Uint8Array {
  if (typeof serialized === "string") throw new TypeError('expected bytes, str found\n\nRead files in mode "rb".');
  if (!(serialized instanceof NDArray)) return serialized;
  const text: unknown = serialized.data[0];
  return text instanceof Uint8Array ? text : encodeText(String(text));
}

/** @throws ValueError for a name that is no field, in either spelling. */
function knownField(message: MessageName, field: string): Field {
  const found = fieldsOf(message).find(({ name, originalName }) => name === field || originalName === field);
  if (found === undefined) throw new ValueError(`Protocol message ${message} has no "${field}" field.`);
  return found;
}

/** Refuses what a field cannot hold. Types say it in programs of our own; those in Python's spelling are asked. */
type FieldCheck = (message: MessageName, field: Field, value: unknown) => void;
let refuseWrong: FieldCheck | undefined;
/** From now on the fields of new messages are asked for. */
export const askFields = (check: FieldCheck): void => void (refuseWrong = check);

/** Fields as programs give them, under our names. @throws ValueError for a name that is no field. */
function namedFields(message: MessageName, given: object): object {
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(given)) {
    const field = knownField(message, key);
    const { name, type, label } = field;
    if (isAbsent(value)) continue;
    refuseWrong?.(message, field, value);
    const inner = (item: unknown): unknown => (isMessageType(type) ? namedFields(type, item as object) : item);
    const entries = label !== "map" ? [] : value instanceof Map ? [...value] : Object.entries(value as object);
    result[name] =
      label === "repeated"
        ? Array.from(value as Iterable<unknown>, inner)
        : label === "map"
          ? new Map(entries.map(([each, item]) => [each, inner(item)]))
          : inner(value);
  }
  return result;
}

const isSet = ({ label, type, isDefault }: Field, value: unknown): boolean => {
  if (isAbsent(value)) return false;
  if (label === "repeated") return (value as readonly unknown[]).length > 0;
  if (label === "map") return (value as ReadonlyMap<unknown, unknown>).size > 0;
  return label === "oneof" || isMessageType(type) || !isDefault(value);
};

/** The class of a message, with the classes of those inside of it under their names there. */
export function messageClass<N extends MessageName, const Inner extends Readonly<Record<string, MessageName>> = Record<never, never>>(
  name: N,
  inner?: Inner,
): MessageClassWith<N, Inner> {
  class Serializable {
    declare readonly [messageKind]: N;
    constructor(fields: object = {}) {
      Object.assign(this, createMessage(name, namedFields(name, fields)));
    }
    SerializeToString(): Uint8Array {
      return messageToBytes(name, this as object);
    }
    ByteSize(): number {
      return this.SerializeToString().length;
    }
    IsInitialized(): boolean {
      return true;
    }
    Clear(): void {
      Object.assign(this, createMessage(name, {}));
    }
    SerializePartialToString(): Uint8Array {
      return this.SerializeToString();
    }
    MergeFromString(serialized: Serialized): number {
      const bytes = bytesOf(serialized);
      this.MergeFrom(messageFromBytes(name, bytes));
      return bytes.length;
    }
    ListFields(): [Field, unknown][] {
      return fieldsOf(name)
        .map((field): [Field, unknown] => [field, Reflect.get(this, field.name)])
        .filter(([field, value]) => isSet(field, value));
    }
    SetInParent(): void {}
    DiscardUnknownFields(): void {}
    FindInitializationErrors(): string[] {
      return [];
    }
    ClearField(field: string): void {
      const known = knownField(name, field).name;
      Reflect.set(this, known, Reflect.get(createMessage(name, {}), known));
    }
    MergeFrom(other: object): void {
      // Two messages in a row are read as one.
      const [own, more] = [this.SerializeToString(), messageToBytes(name, other)];
      const both = new Uint8Array(own.length + more.length);
      both.set(own);
      both.set(more, own.length);
      this.ParseFromString(both);
    }
    CopyFrom(other: object): void {
      const bytes = messageToBytes(name, other);
      this.ParseFromString(bytes);
    }
    HasField(field: string): boolean {
      const { name: known, originalName, label, type } = knownField(name, field);
      if (label !== "oneof" && (label !== "single" || !isMessageType(type)))
        throw new ValueError(`Can't test non-optional, non-submessage field "${name}.${originalName}" for presence in proto3.`);
      return !isAbsent(Reflect.get(this, known));
    }
    WhichOneof(_group: string): string | null {
      return fieldsOf(name).find(({ name: each, label }) => label === "oneof" && !isAbsent(Reflect.get(this, each)))?.originalName ?? null;
    }
    ParseFromString(serialized: Serialized): number {
      const bytes = bytesOf(serialized);
      Object.assign(this, createMessage(name, {}), messageFromBytes(name, bytes));
      return bytes.length;
    }
    static FromString(serialized: Serialized): Serializable {
      return Serializable.of(messageFromBytes(name, bytesOf(serialized)));
    }
    static of(message: object): Serializable {
      return Object.assign(Object.create(Serializable.prototype) as Serializable, message);
    }
  }
  Object.defineProperty(Serializable.prototype, messageKind, { value: name });
  for (const [member, kind] of Object.entries(inner ?? {}))
    Object.defineProperty(Serializable, member, { configurable: true, get: () => classOf(kind) });
  return Serializable as MessageClass<N> as MessageClassWith<N, Inner>;
}

const classes = new Map<MessageName, MessageClass<MessageName>>();

/** The class of messages that no public name has. */
export function classOf<N extends MessageName>(name: N): MessageClass<N> {
  let found = classes.get(name);
  if (found === undefined) {
    found = messageClass(name) as MessageClass<MessageName>;
    classes.set(name, found);
  }
  return found as MessageClass<N>;
}
