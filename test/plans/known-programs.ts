// Programs as lowerings of well-known graphs build them, for the golden texts of their Plans.
import { NDArray } from "../../src/base/ndarray.ts";
import * as ir from "../../src/ir/build.ts";
import { addIndex, constantIndex, dataIndex, scaleIndex } from "../../src/ir/index-map.ts";
import type { Program, State, Value } from "../../src/ir/program.ts";
import { loadScalar, s } from "../../src/ir/scalar.ts";

export const program = (build: () => readonly Value[]): Program => {
  const builder = new ir.ProgramBuilder();
  const results = ir.building(builder, build);
  return { steps: builder.steps, results };
};

export const variable = (id: string, shape: readonly number[]): State => ({ id, dtype: "float32", shape, role: "variable" });
const read = (state: State): Value => ir.readState(state, `${state.id}/read`);

/** softmax over rows, and its cross entropy with labels. */
export const softmax = (): Program =>
  program(() => {
    const x = ir.feed("x", "float32", [64, 10]);
    const labels = ir.feed("labels", "float32", [64, 10]);
    const shifted = ir.map((a, m) => s.sub(a, m), x, ir.reduce("max", x, [1], { keepDims: true }));
    const e = ir.map(a => s.exp(a), shifted);
    const sum = ir.reduce("sum", e, [1], { keepDims: true });
    const logSum = ir.map(a => s.log(a), sum);
    const terms = ir.map((l, a, z) => s.mul(l, s.sub(z, a)), labels, shifted, logSum);
    const loss = ir.map(a => s.mul(a, 1 / 64), ir.reduce("sum", ir.reduce("sum", terms, [1]), [0]));
    return [ir.map((a, z) => s.div(a, z), e, sum), loss];
  });

/** NHWC convolution, stride 1, zero padded to the same size. */
export function convolution(x: Value, filter: Value): Value {
  const [n, h, w] = x.shape;
  const [kh, kw, cin, cout] = filter.shape;
  return ir.contract([n, h, w, cout], [kh, kw, cin], (i, r) => [
    ir.operand(x, [
      i[0],
      addIndex(addIndex(i[1], r[0]), constantIndex(-(kh >> 1))),
      addIndex(addIndex(i[2], r[1]), constantIndex(-(kw >> 1))),
      r[2],
    ]),
    ir.operand(filter, [r[0], r[1], r[2], i[3]]),
  ]);
}

export const addBias = (x: Value, bias: Value): Value => ir.map((a, b) => s.add(a, b), x, bias);
export const relu = (x: Value): Value => ir.map(a => s.max(a, 0), x);

/** Max pooling by windows of 2 × 2 that do not overlap. */
export function pool(x: Value): Value {
  const [n, h, w, c] = x.shape;
  return ir.reduceOver("max", [n, h / 2, w / 2, c], [2, 2], (i, r) =>
    loadScalar(x, [i[0], addIndex(scaleIndex(i[1], 2), r[0]), addIndex(scaleIndex(i[2], 2), r[1]), i[3]]),
  );
}

export const matmul = (a: Value, b: Value): Value =>
  ir.contract([a.shape[0], b.shape[1]], [a.shape[1]], (i, r) => [ir.operand(a, [i[0], r[0]]), ir.operand(b, [r[0], i[1]])]);

/** Convolution, bias, relu, pool, flattened into a dense layer. */
export const convolutionLayer = (): Program =>
  program(() => {
    const x = ir.reshape(ir.feed("x", "float32", [2, 784]), [2, 28, 28, 1]);
    const filter = read(variable("filter", [5, 5, 1, 32]));
    const bias = read(variable("bias", [32]));
    const pooled = pool(relu(addBias(convolution(x, filter), bias)));
    const flat = ir.reshape(pooled, [2, 14 * 14 * 32]);
    return [addBias(matmul(flat, read(variable("weights", [14 * 14 * 32, 10]))), read(variable("bias2", [10])))];
  });

/** Adam's update of one variable. */
export function adam(name: string, shape: readonly number[], gradient: Value, rate: Value): void {
  const [w, m, v] = [variable(name, shape), variable(`${name}/m`, shape), variable(`${name}/v`, shape)];
  const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-8];
  const newM = ir.map((a, g) => s.add(a, s.mul(s.sub(g, a), 1 - beta1)), read(m), gradient);
  const newV = ir.map((a, g) => s.add(a, s.mul(s.sub(s.mul(g, g), a), 1 - beta2)), read(v), gradient);
  ir.updateState(m, newM);
  ir.updateState(v, newV);
  ir.updateState(
    w,
    ir.map((a, m1, v1, lr) => s.sub(a, s.div(s.mul(m1, lr), s.add(s.sqrt(v1), epsilon))), read(w), newM, newV, rate),
  );
}

