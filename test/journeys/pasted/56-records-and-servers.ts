// Files and servers: CIFAR's fixed records and CSV lines by readers and queues (priorities, conditional accumulators, partial batches), a checkpoint that is
// inspected, renamed and read, a model served through a builder with vocabularies as assets, windows and buckets, sequence columns, tables, rarer metrics:
// its twin in Python line by line.

import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import * as tf from "tensorloom/compat";
import { ints, range, rnd, type Show } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  tf.set_random_seed(61);
  const folder = mkdtempSync(join(tmpdir(), "records-"));
  const vocabulary = join(folder, "words.txt");
  writeFileSync(vocabulary, "a\ncat\nsat\non\nmats\n");
  await readers(show, folder);
  await queues(show);
  await served(show, folder, vocabulary);
  await pipelines(show, folder);
  await columnsAndMetrics(show, vocabulary);
  rmSync(folder, { recursive: true });
}

/** Binary records as CIFAR-10 has them, and lines of CSV. */
async function readers(show: Show, folder: string): Promise<void> {
  const records = range(7).flatMap(i => [i % 3, ...ints(i, 256, 3 * 4 * 4)]);
  writeFileSync(join(folder, "data_batch_1.bin"), Uint8Array.from([..."head"].map(c => c.charCodeAt(0)).concat(records, 116, 108)));
  const kinds = ["setosa", "virginica", '"iris, other"'];
  const rows = rnd(3, 8, 2).toArray() as number[][];
  const text = rows.map(([a, b], i) => `${(a * 5).toFixed(2)},${i % 3 === 1 ? "" : b.toFixed(1)},${kinds[i % 3]}\n`);
  writeFileSync(join(folder, "iris.csv"), `sl,sw,kind\n${text.join("")}`);
  using _ = tf.Graph().as_default();
  tf.set_random_seed(1);
  const names = tf.train.string_input_producer([join(folder, "data_batch_1.bin")], { num_epochs: 2, shuffle: false });
  const reader = tf.FixedLengthRecordReader({ record_bytes: 1 + 48, header_bytes: 4, footer_bytes: 2 });
  const [, value] = reader.read(names);
  const record_bytes = tf.decode_raw(value, tf.uint8),
    label = tf.cast(tf.strided_slice(record_bytes, [0], [1]), tf.int32);
  const depth_major = tf.reshape(tf.strided_slice(record_bytes, [1], [49]), [3, 4, 4]),
    uint8image = tf.transpose(depth_major, [1, 2, 0]);
  const float_image = tf.image.per_image_standardization(tf.cast(uint8image, tf.float32));
  label.set_shape([1]);
  const [images, labels] = tf.train.batch([float_image, label], {
    batch_size: 4,
    num_threads: 1,
    capacity: 12,
    allow_smaller_final_batch: true,
  });
  const lines = tf.TextLineReader({ skip_header_lines: 1 });
  const [, line] = lines.read(tf.train.string_input_producer([join(folder, "iris.csv")], { num_epochs: 1, shuffle: false }));
  const [sl, sw, kind] = tf.decode_csv(line, { record_defaults: [[1.0], [-1.0], ["none"]] });
  const table = tf.train.batch({ sl, sw, kind }, 3, { allow_smaller_final_batch: true });
  const [, whole] = tf.WholeFileReader().read(tf.train.input_producer([join(folder, "iris.csv")], { shuffle: false, num_epochs: 1 }));
  const size = tf.size(tf.string_split([whole], "\n").values);
  await using sess = tf.Session();
  await sess.run([tf.global_variables_initializer(), tf.local_variables_initializer()]);
  const coord = tf.train.Coordinator(),
    threads = await tf.train.start_queue_runners(sess, coord);
  show("whole", await sess.run(size));
  for (const [fetch, name] of [
    [[images.at([], 0, 0), labels], "batch"],
    [[table["kind"], table["sl"], table["sw"]], "csv"],
  ] as const) {
    try {
      while (!coord.should_stop())
        show(
          name,
          (await sess.run(fetch)).map((v: tf.NDArray) => v.toArray()),
        );
    } catch (e) {
      if (!(e instanceof tf.errors.OutOfRangeError)) throw e;
      show("end of " + name, 1.0);
    }
  }
  coord.request_stop();
  await coord.join(threads);
}

