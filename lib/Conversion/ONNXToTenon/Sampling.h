//===- Sampling.h - Values between the places of a tensor ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CONVERSION_ONNXTOTENON_SAMPLING_H
#define TENON_LIB_CONVERSION_ONNXTOTENON_SAMPLING_H

#include "Node.h"

namespace tenon::onnx {

/// Weights of the 2 places around a coordinate; `part` is how far it lies behind the first.
llvm::SmallVector<mlir::Value> linearWeights(Node &node, mlir::Value part);

/// Weights of the 4 places around a coordinate, `part` behind the second, by Keys' cubic convolution (1981)
/// with parameter a.
llvm::SmallVector<mlir::Value> cubicWeights(Node &node, mlir::Value part, double a);

/// The weight of a place at that distance, which isn't negative.
mlir::Value cubicWeight(Node &node, mlir::Value distance, double a);

/// What coordinates and samples are computed in: not in narrow types.
mlir::Type computedIn(Node &node, mlir::Type element);

/// A size as a scalar.
mlir::Value numberOf(Node &node, mlir::AffineExpr size, mlir::Type element);

/// A place of one axis that a result reads, as a whole floating-point number; its weight, null where it is
/// the only one; and whether it lies within the operand, null where it does. All of `[B, out..]`.
struct Tap {
  mlir::Value place, weight, isInside;
};

/// Reads `[N, C, spatial..]` at the taps of each spatial axis.
class Sampler {
public:
  Sampler(Node &node, mlir::Value x);

  /// The next axis.
  void addAxis(llvm::ArrayRef<Tap> taps);

  /// `[B, C, out..]`, of batch entry b in that image, or in the one that `images[b]` says: over all combinations of
  /// taps the sum of what is read, or the largest.
  mlir::Value run(mlir::Value images = {}, Combiner combiner = Combiner::sum);

private:
  /// `[B, out.., C]`, over all combinations of taps from an axis on. `before` joins those of the axes before;
  /// its place is that in row-major order.
  mlir::Value combined(size_t axis, Tap before, mlir::Value total, mlir::Value images, mlir::Type compute);
  mlir::Value add(mlir::Value total, const Tap &at, mlir::Value images, mlir::Type compute);

  Node &node;
  mlir::Type element;
  Sizes extents;
  mlir::Value flat; ///< `[N, C, product of the extents]`
  llvm::SmallVector<llvm::SmallVector<Tap>> axes;
  bool isWeighted = false;
  Combiner combiner = Combiner::sum;
};

} // namespace tenon::onnx

#endif // TENON_LIB_CONVERSION_ONNXTOTENON_SAMPLING_H
