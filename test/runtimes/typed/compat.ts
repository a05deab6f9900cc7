// The same through the door with TensorFlow's names: classes as types, scopes that give what their body gives, results of runs, classes of a program's own.
import * as tf from "tensorloom/compat";

const x: tf.Tensor = tf.placeholder(tf.float32, [null, 2], { name: "x" });
const hidden = tf.name_scope("hidden", () => tf.layers.dense(x, 3).sub(x.get_shape()[1]));
const out: tf.Tensor = tf.variable_scope("out", scope => {
  scope.reuse_variables();
  return tf.concat([hidden, hidden], 1).at(null, 0);
});
const whole: tf.Tensor = tf.cast(out, tf.float32);
const penalty: tf.Tensor = tf.add_n(tf.get_collection("losses"));
const chosen = tf.cond(
  tf.less(1, 2),
  () => out,
  () => penalty,
);
const everything: tf.Operation = tf.group(chosen, tf.assign(tf.get_variable("w", [2]), [1, 2]));
const rows: tf.NDArray = tf.NDArray.from([[1, 2]], "float32");
const state = tf.shape(x)[0].mul(2);

class Loud extends tf.train.SessionRunHook {
  before_run(_: tf.train.SessionRunContext) {
    return new tf.train.SessionRunArgs(out);
  }
  after_run(_: tf.train.SessionRunContext, values: tf.train.SessionRunValues): void {
    console.log(values.results);
  }
}

class Cell extends tf.nn.rnn_cell.RNNCell {
  override get state_size(): number {
    return 2;
  }
  override get output_size(): number {
    return 2;
  }
  override call(inputs: tf.Tensor, before: tf.Tensor): [tf.Tensor, tf.Tensor] {
    const next = tf.tanh(inputs.add(before));
    return [next, next];
  }
}

class Descent extends tf.train.Optimizer {
  _create_slots(variables: readonly tf.Variable[]): void {
    for (const variable of variables) this._zeros_slot(variable, "m", this._name);
  }
  _apply_dense(gradient: tf.Tensor, variable: tf.Variable) {
    return tf.assign_sub(variable, gradient.mul(0.1), { use_locking: this._use_locking });
  }
}

export async function main(session: tf.Session): Promise<number> {
  const [first, second] = await session.run([out, state], { feed_dict: new Map([[x, rows]]) });
  const { loss } = await session.run({ loss: penalty, everything, whole }, { feed_dict: [[x, rows]] });
  await tf.global_variables_initializer().run();
  const [outputs] = tf.nn.dynamic_rnn(new Cell(), tf.zeros([1, 2, 2]), { dtype: tf.float32 });
  new Descent(false, "Descent").minimize(tf.reduce_sum(outputs));
  // What branches and loops give follows from what they were given, and what a collection holds from its name.
  const chosen: tf.Tensor = tf.cond(
    true,
    () => out,
    () => out,
  );
  const [, total]: readonly tf.Tensor[] = tf.while_loop(
    (i: tf.Tensor) => i.less(3),
    (i: tf.Tensor, sum: tf.Tensor) => [i.add(1), sum.add(chosen)],
    [tf.constant(0), out],
  );
  const names: string[] = tf.get_collection("trainable_variables").map(variable => variable.name);
  const summary = tf.Summary({ value: [tf.Summary.Value({ tag: names[0], simple_value: 1 })] });
  summary.value.add({ tag: total.name });
  const saver: tf.train.Saver = new tf.train.Saver({ max_to_keep: 2 });
  await saver.save(session, "model");
  return first[0] + second.item() + loss[0] + Number(new Loud() instanceof tf.train.SessionRunHook);
}
