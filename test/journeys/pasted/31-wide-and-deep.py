"""Census income with feature columns as an estimator's model_fn has them: serialized examples, a wide and a deep part, an optimizer for each, evaluation."""
from recording import *
fc = tf.feature_column
tf.set_random_seed(3)
JOBS = ["clerk", "nurse", "farmer", "driver", "teacher"]
EDU = ["Bachelors", "HS-grad", "11th", "Masters", "Preschool"]
WORDS = ["ski", "read", "cook", "run", "swim", "paint"]
def build_model_columns():
    age = fc.numeric_column("age")
    hours = fc.numeric_column("hours", shape=(2,), default_value=[40.0, 30.0], normalizer_fn=lambda x: (x - 38.0) / 10.0)
    education = fc.categorical_column_with_vocabulary_list("education", EDU[:4], num_oov_buckets=2)
    education_num = fc.categorical_column_with_identity("education_num", 16, default_value=0)
    occupation = fc.categorical_column_with_hash_bucket("occupation", hash_bucket_size=7)
    age_buckets = fc.bucketized_column(age, boundaries=[18, 25, 30, 40, 50, 65])
    hobbies = fc.categorical_column_with_hash_bucket("hobbies", hash_bucket_size=9)
    weighted_hobbies = fc.weighted_categorical_column(hobbies, "hobby_weights")
    bought = fc.categorical_column_with_identity("bought", 8)
    seen = fc.categorical_column_with_identity("seen", 8)
    base_columns = [education, occupation, age_buckets, weighted_hobbies]
    crossed_columns = [
        fc.crossed_column(["education", "occupation"], hash_bucket_size=20),
        fc.crossed_column([age_buckets, "education", "occupation"], hash_bucket_size=30)]
    deep_columns = [
        age, hours, fc.indicator_column(education), fc.indicator_column(education_num), fc.indicator_column(weighted_hobbies),
        fc.embedding_column(occupation, dimension=3), fc.embedding_column(weighted_hobbies, dimension=2, combiner="sqrtn", max_norm=1.5)]
    deep_columns += fc.shared_embedding_columns([bought, seen], dimension=2, combiner="sum", initializer=tf.random_uniform_initializer(-0.5, 0.5))
    return base_columns + crossed_columns, deep_columns
wide_columns, deep_columns = build_model_columns()
def _float(v): return tf.train.Feature(float_list=tf.train.FloatList(value=v))
def _int(v): return tf.train.Feature(int64_list=tf.train.Int64List(value=v))
def _bytes(v): return tf.train.Feature(bytes_list=tf.train.BytesList(value=[x.encode() for x in v]))
def make_examples(seed, n):
    r = rnd(seed, n, 12); out = []
    for i in range(n):
        q = [float(x) for x in r[i]]
        feature = {
            "age": _float([15.0 + 60.0 * q[0]]), "education": _bytes([EDU[int(q[1] * 5)]]), "occupation": _bytes([JOBS[int(q[2] * 5)]]),
            "hobbies": _bytes([WORDS[int(q[3 + j] * 6)] for j in range(int(q[6] * 4))]), "hobby_weights": _float([q[7] + j for j in range(int(q[6] * 4))]),
            "bought": _int([int(q[8] * 8), int(q[9] * 8)]), "seen": _int([int(q[10] * 8)] * int(q[11] * 3)), "label": _int([int(q[0] + q[1] > 1.0)])}
        if q[4] > 0.3: feature["hours"] = _float([30.0 + 20.0 * q[5], 20.0 * q[3]])
        if q[5] > 0.2: feature["education_num"] = _int([int(q[2] * 16)])
        out.append(tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString())
    return out
