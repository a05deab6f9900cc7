"""Records what TensorFlow makes of JPEG files that Pillow wrote in many ways, whole, cropped and damaged, and the files it writes itself.
`python jpeg.py OUT.json`; then pack with scripts/pack-golden.ts spec. Pixels and bytes are kept as MD5 sums. Read by ../jpeg.test.ts."""
import base64
import hashlib
import io
import json
import sys

from PIL import Image
from tfenv import np, tf

random = np.random.RandomState(20)
contents, window = tf.placeholder(tf.string, []), tf.placeholder(tf.int32, [4])
session = tf.Session()


def picture(height, width, channels, kind):
    if kind == 0:
        x = random.randint(0, 256, (height, width, channels))
    elif kind == 1:
        x = np.cumsum(np.cumsum(random.randn(height, width, channels), 0), 1) * 6 + 128
    else:
        y, x = np.mgrid[:height, :width]
        x = np.stack([(np.sin(x / (3 + k)) + np.cos(y / (4 + k))) * 60 + 128 + 30 * ((x // 7 + y // 5) % 2) for k in range(channels)], -1)
    return np.clip(x, 0, 255).astype("uint8")


def written(channels):
    height, width = random.randint(1, 40, 2)
    x = picture(height, width, channels, random.choice(3, p=[0.1, 0.45, 0.45]))
    image = Image.fromarray(x[..., 0] if channels == 1 else x, {1: "L", 3: "RGB", 4: "CMYK"}[channels])
    style = dict(quality=int(random.choice([5, 30, 75, 95])), progressive=bool(random.randint(2)), optimize=bool(random.randint(2)))
    if channels == 3:
        style["subsampling"] = int(random.randint(3))
        if random.randint(6) == 0:
            style.update(keep_rgb=True, subsampling=0)
    if random.randint(3) == 0:
        style["restart_marker_blocks"] = int(random.randint(1, 9))
    out = io.BytesIO()
    image.save(out, "JPEG", **style)
    result = out.getvalue()
    # Inks without the marker are the other way round.
    if channels == 4 and random.randint(2):
        result = result.replace(b"Adobe", b"AdobX")
    return result, height, width


decoded = []


def decode(data, options, crop=None):
    case = dict(file=base64.b64encode(data).decode(), options=options, crop=crop)
    op = tf.image.decode_jpeg(contents, **options) if crop is None else tf.image.decode_and_crop_jpeg(contents, window, **options)
    try:
        pixels = session.run(op, {contents: data} if crop is None else {contents: data, window: crop})
        case.update(shape=list(pixels.shape), md5=hashlib.md5(pixels.tobytes()).hexdigest())
    except tf.errors.OpError as error:
        case["error"] = error.message.split("\n")[0] if "Graph execution" not in error.message else [line for line in error.message.split("\n") if line and "[[" not in line][-1]
    decoded.append(case)


for _ in range(100):
    channels = int(random.choice([1, 3, 4], p=[0.15, 0.7, 0.15]))
    data, height, width = written(channels)
    ratio = int(random.choice([1, 1, 1, 2, 4, 8]))
    options = dict(
        channels=int(random.choice([0, 1, 3])) if channels < 4 else 0,
        ratio=ratio,
        fancy_upscaling=bool(random.randint(3)),
        dct_method=str(random.choice(["", "INTEGER_ACCURATE", "INTEGER_FAST"])),
    )
    decode(data, options)
    if random.randint(3) == 0:
        rows, columns = -(-height // ratio), -(-width // ratio)
        y, x = random.randint(0, rows), random.randint(0, columns)
        decode(data, options, [int(y), int(x), int(random.randint(1, rows - y + 2)), int(random.randint(1, columns - x + 1))])
    start = data.find(b"\xff\xda")
    if random.randint(4) == 0:
        damaged = bytearray(data)
        for _ in range(random.randint(1, 4)):
            damaged[random.randint(start, len(damaged))] = random.randint(256)
        decode(bytes(damaged), options)
    if random.randint(5) == 0 and b"\xff\xc2" not in data:
        decode(data[: random.randint(start, len(data))], dict(options, acceptable_fraction=float(random.choice([0.1, 1.0]))))

encoded = []
for case in range(60):
    height, width = random.randint(1, 50, 2)
    channels = int(random.choice([1, 3]))
    kind = int(random.randint(3))
    at = np.arange(height * width * channels)
    # The same in ../jpeg.test.ts.
    x = at * at * 31 % 251 if kind == 0 else at * 3 % 256 if kind == 1 else at // 40 * 7 % 256
    options = dict(
        quality=int(random.choice([0, 1, 10, 50, 75, 95, 100])),
        progressive=bool(random.randint(2)),
        optimize_size=bool(random.randint(2)),
        chroma_downsampling=bool(random.randint(2)),
        density_unit=str(random.choice(["in", "cm"])),
        x_density=int(random.randint(1, 700)),
        xmp_metadata=str(random.choice(["", "<x>hi</x>"])),
    )
    file = session.run(tf.image.encode_jpeg(x.astype("uint8").reshape(height, width, channels), **options))
    encoded.append(dict(shape=[int(height), int(width), channels], kind=kind, options=options, length=len(file), md5=hashlib.md5(file).hexdigest()))

json.dump(dict(decoded=decoded, encoded=encoded), open(sys.argv[1], "w"))
print(len(decoded), sum("error" in case for case in decoded), len(encoded))
