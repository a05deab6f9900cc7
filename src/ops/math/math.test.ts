// Arithmetic, reductions, products, counting, assertions: cases beyond the golden ones. Expected numbers are TensorFlow 2.21's.

import { describe, expect, test } from "vitest";
import { gradients } from "../../gradients/gradients.ts";
import { Graph } from "../../graph/graph.ts";
import type { Tensor } from "../../graph/operation.ts";
import { NDArray } from "../../base/ndarray.ts";
import { softmax } from "../nn/nn.ts";
import { Session } from "../../session/session.ts";
import { constant, ones, placeholder, zeros, placeholderWithDefault } from "../array/array.ts";
import { bitwiseAnd, leftShift, rightShift } from "./bitwise.ts";
import { assertEqual, assertLess, assertRank, isNonDecreasing, isStrictlyIncreasing } from "../flow/check.ts";
import { norm } from "../linalg/norm.ts";
import { add, div, divNoNan, floordiv, mod, multiply, pow, scalarMul, subtract, truediv, truncatediv } from "./math.ts";
import { addN } from "./add-n.ts";
import { cast } from "./cast.ts";
import { bincount, confusionMatrix, histogramFixedWidth, histogramFixedWidthBins } from "./counting.ts";
import { einsum } from "./einsum.ts";
import { exp, logSigmoid, sqrt } from "./functions.ts";
import { matmul, matvec, tensordot } from "./matrix.ts";
import {
  argmax,
  cumsum,
  reduceLogsumexp,
  reduceMax,
  reduceMean,
  reduceMin,
  reduceProd,
  reduceStd,
  reduceSum,
  zeroFraction,
} from "./reduction.ts";
import { unsortedSegmentMax, unsortedSegmentMean, unsortedSegmentSum } from "./segment.ts";
import { lbeta, polyval, saturateCast } from "./special.ts";
import * as operators from "../operators.ts";
import { argsort, sort } from "../array/sort.ts";
import { cond } from "../flow/control-flow-contexts.ts";
import { randomCrop } from "../random/random.ts";

/** The same on both backends; floats may differ in the last bits. */
async function valuesOf(build: () => readonly Tensor[]): Promise<unknown[]> {
  const results: unknown[][] = [];
  for (const backend of ["reference", "wasm"] as const) {
    const graph = new Graph();
    const tensors = graph.asDefault(build);
    await using session = new Session({ graph, config: { backend } });
    results.push((await session.run([...tensors])).map(array => array.toArray()));
  }
  expectClose(results[1], results[0]);
  return results[0];
}

const valueOf = async (build: () => Tensor): Promise<unknown> => (await valuesOf(() => [build()]))[0];
const inGraph = <R>(build: () => R): R => new Graph().asDefault(build);

function expectClose(got: unknown, want: unknown): void {
  if (Array.isArray(want)) {
    expect(Array.isArray(got) && got.length).toBe(want.length);
    want.forEach((item, i) => void expectClose((got as unknown[])[i], item));
  } else if (typeof want === "number" && Number.isFinite(want)) {
    expect(Math.abs((got as number) - want)).toBeLessThanOrEqual(1e-6 + 1e-5 * Math.abs(want));
  } else expect(got).toEqual(want);
}

const matrix = (): Tensor =>
  constant([
    [3, 1, 2],
    [0, -1, 5],
  ]);

