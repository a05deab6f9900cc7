// Recommending: strings through lookup tables and hash buckets, embeddings in parts, sparse lookups, a factorization machine beside a deep net,
// sampled losses, optimizers that treat sparse gradients each in their own way, streaming metrics.

import * as tf from "tensorloom";
import { times } from "./operators.ts";

const [users, items, width] = [20, 30, 4];

const optimizers = (step: tf.Variable) => ({
  ftrl: new tf.train.FtrlOptimizer(0.1, { l1RegularizationStrength: 0.001, l2RegularizationStrength: 0.01 }),
  adagrad: new tf.train.AdagradOptimizer(0.1, { initialAccumulatorValue: 0.1 }),
  momentum: new tf.train.MomentumOptimizer(0.05, 0.9),
  adam: new tf.train.AdamOptimizer(tf.train.exponentialDecay(0.01, step, 2, 0.9), { epsilon: 1e-4 }),
  proximal: new tf.train.ProximalAdagradOptimizer(0.05, { l2RegularizationStrength: 0.01 }),
  rmsprop: new tf.train.RMSPropOptimizer(0.01, { momentum: 0.5, epsilon: 1e-3 }),
  adadelta: new tf.train.AdadeltaOptimizer(0.5, { epsilon: 1e-3 }),
});

/** The variables that each trains. */
const chosen = {
  ftrl: "out",
  adagrad: "embeddings/users",
  momentum: "embeddings/items",
  adam: "embeddings/genres",
  rmsprop: "embeddings/cities",
  proximal: "bias",
  adadelta: "dense",
} as const;

export function build(): void {
  tf.setRandomSeed(35);
  const user = tf.placeholder("int32", [null], { name: "users" });
  const item = tf.placeholder("int64", [null], { name: "items" });
  const genres = tf.sparsePlaceholder("string", [null, null], { name: "genres" });
  const cities = tf.placeholder("string", [null], { name: "cities" });
  const ratings = tf.placeholder("float32", [null], { name: "ratings" });
  const step = tf.train.createGlobalStep();
  const table = (name: string, rows: number, initializer: ReturnType<typeof tf.zerosInitializer>) =>
    tf.getVariable(name, [rows, width], { initializer });
  const uniform = (seed: number) => tf.randomUniformInitializer({ minval: -0.2, maxval: 0.2, seed });
  const [userTable, itemTable] = tf.variableScope("embeddings", { partitioner: tf.fixedSizePartitioner(3) }, () => [
    table("users", users, tf.randomNormalInitializer({ stddev: 0.1, seed: 1 })),
    table("items", items, tf.truncatedNormalInitializer({ stddev: 0.1, seed: 2 })),
  ]);
  const [genreTable, cityTable] = tf.variableScope("embeddings", () => [table("genres", 6, uniform(3)), table("cities", 8, uniform(4))]);
  const words = tf.constant(["drama", "comedy", "crime", "opera"]);
  const known = new tf.lookup.KeyValueTensorInitializer(words, tf.range(4, { dtype: "int64" }));
  const genreIds = new tf.lookup.StaticVocabularyTable(known, 2).lookup(genres);
  const genreMean = tf.nn.embeddingLookupSparse(genreTable, genreIds as tf.SparseTensor, null, { combiner: "sqrtn" });
  const cityIds = tf.stringToHashBucketFast(cities, 8);
  const u = tf.nn.embeddingLookup(userTable, user, { partitionStrategy: "div" });
  const i = tf.nn.embeddingLookup(itemTable, item, { partitionStrategy: "mod", maxNorm: 1 });
  const c = tf.gather(cityTable, cityIds);
  const stacked = tf.stack([u, i, genreMean, c], { axis: 1 });
  const summed = tf.reduceSum(stacked, { axis: 1 });
  const squared = tf.square(summed);
  const crossed = squared.sub(tf.reduceSum(tf.square(stacked), { axis: 1 }));
  const second = times(0.5, tf.reduceSum(crossed, { axis: 1, keepDims: true }));
  let deep = tf.reshape(stacked, [-1, 4 * width]);
  for (const [k, size] of [8, 4].entries())
    deep = tf.layers.dense(deep, size, { activation: tf.nn.relu6, kernelInitializer: tf.glorotUniformInitializer({ seed: 10 + k }) });
  const bias = tf.getVariable("bias", [users], { initializer: tf.zerosInitializer() });
  const wide = tf.expandDims(tf.nn.embeddingLookup(bias, user), 1);
  const joined = tf.concat([second, deep, wide], 1);
  const out = joined.matmul(tf.getVariable("out", [6, 1], { initializer: tf.onesInitializer() }));
  const logits = tf.squeeze(out, 1, { name: "logits" });
  const entropy = tf.nn.sigmoidCrossEntropyWithLogits({ labels: ratings, logits });
  const loss = tf.reduceMean(entropy, null, { name: "loss" });
  for (const [name, optimizer] of Object.entries(optimizers(step as tf.Variable))) {
    const varList = tf.getCollection(tf.GraphKeys.TRAINABLE_VARIABLES, chosen[name as keyof typeof chosen]) as tf.Variable[];
    optimizer.minimize(loss, { varList, name: `train_${name}`, globalStep: name === "adam" ? (step as tf.Variable) : null });
  }
  const probability = tf.sigmoid(logits);
  const [auc, aucUpdate] = tf.metrics.auc(ratings.greater(0.5), probability, { numThresholds: 20 });
  const [precision, precisionUpdate] = tf.metrics.precisionAtThresholds(ratings.greater(0.5), probability, [0.4, 0.6]);
  tf.controlDependencies([aucUpdate, precisionUpdate], () => tf.noOp({ name: "measure" }));
  tf.identity(auc, { name: "auc_value" });
  tf.identity(precision, { name: "precision_value" });

  const { weights, biases, hidden, sampled, nce } = tf.variableScope("softmax", () => {
    const weights = table("weights", items, tf.randomNormalInitializer({ stddev: 0.2, seed: 20 }));
    const biases = tf.getVariable("biases", [items], { initializer: tf.zerosInitializer() });
    const kernelInitializer = tf.glorotUniformInitializer({ seed: 21 });
    const hidden = tf.layers.dense(u, width, { activation: tf.nn.softsign, kernelInitializer, name: "hidden" });
    const sampledValues = tf.random.logUniformCandidateSampler(tf.expandDims(item, 1), 1, 6, true, items, { seed: 22 });
    const each = (lossOf: typeof tf.nn.nceLoss): tf.Tensor =>
      tf.reduceMean(lossOf(weights, biases, tf.expandDims(item, 1), hidden, 6, items, { sampledValues }));
    return { weights, biases, hidden, sampled: each(tf.nn.sampledSoftmaxLoss), nce: each(tf.nn.nceLoss) };
  });
  tf.identity(sampled, { name: "sampled_loss" });
  tf.identity(nce, { name: "nce_loss" });
  const descent = new tf.train.GradientDescentOptimizer(0.5);
  descent.minimize(sampled.add(nce), { varList: tf.trainableVariables("softmax"), name: "train_softmax" });
  const scores = (): tf.Tensor => tf.matmul(hidden, weights, { transposeB: true });
  const top = tf.nn.topK(scores().add(biases), 3);
  tf.identity(top.indices, { name: "recommended" });
  tf.identity(tf.reduceMean(tf.toFloat(tf.nn.inTopK(scores(), item, 5))), { name: "recall" });
}
