// What the interpreter finds: each program must end with its error.
// RUN: tenon-interpret --check %s

#workgroup = #tenon_tile.memory<workgroup>
#launch = #tenon_tile.memory<launch>

tenon_tile.kernel @copy(%m: index, %x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  tenon.bind_shape %x [%m, 8] : tensor<?x8xf32>
  tenon_tile.yield %x : tensor<?x8xf32>
}

tenon_tile.program @right(%m: index, %x: memref<?x8xf32>) -> (%y: memref<?x8xf32>) attributes {tenon_tile.computes = @copy} {
  bind %x sizes [%m, 8] : memref<?x8xf32>
  bind %y sizes [%m, 8] : memref<?x8xf32>
  grid (%i, %mi) = 0 to %m step 4 {
    %a = load %x[%i, 0] extents [%mi, 8] : memref<?x8xf32> -> tensor<4x8xf32>
    store %a, %y[%i, 0] extents [%mi, 8] : tensor<4x8xf32>, memref<?x8xf32>
  }
}

tenon_tile.program @reads_outside(%m: index, %x: memref<?x8xf32>) -> (%y: memref<?x8xf32>)
    attributes {tenon_tile.computes = @copy, tenon.sizes = [[3]], tenon.error = "reads outside of memory of sizes [3, 8], a tile [4, 8] at [0, 0]"} {
  bind %x sizes [%m, 8] : memref<?x8xf32>
  bind %y sizes [%m, 8] : memref<?x8xf32>
  grid (%i, %mi) = 0 to %m step 4 {
    %a = load %x[%i, 0] : memref<?x8xf32> -> tensor<4x8xf32>
    store %a, %y[%i, 0] extents [%mi, 8] : tensor<4x8xf32>, memref<?x8xf32>
  }
}

tenon_tile.program @writes_outside(%m: index, %x: memref<?x8xf32>) -> (%y: memref<?x8xf32>)
    attributes {tenon_tile.computes = @copy, tenon.sizes = [[3]], tenon.error = "writes outside of memory of sizes [3, 8], a tile [4, 8] at [0, 0]"} {
  bind %x sizes [%m, 8] : memref<?x8xf32>
  bind %y sizes [%m, 8] : memref<?x8xf32>
  grid (%i, %mi) = 0 to %m step 4 {
    %a = load %x[%i, 0] extents [%mi, 8] : memref<?x8xf32> -> tensor<4x8xf32>
    store %a, %y[%i, 0] : tensor<4x8xf32>, memref<?x8xf32>
  }
}

tenon_tile.program @reads_gap(%m: index, %sx: index, %x: memref<?x8xf32, strided<[?, 1]>>) -> (%y: memref<?x8xf32>)
    attributes {tenon_tile.computes = @copy, tenon.sizes = [[2]], tenon.error = "reads operand 0 where it has no elements"} {
  bind %x sizes [%m, 8] strides [%sx, 1] : memref<?x8xf32, strided<[?, 1]>>
  bind %y sizes [%m, 8] : memref<?x8xf32>
  %v = view %x (i) -> (0, i) sizes [%m * 8] : memref<?x8xf32, strided<[?, 1]>> -> memref<?xf32, strided<[1]>>
  grid (%i) = 0 to %m * 8 {
    %a = load %v[%i] : memref<?xf32, strided<[1]>> -> tensor<1xf32>
  }
}

tenon_tile.program @view_runs_out(%m: index, %x: memref<?x8xf32>) -> (%y: memref<?x8xf32>)
    attributes {tenon_tile.computes = @copy, tenon.sizes = [[2]], tenon.error = "runs out of operand 0, which has 16 elements, from 0 to 18"} {
  bind %x sizes [%m, 8] : memref<?x8xf32>
  bind %y sizes [%m, 8] : memref<?x8xf32>
  %v = view %x (i, j, k) -> (i, j + k) sizes [%m, 8, 4] : memref<?x8xf32> -> memref<?x8x4xf32, strided<[8, 1, 1]>>
  grid (%i) = 0 to 1 {
  }
}

