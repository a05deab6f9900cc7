"""Graphs of objects that tf.train.Checkpoint writes: python -m generate.object_graphs OUT.json. The same objects are made in src/io/saver-objects.test.ts."""
import base64
import json
import sys
import tempfile

from .tfenv import np, tf, new_session


def dense(make):
    layer, optimizer = tf.layers.Dense(2), make()
    optimizer.minimize(tf.reduce_sum(layer(tf.ones([1, 3]))))
    return dict(layer=layer, optimizer=optimizer)


def used(layer, shape):
    layer(tf.ones(shape))
    return dict(layer=layer)


def cell(cell):
    tf.nn.dynamic_rnn(cell, tf.ones([1, 2, 3]), dtype=tf.float32)
    return dict(cell=cell)


class Net(tf.Module):
    def __init__(self):
        super().__init__()
        self.first_weight = tf.Variable(1.)
        self.rest = [tf.Variable(2.), dict(x=tf.Variable(3.))]
        self.count = 3


def shared():
    v = tf.Variable([1., 2.], name="v")
    inner = tf.train.Checkpoint(v=v, other=tf.Variable(1., name="w"))
    return dict(inner=inner, v=v, step=tf.train.get_or_create_global_step())


T = tf.train
C = tf.nn.rnn_cell
MAKE = {
    "variables": lambda: dict(v=tf.Variable([1., 2.], name="q"), my_name=tf.get_variable("r", [3], use_resource=True)),
    "adam": lambda: dense(lambda: T.AdamOptimizer(.1)),
    "momentum": lambda: dense(lambda: T.MomentumOptimizer(.1, .9)),
    "ftrl": lambda: dense(lambda: T.FtrlOptimizer(.1)),
    "rmsprop": lambda: dense(lambda: T.RMSPropOptimizer(.1)),
    "descent": lambda: dense(lambda: T.GradientDescentOptimizer(.1)),
    "normalization": lambda: used(tf.layers.BatchNormalization(), [1, 3]),
    "convolution": lambda: used(tf.layers.SeparableConv2D(2, 2), [1, 3, 3, 1]),
    "lstm": lambda: cell(C.LSTMCell(2, use_peepholes=True, num_proj=2)),
    "cells": lambda: cell(C.MultiRNNCell([C.GRUCell(2), C.DropoutWrapper(C.BasicLSTMCell(2), .9)])),
    "structures": lambda: dict(a=[tf.Variable(1.), {"x": tf.Variable(2.), "y": [tf.Variable(3.)]}], b={"z": tf.Variable(4.)}, c=(tf.Variable(5.),)),
    "module": lambda: dict(net=Net()),
    "table": lambda: dict(table=tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1)),
    "shared": shared,
    "scale": lambda: dict(scale=T.experimental.DynamicLossScale()),
    "nothing": lambda: dict(),
}


def main():
    found = {}
    for name, make in MAKE.items():
        with tf.Graph().as_default() as graph, tempfile.TemporaryDirectory() as folder:
            checkpoint = tf.train.Checkpoint(**make())
            with new_session(graph) as session:
                session.run(tf.global_variables_initializer())
                reader = tf.train.load_checkpoint(checkpoint.save(folder + "/m", session=session))
            graph_bytes = reader.get_tensor("_CHECKPOINTABLE_OBJECT_GRAPH")
            found[name] = dict(graph=base64.b64encode(graph_bytes).decode(), keys={k: np.asarray(reader.get_tensor(k)).dtype.name for k in sorted(reader.get_variable_to_shape_map())})
    with open(sys.argv[1], "w") as f:
        json.dump(found, f, indent=1)


main()
