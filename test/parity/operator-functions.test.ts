// Functions that linear operators answer for, and slices of operators, against recordings of TensorFlow (generate/operator_functions.py).

import { describe, expect, it } from "vitest";
import { tf as compat } from "../../src/compat.ts";
import * as tf from "../../src/index.ts";
import { compareWithRecording, type Made, parameter } from "./library-programs.ts";

const la = tf.linalg;
type Operator = InstanceType<typeof la.LinearOperator>;
type Hints = ConstructorParameters<typeof la.LinearOperatorDiag>[1];
type Take = (operator: Operator) => Operator;

const M = [
  [1, 2, 0],
  [0.5, 3, -1],
  [2, 0, 4],
];
const L = [
  [2, 9, 9],
  [1, 3, 9],
  [-1, 0.5, 1.5],
];
const S = [
  [4, 1, 0.5],
  [1, 3, -1],
  [0.5, -1, 5],
];
const X = [
  [1, -2],
  [0.5, 3],
  [2, 1],
];
const W = [
  [1, 0.5, 2],
  [-2, 3, 1],
];
const V = [1, -2, 0.5];
const pair = [
  [1, 2],
  [3, 4],
];
const c = (re: number, im: number): { re: number; im: number } => ({ re, im });
const complex = (values: readonly unknown[]): tf.Tensor => tf.constant(values as never, { dtype: "complex64" });

const made = (fetch: unknown, feeds?: tf.Feeds): Made => (feeds === undefined ? { fetch } : { fetch, feeds });
/** Numbers from `first` on, in nested lists. */
const counted = (sizes: readonly number[], first = 0, dtype: tf.DType = "float32"): tf.NDArray =>
  tf.NDArray.from(
    Array.from({ length: sizes.reduce((a, b) => a * b, 1) }, (_, i) => first + i),
    dtype,
    [...sizes],
  );
const full = (hints: Hints = {}): Operator => new la.LinearOperatorFullMatrix(parameter(M, "m"), hints);
const definite = (options: Hints = {}): Operator =>
  new la.LinearOperatorFullMatrix(parameter(S, "s"), { isSelfAdjoint: true, isPositiveDefinite: true, ...options });
const diag = (hints: Hints = {}): Operator => new la.LinearOperatorDiag(parameter([1, 2, 3], "d"), hints);
const python = (hint: boolean | null): string => (hint === null ? "None" : hint ? "True" : "False");
const shown = (op: Operator): unknown[] => {
  const dense = op.toDense();
  const hints = [op.isNonSingular, op.isSelfAdjoint, op.isPositiveDefinite, op.isSquare].map(python);
  return [dense, tf.constant([`${op.name}/${op.constructor.name}`, ...hints])];
};
const batch = (hints: Hints = {}): Operator => new la.LinearOperatorFullMatrix(parameter(counted([2, 3, 2, 2]), "b"), hints);
const sliced = (take: Take): unknown => shown(take(batch()));

const slices: readonly Take[] = [
  op => op.at(0),
  op => op.at(-1),
  op => op.at(tf.ellipsis),
  op => op.at([], 1),
  op => op.at(tf.ellipsis, 2),
  op => op.at([1, null]),
  op => op.at([], [null, null, 2]),
  op => op.at(0, 1),
  op => op.at(tf.newaxis),
  op => op.at([], tf.newaxis, [1, 2]),
  op => op.at(tf.ellipsis, tf.newaxis),
];

