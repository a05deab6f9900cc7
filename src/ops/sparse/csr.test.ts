// Sparse matrices by rows: values, errors and gradients that TensorFlow 2.21 gives on a CPU. It has no CPU kernel for sums, scaling, softmax and empty
// matrices: those are held against the same in dense tensors.

import * as tf from "tensorloom";
import { describe, expect, test } from "vitest";
import { expectClose, valuesOf } from "../../../test/values.ts";

const raw = tf.rawOps;
const A = [
  [0, 2, 0],
  [1, 0, 3],
];
const B = [
  [5, 0, 0],
  [0, 0, 7],
];
const turnedA = [
  [0, 1],
  [2, 0],
  [0, 3],
];
const x = [
  [0, 1],
  [2, 3],
  [4, 5],
];
const turnedX = [
  [0, 2, 4],
  [1, 3, 5],
];
const type = "float32";

const sparse = (dense: tf.TensorLike): tf.Tensor => {
  const denseInput = tf.convertToTensor(dense);
  return raw.DenseToCSRSparseMatrix({ denseInput, indices: tf.where(tf.notEqual(denseInput, tf.zerosLike(denseInput))) });
};
const dense = (sparseInput: tf.Tensor, as: tf.DType = type): tf.Tensor => raw.CSRSparseMatrixToDense({ sparseInput, type: as });
const components = (csrSparseMatrix: tf.Tensor, index: tf.TensorLike = tf.constant(0, "int32")): tf.Tensor[] => {
  const { rowPtrs, colInds, values } = raw.CSRSparseMatrixComponents({ csrSparseMatrix, index, type });
  return [rowPtrs, colInds, values];
};
const tensors = (sparseMatrix: tf.Tensor): tf.Tensor[] => {
  const { indices, values, denseShape } = raw.CSRSparseMatrixToSparseTensor({ sparseMatrix, type });
  return [indices, values, denseShape];
};
const ints = (values: tf.TensorLike): tf.Tensor => tf.constant(values as never, "int32");
const longs = (values: tf.TensorLike): tf.Tensor => tf.constant(values as never, "int64");
const fromCoo = (indices: number[][], values: number[], shape: number[]): tf.Tensor =>
  raw.SparseTensorToCSRSparseMatrix({ indices: longs(indices), values: tf.constant(values, type), denseShape: longs(shape) });
const zeros = (shape: number[]): tf.Tensor => raw.SparseMatrixZeros({ denseShape: longs(shape), type });
const count = (sparseMatrix: tf.Tensor): tf.Tensor => raw.SparseMatrixNNZ({ sparseMatrix });
const flip = (input: tf.Tensor, as: tf.DType = type): tf.Tensor => raw.SparseMatrixTranspose({ input, type: as });
type Turns = Partial<Record<"transposeA" | "transposeB" | "adjointA" | "adjointB", boolean>>;
const times = (
  a: tf.TensorLike,
  b: tf.TensorLike,
  turns: Turns & { transposeOutput?: boolean; conjugateOutput?: boolean } = {},
): tf.Tensor => raw.SparseMatrixMatMul({ a: sparse(a), b, ...turns });
const product = (a: tf.TensorLike, b: tf.TensorLike, turns: Turns = {}, as: tf.DType = type): tf.Tensor =>
  raw.SparseMatrixSparseMatMul({ a: sparse(a), b: sparse(b), type: as, ...turns });
const sum = (a: tf.TensorLike, b: tf.TensorLike, alpha: number, beta: number): tf.Tensor =>
  raw.SparseMatrixAdd({ a: sparse(a), b: sparse(b), alpha, beta });
const scaled = (a: tf.TensorLike, b: tf.TensorLike): tf.Tensor => raw.SparseMatrixMul({ a: sparse(a), b });
const softmax = (logits: tf.Tensor): tf.Tensor => raw.SparseMatrixSoftmax({ logits, type });
const batch = [A, B];
const batchX = [x, x.map(row => row.map(value => value + 1))];
const AB = [
  [0, 0],
  [5, 21],
];

/** [re, im] pairs as complex numbers. */
const complex = (pairs: number[][][]): tf.Tensor => {
  const part = (k: number): tf.Tensor =>
    tf.constant(
      pairs.map(row => row.map(pair => pair[k])),
      type,
    );
  return tf.complex(part(0), part(1));
};
const Z = [
  [
    [0, 0],
    [2, 1],
    [0, 0],
  ],
  [
    [1, -2],
    [0, 0],
    [0, 3],
  ],
];
const ZX = [
  [
    [1, 0],
    [0, 2],
  ],
  [
    [0, 1],
    [1, 0],
  ],
  [
    [2, 0],
    [1, -1],
  ],
];
const swapped = (pairs: number[][][]): number[][][] => pairs[0].map((_, j) => pairs.map(row => row[j]));
const sparseZ = (): tf.Tensor =>
  raw.DenseToCSRSparseMatrix({
    denseInput: complex(Z),
    indices: longs([
      [0, 1],
      [1, 0],
      [1, 2],
    ]),
  });
