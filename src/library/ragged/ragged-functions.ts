// tf.ragged: ragged tensors from lists, placeholders and ranges; functions of flat values; splits and segment ids.

import { type DType, isBigInteger, isInteger } from "../../base/dtype.ts";
import { ValueError } from "../../base/errors.ts";
import { type ArrayLike, NDArray, inferDType } from "../../base/ndarray.ts";
import { pythonRepr } from "../../base/python-text.ts";
import { sizeOf, TensorShape } from "../../base/shape.ts";
import { convertToTensor, literalType, refuseMixed, type TensorLike } from "../../graph/conversion.ts";
import type { Named } from "../../graph/op-definition.ts";
import { Tensor } from "../../graph/operation.ts";
import { constantValue } from "../../graph/shape-inference.ts";
import { SparseTensor } from "../../graph/sparse-tensor.ts";
import { constant as denseConstant, numbersOf, placeholder as densePlaceholder } from "../../ops/array/array.ts";
import { concat } from "../../ops/array/slicing.ts";
import { bincount } from "../../ops/math/counting.ts";
import { cast } from "../../ops/math/cast.ts";
import { cumsum } from "../../ops/math/reduction.ts";
import { inNameScope } from "../../ops/named.ts";
import { RaggedCross, RaggedRange } from "../../ops/sparse/ragged.ts";
import { RaggedTensor, RaggedTensorValue } from "./ragged-tensor.ts";
import { segmentIdsOf, type SplitsType, wholeNumbers } from "./row-partition.ts";
import { refuseOthers } from "../../ops/arguments.ts";

export { RaggedTensorValue };

type Nested = ArrayLike | readonly Nested[];

interface ConstantOptions extends Named {
  readonly dtype?: DType | null;
  /** How many dimensions are ragged: all but the innermost unless given. */
  readonly raggedRank?: number | null;
  /** The shape of the values, which is then not ragged. */
  readonly innerShape?: readonly number[] | null;
  readonly rowSplitsDtype?: SplitsType;
}

interface Listed {
  /** Where rows end, outermost dimension first. */
  readonly splits: readonly (readonly number[])[];
  readonly flat: readonly Nested[];
  readonly innerShape: readonly number[];
}

/** How deep numbers stand in lists, and how deep lists go. @throws ValueError if numbers stand in different depths. */
function depthsOf(list: Nested): { scalars: number | null; most: number } {
  if (!Array.isArray(list)) return { scalars: 0, most: 0 };
  let scalars: number | null = null;
  let most = 1;
  for (const child of list as readonly Nested[]) {
    const inner = depthsOf(child);
    if (inner.scalars !== null) {
      if (scalars !== null && scalars !== inner.scalars + 1) throw new ValueError("all scalar values must have the same nesting depth");
      scalars = inner.scalars + 1;
    }
    most = Math.max(most, inner.most + 1);
  }
  return { scalars, most };
}

const shown = (list: Nested): string => pythonRepr(list);

function innerShapeOf(list: readonly Nested[], raggedRank: number): number[] {
  let flat = list;
  for (let depth = 0; depth < raggedRank; depth++) {
    if (!flat.every(Array.isArray))
      throw new ValueError(
        `pylist has scalar values depth ${depth + 1}, but ragged_rank=${raggedRank} requires scalar value depth greater than ${raggedRank}`,
      );
    flat = (flat as readonly (readonly Nested[])[]).flat();
  }
  const shape: number[] = [];
  for (let item: Nested = flat; Array.isArray(item); item = (item as readonly Nested[])[0]) shape.push(item.length);
  const check = (item: Nested, [size, ...rest]: readonly number[]): void => {
    if (Array.isArray(item) !== (size !== undefined) || (Array.isArray(item) && item.length !== size))
      throw new ValueError("inner values have inconsistent shape");
    if (Array.isArray(item)) for (const child of item as readonly Nested[]) check(child, rest);
  };
  check(flat, shape);
  return shape.slice(1);
}

