// RUN: %tenon_opt %s --split-input-file --verify-diagnostics --pass-pipeline="builtin.module(tenon-convert-host-to-llvm)"

// What only those can get wrong who write plans by hand.

// expected-error@+1 {{'func.func' op is a host program without segments: run tenon-plans before}}
func.func @main() {
  %x = tenon_host.storage input 0 "x" sizes [4] : memref<4xf32>
  return
}

// -----

func.func @main() {
  // expected-error@+1 {{'tenon_host.segment' op expects a plan before it}}
  tenon_host.segment 0 {
  }
  return
}

// -----

func.func private @p() attributes {tenon_host.plan} {
  return
}
func.func @main() {
  tenon_host.plan 0 @p() : () -> ()
  // expected-error@+1 {{'tenon_host.segment' op expects to be segment 0}}
  tenon_host.segment 1 {
  }
  return
}

// -----

func.func private @p() attributes {tenon_host.plan} {
  return
}
func.func @main() {
  tenon_host.plan 0 @p() : () -> ()
  // expected-error@+1 {{'tenon_host.plan' op is a second plan of segment 0}}
  tenon_host.plan 0 @p() : () -> ()
  tenon_host.segment 0 {
  }
  return
}

// -----

func.func private @p() attributes {tenon_host.plan} {
  return
}
// expected-error@+1 {{'func.func' op has 2 plans, but 1 segments}}
func.func @main() {
  tenon_host.plan 0 @p() : () -> ()
  tenon_host.segment 0 {
  }
  tenon_host.plan 1 @p() : () -> ()
  return
}

// -----

func.func private @p() attributes {tenon_host.plan}
func.func @main() {
  // expected-error@+1 {{'tenon_host.plan' op is computed by @p, which has no body}}
  tenon_host.plan 0 @p() : () -> ()
  tenon_host.segment 0 {
  }
  return
}

// -----

func.func private @p() attributes {tenon_host.plan} {
  return
}
func.func @main() {
  tenon_host.plan 0 @p() : () -> ()
  tenon_host.segment 0 {
    // expected-error@+1 {{'tenon_host.storage' op expects bytes that its segment's plan gives}}
    %h = tenon_host.storage arena 0 sizes [4] : memref<4xf32>
  }
  return
}

// -----

func.func private @p() attributes {tenon_host.plan} {
  // expected-error@+1 {{'memref.alloc' op gives a size that is not known before the run}}
  %0 = memref.alloc() : memref<4xf32>
  return
}
func.func @main() {
  tenon_host.plan 0 @p() : () -> ()
  tenon_host.segment 0 {
  }
  return
}

// -----

func.func private @p() attributes {tenon_host.plan} {
  return
}
func.func @main() {
  tenon_host.plan 0 @p() : () -> ()
  tenon_host.segment 0 {
    // expected-error@+1 {{'tenon_host.check_rows' op has no such input}}
    tenon_host.check_rows input 0 sizes [4, 4] strides [4]
  }
  return
}

// -----

func.func private @p() -> index attributes {tenon_host.plan} {
  %m = tenon.symbol "m"
  return %m : index
}
func.func @main() {
  %m = tenon.symbol "m"
  %0 = tenon_host.plan 0 @p() : () -> index
  tenon_host.segment 0 {
    %x = tenon_host.storage input 0 "x" sizes [%m] : memref<?xf32>
    // expected-error@+1 {{takes a number that is not known here: tenon.symbol}}
    tenon_host.check_equal %0, %m "sizes differ"
  }
  return
}

// -----

func.func private @p() attributes {tenon_host.plan} {
  return
}
// expected-error@+1 {{'llvm.func' op has the name of a function that the host program becomes}}
llvm.func @run()
func.func @main() {
  tenon_host.plan 0 @p() : () -> ()
  tenon_host.segment 0 {
  }
  return
}
