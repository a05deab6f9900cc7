// What classes of TensorFlow's have and ours have not, with what to do instead. The door answers with it, docs/support.md shows it, and
// test/parity/class-members.test.ts holds it to TensorFlow's own list: a member that comes is taken off here.

interface Missing {
  /** The classes, by their public names or by how an object of them is had; a pattern for many of a kind. */
  readonly of: RegExp;
  readonly members: string;
  /** What to do. */
  readonly instead: string;
}

export const missingMembers: readonly Missing[] = [
  {
    of: /(?:)/,
    members: "DESCRIPTOR ClearExtension HasExtension Extensions UnknownFields",
    instead: "Messages here have neither descriptors nor extensions: ListFields() tells the fields that are set.",
  },
  {
    of: /(?:)/,
    members: "AttrEntry CollectionDefEntry DeviceCountEntry FeatureEntry FeatureListEntry SignatureDefEntry TasksEntry",
    instead: "A map in a message is a Map: set(key, value), get(key).",
  },
  {
    of: /^(ConfigProto|GraphOptions|GPUOptions|OptimizerOptions)$/,
    members:
      "ByteSize DiscardUnknownFields Experimental FindInitializationErrors FromString ListFields MergeFromString ParseFromString SerializePartialToString SerializeToString SetInParent WhichOneof pluggable_device_options",
    instead: "Settings of a session are an object here that `tf.Session` reads, and have no bytes: set its fields.",
  },
  {
    of: /^(GraphDef|RunMetadata|RunOptions|train.ServerDef|TensorInfo)$/,
    members:
      "debug_info FunctionGraphs cost_graph function_graphs session_metadata Experimental debug_options experimental cluster_device_filters default_session_config CompositeTensor",
    instead: "Nobody reads this field here; a message that holds it is read without it.",
  },
  {
    of: /get_checkpoint_state|generate_checkpoint_state_proto/,
    members: "FromString",
    instead: "ParseFromString fills the message with what the bytes hold.",
  },
  {
    of: /^(DType|TensorShape|TypeSpec|TensorSpec|SparseTensorSpec|RaggedTensorSpec|OptionalSpec|IndexedSlicesSpec|TensorArraySpec|NoneTensorSpec|data.DatasetSpec)$/,
    members:
      "cast experimental_as_proto experimental_from_proto experimental_type_proto flatten from_tensors is_subtype_of most_specific_common_supertype most_specific_compatible_shape most_specific_compatible_type placeholder_value to_tensors value_type from_value flat_values_spec",
    instead: "It serves the tracing of TensorFlow 2's functions: compare with is_compatible_with, or read dtype and shape.",
  },
  {
    of: /^Graph$/,
    members: "switch_to_thread_local Dismantle",
    instead: "There is one thread of JavaScript, so every stack of a graph is that thread's; graphs are collected like any object.",
  },
  {
    of: /^Graph$/,
    members: "get new_operations operations",
    instead: "graph.get_operations() lists them, graph.get_operation_by_name(name) finds one.",
  },
  {
    of: /^Operation$/,
    members: "experimental_set_type from_node_def",
    instead: "Operations are made by functions, by graph.create_op(type, inputs), or by tf.import_graph_def.",
  },
  { of: /^Operation$/, members: "traceback", instead: "`String(op.location)` is the line that made it; errors name it, too." },
  {
    of: /Tensor$|Variable|get_variable\(/,
    members: "experimental_ref ref",
    instead: "JavaScript's Map and Set take tensors and variables themselves: new Map([[tensor, value]]).",
  },
  { of: /^Tensor$/, members: "OVERLOADABLE_OPERATORS", instead: "Operators are methods: x.add(y), x.matmul(y), x.at(0)." },
  {
    of: /Variable|get_variable\(/,
    members: "SaveSliceInfo from_proto",
    instead: "They stand by the class: tf.Variable.SaveSliceInfo, tf.Variable.from_proto(message).",
  },
  {
    of: /Variable|RaggedTensor|get_variable\(/,
    members: "numpy",
    instead: "A value is had by a run: await session.run(x), or await x.eval().",
  },
  { of: /^RaggedTensor$/, members: "to_list", instead: "The value of a run has it: (await session.run(ragged)).to_list()." },
  {
    of: /^VariableScope$/,
    members: "get_variable",
    instead: "tf.variable_scope(scope, () => tf.get_variable(name, shape)) makes a variable in it.",
  },
  {
    of: /Dataset/,
    members: "fingerprint snapshot",
    instead: "They are made of a hash of the pipeline as TensorFlow's runtime has it: save(path) and cache(filename) keep elements.",
  },
  {
    of: /Dataset/,
    members:
      "choose_from_datasets counter from_generator from_sparse_tensor_slices from_tensor_slices from_tensors list_files load random range sample_from_datasets zip",
    instead: "It makes a dataset of its own: call it on tf.data.Dataset.",
  },
  {
    of: /feature_column|Column/,
    members:
      "IdWeightPair TensorSequenceLengthPair create_state from_config get_config get_dense_tensor get_sequence_dense_tensor get_sparse_tensors transform_feature parents source_column hash_bucket_size ckpt_to_load_from combiner initializer max_norm tensor_name_in_ckpt trainable use_safe_embedding_lookup default_value normalizer_fn",
    instead: "Columns are read by tf.feature_column.input_layer, linear_model and make_parse_example_spec, which make their nodes.",
  },
  {
    of: /^function/,
    members:
      "experimental_get_compiler_ir experimental_get_tracing_count function_spec function_type get_concrete_function get_initialization_function input_signature pretty_printed_concrete_signatures python_function",
    instead: "Call it with tensors of the wanted type and shape: the node's function then stands in graph.as_graph_def().library.",
  },
  {
    of: /GFile$/,
    members: "next",
    instead: "`for await (const line of file)` reads line by line; readline() gives an empty text at the end.",
  },
  {
    of: /^layers\.|rnn_cell|Layer$|Cell$|Wrapper$/,
    members:
      "input input_mask input_shape output output_mask output_shape get_input_at get_input_mask_at get_input_shape_at get_output_at get_output_mask_at get_output_shape_at inbound_nodes outbound_nodes graph",
    instead: "A layer remembers no tensors, as in TensorFlow 2.21, which raises AttributeError: keep what `layer(x)` gives.",
  },
  {
    of: /^layers\.|rnn_cell|Layer$|Cell$|Wrapper$/,
    members: "get_build_config build_from_config",
    instead: "layer.get_config() has the arguments that a layer was made with, and its class makes one of them: from_config(config).",
  },
  {
    of: /^layers\.|rnn_cell|Layer$|Cell$|Wrapper$/,
    members: "add_metric finalize_state load_own_variables save_own_variables dtype_policy name_scope with_name_scope convolution_op",
    instead: "It belongs to Keras models: tf.train.Saver writes a layer's variables, tf.metrics measures, and tf.variable_scope names.",
  },
  { of: /^layers\.(Layer|Flatten|Dense)$|^nn.rnn_cell.RNNCell$/, members: "call", instead: "A class of your own supplies it." },
  {
    of: /LinearOperator/,
    members: "name_scope non_trainable_variables submodules trainable_variables variables with_name_scope",
    instead:
      "An operator's tensors are those that it is made of (operator.parameters); tf.trainable_variables() lists the variables behind them.",
  },
  { of: /^losses.Reduction$/, members: "all validate", instead: "The members of tf.losses.Reduction are the reductions that there are." },
  {
    of: /LossScale$/,
    members: "from_config get_config update",
    instead: "The classes made of it supply it: FixedLossScale, DynamicLossScale, or yours.",
  },
  { of: /FileWriter$/, members: "event_writer", instead: "add_event(event) writes any event." },
  {
    of: /LooperThread$/,
    members: "run run_loop start_loop stop_loop",
    instead: "Give it what to do: new tf.train.LooperThread(coord, seconds, { target }).",
  },
  { of: /MonitoredSession$/, members: "StepContext", instead: "run_step_fn gives one to its function." },
  {
    of: /^train.SessionCreator$/,
    members: "create_session",
    instead: "The classes made of it supply it: ChiefSessionCreator, WorkerSessionCreator, or yours.",
  },
  { of: /^train.NanLossDuringTrainingError$/, members: "args", instead: "error.message is its text." },
  {
    of: /^errors.InternalError$/,
    members: "args error_code experimental_payloads node_def op",
    instead: "It tells of a fault of tensorloom itself here: its message says where.",
  },
];

let names: ReadonlySet<string> | undefined;

/** What to do without a member of a class, or undefined if it is not known to be missing. `classes` are its public names and its own. */
export function insteadOf(classes: readonly string[], member: string): string | undefined {
  names ??= new Set(missingMembers.flatMap(({ members }) => members.split(" ")));
  if (!names.has(member)) return undefined;
  return missingMembers.find(({ of, members }) => members.split(" ").includes(member) && classes.some(each => of.test(each)))?.instead;
}
