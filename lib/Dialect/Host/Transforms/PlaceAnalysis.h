//===- PlaceAnalysis.h - Which tensors share a place, and when it is used ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_DIALECT_HOST_TRANSFORMS_PLACEANALYSIS_H
#define TENON_LIB_DIALECT_HOST_TRANSFORMS_PLACEANALYSIS_H

#include "OpenRegions.h"
#include "tenon/Dialect/Host/Analysis/Layouts.h"
#include "tenon/Dialect/Host/IR/HostOps.h"

#include "llvm/ADT/MapVector.h"

namespace tenon::host {

/// The tensors that share one place: a root and its reshapes, casts and overwritten destinations.
struct Place {
  StorageKind kind = StorageKind::arena;
  int64_t number = -1;
  int64_t first = -1, last = -1; ///< steps that use it
  mlir::Value root;
};

/// Decides where each tensor of a program lies. Makes and changes no IR: that is what `BufferWriter` and `RegionsToSCF`
/// do. Steps, what uses places, are numbered in order; loops and branches take one more at their end.
class PlaceAnalysis {
public:
  PlaceAnalysis(mlir::func::FuncOp func, SizeAnalysis &sizes)
      : func(func), regions(func, sizes), layouts(sizes), sizes(sizes) {}

  /// An error where something has no place.
  mlir::LogicalResult run();

  /// The value whose place a tensor shares.
  mlir::Value rootOf(mlir::Value value);
  /// The place of a root; of no kind of its own, an arena's, where it has none.
  Place placeOf(mlir::Value root) const { return places.lookup(root); }
  /// Of a carried result that grows: the number of the buffer of what the body gives.
  int64_t backOf(mlir::Value result) const { return backs.lookup(result); }
  /// Further places, for copies that the writing of the program needs.
  int64_t addBuffer() { return buffers++; }
  int64_t addSlot() { return slots++; }

  const OpenRegions &getRegions() const { return regions; }
  Layouts &getLayouts() { return layouts; }

  /// Whether an op uses places.
  static bool isStep(mlir::Operation *op);
  /// Whether a pad's operand is written in the place of its result.
  static bool hasHalo(mlir::Operation *op);

private:
  void use(mlir::Value value, int64_t step);
  mlir::LogicalResult findPlaces(mlir::Block &block);
  mlir::LogicalResult findRoots(mlir::Operation *op, bool &isDone);
  mlir::LogicalResult findPlacesInside(mlir::Operation *op, int64_t first);
  void useOperands(mlir::Operation *op, int64_t first, int64_t last);
  mlir::LogicalResult checkViews();
  mlir::LogicalResult checkView(mlir::Operation *op);
  mlir::LogicalResult checkLaunch(LaunchOp launch);
  bool isWrittenInPlace(mlir::Value tensor);
  void placeGrowing();
  void placeGrowing(mlir::Operation *op);
  void placeResults();
  bool isKnownOnEntry(mlir::Value value);

  mlir::func::FuncOp func;
  OpenRegions regions;
  Layouts layouts;
  SizeAnalysis &sizes;
  mlir::SymbolTableCollection symbols;
  llvm::MapVector<mlir::Value, Place> places;
  llvm::DenseMap<mlir::Value, int64_t> backs;
  int64_t constants = 0, buffers = 0, growing = 0, slots = 0, step = 0;
};

} // namespace tenon::host

#endif // TENON_LIB_DIALECT_HOST_TRANSFORMS_PLACEANALYSIS_H
