// RUN: %tenon_opt %s --split-input-file --verify-diagnostics

// expected-error@+1 {{expects vectors of 16, 32 or 64 bytes, but has 48}}
#odd = #tenon_tile.target<name = "odd", triple = "", cpu = "", features = "", vector_bytes = 48, vector_registers = 16, level1_bytes = 1, level2_bytes = 1, level3_bytes = 1, fmas_per_cycle = 1, loads_per_cycle = 1, fma_latency = 1, level2_bytes_per_cycle = 1>

// -----

// expected-error@+1 {{expects positive numbers, but has 0}}
#none = #tenon_tile.target<name = "none", triple = "", cpu = "", features = "", vector_bytes = 32, vector_registers = 0, level1_bytes = 1, level2_bytes = 1, level3_bytes = 1, fmas_per_cycle = 1, loads_per_cycle = 1, fma_latency = 1, level2_bytes_per_cycle = 1>

// -----

// expected-error@+1 {{expects a target with a name}}
#anonymous = #tenon_tile.target<name = "", triple = "", cpu = "", features = "", vector_bytes = 32, vector_registers = 16, level1_bytes = 1, level2_bytes = 1, level3_bytes = 1, fmas_per_cycle = 1, loads_per_cycle = 1, fma_latency = 1, level2_bytes_per_cycle = 1>

// -----

// expected-error@+1 {{sets 'vectors' twice}}
#twice = #tenon_tile.schedule<vectors = 1, vectors = 2>

// -----

// expected-error@+1 {{expects a positive number for 'vectors', but has 0 : i64}}
#zero = #tenon_tile.schedule<vectors = 0>

// -----

// expected-error@+1 {{'func.func' op expects 'tenon_tile.schedule' to be a schedule of a kernel}}
func.func @not_a_kernel() attributes {tenon_tile.schedule = #tenon_tile.schedule<vectors = 1>} {
  return
}

// -----

// expected-error@+1 {{'tenon_tile.kernel' op expects 'tenon_tile.schedule' to be a schedule of a kernel}}
tenon_tile.kernel @not_a_schedule(%x: tensor<4xf32>) -> tensor<4xf32>
    attributes {work = affine_map<() -> (1)>, tenon_tile.schedule = 1} {
  tenon_tile.yield %x : tensor<4xf32>
}

// -----

// expected-error@+1 {{'tenon_tile.variants' op expects nothing but variants, but has 'func.func'}}
tenon_tile.variants @k {
  func.func @k() {
    return
  }
}

// -----

#avx2 = #tenon_tile.target<name = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, level1_bytes = 32768, level2_bytes = 524288, level3_bytes = 16777216, fmas_per_cycle = 2, loads_per_cycle = 2, fma_latency = 4, level2_bytes_per_cycle = 32>

tenon_tile.variants @k {
  // expected-error@+1 {{'tenon_tile.variant' op expects one function, of the name 'k'}}
  tenon_tile.variant @avx2 target #avx2 {
    tenon_tile.kernel @other(%x: tensor<4xf32>) -> tensor<4xf32> attributes {work = affine_map<() -> (1)>} {
      tenon_tile.yield %x : tensor<4xf32>
    }
  }
}

// -----

#avx2 = #tenon_tile.target<name = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, level1_bytes = 32768, level2_bytes = 524288, level3_bytes = 16777216, fmas_per_cycle = 2, loads_per_cycle = 2, fma_latency = 4, level2_bytes_per_cycle = 32>

tenon_tile.variants @k {
  // expected-error@+1 {{'tenon_tile.variant' op expects one function, of the name 'k'}}
  tenon_tile.variant @avx2 target #avx2 {
  }
}

// -----

#avx2 = #tenon_tile.target<name = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, level1_bytes = 32768, level2_bytes = 524288, level3_bytes = 16777216, fmas_per_cycle = 2, loads_per_cycle = 2, fma_latency = 4, level2_bytes_per_cycle = 32>

tenon_tile.variants @k {
  tenon_tile.variant @first target #avx2 {
    tenon_tile.kernel @k(%x: tensor<4xf32>) -> tensor<4xf32> attributes {work = affine_map<() -> (1)>} {
      tenon_tile.yield %x : tensor<4xf32>
    }
  }
  // expected-error@+1 {{'tenon_tile.variant' op is the second one for target 'avx2'}}
  tenon_tile.variant @second target #avx2 {
    tenon_tile.kernel @k(%x: tensor<4xf32>) -> tensor<4xf32> attributes {work = affine_map<() -> (1)>} {
      tenon_tile.yield %x : tensor<4xf32>
    }
  }
}

// -----

// What a part lacks is its own error, though the whole is verified first.
#avx2 = #tenon_tile.target<name = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, level1_bytes = 32768, level2_bytes = 524288, level3_bytes = 16777216, fmas_per_cycle = 2, loads_per_cycle = 2, fma_latency = 4, level2_bytes_per_cycle = 32>

tenon_tile.variants @k {
  tenon_tile.variant @v target #avx2 {
    // expected-error@+1 {{'tenon_tile.program' op requires attribute 'function_type'}}
    "tenon_tile.program"() <{outputs = 1 : i64, sym_name = "k"}> ({
      "tenon_tile.release"() : () -> ()
    }) : () -> ()
  }
}

// -----

tenon_tile.variants @k {
  // expected-error@+1 {{'tenon_tile.variant' op requires attribute 'target'}}
  "tenon_tile.variant"() <{sym_name = "a"}> ({
    "tenon_tile.form"() : () -> ()
  }) : () -> ()
  // expected-error@+1 {{'tenon_tile.variant' op requires attribute 'target'}}
  "tenon_tile.variant"() <{sym_name = "b"}> ({
    "tenon_tile.form"() : () -> ()
  }) : () -> ()
}
