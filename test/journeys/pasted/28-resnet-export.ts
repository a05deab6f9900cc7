// ResNet and MobileNet in slim's manner by hand: partial for arg_scope, a custom getter in float16, BN by a placeholder, fine-tuning from a checkpoint,
// SavedModel: its twin in Python line by line.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "tensorloom/compat";
import { ints, range, rnd, type Show } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "resnet-"));
  const BATCH_NORM_DECAY = 0.9,
    EPS = 1e-5;
  function l2_regularizer(scale: number) {
    return (w: tf.Variable) =>
      tf.name_scope(null, "l2_regularizer", [w], (name: string) =>
        tf.multiply(tf.convert_to_tensor(scale, { dtype: w.dtype.base_dtype }), tf.nn.l2_loss(w), { name }),
      );
  }
  type Norm = (x: tf.Tensor) => tf.Tensor;
  function batch_norm(x: tf.Tensor, is_training: tf.Tensor, name = "BatchNorm"): tf.Tensor {
    return tf.variable_scope(name, () => {
      const n = [x.shape[-1]];
      const beta = tf.get_variable("beta", n, { initializer: tf.zeros_initializer() });
      const gamma = tf.get_variable("gamma", n, { initializer: tf.ones_initializer() });
      const mm = tf.get_variable("moving_mean", n, { initializer: tf.zeros_initializer(), trainable: false });
      const mv = tf.get_variable("moving_variance", n, { initializer: tf.ones_initializer(), trainable: false });
      const training = () => {
        const [y, mean, variance] = tf.nn.fused_batch_norm(x, gamma, beta, { epsilon: EPS });
        const u1 = tf.assign_sub(mm, mm.sub(mean).mul(1 - BATCH_NORM_DECAY));
        const u2 = tf.assign_sub(mv, mv.sub(variance).mul(1 - BATCH_NORM_DECAY));
        return tf.control_dependencies([u1, u2], () => tf.identity(y));
      };
      const testing = () => tf.nn.fused_batch_norm(x, gamma, beta, mm, mv, { epsilon: EPS, is_training: false })[0];
      return tf.cond(is_training, training, testing);
    });
  }
  interface ConvOptions {
    use_bn?: Norm | null;
    activation?: Norm | null;
  }
  function conv2d(x: tf.Tensor, filters: number, kernel: number, stride: number, name: string, options: ConvOptions = {}): tf.Tensor {
    const { use_bn = null, activation = tf.nn.relu } = options;
    return tf.variable_scope(name, () => {
      const w = tf.get_variable("weights", [kernel, kernel, x.get_shape()[-1], filters], {
        initializer: tf.variance_scaling_initializer(2.0, "fan_out", "truncated_normal"),
        regularizer: l2_regularizer(1e-3),
      });
      x = tf.nn.conv2d(x, w, [1, stride, stride, 1], "SAME");
      x = use_bn ? use_bn(x) : tf.nn.bias_add(x, tf.get_variable("biases", [filters], { initializer: tf.zeros_initializer() }));
      return activation ? activation(x) : x;
    });
  }
  function separable(x: tf.Tensor, filters: number, stride: number, name: string, use_bn: Norm) {
    return tf.variable_scope(name, () => {
      const w = tf.get_variable("depthwise_weights", [3, 3, x.get_shape()[-1], 1]);
      x = tf.nn.relu6(use_bn(tf.nn.depthwise_conv2d(x, w, [1, stride, stride, 1], "SAME")));
      return conv2d(x, filters, 1, 1, "pointwise", { use_bn, activation: tf.nn.relu6 });
    });
  }
  function bottleneck(x: tf.Tensor, depth: number, stride: number, name: string, use_bn: Norm) {
    return tf.variable_scope(name, "bottleneck_v1", [x], () => {
      let shortcut: tf.Tensor;
      if (Number(x.get_shape()[-1]) === depth)
        shortcut = stride === 1 ? x : tf.nn.max_pool(x, [1, 1, 1, 1], [1, stride, stride, 1], "SAME");
      else shortcut = conv2d(x, depth, 1, stride, "shortcut", { use_bn, activation: null });
      let residual = conv2d(x, Math.floor(depth / 2), 1, 1, "conv1", { use_bn });
      residual = conv2d(residual, Math.floor(depth / 2), 3, stride, "conv2", { use_bn });
      residual = conv2d(residual, depth, 1, 1, "conv3", { use_bn, activation: null });
      const output = tf.nn.relu(shortcut.add(residual));
      tf.add_to_collection("end_points", output);
      return output;
    });
  }
  function network(
    images: tf.Tensor,
    num_classes: number,
    is_training: tf.Tensor,
    { scope = "resnet", reuse = null as boolean | null } = {},
  ) {
    const bn: Norm = x => batch_norm(x, is_training);
    return tf.variable_scope(scope, "resnet", [images], { reuse }, () => {
      let net = conv2d(images, 4, 3, 2, "conv1", { use_bn: bn });
      tf.variable_scope("block1", () => {
        for (const [i, [depth, stride]] of [
          [6, 1],
          [6, 2],
        ].entries())
          net = bottleneck(net, depth, stride, `unit_${i + 1}`, bn);
      });
      net = separable(net, 8, 1, "sep", bn);
      net = tf.reduce_mean(net, [1, 2], { name: "pool5", keep_dims: true });
      const logits = conv2d(net, num_classes, 1, 1, "logits", { activation: null });
      return tf.squeeze(logits, [1, 2], { name: "SpatialSqueeze" });
    });
  }
  function build(num_classes: number) {
    const images = tf.placeholder(tf.float32, [null, 12, 12, 3], { name: "input" });
    const is_training = tf.placeholder_with_default(false, [], { name: "is_training" });
    const logits = network(images, num_classes, is_training);
    return [images, is_training, logits];
  }
  const feeds = (...pairs: [tf.Tensor, tf.FeedValue][]) => new Map(pairs);
  {
    using _ = tf.Graph().as_default();
    tf.set_random_seed(21);
    const [images, is_training, logits] = build(5);
    const labels = tf.placeholder(tf.int32, [null]);
    tf.losses.sparse_softmax_cross_entropy(labels, logits);
    const reg_losses = tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES);
    show(
      "reg",
      reg_losses.map(r => r.name),
    );
    const total_loss = tf.losses.get_total_loss();
    const step = tf.train.get_or_create_global_step();
    const optimizer = tf.train.RMSPropOptimizer(0.01, 0.9, { momentum: 0.9, epsilon: 1.0 });
    const train_op = optimizer.minimize(total_loss, { global_step: step });
    const saver = tf.train.Saver();
    await using sess = new tf.Session();
    await sess.run(tf.global_variables_initializer());
    for (const i of range(3)) {
      const feed = feeds([images, rnd(i, 4, 12, 12, 3)], [labels, ints(i + 5, 5, 4)], [is_training, true]);
      const [l] = await sess.run([total_loss, train_op], feed);
      show("loss", l);
    }
    await saver.save(sess, join(folder, "resnet.ckpt"), { global_step: step });
    show("eval", await sess.run(logits, feeds([images, rnd(40, 2, 12, 12, 3)])));
  }
  const path = (await tf.train.latest_checkpoint(folder))!;
  {
    using _ = tf.Graph().as_default();
    tf.set_random_seed(22);
    const [images, is_training, logits] = build(3);
    const exclude = ["resnet/logits", "resnet/sep"];
    const reader = await tf.train.NewCheckpointReader(path);
    const shapes = reader.get_variable_to_shape_map();
    const variables_to_restore = tf.global_variables().filter(v => !exclude.some(e => v.op.name.startsWith(e)) && shapes.has(v.op.name));
    show(
      "restore",
      variables_to_restore.map(v => v.op.name),
    );
    await tf.train.init_from_checkpoint(path, { "resnet/block1/": "resnet/block1/" });
    const labels = tf.placeholder(tf.int32, [null], { name: "labels" });
    const trainable = [...tf.trainable_variables("resnet/logits"), ...tf.trainable_variables("resnet/sep")];
    const loss = tf.losses.sparse_softmax_cross_entropy(labels, logits).add(tf.losses.get_regularization_loss());
    const train_op = tf.train.MomentumOptimizer(0.05, 0.9, { use_nesterov: true }).minimize(loss, { var_list: trainable });
    const probs = tf.nn.softmax(logits, { name: "probs" });
    const saver = tf.train.Saver(variables_to_restore);
    await using sess = new tf.Session();
    await sess.run(tf.global_variables_initializer());
    await saver.restore(sess, path);
    show("uninitialized", await sess.run(tf.report_uninitialized_variables()));
    const frozen = tf.get_default_graph().get_tensor_by_name("resnet/conv1/weights:0");
    const before = await sess.run(frozen);
    for (const i of range(3)) {
      const feed = feeds([images, rnd(i + 60, 4, 12, 12, 3)], [labels, ints(i + 65, 3, 4)], [is_training, true]);
      const [l] = await sess.run([loss, train_op], feed);
      show("tuned", l);
    }
    const after = await sess.run(frozen);
    show("frozen", Math.max(...(after.data as Float32Array).map((v, i) => Math.abs(v - Number(before.data[i])))));
    const builder = new tf.saved_model.builder.SavedModelBuilder(join(folder, "export"));
    const signature = tf.saved_model.signature_def_utils.build_signature_def({
      inputs: { images: tf.saved_model.utils.build_tensor_info(images) },
      outputs: { scores: tf.saved_model.utils.build_tensor_info(probs) },
      method_name: tf.saved_model.signature_constants.PREDICT_METHOD_NAME,
    });
    await builder.add_meta_graph_and_variables(sess, [tf.saved_model.tag_constants.SERVING], {
      signature_def_map: { [tf.saved_model.signature_constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY]: signature },
    });
    await builder.save();
    const frozen_def = await tf.graph_util.convert_variables_to_constants(sess, tf.get_default_graph().as_graph_def(), ["probs"]);
    show(
      "nodes",
      frozen_def.node.filter(n => n.op === "Const" && n.name.includes("logits")).map(n => n.name),
    );
    show("probs", await sess.run(probs, feeds([images, rnd(41, 2, 12, 12, 3)])));
  }
  {
    using _ = tf.Graph().as_default();
    await using sess = new tf.Session();
    const meta_graph = await tf.saved_model.loader.load(sess, [tf.saved_model.tag_constants.SERVING], join(folder, "export"));
    const sig = meta_graph.signature_def["serving_default"];
    const { inputs, outputs, method_name } = sig;
    const input = inputs["images"].name!,
      output = outputs["scores"].name!;
    show("signature", [input, output, method_name]);
    show("loaded", await sess.run(output, { [input]: rnd(41, 2, 12, 12, 3) }));
  }
  {
    using _ = tf.Graph().as_default();
    type Getter = (name: string, options?: { dtype?: string; [key: string]: unknown }) => tf.Variable;
    const fp32_getter = (getter: Getter, name: string, { dtype = tf.float32, ...rest }: { dtype?: string }) =>
      dtype === tf.float16
        ? tf.cast(getter(name, { dtype: tf.float32, ...rest }), { dtype, name: name + "_cast" })
        : getter(name, { dtype, ...rest });
    const [w, y] = tf.variable_scope("mixed", { custom_getter: fp32_getter, dtype: tf.float16 }, () => {
      const w = tf.get_variable("w", [4, 3], { initializer: tf.constant_initializer(rnd(8, 4, 3)) });
      return [w, tf.matmul(tf.cast(tf.constant(rnd(3, 2, 4)), tf.float16), w)] as const;
    });
    const kernel = tf.trainable_variables()[0];
    show("getter", [w.name, w.dtype.name, kernel.name, kernel.dtype.base_dtype.name]);
    const loss = tf.reduce_mean(tf.cast(y, tf.float32).pow(2));
    const [scaled] = tf.gradients(loss.mul(128), tf.trainable_variables());
    const grad = (scaled as tf.Tensor).div(128);
    await using sess = new tf.Session();
    await sess.run(tf.global_variables_initializer());
    show("half", await sess.run([loss, grad]));
  }
  rmSync(folder, { recursive: true });
}
