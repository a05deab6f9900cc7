// Checkpoints on disk as programs ask for them: which is the latest, what one holds, and variables that begin with a checkpoint's values.
// All file access is asynchronous, so these functions return promises where TensorFlow's return values.

import { files } from "#platform";
import { OpError, ValueError } from "../base/errors.ts";
import { type FileSystem, joinPath } from "../base/files.ts";
import { textOf } from "../base/python-text.ts";
import type { NDArray } from "../base/ndarray.ts";
import {
  CheckpointReader,
  hasCheckpoint,
  makeCheckpointState,
  readCheckpointState,
  removeCheckpointFiles,
  type UpdateCheckpointStateOptions,
  writeCheckpointState,
} from "../formats/checkpoint.ts";
import { messageClass, type MessageObject } from "../formats/message-class.ts";
import { type ByName, byName, refuseOthers } from "../ops/arguments.ts";

const CheckpointStateProto = messageClass("CheckpointState");

/** What the file `checkpoint` of a folder says, paths as seen from here; null without one. A damaged file counts as none, with a warning.
 *  TF: tf.train.get_checkpoint_state. */
export async function getCheckpointState(
  checkpointDir: string,
  latestFilename: ByName<"latestFilename", string | null> = null,
): Promise<MessageObject<"CheckpointState"> | null> {
  const filename = byName("latestFilename", latestFilename) ?? null;
  try {
    const state = await readCheckpointState(files, checkpointDir, filename);
    return state && CheckpointStateProto.of(state);
  } catch (error) {
    if (!(error instanceof OpError)) throw error;
    console.warn(`${error.name}: ${error.message}\n${joinPath(checkpointDir, filename ?? "checkpoint")}: Checkpoint ignored`);
    return null;
  }
}

/** The path of the latest checkpoint in a folder, or null. TF: tf.train.latest_checkpoint. */
export async function latestCheckpoint(
  checkpointDir: string,
  latestFilename: ByName<"latestFilename", string | null> = null,
): Promise<string | null> {
  const path = (await getCheckpointState(checkpointDir, latestFilename))?.modelCheckpointPath;
  if (path === undefined) return null;
  if (await hasCheckpoint(files, path)) return path;
  console.warn(`Couldn't match files for checkpoint ${path}`);
  return null;
}

/** Writes the file `checkpoint` of a folder. TF: tf.train.update_checkpoint_state. */
export async function updateCheckpointState(
  saveDir: string,
  modelCheckpointPath: string,
  options: UpdateCheckpointStateOptions = {},
): Promise<void> {
  await writeCheckpointState(files, saveDir, modelCheckpointPath, options);
}

/** The state that `updateCheckpointState` writes. TF: tf.train.generate_checkpoint_state_proto. */
export const generateCheckpointStateProto = (
  saveDir: string,
  modelCheckpointPath: string,
  options: UpdateCheckpointStateOptions = {},
): MessageObject<"CheckpointState"> => CheckpointStateProto.of(makeCheckpointState(saveDir, modelCheckpointPath, options));

interface CheckpointsIteratorOptions {
  /** So many seconds lie between two checkpoints at least. */
  readonly minIntervalSecs?: number;
  /** So many seconds are waited for the next one; null: for ever. */
  readonly timeout?: number | null;
  /** Asked after each timeout whether that was all; without it, it was. */
  readonly timeoutFn?: (() => boolean) | null;
}

const pause = (seconds: number): Promise<void> => new Promise(resolve => void setTimeout(resolve, 1000 * seconds));
const now = (): number => Date.now() / 1000;
/** The folder is looked at so often. */
const secondsBetweenLooks = 1;

/** The latest checkpoint of a folder, then each that becomes the latest while somebody else trains: `for await (const path of …)`.
 *  TF: tf.train.checkpoints_iterator. */
