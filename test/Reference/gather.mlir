// RUN: %tenon_check %s

// Gather, scatter, top-k, nonzero and suppress.

func.func @gather() -> (tensor<3x3xf32>, tensor<3x3xf32>) {
  %x = tenon.constant dense<[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0], [6.0, 7.0, 8.0], [9.0, 10.0, 11.0]]> : tensor<4x3xf32>
  %i = tenon.constant dense<[[2], [0], [-1]]> : tensor<3x1xi64>
  %y = tenon.gather error %x, %i dims [0] batch_dims 0 : tensor<4x3xf32>, tensor<3x1xi64> -> tensor<3x3xf32>
  %expected = tenon.constant dense<[[6.0, 7.0, 8.0], [0.0, 1.0, 2.0], [9.0, 10.0, 11.0]]> : tensor<3x3xf32>
  return %y, %expected : tensor<3x3xf32>, tensor<3x3xf32>
}

func.func @gather_points() -> (tensor<2xf32>, tensor<2xf32>) {
  %x = tenon.constant dense<[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0], [6.0, 7.0, 8.0], [9.0, 10.0, 11.0]]> : tensor<4x3xf32>
  %i = tenon.constant dense<[[2, 1], [0, -1]]> : tensor<2x2xi64>
  %y = tenon.gather error %x, %i dims [0, 1] batch_dims 0 : tensor<4x3xf32>, tensor<2x2xi64> -> tensor<2xf32>
  %expected = tenon.constant dense<[7.0, 2.0]> : tensor<2xf32>
  return %y, %expected : tensor<2xf32>, tensor<2xf32>
}

func.func @gather_batch() -> (tensor<4x1xf32>, tensor<4x1xf32>) {
  %x = tenon.constant dense<[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0], [6.0, 7.0, 8.0], [9.0, 10.0, 11.0]]> : tensor<4x3xf32>
  %i = tenon.constant dense<[[[1]], [[0]], [[2]], [[2]]]> : tensor<4x1x1xi64>
  %y = tenon.gather error %x, %i dims [1] batch_dims 1 : tensor<4x3xf32>, tensor<4x1x1xi64> -> tensor<4x1xf32>
  %expected = tenon.constant dense<[[1.0], [3.0], [8.0], [11.0]]> : tensor<4x1xf32>
  return %y, %expected : tensor<4x1xf32>, tensor<4x1xf32>
}

func.func @gather_clamp() -> (tensor<2x3xf32>, tensor<2x3xf32>) {
  %x = tenon.constant dense<[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0], [6.0, 7.0, 8.0], [9.0, 10.0, 11.0]]> : tensor<4x3xf32>
  %i = tenon.constant dense<[[9], [-9]]> : tensor<2x1xi64>
  %y = tenon.gather clamp %x, %i dims [0] batch_dims 0 : tensor<4x3xf32>, tensor<2x1xi64> -> tensor<2x3xf32>
  %expected = tenon.constant dense<[[9.0, 10.0, 11.0], [0.0, 1.0, 2.0]]> : tensor<2x3xf32>
  return %y, %expected : tensor<2x3xf32>, tensor<2x3xf32>
}

func.func @gather_wrap() -> (tensor<2x3xf32>, tensor<2x3xf32>) {
  %x = tenon.constant dense<[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0], [6.0, 7.0, 8.0], [9.0, 10.0, 11.0]]> : tensor<4x3xf32>
  %i = tenon.constant dense<[[9], [-9]]> : tensor<2x1xi64>
  %y = tenon.gather wrap %x, %i dims [0] batch_dims 0 : tensor<4x3xf32>, tensor<2x1xi64> -> tensor<2x3xf32>
  %expected = tenon.constant dense<[[3.0, 4.0, 5.0], [9.0, 10.0, 11.0]]> : tensor<2x3xf32>
  return %y, %expected : tensor<2x3xf32>, tensor<2x3xf32>
}

func.func @gather_outside() -> tensor<1x3xf32> attributes {tenon.error = "has index 4, but dimension 0 has size 4"} {
  %x = tenon.constant dense<[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0], [6.0, 7.0, 8.0], [9.0, 10.0, 11.0]]> : tensor<4x3xf32>
  %i = tenon.constant dense<[[4]]> : tensor<1x1xi64>
  %y = tenon.gather error %x, %i dims [0] batch_dims 0 : tensor<4x3xf32>, tensor<1x1xi64> -> tensor<1x3xf32>
  return %y : tensor<1x3xf32>
}

