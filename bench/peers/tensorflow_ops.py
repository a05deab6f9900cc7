"""Single operations, given as Python expressions by bench/ops.ts: `v(shape)` is a variable of normal numbers, `iv(n, low, high)` one of integers."""


def start(expression, tf, random, threads):
    graph = tf.Graph()
    with graph.as_default():

        def v(*shape):
            return tf.identity(tf.Variable(random.standard_normal(shape).astype("float32")))

        def iv(count, low, high):
            return tf.identity(tf.Variable(random.randint(low, high, count).astype("int32")))

        def gradient(value, of):
            return tf.gradients(value, of)[0]

        fetch = eval(expression, {"tf": tf, "v": v, "iv": iv, "gradient": gradient})
        initialize = tf.global_variables_initializer()
    config = tf.ConfigProto(intra_op_parallelism_threads=threads, inter_op_parallelism_threads=threads)
    session = tf.Session(graph=graph, config=config)
    session.run(initialize)
    call = session.make_callable(fetch)
    return lambda: call()
