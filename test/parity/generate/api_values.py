"""Numbers that TensorFlow gives for pieces of its Python API: python api_values.py OUT.json

Each entry has a twin of the same name in api-values.test.ts. X is k % 7 - 3 + k / 10 for k = 0, 1, 2, …
"""
import json
import os
import sys

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0")
import numpy as np  # noqa: E402
import tensorflow.compat.v1 as tf  # noqa: E402

tf.disable_v2_behavior()
s = tf.signal


def x(*shape):
    k = np.arange(int(np.prod(shape)))
    return tf.constant((k % 7 - 3 + k / 10).reshape(shape).astype(np.float32))


SIGNAL = {
    "frame": lambda: s.frame(x(2, 11), 4, 2),
    "frame, padded": lambda: s.frame(x(2, 11), 4, 3, pad_end=True, pad_value=9.0),
    "frame, axis 0": lambda: s.frame(x(7, 2), 3, 2, axis=0),
    "overlap_and_add": lambda: s.overlap_and_add(x(2, 5, 4), 2),
    "overlap_and_add, uneven": lambda: s.overlap_and_add(x(3, 5), 2),
    "overlap_and_add, side by side": lambda: s.overlap_and_add(x(3, 4), 4),
    "stft": lambda: s.stft(x(20), 8, 4),
    "stft, no window": lambda: s.stft(x(2, 20), 6, 3, fft_length=8, window_fn=None),
    "stft, padded": lambda: s.stft(x(21), 6, 3, pad_end=True),
    "inverse_stft": lambda: s.inverse_stft(s.stft(x(24), 8, 4), 8, 4),
    "inverse_stft, window": lambda: s.inverse_stft(s.stft(x(24), 8, 4), 8, 4, window_fn=s.inverse_stft_window_fn(4)),
    "inverse_stft, longer": lambda: s.inverse_stft(s.stft(x(24), 6, 3), 6, 3),
    "hann": lambda: s.hann_window(8),
    "hann, symmetric": lambda: s.hann_window(7, periodic=False),
    "hamming": lambda: s.hamming_window(7),
    "hamming, one": lambda: s.hamming_window(1),
    "kaiser": lambda: s.kaiser_window(6),
    "kaiser_bessel": lambda: s.kaiser_bessel_derived_window(8, beta=4.0),
    "vorbis": lambda: s.vorbis_window(8),
    "dct 1": lambda: s.dct(x(2, 6), type=1),
    "dct 2": lambda: s.dct(x(2, 6)),
    "dct 2, ortho, cut": lambda: s.dct(x(2, 6), norm="ortho", n=4),
    "dct 2, filled": lambda: s.dct(x(2, 6), n=8),
    "dct 3": lambda: s.dct(x(2, 6), type=3),
    "dct 3, ortho": lambda: s.dct(x(2, 6), type=3, norm="ortho"),
    "dct 4": lambda: s.dct(x(2, 6), type=4),
    "dct 4, ortho": lambda: s.dct(x(2, 6), type=4, norm="ortho"),
    "idct": lambda: s.idct(s.dct(x(2, 6))),
    "mdct": lambda: s.mdct(x(32), 8),
    "mdct, ortho, padded": lambda: s.mdct(x(30), 8, norm="ortho", pad_end=True, window_fn=None),
    "inverse_mdct": lambda: s.inverse_mdct(s.mdct(x(32), 8)),
    "inverse_mdct, ortho": lambda: s.inverse_mdct(s.mdct(x(32), 8, norm="ortho"), norm="ortho"),
    "mel": lambda: s.linear_to_mel_weight_matrix(5, 17, 8000),
    "mfcc": lambda: s.mfccs_from_log_mel_spectrograms(x(2, 8)),
    "fftshift": lambda: s.fftshift(x(3, 4)),
    "ifftshift": lambda: s.ifftshift(x(3, 5), axes=1),
}


def ids():
    return tf.SparseTensor([[0, 0], [0, 1], [2, 0]], tf.constant([1, 3, 0], tf.int64), [4, 2])


def bad_ids():
    return tf.SparseTensor([[0, 0], [0, 1], [2, 0]], tf.constant([1, -3, 2], tf.int64), [4, 2])


def weights():
    return tf.SparseTensor([[0, 0], [0, 1], [2, 0]], [0.5, 2.0, -1.0], [4, 2])


def gradient_of(table):
    y = tf.nn.embedding_lookup_sparse(table, ids(), weights(), combiner="sqrtn")
    return tf.convert_to_tensor(tf.gradients(y, table)[0])


