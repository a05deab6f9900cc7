"""SAGAN and WGAN-GP: spectral norm whose power iteration is assigned under control dependencies, conditional batch norm, self-attention, gradient penalty, n critics."""
from recording import *
tf.set_random_seed(777)
weight_init = tf.random_normal_initializer(mean=0.0, stddev=0.3)
def spectral_norm(w, iteration=1):
    w_shape = w.shape.as_list()
    w = tf.reshape(w, [-1, w_shape[-1]])
    u = tf.get_variable("u", [1, w_shape[-1]], initializer=tf.truncated_normal_initializer(), trainable=False)
    u_hat = u
    v_hat = None
    for i in range(iteration):
        v_ = tf.matmul(u_hat, tf.transpose(w))
        v_hat = l2_norm(v_)
        u_ = tf.matmul(v_hat, w)
        u_hat = l2_norm(u_)
    u_hat = tf.stop_gradient(u_hat)
    v_hat = tf.stop_gradient(v_hat)
    sigma = tf.matmul(tf.matmul(v_hat, w), tf.transpose(u_hat))
    with tf.control_dependencies([u.assign(u_hat)]):
        w_norm = w / sigma
        w_norm = tf.reshape(w_norm, w_shape)
    return w_norm
def l2_norm(v, eps=1e-12):
    return v / (tf.reduce_sum(v ** 2) ** 0.5 + eps)
def conv(x, channels, kernel=4, stride=2, pad=0, sn=False, scope='conv_0'):
    with tf.variable_scope(scope):
        if pad > 0:
            x = tf.pad(x, [[0, 0], [pad, pad], [pad, pad], [0, 0]])
        if sn:
            w = tf.get_variable("kernel", shape=[kernel, kernel, x.get_shape()[-1], channels], initializer=weight_init)
            x = tf.nn.conv2d(input=x, filter=spectral_norm(w), strides=[1, stride, stride, 1], padding='VALID')
            bias = tf.get_variable("bias", [channels], initializer=tf.constant_initializer(0.0))
            x = tf.nn.bias_add(x, bias)
        else:
            x = tf.layers.conv2d(inputs=x, filters=channels, kernel_size=kernel, kernel_initializer=weight_init, strides=stride)
        return x
def deconv(x, channels, kernel=4, stride=2, sn=False, scope='deconv_0'):
    with tf.variable_scope(scope):
        x_shape = x.get_shape().as_list()
        output_shape = [x_shape[0], x_shape[1] * stride, x_shape[2] * stride, channels]
        w = tf.get_variable("kernel", shape=[kernel, kernel, channels, x.get_shape()[-1]], initializer=weight_init)
        x = tf.nn.conv2d_transpose(x, filter=spectral_norm(w) if sn else w, output_shape=output_shape, strides=[1, stride, stride, 1], padding='SAME')
        return x
def fully_conneted(x, units, use_bias=True, sn=False, scope='fully_0'):
    with tf.variable_scope(scope):
        x = tf.layers.flatten(x)
        shape = x.get_shape().as_list()
        channels = shape[-1]
        w = tf.get_variable("kernel", [channels, units], tf.float32, initializer=weight_init)
        x = tf.matmul(x, spectral_norm(w) if sn else w)
        if use_bias:
            x = x + tf.get_variable("bias", [units], initializer=tf.constant_initializer(0.0))
        return x
def condition_batch_norm(x, z, is_training=True, scope='batch_norm'):
    with tf.variable_scope(scope):
        _, _, _, c = x.get_shape().as_list()
        decay, epsilon = 0.9, 1e-05
        test_mean = tf.get_variable("pop_mean", shape=[c], dtype=tf.float32, initializer=tf.constant_initializer(0.0), trainable=False)
        test_var = tf.get_variable("pop_var", shape=[c], dtype=tf.float32, initializer=tf.constant_initializer(1.0), trainable=False)
        beta = fully_conneted(z, units=c, scope='beta', sn=True)
        gamma = fully_conneted(z, units=c, scope='gamma', sn=True)
        beta, gamma = tf.reshape(beta, shape=[-1, 1, 1, c]), tf.reshape(gamma, shape=[-1, 1, 1, c])
        if is_training:
            batch_mean, batch_var = tf.nn.moments(x, [0, 1, 2])
            ema_mean = tf.assign(test_mean, test_mean * decay + batch_mean * (1 - decay))
            ema_var = tf.assign(test_var, test_var * decay + batch_var * (1 - decay))
            with tf.control_dependencies([ema_mean, ema_var]):
                return tf.nn.batch_normalization(x, batch_mean, batch_var, beta, gamma, epsilon)
        else:
            return tf.nn.batch_normalization(x, test_mean, test_var, beta, gamma, epsilon)
def hw_flatten(x):
    return tf.reshape(x, shape=[x.shape[0], -1, x.shape[-1]])
