// Messages as programs of TensorFlow's make them: `new tf.train.Feature({ int64List: { value: [1] } })`, SerializeToString, FromString.
// The fields are those of the table in messages.ts; text may stand for bytes, numbers for 64-bit integers, plain objects for maps.

import { encodeText, NDArray } from "../base/ndarray.ts";
import { createMessage, messageFromBytes, messageToBytes } from "./message-codec.ts";
import type { Message, MessageName } from "./messages.ts";

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

export type MessageObject<N extends MessageName> = Message<N> & {
  /** The message in protobuf's wire format, the same bytes every time. */
  SerializeToString(): Uint8Array;
  /** Becomes the message that the bytes hold; returns how many they are. @throws DataLossError naming the offset of damage. */
  ParseFromString(serialized: Uint8Array | NDArray): number;
};

export interface MessageClass<N extends MessageName> {
  new (fields?: Loose<Message<N>>): MessageObject<N>;
  /** Reads the wire format, also as a run gives it: `Summary.FromString(await session.run(merged))`. @throws DataLossError naming the offset of damage. */
  FromString(serialized: Uint8Array | NDArray): MessageObject<N>;
  /** A message that is at hand, with the methods of its class. */
  of(message: Message<N>): MessageObject<N>;
}

/** The bytes of an array's one string. */
function bytesOf(serialized: Uint8Array | NDArray): Uint8Array {
  if (!(serialized instanceof NDArray)) return serialized;
  const text: unknown = serialized.data[0];
  return text instanceof Uint8Array ? text : encodeText(String(text));
}

/** The class of a message. */
export function messageClass<N extends MessageName>(name: N): MessageClass<N> {
  class Serializable {
    constructor(fields: object = {}) {
      Object.assign(this, createMessage(name, fields));
    }
    SerializeToString(): Uint8Array {
      return messageToBytes(name, this as object);
    }
    ParseFromString(serialized: Uint8Array | NDArray): number {
      const bytes = bytesOf(serialized);
      Object.assign(this, createMessage(name, {}), messageFromBytes(name, bytes));
      return bytes.length;
    }
    static FromString(serialized: Uint8Array | NDArray): Serializable {
      return Serializable.of(messageFromBytes(name, bytesOf(serialized)));
    }
    static of(message: object): Serializable {
      return Object.assign(Object.create(Serializable.prototype) as Serializable, message);
    }
  }
  return Serializable as MessageClass<N>;
}
