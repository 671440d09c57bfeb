//===- FormPieces.h - Parts of what a form makes ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TILE_ANALYSIS_FORMPIECES_H
#define TENON_DIALECT_TILE_ANALYSIS_FORMPIECES_H

#include "tenon/Dialect/Tile/IR/TilePrograms.h"

#include "mlir/IR/OwningOpRef.h"

#include <optional>

namespace tenon::tile {

/// A form that makes part of what another makes, for whoever computes forms and can't hold all of a large one.
struct FormPiece {
  /// Elements of an argument that lie together.
  struct Elements {
    int64_t first, count;
  };

  mlir::OwningOpRef<FormOp> form;
  /// Those that `form` takes of each argument: its arguments have so many.
  llvm::SmallVector<Elements> arguments;
};

/// The places [begin, end) along the first dimension of what a form makes. Nothing where a place there needs more than
/// some places of a dimension of what it is made from, or other ones than neighbours: then forms are made as a whole.
std::optional<FormPiece> pieceOf(FormOp form, int64_t begin, int64_t end);

/// As many places along that dimension as may be made at once so that no tensor in between has more than about
/// `elements` elements.
int64_t placesFor(FormOp form, int64_t elements);

} // namespace tenon::tile

#endif // TENON_DIALECT_TILE_ANALYSIS_FORMPIECES_H
