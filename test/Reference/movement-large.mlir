// RUN: %tenon_check %s

// Ops that move more elements than one row of them, whose numbers are their places.

// Rows of the result read far apart, and are no multiple of a piece.
func.func @transpose_matrix() -> (tensor<70x40xi32>, tensor<70x40xi32>) {
  %xi0 = tenon.iota dim 0 sizes [40, 70] : tensor<40x70xi32>
  %xs0 = tenon.constant dense<70> : tensor<40x70xi32>
  %xm0 = tenon.mul %xi0, %xs0 : tensor<40x70xi32>
  %xi1 = tenon.iota dim 1 sizes [40, 70] : tensor<40x70xi32>
  %xs1 = tenon.constant dense<1> : tensor<40x70xi32>
  %xm1 = tenon.mul %xi1, %xs1 : tensor<40x70xi32>
  %xa1 = tenon.add %xm0, %xm1 : tensor<40x70xi32>
  %yi0 = tenon.iota dim 0 sizes [70, 40] : tensor<70x40xi32>
  %ys0 = tenon.constant dense<1> : tensor<70x40xi32>
  %ym0 = tenon.mul %yi0, %ys0 : tensor<70x40xi32>
  %yi1 = tenon.iota dim 1 sizes [70, 40] : tensor<70x40xi32>
  %ys1 = tenon.constant dense<70> : tensor<70x40xi32>
  %ym1 = tenon.mul %yi1, %ys1 : tensor<70x40xi32>
  %ya1 = tenon.add %ym0, %ym1 : tensor<70x40xi32>
  %y = tenon.transpose %xa1 [1, 0] : tensor<40x70xi32> -> tensor<70x40xi32>
  return %y, %ya1 : tensor<70x40xi32>, tensor<70x40xi32>
}

// Each row of 37 is read across all of the operand.
func.func @transpose_weights() -> (tensor<3x3x50x37xi32>, tensor<3x3x50x37xi32>) {
  %xi0 = tenon.iota dim 0 sizes [37, 50, 3, 3] : tensor<37x50x3x3xi32>
  %xs0 = tenon.constant dense<450> : tensor<37x50x3x3xi32>
  %xm0 = tenon.mul %xi0, %xs0 : tensor<37x50x3x3xi32>
  %xi1 = tenon.iota dim 1 sizes [37, 50, 3, 3] : tensor<37x50x3x3xi32>
  %xs1 = tenon.constant dense<9> : tensor<37x50x3x3xi32>
  %xm1 = tenon.mul %xi1, %xs1 : tensor<37x50x3x3xi32>
  %xa1 = tenon.add %xm0, %xm1 : tensor<37x50x3x3xi32>
  %xi2 = tenon.iota dim 2 sizes [37, 50, 3, 3] : tensor<37x50x3x3xi32>
  %xs2 = tenon.constant dense<3> : tensor<37x50x3x3xi32>
  %xm2 = tenon.mul %xi2, %xs2 : tensor<37x50x3x3xi32>
  %xa2 = tenon.add %xa1, %xm2 : tensor<37x50x3x3xi32>
  %xi3 = tenon.iota dim 3 sizes [37, 50, 3, 3] : tensor<37x50x3x3xi32>
  %xs3 = tenon.constant dense<1> : tensor<37x50x3x3xi32>
  %xm3 = tenon.mul %xi3, %xs3 : tensor<37x50x3x3xi32>
  %xa3 = tenon.add %xa2, %xm3 : tensor<37x50x3x3xi32>
  %yi0 = tenon.iota dim 0 sizes [3, 3, 50, 37] : tensor<3x3x50x37xi32>
  %ys0 = tenon.constant dense<3> : tensor<3x3x50x37xi32>
  %ym0 = tenon.mul %yi0, %ys0 : tensor<3x3x50x37xi32>
  %yi1 = tenon.iota dim 1 sizes [3, 3, 50, 37] : tensor<3x3x50x37xi32>
  %ys1 = tenon.constant dense<1> : tensor<3x3x50x37xi32>
  %ym1 = tenon.mul %yi1, %ys1 : tensor<3x3x50x37xi32>
  %ya1 = tenon.add %ym0, %ym1 : tensor<3x3x50x37xi32>
  %yi2 = tenon.iota dim 2 sizes [3, 3, 50, 37] : tensor<3x3x50x37xi32>
  %ys2 = tenon.constant dense<9> : tensor<3x3x50x37xi32>
  %ym2 = tenon.mul %yi2, %ys2 : tensor<3x3x50x37xi32>
  %ya2 = tenon.add %ya1, %ym2 : tensor<3x3x50x37xi32>
  %yi3 = tenon.iota dim 3 sizes [3, 3, 50, 37] : tensor<3x3x50x37xi32>
  %ys3 = tenon.constant dense<450> : tensor<3x3x50x37xi32>
  %ym3 = tenon.mul %yi3, %ys3 : tensor<3x3x50x37xi32>
  %ya3 = tenon.add %ya2, %ym3 : tensor<3x3x50x37xi32>
  %y = tenon.transpose %xa3 [2, 3, 1, 0] : tensor<37x50x3x3xi32> -> tensor<3x3x50x37xi32>
  return %y, %ya3 : tensor<3x3x50x37xi32>, tensor<3x3x50x37xi32>
}

