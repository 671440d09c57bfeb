// RUN: tenon-compile %s -o %t.so --quiet
// RUN: tenon-run %t.so --random --symbol n=5 --output %t.npz
// RUN: %python -c "import numpy, sys; f = numpy.load(sys.argv[1]); assert (f['y'] == f['z']).all() and f['z'].shape == (5, 3)" %t.npz

// A program without kernels.
func.func @main() {
  %n = tenon.symbol "n"
  %x = tenon_host.storage input 0 "x" sizes [%n, 3] : memref<?x3xi64>
  %y = tenon_host.storage output 0 "y" sizes [%n, 3] : memref<?x3xi64>
  %z = tenon_host.storage output 1 "z" sizes [%n, 3] : memref<?x3xi64>
  tenon_host.copy %x to %y : memref<?x3xi64> to memref<?x3xi64>
  tenon_host.copy %y to %z : memref<?x3xi64> to memref<?x3xi64>
  return
}
