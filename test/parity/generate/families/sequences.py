"""SequenceExample messages, one and in batches; examples written as JSON."""
import numpy as np

from ..recording import rows, run_errors
from ..tfenv import tf


def feature(v):
    if v is None:
        return tf.train.Feature()
    if isinstance(v, tuple):
        return tf.train.Feature(float_list=tf.train.FloatList(value=v))
    if v and isinstance(v[0], str) or v == [""]:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[x.encode() for x in v]))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=v))


def message(context, lists):
    return tf.train.SequenceExample(
        context=tf.train.Features(feature={k: feature(v) for k, v in context.items()}),
        feature_lists=tf.train.FeatureLists(feature_list={
            k: tf.train.FeatureList(feature=[feature(x) for x in v]) for k, v in lists.items()})).SerializeToString()


A = message(dict(n=[7], name=["ab"], w=(1.5, -2.5)), dict(ids=[[1], [2], [3]], pair=[(1., 2.), (3., 4.)], words=[["a", "b"], ["c"]]))
B = message(dict(n=[-1 << 40], w=()), dict(ids=[[4]], pair=[(5., 6.), (7., 8.), (9., 0.)], words=[["q"], [""], ["x", "y", "z"]], more=[None, (1.,)]))
EMPTY = message({}, {})

CONTEXT = "{'n': tf.io.FixedLenFeature([], tf.int64, 3), 'w': tf.io.VarLenFeature(tf.float32), 'name': tf.io.FixedLenFeature([], tf.string, 'none')}"
LISTS = "{'ids': tf.io.FixedLenSequenceFeature([], tf.int64, allow_missing=True), 'pair': tf.io.FixedLenSequenceFeature([2], tf.float32, allow_missing=True), 'words': tf.io.VarLenFeature(tf.string), 'more': tf.io.VarLenFeature(tf.float32)}"

SINGLE = ("tf.raw_ops.ParseSingleSequenceExample(serialized=s, feature_list_dense_missing_assumed_empty=%s, context_sparse_keys=['w'], context_dense_keys=['n'],"
          "feature_list_sparse_keys=['words'], feature_list_dense_keys=['ids', 'pair'], context_dense_defaults=[%s], debug_name=%s,"
          "context_sparse_types=[tf.float32], feature_list_dense_types=[%s, tf.float32], context_dense_shapes=[[]],"
          "feature_list_sparse_types=[tf.string], feature_list_dense_shapes=[[], [%s]])")
BATCH = ("tf.raw_ops.ParseSequenceExample(serialized=s, debug_name=%s, context_dense_defaults=[%s], feature_list_dense_missing_assumed_empty=%s,"
         "context_sparse_keys=['w'], context_dense_keys=['n'], feature_list_sparse_keys=['words'], feature_list_dense_keys=['ids', 'pair'],"
         "Ncontext_sparse=1, Ncontext_dense=1, Nfeature_list_sparse=1, Nfeature_list_dense=2, context_sparse_types=[tf.float32],"
         "feature_list_dense_types=[%s, tf.float32], context_dense_shapes=[[]], feature_list_sparse_types=[tf.string], feature_list_dense_shapes=[[], [%s]])")
RAGGED = ("tf.raw_ops.ParseSequenceExampleV2(serialized=s, debug_name=[], context_sparse_keys=[], context_dense_keys=[], context_ragged_keys=['w', 'n'],"
          "feature_list_sparse_keys=[], feature_list_dense_keys=[], feature_list_ragged_keys=['words', 'more'], feature_list_dense_missing_assumed_empty=[],"
          "context_dense_defaults=[], context_ragged_value_types=[tf.float32, tf.int64], context_ragged_split_types=[tf.int32, tf.int64],"
          "feature_list_ragged_value_types=[tf.string, tf.float32], feature_list_ragged_split_types=[tf.int64, tf.int32])")
BOTH = "'ids', 'pair'"


def raw(form, name="''", default="3", missing="[%s]" % BOTH, kind="tf.int64", size="2"):
    default = f"tf.constant({default}, tf.int64)"
    return form % ((missing, default, name, kind, size) if form is SINGLE else (name, default, missing, kind, size))


