// Masked self-attention, layer normalization, gelu; a custom optimizer; sampling in a while loop whose state grows.

import * as tf from "tensorloom";
import { type Data, type Journal, range, rowsOf, slice } from "./record.ts";

const [vocabulary, context, width, heads, layers, batch] = [24, 16, 16, 2, 2, 8];
type Size = number | tf.Tensor;

const plus = (x: number, y: tf.Tensor): tf.Tensor => tf.add(x, y, { name: "add" });
const minus = (x: number, y: tf.Tensor): tf.Tensor => tf.subtract(x, y, { name: "sub" });
const times = (x: number, y: tf.Tensor): tf.Tensor => tf.multiply(x, y, { name: "mul" });

function gelu(x: tf.Tensor): tf.Tensor {
  const half = times(0.5, x);
  return half.mul(plus(1, tf.tanh(times(Math.sqrt(2 / Math.PI), x.add(times(0.044715, tf.pow(x, 3)))))));
}

function norm(x: tf.Tensor, scope: string, epsilon = 1e-5): tf.Tensor {
  return tf.variableScope(scope, () => {
    const depth = x.shape.dim(-1) as number;
    const g = tf.getVariable("g", [depth], { initializer: tf.constantInitializer(1) });
    const b = tf.getVariable("b", [depth], { initializer: tf.constantInitializer(0) });
    const u = tf.reduceMean(x, { axis: -1, keepdims: true });
    const s = tf.reduceMean(tf.square(x.sub(u)), { axis: -1, keepdims: true });
    return x
      .sub(u)
      .mul(tf.rsqrt(s.add(epsilon)))
      .mul(g)
      .add(b);
  });
}

function shapeList(x: tf.Tensor): Size[] {
  const dynamic = tf.shape(x);
  return x.shape.asList().map((size, i) => size ?? dynamic.at(i));
}

function conv1d(x: tf.Tensor, scope: string, outputs: number, seed: number): tf.Tensor {
  return tf.variableScope(scope, () => {
    const sizes = shapeList(x);
    const [start, inputs] = [sizes.slice(0, -1), sizes.at(-1) as number];
    const w = tf.getVariable("w", [1, inputs, outputs], { initializer: tf.randomNormalInitializer({ stddev: 0.1, seed }) });
    const b = tf.getVariable("b", [outputs], { initializer: tf.constantInitializer(0) });
    const flat = tf.matmul(tf.reshape(x, [-1, inputs]), tf.reshape(w, [-1, outputs])).add(b);
    return tf.reshape(flat, [...start, outputs]);
  });
}

function attention(x: tf.Tensor, scope: string, past: tf.Tensor | null, seed: number): [tf.Tensor, tf.Tensor] {
  const splitHeads = (t: tf.Tensor): tf.Tensor => {
    const sizes = shapeList(t);
    const depth = sizes.at(-1) as number;
    return tf.transpose(tf.reshape(t, [...sizes.slice(0, -1), heads, depth / heads]), [0, 2, 1, 3]);
  };
  return tf.variableScope(scope, (): [tf.Tensor, tf.Tensor] => {
    const c = conv1d(x, "c_attn", 3 * width, seed);
    let [q, k, v] = tf.split(c, 3, 2).map(splitHeads);
    const present = tf.stack([k, v], 1);
    if (past !== null) {
      const [pk, pv] = tf.unstack(past, { axis: 1 });
      [k, v] = [tf.concat([pk, k], -2), tf.concat([pv, v], -2)];
    }
    const w = tf
      .matmul(q, k, { transposeB: true })
      .mul(tf.rsqrt(tf.cast(tf.constant(v.shape.dim(-1) as number, { dtype: "int32" }), "float32")));
    const [nd, ns] = shapeList(w).slice(2);
    const above = typeof ns === "number" ? ns - (nd as number) : ns.sub(nd);
    const visible = tf.reshape(tf.matrixBandPart(tf.ones([nd, ns]), -1, above), [1, 1, nd, ns]);
    const masked = w.mul(visible).sub(times(1e10, minus(1, visible)));
    const a = tf.transpose(tf.matmul(tf.nn.softmax(masked), v), [0, 2, 1, 3]);
    const sizes = shapeList(a);
    const merged = tf.reshape(a, [...sizes.slice(0, -2), (sizes.at(-2) as number) * (sizes.at(-1) as number)]);
    return [conv1d(merged, "c_proj", width, seed + 1), present];
  });
}

