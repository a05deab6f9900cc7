// What tf.contrib had, and what does the same here: a call to write instead, with the options that differ. Rows are names behind `tf.contrib.`; a row of a
// namespace stands for all that is in it. A test looks every name and option up that a row mentions.

const cells = "Same class: tf.nn.rnn_cell.";
const own = "Write it as a class of your own: class C extends tf.nn.rnn_cell.RNNCell with state_size, output_size and call(inputs, state).";
const decoders =
  "There is no tf.contrib.seq2seq. Decode in tf.nn.raw_rnn(cell, loop_fn), whose loop_fn gives the next input, or in tf.while_loop.";
const relu = "activation: tf.nn.relu (contrib's default; leave it out for activation_fn=None)";
const attention =
  "scores by tf.matmul(query, memory, { transpose_b: true }), weights by tf.nn.softmax, context by tf.matmul(weights, memory).";
const flipped = "Labels come first.";
const norm = (axes: string, epsilon: string): string =>
  `const { mean, variance } = tf.nn.moments(x, ${axes}, { keep_dims: true }); tf.nn.batch_normalization(x, mean, variance, beta, gamma, ${epsilon}), with beta of zeros and gamma of ones from tf.get_variable.`;

/** By the names of tf.contrib.layers, which tf.contrib.slim has as well. */
const layers: Readonly<Record<string, string>> = {
  "": "Use tf.layers: dense, conv2d, max_pooling2d, batch_normalization, dropout, flatten.",
  apply_regularization: "tf.add_n(weights.map(regularizer)).",
  avg_pool2d: 'tf.layers.average_pooling2d(x, kernel_size, stride) (contrib: stride 2, padding "VALID", the same default here).',
  avg_pool3d: 'tf.layers.average_pooling3d(x, kernel_size, stride) (contrib: stride 2, padding "VALID").',
  batch_norm:
    "tf.layers.batch_normalization(x, { momentum: 0.999, scale: false, training: is_training }): contrib's decay is momentum (0.999), scale is false and is_training true by default. Updates are in tf.GraphKeys.UPDATE_OPS for both; for updates_collections=None run tf.get_collection(tf.GraphKeys.UPDATE_OPS) as control dependencies of the loss. activation_fn: call it on the result.",
  bias_add: 'tf.nn.bias_add(x, tf.get_variable("biases", [n], { initializer: tf.zeros_initializer() })).',
  bow_encoder: "tf.reduce_mean(tf.nn.embedding_lookup(embeddings, ids), { axis: 1 }).",
  bucketized_column: "tf.feature_column.bucketized_column(column, boundaries).",
  conv1d: `tf.layers.conv1d(x, n, kernel_size, { padding: "same", activation: tf.nn.relu }): ${relu}; padding is "SAME" in contrib, "valid" here.`,
  conv2d: `tf.layers.conv2d(x, n, kernel_size, { strides: stride, padding: "same", dilation_rate: rate, activation: tf.nn.relu }): ${relu}; padding is "SAME" in contrib, "valid" here; weights_initializer is kernel_initializer, weights_regularizer kernel_regularizer, biases_initializer bias_initializer (None: use_bias: false), scope name. With normalizer_fn: use_bias: false, then the normalizer, then the activation. Variables are called kernel and bias, not weights and biases.`,
  conv2d_in_plane: "tf.nn.depthwise_conv2d(x, filter, strides, padding) with a filter of one channel multiplier.",
  conv2d_transpose: `tf.layers.conv2d_transpose(x, n, kernel_size, { strides: stride, padding: "same", activation: tf.nn.relu }): ${relu}; padding is "SAME" in contrib.`,
  conv3d: `tf.layers.conv3d(x, n, kernel_size, { strides: stride, padding: "same", activation: tf.nn.relu }): ${relu}; padding is "SAME" in contrib.`,
  conv3d_transpose: `tf.layers.conv3d_transpose(x, n, kernel_size, { strides: stride, padding: "same", activation: tf.nn.relu }): ${relu}; padding is "SAME" in contrib.`,
  crossed_column: "tf.feature_column.crossed_column(columns, hash_bucket_size).",
  dense_to_sparse: "tf.sparse.from_dense(x).",
  dropout:
    "tf.layers.dropout(x, { rate: 1 - keep_prob, training: is_training }): contrib's keep_prob is 0.5 and is_training true by default.",
  embed_sequence: 'tf.nn.embedding_lookup(tf.get_variable("embeddings", [vocab_size, embed_dim]), ids).',
  embedding_column: "tf.feature_column.embedding_column(column, dimension).",
  flatten: "tf.layers.flatten(x).",
  fully_connected:
    "tf.layers.dense(x, n, { activation: tf.nn.relu }): activation: tf.nn.relu is contrib's default, activation_fn=None is none; weights_initializer is kernel_initializer (both Xavier's by default), weights_regularizer kernel_regularizer, biases_initializer bias_initializer (None: use_bias: false), scope name. With normalizer_fn: use_bias: false, then the normalizer, then the activation. Variables are called kernel and bias, not weights and biases.",
  gdn: "y = x / tf.sqrt(beta + tf.nn.conv2d(tf.square(x), gamma, 1, 'VALID')), with variables of your own.",
  group_norm: `Reshape x to [batch, height, width, groups, channels / groups], then ${norm("[1, 2, 4]", "1e-6")} Contrib has 32 groups.`,
  images_to_sequence: "tf.reshape(tf.transpose(x, [2, 0, 1, 3]), [width, -1, channels]).",
  infer_real_valued_columns: "tf.feature_column.numeric_column(key) for each feature.",
  input_from_feature_columns: "tf.feature_column.input_layer(features, columns).",
  instance_norm: norm("[1, 2]", "1e-6"),
  joint_weighted_sum_from_feature_columns: "tf.feature_column.linear_model(features, columns).",
  l1_l2_regularizer:
    "w => tf.add(tf.multiply(tf.reduce_sum(tf.abs(w)), scale_l1), tf.multiply(tf.nn.l2_loss(w), scale_l2)), as every function of a variable is a regularizer; both scales are 1 by default.",
  l1_regularizer: "w => tf.multiply(tf.reduce_sum(tf.abs(w)), scale), as every function of a variable is a regularizer.",
  l2_regularizer: "w => tf.multiply(tf.nn.l2_loss(w), scale), as every function of a variable is a regularizer.",
  layer_norm: `Over all axes but the first: ${norm("[1]", "1e-12")} For more than two axes give them all; contrib's begin_params_axis=-1 makes beta and gamma of the last size.`,
  legacy_fully_connected: "tf.layers.dense(x, n): no activation by default in both.",
  legacy_linear: "tf.layers.dense(x, n).",
  legacy_relu: "tf.layers.dense(x, n, { activation: tf.nn.relu }).",
  linear: "tf.layers.dense(x, n): fully_connected without activation.",
  make_place_holder_tensors_for_base_features: "tf.feature_column.make_parse_example_spec(columns) and tf.placeholder.",
  max_pool2d: 'tf.layers.max_pooling2d(x, kernel_size, stride): contrib\'s stride is 2 and its padding "VALID" by default, as here.',
  max_pool3d: 'tf.layers.max_pooling3d(x, kernel_size, stride): contrib\'s stride is 2 and its padding "VALID" by default.',
  maxout: "tf.reduce_max(tf.reshape(x, [-1, num_units, channels / num_units]), { axis: -1 }).",
  multi_class_target: "tf.losses.sparse_softmax_cross_entropy(labels, logits).",
  one_hot_column: "tf.feature_column.indicator_column(column).",
  one_hot_encoding: "tf.one_hot(labels, num_classes).",
  optimize_loss:
    "const grads = optimizer.compute_gradients(loss), clip them (tf.clip_by_global_norm), optimizer.apply_gradients(grads, { global_step }) with an optimizer of tf.train and tf.get_collection(tf.GraphKeys.UPDATE_OPS) as control dependencies.",
  parse_feature_columns_from_examples: "tf.parse_example(serialized, tf.feature_column.make_parse_example_spec(columns)).",
  pool: "tf.nn.pool(x, window_shape, pooling_type, padding).",
  real_valued_column: "tf.feature_column.numeric_column(key).",
  recompute_grad: "The function itself: runs keep no more than gradients need.",
  regression_target: "tf.losses.mean_squared_error(labels, predictions).",
  relu: "tf.layers.dense(x, n, { activation: tf.nn.relu }).",
  relu6: "tf.layers.dense(x, n, { activation: tf.nn.relu6 }).",
  repeat: "A loop: for (let i = 1; i <= n; i++) x = layer(x, { name: scope + i }).",
  safe_embedding_lookup_sparse: "tf.nn.safe_embedding_lookup_sparse(weights, ids).",
  scale_gradient: "tf.custom_gradient.",
  scattered_embedding_column:
    "tf.feature_column.categorical_column_with_hash_bucket(key, size) in tf.feature_column.embedding_column(column, dimension).",
  separable_conv2d: `tf.layers.separable_conv2d(x, n, kernel_size, { depth_multiplier, strides: stride, padding: "same", activation: tf.nn.relu }): ${relu}; padding is "SAME" in contrib. For num_outputs=None: tf.nn.depthwise_conv2d(x, filter, strides, padding).`,
  sequence_to_images: "tf.transpose(tf.reshape(x, [width, -1, height, channels]), [1, 2, 0, 3]).",
  shared_embedding_columns: "tf.feature_column.shared_embedding_columns(columns, dimension).",
  softmax: "tf.nn.softmax(logits).",
  sparse_column_with_hash_bucket: "tf.feature_column.categorical_column_with_hash_bucket(key, size).",
  sparse_column_with_integerized_feature: "tf.feature_column.categorical_column_with_identity(key, size).",
  sparse_column_with_keys: "tf.feature_column.categorical_column_with_vocabulary_list(key, keys).",
  sparse_column_with_vocabulary_file: "tf.feature_column.categorical_column_with_vocabulary_file(key, file).",
  spatial_softmax:
    "tf.nn.softmax over the flattened height and width of each channel, then the expected coordinates: tf.reduce_sum(tf.multiply(softmax, positions), { axis: 1 }) with positions from -1 to 1.",
  stack: "A loop over the lists of arguments: x = layer(x, ...arguments).",
  sum_regularizer: "w => tf.add_n(regularizers.map(r => r(w))).",
  summarize_activation: "tf.summary.histogram(name, tensor).",
  summarize_activations: "tf.summary.histogram(name, tensor) for each of tf.get_collection(tf.GraphKeys.ACTIVATIONS).",
  summarize_collection: "tf.summary.histogram(name, tensor) for each tensor of tf.get_collection(key).",
  summarize_tensor: "tf.summary.scalar(name, tensor) for scalars, tf.summary.histogram(name, tensor) otherwise.",
  summarize_tensors: "tf.summary.histogram(name, tensor) for each tensor.",
  unit_norm: "tf.math.l2_normalize(x, { axis: dim }): contrib adds its epsilon (1e-7) to the norm.",
  variance_scaling_initializer:
    'tf.variance_scaling_initializer({ scale: factor, mode: "fan_in" }): contrib\'s factor is 2, its mode "FAN_IN" and uniform false by default (the core\'s: 1, "fan_in"); uniform=True is distribution: "uniform". Contrib\'s truncated normal is 0.3 % wider.',
  weighted_sparse_column: "tf.feature_column.weighted_categorical_column(column, weight_feature_key).",
  weighted_sum_from_feature_columns: "tf.feature_column.linear_model(features, columns).",
  xavier_initializer:
    "tf.glorot_uniform_initializer(): the same numbers. uniform=False: tf.glorot_normal_initializer(), whose spread is 0.3 % less.",
  xavier_initializer_conv2d: "tf.glorot_uniform_initializer(). uniform=False: tf.glorot_normal_initializer(), whose spread is 0.3 % less.",
};
const synonyms: Readonly<Record<string, string>> = {
  avg_pooling2d: "avg_pool2d",
  convolution: "conv2d",
  convolution1d: "conv1d",
  convolution2d: "conv2d",
  convolution2d_in_plane: "conv2d_in_plane",
  convolution2d_transpose: "conv2d_transpose",
  convolution3d: "conv3d",
  convolution3d_transpose: "conv3d_transpose",
  separable_convolution2d: "separable_conv2d",
};

