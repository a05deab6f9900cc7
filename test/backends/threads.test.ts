// Threads change nothing but time: bit for bit the same for any number of them, and nothing hangs, leaks or stays when something breaks.
import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { WasmDevice } from "../../src/backends/wasm/device.ts";
import { threadPool, threadsWanted } from "../../src/backends/wasm/thread-pool.ts";
import * as tf from "../../src/index.ts";
import * as ir from "../../src/ir/build.ts";
import { type Expr, i32, type KernelModule, type Statement } from "../../src/kernels/language/language.ts";
import { controlGlobal, controlWords } from "../../src/kernels/threads.ts";
import { root } from "../house/sources.ts";
import * as known from "../plans/known-programs.ts";
import { type RandomCase, randomCase, randomNumbers } from "../plans/random-program.ts";
import { bits, compiledOn, deviceOf, everythingShared, filled, runOn, untilAllAreIn } from "./on-threads.ts";
import { randomTypedCase } from "./random-typed-program.ts";

// Keeps the workers between tests.
let keeper: WasmDevice;
beforeAll(() => {
  keeper = deviceOf(4);
});
afterAll(() => keeper.close());

function expectSameBits(given: RandomCase, threads: readonly number[]): number {
  const alone = runOn(1, given).outcomes.map(bits);
  let chunks = 0;
  for (const count of threads) {
    const { outcomes, chunksOfWorkers } = runOn(count, given);
    expect(outcomes.map(bits), `${count} threads`).toEqual(alone);
    chunks += chunksOfWorkers;
  }
  return chunks;
}

describe("1, 2, 3 and 4 threads give the same bits", () => {
  const programs = {
    softmax: known.softmax,
    "a layer of convolution": known.convolutionLayer,
    "a step of Adam": known.adamStep,
    "a sparse update": known.sparseUpdate,
    "a recurrent loop": known.recurrentLoop,
    "layer norm": known.layerNorm,
  };
  test.each(Object.entries(programs))("%s", (_, make) => {
    expectSameBits(filled(make()), [2, 3, 4]);
  });

  const seeds = Number(process.env.FUZZ_COUNT ?? 25);
  for (const [name, make] of [
    ["float32 with states, branches and loops", randomCase],
    ["all types and functions", randomTypedCase],
  ] as const)
    test(`random programs of ${name}`, () => {
      let chunks = 0;
      for (let seed = 1; seed <= seeds; seed++) chunks += expectSameBits(make(seed), [2 + (seed % 3)]);
      expect(chunks).toBeGreaterThan(0);
    });
});

/** A product and a sum over it: several shared phases. */
const product = (): RandomCase =>
  filled(
    known.program(() => [known.relu(known.matmul(known.matmul(irFeed("x", [64, 40]), irFeed("y", [40, 48])), irFeed("z", [48, 64])))]),
  );
const irFeed = (name: string, shape: readonly number[]) => ir.feed(name, "float32", shape);

const control = { kind: "global", type: "i32", name: controlGlobal } as const;

/** A module in which the thread of that number traps when it takes a chunk; the others wait for that. */
const trapping =
  (isCaller: boolean) =>
  (module: KernelModule): KernelModule => {
    const thread = { kind: "local", type: "i32", id: 1 } as const;
    const isTrapping = isCaller ? i32.eqz(thread) : thread;
    // The caller takes nothing before a worker has trapped.
    const wait: Statement = {
      kind: "while",
      condition: i32.eqz(i32.load(control, controlWords.failed)),
      body: [{ kind: "atomic", op: "store", address: control, offset: 252, args: [i32.const(0)], result: null }],
    };
    const before: Statement = {
      kind: "if",
      condition: isTrapping,
      then: [{ kind: "trap" }],
      otherwise: isCaller ? [] : [wait],
    };
    return {
      ...module,
      functions: module.functions.map(fn => {
        if (fn.name !== "take") return fn;
        const call = fn.body.findIndex(s => s.kind === "call");
        return { ...fn, body: [...fn.body.slice(0, call), before, ...fn.body.slice(call)] };
      }),
    };
  };

/** A module in which a worker that has taken a chunk never comes back; the caller takes nothing before that. */
const stuck = (module: KernelModule): KernelModule => {
  const forever = (until: Expr<"i32">): Statement => ({
    kind: "while",
    condition: until,
    body: [{ kind: "atomic", op: "store", address: control, offset: 252, args: [i32.load(control, 248)], result: null }],
  });
  const arrived: Statement = { kind: "atomic", op: "store", address: control, offset: 248, args: [i32.const(1)], result: null };
  const before: Statement = {
    kind: "if",
    condition: { kind: "local", type: "i32", id: 1 },
    then: [arrived, forever(i32.const(1))],
    otherwise: [forever(i32.eqz(i32.load(control, 248)))],
  };
  return {
    ...module,
    functions: module.functions.map(fn => {
      if (fn.name !== "take") return fn;
      const call = fn.body.findIndex(s => s.kind === "call");
      return { ...fn, body: [...fn.body.slice(0, call), before, ...fn.body.slice(call)] };
    }),
  };
};

