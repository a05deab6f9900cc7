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
  "tf.keras": "Use tf.layers, tf.losses, tf.metrics and tf.train: this is the graph API.",
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
    const found = isContrib ? rows.get(known.replace(/^contrib\.?/, "")) : advice[`tf.${known}`];
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
