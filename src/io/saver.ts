// Saver: the nodes that save and restore variables, exactly TensorFlow's, and the bookkeeping of checkpoints on disk around them.
// What a checkpoint's bytes are is formats/bundle.ts's business; the work is done by the ops of ops/checkpoint.ts.

import { pythonStr, textOf } from "../base/python-text.ts";
import { files } from "#platform";
import { type DType, dtypeTable } from "../base/dtype.ts";
import {
  AssertionError,
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
  type OpError,
  RuntimeError,
  ValueError,
  withHint,
  UnimplementedError,
} from "../base/errors.ts";
import { fileNameOf, folderOf } from "../base/files.ts";
import { decodeText, NDArray } from "../base/ndarray.ts";
import { CheckpointReader, hasCheckpoint, removeCheckpointFiles, writeCheckpointState } from "../formats/checkpoint.ts";
import { messageFromBytes } from "../formats/message-codec.ts";
import { convertIntegers, type TensorLike } from "../graph/conversion.ts";
import { getDefaultGraph } from "../graph/default-graph.ts";
import { Graph } from "../graph/graph.ts";
import { type Operation, Tensor } from "../graph/operation.ts";
import { GraphKeys } from "../library/variables/graph-keys.ts";
import { PartitionedVariable } from "../library/variables/partitioned-variable.ts";
import { globalStep as valueOfStep } from "../library/train/global-step.ts";
import { type Loose, messageClass, messageKind, type MessageObject } from "../formats/message-class.ts";
import type { Message } from "../formats/messages.ts";
import type { SlicePlace } from "../library/variables/variable-nodes.ts";
import { assign, type Runner, Variable } from "../library/variables/variables.ts";
import { checkOptions, isOptions } from "../ops/arguments.ts";
import { constant, identity, placeholderWithDefault, reshape, shape as shapeOf } from "../ops/array/array.ts";
import { where } from "../ops/array/selection.ts";
import { MergeV2Checkpoints, RestoreV2, SaveSlices, SaveV2, ShardedFilename, ShardedFilespec } from "../ops/state/checkpoint.ts";
import { group, withDependencies } from "../ops/flow/control-flow.ts";
import { AssignVariableOp } from "../ops/state/state.ts";
import { regexFullMatch } from "../ops/string/regex.ts";
import { stringJoin } from "../ops/string/string.ts";
import { writeMessageFile } from "./message-files.ts";
import { type MetaGraphMessage, type MetaGraphOptions, metaGraphOf } from "./meta-graph.ts";
import { modificationTimes } from "./saver-checkpoints.ts";

/** One tensor of a checkpoint: under a name, all of it or the slice that `sliceSpec` says. */
export interface SaveSpec {
  readonly tensor: Tensor;
  readonly sliceSpec: string;
  readonly name: string;
  readonly dtype: DType;
}

/** What a saver saves: a variable, or anything else that says which tensors it is made of and how to restore it. */
export interface SaveableObject {
  readonly name: string;
  /** What is saved, once only. */
  readonly op: object;
  readonly specs: readonly SaveSpec[];
  /** The node that sets it to the restored tensors, first brought to `shapes` where they are given. */
  restore(restoredTensors: readonly Tensor[], restoredShapes: readonly TensorLike[] | null): Operation | Tensor;
}

/** What a saver can be asked to save. Parts of one partitioned variable are given together. */
export type Saveable = Variable | Tensor | SaveableObject;
type SaveableGroup = Saveable | PartitionedVariable | readonly Saveable[];
export type VarList =
  | readonly (Saveable | PartitionedVariable)[]
  | Readonly<Record<string, SaveableGroup>>
  | ReadonlyMap<string, SaveableGroup>;

const sliceInfoOf = (value: unknown): SlicePlace | null => (value instanceof Variable ? value.saveSliceInfo : null);

const noVariables = (): ValueError =>
  new ValueError(
    "No variables to save",
    "Make the variables before the Saver and in the same graph, or give it some: new tf.train.Saver({ varList: [v] }). With { allowEmpty: true } it saves nothing.",
  );

/** The nodes of a saver, by name. TF: SaverDef. */
export type SaverDef = MessageObject<"SaverDef">;
/** Versions of checkpoints. */
export const SaverDef = Object.assign(messageClass("SaverDef"), { LEGACY: 0, V1: 1, V2: 2 } as const);

const isV1 = (version: string | number): boolean => version === "V1" || version === 1 || version === "LEGACY" || version === 0;

