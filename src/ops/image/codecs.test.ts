// Pictures decoded as TensorFlow 2.21 decodes them: files made by Pillow (and its own 16-bit PNG), every conversion of channels and bits.

import * as tf from "tensorloom";
import { expect, test } from "vitest";
import { pngFromPixels } from "../../formats/png.ts";

const bytesOf = (base64: string): Uint8Array => Uint8Array.from(atob(base64), char => char.charCodeAt(0));

async function value(build: () => tf.Tensor): Promise<tf.NDArray> {
  const graph = new tf.Graph();
  const built = graph.asDefault(build);
  const session = new tf.Session({ graph });
  return session.run(built).finally(() => session.close());
}

const file = (bytes: Uint8Array): tf.NDArray => tf.NDArray.full("string", [], bytes);

test.each<readonly [string, string, (x: tf.NDArray) => tf.Tensor, number[], number[]]>([
  [
    "png rgb",
    "iVBORw0KGgoAAAANSUhEUgAAAAUAAAADCAIAAADUVFKvAAAAO0lEQVR4nAEwAM//AawvdRQUhgMkDhCu6VFCVAQsKRdiaevtlqUxPLP19gIEMTznxzLfLvgBwgO+gGSroOYTh0XHpeoAAAAASUVORK5CYII=",
    x => tf.image.decodePng(x),
    [3, 5, 3],
    [
      172, 47, 117, 192, 67, 251, 195, 103, 9, 211, 21, 242, 36, 87, 70, 216, 88, 140, 58, 193, 230, 39, 87, 174, 88, 81, 165, 25, 77, 72,
      9, 148, 115, 208, 243, 197, 254, 79, 175, 192, 82, 99, 216, 177, 243,
    ],
  ],
  [
    "png rgb to gray",
    "iVBORw0KGgoAAAANSUhEUgAAAAUAAAADCAIAAADUVFKvAAAAO0lEQVR4nAEwAM//AawvdRQUhgMkDhCu6VFCVAQsKRdiaevtlqUxPLP19gIEMTznxzLfLvgBwgO+gGSroOYTh0XHpeoAAAAASUVORK5CYII=",
    x => tf.image.decodePng(x, { channels: 1 }),
    [3, 5, 1],
    [92, 125, 119, 103, 69, 132, 156, 82, 92, 60, 102, 227, 142, 116, 196],
  ],
  [
    "png rgba to rgb",
    "iVBORw0KGgoAAAANSUhEUgAAAAUAAAADCAYAAABbNsX4AAAASklEQVR4nAE/AMD/AB2Tk46nIMEJuX8gH8r0l6P+y3K3BP+P7fL9FcQdL3XxKZx1kxdVD9eHAeepOSN/ztKL7OR14BHaDOtHHz/LAX0gcTt2dH8AAAAASUVORK5CYII=",
    x => tf.image.decodePng(x, { channels: 3 }),
    [3, 5, 3],
    [
      29, 147, 147, 167, 32, 193, 185, 127, 32, 202, 244, 151, 254, 203, 114, 28, 34, 128, 164, 53, 133, 232, 244, 17, 132, 105, 42, 31,
      120, 1, 231, 169, 57, 102, 119, 11, 82, 91, 128, 99, 53, 140, 170, 84, 203,
    ],
  ],
  [
    "png rgba",
    "iVBORw0KGgoAAAANSUhEUgAAAAUAAAADCAYAAABbNsX4AAAASklEQVR4nAE/AMD/AB2Tk46nIMEJuX8gH8r0l6P+y3K3BP+P7fL9FcQdL3XxKZx1kxdVD9eHAeepOSN/ztKL7OR14BHaDOtHHz/LAX0gcTt2dH8AAAAASUVORK5CYII=",
    x => tf.image.decodePng(x),
    [3, 5, 4],
    [
      29, 147, 147, 142, 167, 32, 193, 9, 185, 127, 32, 31, 202, 244, 151, 163, 254, 203, 114, 183, 28, 34, 128, 128, 164, 53, 133, 38, 232,
      244, 17, 79, 132, 105, 42, 186, 31, 120, 1, 65, 231, 169, 57, 35, 102, 119, 11, 174, 82, 91, 128, 142, 99, 53, 140, 121, 170, 84, 203,
      68,
    ],
  ],
  [
    "png gray to rgb",
    "iVBORw0KGgoAAAANSUhEUgAAAAUAAAADCAAAAAB+XZokAAAAGklEQVR4nGNgO6Jf/4WplsPU9AvLaR4D/UsAOMYGXr9P11sAAAAASUVORK5CYII=",
    x => tf.image.decodePng(x, { channels: 3 }),
    [3, 5, 3],
    [
      6, 6, 6, 196, 196, 196, 47, 47, 47, 127, 127, 127, 244, 244, 244, 131, 131, 131, 204, 204, 204, 100, 100, 100, 180, 180, 180, 232,
      232, 232, 78, 78, 78, 143, 143, 143, 148, 148, 148, 227, 227, 227, 186, 186, 186,
    ],
  ],
  [
    "png rgb to rgba",
    "iVBORw0KGgoAAAANSUhEUgAAAAUAAAADCAIAAADUVFKvAAAAO0lEQVR4nAEwAM//AawvdRQUhgMkDhCu6VFCVAQsKRdiaevtlqUxPLP19gIEMTznxzLfLvgBwgO+gGSroOYTh0XHpeoAAAAASUVORK5CYII=",
    x => tf.image.decodePng(x, { channels: 4 }),
    [3, 5, 4],
    [
      172, 47, 117, 255, 192, 67, 251, 255, 195, 103, 9, 255, 211, 21, 242, 255, 36, 87, 70, 255, 216, 88, 140, 255, 58, 193, 230, 255, 39,
      87, 174, 255, 88, 81, 165, 255, 25, 77, 72, 255, 9, 148, 115, 255, 208, 243, 197, 255, 254, 79, 175, 255, 192, 82, 99, 255, 216, 177,
      243, 255,
    ],
  ],
  [
    "png gray",
    "iVBORw0KGgoAAAANSUhEUgAAAAUAAAADCAAAAAB+XZokAAAAGklEQVR4nGNgO6Jf/4WplsPU9AvLaR4D/UsAOMYGXr9P11sAAAAASUVORK5CYII=",
    x => tf.image.decodePng(x),
    [3, 5, 1],
    [6, 196, 47, 127, 244, 131, 204, 100, 180, 232, 78, 143, 148, 227, 186],
  ],
  [
    "png palette",
    "iVBORw0KGgoAAAANSUhEUgAAAAUAAAADBAMAAACpGNjLAAAAGFBMVEXU0tw6weZmfj6AWJ0kV0bVTK/TFfJfRHZMLjuCAAAAFElEQVR4nGM0+yDFJO3LwPT+0QEAFKgEP6oi+hAAAAAASUVORK5CYII=",
    x => tf.image.decodePng(x),
    [3, 5, 3],
    [
      128, 88, 157, 211, 21, 242, 102, 126, 62, 211, 21, 242, 36, 87, 70, 213, 76, 175, 58, 193, 230, 95, 68, 118, 128, 88, 157, 36, 87, 70,
      36, 87, 70, 212, 210, 220, 213, 76, 175, 213, 76, 175, 212, 210, 220,
    ],
  ],
  [
    "png 1 bit",
    "iVBORw0KGgoAAAANSUhEUgAAAAUAAAADAQAAAABzTfhVAAAADklEQVR4nGPwYLjBtAAABJoBwyo7D8UAAAAASUVORK5CYII=",
    x => tf.image.decodePng(x),
    [3, 5, 1],
    [0, 255, 0, 0, 255, 255, 255, 0, 255, 255, 0, 255, 255, 255, 255],
  ],
  [
    "png 16",
    "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACEAIAAABChi0OAAAAMUlEQVQImQEmANn/AzsXqs+LjXRq4u7d6q33ixsnkQTbjBvx0dILIjcJf9Di/OhdVHuCURQm+XvEQQAAAABJRU5ErkJggg==",
    x => tf.image.decodePng(x, { dtype: tf.uint16 }),
    [2, 3, 3],
    [15127, 43727, 35725, 37237, 14165, 8752, 62769, 42565, 14505, 5795, 50624, 23647, 40133, 28254, 41216, 55153, 36530, 62756],
  ],
  [
    "png 16 to 8",
    "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACEAIAAABChi0OAAAAMUlEQVQImQEmANn/AzsXqs+LjXRq4u7d6q33ixsnkQTbjBvx0dILIjcJf9Di/OhdVHuCURQm+XvEQQAAAABJRU5ErkJggg==",
    x => tf.image.decodePng(x),
    [2, 3, 3],
    [59, 170, 139, 145, 55, 34, 245, 166, 56, 22, 197, 92, 156, 110, 161, 215, 142, 245],
  ],
  [
    "png 8 to 16",
    "iVBORw0KGgoAAAANSUhEUgAAAAUAAAADCAIAAADUVFKvAAAAO0lEQVR4nAEwAM//AawvdRQUhgMkDhCu6VFCVAQsKRdiaevtlqUxPLP19gIEMTznxzLfLvgBwgO+gGSroOYTh0XHpeoAAAAASUVORK5CYII=",
    x => tf.image.decodePng(x, { dtype: tf.uint16 }),
    [3, 5, 3],
    [
      44204, 12079, 30069, 49344, 17219, 64507, 50115, 26471, 2313, 54227, 5397, 62194, 9252, 22359, 17990, 55512, 22616, 35980, 14906,
      49601, 59110, 10023, 22359, 44718, 22616, 20817, 42405, 6425, 19789, 18504, 2313, 38036, 29555, 53456, 62451, 50629, 65278, 20303,
      44975, 49344, 21074, 25443, 55512, 45489, 62451,
    ],
  ],
  [
    "png la",
    "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAQAAAA3fa6RAAAAFklEQVQImWNeZMCTbfKS8WyBlOqjVwAjCgWzLm6+2QAAAABJRU5ErkJggg==",
    x => tf.image.decodePng(x),
    [2, 3, 2],
    [162, 48, 93, 131, 98, 42, 205, 112, 231, 149, 201, 127],
  ],
  [
    "png la to rgb",
    "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAQAAAA3fa6RAAAAFklEQVQImWNeZMCTbfKS8WyBlOqjVwAjCgWzLm6+2QAAAABJRU5ErkJggg==",
    x => tf.image.decodePng(x, { channels: 3 }),
    [2, 3, 3],
    [162, 162, 162, 93, 93, 93, 98, 98, 98, 205, 205, 205, 231, 231, 231, 201, 201, 201],
  ],
  [
    "bmp",
    "Qk1mAAAAAAAAADYAAAAoAAAABQAAAAMAAAABABgAAAAAADAAAADEDgAAxA4AAAAAAAAAAAAAc5QJxfPQr0/+Y1LA87HYAIxY2ObBOq5XJ6VRWEhNGQB1L6z7Q8AJZ8PyFdNGVyQA",
    x => tf.image.decodeBmp(x),
    [3, 5, 3],
    [
      172, 47, 117, 192, 67, 251, 195, 103, 9, 211, 21, 242, 36, 87, 70, 216, 88, 140, 58, 193, 230, 39, 87, 174, 88, 81, 165, 25, 77, 72,
      9, 148, 115, 208, 243, 197, 254, 79, 175, 192, 82, 99, 216, 177, 243,
    ],
  ],
  [
    "gif",
    "R0lGODdhBQADAIIAANTS3DrB5mZ+PoBYnSRXRtVMr9MV8l9EdiwAAAAABQADAAAIFAAHGBBggECBAAcGECAAoEABAAEBADs=",
    x => tf.image.decodeGif(x),
    [1, 3, 5, 3],
    [
      128, 88, 157, 211, 21, 242, 102, 126, 62, 211, 21, 242, 36, 87, 70, 213, 76, 175, 58, 193, 230, 95, 68, 118, 128, 88, 157, 36, 87, 70,
      36, 87, 70, 212, 210, 220, 213, 76, 175, 213, 76, 175, 212, 210, 220,
    ],
  ],
  [
    "gif frames",
    "R0lGODdhBwAGAIMAAMHrlov8VpfFchS8pTu5SNmCpa+EVj2Nc79aknlUils/ZFYUmBVEcyIWliQOQgIDXiwAAAAABwAGAAAIMAAPDBigQACCAgQaOCDAYECDAwEaPDCggAEABA4GBDBAQMACAwYBJHBgwMHGAgsCAgAh+QQBAAAQACwAAAAABwAGAIPR27bS7wOhwJQ/5mtnusPPpW1sonI0qDMhheiNbFW4JDzCEpSEGng8a9czcT0qJToILwAZBACAAMCDAQAMKADQIMCDBAkKPGBQwMEBBAoWEDAggIGBAw0sLgCJwGIBAgEBACH5BAEAABAALAAAAAAHAAYAg7fibM+1i1zPlCLpqRHUMGaqVnqNiBWaYr1Zwc9LD8Y1sosWYCFgdi9CnDEnkCwNeQgtABkUEIAAwAABCQo0ULAAQIEEAgM4IEBggAECDQIcWDCA4cIBBxA8aFBApIOAADs=",
    x => tf.image.decodeGif(x),
    [3, 6, 7, 3],
    [
      61, 141, 115, 20, 188, 165, 20, 188, 165, 91, 63, 100, 151, 197, 114, 191, 90, 146, 217, 130, 165, 59, 185, 72, 34, 22, 150, 36, 14,
      66, 59, 185, 72, 21, 68, 115, 20, 188, 165, 34, 22, 150, 61, 141, 115, 139, 252, 86, 34, 22, 150, 2, 3, 94, 175, 132, 86, 91, 63, 100,
      21, 68, 115, 193, 235, 150, 191, 90, 146, 36, 14, 66, 20, 188, 165, 139, 252, 86, 175, 132, 86, 59, 185, 72, 151, 197, 114, 86, 20,
      152, 175, 132, 86, 151, 197, 114, 191, 90, 146, 193, 235, 150, 121, 84, 138, 36, 14, 66, 175, 132, 86, 36, 14, 66, 139, 252, 86, 175,
      132, 86, 217, 130, 165, 86, 20, 152, 132, 26, 120, 210, 239, 3, 209, 219, 182, 33, 133, 232, 209, 219, 182, 42, 37, 58, 63, 230, 107,
      209, 219, 182, 108, 162, 114, 184, 36, 60, 209, 219, 182, 60, 107, 215, 210, 239, 3, 42, 37, 58, 141, 108, 85, 141, 108, 85, 207, 165,
      109, 42, 37, 58, 132, 26, 120, 207, 165, 109, 51, 113, 61, 52, 168, 51, 33, 133, 232, 184, 36, 60, 194, 18, 148, 103, 186, 195, 108,
      162, 114, 161, 192, 148, 132, 26, 120, 108, 162, 114, 52, 168, 51, 60, 107, 215, 51, 113, 61, 52, 168, 51, 194, 18, 148, 52, 168, 51,
      60, 107, 215, 33, 133, 232, 51, 113, 61, 52, 168, 51, 207, 165, 109, 103, 186, 195, 33, 96, 118, 102, 170, 86, 92, 207, 148, 189, 89,
      193, 183, 226, 108, 34, 233, 169, 92, 207, 148, 207, 75, 15, 102, 170, 86, 47, 66, 156, 198, 53, 178, 139, 22, 96, 183, 226, 108, 102,
      170, 86, 207, 75, 15, 33, 96, 118, 102, 170, 86, 207, 181, 139, 49, 39, 144, 17, 212, 48, 17, 212, 48, 34, 233, 169, 122, 141, 136,
      17, 212, 48, 47, 66, 156, 207, 181, 139, 21, 154, 98, 139, 22, 96, 34, 233, 169, 198, 53, 178, 139, 22, 96, 47, 66, 156, 198, 53, 178,
      34, 233, 169, 21, 154, 98, 189, 89, 193, 44, 13, 121, 47, 66, 156, 102, 170, 86, 189, 89, 193, 44, 13, 121, 49, 39, 144,
    ],
  ],
  [
    "image float",
    "iVBORw0KGgoAAAANSUhEUgAAAAUAAAADCAIAAADUVFKvAAAAO0lEQVR4nAEwAM//AawvdRQUhgMkDhCu6VFCVAQsKRdiaevtlqUxPLP19gIEMTznxzLfLvgBwgO+gGSroOYTh0XHpeoAAAAASUVORK5CYII=",
    x => tf.image.decodeImage(x, { dtype: tf.float32 }),
    [3, 5, 3],
    [
      0.6745098233222961, 0.18431372940540314, 0.4588235318660736, 0.7529411911964417, 0.26274511218070984, 0.9843137264251709,
      0.7647058963775635, 0.40392157435417175, 0.03529411926865578, 0.8274509906768799, 0.08235294371843338, 0.9490196108818054,
      0.1411764770746231, 0.34117648005485535, 0.27450981736183167, 0.8470588326454163, 0.3450980484485626, 0.5490196347236633,
      0.22745098173618317, 0.7568627595901489, 0.9019607901573181, 0.15294118225574493, 0.34117648005485535, 0.6823529601097107,
      0.3450980484485626, 0.3176470696926117, 0.6470588445663452, 0.09803921729326248, 0.3019607961177826, 0.2823529541492462,
      0.03529411926865578, 0.5803921818733215, 0.45098039507865906, 0.8156862854957581, 0.9529411792755127, 0.772549033164978,
      0.9960784316062927, 0.30980393290519714, 0.686274528503418, 0.7529411911964417, 0.32156863808631897, 0.38823530077934265,
      0.8470588326454163, 0.6941176652908325, 0.9529411792755127,
    ],
  ],
  [
    "image gif",
    "R0lGODdhBQADAIIAANTS3DrB5mZ+PoBYnSRXRtVMr9MV8l9EdiwAAAAABQADAAAIFAAHGBBggECBAAcGECAAoEABAAEBADs=",
    x => tf.image.decodeImage(x, { expandAnimations: false }),
    [3, 5, 3],
    [
      128, 88, 157, 211, 21, 242, 102, 126, 62, 211, 21, 242, 36, 87, 70, 213, 76, 175, 58, 193, 230, 95, 68, 118, 128, 88, 157, 36, 87, 70,
      36, 87, 70, 212, 210, 220, 213, 76, 175, 213, 76, 175, 212, 210, 220,
    ],
  ],
])("%s", async (_, base64, decode, shape, pixels) => {
  const image = await value(() => decode(file(bytesOf(base64))));
  expect(image.shape).toEqual(shape);
  expect(Array.from(image.data as Uint8Array)).toEqual(pixels.map(pixel => (image.dtype === "float32" ? Math.fround(pixel) : pixel)));
});

