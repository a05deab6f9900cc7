// Einstein sums: one op for a sum of products named by letters. Two operands become one `contract`; more are joined pair by pair.

import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import type { Dimension } from "../../base/shape.ts";
import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Gradients } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import * as ir from "../../ir/build.ts";
import { constantIndex, type Index, subtractIndex } from "../../ir/index-map.ts";
import type { Value } from "../../ir/program.ts";
import { s } from "../../ir/scalar.ts";
import { isOptions } from "../arguments.ts";
import { ones, reshape, shape } from "../array/array.ts";
import { BroadcastGradientArgs, broadcastTo } from "../array/padding.ts";
import { concat, getItem, stack } from "../array/slicing.ts";
import { conj } from "./functions.ts";
import { reduceSum, shapeKeepingDims } from "./reduction.ts";
import { inNameScope, type NameOption } from "../named.ts";
import * as operator from "../operators.ts";

// ---- reading the equation ----

/** Labels of each input and of the output, one a dimension; those under an ellipsis are numbered from the end. */
interface Labels {
  readonly inputs: readonly (readonly string[])[];
  readonly output: readonly string[];
}

/** The k-th dimension from the end under an ellipsis. */
const ellipsisLabel = (k: number): string => `…${k}`;
const isEllipsisLabel = (label: string): boolean => label.startsWith("…");

/** @throws ValueError for an equation that cannot be read. */
function parse(equation: string): { inputs: string[]; output: string } {
  const [left, right, ...more] = equation.replace(/\s/g, "").split("->");
  if (right === undefined || more.length > 0) throw new ValueError(`Expecting exactly one '->' in einsum equation: ${equation}`);
  return { inputs: left.split(","), output: right };
}

function labelsOf(subscripts: string, ellipsisRank: number): string[] {
  const [before, after, ...more] = subscripts.split("...");
  if (more.length > 0) throw new ValueError(`Expecting at most one ellipsis per input subscript: ${subscripts}`);
  const wrong = /[^A-Za-z]/.exec(before + (after ?? ""));
  if (wrong) throw new ValueError(`Invalid character '${wrong[0]}' in einsum subscripts: ${subscripts}`);
  const middle = after === undefined ? [] : Array.from({ length: ellipsisRank }, (_, k) => ellipsisLabel(ellipsisRank - 1 - k));
  return [...before, ...middle, ...(after ?? "")];
}

const letterCount = (subscripts: string): number => subscripts.replace("...", "").length;

/** Labels for operands; undefined where the output has as many as an operand of unknown rank.
 *  @throws ValueError if the ranks do not fit the equation, in the kernel's words or in those of its shape function. */
function resolve(equation: string, ranks: readonly number[], isRunning: true): Labels;
function resolve(equation: string, ranks: readonly (number | null)[]): Labels | undefined;
function resolve(equation: string, ranks: readonly (number | null)[], isRunning = false): Labels | undefined {
  const { inputs, output } = parse(equation);
  if (ranks.length !== 1 && ranks.length !== 2) throw new ValueError(`Expected either 1 or 2 inputs but got: ${ranks.length}`);
  if (inputs.length !== ranks.length)
    throw new ValueError(`Expected ${inputs.length} inputs for equation ${equation} but got: ${ranks.length}`);
  const isOpen = inputs.some((subscripts, k) => ranks[k] === null && subscripts.includes("..."));
  if (isOpen && output.includes("...")) return undefined;
  const hidden = inputs.map((subscripts, k) => {
    const count = (ranks[k] ?? letterCount(subscripts)) - letterCount(subscripts);
    const least = subscripts.includes("...") ? "at least " : "";
    if (subscripts.includes("...") ? count < 0 : count !== 0)
      throw new ValueError(
        isRunning
          ? `Expected input ${k} to have rank ${least}${letterCount(subscripts)} but got: ${ranks[k]}`
          : `Shape must be ${least}rank ${letterCount(subscripts)} but is rank ${ranks[k]}\n\t for ${k}th input and equation: ${equation}`,
      );
    return count;
  });
  return { inputs: inputs.map((subscripts, k) => labelsOf(subscripts, hidden[k])), output: labelsOf(output, Math.max(0, ...hidden)) };
}

