// Sound: WAV files as samples and back, spectrograms, and mel-frequency cepstral coefficients of them.

import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { type Dimension, TensorShape } from "../../base/shape.ts";
import { samplesOfWav, wavFromSamples } from "../../formats/wav.ts";
import * as attr from "../../graph/attributes.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Named } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import * as ir from "../../ir/build.ts";
import { collect, need } from "../arguments.ts";
import { type NameOption, named } from "../named.ts";
import { bytesAt } from "../string/string.ts";

// ---- WAV ----

function wantedSize(wanted: number, name: string): Dimension {
  if (wanted === -1) return null;
  if (wanted < 0) throw new ValueError(`${name} must be non-negative, got ${wanted}`);
  return wanted;
}

/** Samples from -1 to 1, `[samples, channels]`, and how many there are in a second. */
export const DecodeWav = defineOp("DecodeWav", {
  inputs: { contents: "string" },
  outputs: { audio: "float32", sampleRate: "int32" },
  attrs: { desiredChannels: attr.int(-1), desiredSamples: attr.int(-1) },
  shape: ({ contents, desiredChannels, desiredSamples }) => {
    contents.withRank(0);
    const channels = wantedSize(desiredChannels, "channels");
    return [new TensorShape([wantedSize(desiredSamples, "samples"), channels]), new TensorShape([])];
  },
  host: ({ contents, desiredChannels, desiredSamples }) => {
    if (contents.rank !== 0) throw new InvalidArgumentError(`contents must be scalar, got shape [${contents.shape}]`);
    const { samples, channels, sampleRate } = samplesOfWav(bytesAt(contents, 0));
    const count = desiredSamples === -1 ? samples.length / channels : desiredSamples;
    const width = desiredChannels === -1 ? channels : desiredChannels;
    const audio = NDArray.zeros("float32", [count, width]);
    for (let i = 0; i < count; i++)
      for (let c = 0; c < width; c++) {
        // A channel that the file does not have is its last one again.
        const at = i * channels + Math.min(c, channels - 1);
        if (at < samples.length) audio.set(i * width + c, samples[at] / 32768);
      }
    return [audio, NDArray.full("int32", [], sampleRate)];
  },
});

/** Samples `[samples, channels]` as a WAV file of 16 bits. */
export const EncodeWav = defineOp("EncodeWav", {
  inputs: { audio: "float32", sampleRate: "int32" },
  outputs: { contents: "string" },
  attrs: {},
  shape: ({ audio, sampleRate }) => {
    audio.withRank(2);
    sampleRate.withRank(0);
    return new TensorShape([]);
  },
  host: ({ audio, sampleRate }) => {
    if (audio.rank !== 2) throw new InvalidArgumentError(`audio must be 2-dimensional[${audio.shape}]`);
    if (sampleRate.rank !== 0)
      throw new InvalidArgumentError(`Input sample_rate should be a scalar tensor, got [${sampleRate.shape}] instead.`);
    const [, channelCount] = audio.shape;
    need(channelCount > 0 && channelCount < 2 ** 16, () => `num_channels must be in (0, 2^16), got: ${channelCount}`);
    const rate = Number(sampleRate.get(0));
    need(rate > 0, () => `sample_rate must be in (0, 2^32), got: ${BigInt.asUintN(64, BigInt(rate))}`);
    const out = NDArray.zeros("string", []);
    out.set(0, wavFromSamples(audio.data as Float32Array, audio.shape[1], Number(sampleRate.get(0))));
    return out;
  },
});

// ---- spectrograms ----

/** |DFT|² of real values padded with zeros to `size`, bins 0 to size / 2. */
function powerOf(values: Float64Array, size: number): Float64Array {
  const re = new Float64Array(size);
  re.set(values);
  const im = new Float64Array(size);
  // In place, radix 2: bits reversed, then butterflies.
  for (let i = 1, j = 0; i < size; i++) {
    let bit = size >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j |= bit;
    if (i < j) [re[i], re[j]] = [re[j], re[i]];
  }
  for (let length = 2; length <= size; length *= 2)
    for (let start = 0; start < size; start += length)
      for (let k = 0; k < length / 2; k++) {
        const angle = (-2 * Math.PI * k) / length;
        const [c, s] = [Math.cos(angle), Math.sin(angle)];
        const [a, b] = [start + k, start + k + length / 2];
        const [x, y] = [re[b] * c - im[b] * s, re[b] * s + im[b] * c];
        [re[b], im[b], re[a], im[a]] = [re[a] - x, im[a] - y, re[a] + x, im[a] + y];
      }
  return Float64Array.from({ length: size / 2 + 1 }, (_, k) => re[k] ** 2 + im[k] ** 2);
}

