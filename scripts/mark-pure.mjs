// A part of the build: marks what modules compute while they load as free of effects, so that users' bundlers can drop what a program does not
// use. The house forbids effects at import (index.ts calls attachMethods, a statement of its own, and is listed in `sideEffects`), but bundlers
// cannot know that `defineOp("Erf", …)` has none: they keep every call they cannot see through, and all that its arguments name.
import { parseAst } from "vite";

/** What bundlers take for an effect when it is evaluated: calls, getters, iterators. Functions inside are not evaluated yet. */
const suspects = new Set(["CallExpression", "NewExpression", "MemberExpression", "SpreadElement", "TaggedTemplateExpression"]);
const deferred = new Set(["FunctionExpression", "ArrowFunctionExpression", "ClassExpression"]);
const bound = new Set(["AwaitExpression", "YieldExpression"]);

function parts(node) {
  return Object.values(node)
    .flatMap(value => (Array.isArray(value) ? value : [value]))
    .filter(value => typeof value?.type === "string");
}

const evaluates = (node, kinds) => !deferred.has(node.type) && (kinds.has(node.type) || parts(node).some(part => evaluates(part, kinds)));

const isSuspect = node => evaluates(node, suspects) && !evaluates(node, bound);

/** The expressions that a module evaluates to give names their values. */
function initializers(statement) {
  const declared = statement.declaration ?? statement;
  if (declared.type === "VariableDeclaration") return declared.declarations.flatMap(({ init }) => init ?? []);
  if (declared.type !== "ClassDeclaration") return [];
  return declared.body.body.flatMap(member =>
    member.type === "PropertyDefinition" && member.static && member.value ? [member.value] : [],
  );
}

/** The module's text with every such expression inside a function that is called at once, under the mark that all bundlers read. */
export function markPure(code) {
  const found = parseAst(code).body.flatMap(initializers).filter(isSuspect);
  return found.reduceRight((text, { start, end, type }) => {
    const value = text.slice(start, end);
    const body = type === "ObjectExpression" ? `(${value})` : value;
    return `${text.slice(0, start)}/* @__PURE__ */ (() => ${body})()${text.slice(end)}`;
  }, code);
}
