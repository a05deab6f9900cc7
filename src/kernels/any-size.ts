// Kernels for any size: the loops of the other recorders, but with every size, stride, offset, divisor, constant and address read from a block
// of memory (quantities.ts). Plain on purpose: what a kernel is depends on its expressions alone, so that sizes met while running share it.

import { axisIndex, flattenIndex, type Index } from "../ir/index-map.ts";
import { sizeOf } from "../base/shape.ts";
import { type Bound, applyScalar, castScalar, constantScalar, guardScalar, loadScalar, type Scalar } from "../ir/scalar.ts";
import type { Operand } from "../ir/program.ts";
import type { Kernel } from "../schedule/plan.ts";
import { plus } from "./arithmetic.ts";
import { isHalf } from "./halves.ts";
import { type Expr, i32, type KernelFunction, type Local } from "./language/language.ts";
import { loopOver } from "./loops.ts";
import { storeScalar, storesLeaf } from "./map.ts";
import { mergeAxes } from "./nest.ts";
import { productOfMatrices } from "./contract/any-size-product.ts";
import type { AddressBook } from "./places.ts";
import { Quantities, type Slot } from "./quantities.ts";
import { philoxBlocks, wordsPerBlock } from "./random.ts";
import type { ModuleRecorder } from "./language/recorder.ts";
import { isVectorFold, sumBlock } from "./reduce/columns.ts";
import { mergedLoops, row, rows, unrolled } from "./reduce/reduce.ts";
import type { ReduceKernel, Work } from "./reduce/work.ts";
import { castCode, loadElement, type Point, scalarCode } from "./language/scalar-code.ts";
import { scanFold } from "./scan.ts";
import { indexed, isWithin, updateOf } from "./scatter.ts";

/** Kernels that are recorded for any size; the others are run by the host. */
export type AnySizeKernel = Extract<Kernel, { kind: "map" | "reduce" | "contract" | "scan" | "scatter" | "random" | "check" }>;

/** Records a kernel as a function of its block's address; gives what the block holds. Checks give 1 + the first failing position, or 0. */
export function recordAnySize(
  kernel: AnySizeKernel,
  module: ModuleRecorder,
  name: string,
): { slots: readonly Slot[]; code: KernelFunction } {
  let slots: readonly Slot[] = [];
  module.function(name, { params: { block: "i32" }, results: ["i32"], exported: true }, (k, { block }) => {
    const quantities = new Quantities(k, block);
    const addresses: AddressBook = { of: value => ({ base: quantities.address(value), offset: 0 }) };
    const point: Point = { k, addresses, axes: [], memo: new Map(), quantities };
    kernelAt(kernel, point, quantities);
    k.return(0);
    slots = quantities.slots;
  });
  return { slots, code: module.recorded(name) };
}

/** A text that is equal for kernels of equal code. */
export const keyOf = ({ body, locals }: KernelFunction): string =>
  JSON.stringify([body, locals.map(({ type }) => type)], (_, value: unknown) => {
    if (typeof value === "bigint") return `${value}n`;
    return typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0))
      ? `#${Object.is(value, -0) ? "-0" : value}`
      : value;
  });

function kernelAt(kernel: AnySizeKernel, point: Point, quantities: Quantities): void {
  switch (kernel.kind) {
    case "map":
      return map(kernel, point);
    case "reduce":
      return reduce(kernel, point, quantities);
    case "contract":
      return reduce(productsOf(kernel), point, quantities);
    case "scan":
      return scan(kernel, point, quantities);
    case "scatter":
      return scatter(kernel, point, quantities);
    case "random":
      return random(kernel, point, quantities);
    case "check":
      return check(kernel, point);
  }
}

const axesOf = (shape: readonly number[], from = 0): Index[] => shape.map((size, axis) => axisIndex(from + axis, size));

function map({ shape, stores }: Extract<Kernel, { kind: "map" }>, point: Point): void {
  const { k, addresses } = point;
  const flat = flattenIndex(axesOf(shape), shape);
  const merged = mergeAxes(
    shape,
    stores.map(({ body }) => body),
    [flat],
  );
  const placed = stores.map(({ out }, i) => ({ out, body: merged.bodies[i], flat: merged.extra[0] }));
  loopOver({ k, addresses, sizes: merged.sizes, bodies: merged.bodies, outer: point }, storesLeaf(placed, merged.sizes.length - 1));
}

/** A contraction as the sum of its products. */
function productsOf({ shape, over, left, right, stores }: Extract<Kernel, { kind: "contract" }>): ReduceKernel {
  const { dtype } = left.source;
  const wide = isHalf(dtype) ? "float32" : dtype;
  const factor = ({ source, at }: Operand): Scalar => {
    const bounds = at.map((index, axis): Bound => ({ index, low: 0, high: source.shape[axis] }));
    return castScalar(guardScalar(bounds, loadScalar(source, at), constantScalar(dtype, 0)), wide);
  };
  const body = applyScalar("mul", factor(left), factor(right));
  return { kind: "reduce", shape, over, combine: "sum", body, accumulator: dtype, stores };
}

