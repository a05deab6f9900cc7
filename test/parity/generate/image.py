"""Records what TensorFlow makes of tf.image: nodes, static shapes, values, and errors. `python image.py OUT.json`; then pack with
scripts/pack-golden.ts spec. Each program is TypeScript and Python at once: the calls of ../image.test.ts are these texts in camelCase."""
import json
import re
import sys

from tfenv import np, tf

FLOATS, BYTES, UNKNOWN = [4, 6, 3], [2, 5, 4, 3], None
out = {}


def feed(shape, dtype):
    """The same numbers in ../image.test.ts."""
    i = np.arange(int(np.prod(shape)))
    x = (i * i * 7 + i * 3) % 256
    return (x if dtype == "uint8" else x / 256).astype(dtype).reshape(shape)


def program(code, inputs):
    """inputs: name → (static shape, fed shape, dtype)."""
    graph = tf.Graph()
    case = dict(inputs={name: list(given) for name, given in inputs.items()})
    with graph.as_default():
        tf.set_random_seed(3)
        values, feeds = dict(tf=tf, image=tf.image, none=None, true=True, false=False), {}
        for name, (static, dynamic, dtype) in inputs.items():
            values[name] = tf.placeholder(dtype, static, name=name)
            feeds[values[name]] = np.asarray(dynamic[0], dtype) if static == [] else feed(dynamic, dtype)
        try:
            result = eval(code, values)
            results = list(result) if isinstance(result, (list, tuple)) else [result]
            case["ops"] = [[op.name, op.type, [x.name for x in op.inputs], sorted(x.name for x in op.control_inputs)] for op in graph.get_operations()]
            case["shapes"] = [None if x.shape.rank is None else x.shape.as_list() for x in results]
            with tf.Session() as session:
                found = session.run(results, feeds)
            case["values"] = [dict(shape=list(x.shape), dtype=str(x.dtype), values=np.asarray(x, np.float64).ravel().tolist()) for x in found]
        except Exception as error:
            case["error"] = re.split("\n", getattr(error, "message", str(error)))[0] if "Graph execution" not in str(error) else "run"
    out[code] = case


x = dict(x=(FLOATS, FLOATS, "float32"))
b = dict(x=(BYTES, BYTES, "uint8"))
u = dict(x=(UNKNOWN, FLOATS, "float32"))
d = dict(x=([None, None, None], FLOATS, "float32"))
v = dict(x=([None, None, None, 3], BYTES, "float32"))
for call in ("flip_left_right(x)", "flip_up_down(x)", "rot90(x)", "rot90(x, 3)", "transpose(x)", "per_image_standardization(x)", "random_flip_left_right(x, 5)", "random_flip_up_down(x, 6)"):
    for i, inputs in enumerate((x, b, u, d, v)):
        # TensorFlow's own transpose and rotation of an image of unknown rank cannot run.
        if inputs is not u or not call.startswith(("transpose", "rot90")):
            program(f"image.{call}" + " " * i, inputs)
for call in (
    "central_crop(x, 0.5)", "central_crop(x, 1.0)", "central_crop(x, 0.0)", "crop_to_bounding_box(x, 1, 0, 2, 3)", "crop_to_bounding_box(x, 3, 0, 3, 3)", "crop_to_bounding_box(x, -1, 0, 3, 3)",
    "pad_to_bounding_box(x, 1, 2, 9, 8)", "pad_to_bounding_box(x, 1, 2, 4, 8)", "resize_image_with_crop_or_pad(x, 3, 8)", "resize_image_with_crop_or_pad(x, 0, 8)", "resize_image_with_pad(x, 8, 5)",
    "resize_images(x, [8, 5])", "resize_images(x, [4, 6])", "resize_images(x, [8, 5], 1)", "resize_images(x, [8, 5], 3)", "resize_images(x, [7, 20], 2, preserve_aspect_ratio=true)", "resize_images(x, [8, 5], 9)", "resize_images(x, [8])",
):
    for i, inputs in enumerate((x, b, d, v)):
        program(f"image.{call}" + " " * i, inputs)
n = dict(n=([], [2], "int32"))
for call in ("crop_to_bounding_box(x, n, 0, 2, n)", "pad_to_bounding_box(x, 1, n, 9, 9)", "resize_image_with_crop_or_pad(x, n, 8)", "rot90(x, n)"):
    program(f"image.{call}", {**x, **n})
    program(f"image.{call} ", {**d, **n})
