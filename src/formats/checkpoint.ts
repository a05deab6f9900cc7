// Checkpoints of either version behind one reader, and the `checkpoint` file that says which of a folder is the latest.

import type { DType } from "../base/dtype.ts";
import { DataLossError, NotFoundError, ValueError } from "../base/errors.ts";
import { textOf } from "../base/python-text.ts";
import { type FileSystem, isAbsolutePath, joinPath, readFile, relativePath } from "../base/files.ts";
import { encodeText, type NDArray } from "../base/ndarray.ts";
import { BundleReader, dataFiles, type TensorEntry } from "./bundle.ts";
import { CheckpointV1Reader } from "./checkpoint-v1.ts";
import type { MessageInit } from "./messages.ts";
import { messageFromText, messageToText } from "./text-format.ts";

/** The checkpoint of a prefix: of version 2 if there is `prefix.index`, else the file itself as version 1. @throws NotFoundError, DataLossError */
export async function openCheckpoint(files: FileSystem, prefix: string): Promise<BundleReader | CheckpointV1Reader> {
  const own = prefix !== "" && (await files.status(`${prefix}.index`)) === null ? await files.status(prefix) : null;
  if (own === null) return BundleReader.open(files, prefix);
  if (own.isFolder) throw notOpened(prefix, `FAILED_PRECONDITION: ${prefix}; Is a directory`);
  try {
    return await CheckpointV1Reader.open(files, prefix);
  } catch (error) {
    if (!(error instanceof DataLossError)) throw error;
    const [words, hint] = error.message.split("\n\n");
    throw /sstable/.test(words) ? notOpened(prefix, `DATA_LOSS: ${words}`, hint) : error;
  }
}

const notOpened = (
  path: string,
  reason: string,
  hint = "A checkpoint is named by its prefix: `model-7` of `model-7.index`.",
): DataLossError =>
  new DataLossError(
    `Unable to open table file ${path}: ${reason}: perhaps your file is in a different file format and you need to use a different restore operator?\n\n${hint}`,
  );

/** Reads tensors of a checkpoint by name, each by its byte range. TF: tf.train.NewCheckpointReader. */
export class CheckpointReader {
  private readonly reader: BundleReader | CheckpointV1Reader;
  private readonly entries: ReadonlyMap<string, TensorEntry>;

  private constructor(reader: BundleReader | CheckpointV1Reader, entries: ReadonlyMap<string, TensorEntry>) {
    this.reader = reader;
    this.entries = entries;
  }

  /** Opens a checkpoint of either version and lists it. @throws NotFoundError, DataLossError */
  static async open(files: FileSystem, prefix: string): Promise<CheckpointReader> {
    const reader = await openCheckpoint(files, prefix);
    try {
      return new CheckpointReader(reader, await reader.tensors());
    } catch (error) {
      await reader.close();
      throw error;
    }
  }

  hasTensor(name: string): boolean {
    return this.entries.has(textOf(name));
  }

  /** Names and shapes. */
  getVariableToShapeMap(): Map<string, readonly number[]> {
    return new Map([...this.entries].map(([name, { shape }]) => [name, shape]));
  }

  getVariableToDtypeMap(): Map<string, DType> {
    return new Map([...this.entries].map(([name, { dtype }]) => [name, dtype]));
  }

  /** The whole tensor, or the part that a specification such as `10 4 4,3:0,4` names. @throws NotFoundError, DataLossError */
  getTensor(name: string, shapeAndSlice = ""): Promise<NDArray> {
    return this.reader.read(textOf(name), shapeAndSlice);
  }

  /** One line a tensor: name, type, shape. */
  debugString(): string {
    return [...this.entries].map(([name, { dtype, shape }]) => `${name} (DT_${dtype.toUpperCase()}) [${shape.join(",")}]`).join("\n");
  }

  close(): Promise<void> {
    return this.reader.close();
  }
}

/** Is there a checkpoint of this prefix, of either version? */
export async function hasCheckpoint(files: FileSystem, prefix: string): Promise<boolean> {
  return (await files.status(`${prefix}.index`)) !== null || (prefix !== "" && (await files.status(prefix)) !== null);
}

/** Removes the files of a checkpoint. */
export async function removeCheckpointFiles(files: FileSystem, prefix: string, metaGraphSuffix = "meta", version = 2): Promise<void> {
  await files.remove(metaGraphName(prefix, metaGraphSuffix));
  if (version === 1) return files.remove(prefix);
  // The index first: without it there is no checkpoint, with it all of it should be there.
  await files.remove(`${prefix}.index`);
  for (const { path } of await dataFiles(files, prefix)) await files.remove(path);
}

