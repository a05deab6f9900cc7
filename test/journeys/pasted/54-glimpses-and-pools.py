"""Looking and pooling: recurrent attention that learns where to look (glimpses, REINFORCE with a baseline), SegNet with unpooling by argmax, an atrous pyramid, video and voxels in three dimensions, texts and signals in one, capsules of layers as objects."""
from recording import *
tf.set_random_seed(54)
# recurrent models of visual attention
B, H, NG, WIN = 4, 8, 3, 4
class GlimpseNet(object):
    def __init__(self, images_ph):
        self.images_ph = images_ph; self.init_weights()
    def init_weights(self):
        self.w_g0 = tf.Variable(tf.truncated_normal((WIN * WIN * 2, 6), stddev=0.3, seed=1)); self.b_g0 = tf.Variable(tf.constant(0.1, shape=(6,)))
        self.w_l0 = tf.Variable(tf.truncated_normal((2, 6), stddev=0.3, seed=2)); self.b_l0 = tf.Variable(tf.zeros((6,)))
        self.w_g1 = tf.Variable(tf.truncated_normal((12, H), stddev=0.3, seed=3)); self.b_g1 = tf.Variable(tf.zeros((H,)))
    def get_glimpse(self, loc):
        imgs = tf.reshape(self.images_ph, [tf.shape(self.images_ph)[0], 10, 10, 1])
        inside = 0.2 * loc; near = tf.image.extract_glimpse(imgs, [WIN, WIN], inside, uniform_noise=True); far = tf.image.extract_glimpse(imgs, [2 * WIN, 2 * WIN], inside, uniform_noise=False)
        far = tf.stop_gradient(tf.image.resize_area(far, [WIN, WIN]))
        return tf.reshape(tf.concat([near, far], 3), [tf.shape(loc)[0], WIN * WIN * 2])
    def __call__(self, loc):
        g = tf.nn.relu(tf.nn.xw_plus_b(self.get_glimpse(loc), self.w_g0, self.b_g0)); l = tf.nn.relu_layer(loc, self.w_l0, self.b_l0)
        return tf.nn.relu(tf.nn.xw_plus_b(tf.concat([g, l], 1), self.w_g1, self.b_g1))
images_ph = tf.placeholder(tf.float32, [None, 100]); labels_ph = tf.placeholder(tf.int64, [None]); N = tf.shape(images_ph)[0]
loc_mean_arr, sampled_loc_arr = [], []
gl = GlimpseNet(images_ph)
w_loc, b_loc = tf.Variable(tf.truncated_normal((H, 2), stddev=0.5, seed=4)), tf.Variable(tf.zeros((2,)))
def get_next_input(output, i):
    mean = tf.clip_by_value(tf.nn.xw_plus_b(output, w_loc, b_loc), -1., 1.)
    loc = tf.stop_gradient(tf.clip_by_value(mean + tf.random_normal((tf.shape(output)[0], 2), stddev=0.2, seed=20 + i), -1., 1.))
    loc_mean_arr.append(mean); sampled_loc_arr.append(loc)
    return gl(loc)
cell = tf.nn.rnn_cell.LSTMCell(H, state_is_tuple=True, initializer=tf.glorot_uniform_initializer(seed=6)); init_state = cell.zero_state(N, tf.float32)
init_loc = tf.random_uniform((N, 2), minval=-1, maxval=1, seed=9)
inputs = [gl(init_loc)]; outputs, prev, state = [], None, init_state
for i in range(NG + 1):
    with tf.variable_scope("rnn", reuse=i > 0):
        inp = inputs[0] if prev is None else get_next_input(prev, i)
        output, state = cell(inp, state); outputs.append(output); prev = output
