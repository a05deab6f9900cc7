// tf.gradients: its options, messages and names; the numbers of each op's gradient are golden cases (test/parity).

import * as tf from "tensorloom";
import { describe, expect, test } from "vitest";

/** Builds in a graph of its own and gives the values of what is returned. */
async function values(build: () => tf.Fetches): Promise<unknown[]> {
  const graph = new tf.Graph();
  const { fetches, initialize } = graph.asDefault(() => ({ fetches: build(), initialize: tf.globalVariablesInitializer() }));
  const session = new tf.Session({ graph });
  await session.run(initialize);
  const results = (await session.run(fetches)) as tf.NDArray[];
  await session.close();
  return results.map(result => result?.toArray() ?? null);
}

const inGraph = <T>(build: () => T): T => new tf.Graph().asDefault(build);

describe("tf.gradients", () => {
  test("sums over all ys, and given gradients of them", async () => {
    const build = (gradYs?: readonly number[][]) => (): tf.Fetches => {
      const x = tf.constant([1, 2], tf.float32);
      const ys = [tf.square(x), x.mul(3)];
      return tf.gradients(ys, x, gradYs ? { gradYs } : {}) as tf.Tensor[];
    };
    expect(await values(build())).toEqual([[5, 7]]);
    expect(
      await values(
        build([
          [1, 0],
          [0, 1],
        ]),
      ),
    ).toEqual([[2, 3]]);
  });

  test("second derivatives", async () => {
    expect(
      await values(() => {
        const x = tf.constant([2, 3], tf.float32);
        const [first] = tf.gradients(tf.pow(x, 3), x) as tf.Tensor[];
        return tf.gradients(first, x) as tf.Tensor[];
      }),
    ).toEqual([[12, 18]]);
  });

  test("stopGradients makes constants of tensors on the way", async () => {
    expect(
      await values(() => {
        const x = tf.constant(3, tf.float32);
        const y = x.mul(2);
        return tf.gradients(x.add(y), [x, y], { stopGradients: [x, y] }) as tf.Tensor[];
      }),
    ).toEqual([1, 1]);
  });

  test("no path gives null, or zeros if asked for; integers cut the path", async () => {
    inGraph(() => {
      const x = tf.constant([1, 2], tf.float32);
      const y = tf.constant(1, tf.float32);
      expect(tf.gradients(y, x)).toEqual([null]);
      expect(tf.gradients(tf.cast(tf.cast(x, tf.int32), tf.float32), x)).toEqual([null]);
      expect(tf.gradients(y, [])).toEqual([]);
    });
    expect(
      await values(
        () => tf.gradients(tf.constant(1, tf.float32), tf.constant([1, 2], tf.float32), { unconnectedGradients: "zero" }) as tf.Tensor[],
      ),
    ).toEqual([[0, 0]]);
  });

  test("slices go through sums of tensors as they are, once for each input", async () => {
    const sums = [
      (x: tf.Tensor) => tf.addN([x, x]),
      (x: tf.Tensor) => tf.rawOps.AccumulateNV2({ inputs: [x, x], shape: new tf.TensorShape([3, 2]) }),
    ];
    for (const sum of sums) {
      const fetched = await values(() => {
        const x = tf.ones([3, 2]);
        const [slices] = tf.gradients(tf.gather(sum(x), [2, 0]), x);
        if (!(slices instanceof tf.IndexedSlices)) throw new Error("The gradient is dense.");
        expect([slices.values.name, slices.indices.name]).toEqual(["gradients/concat:0", "gradients/concat_1:0"]);
        return [slices.values, slices.indices];
      });
      expect(fetched).toEqual([Array.from({ length: 4 }, () => [1, 1]), [2, 0, 2, 0]]);
    }
  });

  test("slices stay slices through what TensorFlow keeps them in", async () => {
    const bias = (shape: number[]): tf.Variable => new tf.Variable(tf.zeros(shape));
    const whole = tf.ones;
    const open = (x: tf.Variable): tf.Tensor => tf.placeholderWithDefault(x, [null, 3]);
    const cases: [(v: tf.Variable) => tf.Tensor, string][] = [
      [v => v.add(whole([4, 3])), "slices"],
      [v => v.add(bias([3])), "slices dense"],
      [v => bias([4, 1]).sub(v), "slices dense"],
      [v => v.sub(v).neg(), "slices"],
      [v => open(v).add(whole([4, 3])), "dense"],
      [v => tf.cast(tf.cast(v, tf.complex64), tf.float32), "slices"],
      [v => tf.cast(v.mul(2), tf.float64), "dense"],
      [v => tf.ensureShape(v, [4, 3]), "slices"],
      [v => tf.nn.biasAdd(v, bias([3])), "slices dense"],
      [v => tf.concat([whole([1, 3]), v], 0), "slices"],
      [v => tf.concat([v, bias([4, 2])], -1), "slices slices"],
    ];
    for (const [f, kinds] of cases) {
      const [asSlices, asDense] = await values(() => {
        const v = new tf.Variable(tf.reshape(tf.range(0, 12, 1, { dtype: tf.float32 }), [4, 3]));
        const y = f(v);
        const all = tf.trainableVariables();
        const found = tf.gradients(tf.square(tf.gather(y, [1, 0, 1])), all);
        expect(found.map(gradient => (gradient instanceof tf.IndexedSlices ? "slices" : "dense")).join(" ")).toBe(kinds);
        // The same by a product with ones, through which no slices go.
        const dense = tf.gradients(tf.square(tf.gather(y.mul(tf.onesLike(y)), [1, 0, 1])), all);
        const joined = (list: typeof found): tf.Tensor =>
          tf
            .concat(
              list.map(gradient => tf.reshape(tf.convertToTensor(gradient as tf.TensorLike), [-1])),
              0,
            )
            .add(0);
        return [joined(found), joined(dense)];
      });
      expect(asSlices).toEqual(asDense);
    }
    inGraph(() => {
      const [v, axis] = [new tf.Variable(whole([4, 3])), tf.placeholder(tf.int32, [])];
      const y = tf.gather(tf.concat([v, v], axis), [0]);
      expect(() => tf.gradients(y, v)).toThrow("Can only compute IndexedSlices gradient with statically-known concat_dim");
    });
  });

  test("gather gives slices; several are joined, dense ones make all dense", async () => {
    inGraph(() => {
      const v = new tf.Variable(tf.ones([4, 2]));
      const [slices] = tf.gradients(tf.reduceSum(tf.gather(v, [1, 1])), v);
      expect(slices).toBeInstanceOf(tf.IndexedSlices);
    });
    expect(
      await values(() => {
        const v = new tf.Variable(tf.ones([4, 2]));
        return tf.gradients(tf.reduceSum(tf.gather(v, [1, 1])).add(tf.reduceSum(v)), v) as tf.Tensor[];
      }),
    ).toEqual([
      [
        [1, 1],
        [3, 3],
        [1, 1],
        [1, 1],
      ],
    ]);
  });

  test("names as TensorFlow's", () => {
    inGraph(() => {
      const x = tf.placeholder(tf.float32, [2], { name: "x" });
      const [d] = tf.gradients(tf.square(x, { name: "s" }), x) as tf.Tensor[];
      expect(d.name).toBe("gradients/s_grad/Mul_1:0");
      const [e] = tf.gradients(x.add(x.mul(2)), x) as tf.Tensor[];
      expect(e.name).toBe("gradients_1/AddN:0");
    });
  });

  test.each<[string, () => unknown, string]>([
    ["too few gradYs", () => tf.gradients(tf.ones([2]), [], { gradYs: [1, 2, 3] }), "Length mismatch. Passed 3 grad_ys for 1 ys"],
    [
      "a wrong aggregation method",
      () => {
        const x = tf.placeholder("float32", [2]);
        return tf.gradients(tf.square(x), [x], { aggregationMethod: 9 as never });
      },
      "Invalid `aggregation_method` specified 9. Accepted values are [0, 1, 2].",
    ],
    [
      "a wrong unconnectedGradients",
      () => tf.gradients(tf.ones([2]), [], { unconnectedGradients: "foo" as never }),
      "Unknown value for unconnected_gradients: 'foo'",
    ],
  ])("refuses %s", (_, use, expected) => {
    expect(() => inGraph(use)).toThrow(expected);
  });

  test("an op without a gradient is named", () => {
    inGraph(() => {
      const x = tf.placeholder(tf.float32, [3, 4]);
      const scores = tf.placeholder(tf.float32, [3]).add(tf.reduceSum(x, 1));
      const picked = tf.cast(tf.image.nonMaxSuppression(x, scores, 2), tf.float32);
      expect(tf.gradients(picked, x)).toEqual([null]);
      expect(() => tf.RegisterGradient(5 as never, () => null)).toThrow("op_type must be a string");
    });
  });

  test("gradientOverrideMap finds a registered gradient", async () => {
    tf.RegisterGradient("Tripled", (_op, d) => d.mul(3));
    expect(
      await values(() => {
        const x = tf.constant([1, 2], tf.float32);
        const y = tf.getDefaultGraph().gradientOverrideMap({ Identity: "Tripled" }, () => tf.identity(x));
        return tf.gradients(y, x) as tf.Tensor[];
      }),
    ).toEqual([[3, 3]]);
  });
});

