// RUN: %tenon_check %s

// Sequences, optionals.

func.func @insert_erase() -> (tensor<?xi64>, tensor<?xi64>, tensor<i64>, tensor<i64>) {
  %a = tenon.constant dense<[1, 2]> : tensor<2xi64>
  %b = tenon.constant dense<[3]> : tensor<1xi64>
  %c = tenon.constant dense<[4, 5]> : tensor<2xi64>
  %one = tenon.constant dense<1> : tensor<i64>
  %last = tenon.constant dense<-1> : tensor<i64>
  %s = tenon.sequence (%a, %b) : (tensor<2xi64>, tensor<1xi64>) -> !tenon.seq<tensor<?xi64>>
  %t = tenon.sequence_insert %s, %c at %one : !tenon.seq<tensor<?xi64>>, tensor<2xi64>, tensor<i64> -> !tenon.seq<tensor<?xi64>>
  %u = tenon.sequence_insert %t, %c at %last : !tenon.seq<tensor<?xi64>>, tensor<2xi64>, tensor<i64> -> !tenon.seq<tensor<?xi64>>
  %v = tenon.sequence_erase %u : !tenon.seq<tensor<?xi64>>
  %w = tenon.sequence_insert %v, %b : !tenon.seq<tensor<?xi64>>, tensor<1xi64> -> !tenon.seq<tensor<?xi64>>
  %all = tenon.sequence_concat %w dim 0 : !tenon.seq<tensor<?xi64>> -> tensor<?xi64>
  %n = tenon.sequence_length %w : !tenon.seq<tensor<?xi64>> -> tensor<i64>
  %expected = tenon.constant dense<[1, 2, 4, 5, 4, 5, 3]> : tensor<7xi64>
  %dynamic = tensor.cast %expected : tensor<7xi64> to tensor<?xi64>
  %four = tenon.constant dense<4> : tensor<i64>
  return %all, %dynamic, %n, %four : tensor<?xi64>, tensor<?xi64>, tensor<i64>, tensor<i64>
}

func.func @split() -> (tensor<?x?xi64>, tensor<?x?xi64>, tensor<?x?x?xi64>, tensor<?x?x?xi64>) {
  %x = tenon.constant dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi64>
  %two = tenon.constant dense<2> : tensor<i64>
  %last = tenon.constant dense<-1> : tensor<i64>
  %s = tenon.sequence_split %x by %two dim 1 : tensor<2x3xi64>, tensor<i64> -> !tenon.seq<tensor<2x?xi64>>
  %part = tenon.sequence_at %s, %last : !tenon.seq<tensor<2x?xi64>>, tensor<i64> -> tensor<?x?xi64>
  %expected = tenon.constant dense<[[3], [6]]> : tensor<2x1xi64>
  %dynamic = tensor.cast %expected : tensor<2x1xi64> to tensor<?x?xi64>
  %rows = tenon.sequence_split %x dim 0 : tensor<2x3xi64> -> !tenon.seq<tensor<1x3xi64>>
  %stacked = tenon.sequence_concat %rows dim 2 new_dim : !tenon.seq<tensor<1x3xi64>> -> tensor<?x?x?xi64>
  %stack = tenon.constant dense<[[[1, 4], [2, 5], [3, 6]]]> : tensor<1x3x2xi64>
  %stackDynamic = tensor.cast %stack : tensor<1x3x2xi64> to tensor<?x?x?xi64>
  return %part, %dynamic, %stacked, %stackDynamic : tensor<?x?xi64>, tensor<?x?xi64>, tensor<?x?x?xi64>, tensor<?x?x?xi64>
}

func.func @optional() -> (tensor<2xf32>, tensor<2xf32>, tensor<i1>, tensor<i1>, tensor<i1>, tensor<i1>) {
  %x = tenon.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %o = tenon.optional %x : tensor<2xf32> -> !tenon.opt<tensor<2xf32>>
  %none = tenon.optional -> !tenon.opt<tensor<2xf32>>
  %y = tenon.optional_get %o : !tenon.opt<tensor<2xf32>> -> tensor<2xf32>
  %yes = tenon.optional_has %o : !tenon.opt<tensor<2xf32>> -> tensor<i1>
  %no = tenon.optional_has %none : !tenon.opt<tensor<2xf32>> -> tensor<i1>
  %true = tenon.constant dense<true> : tensor<i1>
  %false = tenon.constant dense<false> : tensor<i1>
  return %y, %x, %yes, %true, %no, %false : tensor<2xf32>, tensor<2xf32>, tensor<i1>, tensor<i1>, tensor<i1>, tensor<i1>
}
