"""Records tf.io.RaggedFeature, and functions of ragged tensors besides those of ragged_functions.py: `python ragged_features.py OUT.json`.
The same programs in tensorloom's API: ../ragged-features.test.ts."""
import sys

from library_programs import parameter, record
from tfenv import np, tf

F = tf.io.RaggedFeature


def feature(values):
    if isinstance(values[0], str):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[v.encode() for v in values]))
    if isinstance(values[0], float):
        return tf.train.Feature(float_list=tf.train.FloatList(value=values))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))


def example(**features):
    message = tf.train.Features(feature={k: feature(v) if v else tf.train.Feature() for k, v in features.items()})
    return tf.train.Example(features=message).SerializeToString(deterministic=True)


def sequence(context, lists):
    return tf.train.SequenceExample(
        context=tf.train.Features(feature={k: feature(v) for k, v in context.items()}),
        feature_lists=tf.train.FeatureLists(feature_list={k: tf.train.FeatureList(feature=[feature(v) if v else tf.train.Feature() for v in rows]) for k, rows in lists.items()}),
    ).SerializeToString(deterministic=True)


ONE = example(v=[3.0, 1.0, 4.0, 1.0, 5.0, 9.0], splits=[0, 2, 6], lengths=[2, 0, 4], starts=[0, 2, 2], limits=[2, 2, 6], ids=[0, 0, 2, 2, 2, 2], outer=[0, 1, 3], n=[7], words=["a", "b"])
TWO = example(v=[2.0, 6.0], splits=[0, 2], lengths=[2], starts=[0], limits=[2], ids=[0, 0], outer=[0, 1], n=[8], words=["c"])
NONE = example(v=[], splits=[0], lengths=[], starts=[], limits=[], ids=[], outer=[0], n=[9], words=[])
S_ONE = sequence(dict(c=[1, 2, 3], k=[1, 2]), dict(v=[[1.0, 2.0, 3.0], [], [4.0]], len=[[1, 2], [], [1]], w=[["a"], ["b", "c"]]))
S_TWO = sequence(dict(c=[4], k=[1]), dict(v=[[5.0, 6.0]], len=[[2]], w=[["d"]]))

kinds = dict(splits=F.RowSplits("splits"), lengths=F.RowLengths("lengths"), starts=F.RowStarts("starts"), limits=F.RowLimits("limits"), ids=F.ValueRowIds("ids"), pairs=F.UniformRowLength(2))


def parts(**options):
    return {name: F(tf.float32, "v", [kind], **options) for name, kind in kinds.items()}


def plain_batch():
    return tf.io.parse_example([ONE, TWO, NONE], dict(v=F(tf.float32), words=F(tf.string), n=F(tf.int64, row_splits_dtype=tf.int64)))


def plain_single():
    return tf.io.parse_single_example(ONE, dict(v=F(tf.float32), words=F(tf.string)))


def batch_parts():
    return tf.io.parse_example([ONE, TWO, NONE], parts())


def batch_checked():
    return tf.io.parse_example([ONE, TWO], parts(validate=True, row_splits_dtype=tf.int64))


def single_parts():
    return tf.io.parse_single_example(ONE, parts())


def single_checked():
    return tf.io.parse_single_example(ONE, parts(validate=True))


def deep_batch():
    return tf.io.parse_example([ONE, TWO], dict(deep=F(tf.float32, "v", [F.RowSplits("outer"), F.RowLengths("lengths")]), even=F(tf.float32, "v", [F.UniformRowLength(1), F.UniformRowLength(2)])))


def deep_single():
    return tf.io.parse_single_example(ONE, dict(deep=F(tf.float32, "v", [F.RowSplits("outer"), F.RowLengths("lengths")]), even=F(tf.float32, "v", [F.UniformRowLength(1), F.UniformRowLength(2)])))


def mixed():
    return tf.io.parse_example([ONE, TWO], dict(v=F(tf.float32), n=tf.io.FixedLenFeature([], tf.int64), words=tf.io.VarLenFeature(tf.string)))


def sequences():
    context, lists, lengths = tf.io.parse_sequence_example([S_ONE, S_TWO], dict(c=F(tf.int64), cut=F(tf.int64, "c", [F.RowLengths("k")])), dict(v=F(tf.float32), cut=F(tf.float32, "v", [F.RowLengths("len")]), w=F(tf.string)))
    return [context, lists, lengths]


def one_sequence():
    context, lists = tf.io.parse_single_sequence_example(S_ONE, dict(c=F(tf.int64), cut=F(tf.int64, "c", [F.RowLengths("k")])), dict(v=F(tf.float32), cut=F(tf.float32, "v", [F.RowLengths("len")])))
    return [context, lists]


def bad_lengths():
    bad = example(v=[1.0, 2.0], lengths=[5])
    return tf.io.parse_single_example(bad, dict(x=F(tf.float32, "v", [F.RowLengths("lengths")], validate=True)))


refused = dict(
    both=lambda: tf.io.parse_example([ONE], dict(v=F(tf.float32), x=F(tf.int64, "v"))),
    both_splits=lambda: tf.io.parse_example([ONE], dict(v=F(tf.float32), x=F(tf.float32, "v", row_splits_dtype=tf.int64))),
    type=lambda: F(tf.float64),
    splits_type=lambda: F(tf.float32, row_splits_dtype=tf.float32),
    empty_key=lambda: F(tf.float32, ""),
    rank=lambda: tf.io.parse_example(tf.placeholder(tf.string, None), dict(v=F(tf.float32))),
)

names = ["plain_batch", "plain_single", "batch_parts", "batch_checked", "single_parts", "single_checked", "deep_batch", "deep_single", "mixed", "sequences", "one_sequence", "bad_lengths"]
if __name__ == "__main__":
    record({**{name: globals()[name] for name in names}, **{"refused_" + k: v for k, v in refused.items()}}, sys.argv[1])

