# Writes what test/interchange/checkpoints.test.ts reads: vocabularies, a checkpoint to start from, what TensorFlow makes of them; an object checkpoint.
import os, sys, json, base64
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0")
import numpy as np
import tensorflow.compat.v1 as tf

folder, out = sys.argv[1:3]
os.makedirs(folder, exist_ok=True)
os.chdir(folder)
open("old.txt", "w").write("apple\nbanana\nguava\nfig\n")
open("new.txt", "w").write("guava\nkiwi\nbanana\napple\nlime\n")
old = np.arange(12, dtype=np.float32).reshape(4, 3)

with tf.Graph().as_default(), tf.Session() as session:
    tf.get_variable("emb", initializer=old, use_resource=False)
    tf.get_variable("cols", initializer=old.T.copy(), use_resource=False)
    tf.get_variable("plain", initializer=[7.0, 8.0], use_resource=False)
    session.run(tf.global_variables_initializer())
    tf.train.Saver().save(session, "warm.ckpt", write_meta_graph=False)

cases = []
def case(**options):
    with tf.Graph().as_default(), tf.Session() as session:
        parts = options.get("parts")
        partitioner = tf.fixed_size_partitioner(parts) if parts else None
        oov = options.get("oov", 0)
        axis = options.get("axis", 0)
        rows, name = 5 + oov, ["emb", "cols", "cols"][axis]
        shape = [rows, 3] if axis == 0 else [3, rows]
        v = tf.get_variable("new/" + name, shape, initializer=tf.ones_initializer(), partitioner=partitioner, use_resource=options.get("resource", False))
        tf.get_variable("plain", [2], initializer=tf.zeros_initializer(), use_resource=False)
        backup = (lambda shape, dtype=tf.float32, partition_info=None: tf.fill(shape, options["backup"])) if "backup" in options else None
        info = tf.train.VocabInfo("new.txt", 5, oov, "old.txt", options.get("old_size", -1), backup, axis)
        try:
            tf.train.warm_start("warm.ckpt", ".*", {"new/" + name: info}, {"new/" + name: name})
            session.run(tf.global_variables_initializer())
            whole = session.run(tf.convert_to_tensor(v))
            cases.append({"options": options, "value": whole.tolist(), "plain": session.run("plain:0").tolist()})
        except Exception as error:
            cases.append({"options": options, "error": type(error).__name__ + ": " + str(error)})
case()
case(backup=9.0)
case(oov=2, backup=9.0)
case(parts=2, oov=2, backup=9.0)
case(parts=6, oov=2, backup=9.0)
case(axis=1, oov=1, backup=9.0)
case(axis=1)
case(old_size=2, backup=9.0)

case(resource=True, backup=9.0)

import tensorflow
with tf.Graph().as_default(), tf.Session() as session:
    import tf_keras
    model = tf_keras.Sequential([tf_keras.layers.Dense(2, name="first"), tf_keras.layers.Dense(1, name="second")])
    model.build([None, 3])
    ck = tf.train.Checkpoint(model=model, step=tf.Variable(3, name="step", use_resource=True))
    session.run(tf.global_variables_initializer())
    names = [v.name for v in tf.global_variables()]
    ck.save("objects", session=session)
    values = {v.name[:-2]: session.run(v).tolist() for v in tf.global_variables()}
with tf.Graph().as_default(), tf.Session() as session:
    a = tf.get_variable("first/kernel", [3, 2]); b = tf.get_variable("missing", [1])
    s = tf.train.Saver([a]); s.restore(session, "objects-1")
    s = tf.train.Saver()
    try: s.restore(session, "objects-1")
    except Exception as e: missing = type(e).__name__ + ": " + str(e)
files = {n: base64.b64encode(open(n, "rb").read()).decode() for n in sorted(os.listdir(".")) if n != "checkpoint"}
json.dump({"files": files, "warmStarts": cases, "objects": {"values": values, "missing": missing}}, open(out, "w"), separators=(",", ":"))