describe("arithmetic", () => {
  test("integers divide as TensorFlow's four divisions do", async () => {
    const build = (): Tensor[] => {
      const [x, y] = [constant([7, -7, 7], "int32"), constant([2, 2, -2], "int32")];
      return [floordiv(x, y), mod(x, y), truncatediv(x, y), truediv(x, y), div(x, y)];
    };
    expect(await valuesOf(build)).toEqual([
      [3, -4, -4],
      [1, 1, -1],
      [3, -3, -3],
      [3.5, -3.5, -3.5],
      [3, -4, -4],
    ]);
    inGraph(() => expect(truediv(constant(1, "int32"), 2).dtype).toBe("float64"));
  });

  test("a zero that divides stops the run where it divides, and no branch that is not taken", async () => {
    const graph = new Graph();
    const [taken, crop] = graph.asDefault(() => {
      const given = placeholder("bool", [], { name: "given" });
      return [
        cond(
          given,
          () => floordiv(constant(6, "int32"), 0),
          () => constant(7, "int32"),
        ),
        randomCrop(zeros([2, 3]), [3, 3]),
      ];
    });
    await using session = new Session({ graph });
    expect((await session.run(taken, { "given:0": false })).item()).toBe(7);
    await expect(session.run(taken, { "given:0": true })).rejects.toThrow("Integer division by zero");
    await expect(session.run(crop)).rejects.toThrow("Need value.shape >= size");
  });

  test("integer division by zero and negative powers stop the run", async () => {
    const graph = new Graph();
    const [x, quotient, rest, power] = graph.asDefault(() => {
      const given = placeholder("int32", [2]);
      return [given, floordiv(1, given), mod(5, given), pow(2, given)];
    });
    for (const backend of ["reference", "wasm"] as const) {
      await using session = new Session({ graph, config: { backend } });
      expect((await session.run(quotient, [[x, [1, -2]]])).toArray()).toEqual([1, -1]);
      await expect(session.run(quotient, [[x, [1, 0]]])).rejects.toThrow("Integer division by zero");
      await expect(session.run(rest, [[x, [0, 1]]])).rejects.toThrow("Integer division by zero");
      await expect(session.run(power, [[x, [1, -1]]])).rejects.toThrow("Integers to negative integer powers are not allowed");
    }
  });

  test("bare numbers take the type of the tensor beside them", () => {
    inGraph(() => {
      const x = constant([1, 2], "int64");
      expect(add(1, x).dtype).toBe("int64");
      expect(subtract(2, x).op.inputs[0].name).toBe("Sub/x:0");
      expect(() => multiply(x, 0.5)).toThrow("Expected int64, but got 0.5 of type 'float'.");
      expect(() => add(x, "a")).toThrow("Input 'y' of 'AddV2' Op has type string that does not match type int64 of argument 'x'.");
      expect(() => truediv(x, ones([2]))).toThrow("`x` and `y` must have the same dtype, got tf.int64 != tf.float32.");
    });
  });

  test("strings are joined", async () => {
    expect(await valueOf(() => add(constant(["a", "b"]), "x"))).toEqual(["ax", "bx"]);
  });

  test("gradients of broadcasts are summed, statically or by BroadcastGradientArgs", async () => {
    inGraph(() => {
      const x = placeholder("float32", [null, 2]);
      const w = constant([1, 2]);
      gradients(multiply(x, w), [x, w]);
      const types = x.graph.getOperations().map(({ type }) => type);
      expect(types).not.toContain("BroadcastGradientArgs");
      gradients(multiply(x, placeholder("float32", [null, 2])), [x]);
      expect(x.graph.getOperations().map(({ type }) => type)).toContain("BroadcastGradientArgs");
    });
    const build = (): Tensor[] => {
      const [x, y, c] = [
        constant([
          [1, 2],
          [3, 4],
        ]),
        constant([[10], [20]]),
        constant(5),
      ];
      return gradients(add(multiply(x, y), multiply(c, x)), [x, y, c]) as Tensor[];
    };
    expect(await valuesOf(build)).toEqual([
      [
        [15, 15],
        [25, 25],
      ],
      [[3], [7]],
      10,
    ]);
  });

  test("zeros that would be NaN", async () => {
    const build = (): Tensor[] => {
      const x = constant([0, 4]);
      return [divNoNan(constant([1, 1]), x), gradients(multiply(sqrt(x), constant([0, 1])), [x])[0] as Tensor];
    };
    expect(await valuesOf(build)).toEqual([
      [0, 0.25],
      [0, 0.25],
    ]);
  });

  test("a number with a fraction is cast from float32, whole ones as they are", async () => {
    const build = (): Tensor[] => [cast(1.2, "float64"), cast([1, 0.1], "float64"), cast(2 ** 31 + 1, "float64"), cast(3, "float32")];
    expect(await valuesOf(build)).toEqual([1.2000000476837158, [1, 0.10000000149011612], 2 ** 31 + 1, 3]);
  });

  test("casts truncate, wrap and saturate", async () => {
    const build = (): Tensor[] => [
      cast(constant([1.9, -1.9, 300, Number.NaN]), "int32"),
      cast(constant([300, -1], "int32"), "uint8"),
      saturateCast(constant([300, -5, 3.7]), "uint8"),
      saturateCast(constant([1e20, -1e20, Number.NaN]), "int32"),
      saturateCast(constant([70000, -70000], "int32"), "int16"),
      saturateCast(constant([5n, -5n], "int64"), "float32"),
    ];
    expect(await valuesOf(build)).toEqual([
      [1, -1, 300, -2147483648],
      [44, 255],
      [255, 0, 3],
      [2147483520, -2147483648, -2147483648],
      [32767, -32768],
      [5, -5],
    ]);
  });

  test("shift counts are limited to the width", async () => {
    const build = (): Tensor[] => [
      leftShift(constant([1, -1], "int32"), constant([3, 40], "int32")),
      rightShift(constant([-8, 8], "int32"), constant([1, -1], "int32")),
      bitwiseAnd(constant([6, 5], "uint8"), 3),
    ];
    expect(await valuesOf(build)).toEqual([
      [8, -2147483648],
      [-4, 8],
      [2, 1],
    ]);
  });

  test("a sum of one tensor is that tensor; of unlike shapes an error", () => {
    inGraph(() => {
      const x = zeros([2]);
      expect(addN([x])).toBe(x);
      expect(addN([x], "sum").name).toBe("sum:0");
      expect(() => addN([x, zeros([3])])).toThrow("\tFrom merging shape 0 with other shapes.");
      expect(() => scalarMul(x, x)).toThrow("The input scalar must be a 0-D value.");
    });
  });
});

