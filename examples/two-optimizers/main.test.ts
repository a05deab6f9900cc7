import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decode } from "fast-png";
import * as tf from "tensorloom";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ExampleProcess } from "../shared/example-process.ts";
import { batchSize, buildGan } from "./model.ts";

const gan = (...flags: string[]) => new ExampleProcess("two-optimizers/main.ts", ...flags);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tensorloom-gan-"));
});
afterAll(() => rm(folder, { recursive: true }));

test("each optimizer moves the variables of its own scope only", async () => {
  const graph = new tf.Graph();
  const { net, variables, initialize } = graph.asDefault(() => {
    tf.setRandomSeed(1);
    return { net: buildGan(), variables: tf.trainableVariables(), initialize: tf.globalVariablesInitializer() };
  });
  expect(variables.map(variable => variable.name.split("/")[0])).toEqual([
    ...new Array(8).fill("generator"),
    ...new Array(6).fill("discriminator"),
  ]);
  const session = new tf.Session({ graph });
  await session.run(initialize);
  const real = tf.NDArray.zeros("float32", [batchSize, 28, 28, 1]);
  const values = async () => (await session.run(variables)).map(value => String(value.data));
  const moved = async (train: tf.Operation) => {
    const before = await values();
    await session.run(train, [[net.real, real]]);
    const after = await values();
    return [...new Set(variables.filter((_, k) => before[k] !== after[k]).map(variable => variable.name.split("/")[0]))];
  };
  expect(await moved(net.trainDiscriminator)).toEqual(["discriminator"]);
  expect(await moved(net.trainGenerator)).toEqual(["generator"]);
  await session.close();
});

test("a few steps print losses and write a picture of 64 samples", async () => {
  const { status, stdout, stderr, lastLine } = await gan("--steps", "3", "--out", folder).finished;
  expect([status, stderr]).toEqual([0, ""]);
  expect(stdout).toContain(
    "6 variables are trained by the discriminator's Adam:\n  <tf.Variable 'discriminator/down1/weights:0' shape=(5, 5, 1, 16)",
  );
  expect(stdout).toMatch(/^step 3 {2}discriminator loss \d\.\d{3} {2}generator loss \d\.\d{3} {2}0:00 left$/m);
  expect(lastLine).toBe(`samples: ${join(folder, "samples.png")}`);
  const picture = decode(await readFile(join(folder, "samples.png")), { checkCrc: true });
  expect([picture.width, picture.height]).toEqual([8 * 90, 8 * 90]);
  expect(new Set(picture.data).size).toBeGreaterThan(50);
});

test("Ctrl-C keeps the samples so far", async () => {
  const example = gan("--steps", "100000", "--out", folder);
  await example.printed("Ctrl-C stops");
  await new Promise(resolve => setTimeout(resolve, 1500));
  example.interrupt();
  const { status, lastLine } = await example.finished;
  expect(status).toBe(130);
  expect(lastLine).toMatch(/^stopped after step \d+ of 100000; its samples are in /);
});

test.each([
  [["--help"], 0, "stdout", /--steps N/],
  [
    ["--steps", "many"],
    2,
    "stderr",
    /^error: --steps is a whole number from 1 to 1000000, not "many"\n\nusage: npm run example examples\/two-optimizers\/main.ts -- \[flags\]/,
  ],
  [["--data", "nowhere"], 1, "stderr", /^error: cannot read nowhere.train-images-idx3-ubyte: there is no such file/],
] as const)("%j ends with %i", async (flags, status, stream, text) => {
  const finished = await gan(...flags).finished;
  expect(finished.status).toBe(status);
  expect(finished[stream]).toMatch(text);
});
