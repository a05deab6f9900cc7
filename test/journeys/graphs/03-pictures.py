"""Picture to picture: a U-Net with skips, and a generator with instance normalization, reflected edges and transposed convolutions
against a patch discriminator, in the manner of CycleGAN: least squares, cycle loss, several optimizers."""
from recording import np, tf


def instance_norm(x, name="instance_norm"):
    with tf.variable_scope(name):
        depth = x.get_shape()[3]
        scale = tf.get_variable("scale", [depth], initializer=tf.random_normal_initializer(1.0, 0.02, dtype=tf.float32, seed=1))
        offset = tf.get_variable("offset", [depth], initializer=tf.constant_initializer(0.0))
        mean, variance = tf.nn.moments(x, axes=[1, 2], keep_dims=True)
        return scale * ((x - mean) * tf.rsqrt(variance + 1e-5)) + offset


def lrelu(x, leak=0.2):
    return tf.maximum(x, leak * x)


def conv2d(x, filters, size=3, stride=1, padding="SAME", name="conv2d"):
    with tf.variable_scope(name):
        w = tf.get_variable("w", [size, size, int(x.shape[-1]), filters], initializer=tf.truncated_normal_initializer(stddev=0.1, seed=filters))
        return tf.nn.conv2d(x, w, [1, stride, stride, 1], padding)


def deconv2d(x, filters, size=3, stride=2, name="deconv2d"):
    with tf.variable_scope(name):
        w = tf.get_variable("w", [size, size, filters, int(x.shape[-1])], initializer=tf.truncated_normal_initializer(stddev=0.1, seed=filters + 1))
        shape = tf.shape(x)
        y = tf.nn.conv2d_transpose(x, w, tf.stack([shape[0], shape[1] * stride, shape[2] * stride, filters]), [1, stride, stride, 1])
        return tf.nn.bias_add(y, tf.get_variable("b", [filters], initializer=tf.zeros_initializer()))