export interface SaverOptions {
  /** Restored values may have another shape with as many elements. */
  readonly reshape?: boolean;
  /** One data file for each device that has variables. */
  readonly sharded?: boolean;
  /** So many checkpoints are kept, the oldest being removed; 0 or null: all. */
  readonly maxToKeep?: number | null;
  /** Of the removed ones, one in so many hours is kept. */
  readonly keepCheckpointEveryNHours?: number;
  readonly name?: string | null;
  readonly restoreSequentially?: boolean;
  /** Use nodes that exist. */
  readonly saverDef?: Loose<Message<"SaverDef">> | null;
  /** Make the nodes when `build` is called. */
  readonly deferBuild?: boolean;
  /** Nothing: ways of saving of one's own are not there. */
  readonly builder?: null;
  /** Without variables do nothing, instead of an error. */
  readonly allowEmpty?: boolean;
  readonly writeVersion?: 1 | 2;
  /** Steps in names have eight digits at least. */
  readonly padStepNumber?: boolean;
  /** Paths in the file `checkpoint` are relative to it, so the folder may be moved. */
  readonly saveRelativePaths?: boolean;
  readonly filename?: string | null;
}

interface SaverExportOptions extends MetaGraphOptions {
  readonly filename?: string | null;
  readonly asText?: boolean;
}

/** A session's graph; a runner of another kind has none to tell. */
const graphOf = (session: Runner): Graph => ("graph" in session && session.graph instanceof Graph ? session.graph : getDefaultGraph());

export interface SaveOptions {
  /** Added to the name: `model-100`. */
  readonly globalStep?: number | bigint | Tensor | Variable | string | null;
  /** Name of the file that lists checkpoints; "checkpoint" by default. */
  readonly latestFilename?: string | null;
  readonly metaGraphSuffix?: string;
  readonly writeMetaGraph?: boolean;
  readonly writeState?: boolean;
  readonly stripDefaultAttrs?: boolean;
}

const optionNames: Readonly<Record<keyof SaverOptions, true>> = {
  reshape: true,
  sharded: true,
  maxToKeep: true,
  keepCheckpointEveryNHours: true,
  name: true,
  restoreSequentially: true,
  saverDef: true,
  deferBuild: true,
  builder: true,
  allowEmpty: true,
  writeVersion: true,
  padStepNumber: true,
  saveRelativePaths: true,
  filename: true,
};

/** Options and no dictionary: of all that is named like options, something cannot be saved. */
const areOptions = (given: object): given is SaverOptions & { readonly varList?: VarList | null } =>
  !isList(given) &&
  !(given instanceof Map) &&
  Object.keys(given).length > 0 &&
  Object.entries(given).every(([name, value]) => name === "varList" || (name in optionNames && !isSaveable(value)));

const isSaveable = (value: unknown): boolean => value instanceof Variable || value instanceof Tensor || isSaveableObject(value);

const kindOfMessage = (value: unknown): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, messageKind) : undefined;

const hour = 3600;
const now = (): number => Date.now() / 1000;

/** Saves variables to checkpoints and restores them: `new tf.train.Saver()`, `await saver.save(session, "out/model", { globalStep })`,
 *  `await saver.restore(session, path)`. Files are TensorFlow's. TF: tf.train.Saver.
 *  @throws ValueError without variables (unless `allowEmpty`), or for two of one name; TypeError for what is no variable. */
export class Saver {
  /** The names of the nodes; null while there are none. */
  saverDef: SaverDef | null;
  private readonly varList: VarList | null;
  private readonly options: SaverOptions;
  private isBuilt = false;
  private isEmpty = false;
  /** The nodes that restore from a checkpoint of objects. */
  private byObjects: { readonly keys: string; readonly def: SaverDef } | null = null;
  private kept: { readonly path: string; readonly time: number }[] = [];
  private toBeRemoved: { readonly path: string; readonly time: number }[] = [];
  private nextKeptTime = Number.POSITIVE_INFINITY;

