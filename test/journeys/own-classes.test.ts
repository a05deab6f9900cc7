// Classes of a program's own under those of the library: layers, cells, optimizers and hooks as TensorFlow 1 programs write them in Python.

import * as camel from "tensorloom";
import * as tf from "tensorloom/compat";
import { describe, expect, it } from "vitest";

/** What a class of Python's API is to a class that extends it: its members have no types there. */
// any: as in Python, a class gives itself members as it goes
type Open = new (...given: any[]) => any;
const { Layer } = tf.layers as object as { Layer: Open };
const { RNNCell } = tf.nn.rnn_cell as object as { RNNCell: Open };
const { Optimizer } = tf.train as object as { Optimizer: Open };

class MyDense extends Layer {
  constructor(units: number) {
    super();
    this.units = units;
  }
  build(input_shape: { readonly 1: { readonly value: number } }) {
    this.kernel = this.add_weight("kernel", { shape: [input_shape[1].value, this.units], initializer: tf.ones_initializer() });
    this.bias = this.add_variable("bias", [this.units], tf.float32, tf.zeros_initializer());
    super.build(input_shape);
  }
  call(x: camel.Tensor) {
    return tf.matmul(x, this.kernel).add(this.bias);
  }
}

class Cell extends RNNCell {
  constructor(units: number) {
    super();
    this.units = units;
  }
  get state_size(): number {
    return this.units;
  }
  get output_size(): number {
    return this.units;
  }
  build(shape: { readonly 1: { readonly value: number } }) {
    this.kernel = this.add_variable("kernel", [shape[1].value + this.units, this.units]);
  }
  call(x: camel.Tensor, state: camel.Tensor) {
    const next = tf.tanh(tf.matmul(tf.concat([x, state], 1), this.kernel));
    return [next, next];
  }
}

class Momentum extends Optimizer {
  constructor(rate: number) {
    super(false, "MyMomentum");
    this.rate = rate;
  }
  _prepare() {
    this.rate_t = tf.convert_to_tensor(this.rate);
  }
  _create_slots(variables: readonly camel.Variable[]) {
    for (const variable of variables) this._zeros_slot(variable, "m", this._name);
  }
  _apply_dense(gradient: camel.Tensor, variable: camel.Variable) {
    const m = this.get_slot(variable, "m");
    return tf.assign_sub(variable, m.assign(m.mul(0.9).add(gradient)).mul(this.rate_t));
  }
}

