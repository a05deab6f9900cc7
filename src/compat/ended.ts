// What programs of TensorFlow 1 use and TensorFlow's own version 1 names no longer have: named when it is called, with what does the same here.

import { NotImplementedError } from "../base/errors.ts";
import { isOwnProtocol } from "./snake-api.ts";

/** By the longest path that a name begins with. */
const advice: Readonly<Record<string, string>> = {
  "tf.app": "Call main() yourself; node:util's parseArgs reads flags.",
  "tf.contrib": "tf.contrib ended with TensorFlow 1.15. docs/from-tensorflow.md lists what in the core does the same.",
  "tf.contrib.data": "Use tf.data, with tf.data.experimental.",
  "tf.contrib.framework.get_or_create_global_step": "Use tf.train.get_or_create_global_step().",
  "tf.contrib.framework.get_variables": "Use tf.get_collection(tf.GraphKeys.GLOBAL_VARIABLES, scope).",
  "tf.contrib.framework.nest": "Use tf.nest.",
  "tf.contrib.layers": "Use tf.layers, which has dense, conv2d, max_pooling2d, batch_normalization, dropout, flatten.",
  "tf.contrib.layers.fully_connected": "Use tf.layers.dense(x, n, { activation: tf.nn.relu }).",
  "tf.contrib.layers.l1_regularizer": "Use any function of a variable: w => tf.reduce_sum(tf.abs(w)).mul(scale).",
  "tf.contrib.layers.l2_regularizer": "Use any function of a variable: w => tf.nn.l2_loss(w).mul(scale).",
  "tf.contrib.layers.variance_scaling_initializer": 'Use tf.variance_scaling_initializer({ scale: 2, mode: "fan_in" }).',
  "tf.contrib.layers.xavier_initializer": "Use tf.glorot_uniform_initializer().",
  "tf.contrib.layers.xavier_initializer_conv2d": "Use tf.glorot_uniform_initializer().",
  "tf.contrib.lookup": "Use tf.lookup.",
  "tf.contrib.opt": "Use tf.train, which has TensorFlow's own optimizers.",
  "tf.contrib.rnn": "Use tf.nn.rnn_cell for cells, tf.nn.static_rnn and tf.nn.static_bidirectional_rnn for unrolling.",
  "tf.contrib.slim": "Use tf.layers, with a function of your own for what arg_scope shares.",
  "tf.contrib.training": "Use tf.train.",
  "tf.estimator": "Use tf.layers, tf.train.MonitoredTrainingSession and a loop.",
  "tf.examples": "The examples in this repository read the same files of MNIST: examples/mnist.",
  "tf.flags": "node:util's parseArgs reads flags.",
  "tf.keras": "Use tf.layers, tf.losses, tf.metrics and tf.train: this is the graph API.",
};

/** Stands for a namespace that ended: members may be taken from it, calling one says what to use. */
function endedNamespace(path: string): never {
  const refuse = (): never => {
    let known = path;
    while (!Object.hasOwn(advice, known)) known = known.slice(0, known.lastIndexOf("."));
    throw new NotImplementedError(`${path} is not part of tensorloom.\n\n${advice[known]}`);
  };
  const proxy: unknown = new Proxy(refuse, {
    get: (_, key) => {
      if (key === Symbol.toPrimitive) return refuse;
      return typeof key !== "string" || isOwnProtocol(key) ? undefined : endedNamespace(`${path}.${key}`);
    },
    apply: refuse,
    construct: refuse,
  });
  return proxy as never;
}

// Of type never, so that TypeScript refuses what would be refused while running.
export const app: never = endedNamespace("tf.app");
export const contrib: never = endedNamespace("tf.contrib");
export const estimator: never = endedNamespace("tf.estimator");
export const examples: never = endedNamespace("tf.examples");
export const flags: never = endedNamespace("tf.flags");
export const keras: never = endedNamespace("tf.keras");
