// Session: fetch structures, feeds, errors with TensorFlow's first lines, concurrency, lifetime; each on both backends where values matter.

import * as tf from "tensorloom";
import { describe, expect, test } from "vitest";

const backends = ["wasm", "reference"] as const;

const firstLine = async (run: () => unknown): Promise<string> => {
  try {
    await run();
  } catch (error) {
    const { name, message } = error as Error;
    return `${name}: ${message.split("\n")[0]}`;
  }
  return "nothing was raised";
};

/** Builds in a graph of its own and uses a session of it. */
async function run<T>(
  backend: (typeof backends)[number],
  build: () => T,
  use: (session: tf.Session, built: T) => Promise<void>,
): Promise<void> {
  const graph = new tf.Graph();
  const built = graph.asDefault(build);
  const session = new tf.Session({ graph, config: { backend } });
  try {
    await use(session, built);
  } finally {
    await session.close();
  }
}

describe.each(backends)("on %s", backend => {
  test("results have the nesting of the fetches", () =>
    run(
      backend,
      () => {
        const a = tf.constant([1, 2], tf.float32, { name: "a" });
        return { a, sum: tf.reduceSum(a), op: tf.noOp({ name: "nothing" }) };
      },
      async (session, { a, sum, op }) => {
        expect((await session.run(sum)).item()).toBe(3);
        const [x, [y, none]] = await session.run([a, [sum, op]]);
        expect([x.toArray(), y.item(), none]).toEqual([[1, 2], 3, null]);
        const named = await session.run({ first: a, rest: ["a:0", "nothing"] });
        expect(named.first.toArray()).toEqual([1, 2]);
        expect(named.rest[0].toArray()).toEqual([1, 2]);
        expect(named.rest[1]).toBeNull();
        expect(await session.run([])).toEqual([]);
      },
    ));

  test("what enters a loop can be fetched; what an iteration computes can not, in an imported graph neither", async () => {
    const made = new tf.Graph();
    made.asDefault(() =>
      tf.whileLoop(
        (i: tf.Tensor) => tf.less(i, 3),
        (i: tf.Tensor) => [tf.add(i, 2)],
        [tf.constant(1)],
      ),
    );
    const read = new tf.Graph();
    read.asDefault(() => tf.importGraphDef(made.asGraphDef(), { name: "" }));
    for (const graph of [made, read]) {
      await using session = new tf.Session({ graph });
      expect((await session.run("while/Enter:0")).item()).toBe(1);
      expect((await session.run("while/Exit:0")).item()).toBe(3);
      await expect(session.run("while/Add:0")).rejects.toThrow("Operation while/Add has been marked as not fetchable.");
      const add = graph.getTensorByName("while/Add:0");
      await expect(session.run("while/Exit:0", [[add, 5]])).rejects.toThrow("Tensor while/Add:0 may not be fed.");
    }
  });

  test("feeds by pairs, Map, names; any feedable tensor", () =>
    run(
      backend,
      () => {
        const x = tf.placeholder(tf.float32, [null], { name: "x" });
        const doubled = x.mul(2);
        return { x, doubled, next: doubled.add(1) };
      },
      async (session, { x, doubled, next }) => {
        for (const feeds of [[[x, [1, 2]]], new Map([[x, [1, 2]]]), { "x:0": [1, 2] }] as const)
          expect((await session.run(next, feeds as tf.Feeds)).toArray()).toEqual([3, 5]);
        expect((await session.run(next, [[doubled, [10]]])).toArray()).toEqual([11]);
        expect((await session.run(x, [[x, [7]]])).toArray()).toEqual([7]);
      },
    ));

  test("variables live in the session; runs under way at once keep their order", () =>
    run(
      backend,
      () => {
        const v = new tf.Variable(0, { name: "v" });
        return { v, add: v.assignAdd(1), initialize: tf.globalVariablesInitializer() };
      },
      async (session, { v, add, initialize }) => {
        await session.run(initialize);
        const results = await Promise.all(Array.from({ length: 50 }, () => session.run(add)));
        expect(results.map(result => result.item())).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
        expect((await session.run(v)).item()).toBe(50);
      },
    ));

  test("a callable takes feed values alone", () =>
    run(
      backend,
      () => {
        const x = tf.placeholder(tf.float32, []);
        return { x, y: x.mul(x) };
      },
      async (session, { x, y }) => {
        const square = session.makeCallable(y, { feedList: [x] });
        expect((await square(3)).item()).toBe(9);
        expect((await square(4)).item()).toBe(16);
      },
    ));

  test("an error in the middle leaves variables as they were", () =>
    run(
      backend,
      () => {
        const v = new tf.Variable([1, 2]);
        const index = tf.placeholder(tf.int32, []);
        const bad = tf.gather(v, index);
        return { v, index, update: tf.assign(v, v.mul(0).add(bad)), initialize: tf.globalVariablesInitializer() };
      },
      async (session, { v, index, update, initialize }) => {
        await session.run(initialize);
        expect(await firstLine(() => session.run(update, [[index, 5]]))).toMatch(/^InvalidArgumentError: indices = 5 is not in \[0, 2\)/);
        expect((await session.run(v)).toArray()).toEqual([1, 2]);
      },
    ));

  test("a variable may change its shape", () =>
    run(
      backend,
      () => {
        const v = new tf.Variable([1, 2], { validateShape: false });
        return { v, initialize: tf.globalVariablesInitializer(), grow: tf.assign(v, tf.constant([1, 2, 3]), { validateShape: false }) };
      },
      async (session, { v, initialize, grow }) => {
        await session.run(initialize);
        expect((await session.run(v)).shape).toEqual([2]);
        await session.run(grow);
        expect((await session.run(v)).toArray()).toEqual([1, 2, 3]);
        await session.run(initialize);
        expect((await session.run(v)).toArray()).toEqual([1, 2]);
      },
    ));
});