tenon_tile.program @reads_unwritten(%m: index, %x: memref<?x8xf32>) -> (%y: memref<?x8xf32>)
    attributes {tenon_tile.computes = @copy, tenon.sizes = [[5]], tenon.error = "where nothing was written"} {
  bind %x sizes [%m, 8] : memref<?x8xf32>
  bind %y sizes [%m, 8] : memref<?x8xf32>
  %s = scratch : memref<4x8xf32, #workgroup>
  grid (%i, %mi) = 0 to %m step 4 {
    %a = load %s[0, 0] : memref<4x8xf32, #workgroup> -> tensor<4x8xf32>
    store %a, %y[%i, 0] extents [%mi, 8] : tensor<4x8xf32>, memref<?x8xf32>
  }
}

// What a unit wrote to scratch of its group is gone in the next one.
tenon_tile.program @scratch_is_kept(%m: index, %x: memref<?x8xf32>) -> (%y: memref<?x8xf32>)
    attributes {tenon_tile.computes = @copy, tenon.sizes = [[8]], tenon.error = "where nothing was written"} {
  bind %x sizes [%m, 8] : memref<?x8xf32>
  bind %y sizes [%m, 8] : memref<?x8xf32>
  %s = scratch : memref<8xf32, #workgroup>
  grid (%i) = 0 to 8 {
    %a = load %x[%i, 0] : memref<?x8xf32> -> tensor<8xf32>
    for (%k) = %i to 1 {
      store %a, %s[0] : tensor<8xf32>, memref<8xf32, #workgroup>
    }
    %b = load %s[0] : memref<8xf32, #workgroup> -> tensor<8xf32>
    store %b, %y[%i, 0] : tensor<8xf32>, memref<?x8xf32>
  }
}

tenon_tile.program @writes_operand(%m: index, %x: memref<?x8xf32>) -> (%y: memref<?x8xf32>)
    attributes {tenon_tile.computes = @copy, tenon.sizes = [[2]], tenon.error = "writes operand 0"} {
  bind %x sizes [%m, 8] : memref<?x8xf32>
  bind %y sizes [%m, 8] : memref<?x8xf32>
  grid (%i) = 0 to %m {
    %a = load %x[%i, 0] : memref<?x8xf32> -> tensor<8xf32>
    store %a, %x[%i, 0] : tensor<8xf32>, memref<?x8xf32>
  }
}

tenon_tile.program @other_bits(%m: index, %x: memref<?x8xf32>) -> (%y: memref<?x8xf32>)
    attributes {tenon_tile.computes = @copy, tenon.sizes = [[2]], tenon.error = "writes other bits to result 0 than another unit"} {
  bind %x sizes [%m, 8] : memref<?x8xf32>
  bind %y sizes [%m, 8] : memref<?x8xf32>
  grid (%i) = 0 to %m {
    %a = load %x[%i, 0] : memref<?x8xf32> -> tensor<8xf32>
    store %a, %y[0, 0] : tensor<8xf32>, memref<?x8xf32>
  }
}

tenon_tile.program @reads_other_unit(%m: index, %x: memref<?x8xf32>) -> (%y: memref<?x8xf32>)
    attributes {tenon_tile.computes = @copy, tenon.sizes = [[3]], tenon.error = "where another unit of the grid writes"} {
  bind %x sizes [%m, 8] : memref<?x8xf32>
  bind %y sizes [%m, 8] : memref<?x8xf32>
  %s = scratch : memref<8xf32, #launch>
  grid (%i) = 0 to %m {
    %a = load %x[%i, 0] : memref<?x8xf32> -> tensor<8xf32>
    for (%k) = %i to 1 {
      store %a, %s[0] : tensor<8xf32>, memref<8xf32, #launch>
    }
    %b = load %s[0] : memref<8xf32, #launch> -> tensor<8xf32>
    store %b, %y[%i, 0] : tensor<8xf32>, memref<?x8xf32>
  }
}

tenon_tile.program @never_stored(%m: index, %x: memref<?x8xf32>) -> (%y: memref<?x8xf32>)
    attributes {tenon_tile.computes = @copy, tenon.sizes = [[3]], tenon.error = "never stores element 16 of result 0"} {
  bind %x sizes [%m, 8] : memref<?x8xf32>
  bind %y sizes [%m, 8] : memref<?x8xf32>
  grid (%i) = 0 to %m - 1 {
    %a = load %x[%i, 0] : memref<?x8xf32> -> tensor<8xf32>
    store %a, %y[%i, 0] : tensor<8xf32>, memref<?x8xf32>
  }
}

