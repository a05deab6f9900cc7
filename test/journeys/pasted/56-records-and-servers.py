"""Files and servers: CIFAR's fixed records and CSV lines by readers and queues (priorities, conditional accumulators, partial batches), a checkpoint that is inspected, renamed and read by another model, a model served through a builder with vocabularies as assets, windows and buckets, sequence columns, tables, rarer metrics."""
from recording import *
import os, shutil, struct, tempfile
tf.set_random_seed(61); folder = tempfile.mkdtemp()
# binary records as CIFAR-10 has them, and lines of CSV
with open(os.path.join(folder, "data_batch_1.bin"), "wb") as f:
    f.write(b"head")
    for i in range(7): f.write(bytes([i % 3])); f.write(ints(i, 256, 3 * 4 * 4).astype(np.uint8).tobytes())
    f.write(b"tl")
with open(os.path.join(folder, "iris.csv"), "w") as f: f.write("sl,sw,kind\n" + "".join("%.2f,%s,%s\n" % (v[0] * 5, "" if i % 3 == 1 else "%.1f" % v[1], ["setosa", "virginica", '"iris, other"'][i % 3]) for i, v in enumerate(rnd(3, 8, 2))))
with tf.Graph().as_default():
    tf.set_random_seed(1)
    names = tf.train.string_input_producer([os.path.join(folder, "data_batch_1.bin")], num_epochs=2, shuffle=False); reader = tf.FixedLengthRecordReader(record_bytes=1 + 48, header_bytes=4, footer_bytes=2)
    key, value = reader.read(names); record_bytes = tf.decode_raw(value, tf.uint8); label = tf.cast(tf.strided_slice(record_bytes, [0], [1]), tf.int32)
    depth_major = tf.reshape(tf.strided_slice(record_bytes, [1], [49]), [3, 4, 4]); uint8image = tf.transpose(depth_major, [1, 2, 0]); float_image = tf.image.per_image_standardization(tf.cast(uint8image, tf.float32)); label.set_shape([1])
    images, labels = tf.train.batch([float_image, label], batch_size=4, num_threads=1, capacity=12, allow_smaller_final_batch=True)
    lines = tf.TextLineReader(skip_header_lines=1); lkey, line = lines.read(tf.train.string_input_producer([os.path.join(folder, "iris.csv")], num_epochs=1, shuffle=False)); sl, sw, kind = tf.decode_csv(line, record_defaults=[[1.0], [-1.0], ["none"]]); table = tf.train.batch({"sl": sl, "sw": sw, "kind": kind}, 3, allow_smaller_final_batch=True)
    whole_key, whole = tf.WholeFileReader().read(tf.train.input_producer([os.path.join(folder, "iris.csv")], shuffle=False, num_epochs=1)); size = tf.size(tf.string_split([whole], "\n").values)
    produced = reader.num_records_produced()
    with tf.Session() as sess:
        sess.run([tf.global_variables_initializer(), tf.local_variables_initializer()]); coord = tf.train.Coordinator(); threads = tf.train.start_queue_runners(sess, coord)
        show("whole", sess.run(size))
        for fetch, name in (([images[:, 0, 0], labels], "batch"), ([table["kind"], table["sl"], table["sw"]], "csv")):
            try:
                while not coord.should_stop():
                    got = sess.run(fetch)
                    show(name, [[w.decode() for w in got[0]]] + got[1:] if name == "csv" else got)
            except tf.errors.OutOfRangeError as e: show("end of " + name, 1.0)
        coord.request_stop(); coord.join(threads)
