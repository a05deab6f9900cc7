// A single-shot detector: boxes matched to anchors in a while loop inside a map, hard negatives, non-max suppression, average precision.

import * as tf from "tensorloom";
import { type Data, type Journal, range, rowsOf, slice } from "./record.ts";

const [size, grid, classes, maxBoxes] = [24, 6, 3, 3];

const times = (x: number, y: tf.Tensor): tf.Tensor => tf.multiply(x, y, { name: "mul" });
const column = (x: tf.Tensor, i: number): tf.Tensor => x.at([null, null], i);
/** `x[a:b]` on the second axis. */
const columns = (x: tf.Tensor, from: number, to: number | null): tf.Tensor => x.at([null, null], [from, to]);

function conv(x: tf.Tensor, channels: number, name: string, seed: number, { stride = 1, isLinear = false } = {}): tf.Tensor {
  return tf.variableScope(name, () => {
    const w = tf.getVariable("weights", [3, 3, x.shape.dim(-1), channels], {
      initializer: tf.varianceScalingInitializer({ scale: 2, seed }),
      regularizer: v => times(5e-4, tf.nn.l2Loss(v)),
    });
    const b = tf.getVariable("biases", [channels], { initializer: tf.zerosInitializer() });
    const y = tf.nn.conv2d(x, w, [1, stride, stride, 1], "SAME").add(b);
    return isLinear ? y : tf.nn.relu(y);
  });
}

function network(images: tf.Tensor, anchors: number): { locations: tf.Tensor; logits: tf.Tensor } {
  return tf.variableScope("ssd", () => {
    let h = conv(images, 12, "conv1", 121);
    h = tf.nn.maxPool(h, [1, 2, 2, 1], [1, 2, 2, 1], "SAME");
    h = conv(h, 16, "conv2", 122, { stride: 2 });
    h = tf.nn.l2Normalize(h, 3).mul(tf.getVariable("scale", [16], { initializer: tf.constantInitializer(8) }));
    const locations = tf.reshape(conv(h, anchors * 4, "box", 123, { isLinear: true }), [-1, grid * grid * anchors, 4]);
    const logits = tf.reshape(conv(h, anchors * classes, "class", 124, { isLinear: true }), [-1, grid * grid * anchors, classes]);
    return { locations, logits };
  });
}

/** For each anchor the class and the offsets of the true box that overlaps it most, one box after the other. */
function encode(anchors: tf.Tensor, boxes: tf.Tensor, labels: tf.Tensor): [tf.Tensor, tf.Tensor, tf.Tensor] {
  const [ycenter, xcenter, height, width] = tf.unstack(anchors, { axis: 1 });
  const [ymin, xmin] = [ycenter.sub(height.div(2)), xcenter.sub(width.div(2))];
  const [ymax, xmax] = [ycenter.add(height.div(2)), xcenter.add(width.div(2))];
  const volume = height.mul(width);
  const overlap = (box: tf.Tensor): tf.Tensor => {
    const rows = tf.maximum(tf.minimum(ymax, box.at(2)).sub(tf.maximum(ymin, box.at(0))), 0);
    const inner = rows.mul(tf.maximum(tf.minimum(xmax, box.at(3)).sub(tf.maximum(xmin, box.at(1))), 0));
    return tf.div(
      inner,
      volume.sub(inner).add(
        box
          .at(2)
          .sub(box.at(0))
          .mul(box.at(3).sub(box.at(1))),
      ),
    );
  };
  const condition = (i: tf.Tensor): tf.Tensor =>
    tf.logicalAnd(tf.less(i, tf.shape(labels).at(0)), tf.greater(labels.at(tf.minimum(i, maxBoxes - 1)), 0));
  const body = (i: tf.Tensor, kinds: tf.Tensor, scores: tf.Tensor, matched: tf.Tensor): tf.Tensor[] => {
    const jaccard = overlap(boxes.at(i));
    const better = tf.logicalAnd(tf.greater(jaccard, scores), tf.greater(jaccard, 0.3));
    const kindsNow = tf.where(better, tf.fill(tf.shape(kinds), labels.at(i)), kinds);
    const matchedNow = tf.where(better, tf.tile(boxes.at(i).at(tf.newaxis), [tf.shape(scores).at(0), 1]), matched);
    return [i.add(1), kindsNow, tf.where(better, jaccard, scores), matchedNow];
  };
  const start = [
    tf.constant(0, { dtype: "int32" }),
    tf.zerosLike(volume, { dtype: "int32" }),
    tf.zerosLike(volume),
    tf.stack([ymin, xmin, ymax, xmax], 1),
  ];
  const [, kinds, scores, matched] = tf.whileLoop(condition, body, start) as tf.Tensor[];
  const [by, bx] = [0, 1].map(k =>
    column(matched, k)
      .add(column(matched, k + 2))
      .div(2),
  );
  const [bh, bw] = [0, 1].map(k => column(matched, k + 2).sub(column(matched, k)));
  const offsets = [
    by.sub(ycenter).div(height).div(0.1),
    bx.sub(xcenter).div(width).div(0.1),
    tf.log(bh.div(height)).div(0.2),
    tf.log(bw.div(width)).div(0.2),
  ];
  return [kinds, tf.stack(offsets, 1), scores];
}

