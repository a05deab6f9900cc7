// Recurrent cells in one op each: an LSTM's step, all its steps at once, a GRU's step, and what their gradients are made of. The host computes them in
// double precision and rounds once. The cells made of plain ops are library/layers/rnn-cell.ts.

import type { NDArray } from "../../base/ndarray.ts";
import { type Dimension, sameShape, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp, type Gradients } from "../../graph/op-definition.ts";
import * as ir from "../../ir/build.ts";
import type { Value } from "../../ir/program.ts";
import { ValueError } from "../../base/errors.ts";
import { need } from "../arguments.ts";

const numbers = (array: NDArray): Float64Array => Float64Array.from({ length: array.size }, (_, i) => Number(array.get(i)));
const fill = (out: NDArray, values: Float64Array): void => values.forEach((value, i) => void out.set(i, value));

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** left [rows, inner] × right [inner, columns]. */
function product(left: Float64Array, right: Float64Array, rows: number, inner: number, columns: number): Float64Array {
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++)
    for (let k = 0; k < inner; k++) for (let j = 0; j < columns; j++) out[i * columns + j] += left[i * inner + k] * right[k * columns + j];
  return out;
}

/** left [rows, inner] × rightᵀ, right [columns, inner]. */
function productTransposed(left: Float64Array, right: Float64Array, rows: number, inner: number, columns: number): Float64Array {
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let k = 0; k < inner; k++) sum += left[i * inner + k] * right[j * inner + k];
      out[i * columns + j] = sum;
    }
  return out;
}

/** Rows of two matrices side by side. */
function beside(a: Float64Array, b: Float64Array, rows: number): Float64Array {
  const [m, n] = [a.length / Math.max(rows, 1), b.length / Math.max(rows, 1)];
  const out = new Float64Array(a.length + b.length);
  for (let i = 0; i < rows; i++) {
    out.set(a.subarray(i * m, (i + 1) * m), i * (m + n));
    out.set(b.subarray(i * n, (i + 1) * n), i * (m + n) + m);
  }
  return out;
}

/** Columns from `start` on of a matrix [rows, width]. */
function columns(matrix: Float64Array, width: number, start: number, count: number): Float64Array {
  const rows = matrix.length / Math.max(width, 1);
  const out = new Float64Array(rows * count);
  for (let i = 0; i < rows; i++) out.set(matrix.subarray(i * width + start, i * width + start + count), i * count);
  return out;
}

// ---- LSTM ----

/** Where the gates stand among the columns of the weights: input, new input, forget, output. */
interface Layout {
  readonly i: number;
  readonly ci: number;
  readonly f: number;
  readonly o: number;
}
const icfo: Layout = { i: 0, ci: 1, f: 2, o: 3 };
const ifco: Layout = { i: 0, f: 1, ci: 2, o: 3 };

interface Weights {
  readonly w: Float64Array;
  readonly wci: Float64Array;
  readonly wcf: Float64Array;
  readonly wco: Float64Array;
  readonly b: Float64Array;
}
interface Settings {
  readonly forgetBias: number;
  readonly cellClip: number;
  readonly usePeephole: boolean;
  readonly layout: Layout;
}
interface Sizes {
  readonly batch: number;
  readonly input: number;
  readonly cell: number;
}

interface Gates {
  readonly i: Float64Array;
  readonly cs: Float64Array;
  readonly f: Float64Array;
  readonly o: Float64Array;
  readonly ci: Float64Array;
  readonly co: Float64Array;
  readonly h: Float64Array;
}
const gateNames = ["i", "cs", "f", "o", "ci", "co", "h"] as const;

