// Changing what a signature of a SavedModel says it is for, in the file.

import { files } from "#platform";
import { ValueError } from "../base/errors.ts";
import { joinPath } from "../base/files.ts";
import type { Message } from "../formats/messages.ts";
import { writeMessageFile } from "./message-files.ts";
import { readSavedModel, SAVED_MODEL_FILENAME_PB } from "./saved-model.ts";

/** Replaces method names of signatures of a SavedModel, then writes it. TF: tf.saved_model.signature_def_utils.MethodNameUpdater. */
export class MethodNameUpdater {
  private readonly exportDir: string;
  private readonly message: Promise<Message<"SavedModel">>;

  constructor(exportDir: string) {
    this.exportDir = exportDir;
    this.message = readSavedModel(exportDir);
    // Whoever waits for a method hears of it.
    this.message.catch(() => undefined);
  }

  /** Of the meta graph with these tags, or of all. @throws ValueError if there is no such signature or meta graph. */
  async replaceMethodName(
    signatureKey: string,
    methodName: string,
    { tags }: { readonly tags?: string | readonly string[] | null } = {},
  ): Promise<void> {
    if (!signatureKey) throw new ValueError("`signature_key` must be defined.");
    if (!methodName) throw new ValueError("`method_name` must be defined.");
    const wanted = typeof tags === "string" ? [tags] : (tags ?? null);
    const shown = wanted === null ? "None" : `[${wanted.map(tag => `'${tag}'`).join(", ")}]`;
    const key = (list: readonly string[]): string => [...new Set(list)].sort().join();
    const { metaGraphs } = await this.message;
    const chosen = wanted === null ? metaGraphs : metaGraphs.filter(({ metaInfoDef }) => key(metaInfoDef?.tags ?? []) === key(wanted));
    if (chosen.length === 0)
      throw new ValueError(
        `MetaGraphDef associated with tags ${shown} could not be found in SavedModel. This means either you specified invalid tags or your SavedModel does not have a MetaGraphDef with the specified tags.`,
      );
    for (const { signatureDef } of chosen) {
      const signature = signatureDef.get(signatureKey);
      if (!signature)
        throw new ValueError(
          `MetaGraphDef associated with tags ${shown} does not have a signature_def with key: '${signatureKey}'. This means either you specified the wrong signature key or forgot to put the signature_def with the corresponding key in your SavedModel.`,
        );
      (signatureDef as Map<string, typeof signature>).set(signatureKey, { ...signature, methodName });
    }
  }

  /** Writes saved_model.pb where it was, or into another folder. */
  async save({ newExportDir }: { readonly newExportDir?: string | null } = {}): Promise<void> {
    const folder = newExportDir || this.exportDir;
    const message = await this.message;
    await files.makeFolder(folder);
    await writeMessageFile("SavedModel", joinPath(folder, SAVED_MODEL_FILENAME_PB), message);
  }
}
