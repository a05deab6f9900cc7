// Cells and what runs them over sequences, against recordings of TensorFlow (generate/recurrent.py): nodes in order with names and inputs, variables,
// outputs, and the gradients of their squares.

import { expect, it } from "vitest";
import type { NDArray } from "../../src/base/ndarray.ts";
import type { Tensor } from "../../src/graph/operation.ts";
import * as tf from "../../src/index.ts";
import { loadSpec } from "./golden.ts";

interface Recorded {
  readonly ops: readonly (readonly [name: string, type: string, inputs: readonly string[], controls: readonly string[]])[];
  readonly vars: readonly string[];
  readonly values: readonly (readonly number[])[];
  /** The sum of absolute values of each variable's gradient. */
  readonly grads: readonly number[];
}

const recorded = loadSpec("recurrent") as Readonly<Record<string, Recorded>>;
const { nn } = tf;
const { BasicLSTMCell, BasicRNNCell, DeviceWrapper, DropoutWrapper, GRUCell, LSTMCell, MultiRNNCell, ResidualWrapper, RNNCell } =
  nn.rnnCell;

const dtype = "float32";
const x = (): Tensor =>
  tf.constant(
    [0, 1].map(b => [0, 1, 2].map(t => [0, 1, 2, 3].map(d => (((b * 12 + t * 4 + d) % 7) - 3) / 5))),
    { dtype, name: "x" },
  );
const steps = (input: Tensor): readonly Tensor[] => tf.unstack(input, { axis: 1 });
const leaves = (value: unknown): Tensor[] => (Array.isArray(value) ? [...value].flatMap(leaves) : [value as Tensor]);

/** A user's cell, whose variables come from getVariable. */
class Elman extends RNNCell {
  readonly size: number;
  constructor(size: number) {
    super({}, "My");
    this.size = size;
  }
  override get stateSize(): number {
    return this.size;
  }
  override get outputSize(): number {
    return this.size;
  }
  override call(inputs: Tensor, state: Tensor): [Tensor, Tensor] {
    const w = tf.getVariable("w", [4, this.size]);
    const u = tf.getVariable("u", [this.size, this.size]);
    const h = tf.tanh(tf.matmul(inputs, w).add(tf.matmul(state, u)));
    return [h, h];
  }
}

const programs: Readonly<Record<string, (input: Tensor) => unknown>> = {
  lstm_full: input => {
    const cell = new LSTMCell(5, { usePeepholes: true, cellClip: 0.3, numProj: 3, projClip: 0.1, forgetBias: 0.5 });
    return nn.dynamicRnn(cell, input, { sequenceLength: [2, 3], dtype });
  },
  lstm_concat: input => nn.dynamicRnn(new LSTMCell(5, { stateIsTuple: false, activation: nn.relu }), input, { dtype }),
  basic_concat: input => nn.dynamicRnn(new BasicLSTMCell(5, { stateIsTuple: false, name: "mine" }), input, { dtype, timeMajor: true }),
  multi_static_len: input =>
    nn.staticRnn(new MultiRNNCell([new GRUCell(4), new BasicRNNCell(3)]), steps(input), { sequenceLength: [1, 2], dtype }),
  multi_concat: input => nn.dynamicRnn(new MultiRNNCell([new GRUCell(4), new BasicRNNCell(3)], { stateIsTuple: false }), input, { dtype }),
  static_bidir: input => nn.staticBidirectionalRnn(new GRUCell(4), new GRUCell(4), steps(input), { dtype }),
  static_bidir_len: input => nn.staticBidirectionalRnn(new GRUCell(4), new GRUCell(4), steps(input), { sequenceLength: [1, 3], dtype }),
  dyn_bidir_len: input => nn.bidirectionalDynamicRnn(new BasicLSTMCell(4), new BasicLSTMCell(4), input, { sequenceLength: [1, 3], dtype }),
  dropout: input => {
    const keep = { inputKeepProb: 0.7, outputKeepProb: 0.5, stateKeepProb: 0.8, seed: 11 };
    return nn.staticRnn(new DropoutWrapper(new BasicLSTMCell(4), keep), steps(input), { dtype });
  },
  dropout_var: input => {
    const keep = {
      inputKeepProb: 0.7,
      outputKeepProb: 0.5,
      stateKeepProb: 0.8,
      seed: 11,
      variationalRecurrent: true,
      inputSize: 4,
      dtype,
    } as const;
    return nn.dynamicRnn(new DropoutWrapper(new BasicLSTMCell(4), keep), input, { dtype });
  },
  residual_device: input => {
    const placed = new DeviceWrapper(new LSTMCell(3), "/cpu:0");
    return nn.dynamicRnn(new MultiRNNCell([new ResidualWrapper(new GRUCell(4)), placed, new DropoutWrapper(new GRUCell(2))]), input, {
      dtype,
    });
  },
  multi_of_multi: input => {
    const cell = new MultiRNNCell([new MultiRNNCell([new GRUCell(4), new GRUCell(3)]), new GRUCell(2)]);
    const start = cell.zeroState(2, dtype);
    return tf.variableScope("m", () => {
      const [first, state] = cell.apply(input.at([null, null], 0), start);
      const [second, last] = cell.apply(input.at([null, null], 1), state);
      return [first, second, last];
    });
  },
  manual_loop: input => {
    const initializer = tf.truncatedNormalInitializer({ stddev: 0.1, seed: 3 });
    const cell = new MultiRNNCell([0, 1].map(() => new LSTMCell(3, { initializer })));
    let state: unknown = cell.zeroState(2, dtype);
    const outputs = tf.variableScope("RNN", () =>
      [0, 1, 2].map(t => {
        if (t > 0) tf.getVariableScope().reuseVariables();
        const [output, next] = cell.apply(input.at([null, null], t, [null, null]), state);
        state = next;
        return output;
      }),
    );
    return [outputs, state];
  },
  raw: input => {
    const array = new tf.TensorArray(dtype, { size: 3 }).unstack(tf.transpose(input, [1, 0, 2]));
    const cell = new LSTMCell(3);
    const [emitted, state] = nn.rawRnn(cell, (time, output, state) => {
      const next = output === null ? cell.zeroState(2, dtype) : state;
      const finished = time.greaterEqual([2, 3]);
      const read = tf.cond(
        tf.reduceAll(finished),
        () => tf.zeros([2, 4]),
        () => array.read(time),
      );
      read.setShape([2, 4]);
      return [finished, read, next, output, null];
    });
    return [emitted.stack(), state];
  },
  custom: input => nn.dynamicRnn(new Elman(3), input, { dtype }),
  custom_static: input => nn.staticRnn(new Elman(3), steps(input), { dtype }),
};

