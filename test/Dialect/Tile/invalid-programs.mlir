// RUN: %tenon_opt %s --split-input-file --verify-diagnostics

// expected-error@+1 {{'tenon_tile.program' op expects index arguments, then memory, but has 'memref<4xf32>' as argument 0}}
tenon_tile.program @order(%x: memref<4xf32>, %m: index) -> (%y: memref<4xf32>) {
  grid (%i) = 0 to 1 {
  }
}

// -----

// expected-error@+1 {{'tenon_tile.program' op expects a result}}
tenon_tile.program @no_result(%x: memref<4xf32>) -> () {
  grid (%i) = 0 to 1 {
  }
}

// -----

// expected-error@+1 {{'tenon_tile.program' op expects arguments in no memory of the program's own, but has}}
tenon_tile.program @own_memory(%x: memref<4xf32, #tenon_tile.memory<launch>>) -> (%y: memref<4xf32>) {
  grid (%i) = 0 to 1 {
  }
}

// -----

// expected-error@+1 {{'tenon_tile.program' op expects memory of numbers of 1 to 8 bytes or booleans, but has 'memref<4xi3>'}}
tenon_tile.program @packed(%x: memref<4xf32>) -> (%y: memref<4xi3>) {
  grid (%i) = 0 to 1 {
  }
}

// -----

// expected-error@+1 {{'tenon_tile.program' op expects an operand of the result's type as 'tenon_tile.tied' of argument 1, but has 1 : i64}}
tenon_tile.program @tied(%x: memref<4xf32>) -> (%y: memref<4xf32> {tenon_tile.tied = 1}) {
  grid (%i) = 0 to 1 {
  }
}

// -----

// expected-error@+1 {{'tenon_tile.program' op expects a power of two as 'tenon_tile.align' of argument 0, but has 12 : i64}}
tenon_tile.program @align(%x: memref<4xf32> {tenon_tile.align = 12}) -> (%y: memref<4xf32>) {
  grid (%i) = 0 to 1 {
  }
}

// -----

// expected-error@+1 {{'tenon_tile.program' op expects the name of a form of an operand as 'tenon_tile.form' of argument 1, but has @f}}
tenon_tile.program @form_of_result(%x: memref<4xf32>) -> (%y: memref<4xf32> {tenon_tile.form = @f}) {
  grid (%i) = 0 to 1 {
  }
}

// -----

// expected-error@+1 {{'tenon_tile.program' op expects a form @missing of argument 0}}
tenon_tile.program @missing_form(%x: memref<4xf32> {tenon_tile.form = @missing}) -> (%y: memref<4xf32>) {
  grid (%i) = 0 to 1 {
  }
}

// -----

tenon_tile.form @f(%w: tensor<8xf32>) -> tensor<8xf32> {
  tenon_tile.yield %w : tensor<8xf32>
}

// expected-error@+1 {{'tenon_tile.program' op expects form @f of argument 0 to give 'tensor<4xf32>', but it gives 'tensor<8xf32>'}}
tenon_tile.program @form_type(%x: memref<4xf32> {tenon_tile.form = @f}) -> (%y: memref<4xf32>) {
  grid (%i) = 0 to 1 {
  }
}

// -----

tenon_tile.form @f(%w: tensor<4xf32>) -> tensor<4xf32> {
  tenon_tile.yield %w : tensor<4xf32>
}

// expected-error@+1 {{'tenon_tile.program' op expects form @f of argument 0 to take 2 tensors, but it takes 1}}
tenon_tile.program @form_operands(%x: memref<4xf32> {tenon_tile.form = @f, tenon_tile.operands = [0, 1]}) -> (%y: memref<4xf32>) {
  grid (%i) = 0 to 1 {
  }
}

// -----

// expected-error@+1 {{'tenon_tile.form' op expects tensors of static sizes, but has 'tensor<?xf32>'}}
tenon_tile.form @dynamic(%w: tensor<?xf32>) -> tensor<4xf32> {
  %0 = constant dense<0.0> : tensor<4xf32>
  tenon_tile.yield %0 : tensor<4xf32>
}

// -----

// expected-error@+1 {{'tenon_tile.form' op expects a body that yields one tensor, 'tensor<4xf32>'}}
tenon_tile.form @yields(%w: tensor<8xf32>) -> tensor<4xf32> {
  tenon_tile.yield %w : tensor<8xf32>
}

