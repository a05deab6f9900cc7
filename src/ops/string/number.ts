// Numbers as text, the way C's printf writes them (%f, %e, %g), rounded exactly. JavaScript's toFixed rounds ties away from zero, printf to even.

/** x · 10^places, rounded half to even, for finite x ≥ 0. */
function scaled(x: number, places: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  const bits = view.getBigUint64(0);
  const biased = Number(bits >> 52n) & 0x7ff;
  const fraction = bits & ((1n << 52n) - 1n);
  const mantissa = biased === 0 ? fraction : fraction | (1n << 52n);
  const exponent = Math.max(biased, 1) - 1075;
  let [above, below] = [mantissa, 1n];
  if (exponent >= 0) above <<= BigInt(exponent);
  else below <<= BigInt(-exponent);
  if (places >= 0) above *= 10n ** BigInt(places);
  else below *= 10n ** BigInt(-places);
  const quotient = above / below;
  const twice = (above % below) * 2n;
  return twice > below || (twice === below && quotient % 2n === 1n) ? quotient + 1n : quotient;
}

/** Halfway between two decimals of so many places: n / 2^(places + 1) with an odd n. */
function isHalfway(x: number, places: number): boolean {
  const n = x * 2 ** (places + 1);
  return Number.isInteger(n) && n % 2 === 1;
}

function fixed(x: number, precision: number, point: string): string {
  if (precision <= 100 && x < 1e21 && !isHalfway(x, precision)) return x.toFixed(precision) + (precision === 0 ? point : "");
  const digits = scaled(x, precision)
    .toString()
    .padStart(precision + 1, "0");
  return precision === 0 ? digits + point : `${digits.slice(0, -precision)}.${digits.slice(-precision)}`;
}

/** Digits before the exponent (precision + 1 of them) and the exponent. */
function scientificParts(x: number, precision: number): { digits: string; exponent: number } {
  if (x === 0) return { digits: "0".repeat(precision + 1), exponent: 0 };
  let exponent = Math.floor(Math.log10(x));
  for (;;) {
    const digits = scaled(x, precision - exponent).toString();
    if (digits.length === precision + 1) return { digits, exponent };
    exponent += digits.length > precision + 1 ? 1 : -1;
  }
}

const exponentText = (exponent: number): string => `e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;

function scientific(x: number, precision: number, point: string): string {
  const { digits, exponent } = scientificParts(x, precision);
  return `${digits[0]}${precision === 0 ? point : `.${digits.slice(1)}`}${exponentText(exponent)}`;
}

function shortest(x: number, precision: number, point: string): string {
  const count = Math.max(precision, 1);
  const { exponent } = scientificParts(x, count - 1);
  const text = exponent < -4 || exponent >= count ? scientific(x, count - 1, point) : fixed(x, count - 1 - exponent, point);
  if (point !== "") return text;
  const [number, tail = ""] = text.split("e");
  return `${number.includes(".") ? number.replace(/\.?0+$/, "") : number}${tail === "" ? "" : `e${tail}`}`;
}

/** How a number is written: C's conversions f, e and g; -1 stands for "not given". */
export interface NumberFormat {
  readonly conversion: "f" | "e" | "g";
  readonly precision: number;
  readonly width: number;
  /** "", "0" (zeros in front), " ", "+", "-" (to the left) or "#" (always a point, and all digits of "g"). */
  readonly fill: string;
}

/** A float as printf writes it. */
export function formatFloat(x: number, { conversion, precision, width, fill }: NumberFormat): string {
  const digits = precision < 0 ? 6 : precision;
  const size = Math.abs(x);
  const point = fill === "#" ? "." : "";
  const text = Number.isNaN(x)
    ? "nan"
    : size === Number.POSITIVE_INFINITY
      ? "inf"
      : conversion === "f"
        ? fixed(size, digits, point)
        : conversion === "e"
          ? scientific(size, digits, point)
          : shortest(size, digits, point);
  const isNegative = x < 0 || Object.is(x, -0);
  return padded(text, isNegative, width, Number.isFinite(x) ? fill : fill === "0" ? "" : fill);
}

/** An integer as printf writes it; unsigned ones have no sign to write. */
export const formatInteger = (x: number | bigint, isUnsigned: boolean, width: number, fill: string): string =>
  padded(String(x < 0 ? -x : x), x < 0, width, isUnsigned && (fill === "+" || fill === " ") ? "" : fill);

function padded(text: string, isNegative: boolean, width: number, fill: string): string {
  const sign = isNegative ? "-" : fill === "+" || fill === " " ? fill : "";
  if (fill === "0") return sign + text.padStart(width - sign.length, "0");
  return fill === "-" ? (sign + text).padEnd(width) : (sign + text).padStart(width);
}
