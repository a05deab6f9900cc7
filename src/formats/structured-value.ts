// Structures of Python as TensorFlow keeps them in files (StructuredValue): lists, tuples and dictionaries of types, shapes and specs.

import { type DType, dtypeNames, dtypeTable } from "../base/dtype.ts";
import { UnimplementedError } from "../base/errors.ts";
import { decodeText, encodeText } from "../base/ndarray.ts";
import type { TensorShape } from "../base/shape.ts";
import { messageFromBytes, messageToBytes } from "./message-codec.ts";
import { shapeFromMessage, shapeToMessage } from "./tensor-message.ts";
import { eachField, pieceReader, WireReader, type WireWriter, wireTypes, written } from "./wire.ts";

type Fields = readonly (readonly [key: string, value: StructuredValue])[];

/** A tensor's spec. */
interface TensorSpecValue {
  readonly name: string;
  readonly shape: TensorShape;
  readonly dtype: DType;
}
/** A spec of another kind: what it is made of. */
interface TypeSpecValue {
  readonly number: number;
  readonly state: StructuredValue;
  readonly className: string;
  readonly components: number;
}

export type StructuredValue =
  | { readonly kind: "none" }
  | { readonly kind: "int64"; readonly value: bigint }
  | { readonly kind: "shape"; readonly value: TensorShape }
  | { readonly kind: "dtype"; readonly value: DType }
  | { readonly kind: "tensorSpec"; readonly value: TensorSpecValue }
  | { readonly kind: "typeSpec"; readonly value: TypeSpecValue }
  | { readonly kind: "list" | "tuple"; readonly value: readonly StructuredValue[] }
  | { readonly kind: "dict" | "namedTuple"; readonly value: Fields };

/** Fields of StructuredValue by what they hold. */
const fieldNumbers = {
  none: 1,
  int64: 12,
  shape: 31,
  dtype: 32,
  tensorSpec: 33,
  typeSpec: 34,
  list: 51,
  tuple: 52,
  dict: 53,
  namedTuple: 54,
} as const satisfies Record<StructuredValue["kind"], number>;

// ---- writing ----

const shapeBytes = (shape: TensorShape): Uint8Array => messageToBytes("TensorShapeProto", shapeToMessage(shape));

function whole(to: WireWriter, number: number, value: bigint): void {
  to.tag(number, wireTypes.varint);
  to.varint(value);
}

const pairBytes = ([key, value]: Fields[number]): Uint8Array =>
  written(to => {
    to.field(1, encodeText(key));
    to.field(2, structuredToBytes(value));
  });

/** The same bytes as TensorFlow's. */
export const structuredToBytes = (given: StructuredValue): Uint8Array =>
  written(to => {
    const number = fieldNumbers[given.kind];
    const held = (write: (inner: WireWriter) => void): void => to.field(number, written(write));
    switch (given.kind) {
      case "none":
        return held(() => undefined);
      case "int64":
        // A number of its own kind is zigzagged.
        return whole(to, number, (given.value << 1n) ^ (given.value >> 63n));
      case "shape":
        return to.field(number, shapeBytes(given.value));
      case "dtype":
        return whole(to, number, BigInt(dtypeTable[given.value].number));
      case "tensorSpec":
        return held(inner => {
          const { name, shape, dtype } = given.value;
          if (name !== "") inner.field(1, encodeText(name));
          inner.field(2, shapeBytes(shape));
          whole(inner, 3, BigInt(dtypeTable[dtype].number));
        });
      case "typeSpec":
        return held(inner => {
          whole(inner, 1, BigInt(given.value.number));
          inner.field(2, structuredToBytes(given.value.state));
          inner.field(3, encodeText(given.value.className));
          whole(inner, 4, BigInt(given.value.components));
        });
      case "list":
      case "tuple":
        return held(inner => {
          for (const each of given.value) inner.field(1, structuredToBytes(each));
        });
      case "dict":
        return held(inner => {
          for (const pair of [...given.value].sort(([a], [b]) => (a < b ? -1 : 1))) inner.field(1, pairBytes(pair));
        });
      case "namedTuple":
        return held(inner => {
          for (const pair of given.value) inner.field(2, pairBytes(pair));
        });
    }
  });

