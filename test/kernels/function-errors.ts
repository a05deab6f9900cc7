// By how much elementary functions of float32 may err: math.test.ts holds their code to it, and comparisons with the reference, whose functions
// are rounded once, ask what such errors come to.

import type { Program, Region, Step } from "../../src/ir/program.ts";
import { applyScalar, forEachScalar, type Scalar, s } from "../../src/ir/scalar.ts";
import type { MathFunction } from "../../src/kernels/math/math.ts";

/** Largest errors in units of the last place, where they are more than rounding. */
export const singleBounds: Partial<Record<MathFunction, number>> = {
  exp: 1.2,
  expNonPositive: 1.2,
  expm1: 1.5,
  log: 0.85,
  log1p: 0.85,
  tanh: 2.4,
  sigmoid: 2.4,
  softplus: 1.7,
  rsqrt: 1.5,
  erf: 1.3,
};

/** The program with such functions off by as much as they may be, all `upwards` (1) or all down (-1). */
export function withFunctionErrors(program: Program, upwards: 1 | -1): Program {
  const inRegion = (region: Region): Region => ({ ...region, steps: region.steps.map(inStep) });
  const inStep = (step: Step): Step => {
    switch (step.kind) {
      case "map":
      case "reduce":
        return { ...step, body: withErrors(step.body, upwards) };
      case "branch":
        return { ...step, cases: step.cases.map(inRegion) };
      case "loop":
        return { ...step, body: inRegion(step.body) };
      default:
        return step;
    }
  };
  return { ...program, steps: program.steps.map(inStep) };
}

function withErrors(root: Scalar, upwards: 1 | -1): Scalar {
  const done = new Map<Scalar, Scalar>();
  const changed = (node: Scalar): Scalar => done.get(node) ?? node;
  forEachScalar(root, node => {
    if (node.kind === "apply") {
      const applied = applyScalar(node.fn, ...node.args.map(changed));
      const bound = node.dtype === "float32" ? singleBounds[node.fn as MathFunction] : undefined;
      done.set(node, bound === undefined ? applied : s.mul(applied, 1 + upwards * bound * 2 ** -24));
    } else if (node.kind === "cast") done.set(node, s.cast(changed(node.arg), node.dtype));
    else if (node.kind === "guard") done.set(node, s.guard(node.when, changed(node.value), changed(node.otherwise)));
  });
  return changed(root);
}
