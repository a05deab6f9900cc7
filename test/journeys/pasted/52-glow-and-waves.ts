// Glow: data-dependent initialization by cond, invertible 1x1 convolutions, reversed for samples; gated causal convolutions with VQ-VAE codes and averages:
// its twin in Python line by line.

import * as tf from "tensorloom/compat";
import { each, range, rnd, type Show } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  tf.set_random_seed(52);
  {
    const x = tf.placeholder(tf.float32, [null, 4, 4, 2]);
    const init = tf.placeholder(tf.bool, []);
    type Flow = (name: string, x: tf.Tensor, logdet: tf.Tensor, reverse?: boolean) => [tf.Tensor, tf.Tensor];
    const reused = <R>(name: string, body: () => R): R => tf.variable_scope(name, { reuse: tf.AUTO_REUSE }, body);
    const actnorm: Flow = (name, x, logdet, reverse = false) =>
      reused(name, () => {
        const c = Number(x.shape[3]);
        const b = tf.get_variable("b", [1, 1, 1, c], { initializer: tf.zeros_initializer() });
        const logs = tf.get_variable("logs", [1, 1, 1, c], { initializer: tf.zeros_initializer() });
        if (!reverse) {
          const ddi = () => {
            const [m, v] = tf.nn.moments(x, [0, 1, 2], { keep_dims: true });
            const ab = tf.assign(b, m.neg());
            const al = tf.assign(logs, tf.log(tf.div(1.0, tf.sqrt(v).add(1e-6))));
            return tf.control_dependencies([ab, al], () => [tf.identity(ab), tf.identity(al)]);
          };
          const [b_, logs_] = tf.cond(init, ddi, () => [tf.identity(b), tf.identity(logs)]);
          return [x.add(b_).mul(tf.exp(logs_)), logdet.add(tf.reduce_sum(logs_).mul(4))];
        }
        return [x.mul(tf.exp(logs.neg())).sub(b), logdet.sub(tf.reduce_sum(logs).mul(4))];
      });
    const invconv: Flow = (name, z, logdet, reverse = false) =>
      reused(name, () => {
        const c = Number(z.shape[3]);
        let w: tf.Tensor | tf.Variable = tf.get_variable("W", { initializer: rotation(c) });
        const d = tf.cast(tf.log(tf.abs(tf.matrix_determinant(tf.cast(w, tf.float64)))), tf.float32).mul(4);
        if (reverse) w = tf.matrix_inverse(w);
        const out = tf.nn.conv2d(z, tf.reshape(w, [1, 1, c, c]), [1, 1, 1, 1], "SAME", { data_format: "NHWC" });
        return [out, logdet.add(reverse ? d.neg() : d)];
      });
    /** Plane turns one after the other. */
    function rotation(c: number): number[][] {
      const w = range(c).map(i => range(c).map((j): number => (i === j ? 1 : 0)));
      for (const i of range(c - 1)) {
        const [co, si] = [Math.cos(i + 1), Math.sin(i + 1)];
        for (const row of w) [row[i], row[i + 1]] = [row[i] * co - row[i + 1] * si, row[i] * si + row[i + 1] * co];
      }
      return w;
    }
    const coupling: Flow = (name, z, logdet, reverse = false) =>
      reused(name, () => {
        let [z1, z2] = tf.split(z, 2, 3);
        let h = tf.layers.conv2d(z1, 4, 3, { padding: "same", activation: tf.nn.relu, name: "h" });
        h = tf.layers.conv2d(h, 8, 3, {
          padding: "same",
          kernel_initializer: tf.random_normal_initializer({ stddev: 0.05 }),
          name: "o",
        });
        const shift = h.at([], [], [], [0, null, 2]),
          sc = tf.nn.sigmoid(h.at([], [], [], [1, null, 2]).add(2.0));
        z2 = reverse ? z2.div(sc).sub(shift) : z2.add(shift).mul(sc);
        const ld = tf.reduce_sum(tf.log(sc), [1, 2, 3]);
        return [tf.concat([z1, z2], 3), logdet.add(reverse ? ld.neg() : ld)];
      });
    const squeeze = (t: tf.Tensor) => tf.reshape(tf.transpose(tf.reshape(t, [-1, 2, 2, 2, 2, 2]), [0, 1, 3, 5, 2, 4]), [-1, 2, 2, 8]);
    const unsqueeze = (t: tf.Tensor) => tf.reshape(tf.transpose(tf.reshape(t, [-1, 2, 2, 2, 2, 2]), [0, 1, 4, 2, 5, 3]), [-1, 4, 4, 2]);
    const flows = { actnorm, invconv, coupling };
    let z = squeeze(x),
      ld = tf.zeros_like(x).at([], 0, 0, 0);
    for (const i of range(2)) for (const [name, f] of Object.entries(flows)) [z, ld] = f(`${name}${i}`, z, ld);
    const nll = tf
      .reduce_mean(
        tf
          .reduce_sum(
            z
              .pow(2)
              .add(Math.log(2 * Math.PI))
              .mul(-0.5),
            [1, 2, 3],
          )
          .add(ld),
      )
      .neg()
      .div(32 * Math.log(2));
    let y = z,
      back = ld;
    for (const i of range(2).reverse())
      for (const [name, f] of Object.entries(flows).reverse()) [y, back] = f(`${name}${i}`, y, back, true);
    const rec = tf.reduce_max(tf.abs(unsqueeze(y).sub(x)));
    const train = tf.train.AdamOptimizer(0.01).minimize(nll);
    await using sess = new tf.Session();
    await sess.run(tf.global_variables_initializer());
    const feed = (seed: number, n: number, first: boolean): [tf.Tensor, tf.FeedValue][] => [
      [x, rnd(seed, n, 4, 4, 2)],
      [init, first],
    ];
    show("ddi", await sess.run([nll, z], feed(1, 6, true)));
    for (const i of range(3)) show("glow", (await sess.run([nll, ld, train], feed(i + 2, 3, false))).slice(0, 2));
    const [r, d] = await sess.run([rec, back], feed(3, 2, false));
    show("back", [r.item() < 1e-4, [...d.data].every(v => Math.abs(Number(v)) < 1e-3)]);
  }
  tf.reset_default_graph();
  tf.set_random_seed(53);
  const wave = tf.placeholder(tf.float32, [null, null, 1]);
  const spk = tf.placeholder(tf.int32, [null]);
  const causal = (x: tf.Tensor, n: number, dilation: number, name: string) =>
    tf.layers.conv1d(
      tf.pad(x, [
        [0, 0],
        [dilation, 0],
        [0, 0],
      ]),
      n,
      2,
      { dilation_rate: dilation, name },
    );
  let h = causal(wave, 4, 1, "in");
  const skips: tf.Tensor[] = [];
  const cond_ = tf.nn.embedding_lookup(tf.get_variable("spk", [3, 8]), spk).at([], null);
  for (const d of [1, 2, 4]) {
    const fg = causal(h, 8, d, `fg${d}`).add(cond_);
    const [a, b] = tf.split(fg, 2, -1);
    const g = tf.tanh(a).mul(tf.sigmoid(b));
    skips.push(tf.layers.conv1d(g, 4, 1, { name: `s${d}` }));
    h = h.add(tf.layers.conv1d(g, 4, 1, { name: `r${d}` })).mul(Math.sqrt(0.5));
  }
  const out = tf.layers.conv1d(tf.nn.relu(tf.add_n(skips)), 16, 1);
  const mu = 15;
  const companded = tf
    .sign(wave)
    .mul(tf.log1p(tf.abs(wave).mul(mu)))
    .div(tf.log1p(mu));
  const q = tf.to_int32(companded.add(1).div(2).mul(mu).add(0.5));
  const ce = tf.reduce_mean(
    tf.nn.sparse_softmax_cross_entropy_with_logits({ labels: q.at([], [1, null], 0), logits: out.at([], [null, -1]) }),
  );
  const code = tf.get_variable("codes", [5, 16], { initializer: tf.uniform_unit_scaling_initializer() });
  const flat = tf.reshape(out, [-1, 16]);
  const near = tf.argmin(tf.reduce_sum(flat.at([], null).sub(tf.expand_dims(code, 0)).pow(2), -1), 1);
  const zq = tf.gather(code, near);
  const vq = tf
    .reduce_mean(tf.stop_gradient(zq).sub(flat).pow(2))
    .mul(0.25)
    .add(tf.reduce_mean(zq.sub(tf.stop_gradient(flat)).pow(2)));
  const ema = tf.train.ExponentialMovingAverage(0.9, tf.train.get_or_create_global_step());
  const total = ce.add(vq);
  const train = tf.train.AdamOptimizer(0.01).minimize(total, tf.train.get_global_step());
  const step = tf.control_dependencies([train], () => ema.apply([...tf.trainable_variables(), total]));
  await using sess = new tf.Session();
  await sess.run(tf.global_variables_initializer());
  for (const i of range(3)) {
    const f: [tf.Tensor, tf.FeedValue][] = [
      [wave, each(rnd(i, 2, 9 + i, 1), x => x * 2 - 1)],
      [spk, [i, 1]],
    ];
    show("wave", (await sess.run([ce, vq, near, step], f)).slice(0, 3));
  }
  show("ema", await sess.run([ema.average(code)!, ema.average(total)!]));
  show("shadow", Object.keys(ema.variables_to_restore()).sort().slice(0, 4));
}
