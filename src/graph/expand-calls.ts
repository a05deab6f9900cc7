// What a run asks of a graph without calls of functions: a run that needs no call goes on with the graph it has. How calls are replaced comes with the
// operations that are calls (copy-calls.ts), so that programs without them do not carry it.

import { expansionOf } from "./functions.ts";
import type { Operation, Tensor } from "./operation.ts";

export interface Wanted {
  readonly fetches: readonly Tensor[];
  readonly targets: readonly Operation[];
  readonly feeds: readonly Tensor[];
}

/** The same request to a graph without calls. */
export function expandCalls(wanted: Wanted): Wanted {
  const needed = neededBy(wanted);
  const call = needed.find(op => op.definition.expand);
  return call?.definition.expand?.copy(needed, wanted) ?? wanted;
}

/** In order of creation. */
function neededBy({ fetches, targets, feeds }: Wanted): Operation[] {
  const fed = new Set(feeds);
  const needed = new Set<Operation>();
  const stack: Operation[] = [...targets];
  const read = (tensor: Tensor): void => {
    if (!fed.has(tensor)) stack.push(tensor.op);
  };
  fetches.forEach(read);
  for (let op = stack.pop(); op !== undefined; op = stack.pop()) {
    if (needed.has(op) || isFedPlaceholder(op, fed)) continue;
    needed.add(op);
    const expansion = expansionOf(op);
    (expansion?.outputs ?? op.inputs).forEach(read);
    stack.push(...(expansion?.effects ?? op.controlInputs));
  }
  return [...needed].sort((a, b) => a.id - b.id);
}

/** Is there nothing of an operation but what is fed? What waits for it waits for nothing. */
const isFedPlaceholder = ({ definition, outputs }: Operation, fed: ReadonlySet<Tensor>): boolean =>
  definition.isPlaceholder === true && outputs.every(output => fed.has(output));
