// Pieces of TensorFlow's Python API that are made of ops, against the numbers that TensorFlow gives. Recorded by generate/api_values.py.
import { describe, expect, it } from "vitest";
import * as tf from "../../src/index.ts";
import { loadSpec } from "./golden.ts";

const recorded = loadSpec("api-values") as Readonly<
  Record<string, { readonly shape: readonly number[]; readonly values: readonly number[] }>
>;

/** As in the recording. */
function x(...shape: readonly number[]): tf.Tensor {
  const values = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, k) => (k % 7) - 3 + k / 10);
  return tf.constant(new tf.NDArray("float32", shape, Float32Array.from(values)));
}

const places = [
  [0, 0],
  [0, 1],
  [2, 0],
];
const sparseIds = (...ids: readonly number[]): tf.SparseTensor => new tf.SparseTensor(places, tf.constant(ids, { dtype: "int64" }), [4, 2]);
const ids = (): tf.SparseTensor => sparseIds(1, 3, 0);
const badIds = (): tf.SparseTensor => sparseIds(1, -3, 2);
const weights = (): tf.SparseTensor => new tf.SparseTensor(places, [0.5, 2, -1], [4, 2]);

const square = (scale = 1): tf.Tensor => tf.add(tf.multiply(x(3, 3), scale), tf.eye(3));
const factored = (make: (lu: tf.Tensor, p: tf.Tensor) => tf.Tensor): tf.Tensor => {
  const { lu, p } = tf.linalg.lu(tf.stack([square(), square(-2)]));
  return make(lu, p);
};
const singular = [
  [1, 2],
  [2, 4],
];
const regular = [
  [1, 2],
  [2, 5],
];