const framework: Readonly<Record<string, string>> = {
  add_arg_scope: "Plain functions with default options; object spread takes the place of arg_scope: f(x, { ...shared, name }).",
  arg_scope:
    "There is no arg_scope: keep shared options in an object and spread it into each call: tf.layers.conv2d(x, n, k, { ...shared }).",
  argsort: "tf.argsort(values).",
  assert_global_step: "tf.train.assert_global_step(tensor).",
  assert_same_float_dtype: "tf.assert_same_float_dtype(tensors).",
  assert_scalar: "tf.assert_scalar(tensor).",
  assign_from_checkpoint:
    "tf.train.init_from_checkpoint(path, assignment_map) before the variables are initialized, or new tf.train.Saver(variables).restore(session, path).",
  assign_from_checkpoint_fn: "session => new tf.train.Saver(variables).restore(session, path).",
  create_global_step: "tf.train.create_global_step().",
  filter_variables: "tf.global_variables().filter(v => pattern.test(v.name)).",
  get_global_step: "tf.train.get_global_step().",
  get_local_variables: "tf.local_variables(scope).",
  get_model_variables: "tf.model_variables(scope).",
  get_name_scope: "tf.get_default_graph().get_name_scope().",
  get_or_create_global_step: "tf.train.get_or_create_global_step().",
  get_placeholders: 'tf.get_default_graph().get_operations().filter(op => op.type === "Placeholder").',
  get_trainable_variables: "tf.trainable_variables(scope).",
  get_unique_variable: "tf.get_collection(tf.GraphKeys.GLOBAL_VARIABLES, name), of which there must be one.",
  get_variables: "tf.get_collection(tf.GraphKeys.GLOBAL_VARIABLES, scope).",
  get_variables_by_name: "tf.global_variables(scope).filter(v => v.op.name.endsWith(name)).",
  get_variables_by_suffix: "tf.global_variables(scope).filter(v => v.op.name.endsWith(suffix)).",
  get_variables_to_restore: "tf.global_variables().filter(v => !exclude.some(scope => v.op.name.startsWith(scope))).",
  has_arg_scope: "There is no arg_scope.",
  init_from_checkpoint: "tf.train.init_from_checkpoint(path, assignment_map).",
  is_tensor: "tf.is_tensor(x).",
  list_variables: "tf.train.list_variables(path).",
  load_checkpoint: "tf.train.load_checkpoint(path).",
  load_variable: "tf.train.load_variable(path, name).",
  local_variable: "tf.get_local_variable(name), or tf.Variable(value, { trainable: false, collections: [tf.GraphKeys.LOCAL_VARIABLES] }).",
  model_variable: "tf.get_variable(name, shape, { collections: [tf.GraphKeys.GLOBAL_VARIABLES, tf.GraphKeys.MODEL_VARIABLES] }).",
  nest: "tf.nest, with the same names.",
  py_func: "tf.py_func(func, inp, Tout).",
  reduce_sum_n: "tf.add_n(tensors.map(t => tf.reduce_sum(t))).",
  remove_squeezable_dimensions: "tf.squeeze(x, { axis: [-1] }) where the last size is 1.",
  smart_cond: "tf.cond(pred, true_fn, false_fn); take the function itself where pred is known.",
  smart_constant_value: "tf.get_static_value(tensor).",
  sort: "tf.sort(values).",
  variable: "tf.get_variable(name, shape), with the same options.",
  with_same_shape: "tf.ensure_shape(x, shape).",
  with_shape: "tf.ensure_shape(x, shape).",
  zero_initializer: "tf.assign(ref, tf.zeros_like(ref)).",
  CriticalSection: "The function itself, in one run: runs of a session that share a variable come one after the other.",
  VariableDeviceChooser: "tf.train.replica_device_setter().",
};

