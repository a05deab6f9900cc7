// How a contraction is computed: which operand moves along the vectors, what is padded and packed first, how the reduced axes are blocked.
// All decided from index maps and the target, before anything is recorded, so that the scheduler can reserve the scratch.
// Scheme of Goto and van de Geijn: packed panels of B, row tiles of A read where they lie. Matrix products go by contract/blocks.ts.

import { type DType, dtypeBytes } from "../../base/dtype.ts";
import { sizeOf } from "../../base/shape.ts";
import { addIndex, axisIndex, constantIndex, flattenIndex, type Index, substituteIndex } from "../../ir/index-map.ts";
import type { Operand, Value } from "../../ir/program.ts";
import type { Scalar } from "../../ir/scalar.ts";
import type { Kernel } from "../../schedule/plan.ts";
import { isAffine, mergeAxes, scaleOf } from "../nest.ts";
import type { Target } from "../target.ts";

export type ContractKernel = Extract<Kernel, { kind: "contract" }>;

/** One merged axis, with what a step along it moves in each array (in elements). */
export interface Axis {
  readonly axis: number;
  readonly size: number;
  readonly a: number;
  readonly b: number;
  readonly out: number;
}

/** An operand copied into a buffer where every index is inside. */
export interface Padding {
  readonly from: Value;
  readonly padded: Value;
  readonly low: readonly number[];
}

/** A contraction as products of matrices: columns move along in B and in the result, rows in A. */
export interface ContractForm {
  readonly paddings: readonly Padding[];
  readonly a: Value;
  readonly b: Value;
  readonly aFlat: Index;
  readonly bFlat: Index;
  readonly outFlat: Index;
  readonly epilogues: readonly Scalar[];
  readonly batch: readonly Axis[];
  readonly rows: readonly Axis[];
  readonly column: Axis;
  readonly reduced: readonly Axis[];
}

export interface ContractPlan extends ContractForm {
  /** B rearranged to [batch…, panel, reduced…, panel width], or undefined where it is read as it lies. */
  readonly packed: Value | undefined;
  /** Has a kernel of the plan made `packed`? Then it is not in scratch. */
  readonly isGiven: boolean;
  readonly tileRows: number;
  readonly panelWidth: number;
  /** The axis that is walked outermost of all, by threads too; without one, blocks of the reduced axis are, and threads take panels. */
  readonly cut: Axis | undefined;
  /** The outermost reduced axis is walked in blocks of so many, with partial results kept in `partial` (or in the output itself). */
  readonly block: number | undefined;
  readonly partial: Value | undefined;
  /** A row or two with a matrix that is read in long runs (contract/sweep.ts); then all sums go to `partial`. */
  readonly isSweep: boolean;
}

/** Products over more terms than this are blocked, so that a panel of B stays in the first cache. */
const mostTerms = 640;
const blockTerms = 448;
/** Packed columns up to this size stay in the second cache while one place of an outer axis after the other passes over them. */
const mostBytesPassedOver = 384 * 1024;
/** With fewer rows than this, packing B costs more than it saves. */
const fewestRowsToPack = 32;
/** With fewer rows there is too little to do with a copy of columns that pays later. */
export const fewestRows = 12;

/** The contraction as a product of matrices, or undefined where it is none (then it is a reduction of products). */
export function formOf(kernel: ContractKernel, dtype: DType = "float32"): ContractForm | undefined {
  if (kernel.left.source.dtype !== dtype || sizeOf(kernel.shape) === 0 || sizeOf(kernel.over) === 0) return undefined;
  const operands = paddedOperands(kernel);
  if (!operands) return undefined;
  const { left, right, paddings } = operands;
  const places = kernel.shape.map((size, axis) => axisIndex(axis, size));
  return matrixForm({ ...kernel, left, right }, paddings, flattenIndex(places, kernel.shape));
}

