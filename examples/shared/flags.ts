// Command-line flags from a table: parsing, checking and the usage text all follow it.
// Which flags there are belongs to each example.

type Described = { readonly text: string };

/** One flag. Its value is a whole number in a range, a number in a range, one word of a list, or any text. */
export type Flag = Described &
  (
    | { readonly kind: "integer"; readonly fallback: number; readonly min: number; readonly max: number }
    | { readonly kind: "number"; readonly fallback: number; readonly min: number; readonly max: number }
    | { readonly kind: "choice"; readonly fallback: string; readonly choices: readonly string[] }
    | { readonly kind: "text"; readonly fallback: string; readonly shown: string }
  );
export type FlagTable = Readonly<Record<string, Flag>>;

/** The values of a table's flags, under the flags' own names. */
export type FlagValues<T extends FlagTable> = {
  readonly [K in keyof T]: T[K] extends { choices: readonly (infer C)[] }
    ? C
    : T[K] extends { kind: "integer" | "number" }
      ? number
      : string;
};

/** A wrong flag. The message says what was wrong; the usage text is not part of it. */
export class FlagError extends Error {
  override name = "FlagError";
}

/** Reads `--name value` and `--name=value`. Returns "help" if --help or -h is among them.
 *  @throws FlagError for unknown flags, missing or wrong values, a flag given twice, and loose words. */
export function parseFlags<const T extends FlagTable>(args: readonly string[], table: T): FlagValues<T> | "help" {
  if (args.includes("--help") || args.includes("-h")) return "help";
  const values: Record<string, number | string> = {};
  const queue = [...args];
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (!word.startsWith("--")) throw new FlagError(`"${word}" is not a flag`);
    const equals = word.indexOf("=");
    const name = word.slice(2, equals < 0 ? undefined : equals);
    if (!Object.hasOwn(table, name)) throw new FlagError(`there is no flag --${name}`);
    if (name in values) throw new FlagError(`--${name} is given twice`);
    const given = equals < 0 ? queue.shift() : word.slice(equals + 1);
    if (given === undefined || given === "" || (equals < 0 && given.startsWith("--"))) throw new FlagError(`--${name} needs a value`);
    values[name] = checked(name, table[name], given);
  }
  const fallbacks = Object.fromEntries(Object.entries(table).map(([name, { fallback }]) => [name, fallback]));
  // The table's own entries made and checked every value, which the compiler cannot follow through Object.fromEntries.
  return { ...fallbacks, ...values } as FlagValues<T>;
}

function checked(name: string, flag: Flag, given: string): number | string {
  if (flag.kind === "text") return given;
  if (flag.kind === "choice") {
    if (!flag.choices.includes(given)) throw new FlagError(`--${name} is one of ${flag.choices.join(", ")}, not "${given}"`);
    return given;
  }
  const isWhole = flag.kind === "integer";
  const number = (isWhole ? /^-?\d+$/ : /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i).test(given) ? Number(given) : Number.NaN;
  if (!(number >= flag.min && number <= flag.max)) {
    throw new FlagError(`--${name} is a ${isWhole ? "whole number" : "number"} from ${flag.min} to ${flag.max}, not "${given}"`);
  }
  return number;
}

/** The text of --help: how to call `command`, then a line for each flag. */
export function usageText(command: string, purpose: string, table: FlagTable): string {
  const rows = Object.entries(table).map(([name, flag]) => {
    const value = flag.kind === "choice" ? flag.choices.join("|") : flag.kind === "text" ? flag.shown : flag.kind === "integer" ? "N" : "X";
    return { left: `--${name} ${value}`, right: `${flag.text}${flag.fallback === "" ? "" : ` (${flag.fallback})`}` };
  });
  rows.push({ left: "--help", right: "show this text" });
  const width = Math.max(...rows.map(({ left }) => left.length));
  return `usage: ${command} [flags]\n\n${purpose}\n\n${rows.map(({ left, right }) => `  ${left.padEnd(width)}  ${right}`).join("\n")}`;
}
