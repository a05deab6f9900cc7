"""Fast WaveNet generation: FIFOQueues as state between runs; dilated causal convolutions with time_to_batch; own l2 over variables."""
from recording import *
tf.set_random_seed(4)
CH, Q = 4, 8
def time_to_batch(value, dilation):
    shape = tf.shape(value); pad_elements = dilation - 1 - (shape[1] + dilation - 1) % dilation
    padded = tf.pad(value, [[0, 0], [0, pad_elements], [0, 0]])
    reshaped = tf.reshape(padded, [-1, dilation, shape[2]])
    return tf.reshape(tf.transpose(reshaped, perm=[1, 0, 2]), [shape[0] * dilation, -1, shape[2]])
def batch_to_time(value, dilation):
    shape = tf.shape(value)
    prepared = tf.reshape(value, [dilation, -1, shape[2]])
    return tf.reshape(tf.transpose(prepared, perm=[1, 0, 2]), [tf.div(shape[0], dilation), -1, shape[2]])
def causal_conv(value, filter_, dilation, name='causal_conv'):
    with tf.name_scope(name):
        filter_width = tf.shape(filter_)[0]
        padding = [[0, 0], [(filter_width - 1) * dilation, 0], [0, 0]]
        padded = tf.pad(value, padding)
        if dilation > 1:
            conv = tf.nn.conv1d(time_to_batch(padded, dilation), filter_, stride=1, padding='VALID')
            restored = batch_to_time(conv, dilation)
        else: restored = tf.nn.conv1d(padded, filter_, stride=1, padding='VALID')
        result = tf.slice(restored, [0, 0, 0], [-1, tf.shape(value)[1], -1])
        return result
variables = {}
for i, d in enumerate([1, 2, 4]):
    with tf.variable_scope('layer{}'.format(i)):
        variables[i] = dict(filter=tf.get_variable('filter', [2, CH if i else Q, CH]), gate=tf.get_variable('gate', [2, CH if i else Q, CH]), dense=tf.Variable(tf.truncated_normal([1, CH, CH], stddev=0.3), name='dense'))
post = tf.get_variable('post', [1, CH, Q])
wave = tf.placeholder(tf.int32, [None, None])
onehot = tf.one_hot(wave, depth=Q, dtype=tf.float32)
current = onehot
for i, d in enumerate([1, 2, 4]):
    v = variables[i]
    out = tf.tanh(causal_conv(current, v['filter'], d)) * tf.sigmoid(causal_conv(current, v['gate'], d))
    t = tf.nn.conv1d(out, v['dense'], stride=1, padding="SAME", name="dense")
    current = t if i == 0 else current + t
logits = tf.nn.conv1d(current, post, stride=1, padding="SAME")
shifted = tf.pad(tf.slice(onehot, [0, 1, 0], [-1, tf.shape(onehot)[1] - 1, -1]), [[0, 0], [0, 1], [0, 0]])
loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(logits=tf.reshape(logits, [-1, Q]), labels=tf.reshape(shifted, [-1, Q])))
l2 = tf.add_n([tf.nn.l2_loss(v) for v in tf.trainable_variables() if not ('bias' in v.name)])
opt = tf.train.RMSPropOptimizer(0.01, decay=0.9, momentum=0.9, epsilon=1.0, centered=True).minimize(loss + 1e-3 * l2)
sample = tf.placeholder(tf.int32, [1]); cur = tf.one_hot(sample, Q); init_ops, push_ops = [], []
for i, d in enumerate([1, 2, 4]):
    v = variables[i]; n = CH if i else Q
    q = tf.FIFOQueue(d, dtypes=tf.float32, shapes=(1, n)); init = q.enqueue_many(tf.zeros((d, 1, n)))
    state = q.dequeue(); push = q.enqueue([cur]); init_ops.append(init); push_ops.append(push)
    g = lambda w: tf.matmul(state, w[0, :, :]) + tf.matmul(cur, w[1, :, :])
    out = tf.tanh(g(v['filter'])) * tf.sigmoid(g(v['gate'])); t = tf.matmul(out, v['dense'][0, :, :])
    cur = t if i == 0 else cur + t
proba = tf.cast(tf.nn.softmax(tf.cast(tf.matmul(cur, post[0]), tf.float64)), tf.float32)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for i in range(12):
        l, _ = sess.run([loss, opt], {wave: ints(i, Q, 2, 11)})
        if i % 3 == 0: show("l", l)
    sess.run(init_ops)
    w = list(ints(77, Q, 9))
    for s in w: p, _ = sess.run([proba, push_ops], {sample: [s]})
    show("fast", p); show("slow", sess.run(tf.nn.softmax(logits), {wave: [w]})[0, -1])
