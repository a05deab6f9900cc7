"""The CIFAR-10 tutorial on several towers: losses by collections, averaged gradients, moving averages saved and restored under the averaged names."""
from recording import *
import re, os, tempfile
TOWER_NAME, NUM_CLASSES, LAMBDA = 'tower', 4, 0.01
def _activation_summary(x):
    tensor_name = re.sub('%s_[0-9]*/' % TOWER_NAME, '', x.op.name)
    tf.summary.histogram(tensor_name + '/activations', x)
    tf.summary.scalar(tensor_name + '/sparsity', tf.nn.zero_fraction(x))
def _variable_on_cpu(name, shape, initializer):
    with tf.device('/cpu:0'):
        return tf.get_variable(name, shape, initializer=initializer, dtype=tf.float32)
def _variable_with_weight_decay(name, shape, stddev, wd):
    var = _variable_on_cpu(name, shape, tf.truncated_normal_initializer(stddev=stddev, dtype=tf.float32))
    if wd is not None:
        weight_decay = tf.multiply(tf.nn.l2_loss(var), wd, name='weight_loss')
        tf.add_to_collection('losses', weight_decay)
    return var
def inference(images):
    with tf.variable_scope('conv1') as scope:
        kernel = _variable_with_weight_decay('weights', shape=[3, 3, 3, 6], stddev=0.2, wd=None)
        conv = tf.nn.conv2d(images, kernel, [1, 1, 1, 1], padding='SAME')
        biases = _variable_on_cpu('biases', [6], tf.constant_initializer(0.0))
        pre_activation = tf.nn.bias_add(conv, biases)
        conv1 = tf.nn.relu(pre_activation, name=scope.name)
        _activation_summary(conv1)
    pool1 = tf.nn.max_pool(conv1, ksize=[1, 3, 3, 1], strides=[1, 2, 2, 1], padding='SAME', name='pool1')
    norm1 = tf.nn.lrn(pool1, 4, bias=1.0, alpha=0.001 / 9.0, beta=0.75, name='norm1')
    with tf.variable_scope('local3') as scope:
        reshape = tf.reshape(norm1, [images.get_shape().as_list()[0], -1])
        dim = reshape.get_shape()[1].value
        weights = _variable_with_weight_decay('weights', shape=[dim, 8], stddev=0.1, wd=LAMBDA)
        biases = _variable_on_cpu('biases', [8], tf.constant_initializer(0.1))
        local3 = tf.nn.relu(tf.matmul(reshape, weights) + biases, name=scope.name)
        _activation_summary(local3)
    with tf.variable_scope('softmax_linear') as scope:
        weights = _variable_with_weight_decay('weights', [8, NUM_CLASSES], stddev=1 / 8.0, wd=None)
        biases = _variable_on_cpu('biases', [NUM_CLASSES], tf.constant_initializer(0.0))
        softmax_linear = tf.add(tf.matmul(local3, weights), biases, name=scope.name)
        _activation_summary(softmax_linear)
    return softmax_linear
def loss(logits, labels):
    labels = tf.cast(labels, tf.int64)
    cross_entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits, name='cross_entropy_per_example')
    cross_entropy_mean = tf.reduce_mean(cross_entropy, name='cross_entropy')
    tf.add_to_collection('losses', cross_entropy_mean)
    return tf.add_n(tf.get_collection('losses'), name='total_loss')
def tower_loss(scope, images, labels):
    logits = inference(images)
    _ = loss(logits, labels)
    losses = tf.get_collection('losses', scope)
    total_loss = tf.add_n(losses, name='total_loss')
    for l in losses + [total_loss]:
        loss_name = re.sub('%s_[0-9]*/' % TOWER_NAME, '', l.op.name)
        tf.summary.scalar(loss_name, l)
    return total_loss, logits
def average_gradients(tower_grads):
    average_grads = []
    for grad_and_vars in zip(*tower_grads):
        grads = []
        for g, _ in grad_and_vars:
            expanded_g = tf.expand_dims(g, 0)
            grads.append(expanded_g)
        grad = tf.concat(axis=0, values=grads)
        grad = tf.reduce_mean(grad, 0)
        v = grad_and_vars[0][1]
        average_grads.append((grad, v))
    return average_grads