const { signal: s } = tf;
const programs: Readonly<Record<string, () => tf.Tensor>> = {
  frame: () => s.frame(x(2, 11), 4, 2),
  "frame, padded": () => s.frame(x(2, 11), 4, 3, { padEnd: true, padValue: 9 }),
  "frame, axis 0": () => s.frame(x(7, 2), 3, 2, { axis: 0 }),
  overlap_and_add: () => s.overlapAndAdd(x(2, 5, 4), 2),
  "overlap_and_add, uneven": () => s.overlapAndAdd(x(3, 5), 2),
  "overlap_and_add, side by side": () => s.overlapAndAdd(x(3, 4), 4),
  stft: () => s.stft(x(20), 8, 4),
  "stft, no window": () => s.stft(x(2, 20), 6, 3, { fftLength: 8, windowFn: null }),
  "stft, padded": () => s.stft(x(21), 6, 3, { padEnd: true }),
  inverse_stft: () => s.inverseStft(s.stft(x(24), 8, 4), 8, 4),
  "inverse_stft, window": () => s.inverseStft(s.stft(x(24), 8, 4), 8, 4, { windowFn: s.inverseStftWindowFn(4) }),
  "inverse_stft, longer": () => s.inverseStft(s.stft(x(24), 6, 3), 6, 3),
  hann: () => s.hannWindow(8),
  "hann, symmetric": () => s.hannWindow(7, { periodic: false }),
  hamming: () => s.hammingWindow(7),
  "hamming, one": () => s.hammingWindow(1),
  kaiser: () => s.kaiserWindow(6),
  kaiser_bessel: () => s.kaiserBesselDerivedWindow(8, { beta: 4 }),
  vorbis: () => s.vorbisWindow(8),
  "dct 1": () => s.dct(x(2, 6), { type: 1 }),
  "dct 2": () => s.dct(x(2, 6)),
  "dct 2, ortho, cut": () => s.dct(x(2, 6), { norm: "ortho", n: 4 }),
  "dct 2, filled": () => s.dct(x(2, 6), { n: 8 }),
  "dct 3": () => s.dct(x(2, 6), { type: 3 }),
  "dct 3, ortho": () => s.dct(x(2, 6), { type: 3, norm: "ortho" }),
  "dct 4": () => s.dct(x(2, 6), { type: 4 }),
  "dct 4, ortho": () => s.dct(x(2, 6), { type: 4, norm: "ortho" }),
  idct: () => s.idct(s.dct(x(2, 6))),
  mdct: () => s.mdct(x(32), 8),
  "mdct, ortho, padded": () => s.mdct(x(30), 8, { norm: "ortho", padEnd: true, windowFn: null }),
  inverse_mdct: () => s.inverseMdct(s.mdct(x(32), 8)),
  "inverse_mdct, ortho": () => s.inverseMdct(s.mdct(x(32), 8, { norm: "ortho" }), { norm: "ortho" }),
  mel: () => s.linearToMelWeightMatrix({ numMelBins: 5, numSpectrogramBins: 17, sampleRate: 8000 }),
  mfcc: () => s.mfccsFromLogMelSpectrograms(x(2, 8)),
  fftshift: () => s.fftshift(x(3, 4)),
  ifftshift: () => s.ifftshift(x(3, 5), { axes: 1 }),
  embedding_lookup_sparse: () => tf.nn.embeddingLookupSparse(x(5, 2), ids(), null),
  "embedding_lookup_sparse, sqrtn": () => tf.nn.embeddingLookupSparse(x(5, 2), ids(), weights(), { combiner: "sqrtn" }),
  "embedding_lookup_sparse, two": () => tf.nn.embeddingLookupSparse([x(3, 2), x(2, 2)], ids(), weights(), { combiner: "sum" }),
  "embedding_lookup_sparse, short rows": () => tf.nn.embeddingLookupSparse(x(5, 2), ids(), null, { combiner: "sum", maxNorm: 1 }),
  "embedding_lookup_sparse, gradient": () => {
    const table = x(5, 2);
    const y = tf.nn.embeddingLookupSparse(table, ids(), weights(), { combiner: "sqrtn" });
    return tf.convertToTensor(tf.gradients(y, table)[0] as tf.Tensor);
  },
  safe_embedding_lookup_sparse: () => tf.nn.safeEmbeddingLookupSparse([x(5, 2)], badIds()),
  "safe_embedding_lookup_sparse, weights": () => tf.nn.safeEmbeddingLookupSparse([x(5, 2)], badIds(), weights()),
  "safe_embedding_lookup_sparse, default": () =>
    tf.nn.safeEmbeddingLookupSparse(x(5, 2), badIds(), weights(), { combiner: "sum", defaultId: 4 }),
  from_dense: () => tf.sparse.toDense(tf.sparse.fromDense(x(2, 5))),
  "sparse eye": () => tf.sparse.toDense(tf.sparse.eye(2, { numColumns: 3 })),
  "sparse expand_dims": () => tf.sparse.toDense(tf.sparse.expandDims(weights(), { axis: 1 })),
  reset_shape: () => tf.sparse.toDense(tf.sparse.resetShape(weights())),
  "reset_shape, larger": () => tf.sparse.toDense(tf.sparse.resetShape(weights(), [5, 3])),
  to_indicator: () => tf.cast(tf.sparse.toIndicator(ids(), 5), "float32"),
  "sparse mask": () => tf.sparse.mask(new tf.IndexedSlices(x(3, 2), tf.constant([1, 3, 5], { dtype: "int32" })), [3]).values,
  ...Object.fromEntries(["0.02", "0.2", "0.6", "5.0"].map(scale => [`expm, ${scale}`, () => tf.linalg.expm(square(Number(scale)))])),
  ...Object.fromEntries(
    ["-0.333", "0.002", "0.01", "0.05", "5.0"].map(scale => [
      `expm, double, ${scale}`,
      () => tf.linalg.expm(tf.cast(square(Number(scale)), "float64")),
    ]),
  ),
  "expm, gradient": () => {
    const a = square(0.3);
    return tf.gradients(tf.linalg.expm(a), [a])[0] as tf.Tensor;
  },
  lu_solve: () => factored((lu, p) => tf.linalg.luSolve(lu, p, x(3, 2))),
  lu_reconstruct: () => factored(tf.linalg.luReconstruct),
  lu_matrix_inverse: () => factored(tf.linalg.luMatrixInverse),
  pinv: () => tf.linalg.pinv(x(2, 4, 3)),
  "pinv, cut": () => tf.linalg.pinv(x(2, 4, 3), { rcond: 0.5 }),
  matrix_rank: () => tf.linalg.matrixRank(tf.constant([singular, regular])),
  "matrix_rank, rough": () => tf.linalg.matrixRank(x(2, 4, 3), { tol: 3 }),
  normalize: () => tf.linalg.normalize(x(3, 2))[0],
  "normalize, norm": () => tf.linalg.normalize(x(3, 2), { ord: 1, axis: 1 })[1],
  tridiagonal_matmul: () => tf.linalg.tridiagonalMatmul(x(2, 3, 4), x(2, 4, 2)),
  solve: () => tf.linalg.solve(square(), x(3, 2)),
  conv1d_transpose: () => tf.nn.conv1dTranspose(x(1, 6, 2), x(3, 2, 2), [1, 12, 2], 2),
  conv_transpose: () => tf.nn.convTranspose(x(1, 3, 4, 2), x(2, 2, 3, 2), [1, 6, 4, 3], [2, 1]),
  "l2_normalize, complex": () => tf.nn.l2Normalize(tf.complex(x(2, 3), x(2, 3).add(1)), 1),
  "sort, uint64": () => tf.sort(tf.constant([3, 1, 2], "uint64")),
  "sort, unknown rank": () => tf.sort(hidden(x(3, 2)), 0),
  "argsort, unknown rank": () => tf.argsort(hidden(x(2, 3, 2)), { axis: -2, direction: "DESCENDING" }),
  "pinv, gradient of unknown rows": () => {
    const a = tf.placeholderWithDefault(x(3, 2), [null, 2]);
    return tf.gradients(tf.linalg.pinv(a), a, { gradYs: x(2, 3) })[0] as tf.Tensor;
  },
  ctc_loss_v2: () => denseCtc(0, [2, 1]),
  "ctc_loss_v2, no labels": () => denseCtc(0, [2, 0]),
  "ctc_loss_v2, last blank, no labels": () => denseCtc(-1, [0, 2]),
};