// -----

// expected-error@+1 {{expects a guard on the program's index arguments}}
tenon_tile.program @guard(%m: index, %x: memref<4xf32>) -> (%y: memref<4xf32>) guard (%n - 1 >= 0) {
  grid (%i) = 0 to 1 {
  }
}

// -----

// expected-error@+1 {{expects a guard that compares with 0}}
tenon_tile.program @guard_zero(%m: index, %x: memref<4xf32>) -> (%y: memref<4xf32>) guard (%m >= 1) {
  grid (%i) = 0 to 1 {
  }
}

// -----

// expected-error@+1 {{'tenon_tile.program' op expects 1 to 64 warps, but has 0}}
tenon_tile.program @warps(%x: memref<4xf32>) -> (%y: memref<4xf32>) attributes {warps = 0} {
  grid (%i) = 0 to 1 {
  }
}

// -----

// expected-error@+1 {{'tenon_tile.program' op expects a grid}}
tenon_tile.program @no_grid(%x: memref<4xf32>) -> (%y: memref<4xf32>) {
}

// -----

tenon_tile.program @behind(%x: memref<4xf32>) -> (%y: memref<4xf32>) {
  grid (%i) = 0 to 1 {
  }
  // expected-error@+1 {{'tenon_tile.processors' op stands behind a grid, but a program is its prelude, then grids}}
  %p = processors
}

// -----

tenon_tile.program @prelude(%x: memref<4xf32>) -> (%y: memref<4xf32>) {
  // expected-error@+1 {{'tenon_tile.load' op is no part of a program's prelude}}
  %a = load %x[0] : memref<4xf32> -> tensor<4xf32>
  grid (%i) = 0 to 1 {
  }
}

// -----

tenon_tile.program @foreign(%x: memref<4xf32>) -> (%y: memref<4xf32>) {
  grid (%i) = 0 to 1 {
    // expected-error@+1 {{'memref.alloc' op is no part of a tile program}}
    %0 = memref.alloc() : memref<4xf32>
  }
}

// -----

tenon_tile.program @dynamic_tile(%m: index, %x: memref<4xf32>) -> (%y: memref<4xf32>) {
  grid (%i) = 0 to 1 {
    // expected-error@+1 {{'tenon.iota' op expects tiles, which have static sizes, but has 'tensor<?xi32>'}}
    %0 = tenon.iota dim 0 sizes [%m] : tensor<?xi32>
  }
}

// -----

// expected-error@+1 {{'tenon_tile.program' op expects one bind of argument 1, which has dynamic sizes or strides, but has 0}}
tenon_tile.program @unbound(%m: index, %x: memref<?xf32>) -> (%y: memref<4xf32>) {
  grid (%i) = 0 to 1 {
  }
}

// -----

tenon_tile.program @bind_sizes(%m: index, %x: memref<?x4xf32>) -> (%y: memref<4xf32>) {
  // expected-error@+1 {{'tenon_tile.bind' op expects size 4 of 'memref<?x4xf32>', but has 5}}
  bind %x sizes [%m, 5] : memref<?x4xf32>
  grid (%i) = 0 to 1 {
  }
}

// -----

tenon_tile.program @bind_strides(%m: index, %x: memref<?x4xf32, strided<[?, 1]>>) -> (%y: memref<4xf32>) {
  // expected-error@+1 {{'tenon_tile.bind' op expects strides of memory 'memref<?x4xf32, strided<[?, 1]>>'}}
  bind %x sizes [%m, 4] : memref<?x4xf32, strided<[?, 1]>>
  grid (%i) = 0 to 1 {
  }
}

// -----

tenon_tile.program @bind_count(%m: index, %x: memref<?x4xf32>) -> (%y: memref<4xf32>) {
  // expected-error@+1 {{'tenon_tile.bind' op expects 2 sizes, but has 1}}
  bind %x sizes [%m] : memref<?x4xf32>
  grid (%i) = 0 to 1 {
  }
}

// -----

tenon_tile.program @scratch_space(%x: memref<4xf32>) -> (%y: memref<4xf32>) {
  // expected-error@+1 {{'tenon_tile.scratch' op expects contiguous rows in a #tenon_tile.memory, but has 'memref<4xf32>'}}
  %s = scratch : memref<4xf32>
  grid (%i) = 0 to 1 {
  }
}

