// JPEG files to pixels and back, against recordings of TensorFlow (generate/jpeg.py): files by Pillow in 0 to 2 restarts, three samplings, sequential
// and progressive, whole, cropped, damaged and cut off; and the bytes that encodeJpeg writes. Equal to the bit, by MD5 sum.

import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { camelOf } from "../../src/base/names.ts";
import * as tf from "../../src/index.ts";
import { loadSpec } from "./golden.ts";

type Options = Readonly<Record<string, unknown>>;

interface Decoded {
  readonly file: string;
  readonly options: Options;
  readonly crop: readonly number[] | null;
  readonly shape?: readonly number[];
  readonly md5?: string;
  readonly error?: string;
}

interface Encoded {
  readonly shape: readonly [number, number, number];
  readonly kind: number;
  readonly options: Options;
  readonly length: number;
  readonly md5: string;
}

const recorded = loadSpec("jpeg") as { readonly decoded: readonly Decoded[]; readonly encoded: readonly Encoded[] };

const md5 = (bytes: Uint8Array): string => createHash("md5").update(bytes).digest("hex");
const camelKeys = (options: Options): Options => Object.fromEntries(Object.entries(options).map(([key, value]) => [camelOf(key), value]));

async function value(build: () => tf.Tensor): Promise<tf.NDArray> {
  const graph = new tf.Graph();
  const built = graph.asDefault(build);
  const session = new tf.Session({ graph });
  return session.run(built).finally(() => session.close());
}

async function decodes({ file, options, crop }: Decoded): Promise<Pick<Decoded, "shape" | "md5" | "error">> {
  const contents = tf.NDArray.full("string", [], new Uint8Array(Buffer.from(file, "base64")));
  const given = camelKeys(options);
  try {
    const pixels = await value(() => (crop ? tf.image.decodeAndCropJpeg(contents, crop, given) : tf.image.decodeJpeg(contents, given)));
    return { shape: pixels.shape, md5: md5(pixels.data as Uint8Array) };
  } catch (error) {
    return { error: (error as Error).message.split("\n")[0] };
  }
}

test("every file has TensorFlow's pixels, or its error", async () => {
  const wrong: unknown[] = [];
  for (const [i, given] of recorded.decoded.entries()) {
    const { shape, md5: sum, error } = await decodes(given);
    if (sum !== given.md5 || error !== given.error || shape?.join() !== given.shape?.join())
      wrong.push([i, given.options, given.crop, { shape, error }, { shape: given.shape, error: given.error }]);
  }
  expect(wrong).toEqual([]);
  expect(recorded.decoded.length).toBeGreaterThan(150);
});

test("encodeJpeg writes TensorFlow's bytes", async () => {
  for (const { shape, kind, options, length, md5: sum } of recorded.encoded) {
    const [height, width, channels] = shape;
    const pixel = [(i: number) => (i * i * 31) % 251, (i: number) => (i * 3) % 256, (i: number) => (Math.floor(i / 40) * 7) % 256][kind];
    const image = tf.NDArray.from(Uint8Array.from({ length: height * width * channels }, (_, i) => pixel(i))).reshape(shape);
    const file = (await value(() => tf.image.encodeJpeg(image, camelKeys(options)))).get(0) as Uint8Array;
    expect([file.length, md5(file)], JSON.stringify([shape, options])).toEqual([length, sum]);
  }
});
