"""Makes SavedModels as TensorFlow 2 and Keras write them, each with `expected.json`, what its signature computes: saved_models.py FOLDER.
Packed by pack.py into data/saved-models.json.gz."""
import os, sys, json, base64
os.environ["TF_CPP_MIN_LOG_LEVEL"]="3"; os.environ["TF_ENABLE_ONEDNN_OPTS"]="0"; os.environ["CUDA_VISIBLE_DEVICES"]=""
import numpy as np, tensorflow as tf, tf_keras as k2, keras as k3
out = sys.argv[1]
def rec(a):
    a = np.asarray(a)
    if a.dtype.kind in "OSU":
        return {"dtype":"string","shape":list(a.shape),"values":[],"base64":[base64.b64encode(x if isinstance(x,bytes) else str(x).encode()).decode() for x in a.reshape(-1)]}
    v = a.reshape(-1).tolist()
    if a.dtype.kind=="f": v=[x if np.isfinite(x) else str(x).replace("nan","NaN").replace("inf","Infinity") for x in v]
    if a.dtype in (np.int64,np.uint64): v=[str(x) for x in v]
    return {"dtype":str(a.dtype),"shape":list(a.shape),"values":v}
cases = {}
def case(f): cases[f.__name__]=f; return f
rng = np.random.RandomState(0)
def r(*s): return rng.uniform(-1,1,s).astype("float32")
def both(name, make, x):
    def two(d):
        k2.utils.set_random_seed(1); m = k2.Sequential(make(k2.layers)); m(x); m.save(d, save_format="tf"); return [x]
    def three(d):
        k3.utils.set_random_seed(1); m = k3.Sequential(make(k3.layers)); m(x); m.export(d, verbose=False); return [x]
    cases["k2_"+name]=two; cases["k3_"+name]=three
both("lstm", lambda L:[L.LSTM(5)], r(2,7,3))
both("gru", lambda L:[L.GRU(5,return_sequences=True),L.GRU(4,reset_after=False)], r(2,7,3))
@case
def k2_stringlookup(d):
    m=k2.Sequential([k2.Input((2,),dtype=tf.string),k2.layers.StringLookup(vocabulary=["x","y","z"])]); m.save(d,save_format="tf"); return [np.array([["x","q"],["z","y"]])]
@case
def k3_attention(d):
    i=k3.Input((5,8)); a=k3.layers.MultiHeadAttention(2,4)(i,i); o=k3.layers.LayerNormalization()(k3.layers.Add()([i,a])); o=k3.layers.Dense(3)(o); m=k3.Model(i,o); m.export(d,verbose=False); return [r(2,5,8)]
@case
def module_table_asset(d):
    p="vocab.txt"; open(p,"w").write("zero\none\ntwo\n")
    class M(tf.Module):
        def __init__(self):
            self.t=tf.lookup.StaticHashTable(tf.lookup.TextFileInitializer(p,tf.string,tf.lookup.TextFileIndex.WHOLE_LINE,tf.int64,tf.lookup.TextFileIndex.LINE_NUMBER),-1)
            self.b=tf.lookup.StaticVocabularyTable(tf.lookup.TextFileInitializer(p,tf.string,tf.lookup.TextFileIndex.WHOLE_LINE,tf.int64,tf.lookup.TextFileIndex.LINE_NUMBER),2)
            self.v=tf.Variable([1.,2.,3.])
        @tf.function(input_signature=[tf.TensorSpec([None],tf.string)])
        def __call__(self,w): return {"id":self.t.lookup(w),"oov":self.b.lookup(w),"g":tf.gather(self.v,tf.maximum(self.t.lookup(w),0))}
    m=M(); tf.saved_model.save(m,d,signatures=m.__call__); return {"w":np.array(["two","none","zero"])}
@case
def module_mutable_table(d):
    class M(tf.Module):
        def __init__(self):
            self.t=tf.lookup.experimental.DenseHashTable(tf.string,tf.int64,-1,"","$") ; self.t.insert(tf.constant(["a","b"]),tf.constant([5,6],tf.int64))
            self.m=tf.lookup.experimental.MutableHashTable(tf.string,tf.int64,-1); self.m.insert(tf.constant(["c","d"]),tf.constant([7,8],tf.int64))
        @tf.function(input_signature=[tf.TensorSpec([None],tf.string)])
        def f(self,w): return {"a":self.t.lookup(w),"b":self.m.lookup(w)}
    m=M(); tf.saved_model.save(m,d,signatures=m.f); return {"w":np.array(["a","c","x"])}
@case
def module_control(d):
    class M(tf.Module):
        def __init__(self): self.v=tf.Variable(2.); self.c=tf.Variable(0,dtype=tf.int32)
        @tf.function(input_signature=[tf.TensorSpec([None,3]),tf.TensorSpec([],tf.int32)])
        def f(self,x,n):
            self.c.assign_add(1)
            for i in tf.range(n):
                if tf.reduce_sum(x)>0.: x=x*self.v-1.
                else: x=x+self.v
            y=tf.map_fn(lambda row: tf.reduce_max(row)*self.v,x)
            z=tf.switch_case(n%3,[lambda:x*1.,lambda:x*2.,lambda:x*3.])
            acc=tf.TensorArray(tf.float32,size=0,dynamic_size=True)
            i=0
            while i<n+1:
                acc=acc.write(i,tf.cast(i,tf.float32)*self.v); i+=1
            return {"x":x,"y":y,"z":z,"acc":acc.stack(),"cnt":self.c.read_value()}
    m=M(); tf.saved_model.save(m,d,signatures=m.f); return {"x":r(2,3),"n":np.int32(4)}
