// YOLOv3 in small: darknet blocks with fixed padding, anchors, decoding, the ignore mask in a while loop, NMS of every class: its twin in Python line by line.

import * as tf from "tensorloom/compat";
import { ints, range, rnd, type Show } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  tf.set_random_seed(3);
  const CLASSES = 3;
  const ANCHORS = [
    [6, 7],
    [9, 14],
    [16, 12],
    [3, 3],
    [4, 6],
    [7, 4],
  ];
  const IMG = [32, 32];
  const is_training = tf.placeholder(tf.bool, { name: "phase_train" });
  const image = tf.placeholder(tf.float32, [null, 32, 32, 3]);
  function _fixed_padding(inputs: tf.Tensor, kernel_size: number, { mode = "CONSTANT" } = {}) {
    const pad_total = kernel_size - 1;
    const pad_beg = Math.floor(pad_total / 2);
    const pad_end = pad_total - pad_beg;
    return tf.pad(
      inputs,
      [
        [0, 0],
        [pad_beg, pad_end],
        [pad_beg, pad_end],
        [0, 0],
      ],
      { mode },
    );
  }
  function conv2d(inputs: tf.Tensor, filters: number, kernel_size: number, strides = 1) {
    if (strides > 1) inputs = _fixed_padding(inputs, kernel_size);
    inputs = tf.layers.conv2d(inputs, filters, kernel_size, {
      strides,
      padding: strides === 1 ? "SAME" : "VALID",
      use_bias: false,
      kernel_regularizer: (w: tf.Variable) => tf.multiply(5e-4, tf.nn.l2_loss(w)),
    });
    inputs = tf.layers.batch_normalization(inputs, { momentum: 0.9, epsilon: 1e-5, training: is_training });
    return tf.nn.leaky_relu(inputs, { alpha: 0.1 });
  }
  function res_block(inputs: tf.Tensor, filters: number) {
    const shortcut = inputs;
    let net = conv2d(inputs, filters * 1, 1);
    net = conv2d(net, filters * 2, 3);
    return net.add(shortcut);
  }
  function upsample_layer(inputs: tf.Tensor, out_shape: (number | null)[]) {
    const [, new_height, new_width] = out_shape;
    return tf.image.resize_nearest_neighbor(inputs, [new_height, new_width], { name: "upsampled" });
  }
  function reorg_layer(feature_map: tf.Tensor, anchors: number[][]) {
    const grid_size = feature_map.get_shape().as_list().slice(1, 3) as number[];
    const ratio = tf.cast(tf.constant(IMG, tf.int32).div(grid_size), tf.float32);
    const rescaled_anchors = anchors.map(anchor => [tf.truediv(anchor[0], ratio[1]), tf.truediv(anchor[1], ratio[0])]);
    feature_map = tf.reshape(feature_map, [-1, grid_size[0], grid_size[1], 3, 5 + CLASSES]);
    let [box_centers, box_sizes, conf_logits, prob_logits] = tf.split(feature_map, [2, 2, 1, CLASSES], { axis: -1 });
    box_centers = tf.nn.sigmoid(box_centers);
    let grid_x = tf.range(grid_size[1], { dtype: tf.int32 });
    let grid_y = tf.range(grid_size[0], { dtype: tf.int32 });
    [grid_x, grid_y] = tf.meshgrid(grid_x, grid_y);
    const x_offset = tf.reshape(grid_x, [-1, 1]);
    const y_offset = tf.reshape(grid_y, [-1, 1]);
    let x_y_offset = tf.concat([x_offset, y_offset], { axis: -1 });
    x_y_offset = tf.cast(tf.reshape(x_y_offset, [grid_size[0], grid_size[1], 1, 2]), tf.float32);
    box_centers = box_centers.add(x_y_offset).mul(ratio.at([null, null, -1]));
    box_sizes = tf.exp(box_sizes).mul(rescaled_anchors);
    box_sizes = box_sizes.mul(ratio.at([null, null, -1]));
    const boxes = tf.concat([box_centers, box_sizes], { axis: -1 });
    return [x_y_offset, boxes, conf_logits, prob_logits];
  }
  function predict(feature_maps: tf.Tensor[]) {
    const pairs = [
      [feature_maps[0], ANCHORS.slice(0, 3)],
      [feature_maps[1], ANCHORS.slice(3, 6)],
    ] as const;
    const reorg_results = pairs.map(([f, a]) => reorg_layer(f, a));
    function _reshape(result: tf.Tensor[]) {
      const [x_y_offset, boxes, conf_logits, prob_logits] = result;
      const grid_size = x_y_offset.get_shape().as_list().slice(0, 2) as number[];
      const n = grid_size[0] * grid_size[1] * 3;
      return [tf.reshape(boxes, [-1, n, 4]), tf.reshape(conf_logits, [-1, n, 1]), tf.reshape(prob_logits, [-1, n, CLASSES])];
    }
    const boxes_list: tf.Tensor[] = [],
      confs_list: tf.Tensor[] = [],
      probs_list: tf.Tensor[] = [];
    for (const result of reorg_results) {
      const [boxes, conf_logits, prob_logits] = _reshape(result);
      boxes_list.push(boxes);
      confs_list.push(tf.sigmoid(conf_logits));
      probs_list.push(tf.sigmoid(prob_logits));
    }
    let boxes = tf.concat(boxes_list, { axis: 1 });
    const [center_x, center_y, width, height] = tf.split(boxes, [1, 1, 1, 1], { axis: -1 });
    boxes = tf.concat([center_x.sub(width.div(2)), center_y.sub(height.div(2)), center_x.add(width.div(2)), center_y.add(height.div(2))], {
      axis: -1,
    });
    return [boxes, tf.concat(confs_list, { axis: 1 }), tf.concat(probs_list, { axis: 1 })];
  }
  function box_iou(pred_boxes: tf.Tensor, valid_true_boxes: tf.Tensor) {
    let pred_box_xy = pred_boxes.at(tf.ellipsis, [0, 2]),
      pred_box_wh = pred_boxes.at(tf.ellipsis, [2, 4]);
    pred_box_xy = tf.expand_dims(pred_box_xy, -2);
    pred_box_wh = tf.expand_dims(pred_box_wh, -2);
    const true_box_xy = valid_true_boxes.at([], [0, 2]),
      true_box_wh = valid_true_boxes.at([], [2, 4]);
    const intersect_mins = tf.maximum(pred_box_xy.sub(pred_box_wh.div(2.0)), true_box_xy.sub(true_box_wh.div(2.0)));
    const intersect_maxs = tf.minimum(pred_box_xy.add(pred_box_wh.div(2.0)), true_box_xy.add(true_box_wh.div(2.0)));
    const intersect_wh = tf.maximum(intersect_maxs.sub(intersect_mins), 0.0);
    const intersect_area = intersect_wh.at(tf.ellipsis, 0).mul(intersect_wh.at(tf.ellipsis, 1));
    const pred_box_area = pred_box_wh.at(tf.ellipsis, 0).mul(pred_box_wh.at(tf.ellipsis, 1));
    const true_box_area = tf.expand_dims(true_box_wh.at(tf.ellipsis, 0).mul(true_box_wh.at(tf.ellipsis, 1)), { axis: 0 });
    return intersect_area.div(pred_box_area.add(true_box_area).sub(intersect_area).add(1e-10));
  }
  function loss_layer(feature_map_i: tf.Tensor, y_true: tf.Tensor, anchors: number[][]) {
    const grid_size = tf.shape(feature_map_i).at([1, 3]);
    const ratio = tf.cast(tf.constant(IMG, tf.int32).div(grid_size), tf.float32);
    const N = tf.cast(tf.shape(feature_map_i)[0], tf.float32);
    const [x_y_offset, pred_boxes, pred_conf_logits, pred_prob_logits] = reorg_layer(feature_map_i, anchors);
    const object_mask = y_true.at(tf.ellipsis, [4, 5]);
    const masks = new tf.TensorArray(tf.float32, { size: 0, dynamic_size: true });
    const loop_cond = (idx: tf.Tensor, _ignore_mask: tf.TensorArray) => tf.less(idx, tf.cast(N, tf.int32));
    function loop_body(idx: tf.Tensor, ignore_mask: tf.TensorArray) {
      const valid_true_boxes = tf.boolean_mask(y_true.at(idx, tf.ellipsis, [0, 4]), tf.cast(object_mask.at(idx, tf.ellipsis, 0), "bool"));
      const iou = box_iou(pred_boxes.at(idx), valid_true_boxes);
      const best_iou = tf.reduce_max(iou, { axis: -1 });
      const ignore_mask_tmp = tf.cast(best_iou.less(0.5), tf.float32);
      ignore_mask = ignore_mask.write(idx, ignore_mask_tmp);
      return [idx.add(1), ignore_mask];
    }
    const [, written] = tf.while_loop({ cond: loop_cond, body: loop_body, loop_vars: [tf.constant(0, tf.int32), masks] });
    let ignore_mask = written.stack();
    ignore_mask = tf.expand_dims(ignore_mask, -1);
    const true_xy = y_true
      .at(tf.ellipsis, [0, 2])
      .div(ratio.at([null, null, -1]))
      .sub(x_y_offset);
    const pred_xy = pred_boxes
      .at(tf.ellipsis, [0, 2])
      .div(ratio.at([null, null, -1]))
      .sub(x_y_offset);
    let true_tw_th = y_true.at(tf.ellipsis, [2, 4]).div(anchors);
    let pred_tw_th = pred_boxes.at(tf.ellipsis, [2, 4]).div(anchors);
    true_tw_th = tf.where({ condition: tf.equal(true_tw_th, 0), x: tf.ones_like(true_tw_th), y: true_tw_th });
    pred_tw_th = tf.where({ condition: tf.equal(pred_tw_th, 0), x: tf.ones_like(pred_tw_th), y: pred_tw_th });
    true_tw_th = tf.log(tf.clip_by_value(true_tw_th, 1e-9, 1e9));
    pred_tw_th = tf.log(tf.clip_by_value(pred_tw_th, 1e-9, 1e9));
    const box_loss_scale = tf.subtract(
      2.0,
      y_true
        .at(tf.ellipsis, [2, 3])
        .div(tf.cast(IMG[1], tf.float32))
        .mul(y_true.at(tf.ellipsis, [3, 4]).div(tf.cast(IMG[0], tf.float32))),
    );
    const xy_loss = tf.reduce_sum(tf.square(true_xy.sub(pred_xy)).mul(object_mask).mul(box_loss_scale)).div(N);
    const wh_loss = tf.reduce_sum(tf.square(true_tw_th.sub(pred_tw_th)).mul(object_mask).mul(box_loss_scale)).div(N);
    const conf_pos_mask = object_mask;
    const conf_neg_mask = tf.subtract(1, object_mask).mul(ignore_mask);
    const conf_loss_pos = conf_pos_mask.mul(tf.nn.sigmoid_cross_entropy_with_logits({ labels: object_mask, logits: pred_conf_logits }));
    const conf_loss_neg = conf_neg_mask.mul(tf.nn.sigmoid_cross_entropy_with_logits({ labels: object_mask, logits: pred_conf_logits }));
    let conf_loss = conf_loss_pos.add(conf_loss_neg);
    const alpha = 1.0,
      gamma = 2.0;
    const focal_mask = tf.multiply(alpha, tf.pow(tf.abs(object_mask.sub(tf.sigmoid(pred_conf_logits))), gamma));
    conf_loss = conf_loss.mul(focal_mask);
    conf_loss = tf.reduce_sum(conf_loss).div(N);
    const delta = 0.01;
    const label_target = tf.multiply(1 - delta, y_true.at(tf.ellipsis, [5, null])).add((delta * 1.0) / CLASSES);
    let class_loss = object_mask.mul(tf.nn.sigmoid_cross_entropy_with_logits({ labels: label_target, logits: pred_prob_logits }));
    class_loss = tf.reduce_sum(class_loss).div(N);
    return [xy_loss, wh_loss, conf_loss, class_loss];
  }
  function gpu_nms(boxes: tf.Tensor, scores: tf.Tensor, { max_boxes = 50, score_thresh = 0.5, nms_thresh = 0.5 } = {}) {
    const boxes_list: tf.Tensor[] = [],
      label_list: tf.Tensor[] = [],
      score_list: tf.Tensor[] = [];
    const max_output_size = tf.constant(max_boxes, { dtype: "int32" });
    boxes = tf.reshape(boxes, [-1, 4]);
    const score = tf.reshape(scores, [-1, CLASSES]);
    const mask = tf.greater_equal(score, tf.constant(score_thresh));
    for (const i of range(CLASSES)) {
      const filter_boxes = tf.boolean_mask(boxes, mask.at([], i));
      const filter_score = tf.boolean_mask(score.at([], i), mask.at([], i));
      const nms_indices = tf.image.non_max_suppression({
        boxes: filter_boxes,
        scores: filter_score,
        max_output_size,
        iou_threshold: nms_thresh,
        name: "nms_indices",
      });
      label_list.push(tf.ones_like(tf.gather(filter_score, nms_indices), "int32").mul(i));
      boxes_list.push(tf.gather(filter_boxes, nms_indices));
      score_list.push(tf.gather(filter_score, nms_indices));
    }
    return [tf.concat(boxes_list, { axis: 0 }), tf.concat(score_list, { axis: 0 }), tf.concat(label_list, { axis: 0 })];
  }
  const [feature_map_1, feature_map_2] = tf.variable_scope("yolov3", () => {
    const [route_1, route_2] = tf.variable_scope("darknet_body", () => {
      const net = conv2d(image, 6, 3, 2);
      const route_1 = conv2d(net, 8, 3, 2);
      return [route_1, res_block(conv2d(route_1, 12, 3, 2), 6)];
    });
    return tf.variable_scope("yolov3_head", () => {
      let feature_map_1 = tf.layers.conv2d(conv2d(route_2, 8, 3), 3 * (5 + CLASSES), 1, { bias_initializer: tf.zeros_initializer() });
      feature_map_1 = tf.identity(feature_map_1, { name: "feature_map_1" });
      let inter1 = conv2d(route_2, 6, 1);
      inter1 = upsample_layer(inter1, route_1.get_shape().as_list());
      const concat1 = tf.concat([inter1, route_1], { axis: 3 });
      return [feature_map_1, tf.layers.conv2d(conv2d(concat1, 8, 3), 3 * (5 + CLASSES), 1)];
    });
  });
  const y_true_1 = tf.placeholder(tf.float32, [null, 4, 4, 3, 5 + CLASSES]);
  const y_true_2 = tf.placeholder(tf.float32, [null, 8, 8, 3, 5 + CLASSES]);
  let losses: tf.TensorLike[] = [0, 0, 0, 0];
  for (const [fm, yt, an] of [
    [feature_map_1, y_true_1, ANCHORS.slice(0, 3)],
    [feature_map_2, y_true_2, ANCHORS.slice(3, 6)],
  ] as const) {
    const result = loss_layer(fm, yt, an);
    losses = losses.map((a, i) => tf.add(a, result[i]));
  }
  const l2_loss = tf.losses.get_regularization_loss();
  const total_loss = tf.add(
    losses.reduce((a, b) => tf.add(a, b), 0),
    l2_loss,
  );
  const [boxes, confs, probs] = predict([feature_map_1, feature_map_2]);
  const nms = gpu_nms(boxes, confs.mul(probs), { max_boxes: 5, score_thresh: 0.12, nms_thresh: 0.45 });
  const global_step = tf.Variable(tf.constant(0, tf.int32), { trainable: false, collections: [tf.GraphKeys.LOCAL_VARIABLES] });
  const learning_rate = tf.train.piecewise_constant(global_step, { boundaries: [2, 4], values: [1e-2, 5e-3, 1e-3] });
  const optimizer = tf.train.MomentumOptimizer(learning_rate, 0.9);
  const update_ops = tf.get_collection(tf.GraphKeys.UPDATE_OPS);
  const train_op = tf.control_dependencies(update_ops, () => {
    const gvs = optimizer.compute_gradients(total_loss);
    const clip_grad_var = gvs.map(gv => (gv[0] === null ? gv : ([tf.clip_by_norm(gv[0], 10.0), gv[1]] as const)));
    return optimizer.apply_gradients(clip_grad_var, { global_step });
  });
  function labels(seed: number, n: number, grid: number, anchors: number[][]) {
    const y = tf.NDArray.zeros("float32", [n, grid, grid, 3, 5 + CLASSES]);
    const cells = ints(seed, grid, n, 2, 2).toArray(),
      kinds = ints(seed + 1, 3, n, 2, 2).toArray(),
      at = rnd(seed + 2, n, 2, 4).toArray();
    for (const i of range(n))
      for (const j of range(2)) {
        const [cy, cx] = cells[i][j],
          [k, c] = kinds[i][j],
          [a, b, w, h] = at[i][j];
        const place = (((i * grid + cy) * grid + cx) * 3 + k) * (5 + CLASSES);
        const row = [(cx + a) * (32 / grid), (cy + b) * (32 / grid), anchors[k][0] * (0.7 + w * 0.6), anchors[k][1] * (0.7 + h * 0.6), 1];
        for (const [l, value] of row.entries()) y.set(place + l, value);
        y.set(place + 5 + c, 1);
      }
    return y;
  }
  show(
    "vars",
    tf.global_variables().map(v => v.op.name),
  );
  await using sess = new tf.Session();
  await sess.run([tf.global_variables_initializer(), tf.local_variables_initializer()]);
  const n = 2;
  for (const step of range(5)) {
    const feed = new Map<tf.Tensor, tf.FeedValue>([
      [is_training, true],
      [image, rnd(step, n, 32, 32, 3)],
      [y_true_1, labels(step * 7, n, 4, ANCHORS.slice(0, 3))],
      [y_true_2, labels(step * 7 + 3, n, 8, ANCHORS.slice(3, 6))],
    ]);
    const [, __loss, __total, __lr] = await sess.run([train_op, losses, total_loss, learning_rate], { feed_dict: feed });
    show("step", [__loss, __total, __lr]);
  }
  const feed = new Map<tf.Tensor, tf.FeedValue>([
    [is_training, false],
    [image, rnd(9, 1, 32, 32, 3)],
  ]);
  const [y_pred, [boxes_, scores_, labels_]] = await sess.run([[boxes, confs, probs], nms], feed);
  show("pred", y_pred);
  show("boxes", boxes_);
  show("scores", scores_);
  show("labels", labels_);
}
