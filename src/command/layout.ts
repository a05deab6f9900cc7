// How results look on a terminal: columns, numbers with units, titles; and lines that tell how far long work is.

import { terminal } from "#platform";

const indent = "  ";

/** A row of cells, or a line that belongs to no column. */
export type Row = string | readonly (string | number)[];

/** Rows with their columns aligned, numbers to the right; cut to the terminal's width. */
export function table(rows: readonly Row[]): string {
  const cells = rows.map(row =>
    typeof row === "string" ? row : row.map(cell => (typeof cell === "number" ? count(cell) : printable(cell))),
  );
  const widths: number[] = [];
  for (const row of cells)
    if (typeof row !== "string") for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  const isNumber = widths.map((_, i) => rows.every(row => typeof row === "string" || typeof (row[i] ?? 0) === "number"));
  const aligned = (row: readonly string[]): string =>
    row.map((cell, i) => (isNumber[i] ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join("  ");
  return cells.map(row => cut(indent + (typeof row === "string" ? row : aligned(row)).trimEnd())).join("\n");
}

/** What comes out of files must not steer the terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
export const printable = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]/g, "\u00b7");

function cut(line: string): string {
  const { width } = terminal;
  return width === null || line.length <= width ? line : `${line.slice(0, Math.max(1, width - 1))}\u2026`;
}

/** A titled part of the output; nothing where there are no rows. */
export const section = (title: string, rows: readonly Row[]): string[] =>
  rows.length === 0 ? [] : [`${printable(title)}\n${table(rows)}`];

/** How many rows are shown unless all are wanted. */
const mostRows = 12;

export const shortened = (rows: readonly Row[], showsAll: boolean): readonly Row[] =>
  showsAll || rows.length <= mostRows + 1 ? rows : [...rows.slice(0, mostRows), `... ${count(rows.length - mostRows)} more (--all)`];

export const print = (...parts: readonly string[]): void => terminal.print(`${parts.join("\n\n")}\n`);

export const printJson = (value: unknown): void => terminal.print(`${jsonText(value, "")}\n`);

/** Lists of plain values stay on one line. */
function jsonText(value: unknown, before: string): string {
  if (typeof value === "bigint") return `"${value}"`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const inside = before + indent;
  const isList = Array.isArray(value);
  const items = isList
    ? value.map(item => jsonText(item, inside))
    : Object.entries(value).flatMap(([key, item]) => (item === undefined ? [] : [`${JSON.stringify(key)}: ${jsonText(item, inside)}`]));
  const [open, close] = isList ? "[]" : "{}";
  const isFlat = items.length === 0 || (isList && value.every(item => typeof item !== "object" || item === null));
  return isFlat ? `${open}${items.join(", ")}${close}` : `${open}\n${items.map(item => inside + item).join(",\n")}\n${before}${close}`;
}

// ---- numbers and words ----

/** 12345 → 12,345. */
export const count = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ",");

export const counted = (value: number, one: string, many = `${one}s`): string => `${count(value)} ${value === 1 ? one : many}`;

function scaled(value: number, base: number, units: readonly string[]): string {
  let at = 0;
  let size = value;
  while (size >= base && at < units.length - 1) {
    size /= base;
    at++;
  }
  const digits = at === 0 || size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return `${size.toFixed(digits)}${units[at] === "" ? "" : ` ${units[at]}`}`;
}

export const bytesText = (value: number): string => scaled(value, 1024, ["bytes", "KiB", "MiB", "GiB", "TiB"]);
export const amount = (value: number): string => scaled(value, 1000, ["", "thousand", "million", "billion", "trillion"]);
export const flopText = (value: number): string => scaled(value, 1000, ["FLOP", "kFLOP", "MFLOP", "GFLOP", "TFLOP"]);
export const shapeText = (shape: readonly (number | null)[] | null): string =>
  shape === null ? "any shape" : `[${shape.map(d => d ?? "?").join(", ")}]`;

/** Four significant digits, without the zeros that say nothing. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const short = value.toPrecision(4);
  return Number.isInteger(value) && Math.abs(value) < 1e9 ? String(value) : short.includes("e") ? short : String(Number(short));
}

// ---- progress ----

const everyMs = 100;
const everyUnwatchedMs = 5000;

/** Tells on stderr how far long work is: a line that changes where somebody watches, else a new one every five seconds. */
export class Progress {
  private readonly what: string;
  private saidAt = performance.now();
  private isShown = false;

  constructor(what: string) {
    this.what = what;
  }

  tell(done: number, of?: number): void {
    const now = performance.now();
    if (now - this.saidAt < (terminal.isWatched ? everyMs : everyUnwatchedMs)) return;
    this.saidAt = now;
    this.isShown = true;
    const text = `${this.what} ${count(done)}${of === undefined ? "" : ` of ${count(of)}`}`;
    terminal.printError(terminal.isWatched ? `\r\u001b[2K${text}` : `${text}\n`);
  }

  /** Tells how many seconds a piece of work takes that does not say how far it is. */
  static async during<T>(what: string, work: () => Promise<T>): Promise<T> {
    const progress = new Progress(`${what}, seconds:`);
    const from = performance.now();
    const timer = setInterval(() => progress.tell(Math.round((performance.now() - from) / 1000)), everyMs);
    try {
      return await work();
    } finally {
      clearInterval(timer);
      progress.end();
    }
  }

  end(): void {
    if (this.isShown && terminal.isWatched) terminal.printError("\r\u001b[2K");
  }
}