@case
def module_grad(d):
    class M(tf.Module):
        def __init__(self):
            self.w=tf.Variable(r(3,2)); self.l=k2.layers.LSTM(2); self.l(tf.zeros([1,4,3]))
        @tf.function(input_signature=[tf.TensorSpec([2,4,3])])
        def f(self,x):
            with tf.GradientTape() as t:
                t.watch(x); y=tf.reduce_sum(self.l(x)**2)+tf.reduce_sum(tf.tensordot(x,self.w,1)**2)
                g=t.gradient(y,[x,self.w])
            return {"y":y,"gx":g[0],"gw":g[1]}
        @tf.function(input_signature=[tf.TensorSpec([2,3])])
        def train(self,x):
            with tf.GradientTape() as t: l=tf.reduce_mean((x@self.w-1.)**2)
            self.w.assign_sub(0.1*t.gradient(l,self.w)); return {"loss":l}
    m=M(); tf.saved_model.save(m,d,signatures={"serving_default":m.f,"train":m.train}); return {"x":r(2,4,3)}
@case
def module_image(d):
    class M(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None],tf.string)])
        def f(self,x):
            def one(b):
                im=tf.io.decode_png(b,channels=3); im=tf.image.convert_image_dtype(im,tf.float32); return tf.image.resize(im,[4,4])
            return {"y":tf.map_fn(one,x,fn_output_signature=tf.float32)}
    m=M(); tf.saved_model.save(m,d,signatures=m.f); pngs=[tf.io.encode_png(rng.randint(0,255,(5+i,6,3)).astype("uint8")).numpy() for i in range(2)]; return {"x":np.array(pngs,dtype=object)}
@case
def module_example(d):
    class M(tf.Module):
        def __init__(self): self.w=tf.Variable(r(2,1))
        @tf.function(input_signature=[tf.TensorSpec([None],tf.string)])
        def f(self,x):
            p=tf.io.parse_example(x,{"a":tf.io.FixedLenFeature([2],tf.float32),"t":tf.io.VarLenFeature(tf.string),"n":tf.io.FixedLenFeature([],tf.int64,7)})
            return {"y":p["a"]@self.w,"n":p["n"],"t":tf.sparse.to_dense(p["t"],"")}
    m=M(); tf.saved_model.save(m,d,signatures=m.f)
    ex=lambda a,t:tf.train.Example(features=tf.train.Features(feature={"a":tf.train.Feature(float_list=tf.train.FloatList(value=a)),"t":tf.train.Feature(bytes_list=tf.train.BytesList(value=t))})).SerializeToString()
    return {"x":np.array([ex([1,2],[b"p",b"q"]),ex([3,4],[b"r"])],dtype=object)}
@case
def module_nested(d):
    class M(tf.Module):
        def __init__(self): self.vs=[tf.Variable(r(3,3),name="a"),tf.Variable(r(3,3),name="a")]; self.d={"k":tf.Variable(np.arange(3,dtype=np.int64))}; self.h=tf.Variable(np.float16(1.5)); self.st=tf.Variable("text"); self.bf=tf.Variable(tf.constant(1.25,tf.bfloat16)); self.bo=tf.Variable(True); self.c=tf.Variable(1+2j)
        @tf.function
        def inner(self,x): return x@self.vs[0]
        @tf.function(input_signature=[tf.TensorSpec([None,3])])
        def f(self,x):
            y=self.inner(self.inner(x))@self.vs[1]
            y=tf.recompute_grad(lambda q:tf.tanh(q))(y)
            @tf.custom_gradient
            def cg(q): return q*2.,lambda dy:dy*3.
            return {"y":cg(y),"k":self.d["k"]+1,"h":self.h*2,"st":self.st.read_value(),"bf":tf.cast(self.bf,tf.float32),"bo":tf.logical_not(self.bo),"c":tf.math.abs(self.c)}
    m=M(); tf.saved_model.save(m,d,signatures=m.f); return {"x":r(2,3)}
@case
def v1_partitioned(d):
    g=tf.Graph()
    with g.as_default():
        x=tf.compat.v1.placeholder(tf.int64,[None],"x")
        v=tf.compat.v1.get_variable("emb",[10,3],partitioner=tf.compat.v1.fixed_size_partitioner(3),use_resource=False)
        y=tf.nn.embedding_lookup(v,x)
        with tf.compat.v1.Session() as s:
            s.run(tf.compat.v1.global_variables_initializer()); tf.compat.v1.saved_model.simple_save(s,d,{"x":x},{"y":y})
    return {"x":np.array([0,4,9])}
def run(d, given):
    m=tf.saved_model.load(d, tags=["serve"]); f=m.signatures.get("serving_default") or list(m.signatures.values())[0]
    names=list(f.structured_input_signature[1])
    feeds=given if isinstance(given,dict) else dict(zip(names,given))
    o=f(**{k:tf.constant(v,dtype=f.structured_input_signature[1][k].dtype) for k,v in feeds.items()})
    return feeds,{k:v.numpy() for k,v in o.items() if isinstance(v,tf.Tensor)}
res={}
for name,f in cases.items():
    if name in ("k2_lstm", "k2_gru"): continue
    d=os.path.join(out,name)
    try:
        os.system("rm -rf "+d); given=f(d); feeds,o=run(d,given)
        json.dump({"feeds":{k:rec(v) for k,v in feeds.items()},"fetches":{k:rec(v) for k,v in o.items()}},open(d+"/expected.json","w"))
    except Exception as e: print("FAILED",name,str(e)[:300],flush=True)
