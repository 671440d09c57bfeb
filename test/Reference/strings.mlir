// RUN: tenon-interpret --check %s

// Strings. Those that sessions own can't be bound beside guard pages: python/tests/test_values.py has compiled ones.

func.func @concat() -> (tensor<2x!tenon.string>, tensor<2x!tenon.string>) {
  %a = tenon.constant dense<["a", ""]> : tensor<2x!tenon.string>
  %b = tenon.constant dense<["bc", "d"]> : tensor<2x!tenon.string>
  %y = tenon.string_concat %a, %b : tensor<2x!tenon.string>
  %expected = tenon.constant dense<["abc", "d"]> : tensor<2x!tenon.string>
  return %y, %expected : tensor<2x!tenon.string>, tensor<2x!tenon.string>
}

func.func @match() -> (tensor<4xi1>, tensor<4xi1>) {
  %x = tenon.constant dense<["abc", "abc1", "", "ABC"]> : tensor<4x!tenon.string>
  %y = tenon.string_match %x pattern "[a-z]+\\d?" : tensor<4x!tenon.string> -> tensor<4xi1>
  %expected = tenon.constant dense<[true, true, false, false]> : tensor<4xi1>
  return %y, %expected : tensor<4xi1>, tensor<4xi1>
}

func.func @normalize() -> (tensor<?x!tenon.string>, tensor<?x!tenon.string>, tensor<?x!tenon.string>, tensor<?x!tenon.string>) {
  %x = tenon.constant dense<["The", "Quick", "the", "fox"]> : tensor<4x!tenon.string>
  %a = tenon.string_normalize "upper" %x without ["THE"] : tensor<4x!tenon.string> -> tensor<?x!tenon.string>
  %b = tenon.string_normalize "none" %x without ["The", "Quick", "the", "fox"] case_sensitive : tensor<4x!tenon.string> -> tensor<?x!tenon.string>
  %c = tenon.constant dense<["QUICK", "FOX"]> : tensor<2x!tenon.string>
  %d = tenon.constant dense<[""]> : tensor<1x!tenon.string>
  %e = tensor.cast %c : tensor<2x!tenon.string> to tensor<?x!tenon.string>
  %f = tensor.cast %d : tensor<1x!tenon.string> to tensor<?x!tenon.string>
  return %a, %e, %b, %f : tensor<?x!tenon.string>, tensor<?x!tenon.string>, tensor<?x!tenon.string>, tensor<?x!tenon.string>
}

func.func @split() -> (tensor<3x?x!tenon.string>, tensor<3x?x!tenon.string>, tensor<3xi64>, tensor<3xi64>) {
  %x = tenon.constant dense<["a,b,c", ",", ""]> : tensor<3x!tenon.string>
  %parts, %counts = tenon.string_split %x delimiter "," max_splits 1 : tensor<3x!tenon.string> -> tensor<3x?x!tenon.string>, tensor<3xi64>
  %p = tenon.constant dense<[["a", "b,c"], ["", ""], ["", ""]]> : tensor<3x2x!tenon.string>
  %q = tensor.cast %p : tensor<3x2x!tenon.string> to tensor<3x?x!tenon.string>
  %c = tenon.constant dense<[2, 2, 0]> : tensor<3xi64>
  return %parts, %q, %counts, %c : tensor<3x?x!tenon.string>, tensor<3x?x!tenon.string>, tensor<3xi64>, tensor<3xi64>
}

func.func @lookup() -> (tensor<3xi64>, tensor<3xi64>, tensor<3x!tenon.string>, tensor<3x!tenon.string>) {
  %x = tenon.constant dense<["b", "z", "a"]> : tensor<3x!tenon.string>
  %keys = tenon.constant dense<["a", "b", "a"]> : tensor<3x!tenon.string>
  %values = tenon.constant dense<[1, 2, 3]> : tensor<3xi64>
  %default = tenon.constant dense<-1> : tensor<i64>
  %y = tenon.lookup %x, %keys, %values, %default : tensor<3x!tenon.string>, tensor<3x!tenon.string>, tensor<3xi64>, tensor<i64> -> tensor<3xi64>
  %expected = tenon.constant dense<[2, -1, 1]> : tensor<3xi64>
  %f = tenon.constant dense<[0.0, 0x7FC00000, 5.0]> : tensor<3xf32>
  %g = tenon.constant dense<[-0.0, 0x7FC00001]> : tensor<2xf32>
  %names = tenon.constant dense<["zero", "nan"]> : tensor<2x!tenon.string>
  %none = tenon.constant dense<"?"> : tensor<!tenon.string>
  %named = tenon.lookup %f, %g, %names, %none : tensor<3xf32>, tensor<2xf32>, tensor<2x!tenon.string>, tensor<!tenon.string> -> tensor<3x!tenon.string>
  %words = tenon.constant dense<["zero", "nan", "?"]> : tensor<3x!tenon.string>
  return %y, %expected, %named, %words : tensor<3xi64>, tensor<3xi64>, tensor<3x!tenon.string>, tensor<3x!tenon.string>
}
