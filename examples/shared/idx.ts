// Reads IDX, the file format of the MNIST digits: two zero bytes, a type code, the rank, the dimensions (32-bit, big endian), the bytes.
// Gzip files are unpacked. What the numbers mean is not known here: see digits.ts.
// Format: the page of the data set itself, http://yann.lecun.com/exdb/mnist, "FILE FORMATS".

import { readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";

/** An array of unsigned bytes as an IDX file holds it: row-major, `dims` outermost first. */
export type IdxArray = { readonly dims: readonly number[]; readonly data: Uint8Array };

/** A data file that is missing or damaged. The message names the file and, where there is one, the offset of the bad byte. */
export class DataFileError extends Error {
  override name = "DataFileError";
}

const unsignedByte = 0x08;
const typeNames: Readonly<Record<number, string>> = {
  0x08: "uint8",
  0x09: "int8",
  0x0b: "int16",
  0x0c: "int32",
  0x0d: "float32",
  0x0e: "float64",
};
const largestUnpackedBytes = 2 ** 30;

/** Reads one IDX file of unsigned bytes, raw or packed with gzip.
 *  @throws DataFileError if the file is missing or is not exactly what its header says. */
export async function readIdx(path: string): Promise<IdxArray> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new DataFileError(`cannot read ${path}: ${reasonOf(error)}`, { cause: error });
  }
  return parseIdx(bytes, path);
}

/** Parses the bytes of an IDX file; `file` is only the name that errors show. The result shares memory with `bytes` if they were not packed.
 *  @throws DataFileError if magic, type, rank, dimensions or length are wrong. Offsets count unpacked bytes. */
export function parseIdx(packed: Uint8Array, file: string): IdxArray {
  const bytes = unpack(packed, file);
  const damaged = (offset: number, what: string) => new DataFileError(`${file} is damaged at byte ${offset}: ${what}`);
  if (bytes.length < 4) throw damaged(bytes.length, `the file ends inside the 4 bytes that every IDX file begins with`);
  if (bytes[0] !== 0 || bytes[1] !== 0) {
    throw damaged(0, `an IDX file begins with two zero bytes, found ${hex(bytes[0])} ${hex(bytes[1])}`);
  }
  const [, , type, rank] = bytes;
  if (!(type in typeNames))
    throw damaged(2, `${hex(type)} is no IDX type code (${Object.keys(typeNames).map(Number).map(hex).join(", ")})`);
  if (type !== unsignedByte) throw damaged(2, `expected unsigned bytes (type code 0x08), found ${typeNames[type]} (${hex(type)})`);
  if (rank === 0) throw damaged(3, `an array of rank 0 holds no examples`);
  const headerBytes = 4 + 4 * rank;
  if (bytes.length < headerBytes)
    throw damaged(bytes.length, `the file ends inside the ${rank} dimensions (bytes 4 to ${headerBytes - 1})`);

  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const dims = Array.from({ length: rank }, (_, k) => view.getUint32(4 + 4 * k));
  // As a BigInt: a damaged dimension can push the product past what a double counts exactly.
  const expected = dims.reduce((product, dim) => product * BigInt(dim), 1n);
  const found = bytes.length - headerBytes;
  if (BigInt(found) < expected)
    throw damaged(bytes.length, `the header promises ${dims.join(" x ")} = ${expected} bytes, the file ends after ${found}`);
  if (BigInt(found) > expected) {
    throw damaged(
      headerBytes + Number(expected),
      `${found - Number(expected)} bytes follow the ${dims.join(" x ")} that the header promises`,
    );
  }
  return { dims, data: bytes.subarray(headerBytes) };
}

function unpack(bytes: Uint8Array, file: string): Uint8Array {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  if (!isGzip) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: largestUnpackedBytes });
  } catch (error) {
    throw new DataFileError(`${file} is damaged: it begins as gzip, but unpacking fails: ${reasonOf(error)}`, { cause: error });
  }
}

const hex = (byte: number): string => `0x${byte.toString(16).padStart(2, "0")}`;

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "code" in error && error.code === "ENOENT" ? "there is no such file" : error.message;
}
