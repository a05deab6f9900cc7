// What the build runs to see which functions first runs call: a step of every kind of workload, on dist/.
import { workloads } from "../bench/workloads.ts";

for (const name of ["W1_adam_B32", "W2_B128", "W5_softmax", "W5_ln_fb", "W6_lstm", "W7_emb", "W8_mnv2_B1"]) {
  const workload = workloads.find(one => one.name === name);
  const { step, session } = await workload.start({ intraOpParallelismThreads: 1 });
  await step();
  await session.close();
}
