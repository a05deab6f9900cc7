// AMSGrad as people wrote it (subclass with _apply_sparse via scatter_add), embeddings, colocated slots: its twin in Python line by line.

import * as tf from "tensorloom/compat";
import { ints, range, rnd, type Show } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  tf.set_random_seed(1);
  class AMSGrad extends tf.train.Optimizer {
    _lr: number;
    _beta1: number;
    _beta2: number;
    _epsilon: number;
    _lr_t!: tf.Tensor;
    _beta1_t!: tf.Tensor;
    _beta2_t!: tf.Tensor;
    _epsilon_t!: tf.Tensor;
    _beta1_power: tf.Variable | null = null;
    _beta2_power: tf.Variable | null = null;
    constructor({ learning_rate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, use_locking = false, name = "AMSGrad" } = {}) {
      super(use_locking, name);
      this._lr = learning_rate;
      this._beta1 = beta1;
      this._beta2 = beta2;
      this._epsilon = epsilon;
    }
    _create_slots(var_list: tf.Variable[]) {
      const first_var = [...var_list].sort((a, b) => (a.name < b.name ? -1 : 1))[0];
      if (this._beta1_power === null)
        tf.colocate_with(first_var, () => {
          this._beta1_power = tf.Variable(this._beta1, { name: "beta1_power", trainable: false });
          this._beta2_power = tf.Variable(this._beta2, { name: "beta2_power", trainable: false });
        });
      for (const v of var_list) for (const s of ["m", "v", "vhat"]) this._zeros_slot(v, s, this._name);
    }
    _prepare() {
      this._lr_t = tf.convert_to_tensor(this._lr);
      this._beta1_t = tf.convert_to_tensor(this._beta1);
      this._beta2_t = tf.convert_to_tensor(this._beta2);
      this._epsilon_t = tf.convert_to_tensor(this._epsilon);
    }
    _apply_dense(grad: tf.Tensor, v_: tf.Variable) {
      const beta1_power = tf.cast(this._beta1_power!, v_.dtype.base_dtype);
      const beta2_power = tf.cast(this._beta2_power!, v_.dtype.base_dtype);
      const lr_t = tf.cast(this._lr_t, v_.dtype.base_dtype);
      const lr = lr_t.mul(tf.sqrt(tf.subtract(1, beta2_power))).div(tf.subtract(1, beta1_power));
      const m = this.get_slot(v_, "m")!;
      const m_t = m.assign(this._beta1_t.mul(m).add(tf.subtract(1, this._beta1_t).mul(grad)), { use_locking: this._use_locking });
      const v = this.get_slot(v_, "v")!;
      const v_t = v.assign(this._beta2_t.mul(v).add(tf.subtract(1, this._beta2_t).mul(tf.square(grad))), {
        use_locking: this._use_locking,
      });
      const vhat = this.get_slot(v_, "vhat")!;
      const vhat_t = vhat.assign(tf.maximum(v_t, vhat));
      const var_update = tf.assign_sub(v_, lr.mul(m_t).div(tf.sqrt(vhat_t).add(this._epsilon_t)), { use_locking: this._use_locking });
      return tf.group(...[var_update, m_t, v_t, vhat_t]);
    }
    _apply_sparse_shared(
      grad: tf.Tensor,
      v_: tf.Variable,
      indices: tf.Tensor,
      scatter_add: (x: tf.Variable, i: tf.Tensor, v: tf.Tensor) => tf.TensorLike,
    ) {
      const lr = this._lr_t.mul(tf.sqrt(tf.subtract(1, this._beta2_power!))).div(tf.subtract(1, this._beta1_power!));
      const m = this.get_slot(v_, "m")!;
      const m_scaled_g_values = grad.mul(tf.subtract(1, this._beta1_t));
      let m_t: tf.TensorLike = tf.assign(m, m.mul(this._beta1_t), { use_locking: this._use_locking });
      m_t = tf.control_dependencies([m_t], () => scatter_add(m, indices, m_scaled_g_values));
      const v = this.get_slot(v_, "v")!;
      let v_t: tf.TensorLike = tf.assign(v, v.mul(this._beta2_t), { use_locking: this._use_locking });
      v_t = tf.control_dependencies([v_t], () => scatter_add(v, indices, grad.mul(grad).mul(tf.subtract(1, this._beta2_t))));
      const vhat = this.get_slot(v_, "vhat")!;
      const vhat_t = tf.assign(vhat, tf.maximum(v_t, vhat));
      const var_update = tf.assign_sub(v_, lr.mul(m_t).div(tf.sqrt(vhat_t).add(this._epsilon_t)), { use_locking: this._use_locking });
      return tf.group(...[var_update, m_t, v_t, vhat_t]);
    }
    _apply_sparse(grad: tf.IndexedSlices, v_: tf.Variable) {
      return this._apply_sparse_shared(grad.values, v_, grad.indices, (x, i, v) =>
        tf.scatter_add(x, i, v, { use_locking: this._use_locking }),
      );
    }
    _finish(update_ops: tf.Operation[], name_scope: string) {
      return (
        tf.control_dependencies(update_ops, () =>
          tf.colocate_with(this._beta1_power!, () => {
            const update_beta1 = this._beta1_power!.assign(this._beta1_power!.mul(this._beta1_t), { use_locking: this._use_locking });
            const update_beta2 = this._beta2_power!.assign(this._beta2_power!.mul(this._beta2_t), { use_locking: this._use_locking });
            return [update_beta1, update_beta2];
          }),
        ) && tf.group(...update_ops, { name: name_scope })
      );
    }
  }
  const ids = tf.placeholder(tf.int32, [null, 3]),
    y = tf.placeholder(tf.float32, [null]);
  const emb = tf.get_variable("emb", [10, 4], { initializer: tf.random_normal_initializer(0, 0.3) });
  const h = tf.reduce_sum(tf.nn.embedding_lookup(emb, ids), { axis: 1 });
  const out = tf.squeeze(tf.layers.dense(h, 1), -1);
  const loss = tf.losses.mean_squared_error(y, out);
  const gs = tf.train.create_global_step();
  const opt = new AMSGrad({ learning_rate: 0.05 });
  const train = opt.minimize(loss, { global_step: gs });
  show("slots", opt.get_slot_names());
  await using sess = new tf.Session();
  using _ = sess.as_default();
  await tf.global_variables_initializer().run();
  for (const i of range(20)) {
    const [l, , g] = await sess.run([loss, train, gs], {
      feed_dict: new Map([
        [ids, ints(i, 10, 6, 3)],
        [y, rnd(i + 50, 6)],
      ]),
    });
    if (i % 4 === 0) show("l", [l, g]);
  }
  show("emb", await emb.eval());
  show("m", await opt.get_slot(emb, "vhat")!.eval());
  show("bp", await opt._beta1_power!.eval());
  show(
    "names",
    tf.global_variables().map(v => v.op.name),
  );
}