function lstmStep(x: Float64Array, csPrev: Float64Array, hPrev: Float64Array, weights: Weights, sizes: Sizes, settings: Settings): Gates {
  const { batch, input, cell } = sizes;
  const { forgetBias, cellClip, usePeephole, layout } = settings;
  const sums = product(beside(x, hPrev, batch), weights.w, batch, input + cell, 4 * cell);
  const make = (): Float64Array => new Float64Array(batch * cell);
  const gates: Gates = { i: make(), cs: make(), f: make(), o: make(), ci: make(), co: make(), h: make() };
  for (let row = 0; row < batch; row++)
    for (let k = 0; k < cell; k++) {
      const at = row * cell + k;
      const gate = (place: number): number => sums[(row * 4 + place) * cell + k] + weights.b[place * cell + k];
      const peep = (of: Float64Array, state: number): number => (usePeephole ? of[k] * state : 0);
      gates.i[at] = sigmoid(gate(layout.i) + peep(weights.wci, csPrev[at]));
      gates.f[at] = sigmoid(gate(layout.f) + forgetBias + peep(weights.wcf, csPrev[at]));
      gates.ci[at] = Math.tanh(gate(layout.ci));
      const state = gates.ci[at] * gates.i[at] + csPrev[at] * gates.f[at];
      gates.cs[at] = cellClip > 0 ? Math.min(Math.max(state, -cellClip), cellClip) : state;
      gates.o[at] = sigmoid(gate(layout.o) + peep(weights.wco, gates.cs[at]));
      gates.co[at] = Math.tanh(gates.cs[at]);
      gates.h[at] = gates.co[at] * gates.o[at];
    }
  return gates;
}

interface StepGradient {
  readonly csPrev: Float64Array;
  /** By the sums of the gates, in the weights' order. */
  readonly gates: Float64Array;
}

/** The gradient of a step; those of the peepholes are added to `peepholes`. */
function lstmStepGradient(
  step: Omit<Gates, "h">,
  csPrev: Float64Array,
  weights: Weights,
  { csGrad, hGrad }: { csGrad: Float64Array; hGrad: Float64Array },
  peepholes: Pick<Weights, "wci" | "wcf" | "wco">,
  { batch, cell }: Sizes,
  { usePeephole, layout }: Pick<Settings, "usePeephole" | "layout">,
): StepGradient {
  const gates = new Float64Array(batch * 4 * cell);
  const csPrevGrad = new Float64Array(batch * cell);
  for (let row = 0; row < batch; row++)
    for (let k = 0; k < cell; k++) {
      const at = row * cell + k;
      const [i, f, o, ci, co] = [step.i[at], step.f[at], step.o[at], step.ci[at], step.co[at]];
      const dO = o * (1 - o) * hGrad[at] * co;
      const dcs = (1 - co * co) * hGrad[at] * o + csGrad[at] + (usePeephole ? dO * weights.wco[k] : 0);
      const dci = (1 - ci * ci) * dcs * i;
      const df = f * (1 - f) * dcs * csPrev[at];
      const di = i * (1 - i) * dcs * ci;
      for (const [place, value] of [
        [layout.i, di],
        [layout.ci, dci],
        [layout.f, df],
        [layout.o, dO],
      ])
        gates[(row * 4 + place) * cell + k] = value;
      csPrevGrad[at] = dcs * f + (usePeephole ? di * weights.wci[k] + df * weights.wcf[k] : 0);
      if (!usePeephole) continue;
      peepholes.wci[k] += di * csPrev[at];
      peepholes.wcf[k] += df * csPrev[at];
      peepholes.wco[k] += dO * step.cs[at];
    }
  return { csPrev: csPrevGrad, gates };
}

const like = ({ dtype, shape }: Value) => ({ dtype, shape });
const weightInputs = { w: "T", wci: "T", wcf: "T", wco: "T", b: "T" } as const;
const gateOutputs = { i: "T", cs: "T", f: "T", o: "T", ci: "T", co: "T", h: "T" } as const;
const halfOrFull = attr.type(["float16", "float32"]);
const same = (count: number, dims: readonly Dimension[]): TensorShape[] => Array.from({ length: count }, () => new TensorShape(dims));

type Shape = readonly number[];
type Shapes = Readonly<Record<string, Shape>>;

/** The sizes of a row of parts, asked one after the other: `text[axis] != what: size vs. expected`. */
function needSize(name: string, size: number, what: string, expected: number): void {
  need(size === expected, () => `${name} != ${what}: ${size ?? "none"} vs. ${expected}`);
}

interface LstmShapes {
  readonly csPrev: Shape;
  readonly hPrev: Shape;
  readonly w: Shape;
  readonly wci: Shape;
  readonly wcf: Shape;
  readonly wco: Shape;
  readonly b: Shape;
}