// Rows of two, next to which others follow.
func.func @transpose_short_rows() -> (tensor<500x6x2xi32>, tensor<500x6x2xi32>) {
  %xi0 = tenon.iota dim 0 sizes [6, 500, 2] : tensor<6x500x2xi32>
  %xs0 = tenon.constant dense<1000> : tensor<6x500x2xi32>
  %xm0 = tenon.mul %xi0, %xs0 : tensor<6x500x2xi32>
  %xi1 = tenon.iota dim 1 sizes [6, 500, 2] : tensor<6x500x2xi32>
  %xs1 = tenon.constant dense<2> : tensor<6x500x2xi32>
  %xm1 = tenon.mul %xi1, %xs1 : tensor<6x500x2xi32>
  %xa1 = tenon.add %xm0, %xm1 : tensor<6x500x2xi32>
  %xi2 = tenon.iota dim 2 sizes [6, 500, 2] : tensor<6x500x2xi32>
  %xs2 = tenon.constant dense<1> : tensor<6x500x2xi32>
  %xm2 = tenon.mul %xi2, %xs2 : tensor<6x500x2xi32>
  %xa2 = tenon.add %xa1, %xm2 : tensor<6x500x2xi32>
  %yi0 = tenon.iota dim 0 sizes [500, 6, 2] : tensor<500x6x2xi32>
  %ys0 = tenon.constant dense<2> : tensor<500x6x2xi32>
  %ym0 = tenon.mul %yi0, %ys0 : tensor<500x6x2xi32>
  %yi1 = tenon.iota dim 1 sizes [500, 6, 2] : tensor<500x6x2xi32>
  %ys1 = tenon.constant dense<1000> : tensor<500x6x2xi32>
  %ym1 = tenon.mul %yi1, %ys1 : tensor<500x6x2xi32>
  %ya1 = tenon.add %ym0, %ym1 : tensor<500x6x2xi32>
  %yi2 = tenon.iota dim 2 sizes [500, 6, 2] : tensor<500x6x2xi32>
  %ys2 = tenon.constant dense<1> : tensor<500x6x2xi32>
  %ym2 = tenon.mul %yi2, %ys2 : tensor<500x6x2xi32>
  %ya2 = tenon.add %ya1, %ym2 : tensor<500x6x2xi32>
  %y = tenon.transpose %xa2 [1, 0, 2] : tensor<6x500x2xi32> -> tensor<500x6x2xi32>
  return %y, %ya2 : tensor<500x6x2xi32>, tensor<500x6x2xi32>
}

// One element per row, behind which stand dimensions of one.
func.func @broadcast_rows() -> (tensor<30x2000x1x1xi32>, tensor<30x2000x1x1xi32>) {
  %xi0 = tenon.iota dim 0 sizes [30] : tensor<30xi32>
  %xs0 = tenon.constant dense<1> : tensor<30xi32>
  %xm0 = tenon.mul %xi0, %xs0 : tensor<30xi32>
  %yi0 = tenon.iota dim 0 sizes [30, 2000, 1, 1] : tensor<30x2000x1x1xi32>
  %ys0 = tenon.constant dense<1> : tensor<30x2000x1x1xi32>
  %ym0 = tenon.mul %yi0, %ys0 : tensor<30x2000x1x1xi32>
  %yi1 = tenon.iota dim 1 sizes [30, 2000, 1, 1] : tensor<30x2000x1x1xi32>
  %ys1 = tenon.constant dense<0> : tensor<30x2000x1x1xi32>
  %ym1 = tenon.mul %yi1, %ys1 : tensor<30x2000x1x1xi32>
  %ya1 = tenon.add %ym0, %ym1 : tensor<30x2000x1x1xi32>
  %yi2 = tenon.iota dim 2 sizes [30, 2000, 1, 1] : tensor<30x2000x1x1xi32>
  %ys2 = tenon.constant dense<0> : tensor<30x2000x1x1xi32>
  %ym2 = tenon.mul %yi2, %ys2 : tensor<30x2000x1x1xi32>
  %ya2 = tenon.add %ya1, %ym2 : tensor<30x2000x1x1xi32>
  %yi3 = tenon.iota dim 3 sizes [30, 2000, 1, 1] : tensor<30x2000x1x1xi32>
  %ys3 = tenon.constant dense<0> : tensor<30x2000x1x1xi32>
  %ym3 = tenon.mul %yi3, %ys3 : tensor<30x2000x1x1xi32>
  %ya3 = tenon.add %ya2, %ym3 : tensor<30x2000x1x1xi32>
  %y = tenon.broadcast %xm0 dims [0] sizes [30, 2000, 1, 1] : tensor<30xi32> -> tensor<30x2000x1x1xi32>
  return %y, %ya3 : tensor<30x2000x1x1xi32>, tensor<30x2000x1x1xi32>
}

