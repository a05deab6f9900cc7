"""What sessions, savers, optimizers, gradients, variables, summaries and pipelines refuse and take: python -m generate.session_refusals OUT.json

Each call below stands behind the lines of its group. TensorFlow's answer is recorded: class and first line, or the description of the result.
`{dir}` is a folder of the run's own. What Python itself or numpy says is only recorded as refused.
"""
import json
import shutil
import signal
import sys
import tempfile

from .program import Interp, compile_text, core_message, describe, tf1_message
from .spoiled import PYTHON
from .tfenv import np, tf

NODES = """
g2 = tf.Graph()
with g2.as_default():
    ox = tf.placeholder(tf.float32, [2], name='x')
    oc = tf.constant([1.0, 2.0], name='c')
x = tf.placeholder(tf.float32, [2], name='x')
y = tf.add(x, 1.0, name='y')
i = tf.placeholder(tf.int32, [2], name='i')
k = tf.placeholder(tf.int64, [], name='k')
q = tf.placeholder(tf.uint8, [None], name='q')
t = tf.placeholder(tf.string, [None], name='t')
b = tf.placeholder(tf.bool, [], name='b')
z = tf.placeholder(tf.complex64, [], name='z')
u = tf.placeholder(tf.float32, name='u')
m = tf.placeholder(tf.float32, [None, 3], name='m')
sp = tf.sparse_placeholder(tf.float32, [2, 3], name='sp')
su = tf.sparse_placeholder(tf.float32, name='su')
sc = tf.SparseTensor([[0, 1]], [2.0], [2, 3])
sl = tf.IndexedSlices(tf.constant([[1.0]]), tf.constant([0]), tf.constant([2, 1]))
v = tf.Variable([1.0, 2.0], name='v')
w = tf.add(v, 1.0, name='w')
c = tf.constant([1.0, 2.0], name='c')
n = tf.no_op(name='n')
h = tf.split(c, 2, name='h')
d = tf.placeholder_with_default([5.0, 6.0], [None], name='d')
s = tf.Session()
"""

FETCHES = """
None
[]
()
{}
[[]]
[None]
[c, None]
{'a': None}
'c'
'c:0'
'c:1'
'n'
'n:0'
'^n'
''
':0'
'missing'
'missing:0'
'missing:x'
'c:x'
'c:0:0'
['c:0', 'n', 'c']
1
1.5
True
[1]
[c, 1]
{'a': 1}
tf.float32
c.shape
g2
s
oc
ox
[c, oc]
oc.op
n
[n]
c.op
h
h[0]
{'p': h, 'q': [c, {'r': n}]}
(c, (c, [c]))
[c, c]
[[c], [c, c]]
v
v.op
v.initializer
[v, c]
w
'v'
'v:0'
'v/read:0'
y
[c, y]
sp
sc
su
sl
sc.indices
sl.values
A([1.0, 2.0])
T([2])
tf.constant
'split'
'h'
'h:1'
'h:2'
'h:5'
d
'd:0'
[[c, None]]
i
t
u
m
b
k
[u, i]
z
q
n.outputs
n.inputs
c.op.outputs
"""

# key: value pairs of feeds, with what is fetched
FEEDS = """
y | {x: [1.0, 2.0]}
y | {x: [1, 2]}
y | {x: [True, False]}
y | {x: (1, 2)}
y | {x: A([1, 2], 'int32')}
y | {x: A([1, 2], 'float64')}
y | {x: A([[1, 2]])}
y | {x: A([1])}
y | {x: [[1.0, 2.0]]}
y | {x: [1.0]}
y | {x: []}
y | {x: 1.0}
y | {x: None}
y | {x: [None, 1.0]}
y | {x: [1.0, None]}
y | {x: 'a'}
y | {x: 'ab'}
y | {x: '1.5'}
y | {x: ['1', '2']}
y | {x: ['a', 'b']}
y | {x: [[1.0], [2.0, 3.0]]}
y | {x: [[1.0, 2.0], 3.0]}
y | {x: [1.0, [2.0]]}
y | {x: c}
y | {x: [c, c]}
y | {x: v}
y | {x: y}
y | {x: oc}
y | {x: sc}
y | {x: x}
y | {x: {}}
y | {x: {'a': 1.0}}
y | {x: n}
y | {x: tf.float32}
y | {ox: [1.0, 2.0]}
y | {'x': [1.0, 2.0]}
y | {'x:0': [1.0, 2.0]}
y | {'x:1': [1.0, 2.0]}
y | {'missing': [1.0, 2.0]}
y | {'missing:0': [1.0, 2.0]}
y | {'': [1.0, 2.0]}
y | {None: [1.0, 2.0]}
y | {1: [1.0, 2.0]}
y | {1.5: 2.0}
y | {n: [1.0, 2.0]}
y | {'n': 1.0}
y | {x.op: [1.0, 2.0]}
y | {g2: 1.0}
y | {tf.float32: 1.0}
y | {y: [1.0, 2.0]}
y | {y: [1.0]}
y | {y: 'a'}
y | {(x,): [[1.0, 2.0]]}
y | {(x, u): [[1.0, 2.0]]}
y | {(x, u): ([1.0, 2.0], 3.0)}
y | {(x, (u, i)): ([1.0, 2.0], (3.0, [1, 2]))}
y | {(x, (u, i)): ([1.0, 2.0], 3.0)}
y | {(x, u): None}
y | {(x, u): 1.0}
y | {(x, x): ([1.0, 2.0], [3.0, 4.0])}
y | {x: [1.0, 2.0], 'x:0': [3.0, 4.0]}
y | {x: [1.0, 2.0], u: 1.0}
y | {x: [1.0, 2.0], i: [1.5, 2.5]}
y | None
y | {}
y | []
y | [x]
y | [(x, [1.0, 2.0])]
y | (x, [1.0, 2.0])
y | x
y | 'x:0'
y | 3
y | [1.0, 2.0]
y | A([1.0, 2.0])
i | {i: [1, 2]}
i | {i: [1.5, 2.5]}
i | {i: [1.0, 2.0]}
i | {i: [3000000000, 1]}
i | {i: [-3000000000, 1]}
i | {i: [True, False]}
i | {i: ['a', 'b']}
i | {i: ['1', '2']}
i | {i: A([1.5, 2.5], 'float32')}
i | {i: A([3000000000, 1], 'int64')}
i | {i: A([1, 2], 'uint8')}
i | {i: 3000000000}
i | {i: 3}
i | {i: 1.5}
i | {i: None}
i | {i: [None, 1]}
k | {k: 3}
k | {k: 3.7}
k | {k: -1}
k | {k: 9223372036854775807}
k | {k: 9223372036854775808}
k | {k: True}
k | {k: [3]}
k | {k: 'a'}
k | {k: A(3, 'int32')}
q | {q: [255]}
q | {q: [256]}
q | {q: [-1]}
q | {q: [1.5]}
q | {q: 255}
q | {q: 256}
q | {q: []}
q | {q: [[1]]}
q | {q: A([300], 'int32')}
t | {t: ['a', 'b']}
t | {t: 'a'}
t | {t: []}
t | {t: [1]}
t | {t: [1, 'a']}
t | {t: ['a', 1.5]}
t | {t: [None]}
t | {t: ['a', None]}
t | {t: [True]}
t | {t: [['a']]}
t | {t: [['a'], ['b', 'c']]}
t | {t: A(['a', 'b'], 'string')}
t | {t: A([1, 2], 'int32')}
t | {t: None}
b | {b: True}
b | {b: 1}
b | {b: 0}
b | {b: 2}
b | {b: 1.5}
b | {b: 'a'}
b | {b: ''}
b | {b: None}
b | {b: [True]}
b | {b: []}
z | {z: 1}
z | {z: 1.5}
z | {z: 'a'}
z | {z: [1.0]}
z | {z: True}
u | {u: 1.0}
u | {u: [[1.0]]}
u | {u: []}
u | {u: [[]]}
u | {u: None}
u | {u: 'a'}
u | {u: [[1.0], [1.0, 2.0]]}
u | {u: [[[1.0]], [1.0]]}
m | {m: [[1.0, 2.0, 3.0]]}
m | {m: [[1.0, 2.0]]}
m | {m: [1.0, 2.0, 3.0]}
m | {m: []}
m | {m: [[]]}
m | {m: 3.0}
m | {m: [[1.0, 2.0, 3.0], [1.0]]}
m | {m: A([[1, 2, 3]], 'int64')}
c | {c: [7.0, 8.0]}
c | {c: [7.0]}
c | {'c:0': [7.0, 8.0]}
c | {c: 'a'}
c | {x: [1.0]}
c | {x: 'a'}
c | {oc: 1.0}
c | {u: None}
h | {h[0]: [9.0]}
h | {h[0]: [9.0, 10.0]}
h | {'h:1': [9.0]}
h | {'h:2': [9.0]}
v | {v: [3.0, 4.0]}
w | {v: [3.0, 4.0]}
w | {v: [3.0]}
w | {v: 'a'}
w | {'v:0': [3.0, 4.0]}
w | {'v/read:0': [3.0, 4.0]}
w | {'v': [3.0, 4.0]}
w | {v.initializer: [3.0, 4.0]}
w | {w: [3.0, 4.0]}
d | {d: [1.0]}
d | {d: [[1.0]]}
d | {d: 1.0}
d | {}
sp | {sp: ([[0, 0]], [1.0], [2, 3])}
sp | {sp: tf.SparseTensorValue([[0, 0]], [1.0], [2, 3])}
sp | {sp: ([[0, 0]], [1.0])}
sp | {sp: ([[0, 0]], [1.0], [2, 3], 4)}
sp | {sp: ([0, 0], [1.0], [2, 3])}
sp | {sp: ([[0, 0]], 1.0, [2, 3])}
sp | {sp: ([[0, 0]], ['a'], [2, 3])}
sp | {sp: ([[0, 0]], [1.0], [2, 4])}
sp | {sp: ([[0, 0]], [1.0], [2, 3, 4])}
sp | {sp: 1.0}
sp | {sp: None}
sp | {sp: []}
sp | {sp: A([[1.0]])}
sp | {sp: sc}
sp | {sp: 'a'}
sp | {sp.indices: [[0, 0]]}
sp | {sp.values: [1.0]}
sp | {'sp/values:0': [1.0], 'sp/indices:0': [[0, 0]]}
su | {su: ([[0, 0]], [1.0], [2, 3])}
su | {su: ([[0, 0, 0]], [1.0], [2, 3])}
su | {su: ([0, 0], [1.0], [2, 3])}
su | {su: ([[0, 0]], [1.0, 2.0], [2, 3])}
sc | {sc: ([[0, 0]], [1.0], [2, 3])}
sc | {sc: ([[0, 0], [0, 1]], [1.0], [2, 3])}
sl | {sl: ([[3.0]], [1], [2, 1])}
sl | {sl: ([[3.0]], [1])}
sl | {sl: 1.0}
sl | {sl: tf.IndexedSlicesValue([[3.0]], [1], [2, 1])}
"""

