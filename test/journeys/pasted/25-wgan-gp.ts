// SAGAN and WGAN-GP: spectral norm whose power iteration is assigned under control dependencies, conditional batch norm, self-attention, gradient penalty,
// n critics: its twin in Python line by line.

import * as tf from "tensorloom/compat";
import { each, range, rnd, type Show } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  tf.set_random_seed(777);
  const weight_init = tf.random_normal_initializer({ mean: 0.0, stddev: 0.3 });
  function spectral_norm(w0: tf.Variable, iteration = 1) {
    const w_shape = w0.shape.as_list();
    const w = tf.reshape(w0, [-1, w_shape[w_shape.length - 1]]);
    const u = tf.get_variable("u", [1, w_shape[w_shape.length - 1]], { initializer: tf.truncated_normal_initializer(), trainable: false });
    let u_hat: tf.TensorLike = u;
    let v_hat!: tf.Tensor;
    for (const _ of range(iteration)) {
      const v_ = tf.matmul(u_hat, tf.transpose(w));
      v_hat = l2_norm(v_);
      const u_ = tf.matmul(v_hat, w);
      u_hat = l2_norm(u_);
    }
    u_hat = tf.stop_gradient(u_hat);
    v_hat = tf.stop_gradient(v_hat);
    const sigma = tf.matmul(tf.matmul(v_hat, w), tf.transpose(u_hat));
    return tf.control_dependencies([u.assign(u_hat)], () => {
      const w_norm = w.div(sigma);
      return tf.reshape(w_norm, w_shape);
    });
  }
  function l2_norm(v: tf.Tensor, eps = 1e-12) {
    return v.div(tf.reduce_sum(v.pow(2)).pow(0.5).add(eps));
  }
  function conv(x: tf.Tensor, channels: number, { kernel = 4, stride = 2, pad = 0, sn = false, scope = "conv_0" } = {}) {
    return tf.variable_scope(scope, () => {
      if (pad > 0)
        x = tf.pad(x, [
          [0, 0],
          [pad, pad],
          [pad, pad],
          [0, 0],
        ]);
      if (sn) {
        const w = tf.get_variable("kernel", { shape: [kernel, kernel, x.get_shape()[-1], channels], initializer: weight_init });
        x = tf.nn.conv2d({ input: x, filter: spectral_norm(w), strides: [1, stride, stride, 1], padding: "VALID" });
        const bias = tf.get_variable("bias", [channels], { initializer: tf.constant_initializer(0.0) });
        x = tf.nn.bias_add(x, bias);
      } else x = tf.layers.conv2d({ inputs: x, filters: channels, kernel_size: kernel, kernel_initializer: weight_init, strides: stride });
      return x;
    });
  }
  function deconv(x: tf.Tensor, channels: number, { kernel = 4, stride = 2, sn = false, scope = "deconv_0" } = {}) {
    return tf.variable_scope(scope, () => {
      const x_shape = x.get_shape().as_list() as number[];
      const output_shape = [x_shape[0], x_shape[1] * stride, x_shape[2] * stride, channels];
      const w = tf.get_variable("kernel", { shape: [kernel, kernel, channels, x.get_shape()[-1]], initializer: weight_init });
      return tf.nn.conv2d_transpose(x, {
        filter: sn ? spectral_norm(w) : w,
        output_shape,
        strides: [1, stride, stride, 1],
        padding: "SAME",
      });
    });
  }
  function fully_conneted(x: tf.Tensor, units: number, { use_bias = true, sn = false, scope = "fully_0" } = {}) {
    return tf.variable_scope(scope, () => {
      x = tf.layers.flatten(x);
      const shape = x.get_shape().as_list();
      const channels = shape[shape.length - 1];
      const w = tf.get_variable("kernel", [channels, units], tf.float32, { initializer: weight_init });
      x = tf.matmul(x, sn ? spectral_norm(w) : w);
      if (use_bias) x = x.add(tf.get_variable("bias", [units], { initializer: tf.constant_initializer(0.0) }));
      return x;
    });
  }
  function condition_batch_norm(x: tf.Tensor, z: tf.Tensor, is_training = true, scope = "batch_norm") {
    return tf.variable_scope(scope, () => {
      const [, , , c] = x.get_shape().as_list() as number[];
      const decay = 0.9,
        epsilon = 1e-5;
      const test_mean = tf.get_variable("pop_mean", {
        shape: [c],
        dtype: tf.float32,
        initializer: tf.constant_initializer(0.0),
        trainable: false,
      });
      const test_var = tf.get_variable("pop_var", {
        shape: [c],
        dtype: tf.float32,
        initializer: tf.constant_initializer(1.0),
        trainable: false,
      });
      let beta = fully_conneted(z, c, { scope: "beta", sn: true });
      let gamma = fully_conneted(z, c, { scope: "gamma", sn: true });
      beta = tf.reshape(beta, { shape: [-1, 1, 1, c] });
      gamma = tf.reshape(gamma, { shape: [-1, 1, 1, c] });
      if (is_training) {
        const [batch_mean, batch_var] = tf.nn.moments(x, [0, 1, 2]);
        const ema_mean = tf.assign(test_mean, test_mean.mul(decay).add(batch_mean.mul(1 - decay)));
        const ema_var = tf.assign(test_var, test_var.mul(decay).add(batch_var.mul(1 - decay)));
        return tf.control_dependencies([ema_mean, ema_var], () =>
          tf.nn.batch_normalization(x, batch_mean, batch_var, beta, gamma, epsilon),
        );
      }
      return tf.nn.batch_normalization(x, test_mean, test_var, beta, gamma, epsilon);
    });
  }
  const hw_flatten = (x: tf.Tensor) => tf.reshape(x, { shape: [x.shape[0], -1, x.shape[-1]] });
  function attention(x: tf.Tensor, channels: number, scope = "attention") {
    return tf.variable_scope(scope, () => {
      const half = Math.floor(channels / 2);
      const f = conv(x, half, { kernel: 1, stride: 1, sn: true, scope: "f_conv" });
      const g = conv(x, half, { kernel: 1, stride: 1, sn: true, scope: "g_conv" });
      const h = conv(x, channels, { kernel: 1, stride: 1, sn: true, scope: "h_conv" });
      const s = tf.matmul(hw_flatten(g), hw_flatten(f), { transpose_b: true });
      const beta = tf.nn.softmax(s);
      let o = tf.matmul(beta, hw_flatten(h));
      const gamma = tf.get_variable("gamma", [1], { initializer: tf.constant_initializer(0.0) });
      o = tf.reshape(o, { shape: x.shape });
      return gamma.mul(o).add(x);
    });
  }
  const B = 4,
    ZD = 6;
  function generator(z: tf.Tensor, { is_training = true, reuse = false } = {}) {
    return tf.variable_scope("generator", { reuse }, () => {
      let x = fully_conneted(z, 2 * 2 * 6, { use_bias: false, scope: "dense" });
      x = tf.reshape(x, [B, 2, 2, 6]);
      x = tf.nn.relu(condition_batch_norm(x, z, is_training, "cbn_0"));
      x = deconv(x, 5, { sn: true, scope: "deconv_0" });
      x = tf.nn.relu(condition_batch_norm(x, z, is_training, "cbn_1"));
      x = attention(x, 5, "attention");
      x = deconv(x, 3, { scope: "logit" });
      return tf.tanh(x);
    });
  }
  function discriminator(x: tf.Tensor, { reuse = false } = {}) {
    return tf.variable_scope("discriminator", { reuse }, () => {
      x = tf.nn.leaky_relu(conv(x, 5, { pad: 1, sn: true, scope: "conv_0" }), 0.2);
      x = attention(x, 5, "attention");
      x = tf.nn.leaky_relu(conv(x, 6, { pad: 1, sn: true, scope: "conv_1" }), 0.2);
      return fully_conneted(x, 1, { scope: "D_logits" });
    });
  }
  function gradient_penalty({ real, fake }: { real: tf.Tensor; fake: tf.Tensor }) {
    const eps = tf.random_normal({ shape: tf.shape(real), mean: 0.0, stddev: 1.0 });
    const [, x_var] = tf.nn.moments(real, { axes: [0, 1, 2, 3] });
    const x_std = tf.sqrt(x_var);
    const noise = tf.multiply(0.5, x_std).mul(eps);
    const shape = tf.shape(real);
    const alpha = tf.random_uniform({ shape: [shape[0], 1, 1, 1], minval: -1.0, maxval: 1.0 });
    const interpolated = real.add(alpha.mul(noise));
    const logit = discriminator(interpolated, { reuse: true });
    const grad = tf.gradients(logit, interpolated)[0];
    const grad_norm = tf.norm(tf.layers.flatten(grad), { axis: 1 });
    const GP = tf.multiply(10.0, tf.reduce_mean(tf.square(grad_norm.sub(1.0))));
    const epsilon = tf.random_uniform([B, 1, 1, 1], 0.0, 1.0);
    const x_hat = epsilon.mul(real).add(tf.subtract(1, epsilon).mul(fake));
    let ddx = tf.gradients(discriminator(x_hat, { reuse: true }), x_hat)[0];
    ddx = tf.sqrt(tf.reduce_sum(tf.square(ddx), { reduction_indices: [1, 2, 3] }));
    return GP.add(tf.reduce_mean(tf.square(tf.nn.relu(ddx.sub(0.5))).mul(3.0)));
  }
  const inputs = tf.placeholder(tf.float32, [B, 8, 8, 3], { name: "real_images" });
  const z = tf.placeholder(tf.float32, [B, ZD], { name: "z" });
  const real_logits = discriminator(inputs);
  const fake_images = generator(z);
  const fake_logits = discriminator(fake_images, { reuse: true });
  const GP = gradient_penalty({ real: inputs, fake: fake_images });
  const d_loss = tf.reduce_mean(real_logits).neg().add(tf.reduce_mean(fake_logits)).add(GP);
  const g_loss = tf.reduce_mean(fake_logits).neg();
  const t_vars = tf.trainable_variables();
  const d_vars = t_vars.filter(v => v.name.includes("discriminator"));
  const g_vars = t_vars.filter(v => v.name.includes("generator"));
  show(
    "vars",
    tf.global_variables().map(v => v.name),
  );
  const d_optim = tf.train.AdamOptimizer(0.02, { beta1: 0.0, beta2: 0.9 }).minimize(d_loss, { var_list: d_vars });
  const opti = tf.train.AdamOptimizer(0.01, { beta1: 0.0, beta2: 0.9 });
  const g_optim = opti.minimize(g_loss, { var_list: g_vars });
  const clip_D = d_vars.map(p => p.assign(tf.clip_by_value(p, -0.6, 0.6)));
  const reset = tf.variables_initializer(opti.variables());
  const test_images = generator(z, { is_training: false, reuse: true });
  await using sess = new tf.Session();
  using _ = sess.as_default();
  await tf.global_variables_initializer().run();
  let batch_z!: tf.NDArray;
  for (const idx of range(4)) {
    const batch_images = each(rnd(idx, B, 8, 8, 3), v => v * 2 - 1);
    batch_z = each(rnd(idx + 20, B, ZD), v => v * 2 - 1);
    const feed_dict: tf.Feeds = [
      [inputs, batch_images],
      [z, batch_z],
    ];
    let dl!: tf.NDArray, gp!: tf.NDArray;
    for (const _ of range(2)) [, dl, gp] = await sess.run([d_optim, d_loss, GP], { feed_dict });
    await sess.run(clip_D);
    const [, gl] = await sess.run([g_optim, g_loss], { feed_dict });
    show("loss", [dl, gp, gl]);
    if (idx === 2) await sess.run(reset);
  }
  show("images", await test_images.eval([[z, batch_z]]));
  const watched = tf.global_variables().filter(v => v.op.name.endsWith("/u") || v.name.includes("pop_"));
  show("u", await sess.run(watched.slice(0, 6)));
}
