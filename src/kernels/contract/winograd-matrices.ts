// Winograd's minimal filtering in one dimension, F(m, r): m sums of r products each from m + r - 1 products. Toom and Cook's construction over
// interpolation points (Winograd 1980; Lavin and Gray 2015 for convolutions): outputs = Aᵀ[(G·taps) ∘ (Bᵀ·inputs)]. Points are powers of two
// and zero, so all of A and B is exact in float32; G has thirds and fifths, rounded once.

export type Matrix = readonly (readonly number[])[];

export interface Filtering {
  /** Outputs and taps. */
  readonly outputs: number;
  readonly taps: number;
  /** Inputs, and products: outputs + taps - 1. */
  readonly size: number;
  /** size × size: inputs before the products. */
  readonly inputs: Matrix;
  /** size × taps: taps before the products. */
  readonly filter: Matrix;
  /** outputs × size: sums of products. */
  readonly sums: Matrix;
}

/** Points in pairs ±p, so that each pair's rows share their even and odd parts; the last point is infinity and not listed. */
const points = [0, 1, -1, 2, -2, 0.5, -0.5];

/** F(outputs, taps). @throws RangeError where that needs more points than there are. */
export function filtering(outputs: number, taps: number): Filtering {
  const size = outputs + taps - 1;
  if (size - 1 > points.length) throw new RangeError(`F(${outputs}, ${taps}) needs ${size} points.`);
  const finite = points.slice(0, size - 1);
  const powers = (p: number, count: number): number[] => Array.from({ length: count }, (_, k) => p ** k);
  const atInfinity = (count: number): number[] => Array.from({ length: count }, (_, k) => (k === count - 1 ? 1 : 0));
  const without = (p: number): number[] => polynomial(finite.filter(other => other !== p));
  const scale = (p: number): number => finite.reduce((product, other) => (other === p ? product : product * (p - other)), 1);
  return {
    outputs,
    taps,
    size,
    inputs: [...finite.map(p => [...without(p), 0]), polynomial(finite)],
    filter: [...finite.map(p => powers(p, taps).map(power => power / scale(p))), atInfinity(taps)],
    sums: transposed([...finite.map(p => powers(p, outputs)), atInfinity(outputs)]),
  };
}

/** Coefficients of Π (x - p), the constant first. */
function polynomial(roots: readonly number[]): number[] {
  let product = [1];
  for (const p of roots) product = Array.from({ length: product.length + 1 }, (_, k) => (product[k - 1] ?? 0) - p * (product[k] ?? 0));
  return product;
}

export const transposed = (matrix: Matrix): Matrix => matrix[0].map((_, k) => matrix.map(row => row[k]));
