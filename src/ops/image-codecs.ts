// Pictures from bytes and back: PNG, GIF and BMP, exactly as TensorFlow reads them. JPEG is refused by name. The host does the work between segments.

import type { DType } from "../base/dtype.ts";
import { InvalidArgumentError, UnimplementedError } from "../base/errors.ts";
import { NDArray } from "../base/ndarray.ts";
import { TensorShape } from "../base/shape.ts";
import { framesFromGif } from "../formats/gif.ts";
import { pngFromPixels } from "../formats/png.ts";
import { type DeepPixels, pixelsFromPng } from "../formats/png-reading.ts";
import * as attr from "../graph/attributes.ts";
import type { TensorLike } from "../graph/conversion.ts";
import { defineOp } from "../graph/op-definition.ts";
import type { Tensor } from "../graph/operation.ts";
import { bytesAt } from "./string.ts";

type Format = "png" | "gif" | "bmp" | "jpeg";

const magics: readonly (readonly [Format, readonly number[]])[] = [
  ["png", [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ["gif", [0x47, 0x49, 0x46, 0x38]],
  ["bmp", [0x42, 0x4d]],
  ["jpeg", [0xff, 0xd8, 0xff]],
];

/** @throws InvalidArgumentError for bytes of no known kind. */
function formatOf(bytes: Uint8Array): Format {
  const found = magics.find(([, magic]) => magic.every((byte, i) => bytes[i] === byte));
  if (!found) throw new InvalidArgumentError("Unknown image file format. One of JPEG, JPEG XL, PNG, GIF, BMP, WebP required.");
  return found[0];
}

// ---- PNG ----

/** libpng's weights of red, green and blue in 2¹⁵ths, as TensorFlow sets them. */
const greyWeights = [9798, 19235, 3735] as const;

/** The samples of a picture with another number of channels, or of bits. */
function converted(given: DeepPixels, wanted: number, dtype: DType): NDArray {
  const channels = wanted === 0 ? given.channels : wanted;
  const { width, height, data, channels: have } = given;
  const from = given.bits === 16 && dtype !== "uint16" ? (x: number) => x >> 8 : (x: number) => x;
  const widen = given.bits === 8 && dtype === "uint16" ? 257 : 1;
  const most = dtype === "uint16" ? 65535 : 255;
  const image = NDArray.zeros(dtype === "uint16" ? "uint16" : "uint8", [height, width, channels]);
  const out = image.data as Uint8Array;
  const [isGrey, hasAlpha] = [have < 3, have % 2 === 0];
  for (let pixel = 0; pixel < width * height; pixel++) {
    const sample = (channel: number): number => from(data[pixel * have + channel]) * widen;
    for (let channel = 0; channel < channels; channel++) {
      const isAlpha = channels % 2 === 0 && channel === channels - 1;
      out[pixel * channels + channel] = isAlpha
        ? hasAlpha
          ? sample(have - 1)
          : most
        : isGrey
          ? sample(0)
          : channels < 3
            ? grey(sample(0), sample(1), sample(2))
            : sample(channel);
    }
  }
  return image;
}

const grey = (r: number, g: number, b: number): number =>
  r === g && g === b ? r : Math.floor((greyWeights[0] * r + greyWeights[1] * g + greyWeights[2] * b) / 32768);

// ---- BMP ----

function imageFromBmp(bytes: Uint8Array, wanted: number): NDArray {
  if (bytes.length < 32)
    throw new InvalidArgumentError(
      `Incomplete bmp content, requires at least 32 bytes to find the header size, width, height, and bpp, got ${bytes.length} bytes`,
    );
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [start, width, signedHeight, bits] = [
    view.getInt32(10, true),
    view.getInt32(18, true),
    view.getInt32(22, true),
    view.getInt16(28, true),
  ];
  const channels = bits / 8;
  if (wanted !== 0 && wanted !== channels)
    throw new InvalidArgumentError(`channels attribute ${wanted} does not match bits per pixel from file ${channels}`);
  if (![1, 3, 4].includes(channels)) throw new InvalidArgumentError(`Number of channels must be 1, 3 or 4, was ${channels}`);
  if (width <= 0 || signedHeight === 0 || start < 0) throw new InvalidArgumentError("The bmp header is damaged.");
  const height = Math.abs(signedHeight);
  const rowBytes = Math.ceil((width * channels) / 4) * 4;
  if (bytes.length < start + rowBytes * (height - 1) + width * channels)
    throw new InvalidArgumentError(
      `Incomplete bmp content, requires at least ${start + rowBytes * height} bytes, got ${bytes.length} bytes`,
    );
  const image = NDArray.zeros("uint8", [height, width, channels]);
  const out = image.data as Uint8Array;
  for (let y = 0; y < height; y++) {
    const row = start + rowBytes * (signedHeight > 0 ? height - 1 - y : y);
    for (let k = 0; k < width * channels; k++) {
      const channel = k % channels;
      const swapped = channels >= 3 && channel < 3 ? 2 - channel : channel;
      out[y * width * channels + k] = bytes[row + k - channel + swapped];
    }
  }
  return image;
}

// ---- GIF ----

function imagesFromGif(bytes: Uint8Array): NDArray {
  const { width, height, frames } = framesFromGif(bytes);
  const images = NDArray.zeros("uint8", [frames.length, height, width, 3]);
  frames.forEach((frame, i) => void (images.data as Uint8Array).set(frame, i * frame.length));
  return images;
}

const firstOf = ({ dtype, shape, data }: NDArray): NDArray => {
  const rest = shape.slice(1);
  return new NDArray(
    dtype,
    rest,
    data.slice(
      0,
      rest.reduce((a, b) => a * b, 1),
    ),
  );
};

// ---- any of them ----

interface Request {
  readonly channels: number;
  readonly dtype: DType;
  /** All frames of an animation, with a dimension of their own. */
  readonly isAnimated: boolean;
}

async function decoded(contents: NDArray, { channels, dtype, isAnimated }: Request): Promise<NDArray> {
  if (contents.rank !== 0) throw new InvalidArgumentError(`\`contents\` must be scalar but got shape [${contents.shape}]`);
  const bytes = bytesAt(contents, 0);
  const format = formatOf(bytes);
  switch (format) {
    case "png":
      return scaled(converted(await pixelsFromPng(bytes), channels, dtype === "float32" ? "uint8" : dtype), dtype);
    case "bmp":
      return scaled(imageFromBmp(bytes, channels), dtype);
    case "gif": {
      if (channels !== 0 && channels !== 3) throw new InvalidArgumentError(`channels must be 0 or 3 for GIF, but got ${channels}`);
      const images = imagesFromGif(bytes);
      return scaled(isAnimated ? images : firstOf(images), dtype);
    }
    case "jpeg":
      throw new UnimplementedError("JPEG images cannot be decoded yet.\n\nConvert them to PNG, or feed their pixels.");
  }
}

/** Whole numbers of 8 bits over another range; floats from 0 to 1. */
function scaled(image: NDArray, dtype: DType): NDArray {
  if (dtype === image.dtype) return image;
  const out = NDArray.zeros(dtype, image.shape);
  const factor = dtype === "float32" ? 1 / 255 : 257;
  for (let i = 0; i < image.size; i++) out.set(i, Number(image.get(i)) * factor);
  return out;
}

const pictureShape = (contents: TensorShape, channels: number, allowed: readonly number[]): TensorShape => {
  contents.withRank(0);
  if (!allowed.includes(channels)) throw new InvalidArgumentError(`channels must be ${allowed.join(", ")}, got ${channels}`);
  return new TensorShape([null, null, channels === 0 ? null : channels]);
};

export const DecodePng = defineOp("DecodePng", {
  inputs: { contents: "string" },
  outputs: { image: "dtype" },
  attrs: { channels: attr.int(0), dtype: attr.type(["uint8", "uint16"], "uint8") },
  gradient: "none",
  shape: ({ contents, channels }) => pictureShape(contents, channels, [0, 1, 2, 3, 4]),
  host: ({ contents, channels, dtype }) => decoded(contents, { channels, dtype, isAnimated: false }),
});

export const DecodeJpeg = defineOp("DecodeJpeg", {
  inputs: { contents: "string" },
  outputs: { image: "uint8" },
  attrs: {
    channels: attr.int(0),
    ratio: attr.int(1),
    fancyUpscaling: attr.bool(true),
    tryRecoverTruncated: attr.bool(false),
    acceptableFraction: attr.float(1),
    dctMethod: attr.string(""),
  },
  gradient: "none",
  shape: ({ contents, channels }) => pictureShape(contents, channels, [0, 1, 3]),
  host: ({ contents, channels }) => decoded(contents, { channels, dtype: "uint8", isAnimated: false }),
});

export const DecodeBmp = defineOp("DecodeBmp", {
  inputs: { contents: "string" },
  outputs: { image: "uint8" },
  attrs: { channels: attr.int(0) },
  gradient: "none",
  shape: ({ contents }) => {
    contents.withRank(0);
    return new TensorShape([null, null, null]);
  },
  host: ({ contents, channels }) => decoded(contents, { channels, dtype: "uint8", isAnimated: false }),
});

/** All frames: `[frames, height, width, 3]`. */
export const DecodeGif = defineOp("DecodeGif", {
  inputs: { contents: "string" },
  outputs: { image: "uint8" },
  attrs: {},
  gradient: "none",
  shape: ({ contents }) => {
    contents.withRank(0);
    return new TensorShape([null, null, null, 3]);
  },
  host: async ({ contents }) => {
    const image = await decoded(contents, { channels: 0, dtype: "uint8", isAnimated: true });
    return image.rank === 4 ? image : image.reshape([1, ...image.shape]);
  },
});

/** Whatever kind of picture the bytes are. */
export const DecodeImage = defineOp("DecodeImage", {
  inputs: { contents: "string" },
  outputs: { image: "dtype" },
  attrs: { channels: attr.int(0), dtype: attr.type(["uint8", "uint16", "float32"], "uint8"), expandAnimations: attr.bool(true) },
  gradient: "none",
  shape: ({ contents, channels, expandAnimations }) => {
    contents.withRank(0);
    return expandAnimations ? TensorShape.unknown() : new TensorShape([null, null, channels === 0 ? null : channels]);
  },
  host: ({ contents, channels, dtype, expandAnimations }) => decoded(contents, { channels, dtype, isAnimated: expandAnimations }),
});

/** The bytes of a PNG file. */
export const EncodePng = defineOp("EncodePng", {
  inputs: { image: "T" },
  outputs: { contents: "string" },
  attrs: { compression: attr.int(-1), T: attr.type(["uint8", "uint16"], "uint8") },
  gradient: "none",
  shape: ({ image }) =>
    image.rank === null ? TensorShape.unknown() : new TensorShape(image.withRankAtLeast(3).dims?.slice(0, -3) ?? null),
  host: ({ image }) => {
    const { shape } = image;
    if (shape.length < 3) throw new InvalidArgumentError(`image must have at least 3 dimensions, got shape [${shape}]`);
    const [height, width, channels] = shape.slice(-3);
    if (channels < 1 || channels > 4) throw new InvalidArgumentError(`image must have 1, 2, 3, or 4 channels, got ${channels}`);
    if (image.dtype === "uint16") throw new UnimplementedError("PNG files of 16 bits a channel cannot be written yet.");
    const lead = shape.slice(0, -3);
    const out = NDArray.zeros("string", lead);
    const size = height * width * channels;
    for (let i = 0; i < out.size; i++) {
      const data = (image.data as Uint8Array).slice(i * size, (i + 1) * size);
      out.set(i, pngFromPixels({ width, height, channels, data }));
    }
    return out;
  },
});

interface DecodeOptions {
  /** 0: as many as the file has. */
  readonly channels?: number;
  readonly name?: string | null;
}

/** The picture in a PNG file: `[height, width, channels]`. TF: tf.image.decode_png. */
export const decodePng = (
  contents: TensorLike,
  { channels = 0, dtype = "uint8", name }: DecodeOptions & { readonly dtype?: "uint8" | "uint16" } = {},
): Tensor => DecodePng({ contents, channels, dtype }, { name });

/** The picture in a BMP file. TF: tf.image.decode_bmp. */
export const decodeBmp = (contents: TensorLike, { channels = 0, name }: DecodeOptions = {}): Tensor =>
  DecodeBmp({ contents, channels }, { name });

/** The frames of a GIF file: `[frames, height, width, 3]`. TF: tf.image.decode_gif. */
export const decodeGif = (contents: TensorLike, { name }: { readonly name?: string | null } = {}): Tensor =>
  DecodeGif({ contents }, { name });

interface ImageOptions extends DecodeOptions {
  readonly dtype?: "uint8" | "uint16" | "float32";
  readonly expandAnimations?: boolean;
}

/** The picture in a PNG, GIF or BMP file (animations `[frames, height, width, 3]`); floats are in [0, 1]. TF: tf.image.decode_image. */
export const decodeImage = (
  contents: TensorLike,
  { channels = 0, dtype = "uint8", expandAnimations = true, name }: ImageOptions = {},
): Tensor => DecodeImage({ contents, channels, dtype, expandAnimations }, { name: name ?? "decode_image" });

/** The bytes of a PNG file of a picture `[height, width, channels]` of 8 bits. TF: tf.image.encode_png. */
export const encodePng = (
  image: TensorLike,
  { compression = -1, name }: { readonly compression?: number; readonly name?: string | null } = {},
): Tensor => EncodePng({ image, compression }, { name });
