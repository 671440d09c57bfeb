// RUN: %tenon_opt %s --split-input-file --verify-diagnostics

func.func @maps(%q: tensor<4x8xf32>, %k: tensor<5x8xf32>, %v: tensor<5x3xf32>) -> tensor<4x3xf32> {
  // expected-error @+1 {{'tenon.attention' op expects 4 indexing maps, one per operand and result, but has 1}}
  %y = tenon.attention %q, %k, %v maps [affine_map<(m, e, n, k) -> (m, k)>] scale 1.0
       : tensor<4x8xf32>, tensor<5x8xf32>, tensor<5x3xf32> -> tensor<4x3xf32>
  return %y : tensor<4x3xf32>
}

// -----

func.func @rank(%q: tensor<4x8xf32>, %k: tensor<5x8xf32>, %v: tensor<5x3xf32>) -> tensor<4x3xf32> {
  // expected-error @+1 {{'tenon.attention' op expects map 2 to be a projected permutation of 4 dimensions with 2 results, but has affine_map<(d0, d1, d2, d3) -> (d2)>}}
  %y = tenon.attention %q, %k, %v maps [affine_map<(m, e, n, k) -> (m, k)>, affine_map<(m, e, n, k) -> (n, k)>,
       affine_map<(m, e, n, k) -> (n)>, affine_map<(m, e, n, k) -> (m, e)>] scale 1.0
       : tensor<4x8xf32>, tensor<5x8xf32>, tensor<5x3xf32> -> tensor<4x3xf32>
  return %y : tensor<4x3xf32>
}

// -----

func.func @sizes(%q: tensor<4x8xf32>, %k: tensor<5x7xf32>, %v: tensor<5x3xf32>) -> tensor<4x3xf32> {
  // expected-error @+1 {{'tenon.attention' op expects one size of dimension d3, but has 8 and 7}}
  %y = tenon.attention %q, %k, %v maps [affine_map<(m, e, n, k) -> (m, k)>, affine_map<(m, e, n, k) -> (n, k)>, affine_map<(m, e, n, k) -> (n, e)>, affine_map<(m, e, n, k) -> (m, e)>] scale 1.0
       : tensor<4x8xf32>, tensor<5x7xf32>, tensor<5x3xf32> -> tensor<4x3xf32>
  return %y : tensor<4x3xf32>
}

// -----

func.func @stray(%q: tensor<4x8xf32>, %k: tensor<5x8xf32>, %v: tensor<5x3x2xf32>) -> tensor<4x3xf32> {
  // expected-error @+1 {{'tenon.attention' op expects dimension d4 to be the keys', one that scores sum, or one of the result}}
  %y = tenon.attention %q, %k, %v maps [affine_map<(m, e, n, k, s) -> (m, k)>, affine_map<(m, e, n, k, s) -> (n, k)>,
       affine_map<(m, e, n, k, s) -> (n, e, s)>, affine_map<(m, e, n, k, s) -> (m, e)>] scale 1.0
       : tensor<4x8xf32>, tensor<5x8xf32>, tensor<5x3x2xf32> -> tensor<4x3xf32>
  return %y : tensor<4x3xf32>
}

// -----

func.func @two_keys(%q: tensor<4x8xf32>, %k: tensor<5x6x8xf32>, %v: tensor<5x6x3xf32>) -> tensor<4x3xf32> {
  // expected-error @+1 {{'tenon.attention' op expects one dimension in key and value alone, along which the softmax runs, but has 2}}
  %y = tenon.attention %q, %k, %v maps [affine_map<(m, e, n, k, s) -> (m, k)>, affine_map<(m, e, n, k, s) -> (n, s, k)>,
       affine_map<(m, e, n, k, s) -> (n, s, e)>, affine_map<(m, e, n, k, s) -> (m, e)>] scale 1.0
       : tensor<4x8xf32>, tensor<5x6x8xf32>, tensor<5x6x3xf32> -> tensor<4x3xf32>
  return %y : tensor<4x3xf32>
}

// -----

func.func @integers(%q: tensor<4x8xi32>, %k: tensor<5x8xi32>, %v: tensor<5x3xi32>) -> tensor<4x3xi32> {
  // expected-error @+1 {{'tenon.attention' op operand #0 must be ranked tensor of floating-point number}}
  %y = tenon.attention %q, %k, %v maps [affine_map<(m, e, n, k) -> (m, k)>, affine_map<(m, e, n, k) -> (n, k)>, affine_map<(m, e, n, k) -> (n, e)>, affine_map<(m, e, n, k) -> (m, e)>] scale 1.0
       : tensor<4x8xi32>, tensor<5x8xi32>, tensor<5x3xi32> -> tensor<4x3xi32>
  return %y : tensor<4x3xi32>
}

// -----

func.func @types(%q: tensor<4x8xf32>, %k: tensor<5x8xf32>, %v: tensor<5x3xf16>) -> tensor<4x3xf32> {
  // expected-error @+1 {{'tenon.attention' op expects query, key, value and result of one element type, but has 'f32' and 'f16'}}
  %y = tenon.attention %q, %k, %v maps [affine_map<(m, e, n, k) -> (m, k)>, affine_map<(m, e, n, k) -> (n, k)>, affine_map<(m, e, n, k) -> (n, e)>, affine_map<(m, e, n, k) -> (m, e)>] scale 1.0
       : tensor<4x8xf32>, tensor<5x8xf32>, tensor<5x3xf16> -> tensor<4x3xf32>
  return %y : tensor<4x3xf32>
}

// -----

func.func @mask(%q: tensor<4x8xf32>, %k: tensor<5x8xf32>, %v: tensor<5x3xf32>, %m: tensor<5xi8>) -> tensor<4x3xf32> {
  // expected-error @+1 {{'tenon.attention' op expects a mask of 'f32' or i1, but has 'i8'}}
  %y = tenon.attention %q, %k, %v mask(%m : tensor<5xi8>) maps [affine_map<(m, e, n, k) -> (m, k)>, affine_map<(m, e, n, k) -> (n, k)>,
       affine_map<(m, e, n, k) -> (n, e)>, affine_map<(m, e, n, k) -> (n)>, affine_map<(m, e, n, k) -> (m, e)>] scale 1.0
       : tensor<4x8xf32>, tensor<5x8xf32>, tensor<5x3xf32> -> tensor<4x3xf32>
  return %y : tensor<4x3xf32>
}

// -----

func.func @fill(%q: tensor<4x8xf32>, %k: tensor<5x8xf32>, %v: tensor<5x3xf32>) -> tensor<4x3xf32> {
  // expected-error @+1 {{'tenon.attention' op expects a mask of i1 beside fill}}
  %y = tenon.attention %q, %k, %v maps [affine_map<(m, e, n, k) -> (m, k)>, affine_map<(m, e, n, k) -> (n, k)>, affine_map<(m, e, n, k) -> (n, e)>, affine_map<(m, e, n, k) -> (m, e)>] scale 1.0 fill 0.0
       : tensor<4x8xf32>, tensor<5x8xf32>, tensor<5x3xf32> -> tensor<4x3xf32>
  return %y : tensor<4x3xf32>
}