const rnn: Readonly<Record<string, string>> = {
  "": "Use tf.nn.rnn_cell for cells, tf.nn.static_rnn and tf.nn.static_bidirectional_rnn for unrolling.",
  AttentionCellWrapper: `${own} It mixes what tf.nn.softmax weighs of the last attn_length states into the inputs.`,
  BasicLSTMCell: `${cells}BasicLSTMCell(num_units): forget_bias is 1 by default in both.`,
  BasicRNNCell: `${cells}BasicRNNCell(num_units).`,
  BidirectionalGridLSTMCell: own,
  CompiledWrapper: "The cell itself: every run is compiled.",
  ConvLSTMCell: `${own} Gates come from one tf.nn.conv2d of tf.concat([inputs, h], -1).`,
  Conv2DLSTMCell: `${own} Gates come from one tf.nn.conv2d of tf.concat([inputs, h], -1).`,
  CoupledInputForgetGateLSTMCell: own,
  DeviceWrapper: `${cells}DeviceWrapper(cell, device).`,
  DropoutWrapper: `${cells}DropoutWrapper(cell), with input_keep_prob, output_keep_prob and state_keep_prob.`,
  EmbeddingWrapper: "tf.nn.embedding_lookup(embeddings, ids) before the cell.",
  FusedRNNCellAdaptor: "tf.nn.dynamic_rnn(cell, inputs, { dtype, time_major: true }).",
  GRUBlockCell: `${cells}GRUCell(num_units): the same arithmetic; checkpoints name their variables otherwise.`,
  GRUBlockCellV2: `${cells}GRUCell(num_units): the same arithmetic.`,
  GRUCell: `${cells}GRUCell(num_units).`,
  GridLSTMCell: own,
  HighwayWrapper: `${own} It adds gate * output + (1 - gate) * input.`,
  IndRNNCell: own,
  InputProjectionWrapper: "tf.layers.dense(inputs, num_proj) before the cell.",
  IntersectionRNNCell: own,
  LSTMBlockCell: `${cells}BasicLSTMCell(num_units): the same weights and numbers without peepholes; with use_peephole tf.nn.rnn_cell.LSTMCell(num_units, { use_peepholes: true }).`,
  LSTMBlockFusedCell: "tf.nn.dynamic_rnn(tf.nn.rnn_cell.BasicLSTMCell(num_units), inputs, { time_major: true, dtype }), the same weights.",
  LSTMBlockWrapper: "tf.nn.dynamic_rnn(cell, inputs, { time_major: true, dtype }).",
  LSTMCell: `${cells}LSTMCell(num_units), with the same options.`,
  LSTMStateTuple: `${cells}LSTMStateTuple(c, h).`,
  LayerNormBasicLSTMCell: `${own} Each gate is normalized over its last axis before its activation.`,
  LayerNormLSTMCell: own,
  LayerRNNCell: `${cells}RNNCell.`,
  MultiRNNCell: `${cells}MultiRNNCell(cells).`,
  NASCell: own,
  NLSTMCell: own,
  OutputProjectionWrapper: "tf.layers.dense(outputs, output_size) behind the cell.",
  PhasedLSTMCell: own,
  RNNCell: `${cells}RNNCell.`,
  ResidualWrapper: `${cells}ResidualWrapper(cell).`,
  SRUCell: own,
  TimeFreqLSTMCell: own,
  TimeReversedFusedRNN: "tf.reverse_sequence(x, lengths, { seq_axis: 0, batch_axis: 1 }) before and behind.",
  UGRNNCell: own,
  best_effort_input_batch_size: "tf.shape(inputs)[1] for time-major inputs.",
  stack_bidirectional_dynamic_rnn:
    "A loop: const [outputs, states] = tf.nn.bidirectional_dynamic_rnn(cell_fw, cell_bw, x, { dtype }); x = tf.concat(outputs, 2), in a variable scope of its own each.",
  stack_bidirectional_rnn: "A loop over tf.nn.static_bidirectional_rnn(cell_fw, cell_bw, inputs, { dtype }).",
  static_bidirectional_rnn: "tf.nn.static_bidirectional_rnn(cell_fw, cell_bw, inputs, { dtype }).",
  static_rnn: "tf.nn.static_rnn(cell, inputs, { dtype }).",
  static_state_saving_rnn: "tf.nn.static_state_saving_rnn(cell, inputs, state_saver, state_name).",
  transpose_batch_time: "tf.transpose(x, [1, 0, 2]).",
};

