// Files in Node. Writing is to a temporary name beside the file, forced to the disk, then renamed.

import { pythonStr } from "../base/python-text.ts";
import { appendFileSync, readFileSync, close as closeDescriptor, open as openDescriptor, read as readInto } from "node:fs";
import * as fs from "node:fs/promises";
import { hostname as machineName } from "node:os";
import { promisify } from "node:util";
import * as zlib from "node:zlib";
import {
  NotFoundError,
  OpError,
  PermissionDeniedError,
  FailedPreconditionError,
  ResourceExhaustedError,
  UnknownError,
} from "../base/errors.ts";
import { type AppendFile, type ByteSource, checkRange, type FileSystem, folderOf } from "../base/files.ts";

/** The errors of the operating system in TensorFlow's classes. */
function translated(error: unknown, path: string): Error {
  if (error instanceof OpError || !(error instanceof Error) || !("code" in error)) return error as Error;
  const { code } = error;
  if (code === "ERR_INVALID_ARG_TYPE") return new TypeError(`Expected binary or unicode string, got ${pythonStr(path)}`);
  const said = (words: string): string => `${path}; ${words}`;
  if (code === "ENOENT") return new NotFoundError(said("No such file or directory"));
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") return new PermissionDeniedError(said("Permission denied"));
  if (code === "EISDIR") return new FailedPreconditionError(said("Is a directory"));
  if (code === "ENOTDIR") return new FailedPreconditionError(said("Not a directory"));
  if (code === "ENOTEMPTY") return new FailedPreconditionError(said("Directory not empty"));
  if (code === "ENOSPC" || code === "EMFILE") return new ResourceExhaustedError(said(error.message));
  return new UnknownError(said(error.message));
}

async function attempt<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translated(error, path);
  }
}

/** One read of the system takes at most this much. */
const mostRead = 1 << 30;

/** Closes what nobody can read from any more. */
const forgotten = new FinalizationRegistry((descriptor: number) => closeDescriptor(descriptor, () => undefined));

class NodeSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  private readonly descriptor: number;
  private isOpen = true;
  constructor(name: string, size: number, descriptor: number) {
    this.name = name;
    this.size = size;
    this.descriptor = descriptor;
    forgotten.register(this, descriptor, this);
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    if (!this.isOpen) throw new FailedPreconditionError(`${this.name} was closed.`);
    checkRange(this.name, this.size, offset, length);
    // A buffer of its own, so that its elements lie aligned.
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const bytesRead = await attempt(this.name, () =>
        readDescriptor(this.descriptor, bytes, done, Math.min(length - done, mostRead), offset + done),
      );
      // The file was cut while it was read.
      if (bytesRead === 0) checkRange(this.name, offset + done, offset, length);
      done += bytesRead;
    }
    return bytes;
  }

  async close(): Promise<void> {
    if (!this.isOpen) return;
    this.isOpen = false;
    forgotten.unregister(this);
    closeDescriptor(this.descriptor, () => undefined);
  }
}

const readDescriptor = (descriptor: number, into: Uint8Array, at: number, length: number, position: number): Promise<number> =>
  new Promise((resolve, reject) =>
    readInto(descriptor, into, at, length, position, (error, bytesRead) => (error ? reject(error) : resolve(bytesRead))),
  );

async function writeAll(handle: fs.FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, Math.min(bytes.length - done, mostRead));
    done += bytesWritten;
  }
}

