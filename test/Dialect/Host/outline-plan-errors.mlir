// RUN: %tenon_opt %s --split-input-file --verify-diagnostics --pass-pipeline="builtin.module(tenon-outline-plan)"

func.func @main() {
  tenon_host.segment 0 {
    %b = tenon_host.storage input 0 "n" sizes [] : memref<i64>
    %n = tenon_host.read_scalar %b at 0 : memref<i64> -> index
    // expected-error@+1 {{'tenon_host.storage' op has a size that its own segment reads}}
    %h = tenon_host.storage arena 0 sizes [%n] : memref<?xf32>
  }
  return
}

// -----

func.func @main() {
  %n = tenon_host.segment 0 -> index {
    %b = tenon_host.storage input 0 "n" sizes [] : memref<i64>
    %0 = tenon_host.read_scalar %b at 0 : memref<i64> -> index
    tenon_host.yield %0 : index
  }
  tenon_host.segment 1 {
    // expected-error@+1 {{'tenon_host.storage' op has a size that is not known before the run}}
    %x = tenon_host.storage input 1 "x" sizes [%n] : memref<?xf32>
  }
  return
}

// -----

func.func @main() {
  tenon_host.segment 0 {
  }
  // expected-error@+1 {{'tenon_host.storage' op has no place between segments}}
  %x = tenon_host.storage input 0 "x" sizes [4] : memref<4xf32>
  return
}

// -----

func.func @main() {
  tenon_host.segment 0 {
    // expected-error@+1 {{'tenon_host.segment' op is of a program in segments: run this pass before tenon-cut-segments}}
    tenon_host.segment 1 {
    }
  }
  return
}

// -----

func.func @main(%n: i64) {
  %i = arith.index_cast %n : i64 to index
  // expected-error@+1 {{'tenon_host.segment' op needs a value of type 'i64', which is no number of the program}}
  tenon_host.segment 0 {
    tenon_host.check_equal %i, %i "numbers"
  }
  return
}

// -----

func.func @main() {
  %true = arith.constant true
  %0 = scf.while (%a = %true) : (i1) -> i1 {
    // expected-error@+1 {{'tenon_host.segment' op has no place in the condition of a loop}}
    tenon_host.segment 0 {
    }
    scf.condition(%a) %a : i1
  } do {
  ^bb0(%b: i1):
    scf.yield %b : i1
  }
  tenon_host.segment 1 {
  }
  return
}

// -----

// A program that is cut is none for the passes before.
func.func @main() {
  tenon_host.segment 0 {
    // expected-error@+1 {{'tenon_host.plan' op has no place in a segment}}
    tenon_host.plan 1 @p() : () -> ()
  }
  return
}
func.func private @p() attributes {tenon_host.plan}
