// tf.Example protocol buffers taken apart into tensors: ParseExample and its forms. The host reads them between segments of a run; values of one
// feature become a dense batch, a sparse tensor or rows of differing lengths.

import type { DType } from "../../base/dtype.ts";
import { InvalidArgumentError } from "../../base/errors.ts";
import { decodeText, type ElementValue, NDArray } from "../../base/ndarray.ts";
import { type Dimension, sizeOf, TensorShape } from "../../base/shape.ts";
import { messageFromBytes } from "../../formats/message-codec.ts";
import type { Message } from "../../formats/messages.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp } from "../../graph/op-definition.ts";
import { placesInRows } from "../sparse/parts.ts";
import { bytesAt } from "../string/string.ts";

export const featureTypes = ["float32", "int64", "string"] as const satisfies readonly DType[];
export const featureTypeList = (): ReturnType<typeof attr.types> => attr.types(undefined, { allowed: featureTypes, minimum: 0 });

/** Types by the names that messages use. */
export const typeNames: Readonly<Partial<Record<DType, string>>> = { float32: "float", int64: "int64", string: "string" };

// ---- one example ----

export interface Feature {
  readonly dtype: DType;
  readonly values: readonly ElementValue[];
}

export function featureOf(feature: Message<"Feature">): Feature | null {
  if (feature.floatList) return { dtype: "float32", values: feature.floatList.value };
  if (feature.int64List) return { dtype: "int64", values: feature.int64List.value };
  return feature.bytesList ? { dtype: "string", values: feature.bytesList.value } : null;
}

type Example = ReadonlyMap<string, Feature>;

/** @throws InvalidArgumentError for bytes that are no Example. */
function exampleOf(bytes: Uint8Array): Example {
  let features: Message<"Features"> | undefined;
  try {
    features = messageFromBytes("Example", bytes).features ?? undefined;
  } catch {
    throw new InvalidArgumentError(`Could not parse example input, value: '${decodeText(bytes)}'`);
  }
  const found = new Map<string, Feature>();
  for (const [name, message] of features?.feature ?? new Map<string, Message<"Feature">>()) {
    const feature = featureOf(message);
    if (feature) found.set(name, feature);
  }
  return found;
}

/** Where a feature stands, for messages. */
interface Place {
  /** The example's name, or null where there is one example by itself. */
  readonly name: string | null;
  readonly row: number;
  readonly key: string;
}

const prefixOf = ({ name }: Place): string => (name === null ? "" : `Name: ${name === "" ? "<unknown>" : name}, `);
const at = (place: Place): string =>
  place.name === null ? `Key: ${place.key}.  ` : `${prefixOf(place)}Key: ${place.key}, Index: ${place.row}.  `;

/** A feature of the type asked for, or null where there is none (or an empty one). @throws InvalidArgumentError for another type. */
function wanted(example: Example, place: Place, dtype: DType): readonly ElementValue[] | null {
  const feature = example.get(place.key);
  if (!feature) return null;
  if (feature.dtype !== dtype)
    throw new InvalidArgumentError(
      place.name === null
        ? `${at(place)}Data types don't match. Expected type: ${typeNames[dtype]}, Actual type: ${typeNames[feature.dtype]}`
        : `${at(place)}Data types don't match. Data type: ${typeNames[feature.dtype]} but expected type: ${typeNames[dtype]}`,
    );
  return feature.values;
}

// ---- batches ----

/** What is asked of a batch of examples. */
export interface FeatureSpecs {
  readonly sparse: readonly { readonly key: string; readonly dtype: DType }[];
  readonly dense: readonly { readonly key: string; readonly dtype: DType; readonly shape: TensorShape; readonly fallback: NDArray }[];
  readonly ragged: readonly { readonly key: string; readonly dtype: DType; readonly splits: DType }[];
}

export interface ParsedFeatures {
  readonly sparseIndices: NDArray[];
  readonly sparseValues: NDArray[];
  readonly sparseShapes: NDArray[];
  readonly denseValues: NDArray[];
  readonly raggedValues: NDArray[];
  readonly raggedSplits: NDArray[];
}

export const arrayOf = (dtype: DType, shape: readonly number[], values: readonly ElementValue[]): NDArray => {
  const array = NDArray.zeros(dtype, shape);
  for (let i = 0; i < values.length; i++) array.set(i, values[i]);
  return array;
};
export const int64 = (values: readonly number[], shape: readonly number[]): NDArray => arrayOf("int64", shape, values.map(BigInt));

