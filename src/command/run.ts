// `tensorloom run MODEL`: values in, values out.

import { InvalidArgumentError, NotFoundError } from "../base/errors.ts";
import type { NDArray } from "../base/ndarray.ts";
import type { Graph } from "../graph/graph.ts";
import type { Operation, Tensor } from "../graph/operation.ts";
import type { FileKind } from "./file-kind.ts";
import { rangeCells, rangeOf } from "./inspect-data.ts";
import { count, print, printJson, Progress, section, shapeText } from "./layout.ts";
import { type ModelOptions, openModel } from "./models.ts";
import { chosenSignature, type End, endsOf } from "./signatures.ts";
import { checkWritable, plainArray, readValue, scaleFrom, writeValue } from "./values.ts";
import { type Given, WrongWords } from "./words.ts";

/** What all subcommands that open a model take. */
export const modelOptions = (given: Given): ModelOptions => ({
  kind: given.text("kind") as FileKind | undefined,
  tags: given
    .text("tags")
    ?.split(",")
    .filter(tag => tag !== ""),
  checkpoint: given.text("checkpoint"),
});

/** `NAME=VALUE`; the name alone where there is no sign. */
function pair(word: string): [string, string | undefined] {
  const equals = word.indexOf("=");
  return equals < 0 ? [word, undefined] : [word.slice(0, equals), word.slice(equals + 1)];
}

export async function runModel(given: Given): Promise<void> {
  const inputs = given.list("input").map(word => {
    const [name, value] = pair(word);
    if (value === undefined || value === "" || name === "") throw new WrongWords(`--input takes NAME=VALUE, not "${word}"`);
    return [name, value] as const;
  });
  const wanted = given.list("output").map(pair);
  for (const [, path] of wanted) if (path !== undefined) checkWritable(path);
  const scale = scaleFrom(given.text("scale"));
  const { graph, session, signatures } = await openModel(given.words[0], modelOptions(given));
  const [, signature] = chosenSignature(signatures, given.text("signature"));
  const [takes, gives] = [endsOf(signature.inputs), endsOf(signature.outputs)];
  const feeds: [Tensor, NDArray][] = [];
  for (const [name, value] of inputs) {
    const tensor = tensorOf(graph, takes, name);
    feeds.push([tensor, await readValue(value, tensor, { scale })]);
  }
  const fetched = wanted.length > 0 ? wanted : gives.map(({ key }) => [key, undefined] as const);
  if (fetched.length === 0) throw new InvalidArgumentError("The model says of no output; name one with --output.");
  const fetches = fetched.map(([name]) => tensorOf(graph, gives, name));
  const missing = placeholdersOf(fetches, new Set(feeds.map(([tensor]) => tensor)));
  if (missing.length > 0) {
    const keyOf = ({ name, op }: Tensor): string => takes.find(({ tensor }) => tensor === name)?.key ?? op.name;
    const listed = missing.map(tensor => `${keyOf(tensor)} (${tensor.dtype} ${shapeText(tensor.shape.dims)})`).join(", ");
    throw new InvalidArgumentError(`Not given: ${listed}. Give each with --input NAME=VALUE.`);
  }
  const values = (await Progress.during("running", () => session.run(fetches, feeds))) as NDArray[];
  const results = fetched.map(([name, path], i) => ({ name, path, array: values[i] }));
  for (const { path, array } of results) if (path !== undefined) await writeValue(path, array);
  await session.close();
  if (given.has("json"))
    return printJson(
      Object.fromEntries(
        results.map(({ name, path, array }) => [
          name,
          path === undefined ? plainArray(array) : { dtype: array.dtype, shape: array.shape, file: path },
        ]),
      ),
    );
  print(...results.flatMap(({ name, path, array }) => resultText(name, path, array)));
}

/** @throws NotFoundError saying what there is. */
function tensorOf(graph: Graph, ends: readonly End[], name: string): Tensor {
  const found = ends.find(({ key }) => key === name)?.tensor ?? name;
  const op = graph.findOperation(found.replace(/:\d+$/, ""));
  const tensor = op?.outputs[Number(/:(\d+)$/.exec(found)?.[1] ?? 0)];
  if (!tensor)
    throw new NotFoundError(`The model has no '${name}'; its signature has ${ends.map(({ key }) => key).join(", ") || "nothing"}.`);
  return tensor;
}

/** What has to be fed for some results, and is not. */
function placeholdersOf(fetches: readonly Tensor[], fed: ReadonlySet<Tensor>): Tensor[] {
  const seen = new Set<Operation>();
  const found: Tensor[] = [];
  const stack = fetches.filter(tensor => !fed.has(tensor)).map(({ op }) => op);
  for (let op = stack.pop(); op !== undefined; op = stack.pop()) {
    if (seen.has(op)) continue;
    seen.add(op);
    if (op.definition.isPlaceholder) found.push(op.outputs[0]);
    stack.push(...op.inputs.filter(tensor => !fed.has(tensor)).map(({ op: source }) => source), ...op.controlInputs);
  }
  return found;
}

/** Numbers that are shown, at most so many. */
const mostShown = 10;

function resultText(name: string, path: string | undefined, array: NDArray): string[] {
  const facts = [array.dtype, shapeText(array.shape), ...rangeCells(rangeOf(array)).map(range => `values ${range}`)].join("  ");
  return section(`${name}  ${facts}`, path === undefined ? valueRows(array) : [["written to", path]]);
}

/** A line for each row of the last axis. */
function valueRows(array: NDArray): string[][] {
  const length = array.rank === 0 ? 1 : array.shape[array.rank - 1];
  const rows = length === 0 ? 0 : array.size / length;
  const shownRows = Math.min(rows, mostShown);
  const lines = Array.from({ length: shownRows }, (_, row) => {
    const cells = Array.from({ length: Math.min(length, mostShown) }, (_, i) => cellText(array.get(row * length + i)));
    return length > mostShown ? [...cells, "..."] : cells;
  });
  return rows > shownRows ? [...lines, [`... ${count(rows - shownRows)} more rows (--json prints all)`]] : lines;
}

function cellText(value: ReturnType<NDArray["get"]>): string {
  if (value instanceof Uint8Array) return JSON.stringify(new TextDecoder().decode(value));
  if (typeof value === "object") return `${short(value.re)}${value.im < 0 ? "" : "+"}${short(value.im)}i`;
  return typeof value === "number" ? short(value) : String(value);
}

const short = (value: number): string => (Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6))));