folder = tempfile.mkdtemp()
with tf.Graph().as_default(), tf.device('/cpu:0'):
    tf.set_random_seed(6)
    global_step = tf.get_variable('global_step', [], initializer=tf.constant_initializer(0), trainable=False)
    lr = tf.train.exponential_decay(0.1, global_step, 2, 0.5, staircase=True)
    opt = tf.train.GradientDescentOptimizer(lr)
    all_images = tf.placeholder(tf.float32, [8, 10, 10, 3])
    all_labels = tf.placeholder(tf.int32, [8])
    images_split = tf.split(tf.map_fn(tf.image.per_image_standardization, all_images), 2)
    labels_split = tf.split(axis=0, num_or_size_splits=2, value=all_labels)
    tower_grads, tower_losses, predictions = [], [], []
    with tf.variable_scope(tf.get_variable_scope()):
        for i in range(2):
            with tf.device('/gpu:%d' % i):
                with tf.name_scope('%s_%d' % (TOWER_NAME, i)) as scope:
                    l, logits = tower_loss(scope, images_split[i], labels_split[i])
                    tf.get_variable_scope().reuse_variables()
                    summaries = tf.get_collection(tf.GraphKeys.SUMMARIES, scope)
                    grads = opt.compute_gradients(l)
                    tower_grads.append(grads); tower_losses.append(l); predictions.append(logits)
    loss_averages = tf.train.ExponentialMovingAverage(0.9, name='avg')
    loss_averages_op = loss_averages.apply(tf.get_collection('losses') + tower_losses)
    summaries.append(tf.summary.scalar('average', loss_averages.average(tower_losses[1])))
    grads = average_gradients(tower_grads)
    summaries.append(tf.summary.scalar('learning_rate', lr))
    for grad, var in grads:
        if grad is not None:
            summaries.append(tf.summary.histogram(var.op.name + '/gradients', grad))
    apply_gradient_op = opt.apply_gradients(grads, global_step=global_step)
    for var in tf.trainable_variables():
        summaries.append(tf.summary.histogram(var.op.name, var))
    variable_averages = tf.train.ExponentialMovingAverage(0.99, global_step)
    with tf.control_dependencies([apply_gradient_op]):
        variables_averages_op = variable_averages.apply(tf.trainable_variables())
    train_op = tf.group(apply_gradient_op, variables_averages_op, loss_averages_op)
    top_k_op = tf.nn.in_top_k(predictions[0], labels_split[0], 1)
    saver = tf.train.Saver(tf.global_variables(), max_to_keep=2)
    summary_op = tf.summary.merge(summaries)
    show("vars", [v.name + " " + v.device for v in tf.global_variables()])
    show("losses", [t.name + " " + t.device for t in tf.get_collection('losses')])
    show("device", [op.device for op in tf.get_default_graph().get_operations() if op.type == "Conv2D"])
    sess = tf.Session(config=tf.ConfigProto(allow_soft_placement=True, log_device_placement=False))
    sess.run(tf.global_variables_initializer())
    tf.train.start_queue_runners(sess=sess)
    for step in range(4):
        feed = {all_images: rnd(step, 8, 10, 10, 3), all_labels: ints(step + 9, NUM_CLASSES, 8)}
        _, loss_value, other = sess.run([train_op] + tower_losses, feed)
        show("loss", [loss_value, other])
        if step % 2 == 1:
            saver.save(sess, os.path.join(folder, 'model.ckpt'), global_step=step)
    parsed = tf.Summary.FromString(sess.run(summary_op, feed))
    show("tags", [v.tag for v in parsed.value])
    show("top", sess.run(top_k_op, feed))
with tf.Graph().as_default() as g:
    images, labels = tf.placeholder(tf.float32, [4, 10, 10, 3]), tf.placeholder(tf.int32, [4])
    logits = inference(images)
    top_k_op = tf.nn.in_top_k(logits, labels, 1)
    variable_averages = tf.train.ExponentialMovingAverage(0.99)
    variables_to_restore = variable_averages.variables_to_restore()
    show("restore", sorted(variables_to_restore))
    saver = tf.train.Saver(variables_to_restore)
    with tf.Session() as sess:
        ckpt = tf.train.get_checkpoint_state(folder)
        show("paths", [os.path.basename(p) for p in ckpt.all_model_checkpoint_paths])
        saver.restore(sess, ckpt.model_checkpoint_path)
        show("step", int(ckpt.model_checkpoint_path.split('/')[-1].split('-')[-1]))
        show("averaged", sess.run(logits, {images: rnd(50, 4, 10, 10, 3)}))
