// Fast WaveNet generation: FIFOQueues as state between runs; dilated causal convolutions with time_to_batch; own l2 over variables: its twin in Python line by line.

import * as tf from "tensorloom/compat";
import { ints, range, type Show } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  tf.set_random_seed(4);
  const [CH, Q] = [4, 8];
  function time_to_batch(value: tf.Tensor, dilation: number) {
    const shape = tf.shape(value),
      pad_elements = tf.subtract(dilation - 1, shape[1].add(dilation).sub(1).mod(dilation));
    const padded = tf.pad(value, [
      [0, 0],
      [0, pad_elements],
      [0, 0],
    ]);
    const reshaped = tf.reshape(padded, [-1, dilation, shape[2]]);
    return tf.reshape(tf.transpose(reshaped, { perm: [1, 0, 2] }), [shape[0].mul(dilation), -1, shape[2]]);
  }
  function batch_to_time(value: tf.Tensor, dilation: number) {
    const shape = tf.shape(value);
    const prepared = tf.reshape(value, [dilation, -1, shape[2]]);
    return tf.reshape(tf.transpose(prepared, { perm: [1, 0, 2] }), [tf.div(shape[0], dilation), -1, shape[2]]);
  }
  const causal_conv = (value: tf.Tensor, filter_: tf.Variable, dilation: number, name = "causal_conv"): tf.Tensor =>
    tf.name_scope(name, () => {
      const filter_width = tf.shape(filter_)[0];
      const padding = [
        [0, 0],
        [filter_width.sub(1).mul(dilation), 0],
        [0, 0],
      ];
      const padded = tf.pad(value, padding);
      let restored: tf.Tensor;
      if (dilation > 1) {
        const conv = tf.nn.conv1d(time_to_batch(padded, dilation), filter_, { stride: 1, padding: "VALID" });
        restored = batch_to_time(conv, dilation);
      } else restored = tf.nn.conv1d(padded, filter_, { stride: 1, padding: "VALID" });
      return tf.slice(restored, [0, 0, 0], [-1, tf.shape(value)[1], -1]);
    });
  const dilations = [1, 2, 4];
  const variables = dilations.map((d, i) =>
    tf.variable_scope(`layer${i}`, () => ({
      filter: tf.get_variable("filter", [2, i ? CH : Q, CH]),
      gate: tf.get_variable("gate", [2, i ? CH : Q, CH]),
      dense: tf.Variable(tf.truncated_normal([1, CH, CH], { stddev: 0.3 }), { name: "dense" }),
    })),
  );
  const post = tf.get_variable("post", [1, CH, Q]);
  const wave = tf.placeholder(tf.int32, [null, null]);
  const onehot = tf.one_hot(wave, { depth: Q, dtype: tf.float32 });
  let current = onehot;
  for (const [i, d] of dilations.entries()) {
    const v = variables[i];
    const out = tf.tanh(causal_conv(current, v.filter, d)).mul(tf.sigmoid(causal_conv(current, v.gate, d)));
    const t = tf.nn.conv1d(out, v.dense, { stride: 1, padding: "SAME", name: "dense" });
    current = i === 0 ? t : current.add(t);
  }
  const logits = tf.nn.conv1d(current, post, { stride: 1, padding: "SAME" });
  const shifted = tf.pad(tf.slice(onehot, [0, 1, 0], [-1, tf.shape(onehot)[1].sub(1), -1]), [
    [0, 0],
    [0, 1],
    [0, 0],
  ]);
  const loss = tf.reduce_mean(
    tf.nn.softmax_cross_entropy_with_logits({ logits: tf.reshape(logits, [-1, Q]), labels: tf.reshape(shifted, [-1, Q]) }),
  );
  const l2 = tf.add_n(
    tf
      .trainable_variables()
      .filter(v => !v.name.includes("bias"))
      .map(v => tf.nn.l2_loss(v)),
  );
  const opt = new tf.train.RMSPropOptimizer(0.01, { decay: 0.9, momentum: 0.9, epsilon: 1.0, centered: true }).minimize(
    loss.add(tf.multiply(1e-3, l2)),
  );
  const sample = tf.placeholder(tf.int32, [1]);
  let cur = tf.one_hot(sample, Q);
  const init_ops: tf.Operation[] = [],
    push_ops: tf.Operation[] = [];
  for (const [i, d] of dilations.entries()) {
    const v = variables[i],
      n = i ? CH : Q;
    const q = new tf.FIFOQueue(d, { dtypes: tf.float32, shapes: [1, n] });
    init_ops.push(q.enqueue_many(tf.zeros([d, 1, n])));
    const state = q.dequeue();
    push_ops.push(q.enqueue([cur]));
    const g = (w: tf.Variable) => tf.matmul(state, w.at(0, [], [])).add(tf.matmul(cur, w.at(1, [], [])));
    const out = tf.tanh(g(v.filter)).mul(tf.sigmoid(g(v.gate))),
      t = tf.matmul(out, v.dense.at(0, [], []));
    cur = i === 0 ? t : cur.add(t);
  }
  const proba = tf.to_float(tf.nn.softmax(tf.to_double(tf.matmul(cur, post[0]))));
  await using sess = new tf.Session();
  await sess.run(tf.global_variables_initializer());
  for (const i of range(12)) {
    const [l] = await sess.run([loss, opt], { feed_dict: [[wave, ints(i, Q, 2, 11)]] });
    if (i % 3 === 0) show("l", l);
  }
  await sess.run(init_ops);
  const w = [...ints(77, Q, 9).data].map(Number);
  let p!: tf.NDArray;
  for (const s of w) [p] = await sess.run([proba, push_ops], { feed_dict: [[sample, [s]]] });
  show("fast", p);
  show("slow", (await sess.run(tf.nn.softmax(logits), { feed_dict: [[wave, [w]]] }))[0][-1]);
}
