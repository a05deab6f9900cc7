// Files that TensorFlow wrote, damaged ones among them, with what it says of them (packed by generate/pack_files.py).
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

const packed = JSON.parse(gunzipSync(readFileSync(new URL("data/files.json.gz", import.meta.url))).toString()) as Readonly<
  Record<string, string>
>;

/** All files by path. */
export const recordedFiles: Readonly<Record<string, Uint8Array>> = Object.fromEntries(
  Object.entries(packed).map(([name, base64]) => [name, new Uint8Array(Buffer.from(base64, "base64"))]),
);

// any: parsed JSON of the generator's making
export const recordedJson = (name: string): any => JSON.parse(new TextDecoder().decode(recordedFiles[name]));

/** What TensorFlow says of a damaged file: the number of its error, and its words; null where it sees nothing wrong. */
export interface Report {
  readonly code?: number | null;
  readonly error: string | null;
  readonly message?: string;
}
export const reports = recordedJson("corrupted/what_tf_reports.json") as Readonly<Record<string, Report>>;
