// A process that saves is killed at random moments: the latest checkpoint is then there, whole, and of one step.
// So many times here: 8 for each kind; TENSORLOOM_ROUNDS=200 for more.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as tf from "tensorloom";
import { afterAll, expect, test } from "vitest";

const rounds = Number(process.env.TENSORLOOM_ROUNDS ?? 8);
const folder = mkdtempSync(join(tmpdir(), "tensorloom-killed-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const program = fileURLToPath(new URL("save-forever.ts", import.meta.url));

/** Kills a saving process some time after its first save. */
function saveAndKill(home: string, step: number, kind: string, afterMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, home, String(step), kind], { stdio: ["ignore", "pipe", "inherit"] });
    child.stdout.once("data", () => setTimeout(() => child.kill("SIGKILL"), afterMs));
    child.once("error", reject);
    child.once("close", (_, signal) => (signal === "SIGKILL" ? resolve() : reject(new Error("The saving process ended by itself."))));
  });
}

test.each(["same", "numbered"])("%s names", async kind => {
  const home = join(folder, kind);
  mkdirSync(home);
  let last = 0;
  for (let round = 0; round < rounds; round++) {
    await saveAndKill(home, last + 1, kind, Math.random() * 60);
    const path = (await tf.train.latestCheckpoint(home)) as string;
    expect(path).not.toBe(null);
    const reader = await tf.train.loadCheckpoint(home);
    const steps = new Set<number>();
    for (const [name, shape] of reader.getVariableToShapeMap()) {
      const array = await reader.getTensor(name);
      expect(array.shape).toEqual(shape);
      for (const value of array.data as Float32Array) steps.add(value);
    }
    await reader.close();
    expect(steps.size).toBe(1);
    const [step] = steps;
    expect(step).toBeGreaterThan(last);
    last = step;
  }
  // Whoever writes there next removes what the killed ones left.
  await tf.train.updateCheckpointState(home, join(home, "model"));
  expect(readdirSync(home).filter(name => name.includes("tempstate"))).toEqual([]);
});
