// Every public function makes exactly TensorFlow's nodes under TensorFlow's names: golden-op-names.json, 223 recorded cases.
import { expect, it } from "vitest";
import { Graph } from "../../src/graph/graph.ts";
import { Operation, Tensor } from "../../src/graph/operation.ts";
import * as api from "../../src/index.ts";
import * as operators from "../../src/ops/operators.ts";
import { surprises } from "./expected-failures.ts";
import { loadSpec } from "./golden.ts";
import { type Api, programs } from "./op-name-programs.ts";

type Recorded = {
  case: string;
  result: string;
  ops: readonly (readonly [name: string, type: string, inputs: readonly string[], controls: readonly string[]])[];
};
const { cases } = loadSpec("golden-op-names") as { cases: readonly Recorded[] };

const tf: Api = { ...api, operators };

/** Why a case fails, or undefined. */
function failure({ case: name, result, ops }: Recorded): string | undefined {
  const program = programs[name];
  if (!program) return "no program";
  const graph = new Graph();
  let made: unknown;
  try {
    made = graph.asDefault(() => program(tf, (shape = null, dtype = "float32") => tf.placeholder(dtype, shape, { name: "p" })));
  } catch (error) {
    const { message } = error as Error;
    return /is not a (?:function|constructor)|Cannot read properties of undefined/.test(message)
      ? `missing: ${message}`
      : `throws ${message.split("\n")[0]}`;
  }
  const got = graph
    .getOperations()
    .map(op => [op.name, op.type, op.inputs.map(input => input.name), op.controlInputs.map(control => control.name)]);
  const at = got.findIndex((op, i) => JSON.stringify(op) !== JSON.stringify(ops[i]));
  if (at >= 0 || got.length !== ops.length)
    return `operation ${at < 0 ? got.length : at}: ${JSON.stringify(got[at < 0 ? got.length : at])} for ${JSON.stringify(ops[at < 0 ? got.length : at])}`;
  const resultName = made instanceof Tensor || made instanceof Operation ? made.name : null;
  return result === null || resultName === result ? undefined : `result ${resultName} for ${result}`;
}

it("makes the nodes TensorFlow makes, but for the listed cases", () => {
  const failures = new Map(
    cases.flatMap(recorded => {
      const why = failure(recorded);
      return why === undefined ? [] : [[recorded.case, why] as const];
    }),
  );
  expect(surprises("op-names", failures)).toEqual([]);
});

it("has a program for every recorded case and no other", () => {
  expect(Object.keys(programs).sort()).toEqual(cases.map(recorded => recorded.case).sort());
});
