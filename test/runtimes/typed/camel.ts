// A program as users type it. It is only type-checked: here against the sources, by package.mjs against the built declarations.
import * as tf from "tensorloom";

const x: tf.Tensor = tf.placeholder(tf.float32, [null, 2], { name: "x" });
const w: tf.Variable = tf.getVariable("w", [2, 1], { regularizer: weights => tf.nn.l2Loss(weights).mul(0.1) });
tf.layers.dense(x, 2, { kernelRegularizer: (kernel: tf.Variable) => tf.assign(kernel, tf.clipByNorm(kernel, 1)) as tf.Tensor });
const loss = tf.reduceMean(tf.square(x.matmul(w).add(w.mul(2))));
const feeds: tf.Feeds = [[x, [[1, 2]]]];

export async function main(): Promise<number> {
  await tf.globalVariablesInitializer().run();
  const value: tf.NDArray = await loss.eval(feeds);
  const rows: tf.RaggedTensor = tf.RaggedTensor.fromRowLengths([1, 2, 3], [1, 2]).add(1);
  const nodes = tf.getDefaultGraph().asGraphDef().node?.length ?? 0;
  return value.item() + nodes + (rows.shape.rank ?? 0);
}
