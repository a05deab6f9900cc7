// Trains the CNN of the notes on MNIST and says how well it reads digits it has never seen. Run it with `npm start`.
// The net is in model.ts; reading, shuffling, the progress line and the picture are in ../shared.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import * as tf from "tensorloom";
import { ExampleError, exitStatus, Interrupt, runCommand } from "../shared/command.ts";
import { firstDigits, loadDigits } from "../shared/digits.ts";
import { batchesPerEpoch, seededRandom, shuffledBatches } from "../shared/pipeline.ts";
import { minutes, Progress } from "../shared/progress.ts";
import { evaluate, reportMistakes } from "./evaluate.ts";
import { flags } from "./flags.ts";
import { buildNet, learningRateShare, usualLearningRates } from "./model.ts";

const about = {
  command: "npm start --",
  purpose: "Trains a convolutional net on the MNIST digits and measures it on the test set.",
  flags,
};

await runCommand(about, async ({ epochs, "batch-size": batchSize, seed, optimizer, "learning-rate": givenRate, limit, data, out }) => {
  const training = firstDigits(await loadDigits("train", data), limit);
  const test = firstDigits(await loadDigits("test", data), limit);
  const stepsPerEpoch = batchesPerEpoch(training, batchSize);
  if (stepsPerEpoch === 0) throw new ExampleError(`${training.count} training digits do not fill one batch of ${batchSize}`);
  const highestRate = givenRate || usualLearningRates[optimizer];
  await mkdir(out, { recursive: true });
  console.log(`${training.count} training digits, ${test.count} test digits; mistakes will be drawn into ${out}; Ctrl-C stops`);
  console.log(
    `${epochs} epochs of ${stepsPerEpoch} steps, ${batchSize} digits each; ${optimizer} with a learning rate up to ${highestRate}, seed ${seed}`,
  );

  tf.setRandomSeed(seed);
  const net = buildNet(optimizer);
  const session = new tf.Session();
  await session.run(tf.globalVariablesInitializer());
  // For TensorBoard: `tensorboard --logdir out`.
  await using writer = new tf.summary.FileWriter(join(out, "run"), { graph: session.graph });

  using interrupt = new Interrupt();
  const startedMs = performance.now();
  const progress = new Progress(process.stdout, { epochs, stepsPerEpoch });
  progress.note("compiling the training step");
  const random = seededRandom(seed);
  for (let epoch = 1; epoch <= epochs; epoch++) {
    for (const batch of shuffledBatches(training, batchSize, random)) {
      const [loss, accuracy] = await session.run(
        [net.loss, net.accuracy, net.train],
        [
          [net.images, batch.images],
          [net.labels, batch.labels],
          [net.learningRate, highestRate * learningRateShare(progress.steps, epochs * stepsPerEpoch)],
        ],
      );
      progress.step({ examples: batchSize, loss: loss.item(), accuracy: accuracy.item() });
      const value = [
        { tag: "loss", simpleValue: loss.item() },
        { tag: "accuracy", simpleValue: accuracy.item() },
      ];
      writer.addSummary({ value }, progress.steps);
      if (!Number.isFinite(loss.item())) {
        progress.finish();
        throw new ExampleError(divergedText(loss.item(), progress.steps));
      }
      if (await interrupt.asked()) {
        progress.finish();
        const some = firstDigits(test, 1000);
        progress.note(`stopping: measuring on the first ${some.count} test digits`);
        const { accuracy } = await evaluate(session, net, some);
        progress.note("");
        await session.close();
        console.log(`stopped after step ${progress.steps}; accuracy so far ${accuracy.toFixed(4)} on the first ${some.count} test digits`);
        return exitStatus.interrupted;
      }
    }
    progress.finish();
    const result = await evaluate(session, net, test, count => progress.note(`measuring on the test digits: ${count} of ${test.count}`));
    progress.note("");
    const time = minutes((performance.now() - startedMs) / 1000);
    console.log(`after epoch ${epoch}: test accuracy ${result.accuracy.toFixed(4)}, ${time} since the start`);
    if (epoch === epochs) {
      await reportMistakes(result, test, out);
      console.log(`test accuracy ${result.accuracy.toFixed(4)}`);
    }
  }
  await session.close();
});

function divergedText(loss: number, step: number): string {
  const consequence = "the training has diverged, what it would show from here on means nothing";
  return `the loss became ${loss} in step ${step}: ${consequence}.\n\nTry a smaller --learning-rate or a larger --batch-size.`;
}
