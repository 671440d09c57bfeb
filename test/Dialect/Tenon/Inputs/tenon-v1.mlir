module {
  module @attention {
    func.func @heads(%arg0: tensor<?x?x12x64xf32>, %arg1: tensor<?x?x12x64xf32>, %arg2: tensor<?x?x12x64xf32>, %arg3: tensor<?x?xf32>) -> tensor<?x?x12x64xf32> {
      %0 = tenon.attention %arg0, %arg1, %arg2 mask(%arg3 : tensor<?x?xf32>) maps [affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d2, d1, d5)>, affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d4, d1, d5)>, affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d4, d1, d3)>, affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d4)>, affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d2, d1, d3)>] scale 1.250000e-01 : tensor<?x?x12x64xf32>, tensor<?x?x12x64xf32>, tensor<?x?x12x64xf32> -> tensor<?x?x12x64xf32>
      return %0 : tensor<?x?x12x64xf32>
    }
    func.func @selects(%arg0: tensor<4x8xf16>, %arg1: tensor<5x8xf16>, %arg2: tensor<5x3xf16>, %arg3: tensor<4x5xi1>) -> tensor<4x3xf16> {
      %0 = tenon.attention %arg0, %arg1, %arg2 mask(%arg3 : tensor<4x5xi1>) maps [affine_map<(d0, d1, d2, d3) -> (d0, d3)>, affine_map<(d0, d1, d2, d3) -> (d2, d3)>, affine_map<(d0, d1, d2, d3) -> (d2, d1)>, affine_map<(d0, d1, d2, d3) -> (d0, d2)>, affine_map<(d0, d1, d2, d3) -> (d0, d1)>] scale 1.000000e+00 fill -1.000000e+04 {zero_nan} : tensor<4x8xf16>, tensor<5x8xf16>, tensor<5x3xf16> -> tensor<4x3xf16>
      return %0 : tensor<4x3xf16>
    }
  }
  module @contraction {
    func.func @batched(%arg0: tensor<?x?x64xf32>, %arg1: tensor<?x64x32xf32>) -> tensor<?x?x32xf32> {
      %0 = tenon.contract %arg0, %arg1 maps [affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d3, d2)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>] : tensor<?x?x64xf32>, tensor<?x64x32xf32> -> tensor<?x?x32xf32>
      return %0 : tensor<?x?x32xf32>
    }
    func.func @stem(%arg0: tensor<?x3x224x224xf32>, %arg1: tensor<64x3x7x7xf32>) -> tensor<?x64x112x112xf32> {
      %0 = tenon.conv %arg0, %arg1 strides [2, 2] dilations [1, 1] pads [3, 3, 3, 3] groups 1 : tensor<?x3x224x224xf32>, tensor<64x3x7x7xf32> -> tensor<?x64x112x112xf32>
      return %0 : tensor<?x64x112x112xf32>
    }
  }
  module @control_flow {
    func.func @branch(%arg0: tensor<i1>, %arg1: tensor<4xf32>, %arg2: tensor<4xf32>) -> tensor<4xf32> {
      %0 = tenon.if %arg0 -> tensor<4xf32> {
        tenon.yield %arg1 : tensor<4xf32>
      } else {
        tenon.yield %arg2 : tensor<4xf32>
      }
      return %0 : tensor<4xf32>
    }
    func.func @loop(%arg0: tensor<i64>, %arg1: tensor<i1>, %arg2: tensor<4xf32>) -> tensor<?x4xf32> {
      %0:2 = tenon.loop %arg0, %arg1 carried(%arg2 : tensor<4xf32>) -> tensor<4xf32>, tensor<?x4xf32> {
      ^bb0(%arg3: tensor<i64>, %arg4: tensor<4xf32>):
        %1 = tenon.add %arg4, %arg4 : tensor<4xf32>
        tenon.yield %arg1, %1, %1 : tensor<i1>, tensor<4xf32>, tensor<4xf32>
      }
      return %0#1 : tensor<?x4xf32>
    }
  }
  module @data_movement {
    func.func @constants() -> tensor<256xf32> {
      %0 = tenon.constant dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
      %1 = tenon.constant #tenon.blob<"weights.bin", 4096, 1024> : tensor<256xf32>
      %2 = tenon.constant #tenon.blob<"weights.bin", 0, 1024, xxh3 0x0fedcba987654321> : tensor<256xf32>
      return %1 : tensor<256xf32>
    }
    func.func @move(%arg0: tensor<?x768xf32>, %arg1: index, %arg2: tensor<f32>) -> tensor<?x3xi64> {
      %0 = tenon.reshape %arg0 sizes [%arg1, 12, 64] : tensor<?x768xf32> -> tensor<?x12x64xf32>
      %1 = tenon.broadcast %arg0 dims [1, 2] sizes [4, %arg1, 768] : tensor<?x768xf32> -> tensor<4x?x768xf32>
      %2 = tenon.transpose %arg0 [1, 0] : tensor<?x768xf32> -> tensor<768x?xf32>
      %3 = tenon.slice %arg0 offsets [0, %arg1] sizes [%arg1, 64] strides [1, -1] : tensor<?x768xf32> -> tensor<?x64xf32>
      %4 = tenon.pad reflect %arg0, %arg2 low [0, 1] high [%arg1, 2] : tensor<?x768xf32>, tensor<f32> -> tensor<?x771xf32>
      %5 = tenon.concat %arg0, %3 dim 1 : tensor<?x768xf32>, tensor<?x64xf32> -> tensor<?x832xf32>
      %6 = tenon.iota dim 1 sizes [%arg1, 3] : tensor<?x3xi64>
      return %6 : tensor<?x3xi64>
    }
    func.func @index(%arg0: tensor<30522x768xf32>, %arg1: tensor<?x1xi64>) -> tensor<2x?xi64> {
      %0 = tenon.gather error %arg0, %arg1 dims [0] batch_dims 0 : tensor<30522x768xf32>, tensor<?x1xi64> -> tensor<?x768xf32>
      %1 = tenon.nonzero %0 : tensor<?x768xf32> -> tensor<2x?xi64>
      return %1 : tensor<2x?xi64>
    }
    func.func @scatter(%arg0: tensor<?x768xf32>, %arg1: tensor<?x1xi64>, %arg2: tensor<?x768xf32>, %arg3: index) {
      %0 = tenon.scatter error %arg0, %arg1, %arg2 dims [0] batch_dims 0 : tensor<?x768xf32>, tensor<?x1xi64>, tensor<?x768xf32>
      %1 = tenon.scatter drop sum %arg0, %arg1, %arg2 dims [0] batch_dims 0 : tensor<?x768xf32>, tensor<?x1xi64>, tensor<?x768xf32>
      %values, %indices = tenon.topk %arg0 dim 1 k [8] : tensor<?x768xf32> -> tensor<?x8xf32>, tensor<?x8xi64>
      %values_0, %indices_1 = tenon.topk %arg0 dim 1 k [%arg3] {smallest} : tensor<?x768xf32> -> tensor<?x?xf32>, tensor<?x?xi64>
      return
    }
    func.func @suppress(%arg0: tensor<80x?xi1>, %arg1: tensor<80x4x?xf32>, %arg2: tensor<f32>, %arg3: tensor<i64>) {
      %0 = tenon.suppress %arg0, %arg1 threshold %arg2 most %arg3 : tensor<80x?xi1>, tensor<80x4x?xf32>, tensor<f32>, tensor<i64>
      return
    }
  }
  module @elementwise {
    func.func @unary(%arg0: tensor<?x4xf32>) {
      %0 = tenon.neg %arg0 : tensor<?x4xf32>
      %1 = tenon.abs %arg0 : tensor<?x4xf32>
      %2 = tenon.exp %arg0 : tensor<?x4xf32>
      %3 = tenon.expm1 %arg0 : tensor<?x4xf32>
      %4 = tenon.log %arg0 : tensor<?x4xf32>
      %5 = tenon.log1p %arg0 : tensor<?x4xf32>
      %6 = tenon.sqrt %arg0 : tensor<?x4xf32>
      %7 = tenon.rsqrt %arg0 : tensor<?x4xf32>
      %8 = tenon.reciprocal %arg0 : tensor<?x4xf32>
      %9 = tenon.sin %arg0 : tensor<?x4xf32>
      %10 = tenon.cos %arg0 : tensor<?x4xf32>
      %11 = tenon.tan %arg0 : tensor<?x4xf32>
      %12 = tenon.asin %arg0 : tensor<?x4xf32>
      %13 = tenon.acos %arg0 : tensor<?x4xf32>
      %14 = tenon.atan %arg0 : tensor<?x4xf32>
      %15 = tenon.sinh %arg0 : tensor<?x4xf32>
      %16 = tenon.cosh %arg0 : tensor<?x4xf32>
      %17 = tenon.asinh %arg0 : tensor<?x4xf32>
      %18 = tenon.acosh %arg0 : tensor<?x4xf32>
      %19 = tenon.atanh %arg0 : tensor<?x4xf32>
      %20 = tenon.tanh %arg0 : tensor<?x4xf32>
      %21 = tenon.erf %arg0 : tensor<?x4xf32>
      %22 = tenon.sigmoid %arg0 : tensor<?x4xf32>
      %23 = tenon.floor %arg0 : tensor<?x4xf32>
      %24 = tenon.ceil %arg0 : tensor<?x4xf32>
      %25 = tenon.round %arg0 : tensor<?x4xf32>
      %26 = tenon.sign %arg0 : tensor<?x4xf32>
      return
    }
    func.func @binary(%arg0: tensor<?x4xf32>, %arg1: tensor<?x4xf32>) {
      %0 = tenon.add %arg0, %arg1 : tensor<?x4xf32>
      %1 = tenon.sub %arg0, %arg1 : tensor<?x4xf32>
      %2 = tenon.mul %arg0, %arg1 : tensor<?x4xf32>
      %3 = tenon.div %arg0, %arg1 : tensor<?x4xf32>
      %4 = tenon.rem %arg0, %arg1 : tensor<?x4xf32>
      %5 = tenon.mod %arg0, %arg1 : tensor<?x4xf32>
      %6 = tenon.pow %arg0, %arg1 : tensor<?x4xf32>
      %7 = tenon.min %arg0, %arg1 : tensor<?x4xf32>
      %8 = tenon.max %arg0, %arg1 : tensor<?x4xf32>
      %9 = tenon.atan2 %arg0, %arg1 : tensor<?x4xf32>
      return
    }
    func.func @integer(%arg0: tensor<3xui8>, %arg1: tensor<3xui8>) {
      %0 = tenon.and %arg0, %arg1 : tensor<3xui8>
      %1 = tenon.or %arg0, %arg1 : tensor<3xui8>
      %2 = tenon.xor %arg0, %arg1 : tensor<3xui8>
      %3 = tenon.shl %arg0, %arg1 : tensor<3xui8>
      %4 = tenon.shr %arg0, %arg1 : tensor<3xui8>
      %5 = tenon.not %arg0 : tensor<3xui8>
      return
    }
    func.func @others(%arg0: tensor<?x4xf32>, %arg1: tensor<?x4xf32>) -> tensor<?x4xi64> {
      %0 = tenon.compare lt %arg0, %arg1 : tensor<?x4xf32> -> tensor<?x4xi1>
      %1 = tenon.is_nan %arg0 : tensor<?x4xf32> -> tensor<?x4xi1>
      %2 = tenon.select %0, %arg0, %arg1 : tensor<?x4xi1>, tensor<?x4xf32>
      %3 = tenon.cast %2 {saturate} : tensor<?x4xf32> -> tensor<?x4xf8E4M3FN>
      %4 = tenon.cast %2 : tensor<?x4xf32> -> tensor<?x4xi64>
      %5 = tenon.bitcast %2 : tensor<?x4xf32> -> tensor<?x4xui32>
      return %4 : tensor<?x4xi64>
    }
  }
  module @host_calls {
    func.func @external(%arg0: tensor<?x4xf32>, %arg1: !tenon.seq<tensor<?xf32>>) {
      %0 = tenon.call_external "scale" library "vendor"(%arg0) : (tensor<?x4xf32>) -> tensor<?x4xf32>
      %1:2 = tenon.call_external "source"() : () -> (tensor<?xi64>, !tenon.opt<tensor<*xf32>>)
      return
    }
    func.func @sequences(%arg0: tensor<2xf32>, %arg1: tensor<3xf32>, %arg2: tensor<i64>, %arg3: tensor<?x4xf32>) {
      %0 = tenon.sequence(%arg0, %arg1) : (tensor<2xf32>, tensor<3xf32>) -> !tenon.seq<tensor<?xf32>>
      %1 = tenon.sequence() : () -> !tenon.seq<tensor<*xf32>>
      %2 = tenon.sequence_insert %0, %arg0 at %arg2 : !tenon.seq<tensor<?xf32>>, tensor<2xf32>, tensor<i64> -> !tenon.seq<tensor<?xf32>>
      %3 = tenon.sequence_insert %0, %arg0 : !tenon.seq<tensor<?xf32>>, tensor<2xf32> -> !tenon.seq<tensor<?xf32>>
      %4 = tenon.sequence_erase %0 at %arg2 : !tenon.seq<tensor<?xf32>>, tensor<i64>
      %5 = tenon.sequence_erase %0 : !tenon.seq<tensor<?xf32>>
      %6 = tenon.sequence_at %0, %arg2 : !tenon.seq<tensor<?xf32>>, tensor<i64> -> tensor<?xf32>
      %7 = tenon.sequence_length %0 : !tenon.seq<tensor<?xf32>> -> tensor<i64>
      %8 = tenon.sequence_concat %0 dim 0 : !tenon.seq<tensor<?xf32>> -> tensor<?xf32>
      %9 = tenon.sequence_concat %0 dim 1 new_dim : !tenon.seq<tensor<?xf32>> -> tensor<?x?xf32>
      %10 = tenon.sequence_split %arg3 by %arg2 dim 0 : tensor<?x4xf32>, tensor<i64> -> !tenon.seq<tensor<?x4xf32>>
      %11 = tenon.sequence_split %arg3 dim 0 drop_dim : tensor<?x4xf32> -> !tenon.seq<tensor<4xf32>>
      return
    }
    func.func @optionals(%arg0: tensor<4xf32>) {
      %0 = tenon.optional %arg0 : tensor<4xf32> -> !tenon.opt<tensor<4xf32>>
      %1 = tenon.optional -> !tenon.opt<!tenon.seq<tensor<?xf32>>>
      %2 = tenon.optional_has %0 : !tenon.opt<tensor<4xf32>> -> tensor<i1>
      %3 = tenon.optional_get %0 : !tenon.opt<tensor<4xf32>> -> tensor<4xf32>
      return
    }
    func.func @strings(%arg0: tensor<?x!tenon.string>, %arg1: tensor<3x!tenon.string>, %arg2: tensor<3xi64>, %arg3: tensor<i64>) {
      %0 = tenon.string_concat %arg0, %arg0 : tensor<?x!tenon.string>
      %1 = tenon.string_match %arg0 pattern "[a-z]+" : tensor<?x!tenon.string> -> tensor<?xi1>
      %2 = tenon.string_normalize "lower" %arg0 without ["the", "a"] case_sensitive : tensor<?x!tenon.string> -> tensor<?x!tenon.string>
      %parts, %counts = tenon.string_split %arg0 delimiter "," max_splits -1 : tensor<?x!tenon.string> -> tensor<?x?x!tenon.string>, tensor<?xi64>
      %3 = tenon.lookup %arg0, %arg1, %arg2, %arg3 : tensor<?x!tenon.string>, tensor<3x!tenon.string>, tensor<3xi64>, tensor<i64> -> tensor<?xi64>
      return
    }
    func.func @chance() -> tensor<i64> {
      %0 = tenon.random_seed stream 3 : tensor<i64>
      return %0 : tensor<i64>
    }
  }
  module @normalization {
    func.func @composites(%arg0: tensor<?x128x768xf16>) -> tensor<?x128x768xf16> {
      %0 = tenon.softmax %arg0 dims [2] {log} : tensor<?x128x768xf16>
      %1 = tenon.normalize %0 dims [1, 2] epsilon 1.000000e-05 {rms} : tensor<?x128x768xf16>
      %2 = tenon.gelu %1 {tanh} : tensor<?x128x768xf16>
      return %2 : tensor<?x128x768xf16>
    }
  }
  module @reduction {
    func.func @reduce(%arg0: tensor<?x768xf32>) -> tensor<?xi64> {
      %0 = tenon.reduce sum %arg0 dims [1] : tensor<?x768xf32> -> tensor<?xf32>
      %1 = tenon.reduce mean %arg0 dims [0, 1] : tensor<?x768xf32> -> tensor<f32>
      %2 = tenon.arg_reduce max %arg0 dim 1 {last} : tensor<?x768xf32> -> tensor<?xi64>
      return %2 : tensor<?xi64>
    }
    func.func @window(%arg0: tensor<1x64x112x112xf32>) -> tensor<1x64x57x57xf32> {
      %0 = tenon.window max %arg0 sizes [3, 3] strides [2, 2] dilations [1, 1] pads [1, 1, 1, 1] {ceil} : tensor<1x64x112x112xf32> -> tensor<1x64x57x57xf32>
      return %0 : tensor<1x64x57x57xf32>
    }
    func.func @scan(%arg0: tensor<?x768xf32>) -> tensor<?x768xf32> {
      %0 = tenon.scan sum %arg0 dim 1 {exclusive, reverse} : tensor<?x768xf32>
      return %0 : tensor<?x768xf32>
    }
  }
  module @shape {
    func.func @shape(%arg0: tensor<?x128xf32>) -> index {
      %batch = tenon.symbol "batch" range [1, 64] divisible 8
      tenon.bind_shape %arg0 [%batch, 128] : tensor<?x128xf32>
      %0 = tenon.size %arg0 dim 0 : tensor<?x128xf32>
      %1 = tenon.from_sizes [%0, 128] : tensor<2xi64>
      %2 = tenon.item %1 at 1 : tensor<2xi64>
      return %2 : index
    }
  }
  module @unfold {
    func.func @unfold(%arg0: tensor<1x4x6x?xf32>) -> tensor<1x4x3x3x3x?xf32> {
      %0 = tenon.unfold %arg0 sizes [3, 3] strides [2, 2] dilations [1, 1] pads [1, 1, 1, 1] : tensor<1x4x6x?xf32> -> tensor<1x4x3x3x3x?xf32>
      return %0 : tensor<1x4x3x3x3x?xf32>
    }
  }
}
