//===- ConstantBuffers.cpp - Which buffers are constants ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Host/Analysis/ConstantBuffers.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::host;

StorageOp host::wholeConstant(Value buffer) {
  StorageOp storage = storageOf(buffer);
  auto type = cast<MemRefType>(buffer.getType());
  if (!storage || storage.getKind() != StorageKind::constant || !type.hasStaticShape() ||
      !storage.getType().hasStaticShape() || type.getNumElements() != storage.getType().getNumElements())
    return nullptr;
  // Views of views have places of their own, whatever type they end in.
  for (Value place = insideOf(buffer); auto view = place.getDefiningOp<ViewOp>(); place = insideOf(view.getSource())) {
    auto [strides, offset] = view.getType().getStridesAndOffset();
    bool isWhole = llvm::all_of(view.getMixedOffsets(), isZeroInteger) && view.getType().hasStaticShape() &&
                   view.getType().getNumElements() == type.getNumElements();
    int64_t expected = 1;
    SmallVector<OpFoldResult> places = view.getMixedStrides();
    for (auto [stride, size] : llvm::reverse(llvm::zip(places, view.getType().getShape()))) {
      isWhole &= size <= 1 || getConstantIntValue(stride) == expected;
      expected *= size;
    }
    if (!isWhole)
      return nullptr;
  }
  return storage;
}
