// What the scheduler asks of a target: the scratch that it must reserve for a kernel, so that recorded code finds it, and what contractions copy.

import { sizeOf } from "../base/shape.ts";
import type { Kernel, Panels, ScheduleTarget } from "../schedule/plan.ts";
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
  panelsOf: panelsOn(target),
});

type ContractKernel = Extract<Kernel, { kind: "contract" }>;

const mostForms = 1024;

/** Asks once for all contractions of one form, for it takes deciding how they are computed. */
class ByForm<T> {
  readonly #known = new Map<string, T>();

  of(kernel: ContractKernel, ask: () => T): T {
    const text = formOf(kernel)?.text ?? "";
    let answer = this.#known.get(text);
    if (answer === undefined) {
      answer = ask();
      if (this.#known.size >= mostForms) this.#known.clear();
      this.#known.set(text, answer);
    }
    return answer;
  }
}

/** How many bytes of scratch kernels want on a target. */
function scratchOn(target: Target): (kernel: Kernel) => number {
  const known = new WeakMap<Kernel, number>();
  const byForm = new ByForm<number>();
  return kernel => {
    const bytes =
      known.get(kernel) ??
      (kernel.kind === "contract" ? byForm.of(kernel, () => scratchBytesOf(kernel, target)) : scratchBytesOf(kernel, target));
    known.set(kernel, bytes);
    return bytes;
  };
}

/** The panels of contractions, which those of one form have alike if they read the same array. */
function panelsOn(target: Target): (kernel: ContractKernel) => Panels | undefined {
  const byForm = new ByForm<{ readonly kernel: ContractKernel; readonly panels: Panels | undefined }>();
  return kernel => {
    const { kernel: first, panels } = byForm.of(kernel, () => ({ kernel, panels: panelsOf(kernel, target) }));
    const isSame = (["left", "right"] as const).some(
      side => panels?.source === first[side].source && kernel[side].source === first[side].source,
    );
    return panels === undefined || isSame ? panels : panelsOf(kernel, target);
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
