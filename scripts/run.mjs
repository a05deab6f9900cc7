// `node scripts/run.mjs FILE.ts [flags]`: sets up what is missing, then runs a TypeScript source on the Node that can.
// Behind `npm start`, `npm run bench` and the like. Plain JavaScript: runs before anything is installed.
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { finish, root, setup } from "./setup.mjs";

const [file, ...flags] = process.argv.slice(2);
const source = new URL("source.mjs", import.meta.url).href;

await finish(async () => {
  const node = await setup();
  const child = spawn(node, ["--import", source, file, ...flags], { cwd: root, stdio: "inherit" });
  // Ctrl-C reaches the child by itself: the parent only has to stay until the child has stopped cleanly.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  return new Promise(resolve => {
    child.on("close", (status, signal) => resolve(status ?? 128 + (constants.signals[signal] ?? 0)));
  });
});