feature_spec = fc.make_parse_example_spec(wide_columns + deep_columns)
feature_spec["label"] = tf.FixedLenFeature([1], tf.int64)
show("spec", sorted(k + ":" + type(v).__name__ for k, v in feature_spec.items()))
def model_fn(features, labels, params):
    with tf.variable_scope("dnn"):
        partitioner = tf.min_max_variable_partitioner(max_partitions=1)
        with tf.variable_scope("input_from_feature_columns", values=tuple(features.values()), partitioner=partitioner) as scope:
            net = fc.input_layer(features=features, feature_columns=params["deep"])
        for layer_id, num_hidden_units in enumerate(params["hidden_units"]):
            with tf.variable_scope("hiddenlayer_%d" % layer_id, values=(net,)) as hidden_layer_scope:
                net = tf.layers.dense(net, units=num_hidden_units, activation=tf.nn.relu, kernel_initializer=tf.glorot_uniform_initializer(), name=hidden_layer_scope)
            tf.summary.scalar("fraction_of_zero_values", tf.nn.zero_fraction(net))
        with tf.variable_scope("logits", values=(net,)) as logits_scope:
            dnn_logits = tf.layers.dense(net, units=1, activation=None, kernel_initializer=tf.glorot_uniform_initializer(), name=logits_scope)
    with tf.variable_scope("linear", values=tuple(features.values())) as scope:
        cols_to_vars = {}
        linear_logits = fc.linear_model(features=features, feature_columns=params["wide"], units=1, sparse_combiner="sum", cols_to_vars=cols_to_vars)
    logits = dnn_logits + linear_logits
    logistic = tf.sigmoid(logits, name="logistic")
    loss = tf.losses.sigmoid_cross_entropy(labels, logits) + tf.losses.get_regularization_loss()
    metrics = {"accuracy": tf.metrics.accuracy(labels, tf.cast(logistic > 0.5, tf.int64)), "auc": tf.metrics.auc(labels, logistic, num_thresholds=50), "mean": tf.metrics.mean(logistic),
               "pr": tf.metrics.auc(labels, logistic, curve="PR", num_thresholds=50, summation_method="careful_interpolation"), "precision": tf.metrics.precision_at_thresholds(labels, logistic, [0.3, 0.5])}
    global_step = tf.train.get_or_create_global_step()
    train_ops = []
    train_ops.append(tf.train.AdagradOptimizer(0.1).minimize(loss, var_list=tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope="dnn")))
    train_ops.append(tf.train.FtrlOptimizer(0.2, l1_regularization_strength=0.01).minimize(loss, var_list=tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope="linear")))
    train_op = tf.group(*train_ops)
    with tf.control_dependencies([train_op]):
        train_op = tf.assign_add(global_step, 1).op
    return logistic, loss, train_op, metrics, cols_to_vars
serialized = tf.placeholder(tf.string, [None], name="serialized")
features = tf.parse_example(serialized, feature_spec)
labels = features.pop("label")
logistic, loss, train_op, metrics, cols_to_vars = model_fn(features, labels, {"wide": wide_columns, "deep": deep_columns, "hidden_units": [6, 4]})
show("vars", [v.name + str(v.shape.as_list()) for v in tf.trainable_variables()])
show("cols", sorted(c if isinstance(c, str) else c.name for c in cols_to_vars.keys()))
with tf.Session() as sess:
    sess.run([tf.global_variables_initializer(), tf.local_variables_initializer(), tf.tables_initializer()])
    for step in range(5):
        _, l = sess.run([train_op, loss], {serialized: make_examples(step * 77 + 1, 16)})
        if step % 2 == 0: show("loss", l)
    updates = [m[1] for m in metrics.values()]
    for step in range(2): sess.run(updates, {serialized: make_examples(step + 500, 20)})
    for name in sorted(metrics): show(name, sess.run(metrics[name][0]))
    show("logistic", sess.run(logistic, {serialized: make_examples(9, 6)}))
    show("summed", [float(np.sum(v)) for v in sess.run(tf.trainable_variables())])
    show("step", sess.run(tf.train.get_global_step()))
