// Static shapes: runs an op's shape function with what is known of its inputs, and turns its complaints into TensorFlow's messages.
// Values of small integer tensors are followed through the ops that shapes are computed with (`partial`), so reshape(x, [shape(x)[0], -1]) is known.

import type { DType } from "../base/dtype.ts";
import { isBigInteger } from "../base/dtype.ts";
import { UnimplementedError, ValueError } from "../base/errors.ts";
import { NDArray } from "../base/ndarray.ts";
import { TensorShape } from "../base/shape.ts";
import type { AttrValue } from "./attributes.ts";
import { groupByName, typesOf } from "./build-operation.ts";
import { captureSource } from "./captures.ts";
import { formatNode, type NodeText } from "./format.ts";
import type { OpDefinition, PartialArray, ShapeContext } from "./op-definition.ts";
import type { Operation, Tensor } from "./operation.ts";

export interface InferenceInput {
  readonly node: NodeText;
  readonly definition: OpDefinition;
  readonly inputs: readonly Tensor[];
  readonly attrs: Readonly<Record<string, AttrValue>>;
}

/** Output shapes of a node about to be made. @throws ValueError with TensorFlow's text. */
export function inferShapes({ node, definition, inputs, attrs }: InferenceInput): TensorShape[] {
  const used = new Map<number, string>();
  const asShapes = new Map<number, string>();
  const shapes = inputs.map(tensor => tensor.shape);
  const record = { ...groupByName(definition, "inputs", attrs, shapes), ...attrs };
  const context = contextFor(node.name, definition, inputs, attrs, used, asShapes);
  const count = typesOf(definition, "outputs", attrs).length;
  try {
    const result = definition.shape(record, context);
    const list = result === undefined ? [] : Array.isArray(result) ? result : [result as TensorShape];
    const outputs: TensorShape[] = [];
    for (let i = 0; i < count; i++) outputs.push(list[i] ?? TensorShape.unknown());
    return outputs;
  } catch (error) {
    if (error instanceof UnimplementedError) throw new UnimplementedError(describe(error.message, node, shapes, used, asShapes));
    if (!(error instanceof ValueError) || error instanceof InvalidShape) throw error;
    // TensorFlow asks first without any values: what is wrong then is told without them.
    const early = used.size + asShapes.size > 0 ? complaintOf(() => definition.shape(record, blind(context))) : undefined;
    if (early) throw new ValueError(describe(early.reason, node, shapes, new Map(), new Map()), early.hint);
    throw new ValueError(describe(error.reason, node, shapes, used, asShapes), error.hint);
  }
}

/** A size below -1 (unknown): TensorFlow says so without naming the node. */
class InvalidShape extends ValueError {}

function complaintOf(ask: () => unknown): ValueError | undefined {
  try {
    ask();
  } catch (error) {
    if (error instanceof ValueError) return error;
  }
  return undefined;
}

/** A context that knows no values. */
const blind = (context: ShapeContext): ShapeContext => ({
  ...context,
  constant: () => undefined,
  partial: () => undefined,
  scalarSize: () => null,
  shapeFrom: (input, admitsScalars) => shapeFromPartial(undefined, vectorShape(context.shapeOf(input), admitsScalars)),
});

function describe(
  reason: string,
  node: NodeText,
  shapes: readonly TensorShape[],
  used: ReadonlyMap<number, string>,
  asShapes: ReadonlyMap<number, string>,
): string {
  // What was asked for as a shape is not told as a value as well.
  const values = new Map([...used].filter(([at]) => !asShapes.has(at)));
  const tail = `${listed(" and with computed input tensors: ", values)}${listed(" and with input tensors computed as partial shapes: ", asShapes, ",")}.`;
  return `${reason} for '${formatNode(node)}' with input shapes: ${shapes.map(shape => (shape.dims === null ? "?" : shape.format())).join(", ")}${tail}`;
}

const listed = (label: string, texts: ReadonlyMap<number, string>, comma = ", "): string =>
  texts.size === 0
    ? ""
    : label +
      [...texts]
        .sort(([a], [b]) => a - b)
        .map(([i, text]) => `input[${i}] = ${text}`)
        .join(comma);

