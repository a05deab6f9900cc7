// The CIFAR-10 tutorial on several towers: losses by collections, averaged gradients, moving averages saved and restored under the averaged names: its twin
// in Python line by line.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import * as tf from "tensorloom/compat";
import { ints, range, rnd, type Show } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  const TOWER_NAME = "tower",
    NUM_CLASSES = 4,
    LAMBDA = 0.01;
  const without_tower = (name: string) => name.replace(new RegExp(`${TOWER_NAME}_[0-9]*/`), "");
  function _activation_summary(x: tf.Tensor) {
    const tensor_name = without_tower(x.op.name);
    tf.summary.histogram(tensor_name + "/activations", x);
    tf.summary.scalar(tensor_name + "/sparsity", tf.nn.zero_fraction(x));
  }
  function _variable_on_cpu(name: string, shape: (number | null)[], initializer: tf.Initializer) {
    using _ = tf.device("/cpu:0");
    return tf.get_variable(name, shape, { initializer, dtype: tf.float32 });
  }
  function _variable_with_weight_decay(
    name: string,
    { shape, stddev, wd }: { shape: (number | null)[]; stddev: number; wd: number | null },
  ) {
    const v = _variable_on_cpu(name, shape, tf.truncated_normal_initializer({ stddev, dtype: tf.float32 }));
    if (wd !== null) {
      const weight_decay = tf.multiply(tf.nn.l2_loss(v), wd, { name: "weight_loss" });
      tf.add_to_collection("losses", weight_decay);
    }
    return v;
  }
  function inference(images: tf.Tensor) {
    const conv1 = tf.variable_scope("conv1", scope => {
      const kernel = _variable_with_weight_decay("weights", { shape: [3, 3, 3, 6], stddev: 0.2, wd: null });
      const conv = tf.nn.conv2d(images, kernel, [1, 1, 1, 1], { padding: "SAME" });
      const biases = _variable_on_cpu("biases", [6], tf.constant_initializer(0.0));
      const pre_activation = tf.nn.bias_add(conv, biases);
      const conv1 = tf.nn.relu(pre_activation, { name: scope.name });
      _activation_summary(conv1);
      return conv1;
    });
    const pool1 = tf.nn.max_pool(conv1, { ksize: [1, 3, 3, 1], strides: [1, 2, 2, 1], padding: "SAME", name: "pool1" });
    const norm1 = tf.nn.lrn(pool1, 4, { bias: 1.0, alpha: 0.001 / 9.0, beta: 0.75, name: "norm1" });
    const local3 = tf.variable_scope("local3", scope => {
      const reshape = tf.reshape(norm1, [images.get_shape().as_list()[0], -1]);
      const dim = Number(reshape.get_shape()[1]);
      const weights = _variable_with_weight_decay("weights", { shape: [dim, 8], stddev: 0.1, wd: LAMBDA });
      const biases = _variable_on_cpu("biases", [8], tf.constant_initializer(0.1));
      const local3 = tf.nn.relu(tf.matmul(reshape, weights).add(biases), { name: scope.name });
      _activation_summary(local3);
      return local3;
    });
    return tf.variable_scope("softmax_linear", scope => {
      const weights = _variable_with_weight_decay("weights", { shape: [8, NUM_CLASSES], stddev: 1 / 8.0, wd: null });
      const biases = _variable_on_cpu("biases", [NUM_CLASSES], tf.constant_initializer(0.0));
      const softmax_linear = tf.add(tf.matmul(local3, weights), biases, { name: scope.name });
      _activation_summary(softmax_linear);
      return softmax_linear;
    });
  }
  function loss(logits: tf.Tensor, labels: tf.Tensor) {
    labels = tf.cast(labels, tf.int64);
    const cross_entropy = tf.nn.sparse_softmax_cross_entropy_with_logits({ labels, logits, name: "cross_entropy_per_example" });
    const cross_entropy_mean = tf.reduce_mean(cross_entropy, { name: "cross_entropy" });
    tf.add_to_collection("losses", cross_entropy_mean);
    return tf.add_n(tf.get_collection("losses"), { name: "total_loss" });
  }
  function tower_loss(scope: string, images: tf.Tensor, labels: tf.Tensor) {
    const logits = inference(images);
    loss(logits, labels);
    const losses = tf.get_collection("losses", scope);
    const total_loss = tf.add_n(losses, { name: "total_loss" });
    for (const l of [...losses, total_loss]) {
      const loss_name = without_tower(l.op.name);
      tf.summary.scalar(loss_name, l);
    }
    return [total_loss, logits] as const;
  }
  type Pairs = ReturnType<tf.train.Optimizer["compute_gradients"]>;
  function average_gradients(tower_grads: Pairs[]) {
    return tower_grads[0].map(([, v], k) => {
      const grads = tower_grads.map(pairs => tf.expand_dims(pairs[k][0] as tf.Tensor, 0));
      let grad = tf.concat({ axis: 0, values: grads });
      grad = tf.reduce_mean(grad, 0);
      return [grad, v] as const;
    });
  }
  const folder = mkdtempSync(join(tmpdir(), "towers-"));
  {
    using _graph = tf.Graph().as_default();
    using _device = tf.device("/cpu:0");
    tf.set_random_seed(6);
    const global_step = tf.get_variable("global_step", [], { initializer: tf.constant_initializer(0), trainable: false });
    const lr = tf.train.exponential_decay(0.1, global_step, 2, 0.5, { staircase: true });
    const opt = tf.train.GradientDescentOptimizer(lr);
    const all_images = tf.placeholder(tf.float32, [8, 10, 10, 3]);
    const all_labels = tf.placeholder(tf.int32, [8]);
    const images_split = tf.split(tf.map_fn(tf.image.per_image_standardization, all_images), 2);
    const labels_split = tf.split({ axis: 0, num_or_size_splits: 2, value: all_labels });
    const tower_grads: Pairs[] = [],
      tower_losses: tf.Tensor[] = [],
      predictions: tf.Tensor[] = [];
    let summaries: tf.Tensor[] = [];
    tf.variable_scope(tf.get_variable_scope(), () => {
      for (const i of range(2)) {
        using _ = tf.device(`/gpu:${i}`);
        tf.name_scope(`${TOWER_NAME}_${i}`, (scope: string) => {
          const [l, logits] = tower_loss(scope, images_split[i], labels_split[i]);
          tf.get_variable_scope().reuse_variables();
          summaries = tf.get_collection(tf.GraphKeys.SUMMARIES, scope);
          const grads = opt.compute_gradients(l);
          tower_grads.push(grads);
          tower_losses.push(l);
          predictions.push(logits);
        });
      }
    });
    const loss_averages = tf.train.ExponentialMovingAverage(0.9, { name: "avg" });
    const loss_averages_op = loss_averages.apply([...tf.get_collection("losses"), ...tower_losses]);
    summaries.push(tf.summary.scalar("average", loss_averages.average(tower_losses[1])));
    const grads = average_gradients(tower_grads);
    summaries.push(tf.summary.scalar("learning_rate", lr));
    for (const [grad, v] of grads) if (grad !== null) summaries.push(tf.summary.histogram(v.op.name + "/gradients", grad));
    const apply_gradient_op = opt.apply_gradients(grads, { global_step });
    for (const v of tf.trainable_variables()) summaries.push(tf.summary.histogram(v.op.name, v));
    const variable_averages = tf.train.ExponentialMovingAverage(0.99, global_step);
    const variables_averages_op = tf.control_dependencies([apply_gradient_op], () => variable_averages.apply(tf.trainable_variables()));
    const train_op = tf.group(apply_gradient_op, variables_averages_op, loss_averages_op);
    const top_k_op = tf.nn.in_top_k(predictions[0], labels_split[0], 1);
    const saver = tf.train.Saver(tf.global_variables(), { max_to_keep: 2 });
    const summary_op = tf.summary.merge(summaries);
    show(
      "vars",
      tf.global_variables().map(v => v.name + " " + v.device),
    );
    show(
      "losses",
      tf.get_collection("losses").map(t => t.name + " " + t.device),
    );
    show(
      "device",
      tf
        .get_default_graph()
        .get_operations()
        .filter(op => op.type === "Conv2D")
        .map(op => op.device),
    );
    await using sess = tf.Session({ config: tf.ConfigProto({ allow_soft_placement: true, log_device_placement: false }) });
    await sess.run(tf.global_variables_initializer());
    await tf.train.start_queue_runners({ sess });
    let feed!: tf.Feeds;
    for (const step of range(4)) {
      feed = [
        [all_images, rnd(step, 8, 10, 10, 3)],
        [all_labels, ints(step + 9, NUM_CLASSES, 8)],
      ];
      const [, loss_value, other] = await sess.run([train_op, ...tower_losses], feed);
      show("loss", [loss_value, other]);
      if (step % 2 === 1) await saver.save(sess, join(folder, "model.ckpt"), { global_step: step });
    }
    const parsed = tf.Summary.FromString(await sess.run(summary_op, feed));
    show(
      "tags",
      parsed.value.map(v => v.tag),
    );
    show("top", await sess.run(top_k_op, feed));
  }
  {
    using _graph = tf.Graph().as_default();
    const images = tf.placeholder(tf.float32, [4, 10, 10, 3]);
    const logits = inference(images);
    const variable_averages = tf.train.ExponentialMovingAverage(0.99);
    const variables_to_restore = variable_averages.variables_to_restore();
    show("restore", Object.keys(variables_to_restore).sort());
    const saver = tf.train.Saver(variables_to_restore);
    await using sess = new tf.Session();
    const ckpt = (await tf.train.get_checkpoint_state(folder))!;
    show(
      "paths",
      ckpt.all_model_checkpoint_paths.map(p => basename(p)),
    );
    await saver.restore(sess, ckpt.model_checkpoint_path);
    show("step", Number(ckpt.model_checkpoint_path.split("/").at(-1)!.split("-").at(-1)));
    show("averaged", await sess.run(logits, [[images, rnd(50, 4, 10, 10, 3)]]));
  }
  rmSync(folder, { recursive: true });
}
