// Several phases that need not wait for each other as one: threads meet once after all of them, and what is too little to be shared by
// itself is shared with the rest.

import { least, plus, times } from "../arithmetic.ts";
import { i32 } from "./language.ts";
import type { Phase } from "../phase.ts";
import type { ModuleRecorder } from "./recorder.ts";

/** What a unit of a joined phase costs at least, if its part is not smaller: some 1 µs. */
const leastUnit = 30_000;

/** One phase of phases without scratch, none of which needs what another writes. Its units are pieces of theirs of about the same work. */
export function joinPhases(name: string, phases: readonly Phase[], module: ModuleRecorder): Phase {
  let units = 0;
  const parts = phases.map(phase => {
    const most = Math.max(1, Math.ceil(phase.work / leastUnit));
    const places = Math.ceil(phase.units / Math.min(phase.units, most));
    const first = units;
    units += Math.ceil(phase.units / places);
    return { phase, places, first, end: units };
  });
  const ref = module.function(name, { params: { low: "i32", high: "i32" } }, (k, { low, high }) => {
    for (const { phase, places, first, end } of parts)
      k.if(i32.and(i32.lt(low, end), i32.gt(high, first)), () => {
        const from = i32.max(plus(low, -first), 0);
        const to = plus(least(high, end), -first);
        k.call(phase.function, times(from, places), least(times(to, places), phase.units));
      });
  });
  return { name, function: ref, units, work: phases.reduce((sum, { work }) => sum + work, 0), joined: phases };
}