async function queues(show: Show): Promise<void> {
  using _ = tf.Graph().as_default();
  tf.set_random_seed(2);
  const urgent = tf.PriorityQueue(20, [tf.string, tf.float32], [[], [2]], { name: "urgent" });
  const put = tf.placeholder(tf.int64, []),
    word = tf.placeholder(tf.string, []);
  const enqueue = urgent.enqueue([put, word, tf.fill([2], tf.cast(put, tf.float32))]);
  const pop: tf.Fetches = urgent.dequeue(),
    many: tf.Fetches = urgent.dequeue_many(2),
    left = urgent.size(),
    close = urgent.close();
  const mixed = tf.RandomShuffleQueue(20, 2, [tf.int32], [[]], { seed: 5, name: "mixed" });
  const fill = mixed.enqueue_many([tf.range(12)]),
    drawn = mixed.dequeue_many(5),
    up_to = mixed.dequeue_up_to(20),
    end = mixed.close({ cancel_pending_enqueues: true });
  const pads = tf.PaddingFIFOQueue(10, [tf.float32], [[null, 2]]),
    plan = [1, 3, 2].map(k => pads.enqueue([tf.ones([k, 2]).mul(k)])),
    padded = pads.dequeue_many(3);
  const acc = tf.ConditionalAccumulator(tf.float32, { shape: [2], name: "acc" });
  const local_step = tf.placeholder(tf.int64, []),
    grad = tf.placeholder(tf.float32, [2]);
  const push = acc.apply_grad(grad, { local_step }),
    mean = acc.take_grad(2),
    advance = acc.set_global_step(3),
    count = acc.num_accumulated();
  const sacc = tf.SparseConditionalAccumulator(tf.float32, { shape: [4, 2], name: "sacc" });
  const rows = tf.IndexedSlices(
    tf.constant([
      [1.0, 2.0],
      [3.0, 4.0],
    ]),
    tf.constant([0, 3], tf.int64),
    tf.constant([4, 2], tf.int64),
  );
  const spush = [sacc.apply_indexed_slices_grad(rows), sacc.apply_grad([1, 3], tf.ones([2, 2]))],
    smean = sacc.take_indexed_slices_grad(2);
  await using sess = tf.Session();
  await sess.run(tf.global_variables_initializer());
  for (const [p, t] of [
    [5, "later"],
    [1, "first"],
    [3, "middle"],
    [3, "tied"],
  ] as const)
    await sess.run(enqueue, [
      [put, p],
      [word, t],
    ]);
  show(
    "pop",
    (await sess.run(pop)).map((v: tf.NDArray) => v.toArray()),
  );
  show(
    "many",
    (await sess.run(many)).map((v: tf.NDArray) => v.toArray()),
  );
  show("left", await sess.run(left));
  await sess.run(close);
  await sess.run(fill);
  show("drawn", await sess.run(drawn));
  await sess.run(end);
  show("rest", await sess.run(up_to));
  for (const one of plan) await sess.run(one);
  show("padded", await sess.run(padded));
  for (const [s, g] of [
    [0, [1, 2]],
    [0, [3, 6]],
  ] as const)
    await sess.run(push, [
      [local_step, s],
      [grad, g],
    ]);
  show("mean", await sess.run([count, mean]));
  await sess.run(advance);
  await sess.run(push, [
    [local_step, 1],
    [grad, [9, 9]],
  ]);
  show("stale", await sess.run(count));
  await sess.run(spush);
  const slices = await sess.run(smean);
  show("sparse", [slices.values, slices.indices, slices.dense_shape]);
}

