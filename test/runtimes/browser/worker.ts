// Trains a small convolutional net in a module worker, as a page would: the library is imported by its public name.
// The task is to tell vertical bars from horizontal ones; the answers go back to main.ts.
import * as tf from "tensorloom";

const side = 8;
const examples = 64;

/** Bars of brightness 1: the even examples stand, the odd ones lie. */
function bars(): { images: Float32Array; labels: number[] } {
  const images = new Float32Array(examples * side * side);
  const labels: number[] = [];
  for (let n = 0; n < examples; n++) {
    const label = n % 2;
    const place = (n >> 1) % side;
    for (let i = 0; i < side; i++) images[n * side * side + (label === 0 ? i * side + place : place * side + i)] = 1;
    labels.push(label);
  }
  return { images, labels };
}

function model() {
  const images = tf.placeholder(tf.float32, [null, side, side, 1], { name: "images" });
  const labels = tf.placeholder(tf.int64, [null], { name: "labels" });
  const filter = new tf.Variable(tf.truncatedNormal([3, 3, 1, 4], { stddev: 0.5, seed: 1 }), { name: "filter" });
  const bias = new tf.Variable(tf.fill([4], 0.1), { name: "bias" });
  const features = tf.nn.relu(tf.nn.conv2d(images, filter, [1, 1, 1, 1], "SAME").add(bias));
  const pooled = tf.nn.maxPool(features, [1, 2, 2, 1], [1, 2, 2, 1], "SAME");
  const flat = tf.reshape(pooled, [-1, (side / 2) ** 2 * 4]);
  const dense = new tf.Variable(tf.truncatedNormal([(side / 2) ** 2 * 4, 2], { stddev: 0.1, seed: 2 }), { name: "dense" });
  const logits = tf.matmul(flat, dense);
  const loss = tf.reduceMean(tf.nn.sparseSoftmaxCrossEntropyWithLogits({ labels, logits }));
  const correct = tf.equal(tf.argmax(logits, 1), labels);
  const accuracy = tf.reduceMean(tf.cast(correct, tf.float32));
  return { images, labels, loss, accuracy, train: new tf.train.AdamOptimizer(0.01).minimize(loss) };
}

async function train(): Promise<{ first: number; last: number; accuracy: number }> {
  const { images, labels, loss, accuracy, train } = model();
  const data = bars();
  const session = new tf.Session();
  await session.run(tf.globalVariablesInitializer());
  const feeds = new Map<tf.FeedKey, tf.ArrayLike>([
    [images, new tf.NDArray("float32", [examples, side, side, 1], data.images)],
    [labels, data.labels],
  ]);
  const [first] = await session.run([loss], feeds);
  for (let step = 0; step < 150; step++) await session.run(train, feeds);
  const [last, right] = await session.run([loss, accuracy], feeds);
  await session.close();
  return { first: first.item(), last: last.item(), accuracy: right.item() };
}

/** A product large enough to be shared, several times: workers come while it runs. */
async function multiply(): Promise<{ threads: number; sharedPhases: number; products: number[] }> {
  const graph = new tf.Graph();
  const total = graph.asDefault(() =>
    tf.reduceSum(tf.matmul(tf.fill([384, 512], 2), tf.add(tf.placeholder(tf.float32, [512, 384], { name: "x" }), 1))),
  );
  const session = new tf.Session({ graph, config: { intraOpParallelismThreads: 2 } });
  const feeds = { "x:0": new tf.NDArray("float32", [512, 384], new Float32Array(512 * 384)) };
  const { threads, sharedPhases } = await session.counts(total, feeds);
  const products: number[] = [];
  for (let i = 0; i < 20; i++) {
    products.push((await session.run(total, feeds)).item() as number);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  await session.close();
  return { threads, sharedPhases, products };
}

async function trainAndMultiply() {
  return { ...(await train()), ...(await multiply()) };
}

trainAndMultiply().then(
  result => postMessage({ result }),
  error => postMessage({ error: String(error?.stack ?? error) }),
);
