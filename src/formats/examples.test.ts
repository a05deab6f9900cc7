// Examples read straight into arrays against the same bytes read as messages: whole and damaged ones, lists packed and not, lists and keys that come twice.

import { expect, test } from "vitest";
import { inputs, mutated, randomly } from "../../test/fuzzing.ts";
import { DataLossError } from "../base/errors.ts";
import { NDArray } from "../base/ndarray.ts";
import { exampleFromBytes, type Feature, joined, longest, padded, sequenceExampleFromBytes } from "./examples.ts";
import { messageFromBytes, messageToBytes } from "./message-codec.ts";
import type { Message, MessageInit } from "./messages.ts";
import { WireWriter, wireTypes } from "./wire.ts";

type Values = readonly (number | bigint | Uint8Array)[] | null;

const valuesOf = (feature: Feature): Values => (feature ? [...joined(feature.dtype, [feature]).data] : null);
const listOf = ({ floatList, int64List, bytesList }: Message<"Feature">): Values => (floatList ?? int64List ?? bytesList)?.value ?? null;

/** What both readers say of bytes: the same values, or that they are damaged. */
function told<T>(read: () => T): T | "damaged" {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DataLossError)) throw error;
    return "damaged";
  }
}

const features: MessageInit<"Features"> = {
  feature: new Map<string, MessageInit<"Feature">>([
    ["floats", { floatList: { value: [1.5, -2, Number.NaN, 3e38] } }],
    ["ints", { int64List: { value: [0n, 1n, -1n, 127n, 128n, 2n ** 31n, -(2n ** 31n), 2n ** 32n, 2n ** 63n - 1n, -(2n ** 63n)] } }],
    ["bytes", { bytesList: { value: [new Uint8Array([1, 2]), new Uint8Array(0)] } }],
    ["Größe", { int64List: { value: [7n] } }],
    ["empty", {}],
    ["none", { floatList: {} }],
  ]),
};

/** Lists as other writers have them: each number behind its own tag, a list that comes twice, a key that comes twice. */
const unpacked = (): Uint8Array => {
  const written = (write: (to: WireWriter) => void): Uint8Array => {
    const to = new WireWriter();
    write(to);
    return to.finish();
  };
  const piece = (number: number, bytes: Uint8Array) => (to: WireWriter) => {
    to.tag(number, wireTypes.bytes);
    to.piece(bytes);
  };
  const ints = written(to => {
    for (const value of [5n, -6n]) {
      to.tag(1, wireTypes.varint);
      to.varint(value);
    }
  });
  const floats = written(to => {
    to.tag(1, wireTypes.fixed32);
    to.float(0.5);
  });
  const twice = written(to => {
    piece(3, ints)(to);
    piece(3, ints)(to);
  });
  const entry = (value: Uint8Array) =>
    written(to => {
      piece(1, new Uint8Array([107]))(to);
      piece(2, value)(to);
    });
  const list = written(to => {
    piece(1, entry(written(piece(2, floats))))(to);
    piece(1, entry(twice))(to);
  });
  return written(to => {
    piece(1, list)(to);
    piece(1, messageToBytes("Features", features))(to);
  });
};

const seeds = [messageToBytes("Example", { features }), unpacked(), new Uint8Array(0)];

test("an Example's values are those of the message", () => {
  const read = (bytes: Uint8Array) =>
    told(() => Object.fromEntries([...exampleFromBytes(bytes)].map(([key, feature]) => [key, valuesOf(feature)])));
  const expected = (bytes: Uint8Array) =>
    told(() => {
      const message = messageFromBytes("Example", bytes);
      return Object.fromEntries([...(message.features?.feature ?? [])].map(([key, feature]) => [key, listOf(feature)]));
    });
  expect(read(seeds[1])).toMatchObject({ k: [5n, -6n, 5n, -6n], Größe: [7n], empty: null, none: [] });
  for (const seed of seeds) expect(read(seed)).toEqual(expected(seed));
  let whole = 0;
  for (let i = 0; i < inputs; i++) {
    const random = randomly(i + 1);
    const bytes = mutated(seeds[i % 2], random);
    const found = read(bytes);
    expect(found).toEqual(expected(bytes));
    if (found !== "damaged") whole++;
  }
  expect(whole).toBeGreaterThan(0);
});

test("a SequenceExample's values are those of the message", () => {
  const steps = [...(features.feature ?? [])].map(([, feature]) => feature);
  const seed = messageToBytes("SequenceExample", {
    context: features,
    featureLists: { featureList: new Map([["a", { feature: steps }]]) },
  });
  const read = (bytes: Uint8Array) =>
    told(() => {
      const { context, lists } = sequenceExampleFromBytes(bytes);
      return [
        new Map([...context].map(([key, feature]) => [key, valuesOf(feature)])),
        new Map([...lists].map(([key, list]) => [key, list.map(valuesOf)])),
      ];
    });
  const expected = (bytes: Uint8Array) =>
    told(() => {
      const { context, featureLists } = messageFromBytes("SequenceExample", bytes);
      return [
        new Map([...(context?.feature ?? [])].map(([key, feature]) => [key, listOf(feature)])),
        new Map([...(featureLists?.featureList ?? [])].map(([key, { feature }]) => [key, feature.map(listOf)])),
      ];
    });
  expect(read(seed)).toEqual(expected(seed));
  for (let i = 0; i < inputs; i++) {
    const bytes = mutated(seed, randomly(i + 1));
    expect(read(bytes)).toEqual(expected(bytes));
  }
});

test("rows are padded with the fallback, or with zeros", () => {
  const rows = ["ints", "Größe", "missing"].map(key => exampleFromBytes(seeds[0]).get(key));
  expect(longest(rows)).toBe(10);
  const last = rows.slice(1);
  expect(padded("int64", last, 2, NDArray.from([9n], "int64"), [2, 2]).toArray()).toEqual([
    [7n, 9n],
    [9n, 9n],
  ]);
  expect(padded("int64", last, 2, NDArray.zeros("int64", [0]), [2, 2]).toArray()).toEqual([
    [7n, 0n],
    [0n, 0n],
  ]);
});
