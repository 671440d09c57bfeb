//===- CollapseDims.h - Fewer dimensions where they run together ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_DIALECT_TILE_TRANSFORMS_COLLAPSEDIMS_H
#define TENON_LIB_DIALECT_TILE_TRANSFORMS_COLLAPSEDIMS_H

#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"
#include "tenon/Dialect/Tile/IR/TileOps.h"

namespace tenon::tile {

/// Makes one dimension of those that stand next to each other in every tensor of the kernel, in place: rows and columns
/// of an image, batch and sequence. Vectors get longer and register tiles fuller; in memory nothing changes. `breaks`
/// says per tensor argument, then per result, which dimensions don't follow the one before them in memory; it may be
/// empty. Gives, in the same order, which dimensions became one; nothing where the kernel stays as it is.
std::optional<llvm::SmallVector<llvm::SmallVector<mlir::ReassociationIndices>>>
collapseDims(KernelOp kernel, llvm::ArrayRef<llvm::SmallVector<bool>> breaks);

} // namespace tenon::tile

#endif // TENON_LIB_DIALECT_TILE_TRANSFORMS_COLLAPSEDIMS_H
