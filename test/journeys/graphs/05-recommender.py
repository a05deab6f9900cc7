"""Recommending: strings through lookup tables and hash buckets, embeddings in parts, sparse lookups, a factorization machine beside a deep net,
sampled losses, optimizers that treat sparse gradients each in their own way, streaming metrics."""
from recording import np, tf

USERS, ITEMS, WIDTH = 20, 30, 4


def optimizers(step):
    return {
        "ftrl": tf.train.FtrlOptimizer(0.1, l1_regularization_strength=0.001, l2_regularization_strength=0.01),
        "adagrad": tf.train.AdagradOptimizer(0.1, initial_accumulator_value=0.1),
        "momentum": tf.train.MomentumOptimizer(0.05, 0.9),
        "adam": tf.train.AdamOptimizer(tf.train.exponential_decay(0.01, step, 2, 0.9), epsilon=1e-4),
        "proximal": tf.train.ProximalAdagradOptimizer(0.05, l2_regularization_strength=0.01),
        "rmsprop": tf.train.RMSPropOptimizer(0.01, momentum=0.5, epsilon=1e-3),
        "adadelta": tf.train.AdadeltaOptimizer(0.5, epsilon=1e-3),
    }


def build():
    tf.set_random_seed(35)
    users = tf.placeholder(tf.int32, [None], name="users")
    items = tf.placeholder(tf.int64, [None], name="items")
    genres = tf.sparse_placeholder(tf.string, [None, None], name="genres")
    cities = tf.placeholder(tf.string, [None], name="cities")
    ratings = tf.placeholder(tf.float32, [None], name="ratings")
    step = tf.train.create_global_step()
    with tf.variable_scope("embeddings", partitioner=tf.fixed_size_partitioner(3)):
        user_table = tf.get_variable("users", [USERS, WIDTH], initializer=tf.random_normal_initializer(stddev=0.1, seed=1))
        item_table = tf.get_variable("items", [ITEMS, WIDTH], initializer=tf.truncated_normal_initializer(stddev=0.1, seed=2))
    with tf.variable_scope("embeddings"):
        genre_table = tf.get_variable("genres", [6, WIDTH], initializer=tf.random_uniform_initializer(-0.2, 0.2, seed=3))
        city_table = tf.get_variable("cities", [8, WIDTH], initializer=tf.random_uniform_initializer(-0.2, 0.2, seed=4))
    vocabulary = tf.lookup.StaticVocabularyTable(tf.lookup.KeyValueTensorInitializer(tf.constant(["drama", "comedy", "crime", "opera"]), tf.range(4, dtype=tf.int64)), 2)
    genre_ids = vocabulary.lookup(genres)
    genre_mean = tf.nn.embedding_lookup_sparse(genre_table, genre_ids, None, combiner="sqrtn")
    city_ids = tf.string_to_hash_bucket_fast(cities, 8)
    u = tf.nn.embedding_lookup(user_table, users, partition_strategy="div")
    i = tf.nn.embedding_lookup(item_table, items, partition_strategy="mod", max_norm=1.0)
    c = tf.gather(city_table, city_ids)
    stacked = tf.stack([u, i, genre_mean, c], axis=1)
    summed = tf.reduce_sum(stacked, axis=1)
    second = 0.5 * tf.reduce_sum(tf.square(summed) - tf.reduce_sum(tf.square(stacked), axis=1), axis=1, keep_dims=True)
    deep = tf.reshape(stacked, [-1, 4 * WIDTH])
    for k, size in enumerate([8, 4]):
        deep = tf.layers.dense(deep, size, tf.nn.relu6, kernel_initializer=tf.glorot_uniform_initializer(seed=10 + k))
    bias = tf.get_variable("bias", [USERS], initializer=tf.zeros_initializer())
    wide = tf.expand_dims(tf.nn.embedding_lookup(bias, users), 1)
    logits = tf.squeeze(tf.concat([second, deep, wide], 1) @ tf.get_variable("out", [6, 1], initializer=tf.ones_initializer()), 1, name="logits")
    loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=ratings, logits=logits), name="loss")
    by_name = optimizers(step)
    chosen = {"ftrl": "out", "adagrad": "embeddings/users", "momentum": "embeddings/items", "adam": "embeddings/genres", "rmsprop": "embeddings/cities", "proximal": "bias", "adadelta": "dense"}
    for name, optimizer in by_name.items():
        variables = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, chosen[name])
        optimizer.minimize(loss, var_list=variables, name="train_" + name, global_step=step if name == "adam" else None)
    probability = tf.sigmoid(logits)
    auc, auc_update = tf.metrics.auc(ratings > 0.5, probability, num_thresholds=20)
    precision, precision_update = tf.metrics.precision_at_thresholds(ratings > 0.5, probability, [0.4, 0.6])
    with tf.control_dependencies([auc_update, precision_update]):
        tf.no_op(name="measure")
    tf.identity(auc, "auc_value")
    tf.identity(precision, "precision_value")

    with tf.variable_scope("softmax"):
        weights = tf.get_variable("weights", [ITEMS, WIDTH], initializer=tf.random_normal_initializer(stddev=0.2, seed=20))
        biases = tf.get_variable("biases", [ITEMS], initializer=tf.zeros_initializer())
        hidden = tf.layers.dense(u, WIDTH, tf.nn.softsign, kernel_initializer=tf.glorot_uniform_initializer(seed=21), name="hidden")
        sampler = tf.random.log_uniform_candidate_sampler(tf.expand_dims(items, 1), 1, 6, True, ITEMS, seed=22)
        sampled = tf.reduce_mean(tf.nn.sampled_softmax_loss(weights, biases, tf.expand_dims(items, 1), hidden, 6, ITEMS, sampled_values=sampler))
        nce = tf.reduce_mean(tf.nn.nce_loss(weights, biases, tf.expand_dims(items, 1), hidden, 6, ITEMS, sampled_values=sampler))
    tf.identity(sampled, "sampled_loss")
    tf.identity(nce, "nce_loss")
    tf.train.GradientDescentOptimizer(0.5).minimize(sampled + nce, var_list=tf.trainable_variables("softmax"), name="train_softmax")
    top = tf.nn.top_k(tf.matmul(hidden, weights, transpose_b=True) + biases, 3)
    tf.identity(top.indices, "recommended")
    tf.identity(tf.reduce_mean(tf.to_float(tf.nn.in_top_k(tf.matmul(hidden, weights, transpose_b=True), items, 5))), "recall")


