// RUN: %tenon_opt %s -split-input-file -verify-diagnostics

func.func @map_count(%a: tensor<2x3xf32>, %b: tensor<3x4xf32>) {
  // expected-error @+1 {{expects 3 indexing maps, one per operand and result, but has 1}}
  %0 = tenon.contract %a, %b maps [affine_map<(m, n, k) -> (m, k)>] : tensor<2x3xf32>, tensor<3x4xf32> -> tensor<2x4xf32>
  return
}

// -----

func.func @sizes(%a: tensor<2x3xf32>, %b: tensor<5x4xf32>) {
  // expected-error @+1 {{expects one size of dimension d2, but has 3 and 5}}
  %0 = tenon.contract %a, %b maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>] : tensor<2x3xf32>, tensor<5x4xf32> -> tensor<2x4xf32>
  return
}

// -----

func.func @rank(%a: tensor<2xf32>, %b: tensor<5x4xf32>) {
  // expected-error @+1 {{expects the map of lhs to have 1 results, but it has 2}}
  %0 = tenon.contract %a, %b maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>] : tensor<2xf32>, tensor<5x4xf32> -> tensor<2x4xf32>
  return
}

// -----

func.func @not_projected(%a: tensor<2x3xf32>, %b: tensor<3x4xf32>) {
  // expected-error @+1 {{expects the map of lhs to be a projected permutation of 3 dimensions}}
  %0 = tenon.contract %a, %b maps [affine_map<(m, n, k) -> (m + n, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>] : tensor<2x3xf32>, tensor<3x4xf32> -> tensor<2x4xf32>
  return
}

// -----

func.func @absent(%a: tensor<2xf32>, %b: tensor<3xf32>) {
  // expected-error @+1 {{expects dimension d2 in an operand}}
  %0 = tenon.contract %a, %b maps [affine_map<(m, n, k) -> (m)>, affine_map<(m, n, k) -> (n)>, affine_map<(m, n, k) -> (m, n)>] : tensor<2xf32>, tensor<3xf32> -> tensor<2x3xf32>
  return
}

// -----

func.func @channels(%x: tensor<1x64x8x8xf32>, %w: tensor<32x16x3x3xf32>) {
  // expected-error @+1 {{expects input channels (64) to be groups (2) x filter channels (16)}}
  %0 = tenon.conv %x, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] groups 2 : tensor<1x64x8x8xf32>, tensor<32x16x3x3xf32> -> tensor<1x32x8x8xf32>
  return
}

// -----

func.func @conv_size(%x: tensor<1x4x8x8xf32>, %w: tensor<32x4x3x3xf32>) {
  // expected-error @+1 {{expects size 6 of result dimension 2, but it is 8}}
  %0 = tenon.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] groups 1 : tensor<1x4x8x8xf32>, tensor<32x4x3x3xf32> -> tensor<1x32x8x8xf32>
  return
}

// -----

func.func @conv_strides(%x: tensor<1x4x8x8xf32>, %w: tensor<32x4x3x3xf32>) {
  // expected-error @+1 {{expects positive strides of at most 2147483648, but has 0}}
  %0 = tenon.conv %x, %w strides [1, 0] dilations [1, 1] pads [0, 0, 0, 0] groups 1 : tensor<1x4x8x8xf32>, tensor<32x4x3x3xf32> -> tensor<1x32x6x6xf32>
  return
}

// -----

func.func @conv_ranks(%x: tensor<1x4x8xf32>, %w: tensor<32x4x3x3xf32>) {
  // expected-error @+1 {{expects input, filter and result of one rank of at least 3, but has ranks 3, 4 and 4}}
  %0 = tenon.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] groups 1 : tensor<1x4x8xf32>, tensor<32x4x3x3xf32> -> tensor<1x32x6x6xf32>
  return
}

// -----

func.func @channels_last(%x: tensor<1x8x8x4xf32>, %w: tensor<3x3x2x5xf32>) {
  // expected-error@+1 {{'tenon.conv' op expects input channels (4) to be groups (1) x filter channels (2)}}
  %y = tenon.conv %x, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] groups 1 {channels_last} : tensor<1x8x8x4xf32>, tensor<3x3x2x5xf32> -> tensor<1x8x8x5xf32>
  return
}

// -----

func.func @channels_last_filters(%x: tensor<1x8x8x4xf32>, %w: tensor<3x3x2x5xf32>) {
  // expected-error@+1 {{'tenon.conv' op expects groups (2) to divide the filters (5)}}
  %y = tenon.conv %x, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] groups 2 {channels_last} : tensor<1x8x8x4xf32>, tensor<3x3x2x5xf32> -> tensor<1x8x8x5xf32>
  return
}

// -----

func.func @channels_last_result(%x: tensor<1x8x8x4xf32>, %w: tensor<3x3x4x5xf32>) {
  // expected-error@+1 {{'tenon.conv' op expects size 8 of result dimension 1, but it is 5}}
  %y = tenon.conv %x, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] groups 1 {channels_last} : tensor<1x8x8x4xf32>, tensor<3x3x4x5xf32> -> tensor<1x5x8x8xf32>
  return
}

// -----

func.func @contract_types(%a: tensor<2x3xf64>, %b: tensor<3x4xf64>) {
  // expected-error @+1 {{can't sum products of 'f64' in 'f32'}}
  %0 = tenon.contract %a, %b maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<2x3xf64>, tensor<3x4xf64> -> tensor<2x4xf32>
  return
}

// -----

func.func @conv_types(%x: tensor<1x4x8xf32>, %w: tensor<32x4x3xi32>) {
  // expected-error @+1 {{can't sum products of 'i32' in 'f32'}}
  %0 = tenon.conv %x, %w strides [1] dilations [1] pads [0, 0] groups 1 : tensor<1x4x8xf32>, tensor<32x4x3xi32> -> tensor<1x32x6xf32>
  return
}

// -----

func.func @conv_pads(%x: tensor<1x4x8xf32>, %w: tensor<32x4x3xf32>) {
  // expected-error @+1 {{expects pads of at most 2147483648, but has 9223372036854775807}}
  %0 = tenon.conv %x, %w strides [1] dilations [1] pads [9223372036854775807, 1] groups 1 : tensor<1x4x8xf32>, tensor<32x4x3xf32> -> tensor<1x32x?xf32>
  return
}

// -----

func.func @products_of_sizes(%a: tensor<4x8xindex>, %b: tensor<8x4xindex>) {
  // expected-error @+1 {{'tenon.contract' op operand #0 must be ranked tensor of number}}
  %0 = tenon.contract %a, %b maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>] : tensor<4x8xindex>, tensor<8x4xindex> -> tensor<4x4xindex>
  return
}

// -----

func.func @window_beyond_image(%x: tensor<?x3x2x2xf32>, %f: tensor<4x3x5x5xf32>) {
  // expected-error @+1 {{expects sizes that aren't negative, but result dimension 2 would have -2}}
  %0 = tenon.conv %x, %f strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] groups 1 : tensor<?x3x2x2xf32>, tensor<4x3x5x5xf32> -> tensor<?x4x?x?xf32>
  return
}

// -----

func.func @sums_in_storage(%a: tensor<4x8xf8E5M2>, %b: tensor<8x4xf8E5M2>) {
  // expected-error @+1 {{'tenon.contract' op can't sum products in 'f8E5M2', which is only stored}}
  %0 = tenon.contract %a, %b maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>] : tensor<4x8xf8E5M2>, tensor<8x4xf8E5M2> -> tensor<4x4xf8E5M2>
  return
}
