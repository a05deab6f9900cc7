// What a file is to those who read and write some: bytes by range, folders by name, and paths as text. What is behind them differs by
// machine (platform/) or is given by the user (Blobs, bytes). Paths use "/"; both kinds of slash are read.

import { NotFoundError, OutOfRangeError } from "./errors.ts";

/** Bytes of known length, read by range. */
export interface ByteSource {
  /** For messages. */
  readonly name: string;
  readonly size: number;
  /** Exactly `length` bytes from `offset` on. @throws OutOfRangeError where the source ends before. */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** A file being written; what was written so far is there for readers after `flush`. */
export interface AppendFile {
  write(bytes: Uint8Array): Promise<void>;
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface FileStatus {
  readonly size: number;
  readonly modifiedMs: number;
  readonly isFolder: boolean;
}

/** Folders and files by path. */
export interface FileSystem {
  /** @throws NotFoundError */
  open(path: string): Promise<ByteSource>;
  /** Writes a whole file: to a temporary name, forced to the disk, then renamed, so that a reader finds the old file or the new one. */
  write(path: string, pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void>;
  /** Opens for writing at the end, making the file where there is none. */
  append(path: string): Promise<AppendFile>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file; nothing happens where there is none. */
  remove(path: string): Promise<void>;
  /** Removes a folder with all that is in it. */
  removeFolder(path: string): Promise<void>;
  /** Makes a folder and those above it. */
  makeFolder(path: string): Promise<void>;
  /** Names of what a folder holds, sorted; nothing where there is no folder. */
  list(path: string): Promise<readonly string[]>;
  status(path: string): Promise<FileStatus | null>;
}

// ---- paths ----

export const isAbsolutePath = (path: string): boolean => /^(?:[/\\]|[A-Za-z]:[/\\])/.test(path);

/** Everything before the last slash; "" where there is none. */
export function folderOf(path: string): string {
  const at = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  return at < 0 ? "" : at === 0 ? path.slice(0, 1) : path.slice(0, at);
}

export const fileNameOf = (path: string): string => path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);

export function joinPath(folder: string, name: string): string {
  if (folder === "" || isAbsolutePath(name)) return name;
  return /[/\\]$/.test(folder) ? folder + name : `${folder}/${name}`;
}

/** `a/./b/../c` → `a/c`. */
export function normalPath(path: string): string {
  const root = /^(?:[A-Za-z]:)?[/\\]/.exec(path)?.[0].replace("\\", "/") ?? "";
  const parts: string[] = [];
  for (const part of path.slice(root.length).split(/[/\\]+/)) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (root === "") parts.push(part);
  }
  return root + parts.join("/") || ".";
}

/** The path of `path` as seen from `folder`; both absolute, or both relative to the same place. */
export function relativePath(path: string, folder: string): string {
  const [to, from] = [path, folder].map(text =>
    normalPath(text)
      .split("/")
      .filter(part => part !== "."),
  );
  let common = 0;
  while (common < to.length && common < from.length && to[common] === from[common]) common++;
  return [...from.slice(common).map(() => ".."), ...to.slice(common)].join("/") || ".";
}

/** Does a name that came out of a file stay within the folder it is to be put in? */
export const staysInside = (name: string): boolean => {
  const normal = normalPath(name);
  return name !== "" && !isAbsolutePath(name) && normal !== ".." && !normal.startsWith("../") && !name.includes("\0");
};

// ---- sources and file systems made of what the user holds ----

/** The same bytes as a plain Uint8Array: `slice` of Node's Buffer copies nothing, so a Buffer must not get among what is kept. */
export const plainBytes = (bytes: Uint8Array): Uint8Array =>
  bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The bytes themselves. */
export function bytesSource(name: string, given: Uint8Array): ByteSource {
  const bytes = plainBytes(given);
  return {
    name,
    size: bytes.length,
    read: async (offset, length) => {
      checkRange(name, bytes.length, offset, length);
      return bytes.subarray(offset, offset + length);
    },
    close: async () => {},
  };
}

/** A Blob or File, of which only the ranges asked for are read. */
export function blobSource(name: string, blob: Blob): ByteSource {
  return {
    name,
    size: blob.size,
    read: async (offset, length) => {
      checkRange(name, blob.size, offset, length);
      return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
    },
    close: async () => {},
  };
}

/** A file's bytes by range, of the whole file by default. */
export const readWhole = async (source: ByteSource): Promise<Uint8Array> => source.read(0, source.size);

/** Opens, reads and closes. */
export async function readFile(files: FileSystem, path: string): Promise<Uint8Array> {
  const source = await files.open(path);
  try {
    return await readWhole(source);
  } finally {
    await source.close();
  }
}

/** @throws OutOfRangeError in TensorFlow's words if `size` bytes do not hold the range. */
export function checkRange(name: string, size: number, offset: number, length: number): void {
  if (offset >= 0 && length >= 0 && offset + length <= size) return;
  throw new OutOfRangeError(
    `Read less bytes than requested\n\n${name} has ${size} bytes; ${length} at offset ${offset} were asked for. The file is cut off.`,
  );
}

/** A file system in memory: of given files (bytes or Blobs), and of what is written to it. Relative and absolute paths are the same here. */
export class MemoryFiles implements FileSystem {
  private readonly held = new Map<string, { content: Uint8Array | Blob; modifiedMs: number }>();
  private readonly folders = new Set<string>();