async function syncFolder(path: string): Promise<void> {
  // Not every system lets folders be forced to the disk; the rename itself has happened.
  const handle = await fs.open(folderOf(path) || ".").catch(() => null);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

const openDescriptorAt = promisify(openDescriptor) as (path: string, flags: string) => Promise<number>;

let temporaries = 0;
const leftover = /\.tempstate-(.+)-(\d+)-\d+$/;
const tidied = new Map<string, Promise<void>>();

/** Before the first file is written into a folder, what processes of this machine left there when they were killed is removed. */
function tidy(folder: string): Promise<void> {
  const known = tidied.get(folder) ?? removeLeftovers(folder);
  tidied.set(folder, known);
  return known;
}

async function removeLeftovers(folder: string): Promise<void> {
  const names = await fs.readdir(folder || ".").catch((): string[] => []);
  for (const name of names) {
    const [, host, pid] = leftover.exec(name) ?? [];
    if (host !== machineName()) continue;
    const path = folder === "" ? name : `${folder}/${name}`;
    if (await isStale(path, Number(pid))) await fs.rm(path, { force: true }).catch(() => undefined);
  }
}

/** Numbers of processes are given again: what has this one's number and is older is another's. */
async function isStale(path: string, pid: number): Promise<boolean> {
  if (pid === process.pid) return ((await fs.stat(path).catch(() => null))?.mtimeMs ?? Date.now()) < Date.now() - 1000 * process.uptime();
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

export const files: FileSystem = {
  open: path =>
    attempt(path, async () => {
      const status = await fs.stat(path);
      if (status.isDirectory()) throw new FailedPreconditionError(`${path}; Is a directory`);
      return new NodeSource(path, status.size, await openDescriptorAt(path, "r"));
    }),

  write: (path, pieces) =>
    attempt(path, async () => {
      await tidy(folderOf(path));
      const temporary = `${path}.tempstate-${machineName()}-${process.pid}-${temporaries++}`;
      const handle = await fs.open(temporary, "w");
      try {
        for await (const piece of pieces) await writeAll(handle, piece);
        await handle.sync();
        await handle.close();
        await fs.rename(temporary, path);
      } catch (error) {
        await handle.close().catch(() => undefined);
        await fs.rm(temporary, { force: true });
        throw error;
      }
      await syncFolder(path);
    }),

  append: path =>
    attempt(path, async (): Promise<AppendFile> => {
      const handle = await fs.open(path, "a");
      return {
        write: bytes => attempt(path, () => writeAll(handle, bytes)),
        flush: () => attempt(path, () => handle.datasync()),
        close: () => handle.close(),
      };
    }),

  rename: (from, to) => attempt(from, () => fs.rename(from, to)),
  remove: path => attempt(path, () => fs.rm(path, { force: true })),
  removeFolder: path => attempt(path, () => fs.rm(path, { force: true, recursive: true })),
  makeFolder: path => attempt(path, async () => void (await fs.mkdir(path || ".", { recursive: true }))),

  list: path =>
    attempt(path, async () => {
      try {
        return (await fs.readdir(path || ".")).sort();
      } catch (error) {
        if (translated(error, path) instanceof NotFoundError) return [];
        throw error;
      }
    }),

  status: path =>
    attempt(path, async () => {
      try {
        const status = await fs.stat(path || ".");
        return { size: status.size, modifiedMs: status.mtimeMs, isFolder: status.isDirectory() };
      } catch (error) {
        if (translated(error, path) instanceof NotFoundError) return null;
        throw error;
      }
    }),
};

/** Adds to a file at once, making it where there is none: for what is written inside a run. */
export function appendText(path: string, text: string): void {
  try {
    appendFileSync(path, text);
  } catch (error) {
    throw translated(error, path);
  }
}

/** The bytes of a file at once: for what a graph is built of. */
export function readNow(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw translated(error, path);
  }
}

/** The name of this machine, as files are named after it. */
export const hostname = (): string => machineName();

/** The number of this process, as files are named after it. */
export const processId = (): number => process.pid;

const compressors = { gzip: promisify(zlib.gzip), zlib: promisify(zlib.deflate) } as const;
const decompressors = { gzip: promisify(zlib.gunzip), zlib: promisify(zlib.inflate) } as const;
export type Compression = keyof typeof compressors;

const withoutBuffer = ({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array => new Uint8Array(buffer, byteOffset, byteLength);

export const compress = async (bytes: Uint8Array, kind: Compression): Promise<Uint8Array> => withoutBuffer(await compressors[kind](bytes));

/** All members of the stream. Rejects with the system's words if it is damaged, or longer than `mostBytes`. */
export const decompress = async (bytes: Uint8Array, kind: Compression, mostBytes: number): Promise<Uint8Array> =>
  withoutBuffer(await decompressors[kind](bytes, { maxOutputLength: Math.min(mostBytes, 2 ** 32 - 1) }));