/** What the kernels of all steps at once ask of the parts: each one's rank, then its sizes. */
function checkBlock(seqLenMax: Shape, x: Shape, { csPrev, hPrev, w, wci, wcf, wco, b }: LstmShapes): void {
  need(seqLenMax.length === 0, () => `\`seq_len_max_tensor\` must be rank 0 but is rank ${seqLenMax.length}`);
  need(x.length === 3, () => "x must be 3D");
  const [, batch, input] = x;
  need(csPrev.length === 2, () => "cs_prev must be 2D");
  const cell = csPrev[1];
  needSize("cs_prev.dims(0)", csPrev[0], "batch_size", batch);
  need(hPrev.length === 2, () => "h_prev must be 2D");
  needSize("h_prev.dims(0)", hPrev[0], "batch_size", batch);
  needSize("h_prev.dims(1)", hPrev[1], "cell_size", cell);
  need(w.length === 2, () => "w must be 2D");
  needSize("w.dim_size(0)", w[0], "input_size + cell_size", input + cell);
  needSize("w.dim_size(1)", w[1], "cell_size * 4", 4 * cell);
  for (const [name, dims] of Object.entries({ wci, wcf, wco })) {
    need(dims.length === 1, () => `${name} must be 1D`);
    needSize(`${name}.dim_size(0)`, dims[0], "cell_size", cell);
  }
  need(b.length === 1, () => "b must be 1D");
  needSize("b.dim_size(0)", b[0], "cell_size * 4", 4 * cell);
}

/** What the kernels of one step ask: all sizes, then all ranks. TensorFlow reads whatever a size of lower rank happens to be. */
function checkCell(x: Shape, { csPrev, hPrev, w, wci, wcf, wco, b }: LstmShapes, gates: Shapes = {}): void {
  const [batch, input] = x;
  const cell = csPrev[1];
  needSize("cs_prev.dims(0)", csPrev[0], "batch_size", batch);
  needSize("h_prev.dims(0)", hPrev[0], "batch_size", batch);
  needSize("h_prev.dims(1)", hPrev[1], "cell_size", cell);
  needSize("w.dim_size(0)", w[0], "input_size + cell_size", input + cell);
  needSize("w.dim_size(1)", w[1], "cell_size * 4", 4 * cell);
  needSize("b.dim_size(0)", b[0], "cell_size * 4", 4 * cell);
  for (const [name, dims] of Object.entries(gates)) {
    needSize(`${name}(0)`, dims[0], "batch_size", batch);
    // TensorFlow says i of f's columns.
    needSize(`${name === "f.dim_size" ? "i.dim_size" : name}(1)`, dims[1], "cell_size", cell);
  }
  const needRank = (name: string, dims: Shape, rank: number): void =>
    need(dims.length === rank, () => `${name}_tensor must be rank ${rank} but is rank ${dims.length}.`);
  needRank("x", x, 2);
  needRank("cs_prev", csPrev, 2);
  need(batch > 0 && cell > 0, () => `cs_prev_tensor is empty, has shape: (${csPrev}).`);
  needRank("h_prev", hPrev, 2);
  needRank("w", w, 2);
  for (const [name, dims] of Object.entries({ wci, wcf, wco, b })) needRank(name, dims, 1);
  for (const [name, dims] of Object.entries(gates)) needRank(name.slice(0, name.indexOf(".")).replace("_tensor", ""), dims, 2);
}

/** Vectors that are read have a number for each cell; TensorFlow reads beside them. */
function checkPeepholes(usePeephole: boolean, cell: number, vectors: Shapes): void {
  if (usePeephole) for (const [name, dims] of Object.entries(vectors)) needSize(`${name}.dim_size(0)`, dims[0], "cell_size", cell);
}

const sizesOf = (x: Value, csPrev: Value): Sizes => {
  const [batch, input] = x.shape.slice(-2);
  return { batch, input, cell: csPrev.shape[1] };
};