// -----

tenon_tile.program @scratch_sizes(%m: index, %x: memref<4xf32>) -> (%y: memref<4xf32>) {
  // expected-error@+1 {{'tenon_tile.scratch' op expects 2 dynamic sizes, but has 1}}
  %s = scratch(%m) : memref<?x?xf32, #tenon_tile.memory<workgroup>>
  grid (%i) = 0 to 1 {
  }
}

// -----

// expected-error@+1 {{expects a swizzle of 32, 64 or 128 bytes, in memory of a workgroup, but has 48}}
func.func private @swizzle(memref<4xf32, #tenon_tile.memory<workgroup, swizzle = 48>>)

// -----

// expected-error@+1 {{expects sizes from 1 to 4096, but has 0}}
func.func private @instruction() attributes {i = #tenon_tile.instruction<"a", m = 0, n = 1, k = 1>}

// -----

tenon_tile.program @view_type(%x: memref<4x8xf32>) -> (%y: memref<4xf32>) {
  // expected-error@+1 {{'tenon_tile.view' op expects the view to be 'memref<4x2x4xf32, strided<[8, 4, 1]>>', but it is 'memref<4x2x4xf32, strided<[8, 2, 1]>>'}}
  %v = view %x (i, j, k) -> (i, j * 4 + k) sizes [4, 2, 4] : memref<4x8xf32> -> memref<4x2x4xf32, strided<[8, 2, 1]>>
  grid (%i) = 0 to 1 {
  }
}

// -----

tenon_tile.program @view_linear(%x: memref<4x8xf32>) -> (%y: memref<4xf32>) {
  // expected-error@+1 {{'tenon_tile.view' op expects linear expressions, but has d0 mod 2}}
  %v = view %x (i, j) -> (i mod 2, j) sizes [4, 8] : memref<4x8xf32> -> memref<4x8xf32>
  grid (%i) = 0 to 1 {
  }
}

// -----

tenon_tile.program @view_rank(%x: memref<4x8xf32>) -> (%y: memref<4xf32>) {
  // expected-error@+1 {{'tenon_tile.view' op expects 2 expressions of dimensions, but has affine_map<(d0) -> (d0)>}}
  %v = view %x (i) -> (i) sizes [4] : memref<4x8xf32> -> memref<4xf32>
  grid (%i) = 0 to 1 {
  }
}

// -----

tenon_tile.program @view_elements(%x: memref<8xi16>) -> (%y: memref<4xf32>) {
  // expected-error@+1 {{'tenon_tile.view' op expects elements whose size divides that of contiguous elements of 'memref<8xi16>', but has 'i32'}}
  %v = view %x (i) -> (i) sizes [4] : memref<8xi16> -> memref<4xi32>
  grid (%i) = 0 to 1 {
  }
}

// -----

tenon_tile.program @steps(%m: index, %x: memref<4xf32>) -> (%y: memref<4xf32>) {
  // expected-error@+1 {{'tenon_tile.grid' op expects steps from 1 to 2147483648, but has 0}}
  grid (%i) = 0 to %m step 0 {
  }
}

// -----

tenon_tile.program @carried_dims(%x: memref<4xf32>) -> (%y: memref<4xf32>) {
  grid (%i) = 0 to 1 {
    %c = tenon.constant dense<0.0> : tensor<4xf32>
    // expected-error@+1 {{'tenon_tile.for' op expects one dimension where it carries tiles, but has 2}}
    %d = for (%j) = 0 to 2, (%k) = 0 to 2 iter_args(%e = %c) -> (tensor<4xf32>) {
      yield %e : tensor<4xf32>
    }
  }
}

// -----

tenon_tile.program @carried_types(%x: memref<4xf32>) -> (%y: memref<4xf32>) {
  grid (%i) = 0 to 1 {
    %c = tenon.constant dense<0.0> : tensor<4xf32>
    %z = tenon.constant dense<0.0> : tensor<8xf32>
    // expected-error@+1 {{'tenon_tile.for' op expects a region that yields 'tensor<4xf32>', but it yields 'tensor<8xf32>'}}
    %d = for (%j) = 0 to 2 iter_args(%e = %c) -> (tensor<4xf32>) {
      yield %z : tensor<8xf32>
    }
  }
}

// -----

tenon_tile.program @peel_step(%m: index, %x: memref<4xf32>) -> (%y: memref<4xf32>) {
  grid (%i, %mi) = 0 to %m step 4 {
    // expected-error@+1 {{'tenon_tile.peel' op expects a step from 1 to 2147483648, but has 0}}
    peel (%e = %mi) of 0 {
    }
  }
}

// -----

func.func @load_elements(%x: memref<4xf32>, %i: index) {
  // expected-error@+1 {{'tenon_tile.load' op expects elements of 'memref<4xf32>', but has 'tensor<4xi32>'}}
  %0 = tenon_tile.load %x[%i] : memref<4xf32> -> tensor<4xi32>
  return
}

// -----

func.func @load_coordinates(%x: memref<4x4xf32>, %i: index) {
  // expected-error@+1 {{'tenon_tile.load' op expects 2 coordinates, but has 1}}
  %0 = tenon_tile.load %x[%i] : memref<4x4xf32> -> tensor<4xf32>
  return
}

// -----

func.func @load_rank(%x: memref<4xf32>, %i: index) {
  // expected-error@+1 {{'tenon_tile.load' op expects a tile of at most 1 dimensions, but has 'tensor<2x2xf32>'}}
  %0 = tenon_tile.load %x[%i] : memref<4xf32> -> tensor<2x2xf32>
  return
}

// -----

func.func @load_dims(%x: memref<4x4xf32>, %i: index) {
  // expected-error@+1 {{'tenon_tile.load' op expects different dims below 2, but has 1}}
  %0 = tenon_tile.load %x[%i, 0] dims [1, 1] : memref<4x4xf32> -> tensor<2x2xf32>
  return
}

// -----

func.func @load_dims_count(%x: memref<4x4xf32>, %i: index) {
  // expected-error@+1 {{'tenon_tile.load' op expects 2 dims, but has 1}}
  %0 = tenon_tile.load %x[%i, 0] dims [1] : memref<4x4xf32> -> tensor<2x2xf32>
  return
}

// -----

func.func @load_steps(%x: memref<4x4xf32>, %i: index) {
  // expected-error@+1 {{'tenon_tile.load' op expects 2 steps, but has 1}}
  %0 = tenon_tile.load %x[%i, 0] steps [2] : memref<4x4xf32> -> tensor<2x2xf32>
  return
}

// -----

func.func @load_extents(%x: memref<4x4xf32>, %i: index) {
  // expected-error@+1 {{'tenon_tile.load' op expects 2 extents, but has 1}}
  %0 = tenon_tile.load %x[%i, 0] extents [%i] : memref<4x4xf32> -> tensor<2x2xf32>
  return
}

// -----

func.func @load_empty(%x: memref<4x4xf32>, %i: index) {
  // expected-error@+1 {{'tenon_tile.load' op expects an extent from 1 to 2, but has 0}}
  %0 = tenon_tile.load %x[%i, 0] extents [%i, 0] : memref<4x4xf32> -> tensor<2x2xf32>
  return
}

// -----

func.func @load_dynamic(%x: memref<4xf32>) {
  // expected-error@+1 {{'tenon_tile.load' op expects tiles, which have static sizes, but has 'tensor<?xf32>'}}
  %0 = tenon_tile.load %x[0] : memref<4xf32> -> tensor<?xf32>
  return
}

// -----

func.func @load_fill(%x: memref<4xf32>) {
  // expected-error@+1 {{expects a number of type 'f32', but has 1 : i64}}
  %0 = tenon_tile.load %x[0] fill (1) : memref<4xf32> -> tensor<4xf32>
  return
}

// -----

func.func @gather_size(%x: memref<4x4xf32>, %p: tensor<3xi32>) {
  // expected-error@+1 {{'tenon_tile.load' op expects gathered coordinates that are one type of 2 integers, but has 'tensor<3xi32>'}}
  %0 = tenon_tile.load %x[gather %p, 0] : memref<4x4xf32>, tensor<3xi32> -> tensor<2x4xf32>
  return
}

// -----

func.func @gather_dim(%x: memref<4x4xf32>, %p: tensor<4xi32>) {
  // expected-error@+1 {{'tenon_tile.load' op expects the first gathered coordinate, and no other one, among the tile's dims}}
  %0 = tenon_tile.load %x[gather %p, 0] : memref<4x4xf32>, tensor<4xi32> -> tensor<4xf32>
  return
}

// -----

func.func @prefetch(%x: memref<4xf32>) {
  // expected-error@+1 {{'tenon_tile.prefetch' op expects level 1 or 2 and 1 to 64 lines, but has 3 and 1}}
  tenon_tile.prefetch %x[0] level 3 : memref<4xf32>
  return
}

// -----

func.func @copy_sides(%x: memref<4xf32>, %y: memref<4xf32>) {
  // expected-error@+1 {{'tenon_tile.copy' op expects scratch of the group on one side, with elements of the other, but has 'memref<4xf32>' and 'memref<4xf32>'}}
  tenon_tile.copy %x[0] to %y[0] tile [4] : memref<4xf32>, memref<4xf32>
  return
}

// -----

func.func @copy_tile(%x: memref<4xf32>, %y: memref<4xf32, #tenon_tile.memory<workgroup>>) {
  // expected-error@+1 {{'tenon_tile.copy' op expects a tile along the last dimensions of}}
  tenon_tile.copy %x[0] to %y[0] tile [2, 2] : memref<4xf32>, memref<4xf32, #tenon_tile.memory<workgroup>>
  return
}

// -----

func.func @copy_tma(%x: memref<4xf32>, %y: memref<4xf32, #tenon_tile.memory<workgroup>>, %e: index) {
  // expected-error@+1 {{'tenon_tile.copy' op expects no extents and steps of a copy by TMA}}
  tenon_tile.copy %x[0] to %y[0] tile [4] extents [%e] via tma : memref<4xf32>, memref<4xf32, #tenon_tile.memory<workgroup>>
  return
}

// -----

func.func @position(%i: index) {
  // expected-error@+1 {{'tenon_tile.position' op expects a dimension of 'tensor<4xi32>', but has 1}}
  %0 = tenon_tile.position %i dim 1 : tensor<4xi32>
  return
}

// -----

func.func @mma_depth(%a: tensor<2x4xf32>, %b: tensor<3x8xf32>, %c: tensor<2x8xf32>) {
  // expected-error@+1 {{'tenon_tile.mma' op expects [R.., K], [K, N..] or [K / f, N.., f], and [R.., N..], but has 'tensor<2x4xf32>', 'tensor<3x8xf32>' and 'tensor<2x8xf32>'}}
  %0 = tenon_tile.mma %a, %b, %c : tensor<2x4xf32>, tensor<3x8xf32> -> tensor<2x8xf32>
  return
}

// -----

func.func @mma_elements(%a: tensor<2x4xf32>, %b: tensor<4x8xi8>, %c: tensor<2x8xf32>) {
  // expected-error@+1 {{'tenon_tile.mma' op expects floating-point numbers of one type or integers as operands and as sums, but has}}
  %0 = tenon_tile.mma %a, %b, %c : tensor<2x4xf32>, tensor<4x8xi8> -> tensor<2x8xf32>
  return
}

// -----

func.func @mma_instruction(%a: tensor<8x16xf16>, %b: tensor<16x8xf16>, %c: tensor<8x8xf32>) {
  // expected-error@+1 {{'tenon_tile.mma' op expects rows, columns and depth that are multiples of 16, 8 and 16, but has 'tensor<8x16xf16>' and 'tensor<16x8xf16>'}}
  %0 = tenon_tile.mma %a, %b, %c via <"a", m = 16, n = 8, k = 16> : tensor<8x16xf16>, tensor<16x8xf16> -> tensor<8x8xf32>
  return
}

// -----

func.func @compute_rank(%v: tensor<4xf32>, %i: index) {
  // expected-error@+1 {{'tenon_tile.compute' op expects argument 0 to be a tensor of rank 1, of which 'tensor<4xf32>' is a tile, but it is 'tensor<?x?xf32>'}}
  %0 = tenon_tile.compute at [%i] (%a = %v : tensor<4xf32> of tensor<?x?xf32>) -> tensor<4xf32> {
    tenon_tile.yield %a : tensor<?x?xf32>
  }
  return
}

// -----

func.func @compute_yield(%v: tensor<4xf32>, %i: index) {
  // expected-error@+1 {{'tenon_tile.compute' op expects to yield tensors of rank 1 with elements of 'tensor<4xi32>', but yields 'tensor<?xf32>'}}
  %0 = tenon_tile.compute at [%i] (%a = %v : tensor<4xf32> of tensor<?xf32>) -> tensor<4xi32> {
    tenon_tile.yield %a : tensor<?xf32>
  }
  return
}

// -----

func.func @compute_captures(%v: tensor<4xf32>, %w: tensor<?xf32>, %i: index) {
  %0 = tenon_tile.compute at [%i] (%a = %v : tensor<4xf32> of tensor<?xf32>) -> tensor<4xf32> {
    // expected-error@+1 {{'tenon.add' op uses a value from outside of its compute that is no index and no tile}}
    %1 = add %a, %w : tensor<?xf32>
    tenon_tile.yield %1 : tensor<?xf32>
  }
  return
}

// -----

func.func @compute_ops(%v: tensor<4xf32>, %i: index) {
  %0 = tenon_tile.compute at [%i] (%a = %v : tensor<4xf32> of tensor<?xf32>) -> tensor<4xf32> {
    // expected-error@+1 {{'tenon_tile.fill' op is no part of a compute}}
    %1 = tenon_tile.fill %v extents [%i] with (0.0) : tensor<4xf32>
    tenon_tile.yield %a : tensor<?xf32>
  }
  return
}

// -----

tenon_tile.program @slots(%x: memref<4xf32>) -> (%y: memref<4xf32>) {
  // expected-error@+1 {{'tenon_tile.ring' op expects 1 to 64 slots, but has 0}}
  %ring = ring slots 0
  grid (%i) = 0 to 1 {
  }
}

// -----

tenon_tile.program @put(%x: memref<4xf32>) -> (%y: memref<4xf32>) {
  %ring = ring slots 2
  grid (%i) = 0 to 1 {
    put %ring[0] slot %s {
      // expected-error@+1 {{'tenon_tile.load' op is no copy, of which a put consists}}
      %0 = load %x[0] : memref<4xf32> -> tensor<4xf32>
    }
  }
}

// -----

tenon_tile.program @role_warps(%x: memref<4xf32>) -> (%y: memref<4xf32>) attributes {warps = 4} {
  grid (%i) = 0 to 1 {
    // expected-error@+1 {{'tenon_tile.roles' op expects roles whose warps sum up to the program's, but they have 3}}
    roles {
      role "a" warps 1 {
      }
      role "b" warps 2 {
      }
    }
  }
}

// -----

func.func @yield(%x: tensor<4xf32>) {
  scf.execute_region {
    // expected-error@+1 {{'tenon_tile.yield' op expects to end a region of this dialect, but stands in 'scf.execute_region'}}
    tenon_tile.yield
  }
  return
}

// -----

// expected-error@+1 {{'tenon_tile.computes' to be the kernel of a program}}
func.func private @computes() attributes {tenon_tile.computes = @kernel}

// -----

#avx2 = #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>
tenon_tile.variants @guards {
  tenon_tile.variant @avx2 target #avx2 {
    // expected-error@+1 {{'tenon_tile.program' op expects a guard of all programs but the last}}
    tenon_tile.program @first(%m: index) -> (%y: memref<4xf32>) {
      grid (%i) = 0 to 1 {
      }
    }
    tenon_tile.program @second(%m: index) -> (%y: memref<4xf32>) {
      grid (%i) = 0 to 1 {
      }
    }
  }
}

// -----

#avx2 = #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>
tenon_tile.variants @arguments {
  tenon_tile.variant @avx2 target #avx2 {
    tenon_tile.program @first(%m: index) -> (%y: memref<4xf32>) guard (%m - 1 >= 0) {
      grid (%i) = 0 to 1 {
      }
    }
    // expected-error@+1 {{'tenon_tile.program' op expects the arguments of the variant's first program}}
    tenon_tile.program @second(%m: index) -> (%y: memref<8xf32>) {
      grid (%i) = 0 to 1 {
      }
    }
  }
}

