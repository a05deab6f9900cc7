// Captions of pictures as in Show and Tell: sequence examples through queues and batch_join with padding, a frozen picture network imported in its place, a
// decoder whose state is fed by name, beam search outside: its twin in Python line by line.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import * as tf from "tensorloom/compat";
import { messageFromText } from "tensorloom/formats";
import { ints, nodes, range, type Show } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "captions-"));
  tf.set_random_seed(53);
  const [V, E, L] = [11, 6, 5];
  const [START, END] = [1, 2];
  const _bytes_feature = (value: Uint8Array) => tf.train.Feature({ bytes_list: tf.train.BytesList({ value: [value] }) });
  const _int64_feature_list = (values: number[]) =>
    tf.train.FeatureList({ feature: values.map(v => tf.train.Feature({ int64_list: tf.train.Int64List({ value: [v] }) })) });
  const gzip = () => tf.python_io.TFRecordOptions(tf.python_io.TFRecordCompressionType.GZIP);
  {
    using _ = tf.Graph().as_default();
    await using sess = tf.Session();
    const raw = tf.placeholder(tf.uint8);
    const encoded = tf.image.encode_png(raw);
    for (const shard of range(2)) {
      await using writer = tf.python_io.TFRecordWriter(join(folder, `train-0${shard}-of-02`), gzip());
      for (const i of range(3)) {
        const k = 3 * shard + i;
        const context = tf.train.Features({
          feature: {
            "image/data": _bytes_feature((await sess.run(encoded, { feed_dict: [[raw, ints(k, 256, 9, 8, 3)]] })).item()),
            "image/id": tf.train.Feature({ int64_list: tf.train.Int64List({ value: [k] }) }),
          },
        });
        const feature_lists = tf.train.FeatureLists({
          feature_list: {
            "image/caption_ids": _int64_feature_list([START, ...[...ints(k + 9, V - 3, 2 + (k % 3)).data].map(w => 3 + Number(w)), END]),
          },
        });
        await writer.write(tf.train.SequenceExample({ context, feature_lists }).SerializeToString());
      }
    }
  }
  // a picture network, trained by somebody else and frozen
  let frozen!: tf.GraphDef;
  {
    const g = tf.Graph();
    using _ = g.as_default();
    tf.set_random_seed(7);
    const pixels = tf.placeholder(tf.float32, [null, 8, 8, 3], { name: "input" }),
      keep = tf.placeholder_with_default(1.0, [], { name: "keep_prob" });
    {
      using _scope = tf.variable_scope("cnn");
      let net = tf.layers.conv2d(pixels, 4, 3, { strides: 2, padding: "same", activation: tf.nn.relu, name: "conv1" });
      net = tf.layers.batch_normalization(net, { name: "bn" });
      net = tf.nn.dropout(tf.layers.conv2d(net, 5, 3, { padding: "same", activation: tf.nn.elu, name: "conv2" }), { keep_prob: keep });
      net = tf.identity(net, { name: "features" });
    }
    await using sess = tf.Session();
    await sess.run(tf.global_variables_initializer());
    frozen = await tf.graph_util.convert_variables_to_constants(sess, g.as_graph_def(), ["cnn/features"]);
    frozen = tf.graph_util.remove_training_nodes(frozen, { protected_nodes: ["cnn/features"] });
    await tf.train.write_graph(frozen, folder, "cnn.pb", { as_text: false });
    await tf.io.write_graph(frozen, folder, "cnn.pbtxt");
  }
  show("frozen", frozen.node.map(n => `${n.op} ${n.name}`).sort());
  const read_back = tf.GraphDef();
  {
    await using f = tf.gfile.FastGFile(join(folder, "cnn.pb"), "rb");
    read_back.ParseFromString(await f.read());
  }
  const as_text = messageFromText("GraphDef", readFileSync(join(folder, "cnn.pbtxt"), "utf8"));
  show("same", [
    read_back.node.length,
    Number(
      isDeepStrictEqual(
        as_text.node,
        read_back.node.map(n => ({ ...n })),
      ),
    ),
  ]);

  class ShowAndTellModel {
    initializer = tf.random_uniform_initializer({ minval: -0.3, maxval: 0.3, seed: 3 });
    vocab_size = V;
    images!: tf.Tensor;
    input_seqs!: tf.Tensor;
    target_seqs: tf.Tensor | null = null;
    input_mask: tf.Tensor | null = null;
    kernel_op!: tf.Operation;
    areas!: tf.Tensor;
    image_embeddings!: tf.Tensor;
    seq_embeddings!: tf.Tensor;
    total_loss!: tf.Tensor;
    target_cross_entropy_losses!: tf.Tensor;
    target_cross_entropy_loss_weights!: tf.Tensor;
    global_step!: tf.Variable;
    mode: string;
    constructor(mode: string) {
      this.mode = mode;
    }
    is_training() {
      return this.mode === "train";
    }
    process_image(encoded_image: tf.Tensor, thread_id = 0) {
      let image = tf.name_scope("decode", { values: [encoded_image] }, () => tf.image.decode_png(encoded_image, { channels: 3 }));
      image = tf.image.convert_image_dtype(image, { dtype: tf.float32 });
      image = tf.image.resize_images(image, { size: [8, 8], method: tf.image.ResizeMethod.BILINEAR });
      if (this.is_training()) {
        using _ = tf.name_scope("flip_horizontal", { values: [image] });
        image = tf.image.random_flip_left_right(image, { seed: 11 + thread_id });
      }
      image = tf.multiply(tf.subtract(image, 0.5), 2.0);
      return image;
    }
    async build_inputs() {
      if (this.mode === "inference") {
        const image_feed = tf.placeholder({ dtype: tf.string, shape: [], name: "image_feed" });
        const input_feed = tf.placeholder({ dtype: tf.int64, shape: [null], name: "input_feed" });
        this.images = tf.expand_dims(this.process_image(image_feed), 0);
        this.input_seqs = tf.expand_dims(input_feed, 1);
        return;
      }
      const data_files: string[] = [];
      for (const pattern of join(folder, "train-??????02").split(",")) data_files.push(...(await tf.gfile.Glob(pattern)));
      const filename_queue = tf.train.string_input_producer(data_files.sort(), {
        shuffle: false,
        capacity: 16,
        num_epochs: 6,
        name: "filenames",
      });
      const values_queue = tf.FIFOQueue({ capacity: 10, dtypes: [tf.string], name: "input_queue" });
      const [, value] = tf.TFRecordReader({ options: gzip() }).read(filename_queue);
      tf.train.queue_runner.add_queue_runner(tf.train.queue_runner.QueueRunner(values_queue, [values_queue.enqueue([value])]));
      tf.summary.scalar(`queue/${values_queue.name}/fraction_of_10_full`, tf.cast(values_queue.size(), tf.float32).mul(1 / 10));
      const images_and_captions: [tf.Tensor, tf.Tensor][] = [];
      for (const thread_id of range(1)) {
        const [context, sequence] = tf.parse_single_sequence_example(values_queue.dequeue(), {
          context_features: {
            "image/data": tf.FixedLenFeature([], { dtype: tf.string }),
            "image/id": tf.FixedLenFeature([], { dtype: tf.int64 }),
          },
          sequence_features: { "image/caption_ids": tf.FixedLenSequenceFeature([], { dtype: tf.int64 }) },
        });
        images_and_captions.push([this.process_image(context["image/data"], thread_id), sequence["image/caption_ids"]]);
      }
      const enqueue_list: tf.Tensor[][] = [];
      for (const [image, caption] of images_and_captions) {
        const caption_length = tf.shape(caption)[0];
        const input_length = tf.expand_dims(tf.subtract(caption_length, 1), 0);
        const input_seq = tf.slice(caption, [0], input_length),
          target_seq = tf.slice(caption, [1], input_length);
        const indicator = tf.ones(input_length, { dtype: tf.int32 });
        enqueue_list.push([image, input_seq, target_seq, indicator]);
      }
      [this.images, this.input_seqs, this.target_seqs, this.input_mask] = tf.train.batch_join(enqueue_list, {
        batch_size: 3,
        capacity: 6,
        dynamic_pad: true,
        name: "batch_and_pad",
      });
      const lengths = tf.add(tf.reduce_sum(this.input_mask, 1), 1);
      tf.summary.scalar("caption_length/batch_min", tf.reduce_min(lengths));
      tf.summary.scalar("caption_length/batch_mean", tf.reduce_mean(lengths));
    }
    build_image_embeddings() {
      let [features, conv_kernel] = tf.import_graph_def(read_back, {
        input_map: { "input:0": this.images, keep_prob: tf.constant(this.is_training() ? 0.8 : 1.0) },
        return_elements: ["cnn/features:0", "cnn/conv2/kernel"],
        name: "picture",
      }) as [tf.Tensor, tf.Operation];
      features = tf.stop_gradient(features);
      this.kernel_op = conv_kernel;
      this.areas = tf.reshape(features, [tf.shape(features)[0], 16, 5]);
      {
        using _ = tf.variable_scope("image_embedding");
        this.image_embeddings = tf.layers.dense(tf.reduce_mean(features, [1, 2]), E, {
          kernel_initializer: this.initializer,
          use_bias: false,
          kernel_regularizer: w => tf.multiply(1e-3, tf.nn.l2_loss(w), { name: "mul" }),
          name: "projection",
        });
      }
      tf.constant(E, { dtype: tf.int32, name: "embedding_size" });
    }
    build_seq_embeddings() {
      using _ = tf.variable_scope("seq_embedding");
      using _device = tf.device("/cpu:0");
      const embedding_map = tf.get_variable({ name: "map", shape: [this.vocab_size, E], initializer: this.initializer });
      this.seq_embeddings = tf.nn.embedding_lookup(embedding_map, this.input_seqs);
    }
    build_model() {
      let lstm_cell: tf.nn.rnn_cell.RNNCell = tf.nn.rnn_cell.BasicLSTMCell({ num_units: L, state_is_tuple: true });
      if (this.is_training())
        lstm_cell = tf.nn.rnn_cell.DropoutWrapper(lstm_cell, { input_keep_prob: 0.9, output_keep_prob: 0.9, seed: 5 });
      let lstm_outputs: tf.Tensor;
      {
        using lstm_scope = tf.variable_scope("lstm", { initializer: this.initializer });
        const zero_state = lstm_cell.zero_state({ batch_size: tf.shape(this.image_embeddings)[0], dtype: tf.float32 });
        const [, initial_state] = lstm_cell(this.image_embeddings, zero_state);
        lstm_scope.reuse_variables();
        if (this.mode === "inference") {
          tf.concat({ axis: 1, values: initial_state, name: "initial_state" });
          const state_feed = tf.placeholder({
            dtype: tf.float32,
            shape: [null, (lstm_cell.state_size as number[]).reduce((a, b) => a + b)],
            name: "state_feed",
          });
          let state_tuple = tf.split({ value: state_feed, num_or_size_splits: 2, axis: 1 });
          [lstm_outputs, state_tuple] = lstm_cell({
            inputs: tf.squeeze(this.seq_embeddings, { axis: [1] }),
            state: tf.nn.rnn_cell.LSTMStateTuple(...state_tuple),
          });
          tf.concat({ axis: 1, values: state_tuple, name: "state" });
        } else {
          const sequence_length = tf.reduce_sum(this.input_mask!, 1);
          [lstm_outputs] = tf.nn.dynamic_rnn({
            cell: lstm_cell,
            inputs: this.seq_embeddings,
            sequence_length,
            initial_state,
            dtype: tf.float32,
            parallel_iterations: 1,
            scope: lstm_scope,
          });
        }
      }
      lstm_outputs = tf.reshape(lstm_outputs, [-1, L]);
      const logits = tf.variable_scope("logits", () =>
        tf.layers.dense(lstm_outputs, this.vocab_size, { kernel_initializer: this.initializer, name: "fc" }),
      );
      if (this.mode === "inference") {
        tf.nn.softmax(logits, { name: "softmax" });
        return;
      }
      const targets = tf.reshape(this.target_seqs!, [-1]),
        weights = tf.cast(tf.reshape(this.input_mask!, [-1]), tf.float32);
      const losses = tf.nn.sparse_softmax_cross_entropy_with_logits({ labels: targets, logits });
      const batch_loss = tf.div(tf.reduce_sum(tf.multiply(losses, weights)), tf.reduce_sum(weights), { name: "batch_loss" });
      tf.losses.add_loss(batch_loss);
      this.total_loss = tf.losses.get_total_loss();
      tf.summary.scalar("losses/batch_loss", batch_loss);
      for (const v of tf.trainable_variables()) tf.summary.histogram("parameters/" + v.op.name, v);
      this.target_cross_entropy_losses = losses;
      this.target_cross_entropy_loss_weights = weights;
    }
    setup_global_step() {
      this.global_step = tf.Variable({
        initial_value: 0,
        dtype: tf.int32,
        name: "global_step",
        trainable: false,
        collections: [tf.GraphKeys.GLOBAL_STEP, tf.GraphKeys.GLOBAL_VARIABLES],
      });
    }
    async build() {
      await this.build_inputs();
      this.build_image_embeddings();
      this.build_seq_embeddings();
      this.build_model();
      this.setup_global_step();
      return this;
    }
  }
  {
    using _ = tf.Graph().as_default();
    tf.set_random_seed(12);
    const model = await new ShowAndTellModel("train").build();
    const learning_rate = tf.train.exponential_decay(tf.constant(0.5), model.global_step, {
      decay_steps: 2,
      decay_rate: 0.5,
      staircase: true,
    });
    const optimizer = tf.train.GradientDescentOptimizer(learning_rate);
    const grads = optimizer.compute_gradients(model.total_loss);
    const [clipped, norm] = tf.clip_by_global_norm(
      grads.map(([gr]) => gr),
      0.9,
    );
    const train_op = optimizer.apply_gradients(
      clipped.map((c, i) => [c, grads[i][1]]),
      { global_step: model.global_step },
    );
    const train_tensor = tf.control_dependencies([train_op], () => tf.identity(model.total_loss, { name: "train_op" }));
    const saver = tf.train.Saver({ max_to_keep: 2 });
    show(
      "variables",
      tf.global_variables().map(v => v.name),
    );
    show("kernel", model.kernel_op.type);
    show(
      "runners",
      tf.get_collection(tf.GraphKeys.QUEUE_RUNNERS).map(q => q.name),
    );
    show("nodes", nodes());
    await using sess = tf.Session();
    await sess.run([tf.global_variables_initializer(), tf.local_variables_initializer()]);
    const coord = tf.train.Coordinator();
    const threads = await tf.train.start_queue_runners({ sess, coord });
    let step = 0;
    try {
      for (step of range(20)) {
        if (coord.should_stop()) break;
        const [loss, n, ls, w] = await sess.run([
          train_tensor,
          norm,
          model.target_cross_entropy_losses,
          model.target_cross_entropy_loss_weights,
        ]);
        show("loss", [loss, n]);
        show(
          "losses",
          [...ls.data].map((l, i) => Number(l) * Number(w.data[i])),
        );
        if (step % 4 === 3) await saver.save(sess, join(folder, "model.ckpt"), { global_step: model.global_step });
      }
    } catch (e) {
      if (!(e instanceof tf.errors.OutOfRangeError)) throw e;
      show("end", step);
    } finally {
      coord.request_stop();
    }
    await coord.join(threads, { stop_grace_period_secs: 10 });
  }
  interface Caption {
    sentence: number[];
    state: tf.NDArray;
    logprob: number;
    score: number;
  }
  class TopN {
    _data: Caption[] = [];
    _n: number;
    constructor(n: number) {
      this._n = n;
    }
    size() {
      return this._data.length;
    }
    push(x: Caption) {
      this._data.push(x);
      this._data.sort((a, b) => b.score - a.score);
      this._data.length = Math.min(this._n, this._data.length);
    }
    extract() {
      const data = this._data;
      this._data = [];
      return data;
    }
  }
  {
    using _ = tf.Graph().as_default();
    const model = await new ShowAndTellModel("inference").build(),
      saver = tf.train.Saver();
    show("nodes", nodes());
    const latest = (await tf.train.latest_checkpoint(folder))!;
    show("latest", basename(latest));
    await using sess = tf.Session();
    await saver.restore(sess, latest);
    show("step", await tf.train.global_step(sess, model.global_step));
    sess.graph.finalize();
    const records: Uint8Array[] = [];
    for (const s of range(2))
      for await (const r of tf.python_io.tf_record_iterator(join(folder, `train-0${s}-of-02`), gzip())) records.push(r);
    for (const picture of [1, 4]) {
      const example = tf.train.SequenceExample.FromString(records[picture]);
      const png = example.context.feature["image/data"].bytes_list.value[0];
      const initial_state = await sess.run({ fetches: "lstm/initial_state:0", feed_dict: { "image_feed:0": png } });
      const partial = new TopN(3);
      let complete = new TopN(3);
      partial.push({ sentence: [START], state: initial_state[0], logprob: 0, score: 0 });
      for (const _step of range(5)) {
        const partial_list = partial.extract();
        const [softmax, new_states] = await sess.run({
          fetches: ["softmax:0", "lstm/state:0"],
          feed_dict: { "input_feed:0": partial_list.map(c => c.sentence.at(-1)!), "lstm/state_feed:0": partial_list.map(c => c.state) },
        });
        for (const [i, partial_caption] of partial_list.entries()) {
          const best = [...softmax[i].data].map((p, w) => [w, Number(p)] as const).sort((x, y) => y[1] - x[1]);
          for (const [w, p] of best.slice(0, 3)) {
            if (p < 1e-12) continue;
            const sentence = [...partial_caption.sentence, w],
              logprob = partial_caption.logprob + Math.log(p);
            if (w === END) complete.push({ sentence, state: new_states[i], logprob, score: logprob / sentence.length ** 0.7 });
            else partial.push({ sentence, state: new_states[i], logprob, score: logprob });
          }
        }
        if (partial.size() === 0) break;
      }
      if (!complete.size()) complete = partial;
      for (const c of complete.extract()) show("caption", [...c.sentence, c.logprob, c.score]);
    }
  }
  rmSync(folder, { recursive: true });
}
