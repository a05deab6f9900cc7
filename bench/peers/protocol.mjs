// What bench/peers.ts asks and a peer in JavaScript answers; protocol.py says the same in Python. The peers are plain JavaScript: the
// packages they drive are installed under .cache/, where the type checker does not look.

import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

/** Where a peer's packages are installed: the first argument. */
const folder = process.argv[2];

/** `require` of that folder, for packages that are CommonJS. */
export const required = createRequire(`${folder}/package.json`);

/** What a module of that folder would get by `import`: only a file in it finds the package. */
export async function imported(name) {
  const file = `${folder}/import-${name.replaceAll(/\W/g, "-")}.mjs`;
  writeFileSync(file, `import * as all from ${JSON.stringify(name)};\nexport default all.default ?? all;\n`);
  return (await import(pathToFileURL(file).href)).default;
}

export const installedFile = path => `${folder}/node_modules/${path}`;
export const versionOf = name => JSON.parse(readFileSync(installedFile(`${name}/package.json`), "utf8")).version;
export const threads = Number(process.argv[3]);

export const size = shape => shape.reduce((product, d) => product * d, 1);
let state = 1;
const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
export const normal = (shape, scale = 1) => Float32Array.from({ length: size(shape) }, () => (next() - 0.5) * 2 * Math.sqrt(3) * scale);
export const integers = (count, below) => Int32Array.from({ length: count }, () => Math.floor(next() * below));

/** Blocks of MobileNetV2: expansion, channels, repeats, first stride. */
export const bottlenecks = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
];

/** Beyond this a turn is over, though there are fewer than three times. */
const patienceMs = 1000;

async function timed(step, seconds) {
  const times = [];
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end || (times.length < 3 && performance.now() < end + patienceMs)) {
    const began = performance.now();
    await step();
    times.push(performance.now() - began);
  }
  return { times_ms: times };
}

/** Answers until told to stop. `workloads[name]()` gives (a promise of) a function that does one step and waits for its end. */
export async function serve(version, workloads) {
  const say = value => process.stdout.write(`${JSON.stringify(value)}\n`);
  say({ version });
  let step;
  for await (const line of createInterface({ input: process.stdin })) {
    const [command, argument] = line.split(" ");
    if (command === "stop") break;
    try {
      if (command === "time") say(await timed(step, Number(argument)));
      else if (workloads[argument] === undefined) say({ error: "it has no such workload" });
      else {
        const began = performance.now();
        step = await workloads[argument]();
        await step();
        const first = performance.now() - began;
        await timed(step, 0.2);
        say({ first_ms: first });
      }
    } catch (error) {
      say({ error: String(error?.message ?? error).slice(0, 200) });
    }
  }
  process.exit(0);
}
