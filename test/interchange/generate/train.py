"""Trains a small net with Adam from a checkpoint or from the start: python train.py FROM|- STEPS TO, any number of such triples."""
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.disable_resource_variables()


def pattern(rows, columns, a, b, n):
    return np.asarray([[((i * a + j * b) % n) / n - 0.5 for j in range(columns)] for i in range(rows)], np.float32)


x = tf.constant(pattern(16, 5, 37, 11, 17))
labels = tf.constant([i % 3 for i in range(16)], tf.int64)
w1 = tf.Variable(pattern(5, 8, 7, 3, 13), name="w1")
b1 = tf.Variable(tf.zeros([8]), name="b1")
w2 = tf.Variable(pattern(8, 3, 5, 2, 11), name="w2")
step = tf.train.get_or_create_global_step()
logits = tf.matmul(tf.nn.tanh(tf.matmul(x, w1) + b1), w2)
loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
train = tf.train.AdamOptimizer(0.01).minimize(loss, global_step=step)
saver = tf.train.Saver()
arguments = sys.argv[1:]
for at in range(0, len(arguments), 3):
    source, steps, target = arguments[at:at + 3]
    with tf.Session() as session:
        if source == "-":
            session.run(tf.global_variables_initializer())
        else:
            saver.restore(session, source)
        for _ in range(int(steps)):
            session.run(train)
        saver.save(session, target, write_meta_graph=False, write_state=False)
