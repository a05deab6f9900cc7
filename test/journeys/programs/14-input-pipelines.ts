// tf.data with its three kinds of iterator, and the queues that came before: which elements arrive in which step, and how the end is told.

import * as tf from "tensorloom";
import { type Data, type Journal, range, slice } from "./record.ts";

/** Everything a tensor gives until it says OutOfRange. */
async function drain(session: tf.Session, tensor: tf.Tensor, limit = 100): Promise<unknown[]> {
  const rows: unknown[] = [];
  try {
    while (rows.length < limit) rows.push((await session.run(tensor)).toArray());
  } catch (error) {
    if (!(error instanceof tf.errors.OutOfRangeError)) throw error;
    rows.push("end");
  }
  return rows;
}

/** Python's text of a partly known shape. */
const shapeText = (shape: tf.TensorShape): string => {
  const sizes = shape.asList().map(size => (size === null ? "?" : String(size)));
  return `(${sizes.join(", ")}${sizes.length === 1 ? "," : ""})`;
};

async function oneShot(data: Data, journal: Journal): Promise<void> {
  const { Dataset } = tf.data;
  const numbers = Dataset.fromTensorSlices(data.numbers);
  const isOneOfThree = (n: tf.Tensor): tf.Tensor => tf.equal(n.mod(3), 1);
  const pairs = Dataset.zip([numbers.take(4), Dataset.range(10, 20, 3)]);
  const lists = function* (): Generator<number[]> {
    yield* [
      [1, 2],
      [3, 4],
      [5, 6],
    ];
  };
  const chains = {
    plain: numbers,
    batch: numbers.batch(5),
    "batch, drop remainder": numbers.batch(5, { dropRemainder: true }),
    repeat: numbers.take(3).repeat(2),
    "shuffle 4": numbers.shuffle(4, { seed: 141 }),
    "shuffle all, repeat": numbers.shuffle(12, { seed: 142 }).repeat(2),
    "shuffle once, repeat": numbers.shuffle(12, { seed: 143, reshuffleEachIteration: false }).repeat(2),
    "repeat, shuffle": numbers.repeat(2).shuffle(6, { seed: 144 }),
    "map, filter": numbers.map((n: tf.Tensor) => n.mul(n)).filter(isOneOfThree),
    "skip, prefetch": numbers.skip(9).prefetch(2),
    "flat map": numbers.take(4).flatMap((n: tf.Tensor) => Dataset.range(tf.cast(n, "int64"))),
    zip: pairs.map((a: tf.Tensor, b: tf.Tensor) => tf.cast(a, "int64").add(b)),
    padded: numbers
      .take(5)
      .map((n: tf.Tensor) => tf.range(n))
      .paddedBatch(3, [null]),
    generator: Dataset.fromGenerator(lists, "int32", new tf.TensorShape([2])),
    "concatenate, window": numbers
      .take(2)
      .concatenate(numbers.skip(10))
      .window(2)
      .flatMap((w: tf.data.Dataset) => w.batch(2)),
    "cache, interleave": numbers
      .take(3)
      .cache()
      .interleave((n: tf.Tensor) => Dataset.fromTensors(n).repeat(3), { cycleLength: 2, blockLength: 2 }),
  };
  const generator = tf.data.makeInitializableIterator(chains.generator);
  const pulls = Object.entries(chains).map(([name, dataset]): [string, tf.Tensor] => {
    const iterator = name === "generator" ? generator : tf.data.makeOneShotIterator(dataset);
    return [name, iterator.getNext()];
  });
  const described = Object.entries(chains).map(([name, dataset]) => [
    name,
    `<dtype: '${tf.data.getOutputTypes(dataset)}'>`,
    shapeText(tf.data.getOutputShapes(dataset)),
  ]);
  journal.value("types and shapes", described);
  await using session = new tf.Session();
  await session.run(generator.initializer);
  for (const [name, pull] of pulls) journal.value(name, await drain(session, pull));
}

function regression(x: tf.Tensor, y: tf.Tensor, seed: number): { loss: tf.Tensor; train: tf.Operation } {
  const { w, b } = tf.variableScope("regression", { reuse: tf.AUTO_REUSE }, () => ({
    w: tf.getVariable("w", [3, 1], { initializer: tf.randomNormalInitializer({ seed }) }),
    b: tf.getVariable("b", [1], { initializer: tf.zerosInitializer() }),
  }));
  const loss = tf.reduceMean(tf.squaredDifference(tf.matmul(x, w).add(b), y));
  return { loss, train: new tf.train.GradientDescentOptimizer(0.1).minimize(loss) as tf.Operation };
}