describe("what breaks is told and does not hang", () => {
  const run = (executable: ReturnType<typeof compiledOn>, given: RandomCase) => executable.run([...given.feeds.values()]);

  test("a worker that traps is an error of the run, and later runs are well", () => {
    const given = product();
    const device = deviceOf(2);
    const [good, bad] = [compiledOn(device, given), compiledOn(device, given, trapping(false))];
    const expected = run(good, given).map(({ data }) => data);
    for (let round = 0; round < 3; round++) {
      untilAllAreIn(device, bad);
      expect(() => run(bad, given)).toThrow(/A thread stopped: RuntimeError: unreachable/);
      untilAllAreIn(device, good);
      expect(run(good, given).map(({ data }) => data)).toEqual(expected);
    }
    device.close();
  });

  test("so is the caller's own", () => {
    const given = product();
    const device = deviceOf(3);
    const [good, bad] = [compiledOn(device, given), compiledOn(device, given, trapping(true))];
    const expected = run(good, given).map(({ data }) => data);
    for (let round = 0; round < 3; round++) {
      untilAllAreIn(device, bad);
      // Workers alone may have done all before the caller took anything.
      try {
        run(bad, given);
      } catch (error) {
        expect(String(error)).toMatch(/unreachable/);
      }
      expect(run(good, given).map(({ data }) => data)).toEqual(expected);
    }
    device.close();
  });

  test("a worker that is gone is not waited for, and comes back with the next program", async () => {
    const given = product();
    const device = deviceOf(3);
    const first = compiledOn(device, given);
    untilAllAreIn(device, first);
    const expected = run(first, given).map(({ data }) => data);
    const { workers } = threadPool();
    threadPool().end(1);
    expect(run(first, given).map(({ data }) => data)).toEqual(expected);
    await expect.poll(() => threadPool().workers, { timeout: 20_000 }).toBe(workers - 1);
    expect(run(first, given).map(({ data }) => data)).toEqual(expected);
    const second = compiledOn(device, given);
    untilAllAreIn(device, second);
    expect(run(second, given).map(({ data }) => data)).toEqual(expected);
    device.close();
  });

  test("a worker that never finishes what it has begun is an error of the run, and the next run has others", () => {
    const given = product();
    const device = deviceOf(3);
    const good = compiledOn(device, given);
    const expected = run(good, given).map(({ data }) => data);
    const bad = compiledOn(device, given, stuck, undefined, { sharing: { ...everythingShared, patienceMs: 300 } });
    for (let round = 0; round < 2; round++) {
      untilAllAreIn(device, bad);
      const began = performance.now();
      expect(() => run(bad, given)).toThrow(/^A thread has begun a part of this run and did not finish it\./);
      expect(performance.now() - began).toBeLessThan(20_000);
      expect(run(good, given).map(({ data }) => data)).toEqual(expected);
      untilAllAreIn(device, good);
      expect(run(good, given).map(({ data }) => data)).toEqual(expected);
    }
    device.close();
  });

  test("a program moves when memory does: its workers' addresses with it", () => {
    const given = product();
    const device = deviceOf(2);
    const small = compiledOn(device, given);
    untilAllAreIn(device, small);
    const expected = run(small, given).map(({ data }) => data);
    for (const rows of [300, 900, 2700]) {
      const large = filled(known.program(() => [known.matmul(irFeed("x", [rows, 64]), known.relu(irFeed("y", [64, rows])))]));
      const executable = compiledOn(device, large);
      untilAllAreIn(device, executable);
      run(executable, large);
      run(small, given);
      untilAllAreIn(device, small);
      expect(run(small, given).map(({ data }) => data)).toEqual(expected);
    }
    device.close();
  });
});

