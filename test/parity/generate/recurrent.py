"""Records what TensorFlow makes of recurrent networks: nodes, variables, outputs, gradients. `python recurrent.py OUT.json`; then pack with
scripts/pack-golden.ts spec. The same programs in tensorloom's API: ../recurrent.test.ts."""
import json
import sys

from tfenv import np, tf

cells = tf.nn.rnn_cell
X = (np.arange(24, dtype=np.float32).reshape(2,3,4)%7-3)/5
out={}
def case(name):
    def deco(f):
        g=tf.Graph()
        with g.as_default():
            tf.set_random_seed(7)
            x=tf.constant(X, name="x")
            fetch=f(x)
            ops=[[o.name,o.type,[i.name for i in o.inputs],sorted(c.name for c in o.control_inputs)] for o in g.get_operations()]
            vs=[v.name for v in tf.trainable_variables()]
            grads=tf.gradients(sum(tf.reduce_sum(t*t) for t in fetch), tf.trainable_variables())
            with tf.Session() as s:
                s.run(tf.global_variables_initializer())
                vals=s.run(fetch); gv=s.run(grads)
            out[name]=dict(ops=ops,vars=vs,values=[np.asarray(v,np.float64).ravel().tolist() for v in vals],grads=[float(np.sum(np.abs(np.asarray(a)))) for a in gv])
        return f
    return deco
flat=tf.nest.flatten
@case("lstm_full")
def _(x):
    c=cells.LSTMCell(5,use_peepholes=True,cell_clip=0.3,num_proj=3,proj_clip=0.1,forget_bias=0.5)
    return flat(tf.nn.dynamic_rnn(c,x,sequence_length=[2,3],dtype=tf.float32))
@case("lstm_concat")
def _(x):
    c=cells.LSTMCell(5,state_is_tuple=False, activation=tf.nn.relu)
    return flat(tf.nn.dynamic_rnn(c,x,dtype=tf.float32))
@case("basic_concat")
def _(x):
    c=cells.BasicLSTMCell(5,state_is_tuple=False, name="mine")
    return flat(tf.nn.dynamic_rnn(c,x,dtype=tf.float32,time_major=True))
@case("multi_static_len")
def _(x):
    c=cells.MultiRNNCell([cells.GRUCell(4),cells.BasicRNNCell(3)])
    return flat(tf.nn.static_rnn(c,tf.unstack(x,axis=1),sequence_length=[1,2],dtype=tf.float32))
@case("multi_concat")
def _(x):
    c=cells.MultiRNNCell([cells.GRUCell(4),cells.BasicRNNCell(3)],state_is_tuple=False)
    return flat(tf.nn.dynamic_rnn(c,x,dtype=tf.float32))
@case("static_bidir")
def _(x):
    o,a,b=tf.nn.static_bidirectional_rnn(cells.GRUCell(4),cells.GRUCell(4),tf.unstack(x,axis=1),dtype=tf.float32)
    return flat([o,a,b])
@case("static_bidir_len")
def _(x):
    o,a,b=tf.nn.static_bidirectional_rnn(cells.GRUCell(4),cells.GRUCell(4),tf.unstack(x,axis=1),sequence_length=[1,3],dtype=tf.float32)
    return flat([o,a,b])
@case("dyn_bidir_len")
def _(x):
    return flat(tf.nn.bidirectional_dynamic_rnn(cells.BasicLSTMCell(4),cells.BasicLSTMCell(4),x,sequence_length=[1,3],dtype=tf.float32))
@case("dropout")
def _(x):
    c=cells.DropoutWrapper(cells.BasicLSTMCell(4),input_keep_prob=0.7,output_keep_prob=0.5,state_keep_prob=0.8,seed=11)
    return flat(tf.nn.static_rnn(c,tf.unstack(x,axis=1),dtype=tf.float32))
@case("dropout_var")
def _(x):
    c=cells.DropoutWrapper(cells.BasicLSTMCell(4),input_keep_prob=0.7,output_keep_prob=0.5,state_keep_prob=0.8,seed=11,variational_recurrent=True,input_size=4,dtype=tf.float32)
    return flat(tf.nn.dynamic_rnn(c,x,dtype=tf.float32))
@case("residual_device")
def _(x):
    c=cells.MultiRNNCell([cells.ResidualWrapper(cells.GRUCell(4)),cells.DeviceWrapper(cells.LSTMCell(3),"/cpu:0"),cells.DropoutWrapper(cells.GRUCell(2))])
    return flat(tf.nn.dynamic_rnn(c,x,dtype=tf.float32))
@case("multi_of_multi")
def _(x):
    c=cells.MultiRNNCell([cells.MultiRNNCell([cells.GRUCell(4),cells.GRUCell(3)]),cells.GRUCell(2)])
    s=c.zero_state(2,tf.float32)
    with tf.variable_scope("m"):
        o,s=c(x[:,0],s)
        o2,s=c(x[:,1],s)
    return flat([o,o2,s])
@case("manual_loop")
def _(x):
    c=cells.MultiRNNCell([cells.LSTMCell(3,initializer=tf.truncated_normal_initializer(stddev=0.1,seed=3)) for _ in range(2)])
    state=c.zero_state(2,tf.float32); outs=[]
    with tf.variable_scope("RNN"):
        for t in range(3):
            if t>0: tf.get_variable_scope().reuse_variables()
            o,state=c(x[:,t,:],state); outs.append(o)
    return flat([outs,state])
@case("raw")
def _(x):
    ta=tf.TensorArray(tf.float32,size=3).unstack(tf.transpose(x,[1,0,2]))
    cell=cells.LSTMCell(3)
    def loop_fn(time,out,state,ls):
        emit=out
        nxt = cell.zero_state(2,tf.float32) if out is None else state
        fin = time >= [2,3]
        allf=tf.reduce_all(fin)
        inp=tf.cond(allf,lambda: tf.zeros([2,4]),lambda: ta.read(time))
        inp.set_shape([2,4])
        return fin,inp,nxt,emit,None
    e,s,_=tf.nn.raw_rnn(cell,loop_fn)
    return flat([e.stack(),s])
class My(cells.RNNCell):
    def __init__(self,n,**k):
        super().__init__(**k); self.n=n
    @property
    def state_size(self): return self.n
    @property
    def output_size(self): return self.n
    def call(self,i,s):
        w=tf.get_variable("w",[4,self.n]); u=tf.get_variable("u",[self.n,self.n])
        h=tf.tanh(tf.matmul(i,w)+tf.matmul(s,u))
        return h,h
@case("custom")
def _(x):
    return flat(tf.nn.dynamic_rnn(My(3),x,dtype=tf.float32))
@case("custom_static")
def _(x):
    return flat(tf.nn.static_rnn(My(3),tf.unstack(x,axis=1),dtype=tf.float32))
json.dump(out,open(sys.argv[1], "w"))