function hidden(value: tf.Tensor): tf.Tensor {
  return tf.placeholderWithDefault(value, null);
}
function denseCtc(blankIndex: number, lengths: number[]): tf.Tensor {
  const logits = tf.stack([x(5, 4), x(5, 4).mul(0.5)], 1);
  const labels = [
    [1, 2],
    [2, 1],
  ];
  const loss = tf.nn.ctcLossV2(labels, logits, lengths, [5, 4], { blankIndex });
  return tf.concat([loss, tf.reshape(tf.gradients(loss, logits)[0] as tf.Tensor, [-1])], 0);
}

/** Real and imaginary parts one after the other. */
function numbersOf(array: tf.NDArray): number[] {
  return Array.from({ length: array.size }, (_, i) => array.get(i)).flatMap(value => {
    if (typeof value === "object" && "re" in value) return [value.re, value.im];
    return [Number(value)];
  });
}

describe("numbers are TensorFlow's", () => {
  it.each(Object.keys(recorded))("%s", async name => {
    using _ = new tf.Graph().asDefault();
    const { shape, values } = recorded[name];
    const tensor = programs[name]();
    await using session = new tf.Session({ config: { backend: "reference" } });
    const got = (await session.run(tensor)) as tf.NDArray;
    expect(got.dtype.startsWith("complex") ? [...got.shape, 2] : got.shape).toEqual(shape);
    expect(tensor.shape.isCompatibleWith(got.shape)).toBe(true);
    const numbers = numbersOf(got);
    const scale = Math.max(1, ...values.map(Math.abs));
    for (const [i, want] of values.entries())
      expect(Math.abs(numbers[i] - want) / scale, `${i}: ${numbers[i]} for ${want}`).toBeLessThan(3e-6);
  });

  it("and every program is recorded", () => expect(Object.keys(programs)).toEqual(Object.keys(recorded)));
});