# queues by hand
with tf.Graph().as_default():
    tf.set_random_seed(2)
    urgent = tf.PriorityQueue(20, [tf.string, tf.float32], [[], [2]], name="urgent"); put = tf.placeholder(tf.int64, []); word = tf.placeholder(tf.string, []); enqueue = urgent.enqueue([put, word, tf.fill([2], tf.cast(put, tf.float32))]); pop = urgent.dequeue(); many = urgent.dequeue_many(2); left = urgent.size(); close = urgent.close()
    mixed = tf.RandomShuffleQueue(20, 2, [tf.int32], [[]], seed=5, name="mixed"); fill = mixed.enqueue_many([tf.range(12)]); drawn = mixed.dequeue_many(5); up_to = mixed.dequeue_up_to(20); end = mixed.close(cancel_pending_enqueues=True)
    pads = tf.PaddingFIFOQueue(10, [tf.float32], [[None, 2]]); plan = [pads.enqueue([tf.ones([k, 2]) * k]) for k in (1, 3, 2)]; padded = pads.dequeue_many(3)
    w = tf.Variable([1.0, 2.0]); acc = tf.ConditionalAccumulator(tf.float32, shape=[2], name="acc"); local_step = tf.placeholder(tf.int64, []); grad = tf.placeholder(tf.float32, [2]); push = acc.apply_grad(grad, local_step=local_step); mean = acc.take_grad(2); advance = acc.set_global_step(3); count = acc.num_accumulated()
    sacc = tf.SparseConditionalAccumulator(tf.float32, shape=[4, 2], name="sacc"); rows = tf.IndexedSlices(tf.constant([[1.0, 2.0], [3.0, 4.0]]), tf.constant([0, 3], tf.int64), tf.constant([4, 2], tf.int64)); spush = sacc.apply_indexed_slices_grad(rows), sacc.apply_grad([1, 3], tf.ones([2, 2])); smean = sacc.take_indexed_slices_grad(2)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for p, t in ((5, "later"), (1, "first"), (3, "middle"), (3, "tied")): sess.run(enqueue, {put: p, word: t})
        p, t, v = sess.run(pop); show("pop", [[float(p)], [t.decode()], v]); p, t, v = sess.run(many); show("many", [p, [x.decode() for x in t], v]); show("left", sess.run(left)); sess.run(close)
        sess.run(fill); show("drawn", sess.run(drawn)); sess.run(end); show("rest", sess.run(up_to)); [sess.run(one) for one in plan]; show("padded", sess.run(padded));
        for s, g in ((0, [1, 2]), (0, [3, 6])): sess.run(push, {local_step: s, grad: g})
        show("mean", sess.run([count, mean])); sess.run(advance); sess.run(push, {local_step: 1, grad: [9, 9]}); show("stale", sess.run(count)); sess.run(spush); show("sparse", list(sess.run(smean)))
# checkpoints: inspected, renamed, warm-started, and a serving model
vocabulary = os.path.join(folder, "words.txt")
with open(vocabulary, "w") as f: f.write("\n".join(["a", "cat", "sat", "on", "mats"]) + "\n")
def model(sentences, scope="old"):
    table = tf.lookup.StaticVocabularyTable(tf.lookup.TextFileInitializer(vocabulary, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER), 2)
    words = tf.string_split(tf.strings.lower(tf.strings.strip(sentences))); ids = tf.SparseTensor(words.indices, table.lookup(words.values), words.dense_shape)
    with tf.variable_scope(scope, partitioner=None): embedding = tf.get_variable("embedding", [7, 3], initializer=tf.random_normal_initializer(seed=4)); bag = tf.nn.safe_embedding_lookup_sparse(embedding, ids, combiner="sqrtn", default_id=0); return tf.layers.dense(bag, 2, name="scores", kernel_initializer=tf.glorot_uniform_initializer(seed=5)), ids
with tf.Graph().as_default():
    text = tf.placeholder(tf.string, [None], name="text"); logits, ids = model(text); target = tf.placeholder(tf.int32, [None]); loss = tf.losses.sparse_softmax_cross_entropy(target, logits); gs = tf.train.create_global_step(); step = tf.train.AdagradOptimizer(0.3).minimize(loss, gs); f = {text: [" A cat", "sat on dogs", "", "Mats"], target: [0, 1, 1, 0]}
    class Listener(tf.train.CheckpointSaverListener):
        def __init__(self): self.seen = []
        def begin(self): self.seen.append("begin")
        def before_save(self, session, global_step_value): self.seen.append("before %d" % global_step_value)
        def after_save(self, session, global_step_value): self.seen.append("after %d" % global_step_value)
        def end(self, session, global_step_value): self.seen.append("end %d" % global_step_value)
    listener = Listener(); scaffold = tf.train.Scaffold(saver=tf.train.Saver(max_to_keep=2, keep_checkpoint_every_n_hours=1)); hook = tf.train.CheckpointSaverHook(os.path.join(folder, "run"), save_steps=2, scaffold=scaffold, listeners=[listener])
    with tf.train.MonitoredSession(session_creator=tf.train.ChiefSessionCreator(scaffold, checkpoint_dir=os.path.join(folder, "run")), hooks=[hook, tf.train.StopAtStepHook(num_steps=5), tf.train.StepCounterHook(every_n_steps=100, output_dir=os.path.join(folder, "run"))]) as sess:
        while not sess.should_stop(): show("loss", sess.run([loss, step], f)[0])
    show("listener", listener.seen)