function model(tokens: tf.Tensor, past: tf.Tensor | null = null): { logits: tf.Tensor; present: tf.Tensor } {
  return tf.variableScope("model", { reuse: tf.AUTO_REUSE }, () => {
    const initial = (stddev: number, seed: number) => tf.randomNormalInitializer({ stddev, seed });
    const wpe = tf.getVariable("wpe", [context * 2, width], { initializer: initial(0.05, 131) });
    const wte = tf.getVariable("wte", [vocabulary, width], { initializer: initial(0.2, 132) });
    const [size, sequence] = shapeList(tokens);
    const before: Size = past === null ? 0 : tf.shape(past).at(-2);
    const places = tf.range(sequence);
    const shifted = typeof before === "number" ? plus(before, places) : before.add(places);
    const positions = tf.tile(tf.expandDims(shifted, 0), [size, 1]);
    let h = tf.gather(wte, tokens).add(tf.gather(wpe, positions));
    const presents: tf.Tensor[] = [];
    const pasts = past === null ? [] : tf.unstack(past, { axis: 1 });
    for (let layer = 0; layer < layers; layer++) {
      tf.variableScope(`h${layer}`, () => {
        const [a, present] = attention(norm(h, "ln_1"), "attn", pasts[layer] ?? null, 140 + 10 * layer);
        presents.push(present);
        h = h.add(a);
        tf.variableScope("mlp", () => {
          const wide = gelu(conv1d(norm(h, "ln_2"), "c_fc", 4 * width, 142 + 10 * layer));
          h = h.add(conv1d(wide, "c_proj", width, 143 + 10 * layer));
        });
      });
    }
    h = norm(h, "ln_f");
    const logits = tf.matmul(tf.reshape(h, [-1, width]), wte, { transposeB: true });
    return { logits: tf.reshape(logits, [size, sequence, vocabulary]), present: tf.stack(presents, 1) };
  });
}

/** Adam without bias correction, with weight decay outside the moments. */
class AdamWeightDecayOptimizer extends tf.train.Optimizer {
  readonly learningRate: tf.Tensor;

  constructor(learningRate: tf.Tensor) {
    super(false, "AdamWeightDecayOptimizer");
    this.learningRate = learningRate;
  }

  override applyGradients(gradsAndVars: readonly (readonly [tf.Tensor | null, tf.Variable])[]): tf.Operation {
    const [decay, beta1, beta2, epsilon] = [0.01, 0.9, 0.999, 1e-4];
    let last = "";
    const assignments = gradsAndVars.flatMap(([grad, param]) => {
      if (grad === null) return [];
      const name = param.name.replace(/:\d+$/, "");
      last = name;
      const moment = (suffix: string): tf.Variable =>
        tf.getVariable(name + suffix, param.shape.asList(), { dtype: "float32", trainable: false, initializer: tf.zerosInitializer() });
      const [m, v] = [moment("/adam_m"), moment("/adam_v")];
      const nextM = tf.multiply(beta1, m).add(tf.multiply(1 - beta1, grad));
      const nextV = tf.multiply(beta2, v).add(tf.multiply(1 - beta2, tf.square(grad)));
      let update = nextM.truediv(tf.sqrt(nextV).add(epsilon));
      if (!["ln_", "b"].some(part => new RegExp(`(^|/)${part}`).test(name))) update = update.add(times(decay, param.value()));
      const nextParam = param.sub(this.learningRate.mul(update));
      return [param.assign(nextParam), m.assign(nextM), v.assign(nextV)];
    });
    return tf.group(...assignments, { name: last });
  }
}

