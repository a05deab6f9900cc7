// The ops of TensorFlow 1's word2vec tutorial: words of a text beside the words around them, and training of their vectors against words drawn at random.
// Skip-grams and negative samples are those of Mikolov et al. 2013; which words are drawn is random in TensorFlow, and so it is here.

import { files } from "#platform";
import { InvalidArgumentError } from "../../base/errors.ts";
import { readFile } from "../../base/files.ts";
import { decodeText, NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp } from "../../graph/op-definition.ts";
import * as ir from "../../ir/build.ts";
import { need } from "../arguments.ts";
import { numbersOf } from "../array/array.ts";
import { takeBlocks } from "../random/random.ts";
import { PhiloxStream } from "../random/philox.ts";

// ---- words beside words ----

interface SkipgramAttrs {
  readonly filename: string;
  readonly windowSize: number;
  readonly minCount: number;
  readonly subsample: number;
}

type Pair = readonly [example: number, label: number];

const sentenceLength = 1000;
const pairsAhead = 3000;
const unknownWord = "UNK";

/** A text as the numbers of its words, and where in it the pairs have come to. */
class SkipgramText {
  /** Words by number, most frequent first; number 0 stands for those that are rarer than is asked. */
  readonly words: readonly string[];
  readonly counts: readonly number[];
  private readonly given: SkipgramAttrs;
  private readonly corpus: Int32Array;
  private readonly stream: PhiloxStream;
  private readonly sentence = new Int32Array(sentenceLength);
  private at: number;
  private center = sentenceLength;
  private label = 0;
  private labelEnd = 0;
  private ready: readonly Pair[];
  private taken = 0;
  epoch = -1;
  processed = 0;

  constructor(text: string, given: SkipgramAttrs) {
    this.given = given;
    const tokens = text.split(/[ \t\n\v\f\r]+/).filter(token => token !== "");
    if (tokens.length < given.windowSize * 10)
      throw new InvalidArgumentError(`The text file ${given.filename} contains too little data: ${tokens.length} words`);
    const frequency = new Map<string, number>();
    for (const token of tokens) frequency.set(token, (frequency.get(token) ?? 0) + 1);
    const kept = [...frequency].filter(([, count]) => count >= given.minCount).sort(([, a], [, b]) => b - a);
    const total = kept.reduce((sum, [, count]) => sum + count, 0);
    this.words = [unknownWord, ...kept.map(([word]) => word)];
    this.counts = [tokens.length - total, ...kept.map(([, count]) => count)];
    const numbers = new Map(this.words.slice(1).map((word, i) => [word, i + 1]));
    this.corpus = Int32Array.from(tokens, token => numbers.get(token) ?? 0);
    this.at = tokens.length;
    const [a, b] = globalThis.crypto.getRandomValues(new BigInt64Array(2));
    this.stream = new PhiloxStream(new NDArray("int64", [3], BigInt64Array.of(a, b, 0n)));
    this.ready = Array.from({ length: pairsAhead }, () => this.findNext());
  }

  get size(): number {
    return this.corpus.length;
  }

  /** The next word and one beside it. Pairs are found many at a time, so counts are ahead of what was given, as in TensorFlow. */
  next(): Pair {
    if (this.ready.length === this.taken) {
      this.taken = 0;
      this.ready = Array.from({ length: pairsAhead }, () => this.findNext());
    }
    return this.ready[this.taken++];
  }

  private findNext(): Pair {
    do {
      if (this.label >= this.labelEnd) this.nextCenter();
      // A word is not beside itself.
      if (this.label === this.center) this.label++;
    } while (this.label >= this.labelEnd);
    return [this.sentence[this.center], this.sentence[this.label++]];
  }

  private nextCenter(): void {
    this.processed++;
    if (++this.center >= sentenceLength) {
      this.center = 0;
      this.nextSentence();
    }
    const reach = 1 + (this.stream.word() % this.given.windowSize);
    this.label = Math.max(0, this.center - reach);
    this.labelEnd = Math.min(sentenceLength, this.center + reach + 1);
  }

  private nextSentence(): void {
    const share = this.given.subsample * this.size;
    for (let i = 0; i < sentenceLength; this.at++) {
      if (this.at >= this.size) {
        this.epoch++;
        this.at = 0;
      }
      const word = this.corpus[this.at];
      if (share > 0) {
        // Frequent words are left out with a chance (equation 5 of the paper).
        const kept = ((Math.sqrt(this.counts[word] / share) + 1) * share) / this.counts[word];
        if (this.stream.unit32() > kept) continue;
      }
      this.sentence[i++] = word;
    }
  }
}

const unknownOnes = (count: number): TensorShape[] => Array.from({ length: count }, () => TensorShape.unknown());