latest = tf.train.latest_checkpoint(os.path.join(folder, "run")); show("latest", os.path.basename(latest)); show("exists", [float(tf.train.checkpoint_exists(latest)), float(tf.train.checkpoint_exists(latest + "0"))]); show("listed", ["%s %s" % v for v in tf.train.list_variables(latest)]); show("loaded", tf.train.load_variable(latest, "old/embedding")); reader = tf.train.NewCheckpointReader(latest); show("types", sorted("%s %s" % (k, v.name) for k, v in reader.get_variable_to_dtype_map().items())); show("has", float(reader.has_tensor("old/scores/bias/Adagrad"))); show("state", [os.path.basename(p) for p in tf.train.get_checkpoint_state(os.path.join(folder, "run")).all_model_checkpoint_paths])
with tf.Graph().as_default() as g:
    text = tf.placeholder(tf.string, [None], name="text"); logits, ids = model(text, "new"); tf.train.init_from_checkpoint(latest, {"old/": "new/"}); probs = tf.nn.softmax(logits, name="probs"); values, indices = tf.nn.top_k(probs, 2); classes = tf.gather(tf.constant(["no", "yes"]), indices)
    export = os.path.join(folder, "served", "1"); builder = tf.saved_model.builder.SavedModelBuilder(export); info = tf.saved_model.utils.build_tensor_info
    with tf.Session() as sess:
        sess.run([tf.global_variables_initializer(), tf.tables_initializer()]); want = sess.run([probs, classes], {text: ["a cat sat", "DOGS"]}); show("want", [want[0], [[w.decode() for w in r] for r in want[1]]])
        predict = tf.saved_model.signature_def_utils.build_signature_def(inputs={"text": info(text)}, outputs={"probs": info(probs)}, method_name=tf.saved_model.signature_constants.PREDICT_METHOD_NAME); classify = tf.saved_model.signature_def_utils.classification_signature_def(text, classes, values)
        builder.add_meta_graph_and_variables(sess, [tf.saved_model.tag_constants.SERVING], signature_def_map={"predict_text": predict, tf.saved_model.signature_constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY: classify}, assets_collection=tf.get_collection(tf.GraphKeys.ASSET_FILEPATHS), main_op=tf.tables_initializer(), strip_default_attrs=True); builder.save(); tf.saved_model.simple_save(sess, os.path.join(folder, "served", "2"), {"text": text}, {"probs": probs})
with tf.Graph().as_default(), tf.Session() as sess:
    shutil.move(export, os.path.join(folder, "moved")); meta = tf.saved_model.loader.load(sess, [tf.saved_model.tag_constants.SERVING], os.path.join(folder, "moved")); show("signatures", sorted("%s %s %s" % (k, v.method_name, sorted(v.outputs)) for k, v in meta.signature_def.items())); sig = meta.signature_def["predict_text"]; show("served", sess.run(sig.outputs["probs"].name, {sig.inputs["text"].name: ["a cat sat", "DOGS"]})); show("assets", sorted(os.listdir(os.path.join(folder, "moved", "assets"))))
with tf.Graph().as_default(), tf.Session() as sess: meta = tf.saved_model.load(sess, ["serve"], os.path.join(folder, "served", "2")); show("simple", sess.run("probs:0", {"text:0": ["mats"]})); show("key", list(meta.signature_def))
# a pipeline with windows by key, rejection, an iterator read by two
with tf.Graph().as_default():
    ds = tf.data.Dataset.range(14).map(lambda i: {"x": tf.cast(i, tf.float32) / 2, "key": i % 3}); windows = ds.apply(tf.data.experimental.group_by_window(lambda e: e["key"], lambda k, d: d.batch(3), window_size=3)); it = windows.make_initializable_iterator(); nxt = it.get_next(); 
    opt = tf.data.experimental.get_next_as_optional(it); has = opt.has_value(); lengths = tf.data.Dataset.from_tensor_slices([3, 1, 4, 1, 5, 2, 6]).map(lambda n: tf.range(n)).apply(tf.data.experimental.bucket_by_sequence_length(tf.size, [3, 5], [2, 2, 1])); lnext = lengths.make_one_shot_iterator().get_next(); pick = tf.data.experimental.choose_from_datasets([tf.data.Dataset.from_tensors(a).repeat() for a in ("a", "b", "c")], tf.data.Dataset.range(3).repeat(2)).make_one_shot_iterator().get_next()
    total = tf.data.experimental.get_single_element(tf.data.Dataset.range(6).batch(6)); csv = tf.data.experimental.CsvDataset(os.path.join(folder, "iris.csv"), [tf.float32, tf.constant([-1.0]), tf.string], header=True, select_cols=[0, 1, 2]).take(2).make_one_shot_iterator().get_next()
    with tf.Session() as sess:
        sess.run([it.initializer, tf.global_variables_initializer()]); first = sess.run(nxt); second = sess.run(nxt); show("windows", [first["x"], first["key"], second["x"]]); again = sess.run(nxt); show("again", [again["x"], again["key"]])
        while sess.run(has): show("optional", 1.0)
        for _ in range(4): show("bucket", sess.run(lnext))
        show("picked", [sess.run(pick).decode() for _ in range(6)]); show("total", sess.run(total))
        for _ in range(2): a, b, c = sess.run(csv); show("csv row", [float(a), float(b), c.decode()])
