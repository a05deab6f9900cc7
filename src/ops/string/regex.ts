// Regular expressions: RE2's syntax told to JavaScript's engine, with RE2's refusals, and the ops that match and replace with them.
// Strings are bytes: those that are no UTF-8 stand as lone surrogates, which nothing but the empty string around them matches.

import { InvalidArgumentError, UnimplementedError } from "../../base/errors.ts";
import { decodeText, type NDArray } from "../../base/ndarray.ts";
import * as attr from "../../graph/attributes.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Named } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import * as ir from "../../ir/build.ts";
import { collect } from "../arguments.ts";
import { type NameOption, named } from "../named.ts";
import { bytesAt, eachElement } from "./string.ts";
import { looseBytes, looseText } from "./unicode.ts";

// ---- RE2's syntax ----

type Range = readonly [low: number, high: number];

const digits: Range[] = [[48, 57]];
const upper: Range[] = [[65, 90]];
const lower: Range[] = [[97, 122]];
const blank: Range[] = [
  [9, 9],
  [32, 32],
];
const perlClasses: Readonly<Record<string, readonly Range[]>> = {
  d: digits,
  s: [
    [9, 10],
    [12, 13],
    [32, 32],
  ],
  w: [...digits, ...upper, [95, 95], ...lower],
};
const posixClasses: Readonly<Record<string, readonly Range[]>> = {
  alnum: [...digits, ...upper, ...lower],
  alpha: [...upper, ...lower],
  ascii: [[0, 127]],
  blank,
  cntrl: [
    [0, 31],
    [127, 127],
  ],
  digit: digits,
  graph: [[33, 126]],
  lower,
  print: [[32, 126]],
  punct: [
    [33, 47],
    [58, 64],
    [91, 96],
    [123, 126],
  ],
  space: [
    [9, 13],
    [32, 32],
  ],
  upper,
  word: perlClasses.w,
  xdigit: [...digits, [65, 70], [97, 102]],
};
const letterEscapes: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };

function complement(ranges: readonly Range[]): Range[] {
  const result: Range[] = [];
  let next = 0;
  for (const [low, high] of ranges) {
    if (low > next) result.push([next, low - 1]);
    next = high + 1;
  }
  return [...result, [next, 0x10ffff]];
}

const shown = (point: number): string => `\\u{${point.toString(16)}}`;
const rangesText = (ranges: readonly Range[]): string => ranges.map(([low, high]) => `${shown(low)}-${shown(high)}`).join("");
/** What a class of other characters must not take: bytes that are no character. */
const wellFormed = "(?![\\ud800-\\udfff])";
/** A surrogate in three bytes, which RE2 takes for a character; and other bytes that only look like one (overlong, past the end), which it takes where it
 *  takes all characters from U+0080 on. */
const surrogate = "\\udced[\\udca0-\\udcbf][\\udc80-\\udcbf]";
const lookalike = "[\\udce0-\\udcef][\\udc80-\\udcbf]{2}|[\\udcf0-\\udcf4][\\udc80-\\udcbf]{3}";

/** A part of a class. */
interface ClassPart {
  readonly text: string;
  /** Has it all characters from U+0080 on, some, or none? */
  readonly beyondAscii: "all" | "some" | "none";
}

function partOf(ranges: readonly Range[]): ClassPart {
  const [low, high] = ranges.at(-1) ?? [0, 0];
  return { text: rangesText(ranges), beyondAscii: high < 0x80 ? "none" : low <= 0x80 && high === 0x10ffff ? "all" : "some" };
}

interface Flags {
  readonly i: boolean;
  readonly m: boolean;
  readonly s: boolean;
  readonly U: boolean;
}

/** Reads a pattern of RE2 and says it as JavaScript does. */
class Translator {
  private readonly pattern: string;
  /** Are letters of both cases alike in some places only? Then those are marked. */
  private readonly isMixed: boolean;
  private at = 0;
  hasFolded = false;
  hasPlain = false;

  constructor(pattern: string, isMixed: boolean) {
    this.pattern = pattern;
    this.isMixed = isMixed;
  }

  whole(): string {
    const text = this.alternatives({ i: false, m: false, s: false, U: false });
    if (this.at < this.pattern.length) throw this.refused(`unexpected ): ${this.pattern}`);
    return text;
  }

