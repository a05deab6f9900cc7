"""A SavedModel of TensorFlow 2 with what it computes: python generate/saved_model_2.py OUT_FILE"""
import os, sys, json, base64, gzip, tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
import numpy as np
import tensorflow as tf


class Model(tf.Module):
    def __init__(self):
        self.w = tf.Variable(np.linspace(-1, 1, 12).reshape(4, 3).astype("float32"), name="w")
        self.b = tf.Variable([0.5, -0.5, 0.25], name="b")
        self.count = tf.Variable(0.0, name="count")
        with open(os.path.join(folder, "words.txt"), "w") as file:
            file.write("zero\none\ntwo\n")
        self.words = tf.lookup.StaticHashTable(
            tf.lookup.TextFileInitializer(os.path.join(folder, "words.txt"), tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER,
                                          tf.string, tf.lookup.TextFileIndex.WHOLE_LINE), "?")

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, "x"), tf.TensorSpec([], tf.int32, "steps")])
    def __call__(self, x, steps):
        h = x @ self.w + self.b
        for _ in tf.range(steps):
            if tf.reduce_sum(h) > 0:
                h = tf.tanh(h)
            else:
                h = h * 2.0 + 1.0
        best = tf.argmax(h, axis=1)
        return {"h": h, "word": self.words.lookup(best)}


folder = tempfile.mkdtemp()
model = Model()
path = os.path.join(folder, "model")
tf.saved_model.save(model, path, signatures={"serving_default": model.__call__.get_concrete_function()})
files = {os.path.relpath(os.path.join(at, name), path): base64.b64encode(open(os.path.join(at, name), "rb").read()).decode()
         for at, _, names in os.walk(path) for name in names}
runs = []
for x, steps in [([[1, 2, 3, 4], [0, -1, 0.5, 2]], 0), ([[1, 2, 3, 4]], 3), ([[-1, -2, 0, 1], [3, 0, 0, 0]], 5)]:
    out = model(tf.constant(x, tf.float32), tf.constant(steps))
    runs.append({"x": x, "steps": steps, "h": out["h"].numpy().tolist(), "word": [w.decode() for w in out["word"].numpy()]})
with gzip.GzipFile(sys.argv[1], "wb", mtime=0) as out:
    out.write(json.dumps({"files": files, "runs": runs}).encode())
