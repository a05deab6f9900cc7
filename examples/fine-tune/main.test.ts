import { expect, test } from "vitest";
import { ExampleProcess } from "../shared/example-process.ts";

const fineTune = (...flags: string[]) => new ExampleProcess("fine-tune/main.ts", ...flags);

test("a new layer on the model's features learns digits that the model never saw", async () => {
  const { status, stdout, stderr } = await fineTune("--steps", "100").finished;
  expect([status, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^2 variables are trained on 'features:0', 32 features of each digit:$/m);
  const [before, after] = [...stdout.matchAll(/^(?:before|after): ([\d.]+)%/gm)].map(([, percent]) => Number(percent));
  expect(before).toBeLessThan(45);
  expect(after).toBeGreaterThan(80);
});

test("a tensor that is not there is an error", async () => {
  const { status, stderr } = await fineTune("--tensor", "nowhere").finished;
  expect(status).toBe(1);
  expect(stderr).toContain("The model has no tensor named 'nowhere'.");
});
