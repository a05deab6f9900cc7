"""YOLOv3 in small: darknet blocks with fixed padding, anchors, decoding, the ignore mask in a while loop, NMS of every class."""
from recording import *
tf.set_random_seed(3)
CLASSES = 3
ANCHORS = np.array([[6, 7], [9, 14], [16, 12], [3, 3], [4, 6], [7, 4]], np.float32)
IMG = [32, 32]
is_training = tf.placeholder(tf.bool, name="phase_train")
image = tf.placeholder(tf.float32, [None, 32, 32, 3])
def _fixed_padding(inputs, kernel_size, *args, mode='CONSTANT', **kwargs):
    pad_total = kernel_size - 1
    pad_beg = pad_total // 2
    pad_end = pad_total - pad_beg
    return tf.pad(inputs, [[0, 0], [pad_beg, pad_end], [pad_beg, pad_end], [0, 0]], mode=mode)
def conv2d(inputs, filters, kernel_size, strides=1):
    if strides > 1:
        inputs = _fixed_padding(inputs, kernel_size)
    inputs = tf.layers.conv2d(inputs, filters, kernel_size, strides=strides, padding=('SAME' if strides == 1 else 'VALID'), use_bias=False,
                              kernel_regularizer=lambda w: 5e-4 * tf.nn.l2_loss(w))
    inputs = tf.layers.batch_normalization(inputs, momentum=0.9, epsilon=1e-5, training=is_training)
    return tf.nn.leaky_relu(inputs, alpha=0.1)
def res_block(inputs, filters):
    shortcut = inputs
    net = conv2d(inputs, filters * 1, 1)
    net = conv2d(net, filters * 2, 3)
    return net + shortcut
def upsample_layer(inputs, out_shape):
    new_height, new_width = out_shape[1], out_shape[2]
    return tf.image.resize_nearest_neighbor(inputs, (new_height, new_width), name='upsampled')
def reorg_layer(feature_map, anchors):
    grid_size = feature_map.get_shape().as_list()[1:3]
    ratio = tf.cast(tf.constant(IMG) / grid_size, tf.float32)
    rescaled_anchors = [(anchor[0] / ratio[1], anchor[1] / ratio[0]) for anchor in anchors]
    feature_map = tf.reshape(feature_map, [-1, grid_size[0], grid_size[1], 3, 5 + CLASSES])
    box_centers, box_sizes, conf_logits, prob_logits = tf.split(feature_map, [2, 2, 1, CLASSES], axis=-1)
    box_centers = tf.nn.sigmoid(box_centers)
    grid_x = tf.range(grid_size[1], dtype=tf.int32)
    grid_y = tf.range(grid_size[0], dtype=tf.int32)
    grid_x, grid_y = tf.meshgrid(grid_x, grid_y)
    x_offset = tf.reshape(grid_x, (-1, 1))
    y_offset = tf.reshape(grid_y, (-1, 1))
    x_y_offset = tf.concat([x_offset, y_offset], axis=-1)
    x_y_offset = tf.cast(tf.reshape(x_y_offset, [grid_size[0], grid_size[1], 1, 2]), tf.float32)
    box_centers = (box_centers + x_y_offset) * ratio[::-1]
    box_sizes = tf.exp(box_sizes) * rescaled_anchors
    box_sizes = box_sizes * ratio[::-1]
    boxes = tf.concat([box_centers, box_sizes], axis=-1)
    return x_y_offset, boxes, conf_logits, prob_logits
def predict(feature_maps):
    pairs = [(feature_maps[0], ANCHORS[0:3]), (feature_maps[1], ANCHORS[3:6])]
    reorg_results = [reorg_layer(f, a) for (f, a) in pairs]
    def _reshape(result):
        x_y_offset, boxes, conf_logits, prob_logits = result
        grid_size = x_y_offset.get_shape().as_list()[:2]
        n = grid_size[0] * grid_size[1] * 3
        return tf.reshape(boxes, [-1, n, 4]), tf.reshape(conf_logits, [-1, n, 1]), tf.reshape(prob_logits, [-1, n, CLASSES])
    boxes_list, confs_list, probs_list = [], [], []
    for result in reorg_results:
        boxes, conf_logits, prob_logits = _reshape(result)
        boxes_list.append(boxes)
        confs_list.append(tf.sigmoid(conf_logits))
        probs_list.append(tf.sigmoid(prob_logits))
    boxes = tf.concat(boxes_list, axis=1)
    center_x, center_y, width, height = tf.split(boxes, [1, 1, 1, 1], axis=-1)
    boxes = tf.concat([center_x - width / 2, center_y - height / 2, center_x + width / 2, center_y + height / 2], axis=-1)
    return boxes, tf.concat(confs_list, axis=1), tf.concat(probs_list, axis=1)
