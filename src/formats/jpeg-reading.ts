// JPEG pictures, reading (ITU-T T.81): sequential and progressive Huffman coding, 8 bits, every sampling, gray, YCbCr, RGB, CMYK and YCCK, whole or a
// window, at a half, quarter or eighth of the size. Pixels are libjpeg-turbo's to the bit: its transforms, its smooth upsampling, its color factors.

import { InvalidArgumentError, UnimplementedError } from "../base/errors.ts";
import { type BlockSide, inverseTransform, type Method, scalesFor } from "./jpeg-dct.ts";
import { type Component, type Decoder, decoderOf, JpegDamage, JpegEnd, JpegReader, readScan } from "./jpeg-scans.ts";
import { annexAcCodes, annexDcCodes, marker, zigzag } from "./jpeg-tables.ts";
import type { Pixels } from "./png.ts";

export interface JpegOptions {
  /** 1: gray, 3: red green blue, 0: as the file has it. */
  readonly channels?: number;
  /** The picture at 1/ratio of its size. */
  readonly ratio?: 1 | 2 | 4 | 8;
  /** Colors of fewer samples are interpolated rather than repeated. */
  readonly isSmooth?: boolean;
  /** What is missing at the end of a file is gray, rather than an error. */
  readonly mayBeCutOff?: boolean;
  /** From what part of its rows a file that is cut off counts; the others are black. */
  readonly leastPart?: number;
  readonly method?: Method;
  /** Only this part, in pixels of the result. */
  readonly window?: JpegWindow | undefined;
}

export interface JpegWindow {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

const failure = (why: string): InvalidArgumentError =>
  new InvalidArgumentError(`jpeg::Uncompress failed. Invalid JPEG data or crop window.\n\n${why}`);

/** @throws InvalidArgumentError for files that are damaged, windows outside of the picture, pictures that are too large. */
export function pixelsFromJpeg(bytes: Uint8Array, options: JpegOptions = {}): Pixels {
  return refusing(failure, () => {
    const file = new JpegFile(bytes, options.mayBeCutOff ?? false);
    const frame = file.readToFrame();
    const plan = planOf(file, frame, options);
    file.allocate();
    try {
      file.readScans();
    } catch (error) {
      if (!(error instanceof JpegEnd) || !((options.leastPart ?? 1) < 1)) throw error;
      return cutOff(render(file, plan, options), file, plan, options);
    }
    return render(file, plan, options);
  });
}

/** The picture with its last rows black. @throws JpegEnd if that are too many. */
function cutOff(picture: Pixels, file: JpegFile, { side, window }: Plan, { leastPart = 1, isSmooth = true }: JpegOptions): Pixels {
  const [across, down] = file.sampling();
  // What is interpolated from the rows above and below waits for those below.
  const waits = isSmooth && side > 1 && file.components.some(part => part.down * 2 === down && part.across * 2 >= across);
  const rows = Math.max(file.wholeUnits * side * down - (waits ? 2 : 0) - window.top, 0);
  if (Math.fround(rows / picture.height) < leastPart) throw new JpegEnd("The data ends early.");
  picture.data.fill(0, Math.min(rows, picture.height) * picture.width * picture.channels);
  return picture;
}

/** Height, width and channels, from the headers alone. @throws InvalidArgumentError as pixelsFromJpeg does. */
export const shapeOfJpeg = (bytes: Uint8Array): [height: number, width: number, channels: number] =>
  refusing(
    why => new InvalidArgumentError(`Invalid JPEG data, size ${bytes.length}\n\n${why}`),
    () => {
      const { height, width, parts } = new JpegFile(bytes, false).readToFrame();
      return [height, width, parts.length === 1 ? 1 : parts.length === 3 ? 3 : 4];
    },
  );

function refusing<T>(fail: (why: string) => Error, body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw error instanceof JpegDamage ? fail(error.message) : error;
  }
}

// ---- the file ----

interface Part {
  readonly id: number;
  readonly across: number;
  readonly down: number;
  readonly table: number;
}

