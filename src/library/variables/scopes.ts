// Scopes and collections of the default graph as functions: tf.nameScope, tf.controlDependencies, tf.device, tf.getCollection …
// Each scope works by `using` and by callback. The rules themselves are in graph/graph.ts.

import { scoped } from "../../base/disposable.ts";
import { ValueError } from "../../base/errors.ts";
import { pythonClass } from "../../base/python-text.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { DeviceFunction, DeviceSpec } from "../../graph/device.ts";
import type { Colocated, ControlInput } from "../../graph/graph.ts";
import { Graph, NameScope, Scope } from "../../graph/graph.ts";
import { type ByName, byName, collect } from "../../ops/arguments.ts";

export interface NameScopeOptions {
  /** Used when the name is null. */
  readonly defaultName?: string | null | undefined;
  /** Tensors whose graph is to be the default inside. */
  readonly values?: readonly unknown[] | null | undefined;
}

type Body<S, R> = (scope: S) => R;
type ScopeName = string | { toString(): string } | null | undefined;

/** Prefixes the names of operations made inside: `nameScope("layer", scope => …)` or `using scope = nameScope("layer")`. The name is made
 *  unique, unless it ends in "/", which re-enters a scope; null or "" is the root. TF: tf.name_scope.
 *  @throws ValueError for invalid names, or values of different graphs. */
export function nameScope(name: ScopeName, options?: NameScopeOptions): NameScope;
export function nameScope<R>(name: ScopeName, body: Body<NameScope, R>): R;
export function nameScope<R>(name: ScopeName, options: NameScopeOptions | undefined, body: Body<NameScope, R>): R;
export function nameScope<R>(name: ScopeName, ...rest: unknown[]): NameScope | R {
  const last = rest[rest.length - 1];
  const body = typeof last === "function" ? (last as Body<NameScope, R>) : undefined;
  const { defaultName, values } = collect<NameScopeOptions>(["defaultName", "values"], body ? rest.slice(0, -1) : rest);
  if (defaultName !== undefined && defaultName !== null && typeof defaultName !== "string")
    throw new TypeError(
      `\`default_name\` type (${pythonClass(defaultName)}) is not a string type. You likely meant to pass this into the \`values\` kwarg.`,
    );
  const wanted = name ?? defaultName;
  if ((wanted === null || wanted === undefined) && values)
    throw new ValueError("At least one of name (None) and default_name (None) must be provided.");
  const current = getDefaultGraph();
  const graph = current.capture === null ? (graphOfValues(values ?? []) ?? current) : current;
  if (graph === current) return scoped(graph.nameScope(wanted ?? null), body);
  const asDefault = graph.asDefault();
  const inner = graph.nameScope(wanted ?? null);
  const both = new NameScope(inner.name, () => {
    inner[Symbol.dispose]();
    asDefault[Symbol.dispose]();
  });
  return scoped(both, body);
}

/** The one graph that values belong to. @throws ValueError if there are several. */
export function graphOfValues(values: readonly unknown[]): Graph | undefined {
  let first: { graph: Graph } | undefined;
  for (const value of Array.isArray(values) ? values : []) {
    if (typeof value !== "object" || value === null || !("graph" in value) || !(value.graph instanceof Graph)) continue;
    if (first === undefined) first = value as { graph: Graph };
    else if (first.graph !== value.graph)
      throw new ValueError(`${String(value)} must be from the same graph as ${String(first)} (graphs are different).`);
  }
  return first?.graph;
}

/** The older form of nameScope, with the values first. TF: tf.op_scope. */
export function opScope<R>(
  values: readonly unknown[],
  name: ScopeName,
  defaultName?: string | null,
  body?: Body<NameScope, R>,
): NameScope | R {
  return body === undefined ? nameScope(name, { defaultName, values }) : nameScope(name, { defaultName, values }, body);
}

/** Operations made inside run after these (operations, tensors, variables, names); null clears. TF: tf.control_dependencies. */
export function controlDependencies(controlInputs: readonly ControlInput[] | null): Scope;
export function controlDependencies<R>(controlInputs: readonly ControlInput[] | null, body: () => R): R;
export function controlDependencies<R>(controlInputs: readonly ControlInput[] | null, body?: () => R): Scope | R {
  const graph = getDefaultGraph();
  return body === undefined ? graph.controlDependencies(controlInputs) : graph.controlDependencies(controlInputs, body);
}

/** Places operations made inside: "/cpu:0", a function of the operation, or null to clear. TF: tf.device. */
export function device(deviceNameOrFunction: string | DeviceFunction | DeviceSpec | null): Scope;
export function device<R>(deviceNameOrFunction: string | DeviceFunction | DeviceSpec | null, body: () => R): R;
export function device<R>(deviceNameOrFunction: string | DeviceFunction | DeviceSpec | null, body?: () => R): Scope | R {
  const graph = getDefaultGraph();
  return body === undefined ? graph.device(deviceNameOrFunction) : graph.device(deviceNameOrFunction, body);
}

/** Stateful operations made inside keep their state in this container. TF: tf.container. */
export function container(containerName: string): Scope;
export function container<R>(containerName: string, body: () => R): R;
export function container<R>(containerName: string, body?: () => R): Scope | R {
  const graph = getDefaultGraph();
  const outer = graph.container;
  graph.container = containerName;
  return scoped(new Scope(() => void (graph.container = outer)), body);
}

/** Operations made inside share the device of `op`. TF: tf.colocate_with. */
export function colocateWith(op: Colocated, options?: { ignoreExisting?: boolean }): Scope;
export function colocateWith<R>(op: Colocated, options: { ignoreExisting?: boolean } | undefined, body: () => R): R;
export function colocateWith<R>(op: Colocated, options?: { ignoreExisting?: boolean }, body?: () => R): Scope | R {
  const graph = getDefaultGraph();
  return body === undefined ? graph.colocateWith(op, options) : graph.colocateWith(op, options, body);
}

// any: a collection holds whatever was put in under its name
type Items = any[];

/** A copy of a collection of the default graph; `scope` keeps items whose name matches it from the start. TF: tf.get_collection. */
export const getCollection = (key: string, scope?: ByName<"scope", string | null>): Items =>
  getDefaultGraph().getCollection(key, byName("scope", scope));
/** The live list of a collection. TF: tf.get_collection_ref. */
export const getCollectionRef = (key: string): Items => getDefaultGraph().getCollectionRef(key);
export const addToCollection = (name: string, value: unknown): void => getDefaultGraph().addToCollection(name, value);
export const addToCollections = (names: string | readonly string[], value: unknown): void =>
  getDefaultGraph().addToCollections(names, value);