/** One step of an LSTM: all that its gradient needs. */
export const LSTMBlockCell = defineOp("LSTMBlockCell", {
  inputs: { x: "T", csPrev: "T", hPrev: "T", ...weightInputs },
  outputs: gateOutputs,
  attrs: { forgetBias: attr.float(1), cellClip: attr.float(3), usePeephole: attr.bool(false), T: halfOrFull },
  shape: ({ x, csPrev }) => same(7, [x.withRank(2).dim(0), csPrev.withRank(2).dim(1)]),
  checks: ({ x, usePeephole, ...parts }) => {
    checkCell(x, parts);
    checkPeepholes(usePeephole, parts.csPrev[1], { wci: parts.wci, wcf: parts.wcf, wco: parts.wco });
  },
  lower: ({ x, csPrev, hPrev, w, wci, wcf, wco, b, ...settings }) => {
    const sizes = sizesOf(x, csPrev);
    const run = (inputs: readonly NDArray[], outputs: readonly NDArray[]): void => {
      const [input, state, output, ...rest] = inputs.map(numbers);
      const gates = lstmStep(input, state, output, weightsOf(rest), sizes, { ...settings, layout: icfo });
      gateNames.forEach((name, k) => void fill(outputs[k], gates[name]));
    };
    return ir.call(
      { name: "LSTMBlockCell", run },
      [x, csPrev, hPrev, w, wci, wcf, wco, b],
      gateNames.map(() => like(csPrev)),
    );
  },
});

const weightsOf = ([w, wci, wcf, wco, b]: readonly Float64Array[]): Weights => ({ w, wci, wcf, wco, b });

export const LSTMBlockCellGrad = defineOp("LSTMBlockCellGrad", {
  inputs: { x: "T", csPrev: "T", hPrev: "T", ...weightInputs, i: "T", cs: "T", f: "T", o: "T", ci: "T", co: "T", csGrad: "T", hGrad: "T" },
  outputs: { csPrevGrad: "T", dicfo: "T", wciGrad: "T", wcfGrad: "T", wcoGrad: "T" },
  attrs: { usePeephole: attr.bool(), T: halfOrFull },
  shape: ({ x, csPrev }) => {
    const [batch, cell] = [x.withRank(2).dim(0), csPrev.withRank(2).dim(1)];
    return [new TensorShape([batch, cell]), new TensorShape([batch, cell === null ? null : 4 * cell]), ...same(3, [cell])];
  },
  checks: ({ x, i, cs, f, o, ci, co, csGrad, hGrad, usePeephole, ...parts }) => {
    const gates = { "i.dim_size": i, "cs.dim_size": cs, "f.dim_size": f, "o.dim_size": o, "ci.dim_size": ci, "co.dim_size": co };
    checkCell(x, parts, { ...gates, "cs_grad_tensor.dims": csGrad, "h_grad_tensor.dims": hGrad });
    checkPeepholes(usePeephole, parts.csPrev[1], { wci: parts.wci, wcf: parts.wcf, wco: parts.wco });
  },
  lower: ({ x, csPrev, hPrev: _h, w: _w, wci, wcf, wco, b: _b, i, cs, f, o, ci, co, csGrad, hGrad, usePeephole }) => {
    const sizes = sizesOf(x, csPrev);
    const { batch, cell } = sizes;
    const run = (inputs: readonly NDArray[], [csPrevGrad, dicfo, ...peepholeGrads]: readonly NDArray[]): void => {
      const [state, wi, wf, wo, gi, gcs, gf, go, gci, gco, dcs, dh] = inputs.map(numbers);
      const peepholes = { wci: new Float64Array(cell), wcf: new Float64Array(cell), wco: new Float64Array(cell) };
      const step = { i: gi, cs: gcs, f: gf, o: go, ci: gci, co: gco };
      const none = new Float64Array(0);
      const weights = { w: none, wci: wi, wcf: wf, wco: wo, b: none };
      const found = lstmStepGradient(step, state, weights, { csGrad: dcs, hGrad: dh }, peepholes, sizes, { usePeephole, layout: icfo });
      fill(csPrevGrad, found.csPrev);
      fill(dicfo, found.gates);
      [peepholes.wci, peepholes.wcf, peepholes.wco].forEach((values, k) => void fill(peepholeGrads[k], values));
    };
    const { dtype } = x;
    return ir.call(
      { name: "LSTMBlockCellGrad", run },
      [csPrev, wci, wcf, wco, i, cs, f, o, ci, co, csGrad, hGrad],
      [like(csPrev), { dtype, shape: [batch, 4 * cell] }, ...[1, 2, 3].map(() => ({ dtype, shape: [cell] }))],
    );
  },
});

const blockShape = (x: TensorShape, b: TensorShape): TensorShape[] => {
  const [time, batch] = [x.withRank(3).dim(0), x.dim(1)];
  const gates = b.withRank(1).dim(0);
  if (gates !== null && gates % 4 !== 0) throw new ValueError(`Dimension size must be evenly divisible by 4 but is ${gates}`);
  return same(7, [time, batch, gates === null ? null : gates / 4]);
};

