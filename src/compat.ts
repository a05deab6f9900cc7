// The door for pasted TensorFlow 1 programs: `import * as tf from "tensorloom/compat"`, or `import { tf } from …`. Every name, every order of
// arguments and every keyword is TensorFlow's; all of it is derived from index.ts (compat/snake-api.ts) and generated from TensorFlow's lists.

export * from "./compat/ended.ts";
export { tf } from "./compat/door.ts";
export * from "./compat/names.ts";
export type {
  ArrayLike,
  Complex,
  ElementValue,
  FeedKey,
  Feeds,
  FeedValue,
  Fetches,
  IndexedSlicesValue,
  Initializer,
  NestedArray,
  Results,
  ShapeLike,
  TensorLike,
  TypedArray,
} from "./index.ts";
export type { Snake, SnakeApi } from "./compat/snake-api.ts";