describe("classes of a program's own", () => {
  it("a layer is built from the shape of its input", async () => {
    using _ = new tf.Graph().as_default();
    const layer = new MyDense(2);
    const called = layer as object as (x: camel.Tensor) => camel.Tensor;
    const [first, second] = [called(tf.ones([2, 3])), called(tf.ones([1, 3]))];
    const session = new tf.Session();
    await session.run(tf.global_variables_initializer());
    expect((await session.run(tf.concat([first, second], 0))).toArray()).toEqual(Array(3).fill([3, 3]));
    expect(layer.variables.map((variable: camel.Variable) => variable.name)).toEqual(["my_dense/kernel:0", "my_dense/bias:0"]);
  });

  it("so is a cell, once", () => {
    using _ = new tf.Graph().as_default();
    const [outputs] = tf.nn.dynamic_rnn(new Cell(3), tf.ones([2, 4, 5]), { dtype: tf.float32 });
    expect(String((outputs as camel.Tensor).shape)).toBe("(2, 4, 3)");
    expect(tf.trainable_variables().map(({ name }) => name)).toEqual(["rnn/cell/kernel:0"]);
  });

  it("an optimizer says how a gradient changes a variable", async () => {
    using _ = new tf.Graph().as_default();
    const v = tf.Variable([1, 2], { name: "v" });
    const train = new Momentum(0.25).minimize(tf.reduce_sum(tf.square(v)));
    const session = new tf.Session();
    await session.run(tf.global_variables_initializer());
    await session.run(train);
    expect((await session.run(v)).toArray()).toEqual([0.5, 1]);
    expect(tf.global_variables().map(({ name }) => name)).toEqual(["v:0", "v/MyMomentum:0"]);
  });

  it("a layer in tensorloom's own spelling has a name without being given one", () => {
    class Scaled extends camel.layers.Layer {
      override build(inputShape: camel.TensorShape): void {
        this.addWeight("scale", { shape: [inputShape.dim(1) as number] });
      }
      override call(x: camel.Tensor): camel.Tensor {
        return x.mul(this.variables[0]);
      }
    }
    using _ = new camel.Graph().asDefault();
    expect(new Scaled().apply(camel.ones([2, 3])).name).toBe("scaled/mul:0");
    expect(new Scaled({ name: "own" }).apply(camel.ones([2, 3])).name).toBe("own/mul:0");
  });

  it("weights of a layer are read and set, losses and updates added, training switched off", async () => {
    using _ = new tf.Graph().as_default();
    const x = tf.placeholder(tf.float32, [null, 2]);
    const layer = tf.layers.Dense(1, { name: "d" });
    layer(x);
    const session = new tf.Session();
    await layer.set_weights([[[2], [3]], [0.5]], session);
    expect((await layer.get_weights(session)).map(value => value.toArray())).toEqual([[[2], [3]], [0.5]]);
    expect((await session.run(layer(x), [[x, [[1, 10]]]])).toArray()).toEqual([[32.5]]);
    await expect(layer.set_weights([[[2], [3]]], session)).rejects.toThrow(
      'on layer "d" with a weight list of length 1, but the layer was expecting 2 weights.',
    );
    await expect(layer.set_weights([[2, 3], [0.5]], session)).rejects.toThrow(
      "Layer weight shape (2, 1) not compatible with provided weight shape (2,)",
    );
    layer.add_loss([tf.constant(1), tf.constant(2)]);
    layer.add_update([tf.no_op(), tf.no_op()]);
    expect([layer.losses.length, tf.get_collection("regularization_losses").length, layer.updates.length]).toEqual([2, 2, 2]);
    layer.trainable = false;
    expect([layer.trainable_variables.length, layer.non_trainable_variables.length, layer.weights.length]).toEqual([0, 2, 2]);
  });
});

describe("messages and options", () => {
  it("the fields of messages are read by both spellings", async () => {
    using _ = new tf.Graph().as_default();
    const value = tf.exp(tf.constant(1));
    const run_metadata = new tf.RunMetadata();
    await new tf.Session().run(value, null, { options: new tf.RunOptions({ trace_level: 3 }), run_metadata });
    const { step_stats } = run_metadata as object as { step_stats: { dev_stats: readonly { node_stats: readonly object[] }[] } };
    expect(step_stats.dev_stats[0].node_stats.length).toBeGreaterThan(0);
    const summary = await new tf.Session().run(tf.summary.scalar("x", tf.constant(2)));
    const read = tf.Summary.FromString(summary) as object as { value: readonly { simple_value: number }[] };
    expect(read.value[0].simple_value).toBe(2);
  });

  it("an option of another name is refused with the nearest one", () => {
    using _ = new camel.Graph().asDefault();
    const misspelt = { keepDim: true } as object;
    expect(() => camel.reduceSum(camel.ones([2, 2]), misspelt)).toThrow(
      /got an unexpected keyword argument 'keepDim'\n\nDid you mean 'keepdims'/i,
    );
  });

  it("options of a layer, of loops and of newer names are taken", () => {
    using _ = new camel.Graph().asDefault();
    const x = camel.placeholder(camel.float32, [2, 8, 8, 3]);
    const { layers } = camel;
    layers.batchNormalization(x, { name: "a", training: true, fused: true });
    layers.separableConv2d(x, 4, 3, { name: "b" });
    layers.conv2dTranspose(x, 4, 3, { name: "c" });
    layers.maxPooling2d(x, 2, 2, { name: "d" });
    const given = { name: "e", dtype: camel.float32, trainable: false };
    for (const layer of [new layers.BatchNormalization(given), new layers.Conv2D(4, 3, given), new layers.MaxPooling2D(2, 2, given)])
      layer.apply(x);
    const rows = layers.flatten(x);
    layers.dense(rows, 3, { name: "f" });
    layers.dropout(rows, { rate: 0.3, training: true, name: "g" });
    camel.scan((sum, row) => camel.add(sum as camel.Tensor, row as camel.Tensor), rows, { reverse: true, name: "h" });
    expect(camel.nn.conv2d(x, { filters: camel.zeros([3, 3, 3, 4]), strides: 1, padding: "SAME" }).shape.asList()).toEqual([2, 8, 8, 4]);
  });

  it("a supervisor's session stops it when it is closed", async () => {
    using _ = new camel.Graph().asDefault();
    const v = new camel.Variable(1);
    const supervisor = new camel.train.Supervisor({ logdir: null, saver: null, summaryOp: null });
    const session = await supervisor.managedSession();
    expect((await session.run(v)).item()).toBe(1);
    await session.close();
    expect(supervisor.shouldStop()).toBe(true);
  });
});