const seq2seq: Readonly<Record<string, string>> = {
  "": decoders,
  AttentionWrapper: `${own} With ${attention}`,
  BahdanauAttention:
    "Scores are tf.reduce_sum(v * tf.tanh(tf.layers.dense(memory, n) + tf.expand_dims(tf.layers.dense(query, n), 1)), [2]); weights by tf.nn.softmax.",
  BahdanauMonotonicAttention:
    "Scores as for BahdanauAttention, probabilities by tf.sigmoid and tf.cumprod(1 - p, { axis: 1, exclusive: true }).",
  BasicDecoder: decoders,
  BasicDecoderOutput: decoders,
  BeamSearchDecoder: `${decoders} Of scores of shape [batch, beam * words] tf.nn.top_k(scores, { k: beam }) takes the best; tf.gather_nd the states.`,
  CustomHelper: decoders,
  FinalBeamSearchDecoderOutput: decoders,
  GreedyEmbeddingHelper: `${decoders} The next input is tf.nn.embedding_lookup(embeddings, tf.argmax(logits, { axis: -1 })).`,
  InferenceHelper: decoders,
  LuongAttention: `Multiplicative attention: ${attention} scale=True multiplies by a variable.`,
  LuongMonotonicAttention: "Scores as for LuongAttention, probabilities by tf.sigmoid and tf.cumprod(1 - p, { axis: 1, exclusive: true }).",
  SampleEmbeddingHelper: `${decoders} The next input is tf.nn.embedding_lookup(embeddings, tf.squeeze(tf.multinomial(logits, 1), [1])).`,
  ScheduledEmbeddingTrainingHelper: `${decoders} Between the given and the sampled input tf.where chooses.`,
  ScheduledOutputTrainingHelper: `${decoders} Between the given input and the output tf.where chooses.`,
  TrainingHelper: "tf.nn.dynamic_rnn(cell, inputs, { sequence_length, initial_state }), then tf.layers.dense(outputs, n) for the logits.",
  dynamic_decode: decoders,
  gather_tree: "Follow parent_ids backwards from the last step, on arrays of a run.",
  monotonic_attention: "p * tf.cumprod(1 - p, { axis: 1, exclusive: true }), with tf.cumsum for what is before.",
  safe_cumprod: "tf.exp(tf.cumsum(tf.log(tf.clip_by_value(x, tiny, 1)), { axis, exclusive })).",
  sequence_loss:
    "const losses = tf.nn.sparse_softmax_cross_entropy_with_logits({ labels: targets, logits }); tf.div(tf.reduce_sum(tf.multiply(losses, weights)), tf.add(tf.reduce_sum(weights), 1e-12)), which is the default of averaging over time steps and batch.",
  tile_batch: "tf.repeat(t, multiplier, { axis: 0 }) for each tensor of the state.",
};

const legacySeq2seq: Readonly<Record<string, string>> = {
  "": "tf.nn.static_rnn, and a loop over cell(input, state) for decoders.",
  attention_decoder: `A loop over cell(input, state) in a variable scope that is reused, with ${attention}`,
  basic_rnn_seq2seq:
    "const [, state] = tf.nn.static_rnn(cell, encoder_inputs, { dtype: tf.float32 }), then a loop over cell(input, state) for the decoder.",
  embedding_attention_seq2seq: `tf.nn.embedding_lookup and tf.nn.static_rnn for the encoder; a loop over cell(input, state) with ${attention}`,
  embedding_rnn_decoder: "tf.nn.embedding_lookup(embeddings, ids) before a loop over cell(input, state).",
  embedding_rnn_seq2seq: "tf.nn.embedding_lookup and tf.nn.static_rnn for the encoder, a loop over cell(input, state) for the decoder.",
  embedding_tied_rnn_seq2seq: "One tf.get_variable of embeddings for both sides, then as embedding_rnn_seq2seq.",
  model_with_buckets: "One graph with placeholders of open sizes: runs compile once for each shape.",
  rnn_decoder:
    'A loop in tf.variable_scope("rnn_decoder"): for (const [i, input] of inputs.entries()) { if (i > 0) tf.get_variable_scope().reuse_variables(); [output, state] = cell(loop_function && i > 0 ? loop_function(output, i) : input, state) }.',
  sequence_loss:
    "tf.div(tf.reduce_sum(sequence_loss_by_example(…)), batch_size), by example: tf.nn.sparse_softmax_cross_entropy_with_logits({ labels, logits }) of each step times its weights, summed, over the sum of weights plus 1e-12.",
  sequence_loss_by_example:
    "tf.div(tf.add_n(logits.map((l, i) => tf.multiply(tf.nn.sparse_softmax_cross_entropy_with_logits({ labels: targets[i], logits: l }), weights[i]))), tf.add(tf.add_n(weights), 1e-12)).",
  tied_rnn_seq2seq: "tf.nn.static_rnn in a variable scope, and a loop over the same cell with reuse.",
};

