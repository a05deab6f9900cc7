"""ResNet and MobileNet in slim's manner by hand: partial for arg_scope, a custom getter in float16, BN by a placeholder, fine-tuning from a checkpoint, SavedModel."""
from recording import *
import os, tempfile, functools
from contextlib import contextmanager
folder = tempfile.mkdtemp()
BATCH_NORM_DECAY, EPS = 0.9, 1e-5
def fp32_getter(getter, name, shape=None, dtype=tf.float32, *args, **kwargs):
    if dtype in (tf.float16,):
        var = getter(name, shape, tf.float32, *args, **kwargs)
        return tf.cast(var, dtype=dtype, name=name + '_cast')
    return getter(name, shape, dtype, *args, **kwargs)
def l2_regularizer(scale):
    def l2(w):
        with tf.name_scope(None, 'l2_regularizer', [w]) as name:
            return tf.multiply(tf.convert_to_tensor(scale, dtype=w.dtype.base_dtype), tf.nn.l2_loss(w), name=name)
    return l2
def batch_norm(x, is_training, name='BatchNorm'):
    with tf.variable_scope(name):
        n = x.shape[-1:]
        beta = tf.get_variable('beta', n, initializer=tf.zeros_initializer())
        gamma = tf.get_variable('gamma', n, initializer=tf.ones_initializer())
        mm = tf.get_variable('moving_mean', n, initializer=tf.zeros_initializer(), trainable=False)
        mv = tf.get_variable('moving_variance', n, initializer=tf.ones_initializer(), trainable=False)
        def training():
            y, mean, var = tf.nn.fused_batch_norm(x, gamma, beta, epsilon=EPS)
            u1 = tf.assign_sub(mm, (mm - mean) * (1 - BATCH_NORM_DECAY))
            u2 = tf.assign_sub(mv, (mv - var) * (1 - BATCH_NORM_DECAY))
            with tf.control_dependencies([u1, u2]):
                return tf.identity(y)
        def testing():
            return tf.nn.fused_batch_norm(x, gamma, beta, mm, mv, epsilon=EPS, is_training=False)[0]
        return tf.cond(is_training, training, testing)
def conv2d(x, filters, kernel, stride, name, use_bn=None, activation=tf.nn.relu):
    with tf.variable_scope(name):
        w = tf.get_variable('weights', [kernel, kernel, x.get_shape()[-1].value, filters], initializer=tf.variance_scaling_initializer(2.0, 'fan_out', 'truncated_normal'), regularizer=l2_regularizer(1e-3))
        x = tf.nn.conv2d(x, w, [1, stride, stride, 1], 'SAME')
        x = use_bn(x) if use_bn else tf.nn.bias_add(x, tf.get_variable('biases', [filters], initializer=tf.zeros_initializer()))
        return activation(x) if activation else x
def separable(x, filters, stride, name, use_bn):
    with tf.variable_scope(name):
        w = tf.get_variable('depthwise_weights', [3, 3, x.get_shape()[-1].value, 1])
        x = tf.nn.relu6(use_bn(tf.nn.depthwise_conv2d(x, w, [1, stride, stride, 1], 'SAME')))
        return conv2d(x, filters, 1, 1, 'pointwise', use_bn=use_bn, activation=tf.nn.relu6)