function contextFor(
  name: string,
  definition: OpDefinition,
  inputs: readonly Tensor[],
  attrs: Readonly<Record<string, AttrValue>>,
  used: Map<number, string>,
  asShapes: Map<number, string>,
): ShapeContext {
  // Few shape functions ask for more than shapes.
  let positions: Record<string, number | readonly number[]> | undefined;
  const position = (input: string, index = 0): number => {
    positions ??= groupByName(
      definition,
      "inputs",
      attrs,
      inputs.map((_, i) => i),
    );
    const at = positions[input];
    return typeof at === "number" ? at : (at as readonly number[])[index];
  };
  const constant = (input: string, index?: number): NDArray | undefined => {
    const at = position(input, index);
    const value = constantValue(inputs[at]) ?? foldedValue(inputs[at]);
    if (value !== undefined) used.set(at, `<${summary([...value.shape], k => String(value.get(k)))}>`);
    return value;
  };
  const partial = (input: string, index?: number): PartialArray | undefined => {
    const at = position(input, index);
    const value = partialOrFolded(inputs[at]);
    if (value?.values.every(v => v !== null)) used.set(at, `<${summary([...value.shape], k => String(value.values[k]))}>`);
    return value;
  };
  return {
    name,
    constant,
    partial,
    scalarSize: (input, rank) => sizeFromPartial(partial(input), position(input), rank),
    shapeFrom: (input, admitsScalars) => {
      const at = position(input);
      const value = partialOrFolded(inputs[at]);
      if (admitsScalars && inputs[at].shape.rank === 0) refuseScalar(value, inputs[at].dtype);
      const known = shapeFromPartial(value, vectorShape(inputs[at].shape, admitsScalars));
      asShapes.set(at, known.dims === null ? "<unknown>" : known.format());
      return known;
    },
    handle: input => handleOf(inputs[position(input)]),
    dtype: (input, index): DType => inputs[position(input, index)].dtype,
    shapeOf: input => inputs[position(input)].shape,
  };
}

const mostShown = 256;

/** `1 2 3`, `[1 2][3 4]`: elements as TensorFlow sums a tensor up. */
function summary([size = 1, ...inner]: readonly number[], item: (k: number) => string, start = 0): string {
  const each = inner.reduce((product, d) => product * d, 1);
  const count = Math.min(size, mostShown);
  if (inner.length === 0) return Array.from({ length: count }, (_, k) => item(start + k)).join(" ");
  return Array.from({ length: count }, (_, k) => `[${summary(inner, item, start + k * each)}]`).join("");
}

/** @throws InvalidShape for a scalar that is not known to be -1. */
function refuseScalar(value: PartialArray | undefined, dtype: DType): void {
  const [size] = value?.values ?? [null];
  if (size === null)
    throw new InvalidShape(
      "Received a shape scalar with unknown static value.  A static value of '-1' is required to represent an unknown shape.",
    );
  if (size !== -1)
    throw new InvalidShape(
      `Received an invalid shape scalar with a static value that is not '-1': Tensor<type: ${dtype} shape: [] values: ${size}>`,
    );
}

const vectorShape = (shape: TensorShape, admitsScalars = false): TensorShape =>
  admitsScalars ? shape.withRankAtMost(1) : shape.withRank(1);

function shapeFromPartial(value: PartialArray | undefined, vector: TensorShape): TensorShape {
  const invalid = value?.values.find(v => v !== null && v < -1);
  if (invalid !== undefined) throw new InvalidShape(`Invalid value in tensor used for shape: ${invalid}`);
  if (value !== undefined && value.shape.length === 1) return new TensorShape(value.values.map(v => (v !== null && v >= 0 ? v : null)));
  const length = vector.rank === 1 ? vector.dim(0) : null;
  return length === null ? TensorShape.unknown() : TensorShape.unknownOfRank(length);
}

/** The size, or the axis of a rank, that an input stands for. @throws ValueError with TensorFlow's text. */
export function sizeFromPartial(value: PartialArray | undefined, position: number, rank: number | null | undefined): number | null {
  const [size] = value?.values ?? [null];
  if (value !== undefined && value.shape.length > 0 && !value.values.includes(null))
    throw new ValueError(`Input must be scalar but has rank ${value.shape.length}`);
  if (size === null || rank === null) return null;
  if (rank === undefined) {
    if (size >= 0) return size;
    throw new ValueError(`Dimension size, given by scalar input ${position}, must be non-negative but is ${size}`);
  }
  if (size < -rank || size >= rank)
    throw new ValueError(`Dimension size, given by scalar input ${size} must be in range [-${rank}, ${rank})`);
  return size < 0 ? size + rank : size;
}

/** The dtype and shape behind a resource tensor or a list, followed to the op that made it. */
export function handleOf(tensor: Tensor): { dtype: DType; shape: TensorShape } | undefined {
  const outside = captureSource(tensor);
  if (outside) return handleOf(outside);
  const { attrs, definition, name, inputs } = tensor.op;
  if (definition.holds && tensor.valueIndex === 0)
    return definition.holds(attrs, contextFor(name, definition, inputs, attrs, new Map(), new Map()));
  const held = attrs.shape ?? (attrs.identicalElementShapes === true ? attrs.elementShape : undefined);
  // A placeholder's own type and shape say nothing of what it stands for.
  if (attrs.dtype !== undefined && attrs.dtype !== tensor.dtype && held instanceof TensorShape)
    return { dtype: attrs.dtype as DType, shape: held };
  const [source] = inputs;
  return source?.dtype === "resource" || (source?.dtype === "variant" && definition.isCopy) ? handleOf(source) : undefined;
}

