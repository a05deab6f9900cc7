// Small graphs at random, from a seed, as users build them: layers, losses, movement, gathers, and a training step with all gradients.
import { loadSpecialFunctions } from "../../src/backends/host-functions.ts";
import * as tf from "../../src/index.ts";
import { runReference } from "../../src/backends/reference/index.ts";
import { InternalError } from "../../src/base/errors.ts";
import type { Program } from "../../src/ir/program.ts";
import { lower } from "../../src/lower/index.ts";
import { extract } from "../../src/optimize/extract.ts";
import { optimize } from "../../src/optimize/index.ts";
import { resolve } from "../../src/optimize/selection.ts";
import { Chooser, type RandomCase, randomNumbers } from "../plans/random-program.ts";

await loadSpecialFunctions();

export interface RandomGraph {
  readonly fetches: readonly tf.Tensor[];
  readonly train: tf.Operation;
  readonly feeds: readonly (readonly [tf.Tensor, tf.NDArray])[];
}

export function randomGraph(seed: number): RandomGraph {
  return new tf.Graph().asDefault(() => new GraphMaker(randomNumbers(seed)).make());
}

/** The graph's Program as a session lowers it, or as it is without any of the graph's optimizations. */
export function caseOf({ fetches, train, feeds }: RandomGraph, isOptimized: boolean, seed: number): RandomCase {
  const fed = feeds.map(([tensor]) => tensor);
  const extracted = extract(fetches, [train], fed);
  const selection = isOptimized ? optimize(extracted) : extracted;
  const program: Program = lower({
    nodes: selection.nodes,
    fetches: selection.fetches,
    feeds: feeds.map(([tensor, { dtype, shape }]) => ({ tensor, dtype, shape })),
    resolve: tensor => resolve(selection, tensor),
    isFed: tensor => selection.feeds.has(tensor),
    isOnHost: () => false,
    resource: ({ id }) => {
      throw new InternalError(`${id} is no part of these graphs.`);
    },
    currentState: state => state,
    evaluate: closed => runReference(closed, { feeds: new Map(), states: new Map() }).results,
    runtimeError: (op, message) => new InternalError(`${op.name}: ${message}`),
  });
  const random = randomNumbers(seed);
  const states = new Map(
    program.steps.flatMap(step => (step.kind === "state" || step.kind === "update" ? [[step.state.id, step.state] as const] : [])),
  );
  return {
    program,
    feeds: new Map(feeds.map(([, array], i) => [String(i), array])),
    // Every number from the state's name, so that it is the same however the graph was lowered.
    states: new Map(
      [...states].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, { dtype, shape }]) => [id, numbers(random, dtype, shape, 0.1)]),
    ),
  };
}

function numbers(random: () => number, dtype: tf.DType, shape: readonly number[], least = -1): tf.NDArray {
  const array = tf.NDArray.zeros(dtype, shape);
  for (let i = 0; i < array.size; i++)
    array.set(i, dtype.startsWith("float") ? Math.round((least + random() * (1 - least)) * 64) / 64 : Math.floor(3 * random()));
  return array;
}

const sizes = [1, 2, 3, 4, 5, 7, 8, 12, 16, 17, 33];

class GraphMaker extends Chooser {
  private readonly feeds: [tf.Tensor, tf.NDArray][] = [];
  private readonly variables: tf.Variable[] = [];

  make(): RandomGraph {
    const isImage = this.chance(0.4);
    let x = isImage
      ? this.fed([this.pick([1, 2, 3]), this.pick([4, 6, 9, 12]), this.pick([4, 5, 8]), this.pick([1, 2, 3, 8, 16])])
      : this.fed(Array.from({ length: 1 + this.below(3) }, () => this.pick(sizes)));
    const kept = [x];
    for (let layer = 0; layer < 4 + this.below(8); layer++) {
      const before = this.variables.length;
      const next = this.layer(x);
      if (elements(next) > 20_000) {
        this.variables.length = before; // no part of the loss
        continue;
      }
      x = next;
      kept.push(x);
      // A residual, sometimes from far back.
      const same = kept.filter(one => one.shape.toString() === x.shape.toString() && one !== x);
      if (same.length > 0 && this.chance(0.3)) x = tf.add(x, this.pick(same));
    }
    const loss = this.loss(x);
    const minimized = this.variables.length === 0 ? tf.add(loss, tf.square(this.variable([]))) : loss;
    const train = this.optimizer().minimize(minimized);
    return { fetches: [minimized, this.pick(kept), x], train: train as tf.Operation, feeds: this.feeds };
  }

  private fed(shape: readonly number[], dtype: tf.DType = tf.float32): tf.Tensor {
    const tensor = tf.placeholder(dtype, shape);
    this.feeds.push([tensor, numbers(this.random, dtype, shape)]);
    return tensor;
  }

  private variable(shape: readonly number[]): tf.Tensor {
    const variable = new tf.Variable(tf.zeros(shape));
    this.variables.push(variable);
    return tf.convertToTensor(variable);
  }

  private optimizer(): tf.train.Optimizer {
    return this.pick([
      () => new tf.train.GradientDescentOptimizer(0.1),
      () => new tf.train.MomentumOptimizer(0.1, 0.9, { useNesterov: this.chance(0.5) }),
      () => new tf.train.AdagradOptimizer(0.1),
      () => new tf.train.RMSPropOptimizer(0.01),
    ])();
  }

