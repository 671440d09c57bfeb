// RUN: %tenon_check %s

// Branches, loops and sizes.

func.func @if() -> (tensor<2xf32>, tensor<2xf32>) {
  %true = tenon.constant dense<true> : tensor<i1>
  %a = tenon.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %b = tenon.constant dense<[3.0, 4.0]> : tensor<2xf32>
  %y = tenon.if %true -> tensor<2xf32> {
    tenon.yield %a : tensor<2xf32>
  } else {
    tenon.yield %b : tensor<2xf32>
  }
  return %y, %a : tensor<2xf32>, tensor<2xf32>
}

func.func @loop() -> (tensor<i64>, tensor<i64>, tensor<?xi64>, tensor<?xi64>) {
  %n = tenon.constant dense<4> : tensor<i64>
  %true = tenon.constant dense<true> : tensor<i1>
  %one = tenon.constant dense<1> : tensor<i64>
  %last, %all = tenon.loop %n, %true carried(%one : tensor<i64>) -> tensor<i64>, tensor<?xi64> {
  ^bb0(%i: tensor<i64>, %v: tensor<i64>):
    %w = tenon.add %v, %v : tensor<i64>
    tenon.yield %true, %w, %v : tensor<i1>, tensor<i64>, tensor<i64>
  }
  %expected = tenon.constant dense<16> : tensor<i64>
  %each = tenon.constant dense<[1, 2, 4, 8]> : tensor<4xi64>
  %dynamic = tensor.cast %each : tensor<4xi64> to tensor<?xi64>
  return %last, %expected, %all, %dynamic : tensor<i64>, tensor<i64>, tensor<?xi64>, tensor<?xi64>
}

func.func @loop_until() -> (tensor<i64>, tensor<i64>) {
  %n = tenon.constant dense<100> : tensor<i64>
  %true = tenon.constant dense<true> : tensor<i1>
  %three = tenon.constant dense<3> : tensor<i64>
  %zero = tenon.constant dense<0> : tensor<i64>
  %last = tenon.loop %n, %true carried(%zero : tensor<i64>) -> tensor<i64> {
  ^bb0(%i: tensor<i64>, %v: tensor<i64>):
    %goes_on = tenon.compare lt %i, %three : tensor<i64> -> tensor<i1>
    tenon.yield %goes_on, %i : tensor<i1>, tensor<i64>
  }
  return %last, %three : tensor<i64>, tensor<i64>
}

func.func @loop_never() -> (tensor<i64>, tensor<i64>, tensor<0x2xf32>, tensor<0x2xf32>) {
  %n = tenon.constant dense<5> : tensor<i64>
  %false = tenon.constant dense<false> : tensor<i1>
  %row = tenon.constant dense<1.0> : tensor<2xf32>
  %last, %all = tenon.loop %n, %false carried(%n : tensor<i64>) -> tensor<i64>, tensor<?x2xf32> {
  ^bb0(%i: tensor<i64>, %v: tensor<i64>):
    tenon.yield %false, %i, %row : tensor<i1>, tensor<i64>, tensor<2xf32>
  }
  %static = tensor.cast %all : tensor<?x2xf32> to tensor<0x2xf32>
  %none = tenon.constant dense<> : tensor<0x2xf32>
  return %last, %n, %static, %none : tensor<i64>, tensor<i64>, tensor<0x2xf32>, tensor<0x2xf32>
}

func.func @sizes() -> (tensor<3xi64>, tensor<3xi64>) {
  %x = tenon.constant dense<[[1, 0, 2]]> : tensor<1x3xi32>
  %places = tenon.nonzero %x : tensor<1x3xi32> -> tensor<2x?xi64>
  %n = tenon.size %places dim 1 : tensor<2x?xi64>
  %c3 = arith.constant 3 : index
  %m = arith.muli %n, %c3 : index
  %k = affine.apply affine_map<()[s0] -> (s0 floordiv 4)>()[%m]
  %s = tenon.from_sizes [%n, %m, %k] : tensor<3xi64>
  %expected = tenon.constant dense<[2, 6, 1]> : tensor<3xi64>
  return %s, %expected : tensor<3xi64>, tensor<3xi64>
}

func.func @item_beyond() -> tensor<1xi64> attributes {tenon.error = "has no element 1 in tensor<1xi64>"} {
  %x = tenon.constant dense<[3]> : tensor<1xi64>
  %dynamic = tensor.cast %x : tensor<1xi64> to tensor<?xi64>
  %n = tenon.item %dynamic at 1 : tensor<?xi64>
  %s = tenon.from_sizes [%n] : tensor<1xi64>
  return %s : tensor<1xi64>
}