describe("operators", () => {
  test("have Python's names, comparisons their op's", () => {
    inGraph(() => {
      const x = placeholder("float32", [2], { name: "x" });
      const i = placeholder("int32", [2], { name: "i" });
      const b = placeholder("bool", [2], { name: "b" });
      const made = [
        operators.add(x, 1),
        operators.sub(1, x),
        operators.truediv(x, 2),
        operators.mod(x, 2),
        operators.pow(x, 2),
        operators.neg(x),
        operators.less(x, 0),
      ];
      expect(made.map(({ op }) => op.name)).toEqual(["add", "sub", "truediv", "mod", "pow", "Neg", "Less"]);
      expect(operators.truediv(i, i).op.inputs.map(input => input.op.name)).toEqual(["truediv_1/Cast", "truediv_1/Cast_1"]);
      expect(operators.and(i, 3).op.name).toBe("and/BitwiseAnd");
      expect(operators.and(b, b).op.name).toBe("and_1");
      expect(operators.xor(b, b).op.inputs.map(input => input.op.name)).toEqual(["xor/LogicalOr", "xor/LogicalNot"]);
    });
  });

  test("are methods once attached, of any class that stands for a tensor", () => {
    class Stand {
      asGraphTensor(): Tensor {
        return constant(2);
      }
    }
    operators.attachOperators(Stand);
    operators.attachOperators(Stand);
    inGraph(() => {
      const stand: object = new Stand();
      const product: Tensor = Reflect.get(stand, "mul").call(stand, 3);
      expect(product.op.type).toBe("Mul");
    });
  });
});

describe("reductions", () => {
  test("older names of the arguments, and by position", () => {
    inGraph(() => {
      const x = zeros([2, 3]);
      expect(reduceSum(x, { reductionIndices: 1, keepDims: true }).shape.asList()).toEqual([2, 1]);
      expect(reduceSum(x, [0], true, "s").name).toBe("s:0");
      expect(reduceSum(placeholder("float32")).shape.asList()).toEqual([]);
      expect(() => reduceSum(x, { axis: 1, reductionIndices: 1 })).toThrow("Cannot specify both 'reduction_indices' and 'axis'.");
      expect(() => reduceMean(x, 2)).toThrow("Invalid reduction dimension 2 for input with 2 dimensions.");
    });
  });

  test("of nothing, with NaN, of integers", async () => {
    const build = (): Tensor[] => [
      reduceMean(zeros([0])),
      reduceMax(zeros([0, 2]), 0),
      reduceMax(constant([1, Number.NaN])),
      reduceMean(constant([-1, -2], "int32")),
      argmax(constant([Number.NaN, 1, 3, 3])),
      reduceLogsumexp(constant([1000, 1000])),
      reduceStd(constant([1, 3])),
      zeroFraction(matrix()),
      cumsum(constant([1, 2, 3]), 0, { exclusive: true, reverse: true }),
    ];
    const [mean, max, nan, whole, at, log, std, fraction, sums] = await valuesOf(build);
    expect([mean, max, nan, whole, at]).toEqual([Number.NaN, [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY], Number.NaN, -1, 2n]);
    expectClose([log, std, fraction, sums], [1000 + Math.log(2), 1, 1 / 6, [5, 3, 0]]);
  });

  test("extremes share their gradient, products bear zeros", async () => {
    const build = (): Tensor[] => {
      const [x, y] = [
        constant([1, 3, 3]),
        constant([
          [0, 2, 3],
          [0, 0, 5],
        ]),
      ];
      return [gradients(reduceMax(x), [x])[0] as Tensor, gradients(reduceProd(y, 1), [y])[0] as Tensor];
    };
    expect(await valuesOf(build)).toEqual([
      [0, 0.5, 0.5],
      [
        [6, 0, 0],
        [0, 0, 0],
      ],
    ]);
  });

  test("unsorted segments: negative ids are dropped, far ones refused", async () => {
    const build = (): Tensor[] => {
      const [x, ids] = [constant([1, 2, 4, 8]), constant([1, -1, 1, 0], "int32")];
      return [unsortedSegmentSum(x, ids, 3), unsortedSegmentMean(x, ids, 3), gradients(unsortedSegmentMax(x, ids, 3), [x])[0] as Tensor];
    };
    expect(await valuesOf(build)).toEqual([
      [8, 5, 0],
      [8, 2.5, 0],
      [0, 0, 1, 1],
    ]);
    const graph = new Graph();
    const [ids, y] = graph.asDefault(() => {
      const given = placeholder("int32", [2]);
      return [given, unsortedSegmentSum(ones([2]), given, 2)];
    });
    await using session = new Session({ graph });
    await expect(session.run(y, [[ids, [0, 2]]])).rejects.toThrow("segment_ids[1] = 2 is out of range [0, 2)");
  });
});