def box_iou(pred_boxes, valid_true_boxes):
    pred_box_xy, pred_box_wh = pred_boxes[..., 0:2], pred_boxes[..., 2:4]
    pred_box_xy, pred_box_wh = tf.expand_dims(pred_box_xy, -2), tf.expand_dims(pred_box_wh, -2)
    true_box_xy, true_box_wh = valid_true_boxes[:, 0:2], valid_true_boxes[:, 2:4]
    intersect_mins = tf.maximum(pred_box_xy - pred_box_wh / 2., true_box_xy - true_box_wh / 2.)
    intersect_maxs = tf.minimum(pred_box_xy + pred_box_wh / 2., true_box_xy + true_box_wh / 2.)
    intersect_wh = tf.maximum(intersect_maxs - intersect_mins, 0.)
    intersect_area = intersect_wh[..., 0] * intersect_wh[..., 1]
    pred_box_area = pred_box_wh[..., 0] * pred_box_wh[..., 1]
    true_box_area = tf.expand_dims(true_box_wh[..., 0] * true_box_wh[..., 1], axis=0)
    return intersect_area / (pred_box_area + true_box_area - intersect_area + 1e-10)
def loss_layer(feature_map_i, y_true, anchors):
    grid_size = tf.shape(feature_map_i)[1:3]
    ratio = tf.cast(tf.constant(IMG) / grid_size, tf.float32)
    N = tf.cast(tf.shape(feature_map_i)[0], tf.float32)
    x_y_offset, pred_boxes, pred_conf_logits, pred_prob_logits = reorg_layer(feature_map_i, anchors)
    object_mask = y_true[..., 4:5]
    ignore_mask = tf.TensorArray(tf.float32, size=0, dynamic_size=True)
    def loop_cond(idx, ignore_mask):
        return tf.less(idx, tf.cast(N, tf.int32))
    def loop_body(idx, ignore_mask):
        valid_true_boxes = tf.boolean_mask(y_true[idx, ..., 0:4], tf.cast(object_mask[idx, ..., 0], 'bool'))
        iou = box_iou(pred_boxes[idx], valid_true_boxes)
        best_iou = tf.reduce_max(iou, axis=-1)
        ignore_mask_tmp = tf.cast(best_iou < 0.5, tf.float32)
        ignore_mask = ignore_mask.write(idx, ignore_mask_tmp)
        return idx + 1, ignore_mask
    _, ignore_mask = tf.while_loop(cond=loop_cond, body=loop_body, loop_vars=[0, ignore_mask])
    ignore_mask = ignore_mask.stack()
    ignore_mask = tf.expand_dims(ignore_mask, -1)
    true_xy = y_true[..., 0:2] / ratio[::-1] - x_y_offset
    pred_xy = pred_boxes[..., 0:2] / ratio[::-1] - x_y_offset
    true_tw_th = y_true[..., 2:4] / anchors
    pred_tw_th = pred_boxes[..., 2:4] / anchors
    true_tw_th = tf.where(condition=tf.equal(true_tw_th, 0), x=tf.ones_like(true_tw_th), y=true_tw_th)
    pred_tw_th = tf.where(condition=tf.equal(pred_tw_th, 0), x=tf.ones_like(pred_tw_th), y=pred_tw_th)
    true_tw_th = tf.log(tf.clip_by_value(true_tw_th, 1e-9, 1e9))
    pred_tw_th = tf.log(tf.clip_by_value(pred_tw_th, 1e-9, 1e9))
    box_loss_scale = 2. - (y_true[..., 2:3] / tf.cast(IMG[1], tf.float32)) * (y_true[..., 3:4] / tf.cast(IMG[0], tf.float32))
    xy_loss = tf.reduce_sum(tf.square(true_xy - pred_xy) * object_mask * box_loss_scale) / N
    wh_loss = tf.reduce_sum(tf.square(true_tw_th - pred_tw_th) * object_mask * box_loss_scale) / N
    conf_pos_mask = object_mask
    conf_neg_mask = (1 - object_mask) * ignore_mask
    conf_loss_pos = conf_pos_mask * tf.nn.sigmoid_cross_entropy_with_logits(labels=object_mask, logits=pred_conf_logits)
    conf_loss_neg = conf_neg_mask * tf.nn.sigmoid_cross_entropy_with_logits(labels=object_mask, logits=pred_conf_logits)
    conf_loss = conf_loss_pos + conf_loss_neg
    alpha, gamma = 1.0, 2.0
    focal_mask = alpha * tf.pow(tf.abs(object_mask - tf.sigmoid(pred_conf_logits)), gamma)
    conf_loss *= focal_mask
    conf_loss = tf.reduce_sum(conf_loss) / N
    delta = 0.01
    label_target = (1 - delta) * y_true[..., 5:] + delta * 1. / CLASSES
    class_loss = object_mask * tf.nn.sigmoid_cross_entropy_with_logits(labels=label_target, logits=pred_prob_logits)
    class_loss = tf.reduce_sum(class_loss) / N
    return xy_loss, wh_loss, conf_loss, class_loss