  constructor(given: Readonly<Record<string, Uint8Array | Blob>> = {}) {
    for (const [path, content] of Object.entries(given)) this.put(path, content);
  }

  private put(path: string, content: Uint8Array | Blob): void {
    this.held.set(normalPath(path), { content, modifiedMs: Date.now() });
  }

  async open(path: string): Promise<ByteSource> {
    const found = this.held.get(normalPath(path));
    if (!found) throw new NotFoundError(`${path}; No such file or directory`);
    return found.content instanceof Uint8Array ? bytesSource(path, found.content) : blobSource(path, found.content);
  }

  async write(path: string, pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
    const list: Uint8Array[] = [];
    for await (const piece of pieces) list.push(piece);
    this.put(path, joinBytes(list));
  }

  async append(path: string): Promise<AppendFile> {
    const key = normalPath(path);
    const before = this.held.has(key) ? [await readWhole(await this.open(path))] : [];
    const flush = async (): Promise<void> => this.put(path, joinBytes(before));
    await flush();
    return { write: async bytes => void before.push(bytes.slice()), flush, close: flush };
  }

  async rename(from: string, to: string): Promise<void> {
    const found = this.held.get(normalPath(from));
    if (!found) throw new NotFoundError(`${from}; No such file or directory`);
    this.held.delete(normalPath(from));
    this.held.set(normalPath(to), found);
  }

  async remove(path: string): Promise<void> {
    this.held.delete(normalPath(path));
  }

  async removeFolder(path: string): Promise<void> {
    const inside = `${normalPath(path)}/`;
    for (const key of [...this.held.keys()]) if (key.startsWith(inside)) this.held.delete(key);
    for (const key of [...this.folders]) if (`${key}/`.startsWith(inside)) this.folders.delete(key);
  }

  async makeFolder(path: string): Promise<void> {
    for (let at = normalPath(path); at !== "" && at !== "." && at !== "/"; at = folderOf(at)) this.folders.add(at);
  }

  async list(path: string): Promise<readonly string[]> {
    const folder = normalPath(path);
    const inside = folder === "." ? "" : folder.endsWith("/") ? folder : `${folder}/`;
    const names = [...this.held.keys(), ...this.folders]
      .filter(key => key.startsWith(inside) && key.length > inside.length)
      .map(key => key.slice(inside.length).split("/")[0]);
    return [...new Set(names)].filter(name => name !== "").sort();
  }

  async status(path: string): Promise<FileStatus | null> {
    const key = normalPath(path);
    const found = this.held.get(key);
    if (found) {
      const size = found.content instanceof Uint8Array ? found.content.length : found.content.size;
      return { size, modifiedMs: found.modifiedMs, isFolder: false };
    }
    const isFolder = key === "." || this.folders.has(key) || [...this.held.keys()].some(other => other.startsWith(`${key}/`));
    return isFolder ? { size: 0, modifiedMs: 0, isFolder } : null;
  }
}

/** Pieces one after another. */
export function joinBytes(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0];
  const result = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    result.set(piece, at);
    at += piece.length;
  }
  return result;
}
