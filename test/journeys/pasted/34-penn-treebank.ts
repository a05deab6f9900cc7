// The language model of the Penn Treebank tutorial, three models over one set of variables, a supervisor: its twin in Python line by line.

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import * as tf from "tensorloom/compat";
import { ints, range, type Show } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  class Config {
    init_scale = 0.2;
    learning_rate = 1.0;
    max_grad_norm = 5;
    num_layers = 2;
    num_steps = 4;
    hidden_size = 5;
    max_epoch = 2;
    keep_prob = 0.8;
    lr_decay = 0.5;
    batch_size = 3;
    vocab_size = 11;
  }
  class Input {
    batch_size: number;
    num_steps: number;
    epoch_size: number;
    input_data: tf.Tensor;
    targets: tf.Tensor;
    constructor(config: Config, list: readonly number[], name: string | null = null) {
      const batch_size = (this.batch_size = config.batch_size);
      const num_steps = (this.num_steps = config.num_steps);
      this.epoch_size = Math.floor((Math.floor(list.length / batch_size) - 1) / num_steps);
      [this.input_data, this.targets] = tf.name_scope(name, "PTBProducer", [list, batch_size, num_steps], () => {
        const raw_data = tf.convert_to_tensor(list, { name: "raw_data", dtype: tf.int32 });
        const data_len = tf.size(raw_data),
          batch_len = data_len.floordiv(batch_size);
        const data = tf.reshape(raw_data.at([0, tf.multiply(batch_size, batch_len)]), [batch_size, batch_len]);
        let epoch_size = batch_len.sub(1).floordiv(num_steps);
        const assertion = tf.assert_positive(epoch_size, { message: "epoch_size == 0, decrease batch_size or num_steps" });
        epoch_size = tf.control_dependencies([assertion], () => tf.identity(epoch_size, { name: "epoch_size" }));
        const i = tf.train.range_input_producer(epoch_size, { shuffle: false }).dequeue();
        const x = tf.strided_slice(data, [0, i.mul(num_steps)], [batch_size, i.add(1).mul(num_steps)]);
        x.set_shape([batch_size, num_steps]);
        const y = tf.strided_slice(data, [0, i.mul(num_steps).add(1)], [batch_size, i.add(1).mul(num_steps).add(1)]);
        y.set_shape([batch_size, num_steps]);
        return [x, y];
      });
    }
  }
  class PTBModel {
    _input: Input;
    _initial_state: tf.nn.rnn_cell.LSTMStateTuple[];
    _final_state: tf.nn.rnn_cell.LSTMStateTuple[];
    _cost: tf.Tensor;
    _lr!: tf.Variable;
    _train_op!: tf.Operation;
    _new_lr!: tf.Tensor;
    _lr_update!: tf.TensorLike;
    constructor(is_training: boolean, config: Config, input_: Input) {
      this._input = input_;
      const [size, vocab_size] = [config.hidden_size, config.vocab_size];
      let inputs = tf.device("/cpu:0", () => {
        const embedding = tf.get_variable("embedding", [vocab_size, size], { dtype: tf.float32 });
        return tf.nn.embedding_lookup(embedding, input_.input_data);
      });
      if (is_training && config.keep_prob < 1) inputs = tf.nn.dropout(inputs, config.keep_prob);
      const make_cell = (i: number) => {
        let cell: tf.nn.rnn_cell.RNNCell = tf.nn.rnn_cell.BasicLSTMCell(size, {
          forget_bias: 0.0,
          state_is_tuple: true,
          reuse: !is_training,
        });
        if (is_training && config.keep_prob < 1) cell = tf.nn.rnn_cell.DropoutWrapper(cell, { output_keep_prob: config.keep_prob });
        return i === 0 ? cell : tf.nn.rnn_cell.ResidualWrapper(cell);
      };
      const cell = tf.nn.rnn_cell.MultiRNNCell(range(config.num_layers).map(make_cell), { state_is_tuple: true });
      this._initial_state = cell.zero_state(config.batch_size, tf.float32);
      let state = this._initial_state;
      const outputs: tf.Tensor[] = [];
      tf.variable_scope("RNN", () => {
        for (const time_step of range(input_.num_steps)) {
          if (time_step > 0) tf.get_variable_scope().reuse_variables();
          let cell_output: tf.Tensor;
          [cell_output, state] = cell(inputs.at([], time_step, []), state);
          outputs.push(cell_output);
        }
      });
      const output = tf.reshape(tf.concat(outputs, 1), [-1, size]);
      const softmax_w = tf.get_variable("softmax_w", [size, vocab_size], { dtype: tf.float32 }),
        softmax_b = tf.get_variable("softmax_b", [vocab_size], { dtype: tf.float32 });
      const logits = tf.nn.xw_plus_b(output, softmax_w, softmax_b);
      const loss = tf.nn.sparse_softmax_cross_entropy_with_logits({ labels: tf.reshape(input_.targets, [-1]), logits });
      this._cost = tf.reduce_sum(loss).div(config.batch_size);
      this._final_state = state;
      if (!is_training) return;
      this._lr = tf.Variable(0.0, { trainable: false });
      const tvars = tf.trainable_variables();
      const [grads] = tf.clip_by_global_norm(tf.gradients(this._cost, tvars), config.max_grad_norm);
      const optimizer = tf.train.GradientDescentOptimizer(this._lr);
      this._train_op = optimizer.apply_gradients(
        grads.map((g, i) => [g, tvars[i]]),
        { global_step: tf.train.get_or_create_global_step() },
      );
      this._new_lr = tf.placeholder(tf.float32, { shape: [], name: "new_learning_rate" });
      this._lr_update = tf.assign(this._lr, this._new_lr);
    }
    async assign_lr(session: tf.Session, lr_value: number) {
      await session.run(this._lr_update, { feed_dict: [[this._new_lr, lr_value]] });
    }
    get initial_state() {
      return this._initial_state;
    }
    get final_state() {
      return this._final_state;
    }
  }
  async function run_epoch(session: tf.Session, model: PTBModel, eval_op: tf.Operation | null = null) {
    let [costs, iters] = [0.0, 0];
    let state = await session.run(model.initial_state);
    const fetches = { cost: model._cost, final_state: model.final_state, ...(eval_op && { eval_op }) };
    for (const _step of range(model._input.epoch_size)) {
      const feed_dict = new Map<tf.FeedKey, tf.FeedValue>();
      for (const [i, [c, h]] of model.initial_state.entries()) {
        feed_dict.set(c, state[i].c);
        feed_dict.set(h, state[i].h);
      }
      const vals = await session.run(fetches, feed_dict);
      state = vals.final_state;
      costs += vals.cost.item();
      iters += model._input.num_steps;
    }
    return [Math.exp(costs / iters), state] as const;
  }
  const [config, eval_config] = [new Config(), new Config()];
  eval_config.batch_size = 1;
  eval_config.num_steps = 1;
  const list = (a: tf.NDArray) => [...a.data].map(Number);
  const [train_data, valid_data] = [list(ints(3, 11, 50)), list(ints(4, 11, 9))];
  using _graph = new tf.Graph().as_default();
  tf.set_random_seed(9);
  const initializer = tf.random_uniform_initializer(-config.init_scale, config.init_scale);
  const m = tf.name_scope("Train", () => {
    const train_input = new Input(config, train_data, "TrainInput");
    const m = tf.variable_scope("Model", { reuse: null, initializer }, () => new PTBModel(true, config, train_input));
    tf.summary.scalar("Training Loss", m._cost);
    tf.summary.scalar("Learning Rate", m._lr);
    return m;
  });
  const mvalid = tf.name_scope("Valid", () => {
    const valid_input = new Input(eval_config, valid_data, "ValidInput");
    const mvalid = tf.variable_scope("Model", { reuse: true, initializer }, () => new PTBModel(false, eval_config, valid_input));
    tf.summary.scalar("Validation Loss", mvalid._cost);
    return mvalid;
  });
  show(
    "vars",
    tf.trainable_variables().map(v => v.op.name),
  );
  const logdir = mkdtempSync(join(tmpdir(), "ptb-"));
  const sv = new tf.train.Supervisor({ logdir, save_summaries_secs: 0, save_model_secs: 0 });
  await sv.managed_session(async session => {
    let state!: Awaited<ReturnType<typeof run_epoch>>[1];
    for (const i of range(3)) {
      const lr_decay = config.lr_decay ** Math.max(i + 1 - config.max_epoch, 0.0);
      await m.assign_lr(session, config.learning_rate * lr_decay);
      show("lr", await session.run(m._lr));
      let p: number;
      [p, state] = await run_epoch(session, m, m._train_op);
      show("train", p);
      [p] = await run_epoch(session, mvalid);
      show("valid", p);
    }
    show("state", [state[1].c, state[0].h]);
    await sv.saver!.save(session, sv.save_path, { global_step: sv.global_step });
    show("checkpoint", basename((await tf.train.latest_checkpoint(logdir))!));
  });
  show(
    "saved",
    (await tf.train.list_variables(logdir)).filter(([n]) => n.includes("bias")).map(([n, s]) => [n, `[${s.join(", ")}]`]),
  );
}
