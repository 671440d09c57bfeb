//===- Layout.h - Layouts of images and what they cost ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_TRANSFORMS_LAYOUT_H
#define TENON_DIALECT_TENON_TRANSFORMS_LAYOUT_H

#include "tenon/Dialect/Tenon/Transforms/LayoutPrices.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpDefinition.h"
#include <optional>

namespace tenon {

/// `[N, C, D1..Dn]` or `[N, D1..Dn, C]`.
enum class Layout { channelsFirst, channelsLast };

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
