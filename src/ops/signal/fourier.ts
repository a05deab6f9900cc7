// Discrete Fourier transforms of lines of numbers, in float64: Stockham's algorithm with factors up to 13, a convolution (Bluestein 1970) for lengths with
// larger ones, and half of a transform for real numbers. Nothing here knows tensors; fft.ts does.

/** Numbers and, apart from them, their imaginary parts. */
export interface Parts {
  readonly re: Float64Array;
  readonly im: Float64Array;
}

export const partsOf = (count: number): Parts => ({ re: new Float64Array(count), im: new Float64Array(count) });

/** Transforms lines in place: `stride` of them side by side, the first beginning at `at`. */
export interface Transform {
  readonly length: number;
  run(parts: Parts, at: number, stride: number): void;
}

/** e^(-2πik/n) for k below n. */
function rootsOf(n: number): Parts {
  const roots = partsOf(n);
  for (let k = 0; k < n; k++) {
    // The angle is kept below an eighth of a turn, where both functions are exact to the last digit.
    const eighths = Math.floor((8 * k) / n);
    const nearest = Math.floor((eighths + 1) / 2);
    const angle = (2 * Math.PI * (k - (nearest * n) / 4)) / n;
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    [roots.re[k], roots.im[k]] = [
      [c, -s],
      [-s, -c],
      [-c, s],
      [s, c],
    ][nearest % 4];
  }
  return roots;
}

/** What a pass does: lines of `n` numbers, `stride` side by side, of x from `from` on, become in y `factor` times as many lines of n / factor. */
type Pass = (x: Parts, from: number, y: Parts, to: number, n: number, stride: number, roots: Parts) => void;

const byTwo: Pass = (x, from, y, to, n, stride, roots) => {
  const { re: xr, im: xi } = x;
  const { re: yr, im: yi } = y;
  const m = n >> 1;
  const step = roots.re.length / n;
  for (let p = 0; p < m; p++) {
    const wr = roots.re[p * step];
    const wi = roots.im[p * step];
    const a0 = from + stride * p;
    const b0 = a0 + stride * m;
    const o = to + stride * 2 * p;
    for (let q = 0; q < stride; q++) {
      const ar = xr[a0 + q];
      const ai = xi[a0 + q];
      const br = xr[b0 + q];
      const bi = xi[b0 + q];
      yr[o + q] = ar + br;
      yi[o + q] = ai + bi;
      const dr = ar - br;
      const di = ai - bi;
      yr[o + stride + q] = dr * wr - di * wi;
      yi[o + stride + q] = dr * wi + di * wr;
    }
  }
};

const byFour: Pass = (x, from, y, to, n, stride, roots) => {
  const { re: xr, im: xi } = x;
  const { re: yr, im: yi } = y;
  const m = n >> 2;
  const step = roots.re.length / n;
  for (let p = 0; p < m; p++) {
    const w1r = roots.re[p * step];
    const w1i = roots.im[p * step];
    const w2r = roots.re[2 * p * step];
    const w2i = roots.im[2 * p * step];
    const w3r = roots.re[3 * p * step];
    const w3i = roots.im[3 * p * step];
    const a0 = from + stride * p;
    const b0 = a0 + stride * m;
    const c0 = b0 + stride * m;
    const d0 = c0 + stride * m;
    const o0 = to + stride * 4 * p;
    const o1 = o0 + stride;
    const o2 = o1 + stride;
    const o3 = o2 + stride;
    for (let q = 0; q < stride; q++) {
      const sr = xr[a0 + q] + xr[c0 + q];
      const si = xi[a0 + q] + xi[c0 + q];
      const tr = xr[a0 + q] - xr[c0 + q];
      const ti = xi[a0 + q] - xi[c0 + q];
      const ur = xr[b0 + q] + xr[d0 + q];
      const ui = xi[b0 + q] + xi[d0 + q];
      // i·(b - d)
      const vr = xi[d0 + q] - xi[b0 + q];
      const vi = xr[b0 + q] - xr[d0 + q];
      yr[o0 + q] = sr + ur;
      yi[o0 + q] = si + ui;
      const er = tr - vr;
      const ei = ti - vi;
      yr[o1 + q] = er * w1r - ei * w1i;
      yi[o1 + q] = er * w1i + ei * w1r;
      const fr = sr - ur;
      const fi = si - ui;
      yr[o2 + q] = fr * w2r - fi * w2i;
      yi[o2 + q] = fr * w2i + fi * w2r;
      const gr = tr + vr;
      const gi = ti + vi;
      yr[o3 + q] = gr * w3r - gi * w3i;
      yi[o3 + q] = gr * w3i + gi * w3r;
    }
  }
};