// -----

// A role that isn't one is refused before roles are counted.
tenon_tile.program @role_without_warps() -> (%y: memref<4xf32>) attributes {warps = 4} {
  // expected-error @+2 {{requires attribute 'warps'}}
  "tenon_tile.roles"() ({
    "tenon_tile.role"() <{name = "a"}> ({
      "tenon_tile.yield"() : () -> ()
    }) : () -> ()
  }) : () -> ()
}

// -----

#avx2 = #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>
#amx = #tenon_tile.instruction<"x86.tdpbusd", m = 16, n = 16, k = 64>

tenon_tile.variants @product {
  tenon_tile.variant @avx2 target #avx2 {
    tenon_tile.program @product(%a: memref<16x64xui8>, %b: memref<16x16x4xi8>) -> (%y: memref<16x16xi32>) {
      %c = tenon.constant dense<0> : tensor<16x16xi32>
      grid (%i) = 0 to 1 {
        %l = load %a[0, 0] : memref<16x64xui8> -> tensor<16x64xui8>
        %r = load %b[0, 0, 0] : memref<16x16x4xi8> -> tensor<16x16x4xi8>
        // expected-error@+1 {{expects an instruction of target 'avx2', which doesn't have #tenon_tile.instruction<"x86.tdpbusd", m = 16, n = 16, k = 64>}}
        %d = mma %l, %r, %c via #amx : tensor<16x64xui8>, tensor<16x16x4xi8> -> tensor<16x16xi32>
        store %d, %y[0, 0] : tensor<16x16xi32>, memref<16x16xi32>
      }
    }
  }
}