  private refused(reason: string): Error {
    return new InvalidArgumentError(`Invalid pattern: ${this.pattern}, error: ${reason}`);
  }
  private get rest(): string {
    return this.pattern.slice(this.at);
  }
  /** The next character, taken; undefined at the end. */
  private take(): string | undefined {
    const point = this.pattern.codePointAt(this.at);
    if (point === undefined) return undefined;
    const char = String.fromCodePoint(point);
    this.at += char.length;
    return char;
  }
  private takeIf(found: RegExp): RegExpExecArray | null {
    const match = found.exec(this.rest);
    if (match) this.at += match[0].length;
    return match;
  }

  private folded(text: string, { i }: Flags): string {
    if (i) this.hasFolded = true;
    else this.hasPlain = true;
    return i && this.isMixed ? `(?i:${text})` : text;
  }
  private literal(point: number, flags: Flags): string {
    return this.folded(shown(point), flags);
  }

  /** What stands between parentheses, up to the one that closes. */
  private alternatives(given: Flags): string {
    let flags = given;
    let result = "";
    let atom: string | undefined;
    let previous: { readonly start: number; readonly end: number } | undefined;
    while (this.at < this.pattern.length && !this.rest.startsWith(")")) {
      const start = this.at;
      const repeat = this.takeIf(/^(?:[*+?]|\{(\d+)(,(\d*))?\})\??/);
      if (repeat) {
        if (previous?.end === start) throw this.refused(`bad repetition operator: ${this.pattern.slice(previous.start, this.at)}`);
        if (atom === undefined) throw this.refused(`no argument for repetition operator: ${repeat[0]}`);
        atom = `(?:${atom})${this.repetition(repeat, flags)}`;
        previous = { start, end: this.at };
        continue;
      }
      result += atom ?? "";
      atom = undefined;
      if (this.takeIf(/^\|/)) result += "|";
      else if (this.rest.startsWith("(?")) {
        const next = this.marked(flags);
        if (typeof next === "string") atom = next;
        else flags = next;
      } else if (this.takeIf(/^\\Q/)) {
        const quoted = this.takeIf(/^[\s\S]*?(?=\\E|$)/)?.[0] ?? "";
        this.takeIf(/^\\E/);
        const literals = Array.from(quoted, char => this.literal(char.codePointAt(0) ?? 0, flags));
        result += literals.slice(0, -1).join("");
        atom = literals.at(-1);
      } else atom = this.atom(flags);
    }
    return result + (atom ?? "");
  }

  private repetition([text, least, comma, most]: RegExpExecArray, { U }: Flags): string {
    const isLazy = text.length > 1 && text.endsWith("?");
    const operator = isLazy ? text.slice(0, -1) : text;
    if (least !== undefined) {
      const [low, high] = [Number(least), comma === undefined ? Number(least) : most === "" ? 0 : Number(most)];
      if (low > 1000 || high > 1000 || (most !== "" && high < low)) throw this.refused(`invalid repetition size: ${text}`);
    }
    return operator + (isLazy !== U ? "?" : "");
  }

  /** A group that begins with (?; or the flags it sets. */
  private marked(given: Flags): string | Flags {
    const start = this.at;
    const bad = (): Error => this.refused(`invalid perl operator: ${this.pattern.slice(start, this.at)}`);
    if (this.rest.startsWith("(?P<")) {
      const name = /^\(\?P<([^>]*)>/.exec(this.rest);
      if (!name || !/^[\p{L}\p{Mn}\p{Mc}\p{Nd}\p{Pc}]+$/u.test(name[1]))
        throw this.refused(`invalid named capture group: ${name?.[0] ?? this.rest}`);
      this.at += name[0].length;
      return this.closed("(", given);
    }
    this.at += 2;
    const flags = { ...given };
    let sign = true;
    let hasOne = false;
    for (;;) {
      const char = this.take();
      if (char === "i" || char === "m" || char === "s" || char === "U") {
        flags[char] = sign;
        hasOne = true;
      } else if (char === "-" && sign) {
        sign = false;
        hasOne = false;
      } else if ((char === ":" || char === ")") && (sign || hasOne)) return char === ":" ? this.closed("(?:", flags) : flags;
      else throw bad();
    }
  }

  private closed(opening: string, flags: Flags): string {
    const inside = this.alternatives(flags);
    if (!this.takeIf(/^\)/)) throw this.refused(`missing ): ${this.pattern}`);
    return `${opening}${inside})`;
  }

