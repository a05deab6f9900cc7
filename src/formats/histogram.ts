// TensorFlow's histograms: buckets whose limits grow by a tenth, on both sides of zero.

import type { MessageInit } from "./messages.ts";

const largest = Number.MAX_VALUE;
let limits: Float64Array | undefined;

/** Right edges of the buckets: -MAX … -1e-12, 0, 1e-12, 1.1e-12 … below 1e20, MAX. */
function bucketLimits(): Float64Array {
  if (limits) return limits;
  const positive: number[] = [];
  for (let limit = 1e-12; limit < 1e20; limit *= 1.1) positive.push(limit);
  positive.push(largest);
  limits = Float64Array.from([...positive.map(limit => -limit).reverse(), 0, ...positive]);
  return limits;
}

/** The histogram of finite values. */
export function histogramOf(values: Iterable<number>): MessageInit<"HistogramProto"> {
  const edges = bucketLimits();
  const counts = new Float64Array(edges.length);
  let [min, max, num, sum, sumSquares] = [largest, -largest, 0, 0, 0];
  for (const value of values) {
    counts[firstAbove(edges, value)]++;
    min = Math.min(min, value);
    max = Math.max(max, value);
    num++;
    sum += value;
    sumSquares += value * value;
  }
  const bucketLimit: number[] = [];
  const bucket: number[] = [];
  for (let i = 0; i < edges.length; i++) {
    // A run of empty buckets is one, up to its right end.
    if (counts[i] === 0) while (i + 1 < edges.length && counts[i + 1] === 0) i++;
    bucketLimit.push(edges[i]);
    bucket.push(counts[i]);
  }
  return { min, max, num, sum, sumSquares, bucketLimit, bucket };
}

/** The first bucket whose limit is greater. */
function firstAbove(edges: Float64Array, value: number): number {
  let low = 0;
  let high = edges.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (edges[middle] > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