/** Pairs of a word and one near it from a text, in batches, with the words' numbers and counts. */
export const Skipgram = defineOp("Skipgram", {
  inputs: {},
  outputs: {
    vocabWord: "string",
    vocabFreq: "int32",
    wordsPerEpoch: "int64",
    currentEpoch: "int32",
    totalWordsProcessed: "int64",
    examples: "int32",
    labels: "int32",
  },
  attrs: {
    filename: attr.string(),
    batchSize: attr.int(),
    windowSize: attr.int(5),
    minCount: attr.int(5),
    subsample: attr.float(0.001),
  },
  stateful: true,
  removed: [19, "Moving word2vec into tensorflow_models/tutorials and deprecating its ops here as a result"],
  shape: () => unknownOnes(7),
  host: async ({ batchSize, ...given }, { name, object }) => {
    const place = object({ id: `skipgram:${name}`, make: (): { text?: Promise<SkipgramText> } => ({}) }) as {
      text?: Promise<SkipgramText>;
    };
    place.text ??= readFile(files, given.filename).then(bytes => new SkipgramText(decodeText(bytes), given));
    const text = await place.text;
    const pairs = Array.from({ length: batchSize }, () => text.next());
    return [
      NDArray.from([...text.words], "string"),
      NDArray.from([...text.counts], "int32"),
      NDArray.full("int64", [], BigInt(text.size)),
      NDArray.full("int32", [], text.epoch),
      NDArray.full("int64", [], BigInt(text.processed)),
      NDArray.from(
        pairs.map(([example]) => example),
        "int32",
      ),
      NDArray.from(
        pairs.map(([, label]) => label),
        "int32",
      ),
    ];
  },
});

// ---- training ----

/** One step of negative sampling for each pair: the vector of the example moves toward the label's and away from those of words drawn by the
 *  power 3/4 of their counts. */
export const NegTrain = defineOp("NegTrain", {
  inputs: { wIn: "Ref(float32)", wOut: "Ref(float32)", examples: "int32", labels: "int32", lr: "float32" },
  outputs: {},
  attrs: { vocabCount: attr.ints(), numNegativeSamples: attr.int() },
  stateful: true,
  removed: [19, "Moving word2vec into tensorflow_models/tutorials and deprecating its ops here as a result"],
  shape: () => undefined,
  lower: ({ wIn, wOut, examples, labels, lr, vocabCount, numNegativeSamples }, context) => {
    const [inner, outer] = [wIn.read(), wOut.read()];
    need(inner.shape.length === 2, () => "Must be a matrix");
    need(inner.shape.join() === outer.shape.join(), () => "w_in.shape == w_out.shape");
    need(examples.shape.length === 1, () => "Must be a vector");
    need(examples.shape.join() === labels.shape.join(), () => "examples.shape == labels.shape");
    need(lr.shape.length === 0, () => "Must be a scalar");
    const chances = cumulated(vocabCount.map(count => count ** 0.75));
    const [count] = examples.shape;
    const state = takeBlocks(context, { seed: 0, seed2: 0 }, count * numNegativeSamples);
    const run = ([from, to, words, beside, rate, generator]: readonly NDArray[], [left, right]: readonly NDArray[]): void => {
      (left.data as Float32Array).set(from.data as Float32Array);
      (right.data as Float32Array).set(to.data as Float32Array);
      const stream = new PhiloxStream(generator);
      const sample = (): number => drawn(chances, stream.unit64());
      trainPairs(left, right, numbersOf(words), numbersOf(beside), Number(rate.get(0)), numNegativeSamples, sample);
    };
    const [next, nextOuter] = ir.call({ name: "negTrain", run }, [inner, outer, examples, labels, lr, state], [inner, outer]);
    wIn.write(next);
    wOut.write(nextOuter);
  },
});

const cumulated = (weights: readonly number[]): Float64Array => {
  let sum = 0;
  return Float64Array.from(weights, weight => (sum += weight));
};

/** The first place whose sum is above a share of the whole. */
function drawn(sums: Float64Array, share: number): number {
  const wanted = share * sums[sums.length - 1];
  let [low, high] = [0, sums.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sums[middle] > wanted) high = middle;
    else low = middle + 1;
  }
  return low;
}

function trainPairs(
  inner: NDArray,
  outer: NDArray,
  examples: readonly number[],
  labels: readonly number[],
  rate: number,
  samples: number,
  sample: () => number,
): void {
  const [rows, width] = inner.shape;
  const row = (array: NDArray, index: number): Float32Array => {
    if (index < 0 || index >= rows) throw new InvalidArgumentError(`Word ${index} is not in [0, ${rows}).`);
    return (array.data as Float32Array).subarray(index * width, (index + 1) * width);
  };
  const change = new Float32Array(width);
  examples.forEach((example, i) => {
    const vector = row(inner, example);
    change.fill(0);
    const pull = (word: number, towards: boolean): void => {
      const other = row(outer, word);
      const dot = vector.reduce((sum, x, k) => Math.fround(sum + Math.fround(x * other[k])), 0);
      // The derivative of log σ(±dot), the step's size in it.
      const step = Math.fround((towards ? 1 / (Math.exp(dot) + 1) : -1 / (Math.exp(-dot) + 1)) * rate);
      for (let k = 0; k < width; k++) change[k] += Math.fround(other[k] * step);
      for (let k = 0; k < width; k++) other[k] += Math.fround(vector[k] * step);
    };
    pull(labels[i], true);
    for (let j = 0; j < samples; j++) {
      const word = sample();
      if (word !== labels[i]) pull(word, false);
    }
    for (let k = 0; k < width; k++) vector[k] += change[k];
  });
}
