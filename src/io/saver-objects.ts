// tf.train.Checkpoint: values saved under the places that their objects have in one another, instead of under names of variables (saver.ts).
// What objects are made of: object-graph.ts. Nodes that restore are made for the objects that are there when they are asked for.

import { files } from "#platform";
import { AssertionError, RuntimeError, ValueError } from "../base/errors.ts";
import { folderOf } from "../base/files.ts";
import { pythonStr } from "../base/python-text.ts";
import { decodeText, encodeText, NDArray } from "../base/ndarray.ts";
import { CheckpointReader, writeCheckpointState } from "../formats/checkpoint.ts";
import { messageFromBytes, messageToBytes } from "../formats/message-codec.ts";
import type { Message } from "../formats/messages.ts";
import { messageToText } from "../formats/text-format.ts";
import { getDefaultGraph } from "../graph/default-graph.ts";
import { Graph } from "../graph/graph.ts";
import { Operation, type Tensor } from "../graph/operation.ts";
import { type Runner, Variable } from "../library/variables/variables.ts";
import { collect, refuseOthers } from "../ops/arguments.ts";
import { constant } from "../ops/array/array.ts";
import { RestoreV2 } from "../ops/state/checkpoint.ts";
import { getDefaultSession } from "../session/default-session.ts";
import {
  isTrackable,
  type ObjectNode,
  ObjectRoot,
  objectGraph,
  objectGraphMessage,
  objectNames,
  ownParts,
  type Part,
} from "./object-graph.ts";
import { objectGraphKey, Saver, SaverNodes } from "./saver.ts";

const graphOf = (session: Runner | null): Graph =>
  session && "graph" in session && session.graph instanceof Graph ? session.graph : getDefaultGraph();

const onCpu = <R>(graph: Graph, body: () => R): R => graph.asDefault(() => graph.device("/cpu:0", body));
const text = (value: string | Uint8Array): NDArray => new NDArray("string", [], [typeof value === "string" ? encodeText(value) : value]);

/** What Python prints of an object. */
const shown = (object: object): string => (object instanceof Variable ? String(object) : `<${object.constructor.name} object>`);

/** A session, by place or by name. */
type InSession = Runner | { readonly session?: Runner | null } | null | undefined;
const given = (session: InSession): Runner | null => collect<{ session: Runner }>(["session"], [session]).session ?? null;

interface SaveNodes {
  readonly keys: string;
  readonly path: Tensor;
  readonly prefix: Tensor;
  readonly graph: Tensor;
}

interface CheckpointSettings {
  readonly experimentalIoDevice?: string | null;
  readonly experimentalEnableAsyncCheckpoint?: boolean;
  readonly experimentalWriteCallbacks?: readonly ((path: string) => unknown)[] | null;
  readonly enableAsync?: boolean;
  readonly experimentalSkipSlotVariables?: boolean;
  readonly experimentalShardingCallback?: null;
}

/** Settings that TensorFlow 2's checkpoints take; version 1's, and so those here, have no argument for them. TF: tf.train.CheckpointOptions.
 *  @throws ValueError for a sharding callback: checkpoints here are whole. */
export class CheckpointOptions {
  readonly experimentalIoDevice: string | null;
  readonly experimentalEnableAsyncCheckpoint: boolean;
  readonly experimentalWriteCallbacks: readonly ((path: string) => unknown)[] | null;
  readonly enableAsync: boolean;
  readonly experimentalSkipSlotVariables: boolean;
  readonly experimentalShardingCallback: null;

  constructor({
    experimentalIoDevice,
    experimentalEnableAsyncCheckpoint,
    experimentalWriteCallbacks,
    enableAsync = false,
    experimentalSkipSlotVariables,
    experimentalShardingCallback: sharding,
    ...others
  }: CheckpointSettings = {}) {
    refuseOthers(others);
    if (sharding !== null && sharding !== undefined)
      throw new ValueError(
        `The experimental_sharding_callback checkpoint optionmust be of type ShardingCallback. The option providedwas of type ${pythonStr(sharding)}.`,
        "Leave it out: a checkpoint here is written in one piece.",
      );
    this.experimentalIoDevice = experimentalIoDevice ?? null;
    this.enableAsync = experimentalEnableAsyncCheckpoint || enableAsync;
    this.experimentalEnableAsyncCheckpoint = this.enableAsync;
    this.experimentalWriteCallbacks = experimentalWriteCallbacks ?? null;
    this.experimentalSkipSlotVariables = experimentalSkipSlotVariables ?? false;
    this.experimentalShardingCallback = null;
  }
}

