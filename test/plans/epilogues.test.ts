// What is one kernel: what follows a contraction in its epilogue, softmax and layer norm with their gradients, reductions along any axes,
// and how many kernels the updates of an optimizer are. Exact lists, so that a kernel more or less shows.
import { describe, expect, test } from "vitest";
import * as tf from "../../src/index.ts";

const input = (...shape: number[]): tf.Tensor => tf.placeholder(tf.float32, shape);

/** The kernels of a plan, each by its kind and shape. */
async function kernelsOf(build: () => tf.Tensor | tf.Operation | (tf.Tensor | tf.Operation)[]): Promise<string[]> {
  const graph = new tf.Graph();
  const fetches = graph.asDefault(build);
  using session = new tf.Session({ graph });
  const feeds = graph
    .getOperations()
    .filter(({ type }) => type === "Placeholder")
    .map(({ outputs: [fed] }): [tf.Tensor, tf.NDArray] => [fed, tf.NDArray.zeros("float32", fed.shape.asList() as number[])]);
  const { plan } = await session.explain(fetches, feeds);
  const kinds = "map|sweep|contract|reduce|rows|scatter|random|copy|check|sort|scan";
  const extents = "\\[[\\d,]*\\]|\\d+ of \\d+";
  return [...plan.matchAll(new RegExp(`^(${kinds})( (${extents})(, (${extents}))*)?`, "gm"))].map(([found]) => found);
}

const dense = (): tf.Tensor => tf.nn.biasAdd(tf.matmul(input(64, 48), input(48, 32)), input(32));
const convolution = (): tf.Tensor => tf.nn.conv2d(input(4, 12, 12, 8), input(3, 3, 8, 16), [1, 1, 1, 1], "SAME");

describe("a contraction takes into its epilogue", () => {
  const whole = ["contract [64,32]"];
  test("a bias", async () => expect(await kernelsOf(dense)).toEqual(whole));
  test("bias and relu", async () => expect(await kernelsOf(() => tf.nn.relu(dense()))).toEqual(whole));
  test("bias, residual and relu", async () => expect(await kernelsOf(() => tf.nn.relu(dense().add(input(64, 32))))).toEqual(whole));
  test("bias, relu and a mask that is there", async () =>
    expect(await kernelsOf(() => tf.nn.relu(dense()).mul(input(64, 32)))).toEqual(whole));
  test("bias, residual and relu of a convolution", async () =>
    expect(await kernelsOf(() => tf.nn.relu(tf.nn.biasAdd(convolution(), input(16)).add(input(4, 12, 12, 16))))).toEqual([
      "contract [4,12,12,16]",
    ]));
  test("batch norm of inference, whose scale and shift are computed once a channel", async () =>
    expect(
      await kernelsOf(() => {
        const [mean, variance] = [input(16), input(16)];
        return tf.nn.relu6(tf.nn.fusedBatchNorm(convolution(), input(16), input(16), { mean, variance, isTraining: false })[0]);
      }),
    ).toEqual(["map [16]", "contract [4,12,12,16]"]));
});

describe("beside a contraction stays", () => {
  test("a function of many instructions, which runs over vectors in turn", async () =>
    expect(await kernelsOf(() => tf.tanh(dense()))).toEqual(["contract [64,32]", "map [64,32]"]));
  test("dropout that draws its mask", async () =>
    expect(await kernelsOf(() => tf.nn.dropout(tf.nn.relu(dense()), { rate: 0.5, seed: 3 }))).toEqual([
      "contract [64,32]",
      "random",
      "sweep [64,32], [3]",
    ]));
});

describe("one pass over rows is", () => {
  test("softmax with its gradient", async () =>
    expect(
      await kernelsOf(() => {
        const x = input(64, 48);
        return tf.gradients(tf.reduceSum(tf.nn.softmax(x).mul(input(64, 48))), [x]) as tf.Tensor[];
      }),
    ).toEqual(["rows 64 of 48"]));
});

test("a reduction along any axes is one kernel", async () =>
  expect(
    await kernelsOf(() => {
      const x = input(8, 6, 10, 12);
      return [[0], [1, 3], [0, 2], [0, 1, 2, 3]].map(axis => tf.reduceSum(x, { axis }));
    }),
  ).toEqual(["reduce [6,10,12]", "reduce [8,10]", "reduce [6,12]", "reduce []"]));

test("an optimizer's updates are one sweep over all variables, and a kernel for what all of them use", async () => {
  const ofStep = await kernelsOf(() => {
    const [x, y] = [input(16, 8), input(16, 4)];
    const variable = (name: string, shape: number[]) => tf.getVariable(name, shape, { initializer: tf.onesInitializer() });
    const hidden = tf.nn.relu(tf.nn.biasAdd(tf.matmul(x, variable("w1", [8, 8])), variable("b1", [8])));
    const out = tf.nn.biasAdd(tf.matmul(hidden, variable("w2", [8, 4])), variable("b2", [4]));
    return new tf.train.AdamOptimizer(1e-3).minimize(tf.reduceMean(tf.square(out.sub(y))));
  });
  const forward = ["contract [16,8]", "contract [16,4]"];
  const gradients = ["contract [16,8]", "contract [8,8]", "reduce [8]", "contract [8,4]", "reduce [4]"];
  expect(ofStep).toEqual([...forward, ...gradients, "map []", "sweep [8,8], [8], [8,4], [4]"]);
});