/** A nested list in parts, or null where it is to be a dense array. */
function partsOf(list: Nested, options: ConstantOptions): Listed | null {
  const { raggedRank: wanted = null, innerShape = null } = options;
  const refuse = (why: string): ValueError => new ValueError(`Invalid pylist=${shown(list)}: ${why}`);
  if (!Array.isArray(list)) {
    if (wanted) throw refuse(`incompatible with ragged_rank=${wanted}`);
    if (innerShape?.length) throw refuse(`incompatible with dim(inner_shape)=${innerShape.length}`);
    return null;
  }
  if (wanted !== null && wanted < 0) throw new ValueError(`Invalid ragged_rank=${wanted}: must be nonnegative`);
  const { scalars, most } = depthsOf(list);
  if (scalars !== null && most > scalars) throw refuse("empty list nesting is greater than scalar value nesting");
  if (scalars !== null && wanted !== null && most < wanted)
    throw new ValueError(`Invalid pylist=${shown(list)}, max depth smaller than ragged_rank=${wanted}`);
  if (innerShape !== null && wanted !== null) {
    const expected = wanted + innerShape.length + 1;
    if (scalars === null ? expected < most : expected !== scalars)
      throw refuse(`incompatible with ragged_rank=${wanted} and dim(inner_shape)=${innerShape.length}`);
  }
  if (wanted === 0 || (wanted === null && (most < 2 || (innerShape !== null && most - innerShape.length < 2)))) return null;
  const inner = innerShape ?? (wanted === null ? [] : innerShapeOf(list as readonly Nested[], wanted));
  const raggedRank = wanted ?? Math.max(1, scalars === null ? most - 1 : scalars - 1 - inner.length);
  const splits: number[][] = [];
  let flat = list as readonly Nested[];
  for (let depth = 0; depth < raggedRank; depth++) {
    let end = 0;
    const rows = flat as readonly (readonly Nested[])[];
    splits.push([0, ...rows.map(row => (end += row.length))]);
    flat = rows.flat();
  }
  return { splits, flat, innerShape: inner };
}

function arrayOf(flat: Nested, dtype: DType | null | undefined, shape?: readonly number[]): NDArray {
  if (flat === null) throw new ValueError("None values not supported.");
  if (dtype === undefined || dtype === null) refuseMixed(flat);
  const first = Array.isArray(flat) ? (flat.flat(Infinity as 1) as unknown[])[0] : flat;
  const type = dtype ?? (first === undefined ? "float32" : inferDType(first as ArrayLike));
  if (shape !== undefined && sizeOf(shape) === 0) return NDArray.zeros(type, shape);
  return NDArray.from(flat as ArrayLike, type, shape);
}

const splitsArray = (ends: readonly number[], dtype: SplitsType): NDArray =>
  NDArray.from(isBigInteger(dtype) ? ends.map(BigInt) : [...ends], dtype, [ends.length]);

/** A ragged tensor (dense, where no dimension is ragged) of nested lists. TF: tf.ragged.constant. */
export function constant(pylist: Nested, options: ConstantOptions = {}): RaggedTensor | Tensor {
  const { dtype, innerShape, name, rowSplitsDtype = "int64" } = options;
  if (pylist instanceof RaggedTensor || pylist instanceof RaggedTensorValue)
    throw new TypeError("pylist may not be a RaggedTensor or RaggedTensorValue.");
  return inNameScope({ name }, "RaggedConstant", [], () => {
    const parts = partsOf(pylist, options);
    if (parts === null) return denseConstant(arrayOf(pylist, dtype, innerShape ?? undefined));
    const shape = [parts.flat.length, ...parts.innerShape];
    const values = denseConstant(arrayOf(parts.flat as Nested, dtype, shape), { name: "values" });
    return parts.splits.reduceRight<Tensor | RaggedTensor>((inner, ends) => {
      const splits = denseConstant(splitsArray(ends, rowSplitsDtype));
      return RaggedTensor.fromRowSplits(inner, splits, { validate: false });
    }, values);
  });
}

/** The same as an array, to be fed or compared. TF: tf.ragged.constant_value. */
export function constantValueOf(pylist: Nested, options: Omit<ConstantOptions, "name"> = {}): RaggedTensorValue | NDArray {
  const { dtype, innerShape, rowSplitsDtype = "int64" } = options;
  const parts = partsOf(pylist, options);
  if (parts === null) return arrayOf(pylist, dtype, innerShape ?? undefined);
  const values = arrayOf(parts.flat as Nested, dtype, [parts.flat.length, ...parts.innerShape]);
  return parts.splits.reduceRight<NDArray | RaggedTensorValue>(
    (inner, ends) => new RaggedTensorValue(inner, splitsArray(ends, rowSplitsDtype)),
    values,
  );
}
export { constantValueOf as constantValue };

interface PlaceholderOptions extends Named {
  /** The shape of one value. */
  readonly valueShape?: readonly (number | null)[] | null;
}

