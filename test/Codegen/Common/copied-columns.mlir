// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(tenon-variants{targets=avx2},tenon-loops)" | FileCheck %s

#rows = affine_map<(m, n, k) -> (m, k)>
#columns = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>

// Many rows copy the columns of an operand in memory next to each other; those beyond its end are zeros.
// CHECK-LABEL: func.func @many
// CHECK: %[[COPY:.*]] = memref.alloca() {alignment = 64 : i64} : memref<1536xf32>
// CHECK: %[[MASK:.*]] = vector.create_mask
// CHECK: scf.for
// CHECK: %[[COLUMNS:.*]] = vector.maskedload {{.*}} %[[MASK]]
// CHECK: vector.store %[[COLUMNS]], %[[COPY]]
// CHECK: tenon_tile.microkernel {{.*}} rhs %[[COPY]]
tenon_tile.kernel @many(%a: tensor<96x48xf32>, %b: tensor<48x100xf32>) -> tensor<96x100xf32> attributes {work = affine_map<() -> (4)>} {
  %y = tenon.contract %a, %b maps [#rows, #columns, #result] : tensor<96x48xf32>, tensor<48x100xf32> -> tensor<96x100xf32>
  tenon_tile.yield %y : tensor<96x100xf32>
}

// -----

#rows = affine_map<(m, n, k) -> (m, k)>
#columns = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>

// Few rows read them where they are.
// CHECK-LABEL: func.func @few
// CHECK-NOT: memref.alloca
// CHECK: return
tenon_tile.kernel @few(%a: tensor<24x48xf32>, %b: tensor<48x128xf32>) -> tensor<24x128xf32> attributes {work = affine_map<() -> (4)>} {
  %y = tenon.contract %a, %b maps [#rows, #columns, #result] : tensor<24x48xf32>, tensor<48x128xf32> -> tensor<24x128xf32>
  tenon_tile.yield %y : tensor<24x128xf32>
}