# sequence columns beside a recurrent net, metrics at the end
with tf.Graph().as_default():
    tf.set_random_seed(9); fc = tf.feature_column
    words = tf.SparseTensor([[0, 0], [0, 1], [1, 0], [2, 0], [2, 1], [2, 2]], ["cat", "sat", "mats", "on", "dogs", "a"], [3, 3]); prices = tf.SparseTensor([[0, 0], [0, 1], [1, 0], [2, 0], [2, 1], [2, 2]], [1.0, 2.0, 0.5, 0.1, 0.2, 0.3], [3, 3]); cat = fc.sequence_categorical_column_with_vocabulary_file("w", vocabulary, vocabulary_size=5, num_oov_buckets=1); columns = [fc.embedding_column(cat, 3, initializer=tf.random_normal_initializer(seed=2)), fc.sequence_numeric_column("p", normalizer_fn=lambda t: t * 2.0)]
    hashed = fc.sequence_categorical_column_with_hash_bucket("w", 4); ind = fc.indicator_column(hashed); show("column", [c.name for c in columns] + [ind.name])
    table = tf.lookup.experimental.DenseHashTable(tf.int64, tf.float32, -1.0, empty_key=-1, deleted_key=-2); ins = table.insert(tf.constant([1, 5], tf.int64), [0.5, 2.5]); got = table.lookup(tf.constant([5, 2, 1], tf.int64)); mt = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1); mins = mt.insert(["x", "y"], tf.constant([3, 4], tf.int64)); exported = mt.export()
    labels = tf.constant([1, 0, 1, 1, 0, 0]); preds = tf.constant([0.9, 0.4, 0.35, 0.8, 0.6, 0.1]); m = [tf.metrics.sensitivity_at_specificity(labels, preds, 0.6), tf.metrics.specificity_at_sensitivity(labels, preds, 0.6), tf.metrics.precision_at_thresholds(labels, preds, [0.3, 0.7]), tf.metrics.false_negatives_at_thresholds(labels, preds, [0.5]), tf.metrics.mean_cosine_distance(tf.nn.l2_normalize(preds[None], 1), tf.nn.l2_normalize(tf.to_float(labels)[None], 1), 1), tf.metrics.percentage_below(preds, 0.5), tf.metrics.mean_relative_error(tf.to_float(labels), preds, preds), tf.metrics.mean_tensor(tf.stack([preds, preds * 2])), tf.metrics.recall_at_k(tf.constant([[1], [2]], tf.int64), [[0.1, 0.6, 0.3], [0.5, 0.3, 0.2]], 2), tf.metrics.average_precision_at_k(tf.constant([[1, 2], [2, 0]], tf.int64), [[0.1, 0.6, 0.3], [0.5, 0.3, 0.2]], 2), tf.metrics.root_mean_squared_error(tf.to_float(labels), preds), tf.metrics.auc(labels, preds, curve="PR", num_thresholds=20, summation_method="careful_interpolation")]
    with tf.Session() as sess:
        sess.run([tf.tables_initializer(), tf.local_variables_initializer()]); sess.run([ins, mins]); show("tables", sess.run(got)); k, v = sess.run(exported); show("exported", [float(x) for x in sorted(v)]); sess.run([u for _, u in m]); show("metrics", sess.run([a for a, _ in m]))
shutil.rmtree(folder)