/** Parses a batch; `names` are the examples' (or none), null for one example that makes no batch. */
export function parseFeatures(serialized: readonly Uint8Array[], names: readonly string[] | null, specs: FeatureSpecs): ParsedFeatures {
  const examples = serialized.map(exampleOf);
  const isBatch = names !== null;
  const placeOf = (row: number, key: string): Place => ({ name: isBatch ? (names[row] ?? "") : null, row, key });
  const dense = specs.dense.map(spec => denseOf(examples, spec, placeOf, isBatch));
  const sparse = specs.sparse.map(({ key, dtype }) => {
    const rows = examples.map((example, row) => wanted(example, placeOf(row, key), dtype) ?? []);
    const values = rows.flat();
    const lengths = rows.map(({ length }) => length);
    const most = lengths.reduce((longest, length) => Math.max(longest, length), 0);
    return {
      indices: placesInRows(lengths, isBatch),
      values: arrayOf(dtype, [values.length], values),
      shape: isBatch ? int64([rows.length, most], [2]) : int64([most], [1]),
    };
  });
  const ragged = specs.ragged.map(({ key, dtype, splits }) => {
    const rows = examples.map((example, row) => wanted(example, placeOf(row, key), dtype) ?? []);
    const values = rows.flat();
    let end = 0;
    const ends = [0, ...rows.map(({ length }) => (end += length))];
    return {
      values: arrayOf(dtype, [values.length], values),
      splits: int64(isBatch ? ends : [], [isBatch ? ends.length : 0]).cast(splits),
    };
  });
  return {
    sparseIndices: sparse.map(({ indices }) => indices),
    sparseValues: sparse.map(({ values }) => values),
    sparseShapes: sparse.map(({ shape }) => shape),
    denseValues: dense,
    raggedValues: ragged.map(({ values }) => values),
    raggedSplits: ragged.map(({ splits }) => splits),
  };
}

function denseOf(
  examples: readonly Example[],
  { key, dtype, shape, fallback }: FeatureSpecs["dense"][number],
  placeOf: (row: number, key: string) => Place,
  isBatch: boolean,
): NDArray {
  const dims = shape.dims ?? [];
  const isOpen = dims.length > 0 && dims[0] === null;
  const inner = sizeOf((isOpen ? dims.slice(1) : dims).map(Number));
  const rows = examples.map((example, row): readonly ElementValue[] => {
    const place = placeOf(row, key);
    const values = wanted(example, place, dtype);
    if (values === null) {
      if (isOpen) return [];
      if (fallback.size === 0)
        throw new InvalidArgumentError(
          `${prefixOf(place)}Feature: ${key} (data type: ${typeNames[dtype]}) is required but could not be found.`,
        );
      return Array.from({ length: inner }, (_, k) => fallback.get(fallback.size === 1 ? 0 : k));
    }
    if (isOpen ? values.length % inner !== 0 : values.length !== inner)
      throw new InvalidArgumentError(
        isOpen
          ? `${at(place)}Number of ${typeNames[dtype]} values is not a multiple of stride length. Saw ${values.length} values but output shape is: ${shape.format()}`
          : `${at(place)}Number of ${typeNames[dtype]} values != expected.  Values size: ${values.length} but output shape: ${shape.format()}`,
      );
    return values;
  });
  const most = isOpen ? rows.reduce((longest, { length }) => Math.max(longest, length), 0) : inner;
  const out = NDArray.zeros(dtype, [
    ...(isBatch ? [rows.length] : []),
    ...(isOpen ? [inner === 0 ? 0 : most / inner, ...dims.slice(1).map(Number)] : dims.map(Number)),
  ]);
  rows.forEach((values, row) => {
    for (let k = 0; k < most; k++) out.set(row * most + k, values[k] ?? (fallback.size > 0 ? fallback.get(0) : out.get(row * most + k)));
  });
  return out;
}

// ---- ops ----

export const keysOf = (array: NDArray): string[] => Array.from({ length: array.size }, (_, i) => decodeText(bytesAt(array, i)));
export const bytesOf = (array: NDArray): Uint8Array[] => Array.from({ length: array.size }, (_, i) => bytesAt(array, i));

function outputShapes(lead: readonly Dimension[], sparse: number, denseShapes: readonly TensorShape[], ragged: number): TensorShape[] {
  const each = (count: number, shape: TensorShape): TensorShape[] => Array<TensorShape>(count).fill(shape);
  const rank = lead.length + 1;
  return [
    ...each(sparse, new TensorShape([null, rank])),
    ...each(sparse, new TensorShape([null])),
    ...each(sparse, new TensorShape([rank])),
    ...denseShapes.map(shape => (shape.dims === null ? TensorShape.unknown() : new TensorShape([...lead, ...shape.dims]))),
    ...each(ragged, new TensorShape([null])),
    ...each(ragged, new TensorShape([lead.length === 0 ? null : lead[0] === null ? null : lead[0] + 1])),
  ];
}

const flat = (parsed: ParsedFeatures): NDArray[] => [
  ...parsed.sparseIndices,
  ...parsed.sparseValues,
  ...parsed.sparseShapes,
  ...parsed.denseValues,
];

