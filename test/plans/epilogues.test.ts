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
    .map(({ outputs: [fed] }): [tf.Tensor, tf.NDArray] => [fed, tf.NDArray.zeros(fed.dtype, fed.shape.asList() as number[])]);
  const { plan } = await session.explain(fetches, feeds);
  const kinds = "map|sweep|contract|reduce|reductions|rows|scatter|random|copy|check|sort|scan";
  const extents = "\\[[\\d,]*\\]|\\d+ of \\d+";
  return [...plan.matchAll(new RegExp(`^(${kinds})( (${extents})(, (${extents}))*)?`, "gm"))].map(([found]) => found);
}

const dense = (): tf.Tensor => tf.nn.biasAdd(tf.matmul(input(64, 48), input(48, 32)), input(32));
const layerNorm = (): { x: tf.Tensor; gain: tf.Tensor; bias: tf.Tensor; y: tf.Tensor } => {
  const [x, gain, bias] = [input(64, 48), input(48), input(48)];
  const [mean, variance] = tf.nn.moments(x, [1], { keepDims: true });
  return { x, gain, bias, y: tf.nn.batchNormalization(x, mean, variance, bias, gain, 1e-5) };
};
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
  test("layer norm", async () => expect(await kernelsOf(() => layerNorm().y)).toEqual(["rows 64 of 48"]));
  test("layer norm with its gradients, but for adding up what blocks of rows sum along columns", async () =>
    expect(
      await kernelsOf(() => {
        const { x, gain, bias, y } = layerNorm();
        return tf.gradients(tf.reduceSum(y.mul(input(64, 48))), [x, gain, bias]) as tf.Tensor[];
      }),
    ).toEqual(["rows 64 of 48", "reduce [1,48]", "reduce [1,48]"]));
  test("cross entropy with its gradient, but for the mean of the rows", async () =>
    expect(
      await kernelsOf(() => {
        const logits = input(64, 10);
        const loss = tf.reduceMean(tf.nn.softmaxCrossEntropyWithLogits({ labels: input(64, 10), logits }));
        return [loss, ...(tf.gradients(loss, [logits]) as tf.Tensor[])];
      }),
    ).toEqual(["rows 64 of 10", "reduce []"]));
  test("cross entropy of classes with its gradient", async () =>
    expect(
      await kernelsOf(() => {
        const logits = input(64, 10);
        const labels = tf.placeholder(tf.int32, [64]);
        const loss = tf.reduceMean(tf.nn.sparseSoftmaxCrossEntropyWithLogits({ labels, logits }));
        return [loss, ...(tf.gradients(loss, [logits]) as tf.Tensor[])];
      }),
    ).toEqual(["check [64]", "rows 64 of 10", "reduce []"]));
});

describe("blocks of networks for images", () => {
  const conv = (x: tf.Tensor, filter: [number, number, number, number], stride = 1): tf.Tensor =>
    tf.nn.conv2d(x, input(...filter), [1, stride, stride, 1], "SAME");
  const norm = (x: tf.Tensor, isTraining: boolean): tf.Tensor => {
    const channels = x.shape.asList()[3] as number;
    const known = isTraining ? {} : { mean: input(channels), variance: input(channels) };
    return tf.nn.fusedBatchNorm(x, input(channels), input(channels), { ...known, isTraining })[0];
  };
  const residual = (isTraining: boolean): tf.Tensor => {
    const x = input(4, 14, 14, 16);
    const y = tf.nn.relu(norm(conv(x, [3, 3, 16, 16]), isTraining));
    return tf.nn.relu(norm(conv(y, [3, 3, 16, 16]), isTraining).add(x));
  };
  const whole = "contract [4,14,14,16]";

  test("ResNet's, for inference: batch norm, residual and relu are in the convolutions", async () =>
    expect(await kernelsOf(() => residual(false))).toEqual(["sweep [16], [16]", whole, whole]));
  test("ResNet's with a stride, whose shortcut is a convolution", async () =>
    expect(
      await kernelsOf(() => {
        const x = input(4, 14, 14, 16);
        const y = norm(conv(tf.nn.relu(norm(conv(x, [3, 3, 16, 32], 2), false)), [3, 3, 32, 32]), false);
        return tf.nn.relu(y.add(norm(conv(x, [1, 1, 16, 32], 2), false)));
      }),
    ).toEqual(["map [32]", "contract [4,7,7,32]", "contract [4,7,7,32]", "sweep [32], [32]", "contract [4,7,7,32]"]));
  test("MobileNet's: expansion, depthwise, projection and residual", async () =>
    expect(
      await kernelsOf(() => {
        const x = input(4, 14, 14, 16);
        const wide = tf.nn.relu6(norm(conv(x, [1, 1, 16, 96]), false));
        const deep = tf.nn.relu6(norm(tf.nn.depthwiseConv2d(wide, input(3, 3, 96, 1), [1, 1, 1, 1], "SAME"), false));
        return norm(conv(deep, [1, 1, 96, 16]), false).add(x);
      }),
    ).toEqual(["sweep [96], [96]", "contract [4,14,14,96]", "contract [4,14,14,96]", "map [16]", whole]));
  test("ResNet's, in training: mean, variance about it, then all the rest in one map", async () => {
    const normed = [whole, "reduce [16]", "reduce [16]", "map [4,14,14,16]"];
    expect(await kernelsOf(() => residual(true))).toEqual([...normed, ...normed]);
  });
  test("gradients of batch norm: both sums in one kernel, in training and with given statistics", async () => {
    const gradients = (isTraining: boolean) => (): tf.Tensor[] => {
      const [x, scale, offset] = [input(4, 14, 14, 16), input(16), input(16)];
      const given = isTraining ? {} : { mean: input(16), variance: input(16) };
      const [y] = tf.nn.fusedBatchNorm(x, scale, offset, { ...given, isTraining });
      return tf.gradients(tf.nn.relu(y), [x, scale, offset], { gradYs: [input(4, 14, 14, 16)] }) as tf.Tensor[];
    };
    const whole = "map [4,14,14,16]";
    expect(await kernelsOf(gradients(true))).toEqual(["reduce [16]", "reduce [16]", whole, "reductions [16], [16]", whole]);
    expect(await kernelsOf(gradients(false))).toEqual(["map [16]", whole, "reductions [16], [16]"]);
  });
});

