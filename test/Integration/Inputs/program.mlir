// A small model with an input of any batch, constants and two kernels.
func.func @main(%x: tensor<?x8xf32> {tenon.name = "x"}) -> (tensor<?x4xf32> {tenon.name = "y"}) {
  %n = tenon.symbol "batch"
  tenon.bind_shape %x [%n, 8] : tensor<?x8xf32>
  %w = tenon.constant dense<0.5> : tensor<8x4xf32>
  %c = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>,
                                   affine_map<(m, n, k) -> (m, n)>]
       : tensor<?x8xf32>, tensor<8x4xf32> -> tensor<?x4xf32>
  %y = tenon.softmax %c dims [1] : tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
