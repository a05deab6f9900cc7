// Input pipelines: TFRecords written and read by queues with a Coordinator and by tf.data; JPEG and PNG, augmentation by seeded ops, crops by distorted
// boxes: its twin in Python line by line.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "tensorloom/compat";
import { ints, range, type Show } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "records-"));
  const _int64_feature = (value: number) => tf.train.Feature({ int64_list: tf.train.Int64List({ value: [value] }) });
  const _bytes_feature = (value: Uint8Array | string) => tf.train.Feature({ bytes_list: tf.train.BytesList({ value: [value] }) });
  const _float_feature = (value: number[]) => tf.train.Feature({ float_list: tf.train.FloatList({ value }) });
  {
    using _ = tf.Graph().as_default();
    await using sess = new tf.Session();
    const picture = tf.placeholder(tf.uint8);
    const png = tf.image.encode_png(picture),
      jpeg = tf.image.encode_jpeg(picture, { quality: 100, chroma_downsampling: false });
    for (const shard of range(2)) {
      const writer = new tf.python_io.TFRecordWriter(join(folder, `train-${shard}.tfrecords`));
      for (const index of range(4)) {
        const i = shard * 4 + index;
        const image_raw = ints(i, 256, 10 + (i % 3), 12, 3).cast("uint8");
        const example = tf.train.Example({
          features: tf.train.Features({
            feature: {
              "image/height": _int64_feature(image_raw.shape[0]),
              "image/class/label": _int64_feature(i),
              "image/class/text": _bytes_feature(`label ${i}`),
              "image/object/bbox/ymin": _float_feature([0.1, 0.3]),
              "image/object/bbox/xmin": _float_feature([0.2, 0.1]),
              "image/object/bbox/ymax": _float_feature([0.8, 0.9]),
              "image/object/bbox/xmax": _float_feature([0.9, 0.7]),
              "image/encoded": _bytes_feature((await sess.run(png, [[picture, image_raw]])).item()),
              raw: _bytes_feature(image_raw.data as Uint8Array),
            },
          }),
        });
        await writer.write(example.SerializeToString());
      }
      await writer.close();
    }
    for await (const first of tf.python_io.tf_record_iterator(join(folder, "train-0.tfrecords"))) {
      const { feature } = tf.train.Example.FromString(first).features;
      show("first", [
        new TextDecoder().decode(feature["image/class/text"].bytes_list.value[0]),
        [...feature["image/object/bbox/ymin"].float_list.value],
      ]);
      break;
    }
    const smooth = range(8).map(() => range(12).map(x => [16 * x, 16 * x, 16 * x]));
    const again = tf.image.decode_jpeg(await sess.run(jpeg, [[picture, smooth]]), { channels: 3 });
    show("jpeg", await sess.run(again));
  }
  function parse_example_proto(example_serialized: tf.Tensor) {
    const sparse_float32 = tf.VarLenFeature({ dtype: tf.float32 });
    const feature_map = {
      "image/encoded": tf.FixedLenFeature([], { dtype: tf.string, default_value: "" }),
      "image/class/label": tf.FixedLenFeature([1], { dtype: tf.int64, default_value: -1 }),
      "image/class/text": tf.FixedLenFeature([], { dtype: tf.string, default_value: "" }),
      raw: tf.FixedLenFeature([], tf.string),
      "image/object/bbox/xmin": sparse_float32,
      "image/object/bbox/ymin": sparse_float32,
      "image/object/bbox/xmax": sparse_float32,
      "image/object/bbox/ymax": sparse_float32,
    };
    const features = tf.parse_single_example(example_serialized, feature_map);
    const label = tf.cast(features["image/class/label"], { dtype: tf.int32 });
    const xmin = tf.expand_dims(features["image/object/bbox/xmin"].values, 0);
    const ymin = tf.expand_dims(features["image/object/bbox/ymin"].values, 0);
    const xmax = tf.expand_dims(features["image/object/bbox/xmax"].values, 0);
    const ymax = tf.expand_dims(features["image/object/bbox/ymax"].values, 0);
    let bbox = tf.concat({ axis: 0, values: [ymin, xmin, ymax, xmax] });
    bbox = tf.transpose(tf.expand_dims(bbox, 0), [0, 2, 1]);
    return [features["image/encoded"], label, bbox, features["image/class/text"], features["raw"]];
  }
  function distort_image(image: tf.Tensor, height: number, width: number, bbox: tf.Tensor, scope: string | null = null) {
    return tf.name_scope({ values: [image, bbox], name: scope, default_name: "distort_image" }, () => {
      const [bbox_begin, bbox_size, distort_bbox] = tf.image.sample_distorted_bounding_box(tf.shape(image), {
        bounding_boxes: bbox,
        min_object_covered: 0.1,
        aspect_ratio_range: [0.75, 1.33],
        area_range: [0.3, 1.0],
        max_attempts: 100,
        use_image_if_no_bounding_boxes: true,
        seed: 7,
      });
      let distorted_image = tf.slice(image, bbox_begin, bbox_size);
      distorted_image = tf.image.resize_images(distorted_image, [height, width], { method: tf.image.ResizeMethod.BICUBIC });
      distorted_image.set_shape([height, width, 3]);
      distorted_image = tf.image.random_flip_left_right(distorted_image, { seed: 1 });
      distorted_image = tf.image.random_brightness(distorted_image, { max_delta: 32 / 255, seed: 2 });
      distorted_image = tf.image.random_saturation(distorted_image, { lower: 0.5, upper: 1.5, seed: 3 });
      distorted_image = tf.image.random_hue(distorted_image, { max_delta: 0.2, seed: 4 });
      distorted_image = tf.image.random_contrast(distorted_image, { lower: 0.5, upper: 1.5, seed: 5 });
      return [tf.clip_by_value(distorted_image, 0.0, 1.0), distort_bbox];
    });
  }
  {
    using _ = tf.Graph().as_default();
    tf.set_random_seed(3);
    const filename_queue = tf.train.string_input_producer(
      range(2).map(i => join(folder, `train-${i}.tfrecords`)),
      { num_epochs: 2, shuffle: false },
    );
    const reader = new tf.TFRecordReader();
    const [, value] = reader.read(filename_queue);
    const [encoded, label, , text] = parse_example_proto(value);
    let image = tf.image.convert_image_dtype(tf.image.decode_png(encoded, { channels: 3 }), { dtype: tf.float32 });
    image = tf.image.resize_image_with_crop_or_pad(image, 10, 12);
    const distorted = tf.image.per_image_standardization(tf.random_crop(image, [8, 8, 3], { seed: 6 }));
    const [images, labels, texts] = tf.train.batch([distorted, tf.reshape(label, []), text], {
      batch_size: 3,
      num_threads: 1,
      capacity: 20,
      allow_smaller_final_batch: true,
    });
    const rounds = tf.Variable(tf.constant(0, tf.int32), { trainable: false });
    const count = tf.assign_add(rounds, 1);
    await using sess = new tf.Session();
    await sess.run([tf.global_variables_initializer(), tf.local_variables_initializer()]);
    const coord = new tf.train.Coordinator();
    const threads = await tf.train.start_queue_runners({ sess, coord });
    try {
      while (!coord.should_stop()) {
        const [batch, l, t] = await sess.run([images, labels, texts]);
        await sess.run(count);
        show("batch", [batch.shape, l, t.toArray()]);
        show("pixels", batch);
      }
    } catch (error) {
      if (!(error instanceof tf.errors.OutOfRangeError)) throw error;
      show("done", await sess.run(rounds));
    } finally {
      coord.request_stop();
    }
    await coord.join(threads);
  }
  {
    using _ = tf.Graph().as_default();
    tf.set_random_seed(3);
    function train_map(serialized: tf.Tensor) {
      const [encoded, label, bbox, , raw] = parse_example_proto(serialized);
      const image = tf.image.convert_image_dtype(tf.image.decode_image(encoded, { channels: 3 }), tf.float32);
      image.set_shape([null, null, 3]);
      const [distorted, box] = distort_image(image, 9, 9, bbox);
      const flat = tf.reshape(tf.decode_raw(raw, tf.uint8), [-1, 12, 3]);
      let central = tf.image.central_crop(image, { central_fraction: 0.5 });
      central = tf.squeeze(tf.image.resize_bilinear(tf.expand_dims(central, 0), [4, 4], { align_corners: false }), [0]);
      return [{ image: distorted, central, box, first: flat.at(0, 0) }, label.sub(1)] as const;
    }
    let dataset = tf.data.Dataset.list_files(join(folder, "*.tfrecords"), { shuffle: false });
    dataset = dataset.interleave((file: tf.Tensor) => new tf.data.TFRecordDataset(file), { cycle_length: 2, block_length: 2 });
    dataset = dataset.shuffle({ buffer_size: 5, seed: 9 }).repeat(2);
    dataset = dataset.map(train_map, { num_parallel_calls: 1 }).batch(4, { drop_remainder: true }).prefetch(1);
    const iterator = dataset.make_initializable_iterator();
    const [features, labels] = iterator.get_next();
    show("types", [String(features.image.get_shape()), labels.dtype.name, String(features.first.get_shape())]);
    const drawn = tf.image.draw_bounding_boxes(features.image, features.box.at([], 0));
    tf.summary.image("images", drawn);
    await using sess = new tf.Session();
    await sess.run(iterator.initializer);
    for (const _ of range(3)) {
      const [f, l] = await sess.run([features, labels]);
      show("labels", l);
      show("boxes", f.box);
      show("images", f.image);
      show("central", f.central);
      show("first", f.first);
    }
    show("drawn", await sess.run(drawn));
    try {
      await sess.run(labels);
    } catch (error) {
      show("end", (error as Error).name);
    }
  }
  rmSync(folder, { recursive: true });
}
