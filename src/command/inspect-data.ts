// What is in files of data: checkpoints, events, records, arrays. Each is read once, piece by piece.

import { files } from "#platform";
import { dtypeTable } from "../base/dtype.ts";
import { readFile } from "../base/files.ts";
import { decodeText, type NDArray } from "../base/ndarray.ts";
import { sizeOf } from "../base/shape.ts";
import { CheckpointReader } from "../formats/checkpoint.ts";
import { messageFromBytes } from "../formats/message-codec.ts";
import type { Message } from "../formats/messages.ts";
import { npyToArray } from "../formats/npy.ts";
import { type RecordCompression, readRecords } from "../formats/records.ts";
import { amount, bytesText, count, counted, numberText, printable, Progress, type Row, section, shapeText, shortened } from "./layout.ts";

interface Range {
  readonly min: number;
  readonly max: number;
  readonly nans: number;
}

/** Smallest and largest element; null for what is not ordered, or empty. */
export function rangeOf(array: NDArray): Range | null {
  const { kind } = dtypeTable[array.dtype];
  if (!["float", "int", "uint", "bool"].includes(kind) || array.size === 0) return null;
  let [min, max, nans] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (let i = 0; i < array.size; i++) {
    const value = Number(array.get(i));
    if (value < min) min = value;
    if (value > max) max = value;
    if (Number.isNaN(value)) nans++;
  }
  return { min, max, nans };
}

export const rangeCells = (range: Range | null): string[] => {
  if (range === null) return [];
  if (range.min > range.max) return ["all nan"];
  const nans = range.nans > 0 ? `, ${counted(range.nans, "nan")}` : "";
  return [range.min === range.max ? numberText(range.min) : `${numberText(range.min)} to ${numberText(range.max)}${nans}`];
};

// ---- checkpoints ----

export interface CheckpointReport {
  readonly kind: "checkpoint";
  readonly path: string;
  readonly elements: number;
  readonly bytes: number;
  readonly tensors: readonly {
    readonly name: string;
    readonly dtype: string;
    readonly shape: readonly number[];
    readonly range?: Range | null;
  }[];
}

/** Values are read one tensor at a time, and not at all without `withValues`. */
export async function reportOnCheckpoint(path: string, withValues: boolean): Promise<CheckpointReport> {
  const reader = await CheckpointReader.open(files, path);
  const progress = new Progress("reading tensor");
  try {
    const dtypes = reader.getVariableToDtypeMap();
    const shapes = [...reader.getVariableToShapeMap()].sort(([a], [b]) => (a < b ? -1 : 1));
    const tensors = [];
    let [elements, bytes] = [0, 0];
    for (const [i, [name, shape]] of shapes.entries()) {
      progress.tell(i + 1, shapes.length);
      const dtype = dtypes.get(name) ?? "float32";
      elements += sizeOf(shape);
      bytes += sizeOf(shape) * dtypeTable[dtype].bytes;
      const isRead = withValues && dtype !== "resource" && dtype !== "variant";
      tensors.push({ name, dtype, shape, ...(isRead && { range: rangeOf(await reader.getTensor(name)) }) });
    }
    return { kind: "checkpoint", path, elements, bytes, tensors };
  } finally {
    progress.end();
    await reader.close();
  }
}

export const checkpointText = ({ path, elements, bytes, tensors }: CheckpointReport, showsAll: boolean): string[] => [
  ...section(`${path}: a checkpoint`, [
    ["tensors", count(tensors.length)],
    ["elements", `${elements < 1e4 ? count(elements) : amount(elements)} (${bytesText(bytes)})`],
  ]),
  ...section(
    "tensors",
    shortened(
      tensors.map(({ name, dtype, shape, range }): Row => [name, dtype, shapeText(shape), ...rangeCells(range ?? null)]),
      showsAll,
    ),
  ),
];

// ---- events ----

interface TagReport {
  readonly tag: string;
  readonly kind: string;
  readonly count: number;
  readonly firstStep: number;
  readonly lastStep: number;
  readonly lastValue?: number;
}

export interface EventsReport {
  readonly kind: "events";
  readonly path: string;
  readonly version: string | null;
  readonly events: number;
  readonly firstStep: number | null;
  readonly lastStep: number | null;
  readonly firstTime: number | null;
  readonly lastTime: number | null;
  readonly graphs: number;
  readonly runs: readonly string[];
  readonly tags: readonly TagReport[];
}

