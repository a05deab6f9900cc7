// Word vectors from strings: tables, splits and hashes of words, nce and sampled softmax with each sampler, GloVe: its twin in Python line by line.

import * as tf from "tensorloom/compat";
import { range, type Show } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  tf.set_random_seed(21);
  const TEXT = ["the cat sat on the mat", "a dog sat on the cat", "the dog ate a cat hat", "mice ate the mat"];
  const vocab = [...new Set(TEXT.flatMap(line => line.split(" ")))].sort().slice(0, 8);
  const [D, V] = [4, 12];
  const mapping = tf.constant(vocab);
  const table = new tf.lookup.StaticVocabularyTable(new tf.lookup.KeyValueTensorInitializer(mapping, tf.range(8, { dtype: tf.int64 })), {
    num_oov_buckets: 4,
  });
  const reverse = new tf.lookup.StaticHashTable(new tf.lookup.KeyValueTensorInitializer(tf.range(8, { dtype: tf.int64 }), mapping), {
    default_value: "UNK",
  });
  const lines = tf.placeholder(tf.string, [null], "lines");
  const split = tf.string_split(lines, " ");
  const ids = tf.sparse_tensor_to_dense(new tf.SparseTensor(split.indices, table.lookup(split.values), split.dense_shape), {
    default_value: -1,
  });
  const lengths = tf.reduce_sum(tf.cast(ids.greaterEqual(0), tf.int32), 1);
  const grams = tf.string_to_hash_bucket_fast(
    tf.substr(tf.constant(vocab.map(w => `${w}##`)), tf.zeros([8], tf.int32), tf.multiply(3, tf.ones([8], tf.int32))),
    6,
  );
  const strong = tf.string_to_hash_bucket_strong(lines, 100, { key: [3, 7] }),
    old = tf.string_to_hash_bucket(lines, 100);
  const joined = tf.reduce_join(tf.sparse_tensor_to_dense(split, { default_value: "" }), 1, { separator: "_" }),
    upper = tf.strings.upper(tf.regex_replace(lines, "[aeiou]", "."));
  const number = tf.string_to_number(tf.as_string(tf.cast(lengths, tf.float32).div(3.0), { precision: 2 })),
    stripped = tf.string_strip(tf.string_join([lines, lines], "  "));
  const center = tf.placeholder(tf.int64, [null]),
    context = tf.placeholder(tf.int64, [null, 1]);
  const emb = tf.get_variable("emb", [V, D], { initializer: tf.random_uniform_initializer(-1.0, 1.0) });
  const gram_emb = tf.get_variable("gram_emb", [6, D], { initializer: tf.random_normal_initializer({ stddev: 0.1 }) });
  const known = tf.minimum(center, 7);
  const x = tf.nn.embedding_lookup(emb, center).add(tf.gather(gram_emb, tf.gather(grams, known)));
  const nce_w = tf.Variable(tf.truncated_normal([V, D], { stddev: 1.0 / Math.sqrt(D) }), { name: "nce_w" }),
    nce_b = tf.Variable(tf.zeros([V]), { name: "nce_b" });
  const unigrams = range(V).map(i => 1 + (i % 4));
  const samplers = {
    log: tf.nn.log_uniform_candidate_sampler(context, 1, 5, true, V, { seed: 1 }),
    uniform: tf.random.uniform_candidate_sampler(context, 1, 4, false, V, { seed: 2 }),
    fixed: tf.nn.fixed_unigram_candidate_sampler(context, 1, 4, true, V, { distortion: 0.75, unigrams, seed: 3 }),
    all: tf.nn.all_candidate_sampler(context, 1, V, true, { seed: 4 }),
    learned: tf.nn.learned_unigram_candidate_sampler(context, 1, 4, true, V, { seed: 5 }),
  };
  const nce = tf.reduce_mean(
    tf.nn.nce_loss({
      weights: nce_w,
      biases: nce_b,
      labels: context,
      inputs: x,
      num_sampled: 5,
      num_classes: V,
      sampled_values: samplers.fixed,
    }),
  );
  const soft = tf.reduce_mean(
    tf.nn.sampled_softmax_loss({
      weights: nce_w,
      biases: nce_b,
      labels: context,
      inputs: x,
      num_sampled: 4,
      num_classes: V,
      sampled_values: samplers.uniform,
      remove_accidental_hits: true,
    }),
  );
  const auto = tf.reduce_mean(tf.nn.nce_loss(nce_w, nce_b, context, x, 3, V, { remove_accidental_hits: true }));
  const hits = tf.nn.compute_accidental_hits(context, samplers.log[0], 1);
  const co_i = tf.placeholder(tf.int32, [null]),
    co_j = tf.placeholder(tf.int32, [null]),
    co_x = tf.placeholder(tf.float32, [null]);
  const focal_b = tf.Variable(tf.random_uniform([V], 1.0, -1.0), { name: "fb" }),
    ctx_b = tf.Variable(tf.random_uniform([V], 1.0, -1.0), { name: "cb" });
  const weighting = tf.minimum(1.0, tf.pow(tf.div(co_x, 5.0), 0.75));
  const dist = tf.square(
    tf.add_n([
      tf.reduce_sum(tf.multiply(tf.nn.embedding_lookup([emb], co_i), tf.nn.embedding_lookup([nce_w], co_j)), 1),
      tf.nn.embedding_lookup([focal_b], co_i),
      tf.nn.embedding_lookup([ctx_b], co_j),
      tf.negative(tf.log(co_x)),
    ]),
  );
  const glove = tf.reduce_sum(tf.multiply(weighting, dist));
  const full = tf.reduce_mean(
    tf.nn.softmax_cross_entropy_with_logits_v2({
      labels: tf.one_hot(tf.squeeze(context, 1), V),
      logits: tf.matmul(x, nce_w, { transpose_b: true }).add(nce_b),
    }),
  );
  const total = nce.add(soft).add(auto).add(tf.multiply(0.1, glove)).add(full);
  const opt = tf.train
    .MomentumOptimizer(tf.train.polynomial_decay(0.1, tf.train.get_or_create_global_step(), 10, 0.01, { power: 0.5 }), 0.9, {
      use_nesterov: true,
    })
    .minimize(total, { global_step: tf.train.get_global_step() });
  const norm = tf.sqrt(tf.reduce_sum(tf.square(emb), 1, { keepdims: true })),
    normalized = emb.div(norm);
  const similarity = tf.matmul(tf.nn.embedding_lookup(normalized, tf.constant([0, 3], tf.int32)), normalized, { transpose_b: true });
  const [nearest, nearest_ids] = tf.nn.top_k(similarity.at([], [null, 8]), 3),
    words = reverse.lookup(tf.to_int64(nearest_ids));
  const sess = new tf.InteractiveSession();
  await tf.global_variables_initializer().run();
  await tf.tables_initializer().run();
  const [encoded, n] = await sess.run([ids, lengths], [[lines, TEXT]]);
  show("ids", encoded);
  show("lengths", n);
  show("grams", await grams.eval());
  show("hashes", await sess.run([strong, old], [[lines, TEXT]]));
  for (const [name, t] of [
    ["joined", joined],
    ["upper", upper],
    ["stripped", stripped],
  ] as const)
    show(name, (await sess.run(t, [[lines, TEXT]])).toArray());
  show("number", await number.eval([[lines, TEXT]]));
  const counts = [...n.data].map(Number);
  const pairs = (encoded.toArray() as bigint[][]).flatMap((row, r) =>
    range(Math.max(counts[r] - 2, 0)).flatMap(k => [-1, 1].map(d => [Number(row[k + 1]), Number(row[k + 1 + d])])),
  );
  let feed!: Map<tf.Tensor, tf.FeedValue>;
  for (const it of range(4)) {
    const batch = range(5).map(k => pairs[(it * 5 + k) % pairs.length]);
    feed = new Map<tf.Tensor, tf.FeedValue>([
      [center, batch.map(p => p[0])],
      [context, batch.map(p => [p[1]])],
      [co_i, batch.map(p => p[0])],
      [co_j, batch.map(p => p[1])],
      [co_x, range(5).map(k => 1.0 + k)],
    ]);
    const values = await sess.run([nce, soft, auto, glove, full, opt], feed);
    show("losses", values.slice(0, 5));
  }
  for (const [name, sampler] of Object.entries(samplers)) show(name, await sess.run([...sampler], feed));
  show("hits", await sess.run([...hits], feed));
  show("nearest", await nearest.eval());
  show("words", (await words.eval()).toArray());
  show("emb", await emb.eval());
  show("size", await table.size().eval());
  await sess.close();
}
