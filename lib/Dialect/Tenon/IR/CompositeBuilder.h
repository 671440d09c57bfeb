//===- CompositeBuilder.h - Builds what composites decompose to ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_DIALECT_TENON_IR_COMPOSITEBUILDER_H
#define TENON_LIB_DIALECT_TENON_IR_COMPOSITEBUILDER_H

#include "tenon/Dialect/Tenon/IR/TenonOps.h"

namespace tenon {

/// Builds simple ops at one location; narrow floating point is computed in f32.
class CompositeBuilder {
public:
  CompositeBuilder(mlir::OpBuilder &builder, mlir::Operation *op)
      : builder(builder), loc(op->getLoc()), sizes(op->getContext()) {}

  mlir::Value toCompute(mlir::Value value) {
    auto type = llvm::cast<mlir::RankedTensorType>(value.getType());
    if (type.getElementTypeBitWidth() >= 32)
      return value;
    return CastOp::create(builder, loc, type.clone(builder.getF32Type()), value, /*saturate=*/false);
  }

  mlir::Value fromCompute(mlir::Value value, mlir::Type type) {
    return value.getType() == type ? value : CastOp::create(builder, loc, type, value, /*saturate=*/false);
  }

  template <typename Op> mlir::Value unary(mlir::Value value) {
    return Op::create(builder, loc, value.getType(), value);
  }
  template <typename Op> mlir::Value binary(mlir::Value a, mlir::Value b) {
    return Op::create(builder, loc, a.getType(), a, b);
  }

  mlir::Value reduce(Combiner combiner, mlir::Value value, llvm::ArrayRef<int64_t> dims) {
    auto type = llvm::cast<mlir::RankedTensorType>(value.getType());
    llvm::SmallVector<int64_t> shape;
    for (auto [i, size] : llvm::enumerate(type.getShape()))
      if (!llvm::is_contained(dims, (int64_t)i))
        shape.push_back(size);
    return ReduceOp::create(builder, loc, type.clone(shape), combiner, value, dims);
  }

  /// Repeats a value, reduced along `dims`, to the sizes of `like`.
  mlir::Value expand(mlir::Value value, llvm::ArrayRef<int64_t> dims, mlir::Value like) {
    llvm::SmallVector<int64_t> kept;
    for (int64_t i = 0, e = llvm::cast<mlir::RankedTensorType>(like.getType()).getRank(); i < e; ++i)
      if (!llvm::is_contained(dims, i))
        kept.push_back(i);
    return broadcast(value, kept, like);
  }

  mlir::Value splat(double number, mlir::Value like) {
    auto type = mlir::RankedTensorType::get({}, mlir::getElementTypeOrSelf(like));
    auto attribute = mlir::DenseElementsAttr::get(type, mlir::FloatAttr::get(type.getElementType(), number));
    return broadcast(ConstantOp::create(builder, loc, type, llvm::cast<mlir::TypedAttr>(attribute)), {}, like);
  }

  /// Repeats a value to the sizes of `like`; its dimensions are `dims` of them.
  mlir::Value broadcast(mlir::Value value, llvm::ArrayRef<int64_t> dims, mlir::Value like) {
    llvm::SmallVector<mlir::Value> dynamic;
    llvm::SmallVector<int64_t> fixed;
    mlir::dispatchIndexOpFoldResults(sizes.materialize(builder, loc, sizes.sizesOf(like)), dynamic, fixed);
    return BroadcastOp::create(
        builder, loc, mlir::cast<mlir::RankedTensorType>(like.getType()).clone(mlir::getElementTypeOrSelf(value)),
        value, dynamic, dims, fixed);
  }

private:
  mlir::OpBuilder &builder;
  mlir::Location loc;
  SizeAnalysis sizes;
};
} // namespace tenon

#endif // TENON_LIB_DIALECT_TENON_IR_COMPOSITEBUILDER_H
