// Runs in parts: some results are computed of the first feeds, and given back, before the other feeds are known. Each part is a run of its own that is
// fed what the parts before it have computed, so that nothing is computed twice. TF: Session.partial_run_setup, Session.partial_run.

import { InvalidArgumentError, RuntimeError, UnimplementedError } from "../base/errors.ts";
import type { NDArray } from "../base/ndarray.ts";
import type { Operation, Tensor } from "../graph/operation.ts";
import { type Feeds, resolveFeeds } from "./feeds.ts";
import { type Fetches, planFetches } from "./fetches.ts";
import type { Session } from "./session.ts";

interface PartialRun {
  readonly fetches: ReadonlySet<Tensor>;
  readonly feeds: ReadonlySet<Tensor>;
  /** What the fetches need, sources first. */
  readonly needed: readonly Operation[];
  /** What was fed, and what was computed for later parts. */
  readonly known: Map<Tensor, NDArray>;
  readonly fetched: Set<Tensor>;
  readonly fed: Set<Tensor>;
  readonly done: Set<Operation>;
}

const runs = new WeakMap<Session, Map<string, PartialRun>>();
const counts = new WeakMap<Session, number>();

/** What TensorFlow calls such a run: the names of feeds and fetches, and its number. */
function handleOf(session: Session, feeds: Iterable<Tensor>, fetches: Iterable<Tensor>): string {
  const count = counts.get(session) ?? 0;
  counts.set(session, count + 1);
  const [from, to] = [feeds, fetches].map(tensors => [...tensors].map(({ name }) => name).sort());
  return `${from}->${to}//1/;${count}`;
}

/** Values that can be kept and fed again: not variables and other handles. */
const isPlain = (tensor: Tensor): boolean => !tensor.isRef && !tensor.isHandle && tensor.dtype !== "variant" && tensor.dtype !== "resource";

/** What is computed for some tensors, sources first; `isKnown` says where to stop. */
function behind(tensors: Iterable<Tensor>, isKnown: (tensor: Tensor) => boolean): Operation[] {
  const found = new Set<Operation>();
  const stack = [...tensors].filter(tensor => !isKnown(tensor)).map(({ op }) => op);
  for (let op = stack.pop(); op !== undefined; op = stack.pop()) {
    if (found.has(op)) continue;
    found.add(op);
    stack.push(...op.inputs.filter(input => !isKnown(input)).map(input => input.op), ...op.controlInputs);
  }
  return [...found].sort((a, b) => a.id - b.id);
}

/** @throws TypeError and ValueError for what cannot be fetched, RuntimeError for operations. */
function fetched(session: Session, fetches: unknown): readonly Tensor[] {
  const { tensors, targets } = planFetches(session.graph, fetches);
  if (targets.length === 0) return tensors;
  throw new RuntimeError(
    `partial_run() requires empty \`target_list\`. Received: target_list=[${targets.map(({ name, type }) => `<tf.Operation '${name}' type=${type}>`).join(", ")}] (non-empty)`,
  );
}

function fedLater(session: Session, given: unknown): Tensor[] {
  if (Array.isArray(given)) return given.flatMap(item => fedLater(session, item));
  try {
    return [session.graph.asGraphElement(given as Tensor, { allowOperation: false }) as Tensor];
  } catch (error) {
    throw error instanceof Error ? new TypeError(`Cannot interpret feed_list key as Tensor: ${error.message}`) : error;
  }
}

/** Begins a run in parts: all that will be fetched and fed. Gives what `partialRun` is to be called with. TF: Session.partial_run_setup.
 *  @throws InvalidArgumentError for nothing. Operations may be named, but `partialRun` refuses them. */
export function partialRunSetup(session: Session, fetches: unknown, feeds: unknown = []): string {
  session.refuseClosed();
  const { tensors, targets } = planFetches(session.graph, fetches);
  const wanted = new Set(tensors);
  if (wanted.size + targets.length === 0) throw new InvalidArgumentError("Must specify at least one target to fetch or execute.");
  const given = new Set(fedLater(session, feeds ?? []));
  const handle = handleOf(session, given, wanted);
  const own = runs.get(session) ?? new Map<string, PartialRun>();
  runs.set(session, own);
  own.set(handle, {
    fetches: wanted,
    feeds: given,
    needed: behind(wanted, tensor => given.has(tensor)),
    known: new Map(),
    fetched: new Set(),
    fed: new Set(),
    done: new Set(),
  });
  return handle;
}