/** Objects with variables, saved and restored together: `new tf.train.Checkpoint({ model, optimizer })`. They are variables, layers, cells, optimizers, modules, tables,
 *  loss scales, checkpoints, and lists and dictionaries of them; names in the file are TensorFlow's spelling of the names here (`myModel` is `my_model`), so either
 *  program restores what the other saved. More may be set as properties later. TF: tf.train.Checkpoint, whose `restore` does not have to be awaited.
 *  @throws ValueError for what holds nothing. */
export class Checkpoint extends ObjectRoot {
  readonly #counters = new Map<Graph, Variable>();
  readonly #increments = new Map<Graph, Tensor>();
  readonly #saving = new Map<Graph, SaveNodes>();
  readonly #restoring = new Map<Graph, RestoreNodes>();

  constructor(objects: Readonly<Record<string, unknown>> = {}) {
    super();
    for (const [name, object] of Object.entries(objects).sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (!isTrackable(object))
        throw new ValueError(
          `\`Checkpoint\` was expecting a trackable object (an object derived from \`Trackable\`), got ${pythonStr(object)}. If you believe this object should be trackable (i.e. it is part of the TensorFlow Python API and manages state), please open an issue.`,
          "Give it variables, layers, cells, optimizers, modules, tables, or lists and dictionaries of them.",
        );
      Object.assign(this, { [name]: object });
    }
  }

  /** @internal */
  parts(graph: Graph): readonly Part[] {
    const counter = this.#counters.get(graph);
    return counter ? [...ownParts(this), ["save_counter", counter]] : ownParts(this);
  }

  /** Counts the calls of `save`; made when it is first asked for. TF: Checkpoint.save_counter. */
  get saveCounter(): Variable {
    return this.#counterIn(getDefaultGraph());
  }