def attention(x, channels, scope='attention'):
    with tf.variable_scope(scope):
        f = conv(x, channels // 2, kernel=1, stride=1, sn=True, scope='f_conv')
        g = conv(x, channels // 2, kernel=1, stride=1, sn=True, scope='g_conv')
        h = conv(x, channels, kernel=1, stride=1, sn=True, scope='h_conv')
        s = tf.matmul(hw_flatten(g), hw_flatten(f), transpose_b=True)
        beta = tf.nn.softmax(s)
        o = tf.matmul(beta, hw_flatten(h))
        gamma = tf.get_variable("gamma", [1], initializer=tf.constant_initializer(0.0))
        o = tf.reshape(o, shape=x.shape)
        x = gamma * o + x
    return x
B, ZD = 4, 6
def generator(z, is_training=True, reuse=False):
    with tf.variable_scope("generator", reuse=reuse):
        x = fully_conneted(z, 2 * 2 * 6, use_bias=False, scope='dense')
        x = tf.reshape(x, [B, 2, 2, 6])
        x = tf.nn.relu(condition_batch_norm(x, z, is_training, scope='cbn_0'))
        x = deconv(x, 5, sn=True, scope='deconv_0')
        x = tf.nn.relu(condition_batch_norm(x, z, is_training, scope='cbn_1'))
        x = attention(x, 5, scope='attention')
        x = deconv(x, 3, scope='logit')
        return tf.tanh(x)
def discriminator(x, reuse=False):
    with tf.variable_scope("discriminator", reuse=reuse):
        x = tf.nn.leaky_relu(conv(x, 5, pad=1, sn=True, scope='conv_0'), 0.2)
        x = attention(x, 5, scope='attention')
        x = tf.nn.leaky_relu(conv(x, 6, pad=1, sn=True, scope='conv_1'), 0.2)
        return fully_conneted(x, 1, scope='D_logits')
def gradient_penalty(real, fake):
    eps = tf.random_normal(shape=tf.shape(real), mean=0., stddev=1.)
    _, x_var = tf.nn.moments(real, axes=[0, 1, 2, 3])
    x_std = tf.sqrt(x_var)
    noise = 0.5 * x_std * eps
    shape = tf.shape(real)
    alpha = tf.random_uniform(shape=[shape[0], 1, 1, 1], minval=-1., maxval=1.)
    interpolated = real + alpha * noise
    logit = discriminator(interpolated, reuse=True)
    grad = tf.gradients(logit, interpolated)[0]
    grad_norm = tf.norm(tf.layers.flatten(grad), axis=1)
    GP = 10. * tf.reduce_mean(tf.square(grad_norm - 1.))
    epsilon = tf.random_uniform([B, 1, 1, 1], 0.0, 1.0)
    x_hat = epsilon * real + (1 - epsilon) * fake
    ddx = tf.gradients(discriminator(x_hat, reuse=True), x_hat)[0]
    ddx = tf.sqrt(tf.reduce_sum(tf.square(ddx), reduction_indices=[1, 2, 3]))
    return GP + tf.reduce_mean(tf.square(tf.nn.relu(ddx - 0.5)) * 3.)
inputs = tf.placeholder(tf.float32, [B, 8, 8, 3], name='real_images')
z = tf.placeholder(tf.float32, [B, ZD], name='z')
real_logits = discriminator(inputs)
fake_images = generator(z)
fake_logits = discriminator(fake_images, reuse=True)
GP = gradient_penalty(real=inputs, fake=fake_images)
d_loss = -tf.reduce_mean(real_logits) + tf.reduce_mean(fake_logits) + GP
g_loss = -tf.reduce_mean(fake_logits)
t_vars = tf.trainable_variables()
d_vars = [var for var in t_vars if 'discriminator' in var.name]
g_vars = [var for var in t_vars if 'generator' in var.name]
show("vars", [v.name for v in tf.global_variables()])
d_optim = tf.train.AdamOptimizer(0.02, beta1=0.0, beta2=0.9).minimize(d_loss, var_list=d_vars)
opti = tf.train.AdamOptimizer(0.01, beta1=0.0, beta2=0.9)
g_optim = opti.minimize(g_loss, var_list=g_vars)
clip_D = [p.assign(tf.clip_by_value(p, -0.6, 0.6)) for p in d_vars]
reset = tf.variables_initializer(opti.variables())
test_images = generator(z, is_training=False, reuse=True)
with tf.Session() as sess:
    tf.global_variables_initializer().run()
    for idx in range(4):
        batch_images, batch_z = rnd(idx, B, 8, 8, 3) * 2 - 1, rnd(idx + 20, B, ZD) * 2 - 1
        for c in range(2):
            _, dl, gp = sess.run([d_optim, d_loss, GP], feed_dict={inputs: batch_images, z: batch_z})
        sess.run(clip_D)
        _, gl = sess.run([g_optim, g_loss], feed_dict={inputs: batch_images, z: batch_z})
        show("loss", [dl, gp, gl])
        if idx == 2:
            sess.run(reset)
    show("images", test_images.eval({z: batch_z}))
    show("u", sess.run([v for v in tf.global_variables() if v.op.name.endswith("/u") or "pop_" in v.name][:6]))