/** Vectors of neighbouring results taken together. */
const blockVectors = 4;

function reduce(kernel: ReduceKernel, point: Point, quantities: Quantities): void {
  const { k, addresses } = point;
  if (sizeOf(kernel.over) === 0) return map({ kind: "map", shape: kernel.shape, stores: unrolled(kernel) }, point);
  const work: Work = { ...mergedLoops([kernel]), k, addresses, isAnySize: true };
  const inner = work.sizes.length - 1;
  if (inner < 0 || kernel.combine.startsWith("arg") || !isVectorFold(work)) return rows(work, { outer: point });
  if (productOfMatrices(work, point, quantities)) return;
  const count = k.target.lanes32;
  const bodies = [work.body, ...work.stores.map(({ body }) => body)];
  loopOver(
    { k, addresses, sizes: work.sizes.slice(0, -1), bodies, outer: point },
    {
      scalar: at => {
        const size = quantities.i32(work.sizes[inner]);
        const blocks = k.let(i32.and(size, -(count * blockVectors)));
        const vectors = k.let(i32.and(size, -count));
        k.loop({ to: blocks, step: count * blockVectors }, counter => sumBlock(work, at, counter, blockVectors, undefined));
        k.loop({ from: blocks, to: vectors, step: count }, counter => sumBlock(work, at, counter, 1, undefined));
        k.loop({ from: vectors, to: size }, counter => {
          const axes = [...at.axes];
          axes[inner] = counter;
          row(work, { ...at, axes, memo: new Map(at.memo) });
        });
      },
    },
  );
}

function scan(kernel: Extract<Kernel, { kind: "scan" }>, point: Point, quantities: Quantities): void {
  const { out, source, axis, combine, exclusive, reverse } = kernel;
  const { k } = point;
  const { dtype } = out;
  const number = (dims: readonly number[]): Expr<"i32"> => quantities.i32(sizeOf(dims));
  const [length, inner] = [number([out.shape[axis]]), number(out.shape.slice(axis + 1))];
  const { wide, identity, fold } = scanFold(combine, dtype, k);
  k.loop({ to: number(out.shape.slice(0, axis)) }, line =>
    k.loop({ to: inner }, column => {
      const total = k.let(identity) as Local<"i32">;
      const start = k.let(plus(i32.mul(i32.mul(line, length), inner), column));
      k.loop({ to: length }, step => {
        const at = reverse ? i32.sub(plus(length, -1), step) : step;
        const here: Point = { ...point, axes: [k.let(plus(start, i32.mul(at, inner)))], memo: new Map() };
        const next = k.let(fold(total, castCode(dtype, wide, loadElement(source, only, here), k)));
        storeScalar(out, only, castCode(wide, dtype, exclusive ? total : next, k), here);
        k.set(total, next as Expr<"i32">);
      });
    }),
  );
}

/** The position that a point's first counter is. */
const only: Index = axisIndex(0, 2 ** 31 - 1);

/** `base` has been copied to `out` before, unless they are one. */
function scatter(kernel: Extract<Kernel, { kind: "scatter" }>, point: Point, quantities: Quantities): void {
  const { over, at, body, out } = kernel;
  const { k, addresses } = point;
  loopOver(
    { k, addresses, sizes: over, bodies: [...at, body], outer: point },
    {
      scalar: here => {
        const positions = at.map(position => indexed(scalarCode(position, here), k));
        k.if(
          isWithin(
            positions,
            out.shape.map(size => quantities.i32(size)),
          ),
          () => {
            const axes = [...here.axes];
            positions.forEach((position, d) => void (axes[over.length + d] = position));
            const { flat, value } = updateOf(kernel, over.length);
            storesLeaf([{ out, body: value, flat }], -1).scalar({ ...here, axes, memo: new Map(here.memo) });
          },
        );
      },
    },
  );
}

function random({ out, state }: Extract<Kernel, { kind: "random" }>, { k, addresses }: Point, quantities: Quantities): void {
  const words = sizeOf(out.shape);
  const block = philoxBlocks(k, addresses.of(state), addresses.of(out));
  const whole = quantities.i32(Math.floor(words / wordsPerBlock));
  k.loop({ to: whole }, number => block(number, wordsPerBlock));
  const rest = quantities.i32(words % wordsPerBlock);
  k.if(rest, () => block(whole, rest));
}

function check({ over, ok }: Extract<Kernel, { kind: "check" }>, point: Point): void {
  const { k, addresses } = point;
  const position: Scalar = { kind: "index", dtype: "int32", index: flattenIndex(axesOf(over), over) };
  loopOver(
    { k, addresses, sizes: over, bodies: [ok], outer: point },
    {
      scalar: here =>
        k.if(i32.eqz(scalarCode(ok, here) as Expr<"i32">), () =>
          k.return(plus(scalarCode(position, { ...here, memo: new Map() }) as Expr<"i32">, 1)),
        ),
    },
  );
}
