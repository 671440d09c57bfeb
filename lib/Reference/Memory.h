//===- Memory.h - Memory of tile programs, and who wrote it ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_REFERENCE_MEMORY_H
#define TENON_LIB_REFERENCE_MEMORY_H

#include "Elements.h"

namespace tenon::reference {

/// Who wrote an element last, and when it was read. Units, writers and stages have numbers of their own in a whole run.
struct Mark {
  uint32_t unit = 0; ///< 0: nobody
  uint32_t writer = 0;
  uint32_t readIn = 0; ///< a stage
};

struct Memory {
  enum class Kind { Operand, Result, Launch, Workgroup };

  Memory(Kind kind, std::string name, int64_t elements, unsigned elementBytes)
      : kind(kind), name(std::move(name)), elementBytes(elementBytes), bytes(elements * elementBytes), marks(elements) {
  }

  Kind kind;
  std::string name;
  unsigned elementBytes;
  std::vector<char> bytes;
  std::vector<Mark> marks;
};

/// What a memref value stands for: part of a memory, in elements of its type.
struct Buffer : Object {
  std::shared_ptr<Memory> memory;
  mlir::Type elementType;
  int64_t offset = 0;
  llvm::SmallVector<int64_t> sizes, strides;

  unsigned bytesPerElement() const { return std::max(1u, elementType.getIntOrFloatBitWidth() / 8); }
};

/// A tile's places in a buffer.
struct Access {
  const Buffer *buffer;
  llvm::SmallVector<int64_t> coordinates; ///< of the first element
  llvm::SmallVector<int64_t> dims, steps; ///< of the tile's dimensions
  llvm::SmallVector<int64_t> tile, extents;
  /// Coordinates that run along a dimension of the tile by themselves.
  struct Gathered {
    int64_t dim;
    std::vector<int64_t> values;
  };
  llvm::SmallVector<Gathered> gathered;
  int64_t gatheredAlong = -1;

  /// Calls `f` for each element of the tile, row by row: whether it is within extents, and its place in the memory, in
  /// elements of the buffer, or nothing where that is outside of it.
  template <typename F> void forEach(F f) const {
    llvm::SmallVector<int64_t, 6> at(tile.size(), 0);
    int64_t count = 1;
    for (int64_t size : tile)
      count *= size;
    for (int64_t n = 0; n < count; ++n) {
      bool isWithin = true;
      for (auto [i, extent] : llvm::zip(at, extents))
        isWithin &= i < extent;
      f(isWithin, placeOf(at));
      for (int64_t d = (int64_t)at.size() - 1; d >= 0 && ++at[d] == tile[d]; --d)
        at[d] = 0;
    }
  }
  std::optional<int64_t> placeOf(llvm::ArrayRef<int64_t> at) const;
};

} // namespace tenon::reference

#endif // TENON_LIB_REFERENCE_MEMORY_H
