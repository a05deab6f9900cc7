// What a path holds: said by its name where that is plain, else by its first and last bytes.

import { files } from "#platform";
import { DataLossError, InvalidArgumentError, NotFoundError } from "../base/errors.ts";
import { type ByteSource, fileNameOf, folderOf, joinPath } from "../base/files.ts";
import { decodeText } from "../base/ndarray.ts";
import { hasCheckpoint, readCheckpointState } from "../formats/checkpoint.ts";
import { recordHeadFits } from "../formats/records.ts";
import { isTableEnd } from "../formats/table.ts";

export const fileKinds = ["saved-model", "graph", "meta-graph", "tfjs", "checkpoint", "events", "records", "npy"] as const;
export type FileKind = (typeof fileKinds)[number];

/** A path as its reader takes it: the folder of a SavedModel, the prefix of a checkpoint, else the file. */
export interface FoundFile {
  readonly kind: FileKind;
  readonly path: string;
}

const savedModelNames = ["saved_model.pb", "saved_model.pbtxt"];
const checkpointSuffix = /\.(?:index|data-\d{5}-of-\d{5})$/;
const eventName = /\.tfevents\./;

/** @throws NotFoundError; InvalidArgumentError for a file of no known kind. */
export async function findFile(given: string, wanted?: FileKind): Promise<FoundFile> {
  const path = given.length > 1 ? given.replace(/[/\\]+$/, "") : given;
  if (/^https?:/.test(path)) return { kind: wanted ?? "tfjs", path };
  const status = await files.status(path);
  const found = status?.isFolder ? await inFolder(path) : status ? await ofFile(path) : await ofPrefix(path);
  return wanted === undefined ? found : { kind: wanted, path: wanted === found.kind ? found.path : path };
}

async function ofPrefix(path: string): Promise<FoundFile> {
  if (await hasCheckpoint(files, path)) return { kind: "checkpoint", path };
  throw new NotFoundError(`${path}; No such file or directory`);
}

async function inFolder(path: string): Promise<FoundFile> {
  const names = await files.list(path);
  if (savedModelNames.some(name => names.includes(name))) return { kind: "saved-model", path };
  if (names.includes("model.json")) return { kind: "tfjs", path: joinPath(path, "model.json") };
  const latest = (await readCheckpointState(files, path))?.modelCheckpointPath;
  if (latest !== undefined) return { kind: "checkpoint", path: latest };
  const prefixes = names.filter(name => name.endsWith(".index")).map(name => name.replace(checkpointSuffix, ""));
  const candidates = [...prefixes, ...names.filter(name => eventName.test(name))];
  if (candidates.length === 1) return findFile(joinPath(path, candidates[0]));
  throw new InvalidArgumentError(
    candidates.length === 0
      ? `The folder ${path} holds no SavedModel, model.json, checkpoint or event file.`
      : `The folder ${path} holds several: name one of ${candidates.join(", ")}.`,
  );
}

async function ofFile(path: string): Promise<FoundFile> {
  const name = fileNameOf(path);
  if (savedModelNames.includes(name)) return { kind: "saved-model", path: folderOf(path) || "." };
  if (checkpointSuffix.test(name)) return { kind: "checkpoint", path: path.replace(checkpointSuffix, "") };
  if (name === "checkpoint") return inFolder(folderOf(path) || ".");
  if (name.endsWith(".npy")) return { kind: "npy", path };
  if (/\.meta(?:\.pbtxt)?$/.test(name)) return { kind: "meta-graph", path };
  if (name.endsWith(".json")) return { kind: "tfjs", path };
  if (eventName.test(name)) return { kind: "events", path };
  if (/\.tfrecords?$/.test(name)) return { kind: "records", path };
  if (name.endsWith(".pb")) return { kind: "graph", path };
  const source = await files.open(path);
  try {
    return { kind: await kindOfBytes(source), path };
  } finally {
    await source.close();
  }
}

async function kindOfBytes(source: ByteSource): Promise<FileKind> {
  const { name, size } = source;
  const head = await source.read(0, Math.min(size, 4096));
  if (size === 0) throw new DataLossError(`${name} is empty.`);
  if (decodeText(head.subarray(1, 6)) === "NUMPY") return "npy";
  if (isTableEnd(await source.read(Math.max(0, size - 8), Math.min(8, size)))) return "checkpoint";
  if (recordHeadFits(head)) return /brain\.Event:/.test(decodeText(head.subarray(0, 64))) ? "events" : "records";
  if ((head[0] === 0x1f && head[1] === 0x8b) || (head[0] === 0x78 && [0x01, 0x5e, 0x9c, 0xda].includes(head[1]))) return "records";
  const text = decodeText(head);
  if (/^\s*\{/.test(text)) return "tfjs";
  if (/^\s*(?:meta_info_def|graph_def)\b/m.test(text)) return "meta-graph";
  if (/^\s*(?:node|versions|library)\b/m.test(text)) return "graph";
  throw new InvalidArgumentError(`${name} is of no kind that is known; say which with --kind (${fileKinds.join(", ")}).`);
}
