// Check kernels: the first place where the condition fails is written to the status words, and the run ends there.

import { axisIndex, flattenIndex } from "../ir/index-map.ts";
import { sizeOf } from "../base/shape.ts";
import { loadsOf, type Scalar } from "../ir/scalar.ts";
import type { Kernel } from "../schedule/plan.ts";
import { evaluationCost, innerAxes } from "../schedule/cost.ts";
import { type Expr, i32 } from "./language/language.ts";
import { loopOver } from "./loops.ts";
import type { Phase, Recording } from "./phase.ts";
import { Addresses } from "./places.ts";
import { scalarCode } from "./language/scalar-code.ts";

/** Imported number: where the two status words are: 1 + the number of the failed check (0: none), and the flat position. */
export const statusGlobal = "status";

export function recordCheck({ over, ok }: Extract<Kernel, { kind: "check" }>, number: number, { module, places, name }: Recording): Phase {
  const label = name("check");
  const position: Scalar = {
    kind: "index",
    dtype: "int32",
    index: flattenIndex(
      over.map((size, axis) => axisIndex(axis, size)),
      over,
    ),
  };
  const ref = module.function(label, { params: { low: "i32", high: "i32" } }, k => {
    const addresses = new Addresses(
      k,
      places,
      loadsOf(ok).map(({ source }) => source),
    );
    const status = k.let(module.global(statusGlobal));
    loopOver(
      { k, addresses, sizes: over, bodies: [ok] },
      {
        scalar: point => {
          k.if(i32.eqz(scalarCode(ok, point) as Expr<"i32">), () => {
            k.store("i32", status, 4, scalarCode(position, { ...point, memo: new Map() }));
            k.store("i32", status, 0, number + 1);
            k.return();
          });
        },
      },
    );
  });
  return { name: label, function: ref, units: 1, work: sizeOf(over) * evaluationCost(ok, innerAxes(over)) };
}
