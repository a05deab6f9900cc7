// What statements and expressions contain, said once for the verifier, the live ranges and the printers.

import type { Expr, Statement } from "./language.ts";

const none: readonly Expr[] = [];

/** The expressions directly below one. */
export function operandsOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case "const":
    case "vconst":
    case "local":
    case "global":
      return none;
    case "load":
    case "vload":
      return [expr.address];
    case "apply":
      return expr.args;
    case "extract":
      return [expr.vector];
    case "insert":
      return [expr.vector, expr.value];
    case "shuffle":
      return [expr.a, expr.b];
  }
}

/** The expressions a statement evaluates itself, not those of statements inside it, in order. */
export function expressionsOf(statement: Statement): readonly Expr[] {
  switch (statement.kind) {
    case "set":
    case "assign":
      return [statement.value];
    case "store":
    case "vstore":
      return [statement.address, statement.value];
    case "loop":
      return [statement.from, statement.to];
    case "while":
    case "if":
      return [statement.condition];
    case "break":
      return statement.condition === null ? [] : [statement.condition];
    case "call":
      return statement.args;
    case "return":
      return statement.values;
    case "copyBytes":
      return [statement.to, statement.from, statement.bytes];
    case "fillBytes":
      return [statement.to, statement.byte, statement.bytes];
    case "atomic":
      return [statement.address, ...statement.args];
    case "block":
    case "trap":
    case "transpose":
      return [];
  }
}

/** The statements inside one, by block. */
export function blocksOf(statement: Statement): readonly (readonly Statement[])[] {
  switch (statement.kind) {
    case "loop":
    case "while":
    case "block":
      return [statement.body];
    case "if":
      return [statement.then, statement.otherwise];
    default:
      return [];
  }
}

/** The locals a statement gives a value. */
export function writesOf(statement: Statement): readonly number[] {
  switch (statement.kind) {
    case "set":
      return [statement.local];
    case "loop":
      return [statement.counter];
    case "call":
      return statement.results;
    case "transpose":
      return statement.rows;
    case "atomic":
      return statement.result === null ? [] : [statement.result];
    default:
      return [];
  }
}

/** Written out, without lists of operands: it is called for each expression of each kernel. */
export function forEachExpression(root: Expr, visit: (expr: Expr) => void): void {
  visit(root);
  switch (root.kind) {
    case "load":
    case "vload":
      return forEachExpression(root.address, visit);
    case "apply":
      for (let i = 0; i < root.args.length; i++) forEachExpression(root.args[i], visit);
      return;
    case "extract":
      return forEachExpression(root.vector, visit);
    case "insert":
      forEachExpression(root.vector, visit);
      return forEachExpression(root.value, visit);
    case "shuffle":
      forEachExpression(root.a, visit);
      return forEachExpression(root.b, visit);
  }
}
