"""Capsules with dynamic routing (as a loop unrolled, a while_loop and a scan) and a spatial transformer sampling by gather_nd; margin loss, reconstruction."""
from recording import *
tf.set_random_seed(31)
epsilon = 1e-9
def squash(s, axis=-1, name=None):
    with tf.name_scope(name, default_name="squash"):
        squared_norm = tf.reduce_sum(tf.square(s), axis=axis, keepdims=True)
        safe_norm = tf.sqrt(squared_norm + epsilon)
        squash_factor = squared_norm / (1. + squared_norm)
        unit_vector = s / safe_norm
        return squash_factor * unit_vector
def safe_norm(s, axis=-1, keepdims=False, name=None):
    with tf.name_scope(name, default_name="safe_norm"):
        return tf.sqrt(tf.reduce_sum(tf.square(s), axis=axis, keepdims=keepdims) + 1e-7)
def meshgrid(height, width):
    x_t = tf.matmul(tf.ones(shape=tf.stack([height, 1])), tf.transpose(tf.expand_dims(tf.linspace(-1.0, 1.0, width), 1), [1, 0]))
    y_t = tf.matmul(tf.expand_dims(tf.linspace(-1.0, 1.0, height), 1), tf.ones(shape=tf.stack([1, width])))
    return tf.concat(axis=0, values=[tf.reshape(x_t, (1, -1)), tf.reshape(y_t, (1, -1)), tf.ones_like(tf.reshape(x_t, (1, -1)))])
def get_pixel_value(img, x, y):
    shape = tf.shape(x)
    batch_size, height, width = shape[0], shape[1], shape[2]
    batch_idx = tf.reshape(tf.range(0, batch_size), (batch_size, 1, 1))
    b = tf.tile(batch_idx, (1, height, width))
    return tf.gather_nd(img, tf.stack([b, y, x], 3))
def transformer(img, theta, out_size):
    B, H, W, C = tf.shape(img)[0], tf.shape(img)[1], tf.shape(img)[2], img.get_shape().as_list()[3]
    theta = tf.cast(tf.reshape(theta, (-1, 2, 3)), 'float32')
    grid = tf.expand_dims(meshgrid(out_size[0], out_size[1]), 0)
    grid = tf.reshape(tf.tile(tf.reshape(grid, [-1]), tf.stack([B])), tf.stack([B, 3, -1]))
    T_g = tf.matmul(theta, grid)
    x = tf.reshape(tf.slice(T_g, [0, 0, 0], [-1, 1, -1]), [-1, out_size[0], out_size[1]])
    y = tf.reshape(T_g[:, 1, :], [-1, out_size[0], out_size[1]])
    zero, max_y, max_x = tf.zeros([], dtype='int32'), tf.cast(H - 1, 'int32'), tf.cast(W - 1, 'int32')
    x = 0.5 * ((x + 1.0) * tf.cast(max_x - 1, 'float32'))
    y = 0.5 * ((y + 1.0) * tf.cast(max_y - 1, 'float32'))
    x0 = tf.cast(tf.floor(x), 'int32'); x1 = x0 + 1
    y0 = tf.cast(tf.floor(y), 'int32'); y1 = y0 + 1
    x0, x1 = tf.clip_by_value(x0, zero, max_x), tf.clip_by_value(x1, zero, max_x)
    y0, y1 = tf.clip_by_value(y0, zero, max_y), tf.clip_by_value(y1, zero, max_y)
    Ia, Ib, Ic, Id = get_pixel_value(img, x0, y0), get_pixel_value(img, x0, y1), get_pixel_value(img, x1, y0), get_pixel_value(img, x1, y1)
    x0, x1, y0, y1 = [tf.cast(v, 'float32') for v in (x0, x1, y0, y1)]
    wa = tf.expand_dims((x1 - x) * (y1 - y), axis=3)
    wb = tf.expand_dims((x1 - x) * (y - y0), axis=3)
    wc = tf.expand_dims((x - x0) * (y1 - y), axis=3)
    wd = tf.expand_dims((x - x0) * (y - y0), axis=3)
    return tf.add_n([wa * Ia, wb * Ib, wc * Ic, wd * Id])
X = tf.placeholder(shape=[None, 12, 12, 1], dtype=tf.float32, name="X")
y = tf.placeholder(shape=[None], dtype=tf.int64, name="y")
mask_with_labels = tf.placeholder_with_default(False, shape=(), name="mask_with_labels")
with tf.variable_scope("stn"):
    W_fc1 = tf.Variable(tf.zeros([144, 6]), name='W_fc1')
    initial = np.array([[1., 0, 0.1], [0, 1., -0.05]]).astype('float32').flatten()
    b_fc1 = tf.Variable(initial_value=initial, name='b_fc1')
    h_fc1 = tf.matmul(tf.reshape(X, [-1, 144]), W_fc1) + b_fc1
    h_trans = transformer(X, h_fc1, [12, 12])
    h_trans = tf.reshape(h_trans, [-1, 12, 12, 1])