function decode(anchors: tf.Tensor, offsets: tf.Tensor): tf.Tensor {
  const [cy, cx] = [0, 1].map(k =>
    column(offsets, k)
      .mul(column(anchors, k + 2))
      .mul(0.1)
      .add(column(anchors, k)),
  );
  const [h, w] = [2, 3].map(k => column(anchors, k).mul(tf.exp(column(offsets, k).mul(0.2))));
  const corners = [cy.sub(h.div(2)), cx.sub(w.div(2)), cy.add(h.div(2)), cx.add(w.div(2))];
  return tf.clipByValue(tf.stack(corners, 1), 0, 1);
}

function smoothL1(x: tf.Tensor): tf.Tensor {
  const absolute = tf.abs(x);
  const minx = tf.minimum(absolute, 1);
  return times(0.5, absolute.sub(1).mul(minx).add(absolute));
}

/** Adds the three losses to their collection; the positives and the negatives that count. */
function losses(givenLogits: tf.Tensor, givenLocations: tf.Tensor, givenKinds: tf.Tensor, givenOffsets: tf.Tensor): [tf.Tensor, tf.Tensor] {
  const [logits, kinds] = [tf.reshape(givenLogits, [-1, classes]), tf.reshape(givenKinds, [-1])];
  const [locations, offsets] = [tf.reshape(givenLocations, [-1, 4]), tf.reshape(givenOffsets, [-1, 4])];
  const positive = tf.greater(kinds, 0);
  const fpositive = tf.cast(positive, "float32");
  const positives = tf.reduceSum(fpositive);
  const background = column(tf.nn.softmax(logits), 0);
  const negative = tf.logicalNot(positive);
  const hardness = tf.where(negative, background.neg(), tf.fill(tf.shape(background), -2));
  const negatives = tf.minimum(tf.cast(times(3, positives), "int32").add(4), tf.reduceSum(tf.cast(negative, "int32")));
  const { values } = tf.nn.topK(tf.stopGradient(hardness), negatives);
  const chosen = tf.logicalAnd(negative, tf.greaterEqual(hardness, values.at(-1)));
  const cross = tf.nn.sparseSoftmaxCrossEntropyWithLogits({ logits, labels: kinds });
  const n = tf.maximum(positives, 1);
  tf.nameScope("cross_entropy_pos", () => tf.losses.addLoss(tf.div(tf.reduceSum(cross.mul(fpositive)), n, { name: "value" })));
  tf.nameScope("cross_entropy_neg", () => tf.losses.addLoss(tf.div(tf.reduceSum(tf.booleanMask(cross, chosen)), n, { name: "value" })));
  tf.nameScope("localization", () => {
    const weights = tf.expandDims(fpositive, { axis: -1 });
    tf.losses.addLoss(tf.div(tf.reduceSum(smoothL1(locations.sub(offsets)).mul(weights)), n, { name: "value" }));
  });
  return [positives, negatives];
}

/** Best boxes of one picture, padded with zeros to `keep` rows of class, score and box. */
function detect(anchors: tf.Tensor, offsets: tf.Tensor, logits: tf.Tensor, keep = 4): tf.Tensor {
  const probabilities = tf.nn.softmax(logits);
  const allScores = tf.reduceMax(columns(probabilities, 1, null), 1);
  const allKinds = tf.argmax(columns(probabilities, 1, null), 1, { outputType: "int32" }).add(1);
  const mask = tf.greater(allScores, 0.1);
  const [boxes, scores, kinds] = [decode(anchors, offsets), allScores, allKinds].map(t => tf.booleanMask(t, mask));
  const picked = tf.image.nonMaxSuppression(boxes, scores, keep, { iouThreshold: 0.45 });
  const asColumn = (x: tf.Tensor): tf.Tensor => x.at([null, null], tf.newaxis);
  const rows = tf.concat(
    [asColumn(tf.cast(tf.gather(kinds, picked), "float32")), asColumn(tf.gather(scores, picked)), tf.gather(boxes, picked)],
    1,
  );
  const where = tf.expandDims(tf.range(tf.shape(picked).at(0)), 1);
  return tf.scatterNd(where, rows, [keep, 6]);
}