interface Frame {
  readonly width: number;
  readonly height: number;
  readonly isProgressive: boolean;
  readonly parts: readonly Part[];
}

/** The picture may be larger than its scans by this many blocks before the bytes are counted: no block takes less than a bit. */
const freeBlocks = 2 ** 16;
/** A damaged file of a few bytes a scan shall not keep anybody waiting. */
const mostScans = 1000;
const mostBlocksRead = 2 ** 27;

class JpegFile {
  readonly reader: JpegReader;
  readonly size: number;
  components: Component[] = [];
  hasJfif = false;
  /** How many rows of units the last scan has. */
  wholeUnits = 0;
  /** What an Adobe marker says of the colors. */
  adobe: number | undefined;
  private frame: Frame | undefined;
  private readonly mayBeCutOff: boolean;
  private readonly quantizations: (Uint16Array | undefined)[] = [];
  private readonly dc: (Decoder | undefined)[] = [];
  private readonly ac: (Decoder | undefined)[] = [];
  private restartInterval = 0;

  constructor(bytes: Uint8Array, mayBeCutOff: boolean) {
    this.reader = new JpegReader(bytes, mayBeCutOff);
    [this.size, this.mayBeCutOff] = [bytes.length, mayBeCutOff];
    if (this.reader.byte() !== 0xff || this.reader.byte() !== marker.SOI) throw new JpegDamage("It does not begin as a JPEG file.");
  }

  /** Size and colors; reads up to the first scan where that is not done. */
  readToFrame(): Frame {
    if (!this.frame && !this.readSegments()) throw new JpegDamage("There is no picture in it.");
    if (!this.frame) throw new JpegDamage("A scan comes before the size of the picture.");
    return this.frame;
  }

  /** Room for the coefficients. @throws JpegDamage where the file cannot have them all. */
  allocate(): void {
    const { width, height, parts } = this.readToFrame();
    const [across, down] = this.sampling();
    const [unitsWide, unitsHigh] = this.units();
    const blocks = parts.reduce((sum, part) => sum + unitsWide * unitsHigh * part.across * part.down, 0);
    if (!this.mayBeCutOff && blocks > freeBlocks + 8 * this.size) throw new JpegEnd("The data ends early.");
    this.components = parts.map(part => ({
      ...part,
      blocksWide: Math.ceil((width * part.across) / (8 * across)),
      blocksHigh: Math.ceil((height * part.down) / (8 * down)),
      stride: unitsWide * part.across,
      coefficients: new Int16Array(64 * unitsWide * part.across * unitsHigh * part.down),
      quantization: undefined,
    }));
  }

  sampling(): [across: number, down: number] {
    const { parts } = this.readToFrame();
    return [Math.max(...parts.map(part => part.across)), Math.max(...parts.map(part => part.down))];
  }

  private units(): [wide: number, high: number] {
    const { width, height } = this.readToFrame();
    const [across, down] = this.sampling();
    return [Math.ceil(width / (8 * across)), Math.ceil(height / (8 * down))];
  }

  /** Reads every scan to the end of the picture. */
  readScans(): void {
    let [scans, blocks] = [0, 0];
    let isWhole = false;
    do {
      // A first scan of all colors is the whole of a sequential picture.
      if (isWhole) throw new JpegDamage("There is another scan behind the last.");
      const { coded, isAll } = this.readScan();
      isWhole = isAll;
      [scans, blocks] = [scans + 1, blocks + coded];
      if (scans > mostScans || (scans > 100 && blocks > mostBlocksRead)) throw new JpegDamage("There are too many scans.");
    } while (this.readSegments());
  }