/** The form of a contraction whose operands are padded, and whose results lie at `outFlat`. */
export function matrixForm(kernel: ContractKernel, paddings: readonly Padding[], outFlat: Index): ContractForm | undefined {
  const { left, right } = kernel;
  const rank = kernel.shape.length;
  const flats = [left, right].map(({ source, at }) => flattenIndex(at, source.shape));
  const flipped = flipNegative(flats, kernel);
  const bodies = kernel.stores.map(({ body }) => body);
  const merged = mergeAxes([...kernel.shape, ...kernel.over], bodies, [...flipped, outFlat], rank);
  const [leftFlat, rightFlat, mergedOut] = merged.extra;
  const last = merged.boundary - 1;
  if (last < 0) return undefined;
  const inLeft = scaleOf(leftFlat, last) !== 0;
  const inRight = scaleOf(rightFlat, last) !== 0;
  if (inLeft === inRight || scaleOf(mergedOut, last) !== 1) return undefined;
  const [aFlat, bFlat] = inRight ? [leftFlat, rightFlat] : [rightFlat, leftFlat];
  const [a, b] = inRight ? [left.source, right.source] : [right.source, left.source];
  const axes = merged.sizes.map(
    (size, axis): Axis => ({
      axis,
      size,
      a: scaleOf(aFlat, axis),
      b: scaleOf(bFlat, axis),
      out: axis < merged.boundary ? scaleOf(mergedOut, axis) : 0,
    }),
  );
  const kinds = classify(axes, merged.boundary, last);
  if (!kinds || isReduction(kinds, axes[last])) return undefined;
  return { paddings, a, b, aFlat, bFlat, outFlat: mergedOut, epilogues: merged.bodies, column: axes[last], ...kinds };
}

interface Operands {
  readonly left: Operand;
  readonly right: Operand;
}

/** Operands as they are, or moved into padded copies where an index may lie outside. Undefined if an index is not affine. */
export function paddedOperands(kernel: Operands): (Operands & { readonly paddings: readonly Padding[] }) | undefined {
  const padded = paddedTogether([kernel]);
  return padded && { ...padded.operands[0], paddings: padded.paddings };
}

/** The same for contractions that read the same two sources: they share the copies. */
export function paddedTogether(
  given: readonly Operands[],
): { readonly operands: readonly Operands[]; readonly paddings: readonly Padding[] } | undefined {
  const paddings: Padding[] = [];
  const pad = (operands: readonly Operand[], id: number): readonly Operand[] | undefined => {
    if (!operands.every(({ at }) => at.every(isAffine))) return undefined;
    const [{ source }] = operands;
    const low = source.shape.map((_, axis) => Math.min(0, ...operands.map(({ at }) => at[axis].min)));
    const shape = source.shape.map((size, axis) => Math.max(size, ...operands.map(({ at }) => at[axis].max + 1)) - low[axis]);
    if (shape.every((size, axis) => size === source.shape[axis])) return operands;
    const padded: Value = { id, shape, dtype: source.dtype };
    paddings.push({ from: source, padded, low });
    return operands.map(({ at }) => ({ source: padded, at: at.map((index, axis) => addIndex(index, constantIndex(-low[axis]))) }));
  };
  const left = pad(
    given.map(operands => operands.left),
    -1,
  );
  const right = pad(
    given.map(operands => operands.right),
    -2,
  );
  return left && right ? { operands: left.map((operand, i) => ({ left: operand, right: right[i] })), paddings } : undefined;
}

/** Sums may run either way: axes along which the first operand moves backwards are turned round, so that runs join. */
function flipNegative(flats: readonly Index[], { shape, over }: ContractKernel): Index[] {
  const rank = shape.length;
  const axes = [...shape, ...over].map((size, axis) => {
    const forward = axisIndex(axis, size);
    const isBackward = axis >= rank && (scaleOf(flats[0], axis) < 0 || (scaleOf(flats[0], axis) === 0 && scaleOf(flats[1], axis) < 0));
    return isBackward ? addIndex(constantIndex(size - 1), scaleMinus(forward)) : forward;
  });
  return flats.map(flat => substituteIndex(flat, axes, value => value));
}

