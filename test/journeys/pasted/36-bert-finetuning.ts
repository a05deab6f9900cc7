// Fine-tuning as in BERT's modeling code, with AdamWeightDecay written as an optimizer and an assignment map: its twin in Python line by line.

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "tensorloom/compat";
import { ints, range, type Show } from "./inputs.ts";

type Size = number | tf.Tensor;

export async function main(show: Show): Promise<void> {
  function get_shape_list(tensor: tf.Tensor): Size[] {
    const shape = tensor.shape.as_list();
    if (!shape.includes(null)) return shape as number[];
    const dyn_shape = tf.shape(tensor);
    return shape.map((dim, index) => dim ?? dyn_shape[index]);
  }
  const gelu = (x: tf.Tensor) =>
    x.mul(0.5).mul(tf.add(1.0, tf.tanh(tf.multiply(Math.sqrt(2 / Math.PI), x.add(tf.multiply(0.044715, tf.pow(x, 3)))))));
  const create_initializer = (initializer_range = 0.1) => tf.truncated_normal_initializer({ stddev: initializer_range });
  function layer_norm(x: tf.Tensor, name: string | null = null) {
    return tf.variable_scope(name, "LayerNorm", [x], () => {
      const n = x.shape.as_list().at(-1)!;
      const beta = tf.get_variable("beta", [n], { initializer: tf.zeros_initializer() }),
        gamma = tf.get_variable("gamma", [n], { initializer: tf.ones_initializer() });
      const [mean, variance] = tf.nn.moments(x, [-1], { keep_dims: true });
      return tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-12);
    });
  }
  function attention_layer(
    from: tf.Tensor,
    to: tf.Tensor,
    mask: tf.Tensor,
    heads: number,
    size: number,
    batch: Size,
    from_seq: Size,
    to_seq: Size,
  ) {
    const transpose_for_scores = (t: tf.Tensor, seq: Size) => tf.transpose(tf.reshape(t, [batch, seq, heads, size]), [0, 2, 1, 3]);
    const from_2d = tf.reshape(from, [-1, from.shape[-1]]),
      to_2d = tf.reshape(to, [-1, to.shape[-1]]);
    const layers: [string, tf.Tensor][] = [
      ["query", from_2d],
      ["key", to_2d],
      ["value", to_2d],
    ];
    const [q, k, v] = layers.map(([name, t]) => tf.layers.dense(t, heads * size, { name, kernel_initializer: create_initializer() }));
    let scores = tf.matmul(transpose_for_scores(q, from_seq), transpose_for_scores(k, to_seq), { transpose_b: true });
    scores = tf.multiply(scores, 1.0 / Math.sqrt(size));
    const adder = tf.subtract(1.0, tf.cast(tf.expand_dims(mask, { axis: [1] }), tf.float32)).mul(-10000.0);
    const probs = tf.nn.softmax(scores.add(adder));
    const context = tf.transpose(tf.matmul(probs, transpose_for_scores(v, to_seq)), [0, 2, 1, 3]);
    return tf.reshape(context, [tf.multiply(batch, from_seq), heads * size]);
  }
  const [VOCAB, HID, HEADS, LAYERS, MAXPOS] = [14, 8, 2, 1, 8];
  const dense = (x: tf.Tensor, n: number, activation: ((x: tf.Tensor) => tf.Tensor) | null = null) =>
    tf.layers.dense(x, n, { activation, kernel_initializer: create_initializer() });
  function bert(input_ids: tf.Tensor, input_mask: tf.Tensor, token_type_ids: tf.Tensor) {
    const [batch_size, seq_length] = get_shape_list(input_ids);
    return tf.variable_scope(null, { default_name: "bert" }, () => {
      const [embedded, table] = tf.variable_scope("embeddings", () => {
        const table = tf.get_variable({ name: "word_embeddings", shape: [VOCAB, HID], initializer: create_initializer() });
        const flat = tf.reshape(tf.expand_dims(input_ids, { axis: [-1] }), [-1]);
        let output = tf.reshape(tf.matmul(tf.one_hot(flat, { depth: VOCAB }), table), [batch_size, seq_length, HID]);
        const types = tf.get_variable({ name: "token_type_embeddings", shape: [2, HID], initializer: create_initializer() });
        output = output.add(
          tf.reshape(tf.matmul(tf.one_hot(tf.reshape(token_type_ids, [-1]), { depth: 2 }), types), [batch_size, seq_length, HID]),
        );
        const assert_op = tf.assert_less_equal(seq_length, MAXPOS);
        output = tf.control_dependencies([assert_op], () => {
          const full = tf.get_variable({ name: "position_embeddings", shape: [MAXPOS, HID], initializer: create_initializer() });
          const positions = tf.slice(full, [0, 0], [seq_length, -1]);
          return output.add(tf.reshape(positions, [1, seq_length, HID]));
        });
        return [layer_norm(output), table] as const;
      });
      const sequence_output = tf.variable_scope("encoder", () => {
        const mask = tf.ones([batch_size, seq_length, 1]).mul(tf.cast(tf.reshape(input_mask, [batch_size, 1, seq_length]), tf.float32));
        let prev = tf.reshape(embedded, [-1, HID]);
        for (const layer of range(LAYERS))
          tf.variable_scope(`layer_${layer}`, () => {
            const att = tf.variable_scope("attention", () => {
              const head = tf.variable_scope("self", () =>
                attention_layer(prev, prev, mask, HEADS, Math.floor(HID / HEADS), batch_size, seq_length, seq_length),
              );
              return tf.variable_scope("output", () => layer_norm(dense(head, HID).add(prev)));
            });
            const inter = tf.variable_scope("intermediate", () => dense(att, 12, gelu));
            prev = tf.variable_scope("output", () => layer_norm(dense(inter, HID).add(att)));
          });
        return tf.reshape(prev, [batch_size, seq_length, HID]);
      });
      const pooled = tf.variable_scope("pooler", () => dense(tf.squeeze(sequence_output.at([], [0, 1], []), { axis: 1 }), HID, tf.tanh));
      return [sequence_output, pooled, table] as const;
    });
  }
  function gather_indexes(sequence_tensor: tf.Tensor, positions: tf.Tensor) {
    const [batch_size, seq_length, width] = get_shape_list(sequence_tensor);
    const flat_offsets = tf.reshape(tf.range(0, batch_size, { dtype: tf.int32 }).mul(seq_length), [-1, 1]);
    const flat = tf.reshape(sequence_tensor, [tf.multiply(batch_size, seq_length), width]);
    return tf.gather(flat, tf.reshape(positions.add(flat_offsets), [-1]));
  }
  function masked_lm(output: tf.Tensor, table: tf.Variable, positions: tf.Tensor, label_ids: tf.Tensor, label_weights: tf.Tensor) {
    let input_tensor = gather_indexes(output, positions);
    return tf.variable_scope("cls/predictions", () => {
      input_tensor = tf.variable_scope("transform", () => layer_norm(dense(input_tensor, HID, gelu)));
      const logits = tf.nn.bias_add(
        tf.matmul(input_tensor, table, { transpose_b: true }),
        tf.get_variable("output_bias", { shape: [VOCAB], initializer: tf.zeros_initializer() }),
      );
      const log_probs = tf.nn.log_softmax(logits, { axis: -1 });
      const one_hot = tf.one_hot(tf.reshape(label_ids, [-1]), { depth: VOCAB, dtype: tf.float32 }),
        weights = tf.reshape(label_weights, [-1]);
      const per = tf.reduce_sum(log_probs.mul(one_hot), { axis: [-1] }).neg();
      return tf.reduce_sum(weights.mul(per)).div(tf.reduce_sum(weights).add(1e-5));
    });
  }
  class AdamWeightDecayOptimizer extends tf.train.Optimizer {
    learning_rate: tf.Tensor;
    weight_decay_rate: number;
    exclude_from_weight_decay: readonly string[];
    beta_1 = 0.9;
    beta_2 = 0.999;
    epsilon = 1e-6;
    constructor(learning_rate: tf.Tensor, weight_decay_rate: number, exclude_from_weight_decay: readonly string[]) {
      super(false, "AdamWeightDecayOptimizer");
      this.learning_rate = learning_rate;
      this.weight_decay_rate = weight_decay_rate;
      this.exclude_from_weight_decay = exclude_from_weight_decay;
    }
    apply(grads_and_vars: readonly (readonly [tf.Tensor | tf.IndexedSlices | null, tf.Variable])[]) {
      const assignments: tf.TensorLike[] = [];
      for (const [grad, param] of grads_and_vars) {
        if (grad === null) continue;
        const param_name = this._get_variable_name(param.name);
        const slot = (suffix: string) =>
          tf.get_variable({
            name: param_name + suffix,
            shape: param.shape.as_list(),
            dtype: tf.float32,
            trainable: false,
            initializer: tf.zeros_initializer(),
          });
        const m = slot("/adam_m"),
          v = slot("/adam_v");
        const next_m = tf.multiply(this.beta_1, m).add(tf.multiply(1.0 - this.beta_1, grad));
        const next_v = tf.multiply(this.beta_2, v).add(tf.multiply(1.0 - this.beta_2, tf.square(grad)));
        let update = next_m.div(tf.sqrt(next_v).add(this.epsilon));
        if (this._do_use_weight_decay(param_name)) update = update.add(tf.multiply(this.weight_decay_rate, param));
        const next_param = param.sub(this.learning_rate.mul(update));
        assignments.push(param.assign(next_param), m.assign(next_m), v.assign(next_v));
      }
      return tf.group(...assignments);
    }
    _do_use_weight_decay(param_name: string) {
      return this.weight_decay_rate !== 0 && !this.exclude_from_weight_decay.some(r => param_name.includes(r));
    }
    _get_variable_name(param_name: string) {
      return param_name.replace(/:\d+$/, "");
    }
  }
  function create_optimizer(loss: tf.Tensor, init_lr: number, num_train_steps: number, num_warmup_steps: number) {
    const global_step = tf.train.get_or_create_global_step();
    let learning_rate = tf.train.polynomial_decay(
      tf.constant({ value: init_lr, shape: [], dtype: tf.float32 }),
      global_step,
      num_train_steps,
      { end_learning_rate: 0.0, power: 1.0, cycle: false },
    );
    const global_steps_int = tf.cast(global_step, tf.int32),
      warmup_steps_int = tf.constant(num_warmup_steps, { dtype: tf.int32 });
    const warmup_percent_done = tf.cast(global_steps_int, tf.float32).div(tf.cast(warmup_steps_int, tf.float32));
    const is_warmup = tf.cast(global_steps_int.less(warmup_steps_int), tf.float32);
    learning_rate = tf.subtract(1.0, is_warmup).mul(learning_rate).add(is_warmup.mul(init_lr).mul(warmup_percent_done));
    const optimizer = new AdamWeightDecayOptimizer(learning_rate, 0.01, ["LayerNorm", "layer_norm", "bias"]);
    const tvars = tf.trainable_variables();
    const [grads] = tf.clip_by_global_norm(tf.gradients(loss, tvars), { clip_norm: 1.0 });
    const applied = optimizer.apply(grads.map((g, i) => [g, tvars[i]]));
    const train_op = tf.control_dependencies([applied], () => tf.assign(global_step, global_step.add(1)).op);
    return [train_op, learning_rate] as const;
  }
  async function assignment_map_from(tvars: readonly tf.Variable[], init_checkpoint: string) {
    const name_to_variable = new Map(tvars.map(v => [v.name.replace(/:\d+$/, ""), v]));
    const names = (await tf.train.list_variables(init_checkpoint)).map(([name]) => name).filter(name => name_to_variable.has(name));
    return [Object.fromEntries(names.map(name => [name, name])), new Set(names.flatMap(name => [name, `${name}:0`]))] as const;
  }
  const inputs = () => [
    ...["input_ids", "input_mask", "segment_ids"].map(n => tf.placeholder(tf.int32, [null, null], n)),
    tf.placeholder(tf.int32, [null, 2], "masked_lm_positions"),
    tf.placeholder(tf.int32, [null, 2], "masked_lm_ids"),
    tf.placeholder(tf.float32, [null, 2], "masked_lm_weights"),
    tf.placeholder(tf.int32, [null], "labels"),
  ];
  function batch(ph: readonly tf.Tensor[], seed: number, B: number, T: number) {
    const lengths = [...ints(seed + 9, T - 2, B).data].map(x => Number(x) + 2);
    const mask = lengths.map(n => range(T).map(t => Number(t < n)));
    const weights = range(B).map(i => [1.0, i % 2]);
    const ids = [ints(seed, VOCAB, B, T), mask, ints(seed + 1, 2, B, T), ints(seed + 2, T, B, 2), ints(seed + 3, VOCAB, B, 2)];
    const values: tf.FeedValue[] = [...ids, weights, ints(seed + 4, 3, B)];
    return new Map(ph.map((p, i) => [p, values[i]] as const));
  }
  const checkpoint = join(mkdtempSync(join(tmpdir(), "bert-")), "bert_model.ckpt");
  {
    using _graph = new tf.Graph().as_default();
    tf.set_random_seed(12);
    const ph = inputs();
    const [sequence_output, , table] = bert(ph[0], ph[1], ph[2]);
    const lm = masked_lm(sequence_output, table, ph[3], ph[4], ph[5]);
    const [train_op] = create_optimizer(lm, 0.02, 10, 2);
    await using sess = new tf.Session();
    await sess.run(tf.global_variables_initializer());
    for (const i of range(2)) show("lm", (await sess.run([lm, train_op], batch(ph, i * 50, 3, 5)))[0]);
    await tf.train.Saver().save(sess, checkpoint);
  }
  {
    using _graph = new tf.Graph().as_default();
    tf.set_random_seed(13);
    const ph = inputs();
    const [, pooled] = bert(ph[0], ph[1], ph[2]);
    const output_weights = tf.get_variable("output_weights", [3, HID], { initializer: tf.truncated_normal_initializer({ stddev: 0.02 }) }),
      output_bias = tf.get_variable("output_bias", [3], { initializer: tf.zeros_initializer() });
    const loss = tf.variable_scope("loss", () => {
      const logits = tf.nn.bias_add(tf.matmul(pooled, output_weights, { transpose_b: true }), output_bias);
      const one_hot = tf.one_hot(ph[6], { depth: 3, dtype: tf.float32 });
      return tf.reduce_mean(tf.reduce_sum(one_hot.mul(tf.nn.log_softmax(logits, { axis: -1 })), { axis: -1 }).neg());
    });
    const tvars = tf.trainable_variables();
    const [assignment_map, initialized] = await assignment_map_from(tvars, checkpoint);
    await tf.train.init_from_checkpoint(checkpoint, assignment_map);
    const described = tvars.map(v => `${v.name} [${v.shape.as_list().join(", ")}]${initialized.has(v.name) ? ", *INIT_FROM_CKPT*" : ""}`);
    show("init", described.slice(-6));
    const [train_op, lr] = create_optimizer(loss, 0.05, 8, 3);
    await using sess = await tf.train.MonitoredTrainingSession({ hooks: [new tf.train.StopAtStepHook({ last_step: 3 })] });
    for (let it = 0; !(await sess.should_stop()); it++) {
      const [r, l] = await sess.run([lr, loss, train_op], batch(ph, it * 31, 4, 4 + it));
      show("finetune", [r, l]);
    }
    show("count", tf.global_variables().length);
  }
}
