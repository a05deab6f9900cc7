// Sequence to sequence: a bidirectional encoder that knows lengths, a decoder with attention by hand, greedy and beam search in while loops.

import * as tf from "tensorloom";
import { int, minus } from "./operators.ts";

const [vocabulary, width, beam, limit] = [12, 6, 3, 5];
const { rnnCell } = tf.nn;
type State = tf.nn.rnnCell.LSTMStateTuple;

function attention(query: tf.Tensor, keys: tf.Tensor, values: tf.Tensor, lengths: tf.Tensor): tf.Tensor {
  return tf.variableScope("attention", () => {
    const v = tf.getVariable("v", [width], { initializer: tf.randomUniformInitializer({ minval: -0.5, maxval: 0.5, seed: 5 }) });
    const asked = tf.expandDims(tf.layers.dense(query, width, { useBias: false, name: "query" }), 1);
    const scores = tf.reduceSum(v.mul(tf.tanh(keys.add(asked))), [2]);
    const mask = tf.sequenceMask(lengths, { maxlen: tf.shape(scores).at(1), dtype: "float32" });
    const weights = tf.nn.softmax(scores.mul(mask).add(minus(1, mask).mul(-3.4028234663852886e38)));
    return tf.squeeze(tf.matmul(tf.expandDims(weights, 1), values), [1]);
  });
}

interface Source {
  readonly keys: tf.Tensor;
  readonly memory: tf.Tensor;
  readonly lengths: tf.Tensor;
}

function step(cell: tf.nn.rnnCell.BasicLSTMCell, embedding: tf.Variable, token: tf.Tensor, before: State, source: Source) {
  const inputs = tf.concat([tf.nn.embeddingLookup(embedding, token), attention(before.h, source.keys, source.memory, source.lengths)], 1);
  const [output, state] = cell(inputs, before) as [tf.Tensor, State];
  return { logits: tf.layers.dense(output, vocabulary, { name: "projection" }), state };
}

function tiled(x: tf.Tensor): tf.Tensor {
  const rank = x.shape.rank as number;
  let many = tf.tile(tf.expandDims(x, 1), [1, beam, ...Array<number>(rank - 1).fill(1)]);
  many = tf.reshape(many, tf.concat([[-1], tf.shape(x).at([1, null])], 0));
  many.setShape(new tf.TensorShape([null]).concatenate(x.shape.slice(1)));
  return many;
}

