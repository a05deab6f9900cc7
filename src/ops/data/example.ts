// tf.Example protocol buffers taken apart into tensors: ParseExample and its forms. The host reads them between segments of a run; values of one
// feature become a dense batch, a sparse tensor or rows of differing lengths.

import type { DType } from "../../base/dtype.ts";
import { InvalidArgumentError } from "../../base/errors.ts";
import { decodeText, NDArray } from "../../base/ndarray.ts";
import { type Dimension, sizeOf, TensorShape } from "../../base/shape.ts";
import { exampleFromBytes, type Feature, type Features, type FeatureValues, joined, longest, padded } from "../../formats/examples.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp } from "../../graph/op-definition.ts";
import { placesInRows } from "../sparse/parts.ts";
import { bytesAt } from "../string/string.ts";

export const featureTypes = ["float32", "int64", "string"] as const satisfies readonly DType[];
export const featureTypeList = (): ReturnType<typeof attr.types> => attr.types(undefined, { allowed: featureTypes, minimum: 0 });

/** Types by the names that messages use. */
export const typeNames: Readonly<Partial<Record<DType, string>>> = { float32: "float", int64: "int64", string: "string" };

// ---- one example ----

/** @throws InvalidArgumentError for bytes that are no Example. */
function exampleOf(bytes: Uint8Array): Features {
  try {
    return exampleFromBytes(bytes);
  } catch {
    throw new InvalidArgumentError(`Could not parse example input, value: '${decodeText(bytes)}'`);
  }
}

/** Where a feature stands, for messages. */
interface Where {
  /** The example's name, or null where there is one example by itself. */
  readonly name: string | null;
  readonly row: number;
  readonly key: string;
}

const prefixOf = ({ name }: Where): string => (name === null ? "" : `Name: ${name === "" ? "<unknown>" : name}, `);
const at = (where: Where): string =>
  where.name === null ? `Key: ${where.key}.  ` : `${prefixOf(where)}Key: ${where.key}, Index: ${where.row}.  `;

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

export const int64 = (values: readonly number[], shape: readonly number[]): NDArray =>
  new NDArray("int64", shape, BigInt64Array.from(values, BigInt));

/** Refuses a feature that is not what is asked for. */
type Check = (feature: FeatureValues, where: Where) => void;

/** What its messages call a type's values. */
const valuesOf = (dtype: DType): string => (dtype === "string" ? "bytes" : (typeNames[dtype] as string));

function rowCheck({ dtype }: { readonly dtype: DType }): Check {
  return (feature, where) => {
    if (feature.dtype === dtype) return;
    throw new InvalidArgumentError(
      `${at(where)}Data types don't match. Expected type: ${typeNames[dtype]}, Actual type: ${typeNames[feature.dtype]}`,
    );
  };
}

/** The size of one dense row, or of its pieces where the first dimension is open. */
function denseSize(shape: TensorShape): { readonly isOpen: boolean; readonly inner: number } {
  const dims = shape.dims ?? [];
  const isOpen = dims.length > 0 && dims[0] === null;
  return { isOpen, inner: sizeOf((isOpen ? dims.slice(1) : dims).map(Number)) };
}

function denseCheck({ dtype, shape }: FeatureSpecs["dense"][number]): Check {
  const { isOpen, inner } = denseSize(shape);
  return (feature, where) => {
    const refuse = (text: string): never => {
      throw new InvalidArgumentError(text);
    };
    const isSingle = where.name === null;
    const { size } = feature;
    if (feature.dtype !== dtype)
      refuse(`${at(where)}Data types don't match. Data type: ${typeNames[feature.dtype]} but expected type: ${typeNames[dtype]}`);
    if (isOpen ? size % inner === 0 : size === inner) return;
    if (isOpen && isSingle)
      refuse(
        `Error while parsing feature with key ${where.key}: number of elements should be divisible by ${inner}, found ${size} instead`,
      );
    const values = `${at(where)}Number of ${valuesOf(dtype)} values`;
    if (isOpen) refuse(`${values} is not a multiple of stride length. Saw ${size} values but output shape is: ${shape.format()}`);
    const isOverfull = dtype === "string" && size > inner;
    const why = isOverfull ? "Parsing bytes_list failed." : `Some ${valuesOf(dtype)}_list slice was not parsed.`;
    if (isSingle) refuse(`${at(where)}Can't parse serialized Example: ${why}`);
    if (isOverfull) refuse(`${at(where)}Can't parse serialized Example.`);
    refuse(`${values} != expected.  Values size: ${size} but output shape: ${shape.format()}`);
  };
}

/** Refuses an example: its features from the last to the first, then those that are not there. */
function exampleCheck(specs: FeatureSpecs): (example: Features, whereOf: (key: string) => Where) => void {
  const checks = new Map<string, Check>([
    ...[...specs.sparse, ...specs.ragged].map(spec => [spec.key, rowCheck(spec)] as const),
    ...specs.dense.map(spec => [spec.key, denseCheck(spec)] as const),
  ]);
  const needed = specs.dense.filter(({ shape, fallback }) => fallback.size === 0 && !denseSize(shape).isOpen);
  return (example, whereOf) => {
    for (const [key, feature] of [...example].reverse()) if (feature) checks.get(key)?.(feature, whereOf(key));
    const missing = needed.find(({ key }) => !example.get(key));
    if (missing === undefined) return;
    const { key, dtype } = missing;
    throw new InvalidArgumentError(
      `${prefixOf(whereOf(key))}Feature: ${key} (data type: ${typeNames[dtype]}) is required but could not be found.`,
    );
  };
}

/** Parses a batch; `names` are the examples' (or none), null for one example that makes no batch. */
export function parseFeatures(serialized: readonly Uint8Array[], names: readonly string[] | null, specs: FeatureSpecs): ParsedFeatures {
  const isBatch = names !== null;
  const check = exampleCheck(specs);
  const examples = serialized.map((bytes, row) => {
    const example = exampleOf(bytes);
    check(example, key => ({ name: isBatch ? (names[row] ?? "") : null, row, key }));
    return example;
  });
  const rowsOf = (key: string): Feature[] => examples.map(example => example.get(key) ?? null);
  const dense = specs.dense.map(spec => denseOf(rowsOf(spec.key), spec, isBatch));
  const sparse = specs.sparse.map(({ key, dtype }) => {
    const rows = rowsOf(key);
    const lengths = rows.map(row => row?.size ?? 0);
    const most = longest(rows);
    return {
      indices: placesInRows(lengths, isBatch),
      values: joined(dtype, rows),
      shape: isBatch ? int64([rows.length, most], [2]) : int64([most], [1]),
    };
  });
  const ragged = specs.ragged.map(({ key, dtype, splits }) => {
    const rows = rowsOf(key);
    let end = 0;
    const ends = [0, ...rows.map(row => (end += row?.size ?? 0))];
    return {
      values: joined(dtype, rows),
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

function denseOf(rows: readonly Feature[], { dtype, shape, fallback }: FeatureSpecs["dense"][number], isBatch: boolean): NDArray {
  const dims = shape.dims ?? [];
  const { isOpen, inner } = denseSize(shape);
  const most = isOpen ? longest(rows) : inner;
  return padded(dtype, rows, most, fallback, [
    ...(isBatch ? [rows.length] : []),
    ...(isOpen ? [inner === 0 ? 0 : most / inner, ...dims.slice(1).map(Number)] : dims.map(Number)),
  ]);
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
