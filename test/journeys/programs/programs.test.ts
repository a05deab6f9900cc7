// Whole programs, line by line as TensorFlow 1 users wrote them, against what TensorFlow did: initial values, every step, final variables.
import * as tf from "tensorloom";
import { expect, it } from "vitest";
import { main as notes } from "./01-notes.ts";
import { main as deepMnist } from "./02-deep-mnist.ts";
import { main as classics } from "./04-classics.ts";
import { main as autoencoders } from "./05-autoencoders.ts";
import { main as charRnn } from "./07-char-rnn.ts";
import { main as dqn } from "./09-dqn.ts";
import { main as ppo } from "./10-ppo.ts";
import { main as transformer } from "./13-transformer.ts";
import { type Data, load, mismatches, Journal } from "./record.ts";

type Program = (data: Data, record: Journal) => Promise<void>;

const programs: Readonly<{ [name: string]: Program }> = {
  "01-notes": notes,
  "02-deep-mnist": deepMnist,
  "04-classics": classics,
  "05-autoencoders": autoencoders,
  "07-char-rnn": charRnn,
  "09-dqn": dqn,
  "10-ppo": ppo,
  "13-transformer": transformer,
};

/** What a program leaves out, and which names of TensorFlow's it would need. */
const leftOut: Readonly<{ [name: string]: readonly string[] }> = {
  "02-deep-mnist": ["value event file: missing"],
};

it.each(Object.keys(programs))("does what TensorFlow did: %s", async name => {
  const { data, golden } = load(name);
  const record = new Journal();
  using _ = new tf.Graph().asDefault();
  await programs[name](data, record);
  expect(mismatches(golden, record)).toEqual(leftOut[name] ?? []);
});