const powerOfTwo = (least: number): number => 2 ** Math.ceil(Math.log2(Math.max(least, 1)));

/** Magnitudes of the frequencies of windows along time (Hann), `[channels, windows, bins]`. */
export const AudioSpectrogram = defineOp("AudioSpectrogram", {
  inputs: { input: "float32" },
  outputs: { spectrogram: "float32" },
  attrs: { windowSize: attr.int(), stride: attr.int(), magnitudeSquared: attr.bool(false) },
  shape: ({ input, windowSize, stride }) => {
    const samples = input.withRank(2).dim(0);
    if (windowSize < 2) throw new ValueError(`window size must be > 1, got ${windowSize}`);
    if (stride < 1) throw new ValueError(`stride must be strictly positive, got ${stride}`);
    const count = samples === null ? null : windowCount(samples, windowSize, stride);
    return new TensorShape([input.dim(1), count, 1 + powerOfTwo(windowSize) / 2]);
  },
  lower: ({ input, windowSize, stride, magnitudeSquared }) => {
    if (input.shape.length !== 2) throw new InvalidArgumentError(`input must be 2-dimensional[${input.shape}]`);
    const [samples, channels] = input.shape;
    const count = windowCount(samples, windowSize, stride);
    const size = powerOfTwo(windowSize);
    const bins = 1 + size / 2;
    const window = Float64Array.from({ length: windowSize }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / windowSize));
    const run = ([given]: readonly NDArray[], [out]: readonly NDArray[]): void => {
      for (let c = 0; c < channels; c++)
        for (let t = 0; t < count; t++) {
          const part = window.map((weight, i) => weight * Number(given.get((t * stride + i) * channels + c)));
          powerOf(part, size).forEach((power, k) => void out.set((c * count + t) * bins + k, magnitudeSquared ? power : Math.sqrt(power)));
        }
    };
    return ir.call({ name: "AudioSpectrogram", run }, [input], [{ dtype: "float32", shape: [channels, count, bins] }])[0];
  },
});

const windowCount = (samples: number, size: number, stride: number): number =>
  samples < size ? 0 : 1 + Math.floor((samples - size) / stride);

// ---- cepstral coefficients ----

const melOf = (frequency: number): number => 1127 * Math.log1p(frequency / 700);

/** For each bin of a spectrogram the channel below it and how much of the bin is that channel's. */
interface Filterbank {
  readonly start: number;
  readonly end: number;
  readonly channels: Int32Array;
  readonly weights: Float64Array;
}

/** Triangles at equal distances in mel, or undefined where there can be none. */
function filterbank(bins: number, rate: number, count: number, lower: number, upper: number): Filterbank | undefined {
  if (bins < 2 || rate <= 0 || count < 1 || lower < 0 || upper <= lower) return undefined;
  const low = melOf(lower);
  const spacing = (melOf(upper) - low) / (count + 1);
  const centers = Array.from({ length: count + 1 }, (_, i) => low + spacing * (i + 1));
  const width = (0.5 * rate) / (bins - 1);
  const [start, end] = [Math.trunc(1.5 + lower / width), Math.trunc(upper / width)];
  const channels = new Int32Array(bins).fill(-2);
  const weights = new Float64Array(bins);
  let channel = 0;
  for (let i = start; i <= Math.min(end, bins - 1); i++) {
    const mel = melOf(i * width);
    while (channel < count && centers[channel] < mel) channel++;
    channels[i] = channel - 1;
    const before = channel === 0 ? low : centers[channel - 1];
    weights[i] = (centers[channel] - mel) / (centers[channel] - before);
  }
  return { start, end, channels, weights };
}

const floorOfLog = 1e-12;

function melEnergies(power: Float64Array, { start, end, channels, weights }: Filterbank, count: number): Float64Array {
  const out = new Float64Array(count);
  for (let i = start; i <= end; i++) {
    const magnitude = Math.sqrt(power[i]);
    const weighted = magnitude * weights[i];
    const channel = channels[i];
    if (channel >= 0) out[channel] += weighted;
    if (channel + 1 < count) out[channel + 1] += magnitude - weighted;
  }
  return out;
}