  #counterIn(graph: Graph): Variable {
    const known = this.#counters.get(graph);
    if (known) return known;
    const zero = () => constant(0n, "int64", { name: "initial_value" });
    const made = onCpu(graph, () => new Variable(zero, { name: "save_counter", trainable: false, useResource: true }));
    this.#counters.set(graph, made);
    return made;
  }

  /** Adds 1 to the counter, which begins at 0, and tells it. @internal */
  async counted(session: Runner): Promise<number> {
    const graph = graphOf(session);
    const isNew = !this.#counters.has(graph);
    const counter = this.#counterIn(graph);
    if (isNew) await session.run(counter.initializer);
    let increment = this.#increments.get(graph);
    if (!increment) {
      increment = graph.asDefault(() => graph.colocateWith(counter.handle.op, undefined, () => counter.assignAdd(1n) as Tensor));
      this.#increments.set(graph, increment);
    }
    return Number(((await session.run(increment)) as NDArray).get(0));
  }

  /** Writes `filePrefix-N`, where N counts the calls, and makes it the folder's latest; returns its path. Without `session`, that of the default session.
   *  TF: Checkpoint.save. @throws RuntimeError without a session; FailedPreconditionError for variables without a value. */
  async save(filePrefix: string, session?: InSession): Promise<string> {
    const runner = sessionFor(given(session), filePrefix);
    const path = await this.write(`${filePrefix}-${await this.counted(runner)}`, runner);
    await writeCheckpointState(files, folderOf(filePrefix), path, { allModelCheckpointPaths: [path], saveRelativePaths: true });
    return path;
  }

  /** Writes a checkpoint of this very path, which no file lists. TF: Checkpoint.write. */
  async write(filePrefix: string, session?: InSession): Promise<string> {
    const runner = sessionFor(given(session), filePrefix);
    const graph = graphOf(runner);
    const nodes = objectGraph(this, graph);
    const { path, ...fed } = this.#nodesToSave(nodes, graph);
    await files.makeFolder(folderOf(filePrefix));
    const message = messageToBytes("TrackableObjectGraph", objectGraphMessage(nodes));
    const written = await runner.run(path, [
      [fed.prefix, text(filePrefix)],
      [fed.graph, text(message)],
    ]);
    return decodeText((written as NDArray).get(0) as Uint8Array);
  }

  #nodesToSave(nodes: readonly ObjectNode[], graph: Graph): SaveNodes {
    const saveables = nodes.flatMap(({ saveable }) => saveable ?? []);
    const keys = saveables.flatMap(({ specs }) => specs.map(({ name }) => name)).join("\n");
    const known = this.#saving.get(graph);
    if (known?.keys === keys) return known;
    const made = graph.asDefault(() => {
      const [message, prefix] = onCpu(graph, () => [known?.graph ?? constant(""), known?.prefix ?? constant("")]);
      const spec = { tensor: message, sliceSpec: "", name: objectGraphKey, dtype: "string" as const };
      const all = [...saveables, { name: objectGraphKey, op: message, specs: [spec], restore: () => message }];
      return { keys, prefix, graph: message, path: new SaverNodes(graph).saveShards(prefix, [["", all]]) };
    });
    this.#saving.set(graph, made);
    return made;
  }

  /** Opens a checkpoint to restore this object and what it is made of; `null`, as `latestCheckpoint` gives it where there is none, to initialize them. Nothing is
   *  restored before the status's `runRestoreOps` or `initializeOrRestore`. A checkpoint of a `Saver` is restored by names. TF: Checkpoint.restore.
   *  @throws NotFoundError */
  async restore(savePath: string | null | Promise<string | null>): Promise<LoadStatus> {
    const path = await savePath;
    const graph = getDefaultGraph();
    const status = await this.#statusOf(path, graph);
    this.#counterIn(graph);
    return status;
  }

  async #statusOf(path: string | null, graph: Graph): Promise<LoadStatus> {
    if (path === null) return new InitializationOnlyStatus(this, graph);
    const reader = await CheckpointReader.open(files, path);
    try {
      if (!reader.hasTensor(objectGraphKey)) return new NameBasedSaverStatus(this, graph, path);
      const message = messageFromBytes("TrackableObjectGraph", (await reader.getTensor(objectGraphKey)).get(0) as Uint8Array);
      const made = this.#restoring.get(graph) ?? new RestoreNodes(graph);
      this.#restoring.set(graph, made);
      const status = new CheckpointLoadStatus(this, graph, path, message, made);
      made.of(status.matched());
      return status;
    } finally {
      await reader.close();
    }
  }
}

/** The session given, or the default one. @throws RuntimeError without either. */
export function sessionFor(session: Runner | null, filePrefix: string): Runner {
  const found = session ?? getDefaultSession();
  if (!found)
    throw new RuntimeError(
      `Unable to save checkpoint to "${filePrefix}" in graph mode without a default session. Please use \`with tf.Session():\` to create a session.\n\nOr give the session: await checkpoint.save(prefix, session).`,
    );
  return found;
}

function sessionToRestore(session: InSession): Runner {
  const found = given(session) ?? getDefaultSession();
  if (!found) throw new RuntimeError("There is no default session to restore in.\n\nGive one: await status.runRestoreOps(session).");
  return found;
}

/** A value of a checkpoint and the object that takes it. */
interface Match {
  readonly node: ObjectNode;
  readonly key: string;
}

/** The nodes that restore, made once for each object and key. */
class RestoreNodes {
  private readonly graph: Graph;
  private readonly made = new Map<string, Operation | Tensor>();
  private prefix: Tensor | null = null;

  constructor(graph: Graph) {
    this.graph = graph;
  }

  of(matches: readonly Match[]): { readonly ops: readonly (Operation | Tensor)[]; readonly prefix: Tensor } {
    const { graph } = this;
    this.prefix ??= onCpu(graph, () => constant("model"));
    const { prefix } = this;
    const idOf = ({ node, key }: Match): string => `${(node.saveable?.op as Operation | Tensor | undefined)?.name}\n${key}`;
    const missing = matches.filter(match => !this.made.has(idOf(match)));
    const saveables = missing.map(({ node, key }) => {
      const own = node.attribute?.checkpointKey ?? "";
      const saveable = node.saveable as NonNullable<ObjectNode["saveable"]>;
      return { saveable, names: saveable.specs.map(({ name }) => key + name.slice(own.length)) };
    });
    if (missing.length > 0)
      graph.asDefault(() => {
        const specs = saveables.flatMap(({ saveable }) => saveable.specs);
        const restored = graph.device("/cpu:0", () =>
          RestoreV2({
            prefix,
            tensorNames: saveables.flatMap(({ names }) => names),
            shapeAndSlices: specs.map(({ sliceSpec }) => sliceSpec),
            dtypes: specs.map(({ dtype }) => dtype),
          }),
        );
        let at = 0;
        for (const [i, { saveable, names }] of saveables.entries()) {
          this.made.set(idOf(missing[i]), saveable.restore(restored.slice(at, at + names.length), null));
          at += names.length;
        }
      });
    return { ops: matches.map(match => this.made.get(idOf(match)) as Operation | Tensor), prefix };
  }
}

