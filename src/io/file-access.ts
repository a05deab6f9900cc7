// tf.io.gfile and tf.gfile: files and folders by path, on whatever the platform has. All of it takes its time, so all of it gives promises.

import { files } from "#platform";
import { AlreadyExistsError, FailedPreconditionError, NotFoundError, OutOfRangeError, PermissionDeniedError } from "../base/errors.ts";
import { type AppendFile, folderOf, joinPath, normalPath } from "../base/files.ts";
import { decodeText, encodeText } from "../base/ndarray.ts";
import { withoutReturns } from "../formats/lines.ts";
import { collect } from "../ops/arguments.ts";
import { matchingPaths } from "../ops/string/bytes.ts";

const missing = (path: string): NotFoundError => new NotFoundError(`${path}; No such file or directory`);
const statusOf = async (path: string) => {
  const found = await files.status(path);
  if (found === null) throw missing(path);
  return found;
};

/** Is there a file or a folder? TF: tf.io.gfile.exists. */
export const exists = async (path: string): Promise<boolean> => (await files.status(path)) !== null;
/** Is there a folder? TF: tf.io.gfile.isdir. */
export const isdir = async (path: string): Promise<boolean> => (await files.status(path))?.isFolder ?? false;

/** What a folder holds, by name. TF: tf.io.gfile.listdir. @throws NotFoundError if it is no folder. */
export async function listdir(path: string): Promise<string[]> {
  if (!(await isdir(path))) throw new NotFoundError(`Could not find directory ${path}`);
  return [...(await files.list(path))];
}

/** Makes a folder and those above it; it may be there. TF: tf.io.gfile.makedirs. */
export const makedirs = (path: string): Promise<void> => files.makeFolder(path);

/** Makes a folder in one that is there. TF: tf.io.gfile.mkdir. @throws AlreadyExistsError, NotFoundError. */
export async function mkdir(path: string): Promise<void> {
  if (await exists(path)) throw new AlreadyExistsError(`${path}; File exists`);
  const parent = folderOf(path);
  if (parent !== "" && !(await isdir(parent))) throw missing(path);
  await files.makeFolder(path);
}

/** Removes a file. TF: tf.io.gfile.remove. @throws NotFoundError, FailedPreconditionError for a folder. */
export async function remove(path: string): Promise<void> {
  if ((await statusOf(path)).isFolder) throw new FailedPreconditionError(`${path}; Is a directory`);
  await files.remove(path);
}

/** Removes a folder with all that is in it. TF: tf.io.gfile.rmtree. @throws NotFoundError. */
export async function rmtree(path: string): Promise<void> {
  await statusOf(path);
  await files.removeFolder(path);
}

async function makeWay(dst: string, overwrite: boolean): Promise<void> {
  if (!overwrite && (await exists(dst))) throw new AlreadyExistsError("file already exists");
}

/** Copies a file. TF: tf.io.gfile.copy. @throws NotFoundError; AlreadyExistsError unless `overwrite`. */
export async function copy(src: string, dst: string, { overwrite = false }: { readonly overwrite?: boolean } = {}): Promise<void> {
  await makeWay(dst, overwrite);
  await files.write(dst, [await readAll(src)]);
}

/** Renames a file or a folder. TF: tf.io.gfile.rename. @throws NotFoundError; AlreadyExistsError unless `overwrite`. */
export async function rename(src: string, dst: string, { overwrite = false }: { readonly overwrite?: boolean } = {}): Promise<void> {
  await statusOf(src);
  await makeWay(dst, overwrite);
  await files.rename(src, dst);
}

/** What is known of a file: its length in bytes, when it was changed, whether it is a folder. TF: tf.io.gfile.stat. @throws NotFoundError. */
export async function stat(path: string): Promise<{ length: number; mtimeNsec: number; isDirectory: boolean }> {
  const { size, modifiedMs, isFolder } = await statusOf(path);
  return { length: size, mtimeNsec: modifiedMs * 1e6, isDirectory: isFolder };
}

/** Paths that match a pattern or one of several: * ? [a-z], sorted. TF: tf.io.gfile.glob. */
export async function glob(pattern: string | readonly string[]): Promise<string[]> {
  const lists = await Promise.all((typeof pattern === "string" ? [pattern] : pattern).map(each => matchingPaths(each)));
  return lists.flat();
}

/** A path of parts; an absolute part begins anew. TF: tf.io.gfile.join. */
export const join = (path: string, ...paths: readonly string[]): string => paths.reduce(joinPath, path);

/** File systems that can be named: those of the machine. TF: tf.io.gfile.get_registered_schemes. */
export const getRegisteredSchemes = (): string[] => ["", "file"];

