// Building blocks by hand: arg scopes, MobileNet and Inception cells, distillation, accumulated gradients under a loss scale with float16 casts; detections
// by NMS in map_fn, hard negatives of several batch sizes: its twin in Python line by line.

import * as tf from "tensorloom/compat";
import { each, ints, range, rnd, type Show } from "./inputs.ts";

type Activation = ((x: tf.Tensor) => tf.Tensor) | null;
interface ConvArgs {
  stride?: number;
  padding?: string;
  multiplier?: number;
  activation_fn?: Activation;
  normalizer_fn?: Activation;
  weights_regularizer?: (w: tf.Tensor | tf.Variable) => tf.Tensor;
  scope?: string | null;
}

export async function main(show: Show): Promise<void> {
  tf.set_random_seed(51);
  const _stack: Map<string, ConvArgs>[] = [new Map()];
  function arg_scope<R>(names: string[], kw: ConvArgs, body: () => R): R {
    const top = new Map(_stack.at(-1)!);
    for (const f of names) top.set(f, { ...top.get(f), ...kw });
    _stack.push(top);
    try {
      return body();
    } finally {
      _stack.pop();
    }
  }
  const given = (name: string, kw: ConvArgs): ConvArgs => ({ ..._stack.at(-1)!.get(name), ...kw });
  function conv2d(x0: tf.Tensor, n: number, k: number, kw: ConvArgs = {}): tf.Tensor {
    const {
      stride = 1,
      padding = "SAME",
      activation_fn = tf.nn.relu,
      normalizer_fn,
      weights_regularizer,
      scope = null,
    } = given("conv2d", kw);
    return tf.variable_scope(scope, "Conv", [x0], (sc: tf.VariableScope) => {
      const w = tf.get_variable("weights", [k, k, Number(x0.shape[3]), n], {
        initializer: tf.variance_scaling_initializer(2.0, "fan_out"),
        regularizer: weights_regularizer,
      });
      let x = tf.nn.conv2d(x0, w, [1, stride, stride, 1], padding);
      x = normalizer_fn ? normalizer_fn(x) : tf.nn.bias_add(x, tf.get_variable("biases", [n], { initializer: tf.zeros_initializer() }));
      return activation_fn ? activation_fn(x) : tf.identity(x, sc.name);
    });
  }
  function separable(x0: tf.Tensor, n: number, kw: ConvArgs = {}): tf.Tensor {
    const { stride = 1, multiplier = 1, activation_fn = tf.nn.relu6, normalizer_fn, scope = null } = given("separable", kw);
    return tf.variable_scope(scope, "Separable", [x0], () => {
      const d = tf.get_variable("depthwise", [3, 3, Number(x0.shape[3]), multiplier]);
      let x = tf.nn.depthwise_conv2d(x0, d, [1, stride, stride, 1], "SAME");
      x = activation_fn!(normalizer_fn!(x));
      const p = tf.get_variable("pointwise", [1, 1, Number(x.shape[3]), n]);
      return activation_fn!(normalizer_fn!(tf.nn.conv2d(x, p, [1, 1, 1, 1], "SAME")));
    });
  }
  class Norm {
    training: tf.Tensor;
    updates: (tf.Tensor | tf.Variable)[] = [];
    constructor(training: tf.Tensor) {
      this.training = training;
    }
    call = (x: tf.Tensor): tf.Tensor =>
      tf.variable_scope(null, "BatchNorm", () => {
        const c = x.shape.at([-1, null]);
        const beta = tf.get_variable("beta", c, { initializer: tf.zeros_initializer() });
        const mm = tf.get_variable("moving_mean", c, { initializer: tf.zeros_initializer(), trainable: false });
        const mv = tf.get_variable("moving_variance", c, { initializer: tf.ones_initializer(), trainable: false });
        const [m0, v0] = tf.nn.moments(x, [0, 1, 2]);
        this.updates.push(mm.assign_sub(mm.sub(m0).mul(0.1)), mv.assign_sub(mv.sub(v0).mul(0.1)));
        const [m, v] = tf.cond(
          this.training,
          () => [m0, v0],
          () => [tf.convert_to_tensor(mm), tf.convert_to_tensor(mv)],
        );
        return tf.nn.batch_normalization(x, m, v, beta, null, 1e-3);
      });
  }
  {
    const images = tf.placeholder(tf.float32, [null, 8, 8, 3]);
    const labels = tf.placeholder(tf.int32, [null]);
    const training = tf.placeholder_with_default(true, [], { name: "training" });
    const norm = new Norm(training);
    const network = (scope: string, width: number): tf.Tensor =>
      tf.variable_scope(scope, () =>
        arg_scope(["conv2d", "separable"], { normalizer_fn: norm.call }, () =>
          arg_scope(["conv2d"], { weights_regularizer: w => tf.multiply(1e-3, tf.nn.l2_loss(w)) }, () => {
            let net = conv2d(images, width, 3, { stride: 2 });
            net = separable(net, width * 2);
            net = tf.variable_scope("Mixed", () => {
              const b0 = conv2d(net, 2, 1);
              const b1 = conv2d(net, 3, 3);
              const b2 = conv2d(tf.nn.avg_pool(net, 3, 1, "SAME"), 2, 1, { normalizer_fn: null });
              return tf.concat([b0, b1, b2], 3);
            });
            net = tf.concat([net, conv2d(net, 2, 3)], 3);
            let s = tf.reduce_mean(net, [1, 2], { keepdims: true });
            s = conv2d(s, 2, 1, { normalizer_fn: null, scope: "squeeze" });
            net = net.mul(conv2d(s, Number(net.shape[3]), 1, { activation_fn: tf.sigmoid, normalizer_fn: null, scope: "excite" }));
            const pooled = tf.reduce_mean(net, [1, 2], { keepdims: true });
            return conv2d(pooled, 4, 1, { activation_fn: null, normalizer_fn: null, scope: "logits" }).at([], 0, 0);
          }),
        ),
      );
    const teacher = network("teacher", 4);
    const student = tf.variable_scope("student", () => {
      const features = tf.reduce_mean(conv2d(images, 3, 3, { stride: 2, normalizer_fn: norm.call }), [1, 2], { keepdims: true });
      return conv2d(features, 4, 1, { activation_fn: null }).at([], 0, 0);
    });
    const T = 3.0;
    const soft = tf
      .reduce_mean(
        tf.nn.softmax_cross_entropy_with_logits_v2({
          labels: tf.stop_gradient(tf.nn.softmax(teacher.div(T))),
          logits: student.div(T),
        }),
      )
      .mul(T ** 2);
    const hard = tf.losses.sparse_softmax_cross_entropy(labels, student);
    const tloss = tf.losses.sparse_softmax_cross_entropy(labels, teacher, { scope: "teacher_loss" });
    const reg = tf.losses.get_regularization_loss();
    const loss = soft.mul(0.7).add(hard.mul(0.3)).add(tloss).add(reg);
    const tvars = tf.trainable_variables();
    show(
      "names",
      tvars.map(v => v.name),
    );
    const accum = tvars.map(v => tf.Variable(tf.zeros_like(v.initialized_value()), { trainable: false }));
    const count = tf.Variable(0, { trainable: false, dtype: tf.int32 });
    const zero = [...accum.map(a => a.assign(tf.zeros_like(a))), count.assign(0)];
    const scale = tf.Variable(2.0 ** 15, { trainable: false, name: "loss_scale" });
    const good = tf.Variable(0, { trainable: false, dtype: tf.int32 });
    const bad = tf.placeholder_with_default(1.0, []);
    const opt = tf.train.MomentumOptimizer(0.05, 0.9);
    const gv = opt.compute_gradients(loss.mul(scale).mul(bad), tvars);
    const grads = gv.map(([g]) =>
      tf
        .cast(tf.cast(tf.div(g!, 64.0), tf.float16), tf.float32)
        .mul(64.0)
        .div(scale),
    );
    const finite = tf.reduce_all(tf.stack(grads.map(g => tf.reduce_all(tf.is_finite(g)))));
    const keep = () =>
      tf.control_dependencies([...accum.map((a, i) => a.assign_add(grads[i])), count.assign_add(1)], () =>
        tf.group(
          tf.cond(
            tf.equal(good, 1),
            () => tf.group(scale.assign(scale.mul(2)), good.assign(0)),
            () => tf.group(good.assign_add(1)),
          ),
        ),
      );
    const drop = () => tf.group(scale.assign(tf.maximum(scale.div(2), 1.0)), good.assign(0));
    const gather = tf.cond(finite, keep, drop);
    const [mean_grads, gnorm] = tf.clip_by_global_norm(
      accum.map(a => a.div(tf.cast(count, tf.float32))),
      1.0,
    );
    const apply_op = opt.apply_gradients(mean_grads.map((g, i) => [g, tvars[i]]));
    await using sess = new tf.Session();
    await sess.run(tf.global_variables_initializer());
    let pictures!: tf.NDArray;
    for (const i of range(2)) {
      await sess.run(zero);
      let f!: Map<tf.FeedKey, tf.FeedValue>;
      for (const k of range(3)) {
        pictures = rnd(10 * i + k, 4, 8, 8, 3);
        f = new Map<tf.FeedKey, tf.FeedValue>([
          [images, pictures],
          [labels, ints(k, 4, 4)],
          [bad, k === 1 ? Infinity : 1.0],
        ]);
        const [l] = await sess.run([[soft, hard, tloss, reg], gather], f);
        show("loss", l);
        show("scale", await sess.run([scale, good, count, finite], f));
      }
      show("norm", (await sess.run([gnorm, apply_op]))[0]);
      await sess.run(norm.updates, f);
    }
    show(
      "eval",
      await sess.run(student, [
        [images, pictures],
        [training, false],
      ]),
    );
  }
  tf.reset_default_graph();
  {
    const loc = tf.placeholder(tf.float32, [null, 9, 4]);
    const conf = tf.placeholder(tf.float32, [null, 9, 3]);
    const anchors = tf.constant(range(9).map(i => [(Math.floor(i / 3) + 0.5) / 3, ((i % 3) + 0.5) / 3, 0.5, 0.4]));
    function decode(l: tf.Tensor, a: tf.Tensor) {
      const c = l
        .at("...", [null, 2])
        .mul(0.1)
        .mul(a.at([], [2, null]))
        .add(a.at([], [null, 2]));
      const s = tf.exp(l.at("...", [2, null]).mul(0.2)).mul(a.at([], [2, null]));
      return tf.concat([c.sub(s.div(2)), c.add(s.div(2))], -1);
    }
    const boxes = tf.clip_by_value(decode(loc, anchors), 0, 1),
      scores = tf.nn.softmax(conf);
    function nms([b, s]: [tf.Tensor, tf.Tensor]) {
      const outs: tf.Tensor[] = [];
      for (const c of [1, 2]) {
        const keep = tf.image.non_max_suppression(b, s.at([], c), 4, 0.4, { score_threshold: 0.2 });
        const n = tf.shape(keep)[0];
        const rows = tf.concat([tf.fill([n, 1], c), tf.gather(s.at([], [c, c + 1]), keep), tf.gather(b, keep)], 1);
        outs.push(
          tf.pad(rows, [
            [0, tf.subtract(4, n)],
            [0, 0],
          ]),
        );
      }
      const every = tf.concat(outs, 0);
      const [, top] = tf.nn.top_k(every.at([], 1), 5);
      return [tf.gather(every, top), tf.reduce_sum(tf.to_int32(every.at([], 1).greater(0)))];
    }
    const [dets, num] = tf.map_fn(nms, [boxes, scores], {
      dtype: [tf.float32, tf.int32],
      back_prop: false,
      parallel_iterations: 4,
    });
    const combined = tf.image.combined_non_max_suppression(tf.expand_dims(boxes, 2), scores.at([], [], [1, null]), 4, 6, {
      iou_threshold: 0.4,
      score_threshold: 0.2,
    });
    const gt = tf.placeholder(tf.float32, [null, 9, 4]);
    const pos = tf.placeholder(tf.int64, [null, 9]);
    const mask = tf.to_float(pos.greater(0));
    const npos = tf.maximum(tf.reduce_sum(mask, 1), 1);
    const ce = tf.nn.sparse_softmax_cross_entropy_with_logits({ labels: pos, logits: conf });
    const k = tf.to_int32(tf.minimum(npos.mul(3), tf.subtract(9, npos)));
    const neg = ce.mul(tf.subtract(1, mask));
    const rank = tf.map_fn(
      (t: [tf.Tensor, tf.Tensor]) => tf.to_float(t[0].greater_equal(tf.nn.top_k(t[0], t[1])[0][-1])),
      [neg, k],
      tf.float32,
    );
    const off = loc.sub(gt);
    const smooth = tf.where(tf.abs(off).less(1), off.pow(2).mul(0.5), tf.abs(off).sub(0.5));
    const multibox = tf.reduce_mean(
      tf
        .reduce_sum(ce.mul(mask).add(neg.mul(rank)), 1)
        .add(tf.reduce_sum(smooth.mul(mask.at("...", tf.newaxis)), [1, 2]))
        .div(npos),
    );
    const [gl, gc] = tf.gradients(multibox, [loc, conf]);
    await using sess = new tf.Session();
    for (const n of [1, 3, 2]) {
      const f: [tf.Tensor, tf.FeedValue][] = [
        [loc, each(rnd(n, n, 9, 4), x => x * 4 - 2)],
        [conf, each(rnd(n + 5, n, 9, 3), x => x * 4)],
        [gt, rnd(n + 7, n, 9, 4)],
        [pos, ints(n + 9, 3, n, 9)],
      ];
      const [d, c, m, g] = await sess.run([[dets, num], combined, multibox, [gl!, gc!]], f);
      show("dets", d[0]);
      show("num", d[1]);
      show("combined", [...c]);
      show("multibox", m);
      show("grads", g);
    }
  }
}