describe("what is refused", () => {
  const build = () => {
    const x = tf.placeholder(tf.float32, [null, 3], { name: "x" });
    return {
      x,
      y: tf.reduceSum(x, { name: "y" }),
      i: tf.placeholder(tf.int32, [], { name: "i" }),
      v: new tf.Variable([1], { name: "v" }),
      c: tf.constant(1, tf.float32, { name: "c" }),
    };
  };
  const other = new tf.Graph().asDefault(() => tf.constant(1, tf.float32, { name: "other" }));

  test.each<[string, (session: tf.Session, built: ReturnType<typeof build>) => unknown, string]>([
    [
      "a placeholder without a feed",
      (s, { y }) => s.run(y),
      "InvalidArgumentError: You must feed a value for placeholder tensor 'x' with dtype float and shape [?,3]",
    ],
    [
      "a feed of a wrong shape",
      (s, { x, y }) => s.run(y, [[x, [1, 2]]]),
      "ValueError: Cannot feed value of shape (2,) for Tensor x:0, which has shape (?, 3)",
    ],
    [
      "a number too large",
      (s, { i }) => s.run(i, [[i, 2147483648]]),
      "TypeError: Type of feed value 2147483648 with type <class 'int'> is not compatible with Tensor type <class 'numpy.int32'>. Try explicitly setting the type of the feed tensor to a larger type (e.g. int64).",
    ],
    [
      "ragged lists",
      (s, { x, y }) => s.run(y, [[x, [[1, 2, 3], [1]]]]),
      "ValueError: setting an array element with a sequence. The requested array has an inhomogeneous shape after 1 dimensions. The detected shape was (2,) + inhomogeneous part.",
    ],
    [
      "an unknown feed key",
      (s, { y }) => s.run(y, { "nope:0": 1 }),
      "TypeError: Cannot interpret feed_dict key as Tensor: The name 'nope:0' refers to a Tensor which does not exist. The operation, 'nope', does not exist in the graph.",
    ],
    [
      "an op name as feed key",
      (s, { y }) => s.run(y, { x: 1 }),
      "TypeError: Cannot interpret feed_dict key as Tensor: The name 'x' refers to an Operation, not a Tensor. Tensor names must be of the form \"<op_name>:<output_index>\".",
    ],
    ["an uninitialized variable", (s, { v }) => s.run(v), "FailedPreconditionError: Attempting to use uninitialized value v"],
    [
      "an unknown fetch",
      s => s.run("zz:0"),
      "ValueError: Argument `fetch` = zz:0 cannot be interpreted as a Tensor. (\"The name 'zz:0' refers to a Tensor which does not exist. The operation, 'zz', does not exist in the graph.\")",
    ],
    [
      "a number as fetch",
      s => s.run(5 as never),
      'TypeError: Argument `fetch` = 5 has invalid type "int" must be a string or Tensor. (Can not convert a int into a Tensor or Operation.)',
    ],
    ["nothing as fetch", s => s.run(null as never), 'TypeError: Argument `fetch` = None has invalid type "NoneType". Cannot be None'],
    [
      "a fetch from another graph",
      s => s.run(other),
      'ValueError: Argument `fetch` = Tensor("other:0", shape=(), dtype=float32) cannot be interpreted as a Tensor. (Tensor Tensor("other:0", shape=(), dtype=float32) is not an element of this graph.)',
    ],
    [
      "a tensor as value",
      (s, { x, y, c }) => s.run(y, [[x, c as never]]),
      'TypeError: The value of a feed cannot be a tf.Tensor object. Acceptable feed values include Python scalars, strings, lists, numpy ndarrays, or TensorHandles. For reference, the tensor object was Tensor("c:0", shape=(), dtype=float32) which was passed to the argument `feed_dict` with key Tensor("x:0", shape=(?, 3), dtype=float32).',
    ],
  ])("%s", (_, use, expected) =>
    run("wasm", build, async (session, built) => {
      expect(await firstLine(() => use(session, built))).toBe(expected);
    }),
  );

  test("a tensor that may not be fed", () =>
    run("wasm", build, async (session, { x, y }) => {
      session.graph.preventFeeding(x);
      expect(await firstLine(() => session.run(y, [[x, [[1, 2, 3]]]]))).toBe("ValueError: Tensor x:0 may not be fed.");
    }));

  test("a closed session, an empty graph", async () => {
    const empty = new tf.Session({ graph: new tf.Graph() });
    expect(await firstLine(() => empty.run([]))).toBe(
      "RuntimeError: The Session graph is empty. Add operations to the graph before calling run().",
    );
    await run("wasm", build, async (session, { c }) => {
      await session.close();
      await session.close();
      expect(await firstLine(() => session.run(c))).toBe("RuntimeError: Attempted to use a closed Session.");
    });
  });

  test("wrong arguments of the constructor", async () => {
    expect(await firstLine(() => new tf.Session({ graph: 5 as never }))).toBe(
      'TypeError: Argument `graph` must be a tf.Graph, but got "int"',
    );
    expect(await firstLine(() => new tf.Session({ config: 5 as never }))).toBe(
      'TypeError: Argument `config` must be a tf.ConfigProto, but got "int"',
    );
    expect(await firstLine(() => new tf.Session(5 as never))).toBe('TypeError: Argument `target` must be a string, but got "int"');
  });
});

