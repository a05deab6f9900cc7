// The files that match a pattern, listed once and kept.

import type { TensorLike } from "../graph/conversion.ts";
import { GraphKeys } from "../library/variables/graph-keys.ts";
import { Variable } from "../library/variables/variables.ts";
import { matchingFiles } from "../ops/string/bytes.ts";
import { inNameScope, type NameOption } from "../ops/named.ts";

/** A local variable that holds the names of the files that match when it is initialized. TF: tf.io.match_filenames_once. */
export const matchFilenamesOnce = (pattern: TensorLike, options?: NameOption): Variable =>
  inNameScope(
    options,
    "matching_filenames",
    [pattern],
    scope =>
      new Variable(matchingFiles(pattern), {
        name: String(scope),
        trainable: false,
        validateShape: false,
        collections: [GraphKeys.LOCAL_VARIABLES],
      }),
  );