// -----

tenon_tile.program @topk(%x: memref<4x40xf32>) -> (%v: memref<4x20xf32>) {
  grid (%i) = 0 to 4 {
    // expected-error@+1 {{'tenon_tile.topk' op expects scratch for more than 16 results}}
    topk %x at [%i, 0] dim 1 lanes 8 values %v : memref<4x40xf32> values memref<4x20xf32>
  }
}

// -----

tenon_tile.program @topk(%x: memref<4x40xf32>) -> (%v: memref<4x20xi32>) {
  grid (%i) = 0 to 4 {
    // expected-error@+1 {{'tenon_tile.topk' op expects results of 'f32' with sizes of 'memref<4x40xf32>' but along dimension 1, but has 'memref<4x20xi32>'}}
    topk %x at [%i, 0] dim 1 lanes 8 values %v : memref<4x40xf32> values memref<4x20xi32>
  }
}

// -----

tenon_tile.program @topk(%x: memref<4x40xf32>) -> (%v: memref<4x2xf32>) {
  grid (%i) = 0 to 4 {
    // expected-error@+1 {{'tenon_tile.topk' op expects a row from place 0 of dimension 1 on}}
    topk %x at [0, %i] dim 1 lanes 8 values %v : memref<4x40xf32> values memref<4x2xf32>
  }
}

