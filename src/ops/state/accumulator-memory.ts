// What an accumulator's handle stands for in a session: gradients summed on the host, and the runs that wait for enough of them. Gradients that were
// computed from a state older than the accumulator's step are dropped, as TensorFlow drops them.

import type { DType } from "../../base/dtype.ts";
import { CancelledError, InvalidArgumentError } from "../../base/errors.ts";
import { type Complex, type ElementValue, NDArray } from "../../base/ndarray.ts";
import { sizeOf, type TensorShape } from "../../base/shape.ts";
import { sumOf } from "../sparse/structure.ts";

export interface AccumulatorSettings {
  readonly dtype: DType;
  readonly shape: TensorShape;
  readonly isMean: boolean;
}

interface Taker<R> {
  readonly count: number;
  readonly settle: (taken: R) => void;
}

/** Counts gradients of the kind `G`, gives sums or means of the kind `R`. */
export abstract class Accumulator<G, R> {
  readonly settings: AccumulatorSettings;
  private step = 0n;
  private counted = 0;
  private readonly takers: Taker<R>[] = [];

  constructor(settings: AccumulatorSettings) {
    this.settings = settings;
  }

  get count(): number {
    return this.counted;
  }

  setStep(step: bigint): void {
    this.step = step;
  }

  apply(localStep: bigint, gradient: G): void {
    if (localStep < this.step) return;
    this.add(gradient);
    this.counted++;
    this.serve();
  }

  /** Waits until `count` gradients are there; what is taken is gone, and the step is one more. */
  take(count: number, signal: AbortSignal): Promise<R> {
    if (count <= 0) throw new InvalidArgumentError(`Argument num_required must be positive, but was ${count}`);
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        this.takers.splice(this.takers.indexOf(taker), 1);
        reject(new CancelledError("TakeGrad operation was cancelled"));
        this.serve();
      };
      const settle = (taken: R): void => {
        signal.removeEventListener("abort", stop);
        resolve(taken);
      };
      const taker = { count, settle };
      if (signal.aborted) return reject(new CancelledError("TakeGrad operation was cancelled"));
      signal.addEventListener("abort", stop, { once: true });
      this.takers.push(taker);
      this.serve();
    });
  }

  private serve(): void {
    while (this.takers.length > 0 && this.counted >= this.takers[0].count) {
      const taken = this.result();
      this.counted = 0;
      this.step++;
      this.takers.shift()?.settle(taken);
    }
  }

  /** Adds to the sum, or begins one where none is counted. @throws InvalidArgumentError where the gradient does not fit. */
  protected abstract add(gradient: G): void;
  protected abstract result(): R;
}

function quotient(value: ElementValue, count: number): ElementValue {
  if (typeof value === "bigint") return value / BigInt(count);
  if (typeof value === "number") return value / count;
  const { re, im } = value as Complex;
  return { re: re / count, im: im / count };
}

/** Gradients of one shape. */
export class DenseAccumulator extends Accumulator<NDArray, NDArray> {
  private sum: NDArray | undefined;

  protected add(gradient: NDArray): void {
    const { shape } = this.settings;
    if (!shape.isCompatibleWith(gradient.shape)) throw this.mismatch(shape.format(), gradient);
    const before = this.count > 0 ? this.sum : undefined;
    if (before && before.shape.join() !== gradient.shape.join()) throw this.mismatch(`[${before.shape}]`, gradient);
    const sum = NDArray.zeros(gradient.dtype, gradient.shape);
    for (let i = 0; i < sum.size; i++) sum.set(i, before ? sumOf(before.get(i), gradient.get(i)) : gradient.get(i));
    this.sum = sum;
  }

  private mismatch(expected: string, { shape }: NDArray): InvalidArgumentError {
    return new InvalidArgumentError(`Shape mismatch: expected ${expected}, got [${shape}]`);
  }

  protected result(): NDArray {
    const sum = this.sum as NDArray;
    this.sum = undefined;
    if (this.settings.isMean) for (let i = 0; i < sum.size; i++) sum.set(i, quotient(sum.get(i), this.count));
    return sum;
  }
}