get_next_input(outputs[-1], 99); loc_mean_arr.pop(); sampled_loc_arr.pop()
baselines = tf.transpose(tf.stack([tf.squeeze(tf.nn.xw_plus_b(o, w, b)) for w, b in [(tf.Variable(tf.truncated_normal((H, 1), seed=7)), tf.Variable(tf.zeros((1,))))] for o in outputs[1:]]))
logits = tf.nn.xw_plus_b(outputs[-1], tf.Variable(tf.truncated_normal((H, 3), seed=8)), tf.Variable(tf.zeros((3,))))
xent = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(logits=logits, labels=labels_ph)); pred_labels = tf.argmax(logits, 1)
reward = tf.cast(tf.equal(pred_labels, labels_ph), tf.float32); rewards = tf.tile(tf.expand_dims(reward, 1), (1, NG))
def loglikelihood(mean_arr, sampled_arr, sigma):
    gaussian = tf.distributions.Normal(tf.stack(mean_arr), sigma)
    return tf.transpose(tf.reduce_sum(gaussian.log_prob(tf.stack(sampled_arr)), 2))
logll = loglikelihood(loc_mean_arr, sampled_loc_arr, 0.2); advs = rewards - tf.stop_gradient(baselines)
reinforce = tf.reduce_mean(logll * advs); baselines_mse = tf.reduce_mean(tf.square(rewards - baselines))
loss = -reinforce + xent + baselines_mse
var_list = tf.trainable_variables(); grads = tf.gradients(loss, var_list); grads, _ = tf.clip_by_global_norm(grads, 5.)
global_step = tf.get_variable("global_step", [], initializer=tf.constant_initializer(0), trainable=False)
learning_rate = tf.maximum(tf.train.exponential_decay(0.05, global_step, 4, 0.97, staircase=True), 1e-4)
train_op = tf.train.AdamOptimizer(learning_rate).apply_gradients(zip(grads, var_list), global_step=global_step)
show("nodes", nodes())
with tf.Session() as sess:
    sess.run(tf.initialize_all_variables())
    for i in range(4):
        f = {images_ph: rnd(i, B, 100), labels_ph: ints(i, 3, B)}
        show("ram", sess.run([loss, xent, reinforce, baselines_mse, reward, learning_rate, train_op], f)[:-1])
    # duplicated images, and the places that were looked at
    f = {images_ph: np.tile(rnd(7, B, 100), [2, 1]), labels_ph: np.tile(ints(7, 3, B), [2])}; show("places", sess.run([sampled_loc_arr, loc_mean_arr], f))
tf.reset_default_graph(); tf.set_random_seed(55)
# SegNet: what the encoder's pools chose is where the decoder puts values back
def unpool(pool, ind, ksize=(1, 2, 2, 1), scope="unpool"):
    with tf.variable_scope(scope):
        input_shape = tf.shape(pool); output_shape = [input_shape[0], input_shape[1] * ksize[1], input_shape[2] * ksize[2], input_shape[3]]
        flat_input_size = tf.cumprod(input_shape)[-1]; flat_output_shape = tf.stack([output_shape[0], output_shape[1] * output_shape[2] * output_shape[3]])
        pool_ = tf.reshape(pool, tf.stack([flat_input_size]))
        batch_range = tf.reshape(tf.range(tf.cast(output_shape[0], tf.int64), dtype=ind.dtype), shape=tf.stack([input_shape[0], 1, 1, 1]))
        b = tf.reshape(tf.ones_like(ind) * batch_range, tf.stack([flat_input_size, 1]))
        ind_ = tf.concat([b, tf.reshape(ind, tf.stack([flat_input_size, 1]))], 1)
        ret = tf.reshape(tf.scatter_nd(ind_, pool_, shape=tf.cast(flat_output_shape, tf.int64)), tf.stack(output_shape))
        set_input_shape, set_output_shape = pool.get_shape(), [pool.get_shape()[0], pool.get_shape()[1].value * ksize[1], pool.get_shape()[2].value * ksize[2], pool.get_shape()[3]]
        ret.set_shape(set_output_shape)
        return ret
def conv_layer(x, n, name, phase, k=3, rate=1):
    with tf.variable_scope(name):
        w = tf.get_variable("w", [k, k, x.get_shape()[-1], n], initializer=tf.initializers.he_normal(seed=len(name)))
        y = tf.nn.atrous_conv2d(x, w, rate, "SAME") if rate > 1 else tf.nn.conv2d(x, w, [1, 1, 1, 1], "SAME")
        y = tf.layers.batch_normalization(y, training=phase, momentum=0.7, fused=True)
        return tf.nn.crelu(y) if n < 4 else tf.nn.leaky_relu(y, alpha=0.1)
