// A generator learns to draw digits that a discriminator cannot tell from real ones: two nets in one graph, trained in turn by two Adams,
// each over the variables of its own scope. Run it with `npm run example examples/two-optimizers/main.ts`.
// The nets are in model.ts. Idea: Goodfellow and others, "Generative Adversarial Nets", 2014.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as tf from "tensorloom";
import { ExampleError, exitStatus, Interrupt, runCommand } from "../shared/command.ts";
import { digitSheet } from "../shared/digit-sheet.ts";
import { type Digits, loadDigits, pixels } from "../shared/digits.ts";
import { type Batch, type RandomBelow, seededRandom, shuffledBatches } from "../shared/pipeline.ts";
import { encodePng } from "../shared/png.ts";
import { minutes } from "../shared/progress.ts";
import { flags } from "./flags.ts";
import { batchSize, buildGan } from "./model.ts";

const purpose = "Trains a small generative adversarial net: one net draws digits, another one learns to tell them from real ones.";
const about = { command: "npm run example examples/two-optimizers/main.ts --", purpose, flags };
const stepsPerReport = 100;

await runCommand(about, async ({ steps, seed, data, out }) => {
  const digits = await loadDigits("train", data);

  tf.setRandomSeed(seed);
  const gan = buildGan();
  for (const scope of ["discriminator", "generator"]) {
    console.log(`${tf.trainableVariables(scope).length} variables are trained by the ${scope}'s Adam:`);
    for (const variable of tf.trainableVariables(scope)) console.log(`  ${variable}`);
  }
  const session = new tf.Session();
  await session.run(tf.globalVariablesInitializer());
  await mkdir(out, { recursive: true });
  const picture = join(out, "samples.png");
  console.log(`${steps} steps of ${batchSize} digits; samples go to ${picture}; Ctrl-C stops`);

  using interrupt = new Interrupt();
  const startedMs = performance.now();
  const fixedNoise = await session.run(gan.noise); // the same noise for every picture shows how its drawings change
  const batches = endlessBatches(digits, seededRandom(seed));
  for (let step = 1; step <= steps; step++) {
    const real = batches.next().value.images;
    const [discriminatorLoss] = await session.run([gan.discriminatorLoss, gan.trainDiscriminator], [[gan.real, real]]);
    const [generatorLoss] = await session.run([gan.generatorLoss, gan.trainGenerator]);
    const losses = [discriminatorLoss.item(), generatorLoss.item()];
    if (!losses.every(Number.isFinite))
      throw new ExampleError(`the losses became ${losses.join(" and ")} in step ${step}. Try another --seed.`);

    const stopped = await interrupt.asked();
    if (step % stepsPerReport === 0 || step === steps || stopped) {
      await writeSamples(picture, await session.run(gan.samples, [[gan.noise, fixedNoise]]));
      const [ofDiscriminator, ofGenerator] = losses.map(loss => loss.toFixed(3));
      const seconds = (performance.now() - startedMs) / 1000;
      const left = minutes((seconds / step) * (steps - step));
      console.log(
        `step ${String(step).padStart(String(steps).length)}  discriminator loss ${ofDiscriminator}  generator loss ${ofGenerator}  ${left} left`,
      );
    }
    if (stopped) {
      await session.close();
      console.log(`stopped after step ${step} of ${steps}; its samples are in ${picture}`);
      return exitStatus.interrupted;
    }
  }
  await session.close();
  console.log(`samples: ${picture}`);
});

function* endlessBatches(digits: Digits, random: RandomBelow): Generator<Batch, never> {
  while (true) yield* shuffledBatches(digits, batchSize, random);
}

async function writeSamples(path: string, samples: tf.NDArray): Promise<void> {
  const bytes = Uint8Array.from(samples.data as Float32Array, ink => Math.round(255 * ink));
  const cells = Array.from({ length: batchSize }, (_, k) => ({ image: bytes.subarray(k * pixels, (k + 1) * pixels) }));
  await writeFile(path, encodePng(digitSheet(cells, { columns: 8, scale: 3 })));
}
