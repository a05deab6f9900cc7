"""Lists of tensors, and the loops of TensorFlow 2 that use them."""
import numpy as np

from ..recording import function_case, rows, run_errors

G = dict(grad=True)
# Each is tried both ways: what gives results is a case of results, what fails while running one of errors.
CALLS = [
    'l=R.TensorListReserve(element_shape=[2],num_elements=3,element_dtype=tf.float32);y=R.TensorListGetItem(input_handle=l,index=5,element_shape=[2],element_dtype=tf.float32)',
    'l=R.TensorListReserve(element_shape=[2],num_elements=3,element_dtype=tf.float32);y=R.TensorListGetItem(input_handle=l,index=-1,element_shape=[2],element_dtype=tf.float32)',
    'l=R.TensorListReserve(element_shape=[2],num_elements=3,element_dtype=tf.float32);y=R.TensorListGetItem(input_handle=l,index=0,element_shape=[2],element_dtype=tf.float32)',
    'l=R.TensorListReserve(element_shape=[2],num_elements=3,element_dtype=tf.float32);y=R.TensorListGetItem(input_handle=l,index=0,element_shape=-1,element_dtype=tf.float32)',
    'l=R.TensorListReserve(element_shape=[2],num_elements=3,element_dtype=tf.float32);y=R.TensorListGetItem(input_handle=l,index=0,element_shape=[3],element_dtype=tf.float32)',
    'l=R.TensorListReserve(element_shape=[2],num_elements=3,element_dtype=tf.float32);y=R.TensorListGetItem(input_handle=l,index=0,element_shape=[2],element_dtype=tf.int32)',
    'l=R.TensorListReserve(element_shape=-1,num_elements=3,element_dtype=tf.float32);y=R.TensorListGetItem(input_handle=l,index=0,element_shape=-1,element_dtype=tf.float32)',
    'l=R.TensorListReserve(element_shape=-1,num_elements=3,element_dtype=tf.float32);y=R.TensorListGetItem(input_handle=l,index=0,element_shape=[4],element_dtype=tf.float32)',
    'l=R.TensorListReserve(element_shape=[2],num_elements=3,element_dtype=tf.float32);l=R.TensorListSetItem(input_handle=l,index=5,item=[1.,2.]);y=R.TensorListStack(input_handle=l,element_shape=-1,element_dtype=tf.float32)',
    'l=R.TensorListReserve(element_shape=[2],num_elements=3,element_dtype=tf.float32);l=R.TensorListSetItem(input_handle=l,index=5,item=[1.,2.],resize_if_index_out_of_bounds=True);y=R.TensorListStack(input_handle=l,element_shape=-1,element_dtype=tf.float32)',
    'l=R.TensorListReserve(element_shape=[2],num_elements=3,element_dtype=tf.float32);l=R.TensorListSetItem(input_handle=l,index=-1,item=[1.,2.]);y=R.TensorListStack(input_handle=l,element_shape=-1,element_dtype=tf.float32)',
    'l=R.TensorListReserve(element_shape=[2],num_elements=3,element_dtype=tf.float32);l=R.TensorListSetItem(input_handle=l,index=1,item=[1.,2.,3.]);y=R.TensorListStack(input_handle=l,element_shape=-1,element_dtype=tf.float32)',
    'l=R.TensorListReserve(element_shape=[2],num_elements=3,element_dtype=tf.float32);l=R.TensorListSetItem(input_handle=l,index=1,item=tf.placeholder_with_default([1.,2.,3.],[None]));y=R.TensorListStack(input_handle=l,element_shape=-1,element_dtype=tf.float32)',
    'l=R.TensorListReserve(element_shape=[2],num_elements=3,element_dtype=tf.float32);l=R.TensorListSetItem(input_handle=l,index=1,item=[1.,2.]);y=R.TensorListStack(input_handle=l,element_shape=-1,element_dtype=tf.float32)',
    'l=R.TensorListReserve(element_shape=[2],num_elements=3,element_dtype=tf.float32);l=R.TensorListSetItem(input_handle=l,index=1,item=[1,2]);y=R.TensorListStack(input_handle=l,element_shape=-1,element_dtype=tf.float32)',
    'l=R.TensorListReserve(element_shape=-1,num_elements=3,element_dtype=tf.float32);l=R.TensorListSetItem(input_handle=l,index=1,item=[1.,2.]);y=R.TensorListStack(input_handle=l,element_shape=-1,element_dtype=tf.float32)',
    'l=R.TensorListReserve(element_shape=-1,num_elements=3,element_dtype=tf.float32);y=R.TensorListStack(input_handle=l,element_shape=-1,element_dtype=tf.float32)',
    'l=R.TensorListReserve(element_shape=-1,num_elements=3,element_dtype=tf.float32);y=R.TensorListStack(input_handle=l,element_shape=[2],element_dtype=tf.float32)',
    'l=R.TensorListReserve(element_shape=-1,num_elements=3,element_dtype=tf.float32);y=R.TensorListStack(input_handle=l,element_shape=[2],element_dtype=tf.float32,num_elements=2)',
    'l=R.TensorListReserve(element_shape=[2],num_elements=3,element_dtype=tf.float32);y=R.TensorListStack(input_handle=l,element_shape=[3],element_dtype=tf.float32,num_elements=2)',
    'l=R.TensorListReserve(element_shape=-1,num_elements=3,element_dtype=tf.float32);l=R.TensorListSetItem(input_handle=l,index=1,item=[1.,2.]);l=R.TensorListSetItem(input_handle=l,index=0,item=[1.,2.,3.]);y=R.TensorListStack(input_handle=l,element_shape=-1,element_dtype=tf.float32)',
    'l=R.TensorListReserve(element_shape=-1,num_elements=3,element_dtype=tf.float32);l=R.TensorListSetItem(input_handle=l,index=1,item=[1.,2.]);l=R.TensorListSetItem(input_handle=l,index=0,item=[1.,2.,3.]);y=R.TensorListConcatV2(input_handle=l,element_shape=-1,leading_dims=tf.constant([],tf.int64),element_dtype=tf.float32)',
    'l=R.TensorListReserve(element_shape=-1,num_elements=3,element_dtype=tf.float32);l=R.TensorListSetItem(input_handle=l,index=1,item=[1.,2.]);l=R.TensorListSetItem(input_handle=l,index=0,item=[1.,2.,3.]);y=R.TensorListConcatV2(input_handle=l,element_shape=[-1],leading_dims=tf.constant([3,2,1],tf.int64),element_dtype=tf.float32)',
    'l=R.EmptyTensorList(element_shape=[2],max_num_elements=2,element_dtype=tf.float32);y=R.TensorListConcatV2(input_handle=l,element_shape=-1,leading_dims=tf.constant([],tf.int64),element_dtype=tf.float32)',
    'l=R.EmptyTensorList(element_shape=-1,max_num_elements=-1,element_dtype=tf.float32);y=R.TensorListConcatV2(input_handle=l,element_shape=-1,leading_dims=tf.constant([],tf.int64),element_dtype=tf.float32)',
    'l=R.EmptyTensorList(element_shape=-1,max_num_elements=-1,element_dtype=tf.float32);y=R.TensorListConcatV2(input_handle=l,element_shape=[-1,3],leading_dims=tf.constant([],tf.int64),element_dtype=tf.float32)',
    'l=R.EmptyTensorList(element_shape=-1,max_num_elements=-1,element_dtype=tf.float32);l=R.TensorListPushBack(input_handle=l,tensor=1.);y=R.TensorListConcatV2(input_handle=l,element_shape=-1,leading_dims=tf.constant([],tf.int64),element_dtype=tf.float32)',
    'l=R.EmptyTensorList(element_shape=-1,max_num_elements=-1,element_dtype=tf.float32);l=R.TensorListPushBack(input_handle=l,tensor=[1.]);y=R.TensorListConcat(input_handle=l,element_dtype=tf.float32)',
    'l=R.EmptyTensorList(element_shape=-1,max_num_elements=-1,element_dtype=tf.float32);y=R.TensorListPopBack(input_handle=l,element_shape=-1,element_dtype=tf.float32)[1]',
    'l=R.EmptyTensorList(element_shape=-1,max_num_elements=-1,element_dtype=tf.float32);l=R.TensorListPushBack(input_handle=l,tensor=[1.]);y=R.TensorListPopBack(input_handle=l,element_shape=-1,element_dtype=tf.float32)[1]',
    'l=R.EmptyTensorList(element_shape=[2],max_num_elements=2,element_dtype=tf.float32);l=R.TensorListPushBack(input_handle=l,tensor=[1.]);y=R.TensorListLength(input_handle=l)',
    'l=R.EmptyTensorList(element_shape=[2],max_num_elements=2,element_dtype=tf.float32);l=R.TensorListPushBack(input_handle=l,tensor=[1.,2.]);l=R.TensorListPushBack(input_handle=l,tensor=[1.,2.]);l=R.TensorListPushBack(input_handle=l,tensor=[1.,2.]);y=R.TensorListLength(input_handle=l)',
    'l=R.EmptyTensorList(element_shape=[2],max_num_elements=2,element_dtype=tf.float32);l=R.TensorListPushBack(input_handle=l,tensor=tf.placeholder_with_default([1.],[None]));y=R.TensorListLength(input_handle=l)',
    'l=R.EmptyTensorList(element_shape=[2],max_num_elements=2,element_dtype=tf.float32);l=R.TensorListPushBack(input_handle=l,tensor=[1,2]);y=R.TensorListLength(input_handle=l)',
    'l=R.EmptyTensorList(element_shape=[2],max_num_elements=2,element_dtype=tf.float32);y=R.TensorListStack(input_handle=l,element_shape=-1,element_dtype=tf.float32)',
    'l=R.EmptyTensorList(element_shape=-1,max_num_elements=-1,element_dtype=tf.float32);y=R.TensorListStack(input_handle=l,element_shape=-1,element_dtype=tf.float32)',
    'l=R.EmptyTensorList(element_shape=-1,max_num_elements=-1,element_dtype=tf.float32);y=R.TensorListStack(input_handle=l,element_shape=[2,-1],element_dtype=tf.float32)',
    'l=R.EmptyTensorList(element_shape=-1,max_num_elements=-1,element_dtype=tf.float32);y=R.TensorListStack(input_handle=l,element_shape=[2,1],element_dtype=tf.float32)',
    'l=R.TensorListFromTensor(tensor=[[1.,2.],[3.,4.]],element_shape=[2]);y=R.TensorListGather(input_handle=l,indices=[1,1,0],element_shape=-1,element_dtype=tf.float32)',
    'l=R.TensorListFromTensor(tensor=[[1.,2.],[3.,4.]],element_shape=[2]);y=R.TensorListGather(input_handle=l,indices=[1,2,0],element_shape=-1,element_dtype=tf.float32)',
    'l=R.TensorListFromTensor(tensor=[[1.,2.],[3.,4.]],element_shape=[2]);y=R.TensorListGather(input_handle=l,indices=[],element_shape=-1,element_dtype=tf.float32)',
    'l=R.TensorListFromTensor(tensor=[[1.,2.],[3.,4.]],element_shape=[3]);y=R.TensorListLength(input_handle=l)',
    'l=R.TensorListFromTensor(tensor=3.,element_shape=[]);y=R.TensorListLength(input_handle=l)',
    'l=R.TensorListFromTensor(tensor=tf.placeholder_with_default(3.,None),element_shape=[]);y=R.TensorListLength(input_handle=l)',
    'l=R.TensorListFromTensor(tensor=[[1.,2.],[3.,4.]],element_shape=-1);y=R.TensorListElementShape(input_handle=l,shape_type=tf.int32)',
    'l=R.TensorListReserve(element_shape=[2],num_elements=3,element_dtype=tf.float32);y=R.TensorListElementShape(input_handle=l,shape_type=tf.int64)',
    'l=R.TensorListReserve(element_shape=-1,num_elements=3,element_dtype=tf.float32);y=R.TensorListElementShape(input_handle=l,shape_type=tf.int64)',
    'l=R.TensorListScatterV2(tensor=[[1.,2.],[3.,4.]],indices=[3,1],element_shape=[2],num_elements=-1);y=R.TensorListStack(input_handle=l,element_shape=-1,element_dtype=tf.float32)',
    'l=R.TensorListScatterV2(tensor=[[1.,2.],[3.,4.]],indices=[3,1],element_shape=[2],num_elements=3);y=R.TensorListStack(input_handle=l,element_shape=-1,element_dtype=tf.float32)',
    'l=R.TensorListScatterV2(tensor=[[1.,2.],[3.,4.]],indices=[-1,1],element_shape=[2],num_elements=3);y=R.TensorListStack(input_handle=l,element_shape=-1,element_dtype=tf.float32)',
    'l=R.TensorListScatterV2(tensor=[[1.,2.],[3.,4.]],indices=[1],element_shape=[2],num_elements=-1);y=R.TensorListStack(input_handle=l,element_shape=-1,element_dtype=tf.float32)',
    'l=R.TensorListScatter(tensor=[[1.,2.],[3.,4.]],indices=[1,0],element_shape=[2]);y=R.TensorListStack(input_handle=l,element_shape=-1,element_dtype=tf.float32)',
    'l=R.TensorListReserve(element_shape=[2],num_elements=3,element_dtype=tf.float32);l=R.TensorListScatterIntoExistingList(input_handle=l,tensor=[[1.,2.],[3.,4.]],indices=[3,1]);y=R.TensorListStack(input_handle=l,element_shape=-1,element_dtype=tf.float32)',
    'l=R.TensorListReserve(element_shape=[2],num_elements=3,element_dtype=tf.float32);l=R.TensorListScatterIntoExistingList(input_handle=l,tensor=[[1.,2.],[3.,4.]],indices=[2,1]);y=R.TensorListStack(input_handle=l,element_shape=-1,element_dtype=tf.float32)',
    'l=R.TensorListSplit(tensor=[[1.,2.],[3.,4.],[5.,6.]],element_shape=[-1,2],lengths=tf.constant([1,2],tf.int64));y=R.TensorListConcatV2(input_handle=l,element_shape=[-1,2],leading_dims=tf.constant([],tf.int64),element_dtype=tf.float32)',
    'l=R.TensorListSplit(tensor=[[1.,2.],[3.,4.],[5.,6.]],element_shape=[-1,2],lengths=tf.constant([1,1],tf.int64));y=R.TensorListLength(input_handle=l)',
    'l=R.TensorListSplit(tensor=[[1.,2.],[3.,4.],[5.,6.]],element_shape=[-1,2],lengths=tf.constant([1,3],tf.int64));y=R.TensorListLength(input_handle=l)',
    'l=R.TensorListSplit(tensor=[[1.,2.],[3.,4.],[5.,6.]],element_shape=[1,2],lengths=tf.constant([1,2],tf.int64));y=R.TensorListLength(input_handle=l)',
    'l=R.TensorListSplit(tensor=[[1.,2.],[3.,4.],[5.,6.]],element_shape=[-1,2],lengths=tf.constant([-1,4],tf.int64));y=R.TensorListLength(input_handle=l)',
    'l=R.TensorListSplit(tensor=1.,element_shape=[-1,2],lengths=tf.constant([-1,4],tf.int64));y=R.TensorListLength(input_handle=l)',
    'l=R.TensorListReserve(element_shape=[2],num_elements=3,element_dtype=tf.float32);l=R.TensorListResize(input_handle=l,size=5);y=R.TensorListLength(input_handle=l)',
    'l=R.TensorListReserve(element_shape=[2],num_elements=3,element_dtype=tf.float32);l=R.TensorListResize(input_handle=l,size=-5);y=R.TensorListLength(input_handle=l)',
    'l=R.TensorListFromTensor(tensor=[[1.,2.],[3.,4.]],element_shape=[2]);l=R.TensorListResize(input_handle=l,size=1);y=R.TensorListStack(input_handle=l,element_shape=-1,element_dtype=tf.float32)',
    'l=R.TensorListReserve(element_shape=[2],num_elements=-3,element_dtype=tf.float32);y=R.TensorListLength(input_handle=l)',
    'l=R.TensorListFromTensor(tensor=[[1.,2.],[3.,4.]],element_shape=[2]);l=R.TensorListConcatLists(input_a=l,input_b=l,element_dtype=tf.float32);y=R.TensorListStack(input_handle=l,element_shape=-1,element_dtype=tf.float32)',
    'l=R.TensorListFromTensor(tensor=[[1.,2.],[3.,4.]],element_shape=[2]);l=R.AddN(inputs=[l,l]);y=R.TensorListStack(input_handle=l,element_shape=-1,element_dtype=tf.float32)',
    'l=R.TensorListFromTensor(tensor=[[1.,2.],[3.,4.]],element_shape=[2]);l=R.ZerosLike(x=l);y=R.TensorListStack(input_handle=l,element_shape=-1,element_dtype=tf.float32)',
    'l=R.TensorListFromTensor(tensor=[[1.,2.],[3.,4.]],element_shape=[2]);y=R.TensorListStack(input_handle=R.Identity(input=l),element_shape=-1,element_dtype=tf.float32)',
    'l=R.TensorListFromTensor(tensor=[[1.,2.],[3.,4.]],element_shape=[2]);y=R.TensorListGetItem(input_handle=tf.cond(tf.constant(True),lambda:l,lambda:l),index=1,element_shape=-1,element_dtype=tf.float32)',
]


