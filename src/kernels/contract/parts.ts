// Contractions of which an operand lies outside its source at whole places of a small axis of the result: gradients for inputs of
// convolutions with strides, where each phase of the pixels has taps of its own. Such a result is cut into boxes, and each sums only that
// part of the reduced space in which its products may differ from zero.

import { sizeOf } from "../../base/shape.ts";
import { addIndex, axisIndex, constantIndex, flattenIndex, type Index, substituteIndex } from "../../ir/index-map.ts";
import type { Operand, Value } from "../../ir/program.ts";
import {
  type ContractForm,
  type ContractKernel,
  type ContractPlan,
  formOf,
  isPlain,
  matrixForm,
  type Padding,
  paddedTogether,
  planContract,
  scratchValues,
} from "./plan.ts";
import { type Box, insideBox } from "../nest.ts";
import type { Target } from "../target.ts";

/** The kernel of a box of the result, over a part of the reduced space. */
export interface Part {
  readonly kernel: ContractKernel;
  readonly plan: ContractPlan;
}

export interface PartsPlan {
  readonly paddings: readonly Padding[];
  readonly parts: readonly Part[];
  /** Boxes of the result whose sums are empty. */
  readonly zeros: readonly Box[];
  /** Where all sums are kept until the kernel's stores are made of them. */
  readonly partial: Value | undefined;
}

/** Longer axes are pixels or channels. */
const mostPlaces = 4;
const mostCuts = 3;
const mostParts = 16;
/** With fewer products the code of several parts is not worth it. */
const fewestProducts = 1 << 18;
/** The share of the work that may be left. */
const worthwhile = 0.9;

/** The plan, or undefined where little work is saved or a part is no product of matrices. */
export function planParts(kernel: ContractKernel, target: Target): PartsPlan | undefined {
  if (kernel.left.source.dtype !== "float32" || sizeOf(kernel.shape) * sizeOf(kernel.over) < fewestProducts) return undefined;
  // Not every axis is worth a cut: next to few channels it may make columns enough for whole vectors.
  const cuts = subsetsOf(decidingAxes(kernel)).map(cut => boxesOf(kernel, cut));
  const isLess = (boxes: readonly Box[]): boolean => productsOf(boxes) <= worthwhile * sizeOf(kernel.shape) * sizeOf(kernel.over);
  const plans = cuts.filter(isLess).flatMap(boxes => planBoxes(kernel, boxes, target) ?? []);
  const usual = plans.length === 0 ? undefined : formOf(kernel);
  if (usual === undefined) return undefined;
  const work = plans.map(({ parts }) => parts.reduce((sum, { kernel: part, plan }) => sum + workOf(part, plan, target), 0));
  const least = Math.min(...work);
  return least <= worthwhile * workOf(kernel, usual, target) ? plans[work.indexOf(least)] : undefined;
}

/** Products, those with columns that fill up a tile among them. */
function workOf({ shape, over }: ContractKernel, { column }: Pick<ContractForm, "column">, { tiles: [{ columns }] }: Target): number {
  return ((sizeOf(shape) * sizeOf(over)) / column.size) * Math.ceil(column.size / columns) * columns;
}

const productsOf = (boxes: readonly Box[]): number => boxes.reduce((sum, { size }) => sum + sizeOf(size), 0);

const subsetsOf = (axes: readonly number[]): number[][] =>
  Array.from({ length: 2 ** axes.length }, (_, bits) => axes.filter((_, i) => (bits >> i) & 1));

function planBoxes(kernel: ContractKernel, boxes: readonly Box[], target: Target): PartsPlan | undefined {
  const { shape } = kernel;
  const full = boxes.filter(({ size }) => sizeOf(size) > 0);
  const zeros = boxes.filter(box => !full.includes(box)).map(box => ofResult(box, kernel));
  const padded = paddedTogether(full.map(box => operandsIn(kernel, box)));
  if (full.length === 0 || full.length > mostParts || !padded) return undefined;
  const planned = (whole: ContractKernel): Part[] | undefined => {
    const parts = full.map((box, i) => planPart(whole, box, padded.operands[i], target));
    return parts.every(part => part !== undefined) ? parts : undefined;
  };
  const parts = planned(kernel);
  if (!parts) return undefined;
  const { paddings } = padded;
  if (isPlain(kernel) || parts.every(({ plan }) => plan.block === undefined)) return { paddings, parts, zeros, partial: undefined };
  // Sums that wait for their last block are all kept apart, and stored together.
  const partial: Value = { id: -4, shape, dtype: "float32" };
  const sums = planned({ ...kernel, stores: [{ out: partial, body: { kind: "accumulator", dtype: "float32" } }] });
  return sums && { paddings, parts: sums, zeros, partial };
}