test("the gradients of weights that six steps use are a contraction and a reduction", async () => {
  const kernels = await kernelsOf(() => {
    const [kernel, bias, x] = [input(16, 24), input(24), input(4, 6, 8)];
    let h: tf.Tensor = input(4, 8);
    for (const now of tf.unstack(x, { axis: 1 })) {
      const [i, j, o] = tf.split(tf.matmul(tf.concat([now, h], 1), kernel).add(bias), 3, { axis: 1 });
      h = tf.sigmoid(o).mul(tf.tanh(tf.sigmoid(i).mul(j)));
    }
    return tf.gradients(tf.reduceSum(tf.square(h)), [kernel, bias]) as tf.Tensor[];
  });
  const sums = kernels.filter(kernel => /^(contract|reduce)/.test(kernel));
  // Forwards, and back to all but the first.
  expect(sums.sort()).toEqual([
    "contract [16,24]",
    ...Array(5).fill("contract [4,16]"),
    ...Array(6).fill("contract [4,24]"),
    "reduce [1,24]",
  ]);
});

describe("no copy is made of", () => {
  test("what is transposed before a product", async () =>
    expect(await kernelsOf(() => tf.matmul(tf.transpose(input(48, 64)), tf.transpose(input(32, 48))))).toEqual(["contract [64,32]"]));
  test("the heads of attention, cut from one product and turned", async () =>
    expect(
      await kernelsOf(() => {
        const heads = (x: tf.Tensor): tf.Tensor => tf.transpose(tf.reshape(x, [2, 16, 4, 8]), [0, 2, 1, 3]);
        const [query, key, value] = tf.split(input(2, 16, 96), 3, { axis: 2 }).map(heads);
        return tf.matmul(tf.nn.softmax(tf.matmul(query, key, { transposeB: true })), value);
      }),
    ).toEqual(["contract [2,4,16,16]", "rows 128 of 16", "contract [2,4,16,8]"]));
  test("what is turned, cut or repeated before arithmetic", async () =>
    expect(
      await kernelsOf(() => {
        const turned = tf.transpose(input(32, 64));
        const cut = tf.slice(input(80, 40), [8, 4], [64, 32]);
        return turned.add(cut).mul(tf.tile(input(1, 32), [64, 1]));
      }),
    ).toEqual(["map [64,32]"]));
  test("what is turned, cut or reshaped before a reduction", async () => {
    const kernels = (build: () => tf.Tensor): Promise<string[]> => kernelsOf(build);
    expect(await kernels(() => tf.reduceSum(tf.transpose(input(64, 32)), { axis: 0 }))).toEqual(["reduce [64]"]);
    expect(await kernels(() => tf.reduceSum(tf.slice(input(64, 32), [8, 4], [16, 16]), { axis: 1 }))).toEqual(["reduce [16]"]);
    expect(await kernels(() => tf.reduceMax(tf.reshape(input(64, 32), [8, 8, 32]), { axis: 1 }))).toEqual(["reduce [8,32]"]);
  });
  test("a result under another shape", async () =>
    expect(await kernelsOf(() => tf.reshape(tf.nn.relu(input(8, 8)), [64]))).toEqual(["map [8,8]"]));
});

test.each([
  [[0], "reduce [6,10,12]"],
  [[1], "reduce [8,10,12]"],
  [[2], "reduce [8,6,12]"],
  [[3], "reduce [8,6,10]"],
  [[1, 3], "reduce [8,10]"],
  [[0, 2], "reduce [6,12]"],
  [[0, 1, 2, 3], "reduce []"],
] as const)("a reduction along %j is one kernel", async (axis, kernel) =>
  expect(await kernelsOf(() => tf.reduceSum(input(8, 6, 10, 12), { axis }))).toEqual([kernel]),
);

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
