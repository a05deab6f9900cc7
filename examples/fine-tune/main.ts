// Transfer learning: a TensorFlow.js model that knows the digits 0 to 4 learns 5 to 9. It is read from its files, an inner tensor is taken, and a new
// layer on it is trained; what the model knew stays as it is. Run it with `npm run example examples/fine-tune/main.ts`.
// base/ holds a small convolutional net, trained on the digits 0 to 4 and written by `tensorloom convert`.

import { fileURLToPath } from "node:url";
import * as tf from "tensorloom";
import { ExampleError, runCommand } from "../shared/command.ts";
import { type Digits, loadDigits, pixels } from "../shared/digits.ts";
import { batchesInOrder, seededRandom, shuffledBatches } from "../shared/pipeline.ts";
import { flags } from "./flags.ts";

const purpose = "Teaches a TensorFlow.js model that knows the digits 0 to 4 the digits 5 to 9, by a new layer on its inner features.";
const about = { command: "npm run example examples/fine-tune/main.ts --", purpose, flags };
const classes = 5;
const batchSize = 100;

await runCommand(about, async ({ steps, seed, model: path, tensor, data }) => {
  const [training, test] = [onlyNew(await loadDigits("train", data)), onlyNew(await loadDigits("test", data))];

  // 1. The model's nodes come into the graph; its weights are constants, so nothing trains them.
  const model = await tf.loadTfjsGraphModel(path || fileURLToPath(new URL("base/model.json", import.meta.url)));
  const [image] = Object.values(model.inputs);
  const features = model.tensor(tensor);
  const width = features.shape.dims?.at(-1);
  if (features.shape.rank !== 2 || !width) throw new ExampleError(`${tensor} has the shape ${features.shape}; the new layer needs [?, n].`);

  // 2. A new layer on an inner tensor.
  tf.setRandomSeed(seed);
  const labels = tf.placeholder(tf.int32, [null], { name: "labels" });
  const weights = tf.getVariable("new/weights", { shape: [width, classes] });
  const bias = tf.getVariable("new/bias", { shape: [classes], initializer: tf.zerosInitializer() });
  const logits = tf.matmul(features, weights).add(bias);
  const loss = tf.reduceMean(tf.nn.sparseSoftmaxCrossEntropyWithLogits({ labels, logits }));
  const train = new tf.train.AdamOptimizer(0.01).minimize(loss);
  const right = tf.reduceSum(tf.cast(tf.equal(tf.argmax(logits, { axis: 1, outputType: tf.int32 }), labels), tf.int32));

  // 3. Training moves the new layer alone.
  const session = new tf.Session();
  await session.run(tf.globalVariablesInitializer());
  console.log(`${tf.trainableVariables().length} variables are trained on '${features.name}', ${width} features of each digit:`);
  for (const variable of tf.trainableVariables()) console.log(`  ${variable}`);
  const accuracy = async (): Promise<string> => {
    let found = 0;
    for (const batch of batchesInOrder(test, 500))
      found += Number(
        await session.run(right, [
          [image, batch.images],
          [labels, batch.labels],
        ]),
      );
    return `${((100 * found) / test.count).toFixed(1)}%`;
  };
  console.log(`before: ${await accuracy()} of ${test.count} digits from 5 to 9`);
  const random = seededRandom(seed);
  const batches = endless(() => shuffledBatches(training, batchSize, random));
  for (let step = 1; step <= steps; step++) {
    const { images, labels: digits } = batches.next().value;
    const [value] = await session.run(
      [loss, train],
      [
        [image, images],
        [labels, digits],
      ],
    );
    if (!Number.isFinite(value.item())) throw new ExampleError(`the loss became ${value} in step ${step}. Try another --seed.`);
    if (step % 50 === 0 || step === steps) console.log(`step ${step}  loss ${value.item().toFixed(3)}`);
  }
  console.log(`after: ${await accuracy()}`);
  await session.close();
});

/** The digits 5 to 9, called 0 to 4. */
function onlyNew({ labels, images }: Digits): Digits {
  const kept = [...labels.keys()].filter(i => labels[i] >= classes);
  const chosen = new Uint8Array(kept.length * pixels);
  for (const [i, digit] of kept.entries()) chosen.set(images.subarray(digit * pixels, (digit + 1) * pixels), i * pixels);
  return { count: kept.length, images: chosen, labels: Uint8Array.from(kept, i => labels[i] - classes) };
}

function* endless<T>(epoch: () => Iterable<T>): Generator<T, never> {
  while (true) yield* epoch();
}