def tensor_list(b):
    b.family("tensor_list")
    pre = "R=tf.raw_ops;"
    calls = [(pre + c, {}) for c in CALLS]
    W="R=tf.raw_ops;l=R.TensorListReserve(element_shape=%s,num_elements=tf.shape(x)[0],element_dtype=tf.float32);xs=R.TensorListFromTensor(tensor=x,element_shape=%s);"
    loop="_,_,l=tf.while_loop(lambda i,h,l:i<tf.shape(x)[0],lambda i,h,l:(lambda hh:(i+1,hh,R.TensorListSetItem(input_handle=l,index=i,item=hh)))(tf.tanh(h+R.TensorListGetItem(input_handle=xs,index=i,element_shape=%s,element_dtype=tf.float32))),(0,x[0],l));y=R.TensorListStack(input_handle=l,element_shape=%s,element_dtype=tf.float32)"
    for es in ("[-1,3]","-1","[2,3]"):
        calls.append((W%(es,es)+loop%(es,es),{"x":b.f(4,2,3)},G))
        calls.append((W%(es,es)+loop%(es,es),{"x":b.f(4,2,3)},dict(grad=True,shapes={"x":[None,None,3] if es!="[2,3]" else [None,2,3]})))
    push="R=tf.raw_ops;l=R.EmptyTensorList(element_shape=-1,max_num_elements=-1,element_dtype=tf.float32);_,_,l=tf.while_loop(lambda i,h,l:i<%s,lambda i,h,l:(i+1,h*1.5,R.TensorListPushBack(input_handle=l,tensor=h)),(0,x,l));y=R.TensorListStack(input_handle=l,element_shape=-1,element_dtype=tf.float32)"
    calls.append((push%"3",{"x":b.f(2)},G)); calls.append((push%"n",{"x":b.f(2),"n":np.int32(4)},dict(grad=["x"])))
    calls.append((push%"tf.cast(tf.reduce_sum(x)*0+3,tf.int32)",{"x":b.f(2)},{}))
    rag="R=tf.raw_ops;l=R.TensorListReserve(element_shape=-1,num_elements=2,element_dtype=tf.float32);l=R.TensorListSetItem(input_handle=l,index=0,item=x);l=R.TensorListSetItem(input_handle=l,index=1,item=z);y=R.TensorListConcatV2(input_handle=l,element_shape=[-1],leading_dims=tf.constant([],tf.int64),element_dtype=tf.float32)"
    calls.append((rag,{"x":b.f(2),"z":b.f(3)},{})); calls.append((rag,{"x":b.f(2),"z":b.f(2)},{}))
    one="R=tf.raw_ops;l=R.TensorListFromTensor(tensor=x,element_shape=[2]);"
    for c in ("y=R.TensorListGather(input_handle=l,indices=[1,0,1],element_shape=-1,element_dtype=tf.float32)",
      "l=R.TensorListSetItem(input_handle=l,index=1,item=z);y=R.TensorListStack(input_handle=l,element_shape=-1,element_dtype=tf.float32)",
      "l=R.TensorListPushBack(input_handle=l,tensor=z);y=R.TensorListStack(input_handle=l,element_shape=-1,element_dtype=tf.float32)",
      "l=R.TensorListPushBack(input_handle=l,tensor=z);l,a=R.TensorListPopBack(input_handle=l,element_shape=-1,element_dtype=tf.float32);y=[a*2,R.TensorListStack(input_handle=l,element_shape=-1,element_dtype=tf.float32)]",
      "l=R.TensorListScatterIntoExistingList(input_handle=l,tensor=[z],indices=[1]);y=R.TensorListStack(input_handle=l,element_shape=-1,element_dtype=tf.float32)",
      "l=R.TensorListResize(input_handle=l,size=5);y=R.TensorListStack(input_handle=l,element_shape=-1,element_dtype=tf.float32)",
      "y=R.TensorListGetItem(input_handle=l,index=tf.cast(z[0]*0+1,tf.int32),element_shape=-1,element_dtype=tf.float32)*z",
      "l2=R.TensorListSetItem(input_handle=l,index=1,item=z);l=tf.cond(z[0]>-5,lambda:l2,lambda:l);y=R.TensorListStack(input_handle=l,element_shape=-1,element_dtype=tf.float32)",
      "u=tf.boolean_mask(z,z>-9);l=R.TensorListSetItem(input_handle=l,index=1,item=u);y=R.TensorListStack(input_handle=l,element_shape=-1,element_dtype=tf.float32)",
      ): calls.append((one+c,{"x":b.f(3,2),"z":b.f(2)},G))
    calls.append(("R=tf.raw_ops;l=R.TensorListSplit(tensor=x,element_shape=[-1,2],lengths=tf.constant([1,2],tf.int64));y=R.TensorListConcatV2(input_handle=l,element_shape=[-1,2],leading_dims=tf.constant([],tf.int64),element_dtype=tf.float32)[0]",{"x":b.f(3,2)},G))
    calls.append(("R=tf.raw_ops;l=R.TensorListSplit(tensor=x,element_shape=[-1,2],lengths=tf.constant([2,2],tf.int64));y=R.TensorListConcatV2(input_handle=l,element_shape=[-1,2],leading_dims=tf.constant([],tf.int64),element_dtype=tf.float32)[0]",{"x":b.f(4,2)},G))
    calls.append(("R=tf.raw_ops;l=R.TensorListScatterV2(tensor=x,indices=[2,0,1],element_shape=[2],num_elements=-1);y=R.TensorListStack(input_handle=l,element_shape=-1,element_dtype=tf.float32)",{"x":b.f(3,2)},G))
    calls.append(("R=tf.raw_ops;l=R.TensorListFromTensor(tensor=tf.strings.join([x,x]),element_shape=tf.constant([],tf.int32));y=R.TensorListStack(input_handle=l,element_shape=-1,element_dtype=tf.string)",{"x":np.array([b"a",b"bc"],object)},{}))
    rows(b, calls, dynamic=0)
    run_errors(b, [pre + c for c in CALLS])


