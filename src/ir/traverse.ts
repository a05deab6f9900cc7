// What a step reads, generically: passes that follow values ask here instead of knowing every primitive.

import type { Region, Step, Value } from "./program.ts";
import { outputsOf } from "./program.ts";
import type { Scalar } from "./scalar.ts";
import { forEachScalar, loadsOf } from "./scalar.ts";
import { forEachAtom } from "./index-map.ts";

/** The scalar expressions a step evaluates. */
export function scalarsOf(step: Step): readonly Scalar[] {
  switch (step.kind) {
    case "map":
    case "reduce":
      return [step.body];
    case "scatter":
      return [...step.at, step.body];
    case "check":
      return [step.ok];
    default:
      return [];
  }
}

/** The values a step reads, each once; for branch and loop also those their regions take from outside. */
export function inputsOf(step: Step): Value[] {
  const found = new Set<Value>();
  for (const scalar of scalarsOf(step)) for (const load of loadsOf(scalar)) found.add(load.source);
  switch (step.kind) {
    case "contract":
      for (const operand of [step.left, step.right]) {
        found.add(operand.source);
        for (const index of operand.at)
          forEachAtom(index, atom => {
            if (atom.kind === "data")
              forEachScalar(atom.value, node => {
                if (node.kind === "load") found.add(node.source);
              });
          });
      }
      break;
    case "scan":
    case "sort":
      found.add(step.source);
      break;
    case "scatter":
      found.add(step.base);
      break;
    case "random":
      found.add(step.state);
      break;
    case "check":
      for (const value of step.failure.reads) found.add(value);
      break;
    case "update":
      found.add(step.value);
      break;
    case "branch":
      found.add(step.choice);
      for (const region of step.cases) for (const value of capturesOf(region)) found.add(value);
      break;
    case "loop":
      for (const value of step.initial) found.add(value);
      for (const region of [step.condition, step.body]) for (const value of capturesOf(region)) found.add(value);
      break;
    case "call":
      for (const value of step.inputs) found.add(value);
      break;
  }
  return [...found];
}

/** The values a region reads but does not define. */
export function capturesOf(region: Region): Value[] {
  const defined = new Set<Value>(region.params);
  const captured = new Set<Value>();
  const read = (value: Value): void => {
    if (!defined.has(value)) captured.add(value);
  };
  for (const step of region.steps) {
    for (const value of inputsOf(step)) read(value);
    for (const value of outputsOf(step)) defined.add(value);
  }
  for (const value of region.results) read(value);
  return [...captured];
}
