// Values as Python names and prints them, for messages that are TensorFlow's.

/** `type(value).__name__`. */
export function pythonType(value: unknown): string {
  switch (typeof value) {
    case "number":
      return Number.isInteger(value) ? "int" : "float";
    case "string":
      return "str";
    case "boolean":
      return "bool";
    case "bigint":
      return "int";
    case "function":
      return "function";
    default:
      return value === null || value === undefined
        ? "NoneType"
        : Array.isArray(value)
          ? "list"
          : (classNames.get(value.constructor?.name) ?? value.constructor?.name ?? "object");
  }
}

/** What Python calls instances of classes that have another name here. */
const classNames = new Map([
  ["Object", "dict"],
  ["Map", "dict"],
  ["Tensor", "SymbolicTensor"],
  ["NDArray", "ndarray"],
]);

/** `str(type(value))`. */
export const pythonClass = (value: unknown): string =>
  `<class '${pythonType(value).replace("Symbolic", "tensorflow.python.framework.ops.Symbolic")}'>`;

/** `repr(value)`: `[1, 'a', None]`. What an object is shown as, `ofObject` tells. */
export function pythonRepr(value: unknown, ofObject: (value: object) => string = String): string {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return value.includes("'") && !value.includes('"') ? `"${value}"` : `'${value}'`;
  if (Array.isArray(value)) return `[${value.map(item => pythonRepr(item, ofObject)).join(", ")}]`;
  return typeof value === "object" ? ofObject(value) : String(value);
}

/** `str(value)`: texts without their quotes. */
export const pythonStr = (value: unknown): string => (typeof value === "string" ? value : pythonRepr(value));

/** A text that is one. @throws TypeError for what is neither text nor bytes, as TensorFlow's compat.as_bytes. */
export function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  throw new TypeError(`Expected binary or unicode string, got ${pythonRepr(value)}`);
}

/** A number as Python writes a float that holds it. */
export const floatText = (value: number): string => (Number.isInteger(value) && Math.abs(value) < 1e16 ? `${value}.0` : String(value));
