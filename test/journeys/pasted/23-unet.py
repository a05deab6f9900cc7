"""U-Net: transposed convolutions, skips cropped and concatenated, weighted cross entropy, dice, streaming metrics, early stopping by hand, summaries of images."""
from recording import *
import os, tempfile
tf.set_random_seed(100)
def conv_conv_pool(input_, n_filters, training, name, pool=True, activation=tf.nn.relu):
    net = input_
    with tf.variable_scope("layer{}".format(name)):
        for i, F in enumerate(n_filters):
            net = tf.layers.conv2d(net, F, (3, 3), activation=None, use_bias=False, padding='same', kernel_initializer=tf.initializers.he_normal(), kernel_regularizer=lambda w: tf.multiply(tf.nn.l2_loss(w), 1e-3), name="conv_{}".format(i + 1))
            net = tf.layers.batch_normalization(net, training=training, fused=(i == 0), renorm=False, name="bn_{}".format(i + 1))
            net = activation(net, name="relu{}_{}".format(name, i + 1))
        if pool is False:
            return net
        pool = tf.layers.max_pooling2d(net, (2, 2), strides=(2, 2), name="pool_{}".format(name))
        return net, pool
def upconv_concat(inputA, input_B, n_filter, name):
    up_conv = upconv_2D(inputA, n_filter, name)
    return tf.concat([up_conv, input_B], axis=-1, name="concat_{}".format(name))
def upconv_2D(tensor, n_filter, name):
    return tf.layers.conv2d_transpose(tensor, filters=n_filter, kernel_size=2, strides=2, name="upsample_{}".format(name))
