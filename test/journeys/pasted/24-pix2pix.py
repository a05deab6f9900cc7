"""CycleGAN and pix2pix: instance norm by moments, reflected padding, optimizers on scopes, a pool of images, averages of losses, linear decay of rates."""
from recording import *
tf.set_random_seed(1234)
class ImagePool:
    def __init__(self, pool_size):
        self.pool_size, self.images, self.seed = pool_size, [], 5
    def query(self, image):
        if len(self.images) < self.pool_size:
            self.images.append(image)
            return image
        self.seed += 1
        p, k = rnd(self.seed, 2)
        if p > 0.5:
            k = int(k * self.pool_size)
            tmp = self.images[k].copy()
            self.images[k] = image.copy()
            return tmp
        return image
def _weights(name, shape, mean=0.0, stddev=0.02):
    return tf.get_variable(name, shape, initializer=tf.random_normal_initializer(mean=mean, stddev=stddev, dtype=tf.float32))
def _biases(name, shape, constant=0.0):
    return tf.get_variable(name, shape, initializer=tf.constant_initializer(constant))
def _instance_norm(input):
    with tf.variable_scope("instance_norm"):
        depth = input.get_shape()[3]
        scale = _weights("scale", [depth], mean=1.0)
        offset = _biases("offset", [depth])
        mean, variance = tf.nn.moments(input, axes=[1, 2], keep_dims=True)
        epsilon = 1e-5
        inv = tf.rsqrt(variance + epsilon)
        normalized = (input - mean) * inv
        return scale * normalized + offset
def c7s1_k(input, k, reuse=False, norm='instance', activation='relu', name='c7s1_k'):
    with tf.variable_scope(name, reuse=reuse):
        weights = _weights("weights", shape=[3, 3, input.get_shape()[3], k], stddev=0.2)
        padded = tf.pad(input, [[0, 0], [1, 1], [1, 1], [0, 0]], 'REFLECT')
        conv = tf.nn.conv2d(padded, weights, strides=[1, 1, 1, 1], padding='VALID')
        normalized = _instance_norm(conv) if norm == 'instance' else conv
        if activation == 'relu':
            output = tf.nn.relu(normalized)
        if activation == 'tanh':
            output = tf.nn.tanh(normalized)
        return output
def Rk(input, k, reuse=False, name=None):
    with tf.variable_scope(name, reuse=reuse):
        outs = input
        for layer in ('layer1', 'layer2'):
            with tf.variable_scope(layer, reuse=reuse):
                weights = _weights("weights", shape=[3, 3, outs.get_shape()[3], k], stddev=0.2)
                outs = tf.nn.conv2d(tf.pad(outs, [[0, 0], [1, 1], [1, 1], [0, 0]], 'SYMMETRIC'), weights, strides=[1, 1, 1, 1], padding='VALID')
                outs = _instance_norm(outs)
                if layer == 'layer1':
                    outs = tf.nn.relu(outs)
        return input + outs
def uk(input, k, reuse=False, name=None, output_size=None):
    with tf.variable_scope(name, reuse=reuse):
        input_shape = input.get_shape().as_list()
        weights = _weights("weights", shape=[3, 3, k, input_shape[3]], stddev=0.2)
        output_size = output_size or input_shape[1] * 2
        output_shape = [input_shape[0], output_size, output_size, k]
        fsconv = tf.nn.conv2d_transpose(input, weights, output_shape=output_shape, strides=[1, 2, 2, 1], padding='SAME')
        return tf.nn.relu(_instance_norm(fsconv))
class Generator:
    def __init__(self, name, ngf=4):
        self.name, self.reuse, self.ngf = name, False, ngf
    def __call__(self, input):
        with tf.variable_scope(self.name):
            c = c7s1_k(input, self.ngf, reuse=self.reuse, name='c7s1_32')
            with tf.variable_scope('d64', reuse=self.reuse):
                d = tf.nn.relu(_instance_norm(tf.nn.conv2d(c, _weights("weights", [3, 3, self.ngf, 6], stddev=0.2), strides=[1, 2, 2, 1], padding='SAME')))
            r = Rk(d, 6, reuse=self.reuse, name='R6_1')
            u = uk(r, self.ngf, reuse=self.reuse, name='u32')
            output = c7s1_k(u, 3, norm=None, activation='tanh', reuse=self.reuse, name='output')
        self.reuse = True
        self.variables = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope=self.name)
        return output
class Discriminator:
    def __init__(self, name):
        self.name, self.reuse = name, False
    def __call__(self, input):
        with tf.variable_scope(self.name):
            with tf.variable_scope('C64', reuse=self.reuse):
                w = _weights("weights", [4, 4, input.get_shape()[3], 5], stddev=0.2)
                h = tf.nn.conv2d(input, w, strides=[1, 2, 2, 1], padding='SAME')
                h = tf.maximum(0.2 * h, h)
            with tf.variable_scope('output', reuse=self.reuse):
                w = _weights("weights", [4, 4, 5, 1], stddev=0.2)
                h = tf.nn.conv2d(h, w, strides=[1, 1, 1, 1], padding='SAME') + _biases("biases", [1])
                output = h
        self.reuse = True
        self.variables = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope=self.name)
        return output