type Sizes = Map<string, Dimension>;

/** The size of every label; under an ellipsis size 1 broadcasts. */
function sizesOf({ inputs }: Labels, shapes: readonly (readonly Dimension[])[], unequal: typeof unequalShapes = unequalShapes): Sizes {
  const sizes: Sizes = new Map();
  inputs.forEach((labels, k) => {
    labels.forEach((label, axis) => {
      const d = shapes[k][axis] ?? null;
      const known = sizes.get(label);
      if (known === undefined || known === null || (isEllipsisLabel(label) && known === 1)) sizes.set(label, d ?? known ?? null);
      else if (d !== null && d !== known && !(isEllipsisLabel(label) && d === 1)) {
        const text = unequal(known, d, { shape: shapes[k], axis, isBroadcast: isEllipsisLabel(label), first: shapes[0] });
        if (text !== undefined) throw new ValueError(text);
        sizes.set(label, d);
      }
    });
  });
  return sizes;
}

interface Place {
  readonly shape: readonly Dimension[];
  readonly axis: number;
  readonly isBroadcast: boolean;
  readonly first: readonly Dimension[];
}

/** What the shape function says of two sizes. */
const unequalShapes = (known: number, d: number, _: Place): string | undefined => `Dimensions must be equal, but are ${known} and ${d}`;

/** What the kernel says, for which a size of 0 that came first is as good as none. */
function unequalSizes(known: number, d: number, { shape, axis, isBroadcast, first }: Place): string | undefined {
  if (isBroadcast) return `Invalid broadcasting dimensions: [${first}] vs. [${shape}]`;
  return known === 0 ? undefined : `Expected dimension ${known} at axis ${axis} of the input shaped [${shape}] but got dimension ${d}`;
}

// ---- the op ----

/** Σ over labels that the output lacks of the product of the operands. */
function sumOfProducts(operands: readonly Value[], { inputs, output }: Labels, sizes: Map<string, number>): Value {
  const distinct = [...new Set(output)];
  const summed = [...new Set(inputs.flat())].filter(label => !output.includes(label));
  const size = (label: string): number => sizes.get(label) ?? 1;
  const at = (k: number, i: readonly Index[], r: readonly Index[]): Index[] =>
    inputs[k].map((label, axis) => {
      if (operands[k].shape[axis] === 1) return constantIndex(0);
      return distinct.includes(label) ? i[distinct.indexOf(label)] : r[summed.indexOf(label)];
    });
  const [dims, over] = [distinct.map(size), summed.map(size)];
  const result =
    operands.length === 2
      ? ir.contract(dims, over, (i, r) => [ir.operand(operands[0], at(0, i, r)), ir.operand(operands[1], at(1, i, r))])
      : over.length === 0
        ? ir.generate(dims, i => s.load(operands[0], at(0, i, [])))
        : ir.reduceOver("sum", dims, over, (i, r) => s.load(operands[0], at(0, i, r)));
  return distinct.length === output.length ? result : onDiagonals(result, distinct, output);
}

/** A label that the output repeats is a diagonal: zero off it. */
function onDiagonals(value: Value, distinct: readonly string[], output: readonly string[]): Value {
  const dims = output.map(label => value.shape[distinct.indexOf(label)]);
  return ir.generate(dims, i => {
    const first = output.map(label => output.indexOf(label));
    const bounds = i.flatMap((index, axis) =>
      first[axis] === axis ? [] : [{ index: subtractIndex(index, i[first[axis]]), low: 0, high: 1 }],
    );
    return s.guard(
      bounds,
      s.load(
        value,
        distinct.map(label => i[output.indexOf(label)]),
      ),
      s.constant(value.dtype, 0),
    );
  });
}