test("what is written reads back", async () => {
  const pixels = tf.NDArray.from(Uint8Array.from({ length: 2 * 3 * 4 }, (_, i) => (i * 37) % 256)).reshape([2, 3, 4]);
  expect((await value(() => tf.image.decodePng(tf.image.encodePng(pixels)))).toArray()).toEqual(pixels.toArray());
});

test("16 bits a channel read back", async () => {
  const pixels = tf.NDArray.from(Uint16Array.from({ length: 2 * 3 * 3 }, (_, i) => (i * 7919) % 65536)).reshape([2, 3, 3]);
  const decoded = await value(() => tf.image.decodePng(tf.image.encodePng(pixels), { dtype: tf.uint16 }));
  expect(decoded.toArray()).toEqual(pixels.toArray());
});

const bitmap = (width: number, height: number, bits: number): Uint8Array => {
  const rowBytes = Math.floor(((width * bits) / 8 + 3) / 4) * 4;
  const bytes = new Uint8Array(54 + rowBytes * Math.abs(height));
  const view = new DataView(bytes.buffer);
  bytes.set([0x42, 0x4d]);
  view.setInt32(10, 54, true);
  view.setInt32(18, width, true);
  view.setInt32(22, height, true);
  view.setInt16(28, bits, true);
  for (let i = 54; i < bytes.length; i++) bytes[i] = ((i - 54) * 37 + 5) % 256;
  return bytes;
};

