// `tensorloom freeze` and `tensorloom convert`: a model of any kind in, one of another kind out.

import { files } from "#platform";
import { AlreadyExistsError, InvalidArgumentError, NotFoundError, UnimplementedError } from "../base/errors.ts";
import { folderOf } from "../base/files.ts";
import { GraphKeys } from "../library/graph-keys.ts";
import { exportGraphDef, type GraphDefMessage } from "../io/graph-def.ts";
import { convertVariablesToConstants } from "../io/graph-utilities.ts";
import { exportMetaGraph } from "../io/meta-graph-files.ts";
import { writeMessageFile } from "../io/message-files.ts";
import { buildTensorInfo, type SignatureMessage } from "../io/saved-model.ts";
import { SavedModelBuilder } from "../io/saved-model-builder.ts";
import { Saver } from "../io/saver.ts";
import { writeTfjsGraphModel } from "../io/tfjs-graph-model-writer.ts";
import type { Operation } from "../graph/operation.ts";
import { bytesText, print, printJson, section } from "./layout.ts";
import { nameOfKind, type OpenModel, openModel } from "./models.ts";
import { group } from "../ops/control-flow.ts";
import { modelOptions } from "./run.ts";
import { chosenSignature, endsOf } from "./signatures.ts";
import type { TargetKind } from "./subcommands.ts";
import type { Given } from "./words.ts";

export const freezeModel = (given: Given): Promise<void> => convertTo("frozen", given);
export const convertModel = (given: Given): Promise<void> =>
  convertTo((given.text("to") as TargetKind | undefined) ?? kindOfName(given.words[1]), given);

function kindOfName(path: string): TargetKind {
  if (/\.meta$/.test(path)) return "meta-graph";
  if (/\.json$/.test(path)) return "tfjs";
  return /\.(?:pb|pbtxt)$/.test(path) && !/saved_model\.pb/.test(path) ? "frozen" : "saved-model";
}

async function convertTo(kind: TargetKind, given: Given): Promise<void> {
  const [from, path] = given.words;
  const model = await openModel(from, modelOptions(given));
  const written = await writers[kind](model, path.replace(/[/\\]+$/, ""), given);
  await model.session.close();
  const sizes = await Promise.all(written.map(async file => ({ file, bytes: (await files.status(file))?.size ?? 0 })));
  if (given.has("json")) return printJson({ from: model.file.path, kind, written: sizes });
  const shown: Readonly<Record<TargetKind, string>> = { ...nameOfKind, frozen: "a frozen graph" };
  print(
    ...section(
      `${model.file.path} is now ${shown[kind]}`,
      sizes.map(({ file, bytes }) => [file, bytesText(bytes)]),
    ),
  );
}

const writers: Readonly<Record<TargetKind, (model: OpenModel, path: string, given: Given) => Promise<readonly string[]>>> = {
  frozen: async (model, path, given) => {
    const { graphDef } = await frozen(model, given);
    await files.makeFolder(folderOf(path));
    await writeMessageFile("GraphDef", path, graphDef);
    return [path];
  },
  tfjs: async (model, given, flags) => {
    const path = given.endsWith(".json") ? given : `${given}/model.json`;
    const { graphDef, signature } = await frozen(model, flags);
    await writeTfjsGraphModel(path, graphDef, signature);
    return filesBeside(path);
  },
  "saved-model": async (model, path) => {
    refuseAssets(model);
    if ((await files.list(path)).length > 0) throw new AlreadyExistsError(`The folder ${path} exists and is not empty.`);
    const builder = new SavedModelBuilder(path);
    await builder.addMetaGraphAndVariables(model.session, ["serve"], {
      signatureDefMap: Object.fromEntries([...model.signatures].filter(([key]) => !key.startsWith("__"))),
      clearDevices: true,
      mainOp: tableInitializer(model),
    });
    await builder.save();
    return filesUnder(path);
  },
  "meta-graph": async (model, given) => {
    refuseAssets(model);
    const path = given.endsWith(".meta") ? given : `${given}.meta`;
    const prefix = path.slice(0, -".meta".length);
    await files.makeFolder(folderOf(path));
    if (!model.hasVariables) {
      await exportMetaGraph({ graph: model.graph, filename: path, clearDevices: true });
      return [path];
    }
    const saver = model.graph.asDefault(() => new Saver());
    await saver.save(model.session, prefix, { writeState: false });
    return filesBeside(path, prefix);
  },
};

/** The part of a model that its outputs need, with constants for variables; and the signature that is left of it. */
async function frozen(model: OpenModel, given: Given): Promise<{ graphDef: GraphDefMessage; signature: SignatureMessage }> {
  const { graph, session, signatures } = model;
  const named = given.text("outputs")?.split(",");
  const [, signature] = chosenSignature(signatures, given.text("signature"));
  const nodes = (named ?? endsOf(signature.outputs).map(({ tensor }) => tensor)).map(name => name.replace(/:\d+$/, ""));
  if (nodes.length === 0) throw new InvalidArgumentError("The model says of no output; name some with --outputs.");
  for (const name of nodes) if (!graph.findOperation(name)) throw new NotFoundError(`The model has no operation '${name}'.`);
  const graphDef = await convertVariablesToConstants(session, exportGraphDef(graph), [...new Set(nodes)]);
  const kept = new Set(graphDef.node.map(({ name }) => name));
  const outputs = named
    ? new Map(named.map(name => [name, buildTensorInfo(graph.getTensorByName(name.includes(":") ? name : `${name}:0`))]))
    : signature.outputs;
  const only = <T extends { readonly name: string | undefined }>(infos: ReadonlyMap<string, T>): Map<string, T> =>
    new Map([...infos].filter(([, { name = "" }]) => kept.has(name.replace(/:\d+$/, ""))));
  return { graphDef, signature: { ...signature, inputs: only(signature.inputs), outputs: only(outputs) } };
}

/** A graph that reads files of its model cannot leave it. */
function refuseAssets({ file, graph }: OpenModel): void {
  const assets = file.metaGraph?.assetFileDef.map(({ filename }) => filename) ?? [];
  if (assets.length > 0 || graph.getCollection(GraphKeys.ASSET_FILEPATHS).length > 0)
    throw new UnimplementedError(
      `${file.path} has assets (${assets.join(", ") || "files"}), which only a SavedModel that is copied whole keeps.\n\nFreezing works where the outputs need no table.`,
    );
}

const tableInitializer = ({ graph }: OpenModel): Operation | null => {
  const initializers = graph.getCollection(GraphKeys.TABLE_INITIALIZERS) as Operation[];
  return initializers.length === 0 ? null : graph.asDefault(() => group(...initializers, { name: "init_all_tables" }));
};

async function filesUnder(folder: string): Promise<string[]> {
  const names = await files.list(folder);
  const found = await Promise.all(
    names.map(async name =>
      (await files.status(`${folder}/${name}`))?.isFolder ? filesUnder(`${folder}/${name}`) : [`${folder}/${name}`],
    ),
  );
  return found.flat();
}

/** Files beside one, those that begin alike. */
async function filesBeside(path: string, prefix = ""): Promise<string[]> {
  const folder = folderOf(path);
  const all = (await files.list(folder)).map(name => (folder === "" ? name : `${folder}/${name}`));
  return all.filter(name => (prefix === "" ? name === path || /group\d+-shard\d+of\d+\.bin$/.test(name) : name.startsWith(prefix)));
}