  private readScan(): { coded: number; isAll: boolean } {
    const { isProgressive, parts } = this.readToFrame();
    this.reader.accept();
    const content = this.reader.segment();
    const count = content[0];
    if (!(count >= 1 && count <= 4) || content.length !== 4 + 2 * count) throw new JpegDamage("The header of a scan is damaged.");
    const chosen = Array.from({ length: count }, (_, i) => {
      const component = this.components.find(({ id }) => id === content[1 + 2 * i]);
      if (!component) throw new JpegDamage("A scan is of a color that the picture does not have.");
      const tables = content[2 + 2 * i];
      const orAnnex = isProgressive ? () => undefined : annexDecoder;
      const [dc, ac] = [tables >> 4, tables & 15];
      return { component, dc: this.dc[dc] ?? orAnnex("dc", dc), ac: this.ac[ac] ?? orAnnex("ac", ac) };
    });
    if (new Set(chosen.map(({ component }) => component)).size < count) throw new JpegDamage("A scan has a color twice.");
    if (count > 1 && chosen.reduce((sum, { component: { across, down } }) => sum + across * down, 0) > 10)
      throw new JpegDamage("A scan has too many blocks in a unit.");
    for (const { component } of chosen) {
      component.quantization ??= this.quantizations[component.table]?.slice();
      if (!component.quantization) throw new JpegDamage("A quantization table is missing.");
    }
    const isAll = !isProgressive && count === parts.length;
    const [from, to, bits] = content.subarray(-3);
    const [unitsWide, unitsHigh] = this.units();
    this.wholeUnits = readScan(this.reader, {
      components: chosen,
      unitsWide,
      unitsHigh,
      restartInterval: this.restartInterval,
      isProgressive,
      from,
      to,
      high: bits >> 4,
      low: bits & 15,
    });
    const alone = chosen[0].component.blocksHigh;
    if (this.wholeUnits < (count === 1 ? alone : unitsHigh))
      throw isAll ? new JpegEnd("The data ends early.") : new JpegDamage("The data ends early.");
    const coded = chosen.reduce((sum, { component }) => sum + component.coefficients.length / 64, 0);
    return { coded, isAll };
  }

  /** Reads tables up to a scan, which is left waiting: true; or up to the end: false. */
  private readSegments(): boolean {
    for (;;) {
      const code = this.reader.nextMarker();
      if (code === marker.SOS) return true;
      this.reader.accept();
      if (code === marker.EOI) return false;
      if (code === marker.SOF0 || code === marker.SOF1 || code === marker.SOF2) this.readFrame(this.reader.segment(), code === marker.SOF2);
      else if (code === marker.DHT) this.readCodes(this.reader.segment());
      else if (code === marker.DQT) this.readQuantizations(this.reader.segment());
      else if (code === marker.DRI) {
        const content = this.reader.segment();
        if (content.length !== 2) throw new JpegDamage("The restart interval is damaged.");
        this.restartInterval = (content[0] << 8) | content[1];
      } else if (code >= marker.APP0 || code === 0xcc || code === 0xdc) this.readNote(code, this.reader.segment());
      else if (code >= 0xc3 && code <= 0xcf && code !== 0xc8)
        throw new UnimplementedError("JPEG files with lossless, hierarchical or arithmetic coding cannot be decoded.");
      else if (!(code >= marker.RST0 && code <= marker.RST7) && code !== 1) throw new JpegDamage(`Marker ${code} is unknown.`);
    }
  }

  private readNote(code: number, content: Uint8Array): void {
    const starts = (text: string): boolean => [...text].every((letter, i) => content[i] === letter.charCodeAt(0));
    if (code === marker.APP0 && content.length >= 14 && starts("JFIF\0")) this.hasJfif = true;
    if (code === marker.APP14 && content.length >= 12 && starts("Adobe")) this.adobe = content[11];
  }