  /** `new Saver(variables, { maxToKeep })`, or `new Saver({ varList, maxToKeep })`. */
  constructor(varList?: VarList | null, options?: SaverOptions);
  constructor(options: SaverOptions & { readonly varList?: VarList | null });
  constructor(first: VarList | (SaverOptions & { readonly varList?: VarList | null }) | null = null, options: SaverOptions = {}) {
    const { varList = null, ...own } = first !== null && areOptions(first) ? first : { ...options, varList: first };
    if (varList !== null && typeof varList !== "object")
      throw new TypeError(`Variables to save should be passed in a dict or a list. Got ${pythonStr(varList)}`);
    checkOptions<SaverOptions>(options, optionNames);
    if (own.builder !== undefined && own.builder !== null)
      throw new UnimplementedError(
        "A Saver's `builder` is not there.\n\nGive objects with `specs` and `restore` in `varList` to save in a way of your own.",
      );
    if (own.deferBuild && varList !== null)
      throw new ValueError("If `var_list` is provided then build cannot be deferred. Either set defer_build=False or var_list=None.");
    if (own.saverDef && kindOfMessage(own.saverDef) !== "SaverDef" && !isOptions(own.saverDef))
      throw new ValueError(`saver_def must be a saver_pb2.SaverDef: ${pythonStr(own.saverDef)}`);
    this.varList = varList;
    this.options = own;
    this.saverDef = own.saverDef ? new SaverDef(own.saverDef) : null;
    if (!own.deferBuild) this.build();
  }

  /** Makes the nodes, if they were deferred. */
  build(): void {
    if (this.isBuilt) return;
    this.isBuilt = true;
    const { name } = this.options;
    if (this.saverDef === null) {
      const list = this.varList ?? allSaveable();
      if (isEmptyList(list)) {
        if (!this.options.allowEmpty) throw noVariables();
        this.isEmpty = true;
        return;
      }
      this.saverDef = buildNodes(list, this.options);
    } else if (name) {
      const inside = (inner: string): string => `${name}/${inner}`;
      const { filenameTensorName, saveTensorName, restoreOpName } = this.saverDef;
      this.saverDef = new SaverDef({
        ...this.saverDef,
        filenameTensorName: inside(filenameTensorName),
        saveTensorName: inside(saveTensorName),
        restoreOpName: inside(restoreOpName),
      });
    }
    if (!this.saverDef.saveTensorName) throw new ValueError("saver_def must specify the save_tensor_name");
    if (!this.saverDef.restoreOpName) throw new ValueError("saver_def must specify the restore_op_name");
    this.nextKeptTime = now() + this.saverDef.keepCheckpointEveryNHours * hour;
  }

  asSaverDef(): SaverDef | null {
    return this.saverDef;
  }

  /** The definition, without a name scope where one is given; null if it is not in that scope. */
  toProto({ exportScope = null }: { exportScope?: string | null } = {}): SaverDef | null {
    const def = this.saverDef;
    if (def === null || !exportScope) return def;
    const { filenameTensorName, saveTensorName, restoreOpName } = def;
    if (![filenameTensorName, saveTensorName, restoreOpName].every(name => name.startsWith(exportScope))) return null;
    const strip = (name: string): string => name.slice(exportScope.replace(/\/$/, "").length + 1);
    return new SaverDef({
      ...def,
      filenameTensorName: strip(filenameTensorName),
      saveTensorName: strip(saveTensorName),
      restoreOpName: strip(restoreOpName),
    });
  }

  /** A saver over nodes that exist. */
  static fromProto(saverDef: Loose<Message<"SaverDef">>, { importScope = null }: { importScope?: string | null } = {}): Saver {
    return new Saver(null, { saverDef, name: importScope });
  }

  /** Checkpoints not yet removed, the oldest first. */
  get lastCheckpoints(): string[] {
    return this.kept.map(({ path }) => path);
  }

  setLastCheckpoints(lastCheckpoints: readonly string[]): void {
    if (!Array.isArray(lastCheckpoints)) throw new AssertionError("last_checkpoints must be a list.");
    this.kept = lastCheckpoints.map(path => ({ path, time: Number.POSITIVE_INFINITY }));
  }

  /** Pairs of a path and its time in seconds. */
  setLastCheckpointsWithTime(lastCheckpointsWithTime: readonly (readonly [string, number])[]): void {
    if (!Array.isArray(lastCheckpointsWithTime)) throw new AssertionError("last_checkpoints_with_time must be a list.");
    this.kept = lastCheckpointsWithTime.map(([path, time]) => ({ path, time }));
  }

  /** After a restart: of these checkpoints, goes on with those that are there. */
  async recoverLastCheckpoints(checkpointPaths: readonly string[]): Promise<void> {
    const found: { path: string; time: number }[] = [];
    for (const path of checkpointPaths) for (const time of await modificationTimes([path])) found.push({ path, time });
    this.kept = found;
  }

