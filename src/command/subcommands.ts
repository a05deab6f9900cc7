// The subcommands as their help shows them. What they do is loaded when it is asked for: a file of data needs no graph.

import { fileKinds } from "./file-kind.ts";
import { targetKinds } from "./target-kind.ts";
import type { Flag, Subcommand } from "./words.ts";

const json: Flag = { kind: "switch", text: "print the result as JSON" };
const modelFlags = {
  tags: { kind: "text", shown: "a,b", text: "of a SavedModel: which of its meta graphs (serve)" },
  checkpoint: { kind: "text", shown: "PREFIX", text: "of a meta graph: where its variables are (beside it)" },
  kind: { kind: "choice", choices: fileKinds, text: "what the file is, where its name does not tell" },
} as const satisfies Readonly<Record<string, Flag>>;

const inspect: Subcommand = {
  name: "inspect",
  purpose: "Tells what is in a file: a graph, SavedModel, TensorFlow.js model, checkpoint, events, records or .npy.",
  words: ["FILE"],
  flags: {
    all: { kind: "switch", text: "show long lists whole" },
    json: { kind: "switch", text: "print all that is known as JSON" },
    "no-values": { kind: "switch", text: "of a checkpoint: read names and shapes only" },
    tags: modelFlags.tags,
    kind: modelFlags.kind,
  },
  examples: [
    ["inspect my_model/", "a SavedModel: signatures, operations, parameters, arithmetic"],
    ["inspect frozen.pb --all", "a graph, with all of its operations"],
    ["inspect model.ckpt-1000", "a checkpoint: names, types, shapes, smallest and largest value"],
    ["inspect logs/events.out.tfevents.1700000000.host --json", "a run's events, for another program"],
  ],
  run: async given => (await import("./inspect.ts")).inspectFile(given),
};

const run: Subcommand = {
  name: "run",
  purpose: "Runs a model: values in, values out.",
  words: ["MODEL"],
  flags: {
    input: { kind: "list", shown: "NAME=VALUE", text: "a .npy, .json or .png file, or JSON itself; once for each input" },
    output: {
      kind: "list",
      shown: "NAME[=FILE]",
      text: "what to compute, and the .npy or .json file to write it to (all outputs, printed)",
    },
    signature: { kind: "text", shown: "KEY", text: "which signature names mean (serving_default)" },
    scale: { kind: "text", shown: "X", text: "pixels of a .png are divided by this for inputs of floats (255)" },
    json,
    ...modelFlags,
  },
  notes: "NAME is an input or output of the signature, or a tensor of the graph such as dense/Relu:0.",
  examples: [
    ["run my_model/ --input x=features.npy", "a SavedModel, its outputs printed"],
    ["run frozen.pb --input image=cat.png --output probs=probs.npy", "a picture through a frozen graph, the result in a file"],
    ["run model.json --input 'x=[[1, 2, 3]]' --json", "a TensorFlow.js model, values in and out as JSON"],
  ],
  run: async given => (await import("./run.ts")).runModel(given),
};

const freeze: Subcommand = {
  name: "freeze",
  purpose: "Writes the part of a model that some outputs need, variables replaced by their values, as one graph.",
  words: ["MODEL", "OUT.pb"],
  flags: {
    outputs: { kind: "text", shown: "a,b", text: "which operations to keep (the outputs of the signature)" },
    signature: { kind: "text", shown: "KEY", text: "whose outputs (serving_default)" },
    json,
    ...modelFlags,
  },
  examples: [
    ["freeze my_model/ frozen.pb", "a SavedModel"],
    ["freeze model.ckpt-1000.meta frozen.pbtxt --outputs logits", "a checkpoint with its meta graph, as text"],
  ],
  run: async given => (await import("./convert.ts")).freezeModel(given),
};

const convert: Subcommand = {
  name: "convert",
  purpose: "Makes a SavedModel, frozen graph, TensorFlow.js model, or meta graph with checkpoint of any of these.",
  words: ["MODEL", "OUT"],
  flags: {
    to: { kind: "choice", choices: targetKinds, text: "what OUT is to be, where its name (.pb, .json, .meta, or a folder) does not tell" },
    outputs: { kind: "text", shown: "a,b", text: "what to keep in a frozen graph or TensorFlow.js model (the outputs of the signature)" },
    signature: { kind: "text", shown: "KEY", text: "whose outputs (serving_default)" },
    json,
    ...modelFlags,
  },
  examples: [
    ["convert my_model/ web/model.json", "a SavedModel for TensorFlow.js"],
    ["convert web/model.json my_model/", "a TensorFlow.js model as a SavedModel"],
    ["convert my_model/ train/model.ckpt-0.meta", "a SavedModel as meta graph and checkpoint"],
    ["convert frozen.pb my_model/", "a frozen graph as a SavedModel"],
  ],
  run: async given => (await import("./convert.ts")).convertModel(given),
};

export const subcommands: readonly Subcommand[] = [inspect, run, freeze, convert];