const training: Readonly<Record<string, string>> = {
  "": "Use tf.train.",
  HParams: "A plain object: const hparams = { learning_rate: 0.1 }.",
  add_gradients_summaries: "tf.summary.histogram(name, gradient) for each pair of compute_gradients.",
  batch_sequences_with_states: "tf.nn.dynamic_rnn with states kept in variables.",
  bucket: "tf.data.experimental.bucket_by_sequence_length(element_length_func, bucket_boundaries, bucket_batch_sizes).",
  bucket_by_sequence_length: "tf.data.experimental.bucket_by_sequence_length(element_length_func, bucket_boundaries, bucket_batch_sizes).",
  checkpoints_iterator: "tf.train.checkpoints_iterator(checkpoint_dir).",
  clip_gradient_norms: "gradients.map(([g, v]) => [tf.clip_by_norm(g, max_norm), v]).",
  create_train_op: "optimizer.minimize(loss, { global_step }), with tf.get_collection(tf.GraphKeys.UPDATE_OPS) as control dependencies.",
  evaluate_once: "tf.train.MonitoredSession with a checkpoint_filename_with_path and a loop.",
  evaluate_repeatedly: "A loop over tf.train.checkpoints_iterator(checkpoint_dir).",
  get_or_create_eval_step: 'tf.get_local_variable("eval_step", { shape: [], dtype: tf.int64, initializer: tf.zeros_initializer() }).',
  multiply_gradients: "gradients.map(([g, v]) => [tf.multiply(g, factor), v]).",
  prepare_batch: "tf.train.batch(tensors, batch_size).",
  rejection_sample: "tf.data.experimental.rejection_resample(class_func, target_dist).",
  resample_at_rate: "tf.data.Dataset with repeat and filter.",
  stratified_sample: "tf.data.experimental.rejection_resample(class_func, target_dist).",
  train: "tf.train.MonitoredTrainingSession and a loop.",
  wait_for_new_checkpoint: "tf.train.latest_checkpoint(checkpoint_dir), asked again after a while.",
};

const optimizers = "Subclass tf.train.Optimizer: _apply_dense, _apply_sparse and slots are as in Python.";
const opt: Readonly<Record<string, string>> = {
  "": "Use tf.train, which has TensorFlow's own optimizers.",
  AdaMaxOptimizer: "tf.raw_ops.ApplyAdaMax does the step; around it: " + optimizers,
  AdamWOptimizer:
    "tf.train.AdamOptimizer(learning_rate), with tf.assign_sub(v, tf.multiply(v, weight_decay)) for each variable, run in the same step before the update.",
  AddSignOptimizer: "tf.raw_ops.ApplyAddSign does the step; around it: " + optimizers,
  DropStaleGradientOptimizer: optimizers,
  ElasticAverageOptimizer: optimizers,
  ExternalOptimizerInterface: "tf.gradients(loss, variables), fetched, and a loop of your own around session.run.",
  GGTOptimizer: optimizers,
  LARSOptimizer: `tf.train.MomentumOptimizer with gradients times tf.norm(v) / (tf.norm(g) + weight_decay * tf.norm(v)); around it: ${optimizers}`,
  LazyAdamOptimizer:
    "tf.train.AdamOptimizer(learning_rate): the same numbers for dense gradients; for sparse ones the core's also moves rows that are not in a step.",
  ModelAverageOptimizer: optimizers,
  MomentumWOptimizer:
    "tf.train.MomentumOptimizer(learning_rate, momentum), with tf.assign_sub(v, tf.multiply(v, weight_decay)) in the same step.",
  MovingAverageOptimizer:
    "tf.train.ExponentialMovingAverage(decay).apply(variables) behind the train op; saving with averages: new tf.train.Saver(ema.variables_to_restore()).",
  MultitaskOptimizerWrapper: optimizers,
  NadamOptimizer: "tf.raw_ops.ApplyAdam({ …, use_nesterov: true }) does the step; around it: " + optimizers,
  PowerSignOptimizer: "tf.raw_ops.ApplyPowerSign does the step; around it: " + optimizers,
  RegAdagradOptimizer: "tf.train.AdagradOptimizer(learning_rate), with regularization terms left out of the accumulated gradients.",
  ScipyOptimizerInterface:
    "Fetch loss and tf.gradients(loss, variables) with session.run, and give both to a minimizer of your own; variables take values by v.load(value, session).",
  ShampooOptimizer: optimizers,
  VariableClippingOptimizer: "tf.assign(v, tf.clip_by_norm(v, max_norm, { axes })) behind the train op.",
  extend_with_decoupled_weight_decay:
    "tf.assign_sub(v, tf.multiply(v, weight_decay)) for each variable, run in the same step before the update.",
};

const metrics: Readonly<Record<string, string>> = {
  "": "Use tf.metrics, where labels come first and streaming_ is left out.",
  accuracy: 'tf.reduce_mean(tf.cast(tf.equal(predictions, labels), "float32")).',
  aggregate_metric_map: "An object of [value, update] pairs: Object.entries.",
  aggregate_metrics: "pairs.map(([value]) => value) and pairs.map(([, update]) => update).",
  confusion_matrix: "tf.math.confusion_matrix(labels, predictions).",
  f1_score:
    "2 * precision * recall / (precision + recall) of tf.metrics.precision(labels, predictions) and tf.metrics.recall(labels, predictions).",
  set_difference: "tf.sets.difference(a, b).",
  set_intersection: "tf.sets.intersection(a, b).",
  set_size: "tf.sets.size(a).",
  set_union: "tf.sets.union(a, b).",
  streaming_accuracy: `tf.metrics.accuracy(labels, predictions). ${flipped}`,
  streaming_auc: `tf.metrics.auc(labels, predictions). ${flipped}`,
  streaming_concat: "A variable of your own and tf.concat.",
  streaming_false_negatives: `tf.metrics.false_negatives(labels, predictions). ${flipped}`,
  streaming_false_positives: `tf.metrics.false_positives(labels, predictions). ${flipped}`,
  streaming_mean: "tf.metrics.mean(values, { weights }).",
  streaming_mean_absolute_error: `tf.metrics.mean_absolute_error(labels, predictions). ${flipped}`,
  streaming_mean_cosine_distance: `tf.metrics.mean_cosine_distance(labels, predictions, dim). ${flipped}`,
  streaming_mean_iou: `tf.metrics.mean_iou(labels, predictions, num_classes). ${flipped}`,
  streaming_mean_relative_error: `tf.metrics.mean_relative_error(labels, predictions, normalizer). ${flipped}`,
  streaming_mean_squared_error: `tf.metrics.mean_squared_error(labels, predictions). ${flipped}`,
  streaming_mean_tensor: "tf.metrics.mean_tensor(values, { weights }).",
  streaming_percentage_less: "tf.metrics.percentage_below(values, threshold).",
  streaming_precision: `tf.metrics.precision(labels, predictions). ${flipped}`,
  streaming_precision_at_thresholds: `tf.metrics.precision_at_thresholds(labels, predictions, thresholds). ${flipped}`,
  streaming_recall: `tf.metrics.recall(labels, predictions). ${flipped}`,
  streaming_recall_at_k: `tf.metrics.recall_at_k(labels, predictions, k). ${flipped}`,
  streaming_recall_at_thresholds: `tf.metrics.recall_at_thresholds(labels, predictions, thresholds). ${flipped}`,
  streaming_root_mean_squared_error: `tf.metrics.root_mean_squared_error(labels, predictions). ${flipped}`,
  streaming_sensitivity_at_specificity: `tf.metrics.sensitivity_at_specificity(labels, predictions, specificity). ${flipped}`,
  streaming_sparse_average_precision_at_k: `tf.metrics.average_precision_at_k(labels, predictions, k). ${flipped}`,
  streaming_sparse_precision_at_k: `tf.metrics.precision_at_k(labels, predictions, k). ${flipped}`,
  streaming_sparse_recall_at_k: `tf.metrics.recall_at_k(labels, predictions, k). ${flipped}`,
  streaming_specificity_at_sensitivity: `tf.metrics.specificity_at_sensitivity(labels, predictions, sensitivity). ${flipped}`,
  streaming_true_negatives: `tf.metrics.true_negatives(labels, predictions). ${flipped}`,
  streaming_true_positives: `tf.metrics.true_positives(labels, predictions). ${flipped}`,
};