const programs: Readonly<Record<string, () => Made>> = {
  products() {
    const x = parameter(X, "x");
    const m = full();
    const w = parameter(W, "w");
    const first = [tf.matmul(m, x), tf.matmul(w, m), tf.matmul(m, x, { adjointA: true }), tf.matmul(m, w, { adjointB: true })];
    const second = [tf.matmul(x, m, { adjointA: true }), tf.matmul(w, m, { adjointB: true }), la.matmul(m, X, { name: "named" })];
    return made([...first, ...second]);
  },
  operator_products() {
    const [m, d] = [full(), diag()];
    const first = [tf.matmul(m, d), tf.matmul(d, d), tf.matmul(m, m, { adjointA: true })];
    return made([...first, tf.matmul(d, m, { adjointB: true, name: "named" }), m.matmul(d)].map(shown));
  },
  at_signs() {
    const m = full();
    const right = m.matmul(parameter(X, "x"));
    return made([right, parameter(W, "w").matmul(m as never)]);
  },
  vectors() {
    const first = la.matvec(full(), parameter(V, "v"));
    return made([first, la.matvec(diag(), V, { adjointA: true })]);
  },
  vectors_named: () => made([la.matvec(full(), parameter(V, "v"), { name: "named" })]),
  determinants() {
    const m = full();
    const first = [la.det(m), tf.matrixDeterminant(diag()), la.det(m, { name: "named" })];
    return made([...first, la.logdet(definite()), la.logdet(definite({ name: "other" }), { name: "named" })]);
  },
  traces() {
    const m = full();
    const first = [la.trace(m), tf.trace(diag()), la.trace(m, { name: "named" }), la.diagPart(m)];
    return made([...first, tf.matrixDiagPart(m, { name: "named" }), la.diagPart(diag(), { k: 1 }), la.diagPart(definite(), "third")]);
  },
  inverses() {
    const [m, d] = [full({ isNonSingular: true }), diag({ isNonSingular: true })];
    return made([la.inv(m), la.inv(d), la.inv(m, { adjoint: true }), tf.matrixInverse(m, { name: "named" })].map(shown));
  },
  adjoints() {
    const m = full();
    return made([la.adjoint(m), la.adjoint(diag({ isSelfAdjoint: true })), la.adjoint(m, { name: "named" })].map(shown));
  },
  complex_operators() {
    const matrix = [
      [c(2, 1), c(0, 1)],
      [c(1, -1), c(3, 0)],
    ];
    const op = new la.LinearOperatorFullMatrix(complex(matrix), { isNonSingular: true });
    const x = complex([
      [c(1, 2), c(0.5, 0)],
      [c(0, 1), c(-1, 0)],
    ]);
    const first = [tf.matmul(op, x), tf.matmul(x, op), tf.matmul(x, op, { adjointA: true }), tf.matmul(x, op, { adjointB: true })];
    const second = [la.adjoint(op).toDense(), la.inv(op, { adjoint: true }).toDense(), la.solve(op, x, { adjoint: true })];
    return made([...first, ...second, la.det(op), la.trace(op)]);
  },
  triangles() {
    const s = definite();
    return made([la.cholesky(s), tf.cholesky(diag({ isPositiveDefinite: true })), la.cholesky(s, { name: "named" })].map(shown));
  },
  solutions() {
    const [m, x] = [full({ isNonSingular: true }), parameter(X, "x")];
    const first = [la.solve(m, x), la.solve(m, x, { adjoint: true }), tf.matrixSolve(m, X, { name: "named" })];
    return made([...first, la.solve(definite(), x)]);
  },
  operator_solutions() {
    const [m, d] = [full({ isNonSingular: true }), diag({ isNonSingular: true })];
    return made([la.solve(m, d), la.solve(d, d), la.solve(d, m, { adjoint: true })].map(shown));
  },
  batches() {
    const b = new la.LinearOperatorFullMatrix(parameter([M, S], "b"), { isNonSingular: true });
    const x = parameter(X, "x");
    const first = [tf.matmul(b, x), la.solve(b, x), la.det(b), la.trace(b), la.diagPart(b)];
    return made([...first, tf.matmul(parameter([[1, 2, 3]], "row"), b), la.matvec(b, V)]);
  },
  open_products() {
    const m = tf.placeholder("float32", null, { name: "m" });
    const op = new la.LinearOperatorFullMatrix(m, { isSquare: true });
    const x = tf.placeholder("float32", null, { name: "x" });
    const fetch = [tf.matmul(op, x), tf.matmul(x, op), la.det(op), la.trace(op)];
    const square = [
      [2, 1],
      [1, 3],
    ];
    return made(
      fetch,
      new Map([
        [m, square],
        [x, pair],
      ]),
    );
  },
  special() {
    const eye = new la.LinearOperatorIdentity(3);
    const k = new la.LinearOperatorScaledIdentity(3, parameter(2, "k"), { isPositiveDefinite: true });
    const low = new la.LinearOperatorLowerTriangular(parameter(L, "l"), { isNonSingular: true });
    const x = parameter(X, "x");
    const all = [eye, k, low] as const;
    const numbers = [...all.map(op => tf.matmul(op, x)), ...all.map(op => la.det(op)), ...all.map(op => la.trace(op))];
    const products = all.flatMap(a => all.map(b => shown(tf.matmul(a, b))));
    const inverses = all.map(op => shown(la.inv(op)));
    return made([...numbers, ...products, ...inverses, shown(la.cholesky(eye)), shown(la.cholesky(k)), la.logdet(k), la.solve(low, x)]);
  },
  block_products() {
    const b = new la.LinearOperatorBlockDiag([diag(), new la.LinearOperatorIdentity(2)]);
    const x = counted([5, 2]);
    const first = [tf.matmul(b, x), la.trace(b), la.det(b), la.diagPart(b), shown(tf.matmul(b, b)), shown(la.adjoint(b))];
    return made([...first, tf.matmul(tf.NDArray.from(new Float32Array(10).fill(1), "float32", [2, 5]), b)]);
  },
  names_used() {
    const [m, s, x] = [full({ isNonSingular: true }), definite(), parameter(S, "x")];
    const of = (matrix: Operator | tf.Tensor): unknown[] => {
      const one = matrix as tf.Tensor;
      const first = [tf.matmul(one, x), la.matvec(one, V), la.det(one), la.trace(one), la.diagPart(one), la.solve(one, x)];
      la.inv(one);
      la.adjoint(one);
      return first;
    };
    const ofOperators = [...of(m), la.logdet(s)];
    la.cholesky(s);
    return made([...ofOperators, ...of(x), la.logdet(x), la.cholesky(x)]);
  },
  full_slices: () => made(slices.map(sliced)),
  named_slices() {
    const b = batch({ isNonSingular: true, name: "mine" });
    return made([shown(b.at(0)), shown(b.at(0).at(1)), tf.matmul(b.at([], 1), [[1], [2]])]);
  },
  at_tensor() {
    const i = tf.placeholder("int32", [], { name: "i" });
    const b = batch();
    return made([b.at(i).toDense(), b.at([], i).toDense(), b.at([i, null]).toDense()], new Map([[i, 1]]));
  },
  open_slices() {
    const m = tf.placeholder("float32", null, { name: "m" });
    const b = new la.LinearOperatorFullMatrix(m);
    const d = tf.placeholder("float32", [null, null, null], { name: "d" });
    const e = new la.LinearOperatorDiag(d);
    return made(
      [b.at(0).toDense(), e.at(0).toDense(), e.at([], [1, null]).toDense()],
      new Map([
        [m, counted([2, 3, 2, 2])],
        [d, counted([2, 3, 2])],
      ]),
    );
  },
  diag_slices() {
    const d = new la.LinearOperatorDiag(parameter(counted([2, 3, 2]), "d"), { isNonSingular: true });
    return made(slices.map(take => shown(take(d))));
  },
  several_slices() {
    const low = new la.LinearOperatorLowerTriangular(parameter(counted([3, 2, 2]), "low"));
    const k = new la.LinearOperatorScaledIdentity(2, parameter([1, 2, 3], "k"));
    const axes = [
      [1, 0],
      [0.6, 0.8],
    ];
    const rows = [
      [1, 5],
      [3, 6],
    ];
    const h = new la.LinearOperatorHouseholder(parameter(axes, "h"));
    const t = new la.LinearOperatorToeplitz(parameter(pair, "col"), parameter(rows, "row"));
    const circulant = new la.LinearOperatorCirculant(complex(pair));
    const places = [
      [0, 1, 2],
      [2, 0, 1],
    ];
    const p = new la.LinearOperatorPermutation(places);
    const tri = new la.LinearOperatorTridiag(parameter(counted([2, 3, 3]), "tri"), { diagonalsFormat: "compact" });
    const all: readonly Operator[] = [low, k, h, t, circulant, p, tri];
    return made([...all.map(op => shown(op.at(0))), ...all.map(op => shown(op.at([1, null])))]);
  },
  sequence_slices() {
    const lists = [0, 1, 2].map(first => tf.constant(counted([2, 3], first)));
    const tri = new la.LinearOperatorTridiag(lists, { diagonalsFormat: "sequence" });
    return made([shown(tri.at(0)), shown(tri.at([], tf.newaxis))]);
  },
  identity_slices() {
    const eye = new la.LinearOperatorIdentity(2, { batchShape: [2, 3] });
    const z = new la.LinearOperatorZeros(2, { batchShape: [2, 3] });
    return made([eye, z].flatMap(op => [shown(op.at(0)), shown(op.at(tf.ellipsis)), shown(op.at([1, null]))]));
  },
  identity_slices_of_none: () => made(new la.LinearOperatorIdentity(2).at(0).toDense()),
  nested_slices() {
    const m = new la.LinearOperatorFullMatrix(parameter(counted([2, 2, 2]), "m"));
    const d = new la.LinearOperatorDiag(parameter(pair, "d"));
    parameter([5, 6], "one");
    const several = [
      new la.LinearOperatorComposition([m, d]),
      new la.LinearOperatorBlockDiag([m, d]),
      new la.LinearOperatorKronecker([d, m]),
    ];
    const all: readonly Operator[] = [
      ...several,
      new la.LinearOperatorAdjoint(m),
      new la.LinearOperatorInversion(m, { isNonSingular: true }),
    ];
    return made(all.flatMap(op => [shown(op.at(0)), shown(op.at([1, null]))]));
  },
  broadcast_slices() {
    const m = new la.LinearOperatorFullMatrix(parameter(counted([2, 2, 2]), "m"));
    const one = new la.LinearOperatorDiag(parameter([5, 6], "one"));
    const whole = new la.LinearOperatorFullMatrix(parameter(pair, "whole"));
    const all: readonly Operator[] = [
      new la.LinearOperatorComposition([m, one]),
      new la.LinearOperatorBlockDiag([one, m]),
      new la.LinearOperatorKronecker([m, whole]),
    ];
    return made(all.flatMap(op => [shown(op.at(1)), shown(op.at([1, null]))]));
  },
  triangle_slices() {
    const m = new la.LinearOperatorFullMatrix(parameter(counted([2, 2, 2]), "m"));
    const d = new la.LinearOperatorDiag(parameter(pair, "d"));
    const t = new la.LinearOperatorBlockLowerTriangular([[m], [d, m]]);
    return made([shown(t.at(0)), shown(t.at([1, null]))]);
  },
  update_slices() {
    const d = new la.LinearOperatorDiag(parameter(counted([2, 3], 1), "d"), { isPositiveDefinite: true });
    const u = parameter(counted([2, 3, 2]), "u");
    const v = parameter(counted([2, 3, 2], -3), "v");
    const low = new la.LinearOperatorLowRankUpdate(d, u, { diagUpdate: parameter(pair, "k"), v });
    const plain = new la.LinearOperatorLowRankUpdate(d, u);
    return made([low, plain].flatMap(op => [shown(op.at(0)), shown(op.at([1, null]))]));
  },
};

