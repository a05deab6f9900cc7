// tf.RaggedTensor and tf.ragged against recordings of TensorFlow (generate/ragged_tensors.py).

import { describe, expect, it } from "vitest";
import { tf as compat } from "../../src/compat.ts";
import * as tf from "../../src/index.ts";
import { compareWithRecording, type Made, parameter } from "./library-programs.ts";

const { RaggedTensor: R, ragged: r } = tf;
const made = (fetch: unknown, feeds?: tf.Feeds): Made => (feeds === undefined ? { fetch } : { fetch, feeds });
const ints = (...values: readonly number[]): tf.NDArray => tf.NDArray.from([...values], "int32");
const digits = [3, 1, 4, 1, 5, 9, 2, 6];

const programs: Readonly<Record<string, () => Made>> = {
  from_splits() {
    const rt = R.fromRowSplits(parameter(digits, "values"), [0, 4, 4, 7, 8, 8]);
    const dense = [rt.toTensor(), rt.toTensor({ defaultValue: -1, shape: [null, 3] }), rt.toSparse()];
    const rows = [rt.valueRowids(), rt.nrows(), rt.rowStarts(), rt.rowLimits(), rt.rowLengths()];
    const shapes = [rt.boundingShape(), rt.boundingShape({ axis: 0 }), rt.boundingShape({ axis: 1, outType: "int32" })];
    return made([rt, ...dense, ...rows, ...shapes]);
  },
  from_lengths() {
    const rt = R.fromRowLengths(ints(...digits), [4, 0, 3, 1, 0]);
    return made([rt, rt.rowLengths(), rt.toTensor(), rt.nrows({ outType: "int32" })]);
  },
  from_rowids() {
    const rt = R.fromValueRowids(["a", "b", "c"], [0, 0, 2], { nrows: 4 });
    return made([rt, rt.valueRowids(), rt.toTensor({ defaultValue: "-" }), R.fromValueRowids([1, 2], [0, 1], { validate: false })]);
  },
  from_open_rowids() {
    const ids = tf.placeholder("int64", [null], { name: "ids" });
    const rt = R.fromValueRowids(tf.placeholderWithDefault([1, 2, 3], [null]), ids);
    return made([rt, rt.toTensor(), rt.nrows()], new Map([[ids, [0, 2, 2]]]));
  },
  from_starts: () => made([R.fromRowStarts(ints(3, 1, 4, 1, 5), [0, 2, 2]), R.fromRowLimits(ints(3, 1, 4, 1, 5), [2, 2, 5])]),
  from_uniform() {
    const rt = R.fromUniformRowLength(R.fromRowLengths([1, 2, 3, 4, 5], [2, 0, 1, 2]), 2);
    return made([rt, rt.toTensor(), R.fromUniformRowLength(ints(1, 2, 3, 4, 5, 6), 3).uniformRowLength]);
  },
  nested() {
    const splits = [
      [0, 3, 3, 5],
      [0, 4, 4, 7, 8, 8],
    ];
    const rt = R.fromNestedRowSplits(parameter(digits, "values"), splits);
    const pairs = [
      [1, 1],
      [2, 1],
    ];
    const lengths = R.fromNestedRowLengths(ints(1, 2, 3), pairs);
    const ids = R.fromNestedValueRowids(
      ints(1, 2, 3),
      [
        [0, 1],
        [0, 0, 1],
      ],
      { nestedNrows: [3, 2] },
    );
    const shapes = [rt.toTensor(), rt.toSparse(), rt.boundingShape()];
    return made([rt, ...shapes, lengths, ids, ids.toTensor(), ...rt.nestedRowLengths(), ...rt.nestedValueRowids()]);
  },
  with_values() {
    const rt = R.fromRowSplits([1, 2, 3], [0, 1, 3]);
    const other = rt.withValues(["a", "b", "c"]);
    const deep = R.fromNestedRowSplits(
      [1, 2, 3],
      [
        [0, 2],
        [0, 1, 3],
      ],
    );
    return made([
      other,
      deep.withFlatValues(deep.flatValues.mul(2)),
      rt.withRowSplitsDtype("int32"),
      rt.withRowSplitsDtype("int32").rowSplits,
    ]);
  },
  from_tensor() {
    const rows = [
      [5, 7, 0],
      [0, 3, 0],
      [6, 0, 0],
    ];
    const dense = parameter(rows, "dense");
    const cube = tf.NDArray.from(Int32Array.of(1, 2, 3, 4, 5, 6, 7, 8), "int32", [2, 2, 2]);
    return made([
      R.fromTensor(dense),
      R.fromTensor(dense, { lengths: [1, 0, 3] }),
      R.fromTensor(dense, { padding: 0 }),
      R.fromTensor(cube, { raggedRank: 2 }),
    ]);
  },
  from_open_tensor() {
    const dense = tf.placeholder("int32", [null, null], { name: "dense" });
    const rows = [
      [1, 2],
      [3, 4],
    ];
    return made([R.fromTensor(dense), R.fromTensor(dense, { rowSplitsDtype: "int32" })], new Map([[dense, rows]]));
  },
  from_sparse() {
    const places = [
      [0, 0],
      [0, 1],
      [2, 0],
    ];
    return made(R.fromSparse(new tf.SparseTensor(places, tf.constant(["a", "b", "c"]), [4, 3])));
  },
  constants() {
    const int32 = { dtype: "int32" } as const;
    const pairs = [
      [[1, 2]],
      [
        [3, 4],
        [5, 6],
      ],
    ];
    return made([
      r.constant([[1, 2], [], [3]], int32),
      r.constant([[[1], []], [[2, 3]]]),
      r.constant([["a"], ["b", "c"]], { name: "words" }),
      r.constant(pairs, { raggedRank: 1, ...int32 }),
      r.constant([[], []], int32),
      r.constant([1, 2], int32),
      r.constant([[1], [2, 3]], { rowSplitsDtype: "int32", ...int32 }),
    ]);
  },
  fed() {
    const rt = r.placeholder("float32", 2, { valueShape: [2], name: "given" }) as tf.RaggedTensor;
    const list = [
      [[[1, 2]], []],
      [
        [
          [3, 4],
          [5, 6],
        ],
      ],
    ];
    const value = r.constantValue(list, { raggedRank: 2 }) as tf.ragged.RaggedTensorValue;
    return made([rt, rt.toTensor(), rt.flatValues.mul(2)], new Map([[rt, value]]));
  },
  ranges: () => made([r.range([3, 5, 2]), r.range([0, 5, 8], { limits: [3, 3, 12] }), r.range([0, 1], { limits: [2, 2], deltas: 0.5 })]),
  segments() {
    return made([
      r.rowSplitsToSegmentIds([0, 3, 3, 5, 6]),
      r.segmentIdsToRowSplits([0, 0, 0, 2, 2, 3]),
      r.segmentIdsToRowSplits([0, 2], { numSegments: 4, outType: "int32" }),
    ]);
  },
  mapped() {
    const x = R.fromRowSplits(parameter([1, 2, 3], "x"), [0, 1, 3]);
    const y = x.withValues([10, 20, 30]);
    return made([r.mapFlatValues(tf.multiply, x, y), r.mapFlatValues(tf.square, x)]);
  },
  splits_of_another_type() {
    const inner = R.fromRowSplits([1], tf.constant([0, 1], { dtype: "int32" }));
    return made(R.fromRowSplits(inner, tf.constant([0, 1], { dtype: "int64" })));
  },
  bad_splits: () => made(R.fromRowSplits([1, 2], tf.placeholderWithDefault(tf.NDArray.from([0n, 2n, 1n], "int64"), [3]))),
  empty_splits: () => made(R.fromRowSplits([1], [])),
  uneven_depth: () => made(r.constant([1, [2]])),
};