  private atom(flags: Flags): string {
    const start = this.at;
    const char = this.take() ?? "";
    if (char === "(") return this.closed("(", flags);
    if (char === "[") return this.class(start, flags);
    if (char === ".") return `(?:${wellFormed}[^${flags.s ? "" : "\\n"}]|${lookalike})`;
    if (char === "^") return flags.m ? "(?<![^\\n])" : "^";
    if (char === "$") return flags.m ? "(?![^\\n])" : "$";
    if (char !== "\\") return this.literal(char.codePointAt(0) ?? 0, flags);
    const anchor = this.takeIf(/^[AzbB]/)?.[0];
    if (anchor !== undefined) return anchor === "A" ? "^" : anchor === "z" ? "$" : `\\${anchor}`;
    if (this.takeIf(/^C/)) throw new UnimplementedError("\\C, a single byte in a regular expression, is not supported.");
    this.at = start;
    const set = this.setEscape();
    return set === undefined ? this.literal(this.escape(), flags) : this.classOf([set], false, flags);
  }

  /** \d, \W, \pL, \p{^Greek} … as parts of a class; undefined where no such thing stands here. */
  private setEscape(): ClassPart | undefined {
    const perl = this.takeIf(/^\\([dDsSwW])/);
    if (perl) {
      const ranges = perlClasses[perl[1].toLowerCase()];
      return partOf(perl[1] === perl[1].toLowerCase() ? ranges : complement(ranges));
    }
    const unicode = this.takeIf(/^\\([pP])(?:\{(\^?)([^}]*)\}|([^{]))/u);
    if (!unicode) return undefined;
    const [text, letter, hat = "", long, short] = unicode;
    const isNegative = (letter === "P") !== (hat === "^");
    const name = long ?? short;
    if (name === "Any") return partOf(isNegative ? [] : [[0, 0x10ffff]]);
    const property = /^[A-Z][a-z]?$/.test(name) ? name : `Script=${name}`;
    try {
      new RegExp(`\\p{${property}}`, "u");
    } catch {
      throw this.refused(`invalid character class range: ${text}`);
    }
    return { text: `\\${isNegative ? "P" : "p"}{${property}}`, beyondAscii: "some" };
  }

  /** The character that an escape stands for. */
  private escape(): number {
    const start = this.at;
    this.at++;
    const bad = (): Error => this.refused(`invalid escape sequence: ${this.pattern.slice(start, this.at)}`);
    const char = this.take();
    if (char === undefined) throw this.refused("trailing \\");
    if (Object.hasOwn(letterEscapes, char)) return letterEscapes[char];
    if (char >= "1" && char <= "7" && !/^[0-7]/.test(this.rest)) throw bad();
    if (char >= "0" && char <= "7") return Number.parseInt(char + (this.takeIf(/^[0-7]{0,2}/)?.[0] ?? ""), 8);
    if (char === "x") {
      const plain = this.takeIf(/^[\da-f]{2}/i);
      if (plain) return Number.parseInt(plain[0], 16);
      if (!this.takeIf(/^\{/)) {
        this.at = Math.min(this.at + 2, this.pattern.length);
        throw bad();
      }
      let point = 0;
      for (let digit = this.take(), count = 0; ; digit = this.take(), count++) {
        if (digit === "}" && count > 0) return point;
        if (digit === undefined || !/^[\da-f]$/i.test(digit)) throw bad();
        point = point * 16 + Number.parseInt(digit, 16);
        if (point > 0x10ffff) throw bad();
      }
    }
    const point = char.codePointAt(0) ?? 0;
    if (point > 127 || /^\w$/.test(char)) throw bad();
    return point;
  }

  private class(start: number, flags: Flags): string {
    const missing = (): Error => this.refused(`missing ]: ${this.pattern.slice(start)}`);
    const isNegative = this.takeIf(/^\^/) !== null;
    const parts: ClassPart[] = [];
    for (let isFirst = true; isFirst || !this.rest.startsWith("]"); isFirst = false) {
      if (this.rest === "") throw missing();
      const posix = this.takeIf(/^\[:(\^?)(\w*):\]/);
      if (posix) {
        if (!Object.hasOwn(posixClasses, posix[2])) throw this.refused(`invalid character class range: ${posix[0]}`);
        const ranges = posixClasses[posix[2]];
        parts.push(partOf(posix[1] === "" ? ranges : complement(ranges)));
        continue;
      }
      const set = this.setEscape();
      if (set !== undefined) {
        parts.push(set);
        continue;
      }
      const from = this.at;
      const low = this.classCharacter();
      let high = low;
      if (this.takeIf(/^-(?!\])/)) {
        if (this.rest === "") throw missing();
        high = this.classCharacter();
        if (high < low) throw this.refused(`invalid character class range: ${this.pattern.slice(from, this.at)}`);
      }
      parts.push(partOf([[low, high]]));
    }
    this.at++;
    return this.classOf(parts, isNegative, flags);
  }