def gpu_nms(boxes, scores, max_boxes=50, score_thresh=0.5, nms_thresh=0.5):
    boxes_list, label_list, score_list = [], [], []
    max_boxes = tf.constant(max_boxes, dtype='int32')
    boxes = tf.reshape(boxes, [-1, 4])
    score = tf.reshape(scores, [-1, CLASSES])
    mask = tf.greater_equal(score, tf.constant(score_thresh))
    for i in range(CLASSES):
        filter_boxes = tf.boolean_mask(boxes, mask[:, i])
        filter_score = tf.boolean_mask(score[:, i], mask[:, i])
        nms_indices = tf.image.non_max_suppression(boxes=filter_boxes, scores=filter_score, max_output_size=max_boxes, iou_threshold=nms_thresh, name='nms_indices')
        label_list.append(tf.ones_like(tf.gather(filter_score, nms_indices), 'int32') * i)
        boxes_list.append(tf.gather(filter_boxes, nms_indices))
        score_list.append(tf.gather(filter_score, nms_indices))
    return tf.concat(boxes_list, axis=0), tf.concat(score_list, axis=0), tf.concat(label_list, axis=0)
with tf.variable_scope('yolov3'):
    with tf.variable_scope('darknet_body'):
        net = conv2d(image, 6, 3, strides=2)
        route_1 = conv2d(net, 8, 3, strides=2)
        route_2 = res_block(conv2d(route_1, 12, 3, strides=2), 6)
    with tf.variable_scope('yolov3_head'):
        feature_map_1 = tf.layers.conv2d(conv2d(route_2, 8, 3), 3 * (5 + CLASSES), 1, bias_initializer=tf.zeros_initializer())
        feature_map_1 = tf.identity(feature_map_1, name='feature_map_1')
        inter1 = conv2d(route_2, 6, 1)
        inter1 = upsample_layer(inter1, route_1.get_shape().as_list())
        concat1 = tf.concat([inter1, route_1], axis=3)
        feature_map_2 = tf.layers.conv2d(conv2d(concat1, 8, 3), 3 * (5 + CLASSES), 1)
y_true_1 = tf.placeholder(tf.float32, [None, 4, 4, 3, 5 + CLASSES])
y_true_2 = tf.placeholder(tf.float32, [None, 8, 8, 3, 5 + CLASSES])
losses = [0., 0., 0., 0.]
for fm, yt, an in ((feature_map_1, y_true_1, ANCHORS[0:3]), (feature_map_2, y_true_2, ANCHORS[3:6])):
    result = loss_layer(fm, yt, an)
    losses = [a + b for a, b in zip(losses, result)]
l2_loss = tf.losses.get_regularization_loss()
total_loss = sum(losses) + l2_loss
boxes, confs, probs = predict([feature_map_1, feature_map_2])
nms = gpu_nms(boxes, confs * probs, max_boxes=5, score_thresh=0.12, nms_thresh=0.45)
global_step = tf.Variable(0, trainable=False, collections=[tf.GraphKeys.LOCAL_VARIABLES])
learning_rate = tf.train.piecewise_constant(global_step, boundaries=[2, 4], values=[1e-2, 5e-3, 1e-3])
optimizer = tf.train.MomentumOptimizer(learning_rate, 0.9)
update_ops = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
with tf.control_dependencies(update_ops):
    gvs = optimizer.compute_gradients(total_loss)
    clip_grad_var = [gv if gv[0] is None else [tf.clip_by_norm(gv[0], 10.), gv[1]] for gv in gvs]
    train_op = optimizer.apply_gradients(clip_grad_var, global_step=global_step)
def labels(seed, n, grid, anchors):
    y = np.zeros([n, grid, grid, 3, 5 + CLASSES], np.float32)
    cells, kinds, at = ints(seed, grid, n, 2, 2), ints(seed + 1, 3, n, 2, 2), rnd(seed + 2, n, 2, 4)
    for i in range(n):
        for j in range(2):
            cy, cx = cells[i, j]; k, c = kinds[i, j]
            y[i, cy, cx, k, 0:2] = (np.array([cx, cy]) + at[i, j, 0:2]) * (32 / grid)
            y[i, cy, cx, k, 2:4] = anchors[k] * (0.7 + at[i, j, 2:4] * 0.6)
            y[i, cy, cx, k, 4] = 1.; y[i, cy, cx, k, 5 + c] = 1.
    return y
show("vars", [v.op.name for v in tf.global_variables()])
with tf.Session() as sess:
    sess.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
    n = 2
    for step in range(5):
        feed = {is_training: True, image: rnd(step, n, 32, 32, 3), y_true_1: labels(step * 7, n, 4, ANCHORS[0:3]), y_true_2: labels(step * 7 + 3, n, 8, ANCHORS[3:6])}
        _, __loss, __total, __lr = sess.run([train_op, losses, total_loss, learning_rate], feed_dict=feed)
        show("step", [__loss, __total, __lr])
    y_pred, (boxes_, scores_, labels_) = sess.run([[boxes, confs, probs], nms], {is_training: False, image: rnd(9, 1, 32, 32, 3)})
    show("pred", y_pred)
    show("boxes", boxes_); show("scores", scores_); show("labels", labels_)
