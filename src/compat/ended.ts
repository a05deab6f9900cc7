// What programs of TensorFlow 1 use and TensorFlow's own version 1 names no longer have: named when it is called, with what does the same here.

import { NotImplementedError } from "../base/errors.ts";
import { contribAdvice } from "./contrib.ts";
import { signatures } from "./signatures.ts";
import { isOwnProtocol } from "./snake-api.ts";

/** By the longest path that a name begins with. */
const advice: Readonly<Record<string, string>> = {
  "tf.app": "Call main() yourself; node:util's parseArgs reads flags.",
  "tf.estimator": "Use tf.layers, tf.train.MonitoredTrainingSession and a loop.",
  "tf.examples": "The examples in this repository read the same files of MNIST: examples/mnist.",
  "tf.flags": "node:util's parseArgs reads flags.",
  "tf.estimator.ModeKeys": 'Its values are "train", "eval" and "infer".',
  "tf.keras": "Use tf.layers, tf.losses, tf.metrics and tf.train: this is the graph API.",
  "tf.profiler":
    "npx tensorloom inspect tells a graph's parameters and operations; tf.train.ProfilerHook, or run_metadata with timeline, where the time goes.",
};

/** Names from before TensorFlow 1.0, and what they became. */
const renamed: Readonly<Record<string, string>> = {
  batch_matmul: "tf.matmul(x, y, { adjoint_a, adjoint_b })",
  histogram_summary: "tf.summary.histogram(name, values)",
  image_summary: "tf.summary.image(name, tensor)",
  merge_all_summaries: "tf.summary.merge_all()",
  merge_summary: "tf.summary.merge(inputs)",
  mul: "tf.multiply(x, y)",
  neg: "tf.negative(x)",
  pack: "tf.stack(values)",
  scalar_summary: "tf.summary.scalar(name, tensor)",
  select: "tf.where(condition, x, y)",
  sub: "tf.subtract(x, y)",
  unpack: "tf.unstack(value)",
};

/** What the core took over under the same name: `tf.contrib.data.scan` is `tf.data.experimental.scan`. */
const heirs: Readonly<Record<string, readonly string[]>> = {
  "contrib.data": ["data.experimental", "data"],
  "contrib.distributions": ["distributions"],
  "contrib.image": ["image"],
  "contrib.linalg": ["linalg"],
  "contrib.metrics": ["metrics"],
  "contrib.rnn": ["nn.rnn_cell"],
  "contrib.signal": ["signal"],
  "contrib.summary": ["summary"],
};

function adviceOn(path: string): string {
  const rows = contribAdvice();
  const isContrib = path.startsWith("tf.contrib");
  for (let known = path.slice("tf.".length); known !== ""; known = known.slice(0, Math.max(known.lastIndexOf("."), 0))) {
    const isWhole = `tf.${known}` === path;
    const found = isContrib ? rows.get(known.replace(/^contrib\.?/, "")) : (advice[`tf.${known}`] ?? renamed[known]);
    if (found !== undefined) return isWhole && /^(?:new )?tf\./.test(found) ? `Write ${found}` : found;
    if (!isWhole) continue;
    const at = known.lastIndexOf(".");
    const heir = (heirs[known.slice(0, at)] ?? []).map(space => `${space}${known.slice(at)}`).find(name => name in signatures);
    if (heir !== undefined) return `Write tf.${heir}.`;
  }
  return "docs/support.md lists what there is.";
}

/** Stands for a namespace that ended: members may be taken from it, calling one says what to use. */
function endedNamespace(path: string): never {
  const refuse = (): never => {
    throw new NotImplementedError(`${path} is not part of tensorloom.\n\n${adviceOn(path)}`);
  };
  const proxy: unknown = new Proxy(refuse, {
    get: (_, key) => {
      if (key === Symbol.toPrimitive) return refuse;
      // A constant is read and never called: `mode == tf.estimator.ModeKeys.TRAIN` would just be false.
      if (typeof key === "string" && /^[A-Z][A-Z\d_]+$/.test(key)) return Reflect.apply(endedNamespace(`${path}.${key}`), null, []);
      return typeof key !== "string" || isOwnProtocol(key) ? undefined : endedNamespace(`${path}.${key}`);
    },
    apply: refuse,
    construct: refuse,
  });
  return proxy as never;
}

// Of type never, so that TypeScript refuses what would be refused while running.
export const app: never = endedNamespace("tf.app");
export const contrib: never = endedNamespace("tf.contrib");
export const estimator: never = endedNamespace("tf.estimator");
export const examples: never = endedNamespace("tf.examples");
export const flags: never = endedNamespace("tf.flags");
export const keras: never = endedNamespace("tf.keras");
export const profiler: never = endedNamespace("tf.profiler");

export const batch_matmul: never = endedNamespace("tf.batch_matmul");
export const histogram_summary: never = endedNamespace("tf.histogram_summary");
export const image_summary: never = endedNamespace("tf.image_summary");
export const merge_all_summaries: never = endedNamespace("tf.merge_all_summaries");
export const merge_summary: never = endedNamespace("tf.merge_summary");
export const mul: never = endedNamespace("tf.mul");
export const neg: never = endedNamespace("tf.neg");
export const pack: never = endedNamespace("tf.pack");
export const scalar_summary: never = endedNamespace("tf.scalar_summary");
export const select: never = endedNamespace("tf.select");
export const sub: never = endedNamespace("tf.sub");
export const unpack: never = endedNamespace("tf.unpack");
