//===- Kernels.cpp - What only kernels have of ops ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tile/IR/TileOps.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::reference;

/// Bytes of an element; packed ones never lie in windows.
static llvm::Expected<int64_t> elementBytes(Type type) {
  Format format(type);
  if (!format.valid || format.isPacked())
    return llvm::createStringError("has elements that share bytes");
  return format.bytesFor(1);
}

/// Counts through places of a box, row by row; false behind the last.
static bool advance(MutableArrayRef<int64_t> place, ArrayRef<int64_t> sizes) {
  for (int64_t dim = (int64_t)place.size() - 1; dim >= 0; --dim) {
    if (++place[dim] < sizes[dim])
      return true;
    place[dim] = 0;
  }
  return false;
}

static llvm::Error evaluateWindowRows(Call &call) {
  auto op = cast<tile::WindowRowsOp>(call.op);
  const Tensor &image = call.tensor(0);
  unsigned spatial = op.getSizes().size();
  int64_t channels = image.getShape().back();
  SmallVector<int64_t> shape = {image.getDimSize(0)}, places = shape;
  int64_t row = channels;
  for (unsigned i = 0; i < spatial; ++i) {
    int64_t reach = op.getDilations()[i] * (op.getSizes()[i] - 1) + 1;
    int64_t extent = image.getDimSize(i + 1) + op.getLowPad(i) + op.getHighPad(i) - reach;
    shape.push_back(extent < 0 ? 0 : extent / op.getStrides()[i] + 1);
    row *= op.getSizes()[i];
  }
  places = shape;
  shape.push_back(row);
  llvm::Expected<Tensor> result = Tensor::create(image.getElementType(), shape);
  llvm::Expected<int64_t> bytes = elementBytes(image.getElementType());
  if (!result || !bytes)
    return call.fail(llvm::toString(result ? bytes.takeError() : result.takeError()));
  std::memset(result->getData(), 0, result->getNumBytes());
  char *to = result->getData();
  SmallVector<int64_t> place(places.size(), 0), tap(spatial, 0);
  if (result->getNumElements() != 0)
    do {
      do {
        int64_t from = place[0];
        bool isWithin = true;
        for (unsigned i = 0; i < spatial; ++i) {
          int64_t at = place[i + 1] * op.getStrides()[i] + tap[i] * op.getDilations()[i] - op.getLowPad(i);
          isWithin &= at >= 0 && at < image.getDimSize(i + 1);
          from = from * image.getDimSize(i + 1) + at;
        }
        if (isWithin)
          std::memcpy(to, image.getData() + from * channels * *bytes, channels * *bytes);
        to += channels * *bytes;
      } while (advance(tap, op.getSizes()));
    } while (advance(place, places));
  call.results.push_back(std::move(*result));
  return llvm::Error::success();
}

void tenon::reference::registerKernels(Interpreter &interpreter) {
  interpreter.registerOp(tile::WindowRowsOp::getOperationName(), evaluateWindowRows);
}