  private loss(x: tf.Tensor): tf.Tensor {
    const shape = shapeOf(x);
    const classes = shape[shape.length - 1] ?? 1;
    if (shape.length >= 2 && classes > 1 && this.chance(0.5)) {
      const logits = tf.reshape(x, [-1, classes]);
      const rows = elements(x) / classes;
      if (this.chance(0.5)) {
        const labels = tf.minimum(this.fed([rows], tf.int32), classes - 1);
        return tf.reduceMean(tf.nn.sparseSoftmaxCrossEntropyWithLogits({ labels, logits }));
      }
      return tf.reduceMean(tf.nn.softmaxCrossEntropyWithLogitsV2({ labels: tf.nn.softmax(this.fed([rows, classes])), logits }));
    }
    return this.pick([
      () => tf.reduceMean(tf.square(x)),
      () => tf.nn.l2Loss(x),
      () => tf.reduceSum(tf.tanh(x)),
      () => tf.reduceMean(tf.abs(x)),
    ])();
  }

  private layer(x: tf.Tensor): tf.Tensor {
    const shape = shapeOf(x);
    const rank = shape.length;
    const last = shape[rank - 1] ?? 1;
    const axis = this.below(Math.max(rank, 1));
    const makers: (() => tf.Tensor)[] = [
      () => this.pointwise(x),
      () => this.pointwise(x),
      () => tf.multiply(x, this.variable([last])),
      () => tf.add(x, this.variable(rank > 0 && this.chance(0.5) ? [last] : [])),
    ];
    if (rank >= 1)
      makers.push(
        () => tf.nn.softmax(x),
        () => tf.reduceMean(x, axis, { keepdims: this.chance(0.5) }),
        () => tf.reduceMax(x, axis, { keepdims: true }),
        () => tf.subtract(x, tf.reduceMean(x, axis, { keepdims: true })),
        () => tf.cumsum(x, axis),
        () => tf.transpose(x, this.shuffled(rank)),
        () => tf.reshape(x, this.chance(0.5) ? [-1] : [-1, last]),
        // Rows of joined rows belong to pieces that only the run tells: a dense gradient, which needs no cut.
        () => tf.multiply(tf.concat([x, this.pointwise(x)], axis), 0.5),
        () => tf.stack([x, this.pointwise(x)], axis),
        () => tf.reverse(x, [axis]),
        () =>
          tf.pad(
            x,
            Array.from({ length: rank }, () => [this.below(2), this.below(3)]),
          ),
        () =>
          tf.slice(
            x,
            Array(rank).fill(0),
            shape.map(size => 1 + this.below(size)),
          ),
        () => tf.gather(x, tf.minimum(this.fed([1 + this.below(6)], tf.int32), shape[0] - 1)),
        () => tf.where(tf.greater(x, 0.25), x, tf.multiply(x, 0.5)),
        () => this.normalized(x, last),
      );
    if (rank === 2)
      makers.push(
        ...Array(3).fill(() => this.dense(x, last, this.pick(sizes))),
        () => tf.matmul(x, x, { transposeB: true }),
        () => tf.matmul(x, x, { transposeA: true }),
        () => tf.unsortedSegmentSum(x, tf.minimum(this.fed([shape[0]], tf.int32), 2), 3),
      );
    if (rank === 3)
      makers.push(
        () => tf.matmul(x, x, { transposeB: true }),
        () => tf.matmul(x, tf.tanh(x), { transposeA: true }),
      );
    if (rank === 4 && shape[1] >= 3 && shape[2] >= 3) makers.push(...Array(4).fill(() => this.image(x, last)));
    return this.pick(makers)();
  }

  private dense(x: tf.Tensor, inputs: number, outputs: number): tf.Tensor {
    return tf.nn.relu(tf.nn.biasAdd(tf.matmul(x, this.variable([inputs, outputs])), this.variable([outputs])));
  }

  private normalized(x: tf.Tensor, size: number): tf.Tensor {
    const [mean, variance] = tf.nn.moments(x, [shapeOf(x).length - 1], { keepDims: true });
    return tf.nn.batchNormalization(x, mean, variance, this.variable([size]), this.variable([size]), 1e-3);
  }

  private image(x: tf.Tensor, channels: number): tf.Tensor {
    const padding = this.pick(["SAME", "VALID"] as const);
    const window = this.pick([1, 2, 3]);
    const stride = this.pick([1, 1, 2]);
    const strides: [number, number, number, number] = [1, stride, stride, 1];
    return this.pick([
      () => tf.nn.conv2d(x, this.variable([window, window, channels, this.pick([1, 4, 8, 10, 16])]), strides, padding),
      () => tf.nn.relu(tf.nn.conv2d(x, this.variable([3, 3, channels, 8]), [1, 1, 1, 1], padding)),
      () => tf.nn.depthwiseConv2d(x, this.variable([window, window, channels, this.pick([1, 2])]), strides, padding),
      () => tf.nn.maxPool(x, [1, window, window, 1], strides, padding),
      () => tf.nn.avgPool(x, [1, window, window, 1], strides, padding),
    ])();
  }

  private pointwise(x: tf.Tensor): tf.Tensor {
    return this.pick([
      tf.tanh,
      tf.sigmoid,
      tf.nn.relu,
      tf.nn.elu,
      tf.square,
      tf.nn.softplus,
      tf.abs,
      tf.negative,
      (y: tf.Tensor) => tf.exp(tf.minimum(y, 1)),
      (y: tf.Tensor) => tf.abs(tf.complex(y, tf.add(y, 1.5))),
      (y: tf.Tensor) => tf.igamma(1.5, tf.add(tf.abs(y), 0.25)),
    ])(x);
  }

  private shuffled(rank: number): number[] {
    const left = Array.from({ length: rank }, (_, axis) => axis);
    return Array.from({ length: rank }, () => left.splice(this.below(left.length), 1)[0]);
  }
}

const shapeOf = (x: tf.Tensor): number[] => x.shape.asList() as number[];
const elements = (x: tf.Tensor): number => shapeOf(x).reduce((product, size) => product * size, 1);
