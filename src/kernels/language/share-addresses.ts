// For engines that join neighbouring vectors to wider ones (`Target.joinsPairs`): they see that two accesses are neighbours only where both
// add their offsets to one and the same value. So an address of vectors that is computed twice in a row of statements is computed once.

import type { Expr, Statement } from "./language.ts";
import { blocksOf, forEachExpression, operandsOf, writesOf } from "./traverse-kernels.ts";

interface Shared {
  readonly local: number;
  readonly reads: ReadonlySet<number>;
}

/** The same statements; `declare` gives the number of a new local for an address. */
export function shareAddresses(block: readonly Statement[], declare: () => number): Statement[] {
  const shared: Statement[] = [];
  const known = new Map<string, Shared>();
  const share = (address: Expr<"i32">): Expr<"i32"> => {
    if (address.kind !== "apply" || !isPure(address)) return address;
    const key = JSON.stringify(address);
    const found = known.get(key);
    if (found !== undefined) return { kind: "local", type: "i32", id: found.local };
    const reads = new Set<number>();
    forEachExpression(address, expr => expr.kind === "local" && reads.add(expr.id));
    const local = declare();
    known.set(key, { local, reads });
    shared.push({ kind: "set", local, declares: true, value: address });
    return { kind: "local", type: "i32", id: local };
  };
  for (const statement of block) {
    shared.push(withAddresses(statement, share, inner => shareAddresses(inner, declare)));
    const written = new Set<number>();
    collectWrites(statement, written);
    for (const [key, { reads }] of known) if ([...reads].some(id => written.has(id))) known.delete(key);
  }
  return shared;
}

const isPure = (expr: Expr): boolean =>
  expr.kind === "local" || expr.kind === "const" || expr.kind === "global" || (expr.kind === "apply" && operandsOf(expr).every(isPure));

function collectWrites(statement: Statement, into: Set<number>): void {
  for (const id of writesOf(statement)) into.add(id);
  for (const block of blocksOf(statement)) for (const inner of block) collectWrites(inner, into);
}

type Share = (address: Expr<"i32">) => Expr<"i32">;

/** Conditions of loops are evaluated again and again and stay as they are. */
function withAddresses(statement: Statement, share: Share, inside: (block: readonly Statement[]) => Statement[]): Statement {
  switch (statement.kind) {
    case "set":
      return { ...statement, value: inExpression(statement.value, share) };
    case "vstore": {
      const value = inExpression(statement.value, share) as Expr<"vec">;
      return { ...statement, value, address: share(statement.address) };
    }
    case "loop":
    case "while":
    case "block":
      return { ...statement, body: inside(statement.body) };
    case "if":
      return { ...statement, then: inside(statement.then), otherwise: inside(statement.otherwise) };
    default:
      return statement;
  }
}

function inExpression(expr: Expr, share: Share): Expr {
  switch (expr.kind) {
    case "vload":
      return { ...expr, address: share(expr.address) };
    case "apply":
      return expr.args.some(arg => arg.type === "vec") ? { ...expr, args: expr.args.map(arg => inExpression(arg, share)) } : expr;
    default:
      return expr;
  }
}