const refused: Readonly<Record<string, () => unknown>> = {
  transposed_a: () => tf.matmul(full(), X, { transposeA: true }),
  transposed_b: () => tf.matmul(full(), X, { transposeB: true }),
  sparse: () => tf.matmul(full(), X, { aIsSparse: true }),
  both_a: () => tf.matmul(full(), X, { transposeA: true, adjointA: true }),
  both_b: () => tf.matmul(full(), X, { transposeB: true, adjointB: true }),
  sizes: () => tf.matmul(full(), tf.ones([2, 3])),
  sizes_left: () => tf.matmul(tf.ones([3, 2]), full()),
  sizes_operators: () => tf.matmul(full(), new la.LinearOperatorIdentity(2)),
  types: () => tf.matmul(full(), tf.ones([3, 2], "float64")),
  types_left: () => tf.matmul(tf.ones([2, 3], "float64"), full()),
  logdet: () => la.logdet(full()),
  cholesky: () => la.cholesky(full()),
  solve_by: () => la.solve(M, full() as never),
  solve_singular: () => la.solve(full({ isNonSingular: false }), X),
  solve_sizes: () => la.solve(full(), tf.ones([2, 3])),
  inverse: () => la.inv(full({ isNonSingular: false })),
  determinant: () => la.det(new la.LinearOperatorFullMatrix(M.slice(0, 2))),
  vector: () => la.matvec(full(), [1, 2]),
  slice_last: () => sliced(op => op.at(tf.ellipsis, 0, tf.ellipsis)),
};
const refusals = Object.entries(refused).map(([name, make]) => [`refused_${name}`, () => made(make())] as const);