def sequence_examples(b):
    b.family("sequence_examples")
    one, two = dict(s=np.array(A, object)), dict(s=np.array([A, B, EMPTY], object))
    calls = [(f"tf.io.parse_single_sequence_example(s, {c}, {l}{r})", dict(s=np.array(x, object)))
             for c, l, r, x in ((CONTEXT, LISTS, "", A), (CONTEXT, LISTS, ", 'this'", B), (CONTEXT, LISTS, ", name='mine'", EMPTY), (CONTEXT, "None", "", A), ("None", LISTS, "", B))]
    calls += [(f"tf.io.parse_sequence_example(s, {c}, {l}{r})", dict(s=np.array(x, object)))
              for c, l, r, x in ((CONTEXT, LISTS, "", [A, B, EMPTY]), (CONTEXT, LISTS, ", ['p', 'q']", [B, A]), ("None", LISTS, "", [A]), (CONTEXT, "{}", "", [EMPTY]),
                                 (CONTEXT, LISTS, "", []))]
    calls += [(f"tf.io.parse_sequence_example(s, {{'n': tf.io.FixedLenFeature([1], tf.int64, [5])}}, None)", two)]
    calls += [(raw(SINGLE), one), (raw(SINGLE), dict(s=np.array(EMPTY, object))), (raw(BATCH, "[]"), two), (raw(BATCH, "['x', 'y', 'z']"), two)]
    calls += [(RAGGED, two), (RAGGED, dict(s=np.array([EMPTY], object)))]
    rows(b, calls, dynamic=0)
    rows(b, [(f"tf.io.parse_sequence_example(s, {CONTEXT}, {LISTS})", two), (RAGGED, two)], shapes=dict(s=[None]))
    late = lambda x: f"s = tf.placeholder_with_default({x!r}, {[] if isinstance(x, bytes) else [len(x)]})\ny = "
    wrong = message(dict(n=(1.5,)), dict(ids=[(1.,)], pair=[(1., 2.)]))
    short = message(dict(n=[1]), dict(ids=[[1, 2]], pair=[(1.,)]))
    gap = message(dict(n=[1]), dict(ids=[None], pair=[(1., 2.)]))
    run_errors(b, [late(x) + raw(SINGLE, **o) for x, o in (
        (EMPTY, dict(default="[]")), (EMPTY, dict(missing="tf.constant([], tf.string)")), (EMPTY, dict(default="[]", name="'who'")), (EMPTY, dict(default="[1]")),
        (short, {}), (A, dict(size="3")))])
    run_errors(b, [late(x) + raw(BATCH, **{**dict(name="[]"), **o}) for x, o in (
        ([A, EMPTY], dict(default="[]")), ([A, EMPTY], dict(missing="tf.constant([], tf.string)") if False else dict(missing="['pair']")), ([A, EMPTY], dict(default="[]", name="['p', 'q']")),
        ([wrong], {}), ([A, wrong], dict(name="['p', 'q']")), ([short], {}), ([A, gap], {}), ([b"\xff"], {}), ([A, A], dict(name="['p']")), ([A], dict(size="3")))])
    run_errors(b, [late(x) + f"tf.io.parse_single_sequence_example(s, {c}, {l})" for x, c, l in (
        (EMPTY, "{'n': tf.io.FixedLenFeature([], tf.int64)}", "None"), (EMPTY, "None", "{'ids': tf.io.FixedLenSequenceFeature([], tf.int64)}"), (wrong, CONTEXT, "None"), (short, "None", LISTS))])


def json_examples(b):
    b.family("json_examples")
    texts = ['{"features":{"feature":{"a":{"int64List":{"value":["1","-2"]}}}}}', '{"features": {"feature": {"f": {"floatList": {"value": [1.5, "NaN", -2e3]}}, "b": {"bytesList": {"value": ["aGk="]}}}}}',
             "{}", '{"features":{}}', '{"features":{"feature":{"a":{"int64_list":{"value":[7]}}}}}', '{"features":{"feature":{"a":{}}}}']
    rows(b, [("tf.io.decode_json_example(x)", dict(x=np.array(v, object))) for v in (texts, texts[0], [], [texts[:2], texts[2:4]])])
    run_errors(b, [f"tf.io.decode_json_example({t!r})" for t in ("", "{")])


ALL = [sequence_examples, json_examples]