tenon_tile.kernel @column_sums(%m: index, %x: tensor<?x8xf32>) -> tensor<8xf32> {
  tenon.bind_shape %x [%m, 8] : tensor<?x8xf32>
  %0 = tenon.reduce sum %x dims [0] : tensor<?x8xf32> -> tensor<8xf32>
  tenon_tile.yield %0 : tensor<8xf32>
}

// A partial dimension is summed without `fill`: one filler gives NaN, the other a number.
tenon_tile.program @changes_with_filler(%m: index, %x: memref<?x8xf32>) -> (%y: memref<8xf32>)
    attributes {tenon_tile.computes = @column_sums, tenon.sizes = [[3]], tenon.tolerance = 1.0e-5, tenon.error = "result 0"} {
  bind %x sizes [%m, 8] : memref<?x8xf32>
  grid (%i) = 0 to 1 {
    %a = load %x[0, 0] extents [%m, 8] : memref<?x8xf32> -> tensor<4x8xf32>
    %b = tenon.reduce sum %a dims [0] : tensor<4x8xf32> -> tensor<8xf32>
    store %b, %y[0] : tensor<8xf32>, memref<8xf32>
  }
}

tenon_tile.program @hidden_by_luck(%m: index, %x: memref<?x8xf32>) -> (%y: memref<8xf32>)
    attributes {tenon_tile.computes = @column_sums, tenon.sizes = [[3]], tenon.tolerance = 1.0e40, tenon.error = "result 0"} {
  bind %x sizes [%m, 8] : memref<?x8xf32>
  %zero = tenon.constant dense<0.0> : tensor<4x8xf32>
  grid (%i) = 0 to 1 {
    %a = load %x[0, 0] extents [%m, 8] : memref<?x8xf32> -> tensor<4x8xf32>
    %c = tenon.compare gt %a, %zero : tensor<4x8xf32> -> tensor<4x8xi1>
    %s = tenon.select %c, %a, %zero : tensor<4x8xi1>, tensor<4x8xf32>
    %b = tenon.reduce sum %s dims [0] : tensor<4x8xf32> -> tensor<8xf32>
    store %b, %y[0] : tensor<8xf32>, memref<8xf32>
  }
}

tenon_tile.program @changes_with_processors(%m: index, %x: memref<?x8xf32>) -> (%y: memref<8xf32>)
    attributes {tenon_tile.computes = @column_sums, tenon.sizes = [[3]], tenon.tolerance = 1.0e40,
                tenon.error = "result 0 changes when it is run in shuffled order, with more processors"} {
  bind %x sizes [%m, 8] : memref<?x8xf32>
  %p = processors
  grid (%i) = 0 to 1 {
    %0 = position %p : tensor<8xi32>
    %1 = tenon.cast %0 : tensor<8xi32> -> tensor<8xf32>
    store %1, %y[0] : tensor<8xf32>, memref<8xf32>
  }
}

tenon_tile.program @tile_elsewhere(%m: index, %x: memref<?x8xf32>) -> (%y: memref<?x8xf32>)
    attributes {tenon_tile.computes = @copy, tenon.sizes = [[3]], tenon.error = "of a tensor that is known at a tile [8] at [0, 0]"} {
  bind %x sizes [%m, 8] : memref<?x8xf32>
  bind %y sizes [%m, 8] : memref<?x8xf32>
  grid (%i) = 0 to %m {
    %a = load %x[%i, 0] : memref<?x8xf32> -> tensor<8xf32>
    %o = compute at [%i, 0] (%v = %a at [0, 0] : tensor<8xf32> of tensor<?x8xf32>) -> tensor<8xf32> {
      tenon_tile.yield %v : tensor<?x8xf32>
    }
    store %o, %y[%i, 0] : tensor<8xf32>, memref<?x8xf32>
  }
}