const pairsOf = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(pairsOf) : typeof value === "object" ? [(value as tf.Complex).re, (value as tf.Complex).im] : value;
const plain = (value: unknown): unknown => (Array.isArray(value) ? value.map(plain) : typeof value === "bigint" ? Number(value) : value);

describe("values", () => {
  test.each<[string, () => tf.Tensor[], unknown[]]>([
    ["dense and back", () => [dense(sparse(A)), dense(sparse(batch))], [A, batch]],
    [
      "components",
      () => components(sparse(A)),
      [
        [0, 1, 3],
        [1, 0, 2],
        [2, 1, 3],
      ],
    ],
    [
      "components of the second",
      () => components(sparse(batch), ints(1)),
      [
        [0, 1, 2],
        [0, 2],
        [5, 7],
      ],
    ],
    [
      "sparse tensor",
      () => tensors(sparse(A)),
      [
        [
          [0, 1],
          [1, 0],
          [1, 2],
        ],
        [2, 1, 3],
        [2, 3],
      ],
    ],
    [
      "sparse tensor of a batch",
      () => tensors(sparse(batch)),
      [
        [
          [0, 0, 1],
          [0, 1, 0],
          [0, 1, 2],
          [1, 0, 0],
          [1, 1, 2],
        ],
        [2, 1, 3, 5, 7],
        [2, 2, 3],
      ],
    ],
    ["counts", () => [count(sparse(A)), count(sparse(batch))], [3, [3, 2]]],
    [
      "from a sparse tensor",
      () => [
        dense(
          fromCoo(
            [
              [0, 1],
              [1, 2],
            ],
            [3, 4],
            [2, 3],
          ),
        ),
      ],
      [
        [
          [0, 3, 0],
          [0, 0, 4],
        ],
      ],
    ],
    [
      "from a sparse batch",
      () => [
        dense(
          fromCoo(
            [
              [1, 0, 1],
              [1, 1, 2],
            ],
            [3, 4],
            [2, 2, 3],
          ),
        ),
      ],
      [
        [
          [
            [0, 0, 0],
            [0, 0, 0],
          ],
          [
            [0, 3, 0],
            [0, 0, 4],
          ],
        ],
      ],
    ],
    [
      "entries of one place stay apart",
      () =>
        components(
          fromCoo(
            [
              [0, 1],
              [0, 1],
            ],
            [3, 4],
            [2, 3],
          ),
        ),
      [
        [0, 2, 2],
        [1, 1],
        [3, 4],
      ],
    ],
    [
      "the last of them counts",
      () => [
        dense(
          fromCoo(
            [
              [0, 1],
              [0, 1],
            ],
            [3, 4],
            [2, 3],
          ),
        ),
      ],
      [
        [
          [0, 4, 0],
          [0, 0, 0],
        ],
      ],
    ],
    [
      "columns keep their order",
      () =>
        components(
          fromCoo(
            [
              [0, 2],
              [0, 1],
            ],
            [3, 4],
            [2, 3],
          ),
        ),
      [
        [0, 2, 2],
        [2, 1],
        [3, 4],
      ],
    ],
    [
      "rows are found by place",
      () => [
        dense(
          fromCoo(
            [
              [1, 2],
              [0, 1],
            ],
            [3, 4],
            [2, 3],
          ),
        ),
      ],
      [
        [
          [0, 4, 0],
          [0, 0, 3],
        ],
      ],
    ],
    [
      "transposes",
      () => [dense(flip(sparse(A))), dense(flip(sparse(batch)))],
      [
        turnedA,
        [
          turnedA,
          [
            [5, 0],
            [0, 0],
            [0, 7],
          ],
        ],
      ],
    ],
    [
      "nothing",
      () => [dense(zeros([2, 3])), count(zeros([2, 2, 1]))],
      [
        [
          [0, 0, 0],
          [0, 0, 0],
        ],
        [0, 0],
      ],
    ],
    [
      "times dense",
      () => [
        times(A, x),
        times(A, turnedX, { transposeB: true }),
        times(A, x.slice(0, 2), { transposeA: true }),
        times(A, x, { transposeOutput: true }),
        times(A, x.slice(0, 2), { adjointA: true }),
        times(A, turnedX, { adjointB: true }),
      ],
      [
        [
          [4, 6],
          [12, 16],
        ],
        [
          [4, 6],
          [12, 16],
        ],
        [
          [2, 3],
          [0, 2],
          [6, 9],
        ],
        [
          [4, 12],
          [6, 16],
        ],
        [
          [2, 3],
          [0, 2],
          [6, 9],
        ],
        [
          [4, 6],
          [12, 16],
        ],
      ],
    ],
    [
      "batches times dense",
      () => [
        times(batch, batchX),
        times(
          batch,
          batchX.map(rows => rows.slice(0, 2)),
          { transposeA: true },
        ),
        times(batch, batchX, { transposeOutput: true }),
      ],
      [
        [
          [
            [4, 6],
            [12, 16],
          ],
          [
            [5, 10],
            [35, 42],
          ],
        ],
        [
          [
            [2, 3],
            [0, 2],
            [6, 9],
          ],
          [
            [5, 10],
            [0, 0],
            [21, 28],
          ],
        ],
        [
          [
            [4, 12],
            [6, 16],
          ],
          [
            [5, 35],
            [10, 42],
          ],
        ],
      ],
    ],
    [
      "times sparse",
      () => [
        dense(product(A, B, { transposeB: true })),
        dense(product(A, B, { transposeA: true })),
        dense(product(A, B, { adjointB: true })),
        dense(product(A, turnedA, { transposeA: true, transposeB: true })),
        dense(product(batch, batch, { transposeB: true })),
      ],
      [
        AB,
        [
          [0, 0, 7],
          [10, 0, 0],
          [0, 0, 21],
        ],
        AB,
        [
          [1, 0, 3],
          [0, 4, 0],
          [3, 0, 9],
        ],
        [
          [
            [4, 0],
            [0, 10],
          ],
          [
            [25, 0],
            [0, 49],
          ],
        ],
      ],
    ],
    [
      "a product's components",
      () => components(product(A, B, { transposeB: true })),
      [
        [0, 0, 2],
        [0, 1],
        [5, 21],
      ],
    ],
    [
      "zero sums stay entries",
      () =>
        components(
          product(
            [[1, 1]],
            [
              [1, 2],
              [-1, 3],
            ],
          ),
        ),
      [
        [0, 2],
        [0, 1],
        [0, 5],
      ],
    ],
    [
      "sums",
      () => [dense(sum(A, B, 2, -1)), count(sum(A, A, 1, -1)), dense(sum(batch, batch, 1, 1))],
      [
        [
          [-5, 4, 0],
          [2, 0, -1],
        ],
        3,
        [
          [
            [0, 4, 0],
            [2, 0, 6],
          ],
          [
            [10, 0, 0],
            [0, 0, 14],
          ],
        ],
      ],
    ],
    [
      "multiples",
      () => [dense(scaled(A, 3)), dense(scaled(batch, [[[2]], [[3]]]))],
      [
        [
          [0, 6, 0],
          [3, 0, 9],
        ],
        [
          [
            [0, 4, 0],
            [2, 0, 6],
          ],
          [
            [15, 0, 0],
            [0, 0, 21],
          ],
        ],
      ],
    ],
    [
      "softmax",
      () => [dense(softmax(sparse(A)))],
      [
        [
          [0, 1, 0],
          [1 / (1 + Math.exp(2)), 0, 1 / (1 + Math.exp(-2))],
        ],
      ],
    ],
  ])("%s", async (_, build, want) => {
    expectClose(plain(await valuesOf(build)), want);
  });

  test.each<[string, () => tf.Tensor, unknown]>([
    [
      "transpose",
      () => dense(flip(sparseZ(), "complex64"), "complex64"),
      [
        [
          [0, 0],
          [1, -2],
        ],
        [
          [2, 1],
          [0, 0],
        ],
        [
          [0, 0],
          [0, 3],
        ],
      ],
    ],
    [
      "conjugate transpose",
      () => dense(raw.SparseMatrixTranspose({ input: sparseZ(), conjugate: true, type: "complex64" }), "complex64"),
      [
        [
          [0, 0],
          [1, 2],
        ],
        [
          [2, -1],
          [0, 0],
        ],
        [
          [0, 0],
          [0, -3],
        ],
      ],
    ],
    [
      "times dense",
      () => raw.SparseMatrixMatMul({ a: sparseZ(), b: complex(ZX) }),
      [
        [
          [-1, 2],
          [2, 1],
        ],
        [
          [1, 4],
          [7, 5],
        ],
      ],
    ],
    [
      "adjoint of a",
      () => raw.SparseMatrixMatMul({ a: sparseZ(), b: complex(ZX.slice(0, 2)), adjointA: true }),
      [
        [
          [-2, 1],
          [1, 2],
        ],
        [
          [2, -1],
          [2, 4],
        ],
        [
          [3, 0],
          [0, -3],
        ],
      ],
    ],
    [
      "adjoint of b",
      () => raw.SparseMatrixMatMul({ a: sparseZ(), b: complex(swapped(ZX)), adjointB: true }),
      [
        [
          [1, -2],
          [2, 1],
        ],
        [
          [1, 4],
          [-7, 1],
        ],
      ],
    ],
    [
      "turned result",
      () => raw.SparseMatrixMatMul({ a: sparseZ(), b: complex(ZX), transposeOutput: true, conjugateOutput: true }),
      [
        [
          [-1, -2],
          [1, -4],
        ],
        [
          [2, -1],
          [7, -5],
        ],
      ],
    ],
    [
      "by its adjoint",
      () => dense(raw.SparseMatrixSparseMatMul({ a: sparseZ(), b: sparseZ(), type: "complex64", adjointB: true }), "complex64"),
      [
        [
          [5, 0],
          [0, 0],
        ],
        [
          [0, 0],
          [14, 0],
        ],
      ],
    ],
  ])("complex: %s", async (_, build, want) => {
    expectClose(pairsOf(await valuesOf(() => [build()])), [want]);
  });
});

