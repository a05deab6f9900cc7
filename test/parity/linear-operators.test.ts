// tf.linalg.LinearOperator… against recordings of TensorFlow (generate/linear_operators.py).

import { describe, expect, it } from "vitest";
import { tf as compat } from "../../src/compat.ts";
import * as tf from "../../src/index.ts";
import { compareWithRecording, type Made, parameter } from "./library-programs.ts";

const la = tf.linalg;
type Operator = tf.linalg.LinearOperator;
const made = (fetch: unknown, feeds?: tf.Feeds): Made => (feeds === undefined ? { fetch } : { fetch, feeds });
const array = (values: readonly number[], shape: readonly number[], dtype: tf.DType = "float32"): tf.NDArray =>
  tf.NDArray.from(values, dtype, shape);
const onesOf = (shape: readonly number[], dtype: tf.DType = "float32"): tf.NDArray =>
  array(Array(shape.reduce((a, b) => a * b, 1)).fill(1), shape, dtype);
const counting = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const complexes = (parts: readonly (readonly [number, number])[], shape: readonly number[]): tf.Tensor =>
  tf.constant(
    tf.NDArray.from(
      parts.map(([re, im]) => ({ re, im })),
      "complex64",
      shape,
    ),
  );

/** What an operator gives, method by method: those that it has for its hints. */
function used(op: Operator): tf.Tensor[] {
  const { dtype } = op;
  const n = op.domainDimension.value as number;
  const x = counting(n * 2).map(i => (i % 5) - 1.5);
  const column = (k: number): tf.NDArray =>
    array(
      x.filter((_, i) => i % 2 === k),
      [n],
      dtype,
    );
  const rows = [0, 1].flatMap(k => x.filter((_, i) => i % 2 === k));
  const [given, turned] = [array(x, [n, 2], dtype), array(rows, [2, n], dtype)];
  const out = [op.shapeTensor(), op.batchShapeTensor(), op.domainDimensionTensor(), op.rangeDimensionTensor(), op.tensorRankTensor()];
  out.push(op.matmul(given), op.matvec(column(0)), op.matmul(turned, { adjointArg: true }), op.toDense(), op.diagPart(), op.cond());
  if (op.isSquare) {
    out.push(op.matmul(given, { adjoint: true }), op.matvec(column(1), { adjoint: true }), op.trace());
    const batch = op.batchShape.asNumbers();
    const count = batch.reduce((a, b) => a * b, 1);
    const eye = counting(count * n * n).map(i => (Math.floor(i / n) % n === i % n ? 1 : 0));
    out.push(op.addToTensor(array(eye, [...batch, n, n], dtype)), op.determinant());
    if (op.isNonSingular) {
      out.push(op.logAbsDeterminant(), op.solve(given), op.solve(given, { adjoint: true }), op.solve(turned, { adjointArg: true }));
      out.push(op.solvevec(column(0)), op.inverse().toDense());
    }
    out.push(op.adjoint().toDense());
  }
  if (op.isSelfAdjoint) {
    out.push(op.eigvals());
    if (op.isPositiveDefinite) out.push(op.cholesky().toDense());
  }
  return out;
}

type Check = "assertNonSingular" | "assertPositiveDefinite" | "assertSelfAdjoint";
const checks = (op: Operator, ...names: Check[]): tf.Tensor =>
  tf.controlDependencies(
    names.map(name => op[name]()),
    () => tf.identity(op.toDense()),
  );
const allChecks: Check[] = ["assertNonSingular", "assertPositiveDefinite", "assertSelfAdjoint"];

const definite: Readonly<Record<number, number[][]>> = {
  2: [
    [2.19, 0.06],
    [0.06, 2.05],
  ],
  3: [
    [3.24, 0.0, 0.52],
    [0.0, 3.12, 0.14],
    [0.52, 0.14, 4.49],
  ],
};
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
const C = (): tf.Tensor =>
  complexes(
    [
      [2, 1],
      [0, 1],
      [1, -1],
      [3, 0],
    ],
    [2, 2],
  );
const tall = [
  [1, 2],
  [0, 1],
  [2, 2],
];
const isNonSingular = true;
const isPositiveDefinite = true;
const both = { isSelfAdjoint: true, isPositiveDefinite };
const full = (matrix: tf.TensorLike, name: string, options: object = {}): Operator =>
  new la.LinearOperatorFullMatrix(parameter(matrix, name), options);