export function build(): void {
  tf.setRandomSeed(31);
  const source = tf.placeholder("int32", [null, null], { name: "source" });
  const lengths = tf.placeholder("int32", [null], { name: "lengths" });
  const target = tf.placeholder("int32", [null, null], { name: "target" });
  const targetLengths = tf.placeholder("int32", [null], { name: "target_lengths" });
  const batch = tf.shape(source).at(0);
  const initializer = tf.randomUniformInitializer({ minval: -0.3, maxval: 0.3, seed: 7 });
  const { embedding, cell, state, encoded, logits } = tf.variableScope("translation", { initializer }, () => {
    const embedding = tf.getVariable("embedding", [vocabulary, width]);
    const { encoded, state } = tf.variableScope("encoder", () => {
      const [forward, backward] = [new rnnCell.LSTMCell(width / 2), new rnnCell.LSTMCell(width / 2)];
      const looked = tf.nn.embeddingLookup(embedding, source);
      const [outputs, states] = tf.nn.bidirectionalDynamicRnn(forward, backward, looked, { sequenceLength: lengths, dtype: "float32" });
      const memory = tf.concat(outputs as tf.Tensor[], 2);
      const [f, b] = states as [State, State];
      const state = new rnnCell.LSTMStateTuple(tf.concat([f.c, b.c], 1), tf.concat([f.h, b.h], 1));
      return { encoded: { memory, keys: tf.layers.dense(memory, width, { useBias: false, name: "keys" }), lengths }, state };
    });
    return tf.variableScope("decoder", scope => {
      const cell = new rnnCell.BasicLSTMCell(width, { name: "cell" });
      const [emitted] = tf.nn.rawRnn(
        cell,
        (time, output, cellState) => {
          const finished = time.greaterEqual(targetLengths);
          if (output === null) {
            const first = tf.nn.embeddingLookup(embedding, tf.ones([batch], "int32"));
            return [finished, tf.concat([first, tf.zeros([batch, width])], 1), state, tf.zeros([vocabulary]), null];
          }
          const context = attention((cellState as State).h, encoded.keys, encoded.memory, lengths);
          const logits = tf.layers.dense(output as tf.Tensor, vocabulary, { name: "projection" });
          const at = tf.minimum(time.sub(1), tf.shape(target).at(1).sub(1));
          const inputs = tf.cond(
            tf.reduceAll(finished),
            () => tf.zeros([batch, 2 * width]),
            () => tf.concat([tf.nn.embeddingLookup(embedding, target.at([null, null], at)), context], 1),
          );
          return [finished, inputs, cellState, logits, null];
        },
        { scope },
      );
      const logits = tf.transpose((emitted as tf.TensorArray).stack(), [1, 0, 2]);
      return { embedding, cell, state, encoded, logits };
    });
  });
  const mask = tf.sequenceMask(targetLengths, { maxlen: tf.shape(target).at(1), dtype: "float32" });
  const crossent = tf.nn.sparseSoftmaxCrossEntropyWithLogits({ labels: target, logits });
  const loss = tf.divide(tf.reduceSum(crossent.mul(mask)), tf.reduceSum(mask), { name: "loss" });
  const variables = tf.trainableVariables();
  const [gradients, norm] = tf.clipByGlobalNorm(tf.gradients(loss, variables), 1);
  tf.identity(norm, { name: "norm" });
  const pairs = gradients.map((g, i) => [g, variables[i]] as [tf.Tensor, tf.Variable]);
  new tf.train.AdamOptimizer(0.05, { epsilon: 1e-4 }).applyGradients(pairs, { name: "train" });

  const { written, found } = tf.variableScope("translation", { reuse: true }, () =>
    tf.variableScope("decoder", () => {
      const array = new tf.TensorArray("int32", { size: 0, dynamicSize: true, clearAfterRead: false });
      const greedy = (time: tf.Tensor, last: tf.Tensor, before: State, written: tf.TensorArray, done: tf.Tensor) => {
        const { logits, state } = step(cell, embedding, last, before, encoded);
        const token = tf.where(done, tf.zerosLike(last), tf.argmax(logits, 1, { outputType: "int32" }));
        return [time.add(1), token, state, written.write(time, token), tf.logicalOr(done, tf.equal(token, 0))];
      };
      const goesOn = (time: tf.Tensor, ...rest: unknown[]): tf.Tensor =>
        tf.logicalAnd(time.less(limit), tf.logicalNot(tf.reduceAll(rest.at(-1) as tf.Tensor)));
      const start = [int(0), tf.fill([batch], int(1)), state, array, tf.zeros([batch], "bool")];
      const [, , , written] = tf.whileLoop(goesOn, greedy, start);

      const many = { keys: tiled(encoded.keys), memory: tiled(encoded.memory), lengths: tiled(lengths) };
      const extend = (time: tf.Tensor, tokens: tf.Tensor, c: tf.Tensor, h: tf.Tensor, scores: tf.Tensor, finished: tf.Tensor) => {
        const last = tf.reshape(tokens.at([null, null], [null, null], -1), [-1]);
        const { logits, state } = step(cell, embedding, last, new rnnCell.LSTMStateTuple(c, h), many);
        let logProbs = tf.reshape(tf.nn.logSoftmax(logits), [batch, beam, vocabulary]);
        const onlyEnd = tf.oneHot(tf.zeros([batch, beam], "int32"), vocabulary, { onValue: 0, offValue: -1e9 });
        const all = [null, null] as const;
        logProbs = tf.where(tf.tile(finished.at(all, all, tf.newaxis), [1, 1, vocabulary]), onlyEnd, logProbs);
        const total = tf.reshape(scores.at(all, all, tf.newaxis).add(logProbs), [batch, beam * vocabulary]);
        const { values, indices } = tf.nn.topK(total, beam);
        const [parent, token] = [indices.floordiv(vocabulary), tf.mod(indices, vocabulary)];
        const rows = tf.tile(tf.range(batch).at(all, tf.newaxis), [1, beam]);
        const pairs = tf.stack([rows, parent], 2);
        const longer = tf.concat([tf.gatherNd(tokens, pairs), token.at(all, all, tf.newaxis)], 2);
        const flat = tf.reshape(tf.range(batch).at(all, tf.newaxis).mul(beam).add(parent), [-1]);
        const ended = [tf.gather(state.c, flat), tf.gather(state.h, flat), values];
        return [time.add(1), longer, ...ended, tf.logicalOr(tf.gatherNd(finished, pairs), tf.equal(token, 0))];
      };
      const scores = tf.tile(tf.constant([[0, ...Array<number>(beam - 1).fill(-1e9)]]), [batch, 1]);
      const begin = [tf.constant(0, "int32"), tf.ones([batch, beam, 1], "int32"), tiled(state.c), tiled(state.h), scores];
      const shapes = [[], [null, beam, null], [null, width], [null, width], [null, beam], [null, beam]];
      const found = tf.whileLoop(goesOn, extend, [...begin, tf.zeros([batch, beam], "bool")], {
        shapeInvariants: shapes.map(dims => new tf.TensorShape(dims)),
        backProp: false,
      }) as tf.Tensor[];
      return { written: written as tf.TensorArray, found };
    }),
  );
  tf.transpose(written.stack(), { name: "greedy" });
  tf.identity(found[1], { name: "beams" });
  tf.identity(found[4], { name: "beam_scores" });
}