// -----

tenon_tile.program @topk(%x: memref<4x40xf32>) -> (%v: memref<4x2xf32>) {
  grid (%i) = 0 to 4 {
    // expected-error@+1 {{'tenon_tile.topk' op expects a power of two of lanes up to 64, but has 3}}
    topk %x at [%i, 0] dim 1 lanes 3 values %v : memref<4x40xf32> values memref<4x2xf32>
  }
}

// -----

tenon_tile.program @topk(%x: memref<4x40xf32>) -> (%v: memref<4x2xf32>) {
  grid (%i) = 0 to 4 {
    // expected-error@+1 {{'tenon_tile.topk' op expects values, positions or both}}
    topk %x at [%i, 0] dim 1 lanes 8 : memref<4x40xf32>
  }
}

// -----

tenon_tile.program @topk(%x: memref<4x40xf32>) -> (%v: memref<4x2xf32>, %p: memref<4x3xi64>) {
  grid (%i) = 0 to 4 {
    // expected-error@+1 {{'tenon_tile.topk' op expects as many values as positions, but has 2 and 3}}
    topk %x at [%i, 0] dim 1 lanes 8 values %v positions %p : memref<4x40xf32> values memref<4x2xf32> positions memref<4x3xi64>
  }
}

// -----

tenon_tile.program @topk(%x: memref<4x40xf32>) -> (%v: memref<4x20xf32>) {
  %s = scratch : memref<1664xi8, #tenon_tile.memory<launch>>
  grid (%i) = 0 to 4 {
    // expected-error@+1 {{'tenon_tile.topk' op expects scratch that is bytes of a workgroup, but has 'memref<1664xi8, #tenon_tile.memory<launch>>'}}
    topk %x at [%i, 0] dim 1 lanes 8 values %v scratch %s : memref<4x40xf32> values memref<4x20xf32> scratch memref<1664xi8, #tenon_tile.memory<launch>>
  }
}