/** Area under the curve of precision over recall, the precision made monotone from the right by a TensorArray loop. */
function averagePrecision(hits: tf.Tensor, total: number): [tf.Tensor, tf.Tensor] {
  const tp = tf.cumsum(hits);
  const fp = tf.cumsum(tf.subtract(1, hits, { name: "sub" }));
  const [precision, recall] = [tp.div(tp.add(fp)), tp.div(total)];
  const n = tf.size(hits);
  const empty = new tf.TensorArray("float32", n, { clearAfterRead: false });
  const body = (i: tf.Tensor, best: tf.Tensor, out: tf.TensorArray) => {
    const better = tf.maximum(best, precision.at(i));
    return [i.sub(1), better, out.write(i, better)];
  };
  const loop = tf.whileLoop((i: tf.Tensor) => i.greaterEqual(0), body, [n.sub(1), tf.constant(0), empty]);
  const envelope = (loop as [tf.Tensor, tf.Tensor, tf.TensorArray])[2].stack();
  const steps = recall.sub(tf.concat([[0], recall.at([null, -1])], 0));
  return [tf.reduceSum(envelope.mul(steps)), envelope];
}

export async function main(data: Data, journal: Journal): Promise<void> {
  const anchors = tf.constant(data.anchors, { name: "anchors" });
  const images = tf.placeholder("float32", [null, size, size, 3], { name: "images" });
  const boxes = tf.placeholder("float32", [null, maxBoxes, 4], { name: "boxes" });
  const labels = tf.placeholder("int32", [null, maxBoxes], { name: "labels" });
  const [kinds, offsets, overlaps] = tf.mapFn(([box, label]: tf.Tensor[]) => encode(anchors, box, label), [boxes, labels], {
    dtype: ["int32", "float32", "float32"],
  }) as tf.Tensor[];
  const { locations, logits } = network(images, 3);
  const [positives, negatives] = losses(logits, locations, kinds, offsets);
  const total = tf.losses.getTotalLoss();
  const globalStep = tf.train.getOrCreateGlobalStep() as tf.Variable;
  const rate = tf.train.piecewiseConstant(globalStep, [8], [0.003, 0.001]);
  const train = tf.controlDependencies([total], () => new tf.train.MomentumOptimizer(rate, 0.9).minimize(total, { globalStep }));
  const detections = tf.mapFn(([location, logit]: tf.Tensor[]) => detect(anchors, location, logit), [locations, logits], {
    dtype: "float32",
  }) as tf.Tensor;
  const see = tf.variableScope("stats", () => {
    const seen = tf.getLocalVariable("seen", [], { dtype: "float32", initializer: tf.zerosInitializer() });
    return tf.assignAdd(seen, positives);
  });
  const [precision, envelope] = averagePrecision(tf.constant([1, 1, 0, 1, 0, 0, 1, 0], { dtype: "float32" }), 5);
  journal.graph();
  await using session = new tf.Session();
  await session.run([tf.globalVariablesInitializer(), tf.localVariablesInitializer()]);
  await journal.initial(session);
  const parts = tf.losses.getLosses();
  let feed = new Map<tf.Tensor, tf.NDArray>();
  for (let i = 0; i < 16; i++) {
    const rows = range(0, 8).map(k => (k + i * 8) % 24);
    feed = new Map([
      [images, rowsOf(data.images, rows)],
      [boxes, rowsOf(data.boxes, rows)],
      [labels, rowsOf(data.labels, rows)],
    ]);
    const [, loss, [pos, neg, loc], p, n, s] = await session.run([train, total, parts, positives, negatives, see], feed);
    journal.step({ loss, positive_loss: pos, negative_loss: neg, location_loss: loc, positives: p, negatives: n, seen: s });
  }
  journal.value("kinds", await session.run(kinds, feed));
  journal.value("offsets", await session.run(offsets, feed));
  journal.value("overlaps", await session.run(overlaps, feed));
  journal.value("detections", await session.run(detections, new Map([[images, slice(data.images, 0, 6)]])));
  journal.value("average precision", await session.run(precision));
  journal.value("envelope", await session.run(envelope));
  await journal.final(session);
}
