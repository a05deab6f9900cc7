// Faster R-CNN and SSD in parts: anchors, proposals, crop_and_resize with pooling, map_fn over images, targets by IoU, hard negatives by top_k,
// combined NMS: its twin in Python line by line.

import * as tf from "tensorloom/compat";
import { ints, range, rnd, type Show } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  tf.set_random_seed(12);
  function generate_anchors(height: tf.Tensor, width: tf.Tensor, feat_stride: number, scales = [1, 2], ratios = [0.5, 1]) {
    let shift_x = tf.range(width).mul(feat_stride);
    let shift_y = tf.range(height).mul(feat_stride);
    [shift_x, shift_y] = tf.meshgrid(shift_x, shift_y);
    const sx = tf.reshape(shift_x, { shape: [-1] });
    const sy = tf.reshape(shift_y, { shape: [-1] });
    let shifts = tf.transpose(tf.stack([sx, sy, sx, sy]));
    const K = tf.multiply(width, height);
    shifts = tf.transpose(tf.reshape(shifts, { shape: [1, K, 4] }), { perm: [1, 0, 2] });
    const base = ratios.flatMap(r =>
      scales.map(s => [-s * 4 * Math.sqrt(r), (-s * 4) / Math.sqrt(r), s * 4 * Math.sqrt(r), (s * 4) / Math.sqrt(r)]),
    );
    const A = base.length;
    const anchor_constant = tf.constant([base.map(box => box.map(Math.trunc))], { dtype: tf.int32 });
    const length = K.mul(A);
    const anchors_tf = tf.reshape(tf.add(anchor_constant, shifts), { shape: [length, 4] });
    return [tf.cast(anchors_tf, { dtype: tf.float32 }), length];
  }
  function bbox_transform_inv(boxes: tf.Tensor, deltas: tf.Tensor) {
    boxes = tf.cast(boxes, deltas.dtype);
    const widths = tf.subtract(boxes.at([], 2), boxes.at([], 0)).add(1.0);
    const heights = tf.subtract(boxes.at([], 3), boxes.at([], 1)).add(1.0);
    const ctr_x = tf.add(boxes.at([], 0), widths.mul(0.5));
    const ctr_y = tf.add(boxes.at([], 1), heights.mul(0.5));
    const [dx, dy, dw, dh] = range(4).map(i => deltas.at([], i));
    const pred_ctr_x = tf.add(tf.multiply(dx, widths), ctr_x);
    const pred_ctr_y = tf.add(tf.multiply(dy, heights), ctr_y);
    const pred_w = tf.multiply(tf.exp(dw), widths);
    const pred_h = tf.multiply(tf.exp(dh), heights);
    return tf.stack(
      [pred_ctr_x.sub(pred_w.mul(0.5)), pred_ctr_y.sub(pred_h.mul(0.5)), pred_ctr_x.add(pred_w.mul(0.5)), pred_ctr_y.add(pred_h.mul(0.5))],
      { axis: 1 },
    );
  }
  function clip_boxes(boxes: tf.Tensor, im_info: tf.Tensor) {
    const b0 = tf.maximum(tf.minimum(boxes.at([], 0), im_info[1].sub(1)), 0);
    const b1 = tf.maximum(tf.minimum(boxes.at([], 1), im_info[0].sub(1)), 0);
    const b2 = tf.maximum(tf.minimum(boxes.at([], 2), im_info[1].sub(1)), 0);
    const b3 = tf.maximum(tf.minimum(boxes.at([], 3), im_info[0].sub(1)), 0);
    return tf.stack([b0, b1, b2, b3], { axis: 1 });
  }
  function overlaps(boxes: tf.Tensor, gt: tf.Tensor) {
    const b1 = tf.expand_dims(boxes, 1);
    const b2 = tf.expand_dims(gt, 0);
    const lt = tf.maximum(b1.at(tf.ellipsis, [null, 2]), b2.at(tf.ellipsis, [null, 2]));
    const rb = tf.minimum(b1.at(tf.ellipsis, [2, null]), b2.at(tf.ellipsis, [2, null]));
    const inter = tf.reduce_prod(tf.maximum(rb.sub(lt), 0.0), { axis: -1 });
    const area = (b: tf.Tensor) =>
      b
        .at(tf.ellipsis, 2)
        .sub(b.at(tf.ellipsis, 0))
        .mul(b.at(tf.ellipsis, 3).sub(b.at(tf.ellipsis, 1)));
    return inter.div(area(b1).add(area(b2)).sub(inter));
  }
  class Network {
    _losses: Record<string, tf.Tensor> = {};
    _predictions: Record<string, tf.Tensor> = {};
    _image = tf.placeholder(tf.float32, { shape: [1, null, null, 3] });
    _im_info = tf.placeholder(tf.float32, { shape: [3] });
    _gt_boxes = tf.placeholder(tf.float32, { shape: [null, 5] });
    _smooth_l1_loss(bbox_pred: tf.Tensor, bbox_targets: tf.Tensor, inside: tf.Tensor, { sigma = 1.0, dim = [1] } = {}) {
      const sigma_2 = sigma ** 2;
      const in_box_diff = inside.mul(bbox_pred.sub(bbox_targets));
      const abs_in_box_diff = tf.abs(in_box_diff);
      const smoothL1_sign = tf.stop_gradient(tf.to_float(tf.less(abs_in_box_diff, 1.0 / sigma_2)));
      const in_loss_box = tf
        .pow(in_box_diff, 2)
        .mul(sigma_2 / 2.0)
        .mul(smoothL1_sign)
        .add(abs_in_box_diff.sub(0.5 / sigma_2).mul(tf.subtract(1.0, smoothL1_sign)));
      return tf.reduce_mean(tf.reduce_sum(in_loss_box, { axis: dim }));
    }
    _crop_pool_layer(bottom: tf.Tensor, rois: tf.Tensor, name: string) {
      const crops = tf.variable_scope(name, () => {
        const batch_ids = tf.squeeze(tf.slice(rois, [0, 0], [-1, 1], { name: "batch_id" }), [1]);
        const bottom_shape = tf.shape(bottom);
        const height = tf.to_float(bottom_shape[1]).sub(1.0).mul(4);
        const width = tf.to_float(bottom_shape[2]).sub(1.0).mul(4);
        const x1 = tf.slice(rois, [0, 1], [-1, 1], { name: "x1" }).div(width);
        const y1 = tf.slice(rois, [0, 2], [-1, 1], { name: "y1" }).div(height);
        const x2 = tf.slice(rois, [0, 3], [-1, 1], { name: "x2" }).div(width);
        const y2 = tf.slice(rois, [0, 4], [-1, 1], { name: "y2" }).div(height);
        const bboxes = tf.stop_gradient(tf.concat([y1, x1, y2, x2], { axis: 1 }));
        const pre_pool_size = 3 * 2;
        return tf.image.crop_and_resize(bottom, bboxes, tf.to_int32(batch_ids), [pre_pool_size, pre_pool_size], { name: "crops" });
      });
      return tf.layers.max_pooling2d(crops, [2, 2], [2, 2], { padding: "SAME" });
    }
    build() {
      return tf.variable_scope("net", { initializer: tf.random_normal_initializer({ mean: 0.0, stddev: 0.2 }) }, () => {
        let net = tf.layers.conv2d(this._image, 6, [3, 3], { strides: 2, padding: "SAME", activation: tf.nn.relu, name: "conv1" });
        net = tf.layers.conv2d(net, 8, [3, 3], { strides: 2, padding: "SAME", activation: tf.nn.relu6, name: "conv2" });
        const height = tf.to_int32(tf.ceil(this._im_info[0].div(4)));
        const width = tf.to_int32(tf.ceil(this._im_info[1].div(4)));
        const [anchors, length] = generate_anchors(height, width, 4);
        anchors.set_shape([null, 4]);
        length.set_shape([]);
        const rpn_cls_score = tf.layers.conv2d(net, 8, [1, 1], { name: "rpn_cls_score" });
        const rpn_bbox_pred = tf.layers.conv2d(net, 16, [1, 1], { name: "rpn_bbox_pred" });
        let scores = tf.nn.softmax(tf.reshape(rpn_cls_score, [-1, 2])).at([], 1);
        const deltas = tf.reshape(rpn_bbox_pred, [-1, 4]);
        const proposals = clip_boxes(bbox_transform_inv(anchors, deltas), this._im_info);
        const indices = tf.image.non_max_suppression(proposals, scores, { max_output_size: 12, iou_threshold: 0.7 });
        const boxes = tf.to_float(tf.gather(proposals, indices));
        scores = tf.reshape(tf.gather(scores, indices), { shape: [-1, 1] });
        const rois = tf.stop_gradient(tf.concat([tf.zeros([tf.shape(indices)[0], 1], { dtype: tf.float32 }), boxes], 1));
        const iou = overlaps(anchors, this._gt_boxes.at([], [null, 4]));
        const best = tf.reduce_max(iou, { axis: 1 });
        const labels = tf.where(
          best.greater(0.35),
          tf.ones_like(best, { dtype: tf.int32 }),
          tf.where(best.less(0.2), tf.zeros_like(best, { dtype: tf.int32 }), tf.ones_like(best, { dtype: tf.int32 }).neg()),
        );
        const select = tf.where(tf.not_equal(labels, -1));
        const rpn_label = tf.reshape(tf.gather(labels, select), [-1]);
        const score = tf.reshape(tf.gather(tf.reshape(rpn_cls_score, [-1, 2]), select), [-1, 2]);
        const ce = tf.nn.sparse_softmax_cross_entropy_with_logits({ logits: score, labels: rpn_label });
        const pmask = tf.cast(rpn_label, tf.bool);
        const n_positives = tf.reduce_sum(tf.cast(pmask, tf.int32));
        const nvalues = tf.where(pmask, tf.zeros_like(ce), ce);
        const max_neg_entries = tf.cast(tf.reduce_sum(tf.subtract(1, rpn_label)), tf.int32);
        const n_neg = tf.minimum(tf.multiply(3, n_positives).add(4), max_neg_entries);
        const [val] = tf.nn.top_k(nvalues, { k: n_neg });
        const max_hard = val[-1];
        const nmask = tf.cast(tf.logical_and(tf.logical_not(pmask), nvalues.greater_equal(max_hard)), tf.float32);
        this._losses["rpn_cross_entropy"] = tf.div(
          tf.reduce_sum(ce.mul(tf.cast(pmask, tf.float32).add(nmask))),
          tf.cast(n_positives.add(1), tf.float32),
        );
        const target = tf.gather(this._gt_boxes.at([], [null, 4]), tf.argmax(iou, { axis: 1 }));
        const inside = tf.expand_dims(tf.cast(tf.equal(labels, 1), tf.float32), 1);
        this._losses["rpn_loss_box"] = this._smooth_l1_loss(bbox_transform_inv(anchors, deltas), target, inside, { sigma: 3.0 });
        const pool5 = this._crop_pool_layer(net, rois, "pool5");
        const fc = tf.layers.dense(tf.layers.flatten(tf.reshape(pool5, [-1, 3, 3, 8])), 10, { activation: tf.nn.relu });
        const cls_score = tf.layers.dense(fc, 4, { name: "cls_score" });
        const riou = overlaps(boxes, this._gt_boxes.at([], [null, 4]));
        const rlabel = tf.where(
          tf.reduce_max(riou, 1).greater(0.3),
          tf.to_int32(tf.gather(this._gt_boxes.at([], 4), tf.argmax(riou, 1))),
          tf.zeros([tf.shape(boxes)[0]], tf.int32),
        );
        this._losses["cross_entropy"] = tf.reduce_mean(
          tf.nn.sparse_softmax_cross_entropy_with_logits({ logits: cls_score, labels: rlabel }),
        );
        const loss = this._losses["cross_entropy"].add(this._losses["rpn_cross_entropy"]).add(this._losses["rpn_loss_box"]);
        this._losses["total_loss"] = loss;
        const cls_prob = tf.nn.softmax(cls_score, { name: "cls_prob" });
        const [nb, ns, nc, valid] = tf.image.combined_non_max_suppression(
          tf.reshape(boxes.div(32.0), [1, -1, 1, 4]),
          tf.expand_dims(cls_prob, 0),
          { max_output_size_per_class: 3, max_total_size: 6, iou_threshold: 0.5, score_threshold: 0.1 },
        );
        Object.assign(this._predictions, { rois, cls_prob, scores, nb, ns, nc, valid, labels });
        return loss;
      });
    }
  }
  const net = new Network();
  const loss = net.build();
  const lr = tf.Variable(0.01, { trainable: false });
  const optimizer = tf.train.MomentumOptimizer(lr, 0.9);
  const gvs = optimizer.compute_gradients(loss);
  const final_gvs: (readonly [tf.Tensor, tf.Variable])[] = [];
  tf.variable_scope("Gradient_Mult", () => {
    for (const [g, v] of gvs) {
      let grad = g as tf.Tensor;
      let scale = 1.0;
      if (v.name.includes("/bias")) scale *= 2.0;
      if (scale !== 1.0) grad = tf.multiply(grad, scale);
      final_gvs.push([grad, v]);
    }
  });
  const train_op = optimizer.apply_gradients(final_gvs);
  function select_by_image([boxes, scores]: [tf.Tensor, tf.Tensor]) {
    const keep = tf.image.non_max_suppression(boxes, scores, 3, 0.5);
    const pad = tf.maximum(tf.subtract(3, tf.shape(keep)[0]), 0);
    return [tf.pad(tf.gather(scores, keep), [[0, pad]]), tf.pad(keep, [[0, pad]], { constant_values: -1 })];
  }
  const many_boxes = tf.placeholder(tf.float32, [null, 7, 4]);
  const many_scores = tf.placeholder(tf.float32, [null, 7]);
  const picked = tf.map_fn(select_by_image, [many_boxes, many_scores], { dtype: [tf.float32, tf.int32] });
  const [padded, valid] = tf.image.non_max_suppression_padded(many_boxes[0], many_scores[0], 5, {
    iou_threshold: 0.4,
    pad_to_max_output_size: true,
  });
  await using sess = new tf.Session({ config: tf.ConfigProto({ allow_soft_placement: true }) });
  await sess.run(tf.global_variables_initializer());
  let feed_dict!: Map<tf.Tensor, tf.FeedValue>;
  for (const step of range(4)) {
    const size = step % 2 === 0 ? [32, 24] : [24, 32];
    const corner = ints(step + 3, 10, 2, 2).toArray(),
      extent = ints(step + 4, 6, 2, 2).toArray(),
      kind = ints(step + 5, 3, 2, 1).toArray();
    const gt = range(2).map(i => [...corner[i], ...range(2).map(j => corner[i][j] + 6 + extent[i][j]), kind[i][0] + 1]);
    feed_dict = new Map<tf.Tensor, tf.FeedValue>([
      [net._image, rnd(step, 1, size[0], size[1], 3)],
      [net._im_info, [size[0], size[1], 1.0]],
      [net._gt_boxes, gt],
    ]);
    if (step === 2) await sess.run(tf.assign(lr, 0.001));
    const { rpn_cross_entropy, rpn_loss_box, cross_entropy, total_loss } = net._losses;
    const [rpn_loss_cls, rpn_box, loss_cls, total] = await sess.run(
      [rpn_cross_entropy, rpn_loss_box, cross_entropy, total_loss, train_op],
      { feed_dict },
    );
    show("losses", [rpn_loss_cls, rpn_box, loss_cls, total]);
  }
  const out = await sess.run(net._predictions, feed_dict);
  for (const key of Object.keys(out).sort()) show(key, out[key]);
  /** np.sort(rnd(seed, n, 7, 2, 2), 2) as boxes. */
  const boxes_of = (n: number) =>
    (rnd(8, n, 7, 2, 2).toArray() as number[][][][]).map(image =>
      image.map(([[a, b], [c, d]]) => [Math.min(a, c), Math.min(b, d), Math.max(a, c), Math.max(b, d)]),
    );
  const feeds = (n: number) =>
    new Map<tf.Tensor, tf.FeedValue>([
      [many_boxes, boxes_of(n)],
      [many_scores, rnd(9, n, 7)],
    ]);
  show("picked", await sess.run(picked, feeds(3)));
  show("padded", await sess.run([padded, valid], feeds(1)));
}