/** The value of a tensor if it is known while the graph is built: a Const, or a small integer tensor computed from known shapes. TF: constant_value. */
export function constantValue(tensor: Tensor): NDArray | undefined {
  const { value } = tensor.op.attrs;
  if (value instanceof NDArray) return value;
  const partial = partialValue(tensor);
  if (partial === undefined || partial.isShapeOnly !== undefined || partial.values.includes(null)) return undefined;
  const numbers = partial.values as readonly number[];
  return NDArray.from(isBigInteger(tensor.dtype) ? numbers.map(BigInt) : [...numbers], tensor.dtype, partial.shape);
}

const partials = new WeakMap<Tensor, PartialArray | null>();
const followedConstants = new Set(["int32", "int64", "bool", "int16", "int8", "uint8"]);
/** Floats too, where they come from integers (the bounds of a range). */
const followed = new Set([...followedConstants, "float32", "float64"]);
const mostFollowed = 1024;

/** Values of a small integer tensor of rank 0 or 1, as far as known. */
export function partialValue(tensor: Tensor): PartialArray | undefined {
  const { op } = tensor;
  if (op.attrs.value instanceof NDArray) return partialOfArray(op.attrs.value);
  if (tensor.valueIndex !== 0 && op.definition.partial === undefined) return undefined;
  if (op.definition.partial === undefined || !followed.has(tensor.dtype)) return undefined;
  const known = partials.get(tensor);
  if (known !== undefined) return known ?? undefined;
  // A vector that follows shapes takes numbers that constants give beside them: [rows, sum of constants].
  const inputs = op.inputs.map(op.definition.followsShapes && tensor.shape.rank === 1 ? partialForShapes : partialValue);
  const derives = inputs.some(input => input?.isShapeOnly !== undefined);
  if (derives && !op.definition.followsShapes) {
    partials.set(tensor, null);
    return undefined;
  }
  const shapes = op.inputs.map(input => input.shape);
  const literals = (): Record<string, unknown> =>
    groupByName(
      op.definition,
      "inputs",
      op.attrs,
      op.inputs.map(input => input.op.attrs.value instanceof NDArray),
    );
  const result = op.definition.partial({
    ...groupByName(op.definition, "inputs", op.attrs, inputs),
    ...op.attrs,
    shapes: groupByName(op.definition, "inputs", op.attrs, shapes),
    outputIndex: tensor.valueIndex,
    isLiteral: (input: string) => literals()[input] === true,
  });
  const isScalar = result?.shape.length === 0;
  const isVague = result?.values.includes(null) || (derives && !isScalar);
  const kept = result && isVague ? { isShapeOnly: "derived" as const, ...result } : result;
  partials.set(tensor, kept ?? null);
  return kept;
}

/** With what only computing the constants tells, which Python's `constant_value` does not do. */
function partialForShapes(tensor: Tensor): PartialArray | undefined {
  const partial = partialValue(tensor);
  if (partial !== undefined || !followedConstants.has(tensor.dtype)) return partial;
  const folded = foldedValue(tensor);
  const values = folded && folded.rank <= 1 ? partialOfArray(folded) : undefined;
  return values && { ...values, isShapeOnly: "derived" };
}

const folded = new WeakMap<Operation, readonly (NDArray | undefined)[] | null>();

/** The value of a tensor that is computed from constants alone, whatever its type: what TensorFlow's shape functions see beyond `constantValue`. */
function foldedValue(tensor: Tensor): NDArray | undefined {
  const { op } = tensor;
  const known = folded.get(op);
  if (known !== undefined) return known?.[tensor.valueIndex];
  const results = isFoldable(op) ? evaluated(op) : undefined;
  folded.set(op, results ?? null);
  return results?.[tensor.valueIndex];
}

const isFoldable = ({ definition, inputs, outputs, graph }: Operation): boolean =>
  (definition.fold !== undefined || (definition.lower !== undefined && graph.evaluateConstants !== undefined)) &&
  !definition.stateful &&
  !definition.isPlaceholder &&
  inputs.length > 0 &&
  [...inputs, ...outputs].every(({ dtype, isRef, isHandle }) => !isRef && !isHandle && dtype !== "variant");

function evaluated(op: Operation): readonly (NDArray | undefined)[] | undefined {
  const values: NDArray[] = [];
  for (const input of op.inputs) {
    const value = constantValue(input) ?? foldedValue(input);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return op.definition.fold?.(values) ?? op.graph.evaluateConstants?.(op, values);
}

function partialOrFolded(tensor: Tensor): PartialArray | undefined {
  const partial = partialValue(tensor);
  if (partial !== undefined && !partial.values.includes(null)) return partial;
  const value = foldedValue(tensor);
  return (value && partialOfArray(value)) ?? partial;
}

function partialOfArray(array: NDArray): PartialArray | undefined {
  if (array.rank > 2 || array.size > mostFollowed || !followedConstants.has(array.dtype)) return undefined;
  return { shape: array.shape, values: Array.from({ length: array.size }, (_, i) => Number(array.get(i))) };
}
