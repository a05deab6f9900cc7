// ONNX models of the workloads that ONNX Runtime can run, written as protobuf by hand: a graph of nodes, initializers, one input x, one output y.
// Field numbers are those of onnx.proto (IR version 9, operator set 17). Layout NCHW, as the runtime wants it.

import { bottlenecks, normal, size } from "./protocol.mjs";

function varint(value) {
  const bytes = [];
  let rest = BigInt(value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

const number = (field, value) => Uint8Array.from([...varint(field << 3), ...varint(value)]);
const bytes = (field, content) => Buffer.concat([Uint8Array.from([...varint((field << 3) | 2), ...varint(content.length)]), content]);
const message = (field, ...parts) => bytes(field, Buffer.concat(parts));
const text = (field, value) => bytes(field, Buffer.from(value));
const float = (field, value) => Buffer.concat([Uint8Array.from(varint((field << 3) | 5)), new Uint8Array(Float32Array.of(value).buffer)]);

const attribute = (name, value) =>
  Array.isArray(value)
    ? message(5, text(1, name), ...value.map(each => number(8, each)), number(20, 7))
    : message(5, text(1, name), number(3, value), number(20, 2));

const described = (field, name, shape) =>
  message(field, text(1, name), message(2, message(1, number(1, 1), message(2, ...shape.map(d => message(1, number(1, d)))))));

/** A graph in the making: each method adds nodes and gives the name of its result. */
class Model {
  #parts = [];
  #count = 0;

  weight(shape, scale) {
    const name = `w${this.#count++}`;
    const raw = new Uint8Array(normal(shape, scale).buffer);
    this.#parts.push(message(5, ...shape.map(d => number(1, d)), number(2, 1), text(8, name), bytes(9, raw)));
    return name;
  }

  scalar(value) {
    const name = `s${this.#count++}`;
    this.#parts.push(message(5, number(2, 1), float(4, value), text(8, name)));
    return name;
  }

  node(type, inputs, attributes = {}, output = `v${this.#count++}`) {
    const parts = [...inputs.map(input => text(1, input)), text(2, output), text(4, type)];
    this.#parts.push(message(1, ...parts, ...Object.entries(attributes).map(([name, value]) => attribute(name, value))));
    return output;
  }

  conv(x, shape, { stride = 1, groups = 1, bias = true } = {}) {
    const [outputs, , k] = shape;
    const weights = [this.weight(shape, Math.sqrt(2 / size(shape.slice(1)))), ...(bias ? [this.weight([outputs], 0.1)] : [])];
    // TensorFlow's SAME: with stride 2 over an even size nothing is added in front.
    const [before, after] = [Math.floor((k - stride) / 2), Math.ceil((k - stride) / 2)];
    return this.node("Conv", [x, ...weights], {
      kernel_shape: [k, k],
      strides: [stride, stride],
      pads: [before, before, after, after],
      group: groups,
    });
  }

  bytes(input, output, last) {
    this.node("Identity", [last], {}, "y");
    const graph = message(7, ...this.#parts, text(2, "workload"), described(11, "x", input), described(12, "y", output));
    return Buffer.concat([number(1, 9), message(8, text(1, ""), number(2, 17)), graph]);
  }
}

export function cnnModel(batch) {
  const m = new Model();
  const pool = x => m.node("MaxPool", [m.node("Relu", [x])], { kernel_shape: [2, 2], strides: [2, 2] });
  const flat = m.node("Flatten", [pool(m.conv(pool(m.conv("x", [32, 1, 5, 5])), [64, 32, 5, 5]))]);
  const dense = m.node("Relu", [m.node("Gemm", [flat, m.weight([3136, 1024], 0.02), m.weight([1024], 0.1)])]);
  const logits = m.node("Gemm", [dense, m.weight([1024, 10], 0.03), m.weight([10], 0.1)]);
  return m.bytes([batch, 1, 28, 28], [batch, 10], logits);
}

export function mobileNetModel() {
  const m = new Model();
  const [zero, six] = [m.scalar(0), m.scalar(6)];
  const clipped = x => m.node("Clip", [x, zero, six]);
  let h = clipped(m.conv("x", [32, 3, 3, 3], { stride: 2 }));
  let channels = 32;
  for (const [expansion, outputs, repeats, first] of bottlenecks)
    for (let i = 0; i < repeats; i++) {
      const [wide, stride, input] = [channels * expansion, i === 0 ? first : 1, h];
      if (expansion !== 1) h = clipped(m.conv(h, [wide, channels, 1, 1]));
      h = m.conv(clipped(m.conv(h, [wide, 1, 3, 3], { stride, groups: wide })), [outputs, wide, 1, 1]);
      if (stride === 1 && channels === outputs) h = m.node("Add", [h, input]);
      channels = outputs;
    }
  const pooled = m.node("Flatten", [m.node("GlobalAveragePool", [clipped(m.conv(h, [1280, 320, 1, 1]))])]);
  return m.bytes([1, 3, 224, 224], [1, 1000], m.node("Gemm", [pooled, m.weight([1280, 1000], 0.03), m.weight([1000], 0.1)]));
}

export function productModel(n) {
  const m = new Model();
  return m.bytes([n, n], [n, n], m.node("MatMul", ["x", m.weight([n, n], 1)]));
}

export function convolutionModel(kind) {
  const m = new Model();
  const [inputs, shape, groups] = { conv3: [64, [64, 64, 3, 3], 1], conv1: [256, [64, 256, 1, 1], 1], dw3: [144, [144, 1, 3, 3], 144] }[
    kind
  ];
  return m.bytes([8, inputs, 56, 56], [8, shape[0], 56, 56], m.conv("x", shape, { groups, bias: false }));
}