  /** Writes a checkpoint and returns its path, for `restore`; null if there is nothing to save. It is there whole or not at all.
   *  @throws ValueError for a missing folder or a name that collides with the state file; FailedPreconditionError for variables without a value. */
  async save(session: Runner, savePath: string, options: SaveOptions = {}): Promise<string | null> {
    const { globalStep = null, latestFilename, metaGraphSuffix = "meta", writeMetaGraph, writeState = true } = options;
    if (!this.isBuilt) throw new RuntimeError("`build()` should be called before save if defer_build==True");
    const stateFile = latestFilename ?? "checkpoint";
    if (folderOf(stateFile) !== "") throw new ValueError("'latest_filename' must not contain path components");
    refuseNoSession(session);
    textOf(savePath);
    if (globalStep === null && fileNameOf(savePath) === stateFile && !this.options.sharded)
      throw new ValueError(`'latest_filename' collides with 'save_path': '${stateFile}' and '${savePath}'`);
    const checkpointFile = globalStep === null ? savePath : `${savePath}-${await this.stepText(session, globalStep)}`;
    let written: string | null = null;
    if (this.saverDef !== null && !this.isEmpty) {
      written = await this.write(session, checkpointFile, savePath);
      if (writeState) {
        this.record(written);
        await writeCheckpointState(files, folderOf(savePath), written, {
          allModelCheckpointPaths: this.lastCheckpoints,
          latestFilename: stateFile,
          saveRelativePaths: this.options.saveRelativePaths ?? false,
        });
        await this.removeOld(metaGraphSuffix);
      }
    }
    if (writeMetaGraph !== false)
      await this.exportMetaGraph({
        filename: `${checkpointFile}.${metaGraphSuffix}`,
        graph: graphOf(session),
        stripDefaultAttrs: options.stripDefaultAttrs ?? false,
      });
    return written;
  }

  /** The graph with its collections and this saver, written to `filename` if there is one. */
  async exportMetaGraph({ filename, asText, ...options }: SaverExportOptions = {}): Promise<MetaGraphMessage> {
    const message = metaGraphOf({ ...options, saverDef: this.toProto({ exportScope: options.exportScope ?? null }) });
    if (filename) await writeMetaGraphFile(filename, message, asText ?? false);
    return message;
  }

  private async write(session: Runner, checkpointFile: string, savePath: string): Promise<string> {
    const { saveTensorName, filenameTensorName } = this.saverDef as SaverDef;
    try {
      const path = (await session.run(saveTensorName, { [filenameTensorName]: checkpointFile })) as NDArray;
      return decodeText(path.get(0) as Uint8Array);
    } catch (error) {
      const folder = folderOf(savePath);
      const isMissing = error instanceof FailedPreconditionError || error instanceof NotFoundError;
      if (isMissing && folder !== "" && !(await files.status(folder))?.isFolder)
        throw new ValueError(`Parent directory of ${savePath} doesn't exist, can't save.`);
      throw error;
    }
  }

  private async stepText(session: Runner, step: NonNullable<SaveOptions["globalStep"]>): Promise<string> {
    // A fraction is no step: the session refuses to fetch it.
    const value = Number.isInteger(step) || typeof step === "bigint" ? step : await valueOfStep(session, step as Tensor);
    return this.options.padStepNumber ? String(value).padStart(8, "0") : String(value);
  }

  private record(path: string): void {
    const most = (this.saverDef as SaverDef).maxToKeep;
    if (!most) return;
    this.kept = [...this.kept.filter(other => other.path !== path), { path, time: now() }];
    if (this.kept.length > most) this.toBeRemoved.push(...this.kept.splice(0, 1));
  }

  private async removeOld(metaGraphSuffix: string): Promise<void> {
    const oldest = this.toBeRemoved.shift();
    if (!oldest) return;
    const { keepCheckpointEveryNHours, version } = this.saverDef as SaverDef;
    if (oldest.time > this.nextKeptTime) {
      this.nextKeptTime += keepCheckpointEveryNHours * hour;
      return;
    }
    // A file that cannot be removed keeps nobody from saving.
    await removeCheckpointFiles(files, oldest.path, metaGraphSuffix, isV1(version) ? 1 : 2).catch((error: unknown) =>
      console.warn(`Ignoring: ${String(error)}`),
    );
  }

