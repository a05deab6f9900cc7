// The words after `tensorloom SUBCOMMAND`: flags and what they belong to, by a table; wrong ones are refused, `--help` shows the table.

export type Flag =
  | { readonly kind: "switch"; readonly text: string }
  | { readonly kind: "text" | "list"; readonly shown: string; readonly text: string }
  | { readonly kind: "choice"; readonly choices: readonly string[]; readonly text: string };

/** What a subcommand is, as its help shows it. */
export interface Subcommand {
  readonly name: string;
  readonly purpose: string;
  /** Words that are no flags: "FILE", or "FILE..." for one or more. */
  readonly words: readonly string[];
  readonly flags: Readonly<Record<string, Flag>>;
  readonly examples: readonly (readonly [command: string, what: string])[];
  readonly notes?: string;
  run(given: Given): Promise<void>;
}

/** A wrong flag or word: the command ends with status 2. */
export class WrongWords extends Error {
  override name = "WrongWords";
}

/** What was given: words in order, flags by name. */
export class Given {
  readonly words: readonly string[];
  private readonly flags: ReadonlyMap<string, readonly string[]>;

  constructor(words: readonly string[], flags: ReadonlyMap<string, readonly string[]>) {
    this.words = words;
    this.flags = flags;
  }

  has(flag: string): boolean {
    return this.flags.has(flag);
  }

  text(flag: string): string | undefined {
    return this.flags.get(flag)?.at(-1);
  }

  list(flag: string): readonly string[] {
    return this.flags.get(flag) ?? [];
  }
}

/** Reads `--name value`, `--name=value` and words; "help" if `--help` or `-h` is among them. @throws WrongWords */
export function parseWords(words: readonly string[], { name: command, words: wanted, flags }: Subcommand): Given | "help" {
  if (words.includes("--help") || words.includes("-h")) return "help";
  const plain: string[] = [];
  const given = new Map<string, string[]>();
  const queue = [...words];
  let isLiteral = false;
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (word === "--" && !isLiteral) isLiteral = true;
    else if (isLiteral || !word.startsWith("--")) plain.push(word);
    else {
      const equals = word.indexOf("=");
      const name = word.slice(2, equals < 0 ? undefined : equals);
      const flag = Object.hasOwn(flags, name) ? flags[name] : undefined;
      if (flag === undefined) throw new WrongWords(`${command} has no flag --${name}`);
      if (given.has(name) && flag.kind !== "list") throw new WrongWords(`--${name} is given twice`);
      given.set(name, [...(given.get(name) ?? []), valueOf(name, flag, equals < 0 ? undefined : word.slice(equals + 1), queue)]);
    }
  }
  const takesMore = wanted.at(-1)?.endsWith("...") ?? false;
  if (plain.length < wanted.length) throw new WrongWords(`${command} needs ${wanted.slice(plain.length).join(" ")}`);
  if (plain.length > wanted.length && !takesMore) throw new WrongWords(`${command} does not take the word "${plain[wanted.length]}"`);
  return new Given(plain, given);
}

function valueOf(name: string, flag: Flag, attached: string | undefined, queue: string[]): string {
  if (flag.kind === "switch") {
    if (attached !== undefined) throw new WrongWords(`--${name} takes no value`);
    return "";
  }
  const value = attached ?? (queue[0]?.startsWith("--") ? undefined : queue.shift());
  if (value === undefined || value === "") throw new WrongWords(`--${name} needs a value`);
  if (flag.kind === "choice" && !flag.choices.includes(value))
    throw new WrongWords(`--${name} is one of ${flag.choices.join(", ")}, not "${value}"`);
  return value;
}

// ---- help ----

const columns = (rows: readonly (readonly [string, string])[]): string => {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`.trimEnd()).join("\n");
};

const shownFlag = ([name, flag]: readonly [string, Flag]): string =>
  flag.kind === "switch" ? `--${name}` : `--${name} ${flag.kind === "choice" ? name.toUpperCase() : flag.shown}`;
const textOf = (flag: Flag): string => (flag.kind === "choice" ? `${flag.text}: ${flag.choices.join(", ")}` : flag.text);

export function helpOf({ name, purpose, words, flags, examples, notes }: Subcommand): string {
  const rows = Object.entries(flags).map(entry => [shownFlag(entry), textOf(entry[1])] as const);
  return [
    `tensorloom ${[name, ...words].join(" ")} [flags]`,
    purpose,
    columns([...rows, ["--help", "show this text"]]),
    ...(notes ? [notes] : []),
    `examples\n${examples.map(([command, what]) => `  # ${what}\n  tensorloom ${command}`).join("\n")}`,
  ].join("\n\n");
}

export const helpOfAll = (subcommands: readonly Subcommand[]): string =>
  [
    "tensorloom SUBCOMMAND ...",
    "Looks into TensorFlow's files, runs models and converts them. No Python, nothing to set up.",
    columns(subcommands.map(({ name, purpose }) => [name, purpose])),
    `examples\n${subcommands.map(({ examples: [[command]] }) => `  tensorloom ${command}`).join("\n")}`,
    "`tensorloom SUBCOMMAND --help` tells more. Exit status: 0 done, 1 failed, 2 wrong flags.",
  ].join("\n\n");