describe("signals of any length", () => {
  it("are framed while running, and transform back", async () => {
    using _ = new tf.Graph().asDefault();
    const signal = tf.placeholder("float32", [null]);
    const padded = s.frame(signal, 4, 3, { padEnd: true });
    const back = s.inverseStft(s.stft(signal, 8, 4), 8, 4, { windowFn: s.inverseStftWindowFn(4) });
    await using session = new tf.Session();
    for (const length of [20, 24]) {
      const values = Array.from({ length }, (_, k) => Math.sin(k));
      const [frames, signals] = (await session.run([padded, back], [[signal, values]])) as tf.NDArray[];
      expect(frames.shape).toEqual([Math.ceil(length / 3), 4]);
      expect(signals.shape).toEqual([length]);
      for (let k = 4; k < length - 4; k++) expect(signals.get(k)).toBeCloseTo(values[k], 5);
    }
  });

  it("refuse what TensorFlow refuses, as sparse lookups do", () => {
    using _ = new tf.Graph().asDefault();
    expect(() => tf.nn.embeddingLookupSparse([[1]], ids(), null, { combiner: "most" })).toThrow(
      "combiner must be one of 'mean', 'sqrtn' or 'sum', got most",
    );
    expect(() => tf.sparse.resetShape(weights(), [3, 2])).toThrow("Requested new_shape should have dimension sizes >= sp_input.shape.");
  });

  it("refuse what TensorFlow refuses", () => {
    using _ = new tf.Graph().asDefault();
    expect(() => s.mdct([1, 2, 3], 6)).toThrow("The frame length must be a multiple of 4.");
    expect(() => s.dct([1], { type: 1 })).toThrow("Type-I DCT requires the dimension to be greater than one.");
    expect(() => s.linearToMelWeightMatrix({ upperEdgeHertz: 5000 })).toThrow(
      "upper_edge_hertz must not be larger than the Nyquist frequency",
    );
    expect(() => s.hannWindow(4, { dtype: "int32" })).toThrow("dtype must be a floating point type. Found <dtype: 'int32'>");
  });

  it("have frames of a length that is only known while running", async () => {
    using _ = new tf.Graph().asDefault();
    const length = tf.placeholder("int32", []);
    const frames = s.frame([1, 2, 3, 4, 5], length, 1);
    expect(String(frames.shape)).toBe("(?, ?)");
    await using session = new tf.Session();
    expect((await session.run(frames, [[length, 2]])).toArray()).toEqual([
      [1, 2],
      [2, 3],
      [3, 4],
      [4, 5],
    ]);
  });
});

describe("matrices", () => {
  it("are refused in TensorFlow's words", () => {
    using _ = new tf.Graph().asDefault();
    const { linalg, nn } = tf;
    expect(() => linalg.pinv(tf.constant([[1]], "int32"))).toThrow("Input `a` must have `float`-like `dtype` (saw int32).");
    expect(() => linalg.matrixRank([1, 2])).toThrow("Input `a` must have at least 2 dimensions (saw: 1).");
    expect(() => linalg.luSolve(x(3, 3), [0, 1, 2], x(4, 1))).toThrow("`lower_upper.shape[-1]` must equal `rhs.shape[-1]`.");
    expect(() => linalg.luSolve(x(3, 3), [0, 1, 2], x(3))).toThrow("Input `rhs` must have at least 2 dimensions.");
    expect(() => linalg.luReconstruct(x(3, 3), [[0, 1, 2]])).toThrow("`rank(lower_upper)` must equal `rank(perm) + 1`");
    expect(() => linalg.luMatrixInverse(x(3, 2), [0, 1, 2])).toThrow("`lower_upper` must be square.");
    expect(() => linalg.expm(tf.constant([[1]], "int32"))).toThrow("tf.linalg.expm does not support matrices of type <dtype: 'int32'>");
    expect(() => linalg.tridiagonalMatmul(x(2, 3), x(3, 1), { diagonalsFormat: "matrix" })).toThrow(
      "Expected last two dimensions of diagonals to be same, got 3 and 2",
    );
    expect(() => nn.convTranspose(x(1, 2), x(2, 2), [1, 2], 1)).toThrow("`output_shape` must be of length 3, 4 or 5.");
  });
});
