// A picture network trained against features of a fixed loss network, then rebuilt in another graph, restored and applied to another size.

import * as tf from "tensorloom";
import { type Data, type Journal, numbers, slice } from "./record.ts";

const [size, batch] = [20, 2];
const styles = ["relu1", "relu2", "relu3"] as const;
type Features = Record<(typeof styles)[number], tf.Tensor>;

const times = (x: number, y: tf.Tensor): tf.Tensor => tf.multiply(x, y, { name: "mul" });
const asFloats = (array: tf.NDArray): tf.NDArray => tf.NDArray.from(numbers(array), "float32", array.shape);
const channelsOf = (x: tf.Tensor): number => x.getShape().dim(3) as number;

/** Named layers of the fixed network. */
function vgg(data: Data, image: tf.Tensor): Features {
  let current = image.sub(tf.constant([123.7, 116.8, 103.9])).div(64);
  const layers: { [name: string]: tf.Tensor } = {};
  for (const k of [1, 2, 3]) {
    const kernel = tf.constant(data[`vgg${k}`]);
    current = tf.nn.conv2d(current, kernel, [1, 1, 1, 1], "SAME");
    current = tf.nn.relu(tf.nn.biasAdd(current, tf.constant(slice(data.vgg_b, 0, kernel.shape.dim(3) as number))));
    layers[`relu${k}`] = current;
    if (k < 3) current = tf.nn.avgPool(current, [1, 2, 2, 1], [1, 2, 2, 1], "SAME");
  }
  return layers as Features;
}

/** The picture network; counts its layers to give each its own seed. */
class Net {
  private layer = 0;

  private weights(x: tf.Tensor, channels: number, width: number, isTransposed = false): tf.Variable {
    this.layer++;
    const shape = isTransposed ? [width, width, channels, channelsOf(x)] : [width, width, channelsOf(x), channels];
    return new tf.Variable(tf.truncatedNormal(shape, { stddev: 0.1, seed: 150 + this.layer }), { dtype: "float32" });
  }

  private instanceNorm(x: tf.Tensor): tf.Tensor {
    const [mu, variance] = tf.nn.moments(x, [1, 2], { keepDims: true });
    const shift = new tf.Variable(tf.zeros([channelsOf(x)]));
    const scale = new tf.Variable(tf.ones([channelsOf(x)]));
    return scale.mul(x.sub(mu)).div(variance.add(1e-3).pow(0.5)).add(shift);
  }

  private conv(x: tf.Tensor, channels: number, width: number, stride: number, isLinear = false): tf.Tensor {
    const y = this.instanceNorm(tf.nn.conv2d(x, this.weights(x, channels, width), [1, stride, stride, 1], "SAME"));
    return isLinear ? y : tf.nn.relu(y);
  }

  private convTranspose(x: tf.Tensor, channels: number, width: number, stride: number): tf.Tensor {
    const w = this.weights(x, channels, width, true);
    const [pictures, rows, columns] = [0, 1, 2, 3].map(k => tf.shape(x).at(k));
    const shape = tf.stack([pictures, rows.mul(stride), columns.mul(stride), channels]);
    const y = tf.nn.conv2dTranspose(x, w, shape, [1, stride, stride, 1], "SAME");
    y.setShape([null, null, null, channels]);
    return tf.nn.relu(this.instanceNorm(y));
  }

  private residual(x: tf.Tensor): tf.Tensor {
    return x.add(this.conv(this.conv(x, channelsOf(x), 3, 1), channelsOf(x), 3, 1, true));
  }

  apply(image: tf.Tensor): tf.Tensor {
    let h = this.conv(image.div(255), 6, 5, 1);
    h = this.conv(h, 8, 3, 2);
    h = this.residual(h);
    h = this.convTranspose(h, 6, 3, 2);
    return tf.nn
      .tanh(this.conv(h, 3, 5, 1, true))
      .mul(150)
      .add(255 / 2);
  }
}

