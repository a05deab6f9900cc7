// A function that the program made → its FunctionDef: arguments by name, inner tensors as `node:output:k`. The other way is function-library.ts.

import { snakeOf } from "../base/names.ts";
import { dtypeEnumName } from "../base/dtype.ts";
import { createMessage } from "../formats/message-codec.ts";
import type { Message } from "../formats/messages.ts";
import { shapeToMessage } from "../formats/tensor-message.ts";
import { typesOf } from "../graph/build-operation.ts";
import { expansionOf, type FuncGraph, inPlace, neededBy } from "../graph/functions.ts";
import type { Operation, Tensor } from "../graph/operation.ts";
import { nodeOf } from "./node-message.ts";

/** Names of arguments and results: small letters, digits and underscores, each once. */
class ArgumentNames {
  private readonly taken = new Set<string>();

  of(name: string): string {
    const plain =
      name
        .toLowerCase()
        .replaceAll(/[^a-z0-9]+/g, "_")
        .replace(/^[^a-z]+/, "")
        .replace(/_+$/, "") || "unknown";
    let free = plain;
    for (let i = 1; this.taken.has(free); i++) free = `${plain}_${i}`;
    this.taken.add(free);
    return free;
  }
}

export function functionMessage(func: FuncGraph): Message<"FunctionDef"> {
  const names = new ArgumentNames();
  const argumentNames = new Map(func.inputs.map(input => [input, names.of(input.op.name)]));
  const nodes = neededBy(func).filter(op => expansionOf(op) === undefined);
  const textOf = (tensor: Tensor): string => argumentNames.get(tensor) ?? placeOf(tensor);
  const results = func.outputs.map(output => ({ name: names.of(output.op.name), output }));
  const effects = func.effects.flatMap(op => inPlace(op).all).filter(op => nodes.includes(op));
  return createMessage("FunctionDef", {
    signature: {
      name: func.name,
      inputArg: func.inputs.map(input => ({ name: argumentNames.get(input) as string, type: dtypeEnumName(input.dtype) })),
      outputArg: results.map(({ name, output }) => ({ name, type: dtypeEnumName(output.dtype) })),
      isStateful: nodes.some(({ definition }) => definition.stateful === true),
      controlOutput: effects.map(({ name }) => name),
    },
    nodeDef: nodes.map(op => ({
      ...nodeOf(op),
      input: [...op.inputs.map(textOf), ...op.controlInputs.flatMap(control => inPlace(control).last).map(({ name }) => `^${name}`)],
    })),
    ret: new Map(results.map(({ name, output }) => [name, textOf(output)])),
    controlRet: new Map(effects.map(({ name }) => [name, name])),
    argAttr: new Map(
      func.inputs.flatMap((input, i) =>
        input.dtype === "resource"
          ? []
          : [[i, { attr: new Map([["_output_shapes", { list: { shape: [shapeToMessage(input.shape)] } }]]) }] as const],
      ),
    ),
  });
}

/** `node:output:k`, with the name of the output that the tensor belongs to and its place in there. */
function placeOf({ op, valueIndex }: Tensor): string {
  const outputs = typesOf(op.definition, "outputs", op.attrs);
  const { name } = outputs[valueIndex];
  return `${op.name}:${snakeOf(name)}:${valueIndex - firstOf(op, name)}`;
}

const firstOf = (op: Operation, output: string): number =>
  typesOf(op.definition, "outputs", op.attrs).findIndex(({ name }) => name === output);