/** Checkpoints: inspected, renamed, read by another model, and served. */
async function served(show: Show, folder: string, vocabulary: string): Promise<void> {
  function model(sentences: tf.Tensor, scope = "old") {
    const { WHOLE_LINE, LINE_NUMBER } = tf.lookup.TextFileIndex;
    const lines = tf.lookup.TextFileInitializer(vocabulary, tf.string, WHOLE_LINE, tf.int64, LINE_NUMBER);
    const table = tf.lookup.StaticVocabularyTable(lines, 2);
    const words = tf.string_split(tf.strings.lower(tf.strings.strip(sentences)));
    const ids = tf.SparseTensor(words.indices, table.lookup(words.values), words.dense_shape);
    using _ = tf.variable_scope(scope, { partitioner: null });
    const embedding = tf.get_variable("embedding", [7, 3], { initializer: tf.random_normal_initializer({ seed: 4 }) });
    const bag = tf.nn.safe_embedding_lookup_sparse(embedding, ids, { combiner: "sqrtn", default_id: 0 });
    return tf.layers.dense(bag, 2, { name: "scores", kernel_initializer: tf.glorot_uniform_initializer({ seed: 5 }) });
  }
  const run = join(folder, "run");
  {
    using _ = tf.Graph().as_default();
    const text = tf.placeholder(tf.string, [null], { name: "text" }),
      logits = model(text),
      target = tf.placeholder(tf.int32, [null]);
    const loss = tf.losses.sparse_softmax_cross_entropy(target, logits),
      gs = tf.train.create_global_step(),
      step = tf.train.AdagradOptimizer(0.3).minimize(loss, gs);
    const f: tf.Feeds = [
      [text, [" A cat", "sat on dogs", "", "Mats"]],
      [target, [0, 1, 1, 0]],
    ];
    class Listener extends tf.train.CheckpointSaverListener {
      seen: string[] = [];
      override begin() {
        this.seen.push("begin");
      }
      before_save(_session: tf.Session, global_step_value: number) {
        this.seen.push(`before ${global_step_value}`);
      }
      after_save(_session: tf.Session, global_step_value: number) {
        this.seen.push(`after ${global_step_value}`);
      }
      override end(_session: tf.Session, global_step_value: number) {
        this.seen.push(`end ${global_step_value}`);
      }
    }
    const listener = new Listener();
    const scaffold = tf.train.Scaffold({ saver: tf.train.Saver({ max_to_keep: 2, keep_checkpoint_every_n_hours: 1 }) });
    const hook = tf.train.CheckpointSaverHook(run, { save_steps: 2, scaffold, listeners: [listener] });
    {
      await using sess = await tf.train.MonitoredSession({
        session_creator: tf.train.ChiefSessionCreator(scaffold, { checkpoint_dir: run }),
        hooks: [hook, tf.train.StopAtStepHook({ num_steps: 5 }), tf.train.StepCounterHook({ every_n_steps: 100, output_dir: run })],
      });
      while (!sess.should_stop()) show("loss", (await sess.run([loss, step], f))[0]);
    }
    show("listener", listener.seen);
  }
  const latest = (await tf.train.latest_checkpoint(run))!;
  show("latest", basename(latest));
  show("exists", [await tf.train.checkpoint_exists(latest), await tf.train.checkpoint_exists(latest + "0")]);
  show(
    "listed",
    (await tf.train.list_variables(latest)).map(([name, shape]) => `${name} [${shape.join(", ")}]`),
  );
  show("loaded", await tf.train.load_variable(latest, "old/embedding"));
  const reader = await tf.train.NewCheckpointReader(latest);
  show("types", [...reader.get_variable_to_dtype_map()].map(([k, v]) => `${k} ${v}`).sort());
  show("has", Number(reader.has_tensor("old/scores/bias/Adagrad")));
  const state = (await tf.train.get_checkpoint_state(run))!;
  show(
    "state",
    state.all_model_checkpoint_paths.map(p => basename(p)),
  );
  const out = join(folder, "served", "1"),
    moved = join(folder, "moved");
  const { SERVING } = tf.saved_model.tag_constants,
    { PREDICT_METHOD_NAME, DEFAULT_SERVING_SIGNATURE_DEF_KEY } = tf.saved_model.signature_constants;
  {
    using _ = tf.Graph().as_default();
    const text = tf.placeholder(tf.string, [null], { name: "text" }),
      logits = model(text, "new");
    await tf.train.init_from_checkpoint(latest, { "old/": "new/" });
    const probs = tf.nn.softmax(logits, { name: "probs" }),
      [values, indices] = tf.nn.top_k(probs, 2),
      classes = tf.gather(tf.constant(["no", "yes"]), indices);
    const builder = tf.saved_model.builder.SavedModelBuilder(out);
    const info = tf.saved_model.utils.build_tensor_info;
    await using sess = tf.Session();
    await sess.run([tf.global_variables_initializer(), tf.tables_initializer()]);
    show(
      "want",
      (await sess.run([probs, classes], [[text, ["a cat sat", "DOGS"]]])).map(v => v.toArray()),
    );
    const predict = tf.saved_model.signature_def_utils.build_signature_def({
      inputs: { text: info(text) },
      outputs: { probs: info(probs) },
      method_name: PREDICT_METHOD_NAME,
    });
    const classify = tf.saved_model.signature_def_utils.classification_signature_def(text, classes, values);
    await builder.add_meta_graph_and_variables(sess, [SERVING], {
      signature_def_map: {
        predict_text: predict,
        [DEFAULT_SERVING_SIGNATURE_DEF_KEY]: classify,
      },
      assets_collection: tf.get_collection(tf.GraphKeys.ASSET_FILEPATHS),
      main_op: tf.tables_initializer(),
      strip_default_attrs: true,
    });
    await builder.save();
    await tf.saved_model.simple_save(sess, join(folder, "served", "2"), { text }, { probs });
  }
  {
    using _ = tf.Graph().as_default();
    await using sess = tf.Session();
    renameSync(out, moved);
    const meta = await tf.saved_model.loader.load(sess, [SERVING], moved);
    show(
      "signatures",
      [...meta.signature_def.keys()]
        .map(
          k =>
            `${k} ${meta.signature_def[k].method_name} [${[...meta.signature_def[k].outputs.keys()]
              .sort()
              .map(o => `'${o}'`)
              .join(", ")}]`,
        )
        .sort(),
    );
    const sig = meta.signature_def["predict_text"];
    const input = sig.inputs["text"].name!;
    show("served", await sess.run(sig.outputs["probs"].name, { [input]: ["a cat sat", "DOGS"] }));
    show("assets", readdirSync(join(moved, "assets")).sort());
  }
  {
    using _ = tf.Graph().as_default();
    await using sess = tf.Session();
    const meta = await tf.saved_model.load(sess, ["serve"], join(folder, "served", "2"));
    show("simple", await sess.run("probs:0", { "text:0": ["mats"] }));
    show("key", [...meta.signature_def.keys()]);
  }
}

