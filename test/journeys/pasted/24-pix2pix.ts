// CycleGAN and pix2pix: instance norm by moments, reflected padding, optimizers on scopes, a pool of images, averages of losses, linear decay of rates:
// its twin in Python line by line.

import * as tf from "tensorloom/compat";
import { each, range, rnd, type Show } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  tf.set_random_seed(1234);
  class ImagePool {
    images: tf.NDArray[] = [];
    seed = 5;
    pool_size: number;
    constructor(pool_size: number) {
      this.pool_size = pool_size;
    }
    query(image: tf.NDArray): tf.NDArray {
      if (this.images.length < this.pool_size) {
        this.images.push(image);
        return image;
      }
      this.seed += 1;
      const [p, r] = rnd(this.seed, 2).data as Float32Array;
      if (p > 0.5) {
        const k = Math.trunc(r * this.pool_size);
        const tmp = this.images[k];
        this.images[k] = image;
        return tmp;
      }
      return image;
    }
  }
  function _weights(name: string, shape: unknown[], { mean = 0.0, stddev = 0.02 } = {}) {
    return tf.get_variable(name, shape, { initializer: tf.random_normal_initializer({ mean, stddev, dtype: tf.float32 }) });
  }
  function _biases(name: string, shape: unknown[], constant = 0.0) {
    return tf.get_variable(name, shape, { initializer: tf.constant_initializer(constant) });
  }
  function _instance_norm(input: tf.Tensor) {
    return tf.variable_scope("instance_norm", () => {
      const depth = input.get_shape()[3];
      const scale = _weights("scale", [depth], { mean: 1.0 });
      const offset = _biases("offset", [depth]);
      const [mean, variance] = tf.nn.moments(input, { axes: [1, 2], keep_dims: true });
      const epsilon = 1e-5;
      const inv = tf.rsqrt(variance.add(epsilon));
      const normalized = input.sub(mean).mul(inv);
      return scale.mul(normalized).add(offset);
    });
  }
  const ones = [1, 1, 1, 1];
  const around = [
    [0, 0],
    [1, 1],
    [1, 1],
    [0, 0],
  ];
  function c7s1_k(
    input: tf.Tensor,
    k: number,
    { reuse = false, norm = "instance" as string | null, activation = "relu", name = "c7s1_k" } = {},
  ) {
    return tf.variable_scope(name, { reuse }, () => {
      const weights = _weights("weights", [3, 3, input.get_shape()[3], k], { stddev: 0.2 });
      const padded = tf.pad(input, around, "REFLECT");
      const conv = tf.nn.conv2d(padded, weights, { strides: ones, padding: "VALID" });
      const normalized = norm === "instance" ? _instance_norm(conv) : conv;
      return activation === "relu" ? tf.nn.relu(normalized) : tf.nn.tanh(normalized);
    });
  }
  function Rk(input: tf.Tensor, k: number, { reuse = false, name = "" } = {}) {
    return tf.variable_scope(name, { reuse }, () => {
      let outs = input;
      for (const layer of ["layer1", "layer2"]) {
        using _ = tf.variable_scope(layer, { reuse });
        const weights = _weights("weights", [3, 3, outs.get_shape()[3], k], { stddev: 0.2 });
        outs = tf.nn.conv2d(tf.pad(outs, around, "SYMMETRIC"), weights, { strides: ones, padding: "VALID" });
        outs = _instance_norm(outs);
        if (layer === "layer1") outs = tf.nn.relu(outs);
      }
      return input.add(outs);
    });
  }
  function uk(input: tf.Tensor, k: number, { reuse = false, name = "", output_size = 0 } = {}) {
    return tf.variable_scope(name, { reuse }, () => {
      const input_shape = input.get_shape().as_list();
      const weights = _weights("weights", [3, 3, k, input_shape[3]], { stddev: 0.2 });
      output_size = output_size || input_shape[1]! * 2;
      const output_shape = [input_shape[0], output_size, output_size, k];
      const fsconv = tf.nn.conv2d_transpose(input, weights, { output_shape, strides: [1, 2, 2, 1], padding: "SAME" });
      return tf.nn.relu(_instance_norm(fsconv));
    });
  }
  abstract class Net {
    reuse = false;
    variables: tf.Variable[] = [];
    name: string;
    constructor(name: string) {
      this.name = name;
    }
    abstract layers(input: tf.Tensor): tf.Tensor;
    call(input: tf.Tensor) {
      const output = tf.variable_scope(this.name, () => this.layers(input));
      this.reuse = true;
      this.variables = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, { scope: this.name });
      return output;
    }
  }
  class Generator extends Net {
    ngf = 4;
    layers(input: tf.Tensor) {
      const { reuse } = this;
      const c = c7s1_k(input, this.ngf, { reuse, name: "c7s1_32" });
      const d = tf.variable_scope("d64", { reuse }, () =>
        tf.nn.relu(
          _instance_norm(
            tf.nn.conv2d(c, _weights("weights", [3, 3, this.ngf, 6], { stddev: 0.2 }), { strides: [1, 2, 2, 1], padding: "SAME" }),
          ),
        ),
      );
      const r = Rk(d, 6, { reuse, name: "R6_1" });
      const u = uk(r, this.ngf, { reuse, name: "u32" });
      return c7s1_k(u, 3, { norm: null, activation: "tanh", reuse, name: "output" });
    }
  }
  class Discriminator extends Net {
    layers(input: tf.Tensor) {
      const { reuse } = this;
      const h = tf.variable_scope("C64", { reuse }, () => {
        const w = _weights("weights", [4, 4, input.get_shape()[3], 5], { stddev: 0.2 });
        const h = tf.nn.conv2d(input, w, { strides: [1, 2, 2, 1], padding: "SAME" });
        return tf.maximum(tf.multiply(0.2, h), h);
      });
      return tf.variable_scope("output", { reuse }, () => {
        const w = _weights("weights", [4, 4, 5, 1], { stddev: 0.2 });
        return tf.nn.conv2d(h, w, { strides: ones, padding: "SAME" }).add(_biases("biases", [1]));
      });
    }
  }
  const G = new Generator("G"),
    F = new Generator("F"),
    D_Y = new Discriminator("D_Y"),
    D_X = new Discriminator("D_X");
  const S = 8,
    REAL_LABEL = 0.9,
    lambda1 = 10.0,
    B = 1;
  function make_optimizer(loss: tf.Tensor, variables: tf.Variable[], { name = "Adam" } = {}) {
    const global_step = tf.Variable(tf.constant(0, tf.int32), { trainable: false });
    const starter_learning_rate = 2e-3,
      end_learning_rate = 0.0,
      start_decay_step = 2,
      decay_steps = 4;
    const learning_rate = tf.where(
      tf.greater_equal(global_step, start_decay_step),
      tf.train.polynomial_decay(starter_learning_rate, global_step.sub(start_decay_step), decay_steps, end_learning_rate, { power: 1.0 }),
      starter_learning_rate,
    );
    tf.summary.scalar(`learning_rate/${name}`, learning_rate);
    return tf.train.AdamOptimizer(learning_rate, { beta1: 0.5, name }).minimize(loss, { global_step, var_list: variables });
  }
  const convert2int = (image: tf.Tensor) => tf.image.convert_image_dtype(image.add(1.0).div(2.0), tf.uint8);
  const batch_convert2int = (images: tf.Tensor): tf.Tensor => tf.map_fn(convert2int, images, { dtype: tf.uint8 });
  const x = tf.placeholder(tf.float32, [B, S, S, 3]);
  const y = tf.placeholder(tf.float32, [B, S, S, 3]);
  const fake_x_in = tf.placeholder(tf.float32, { shape: [B, S, S, 3] });
  const fake_y_in = tf.placeholder(tf.float32, { shape: [B, S, S, 3] });
  const fake_y = G.call(x),
    fake_x = F.call(y);
  const cycle_loss = tf
    .multiply(lambda1, tf.reduce_mean(tf.abs(F.call(fake_y).sub(x))))
    .add(tf.multiply(lambda1, tf.reduce_mean(tf.abs(G.call(fake_x).sub(y)))));
  const gen = (D: Net, fake: tf.Tensor) => tf.reduce_mean(tf.squared_difference(D.call(fake), REAL_LABEL));
  const dis = (D: Net, real: tf.Tensor, fake: tf.Tensor) =>
    tf
      .reduce_mean(tf.squared_difference(D.call(real), REAL_LABEL))
      .add(tf.reduce_mean(tf.square(D.call(fake))))
      .div(2);
  const G_loss = gen(D_Y, fake_y).add(cycle_loss),
    F_loss = gen(D_X, fake_x).add(cycle_loss);
  const D_Y_loss = dis(D_Y, y, fake_y_in),
    D_X_loss = dis(D_X, x, fake_x_in);
  show(
    "vars",
    tf.trainable_variables().map(v => v.name),
  );
  const G_optimizer = make_optimizer(G_loss, G.variables, { name: "Adam_G" });
  const D_Y_optimizer = make_optimizer(D_Y_loss, D_Y.variables, { name: "Adam_D_Y" });
  const F_optimizer = make_optimizer(F_loss, F.variables, { name: "Adam_F" });
  const D_X_optimizer = make_optimizer(D_X_loss, D_X.variables, { name: "Adam_D_X" });
  const ema = tf.train.ExponentialMovingAverage({ decay: 0.99 });
  const update_losses = ema.apply([G_loss, D_Y_loss]);
  const gen_loss_GAN = ema.average(G_loss),
    dis_loss = ema.average(D_Y_loss);
  const display = tf.name_scope("encode_images", () => ({
    inputs: tf.map_fn(tf.image.encode_png, batch_convert2int(x), { dtype: tf.string, name: "input_pngs" }),
    outputs: tf.map_fn(tf.image.encode_png, batch_convert2int(G.call(x)), { dtype: tf.string, name: "output_pngs" }),
  }));
  tf.summary.image("X/generated", batch_convert2int(G.call(x)));
  tf.summary.image("X/reconstruction", batch_convert2int(F.call(G.call(x))));
  for (const v of D_X.variables) tf.summary.histogram(v.op.name + "/values", v);
  const summary_op = tf.summary.merge_all();
  show(
    "scopes",
    tf
      .get_default_graph()
      .get_operations()
      .filter(op => op.type === "MirrorPadGrad")
      .map(op => op.name),
  );
  await using sess = new tf.Session();
  await sess.run(tf.global_variables_initializer());
  const fake_Y_pool = new ImagePool(2),
    fake_X_pool = new ImagePool(2);
  let feed!: Map<tf.Tensor, tf.FeedValue>;
  for (const step of range(5)) {
    const scaled = (seed: number) => each(rnd(seed, B, S, S, 3), v => v * 2 - 1);
    feed = new Map<tf.Tensor, tf.FeedValue>([
      [x, scaled(step)],
      [y, scaled(step + 60)],
    ]);
    const [fake_y_val, fake_x_val] = await sess.run([fake_y, fake_x], feed);
    feed.set(fake_y_in, fake_Y_pool.query(fake_y_val));
    feed.set(fake_x_in, fake_X_pool.query(fake_x_val));
    const trained = async (loss: tf.Tensor, train: tf.Operation) => (await sess.run([loss, train], feed))[0];
    const g = await trained(G_loss, G_optimizer),
      dy = await trained(D_Y_loss, D_Y_optimizer);
    const f = await trained(F_loss, F_optimizer),
      dx = await trained(D_X_loss, D_X_optimizer);
    await sess.run(update_losses, feed);
    show("step", [g, dy, f, dx]);
  }
  show("averages", await sess.run([gen_loss_GAN, dis_loss]));
  const results = await sess.run(display, feed);
  for (const name of ["inputs", "outputs"] as const) show(name, await sess.run(tf.image.decode_png(results[name][0])));
  const summary = tf.Summary.FromString(await sess.run(summary_op, feed));
  show(
    "tags",
    summary.value.map(v => v.tag),
  );
  show(
    "rates",
    summary.value.filter(v => v.HasField("simple_value")).map(v => v.simple_value),
  );
}