test("eval and run use the default session", async () => {
  const graph = new tf.Graph();
  const { x, v, initialize } = graph.asDefault(() => ({
    x: tf.constant(2, tf.float32),
    v: new tf.Variable(3),
    initialize: tf.globalVariablesInitializer(),
  }));
  expect(await firstLine(() => x.eval())).toMatch(
    /^ValueError: Cannot evaluate tensor using `eval\(\)`: No default session is registered\./,
  );
  const session = new tf.Session({ graph });
  await session.asDefault(async () => {
    await initialize.run();
    expect((await x.eval()).item()).toBe(2);
    expect((await v.eval()).item()).toBe(3);
  });
  await session.close();
});

test("values that are missing at once are waited for at once", () =>
  run(
    "wasm",
    () => {
      const x = tf.placeholder(tf.float32, [6]);
      const [a, b] = [tf.placeholder(tf.int32, [2]), tf.placeholder(tf.int32, [2])];
      const found = tf.shape(tf.where(x.greater(3))).at([0, 1]);
      return { x, a, b, sums: [a, b, tf.concat([found, [-1]], 0)].map(shape => tf.reduceSum(tf.reshape(x, shape), { axis: 0 })) };
    },
    async (session, { x, a, b, sums }) => {
      const feeds: tf.Feeds = [
        [x, [1, 2, 3, 4, 5, 6]],
        [a, [2, 3]],
        [b, [3, 2]],
      ];
      const { segments } = await session.explain(sums, feeds);
      expect(segments.split("\n").map(line => line.split(" ")[0])).toEqual(["compiled", "compiled", "on"]);
      const rows = (await session.run(sums, feeds)).map(sum => sum.toArray());
      expect(rows).toEqual([
        [5, 7, 9],
        [9, 12],
        [9, 12],
      ]);
    },
  ));

test("explain gives the text of every stage, counts the exact figures", () =>
  run(
    "wasm",
    () => {
      const x = tf.placeholder(tf.float32, [4], { name: "x" });
      return { x, y: tf.nn.relu(x.mul(2)) };
    },
    async (session, { x, y }) => {
      const stages = await session.explain(y, [[x, [1, 2, 3, 4]]]);
      expect(Object.keys(stages)).toEqual(expect.arrayContaining(["graph", "program", "plan", "kernels"]));
      expect(stages.graph).toContain("Relu = Relu(mul:0)");
      expect(stages.plan).toContain("mul(v0[i0], 2)");
      expect((await session.counts(y, [[x, [1, 2, 3, 4]]])).kernels).toBe(1);
    },
  ));

test("awaited runs let timers in", () =>
  run(
    "wasm",
    () => tf.constant(1, tf.float32),
    async (session, one) => {
      let isOver = false;
      setTimeout(() => {
        isOver = true;
      }, 60);
      for (let i = 0; i < 3_000_000 && !isOver; i++) await session.run(one);
      expect(isOver).toBe(true);
    },
  ));