  /** Sets the variables to a checkpoint's values; they need not have been initialized.
   *  @throws ValueError if the path names no checkpoint; NotFoundError for missing tensors, InvalidArgumentError for other shapes or types. */
  async restore(session: Runner, savePath: string): Promise<void> {
    if (this.isEmpty) return;
    if (savePath === null || savePath === undefined) throw new ValueError("Can't load save_path when it is None.");
    if (this.saverDef === null) throw new RuntimeError("`build()` should be called before restore if defer_build==True");
    refuseNoSession(session);
    const path = textOf((savePath as unknown) instanceof NDArray ? String(savePath) : savePath);
    if (!(await hasCheckpoint(files, path)))
      throw new ValueError(
        `The passed save_path is not a valid checkpoint: ${path}`,
        "It is the prefix of the files NAME.index and NAME.data-…; tf.train.latestCheckpoint(folder) gives it.",
      );
    const { restoreOpName, filenameTensorName } = this.saverDef;
    try {
      await session.run(restoreOpName, { [filenameTensorName]: path });
    } catch (error) {
      if (error instanceof NotFoundError) {
        const keys = await objectGraphKeys(path);
        if (keys === null) throw explained(error, "a Variable name or other graph key that is missing");
        return this.restoreByObjects(session, path, keys);
      }
      if (error instanceof InvalidArgumentError) throw explained(error, "a mismatch between the current graph and the graph");
      throw error;
    }
  }

  /** Nodes of their own, made once for each set of keys, since they name other keys. */
  private async restoreByObjects(session: Runner, path: string, keys: ReadonlyMap<string, string>): Promise<void> {
    console.warn(
      "Restoring an object-based checkpoint using a name-based saver. This may be somewhat fragile, and will re-build the Saver. Instead, consider loading object-based checkpoints using tf.train.Checkpoint().",
    );
    const graph = graphOf(session);
    const saveables = graph.asDefault(() => saveablesOf(this.varList ?? allSaveable()));
    refuseMissing(
      saveables.flatMap(({ specs }) => specs.map(({ name }) => name)),
      keys,
    );
    const renamed = saveables.map(
      (saveable): SaveableObject => ({
        name: saveable.name,
        op: saveable.op,
        restore: (tensors, shapes) => saveable.restore(tensors, shapes),
        specs: saveable.specs.map(spec => ({ ...spec, name: keys.get(spec.name) as string })),
      }),
    );
    const text = renamed.flatMap(({ specs }) => specs.map(({ name }) => name)).join("\n");
    if (this.byObjects?.keys !== text)
      this.byObjects = { keys: text, def: graph.asDefault(() => nodesOf(renamed, { ...this.options, sharded: false, name: "save" })) };
    const { filenameTensorName, restoreOpName } = this.byObjects.def;
    await session.run(restoreOpName, { [filenameTensorName]: path });
  }
}

/** Writes a meta graph; the folder is made where it is missing. */
export async function writeMetaGraphFile(path: string, message: MetaGraphMessage, asText: boolean): Promise<void> {
  await files.makeFolder(folderOf(path));
  await writeMessageFile("MetaGraphDef", path, message, { asText });
}

/** Names of variables → keys, in a checkpoint of objects (tf.train.Checkpoint, Keras); null if it is none. */
async function objectGraphKeys(path: string): Promise<Map<string, string> | null> {
  const reader = await CheckpointReader.open(files, path);
  try {
    if (!reader.hasTensor(objectGraphKey)) return null;
    const bytes = (await reader.getTensor(objectGraphKey)).get(0) as Uint8Array;
    const { nodes } = messageFromBytes("TrackableObjectGraph", bytes);
    return new Map(nodes.flatMap(({ attributes }) => attributes.map(({ fullName, checkpointKey }) => [fullName, checkpointKey])));
  } finally {
    await reader.close();
  }
}
export const objectGraphKey = "_CHECKPOINTABLE_OBJECT_GRAPH";

/** @throws NotFoundError in TensorFlow's words unless the checkpoint has all the variables. */
function refuseMissing(names: readonly string[], keys: ReadonlyMap<string, string>): void {
  const missing = names.filter(name => !keys.has(name)).sort();
  if (missing.length === 0) return;
  const wanted = new Set(names);
  const extra = [...keys.keys()].filter(name => !wanted.has(name)).sort();
  throw new NotFoundError(
    `\n\nExisting variables not in the checkpoint: ${missing.join(", ")}\n\nVariables names when this checkpoint was written which don't exist now: ${extra.join(", ")}\n\n(${keys.size - extra.length} variable name(s) did match)\n\nCould not find some variables in the checkpoint (see names above). Saver was attempting to load an object-based checkpoint (saved using tf.train.Checkpoint or tf.keras.Model.save_weights) using variable names. If the checkpoint was written with eager execution enabled, it's possible that variable names have changed (for example missing a '_1' suffix). It's also possible that there are new variables which did not exist when the checkpoint was written. You can construct a Saver(var_list=...) with only the variables which previously existed, and if variable names have changed you may need to make this a dictionary with the old names as keys.`,
  );
}