/** Features and labels are placeholders; each epoch initializes the iterator again. */
async function initializable(data: Data, journal: Journal): Promise<void> {
  const [features, labels] = [tf.placeholder("float32", [null, 3]), tf.placeholder("float32", [null, 1])];
  const dataset = tf.data.Dataset.fromTensorSlices([features, labels]).shuffle(24, { seed: 145 }).batch(8);
  const iterator = tf.data.makeInitializableIterator(dataset);
  const [x, y] = iterator.getNext() as [tf.Tensor, tf.Tensor];
  const { loss, train } = regression(x, y, 146);
  journal.graph("initializable");
  await using session = new tf.Session();
  await session.run(tf.globalVariablesInitializer());
  await journal.initial(session, "initializable");
  try {
    await session.run(loss);
  } catch (error) {
    if (error instanceof tf.errors.FailedPreconditionError) journal.value("before initialization", error.name);
  }
  for (let epoch = 0; epoch < 4; epoch++) {
    await session.run(
      iterator.initializer,
      new Map([
        [features, data.x],
        [labels, data.y],
      ]),
    );
    try {
      for (;;) journal.step({ initializable_loss: (await session.run([loss, train]))[0] });
    } catch (error) {
      if (!(error instanceof tf.errors.OutOfRangeError)) throw error;
    }
  }
  await journal.final(session, "initializable");
}

/** One iterator, two datasets: training and validation. */
async function reinitializable(data: Data, journal: Journal): Promise<void> {
  const { Dataset, Iterator } = tf.data;
  const split = (a: number, b: number) => Dataset.fromTensorSlices({ x: slice(data.x, a, b), y: slice(data.y, a, b) });
  const [training, validation] = [split(0, 16).repeat().batch(4), split(16, 24).batch(8)];
  const iterator = Iterator.fromStructure(tf.data.getOutputTypes(training), tf.data.getOutputShapes(training));
  const element = iterator.getNext() as { x: tf.Tensor; y: tf.Tensor };
  const { loss, train } = regression(element.x, element.y, 147);
  const [toTraining, toValidation] = [iterator.makeInitializer(training), iterator.makeInitializer(validation)];
  const handle = tf.placeholder("string", []);
  const feedable = Iterator.fromStringHandle(handle, tf.data.getOutputTypes(validation), tf.data.getOutputShapes(validation));
  const fedSize = tf.shape((feedable.getNext() as { x: tf.Tensor }).x).at(0);
  const other = tf.data.makeOneShotIterator(validation);
  await using session = new tf.Session();
  await session.run(tf.globalVariablesInitializer());
  await journal.initial(session, "reinitializable");
  for (let round = 0; round < 3; round++) {
    await session.run(toTraining);
    for (let i = 0; i < 6; i++) journal.step({ training_loss: (await session.run([loss, train]))[0] });
    await session.run(toValidation);
    journal.step({ validation_loss: await session.run(loss) });
  }
  const named = await session.run(other.stringHandle());
  journal.value("by handle", await session.run(fedSize, new Map([[handle, named]])));
  await journal.final(session, "reinitializable");
}

