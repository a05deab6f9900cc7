// `tf.gfile`: files under the names that programs of TensorFlow 1 use. Paths and behaviour are those of file-access.ts.

import { copy, exists, GFile, glob, isdir, listdir, makedirs, mkdir, remove, rename, rmtree, stat, walk } from "./file-access.ts";

export { GFile };
/** The same as GFile. TF: tf.gfile.FastGFile, tf.gfile.Open. */
export const FastGFile = GFile;
export const Open = GFile;
export const Exists = exists;
export const IsDirectory = isdir;
export const ListDirectory = listdir;
export const MakeDirs = makedirs;
export const MkDir = mkdir;
export const Remove = remove;
export const DeleteRecursively = rmtree;
export const Glob = glob;
export const Stat = stat;
/** TF: tf.gfile.Copy. @throws AlreadyExistsError where something is, unless it may be overwritten. */
export const Copy = (oldpath: string, newpath: string, overwrite: boolean | { readonly overwrite?: boolean } = false): Promise<void> =>
  copy(oldpath, newpath, typeof overwrite === "boolean" ? { overwrite } : overwrite);
/** TF: tf.gfile.Rename. @throws AlreadyExistsError where something is, unless it may be overwritten. */
export const Rename = (oldname: string, newname: string, overwrite: boolean | { readonly overwrite?: boolean } = false): Promise<void> =>
  rename(oldname, newname, typeof overwrite === "boolean" ? { overwrite } : overwrite);
/** TF: tf.gfile.Walk. */
export const Walk = (top: string, { inOrder = true }: { readonly inOrder?: boolean } = {}): ReturnType<typeof walk> =>
  walk(top, { topdown: inOrder });
