// Pictures from bytes: JPEG, PNG, GIF and BMP, exactly as TensorFlow reads them. The host does the work between segments. The way back is
// image/encoders.ts.

import type { DType } from "../../base/dtype.ts";
import { InvalidArgumentError, UnimplementedError, ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import { framesFromGif } from "../../formats/gif.ts";
import { type JpegOptions, pixelsFromJpeg, shapeOfJpeg } from "../../formats/jpeg-reading.ts";
import { type DeepPixels, pixelsFromPng } from "../../formats/png-reading.ts";
import * as attr from "../../graph/attributes.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Named } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import { collect } from "../arguments.ts";
import { convertImageDtype } from "./image.ts";
import { equal } from "../math/comparison.ts";
import { inNameScope, type NameOption, named } from "../named.ts";
import { bytesAt, substr } from "../string/string.ts";

type Format = "png" | "gif" | "bmp" | "jpeg";

const magics: readonly (readonly [Format, readonly number[]])[] = [
  ["png", [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ["gif", [0x47, 0x49, 0x46, 0x38]],
  ["bmp", [0x42, 0x4d]],
  ["jpeg", [0xff, 0xd8, 0xff]],
];

/** @throws InvalidArgumentError for bytes of no known kind, UnimplementedError for the kinds that are not here. */
function formatOf(bytes: Uint8Array): Format {
  const letters = String.fromCharCode(...bytes.subarray(0, 12));
  if (letters.startsWith("RIFF") && letters.endsWith("WEBP") && bytes.length > 12)
    throw new UnimplementedError("WebP pictures cannot be decoded.\n\nConvert them to PNG or JPEG.");
  if ((bytes[0] === 0xff && bytes[1] === 0x0a) || letters.startsWith("\0\0\0\x0cJXL \r\n\x87\n"))
    throw new UnimplementedError("JPEG XL pictures cannot be decoded.\n\nConvert them to PNG or JPEG.");
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
  const requires = (holds: boolean, why: string): void => {
    if (!holds) throw new InvalidArgumentError(why);
  };
  requires(
    bytes.length >= 32,
    `Incomplete bmp content, requires at least 32 bytes to find the header size, width, height, and bpp, got ${bytes.length} bytes`,
  );
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = view.getInt32(10, true);
  const [width, signedHeight, bits] = [view.getInt32(18, true), view.getInt32(22, true), view.getInt16(28, true)];
  const own = Math.trunc(bits / 8);
  requires([1, 3, 4].includes(own), `Number of channels inherent in the image must be 1, 3 or 4, was ${own}`);
  requires(width > 0, "Width must be positive");
  requires(signedHeight !== 0, "Height must be nonzero");
  requires(start >= 0, "header size must be nonnegative");
  const height = Math.abs(signedHeight);
  requires(width * height < Math.floor((2 ** 31 - 1) / 8), "Total possible pixel bytes must be less than 2^30");
  const rowBytes = Math.ceil((width * own) / 4) * 4;
  const rest = bytes.length - start - rowBytes * height;
  requires(rest === 0, `Input size should match (header_size + row_size * abs_height) but they differ by ${rest}`);
  const channels = wanted === 0 ? own : wanted;
  const image = NDArray.zeros("uint8", [height, width, channels]);
  const out = image.data as Uint8Array;
  for (let y = 0, to = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let channel = 0; channel < channels; channel++, to++) {
        const from = start + rowBytes * (signedHeight > 0 ? height - 1 - y : y) + x * own;
        // Blue comes first.
        const source = own === 1 ? 0 : channel < 3 ? 2 - channel : channel;
        out[to] = channel === 3 && own < 4 ? 255 : bytes[from + source];
      }
  return image;
}

// ---- any of them ----

/** What an op asks for. */
interface Request {
  readonly op: "DecodeJpeg" | "DecodeAndCropJpeg" | "DecodePng" | "DecodeGif" | "DecodeBmp" | "DecodeImage";
  readonly contents: NDArray;
  readonly channels: number;
  readonly dtype: DType;
  /** DecodeImage: all frames of an animation, with a dimension of their own. */
  readonly isAnimated?: boolean;
  readonly jpeg?: JpegOptions;
}

function checkRequest({ contents, channels }: Request): void {
  if (![0, 1, 3, 4].includes(channels)) throw new InvalidArgumentError(`\`channels\` must be 0, 1, 3 or 4 but got ${channels}`);
  if (contents.rank !== 0) throw new InvalidArgumentError(`\`contents\` must be scalar but got shape[${contents.shape.join(",")}]`);
}

/** DecodeBmp and DecodeAndCropJpeg read nothing but what they are named for, the others do. */
function checkFormat(op: Request["op"], format: Format): void {
  const name = format.toUpperCase();
  if (op === "DecodeBmp" && format !== "bmp")
    throw new InvalidArgumentError(
      `Trying to decode ${name} format using DecodeBmp op. Use \`decode_${format}\` or \`decode_image\` instead.`,
    );
  if (op === "DecodeAndCropJpeg" && format !== "jpeg")
    throw new InvalidArgumentError(`DecodeAndCropJpeg operation can run on JPEG only, but detected ${name}.`);
}

async function decoded(request: Request): Promise<NDArray> {
  checkRequest(request);
  const { op, dtype } = request;
  const bytes = bytesAt(request.contents, 0);
  if (bytes.length === 0) throw new InvalidArgumentError("Input is empty.");
  const format = formatOf(bytes);
  const image = await readers[format](bytes, request, format);
  return scaled(op === "DecodeGif" && image.rank === 3 ? image.reshape([1, ...image.shape]) : image, dtype);
}

const readers: Readonly<Record<Format, (bytes: Uint8Array, request: Request, format: Format) => NDArray | Promise<NDArray>>> = {
  jpeg: (bytes, { op, channels, jpeg }, format) => {
    if (channels === 4) throw new InvalidArgumentError("JPEG does not support 4 channels");
    checkFormat(op, format);
    const { height, width, channels: depth, data } = pixelsFromJpeg(bytes, { ...jpeg, channels });
    return new NDArray("uint8", [height, width, depth], data);
  },
  png: async (bytes, { op, channels, dtype }, format) => {
    const pixels = await pixelsFromPng(bytes);
    checkFormat(op, format);
    return converted(pixels, channels, dtype === "float32" ? "uint16" : dtype);
  },
  gif: (bytes, { op, channels, isAnimated }, format) => {
    if (channels !== 0 && channels !== 3) throw new InvalidArgumentError(`channels must be 0 or 3 for GIF, got ${channels}`);
    checkFormat(op, format);
    const { width, height, frames } = framesFromGif(bytes);
    if ((op === "DecodePng" || op === "DecodeJpeg") && frames.length > 1)
      throw new InvalidArgumentError(
        `Got ${frames.length} frames, but animated gifs can only be decoded by tf.io.decode_gif or tf.io.decode_image`,
      );
    if (op !== "DecodeGif" && !isAnimated) return new NDArray("uint8", [height, width, 3], frames[0].slice());
    const images = NDArray.zeros("uint8", [frames.length, height, width, 3]);
    frames.forEach((frame, i) => void (images.data as Uint8Array).set(frame, i * frame.length));
    return images;
  },
  bmp: (bytes, { op, channels }, format) => {
    if (channels === 1) throw new InvalidArgumentError(`\`channels\` must be 0, 3 or 4 for BMP, but got ${channels}`);
    checkFormat(op, format);
    if (op !== "DecodeBmp" && op !== "DecodeImage")
      throw new InvalidArgumentError(
        `Trying to decode BMP format using a wrong op. Use \`decode_bmp\` or \`decode_image\` instead. Op used: ${op}`,
      );
    return imageFromBmp(bytes, channels);
  },
};

/** Whole numbers of 8 bits over the range of 16; floats from 0 to 1. */
function scaled(image: NDArray, dtype: DType): NDArray {
  if (dtype === image.dtype) return image;
  const out = NDArray.zeros(dtype, image.shape);
  const factor = dtype === "uint16" ? 256 : Math.fround(image.dtype === "uint16" ? 1 / 65535 : 1 / 255);
  for (let i = 0; i < image.size; i++) out.set(i, Number(image.get(i)) * factor);
  return out;
}

// ---- the ops ----

function channelsOf(channels: number): number | null {
  if (channels < 0) throw new ValueError(`channels must be non-negative, got ${channels}`);
  return channels === 0 ? null : channels;
}

const pictureShape = (contents: TensorShape, channels: number): TensorShape => {
  contents.withRank(0);
  return new TensorShape([null, null, channelsOf(channels)]);
};

const jpegAttributes = {
  channels: attr.int(0),
  ratio: attr.int(1),
  fancyUpscaling: attr.bool(true),
  tryRecoverTruncated: attr.bool(false),
  acceptableFraction: attr.float(1),
  dctMethod: attr.string(""),
};

interface JpegAttributes {
  readonly ratio: number;
  readonly fancyUpscaling: boolean;
  readonly tryRecoverTruncated: boolean;
  readonly acceptableFraction: number;
  readonly dctMethod: string;
}

/** @throws InvalidArgumentError for ratios and methods that do not exist. */
function jpegOptions({ ratio, fancyUpscaling, tryRecoverTruncated, acceptableFraction, dctMethod }: JpegAttributes): JpegOptions {
  if (ratio !== 1 && ratio !== 2 && ratio !== 4 && ratio !== 8) throw new InvalidArgumentError(`ratio must be 1, 2, 4, or 8, got ${ratio}`);
  if (!["", "INTEGER_FAST", "INTEGER_ACCURATE"].includes(dctMethod))
    throw new InvalidArgumentError("dct_method must be one of {'', 'INTEGER_FAST', 'INTEGER_ACCURATE'}");
  return {
    ratio,
    isSmooth: fancyUpscaling,
    mayBeCutOff: tryRecoverTruncated,
    leastPart: acceptableFraction,
    method: dctMethod === "INTEGER_ACCURATE" ? "accurate" : "fast",
  };
}

export const DecodePng = defineOp("DecodePng", {
  inputs: { contents: "string" },
  outputs: { image: "dtype" },
  attrs: { channels: attr.int(0), dtype: attr.type(["uint8", "uint16"], "uint8") },
  gradient: "none",
  shape: ({ contents, channels }) => pictureShape(contents, channels),
  host: ({ contents, channels, dtype }) => decoded({ op: "DecodePng", contents, channels, dtype }),
});

export const DecodeJpeg = defineOp("DecodeJpeg", {
  inputs: { contents: "string" },
  outputs: { image: "uint8" },
  attrs: jpegAttributes,
  gradient: "none",
  shape: ({ contents, channels }) => pictureShape(contents, channels),
  host: ({ contents, channels, ...options }) =>
    decoded({ op: "DecodeJpeg", contents, channels, dtype: "uint8", jpeg: jpegOptions(options) }),
});

/** A part [y, x, height, width] of a JPEG picture; what is beside it is not made into pixels. */
export const DecodeAndCropJpeg = defineOp("DecodeAndCropJpeg", {
  inputs: { contents: "string", cropWindow: "int32" },
  outputs: { image: "uint8" },
  attrs: jpegAttributes,
  gradient: "none",
  shape: ({ contents, cropWindow, channels }, context) => {
    contents.withRank(0);
    const depth = channelsOf(channels);
    const count = cropWindow.withRank(1).dim(0);
    if (count !== null && count !== 4) throw new ValueError(`Dimension must be 4 but is ${count}`);
    const [, , height, width] = context.partial("cropWindow")?.values ?? [null, null, null, null];
    const negative = [height, width].find(size => size !== null && size < 0);
    if (negative !== undefined) throw new ValueError(`Dimension ${negative} must be >= 0`);
    return new TensorShape([height, width, depth]);
  },
  host: ({ contents, cropWindow, channels, ...options }) => {
    const [top, left, height, width] = Array.from({ length: cropWindow.size }, (_, i) => Number(cropWindow.get(i)));
    const shapeText = `[${cropWindow.shape.join(",")}]`;
    if (cropWindow.rank !== 1) throw new InvalidArgumentError(`crop_window must be 1-D, got shape ${shapeText}`);
    if (cropWindow.size !== 4) throw new InvalidArgumentError(`crop_size must have four elements ${shapeText}`);
    const jpeg = { ...jpegOptions(options), window: { top, left, height, width } };
    return decoded({ op: "DecodeAndCropJpeg", contents, channels, dtype: "uint8", jpeg });
  },
});

/** Height, width and channels of a JPEG picture, from its headers. */
export const ExtractJpegShape = defineOp("ExtractJpegShape", {
  inputs: { contents: "string" },
  outputs: { imageShape: "outputType" },
  attrs: { outputType: attr.type(attr.indexTypes, "int32") },
  gradient: "none",
  shape: ({ contents }) => {
    contents.withRank(0);
    return new TensorShape([3]);
  },
  host: ({ contents, outputType }) => {
    if (contents.rank !== 0) throw new InvalidArgumentError(`contents must be scalar, got shape [${contents.shape.join(",")}]`);
    return NDArray.from(shapeOfJpeg(bytesAt(contents, 0)), outputType, [3]);
  },
});

export const DecodeBmp = defineOp("DecodeBmp", {
  inputs: { contents: "string" },
  outputs: { image: "uint8" },
  attrs: { channels: attr.int(0) },
  gradient: "none",
  shape: ({ contents, channels }) => pictureShape(contents, channels),
  host: ({ contents, channels }) => decoded({ op: "DecodeBmp", contents, channels, dtype: "uint8" }),
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
  host: ({ contents }) => decoded({ op: "DecodeGif", contents, channels: 3, dtype: "uint8" }),
});

/** Whatever kind of picture the bytes are. */
export const DecodeImage = defineOp("DecodeImage", {
  inputs: { contents: "string" },
  outputs: { image: "dtype" },
  attrs: { channels: attr.int(0), dtype: attr.type(["uint8", "uint16", "float32"], "uint8"), expandAnimations: attr.bool(true) },
  gradient: "none",
  shape: ({ contents, channels, expandAnimations }) => {
    const picture = pictureShape(contents, channels);
    return expandAnimations ? TensorShape.unknown() : picture;
  },
  host: ({ contents, channels, dtype, expandAnimations }) =>
    decoded({ op: "DecodeImage", contents, channels, dtype, isAnimated: expandAnimations }),
});

// ---- public functions ----

interface DecodeOptions extends Named {
  /** 0: as many as the file has. */
  readonly channels?: number;
}

/** The picture in a PNG file: `[height, width, channels]`. TF: tf.image.decode_png. */
export const decodePng = (contents: TensorLike, ...rest: unknown[]): Tensor => {
  const { name, ...options } = collect<DecodeOptions & { readonly dtype?: "uint8" | "uint16" }>(["channels", "dtype", "name"], rest);
  return DecodePng({ contents, ...options }, { name });
};

interface DecodeJpegOptions extends DecodeOptions {
  /** The picture at 1, 1/2, 1/4 or 1/8 of its size. */
  readonly ratio?: 1 | 2 | 4 | 8;
  readonly fancyUpscaling?: boolean;
  /** What is missing at the end of a file is gray. */
  readonly tryRecoverTruncated?: boolean;
  /** The part of the rows that must be there. */
  readonly acceptableFraction?: number;
  readonly dctMethod?: "" | "INTEGER_FAST" | "INTEGER_ACCURATE";
}

const jpegNames = ["channels", "ratio", "fancyUpscaling", "tryRecoverTruncated", "acceptableFraction", "dctMethod", "name"];

/** The picture in a JPEG file: `[height, width, channels]`, with TensorFlow's pixels to the bit.
 *  TF: tf.image.decode_jpeg(contents, channels, ratio, fancy_upscaling, try_recover_truncated, acceptable_fraction, dct_method, name). */
export const decodeJpeg = (contents: TensorLike, ...rest: unknown[]): Tensor => {
  const { name, ...options } = collect<DecodeJpegOptions>(jpegNames, rest);
  return DecodeJpeg({ contents, ...options }, { name });
};

/** The part `[y, x, height, width]` of the picture in a JPEG file. TF: tf.image.decode_and_crop_jpeg. */
export const decodeAndCropJpeg = (contents: TensorLike, cropWindow: TensorLike, ...rest: unknown[]): Tensor => {
  const { name, ...options } = collect<DecodeJpegOptions>(jpegNames, rest);
  return DecodeAndCropJpeg({ contents, cropWindow, ...options }, { name });
};

/** `[height, width, channels]` of the picture in a JPEG file, without decoding it. TF: tf.image.extract_jpeg_shape. */
export const extractJpegShape = (contents: TensorLike, ...rest: unknown[]): Tensor => {
  const { name, outputType } = collect<Named & { readonly outputType?: "int32" | "int64" }>(["outputType", "name"], rest);
  return ExtractJpegShape({ contents, outputType }, { name });
};

/** Do the bytes begin as those of a JPEG file? A scalar. TF: tf.image.is_jpeg. */
export const isJpeg = (contents: TensorLike, options?: NameOption): Tensor =>
  inNameScope(options, "is_jpeg", [], () =>
    equal(substr(contents, 0, 3), NDArray.full("string", [], Uint8Array.of(0xff, 0xd8, 0xff)), named(options)),
  );

/** The picture in a BMP file. TF: tf.image.decode_bmp. */
export const decodeBmp = (contents: TensorLike, ...rest: unknown[]): Tensor => {
  const { name, channels } = collect<DecodeOptions>(["channels", "name"], rest);
  return DecodeBmp({ contents, channels }, { name });
};

/** The frames of a GIF file: `[frames, height, width, 3]`. TF: tf.image.decode_gif. */
export const decodeGif = (contents: TensorLike, options?: NameOption): Tensor => DecodeGif({ contents }, named(options));

interface ImageOptions extends DecodeOptions {
  readonly dtype?: DType;
  readonly expandAnimations?: boolean;
}

/** The picture in a JPEG, PNG, GIF or BMP file (animations `[frames, height, width, 3]`); floats are in [0, 1], other integers span their range.
 *  TF: tf.image.decode_image(contents, channels, dtype, name, expand_animations). */
export const decodeImage = (contents: TensorLike, ...rest: unknown[]): Tensor => {
  const names = ["channels", "dtype", "name", "expandAnimations"];
  const { name, dtype = "uint8", ...options } = collect<ImageOptions>(names, rest);
  return inNameScope({ name }, "decode_image", [], () => {
    const isOwn = dtype === "uint8" || dtype === "uint16" || dtype === "float32";
    const image = DecodeImage({ contents, dtype: isOwn ? dtype : "uint16", ...options });
    return isOwn ? image : convertImageDtype(image, dtype);
  });
};