function createOptimizer(loss: tf.Tensor, initialRate: number, trainSteps: number, warmupSteps: number) {
  const globalStep = tf.train.getOrCreateGlobalStep() as tf.Variable;
  const decayed = tf.train.polynomialDecay(tf.constant(initialRate), globalStep, trainSteps, {
    endLearningRate: 0,
    power: 1,
    cycle: false,
  });
  const [steps, warmup] = [tf.cast(globalStep, "float32"), tf.constant(warmupSteps, { dtype: "float32" })];
  const isWarmup = tf.cast(globalStep.less(warmupSteps), "float32");
  const rate = minus(1, isWarmup)
    .mul(decayed)
    .add(isWarmup.mul(times(initialRate, steps).truediv(warmup)));
  const variables = tf.trainableVariables();
  const gradients = tf.gradients(loss, variables).map(g => tf.convertToTensor(g as tf.Tensor));
  const [clipped] = tf.clipByGlobalNorm(gradients, 1);
  const optimizer = new AdamWeightDecayOptimizer(rate);
  const trainOp = tf.controlDependencies([rate], () => optimizer.applyGradients(clipped.map((g, i) => [g as tf.Tensor, variables[i]])));
  return { trainOp: tf.controlDependencies([trainOp], () => globalStep.assign(globalStep.add(1))) as tf.Tensor, rate };
}

function sampleSequence(start: tf.Tensor, length: number, temperature: number, topK: number): tf.Tensor {
  const topKLogits = (logits: tf.Tensor): tf.Tensor => {
    const { values } = tf.nn.topK(logits, topK);
    return tf.where(logits.less(values.at([null, null], -1, tf.newaxis)), tf.onesLike(logits).mul(-1e10), logits);
  };
  return tf.nameScope("sample_sequence", () => {
    const past = model(start.at([null, null], [null, -1])).present;
    const body = (before: tf.Tensor, previous: tf.Tensor, output: tf.Tensor): tf.Tensor[] => {
      const { logits, present } = model(previous.at([null, null], tf.newaxis), before);
      const limited = topKLogits(logits.at([null, null], -1, [null, null]).truediv(temperature));
      const drawn = tf.multinomial(limited, 1, { outputDtype: "int32", seed: 139 });
      return [tf.concat([before, present], -2), tf.squeeze(drawn, [1]), tf.concat([output, drawn], 1)];
    };
    const pastShape = [...past.shape.asList()];
    pastShape[pastShape.length - 2] = null;
    const [, , tokens] = tf.whileLoop(() => true, body, [past, start.at([null, null], -1), start], {
      maximumIterations: length,
      shapeInvariants: [new tf.TensorShape(pastShape), new tf.TensorShape([null]), new tf.TensorShape([null, null])],
      backProp: false,
    });
    return tokens;
  });
}

export async function main(data: Data, journal: Journal): Promise<void> {
  const x = tf.placeholder("int32", [batch, context]);
  const y = tf.placeholder("int32", [batch, context]);
  const { logits } = model(x);
  const loss = tf.reduceMean(tf.nn.sparseSoftmaxCrossEntropyWithLogits({ labels: y, logits }));
  const { trainOp, rate } = createOptimizer(loss, 0.02, 40, 6);
  const start = tf.placeholder("int32", [4, null]);
  const sampled = sampleSequence(start, 10, 1, 4);
  const greedy = sampleSequence(start, 10, 1, 1);
  journal.graph();
  const columns = (rows: tf.NDArray, from: number, to: number): tf.NDArray =>
    tf.NDArray.from(
      (rows.toArray() as number[][]).map(row => row.slice(from, to)),
      "int32",
    );
  await using session = new tf.Session();
  await session.run(tf.globalVariablesInitializer());
  await journal.initial(session);
  for (let i = 0; i < 30; i++) {
    const at = (i * batch) % 64;
    const rows = rowsOf(data.tokens, range(at, at + batch));
    const feed = new Map([
      [x, columns(rows, 0, context)],
      [y, columns(rows, 1, context + 1)],
    ]);
    const [now, value] = await session.run([rate, loss, trainOp], feed);
    journal.step({ loss: value, learning_rate: now });
  }
  const first = slice(data.tokens, 0, batch);
  journal.value("logits", await session.run(logits, new Map([[x, columns(first, 0, context)]])));
  const prompt = new Map([[start, columns(slice(data.tokens, 0, 4), 0, 6)]]);
  const listed = async (tensor: tf.Tensor): Promise<unknown> => (await session.run(tensor, prompt)).toArray();
  journal.value("greedy", await listed(greedy));
  journal.value("sampled", await listed(sampled));
  journal.value("sampled again", await listed(sampled));
  await journal.final(session);
}