const losses: Readonly<Record<string, string>> = {
  "": "Use tf.losses, where labels come first.",
  absolute_difference: `tf.losses.absolute_difference(labels, predictions). ${flipped}`,
  add_loss: "tf.losses.add_loss(loss).",
  compute_weighted_loss: "tf.losses.compute_weighted_loss(losses, { weights }).",
  cosine_distance: `tf.losses.cosine_distance(labels, predictions, { axis: dim }). ${flipped}`,
  get_losses: "tf.losses.get_losses(scope).",
  get_regularization_losses: "tf.losses.get_regularization_losses(scope).",
  get_total_loss: "tf.losses.get_total_loss().",
  hinge_loss: `tf.losses.hinge_loss(labels, logits). ${flipped}`,
  log_loss: `tf.losses.log_loss(labels, predictions). ${flipped}`,
  mean_pairwise_squared_error: `tf.losses.mean_pairwise_squared_error(labels, predictions). ${flipped}`,
  mean_squared_error: `tf.losses.mean_squared_error(labels, predictions). ${flipped}`,
  "metric_learning.contrastive_loss":
    "tf.reduce_mean(y * tf.square(d) + (1 - y) * tf.square(tf.maximum(margin - d, 0))) with d = tf.norm(a - b, { axis: 1 }).",
  "metric_learning.triplet_semihard_loss": "Distances of all pairs by tf.matmul, then masked tf.reduce_min and tf.reduce_max.",
  sigmoid_cross_entropy: `tf.losses.sigmoid_cross_entropy(labels, logits). ${flipped}`,
  softmax_cross_entropy: `tf.losses.softmax_cross_entropy(onehot_labels, logits). ${flipped}`,
  sparse_softmax_cross_entropy: `tf.losses.sparse_softmax_cross_entropy(labels, logits). ${flipped}`,
  sum_of_pairwise_squares: `tf.losses.mean_pairwise_squared_error(labels, predictions). ${flipped}`,
  sum_of_squares: `tf.losses.mean_squared_error(labels, predictions). ${flipped}`,
};

const lookup: Readonly<Record<string, string>> = {
  "": "Use tf.lookup.",
  HashTable: "tf.lookup.StaticHashTable(initializer, default_value).",
  IdTableWithHashBuckets: "tf.lookup.StaticVocabularyTable(initializer, num_oov_buckets).",
  KeyValueTensorInitializer: "tf.lookup.KeyValueTensorInitializer(keys, values).",
  MutableDenseHashTable: "tf.lookup.experimental.DenseHashTable(key_dtype, value_dtype, default_value, empty_key, deleted_key).",
  MutableHashTable: "tf.lookup.experimental.MutableHashTable(key_dtype, value_dtype, default_value).",
  TextFileIdTableInitializer:
    'tf.lookup.TextFileInitializer(filename, "string", tf.lookup.TextFileIndex.WHOLE_LINE, "int64", tf.lookup.TextFileIndex.LINE_NUMBER).',
  TextFileIndex: "tf.lookup.TextFileIndex.",
  TextFileInitializer: "tf.lookup.TextFileInitializer(filename, key_dtype, key_index, value_dtype, value_index).",
  TextFileStringTableInitializer:
    'tf.lookup.TextFileInitializer(filename, "int64", tf.lookup.TextFileIndex.LINE_NUMBER, "string", tf.lookup.TextFileIndex.WHOLE_LINE).',
  index_table_from_file:
    'tf.lookup.StaticVocabularyTable(tf.lookup.TextFileInitializer(file, "string", tf.lookup.TextFileIndex.WHOLE_LINE, "int64", tf.lookup.TextFileIndex.LINE_NUMBER), num_oov_buckets), or tf.lookup.StaticHashTable(initializer, default_value) without buckets.',
  index_table_from_tensor:
    'tf.lookup.StaticVocabularyTable(tf.lookup.KeyValueTensorInitializer(words, ids, { value_dtype: "int64" }), num_oov_buckets), or tf.lookup.StaticHashTable(initializer, default_value) without buckets.',
  index_to_string: "tf.gather(words, ids).",
  index_to_string_table_from_file:
    'tf.lookup.StaticHashTable(tf.lookup.TextFileInitializer(file, "int64", tf.lookup.TextFileIndex.LINE_NUMBER, "string", tf.lookup.TextFileIndex.WHOLE_LINE), default_value): contrib\'s default is "UNK".',
  index_to_string_table_from_tensor:
    'tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(ids, words, { key_dtype: "int64" }), default_value): contrib\'s default is "UNK".',
  string_to_index:
    'tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(words, ids, { value_dtype: "int64" }), -1).lookup(tensor).',
  string_to_index_table_from_file: "As index_table_from_file: tf.lookup.StaticVocabularyTable(initializer, num_oov_buckets).",
  string_to_index_table_from_tensor: "As index_table_from_tensor: tf.lookup.StaticVocabularyTable(initializer, num_oov_buckets).",
};

