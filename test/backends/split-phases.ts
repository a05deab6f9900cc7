// A recorded module whose phases run in pieces, the last units first: units are independent of each other, or threads could not take them.
import type { Recorded } from "../../src/kernels/index.ts";
import { i32, type KernelModule, type Statement } from "../../src/kernels/language/language.ts";

const mostPieces = 3;

/** The module with each call of a phase for all its units replaced by calls for ranges of them, backwards. */
export function withSplitPhases(module: KernelModule, { phases }: Recorded): KernelModule {
  const units = new Map(phases.map(phase => [phase.function.name, phase.units]));
  const block = (statements: readonly Statement[]): Statement[] => statements.flatMap(split);
  const split = (statement: Statement): Statement[] => {
    switch (statement.kind) {
      case "loop":
      case "while":
      case "block":
        return [{ ...statement, body: block(statement.body) }];
      case "if":
        return [{ ...statement, then: block(statement.then), otherwise: block(statement.otherwise) }];
      case "call":
        return piecesOf(units.get(statement.callee) ?? 0).map(([low, high]) =>
          units.has(statement.callee) ? { ...statement, args: [i32.const(low), i32.const(high), ...statement.args.slice(2)] } : statement,
        );
      default:
        return [statement];
    }
  };
  return { ...module, functions: module.functions.map(fn => (fn.exported ? { ...fn, body: block(fn.body) } : fn)) };
}

function piecesOf(units: number): [low: number, high: number][] {
  const count = Math.min(Math.max(units, 1), mostPieces);
  const bounds = Array.from({ length: count + 1 }, (_, i) => Math.floor((units * i) / count));
  return bounds
    .slice(1)
    .map((high, i): [number, number] => [bounds[i], high])
    .reverse();
}