def generator(image, name, reuse=False):
    with tf.variable_scope(name, reuse=reuse):
        x = tf.pad(image, [[0, 0], [3, 3], [3, 3], [0, 0]], "REFLECT")
        x = tf.nn.relu(instance_norm(conv2d(x, 4, 7, 1, "VALID", "e1_c"), "e1_bn"))
        x = tf.nn.relu(instance_norm(conv2d(x, 8, 3, 2, name="e2_c"), "e2_bn"))
        y = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], "REFLECT")
        y = tf.nn.relu(instance_norm(conv2d(y, 8, 3, 1, "VALID", "r_c1"), "r_bn1"))
        y = tf.pad(y, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")
        x = x + instance_norm(conv2d(y, 8, 3, 1, "VALID", "r_c2"), "r_bn2")
        x = tf.nn.relu(instance_norm(deconv2d(x, 4, name="d1_dc"), "d1_bn"))
        x = tf.image.resize_nearest_neighbor(x, [8, 8])
        return tf.nn.tanh(conv2d(x, 3, 7, name="pred_c"), name="pred")


def discriminator(image, name, reuse=False):
    with tf.variable_scope(name) as scope:
        if reuse:
            scope.reuse_variables()
        else:
            assert tf.get_variable_scope().reuse is False
        x = lrelu(conv2d(image, 4, 4, 2, name="h0"))
        x = lrelu(instance_norm(conv2d(x, 8, 4, 2, name="h1"), "bn1"))
        return conv2d(x, 1, 4, 1, name="h2")


def unet(image):
    with tf.variable_scope("unet"):
        c1 = tf.layers.conv2d(image, 4, 3, padding="same", activation=tf.nn.elu, kernel_initializer=tf.glorot_normal_initializer(seed=1))
        p1 = tf.layers.max_pooling2d(c1, 2, 2)
        c2 = tf.layers.conv2d(p1, 8, 3, padding="same", activation=tf.nn.elu, kernel_initializer=tf.glorot_normal_initializer(seed=2))
        p2 = tf.layers.average_pooling2d(c2, (2, 2), (2, 2))
        c3 = tf.layers.separable_conv2d(p2, 8, 3, padding="same", activation=tf.nn.selu, depthwise_initializer=tf.glorot_normal_initializer(seed=3), pointwise_initializer=tf.glorot_normal_initializer(seed=4))
        u2 = tf.layers.conv2d_transpose(c3, 8, 2, 2, kernel_initializer=tf.glorot_normal_initializer(seed=5))
        m2 = tf.concat([u2, c2], 3)
        u1 = tf.image.resize_bilinear(m2, [8, 8], align_corners=True)
        m1 = tf.concat([tf.image.resize_bicubic(u1, [8, 8]), c1], -1)
        return tf.layers.conv2d(m1, 1, 1, name="mask", kernel_initializer=tf.glorot_normal_initializer(seed=6))


def build():
    a = tf.placeholder(tf.float32, [None, 8, 8, 3], name="a")
    b = tf.placeholder(tf.float32, [None, 8, 8, 3], name="b")
    fake_b = generator(a, "a_to_b")
    cycle_a = generator(fake_b, "b_to_a")
    fake_a = generator(b, "b_to_a", True)
    cycle_b = generator(fake_a, "a_to_b", True)
    fake_b_score, fake_a_score = discriminator(fake_b, "disc_b"), discriminator(fake_a, "disc_a")
    abs_loss = lambda x, y: tf.reduce_mean(tf.abs(x - y))
    mae = lambda x, y: tf.reduce_mean((x - y) ** 2)
    g_loss = tf.add(mae(fake_b_score, tf.ones_like(fake_b_score)) + mae(fake_a_score, tf.ones_like(fake_a_score)), 10.0 * (abs_loss(a, cycle_a) + abs_loss(b, cycle_b)), name="g_loss")
    real_b, real_a = discriminator(b, "disc_b", True), discriminator(a, "disc_a", True)
    d_b = (mae(real_b, tf.ones_like(real_b)) + mae(fake_b_score, tf.zeros_like(fake_b_score))) / 2
    d_a = (mae(real_a, tf.ones_like(real_a)) + mae(fake_a_score, tf.zeros_like(fake_a_score))) / 2
    d_loss = tf.identity(d_a + d_b, "d_loss")
    variables = tf.trainable_variables()
    d_vars, g_vars = [v for v in variables if "disc" in v.name], [v for v in variables if "_to_" in v.name]
    rate = tf.placeholder(tf.float32, None, name="rate")
    tf.train.AdamOptimizer(rate, beta1=0.5, epsilon=1e-3).minimize(d_loss, var_list=d_vars, name="d_train")
    tf.train.AdamOptimizer(rate, beta1=0.5, epsilon=1e-3).minimize(g_loss, var_list=g_vars, name="g_train")

    mask = tf.cast(tf.reduce_mean(b, 3, keepdims=True) > 0, tf.float32)
    logits = unet(a)
    probability = tf.sigmoid(logits)
    together = tf.reduce_sum(probability * mask, [1, 2, 3])
    dice = (2.0 * together + 1e-2) / (tf.reduce_sum(probability, [1, 2, 3]) + tf.reduce_sum(mask, [1, 2, 3]) + 1e-2)
    bce = tf.nn.weighted_cross_entropy_with_logits(mask, logits, 2.0)
    variation = tf.reduce_mean(tf.image.total_variation(probability))
    loss = tf.add_n([tf.reduce_mean(bce), 1.0 - tf.reduce_mean(dice), 1e-3 * variation], name="u_loss")
    tf.train.RMSPropOptimizer(0.01, centered=True, momentum=0.5, epsilon=1e-3).minimize(loss, name="u_train")
    tf.reduce_mean(tf.image.ssim(fake_b, cycle_b, 2.0, filter_size=5), name="similarity")
    tf.reduce_mean(tf.image.psnr(a, cycle_a, 2.0), name="noise_ratio")


def run(session, record):
    graph = session.graph
    get = graph.get_tensor_by_name
    record.initialize(session)
    random = np.random.RandomState(3)
    for i in range(5):
        feed = {get("a:0"): random.uniform(-1, 1, [2, 8, 8, 3]).round(3), get("b:0"): random.uniform(-1, 1, [2, 8, 8, 3]).round(3)}
        record.run(session, [get("d_loss:0"), get("g_loss:0"), get("u_loss:0")], feed)
        record.run(session, graph.get_operation_by_name("d_train"), {**feed, get("rate:0"): 0.01 / (i + 1)})
        record.run(session, graph.get_operation_by_name("g_train"), {**feed, get("rate:0"): 0.01 / (i + 1)})
        record.run(session, graph.get_operation_by_name("u_train"), feed)
    record.run(session, [get("similarity:0"), get("noise_ratio:0"), get("a_to_b/pred:0")], feed)
    record.final(session)
