"""Random programs of nested If, Case and While nodes, with first and second gradients that TensorFlow takes of the graphs once they are imported:
python generate/functional_gradients.py OUT_FILE SEEDS   (100-111,700-719)

Each case: a GraphDef (base64), and for each gradient y, xs, its order, which are None, and the others' values in two runs. Left out are loops that hand
one variable on as another: TensorFlow 2.21 counts their gradients twice (see docs/from-tensorflow.md).
"""
import base64, gzip, json, os, random, sys

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0")
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.enable_control_flow_v2()

SCALARS = {
    "add": tf.add,
    "multiply": tf.multiply,
    "maximum": tf.maximum,
    "tanh": lambda a, b: tf.tanh(a) + b,
    "square": lambda a, b: tf.square(a) * 0.25,
    "wrap": lambda a, b: tf.floormod(a, 5.0),
    "sine": lambda a, b: tf.sin(a * b),
}
VECTORS = {
    "add": tf.add,
    "multiply": tf.multiply,
    "reverse": lambda a, b: tf.reverse(a, [0]),
    "gather": lambda a, b: tf.gather(a, [2, 0, 2]),
    "softmax": lambda a, b: tf.nn.softmax(a) * 2.0,
}


class Program:
    def __init__(self, seed, variable):
        self.random = random.Random(seed)
        self.variable = variable

    def pick(self, scope, kind):
        return self.random.choice(scope[kind][-5:])

    def whole(self, value, most):
        return tf.cast(tf.minimum(tf.abs(value), float(most)), tf.int32)

    def block(self, outer, depth, size, kinds):
        """Statements on what is known around them; one result of each kind: "s", a number, or "v", three."""
        scope = {kind: list(tensors) for kind, tensors in outer.items()}
        for _ in range(self.random.randint(1, size)):
            self.statement(scope, depth)
        return [tf.identity(self.random.choice(scope[kind][-3:])) for kind in kinds]

    def statement(self, scope, depth):
        choices = ["s"] * 4 + ["v"] * 3 + ["sum", "spread", "variable"]
        if depth < 2:
            choices += ["cond"] * 2 + ["loops"] * 4 + ["switch", "map", "scan", "foldl"]
        kind = self.random.choice(choices)
        if kind in "sv":
            op = self.random.choice(sorted((SCALARS if kind == "s" else VECTORS).items()))[1]
            scope[kind].append(op(self.pick(scope, kind), self.pick(scope, kind)))
        elif kind == "sum":
            scope["s"].append(tf.reduce_sum(self.pick(scope, "v")))
        elif kind == "spread":
            scope["v"].append(self.pick(scope, "v") * self.pick(scope, "s"))
        elif kind == "variable":
            scope["v"].append(self.variable * self.pick(scope, "s"))
        else:
            getattr(self, kind)(scope, depth)

    def results(self, scope, kinds, found):
        for kind, tensor in zip(kinds, found):
            scope[kind].append(tensor)

    def kinds(self):
        return [self.random.choice("sv") for _ in range(self.random.randint(1, 3))]

    def cond(self, scope, depth):
        kinds = self.kinds()
        branch = lambda: self.block(scope, depth + 1, 3, kinds)
        self.results(scope, kinds, tf.cond(tf.greater(self.pick(scope, "s"), self.random.choice([-1.0, 0.0, 1.0])), branch, branch, strict=True))

    def switch(self, scope, depth):
        kinds = self.kinds()
        branch = lambda: self.block(scope, depth + 1, 3, kinds)
        self.results(scope, kinds, tf.switch_case(self.whole(self.pick(scope, "s"), 4), [branch] * self.random.randint(2, 3)))

    def loop(self, scope, depth, kinds, initial, count):
        def body(i, *variables):
            inner = {kind: list(tensors) for kind, tensors in scope.items()}
            self.results(inner, kinds, variables)
            inner["s"].append(tf.cast(i, tf.float32))
            # Each is another number than any variable is.
            return [i + 1] + [result * 0.5 for result in self.block(inner, depth + 1, 4, kinds)]

        return tf.while_loop(lambda i, *_: i < count, body, [0, *initial])[1:]

    def loops(self, scope, depth):
        kinds = self.kinds()
        initial = [self.pick(scope, kind) for kind in kinds]
        self.results(scope, kinds, self.loop(scope, depth, kinds, initial, self.whole(self.pick(scope, "s"), 3)))

    def element(self, scope, depth, *more):
        inner = {kind: list(tensors) for kind, tensors in scope.items()}
        inner["s"] += more
        return self.block(inner, depth + 1, 3, "s")[0] * 0.5

    def map(self, scope, depth):
        scope["v"].append(tf.map_fn(lambda x: self.element(scope, depth, x), self.pick(scope, "v")))

    def scan(self, scope, depth):
        scope["v"].append(tf.scan(lambda a, x: self.element(scope, depth, a, x), self.pick(scope, "v"), self.pick(scope, "s")))

    def foldl(self, scope, depth):
        scope["s"].append(tf.foldl(lambda a, x: self.element(scope, depth, a, x), self.pick(scope, "v"), self.pick(scope, "s")))


