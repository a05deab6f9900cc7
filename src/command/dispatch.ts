// How the command begins and ends: 0 done, 1 failed with one line that says why, 2 for wrong flags.

import { terminal } from "#platform";
import { printable } from "./layout.ts";
import { subcommands } from "./subcommands.ts";
import { helpOf, helpOfAll, parseWords, WrongWords } from "./words.ts";

const exitStatus = { done: 0, failed: 1, wrongWords: 2 } as const;

/** Runs what the words say; the exit status. */
export async function runWords(words: readonly string[]): Promise<number> {
  const [name, ...rest] = words;
  const subcommand = subcommands.find(each => each.name === name);
  try {
    if (name === undefined || name === "--help" || name === "-h" || name === "help") {
      terminal.print(`${helpOfAll(subcommands)}\n`);
      return name === undefined ? exitStatus.wrongWords : exitStatus.done;
    }
    if (!subcommand) throw new WrongWords(`there is no subcommand "${name}"; there are ${subcommands.map(each => each.name).join(", ")}`);
    const given = parseWords(rest, subcommand);
    if (given === "help") terminal.print(`${helpOf(subcommand)}\n`);
    else await subcommand.run(given);
    return exitStatus.done;
  } catch (error) {
    const isWrong = error instanceof WrongWords;
    terminal.printError(`error: ${lineOf(error)}${isWrong ? ` (see tensorloom ${subcommand ? `${subcommand.name} ` : ""}--help)` : ""}\n`);
    return isWrong ? exitStatus.wrongWords : exitStatus.failed;
  }
}

/** An error on one line: what TensorFlow says, then how to mend it. */
const lineOf = (error: unknown): string =>
  printable(
    (error instanceof Error ? error.message : String(error))
      .replace(/\s*\[\[\{\{node [^\]]*\]\]/g, "")
      .replace(/([^\s.,:;!?])\s*\n\s*/g, "$1. ")
      .replace(/\s*\n\s*/g, " ")
      .trim(),
  );