export const Einsum = defineOp("Einsum", {
  inputs: { inputs: "N*T" },
  outputs: { output: "T" },
  attrs: { equation: attr.string(), N: attr.int(undefined, 1), T: attr.type() },
  shape: ({ inputs, equation }) => {
    const labels = resolve(
      equation,
      inputs.map(({ rank }) => rank),
    );
    if (labels === undefined) return TensorShape.unknown();
    const sizes = sizesOf(
      labels,
      inputs.map(({ dims }) => dims ?? []),
    );
    const missing = labels.output.find(label => !sizes.has(label));
    if (missing !== undefined) throw new ValueError(`Einsum output label '${missing}' does not appear in the inputs.`);
    return new TensorShape(labels.output.map(label => sizes.get(label) ?? null));
  },
  gradient: ({ inputs, equation }, d): Gradients => ({ inputs: einsumGradients(inputs, equation, d.output) }),
  lower: ({ inputs, equation }) => {
    const dims = inputs.map(({ shape: own }) => own);
    try {
      const labels = resolve(
        equation,
        dims.map(own => own.length),
        true,
      );
      const sizes = sizesOf(labels, dims, unequalSizes) as Map<string, number>;
      if (dims.some(own => own.includes(0)))
        return ir.full(
          inputs[0].dtype,
          labels.output.map(label => sizes.get(label) ?? 1),
          0,
        );
      return sumOfProducts(inputs, labels, sizes);
    } catch (error) {
      throw error instanceof ValueError ? new InvalidArgumentError(error.reason) : error;
    }
  },
  isLenient: true,
});

// ---- gradients ----

/** Of a sum over one operand the equation is turned around; of two, the output takes the operand's place. */
export function einsumGradients(inputs: readonly Tensor[], equation: string, d: Tensor): Tensor[] {
  const [given, output] = equation.split("->");
  const subscripts = given.split(",");
  if (subscripts.length > 2) throw new ValueError(`Einsum of ${subscripts.length} operands has no gradient; join them two at a time.`);
  if (subscripts.length === 1) {
    const inputShape = shape(inputs[0]);
    const alone = lettersOnlyIn(given, output);
    if (alone === "") return [Einsum({ inputs: [d], equation: `${output}->${given}` })];
    return [spreadOver(alone, d, output, given, inputShape)];
  }
  // Where the output has an ellipsis, an operand without one has an empty one.
  const [xLabels, yLabels] = subscripts.map(text => (output.includes("...") && !text.includes("...") ? `${text}...` : text));
  const [x, y] = d.dtype.startsWith("complex") ? inputs.map(input => conj(input)) : inputs;
  const [xShape, yShape] = [shape(x), shape(y)];
  const dx = operandGradient(d, output, y, yLabels, xLabels, xShape);
  const dy = operandGradient(d, output, x, xLabels, yLabels, yShape);
  if (!output.includes("...")) return [dx, dy];
  const [xBatch, yBatch] = [ellipsisRange(xLabels), ellipsisRange(yLabels)];
  const areEqual = x.shape.isFullyDefined && y.shape.isFullyDefined && x.shape.slice(...xBatch).equals(y.shape.slice(...yBatch));
  if (areEqual) return [dx, dy];
  const { r0, r1 } = BroadcastGradientArgs({ s0: cutOut(xShape, xBatch), s1: cutOut(yShape, yBatch) });
  return [reshape(reduceSum(dx, operator.add(xBatch[0], r0)), xShape), reshape(reduceSum(dy, operator.add(yBatch[0], r1)), yShape)];
}

const lettersOnlyIn = (labels: string, elsewhere: string): string =>
  [...new Set(labels)].filter(label => !`${elsewhere}.`.includes(label)).join("");

/** Where the ellipsis of an operand begins and, counted from behind, ends. */
function ellipsisRange(labels: string): [start: number, end?: number] {
  const start = labels.indexOf("...");
  const behind = labels.length - start - 3;
  return behind > 0 ? [start, -behind] : [start];
}

