"""Sound: WAV files, spectrograms, cepstral coefficients. Fractional pools and patches of volumes."""
import struct

import numpy as np

from ..recording import rows, run_errors


def wav(samples, channels=1, rate=8000, bits=16, form=1, extra=b"", size=None, fmt=16):
    data = np.asarray(samples, "<i2").tobytes()
    chunk = struct.pack("<HHIIHH", form, channels, rate, rate * channels * bits // 8, channels * bits // 8, bits)
    body = b"WAVEfmt " + struct.pack("<I", fmt) + chunk + b"\0" * (fmt - 16) + extra + b"data" + struct.pack("<I", len(data) if size is None else size) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def audio(b):
    b.family("audio")
    text = lambda x: dict(c=np.array(x, object))
    some = [0, 1, -1, 32767, -32768, 1000]
    calls = [(f"tf.audio.decode_wav(c{o})", text(w)) for w, o in (
        (wav(some), ""), (wav(some, 2), ""), (wav(some, 2), ", desired_channels=1"), (wav(some), ", desired_channels=3"), (wav(some), ", desired_samples=4"), (wav(some), ", desired_samples=9"),
        (wav(some, 2, 44100), ", 2, 2"), (wav(some, extra=b"LIST\x04\0\0\0abcd"), ""), (wav([]), ""), (wav(some, fmt=18), ""))]
    calls += [("tf.audio.encode_wav(x, r)", dict(x=np.array(v, "f").reshape(-1, c), r=np.int32(r))) for v, c, r in (
        ([0, .5, -.5, 1, -1, 2, 1e-5, -2], 1, 8000), ([0, .25, -.3, .9], 2, 44100))]
    calls += [(f"tf.raw_ops.AudioSpectrogram(input=x,window_size={w},stride={s}{o})", dict(x=b.f(*shape))) for w, s, o, shape in (
        (8, 4, "", (20, 1)), (8, 4, ",magnitude_squared=True", (20, 2)), (5, 2, "", (9, 1)), (6, 10, "", (30, 1)), (8, 4, "", (7, 1)), (4, 1, "", (0, 1)))]
    calls += [(f"tf.raw_ops.Mfcc(spectrogram=x,sample_rate=r{o})", dict(x=b.f(*shape, lo=0, hi=4), r=np.int32(r))) for o, shape, r in (
        ("", (1, 2, 129), 8000), ("", (2, 1, 65), 16000), (",upper_frequency_limit=3000.,lower_frequency_limit=100.,filterbank_channel_count=12,dct_coefficient_count=5", (1, 3, 129), 8000))]

    rows(b, calls, dynamic=0, cmp=(2e-5, 2e-5))
    late = lambda x: f"tf.placeholder_with_default({x!r},None)"
    bad = [b"", b"RIFX", b"RIFF\0\0\0\0WAVX", b"RIFF\0\0\0\0WAVEfmx ", wav(some, bits=8), wav(some, form=3), wav(some, 0), wav(some, size=4000), wav(some)[:36], wav(some, fmt=15), wav(some)[:20]]
    for x in bad:
        t = "".join("\\x%02x" % c for c in x)
        run_errors(b, [f"tf.audio.decode_wav(tf.placeholder_with_default(b'{t}',None))"])
    run_errors(b, ["tf.audio.decode_wav(tf.placeholder_with_default(['a'],None))", "tf.audio.encode_wav(tf.placeholder_with_default([1.],None), 8000)", "tf.audio.encode_wav(tf.placeholder_with_default([[1.]],None), tf.placeholder_with_default([8000],None))",
                   "tf.raw_ops.AudioSpectrogram(input=tf.placeholder_with_default([1.],None),window_size=4,stride=2)", "tf.raw_ops.Mfcc(spectrogram=tf.placeholder_with_default([1.],None),sample_rate=8000)",
                   "tf.raw_ops.Mfcc(spectrogram=tf.ones([1,1,129]),sample_rate=tf.placeholder_with_default(8000,None),upper_frequency_limit=10.)",
                   "tf.raw_ops.Mfcc(spectrogram=tf.ones([1,1,2]),sample_rate=tf.placeholder_with_default(-1,None))"])


def fractional_pool(b):
    b.family("fractional_pool")
    calls = []
    for kind in ("max", "avg"):
        for r, shape, o in (((1., 1.44, 1.73, 1.), (1, 7, 8, 2), ""), ((1., 1.5, 2., 1.), (2, 9, 8, 1), ", pseudo_random=True"), ((1., 1.3, 1.7, 1.), (1, 10, 9, 2), ", overlapping=True"),
                            ((1., 2., 2., 1.), (1, 4, 6, 1), ", pseudo_random=True, overlapping=True"), ((1., 1.2, 1., 1.), (1, 6, 3, 1), "")):
            for t in ("float32", "float64"):
                calls.append((f"tf.nn.fractional_{kind}_pool(x, {list(r)}{o}, deterministic=True, seed=87654321, seed2=12345)", dict(x=b.f(*shape, dtype=t)), dict(grad=True)))
        calls.append((f"tf.nn.fractional_{kind}_pool(x, [1., 1.5, 1.5, 1.], deterministic=True, seed=5, seed2=0)", dict(x=b.i(1, 7, 7, 2))))
    rows(b, calls, dynamic=0)
    run_errors(b, [f"tf.nn.fractional_{k}_pool({x}, {r}{o})" for k in ("max", "avg") for x, r, o in (
        ("tf.placeholder_with_default(tf.ones([2,2]),None)", "[1.,1.5,1.5,1.]", ""), ("tf.ones([1,4,4,1])", "[1.,1.5,1.5,1.]", ", seed=1"), ("tf.ones([2,4,4,2])", "[2.,1.5,1.5,2.]", ""))])


def volume_patches(b):
    b.family("volume_patches")
    rows(b, [(f"tf.extract_volume_patches(x, {k}, {s}, '{p}')", dict(x=b.f(*shape, dtype=t)), dict(grad=True)) for k, s, p, shape, t in (
        ([1, 2, 2, 2, 1], [1, 1, 1, 1, 1], "VALID", (1, 3, 3, 4, 2), "float32"), ([1, 2, 3, 2, 1], [1, 2, 2, 1, 1], "SAME", (2, 4, 5, 3, 1), "float32"), ([1, 1, 2, 1, 1], [1, 1, 1, 2, 1], "VALID", (1, 2, 3, 4, 1), "float64"))]
        + [("tf.extract_volume_patches(x, [1,2,2,2,1], [1,2,2,2,1], 'SAME')", dict(x=b.i(1, 3, 3, 3, 1)))], dynamic=0)


ALL = [audio, fractional_pool, volume_patches]
