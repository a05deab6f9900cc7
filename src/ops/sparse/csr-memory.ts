// Sparse matrices by rows (CSR), and batches of them, as values on the host: where each row begins, the columns of its entries, and their values.
// Sums and products add up row by row, in a row's own accumulator.

import { type DType, isComplex } from "../../base/dtype.ts";
import { InvalidArgumentError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { numbersOf } from "../array/array.ts";
import { VariantArray } from "../flow/variant-array.ts";

/** One matrix: the entries of row i are those from starts[i] to starts[i + 1]. */
export interface Csr {
  readonly starts: Int32Array;
  readonly columns: Int32Array;
  readonly values: NDArray;
}

type Words = Float32Array | Float64Array;
export const wordsOf = ({ data }: NDArray): Words => data as Words;

/** A matrix, or several of one shape: `dims` is [rows, columns], or [batch, rows, columns]. */
export class CsrArray extends VariantArray {
  readonly elementType: DType;
  readonly dims: readonly number[];
  readonly matrices: readonly Csr[];

  constructor(elementType: DType, dims: readonly number[], matrices: readonly Csr[]) {
    super();
    this.elementType = elementType;
    this.dims = dims;
    this.matrices = matrices;
  }

  static override of(array: NDArray, input = 0): CsrArray {
    if (array instanceof CsrArray) return array;
    throw new InvalidArgumentError(`Could not retrieve Variant input ${input}`);
  }

  static empty(elementType: DType, dims: readonly number[]): CsrArray {
    const none = (): Csr => ({
      starts: new Int32Array(dims[dims.length - 2] + 1),
      columns: new Int32Array(0),
      values: NDArray.zeros(elementType, [0]),
    });
    return new CsrArray(elementType, dims, Array.from({ length: batchOf(dims) }, none));
  }

  get rows(): number {
    return this.dims[this.dims.length - 2];
  }

  get columns(): number {
    return this.dims[this.dims.length - 1];
  }

  /** The same places with other values, matrix by matrix. */
  withValues(valuesOf: (matrix: Csr, index: number) => NDArray): CsrArray {
    const matrices = this.matrices.map((matrix, k) => ({ ...matrix, values: valuesOf(matrix, k) }));
    return new CsrArray(this.elementType, this.dims, matrices);
  }

  override zeros(): CsrArray {
    return CsrArray.empty(this.elementType, this.dims);
  }

  override plus(other: VariantArray): CsrArray {
    const one = NDArray.full(this.elementType, [1], 1);
    return weightedSum(this, CsrArray.of(other, 1), one, one);
  }
}

const batchOf = (dims: readonly number[]): number => (dims.length === 3 ? dims[0] : 1);

/** The elements with their places, each put into its row (TensorFlow counts on their coming in order, and mixes them up if not). @throws InvalidArgumentError for places outside, in the words of `outside`. */
export function fromPlaces(
  indices: NDArray,
  values: NDArray,
  dims: readonly number[],
  outside: (n: number, at: readonly number[]) => string,
): CsrArray {
  const [rank, given] = [dims.length, numbersOf(indices)];
  const rows = dims[rank - 2];
  const entries = Array.from({ length: batchOf(dims) }, (): number[] => []);
  const starts = entries.map(() => new Int32Array(rows + 1));
  for (let n = 0; n < values.size; n++) {
    const at = given.slice(n * rank, (n + 1) * rank);
    if (at.some((index, axis) => index < 0 || index >= dims[axis])) throw new InvalidArgumentError(outside(n, at));
    const k = rank === 3 ? at[0] : 0;
    entries[k].push(n);
    starts[k][at[rank - 2] + 1]++;
  }
  const matrices = entries.map((places, k): Csr => {
    for (let i = 0; i < rows; i++) starts[k][i + 1] += starts[k][i];
    const next = starts[k].slice();
    const matrix = { starts: starts[k], columns: new Int32Array(places.length), values: NDArray.zeros(values.dtype, [places.length]) };
    for (const n of places) {
      const to = next[given[n * rank + rank - 2]]++;
      matrix.columns[to] = given[n * rank + rank - 1];
      matrix.values.set(to, values.get(n));
    }
    return matrix;
  });
  return new CsrArray(values.dtype, dims, matrices);
}

/** Calls with the matrix's number, row and place of each entry, in order. */
export function forEachEntry({ matrices, rows }: CsrArray, visit: (matrix: Csr, k: number, row: number, n: number) => void): void {
  for (const [k, matrix] of matrices.entries())
    for (let i = 0; i < rows; i++) for (let n = matrix.starts[i]; n < matrix.starts[i + 1]; n++) visit(matrix, k, i, n);
}

/** The complex conjugates; of real numbers the same array. */
export function conjugated(array: NDArray): NDArray {
  if (!isComplex(array.dtype)) return array;
  const data = wordsOf(array).slice();
  for (let i = 1; i < data.length; i += 2) data[i] = -data[i];
  return new NDArray(array.dtype, array.shape, data);
}

export function transposed(given: CsrArray): CsrArray {
  const { rows, columns, dims, elementType } = given;
  const matrices = given.matrices.map(matrix => {
    const count = matrix.columns.length;
    const starts = new Int32Array(columns + 1);
    for (const column of matrix.columns) starts[column + 1]++;
    for (let j = 0; j < columns; j++) starts[j + 1] += starts[j];
    const next = starts.slice();
    const flipped = { starts, columns: new Int32Array(count), values: NDArray.zeros(elementType, [count]) };
    for (let i = 0; i < rows; i++)
      for (let n = matrix.starts[i]; n < matrix.starts[i + 1]; n++) {
        const to = next[matrix.columns[n]]++;
        flipped.columns[to] = i;
        flipped.values.set(to, matrix.values.get(n));
      }
    return flipped;
  });
  return new CsrArray(elementType, [...dims.slice(0, -2), columns, rows], matrices);
}

/** out[k] += a[i]·b[j]. */
export type AddProduct = (out: Words, k: number, a: Words, i: number, b: Words, j: number) => void;

const addReal: AddProduct = (out, k, a, i, b, j) => {
  out[k] += a[i] * b[j];
};

const addComplex: AddProduct = (out, k, a, i, b, j) => {
  const [re, im, c, d] = [a[2 * i], a[2 * i + 1], b[2 * j], b[2 * j + 1]];
  out[2 * k] += re * c - im * d;
  out[2 * k + 1] += re * d + im * c;
};

export const adderOf = (dtype: DType): AddProduct => (isComplex(dtype) ? addComplex : addReal);

/** Adds a product to the element of the row in `column`. */
type AddTo = (column: number, a: Words, i: number, b: Words, j: number) => void;

/** The matrix whose rows are sums of products, columns in order; what adds up to zero stays an entry. */
function accumulated(dtype: DType, rows: number, columns: number, addRow: (row: number, add: AddTo) => void): Csr {
  const addProduct = adderOf(dtype);
  const sums = NDArray.zeros(dtype, [columns]);
  const lastRow = new Int32Array(columns).fill(-1);
  const [starts, found] = [new Int32Array(rows + 1), [] as number[]];
  const parts: NDArray[] = [];
  for (let row = 0; row < rows; row++) {
    const own: number[] = [];
    addRow(row, (column, a, i, b, j) => {
      if (lastRow[column] !== row) {
        lastRow[column] = row;
        sums.set(column, 0);
        own.push(column);
      }
      addProduct(wordsOf(sums), column, a, i, b, j);
    });
    own.sort((a, b) => a - b);
    const part = NDArray.zeros(dtype, [own.length]);
    for (const [n, column] of own.entries()) {
      found.push(column);
      part.set(n, sums.get(column));
    }
    parts.push(part);
    starts[row + 1] = found.length;
  }
  const values = NDArray.zeros(dtype, [found.length]);
  let at = 0;
  for (const part of parts) {
    wordsOf(values).set(wordsOf(part), at);
    at += part.data.length;
  }
  return { starts, columns: Int32Array.from(found), values };
}

/** alpha·a + beta·b. */
export function weightedSum(a: CsrArray, b: CsrArray, alpha: NDArray, beta: NDArray): CsrArray {
  const { elementType, dims, rows, columns } = a;
  const matrices = a.matrices.map((_, k) =>
    accumulated(elementType, rows, columns, (row, add) => {
      for (const [{ starts, columns: at, values }, weight] of [
        [a.matrices[k], alpha],
        [b.matrices[k], beta],
      ] as const)
        for (let n = starts[row]; n < starts[row + 1]; n++) add(at[n], wordsOf(values), n, wordsOf(weight), 0);
    }),
  );
  return new CsrArray(elementType, dims, matrices);
}

/** a·b, both sparse. */
export function product(a: CsrArray, b: CsrArray): CsrArray {
  const { elementType, dims, rows } = a;
  const matrices = a.matrices.map((left, k) => {
    const right = b.matrices[k];
    return accumulated(elementType, rows, b.columns, (row, add) => {
      for (let n = left.starts[row]; n < left.starts[row + 1]; n++) {
        const inner = left.columns[n];
        for (let m = right.starts[inner]; m < right.starts[inner + 1]; m++)
          add(right.columns[m], wordsOf(left.values), n, wordsOf(right.values), m);
      }
    });
  });
  return new CsrArray(elementType, [...dims.slice(0, -2), rows, b.columns], matrices);
}

/** a·b with a dense b, each of the two and the result as it lies or transposed. */
export function denseProduct(a: CsrArray, b: NDArray, isTransposed: boolean, transposesResult: boolean): NDArray {
  const addProduct = adderOf(a.elementType);
  const [height, width] = b.shape.slice(-2);
  const outer = isTransposed ? height : width;
  const out = NDArray.zeros(a.elementType, [...a.dims.slice(0, -2), ...(transposesResult ? [outer, a.rows] : [a.rows, outer])]);
  const [data, factors] = [wordsOf(out), wordsOf(b)];
  const [rowStep, columnStep] = transposesResult ? [1, a.rows] : [outer, 1];
  const [innerStep, outerStep] = isTransposed ? [1, width] : [width, 1];
  forEachEntry(a, ({ columns, values }, k, row, n) => {
    const to = k * a.rows * outer + row * rowStep;
    const from = k * height * width + columns[n] * innerStep;
    for (let j = 0; j < outer; j++) addProduct(data, to + j * columnStep, wordsOf(values), n, factors, from + j * outerStep);
  });
  return out;
}

/** The softmax of each row over its entries: the others count as −∞. */
export const softmaxOf = (logits: CsrArray): CsrArray =>
  logits.withValues(({ starts, values }) => {
    const out = NDArray.zeros(values.dtype, values.shape);
    for (let i = 0; i < logits.rows; i++) {
      const row = Array.from(wordsOf(values).subarray(starts[i], starts[i + 1]));
      const most = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
      const powers = row.map(value => Math.exp(value - most));
      const sum = powers.reduce((a, b) => a + b, 0);
      powers.forEach((power, n) => void out.set(starts[i] + n, power / sum));
    }
    return out;
  });

/** y·(dy − Σ y·dy) in each row, at the entries of y; dy is zero where it has none. */
export const softmaxGradient = (softmax: CsrArray, d: CsrArray): CsrArray =>
  softmax.withValues(({ starts, columns, values }, k) => {
    const [y, dy, out] = [wordsOf(values), d.matrices[k], NDArray.zeros(values.dtype, values.shape)];
    for (let i = 0; i < softmax.rows; i++) {
      const given = new Map<number, number>();
      for (let n = dy.starts[i]; n < dy.starts[i + 1]; n++) given.set(dy.columns[n], wordsOf(dy.values)[n]);
      let sum = 0;
      for (let n = starts[i]; n < starts[i + 1]; n++) sum += y[n] * (given.get(columns[n]) ?? 0);
      for (let n = starts[i]; n < starts[i + 1]; n++) out.set(n, y[n] * ((given.get(columns[n]) ?? 0) - sum));
    }
    return out;
  });

/** Of each row of a symmetric matrix given by its lower triangle, the columns of its entries in ascending order. */
export function symmetricPattern({ starts, columns }: Csr): number[][] {
  const pattern = Array.from({ length: starts.length - 1 }, (): number[] => []);
  for (const [i, row] of pattern.entries())
    for (const j of columns.slice(starts[i], starts[i + 1]).sort()) {
      if (j > i) continue;
      row.push(j);
      if (j < i) pattern[j].push(i);
    }
  return pattern;
}

/** The lower factor l of a permuted matrix, l·lᴴ = p·a·pᵀ, row by row along the elimination tree; of a the lower triangle alone is read.
 *  Nothing if it is not positive definite. */
export function choleskyOf({ starts, columns, values }: Csr, permutation: readonly number[]): Csr | undefined {
  const n = permutation.length;
  const isPair = isComplex(values.dtype);
  const partsAt = (k: number): [re: number, im: number] =>
    isPair ? [wordsOf(values)[2 * k], wordsOf(values)[2 * k + 1]] : [wordsOf(values)[k], 0];
  const moved: number[] = [];
  permutation.forEach((from, to) => void (moved[from] = to));
  const lower = Array.from({ length: n }, () => new Map<number, [re: number, im: number]>());
  for (let i = 0; i < n; i++)
    for (let k = starts[i]; k < starts[i + 1]; k++) {
      if (columns[k] > i) continue;
      const [[re, im], row, column] = [partsAt(k), moved[i], moved[columns[k]]];
      if (row >= column) lower[row].set(column, [re, im]);
      else lower[column].set(row, [re, -im]);
    }

  const below = Array.from({ length: n }, (): { row: number; re: number; im: number }[] => []);
  const [parents, seen, diagonal] = [new Int32Array(n).fill(-1), new Int32Array(n).fill(-1), new Float64Array(n)];
  const [re, im] = [new Float64Array(n), new Float64Array(n)];
  const [ends, places, parts] = [new Int32Array(n + 1), [] as number[], [] as number[]];
  const push = (column: number, x: number, y: number): void => {
    places.push(column);
    parts.push(...(isPair ? [x, y] : [x]));
  };
  for (let i = 0; i < n; i++) {
    const reached: number[] = [];
    for (const [column, [x, y]] of lower[i]) {
      [re[column], im[column]] = [x, y];
      for (let j = column; j < i && seen[j] !== i; j = parents[j]) {
        seen[j] = i;
        reached.push(j);
        if (parents[j] < 0) parents[j] = i;
      }
    }
    let rest = re[i];
    for (const j of reached.sort((a, b) => a - b)) {
      const [x, y] = [re[j] / diagonal[j], im[j] / diagonal[j]];
      for (const { row, re: c, im: d } of below[j]) {
        re[row] -= x * c + y * d;
        im[row] -= y * c - x * d;
      }
      rest -= x * x + y * y;
      below[j].push({ row: i, re: x, im: y });
      push(j, x, y);
    }
    if (!(rest > 0)) return undefined;
    diagonal[i] = Math.sqrt(rest);
    push(i, diagonal[i], 0);
    ends[i + 1] = places.length;
    for (const j of [...reached, i]) [re[j], im[j]] = [0, 0];
  }
  const factor = NDArray.zeros(values.dtype, [places.length]);
  wordsOf(factor).set(parts);
  return { starts: ends, columns: Int32Array.from(places), values: factor };
}
