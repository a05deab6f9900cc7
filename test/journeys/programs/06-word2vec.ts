// Embeddings trained with noise-contrastive estimation whose negative samples are fed; and what the seeded samplers themselves draw.

import * as tf from "tensorloom";
import { type Data, type Journal, numbers, range, rowsOf, slice } from "./record.ts";

const [vocabulary, embedding, batch, sampled] = [50, 16, 24, 8];

/** How often a log-uniform sampler draws a word in `sampled` tries. */
const expectedCount = (ids: tf.NDArray): tf.NDArray =>
  tf.NDArray.from(
    numbers(ids).map(id => 1 - (1 - Math.log((id + 2) / (id + 1)) / Math.log(vocabulary + 1)) ** sampled),
    "float32",
    ids.shape,
  );

async function train(data: Data, journal: Journal): Promise<void> {
  const graph = new tf.Graph();
  using _ = graph.asDefault();
  const inputs = tf.nameScope("inputs", () => ({
    words: tf.placeholder("int32", [batch]),
    labels: tf.placeholder("int32", [batch, 1]),
    ids: tf.placeholder("int64", [sampled]),
    trueCount: tf.placeholder("float32", [batch, 1]),
    sampledCount: tf.placeholder("float32", [sampled]),
    valid: tf.constant([0, 7, 21, 33], { dtype: "int32" }),
  }));
  const { embeddings, embed, weights, biases } = tf.device("/cpu:0", () => {
    const { embeddings, embed } = tf.nameScope("embeddings", () => {
      const embeddings = new tf.Variable(tf.randomUniform([vocabulary, embedding], -1, 1, { seed: 61 }));
      return { embeddings, embed: tf.nn.embeddingLookup(embeddings, inputs.words) };
    });
    const stddev = 1 / Math.sqrt(embedding);
    const weights = tf.nameScope("weights", () => new tf.Variable(tf.truncatedNormal([vocabulary, embedding], { stddev, seed: 62 })));
    return { embeddings, embed, weights, biases: tf.nameScope("biases", () => new tf.Variable(tf.zeros([vocabulary]))) };
  });
  const loss = tf.nameScope("loss", () =>
    tf.reduceMean(
      tf.nn.nceLoss({
        weights,
        biases,
        labels: inputs.labels,
        inputs: embed,
        numSampled: sampled,
        numClasses: vocabulary,
        sampledValues: [inputs.ids, inputs.trueCount, inputs.sampledCount],
      }),
    ),
  );
  tf.summary.scalar("loss", loss);
  const optimizer = tf.nameScope("optimizer", () => new tf.train.GradientDescentOptimizer(1).minimize(loss));
  const norm = tf.sqrt(tf.reduceSum(tf.square(embeddings), 1, { keepdims: true }));
  const normalized = embeddings.truediv(norm);
  const similarity = tf.matmul(tf.nn.embeddingLookup(normalized, inputs.valid), normalized, { transposeB: true });
  const merged = tf.summary.mergeAll() as tf.Tensor;
  const init = tf.globalVariablesInitializer();
  const saver = new tf.train.Saver();
  journal.graph();
  journal.value(
    "devices",
    tf.globalVariables().map(v => v.device),
  );
  journal.value(
    "sparse ops",
    graph
      .getOperations()
      .filter(op => op.type.startsWith("Scatter"))
      .map(op => op.name),
  );
  await using session = new tf.Session({ graph });
  const writer = new tf.summary.FileWriter(journal.folder, { graph: session.graph });
  await session.run(init);
  await journal.initial(session);
  for (let i = 0; i < 40; i++) {
    const at = (i * batch) % (data.centers.shape[0] - batch);
    const labels = slice(data.context, at, at + batch);
    const ids = rowsOf(data.sampled, [i]).reshape([sampled]);
    const feed = new Map([
      [inputs.words, slice(data.centers, at, at + batch)],
      [inputs.labels, labels],
      [inputs.ids, ids],
      [inputs.trueCount, expectedCount(labels)],
      [inputs.sampledCount, expectedCount(ids)],
    ]);
    const [, summary, value] = await session.run([optimizer, merged, loss], feed);
    writer.addSummary(summary, i);
    if (i === 39) writer.addRunMetadata({}, `step${i}`);
    journal.step({ loss: value });
  }
  const sim = await session.run(similarity);
  journal.value("similarity", sim);
  const rows = sim.toArray() as number[][];
  const nearest = (row: number[]): number[] =>
    range(0, row.length)
      .sort((a, b) => row[b] - row[a])
      .slice(1, 4);
  journal.value("nearest", rows.map(nearest));
  journal.value("normalized", await session.run(normalized));
  journal.value(
    "checkpoint",
    String(await saver.save(session, `${journal.folder}/model.ckpt`))
      .split("/")
      .at(-1),
  );
  await journal.final(session);
  await writer.close();
  await journal.events("events", journal.folder);
}

/** `[ids, expected true count, expected sampled count]` of two runs under fixed seeds. */
async function sampler(journal: Journal): Promise<void> {
  using _ = new tf.Graph().asDefault();
  const classes = tf.constant([[0], [7], [49]], { dtype: "int64" });
  const options = { numTrue: 1, numSampled: sampled, unique: true, rangeMax: vocabulary };
  const drawn = tf.nn.logUniformCandidateSampler(classes, { ...options, seed: 63 });
  const uniform = tf.nn.uniformCandidateSampler(classes, { ...options, seed: 64 });
  await using session = new tf.Session();
  for (const k of [0, 1])
    for (const [name, draw] of [
      ["log uniform", drawn],
      ["uniform", uniform],
    ] as const) {
      const arrays = await session.run([...draw]);
      ["ids", "true count", "sampled count"].forEach((part, i) => void journal.value(`${name} ${part} ${k}`, arrays[i]));
    }
}

export async function main(data: Data, journal: Journal): Promise<void> {
  await train(data, journal);
  await sampler(journal);
}
