// The whole API under TensorFlow's names, as one object.

import * as api from "../index.ts";
import * as ended from "./ended.ts";
import { attachMembers } from "./python-members.ts";
import { signatures } from "./signatures.ts";
import { type SnakeApi, snakeApi } from "./snake-api.ts";

/** TensorFlow's names for everything in tensorloom: `tf.nn.max_pool(…)`. */
export const tf: SnakeApi<typeof api> & typeof ended = snakeApi(api, signatures, ended, attachMembers);