  private classOf(parts: readonly ClassPart[], isNegative: boolean, flags: Flags): string {
    const text = parts.map(part => part.text).join("");
    const set = `[${isNegative ? "^" : ""}${text}]`;
    // K and long s are kin of ASCII's letters.
    const hasKin = flags.i && new RegExp(`[${text}]`, "iu").test("\u212a\u017f");
    const hasAll = isNegative
      ? !hasKin && parts.every(({ beyondAscii }) => beyondAscii === "none")
      : parts.some(({ beyondAscii }) => beyondAscii === "all");
    const others = hasAll ? `|${lookalike}` : new RegExp(set, "u").test("\ud800") ? `|${surrogate}` : "";
    return this.folded(`(?:${wellFormed}${set}${others})`, flags);
  }

  private classCharacter(): number {
    return this.rest.startsWith("\\") ? this.escape() : (this.take()?.codePointAt(0) ?? 0);
  }
}

/** A pattern of RE2 as JavaScript's expression. @throws InvalidArgumentError for what RE2 refuses, in its words */
function expressionOf(pattern: string, { isWhole = false } = {}): RegExp {
  const first = new Translator(pattern, false);
  let source = first.whole();
  const isMixed = first.hasFolded && first.hasPlain;
  if (isMixed) source = new Translator(pattern, true).whole();
  try {
    return new RegExp(isWhole ? `^(?:${source})$` : source, `gu${first.hasFolded && !isMixed ? "i" : ""}`);
  } catch (error) {
    throw new UnimplementedError(`This machine's regular expressions cannot say ${pattern}: ${(error as Error).message}`);
  }
}

// ---- replacing and matching ----

/** RE2's rewrite: texts and numbers of groups. What follows a backslash that means nothing is dropped, and nothing replaced where there is only one. */
function rewriteParts(rewrite: string, isGlobal: boolean): (string | number)[] | null {
  const parts: (string | number)[] = [];
  for (const [text, escaped] of rewrite.matchAll(/\\([\s\S]?)|[^\\]+/gu)) {
    if (escaped === undefined) parts.push(text);
    else if (escaped === "\\") parts.push("\\");
    else if (/^\d$/.test(escaped)) parts.push(Number(escaped));
    else return isGlobal ? parts : null;
  }
  return parts;
}

/** The first match from a place on; engines find empty ones in the middle of a pair of surrogates, too. */
function matchFrom(text: string, at: number, expression: RegExp): RegExpExecArray | null {
  expression.lastIndex = at;
  const match = expression.exec(text);
  const isInside = match?.[0] === "" && match.index > at && (text.codePointAt(match.index - 1) ?? 0) > 0xffff;
  return isInside ? matchFrom(text, match.index + 1, expression) : match;
}

/** The character at a place, "" at the end; a surrogate in three bytes is one. */
const nextCharacter = (text: string, at: number): string =>
  new RegExp(`^(?:${surrogate}|[^])`, "u").exec(text.slice(at, at + 3))?.[0] ?? "";

/** Matches replaced from the left; an empty match right behind another is none. */
function replaced(text: string, expression: RegExp, parts: readonly (string | number)[], isGlobal: boolean): string {
  let result = "";
  let at = 0;
  let end = -1;
  while (at <= text.length) {
    const match = matchFrom(text, at, expression);
    if (match === null || parts.some(part => typeof part === "number" && part >= match.length)) break;
    result += text.slice(at, match.index);
    at = match.index;
    if (match[0] === "" && at === end) {
      const char = nextCharacter(text, at);
      result += char;
      at += char.length || 1;
      continue;
    }
    result += parts.map(part => (typeof part === "string" ? part : (match[part] ?? ""))).join("");
    at += match[0].length;
    end = at;
    if (!isGlobal) break;
  }
  return result + text.slice(at);
}