describe("functions of linear operators", () => {
  compareWithRecording("operator-functions", { ...programs, ...Object.fromEntries(refusals) });

  it("are called under TensorFlow's names", async () => {
    using _ = new tf.Graph().asDefault();
    const op = compat.linalg.LinearOperatorDiag([2, 4], { is_positive_definite: true });
    const [y, z, size] = (await new compat.Session().run([
      compat.matmul([[1, 1]], op, { adjoint_b: true }),
      compat.linalg.inv(op).to_dense(),
      compat.linalg.logdet(op),
    ])) as tf.NDArray[];
    expect(y.toArray()).toEqual([[2, 4]]);
    expect(z.toArray()).toEqual([
      [0.5, 0],
      [0, 0.25],
    ]);
    expect(size.item()).toBeCloseTo(Math.log(8), 5);
  });

  it("are those that TensorFlow has; the others take no operators", () => {
    using _ = new tf.Graph().asDefault();
    const others: readonly ((op: never) => unknown)[] = [
      op => la.slogdet(op),
      op => la.matrixTranspose(op),
      op => tf.add(op, M),
      op => tf.norm(op),
      op => la.svd(op),
      op => la.eigvalsh(op),
      op => tf.tensordot(op, X, 1),
      op => la.triangularSolve(op, X),
      op => tf.equal(op, M),
      op => tf.reduceSum(op),
      op => tf.shape(op),
      op => la.bandPart(op, 1, 1),
    ];
    for (const other of others) expect(() => other(full() as never)).toThrow(TypeError);
  });

  it("slice no further than the batch", () => {
    using _ = new tf.Graph().asDefault();
    const outside = /slice index \d of dimension 0 out of bounds/;
    expect(() => batch().at(0, 0, 0)).toThrow(outside);
    expect(() => batch().at(5)).toThrow(outside);
    expect(() => full().at(0)).toThrow(outside);
    const product = new la.LinearOperatorComposition([batch(), new la.LinearOperatorIdentity(2)]);
    expect(() => product.at(0)).toThrow(/LinearOperatorIdentity .* made of nothing that slices/);
  });
});