x = tf.placeholder(tf.float32, [None, 8, 8, 3], name="image"); y = tf.placeholder(tf.int32, [None, 8, 8], name="annotation"); phase = tf.placeholder(tf.bool, name="phase")
e1 = conv_layer(x, 3, "enc1", phase); p1, a1 = tf.nn.max_pool_with_argmax(e1, [1, 2, 2, 1], [1, 2, 2, 1], "SAME", name="pool1")
e2 = conv_layer(p1, 4, "enc2", phase); p2, a2 = tf.nn.max_pool_with_argmax(e2, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME", name="pool2")
aspp = tf.concat([conv_layer(p2, 4, "rate%d" % r, phase, rate=r) for r in (1, 2, 3)] + [tf.tile(tf.reduce_mean(p2, [1, 2], keepdims=True), [1, 2, 2, 1])], 3)
d2 = conv_layer(unpool(conv_layer(aspp, 4, "bottleneck", phase, k=1), a2, scope="unpool2"), 4, "dec2", phase)
d2 = tf.pad(d2, [[0, 0], [0, 0], [0, 0], [0, 2]]); d1 = conv_layer(unpool(d2, a1, scope="unpool1"), 4, "dec1", phase)
edges = tf.nn.dilation2d(x, tf.get_variable("structure", [3, 3, 3], initializer=tf.random_uniform_initializer(-0.1, 0.1, seed=5)), [1, 1, 1, 1], [1, 1, 1, 1], "SAME") - tf.nn.erosion2d(x, tf.zeros([2, 2, 3]), [1, 1, 1, 1], [1, 1, 1, 1], "SAME")
logits = tf.layers.conv2d(tf.concat([d1, edges, tf.reshape(tf.image.sobel_edges(x), [-1, 8, 8, 6])], 3), 3, 1, name="logits", kernel_initializer=tf.initializers.glorot_uniform(seed=3))
weights = tf.gather(tf.constant([0.2, 1.0, 1.5]), y); cross = tf.losses.sparse_softmax_cross_entropy(y, logits, weights=weights)
soft = tf.nn.softmax(logits); hot = tf.one_hot(y, 3); inter = tf.reduce_sum(soft * hot, [1, 2]); iou = tf.reduce_mean(inter / (tf.reduce_sum(soft + hot, [1, 2]) - inter)); total = cross - tf.log(iou)
miou, update_miou = tf.metrics.mean_iou(y, tf.argmax(logits, 3), num_classes=3); by_class, update_class = tf.metrics.mean_per_class_accuracy(y, tf.argmax(logits, 3), num_classes=3)
with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)): step = tf.train.AdadeltaOptimizer(1.0, 0.9).minimize(total)
show("nodes", nodes())
with tf.Session() as sess:
    sess.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
    for n in (2, 3, 2): f = {x: rnd(n, n, 8, 8, 3), y: ints(n, 3, n, 8, 8), phase: True}; show("segnet", sess.run([total, cross, iou, step], f)[:3])
    f[phase] = False; show("update", sess.run([update_miou, update_class], f)); show("metrics", sess.run([miou, by_class])); show("classes", sess.run(logits, f)); show("argmax", sess.run([a1, a2], f))
