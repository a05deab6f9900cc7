// Diagonals and bands of matrices: diag, matrixDiag, matrixDiagPart, matrixSetDiag, matrixBandPart, trace, eye.
// A band of diagonals k = (lower, upper) lies in rows from the uppermost down, padded to one length on the side `align` says.

import type { DType } from "../../base/dtype.ts";
import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import type { NDArray } from "../../base/ndarray.ts";
import { sameShape, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { pythonStr } from "../../base/python-text.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Gradients, type Named, type ShapeContext } from "../../graph/op-definition.ts";
import { Tensor } from "../../graph/operation.ts";
import * as ir from "../../ir/build.ts";
import { addIndex, constantIndex, type Index, scaleIndex, subtractIndex } from "../../ir/index-map.ts";
import type { Value } from "../../ir/program.ts";
import type { Scalar } from "../../ir/scalar.ts";
import { s } from "../../ir/scalar.ts";
import { collect, need } from "../arguments.ts";
import { constant, numbersOf, ones, rank, reshape, shape, zeros, zerosLike } from "./array.ts";
import { Range } from "./ranges.ts";
import { transpose } from "./rearranging.ts";
import { concat, getItem, slice } from "./slicing.ts";
import { cond } from "../flow/control-flow-contexts.ts";
import { equal, greater, less } from "../math/comparison.ts";
import { minimum } from "../math/math.ts";
import { reduceMin, reduceSum } from "../math/reduction.ts";
import { inNameScope, named, type NameOption } from "../named.ts";
import * as operator from "../operators.ts";

type Align = "LEFT_RIGHT" | "RIGHT_LEFT" | "LEFT_LEFT" | "RIGHT_RIGHT";
const align = attr.oneOf(["LEFT_RIGHT", "RIGHT_LEFT", "LEFT_LEFT", "RIGHT_RIGHT"], "RIGHT_LEFT");

// ---- the geometry of a band ----

interface Band {
  readonly lower: number;
  readonly upper: number;
  readonly rows: number;
  readonly columns: number;
  /** The length of the longest diagonal, which all are padded to. */
  readonly width: number;
  readonly align: Align;
}

const lengthOf = ({ rows, columns }: Pick<Band, "rows" | "columns">, d: number): number =>
  Math.min(rows + Math.min(d, 0), columns - Math.max(d, 0));

/** Where diagonal d begins in its padded row. */
function offsetOf(band: Band, d: number): number {
  const [above, below] = band.align.split("_");
  const isLeft = (d >= 0 && above === "LEFT") || (d <= 0 && below === "LEFT");
  return isLeft ? 0 : band.width - lengthOf(band, d);
}

/** [lower, upper] of a scalar or a pair. @throws ValueError if they are out of order. */
function rangeOf(k: readonly number[]): [lower: number, upper: number] {
  const [lower, upper] = [k[0], k[k.length - 1]];
  if (k.length === 0 || k.length > 2)
    throw new ValueError(`diag_index must be a vector with one or two elements. It has ${k.length} elements.`);
  if (lower > upper) throw new ValueError(`lower_diag_index is greater than upper_diag_index: ${lower} > ${upper}`);
  return [lower, upper];
}

const widthOf = (rows: number, columns: number, lower: number, upper: number): number =>
  Math.min(rows + Math.min(upper, 0), columns + Math.min(-lower, 0));

/** The number of a diagonal in its words: the kernel that reads diagonals puts a stop behind the first. */
const notBetween = (name: string, d: number, rows: number, columns: number, stop = ""): string =>
  `${name}_diag_index is out of bound: ${d}${stop} It must be between ${-rows || 0} and ${columns}`;

/** @throws InvalidArgumentError with the kernel's text for diagonals outside the matrix; 0 is in every one. */
function bandOf(k: NDArray, rows: number, columns: number, alignment: Align, stop = ""): Band {
  const numbers = numbersOf(k);
  need(numbers.length < 3, () => `diag_index must have only one or two elements, received ${numbers.length} elements.`);
  const [lower, upper] = [numbers[0], numbers[numbers.length - 1]];
  const isWithin = (d: number): boolean => d === 0 || (d > -rows && d < columns);
  need(isWithin(lower), () => notBetween("lower", lower, rows, columns, stop));
  need(isWithin(upper), () => notBetween("upper", upper, rows, columns));
  need(lower <= upper, () => `lower_diag_index must not be larger than upper_diag_index: ${lower} > ${upper}`);
  return { lower, upper, rows, columns, width: widthOf(rows, columns, lower, upper), align: alignment };
}

function atRun<R>(f: () => R): R {
  try {
    return f();
  } catch (error) {
    throw error instanceof ValueError ? new InvalidArgumentError(error.reason) : error;
  }
}

/** The scalar for each diagonal of the band, chosen by an index that runs from `first` in steps of one; elsewhere `otherwise`. */
const chosen = (band: Band, at: (d: number) => Index, of: (d: number) => Scalar, otherwise: Scalar): Scalar => {
  let result = otherwise;
  for (let d = band.lower; d <= band.upper; d++) result = s.guard([{ index: at(d), low: 0, high: 1 }], of(d), result);
  return result;
};

/** The element of a packed band at a row and column of the matrix; `otherwise` off the band. */
function bandElement(band: Band, diagonals: Value, batch: readonly Index[], row: Index, column: Index, otherwise: Scalar): Scalar {
  const isSingle = band.lower === band.upper;
  return chosen(
    band,
    d => addIndex(subtractIndex(column, row), constantIndex(-d)),
    d => {
      const within = addIndex(d >= 0 ? row : column, constantIndex(offsetOf(band, d)));
      return s.load(diagonals, [...batch, ...(isSingle ? [] : [constantIndex(band.upper - d)]), within]);
    },
    otherwise,
  );
}

// ---- matrixDiag ----

/** What a matrix too small for its band is called: by the kernel, and by the shape function. */
const kernelWords = {
  rows: "The number of rows is too small.",
  columns: "The number of columns is too small.",
  both: () => "The number of rows or columns is not consistent with the specified d_lower, d_upper, and diagonal.",
};
const shapeWords = {
  rows: "num_rows is too small",
  columns: "num_cols is too small.",
  both: (sides: string) =>
    `num_rows and num_cols are not consistent with lower_diag_index, upper_diag_index, and the length of the given diagonals.\n${sides}`,
};

/** Rows and columns of the matrix that a band of `width` fills. */
function sidesOf(
  width: number,
  [lower, upper]: readonly [number, number],
  [rows, columns]: readonly [number, number],
  words: typeof shapeWords | typeof kernelWords,
): [rows: number, columns: number] {
  const [leastRows, leastColumns] = [width - Math.min(upper, 0), width + Math.max(lower, 0)];
  if (rows === -1 && columns === -1) {
    const side = Math.max(leastRows, leastColumns);
    return [side, side];
  }
  if (rows !== -1 && rows < leastRows) throw new ValueError(words.rows);
  if (columns !== -1 && columns < leastColumns) throw new ValueError(words.columns);
  const [r, c] = [rows === -1 ? leastRows : rows, columns === -1 ? leastColumns : columns];
  if (r !== leastRows && c !== leastColumns)
    throw new ValueError(words.both(`num_rows = ${r} != min_num_rows = ${leastRows}, num_cols = ${c} != min_num_cols = ${leastColumns}`));
  return [r, c];
}

function diagShape(diagonal: TensorShape, indices: TensorShape, numbers: readonly TensorShape[], context: ShapeContext): TensorShape {
  const k = context.partial("k")?.values;
  const known = diagonal.withRankAtLeast(1);
  indices.withRankAtMost(1);
  for (const number of numbers) number.withRank(0);
  if (known.dims === null) return TensorShape.unknown();
  if (!k || k.includes(null)) return TensorShape.unknown();
  const [lower, upper] = rangeOf(k as number[]);
  const isSingle = lower === upper;
  const batch = isSingle ? known.slice(0, -1) : known.withRankAtLeast(2).slice(0, -2);
  const count = isSingle ? 1 : known.dim(-2);
  if (count !== null && count !== upper - lower + 1)
    throw new ValueError(
      `The number of rows of \`diagonal\` doesn't match the number of diagonals implied from \`d_lower\` and \`d_upper\`.\nnum_diags = ${upper - lower + 1}, d_lower = ${lower}, d_upper = ${upper}`,
    );
  const width = known.dim(-1);
  const [rows, columns] = [context.partial("numRows")?.values[0] ?? null, context.partial("numCols")?.values[0] ?? null];
  if (rows !== null && rows < -1) throw new ValueError(shapeWords.rows);
  if (columns !== null && columns < -1) throw new ValueError(shapeWords.columns);
  if (width === null || rows === null || columns === null)
    return batch.concatenate([rows === -1 ? null : rows, columns === -1 ? null : columns]);
  return batch.concatenate(sidesOf(width, [lower, upper], [rows, columns], shapeWords));
}

function diagValue(diagonal: Value, k: NDArray, numRows: NDArray, numCols: NDArray, padding: Value, alignment: Align): Value {
  const [lower, upper] = atRun(() => rangeOf(numbersOf(k)));
  const width = diagonal.shape[diagonal.shape.length - 1];
  const [rows, columns] = atRun(() => sidesOf(width, [lower, upper], [numbersOf(numRows)[0], numbersOf(numCols)[0]], kernelWords));
  const band: Band = { lower, upper, rows, columns, width, align: alignment };
  const batch = diagonal.shape.slice(0, lower === upper ? -1 : -2);
  return ir.generate([...batch, rows, columns], i => {
    const [row, column] = i.slice(-2);
    return bandElement(band, diagonal, i.slice(0, -2), row, column, s.load(padding, []));
  });
}

const diagInputs = { diagonal: "T", k: "int32", numRows: "int32", numCols: "int32", paddingValue: "T" } as const;

function checkDiag({ diagonal, k, ...numbers }: Readonly<Record<keyof typeof diagInputs, Sizes>>): void {
  need(k.length < 2, () => `diag_index must be a scalar or vector, received shape: [${k}]`);
  need(numbers.numRows.length === 0, () => "num_rows must be a scalar");
  need(numbers.numCols.length === 0, () => "num_cols must be a scalar");
  need(numbers.paddingValue.length === 0, () => "padding_value must be a scalar");
  need(diagonal.length >= 1, () => `diagonal must be at least 1-dim, received shape: [${diagonal}]`);
}

export const MatrixDiagV3 = defineOp("MatrixDiagV3", {
  inputs: diagInputs,
  outputs: { output: "T" },
  attrs: { T: attr.type(), align },
  shape: ({ diagonal, k, numRows, numCols, paddingValue }, context) => diagShape(diagonal, k, [numRows, numCols, paddingValue], context),
  checks: checkDiag,
  gradient: ({ k, align: alignment }, d): Gradients => ({ diagonal: matrixDiagPart(d.output, { k, align: alignment }) }),
  compileTimeInputs: ["k", "numRows", "numCols"],
  lower: ({ diagonal, k, numRows, numCols, paddingValue, align: alignment }) =>
    diagValue(diagonal, k, numRows, numCols, paddingValue, alignment),
});

export const MatrixDiagV2 = defineOp("MatrixDiagV2", {
  inputs: diagInputs,
  outputs: { output: "T" },
  attrs: { T: attr.type() },
  shape: ({ diagonal, k, numRows, numCols, paddingValue }, context) => diagShape(diagonal, k, [numRows, numCols, paddingValue], context),
  checks: checkDiag,
  gradient: ({ k }, d): Gradients => ({ diagonal: MatrixDiagPartV2({ input: d.output, k, paddingValue: zeros([], d.output.dtype) }) }),
  compileTimeInputs: ["k", "numRows", "numCols"],
  lower: ({ diagonal, k, numRows, numCols, paddingValue }) => diagValue(diagonal, k, numRows, numCols, paddingValue, "LEFT_LEFT"),
});

/** The oldest form: the main diagonal of square matrices. */
export const MatrixDiag = defineOp("MatrixDiag", {
  inputs: { diagonal: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type() },
  shape: ({ diagonal }) => {
    const known = diagonal.withRankAtLeast(1);
    return known.dims === null ? known : known.concatenate([known.dim(-1)]);
  },
  gradient: (_, d): Gradients => ({ diagonal: MatrixDiagPart({ input: d.output }) }),
  lower: ({ diagonal }) => {
    const last = diagonal.shape.length - 1;
    return ir.generate([...diagonal.shape, diagonal.shape[last]], i =>
      s.guard(
        [{ index: subtractIndex(i[last + 1], i[last]), low: 0, high: 1 }],
        s.load(diagonal, i.slice(0, -1)),
        s.constant(diagonal.dtype, 0),
      ),
    );
  },
});

// ---- matrixDiagPart ----

function diagPartShape(input: TensorShape, indices: TensorShape, paddingValue: TensorShape, context: ShapeContext): TensorShape {
  const known = input.withRankAtLeast(2);
  indices.withRankAtMost(1);
  paddingValue.withRank(0);
  const k = context.partial("k")?.values;
  if (known.dims === null || !k || k.includes(null)) return TensorShape.unknown();
  const [lower, upper] = rangeOf(k as number[]);
  const [rows, columns] = [known.dim(-2), known.dim(-1)];
  checkBounds(known, [lower, upper]);
  const width = rows === null || columns === null ? null : widthOf(rows, columns, lower, upper);
  const batch = known.slice(0, -2);
  return batch.concatenate(lower === upper ? [width] : [upper - lower + 1, width]);
}

type Sizes = readonly number[];

function checkDiagonalIndex(k: Sizes, whereEmpty: string): void {
  need(k.length < 2, () => `diag_index must be a scalar or vector, received shape: [${k}]`);
  need(k[0] !== 0, () => whereEmpty);
}

function checkDiagPart({ input, k }: { readonly input: Sizes; readonly k: Sizes }): void {
  need(input.length >= 2, () => `input must be at least 2-dim, received shape: [${input}]`);
  checkDiagonalIndex(k, "Expected diag_index to have at least 1 element");
}

/** Of a padding value the kernel that reads diagonals takes the first element. */
const firstOf = (padding: Value): Scalar => {
  need(!padding.shape.includes(0), () => "padding_value must be a scalar");
  return s.load(
    padding,
    padding.shape.map(() => constantIndex(0)),
  );
};

function diagPartValue(input: Value, k: NDArray, padding: Scalar, alignment: Align): Value {
  const [rows, columns] = input.shape.slice(-2);
  const band = bandOf(k, rows, columns, alignment, ".");
  const batch = input.shape.slice(0, -2);
  const isSingle = band.lower === band.upper;
  const dims = isSingle ? [band.width] : [band.upper - band.lower + 1, band.width];
  return ir.generate([...batch, ...dims], i => {
    const place = i[i.length - 1];
    const of = (d: number): Scalar => {
      const within = addIndex(place, constantIndex(-offsetOf(band, d)));
      const at = [
        ...i.slice(0, batch.length),
        addIndex(within, constantIndex(Math.max(-d, 0))),
        addIndex(within, constantIndex(Math.max(d, 0))),
      ];
      return s.guard([{ index: within, low: 0, high: lengthOf(band, d) }], s.load(input, at), padding);
    };
    if (isSingle) return of(band.lower);
    return chosen(band, d => addIndex(i[batch.length], constantIndex(d - band.upper)), of, padding);
  });
}

/** The gradient puts the diagonals back into zeros. */
function diagPartGradient(input: Tensor, k: TensorLike, alignment: Align, d: Tensor): Tensor {
  const sides = input.shape.slice(-2);
  if (input.shape.rank !== null && sides.isFullyDefined) {
    const [rows, columns] = sides.asNumbers();
    return matrixDiag(d, { k, numRows: rows, numCols: columns, align: alignment });
  }
  return matrixSetDiag(zerosLike(input), d, { k, align: alignment });
}

export const MatrixDiagPartV3 = defineOp("MatrixDiagPartV3", {
  inputs: { input: "T", k: "int32", paddingValue: "T" },
  outputs: { diagonal: "T" },
  attrs: { T: attr.type(), align },
  shape: ({ input, k, paddingValue }, context) => diagPartShape(input, k, paddingValue, context),
  checks: checkDiagPart,
  isLenient: true,
  gradient: ({ input, k, align: alignment }, d): Gradients => ({ input: diagPartGradient(input, k, alignment, d.diagonal) }),
  compileTimeInputs: ["k"],
  lower: ({ input, k, paddingValue, align: alignment }) => diagPartValue(input, k, firstOf(paddingValue), alignment),
});

export const MatrixDiagPartV2 = defineOp("MatrixDiagPartV2", {
  inputs: { input: "T", k: "int32", paddingValue: "T" },
  outputs: { diagonal: "T" },
  attrs: { T: attr.type() },
  shape: ({ input, k, paddingValue }, context) => diagPartShape(input, k, paddingValue, context),
  checks: checkDiagPart,
  isLenient: true,
  gradient: ({ input, k }, d): Gradients => ({ input: diagPartGradient(input, k, "LEFT_LEFT", d.diagonal) }),
  compileTimeInputs: ["k"],
  lower: ({ input, k, paddingValue }) => diagPartValue(input, k, firstOf(paddingValue), "LEFT_LEFT"),
});

export const MatrixDiagPart = defineOp("MatrixDiagPart", {
  inputs: { input: "T" },
  outputs: { diagonal: "T" },
  attrs: { T: attr.type() },
  shape: ({ input }) => {
    const known = input.withRankAtLeast(2);
    if (known.dims === null) return known;
    const [rows, columns] = [known.dim(-2), known.dim(-1)];
    return known.slice(0, -2).concatenate([rows === null || columns === null ? null : Math.min(rows, columns)]);
  },
  gradient: ({ input }, d): Gradients => ({ input: MatrixSetDiag({ input: zerosLike(input), diagonal: d.diagonal }) }),
  lower: ({ input }) => {
    const last = input.shape.length - 2;
    return ir.generate([...input.shape.slice(0, -2), Math.min(...input.shape.slice(-2))], i => s.load(input, [...i, i[last]]));
  },
});

// ---- matrixSetDiag ----

function setDiagShape(input: TensorShape, diagonal: TensorShape, indices?: TensorShape, context?: ShapeContext): TensorShape {
  const known = input.withRankAtLeast(2);
  const values = diagonal.withRankAtLeast(1);
  if (indices === undefined) return input;
  indices.withRankAtMost(1);
  const k = context?.partial("k")?.values;
  const range = k && !k.includes(null) ? rangeOf(k as number[]) : undefined;
  if (range !== undefined && range[0] > range[1]) throw new ValueError("lower_diag_index is greater than upper_diag_index");
  if (known.rank !== null) {
    values.withRankAtLeast(known.rank - 1).withRankAtMost(known.rank);
    if (range !== undefined) {
      values.withRank(range[0] === range[1] ? known.rank - 1 : known.rank);
      checkBounds(known, range);
    }
  }
  // The diagonals tell of how many matrices there are.
  if (range === undefined || values.dims === null || known.isFullyDefined) return input;
  const batch = values.slice(0, range[0] === range[1] ? -1 : -2);
  return known.mergeWith(batch.concatenate([null, null]));
}

/** @throws ValueError for a diagonal beyond the matrices. */
function checkBounds(matrices: TensorShape, [lower, upper]: readonly [number, number]): void {
  const [rows, columns] = [matrices.dim(-2), matrices.dim(-1)];
  for (const [name, d] of [
    ["lower_diag_index", lower],
    ["upper_diag_index", upper],
  ] as const)
    if ((rows !== null && rows > 0 && d <= -rows) || (columns !== null && columns > 0 && d >= columns))
      throw new ValueError(`${name} is out of bound.`);
}

function checkSetDiag({ input, diagonal, k }: { readonly input: Sizes; readonly diagonal: Sizes; readonly k: Sizes }): void {
  checkDiagonalIndex(k, "diag_index must have at least one element");
  need(input.length >= 2, () => `input must be at least 2-dim, received shape: [${input}]`);
  need(diagonal.length >= 1, () => `diagonal must be at least 1-dim, received shape: [${diagonal}]`);
}

function setDiagValue(input: Value, diagonal: Value, k: NDArray, alignment: Align): Value {
  const [rows, columns] = input.shape.slice(-2);
  const band = bandOf(k, rows, columns, alignment);
  const count = band.upper - band.lower + 1;
  const dims = [...input.shape.slice(0, -2), ...(count === 1 ? [] : [count]), band.width];
  need(
    count === 1 || diagonal.shape.at(-2) === count,
    () => "The number of diagonals provided in `diag` is not consistent with `lower_diag_index` and `upper_diag_index`",
  );
  need(
    sameShape(dims, diagonal.shape),
    () =>
      `Either first dimensions of diagonal don't match input.shape[:-2], or diagonal.shape[:-1] is not equal to the longests diagonal in range [lower_diag_index:upper_diag_index].\nInput shape: [${input.shape}]\nDiagonal shape: [${diagonal.shape}]\nExpected diagonal shape: [${dims}]`,
  );
  return ir.generate(input.shape, i => {
    const [row, column] = i.slice(-2);
    return bandElement(band, diagonal, i.slice(0, -2), row, column, s.load(input, i));
  });
}

/** The shape of the diagonals k of matrices, as TensorFlow finds it out where it is not known. */
function diagonalShape(matrices: Tensor, k: Tensor): Tensor {
  const sizes = shape(matrices);
  const [batch, sides] = [getItem(sizes, [null, -2]), getItem(sizes, [-2, null])];
  const bounds = reshape(k, [-1]);
  const [lower, upper] = [getItem(bounds, 0), getItem(bounds, -1)];
  const zero = (): Tensor => constant(0, "int32");
  const rowOffset = cond(less(upper, 0), () => upper, zero) as Tensor;
  const columnOffset = cond(greater(lower, 0), () => operator.neg(lower), zero) as Tensor;
  const width = minimum(operator.add(getItem(sides, 0), rowOffset), operator.add(getItem(sides, 1), columnOffset));
  const ofOne = (): Tensor => convertToTensor([width] as TensorLike);
  const ofBand = (): Tensor => convertToTensor([operator.add(operator.sub(upper, lower), 1), width] as TensorLike);
  return concat([batch, cond(equal(lower, upper), ofOne, ofBand) as Tensor], 0);
}

function setDiagGradient(diagonal: Tensor, k: Tensor, alignment: Align, d: Tensor): Gradients {
  const none = zeros(diagonal.shape.isFullyDefined ? diagonal.shape : diagonalShape(d, k), d.dtype);
  return { input: matrixSetDiag(d, none, { k, align: alignment }), diagonal: matrixDiagPart(d, { k, align: alignment }) };
}

export const MatrixSetDiagV3 = defineOp("MatrixSetDiagV3", {
  inputs: { input: "T", diagonal: "T", k: "int32" },
  outputs: { output: "T" },
  attrs: { T: attr.type(), align },
  shape: ({ input, diagonal, k }, context) => setDiagShape(input, diagonal, k, context),
  checks: checkSetDiag,
  isLenient: true,
  gradient: ({ diagonal, k, align: alignment }, d): Gradients => setDiagGradient(diagonal, k, alignment, d.output),
  compileTimeInputs: ["k"],
  lower: ({ input, diagonal, k, align: alignment }) => setDiagValue(input, diagonal, k, alignment),
});

export const MatrixSetDiagV2 = defineOp("MatrixSetDiagV2", {
  inputs: { input: "T", diagonal: "T", k: "int32" },
  outputs: { output: "T" },
  attrs: { T: attr.type() },
  shape: ({ input, diagonal, k }, context) => setDiagShape(input, diagonal, k, context),
  checks: checkSetDiag,
  isLenient: true,
  gradient: ({ diagonal, k }, d): Gradients => setDiagGradient(diagonal, k, "LEFT_LEFT", d.output),
  compileTimeInputs: ["k"],
  lower: ({ input, diagonal, k }) => setDiagValue(input, diagonal, k, "LEFT_LEFT"),
});

export const MatrixSetDiag = defineOp("MatrixSetDiag", {
  inputs: { input: "T", diagonal: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type() },
  shape: ({ input, diagonal }) => setDiagShape(input, diagonal),
  gradient: ({ diagonal }, d): Gradients => {
    const dims = diagonal.shape.isFullyDefined ? diagonal.shape : leastDiagonal(d.output);
    return {
      input: MatrixSetDiag({ input: d.output, diagonal: zeros(dims, d.output.dtype) }),
      diagonal: MatrixDiagPart({ input: d.output }),
    };
  },
  lower: ({ input, diagonal }) =>
    ir.generate(input.shape, i => {
      const [row, column] = i.slice(-2);
      return s.guard([{ index: subtractIndex(column, row), low: 0, high: 1 }], s.load(diagonal, i.slice(0, -1)), s.load(input, i));
    }),
});

/** The shape of the main diagonals of matrices. */
function leastDiagonal(matrices: Tensor): Tensor {
  const extents = shape(matrices);
  const before = operator.sub(rank(matrices), 2);
  const batch = slice(extents, [0], [before]);
  return concat([batch, [reduceMin(slice(extents, [before], [2]))]], 0);
}

interface DiagOptions extends Named {
  /** One diagonal, or [lower, upper]; 0 is the main one, positive above it. */
  readonly k?: TensorLike;
  readonly numRows?: TensorLike;
  readonly numCols?: TensorLike;
  readonly paddingValue?: TensorLike;
  readonly align?: Align;
}

const paddingFor = (tensor: TensorLike, paddingValue: TensorLike): TensorLike =>
  tensor instanceof Tensor && tensor.dtype === "bool" && typeof paddingValue === "number" ? paddingValue !== 0 : paddingValue;

/** Matrices with the given diagonals. TF: tf.matrix_diag(diagonal, name, k, num_rows, num_cols, padding_value, align). */
export function matrixDiag(diagonal: TensorLike, ...rest: unknown[]): Tensor {
  const given = collect<DiagOptions>(["name", "k", "numRows", "numCols", "paddingValue", "align"], rest);
  const { name = "diag", k = 0, numRows = -1, numCols = -1, paddingValue = 0, align: alignment = "RIGHT_LEFT" } = given;
  return MatrixDiagV3({ diagonal, k, numRows, numCols, paddingValue: paddingFor(diagonal, paddingValue), align: alignment }, { name });
}

/** Diagonals of matrices. TF: tf.matrix_diag_part(input, name, k, padding_value, align). */
export function matrixDiagPart(input: TensorLike, ...rest: unknown[]): Tensor {
  const {
    name = "diag_part",
    k = 0,
    paddingValue = 0,
    align: alignment = "RIGHT_LEFT",
  } = collect<DiagOptions>(["name", "k", "paddingValue", "align"], rest);
  return MatrixDiagPartV3({ input, k, paddingValue: paddingFor(input, paddingValue), align: alignment }, { name });
}

/** Matrices with their diagonals replaced. TF: tf.matrix_set_diag(input, diagonal, name, k, align). */
export function matrixSetDiag(input: TensorLike, diagonal: TensorLike, ...rest: unknown[]): Tensor {
  const { name = "set_diag", k = 0, align: alignment = "RIGHT_LEFT" } = collect<DiagOptions>(["name", "k", "align"], rest);
  return MatrixSetDiagV3({ input, diagonal, k, align: alignment }, { name });
}

// ---- diag of any rank ----

const diagTypes = [
  "bfloat16",
  "float16",
  "float32",
  "float64",
  "int32",
  "int64",
  "complex64",
  "complex128",
] as const satisfies readonly DType[];

export const Diag = defineOp("Diag", {
  inputs: { diagonal: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(diagTypes) },
  shape: ({ diagonal }) => {
    const known = diagonal.withRankAtLeast(1);
    return known.concatenate(known);
  },
  checks: ({ diagonal }) => need(diagonal.length >= 1, () => `Input must be at least rank 1, got ${diagonal.length}`),
  gradient: (_, d): Gradients => ({ diagonal: diagPart(d.output) }),
  lower: ({ diagonal }) => {
    const length = diagonal.shape.length;
    return ir.generate([...diagonal.shape, ...diagonal.shape], i => {
      const first = i.slice(0, length);
      const isEqual = first.map((index, axis) => ({ index: subtractIndex(index, i[length + axis]), low: 0, high: 1 }));
      return s.guard(isEqual, s.load(diagonal, first), s.constant(diagonal.dtype, 0));
    });
  },
});

export const DiagPart = defineOp("DiagPart", {
  inputs: { input: "T" },
  outputs: { diagonal: "T" },
  attrs: { T: attr.type(diagTypes) },
  shape: ({ input }) => {
    if (input.dims === null) return input;
    const { length } = input.dims;
    if (length % 2 !== 0 || length === 0) throw new ValueError(`Input must have even and non-zero rank, input rank is ${length}`);
    const half = input.slice(length / 2);
    input.slice(0, length / 2).checkPrefix(half);
    return input.slice(0, length / 2).mergeWith(half);
  },
  isLenient: true,
  checks: ({ input }) => {
    const half = input.length / 2;
    need(Number.isInteger(half), () => `The rank of the tensor should be${" ".repeat(42)}even and positive, got shape [${input}]`);
    for (let i = 0; i < half; i++)
      need(input[i] === input[half + i], () => `Invalid shape [${input}]: dimensions ${i} and ${half + i} do not match.`);
  },
  gradient: (_, d): Gradients => ({ input: diag(d.diagonal) }),
  lower: ({ input }) => ir.generate(input.shape.slice(0, input.shape.length / 2), i => s.load(input, [...i, ...i])),
});

/** out[i…, i…] = diagonal[i…], zero elsewhere. TF: tf.diag. */
export const diag = (diagonal: TensorLike, options?: NameOption): Tensor => Diag({ diagonal }, named(options));
/** diagonal[i…] = input[i…, i…]. TF: tf.diag_part. */
export const diagPart = (input: TensorLike, options?: NameOption): Tensor => DiagPart({ input }, named(options));

// ---- bands, traces, identity matrices, transposes ----

/** The last two axes exchanged. TF: tf.matrix_transpose(a, name, conjugate). @throws ValueError for rank below 2. */
export function matrixTranspose(a: TensorLike, ...rest: unknown[]): Tensor {
  const { name, conjugate = false } = collect<Named & { readonly conjugate?: boolean }>(["name", "conjugate"], rest);
  return inNameScope({ name }, "matrix_transpose", [a], () => {
    const x = convertToTensor(a, { name: "a" });
    const length = x.shape.rank;
    if (length === null) {
      const r = rank(x);
      const perm = concat([Range({ start: 0, limit: operator.sub(r, 2), delta: 1 }), [operator.sub(r, 1), operator.sub(r, 2)]], 0);
      return transpose(x, perm, { conjugate });
    }
    if (length < 2)
      throw new ValueError(`Argument \`a\` should be a (batch) matrix with rank >= 2.  Received \`a\` = ${x} with shape: ${x.shape}`);
    const perm = [...Array.from({ length: length - 2 }, (_, i) => i), length - 1, length - 2];
    return transpose(x, perm, { conjugate });
  });
}

export const MatrixBandPart = defineOp("MatrixBandPart", {
  inputs: { input: "T", numLower: "Tindex", numUpper: "Tindex" },
  outputs: { band: "T" },
  attrs: { T: attr.type(), Tindex: attr.type(attr.indexTypes, "int64") },
  shape: ({ input }) => input,
  checks: ({ input, numLower, numUpper }) => {
    need(input.length >= 2, () => `input must be at least 2-dim, received shape: [${input}]`);
    need(numLower.length === 0, () => `num_lower must be scalar, got shape [${numLower}]`);
    need(numUpper.length === 0, () => `num_upper must be scalar, got shape [${numUpper}]`);
  },
  gradient: ({ numLower, numUpper }, d): Gradients => ({ input: matrixBandPart(d.band, numLower, numUpper) }),
  compileTimeInputs: ["numLower", "numUpper"],
  lower: ({ input, numLower, numUpper }) => {
    const [rows, columns] = input.shape.slice(-2);
    const [below, above] = [numbersOf(numLower)[0], numbersOf(numUpper)[0]];
    if (below > rows)
      throw new InvalidArgumentError(`num_lower must be negative or less or equal to number of rows (${rows}) got: ${below}`);
    if (above > columns)
      throw new InvalidArgumentError(`num_upper must be negative or less or equal to number of columns (${columns}) got: ${above}`);
    return ir.generate(input.shape, i => {
      const [row, column] = i.slice(-2);
      const distance = addIndex(row, scaleIndex(column, -1));
      const bounds = [{ index: distance, low: above < 0 ? -columns : -above, high: (below < 0 ? rows : below) + 1 }];
      return s.guard(bounds, s.load(input, i), s.constant(input.dtype, 0));
    });
  },
});

/** Matrices with everything but a central band set to zero; a negative number keeps that whole side. TF: tf.matrix_band_part. */
export const matrixBandPart = (input: TensorLike, numLower: TensorLike, numUpper: TensorLike, options?: NameOption): Tensor =>
  MatrixBandPart({ input, numLower, numUpper }, named(options));

/** The sum of the main diagonal. TF: tf.trace. */
export const trace = (x: TensorLike, options?: NameOption): Tensor =>
  inNameScope(options, "Trace", [x], ({ name }) => reduceSum(matrixDiagPart(convertToTensor(x, { name: "x" })), [-1], { name }));

interface EyeOptions extends Named {
  readonly numColumns?: number | Tensor | null;
  readonly batchShape?: TensorLike | null;
  readonly dtype?: DType;
}

/** Identity matrices. TF: tf.eye(num_rows, num_columns, batch_shape, dtype, name). */
export function eye(numRows: number | Tensor, ...rest: unknown[]): Tensor {
  const { numColumns, batchShape, dtype = "float32", name } = collect<EyeOptions>(["numColumns", "batchShape", "dtype", "name"], rest);
  for (const size of [numRows, numColumns ?? numRows])
    if (!(size instanceof Tensor) && !(typeof size === "boolean" || Number.isInteger(size)))
      throw new TypeError(
        `Arguments \`num_rows\` and \`num_columns\` must be positive integer values. Received: num_rows=${pythonStr(numRows)}, num_columns=${pythonStr(numColumns ?? numRows)}`,
      );
  return inNameScope({ name }, "eye", [numRows, numColumns, batchShape], () => {
    const columns = numColumns ?? numRows;
    const isStatic = typeof numRows === "number" && typeof columns === "number";
    const isSquare = isStatic ? numRows === columns : numColumns === undefined;
    const size: number | Tensor = isStatic ? Math.min(numRows, columns) : minimum(numRows, columns);
    const batch = batchShape ?? [];
    const isKnown = Array.isArray(batch) && batch.every(d => typeof d === "number");
    const full = (...last: (number | Tensor)[]): TensorLike =>
      isKnown && isStatic
        ? [...(batch as number[]), ...(last as number[])]
        : concat([convertToTensor(batch, { name: "shape", dtype: batch instanceof Tensor ? undefined : "int32" }), last], 0);
    const diagonal = full(size);
    const whole = isSquare ? undefined : full(numRows, columns);
    const one = ones(diagonal, dtype);
    return whole === undefined ? matrixDiag(one) : matrixSetDiag(zeros(whole, dtype), one);
  });
}
