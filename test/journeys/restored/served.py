"""What functions.py has TensorFlow 2 save: functions with a loop over a tensor, conditionals, a break, a table and variables, and two signatures: `python served.py FOLDER`."""
import sys, numpy as np, tensorflow as tf
class Served(tf.Module):
    def __init__(self):
        self.w = tf.Variable(np.linspace(-1, 1, 9).reshape(3, 3).astype(np.float32), name="w"); self.calls = tf.Variable(0, dtype=tf.int64, name="calls")
        self.table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(["up", "down"], [1.0, -1.0]), 0.0)
    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, name="x"), tf.TensorSpec([], tf.string, name="mode"), tf.TensorSpec([], tf.int32, name="steps")])
    def serve(self, x, mode, steps):
        self.calls.assign_add(1)
        sign = self.table.lookup(mode); total = tf.zeros([], tf.float32); seen = tf.TensorArray(tf.float32, 0, dynamic_size=True)
        for i in tf.range(steps):
            x = tf.tanh(tf.matmul(x, self.w)) + sign * 0.1
            if tf.reduce_sum(x) > 0.0:
                x *= 0.5
            elif i > 1:
                x += 0.25
                if i > 3:
                    break
            total += tf.reduce_max(x); seen = seen.write(i, tf.reduce_mean(x))
        return {"x": x, "total": total, "seen": seen.stack(), "calls": self.calls.read_value()}
    @tf.function(input_signature=[tf.TensorSpec([3, 3], tf.float32, name="delta")])
    def nudge(self, delta):
        return {"norm": tf.norm(self.w.assign_add(delta))}
m = Served(); tf.saved_model.save(m, sys.argv[1], signatures={"serving_default": m.serve, "nudge": m.nudge})