tf.reset_default_graph(); tf.set_random_seed(56)
# three dimensions, and one
video = tf.placeholder(tf.float32, [None, 6, 8, 8, 2], name="video"); truth = tf.placeholder(tf.float32, [None, 3], name="truth"); keep = tf.placeholder_with_default(0.7, [])
wc = {"c1": tf.get_variable("c1", [3, 3, 3, 2, 4], initializer=tf.initializers.variance_scaling(seed=1)), "c2": tf.get_variable("c2", [3, 3, 3, 4, 5], initializer=tf.initializers.lecun_normal(seed=2))}; bc = {k: tf.get_variable("b" + k, v.shape[-1:], initializer=tf.initializers.zeros()) for k, v in wc.items()}
def conv3d(name, l, w, b): return tf.nn.bias_add(tf.nn.conv3d(l, w, strides=[1, 1, 1, 1, 1], padding="SAME"), b, name=name)
def max_pool(name, l, k): return tf.nn.max_pool3d(l, ksize=[1, k, 2, 2, 1], strides=[1, k, 2, 2, 1], padding="SAME", name=name)
c3d = max_pool("pool1", tf.nn.relu(conv3d("conv1", video, wc["c1"], bc["c1"]), "relu1"), 1); c3d = tf.nn.avg_pool3d(tf.nn.selu(conv3d("conv2", c3d, wc["c2"], bc["c2"])), [1, 2, 2, 2, 1], [1, 2, 2, 2, 1], "VALID")
i3d = tf.layers.conv3d(video, 3, [1, 3, 3], (1, 2, 2), "same", activation=tf.nn.relu, kernel_initializer=tf.initializers.glorot_normal(seed=3)); i3d = tf.layers.max_pooling3d(i3d, [2, 2, 2], 2); up3d = tf.layers.conv3d_transpose(i3d, 2, 2, strides=2, padding="same", kernel_initializer=tf.initializers.he_uniform(seed=4)); rec = tf.losses.huber_loss(tf.layers.average_pooling3d(video, (1, 2, 2), (1, 2, 2)), up3d)
flat = tf.layers.flatten(tf.transpose(c3d, [0, 1, 4, 2, 3])); h3 = tf.nn.dropout(tf.layers.dense(tf.concat([flat, tf.layers.Flatten()(i3d)], 1), 6, tf.nn.softplus, kernel_initializer=tf.initializers.orthogonal(seed=5)), keep, seed=6)
text = tf.placeholder(tf.float32, [None, 12, 4], name="text")
conv = tf.layers.Conv1D(5, 3, padding="valid", activation=tf.nn.tanh, kernel_initializer=tf.initializers.lecun_uniform(seed=7), name="shared_conv"); pool = tf.layers.MaxPooling1D(pool_size=2, strides=2); branches = [pool(conv(text)), tf.layers.AveragePooling1D(2, 2)(conv(tf.reverse(text, [1])))]
sep = tf.layers.separable_conv1d(text, 6, 3, depth_multiplier=2, padding="same", depthwise_initializer=tf.initializers.glorot_uniform(seed=8), pointwise_initializer=tf.initializers.glorot_uniform(seed=9)); sep = tf.layers.average_pooling1d(sep, 3, 3); up1 = tf.nn.conv1d_transpose(sep, tf.get_variable("up", [3, 4, 6], initializer=tf.initializers.uniform_unit_scaling(seed=10)), tf.stack([tf.shape(sep)[0], 12, 4]), 3, "SAME")
rec1 = tf.reduce_mean(tf.squared_difference(up1, text)); feats = tf.concat([tf.reduce_max(b, 1) for b in branches] + [tf.reduce_mean(tf.squeeze(tf.nn.pool(tf.expand_dims(text, 2), [4, 1], "AVG", "VALID", strides=[4, 1]), [2]), 1), h3], 1)
out = tf.layers.Dense(3, use_bias=False, kernel_initializer=tf.initializers.truncated_normal(stddev=0.3, seed=11), kernel_constraint=lambda w: w / tf.maximum(tf.norm(w, axis=0), 1.0))(feats)
objective = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=truth, logits=out)) + 0.1 * rec + 0.1 * rec1 + 0.01 * tf.losses.absolute_difference(truth, out, reduction=tf.losses.Reduction.MEAN); tf.losses.hinge_loss(truth, out); hinge = tf.losses.get_losses()[-1]
vars_ = tf.trainable_variables(); show("layers", [v.op.name for v in vars_]); opt = tf.train.ProximalGradientDescentOptimizer(0.1, l1_regularization_strength=1e-3, l2_regularization_strength=1e-3); step = opt.minimize(objective)
show("nodes", nodes())
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for n in (2, 3, 3): f = {video: rnd(n, n, 6, 8, 8, 2), text: rnd(n + 5, n, 12, 4), truth: ints(n, 2, n, 3)}; show("mixed", sess.run([objective, rec, rec1, hinge, step], f)[:4])
    f[keep] = 1.0; show("out", sess.run(out, f)); show("conv", sess.run([conv.kernel, conv.bias])); show("weights", [float(w.sum()) for w in sess.run(vars_)])
