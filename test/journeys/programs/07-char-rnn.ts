// A two-layer LSTM that learns a short text character by character, then writes: dynamicRnn and an unrolled loop share one variable scope.

import * as tf from "tensorloom";
import { type Data, numbers, range, type Journal } from "./record.ts";

const [batch, length, units] = [6, 12, 20];
const { LSTMCell, MultiRNNCell } = tf.nn.rnnCell;
type States = tf.nn.rnnCell.LSTMStateTuple[];

function loopFunction(prev: tf.Tensor, embedding: tf.Variable, softmaxW: tf.Variable, softmaxB: tf.Variable): tf.Tensor {
  const symbol = tf.stopGradient(tf.argmax(tf.matmul(prev, softmaxW).add(softmaxB), 1));
  return tf.nn.embeddingLookup(embedding, symbol);
}

function build(vocabulary: number, size: number, steps: number, isTraining: boolean) {
  const x = tf.placeholder("int32", [size, steps], { name: "x" });
  const targets = tf.placeholder("int32", [size, steps], { name: "targets" });
  const cell = new MultiRNNCell([0, 1].map(() => new LSTMCell(units, { forgetBias: 1, stateIsTuple: true })));
  const state = cell.zeroState(size, "float32") as States;
  const initializer = tf.randomUniformInitializer(-0.15, 0.15, { seed: 71 });
  const { logits, freeLogits, lastState } = tf.variableScope("rnnlm", { initializer, reuse: tf.AUTO_REUSE }, () => {
    const softmaxW = tf.getVariable("softmax_w", [units, vocabulary], {
      initializer: tf.truncatedNormalInitializer({ stddev: 0.1, seed: 72 }),
    });
    const softmaxB = tf.getVariable("softmax_b", [vocabulary], { initializer: tf.zerosInitializer() });
    const embedding = tf.getVariable("embedding", [vocabulary, units]);
    let inputs = tf.nn.embeddingLookup(embedding, x);
    if (isTraining) inputs = tf.nn.dropout(inputs, { keepProb: 0.9, seed: 73 });
    const [outputs, lastState] = tf.nn.dynamicRnn(cell, inputs, { initialState: state });
    const logits = tf.matmul(tf.reshape(outputs, [-1, units]), softmaxW).add(softmaxB);
    const pieces = tf.split(tf.nn.embeddingLookup(embedding, x), steps, 1).map(piece => tf.squeeze(piece, [1]));
    const freeOutputs: tf.Tensor[] = [];
    tf.variableScope("rnn", { reuse: true }, () => {
      let freeState: unknown = state;
      pieces.forEach((piece, i) => {
        const input = i > 0 ? loopFunction(freeOutputs[i - 1], embedding, softmaxW, softmaxB) : piece;
        const [output, next] = cell.apply(input, freeState);
        freeState = next;
        freeOutputs.push(output);
      });
    });
    const freeLogits = tf.matmul(tf.reshape(tf.concat(freeOutputs, 1), [-1, units]), softmaxW).add(softmaxB);
    return { logits, freeLogits, lastState: lastState as States };
  });
  const losses = tf.nn.sparseSoftmaxCrossEntropyWithLogits({ labels: tf.reshape(targets, [-1]), logits });
  const loss = tf.reduceSum(losses).truediv(size).truediv(steps);
  return { x, targets, loss, logits, freeLogits, state, lastState };
}

type Values = readonly { readonly c: tf.NDArray; readonly h: tf.NDArray }[];
type Feed = Map<tf.Tensor, tf.NDArray | readonly (readonly number[])[]>;

function feedStates(feed: Feed, state: States, values: Values): Feed {
  state.forEach(({ c, h }, i) => {
    feed.set(c, values[i].c);
    feed.set(h, values[i].h);
  });
  return feed;
}

export async function main(data: Data, record: Journal): Promise<void> {
  const text = numbers(data.text);
  const alphabet = numbers(data.alphabet).map(code => String.fromCharCode(code));
  const vocabulary = alphabet.length;
  const net = build(vocabulary, batch, length, true);
  const lr = new tf.Variable(0, { dtype: "float32", trainable: false, name: "lr" });
  const variables = tf.trainableVariables();
  const [grads, norm] = tf.nameScope("clip", () => tf.clipByGlobalNorm(tf.gradients(net.loss, variables) as tf.Tensor[], 1));
  const trainOp = tf.nameScope("optimizer", () =>
    new tf.train.AdamOptimizer(lr, { epsilon: 1e-4 }).applyGradients(grads.map((grad, i) => [grad, variables[i]])),
  );
  const newLr = tf.placeholder("float32", []);
  const setLr = tf.assign(lr, newLr);
  const { one, drawn, probs } = tf.nameScope("writing", () => {
    const one = build(vocabulary, 1, 1, false);
    return { one, drawn: tf.multinomial(one.logits, 1, { seed: 74 }), probs: tf.nn.softmax(one.logits) };
  });
  record.graph();

  const span = Math.floor(text.length / batch);
  const rows = range(0, batch).map(k => text.slice(k * span, (k + 1) * span));
  const perEpoch = Math.floor((span - 1) / length);
  await using session = new tf.Session();
  await session.run(tf.globalVariablesInitializer());
  await record.initial(session);
  let feed: Feed = new Map();
  let current: Values = await session.run(net.state);
  for (let epoch = 0; epoch < 7; epoch++) {
    await session.run(setLr, new Map([[newLr, 0.06 * 0.9 ** epoch]]));
    current = await session.run(net.state);
    for (let b = 0; b < perEpoch; b++) {
      feed = new Map([
        [net.x, rows.map(row => row.slice(b * length, (b + 1) * length))],
        [net.targets, rows.map(row => row.slice(b * length + 1, (b + 1) * length + 1))],
      ]);
      feedStates(feed, net.state, current);
      const [loss, last, size] = await session.run([net.loss, net.lastState, norm, trainOp] as const, feed);
      current = last;
      record.step({ loss, gradient_norm: size });
    }
  }
  record.value("last state", current[1].h);
  record.value("free logits", await session.run(net.freeLogits, feed));
  for (const name of ["greedy", "sampled"]) {
    let state: Values = await session.run(one.state);
    let [symbol, written] = [alphabet.indexOf("t"), "t"];
    for (let i = 0; i < 30; i++) {
      const single = feedStates(new Map([[one.x, [[symbol]]]]), one.state, state);
      const [p, d, last] = await session.run([probs, drawn, one.lastState] as const, single);
      state = last;
      const row = numbers(p);
      symbol = name === "greedy" ? row.indexOf(Math.max(...row)) : Number(d.get(0));
      written += alphabet[symbol];
    }
    record.value(name, written);
  }
  await record.final(session);
}
