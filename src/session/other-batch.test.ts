// Another batch size records anew what depends on it and nothing else.
import { expect, test } from "vitest";
import * as tf from "../index.ts";

const layers = [8, 6, 3];

const numbers = (shape: readonly number[]): tf.NDArray =>
  new tf.NDArray(
    "float32",
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i + 1)),
  );

/** A net trained by Adam, for one batch size or any. */
function trained(batch: number | null) {
  const graph = new tf.Graph();
  return graph.asDefault(() => {
    const x = tf.placeholder(tf.float32, [batch, layers[0]]);
    const y = tf.placeholder(tf.int32, [batch]);
    let h: tf.Tensor = x;
    const variables = layers.slice(1).flatMap((size, i) => {
      const w = new tf.Variable(numbers([layers[i], size]));
      const b = new tf.Variable(tf.zeros([size]));
      h = tf.matmul(i === 0 ? h : tf.nn.relu(h), w).add(b);
      return [w, b];
    });
    const loss = tf.reduceMean(tf.nn.sparseSoftmaxCrossEntropyWithLogits({ labels: y, logits: h }));
    const train = new tf.train.AdamOptimizer(0.01).minimize(loss);
    const feeds = (n: number): tf.Feeds => [
      [x, numbers([n, 8])],
      [
        y,
        new tf.NDArray(
          "int32",
          [n],
          Int32Array.from({ length: n }, (_, i) => i % 3),
        ),
      ],
    ];
    return { graph, variables, fetches: [loss, train] as const, initialize: tf.globalVariablesInitializer(), feeds };
  });
}

test.each([1, 2])("a changed batch takes the kernels that do not depend on it, %i threads", async intraOpParallelismThreads => {
  const config = { intraOpParallelismThreads };
  /** The loss of a first step and what it leaves in the variables. */
  const firstStep = async (session: tf.Session, { initialize, fetches, feeds, variables }: ReturnType<typeof trained>, batch: number) => {
    await session.run(initialize);
    const [loss] = await session.run(fetches, feeds(batch));
    return [loss, ...(await session.run(variables))].map(array => array.data);
  };
  const open = trained(null);
  const session = new tf.Session({ graph: open.graph, config });
  for (const batch of [5, 7, 11]) {
    const values = await firstStep(session, open, batch);
    const { plan } = await session.explain(open.fetches, open.feeds(batch));
    const kernels = plan.split("\n").filter(line => /^(?:map|reduce|contract|rows|scatter|sweep) /.test(line));
    const independent = kernels.filter(line => !new RegExp(`\\[${batch}\\b`).test(line));
    // The rate of this step, and the sweep that updates all variables.
    expect(independent.length).toBe(2);
    const { reusedForms } = await session.counts(open.fetches, open.feeds(batch));
    expect({ batch, reusedForms }).toEqual({ batch, reusedForms: batch === 5 ? 0 : independent.length });
    const fixed = trained(batch);
    const alone = new tf.Session({ graph: fixed.graph, config });
    expect(values).toEqual(await firstStep(alone, fixed, batch));
    expect((await alone.counts(fixed.fetches, fixed.feeds(batch))).reusedForms).toBe(0);
    await alone.close();
  }
  await session.close();
});
