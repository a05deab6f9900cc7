// Census income with feature columns as an estimator's model_fn has them: its twin in Python line by line.

import * as tf from "tensorloom/compat";
import { range, rnd, type Show } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  const fc = tf.feature_column;
  tf.set_random_seed(3);
  const JOBS = ["clerk", "nurse", "farmer", "driver", "teacher"];
  const EDU = ["Bachelors", "HS-grad", "11th", "Masters", "Preschool"];
  const WORDS = ["ski", "read", "cook", "run", "swim", "paint"];
  function build_model_columns() {
    const age = fc.numeric_column("age");
    const hours = fc.numeric_column("hours", { shape: [2], default_value: [40.0, 30.0], normalizer_fn: x => x.sub(38.0).div(10.0) });
    const education = fc.categorical_column_with_vocabulary_list("education", EDU.slice(0, 4), { num_oov_buckets: 2 });
    const education_num = fc.categorical_column_with_identity("education_num", 16, { default_value: 0 });
    const occupation = fc.categorical_column_with_hash_bucket("occupation", { hash_bucket_size: 7 });
    const age_buckets = fc.bucketized_column(age, { boundaries: [18, 25, 30, 40, 50, 65] });
    const hobbies = fc.categorical_column_with_hash_bucket("hobbies", { hash_bucket_size: 9 });
    const weighted_hobbies = fc.weighted_categorical_column(hobbies, "hobby_weights");
    const bought = fc.categorical_column_with_identity("bought", 8);
    const seen = fc.categorical_column_with_identity("seen", 8);
    const base_columns = [education, occupation, age_buckets, weighted_hobbies];
    const crossed_columns = [
      fc.crossed_column(["education", "occupation"], { hash_bucket_size: 20 }),
      fc.crossed_column([age_buckets, "education", "occupation"], { hash_bucket_size: 30 }),
    ];
    const deep_columns = [
      age,
      hours,
      fc.indicator_column(education),
      fc.indicator_column(education_num),
      fc.indicator_column(weighted_hobbies),
      fc.embedding_column(occupation, { dimension: 3 }),
      fc.embedding_column(weighted_hobbies, { dimension: 2, combiner: "sqrtn", max_norm: 1.5 }),
      ...fc.shared_embedding_columns([bought, seen], {
        dimension: 2,
        combiner: "sum",
        initializer: tf.random_uniform_initializer(-0.5, 0.5),
      }),
    ];
    return [[...base_columns, ...crossed_columns], deep_columns] as const;
  }
  const [wide_columns, deep_columns] = build_model_columns();
  const _float = (v: number[]) => new tf.train.Feature({ float_list: new tf.train.FloatList({ value: v }) });
  const _int = (v: number[]) => new tf.train.Feature({ int64_list: new tf.train.Int64List({ value: v }) });
  const _bytes = (v: string[]) => new tf.train.Feature({ bytes_list: new tf.train.BytesList({ value: v }) });
  function make_examples(seed: number, n: number) {
    const r = rnd(seed, n, 12).toArray() as number[][];
    return r.map(q => {
      const feature: Record<string, ReturnType<typeof _float>> = {
        age: _float([15.0 + 60.0 * q[0]]),
        education: _bytes([EDU[Math.floor(q[1] * 5)]]),
        occupation: _bytes([JOBS[Math.floor(q[2] * 5)]]),
        hobbies: _bytes(range(Math.floor(q[6] * 4)).map(j => WORDS[Math.floor(q[3 + j] * 6)])),
        hobby_weights: _float(range(Math.floor(q[6] * 4)).map(j => q[7] + j)),
        bought: _int([Math.floor(q[8] * 8), Math.floor(q[9] * 8)]),
        seen: _int(range(Math.floor(q[11] * 3)).map(() => Math.floor(q[10] * 8))),
        label: _int([q[0] + q[1] > 1.0 ? 1 : 0]),
      };
      if (q[4] > 0.3) feature.hours = _float([30.0 + 20.0 * q[5], 20.0 * q[3]]);
      if (q[5] > 0.2) feature.education_num = _int([Math.floor(q[2] * 16)]);
      return new tf.train.Example({ features: new tf.train.Features({ feature }) }).SerializeToString();
    });
  }
  const feature_spec = fc.make_parse_example_spec([...wide_columns, ...deep_columns]);
  feature_spec.label = tf.FixedLenFeature([1], tf.int64);
  show(
    "spec",
    Object.entries(feature_spec)
      .map(([k, v]) => `${k}:${v.constructor.name}`)
      .sort(),
  );
  function model_fn(
    features: Record<string, tf.Tensor | tf.SparseTensor>,
    labels: tf.Tensor,
    params: { wide: typeof wide_columns; deep: typeof deep_columns; hidden_units: number[] },
  ) {
    const dnn_logits = tf.variable_scope("dnn", () => {
      const partitioner = tf.min_max_variable_partitioner({ max_partitions: 1 });
      let net = tf.variable_scope("input_from_feature_columns", { values: Object.values(features), partitioner }, () =>
        fc.input_layer({ features, feature_columns: params.deep }),
      );
      for (const [layer_id, num_hidden_units] of params.hidden_units.entries()) {
        net = tf.variable_scope(`hiddenlayer_${layer_id}`, { values: [net] }, hidden_layer_scope =>
          tf.layers.dense(net, {
            units: num_hidden_units,
            activation: tf.nn.relu,
            kernel_initializer: tf.glorot_uniform_initializer(),
            name: hidden_layer_scope,
          }),
        );
        tf.summary.scalar("fraction_of_zero_values", tf.nn.zero_fraction(net));
      }
      return tf.variable_scope("logits", { values: [net] }, logits_scope =>
        tf.layers.dense(net, { units: 1, activation: null, kernel_initializer: tf.glorot_uniform_initializer(), name: logits_scope }),
      );
    });
    const cols_to_vars = new Map();
    const linear_logits = tf.variable_scope("linear", { values: Object.values(features) }, () =>
      fc.linear_model({ features, feature_columns: params.wide, units: 1, sparse_combiner: "sum", cols_to_vars }),
    );
    const logits = dnn_logits.add(linear_logits);
    const logistic = tf.sigmoid(logits, { name: "logistic" });
    const loss = tf.losses.sigmoid_cross_entropy(labels, logits).add(tf.losses.get_regularization_loss());
    const metrics = {
      accuracy: tf.metrics.accuracy(labels, tf.cast(logistic.greater(0.5), tf.int64)),
      auc: tf.metrics.auc(labels, logistic, { num_thresholds: 50 }),
      mean: tf.metrics.mean(logistic),
      pr: tf.metrics.auc(labels, logistic, { curve: "PR", num_thresholds: 50, summation_method: "careful_interpolation" }),
      precision: tf.metrics.precision_at_thresholds(labels, logistic, [0.3, 0.5]),
    };
    const global_step = tf.train.get_or_create_global_step();
    const train_ops = [];
    train_ops.push(
      tf.train.AdagradOptimizer(0.1).minimize(loss, { var_list: tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, { scope: "dnn" }) }),
    );
    train_ops.push(
      tf.train
        .FtrlOptimizer(0.2, { l1_regularization_strength: 0.01 })
        .minimize(loss, { var_list: tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, { scope: "linear" }) }),
    );
    let train_op = tf.group(...train_ops);
    train_op = tf.control_dependencies([train_op], () => tf.assign_add(global_step, 1).op);
    return [logistic, loss, train_op, metrics, cols_to_vars] as const;
  }
  const serialized = tf.placeholder(tf.string, [null], { name: "serialized" });
  const { label: labels, ...features } = tf.parse_example(serialized, feature_spec);
  const [logistic, loss, train_op, metrics, cols_to_vars] = model_fn(features, labels, {
    wide: wide_columns,
    deep: deep_columns,
    hidden_units: [6, 4],
  });
  show(
    "vars",
    tf.trainable_variables().map(v => `${v.name}[${v.shape.as_list().join(", ")}]`),
  );
  show("cols", [...cols_to_vars.keys()].map(c => (typeof c === "string" ? c : c.name)).sort());
  await using sess = new tf.Session();
  await sess.run([tf.global_variables_initializer(), tf.local_variables_initializer(), tf.tables_initializer()]);
  for (const step of range(5)) {
    const [, l] = await sess.run([train_op, loss], [[serialized, make_examples(step * 77 + 1, 16)]]);
    if (step % 2 === 0) show("loss", l);
  }
  const updates = Object.values(metrics).map(m => m[1]);
  for (const step of range(2)) await sess.run(updates, [[serialized, make_examples(step + 500, 20)]]);
  for (const name of Object.keys(metrics).sort() as (keyof typeof metrics)[]) show(name, await sess.run(metrics[name][0]));
  show("logistic", await sess.run(logistic, [[serialized, make_examples(9, 6)]]));
  const sum = (a: tf.NDArray) => [...a.data].reduce<number>((t, x) => t + Number(x), 0);
  show("summed", (await sess.run(tf.trainable_variables())).map(sum));
  show("step", await sess.run(tf.train.get_global_step()!));
}