interface BlockValues {
  readonly seqLenMax: Value;
  readonly x: Value;
  readonly csPrev: Value;
  readonly hPrev: Value;
  readonly w: Value;
  readonly b: Value;
  readonly wci: Value;
  readonly wcf: Value;
  readonly wco: Value;
}

/** All steps; those behind the longest sequence are zero. */
function lowerBlock({ seqLenMax, x, csPrev, hPrev, w, wci, wcf, wco, b }: BlockValues, settings: Settings): readonly Value[] {
  const [time, batch, input] = x.shape;
  const sizes = sizesOf(x, csPrev);
  const step = batch * sizes.cell;
  const run = ([longest, ...inputs]: readonly NDArray[], outputs: readonly NDArray[]): void => {
    const [xs, state, output, ...rest] = inputs.map(numbers);
    const weights = weightsOf(rest);
    let before = { cs: state, h: output };
    const count = Number(longest.get(0));
    need(count <= time, () => `The longest sequence has ${count} steps, the input ${time}.`);
    outputs.forEach(array => void fill(array, new Float64Array(array.size)));
    for (let t = 0; t < count; t++) {
      const gates = lstmStep(xs.subarray(t * batch * input, (t + 1) * batch * input), before.cs, before.h, weights, sizes, settings);
      gateNames.forEach((name, k) => void gates[name].forEach((value, i) => void outputs[k].set(t * step + i, value)));
      before = gates;
    }
  };
  const shape = [time, batch, sizes.cell];
  return ir.call(
    { name: "BlockLSTM", run },
    [seqLenMax, x, csPrev, hPrev, w, wci, wcf, wco, b],
    gateNames.map(() => ({ dtype: x.dtype, shape })),
  );
}

const blockInputs = { seqLenMax: "int64", x: "T", csPrev: "T", hPrev: "T", ...weightInputs } as const;

/** All steps of an LSTM whose forget gates get a bias of their own; gates in the order i, c, f, o. */
export const BlockLSTM = defineOp("BlockLSTM", {
  inputs: blockInputs,
  outputs: gateOutputs,
  attrs: { forgetBias: attr.float(1), cellClip: attr.float(3), usePeephole: attr.bool(false), T: halfOrFull },
  gradient: ({ usePeephole, ...record }, d): Gradients =>
    gradientsOf(BlockLSTMGrad({ ...tensorsOf(record), csGrad: d.cs, hGrad: d.h, usePeephole })),
  shape: ({ x, b }) => blockShape(x, b),
  checks: ({ seqLenMax, x, ...parts }) => checkBlock(seqLenMax, x, parts),
  lower: ({ forgetBias, cellClip, usePeephole, ...values }) => lowerBlock(values, { forgetBias, cellClip, usePeephole, layout: icfo }),
});

/** All steps of an LSTM; gates in the order i, f, c, o. */
export const BlockLSTMV2 = defineOp("BlockLSTMV2", {
  inputs: blockInputs,
  outputs: gateOutputs,
  attrs: { cellClip: attr.float(0), usePeephole: attr.bool(false), T: halfOrFull },
  gradient: ({ usePeephole, ...record }, d): Gradients =>
    gradientsOf(BlockLSTMGradV2({ ...tensorsOf(record), csGrad: d.cs, hGrad: d.h, usePeephole })),
  shape: ({ x, b }) => blockShape(x, b),
  checks: ({ seqLenMax, x, ...parts }) => checkBlock(seqLenMax, x, parts),
  lower: ({ cellClip, usePeephole, ...values }) => lowerBlock(values, { forgetBias: 0, cellClip, usePeephole, layout: ifco }),
});

const gradientInputs = { ...blockInputs, ...gateOutputs, csGrad: "T", hGrad: "T" } as const;
const gradientOutputs = {
  xGrad: "T",
  csPrevGrad: "T",
  hPrevGrad: "T",
  wGrad: "T",
  wciGrad: "T",
  wcfGrad: "T",
  wcoGrad: "T",
  bGrad: "T",
} as const;

