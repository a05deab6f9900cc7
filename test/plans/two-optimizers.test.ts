// Two optimizers, each with its own varList, train only their own variables: the compiled program of one holds no gradient of the other's.
import { beforeAll, describe, expect, test } from "vitest";
import * as tf from "../../src/index.ts";

const batch = 4;

/** A generator and a discriminator of two dense layers each, without biases, so that every contraction is easy to account for. */
function adversaries() {
  const dense = (x: tf.Tensor, sizes: readonly [number, number, number], scope: string): tf.Tensor =>
    tf.variableScope(scope, { reuse: tf.AUTO_REUSE }, () => {
      const weights = (name: string, shape: number[], seed: number) =>
        tf.getVariable(name, shape, { initializer: tf.truncatedNormalInitializer({ stddev: 0.3, seed }) });
      const hidden = tf.nn.relu(tf.matmul(x, weights("w1", [sizes[0], sizes[1]], 1)));
      return tf.matmul(hidden, weights("w2", [sizes[1], sizes[2]], 2));
    });
  const noise = tf.placeholder(tf.float32, [batch, 3], { name: "noise" });
  const real = tf.placeholder(tf.float32, [batch, 6], { name: "real" });
  const judged = (x: tf.Tensor): tf.Tensor => dense(x, [6, 7, 1], "discriminator");
  const fake = dense(noise, [3, 5, 6], "generator");
  const loss = (logits: tf.Tensor, wanted: number): tf.Tensor =>
    tf.reduceMean(tf.nn.sigmoidCrossEntropyWithLogits({ logits, labels: tf.fill([batch, 1], wanted) }));
  const onFake = judged(fake);
  const variables = (scope: string): tf.Variable[] => tf.trainableVariables(scope);
  const steps = {
    discriminator: new tf.train.AdamOptimizer(1e-2).minimize(loss(judged(real), 1).add(loss(onFake, 0)), {
      varList: variables("discriminator"),
    }),
    generator: new tf.train.AdamOptimizer(1e-2).minimize(loss(onFake, 1), { varList: variables("generator") }),
  };
  return { steps, noise, real, initialize: tf.globalVariablesInitializer() };
}

const array = (shape: readonly number[]): tf.NDArray =>
  new tf.NDArray(
    "float32",
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i * 3 + 1)),
  );

/** Variables whose line in a plan ends so. */
const variablesThatAre = (plan: string, how: "read" | "read written"): string[] =>
  [...plan.matchAll(/^state variable:(\S+) \S+ (.*)$/gm)].filter(match => match[2] === how).map(match => match[1]);

const linesWith = (text: string, start: RegExp): string[] => text.split("\n").filter(line => start.test(line));

describe("two optimizers with a varList each", () => {
  const graph = new tf.Graph();
  const { steps, noise, real, initialize } = graph.asDefault(adversaries);
  const session = new tf.Session({ graph });
  const plans: Record<string, string> = {};
  beforeAll(async () => {
    plans.discriminator = (
      await session.explain(steps.discriminator, [
        [noise, array([batch, 3])],
        [real, array([batch, 6])],
      ])
    ).plan;
    plans.generator = (await session.explain(steps.generator, [[noise, array([batch, 3])]])).plan;
  });

  test("each writes its own variables and slots, and reads the other's weights at most", () => {
    for (const [own, other] of [
      ["discriminator", "generator"],
      ["generator", "discriminator"],
    ]) {
      const written = variablesThatAre(plans[own], "read written");
      const read = variablesThatAre(plans[own], "read");
      expect(written.filter(name => name.startsWith(own)).sort()).toEqual(
        ["w1", "w1/Adam", "w1/Adam_1", "w2", "w2/Adam", "w2/Adam_1"].map(name => `${own}/${name}`),
      );
      expect(written.filter(name => name.startsWith(other))).toEqual([]);
      expect(read.filter(name => name.startsWith(other)).sort()).toEqual([`${other}/w1`, `${other}/w2`]);
    }
  });

  test("the discriminator's step has no contraction beyond its own gradients", () => {
    // Forward 2 of the generator, 2 + 2 of the discriminator; back, for real and for fake: w2, the hidden layer, w1.
    expect(linesWith(plans.discriminator, /^ *contract/)).toHaveLength(12);
    // Nothing of the shapes of the generator's weights but its forward pass reads them.
    expect(linesWith(plans.discriminator, /^ *contract \[(3,5|5,6)\]/)).toEqual([]);
  });

  test("the generator's step goes back through the discriminator without its weights' gradients", () => {
    // Forward 2 + 2; back through the discriminator 2; of the generator w2, the hidden layer, w1.
    expect(linesWith(plans.generator, /^ *contract/)).toHaveLength(9);
    expect(linesWith(plans.generator, /^ *contract \[(6,7|7,1)\]/)).toEqual([]);
  });

  test("running one leaves the other's variables bit for bit", async () => {
    await session.run(initialize);
    const values = async (scope: string) =>
      (await session.run(graph.asDefault(() => tf.globalVariables(scope)))).map(value => JSON.stringify(value.toArray()));
    const before = { discriminator: await values("discriminator"), generator: await values("generator") };
    await session.run(steps.generator, [[noise, array([batch, 3])]]);
    expect(await values("discriminator")).toEqual(before.discriminator);
    const after = await values("generator");
    expect(after.filter((value, i) => value === before.generator[i])).toEqual([]);
    await session.run(steps.discriminator, [
      [noise, array([batch, 3])],
      [real, array([batch, 6])],
    ]);
    expect(await values("generator")).toEqual(after);
    expect((await values("discriminator")).filter((value, i) => value === before.discriminator[i])).toEqual([]);
    await session.close();
  });
});
