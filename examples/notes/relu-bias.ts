// The experiment behind a line of the notes: why relu layers begin with a small positive bias.
// The same deep, narrow net is trained three times on real digits; only the bias it begins with differs.

import * as tf from "tensorloom";
import { firstDigits, loadDigits } from "../shared/digits.ts";
import { batchesInOrder, seededRandom, shuffledBatches } from "../shared/pipeline.ts";

const layers = 3;
const unitsPerLayer = 100;
const digitCount = 2000;
const epochs = 5;

/** Trains with the biases -0.1, 0 and 0.1 and prints a row for each. `folder` holds the digits ("": the npm package). */
export async function reluBiasExperiment(folder: string): Promise<void> {
  const digits = firstDigits(await loadDigits("train", folder), digitCount);
  console.log("\n5. Why a small positive bias serves relu\n========================================\n");
  console.log(
    `A net of ${layers} relu layers of ${unitsPerLayer} units reads ${digitCount} digits. A unit is dead if none of them brings it above`,
  );
  console.log("zero: then its gradient is zero too, and it can never learn its way back.\n");
  console.log("  bias   dead at the start   dead after training   digits read right");
  for (const bias of [-0.1, 0, 0.1]) {
    const graph = new tf.Graph();
    const { images, labels, dead, right, train, initialize } = graph.asDefault(() => buildNet(bias));
    const session = new tf.Session({ graph });
    await session.run(initialize);
    const [everything] = [...batchesInOrder(digits, digitCount)];
    const measure = () =>
      session.run(
        [dead, right],
        [
          [images, everything.images],
          [labels, everything.labels],
        ],
      );
    const [deadAtStart] = await measure();
    const random = seededRandom(1);
    for (let epoch = 0; epoch < epochs; epoch++) {
      for (const batch of shuffledBatches(digits, 50, random)) {
        await session.run(train, [
          [images, batch.images],
          [labels, batch.labels],
        ]);
      }
    }
    const [deadAtEnd, rightAtEnd] = await measure();
    const percent = (share: tf.NDArray, width: number) => `${(100 * share.item()).toFixed(0)} %`.padStart(width);
    console.log(`  ${bias.toFixed(1).padStart(4)}${percent(deadAtStart, 20)}${percent(deadAtEnd, 22)}${percent(rightAtEnd, 20)}`);
    await session.close();
  }
}

function buildNet(bias: number) {
  tf.setRandomSeed(1);
  const images = tf.placeholder(tf.float32, [null, 28, 28, 1], { name: "images" });
  const labels = tf.placeholder(tf.int32, [null], { name: "labels" });
  let input = tf.reshape(images, [-1, 28 * 28]);
  let size = 28 * 28;
  const deadShares: tf.Tensor[] = [];
  for (let layer = 0; layer < layers; layer++) {
    input = tf.nn.relu(tf.matmul(input, weights([size, unitsPerLayer])).add(new tf.Variable(tf.fill([unitsPerLayer], bias))));
    size = unitsPerLayer;
    const highest = tf.reduceMax(input, 0); // over the examples: zero if no example reaches the unit
    deadShares.push(tf.reduceMean(tf.cast(tf.equal(highest, 0), tf.float32)));
  }
  const logits = tf.matmul(input, weights([size, 10]));
  const loss = tf.reduceMean(tf.nn.sparseSoftmaxCrossEntropyWithLogits({ labels, logits }));
  const train = new tf.train.GradientDescentOptimizer(0.1).minimize(loss);
  const right = tf.reduceMean(tf.cast(tf.equal(tf.argmax(logits, 1, { outputType: tf.int32 }), labels), tf.float32));
  return { images, labels, dead: tf.addN(deadShares).div(layers), right, train, initialize: tf.globalVariablesInitializer() };
}

const weights = (shape: number[]) => new tf.Variable(tf.truncatedNormal(shape, { stddev: 0.05 }));