describe("tf.RaggedTensor", () => {
  compareWithRecording("ragged-tensors", programs);

  it("is the same under TensorFlow's names", async () => {
    using _ = new tf.Graph().asDefault();
    const rt = compat.ragged.placeholder("float32", 1, { value_shape: [], name: "x" });
    const value = compat.ragged.constant_value([[1, 2], [3]]);
    const [rows, dense] = (await new compat.Session().run(
      [rt, (rt as tf.RaggedTensor).toTensor({ defaultValue: -1 })],
      [[rt as tf.RaggedTensor, value as tf.ragged.RaggedTensorValue]],
    )) as [tf.ragged.RaggedTensorValue, tf.NDArray];
    expect(rows.toList()).toEqual([[1, 2], [3]]);
    expect(dense.toArray()).toEqual([
      [1, 2],
      [3, -1],
    ]);
    expect(compat.RaggedTensor.from_row_lengths([1, 2, 3], [2, 1]).nested_row_splits).toHaveLength(1);
  });

  it("refuses a value of another depth, and use as a dense tensor", async () => {
    using _ = new tf.Graph().asDefault();
    const rt = r.placeholder("float32", 1) as tf.RaggedTensor;
    const deep = r.constantValue([[[1], []], [[2]]]) as tf.ragged.RaggedTensorValue;
    await expect(new tf.Session().run(rt, new Map([[rt, deep]]))).rejects.toThrow(/is no RaggedTensorValue of ragged rank 1/);
    expect(() => tf.transpose(rt as never)).toThrow(/RaggedTensor/);
  });
});
