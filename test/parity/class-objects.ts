// Objects of classes without a public name, by how a program gets them: the twins of those in generate/class_members.py.

import { tf } from "../../src/compat.ts";

const initializers = Object.keys(tf).filter(name => name.endsWith("_initializer") && "from_config" in Object(Reflect.get(tf, name)));

/** What an initializer's class and what it makes have. */
const configured = (made: { from_config?: unknown } & (() => object)): object => ({
  from_config: made.from_config,
  get_config: Reflect.get(made(), "get_config"),
});

/** Made anew each time, in a graph of their own. */
export function objectsByOrigin(): Readonly<Record<string, object>> {
  return new tf.Graph().as_default(() => {
    const column = tf.feature_column.numeric_column("a");
    const words = tf.feature_column.categorical_column_with_hash_bucket("b", 10);
    return {
      "get_variable()": tf.get_variable("v", [2]),
      "get_variable(use_resource=True)": tf.get_variable("r", [2], { use_resource: true }),
      "get_variable(partitioner=)": tf.get_variable("p", [4, 2], { partitioner: tf.fixed_size_partitioner(2) }),
      "make_template()": tf.make_template("t", () => tf.get_variable("t", [1])),
      "data.Dataset.range(3).map()": tf.data.Dataset.range(3).map((i: object) => i),
      "feature_column.numeric_column()": column,
      "feature_column.bucketized_column()": tf.feature_column.bucketized_column(column, [0]),
      "feature_column.categorical_column_with_hash_bucket()": words,
      "feature_column.indicator_column()": tf.feature_column.indicator_column(words),
      "feature_column.embedding_column()": tf.feature_column.embedding_column(words, 2),
      "feature_column.crossed_column()": tf.feature_column.crossed_column(["b", "d"], 10),
      "feature_column.sequence_categorical_column_with_identity()": tf.feature_column.sequence_categorical_column_with_identity("c", 5),
      "train.get_checkpoint_state()": tf.train.generate_checkpoint_state_proto("run", "m"),
      ...Object.fromEntries(initializers.map(name => [name, configured(Reflect.get(tf, name))])),
      "initializers.identity": configured(tf.initializers.identity),
      "function()": tf.function((a: object) => tf.add(a, 1)),
    };
  });
}
