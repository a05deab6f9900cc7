// Style transfer with Gram matrices on an image that is a variable, L-BFGS by hand; DeepDream with tiles by roll and a Laplacian pyramid; own gradients: its
// twin in Python line by line.

import * as tf from "tensorloom/compat";
import { each, ints, range, rnd, type Show } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  tf.set_random_seed(5);
  type Layers = Record<string, tf.Tensor>;
  function net(image: tf.TensorLike, reuse: boolean | typeof tf.AUTO_REUSE = tf.AUTO_REUSE): Layers {
    const layers: Layers = {};
    let current = image;
    tf.variable_scope("vgg", { reuse }, () => {
      for (const [i, [cin, cout]] of [
        [3, 5],
        [5, 6],
        [6, 7],
      ].entries()) {
        const kernels = tf.get_variable(`w${i}`, {
          initializer: each(rnd(i + 3, 3, 3, cin, cout), v => (v - 0.5) * 0.8),
          trainable: false,
        });
        const bias = tf.get_variable(`b${i}`, [cout], { initializer: tf.constant_initializer(0.1), trainable: false });
        const conv = tf.nn.conv2d(current, kernels, { strides: [1, 1, 1, 1], padding: "SAME" });
        current = tf.nn.relu(tf.nn.bias_add(conv, bias), { name: `relu${i + 1}_1` });
        layers[`relu${i + 1}_1`] = current as tf.Tensor;
        current = tf.nn.avg_pool(current, { ksize: [1, 2, 2, 1], strides: [1, 2, 2, 1], padding: "SAME" });
      }
    });
    return layers;
  }
  function gram_matrix(tensor: tf.Tensor) {
    const shape = tensor.get_shape();
    const num_channels = Number(shape[3]);
    const matrix = tf.reshape(tensor, { shape: [-1, num_channels] });
    return tf.matmul(tf.transpose(matrix), matrix);
  }
  const list = (a: tf.NDArray) => Array.from(a.data as Float32Array);
  const dot = (a: number[], b: number[]) => a.reduce((sum, v, i) => sum + v * b[i], 0);
  const content = rnd(1, 1, 12, 12, 3),
    style = rnd(2, 1, 12, 12, 3);
  let content_features!: tf.NDArray;
  const style_features = new Map<string, tf.NDArray>();
  {
    using _graph = tf.Graph().as_default();
    await using sess = new tf.Session();
    using _ = sess.as_default();
    tf.set_random_seed(5);
    const image = tf.placeholder("float", { shape: content.shape });
    const out = net(image);
    await sess.run(tf.global_variables_initializer());
    content_features = await out["relu3_1"].eval({ feed_dict: [[image, content]] });
    for (const layer of ["relu1_1", "relu2_1"]) {
      const features: tf.NDArray = await out[layer].eval({ feed_dict: [[image, style]] });
      const n = features.shape[3],
        rows = features.reshape([-1, n].map(d => (d < 0 ? features.size / n : d))).toArray() as number[][];
      const gram = range(n).map(i => range(n).map(j => rows.reduce((sum, row) => sum + row[i] * row[j], 0) / features.size));
      style_features.set(layer, tf.NDArray.from(gram, "float32"));
    }
    show("gram", style_features.get("relu2_1"));
  }
  {
    using _graph = tf.Graph().as_default();
    tf.set_random_seed(5);
    const mixed = tf.Variable(
      each(content, v => Math.fround(Math.fround(v * Math.fround(0.9)) + Math.fround(0.05))),
      { name: "mixed" },
    );
    const out = net(mixed);
    const content_loss = tf.multiply(5.0, tf.nn.l2_loss(out["relu3_1"].sub(content_features))).div(content_features.size);
    const style_losses: tf.Tensor[] = [];
    for (const [layer, gram] of style_features) {
      const feats = out[layer];
      const [, height, width, number] = feats.get_shape().as_list() as number[];
      const size = height * width * number;
      style_losses.push(tf.multiply(2.0, tf.nn.l2_loss(gram_matrix(feats).div(size).sub(gram))).div(gram.size));
    }
    const style_loss = tf.multiply(
      100.0,
      style_losses.reduce((a, b) => tf.add(a, b), tf.constant(0)),
    );
    const tv_y_size = (mixed.at([], [1, null], [], []).get_shape().as_list() as number[]).reduce((a, b) => a * b);
    const down = tf.nn.l2_loss(mixed.at([], [1, null], [], []).sub(mixed.at([], [null, 12 - 1], [], []))).div(tv_y_size);
    const across = tf.nn.l2_loss(mixed.at([], [], [1, null], []).sub(mixed.at([], [], [null, 12 - 1], []))).div(tv_y_size);
    const tv_loss = tf
      .multiply(1e2 * 2, down.add(across))
      .mul(0.01)
      .add(tf.reduce_mean(tf.image.total_variation(mixed)).mul(1e-4));
    const loss = content_loss.add(style_loss).add(tv_loss);
    const gradient = tf.gradients(loss, mixed)[0];
    const train_step = tf.train.AdamOptimizer(0.02, 0.9, 0.999, 1e-8).minimize(loss);
    const placed = tf.placeholder(tf.float32, [12 * 12 * 3]);
    const assign = mixed.assign(tf.reshape(placed, mixed.shape));
    const clipped = tf.clip_by_value(mixed, 0.0, 1.0);
    await using sess = new tf.Session();
    using _ = sess.as_default();
    await sess.run(tf.global_variables_initializer());
    for (const i of range(4)) {
      await train_step.run();
      if (i % 2) show("adam", [await content_loss.eval(), await style_loss.eval(), await tv_loss.eval()]);
    }
    async function value_and_gradient(x: number[]): Promise<[number, number[]]> {
      await sess.run(assign, { feed_dict: [[placed, x]] });
      const [f, g] = await sess.run([loss, gradient]);
      return [Number(f), list(g)];
    }
    let x = list(await sess.run(mixed));
    let [f, g] = await value_and_gradient(x);
    const pairs: [number[], number[]][] = [];
    for (const _ of range(3)) {
      let q = g.slice();
      const alphas: number[] = [];
      for (const [s, y] of pairs.slice().reverse()) {
        const a = dot(s, q) / dot(y, s);
        alphas.push(a);
        q = q.map((v, i) => v - a * y[i]);
      }
      if (pairs.length > 0) {
        const [s, y] = pairs[pairs.length - 1],
          scale = dot(s, y) / dot(y, y);
        q = q.map(v => v * scale);
      }
      for (const [k, [s, y]] of pairs.entries()) {
        const c = alphas[pairs.length - 1 - k] - dot(y, q) / dot(y, s);
        q = q.map((v, i) => v + s[i] * c);
      }
      const d = q.map(v => -v);
      let t = pairs.length === 0 ? 0.5 : 1.0;
      const moved = () => x.map((v, i) => v + t * d[i]);
      let [fn, gn] = await value_and_gradient(moved());
      while (fn > f + 1e-4 * t * dot(g, d)) {
        t *= 0.5;
        [fn, gn] = await value_and_gradient(moved());
      }
      pairs.push([d.map(v => t * v), gn.map((v, i) => v - g[i])]);
      [x, f, g] = [moved(), fn, gn];
      show("lbfgs", [f, t]);
    }
    show("mixed", await clipped.eval());
  }
  function tffunc(...argtypes: string[]) {
    const placeholders = argtypes.map(type => tf.placeholder(type));
    return (f: (...args: tf.Tensor[]) => tf.Tensor) => {
      const out = f(...placeholders);
      return (...args: tf.FeedValue[]): Promise<tf.NDArray> => out.eval({ feed_dict: placeholders.map((p, i) => [p, args[i]] as const) });
    };
  }
  const k = [1, 4, 6, 4, 1];
  const k5x5 = (scale: number) => k.map(a => k.map(b => range(3).map(i => range(3).map(j => (i === j ? (a * b * scale) / 256 : 0)))));
  function lap_split(img: tf.Tensor) {
    return tf.name_scope("split", () => {
      const lo = tf.nn.conv2d(img, k5x5(1), [1, 2, 2, 1], "SAME");
      const lo2 = tf.nn.conv2d_transpose(lo, k5x5(4), tf.shape(img), [1, 2, 2, 1]);
      return [lo, img.sub(lo2)];
    });
  }
  function lap_split_n(img: tf.Tensor, n: number) {
    const levels: tf.Tensor[] = [];
    for (const _ of range(n)) {
      const [lo, hi] = lap_split(img);
      img = lo;
      levels.push(hi);
    }
    levels.push(img);
    return levels.reverse();
  }
  function lap_merge(levels: tf.Tensor[]) {
    let img = levels[0];
    for (const hi of levels.slice(1)) {
      using _ = tf.name_scope("merge");
      img = tf.nn.conv2d_transpose(img, k5x5(4), tf.shape(hi), [1, 2, 2, 1]).add(hi);
    }
    return img;
  }
  const normalize_std = (img: tf.Tensor, eps = 1e-10) =>
    tf.name_scope("normalize", () => {
      const std = tf.sqrt(tf.reduce_mean(tf.square(img)));
      return img.div(tf.maximum(std, eps));
    });
  function lap_normalize(img: tf.Tensor, scale_n = 2) {
    img = tf.expand_dims(img, 0);
    let tlevels = lap_split_n(img, scale_n);
    tlevels = tlevels.map(level => normalize_std(level));
    const out = lap_merge(tlevels);
    return out.at(0, [], [], []);
  }
  tf.RegisterGradient("GuidedRelu")((op: tf.Operation, grad: tf.Tensor) =>
    tf.where(tf.less(0.0, grad), tf.raw_ops.ReluGrad({ gradients: grad, features: op.outputs[0] }), tf.zeros_like(grad)),
  );
  {
    const graph = tf.Graph();
    using _graph = graph.as_default();
    await using sess = new tf.Session({ graph });
    using _ = sess.as_default();
    tf.set_random_seed(5);
    const t_input = tf.placeholder(tf.float32, { name: "input" });
    const t_preprocessed = tf.expand_dims(t_input.sub(0.5), 0);
    t_preprocessed.set_shape([1, null, null, 3]);
    const layers = net(t_preprocessed);
    const guided: Layers = graph.gradient_override_map({ Relu: "GuidedRelu" }, () => net(t_preprocessed, true));
    const t_score = tf.reduce_mean(layers["relu3_1"].at(tf.ellipsis, 2));
    const t_grad = tf.gradients(t_score, t_input)[0];
    const t_saliency = tf.gradients(tf.reduce_max(guided["relu3_1"], 3), t_input)[0];
    const resize = tffunc(
      tf.float32,
      tf.int32,
    )((img, size) => {
      img = tf.expand_dims(img, 0);
      return tf.image.resize_bilinear(img, size).at(0, [], [], []);
    });
    const lap_norm_func = tffunc(tf.float32)(img => lap_normalize(img));
    const shift = tf.placeholder(tf.int32, [2]);
    const t_rolled = tf.roll(t_input, shift, { axis: [0, 1] });
    await sess.run(tf.global_variables_initializer());
    const rolled = (value: tf.FeedValue, by: number[]) =>
      sess.run(
        t_rolled,
        new Map<tf.Tensor, tf.FeedValue>([
          [t_input, value],
          [shift, by],
        ]),
      );
    async function calc_grad_tiled(img: tf.NDArray, seed: number, tile_size = 10) {
      const [h, w] = img.shape;
      const [sx, sy] = ints(seed, tile_size, 2).toArray() as number[];
      const img_shift = (await rolled(img, [sy, sx])).toArray() as number[][][];
      const grad = tf.NDArray.zeros("float32", img.shape).toArray() as number[][][];
      const half = Math.floor(tile_size / 2);
      for (let y = 0; y < Math.max(h - half, tile_size); y += tile_size)
        for (let x = 0; x < Math.max(w - half, tile_size); x += tile_size) {
          const sub = img_shift.slice(y, y + tile_size).map(row => row.slice(x, x + tile_size));
          const g = (await sess.run(t_grad, [[t_input, sub]])).toArray() as number[][][];
          for (const [i, row] of g.entries()) grad[y + i].splice(x, row.length, ...row);
        }
      return rolled(grad, [-sy, -sx]);
    }
    let img = rnd(7, 14, 14, 3);
    for (const octave of range(2)) {
      if (octave > 0) {
        const hw = img.shape.slice(0, 2).map(d => Math.trunc(d * 1.4));
        img = await resize(img, hw);
      }
      for (const i of range(2)) {
        let g = await calc_grad_tiled(img, octave * 2 + i);
        g = await lap_norm_func(g);
        img = new tf.NDArray(
          "float32",
          img.shape,
          (img.data as Float32Array).map((v, k) => v + Number(g.data[k]) * 0.05),
        );
      }
      show("octave", [img.shape, img]);
    }
    show("saliency", await sess.run(t_saliency, [[t_input, img]]));
  }
}