def run(session, record):
    graph = session.graph
    get, op = graph.get_tensor_by_name, graph.get_operation_by_name
    record.initialize(session)
    random = np.random.RandomState(5)
    words, towns = ["drama", "comedy", "crime", "opera", "essay"], ["Bern", "Graz", "Köln", "Lyon", "Oslo"]
    for _ in range(6):
        n = 5
        places = [[r, k] for r in range(n) for k in range(random.randint(1, 3))]
        genres = [words[random.randint(5)] for _ in places]
        feed = {
            get("users:0"): random.randint(0, USERS, n), get("items:0"): random.randint(0, ITEMS, n), get("ratings:0"): random.randint(0, 2, n),
            get("cities:0"): np.array([towns[random.randint(5)] for _ in range(n)], object),
            get("genres/indices:0"): places, get("genres/values:0"): np.array(genres, object), get("genres/shape:0"): [n, 2],
        }
        trains = [op("train_" + name) for name in ("ftrl", "adagrad", "momentum", "adam", "proximal", "rmsprop", "adadelta")]
        record.run(session, [get("loss:0"), get("sampled_loss:0"), get("nce_loss:0")] , feed)
        for train in trains:
            record.run(session, train, feed)
        record.run(session, op("train_softmax"), feed)
        record.run(session, op("measure"), feed)
    record.run(session, [get("auc_value:0"), get("precision_value:0")])
    record.run(session, [get("recommended:0"), get("recall:0"), get("logits:0")], feed)
    record.final(session)
