// tf.print: a node that writes a string when it runs, and the template that makes the string of tensors and what stands between them. Structures
// around tensors are written as Python's pprint writes them. The older tf.Print is in flow/control-flow.ts.

import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import * as logging from "../../base/logging.ts";
import { decodeText } from "../../base/ndarray.ts";
import * as attr from "../../graph/attributes.ts";
import { convertToTensor, isAsTensor } from "../../graph/conversion.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { Named } from "../../graph/op-definition.ts";
import { defineOp } from "../../graph/op-definition.ts";
import { type Operation, Tensor } from "../../graph/operation.ts";
import { SparseTensor } from "../../graph/sparse-tensor.ts";
import * as ir from "../../ir/build.ts";
import { appendText, printText } from "#platform";
import { isOptions } from "../arguments.ts";
import { flatten, mapNested } from "../flow/nested.ts";
import { bytesAt } from "../string/string.ts";
import { StringFormat } from "../string/parsing.ts";

const filePrefix = "file://";

/** Severities go to the error output behind their letter. */
const streams: Readonly<Record<string, (text: string) => void>> = {
  stdout: text => printText("stdout", text),
  stderr: text => printText("stderr", text),
  "log(info)": text => printText("stderr", `I ${text}`),
  "log(warning)": text => printText("stderr", `W ${text}`),
  "log(error)": text => printText("stderr", `E ${text}`),
};

/** What writes to a stream or a file. @throws InvalidArgumentError for other names. */
function writerOf(stream: string): (text: string) => void {
  const path = stream.startsWith(filePrefix) ? stream.slice(filePrefix.length) : "";
  if (path !== "") return text => appendText(path, text);
  if (Object.hasOwn(streams, stream)) return streams[stream];
  const shown = stream.startsWith(filePrefix) ? "" : stream;
  throw new InvalidArgumentError(`Unknown output stream: ${shown}, Valid streams are: ${Object.keys(streams).join(" ")}`);
}

/** Writes a string and `end` to a stream: stdout, stderr, log(info), log(warning), log(error), or a file at its end. */
export const PrintV2 = defineOp("PrintV2", {
  inputs: { input: "string" },
  outputs: {},
  attrs: { outputStream: attr.string("stderr"), end: attr.string("\n") },
  stateful: true,
  shape: ({ input }) => {
    if (input.rank !== null && input.rank !== 0) throw new ValueError(`input must be a scalar, but has rank: ${input.rank}`);
  },
  lower: ({ input, outputStream, end }) => {
    if (input.shape.length > 0) throw new InvalidArgumentError(`Input is expected to be scalar, but got [${input.shape}]`);
    const write = writerOf(outputStream);
    ir.call({ name: "PrintV2", run: ([text]) => write(decodeText(bytesAt(text, 0)) + end) }, [input], []);
  },
});

// ---- tf.print ----

interface PrintOptions extends Named {
  /** `process.stdout`, `process.stderr` (the default), their names, a severity (`tf.logging.info` or `tf.logging.INFO`), or `file://` and a path. */
  readonly outputStream?: unknown;
  /** How many elements at each end of a long axis are shown (3); -1: all. */
  readonly summarize?: number | null;
  /** Between inputs: a space. */
  readonly sep?: string | null;
  /** Behind the last: a line feed. */
  readonly end?: string | null;
}

const optionNames = new Set(["outputStream", "summarize", "sep", "end", "name"]);

/** A last plain object is one of options if it has no other key; elsewhere it is printed. */
const isPrintOptions = (value: unknown): value is PrintOptions =>
  isOptions(value) && Object.keys(value).length > 0 && Object.keys(value).every(key => optionNames.has(key));

/** Severities by number, and by the function that logs at it (its name is what the other door's functions share). */
const severities: readonly (readonly [stream: string, level: number, names: readonly string[]])[] = [
  ["log(info)", logging.INFO, ["info"]],
  ["log(warning)", logging.WARN, ["warning", "warn"]],
  ["log(error)", logging.ERROR, ["error"]],
];

function streamName(stream: unknown): string {
  if (stream === undefined || stream === null) return "stderr";
  if (typeof stream === "string" && (stream.startsWith(filePrefix) || stream === "stdout" || stream === "stderr")) return stream;
  if (typeof stream === "object" && "fd" in stream && (stream.fd === 1 || stream.fd === 2)) return stream.fd === 1 ? "stdout" : "stderr";
  const found = severities.find(([, level, names]) => stream === level || (typeof stream === "function" && names.includes(stream.name)));
  if (found) return found[0];
  throw new ValueError(
    `Unsupported output stream, logging level, or file.${String(stream)}. Supported streams are sys.stdout, sys.stderr, tf.logging.info, tf.logging.warning, tf.logging.error. File needs to be in the form of 'file://<filepath>'.`,
    "The process's own streams will do, and so will their names, stdout and stderr.",
  );
}

/** Prints its inputs whenever the operation that it returns is run: fetch it, or make others depend on it. Inputs are tensors, sparse tensors, and
 *  lists, objects and plain values around them: `tf.print("step", step, [loss, { w }], { outputStream: process.stdout })`.
 *  @throws ValueError for a stream that is none. TF: tf.print(*inputs, output_stream, summarize, sep, end, name). */
