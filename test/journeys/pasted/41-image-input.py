"""Input pipelines: TFRecords written and read by queues with a Coordinator and by tf.data; JPEG and PNG, augmentation by seeded ops, crops by distorted boxes."""
from recording import *
import os, tempfile
folder = tempfile.mkdtemp()
def _int64_feature(value):
    return tf.train.Feature(int64_list=tf.train.Int64List(value=[value] if not isinstance(value, list) else value))
def _bytes_feature(value):
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
def _float_feature(value):
    return tf.train.Feature(float_list=tf.train.FloatList(value=value))
with tf.Graph().as_default(), tf.Session() as sess:
    picture = tf.placeholder(tf.uint8)
    png, jpeg = tf.image.encode_png(picture), tf.image.encode_jpeg(picture, quality=100, chroma_downsampling=False)
    for shard in range(2):
        writer = tf.python_io.TFRecordWriter(os.path.join(folder, 'train-%d.tfrecords' % shard))
        for index in range(4):
            i = shard * 4 + index
            image_raw = ints(i, 256, 10 + i % 3, 12, 3).astype(np.uint8)
            example = tf.train.Example(features=tf.train.Features(feature={
                'image/height': _int64_feature(image_raw.shape[0]), 'image/class/label': _int64_feature(i), 'image/class/text': _bytes_feature(('label %d' % i).encode()),
                'image/object/bbox/ymin': _float_feature([0.1, 0.3]), 'image/object/bbox/xmin': _float_feature([0.2, 0.1]), 'image/object/bbox/ymax': _float_feature([0.8, 0.9]), 'image/object/bbox/xmax': _float_feature([0.9, 0.7]),
                'image/encoded': _bytes_feature(sess.run(png, {picture: image_raw})), 'raw': _bytes_feature(image_raw.tobytes())}))
            writer.write(example.SerializeToString())
        writer.close()
    first = next(tf.python_io.tf_record_iterator(os.path.join(folder, 'train-0.tfrecords')))
    example = tf.train.Example.FromString(first)
    show("first", [example.features.feature['image/class/text'].bytes_list.value[0].decode(), list(example.features.feature['image/object/bbox/ymin'].float_list.value)])
    smooth = np.tile(np.arange(0, 192, 16, dtype=np.uint8)[None, :, None], [8, 1, 3])
    again = tf.image.decode_jpeg(sess.run(jpeg, {picture: smooth}), channels=3)
    show("jpeg", sess.run(again))
def parse_example_proto(example_serialized):
    feature_map = {'image/encoded': tf.FixedLenFeature([], dtype=tf.string, default_value=''), 'image/class/label': tf.FixedLenFeature([1], dtype=tf.int64, default_value=-1),
                   'image/class/text': tf.FixedLenFeature([], dtype=tf.string, default_value=''), 'raw': tf.FixedLenFeature([], tf.string)}
    sparse_float32 = tf.VarLenFeature(dtype=tf.float32)
    feature_map.update({k: sparse_float32 for k in ['image/object/bbox/xmin', 'image/object/bbox/ymin', 'image/object/bbox/xmax', 'image/object/bbox/ymax']})
    features = tf.parse_single_example(example_serialized, feature_map)
    label = tf.cast(features['image/class/label'], dtype=tf.int32)
    xmin = tf.expand_dims(features['image/object/bbox/xmin'].values, 0)
    ymin = tf.expand_dims(features['image/object/bbox/ymin'].values, 0)
    xmax = tf.expand_dims(features['image/object/bbox/xmax'].values, 0)
    ymax = tf.expand_dims(features['image/object/bbox/ymax'].values, 0)
    bbox = tf.concat(axis=0, values=[ymin, xmin, ymax, xmax])
    bbox = tf.transpose(tf.expand_dims(bbox, 0), [0, 2, 1])
    return features['image/encoded'], label, bbox, features['image/class/text'], features['raw']
