"""Faster R-CNN and SSD in parts: anchors, proposals, crop_and_resize with pooling, map_fn over images, targets by IoU, hard negatives by top_k, combined NMS."""
from recording import *
tf.set_random_seed(12)
def generate_anchors(height, width, feat_stride, scales=(1., 2.), ratios=(0.5, 1.)):
    shift_x = tf.range(width) * feat_stride
    shift_y = tf.range(height) * feat_stride
    shift_x, shift_y = tf.meshgrid(shift_x, shift_y)
    sx = tf.reshape(shift_x, shape=(-1,))
    sy = tf.reshape(shift_y, shape=(-1,))
    shifts = tf.transpose(tf.stack([sx, sy, sx, sy]))
    K = tf.multiply(width, height)
    shifts = tf.transpose(tf.reshape(shifts, shape=[1, K, 4]), perm=(1, 0, 2))
    base = np.array([[-s * 4 * np.sqrt(r), -s * 4 / np.sqrt(r), s * 4 * np.sqrt(r), s * 4 / np.sqrt(r)] for r in ratios for s in scales])
    A = base.shape[0]
    anchor_constant = tf.constant(base.reshape((1, A, 4)), dtype=tf.int32)
    length = K * A
    anchors_tf = tf.reshape(tf.add(anchor_constant, shifts), shape=(length, 4))
    return tf.cast(anchors_tf, dtype=tf.float32), length
def bbox_transform_inv(boxes, deltas):
    boxes = tf.cast(boxes, deltas.dtype)
    widths = tf.subtract(boxes[:, 2], boxes[:, 0]) + 1.0
    heights = tf.subtract(boxes[:, 3], boxes[:, 1]) + 1.0
    ctr_x = tf.add(boxes[:, 0], widths * 0.5)
    ctr_y = tf.add(boxes[:, 1], heights * 0.5)
    dx, dy, dw, dh = deltas[:, 0], deltas[:, 1], deltas[:, 2], deltas[:, 3]
    pred_ctr_x = tf.add(tf.multiply(dx, widths), ctr_x)
    pred_ctr_y = tf.add(tf.multiply(dy, heights), ctr_y)
    pred_w = tf.multiply(tf.exp(dw), widths)
    pred_h = tf.multiply(tf.exp(dh), heights)
    return tf.stack([pred_ctr_x - pred_w * 0.5, pred_ctr_y - pred_h * 0.5, pred_ctr_x + pred_w * 0.5, pred_ctr_y + pred_h * 0.5], axis=1)
def clip_boxes(boxes, im_info):
    b0 = tf.maximum(tf.minimum(boxes[:, 0], im_info[1] - 1), 0)
    b1 = tf.maximum(tf.minimum(boxes[:, 1], im_info[0] - 1), 0)
    b2 = tf.maximum(tf.minimum(boxes[:, 2], im_info[1] - 1), 0)
    b3 = tf.maximum(tf.minimum(boxes[:, 3], im_info[0] - 1), 0)
    return tf.stack([b0, b1, b2, b3], axis=1)
def overlaps(boxes, gt):
    b1 = tf.expand_dims(boxes, 1)
    b2 = tf.expand_dims(gt, 0)
    lt = tf.maximum(b1[..., :2], b2[..., :2])
    rb = tf.minimum(b1[..., 2:], b2[..., 2:])
    inter = tf.reduce_prod(tf.maximum(rb - lt, 0.), axis=-1)
    area = lambda b: (b[..., 2] - b[..., 0]) * (b[..., 3] - b[..., 1])
    return inter / (area(b1) + area(b2) - inter)
