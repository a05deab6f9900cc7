"""Ops that few graphs hold: floats cast at random, strings for iterators over several devices."""
from .staging import runs

T = "from tensorflow.core.framework import attr_value_pb2 as pb\nG = lambda type, inputs, types, **a: tf.get_default_graph().create_op(type, inputs, types, attrs={k: pb.AttrValue(type=v.as_datatype_enum) for k, v in a.items()}).outputs[0]\n"


def remaining(b):
    b.family("remaining")
    cast = T + ("cast = lambda x, key, counter, alg, to: G('StochasticCastToInt', [x, key, counter, alg], [to], Tin=x.dtype, Tout=to)\nU = lambda v: tf.constant(v, tf.uint64)\n"
                "P = lambda v, d=tf.uint64: tf.placeholder_with_default(tf.constant(v, d), None)\n")
    # Vector registers take random numbers in their own way: so few numbers that there are none, or types that have none.
    for dtype, values in (("float16", "[0.1, 0.5, -0.5, 1.9, -2.25, 3., 300.5, -300.25, 1e4, np.nan, np.inf, -np.inf, 0.999, -0.001]"), ("float32", "[0.3, -1.7, 2.5]"), ("float32", "[[-0.5], [9.75]]"), ("float64", "[2.6]"), ("float64", "-3.3"),
                          ("float32", "[1e30, -1e30, np.nan]"), ("float32", "[127., -128., 126.5]"), ("float32", "[]"), ("float32", "[[[]]]")):
        for to in ("int8", "int16", "int32"):
            for key, counter in (("[7]", "[3, 0]"), ("[2**63 + 5]", "[2**64 - 1, 9]")):
                runs(b, cast + f"y = cast(tf.constant({values}, tf.{dtype}), U({key}), U({counter}), tf.constant(1), tf.{to})\n", ["y"])
    for key, counter, alg in (("P([7, 8])", "U([3, 0])", "tf.constant(1)"), ("P(7)", "U([3, 0])", "tf.constant(3)")):
        runs(b, cast + f"y = cast(tf.constant([.5, 1.5]), {key}, {counter}, {alg}, tf.int8)\n", ["y"])
    head = "L = lambda x: tf.constant(x, tf.int64)\nt = dict(output_types=[tf.int64], output_shapes=[[]])\n"
    runs(b, head + "m = R.MultiDeviceIterator(devices=['/cpu:0', '/cpu:0'], shared_name='', container='', **t)\nd = R.RangeDataset(start=L(0), stop=L(5), step=L(1), **t)\n"
         "init = R.MultiDeviceIteratorInit(dataset=d, multi_device_iterator=m, max_buffer_size=L(1))\ns = R.MultiDeviceIteratorFromStringHandle(string_handle=R.MultiDeviceIteratorToStringHandle(multi_device_iterator=m), **t)\n"
         "n = [R.MultiDeviceIteratorGetNextFromShard(multi_device_iterator=s, shard_num=k, incarnation_id=L(1), **t) for k in (0, 1)]\n", ["init", "n[0]", "n[1]", "n[1]", "n[0]"])



ALL = [remaining]