describe("Cholesky factors", () => {
  const positive = [
    [4, 0, 1, 0],
    [0, 3, 0, 1],
    [1, 0, 5, 2],
    [0, 1, 2, 6],
  ];
  const factor = (input: tf.Tensor, permutation: number[] | number[][], as: tf.DType = type): tf.Tensor =>
    raw.SparseMatrixSparseCholesky({ input, permutation: ints(permutation), type: as });
  test("as they lie and permuted, with what is filled in", async () => {
    const got = await valuesOf(() => [
      ...components(factor(sparse(positive), [0, 1, 2, 3])),
      ...components(factor(sparse(positive), [2, 0, 3, 1])),
    ]);
    expectClose(got, [
      [0, 1, 2, 4, 7],
      [0, 1, 0, 2, 1, 2, 3],
      [2, 1.7320508, 0.5, 2.1794496, 0.57735026, 0.9176629, 2.1964884],
      [0, 1, 3, 6, 8],
      [0, 0, 1, 0, 1, 2, 2, 3],
      [2.236068, 0.4472136, 1.9493588, 0.8944272, -0.20519567, 2.2710998, 0.4403153, 1.6751485],
    ]);
  });
  test("of complex matrices and batches", async () => {
    const hermitian = [
      [
        [4, 0],
        [0, 1],
      ],
      [
        [0, -1],
        [3, 0],
      ],
    ];
    const factored = (permutation: number[]): tf.Tensor => {
      const indices = longs([
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1],
      ]);
      return dense(factor(raw.DenseToCSRSparseMatrix({ denseInput: complex(hermitian), indices }), permutation, "complex64"), "complex64");
    };
    expectClose(pairsOf(await valuesOf(() => [factored([0, 1]), factored([1, 0])])), [
      [
        [
          [2, 0],
          [0, 0],
        ],
        [
          [0, -0.5],
          [1.6583124, 0],
        ],
      ],
      [
        [
          [1.7320508, 0],
          [0, 0],
        ],
        [
          [0, 0.57735026],
          [1.9148543, 0],
        ],
      ],
    ]);
    const both = [
      [
        [4, 0, 1],
        [0, 3, 0],
        [1, 0, 5],
      ],
      [
        [5, 0, 1],
        [0, 4, 0],
        [1, 0, 6],
      ],
    ];
    expectClose(
      await valuesOf(() => [
        dense(
          factor(sparse(both), [
            [0, 1, 2],
            [2, 0, 1],
          ]),
        ),
        dense(
          factor(
            sparse([
              [4, 9],
              [1, 13],
            ]),
            [1, 0],
          ),
        ),
      ]),
      [
        [
          [
            [2, 0, 0],
            [0, 1.7320508, 0],
            [0.5, 0, 2.1794496],
          ],
          [
            [2.4494898, 0, 0],
            [0.40824828, 2.1984844, 0],
            [0, 0, 2],
          ],
        ],
        [
          [3.6055512, 0],
          [0.2773501, 1.9806758],
        ],
      ],
    );
  });
  test.each<[string, () => tf.Tensor, string]>([
    [
      "not positive",
      () =>
        factor(
          sparse([
            [1, 2],
            [2, 1],
          ]),
          [0, 1],
        ),
      "Sparse Cholesky factorization failed for batch index 0. The input might not be valid.",
    ],
    ["no permutation", () => factor(sparse(positive), [0, 1, 2, 2]), "permutation must hold each of the 4 rows once; got: [0,1,2,2]"],
  ])("refused: %s", async (_, build, message) => {
    const graph = new tf.Graph();
    const fetch = graph.asDefault(() => count(build()));
    await using session = new tf.Session({ graph });
    await expect(session.run(fetch)).rejects.toThrow(message);
  });
});

