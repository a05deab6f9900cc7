import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DataFileError, parseIdx, readIdx } from "./idx.ts";

const header = (type: number, ...dims: number[]) => {
  const bytes = new Uint8Array(4 + 4 * dims.length);
  bytes.set([0, 0, type, dims.length]);
  dims.forEach((dim, k) => {
    new DataView(bytes.buffer).setUint32(4 + 4 * k, dim);
  });
  return bytes;
};
const file = (head: Uint8Array, ...body: number[]) => Uint8Array.from([...head, ...body]);

describe("parseIdx", () => {
  test("reads dimensions and bytes", () => {
    const { dims, data } = parseIdx(file(header(8, 2, 1, 3), 1, 2, 3, 4, 5, 255), "images");
    expect(dims).toEqual([2, 1, 3]);
    expect([...data]).toEqual([1, 2, 3, 4, 5, 255]);
  });

  test("unpacks gzip", () => {
    expect([...parseIdx(gzipSync(file(header(8, 3), 7, 8, 9)), "labels.gz").data]).toEqual([7, 8, 9]);
  });

  test("reads from a view that does not begin at its buffer's start", () => {
    const shifted = file(Uint8Array.of(9, 9), ...file(header(8, 2), 5, 6)).subarray(2);
    expect(parseIdx(shifted, "labels")).toEqual({ dims: [2], data: Uint8Array.of(5, 6) });
  });

  test.each([
    ["empty", Uint8Array.of(), "bad is damaged at byte 0: the file ends inside the 4 bytes that every IDX file begins with"],
    ["a text file", Uint8Array.from("<html>", c => c.charCodeAt(0)), "at byte 0: an IDX file begins with two zero bytes, found 0x3c 0x68"],
    ["no type", file(header(0x0a, 1), 1), "at byte 2: 0x0a is no IDX type code (0x08, 0x09, 0x0b, 0x0c, 0x0d, 0x0e)"],
    ["another type", file(header(0x0d, 1), 0, 0, 0, 0), "at byte 2: expected unsigned bytes (type code 0x08), found float32 (0x0d)"],
    ["rank 0", Uint8Array.of(0, 0, 8, 0), "at byte 3: an array of rank 0 holds no examples"],
    ["cut in the header", header(8, 2, 28, 28).subarray(0, 9), "at byte 9: the file ends inside the 3 dimensions (bytes 4 to 15)"],
    ["cut in the data", file(header(8, 2, 2), 1, 2, 3), "at byte 15: the header promises 2 x 2 = 4 bytes, the file ends after 3"],
    ["too long", file(header(8, 2), 1, 2, 3), "at byte 10: 1 bytes follow the 2 that the header promises"],
    [
      "an absurd size",
      file(header(8, 0xffffffff, 0xffffffff, 0xffffffff), 1),
      "the header promises 4294967295 x 4294967295 x 4294967295 = 79228162458924105385300197375 bytes, the file ends after 1",
    ],
    [
      "cut gzip",
      gzipSync(file(header(8, 2), 1, 2)).subarray(0, 15),
      "bad is damaged: it begins as gzip, but unpacking fails: unexpected end of file",
    ],
  ])("refuses a damaged file: %s", (_, bytes, message) => {
    expect(() => parseIdx(bytes, "bad")).toThrow(DataFileError);
    expect(() => parseIdx(bytes, "bad")).toThrow(message);
  });
});

describe("readIdx", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "tensorloom-idx-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test("reads a file from disk", async () => {
    await writeFile(join(folder, "labels"), file(header(8, 2), 3, 4));
    expect(await readIdx(join(folder, "labels"))).toEqual({ dims: [2], data: expect.objectContaining({ 0: 3, 1: 4, length: 2 }) });
  });

  test("names the file that is missing", async () => {
    await expect(readIdx(join(folder, "nowhere"))).rejects.toThrow(`cannot read ${join(folder, "nowhere")}: there is no such file`);
    await expect(readIdx(join(folder, "nowhere"))).rejects.toBeInstanceOf(DataFileError);
  });

  test("says so when the path is a folder", async () => {
    await expect(readIdx(folder)).rejects.toThrow(/cannot read .*EISDIR/);
  });
});
