// `tensorloom inspect FILE`: what is in it.

import { type FileKind, findFile } from "./file-kind.ts";
import {
  arrayText,
  checkpointText,
  eventsText,
  recordsText,
  reportOnArray,
  reportOnCheckpoint,
  reportOnEvents,
  reportOnRecords,
} from "./inspect-data.ts";
import { print, printJson } from "./layout.ts";
import type { Given } from "./words.ts";

export async function inspectFile(given: Given): Promise<void> {
  const kind = given.text("kind") as FileKind | undefined;
  const { report, text } = await reportOn(given.words[0], kind, given);
  if (given.has("json")) printJson(report);
  else print(...text);
}

async function reportOn(given: string, wanted: FileKind | undefined, flags: Given): Promise<{ report: object; text: readonly string[] }> {
  const { kind, path } = await findFile(given, wanted);
  const showsAll = flags.has("all");
  switch (kind) {
    case "checkpoint": {
      const report = await reportOnCheckpoint(path, !flags.has("no-values"));
      return { report, text: checkpointText(report, showsAll) };
    }
    case "events": {
      const report = await reportOnEvents(path);
      return { report, text: eventsText(report, showsAll) };
    }
    case "records": {
      const report = await reportOnRecords(path);
      return { report, text: recordsText(report, showsAll) };
    }
    case "npy": {
      const report = await reportOnArray(path);
      return { report, text: arrayText(report) };
    }
    default: {
      // A graph needs all operations, which other files do without.
      const [{ readModel }, { modelText, reportOnModel }] = await Promise.all([import("./models.ts"), import("./inspect-model.ts")]);
      const report = reportOnModel(await readModel(given, { kind, tags: tagsOf(flags) }));
      return { report, text: modelText(report, showsAll) };
    }
  }
}

/** `--tags serve,gpu`; "" for no tags. */
export const tagsOf = (given: Given): readonly string[] | undefined =>
  given
    .text("tags")
    ?.split(",")
    .filter(tag => tag !== "");
