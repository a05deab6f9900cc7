// Files in browsers: the origin's private file system. A file is written whole to a hidden copy that replaces it when it is closed, which is
// the browser's own promise of all or nothing. Paths start at the origin's root, with or without "/".

import {
  FailedPreconditionError,
  NotFoundError,
  OpError,
  PermissionDeniedError,
  UnimplementedError,
  UnknownError,
  ResourceExhaustedError,
} from "../base/errors.ts";
import {
  type AppendFile,
  blobSource,
  type FileStatus,
  type FileSystem,
  fileNameOf,
  folderOf,
  joinBytes,
  normalPath,
} from "../base/files.ts";

function translated(error: unknown, path: string): Error {
  if (error instanceof OpError || !(error instanceof Error)) return error as Error;
  if (error.name === "NotFoundError") return new NotFoundError(`${path}; No such file or directory`);
  if (error.name === "TypeMismatchError")
    return new FailedPreconditionError(`${path}; It is a folder where a file is wanted, or the other way round`);
  if (error.name === "NotAllowedError" || error.name === "SecurityError") return new PermissionDeniedError(`${path}; Permission denied`);
  if (error.name === "QuotaExceededError") return new ResourceExhaustedError(`${path}; ${error.message}`);
  return new UnknownError(`${path}; ${error.message}`);
}

async function attempt<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translated(error, path);
  }
}

async function folderAt(path: string, create = false): Promise<FileSystemDirectoryHandle> {
  if (typeof navigator === "undefined" || !navigator.storage?.getDirectory)
    throw new UnimplementedError(
      "This browser gives pages no file system.\n\nThe origin's private file system needs a secure page (https or localhost).",
    );
  let folder = await navigator.storage.getDirectory();
  for (const part of partsOf(path)) folder = await folder.getDirectoryHandle(part, { create });
  return folder;
}

function partsOf(path: string): string[] {
  const parts = normalPath(path)
    .split("/")
    .filter(part => part !== "" && part !== ".");
  if (parts.includes("..")) throw new PermissionDeniedError(`${path}; There is nothing above the root`);
  return parts;
}

const fileAt = async (path: string, create = false): Promise<FileSystemFileHandle> =>
  (await folderAt(folderOf(normalPath(path)))).getFileHandle(fileNameOf(normalPath(path)), { create });

/** Bytes as the file system takes them: not of shared memory. */
const ownBytes = (bytes: Uint8Array): Uint8Array<ArrayBuffer> =>
  bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes);

async function writeFile(path: string, pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
  const writable = await (await fileAt(path, true)).createWritable();
  try {
    for await (const piece of pieces) await writable.write(ownBytes(piece));
  } catch (error) {
    await writable.abort();
    throw error;
  }
  await writable.close();
}

export const files: FileSystem = {
  open: path => attempt(path, async () => blobSource(path, await (await fileAt(path)).getFile())),
  write: (path, pieces) => attempt(path, () => writeFile(path, pieces)),

  append: path =>
    attempt(path, async (): Promise<AppendFile> => {
      const handle = await fileAt(path, true);
      const waiting: Uint8Array[] = [];
      const flush = async (): Promise<void> => {
        if (waiting.length === 0) return;
        const writable = await handle.createWritable({ keepExistingData: true });
        await writable.write({ type: "write", position: (await handle.getFile()).size, data: ownBytes(joinBytes(waiting.splice(0))) });
        await writable.close();
      };
      return {
        write: async bytes => void waiting.push(bytes.slice()),
        flush: () => attempt(path, flush),
        close: () => attempt(path, flush),
      };
    }),

  rename: (from, to) =>
    attempt(from, async () => {
      const file = await (await fileAt(from)).getFile();
      await writeFile(to, streamOf(file));
      await files.remove(from);
    }),

  remove: path => removeEntry(path, false),
  removeFolder: path => removeEntry(path, true),
  makeFolder: path => attempt(path, async () => void (await folderAt(path, true))),

  list: path =>
    attempt(path, async () => {
      try {
        const names: string[] = [];
        for await (const name of (await folderAt(path)).keys()) names.push(name);
        return names.sort();
      } catch (error) {
        if (translated(error, path) instanceof NotFoundError) return [];
        throw error;
      }
    }),

  status: path =>
    attempt(path, async (): Promise<FileStatus | null> => {
      try {
        const file = await (await fileAt(path)).getFile();
        return { size: file.size, modifiedMs: file.lastModified, isFolder: false };
      } catch {
        const folder = await folderAt(path).catch(() => null);
        return folder && { size: 0, modifiedMs: 0, isFolder: true };
      }
    }),
};

const removeEntry = (path: string, recursive: boolean): Promise<void> =>
  attempt(path, async () => {
    try {
      await (await folderAt(folderOf(normalPath(path)))).removeEntry(fileNameOf(normalPath(path)), { recursive });
    } catch (error) {
      if (!(translated(error, path) instanceof NotFoundError)) throw error;
    }
  });

async function* streamOf(blob: Blob): AsyncGenerator<Uint8Array> {
  const step = 1 << 24;
  for (let at = 0; at < blob.size; at += step) yield new Uint8Array(await blob.slice(at, at + step).arrayBuffer());
}

/** @throws UnimplementedError: a page writes files only while it waits. */
export function appendText(path: string, _text: string): void {
  throw new UnimplementedError(`${path}; A run cannot write to files in a browser.\n\nPrint to stdout or stderr: both are the console.`);
}

/** @throws UnimplementedError: a page reads files only while it waits. */
export function readNow(path: string): Uint8Array {
  throw new UnimplementedError(
    `${path}; A browser reads no file while a graph is built.\n\nSay what the file would tell, such as vocabularySize.`,
  );
}

/** A page has no machine's name. */
export const hostname = (): string => "browser";

const pageNumber = Math.floor(Math.random() * 2 ** 31);
/** Pages have no numbers: one drawn by lot keeps files of several apart. */
export const processId = (): number => pageNumber;

export type Compression = "gzip" | "zlib";
const streamNames = { gzip: "gzip", zlib: "deflate" } as const;

async function through(bytes: Uint8Array, stream: GenericTransformStream, mostBytes: number): Promise<Uint8Array> {
  const reader = new Blob([ownBytes(bytes)])
    .stream()
    .pipeThrough(stream as ReadableWritablePair<Uint8Array, Uint8Array<ArrayBuffer>>)
    .getReader();
  const pieces: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return joinBytes(pieces.length === 0 ? [new Uint8Array(0)] : pieces);
    total += value.length;
    if (total > mostBytes) {
      await reader.cancel();
      throw new RangeError(`more than ${mostBytes} bytes come out`);
    }
    pieces.push(value);
  }
}

export const compress = (bytes: Uint8Array, kind: Compression): Promise<Uint8Array> =>
  through(bytes, new CompressionStream(streamNames[kind]), Number.POSITIVE_INFINITY);

export const decompress = (bytes: Uint8Array, kind: Compression, mostBytes: number): Promise<Uint8Array> =>
  through(bytes, new DecompressionStream(streamNames[kind]), mostBytes);