const diagonal = (values: tf.TensorLike, name: string, options: object = {}): Operator =>
  new la.LinearOperatorDiag(parameter(values, name), options);

const programs: Readonly<Record<string, () => Made>> = {
  diag: () =>
    made(
      used(
        diagonal(
          [
            [1, 2, 3],
            [0.5, 4, 1],
          ],
          "d",
          { isPositiveDefinite },
        ),
      ),
    ),
  diag_complex() {
    const op = new la.LinearOperatorDiag(
      complexes(
        [
          [1, 1],
          [2, -1],
        ],
        [2],
      ),
      { isNonSingular },
    );
    return made([...used(op), (op.H as tf.linalg.LinearOperatorDiag).diag, checks(op, "assertNonSingular", "assertPositiveDefinite")]);
  },
  diag_asserts: () => made(checks(diagonal([1, 2], "d"), ...allChecks)),
  diag_fails: () => made(checks(new la.LinearOperatorDiag(tf.placeholderWithDefault(Float32Array.of(1, 0), [2])), "assertNonSingular")),
  diag_open() {
    const d = tf.placeholder("float32", null, { name: "d" });
    const op = new la.LinearOperatorDiag(d);
    const x = tf.placeholder("float32", null, { name: "x" });
    const fetch = [op.matmul(x), op.shapeTensor(), op.batchShapeTensor(), op.tensorRankTensor(), op.solve(x)];
    return made(
      fetch,
      new Map<tf.Tensor, tf.ArrayLike>([
        [d, [[1, 2]]],
        [x, [[3], [4]]],
      ]),
    );
  },
  lower() {
    const op = new la.LinearOperatorLowerTriangular(parameter(L, "l"), { isNonSingular });
    return made([...used(op), checks(op, "assertNonSingular")]);
  },
  full: () => made(used(full(M, "m", { isNonSingular }))),
  full_definite() {
    const op = full(definite[3], "m", both);
    return made([...used(op), checks(op, ...allChecks)]);
  },
  full_wide: () => made(used(full(M.slice(0, 2), "m"))),
  full_complex: () => made(used(new la.LinearOperatorFullMatrix(C(), { isNonSingular }))),
  full_batch_solve() {
    const op = full(M, "m");
    const rhs = counting(24).map(i => i % 7);
    const whole = array(rhs, [4, 3, 2]);
    const first = array(
      rhs.filter((_, i) => i % 2 === 0),
      [4, 3, 1],
    );
    return made([op.solve(whole), op.solve(whole, { adjoint: true }), op.solve(first), checks(op, "assertNonSingular")]);
  },
  full_open() {
    const m = tf.placeholder("float32", null, { name: "m" });
    const op = new la.LinearOperatorFullMatrix(m, { isSquare: true });
    const fetch = [op.matvec(Float32Array.of(1, 2)), op.toDense(), op.shapeTensor(), op.domainDimensionTensor(), op.determinant()];
    return made(
      [...fetch, op.solvevec(Float32Array.of(1, 1)), op.trace()],
      new Map([
        [
          m,
          [
            [2, 1],
            [1, 3],
          ],
        ],
      ]),
    );
  },
  identity() {
    const op = new la.LinearOperatorIdentity(3, { batchShape: [2] });
    return made([...used(op), ...used(new la.LinearOperatorIdentity(2, { dtype: "float64" })), checks(op, ...allChecks)]);
  },
  identity_checked() {
    const op = new la.LinearOperatorIdentity(tf.placeholderWithDefault(array([2], [], "int32"), []), { assertProperShapes: true });
    return made([op.matmul(array([1, 2], [2, 1])), op.toDense(), op.trace(), op.eigvals()]);
  },
  identity_open() {
    const n = tf.placeholder("int32", [], { name: "n" });
    const batchShape = tf.placeholder("int32", [null], { name: "b" });
    const op = new la.LinearOperatorIdentity(n, { batchShape });
    const fetch = [op.toDense(), op.matmul(array([1, 2], [2, 1])), op.trace(), op.determinant(), op.diagPart()];
    return made(
      fetch,
      new Map<tf.Tensor, tf.ArrayLike>([
        [n, 2],
        [batchShape, [3]],
      ]),
    );
  },
  scaled() {
    const op = new la.LinearOperatorScaledIdentity(3, parameter([2, -0.5], "k"), { isNonSingular });
    const other = used(op);
    const three = tf.NDArray.from(3, "float32");
    const rest = used(new la.LinearOperatorScaledIdentity(2, three, { isPositiveDefinite }));
    return made([...other, ...rest, checks(op, "assertNonSingular", "assertSelfAdjoint")]);
  },
  scaled_complex: () => made(used(new la.LinearOperatorScaledIdentity(2, complexes([[1, 2]], []), { isNonSingular }))),
  zeros() {
    const op = new la.LinearOperatorZeros(3, { batchShape: [2] });
    const wide = new la.LinearOperatorZeros(2, { numColumns: 3, isSquare: false, isSelfAdjoint: false });
    const [x, turned] = [onesOf([3, 2]), onesOf([2, 3])];
    const square = [op.matmul(x), op.matmul(turned, { adjointArg: true }), op.toDense(), op.diagPart(), op.trace()];
    square.push(op.determinant(), op.eigvals(), op.shapeTensor());
    return made([...square, wide.matmul(x), wide.toDense(), wide.diagPart()]);
  },
  products() {
    const d = diagonal([1, 2, 3], "d", { isNonSingular });
    const e = new la.LinearOperatorDiag(Float32Array.of(2, 1, 0.5), { isPositiveDefinite });
    const s = new la.LinearOperatorScaledIdentity(3, parameter(2, "s"), { isNonSingular });
    const i = new la.LinearOperatorIdentity(3);
    const t = new la.LinearOperatorLowerTriangular(array(L.flat(), [3, 3]), { isNonSingular });
    const m = full(M, "m", { isNonSingular });
    const z = new la.LinearOperatorZeros(3);
    const all: Operator[] = [d, s, i, t, m].flatMap(a => [d, e, s, i, t, m, z].map(b => a.matmul(b)));
    all.push(z.matmul(m));
    all.push(...[d, s, i, t, m].flatMap(a => [e, s, i, t, m].map(b => a.solve(b))));
    all.push(m.matmul(m, { adjoint: true }), m.inverse().solve(t), m.inverse().inverse(), m.adjoint().adjoint());
    const dense = all.map(op => op.toDense());
    return made([...dense, tf.constant(all.map(op => `${op.name}/${op.constructor.name}`))]);
  },
  composition() {
    const op = new la.LinearOperatorComposition([full(M.slice(0, 2), "a"), full(tall, "b")]);
    const x = onesOf([2, 1]);
    return made([op.matmul(x), op.matmul(x, { adjoint: true }), op.toDense(), op.trace(), op.shapeTensor(), op.cond()]);
  },
  composition_cholesky() {
    const t = new la.LinearOperatorLowerTriangular(parameter(L, "l"), { isNonSingular });
    const op = new la.LinearOperatorComposition([t, t.H]);
    const fetch = [...used(op), checks(op, "assertNonSingular")];
    return made([...fetch, tf.constant([op.isSelfAdjoint as boolean, op.isPositiveDefinite as boolean])]);
  },
  composition_open() {
    const a = tf.placeholder("float32", [null, null, 2], { name: "a" });
    const op = new la.LinearOperatorComposition([new la.LinearOperatorFullMatrix(a), new la.LinearOperatorDiag(Float32Array.of(1, 2))]);
    return made([op.toDense(), op.shapeTensor(), op.matvec(Float32Array.of(1, 1))], new Map([[a, onesOf([2, 3, 2])]]));
  },
  adjoint: () => made(used(new la.LinearOperatorAdjoint(full(M, "m", { isNonSingular })))),
  adjoint_complex: () => made(used(new la.LinearOperatorAdjoint(new la.LinearOperatorFullMatrix(C(), { isNonSingular })))),
  inversion: () => made(used(new la.LinearOperatorInversion(full(definite[3], "m", both)))),
  kronecker() {
    const op = new la.LinearOperatorKronecker([full(definite[2], "a", both), diagonal([1, 3], "b", { isPositiveDefinite })]);
    return made([...used(op), checks(op, "assertNonSingular", "assertSelfAdjoint")]);
  },
  kronecker_wide() {
    const op = new la.LinearOperatorKronecker([full(tall, "a"), full([[1, 2]], "b")]);
    return made([op.matmul(onesOf([4, 2])), op.matmul(onesOf([3, 2]), { adjoint: true }), op.toDense(), op.shapeTensor()]);
  },
  kronecker_complex() {
    const a = new la.LinearOperatorFullMatrix(C(), { isNonSingular });
    return made(
      used(
        new la.LinearOperatorKronecker([
          a,
          new la.LinearOperatorDiag(
            complexes(
              [
                [0, 1],
                [2, 0],
              ],
              [2],
            ),
            { isNonSingular },
          ),
        ]),
      ),
    );
  },
  block_diag() {
    const a = full(definite[2], "a", both);
    const op = new la.LinearOperatorBlockDiag([a, diagonal([[1, 3, 2]], "b", { isPositiveDefinite })]);
    const parts = [tf.constant([[1], [2]], "float32"), tf.constant([[3], [4], [5]], "float32")];
    const vectors = (): tf.Tensor[] => [tf.constant([1, 2], "float32"), tf.constant([1, 1, 1], "float32")];
    const more = [op.matmul(parts), op.solve(parts), op.matvec(vectors()), op.solvevec(vectors())].flat();
    return made([...used(op), ...more, op.matmul(op).toDense(), op.solve(op).toDense(), checks(op, ...allChecks)]);
  },
  block_diag_wide() {
    const op = new la.LinearOperatorBlockDiag([full(M.slice(0, 2), "a"), full([[2], [1]], "b")], { isSquare: null });
    return made([op.matmul(onesOf([4, 2])), op.matmul(onesOf([4, 1]), { adjoint: true }), op.toDense(), op.shapeTensor()]);
  },
  block_lower() {
    const [a, b] = [full(M, "a", { isNonSingular }), full(M.slice(0, 2), "b")];
    const op = new la.LinearOperatorBlockLowerTriangular([[a], [b, diagonal([2, 4], "d", { isNonSingular })]]);
    const parts = [tf.constant([[1], [2], [3]], "float32"), tf.constant([[3], [4]], "float32")];
    return made([...used(op), ...op.matmul(parts), ...op.solve(parts), ...op.solve(parts, { adjoint: true })]);
  },
  block_lower_diagonal() {
    const given = { d: [2, 4], e: [1, -1], f: [3, 5] };
    const [d, e, f] = Object.entries(given).map(([name, values]) => diagonal(values, name, { isNonSingular }));
    const s = new la.LinearOperatorScaledIdentity(2, tf.NDArray.from(2, "float32"), { isNonSingular });
    const t = new la.LinearOperatorLowerTriangular(array([1, 0, 2, 3], [2, 2]), { isNonSingular });
    const op = new la.LinearOperatorBlockLowerTriangular([[d], [e, f], [t, s, s]]);
    return made([op.inverse().toDense(), op.toDense(), op.determinant(), op.solvevec(onesOf([6]))]);
  },
  householder() {
    const op = new la.LinearOperatorHouseholder(parameter([[1, 2, -1]], "v"), { isNonSingular });
    return made([...used(op), checks(op, "assertNonSingular", "assertSelfAdjoint")]);
  },
  permutation() {
    const fetch = used(new la.LinearOperatorPermutation([2, 0, 1], { isNonSingular }));
    return made([
      ...fetch,
      new la.LinearOperatorPermutation(
        tf.constant(
          [
            [1, 0],
            [0, 1],
          ],
          "int32",
        ),
        { dtype: "float64" },
      ).toDense(),
    ]);
  },
  toeplitz() {
    const [col, row] = [parameter([4, 2, 1], "c"), parameter([4, -1, 0.5], "r")];
    return made(used(new la.LinearOperatorToeplitz(col, row, { isNonSingular })));
  },
  circulant() {
    const op = new la.LinearOperatorCirculant(tf.constant([3, 1, 2], "float32"), { isPositiveDefinite });
    return made([...used(op), op.convolutionKernel(), op.matmul(op).toDense(), op.solve(op).toDense(), checks(op, ...allChecks)]);
  },
  circulant_real() {
    const spectrum = complexes(
      [
        [3, 0],
        [1, 1],
        [1, -1],
      ],
      [3],
    );
    const op = new la.LinearOperatorCirculant(spectrum, { inputOutputDtype: "float32", isNonSingular });
    const fetch = [op.matmul(onesOf([3, 2])), op.toDense(), op.trace(), op.diagPart(), op.convolutionKernel()];
    return made([...fetch, op.solvevec(array([0, 1, 2], [3])), op.cond()]);
  },
  circulant_2d() {
    const op = new la.LinearOperatorCirculant2D(
      tf.constant(
        [
          [3, 1, 2],
          [1, 4, 1.5],
        ],
        "float32",
      ),
      { isPositiveDefinite },
    );
    const x = array(counting(6), [6, 1], "complex64");
    const fetch = [
      op.matmul(x),
      op.matmul(x, { adjoint: true }),
      op.solve(x),
      op.toDense(),
      op.trace(),
      op.diagPart(),
      op.eigvals(),
      op.cond(),
    ];
    const more = [op.determinant(), op.logAbsDeterminant(), op.inverse().toDense(), op.shapeTensor(), op.blockShapeTensor()];
    return made([...fetch, ...more]);
  },
  circulant_3d() {
    const spectrum = complexes(
      counting(8).map(i => [i + 1, 0.5] as const),
      [2, 2, 2],
    );
    const op = new la.LinearOperatorCirculant3D(spectrum, { isNonSingular });
    const x = onesOf([8, 1], "complex64");
    const fetch = [op.matmul(x), op.matmul(x, { adjoint: true }), op.solve(x), op.trace(), op.diagPart(), op.determinant()];
    return made([...fetch, op.adjoint().toDense()]);
  },
  circulant_open() {
    const s = tf.placeholder("float32", null, { name: "s" });
    const op = new la.LinearOperatorCirculant(s);
    const fetch = [op.matmul(onesOf([2, 1], "complex64")), op.shapeTensor(), op.trace(), op.diagPart(), op.eigvals()];
    return made(fetch, new Map([[s, [1, 2]]]));
  },
  low_rank() {
    const base = diagonal([1, 2, 3], "base", { isPositiveDefinite });
    return made(
      used(
        new la.LinearOperatorLowRankUpdate(
          base,
          parameter(
            [
              [1, 2],
              [0.5, 1],
              [-1, 0],
            ],
            "u",
          ),
        ),
      ),
    );
  },
  low_rank_general() {
    const base = full(M, "base", { isNonSingular });
    const u = parameter([[1], [0.5], [-1]], "u");
    const [diagUpdate, v] = [parameter([2], "d"), parameter([[1], [1], [0]], "v")];
    return made(used(new la.LinearOperatorLowRankUpdate(base, u, { diagUpdate, v, isNonSingular })));
  },
  low_rank_diagonal() {
    const u = (): tf.Tensor =>
      parameter(
        [
          [1, 2],
          [0.5, 1],
          [-1, 0],
        ],
        "u",
      );
    const base = new la.LinearOperatorIdentity(3);
    const update = u();
    const options = { diagUpdate: parameter([1, 2], "d"), isDiagUpdatePositive: true };
    return made(used(new la.LinearOperatorLowRankUpdate(base, update, options)));
  },
  tridiag: () =>
    made(
      used(
        new la.LinearOperatorTridiag(
          parameter(
            [
              [1, 2, 0],
              [4, 5, 6],
              [0, -1, 1],
            ],
            "d",
          ),
          { isNonSingular },
        ),
      ),
    ),
  tridiag_sequence() {
    const given = Object.entries({ a: [1, 2, 0], b: [4, 5, 6], c: [0, 1, 2] }).map(([name, values]) => parameter(values, name));
    const op = new la.LinearOperatorTridiag(given, { diagonalsFormat: "sequence", isNonSingular });
    return made([...used(op), checks(op, "assertSelfAdjoint")]);
  },
  tridiag_matrix() {
    const matrix = parameter(
      [
        [4, 1, 0],
        [1, 5, 2],
        [0, 2, 6],
      ],
      "m",
    );
    const op = new la.LinearOperatorTridiag(matrix, { diagonalsFormat: "matrix", isNonSingular });
    return made([...used(op), checks(op, "assertSelfAdjoint")]);
  },
  tridiagonal_solves() {
    const d = tf.constant(
      [
        [1, 2, 0],
        [4, 5, 6],
        [0, -1, 1],
      ],
      "float32",
    );
    const first = la.tridiagonalSolve(d, tf.constant(array([1, 2, 3], [3])));
    const second = la.tridiagonalSolve(d, tf.constant([[1, 2, 3]], "float32"), { transposeRhs: true });
    const list = [
      [1, 2],
      [4, 5, 6],
      [-1, 1],
    ].map(values => tf.constant(values, "float32"));
    return made([first, second, la.tridiagonalSolve(list, tf.ones([3, 1]), { diagonalsFormat: "sequence" })]);
  },
};

