module {
  module @buffers {
    func.func private @k(memref<4xf32, #tenon_host.device<"gpu">>)
    func.func @copies(%arg0: index, %arg1: memref<?x4xf32>, %arg2: memref<?x4xf32, strided<[8, 1]>>) {
      tenon_host.copy %arg1 to %arg2 : memref<?x4xf32> to memref<?x4xf32, strided<[8, 1]>>
      %0 = tenon_host.storage growing 0 sizes [%arg0] : memref<?xf32>
      %1 = tenon_host.storage growing 1 sizes [%arg0] : memref<?xf32>
      tenon_host.exchange %0, %1 : memref<?xf32>, memref<?xf32>
      return
    }
    func.func @strides(%arg0: tensor<2x?x16xf32>) -> index {
      %0 = tenon_host.bound_stride input 1 dim 0
      %1 = tenon_host.bound_stride input 1 dim 1
      tenon_host.bind_strides %arg0[%0, %1] : tensor<2x?x16xf32>
      %2 = tenon_host.is_aliased output 0 input 1
      return %2 : index
    }
    func.func @device(%arg0: memref<4xf32>, %arg1: memref<4xf32, #tenon_host.device<"gpu">>) {
      %0 = tenon_host.async {
        tenon_host.copy %arg0 to %arg1 : memref<4xf32> to memref<4xf32, #tenon_host.device<"gpu">>
      }
      %1 = tenon_host.async after(%0) {
        tenon_host.launch @k outs(%arg1 : memref<4xf32, #tenon_host.device<"gpu">>)
      }
      tenon_host.await %0, %1
      return
    }
  }
  module @calls {
    func.func @placed(%arg0: index, %arg1: memref<?xf32>, %arg2: memref<?xf32>) {
      %0 = tenon_host.slot input 0 "words" sizes [%arg0] : <tensor<?x!tenon.string>>
      %1 = tenon_host.slot arena 2 sizes [] : <!tenon.seq<tensor<?xf32>>>
      tenon_host.call_external "scale" library "vendor" ins(%arg1, %0 : memref<?xf32>, !tenon_host.value<tensor<?x!tenon.string>>) outs(%arg2, %1 : memref<?xf32>, !tenon_host.value<!tenon.seq<tensor<?xf32>>>)
      return
    }
    func.func @tensors(%arg0: tensor<4xf32>) {
      %0:2 = tenon_host.call_external "f" library "" outs(%arg0 : tensor<4xf32>) -> tensor<4xf32>, !tenon.seq<tensor<?xf32>>
      return
    }
  }
  module @host {
    func.func private @k(index)
    func.func @placed(%arg0: index, %arg1: index) {
      %0 = tenon_host.storage arena 0 sizes [%arg0, 768] live [0, 2] : memref<?x768xf32>
      %1 = tenon_host.view %0[%arg1] sizes [%arg0, 64] strides [768, 1] : memref<?x768xf32> -> memref<?x64xf32, strided<[768, 1], offset: ?>>
      tenon_host.launch @k symbols(%arg0, %arg1) ins(%1 : memref<?x64xf32, strided<[768, 1], offset: ?>>) outs(%0 : memref<?x768xf32>)
      tenon_host.launch @k symbols(%arg0, %arg1) outs(%0 : memref<?x768xf32>)
      return
    }
    func.func @checks(%arg0: index, %arg1: index) {
      tenon_host.check_equal %arg0, %arg1 "operands differ"
      tenon_host.check_at_most %arg0, %arg1 "reads beyond the operand"
      return
    }
  }
  module @scalars {
    func.func @scalars(%arg0: memref<2xi64>, %arg1: memref<i1>) -> i1 {
      %0 = tenon_host.read_scalar %arg0 at 1 : memref<2xi64> -> index
      tenon_host.write_scalar %0 to %arg0 at 0 : index to memref<2xi64>
      %1 = tenon_host.read_scalar %arg1 at 0 : memref<i1> -> i1
      return %1 : i1
    }
    func.func @growing(%arg0: index, %arg1: index) {
      %0 = tenon_host.storage growing 0 sizes [%arg0, 4] : memref<?x4xf32>
      %1 = tenon_host.storage growing 1 sizes [%arg1, 4] : memref<?x4xf32>
      tenon_host.exchange %0, %1 : memref<?x4xf32>, memref<?x4xf32>
      tenon_host.check_equal %arg0, %arg1 "sizes differ"
      return
    }
  }
  module @segments {
    func.func private @k(index)
    func.func private @plan_0() -> (index, index, i1) attributes {tenon_host.plan} {
      %m = tenon.symbol "m"
      %0 = tenon_host.bound_size input 0 dim 0
      %1 = tenon_host.buffer_bytes sizes [%m, 4] : memref<?x4xf32>
      %2 = arith.cmpi slt, %0, %m : index
      return %0, %1, %2 : index, index, i1
    }
    func.func private @plan_1(%arg0: index) -> index attributes {tenon_host.plan} {
      return %arg0 : index
    }
    func.func @main() {
      %m = tenon.symbol "m"
      %0:3 = tenon_host.plan 0 @plan_0() : () -> (index, index, i1)
      %1:2 = tenon_host.segment 0 -> memref<?x4xf32>, index {
        tenon_host.check_rows input 0 sizes [%0#0, 4] strides [4]
        %3 = tenon_host.storage input 0 "x" sizes [%m, 4] : memref<?x4xi64>
        %4 = tenon_host.storage arena 0 sizes [%m, 4] bytes %0#1 live [0, 1] : memref<?x4xf32>
        tenon_host.launch @k symbols(%0#0) ins(%3 : memref<?x4xi64>) outs(%4 : memref<?x4xf32>)
        %5 = tenon_host.read_scalar %3 at 0 : memref<?x4xi64> -> index
        tenon_host.yield %4, %5 : memref<?x4xf32>, index
      }
      %2 = tenon_host.plan 1 @plan_1(%1#1) : (index) -> index
      tenon_host.segment 1 {
        %3 = tenon_host.storage output 0 "y" sizes [%2] : memref<?xf32>
        tenon_host.launch @k symbols(%2) ins(%1#0 : memref<?x4xf32>) outs(%3 : memref<?xf32>)
      }
      return
    }
  }
}