/** What `restore` gives: checks of what was found, and the runs that set the values. TF: the status that Checkpoint.restore returns. */
export abstract class LoadStatus {
  protected readonly root: Checkpoint;
  protected readonly graph: Graph;

  constructor(root: Checkpoint, graph: Graph) {
    this.root = root;
    this.graph = graph;
  }

  protected get objects(): ObjectNode[] {
    return objectGraph(this.root, this.graph);
  }

  /** @throws AssertionError unless all values of the checkpoint have an object and all objects a value. */
  abstract assertConsumed(): this;
  /** @throws AssertionError unless all objects that there are have a value in the checkpoint. */
  abstract assertExistingObjectsMatched(): this;
  /** @throws AssertionError if nothing but the root was found. */
  abstract assertNontrivialMatch(): this;
  /** Sets the values. Without `session`, in the default session. */
  abstract runRestoreOps(session?: InSession): Promise<void>;
  /** Sets the values; what has none is initialized. */
  abstract initializeOrRestore(session?: InSession): Promise<void>;
  /** Nothing is said here of what is left out. TF: expect_partial. */
  expectPartial(): this {
    return this;
  }
}

const initializersOf = (nodes: readonly ObjectNode[]): Operation[] =>
  nodes.flatMap(({ object }) => ("initializer" in object && object.initializer instanceof Operation ? [object.initializer] : []));

class CheckpointLoadStatus extends LoadStatus {
  private readonly path: string;
  private readonly message: Message<"TrackableObjectGraph">;
  private readonly restoring: RestoreNodes;

  constructor(root: Checkpoint, graph: Graph, path: string, message: Message<"TrackableObjectGraph">, restoring: RestoreNodes) {
    super(root, graph);
    this.path = path;
    this.message = message;
    this.restoring = restoring;
  }

  /** Which of the checkpoint's objects are which of ours, by the names that lead there. */
  private pairs(objects: readonly ObjectNode[]): Map<number, number> {
    const { nodes } = this.message;
    const found = new Map<number, number>([[0, 0]]);
    for (const [theirs, ours] of found) {
      const known = new Map(objects[ours].children);
      for (const { localName, nodeId } of nodes[theirs].children) {
        const own = known.get(localName);
        if (own !== undefined && !found.has(nodeId)) found.set(nodeId, own);
      }
    }
    for (const [theirs, ours] of [...found])
      for (const { slotName, originalVariableNodeId, slotVariableNodeId } of nodes[theirs].slotVariables) {
        const slot = objects[ours].slots.find(({ name, original }) => name === slotName && original === found.get(originalVariableNodeId));
        if (slot) found.set(slotVariableNodeId, slot.id);
      }
    return found;
  }

  matched(objects = this.objects): Match[] {
    return [...this.pairs(objects)].flatMap(([theirs, ours]) => {
      const node = objects[ours];
      const { attribute } = node;
      const stored = this.message.nodes[theirs].attributes.find(({ name }) => name === attribute?.name);
      return stored ? [{ node, key: stored.checkpointKey }] : [];
    });
  }

  private unmatched(objects: readonly ObjectNode[]): ObjectNode[] {
    const found = new Set(this.pairs(objects).values());
    return objects.filter(({ attribute }, id) => attribute !== null && !found.has(id));
  }

  assertExistingObjectsMatched(): this {
    const missing = this.unmatched(this.objects).map(({ object }) => shown(object));
    const some = missing.slice(0, 10);
    if (missing.length > 0)
      throw new AssertionError(
        `Found ${missing.length} Python objects that were not bound to checkpointed values, likely due to changes in the Python program. Showing ${some.length} of ${missing.length} unmatched objects: [${some.join(", ")}]`,
      );
    return this;
  }

