"""Captions of pictures as in Show and Tell: sequence examples through queues and batch_join with padding, a frozen picture network imported in its place, a decoder whose state is fed by name, beam search outside."""
from recording import *
import heapq, math, os, tempfile
folder = tempfile.mkdtemp()
tf.set_random_seed(53)
V, E, L = 11, 6, 5
START, END = 1, 2
def _bytes_feature(value): return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
def _int64_feature_list(values): return tf.train.FeatureList(feature=[tf.train.Feature(int64_list=tf.train.Int64List(value=[v])) for v in values])
with tf.Graph().as_default(), tf.Session() as sess:
    raw = tf.placeholder(tf.uint8); encoded = tf.image.encode_png(raw)
    for shard in range(2):
        with tf.python_io.TFRecordWriter(os.path.join(folder, "train-%.2d-of-02" % shard), tf.python_io.TFRecordOptions(tf.python_io.TFRecordCompressionType.GZIP)) as writer:
            for i in range(3):
                k = 3 * shard + i
                context = tf.train.Features(feature={"image/data": _bytes_feature(sess.run(encoded, {raw: ints(k, 256, 9, 8, 3)})), "image/id": tf.train.Feature(int64_list=tf.train.Int64List(value=[k]))})
                feature_lists = tf.train.FeatureLists(feature_list={"image/caption_ids": _int64_feature_list([START] + [3 + int(w) for w in ints(k + 9, V - 3, 2 + k % 3)] + [END])})
                writer.write(tf.train.SequenceExample(context=context, feature_lists=feature_lists).SerializeToString())
# a picture network, trained by somebody else and frozen
with tf.Graph().as_default() as g:
    tf.set_random_seed(7)
    pixels = tf.placeholder(tf.float32, [None, 8, 8, 3], name="input"); keep = tf.placeholder_with_default(1.0, [], name="keep_prob")
    with tf.variable_scope("cnn"):
        net = tf.layers.conv2d(pixels, 4, 3, strides=2, padding="same", activation=tf.nn.relu, name="conv1")
        net = tf.layers.batch_normalization(net, name="bn")
        net = tf.nn.dropout(tf.layers.conv2d(net, 5, 3, padding="same", activation=tf.nn.elu, name="conv2"), keep_prob=keep)
        net = tf.identity(net, name="features")
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        frozen = tf.graph_util.convert_variables_to_constants(sess, g.as_graph_def(), ["cnn/features"])
        frozen = tf.graph_util.remove_training_nodes(frozen, protected_nodes=["cnn/features"])
    tf.train.write_graph(frozen, folder, "cnn.pb", as_text=False)
    tf.io.write_graph(frozen, folder, "cnn.pbtxt")
show("frozen", sorted("%s %s" % (n.op, n.name) for n in frozen.node))
read_back = tf.GraphDef()
with tf.gfile.FastGFile(os.path.join(folder, "cnn.pb"), "rb") as f: read_back.ParseFromString(f.read())
from google.protobuf import text_format
with open(os.path.join(folder, "cnn.pbtxt")) as f: as_text = text_format.Parse(f.read(), tf.GraphDef())
show("same", [float(len(read_back.node)), float(list(as_text.node) == list(read_back.node))])