/** A batch of examples by the names of their features. */
export const ParseExample = defineOp("ParseExample", {
  inputs: { serialized: "string", names: "string", sparseKeys: "Nsparse*string", denseKeys: "Ndense*string", denseDefaults: "Tdense" },
  outputs: { sparseIndices: "Nsparse*int64", sparseValues: "sparseTypes", sparseShapes: "Nsparse*int64", denseValues: "Tdense" },
  attrs: {
    Nsparse: attr.int(undefined, 0),
    Ndense: attr.int(undefined, 0),
    sparseTypes: featureTypeList(),
    Tdense: featureTypeList(),
    denseShapes: attr.shapes(undefined, 0),
  },
  shape: ({ serialized, Nsparse, denseShapes }) => outputShapes([serialized.withRank(1).dim(0)], Nsparse, denseShapes, 0),
  host: ({ serialized, names, sparseKeys, denseKeys, denseDefaults, sparseTypes, Tdense, denseShapes }) =>
    flat(
      parseFeatures(bytesOf(serialized), keysOf(names), {
        sparse: sparseKeys.map((key, i) => ({ key: keysOf(key)[0], dtype: sparseTypes[i] })),
        dense: denseKeys.map((key, i) => ({ key: keysOf(key)[0], dtype: Tdense[i], shape: denseShapes[i], fallback: denseDefaults[i] })),
        ragged: [],
      }),
    ),
});

/** The newer form: one example or a batch, ragged features too. */
export const ParseExampleV2 = defineOp("ParseExampleV2", {
  inputs: {
    serialized: "string",
    names: "string",
    sparseKeys: "string",
    denseKeys: "string",
    raggedKeys: "string",
    denseDefaults: "Tdense",
  },
  outputs: {
    sparseIndices: "numSparse*int64",
    sparseValues: "sparseTypes",
    sparseShapes: "numSparse*int64",
    denseValues: "Tdense",
    raggedValues: "raggedValueTypes",
    raggedRowSplits: "raggedSplitTypes",
  },
  attrs: {
    Tdense: featureTypeList(),
    numSparse: attr.int(undefined, 0),
    sparseTypes: featureTypeList(),
    raggedValueTypes: featureTypeList(),
    raggedSplitTypes: attr.types(undefined, { allowed: attr.indexTypes, minimum: 0 }),
    denseShapes: attr.shapes(undefined, 0),
  },
  shape: ({ serialized, numSparse, denseShapes, raggedValueTypes }) => {
    const { dims } = serialized.withRankAtMost(1);
    const ragged = raggedValueTypes.length;
    if (dims !== null) return outputShapes(dims, numSparse, denseShapes, ragged);
    return Array<TensorShape>(3 * numSparse + denseShapes.length + 2 * ragged).fill(TensorShape.unknown());
  },
  host: ({
    serialized,
    names,
    sparseKeys,
    denseKeys,
    raggedKeys,
    denseDefaults,
    Tdense,
    sparseTypes,
    raggedValueTypes,
    raggedSplitTypes,
    denseShapes,
  }) => {
    const parsed = parseFeatures(bytesOf(serialized), serialized.rank === 0 ? null : keysOf(names), {
      sparse: keysOf(sparseKeys).map((key, i) => ({ key, dtype: sparseTypes[i] })),
      dense: keysOf(denseKeys).map((key, i) => ({ key, dtype: Tdense[i], shape: denseShapes[i], fallback: denseDefaults[i] })),
      ragged: keysOf(raggedKeys).map((key, i) => ({ key, dtype: raggedValueTypes[i], splits: raggedSplitTypes[i] })),
    });
    return [...flat(parsed), ...parsed.raggedValues, ...parsed.raggedSplits];
  },
});

/** One example, its features named by attributes. */
export const ParseSingleExample = defineOp("ParseSingleExample", {
  inputs: { serialized: "string", denseDefaults: "Tdense" },
  outputs: { sparseIndices: "numSparse*int64", sparseValues: "sparseTypes", sparseShapes: "numSparse*int64", denseValues: "Tdense" },
  attrs: {
    numSparse: attr.int(undefined, 0),
    sparseKeys: attr.strings(undefined, 0),
    denseKeys: attr.strings(undefined, 0),
    sparseTypes: featureTypeList(),
    Tdense: featureTypeList(),
    denseShapes: attr.shapes(undefined, 0),
  },
  shape: ({ serialized, numSparse, denseShapes }) => {
    serialized.withRank(0);
    return outputShapes([], numSparse, denseShapes, 0);
  },
  host: ({ serialized, denseDefaults, sparseKeys, denseKeys, sparseTypes, Tdense, denseShapes }) =>
    flat(
      parseFeatures(bytesOf(serialized), null, {
        sparse: sparseKeys.map((key, i) => ({ key, dtype: sparseTypes[i] })),
        dense: denseKeys.map((key, i) => ({ key, dtype: Tdense[i], shape: denseShapes[i], fallback: denseDefaults[i] })),
        ragged: [],
      }),
    ),
});
