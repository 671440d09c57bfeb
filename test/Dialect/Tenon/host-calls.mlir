// RUN: %tenon_opt %s | %tenon_opt | FileCheck %s
// RUN: %tenon_opt %s --emit-bytecode | %tenon_opt | FileCheck %s

// CHECK-LABEL: func.func @external(
func.func @external(%x: tensor<?x4xf32>, %s: !tenon.seq<tensor<?xf32>>) {
  // CHECK: tenon.call_external "scale" library "vendor"(%{{.*}}) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %0 = tenon.call_external "scale" library "vendor" (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  // CHECK: tenon.call_external "source"() : () -> (tensor<?xi64>, !tenon.opt<tensor<*xf32>>)
  %1:2 = tenon.call_external "source" () : () -> (tensor<?xi64>, !tenon.opt<tensor<*xf32>>)
  return
}

// CHECK-LABEL: func.func @sequences(
func.func @sequences(%a: tensor<2xf32>, %b: tensor<3xf32>, %i: tensor<i64>, %x: tensor<?x4xf32>) {
  // CHECK: %[[S:.*]] = tenon.sequence(%{{.*}}, %{{.*}}) : (tensor<2xf32>, tensor<3xf32>) -> !tenon.seq<tensor<?xf32>>
  %s = tenon.sequence (%a, %b) : (tensor<2xf32>, tensor<3xf32>) -> !tenon.seq<tensor<?xf32>>
  // CHECK: tenon.sequence() : () -> !tenon.seq<tensor<*xf32>>
  %none = tenon.sequence () : () -> !tenon.seq<tensor<*xf32>>
  // CHECK: tenon.sequence_insert %[[S]], %{{.*}} at %{{.*}} : !tenon.seq<tensor<?xf32>>, tensor<2xf32>, tensor<i64> -> !tenon.seq<tensor<?xf32>>
  %0 = tenon.sequence_insert %s, %a at %i : !tenon.seq<tensor<?xf32>>, tensor<2xf32>, tensor<i64> -> !tenon.seq<tensor<?xf32>>
  // CHECK: tenon.sequence_insert %[[S]], %{{.*}} : !tenon.seq<tensor<?xf32>>, tensor<2xf32> -> !tenon.seq<tensor<?xf32>>
  %1 = tenon.sequence_insert %s, %a : !tenon.seq<tensor<?xf32>>, tensor<2xf32> -> !tenon.seq<tensor<?xf32>>
  // CHECK: tenon.sequence_erase %[[S]] at %{{.*}} : !tenon.seq<tensor<?xf32>>, tensor<i64>
  %2 = tenon.sequence_erase %s at %i : !tenon.seq<tensor<?xf32>>, tensor<i64>
  // CHECK: tenon.sequence_erase %[[S]] : !tenon.seq<tensor<?xf32>>
  %3 = tenon.sequence_erase %s : !tenon.seq<tensor<?xf32>>
  // CHECK: tenon.sequence_at %[[S]], %{{.*}} : !tenon.seq<tensor<?xf32>>, tensor<i64> -> tensor<?xf32>
  %4 = tenon.sequence_at %s, %i : !tenon.seq<tensor<?xf32>>, tensor<i64> -> tensor<?xf32>
  // CHECK: tenon.sequence_length %[[S]] : !tenon.seq<tensor<?xf32>> -> tensor<i64>
  %5 = tenon.sequence_length %s : !tenon.seq<tensor<?xf32>> -> tensor<i64>
  // CHECK: tenon.sequence_concat %[[S]] dim 0 : !tenon.seq<tensor<?xf32>> -> tensor<?xf32>
  %6 = tenon.sequence_concat %s dim 0 : !tenon.seq<tensor<?xf32>> -> tensor<?xf32>
  // CHECK: tenon.sequence_concat %[[S]] dim 1 new_dim : !tenon.seq<tensor<?xf32>> -> tensor<?x?xf32>
  %7 = tenon.sequence_concat %s dim 1 new_dim : !tenon.seq<tensor<?xf32>> -> tensor<?x?xf32>
  // CHECK: tenon.sequence_split %{{.*}} by %{{.*}} dim 0 : tensor<?x4xf32>, tensor<i64> -> !tenon.seq<tensor<?x4xf32>>
  %8 = tenon.sequence_split %x by %i dim 0 : tensor<?x4xf32>, tensor<i64> -> !tenon.seq<tensor<?x4xf32>>
  // CHECK: tenon.sequence_split %{{.*}} dim 0 drop_dim : tensor<?x4xf32> -> !tenon.seq<tensor<4xf32>>
  %9 = tenon.sequence_split %x dim 0 drop_dim : tensor<?x4xf32> -> !tenon.seq<tensor<4xf32>>
  return
}