conv1 = tf.layers.conv2d(h_trans, name="conv1", filters=8, kernel_size=3, strides=1, padding="valid", activation=tf.nn.relu)
conv2 = tf.layers.conv2d(conv1, name="conv2", filters=12, kernel_size=3, strides=2, padding="valid", activation=tf.nn.relu)
caps1_n_caps, caps1_n_dims, caps2_n_caps, caps2_n_dims = 4 * 4 * 3, 4, 4, 5
caps1_raw = tf.reshape(conv2, [-1, caps1_n_caps, caps1_n_dims], name="caps1_raw")
caps1_output = squash(caps1_raw, name="caps1_output")
W = tf.Variable(tf.random_normal(shape=(1, caps1_n_caps, caps2_n_caps, caps2_n_dims, caps1_n_dims), stddev=0.3, dtype=tf.float32), name="W")
batch_size = tf.shape(X)[0]
W_tiled = tf.tile(W, [batch_size, 1, 1, 1, 1], name="W_tiled")
caps1_output_tile = tf.expand_dims(tf.expand_dims(caps1_output, -1), 2)
caps1_output_tiled = tf.tile(caps1_output_tile, [1, 1, caps2_n_caps, 1, 1])
caps2_predicted = tf.matmul(W_tiled, caps1_output_tiled, name="caps2_predicted")
def round_of(raw_weights):
    routing_weights = tf.nn.softmax(raw_weights, dim=2)
    weighted_sum = tf.reduce_sum(tf.multiply(routing_weights, caps2_predicted), axis=1, keep_dims=True)
    return squash(weighted_sum, axis=-2)
def agreement(output):
    return tf.matmul(caps2_predicted, tf.tile(output, [1, caps1_n_caps, 1, 1, 1]), transpose_a=True)
raw = tf.zeros([batch_size, caps1_n_caps, caps2_n_caps, 1, 1], dtype=np.float32, name="raw_weights")
out1 = round_of(raw)
caps2_output = round_of(tf.add(raw, agreement(out1)))
_, _, looped = tf.while_loop(lambda i, r, o: i < 3, lambda i, r, o: (i + 1, r + agreement(o), round_of(r + agreement(o))), [tf.constant(1), raw, out1], swap_memory=True)
scanned = tf.scan(lambda acc, _: (acc[0] + agreement(acc[1]), round_of(acc[0] + agreement(acc[1]))), tf.range(2), initializer=(raw, out1))[1][-1]
y_proba = safe_norm(looped, axis=-2, name="y_proba")
y_pred = tf.squeeze(tf.argmax(y_proba, axis=2), axis=[1, 2], name="y_pred")
T = tf.one_hot(y, depth=caps2_n_caps, name="T")
norm = safe_norm(caps2_output, axis=-2, keepdims=True)
present_error = tf.reshape(tf.square(tf.maximum(0., 0.9 - norm)), shape=(-1, 4))
absent_error = tf.reshape(tf.square(tf.maximum(0., norm - 0.1)), shape=(-1, 4))
margin_loss = tf.reduce_mean(tf.reduce_sum(tf.add(T * present_error, 0.5 * (1.0 - T) * absent_error), axis=1))
routed_loss = tf.reduce_mean(tf.square(y_proba)) + 0.5 * tf.reduce_mean(tf.abs(scanned))
reconstruction_targets = tf.cond(mask_with_labels, lambda: y, lambda: y_pred)
reconstruction_mask = tf.reshape(tf.one_hot(reconstruction_targets, depth=caps2_n_caps), [-1, 1, caps2_n_caps, 1, 1])
caps2_output_masked = tf.multiply(caps2_output, reconstruction_mask)
with tf.name_scope("decoder"):
    hidden = tf.layers.dense(tf.reshape(caps2_output_masked, [-1, caps2_n_caps * caps2_n_dims]), 16, activation=tf.nn.relu)
    decoder_output = tf.layers.dense(hidden, 144, activation=tf.nn.sigmoid)
reconstruction_loss = tf.reduce_mean(tf.squared_difference(tf.reshape(X, [-1, 144]), decoder_output))
loss = tf.add(margin_loss, 0.1 * reconstruction_loss) + 0.2 * routed_loss
accuracy = tf.reduce_mean(tf.cast(tf.equal(y, y_pred), tf.float32))
grads = tf.gradients(loss, [W_fc1, W, b_fc1])
training_op = tf.train.GradientDescentOptimizer(0.5).minimize(loss)
with tf.Session() as sess:
    tf.global_variables_initializer().run()
    for i in range(3):
        fd = {X: rnd(i, 3, 12, 12, 1), y: ints(i + 3, 4, 3), mask_with_labels: True}
        g, l = sess.run([grads, loss], fd)
        _, m, r = sess.run([training_op, margin_loss, reconstruction_loss], fd)
        show("loss", [l, m, r])
        show("grads", [np.abs(d).mean() for d in g])
    a, b, c, p, acc = sess.run([looped, scanned, h_trans, y_pred, accuracy], {X: rnd(9, 5, 12, 12, 1), y: ints(9, 4, 5)})
    show("looped", a); show("scanned", b); show("warped", c); show("pred", [p, acc])
