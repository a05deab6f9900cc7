// Live ranges of locals, from declaration to last use. Rests on the rule the verifier holds kernels to: the first occurrence of a local
// is the statement that declares it, and all others are in the same block or deeper. Printers number statements in the same order.

import type { Expr, Statement } from "./language.ts";
import { blocksOf, expressionsOf, operandsOf, writesOf } from "./traverse-kernels.ts";

interface Range {
  first: number;
  last: number;
}

/** A loop being walked, and the locals from outside that it uses: alive until it ends, for the next pass may need them. */
interface OpenLoop {
  readonly start: number;
  readonly uses: Set<number>;
}

/** First and last statement of every local. Statements count in the order they are written, the end of a loop as one more;
 *  parameters begin at 0, the first statement is 1. A local that no statement mentions has last = first. */
export function liveRanges(locals: number, params: number, body: readonly Statement[]): readonly Range[] {
  const ranges: (Range | undefined)[] = Array.from({ length: locals }, (_, id) => (id < params ? { first: 0, last: 0 } : undefined));
  const loops: OpenLoop[] = [];
  let position = 0;

  const occur = (id: number): void => {
    const range = ranges[id];
    if (range === undefined) {
      ranges[id] = { first: position, last: position };
      return;
    }
    range.last = position;
    // The outermost of these loops ends last.
    for (const loop of loops)
      if (loop.start > range.first) {
        loop.uses.add(id);
        return;
      }
  };

  const read = (expr: Expr): void => {
    if (expr.kind === "local") occur(expr.id);
    else {
      const operands = operandsOf(expr);
      for (let i = 0; i < operands.length; i++) read(operands[i]);
    }
  };

  const visit = (statement: Statement): void => {
    position++;
    // Most are these.
    if (statement.kind === "set") {
      read(statement.value);
      occur(statement.local);
      return;
    }
    const isLoop = statement.kind === "loop" || statement.kind === "while";
    const start = position;
    // A loop's bound and condition are read again after every pass, its counter too.
    if (isLoop) loops.push({ start, uses: new Set() });
    for (const expr of expressionsOf(statement)) read(expr);
    for (const id of writesOf(statement)) occur(id);
    for (const block of blocksOf(statement)) for (const inner of block) visit(inner);
    if (!isLoop) return;
    position++;
    for (const id of loops.pop()?.uses ?? []) ranges[id]!.last = position;
    if (statement.kind === "loop") ranges[statement.counter]!.last = position;
  };

  for (const statement of body) visit(statement);
  return ranges.map(range => range ?? { first: 0, last: 0 });
}
