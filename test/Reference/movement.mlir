// RUN: %tenon_check %s

// Ops that move elements.

func.func @reshape() -> (tensor<3x1x2xf32>, tensor<3x1x2xf32>) {
  %x = tenon.constant dense<[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]> : tensor<2x3xf32>
  %y = tenon.reshape %x sizes [3, 1, 2] : tensor<2x3xf32> -> tensor<3x1x2xf32>
  %expected = tenon.constant dense<[[[0.0, 1.0]], [[2.0, 3.0]], [[4.0, 5.0]]]> : tensor<3x1x2xf32>
  return %y, %expected : tensor<3x1x2xf32>, tensor<3x1x2xf32>
}

func.func @broadcast() -> (tensor<2x2x3xf32>, tensor<2x2x3xf32>) {
  %x = tenon.constant dense<[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]> : tensor<2x3xf32>
  %y = tenon.broadcast %x dims [0, 2] sizes [2, 2, 3] : tensor<2x3xf32> -> tensor<2x2x3xf32>
  %expected = tenon.constant dense<[[[0.0, 1.0, 2.0], [0.0, 1.0, 2.0]], [[3.0, 4.0, 5.0], [3.0, 4.0, 5.0]]]> : tensor<2x2x3xf32>
  return %y, %expected : tensor<2x2x3xf32>, tensor<2x2x3xf32>
}

func.func @broadcast_units() -> (tensor<2x3xi8>, tensor<2x3xi8>) {
  %x = tenon.constant dense<[[1], [2]]> : tensor<2x1xi8>
  %y = tenon.broadcast %x dims [0, 1] sizes [2, 3] : tensor<2x1xi8> -> tensor<2x3xi8>
  %expected = tenon.constant dense<[[1, 1, 1], [2, 2, 2]]> : tensor<2x3xi8>
  return %y, %expected : tensor<2x3xi8>, tensor<2x3xi8>
}

func.func @broadcast_to_nothing() -> (tensor<0x2x3xf32>, tensor<0x2x3xf32>) {
  %x = tenon.constant dense<[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]> : tensor<2x3xf32>
  %y = tenon.broadcast %x dims [1, 2] sizes [0, 2, 3] : tensor<2x3xf32> -> tensor<0x2x3xf32>
  %expected = tenon.constant dense<> : tensor<0x2x3xf32>
  return %y, %expected : tensor<0x2x3xf32>, tensor<0x2x3xf32>
}

func.func @transpose() -> (tensor<4x2x3xi32>, tensor<4x2x3xi32>) {
  %x = tenon.constant dense<[[[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]], [[12, 13, 14, 15], [16, 17, 18, 19], [20, 21, 22, 23]]]> : tensor<2x3x4xi32>
  %y = tenon.transpose %x [2, 0, 1] : tensor<2x3x4xi32> -> tensor<4x2x3xi32>
  %expected = tenon.constant dense<[[[0, 4, 8], [12, 16, 20]], [[1, 5, 9], [13, 17, 21]], [[2, 6, 10], [14, 18, 22]], [[3, 7, 11], [15, 19, 23]]]> : tensor<4x2x3xi32>
  return %y, %expected : tensor<4x2x3xi32>, tensor<4x2x3xi32>
}

func.func @slice() -> (tensor<1x2x2xi32>, tensor<1x2x2xi32>) {
  %x = tenon.constant dense<[[[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]], [[12, 13, 14, 15], [16, 17, 18, 19], [20, 21, 22, 23]]]> : tensor<2x3x4xi32>
  %y = tenon.slice %x offsets [1, 2, 0] sizes [1, 2, 2] strides [1, -2, 3] : tensor<2x3x4xi32> -> tensor<1x2x2xi32>
  %expected = tenon.constant dense<[[[20, 23], [12, 15]]]> : tensor<1x2x2xi32>
  return %y, %expected : tensor<1x2x2xi32>, tensor<1x2x2xi32>
}

func.func @slice_repeats() -> (tensor<3xf32>, tensor<3xf32>) {
  %x = tenon.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %y = tenon.slice %x offsets [1] sizes [3] strides [0] : tensor<2xf32> -> tensor<3xf32>
  %expected = tenon.constant dense<[2.0, 2.0, 2.0]> : tensor<3xf32>
  return %y, %expected : tensor<3xf32>, tensor<3xf32>
}

func.func @slice_of_nothing() -> (tensor<0xf32>, tensor<0xf32>) {
  %x = tenon.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %y = tenon.slice %x offsets [2] sizes [0] strides [1] : tensor<2xf32> -> tensor<0xf32>
  %expected = tenon.constant dense<> : tensor<0xf32>
  return %y, %expected : tensor<0xf32>, tensor<0xf32>
}

func.func @slice_beyond() -> tensor<?xf32> attributes {tenon.error = "of dimension 0, which has size 2"} {
  %x = tenon.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %n = tenon.constant dense<2> : tensor<i64>
  %i = tenon.item %n at 0 : tensor<i64>
  %y = tenon.slice %x offsets [1] sizes [%i] strides [1] : tensor<2xf32> -> tensor<?xf32>
  return %y : tensor<?xf32>
}