  private readFrame(content: Uint8Array, isProgressive: boolean): void {
    if (this.frame) throw new JpegDamage("The picture has two sizes.");
    if (content.length < 6 || content.length !== 6 + 3 * content[5]) throw new JpegDamage("The header of the picture is damaged.");
    const [bits, height, width, count] = [content[0], (content[1] << 8) | content[2], (content[3] << 8) | content[4], content[5]];
    if (bits !== 8) throw new JpegDamage(`Samples of ${bits} bits are not supported.`);
    if (height === 0 || width === 0 || count === 0) throw new JpegDamage("The picture is empty.");
    if (height > 65500 || width > 65500 || count > 10) throw new JpegDamage("The picture is too large.");
    const parts = Array.from({ length: count }, (_, i): Part => {
      const [id, sampling, table] = content.subarray(6 + 3 * i);
      const [across, down] = [sampling >> 4, sampling & 15];
      if (across < 1 || across > 4 || down < 1 || down > 4) throw new JpegDamage("A color has a wrong number of samples.");
      return { id, across, down, table };
    });
    this.frame = { width, height, isProgressive, parts };
  }

  private readCodes(content: Uint8Array): void {
    for (let at = 0; at < content.length; ) {
      const counts = content.slice(at + 1, at + 17);
      const total = counts.reduce((a, b) => a + b, 0);
      const [kind, index] = [content[at] >> 4, content[at] & 15];
      if (counts.length < 16 || total > 256 || total > content.length - at - 17 || kind > 1 || index > 3)
        throw new JpegDamage("A Huffman table is damaged.");
      const symbols = new Uint8Array(256);
      symbols.set(content.subarray(at + 17, at + 17 + total));
      (kind === 0 ? this.dc : this.ac)[index] = decoderOf({ counts, symbols }, kind === 0);
      at += 17 + total;
    }
  }

  private readQuantizations(content: Uint8Array): void {
    for (let at = 0; at < content.length; ) {
      const [isWide, index] = [content[at] >> 4 !== 0, content[at] & 15];
      const length = isWide ? 129 : 65;
      if (index > 3 || at + length > content.length) throw new JpegDamage("A quantization table is damaged.");
      const factors = new Uint16Array(64);
      for (let k = 0; k < 64; k++)
        factors[zigzag[k]] = isWide ? (content[at + 1 + 2 * k] << 8) | content[at + 2 + 2 * k] : content[at + 1 + k];
      this.quantizations[index] = factors;
      at += length;
    }
  }
}

/** The codes of annex K, which some cameras leave out: the first table for luminance, the second for chrominance. */
const annexDecoder = (kind: "dc" | "ac", index: number): Decoder | undefined =>
  index > 1 ? undefined : decoderOf((kind === "dc" ? annexDcCodes() : annexAcCodes())[index], kind === "dc");

// ---- the plan ----

type Colors = "gray" | "ycc" | "rgb" | "cmyk" | "ycck" | "other";

function colorsOf({ hasJfif, adobe }: JpegFile, { parts }: Frame): Colors {
  if (parts.length === 1) return "gray";
  if (parts.length === 4) return adobe === undefined || adobe === 0 ? "cmyk" : "ycck";
  if (parts.length !== 3) return "other";
  if (hasJfif) return "ycc";
  if (adobe !== undefined) return adobe === 0 ? "rgb" : "ycc";
  return String.fromCharCode(...parts.map(({ id }) => id)) === "RGB" ? "rgb" : "ycc";
}

interface Plan {
  readonly colors: Colors;
  readonly channels: 1 | 3;
  readonly width: number;
  readonly height: number;
  readonly window: JpegWindow;
  /** Pixels of a block for the colors with the most samples. */
  readonly side: BlockSide;
}

function planOf(file: JpegFile, frame: Frame, { channels = 0, ratio = 1, window }: JpegOptions): Plan {
  const [width, height] = [Math.ceil(frame.width / ratio), Math.ceil(frame.height / ratio)];
  const colors = colorsOf(file, frame);
  const wanted = channels === 0 ? Math.min(frame.parts.length, 3) : channels;
  if (wanted !== 1 && wanted !== 3) throw new JpegDamage(`Pictures of ${wanted} colors are not supported.`);
  if (width * height * frame.parts.length >= 2 ** 29) throw new JpegDamage("The picture is too large.");
  if (colors === "other" || (wanted === 1 && (colors === "cmyk" || colors === "ycck")))
    throw new JpegDamage("There is no way from the colors of the picture to those that are asked for.");
  if (window) {
    const { top, left } = window;
    const isInside = top >= 0 && left >= 0 && top + window.height <= height && left + window.width <= width;
    if (!isInside || window.height <= 0 || window.width <= 0)
      throw new JpegDamage(
        `The crop window (x=${left}, y=${top}, w=${window.width}, h=${window.height}) is not within ${width} × ${height} pixels.`,
      );
  }
  return {
    colors,
    channels: wanted,
    width,
    height,
    window: window ?? { top: 0, left: 0, height, width },
    side: sides[ratio],
  };
}