const replacer = (pattern: string, rewrite: string, isGlobal: boolean): ((s: Uint8Array) => Uint8Array) => {
  const [expression, parts] = [expressionOf(pattern), rewriteParts(rewrite, isGlobal)];
  if (parts === null) return s => s;
  return s => looseBytes(replaced(looseText(s), expression, parts, isGlobal));
};

function matcher(pattern: string): (s: Uint8Array) => boolean {
  const expression = expressionOf(pattern, { isWhole: true });
  return s => {
    expression.lastIndex = 0;
    return expression.test(looseText(s));
  };
}

export const StaticRegexReplace = defineOp("StaticRegexReplace", {
  inputs: { input: "string" },
  outputs: { output: "string" },
  attrs: { pattern: attr.string(), rewrite: attr.string(), replaceGlobal: attr.bool(true) },
  shape: ({ input }) => input,
  gradient: "none",
  lower: ({ input, pattern, rewrite, replaceGlobal }) =>
    eachElement("StaticRegexReplace", input, "string", replacer(pattern, rewrite, replaceGlobal)),
});

export const RegexReplace = defineOp("RegexReplace", {
  inputs: { input: "string", pattern: "string", rewrite: "string" },
  outputs: { output: "string" },
  attrs: { replaceGlobal: attr.bool(true) },
  shape: ({ input, pattern, rewrite }) => {
    pattern.withRank(0);
    rewrite.withRank(0);
    return input;
  },
  gradient: "none",
  lower: ({ input, pattern, rewrite, replaceGlobal }) => {
    const run = ([given, p, r]: readonly NDArray[], [result]: readonly NDArray[]): void => {
      const replace = replacer(decodeText(bytesAt(p, 0)), decodeText(bytesAt(r, 0)), replaceGlobal);
      for (let i = 0; i < result.size; i++) result.set(i, replace(bytesAt(given, i)));
    };
    const [out] = ir.call({ name: "RegexReplace", run }, [input, pattern, rewrite], [input]);
    return out;
  },
});

export const StaticRegexFullMatch = defineOp("StaticRegexFullMatch", {
  inputs: { input: "string" },
  outputs: { output: "bool" },
  attrs: { pattern: attr.string() },
  shape: ({ input }) => input,
  gradient: "none",
  lower: ({ input, pattern }) => eachElement("StaticRegexFullMatch", input, "bool", matcher(pattern)),
});

export const RegexFullMatch = defineOp("RegexFullMatch", {
  inputs: { input: "string", pattern: "string" },
  outputs: { output: "bool" },
  attrs: {},
  shape: ({ input, pattern }) => {
    pattern.withRank(0);
    return input;
  },
  gradient: "none",
  lower: ({ input, pattern }) => {
    const run = ([given, p]: readonly NDArray[], [result]: readonly NDArray[]): void => {
      const matches = matcher(decodeText(bytesAt(p, 0)));
      for (let i = 0; i < result.size; i++) result.set(i, matches(bytesAt(given, i)));
    };
    const [out] = ir.call({ name: "RegexFullMatch", run }, [input, pattern], [{ dtype: "bool", shape: input.shape }]);
    return out;
  },
});

interface ReplaceOptions extends Named {
  /** All matches, not only the first. */
  readonly replaceGlobal?: boolean;
}

/** Matches of a regular expression replaced; \1 … \9 in `rewrite` are its groups. TF: tf.regex_replace(input, pattern, rewrite, replace_global, name). */
export function regexReplace(input: TensorLike, pattern: TensorLike, rewrite: TensorLike, ...rest: unknown[]): Tensor {
  const { replaceGlobal, name } = collect<ReplaceOptions>(["replaceGlobal", "name"], rest);
  return typeof pattern === "string" && typeof rewrite === "string"
    ? StaticRegexReplace({ input, pattern, rewrite, replaceGlobal }, { name })
    : RegexReplace({ input, pattern, rewrite, replaceGlobal }, { name });
}

/** Does the whole string match? TF: tf.strings.regex_full_match. */
export const regexFullMatch = (input: TensorLike, pattern: TensorLike, options?: NameOption): Tensor =>
  typeof pattern === "string"
    ? StaticRegexFullMatch({ input, pattern }, named(options))
    : RegexFullMatch({ input, pattern }, named(options));