function refuseNoSession(session: unknown): void {
  if (typeof session !== "object" || session === null || typeof (session as { run?: unknown }).run !== "function")
    throw new TypeError(`'sess' must be a Session; ${pythonStr(session)}`);
}

function explained(error: OpError, cause: string): OpError {
  const Class = error.constructor as new (message: string, op: OpError["op"]) => OpError;
  const told = new Class(
    `Restoring from checkpoint failed. This is most likely due to ${cause} from the checkpoint. Please ensure that you have not altered the graph expected based on the checkpoint. Original error:\n\n${error.message}`,
    error.op,
  );
  return withHint(
    told,
    "tf.train.listVariables(path) tells what is in it; new tf.train.Saver({ itsName: variable }) restores under other names, or a part.",
  );
}

// ---- what is to be saved ----

const allSaveable = (): Saveable[] => {
  const graph = getDefaultGraph();
  return [...graph.getCollection(GraphKeys.GLOBAL_VARIABLES), ...graph.getCollection(GraphKeys.SAVEABLE_OBJECTS)] as Saveable[];
};

const isList = (list: unknown): list is readonly unknown[] => Array.isArray(list) || list instanceof Set;
const isEmptyList = (list: VarList): boolean =>
  isList(list) ? [...list].length === 0 : list instanceof Map ? list.size === 0 : Object.keys(list).length === 0;

const isSaveableObject = (value: unknown): value is SaveableObject =>
  typeof value === "object" && value !== null && "specs" in value && "restore" in value;

/** Code points order names as Python does. */
const byName = <T>([a]: readonly [string, T], [b]: readonly [string, T]): number => (a < b ? -1 : a > b ? 1 : 0);

/** Saveables by the name they have in checkpoints. @throws ValueError if two have one name; TypeError for what cannot be saved. */
function namedSaveables(list: VarList): [string, SaveableGroup][] {
  if (list instanceof Map) {
    for (const name of list.keys())
      if (typeof name !== "string")
        throw new TypeError(
          `names_to_saveables must be a dict mapping string names to trackable operations. Name is not a string: ${pythonStr(name)}`,
        );
    return [...list];
  }
  if (!isList(list)) {
    if (typeof list !== "object" || list === null || list instanceof Variable || list instanceof Tensor)
      throw new TypeError(`Variables to save should be passed in a dict or a list. Got ${String(list)}`);
    return Object.entries(list as Readonly<Record<string, SaveableGroup>>);
  }
  const result = new Map<string, SaveableGroup>();
  const flat = ([...list].flat(9) as (Saveable | PartitionedVariable)[]).flatMap(partsOf);
  for (const [, item] of flat.map(item => [item.name, item] as const).sort(byName)) {
    const slice = sliceInfoOf(item);
    if (slice) {
      const others = result.get(slice.fullName) ?? [];
      if (!isList(others)) throw new ValueError(`Mixing slices and non-slices with the same name: ${slice.fullName}`);
      result.set(slice.fullName, [...others, item]);
      continue;
    }
    const name = isSaveableObject(item) ? item.name : nodeNameOf(item);
    if (result.has(name)) throw new ValueError(`At least two variables have the same name: ${name}`);
    result.set(name, item);
  }
  return [...result];
}

const variableOps = new Set(["Variable", "VariableV2", "VarHandleOp", "ReadVariableOp"]);

/** What is neither variable nor tensor, as a tensor, which is none to save. */
const madeTensor = (item: unknown): Tensor => convertIntegers(item as TensorLike);

/** The tensor of a variable that is to be saved: the reference, or the read of a resource variable. */
function tensorOf(item: Saveable, what: string): Tensor {
  const tensor = item instanceof Variable ? item.asGraphElement() : item instanceof Tensor ? item : madeTensor(item);
  if (!(tensor instanceof Tensor) || !variableOps.has(tensor.op.type))
    throw new TypeError(`${what}: ${String(item instanceof Variable ? item : tensor)}`);
  return tensor;
}

function nodeNameOf(item: Saveable): string {
  const { op } = tensorOf(item, "Variable to save is not a Variable");
  return op.type === "ReadVariableOp" ? op.inputs[0].op.name : op.name;
}

