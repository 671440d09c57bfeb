//===- TileCombination.h - How tiles are combined ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_COMMON_TILECOMBINATION_H
#define TENON_LIB_CODEGEN_COMMON_TILECOMBINATION_H

#include "tenon/Codegen/Common/TileBuilder.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"

namespace tenon::codegen {

/// Writes how tiles are combined, place by place: narrow floating-point types in f32, integers that share bytes in
/// whole ones.
class TileCombination {
public:
  TileCombination(TileBuilder &builder, Combiner combiner, mlir::Type element);

  /// What no elements combine to.
  mlir::TypedAttr identity() const;
  /// A tile of elements as what is combined, and back.
  mlir::Value widen(mlir::Value tile) const { return cast(tile, wide); }
  mlir::Value narrow(mlir::Value tile) const { return cast(tile, element); }
  mlir::Value combine(mlir::Value a, mlir::Value b) const;
  /// The least or the greatest of a and numbers b: a where b is NaN.
  mlir::Value choose(mlir::Value a, mlir::Value b) const;

  mlir::Type wide; ///< of what is combined

private:
  mlir::Value cast(mlir::Value tile, mlir::Type to) const;

  TileBuilder &builder;
  Combiner combiner; ///< of a mean, that of its sum
  mlir::Type element;
};

} // namespace tenon::codegen

#endif // TENON_LIB_CODEGEN_COMMON_TILECOMBINATION_H
