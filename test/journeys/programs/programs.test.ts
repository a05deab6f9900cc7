// Whole programs, line by line as TensorFlow 1 users wrote them, against what TensorFlow did: initial values, every step, final variables.
import { readdirSync } from "node:fs";
import * as tf from "tensorloom";
import { expect, it } from "vitest";
import { main as notes } from "./01-notes.ts";
import { main as deepMnist } from "./02-deep-mnist.ts";
import { main as dcgan } from "./03-dcgan.ts";
import { main as classics } from "./04-classics.ts";
import { main as autoencoders } from "./05-autoencoders.ts";
import { main as word2vec } from "./06-word2vec.ts";
import { main as charRnn } from "./07-char-rnn.ts";
import { main as textCnn } from "./08-text-cnn.ts";
import { main as dqn } from "./09-dqn.ts";
import { main as ppo } from "./10-ppo.ts";
import { main as styleTransfer } from "./11-style-transfer.ts";
import { main as detector } from "./12-detector.ts";
import { main as transformer } from "./13-transformer.ts";
import { main as inputPipelines } from "./14-input-pipelines.ts";
import { main as monitoredTraining } from "./15-monitored-training.ts";
import { main as layersLossesMetrics } from "./16-layers-losses-metrics.ts";
import { type Data, load, mismatches, Journal } from "./record.ts";

type Program = (data: Data, record: Journal) => Promise<void>;

const programs: Readonly<{ [name: string]: Program }> = {
  "01-notes": notes,
  "02-deep-mnist": deepMnist,
  "03-dcgan": dcgan,
  "04-classics": classics,
  "05-autoencoders": autoencoders,
  "06-word2vec": word2vec,
  "07-char-rnn": charRnn,
  "08-text-cnn": textCnn,
  "09-dqn": dqn,
  "10-ppo": ppo,
  "11-style-transfer": styleTransfer,
  "12-detector": detector,
  "13-transformer": transformer,
  "14-input-pipelines": inputPipelines,
  "15-monitored-training": monitoredTraining,
  "16-layers-losses-metrics": layersLossesMetrics,
};

/** Where a program is known to part from its recording, as the beginnings of what is said: a missing part of the API (event files), or a bug. */
const known: Readonly<{ [name: string]: readonly string[] }> = {
  // TensorFlow builds regularizers three times over.
  "12-detector": ["graph main op_types Const", "graph main op_types L2Loss", "graph main op_types Mul"],
};

it.each(Object.keys(programs))("does what TensorFlow did: %s", async name => {
  const { data, golden } = load(name);
  using record = new Journal();
  using _ = new tf.Graph().asDefault();
  await programs[name](data, record);
  const found = mismatches(golden, record);
  const expected = known[name] ?? [];
  expect(found.filter(text => !expected.some(start => text.startsWith(start)))).toEqual([]);
  expect(expected.filter(start => !found.some(text => text.startsWith(start)))).toEqual([]);
});

it("knows of every recorded program", () => {
  const recorded = readdirSync(new URL("data", import.meta.url)).map(file => file.replace(".br", ""));
  expect(Object.keys(programs).sort()).toEqual(recorded.sort());
});
