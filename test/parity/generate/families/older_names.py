"""Ops that graphs of TensorFlow's first versions hold: handles as references. (TensorFlow itself no longer makes the Batch ops.)"""
import numpy as np

from ..recording import rows, run_errors


def older_names(b):
    b.family("older_names")
    f = b.f
    calls = []
    calls += [(f"tf.raw_ops.Segment{k}V2(data=x, segment_ids=[2, 0, 2, 5], num_segments=4)", dict(x=f(4, 2))) for k in ("Sum", "Prod", "Max", "Min")]
    make = "R=tf.raw_ops;q=R.%s(component_types=[%s],shapes=[%s],capacity=10%s);"
    fill = "e=R.QueueEnqueueMany(handle=q,components=[x]);g=tf.get_default_graph();c=g.control_dependencies([e]);c.__enter__();"
    for kind, rest in (("FIFOQueue", ""), ("PaddingFIFOQueue", ""), ("RandomShuffleQueue", ",seed=3,seed2=4,min_after_dequeue=1")):
        q = make % (kind, "tf.float32", "[2]", rest) + fill
        calls += [(q + "y=R.QueueDequeueMany(handle=q,n=2,component_types=[tf.float32])", dict(x=f(4, 2))),
                  (q + "y=R.QueueSize(handle=q)", dict(x=f(4, 2))),
                  (q + "k=R.QueueClose(handle=q);d=g.control_dependencies([k]);d.__enter__();y=R.QueueDequeueUpTo(handle=q,n=6,component_types=[tf.float32])", dict(x=f(4, 2))),
                  (q + "y=R.QueueDequeue(handle=q,component_types=[tf.float32])", dict(x=f(4, 2)))]
    q = make % ("PriorityQueue", "tf.float32", "[]", "") + "e=R.QueueEnqueueMany(handle=q,components=[tf.constant([3,1,2],tf.int64),x]);c=tf.get_default_graph().control_dependencies([e]);c.__enter__();"
    calls.append((q + "y=R.QueueDequeueMany(handle=q,n=2,component_types=[tf.int64,tf.float32])", dict(x=f(3))))
    for kind in ("HashTable", "MutableHashTable"):
        t = f"R=tf.raw_ops;t=R.{kind}(key_dtype=tf.string,value_dtype=tf.int64);"
        put = "LookupTableInsert(table_handle=t,keys=x,values=tf.constant([5,6],tf.int64))" if kind[0] == "M" else "InitializeTable(table_handle=t,keys=x,values=tf.constant([5,6],tf.int64))"
        t += f"e=R.{put};c=tf.get_default_graph().control_dependencies([e]);c.__enter__();"
        k = dict(x=np.array([b"a", b"b"], object))
        calls += [(t + "y=R.LookupTableFind(table_handle=t,keys=['b','c'],default_value=tf.constant(-1,tf.int64))", k), (t + "y=R.LookupTableSize(table_handle=t)", k)]
    calls.append(("R=tf.raw_ops;s=R.Stack(elem_type=tf.float32);p=R.StackPush(handle=s,elem=x);c=tf.get_default_graph().control_dependencies([p]);c.__enter__();y=R.StackPop(handle=s,elem_type=tf.float32)", dict(x=f(3))))
    rows(b, calls, dynamic=0)
    run_errors(b, ["R=tf.raw_ops;q=R.FIFOQueue(component_types=[tf.float32],capacity=10,shared_name='q');k=R.QueueClose(handle=q);c=tf.get_default_graph().control_dependencies([k]);c.__enter__();y=R.QueueDequeue(handle=q,component_types=[tf.float32])"])


ALL = [older_names]