// CHECK-LABEL: func.func @optionals(
func.func @optionals(%x: tensor<4xf32>) {
  // CHECK: %[[O:.*]] = tenon.optional %{{.*}} : tensor<4xf32> -> !tenon.opt<tensor<4xf32>>
  %o = tenon.optional %x : tensor<4xf32> -> !tenon.opt<tensor<4xf32>>
  // CHECK: tenon.optional -> !tenon.opt<!tenon.seq<tensor<?xf32>>>
  %none = tenon.optional -> !tenon.opt<!tenon.seq<tensor<?xf32>>>
  // CHECK: tenon.optional_has %[[O]] : !tenon.opt<tensor<4xf32>> -> tensor<i1>
  %0 = tenon.optional_has %o : !tenon.opt<tensor<4xf32>> -> tensor<i1>
  // CHECK: tenon.optional_get %[[O]] : !tenon.opt<tensor<4xf32>> -> tensor<4xf32>
  %1 = tenon.optional_get %o : !tenon.opt<tensor<4xf32>> -> tensor<4xf32>
  return
}

// CHECK-LABEL: func.func @strings(
func.func @strings(%x: tensor<?x!tenon.string>, %keys: tensor<3x!tenon.string>, %values: tensor<3xi64>, %default: tensor<i64>) {
  // CHECK: tenon.string_concat %{{.*}}, %{{.*}} : tensor<?x!tenon.string>
  %0 = tenon.string_concat %x, %x : tensor<?x!tenon.string>
  // CHECK: tenon.string_match %{{.*}} pattern "[a-z]+" : tensor<?x!tenon.string> -> tensor<?xi1>
  %1 = tenon.string_match %x pattern "[a-z]+" : tensor<?x!tenon.string> -> tensor<?xi1>
  // CHECK: tenon.string_normalize "lower" %{{.*}} without ["the", "a"] case_sensitive : tensor<?x!tenon.string> -> tensor<?x!tenon.string>
  %2 = tenon.string_normalize "lower" %x without ["the", "a"] case_sensitive : tensor<?x!tenon.string> -> tensor<?x!tenon.string>
  // CHECK: tenon.string_split %{{.*}} delimiter "," max_splits -1 : tensor<?x!tenon.string> -> tensor<?x?x!tenon.string>, tensor<?xi64>
  %3:2 = tenon.string_split %x delimiter "," max_splits -1 : tensor<?x!tenon.string> -> tensor<?x?x!tenon.string>, tensor<?xi64>
  // CHECK: tenon.lookup %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : tensor<?x!tenon.string>, tensor<3x!tenon.string>, tensor<3xi64>, tensor<i64> -> tensor<?xi64>
  %4 = tenon.lookup %x, %keys, %values, %default : tensor<?x!tenon.string>, tensor<3x!tenon.string>, tensor<3xi64>, tensor<i64> -> tensor<?xi64>
  return
}

// CHECK-LABEL: func.func @chance(
func.func @chance() -> tensor<i64> {
  // CHECK: tenon.random_seed stream 3 : tensor<i64>
  %0 = tenon.random_seed stream 3 : tensor<i64>
  return %0 : tensor<i64>
}
