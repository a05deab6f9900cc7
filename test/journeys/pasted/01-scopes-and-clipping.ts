// Hands-On ML 1st ed., chapter 11: reuse, freezing, scheduling, clipping, max-norm, init from other frameworks: its twin in Python line by line.

import * as tf from "tensorloom/compat";
import { ints, range, rnd, type Show } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  tf.set_random_seed(42);
  const X = tf.placeholder(tf.float32, [null, 12], "X");
  const y = tf.placeholder(tf.int32, null, "y");
  const training = tf.placeholder_with_default(false, [], { name: "training" });
  function max_norm_regularizer(threshold: number, axes = 1, name = "max_norm", collection = "max_norm") {
    return (weights: tf.Variable) => {
      const clipped = tf.clip_by_norm(weights, threshold, { axes });
      const clip_weights = tf.assign(weights, clipped, { name });
      tf.add_to_collection(collection, clip_weights);
      return null;
    };
  }
  let logits!: tf.Tensor;
  {
    using _ = tf.name_scope("dnn");
    const he_init = tf.variance_scaling_initializer();
    const my_batch_norm_layer = (x: tf.Tensor) => tf.layers.batch_normalization(x, { training, momentum: 0.9 });
    const my_dense_layer = (x: tf.Tensor, n: number, name: string) =>
      tf.layers.dense(x, n, { name, kernel_initializer: he_init, kernel_regularizer: max_norm_regularizer(1.0) });
    const hidden1 = my_dense_layer(X, 10, "hidden1");
    const bn1 = tf.nn.elu(my_batch_norm_layer(hidden1));
    const drop = tf.layers.dropout(bn1, 0.3, { training });
    const hidden2 = my_dense_layer(drop, 8, "hidden2");
    const bn2 = tf.nn.elu(my_batch_norm_layer(hidden2));
    const logits_before_bn = my_dense_layer(bn2, 5, "outputs");
    logits = my_batch_norm_layer(logits_before_bn);
  }
  const loss = tf.name_scope("loss", () => {
    const xentropy = tf.nn.sparse_softmax_cross_entropy_with_logits({ labels: y, logits });
    return tf.reduce_mean(xentropy, { name: "loss" });
  });
  const { training_op, learning_rate } = tf.name_scope("train", () => {
    const global_step = tf.Variable(tf.constant(0, tf.int32), { trainable: false, name: "global_step" });
    const learning_rate = tf.train.exponential_decay(0.1, global_step, 7, 1 / 10);
    const optimizer = new tf.train.MomentumOptimizer(learning_rate, 0.9, { use_nesterov: true });
    const train_vars = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, "hidden[2]|outputs");
    const grads_and_vars = optimizer.compute_gradients(loss, { var_list: train_vars });
    const capped_gvs = grads_and_vars.map(([grad, v]) => [tf.clip_by_value(grad, -0.05, 0.05), v] as const);
    const training_op = optimizer.apply_gradients(capped_gvs, { global_step });
    return { training_op, learning_rate };
  });
  const accuracy = tf.name_scope("eval", () => {
    const correct = tf.nn.in_top_k(logits, y, 1);
    return tf.reduce_mean(tf.cast(correct, tf.float32));
  });
  const init = tf.global_variables_initializer();
  const extra_update_ops = tf.get_collection(tf.GraphKeys.UPDATE_OPS);
  const clip_all_weights = tf.get_collection("max_norm");
  show(
    "vars",
    tf.global_variables().map(v => v.name),
  );
  const graph = tf.get_default_graph();
  const assign_kernel = graph.get_operation_by_name("hidden1/kernel/Assign");
  const init_kernel = assign_kernel.inputs[1];
  {
    await using sess = new tf.Session();
    using _ = sess.as_default();
    await sess.run(init, {
      feed_dict: new Map([
        [
          init_kernel,
          new tf.NDArray(
            "float32",
            [12, 10],
            (rnd(5, 12, 10).data as Float32Array).map(v => v - 0.5),
          ),
        ],
      ]),
    });
    show("k0", await tf.get_default_graph().get_tensor_by_name("hidden1/kernel:0").eval());
    for (const step of range(11)) {
      const xb = rnd(step, 16, 12),
        yb = ints(step + 100, 5, 16);
      await sess.run([training_op, extra_update_ops], {
        feed_dict: [
          [training, true],
          [X, xb],
          [y, yb],
        ],
      });
      await sess.run(clip_all_weights);
      if (step % 5 === 0) {
        show(
          "acc",
          await accuracy.eval({
            feed_dict: [
              [X, xb],
              [y, yb],
            ],
          }),
        );
        show("loss", [
          await loss.eval([
            [X, xb],
            [y, yb],
          ]),
          await learning_rate.eval(),
        ]);
      }
    }
    const w1 = tf.get_default_graph().get_tensor_by_name("hidden2/kernel:0");
    show("w", await sess.run(w1));
    const gvars = tf.get_collection(tf.GraphKeys.GLOBAL_VARIABLES);
    const values = await tf.get_default_session()!.run(gvars);
    const state = new Map(gvars.map((gvar, i) => [gvar.op.name, values[i]]));
    const gvar_names: string[] = [...state.keys()];
    const assign_ops = Object.fromEntries(gvar_names.map(n => [n, tf.get_default_graph().get_operation_by_name(n + "/Assign")]));
    const init_values = Object.fromEntries(gvar_names.map(n => [n, assign_ops[n].inputs[1]]));
    const twice = (a: tf.NDArray) =>
      new tf.NDArray(
        a.dtype,
        a.shape,
        (a.data as Float32Array).map(v => v * 2),
      );
    const feed_dict = gvar_names.map(n => [init_values[n], twice(state.get(n)!)] as const);
    await tf.get_default_session()!.run(assign_ops, { feed_dict });
    show("restored", await sess.run("hidden2/kernel:0"));
  }
}