/** Examples written to a file, read back as a dataset, parsed in a map. */
async function records(data: Data, journal: Journal): Promise<void> {
  const path = `${journal.folder}/examples.tfrecord`;
  {
    const writer = new tf.pythonIo.TFRecordWriter(path);
    const { Example, Features, Feature, FloatList, Int64List, BytesList } = tf.train;
    for (const k of range(0, 10)) {
      const x = [0, 1, 2].map(i => Number(data.x.get(3 * k + i)));
      const feature = {
        x: new Feature({ floatList: new FloatList({ value: x }) }),
        id: new Feature({ int64List: new Int64List({ value: [BigInt(k)] }) }),
        name: new Feature({ bytesList: new BytesList({ value: [new TextEncoder().encode(`row${k}`)] }) }),
        tags: new Feature({ int64List: new Int64List({ value: range(0, k % 3).map(BigInt) }) }),
      };
      await writer.write(new Example({ features: new Features({ feature }) }).SerializeToString());
    }
    await writer.close();
  }
  const sizes: number[] = [];
  for await (const raw of tf.pythonIo.tfRecordIterator(path)) sizes.push(raw.length);
  journal.value("records", sizes);
  const parse = (raw: tf.Tensor): tf.Tensor[] => {
    const parsed = tf.parseSingleExample(raw, {
      x: new tf.FixedLenFeature([3], "float32"),
      id: new tf.FixedLenFeature([], "int64"),
      name: new tf.FixedLenFeature([], "string", { defaultValue: "" }),
      tags: new tf.VarLenFeature("int64"),
      absent: new tf.FixedLenFeature([], "float32", { defaultValue: -1 }),
    }) as { [name: string]: tf.Tensor } & { tags: tf.SparseTensor };
    return [parsed.x, parsed.id, parsed.name, tf.sparseTensorToDense(parsed.tags), parsed.absent];
  };
  const dataset = new tf.data.TFRecordDataset(path).map(parse, { numParallelCalls: 1 }).paddedBatch(4, [[3], [], [], [null], []]);
  const [x, ...others] = tf.data.makeOneShotIterator(dataset).getNext() as tf.Tensor[];
  await using session = new tf.Session();
  for (const k of [0, 1, 2]) {
    const [values, ...rest] = await session.run([x, ...others]);
    const texts = (array: tf.NDArray): unknown =>
      array.dtype === "string" ? range(0, array.size).map(i => new TextDecoder().decode(array.get(i) as Uint8Array)) : array;
    journal.value(`parsed ${k}`, rest.map(texts));
    journal.value(`parsed x ${k}`, values);
  }
}

/** sliceInputProducer and train.batch behind a coordinator; the end comes as OutOfRange through the queue. */
async function queues(data: Data, journal: Journal): Promise<void> {
  const [x, y] = tf.train.sliceInputProducer([data.x, data.y], { numEpochs: 3, shuffle: false, capacity: 8 });
  const [xBatch, yBatch] = tf.train.batch([x, y], 6, { numThreads: 1, capacity: 12 });
  const { loss, train } = regression(xBatch, yBatch, 148);
  const [number] = tf.train.sliceInputProducer([tf.constant(data.numbers)], { numEpochs: 2, shuffle: true, seed: 149 });
  const shuffled = tf.train.batch([number], 5, { numThreads: 1, allowSmallerFinalBatch: true });
  journal.graph("queues");
  await using session = new tf.Session();
  await session.run([tf.globalVariablesInitializer(), tf.localVariablesInitializer()]);
  await journal.initial(session, "queues");
  const coord = new tf.train.Coordinator();
  const threads = tf.train.startQueueRunners({ sess: session, coord });
  try {
    while (!coord.shouldStop()) journal.step({ queue_loss: (await session.run([loss, train]))[0] });
  } catch (error) {
    if (!(error instanceof tf.errors.OutOfRangeError)) throw error;
    journal.value("queue ended", true);
  }
  journal.value("shuffled by queue", await drain(session, shuffled));
  coord.requestStop();
  await coord.join(threads);
  await journal.final(session, "queues");
}

async function bareQueue(_data: Data, journal: Journal): Promise<void> {
  const queue = new tf.FIFOQueue(4, ["int32", "float32"], { shapes: [[], [2]], name: "q" });
  const pairs = [
    [1, 2],
    [3, 4],
    [5, 6],
  ];
  const put = queue.enqueueMany([tf.constant([1, 2, 3], { dtype: "int32" }), pairs]);
  const [number, pair] = queue.dequeue();
  const [size, close] = [queue.size(), queue.close()];
  const paddings = new tf.PaddingFIFOQueue(4, ["int32"], [[null]]);
  const ragged = tf.group(paddings.enqueue([[1, 2, 3]]));
  const short = paddings.enqueue([[9]]);
  const both = paddings.dequeueMany(2);
  await using session = new tf.Session();
  await session.run(put);
  const rows: unknown[] = [Number((await session.run(size)).item())];
  for (let i = 0; i < 2; i++) {
    const [n, p] = await session.run([number, pair]);
    rows.push([Number(n.item()), p.toArray()]);
  }
  await session.run(close);
  rows.push(await drain(session, number));
  journal.value("fifo", rows);
  await session.run(ragged);
  await session.run(short);
  journal.value("padded queue", (await session.run(both as tf.Tensor)).toArray());
}

export async function main(data: Data, journal: Journal): Promise<void> {
  for (const part of [oneShot, initializable, reinitializable, records, queues, bareQueue]) {
    using _ = new tf.Graph().asDefault();
    await part(data, journal);
  }
}