tenon_tile.program @whole_of_a_tile(%m: index, %x: memref<?x8xf32>) -> (%y: memref<?x8xf32>)
    attributes {tenon_tile.computes = @copy, tenon.sizes = [[3]], tenon.error = "asks for the whole of a tensor that is known at a tile"} {
  bind %x sizes [%m, 8] : memref<?x8xf32>
  bind %y sizes [%m, 8] : memref<?x8xf32>
  grid (%i) = 0 to %m {
    %a = load %x[%i, 0] : memref<?x8xf32> -> tensor<8xf32>
    %o = compute at [%i, 0] (%v = %a : tensor<8xf32> of tensor<?x8xf32>) -> tensor<8xf32> {
      %0 = reshape %v sizes [%m, 8] : tensor<?x8xf32> -> tensor<?x8xf32>
      tenon_tile.yield %0 : tensor<?x8xf32>
    }
    store %o, %y[%i, 0] : tensor<8xf32>, memref<?x8xf32>
  }
}

// A result in its operand's memory may not be written where another unit still reads, not with equal bits either.
tenon_tile.program @tied(%m: index, %x: memref<?x8xf32>) -> (%y: memref<?x8xf32> {tenon_tile.tied = 1})
    attributes {tenon_tile.computes = @copy, tenon.sizes = [[3], [9]]} {
  bind %x sizes [%m, 8] : memref<?x8xf32>
  bind %y sizes [%m, 8] : memref<?x8xf32>
  grid (%i, %mi) = 0 to %m step 4 {
    %a = load %x[%i, 0] extents [%mi, 8] : memref<?x8xf32> -> tensor<4x8xf32>
    store %a, %y[%i, 0] extents [%mi, 8] : tensor<4x8xf32>, memref<?x8xf32>
  }
}

tenon_tile.program @tied_overlapping(%m: index, %x: memref<?x8xf32>) -> (%y: memref<?x8xf32> {tenon_tile.tied = 1})
    attributes {tenon_tile.computes = @copy, tenon.sizes = [[9]],
                tenon.error = "where another unit of the grid writes, run with results in their operands' memory"} {
  bind %x sizes [%m, 8] : memref<?x8xf32>
  bind %y sizes [%m, 8] : memref<?x8xf32>
  grid (%i) = 0 to %m step 4 {
    %at = affine.min affine_map<(i, m) -> (i, m - 4)>(%i, %m)
    %a = load %x[%at, 0] : memref<?x8xf32> -> tensor<4x8xf32>
    store %a, %y[%at, 0] : tensor<4x8xf32>, memref<?x8xf32>
  }
}

tenon_tile.program @reports(%m: index, %x: memref<?x8xf32>) -> (%y: memref<?x8xf32>)
    attributes {tenon_tile.computes = @copy, tenon.sizes = [[1]], tenon.error = "reports error 1 of value 7 and limit 5"} {
  bind %x sizes [%m, 8] : memref<?x8xf32>
  bind %y sizes [%m, 8] : memref<?x8xf32>
  %value = arith.constant 7 : i64
  %limit = arith.constant 5 : i64
  grid (%i) = 0 to %m {
    report 1 at %i value %value limit %limit
  }
}

//===----------------------------------------------------------------------===//
// Groups of threads
//===----------------------------------------------------------------------===//

tenon_tile.program @same_stage(%m: index, %x: memref<?x8xf32>) -> (%y: memref<?x8xf32>)
    attributes {warps = 1, tenon_tile.computes = @copy, tenon.sizes = [[3]], tenon.error = "in the stage that wrote it"} {
  bind %x sizes [%m, 8] : memref<?x8xf32>
  bind %y sizes [%m, 8] : memref<?x8xf32>
  %s = scratch : memref<8xf32, #workgroup>
  grid (%i) = 0 to %m {
    %a = load %x[%i, 0] : memref<?x8xf32> -> tensor<8xf32>
    store %a, %s[0] : tensor<8xf32>, memref<8xf32, #workgroup>
    %b = load %s[0] : memref<8xf32, #workgroup> -> tensor<8xf32>
    store %b, %y[%i, 0] : tensor<8xf32>, memref<?x8xf32>
  }
}