class Network(object):
    def __init__(self):
        self._losses, self._predictions = {}, {}
        self._image = tf.placeholder(tf.float32, shape=[1, None, None, 3])
        self._im_info = tf.placeholder(tf.float32, shape=[3])
        self._gt_boxes = tf.placeholder(tf.float32, shape=[None, 5])
    def _smooth_l1_loss(self, bbox_pred, bbox_targets, inside, sigma=1.0, dim=[1]):
        sigma_2 = sigma ** 2
        in_box_diff = inside * (bbox_pred - bbox_targets)
        abs_in_box_diff = tf.abs(in_box_diff)
        smoothL1_sign = tf.stop_gradient(tf.to_float(tf.less(abs_in_box_diff, 1. / sigma_2)))
        in_loss_box = tf.pow(in_box_diff, 2) * (sigma_2 / 2.) * smoothL1_sign + (abs_in_box_diff - (0.5 / sigma_2)) * (1. - smoothL1_sign)
        return tf.reduce_mean(tf.reduce_sum(in_loss_box, axis=dim))
    def _crop_pool_layer(self, bottom, rois, name):
        with tf.variable_scope(name) as scope:
            batch_ids = tf.squeeze(tf.slice(rois, [0, 0], [-1, 1], name="batch_id"), [1])
            bottom_shape = tf.shape(bottom)
            height = (tf.to_float(bottom_shape[1]) - 1.) * np.float32(4)
            width = (tf.to_float(bottom_shape[2]) - 1.) * np.float32(4)
            x1 = tf.slice(rois, [0, 1], [-1, 1], name="x1") / width
            y1 = tf.slice(rois, [0, 2], [-1, 1], name="y1") / height
            x2 = tf.slice(rois, [0, 3], [-1, 1], name="x2") / width
            y2 = tf.slice(rois, [0, 4], [-1, 1], name="y2") / height
            bboxes = tf.stop_gradient(tf.concat([y1, x1, y2, x2], axis=1))
            pre_pool_size = 3 * 2
            crops = tf.image.crop_and_resize(bottom, bboxes, tf.to_int32(batch_ids), [pre_pool_size, pre_pool_size], name="crops")
        return tf.layers.max_pooling2d(crops, [2, 2], [2, 2], padding='SAME')
    def build(self):
        with tf.variable_scope('net', initializer=tf.random_normal_initializer(mean=0.0, stddev=0.2)):
            net = tf.layers.conv2d(self._image, 6, [3, 3], strides=2, padding='SAME', activation=tf.nn.relu, name='conv1')
            net = tf.layers.conv2d(net, 8, [3, 3], strides=2, padding='SAME', activation=tf.nn.relu6, name='conv2')
            height = tf.to_int32(tf.ceil(self._im_info[0] / np.float32(4)))
            width = tf.to_int32(tf.ceil(self._im_info[1] / np.float32(4)))
            anchors, length = generate_anchors(height, width, 4)
            anchors.set_shape([None, 4]); length.set_shape([])
            rpn_cls_score = tf.layers.conv2d(net, 8, [1, 1], name='rpn_cls_score')
            rpn_bbox_pred = tf.layers.conv2d(net, 16, [1, 1], name='rpn_bbox_pred')
            scores = tf.nn.softmax(tf.reshape(rpn_cls_score, [-1, 2]))[:, 1]
            deltas = tf.reshape(rpn_bbox_pred, (-1, 4))
            proposals = clip_boxes(bbox_transform_inv(anchors, deltas), self._im_info)
            indices = tf.image.non_max_suppression(proposals, scores, max_output_size=12, iou_threshold=0.7)
            boxes = tf.to_float(tf.gather(proposals, indices))
            scores = tf.reshape(tf.gather(scores, indices), shape=(-1, 1))
            rois = tf.stop_gradient(tf.concat([tf.zeros((tf.shape(indices)[0], 1), dtype=tf.float32), boxes], 1))
            iou = overlaps(anchors, self._gt_boxes[:, :4])
            best = tf.reduce_max(iou, axis=1)
            labels = tf.where(best > 0.35, tf.ones_like(best, dtype=tf.int32), tf.where(best < 0.2, tf.zeros_like(best, dtype=tf.int32), -tf.ones_like(best, dtype=tf.int32)))
            select = tf.where(tf.not_equal(labels, -1))
            rpn_label = tf.reshape(tf.gather(labels, select), [-1])
            score = tf.reshape(tf.gather(tf.reshape(rpn_cls_score, [-1, 2]), select), [-1, 2])
            ce = tf.nn.sparse_softmax_cross_entropy_with_logits(logits=score, labels=rpn_label)
            pmask = tf.cast(rpn_label, tf.bool)
            n_positives = tf.reduce_sum(tf.cast(pmask, tf.int32))
            nvalues = tf.where(pmask, tf.zeros_like(ce), ce)
            max_neg_entries = tf.cast(tf.reduce_sum(1 - rpn_label), tf.int32)
            n_neg = tf.minimum(3 * n_positives + 4, max_neg_entries)
            val, idxes = tf.nn.top_k(nvalues, k=n_neg)
            max_hard = val[-1]
            nmask = tf.cast(tf.logical_and(tf.logical_not(pmask), nvalues >= max_hard), tf.float32)
            self._losses['rpn_cross_entropy'] = tf.div(tf.reduce_sum(ce * (tf.cast(pmask, tf.float32) + nmask)), tf.cast(n_positives + 1, tf.float32))
            target = tf.gather(self._gt_boxes[:, :4], tf.argmax(iou, axis=1))
            inside = tf.expand_dims(tf.cast(tf.equal(labels, 1), tf.float32), 1)
            self._losses['rpn_loss_box'] = self._smooth_l1_loss(bbox_transform_inv(anchors, deltas), target, inside, sigma=3.0)
            pool5 = self._crop_pool_layer(net, rois, "pool5")
            fc = tf.layers.dense(tf.layers.flatten(tf.reshape(pool5, [-1, 3, 3, 8])), 10, activation=tf.nn.relu)
            cls_score = tf.layers.dense(fc, 4, name='cls_score')
            riou = overlaps(boxes, self._gt_boxes[:, :4])
            rlabel = tf.where(tf.reduce_max(riou, 1) > 0.3, tf.to_int32(tf.gather(self._gt_boxes[:, 4], tf.argmax(riou, 1))), tf.zeros([tf.shape(boxes)[0]], tf.int32))
            self._losses['cross_entropy'] = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(logits=cls_score, labels=rlabel))
            loss = self._losses['cross_entropy'] + self._losses['rpn_cross_entropy'] + self._losses['rpn_loss_box']
            self._losses['total_loss'] = loss
            cls_prob = tf.nn.softmax(cls_score, name="cls_prob")
            nb, ns, nc, valid = tf.image.combined_non_max_suppression(tf.reshape(boxes / 32., [1, -1, 1, 4]), tf.expand_dims(cls_prob, 0), max_output_size_per_class=3, max_total_size=6, iou_threshold=0.5, score_threshold=0.1)
            self._predictions.update(rois=rois, cls_prob=cls_prob, scores=scores, nb=nb, ns=ns, nc=nc, valid=valid, labels=labels)
            return loss