describe("what Python hands to a program's own functions", () => {
  it("regularizers get the variable: one that clips it, and adds no loss", async () => {
    using _ = new tf.Graph().as_default();
    const clip = (weights: tf.Variable): null => {
      tf.add_to_collection("clip", tf.assign(weights, tf.clip_by_norm(weights, 1)));
      return null;
    };
    tf.get_variable("w", { initializer: tf.constant([3, 4]), regularizer: clip });
    tf.layers.dense(tf.ones([1, 2]), 1, { kernel_initializer: tf.ones_initializer(), kernel_regularizer: clip });
    await using session = new tf.Session();
    await session.run(tf.global_variables_initializer());
    const [first, second] = await session.run(tf.get_collection("clip"));
    expect([...first.data, ...second.data]).toEqual([0.6, 0.8, Math.SQRT1_2, Math.SQRT1_2].map(x => expect.closeTo(x, 6)));
    expect(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)).toEqual([]);
  });

  it("optimizers get slices, with repeated rows summed; those for resource variables get their parts", async () => {
    using _ = new tf.Graph().as_default();
    const seen: string[] = [];
    class Rows extends tf.train.Optimizer {
      _apply_sparse(gradient: tf.IndexedSlices, variable: tf.Variable) {
        seen.push("rows");
        return tf.scatter_sub(variable, gradient.indices, gradient.values);
      }
      _resource_apply_sparse(gradient: tf.Tensor, handle: tf.Variable, indices: tf.Tensor) {
        seen.push("resource");
        return tf.scatter_sub(handle, indices, gradient);
      }
    }
    const make = (name: string, use_resource: boolean): tf.Variable =>
      tf.get_variable(name, [3, 1], { initializer: tf.zeros_initializer(), use_resource });
    const tables = [make("a", false), make("b", true)];
    const picked = tables.map(table => tf.reduce_sum(tf.nn.embedding_lookup(table, [2, 0, 2])));
    const step = new Rows(false, "Rows").minimize(tf.add_n(picked));
    await using session = new tf.Session();
    await session.run(tf.global_variables_initializer());
    await session.run(step);
    for (const value of await session.run(tables)) expect([...value.data]).toEqual([-1, 0, -2]);
    expect(seen).toEqual(["rows", "resource"]);
  });
});

it("has types for what programs write as functions", async () => {
  const average = new camel.train.ExponentialMovingAverage(0.5);
  const averaged: camel.CustomGetter = (getter, name, options) => {
    const variable = getter(name, options);
    return average.average(variable) ?? variable;
  };
  const decay: camel.Regularizer = w => camel.nn.l2Loss(w);
  const unit: camel.Constraint = w => w.div(camel.norm(w));
  const scaled: camel.Activation = x => x.mul(2);
  const network = (customGetter: camel.CustomGetter | null): camel.Tensor =>
    camel.variableScope("net", { reuse: camel.AUTO_REUSE, customGetter }, () =>
      camel.layers.dense(camel.constant([[1, 2]]), 1, {
        activation: scaled,
        kernelRegularizer: decay,
        kernelConstraint: unit,
        kernelInitializer: camel.onesInitializer(),
      }),
    );
  const graph = new camel.Graph();
  using _ = graph.asDefault();
  const plain = network(null);
  const [kernel] = camel.trainableVariables();
  const apply = average.apply([kernel]);
  const change = kernel.assign([[3], [3]]);
  await using session = new camel.Session();
  const smooth = network(averaged);
  await session.run(camel.globalVariablesInitializer());
  await session.run(change);
  await session.run(apply);
  expect((await session.run([plain, smooth])).map(value => value.item())).toEqual([18, 12]);
});
