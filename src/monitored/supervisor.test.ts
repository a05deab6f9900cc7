// A supervised session as programs of 2016 had it: trains, saves, writes summaries; the next one goes on where it ended.

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "tensorloom";
import { afterAll, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "supervised-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function model() {
  const globalStep = tf.train.createGlobalStep();
  const w = tf.getVariable("w", [], { initializer: tf.constantInitializer(1) });
  const loss = tf.square(w.sub(3));
  tf.summary.scalar("loss", loss);
  return { w, globalStep, train: new tf.train.GradientDescentOptimizer(0.1).minimize(loss, { globalStep }) };
}

it("initializes, saves and restores", async () => {
  const after = async (steps: number): Promise<number[]> => {
    using _ = new tf.Graph().asDefault();
    const { w, globalStep, train } = model();
    const supervisor = new tf.train.Supervisor({ logdir: folder, saveSummariesSecs: 0, saveModelSecs: 0 });
    return supervisor.managedSession(async session => {
      expect(supervisor.shouldStop()).toBe(false);
      for (let i = 0; i < steps; i++) await session.run(train);
      await supervisor.saver?.save(session, supervisor.savePath as string, { globalStep: supervisor.globalStep });
      return (await session.run([w, globalStep])).map(value => Number((value as tf.NDArray).item()));
    });
  };
  const [first, step] = await after(2);
  expect(first).toBeCloseTo(3 - 2 * 0.8 ** 2, 5);
  expect(step).toBe(2);
  const [second, next] = await after(1);
  expect(second).toBeCloseTo(3 - 2 * 0.8 ** 3, 5);
  expect(next).toBe(3);
});

it("saves and writes summaries by itself, from the start", async () => {
  const own = join(folder, "own");
  using _ = new tf.Graph().asDefault();
  model();
  const supervisor = new tf.train.Supervisor({ logdir: own, saveSummariesSecs: 1000, saveModelSecs: 1000 });
  await supervisor.managedSession(() => new Promise(resolve => setTimeout(resolve, 20)));
  expect(readdirSync(own).filter(name => name.startsWith("model.ckpt-0"))).toHaveLength(3);
  const events = readdirSync(own).filter(name => name.startsWith("events."));
  const tags: string[] = [];
  for await (const event of tf.train.summaryIterator(join(own, events[0])))
    for (const { tag } of event.summary?.value ?? []) tags.push(String(tag));
  expect(tags).toEqual(["loss"]);
});

it("stops on an error of the body, and throws it", async () => {
  using _ = new tf.Graph().asDefault();
  model();
  const supervisor = new tf.train.Supervisor({ logdir: null });
  await expect(supervisor.managedSession(() => Promise.reject(new RangeError("mine")))).rejects.toThrow("mine");
  expect(supervisor.shouldStop()).toBe(true);
  const worker = new tf.train.Supervisor({ isChief: false, graph: new tf.Graph() });
  await expect(worker.startStandardServices(new tf.Session())).rejects.toThrow("Only chief supervisor can start standard services.");
});