func.func @scatter() -> (tensor<4xf32>, tensor<4xf32>) {
  %x = tenon.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %i = tenon.constant dense<[[1], [3], [1]]> : tensor<3x1xi64>
  %u = tenon.constant dense<[10.0, 20.0, 30.0]> : tensor<3xf32>
  %y = tenon.scatter error %x, %i, %u dims [0] batch_dims 0 : tensor<4xf32>, tensor<3x1xi64>, tensor<3xf32>
  %expected = tenon.constant dense<[1.0, 30.0, 3.0, 20.0]> : tensor<4xf32>
  return %y, %expected : tensor<4xf32>, tensor<4xf32>
}

func.func @scatter_sum() -> (tensor<4xf32>, tensor<4xf32>) {
  %x = tenon.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %i = tenon.constant dense<[[1], [3], [1]]> : tensor<3x1xi64>
  %u = tenon.constant dense<[10.0, 20.0, 30.0]> : tensor<3xf32>
  %y = tenon.scatter error sum %x, %i, %u dims [0] batch_dims 0 : tensor<4xf32>, tensor<3x1xi64>, tensor<3xf32>
  %expected = tenon.constant dense<[1.0, 42.0, 3.0, 24.0]> : tensor<4xf32>
  return %y, %expected : tensor<4xf32>, tensor<4xf32>
}

func.func @scatter_max() -> (tensor<4xf32>, tensor<4xf32>) {
  %x = tenon.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %i = tenon.constant dense<[[1], [3], [1]]> : tensor<3x1xi64>
  %u = tenon.constant dense<[10.0, 20.0, 30.0]> : tensor<3xf32>
  %y = tenon.scatter error max %x, %i, %u dims [0] batch_dims 0 : tensor<4xf32>, tensor<3x1xi64>, tensor<3xf32>
  %expected = tenon.constant dense<[1.0, 30.0, 3.0, 20.0]> : tensor<4xf32>
  return %y, %expected : tensor<4xf32>, tensor<4xf32>
}

func.func @scatter_prod() -> (tensor<4xf32>, tensor<4xf32>) {
  %x = tenon.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %i = tenon.constant dense<[[1], [3], [1]]> : tensor<3x1xi64>
  %u = tenon.constant dense<[10.0, 20.0, 30.0]> : tensor<3xf32>
  %y = tenon.scatter error prod %x, %i, %u dims [0] batch_dims 0 : tensor<4xf32>, tensor<3x1xi64>, tensor<3xf32>
  %expected = tenon.constant dense<[1.0, 600.0, 3.0, 80.0]> : tensor<4xf32>
  return %y, %expected : tensor<4xf32>, tensor<4xf32>
}

func.func @scatter_drop() -> (tensor<4xf32>, tensor<4xf32>) {
  %x = tenon.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %i = tenon.constant dense<[[4], [-9], [-1]]> : tensor<3x1xi64>
  %u = tenon.constant dense<[10.0, 20.0, 30.0]> : tensor<3xf32>
  %y = tenon.scatter drop %x, %i, %u dims [0] batch_dims 0 : tensor<4xf32>, tensor<3x1xi64>, tensor<3xf32>
  %expected = tenon.constant dense<[1.0, 2.0, 3.0, 30.0]> : tensor<4xf32>
  return %y, %expected : tensor<4xf32>, tensor<4xf32>
}

func.func @scatter_clamp() -> (tensor<4xf32>, tensor<4xf32>) {
  %x = tenon.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %i = tenon.constant dense<[[4], [-9], [0]]> : tensor<3x1xi64>
  %u = tenon.constant dense<[10.0, 20.0, 20.0]> : tensor<3xf32>
  %y = tenon.scatter clamp %x, %i, %u dims [0] batch_dims 0 : tensor<4xf32>, tensor<3x1xi64>, tensor<3xf32>
  %expected = tenon.constant dense<[20.0, 2.0, 3.0, 10.0]> : tensor<4xf32>
  return %y, %expected : tensor<4xf32>, tensor<4xf32>
}

func.func @scatter_rows() -> (tensor<4x3xf32>, tensor<4x3xf32>) {
  %x = tenon.constant dense<[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0], [6.0, 7.0, 8.0], [9.0, 10.0, 11.0]]> : tensor<4x3xf32>
  %i = tenon.constant dense<[[3]]> : tensor<1x1xi64>
  %u = tenon.constant dense<[[7.0, 8.0, 9.0]]> : tensor<1x3xf32>
  %y = tenon.scatter error %x, %i, %u dims [0] batch_dims 0 : tensor<4x3xf32>, tensor<1x1xi64>, tensor<1x3xf32>
  %expected = tenon.constant dense<[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0], [6.0, 7.0, 8.0], [7.0, 8.0, 9.0]]> : tensor<4x3xf32>
  return %y, %expected : tensor<4x3xf32>, tensor<4x3xf32>
}

