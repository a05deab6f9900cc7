// What the scheduler asks of a target: the scratch that it must reserve for a kernel, so that recorded code finds it, and what contractions copy.

import { sizeOf } from "../base/shape.ts";
import type { Kernel, ScheduleTarget } from "../schedule/plan.ts";
import type { Value } from "../ir/program.ts";
import { panelsOf } from "./contract/panels.ts";
import { scratchOffsets } from "./contract/plan.ts";
import { wayOf } from "./contract/way.ts";
import { elementRow } from "./element.ts";
import { formOf } from "./language/kernel-form.ts";
import { partialsOf } from "./reduce/reduce.ts";
import { sortScratchBytes } from "./sort.ts";
import type { Target } from "./target.ts";

export const scheduleTarget = (target: Target): ScheduleTarget => ({
  alignment: target.alignment,
  scratchBytes: scratchOn(target),
  panelsOf: kernel => panelsOf(kernel, target),
});

const mostForms = 1024;

/** How many bytes of scratch kernels want on a target: asked once for all of one form, for it takes deciding how they are computed. */
function scratchOn(target: Target): (kernel: Kernel) => number {
  const known = new WeakMap<Kernel, number>();
  const byForm = new Map<string, number>();
  const ofForm = (kernel: Kernel): number => {
    if (kernel.kind !== "contract") return scratchBytesOf(kernel, target);
    const form = formOf(kernel)?.text ?? "";
    const bytes = byForm.get(form) ?? scratchBytesOf(kernel, target);
    if (byForm.size >= mostForms) byForm.clear();
    byForm.set(form, bytes);
    return bytes;
  };
  return kernel => {
    const bytes = known.get(kernel) ?? ofForm(kernel);
    known.set(kernel, bytes);
    return bytes;
  };
}

/** Bytes of scratch a kernel wants on a target. */
function scratchBytesOf(kernel: Kernel, target: Target): number {
  if (kernel.kind === "sort") return elementRow(kernel.source.dtype) && sizeOf(kernel.values.shape) > 0 ? sortScratchBytes(kernel) : 0;
  const reserved = (values: readonly Value[]): number =>
    scratchOffsets(values, target.alignment).reduce((sum, { bytes }) => sum + bytes, 0);
  if (kernel.kind === "reduce") return reserved(partialsOf([kernel]));
  if (kernel.kind === "reductions") return reserved(partialsOf(kernel.reductions));
  if (kernel.kind !== "contract") return 0;
  return reserved(wayOf(kernel, target).scratch);
}