GROUPS = {
    "sessions": (NODES, """
s.run()
s.run(c, {}, None, None)
s.run(c, feed_dict=None)
s.run(c, feed_dict={}, options=None)
s.run(c, options=1)
s.run(c, options='x')
s.run(c, run_metadata=1)
s.run(c, run_metadata='x')
s.run(c, options=tf.RunOptions())
s.run(c, options=tf.RunOptions(trace_level=3), run_metadata=tf.RunMetadata())
s.run(c, run_metadata=tf.RunOptions())
s.run(c, options=tf.RunMetadata())
s.run(c, options=tf.ConfigProto())
s.run(c, foo=1)
c.eval()
c.eval(session=s)
c.eval(session=None)
c.eval(session=1)
c.eval(session='s')
y.eval(session=s)
y.eval({x: [1.0, 2.0]}, s)
y.eval({x: [1.0]}, s)
y.eval(feed_dict={x: 'a'}, session=s)
n.run()
n.run(session=s)
n.run(session=1)
n.run(None, s)
v.eval()
v.eval(s)
v.eval(session=s)
v.initializer.run()
v.initializer.run(session=s)
v.load([1.0, 2.0])
v.load([1.0, 2.0], s)
v.load([1.0], s)
v.load('a', s)
oc.eval(session=s)
oc.op.run(session=s)
y.op.run(session=s)
y.op.run({x: [1.0, 2.0]}, s)
tf.Session('')
tf.Session(None)
tf.Session(1)
tf.Session('nowhere')
tf.Session('local')
tf.Session('', 1)
tf.Session('', 'g')
tf.Session(graph=None)
tf.Session(graph=1)
tf.Session(graph=c)
tf.Session(config=None)
tf.Session(config=1)
tf.Session(config='x')
tf.Session(config={})
tf.Session(config=tf.RunOptions())
tf.Session(config=tf.ConfigProto())
tf.Session(config=tf.ConfigProto(foo=1))
tf.Session(config=tf.ConfigProto(device_count=1))
tf.Session(config=tf.ConfigProto(allow_soft_placement='x'))
tf.Session(config=tf.ConfigProto(intra_op_parallelism_threads='x'))
tf.Session(config=tf.ConfigProto(intra_op_parallelism_threads=1.5))
tf.Session(config=tf.ConfigProto(gpu_options=1))
tf.Session(config=tf.ConfigProto(gpu_options=tf.GPUOptions(allow_growth=True)))
tf.Session(foo=1)
tf.InteractiveSession(1)
tf.InteractiveSession(graph=1)
tf.Session(graph=tf.Graph()).run([])
tf.Session(graph=tf.Graph()).run(c)
tf.Session(graph=g2).run(c)
tf.Session(graph=g2).run('c:0')
tf.Session(graph=g2).run(oc)
tf.get_default_session()
tf.RunOptions(trace_level='x')
tf.RunOptions(trace_level=99)
tf.RunOptions(foo=1)
tf.GPUOptions(per_process_gpu_memory_fraction='x')
s.close(1)
s.make_callable(c)
s.make_callable(c)()
s.make_callable(c)(1.0)
s.make_callable(y, [x])([1.0, 2.0])
s.make_callable(y, [x])()
s.make_callable(y, [x])([1.0])
s.make_callable(y, [x])('a')
s.make_callable(y, [x])(None)
s.make_callable(y, [x])([1.0, 2.0], [1.0])
s.make_callable(y, [x])(c)
s.make_callable(y, [ox])
s.make_callable(y, ['x'])
s.make_callable(y, ['x:0'])
s.make_callable(y, ['missing:0'])
s.make_callable(y, x)
s.make_callable(y, [n])
s.make_callable(y, [None])
s.make_callable(y, [1])
s.make_callable(y, 1)
s.make_callable(y, 'x:0')
s.make_callable(y, {x: 1})
s.make_callable(y)()
s.make_callable(None)
s.make_callable([])
s.make_callable([])()
s.make_callable('missing')
s.make_callable('c')
s.make_callable('c:0')
s.make_callable(oc)
s.make_callable([c, n])()
s.make_callable(n)()
s.make_callable(1)
s.make_callable(w)()
s.make_callable(i, [i])([1.5, 2.5])
s.make_callable(t, [t])([1])
s.make_callable(y, [(x, u)])
s.make_callable(y, accept_options=1)
s.partial_run_setup([])
s.partial_run_setup([c])
s.partial_run_setup(c)
s.partial_run_setup([n])
s.partial_run_setup(None)
s.partial_run_setup([y], [x])
s.partial_run_setup([y], x)
s.partial_run_setup([y], [ox])
s.partial_run_setup([y], ['x:0'])
s.partial_run_setup([y], ['x'])
s.partial_run_setup([y], [n])
s.partial_run_setup([y], [None])
s.partial_run_setup([y], 1)
s.partial_run_setup([oc])
s.partial_run_setup(['missing:0'])
s.partial_run_setup(['c:0'])
s.partial_run_setup([1])
s.partial_run('x', c)
s.partial_run(None, c)
s.partial_run(1, c)
s.partial_run(s.partial_run_setup([y], [x]), y)
s.partial_run(s.partial_run_setup([y], [x]), y, {x: [1.0]})
s.partial_run(s.partial_run_setup([y], [x]), y, {x: [1.0, 2.0]})
s.partial_run(s.partial_run_setup([y], [x]), c, {x: [1.0, 2.0]})
s.partial_run(s.partial_run_setup([y], [x]), y, {x: [1.0, 2.0], u: 1.0})
s.partial_run(s.partial_run_setup([y], [x]), None)
s.partial_run(s.partial_run_setup([y], [x]), [])
s.partial_run(s.partial_run_setup([y], [x]), [], {x: [1.0, 2.0]})
s.partial_run(s.partial_run_setup([y], [x]), 'y:0', {'x:0': [1.0, 2.0]})
s.partial_run(s.partial_run_setup([y], [x]), y, {ox: [1.0, 2.0]})
s.partial_run(s.partial_run_setup([y], [x]), n)
s.partial_run(s.partial_run_setup([y], [x]), oc)
s.partial_run(s.partial_run_setup([y], [x]), 'missing:0')
s.partial_run(s.partial_run_setup([y], [x]), y, 3)
tf.get_default_graph().get_tensor_by_name('c')
tf.get_default_graph().get_tensor_by_name('c:1')
tf.get_default_graph().get_tensor_by_name('missing:0')
tf.get_default_graph().get_tensor_by_name('c:x')
tf.get_default_graph().get_tensor_by_name('')
tf.get_default_graph().get_tensor_by_name(1)
tf.get_default_graph().get_tensor_by_name(None)
tf.get_default_graph().get_tensor_by_name(c)
tf.get_default_graph().get_operation_by_name('c:0')
tf.get_default_graph().get_operation_by_name('missing')
tf.get_default_graph().get_operation_by_name('')
tf.get_default_graph().get_operation_by_name(1)
tf.get_default_graph().get_operation_by_name(None)
tf.get_default_graph().as_graph_element('c')
tf.get_default_graph().as_graph_element('c:0')
tf.get_default_graph().as_graph_element('c:0', allow_tensor=False)
tf.get_default_graph().as_graph_element('c', allow_operation=False)
tf.get_default_graph().as_graph_element(c, allow_tensor=False)
tf.get_default_graph().as_graph_element(n, allow_operation=False)
tf.get_default_graph().as_graph_element(c, False, False)
tf.get_default_graph().as_graph_element(oc)
tf.get_default_graph().as_graph_element(oc.op)
tf.get_default_graph().as_graph_element(1)
tf.get_default_graph().as_graph_element(None)
tf.get_default_graph().as_graph_element(v)
tf.get_default_graph().prevent_feeding(x)
tf.get_default_graph().prevent_fetching(c.op)
tf.get_default_graph().is_feedable(n)
tf.get_default_graph().is_fetchable(c)
tf.get_default_graph().get_collection(None)
tf.get_default_graph().get_collection('nothing')
tf.get_default_graph().get_collection('nothing', 'x')
tf.get_default_graph().get_collection(tf.GraphKeys.GLOBAL_VARIABLES, 'q')
tf.get_default_graph().add_to_collection('a', None)
tf.get_default_graph().add_to_collections('a', c)
tf.get_default_graph().add_to_collections(['a', 'a'], c)
tf.get_default_graph().unique_name('c')
tf.get_default_graph().unique_name(1)
tf.get_default_graph().name_scope('bad scope')
tf.get_default_graph().name_scope(1)
tf.name_scope(1)
tf.name_scope(None)
tf.name_scope('')
tf.get_default_graph().device(1)
tf.get_default_graph().device('bad')
tf.device('bad')
tf.device('/cpu:0')
tf.device('/job:x/foo')
tf.control_dependencies(None)
tf.control_dependencies(1)
tf.control_dependencies([1])
tf.control_dependencies([None])
tf.control_dependencies(['c'])
tf.control_dependencies(['c:0'])
tf.control_dependencies([oc])
tf.control_dependencies([v])
tf.control_dependencies(c)
tf.get_default_graph().finalize()
tf.get_default_graph().gradient_override_map(1)
tf.get_default_graph().gradient_override_map({1: 'x'})
tf.get_default_graph().gradient_override_map({'Square': 1})
tf.get_default_graph().colocate_with(1)
tf.colocate_with(None)
tf.colocate_with(1)
tf.import_graph_def(1)
tf.import_graph_def(None)
tf.import_graph_def(tf.GraphDef())
tf.import_graph_def('x')
tf.import_graph_def(tf.get_default_graph().as_graph_def(), return_elements=['nothing:0'])
tf.import_graph_def(tf.get_default_graph().as_graph_def(), return_elements=['nothing'])
tf.import_graph_def(tf.get_default_graph().as_graph_def(), return_elements=[1])
tf.import_graph_def(tf.get_default_graph().as_graph_def(), return_elements='c')
tf.import_graph_def(tf.get_default_graph().as_graph_def(), input_map=1)
tf.import_graph_def(tf.get_default_graph().as_graph_def(), input_map={'nothing:0': c})
tf.import_graph_def(tf.get_default_graph().as_graph_def(), input_map={1: c})
tf.import_graph_def(tf.get_default_graph().as_graph_def(), input_map={'x': i})
tf.import_graph_def(tf.get_default_graph().as_graph_def(), input_map={'x:0': oc})
tf.import_graph_def(tf.get_default_graph().as_graph_def(), name='bad name')
tf.import_graph_def(tf.get_default_graph().as_graph_def(), name='*')
tf.import_graph_def(tf.get_default_graph().as_graph_def(), name='fine/')
tf.global_variables_initializer().run()
tf.global_variables_initializer().run(session=s)
s.run(tf.report_uninitialized_variables())
s.run(tf.is_variable_initialized(v))
s.run(tf.assign(v, [1.0, 2.0]))
s.run(tf.assign(v, [1.0], validate_shape=False))
s.run(tf.assign_add(v, [1.0, 1.0]))
s.run(tf.scatter_update(v, [5], [1.0]))
s.run(tf.scatter_update(v, [0], [1.0]))
"""),
    "closed": (NODES + "s.close()\n", """
s.run(c)
s.run(None)
s.run([])
s.run('missing')
s.run(y, {x: 'a'})
s.close()
c.eval(session=s)
s.make_callable(c)
s.make_callable(c)()
s.partial_run_setup([c])
s.list_devices()
s.graph
"""),
    "finalized": ("c = tf.constant(1.0)\ng = tf.get_default_graph()\ng.finalize()\n", """
tf.constant(1.0)
tf.placeholder(tf.float32)
tf.Variable(1.0)
tf.get_variable('v', [2])
c + 1.0
tf.gradients(c, c)
tf.train.Saver()
tf.Session().run(c)
g.as_graph_def()
tf.global_variables_initializer()
tf.no_op()
"""),
    "scopes": ("""
g1 = tf.Graph()
with g1.as_default():
    c1 = tf.constant(1.0, name='c1')
c = tf.constant(2.0, name='c')
""", """
c + c1
tf.add(c, c1)
tf.add_n([c, c1])
tf.concat([[1.0], c1], 0)
tf.stack([c, c1])
tf.cond(c1 > 0.0, lambda: c, lambda: c)
tf.group(c, c1)
tf.group(c1)
tf.tuple([c, c1])
tf.gradients(c, c1)
tf.gradients(c1, c)
tf.identity(c1)
tf.control_dependencies([c1])
tf.colocate_with(c1)
tf.add(c, 1.0, name=c)
tf.Variable(c1)
tf.assign(c1, 1.0)
tf.Session().run([c, c1])
tf.Session(graph=g1).run(c1)
tf.reset_default_graph()
tf.convert_to_tensor(c1)
tf.convert_to_tensor(g1)
tf.identity(g1)
tf.name_scope(c)
tf.variable_scope(c)
tf.name_scope(None, 'd', [c, c1])
tf.name_scope('n', 'd', 1)
tf.name_scope('n', None, [c1])
tf.variable_scope(None)
tf.variable_scope(None, 'd')
tf.variable_scope(None, default_name=None)
tf.variable_scope('a', reuse=1)
tf.variable_scope('a', reuse='x')
tf.variable_scope('bad scope')
tf.variable_scope(1)
tf.variable_scope('a', initializer=1)
tf.variable_scope('a', dtype='foo')
tf.variable_scope('a', use_resource=1)
tf.variable_scope('a', partitioner=1)
tf.variable_scope('a', values=[c, c1])
tf.variable_scope('a', auxiliary_name_scope=1)
"""),
    "variables": ("""
with tf.variable_scope('s'):
    a = tf.get_variable('a', [2, 3])
    b = tf.get_variable('b', [], tf.int32, tf.zeros_initializer())
c = tf.constant([1.0, 2.0], name='c')
p = tf.placeholder(tf.float32, name='p')
v = tf.Variable([1.0, 2.0], name='v'); tf.constant(1.0)
s = tf.Session(); tf.constant(1.0)
""", """
tf.variable_scope('s', reuse=True); tf.get_variable('a')
tf.variable_scope('s', reuse=True); tf.get_variable('a', [2, 3])
tf.variable_scope('s', reuse=True); tf.get_variable('a', [2, 4])
tf.variable_scope('s', reuse=True); tf.get_variable('a', [2])
tf.variable_scope('s', reuse=True); tf.get_variable('a', [2, 3], tf.float64)
tf.variable_scope('s', reuse=True); tf.get_variable('a', dtype=tf.int32)
tf.variable_scope('s', reuse=True); tf.get_variable('a', [2, 3], trainable=False)
tf.variable_scope('s', reuse=True); tf.get_variable('a', initializer=tf.zeros([2, 3]))
tf.variable_scope('s', reuse=True); tf.get_variable('a', initializer=tf.zeros([2]))
tf.variable_scope('s', reuse=True); tf.get_variable('a', initializer=1)
tf.variable_scope('s', reuse=True); tf.get_variable('missing')
tf.variable_scope('s', reuse=True); tf.get_variable('missing', [2])
tf.variable_scope('s', reuse=True); tf.get_variable('')
tf.variable_scope('s', reuse=True); tf.get_variable('b', [])
tf.variable_scope('s', reuse=True); tf.get_variable('b', [], tf.int32)
tf.variable_scope('s', reuse=True); tf.get_variable('b', [], tf.int64)
tf.variable_scope('s'); tf.get_variable('a')
tf.variable_scope('s'); tf.get_variable('a', [2, 3])
tf.variable_scope('s'); tf.get_variable('new', [2])
tf.variable_scope('s'); tf.get_variable('new')
tf.variable_scope('s', reuse=tf.AUTO_REUSE); tf.get_variable('a', [2, 3])
tf.variable_scope('s', reuse=tf.AUTO_REUSE); tf.get_variable('a', [3, 2])
tf.variable_scope('s', reuse=tf.AUTO_REUSE); tf.get_variable('new', [2])
tf.variable_scope('s', reuse=tf.AUTO_REUSE); tf.get_variable('new')
tf.variable_scope('s', reuse=tf.AUTO_REUSE); tf.get_variable('a', [2, 3], tf.float64)
tf.get_variable('n')
tf.get_variable('n', [])
tf.get_variable('n', None)
tf.get_variable('n', 3)
tf.get_variable('n', '3')
tf.get_variable('n', [None])
tf.get_variable('n', [2, None])
tf.get_variable('n', [-1])
tf.get_variable('n', [0])
tf.get_variable('n', [1.5])
tf.get_variable('n', ['a'])
tf.get_variable('n', T([2]))
tf.get_variable('n', T(None))
tf.get_variable('n', c)
tf.get_variable('n', [2], 'foo')
tf.get_variable('n', [2], 1)
tf.get_variable('n', [2], None)
tf.get_variable('n', [2], tf.int32)
tf.get_variable('n', [2], tf.int64)
tf.get_variable('n', [2], tf.string)
tf.get_variable('n', [2], tf.bool)
tf.get_variable('n', [2], tf.complex64)
tf.get_variable('n', [2], tf.uint8)
tf.get_variable('n', [2], tf.resource)
tf.get_variable('n', [2], initializer=1)
tf.get_variable('n', [2], initializer='zeros')
tf.get_variable('n', [2], initializer='foo')
tf.get_variable('n', [2], initializer=[1.0, 2.0])
tf.get_variable('n', [2], initializer=c)
tf.get_variable('n', initializer=c)
tf.get_variable('n', initializer=p)
tf.get_variable('n', initializer=[1.0, 2.0])
tf.get_variable('n', initializer=1)
tf.get_variable('n', initializer='foo')
tf.get_variable('n', initializer=True)
tf.get_variable('n', initializer=None)
tf.get_variable('n', initializer=tf.zeros_initializer())
tf.get_variable('n', initializer=tf.zeros_initializer)
tf.get_variable('n', [2], initializer=tf.zeros_initializer)
tf.get_variable('n', [2], initializer=lambda a: a)
tf.get_variable('n', [2], initializer=lambda: c)
tf.get_variable('n', initializer=lambda: c)
tf.get_variable('n', [2], initializer=tf.constant_initializer([1.0, 2.0, 3.0]))
tf.get_variable('n', [3], initializer=tf.constant_initializer([1.0, 2.0]))
tf.get_variable('n', [2], initializer=tf.constant_initializer('a'))
tf.get_variable('n', [2], tf.int32, initializer=tf.truncated_normal_initializer())
tf.get_variable('n', [2], tf.int32, initializer=tf.constant_initializer(1.5))
tf.get_variable('n', [2], tf.int32, initializer=c)
tf.get_variable('n', [3], initializer=tf.orthogonal_initializer())
tf.get_variable('n', [3], initializer=tf.identity_initializer())
tf.get_variable('n', [2, 2], tf.int32, initializer=tf.glorot_uniform_initializer())
tf.get_variable('n', [2], regularizer=1)
tf.get_variable('n', [2], regularizer=lambda w: None)
tf.get_variable('n', [2], regularizer=lambda w: tf.reduce_sum(w))
tf.get_variable('n', [2], trainable='x')
tf.get_variable('n', [2], trainable=None)
tf.get_variable('n', [2], collections=1)
tf.get_variable('n', [2], collections='a')
tf.get_variable('n', [2], collections=['a'])
tf.get_variable('n', [2], collections=[])
tf.get_variable('n', [2], partitioner=1)
tf.get_variable('n', [2], partitioner=lambda shape, dtype: [1])
tf.get_variable('n', [4], partitioner=lambda shape, dtype: [2])
tf.get_variable('n', [4], partitioner=lambda shape, dtype: [2, 1])
tf.get_variable('n', [4, 4], partitioner=lambda shape, dtype: [2, 2])
tf.get_variable('n', [4], partitioner=lambda shape, dtype: [0])
tf.get_variable('n', [4], partitioner=lambda shape, dtype: [5])
tf.get_variable('n', [4], partitioner=lambda shape, dtype: 2)
tf.get_variable('n', [4], partitioner=lambda shape, dtype: ['a'])
tf.get_variable('n', partitioner=lambda shape, dtype: [1])
tf.get_variable('n', [], partitioner=lambda shape, dtype: [])
tf.get_variable('n', [4], partitioner=tf.fixed_size_partitioner(2))
tf.get_variable('n', [4], partitioner=tf.fixed_size_partitioner(0))
tf.get_variable('n', [2], constraint=1)
tf.get_variable('n', [2], validate_shape=False)
tf.get_variable('n', initializer=p, validate_shape=False)
tf.get_variable('n', [2], use_resource='x')
tf.get_variable('n', [2], caching_device=1)
tf.get_variable('n', [2], aggregation=1)
tf.get_variable('n', [2], synchronization=1)
tf.get_variable('n', [2], foo=1)
tf.get_variable('bad name', [2])
tf.get_variable('_n', [2])
tf.get_variable('n/', [2])
tf.get_variable('/n', [2])
tf.get_variable('v', [2])
tf.get_variable(1, [2])
tf.get_variable(None, [2])
tf.get_variable(c, [2])
tf.get_variable()
tf.get_local_variable('n', [2])
tf.get_local_variable('n')
tf.Variable()
tf.Variable(None)
tf.Variable(1)
tf.Variable('a')
tf.Variable([])
tf.Variable([1.0, 'a'])
tf.Variable([1.0, None])
tf.Variable([[1.0], [1.0, 2.0]])
tf.Variable(p)
tf.Variable(p, validate_shape=False)
tf.Variable(1.0, shape=[2])
tf.Variable([1.0], shape=[None])
tf.Variable([1.0, 2.0], shape=T(None))
tf.Variable(1.0, dtype=tf.int32)
tf.Variable(1.5, dtype=tf.int32)
tf.Variable(1, dtype=tf.float32)
tf.Variable(1, dtype='foo')
tf.Variable(1, dtype=tf.string)
tf.Variable('a', dtype=tf.float32)
tf.Variable(c, dtype=tf.int32)
tf.Variable(c, dtype=tf.float32)
tf.Variable(c, trainable='x')
tf.Variable(c, trainable=None)
tf.Variable(c, collections=1)
tf.Variable(c, collections='a')
tf.Variable(c, collections=['a'])
tf.Variable(c, name='bad name')
tf.Variable(c, name=1)
tf.Variable(c, name='')
tf.Variable(c, name=None)
tf.Variable(c, constraint=1)
tf.Variable(c, variable_def=1)
tf.Variable(c, variable_def=tf.VariableDef())
tf.Variable(lambda: c)
tf.Variable(lambda: c, dtype=tf.float32)
tf.Variable(lambda: 1.0)
tf.Variable(lambda: None)
tf.Variable(lambda x: c)
tf.Variable(v)
tf.Variable(v.initialized_value())
tf.Variable(tf.zeros_initializer())
tf.Variable(tf.float32)
tf.Variable(s)
tf.Variable(1.0, expected_shape=[2])
tf.Variable(True)
v.assign([1.0])
v.assign([1.0, 2.0, 3.0])
v.assign(1.0)
v.assign('a')
v.assign(None)
v.assign([1, 2])
v.assign(tf.constant([1, 2]))
v.assign(p)
v.assign_add([1.0])
v.assign_add('a')
v.assign_sub([[1.0, 2.0]])
v.assign_sub(None)
v.assign([1.0, 2.0], use_locking='x')
tf.assign(v, [1.0])
tf.assign(c, [1.0, 2.0])
tf.assign(v.read_value(), [1.0, 2.0])
tf.assign(1.0, 1.0)
tf.assign(None, 1.0)
tf.assign(v, None)
tf.assign(v, [1.0], validate_shape=False)
tf.assign_add(c, 1.0)
tf.assign_add(v, 1.0)
tf.assign_sub(v, tf.constant([1, 2]))
tf.scatter_add(v, [0], 1.0)
tf.scatter_add(v, [0], [1.0, 2.0])
tf.scatter_add(v, [0.5], [1.0])
tf.scatter_add(c, [0], [1.0])
tf.scatter_update(v, 0, [1.0])
tf.scatter_nd_update(v, [[0]], [1.0, 2.0])
tf.scatter_nd_update(v, [0], 1.0)
tf.scatter_nd_update(c, [[0]], [1.0])
tf.count_up_to(v, 3)
tf.count_up_to(b, 3)
tf.count_up_to(b, 'x')
v.count_up_to(3)
v.set_shape([3])
v.set_shape([2])
v.get_shape()
v.value()
v.initialized_value()
v[0]
v[5]
v['a']
v[0] + 1.0
v.scatter_sub(1.0)
v.scatter_sub(tf.IndexedSlices([1.0], [0]))
v.to_proto()
tf.Variable.from_proto(1)
tf.Variable.from_proto(v.to_proto())
tf.is_variable_initialized(c)
tf.is_variable_initialized(v)
tf.variables_initializer([])
tf.variables_initializer(None)
tf.variables_initializer(v)
tf.variables_initializer([c])
tf.variables_initializer([None])
tf.variables_initializer([v], name='bad name')
tf.global_variables('x')
tf.global_variables(1)
tf.trainable_variables('s')
tf.local_variables()
tf.model_variables()
tf.moving_average_variables()
tf.report_uninitialized_variables([c])
tf.report_uninitialized_variables([])
tf.report_uninitialized_variables(1)
tf.assert_variables_initialized([])
tf.assert_variables_initialized([c])
s.run(v)
s.run(a)
s.run([a, b])
s.run(v + 1.0)
s.run(v.initialized_value())
s.run(v.assign_add([1.0, 1.0]))
s.run(v.read_value())
s.run(tf.assert_variables_initialized())
s.run(tf.gather(v, [0]))
s.run(tf.count_up_to(b, 3))
tf.fixed_size_partitioner('x')
tf.fixed_size_partitioner(2, axis='x')
tf.variable_axis_size_partitioner(0)
tf.variable_axis_size_partitioner(-1)
tf.variable_axis_size_partitioner(16, max_shards=0)
tf.min_max_variable_partitioner(0)
tf.min_max_variable_partitioner(-1)
tf.min_max_variable_partitioner(2, min_slice_size=0)
tf.min_max_variable_partitioner(2, bytes_per_string_element=0)
tf.constant_initializer(1.0, 'foo')
tf.constant_initializer(c)
tf.constant_initializer(None)
tf.constant_initializer({})
tf.constant_initializer([1.0, 2.0])([3])
tf.constant_initializer([1.0, 2.0], verify_shape=True)([3])
tf.constant_initializer(1.0)('a')
tf.zeros_initializer('foo')
tf.zeros_initializer()(None)
tf.zeros_initializer()([2], tf.string)
tf.random_uniform_initializer(2, 1)([2])
tf.random_uniform_initializer('a')
tf.random_uniform_initializer(dtype=tf.int32)([2])
tf.random_normal_initializer(dtype=tf.int32)
tf.truncated_normal_initializer(dtype=tf.string)
tf.variance_scaling_initializer(0.0)
tf.variance_scaling_initializer(-1.0)
tf.variance_scaling_initializer(mode='foo')
tf.variance_scaling_initializer(distribution='foo')
tf.variance_scaling_initializer(dtype=tf.int32)
tf.orthogonal_initializer()([3])
tf.orthogonal_initializer(dtype=tf.int32)
tf.identity_initializer()([3])
tf.identity_initializer()([3, 2, 2])
tf.uniform_unit_scaling_initializer(dtype=tf.int32)
tf.glorot_uniform_initializer()([])
"""),
    "savers": ("""
v = tf.Variable([1.0, 2.0], name='v')
w = tf.Variable(3, name='w')
c = tf.constant([1.0], name='c')
s = tf.Session()
s.run(tf.global_variables_initializer())
saver = tf.train.Saver()
path = saver.save(s, '{dir}/ck')
g2 = tf.Graph()
with g2.as_default():
    v3 = tf.Variable([1.0, 2.0, 3.0], name='v')
    s3 = tf.train.Saver([v3])
    x3 = tf.Variable([1.0], name='extra')
    sx = tf.train.Saver()
    t3 = tf.Variable([1, 2], name='typed')
    st = tf.train.Saver({'v': t3})
    e2 = tf.Session()
""", """
tf.train.Saver([])
tf.train.Saver({})
tf.train.Saver(None)
tf.train.Saver([], allow_empty=True)
tf.train.Saver(v)
tf.train.Saver('v')
tf.train.Saver(1)
tf.train.Saver([v, v])
tf.train.Saver([c])
tf.train.Saver([None])
tf.train.Saver([1])
tf.train.Saver(['v'])
tf.train.Saver({'a': v, 'b': v})
tf.train.Saver({'a': c})
tf.train.Saver({'a': 1})
tf.train.Saver({1: v})
tf.train.Saver({'a': None})
tf.train.Saver({'a': [v]})
tf.train.Saver([v3])
tf.train.Saver(max_to_keep=None)
tf.train.Saver(max_to_keep=0)
tf.train.Saver(max_to_keep='x')
tf.train.Saver(max_to_keep=-1)
tf.train.Saver(sharded=True)
tf.train.Saver(name='bad name')
tf.train.Saver(name=1)
tf.train.Saver(restore_sequentially=True)
tf.train.Saver(saver_def=1)
tf.train.Saver(builder=1)
tf.train.Saver(defer_build=True, var_list=[v])
tf.train.Saver(defer_build=True)
tf.train.Saver(defer_build=True).save(s, '{dir}/d')
tf.train.Saver(defer_build=True).restore(s, path)
tf.train.Saver(defer_build=True).build()
tf.train.Saver(write_version=1).save(s, '{dir}/v1')
tf.train.Saver(write_version=9)
tf.train.Saver(reshape=True).restore(s, path)
tf.train.Saver(filename='x')
tf.train.Saver(filename=1)
tf.train.Saver(foo=1)
saver.save(s, None)
saver.save(s, 1)
saver.save(None, '{dir}/a')
saver.save(1, '{dir}/a')
saver.save('s', '{dir}/a')
saver.save(s, '{dir}/nowhere/sub/a')
saver.save(s, '{dir}/a', global_step='x')
saver.save(s, '{dir}/a', global_step=1.5)
saver.save(s, '{dir}/a', global_step=3)
saver.save(s, '{dir}/a', global_step=w)
saver.save(s, '{dir}/a', global_step=v)
saver.save(s, '{dir}/a', global_step=None)
saver.save(s, '{dir}/a', global_step=-3)
saver.save(s, '{dir}/a', global_step=c)
saver.save(s, '{dir}/a', global_step=tf.constant(4))
saver.save(s, '{dir}/a', latest_filename='x/y')
saver.save(s, '{dir}/a', latest_filename='')
saver.save(s, '{dir}/a', latest_filename=1)
saver.save(s, '{dir}/a', meta_graph_suffix='m')
saver.save(s, '{dir}/a', meta_graph_suffix=1)
saver.save(s, '{dir}/a', write_meta_graph=False, write_state=False)
saver.save(s, '{dir}/a/')
saver.save(tf.Session(), '{dir}/a')
saver.save(e2, '{dir}/a')
saver.restore(s, path)
saver.restore(s, None)
saver.restore(s, '')
saver.restore(s, 1)
saver.restore(s, 'nowhere')
saver.restore(s, '{dir}/nowhere')
saver.restore(s, '{dir}')
saver.restore(s, '{dir}/checkpoint')
saver.restore(s, '{dir}/ck.index')
saver.restore(s, '{dir}/ck.meta')
saver.restore(s, '{dir}/ck.data-00000-of-00001')
saver.restore(None, path)
saver.restore(1, path)
saver.restore(e2, path)
s3.restore(e2, path)
sx.restore(e2, path)
st.restore(e2, path)
tf.train.Saver({'nothing': v}).restore(s, path)
tf.train.Saver({'w': v}).restore(s, path)
tf.train.Saver({'v': w}).restore(s, path)
saver.set_last_checkpoints(1)
saver.set_last_checkpoints('x')
saver.set_last_checkpoints([1])
saver.set_last_checkpoints(['a'])
saver.set_last_checkpoints_with_time([('a', 1.0)])
saver.set_last_checkpoints_with_time([1])
saver.recover_last_checkpoints([path])
saver.recover_last_checkpoints(['nowhere'])
saver.recover_last_checkpoints(1)
saver.last_checkpoints
saver.export_meta_graph('{dir}/m.meta')
saver.export_meta_graph(1)
saver.export_meta_graph('{dir}/no/m.meta')
saver.as_saver_def()
saver.to_proto()
tf.train.Saver.from_proto(1)
tf.train.latest_checkpoint('{dir}')
tf.train.latest_checkpoint('nowhere')
tf.train.latest_checkpoint(1)
tf.train.latest_checkpoint(None)
tf.train.latest_checkpoint('{dir}', 'nothing')
tf.train.checkpoint_exists(path)
tf.train.checkpoint_exists('nowhere')
tf.train.checkpoint_exists(1)
tf.train.checkpoint_exists('')
tf.train.get_checkpoint_state('{dir}')
tf.train.get_checkpoint_state('nowhere')
tf.train.get_checkpoint_state(1)
tf.train.get_checkpoint_mtimes([path])
tf.train.get_checkpoint_mtimes(['nowhere'])
tf.train.get_checkpoint_mtimes(1)
tf.train.update_checkpoint_state('nowhere', 'a')
tf.train.update_checkpoint_state('{dir}', path)
tf.train.update_checkpoint_state('{dir}', 1)
tf.train.update_checkpoint_state(1, path)
tf.train.remove_checkpoint('nowhere')
tf.train.list_variables(path)
tf.train.list_variables('nowhere')
tf.train.list_variables('{dir}')
tf.train.list_variables(1)
tf.train.list_variables('')
tf.train.load_variable(path, 'v')
tf.train.load_variable(path, 'w')
tf.train.load_variable(path, 'nothing')
tf.train.load_variable(path, 1)
tf.train.load_variable('nowhere', 'v')
tf.train.load_checkpoint(path)
tf.train.load_checkpoint('nowhere')
tf.train.load_checkpoint(None)
tf.train.load_checkpoint(path).get_tensor('v')
tf.train.load_checkpoint(path).get_tensor('nothing')
tf.train.load_checkpoint(path).get_tensor(1)
tf.train.load_checkpoint(path).has_tensor('v')
tf.train.load_checkpoint(path).has_tensor(1)
tf.train.NewCheckpointReader(path)
tf.train.NewCheckpointReader('nowhere')
tf.train.NewCheckpointReader(1)
tf.train.NewCheckpointReader('{dir}')
tf.train.init_from_checkpoint(path, {'v': v})
tf.train.init_from_checkpoint(path, {'v': 'v'})
tf.train.init_from_checkpoint(path, {'nothing': 'v'})
tf.train.init_from_checkpoint(path, {'w': 'v'})
tf.train.init_from_checkpoint(path, {'v': 'nothing'})
tf.train.init_from_checkpoint(path, {'v': w})
tf.train.init_from_checkpoint(path, {'/': '/'})
tf.train.init_from_checkpoint(path, {'x/': '/'})
tf.train.init_from_checkpoint(path, {'v': 1})
tf.train.init_from_checkpoint(path, {'v': c})
tf.train.init_from_checkpoint(path, 1)
tf.train.init_from_checkpoint(path, {})
tf.train.init_from_checkpoint('nowhere', {'v': v})
tf.train.init_from_checkpoint(1, {'v': v})
tf.train.import_meta_graph('nowhere')
tf.train.import_meta_graph('{dir}/ck.meta')
tf.train.import_meta_graph('{dir}/ck')
tf.train.import_meta_graph('{dir}/ck.index')
tf.train.import_meta_graph(1)
tf.train.import_meta_graph(None)
tf.train.import_meta_graph('')
tf.train.export_meta_graph(1)
tf.train.export_meta_graph(graph=1)
tf.train.export_meta_graph(as_text='x')
tf.train.export_meta_graph(export_scope=1)
tf.train.write_graph(1, '{dir}', 'a')
tf.train.write_graph(tf.get_default_graph(), '{dir}', 'a.pbtxt')
tf.train.write_graph(None, '{dir}', 'a')
tf.train.write_graph(tf.get_default_graph(), 1, 'a')
tf.train.write_graph(tf.get_default_graph(), '{dir}', 1)
tf.train.write_graph(tf.get_default_graph(), '{dir}', 'b.pb', as_text=False)
s.run(tf.raw_ops.RestoreV2(prefix=path, tensor_names=['v'], shape_and_slices=[''], dtypes=[tf.float32]))
s.run(tf.raw_ops.RestoreV2(prefix=path, tensor_names=['no'], shape_and_slices=[''], dtypes=[tf.float32]))
s.run(tf.raw_ops.RestoreV2(prefix=path, tensor_names=['v'], shape_and_slices=[''], dtypes=[tf.int32]))
s.run(tf.raw_ops.RestoreV2(prefix='nowhere', tensor_names=['v'], shape_and_slices=[''], dtypes=[tf.float32]))
s.run(tf.raw_ops.RestoreV2(prefix=path, tensor_names=['v'], shape_and_slices=['2 0,1'], dtypes=[tf.float32]))
s.run(tf.raw_ops.RestoreV2(prefix=path, tensor_names=['v'], shape_and_slices=['x'], dtypes=[tf.float32]))
s.run(tf.raw_ops.RestoreV2(prefix=path, tensor_names=['v'], shape_and_slices=['3 0,1'], dtypes=[tf.float32]))
s.run(tf.raw_ops.RestoreV2(prefix=path, tensor_names=['v', 'w'], shape_and_slices=[''], dtypes=[tf.float32]))
s.run(tf.raw_ops.SaveV2(prefix='{dir}/q', tensor_names=['a'], shape_and_slices=[''], tensors=[c]))
s.run(tf.raw_ops.SaveV2(prefix='{dir}/q', tensor_names=['a', 'b'], shape_and_slices=[''], tensors=[c]))
s.run(tf.raw_ops.SaveV2(prefix='{dir}/q', tensor_names=['a'], shape_and_slices=['x'], tensors=[c]))
"""),
    "optimizers": ("""
v = tf.Variable([1.0, 2.0], name='v')
r = tf.get_variable('r', [2], use_resource=True)
k = tf.Variable(3, name='k')
st = tf.Variable('a', name='st')
f = tf.Variable([1.0], trainable=False, name='f')
c = tf.constant([1.0, 2.0], name='c')
p = tf.placeholder(tf.float32, [2], name='p')
g = tf.train.get_or_create_global_step()
loss = tf.reduce_sum(tf.square(v))
apart = tf.reduce_sum(p)
cut = tf.stop_gradient(loss)
opt = tf.train.GradientDescentOptimizer(0.1)
mom = tf.train.MomentumOptimizer(0.1, 0.9)
""", """
opt.minimize(loss)
opt.minimize(None)
opt.minimize(1.0)
opt.minimize('x')
opt.minimize([loss])
opt.minimize([])
opt.minimize(loss, 1)
opt.minimize(loss, g)
opt.minimize(loss, v)
opt.minimize(loss, c)
opt.minimize(loss, k)
opt.minimize(loss, var_list=[])
opt.minimize(loss, var_list=None)
opt.minimize(loss, var_list=[v])
opt.minimize(loss, var_list=v)
opt.minimize(loss, var_list=(v,))
opt.minimize(loss, var_list=[c])
opt.minimize(loss, var_list=[None])
opt.minimize(loss, var_list=[1])
opt.minimize(loss, var_list='v')
opt.minimize(loss, var_list=['v'])
opt.minimize(loss, var_list=[k])
opt.minimize(loss, var_list=[st])
opt.minimize(loss, var_list=[f])
opt.minimize(loss, var_list=[v, v])
opt.minimize(loss, var_list={'a': v})
opt.minimize(loss, var_list=[v, f])
opt.minimize(apart)
opt.minimize(cut)
opt.minimize(k)
opt.minimize(tf.constant(1))
opt.minimize(tf.cast(loss, tf.int32))
opt.minimize(tf.cast(loss, tf.complex64))
opt.minimize(lambda: loss)
opt.minimize(loss, gate_gradients=5)
opt.minimize(loss, gate_gradients='x')
opt.minimize(loss, gate_gradients=2)
opt.minimize(loss, aggregation_method=9)
opt.minimize(loss, aggregation_method='x')
opt.minimize(loss, colocate_gradients_with_ops='x')
opt.minimize(loss, name='bad name')
opt.minimize(loss, name=1)
opt.minimize(loss, name='')
opt.minimize(loss, grad_loss=1.0)
opt.minimize(loss, grad_loss=[1.0])
opt.minimize(loss, grad_loss=[1.0, 2.0])
opt.minimize(loss, grad_loss='x')
opt.minimize(loss, grad_loss=tf.constant(1))
opt.minimize(loss, foo=1)
opt.compute_gradients(loss)
opt.compute_gradients(loss, [])
opt.compute_gradients(loss, [c])
opt.compute_gradients(loss, [f])
opt.compute_gradients(loss, c)
opt.compute_gradients(None)
opt.compute_gradients(apart, [v])
opt.compute_gradients(loss, [p])
opt.compute_gradients(loss, gate_gradients=3)
opt.apply_gradients([])
opt.apply_gradients(None)
opt.apply_gradients(1)
opt.apply_gradients('x')
opt.apply_gradients([(None, v)])
opt.apply_gradients([(None, v), (None, f)])
opt.apply_gradients([(c, v)])
opt.apply_gradients([(c, None)])
opt.apply_gradients([(c, c)])
opt.apply_gradients([(c, 1)])
opt.apply_gradients([(1.0, v)])
opt.apply_gradients([(1, v)])
opt.apply_gradients([([1.0, 2.0], v)])
opt.apply_gradients([('x', v)])
opt.apply_gradients([(c,)])
opt.apply_gradients([c])
opt.apply_gradients([v])
opt.apply_gradients([(c, v, v)])
opt.apply_gradients([(tf.constant([1.0]), v)])
opt.apply_gradients([(tf.constant([1, 2]), v)])
opt.apply_gradients([(tf.constant(1.0), v)])
opt.apply_gradients([(p, v)])
opt.apply_gradients([(c, v), (c, v)])
opt.apply_gradients([(c, r)])
opt.apply_gradients([(tf.constant([1.0]), r)])
opt.apply_gradients([(None, r)])
opt.apply_gradients([(c, k)])
opt.apply_gradients([(c, v)], 1)
opt.apply_gradients([(c, v)], g)
opt.apply_gradients([(c, v)], v)
opt.apply_gradients([(c, v)], c)
opt.apply_gradients([(c, v)], name='bad name')
opt.apply_gradients([(c, v)], name=1)
opt.apply_gradients([(tf.IndexedSlices([1.0], [0]), v)])
opt.apply_gradients([(tf.IndexedSlices([[1.0]], [0]), v)])
mom.apply_gradients([(c, v)])
mom.apply_gradients([(tf.constant([1.0]), v)])
mom.apply_gradients([(tf.constant(1.0), v)])
mom.get_slot(v, 'momentum')
mom.get_slot(v, 'nothing')
mom.get_slot(c, 'momentum')
mom.get_slot(None, 'momentum')
mom.get_slot_names()
opt.get_slot_names()
opt.get_name()
opt.variables()
tf.train.GradientDescentOptimizer()
tf.train.GradientDescentOptimizer('x')
tf.train.GradientDescentOptimizer(None)
tf.train.GradientDescentOptimizer('x').minimize(loss)
tf.train.GradientDescentOptimizer(None).minimize(loss)
tf.train.GradientDescentOptimizer([0.1, 0.2]).minimize(loss)
tf.train.GradientDescentOptimizer(c).minimize(loss)
tf.train.GradientDescentOptimizer(k).minimize(loss)
tf.train.GradientDescentOptimizer(tf.constant(1)).minimize(loss)
tf.train.GradientDescentOptimizer(lambda: 0.1).minimize(loss)
tf.train.GradientDescentOptimizer(lambda: None).minimize(loss)
tf.train.GradientDescentOptimizer(0.1, name='bad name').minimize(loss)
tf.train.GradientDescentOptimizer(0.1, name='')
tf.train.GradientDescentOptimizer(0.1, name=None)
tf.train.GradientDescentOptimizer(0.1, name=1).minimize(loss)
tf.train.GradientDescentOptimizer(0.1, use_locking='x').minimize(loss)
tf.train.GradientDescentOptimizer(-0.1).minimize(loss)
tf.train.GradientDescentOptimizer(0.1, foo=1)
tf.train.MomentumOptimizer(0.1)
tf.train.MomentumOptimizer(0.1, 'x').minimize(loss)
tf.train.MomentumOptimizer(0.1, None).minimize(loss)
tf.train.MomentumOptimizer(0.1, [0.9]).minimize(loss)
tf.train.MomentumOptimizer('x', 0.9).minimize(loss)
tf.train.MomentumOptimizer(0.1, 0.9, use_nesterov='x').minimize(loss)
tf.train.AdamOptimizer('x').minimize(loss)
tf.train.AdamOptimizer(beta1='x').minimize(loss)
tf.train.AdamOptimizer(beta1=None).minimize(loss)
tf.train.AdamOptimizer(epsilon='x').minimize(loss)
tf.train.AdamOptimizer(epsilon=None).minimize(loss)
tf.train.AdamOptimizer([0.1]).minimize(loss)
tf.train.AdagradOptimizer(0.1, 0.0)
tf.train.AdagradOptimizer(0.1, -1.0)
tf.train.AdagradOptimizer(0.1, 'x')
tf.train.AdagradOptimizer(0.1, None)
tf.train.AdagradOptimizer('x').minimize(loss)
tf.train.RMSPropOptimizer('x').minimize(loss)
tf.train.RMSPropOptimizer(0.1, decay='x').minimize(loss)
tf.train.RMSPropOptimizer(0.1, momentum=None).minimize(loss)
tf.train.RMSPropOptimizer(0.1, centered='x').minimize(loss)
tf.train.AdadeltaOptimizer(rho='x').minimize(loss)
tf.train.AdadeltaOptimizer(epsilon=None).minimize(loss)
tf.train.FtrlOptimizer(0.1, learning_rate_power=1.0)
tf.train.FtrlOptimizer(0.1, initial_accumulator_value=-1.0)
tf.train.FtrlOptimizer(0.1, l1_regularization_strength=-1.0)
tf.train.FtrlOptimizer(0.1, l2_regularization_strength=-1.0)
tf.train.FtrlOptimizer(0.1, l2_shrinkage_regularization_strength=-1.0)
tf.train.FtrlOptimizer(0.1, accum_name=1)
tf.train.FtrlOptimizer('x').minimize(loss)
tf.train.FtrlOptimizer(0.1, 'x')
tf.train.ProximalGradientDescentOptimizer('x').minimize(loss)
tf.train.ProximalAdagradOptimizer(0.1, 0.0)
tf.train.ProximalAdagradOptimizer(0.1, -1.0)
tf.train.ProximalAdagradOptimizer(0.1, 'x')
tf.train.AdagradDAOptimizer(0.1, g, 0.0)
tf.train.AdagradDAOptimizer(0.1, g, -1.0)
tf.train.AdagradDAOptimizer(0.1, None)
tf.train.AdagradDAOptimizer(0.1, g).minimize(loss)
tf.train.AdagradDAOptimizer(0.1, 1).minimize(loss)
tf.train.SyncReplicasOptimizer(opt, 0)
tf.train.SyncReplicasOptimizer(opt, 1).minimize(loss)
tf.train.SyncReplicasOptimizer(opt, 1).minimize(loss, g)
tf.train.SyncReplicasOptimizer(opt, 1).apply_gradients([])
tf.train.SyncReplicasOptimizer(opt, 1).apply_gradients([(c, v)])
tf.train.SyncReplicasOptimizer(opt, 1).get_chief_queue_runner()
tf.train.SyncReplicasOptimizer(opt, 1).get_init_tokens_op()
tf.train.SyncReplicasOptimizer(opt, 1).chief_init_op
tf.train.SyncReplicasOptimizer(opt, 1).ready_for_local_init_op
tf.train.ExponentialMovingAverage('x').apply([v])
tf.train.ExponentialMovingAverage(None).apply([v])
tf.train.ExponentialMovingAverage(0.9).apply([])
tf.train.ExponentialMovingAverage(0.9).apply()
tf.train.ExponentialMovingAverage(0.9).apply([k])
tf.train.ExponentialMovingAverage(0.9).apply([st])
tf.train.ExponentialMovingAverage(0.9).apply([c])
tf.train.ExponentialMovingAverage(0.9).apply([p])
tf.train.ExponentialMovingAverage(0.9).apply([1])
tf.train.ExponentialMovingAverage(0.9).apply([None])
tf.train.ExponentialMovingAverage(0.9).apply(v)
tf.train.ExponentialMovingAverage(0.9).apply([v, v])
tf.train.ExponentialMovingAverage(0.9).average(v)
tf.train.ExponentialMovingAverage(0.9).average(c)
tf.train.ExponentialMovingAverage(0.9).average(1)
tf.train.ExponentialMovingAverage(0.9).average_name(v)
tf.train.ExponentialMovingAverage(0.9).average_name(c)
tf.train.ExponentialMovingAverage(0.9).average_name(1)
tf.train.ExponentialMovingAverage(0.9).variables_to_restore(1)
tf.train.ExponentialMovingAverage(0.9).variables_to_restore([v])
tf.train.ExponentialMovingAverage(0.9).variables_to_restore([c])
tf.train.ExponentialMovingAverage(0.9, num_updates='x').apply([v])
tf.train.ExponentialMovingAverage(0.9, name='bad name').apply([v])
tf.train.ExponentialMovingAverage()
tf.train.get_global_step()
tf.train.get_global_step(1)
tf.train.get_global_step('x')
tf.train.create_global_step()
tf.train.create_global_step(1)
tf.train.get_or_create_global_step()
tf.train.get_or_create_global_step(1)
tf.train.assert_global_step(1)
tf.train.assert_global_step(v)
tf.train.assert_global_step(f)
tf.train.assert_global_step(g)
tf.train.assert_global_step(c)
tf.train.assert_global_step(None)
tf.train.assert_global_step(k)
tf.train.global_step(tf.Session(), g)
tf.train.global_step(1, g)
tf.train.global_step(tf.Session(), 1)
tf.train.global_step(tf.Session(), 'global_step:0')
tf.train.exponential_decay(0.1, None, 10, 0.9)
tf.train.exponential_decay('x', g, 10, 0.9)
tf.train.exponential_decay(0.1, g, 'x', 0.9)
tf.train.exponential_decay(0.1, g, 10, None)
tf.train.exponential_decay(0.1, v, 10, 0.9)
tf.train.exponential_decay(0.1, 'x', 10, 0.9)
tf.train.piecewise_constant(g, [1, 2], [0.1, 0.2])
tf.train.piecewise_constant(g, [1, 2], [0.1, 0.2, 0.3])
tf.train.piecewise_constant(g, [1.5, 2.5], [0.1, 0.2, 0.3])
tf.train.piecewise_constant(g, [1, 2], [0.1, 2, 0.3])
tf.train.piecewise_constant(g, [1, 'x'], [0.1, 0.2, 0.3])
tf.train.piecewise_constant(g, [], [0.1])
tf.train.piecewise_constant(None, [1], [0.1, 0.2])
tf.train.piecewise_constant(g, None, [0.1, 0.2])
tf.train.piecewise_constant(g, [1], None)
tf.train.piecewise_constant(1.5, [1, 2], [0.1, 0.2, 0.3])
tf.train.polynomial_decay(0.1, None, 10)
tf.train.polynomial_decay(0.1, g, 'x')
tf.train.polynomial_decay(0.1, g, 10, power='x')
tf.train.natural_exp_decay(0.1, None, 10, 0.9)
tf.train.inverse_time_decay(0.1, None, 10, 0.9)
tf.train.inverse_time_decay(0.1, g, 10, 'x')
tf.train.cosine_decay(0.1, None, 10)
tf.train.cosine_decay('x', g, 10)
tf.train.cosine_decay_restarts(0.1, None, 10)
tf.train.linear_cosine_decay(0.1, None, 10)
tf.train.noisy_linear_cosine_decay(0.1, None, 10)
tf.clip_by_global_norm(c, 1.0)
tf.clip_by_global_norm([], 1.0)
tf.clip_by_global_norm([None], 1.0)
tf.clip_by_global_norm([c, None], 1.0)
tf.clip_by_global_norm('x', 1.0)
tf.clip_by_global_norm(1, 1.0)
tf.clip_by_global_norm([c], 'x')
tf.clip_by_global_norm([c], None)
tf.clip_by_global_norm([c], [1.0, 2.0])
tf.clip_by_global_norm([tf.constant([1])], 1.0)
tf.clip_by_norm(c, 'x')
tf.clip_by_norm(None, 1.0)
tf.clip_by_norm(c, [1.0, 2.0, 3.0])
tf.clip_by_value(c, None, 1.0)
tf.clip_by_value(c, 0.0)
tf.clip_by_value(c, [0.0, 0.0, 0.0], 1.0)
tf.clip_by_average_norm(c, 'x')
tf.global_norm(c)
tf.global_norm([])
tf.global_norm([None])
tf.global_norm('x')
"""),
    "gradients": ("""
x = tf.placeholder(tf.float32, [2], name='x')
y = tf.multiply(x, 2.0, name='y')
z = tf.reduce_sum(y, name='z')
k = tf.placeholder(tf.int32, [2], name='k')
kk = tf.add(k, 1, name='kk')
t = tf.placeholder(tf.string, [2], name='t')
u = tf.placeholder(tf.float32, [2], name='u')
cx = tf.cast(y, tf.complex64)
nd = tf.floor(x, name='nd')
ng = tf.py_func(lambda a: a, [x], tf.float32)
v = tf.Variable([1.0, 2.0], name='v')
g2 = tf.Graph()
with g2.as_default():
    o = tf.constant([1.0, 2.0], name='o')
""", """
tf.gradients(y, x)
tf.gradients(None, x)
tf.gradients(y, None)
tf.gradients(y, [])
tf.gradients([], x)
tf.gradients([], [])
tf.gradients(y, [None])
tf.gradients([None], x)
tf.gradients(y, 'x')
tf.gradients('y', x)
tf.gradients(y, 1.0)
tf.gradients(1.0, x)
tf.gradients(y, [x, 1.0])
tf.gradients(y, u)
tf.gradients(y, [x, u])
tf.gradients(y, k)
tf.gradients(kk, k)
tf.gradients(kk, x)
tf.gradients(t, t)
tf.gradients(t, x)
tf.gradients(y, t)
tf.gradients(cx, x)
tf.gradients(cx, cx)
tf.gradients(nd, x)
tf.gradients(ng, x)
tf.gradients(y, v)
tf.gradients(v, v)
tf.gradients([y, z], x)
tf.gradients((y, z), (x, u))
tf.gradients(y, x, [1.0, 2.0])
tf.gradients(y, x, 1.0)
tf.gradients(y, x, tf.constant(1.0))
tf.gradients(y, x, tf.constant([1.0, 2.0]))
tf.gradients(y, x, [tf.constant([1.0, 2.0])])
tf.gradients(y, x, tf.constant([1, 2]))
tf.gradients(y, x, [tf.constant([1.0])])
tf.gradients(y, x, [tf.constant([1.0, 2.0, 3.0])])
tf.gradients(y, x, [tf.constant(['a', 'b'])])
tf.gradients(y, x, [tf.constant([1.0, 2.0], tf.float64)])
tf.gradients(y, x, [])
tf.gradients(y, x, [None])
tf.gradients(y, x, [None, None])
tf.gradients([y, z], x, [None])
tf.gradients([y, z], x, [None, None])
tf.gradients([y, z], x, [tf.constant([1.0, 2.0]), None])
tf.gradients(y, x, 'x')
tf.gradients(y, x, grad_ys=[[1.0, 2.0]])
tf.gradients(y, x, grad_ys=[[1.0]])
tf.gradients(y, x, grad_ys=['a'])
tf.gradients(y, x, grad_ys=[x])
tf.gradients(y, x, grad_ys=[o])
tf.gradients(kk, x, grad_ys=[tf.constant([1, 2])])
tf.gradients(cx, x, grad_ys=[tf.constant([1.0, 2.0])])
tf.gradients(cx, x, grad_ys=[cx])
tf.gradients(y, x, name='bad name')
tf.gradients(y, x, name=1)
tf.gradients(y, x, name='')
tf.gradients(y, x, colocate_gradients_with_ops='x')
tf.gradients(y, x, gate_gradients='x')
tf.gradients(y, x, aggregation_method=9)
tf.gradients([y, z], x, aggregation_method=9)
tf.gradients(y * y + y, x, aggregation_method=9)
tf.gradients(y * y + y, x, aggregation_method='x')
tf.gradients(y, x, stop_gradients=1)
tf.gradients(y, x, stop_gradients='x')
tf.gradients(y, x, stop_gradients=[u])
tf.gradients(y, x, stop_gradients=u)
tf.gradients(y, x, stop_gradients=[None])
tf.gradients(y, x, stop_gradients=[1])
tf.gradients(y, x, stop_gradients=[x])
tf.gradients(y, x, unconnected_gradients='none')
tf.gradients(y, u, unconnected_gradients='zero')
tf.gradients(y, u, unconnected_gradients='foo')
tf.gradients(y, u, unconnected_gradients=1)
tf.gradients(y, u, unconnected_gradients=None)
tf.gradients(y, k, unconnected_gradients='zero')
tf.gradients(o, o)
tf.gradients(y, o)
tf.gradients(o, x)
tf.gradients({'a': y}, x)
tf.gradients(y, {'a': x})
tf.gradients(tf.SparseTensor([[0]], [1.0], [2]), x)
tf.gradients(y, tf.IndexedSlices(x, [0, 1]))
tf.gradients(tf.IndexedSlices(y, [0, 1]), x)
tf.gradients(tf.identity_n([y, z]), x)
tf.hessians(z, x)
tf.hessians(z, [x, u])
tf.hessians(z, u)
tf.hessians(z, [])
tf.hessians(None, x)
tf.hessians(z, None)
tf.hessians(z, k)
tf.hessians(y, x)
tf.hessians(z, tf.placeholder(tf.float32))
tf.hessians(tf.reduce_sum(x * x), x)
tf.stop_gradient(None)
tf.stop_gradient('x')
tf.custom_gradient(1)
tf.custom_gradient(lambda a: a)(x)
tf.custom_gradient(lambda a: (a, 1))(x)
tf.custom_gradient(lambda a: (a, lambda d: d))(x)
tf.custom_gradient(lambda a: (a, lambda d: d))('x')
tf.custom_gradient(lambda a: None)(x)
tf.gradients(tf.custom_gradient(lambda a: (a, lambda d: d))(x), x)
tf.gradients(tf.custom_gradient(lambda a: (a, lambda d: (d, d)))(x), x)
tf.gradients(tf.custom_gradient(lambda a: (a, lambda d: None))(x), x)
tf.gradients(tf.custom_gradient(lambda a: (a, lambda d: 1.0))(x), x)
tf.gradients(tf.custom_gradient(lambda a: (a, lambda: 1.0))(x), x)
tf.gradients(tf.custom_gradient(lambda a: (a, lambda d: 'x'))(x), x)
tf.RegisterGradient('Mul')
tf.RegisterGradient(1)
tf.RegisterGradient('Mul')(lambda op, g: g)
tf.NotDifferentiable('Mul')
tf.NoGradient('Mul')
tf.NotDifferentiable(1)
tf.test.compute_gradient(x, [2], y, [2])
tf.test.compute_gradient_error(x, [2], y, [2])
tf.GradientTape().gradient(y, x)
tf.AggregationMethod.ADD_N
tf.gradients(tf.cond(z > 0.0, lambda: x, lambda: y), x)
tf.gradients(tf.argmax(x), x)
tf.gradients(tf.reduce_sum(tf.unique(x)), x)
tf.gradients(tf.constant(1.0), x)
tf.gradients(tf.string_to_number(t), t)
tf.gradients(tf.bitcast(x, tf.int32), x)
tf.gradients(tf.random_shuffle(x), x)
tf.gradients(tf.cumprod(x), x)
tf.gradients(tf.nn.top_k(x, 1), x)
tf.gradients(tf.nn.top_k(x, 1).indices, x)
tf.gradients(tf.histogram_fixed_width(x, [0.0, 1.0]), x)
tf.gradients(tf.nn.relu(x).op, x)
tf.gradients(y.op, x)
tf.gradients(y, x.op)
"""),
    "summaries": ("""
c = tf.constant(1.0, name='c')
m = tf.constant([[1.0, 2.0]], name='m')
k = tf.constant([1, 2], name='k')
t = tf.constant(['a'], name='t')
i4 = tf.placeholder(tf.float32, [1, 2, 2, 1], name='i4')
p = tf.placeholder(tf.float32, name='p')
s = tf.Session()
w = tf.summary.FileWriter('{dir}/logs')
""", """
tf.summary.scalar('a', c)
tf.summary.scalar('a', m)
tf.summary.scalar('a', t)
tf.summary.scalar('a', None)
tf.summary.scalar('a', 'x')
tf.summary.scalar('a', 1)
tf.summary.scalar('a', k)
tf.summary.scalar('a', p)
tf.summary.scalar('bad name', c)
tf.summary.scalar('', c)
tf.summary.scalar(1, c)
tf.summary.scalar(None, c)
tf.summary.scalar('a/b', c)
tf.summary.scalar('a', c, collections=1)
tf.summary.scalar('a', c, collections='x')
tf.summary.scalar('a', c, collections=[])
tf.summary.scalar('a', c, family='f')
tf.summary.scalar('a', c, family='bad f')
tf.summary.scalar('a', c, family=1)
tf.summary.scalar('a', tf.constant(True))
tf.summary.scalar('a')
s.run(tf.summary.scalar('a', m))
s.run(tf.summary.scalar('a', k))
s.run(tf.summary.scalar('a', p), {p: [1.0, 2.0]})
s.run(tf.summary.scalar('a', p), {p: [1.0]})
tf.summary.histogram('a', c)
tf.summary.histogram('a', m)
tf.summary.histogram('a', t)
tf.summary.histogram('a', None)
tf.summary.histogram('a', 'x')
tf.summary.histogram('a', tf.constant(True))
tf.summary.histogram('a', k)
tf.summary.histogram(1, m)
s.run(tf.summary.histogram('a', p), {p: [1.0, A(1.0)]})
tf.summary.image('a', i4)
tf.summary.image('a', m)
tf.summary.image('a', p)
tf.summary.image('a', tf.zeros([1, 2, 2, 2]))
tf.summary.image('a', tf.zeros([1, 2, 2, 5]))
tf.summary.image('a', tf.zeros([1, 2, 2, 3], tf.int32))
tf.summary.image('a', tf.zeros([1, 2, 2, 3], tf.uint8))
tf.summary.image('a', None)
tf.summary.image('a', i4, max_outputs=0)
tf.summary.image('a', i4, max_outputs='x')
tf.summary.image('a', i4, max_outputs=-1)
tf.summary.image('a', i4, max_outputs=1.5)
s.run(tf.summary.image('a', tf.zeros([1, 2, 2, 2])))
s.run(tf.summary.image('a', p), {p: [1.0]})
tf.summary.audio('a', m, 8000.0)
tf.summary.audio('a', m, 8000)
tf.summary.audio('a', c, 8000.0)
tf.summary.audio('a', m, 'x')
tf.summary.audio('a', m, None)
tf.summary.audio('a', k, 8000.0)
tf.summary.audio('a', m, 8000.0, max_outputs=0)
tf.summary.audio('a', tf.zeros([1, 2, 3, 4]), 8000.0)
s.run(tf.summary.audio('a', m, 0.0))
s.run(tf.summary.audio('a', m, -1.0))
tf.summary.text('a', t)
tf.summary.text('a', c)
tf.summary.text('a', 'x')
tf.summary.text('a', None)
tf.summary.text(1, t)
tf.summary.text('a', 1)
tf.summary.tensor_summary('a', m)
tf.summary.tensor_summary('a', None)
tf.summary.tensor_summary('a', t)
tf.summary.tensor_summary(1, m)
tf.summary.tensor_summary('a', m, summary_metadata=1)
tf.summary.merge([])
tf.summary.merge(None)
tf.summary.merge(c)
tf.summary.merge([c])
tf.summary.merge([t])
tf.summary.merge('x')
tf.summary.merge(['x'])
tf.summary.merge([None])
tf.summary.merge([tf.summary.scalar('a', c)], name='bad name')
tf.summary.merge([tf.summary.scalar('a', c)], collections='x')
tf.summary.merge(tf.summary.scalar('a', c))
s.run(tf.summary.merge([t]))
s.run(tf.summary.merge([tf.summary.scalar('a', c), tf.summary.scalar('a', c)]))
s.run(tf.raw_ops.MergeSummary(inputs=[tf.summary.scalar('a', c), tf.raw_ops.ScalarSummary(tags='a', values=c)]))
s.run(tf.raw_ops.ScalarSummary(tags=['a', 'b'], values=c))
s.run(tf.raw_ops.ScalarSummary(tags='a', values=m))
tf.summary.merge_all()
tf.summary.merge_all('nothing')
tf.summary.merge_all(1)
tf.summary.merge_all(None)
tf.summary.merge_all(scope=1)
tf.summary.FileWriter(1)
tf.summary.FileWriter(None)
tf.summary.FileWriter('{dir}/l2', 1)
tf.summary.FileWriter('{dir}/l2', 'x')
tf.summary.FileWriter('{dir}/l2', tf.get_default_graph())
tf.summary.FileWriter('{dir}/l2', c)
tf.summary.FileWriter('{dir}/l2', tf.GraphDef())
tf.summary.FileWriter('{dir}/l2', graph_def=tf.GraphDef())
tf.summary.FileWriter('{dir}/l2', tf.get_default_graph(), graph_def=tf.GraphDef())
tf.summary.FileWriter('{dir}/l2', max_queue=0)
tf.summary.FileWriter('{dir}/l2', max_queue='x')
tf.summary.FileWriter('{dir}/l2', flush_secs='x')
tf.summary.FileWriter('{dir}/l2', filename_suffix='.x')
tf.summary.FileWriter('{dir}/l2', filename_suffix=1)
tf.summary.FileWriter('{dir}/l2', session=s)
tf.summary.FileWriter('{dir}/l2', session=1)
tf.summary.FileWriter('')
w.add_summary(None)
w.add_summary(1)
w.add_summary('x')
w.add_summary(c)
w.add_summary(tf.Summary())
w.add_summary(tf.Summary(), 1)
w.add_summary(tf.Summary(), 'x')
w.add_summary(tf.Summary(), 1.5)
w.add_summary(tf.Summary(), None)
w.add_summary(tf.Summary(), c)
w.add_summary(tf.Summary(), -1)
w.add_summary(s.run(tf.summary.scalar('a', c)), 1)
w.add_summary(s.run(c), 1)
w.add_graph(None)
w.add_graph(1)
w.add_graph('x')
w.add_graph(c)
w.add_graph(tf.get_default_graph())
w.add_graph(tf.get_default_graph(), 'x')
w.add_graph(tf.get_default_graph().as_graph_def())
w.add_graph(graph=tf.get_default_graph(), graph_def=tf.GraphDef())
w.add_meta_graph(1)
w.add_meta_graph('x')
w.add_event(1)
w.add_event(None)
w.add_event(tf.Event())
w.add_event(tf.Summary())
w.add_run_metadata(tf.RunMetadata(), 'tag')
w.add_run_metadata(1, 'tag')
w.add_run_metadata(None, 'tag')
w.add_run_metadata(tf.RunMetadata(), 1)
w.add_run_metadata(tf.RunMetadata(), '')
w.add_session_log(1)
w.add_session_log(tf.SessionLog(status=tf.SessionLog.START))
w.get_logdir()
w.flush()
w.close()
w.reopen()
tf.Summary(value=1)
tf.Summary(value=[1])
tf.Summary(value=[tf.Summary.Value(tag=1)])
tf.Summary(value=[tf.Summary.Value(tag='a', simple_value='x')])
tf.Summary(value=[tf.Summary.Value(tag='a', simple_value=1)])
tf.Summary(foo=1)
tf.Summary.FromString('x')
tf.train.summary_iterator('nowhere')
tf.summary.initialize()
tf.summary.all_v2_summary_ops()
tf.summary.get_summary_description(c.op.node_def)
tf.summary.get_summary_description(1)
"""),
    "raw ops": ("""
x = tf.constant([[1.0, 2.0], [3.0, 4.0]], name='x')
b = tf.constant([[True, False], [False, True]], name='b')
g = tf.train.get_or_create_global_step()
s = tf.Session()
""", """
s.run(tf.raw_ops.Sum(input=x, axis=[0], name='s'))
s.run(tf.raw_ops.Max(input=x, axis=1, keep_dims=True))
s.run(tf.raw_ops.All(input=b, axis=[0]))
s.run(tf.raw_ops.ExpandDims(input=x, axis=0))
s.run(tf.raw_ops.Squeeze(input=x, axis=[]))
s.run(tf.raw_ops.Select(condition=b, x=x, y=-x))
s.run(tf.raw_ops.Where(condition=b))
s.run(tf.raw_ops.Split(axis=0, value=x, num_split=2))
s.run(tf.raw_ops.SplitV(value=x, size_splits=[1, 1], axis=1, num_split=2))
tf.raw_ops.Sum(input=x, axis=[0], name='named')
tf.raw_ops.Sum(input=x, axis=[0], name='*x')
tf.raw_ops.Sum(input=x, axis=[5])
tf.raw_ops.Sum(input=b, axis=[0])
tf.raw_ops.SegmentSum(data=x, segment_ids=[0, 0], name='bad name')
tf.raw_ops.TopKV2(input=x, k=1, name='*x')
tf.SparseTensor([[1, 0], [1, 0]], [1.0], [2, 2])
tf.SparseTensor([[1]], [1.0], [2, 2])
tf.SparseTensor([1], [1.0], [2, 2])
tf.SparseTensor([[1, 0]], 1.0, [2, 2])
tf.train.exponential_decay(0.5, g, 10, 0.5, name=3)
tf.train.cosine_decay(0.5, g, 10, name=3)
tf.train.piecewise_constant(g, [1], [0.5, 0.25], name=3)
tf.train.polynomial_decay(0.5, g, 10, name='fine')
"""),
    "closed writers": ("w = tf.summary.FileWriter('{dir}/logs')\nw.close()\n", """
w.add_summary(tf.Summary())
w.add_graph(tf.get_default_graph())
w.flush()
w.close()
w.reopen()
w.get_logdir()
"""),
}