const numbers = (array: NDArray): number[] => Array.from({ length: array.size }, (_, i) => Number(array.get(i)));

it("has a program for every recording", () => {
  expect(Object.keys(programs).sort()).toEqual(Object.keys(recorded).sort());
});

it.each(Object.keys(programs))("makes TensorFlow's nodes and numbers: %s", async name => {
  const graph = new tf.Graph();
  using _ = graph.asDefault();
  tf.setRandomSeed(7);
  const fetches = leaves(programs[name](x()));
  const want = recorded[name];
  const ops = graph
    .getOperations()
    .map(op => [op.name, op.type, op.inputs.map(input => input.name), op.controlInputs.map(control => control.name).sort()]);
  const at = want.ops.findIndex((op, i) => JSON.stringify(op) !== JSON.stringify(ops[i]));
  expect(ops[at]).toEqual(want.ops[at]);
  expect(ops.length).toBe(want.ops.length);
  const variables = tf.trainableVariables();
  expect(variables.map(variable => variable.name)).toEqual(want.vars);
  const loss = fetches.map(output => tf.reduceSum(output.mul(output))).reduce((sum, term) => sum.add(term));
  const gradients = tf.gradients(loss, variables) as Tensor[];
  const session = new tf.Session({ graph });
  await session.run(tf.globalVariablesInitializer());
  const values = (await session.run(fetches)) as NDArray[];
  values.forEach((value, k) => {
    numbers(value).forEach((element, i) => {
      expect(Math.abs(element - want.values[k][i])).toBeLessThan(1e-6 + 1e-5 * Math.abs(want.values[k][i]));
    });
  });
  ((await session.run(gradients)) as NDArray[]).forEach((gradient, k) => {
    const size = numbers(gradient).reduce((sum, element) => sum + Math.abs(element), 0);
    expect(Math.abs(size - want.grads[k])).toBeLessThan(1e-4 * Math.max(1, want.grads[k]));
  });
});

it("refuses what TensorFlow refuses, in its words", () => {
  const cell = new GRUCell(2);
  expect(() => nn.dynamicRnn({} as typeof cell, x())).toThrow(
    /^The argument 'cell' \(.*\) is not an RNNCell: 'output_size' property is missing/,
  );
  expect(() => nn.dynamicRnn(cell, x())).toThrow("If no initial_state is provided, argument `dtype` must be specified");
  expect(() => nn.staticRnn(cell, [])).toThrow("Argument `inputs` must not be empty.");
  expect(() => nn.dynamicRnn(cell, tf.placeholder(dtype, [2, 3, null]), { dtype })).toThrow(
    /^Input size \(depth of inputs\) must be accessible/,
  );
  expect(() => new MultiRNNCell([])).toThrow("Must specify at least one cell for MultiRNNCell.");
  expect(() => new MultiRNNCell([new LSTMCell(2)], { stateIsTuple: false })).toThrow(/^Some cells return tuples of states/);
  expect(() => new DropoutWrapper(cell, { inputKeepProb: 2 })).toThrow("Parameter input_keep_prob must be between 0 and 1. Received 2");
  expect(() => new GRUCell(2, { dtype: "int32" })).toThrow(
    "RNN cell only supports floating point inputs, but received dtype: <dtype: 'int32'>",
  );
});

it("unrolled steps take lengths that only the run tells, whichever of their results are wanted", async () => {
  using _ = new tf.Graph().asDefault();
  const [input, lengths] = [tf.placeholder(dtype, [2, 3, 2]), tf.placeholder("int32", [null])];
  const cell = new GRUCell(2);
  const [unrolled, last] = nn.staticRnn(cell, steps(input), { sequenceLength: lengths, dtype });
  const [looped] = tf.variableScope(tf.getVariableScope(), { reuse: true }, () =>
    nn.dynamicRnn(cell, input, { sequenceLength: lengths, dtype }),
  );
  await using session = new tf.Session();
  await session.run(tf.globalVariablesInitializer());
  const values = [1, 2].map(a => [1, 2, 3].map(b => [a * b, a - b]));
  const feeds: tf.Feeds = [
    [input, values],
    [lengths, [3, 1]],
  ];
  const inTime = leaves(unrolled);
  const want = await session.run(tf.transpose(looped as Tensor, [1, 0, 2]), feeds);
  const all = await session.run([...inTime, last as Tensor], feeds);
  for (const [t, step] of inTime.entries()) {
    const row = want.toArray()[t] as number[][];
    expect(all[t].toArray()).toEqual(row.map(numbers => numbers.map(x => expect.closeTo(x, 5))));
    expect((await session.run(step, feeds)).data).toEqual(all[t].data);
  }
  expect(all[3].toArray()).toEqual([all[2].toArray()[0], all[0].toArray()[1]]);
});