tenon_tile.program @next_stage(%m: index, %x: memref<?x8xf32>) -> (%y: memref<?x8xf32>)
    attributes {warps = 1, tenon_tile.computes = @copy, tenon.sizes = [[3]]} {
  bind %x sizes [%m, 8] : memref<?x8xf32>
  bind %y sizes [%m, 8] : memref<?x8xf32>
  %s = scratch : memref<8xf32, #workgroup>
  grid (%i) = 0 to %m {
    stage "in" {
      copy %x[%i, 0] to %s[0] tile [8] : memref<?x8xf32>, memref<8xf32, #workgroup>
    }
    %b = load %s[0] : memref<8xf32, #workgroup> -> tensor<8xf32>
    store %b, %y[%i, 0] : tensor<8xf32>, memref<?x8xf32>
  }
}

tenon_tile.program @overwrites_what_it_read(%m: index, %x: memref<?x8xf32>) -> (%y: memref<?x8xf32>)
    attributes {warps = 1, tenon_tile.computes = @copy, tenon.sizes = [[3]], tenon.error = "in the stage that read it"} {
  bind %x sizes [%m, 8] : memref<?x8xf32>
  bind %y sizes [%m, 8] : memref<?x8xf32>
  %s = scratch : memref<8xf32, #workgroup>
  grid (%i) = 0 to %m {
    stage "in" {
      copy %x[%i, 0] to %s[0] tile [8] : memref<?x8xf32>, memref<8xf32, #workgroup>
    }
    %b = load %s[0] : memref<8xf32, #workgroup> -> tensor<8xf32>
    store %b, %s[0] : tensor<8xf32>, memref<8xf32, #workgroup>
  }
}

tenon_tile.program @reads_before_the_copy_is_done(%m: index, %x: memref<?x8xf32>) -> (%y: memref<?x8xf32>)
    attributes {warps = 1, tenon_tile.computes = @copy, tenon.sizes = [[3]], tenon.error = "before what is copied there was taken"} {
  bind %x sizes [%m, 8] : memref<?x8xf32>
  bind %y sizes [%m, 8] : memref<?x8xf32>
  %s = scratch : memref<8xf32, #workgroup>
  grid (%i) = 0 to %m {
    stage "in" {
      copy %x[%i, 0] to %s[0] tile [8] : memref<?x8xf32>, memref<8xf32, #workgroup>
      %b = load %s[0] : memref<8xf32, #workgroup> -> tensor<8xf32>
    }
  }
}

tenon_tile.program @not_released(%m: index, %x: memref<?x8xf32>) -> (%y: memref<?x8xf32>)
    attributes {warps = 1, tenon_tile.computes = @copy, tenon.sizes = [[3]], tenon.error = "overwrites number 0, which was not released"} {
  bind %x sizes [%m, 8] : memref<?x8xf32>
  bind %y sizes [%m, 8] : memref<?x8xf32>
  %s = scratch : memref<2x8xf32, #workgroup>
  %ring = ring slots 2
  grid (%i) = 0 to 1 {
    for (%k) = 0 to 3 {
      put %ring[%k] slot %q {
        copy %x[%k, 0] to %s[%q, 0] tile [8] : memref<?x8xf32>, memref<2x8xf32, #workgroup>
      }
      %t = take %ring[%k]
    }
  }
}

tenon_tile.program @too_many_on_their_way(%m: index, %x: memref<?x8xf32>) -> (%y: memref<?x8xf32>)
    attributes {warps = 1, tenon_tile.computes = @copy, tenon.sizes = [[3]], tenon.error = "has 2 numbers on their way in a ring of 2 slots"} {
  bind %x sizes [%m, 8] : memref<?x8xf32>
  bind %y sizes [%m, 8] : memref<?x8xf32>
  %s = scratch : memref<2x8xf32, #workgroup>
  %ring = ring slots 2
  grid (%i) = 0 to 1 {
    for (%k) = 0 to 2 {
      put %ring[%k] slot %q {
        copy %x[%k, 0] to %s[%q, 0] tile [8] : memref<?x8xf32>, memref<2x8xf32, #workgroup>
      }
    }
  }
}

