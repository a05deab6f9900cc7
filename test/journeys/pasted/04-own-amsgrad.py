"""AMSGrad as people wrote it (subclass with _apply_sparse via scatter_add), embeddings, colocated slots."""
from recording import *
from tensorflow.python.training import optimizer
from tensorflow.python.ops import state_ops, math_ops, control_flow_ops
from tensorflow.python.framework import ops
tf.set_random_seed(1)
class AMSGrad(optimizer.Optimizer):
    def __init__(self, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8, use_locking=False, name="AMSGrad"):
        super().__init__(use_locking, name)
        self._lr = learning_rate; self._beta1 = beta1; self._beta2 = beta2; self._epsilon = epsilon
        self._lr_t = None; self._beta1_power = None; self._beta2_power = None
    def _create_slots(self, var_list):
        first_var = min(var_list, key=lambda x: x.name)
        if self._beta1_power is None:
            with ops.colocate_with(first_var):
                self._beta1_power = tf.Variable(self._beta1, name="beta1_power", trainable=False)
                self._beta2_power = tf.Variable(self._beta2, name="beta2_power", trainable=False)
        for v in var_list:
            self._zeros_slot(v, "m", self._name); self._zeros_slot(v, "v", self._name); self._zeros_slot(v, "vhat", self._name)
    def _prepare(self):
        self._lr_t = ops.convert_to_tensor(self._lr); self._beta1_t = ops.convert_to_tensor(self._beta1)
        self._beta2_t = ops.convert_to_tensor(self._beta2); self._epsilon_t = ops.convert_to_tensor(self._epsilon)
    def _apply_dense(self, grad, var):
        beta1_power = math_ops.cast(self._beta1_power, var.dtype.base_dtype)
        beta2_power = math_ops.cast(self._beta2_power, var.dtype.base_dtype)
        lr_t = math_ops.cast(self._lr_t, var.dtype.base_dtype)
        lr = lr_t * math_ops.sqrt(1 - beta2_power) / (1 - beta1_power)
        m = self.get_slot(var, "m")
        m_t = m.assign(self._beta1_t * m + (1 - self._beta1_t) * grad, use_locking=self._use_locking)
        v = self.get_slot(var, "v")
        v_t = v.assign(self._beta2_t * v + (1 - self._beta2_t) * tf.square(grad), use_locking=self._use_locking)
        vhat = self.get_slot(var, "vhat")
        vhat_t = vhat.assign(tf.maximum(v_t, vhat))
        var_update = state_ops.assign_sub(var, lr * m_t / (math_ops.sqrt(vhat_t) + self._epsilon_t), use_locking=self._use_locking)
        return control_flow_ops.group(*[var_update, m_t, v_t, vhat_t])
    def _apply_sparse_shared(self, grad, var, indices, scatter_add):
        lr = self._lr_t * math_ops.sqrt(1 - self._beta2_power) / (1 - self._beta1_power)
        m = self.get_slot(var, "m")
        m_scaled_g_values = grad * (1 - self._beta1_t)
        m_t = state_ops.assign(m, m * self._beta1_t, use_locking=self._use_locking)
        with ops.control_dependencies([m_t]):
            m_t = scatter_add(m, indices, m_scaled_g_values)
        v = self.get_slot(var, "v")
        v_t = state_ops.assign(v, v * self._beta2_t, use_locking=self._use_locking)
        with ops.control_dependencies([v_t]):
            v_t = scatter_add(v, indices, (grad * grad) * (1 - self._beta2_t))
        vhat = self.get_slot(var, "vhat")
        vhat_t = state_ops.assign(vhat, math_ops.maximum(v_t, vhat))
        var_update = state_ops.assign_sub(var, lr * m_t / (math_ops.sqrt(vhat_t) + self._epsilon_t), use_locking=self._use_locking)
        return control_flow_ops.group(*[var_update, m_t, v_t, vhat_t])
    def _apply_sparse(self, grad, var):
        return self._apply_sparse_shared(grad.values, var, grad.indices, lambda x, i, v: state_ops.scatter_add(x, i, v, use_locking=self._use_locking))
    def _finish(self, update_ops, name_scope):
        with ops.control_dependencies(update_ops):
            with ops.colocate_with(self._beta1_power):
                update_beta1 = self._beta1_power.assign(self._beta1_power * self._beta1_t, use_locking=self._use_locking)
                update_beta2 = self._beta2_power.assign(self._beta2_power * self._beta2_t, use_locking=self._use_locking)
        return control_flow_ops.group(*update_ops, name=name_scope)
ids = tf.placeholder(tf.int32, [None, 3]); y = tf.placeholder(tf.float32, [None])
emb = tf.get_variable("emb", [10, 4], initializer=tf.random_normal_initializer(0., 0.3))
h = tf.reduce_sum(tf.nn.embedding_lookup(emb, ids), axis=1)
out = tf.squeeze(tf.layers.dense(h, 1), -1)
loss = tf.losses.mean_squared_error(y, out)
gs = tf.train.create_global_step()
opt = AMSGrad(0.05)
train = opt.minimize(loss, global_step=gs)
show("slots", opt.get_slot_names())
with tf.Session() as sess:
    tf.global_variables_initializer().run()
    for i in range(20):
        l, _, g = sess.run([loss, train, gs], {ids: ints(i, 10, 6, 3), y: rnd(i + 50, 6)})
        if i % 4 == 0: show("l", [l, g])
    show("emb", emb.eval()); show("m", opt.get_slot(emb, "vhat").eval())
    show("bp", opt._beta1_power.eval())
    show("names", [v.op.name for v in tf.global_variables()])
