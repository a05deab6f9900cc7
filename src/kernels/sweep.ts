// Sweeps: the maps of a kernel as one phase. What calls functions of the host would keep all of it to the caller, and stays by itself.

import type { Kernel } from "../schedule/plan.ts";
import { joinPhases } from "./language/join-phases.ts";
import { recordMap } from "./map.ts";
import type { NamedRecording, Phase } from "./phase.ts";

type SweepKernel = Extract<Kernel, { kind: "sweep" }>;

/** Records a sweep; `phasesOf` may know functions that a map shares with others. */
export function recordSweep(
  { maps }: SweepKernel,
  recording: NamedRecording,
  phasesOf: (map: SweepKernel["maps"][number], recording: NamedRecording) => Phase[] = recordMap,
): Phase[] {
  const { module, places } = recording;
  const name = recording.name("sweep");
  let count = 0;
  const parts = { module, places, name: (kind: string) => `${name}.${kind}${count++}` };
  const phases = maps.flatMap(map => phasesOf(map, parts));
  const together = phases.filter(phase => !module.callsHost(phase.function));
  const alone = phases.filter(phase => module.callsHost(phase.function));
  return together.length > 1 ? [...alone, joinPhases(name, together, module)] : phases;
}