/** A ragged tensor to be fed with a RaggedTensorValue. TF: tf.ragged.placeholder. */
export function placeholder(
  dtype: DType,
  raggedRank: number,
  { valueShape, name, ...others }: PlaceholderOptions = {},
): RaggedTensor | Tensor {
  refuseOthers(others);
  if (raggedRank === 0) return densePlaceholder(dtype, valueShape, { name });
  return inNameScope({ name }, "RaggedPlaceholder", [], () => {
    const shape = new TensorShape([null]).concatenate(valueShape ?? null);
    let result: Tensor | RaggedTensor = densePlaceholder(dtype, shape, { name: "flat_values" });
    for (let level = raggedRank - 1; level >= 0; level--) {
      const splits = densePlaceholder("int64", [null], { name: `row_splits_${level}` });
      result = RaggedTensor.fromRowSplits(result, splits, { validate: false });
    }
    return result;
  });
}

/** An op on the flat values of ragged arguments, which have to have the same rows; its result is put into those. TF: tf.ragged.map_flat_values. */
export function mapFlatValues(op: (...args: never[]) => Tensor, ...dense: readonly TensorLike[]): Tensor;
export function mapFlatValues(op: (...args: never[]) => Tensor, ...args: readonly unknown[]): RaggedTensor;
export function mapFlatValues(op: (...args: never[]) => Tensor, ...args: readonly unknown[]): Tensor | RaggedTensor {
  const ragged = args.filter(arg => arg instanceof RaggedTensor);
  const flat = args.map(arg => (arg instanceof RaggedTensor ? arg.flatValues : arg));
  const result = op(...(flat as never[]));
  if (ragged.length === 0) return result;
  if (ragged.some(arg => arg.raggedRank !== ragged[0].raggedRank))
    throw new ValueError("All ragged inputs must have the same ragged_rank.");
  const counts = new Set(ragged.map(arg => arg.flatValues.shape.dim(0)).filter(count => count !== null));
  if (counts.size > 1)
    throw new ValueError(
      `Input RaggedTensors' flat_values must all have the same outer-dimension size.  Got sizes: {${[...counts].join(", ")}}`,
    );
  const [count] = counts;
  if (count !== undefined && !result.shape.slice(0, 1).isCompatibleWith([count]))
    throw new ValueError(
      `tf.ragged.map_flat_values requires that the output of \`op\` have the same outer-dimension size as flat_values of any ragged inputs. (output shape: ${result.shape}; expected outer dimension size: ${count})`,
    );
  return ragged[0].withFlatValues(result);
}

interface RangeOptions extends Named {
  readonly limits?: TensorLike | null;
  readonly deltas?: TensorLike | null;
  readonly dtype?: "int32" | "int64" | "float32" | "float64" | null;
  readonly rowSplitsDtype?: SplitsType;
}

/** Row i counts from `starts[i]` up to `limits[i]` by `deltas[i]`; with starts alone, from 0 up to them. TF: tf.ragged.range. */
export function range(
  starts: TensorLike,
  { limits, deltas, dtype, name, rowSplitsDtype = "int64", ...others }: RangeOptions = {},
): RaggedTensor {
  refuseOthers(others);
  const [from, to] = limits === undefined || limits === null ? [0, starts] : [starts, limits];
  return inNameScope({ name }, "RaggedRange", [starts, limits, deltas], scope => {
    const given = [
      [from, "starts"],
      [to, "limits"],
      [deltas ?? 1, "deltas"],
    ] as const;
    const isWhole = given.every(([value]) => literalType(value).isCertain || [value].flat(9).every(Number.isInteger));
    const tensors = given.map(([value, name]) => {
      if (value instanceof Tensor) return convertToTensor(value, { name, dtype: dtype ?? undefined });
      return convertToTensor(value, { name, dtype: dtype ?? (isWhole ? "int32" : "float32") });
    });
    const ranking: readonly DType[] = ["int32", "int64", "float32", "float64"];
    const widest = ranking[Math.max(...tensors.map(tensor => ranking.indexOf(tensor.dtype)))];
    const [first, last, step] = tensors.map(tensor => cast(tensor, widest));
    const out = RaggedRange({ starts: first, limits: last, deltas: step, Tsplits: rowSplitsDtype }, { name: scope });
    return RaggedTensor.fromRowSplits(out.rtDenseValues, out.rtNestedSplits, { validate: false });
  });
}

/** The row of each value, from where rows begin. TF: tf.ragged.row_splits_to_segment_ids. */
export const rowSplitsToSegmentIds = (
  splits: TensorLike,
  { name, outType }: { readonly name?: string | null; readonly outType?: SplitsType | null } = {},
): Tensor => segmentIdsOf(splits, name, outType);