test("shapes are known while the graph is built", () => {
  new tf.Graph().asDefault(() => {
    const a = sparse(A);
    const texts = [
      a,
      dense(a),
      ...components(a),
      ...tensors(a),
      count(a),
      times(A, x),
      times(batch, batchX),
      dense(flip(a)),
      dense(zeros([2, 3])),
      dense(sum(A, B, 1, 1)),
      dense(product(A, A, { transposeB: true })),
      dense(softmax(a)),
      dense(scaled(A, 2)),
    ];
    expect(texts.map(({ shape }) => shape.toString())).toEqual([
      "()",
      "(2, 3)",
      "(3,)",
      "(?,)",
      "(?,)",
      "(?, 2)",
      "(?,)",
      "(2,)",
      "()",
      "(2, 2)",
      "(2, 2, 2)",
      "(3, 2)",
      "(2, 3)",
      "(2, 3)",
      "(2, 2)",
      "(2, 3)",
      "(2, 3)",
    ]);
  });
});

describe("gradients", () => {
  const counting = (rows: number, columns: number): number[][] =>
    Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) => 1 + i * columns + j));
  const gradients = (y: tf.Tensor, xs: tf.Tensor[], gradYs: tf.TensorLike): tf.Tensor[] =>
    tf.gradients(y, xs, { gradYs: [gradYs] }) as tf.Tensor[];
  const square = [
    [4, 0, 1],
    [0, 3, 0],
    [1, 0, 5],
  ];
  const other = [
    [1, 2, 0],
    [0, 0, 3],
    [4, 0, 5],
  ];
  const ofProduct = (turns: Turns) => (): tf.Tensor[] => {
    const [a, b] = [tf.constant(square), tf.constant(other)];
    return gradients(dense(product(a, b, turns)), [a, b], counting(3, 3));
  };
  test.each<[string, () => tf.Tensor[], unknown[]]>([
    [
      "times dense",
      () => {
        const [a, b] = [tf.constant(A), tf.constant(x)];
        return gradients(times(a, b), [a, b], counting(2, 2));
      },
      [
        [
          [0, 8, 0],
          [4, 0, 32],
        ],
        [
          [3, 4],
          [2, 4],
          [9, 12],
        ],
      ],
    ],
    [
      "transpose",
      () => {
        const a = tf.constant(A);
        return gradients(dense(flip(sparse(a))), [a], counting(3, 2));
      },
      [
        [
          [0, 3, 0],
          [2, 0, 6],
        ],
      ],
    ],
    [
      "from a sparse tensor",
      () => {
        const values = tf.constant([3, 4]);
        const matrix = raw.SparseTensorToCSRSparseMatrix({
          indices: longs([
            [0, 1],
            [1, 2],
          ]),
          values,
          denseShape: longs([2, 3]),
        });
        return gradients(dense(matrix), [values], counting(2, 3));
      },
      [[2, 6]],
    ],
    [
      "to a sparse tensor",
      () => {
        const a = tf.constant(A);
        return gradients(tensors(sparse(a))[1], [a], [1, 2, 3]);
      },
      [
        [
          [0, 1, 0],
          [2, 0, 3],
        ],
      ],
    ],
    [
      "times sparse, pruned",
      () => {
        const a = tf.constant(A);
        return gradients(dense(product(a, B, { transposeB: true })), [a], counting(2, 2));
      },
      [
        [
          [0, 0, 0],
          [15, 0, 28],
        ],
      ],
    ],
    [
      "turned b and result",
      () => {
        const [a, b] = [tf.constant(A), tf.constant(x)];
        return gradients(times(a, tf.transpose(b), { transposeB: true, transposeOutput: true }), [a, b], counting(2, 2));
      },
      [
        [
          [0, 11, 0],
          [4, 0, 28],
        ],
        [
          [2, 4],
          [2, 6],
          [6, 12],
        ],
      ],
    ],
    [
      "turned a",
      () => {
        const [a, b] = [tf.constant(A), tf.constant(x.slice(0, 2))];
        return gradients(times(a, b, { transposeA: true }), [a, b], counting(3, 2));
      },
      [
        [
          [0, 4, 0],
          [8, 0, 28],
        ],
        [
          [6, 8],
          [16, 20],
        ],
      ],
    ],
    [
      "times sparse",
      ofProduct({}),
      [
        [
          [5, 0, 19],
          [0, 18, 0],
          [23, 0, 73],
        ],
        [
          [11, 16, 0],
          [0, 0, 18],
          [36, 0, 48],
        ],
      ],
    ],
    [
      "turned a, sparse",
      ofProduct({ transposeA: true }),
      [
        [
          [5, 0, 23],
          [0, 18, 0],
          [19, 0, 73],
        ],
        [
          [11, 16, 0],
          [0, 0, 18],
          [36, 0, 48],
        ],
      ],
    ],
    [
      "turned b, sparse",
      ofProduct({ transposeB: true }),
      [
        [
          [13, 0, 21],
          [0, 8, 0],
          [43, 0, 69],
        ],
        [
          [11, 12, 0],
          [0, 0, 42],
          [21, 0, 48],
        ],
      ],
    ],
    [
      "both turned, sparse",
      ofProduct({ transposeA: true, transposeB: true }),
      [
        [
          [13, 0, 43],
          [0, 8, 0],
          [21, 0, 69],
        ],
        [
          [11, 12, 0],
          [0, 0, 42],
          [21, 0, 48],
        ],
      ],
    ],
    [
      "both adjoint, sparse",
      ofProduct({ adjointA: true, adjointB: true }),
      [
        [
          [13, 0, 43],
          [0, 8, 0],
          [21, 0, 69],
        ],
        [
          [11, 12, 0],
          [0, 0, 42],
          [21, 0, 48],
        ],
      ],
    ],
    [
      "adjoint and turned, sparse",
      ofProduct({ adjointA: true, transposeB: true }),
      [
        [
          [13, 0, 43],
          [0, 8, 0],
          [21, 0, 69],
        ],
        [
          [11, 12, 0],
          [0, 0, 42],
          [21, 0, 48],
        ],
      ],
    ],
    [
      "sums",
      () => {
        const [a, b] = [tf.constant(A), tf.constant(B)];
        const c = raw.SparseMatrixAdd({ a: sparse(a), b: sparse(b), alpha: 2, beta: 3 });
        return gradients(dense(c), [a, b], counting(2, 3));
      },
      [
        [
          [0, 4, 0],
          [8, 0, 12],
        ],
        [
          [3, 0, 0],
          [0, 0, 18],
        ],
      ],
    ],
    [
      "softmax",
      () => {
        const a = tf.constant(A);
        const rows = tf.constant(A.map(row => row.map(value => (value === 0 ? -1e9 : value))));
        const ours = gradients(dense(softmax(sparse(a))), [a], counting(2, 3));
        const [theirs] = gradients(tf.nn.softmax(rows), [rows], counting(2, 3));
        return [ours[0].sub(theirs)];
      },
      [
        [
          [0, 0, 0],
          [0, 0, 0],
        ],
      ],
    ],
    [
      "two uses add up",
      () => {
        const a = tf.constant(A);
        const matrix = sparse(a);
        return gradients(dense(matrix).add(tf.transpose(dense(flip(matrix)))), [a], A);
      },
      [
        [
          [0, 4, 0],
          [2, 0, 6],
        ],
      ],
    ],
  ])("%s", async (_, build, want) => {
    expectClose(await valuesOf(build), want);
  });

  const ofComplex = (turns: Turns & { transposeOutput?: boolean; conjugateOutput?: boolean }) => (): tf.Tensor[] => {
    const used = turns.transposeA || turns.adjointA ? ZX.slice(0, 2) : ZX;
    const [denseInput, b] = [complex(Z), complex(turns.transposeB || turns.adjointB ? swapped(used) : used)];
    const a = raw.DenseToCSRSparseMatrix({
      denseInput,
      indices: longs([
        [0, 1],
        [1, 0],
        [1, 2],
      ]),
    });
    const y = raw.SparseMatrixMatMul({ a, b, ...turns });
    const [rows, columns] = y.shape.asNumbers();
    const weights = counting(rows, columns).map(row => row.map(value => [value - 1, 1]));
    return gradients(y, [denseInput, b], complex(weights));
  };
  test.each([
    [
      {},
      [
        [
          [0, 0],
          [2, 1],
          [0, 0],
        ],
        [
          [4, -5],
          [0, 0],
          [6, 6],
        ],
      ],
      [
        [
          [0, 5],
          [1, 7],
        ],
        [
          [1, 2],
          [3, 1],
        ],
        [
          [3, -6],
          [3, -9],
        ],
      ],
    ],
    [
      { adjointA: true },
      [
        [
          [0, 0],
          [4, 5],
          [0, 0],
        ],
        [
          [2, -1],
          [0, 0],
          [6, 3],
        ],
      ],
      [
        [
          [3, 4],
          [5, 5],
        ],
        [
          [-1, 13],
          [0, 14],
        ],
      ],
    ],
    [
      { adjointB: true },
      [
        [
          [0, 0],
          [0, 1],
          [0, 0],
        ],
        [
          [0, 7],
          [0, 0],
          [8, 0],
        ],
      ],
      [
        [
          [0, -5],
          [1, -2],
          [3, 6],
        ],
        [
          [1, -7],
          [3, -1],
          [3, 9],
        ],
      ],
    ],
    [
      { adjointA: true, transposeB: true },
      [
        [
          [0, 0],
          [4, 5],
          [0, 0],
        ],
        [
          [2, -1],
          [0, 0],
          [6, 3],
        ],
      ],
      [
        [
          [3, 4],
          [-1, 13],
        ],
        [
          [5, 5],
          [0, 14],
        ],
      ],
    ],
    [
      { transposeA: true, adjointB: true },
      [
        [
          [0, 0],
          [0, 7],
          [0, 0],
        ],
        [
          [0, 1],
          [0, 0],
          [4, 5],
        ],
      ],
      [
        [
          [5, 0],
          [1, 11],
        ],
        [
          [7, 1],
          [2, 12],
        ],
      ],
    ],
    [
      { adjointA: true, transposeOutput: true },
      [
        [
          [0, 0],
          [3, 7],
          [0, 0],
        ],
        [
          [4, -1],
          [0, 0],
          [6, 1],
        ],
      ],
      [
        [
          [1, 3],
          [7, 6],
        ],
        [
          [-1, 7],
          [2, 10],
        ],
      ],
    ],
    [
      { adjointB: true, transposeOutput: true, conjugateOutput: true },
      [
        [
          [0, 0],
          [3, -1],
          [0, 0],
        ],
        [
          [3, 5],
          [0, 0],
          [4, -6],
        ],
      ],
      [
        [
          [3, -1],
          [-1, 2],
          [-3, 3],
        ],
        [
          [5, -5],
          [3, 4],
          [-3, 9],
        ],
      ],
    ],
  ])("complex: %o", async (turns, a, b) => {
    expectClose(pairsOf(await valuesOf(ofComplex(turns))), [a, b]);
  });

  test("of multiples there is none", () => {
    new tf.Graph().asDefault(() => {
      const a = tf.constant(A);
      expect(() => tf.gradients(dense(scaled(a, 2)), a)).toThrow("SparseMatrixMul");
    });
  });
});

