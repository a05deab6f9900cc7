// What compiling costs, counted instead of timed: how often each piece of the library's code runs for a graph of 1,300 nodes and for one of 5,000. A
// pass that looks at all nodes for every node shows as a piece that runs 15 times as often. The engine's block counters do the counting;
// elements that built-in functions of arrays look at, which have no blocks, are counted beside them.
import { type Profiler, Session as Inspector } from "node:inspector/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { largeGraph } from "../../bench/large-graph.ts";
import * as tf from "../../src/index.ts";

/** How often pieces of code ran, by file, function and place. */
type Counts = ReadonlyMap<string, number>;
const stages = ["build", "initialize", "train"] as const;
type Work = Readonly<Record<(typeof stages)[number], Counts>> & { readonly nodes: number };

/** Built-in functions of arrays that look at their elements one by one without calling anybody. */
const scanning = ["includes", "indexOf", "lastIndexOf", "join", "concat", "slice", "reverse", "fill"] as const;

/** Counts elements that these functions go through, until it is asked to stop. */
function countElements(): { take(): number; stop(): void } {
  let elements = 0;
  const kept = scanning.map(name => Array.prototype[name] as (...args: unknown[]) => unknown);
  scanning.forEach((name, i) => {
    const counting = function (this: unknown[], ...args: unknown[]): unknown {
      elements += this.length;
      return kept[i].apply(this, args);
    };
    Object.defineProperty(Array.prototype, name, { value: counting, writable: true, configurable: true });
  });
  return {
    take: () => {
      const taken = elements;
      elements = 0;
      return taken;
    },
    stop: () =>
      scanning.forEach((name, i) => {
        Object.defineProperty(Array.prototype, name, { value: kept[i], writable: true, configurable: true });
      }),
  };
}

const inspector = new Inspector();

// Once and for all: code compiled before counting began, and all code once counting has ended, is counted by functions alone, not by the blocks within.
beforeAll(async () => {
  inspector.connect();
  await inspector.post("Profiler.enable");
  await inspector.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
});
afterAll(() => inspector.disconnect());

/** Runs parts in order and counts the work of each, in files of the folder. */
async function counted(parts: readonly (() => unknown)[], folder: RegExp): Promise<Counts[]> {
  await inspector.post("Profiler.takePreciseCoverage");
  const elements = countElements();
  try {
    const counts: Counts[] = [];
    for (const part of parts) {
      elements.take();
      await part();
      const looked = elements.take();
      const { result } = await inspector.post("Profiler.takePreciseCoverage");
      counts.push(new Map([...countsOf(result, folder), ["elements of arrays", looked]]));
    }
    return counts;
  } finally {
    elements.stop();
  }
}

function countsOf(scripts: readonly Profiler.ScriptCoverage[], folder: RegExp): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { url, functions } of scripts) {
    if (!folder.test(url)) continue;
    for (const { functionName, ranges } of functions)
      for (const { startOffset, count } of ranges) {
        const key = `${url.replace(folder, "")} ${functionName || "(no name)"} at ${startOffset}`;
        counts.set(key, (counts.get(key) ?? 0) + count);
      }
  }
  return counts;
}

async function workOf(layers: number, options: Parameters<typeof largeGraph>[1] = {}): Promise<Work> {
  let built: ReturnType<typeof largeGraph> | undefined;
  let session: tf.Session | undefined;
  const [build, initialize, train] = await counted(
    [
      () => {
        built = largeGraph(layers, options);
      },
      async () => {
        session = new tf.Session({ graph: built?.graph ?? null, config: { intraOpParallelismThreads: 1 } });
        await session.run(built?.initialize as tf.Operation);
      },
      () => session?.run(built?.fetches as tf.Fetches, built?.feeds),
    ],
    /^.*\/src\//,
  );
  await session?.close();
  return { build, initialize, train, nodes: built?.graph.getOperations().length ?? 0 };
}

const sum = (counts: Counts): number => [...counts.values()].reduce((total, count) => total + count, 0);

/** The counts of two equal runs: where code is optimized while it runs, the engine loses some. */
const oftener = (a: Counts, b: Counts): Counts => new Map([...a, ...[...b].filter(([key, count]) => count > (a.get(key) ?? 0))]);

/** Packing compares each array with those that live when it does, which in a net that is trained are most: some 230,000 looks of a few
 *  nanoseconds for 5,000 nodes. */
const packing = "schedule/arena.ts packInOrder ";

/** Pieces that run often and by more than twice their share oftener in the larger: a pass over all for each has four times its share. A piece that never ran in
 *  the smaller was compiled anew by the engine meanwhile, which lost its count. */
const worseThanLinear = (small: Counts, large: Counts, growth: number): string[] =>
  [...large]
    .filter(([key, count]) => count > 20_000 && !key.startsWith(packing) && count > 2 * growth * (small.get(key) || Infinity))
    .map(([key, count]) => `${key}: ${small.get(key) ?? 0} → ${count}`);

/** How many pieces of code may run for a node of the graph, all together: a quarter more than did when this was
 *  written (254, 365, 2530; the engine's counters lose a few in a hundred). */
const mostPerNode = { build: 318, initialize: 457, train: 3163 };

test("work on a graph of 5,000 nodes is proportional to its nodes", { timeout: 120_000 }, async () => {
  await workOf(2);
  const [first, second, large] = [await workOf(34), await workOf(34), await workOf(136)];
  const small = { ...first, ...Object.fromEntries(stages.map(stage => [stage, oftener(first[stage], second[stage])])) };
  expect(large.nodes).toBeGreaterThan(5000);
  const growth = large.nodes / small.nodes;
  const perNode = Object.fromEntries(stages.map(stage => [stage, Math.round(sum(large[stage]) / large.nodes)]));
  for (const stage of stages) {
    expect(
      worseThanLinear(small[stage], large[stage], growth),
      `${stage}: pieces that run more than ${(2 * growth).toFixed(1)} times as often`,
    ).toEqual([]);
    expect(perNode[stage], `${stage}: pieces that run for a node`).toBeLessThanOrEqual(mostPerNode[stage]);
  }
});

test("work on many rows that are walked in one kernel each is proportional to them", { timeout: 120_000 }, async () => {
  const work = (layers: number) => workOf(layers, { hasSoftmax: true });
  await work(2);
  const [first, second, large] = [await work(20), await work(20), await work(80)];
  const growth = large.nodes / first.nodes;
  expect(worseThanLinear(oftener(first.train, second.train), large.train, growth)).toEqual([]);
});

test("a pass that looks at all for each is found", async () => {
  const nodes = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
  const pairs = (n: number) => (): void => {
    for (const a of nodes(n)) for (const b of nodes(n)) if (a === -b - 1) throw new Error("no number is its own opposite less one");
  };
  const searches = (n: number) => (): void => {
    const all = nodes(n);
    for (const a of all) if (!all.includes(a)) throw new Error("each is there");
  };
  for (const pass of [pairs, searches]) {
    const [small, large] = await counted([pass(100), pass(400)], /^.*\/test\/journeys\//);
    expect(worseThanLinear(small, large, 4)).not.toEqual([]);
  }
});
