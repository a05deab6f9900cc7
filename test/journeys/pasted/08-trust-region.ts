// TRPO of that time: flat gradients, Hessian-vector products, conjugate gradient outside, SetFromFlat, GetFlat: its twin in Python line by line.

import * as tf from "tensorloom/compat";
import { ints, range, rnd, type Show } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  tf.set_random_seed(2);
  const dtype = tf.float32;
  const var_shape = (x: tf.Variable) => [...x.get_shape()].map(k => k.value!);
  const prod = (s: number[]) => s.reduce((a, b) => a * b, 1);
  const numel = (x: tf.Variable) => prod(var_shape(x));
  function flatgrad(loss: tf.Tensor | tf.Tensor[], var_list: tf.Variable[]): tf.Tensor {
    const grads = tf.gradients(loss, var_list);
    return tf.concat(
      var_list.map((v, i) => tf.reshape(grads[i]!, [numel(v)])),
      0,
    );
  }
  const obs = tf.placeholder(dtype, { shape: [null, 3], name: "obs" }),
    action = tf.placeholder(tf.int64, { shape: [null], name: "action" });
  const advant = tf.placeholder(dtype, { shape: [null], name: "advant" }),
    oldaction_dist = tf.placeholder(dtype, { shape: [null, 2], name: "oldaction_dist" });
  const action_dist_n = tf.variable_scope("pi", () => {
    const h = tf.tanh(tf.layers.dense(obs, 5));
    return tf.nn.softmax(tf.layers.dense(h, 2));
  });
  const eps = 1e-6;
  const N = tf.shape(obs)[0];
  function slice_2d(x: tf.Tensor, i0: tf.Tensor, i1: tf.Tensor) {
    const inds0 = tf.to_int64(i0),
      inds1 = tf.to_int64(i1);
    const shape = tf.to_int64(tf.shape(x)),
      ncols = shape[1];
    return tf.gather(tf.reshape(x, [-1]), inds0.mul(ncols).add(inds1));
  }
  const p_n = slice_2d(action_dist_n, tf.range(0, N), action),
    oldp_n = slice_2d(oldaction_dist, tf.range(0, N), action);
  const ratio_n = p_n.div(oldp_n);
  const Nf = tf.to_float(N);
  const surr = tf.reduce_mean(ratio_n.mul(advant)).neg();
  const var_list = tf.trainable_variables();
  const kl = tf.reduce_sum(oldaction_dist.mul(tf.log(oldaction_dist.add(eps).div(action_dist_n.add(eps))))).div(Nf);
  const ent = tf.reduce_sum(action_dist_n.neg().mul(tf.log(action_dist_n.add(eps)))).div(Nf);
  const pg = flatgrad(surr, var_list);
  const kl_firstfixed = tf
    .reduce_sum(tf.stop_gradient(action_dist_n).mul(tf.log(tf.stop_gradient(action_dist_n.add(eps)).div(action_dist_n.add(eps)))))
    .div(Nf);
  const grads = tf.gradients(kl_firstfixed, var_list);
  const flat_tangent = tf.placeholder(dtype, { shape: [null] });
  const shapes = var_list.map(var_shape);
  let start = 0;
  const tangents = shapes.map(shape => {
    const size = prod(shape);
    const t = tf.reshape(flat_tangent.at([start, start + size]), shape);
    start += size;
    return t;
  });
  const gvp = grads.map((g, i) => tf.reduce_sum(tf.multiply(g!, tangents[i])));
  const fvp = flatgrad(gvp, var_list);
  const total = var_list.reduce((n, v) => n + numel(v), 0);
  const theta = tf.placeholder(dtype, [total]);
  start = 0;
  const assigns = var_list.map((v, i) => {
    const size = prod(shapes[i]);
    const a = tf.assign(v, tf.reshape(theta.at([start, start + size]), shapes[i]));
    start += size;
    return a;
  });
  const sff_op = tf.group(...assigns),
    gf = tf.concat(
      var_list.map(v => tf.reshape(v, [numel(v)])),
      0,
    );
  const dot = (a: number[], b: number[]) => a.reduce((s, v, i) => s + v * b[i], 0);
  async function cg(f_Ax: (p: number[]) => Promise<number[]>, b: number[], iters = 6) {
    let p = [...b],
      r = [...b],
      x = b.map(() => 0),
      rdotr = dot(r, r);
    for (const _ of range(iters)) {
      const z = await f_Ax(p),
        v = rdotr / dot(p, z);
      x = x.map((a, i) => a + v * p[i]);
      r = r.map((a, i) => a - v * z[i]);
      const newr = dot(r, r);
      p = r.map((a, i) => a + (newr / rdotr) * p[i]);
      rdotr = newr;
    }
    return x;
  }
  const session = new tf.Session();
  await session.run(tf.global_variables_initializer());
  const list = (a: tf.NDArray) => [...a.data].map(Number);
  for (const it of range(6)) {
    const ob = rnd(it, 12, 3),
      ad = await session.run(action_dist_n, { feed_dict: new Map([[obs, ob]]) }),
      ac = ints(it, 2, 12),
      av = list(rnd(it + 9, 12)).map(v => v - 0.5);
    const feed = new Map<tf.FeedKey, tf.FeedValue>([
      [obs, ob],
      [action, ac],
      [advant, av],
      [oldaction_dist, ad],
    ]);
    const thprev = list(await session.run(gf)),
      g = await session.run(pg, feed);
    const fisher = async (p: number[]) => {
      feed.set(flat_tangent, p);
      return list(await session.run(fvp, feed)).map((v, i) => v + 0.1 * p[i]);
    };
    const step = await cg(
        fisher,
        list(g).map(v => -v),
      ),
      shs = 0.5 * dot(step, await fisher(step)),
      lm = Math.sqrt(shs / 0.01);
    await session.run(sff_op, { feed_dict: [[theta, thprev.map((v, i) => v + step[i] / lm)]] });
    show("s", await session.run([surr, kl, ent], feed));
    show("g", g);
  }
  show("theta", await session.run(gf));
}