tenon_tile.program @taken_without_put(%m: index, %x: memref<?x8xf32>) -> (%y: memref<?x8xf32>)
    attributes {warps = 1, tenon_tile.computes = @copy, tenon.sizes = [[3]], tenon.error = "takes number 1, which nobody puts"} {
  bind %x sizes [%m, 8] : memref<?x8xf32>
  bind %y sizes [%m, 8] : memref<?x8xf32>
  %ring = ring slots 2
  grid (%i) = 0 to 1 {
    %t = take %ring[1]
  }
}

tenon_tile.program @never_taken(%m: index, %x: memref<?x8xf32>) -> (%y: memref<?x8xf32>)
    attributes {warps = 1, tenon_tile.computes = @copy, tenon.sizes = [[3]], tenon.error = "number 0 was never taken"} {
  bind %x sizes [%m, 8] : memref<?x8xf32>
  bind %y sizes [%m, 8] : memref<?x8xf32>
  %s = scratch : memref<2x8xf32, #workgroup>
  %ring = ring slots 2
  grid (%i) = 0 to 1 {
    put %ring[0] slot %q {
      copy %x[0, 0] to %s[%q, 0] tile [8] : memref<?x8xf32>, memref<2x8xf32, #workgroup>
    }
  }
}

tenon_tile.program @read_after_release(%m: index, %x: memref<?x8xf32>) -> (%y: memref<?x8xf32>)
    attributes {warps = 1, tenon_tile.computes = @copy, tenon.sizes = [[3]], tenon.error = "after the slot was released"} {
  bind %x sizes [%m, 8] : memref<?x8xf32>
  bind %y sizes [%m, 8] : memref<?x8xf32>
  %s = scratch : memref<2x8xf32, #workgroup>
  %ring = ring slots 2
  grid (%i) = 0 to 1 {
    put %ring[0] slot %q {
      copy %x[0, 0] to %s[%q, 0] tile [8] : memref<?x8xf32>, memref<2x8xf32, #workgroup>
    }
    %t = take %ring[0]
    release %ring[0]
    %b = load %s[%t, 0] : memref<2x8xf32, #workgroup> -> tensor<8xf32>
  }
}

tenon_tile.program @no_take_since_release(%m: index, %x: memref<?x8xf32>) -> (%y: memref<?x8xf32>)
    attributes {warps = 1, tenon_tile.computes = @copy, tenon.sizes = [[3]], tenon.error = "overwrites number 0 without a take since its release"} {
  bind %x sizes [%m, 8] : memref<?x8xf32>
  bind %y sizes [%m, 8] : memref<?x8xf32>
  %s = scratch : memref<1x8xf32, #workgroup>
  %ring = ring slots 1
  grid (%i) = 0 to 1 {
    for (%k) = 0 to 2 {
      put %ring[%k] slot %q {
        copy %x[%k, 0] to %s[%q, 0] tile [8] : memref<?x8xf32>, memref<1x8xf32, #workgroup>
      }
      %t = take %ring[%k]
      %b = load %s[%t, 0] : memref<1x8xf32, #workgroup> -> tensor<8xf32>
      release %ring[%k]
    }
  }
}

// Nobody releases: the copying role waits for good, and so does the other one.
tenon_tile.program @deadlock(%m: index, %x: memref<?x8xf32>) -> (%y: memref<?x8xf32>)
    attributes {warps = 2, tenon_tile.computes = @copy, tenon.sizes = [[3]], tenon.error = "takes number 2, which nobody puts"} {
  bind %x sizes [%m, 8] : memref<?x8xf32>
  bind %y sizes [%m, 8] : memref<?x8xf32>
  %s = scratch : memref<2x8xf32, #workgroup>
  %ring = ring slots 2
  grid (%i) = 0 to 1 {
    roles {
      role "copies" warps 1 {
        for (%k) = 0 to 3 {
          put %ring[%k] slot %q {
            copy %x[%k, 0] to %s[%q, 0] tile [8] : memref<?x8xf32>, memref<2x8xf32, #workgroup>
          }
        }
      }
      role "reads" warps 1 {
        for (%k) = 0 to 3 {
          %t = take %ring[%k]
        }
      }
    }
  }
}