const cutOut = (extents: Tensor, [start, end]: readonly [number, number?]): Tensor => getItem(extents, [start, end ?? null]);

function operandGradient(d: Tensor, output: string, other: Tensor, otherLabels: string, own: string, ownShape: Tensor): Tensor {
  const alone = lettersOnlyIn(own, output + otherLabels);
  const kept = [...own].filter(label => !alone.includes(label)).join("");
  const reduced = Einsum({ inputs: [d, other], equation: `${output},${otherLabels}->${kept}` });
  return alone === "" ? reduced : spreadOver(alone, reduced, kept, own, ownShape);
}

/** The gradient repeated along the labels that were summed away in the operand alone. */
function spreadOver(alone: string, d: Tensor, labels: string, own: string, ownShape: Tensor): Tensor {
  const [before, after] = own.split("...");
  const axes = [...alone].map(label => (before.includes(label) ? before.indexOf(label) : after.indexOf(label) - after.length));
  const extents = stack(axes.map(axis => getItem(ownShape, axis)));
  const repeats = new Set(own).size < own.length || new Set(labels).size < labels.length;
  if (!repeats && [...own].filter(label => !alone.includes(label)).join("") === labels)
    return broadcastTo(reshape(d, shapeKeepingDims(ownShape, convertToTensor(axes, { dtype: "int32" }))), ownShape);
  const full = concat([extents, shape(d)], 0);
  const column = concat([ones(alone.length, "int32"), shape(d)], 0);
  return Einsum({ inputs: [broadcastTo(reshape(d, column), full)], equation: `${alone}${labels}->${own}` });
}

// ---- the function ----

interface EinsumOptions {
  readonly name?: string | null;
  readonly optimize?: string;
}

/** The output labels of an equation without an arrow: those that occur once, in alphabetical order. */
function withOutput(equation: string): string {
  const text = equation.replace(/\s/g, "");
  if (text.includes("->")) return text;
  const letters = text.replaceAll("...", "").replaceAll(",", "");
  const once = [...new Set(letters)].filter(label => letters.indexOf(label) === letters.lastIndexOf(label)).sort();
  return `${text}->${text.includes("...") ? "..." : ""}${once.join("")}`;
}

/** A sum of products in Einstein's notation: `tf.einsum("ij,jk->ik", a, b)`. TF: tf.einsum. @throws ValueError for an equation that does not fit. */
export function einsum(equation: string, ...given: (TensorLike | EinsumOptions)[]): Tensor {
  const last = given[given.length - 1];
  const options = isOptions(last) ? (last as EinsumOptions) : {};
  const inputs = (isOptions(last) ? given.slice(0, -1) : given) as TensorLike[];
  return inNameScope(options.name as NameOption, "einsum", inputs, () => {
    const tensors = inputs.map(input => convertToTensor(input));
    const text = withOutput(equation);
    const letters = parse(text).output.replace("...", "");
    if (new Set(letters).size < letters.length) throw new ValueError(`Output subscripts contain a label appearing more than once: ${text}`);
    return tensors.length <= 2 ? Einsum({ inputs: tensors, equation: text }) : pairwise(tensors, text);
  });
}

/** Joins operands two at a time, keeping the labels that are still needed. */
function pairwise(tensors: readonly Tensor[], equation: string): Tensor {
  const { inputs, output } = parse(equation);
  let result = tensors[0];
  let labels = inputs[0];
  for (let k = 1; k < tensors.length; k++) {
    const needed = output + inputs.slice(k + 1).join("");
    const hasEllipsis = labels.includes("...") || inputs[k].includes("...");
    const kept = [...new Set((labels + inputs[k]).replaceAll("...", ""))].filter(label => needed.includes(label)).join("");
    const next = k === tensors.length - 1 ? output : `${hasEllipsis ? "..." : ""}${kept}`;
    result = Einsum({ inputs: [result, tensors[k]], equation: `${labels},${inputs[k]}->${next}` });
    labels = next;
  }
  return result;
}