/** Cepstral coefficients of each window of a spectrogram: logarithms of the energies of mel bands, and their cosine transform. */
export const Mfcc = defineOp("Mfcc", {
  inputs: { spectrogram: "float32", sampleRate: "int32" },
  outputs: { output: "float32" },
  attrs: {
    upperFrequencyLimit: attr.float(4000),
    lowerFrequencyLimit: attr.float(20),
    filterbankChannelCount: attr.int(40),
    dctCoefficientCount: attr.int(13),
  },
  shape: ({ spectrogram, sampleRate, dctCoefficientCount }) => {
    const { dims } = spectrogram.withRank(3);
    sampleRate.withRank(0);
    return new TensorShape([...(dims ?? [null, null]).slice(0, 2), dctCoefficientCount === -1 ? null : dctCoefficientCount]);
  },
  checks: ({ sampleRate }) =>
    need(sampleRate.length === 0, () => `Input sample_rate should be a scalar tensor, got [${sampleRate}] instead.`),
  lower: ({ spectrogram, sampleRate, upperFrequencyLimit, lowerFrequencyLimit, filterbankChannelCount: count, dctCoefficientCount }) => {
    if (spectrogram.shape.length !== 3) throw new InvalidArgumentError(`spectrogram must be 3-dimensional[${spectrogram.shape}]`);
    const [channels, windows, bins] = spectrogram.shape;
    const norm = Math.sqrt(2 / count);
    const cosines = Array.from({ length: dctCoefficientCount }, (_, i) =>
      Float64Array.from({ length: count }, (_unused, j) => norm * Math.cos(((i * Math.PI) / count) * (j + 0.5))),
    );
    const run = ([given, rateArray]: readonly NDArray[], [out]: readonly NDArray[]): void => {
      const rate = Number(rateArray.get(0));
      const bank = filterbank(bins, rate, count, lowerFrequencyLimit, upperFrequencyLimit);
      if (!bank || dctCoefficientCount < 1 || dctCoefficientCount > count)
        throw new InvalidArgumentError(
          `Mfcc initialization failed for channel count ${bins}, sample rate ${rate} and filterbank_channel_count ${count}`,
        );
      // Of a spectrogram that ends below the bands TensorFlow makes zeros, and notes so in its log.
      if (bank.end >= bins) {
        for (let i = 0; i < out.size; i++) out.set(i, 0);
        return;
      }
      for (let row = 0; row < channels * windows; row++) {
        const power = Float64Array.from({ length: bins }, (_, k) => Number(given.get(row * bins + k)));
        const logs = melEnergies(power, bank, count).map(energy => Math.log(Math.max(energy, floorOfLog)));
        cosines.forEach((cosine, i) => {
          const sum = cosine.reduce((total, weight, j) => total + weight * logs[j], 0);
          out.set(row * dctCoefficientCount + i, sum);
        });
      }
    };
    const shape = [channels, windows, dctCoefficientCount];
    return ir.call({ name: "Mfcc", run }, [spectrogram, sampleRate], [{ dtype: "float32", shape }])[0];
  },
});

// ---- public functions ----

interface DecodeOptions extends Named {
  readonly desiredChannels?: number;
  readonly desiredSamples?: number;
}

/** The sound of a WAV file of 16 bits: samples from -1 to 1 `[samples, channels]`, and how many there are in a second.
 *  TF: tf.audio.decode_wav(contents, desired_channels, desired_samples, name). @throws InvalidArgumentError (running) for other files. */
export function decodeWav(contents: TensorLike, ...rest: unknown[]): { audio: Tensor; sampleRate: Tensor } {
  const { name, ...options } = collect<DecodeOptions>(["desiredChannels", "desiredSamples", "name"], rest);
  return DecodeWav({ contents, ...options }, { name });
}

/** Samples from -1 to 1 `[samples, channels]` as a WAV file of 16 bits. TF: tf.audio.encode_wav(audio, sample_rate). */
export const encodeWav = (audio: TensorLike, sampleRate: TensorLike, options?: NameOption): Tensor =>
  EncodeWav({ audio, sampleRate }, named(options));
