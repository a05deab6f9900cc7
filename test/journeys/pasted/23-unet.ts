// U-Net: transposed convolutions, skips cropped and concatenated, weighted cross entropy, dice, streaming metrics, summaries of images: its twin in Python
// line by line.

import * as tf from "tensorloom/compat";
import { each, ints, range, rnd, type Show } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  tf.set_random_seed(100);
  function conv_conv_pool(
    input_: tf.Tensor,
    n_filters: number[],
    training: tf.Tensor,
    { name, pool = true, activation = tf.nn.relu }: { name: number; pool?: boolean; activation?: typeof tf.nn.relu },
  ) {
    let net = input_;
    return tf.variable_scope(`layer${name}`, () => {
      for (const [i, F] of n_filters.entries()) {
        net = tf.layers.conv2d(net, F, [3, 3], {
          activation: null,
          use_bias: false,
          padding: "same",
          kernel_initializer: tf.initializers.he_normal(),
          kernel_regularizer: (w: tf.Variable) => tf.multiply(tf.nn.l2_loss(w), 1e-3),
          name: `conv_${i + 1}`,
        });
        net = tf.layers.batch_normalization(net, { training, fused: i === 0, renorm: false, name: `bn_${i + 1}` });
        net = activation(net, { name: `relu${name}_${i + 1}` });
      }
      if (!pool) return [net];
      return [net, tf.layers.max_pooling2d(net, [2, 2], { strides: [2, 2], name: `pool_${name}` })];
    });
  }
  function upconv_concat(inputA: tf.Tensor, input_B: tf.Tensor, n_filter: number, name: number) {
    const up_conv = upconv_2D(inputA, n_filter, name);
    return tf.concat([up_conv, input_B], { axis: -1, name: `concat_${name}` });
  }
  function upconv_2D(tensor: tf.Tensor, n_filter: number, name: number) {
    return tf.layers.conv2d_transpose(tensor, { filters: n_filter, kernel_size: 2, strides: 2, name: `upsample_${name}` });
  }
  function crop_and_concat(x1: tf.Tensor, x2: tf.Tensor) {
    const x1_shape = tf.shape(x1),
      x2_shape = tf.shape(x2);
    const offsets = [0, x1_shape[1].sub(x2_shape[1]).floordiv(2), x1_shape[2].sub(x2_shape[2]).floordiv(2), 0];
    const size = [-1, x2_shape[1], x2_shape[2], -1];
    return tf.concat([tf.slice(x1, offsets, size), x2], 3);
  }
  function dice(logits: tf.Tensor, labels: tf.Tensor) {
    const eps = 1e-5;
    const prediction = tf.nn.softmax(logits);
    const intersection = tf.reduce_sum(prediction.mul(labels), { axis: [1, 2] });
    const union = tf.add(eps, tf.reduce_sum(prediction, { axis: [1, 2] })).add(tf.reduce_sum(labels, { axis: [1, 2] }));
    return tf.reduce_mean(tf.subtract(1.0, tf.multiply(2, intersection).div(union)));
  }
  const X = tf.placeholder(tf.float32, [null, null, null, 1], { name: "X" });
  const y = tf.placeholder(tf.uint8, [null, null, null], { name: "y" });
  const mode = tf.placeholder(tf.bool, { name: "mode" });
  const net = X.div(127.5).sub(1);
  const [conv1, pool1] = conv_conv_pool(net, [4, 4], mode, { name: 1 });
  const [conv2, pool2] = conv_conv_pool(pool1, [6, 6], mode, { name: 2 });
  const [conv3] = conv_conv_pool(pool2, [8], mode, { name: 3, pool: false });
  const up4 = upconv_concat(conv3, conv2, 6, 4);
  const [conv4] = conv_conv_pool(up4, [6], mode, { name: 4, pool: false });
  const up5 = tf.variable_scope("raw", () => {
    const w = tf.Variable(tf.truncated_normal([2, 2, 4, 6], { stddev: 0.2 }), { name: "w_d" });
    const in_shape = tf.shape(conv4);
    return tf.nn.relu(
      tf.nn
        .conv2d_transpose(conv4, w, tf.stack([in_shape[0], in_shape[1].mul(2), in_shape[2].mul(2), in_shape[3].floordiv(2).add(1)]), {
          strides: [1, 2, 2, 1],
          padding: "VALID",
        })
        .add(tf.Variable(tf.constant(0.1, { shape: [4] }))),
    );
  });
  const conv5 = crop_and_concat(conv1, up5);
  conv5.set_shape([null, null, null, 8]);
  const logits = tf.layers.conv2d(conv5, 3, [1, 1], { name: "final", activation: null, padding: "same" });
  const aux = tf.image.resize_bilinear(tf.layers.conv2d(conv3, 3, 1, { name: "aux" }), tf.shape(logits).at([1, 3]), {
    align_corners: true,
  });
  const onehot = tf.one_hot(tf.cast(y, tf.int32), 3);
  const flat_logits = tf.reshape(logits, [-1, 3]),
    flat_labels = tf.reshape(onehot, [-1, 3]);
  const class_weights = tf.constant(tf.NDArray.from([0.3, 1, 2], "float32"));
  const weight_map = tf.reduce_sum(tf.multiply(flat_labels, class_weights), { axis: 1 });
  const loss_map = tf.nn.softmax_cross_entropy_with_logits_v2({ logits: flat_logits, labels: flat_labels });
  const loss = tf
    .reduce_mean(tf.multiply(loss_map, weight_map))
    .add(dice(logits, onehot))
    .add(tf.multiply(0.4, tf.losses.softmax_cross_entropy(onehot, aux, { label_smoothing: 0.1 })));
  const reg = tf.add_n(tf.losses.get_regularization_losses());
  const pred = tf.argmax(logits, { axis: 3 });
  const [[iou, iou_op], [acc, acc_op], [pcc, pcc_op], [auc, auc_op], [rec, rec_op]] = tf.variable_scope("metrics", () => [
    tf.metrics.mean_iou({ labels: y, predictions: pred, num_classes: 3, name: "iou" }),
    tf.metrics.accuracy(y, pred, { weights: tf.cast(tf.not_equal(y, 0), tf.int32), name: "acc" }),
    tf.metrics.mean_per_class_accuracy(y, pred, 3, { name: "pcc" }),
    tf.metrics.auc(tf.equal(y, 1), tf.nn.softmax(logits).at(tf.ellipsis, 1), {
      num_thresholds: 20,
      summation_method: "careful_interpolation",
      name: "auc",
    }),
    tf.metrics.recall_at_thresholds(tf.equal(y, 2), tf.nn.softmax(logits).at(tf.ellipsis, 2), [0.3, 0.5], { name: "rec" }),
  ]);
  const running_vars = tf.get_collection(tf.GraphKeys.LOCAL_VARIABLES, { scope: "metrics" });
  const running_vars_initializer = tf.variables_initializer({ var_list: running_vars });
  const update_ops = tf.get_collection(tf.GraphKeys.UPDATE_OPS);
  const global_step = tf.train.get_or_create_global_step();
  const train_op = tf.control_dependencies(update_ops, () =>
    tf.train.AdamOptimizer(tf.train.polynomial_decay(0.01, global_step, 6, { power: 0.9 })).minimize(loss.add(reg), { global_step }),
  );
  const palette = tf.constant(
    [
      [0, 0, 0],
      [255, 0, 0],
      [0, 255, 0],
    ],
    tf.uint8,
  );
  tf.summary.image("mask", tf.gather(palette, pred), { max_outputs: 1 });
  tf.summary.image("input", tf.concat([X, X], 2), { max_outputs: 2 });
  tf.summary.histogram("logits", logits);
  tf.summary.scalar("loss/total", loss);
  const merged = tf.summary.merge_all();
  show(
    "names",
    tf
      .get_default_graph()
      .get_operations()
      .filter(op => ["Conv2DBackpropInput", "FusedBatchNormV3"].includes(op.type))
      .map(op => op.name)
      .slice(0, 12),
  );
  show(
    "running",
    running_vars.map(v => v.name),
  );
  await using sess = new tf.Session();
  await sess.run(tf.global_variables_initializer());
  let xs!: tf.NDArray, ys!: tf.NDArray;
  for (const epoch of range(2)) {
    await sess.run(running_vars_initializer);
    for (const it of range(4)) {
      xs = each(rnd(epoch * 9 + it, 2, 8, 8, 1), v => v * 255);
      ys = ints(epoch * 5 + it, 3, 2, 8, 8).cast("uint8");
      const [, l, step] = await sess.run([train_op, loss, global_step, iou_op, [acc_op, pcc_op, auc_op, rec_op]], {
        feed_dict: new Map<tf.Tensor, tf.FeedValue>([
          [X, xs],
          [y, ys],
          [mode, true],
        ]),
      });
      show("loss", [l, step]);
    }
    show("metrics", await sess.run([iou, acc, pcc, auc, rec]));
  }
  show("confusion", await sess.run(running_vars[0]));
  const feed = new Map<tf.Tensor, tf.FeedValue>([
    [X, xs],
    [y, ys],
    [mode, false],
  ]);
  const text = await sess.run(merged, feed);
  const summary = tf.Summary.FromString(text);
  for (const value of summary.value) {
    show("tag", value.tag);
    if (value.HasField("image")) {
      show("size", [value.image!.height, value.image!.width, value.image!.colorspace]);
      show("pixels", await sess.run(tf.image.decode_png(value.image!.encoded_image_string)));
    }
  }
  show("out", await sess.run(logits, feed));
}