test.each([
  [8, 0, [5, 42, 153, 190]],
  [8, 3, [5, 5, 5, 42, 42, 42, 153, 153, 153, 190, 190, 190]],
  [24, 4, [79, 42, 5, 255, 190, 153, 116, 255, 119, 82, 45, 255, 230, 193, 156, 255]],
  [32, 3, [79, 42, 5, 227, 190, 153, 119, 82, 45, 11, 230, 193]],
])("a bitmap of %s bits as %s channels", async (bits, channels, pixels) => {
  const image = await value(() => tf.image.decodeBmp(file(bitmap(2, -2, bits)), { channels }));
  expect(Array.from(image.data as Uint8Array)).toEqual(pixels);
});

// A JPEG file of 4 × 4 pixels, as encodeJpeg writes it.
const jpeg = (): tf.Tensor => tf.image.encodeJpeg(tf.NDArray.from(Uint8Array.from({ length: 48 }, (_, i) => i)).reshape([4, 4, 3]));
const gif = file(bytesOf("R0lGODdhBQADAIIAANTS3DrB5mZ+PoBYnSRXRtVMr9MV8l9EdiwAAAAABQADAAAIFAAHGBBggECBAAcGECAAoEABAAEBADs="));

test("what the headers say", async () => {
  expect((await value(() => tf.image.extractJpegShape(jpeg()))).toArray()).toEqual([4, 4, 3]);
  expect((await value(() => tf.image.isJpeg(jpeg()))).get(0)).toBe(true);
  expect((await value(() => tf.image.isJpeg(gif))).get(0)).toBe(false);
});