const one = (): tf.NDArray => onesOf([1]);
const unit = (n: number): Operator => new la.LinearOperatorIdentity(n);
const unknown = (rows = M): Operator => new la.LinearOperatorFullMatrix(array(rows.flat(), [rows.length, 3]));
const diag1 = (options: object = {}): Operator => new la.LinearOperatorDiag(one(), options);
const refused: Readonly<Record<string, () => unknown>> = {
  square_hint: () => new la.LinearOperatorFullMatrix(array(M.flat(), [3, 3]), { isNonSingular, isSquare: false }),
  singular_definite: () => new la.LinearOperatorFullMatrix(array(M.flat(), [3, 3]), { isNonSingular: false, isPositiveDefinite }),
  adjoint_square: () => new la.LinearOperatorFullMatrix(array(M.flat(), [3, 3]), { isSelfAdjoint: true, isSquare: false }),
  square_said_no: () => new la.LinearOperatorFullMatrix(array(M.flat(), [3, 3]), { isSquare: false }).isSquare,
  diag_scalar: () => new la.LinearOperatorDiag(tf.NDArray.from(1, "float32")),
  diag_hint: () => diag1({ isSelfAdjoint: false }),
  integer_matrix: () => new la.LinearOperatorFullMatrix(array([1], [1, 1], "int32")),
  vector_matrix: () => new la.LinearOperatorFullMatrix(one()),
  vector_tril: () => new la.LinearOperatorLowerTriangular(one()),
  matmul_type: () => diag1().matmul(tf.constant(array([1], [1, 1], "int32"))),
  matmul_size: () => diag1().matmul(onesOf([2, 1])),
  product_size: () => diag1().matmul(new la.LinearOperatorDiag(onesOf([2]))),
  solve_size: () => diag1().solve(new la.LinearOperatorDiag(onesOf([2]))),
  solve_singular: () => diag1({ isNonSingular: false }).solve(onesOf([1, 1])),
  solve_wide: () => unknown(M.slice(0, 2)).solve(onesOf([2, 1])),
  det_wide: () => unknown(M.slice(0, 2)).determinant(),
  inverse_wide: () => unknown(M.slice(0, 2)).inverse(),
  inverse_singular: () => diag1({ isNonSingular: false }).inverse(),
  cholesky_unknown: () => unknown().cholesky(),
  eigvals_unknown: () => unknown().eigvals(),
  definite_unknown: () => unknown().assertPositiveDefinite(),
  identity_hint: () => new la.LinearOperatorIdentity(2, { isNonSingular: null }),
  identity_rows: () => unit(-1),
  identity_float: () => unit(2.5),
  identity_vector: () => new la.LinearOperatorIdentity([2]),
  identity_batch: () => new la.LinearOperatorIdentity(2, { batchShape: 3 }),
  identity_negative_batch: () => new la.LinearOperatorIdentity(2, { batchShape: [3, -2] }),
  zeros_square: () => new la.LinearOperatorZeros(2, { numColumns: 3 }),
  zeros_inverse: () => new la.LinearOperatorZeros(2).assertNonSingular(),
  zeros_definite: () => new la.LinearOperatorZeros(2, { isPositiveDefinite }),
  composition_none: () => new la.LinearOperatorComposition([]),
  composition_types: () => new la.LinearOperatorComposition([diag1(), new la.LinearOperatorIdentity(1, { dtype: "float64" })]),
  composition_sizes: () => new la.LinearOperatorComposition([unit(2), unit(3)]).shape,
  composition_hint: () => new la.LinearOperatorComposition([unit(2)], { isNonSingular: false }),
  inversion_singular: () => new la.LinearOperatorInversion(diag1(), { isNonSingular: false }),
  inversion_hint: () => new la.LinearOperatorInversion(unit(1), { isSelfAdjoint: false }),
  kronecker_hint: () => new la.LinearOperatorKronecker([unit(1)], { isSelfAdjoint: false }),
  kronecker_none: () => new la.LinearOperatorKronecker([]),
  block_counts: () => new la.LinearOperatorBlockDiag([unit(1), unit(1)]).matmul(new la.LinearOperatorBlockDiag([unit(2)])),
  block_rows: () => new la.LinearOperatorBlockLowerTriangular([[unit(1)], [unit(1)]]),
  block_sizes: () => new la.LinearOperatorBlockLowerTriangular([[unit(1)], [unit(2), unit(2)]]),
  block_hint: () => new la.LinearOperatorBlockLowerTriangular([[unit(1)]], { isNonSingular: false }),
  householder_definite: () => new la.LinearOperatorHouseholder(one(), { isPositiveDefinite }),
  householder_assert: () => new la.LinearOperatorHouseholder(one()).assertPositiveDefinite(),
  permutation_twice: () => new la.LinearOperatorPermutation([0, 0]),
  permutation_float: () => new la.LinearOperatorPermutation(array([0], [1])),
  permutation_hint: () => new la.LinearOperatorPermutation([0], { isSquare: false }),
  toeplitz_sizes: () => new la.LinearOperatorToeplitz(one(), onesOf([2])),
  circulant_depth: () => new la.LinearOperatorCirculant2D(one()),
  circulant_hint: () => new la.LinearOperatorCirculant(one(), { isSelfAdjoint: false }),
  low_rank_hint: () => new la.LinearOperatorLowRankUpdate(unit(2), onesOf([2, 1]), { isSelfAdjoint: false }),
  low_rank_sizes: () => new la.LinearOperatorLowRankUpdate(unit(2), onesOf([1, 1])),
  tridiag_format: () => new la.LinearOperatorTridiag(onesOf([1, 1]), { diagonalsFormat: "rows" as "matrix" }),
  tridiagonal_rows: () => la.tridiagonalSolve(tf.ones([2, 3]), tf.ones([3])),
  tridiagonal_pivots: () => la.tridiagonalSolve(tf.ones([3, 3]), tf.ones([3]), { partialPivoting: false, perturbSingular: true }),
};