function gram(features: tf.Tensor): tf.Tensor {
  const [pictures, rows, columns, channels] = features.getShape().asList() as number[];
  const flat = tf.reshape(features, [pictures, rows * columns, channels]);
  return tf.matmul(tf.transpose(flat, { perm: [0, 2, 1] }), flat).div(rows * columns * channels);
}

async function gramsOfStyle(data: Data, journal: Journal): Promise<{ [layer: string]: tf.NDArray }> {
  using _ = new tf.Graph().asDefault();
  const image = tf.placeholder("float32", [1, size, size, 3], { name: "style_image" });
  const layers = tf.device("/cpu:0", () => vgg(data, image));
  await using session = new tf.Session();
  const grams: { [layer: string]: tf.NDArray } = {};
  for (const k of styles) {
    grams[k] = await session.run(gram(layers[k]), new Map([[image, asFloats(data.style)]]));
    journal.value(`style gram ${k}`, grams[k]);
  }
  return grams;
}

async function train(data: Data, journal: Journal, grams: { [layer: string]: tf.NDArray }, prefix: string): Promise<void> {
  using _ = new tf.Graph().asDefault();
  const content = tf.placeholder("float32", [batch, size, size, 3], { name: "x_content" });
  const contentFeatures = vgg(data, content).relu2;
  const preds = new Net().apply(content);
  preds.setShape([batch, size, size, 3]);
  const net = vgg(data, preds);
  const count = contentFeatures.getShape().numElements as number;
  const contentLoss = times(15, times(2, tf.nn.l2Loss(net.relu2.sub(contentFeatures))).div(count));
  const styleLosses = styles.map(k => times(2, tf.nn.l2Loss(gram(net[k]).sub(grams[k]))).div(grams[k].size));
  const styleLoss = times(400, tf.addN(styleLosses)).div(batch);
  const yTv = tf.nn.l2Loss(preds.at([null, null], [1, null]).sub(preds.at([null, null], [null, size - 1])));
  const all = [null, null] as const;
  const xTv = tf.nn.l2Loss(preds.at(all, all, [1, null]).sub(preds.at(all, all, [null, size - 1])));
  const tvLoss = times(2e-7 * 2, xTv.add(yTv)).div(batch);
  const check = tf.reduceSum(tf.image.totalVariation(preds));
  const loss = contentLoss.add(styleLoss).add(tvLoss);
  const trainStep = new tf.train.AdamOptimizer(0.006, { epsilon: 1e-2 }).minimize(loss);
  const saver = new tf.train.Saver();
  journal.graph();
  await using session = new tf.Session();
  await session.run(tf.globalVariablesInitializer());
  await journal.initial(session);
  for (let i = 0; i < 14; i++) {
    const at = (i * batch) % 6;
    const feed = new Map([[content, asFloats(slice(data.content, at, at + batch))]]);
    const [c, s, v, l, absolute] = await session.run([contentLoss, styleLoss, tvLoss, loss, check, trainStep], feed);
    journal.step({ loss: l, content_loss: c, style_loss: s, tv_loss: v, total_variation: absolute });
  }
  await journal.final(session);
  await saver.save(session, prefix);
}

async function apply(data: Data, journal: Journal, prefix: string): Promise<void> {
  using _ = new tf.Graph().asDefault();
  const image = tf.placeholder("float32", [null, null, null, 3]);
  const preds = new Net().apply(image);
  await using session = new tf.Session();
  await new tf.train.Saver().restore(session, prefix);
  const picture = asFloats(slice(data.content, 0, 1));
  const rows = picture.toArray() as number[][][][];
  const corner = tf.NDArray.from([rows[0].slice(0, 12).map(row => row.slice(0, 16))], "float32");
  journal.value("picture", await session.run(preds, new Map([[image, corner]])));
  journal.value("as bytes", await session.run(tf.saturateCast(tf.round(preds), "uint8"), new Map([[image, picture]])));
}

export async function main(data: Data, journal: Journal): Promise<void> {
  const prefix = `${journal.folder}/style`;
  await train(data, journal, await gramsOfStyle(data, journal), prefix);
  await apply(data, journal, prefix);
}
