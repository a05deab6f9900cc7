import { beforeAll, expect, test } from "vitest";
import { ExampleProcess, type Finished } from "../shared/example-process.ts";

let notes: Finished;
beforeAll(async () => {
  notes = await new ExampleProcess("notes/main.ts").finished;
}, 120_000);

test("runs to its end", () => {
  expect([notes.status, notes.stderr]).toEqual([0, ""]);
});

test("prints names and lists as TensorFlow does", () => {
  expect(notes.stdout).toContain(`a taken name gets a number:
  <tf.Variable 'ns1/v:0' shape=(1,) dtype=float32_ref>
  <tf.Variable 'v:0' shape=(2, 3) dtype=float32_ref>
  <tf.Variable 'ns1/v_1:0' shape=(1,) dtype=float32_ref>
`);
  expect(notes.stdout).toContain(`no optimizer may touch:
  <tf.Variable 'ns1/v:0' shape=(1,) dtype=float32_ref>
  <tf.Variable 'v:0' shape=(2, 3) dtype=float32_ref>
  <tf.Variable 'ns1/v_1:0' shape=(1,) dtype=float32_ref>

`);
  expect(notes.stdout).toContain(`trainableVariables("ns1") is
  <tf.Variable 'ns1/v:0' shape=(1,) dtype=float32_ref>
  <tf.Variable 'ns1/v_1:0' shape=(1,) dtype=float32_ref>

`);
  expect(notes.stdout).toContain("  <tf.Variable 'steps_done:0' shape=() dtype=int32_ref>\n");
});

test("shares a variable when a scope is opened again with reuse", () => {
  expect(notes.stdout).toContain(`  Tensor("layer/mul:0", shape=(3,), dtype=float32)
  Tensor("layer_1/mul:0", shape=(3,), dtype=float32)
  <tf.Variable 'layer/w:0' shape=(3,) dtype=float32_ref>
`);
  expect(notes.stdout).toContain("ValueError: Variable layer/w already exists, disallowed.");
});

test("the graph's shapes are those of the formulas", () => {
  const rows = [...notes.stdout.matchAll(/^ {2}(conv2d|maxPool), .* = (\d+) +\((.*)\)$/gm)];
  expect(rows).toHaveLength(12);
  for (const [, name, side, shape] of rows) expect(shape).toBe(`?, ${side}, ${side}, ${name === "conv2d" ? 32 : 1}`);
  expect(notes.stdout).toContain("conv2d, window 5, stride 3, VALID  ceil((28 - 5 + 1) / 3) = 8   (?, 8, 8, 32)");
  expect(notes.stdout).toContain("ValueError: Negative dimension size caused by subtracting 29 from 28 for ");
});

test("an optimizer with a list moves nothing else", () => {
  expect(notes.stdout).toMatch(/^ {2}at the start +a = 3\.000 {2}b = 5\.000 {2}loss 4\.000$/m);
  expect(notes.stdout).toMatch(/^ {2}after a step of a's gradient descent +a = 3\.400 {2}b = 5\.000 {2}loss 2\.560$/m);
  expect(notes.stdout).toMatch(/^ {2}after a step of b's Adam +a = 3\.400 {2}b = 4\.900 {2}loss 2\.250$/m);
});

test("a small positive bias leaves the fewest dead units and reads the most digits", () => {
  const rows = [...notes.stdout.matchAll(/^ +(-?0\.\d) +(\d+) % +(\d+) % +(\d+) %$/gm)].map(row => row.slice(1).map(Number));
  expect(rows.map(([bias]) => bias)).toEqual([-0.1, 0, 0.1]);
  const [[, , deadBelow, rightBelow], [, , deadAtZero, rightAtZero], [, , deadAbove, rightAbove]] = rows;
  expect(deadBelow).toBeGreaterThan(deadAtZero);
  expect(deadAtZero).toBeGreaterThan(deadAbove);
  expect(rightBelow).toBeLessThan(15);
  expect(rightAtZero).toBeLessThan(rightAbove);
});