const scaleMinus = (index: Index): Index => ({
  terms: index.terms.map(({ atom, scale }) => ({ atom, scale: -scale })),
  offset: -index.offset,
  min: -index.max,
  max: -index.min,
});

/** Is there nothing to sum, or only a row or two with columns that lie along the reduced axis? Then dot products read everything once. */
function isReduction({ rows, reduced }: Pick<ContractPlan, "rows" | "reduced">, column: Axis): boolean {
  const last = reduced[reduced.length - 1];
  if (last === undefined) return true;
  const rowCount = rows.reduce((product, { size }) => product * size, 1);
  return rowCount <= 2 && column.b !== 1 && last.b === 1 && last.a === 1 && last.size >= 16;
}

function classify(axes: readonly Axis[], boundary: number, column: number): Pick<ContractPlan, "batch" | "rows" | "reduced"> | undefined {
  const batch: Axis[] = [];
  const rows: Axis[] = [];
  for (const axis of axes.slice(0, boundary)) {
    if (axis.axis === column) continue;
    if (axis.b === 0 && axis.a !== 0) rows.push(axis);
    else batch.push(axis);
  }
  const reduced = axes.slice(boundary);
  return reduced.every(({ a, b }) => a !== 0 || b !== 0) ? { batch, rows, reduced } : undefined;
}

/** Columns that are a vector and a piece, with more to sum than to store, would leave lanes empty. */
const narrow = { least: 3, most: 11, terms: 32 };

/** A product of few columns with rows that are neighbours in A (gradients for the weights of a last layer), seen the other way round: its rows
 *  move along the vectors, and results are turned before they are stored. Undefined for other products. */
export function turnedForm(form: ContractForm, lanes: number): ContractForm | undefined {
  const { batch, rows, column, reduced } = form;
  const [row] = rows;
  const terms = reduced.reduce((product, { size }) => product * size, 1);
  if (batch.length > 0 || rows.length !== 1 || row.a !== 1 || row.size < fewestRowsToPack || row.size % lanes !== 0) return undefined;
  if (column.size < narrow.least || column.size > narrow.most || column.size % lanes === 0) return undefined;
  if (terms < narrow.terms || terms > mostTerms) return undefined;
  const turned = (axis: Axis): Axis => ({ ...axis, a: axis.b, b: axis.a });
  return {
    ...form,
    ...{ a: form.b, b: form.a, aFlat: form.bFlat, bFlat: form.aFlat },
    rows: [turned(column)],
    column: turned(row),
    reduced: reduced.map(turned),
  };
}

/** How the product is computed by panels and tiles. */
export function planContract(draft: ContractForm, kernel: ContractKernel, target: Target): ContractPlan {
  const { rows, batch, column, reduced } = draft;
  const rowCount = rows.reduce((product, { size }) => product * size, 1);
  const inner = rows[rows.length - 1]?.size ?? 1;
  const [tile] = target.tiles;
  const tileRows = Math.min(tile.rows, inner);
  const panelWidth = tileRows >= 3 ? tile.columns : tileRows === 2 ? 4 * target.lanes32 : 6 * target.lanes32;
  const terms = reduced.reduce((product, { size }) => product * size, 1);
  // A matrix that is read once in place is walked by long strides: that is as fast as long as the second cache keeps its lines.
  const isFar = column.out !== 1 && 4 * terms * column.size > mostBytesPassedOver;
  const isPacked = isFar || column.b !== 1 || column.size % target.lanes32 !== 0 || rowCount >= fewestRowsToPack;
  const block = terms > mostTerms && reduced.length > 0 ? blockOf(reduced) : undefined;
  const panels = Math.ceil(column.size / panelWidth);
  const value = (id: number, shape: readonly number[], dtype: DType = "float32"): Value => ({ id, shape, dtype });
  const sweeps = isSweep(draft, target.lanes32);
  if (sweeps) {
    const partial = value(-4, kernel.shape);
    return {
      ...draft,
      tileRows,
      panelWidth,
      cut: undefined,
      block: undefined,
      packed: undefined,
      isGiven: false,
      partial,
      isSweep: true,
    };
  }
  return {
    ...draft,
    isSweep: false,
    tileRows,
    panelWidth,
    cut: cutOf(draft, block !== undefined, 4 * terms * panels * panelWidth),
    block,
    isGiven: isPacked && kernel.panels !== undefined,
    packed: isPacked
      ? (kernel.panels ??
        value(-3, [...batch.map(axis => (axis.b === 0 ? 1 : axis.size)), panels, ...reduced.map(({ size }) => size), panelWidth]))
      : undefined,
    partial: block !== undefined && !isPlain(kernel) ? value(-4, kernel.shape) : undefined,
  };
}

