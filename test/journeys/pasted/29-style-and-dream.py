"""Style transfer with Gram matrices on an image that is a variable, L-BFGS by hand; DeepDream with tiles by roll and a Laplacian pyramid; own gradients."""
from recording import *
tf.set_random_seed(5)
def net(image, reuse=tf.AUTO_REUSE):
    layers, current = {}, image
    with tf.variable_scope("vgg", reuse=reuse):
        for i, (cin, cout) in enumerate([(3, 5), (5, 6), (6, 7)]):
            kernels = tf.get_variable("w%d" % i, initializer=(rnd(i + 3, 3, 3, cin, cout) - 0.5) * 0.8, trainable=False)
            bias = tf.get_variable("b%d" % i, [cout], initializer=tf.constant_initializer(0.1), trainable=False)
            current = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(current, kernels, strides=(1, 1, 1, 1), padding='SAME'), bias), name="relu%d_1" % (i + 1))
            layers["relu%d_1" % (i + 1)] = current
            current = tf.nn.avg_pool(current, ksize=(1, 2, 2, 1), strides=(1, 2, 2, 1), padding='SAME')
    return layers
def gram_matrix(tensor):
    shape = tensor.get_shape()
    num_channels = int(shape[3])
    matrix = tf.reshape(tensor, shape=[-1, num_channels])
    return tf.matmul(tf.transpose(matrix), matrix)
content, style = rnd(1, 1, 12, 12, 3), rnd(2, 1, 12, 12, 3)
with tf.Graph().as_default(), tf.Session() as sess:
    tf.set_random_seed(5)
    image = tf.placeholder('float', shape=content.shape)
    out = net(image)
    sess.run(tf.global_variables_initializer())
    content_features = out["relu3_1"].eval(feed_dict={image: content})
    style_features = {}
    for layer in ("relu1_1", "relu2_1"):
        features = out[layer].eval(feed_dict={image: style})
        features = np.reshape(features, (-1, features.shape[3]))
        style_features[layer] = np.matmul(features.T, features) / features.size
    show("gram", style_features["relu2_1"])
with tf.Graph().as_default():
    tf.set_random_seed(5)
    mixed = tf.Variable(content * 0.9 + 0.05, name="mixed")
    out = net(mixed)
    content_loss = 5. * tf.nn.l2_loss(out["relu3_1"] - content_features) / content_features.size
    style_losses = []
    for layer, gram in style_features.items():
        feats = out[layer]
        _, height, width, number = map(lambda i: i.value, feats.get_shape())
        size = height * width * number
        style_losses.append(2. * tf.nn.l2_loss(gram_matrix(feats) / size - gram) / gram.size)
    style_loss = 100. * sum(style_losses)
    tv_y_size = int(np.prod(mixed[:, 1:, :, :].get_shape().as_list()))
    tv_loss = 1e2 * 2 * ((tf.nn.l2_loss(mixed[:, 1:, :, :] - mixed[:, :12 - 1, :, :]) / tv_y_size) + (tf.nn.l2_loss(mixed[:, :, 1:, :] - mixed[:, :, :12 - 1, :]) / tv_y_size)) * 0.01 + tf.reduce_mean(tf.image.total_variation(mixed)) * 1e-4
    loss = content_loss + style_loss + tv_loss
    gradient = tf.gradients(loss, mixed)[0]
    train_step = tf.train.AdamOptimizer(0.02, 0.9, 0.999, 1e-8).minimize(loss)
    placed = tf.placeholder(tf.float32, [12 * 12 * 3])
    assign = mixed.assign(tf.reshape(placed, mixed.shape))
    clipped = tf.clip_by_value(mixed, 0., 1.)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for i in range(4):
            train_step.run()
            if i % 2: show("adam", [content_loss.eval(), style_loss.eval(), tv_loss.eval()])
        def value_and_gradient(x):
            sess.run(assign, {placed: x})
            f, g = sess.run([loss, gradient])
            return float(f), g.ravel().astype(np.float64)
        x = sess.run(mixed).ravel().astype(np.float64)
        f, g = value_and_gradient(x)
        pairs = []
        for it in range(3):
            q, alphas = g.copy(), []
            for s, y in reversed(pairs):
                a = s.dot(q) / y.dot(s); alphas.append(a); q -= a * y
            if pairs:
                s, y = pairs[-1]; q *= s.dot(y) / y.dot(y)
            for (s, y), a in zip(pairs, reversed(alphas)):
                q += s * (a - y.dot(q) / y.dot(s))
            d, t = -q, 0.5 if not pairs else 1.
            while True:
                fn, gn = value_and_gradient(x + t * d)
                if fn <= f + 1e-4 * t * g.dot(d): break
                t *= 0.5
            pairs.append((t * d, gn - g)); x, f, g = x + t * d, fn, gn
            show("lbfgs", [f, t])
        show("mixed", clipped.eval())