interface SegmentOptions extends Named {
  readonly numSegments?: TensorLike | null;
  readonly outType?: SplitsType | null;
}

/** Where rows begin, from the row of each value. TF: tf.ragged.segment_ids_to_row_splits. */
export function segmentIdsToRowSplits(segmentIds: TensorLike, { numSegments, outType, name, ...others }: SegmentOptions = {}): Tensor {
  refuseOthers(others);
  const own = [segmentIds, numSegments].find(given => given instanceof Tensor)?.dtype as SplitsType | undefined;
  return inNameScope({ name }, "SegmentIdsToRaggedSplits", [segmentIds], () => {
    const ids = wholeNumbers(segmentIds, "segment_ids", "int32");
    ids.shape.withRank(1);
    const count = numSegments === undefined || numSegments === null ? undefined : wholeNumbers(numSegments, "num_segments", "int32");
    count?.shape.withRank(0);
    const lengths = bincount(ids, { minlength: count, maxlength: count, dtype: outType ?? own ?? "int64" });
    const splits = concat([[0], cumsum(lengths)], 0);
    const known = count && constantValue(count);
    if (known !== undefined) splits.setShape([numbersOf(known)[0] + 1]);
    return splits;
  });
}

interface CrossHashedOptions extends Named {
  readonly numBuckets?: number;
  readonly hashKey?: number | null;
}

type Column = TensorLike | RaggedTensor | SparseTensor;

function crossed(inputs: readonly Column[], hashed: CrossHashedOptions | null, name: Named["name"]): RaggedTensor {
  if (!Array.isArray(inputs)) throw new TypeError("Inputs must be a list");
  return inNameScope(
    { name },
    "RaggedCross",
    inputs.map(input => (input instanceof RaggedTensor ? input.flatValues : input)),
    () => {
      const feature = (x: Tensor, i: number): Tensor => {
        if (isInteger(x.dtype)) return cast(x, "int64");
        if (x.dtype !== "string") throw new ValueError(`Unexpected dtype for inputs[${i}]: <dtype: '${x.dtype}'>`);
        return x;
      };
      const ragged: RaggedTensor[] = [];
      const sparse: { readonly of: SparseTensor; readonly values: Tensor }[] = [];
      const dense: Tensor[] = [];
      const order = (inputs as readonly Column[]).map((input, i) => {
        if (input instanceof SparseTensor) sparse.push({ of: input, values: feature(input.values, i) });
        else if (!(input instanceof RaggedTensor)) dense.push(feature(convertToTensor(input), i));
        else if (input.raggedRank !== 1) throw new ValueError("tf.ragged.cross only supports inputs with rank=2");
        else ragged.push(input.withValues(feature(input.flatValues, i)));
        return input instanceof SparseTensor ? "S" : input instanceof RaggedTensor ? "R" : "D";
      });
      const isNarrow = ragged.length > 0 && ragged.every(({ partition }) => partition.dtype === "int32");
      const { outputValues, outputRowSplits } = RaggedCross(
        {
          raggedValues: ragged.map(({ flatValues }) => flatValues),
          raggedRowSplits: ragged.map(({ rowSplits }) => rowSplits),
          sparseIndices: sparse.map(({ of }) => of.indices),
          sparseValues: sparse.map(({ values }) => values),
          sparseShape: sparse.map(({ of }) => of.denseShape),
          denseInputs: dense,
          inputOrder: order.join(""),
          hashedOutput: hashed !== null,
          numBuckets: hashed?.numBuckets ?? 0,
          hashKey: hashed?.hashKey ?? 0xdecafcaffe,
          outValuesType: hashed ? "int64" : "string",
          outRowSplitsType: isNarrow ? "int32" : "int64",
        },
        { name: name ?? undefined },
      );
      return RaggedTensor.fromRowSplits(outputValues, outputRowSplits, { validate: false });
    },
  );
}

/** For each row every combination of the inputs' features, joined by `_X_`; inputs are ragged, sparse or dense `[rows, n]` of whole numbers or text.
 *  TF: tf.ragged.cross. @throws ValueError for other types and deeper rows. */
export const cross = (inputs: readonly Column[], { name, ...others }: Named = {}): RaggedTensor => {
  refuseOthers(others);
  return crossed(inputs, null, name);
};

/** The same as hashes below numBuckets (if that is above 0). TF: tf.ragged.cross_hashed. */
export const crossHashed = (inputs: readonly Column[], options: CrossHashedOptions = {}): RaggedTensor =>
  crossed(inputs, options, options.name);
