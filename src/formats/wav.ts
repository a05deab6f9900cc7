// WAV sound, writing: 16 bits a sample, uncompressed.

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