describe("products", () => {
  test("tensordot, matvec, batches that broadcast", async () => {
    const build = (): Tensor[] => [
      tensordot(matrix(), ones([3, 2]), 1),
      tensordot(matrix(), matrix(), [
        [0, 1],
        [0, 1],
      ]),
      matvec(matrix(), constant([1, 1, 1])),
      matmul(ones([2, 1, 2, 3]), ones([4, 3, 1])),
    ];
    const [a, b, c, d] = await valuesOf(build);
    expect([a, b, c]).toEqual([
      [
        [6, 6],
        [4, 4],
      ],
      40,
      [6, 4],
    ]);
    expect(d).toEqual(Array.from({ length: 2 }, () => Array.from({ length: 4 }, () => [[3], [3]])));
    inGraph(() => {
      expect(() => matmul(ones([2, 3]), ones([5, 3]))).toThrow("Dimensions must be equal, but are 3 and 5");
      expect(() => matmul(ones([2, 3]), ones([3, 2]), { transposeA: true, adjointA: true })).toThrow(
        "Only one of `transpose_a` and `adjoint_a` can be True.",
      );
    });
  });

  test("the gradient of broadcast batches is summed over them", async () => {
    const build = (): Tensor[] => {
      const [x, y] = [ones([2, 1, 1, 3]), ones([4, 3, 1])];
      return gradients(matmul(x, y), [x, y]) as Tensor[];
    };
    const [dx, dy] = await valuesOf(build);
    expect(dx).toEqual(Array.from({ length: 2 }, () => [[[4, 4, 4]]]));
    expect(dy).toEqual(Array.from({ length: 4 }, () => [[2], [2], [2]]));
  });

  test("einsum: ellipsis, diagonals, several operands, no arrow", async () => {
    const w = (): Tensor =>
      constant([
        [1, 2],
        [3, 4],
        [5, 6],
      ]);
    const build = (): Tensor[] => [
      einsum("...ij,jk->...ik", ones([2, 1, 2, 3]), w()),
      einsum(
        "ii->i",
        constant([
          [1, 2],
          [3, 4],
        ]),
      ),
      einsum("ij,jk,kl->il", matrix(), ones([3, 2]), constant([[1], [2]])),
      einsum("ij,jk", matrix(), w()),
      einsum("i,i->", constant([1, 2, 3]), constant([4, 5, 6])),
    ];
    expect(await valuesOf(build)).toEqual([
      [
        [
          [
            [9, 12],
            [9, 12],
          ],
        ],
        [
          [
            [9, 12],
            [9, 12],
          ],
        ],
      ],
      [1, 4],
      [[18], [12]],
      [
        [16, 22],
        [22, 26],
      ],
      32,
    ]);
    inGraph(() => {
      expect(() => einsum("i->ii", ones([2]))).toThrow("Output subscripts contain a label appearing more than once: i->ii");
      expect(() => einsum("ij,jk->ik", ones([2, 3]), ones([2, 3]))).toThrow("Dimensions must be equal, but are 3 and 2");
    });
  });

  test("gradients of einsum equal numeric differences", async () => {
    const equations: [string, number[][]][] = [
      [
        "ij,jk->ik",
        [
          [2, 3],
          [3, 2],
        ],
      ],
      [
        "...ij,...jk->...ik",
        [
          [2, 2, 3],
          [1, 3, 2],
        ],
      ],
      ["ij->j", [[2, 3]]],
      ["ii->i", [[3, 3]]],
      ["iij,j->i", [[2, 2, 3], [3]]],
      ["i,j->ij", [[2], [3]]],
      [
        "bij,bj->b",
        [
          [2, 3, 2],
          [2, 2],
        ],
      ],
    ];
    for (const [equation, shapes] of equations) {
      const graph = new Graph();
      const [inputs, loss, slopes] = graph.asDefault(() => {
        const given = shapes.map(shape => placeholder("float64", shape));
        const y = einsum(equation, ...given);
        const total = reduceSum(multiply(y, exp(multiply(y, constant(0.1, "float64")))));
        return [given, total, gradients(total, given) as Tensor[]] as const;
      });
      await using session = new Session({ graph, config: { backend: "reference" } });
      const values = shapes.map((shape, k) =>
        Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(3 * i + k + 1)),
      );
      const nested = (flat: Float64Array, shape: readonly number[]): unknown =>
        shape.length === 0
          ? flat[0]
          : Array.from({ length: shape[0] }, (_, i) =>
              nested(flat.subarray((i * flat.length) / shape[0], ((i + 1) * flat.length) / shape[0]), shape.slice(1)),
            );
      const feeds = (): [Tensor, never][] => inputs.map((input, k) => [input, nested(values[k], shapes[k]) as never]);
      const got = (await session.run([...slopes], feeds())).map(array => [array.toArray()].flat(9) as number[]);
      for (const [k, flat] of values.entries())
        for (let i = 0; i < flat.length; i++) {
          const [at, h] = [flat[i], 1e-5];
          flat[i] = at + h;
          const above = (await session.run(loss, feeds())).item();
          flat[i] = at - h;
          const below = (await session.run(loss, feeds())).item();
          flat[i] = at;
          expect(Math.abs(got[k][i] - (above - below) / (2 * h)), `${equation}, input ${k}`).toBeLessThan(1e-6);
        }
    }
  });
});