export async function* checkpointsIterator(checkpointDir: string, options: CheckpointsIteratorOptions = {}): AsyncGenerator<string, void> {
  const { minIntervalSecs = 0, timeout = null, timeoutFn = null, ...others } = options;
  refuseOthers(others);
  let last: string | null = null;
  for (;;) {
    const path = await nextCheckpoint(checkpointDir, last, timeout);
    if (path === null) {
      if (!timeoutFn || timeoutFn()) return;
      continue;
    }
    last = path;
    const next = now() + minIntervalSecs;
    yield path;
    if (next > now()) await pause(next - now());
  }
}

async function nextCheckpoint(folder: string, last: string | null, timeout: number | null): Promise<string | null> {
  const end = timeout === null ? Number.POSITIVE_INFINITY : now() + timeout;
  for (;;) {
    const path = await latestCheckpoint(folder);
    if (path !== null && path !== last) return path;
    if (now() + secondsBetweenLooks > end) return null;
    await pause(secondsBetweenLooks);
  }
}

/** Is there a checkpoint of this path? TF: tf.train.checkpoint_exists. */
export const checkpointExists = (checkpointPrefix: string): Promise<boolean> => hasCheckpoint(files, checkpointPrefix);

/** Removes a checkpoint's files. TF: tf.train.remove_checkpoint. */
export const removeCheckpoint = (
  checkpointPrefix: string,
  { checkpointFormatVersion = 2, metaGraphSuffix = "meta" }: { checkpointFormatVersion?: number; metaGraphSuffix?: string } = {},
): Promise<void> => removeCheckpointFiles(files, checkpointPrefix, metaGraphSuffix, checkpointFormatVersion);

/** When checkpoints were written, in seconds; those that are missing are left out. */
export async function modificationTimes(prefixes: readonly string[], on: FileSystem = files): Promise<number[]> {
  const times: number[] = [];
  for (const prefix of prefixes) {
    const status = (await on.status(`${prefix}.index`)) ?? (await on.status(prefix));
    if (status && !status.isFolder) times.push(status.modifiedMs / 1000);
  }
  return times;
}

/** TF: tf.train.get_checkpoint_mtimes. */
export const getCheckpointMtimes = (checkpointPrefixes: readonly string[]): Promise<number[]> => modificationTimes(checkpointPrefixes);

// ---- reading ----

/** Opens a checkpoint for reading single tensors. TF: tf.train.NewCheckpointReader. @throws NotFoundError, DataLossError */
export const NewCheckpointReader = (filepattern: string): Promise<CheckpointReader> => CheckpointReader.open(files, filepattern);

/** The checkpoint of that path, or the latest in that folder. @throws ValueError if a folder has none. */
export async function checkpointPath(ckptDirOrFile: string): Promise<string> {
  if (textOf(ckptDirOrFile) === "" || !(await files.status(ckptDirOrFile))?.isFolder) return ckptDirOrFile;
  const latest = await latestCheckpoint(ckptDirOrFile);
  if (latest === null) throw new ValueError(`Couldn't find 'checkpoint' file or checkpoints in given directory ${ckptDirOrFile}`);
  return latest;
}

/** A reader of a checkpoint, or of the latest in a folder. TF: tf.train.load_checkpoint. */
export const loadCheckpoint = async (ckptDirOrFile: string): Promise<CheckpointReader> =>
  NewCheckpointReader(await checkpointPath(ckptDirOrFile));

async function reading<T>(ckptDirOrFile: string, read: (reader: CheckpointReader) => T | Promise<T>): Promise<T> {
  const reader = await loadCheckpoint(ckptDirOrFile);
  try {
    return await read(reader);
  } finally {
    await reader.close();
  }
}

/** One variable's value. TF: tf.train.load_variable. */
export const loadVariable = (ckptDirOrFile: string, name: string): Promise<NDArray> =>
  reading(ckptDirOrFile, reader => reader.getTensor(name.replace(/:0$/, "")));

/** Names and shapes, by name. TF: tf.train.list_variables. */
export const listVariables = (ckptDirOrFile: string): Promise<[string, readonly number[]][]> =>
  reading(ckptDirOrFile, reader => [...reader.getVariableToShapeMap()].sort(([a], [b]) => (a < b ? -1 : 1)));