// -----

tenon_tile.program @topk(%x: memref<4x40xf32>) -> (%v: memref<4x2xf32>) {
  grid (%i) = 0 to 4 {
    // expected-error@+1 {{'tenon_tile.topk' op expects a dimension of 'memref<4x40xf32>', but has 2}}
    topk %x at [%i, 0] dim 2 lanes 8 values %v : memref<4x40xf32> values memref<4x2xf32>
  }
}

// -----

// expected-error@+1 {{'tenon_tile.program' op requires attribute 'function_type'}}
"tenon_tile.program"() <{outputs = 1 : i64, sym_name = "no_type"}> ({
}) {tenon_tile.workers = affine_map<()[s0] -> (s0)>} : () -> ()

// -----

// expected-error@+1 {{'tenon_tile.program' op expects 'tenon_tile.workers' to be a map from its 0 index arguments, as symbols, to numbers}}
tenon_tile.program @workers(%x: memref<4xf32>) -> (%y: memref<4xf32>) attributes {tenon_tile.workers = affine_map<()[s0] -> (s0)>} {
  grid (%i) = 0 to 1 {
  }
}

// -----

// expected-error@+1 {{expects 'tenon_tile.workers' to be a map of a program}}
module attributes {tenon_tile.workers = 3 : i64} {
}