const partsOf = (item: Saveable | PartitionedVariable): readonly Saveable[] => (item instanceof PartitionedVariable ? item.parts : [item]);

function saveablesOf(list: VarList): SaveableObject[] {
  const seen = new Set<object>();
  const result: SaveableObject[] = [];
  for (const [name, item] of namedSaveables(list).sort(byName)) {
    const areSlices = isList(item) || item instanceof PartitionedVariable;
    const group = isList(item) ? item : partsOf(item);
    if (areSlices) checkSlices(group);
    for (const one of group) {
      const saveable = isSaveableObject(one) ? one : saveableOf(one, areSlices ? (sliceInfoOf(one)?.spec ?? "") : "", name);
      if (seen.has(saveable.op)) throw new ValueError(`The same saveable will be restored with two names: ${saveable.name}`);
      seen.add(saveable.op);
      result.push(saveable);
    }
  }
  return result;
}

function checkSlices(group: readonly Saveable[]): void {
  let first: string | null = null;
  for (const item of group) {
    if (isSaveableObject(item)) continue;
    if (!(item instanceof Variable)) throw new ValueError(`Slices must all be Variables: ${String(item)}`);
    const slice = sliceInfoOf(item);
    if (!slice) throw new ValueError(`Slices must all be slices: ${String(item)}`);
    first ??= slice.fullName;
    if (slice.fullName !== first) throw new ValueError(`Slices must all be from the same tensor: ${first} != ${slice.fullName}`);
  }
}

/** How a variable is saved and restored. */
export function saveableOf(item: Variable | Tensor, sliceSpec: string, name: string): SaveableObject {
  const tensor = tensorOf(item, "names_to_saveables must be a dict mapping string names to Tensors/Variables. Not a variable");
  const specs = [{ tensor, sliceSpec, name, dtype: tensor.dtype }];
  const { graph } = tensor;
  const brought = ([restored]: readonly Tensor[], shapes: readonly TensorLike[] | null): Tensor =>
    shapes === null ? restored : reshape(restored, shapes[0]);
  if (tensor.op.type !== "ReadVariableOp")
    return {
      name,
      op: tensor,
      specs,
      restore: (restored, shapes) =>
        assign(tensor, brought(restored, shapes), { validateShape: shapes === null && tensor.shape.isFullyDefined }) as Tensor,
    };
  const [handle] = tensor.op.inputs;
  const variableShape = item.shape;
  return {
    name,
    op: handle.op,
    specs,
    restore: (restored, shapes) =>
      graph.device(handle.device, () => {
        const value = identity(brought(restored, shapes));
        if (!variableShape.isCompatibleWith(value.shape))
          throw new ValueError(
            `Received incompatible tensor with shape ${value.shape} when attempting to restore variable with shape ${variableShape} and name ${name}.`,
          );
        return AssignVariableOp({ resource: handle, value, dtype: tensor.dtype });
      }),
  };
}

// ---- nodes ----

type PerDevice = readonly (readonly [string, readonly SaveableObject[]])[];

/** The nodes that save to and restore from files. */
export class SaverNodes {
  private readonly graph: Graph;
  private readonly options: SaverOptions;
  constructor(graph: Graph, options: SaverOptions = {}) {
    this.graph = graph;
    this.options = options;
  }

  private get isV1(): boolean {
    return isV1(this.options.writeVersion ?? 2);
  }

  save(filename: Tensor, saveables: readonly SaveableObject[]): Tensor {
    const specs = saveables.flatMap(saveable => saveable.specs);
    const tensorNames = specs.map(({ name }) => name);
    const slices = specs.map(({ sliceSpec }) => sliceSpec);
    const tensors = specs.map(({ tensor }) => tensor);
    const save = this.isV1
      ? SaveSlices({ filename, tensorNames, shapesAndSlices: slices, data: tensors })
      : SaveV2({ prefix: filename, tensorNames, shapeAndSlices: slices, tensors });
    return withDependencies([save], filename);
  }

  restore(filename: Tensor, saveables: readonly SaveableObject[], name: string): Operation {
    const specs = saveables.flatMap(saveable => saveable.specs);
    const restored = this.graph.device("cpu:0", () =>
      RestoreV2({
        prefix: filename,
        tensorNames: specs.map(spec => spec.name),
        shapeAndSlices: specs.map(({ sliceSpec }) => sliceSpec),
        dtypes: specs.map(({ dtype }) => dtype),
      }),
    );
    let at = 0;
    const assigned = saveables.map(saveable => {
      const count = saveable.specs.length;
      const shapes = this.options.reshape
        ? saveable.specs.map(({ tensor }) => (tensor.shape.isFullyDefined ? tensor.shape.asNumbers() : shapeOf(tensor)))
        : null;
      at += count;
      return saveable.restore(restored.slice(at - count, at), shapes);
    });
    return group(...assigned, { name });
  }

