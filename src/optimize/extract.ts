// What a run needs: the backward closure of its fetches through data and control inputs, cut at fed tensors; everything else is pruned.

import type { Operation, Tensor } from "../graph/operation.ts";
import type { Selection } from "./selection.ts";

/** The needed operations, inputs before readers; otherwise in order of creation, so that reads come before later writes. */
export function extract(fetches: readonly Tensor[], targets: readonly Operation[], fed: readonly Tensor[]): Selection {
  const feeds = new Set(fed);
  const needed = new Set<Operation>();
  const stack: Operation[] = [];
  const need = (op: Operation): void => {
    if (needed.has(op)) return;
    needed.add(op);
    stack.push(op);
  };
  for (const tensor of fetches) if (!feeds.has(tensor)) need(tensor.op);
  for (const op of targets) need(op);
  for (let op = stack.pop(); op !== undefined; op = stack.pop()) {
    for (const input of op.inputs) if (!feeds.has(input)) need(input.op);
    for (const control of op.controlInputs) need(control);
  }
  return { nodes: ordered(needed, feeds), feeds, fetches, targets, replaced: new Map() };
}

/** Depth first in order of creation, without recursion: graphs are deep. Back edges of loops are cut at their first visit. */
function ordered(needed: ReadonlySet<Operation>, feeds: ReadonlySet<Tensor>): Operation[] {
  const result: Operation[] = [];
  const state = new Map<Operation, "open" | "done">();
  for (const root of [...needed].sort((a, b) => a.id - b.id)) {
    const stack = [root];
    while (stack.length > 0) {
      const op = stack[stack.length - 1];
      if (state.get(op) === "done") {
        stack.pop();
        continue;
      }
      const sources = [...op.inputs.filter(input => !feeds.has(input)).map(input => input.op), ...op.controlInputs];
      const waiting = state.get(op) === "open" ? [] : sources.filter(source => !state.has(source));
      state.set(op, waiting.length > 0 ? "open" : "done");
      if (waiting.length > 0) stack.push(...waiting.sort((a, b) => b.id - a.id));
      else {
        result.push(op);
        stack.pop();
      }
    }
  }
  return result;
}