test("any of them decodes as an image of any type", async () => {
  expect((await value(() => tf.image.decodeGif(jpeg()))).shape).toEqual([1, 4, 4, 3]);
  const [eight, sixteen, float] = await Promise.all(
    (["uint8", "uint16", "float32"] as const).map(dtype => value(() => tf.image.decodeImage(jpeg(), { dtype }))),
  );
  expect(sixteen.get(5)).toBe(Number(eight.get(5)) * 256);
  expect(float.get(5)).toBe(Math.fround(Number(eight.get(5)) * Math.fround(1 / 255)));
  const deep = tf.NDArray.from(Uint16Array.of(0, 1000, 40000, 65535)).reshape([2, 2, 1]);
  const values = (await value(() => tf.image.decodeImage(tf.image.encodePng(deep), { dtype: "float32" }))).toArray();
  expect(values).toEqual([
    [[0], [0.015259021893143654]],
    [[0.610360860824585], [1]],
  ]);
});

test("files of two frames are no single picture", async () => {
  const frames = bytesOf("R0lGODlhAQABAIAAAAAAAP///yH5BAAKAAAALAAAAAABAAEAAAICRAEAIfkEAAoAAAAsAAAAAAEAAQAAAgJEAQA7");
  expect((await value(() => tf.image.decodeGif(file(frames)))).shape).toEqual([2, 1, 1, 3]);
  await expect(value(() => tf.image.decodeJpeg(file(frames)))).rejects.toThrow(
    "Got 2 frames, but animated gifs can only be decoded by tf.io.decode_gif or tf.io.decode_image",
  );
});