// -----

tenon_tile.program @no_columns(%x: memref<2x1xf32>) -> (%y: memref<2x0xf32>) {
  grid (%i) = 0 to 1 {
    %a = load %x[0, 0] : memref<2x1xf32> -> tensor<2x1xf32>
    %b = tenon.constant dense<> : tensor<1x0xf32>
    %c = tenon.constant dense<> : tensor<2x0xf32>
    // expected-error@+1 {{'tenon_tile.mma' op expects sums of at least one row and column, but has 'tensor<2x0xf32>'}}
    %0 = mma %a, %b, %c : tensor<2x1xf32>, tensor<1x0xf32> -> tensor<2x0xf32>
    store %0, %y[0, 0] : tensor<2x0xf32>, memref<2x0xf32>
  }
}

// -----

// Forms are looked up before they are verified.
// expected-error@+1 {{'tenon_tile.form' op requires attribute 'function_type'}}
"tenon_tile.form"() <{sym_name = "turned"}> ({
}) : () -> ()
module @inner {
  // expected-error@+1 {{'tenon_tile.program' op expects a form @turned of argument 1}}
  tenon_tile.program @forms(%x: memref<8x4xf32>, %w: memref<4x8xf32> {tenon_tile.form = @turned}) -> (%y: memref<8x4xf32>) {
    grid (%i) = 0 to 8 {
    }
  }
}

// -----

// expected-error@+1 {{'tenon_tile.form' op attribute 'function_type' failed to satisfy constraint: type attribute of function type}}
"tenon_tile.form"() <{function_type = tensor<2x3xi8>, sym_name = "turned"}> ({
}) : () -> ()
module @inner {
  // expected-error@+1 {{'tenon_tile.program' op expects a form @turned of argument 1}}
  tenon_tile.program @forms(%x: memref<8x4xf32>, %w: memref<4x8xf32> {tenon_tile.form = @turned}) -> (%y: memref<8x4xf32>) {
    grid (%i) = 0 to 8 {
    }
  }
}

// -----

tenon_tile.program @no_memory(%x: memref<4xf32>) -> (%y: memref<4xf32>) {
  grid (%i) = 0 to 1 {
    %a = load %x[0] : memref<4xf32> -> tensor<4xf32>
    // expected-error@+1 {{expects 1 operand in group 1 of 'operandSegmentSizes', but has 0}}
    "tenon_tile.store"(%a, %i) <{coordinates = affine_map<() -> (0)>, operandSegmentSizes = array<i32: 1, 0, 1, 0, 0>}> : (tensor<4xf32>, index) -> ()
  }
}
