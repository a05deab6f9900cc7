"""Candidate samplers with weights, given and learned."""
import numpy as np

from ..recording import rows, run_errors

FIXED = "tf.raw_ops.FixedUnigramCandidateSampler(true_classes=%s,num_true=1,num_sampled=%d,unique=%s,range_max=%d%s,seed=5,seed2=7)"
WEIGHTS = ",unigrams=[1.,2.,3.,4.,1.,1.]"


def unigram_sampling(b):
    b.family("unigram_sampling")
    calls = [FIXED % ("[[1],[3]]", 12, False, 6, WEIGHTS), FIXED % ("[[1],[3]]", 40, False, 6, WEIGHTS + ",distortion=.5"),
             FIXED % ("[[1],[3]]", 4, True, 6, ",unigrams=[1.,2.,3.,4.,1.],num_reserved_ids=1,distortion=.75"),
             FIXED % ("[[1],[1]]", 3, True, 3, WEIGHTS + ",num_shards=2,shard=1"),
             FIXED % ("[[0],[29]]", 30, False, 30, ",unigrams=[float(i % 7 + .5) for i in range(30)]")]
    for kind in ("LearnedUnigram", "ThreadUnsafeUnigram"):
        for n, unique in ((8, False), (4, True), (30, False)):
            calls.append(f"tf.raw_ops.{kind}CandidateSampler(true_classes=[[1],[3]],num_true=1,num_sampled={n},unique={unique},range_max=6,seed=5,seed2=7)")
    calls += [f"tf.raw_ops.AllCandidateSampler(true_classes=[[1,2],[3,0]],num_true=2,num_sampled=5,unique={u},seed=5,seed2=7)" for u in (True, False)]
    calls += ["tf.random.learned_unigram_candidate_sampler([[1],[3]], 1, 4, True, 20, seed=5)",
              "tf.random.fixed_unigram_candidate_sampler([[1],[3]], 1, 4, True, 6, unigrams=[1.,2.,3.,4.,1.,1.], seed=5)",
              "tf.random.all_candidate_sampler([[1],[3]], 1, 6, True, seed=5)"]
    rows(b, calls, dynamic=0)
    b.steps_case("c=tf.placeholder(tf.int64,[None,1],name='c');s=tf.raw_ops.LearnedUnigramCandidateSampler("
                 "true_classes=c,num_true=1,num_sampled=9,unique=False,range_max=4,seed=5,seed2=7)",
                 [({"c": np.array(c)}, ["list(s)"], []) for c in ([[2], [2]], [[2], [0]], [[1]])], op="LearnedUnigramCandidateSampler")
    run_errors(b, [FIXED % ("[[1],[3]]", 4, True, 5, WEIGHTS), FIXED % ("[[1],[3]]", 4, True, 5, ""), FIXED % ("[[1],[7]]", 4, True, 6, WEIGHTS),
                   "tf.raw_ops.LearnedUnigramCandidateSampler(true_classes=[[1],[9]],num_true=1,num_sampled=8,unique=False,range_max=6,seed=5,seed2=7)"])


ALL = [unigram_sampling]
