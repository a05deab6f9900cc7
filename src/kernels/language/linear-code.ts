// Vectors times a small constant matrix, as straight code: outputs[i] = Σ matrix[i][k]·inputs[k]. Zeros cost nothing, ones no product, and
// what rows (or columns) for points p and -p have in common is computed once.

import { type Expr, f32x, type Local } from "./language.ts";
import type { FunctionRecorder } from "./recorder.ts";
import type { Matrix } from "../contract/winograd-matrices.ts";

type Term = readonly [factor: number, vector: Expr<"vec">];

/** Hands each output to `emit`, in an order that keeps few of them alive. */
export function multiplyVectors(
  k: FunctionRecorder,
  matrix: Matrix,
  inputs: readonly Expr<"vec">[],
  emit: (row: number, value: Expr<"vec">) => void,
): void {
  const pairs = mirrored(matrix);
  if (pairs.length > 0) return byRows(k, matrix, inputs, pairs, emit);
  const columns = mirrored(matrix[0].map((_, column) => matrix.map(row => row[column])));
  byColumns(k, matrix, inputs, columns, emit);
}

/** Pairs of rows that differ by the sign of their odd places. */
function mirrored(rows: Matrix): [number, number][] {
  const pairs: [number, number][] = [];
  rows.forEach((row, i) => {
    const other = rows.findIndex((candidate, j) => j > i && candidate.every((x, at) => x === (at % 2 === 0 ? row[at] : -row[at])));
    if (other > i && row.some((x, at) => at % 2 === 1 && x !== 0)) pairs.push([i, other]);
  });
  return pairs;
}

function byRows(
  k: FunctionRecorder,
  matrix: Matrix,
  inputs: readonly Expr<"vec">[],
  pairs: readonly [number, number][],
  emit: (row: number, value: Expr<"vec">) => void,
): void {
  const half = (row: readonly number[], parity: number): Term[] =>
    row.flatMap((factor, at): Term[] => (at % 2 === parity ? [[factor, inputs[at]]] : []));
  for (const [i, row] of matrix.entries()) {
    if (pairs.some(([, second]) => second === i)) continue;
    const pair = pairs.find(([first]) => first === i);
    if (pair === undefined) {
      emit(i, sumOf(row.map((factor, at): Term => [factor, inputs[at]])));
      continue;
    }
    const even = k.let(sumOf(half(row, 0)));
    const odd = k.let(sumOf(half(row, 1)));
    emit(i, f32x.add(even, odd));
    emit(pair[1], f32x.sub(even, odd));
  }
}

function byColumns(
  k: FunctionRecorder,
  matrix: Matrix,
  inputs: readonly Expr<"vec">[],
  pairs: readonly [number, number][],
  emit: (row: number, value: Expr<"vec">) => void,
): void {
  const both = pairs.map(([a, b]): [sum: Local<"vec">, difference: Local<"vec">] => [
    k.let(f32x.add(inputs[a], inputs[b])),
    k.let(f32x.sub(inputs[a], inputs[b])),
  ]);
  matrix.forEach((row, i) => {
    const terms = row.flatMap((factor, at): Term[] => {
      const pair = pairs.findIndex(([a, b]) => a === at || b === at);
      if (pair < 0) return [[factor, inputs[at]]];
      return pairs[pair][0] === at ? [[factor, both[pair][i % 2]]] : [];
    });
    emit(i, sumOf(terms));
  });
}

/** Factors of 1 first: they begin the sum without a product. */
function sumOf(terms: readonly Term[]): Expr<"vec"> {
  const given = terms.filter(([factor]) => factor !== 0);
  const first = given.find(([factor]) => factor === 1) ?? given[0];
  if (first === undefined) return f32x.const(0);
  let sum = first[0] === 1 ? first[1] : first[0] === -1 ? f32x.neg(first[1]) : f32x.mul(first[1], f32x.const(first[0]));
  for (const term of given) {
    if (term === first) continue;
    const [factor, vector] = term;
    if (factor === 1) sum = f32x.add(sum, vector);
    else if (factor === -1) sum = f32x.sub(sum, vector);
    else sum = f32x.madd(vector, f32x.const(factor), sum);
  }
  return sum;
}