// Rows of more elements than are joined.
func.func @broadcast_long_rows() -> (tensor<3x70x30x40xi32>, tensor<3x70x30x40xi32>) {
  %xi0 = tenon.iota dim 0 sizes [3] : tensor<3xi32>
  %xs0 = tenon.constant dense<1> : tensor<3xi32>
  %xm0 = tenon.mul %xi0, %xs0 : tensor<3xi32>
  %yi0 = tenon.iota dim 0 sizes [3, 70, 30, 40] : tensor<3x70x30x40xi32>
  %ys0 = tenon.constant dense<1> : tensor<3x70x30x40xi32>
  %ym0 = tenon.mul %yi0, %ys0 : tensor<3x70x30x40xi32>
  %yi1 = tenon.iota dim 1 sizes [3, 70, 30, 40] : tensor<3x70x30x40xi32>
  %ys1 = tenon.constant dense<0> : tensor<3x70x30x40xi32>
  %ym1 = tenon.mul %yi1, %ys1 : tensor<3x70x30x40xi32>
  %ya1 = tenon.add %ym0, %ym1 : tensor<3x70x30x40xi32>
  %yi2 = tenon.iota dim 2 sizes [3, 70, 30, 40] : tensor<3x70x30x40xi32>
  %ys2 = tenon.constant dense<0> : tensor<3x70x30x40xi32>
  %ym2 = tenon.mul %yi2, %ys2 : tensor<3x70x30x40xi32>
  %ya2 = tenon.add %ya1, %ym2 : tensor<3x70x30x40xi32>
  %yi3 = tenon.iota dim 3 sizes [3, 70, 30, 40] : tensor<3x70x30x40xi32>
  %ys3 = tenon.constant dense<0> : tensor<3x70x30x40xi32>
  %ym3 = tenon.mul %yi3, %ys3 : tensor<3x70x30x40xi32>
  %ya3 = tenon.add %ya2, %ym3 : tensor<3x70x30x40xi32>
  %y = tenon.broadcast %xm0 dims [0] sizes [3, 70, 30, 40] : tensor<3xi32> -> tensor<3x70x30x40xi32>
  return %y, %ya3 : tensor<3x70x30x40xi32>, tensor<3x70x30x40xi32>
}

// Each element twice.
func.func @broadcast_pairs() -> (tensor<50x40x2xi32>, tensor<50x40x2xi32>) {
  %xi0 = tenon.iota dim 0 sizes [50, 40] : tensor<50x40xi32>
  %xs0 = tenon.constant dense<40> : tensor<50x40xi32>
  %xm0 = tenon.mul %xi0, %xs0 : tensor<50x40xi32>
  %xi1 = tenon.iota dim 1 sizes [50, 40] : tensor<50x40xi32>
  %xs1 = tenon.constant dense<1> : tensor<50x40xi32>
  %xm1 = tenon.mul %xi1, %xs1 : tensor<50x40xi32>
  %xa1 = tenon.add %xm0, %xm1 : tensor<50x40xi32>
  %yi0 = tenon.iota dim 0 sizes [50, 40, 2] : tensor<50x40x2xi32>
  %ys0 = tenon.constant dense<40> : tensor<50x40x2xi32>
  %ym0 = tenon.mul %yi0, %ys0 : tensor<50x40x2xi32>
  %yi1 = tenon.iota dim 1 sizes [50, 40, 2] : tensor<50x40x2xi32>
  %ys1 = tenon.constant dense<1> : tensor<50x40x2xi32>
  %ym1 = tenon.mul %yi1, %ys1 : tensor<50x40x2xi32>
  %ya1 = tenon.add %ym0, %ym1 : tensor<50x40x2xi32>
  %yi2 = tenon.iota dim 2 sizes [50, 40, 2] : tensor<50x40x2xi32>
  %ys2 = tenon.constant dense<0> : tensor<50x40x2xi32>
  %ym2 = tenon.mul %yi2, %ys2 : tensor<50x40x2xi32>
  %ya2 = tenon.add %ya1, %ym2 : tensor<50x40x2xi32>
  %y = tenon.broadcast %xa1 dims [0, 1] sizes [50, 40, 2] : tensor<50x40xi32> -> tensor<50x40x2xi32>
  return %y, %ya2 : tensor<50x40x2xi32>, tensor<50x40x2xi32>
}