describe("sessions", () => {
  const train = (threads: number, steps = 3) => {
    const graph = new tf.Graph();
    const built = graph.asDefault(() => {
      const x = tf.placeholder(tf.float32, [16, 28, 28, 1]);
      const y = tf.placeholder(tf.int32, [16]);
      const variable = (shape: number[], seed: number) => new tf.Variable(tf.truncatedNormal(shape, { stddev: 0.1, seed }));
      const convolved = tf.nn.relu(tf.nn.conv2d(x, variable([5, 5, 1, 32], 1), [1, 1, 1, 1], "SAME").add(variable([32], 2)));
      const pooled = tf.nn.maxPool(convolved, [1, 2, 2, 1], [1, 2, 2, 1], "SAME");
      const second = tf.nn.relu(tf.nn.conv2d(pooled, variable([5, 5, 32, 64], 3), [1, 1, 1, 1], "SAME").add(variable([64], 4)));
      const flat = tf.reshape(tf.nn.maxPool(second, [1, 2, 2, 1], [1, 2, 2, 1], "SAME"), [-1, 3136]);
      const hidden = tf.nn.dropout(tf.nn.relu(tf.matmul(flat, variable([3136, 128], 5))), { rate: 0.5, seed: 6 });
      const logits = tf.matmul(hidden, variable([128, 10], 7));
      const loss = tf.reduceMean(tf.nn.sparseSoftmaxCrossEntropyWithLogits({ labels: y, logits }));
      return { x, y, loss, train: new tf.train.AdamOptimizer(1e-3).minimize(loss), init: tf.globalVariablesInitializer() };
    });
    const random = randomNumbers(3);
    const feeds: tf.Feeds = [
      [built.x, new tf.NDArray("float32", [16, 28, 28, 1], Float32Array.from({ length: 16 * 784 }, random))],
      [
        built.y,
        new tf.NDArray(
          "int32",
          [16],
          Int32Array.from({ length: 16 }, (_, i) => i % 10),
        ),
      ],
    ];
    const session = new tf.Session({ graph, config: { intraOpParallelismThreads: threads } });
    const fetches = [built.loss, built.train] as const;
    const run = async () => {
      await session.run(built.init);
      const losses: unknown[] = [];
      for (let step = 0; step < steps; step++) losses.push((await session.run(fetches, feeds))[0].item());
      return losses;
    };
    return { session, fetches, feeds, run };
  };

  test("a training step of the convolutional net gives the same losses on 1, 2, 3 and 4 threads", async () => {
    const losses: unknown[] = [];
    for (const threads of [1, 2, 3, 4]) {
      const { session, fetches, feeds, run } = train(threads);
      losses.push(await run());
      const { threads: used, sharedPhases } = await session.counts(fetches, feeds);
      expect(used).toBe(threads);
      if (threads > 1) expect(sharedPhases).toBeGreaterThan(5);
      else expect(sharedPhases).toBe(0);
      await session.close();
    }
    expect(losses[1]).toEqual(losses[0]);
    expect(losses[2]).toEqual(losses[0]);
    expect(losses[3]).toEqual(losses[0]);
  });

  test("small steps share nothing", async () => {
    const graph = new tf.Graph();
    const y = graph.asDefault(() => tf.matmul(tf.ones([32, 16]), tf.add(tf.placeholder(tf.float32, [16, 16], { name: "x" }), 1)));
    const session = new tf.Session({ graph, config: { intraOpParallelismThreads: 4 } });
    const { sharedPhases } = await session.counts(y, { "x:0": new tf.NDArray("float32", [16, 16], new Float32Array(256)) });
    expect(sharedPhases).toBe(0);
    await session.close();
  });

  test("memory stays as it is", async () => {
    const { session, fetches, feeds, run } = train(2, 2);
    await run();
    const before = { ...(await session.counts(fetches, feeds)) };
    const arrays = process.memoryUsage().arrayBuffers;
    for (let step = 0; step < 40; step++) await session.run(fetches, feeds);
    expect({ ...(await session.counts(fetches, feeds)) }).toEqual(before);
    expect(process.memoryUsage().arrayBuffers - arrays).toBeLessThan(64 * 1024);
    await session.close();
  });

  test("results are ordinary arrays", async () => {
    const { session, fetches, feeds } = train(2, 1);
    const graph = session.graph;
    await session.run(graph.getOperationByName("init"));
    const [loss] = await session.run(fetches, feeds);
    expect((loss.data as Float32Array).buffer).toBeInstanceOf(ArrayBuffer);
    await session.close();
  });

  test("the number of threads is TensorFlow's option, 0 and nothing being all cores", () => {
    expect(threadsWanted(1)).toBe(1);
    expect(threadsWanted(3)).toBe(3);
    expect(threadsWanted(0)).toBe(threadsWanted(undefined));
    expect(() => threadsWanted(-1)).toThrow("intraOpParallelismThreads must be a whole number that is not negative, but is -1.");
    expect(() => threadsWanted(1.5)).toThrow(/1\.5/);
  });

  test.each([
    ["closed", "await session.close();"],
    ["left open", ""],
  ])("a process ends by itself when its session is %s", (_, end) => {
    const source = `
      import { Session, Graph, matmul, ones, NDArray } from "./src/index.ts";
      const graph = new Graph();
      const y = graph.asDefault(() => matmul(ones([300, 700]), matmul(ones([700, 700]), ones([700, 300]))));
      const session = new Session({ graph, config: { intraOpParallelismThreads: 3 } });
      for (let i = 0; i < 20; i++) { await session.run(y); await new Promise(resolve => setTimeout(resolve, 5)); }
      ${end}
      console.log("done");
    `;
    const { stdout, status, signal } = spawnSync(process.execPath, ["--input-type=module", "--no-warnings", "-e", source], {
      cwd: root,
      encoding: "utf8",
      timeout: 50_000,
    });
    expect({ stdout, status, signal }).toEqual({ stdout: "done\n", status: 0, signal: null });
  });
});
