// RUN: %tenon_opt %s -split-input-file --verify-diagnostics --pass-pipeline="builtin.module(convert-onnx-to-tenon)"

func.func @heads(%q: tensor<2x3x64xf32>, %k: tensor<2x3x32xf32>, %v: tensor<2x3x32xf32>, %p: tensor<2x2x8x16xf32>, %u: tensor<2xi32>, %t: tensor<i32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'GroupQueryAttention' (opset 1) expects positive kv_num_heads that divides num_heads, but has 3 and 4}}
  %0 = tenon_onnx.node "GroupQueryAttention" domain "com.microsoft" version 1 (%q, %k, %v, %p, %p, %u, %t) {num_heads = 4 : i64, kv_num_heads = 3 : i64} : (tensor<2x3x64xf32>, tensor<2x3x32xf32>, tensor<2x3x32xf32>, tensor<2x2x8x16xf32>, tensor<2x2x8x16xf32>, tensor<2xi32>, tensor<i32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @no_value(%q: tensor<2x3x64xf32>, %k: tensor<2x3x32xf32>, %p: tensor<2x2x8x16xf32>, %u: tensor<2xi32>, %t: tensor<i32>) -> !tenon_onnx.unknown {
  %none = tenon_onnx.none
  // expected-error @+1 {{'GroupQueryAttention' (opset 1) expects both key and value, or neither}}
  %0 = tenon_onnx.node "GroupQueryAttention" domain "com.microsoft" version 1 (%q, %k, %none, %p, %p, %u, %t) {num_heads = 4 : i64, kv_num_heads = 2 : i64} : (tensor<2x3x64xf32>, tensor<2x3x32xf32>, none, tensor<2x2x8x16xf32>, tensor<2x2x8x16xf32>, tensor<2xi32>, tensor<i32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @no_past_value(%q: tensor<2x3x64xf32>, %k: tensor<2x3x32xf32>, %v: tensor<2x3x32xf32>, %p: tensor<2x2x8x16xf32>, %u: tensor<2xi32>, %t: tensor<i32>) -> !tenon_onnx.unknown {
  %none = tenon_onnx.none
  // expected-error @+1 {{'GroupQueryAttention' (opset 1) expects both past_key and past_value, or neither}}
  %0 = tenon_onnx.node "GroupQueryAttention" domain "com.microsoft" version 1 (%q, %k, %v, %p, %none, %u, %t) {num_heads = 4 : i64, kv_num_heads = 2 : i64} : (tensor<2x3x64xf32>, tensor<2x3x32xf32>, tensor<2x3x32xf32>, tensor<2x2x8x16xf32>, none, tensor<2xi32>, tensor<i32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @no_lengths(%q: tensor<2x3x64xf32>, %k: tensor<2x3x32xf32>, %v: tensor<2x3x32xf32>, %p: tensor<2x2x8x16xf32>, %t: tensor<i32>) -> !tenon_onnx.unknown {
  %none = tenon_onnx.none
  // expected-error @+1 {{'GroupQueryAttention' (opset 1) expects operand 5}}
  %0 = tenon_onnx.node "GroupQueryAttention" domain "com.microsoft" version 1 (%q, %k, %v, %p, %p, %none, %t) {num_heads = 4 : i64, kv_num_heads = 2 : i64} : (tensor<2x3x64xf32>, tensor<2x3x32xf32>, tensor<2x3x32xf32>, tensor<2x2x8x16xf32>, tensor<2x2x8x16xf32>, none, tensor<i32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @no_angles(%q: tensor<2x3x64xf32>, %k: tensor<2x3x32xf32>, %v: tensor<2x3x32xf32>, %p: tensor<2x2x8x16xf32>, %u: tensor<2xi32>, %t: tensor<i32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'GroupQueryAttention' (opset 1) expects cos_cache and sin_cache where do_rotary is set}}
  %0 = tenon_onnx.node "GroupQueryAttention" domain "com.microsoft" version 1 (%q, %k, %v, %p, %p, %u, %t) {num_heads = 4 : i64, kv_num_heads = 2 : i64, do_rotary = 1 : i64} : (tensor<2x3x64xf32>, tensor<2x3x32xf32>, tensor<2x3x32xf32>, tensor<2x2x8x16xf32>, tensor<2x2x8x16xf32>, tensor<2xi32>, tensor<i32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @total(%q: tensor<2x3x64xf32>, %k: tensor<2x3x32xf32>, %v: tensor<2x3x32xf32>, %p: tensor<2x2x8x16xf32>, %u: tensor<2xi32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'GroupQueryAttention' (opset 1) expects a vector of lengths and a scalar as total_sequence_length, but has 'tensor<2xi32>' and 'tensor<2xi32>'}}
  %0 = tenon_onnx.node "GroupQueryAttention" domain "com.microsoft" version 1 (%q, %k, %v, %p, %p, %u, %u) {num_heads = 4 : i64, kv_num_heads = 2 : i64} : (tensor<2x3x64xf32>, tensor<2x3x32xf32>, tensor<2x3x32xf32>, tensor<2x2x8x16xf32>, tensor<2x2x8x16xf32>, tensor<2xi32>, tensor<2xi32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @quantized_cache(%q: tensor<2x3x64xf32>, %k: tensor<2x3x32xf32>, %v: tensor<2x3x32xf32>, %p: tensor<2x2x8x16xf32>, %u: tensor<2xi32>, %t: tensor<i32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'GroupQueryAttention' (opset 1) expects a cache and its scale where k_quant_type or v_quant_type says that it is quantised}}
  %0 = tenon_onnx.node "GroupQueryAttention" domain "com.microsoft" version 1 (%q, %k, %v, %p, %p, %u, %t) {num_heads = 4 : i64, kv_num_heads = 2 : i64, k_quant_type = "PER_TENSOR"} : (tensor<2x3x64xf32>, tensor<2x3x32xf32>, tensor<2x3x32xf32>, tensor<2x2x8x16xf32>, tensor<2x2x8x16xf32>, tensor<2xi32>, tensor<i32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @window_cache(%q: tensor<2x3x64xf32>, %k: tensor<2x3x32xf32>, %v: tensor<2x3x32xf32>, %p: tensor<2x2x8x16xf32>, %u: tensor<2xi32>, %t: tensor<i32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'GroupQueryAttention' (opset 1) expects a cache with room for local_window_size (9) tokens, but has 'tensor<2x2x8x16xf32>'}}
  %0 = tenon_onnx.node "GroupQueryAttention" domain "com.microsoft" version 1 (%q, %k, %v, %p, %p, %u, %t) {num_heads = 4 : i64, kv_num_heads = 2 : i64, local_window_size = 9 : i64, sliding_window_cache = 1 : i64} : (tensor<2x3x64xf32>, tensor<2x3x32xf32>, tensor<2x3x32xf32>, tensor<2x2x8x16xf32>, tensor<2x2x8x16xf32>, tensor<2xi32>, tensor<i32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @scores(%q: tensor<2x3x64xf32>, %k: tensor<2x3x32xf32>, %v: tensor<2x3x32xf32>, %p: tensor<2x2x8x16xf32>, %u: tensor<2xi32>, %t: tensor<i32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'GroupQueryAttention' (opset 1) expects qk_output 1 or 2 where output_qk is used, but has 0}}
  %0:4 = tenon_onnx.node "GroupQueryAttention" domain "com.microsoft" version 1 (%q, %k, %v, %p, %p, %u, %t) {num_heads = 4 : i64, kv_num_heads = 2 : i64} : (tensor<2x3x64xf32>, tensor<2x3x32xf32>, tensor<2x3x32xf32>, tensor<2x2x8x16xf32>, tensor<2x2x8x16xf32>, tensor<2xi32>, tensor<i32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown)
  return %0#3 : !tenon_onnx.unknown
}

// -----

func.func @cache(%q: tensor<2x3x64xf32>, %k: tensor<2x3x32xf32>, %v: tensor<2x3x32xf32>, %p: tensor<2x4x8x16xf32>, %u: tensor<2xi32>, %t: tensor<i32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'GroupQueryAttention' (opset 1) expects a cache of 2 heads of size 16 as operand 3, but has 'tensor<2x4x8x16xf32>'}}
  %0 = tenon_onnx.node "GroupQueryAttention" domain "com.microsoft" version 1 (%q, %k, %v, %p, %p, %u, %t) {num_heads = 4 : i64, kv_num_heads = 2 : i64} : (tensor<2x3x64xf32>, tensor<2x3x32xf32>, tensor<2x3x32xf32>, tensor<2x4x8x16xf32>, tensor<2x4x8x16xf32>, tensor<2xi32>, tensor<i32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @split(%q: tensor<2x3x66xf32>, %k: tensor<2x3x32xf32>, %v: tensor<2x3x32xf32>, %p: tensor<2x2x8x16xf32>, %u: tensor<2xi32>, %t: tensor<i32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'GroupQueryAttention' (opset 1) expects rank 3 and heads (4) that divide the last size, but has 'tensor<2x3x66xf32>'}}
  %0 = tenon_onnx.node "GroupQueryAttention" domain "com.microsoft" version 1 (%q, %k, %v, %p, %p, %u, %t) {num_heads = 4 : i64, kv_num_heads = 2 : i64} : (tensor<2x3x66xf32>, tensor<2x3x32xf32>, tensor<2x3x32xf32>, tensor<2x2x8x16xf32>, tensor<2x2x8x16xf32>, tensor<2xi32>, tensor<i32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @sink(%q: tensor<2x3x64xf32>, %k: tensor<2x3x32xf32>, %v: tensor<2x3x32xf32>, %p: tensor<2x2x8x16xf32>, %u: tensor<2xi32>, %t: tensor<i32>, %s: tensor<2xf32>) -> !tenon_onnx.unknown {
  %none = tenon_onnx.none
  // expected-error @+1 {{'GroupQueryAttention' (opset 1) expects a number per head (4) as head_sink, but has 'tensor<2xf32>'}}
  %0 = tenon_onnx.node "GroupQueryAttention" domain "com.microsoft" version 1 (%q, %k, %v, %p, %p, %u, %t, %none, %none, %none, %none, %s) {num_heads = 4 : i64, kv_num_heads = 2 : i64} : (tensor<2x3x64xf32>, tensor<2x3x32xf32>, tensor<2x3x32xf32>, tensor<2x2x8x16xf32>, tensor<2x2x8x16xf32>, tensor<2xi32>, tensor<i32>, none, none, none, none, tensor<2xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @multi_heads(%q: tensor<2x3x64xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'MultiHeadAttention' (opset 1) expects positive num_heads, but has 0}}
  %0 = tenon_onnx.node "MultiHeadAttention" domain "com.microsoft" version 1 (%q, %q, %q) {} : (tensor<2x3x64xf32>, tensor<2x3x64xf32>, tensor<2x3x64xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @form(%q: tensor<2x3x64xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'MultiHeadAttention' (opset 1) expects query, key and value in one of the forms of the operator, but has 'tensor<2x3x64xf32>', 'tensor<2x3x64xf32>'}}
  %0 = tenon_onnx.node "MultiHeadAttention" domain "com.microsoft" version 1 (%q, %q) {num_heads = 4 : i64} : (tensor<2x3x64xf32>, tensor<2x3x64xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @bias(%q: tensor<2x3x64xf32>, %b: tensor<1x192xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'MultiHeadAttention' (opset 1) expects a vector as bias, but has 'tensor<1x192xf32>'}}
  %0 = tenon_onnx.node "MultiHeadAttention" domain "com.microsoft" version 1 (%q, %q, %q, %b) {num_heads = 4 : i64} : (tensor<2x3x64xf32>, tensor<2x3x64xf32>, tensor<2x3x64xf32>, tensor<1x192xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @mask(%q: tensor<2x3x64xf32>, %m: tensor<2x7xi32>) -> !tenon_onnx.unknown {
  %none = tenon_onnx.none
  // expected-error @+1 {{'MultiHeadAttention' (opset 1) expects the mask of the sizes of the scores, but has 'tensor<2x7xi32>'}}
  %0 = tenon_onnx.node "MultiHeadAttention" domain "com.microsoft" version 1 (%q, %q, %q, %none, %m) {num_heads = 4 : i64} : (tensor<2x3x64xf32>, tensor<2x3x64xf32>, tensor<2x3x64xf32>, none, tensor<2x7xi32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @score_bias(%q: tensor<2x3x64xf32>, %b: tensor<3x3xf32>) -> !tenon_onnx.unknown {
  %none = tenon_onnx.none
  // expected-error @+1 {{'MultiHeadAttention' (opset 1) expects an attention bias of rank 4, but has 'tensor<3x3xf32>'}}
  %0 = tenon_onnx.node "MultiHeadAttention" domain "com.microsoft" version 1 (%q, %q, %q, %none, %none, %b) {num_heads = 4 : i64} : (tensor<2x3x64xf32>, tensor<2x3x64xf32>, tensor<2x3x64xf32>, none, none, tensor<3x3xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @indirection(%q: tensor<2x3x64xf32>, %i: tensor<2x1x8xi32>) -> !tenon_onnx.unknown {
  %none = tenon_onnx.none
  // expected-error @+1 {{'MultiHeadAttention' (opset 1) is not supported: a cache whose entries are found through others (cache_indirection)}}
  %0 = tenon_onnx.node "MultiHeadAttention" domain "com.microsoft" version 1 (%q, %q, %q, %none, %none, %none, %none, %none, %none, %i) {num_heads = 4 : i64} : (tensor<2x3x64xf32>, tensor<2x3x64xf32>, tensor<2x3x64xf32>, none, none, none, none, none, none, tensor<2x1x8xi32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @weights(%q: tensor<2x3x64xf32>, %w: tensor<64xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'Attention' (opset 1) expects an input of rows and a matrix of weights, but has 'tensor<2x3x64xf32>' and 'tensor<64xf32>'}}
  %0 = tenon_onnx.node "Attention" domain "com.microsoft" version 1 (%q, %w) {num_heads = 4 : i64} : (tensor<2x3x64xf32>, tensor<64xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @widths(%q: tensor<2x3x64xf32>, %w: tensor<64x192xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'Attention' (opset 1) expects qkv_hidden_sizes of query, key and value that add up to 192}}
  %0 = tenon_onnx.node "Attention" domain "com.microsoft" version 1 (%q, %w) {num_heads = 4 : i64, qkv_hidden_sizes = array<i64: 64, 64, 32>} : (tensor<2x3x64xf32>, tensor<64x192xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @own_places(%q: tensor<2x3x64xf32>, %w: tensor<64x192xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'Attention' (opset 1) is not supported: places that the operator rotates itself (do_rotary)}}
  %0 = tenon_onnx.node "Attention" domain "com.microsoft" version 1 (%q, %w) {num_heads = 4 : i64, do_rotary = 1 : i64} : (tensor<2x3x64xf32>, tensor<64x192xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @past(%q: tensor<2x3x64xf32>, %w: tensor<64x192xf32>, %p: tensor<2x4x8x16xf32>) -> !tenon_onnx.unknown {
  %none = tenon_onnx.none
  // expected-error @+1 {{'Attention' (opset 1) expects past keys and values of rank 5 as one tensor, but has 'tensor<2x4x8x16xf32>'}}
  %0 = tenon_onnx.node "Attention" domain "com.microsoft" version 1 (%q, %w, %none, %none, %p) {num_heads = 4 : i64} : (tensor<2x3x64xf32>, tensor<64x192xf32>, none, none, tensor<2x4x8x16xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @rotary_rank(%q: tensor<3x64xf32>, %i: tensor<1xi64>, %c: tensor<8x8xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'RotaryEmbedding' (opset 1) expects an operand of rank 3 or 4, but has 'tensor<3x64xf32>'}}
  %0 = tenon_onnx.node "RotaryEmbedding" domain "com.microsoft" version 1 (%q, %i, %c, %c) {} : (tensor<3x64xf32>, tensor<1xi64>, tensor<8x8xf32>, tensor<8x8xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @rotary_heads(%q: tensor<2x3x64xf32>, %i: tensor<1xi64>, %c: tensor<8x8xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'RotaryEmbedding' (opset 1) expects num_heads where rotary_embedding_dim is set}}
  %0 = tenon_onnx.node "RotaryEmbedding" domain "com.microsoft" version 1 (%q, %i, %c, %c) {rotary_embedding_dim = 16 : i64} : (tensor<2x3x64xf32>, tensor<1xi64>, tensor<8x8xf32>, tensor<8x8xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @linear_rule(%q: tensor<2x3x64xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'LinearAttention' (opset 1) expects update_rule linear, gated, delta or gated_delta, but has 'rank'}}
  %0 = tenon_onnx.node "LinearAttention" domain "com.microsoft" version 1 (%q, %q, %q) {q_num_heads = 4 : i64, kv_num_heads = 4 : i64, update_rule = "rank"} : (tensor<2x3x64xf32>, tensor<2x3x64xf32>, tensor<2x3x64xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @linear_decay(%q: tensor<2x3x64xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'LinearAttention' (opset 1) expects decay and beta as the update_rule 'gated' needs them}}
  %0 = tenon_onnx.node "LinearAttention" domain "com.microsoft" version 1 (%q, %q, %q) {q_num_heads = 4 : i64, kv_num_heads = 4 : i64, update_rule = "gated"} : (tensor<2x3x64xf32>, tensor<2x3x64xf32>, tensor<2x3x64xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @experts(%q: tensor<2x3x64xf32>, %r: tensor<6x4xf32>, %a: tensor<4x8x64xf32>, %c: tensor<4x64x8xf32>) -> !tenon_onnx.unknown {
  %none = tenon_onnx.none
  // expected-error @+1 {{'MoE' (opset 1) expects k from 1 to the number of experts, but has 5 and 'tensor<4x8x64xf32>'}}
  %0 = tenon_onnx.node "MoE" domain "com.microsoft" version 1 (%q, %r, %a, %none, %c) {k = 5 : i64} : (tensor<2x3x64xf32>, tensor<6x4xf32>, tensor<4x8x64xf32>, none, tensor<4x64x8xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @search(%q: tensor<2x3x64xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'BeamSearch' (opset 1) is not supported: it runs a model of its own in a loop; compile that model, and search with its results}}
  %0 = tenon_onnx.node "BeamSearch" domain "com.microsoft" version 1 (%q) {} : (tensor<2x3x64xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @complex_query(%q: tensor<1x2x64xcomplex<f32>>, %k: tensor<1x2x32xf32>, %p: tensor<1x2x3x16xf32>, %used: tensor<1xi32>, %total: tensor<i32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'GroupQueryAttention' (opset 1) does not take 'tensor<1x2x64xcomplex<f32>>' as operand 0}}
  %0:3 = tenon_onnx.node "GroupQueryAttention" domain "com.microsoft" version 1 (%q, %k, %k, %p, %p, %used, %total) {num_heads = 4 : i64, kv_num_heads = 2 : i64} : (tensor<1x2x64xcomplex<f32>>, tensor<1x2x32xf32>, tensor<1x2x32xf32>, tensor<1x2x3x16xf32>, tensor<1x2x3x16xf32>, tensor<1xi32>, tensor<i32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown)
  return %0#0 : !tenon_onnx.unknown
}
