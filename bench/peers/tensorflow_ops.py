"""Single operations, given as Python expressions by bench/ops.ts: `v(shape)` is a variable of normal numbers, `iv(n, low, high)` one of integers."""


WORDS = ["the", "quick", "brown", "fox", "jumps"]


def example(tf, i):
    made = tf.train.Example()
    made.features.feature["x"].float_list.value.extend((i + k) / 7 for k in range(20))
    made.features.feature["y"].int64_list.value.append(i)
    made.features.feature["z"].bytes_list.value.append(WORDS[i % 5].encode())
    return made.SerializeToString()


def start(expression, tf, random, threads):
    graph = tf.Graph()
    with graph.as_default():

        def v(*shape):
            return tf.identity(tf.Variable(random.standard_normal(shape).astype("float32")))

        def iv(count, low, high):
            return tf.identity(tf.Variable(random.randint(low, high, count).astype("int32")))

        def sv(count):
            texts = [" ".join(f"{word} {i * (k + 3) % 1000}" for k, word in enumerate(WORDS)) for i in range(count)]
            return tf.identity(tf.Variable(texts))

        def examples(count):
            return tf.identity(tf.Variable([example(tf, i) for i in range(count)]))

        def table():
            keys, values = tf.constant([str(i) for i in range(1000)]), tf.constant(list(range(1000)), tf.int64)
            return tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, values), -1)

        def gradient(value, of):
            return tf.gradients(value, of)[0]

        fetch = eval(expression, {"tf": tf, "v": v, "iv": iv, "sv": sv, "examples": examples, "table": table, "gradient": gradient})
        initialize = tf.group(tf.global_variables_initializer(), tf.tables_initializer())
    config = tf.ConfigProto(intra_op_parallelism_threads=threads, inter_op_parallelism_threads=threads)
    session = tf.Session(graph=graph, config=config)
    session.run(initialize)
    call = session.make_callable(fetch)
    return lambda: call()