test("gated gradients of what a loop starts from: the loop of gradients is left through a gate", async () => {
  const [, got] = (await values(() => {
    const start = tf.getVariable("start", [2], { initializer: tf.constantInitializer([1, 2]) });
    const [, end] = tf.whileLoop(
      (i: tf.Tensor) => i.less(3),
      (i: tf.Tensor, x: tf.Tensor) => [i.add(1), x.mul(x)],
      [tf.constant(0, tf.int32), start.value()],
    );
    return [end, ...(tf.gradients(end, start, { gateGradients: true }) as tf.Tensor[])];
  })) as number[][];
  expect(got).toEqual([8, 8 * 2 ** 7]);
});

describe("tf.customGradient of functions that read variables", () => {
  const build =
    (gradOf: (w: tf.Variable) => (dy: tf.Tensor, used: { readonly variables: readonly tf.Variable[] }) => unknown) => (): tf.Fetches => {
      const w = tf.getVariable("w", [], { initializer: tf.constantInitializer(3) });
      const x = tf.constant(2);
      const y: tf.Tensor = tf.customGradient(v => [v.mul(w), gradOf(w)])(x);
      return tf.gradients(y, [x, w]) as tf.Tensor[];
    };

  test("gives the gradients of both", async () => {
    const gradOf =
      (w: tf.Variable) =>
      (dy: tf.Tensor, { variables }: { variables: readonly tf.Variable[] }) => [dy.mul(w), variables.map(() => dy.mul(10))];
    expect(await values(build(gradOf))).toEqual([3, 10]);
  });

  test("is refused where they are forgotten or not one for each", () => {
    expect(() => inGraph(build(w => dy => dy.mul(w)))).toThrow(
      /^@tf.custom_gradient grad_fn must accept keyword argument 'variables', since function uses variables: \[<tf.Variable 'w:0' shape=\(\) dtype=float32_ref>\]/,
    );
    expect(() =>
      inGraph(
        build(w => (dy, { variables: _ }) => [dy.mul(w), []]),
      ),
    ).toThrow("Must return gradient for each variable from @custom_gradient grad_fn.");
  });
});