// ---- reading ----

const what = "StructuredValue";

function dtypeOf(reader: WireReader): DType {
  const number = Number(reader.varint());
  return dtypeNames.find(name => dtypeTable[name].number === number) ?? reader.fail(`${number} is no type of elements`);
}

const shapeOf = (reader: WireReader): TensorShape => shapeFromMessage(messageFromBytes("TensorShapeProto", reader.piece()));

function listIn(reader: WireReader): StructuredValue[] {
  const found: StructuredValue[] = [];
  eachField(reader, (number, wire) => number === 1 && found.push(structuredIn(pieceReader(reader, wire, what))) > 0);
  return found;
}

function fieldsIn(reader: WireReader, at: number): Fields {
  const found: Fields[number][] = [];
  eachField(reader, (number, wire) => {
    if (number !== at) return false;
    const pair = pieceReader(reader, wire, what);
    let [key, value]: [string, StructuredValue] = ["", { kind: "none" }];
    eachField(pair, (part, kind) => {
      if (part === 1) key = decodeText(pair.piece());
      else if (part === 2) value = structuredIn(pieceReader(pair, kind, what));
      else return false;
      return true;
    });
    return found.push([key, value]) > 0;
  });
  return found;
}

function tensorSpecIn(reader: WireReader): TensorSpecValue {
  let [name, shape, dtype]: [string, TensorShape, DType] = ["", shapeFromMessage(undefined), "float32"];
  eachField(reader, number => {
    if (number === 1) name = decodeText(reader.piece());
    else if (number === 2) shape = shapeOf(reader);
    else if (number === 3) dtype = dtypeOf(reader);
    else return false;
    return true;
  });
  return { name, shape, dtype };
}

function typeSpecIn(reader: WireReader): TypeSpecValue {
  let [number, state, className, components]: [number, StructuredValue, string, number] = [0, { kind: "none" }, "", 0];
  eachField(reader, (field, wire) => {
    if (field === 1) number = Number(reader.varint());
    else if (field === 2) state = structuredIn(pieceReader(reader, wire, what));
    else if (field === 3) className = decodeText(reader.piece());
    else if (field === 4) components = Number(reader.varint());
    else return false;
    return true;
  });
  return { number, state, className, components };
}

function structuredIn(reader: WireReader): StructuredValue {
  let found: StructuredValue = { kind: "none" };
  eachField(reader, (number, wire) => {
    const part = (): WireReader => pieceReader(reader, wire, what);
    if (number === fieldNumbers.none) part();
    else if (number === fieldNumbers.int64) {
      const bits = reader.varint();
      found = { kind: "int64", value: BigInt.asIntN(64, (bits >> 1n) ^ -(bits & 1n)) };
    } else if (number === fieldNumbers.shape) found = { kind: "shape", value: shapeOf(reader) };
    else if (number === fieldNumbers.dtype) found = { kind: "dtype", value: dtypeOf(reader) };
    // A bounded spec has a least and a largest value besides.
    else if (number === fieldNumbers.tensorSpec || number === 35) found = { kind: "tensorSpec", value: tensorSpecIn(part()) };
    else if (number === fieldNumbers.typeSpec) found = { kind: "typeSpec", value: typeSpecIn(part()) };
    else if (number === fieldNumbers.list) found = { kind: "list", value: listIn(part()) };
    else if (number === fieldNumbers.tuple) found = { kind: "tuple", value: listIn(part()) };
    else if (number === fieldNumbers.dict) found = { kind: "dict", value: fieldsIn(part(), 1) };
    else if (number === fieldNumbers.namedTuple) found = { kind: "namedTuple", value: fieldsIn(part(), 2) };
    else throw new UnimplementedError(`A structure with a value of kind ${number} cannot be read here.`);
    return true;
  });
  return found;
}

/** @throws DataLossError naming the offset of damage, UnimplementedError for values of other kinds. */
export const structuredFromBytes = (bytes: Uint8Array): StructuredValue => structuredIn(new WireReader(bytes, what));
