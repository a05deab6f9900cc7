import { describe, expect, expectTypeOf, test } from "vitest";
import { FlagError, parseFlags, usageText } from "./flags.ts";

const table = {
  epochs: { kind: "integer", fallback: 3, min: 1, max: 100, text: "how often" },
  rate: { kind: "number", fallback: 0.5, min: 0, max: 1000, text: "how fast" },
  optimizer: { kind: "choice", fallback: "adam", choices: ["adam", "sgd"], text: "which rule" },
  data: { kind: "text", fallback: "", shown: "DIR", text: "where" },
} as const;

describe("parseFlags", () => {
  test("fills in fallbacks", () => {
    expect(parseFlags([], table)).toEqual({ epochs: 3, rate: 0.5, optimizer: "adam", data: "" });
  });

  test("reads both spellings", () => {
    expect(parseFlags(["--epochs", "7", "--rate=2.5e-3", "--data=a=b", "--optimizer", "sgd"], table)).toEqual({
      epochs: 7,
      rate: 0.0025,
      optimizer: "sgd",
      data: "a=b",
    });
  });

  test("knows the types of the values", () => {
    const flags = parseFlags([], table);
    if (flags !== "help")
      expectTypeOf(flags).toEqualTypeOf<{
        readonly epochs: number;
        readonly rate: number;
        readonly optimizer: "adam" | "sgd";
        readonly data: string;
      }>();
  });

  test.each([["--help"], ["-h"]])("%s wins over everything, wrong flags too", word => {
    expect(parseFlags(["--nonsense", word], table)).toBe("help");
  });

  test.each([
    [["--epoch", "3"], "there is no flag --epoch"],
    [["--constructor", "3"], "there is no flag --constructor"],
    [["--"], "there is no flag --"],
    [["epochs"], '"epochs" is not a flag'],
    [["-e", "3"], '"-e" is not a flag'],
    [["--epochs"], "--epochs needs a value"],
    [["--epochs="], "--epochs needs a value"],
    [["--epochs", "--data", "x"], "--epochs needs a value"],
    [["--epochs", "two"], '--epochs is a whole number from 1 to 100, not "two"'],
    [["--epochs", "1.5"], '--epochs is a whole number from 1 to 100, not "1.5"'],
    [["--epochs", "1e1"], '--epochs is a whole number from 1 to 100, not "1e1"'],
    [["--epochs", "0"], '--epochs is a whole number from 1 to 100, not "0"'],
    [["--epochs", "-1"], '--epochs is a whole number from 1 to 100, not "-1"'],
    [["--epochs", "101"], '--epochs is a whole number from 1 to 100, not "101"'],
    [["--rate", "fast"], '--rate is a number from 0 to 1000, not "fast"'],
    [["--rate", "0x10"], '--rate is a number from 0 to 1000, not "0x10"'],
    [["--rate", "Infinity"], '--rate is a number from 0 to 1000, not "Infinity"'],
    [["--rate", "1001"], '--rate is a number from 0 to 1000, not "1001"'],
    [["--epochs=2", "--epochs=3"], "--epochs is given twice"],
    [["--optimizer", "Adam"], '--optimizer is one of adam, sgd, not "Adam"'],
  ])("refuses %j", (args, message) => {
    expect(() => parseFlags(args, table)).toThrow(new FlagError(message));
  });
});

test("usageText lists every flag with its fallback", () => {
  expect(usageText("npm start --", "Trains.", table)).toBe(`usage: npm start -- [flags]

Trains.

  --epochs N            how often (3)
  --rate X              how fast (0.5)
  --optimizer adam|sgd  which rule (adam)
  --data DIR            where
  --help                show this text`);
});