for call in ("central_crop(x, f)", "adjust_gamma(x, f)", "adjust_brightness(x, f)", "adjust_contrast(x, f)", "adjust_hue(x, f)", "adjust_saturation(x, f)"):
    program(f"image.{call}", {**x, "f": ([], [0.5], "float32")})
for call in (
    "adjust_gamma(x)", "adjust_gamma(x, 2.2, 0.5)", "adjust_gamma(x, -1)", "adjust_brightness(x, 0.25)", "adjust_contrast(x, 1.5)", "adjust_hue(x, 0.25)", "adjust_saturation(x, 0.5)",
    "random_brightness(x, 0.3, 5)", "random_brightness(x, -0.3)", "random_contrast(x, 0.2, 1.5, 5)", "random_contrast(x, 2, 1)", "random_hue(x, 0.2, 5)", "random_hue(x, 0.7)", "random_saturation(x, 0.2, 1.5, 5)",
    "random_saturation(x, -1, 1)", "rgb_to_grayscale(x)", "convert_image_dtype(x, tf.float32)", "convert_image_dtype(x, tf.uint16, true)", "convert_image_dtype(x, tf.int8)", "total_variation(x)",
):
    program(f"image.{call}", x)
    program(f"image.{call} ", b)
for call in ("rgb_to_yiq(x)", "yiq_to_rgb(x)", "rgb_to_yuv(x)", "yuv_to_rgb(x)", "adjust_jpeg_quality(x, 50)", "random_jpeg_quality(x, 20, 90, 4)", "random_jpeg_quality(x, 90, 20)", "image_gradients(x)", "grayscale_to_rgb(x)"):
    program(f"image.{call}", x)
program("image.adjust_jpeg_quality(x, 50, 'INTEGER_ACCURATE')", dict(x=(FLOATS, FLOATS, "uint8")))
program("image.grayscale_to_rgb(x) ", dict(x=([4, 5, 1], [4, 5, 1], "float32")))
program("image.grayscale_to_rgb(x)  ", dict(x=([None, 5, 1], [4, 5, 1], "float32")))
f4 = dict(x=(BYTES, BYTES, "float32"))
for call in ("image_gradients(x)", "sobel_edges(x)", "total_variation(x)"):
    program(f"image.{call}  ", f4)
    program(f"image.{call}   ", v)
big = lambda *shape: dict(x=(list(shape), list(shape), "float32"), y=(list(shape), list(shape), "float32"))
two = lambda a, b_, dtype="float32": dict(x=(a, a, dtype), y=(b_, b_, dtype))
program("image.psnr(x, x * 0.5, 1.0)", x)
program("image.psnr(x, y, 255)", two(BYTES, BYTES, "uint8"))
program("image.psnr(x, y, 1.0) ", two(FLOATS, [4, 5, 3]))
program("image.ssim(x, x * 0.5, 1.0)", dict(x=([2, 12, 13, 2], [2, 12, 13, 2], "float32")))
program("image.ssim(x, tf.reverse(x, [1]), 255, 5, 1.2, 0.02, 0.05, true)", dict(x=([2, 9, 8, 2], [2, 9, 8, 2], "uint8")))
program("image.ssim(x, x * 0.5, 1.0) ", dict(x=([None, None, None, 1], [2, 12, 13, 1], "float32")))
program("image.ssim(x, x * 0.5, 1.0)  ", dict(x=([2, 8, 8, 2], [2, 8, 8, 2], "float32")))
program("image.ssim_multiscale(x, tf.sqrt(x), 1.0, [0.5, 0.3, 0.2], 3)", dict(x=([2, 17, 15, 2], [2, 17, 15, 2], "float32")))
program("image.ssim_multiscale(x, tf.sqrt(x), 1.0)", dict(x=([1, 180, 180, 1], [1, 180, 180, 1], "float32")))
boxes = dict(b=([2, 3, 4], [2, 3, 4], "float32"))
for call in ("draw_bounding_boxes(x, b)", "draw_bounding_boxes(x, b, none, [[0.5, 0.25, 0.75], [1, 0, 0.5]])"):
    program(f"image.{call}", {**dict(x=([2, 9, 8, 3], [2, 9, 8, 3], "float32")), **boxes})