/** The inputs and outputs of a BlockLSTM that its gradient takes. */
const tensorsOf = <R extends Readonly<Record<keyof typeof blockInputs | keyof typeof gateOutputs, unknown>>>(record: R) => {
  const { seqLenMax, x, csPrev, hPrev, w, wci, wcf, wco, b, i, cs, f, o, ci, co, h } = record;
  return { seqLenMax, x, csPrev, hPrev, w, wci, wcf, wco, b, i, cs, f, o, ci, co, h } as Pick<
    R,
    keyof typeof blockInputs | keyof typeof gateOutputs
  >;
};

const gradientsOf = (made: Readonly<Record<keyof typeof gradientOutputs, NonNullable<Gradients[string]>>>): Gradients => ({
  x: made.xGrad,
  csPrev: made.csPrevGrad,
  hPrev: made.hPrevGrad,
  w: made.wGrad,
  wci: made.wciGrad,
  wcf: made.wcfGrad,
  wco: made.wcoGrad,
  b: made.bGrad,
});

interface BlockGradientValues extends BlockValues {
  readonly i: Value;
  readonly cs: Value;
  readonly f: Value;
  readonly o: Value;
  readonly ci: Value;
  readonly co: Value;
  readonly h: Value;
  readonly csGrad: Value;
  readonly hGrad: Value;
}

function lowerBlockGradient(values: BlockGradientValues, settings: Pick<Settings, "usePeephole" | "layout">): readonly Value[] {
  const { seqLenMax, x, csPrev, hPrev, w, wci, wcf, wco, b, i, cs, f, o, ci, co, h, csGrad, hGrad } = values;
  const [time, batch, input] = x.shape;
  const sizes = sizesOf(x, csPrev);
  const { cell } = sizes;
  // TensorFlow reads beside what is smaller.
  for (const [name, { shape }] of Object.entries({ i, cs, f, o, ci, co, h, cs_grad: csGrad, h_grad: hGrad }))
    need(sameShape(shape, [time, batch, cell]), () => `${name} must have the shape [${[time, batch, cell]}], got [${shape}]`);
  const run = ([longest, ...inputs]: readonly NDArray[], outputs: readonly NDArray[]): void => {
    const [xs, state, output, mw, mi, mf, mo, mb, gi, gcs, gf, go, gci, gco, gh, dcs, dh] = inputs.map(numbers);
    const weights = weightsOf([mw, mi, mf, mo, mb]);
    const make = (size: number): Float64Array => new Float64Array(size);
    const peepholes = { wci: make(cell), wcf: make(cell), wco: make(cell) };
    const [dx, dw, db] = [make(xs.length), make(mw.length), make(mb.length)];
    let later = { cs: make(batch * cell), h: make(batch * cell) };
    const at = (array: Float64Array, t: number, size: number): Float64Array => array.subarray(t * size, (t + 1) * size);
    const count = Number(longest.get(0));
    need(count <= time, () => `The longest sequence has ${count} steps, the input ${time}.`);
    for (let t = count - 1; t >= 0; t--) {
      const [before, hBefore] = t === 0 ? [state, output] : [at(gcs, t - 1, batch * cell), at(gh, t - 1, batch * cell)];
      const [sgi, sgcs, sgf, sgo, sgci, sgco, sdcs, sdh] = [gi, gcs, gf, go, gci, gco, dcs, dh].map(array => at(array, t, batch * cell));
      const step = { i: sgi, cs: sgcs, f: sgf, o: sgo, ci: sgci, co: sgco };
      const incoming = { csGrad: sdcs.map((d, k) => d + later.cs[k]), hGrad: sdh.map((d, k) => d + later.h[k]) };
      const found = lstmStepGradient(step, before, weights, incoming, peepholes, sizes, settings);
      const both = productTransposed(found.gates, mw, batch, 4 * cell, input + cell);
      dx.set(columns(both, input + cell, 0, input), t * batch * input);
      later = { cs: found.csPrev, h: columns(both, input + cell, input, cell) };
      const xh = beside(at(xs, t, batch * input), hBefore, batch);
      for (let row = 0; row < batch; row++)
        for (let j = 0; j < 4 * cell; j++) {
          const d = found.gates[row * 4 * cell + j];
          db[j] += d;
          for (let k = 0; k < input + cell; k++) dw[k * 4 * cell + j] += xh[row * (input + cell) + k] * d;
        }
    }
    [dx, later.cs, later.h, dw, peepholes.wci, peepholes.wcf, peepholes.wco, db].forEach((array, k) => void fill(outputs[k], array));
  };
  return ir.call(
    { name: "BlockLSTMGrad", run },
    [seqLenMax, x, csPrev, hPrev, w, wci, wcf, wco, b, i, cs, f, o, ci, co, h, csGrad, hGrad],
    [x, csPrev, hPrev, w, wci, wcf, wco, b].map(like),
  );
}

