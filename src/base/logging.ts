// tf.logging: messages by severity. What the library itself says in passing (a checkpoint saved, a hook's report) goes through here, so that one
// verbosity decides for a whole program. Python's classes of severity: DEBUG 10 … FATAL 50; shown from WARN on, as in TensorFlow.

export const DEBUG = 10;
export const INFO = 20;
export const WARN = 30;
export const ERROR = 40;
export const FATAL = 50;

const names: Readonly<Record<number, string>> = {
  [DEBUG]: "DEBUG",
  [INFO]: "INFO",
  [WARN]: "WARNING",
  [ERROR]: "ERROR",
  [FATAL]: "CRITICAL",
};

let verbosity: number = WARN;
const counts = new Map<string, number>();

/** The severity from which on messages are shown. TF: tf.logging.get_verbosity. */
export const getVerbosity = (): number => verbosity;
/** Shows messages of this severity and above. TF: tf.logging.set_verbosity. */
export const setVerbosity = (v: number): void => void (verbosity = v);

/** Python's `message % arguments`, as far as messages need it: %s, %d, %i, %r, %g, %f with a precision, %%. */
function formatted(message: string, args: readonly unknown[]): string {
  if (args.length === 0) return message;
  let next = 0;
  return message.replace(/%(?:\.(\d+))?([sdirgfe%])/g, (_, digits: string | undefined, kind: string) => {
    if (kind === "%") return "%";
    const value = args[next++];
    if (kind === "d" || kind === "i") return String(typeof value === "bigint" ? value : Math.trunc(Number(value)));
    if (kind === "f") return Number(value).toFixed(digits === undefined ? 6 : Number(digits));
    if (kind === "e") return Number(value).toExponential(digits === undefined ? 6 : Number(digits));
    if (kind === "g") return String(Number(Number(value).toPrecision(digits === undefined ? 6 : Number(digits))));
    return String(value);
  });
}

/** A message of a given severity, on the error stream: `WARNING:tensorflow:text`. TF: tf.logging.log. */
export function log(level: number, msg: string, ...args: readonly unknown[]): void {
  if (level >= verbosity) console.error(`${names[level] ?? `Level ${level}`}:tensorflow:${formatted(msg, args)}`);
}

export const debug = (msg: string, ...args: readonly unknown[]): void => log(DEBUG, msg, ...args);
export const info = (msg: string, ...args: readonly unknown[]): void => log(INFO, msg, ...args);
export const warning = (msg: string, ...args: readonly unknown[]): void => log(WARN, msg, ...args);
export const warn = warning;
export const error = (msg: string, ...args: readonly unknown[]): void => log(ERROR, msg, ...args);
export const fatal = (msg: string, ...args: readonly unknown[]): void => log(FATAL, msg, ...args);

/** How often a message was asked for before. */
function askedBefore(msg: string): number {
  const before = counts.get(msg) ?? 0;
  counts.set(msg, before + 1);
  return before;
}

/** A message the first `n` times. TF: tf.logging.log_first_n. */
export const logFirstN = (level: number, msg: string, n: number, ...args: readonly unknown[]): void =>
  logIf(level, msg, askedBefore(msg) < n, ...args);
/** A message every `n`th time, the first included. TF: tf.logging.log_every_n. */
export const logEveryN = (level: number, msg: string, n: number, ...args: readonly unknown[]): void =>
  logIf(level, msg, askedBefore(msg) % n === 0, ...args);
/** A message if a condition holds. TF: tf.logging.log_if. */
export function logIf(level: number, msg: string, condition: boolean, ...args: readonly unknown[]): void {
  if (condition) log(level, msg, ...args);
}
/** Nothing to do: messages are written at once. TF: tf.logging.flush. */
export const flush = (): void => {};