SPARSE = {
    "embedding_lookup_sparse": lambda: tf.nn.embedding_lookup_sparse(x(5, 2), ids(), None),
    "embedding_lookup_sparse, sqrtn": lambda: tf.nn.embedding_lookup_sparse(x(5, 2), ids(), weights(), combiner="sqrtn"),
    "embedding_lookup_sparse, two": lambda: tf.nn.embedding_lookup_sparse([x(3, 2), x(2, 2)], ids(), weights(), combiner="sum"),
    "embedding_lookup_sparse, short rows": lambda: tf.nn.embedding_lookup_sparse(x(5, 2), ids(), None, combiner="sum", max_norm=1.0),
    "embedding_lookup_sparse, gradient": lambda: gradient_of(x(5, 2)),
    "safe_embedding_lookup_sparse": lambda: tf.nn.safe_embedding_lookup_sparse([x(5, 2)], bad_ids()),
    "safe_embedding_lookup_sparse, weights": lambda: tf.nn.safe_embedding_lookup_sparse([x(5, 2)], bad_ids(), weights()),
    "safe_embedding_lookup_sparse, default": lambda: tf.nn.safe_embedding_lookup_sparse(x(5, 2), bad_ids(), weights(), combiner="sum", default_id=4),
    "from_dense": lambda: tf.sparse.to_dense(tf.sparse.from_dense(x(2, 5))),
    "sparse eye": lambda: tf.sparse.to_dense(tf.sparse.eye(2, 3)),
    "sparse expand_dims": lambda: tf.sparse.to_dense(tf.sparse.expand_dims(weights(), 1)),
    "reset_shape": lambda: tf.sparse.to_dense(tf.sparse.reset_shape(weights())),
    "reset_shape, larger": lambda: tf.sparse.to_dense(tf.sparse.reset_shape(weights(), [5, 3])),
    "to_indicator": lambda: tf.cast(tf.sparse.to_indicator(ids(), 5), tf.float32),
    "sparse mask": lambda: tf.sparse.mask(tf.IndexedSlices(x(3, 2), tf.constant([1, 3, 5])), [3]).values,
}


def square(scale=1.0):
    return x(3, 3) * scale + tf.eye(3)


def factored(make):
    return make(*tf.linalg.lu(tf.stack([square(), square(-2.0)])))


MATRICES = {
    **{f"expm, {scale}": lambda scale=scale: tf.linalg.expm(square(scale)) for scale in (0.02, 0.2, 0.6, 5.0)},
    **{
        f"expm, double, {scale}": lambda scale=scale: tf.linalg.expm(tf.cast(square(scale), tf.float64))
        for scale in (-0.333, 0.002, 0.01, 0.05, 5.0)
    },
    "expm, gradient": lambda: (lambda a: tf.gradients(tf.linalg.expm(a), [a])[0])(square(0.3)),
    "lu_solve": lambda: factored(lambda lu, p: tf.linalg.lu_solve(lu, p, x(3, 2))),
    "lu_reconstruct": lambda: factored(tf.linalg.lu_reconstruct),
    "lu_matrix_inverse": lambda: factored(tf.linalg.lu_matrix_inverse),
    "pinv": lambda: tf.linalg.pinv(x(2, 4, 3)),
    "pinv, cut": lambda: tf.linalg.pinv(x(2, 4, 3), rcond=0.5),
    "matrix_rank": lambda: tf.linalg.matrix_rank(tf.constant([[[1.0, 2.0], [2.0, 4.0]], [[1.0, 2.0], [2.0, 5.0]]])),
    "matrix_rank, rough": lambda: tf.linalg.matrix_rank(x(2, 4, 3), tol=3.0),
    "normalize": lambda: tf.linalg.normalize(x(3, 2))[0],
    "normalize, norm": lambda: tf.linalg.normalize(x(3, 2), ord=1, axis=1)[1],
    "tridiagonal_matmul": lambda: tf.linalg.tridiagonal_matmul(x(2, 3, 4), x(2, 4, 2)),
    "solve": lambda: tf.linalg.solve(square(), x(3, 2)),
    "conv1d_transpose": lambda: tf.nn.conv1d_transpose(x(1, 6, 2), x(3, 2, 2), [1, 12, 2], 2),
    "conv_transpose": lambda: tf.nn.conv_transpose(x(1, 3, 4, 2), x(2, 2, 3, 2), [1, 6, 4, 3], [2, 1]),
}


def pinv_gradient():
    a = tf.placeholder_with_default(x(3, 2), [None, 2])
    return tf.gradients(tf.linalg.pinv(a), a, x(2, 3))[0]


def hidden(value):
    return tf.placeholder_with_default(value, None)


def dense_ctc(blank, lengths):
    logits = tf.stack([x(5, 4), x(5, 4) * 0.5], 1)
    loss = tf.nn.ctc_loss_v2(tf.constant([[1, 2], [2, 1]]), logits, lengths, [5, 4], blank_index=blank)
    return tf.concat([loss, tf.reshape(tf.gradients(loss, logits)[0], [-1])], 0)


RARE = {
    "l2_normalize, complex": lambda: tf.nn.l2_normalize(tf.complex(x(2, 3), x(2, 3) + 1.0), 1),
    "sort, uint64": lambda: tf.sort(tf.constant([3, 1, 2], tf.uint64)),
    "sort, unknown rank": lambda: tf.sort(hidden(x(3, 2)), axis=0),
    "argsort, unknown rank": lambda: tf.argsort(hidden(x(2, 3, 2)), axis=-2, direction="DESCENDING"),
    "pinv, gradient of unknown rows": pinv_gradient,
    "ctc_loss_v2": lambda: dense_ctc(0, [2, 1]),
    "ctc_loss_v2, no labels": lambda: dense_ctc(0, [2, 0]),
    "ctc_loss_v2, last blank, no labels": lambda: dense_ctc(-1, [0, 2]),
}


def flat(array):
    array = np.asarray(array)
    if array.dtype.kind == "c":
        array = np.stack([array.real, array.imag], -1)
    return {"shape": list(array.shape), "values": [round(float(v), 6) for v in array.ravel()]}


if __name__ == "__main__":
    with tf.Session() as session:
        recorded = {name: flat(session.run(make())) for name, make in {**SIGNAL, **SPARSE, **MATRICES, **RARE}.items()}
    with open(sys.argv[1], "w") as file:
        json.dump(recorded, file)