def crop_and_concat(x1, x2):
    x1_shape, x2_shape = tf.shape(x1), tf.shape(x2)
    offsets = [0, (x1_shape[1] - x2_shape[1]) // 2, (x1_shape[2] - x2_shape[2]) // 2, 0]
    size = [-1, x2_shape[1], x2_shape[2], -1]
    return tf.concat([tf.slice(x1, offsets, size), x2], 3)
def dice(logits, labels, smooth=1e-5):
    eps = 1e-5
    prediction = tf.nn.softmax(logits)
    intersection = tf.reduce_sum(prediction * labels, axis=[1, 2])
    union = eps + tf.reduce_sum(prediction, axis=[1, 2]) + tf.reduce_sum(labels, axis=[1, 2])
    return tf.reduce_mean(1. - 2 * intersection / union)
X = tf.placeholder(tf.float32, [None, None, None, 1], name="X")
y = tf.placeholder(tf.uint8, [None, None, None], name="y")
mode = tf.placeholder(tf.bool, name="mode")
net = X / 127.5 - 1
conv1, pool1 = conv_conv_pool(net, [4, 4], mode, name=1)
conv2, pool2 = conv_conv_pool(pool1, [6, 6], mode, name=2)
conv3 = conv_conv_pool(pool2, [8], mode, name=3, pool=False)
up4 = upconv_concat(conv3, conv2, 6, name=4)
conv4 = conv_conv_pool(up4, [6], mode, name=4, pool=False)
with tf.variable_scope("raw"):
    w = tf.Variable(tf.truncated_normal([2, 2, 4, 6], stddev=0.2), name="w_d")
    in_shape = tf.shape(conv4)
    up5 = tf.nn.relu(tf.nn.conv2d_transpose(conv4, w, tf.stack([in_shape[0], in_shape[1] * 2, in_shape[2] * 2, in_shape[3] // 2 + 1]), strides=[1, 2, 2, 1], padding='VALID') + tf.Variable(tf.constant(0.1, shape=[4])))
conv5 = crop_and_concat(conv1, up5)
conv5.set_shape([None, None, None, 8])
logits = tf.layers.conv2d(conv5, 3, (1, 1), name='final', activation=None, padding='same')
aux = tf.image.resize_bilinear(tf.layers.conv2d(conv3, 3, 1, name='aux'), tf.shape(logits)[1:3], align_corners=True)
onehot = tf.one_hot(tf.cast(y, tf.int32), 3)
flat_logits, flat_labels = tf.reshape(logits, [-1, 3]), tf.reshape(onehot, [-1, 3])
class_weights = tf.constant(np.array([0.3, 1., 2.], dtype=np.float32))
weight_map = tf.reduce_sum(tf.multiply(flat_labels, class_weights), axis=1)
loss_map = tf.nn.softmax_cross_entropy_with_logits_v2(logits=flat_logits, labels=flat_labels)
loss = tf.reduce_mean(tf.multiply(loss_map, weight_map)) + dice(logits, onehot) + 0.4 * tf.losses.softmax_cross_entropy(onehot, aux, label_smoothing=0.1)
reg = tf.add_n(tf.losses.get_regularization_losses())
pred = tf.argmax(logits, axis=3)
with tf.variable_scope("metrics"):
    iou, iou_op = tf.metrics.mean_iou(labels=y, predictions=pred, num_classes=3, name="iou")
    acc, acc_op = tf.metrics.accuracy(y, pred, weights=tf.cast(tf.not_equal(y, 0), tf.int32), name="acc")
    pcc, pcc_op = tf.metrics.mean_per_class_accuracy(y, pred, 3, name="pcc")
    auc, auc_op = tf.metrics.auc(tf.equal(y, 1), tf.nn.softmax(logits)[..., 1], num_thresholds=20, summation_method='careful_interpolation', name="auc")
    rec, rec_op = tf.metrics.recall_at_thresholds(tf.equal(y, 2), tf.nn.softmax(logits)[..., 2], [0.3, 0.5], name="rec")
running_vars = tf.get_collection(tf.GraphKeys.LOCAL_VARIABLES, scope="metrics")
running_vars_initializer = tf.variables_initializer(var_list=running_vars)
update_ops = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
global_step = tf.train.get_or_create_global_step()
with tf.control_dependencies(update_ops):
    train_op = tf.train.AdamOptimizer(tf.train.polynomial_decay(0.01, global_step, 6, power=0.9)).minimize(loss + reg, global_step=global_step)
palette = tf.constant([[0, 0, 0], [255, 0, 0], [0, 255, 0]], tf.uint8)
tf.summary.image("mask", tf.gather(palette, pred), max_outputs=1)
tf.summary.image("input", tf.concat([X, X], 2), max_outputs=2)
tf.summary.histogram("logits", logits)
tf.summary.scalar("loss/total", loss)
merged = tf.summary.merge_all()
show("names", [op.name for op in tf.get_default_graph().get_operations() if op.type in ("Conv2DBackpropInput", "FusedBatchNormV3")][:12])
show("running", [v.name for v in running_vars])
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for epoch in range(2):
        sess.run(running_vars_initializer)
        for it in range(4):
            xs, ys = rnd(epoch * 9 + it, 2, 8, 8, 1) * 255, ints(epoch * 5 + it, 3, 2, 8, 8).astype(np.uint8)
            _, l, step, _, _ = sess.run([train_op, loss, global_step, iou_op, [acc_op, pcc_op, auc_op, rec_op]], feed_dict={X: xs, y: ys, mode: True})
            show("loss", [l, step])
        show("metrics", sess.run([iou, acc, pcc, auc, rec]))
    show("confusion", sess.run(running_vars[0]))
    text = sess.run(merged, {X: xs, y: ys, mode: False})
    summary = tf.Summary.FromString(text)
    for value in summary.value:
        show("tag", value.tag)
        if value.HasField("image"):
            show("size", [value.image.height, value.image.width, value.image.colorspace])
            show("pixels", sess.run(tf.image.decode_png(value.image.encoded_image_string)))
    show("out", sess.run(logits, {X: xs, y: ys, mode: False}))