function planPart(kernel: ContractKernel, box: Box, operands: { left: Operand; right: Operand }, target: Target): Part | undefined {
  const result = ofResult(box, kernel);
  const bodies = insideBox(
    kernel.stores.map(({ body }) => body),
    result,
  );
  const part: ContractKernel = {
    ...kernel,
    ...operands,
    shape: result.size,
    over: box.size.slice(kernel.shape.length),
    stores: kernel.stores.map(({ out }, i) => ({ out, body: bodies[i] })),
  };
  const form = matrixForm(part, [], flattenIndex(placesIn(result), kernel.shape));
  const plan = form && planContract(form, kernel, target);
  return plan === undefined || plan.isSweep ? undefined : { kernel: part, plan };
}

const placesIn = ({ start, size }: Box): Index[] =>
  size.map((extent, axis) => addIndex(axisIndex(axis, extent), constantIndex(start[axis])));

function operandsIn({ left, right }: ContractKernel, box: Box): { left: Operand; right: Operand } {
  const axes = placesIn(box);
  const inside = ({ source, at }: Operand): Operand => ({ source, at: at.map(index => substituteIndex(index, axes, value => value)) });
  return { left: inside(left), right: inside(right) };
}

const ofResult = ({ start, size }: Box, { shape }: ContractKernel): Box => ({
  start: start.slice(0, shape.length),
  size: size.slice(0, shape.length),
});

/** The result cut at places of the axes, each box with the terms that may differ from zero. */
function boxesOf(kernel: ContractKernel, cut: readonly number[]): Box[] {
  let boxes: Box[] = [{ start: [], size: [] }];
  for (const [axis, extent] of [...kernel.shape, ...kernel.over].entries()) {
    const places = cut.includes(axis) ? Array.from({ length: extent }, (_, at) => [at, 1]) : [[0, extent]];
    boxes = boxes.flatMap(({ start, size }) => places.map(([from, count]) => ({ start: [...start, from], size: [...size, count] })));
  }
  return boxes.map(box => trimmed(kernel, box));
}

/** Small axes of the result that, together with reduced axes alone, move an operand out of its source. */
function decidingAxes({ shape, left, right }: ContractKernel): number[] {
  const found = new Set<number>();
  for (const { source, at } of [left, right])
    for (const [axis, { terms, min, max }] of at.entries()) {
      if (min >= 0 && max < source.shape[axis]) continue;
      const results = terms.flatMap(({ atom }) => (atom.kind === "axis" && atom.axis < shape.length ? [atom] : []));
      if (results.length === 1 && results[0].size <= mostPlaces) found.add(results[0].axis);
    }
  return [...found].slice(0, mostCuts);
}

/** The box with reduced axes no longer than the places at which both operands are inside; an extent of 0 where there are none. */
function trimmed(kernel: ContractKernel, box: Box): Box {
  const rank = kernel.shape.length;
  const low = [...box.start];
  const high = box.start.map((start, axis) => start + box.size[axis]);
  const { left, right } = operandsIn(kernel, box);
  for (const { source, at } of [left, right])
    for (const [axis, { terms, offset, min, max }] of at.entries()) {
      const extent = source.shape[axis];
      if (max < 0 || min >= extent) return { ...box, size: box.size.map((size, a) => (a < rank ? size : 0)) };
      if (terms.length !== 1 || (min >= 0 && max < extent)) continue;
      const [{ atom, scale }] = terms;
      if (atom.kind !== "axis" || atom.axis < rank) continue;
      const [a, b] = [-offset / scale, (extent - 1 - offset) / scale];
      const start = box.start[atom.axis];
      low[atom.axis] = Math.max(low[atom.axis], start + Math.ceil(Math.min(a, b)));
      high[atom.axis] = Math.min(high[atom.axis], start + Math.floor(Math.max(a, b)) + 1);
    }
  return { start: low, size: low.map((start, axis) => Math.max(0, high[axis] - start)) };
}

export const partsValues = ({ paddings, parts, partial }: PartsPlan): Value[] => [
  ...paddings.map(({ padded }) => padded),
  ...parts.flatMap(({ plan }) => scratchValues(plan)),
  ...(partial ? [partial] : []),
];