func.func @scatter_nothing() -> (tensor<4xf32>, tensor<4xf32>) {
  %x = tenon.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %i = tenon.constant dense<> : tensor<0x1xi64>
  %u = tenon.constant dense<> : tensor<0xf32>
  %y = tenon.scatter error %x, %i, %u dims [0] batch_dims 0 : tensor<4xf32>, tensor<0x1xi64>, tensor<0xf32>
  %expected = tenon.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  return %y, %expected : tensor<4xf32>, tensor<4xf32>
}

func.func @scatter_outside() -> tensor<4xf32> attributes {tenon.error = "has index 4, but dimension 0 has size 4"} {
  %x = tenon.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %i = tenon.constant dense<[[4]]> : tensor<1x1xi64>
  %u = tenon.constant dense<[1.0]> : tensor<1xf32>
  %y = tenon.scatter error %x, %i, %u dims [0] batch_dims 0 : tensor<4xf32>, tensor<1x1xi64>, tensor<1xf32>
  return %y : tensor<4xf32>
}

func.func @topk() -> (tensor<1x3xf32>, tensor<1x3xf32>, tensor<1x3xi64>, tensor<1x3xi64>) {
  %x = tenon.constant dense<[[3.0, 1.0, 0x7FC00000, 3.0, 2.0]]> : tensor<1x5xf32>
  %v, %i = tenon.topk %x dim 1 k [3] : tensor<1x5xf32> -> tensor<1x3xf32>, tensor<1x3xi64>
  %expected0 = tenon.constant dense<[[0x7FC00000, 3.0, 3.0]]> : tensor<1x3xf32>
  %expected1 = tenon.constant dense<[[2, 0, 3]]> : tensor<1x3xi64>
  return %v, %expected0, %i, %expected1 : tensor<1x3xf32>, tensor<1x3xf32>, tensor<1x3xi64>, tensor<1x3xi64>
}

func.func @topk_smallest() -> (tensor<1x5xf32>, tensor<1x5xf32>, tensor<1x5xi64>, tensor<1x5xi64>) {
  %x = tenon.constant dense<[[3.0, 1.0, 0x7FC00000, 3.0, 2.0]]> : tensor<1x5xf32>
  %v, %i = tenon.topk %x dim 1 k [5] {smallest} : tensor<1x5xf32> -> tensor<1x5xf32>, tensor<1x5xi64>
  %expected0 = tenon.constant dense<[[1.0, 2.0, 3.0, 3.0, 0x7FC00000]]> : tensor<1x5xf32>
  %expected1 = tenon.constant dense<[[1, 4, 0, 3, 2]]> : tensor<1x5xi64>
  return %v, %expected0, %i, %expected1 : tensor<1x5xf32>, tensor<1x5xf32>, tensor<1x5xi64>, tensor<1x5xi64>
}

func.func @nonzero() -> (tensor<2x2xi64>, tensor<2x2xi64>) {
  %x = tenon.constant dense<[[0, 3], [-1, 0]]> : tensor<2x2xi32>
  %i = tenon.nonzero %x : tensor<2x2xi32> -> tensor<2x?xi64>
  %y = tensor.cast %i : tensor<2x?xi64> to tensor<2x2xi64>
  %expected = tenon.constant dense<[[0, 1], [1, 0]]> : tensor<2x2xi64>
  return %y, %expected : tensor<2x2xi64>, tensor<2x2xi64>
}

// Of four boxes the second covers a third of what the first does, the third all of it, and the last stands alone; the
// fifth covers nothing, the sixth has no place.
func.func @suppress() -> (tensor<2x6xi1>, tensor<2x6xi1>) {
  %c = tenon.constant dense<[[true, true, true, true, true, true], [false, true, true, true, true, true]]> : tensor<2x6xi1>
  %b = tenon.constant dense<[[[0.0, 0.0, 0.0, 9.0, 1.0, 0x7FC00000], [0.0, 1.0, 0.0, 9.0, 1.0, 0.0],
                              [2.0, 2.0, 2.0, 10.0, 1.0, 2.0], [2.0, 3.0, 2.0, 10.0, 1.0, 2.0]],
                             [[0.0, 0.0, 0.0, 9.0, 1.0, 0x7FC00000], [0.0, 1.0, 0.0, 9.0, 1.0, 0.0],
                              [2.0, 2.0, 2.0, 10.0, 1.0, 2.0], [2.0, 3.0, 2.0, 10.0, 1.0, 2.0]]]> : tensor<2x4x6xf32>
  %t = tenon.constant dense<0.3> : tensor<f32>
  %n = tenon.constant dense<3> : tensor<i64>
  %y = tenon.suppress %c, %b threshold %t most %n : tensor<2x6xi1>, tensor<2x4x6xf32>, tensor<f32>, tensor<i64>
  %expected = tenon.constant dense<[[true, false, false, true, true, false], [false, true, false, true, true, false]]> : tensor<2x6xi1>
  return %y, %expected : tensor<2x6xi1>, tensor<2x6xi1>
}
