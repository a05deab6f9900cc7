// Scratch memory by kernel: what the scheduler must reserve for a target, so that recorded code finds it.

import { sizeOf } from "../base/shape.ts";
import type { Kernel } from "../schedule/plan.ts";
import { paddedReduce, planContract, scratchOffsets, scratchValues } from "./contract-plan.ts";
import { elementRow } from "./element.ts";
import { sortScratchBytes } from "./sort.ts";
import type { Target } from "./target.ts";
import { planWinograd, winogradValues } from "./winograd-plan.ts";

/** Bytes of scratch a kernel wants on a target. */
export function scratchBytesOf(kernel: Kernel, target: Target): number {
  if (kernel.kind === "sort") return elementRow(kernel.source.dtype) && sizeOf(kernel.values.shape) > 0 ? sortScratchBytes(kernel) : 0;
  if (kernel.kind !== "contract") return 0;
  const winograd = planWinograd(kernel, target);
  const plan = winograd ? undefined : planContract(kernel, target);
  const values = winograd
    ? winogradValues(winograd)
    : plan
      ? scratchValues(plan)
      : (paddedReduce(kernel)?.paddings.map(({ padded }) => padded) ?? []);
  return scratchOffsets(values, target.alignment).reduce((sum, { bytes }) => sum + bytes, 0);
}
