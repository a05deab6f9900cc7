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
    lists = "l = R.TensorListReserve(element_shape=tf.constant(%s, tf.int32), num_elements=3, element_dtype=F)\nl = R.TensorListSetItem(input_handle=l, index=1, item=%s)\n"
    for leading in ([1, 1, 1], [2, 2, 2], [0, 5, 3], []):
        runs(b, lists % ("[2]", "[3., 4.]") + f"y = R.TensorListConcatV2(input_handle=l, element_dtype=F, element_shape=[-1], leading_dims=tf.constant({leading}, tf.int64))\n", ["(y[0], y[1])"])
    runs(b, lists % ("[]", "3.") + "y = R.TensorListConcat(input_handle=l, element_dtype=F, element_shape=[])\nz = R.TensorListConcatV2(input_handle=l, element_dtype=F, element_shape=tf.constant([], tf.int32), leading_dims=tf.constant([], tf.int64))\n", ["y[0]", "z[0]"])
    head = "m = R.EmptyTensorMap()\nput = lambda m, k, v: R.TensorMapInsert(input_handle=m, key=k, value=v)\nC = tf.constant\n"
    for kv in (("C(1)", "C([1., 2.])"), ("C('a')", "C(['x', 'y'])"), ("C([1, 2])", "C(True)"), ("C(1.5)", "C([[1j]])"), ("C(np.nan)", "C(1)"), ("C([], tf.float32)", "C(2)")):
        key, value = kv
        runs(b, head + f"n = put(put(m, {key}, {value}), C(7), C(8))\ny = R.TensorMapLookup(input_handle=n, key={key}, value_dtype={value}.dtype)\n"
             f"e = R.TensorMapErase(input_handle=n, key={key}, value_dtype={value}.dtype)\nh = [R.TensorMapHasKey(input_handle=q, key={key}) for q in (m, n, e)]\ns = [R.TensorMapSize(input_handle=q) for q in (m, n, e)]\n"
             f"again = R.TensorMapErase(input_handle=e, key={key}, value_dtype={value}.dtype)\nsize = R.TensorMapSize(input_handle=again)\nw = R.TensorMapLookup(input_handle=n, key={key}, value_dtype=tf.int64)\nx = R.TensorMapLookup(input_handle=m, key={key}, value_dtype={value}.dtype)\n"
             f"t = R.TensorMapStackKeys(input_handle=e, key_dtype=tf.int32)\nv = R.TensorMapStackKeys(input_handle=put(m, {key}, {value}), key_dtype={key}.dtype)\nu = R.TensorMapStackKeys(input_handle=m, key_dtype=tf.int32)\n",
             ["y", "(h, s)", "size", "w", "x", "t", "v", "u"])
    runs(b, head + "n = put(put(put(m, C([1, 2]), C(3)), C([4, 5]), C(6)), C([1, 2]), C([9., 9.]))\ny = R.TensorMapSize(input_handle=n)\nz = R.TensorMapLookup(input_handle=n, key=C([1, 2]), value_dtype=F)\nw = put(n, C([1]), C(2))\nu = R.TensorMapStackKeys(input_handle=w, key_dtype=tf.int32)\n", ["(y, z)", "u"])


ALL = [remaining]