// What a role stored another one may not read: only rings join them.
tenon_tile.program @between_roles(%m: index, %x: memref<?x8xf32>) -> (%y: memref<?x8xf32>)
    attributes {warps = 2, tenon_tile.computes = @copy, tenon.sizes = [[3]], tenon.error = "in the stage that wrote it"} {
  bind %x sizes [%m, 8] : memref<?x8xf32>
  bind %y sizes [%m, 8] : memref<?x8xf32>
  %s = scratch : memref<8xf32, #workgroup>
  grid (%i) = 0 to 1 {
    roles {
      role "writes" warps 1 {
        %a = load %x[0, 0] : memref<?x8xf32> -> tensor<8xf32>
        store %a, %s[0] : tensor<8xf32>, memref<8xf32, #workgroup>
      }
      role "reads" warps 1 {
        %b = load %s[0] : memref<8xf32, #workgroup> -> tensor<8xf32>
      }
    }
  }
}

tenon_tile.program @no_kernel(%x: memref<8xf32>) -> (%y: memref<8xf32>) attributes {tenon.error = "names no kernel"} {
  grid (%i) = 0 to 1 {
  }
}

tenon_tile.program @guarded(%m: index, %x: memref<?x8xf32>) -> (%y: memref<?x8xf32>) guard (%m - 4 >= 0)
    attributes {tenon_tile.computes = @copy, tenon.sizes = [[3]], tenon.error = "has a guard that holds at none of the sizes"} {
  bind %x sizes [%m, 8] : memref<?x8xf32>
  bind %y sizes [%m, 8] : memref<?x8xf32>
  grid (%i) = 0 to 1 {
  }
}

// A size that is stated of a dynamic one, and one that doesn't follow from indices.
tenon_tile.kernel @stated(%m: index, %x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  tenon.bind_shape %x [3, 8] : tensor<?x8xf32>
  %y = tenon.neg %x : tensor<?x8xf32>
  tenon_tile.yield %y : tensor<?x8xf32>
}

tenon_tile.program @of_stated(%m: index, %x: memref<?x8xf32>) -> (%y: memref<?x8xf32>)
    attributes {tenon_tile.computes = @stated, tenon.sizes = [[2]], tenon.error = "has sizes [2, 8], but is given tensor<3x8xf32>"} {
  bind %x sizes [%m, 8] : memref<?x8xf32>
  bind %y sizes [%m, 8] : memref<?x8xf32>
  grid (%i) = 0 to 1 {
  }
}

tenon_tile.kernel @by_itself(%m: index, %x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %s = tenon.size %x dim 0 : tensor<?x8xf32>
  tenon.bind_shape %x [%s, 8] : tensor<?x8xf32>
  %y = tenon.neg %x : tensor<?x8xf32>
  tenon_tile.yield %y : tensor<?x8xf32>
}

tenon_tile.program @of_itself(%m: index, %x: memref<?x8xf32>) -> (%y: memref<?x8xf32>)
    attributes {tenon_tile.computes = @by_itself, tenon.sizes = [[2]], tenon.error = "has sizes that don't follow from indices"} {
  bind %x sizes [%m, 8] : memref<?x8xf32>
  bind %y sizes [%m, 8] : memref<?x8xf32>
  grid (%i) = 0 to 1 {
  }
}

tenon_tile.program @huge(%m: index, %x: memref<?x8xf32>) -> (%y: memref<?x8xf32>)
    attributes {tenon_tile.computes = @copy, tenon.sizes = [[1000000000]], tenon.error = "has operands of sizes [1000000000, 8]"} {
  bind %x sizes [%m, 8] : memref<?x8xf32>
  bind %y sizes [%m, 8] : memref<?x8xf32>
  grid (%i) = 0 to 1 {
  }
}

tenon_tile.program @far_off(%m: index, %x: memref<?x8xf32>) -> (%y: memref<?x8xf32>)
    attributes {tenon_tile.computes = @copy, tenon.sizes = [[2]], tenon.error = "runs out of operand 0"} {
  bind %x sizes [%m, 8] : memref<?x8xf32>
  bind %y sizes [%m, 8] : memref<?x8xf32>
  grid (%i) = 0 to 1 {
    %far = arith.constant 4611686018427387904 : index
    %v = view %x (a) -> (a, 0) sizes [%far] : memref<?x8xf32> -> memref<?xf32, strided<[8]>>
  }
}