/** Rows of a gradient by their numbers; `denseShape` is the whole one's, if it was told. */
export interface SparseGradient {
  readonly indices: NDArray;
  readonly values: NDArray;
  readonly denseShape: NDArray | undefined;
}

interface SummedRow {
  readonly index: number;
  readonly row: readonly ElementValue[];
  /** How many gradients have it. */
  readonly count: number;
}

/** Gradients that are rows of a larger one; the mean of a row is over the gradients that have it. */
export class SparseAccumulator extends Accumulator<SparseGradient, readonly NDArray[]> {
  private rows: readonly SummedRow[] = [];
  private rowShape: readonly number[] = [];

  protected add(gradient: SparseGradient): void {
    this.check(gradient);
    const { indices, values } = gradient;
    const rowShape = values.shape.slice(1);
    const length = sizeOf(rowShape);
    const given = Array.from({ length: indices.size }, (_, n): SummedRow => {
      const row = Array.from({ length }, (_element, k) => values.get(n * length + k));
      return { index: Number(indices.get(n)), row, count: 1 };
    });
    this.rows = this.count > 0 ? merged(this.rows, given) : given;
    this.rowShape = rowShape;
  }

  private check({ indices, values, denseShape }: SparseGradient): void {
    const dims = this.settings.shape.dims ?? [];
    const wrong = (text: string): InvalidArgumentError => new InvalidArgumentError(`Shape mismatch: ${text}`);
    if (indices.rank !== 1) throw new InvalidArgumentError(`Input indices should be vector but received shape: [${indices.shape}]`);
    if (values.rank === 0) throw new InvalidArgumentError("Values cannot be 0-dimensional.");
    if (indices.size !== values.shape[0])
      throw new InvalidArgumentError(`Expected ${indices.size} non-empty input values, got ${values.shape[0]}`);
    if (denseShape) {
      if (dims.length > denseShape.size) throw wrong(`expected shape rank at least ${dims.length}, got ${denseShape.size}`);
      dims.forEach((size, axis) => {
        const given = Number(denseShape.get(axis));
        if (size !== null && size !== given) throw wrong(`expected shape dim ${axis} to be ${size}, got ${given}`);
      });
    }
    const limit = dims[0] ?? null;
    for (let n = 0; limit !== null && n < indices.size; n++) {
      const index = Number(indices.get(n));
      if (index >= limit) throw wrong(`index of slice ${n} exceeded limits of shape; index is ${index} exceeded ${limit}`);
    }
    const expected = this.count > 0 ? [null, ...this.rowShape] : dims;
    if (this.count > 0 ? expected.length !== values.rank : expected.length > values.rank)
      throw wrong(`expected values rank ${this.count > 0 ? "" : "at least "}${expected.length}, got ${values.rank}`);
    expected.slice(1).forEach((size, k) => {
      const given = values.shape[k + 1];
      if (size !== null && size !== given) throw wrong(`expected values dim ${k + 1} to be ${size}, got ${given}`);
    });
  }

  protected result(): readonly NDArray[] {
    const { dtype, shape, isMean } = this.settings;
    const { rows, rowShape } = this;
    this.rows = [];
    const indices = NDArray.from(
      rows.map(({ index }) => BigInt(index)),
      "int64",
      [rows.length],
    );
    const values = NDArray.zeros(dtype, [rows.length, ...rowShape]);
    let at = 0;
    for (const { row, count } of rows) for (const x of row) values.set(at++, isMean ? quotient(x, count) : x);
    return [indices, values, NDArray.from([shape.dims?.[0] ?? -1, ...rowShape].map(BigInt), "int64")];
  }
}

/** Two lists of rows as one, by walking both; equal numbers that meet are added up. */
function merged(summed: readonly SummedRow[], given: readonly SummedRow[]): SummedRow[] {
  const result: SummedRow[] = [];
  let [i, j] = [0, 0];
  while (i < summed.length && j < given.length) {
    const [a, b] = [summed[i], given[j]];
    if (a.index === b.index) {
      result.push({ index: a.index, row: a.row.map((x, k) => sumOf(x, b.row[k])), count: a.count + 1 });
      i++;
      j++;
    } else if (a.index < b.index) result.push(summed[i++]);
    else result.push(given[j++]);
  }
  return [...result, ...summed.slice(i), ...given.slice(j)];
}