def distort_image(image, height, width, bbox, scope=None):
    with tf.name_scope(values=[image, height, width, bbox], name=scope, default_name='distort_image'):
        bbox_begin, bbox_size, distort_bbox = tf.image.sample_distorted_bounding_box(tf.shape(image), bounding_boxes=bbox, min_object_covered=0.1, aspect_ratio_range=[0.75, 1.33], area_range=[0.3, 1.0], max_attempts=100, use_image_if_no_bounding_boxes=True, seed=7)
        distorted_image = tf.slice(image, bbox_begin, bbox_size)
        distorted_image = tf.image.resize_images(distorted_image, [height, width], method=tf.image.ResizeMethod.BICUBIC)
        distorted_image.set_shape([height, width, 3])
        distorted_image = tf.image.random_flip_left_right(distorted_image, seed=1)
        distorted_image = tf.image.random_brightness(distorted_image, max_delta=32. / 255., seed=2)
        distorted_image = tf.image.random_saturation(distorted_image, lower=0.5, upper=1.5, seed=3)
        distorted_image = tf.image.random_hue(distorted_image, max_delta=0.2, seed=4)
        distorted_image = tf.image.random_contrast(distorted_image, lower=0.5, upper=1.5, seed=5)
        return tf.clip_by_value(distorted_image, 0.0, 1.0), distort_bbox
with tf.Graph().as_default():
    tf.set_random_seed(3)
    filename_queue = tf.train.string_input_producer([os.path.join(folder, 'train-%d.tfrecords' % i) for i in range(2)], num_epochs=2, shuffle=False)
    reader = tf.TFRecordReader()
    key, value = reader.read(filename_queue)
    encoded, label, bbox, text, raw = parse_example_proto(value)
    image = tf.image.convert_image_dtype(tf.image.decode_png(encoded, channels=3), dtype=tf.float32)
    image = tf.image.resize_image_with_crop_or_pad(image, 10, 12)
    distorted = tf.image.per_image_standardization(tf.random_crop(image, [8, 8, 3], seed=6))
    images, labels, texts = tf.train.batch([distorted, tf.reshape(label, []), text], batch_size=3, num_threads=1, capacity=20, allow_smaller_final_batch=True)
    rounds = tf.Variable(0, trainable=False)
    count = tf.assign_add(rounds, 1)
    with tf.Session() as sess:
        sess.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        coord = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(sess=sess, coord=coord)
        try:
            while not coord.should_stop():
                batch, l, t = sess.run([images, labels, texts])
                sess.run(count)
                show("batch", [batch.shape, l, [s.decode() for s in t]]); show("pixels", batch)
        except tf.errors.OutOfRangeError:
            show("done", sess.run(rounds))
        finally:
            coord.request_stop()
        coord.join(threads)
with tf.Graph().as_default():
    tf.set_random_seed(3)
    def train_map(serialized):
        encoded, label, bbox, text, raw = parse_example_proto(serialized)
        image = tf.image.convert_image_dtype(tf.image.decode_image(encoded, channels=3), tf.float32)
        image.set_shape([None, None, 3])
        distorted, box = distort_image(image, 9, 9, bbox)
        flat = tf.reshape(tf.decode_raw(raw, tf.uint8), [-1, 12, 3])
        central = tf.image.central_crop(image, central_fraction=0.5)
        central = tf.squeeze(tf.image.resize_bilinear(tf.expand_dims(central, 0), [4, 4], align_corners=False), [0])
        return {'image': distorted, 'central': central, 'box': box, 'first': flat[0, 0]}, label - 1
    dataset = tf.data.Dataset.list_files(os.path.join(folder, '*.tfrecords'), shuffle=False)
    dataset = dataset.interleave(tf.data.TFRecordDataset, cycle_length=2, block_length=2)
    dataset = dataset.shuffle(buffer_size=5, seed=9).repeat(2).map(train_map, num_parallel_calls=1).batch(4, drop_remainder=True).prefetch(1)
    iterator = dataset.make_initializable_iterator()
    features, labels = iterator.get_next()
    show("types", [str(features['image'].get_shape()), labels.dtype.name, str(features['first'].get_shape())])
    drawn = tf.image.draw_bounding_boxes(features['image'], features['box'][:, 0])
    one = tf.summary.image('images', drawn)
    with tf.Session() as sess:
        sess.run(iterator.initializer)
        for i in range(3):
            f, l = sess.run([features, labels])
            show("labels", l); show("boxes", f['box']); show("images", f['image']); show("central", f['central']); show("first", f['first'])
        show("drawn", sess.run(drawn))
        try:
            sess.run(labels)
        except tf.errors.OutOfRangeError as e:
            show("end", type(e).__name__)