describe("what is refused", () => {
  test.each<[string, () => tf.Tensor, string]>([
    ["index beyond", () => components(sparse(batch), ints(2))[0], "index (2) not in [0, 2)"],
    ["index below", () => components(sparse(batch), ints(-1))[0], "index (-1) not in [0, 2)"],
    ["dense of another type", () => dense(sparse(A), "float64"), "Asked for a CSRSparseMatrix of type double but saw dtype: float"],
    [
      "components of another type",
      () => raw.CSRSparseMatrixComponents({ csrSparseMatrix: sparse(A), index: ints(0), type: "float64" }).values,
      "dtype of input is not equal to 'type': float vs. double",
    ],
    [
      "sparse tensor of another type",
      () => raw.CSRSparseMatrixToSparseTensor({ sparseMatrix: sparse(A), type: "float64" }).values,
      "Expected a CSRSparseMatrix of type double but saw type: float",
    ],
    ["transpose of another type", () => count(flip(sparse(A), "float64")), "dtype of input is not equal to 'type': float vs. double"],
    [
      "product of another type",
      () => count(product(A, B, { transposeB: true }, "float64")),
      "dtype of a is not equal to 'type': float vs. double",
    ],
    [
      "dense of another type times",
      () => times(A, tf.constant(x, "float64")),
      "Input types don't match.  a.dtype == float vs. b.dtype == double",
    ],
    [
      "inner sizes",
      () => times(A, tf.placeholderWithDefault(tf.constant(x.slice(0, 2)), null)),
      "Inner product dimensions of A and B do not agree. Shapes are: [2,3] vs. [2,2]",
    ],
    [
      "place outside the dense matrix",
      () => count(raw.DenseToCSRSparseMatrix({ denseInput: A, indices: longs([[0, 5]]) })),
      "indices[0] = [0, 5] does not index into param shape [2,3], node name: DenseToCSRSparseMatrix",
    ],
    ["column outside", () => count(fromCoo([[0, 9]], [3], [2, 3])), "Sparse index tuple indices[0, :] = [0, 9] is out of bounds"],
    ["row outside", () => count(fromCoo([[7, 1]], [3], [2, 3])), "Sparse index tuple indices[0, :] = [7, 1] is out of bounds"],
    [
      "a list",
      () => dense(raw.TensorListReserve({ elementShape: longs([2, 2]), numElements: ints(1), elementDtype: type })),
      "Could not retrieve Variant input 0",
    ],
  ])("while running: %s", async (_, build, message) => {
    const graph = new tf.Graph();
    const fetch = graph.asDefault(build);
    await using session = new tf.Session({ graph });
    const error = await session.run(fetch).then(
      () => undefined,
      (reason: Error) => reason,
    );
    expect(error).toBeInstanceOf(tf.errors.InvalidArgumentError);
    expect(error?.message.split("\n")[0]).toBe(message);
  });

  test.each<[string, () => unknown, string]>([
    [
      "zeros of rank 1",
      () => zeros([2]),
      "Invalid rank: 1.  Expected a known rank of either 2 or 3. for '{{node SparseMatrixZeros}} = SparseMatrixZeros[type=DT_FLOAT](Const)' with input shapes: [1].",
    ],
    [
      "sums of other shapes",
      () => sum(A, turnedA, 2, -1),
      "Dimension 0 in both shapes must be equal, but are 2 and 3. Shapes are [2,3] and [3,2]. for '{{node SparseMatrixAdd}} = SparseMatrixAdd[T=DT_FLOAT](",
    ],
    [
      "inner sizes",
      () => times(A, x.slice(0, 2)),
      "Dimensions must be equal, but are 3 and 2 for '{{node SparseMatrixMatMul}} = SparseMatrixMatMul[T=DT_FLOAT, adjoint_a=false, adjoint_b=false, conjugate_output=false, transpose_a=false, transpose_b=false, transpose_output=false](DenseToCSRSparseMatrix, SparseMatrixMatMul/b)' with input shapes: [], [2,2].",
    ],
    ["a batch and one", () => times(batch, x), "Shapes must be equal rank, but are 1 and 0 for"],
    [
      "turned twice",
      () => times(A, x.slice(0, 2), { transposeA: true, adjointA: true }),
      "Only one of adjoint_a and transpose_a may be true. for",
    ],
    [
      "a vector of factors",
      () => scaled(batch, [2, 3]),
      "b must be a scalar or shaped [batch_size, 1, 1] for '{{node SparseMatrixMul}} = SparseMatrixMul[T=DT_FLOAT](DenseToCSRSparseMatrix, SparseMatrixMul/b)' with input shapes: [], [2].",
    ],
    [
      "inner sizes, sparse",
      () => product(A, B),
      "Dimensions must be equal, but are 3 and 2 for '{{node SparseMatrixSparseMatMul}} = SparseMatrixSparseMatMul[adjoint_a=false, adjoint_b=false, transpose_a=false, transpose_b=false, type=DT_FLOAT](DenseToCSRSparseMatrix, DenseToCSRSparseMatrix_1)' with input shapes: [], [].",
    ],
    [
      "places of another rank",
      () => raw.DenseToCSRSparseMatrix({ denseInput: A, indices: longs([[0, 0, 1]]) }),
      "indices.shape[1] must match rank of dense; saw: 3 vs. 2 for",
    ],
    [
      "a dense vector",
      () => raw.DenseToCSRSparseMatrix({ denseInput: A[0], indices: longs([[0]]) }),
      "Invalid rank of dense: 1.  Expected a known rank of either 2 or 3. for",
    ],
    [
      "unknown rank",
      () => raw.DenseToCSRSparseMatrix({ denseInput: tf.placeholder(type), indices: longs([[0, 1]]) }),
      "Invalid rank of dense: -1.  Expected a known rank of either 2 or 3. for",
    ],
    [
      "a sparse vector",
      () => fromCoo([[0]], [3], [2]),
      "Invalid rank: 1.  Expected a known rank of either 2 or 3. for '{{node SparseTensorToCSRSparseMatrix}} = SparseTensorToCSRSparseMatrix[T=DT_FLOAT](Const, Const_1, Const_2)' with input shapes: [1,1], [1], [1].",
    ],
    ["ranks", () => fromCoo([[0, 1]], [3], [2, 3, 4]), "Index rank (2) and shape rank (3) do not match. for"],
    ["counts", () => fromCoo([[0, 1]], [3, 4], [2, 3]), "Number of elements in index (1) and values (2) do not match. for"],
    [
      "a list counted",
      () => count(raw.EmptyTensorList({ elementShape: ints([1]), maxNumElements: ints(1), elementDtype: type })),
      "Shape must be at least rank 2 but is rank 1 for '{{node SparseMatrixNNZ}} = SparseMatrixNNZ[](EmptyTensorList)' with input shapes: [].",
    ],
    [
      "an unknown matrix",
      () => dense(tf.placeholder("variant", [])),
      "Unable to access shape and type info from variant input 0 for '{{node CSRSparseMatrixToDense}} = CSRSparseMatrixToDense[type=DT_FLOAT](Placeholder)' with input shapes: [].",
    ],
    ["a list of indices", () => components(sparse(A), ints([0])), "index must be a scalar. for"],
  ])("while building: %s", (_, build, message) => {
    new tf.Graph().asDefault(() => expect(build).toThrow(message));
  });
});
