//===- Accuracy.h - What schedules may give up for speed ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TILE_IR_ACCURACY_H
#define TENON_DIALECT_TILE_IR_ACCURACY_H

#include "mlir/IR/Operation.h"

#include <optional>

namespace tenon::tile {

/// `strict` is the arithmetic that the model states, in its types. `standard`, which users know as "default", keeps
/// 1e-4 of the largest value and what becomes of infinities and NaN. `fast` keeps about 12 bits.
enum class Accuracy { strict, standard, fast };

/// The attribute of a module that states it by name; without one it is `standard`.
inline constexpr llvm::StringLiteral kAccuracyAttr = "tenon_tile.accuracy";

llvm::StringRef stringifyAccuracy(Accuracy accuracy);
std::optional<Accuracy> symbolizeAccuracy(llvm::StringRef name);
/// What the nearest module around the operation that says something states.
Accuracy accuracyOf(mlir::Operation *op);

} // namespace tenon::tile

#endif // TENON_DIALECT_TILE_IR_ACCURACY_H