def tffunc(*argtypes):
    placeholders = list(map(tf.placeholder, argtypes))
    def wrap(f):
        out = f(*placeholders)
        def wrapper(*args, **kw):
            return out.eval(dict(zip(placeholders, args)), session=kw.get('session'))
        return wrapper
    return wrap
k = np.float32([1, 4, 6, 4, 1])
k = np.outer(k, k)
k5x5 = k[:, :, None, None] / k.sum() * np.eye(3, dtype=np.float32)
def lap_split(img):
    with tf.name_scope('split'):
        lo = tf.nn.conv2d(img, k5x5, [1, 2, 2, 1], 'SAME')
        lo2 = tf.nn.conv2d_transpose(lo, k5x5 * 4, tf.shape(img), [1, 2, 2, 1])
        hi = img - lo2
    return lo, hi
def lap_split_n(img, n):
    levels = []
    for i in range(n):
        img, hi = lap_split(img)
        levels.append(hi)
    levels.append(img)
    return levels[::-1]
def lap_merge(levels):
    img = levels[0]
    for hi in levels[1:]:
        with tf.name_scope('merge'):
            img = tf.nn.conv2d_transpose(img, k5x5 * 4, tf.shape(hi), [1, 2, 2, 1]) + hi
    return img
def normalize_std(img, eps=1e-10):
    with tf.name_scope('normalize'):
        std = tf.sqrt(tf.reduce_mean(tf.square(img)))
        return img / tf.maximum(std, eps)
def lap_normalize(img, scale_n=2):
    img = tf.expand_dims(img, 0)
    tlevels = lap_split_n(img, scale_n)
    tlevels = list(map(normalize_std, tlevels))
    out = lap_merge(tlevels)
    return out[0, :, :, :]
@tf.RegisterGradient("GuidedRelu")
def _guided(op, grad):
    return tf.where(0. < grad, tf.raw_ops.ReluGrad(gradients=grad, features=op.outputs[0]), tf.zeros_like(grad))
with tf.Graph().as_default() as graph, tf.Session(graph=graph) as sess:
    tf.set_random_seed(5)
    t_input = tf.placeholder(np.float32, name='input')
    t_preprocessed = tf.expand_dims(t_input - 0.5, 0)
    t_preprocessed.set_shape([1, None, None, 3])
    layers = net(t_preprocessed)
    with graph.gradient_override_map({"Relu": "GuidedRelu"}):
        guided = net(t_preprocessed, True)
    t_score = tf.reduce_mean(layers["relu3_1"][..., 2])
    t_grad = tf.gradients(t_score, t_input)[0]
    t_saliency = tf.gradients(tf.reduce_max(guided["relu3_1"], 3), t_input)[0]
    @tffunc(np.float32, np.int32)
    def resize(img, size):
        img = tf.expand_dims(img, 0)
        return tf.image.resize_bilinear(img, size)[0, :, :, :]
    lap_norm_func = tffunc(np.float32)(lap_normalize)
    shift = tf.placeholder(tf.int32, [2])
    t_rolled = tf.roll(t_input, shift, axis=[0, 1])
    sess.run(tf.global_variables_initializer())
    def calc_grad_tiled(img, seed, tile_size=10):
        h, w = img.shape[:2]
        sx, sy = ints(seed, tile_size, 2)
        img_shift = sess.run(t_rolled, {t_input: img, shift: [sy, sx]})
        grad = np.zeros_like(img)
        for y in range(0, max(h - tile_size // 2, tile_size), tile_size):
            for x in range(0, max(w - tile_size // 2, tile_size), tile_size):
                sub = img_shift[y:y + tile_size, x:x + tile_size]
                grad[y:y + tile_size, x:x + tile_size] = sess.run(t_grad, {t_input: sub})
        return sess.run(t_rolled, {t_input: grad, shift: [-sy, -sx]})
    img = rnd(7, 14, 14, 3)
    for octave in range(2):
        if octave > 0:
            hw = np.float32(img.shape[:2]) * 1.4
            img = resize(img, np.int32(hw))
        for i in range(2):
            g = calc_grad_tiled(img, octave * 2 + i)
            g = lap_norm_func(g)
            img = img + g * np.float32(0.05)
        show("octave", [img.shape, img])
    show("saliency", sess.run(t_saliency, {t_input: img}))