test("mistakes are told with what mends them", async () => {
  const graph = new tf.Graph();
  using _default = graph.asDefault();
  const x = tf.placeholder(tf.float32, [null, 3], { name: "images" });
  const session = new tf.Session({ graph });
  const messageOf = async (act: () => unknown): Promise<string> => {
    try {
      await act();
    } catch (error) {
      return String(error);
    }
    return "";
  };
  expect(await messageOf(() => session.run("image:0"))).toContain('There is "images:0".');
  expect(await messageOf(() => session.run(x, { images: [[1, 2, 3]] }))).toContain('Its first output is "images:0".\nTexts as keys');
  expect(await messageOf(() => session.run(session.run(x) as never))).toContain("It is a promise: await it");
  expect(await messageOf(() => tf.add(x, tf.constant(1, tf.int32)))).toMatch(
    /of argument 'x'\.\n\ntf\.cast\(y, "float32"\) converts it\.\nNode 'Add' was to be made at .*session\.test\.ts:\d+:\d+\.$/,
  );
  expect(await messageOf(() => Number(x))).toContain("x.add(y)");
  expect(`${x}`).toBe('Tensor("images:0", shape=(?, 3), dtype=float32)');
  await session.close();
});

test("a constant is what its array held when it was made", async () => {
  const graph = new tf.Graph();
  using _default = graph.asDefault();
  const numbers = new Float32Array(20_000).fill(1);
  const array = new tf.NDArray("float32", [2], new Float32Array([1, 2]));
  const fetches = [tf.reduceSum(tf.constant(numbers)), tf.add(0, array)];
  const variable = new tf.Variable(numbers);
  numbers[0] = 9;
  array.data[0] = 9;
  const session = new tf.Session({ graph });
  await session.run(variable.initializer);
  expect((await session.run([...fetches, tf.reduceSum(variable)])).map(String)).toEqual(["20000", "[1 2]", "20000"]);
  await session.close();
});

describe("what is fed", () => {
  const fed = async (dtype: tf.DType, value: unknown): Promise<string> => {
    const graph = new tf.Graph();
    const x = graph.asDefault(() => tf.placeholder(dtype, null));
    await using session = new tf.Session({ graph });
    return session.run(x, [[x, value as number]]).then(String, (error: Error) => `${error.name}: ${error.message.split("\n")[0]}`);
  };

  const wrongInt = (value: number, dtype: string): string =>
    `TypeError: Type of feed value ${value} with type <class 'int'> is not compatible with Tensor type <class 'numpy.${dtype}'>. Try explicitly setting the type of the feed tensor to a larger type (e.g. int64).`;

  // TensorFlow 2.21 and numpy give the same, but for NaN in integers, where the processor decides
  test.each([
    ["float32", ["1.5", " 2 ", "-inf"], "[1.5 2 -Infinity]"],
    ["float32", ["a"], "ValueError: could not convert string to float: 'a'"],
    ["int32", ["3", "-4"], "[3 -4]"],
    ["int32", ["3.5"], "ValueError: invalid literal for int() with base 10: '3.5'"],
    ["int32", [Number.NaN, 1], "ValueError: cannot convert float NaN to integer"],
    ["int64", [2n ** 70n], "RangeError: Python int too large to convert to C long"],
    ["int64", [2 ** 53 - 1, 2n ** 60n], "[9007199254740991 1152921504606846976]"],
    ["int64", [2 ** 60], "RangeError: 1152921504606847000 is not exact as int64: a number holds integers up to 2**53 - 1."],
    ["bool", ["true", ""], "[true false]"],
    ["bool", 300, wrongInt(300, "bool")],
    ["uint64", -1, wrongInt(-1, "uint64")],
    ["int8", 300n, wrongInt(300, "int8")],
    // Floats are cast, whole numbers wrap.
    ["int32", [3e9 + 0.5, -1.5, 1e20, 2 ** 40], "[-2147483648 -1 -2147483648 0]"],
    ["int8", [300, 300.7, 1e20], "[44 44 0]"],
    ["int32", [Float64Array.of(300.7, 3e9, -1.5)], "[[300 -2147483648 -1]]"],
    ["string", Float64Array.of(1.5), "TypeError: Expected string, but got 1.5 of type 'float'."],
    ["string", ["a", 1], "TypeError: Expected string, but got 1 of type 'int'."],
    ["string", [new Uint8Array([97, 98])], "[ab]"],
    ["string", new Uint8Array([97, 98]), "ab"],
  ] as const)("as %s, number %#", async (dtype, value, answer) => {
    expect(await fed(dtype, value)).toBe(answer);
  });
});