def case(seed):
    with tf.Graph().as_default() as graph:
        x, y = tf.placeholder(tf.float32, [], name="x"), tf.placeholder(tf.float32, [], name="y")
        z = tf.placeholder(tf.float32, [3], name="z")
        variable = tf.get_variable("w", initializer=[1.0, 2.0, 3.0], use_resource=True)
        program = Program(seed, variable)
        scope = {"s": [x, y], "v": [z]}
        for _ in range(program.random.choice([3, 5, 7])):
            program.statement(scope, 0)
        init = tf.global_variables_initializer().name
        graph_def = graph.as_graph_def()
        results = [tensor.name for tensor in scope["s"][2:] + scope["v"][1:]][-4:]
    if not any(node.op in ("While", "StatelessWhile") for node in graph_def.node):
        return None
    draw, gradients, made = random.Random(seed), [], []
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(graph_def, name="")
        find = graph.get_tensor_by_name
        for order in (1, 2, 2):
            ys, xs = draw.choice(results), draw.sample(["x:0", "y:0", "z:0"], 2)
            try:
                found = tf.gradients(find(ys), [find(name) for name in xs])
                if order == 2 and any(d is not None for d in found):
                    # Squares: a gradient's gradient would vanish where it is linear.
                    found = tf.gradients([tf.square(tf.convert_to_tensor(d)) for d in found if d is not None], [find(name) for name in xs])
            except ValueError:  # An internal error of TensorFlow's: a variable without handle data.
                return None
            gradients.append({"y": ys, "xs": xs, "order": order, "none": [d is None for d in found], "values": []})
            made.append([tf.convert_to_tensor(d) for d in found if d is not None])
        config = tf.ConfigProto(inter_op_parallelism_threads=1, intra_op_parallelism_threads=1)
        config.graph_options.rewrite_options.disable_meta_optimizer = True
        feeds = [{"x:0": draw.uniform(-3, 3), "y:0": draw.uniform(-3, 3), "z:0": [draw.uniform(-2, 2) for _ in range(3)]} for _ in range(2)]
        with tf.Session(config=config) as session:
            session.run(init)
            for fed in feeds:
                for gradient, tensors in zip(gradients, made):
                    gradient["values"].append([np.ravel(value).tolist() for value in session.run(tensors, fed)])
    if not all(np.isfinite(np.concatenate([[0], *sum(gradient["values"], [])])).all() for gradient in gradients):
        return None
    graph_text = base64.b64encode(graph_def.SerializeToString()).decode()
    return {"name": f"program {seed}", "graph": graph_text, "init": init, "feeds": feeds, "gradients": gradients}


out, ranges = sys.argv[1], [[int(seed) for seed in part.split("-")] for part in sys.argv[2].split(",")]
cases = [each for first, last in ranges for each in map(case, range(first, last + 1)) if each]
with gzip.GzipFile(out, "wb", mtime=0) as file:
    file.write(json.dumps(cases).encode())
print(f"{len(cases)} programs")