def programs():
    """Each call with the lines before it, as (group, text)."""
    calls = [("fetches", NODES, f"s.run({fetch})") for fetch in FETCHES.strip().split("\n")]
    for line in FEEDS.strip().split("\n"):
        fetch, feed = line.split(" | ")
        calls.append(("feeds", NODES, f"s.run({fetch}, {feed})"))
    for group, (before, text) in GROUPS.items():
        calls += [(group, before, call) for call in text.strip().split("\n")]
    for group, before, call in calls:
        scope, _, rest = call.rpartition("; ")
        yield group, call, before + (f"with {scope}:\n    r = {rest}" if scope else f"r = {call}")


def value_of(v):
    if isinstance(v, (np.ndarray, np.generic)):
        a = np.asarray(v)
        if a.dtype.kind in "cM":
            return None
        # JSON has no NaN; JavaScript writes null for it.
        flat = [x.decode("latin-1") if isinstance(x, bytes) else None if x != x else x for x in a.ravel().tolist()]
        return {"array": flat, "shape": list(a.shape), "dtype": "string" if a.dtype.kind in "OSU" else a.dtype.name}
    if isinstance(v, (list, tuple)) and len(v) < 60:
        return {"list": [value_of(x) for x in v]}
    if isinstance(v, bytes):
        return None
    try:
        return describe(v)
    except Exception:
        return None