type Step = [folder: string, folders: string[], files: string[]];

/** Every folder below one, with the names of its folders and files; parents first, or last if not `topdown`. TF: tf.io.gfile.walk. */
export async function* walk(top: string, { topdown = true }: { readonly topdown?: boolean } = {}): AsyncGenerator<Step> {
  if (!(await isdir(top))) return;
  const names = await files.list(top);
  const isFolder = await Promise.all(names.map(name => isdir(joinPath(top, name))));
  const step: Step = [top, names.filter((_, i) => isFolder[i]), names.filter((_, i) => !isFolder[i])];
  if (topdown) yield step;
  for (const name of step[1]) yield* walk(joinPath(top, name), { topdown });
  if (!topdown) yield step;
}

async function readAll(path: string): Promise<Uint8Array> {
  if ((await statusOf(path)).isFolder) throw new FailedPreconditionError(`${path}; Is a directory`);
  const source = await files.open(path);
  try {
    return await source.read(0, source.size);
  } finally {
    await source.close();
  }
}

/** A file, read or written as Python does: mode "r", "w" or "a", with "b" for bytes. What is written is there after `flush` or `close`.
 *  TF: tf.io.gfile.GFile. @throws PermissionDeniedError for reading one opened to write and the other way round. */
export class GFile {
  readonly name: string;
  readonly mode: string;
  private bytes: Uint8Array | undefined;
  private place = 0;
  private isClosed = false;
  private file: AppendFile | undefined;

  constructor(name: string, ...rest: readonly (string | { readonly mode?: string })[]) {
    const { mode = "r" } = collect<{ mode: string }>(["mode"], rest);
    if (!/^[rwa]b?\+?$/.test(mode)) throw new FailedPreconditionError(`Unsupported mode: ${mode}`);
    this.name = normalPath(name);
    this.mode = mode;
  }

  private async content(): Promise<Uint8Array> {
    if (!/[r+]/.test(this.mode)) throw new PermissionDeniedError("File isn't open for reading");
    this.bytes ??= await readAll(this.name);
    return this.bytes;
  }

  private shown(bytes: Uint8Array): string | Uint8Array {
    return this.mode.includes("b") ? bytes : decodeText(bytes);
  }

  async size(): Promise<number> {
    return (await statusOf(this.name)).size;
  }

  /** The next `n` bytes, or all that is left: text, or bytes in mode "rb". */
  async read(n = -1): Promise<string | Uint8Array> {
    const bytes = await this.content();
    const part = bytes.slice(this.place, n < 0 ? bytes.length : this.place + n);
    this.place += part.length;
    return this.shown(part);
  }

  /** The next line with its end, but without carriage returns; empty after the last. */
  async readline(): Promise<string | Uint8Array> {
    const bytes = await this.content();
    const end = bytes.indexOf(10, this.place);
    const line = bytes.subarray(this.place, end < 0 ? bytes.length : end + 1);
    this.place += line.length;
    return this.shown(withoutReturns(line).slice());
  }

  /** All lines that are left. */
  async readlines(): Promise<(string | Uint8Array)[]> {
    const lines: (string | Uint8Array)[] = [];
    for (let line = await this.readline(); line.length > 0; line = await this.readline()) lines.push(line);
    return lines;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string | Uint8Array> {
    for (let line = await this.readline(); line.length > 0; line = await this.readline()) yield line;
  }

  /** @throws OutOfRangeError beyond the end. */
  async seek(offset: number, { whence = 0 }: { readonly whence?: 0 | 1 | 2 } = {}): Promise<void> {
    const { length } = await this.content();
    const to = offset + (whence === 0 ? 0 : whence === 1 ? this.place : length);
    if (to < 0 || to > length) throw new OutOfRangeError(`Position ${to} is outside of ${this.name}`);
    this.place = to;
  }

  tell(): number {
    return this.place;
  }
  seekable(): boolean {
    return true;
  }

  async write(fileContent: string | Uint8Array): Promise<void> {
    if (this.mode.startsWith("r") && !this.mode.includes("+")) throw new PermissionDeniedError("File isn't open for writing");
    if (this.isClosed) throw new FailedPreconditionError("Writable file is closed");
    if (this.file === undefined) {
      if (this.mode.startsWith("w")) await files.write(this.name, []);
      this.file = await files.append(this.name);
    }
    await this.file.write(typeof fileContent === "string" ? encodeText(fileContent) : fileContent);
  }

  async flush(): Promise<void> {
    await this.file?.flush();
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    // Opening to write alone leaves an empty file.
    if (this.file === undefined && this.mode.startsWith("w")) await files.write(this.name, []);
    await this.file?.close();
    this.file = undefined;
    this.bytes = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