test("slices of a loop that ends before its first iteration are one row of nothing", async () => {
  const graph = new tf.Graph();
  const built = graph.asDefault(() => {
    const [table, count] = [tf.placeholder(tf.float32, [3]), tf.placeholder(tf.int32, [])];
    const squares = table.mul(table);
    const [, rows] = tf.whileLoop(
      (i: tf.Tensor) => i.less(count),
      (i: tf.Tensor) => [i.add(1), tf.gather(squares, tf.stack([i, 0, i]))],
      [tf.constant(0, tf.int32), table],
      { shapeInvariants: [new tf.TensorShape([]), new tf.TensorShape([null])] },
    ) as tf.Tensor[];
    return { table, count, slices: tf.gradients(rows, squares)[0] as tf.IndexedSlices };
  });
  const session = new tf.Session({ graph });
  const { indices, values, denseShape } = built.slices;
  const run = async (times: number) => {
    const fetches = [indices, values, denseShape as tf.Tensor];
    const results = await session.run(fetches, [
      [built.table, Float32Array.of(1, 2, 3)],
      [built.count, times],
    ]);
    return results.map(result => result.toArray());
  };
  // Recorded from TensorFlow.
  expect(await run(2)).toEqual([[0, 1, 0, 1, 0, 0, 0], [0, 1, 1, 1, 0, 0, 0], [3]]);
  expect(await run(0)).toEqual([[0], [0], [0]]);
  await session.close();
});

test("the gradient of an array that each iteration of a loop makes anew begins with zeros", async () => {
  using _graph = new tf.Graph().asDefault();
  const x = tf.placeholder("float32", []);
  const n = tf.placeholder("int32", []);
  const k = tf.constant([1, 2, 3]);
  const scaled = (c: tf.Tensor): tf.Tensor => (tf.scan((a, e) => (a as tf.Tensor).mul(e as tf.Tensor), k, c) as tf.Tensor).at(2);
  const unrolled = tf.foldl(c => scaled(c as tf.Tensor), k, x) as tf.Tensor;
  const [, counted] = tf.whileLoop(
    (i: tf.Tensor) => tf.less(i, n),
    (i: tf.Tensor, c: tf.Tensor) => [i.add(1), scaled(c)],
    [tf.constant(0, "int32"), x],
  ) as tf.Tensor[];
  const chosen = tf.whileLoop(
    (i: tf.Tensor) => tf.less(i, n),
    (i: tf.Tensor, c: tf.Tensor) => [i.add(1), tf.switchCase(i, [() => c.mul(c), () => c.mul(5)]) as tf.Tensor],
    [tf.constant(0, "int32"), x],
  ) as tf.Tensor[];
  const ys = [unrolled, counted, chosen[1]];
  await using session = new tf.Session();
  const run = async (fetches: unknown) =>
    (
      (await session.run(fetches as tf.Tensor[], [
        [x, 0.5],
        [n, 2],
      ])) as tf.NDArray[]
    ).map(array => array.item());
  expect(await run(ys)).toEqual([108, 18, 1.25]);
  expect(await run(ys.map(y => tf.gradients(y, x)[0]))).toEqual([216, 36, 5]);
});
