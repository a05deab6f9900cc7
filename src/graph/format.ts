// The text of a node as TensorFlow's errors print it: `{{node MatMul}} = MatMul[T=DT_FLOAT, …](a, b)`.

import { dtypeEnumName, dtypeTable, isDType } from "../base/dtype.ts";
import { snakeOf } from "../base/names.ts";
import { NDArray } from "../base/ndarray.ts";
import { TensorShape } from "../base/shape.ts";
import type { Attr, AttrValue, FunctionRef } from "./attributes.ts";
import type { Operation, Tensor } from "./operation.ts";

export interface NodeText {
  readonly name: string;
  readonly definition: { readonly type: string; readonly attrs: Readonly<Record<string, Attr>> };
  readonly attrs: Readonly<Record<string, AttrValue>>;
  readonly inputs: readonly Tensor[];
  readonly controlInputs: readonly Operation[];
  readonly colocation: readonly string[];
}

export function formatNode(node: NodeText): string {
  const attrs: [string, string][] = Object.entries(node.attrs).map(([name, value]) => [
    snakeOf(name),
    formatAttr(value, node.definition.attrs[name]),
  ]);
  if (node.colocation.length > 0) attrs.push(["_class", `[${node.colocation.map(group => `"${group}"`).join(", ")}]`]);
  attrs.sort(([a], [b]) => (a < b ? -1 : 1));
  const list = `[${attrs.map(([name, text]) => `${name}=${text}`).join(", ")}]`;
  const inputs = [...node.inputs.map(formatInput), ...node.controlInputs.map(op => `^${op.name}`)];
  return `{{node ${node.name}}} = ${node.definition.type}${list}(${inputs.join(", ")})`;
}

/** The beginning of a node as protocol buffers print it, which is how Python shows operations. */
export const nodeText = ({ name, definition }: Pick<NodeText, "name" | "definition">): string =>
  `name: "${name}"\nop: "${definition.type}"`;

const formatInput = (tensor: Tensor): string => (tensor.valueIndex === 0 ? tensor.op.name : tensor.name);

function formatAttr(value: AttrValue, attr: Attr | undefined): string {
  if (Array.isArray(value)) return `[${value.map(item => formatAttr(item, attr)).join(", ")}]`;
  if (value instanceof TensorShape) return value.format();
  if (value instanceof NDArray) return formatTensor(value);
  if (typeof value === "string") {
    const isType = attr === undefined ? isDType(value) : attr.kind === "type";
    return isType ? dtypeEnumName(value as "float32") : `"${summed(value)}"`;
  }
  if (typeof value === "object") return (value as FunctionRef).name;
  // Single-precision numbers print in six digits, as C's %g.
  return attr?.kind === "float" ? String(Number((value as number).toPrecision(6))) : String(value);
}

const letters: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\", '"': '\\"', "'": "\\'" };

/** A text as C writes it in a program; of a long one the ends. */
function summed(text: string): string {
  const escaped = text.replace(/[^ -~]|[\\"']/g, c => letters[c] ?? `\\${c.charCodeAt(0).toString(8).padStart(3, "0")}`);
  return escaped.length < 80 ? escaped : `${escaped.slice(0, 10)}...${escaped.slice(-10)}`;
}

function formatTensor(value: NDArray): string {
  const shown = Array.from({ length: Math.min(value.size, 3) }, (_, i) => String(value.get(i)));
  const values = value.rank === 0 ? shown.join("") : `[${shown.join(" ")}]${value.size > 3 ? "..." : ""}`;
  return `Tensor<type: ${dtypeTable[value.dtype].cName} shape: [${value.shape.join(",")}] values: ${values}>`;
}