export const BlockLSTMGrad = defineOp("BlockLSTMGrad", {
  inputs: gradientInputs,
  outputs: gradientOutputs,
  attrs: { usePeephole: attr.bool(), T: halfOrFull },
  shape: ({ x, csPrev, hPrev, w, wci, wcf, wco, b }) => gradientShapes(x, csPrev, hPrev, w, wci, wcf, wco, b),
  checks: ({ seqLenMax, x, ...parts }) => checkBlock(seqLenMax, x, parts),
  lower: ({ usePeephole, ...values }) => lowerBlockGradient(values, { usePeephole, layout: icfo }),
});

export const BlockLSTMGradV2 = defineOp("BlockLSTMGradV2", {
  inputs: gradientInputs,
  outputs: gradientOutputs,
  attrs: { usePeephole: attr.bool(), T: halfOrFull },
  shape: ({ x, csPrev, hPrev, w, wci, wcf, wco, b }) => gradientShapes(x, csPrev, hPrev, w, wci, wcf, wco, b),
  checks: ({ seqLenMax, x, ...parts }) => checkBlock(seqLenMax, x, parts),
  lower: ({ usePeephole, ...values }) => lowerBlockGradient(values, { usePeephole, layout: ifco }),
});

const gradientShapes = (
  x: TensorShape,
  csPrev: TensorShape,
  hPrev: TensorShape,
  w: TensorShape,
  ...vectors: TensorShape[]
): TensorShape[] => [x.withRank(3), csPrev.withRank(2), hPrev.withRank(2), w.withRank(2), ...vectors.map(vector => vector.withRank(1))];

// ---- GRU ----

const gruInputs = { x: "T", hPrev: "T", wRu: "T", wC: "T", bRu: "T", bC: "T" } as const;

interface GruValues {
  readonly x: Value;
  readonly hPrev: Value;
  readonly wRu: Value;
  readonly wC: Value;
  readonly bRu: Value;
  readonly bC: Value;
}

function needRanks(values: Readonly<Record<string, Value>>, rank: number): void {
  for (const [name, { shape }] of Object.entries(values))
    need(shape.length === rank, () => `Rank of ${name} must be ${rank}, got ${shape.length}`);
}

function checkGru({ x, hPrev, wRu, wC, bRu, bC }: GruValues): Sizes {
  const [batch, input] = x.shape;
  const [rows, cell] = hPrev.shape;
  needRanks({ x, h_prev: hPrev }, 2);
  need(rows === batch, () => `h_prev.dims(0) != batch_size: ${rows} vs. ${batch}`);
  needRanks({ w_ru_: wRu }, 2);
  need(wRu.shape[0] === input + cell, () => `w_ru.dim_size(0) != input_size + cell_size: ${wRu.shape[0]} vs. ${input + cell}`);
  need(wRu.shape[1] === 2 * cell, () => `w_ru.dim_size(1) != cell_size * 2: ${wRu.shape[1]} vs. ${2 * cell}`);
  needRanks({ w_c: wC }, 2);
  need(wC.shape[0] === input + cell, () => `w_c.dim_size(0) != input_size + cell_size: ${wC.shape[0]} vs. ${input + cell}`);
  need(wC.shape[1] === cell, () => `w_c.dim_size(1) != cell_size: ${wC.shape[1]} vs. ${cell}`);
  needRanks({ b_ru: bRu }, 1);
  need(bRu.shape[0] === 2 * cell, () => `b_ru.dim_size(0) != cell_size * 2: ${bRu.shape[0]} vs. ${2 * cell}`);
  needRanks({ b_c: bC }, 1);
  need(bC.shape[0] === cell, () => `b_c.dim_size(0) != cell_size: ${bC.shape[0]} vs. ${cell}`);
  return { batch, input, cell };
}

