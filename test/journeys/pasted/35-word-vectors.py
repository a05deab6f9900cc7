"""Word vectors from strings: tables in the graph, splits and hashes of words as in fastText, nce and sampled softmax with each sampler, GloVe's weights."""
from recording import *
tf.set_random_seed(21)
TEXT = ["the cat sat on the mat", "a dog sat on the cat", "the dog ate a cat hat", "mice ate the mat"]
vocab = sorted({w for line in TEXT for w in line.split()})[:8]
D, V = 4, 12
mapping = tf.constant(vocab)
table = tf.lookup.StaticVocabularyTable(tf.lookup.KeyValueTensorInitializer(mapping, tf.range(8, dtype=tf.int64)), num_oov_buckets=4)
reverse = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(tf.range(8, dtype=tf.int64), mapping), default_value="UNK")
lines = tf.placeholder(tf.string, [None], "lines")
split = tf.string_split(lines, " ")
ids = tf.sparse_tensor_to_dense(tf.SparseTensor(split.indices, table.lookup(split.values), split.dense_shape), default_value=-1)
lengths = tf.reduce_sum(tf.cast(ids >= 0, tf.int32), 1)
grams = tf.string_to_hash_bucket_fast(tf.substr(tf.constant([w + "##" for w in vocab]), tf.zeros([8], tf.int32), 3 * tf.ones([8], tf.int32)), 6)
strong = tf.string_to_hash_bucket_strong(lines, 100, key=[3, 7]); old = tf.string_to_hash_bucket(lines, 100)
joined = tf.reduce_join(tf.sparse_tensor_to_dense(split, default_value=""), 1, separator="_"); upper = tf.strings.upper(tf.regex_replace(lines, "[aeiou]", "."))
number = tf.string_to_number(tf.as_string(tf.cast(lengths, tf.float32) / 3.0, precision=2)); stripped = tf.string_strip(tf.string_join([lines, lines], "  "))
center = tf.placeholder(tf.int64, [None]); context = tf.placeholder(tf.int64, [None, 1])
emb = tf.get_variable("emb", [V, D], initializer=tf.random_uniform_initializer(-1.0, 1.0))
gram_emb = tf.get_variable("gram_emb", [6, D], initializer=tf.random_normal_initializer(stddev=0.1))
known = tf.minimum(center, 7)
x = tf.nn.embedding_lookup(emb, center) + tf.gather(gram_emb, tf.gather(grams, known))
nce_w = tf.Variable(tf.truncated_normal([V, D], stddev=1.0 / np.sqrt(D)), name="nce_w"); nce_b = tf.Variable(tf.zeros([V]), name="nce_b")
unigrams = [float(1 + i % 4) for i in range(V)]
samplers = {
    "log": tf.nn.log_uniform_candidate_sampler(context, 1, 5, True, V, seed=1), "uniform": tf.random.uniform_candidate_sampler(context, 1, 4, False, V, seed=2),
    "fixed": tf.nn.fixed_unigram_candidate_sampler(context, 1, 4, True, V, distortion=0.75, unigrams=unigrams, seed=3), "all": tf.nn.all_candidate_sampler(context, 1, V, True, seed=4),
    "learned": tf.nn.learned_unigram_candidate_sampler(context, 1, 4, True, V, seed=5)}
nce = tf.reduce_mean(tf.nn.nce_loss(weights=nce_w, biases=nce_b, labels=context, inputs=x, num_sampled=5, num_classes=V, sampled_values=samplers["fixed"]))
soft = tf.reduce_mean(tf.nn.sampled_softmax_loss(weights=nce_w, biases=nce_b, labels=context, inputs=x, num_sampled=4, num_classes=V, sampled_values=samplers["uniform"], remove_accidental_hits=True))
auto = tf.reduce_mean(tf.nn.nce_loss(nce_w, nce_b, context, x, 3, V, remove_accidental_hits=True))
hits = tf.nn.compute_accidental_hits(context, samplers["log"][0], 1)
co_i = tf.placeholder(tf.int32, [None]); co_j = tf.placeholder(tf.int32, [None]); co_x = tf.placeholder(tf.float32, [None])
focal_b = tf.Variable(tf.random_uniform([V], 1.0, -1.0), name="fb"); ctx_b = tf.Variable(tf.random_uniform([V], 1.0, -1.0), name="cb")
weighting = tf.minimum(1.0, tf.pow(tf.div(co_x, 5.0), 0.75))
dist = tf.square(tf.add_n([tf.reduce_sum(tf.multiply(tf.nn.embedding_lookup([emb], co_i), tf.nn.embedding_lookup([nce_w], co_j)), 1), tf.nn.embedding_lookup([focal_b], co_i), tf.nn.embedding_lookup([ctx_b], co_j), tf.negative(tf.log(co_x))]))
glove = tf.reduce_sum(tf.multiply(weighting, dist))
full = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(labels=tf.one_hot(tf.squeeze(context, 1), V), logits=tf.matmul(x, nce_w, transpose_b=True) + nce_b))
total = nce + soft + auto + 0.1 * glove + full
opt = tf.train.MomentumOptimizer(tf.train.polynomial_decay(0.1, tf.train.get_or_create_global_step(), 10, 0.01, power=0.5), 0.9, use_nesterov=True).minimize(total, global_step=tf.train.get_global_step())
norm = tf.sqrt(tf.reduce_sum(tf.square(emb), 1, keepdims=True)); normalized = emb / norm
similarity = tf.matmul(tf.nn.embedding_lookup(normalized, tf.constant([0, 3], tf.int32)), normalized, transpose_b=True)
nearest, nearest_ids = tf.nn.top_k(similarity[:, :8], 3); words = reverse.lookup(tf.to_int64(nearest_ids))
sess = tf.InteractiveSession()
tf.global_variables_initializer().run(); tf.tables_initializer().run()
encoded, n = sess.run([ids, lengths], {lines: TEXT})
show("ids", encoded); show("lengths", n); show("grams", grams.eval())
show("hashes", sess.run([strong, old], {lines: TEXT}))
for name, t in [("joined", joined), ("upper", upper), ("stripped", stripped)]: show(name, [s.decode() for s in sess.run(t, {lines: TEXT}).tolist()])
show("number", number.eval({lines: TEXT}))
pairs = [(int(row[k]), int(row[k + d])) for row, c in zip(encoded, n) for k in range(1, c - 1) for d in (-1, 1)]
for it in range(4):
    batch = [pairs[(it * 5 + k) % len(pairs)] for k in range(5)]
    feed = {center: [p[0] for p in batch], context: [[p[1]] for p in batch], co_i: [p[0] for p in batch], co_j: [p[1] for p in batch], co_x: [1.0 + k for k in range(5)]}
    values = sess.run([nce, soft, auto, glove, full, opt], feed)
    show("losses", values[:5])
for name in samplers: show(name, sess.run(list(samplers[name]), feed))
show("hits", sess.run(list(hits), feed))
show("nearest", nearest.eval()); show("words", [w.decode() for w in words.eval().ravel()])
show("emb", emb.eval()); show("size", table.size().eval())
sess.close()