/** One dense layer trained by Adam on squared errors: forward, gradient, update. */
export const adamStep = (): Program =>
  program(() => {
    const x = ir.feed("x", "float32", [20, 784]);
    const y = ir.feed("y", "float32", [20, 10]);
    const predicted = addBias(matmul(x, read(variable("w", [784, 10]))), read(variable("b", [10])));
    const error = ir.map((a, b) => s.sub(a, b), predicted, y);
    const loss = ir.map(a => s.mul(a, 1 / 200), ir.reduce("sum", error, [0, 1], { f: a => s.mul(a, a) }));
    const d = ir.map(a => s.mul(a, 2 / 200), error);
    const dw = matmul(ir.transpose(x, [1, 0]), d);
    const db = ir.reduce("sum", d, [0]);
    const power1 = variable("beta1_power", []);
    const power2 = variable("beta2_power", []);
    const rate = ir.map(
      (p1, p2) => s.div(s.mul(s.sqrt(s.sub(s.constant("float32", 1), p2)), 0.001), s.sub(s.constant("float32", 1), p1)),
      read(power1),
      read(power2),
    );
    adam("w", [784, 10], dw, rate);
    adam("b", [10], db, rate);
    ir.updateState(
      power1,
      ir.map(p => s.mul(p, 0.9), read(power1)),
    );
    ir.updateState(
      power2,
      ir.map(p => s.mul(p, 0.999), read(power2)),
    );
    return [loss];
  });

/** An embedding looked up with a bounds check, and its rows moved by their gradient. */
export const sparseUpdate = (): Program =>
  program(() => {
    const table = variable("embedding", [1000, 16]);
    const ids = ir.feed("ids", "int32", [32]);
    ir.check([32], ([i]) => s.and(s.ge(loadScalar(ids, [i]), 0), s.lt(loadScalar(ids, [i]), 1000)), {
      label: "embedding_lookup",
      reads: [ids],
      error: () => new Error("out of range"),
    });
    const rows = ir.generate([32, 16], ([i, j]) => loadScalar(read(table), [dataIndex(loadScalar(ids, [i]), 1000), j]));
    const loss = ir.reduce("sum", rows, [0, 1], { f: a => s.mul(a, a) });
    const updated = ir.scatter("sub", read(table), [32, 16], ([i, j]) => ({
      at: [loadScalar(ids, [i]), s.index(j)],
      body: s.mul(loadScalar(rows, [i, j]), 0.02),
    }));
    ir.updateState(table, updated);
    return [loss];
  });

/** A recurrent cell in a loop that stacks its outputs. */
export const recurrentLoop = (): Program =>
  program(() => {
    const x = ir.feed("x", "float32", [20, 4, 8]);
    const kernel = read(variable("kernel", [24, 16]));
    const initial = [ir.full("int32", [], 0), ir.full("float32", [4, 16], 0), ir.full("float32", [20, 4, 16], 0)];
    const condition = ir.region(initial, t => [ir.map(n => s.lt(n, 20), t)]);
    const body = ir.region(initial, (t, h, outputs) => {
      const now = ir.generate([4, 8], ([i, j]) => loadScalar(x, [dataIndex(loadScalar(t, []), 20), i, j]));
      const next = ir.map(a => s.tanh(a), matmul(ir.concat([now, h], 1), kernel));
      const stacked = ir.scatter("assign", outputs, [4, 16], ([i, j]) => ({
        at: [loadScalar(t, []), s.index(i), s.index(j)],
        body: loadScalar(next, [i, j]),
      }));
      return [ir.map(n => s.add(n, 1), t), next, stacked];
    });
    const [, last, outputs] = ir.loop(initial, condition, body);
    return [last, outputs];
  });

/** Layer normalization of rows. */
export const layerNorm = (): Program =>
  program(() => {
    const x = ir.feed("x", "float32", [32, 256]);
    const gain = ir.constant(NDArray.from(Array.from({ length: 256 }, (_, i) => 1 + i / 256)));
    const mean = ir.map(a => s.mul(a, 1 / 256), ir.reduce("sum", x, [1], { keepDims: true }));
    const centred = ir.map((a, m) => s.sub(a, m), x, mean);
    const variance = ir.map(a => s.mul(a, 1 / 256), ir.reduce("sum", centred, [1], { keepDims: true, f: a => s.mul(a, a) }));
    const scale = ir.map(a => s.rsqrt(s.add(a, 1e-5)), variance);
    return [ir.map((a, b, c) => s.mul(s.mul(a, b), c), centred, scale, gain)];
  });