const sides = { 1: 8, 2: 4, 4: 2, 8: 1 } as const;

// ---- coefficients to pixels ----

/** The samples of one color, rows from the top. */
interface Plane {
  readonly data: Uint8Array;
  readonly stride: number;
  /** Samples that belong to the picture, or to the window and what is beside it in its units. */
  readonly width: number;
  readonly height: number;
  /** How many pixels a sample is wide and high. */
  readonly across: number;
  readonly down: number;
  /** Are its pixels interpolated where they are twice as many? */
  readonly isSmooth: boolean;
}

/** The pixels of all coefficients: samples by the inverse transforms, sizes by interpolation, colors by their factors. */
function render(file: JpegFile, plan: Plan, { isSmooth = true, method = "fast", window }: JpegOptions): Pixels {
  const { channels, colors, side } = plan;
  const { top, left, width, height } = plan.window;
  // libjpeg moves the left side of a window to a whole unit and forgets what lies beyond its sides.
  const [across] = file.sampling();
  const extra = window ? left % (side * (file.components.length === 1 ? 1 : across)) : 0;
  const region: Region = { from: left - extra, width: extra + width, isWindow: window !== undefined };
  const needed = channels === 1 && colors === "ycc" ? file.components.slice(0, 1) : file.components;
  const planes = needed.map(component => planeOf(file, component, plan, region, isSmooth && side > 1, method));
  const rows = planes.map(() => new Uint8Array(region.width));
  const data = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y++) {
    planes.forEach((plane, i) => void upsample(plane, top + y, rows[i]));
    const out = data.subarray(y * width * channels, (y + 1) * width * channels);
    convertRow(
      plan,
      file.adobe !== undefined,
      rows.map(row => row.subarray(extra)),
      out,
    );
  }
  return { width, height, channels, data };
}

interface Region {
  readonly from: number;
  readonly width: number;
  readonly isWindow: boolean;
}

function planeOf(
  file: JpegFile,
  component: Component,
  { width, height, side }: Plan,
  region: Region,
  isSmooth: boolean,
  method: Method,
): Plane {
  const [mostAcross, mostDown] = file.sampling();
  // A smaller picture takes more pixels from the blocks of colors with fewer samples.
  let own: number = side;
  while (own < 8 && isWhole(mostAcross * side, component.across * own * 2) && isWhole(mostDown * side, component.down * own * 2)) own *= 2;
  const [across, down] = [(mostAcross * side) / (component.across * own), (mostDown * side) / (component.down * own)];
  if (!Number.isInteger(across) || !Number.isInteger(down)) throw new JpegDamage("The samples of a color have no whole number of pixels.");
  const all = Math.ceil(width / across);
  const from = region.from / across;
  const samples = region.isWindow ? Math.ceil(region.width / across) : all;
  const stride = component.blocksWide * own;
  const data = new Uint8Array(stride * component.blocksHigh * own);
  const blockSide = own as BlockSide;
  const [transform, scales] = [
    inverseTransform(blockSide, method),
    scalesFor(component.quantization ?? new Uint16Array(64), blockSide, method),
  ];
  for (let y = 0; y < component.blocksHigh; y++)
    for (let x = 0; x < component.blocksWide; x++)
      transform(component.coefficients, 64 * (y * component.stride + x), scales, data, y * own * stride + x * own, stride);
  return {
    data: data.subarray(from),
    stride,
    width: samples,
    height: Math.ceil(height / down),
    across,
    down,
    isSmooth: isSmooth && (across === 1 || (all > 2 && samples > 1)),
  };
}