G, F, D_Y, D_X = Generator('G'), Generator('F'), Discriminator('D_Y'), Discriminator('D_X')
S, REAL_LABEL, lambda1, B = 8, 0.9, 10.0, 1
def make_optimizer(loss, variables, name='Adam'):
    global_step = tf.Variable(0, trainable=False)
    starter_learning_rate, end_learning_rate, start_decay_step, decay_steps = 2e-3, 0.0, 2, 4
    learning_rate = tf.where(tf.greater_equal(global_step, start_decay_step), tf.train.polynomial_decay(starter_learning_rate, global_step - start_decay_step, decay_steps, end_learning_rate, power=1.0), starter_learning_rate)
    tf.summary.scalar('learning_rate/{}'.format(name), learning_rate)
    return tf.train.AdamOptimizer(learning_rate, beta1=0.5, name=name).minimize(loss, global_step=global_step, var_list=variables)
def convert2int(image):
    return tf.image.convert_image_dtype((image + 1.0) / 2.0, tf.uint8)
def batch_convert2int(images):
    return tf.map_fn(convert2int, images, dtype=tf.uint8)
x = tf.placeholder(tf.float32, [B, S, S, 3])
y = tf.placeholder(tf.float32, [B, S, S, 3])
fake_x_in = tf.placeholder(tf.float32, shape=[B, S, S, 3])
fake_y_in = tf.placeholder(tf.float32, shape=[B, S, S, 3])
fake_y, fake_x = G(x), F(y)
cycle_loss = lambda1 * tf.reduce_mean(tf.abs(F(fake_y) - x)) + lambda1 * tf.reduce_mean(tf.abs(G(fake_x) - y))
gen = lambda D, fake: tf.reduce_mean(tf.squared_difference(D(fake), REAL_LABEL))
dis = lambda D, real, fake: (tf.reduce_mean(tf.squared_difference(D(real), REAL_LABEL)) + tf.reduce_mean(tf.square(D(fake)))) / 2
G_loss, F_loss = gen(D_Y, fake_y) + cycle_loss, gen(D_X, fake_x) + cycle_loss
D_Y_loss, D_X_loss = dis(D_Y, y, fake_y_in), dis(D_X, x, fake_x_in)
show("vars", [v.name for v in tf.trainable_variables()])
G_optimizer = make_optimizer(G_loss, G.variables, name='Adam_G')
D_Y_optimizer = make_optimizer(D_Y_loss, D_Y.variables, name='Adam_D_Y')
F_optimizer = make_optimizer(F_loss, F.variables, name='Adam_F')
D_X_optimizer = make_optimizer(D_X_loss, D_X.variables, name='Adam_D_X')
ema = tf.train.ExponentialMovingAverage(decay=0.99)
update_losses = ema.apply([G_loss, D_Y_loss])
gen_loss_GAN, dis_loss = ema.average(G_loss), ema.average(D_Y_loss)
with tf.name_scope("encode_images"):
    display = {"inputs": tf.map_fn(tf.image.encode_png, batch_convert2int(x), dtype=tf.string, name="input_pngs"), "outputs": tf.map_fn(tf.image.encode_png, batch_convert2int(G(x)), dtype=tf.string, name="output_pngs")}
tf.summary.image('X/generated', batch_convert2int(G(x)))
tf.summary.image('X/reconstruction', batch_convert2int(F(G(x))))
for var in D_X.variables:
    tf.summary.histogram(var.op.name + "/values", var)
summary_op = tf.summary.merge_all()
show("scopes", [op.name for op in tf.get_default_graph().get_operations() if op.type == "MirrorPadGrad"])
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    fake_Y_pool, fake_X_pool = ImagePool(2), ImagePool(2)
    for step in range(5):
        feed = {x: rnd(step, B, S, S, 3) * 2 - 1, y: rnd(step + 60, B, S, S, 3) * 2 - 1}
        fake_y_val, fake_x_val = sess.run([fake_y, fake_x], feed)
        feed[fake_y_in] = fake_Y_pool.query(fake_y_val); feed[fake_x_in] = fake_X_pool.query(fake_x_val)
        g, dy, f, dx = [sess.run([loss, train], feed)[0] for loss, train in ((G_loss, G_optimizer), (D_Y_loss, D_Y_optimizer), (F_loss, F_optimizer), (D_X_loss, D_X_optimizer))]
        sess.run(update_losses, feed)
        show("step", [g, dy, f, dx])
    show("averages", sess.run([gen_loss_GAN, dis_loss]))
    results = sess.run(display, feed)
    for name in ("inputs", "outputs"):
        show(name, sess.run(tf.image.decode_png(results[name][0])))
    summary = tf.Summary.FromString(sess.run(summary_op, feed))
    show("tags", [v.tag for v in summary.value])
    show("rates", [v.simple_value for v in summary.value if v.HasField("simple_value")])
