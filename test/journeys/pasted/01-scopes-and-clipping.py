"""Hands-On ML 1st ed., chapter 11: reuse, freezing, scheduling, clipping, max-norm, init from other frameworks."""
from recording import *
from functools import partial
tf.set_random_seed(42)
X = tf.placeholder(tf.float32, shape=(None, 12), name="X")
y = tf.placeholder(tf.int32, shape=(None), name="y")
training = tf.placeholder_with_default(False, shape=(), name='training')
def max_norm_regularizer(threshold, axes=1, name="max_norm", collection="max_norm"):
    def max_norm(weights):
        clipped = tf.clip_by_norm(weights, clip_norm=threshold, axes=axes)
        clip_weights = tf.assign(weights, clipped, name=name)
        tf.add_to_collection(collection, clip_weights)
        return None
    return max_norm
with tf.name_scope("dnn"):
    he_init = tf.variance_scaling_initializer()
    my_batch_norm_layer = partial(tf.layers.batch_normalization, training=training, momentum=0.9)
    my_dense_layer = partial(tf.layers.dense, kernel_initializer=he_init, kernel_regularizer=max_norm_regularizer(threshold=1.0))
    hidden1 = my_dense_layer(X, 10, name="hidden1")
    bn1 = tf.nn.elu(my_batch_norm_layer(hidden1))
    drop = tf.layers.dropout(bn1, 0.3, training=training)
    hidden2 = my_dense_layer(drop, 8, name="hidden2")
    bn2 = tf.nn.elu(my_batch_norm_layer(hidden2))
    logits_before_bn = my_dense_layer(bn2, 5, name="outputs")
    logits = my_batch_norm_layer(logits_before_bn)
with tf.name_scope("loss"):
    xentropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
    loss = tf.reduce_mean(xentropy, name="loss")
with tf.name_scope("train"):
    initial_learning_rate = 0.1
    global_step = tf.Variable(0, trainable=False, name="global_step")
    learning_rate = tf.train.exponential_decay(initial_learning_rate, global_step, 7, 1/10)
    optimizer = tf.train.MomentumOptimizer(learning_rate, momentum=0.9, use_nesterov=True)
    train_vars = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope="hidden[2]|outputs")
    grads_and_vars = optimizer.compute_gradients(loss, var_list=train_vars)
    capped_gvs = [(tf.clip_by_value(grad, -0.05, 0.05), var) for grad, var in grads_and_vars]
    training_op = optimizer.apply_gradients(capped_gvs, global_step=global_step)
with tf.name_scope("eval"):
    correct = tf.nn.in_top_k(logits, y, 1)
    accuracy = tf.reduce_mean(tf.cast(correct, tf.float32))
init = tf.global_variables_initializer()
extra_update_ops = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
clip_all_weights = tf.get_collection("max_norm")
show("vars", [v.name for v in tf.global_variables()])
graph = tf.get_default_graph()
assign_kernel = graph.get_operation_by_name("hidden1/kernel/Assign")
init_kernel = assign_kernel.inputs[1]
with tf.Session() as sess:
    sess.run(init, feed_dict={init_kernel: rnd(5, 12, 10) - 0.5})
    show("k0", tf.get_default_graph().get_tensor_by_name("hidden1/kernel:0").eval())
    for step in range(11):
        xb, yb = rnd(step, 16, 12), ints(step + 100, 5, 16)
        sess.run([training_op, extra_update_ops], feed_dict={training: True, X: xb, y: yb})
        sess.run(clip_all_weights)
        if step % 5 == 0:
            show("acc", accuracy.eval(feed_dict={X: xb, y: yb}))
            show("loss", [loss.eval({X: xb, y: yb}), learning_rate.eval()])
    w1 = tf.get_default_graph().get_tensor_by_name("hidden2/kernel:0")
    show("w", sess.run(w1))
    gvars = tf.get_collection(tf.GraphKeys.GLOBAL_VARIABLES)
    state = {gvar.op.name: value for gvar, value in zip(gvars, tf.get_default_session().run(gvars))}
    gvar_names = list(state.keys())
    assign_ops = {n: tf.get_default_graph().get_operation_by_name(n + "/Assign") for n in gvar_names}
    init_values = {n: op.inputs[1] for n, op in assign_ops.items()}
    feed_dict = {init_values[n]: state[n] * 2 for n in gvar_names}
    tf.get_default_session().run(assign_ops, feed_dict=feed_dict)
    show("restored", sess.run("hidden2/kernel:0"))
