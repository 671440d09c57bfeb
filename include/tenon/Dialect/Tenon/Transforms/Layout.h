//===- Layout.h - Layouts of images and what they cost ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_TRANSFORMS_LAYOUT_H
#define TENON_DIALECT_TENON_TRANSFORMS_LAYOUT_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpDefinition.h"
#include <optional>

namespace tenon {

/// `[N, C, D1..Dn]` or `[N, D1..Dn, C]`.
enum class Layout { channelsFirst, channelsLast };

/// What a target takes for the parts of ops that depend on the layout, in ns on one thread. The numbers are measured on
/// x86-64 with AVX2 (docs/decisions/0005-layouts.md); what counts is how they compare.
struct LayoutPrices {
  double multiplyFirst = 0.025; ///< per multiplication of a contraction whose columns are places
  double multiplyLast = 0.021;  ///< whose columns are channels: constant weights lie in panels
  double gatherFirst = 0.36;    ///< per element of a convolution's windows
  double partLast = 1;          ///< per place, vector of columns and part of a window that lies together
  double tapFirst = 0.25;       ///< per element that a depthwise convolution or a pooling window reads
  double tapLast = 0.09;
  double plainTap = 1;          ///< per multiplication of a convolution without register tiles
  double toLast = 0.35;         ///< per element of a transpose
  double toFirst = 0.5;
  double turned = 0.15;         ///< per element of a contraction's result whose sums are turned before they are written
  double copied = 0.3;          ///< per element of a concatenation or slice that isn't contiguous
  int64_t columns = 16;         ///< of a register tile: what is left over costs as much as a whole one
  int64_t unknownSize = 64;     ///< what sizes that aren't known are taken for
};

/// Result dimension i of a transpose to the other layout is dimension i of this.
llvm::SmallVector<int64_t> permutationTo(Layout layout, int64_t rank);
mlir::RankedTensorType typeIn(Layout layout, mlir::RankedTensorType channelsFirst);
/// Elements of a tensor, with unknown sizes as the prices say.
double countElements(mlir::Value tensor, const LayoutPrices &prices);

} // namespace tenon

#include "tenon/Dialect/Tenon/Transforms/LayoutInterface.h.inc"

namespace tenon {
/// Attaches `LayoutInterface` to the ops of the graph dialect.
void registerLayoutModels(mlir::DialectRegistry &registry);
} // namespace tenon

#endif // TENON_DIALECT_TENON_TRANSFORMS_LAYOUT_H
