// Graph → Graph: a list of passes, one line each. They ask ops for their properties, never for their names.

import { raiseControlFlow } from "./raise-control-flow.ts";
import { share } from "./share.ts";
import { simplify } from "./simplify.ts";
import type { Selection } from "./selection.ts";

type Pass = (selection: Selection) => Selection;
const passes: readonly Pass[] = [share, simplify, raiseControlFlow];

export const optimize: Pass = selection => passes.reduce((current, pass) => pass(current), selection);
