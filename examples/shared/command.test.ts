import { afterEach, expect, test, vi } from "vitest";
import { ExampleError, Interrupt, runCommand } from "./command.ts";

const about = {
  command: "npm start --",
  purpose: "Trains.",
  flags: { epochs: { kind: "integer", fallback: 3, min: 1, max: 100, text: "how often" } },
} as const;

/** Runs a command with these words on its command line; returns its status and what it printed. */
async function run(words: string[], main: (flags: { epochs: number }) => Promise<number | undefined>) {
  const before = { argv: process.argv, exitCode: process.exitCode };
  const printed = { out: "", error: "" };
  vi.spyOn(console, "log").mockImplementation(text => {
    printed.out += text;
  });
  vi.spyOn(console, "error").mockImplementation(text => {
    printed.error += text;
  });
  try {
    process.argv = ["node", "main.ts", ...words];
    await runCommand(about, main);
    return { status: process.exitCode, ...printed };
  } finally {
    process.argv = before.argv;
    process.exitCode = before.exitCode;
  }
}

afterEach(() => {
  vi.restoreAllMocks();
});

test("hands the flags over and takes the status back", async () => {
  const seen: number[] = [];
  const main = async ({ epochs }: { epochs: number }) => {
    seen.push(epochs);
    return epochs > 5 ? 130 : undefined;
  };
  expect(await run(["--epochs", "5"], main)).toEqual({ status: 0, out: "", error: "" });
  expect(await run(["--epochs", "6"], main)).toMatchObject({ status: 130 });
  expect(seen).toEqual([5, 6]);
});

test("an error for readers is shown without a stack, any other one with it", async () => {
  const failing = (error: Error) => run([], () => Promise.reject(error));
  expect(await failing(new ExampleError("no paper"))).toEqual({ status: 1, out: "", error: "error: no paper" });
  expect(await failing(new TypeError("a fault of ours"))).toMatchObject({
    status: 1,
    error: expect.stringMatching(/^TypeError: a fault of ours\n +at /),
  });
});

test("--help and wrong flags do not run the example", async () => {
  const main = () => Promise.reject(new Error("must not run"));
  const help = await run(["--help"], main);
  expect(help).toMatchObject({ out: expect.stringContaining("usage: npm start -- [flags]"), error: "" });
  expect(await run(["--epoch", "1"], main)).toEqual({ status: 2, out: "", error: `error: there is no flag --epoch\n\n${help.out}` });
});

test("Interrupt notices Ctrl-C, once, and lets go of it", async () => {
  const listeners = () => process.listenerCount("SIGINT");
  const before = listeners();
  {
    using interrupt = new Interrupt();
    expect(await interrupt.asked()).toBe(false);
    process.emit("SIGINT");
    expect(await interrupt.asked()).toBe(true);
    expect(listeners()).toBe(before);
  }
  {
    using _ = new Interrupt();
    expect(listeners()).toBe(before + 1);
  }
  expect(listeners()).toBe(before);
});