const warp = 'tf.raw_ops.ImageProjectiveTransformV3({ images, transforms, output_shape, fill_value: 0, interpolation: "NEAREST" })';
const image: Readonly<Record<string, string>> = {
  "": "Use tf.image.",
  adjust_hsv_in_yiq: "tf.image.rgb_to_yiq(images), rotate and scale the last two channels, tf.image.yiq_to_rgb(images).",
  angles_to_projective_transforms:
    "For each angle a the eight numbers [cos a, -sin a, ((w - 1) - (cos a * (w - 1) - sin a * (h - 1))) / 2, sin a, cos a, ((h - 1) - (sin a * (w - 1) + cos a * (h - 1))) / 2, 0, 0].",
  bipartite_match: "There is no such op; tf.py_func(func, inp, Tout) can match on the host.",
  compose_transforms: "Products of 3x3 matrices by tf.matmul(a, b).",
  connected_components: "There is no such op; tf.py_func(func, inp, Tout) can find them on the host.",
  dense_image_warp: "Sample at tf.subtract(grid, flow) by tf.gather_nd and bilinear weights.",
  flat_transforms_to_matrices: "tf.reshape(tf.concat([transforms, tf.ones([n, 1])], 1), [n, 3, 3]).",
  matrices_to_flat_transforms: "tf.reshape(matrices, [n, 9])[:, :8] after dividing by the last element.",
  random_hsv_in_yiq: "tf.image.random_hue(image, max_delta) and tf.image.random_saturation(image, lower, upper): near, in another space.",
  rotate: `${warp}, with the transforms of the angles (see angles_to_projective_transforms); tf.image.rot90(image) for quarter turns.`,
  transform: `${warp}.`,
  translate: `${warp}, with transforms [1, 0, -dx, 0, 1, -dy, 0, 0].`,
};

const data: Readonly<Record<string, string>> = {
  "": "Use tf.data, with tf.data.experimental.",
  Dataset: "tf.data.Dataset.",
  FixedLengthRecordDataset: "tf.data.FixedLengthRecordDataset(filenames, record_bytes).",
  Iterator: "tf.data.Iterator.",
  TFRecordDataset: "tf.data.TFRecordDataset(filenames).",
  TextLineDataset: "tf.data.TextLineDataset(filenames).",
  assert_element_shape: "tf.ensure_shape(x, shape) in Dataset.map.",
  batch_and_drop_remainder: "dataset.batch(batch_size, { drop_remainder: true }).",
  padded_batch_and_drop_remainder: "dataset.padded_batch(batch_size, padded_shapes, { drop_remainder: true }).",
  read_batch_features: "tf.data.experimental.make_batched_features_dataset(file_pattern, batch_size, features).",
  reduce_dataset: "dataset.reduce(initial_state, reduce_func).",
  rejection_resample: "tf.data.experimental.rejection_resample(class_func, target_dist, { initial_dist }).",
  sliding_window_batch: "dataset.window(size, { shift, drop_remainder: true }).flat_map(window => window.batch(size)).",
};

const slim: Readonly<Record<string, string>> = {
  "": "Use tf.layers; an object of shared options, spread into each call, takes the place of arg_scope.",
  data_decoder: "tf.parse_single_example and tf.image.decode_image in Dataset.map.",
  "dataset.Dataset": "tf.data.Dataset.",
  "dataset_data_provider.DatasetDataProvider": "tf.data.TFRecordDataset(filenames), mapped, shuffled and repeated.",
  evaluation: "tf.train.MonitoredSession and tf.metrics.",
  "learning.create_train_op": training.create_train_op,
  "learning.train": "tf.train.MonitoredTrainingSession and a loop over its run(train_op).",
  metrics: "Use tf.metrics: [value, update] pairs, labels first.",
  nets: "Import a frozen graph or SavedModel of the net: tf.import_graph_def(graph_def) or tf.saved_model.load(session, tags, export_dir).",
  parallel_reader: "tf.data.TFRecordDataset(filenames, { num_parallel_reads }).",
  tfexample_decoder: "tf.parse_single_example(serialized, features) and tf.image.decode_image(contents) in Dataset.map.",
  variable: framework.variable,
};