/** One step of a GRU: reset and update gates, the candidate, the new state. */
export const GRUBlockCell = defineOp("GRUBlockCell", {
  inputs: gruInputs,
  outputs: { r: "T", u: "T", c: "T", h: "T" },
  attrs: { T: attr.type(["float32"]) },
  shape: ({ x, hPrev }) => same(4, [x.withRank(2).dim(0), hPrev.withRank(2).dim(1)]),
  lower: ({ T: _, ...values }) => {
    const { batch, input, cell } = checkGru(values);
    const { x, hPrev, wRu, wC, bRu, bC } = values;
    const run = (inputs: readonly NDArray[], outputs: readonly NDArray[]): void => {
      const [xs, state, weights, weightsC, bias, biasC] = inputs.map(numbers);
      const gates = product(beside(xs, state, batch), weights, batch, input + cell, 2 * cell).map((sum, k) =>
        sigmoid(sum + bias[k % (2 * cell)]),
      );
      const r = columns(gates, 2 * cell, 0, cell);
      const u = columns(gates, 2 * cell, cell, cell);
      const reset = state.map((value, k) => value * r[k]);
      const c = product(beside(xs, reset, batch), weightsC, batch, input + cell, cell).map((sum, k) => Math.tanh(sum + biasC[k % cell]));
      const h = c.map((value, k) => u[k] * state[k] + (1 - u[k]) * value);
      [r, u, c, h].forEach((array, k) => void fill(outputs[k], array));
    };
    return ir.call({ name: "GRUBlockCell", run }, [x, hPrev, wRu, wC, bRu, bC], [hPrev, hPrev, hPrev, hPrev].map(like));
  },
});

export const GRUBlockCellGrad = defineOp("GRUBlockCellGrad", {
  inputs: { ...gruInputs, r: "T", u: "T", c: "T", dH: "T" },
  outputs: { dX: "T", dHPrev: "T", dCBar: "T", dRBarUBar: "T" },
  attrs: { T: attr.type(["float32"]) },
  shape: ({ x, hPrev, wRu }) => {
    const [matrix, state] = [x.withRank(2), hPrev.withRank(2)];
    const weights = wRu.withRank(2);
    const [batch, cell] = [matrix.dim(0), state.dim(1)];
    return [matrix, new TensorShape([batch, cell]), new TensorShape([batch, cell]), new TensorShape([batch, weights.dim(1)])];
  },
  lower: ({ T, r, u, c, dH, ...values }) => {
    const { batch, input, cell } = checkGru(values);
    for (const [name, value] of Object.entries({ r, u, c, d_h: dH })) {
      // TensorFlow's text names another tensor here.
      needRanks({ [name === "c" ? "w_c" : name]: value }, 2);
      need(value.shape[0] === batch, () => `${name}.dims(0) != batch_size: ${value.shape[0]} vs. ${batch}`);
      need(value.shape[1] === cell, () => `${name}.dims(1) != cell_size: ${value.shape[1]} vs. ${cell}`);
    }
    const { x, hPrev, wRu, wC } = values;
    const run = (inputs: readonly NDArray[], outputs: readonly NDArray[]): void => {
      const [state, weights, weightsC, gr, gu, gc, dh] = inputs.map(numbers);
      const dc = dh.map((d, k) => d * (1 - gu[k]) * (1 - gc[k] * gc[k]));
      const du = dh.map((d, k) => d * (state[k] - gc[k]) * gu[k] * (1 - gu[k]));
      const first = productTransposed(dc, weightsC, batch, cell, input + cell);
      const dReset = columns(first, input + cell, input, cell);
      const dr = dReset.map((d, k) => d * state[k] * gr[k] * (1 - gr[k]));
      const gates = beside(dr, du, batch);
      const second = productTransposed(gates, weights, batch, 2 * cell, input + cell);
      const dx = columns(first, input + cell, 0, input).map((d, k) => d + columnAt(second, k, input, cell));
      const dState = columns(second, input + cell, input, cell).map((d, k) => d + dReset[k] * gr[k] + dh[k] * gu[k]);
      [dx, dState, dc, gates].forEach((array, k) => void fill(outputs[k], array));
    };
    return ir.call(
      { name: "GRUBlockCellGrad", run },
      [hPrev, wRu, wC, r, u, c, dH],
      [like(x), like(hPrev), like(hPrev), { dtype: T, shape: [batch, 2 * cell] }],
    );
  },
});

/** Element `k` of the first `input` columns of a matrix that has `cell` more. */
const columnAt = (matrix: Float64Array, k: number, input: number, cell: number): number =>
  matrix[Math.floor(k / input) * (input + cell) + (k % input)];
