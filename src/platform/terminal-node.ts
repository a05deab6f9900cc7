// The terminal a program was started from, in Node: its arguments, what it prints, how it ends.

import type { Terminal } from "./terminal.ts";

// A reader that has seen enough (`| head`) closes the pipe: that is no failure.
const quietly = (stream: NodeJS.WriteStream): NodeJS.WriteStream => {
  if (stream.listenerCount("error") === 0)
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit();
      throw error;
    });
  return stream;
};

export const terminal: Terminal = {
  get words() {
    return process.argv.slice(2);
  },
  get width() {
    return process.stdout.columns ?? null;
  },
  get isWatched() {
    return process.stderr.isTTY === true;
  },
  print: text => void quietly(process.stdout).write(text),
  printError: text => void quietly(process.stderr).write(text),
  setExitStatus: status => {
    process.exitCode = status;
  },
};
