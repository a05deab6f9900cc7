// What a phase may take: its work and the bytes of its kernel against what the target does at best. Rough on purpose, and for one usual machine:
// it tells where time should go, so that a measured time far from it is worth a look.

import { dtypeBytes } from "../base/dtype.ts";
import { sizeOf } from "../base/shape.ts";
import type { Value } from "../ir/program.ts";
import { readsOfKernel, writesOfKernel } from "../schedule/draft.ts";
import type { Kernel } from "../schedule/plan.ts";
import type { Target } from "./target.ts";

/** A phase, a kernel of the host or a copy, whose time a traced run tells. */
export interface TracedPart {
  readonly name: string;
  readonly kernel: Kernel;
}

/** A part of a run and what it should take, in milliseconds. */
export interface EstimatedPart extends TracedPart {
  readonly estimatedMs: number;
}

/** What is estimated: `work` as schedule/cost.ts counts, done by `threads`. */
export interface CostedPart extends TracedPart {
  readonly work: number;
  readonly threads: number;
}

/** Parts with their estimates. A kernel's traffic is counted with its last part, which stores. */
export function estimateParts(parts: readonly CostedPart[], { peak }: Target): EstimatedPart[] {
  const last = new Map(parts.map(({ kernel }, i) => [kernel, i]));
  return parts.map(({ name, kernel, work, threads }, i) => {
    const bytes = last.get(kernel) === i ? bytesOf(kernel) : 0;
    const rate = bytes > peak.nearBytes ? peak.farBytesPerNs : peak.nearBytesPerNs;
    return { name, kernel, estimatedMs: Math.max(work / peak.workPerNs / threads, bytes / rate) / 1e6 };
  });
}

/** Bytes of the arrays that a kernel reads and writes, each once. */
function bytesOf(kernel: Kernel): number {
  const written = kernel.kind === "copy" ? [kernel.from] : kernel.kind === "branch" || kernel.kind === "loop" ? [] : writesOfKernel(kernel);
  const size = ({ dtype, shape }: Value): number => sizeOf(shape) * dtypeBytes(dtype);
  return [...readsOfKernel(kernel), ...written].reduce((sum, value) => sum + size(value), 0);
}
