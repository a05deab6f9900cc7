// What `tensorloom convert` can write, and which of these a name asks for.

export const targetKinds = ["frozen", "saved-model", "tfjs", "meta-graph"] as const;
export type TargetKind = (typeof targetKinds)[number];

export function targetKindOf(path: string): TargetKind {
  if (/\.meta$/.test(path)) return "meta-graph";
  if (/\.json$/.test(path)) return "tfjs";
  return /\.(?:pb|pbtxt)$/.test(path) && !/saved_model\.pb/.test(path) ? "frozen" : "saved-model";
}