program("image.draw_bounding_boxes(x, b) ", {**dict(x=([2, 9, 8, 1], [2, 9, 8, 1], "float32")), **boxes})
program("image.draw_bounding_boxes(x, b)  ", {**dict(x=([2, 9, 8, 2], [2, 9, 8, 2], "float32")), **boxes})
one = dict(b=([1, 2, 4], [1, 2, 4], "float32"))
for seed in range(1, 13):
    program(f"image.sample_distorted_bounding_box([{20 + 13 * seed}, {97 - 5 * seed}, 3], b, {seed}, 5, 0.{seed % 5})", one)
program("image.sample_distorted_bounding_box([40, 50, 3], b, 1, 2, 0.5, [0.3, 3.0], [0.2, 0.4], 50)", one)
program("image.sample_distorted_bounding_box([40, 50, 3], b, 1, 2, 0.5, [0.3, 3.0], [0.2, 1.4], 50)", one)
program("image.sample_distorted_bounding_box([40, 50, 3], tf.zeros([0, 0, 4]), 1, 2, 0.5, none, none, none, true)", {})
program("image.sample_distorted_bounding_box([40, 50, 3], tf.zeros([0, 0, 4]), 1, 2)", {})
g = dict(x=([2, 7, 8, 2], [2, 7, 8, 2], "float32"), o=([2, 2], [2, 2], "float32"))
for call in ("extract_glimpse(x, [3, 2], o * 0.25)", "extract_glimpse(x, [3, 2], o * 2.5, true, false)", "extract_glimpse(x, [3, 2], o * 3.5 + 2.0, false, false)"):
    program(f"image.{call}", g)
raw = "tf.raw_ops."
for noise in ("'zero'", "'x'"):
    program(f"{raw}ExtractGlimpse(input=x, size=[5, 4], offsets=o * 2.0, uniform_noise=false, noise={noise})", g)
    program(f"{raw}ExtractGlimpseV2(input=x, size=[5, 4], offsets=o, centered=false, uniform_noise=false, noise={noise})", g)
    program(f"{raw}ExtractGlimpseV2(input=x, size=[5, 4], offsets=o * 3.0, normalized=false, uniform_noise=false, noise={noise})", g)
program(f"{raw}ExtractGlimpseV2(input=x, size=[5, 4], offsets=o * 2.0 - 1.0, uniform_noise=false, noise='zero')", g)
w = dict(x=([2, 7, 6, 2], [2, 7, 6, 2], "float32"))
for kernel in ("lanczos1", "lanczos3", "lanczos5", "gaussian", "box", "triangle", "keyscubic", "mitchellcubic", "none"):
    for scale, translation, antialias in (("[0.6, 1.7]", "[0.0, 0.0]", "true"), ("[0.45, 0.8]", "[1.5, -0.75]", "false"), ("[2.0, 1.0]", "[-3.0, 2.25]", "true")):
        call = f"{raw}ScaleAndTranslate(images=x, size=[9, 5], scale={scale}, translation={translation}, kernel_type='{kernel}', antialias={antialias})"
        program(call, w)
        if kernel in ("lanczos3", "triangle", "gaussian"):
            program(f"tf.gradients(tf.square({call}), x)", w)
n5 = dict(x=([6, 6], [6, 6], "float32"), s=([6], [6], "float32"))
for call in ("non_max_suppression_overlaps(x, s, 4, 0.3)", "non_max_suppression_overlaps(x, s, 6, 0.8, 0.05)", "non_max_suppression_overlaps(x, s, 2)"):
    program(f"image.{call}", n5)
for a in range(6):
    program(f"{raw}StatelessSampleDistortedBoundingBox(image_size=[{40 + a}, 50, 3], bounding_boxes=b, min_object_covered=0.{a}, seed=[{a}, 7])", one)
    program(f"{raw}SampleDistortedBoundingBox(image_size=[{40 + a}, 50, 3], bounding_boxes=b, min_object_covered=0.{a}, seed={a + 1}, seed2=7)", one)
json.dump(out, open(sys.argv[1], "w"))
print(len(out), sum("error" in case for case in out.values()))
