// Continuous control: PPO with Normal policies and an old net, DDPG whose targets are averages read by a custom getter, SAC's squashed policy: its
// twin in Python line by line.

import * as tf from "tensorloom/compat";
import { each, range, rnd, type Show } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  const [S_DIM, A_DIM] = [3, 2];
  type Feed = Map<tf.Tensor, tf.FeedValue>;
  class PPO {
    sess = new tf.Session();
    tfs = tf.placeholder(tf.float32, [null, S_DIM], "state");
    tfdc_r!: tf.Tensor;
    advantage!: tf.Tensor;
    closs!: tf.Tensor;
    ctrain_op!: tf.Operation;
    sample_op: tf.Tensor;
    update_oldpi_op;
    tfa: tf.Tensor;
    tfadv: tf.Tensor;
    tflam: tf.Tensor | null = null;
    kl_mean!: tf.Tensor;
    aloss!: tf.Tensor;
    entropy!: tf.Tensor;
    atrain_op: tf.Operation;
    method: string;
    constructor(method: "kl_pen" | "clip") {
      tf.variable_scope("critic", () => {
        const l1 = tf.layers.dense(this.tfs, 8, tf.nn.relu);
        const v = tf.layers.dense(l1, 1);
        this.tfdc_r = tf.placeholder(tf.float32, [null, 1], "discounted_r");
        this.advantage = this.tfdc_r.sub(v);
        this.closs = tf.reduce_mean(tf.square(this.advantage));
        this.ctrain_op = tf.train.AdamOptimizer(0.02).minimize(this.closs);
      });
      const [pi, pi_params] = this._build_anet("pi", true);
      const [oldpi, oldpi_params] = this._build_anet("oldpi", false);
      this.sample_op = tf.variable_scope("sample_action", () => tf.squeeze(pi.sample(1), { axis: 0 }));
      this.update_oldpi_op = tf.variable_scope("update_oldpi", () => pi_params.map((p, i) => oldpi_params[i].assign(p)));
      this.tfa = tf.placeholder(tf.float32, [null, A_DIM], "action");
      this.tfadv = tf.placeholder(tf.float32, [null, 1], "advantage");
      tf.variable_scope("loss", () => {
        const [ratio, surr] = tf.variable_scope("surrogate", () => {
          const ratio = pi.prob(this.tfa).div(oldpi.prob(this.tfa).add(1e-5));
          return [ratio, ratio.mul(this.tfadv)];
        });
        if (method === "kl_pen") {
          this.tflam = tf.placeholder(tf.float32, null, "lambda");
          const kl = tf.distributions.kl_divergence(oldpi, pi);
          this.kl_mean = tf.reduce_mean(kl);
          this.aloss = tf.reduce_mean(surr.sub(this.tflam.mul(kl))).neg();
        } else {
          this.aloss = tf.reduce_mean(tf.minimum(surr, tf.clip_by_value(ratio, 1 - 0.2, 1 + 0.2).mul(this.tfadv))).neg();
        }
        this.entropy = tf.reduce_mean(pi.entropy());
      });
      this.atrain_op = tf.variable_scope("atrain", () => tf.train.AdamOptimizer(0.01).minimize(this.aloss));
      this.method = method;
    }
    _build_anet(name: string, trainable: boolean) {
      const norm_dist = tf.variable_scope(name, () => {
        const l1 = tf.layers.dense(this.tfs, 8, tf.nn.relu, { trainable });
        const mu = tf.multiply(2, tf.layers.dense(l1, A_DIM, tf.nn.tanh, { trainable }));
        const sigma = tf.layers.dense(l1, A_DIM, tf.nn.softplus, { trainable });
        return tf.distributions.Normal({ loc: mu, scale: sigma });
      });
      return [norm_dist, tf.get_collection(tf.GraphKeys.GLOBAL_VARIABLES, { scope: name })] as const;
    }
    async update(s: tf.NDArray, a: tf.NDArray, r: tf.NDArray) {
      await this.sess.run(this.update_oldpi_op);
      const raw = await this.sess.run(this.advantage, [
        [this.tfs, s],
        [this.tfdc_r, r],
      ]);
      const values = [...raw.data].map(Number);
      const mean = values.reduce((x, y) => x + y) / values.length;
      const std = Math.sqrt(values.reduce((x, y) => x + (y - mean) ** 2, 0) / values.length);
      const adv = each(raw, x => (x - mean) / (std + 1e-6));
      const feed: Feed = new Map<tf.Tensor, tf.FeedValue>([
        [this.tfs, s],
        [this.tfa, a],
        [this.tfadv, adv],
      ]);
      if (this.tflam) feed.set(this.tflam, 0.5);
      if (this.method === "kl_pen") {
        for (const _ of range(3)) {
          const [, kl] = await this.sess.run([this.atrain_op, this.kl_mean], feed);
          show("kl", kl);
          if (kl.item() > 4 * 0.01) break;
        }
      } else for (const _ of range(3)) await this.sess.run(this.atrain_op, feed);
      feed.set(this.tfdc_r, r);
      for (const _ of range(3)) await this.sess.run(this.ctrain_op, feed);
      show("losses", await this.sess.run([this.aloss, this.closs, this.entropy], feed));
    }
  }
  for (const method of ["kl_pen", "clip"] as const) {
    tf.reset_default_graph();
    tf.set_random_seed(3);
    const ppo = new PPO(method);
    await ppo.sess.run(tf.global_variables_initializer());
    for (const i of range(3)) {
      await ppo.update(
        rnd(i, 6, S_DIM),
        each(rnd(i + 5, 6, A_DIM), x => x - 0.5),
        rnd(i + 9, 6, 1),
      );
      const a = await ppo.sess.run(ppo.sample_op, { feed_dict: [[ppo.tfs, rnd(i, 2, S_DIM)]] });
      show(
        "a",
        each(a, x => Math.min(Math.max(x, -2), 2)),
      );
    }
    await ppo.sess.close();
  }
  type Getter = (getter: (name: string, ...args: unknown[]) => tf.Variable, name: string, ...args: unknown[]) => tf.Variable;
  class DDPG {
    S = tf.placeholder(tf.float32, [null, S_DIM], "s");
    S_ = tf.placeholder(tf.float32, [null, S_DIM], "s_");
    R = tf.placeholder(tf.float32, [null, 1], "r");
    sess = new tf.Session();
    a: tf.Tensor;
    q_: tf.Tensor;
    atrain: tf.Operation;
    target_update: tf.Operation[];
    td_error: tf.Tensor;
    ctrain: tf.Operation;
    constructor(tau = 0.1, gamma = 0.9) {
      this.a = this._build_a(this.S);
      const q = this._build_c(this.S, this.a);
      const a_params = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, { scope: "Actor" });
      const c_params = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, { scope: "Critic" });
      const ema = tf.train.ExponentialMovingAverage({ decay: 1 - tau });
      const ema_getter: Getter = (getter, name, ...args) => ema.average(getter(name, ...args))!;
      this.target_update = [ema.apply(a_params), ema.apply(c_params)];
      const a_ = this._build_a(this.S_, { reuse: true, custom_getter: ema_getter });
      this.q_ = this._build_c(this.S_, a_, { reuse: true, custom_getter: ema_getter });
      const policy_grads = tf.variable_scope("policy_grads", () => {
        const dqda = tf.gradients(q, this.a)[0];
        return tf.tuple(tf.gradients({ ys: this.a, xs: a_params, grad_ys: dqda }));
      });
      this.atrain = tf.variable_scope("A_train", () =>
        tf.train.RMSPropOptimizer(-0.01).apply_gradients(policy_grads.map((g, i) => [g, a_params[i]])),
      );
      const q_target = this.R.add(tf.multiply(gamma, this.q_));
      this.td_error = tf.losses.mean_squared_error({ labels: q_target, predictions: q });
      this.ctrain = tf.train.AdamOptimizer(0.02).minimize(this.td_error, { var_list: c_params });
    }
    _build_a(s: tf.Tensor, { reuse = null, custom_getter = null }: { reuse?: boolean | null; custom_getter?: Getter | null } = {}) {
      return tf.variable_scope("Actor", { reuse: reuse || false, custom_getter }, () => {
        const net = tf.layers.dense(s, 7, { activation: tf.nn.relu, name: "l1", trainable: !reuse });
        const a = tf.layers.dense(net, A_DIM, { activation: tf.nn.tanh, name: "a", trainable: !reuse });
        return tf.multiply(a, 2.0, { name: "scaled_a" });
      });
    }
    _build_c(
      s: tf.Tensor,
      a: tf.Tensor,
      { reuse = null, custom_getter = null }: { reuse?: boolean | null; custom_getter?: Getter | null } = {},
    ) {
      const trainable = reuse === null;
      return tf.variable_scope("Critic", { reuse: reuse || false, custom_getter }, () => {
        const w1_s = tf.get_variable("w1_s", [S_DIM, 7], { trainable });
        const w1_a = tf.get_variable("w1_a", [A_DIM, 7], { trainable });
        const b1 = tf.get_variable("b1", [1, 7], { trainable });
        return tf.layers.dense(tf.nn.relu(tf.matmul(s, w1_s).add(tf.matmul(a, w1_a)).add(b1)), 1, { trainable });
      });
    }
  }
  tf.reset_default_graph();
  tf.set_random_seed(5);
  const ddpg = new DDPG();
  await ddpg.sess.run(tf.global_variables_initializer());
  for (const i of range(5)) {
    const b: Feed = new Map<tf.Tensor, tf.FeedValue>([
      [ddpg.S, rnd(i, 5, S_DIM)],
      [ddpg.S_, rnd(i + 1, 5, S_DIM)],
      [ddpg.R, rnd(i + 2, 5, 1)],
    ]);
    await ddpg.sess.run(ddpg.target_update);
    await ddpg.sess.run(ddpg.atrain, b);
    b.set(ddpg.a, rnd(i + 3, 5, A_DIM));
    show("td", (await ddpg.sess.run([ddpg.td_error, ddpg.ctrain], b))[0]);
  }
  show(
    "names",
    tf
      .global_variables()
      .map(v => v.op.name)
      .slice(0, 14),
  );
  show("q_", await ddpg.sess.run(ddpg.q_, [[ddpg.S_, rnd(1, 4, S_DIM)]]));
  show("a", await ddpg.sess.run(ddpg.a, [[ddpg.S, rnd(1, 4, S_DIM)]]));
  await ddpg.sess.close();
  const [EPS, LOG_STD_MAX, LOG_STD_MIN] = [1e-8, 2, -5];
  const placeholder = (dim: number | null = null) => tf.placeholder({ dtype: tf.float32, shape: dim ? [null, dim] : [null] });
  const placeholders = (...args: (number | null)[]) => args.map(dim => placeholder(dim));
  type Activation = ((x: tf.Tensor) => tf.Tensor) | null;
  function mlp(x: tf.Tensor, hidden_sizes = [8], activation: Activation = tf.tanh, output_activation: Activation = null) {
    for (const h of hidden_sizes.slice(0, -1)) x = tf.layers.dense(x, { units: h, activation });
    return tf.layers.dense(x, { units: hidden_sizes.at(-1)!, activation: output_activation });
  }
  const get_vars = (scope: string) => tf.global_variables().filter(x => x.name.includes(scope));
  const gaussian_likelihood = (x: tf.Tensor, mu: tf.Tensor, log_std: tf.Tensor) =>
    tf.reduce_sum(
      tf.multiply(
        -0.5,
        x
          .sub(mu)
          .div(tf.exp(log_std).add(EPS))
          .pow(2)
          .add(log_std.mul(2))
          .add(Math.log(2 * Math.PI)),
      ),
      { axis: 1 },
    );
  function clip_but_pass_gradient(x: tf.Tensor, { l = -1, u = 1 } = {}) {
    const clip_up = tf.cast(x.greater(u), tf.float32);
    const clip_low = tf.cast(x.less(l), tf.float32);
    return x.add(tf.stop_gradient(tf.subtract(u, x).mul(clip_up).add(tf.subtract(l, x).mul(clip_low))));
  }
  function mlp_gaussian_policy(x: tf.Tensor, a: tf.Tensor) {
    const act_dim = a.shape.as_list().at(-1)!;
    const net = mlp(x, [8, 8], tf.nn.relu, tf.nn.relu);
    let mu = tf.layers.dense(net, act_dim, { activation: null });
    let log_std = tf.layers.dense(net, act_dim, { activation: tf.tanh });
    log_std = tf.add(LOG_STD_MIN, tf.multiply(0.5 * (LOG_STD_MAX - LOG_STD_MIN), log_std.add(1)));
    let pi = mu.add(tf.random_normal(tf.shape(mu)).mul(tf.exp(log_std)));
    let logp_pi = gaussian_likelihood(pi, mu, log_std);
    [mu, pi] = [tf.tanh(mu), tf.tanh(pi)];
    logp_pi = logp_pi.sub(tf.reduce_sum(tf.log(clip_but_pass_gradient(tf.subtract(1, pi.pow(2)), { l: 0, u: 1 }).add(1e-6)), { axis: 1 }));
    return [mu, pi, logp_pi] as const;
  }
  function mlp_actor_critic(x: tf.Tensor, a: tf.Tensor) {
    const [mu, pi, logp_pi] = tf.variable_scope("pi", () => mlp_gaussian_policy(x, a));
    const vf_mlp = (x: tf.Tensor) => tf.squeeze(mlp(x, [8, 1], tf.nn.relu, null), { axis: 1 });
    const q1 = tf.variable_scope("q1", () => vf_mlp(tf.concat([x, a], { axis: -1 })));
    const q1_pi = tf.variable_scope("q1", { reuse: true }, () => vf_mlp(tf.concat([x, pi], { axis: -1 })));
    const q2 = tf.variable_scope("q2", () => vf_mlp(tf.concat([x, a], { axis: -1 })));
    const v = tf.variable_scope("v", () => vf_mlp(x));
    return { mu, pi, logp_pi, q1, q2, q1_pi, v };
  }
  tf.reset_default_graph();
  tf.set_random_seed(0);
  const [x_ph, a_ph, x2_ph, r_ph, d_ph] = placeholders(S_DIM, A_DIM, S_DIM, null, null);
  const { mu, logp_pi, q1, q2, q1_pi, v } = tf.variable_scope("main", () => mlp_actor_critic(x_ph, a_ph));
  const { v: v_targ } = tf.variable_scope("target", () => mlp_actor_critic(x2_ph, a_ph));
  const q_backup = tf.stop_gradient(r_ph.add(tf.multiply(0.99, tf.subtract(1, d_ph)).mul(v_targ)));
  const v_backup = tf.stop_gradient(tf.minimum(q1_pi, q1_pi).sub(logp_pi.mul(0.2)));
  const pi_loss = tf.reduce_mean(logp_pi.mul(0.2).sub(q1_pi));
  const half_mse = (a: tf.Tensor, b: tf.Tensor) => tf.multiply(0.5, tf.reduce_mean(a.sub(b).pow(2)));
  const q1_loss = half_mse(q_backup, q1),
    q2_loss = half_mse(q_backup, q2),
    v_loss = half_mse(v_backup, v);
  const train_pi_op = tf.train.AdamOptimizer({ learning_rate: 1e-2 }).minimize(pi_loss, { var_list: get_vars("main/pi") });
  const value_params = [...get_vars("main/q"), ...get_vars("main/v")];
  const train_value_op = tf.control_dependencies([train_pi_op], () =>
    tf.train.AdamOptimizer({ learning_rate: 1e-2 }).minimize(q1_loss.add(q2_loss).add(v_loss), { var_list: value_params }),
  );
  const pairs = () => get_vars("target").map((v_targ, i) => [get_vars("main")[i], v_targ]);
  const target_update = tf.control_dependencies([train_value_op], () =>
    tf.group(pairs().map(([v_main, v_targ]) => tf.assign(v_targ, v_targ.mul(0.9).add(v_main.mul(0.1))))),
  );
  const step_ops = [pi_loss, q1_loss, q2_loss, v_loss, q1, q2, v, logp_pi, train_pi_op, train_value_op, target_update];
  const target_init = tf.group(pairs().map(([v_main, v_targ]) => tf.assign(v_targ, v_main)));
  await using sess = new tf.Session();
  await sess.run(tf.global_variables_initializer());
  await sess.run(target_init);
  let feed!: Feed;
  for (const i of range(4)) {
    feed = new Map<tf.Tensor, tf.FeedValue>([
      [x_ph, rnd(i, 6, S_DIM)],
      [a_ph, rnd(i + 1, 6, A_DIM)],
      [x2_ph, rnd(i + 2, 6, S_DIM)],
      [r_ph, rnd(i + 3, 6)],
      [d_ph, [0, 1, 0, 0, 1, 0]],
    ]);
    show("sac", (await sess.run(step_ops, feed)).slice(0, 8));
  }
  show("mu", await sess.run([mu, v_targ], feed));
}
