// WAV sound: 16 bits a sample, uncompressed.

import { InvalidArgumentError } from "../base/errors.ts";
import { encodeText } from "../base/ndarray.ts";

const headBytes = 44;

/** Samples from -1 to 1, frame by frame with one for each channel; what is louder is cut off. */
export function wavFromSamples(samples: ArrayLike<number>, channels: number, sampleRate: number): Uint8Array {
  const bytes = new Uint8Array(headBytes + 2 * samples.length);
  const view = new DataView(bytes.buffer);
  const rate = Math.trunc(sampleRate);
  bytes.set(encodeText("RIFF"), 0);
  view.setUint32(4, bytes.length - 8, true);
  bytes.set(encodeText("WAVEfmt "), 8);
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * channels * 2, true);
  view.setUint16(32, channels * 2, true);
  view.setUint16(34, 16, true);
  bytes.set(encodeText("data"), 36);
  view.setUint32(40, 2 * samples.length, true);
  for (let i = 0; i < samples.length; i++) view.setInt16(headBytes + 2 * i, toSample(samples[i]), true);
  return bytes;
}

/** Rounded half away from zero, as C does. */
function toSample(value: number): number {
  const scaled = Math.fround(value * 32768);
  return Math.min(Math.max(Math.sign(scaled) * Math.floor(Math.abs(scaled) + 0.5), -32768), 32767) || 0;
}

/** What a WAV file of 16 bits holds: samples frame by frame, -32768 to 32767. */
export interface WavSound {
  readonly samples: Int16Array;
  readonly channels: number;
  readonly sampleRate: number;
}

/** Reads text and numbers of a WAV file one after another. */
class WavReader {
  at = 0;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  private need(count: number): number {
    if (count > this.left) throw new InvalidArgumentError("Data too short when trying to read string");
    this.at += count;
    return this.at - count;
  }

  text(length: number): string {
    const at = this.need(length);
    return String.fromCharCode(...this.bytes.subarray(at, at + length));
  }

  expect(text: string): void {
    const found = this.text(text.length);
    if (found !== text) throw new InvalidArgumentError(`Header mismatch: Expected ${text} but found ${found}`);
  }

  uint16(): number {
    return this.view.getUint16(this.need(2), true);
  }

  uint32(): number {
    return this.view.getUint32(this.need(4), true);
  }

  skip(count: number): void {
    this.need(count);
  }

  samples(count: number): Int16Array {
    const at = this.need(2 * count);
    return Int16Array.from({ length: count }, (_, i) => this.view.getInt16(at + 2 * i, true));
  }
}

/** The sound of a WAV file. @throws InvalidArgumentError with TensorFlow's text for files that are damaged, compressed, or not of 16 bits. */
export function samplesOfWav(bytes: Uint8Array): WavSound {
  const refuse = (reason: string): never => {
    throw new InvalidArgumentError(reason);
  };
  const reader = new WavReader(bytes);
  reader.expect("RIFF");
  reader.uint32();
  reader.expect("WAVE");
  for (let name = reader.text(4); name !== "fmt "; name = reader.text(4)) {
    // What may stand before the format; anything else is no sound.
    if (!/^(?:JUNK|bext|iXML|qlty|mext|levl|link|axml)$/.test(name)) refuse(`Unexpected field ${name}`);
    reader.skip(reader.uint32());
  }
  const formatSize = reader.uint32();
  const format = reader.uint16();
  const channels = reader.uint16();
  const sampleRate = reader.uint32();
  const bytesPerSecond = reader.uint32();
  const bytesPerFrame = reader.uint16();
  const bits = reader.uint16();
  if (formatSize !== 16 && formatSize !== 18) refuse(`Bad format chunk size for WAV: Expected 16 or 18, but got${formatSize}`);
  if (format !== 1) refuse(`Bad audio format for WAV: Expected 1 (PCM), but got${format}`);
  if (formatSize === 18 && reader.uint16() !== 0) refuse("Bad extra parameter size for WAV.");
  if (bits !== 16) refuse(`Can only read 16-bit WAV files, but received ${bits}`);
  if (channels < 1) refuse(`Bad number of channels for WAV: Expected at least 1, but got ${channels}`);
  if (bytesPerFrame !== 2 * channels) refuse(`Bad bytes per sample in WAV header: Expected ${2 * channels} but got ${bytesPerFrame}`);
  if (bytesPerSecond !== bytesPerFrame * sampleRate)
    refuse(
      `Bad bytes per second in WAV header: Expected ${bytesPerFrame * sampleRate} but got ${bytesPerSecond} (sample_rate=${sampleRate}, bytes_per_sample=${bytesPerFrame})`,
    );
  while (reader.left > 0) {
    const name = reader.text(4);
    const size = reader.uint32();
    if (name === "data") return { samples: reader.samples(Math.floor(size / bytesPerFrame) * channels), channels, sampleRate };
    reader.skip(size);
  }
  return refuse("No data chunk found in WAV");
}