test("what is refused", async () => {
  const refusal = (build: () => tf.Tensor): Promise<string> =>
    value(build).then(
      () => "nothing",
      (error: Error) => error.message.split("\n")[0],
    );
  const unknown = "Unknown image file format. One of JPEG, JPEG XL, PNG, GIF, BMP, WebP required.";
  expect(await refusal(() => tf.image.decodePng("abc"))).toBe(unknown);
  expect(await refusal(() => tf.image.decodeImage("abc"))).toBe(unknown);
  const cut = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1, 2, 3);
  expect(await refusal(() => tf.image.decodePng(file(cut)))).toBe("Invalid PNG. Failed to initialize decoder.");
  // A bit of the header's checksum, a file without its last bytes.
  const whole = pngFromPixels({ width: 2, height: 1, channels: 1, data: Uint8Array.of(3, 4) });
  const spoiled = whole.slice();
  spoiled[30] ^= 1;
  expect(await refusal(() => tf.image.decodePng(file(spoiled)))).toBe("Invalid PNG. Failed to initialize decoder.");
  expect(await refusal(() => tf.image.decodePng(file(whole.slice(0, -4))))).toBe(`Invalid PNG data, size ${whole.length - 4}`);
  const failed = "jpeg::Uncompress failed. Invalid JPEG data or crop window.";
  expect(await refusal(() => tf.image.decodeImage(file(Uint8Array.of(0xff, 0xd8, 0xff, 0xe0))))).toBe(failed);
  expect(await refusal(() => tf.image.decodeAndCropJpeg(jpeg(), [0, 1, 4, 4]))).toBe(failed);
  expect(await refusal(() => tf.image.decodeAndCropJpeg(gif, [0, 0, 1, 1]))).toBe(
    "DecodeAndCropJpeg operation can run on JPEG only, but detected GIF.",
  );
  expect(await refusal(() => tf.image.decodeJpeg(""))).toBe("Input is empty.");
  expect(await refusal(() => tf.image.decodeJpeg(jpeg(), { channels: 4 }))).toBe("JPEG does not support 4 channels");
  expect(await refusal(() => tf.image.decodeJpeg(jpeg(), { channels: 2 }))).toBe("`channels` must be 0, 1, 3 or 4 but got 2");
  expect(await refusal(() => tf.rawOps.DecodeJpeg({ contents: jpeg(), ratio: 3 }))).toBe("ratio must be 1, 2, 4, or 8, got 3");
  expect(await refusal(() => tf.image.decodeBmp(jpeg()))).toBe(
    "Trying to decode JPEG format using DecodeBmp op. Use `decode_jpeg` or `decode_image` instead.",
  );
  expect(await refusal(() => tf.image.decodeGif(file(bitmap(2, 2, 24))))).toBe(
    "Trying to decode BMP format using a wrong op. Use `decode_bmp` or `decode_image` instead. Op used: DecodeGif",
  );
  expect(await refusal(() => tf.image.decodeBmp(file(bitmap(2, 2, 24).slice(1))))).toBe(unknown);
  expect(await refusal(() => tf.image.decodeBmp(file(bitmap(2, 2, 24).slice(0, -1))))).toBe(
    "Input size should match (header_size + row_size * abs_height) but they differ by -1",
  );
  expect(await refusal(() => tf.image.decodeBmp(file(bitmap(2, 2, 16))))).toBe(
    "Number of channels inherent in the image must be 1, 3 or 4, was 2",
  );
  const pixels = tf.NDArray.zeros("uint8", [2, 2, 3]);
  expect(await refusal(() => tf.image.encodeJpeg(pixels, { quality: 101 }))).toBe("quality must be in [0,100], got 101");
  expect(await refusal(() => tf.image.encodeJpeg(pixels, { format: "grayscale" }))).toBe(
    "format grayscale expects 1 channels, got [2,2,3]",
  );
  expect(await refusal(() => tf.image.encodePng(pixels, { compression: 10 }))).toBe("compression should be in [-1,9], got 10");
  expect(() => tf.image.decodeJpeg("x", { channels: -1 })).toThrow("channels must be non-negative, got -1");
  expect(() => tf.image.decodeAndCropJpeg("x", [1, 2, 3])).toThrow("Dimension must be 4 but is 3");
});
