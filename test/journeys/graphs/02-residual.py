"""A residual network of bottlenecks with tf.layers: batch normalization and its update ops, weight decay from a collection, momentum with steps
of the rate, averaged weights for evaluation, accuracy over several batches."""
from recording import np, tf

CLASSES = 5


def conv(x, filters, size, strides, name, seed):
    return tf.layers.conv2d(x, filters, size, strides, padding="SAME" if strides == 1 else "VALID", use_bias=False, name=name,
                            kernel_initializer=tf.variance_scaling_initializer(2.0, "fan_out", seed=seed), kernel_regularizer=lambda w: 1e-3 * tf.nn.l2_loss(w))


def fixed_padding(x, size):
    before = (size - 1) // 2
    return tf.pad(x, [[0, 0], [before, size - 1 - before], [before, size - 1 - before], [0, 0]])


def bottleneck(x, filters, strides, training, project, seed):
    normal = lambda y, name: tf.layers.batch_normalization(y, momentum=0.9, epsilon=1e-5, training=training, fused=True, name=name)
    preact = tf.nn.relu(normal(x, "bn1"))
    shortcut = conv(preact if strides == 1 else fixed_padding(preact, 1), 2 * filters, 1, strides, "shortcut", seed) if project else x
    y = tf.nn.relu(normal(conv(preact, filters, 1, 1, "conv1", seed + 1), "bn2"))
    y = tf.nn.relu(normal(conv(y if strides == 1 else fixed_padding(y, 3), filters, 3, strides, "conv2", seed + 2), "bn3"))
    return shortcut + conv(y, 2 * filters, 1, 1, "conv3", seed + 3)


def build():
    tf.set_random_seed(32)
    images = tf.placeholder(tf.float32, [None, 12, 12, 3], name="images")
    labels = tf.placeholder(tf.int64, [None], name="labels")
    training = tf.placeholder_with_default(False, [], name="training")
    x = conv(images, 4, 3, 1, "stem", 1)
    for stage, (filters, strides) in enumerate([(4, 1), (6, 2)]):
        with tf.variable_scope("stage%d" % stage):
            for block in range(2):
                with tf.variable_scope("block%d" % block):
                    x = bottleneck(x, filters, strides if block == 0 else 1, training, block == 0, 10 * (2 * stage + block))
    x = tf.nn.relu(tf.layers.batch_normalization(x, training=training, momentum=0.9, name="last"))
    x = tf.reduce_mean(x, [1, 2])
    x = tf.layers.dropout(x, 0.2, training=training, seed=3)
    logits = tf.layers.dense(x, CLASSES, kernel_initializer=tf.random_normal_initializer(stddev=0.1, seed=4), name="logits")
    onehot = tf.one_hot(labels, CLASSES)
    tf.losses.softmax_cross_entropy(onehot, logits, label_smoothing=0.1)
    loss = tf.losses.get_total_loss(name="total")
    step = tf.train.get_or_create_global_step()
    rate = tf.train.piecewise_constant(step, [3, 6], [0.02, 0.01, 0.005])
    tf.identity(rate, "rate")
    optimizer = tf.train.MomentumOptimizer(rate, 0.9, use_nesterov=True)
    updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
    with tf.control_dependencies(updates):
        apply = optimizer.minimize(loss, step)
    average = tf.train.ExponentialMovingAverage(0.9, step)
    with tf.control_dependencies([apply]):
        average.apply(tf.trainable_variables())
    with tf.name_scope("evaluation"):
        top = tf.nn.in_top_k(logits, labels, 2)
        accuracy, update = tf.metrics.accuracy(labels, tf.argmax(logits, 1))
        tf.identity(tf.reduce_mean(tf.cast(top, tf.float32)), "top2")
        tf.group(update, name="update")
        tf.identity(accuracy, "measured")
    restore = average.variables_to_restore()
    tf.train.Saver(restore, max_to_keep=2)


def run(session, record):
    graph = session.graph
    get = graph.get_tensor_by_name
    record.initialize(session)
    random = np.random.RandomState(2)
    for i in range(8):
        labels = random.randint(0, CLASSES, 6)
        images = (random.randn(6, 12, 12, 3) * 0.3 + labels[:, None, None, None] * 0.2).astype(np.float32).round(3)
        feed = {get("images:0"): images, get("labels:0"): labels}
        record.run(session, [get("total:0"), get("rate:0"), graph.get_operation_by_name("ExponentialMovingAverage")], {**feed, get("training:0"): True})
        record.run(session, [graph.get_operation_by_name("evaluation/update"), get("evaluation/top2:0")], feed)
    record.run(session, get("evaluation/measured:0"))
    record.final(session)