def while_v2(b):
    b.family("while_v2")
    ta="ta=tf.TensorArray(tf.float32,size=%s,element_shape=%s,infer_shape=True);xs=tf.TensorArray(tf.float32,size=%s).unstack(x);_,_,ta=tf.while_loop(lambda i,h,t:i<%s,lambda i,h,t:(lambda hh:(i+1,hh,t.write(i,hh)))(tf.tanh(h*w+xs.read(i))),(0,x[0],ta));y=ta.stack()"
    for n,es in (("4","None"),("tf.shape(x)[0]","None"),("4","[2,3]"),("tf.shape(x)[0]","[None,3]"),):
        function_case(b,ta%(n,es,n,n),{"x":b.f(4,2,3),"w":b.f(3)},["x","w"])
        function_case(b,ta%(n,es,n,n),{"x":b.f(4,2,3),"w":b.f(3)},["x","w"],{"x":[None,None,3]})
    function_case(b,"y=tf.while_loop(lambda i,h:i<n,lambda i,h:(i+1,tf.sin(h)*h),(0,x))[1]",{"x":b.f(3),"n":np.int32(3)},["x"])
    function_case(b,"y=tf.while_loop(lambda h:tf.reduce_sum(h)<20.,lambda h:(h*h+1,),(x,))",{"x":np.array([1.,2.],'f')},["x"])
    function_case(b,"y=tf.map_fn(lambda a:a*a,x)",{"x":b.f(3,2)},["x"])
    function_case(b,"y=tf.scan(lambda a,c:a*c,x)",{"x":b.f(3,2)},["x"])
    function_case(b,"y=tf.foldl(lambda a,c:a*c,x)",{"x":b.f(3,2)},["x"])
    function_case(b,"y=tf.cond(tf.reduce_sum(x)>0,lambda:x*2,lambda:x*x)",{"x":b.f(3,2)},["x"])
    function_case(b,"y=tf.map_fn(lambda a:tf.cond(a[0]>0,lambda:a,lambda:a*a),x)",{"x":b.f(3,2)},["x"])
    function_case(b,"t=tf.TensorArray(tf.float32,size=0,dynamic_size=True);t=t.write(0,x);t=t.write(2,x*2);y=t.stack()",{"x":b.f(2)},["x"])
    function_case(b,"t=tf.TensorArray(tf.float32,size=0,dynamic_size=True);_,t=tf.while_loop(lambda i,t:i<n,lambda i,t:(i+1,t.write(i,x*tf.cast(i,tf.float32))),(0,t));y=[t.stack(),t.gather([1,0])]",{"x":b.f(2),"n":np.int32(4)},["x"])
    function_case(b,"t=tf.TensorArray(tf.float32,size=3,infer_shape=False);t=t.write(0,x);t=t.write(1,x[:1]);t=t.write(2,x);y=t.concat()",{"x":b.f(2)},["x"])
    function_case(b,"t=tf.TensorArray(tf.float32,size=2,infer_shape=False).split(x,[2,1]);y=[t.read(0),t.concat()]",{"x":b.f(3,2)},["x"])
    function_case(b,"i,s=tf.while_loop(lambda i,s:i<3,lambda i,s:(i+1,s+tf.while_loop(lambda j,u:j<i,lambda j,u:(j+1,u*x),(0,x))[1]),(0,x));y=s",{"x":b.f(2)},["x"])


ALL = [tensor_list, while_v2]