/** Is the result the sums themselves? Then partial sums may be kept in it. */
export const isPlain = ({ stores }: ContractKernel): boolean => stores.length === 1 && stores[0].body.kind === "accumulator";

/** With blocks an outer axis comes first only where that reads no more: where it has columns of its own, or those stay in the cache. */
function cutOf({ batch, rows }: Pick<ContractPlan, "batch" | "rows">, isBlocked: boolean, columnBytes: number): Axis | undefined {
  const outer: Axis | undefined = [...batch, ...rows.slice(0, -1)][0];
  return outer === undefined || !isBlocked || outer.b !== 0 || columnBytes <= mostBytesPassedOver ? outer : undefined;
}

/** Steps of the outermost reduced axis in one block. */
function blockOf(reduced: readonly Axis[]): number {
  const [first, ...rest] = reduced;
  const perStep = rest.reduce((product, { size }) => product * size, 1);
  const steps = Math.max(1, Math.floor(blockTerms / perStep));
  return Math.ceil(first.size / Math.ceil(first.size / steps));
}

/** The buffers a plan needs, in the order they lie in the scratch. */
export const scratchValues = (plan: ContractPlan): Value[] =>
  [...plan.paddings.map(({ padded }) => padded), plan.isGiven ? undefined : plan.packed, plan.partial].filter(
    (value): value is Value => value !== undefined,
  );

/** A sweep has at least so many columns and terms. */
const fewestColumns = 64;
const fewestTerms = 64;

/** Is the product bound by reading B, and does B lie so that it can be read in runs? */
export function isSweep(
  { batch, rows, column, reduced }: Pick<ContractForm, "batch" | "rows" | "column" | "reduced">,
  lanes: number,
): boolean {
  const [terms] = reduced;
  if (batch.length > 0 || reduced.length !== 1 || terms.size < fewestTerms || terms.a < 0 || terms.b < 0) return false;
  if (column.b !== 1 || column.size < fewestColumns || column.size % lanes !== 0) return false;
  return rows.length === 0 || (rows.length === 1 && rows[0].size === 2 && rows[0].a >= 0);
}

/** Buffers one after the other, at least the alignment apart. */
export const scratchOffsets = (values: readonly Value[], alignment: number): { value: Value; offset: number; bytes: number }[] => {
  let offset = 0;
  return values.map(value => {
    const bytes = Math.ceil((sizeOf(value.shape) * dtypeBytes(value.dtype) + alignment) / alignment) * alignment;
    offset += bytes;
    return { value, offset: offset - bytes, bytes };
  });
};

/** The contraction with its operands padded, for those that have no matrix form (depthwise): then no index lies outside. */
export function paddedReduce(kernel: ContractKernel): { kernel: ContractKernel; paddings: readonly Padding[] } | undefined {
  const operands = paddedOperands(kernel);
  if (!operands || operands.paddings.length === 0) return undefined;
  return { kernel: { ...kernel, left: operands.left, right: operands.right }, paddings: operands.paddings };
}