/** The next part: more feeds, and values of fetches that have all they need. TF: Session.partial_run.
 *  @throws InvalidArgumentError for what was not set up, comes a second time, or cannot be computed yet; UnimplementedError where an effect of an earlier
 *  part would happen again. */
export async function partialRun(
  session: Session,
  handle: string | null,
  fetches: unknown,
  feedDict: Feeds | null = null,
): Promise<unknown> {
  if (handle === null) return session.run(fetches as Fetches, feedDict);
  session.refuseClosed();
  const wanted = fetched(session, fetches);
  const own = runs.get(session);
  const run = own?.get(handle);
  if (!own || !run) throw new InvalidArgumentError("Must run 'setup' before performing partial runs!");
  const more = resolveFeeds(session.graph, feedDict).map(({ tensor, value }) => [tensor, value] as const);
  for (const [tensor] of more) {
    if (!run.feeds.has(tensor)) throw new InvalidArgumentError(`The feed ${tensor.name} was not specified in partial_run_setup.`);
    if (run.fed.has(tensor)) throw new InvalidArgumentError(`The feed ${tensor.name} has already been fed.`);
  }
  for (const tensor of wanted) {
    if (!run.fetches.has(tensor)) throw new InvalidArgumentError(`The fetch ${tensor.name} was not specified in partial_run_setup.`);
    if (run.fetched.has(tensor)) throw new InvalidArgumentError(`The fetch ${tensor.name} has already been fetched.`);
  }
  const fed = new Set([...run.fed, ...more.map(([tensor]) => tensor)]);
  const isMissing = (tensor: Tensor): boolean => run.feeds.has(tensor) && !fed.has(tensor);
  const waiting = new Set<Operation>();
  for (const op of run.needed)
    if (op.inputs.some(input => isMissing(input) || waiting.has(input.op)) || op.controlInputs.some(control => waiting.has(control)))
      waiting.add(op);
  const isKnown = (tensor: Tensor): boolean => run.feeds.has(tensor) || run.known.has(tensor);
  for (const tensor of wanted)
    if (isMissing(tensor) || waiting.has(tensor.op)) {
      own.delete(handle);
      const lacking = behind([tensor], isKnown).flatMap(op => op.inputs.filter(isMissing));
      throw new InvalidArgumentError(`Fetch ${(lacking[0] ?? tensor).name} can't be computed from the feeds that have been fed so far.`);
    }
  // What later parts read of this one.
  const later = [...run.fetches].filter(tensor => !wanted.includes(tensor) && !run.fetched.has(tensor));
  const handed = [...waiting].flatMap(op => op.inputs).concat(later);
  const kept = handed.filter(tensor => isPlain(tensor) && !isKnown(tensor) && !waiting.has(tensor.op));
  const asked = [...new Set([...wanted, ...kept])].filter(tensor => !run.known.has(tensor) && !fed.has(tensor));
  const executed = behind(asked, isKnown);
  const again = executed.find(op => run.done.has(op) && op.definition.stateful && op.outputs.every(isPlain));
  if (again)
    throw new UnimplementedError(
      `The ${again.type} node '${again.name}' belongs to an earlier part of this run, and would be computed again.\n\nOnly values are handed from part to part, not the order of effects: fetch it in the part that waits for it.`,
      again,
    );
  const values: readonly NDArray[] = asked.length === 0 ? [] : await session.run(asked, [...run.known, ...more]);
  for (const [tensor, value] of more) {
    run.known.set(tensor, value);
    run.fed.add(tensor);
  }
  asked.forEach((tensor, k) => void run.known.set(tensor, values[k]));
  for (const op of executed) run.done.add(op);
  for (const tensor of wanted) run.fetched.add(tensor);
  if (run.fetched.size === run.fetches.size && run.fed.size === run.feeds.size) own.delete(handle);
  const filled = (given: unknown): unknown =>
    Array.isArray(given) ? given.map(filled) : run.known.get(session.graph.asGraphElement(given as Tensor) as Tensor);
  return filled(fetches);
}
