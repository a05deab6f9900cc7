// QR decomposition by Householder reflections, as Eigen and so TensorFlow computes it: signs included. Whole arrays in double precision.

import type { DType } from "../base/dtype.ts";
import type { NDArray } from "../base/ndarray.ts";
import { sizeOf, TensorShape } from "../base/shape.ts";
import * as attr from "../graph/attributes.ts";
import { defineOp } from "../graph/op-definition.ts";
import { call } from "../ir/build.ts";

const realTypes = ["float64", "float32", "float16"] as const satisfies readonly DType[];

/** input = q·r for each matrix [..., m, n]: q has orthonormal columns, r is upper triangular. With fullMatrices q is [m, m], else [m, min(m, n)]. */
export const Qr = defineOp("Qr", {
  inputs: { input: "T" },
  outputs: { q: "T", r: "T" },
  attrs: { fullMatrices: attr.bool(false), T: attr.type([...realTypes, "complex64", "complex128"]) },
  shape: ({ input, fullMatrices }) => {
    const { dims } = input.withRankAtLeast(2);
    if (dims === null) return [TensorShape.unknown(), TensorShape.unknown()];
    const [m, n] = dims.slice(-2);
    const p = m === null || n === null ? null : Math.min(m, n);
    const batch = dims.slice(0, -2);
    return fullMatrices
      ? [new TensorShape([...batch, m, m]), new TensorShape([...batch, m, n])]
      : [new TensorShape([...batch, m, p]), new TensorShape([...batch, p, n])];
  },
  lower: ({ input, fullMatrices }) => {
    const [m, n] = input.shape.slice(-2);
    const columns = fullMatrices ? m : Math.min(m, n);
    const batch = input.shape.slice(0, -2);
    const routine = { name: "qr", run: ([a]: readonly NDArray[], [q, r]: readonly NDArray[]) => decompose(a, q, r) };
    return call(
      routine,
      [input],
      [
        { dtype: input.dtype, shape: [...batch, m, columns] },
        { dtype: input.dtype, shape: [...batch, columns, n] },
      ],
    );
  },
});

function decompose(input: NDArray, q: NDArray, r: NDArray): void {
  if (!(realTypes as readonly DType[]).includes(input.dtype)) throw new TypeError(`Qr of ${input.dtype} matrices is not supported.`);
  const [m, n] = input.shape.slice(-2);
  const columns = q.shape[q.shape.length - 1];
  for (let b = 0; b < sizeOf(input.shape.slice(0, -2)); b++) {
    const a = Array.from({ length: m }, (_, i) => Array.from({ length: n }, (_, j) => Number(input.get((b * m + i) * n + j))));
    const basis = Array.from({ length: m }, (_, i) => Array.from({ length: m }, (_, j) => (i === j ? 1 : 0)));
    const reflections = Array.from({ length: Math.min(m, n) }, (_, k) => reflect(a, k));
    for (const [k, { v, tau }] of [...reflections.entries()].reverse()) apply(basis, k, v, tau, k);
    for (let i = 0; i < m; i++) for (let j = 0; j < columns; j++) q.set((b * m + i) * columns + j, basis[i][j]);
    for (let i = 0; i < columns; i++) for (let j = 0; j < n; j++) r.set((b * columns + i) * n + j, j < i ? 0 : a[i][j]);
  }
}

/** Makes column k of `a` zero below the diagonal by I - tau·v·vᵀ, where v begins with 1. */
function reflect(a: number[][], k: number): { v: number[]; tau: number } {
  const m = a.length;
  const head = a[k][k];
  let tail = 0;
  for (let i = k + 1; i < m; i++) tail += a[i][k] ** 2;
  if (tail === 0) return { v: [], tau: 0 };
  const norm = Math.sqrt(head * head + tail);
  const beta = head >= 0 ? -norm : norm;
  const v = Array.from({ length: m - k }, (_, i) => (i === 0 ? 1 : a[k + i][k] / (head - beta)));
  const tau = (beta - head) / beta;
  apply(a, k, v, tau, k);
  return { v, tau };
}

/** a = (I - tau·v·vᵀ)·a on rows from `k` and columns from `first`. */
function apply(a: number[][], k: number, v: readonly number[], tau: number, first: number): void {
  if (tau === 0) return;
  for (let j = first; j < a[k].length; j++) {
    let dot = 0;
    for (let i = 0; i < v.length; i++) dot += v[i] * a[k + i][j];
    for (let i = 0; i < v.length; i++) a[k + i][j] -= tau * v[i] * dot;
  }
}
