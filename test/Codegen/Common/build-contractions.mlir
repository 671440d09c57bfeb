// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(tenon-variants{targets=avx2},tenon-tiles)" | FileCheck %s
// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(tenon-variants{targets=avx512},tenon-tiles)" | FileCheck %s --check-prefix=WIDE

#rows = affine_map<(m, n, k) -> (m, k)>
#columns = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>

// Of a known number of rows all register tiles have one height: the last one begins early enough to be whole. Columns that
// don't fill a panel are told apart in what follows only.
// CHECK: tenon_tile.form @panels(%[[W:.*]]: tensor<64x40xf32>) -> tensor<2x64x32xf32> {
// CHECK: pad constant %[[W]], %{{.*}} low [0, 0] high [0, 24] : tensor<64x40xf32>, tensor<f32> -> tensor<64x64xf32>
// CHECK: reshape %{{.*}} sizes [64, 2, 32]
// CHECK: transpose %{{.*}} [1, 0, 2] : tensor<64x2x32xf32> -> tensor<2x64x32xf32>
// CHECK-LABEL: tenon_tile.program @static
// CHECK-SAME: %arg1: memref<2x64x32xf32> {tenon_tile.form = @panels})
// CHECK: for (%[[J:.*]]) = 0 to %{{.*}} step 16 {
// CHECK: %[[LEFT:.*]] = affine.min
// CHECK: for (%[[I:.*]]) = 0 to 52 step 6 {
// CHECK: %[[ROW:.*]] = affine.min #{{.*}}(%[[I]])
// CHECK: for (%[[K:.*]]) = 0 to 64 step 2 iter_args
// CHECK-NEXT: prefetch %arg1[%{{.*}} + 1, 0, {{.*}}] level 2
// CHECK-NEXT: load %arg0[%[[ROW]], %[[K]]] : memref<52x64xf32> -> tensor<6x2xf32>
// CHECK-NEXT: load %arg1[%{{.*}}, %[[K]], %[[J]]] : memref<2x64x32xf32> -> tensor<2x16xf32>
// CHECK-NEXT: mma
// CHECK: peel (%[[E:.*]] = %[[LEFT]]) of 16 {
// CHECK-NEXT: compute at [%[[ROW]], {{.*}}] extents [6, %[[E]]]
tenon_tile.kernel @static(%x: tensor<52x64xf32>, %w: tensor<64x40xf32> {tenon_tile.constant}) -> tensor<52x40xf32> {
  %1 = tenon.contract %x, %w maps [#rows, #columns, #result] : tensor<52x64xf32>, tensor<64x40xf32> -> tensor<52x40xf32>
  tenon_tile.yield %1 : tensor<52x40xf32>
}

// -----

#rows = affine_map<(m, n, k) -> (m, k)>
#columns = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>

// Of any number of rows whole tiles are followed by tiles of four, whose rows beyond the end are the last one again. Few rows
// read a panel once, in its whole width. What follows is a loop over rows.
// CHECK-LABEL: tenon_tile.program @dynamic(%arg0: index
// CHECK: %[[S:.*]] = scratch : memref<6x16xf32
// CHECK: scf.if
// CHECK: load {{.*}} -> tensor<1x4xf32>
// CHECK: load {{.*}} -> tensor<4x32xf32>
// CHECK: } else {
// CHECK: load {{.*}} -> tensor<6x2xf32>
// CHECK: store %{{.*}}, %[[S]][0, 0] : tensor<6x16xf32>
// CHECK: for (%[[I:.*]], %[[M:.*]]) = %{{.*}} step 4 {
// CHECK: load %arg1[%[[I]], %{{.*}}] extents [%[[M]], 1] : memref<?x64xf32> -> tensor<4x1xf32>
// CHECK: for (%[[R:.*]]) = 0 to %[[M]] {
// CHECK-NEXT: load %[[S]][%[[R]], 0] {{.*}} -> tensor<1x16xf32>
tenon_tile.kernel @dynamic(%m: index, %x: tensor<?x64xf32>, %w: tensor<64x64xf32> {tenon_tile.constant}) -> tensor<?x64xf32> {
  tenon.bind_shape %x [%m, 64] : tensor<?x64xf32>
  %1 = tenon.contract %x, %w maps [#rows, #columns, #result] : tensor<?x64xf32>, tensor<64x64xf32> -> tensor<?x64xf32>
  tenon_tile.yield %1 : tensor<?x64xf32>
}

// -----

#rows = affine_map<(m, n, k) -> (m, k)>
#columns = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>

// A long depth in parts: sums wait in scratch. Each part is summed up from zero, as one long sum would lose digits.
// CHECK-LABEL: tenon_tile.program @deep
// CHECK: %[[S:.*]] = scratch : memref<12x32xf32
// CHECK: for (%[[PART:.*]]) = 0 to 8 {
// CHECK: %[[ZERO:.*]] = tenon.constant dense<0.000000e+00> : tensor<6x16xf32>
// CHECK: %[[SUM:.*]] = for (%{{.*}}) = %[[PART]] * 252 to %{{.*}} step 2 iter_args(%{{.*}} = %[[ZERO]])
// CHECK: %[[BEFORE:.*]] = load %[[S]]
// CHECK: %[[BOTH:.*]] = tenon.add %[[BEFORE]], %[[SUM]]
// CHECK: store %[[BOTH]], %[[S]]
// CHECK: compute
tenon_tile.kernel @deep(%x: tensor<12x2000xf32>, %w: tensor<2000x32xf32> {tenon_tile.constant}) -> tensor<12x32xf32> {
  %1 = tenon.contract %x, %w maps [#rows, #columns, #result] : tensor<12x2000xf32>, tensor<2000x32xf32> -> tensor<12x32xf32>
  tenon_tile.yield %1 : tensor<12x32xf32>
}

// -----

#rows = affine_map<(n, h, w, m, k) -> (n, h, w, k)>
#columns = affine_map<(n, h, w, m, k) -> (k, m)>
#result = affine_map<(n, h, w, m, k) -> (n, h, w, m)>

// Windows are a view, a row of a window in a run. Tiles that fit lines lie in one.
// CHECK-LABEL: tenon_tile.program @lines
// CHECK: %[[WIN:.*]] = view %arg0 (d0, d1, d2, d3, d4) -> (d0, d1 + d3, d2, d4) sizes [1, 4, 12, 3, 24] :
// CHECK: %[[FIRST:.*]] = affine.min
// CHECK: %[[END:.*]] = affine.min #{{.*}}(%[[FIRST]])
// CHECK: for (%[[LINE:.*]]) = %[[FIRST]] to %[[END]] {
// CHECK: for (%[[W:.*]]) = 0 to 12 step 6 {
// CHECK: for (%[[TAP:.*]]) = 0 to 3 iter_args
// CHECK: load %[[WIN]][0, %[[LINE]], %[[W]], %[[TAP]], %{{.*}}] dims [2, 4]
tenon_tile.kernel @lines(%x: tensor<1x6x14x8xf32>, %w: tensor<72x32xf32> {tenon_tile.constant}) -> tensor<1x4x12x32xf32> {
  %0 = tenon_tile.window_rows %x sizes [3, 3] strides [1, 1] dilations [1, 1] : tensor<1x6x14x8xf32> -> tensor<1x4x12x72xf32>
  %2 = tenon.contract %0, %w maps [#rows, #columns, #result] : tensor<1x4x12x72xf32>, tensor<72x32xf32> -> tensor<1x4x12x32xf32>
  tenon_tile.yield %2 : tensor<1x4x12x32xf32>
}

// -----

#rows = affine_map<(n, h, w, m, k) -> (n, h, w, k)>
#columns = affine_map<(n, h, w, m, k) -> (k, m)>
#result = affine_map<(n, h, w, m, k) -> (n, h, w, m)>

// Others go on from line to line: the places of their rows stand in a table, those of a line a stride apart, and behind its end
// that of its last one. Tiles gather from it. Their sums wait for what follows, line by line.
// CHECK-LABEL: tenon_tile.program @flat
// CHECK: %[[WIN:.*]] = view %arg0 (d0, d1, d2) -> (0, d1, 0, d0 + d2) sizes [481, 3, 24] :
// CHECK: %[[T:.*]] = scratch : memref<67xi64
// CHECK: %[[S:.*]] = scratch : memref<54x32xf32
// CHECK: for (%[[LINE:.*]]) = 0 to 7 {
// CHECK: position %[[LINE]] * 72 + %{{.*}} * 8 : tensor<8xi64>
// CHECK: %[[PLACES:.*]] = tenon.min
// CHECK-NEXT: store %[[PLACES]], %[[T]][%[[LINE]] * 7 + %{{.*}}]
// CHECK: for (%[[I:.*]]) = 0 to 49 step 6 {
// CHECK-NEXT: %[[ROWS:.*]] = load %[[T]][%[[I]]] : {{.*}} -> tensor<6xi64>
// CHECK: load %[[WIN]][gather %[[ROWS]], %{{.*}}, %{{.*}}] dims [0, 2]
// CHECK: store %{{.*}}, %[[S]][%[[I]], %{{.*}}] : tensor<6x16xf32>
// CHECK: for (%[[LINE:.*]]) = 0 to 7 {
// CHECK: for (%[[W:.*]]) =
// CHECK-NEXT: load %[[S]][%[[LINE]] * 7 + %[[W]], %{{.*}}] : {{.*}} -> tensor<1x16xf32>
// CHECK-NEXT: compute at [0, %[[LINE]], %[[W]], %{{.*}}]
tenon_tile.kernel @flat(%x: tensor<1x9x9x8xf32>, %w: tensor<72x32xf32> {tenon_tile.constant}) -> tensor<1x7x7x32xf32> attributes {tenon_tile.schedule = #tenon_tile.schedule<tile_rows = 6>} {
  %0 = tenon_tile.window_rows %x sizes [3, 3] strides [1, 1] dilations [1, 1] : tensor<1x9x9x8xf32> -> tensor<1x7x7x72xf32>
  %2 = tenon.contract %0, %w maps [#rows, #columns, #result] : tensor<1x7x7x72xf32>, tensor<72x32xf32> -> tensor<1x7x7x32xf32>
  tenon_tile.yield %2 : tensor<1x7x7x32xf32>
}

// -----

#rows = affine_map<(i, j, n, k) -> (i, j, k)>
#columns = affine_map<(i, j, n, k) -> (k, n)>
#result = affine_map<(i, j, n, k) -> (i, j, n)>

// Rows that lie one behind the other, though those of the result don't, are one dimension.
// CHECK-LABEL: tenon_tile.program @collapsed
// CHECK: view %{{.*}} (d0, d1) -> (0, d0, d1) sizes [35, 64] : memref<5x7x64xf32> -> memref<35x64xf32, strided<[64, 1]>>
// CHECK-NOT: gather
// CHECK: mma
tenon_tile.kernel @collapsed(%x: tensor<5x7x64xf32>, %w: tensor<64x32xf32> {tenon_tile.constant}) -> (tensor<5x7x32xf32> {tenon_tile.contract = "inner"}) {
  %1 = tenon.contract %x, %w maps [#rows, #columns, #result] : tensor<5x7x64xf32>, tensor<64x32xf32> -> tensor<5x7x32xf32>
  tenon_tile.yield %1 : tensor<5x7x32xf32>
}

// -----

#rows = affine_map<(m, n, k) -> (m, k)>
#columns = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>

// Much that follows has code for one row.
// CHECK-LABEL: tenon_tile.program @long
// CHECK: %[[S:.*]] = scratch : memref<6x16xf32
// CHECK: for (%{{.*}}) = 0 to 6 {
// CHECK-NEXT: load %[[S]]
// CHECK-NEXT: compute
tenon_tile.kernel @long(%x: tensor<12x64xf32>, %w: tensor<64x32xf32> {tenon_tile.constant}) -> tensor<12x32xf32> {
  %1 = tenon.contract %x, %w maps [#rows, #columns, #result] : tensor<12x64xf32>, tensor<64x32xf32> -> tensor<12x32xf32>
  %2 = tenon.erf %1 : tensor<12x32xf32>
  tenon_tile.yield %2 : tensor<12x32xf32>
}

// -----

#rows = affine_map<(m, n, k) -> (m, k)>
#columns = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>

// Few rows of an unknown number read a panel in its whole width. Where it is two vectors wide, a tile is multiplied with two
// rows at once, and with one row alone.
// WIDE-LABEL: tenon_tile.program @few
// WIDE: %[[ROWS:.*]] = affine.apply
// WIDE: %[[LIMIT:.*]] = arith.constant 2 : index
// WIDE: %[[FEW:.*]] = arith.cmpi sle, %{{.*}}, %[[LIMIT]]
// WIDE: scf.if %[[FEW]]
// WIDE:   mma {{.*}} : tensor<2x4xf32>, tensor<4x32xf32> -> tensor<2x32xf32>
// WIDE:   mma {{.*}} : tensor<1x4xf32>, tensor<4x32xf32> -> tensor<1x32xf32>
// WIDE: else
// WIDE:   mma {{.*}} -> tensor<12x32xf32>
// WIDE:   mma {{.*}} -> tensor<4x32xf32>
// CHECK-LABEL: tenon_tile.program @few
// CHECK: scf.if
// CHECK-NOT: tensor<2x4xf32>
// CHECK:   mma {{.*}} : tensor<1x4xf32>, tensor<4x32xf32> -> tensor<1x32xf32>
// CHECK: else
// CHECK:   mma {{.*}} -> tensor<6x16xf32>
tenon_tile.kernel @few(%m: index, %x: tensor<?x64xf32>, %w: tensor<64x32xf32> {tenon_tile.constant}) -> tensor<?x32xf32> {
  tenon.bind_shape %x [%m, 64] : tensor<?x64xf32>
  %1 = tenon.contract %x, %w maps [#rows, #columns, #result] : tensor<?x64xf32>, tensor<64x32xf32> -> tensor<?x32xf32>
  tenon_tile.yield %1 : tensor<?x32xf32>
}

// -----

#rows = affine_map<(n, h, w, m, k) -> (n, h, w, k)>
#columns = affine_map<(n, h, w, m, k) -> (k, m)>
#result = affine_map<(n, h, w, m, k) -> (n, h, w, m)>

// Of any number of lines of a known length each unit has as many as make up a block, whose places are a stride apart.
// CHECK-LABEL: tenon_tile.program @batch(%arg0: index
// CHECK: %[[LINES:.*]] = arith.ceildivui
// CHECK-NOT: gather
// CHECK: for (%[[LINE:.*]]) = %{{.*}} to %{{.*}} {
// CHECK: for (%[[W:.*]]) = 0 to 12 step 6 {
// CHECK-NOT: gather
// CHECK: mma
tenon_tile.kernel @batch(%n: index, %x: tensor<?x6x14x8xf32>, %w: tensor<72x32xf32> {tenon_tile.constant}) -> tensor<?x4x12x32xf32> {
  tenon.bind_shape %x [%n, 6, 14, 8] : tensor<?x6x14x8xf32>
  %0 = tenon_tile.window_rows %x sizes [3, 3] strides [1, 1] dilations [1, 1] : tensor<?x6x14x8xf32> -> tensor<?x4x12x72xf32>
  %2 = tenon.contract %0, %w maps [#rows, #columns, #result] : tensor<?x4x12x72xf32>, tensor<72x32xf32> -> tensor<?x4x12x32xf32>
  tenon_tile.yield %2 : tensor<?x4x12x32xf32>
}

// -----

#rows = affine_map<(i, j, n, k) -> (i, j, k)>
#columns = affine_map<(i, j, n, k) -> (k, n)>
#result = affine_map<(i, j, n, k) -> (i, j, n)>

// Rows of unknown number along two dimensions of memory that strides describe.
// CHECK-LABEL: tenon_tile.program @strided
// CHECK-SAME: (%arg0: index, %arg1: index, %[[S0:[a-z0-9]*]]: index, %[[S1:[a-z0-9]*]]: index,
// CHECK: view %{{.*}} (d0, d1) -> (0, 0, d0 + d1) sizes [%{{.*}}, 64] :
// CHECK: for (%[[LINE:.*]]) =
// CHECK: arith.muli %[[LINE]], %[[S0]]
// CHECK: gather
// CHECK: mma
tenon_tile.kernel @strided(%i: index, %j: index, %x: tensor<?x?x64xf32> {tenon_tile.contract = "inner"}, %w: tensor<64x32xf32> {tenon_tile.constant})
    -> tensor<?x?x32xf32> {
  tenon.bind_shape %x [%i, %j, 64] : tensor<?x?x64xf32>
  %1 = tenon.contract %x, %w maps [#rows, #columns, #result] : tensor<?x?x64xf32>, tensor<64x32xf32> -> tensor<?x?x32xf32>
  tenon_tile.yield %1 : tensor<?x?x32xf32>
}

// -----

#rows = affine_map<(n, h, w, m, k) -> (n, h, w, k)>
#columns = affine_map<(n, h, w, m, k) -> (k, m)>
#result = affine_map<(n, h, w, m, k) -> (n, h, w, m)>

// Clipped windows: tap by tap, each for the windows of a line in which it lies inside of the image. Whole tiles, then lower ones, which
// leave the sums behind them alone. Windows two apart are read in steps.
// CHECK-LABEL: tenon_tile.program @clipped
// CHECK: %[[S:.*]] = scratch
// CHECK: for (%[[TAP:.*]]) = 0 to 9 {
// CHECK: %[[INSIDE:[0-9a-z]*]] = affine.max
// CHECK: for (%[[LINE:.*]]) = 0 to 9 {
// CHECK: %[[LOW:[0-9a-z]*]] = affine.max #{{.*}}(%[[INSIDE]], %[[LINE]], %{{.*}})
// CHECK: %[[HIGH:[0-9a-z]*]] = affine.min
// CHECK: scf.if
// CHECK: scf.if
// CHECK: scf.if
// CHECK: for (%[[W:.*]]) = %[[LOW]] to %[[LOW]] + ((%[[HIGH]] - %[[LOW]]) floordiv 6) * 6 step 6 {
// CHECK: load %[[S]]{{.*}} -> tensor<6x16xf32>
// CHECK: load %arg0[0, %{{.*}}, {{.*}}] steps [2, 1] : memref<1x17x17x8xf32> -> tensor<6x2xf32>
// CHECK: for (%[[W:.*]], %[[LEFT:.*]]) = %{{.*}} to %[[HIGH]] step 4 {
// CHECK: load %arg0{{.*}} extents [%[[LEFT]], 1] steps [2, 1]
// CHECK: store %{{.*}}, %[[S]]{{.*}} extents [%[[LEFT]], 16] : tensor<4x16xf32>
tenon_tile.kernel @clipped(%x: tensor<1x17x17x8xf32>, %w: tensor<72x32xf32> {tenon_tile.constant}) -> tensor<1x9x9x32xf32> attributes {tenon_tile.schedule = #tenon_tile.schedule<tile_rows = 6>} {
  %0 = tenon_tile.window_rows %x sizes [3, 3] strides [2, 2] dilations [8, 8] pads [8, 8, 8, 8] : tensor<1x17x17x8xf32> -> tensor<1x9x9x72xf32>
  %2 = tenon.contract %0, %w maps [#rows, #columns, #result] : tensor<1x9x9x72xf32>, tensor<72x32xf32> -> tensor<1x9x9x32xf32>
  tenon_tile.yield %2 : tensor<1x9x9x32xf32>
}

// -----

#rows = affine_map<(m, n, k) -> (m, k)>
#columns = affine_map<(m, n, k) -> (n, k)>
#result = affine_map<(m, n, k) -> (m, n)>

// Panels may be narrower than the columns of a unit, and of weights whose rows lie along the summed dimension. What is read
// in two ways comes in two ways.
// CHECK: tenon_tile.form @panels(%[[W:.*]]: tensor<64x64xf32>) -> tensor<4x64x16xf32> {
// CHECK: reshape %[[W]] sizes [4, 16, 64]
// CHECK: transpose %{{.*}} [0, 2, 1] : tensor<4x16x64xf32> -> tensor<4x64x16xf32>
// CHECK-LABEL: tenon_tile.program @narrow
// CHECK-SAME: memref<64x64xf32>, %[[PLAIN:.*]]: memref<64x64xf32>, %[[P:.*]]: memref<4x64x16xf32> {tenon_tile.form = @panels, tenon_tile.operands = [1]})
// CHECK: load %[[P]][%{{.*}} * 2 + %[[J:.*]] floordiv 16, %{{.*}}, %[[J]] mod 16] : memref<4x64x16xf32> -> tensor<2x16xf32>
// CHECK: compute {{.*}} = %[[PLAIN]] : memref<64x64xf32>
tenon_tile.kernel @narrow(%x: tensor<64x64xf32>, %w: tensor<64x64xf32> {tenon_tile.constant}) -> tensor<64x64xf32>
    attributes {tenon_tile.schedule = #tenon_tile.schedule<panel_columns = 16>} {
  %0 = tenon.contract %x, %w maps [#rows, #columns, #result] : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
  %1 = tenon.add %0, %w : tensor<64x64xf32>
  tenon_tile.yield %1 : tensor<64x64xf32>
}

// -----

#rows = affine_map<(m, n, k) -> (m, k)>
#columns = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>

// Three vectors don't divide 32 columns, which are the most of a panel: panels, and units, are as wide as a tile. Parts of a deep sum
// are as long as they may be and whole turns, of four products here.
// CHECK-LABEL: tenon_tile.program @three(
// CHECK-SAME: memref<4x3072x24xf32> {tenon_tile.form = @
// CHECK: scratch : memref<64x24xf32
// CHECK: for (%[[PART:.*]]) = 0 to 12 {
// CHECK: for (%{{.*}}) = %[[PART]] * 256 to %[[PART]] * 256 + 256 step 4 iter_args(%{{.*}}) -> (tensor<4x24xf32>) {
// CHECK: load %{{.*}}[%{{.*}}, %{{.*}}, 0] : memref<4x3072x24xf32> -> tensor<4x24xf32>
tenon_tile.kernel @three(%x: tensor<128x3072xf32>, %w: tensor<3072x96xf32> {tenon_tile.constant}) -> tensor<128x96xf32> {
  %0 = tenon.contract %x, %w maps [#rows, #columns, #result] : tensor<128x3072xf32>, tensor<3072x96xf32> -> tensor<128x96xf32>
  tenon_tile.yield %0 : tensor<128x96xf32>
}

// -----

#rows = affine_map<(m, n, k) -> (m, k)>
#columns = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>

// Tiles as low as those behind whole ones are one loop, where rows are of unknown number.
// CHECK-LABEL: tenon_tile.program @low(
// CHECK: for (%[[I:.*]], %[[E:.*]]) = %{{.*}} to %{{.*}} step 4 {
// CHECK: load %{{.*}}[%[[I]], %{{.*}}] extents [%[[E]], {{[0-9]+}}]
// CHECK: mma {{.*}} -> tensor<4x24xf32>
// CHECK-NOT: mma {{.*}} -> tensor<4x24xf32>
tenon_tile.kernel @low(%m: index, %x: tensor<?x64xf32>, %w: tensor<64x96xf32> {tenon_tile.constant}) -> tensor<?x96xf32> {
  tenon.bind_shape %x [%m, 64] : tensor<?x64xf32>
  %0 = tenon.contract %x, %w maps [#rows, #columns, #result] : tensor<?x64xf32>, tensor<64x96xf32> -> tensor<?x96xf32>
  tenon_tile.yield %0 : tensor<?x96xf32>
}

// -----

// A schedule says how many rows and columns are a unit of work: 150 rows are two units, 100 columns as many, whose tiles are next
// to each other in one.
// CHECK-LABEL: tenon_tile.program @units
// CHECK: grid (%{{.*}}) = 0 to 2, (%{{.*}}) = 0 to 2 {
// CHECK: for (%{{.*}}) = 0 to %{{.*}} step 16 {
tenon_tile.kernel @units(%x: tensor<150x8xf32>, %w: tensor<8x100xf32>) -> tensor<150x100xf32>
    attributes {tenon_tile.schedule = #tenon_tile.schedule<unit_rows = 80, unit_columns = 64, vectors = 2, tile_rows = 6>} {
  %y = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<150x8xf32>, tensor<8x100xf32> -> tensor<150x100xf32>
  tenon_tile.yield %y : tensor<150x100xf32>
}

// -----

#rows = affine_map<(b, m, n, k) -> (b, m, k)>
#columns = affine_map<(b, m, n, k) -> (n, b, k)>
#result = affine_map<(b, m, n, k) -> (b, m, n)>

// Of constant matrices for each batch the form has the panels of one behind those of the other, whatever dimension batches are.
// CHECK: tenon_tile.form @panels(%[[W:.*]]: tensor<40x3x16xf32>) -> tensor<3x2x16x32xf32> {
// CHECK: %[[PADDED:.*]] = pad constant %[[W]]
// CHECK: %[[PARTS:.*]] = reshape %[[PADDED]] sizes [2, 32, 3, 16]
// CHECK: transpose %[[PARTS]] [2, 0, 3, 1] : tensor<2x32x3x16xf32> -> tensor<3x2x16x32xf32>
// CHECK-LABEL: tenon_tile.program @batches
// CHECK-SAME: %[[P:[a-z0-9]+]]: memref<3x2x16x32xf32> {tenon_tile.form = @panels})
// CHECK: grid (%[[B:.*]]) = 0 to 3,
// CHECK: load %[[P]][%[[B]], %{{.*}}, %{{.*}}, %{{.*}}] : memref<3x2x16x32xf32>
tenon_tile.kernel @batches(%x: tensor<3x8x16xf32>, %w: tensor<40x3x16xf32> {tenon_tile.constant}) -> tensor<3x8x40xf32> {
  %0 = tenon.contract %x, %w maps [#rows, #columns, #result] : tensor<3x8x16xf32>, tensor<40x3x16xf32> -> tensor<3x8x40xf32>
  tenon_tile.yield %0 : tensor<3x8x40xf32>
}

// -----

#rows = affine_map<(m, n, k) -> (m, k)>
#columns = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>

// Forms have any number of elements: they are no tiles.
// CHECK: tenon_tile.form @panels(%{{.*}}: tensor<64x549755813888xf32>) -> tensor<17179869184x64x32xf32> {
// CHECK-LABEL: tenon_tile.program @vast
tenon_tile.kernel @vast(%x: tensor<12x64xf32>, %w: tensor<64x549755813888xf32> {tenon_tile.constant}) -> tensor<12x549755813888xf32> {
  %1 = tenon.contract %x, %w maps [#rows, #columns, #result] : tensor<12x64xf32>, tensor<64x549755813888xf32> -> tensor<12x549755813888xf32>
  tenon_tile.yield %1 : tensor<12x549755813888xf32>
}

// -----

#rows = affine_map<(b, m, n, k) -> (b, m, k)>
#columns = affine_map<(b, m, n, k) -> (k, n)>
#result = affine_map<(b, m, n, k) -> (b, m, n)>

// Neither are views.
// CHECK-LABEL: tenon_tile.program @deep
// CHECK: view %arg0{{.*}}549755813888
tenon_tile.kernel @deep(%x: tensor<2x3x549755813888xf32>, %w: tensor<549755813888x64xf32>) -> tensor<2x3x64xf32> {
  %1 = tenon.contract %x, %w maps [#rows, #columns, #result] : tensor<2x3x549755813888xf32>, tensor<549755813888x64xf32> -> tensor<2x3x64xf32>
  tenon_tile.yield %1 : tensor<2x3x64xf32>
}
