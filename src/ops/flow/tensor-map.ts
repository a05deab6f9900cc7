// Maps from tensors to tensors as values of type variant: each operation gives a new map. They are held on the host.

import type { DType } from "../../base/dtype.ts";
import { InternalError, InvalidArgumentError } from "../../base/errors.ts";
import { NDArray, latinText } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp } from "../../graph/op-definition.ts";
import { packedTensor } from "../string/bytes.ts";
import { stackedRows } from "../data/rows.ts";
import { cTypeOf } from "./tensor-array-failures.ts";
import { summarize } from "../summary/tensor-summary.ts";

interface Entry {
  readonly key: NDArray;
  readonly value: NDArray;
}

class MapArray extends NDArray {
  /** By the bytes of the key's type, shape and elements. */
  readonly entries: ReadonlyMap<string, Entry>;

  constructor(entries: ReadonlyMap<string, Entry>) {
    super("variant", [], new Uint8Array(1));
    this.entries = entries;
  }

  static of(array: NDArray): ReadonlyMap<string, Entry> {
    if (array instanceof MapArray) return array.entries;
    throw new InvalidArgumentError("Input handle is not a map. Saw: 'Variant<type: tensorflow::TensorList value: TensorList>'");
  }
}

const textOf = (key: NDArray): string => `${key.dtype}[${key.shape}]${latinText(packedTensor(key))}`;

const scalar = new TensorShape([]);
const keyDtype = attr.type();
const both = { keyDtype, valueDtype: attr.type() };

function requireKeyType(key: NDArray, asked: DType): NDArray {
  if (key.dtype !== asked) throw new InvalidArgumentError("Key does not match requested dtype.");
  return key;
}

function entryOf(array: NDArray, key: NDArray): Entry {
  const entry = MapArray.of(array).get(textOf(key));
  if (!entry) throw new InvalidArgumentError(`Trying to lookup non-existent key. Could not find key "${summarize(key, -1)}".`);
  return entry;
}

export const EmptyTensorMap = defineOp("EmptyTensorMap", {
  inputs: {},
  outputs: { handle: "variant" },
  attrs: {},
  shape: () => scalar,
  host: () => new MapArray(new Map()),
});

export const TensorMapSize = defineOp("TensorMapSize", {
  inputs: { inputHandle: "variant" },
  outputs: { size: "int32" },
  attrs: {},
  shape: () => scalar,
  host: ({ inputHandle }) => NDArray.full("int32", [], MapArray.of(inputHandle).size),
});

/** The value of a key. */
export const TensorMapLookup = defineOp("TensorMapLookup", {
  inputs: { inputHandle: "variant", key: "keyDtype" },
  outputs: { value: "valueDtype" },
  attrs: both,
  shape: () => TensorShape.unknown(),
  host: ({ inputHandle, key, valueDtype }, { name }) => {
    const { value } = entryOf(inputHandle, key);
    if (value.dtype !== valueDtype)
      throw new InternalError(
        `Output 0 of type ${cTypeOf(value.dtype)} does not match declared output type ${cTypeOf(valueDtype)} for node {{node ${name}}}`,
      );
    return value;
  },
});

/** The map with one more key, or another value for it. */
export const TensorMapInsert = defineOp("TensorMapInsert", {
  inputs: { inputHandle: "variant", key: "keyDtype", value: "valueDtype" },
  outputs: { outputHandle: "variant" },
  attrs: both,
  shape: () => scalar,
  host: ({ inputHandle, key, value }) => {
    const copied = (array: NDArray): NDArray => new NDArray(array.dtype, array.shape, array.data.slice());
    return new MapArray(new Map([...MapArray.of(inputHandle), [textOf(key), { key: copied(key), value: copied(value) }]]));
  },
});

/** The map without a key. */
export const TensorMapErase = defineOp("TensorMapErase", {
  inputs: { inputHandle: "variant", key: "keyDtype" },
  outputs: { outputHandle: "variant" },
  attrs: both,
  shape: () => scalar,
  host: ({ inputHandle, key }) => {
    const entries = new Map(MapArray.of(inputHandle));
    if (!entries.delete(textOf(key)))
      throw new InvalidArgumentError(`Trying to erase non-existent item. Could not find key "${summarize(key, -1)}".`);
    return new MapArray(entries);
  },
});

export const TensorMapHasKey = defineOp("TensorMapHasKey", {
  inputs: { inputHandle: "variant", key: "keyDtype" },
  outputs: { hasKey: "bool" },
  attrs: { keyDtype },
  shape: () => scalar,
  host: ({ inputHandle, key }) => NDArray.full("bool", [], MapArray.of(inputHandle).has(textOf(key))),
});

/** All keys along a new first axis, in the order in which they came. */
export const TensorMapStackKeys = defineOp("TensorMapStackKeys", {
  inputs: { inputHandle: "variant" },
  outputs: { keys: "keyDtype" },
  attrs: { keyDtype },
  shape: () => TensorShape.unknown(),
  host: ({ inputHandle, keyDtype }) => {
    const keys = [...MapArray.of(inputHandle).values()].map(({ key }) => requireKeyType(key, keyDtype));
    if (keys.length === 0) throw new InvalidArgumentError("TensorMapStackKeys cannot be called on empty map.");
    if (keys.some(({ shape }) => shape.join() !== keys[0].shape.join()))
      throw new InvalidArgumentError("Keys must all have the same shape.");
    return stackedRows(keyDtype, keys, keys[0].shape);
  },
});
