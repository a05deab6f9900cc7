// Element types as constants: `tf.float32 === "float32"`. TensorFlow's names, and its short ones; and finding a type by what programs call it.

import { type DType, dtypeOfNumber, isDType } from "./dtype.ts";

export const float16 = "float16";
export const half = "float16";
export const bfloat16 = "bfloat16";
export const float32 = "float32";
export const float64 = "float64";
export const double = "float64";
export const int8 = "int8";
export const int16 = "int16";
export const int32 = "int32";
export const int64 = "int64";
export const uint8 = "uint8";
export const uint16 = "uint16";
export const uint32 = "uint32";
export const uint64 = "uint64";
export const bool = "bool";
export const string = "string";
export const complex64 = "complex64";
export const complex128 = "complex128";
export const resource = "resource";
export const variant = "variant";
export const qint8 = "qint8";
export const quint8 = "quint8";
export const qint16 = "qint16";
export const quint16 = "quint16";
export const qint32 = "qint32";
/** TF: tf.QUANTIZED_DTYPES. */
export const QUANTIZED_DTYPES: ReadonlySet<DType> = new Set<DType>(["qint8", "quint8", "qint16", "quint16", "qint32"]);

const shortNames: Readonly<Record<string, DType>> = {
  half: "float16",
  float: "float32",
  double: "float64",
  str: "string",
  object: "string",
};

/** The type of a name ("float32", "half", "float32_ref") or a number of DataType. TF: tf.as_dtype. @throws TypeError for anything else. */
export function asDtype(typeValue: unknown): DType {
  const found =
    typeof typeValue === "number"
      ? dtypeOfNumber(typeValue)
      : typeof typeValue === "string"
        ? (shortNames[typeValue] ?? typeValue.replace(/_ref$/, ""))
        : undefined;
  if (isDType(found)) return found;
  throw new TypeError(`Cannot convert the argument \`type_value\`: ${String(typeValue)} to a TensorFlow DType.`);
}