const refusals = Object.entries(refused).map(([name, make]) => [`refused_${name}`, () => made(make())] as const);

describe("tf.linalg.LinearOperator", () => {
  compareWithRecording("linear-operators", { ...programs, ...Object.fromEntries(refusals) });

  it("is the same under TensorFlow's names", async () => {
    using _ = new tf.Graph().asDefault();
    const op = compat.linalg.LinearOperatorDiag([1.5, 2.5], { is_positive_definite: true, name: "mine" });
    expect([op.is_self_adjoint, op.is_non_singular, op.is_square, op.domain_dimension.value, String(op.batch_shape)]).toEqual([
      true,
      true,
      true,
      2,
      "()",
    ]);
    const [x, size] = (await new compat.Session().run([op.solvevec([3, 5]), op.log_abs_determinant()])) as tf.NDArray[];
    expect(x.toArray()).toEqual([2, 2]);
    expect(size.item()).toBeCloseTo(Math.log(3.75), 5);
  });

  it("lets classes of one's own define hooks", async () => {
    using _ = new tf.Graph().asDefault();
    class Doubled extends la.LinearOperator {
      constructor() {
        super("float32", { isSelfAdjoint: true });
      }
      protected override _shape(): tf.TensorShape {
        return new tf.TensorShape([2, 2]);
      }
      protected override _matmul(x: tf.Tensor): tf.Tensor {
        return tf.multiply(x, 2);
      }
    }
    const op = new Doubled();
    const values = (await new tf.Session().run([op.toDense(), op.trace(), op.determinant(), op.eigvals()])) as tf.NDArray[];
    expect(values.map(value => value.toArray())).toEqual([
      [
        [2, 0],
        [0, 2],
      ],
      4,
      4,
      [2, 2],
    ]);
  });
});