export async function reportOnEvents(path: string): Promise<EventsReport> {
  const tags = new Map<string, TagReport>();
  const runs: string[] = [];
  const steps: number[] = [];
  const times: number[] = [];
  let [events, graphs, version] = [0, 0, null as string | null];
  for await (const record of recordsWithProgress(path, "")) {
    const { fileVersion, graphDef, metaGraphDef, step, summary, taggedRunMetadata, wallTime } = messageFromBytes("Event", record);
    events++;
    widen(times, wallTime);
    version = fileVersion ?? version;
    if (graphDef ?? metaGraphDef) graphs++;
    if (taggedRunMetadata) runs.push(taggedRunMetadata.tag);
    for (const value of summary?.value ?? []) {
      widen(steps, Number(step));
      const before = tags.get(value.tag);
      tags.set(value.tag, {
        tag: value.tag,
        kind: kindOf(value, before?.kind),
        count: (before?.count ?? 0) + 1,
        firstStep: before?.firstStep ?? Number(step),
        lastStep: Number(step),
        ...(value.simpleValue !== undefined && { lastValue: value.simpleValue }),
      });
    }
  }
  const [firstStep = null, lastStep = null] = steps;
  const [firstTime = null, lastTime = null] = times;
  return { kind: "events", path, version, events, firstStep, lastStep, firstTime, lastTime, graphs, runs, tags: [...tags.values()] };
}

/** Keeps the least and the greatest. */
function widen(range: number[], value: number): void {
  range[0] = Math.min(range[0] ?? value, value);
  range[1] = Math.max(range[1] ?? value, value);
}

function kindOf(value: Message<"SummaryValue">, before: string | undefined): string {
  if (value.simpleValue !== undefined) return "scalar";
  if (value.image) return "image";
  if (value.histo) return "histogram";
  if (value.audio) return "audio";
  const plugin = value.metadata?.pluginData?.pluginName;
  return plugin ? plugin.replace(/s$/, "") : (before ?? "tensor");
}

export function eventsText(report: EventsReport, showsAll: boolean): string[] {
  const { path, events, firstStep, lastStep, firstTime, lastTime, graphs, runs, tags } = report;
  const time = (seconds: number): string => new Date(seconds * 1000).toISOString().replace("T", " ").slice(0, 19);
  const named = tags.map(
    ({ tag, kind, count: n, firstStep: from, lastStep: to, lastValue }): Row => [
      tag,
      kind,
      n,
      from === to ? `step ${count(from)}` : `steps ${count(from)} to ${count(to)}`,
      lastValue === undefined ? "" : `last ${numberText(lastValue)}`,
    ],
  );
  return [
    ...section(`${path}: a file of events`, [
      ["events", count(events)],
      ["steps", firstStep === null || lastStep === null ? "none" : `${count(firstStep)} to ${count(lastStep)}`],
      ...(firstTime === null || lastTime === null ? [] : [["written", `${time(firstTime)} to ${time(lastTime)} UTC`]]),
      ["graphs", count(graphs)],
      ...(runs.length > 0 ? [["profiled", runs.join(", ")]] : []),
    ]),
    ...section("tags", shortened(named, showsAll)),
  ];
}

// ---- records ----

interface FeatureReport {
  readonly name: string;
  readonly kind: string;
  /** In how many records. */
  readonly count: number;
  readonly minLength: number;
  readonly maxLength: number;
  readonly range: Range | null;
  readonly sample: string;
}

export interface RecordsReport {
  readonly kind: "records";
  readonly path: string;
  readonly compression: RecordCompression;
  readonly records: number;
  readonly bytes: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  /** How many are tf.Examples with features. */
  readonly examples: number;
  readonly features: readonly FeatureReport[];
}