class ShowAndTellModel(object):
    def __init__(self, mode):
        self.mode, self.initializer = mode, tf.random_uniform_initializer(minval=-0.3, maxval=0.3, seed=3)
        self.vocab_size = V
    def is_training(self): return self.mode == "train"
    def process_image(self, encoded_image, thread_id=0):
        with tf.name_scope("decode", values=[encoded_image]): image = tf.image.decode_png(encoded_image, channels=3)
        image = tf.image.convert_image_dtype(image, dtype=tf.float32)
        image = tf.image.resize_images(image, size=[8, 8], method=tf.image.ResizeMethod.BILINEAR)
        if self.is_training():
            with tf.name_scope("flip_horizontal", values=[image]): image = tf.image.random_flip_left_right(image, seed=11 + thread_id)
        image = tf.multiply(tf.subtract(image, 0.5), 2.0)
        return image
    def build_inputs(self):
        if self.mode == "inference":
            image_feed = tf.placeholder(dtype=tf.string, shape=[], name="image_feed")
            input_feed = tf.placeholder(dtype=tf.int64, shape=[None], name="input_feed")
            self.images, self.input_seqs = tf.expand_dims(self.process_image(image_feed), 0), tf.expand_dims(input_feed, 1)
            self.target_seqs = self.input_mask = None
            return
        data_files = []
        for pattern in os.path.join(folder, "train-??????02").split(","): data_files.extend(tf.gfile.Glob(pattern))
        filename_queue = tf.train.string_input_producer(sorted(data_files), shuffle=False, capacity=16, num_epochs=6, name="filenames")
        values_queue = tf.FIFOQueue(capacity=10, dtypes=[tf.string], name="input_queue")
        _, value = tf.TFRecordReader(options=tf.python_io.TFRecordOptions(tf.python_io.TFRecordCompressionType.GZIP)).read(filename_queue)
        tf.train.queue_runner.add_queue_runner(tf.train.queue_runner.QueueRunner(values_queue, [values_queue.enqueue([value])]))
        tf.summary.scalar("queue/%s/fraction_of_%d_full" % (values_queue.name, 10), tf.cast(values_queue.size(), tf.float32) * (1. / 10))
        images_and_captions = []
        for thread_id in range(1):
            context, sequence = tf.parse_single_sequence_example(values_queue.dequeue(), context_features={"image/data": tf.FixedLenFeature([], dtype=tf.string), "image/id": tf.FixedLenFeature([], dtype=tf.int64)}, sequence_features={"image/caption_ids": tf.FixedLenSequenceFeature([], dtype=tf.int64)})
            images_and_captions.append([self.process_image(context["image/data"], thread_id), sequence["image/caption_ids"]])
        enqueue_list = []
        for image, caption in images_and_captions:
            caption_length = tf.shape(caption)[0]
            input_length = tf.expand_dims(tf.subtract(caption_length, 1), 0)
            input_seq, target_seq = tf.slice(caption, [0], input_length), tf.slice(caption, [1], input_length)
            indicator = tf.ones(input_length, dtype=tf.int32)
            enqueue_list.append([image, input_seq, target_seq, indicator])
        self.images, self.input_seqs, self.target_seqs, self.input_mask = tf.train.batch_join(enqueue_list, batch_size=3, capacity=6, dynamic_pad=True, name="batch_and_pad")
        lengths = tf.add(tf.reduce_sum(self.input_mask, 1), 1)
        tf.summary.scalar("caption_length/batch_min", tf.reduce_min(lengths)); tf.summary.scalar("caption_length/batch_mean", tf.reduce_mean(lengths))
    def build_image_embeddings(self):
        features, conv_kernel = tf.import_graph_def(read_back, input_map={"input:0": self.images, "keep_prob": tf.constant(0.8 if self.is_training() else 1.0)}, return_elements=["cnn/features:0", "cnn/conv2/kernel"], name="picture")
        features = tf.stop_gradient(features); self.kernel_op = conv_kernel
        self.areas = tf.reshape(features, [tf.shape(features)[0], 16, 5])
        with tf.variable_scope("image_embedding") as scope:
            self.image_embeddings = tf.layers.dense(tf.reduce_mean(features, [1, 2]), E, kernel_initializer=self.initializer, use_bias=False, kernel_regularizer=lambda w: 1e-3 * tf.nn.l2_loss(w), name="projection")
        tf.constant(E, name="embedding_size")
    def build_seq_embeddings(self):
        with tf.variable_scope("seq_embedding"), tf.device("/cpu:0"):
            embedding_map = tf.get_variable(name="map", shape=[self.vocab_size, E], initializer=self.initializer)
            self.seq_embeddings = tf.nn.embedding_lookup(embedding_map, self.input_seqs)
    def build_model(self):
        lstm_cell = tf.nn.rnn_cell.BasicLSTMCell(num_units=L, state_is_tuple=True)
        if self.is_training(): lstm_cell = tf.nn.rnn_cell.DropoutWrapper(lstm_cell, input_keep_prob=0.9, output_keep_prob=0.9, seed=5)
        with tf.variable_scope("lstm", initializer=self.initializer) as lstm_scope:
            zero_state = lstm_cell.zero_state(batch_size=tf.shape(self.image_embeddings)[0], dtype=tf.float32)
            _, initial_state = lstm_cell(self.image_embeddings, zero_state)
            lstm_scope.reuse_variables()
            if self.mode == "inference":
                tf.concat(axis=1, values=initial_state, name="initial_state")
                state_feed = tf.placeholder(dtype=tf.float32, shape=[None, sum(lstm_cell.state_size)], name="state_feed")
                state_tuple = tf.split(value=state_feed, num_or_size_splits=2, axis=1)
                lstm_outputs, state_tuple = lstm_cell(inputs=tf.squeeze(self.seq_embeddings, axis=[1]), state=tf.nn.rnn_cell.LSTMStateTuple(*state_tuple))
                tf.concat(axis=1, values=state_tuple, name="state")
            else:
                sequence_length = tf.reduce_sum(self.input_mask, 1)
                lstm_outputs, _ = tf.nn.dynamic_rnn(cell=lstm_cell, inputs=self.seq_embeddings, sequence_length=sequence_length, initial_state=initial_state, dtype=tf.float32, parallel_iterations=1, scope=lstm_scope)
        lstm_outputs = tf.reshape(lstm_outputs, [-1, L])
        with tf.variable_scope("logits"):
            logits = tf.layers.dense(lstm_outputs, self.vocab_size, kernel_initializer=self.initializer, name="fc")
        if self.mode == "inference":
            tf.nn.softmax(logits, name="softmax")
            return
        targets, weights = tf.reshape(self.target_seqs, [-1]), tf.cast(tf.reshape(self.input_mask, [-1]), tf.float32)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=logits)
        batch_loss = tf.div(tf.reduce_sum(tf.multiply(losses, weights)), tf.reduce_sum(weights), name="batch_loss")
        tf.losses.add_loss(batch_loss)
        self.total_loss = tf.losses.get_total_loss()
        tf.summary.scalar("losses/batch_loss", batch_loss)
        for var in tf.trainable_variables(): tf.summary.histogram("parameters/" + var.op.name, var)
        self.target_cross_entropy_losses, self.target_cross_entropy_loss_weights = losses, weights
    def setup_global_step(self): self.global_step = tf.Variable(initial_value=0, name="global_step", trainable=False, collections=[tf.GraphKeys.GLOBAL_STEP, tf.GraphKeys.GLOBAL_VARIABLES])
    def build(self):
        self.build_inputs(); self.build_image_embeddings(); self.build_seq_embeddings(); self.build_model(); self.setup_global_step()
        return self