/** An odd factor: sums of elements in pairs that stand opposite, whose roots are each other's conjugates. */
function byOdd(factor: number): Pass {
  const half = (factor - 1) / 2;
  const own = rootsOf(factor);
  const sums = { plus: partsOf(half), minus: partsOf(half) };
  return (x, from, y, to, n, stride, roots) => {
    const { plus, minus } = sums;
    const m = n / factor;
    const step = roots.re.length / n;
    for (let p = 0; p < m; p++) {
      for (let q = 0; q < stride; q++) {
        const first = from + stride * p + q;
        const out = to + stride * factor * p + q;
        const ar = x.re[first];
        const ai = x.im[first];
        let totalRe = ar;
        let totalIm = ai;
        for (let j = 0; j < half; j++) {
          const b = first + stride * m * (j + 1);
          const c = first + stride * m * (factor - 1 - j);
          plus.re[j] = x.re[b] + x.re[c];
          plus.im[j] = x.im[b] + x.im[c];
          minus.re[j] = x.re[b] - x.re[c];
          minus.im[j] = x.im[b] - x.im[c];
          totalRe += plus.re[j];
          totalIm += plus.im[j];
        }
        y.re[out] = totalRe;
        y.im[out] = totalIm;
        for (let k = 1; k <= half; k++) {
          let evenRe = ar;
          let evenIm = ai;
          let oddRe = 0;
          let oddIm = 0;
          for (let j = 0, at = k; j < half; j++, at = at + k >= factor ? at + k - factor : at + k) {
            evenRe += plus.re[j] * own.re[at];
            evenIm += plus.im[j] * own.re[at];
            oddRe -= minus.im[j] * own.im[at];
            oddIm += minus.re[j] * own.im[at];
          }
          const [f, g] = [k, factor - k];
          const wf = p * f * step;
          const wg = p * g * step;
          const fr = evenRe + oddRe;
          const fi = evenIm + oddIm;
          const gr = evenRe - oddRe;
          const gi = evenIm - oddIm;
          y.re[out + stride * f] = fr * roots.re[wf] - fi * roots.im[wf];
          y.im[out + stride * f] = fr * roots.im[wf] + fi * roots.re[wf];
          y.re[out + stride * g] = gr * roots.re[wg] - gi * roots.im[wg];
          y.im[out + stride * g] = gr * roots.im[wg] + gi * roots.re[wg];
        }
      }
    }
  };
}

interface Stage {
  readonly factor: number;
  readonly pass: Pass;
}

/** The passes for a length; undefined if it has a larger factor. */
function stagesOf(length: number): Stage[] | undefined {
  const stages: Stage[] = [];
  let rest = length;
  for (const factor of [4, 2, 3, 5, 7, 11, 13]) {
    const pass = rest % factor !== 0 ? undefined : factor === 4 ? byFour : factor === 2 ? byTwo : byOdd(factor);
    for (; pass !== undefined && rest % factor === 0; rest /= factor) stages.push({ factor, pass });
  }
  return rest === 1 ? stages : undefined;
}

/** The transform Σ x_j·e^(-2πijk/n) of lines of `length` numbers. */
export function transformOf(length: number): Transform {
  if (length < 2) return { length, run: () => undefined };
  const stages = stagesOf(length);
  if (stages === undefined) return byConvolution(length);
  const roots = rootsOf(length);
  let other = partsOf(length);
  const run: Transform["run"] = (parts, at, stride) => {
    const count = length * stride;
    if (other.re.length < count) other = partsOf(count);
    let isMoved = false;
    let [n, lines] = [length, stride];
    for (const { factor, pass } of stages) {
      if (isMoved) pass(other, 0, parts, at, n, lines, roots);
      else pass(parts, at, other, 0, n, lines, roots);
      isMoved = !isMoved;
      n /= factor;
      lines *= factor;
    }
    if (!isMoved) return;
    parts.re.set(count === other.re.length ? other.re : other.re.subarray(0, count), at);
    parts.im.set(count === other.im.length ? other.im : other.im.subarray(0, count), at);
  };
  return { length, run };
}