def bottleneck(x, depth, stride, name, use_bn):
    conv = functools.partial(conv2d, use_bn=use_bn)
    with tf.variable_scope(name, 'bottleneck_v1', [x]) as sc:
        if x.get_shape()[-1].value == depth:
            shortcut = x if stride == 1 else tf.nn.max_pool(x, [1, 1, 1, 1], [1, stride, stride, 1], 'SAME')
        else:
            shortcut = conv(x, depth, 1, stride, 'shortcut', activation=None)
        residual = conv(x, depth // 2, 1, 1, 'conv1')
        residual = conv(residual, depth // 2, 3, stride, 'conv2')
        residual = conv(residual, depth, 1, 1, 'conv3', activation=None)
        output = tf.nn.relu(shortcut + residual)
        tf.add_to_collection('end_points', output)
        return output
def network(images, num_classes, is_training, scope='resnet', reuse=None):
    bn = functools.partial(batch_norm, is_training=is_training)
    with tf.variable_scope(scope, 'resnet', [images], reuse=reuse):
        net = conv2d(images, 4, 3, 2, 'conv1', use_bn=bn)
        with tf.variable_scope('block1'):
            for i, (depth, stride) in enumerate([(6, 1), (6, 2)]):
                net = bottleneck(net, depth, stride, 'unit_%d' % (i + 1), bn)
        net = separable(net, 8, 1, 'sep', bn)
        net = tf.reduce_mean(net, [1, 2], name='pool5', keep_dims=True)
        logits = conv2d(net, num_classes, 1, 1, 'logits', activation=None)
        return tf.squeeze(logits, [1, 2], name='SpatialSqueeze')
def build(num_classes):
    images = tf.placeholder(tf.float32, [None, 12, 12, 3], name='input')
    is_training = tf.placeholder_with_default(False, [], name='is_training')
    logits = network(images, num_classes, is_training)
    return images, is_training, logits
with tf.Graph().as_default():
    tf.set_random_seed(21)
    images, is_training, logits = build(5)
    labels = tf.placeholder(tf.int32, [None])
    tf.losses.sparse_softmax_cross_entropy(labels, logits)
    reg_losses = tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)
    show("reg", [r.name for r in reg_losses])
    total_loss = tf.losses.get_total_loss()
    step = tf.train.get_or_create_global_step()
    train_op = tf.train.RMSPropOptimizer(0.01, 0.9, momentum=0.9, epsilon=1.0).minimize(total_loss, global_step=step)
    saver = tf.train.Saver()
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for i in range(3):
            l, _ = sess.run([total_loss, train_op], {images: rnd(i, 4, 12, 12, 3), labels: ints(i + 5, 5, 4), is_training: True})
            show("loss", l)
        saver.save(sess, os.path.join(folder, 'resnet.ckpt'), global_step=step)
        show("eval", sess.run(logits, {images: rnd(40, 2, 12, 12, 3)}))
path = tf.train.latest_checkpoint(folder)
with tf.Graph().as_default():
    tf.set_random_seed(22)
    images, is_training, logits = build(3)
    exclude = ['resnet/logits', 'resnet/sep']
    reader = tf.train.NewCheckpointReader(path)
    shapes = reader.get_variable_to_shape_map()
    variables_to_restore = [v for v in tf.global_variables() if not any(v.op.name.startswith(e) for e in exclude) and v.op.name in shapes]
    show("restore", [v.op.name for v in variables_to_restore])
    tf.train.init_from_checkpoint(path, {'resnet/block1/': 'resnet/block1/'})
    labels = tf.placeholder(tf.int32, [None], name='labels')
    trainable = tf.trainable_variables('resnet/logits') + tf.trainable_variables('resnet/sep')
    loss = tf.losses.sparse_softmax_cross_entropy(labels, logits) + tf.losses.get_regularization_loss()
    train_op = tf.train.MomentumOptimizer(0.05, 0.9, use_nesterov=True).minimize(loss, var_list=trainable)
    probs = tf.nn.softmax(logits, name='probs')
    saver = tf.train.Saver(variables_to_restore)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        saver.restore(sess, path)
        show("uninitialized", [n.decode() for n in sess.run(tf.report_uninitialized_variables())])
        frozen = tf.get_default_graph().get_tensor_by_name('resnet/conv1/weights:0')
        before = sess.run(frozen)
        for i in range(3):
            l, _ = sess.run([loss, train_op], {images: rnd(i + 60, 4, 12, 12, 3), labels: ints(i + 65, 3, 4), is_training: True})
            show("tuned", l)
        show("frozen", float(np.abs(sess.run(frozen) - before).max()))
        builder = tf.saved_model.builder.SavedModelBuilder(os.path.join(folder, 'export'))
        signature = tf.saved_model.signature_def_utils.build_signature_def(
            inputs={'images': tf.saved_model.utils.build_tensor_info(images)}, outputs={'scores': tf.saved_model.utils.build_tensor_info(probs)},
            method_name=tf.saved_model.signature_constants.PREDICT_METHOD_NAME)
        builder.add_meta_graph_and_variables(sess, [tf.saved_model.tag_constants.SERVING], signature_def_map={tf.saved_model.signature_constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY: signature})
        builder.save()
        frozen_def = tf.graph_util.convert_variables_to_constants(sess, tf.get_default_graph().as_graph_def(), ['probs'])
        show("nodes", [n.name for n in frozen_def.node if n.op == 'Const' and 'logits' in n.name])
        show("probs", sess.run(probs, {images: rnd(41, 2, 12, 12, 3)}))
with tf.Graph().as_default(), tf.Session() as sess:
    meta_graph = tf.saved_model.loader.load(sess, [tf.saved_model.tag_constants.SERVING], os.path.join(folder, 'export'))
    sig = meta_graph.signature_def['serving_default']
    show("signature", [sig.inputs['images'].name, sig.outputs['scores'].name, sig.method_name])
    show("loaded", sess.run(sig.outputs['scores'].name, {sig.inputs['images'].name: rnd(41, 2, 12, 12, 3)}))
with tf.Graph().as_default():
    with tf.variable_scope('mixed', custom_getter=fp32_getter, dtype=tf.float16):
        w = tf.get_variable('w', [4, 3], initializer=tf.constant_initializer(rnd(8, 4, 3)))
        y = tf.matmul(tf.cast(tf.constant(rnd(3, 2, 4)), tf.float16), w)
    show("getter", [w.name, w.dtype.name, tf.trainable_variables()[0].name, tf.trainable_variables()[0].dtype.base_dtype.name])
    loss = tf.reduce_mean(tf.cast(y, tf.float32) ** 2)
    grad = tf.gradients(loss * 128., tf.trainable_variables())[0] / 128.
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        show("half", sess.run([loss, grad]))
