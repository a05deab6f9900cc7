// Which way a contraction is computed, decided once: the scheduler asks for its scratch, the recorder for its code.

import type { Operand, Value } from "../../ir/program.ts";
import { type BlocksPlan, blocksValues, planBlocks } from "./blocks-plan.ts";
import { type DotsPlan, dotsValues, planDots } from "./dots.ts";
import { type DoublePlan, planDouble } from "./double.ts";
import { type LanesPlan, planLanes } from "./lanes.ts";
import { type PartsPlan, partsValues, planParts } from "./parts.ts";
import { type ContractKernel, type ContractPlan, formOf, planContract, scratchValues, turnedForm } from "./plan.ts";
import { type ProductSums, sumOfProducts } from "./reduce.ts";
import type { Target } from "../target.ts";
import { planWindows, type WindowsPlan, windowsValues } from "./windows.ts";
import { planWinograd, type WinogradPlan, winogradValues } from "./winograd-plan.ts";

/** A way, and the buffers it needs in the order they lie in the scratch. */
export type ContractWay = { readonly scratch: readonly Value[] } & (
  | { readonly kind: "winograd"; readonly plan: WinogradPlan }
  | { readonly kind: "parts"; readonly plan: PartsPlan }
  | { readonly kind: "blocks"; readonly plan: BlocksPlan }
  | { readonly kind: "dots"; readonly plan: DotsPlan }
  | { readonly kind: "tiles"; readonly plan: ContractPlan }
  | { readonly kind: "double"; readonly plan: DoublePlan }
  | { readonly kind: "lanes"; readonly plan: LanesPlan }
  | { readonly kind: "windows"; readonly plan: WindowsPlan }
  | { readonly kind: "reduce"; readonly plan: ProductSums }
);

interface Decision {
  readonly kernel: ContractKernel;
  readonly target: Target;
  readonly way: ContractWay;
}

/** By operand, which a kernel keeps when it is given its place in scratch. */
const decided = new WeakMap<Operand, Decision>();

export function wayOf(kernel: ContractKernel, target: Target): ContractWay {
  const known = decided.get(kernel.left);
  if (known && known.target === target && isSame(known.kernel, kernel)) return known.way;
  const way = decide(kernel, target);
  decided.set(kernel.left, { kernel, target, way });
  return way;
}

const isSame = (a: ContractKernel, b: ContractKernel): boolean =>
  a.right === b.right && a.shape === b.shape && a.over === b.over && a.stores === b.stores && a.panels === b.panels;

function decide(kernel: ContractKernel, target: Target): ContractWay {
  const winograd = planWinograd(kernel, target);
  if (winograd) return { kind: "winograd", plan: winograd, scratch: winogradValues(winograd) };
  const parts = planParts(kernel, target);
  if (parts) return { kind: "parts", plan: parts, scratch: partsValues(parts) };
  const form = formOf(kernel);
  if (form) {
    const dots = planDots(form, kernel, target);
    if (dots) return { kind: "dots", plan: dots, scratch: dotsValues(dots) };
    const blocks = planBlocks(turnedForm(form, target.lanes32) ?? form, kernel, target);
    if (blocks) return { kind: "blocks", plan: blocks, scratch: blocksValues(blocks) };
    const tiles = planContract(form, kernel, target);
    return { kind: "tiles", plan: tiles, scratch: scratchValues(tiles) };
  }
  const double = planDouble(kernel);
  if (double) return { kind: "double", plan: double, scratch: buffersOf(double) };
  const lanes = planLanes(kernel, target);
  if (lanes) return { kind: "lanes", plan: lanes, scratch: buffersOf(lanes) };
  const windows = planWindows(kernel, target);
  if (windows) return { kind: "windows", plan: windows, scratch: windowsValues(windows) };
  const sums = sumOfProducts(kernel);
  return { kind: "reduce", plan: sums, scratch: buffersOf(sums) };
}

const buffersOf = ({ paddings, partial }: Pick<ProductSums, "paddings" | "partial">): Value[] => [
  ...paddings.map(({ padded }) => padded),
  ...(partial ? [partial] : []),
];