/** A pipeline with windows by key, an iterator read in two ways. */
async function pipelines(show: Show, folder: string): Promise<void> {
  using _ = tf.Graph().as_default();
  const ds = tf.data.Dataset.range(14).map((i: tf.Tensor) => ({ x: tf.cast(i, tf.float32).div(2), key: i.mod(3) }));
  const windows = ds.apply(
    tf.data.experimental.group_by_window(
      (e: { key: tf.Tensor }) => e["key"],
      (_k: tf.Tensor, d: tf.data.Dataset) => d.batch(3),
      { window_size: 3 },
    ),
  );
  const it = windows.make_initializable_iterator(),
    nxt = it.get_next();
  const opt = tf.data.experimental.get_next_as_optional(it),
    has = opt.has_value();
  const lengths = tf.data.Dataset.from_tensor_slices(tf.constant([3, 1, 4, 1, 5, 2, 6], tf.int32))
    .map((n: tf.Tensor) => tf.range(n))
    .apply(tf.data.experimental.bucket_by_sequence_length(tf.size, [3, 5], [2, 2, 1]));
  const lnext = lengths.make_one_shot_iterator().get_next();
  const pick = tf.data.experimental
    .choose_from_datasets(
      ["a", "b", "c"].map(a => tf.data.Dataset.from_tensors(a).repeat()),
      tf.data.Dataset.range(3).repeat(2),
    )
    .make_one_shot_iterator()
    .get_next();
  const total = tf.data.experimental.get_single_element(tf.data.Dataset.range(6).batch(6));
  const csv = tf.data.experimental
    .CsvDataset(join(folder, "iris.csv"), [tf.float32, tf.constant([-1.0]), tf.string], { header: true, select_cols: [0, 1, 2] })
    .take(2)
    .make_one_shot_iterator()
    .get_next();
  await using sess = tf.Session();
  await sess.run([it.initializer, tf.global_variables_initializer()]);
  const first = await sess.run(nxt);
  const second = await sess.run(nxt);
  show("windows", [first["x"], first["key"], second["x"]]);
  const again = await sess.run(nxt);
  show("again", [again["x"], again["key"]]);
  while ((await sess.run(has)).item()) show("optional", 1.0);
  for (const _ of range(4)) show("bucket", await sess.run(lnext));
  const picked: string[] = [];
  for (const _ of range(6)) picked.push((await sess.run(pick)).item());
  show("picked", picked);
  show("total", await sess.run(total));
  for (const _ of range(2))
    show(
      "csv row",
      (await sess.run(csv)).map((v: tf.NDArray) => v.toArray()),
    );
}

