// Every name and every option that an answer about tf.contrib mentions is there.

import { describe, expect, it } from "vitest";
import { tf } from "../compat.ts";
import { parseSignature } from "./calls.ts";
import { contribAdvice } from "./contrib.ts";
import { contrib } from "./ended.ts";
import { signatures } from "./signatures.ts";

const rows = [...contribAdvice()].map(([name, text]) => ({ name, text }));

function lookUp(path: string): unknown {
  let value: unknown = tf;
  for (const part of path.split(".").slice(1)) {
    // A class answers to TensorFlow's names, but does not list them.
    if (typeof value !== "function" && (typeof value !== "object" || value === null || !(part in value))) return undefined;
    value = Reflect.get(value, part);
  }
  return value;
}

/** The calls in a text, nested ones too: the function's path, how many arguments stand before the options, and the options' names. */
function callsIn(text: string): { path: string; positional: number; options: string[] }[] {
  return [...text.matchAll(/(tf(?:\.\w+)+)\(/g)].map(match => {
    const parts: string[] = [];
    let depth = 0;
    let part = "";
    for (const char of text.slice(match.index + match[0].length)) {
      if (depth === 0 && char === ")") break;
      if ("([{".includes(char)) depth++;
      if (")]}".includes(char)) depth--;
      if (depth === 0 && char === ",") {
        parts.push(part);
        part = "";
      } else part += char;
    }
    const all = [...parts, part].map(each => each.trim()).filter(each => each !== "");
    const last = all.at(-1) ?? "";
    const isOptions = last.startsWith("{") && !last.includes("…");
    const options = isOptions ? last.slice(1, -1).split(/,(?![^([{]*[)\]}])/) : [];
    return {
      path: match[1],
      positional: all.length - (isOptions ? 1 : 0),
      options: options.map(option => option.trim().split(":")[0]).filter(option => /^\w+$/.test(option)),
    };
  });
}

describe("what stands for tf.contrib", () => {
  it("answers for what programs use", () => {
    expect(rows.length).toBeGreaterThan(300);
    const names = new Set(rows.map(({ name }) => name));
    const wanted = [
      ...["xavier_initializer", "fully_connected", "conv2d", "batch_norm", "flatten", "l2_regularizer", "variance_scaling_initializer"].map(
        leaf => `layers.${leaf}`,
      ),
      ...["conv2d", "arg_scope", "max_pool2d", "learning.train", "separable_convolution2d", "get_or_create_global_step"].map(
        leaf => `slim.${leaf}`,
      ),
      ...["BasicLSTMCell", "MultiRNNCell", "static_rnn", "LSTMBlockCell"].map(leaf => `rnn.${leaf}`),
      ...["opt.AdamWOptimizer", "metrics.streaming_accuracy", "lookup.HashTable", "image.rotate", "crf.crf_log_likelihood"],
      ...["seq2seq.sequence_loss", "legacy_seq2seq.rnn_decoder", "training.HParams", "data.map_and_batch", "slim.losses.add_loss"],
    ];
    // What tf.data has under its own name stands under the row of the namespace.
    expect(wanted.filter(name => !names.has(name) && name !== "data.map_and_batch")).toEqual([]);
  });

  it("names nothing that is not there", () => {
    const missing = rows.flatMap(({ name, text }) =>
      [...text.matchAll(/\btf(?:\.[A-Za-z_]\w*)+/g)]
        .map(([path]) => path)
        .filter(path => !path.startsWith("tf.contrib") && lookUp(path) === undefined)
        .map(path => `${name}: ${path}`),
    );
    expect(missing).toEqual([]);
  });

  it("gives calls the arguments and options that they take", () => {
    const wrong = rows.flatMap(({ name, text }) =>
      callsIn(text).flatMap(({ path, positional, options }) => {
        const row = signatures[path.slice("tf.".length)];
        if (row === undefined) return [];
        const signature = parseSignature(path, row);
        if (signature.isVariadic) return [];
        const known = signature.parameters.map(parameter => parameter.name);
        const unknown = options.filter(option => !known.includes(option));
        const isTooMany = positional > known.length;
        const missing = signature.parameters
          .slice(positional)
          .filter(parameter => parameter.need === "required" && !options.includes(parameter.name));
        const faults = [...unknown, ...missing.map(parameter => `without ${parameter.name}`), ...(isTooMany ? ["too many"] : [])];
        return faults.map(fault => `${name}: ${path}: ${fault}`);
      }),
    );
    expect(wrong).toEqual([]);
  });

  it("is what an error says", () => {
    const calls: { readonly [space: string]: { readonly [name: string]: () => unknown } } = contrib;
    expect(() => calls.slim.conv2d()).toThrow(
      /^tf\.contrib\.slim\.conv2d is not part of tensorloom\.\n\nWrite tf\.layers\.conv2d\(x, n, kernel_size/,
    );
    expect(() => calls.layers.nothing_such()).toThrow("Use tf.layers");
    expect(() => calls.data.scan()).toThrow("Write tf.data.experimental.scan.");
  });
});

describe("what else ended", () => {
  // any: types refuse these names
  type Everything = any;
  const text = (read: (all: Everything) => unknown): string => {
    try {
      return String(read(tf));
    } catch (error) {
      return (error as Error).message;
    }
  };
  it("refuses constants where they are read: a comparison with one would be false without a word", () => {
    expect(text(all => "train" === all.estimator.ModeKeys.TRAIN)).toBe(
      'tf.estimator.ModeKeys.TRAIN is not part of tensorloom.\n\nIts values are "train", "eval" and "infer".',
    );
    expect(text(all => all.app.flags.FLAGS)).toContain("parseArgs");
    expect(text(all => typeof all.contrib.learn.Estimator)).toBe("function");
  });
  it("tells what names of before 1.0 became", () => {
    expect(text(all => all.mul(1, 2))).toBe("tf.mul is not part of tensorloom.\n\nWrite tf.multiply(x, y)");
    expect(text(all => all.train.SummaryWriter("log"))).toContain("tf.summary.FileWriter(logdir, graph)");
    expect(text(all => all.train.Server({}))).toContain("tf.train.MonitoredTrainingSession()");
    expect(text(all => all.profiler.profile())).toContain("tf.profiler.profile is not part of tensorloom.");
  });
});