def answer(group, call, program, folder):
    case = {"family": group, "op": group, "python_call": call, "tags": [], "program": program}
    it = Interp()
    with tf.Graph().as_default():
        try:
            it.run(json.loads(json.dumps(program).replace("{dir}", folder)))
        except Exception as e:
            m = core_message(e) if isinstance(e, tf.errors.OpError) else str(e.args[0] if isinstance(e, KeyError) and e.args else e)
            m = m.split("\n")[0].replace(folder, "{dir}")
            match = "first"
            for cut in (" at 0x", "(graphs are ", " config: "):
                if cut in m:
                    m, match = m[: m.index(cut)], "prefix"
            case.update(kind="construct_error", raises_at=it.at, error={"class": type(e).__name__, "message": m, "match": match})
            if tf1_message(m) != m:
                case["error"]["message_tf1"] = tf1_message(m)
            if isinstance(e, (AttributeError, IndexError, NameError, AssertionError, OverflowError, UnboundLocalError)) or PYTHON.search(m) or not m or "/site-packages/" in m:
                case["tags"].append("python")
        else:
            values = json.loads(json.dumps({"r": value_of(it.env["r"])}).replace(folder, "{dir}"))
            case.update(kind="program", expected={"values": values})
    return case


def late(*_):
    raise TimeoutError()


def main():
    only = sys.argv[2:]
    signal.signal(signal.SIGALRM, late)
    cases = []
    for group, call, text in programs():
        if only and group not in only:
            continue
        try:
            program = compile_text(text)
        except Exception as e:
            print(f"not understood: {call}: {e}", file=sys.stderr)
            continue
        folder = tempfile.mkdtemp()
        signal.alarm(20)
        try:
            case = answer(group, call, program, folder)
            json.dumps(case, allow_nan=False)
            cases.append(case)
        except (ValueError, TypeError, TimeoutError) as e:
            print(f"left out: {call}: {e}", file=sys.stderr)
        finally:
            signal.alarm(0)
            shutil.rmtree(folder, ignore_errors=True)
    with open(sys.argv[1], "w") as f:
        json.dump(cases, f)
    print(len(cases), "calls")


if __name__ == "__main__":
    main()