with tf.Graph().as_default():
    tf.set_random_seed(12)
    model = ShowAndTellModel("train").build()
    learning_rate = tf.train.exponential_decay(tf.constant(0.5), model.global_step, decay_steps=2, decay_rate=0.5, staircase=True)
    optimizer = tf.train.GradientDescentOptimizer(learning_rate)
    grads = optimizer.compute_gradients(model.total_loss); clipped, norm = tf.clip_by_global_norm([gr for gr, _ in grads], 0.9)
    train_op = optimizer.apply_gradients([(c, v) for c, (_, v) in zip(clipped, grads)], global_step=model.global_step)
    with tf.control_dependencies([train_op]): train_tensor = tf.identity(model.total_loss, name="train_op")
    saver = tf.train.Saver(max_to_keep=2)
    show("variables", [v.name for v in tf.global_variables()]); show("kernel", model.kernel_op.type); show("runners", [q.name for q in tf.get_collection(tf.GraphKeys.QUEUE_RUNNERS)])
    show("nodes", nodes())
    with tf.Session() as sess:
        sess.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        coord = tf.train.Coordinator(); threads = tf.train.start_queue_runners(sess=sess, coord=coord)
        try:
            for step in range(20):
                if coord.should_stop(): break
                loss, n, ls, w = sess.run([train_tensor, norm, model.target_cross_entropy_losses, model.target_cross_entropy_loss_weights])
                show("loss", [loss, n]); show("losses", ls * w)
                if step % 4 == 3: saver.save(sess, os.path.join(folder, "model.ckpt"), global_step=model.global_step)
        except tf.errors.OutOfRangeError: show("end", step)
        finally: coord.request_stop()
        coord.join(threads, stop_grace_period_secs=10)
class Caption(object):
    def __init__(self, sentence, state, logprob, score): self.sentence, self.state, self.logprob, self.score = sentence, state, logprob, score
    def __lt__(self, other): return self.score < other.score
class TopN(object):
    def __init__(self, n): self._n, self._data = n, []
    def size(self): return len(self._data)
    def push(self, x):
        if len(self._data) < self._n: heapq.heappush(self._data, x)
        else: heapq.heappushpop(self._data, x)
    def extract(self, sort=False):
        data, self._data = self._data, []
        if sort: data.sort(reverse=True)
        return data
with tf.Graph().as_default():
    model = ShowAndTellModel("inference").build(); saver = tf.train.Saver()
    show("nodes", nodes())
    latest = tf.train.latest_checkpoint(folder); show("latest", os.path.basename(latest))
    with tf.Session() as sess:
        saver.restore(sess, latest); show("step", tf.train.global_step(sess, model.global_step))
        sess.graph.finalize()
        for picture in (1, 4):
            png = next(r for k, r in enumerate(r for s in range(2) for r in tf.python_io.tf_record_iterator(os.path.join(folder, "train-%.2d-of-02" % s), tf.python_io.TFRecordOptions(tf.python_io.TFRecordCompressionType.GZIP))) if k == picture)
            png = tf.train.SequenceExample.FromString(png).context.feature["image/data"].bytes_list.value[0]
            initial_state = sess.run(fetches="lstm/initial_state:0", feed_dict={"image_feed:0": png})
            partial, complete = TopN(3), TopN(3); partial.push(Caption([START], initial_state[0], 0.0, 0.0))
            for _ in range(5):
                partial_list = partial.extract()
                softmax, new_states = sess.run(fetches=["softmax:0", "lstm/state:0"], feed_dict={"input_feed:0": np.array([c.sentence[-1] for c in partial_list]), "lstm/state_feed:0": np.array([c.state for c in partial_list])})
                for i, partial_caption in enumerate(partial_list):
                    best = sorted(enumerate(softmax[i]), key=lambda x: -x[1])[:3]
                    for w, p in best:
                        if p < 1e-12: continue
                        sentence, logprob = partial_caption.sentence + [w], partial_caption.logprob + math.log(p)
                        if w == END: complete.push(Caption(sentence, new_states[i], logprob, logprob / len(sentence) ** 0.7))
                        else: partial.push(Caption(sentence, new_states[i], logprob, logprob))
                if partial.size() == 0: break
            if not complete.size(): complete = partial
            for c in complete.extract(sort=True): show("caption", [float(w) for w in c.sentence] + [c.logprob, c.score])