  saveShards(filename: Tensor, perDevice: PerDevice): Tensor {
    const { graph } = this;
    const base = this.isV1
      ? filename
      : graph.device("CPU", () => {
          const suffix = where(regexFullMatch(filename, "^s3://.*"), constant(".part"), constant("_temp/part")) as Tensor;
          return stringJoin([filename, suffix]);
        });
    const numShards = constant(perDevice.length, "int32", { name: "num_shards" });
    const prefixes: Tensor[] = [];
    const saves: Tensor[] = [];
    for (const [shard, [device, saveables]] of perDevice.entries())
      graph.device(this.isV1 ? device : onCpu(device), () => {
        const prefix = ShardedFilename({ basename: base, shard, numShards });
        prefixes.push(prefix);
        saves.push(this.save(prefix, saveables));
      });
    return graph.controlDependencies(
      saves.map(({ op }) => op),
      () => {
        if (this.isV1) return ShardedFilespec({ basename: filename, numShards });
        return graph.device(onCpu(perDevice.at(-1)?.[0] ?? ""), () => {
          const merge = MergeV2Checkpoints({
            checkpointPrefixes: prefixes,
            destinationPrefix: filename,
            deleteOldDirs: true,
          });
          return graph.controlDependencies([merge], () => identity(filename));
        });
      },
    );
  }

  restoreShards(filename: Tensor, perDevice: PerDevice): Operation {
    const shards = perDevice.map(([device, saveables]) =>
      this.graph.device(device, () => this.restore(filename, saveables, "restore_shard")),
    );
    return group(...shards, { name: "restore_all" });
  }
}

const onCpu = (device: string): string => `${device.replace(/\/device:\w+:[\d*]+$/i, "")}/device:CPU:0`;

function byDevice(saveables: readonly SaveableObject[]): PerDevice {
  const result = new Map<string, SaveableObject[]>();
  for (const saveable of saveables) {
    const devices = new Set(saveable.specs.map(({ tensor }) => tensor.device));
    if (devices.size !== 1) throw new ValueError(`All tensors of a saveable object must be on the same device: ${saveable.name}`);
    const [device] = devices;
    result.set(device, [...(result.get(device) ?? []), saveable]);
  }
  return [...result].sort(byName);
}

const buildNodes = (list: VarList, options: SaverOptions): SaverDef => nodesOf(saveablesOf(list), options);

function nodesOf(saveables: readonly SaveableObject[], options: SaverOptions): SaverDef {
  const unsavable = saveables.flatMap(({ specs }) => specs).find(({ dtype }) => dtypeTable[dtype].bytes === 0 && dtype !== "string");
  if (unsavable) throw new TypeError(`${unsavable.name} is of type ${unsavable.dtype}, which checkpoints do not hold.`);
  const { writeVersion: version = 2 } = options;
  if (version !== 2 && !isV1(version) && version !== ("V2" as unknown)) throw new RuntimeError(`Unexpected write_version: ${version}`);
  const { graph } = saveables[0].specs[0].tensor;
  return graph.asDefault(() =>
    graph.nameScope(options.name ?? "save", () => {
      const nodes = new SaverNodes(graph, options);
      const inner = placeholderWithDefault(convertIntegers(options.filename || "model", "filename/input"), [], { name: "filename" });
      const filename = placeholderWithDefault(inner, [], { name: "Const" });
      const perDevice = options.sharded ? byDevice(saveables) : [];
      const save = options.sharded ? nodes.saveShards(filename, perDevice) : nodes.save(filename, saveables);
      const restore = options.sharded ? nodes.restoreShards(filename, perDevice) : nodes.restore(filename, saveables, "restore_all");
      return new SaverDef({
        filenameTensorName: filename.name,
        saveTensorName: save.name,
        restoreOpName: restore.name,
        maxToKeep: options.maxToKeep === undefined ? 5 : (options.maxToKeep ?? 0),
        sharded: options.sharded ?? false,
        keepCheckpointEveryNHours: options.keepCheckpointEveryNHours ?? 10000,
        version: isV1(options.writeVersion ?? 2) ? "V1" : "V2",
      });
    }),
  );
}