const others: Readonly<Record<string, string>> = {
  "": "tf.contrib ended with TensorFlow 1.15. docs/from-tensorflow.md lists what in the core does the same.",
  autograph: "Functions are traced as they are: use tf.cond and tf.while_loop.",
  "batching.batch_function": "The function itself: a run is a batch.",
  checkpoint: "Use tf.train.Saver.",
  cluster_resolver: "tf.train.ClusterSpec(cluster), and a Session with the address of a server.",
  "compiler.jit.experimental_jit_scope": "Nothing is needed: every run is compiled.",
  crf: "There is no crf. The log-likelihood is the score of the tags (tf.gather_nd of unary and transition scores, tf.reduce_sum) minus the forward algorithm's norm: tf.scan with tf.reduce_logsumexp(tf.expand_dims(alpha, 2) + transitions, [1]); decoding takes tf.reduce_max and tf.argmax in its stead.",
  "crf.crf_log_likelihood":
    "Score of the tags minus the norm: scores by tf.gather_nd and tf.reduce_sum over tf.sequence_mask(sequence_lengths); the norm by tf.scan of tf.reduce_logsumexp(tf.expand_dims(alpha, 2) + transition_params, [1]).",
  "crf.crf_decode": "tf.scan of tf.reduce_max(tf.expand_dims(trellis, 2) + transition_params, [1]), with tf.argmax for the way back.",
  "crf.viterbi_decode": "On arrays of a run: a loop over the scores in JavaScript.",
  cudnn_rnn: "tf.nn.dynamic_rnn with cells of tf.nn.rnn_cell: BasicLSTMCell(num_units, { forget_bias: 0 }) has CudnnLSTM's arithmetic.",
  distribute: "One process trains here; tf.train.replica_device_setter() places variables for a cluster.",
  distributions:
    "Use tf.distributions: Normal, Bernoulli, Categorical, Beta, Gamma, Dirichlet, Laplace, Multinomial, StudentT, Uniform, Exponential.",
  "distributions.MultivariateNormalDiag":
    "tf.distributions.Normal(loc, scale_diag), with tf.reduce_sum of log_prob, entropy and kl_divergence over the last axis.",
  eager: "There is no eager mode: this is the graph API.",
  estimator: "Use tf.layers, tf.train.MonitoredTrainingSession and a loop.",
  "factorization.KMeansClustering": "tf.argmin of distances and tf.math.unsorted_segment_mean(points, ids, k), in a loop.",
  "feature_column.sequence_input_layer": "tf.nn.embedding_lookup of the ids of tf.feature_column's sequence columns.",
  gan: "Two tf.variable_scope, a loss each and minimize(loss, { var_list }).",
  graph_editor: "tf.graph_util.extract_sub_graph(graph_def, dest_nodes) and tf.import_graph_def(graph_def, { input_map }).",
  "hooks.ProfilerHook": "tf.RunOptions({ trace_level: tf.RunOptions.FULL_TRACE }) in the run that is to be measured.",
  input_pipeline: "Use tf.data.",
  "integrate.odeint": "A Runge-Kutta step of your own in tf.while_loop.",
  keras: "Use tf.layers.",
  learn: "Use tf.layers, tf.metrics, tf.train.MonitoredTrainingSession and a loop.",
  "learn.ModeKeys": 'Strings of your own: "train", "eval", "infer".',
  "learn.datasets": "Read the files: examples/mnist does so for MNIST.",
  "learn.preprocessing.VocabularyProcessor":
    "tf.string_split(source), tf.lookup.StaticVocabularyTable(initializer, num_oov_buckets) and padding.",
  "learn.run_config.RunConfig": "A plain object.",
  "legacy_seq2seq.sequence_loss": legacySeq2seq.sequence_loss,
  linalg: "Use tf.linalg, which has the LinearOperators.",
  "memory_stats.BytesInUse": "session.explain(fetches) tells the arena's size.",
  "memory_stats.MaxBytesInUse": "session.explain(fetches) tells the arena's size.",
  mixed_precision:
    "tf.cast to float16 where it pays; multiply the loss by a scale before compute_gradients and divide the gradients by it.",
  model_pruning: "A mask variable that multiplies the weights: tf.multiply(weights, mask).",
  nccl: "There is one device: tf.add_n(tensors).",
  "nn.alpha_dropout": "tf.nn.dropout(x, { rate }), then a * x + b with SELU's constants.",
  "nn.conv1d_transpose": "tf.nn.conv1d_transpose(input, filters, output_shape, strides).",
  "nn.deprecated_flipped_sigmoid_cross_entropy_with_logits": "tf.nn.sigmoid_cross_entropy_with_logits({ labels, logits }).",
  "nn.deprecated_flipped_softmax_cross_entropy_with_logits": "tf.nn.softmax_cross_entropy_with_logits({ labels, logits }).",
  "nn.deprecated_flipped_sparse_softmax_cross_entropy_with_logits": "tf.nn.sparse_softmax_cross_entropy_with_logits({ labels, logits }).",
  "nn.sampled_sparse_softmax_loss": "tf.nn.sampled_softmax_loss(weights, biases, labels, inputs, num_sampled, num_classes).",
  "nn.scaled_softplus": "tf.multiply(alpha, tf.nn.softplus(tf.div(x, alpha))), clipped.",
  "opt.python.training": "Use tf.train.",
  periodic_resample: "tf.nn.depth_to_space(input, block_size) in its common case.",
  "predictor.from_saved_model": "tf.saved_model.load(session, tags, export_dir), then session.run of the signature's tensors.",
  quantize: "tf.quantization.fake_quant_with_min_max_vars(inputs, min, max) where the graph is to be quantized.",
  "resampler.resampler": "tf.gather_nd at the four neighbours, with bilinear weights.",
  saved_model: "Use tf.saved_model.",
  session_bundle: "Use tf.saved_model.",
  signal:
    "Use tf.signal, with the same names: stft, inverse_stft, frame, overlap_and_add, mfccs_from_log_mel_spectrograms, linear_to_mel_weight_matrix.",
  "solvers.linear_equations.conjugate_gradient": "tf.linalg.experimental.conjugate_gradient(operator, rhs).",
  "sparsemax.sparsemax": "tf.nn.top_k of all logits, tf.cumsum, the support where 1 + k * z > cumsum, tf.maximum(logits - tau, 0).",
  specs: "Use tf.layers.",
  "staging.StagingArea": "tf.raw_ops.Stage and tf.raw_ops.Unstage.",
  stateless: "Use tf.random: stateless_uniform, stateless_normal, stateless_truncated_normal, stateless_multinomial.",
  "stateless.stateless_multinomial": "tf.random.stateless_multinomial(logits, num_samples, seed).",
  "stateless.stateless_random_normal": "tf.random.stateless_normal(shape, seed).",
  "stateless.stateless_random_uniform": "tf.random.stateless_uniform(shape, seed).",
  "stateless.stateless_truncated_normal": "tf.random.stateless_truncated_normal(shape, seed).",
  summary: "Use tf.summary: scalar, histogram, image, merge_all and FileWriter.",
  tensor_forest: "There are no forests here.",
  "tensorboard.plugins.projector":
    'Write projector_config.pbtxt beside the events: embeddings { tensor_name: "name" metadata_path: "file" }.',
  tensorrt: "There is one device, this processor: tf.Session runs the graph.",
  "text.skip_gram_sample": "Pairs of a window in JavaScript, or tf.data.Dataset.from_generator(generator, output_types).",
  tfprof: "tf.RunOptions({ trace_level: tf.RunOptions.FULL_TRACE }) and RunMetadata.",
  timeseries: "Use tf.nn.dynamic_rnn and tf.layers.",
  tpu: "There are no TPUs here; tf.train has the optimizers.",
  "tpu.CrossShardOptimizer": "The optimizer itself: there is one device.",
  "util.constant_value": "tf.get_static_value(tensor).",
  "util.make_ndarray": "tf.make_ndarray(tensor).",
  "util.make_tensor_proto": "tf.make_tensor_proto(values).",
};

const nested = (namespace: string, rows: Readonly<Record<string, string>>): [string, string][] =>
  Object.entries(rows).map(([name, text]) => [name === "" ? namespace : namespace === "" ? name : `${namespace}.${name}`, text]);

/** By the names behind `tf.contrib.`; "" for all of it. */
export function contribAdvice(): ReadonlyMap<string, string> {
  const withSynonyms = { ...layers, ...Object.fromEntries(Object.entries(synonyms).map(([name, of]) => [name, layers[of]])) };
  return new Map([
    ...nested("", others),
    ...nested("layers", withSynonyms),
    ...nested("framework", framework),
    ...nested("rnn", rnn),
    ...nested("seq2seq", seq2seq),
    ...nested("legacy_seq2seq", legacySeq2seq),
    ...nested("training", training),
    ...nested("opt", opt),
    ...nested("metrics", metrics),
    ...nested("losses", losses),
    ...nested("lookup", lookup),
    ...nested("image", image),
    ...nested("data", data),
    // slim has the layers, losses and what tf.contrib.framework has, under its own roof.
    ...nested("slim", { ...framework, ...withSynonyms, ...slim }),
    ...nested("slim.losses", losses),
  ]);
}