  assertConsumed(): this {
    this.assertExistingObjectsMatched();
    const objects = this.objects;
    const found = this.pairs(objects);
    const names = objectNames(this.message);
    for (const [id, node] of this.message.nodes.entries())
      if (node.attributes.length > 0 && !found.has(id))
        throw new AssertionError(`Unresolved object in checkpoint ${names[id]}: ${messageToText("TrackableObject", node)}`);
    const unused = [...found].flatMap(([theirs, ours]) =>
      this.message.nodes[theirs].attributes.flatMap(({ name }) =>
        name === objects[ours].attribute?.name ? [] : [`${names[theirs]} (${shown(objects[ours].object)}): ['${name}']`],
      ),
    );
    if (unused.length > 0)
      throw new AssertionError(
        `Unused attributes in these objects (the attributes exist in the checkpoint but were not restored):\n${unused.join("\n")}`,
      );
    return this;
  }

  assertNontrivialMatch(): this {
    const objects = this.objects;
    if (this.pairs(objects).size > 1) return this;
    const missing = this.unmatched(objects).map(({ object }) => shown(object));
    throw new AssertionError(
      missing.length > 0
        ? `Nothing except the root object matched a checkpointed value. Typically this means that the checkpoint does not match the Python program. The following objects have no matching checkpointed value: [${missing.join(", ")}]`
        : `Nothing to load. No dependencies have been added to ${shown(this.root)} yet.`,
    );
  }

  async runRestoreOps(session?: InSession): Promise<void> {
    const { ops, prefix } = this.restoring.of(this.matched());
    await sessionToRestore(session).run(ops, [[prefix, text(this.path)]]);
  }

  async initializeOrRestore(session?: InSession): Promise<void> {
    const runner = sessionToRestore(session);
    await this.runRestoreOps(runner);
    await runner.run(initializersOf(this.unmatched(this.objects)));
  }
}

class InitializationOnlyStatus extends LoadStatus {
  private refuse(): never {
    throw new AssertionError("No checkpoint specified (save_path=None); nothing is being restored.");
  }
  assertConsumed(): this {
    return this.refuse();
  }
  assertExistingObjectsMatched(): this {
    return this.refuse();
  }
  assertNontrivialMatch(): this {
    return this.refuse();
  }
  async runRestoreOps(): Promise<void> {
    throw new AssertionError(
      "No checkpoint specified, so no restore ops are available (save_path=None to Saver.restore).\n\ninitializeOrRestore initializes what there is.",
    );
  }
  async initializeOrRestore(session?: InSession): Promise<void> {
    await sessionToRestore(session).run(initializersOf(this.objects));
  }
}

/** A checkpoint of a Saver's, where values are found by the names of variables. */
class NameBasedSaverStatus extends LoadStatus {
  private readonly path: string;
  private readonly restored = new Set<object>();

  constructor(root: Checkpoint, graph: Graph, path: string) {
    super(root, graph);
    this.path = path;
    console.warn(
      "Restoring a name-based tf.train.Saver checkpoint using the object-based restore API. This mode uses global names to match variables, and so is somewhat fragile. It also adds new restore ops to the graph each time it is called when graph building. Prefer re-encoding training checkpoints in the object-based format: run save() on the object-based saver (the same one this message is coming from) and use that checkpoint in the future.",
    );
  }

  assertConsumed(): this {
    const missing = this.objects.find(({ object }) => !this.restored.has(object));
    if (missing) throw new AssertionError(`Object not restored: ${shown(missing.object)}`);
    return this;
  }
  assertExistingObjectsMatched(): this {
    return this.assertConsumed();
  }
  assertNontrivialMatch(): this {
    return this.assertConsumed();
  }

  async runRestoreOps(session?: InSession): Promise<void> {
    const objects = this.objects.map(({ object }) => object).filter(object => !this.restored.has(object));
    const variables = objects.filter(object => object instanceof Variable);
    const saver = onCpu(this.graph, () => new Saver(variables));
    for (const object of objects) this.restored.add(object);
    await saver.restore(sessionToRestore(session), this.path);
  }
  initializeOrRestore(session?: InSession): Promise<void> {
    return this.runRestoreOps(session);
  }
}
