// Which function does what: a line for each phase of a recorded plan, with its units and the extents of its kernel. What a profile is read by.

import type { Kernel } from "../../schedule/plan.ts";
import type { Recorded } from "../index.ts";

/** `contract23  196 units  contract [100,14,14,64] over [5,5,32]`. Kernels of the host follow by their numbers. */
export function printPhases({ phases, hostKernels }: Pick<Recorded, "phases" | "hostKernels">): string {
  const rows = [
    ...[...timesCalled(phases)].map(([{ name, units, kernel }, times]) => [
      name,
      `${units} units`,
      `${describe(kernel)}${times > 1 ? `, ${times} times` : ""}`,
    ]),
    ...hostKernels.map((kernel, k) => [`host(${k})`, "on the host", describe(kernel)]),
  ];
  const widths = [0, 1].map(column => Math.max(0, ...rows.map(row => row[column].length)));
  return rows.map(([name, units, what]) => `${name.padEnd(widths[0])}  ${units.padStart(widths[1])}  ${what}\n`).join("");
}

/** The first phase of each name, and how many there are: kernels that differ in addresses alone have one function. */
function timesCalled(phases: Recorded["phases"]): Map<Recorded["phases"][number], number> {
  const firsts = new Map<string, Recorded["phases"][number]>();
  const times = new Map<Recorded["phases"][number], number>();
  for (const phase of phases) {
    const first = firsts.get(phase.name) ?? phase;
    firsts.set(phase.name, first);
    times.set(first, (times.get(first) ?? 0) + 1);
  }
  return times;
}

function describe(kernel: Kernel): string {
  const stored = "stores" in kernel ? ` → ${kernel.stores.map(({ out }) => out.dtype).join(", ")}` : "";
  switch (kernel.kind) {
    case "map":
      return `map [${kernel.shape}]${stored}`;
    case "sweep":
      return `sweep of ${kernel.maps.map(({ shape }) => `[${shape}]`).join(", ")}`;
    case "reduce":
      return `reduce ${kernel.combine} [${kernel.shape}] over [${kernel.over}]${stored}`;
    case "reductions":
      return `reductions of ${kernel.reductions.length}: ${describe(kernel.reductions[0])}`;
    case "rows":
      return `rows ${kernel.rows} of ${kernel.length} in ${kernel.passes.length} passes`;
    case "contract":
      return `contract [${kernel.shape}] over [${kernel.over}]${stored}`;
    case "scan":
      return `scan ${kernel.combine} [${kernel.out.shape}] along ${kernel.axis} → ${kernel.out.dtype}`;
    case "scatter":
      return `scatter ${kernel.combine} [${kernel.over}] into [${kernel.out.shape}] → ${kernel.out.dtype}`;
    case "sort":
      return `sort [${kernel.source.shape}] → [${kernel.values.shape}] ${kernel.values.dtype}`;
    case "random":
      return `random [${kernel.out.shape}]`;
    case "check":
      return `check ${kernel.failure.label} [${kernel.over}]`;
    case "call":
      return `call ${kernel.routine.name}`;
    default:
      return kernel.kind;
  }
}
