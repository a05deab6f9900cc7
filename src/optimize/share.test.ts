// Sharing: operations that look alike in print are not always alike.

import { expect, test } from "vitest";
import * as tf from "../index.ts";
import { StringFormat } from "../ops/string/parsing.ts";
import { extract } from "./extract.ts";
import { share } from "./share.ts";

test("texts of attributes are told apart wherever one ends", () => {
  new tf.Graph().asDefault(() => {
    const texts = [
      { placeholder: "q,summarize=3,template=r", template: "s" },
      { placeholder: "q", template: "r,summarize=3,template=s" },
      { placeholder: "q", template: "r,summarize=3,template=s" },
    ].map(attrs => StringFormat({ inputs: [], summarize: 3, ...attrs }));
    expect(share(extract(texts, [], [])).nodes.length).toBe(2);
  });
});
