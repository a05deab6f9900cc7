// Lists of recorded answers we do not give yet, committed beside the tests: each names its cases under the kind of reason. A listed case that passes
// fails its test as much as an unlisted one that fails, so a list only shrinks. `UPDATE_EXPECTED=1` writes them anew.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const fileOf = (name: string): string => fileURLToPath(new URL(`expected-failures/${name}.json`, import.meta.url));

/** Where the failures (id → kind of reason) part from the committed list: `new: …` and `mended: …`. */
export function surprises(name: string, failures: ReadonlyMap<string, string>): string[] {
  if (process.env.UPDATE_EXPECTED) {
    const byReason = new Map<string, string[]>();
    for (const [id, reason] of failures) byReason.set(reason, [...(byReason.get(reason) ?? []), id]);
    const sorted = [...byReason]
      .sort(([a, as], [b, bs]) => bs.length - as.length || (a < b ? -1 : 1))
      .map(([reason, ids]) => [reason, ids.sort()]);
    writeFileSync(fileOf(name), `${JSON.stringify(Object.fromEntries(sorted), null, 1)}\n`);
    return [];
  }
  const listed = new Map(
    Object.entries(JSON.parse(readFileSync(fileOf(name), "utf8")) as Record<string, string[]>).flatMap(([reason, ids]) =>
      ids.map(id => [id, reason] as const),
    ),
  );
  const fresh = [...failures].filter(([id]) => !listed.has(id)).map(([id, reason]) => `new: ${id}: ${reason}`);
  const mended = [...listed].filter(([id]) => !failures.has(id)).map(([id, reason]) => `mended, take it off the list: ${id} (${reason})`);
  return [...fresh, ...mended];
}
