// What the examples share as programs: flags in, exit status out, errors as text, and a Ctrl-C that lets a step finish.

import { setImmediate } from "node:timers/promises";
import { FlagError, type FlagTable, type FlagValues, parseFlags, usageText } from "./flags.ts";

export const exitStatus = { done: 0, failed: 1, wrongFlags: 2, interrupted: 130 } as const;

/** A failure whose message is meant for the reader: it is shown without a stack. */
export class ExampleError extends Error {
  override name = "ExampleError";
}

/** Runs `main` with the flags of the command line and sets the exit status: `main`'s own (0 if it returns none), 1 if it fails, 2 for wrong flags.
 *  Errors go to stderr as text; those that are not meant for the reader keep their stack. */
export async function runCommand<const T extends FlagTable>(
  { command, purpose, flags: table }: { command: string; purpose: string; flags: T },
  main: (flags: FlagValues<T>) => Promise<number | undefined>,
): Promise<void> {
  const usage = usageText(command, purpose, table);
  try {
    const flags = parseFlags(process.argv.slice(2), table);
    if (flags === "help") console.log(usage);
    else process.exitCode = (await main(flags)) ?? exitStatus.done;
  } catch (error) {
    process.exitCode = error instanceof FlagError ? exitStatus.wrongFlags : exitStatus.failed;
    console.error(error instanceof FlagError ? `error: ${error.message}\n\n${usage}` : textOf(error));
  }
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return `error: ${error}`;
  const forReaders = ["ExampleError", "DataFileError"].includes(error.name) || "code" in error;
  return forReaders ? `error: ${error.message}` : (error.stack ?? `error: ${error.message}`);
}

/** Notices Ctrl-C instead of ending at once. A second Ctrl-C ends the process as usual. */
export class Interrupt {
  #asked = false;
  readonly #notice = () => {
    this.#asked = true;
  };

  constructor() {
    process.once("SIGINT", this.#notice);
  }

  /** Whether Ctrl-C was pressed. Lets Node handle waiting events first: between awaited runs alone it never would hear of the key. */
  async asked(): Promise<boolean> {
    await setImmediate();
    return this.#asked;
  }

  [Symbol.dispose](): void {
    process.off("SIGINT", this.#notice);
  }
}