export function print(...inputs: readonly unknown[]): Operation {
  const last = inputs.at(-1);
  const options: PrintOptions = isPrintOptions(last) ? last : {};
  const shown = (isPrintOptions(last) ? inputs.slice(0, -1) : inputs).map(input =>
    mapNested(input, leaf => (isAsTensor(leaf) ? convertToTensor(leaf) : leaf)),
  );
  const outputStream = streamName(options.outputStream);
  const tensors = shown.flatMap(flatten).flatMap(partsOf);
  const graph = tensors[0]?.graph ?? getDefaultGraph();
  return graph.asDefault(() => {
    const formatName = options.name ? `${String(options.name)}_format` : undefined;
    const [only] = shown;
    const isString = shown.length === 1 && only instanceof Tensor && only.shape.rank === 0 && only.dtype === "string";
    const input = isString
      ? only
      : StringFormat(
          { inputs: tensors, ...templateOf(shown, options.sep ?? " "), summarize: options.summarize ?? 3 },
          { name: formatName },
        );
    return PrintV2({ input, outputStream, end: options.end ?? "\n" }, { name: options.name });
  });
}

/** The tensors that a leaf shows. */
function partsOf(leaf: unknown): readonly Tensor[] {
  if (leaf instanceof Tensor) return [leaf];
  return leaf instanceof SparseTensor ? [leaf.indices, leaf.values, leaf.denseShape] : [];
}

/** A text that stands for a tensor in a structure, to be written without quotes. */
class Placeholder {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** The inputs as one text, with `placeholder` where a tensor is to be put. */
function templateOf(inputs: readonly unknown[], separator: string): { template: string; placeholder: string } {
  const isTensor = (leaf: unknown): boolean => leaf instanceof Tensor || leaf instanceof SparseTensor;
  const withoutTensors = inputs.map(input => inLine(mapNested(input, leaf => (isTensor(leaf) ? "" : leaf)))).join(" ");
  const placeholder = placeholderFor(withoutTensors);
  const standIn = (leaf: unknown): unknown => {
    if (leaf instanceof Tensor) return new Placeholder(placeholder);
    if (!(leaf instanceof SparseTensor)) return leaf;
    // Its text keeps its quotes.
    return `SparseTensor(indices=${placeholder}, values=${placeholder}, shape=${placeholder})`;
  };
  const parts = inputs.map(input => (typeof input === "string" ? input : pretty(mapNested(input, standIn))));
  return { template: parts.join(separator), placeholder };
}

/** What Python's generator of seed 5 gives, which TensorFlow appends digit by digit until the text does not hold it. */
const digits = "9458073021573681930364262129972200332245";

function placeholderFor(text: string): string {
  for (let n = 0; n <= digits.length; n++) {
    const placeholder = `{}${digits.slice(0, n)}`;
    if (!text.includes(placeholder)) return placeholder;
  }
  throw new ValueError("tf.print finds no placeholder that its inputs do not hold.");
}

// ---- Python's pprint ----

const lineWidth = 80;

function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escapes: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\" };
  return quote + text.replace(/[\n\r\t\\]/g, char => escapes[char]).replaceAll(quote, `\\${quote}`) + quote;
}

/** On one line, as Python's repr; objects by sorted key. */
function inLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inLine).join(", ")}]`;
  if (isOptions(value))
    return `{${Object.keys(value)
      .sort()
      .map(key => `${quoted(key)}: ${inLine(value[key])}`)
      .join(", ")}}`;
  if (value instanceof Placeholder) return value.text;
  if (typeof value === "string") return quoted(value);
  if (typeof value === "boolean") return value ? "True" : "False";
  return value === null || value === undefined ? "None" : String(value);
}

/** Structures that are wider than a line have an item a line, indented to where they begin; `allowance` is what must fit behind. */
function pretty(value: unknown, indent = 0, allowance = 0): string {
  const line = inLine(value);
  // Quotes stand around a placeholder while pprint measures the line.
  const room = lineWidth - indent - allowance - 2 * flatten(value).filter(leaf => leaf instanceof Placeholder).length;
  if (line.length <= room) return line;
  const separator = `,\n${" ".repeat(indent + 1)}`;
  const items = <T>(list: readonly T[], write: (item: T, behind: number) => string): string =>
    list.map((item, i) => write(item, i === list.length - 1 ? allowance + 1 : 1)).join(separator);
  if (Array.isArray(value)) return `[${items(value, (item, behind) => pretty(item, indent + 1, behind))}]`;
  if (isOptions(value))
    return `{${items(Object.keys(value).sort(), (key, behind) => {
      const head = `${quoted(key)}: `;
      return head + pretty(value[key], indent + 1 + head.length, behind);
    })}}`;
  return typeof value === "string" ? wrapped(value, indent, allowance) : line;
}

/** A long string as several, broken behind spaces and line feeds. */
function wrapped(text: string, indent: number, allowance: number): string {
  const width = lineWidth - indent;
  const chunks: string[] = [];
  const lines = text.match(/[^\n]*\n|[^\n]+/g) ?? [];
  for (const [k, line] of lines.entries()) {
    const behind = k === lines.length - 1 ? allowance : 0;
    const words = quoted(line).length <= width - behind ? [line] : (line.match(/\S+\s*|\s+/g) ?? []);
    let current = "";
    for (const [i, word] of words.entries()) {
      const most = i === words.length - 1 ? width - behind : width;
      if (current !== "" && quoted(current + word).length > most) {
        chunks.push(quoted(current));
        current = word;
      } else current += word;
    }
    chunks.push(quoted(current));
  }
  return chunks.join(`\n${" ".repeat(indent)}`);
}
