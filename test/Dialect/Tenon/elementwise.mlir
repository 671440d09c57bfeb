// RUN: %tenon_opt %s | %tenon_opt | FileCheck %s
// RUN: %tenon_opt %s --emit-bytecode | %tenon_opt | FileCheck %s

// CHECK-LABEL: func.func @unary
func.func @unary(%x: tensor<?x4xf32>) {
  // CHECK: tenon.neg %{{.*}} : tensor<?x4xf32>
  %neg = tenon.neg %x : tensor<?x4xf32>
  // CHECK: tenon.abs %{{.*}} : tensor<?x4xf32>
  %abs = tenon.abs %x : tensor<?x4xf32>
  // CHECK: tenon.exp %{{.*}} : tensor<?x4xf32>
  %exp = tenon.exp %x : tensor<?x4xf32>
  // CHECK: tenon.expm1 %{{.*}} : tensor<?x4xf32>
  %expm1 = tenon.expm1 %x : tensor<?x4xf32>
  // CHECK: tenon.log %{{.*}} : tensor<?x4xf32>
  %log = tenon.log %x : tensor<?x4xf32>
  // CHECK: tenon.log1p %{{.*}} : tensor<?x4xf32>
  %log1p = tenon.log1p %x : tensor<?x4xf32>
  // CHECK: tenon.sqrt %{{.*}} : tensor<?x4xf32>
  %sqrt = tenon.sqrt %x : tensor<?x4xf32>
  // CHECK: tenon.rsqrt %{{.*}} : tensor<?x4xf32>
  %rsqrt = tenon.rsqrt %x : tensor<?x4xf32>
  // CHECK: tenon.reciprocal %{{.*}} : tensor<?x4xf32>
  %reciprocal = tenon.reciprocal %x : tensor<?x4xf32>
  // CHECK: tenon.sin %{{.*}} : tensor<?x4xf32>
  %sin = tenon.sin %x : tensor<?x4xf32>
  // CHECK: tenon.cos %{{.*}} : tensor<?x4xf32>
  %cos = tenon.cos %x : tensor<?x4xf32>
  // CHECK: tenon.tan %{{.*}} : tensor<?x4xf32>
  %tan = tenon.tan %x : tensor<?x4xf32>
  // CHECK: tenon.asin %{{.*}} : tensor<?x4xf32>
  %asin = tenon.asin %x : tensor<?x4xf32>
  // CHECK: tenon.acos %{{.*}} : tensor<?x4xf32>
  %acos = tenon.acos %x : tensor<?x4xf32>
  // CHECK: tenon.atan %{{.*}} : tensor<?x4xf32>
  %atan = tenon.atan %x : tensor<?x4xf32>
  // CHECK: tenon.sinh %{{.*}} : tensor<?x4xf32>
  %sinh = tenon.sinh %x : tensor<?x4xf32>
  // CHECK: tenon.cosh %{{.*}} : tensor<?x4xf32>
  %cosh = tenon.cosh %x : tensor<?x4xf32>
  // CHECK: tenon.asinh %{{.*}} : tensor<?x4xf32>
  %asinh = tenon.asinh %x : tensor<?x4xf32>
  // CHECK: tenon.acosh %{{.*}} : tensor<?x4xf32>
  %acosh = tenon.acosh %x : tensor<?x4xf32>
  // CHECK: tenon.atanh %{{.*}} : tensor<?x4xf32>
  %atanh = tenon.atanh %x : tensor<?x4xf32>
  // CHECK: tenon.tanh %{{.*}} : tensor<?x4xf32>
  %tanh = tenon.tanh %x : tensor<?x4xf32>
  // CHECK: tenon.erf %{{.*}} : tensor<?x4xf32>
  %erf = tenon.erf %x : tensor<?x4xf32>
  // CHECK: tenon.sigmoid %{{.*}} : tensor<?x4xf32>
  %sigmoid = tenon.sigmoid %x : tensor<?x4xf32>
  // CHECK: tenon.floor %{{.*}} : tensor<?x4xf32>
  %floor = tenon.floor %x : tensor<?x4xf32>
  // CHECK: tenon.ceil %{{.*}} : tensor<?x4xf32>
  %ceil = tenon.ceil %x : tensor<?x4xf32>
  // CHECK: tenon.round %{{.*}} : tensor<?x4xf32>
  %round = tenon.round %x : tensor<?x4xf32>
  // CHECK: tenon.sign %{{.*}} : tensor<?x4xf32>
  %sign = tenon.sign %x : tensor<?x4xf32>
  return
}