describe("composed functions", () => {
  test("sorting keeps the order of equals and takes every type", async () => {
    const build = (): Tensor[] => [
      sort(matrix()),
      sort(matrix(), 0, "DESCENDING"),
      argsort(constant([3, 1, 3, 1]), { direction: "DESCENDING" }),
      argsort(matrix()),
      sort(constant([3, 1, 2], "uint8")),
      sort(constant([3, -2147483648, 7], "int32")),
    ];
    expect(await valuesOf(build)).toEqual([
      [
        [1, 2, 3],
        [-1, 0, 5],
      ],
      [
        [3, 1, 5],
        [0, -1, 2],
      ],
      [0, 2, 1, 3],
      [
        [1, 2, 0],
        [1, 0, 2],
      ],
      [1, 2, 3],
      [-2147483648, 3, 7],
    ]);
  });

  test("norms of vectors and matrices", async () => {
    const build = (): Tensor[] => [
      norm(matrix()),
      norm(matrix(), 1),
      norm(matrix(), Number.POSITIVE_INFINITY, 1),
      norm(matrix(), 3, 0),
      norm(matrix(), { axis: [0, 1] }),
      norm(matrix(), 1, [0, 1]),
      norm(matrix(), 2, [-2, -1]),
      norm(matrix(), Number.POSITIVE_INFINITY, [0, 1], true),
    ];
    expectClose(await valuesOf(build), [6.3245554, 12, [3, 5], [3, 1.2599211, 5.104469], 6.3245554, 7, 5.5512753, [[6]]]);
  });

  test("counting: bins, histograms, confusion", async () => {
    const values = (): Tensor => constant([-1, 0, 1.5, 2, 5, 15]);
    const build = (): Tensor[] => [
      bincount(constant([1, 3, 1, 0], "int32")),
      bincount(constant([1, 3, 1, 0], "int32"), constant([0.5, 1, 2, 4])),
      bincount(constant([1, 3, 1], "int32"), { minlength: 6 }),
      bincount(constant([1, 3, 1], "int32"), { maxlength: 2 }),
      histogramFixedWidth(values(), constant([0, 5]), 5),
      histogramFixedWidthBins(values(), constant([0, 5]), 5),
      confusionMatrix(constant([1, 2, 4], "int32"), constant([2, 2, 4], "int32")),
      confusionMatrix(constant([[0], [1]], "int32"), constant([1, 1], "int32"), 3, { weights: constant([2, 3], "int32") }),
    ];
    expect(await valuesOf(build)).toEqual([
      [1, 2, 0, 1],
      [4, 2.5, 0, 1],
      [0, 2, 0, 1, 0, 0],
      [0, 2],
      [2, 1, 1, 0, 2],
      [0, 0, 1, 2, 4, 4],
      [
        [0, 0, 0, 0, 0],
        [0, 0, 1, 0, 0],
        [0, 0, 1, 0, 0],
        [0, 0, 0, 0, 0],
        [0, 0, 0, 0, 1],
      ],
      [
        [0, 2, 0],
        [0, 3, 0],
        [0, 0, 0],
      ],
    ]);
  });

  test("polynomials, logSigmoid, lbeta, order", async () => {
    const build = (): Tensor[] => [
      polyval([2, 3, 4], matrix()),
      logSigmoid(constant([-100, 0, 3])),
      lbeta(constant([1, 2, 3])),
      isNonDecreasing(constant([1, 1, 2])),
      isStrictlyIncreasing(constant([1, 1, 2])),
      isStrictlyIncreasing(zeros([0])),
    ];
    expectClose(await valuesOf(build), [
      [
        [31, 9, 18],
        [4, 3, 69],
      ],
      [-100, -Math.LN2, -0.048587352],
      -4.0943446,
      true,
      false,
      true,
    ]);
  });

  test("assertions check at once what is known, and while running what is fed", async () => {
    inGraph(() => {
      expect(() => assertLess(constant([1, 5]), 3)).toThrow(
        /^Condition x < y did not hold element-wise:\nx \(Const:0\) = \n\[1 5\]\ny \(assert_less\/y:0\) = \n3$/,
      );
      expect(() => assertRank(zeros([2]), 2)).toThrow("Tensor zeros:0 must have rank 2.  Received rank 1, shape (2,)");
      expect(assertRank(zeros([2]), 1).name).toBe("assert_rank_1/static_checks_determined_all_ok");
    });
    const graph = new Graph();
    const [x, check] = graph.asDefault(() => {
      const given = placeholder("int32", [2]);
      return [given, assertEqual(given, constant([1, 2], "int32"), { message: "no twins" })];
    });
    await using session = new Session({ graph });
    await session.run(check, [[x, [1, 2]]]);
    await expect(session.run(check, [[x, [1, 3]]])).rejects.toThrow("assertion failed: [no twins]");
  });
});