export async function reportOnRecords(path: string): Promise<RecordsReport> {
  const compression = await compressionOfFile(path);
  const features = new Map<string, FeatureReport>();
  const sizes: number[] = [];
  let [records, bytes, examples] = [0, 0, 0];
  for await (const record of recordsWithProgress(path, compression)) {
    records++;
    bytes += record.length;
    widen(sizes, record.length);
    const found = exampleFeatures(record);
    if (found.length > 0) examples++;
    for (const [name, feature] of found) features.set(name, withFeature(features.get(name), name, feature));
  }
  const [minBytes = 0, maxBytes = 0] = sizes;
  const listed = [...features.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return { kind: "records", path, compression, records, bytes, minBytes, maxBytes, examples, features: listed };
}

async function compressionOfFile(path: string): Promise<RecordCompression> {
  const source = await files.open(path);
  try {
    if (source.size < 2) return "";
    const [first, second] = await source.read(0, 2);
    if (first === 0x1f && second === 0x8b) return "GZIP";
    return first === 0x78 && (first * 256 + second) % 31 === 0 ? "ZLIB" : "";
  } finally {
    await source.close();
  }
}

async function* recordsWithProgress(path: string, compression: RecordCompression): AsyncGenerator<Uint8Array> {
  const source = await files.open(path);
  const progress = new Progress("reading record");
  try {
    let done = 0;
    for await (const record of readRecords(source, compression)) {
      progress.tell(++done);
      yield record;
    }
  } finally {
    progress.end();
    await source.close();
  }
}

/** The features of an Example; nothing for records that are none. Any bytes without fields that are known read as an empty one. */
function exampleFeatures(record: Uint8Array): readonly (readonly [string, Message<"Feature">])[] {
  try {
    return [...(messageFromBytes("Example", record).features?.feature ?? [])];
  } catch {
    return [];
  }
}

function withFeature(
  before: FeatureReport | undefined,
  name: string,
  { bytesList, floatList, int64List }: Message<"Feature">,
): FeatureReport {
  const length = (bytesList ?? floatList ?? int64List)?.value.length ?? 0;
  const range: number[] = before?.range ? [before.range.min, before.range.max] : [];
  for (const value of floatList?.value ?? int64List?.value ?? []) widen(range, Number(value));
  const [first] = bytesList?.value ?? [];
  const own = bytesList ? "bytes" : floatList ? "float" : int64List ? "int64" : "empty";
  const kinds = new Set([before?.kind ?? own, own].filter(kind => kind !== "empty"));
  return {
    name,
    kind: kinds.size > 1 ? "mixed" : ([...kinds][0] ?? "empty"),
    count: (before?.count ?? 0) + 1,
    minLength: Math.min(before?.minLength ?? length, length),
    maxLength: Math.max(before?.maxLength ?? length, length),
    range: range.length < 2 ? null : { min: range[0], max: range[1], nans: 0 },
    sample: before?.sample || (first === undefined ? "" : sampleOf(first)),
  };
}

const mostSampled = 24;

function sampleOf(bytes: Uint8Array): string {
  const text = decodeText(bytes.subarray(0, mostSampled));
  // A last character may be cut in two.
  const isText = printable(text.slice(0, -1)) === text.slice(0, -1) && !text.slice(0, -1).includes("\ufffd");
  return isText ? JSON.stringify(text + (bytes.length > mostSampled ? "..." : "")) : bytesText(bytes.length);
}

export const recordsText = (report: RecordsReport, showsAll: boolean): string[] => {
  const { path, compression, records, bytes, minBytes, maxBytes, examples, features } = report;
  const sizes = minBytes === maxBytes ? `${bytesText(minBytes)} each` : `${bytesText(minBytes)} to ${bytesText(maxBytes)} each`;
  const rows = features.map(
    ({ name, kind, count: n, minLength, maxLength, range, sample }): Row => [
      name,
      kind,
      minLength === maxLength ? `[${minLength}]` : `[${minLength} to ${maxLength}]`,
      n === examples ? "" : `in ${count(n)} of ${count(examples)}`,
      ...(range ? rangeCells(range) : [sample && `such as ${sample}`]),
    ],
  );
  return [
    ...section(`${path}: a file of records`, [
      ["records", `${count(records)}${compression === "" ? "" : `, compressed as ${compression.toLowerCase()}`}`],
      ["data", `${bytesText(bytes)}${records === 0 ? "" : `, ${sizes}`}`],
      ["examples", examples === 0 ? "none" : count(examples)],
    ]),
    ...section("features", shortened(rows, showsAll)),
  ];
};

// ---- arrays ----

export interface ArrayReport {
  readonly kind: "npy";
  readonly path: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: number;
  readonly range: Range | null;
  readonly mean: number | null;
}

export async function reportOnArray(path: string): Promise<ArrayReport> {
  const array = npyToArray(await readFile(files, path), path);
  const range = rangeOf(array);
  let sum = 0;
  if (range) for (let i = 0; i < array.size; i++) sum += Number(array.get(i));
  const bytes = array.size * dtypeTable[array.dtype].bytes;
  return { kind: "npy", path, dtype: array.dtype, shape: array.shape, bytes, range, mean: range && sum / array.size };
}

export const arrayText = ({ path, dtype, shape, bytes, range, mean }: ArrayReport): string[] =>
  section(`${path}: an array of numpy`, [
    ["type", dtype],
    ["shape", shapeText(shape)],
    ["size", `${counted(sizeOf(shape), "element")} (${bytesText(bytes)})`],
    ...(range && mean !== null
      ? [
          ["values", ...rangeCells(range)],
          ["mean", numberText(mean)],
        ]
      : []),
  ]);
