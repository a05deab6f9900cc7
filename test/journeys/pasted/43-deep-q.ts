// Deep Q-learning: dueling heads, a double target, prioritized replay, an act function, savers of a part: its twin in Python line by line.

import { mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import * as tf from "tensorloom/compat";
import { ints, range, rnd, type Show } from "./inputs.ts";

type Transition = [tf.NDArray, number, number, tf.NDArray, number];

class SumTree {
  data_pointer = 0;
  capacity: number;
  tree: number[];
  data: (Transition | null)[];
  constructor(capacity: number) {
    this.capacity = capacity;
    this.tree = new Array(2 * capacity - 1).fill(0);
    this.data = new Array(capacity).fill(null);
  }
  add(p: number, data: Transition) {
    const tree_idx = this.data_pointer + this.capacity - 1;
    this.data[this.data_pointer] = data;
    this.update(tree_idx, p);
    this.data_pointer = (this.data_pointer + 1) % this.capacity;
  }
  update(tree_idx: number, p: number) {
    const change = p - this.tree[tree_idx];
    this.tree[tree_idx] = p;
    while (tree_idx !== 0) {
      tree_idx = Math.floor((tree_idx - 1) / 2);
      this.tree[tree_idx] += change;
    }
  }
  get_leaf(v: number): [number, number, Transition] {
    let parent_idx = 0;
    for (;;) {
      const cl_idx = 2 * parent_idx + 1;
      if (cl_idx >= this.tree.length) break;
      if (v <= this.tree[cl_idx]) parent_idx = cl_idx;
      else {
        v -= this.tree[cl_idx];
        parent_idx = cl_idx + 1;
      }
    }
    return [parent_idx, this.tree[parent_idx], this.data[parent_idx - this.capacity + 1]!];
  }
}

export async function main(show: Show): Promise<void> {
  tf.set_random_seed(1);
  function huber_loss(x: tf.Tensor, delta = 1.0) {
    return tf.where(tf.abs(x).less(delta), tf.square(x).mul(0.5), tf.multiply(delta, tf.abs(x).sub(0.5 * delta)));
  }
  function minimize_and_clip(optimizer: tf.train.Optimizer, objective: tf.Tensor, var_list: tf.Variable[], clip_val = 10) {
    const gradients = optimizer.compute_gradients(objective, { var_list });
    for (const [i, [grad, variable]] of gradients.entries()) {
      if (grad !== null) gradients[i] = [tf.clip_by_norm(grad, clip_val), variable];
    }
    return optimizer.apply_gradients(gradients);
  }
  const absolute_scope_name = (relative: string) => `${tf.get_variable_scope().name}/${relative}`;
  const scope_vars = (scope: string | tf.VariableScope, trainable_only = false) =>
    tf.get_collection(trainable_only ? tf.GraphKeys.TRAINABLE_VARIABLES : tf.GraphKeys.GLOBAL_VARIABLES, {
      scope: typeof scope === "string" ? scope : scope.name,
    });
  function q_func(img_in: tf.Tensor, num_actions: number, scope: string, reuse: boolean | null = false) {
    return tf.variable_scope(scope, { reuse }, () => {
      let out = img_in;
      tf.variable_scope("convnet", () => {
        out = tf.layers.conv2d(out, {
          filters: 4,
          kernel_size: 3,
          strides: 2,
          activation: tf.nn.relu,
          kernel_initializer: tf.variance_scaling_initializer(2.0, { seed: 3 }),
        });
        out = tf.layers.conv2d(out, { filters: 5, kernel_size: 2, activation: tf.nn.relu, data_format: "channels_last" });
      });
      const conv_out = tf.layers.flatten(out);
      const action_scores = tf.variable_scope("action_value", () => {
        let action_out = tf.layers.dense(conv_out, 6, { activation: null });
        action_out = tf.nn.relu(action_out);
        return tf.layers.dense(action_out, num_actions);
      });
      const state_score = tf.variable_scope("state_value", () => tf.layers.dense(tf.layers.dense(conv_out, 6, tf.nn.relu), 1));
      const action_scores_mean = tf.reduce_mean(action_scores, 1);
      const action_scores_centered = action_scores.sub(tf.expand_dims(action_scores_mean, 1));
      return state_score.add(action_scores_centered);
    });
  }
  function build_act(num_actions: number, scope = "deepq", reuse: boolean | null = null) {
    const [observations_ph, stochastic_ph, update_eps_ph, output_actions] = tf.variable_scope(scope, { reuse }, () => {
      const observations_ph = tf.placeholder(tf.uint8, [null, 8, 8, 2], { name: "observation" });
      const stochastic_ph = tf.placeholder(tf.bool, [], { name: "stochastic" });
      const update_eps_ph = tf.placeholder(tf.float32, [], { name: "update_eps" });
      const eps = tf.get_variable("eps", [], { initializer: tf.constant_initializer(0), trainable: false });
      const q_values = q_func(tf.cast(observations_ph, tf.float32).div(255.0), num_actions, "q_func");
      const deterministic_actions = tf.argmax(q_values, { axis: 1 });
      const batch_size = tf.shape(observations_ph)[0];
      const random_actions = tf.random_uniform(tf.stack([batch_size]), { minval: 0, maxval: num_actions, dtype: tf.int64 });
      const chose_random = tf.random_uniform(tf.stack([batch_size]), { minval: 0, maxval: 1, dtype: tf.float32 }).less(eps);
      const stochastic_actions = tf.where(chose_random, random_actions, deterministic_actions);
      let output_actions = tf.cond(
        stochastic_ph,
        () => stochastic_actions,
        () => deterministic_actions,
      );
      const update_eps_expr = eps.assign(
        tf.cond(
          update_eps_ph.greater_equal(0),
          () => update_eps_ph,
          () => eps,
        ),
      );
      output_actions = tf.control_dependencies([update_eps_expr], () => tf.identity(output_actions, { name: "action" }));
      return [observations_ph, stochastic_ph, update_eps_ph, output_actions] as const;
    });
    return (sess: tf.Session, ob: tf.NDArray, { stochastic = true, update_eps = -1 } = {}) =>
      sess.run(output_actions, {
        feed_dict: new Map<tf.Tensor, tf.FeedValue>([
          [observations_ph, ob],
          [stochastic_ph, stochastic],
          [update_eps_ph, update_eps],
        ]),
      });
  }
  function build_train(num_actions: number, { gamma = 0.9, scope = "deepq", double_q = true } = {}) {
    const act = build_act(num_actions, scope);
    return tf.variable_scope(scope, { reuse: tf.AUTO_REUSE }, () => {
      const obs_t = tf.placeholder(tf.uint8, [null, 8, 8, 2], { name: "obs_t" });
      const act_t_ph = tf.placeholder(tf.int32, [null], { name: "action" });
      const rew_t_ph = tf.placeholder(tf.float32, [null], { name: "reward" });
      const obs_tp1 = tf.placeholder(tf.uint8, [null, 8, 8, 2], { name: "obs_tp1" });
      const done_mask_ph = tf.placeholder(tf.float32, [null], { name: "done" });
      const importance_weights_ph = tf.placeholder(tf.float32, [null], { name: "weight" });
      const f = (x: tf.Tensor) => tf.cast(x, tf.float32).div(255.0);
      const q_t = q_func(f(obs_t), num_actions, "q_func", true);
      const q_func_vars = scope_vars(absolute_scope_name("q_func"));
      const q_tp1 = q_func(f(obs_tp1), num_actions, "target_q_func");
      const target_q_func_vars = scope_vars(absolute_scope_name("target_q_func"));
      const q_t_selected = tf.reduce_sum(q_t.mul(tf.one_hot(act_t_ph, num_actions)), 1);
      let q_tp1_best: tf.Tensor;
      if (double_q) {
        const q_tp1_using_online_net = q_func(f(obs_tp1), num_actions, "q_func", true);
        const q_tp1_best_using_online_net = tf.argmax(q_tp1_using_online_net, 1);
        q_tp1_best = tf.reduce_sum(q_tp1.mul(tf.one_hot(q_tp1_best_using_online_net, num_actions)), 1);
      } else {
        q_tp1_best = tf.reduce_max(q_tp1, 1);
      }
      const q_tp1_best_masked = tf.subtract(1.0, done_mask_ph).mul(q_tp1_best);
      const q_t_selected_target = rew_t_ph.add(tf.multiply(gamma, q_tp1_best_masked));
      const td_error = q_t_selected.sub(tf.stop_gradient(q_t_selected_target));
      const errors = huber_loss(td_error);
      const weighted_error = tf.reduce_mean(importance_weights_ph.mul(errors));
      const optimize_expr = minimize_and_clip(
        tf.train.RMSPropOptimizer({ learning_rate: 0.01, momentum: 0.5, epsilon: 0.01, centered: true }),
        weighted_error,
        q_func_vars,
        0.5,
      );
      const by_name = (a: tf.Variable, b: tf.Variable) => (a.name < b.name ? -1 : 1);
      const targets = target_q_func_vars.toSorted(by_name);
      const update_target_expr = q_func_vars.toSorted(by_name).map((v, i) => targets[i].assign(v));
      return {
        act,
        inputs: [obs_t, act_t_ph, rew_t_ph, obs_tp1, done_mask_ph, importance_weights_ph],
        td_error,
        loss: weighted_error,
        optimize: optimize_expr,
        update_target: tf.group(...update_target_expr),
        q_t,
      };
    });
  }
  const A = 3;
  const { act, inputs, td_error, loss, optimize, update_target, q_t } = build_train(A);
  tf.name_scope("stats", () => {
    for (const v of scope_vars("deepq/q_func", true)) tf.summary.histogram(v.op.name, v);
    tf.summary.scalar("loss", loss);
    tf.summary.scalar("td_error", tf.reduce_mean(td_error));
  });
  const merged = tf.summary.merge_all()!;
  show(
    "vars",
    scope_vars("deepq").map(v => v.op.name),
  );
  const memory = new SumTree(8);
  const saver = tf.train.Saver(scope_vars("deepq/q_func"), { max_to_keep: 2 });
  const folder = mkdtempSync(join(tmpdir(), "dqn-"));
  await using sess = new tf.Session();
  await sess.run(tf.global_variables_initializer());
  await sess.run(update_target);
  let state = ints(7, 256, 1, 8, 8, 2).astype("uint8");
  let beta = 0.4;
  const writer = tf.summary.FileWriter(folder, sess.graph);
  for (const t of range(24)) {
    const action = Number((await act(sess, state, { update_eps: 1.0 - 0.04 * t }))[0]);
    const next = ints(t + 8, 256, 1, 8, 8, 2).astype("uint8");
    const reward = rnd(t + 100, 1).item() - 0.2 * action;
    memory.add(t === 0 ? 1.0 : Math.max(...memory.tree.slice(-8)), [state[0], action, reward, next[0], t % 5 === 4 ? 1 : 0]);
    state = next;
    show("action", action);
    if (t >= 8 && t % 2 === 0) {
      const n = 4;
      const seg = memory.tree[0] / n;
      beta = Math.min(1.0, beta + 0.1);
      const lowest = Math.min(...memory.tree.slice(-8).filter(p => p > 0)) / memory.tree[0];
      const leaves = range(n).map(i => memory.get_leaf(seg * (i + rnd(t * 10 + i, 1).item())));
      const weights = leaves.map(([, p]) => (p / memory.tree[0] / lowest) ** -beta);
      const columns = range(5).map(c => leaves.map(leaf => leaf[2][c]));
      const [td, l, summary] = await sess.run([td_error, loss, merged, optimize], {
        feed_dict: [...columns, weights].map((column, i): [tf.Tensor, tf.FeedValue] => [inputs[i], column]),
      });
      writer.add_summary(summary, t);
      for (const [i, [leaf]] of leaves.entries()) memory.update(leaf, Math.min(Math.abs(td[i]) + 0.01, 1.0) ** 0.6);
      show("loss", l);
      show("td", td);
      if (t % 6 === 0) await sess.run(update_target);
      if (t % 4 === 0) await saver.save(sess, join(folder, "dqn"), { global_step: t });
    }
  }
  await writer.close();
  show(
    "kept",
    saver.last_checkpoints.map(p => basename(p)),
  );
  show("q", await sess.run(q_t, { feed_dict: [[inputs[0], state]] }));
  await sess.run(tf.variables_initializer(scope_vars("deepq/q_func")));
  await saver.restore(sess, (await tf.train.latest_checkpoint(folder))!);
  show("restored", await sess.run(q_t, { feed_dict: [[inputs[0], state]] }));
  const file = readdirSync(folder).find(f => f.includes("tfevents"))!;
  const tags: string[] = [];
  for await (const e of tf.train.summary_iterator(join(folder, file))) for (const v of e.summary.value) tags.push(`${e.step}:${v.tag}`);
  show("tags", tags.slice(0, 14));
  show("events", tags.length);
  show(
    "weights",
    (await sess.run(scope_vars("deepq"))).map(w => [...w.data].reduce((a: number, x) => a + Math.abs(Number(x)), 0)),
  );
}
