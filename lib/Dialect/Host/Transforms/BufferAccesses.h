//===- BufferAccesses.h - Which bytes the operations of a program touch ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_DIALECT_HOST_TRANSFORMS_BUFFERACCESSES_H
#define TENON_LIB_DIALECT_HOST_TRANSFORMS_BUFFERACCESSES_H

#include "tenon/Dialect/Host/IR/HostOps.h"

namespace tenon::host {

/// The bytes of a storage: storages of one kind and number in one memory are the same.
struct Place {
  StorageKind kind;
  uint64_t number;
  DeviceAttr device;

  static Place of(StorageOp storage) { return {storage.getKind(), storage.getNumber(), deviceOf(storage.getResult())}; }
  bool operator==(const Place &other) const = default;
};

struct Access {
  mlir::Operation *op;
  mlir::Value buffer;
  mutable StorageOp storage; // ops have no const accessors
  bool writes;

  Place place() const { return Place::of(storage); }
  /// Whether nothing of what was there is left: launches and copies write all of a buffer.
  bool overwrites() const { return writes && buffer.getDefiningOp<StorageOp>() && mlir::isa<LaunchOp, CopyOp>(op); }
};

/// What an operation and those within it do to storages.
llvm::SmallVector<Access> accessesOf(mlir::Operation *op);

} // namespace tenon::host

template <> struct llvm::DenseMapInfo<tenon::host::Place> {
  using Place = tenon::host::Place;
  static Place getEmptyKey() { return {tenon::host::StorageKind::input, ~uint64_t(0), {}}; }
  static Place getTombstoneKey() { return {tenon::host::StorageKind::input, ~uint64_t(1), {}}; }
  static unsigned getHashValue(const Place &place) {
    return llvm::hash_combine(unsigned(place.kind), place.number, place.device.getAsOpaquePointer());
  }
  static bool isEqual(const Place &left, const Place &right) { return left == right; }
};

#endif // TENON_LIB_DIALECT_HOST_TRANSFORMS_BUFFERACCESSES_H