net = Network()
loss = net.build()
lr = tf.Variable(0.01, trainable=False)
optimizer = tf.train.MomentumOptimizer(lr, 0.9)
gvs = optimizer.compute_gradients(loss)
final_gvs = []
with tf.variable_scope('Gradient_Mult') as scope:
    for grad, var in gvs:
        scale = 1.
        if '/bias' in var.name:
            scale *= 2.
        if not np.allclose(scale, 1.0):
            grad = tf.multiply(grad, scale)
        final_gvs.append((grad, var))
train_op = optimizer.apply_gradients(final_gvs)
def select_by_image(args):
    boxes, scores = args
    keep = tf.image.non_max_suppression(boxes, scores, 3, 0.5)
    pad = tf.maximum(3 - tf.shape(keep)[0], 0)
    return tf.pad(tf.gather(scores, keep), [[0, pad]]), tf.pad(keep, [[0, pad]], constant_values=-1)
many_boxes = tf.placeholder(tf.float32, [None, 7, 4])
many_scores = tf.placeholder(tf.float32, [None, 7])
picked = tf.map_fn(select_by_image, (many_boxes, many_scores), dtype=(tf.float32, tf.int32))
padded, valid = tf.image.non_max_suppression_padded(many_boxes[0], many_scores[0], 5, iou_threshold=0.4, pad_to_max_output_size=True)
with tf.Session(config=tf.ConfigProto(allow_soft_placement=True)) as sess:
    sess.run(tf.global_variables_initializer())
    for step in range(4):
        size = (32, 24) if step % 2 == 0 else (24, 32)
        corner = ints(step + 3, 10, 2, 2).astype(np.float32)
        gt = np.concatenate([corner, corner + 6 + ints(step + 4, 6, 2, 2), ints(step + 5, 3, 2, 1) + 1.], 1).astype(np.float32)
        feed_dict = {net._image: rnd(step, 1, size[0], size[1], 3), net._im_info: [size[0], size[1], 1.], net._gt_boxes: gt}
        if step == 2:
            sess.run(tf.assign(lr, 0.001))
        rpn_loss_cls, rpn_loss_box, loss_cls, total, _ = sess.run([net._losses["rpn_cross_entropy"], net._losses['rpn_loss_box'], net._losses['cross_entropy'], net._losses['total_loss'], train_op], feed_dict=feed_dict)
        show("losses", [rpn_loss_cls, rpn_loss_box, loss_cls, total])
    out = sess.run(net._predictions, feed_dict)
    for key in sorted(out):
        show(key, out[key])
    show("picked", sess.run(picked, {many_boxes: np.sort(rnd(8, 3, 7, 2, 2), 2).reshape(3, 7, 4), many_scores: rnd(9, 3, 7)}))
    show("padded", sess.run([padded, valid], {many_boxes: np.sort(rnd(8, 1, 7, 2, 2), 2).reshape(1, 7, 4), many_scores: rnd(9, 1, 7)}))
