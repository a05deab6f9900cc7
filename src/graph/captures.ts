// Tensors of an outer graph inside a function's graph: an argument of the function stands for each.

import type { Tensor } from "./operation.ts";

const sources = new WeakMap<Tensor, Tensor>();

/** The tensor of the outer graph that an argument stands for; undefined for other tensors. */
export const captureSource = (argument: Tensor): Tensor | undefined => sources.get(argument);
export const noteCapture = (argument: Tensor, outside: Tensor): void => void sources.set(argument, outside);