/** `model-7` → `model-7.meta`. */
export const metaGraphName = (prefix: string, suffix = "meta"): string => `${prefix.replace(/-[\d?]+-of-\d+$/, "")}.${suffix}`;

// ---- the state file ----

/** What the file `checkpoint` says. */
export interface CheckpointState {
  readonly modelCheckpointPath: string;
  /** Oldest first. */
  readonly allModelCheckpointPaths: readonly string[];
  readonly allModelCheckpointTimestamps: readonly number[];
  readonly lastPreservedTimestamp: number;
}

/** The state as text. */
export const checkpointStateToText = (state: CheckpointState): string =>
  messageToText("CheckpointState", state as MessageInit<"CheckpointState">);

/** @throws DataLossError naming file, line and column. */
export function checkpointStateFromText(text: string | Uint8Array, name = "checkpoint"): CheckpointState {
  try {
    return messageFromText("CheckpointState", text);
  } catch (error) {
    throw error instanceof DataLossError ? new DataLossError(`${name}: ${error.message}`) : error;
  }
}

const stateName = (folder: string, latestFilename: string | null | undefined): string => joinPath(folder, latestFilename ?? "checkpoint");

export interface UpdateCheckpointStateOptions {
  readonly allModelCheckpointPaths?: readonly string[] | null;
  readonly latestFilename?: string | null;
  readonly allModelCheckpointTimestamps?: readonly number[] | null;
  readonly lastPreservedTimestamp?: number | null;
  /** Write absolute paths relative to the folder, so that the folder can be moved. */
  readonly saveRelativePaths?: boolean;
}

/** Writes the file `checkpoint` of a folder, all or nothing. @throws RuntimeError if it would overwrite the checkpoint. */
export async function writeCheckpointState(
  files: FileSystem,
  saveDir: string,
  modelCheckpointPath: string,
  options: UpdateCheckpointStateOptions = {},
): Promise<CheckpointState> {
  const state = makeCheckpointState(saveDir, modelCheckpointPath, options);
  await files.write(stateName(saveDir, options.latestFilename), [encodeText(checkpointStateToText(state))]);
  return state;
}

/** The state that a folder's file would hold: the latest path is listed last, paths are relative where the folder is. @throws ValueError */
export function makeCheckpointState(
  saveDir: string,
  modelCheckpointPath: string,
  options: UpdateCheckpointStateOptions = {},
): CheckpointState {
  const relative = (path: string): string =>
    (options.saveRelativePaths && isAbsolutePath(path)) || (!isAbsolutePath(saveDir) && !isAbsolutePath(path))
      ? relativePath(path, saveDir)
      : path;
  const given = options.allModelCheckpointPaths ?? [];
  const all = given.at(-1) === modelCheckpointPath ? given : [...given, modelCheckpointPath];
  const times = options.allModelCheckpointTimestamps ?? [];
  if (times.length > 0 && times.length !== all.length)
    throw new ValueError(`Checkpoint timestamps, if provided, must match checkpoint paths (got paths ${all} and timestamps ${times})`);
  return {
    modelCheckpointPath: relative(modelCheckpointPath),
    allModelCheckpointPaths: all.map(relative),
    allModelCheckpointTimestamps: times,
    lastPreservedTimestamp: options.lastPreservedTimestamp ?? 0,
  };
}

/** The state with paths as seen from here, or null if there is none. @throws DataLossError if the file is damaged. */
export async function readCheckpointState(
  files: FileSystem,
  folder: string,
  latestFilename?: string | null,
): Promise<CheckpointState | null> {
  const path = stateName(folder, latestFilename);
  let bytes: Uint8Array;
  try {
    bytes = await readFile(files, path);
  } catch (error) {
    if (error instanceof NotFoundError) return null;
    throw error;
  }
  const state = checkpointStateFromText(bytes, path);
  if (state.modelCheckpointPath === "") throw new ValueError(`Invalid checkpoint state loaded from ${folder}`);
  return {
    ...state,
    modelCheckpointPath: joinPath(folder, state.modelCheckpointPath),
    allModelCheckpointPaths: state.allModelCheckpointPaths.map(other => joinPath(folder, other)),
  };
}
