// Memory up to WebAssembly's 4 GiB: addresses are unsigned, offsets large. What is reserved and never touched costs the machine nothing, so
// programs run high up in a memory that is almost empty. Beyond 4 GiB the error says what was needed and what for.
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { WasmDevice } from "../../src/backends/wasm/device.ts";
import { LinearMemory } from "../../src/backends/wasm/memory.ts";
import { ResourceExhaustedError } from "../../src/base/errors.ts";
import * as tf from "../../src/index.ts";
import type { Kernel, Place, Plan } from "../../src/schedule/plan.ts";
import * as known from "../plans/known-programs.ts";
import { randomCase, type RandomCase } from "../plans/random-program.ts";
import { bits, deviceOf, filled, type RunOptions, runOn } from "./on-threads.ts";
import { randomTypedCase } from "./random-typed-program.ts";

let keeper: WasmDevice;
beforeAll(() => {
  keeper = deviceOf(2);
});
afterAll(() => keeper.close());

/** Everything lies above 3 GiB: addresses are negative where they are taken for signed. */
const high: RunOptions = { before: device => void device.memory.allocate(3 * 2 ** 30, "a test") };

/** The arena's places lie above 2 GiB inside it: so offsets of accesses do. */
const farApart: RunOptions = { changePlan: plan => movedBy(plan, 2.3 * 2 ** 30), isPoisoned: false };

function movedBy(plan: Plan, gap: number): Plan {
  const by = Math.ceil(gap / 64) * 64;
  const moved = new Map<Place, Place>();
  const place = (at: Place): Place => {
    if (at.region !== "arena") return at;
    const known = moved.get(at) ?? { ...at, offsetBytes: at.offsetBytes + by };
    moved.set(at, known);
    return known;
  };
  const kernel = (each: Kernel): Kernel => {
    if (each.kind === "branch") return { ...each, cases: each.cases.map(kernels => kernels.map(kernel)) };
    if (each.kind === "loop") return { ...each, condition: each.condition.map(kernel), body: each.body.map(kernel) };
    if (each.kind === "copy") return { ...each, to: place(each.to) };
    if ("scratch" in each && each.scratch) return { ...each, scratch: { ...each.scratch, offsetBytes: each.scratch.offsetBytes + by } };
    return each;
  };
  return {
    ...plan,
    kernels: plan.kernels.map(kernel),
    places: new Map([...plan.places].map(([value, at]) => [value, place(at)])),
    arenaBytes: plan.arenaBytes + by,
  };
}

const programs: [string, () => RandomCase][] = [
  ["softmax", () => filled(known.softmax())],
  ["a layer of convolution", () => filled(known.convolutionLayer())],
  ["a step of Adam", () => filled(known.adamStep())],
  ["a recurrent loop", () => filled(known.recurrentLoop())],
  ["a sparse update", () => filled(known.sparseUpdate())],
  ...[1, 2, 3, 4, 5, 6, 7, 8].flatMap((seed): [string, () => RandomCase][] => [
    [`random program ${seed}`, () => randomCase(seed)],
    [`random types ${seed}`, () => randomTypedCase(seed)],
  ]),
];

describe.each([
  ["above 3 GiB", high],
  ["with offsets above 2 GiB", farApart],
])("%s the results are the same", (_, options) => {
  test.each(programs)("%s", (_name, make) => {
    const given = make();
    const expected = runOn(1, given).outcomes.map(bits);
    for (const threads of [1, 2]) expect(runOn(threads, given, options).outcomes.map(bits)).toEqual(expected);
  });
});

describe("beyond 4 GiB", () => {
  test("an allocation says what it was for, and leaves what is there usable", () => {
    const memory = new LinearMemory();
    const first = memory.allocate(2 ** 31, "one thing");
    expect(() => memory.allocate(3 * 2 ** 30, "another thing")).toThrow(/^OOM when allocating 3221225536 bytes for another thing/);
    expect([memory.hasRoomFor(3 * 2 ** 30), memory.hasRoomFor(2 ** 30)]).toEqual([false, true]);
    const second = memory.allocate(2 ** 30, "a third");
    expect(second).toBeGreaterThanOrEqual(first + 2 ** 31);
    new Uint8Array(memory.buffer)[second + 2 ** 30 - 1] = 1;
  });

  test("an engine that reserves less gives a smaller memory", () => {
    const maxima: unknown[] = [];
    class Reluctant extends WebAssembly.Memory {
      constructor(descriptor: WebAssembly.MemoryDescriptor) {
        maxima.push(descriptor.maximum);
        if (descriptor.maximum === 65536) throw new RangeError("could not allocate memory");
        super(descriptor);
      }
    }
    vi.stubGlobal("WebAssembly", { Memory: Reluctant });
    const memory = new LinearMemory({ shared: true });
    vi.unstubAllGlobals();
    expect(maxima).toEqual([65536, 32768]);
    expect([memory.hasRoomFor(2 ** 30), memory.hasRoomFor(2 ** 31)]).toEqual([true, false]);
    expect(() => memory.allocate(2 ** 31, "a test")).toThrow(/gives it at most 2 GiB/);
  });

  test("a run says how much it needs and which buffers are largest", async () => {
    const graph = new tf.Graph();
    const [column, total, small] = graph.asDefault(() => {
      const column = tf.placeholder(tf.float32, [40000, 1], { name: "column" });
      const outer = tf.matmul(column, tf.ones([1, 40000]));
      return [column, tf.reduceSum(tf.matmul(outer, tf.add(outer, 1))), tf.add(tf.reduceSum(column), 1)];
    });
    const session = new tf.Session({ graph });
    const feeds: tf.Feeds = [[column, new tf.NDArray("float32", [40000, 1], new Float32Array(40000))]];
    const error = await session.run(total, feeds).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ResourceExhaustedError);
    expect(String(error)).toMatch(
      /OOM when allocating \d{10,} bytes for the arena; its largest buffers are float32\[40000,40000\]: 6400000000 bytes/,
    );
    expect((await session.run(small, feeds)).item()).toBe(1);
    await session.close();
  });

  test("a sum over more places than can be counted is refused, though no array is as large", async () => {
    const graph = new tf.Graph();
    const [x, total] = graph.asDefault(() => {
      const given = tf.placeholder(tf.float32, []);
      return [given, tf.reduceSum(tf.broadcastTo(given, [65536, 65537]))];
    });
    const session = new tf.Session({ graph });
    await expect(session.run(total, [[x, 1]])).rejects.toThrow(/^OOM when allocating tensor with shape\[65536,65537\] and type float/);
    await session.close();
  });
});