const isWhole = (x: number, parts: number): boolean => x % parts === 0;

/** One row of a color at the size of the picture. */
function upsample({ data, stride, width, height, across, down, isSmooth }: Plane, y: number, out: Uint8Array): void {
  const row = Math.floor(y / down);
  const [at, beside] = [row * stride, Math.min(Math.max(y % down === 0 ? row - 1 : row + 1, 0), height - 1) * stride];
  if (across === 1 && (down === 1 || (down === 2 && isSmooth))) {
    if (down === 1) out.set(data.subarray(at, at + out.length));
    else for (let x = 0; x < out.length; x++) out[x] = (3 * data[at + x] + data[beside + x] + 1 + (y % 2)) >> 2;
  } else if (across === 2 && down <= 2 && isSmooth) {
    // Sums in 4ths; the last halves go to one side and to the other, so that the picture does not get brighter.
    const [toLeft, toRight] = down === 1 ? [4, 8] : [8, 7];
    const sum = (x: number): number => (down === 1 ? 4 * data[at + x] : 3 * data[at + x] + data[beside + x]);
    let [before, here] = [sum(0), sum(0)];
    for (let x = 0; x < width; x++) {
      const after = x + 1 < width ? sum(x + 1) : here;
      out[2 * x] = (3 * here + before + toLeft) >> 4;
      if (2 * x + 1 < out.length) out[2 * x + 1] = (3 * here + after + toRight) >> 4;
      [before, here] = [here, after];
    }
  } else for (let x = 0; x < out.length; x++) out[x] = data[at + Math.floor(x / across)];
}

const half = 1 << 15;
/** A factor in 2¹⁶ths. */
const fixed = (x: number): number => Math.round(x * 65536);
const [redOfCr, blueOfCb, greenOfCr, greenOfCb] = [fixed(1.402), fixed(1.772), fixed(0.71414), fixed(0.34414)];
const [grayOfRed, grayOfGreen, grayOfBlue] = [fixed(0.299), fixed(0.587), fixed(0.114)];

/** One row of pixels from its colors. */
function convertRow({ colors, channels }: Plan, hasAdobe: boolean, rows: readonly Uint8Array[], out: Uint8Array): void {
  const [first, second, third, black] = rows;
  const width = out.length / channels;
  const clamped = new Uint8ClampedArray(out.buffer, out.byteOffset, out.length);
  if (channels === 1 && colors === "rgb") {
    for (let x = 0; x < width; x++) out[x] = (grayOfRed * first[x] + grayOfGreen * second[x] + grayOfBlue * third[x] + half) >> 16;
    return;
  }
  if (channels === 1) return out.set(first.subarray(0, width));
  for (let x = 0, at = 0; x < width; x++, at += 3) {
    if (colors === "gray" || colors === "rgb" || colors === "cmyk") {
      out[at] = first[x];
      out[at + 1] = colors === "gray" ? first[x] : second[x];
      out[at + 2] = colors === "gray" ? first[x] : third[x];
    } else {
      const [y, cb, cr] = [first[x], second[x] - 128, third[x] - 128];
      clamped[at] = y + ((redOfCr * cr + half) >> 16);
      clamped[at + 1] = y + ((half - greenOfCb * cb - greenOfCr * cr) >> 16);
      clamped[at + 2] = y + ((blueOfCb * cb + half) >> 16);
    }
    if (!black) continue;
    // Inks as they are stored by whoever writes an Adobe marker: 255 is none.
    for (let c = at; c < at + 3; c++) {
      const ink = colors === "ycck" ? 255 - out[c] : out[c];
      out[c] = Math.floor((hasAdobe ? black[x] * ink : (255 - black[x]) * (255 - ink)) / 255);
    }
  }
}
