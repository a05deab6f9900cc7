#!/usr/bin/env node
// The command `tensorloom`: package.json's `bin`. What it does is in dispatch.ts; this file alone acts when it is loaded.

import { terminal } from "#platform";
import { runWords } from "./dispatch.ts";

terminal.setExitStatus(await runWords(terminal.words));