// Short rows that are next to each other.
func.func @broadcast_columns() -> (tensor<2x700x3xi32>, tensor<2x700x3xi32>) {
  %xi0 = tenon.iota dim 0 sizes [700, 3] : tensor<700x3xi32>
  %xs0 = tenon.constant dense<3> : tensor<700x3xi32>
  %xm0 = tenon.mul %xi0, %xs0 : tensor<700x3xi32>
  %xi1 = tenon.iota dim 1 sizes [700, 3] : tensor<700x3xi32>
  %xs1 = tenon.constant dense<1> : tensor<700x3xi32>
  %xm1 = tenon.mul %xi1, %xs1 : tensor<700x3xi32>
  %xa1 = tenon.add %xm0, %xm1 : tensor<700x3xi32>
  %yi0 = tenon.iota dim 0 sizes [2, 700, 3] : tensor<2x700x3xi32>
  %ys0 = tenon.constant dense<0> : tensor<2x700x3xi32>
  %ym0 = tenon.mul %yi0, %ys0 : tensor<2x700x3xi32>
  %yi1 = tenon.iota dim 1 sizes [2, 700, 3] : tensor<2x700x3xi32>
  %ys1 = tenon.constant dense<3> : tensor<2x700x3xi32>
  %ym1 = tenon.mul %yi1, %ys1 : tensor<2x700x3xi32>
  %ya1 = tenon.add %ym0, %ym1 : tensor<2x700x3xi32>
  %yi2 = tenon.iota dim 2 sizes [2, 700, 3] : tensor<2x700x3xi32>
  %ys2 = tenon.constant dense<1> : tensor<2x700x3xi32>
  %ym2 = tenon.mul %yi2, %ys2 : tensor<2x700x3xi32>
  %ya2 = tenon.add %ya1, %ym2 : tensor<2x700x3xi32>
  %y = tenon.broadcast %xa1 dims [1, 2] sizes [2, 700, 3] : tensor<700x3xi32> -> tensor<2x700x3xi32>
  return %y, %ya2 : tensor<2x700x3xi32>, tensor<2x700x3xi32>
}

// Rows of nine, some outside: what isn't padding is the operand, elsewhere stands the value.
func.func @pad_short_rows() -> (tensor<50x5xi32>, tensor<50x5xi32>, tensor<i32>, tensor<i32>) {
  %xi0 = tenon.iota dim 0 sizes [50, 5] : tensor<50x5xi32>
  %xs0 = tenon.constant dense<5> : tensor<50x5xi32>
  %xm0 = tenon.mul %xi0, %xs0 : tensor<50x5xi32>
  %xi1 = tenon.iota dim 1 sizes [50, 5] : tensor<50x5xi32>
  %xs1 = tenon.constant dense<1> : tensor<50x5xi32>
  %xm1 = tenon.mul %xi1, %xs1 : tensor<50x5xi32>
  %xa1 = tenon.add %xm0, %xm1 : tensor<50x5xi32>
  %v = tenon.constant dense<-1> : tensor<i32>
  %p = tenon.pad constant %xa1, %v low [2, 1] high [3, 3] : tensor<50x5xi32>, tensor<i32> -> tensor<55x9xi32>
  %y = tenon.slice %p offsets [2, 1] sizes [50, 5] strides [1, 1] : tensor<55x9xi32> -> tensor<50x5xi32>
  %sum = tenon.reduce sum %p dims [0, 1] : tensor<55x9xi32> -> tensor<i32>
  %expected = tenon.constant dense<30880> : tensor<i32>
  return %y, %xa1, %sum, %expected : tensor<50x5xi32>, tensor<50x5xi32>, tensor<i32>, tensor<i32>
}