test("a NaN anywhere in a long row is its greatest, its least and all of its softmax, whatever its bits", async () => {
  const places = [0, 1, 3, 64, 255, 256, 1029, 1030];
  const length = 1031;
  const data = Float32Array.from({ length: (places.length + 1) * length }, (_, i) => -1 - (i % 7));
  const words = new Uint32Array(data.buffer);
  places.forEach((at, row) => void (words[row * length + at] = [0x7fc00000, 0xffc00001, 0x7f800001, 0xffffffff][row % 4]));
  data[places.length * length + 700] = -0.5;
  const [most, least, shares] = (await valuesOf(() => {
    const x = constant(new NDArray("float32", [places.length + 1, length], data));
    return [reduceMax(x, 1), reduceMin(x, 1), softmax(x)];
  })) as [number[], number[], number[][]];
  for (let row = 0; row < places.length; row++) {
    expect([most[row], least[row]]).toEqual([Number.NaN, Number.NaN]);
    expect(shares[row].every(Number.isNaN)).toBe(true);
  }
  expect([most[places.length], least[places.length]]).toEqual([-0.5, -7]);
  expect(shares[places.length].reduce((a, b) => a + b)).toBeCloseTo(1, 5);
});

test("a confusion matrix of labels or predictions whose rank is told by the run", async () => {
  const of = (labels: unknown, predictions: unknown) =>
    valueOf(() => {
      const late = (values: unknown) => placeholderWithDefault(constant(values as number[], "int32"), null);
      return confusionMatrix(late(labels), late(predictions), { numClasses: 3 });
    });
  const want = [
    [1, 0, 0],
    [0, 0, 1],
    [0, 0, 1],
  ];
  expect(await of([0, 1, 2], [0, 2, 2])).toEqual(want);
  expect(await of([[0], [1], [2]], [0, 2, 2])).toEqual(want);
  expect(await of([0, 1, 2], [[0], [2], [2]])).toEqual(want);
});
