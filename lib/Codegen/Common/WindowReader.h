//===- WindowReader.h - How windows read their operand ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_COMMON_WINDOWREADER_H
#define TENON_LIB_CODEGEN_COMMON_WINDOWREADER_H

#include "ElementLoops.h"
#include "tenon/Codegen/Common/ElementEmitter.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace tenon::codegen {

/// Where a window starts and its elements lie, along one dimension.
Coordinate coordinateInWindow(ElementEmitter &e, const Coordinate &window, int64_t stride, int64_t pad, mlir::Value tap,
                              int64_t dilation);

/// The taps of the windows at a place that read inside of an operand, where those are the same for all lanes, and how
/// windows read it. `place` are the coordinates of the windows, `first` the first spatial dimension of both.
template <typename Op> class WindowReader {
public:
  WindowReader(ElementEmitter &e, Op op, mlir::Value operand, Coordinates place, int64_t first,
               llvm::ArrayRef<mlir::Value> sizes)
      : place(std::move(place)), e(e), op(op), operand(operand), first(first) {
    int64_t spatial = op.getStrides().size();
    for (int64_t i = 0; i < spatial; ++i) {
      PositionRange range{e.index(0), sizes[i]};
      if (op.getPads()[i] != 0 || op.getPads()[spatial + i] != 0 || readsBeyond()) {
        if (this->place[first + i].isUniform())
          range = clip(i, sizes[i]);
        else
          checked.push_back(first + i);
      }
      taps.push_back(range);
    }
  }

  /// What the windows read at these taps; outside of the operand stands `outside`.
  mlir::FailureOr<mlir::Value> at(llvm::ArrayRef<mlir::Value> positions, mlir::Value outside) {
    Coordinates read(place);
    for (auto [i, tap] : llvm::enumerate(positions))
      read[first + i] =
          coordinateInWindow(e, place[first + i], op.getStrides()[i], op.getPads()[i], tap, op.getDilations()[i]);
    return checked.empty() ? e.at(operand, read) : emitWithin(e, operand, read, outside, checked);
  }

  llvm::SmallVector<PositionRange> taps;
  Coordinates place; ///< may change in dimensions that aren't spatial

private:
  /// A last window that was rounded up reads beyond the padding.
  bool readsBeyond() {
    if constexpr (std::is_same_v<Op, WindowOp>)
      return op.getCeil();
    return false;
  }

  PositionRange clip(int64_t i, mlir::Value size) {
    // The first tap at or after 0, and the first at or after the operand's end.
    mlir::Value start =
        e.sub(e.mul(e.positions(place[first + i]), e.index(op.getStrides()[i])), e.index(op.getPads()[i]));
    mlir::Value dilation = e.index(op.getDilations()[i]);
    auto firstFrom = [&](mlir::Value at) -> mlir::Value {
      mlir::Value distance = e.sub(at, start);
      if (op.getDilations()[i] != 1)
        distance = mlir::arith::CeilDivSIOp::create(e.builder, e.loc, distance, dilation);
      return distance;
    };
    mlir::Value low = mlir::arith::MaxSIOp::create(e.builder, e.loc, firstFrom(e.index(0)), e.index(0));
    mlir::Value high = mlir::arith::MinSIOp::create(e.builder, e.loc, firstFrom(e.size(operand, first + i)), size);
    return {low, high};
  }

  ElementEmitter &e;
  Op op;
  mlir::Value operand;
  int64_t first;
  llvm::SmallVector<int64_t> checked;
};

} // namespace tenon::codegen

#endif // TENON_LIB_CODEGEN_COMMON_WINDOWREADER_H