/** Sequence columns, tables that change, metrics at the end. */
async function columnsAndMetrics(show: Show, vocabulary: string): Promise<void> {
  using _ = tf.Graph().as_default();
  tf.set_random_seed(9);
  const fc = tf.feature_column;
  const cat = fc.sequence_categorical_column_with_vocabulary_file("w", vocabulary, { vocabulary_size: 5, num_oov_buckets: 1 });
  const columns = [
    fc.embedding_column(cat, 3, { initializer: tf.random_normal_initializer({ seed: 2 }) }),
    fc.sequence_numeric_column("p", { normalizer_fn: (t: tf.Tensor) => t.mul(2.0) }),
  ];
  const hashed = fc.sequence_categorical_column_with_hash_bucket("w", 4),
    ind = fc.indicator_column(hashed);
  show(
    "column",
    [...columns, ind].map(c => c.name),
  );
  const table = tf.lookup.experimental.DenseHashTable(tf.int64, tf.float32, -1.0, { empty_key: -1, deleted_key: -2 });
  const ins = table.insert(tf.constant([1, 5], tf.int64), [0.5, 2.5]),
    got = table.lookup(tf.constant([5, 2, 1], tf.int64));
  const mt = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1);
  const mins = mt.insert(["x", "y"], tf.constant([3, 4], tf.int64)),
    exported = mt.export();
  const labels = tf.constant([1, 0, 1, 1, 0, 0], tf.int32),
    preds = tf.constant([0.9, 0.4, 0.35, 0.8, 0.6, 0.1]);
  const guesses = [
    [0.1, 0.6, 0.3],
    [0.5, 0.3, 0.2],
  ];
  const unit = (t: tf.Tensor) => tf.nn.l2_normalize(t.at(null), 1);
  const m = [
    tf.metrics.sensitivity_at_specificity(labels, preds, 0.6),
    tf.metrics.specificity_at_sensitivity(labels, preds, 0.6),
    tf.metrics.precision_at_thresholds(labels, preds, [0.3, 0.7]),
    tf.metrics.false_negatives_at_thresholds(labels, preds, [0.5]),
    tf.metrics.mean_cosine_distance(unit(preds), unit(tf.to_float(labels)), 1),
    tf.metrics.percentage_below(preds, 0.5),
    tf.metrics.mean_relative_error(tf.to_float(labels), preds, preds),
    tf.metrics.mean_tensor(tf.stack([preds, preds.mul(2)])),
    tf.metrics.recall_at_k(tf.constant([[1], [2]], tf.int64), guesses, 2),
    tf.metrics.average_precision_at_k(
      tf.constant(
        [
          [1, 2],
          [2, 0],
        ],
        tf.int64,
      ),
      guesses,
      2,
    ),
    tf.metrics.root_mean_squared_error(tf.to_float(labels), preds),
    tf.metrics.auc(labels, preds, { curve: "PR", num_thresholds: 20, summation_method: "careful_interpolation" }),
  ];
  await using sess = tf.Session();
  await sess.run([tf.tables_initializer(), tf.local_variables_initializer()]);
  await sess.run([ins, mins]);
  show("tables", await sess.run(got));
  const [, v] = await sess.run(exported);
  show("exported", [...v.data].map(Number).sort());
  await sess.run(m.map(([, u]) => u));
  show("metrics", await sess.run(m.map(([a]) => a)));
}