/** As e^(-2πijk/n) = e^(-πi(j² + k² - (j-k)²)/n), a convolution with a chirp, by transforms of a length that has small factors. */
function byConvolution(n: number): Transform {
  const m = 2 ** Math.ceil(Math.log2(2 * n - 1));
  const whole = transformOf(m);
  const [chirp, filter, line] = [partsOf(n), partsOf(m), partsOf(m)];
  for (let k = 0; k < n; k++) {
    // k² modulo 2n keeps the angle exact for long lines.
    const angle = (-Math.PI * ((k * k) % (2 * n))) / n;
    chirp.re[k] = Math.cos(angle);
    chirp.im[k] = Math.sin(angle);
    for (const at of k === 0 ? [0] : [k, m - k]) [filter.re[at], filter.im[at]] = [chirp.re[k], -chirp.im[k]];
  }
  whole.run(filter, 0, 1);
  const run: Transform["run"] = ({ re, im }, at, stride) => {
    for (let first = at; first < at + stride; first++) {
      line.re.fill(0, n);
      line.im.fill(0, n);
      for (let k = 0, from = first; k < n; k++, from += stride) {
        line.re[k] = re[from] * chirp.re[k] - im[from] * chirp.im[k];
        line.im[k] = re[from] * chirp.im[k] + im[from] * chirp.re[k];
      }
      whole.run(line, 0, 1);
      for (let k = 0; k < m; k++) {
        const x = line.re[k] * filter.re[k] - line.im[k] * filter.im[k];
        line.im[k] = line.re[k] * filter.im[k] + line.im[k] * filter.re[k];
        line.re[k] = x;
      }
      // Backwards with the parts exchanged.
      whole.run({ re: line.im, im: line.re }, 0, 1);
      for (let k = 0, to = first; k < n; k++, to += stride) {
        re[to] = (line.re[k] * chirp.re[k] - line.im[k] * chirp.im[k]) / m;
        im[to] = (line.re[k] * chirp.im[k] + line.im[k] * chirp.re[k]) / m;
      }
    }
  };
  return { length: n, run };
}

/** The transform with the sign turned: of parts that are exchanged, giving exchanged parts. */
export function inverseOf({ length, run }: Transform): Transform {
  return { length, run: ({ re, im }, at, stride) => run({ re: im, im: re }, at, stride) };
}

/** The first n/2 + 1 numbers of the transform of n real ones, and back (n times the real numbers). Lines lie in `parts` from `at` on, real ones in `re`. */
export interface RealTransform {
  forward(parts: Parts, at: number): void;
  backward(parts: Parts, at: number): void;
}

export function realTransformOf(n: number): RealTransform {
  return n > 0 && n % 2 === 0 ? byHalves(n) : byWhole(n);
}

/** An odd length: as complex numbers. */
function byWhole(n: number): RealTransform {
  const transform = transformOf(n);
  const back = inverseOf(transform);
  return {
    forward: (parts, at) => {
      parts.im.fill(0, at, at + n);
      transform.run(parts, at, 1);
    },
    backward: (parts, at) => {
      const { re, im } = parts;
      im[at] = 0;
      for (let k = 1; 2 * k < n; k++) {
        re[at + n - k] = re[at + k];
        im[at + n - k] = -im[at + k];
      }
      back.run(parts, at, 1);
    },
  };
}

/** An even length: pairs of real numbers as complex ones, half as many; their transform is untangled by symmetry. */
function byHalves(n: number): RealTransform {
  const half = n / 2;
  const transform = transformOf(half);
  const back = inverseOf(transform);
  const roots = rootsOf(n);
  const line = partsOf(half);
  return {
    forward: ({ re, im }, at) => {
      for (let k = 0; k < half; k++) {
        line.re[k] = re[at + 2 * k];
        line.im[k] = re[at + 2 * k + 1];
      }
      transform.run(line, 0, 1);
      for (let k = 0; k <= half; k++) {
        const p = k === half ? 0 : k;
        const q = k === 0 ? 0 : half - k;
        const evenRe = (line.re[p] + line.re[q]) / 2;
        const evenIm = (line.im[p] - line.im[q]) / 2;
        const oddRe = (line.im[p] + line.im[q]) / 2;
        const oddIm = (line.re[q] - line.re[p]) / 2;
        re[at + k] = evenRe + oddRe * roots.re[k] - oddIm * roots.im[k];
        im[at + k] = evenIm + oddRe * roots.im[k] + oddIm * roots.re[k];
      }
    },
    backward: ({ re, im }, at) => {
      // Of a real signal these are real; what they have beside it counts for nothing.
      im[at] = 0;
      im[at + half] = 0;
      for (let k = 0; k < half; k++) {
        const [p, q] = [at + k, at + half - k];
        const evenRe = re[p] + re[q];
        const evenIm = im[p] - im[q];
        const differenceRe = re[p] - re[q];
        const differenceIm = im[p] + im[q];
        const oddRe = differenceRe * roots.re[k] + differenceIm * roots.im[k];
        const oddIm = differenceIm * roots.re[k] - differenceRe * roots.im[k];
        line.re[k] = evenRe - oddIm;
        line.im[k] = evenIm + oddRe;
      }
      back.run(line, 0, 1);
      for (let k = 0; k < half; k++) {
        re[at + 2 * k] = line.re[k];
        re[at + 2 * k + 1] = line.im[k];
      }
    },
  };
}