// CHECK-LABEL: func.func @binary
func.func @binary(%x: tensor<?x4xf32>, %y: tensor<?x4xf32>) {
  // CHECK: tenon.add %{{.*}}, %{{.*}} : tensor<?x4xf32>
  %add = tenon.add %x, %y : tensor<?x4xf32>
  // CHECK: tenon.sub %{{.*}}, %{{.*}} : tensor<?x4xf32>
  %sub = tenon.sub %x, %y : tensor<?x4xf32>
  // CHECK: tenon.mul %{{.*}}, %{{.*}} : tensor<?x4xf32>
  %mul = tenon.mul %x, %y : tensor<?x4xf32>
  // CHECK: tenon.div %{{.*}}, %{{.*}} : tensor<?x4xf32>
  %div = tenon.div %x, %y : tensor<?x4xf32>
  // CHECK: tenon.rem %{{.*}}, %{{.*}} : tensor<?x4xf32>
  %rem = tenon.rem %x, %y : tensor<?x4xf32>
  // CHECK: tenon.mod %{{.*}}, %{{.*}} : tensor<?x4xf32>
  %mod = tenon.mod %x, %y : tensor<?x4xf32>
  // CHECK: tenon.pow %{{.*}}, %{{.*}} : tensor<?x4xf32>
  %pow = tenon.pow %x, %y : tensor<?x4xf32>
  // CHECK: tenon.min %{{.*}}, %{{.*}} : tensor<?x4xf32>
  %min = tenon.min %x, %y : tensor<?x4xf32>
  // CHECK: tenon.max %{{.*}}, %{{.*}} : tensor<?x4xf32>
  %max = tenon.max %x, %y : tensor<?x4xf32>
  // CHECK: tenon.atan2 %{{.*}}, %{{.*}} : tensor<?x4xf32>
  %atan2 = tenon.atan2 %x, %y : tensor<?x4xf32>
  return
}

// CHECK-LABEL: func.func @integer
func.func @integer(%x: tensor<3xui8>, %y: tensor<3xui8>) {
  // CHECK: tenon.and %{{.*}}, %{{.*}} : tensor<3xui8>
  %and = tenon.and %x, %y : tensor<3xui8>
  // CHECK: tenon.or %{{.*}}, %{{.*}} : tensor<3xui8>
  %or = tenon.or %x, %y : tensor<3xui8>
  // CHECK: tenon.xor %{{.*}}, %{{.*}} : tensor<3xui8>
  %xor = tenon.xor %x, %y : tensor<3xui8>
  // CHECK: tenon.shl %{{.*}}, %{{.*}} : tensor<3xui8>
  %shl = tenon.shl %x, %y : tensor<3xui8>
  // CHECK: tenon.shr %{{.*}}, %{{.*}} : tensor<3xui8>
  %shr = tenon.shr %x, %y : tensor<3xui8>
  // CHECK: tenon.not %{{.*}} : tensor<3xui8>
  %not = tenon.not %x : tensor<3xui8>
  return
}

// CHECK-LABEL: func.func @others
func.func @others(%x: tensor<?x4xf32>, %y: tensor<?x4xf32>) -> tensor<?x4xi64> {
  // CHECK: tenon.compare lt %{{.*}}, %{{.*}} : tensor<?x4xf32> -> tensor<?x4xi1>
  %c = tenon.compare lt %x, %y : tensor<?x4xf32> -> tensor<?x4xi1>
  // CHECK: tenon.is_nan %{{.*}} : tensor<?x4xf32> -> tensor<?x4xi1>
  %n = tenon.is_nan %x : tensor<?x4xf32> -> tensor<?x4xi1>
  // CHECK: tenon.select %{{.*}}, %{{.*}}, %{{.*}} : tensor<?x4xi1>, tensor<?x4xf32>
  %s = tenon.select %c, %x, %y : tensor<?x4xi1>, tensor<?x4xf32>
  // CHECK: tenon.cast %{{.*}} {saturate} : tensor<?x4xf32> -> tensor<?x4xf8E4M3FN>
  %f = tenon.cast %s {saturate} : tensor<?x4xf32> -> tensor<?x4xf8E4M3FN>
  // CHECK: tenon.cast %{{.*}} : tensor<?x4xf32> -> tensor<?x4xi64>
  %i = tenon.cast %s : tensor<?x4xf32> -> tensor<?x4xi64>
  // CHECK: tenon.bitcast %{{.*}} : tensor<?x4xf32> -> tensor<?x4xui32>
  %b = tenon.bitcast %s : tensor<?x4xf32> -> tensor<?x4xui32>
  return %i : tensor<?x4xi64>
}
