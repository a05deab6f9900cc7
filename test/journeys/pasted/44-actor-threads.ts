// A3C with workers and a Coordinator, local copies of a global net; A2C's losses by tf.distributions: its twin in Python line by line.

import * as tf from "tensorloom/compat";
import { ints, range, rnd, type Show } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  tf.set_random_seed(4);
  const [s_size, a_size] = [6, 3];
  function normalized_columns_initializer(std = 1.0) {
    return (shape: readonly number[]) => {
      const out = [
        ...rnd(
          shape.reduce((a, b) => a * b, 1),
          ...shape,
        ).data,
      ].map(x => Number(x) - 0.5);
      const [rows, columns] = shape;
      const norm = range(columns).map(c => Math.sqrt(range(rows).reduce((s, r) => s + out[r * columns + c] ** 2, 0)));
      return tf.constant(
        new tf.NDArray(
          "float32",
          shape,
          Float32Array.from(out, (x, i) => (x * std) / norm[i % columns]),
        ),
      );
    };
  }
  function update_target_graph(from_scope: string, to_scope: string) {
    const from_vars = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, from_scope);
    const to_vars = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, to_scope);
    return from_vars.map((from_var, i) => to_vars[i].assign(from_var));
  }
  class AC_Network {
    inputs!: tf.Tensor;
    state_init!: [tf.NDArray, tf.NDArray];
    state_in!: [tf.Tensor, tf.Tensor];
    state_out!: [tf.Tensor, tf.Tensor];
    policy!: tf.Tensor;
    value!: tf.Tensor;
    actions!: tf.Tensor;
    target_v!: tf.Tensor;
    advantages!: tf.Tensor;
    value_loss!: tf.Tensor;
    entropy!: tf.Tensor;
    policy_loss!: tf.Tensor;
    grad_norms!: tf.Tensor;
    var_norms!: tf.Tensor;
    apply_grads!: tf.Operation;
    constructor(s_size: number, a_size: number, scope: string, trainer: tf.train.Optimizer | null) {
      tf.variable_scope(scope, () => {
        this.inputs = tf.placeholder({ shape: [null, s_size], dtype: tf.float32 });
        const hidden = tf.layers.dense(this.inputs, 5, {
          activation: tf.nn.elu,
          kernel_initializer: normalized_columns_initializer(1.0),
        });
        const lstm_cell = tf.nn.rnn_cell.BasicLSTMCell(4, { state_is_tuple: true });
        const c_init = new tf.NDArray("float32", [1, lstm_cell.state_size.c], new Float32Array(lstm_cell.state_size.c));
        const h_init = new tf.NDArray("float32", [1, lstm_cell.state_size.h], new Float32Array(lstm_cell.state_size.h));
        this.state_init = [c_init, h_init];
        const c_in = tf.placeholder(tf.float32, [1, lstm_cell.state_size.c]);
        const h_in = tf.placeholder(tf.float32, [1, lstm_cell.state_size.h]);
        this.state_in = [c_in, h_in];
        const rnn_in = tf.expand_dims(hidden, [0]);
        const step_size = tf.shape(this.inputs).at([null, 1]);
        const state_in = tf.nn.rnn_cell.LSTMStateTuple(c_in, h_in);
        const [lstm_outputs, lstm_state] = tf.nn.dynamic_rnn(lstm_cell, rnn_in, {
          initial_state: state_in,
          sequence_length: step_size,
          time_major: false,
        });
        const [lstm_c, lstm_h] = lstm_state;
        this.state_out = [lstm_c.at([null, 1], []), lstm_h.at([null, 1], [])];
        const rnn_out = tf.reshape(lstm_outputs, [-1, 4]);
        this.policy = tf.layers.dense(rnn_out, a_size, {
          activation: tf.nn.softmax,
          kernel_initializer: normalized_columns_initializer(0.01),
          use_bias: false,
        });
        this.value = tf.layers.dense(rnn_out, 1, {
          activation: null,
          kernel_initializer: normalized_columns_initializer(1.0),
          bias_initializer: null,
        });
        if (scope !== "global") {
          this.actions = tf.placeholder({ shape: [null], dtype: tf.int32 });
          const actions_onehot = tf.one_hot(this.actions, a_size, { dtype: tf.float32 });
          this.target_v = tf.placeholder({ shape: [null], dtype: tf.float32 });
          this.advantages = tf.placeholder({ shape: [null], dtype: tf.float32 });
          const responsible_outputs = tf.reduce_sum(this.policy.mul(actions_onehot), [1]);
          this.value_loss = tf.multiply(0.5, tf.reduce_sum(tf.square(this.target_v.sub(tf.reshape(this.value, [-1])))));
          this.entropy = tf.reduce_sum(this.policy.mul(tf.log(this.policy))).neg();
          this.policy_loss = tf.reduce_sum(tf.log(responsible_outputs).mul(this.advantages)).neg();
          const loss = tf.multiply(0.5, this.value_loss).add(this.policy_loss).sub(this.entropy.mul(0.01));
          const local_vars = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope);
          const gradients = tf.gradients(loss, local_vars);
          this.var_norms = tf.global_norm(local_vars);
          const [grads, grad_norms] = tf.clip_by_global_norm(gradients, 0.5);
          this.grad_norms = grad_norms;
          const global_vars = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, "global");
          this.apply_grads = trainer!.apply_gradients(grads.map((g, i) => [g, global_vars[i]]));
        }
      });
    }
  }
  function discount(x: number[], gamma: number) {
    let running = 0.0;
    return x
      .toReversed()
      .map(v => (running = running * gamma + v))
      .toReversed();
  }
  type Step = [tf.NDArray, number, number, number];
  class Worker {
    name: string;
    number: number;
    increment: tf.Tensor | tf.Variable;
    local_AC: AC_Network;
    update_local_ops: (tf.Tensor | tf.Variable)[];
    episode_rewards: number[] = [];
    batch_rnn_state!: [tf.NDArray, tf.NDArray];
    constructor(name: number, trainer: tf.train.Optimizer, global_episodes: tf.Variable) {
      this.name = `worker_${name}`;
      this.number = name;
      this.increment = global_episodes.assign_add(1);
      this.local_AC = new AC_Network(s_size, a_size, this.name, trainer);
      this.update_local_ops = update_target_graph("global", this.name);
    }
    async train(rollout: Step[], sess: tf.Session, gamma: number, bootstrap_value: number) {
      const [rewards, values] = [rollout.map(r => r[2]), rollout.map(r => r[3])];
      const discounted = discount([...rewards, bootstrap_value], gamma).slice(0, -1);
      const value_plus = [...values, bootstrap_value];
      const advantages = discount(
        rewards.map((r, i) => r + gamma * value_plus[i + 1] - value_plus[i]),
        gamma,
      );
      const feed_dict = new Map<tf.Tensor, tf.FeedValue>([
        [this.local_AC.target_v, discounted],
        [this.local_AC.inputs, rollout.map(r => r[0][0])],
        [this.local_AC.actions, rollout.map(r => r[1])],
        [this.local_AC.advantages, advantages],
        [this.local_AC.state_in[0], this.batch_rnn_state[0]],
        [this.local_AC.state_in[1], this.batch_rnn_state[1]],
      ]);
      const [v_l, p_l, e_l, g_n, v_n, state] = await sess.run(
        [
          this.local_AC.value_loss,
          this.local_AC.policy_loss,
          this.local_AC.entropy,
          this.local_AC.grad_norms,
          this.local_AC.var_norms,
          this.local_AC.state_out,
          this.local_AC.apply_grads,
        ],
        { feed_dict },
      );
      this.batch_rnn_state = state;
      return [v_l.item() / rollout.length, p_l.item() / rollout.length, e_l.item() / rollout.length, g_n, v_n];
    }
    async work(sess: tf.Session, coord: tf.train.Coordinator, turn: (i: number) => Promise<() => void>) {
      await coord.stop_on_exception(async () => {
        let episode = 0;
        while (!coord.should_stop()) {
          const done = await turn(this.number);
          try {
            if (coord.should_stop()) break;
            await sess.run(this.update_local_ops);
            let rollout: Step[] = [];
            let rnn_state = this.local_AC.state_init;
            this.batch_rnn_state = rnn_state;
            let s = rnd(this.number * 50 + episode, 1, s_size);
            const feeds = () =>
              new Map<tf.Tensor, tf.FeedValue>([
                [this.local_AC.inputs, s],
                [this.local_AC.state_in[0], rnn_state[0]],
                [this.local_AC.state_in[1], rnn_state[1]],
              ]);
            for (const step of range(6)) {
              const [a_dist, v, next] = await sess.run([this.local_AC.policy, this.local_AC.value, this.local_AC.state_out], {
                feed_dict: feeds(),
              });
              rnn_state = next;
              const u = rnd(episode * 9 + step, 1).item();
              let sum = 0;
              const a = [...a_dist.data].filter(p => (sum += Number(p)) < u).length;
              const r = a === step % 3 ? 1.0 : -0.5;
              rollout.push([s, a, r, v.item()]);
              s = rnd(this.number * 50 + episode + step + 1, 1, s_size);
              if (rollout.length === 4) {
                const boot = (await sess.run(this.local_AC.value, feeds())).item();
                show("part", await this.train(rollout, sess, 0.9, boot));
                rollout = [];
                await sess.run(this.update_local_ops);
              }
            }
            show(this.name, await this.train(rollout, sess, 0.9, 0.0));
            this.episode_rewards.push(episode);
            if ((await sess.run(this.increment)).item() >= 6) coord.request_stop();
            episode += 1;
          } finally {
            done();
          }
        }
      });
    }
  }
  const global_episodes = tf.Variable(0, { dtype: tf.int32, name: "global_episodes", trainable: false });
  const workers = tf.device("/cpu:0", () => {
    const trainer = tf.train.AdamOptimizer({ learning_rate: 1e-2, epsilon: 1e-3 });
    new AC_Network(s_size, a_size, "global", null);
    return range(2).map(i => new Worker(i, trainer, global_episodes));
  });
  let whose = 0;
  const waiting = new Map<number, () => void>();
  /** One worker after the other, so that numbers can be compared. */
  async function turn(i: number) {
    if (whose !== i) await new Promise<void>(resolve => waiting.set(i, resolve));
    return () => {
      whose = 1 - i;
      waiting.get(whose)?.();
    };
  }
  {
    await using sess = new tf.Session();
    const coord = tf.train.Coordinator();
    await sess.run(tf.global_variables_initializer());
    const worker_threads = workers.map(worker => worker.work(sess, coord, turn));
    await coord.join(worker_threads, { stop_grace_period_secs: 60 });
    show("stopped", coord.should_stop());
    show("episodes", await sess.run(global_episodes));
    show(
      "rewards",
      workers.map(w => w.episode_rewards),
    );
    for (const v of tf.trainable_variables("global")) show(v.op.name, await sess.run(v));
  }
  tf.reset_default_graph();
  tf.set_random_seed(9);
  const obs = tf.placeholder(tf.float32, [null, 4], "obs"),
    act = tf.placeholder(tf.int32, [null], "act"),
    ret = tf.placeholder(tf.float32, [null], "ret");
  const [pi, vf] = tf.variable_scope("model", { initializer: tf.orthogonal_initializer(Math.sqrt(2)) }, () => {
    const h = tf.layers.dense(tf.layers.dense(obs, 8, tf.nn.tanh, { name: "fc1" }), 8, tf.nn.tanh, { name: "fc2" });
    const pi = tf.layers.dense(h, 3, { name: "pi", kernel_initializer: tf.orthogonal_initializer(0.01) });
    return [pi, tf.layers.dense(h, 1, { name: "v" }).at([], 0)];
  });
  const dist = tf.distributions.Categorical({ logits: pi });
  const sample = dist.sample({ seed: 5 }),
    neglogp = dist.log_prob(act).neg(),
    old = tf.distributions.Categorical({ probs: tf.stop_gradient(tf.nn.softmax(pi.mul(0.5))) });
  let adv = ret.sub(tf.stop_gradient(vf));
  const [mean, variance] = tf.nn.moments(adv, { axes: [0] });
  adv = adv.sub(mean).div(tf.sqrt(variance).add(1e-8));
  const pg_loss = tf.reduce_mean(adv.mul(neglogp)),
    vf_loss = tf.losses.mean_squared_error(tf.squeeze(ret), vf),
    entropy = tf.reduce_mean(dist.entropy());
  const kl = tf.reduce_mean(tf.distributions.kl_divergence(old, dist));
  const loss = pg_loss.sub(entropy.mul(0.01)).add(vf_loss.mul(0.5));
  const params = tf.trainable_variables("model");
  const [grads, norm] = tf.clip_by_global_norm(tf.gradients(loss, params), 0.5);
  const LR = tf.placeholder(tf.float32, []);
  const train = tf.train
    .RMSPropOptimizer({ learning_rate: LR, decay: 0.99, epsilon: 1e-3 })
    .apply_gradients(grads.map((g, i) => [g, params[i]]));
  await using sess = new tf.Session();
  await tf.global_variables_initializer().run({ session: sess });
  let feed!: Map<tf.Tensor, tf.FeedValue>;
  for (const i of range(6)) {
    feed = new Map<tf.Tensor, tf.FeedValue>([
      [obs, rnd(i, 7, 4)],
      [act, ints(i, 3, 7)],
      [ret, rnd(i + 5, 7)],
      [LR, 0.02 * (1 - i / 10.0)],
    ]);
    show("a2c", (await sess.run([pg_loss, vf_loss, entropy, kl, norm, train], feed)).slice(0, 5));
    show("sample", await sess.run(sample, feed));
  }
  show("probs", await sess.run([dist.probs, dist.prob(act), dist.mode()], feed));
}
