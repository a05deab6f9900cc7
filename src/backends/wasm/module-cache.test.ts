// An equal graph in another session compiles nothing.
import { spawnSync } from "node:child_process";
import { afterEach, describe, expect, it, vi } from "vitest";
import * as tf from "../../index.ts";
import { ModuleCache } from "./module-cache.ts";

afterEach(() => void vi.restoreAllMocks());

const step = async (factor: number): Promise<void> => {
  const graph = new tf.Graph();
  const { train, initialize, x } = graph.asDefault(() => {
    const input = tf.placeholder(tf.float32, [7, 3]);
    const w = new tf.Variable(tf.ones([3, 1]), { name: "w" });
    const loss = tf.reduceSum(tf.square(tf.matmul(input, w).mul(factor)));
    return { x: input, train: new tf.train.GradientDescentOptimizer(0.1).minimize(loss), initialize: tf.globalVariablesInitializer() };
  });
  const session = new tf.Session({ graph });
  await session.run(initialize);
  await session.run(train, [[x, new tf.NDArray("float32", [7, 3], new Float32Array(21))]]);
  await session.close();
};

describe("compiled modules", () => {
  it("serve every session whose graph is equal", async () => {
    const compile = vi.spyOn(WebAssembly, "compile");
    await step(3.25);
    const first = compile.mock.calls.length;
    expect(first).toBeGreaterThan(0);
    await step(3.25);
    expect(compile.mock.calls.length).toBe(first);
    await step(3.5);
    expect(compile.mock.calls.length).toBeGreaterThan(first);
  });

  it("are tried again after the engine refused their bytes", async () => {
    const cache = new ModuleCache();
    const broken = new Uint8Array([0, 1, 2]);
    await expect(cache.compile(broken)).rejects.toThrow();
    const compile = vi.spyOn(WebAssembly, "compile");
    await expect(cache.compile(broken)).rejects.toThrow();
    expect(compile).toHaveBeenCalledTimes(1);
  });

  it("keep the process waiting where the engine takes its time", () => {
    const source = `
      import { matmul, ones, Session } from "./src/index.ts";
      await new Session({ config: { intraOpParallelismThreads: 1 } }).run(matmul(ones([64, 64]), ones([64, 64])));
      console.log("done");
    `;
    const { stdout, status } = spawnSync(
      process.execPath,
      ["--no-wasm-lazy-compilation", "--input-type=module", "--no-warnings", "-e", source],
      { encoding: "utf8", timeout: 50_000 },
    );
    expect({ stdout, status }).toEqual({ stdout: "done\n", status: 0 });
  });
});