func.func @reshape_to_others() -> tensor<?xf32> attributes {tenon.error = "can't give the 2 elements of tensor<2xf32> the sizes [3]"} {
  %x = tenon.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %n = tenon.constant dense<3> : tensor<i64>
  %i = tenon.item %n at 0 : tensor<i64>
  %y = tenon.reshape %x sizes [%i] : tensor<2xf32> -> tensor<?xf32>
  return %y : tensor<?xf32>
}

func.func @pad_constant() -> (tensor<9xf32>, tensor<9xf32>) {
  %x = tenon.constant dense<[0.0, 1.0, 2.0]> : tensor<3xf32>
  %v = tenon.constant dense<9.0> : tensor<f32>
  %y = tenon.pad constant %x, %v low [2] high [4] : tensor<3xf32>, tensor<f32> -> tensor<9xf32>
  %expected = tenon.constant dense<[9.0, 9.0, 0.0, 1.0, 2.0, 9.0, 9.0, 9.0, 9.0]> : tensor<9xf32>
  return %y, %expected : tensor<9xf32>, tensor<9xf32>
}

func.func @pad_reflect() -> (tensor<9xf32>, tensor<9xf32>) {
  %x = tenon.constant dense<[0.0, 1.0, 2.0]> : tensor<3xf32>
  %v = tenon.constant dense<9.0> : tensor<f32>
  %y = tenon.pad reflect %x, %v low [2] high [4] : tensor<3xf32>, tensor<f32> -> tensor<9xf32>
  %expected = tenon.constant dense<[2.0, 1.0, 0.0, 1.0, 2.0, 1.0, 0.0, 1.0, 2.0]> : tensor<9xf32>
  return %y, %expected : tensor<9xf32>, tensor<9xf32>
}

func.func @pad_edge() -> (tensor<9xf32>, tensor<9xf32>) {
  %x = tenon.constant dense<[0.0, 1.0, 2.0]> : tensor<3xf32>
  %v = tenon.constant dense<9.0> : tensor<f32>
  %y = tenon.pad edge %x, %v low [2] high [4] : tensor<3xf32>, tensor<f32> -> tensor<9xf32>
  %expected = tenon.constant dense<[0.0, 0.0, 0.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0]> : tensor<9xf32>
  return %y, %expected : tensor<9xf32>, tensor<9xf32>
}

func.func @pad_wrap() -> (tensor<9xf32>, tensor<9xf32>) {
  %x = tenon.constant dense<[0.0, 1.0, 2.0]> : tensor<3xf32>
  %v = tenon.constant dense<9.0> : tensor<f32>
  %y = tenon.pad wrap %x, %v low [2] high [4] : tensor<3xf32>, tensor<f32> -> tensor<9xf32>
  %expected = tenon.constant dense<[1.0, 2.0, 0.0, 1.0, 2.0, 0.0, 1.0, 2.0, 0.0]> : tensor<9xf32>
  return %y, %expected : tensor<9xf32>, tensor<9xf32>
}

func.func @pad_crops() -> (tensor<1x2xf32>, tensor<1x2xf32>) {
  %x = tenon.constant dense<[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]> : tensor<2x3xf32>
  %v = tenon.constant dense<9.0> : tensor<f32>
  %y = tenon.pad constant %x, %v low [-1, 1] high [0, -2] : tensor<2x3xf32>, tensor<f32> -> tensor<1x2xf32>
  %expected = tenon.constant dense<[[9.0, 3.0]]> : tensor<1x2xf32>
  return %y, %expected : tensor<1x2xf32>, tensor<1x2xf32>
}

func.func @concat() -> (tensor<2x7xf32>, tensor<2x7xf32>) {
  %a = tenon.constant dense<[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]> : tensor<2x3xf32>
  %b = tenon.constant dense<[[10.0], [13.0]]> : tensor<2x1xf32>
  %y = tenon.concat %a, %b, %a dim 1 : tensor<2x3xf32>, tensor<2x1xf32>, tensor<2x3xf32> -> tensor<2x7xf32>
  %expected = tenon.constant dense<[[0.0, 1.0, 2.0, 10.0, 0.0, 1.0, 2.0], [3.0, 4.0, 5.0, 13.0, 3.0, 4.0, 5.0]]> : tensor<2x7xf32>
  return %y, %expected : tensor<2x7xf32>, tensor<2x7xf32>
}

func.func @iota() -> (tensor<2x3xi32>, tensor<2x3xi32>, tensor<3xf16>, tensor<3xf16>) {
  %y = tenon.iota dim 1 sizes [2, 3] : tensor<2x3xi32>
  %z = tenon.iota dim 0 sizes [3] : tensor<3xf16>
  %expected0 = tenon.constant dense<[[0, 1, 2], [0, 1, 2]]> : tensor<2x3xi32>
  %expected1 = tenon.constant dense<[0.0, 1.0, 2.0]> : tensor<3xf16>
  return %y, %expected0, %z, %expected1 : tensor<2x3xi32>, tensor<2x3xi32>, tensor<3xf16>, tensor<3xf16>
}
