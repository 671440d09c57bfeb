//===- ExpandReports.cpp - Turn error reports into writes to the worker's error slot ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelFunction.h"
#include "tenon/Codegen/Common/Passes.h"
#include "tenon/Dialect/Tile/IR/TileOps.h"
#include "tenon/Runtime/KernelABI.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::tile;

namespace tenon::codegen {
#define GEN_PASS_DEF_EXPANDREPORTSPASS
#include "tenon/Codegen/Common/Passes.h.inc"
} // namespace tenon::codegen

namespace {
struct ExpandReportsPass : tenon::codegen::impl::ExpandReportsPassBase<ExpandReportsPass> {
  void runOnOperation() override {
    func::FuncOp func = getOperation();
    if (!func->hasAttr(codegen::kChecksAttr))
      return;
    MemRefType slotType = codegen::errorSlotType(&getContext());
    if (func.getNumArguments() == 0 || func.getArgumentTypes().back() != slotType || func.getNumResults() != 1 ||
        !func.getResultTypes().front().isInteger(32)) {
      func.emitOpError() << "with '" << codegen::kChecksAttr << "' expects its error slot, " << slotType
                         << ", as last argument, and to give an i32";
      return signalPassFailure();
    }
    Value slot = func.getArguments().back();
    SmallVector<ReportOp> reports;
    func.walk([&](ReportOp op) { reports.push_back(op); });
    OpBuilder builder(func.getContext());
    Type i32 = builder.getI32Type(), i64 = builder.getI64Type();
    using Field = abi::ErrorSlot;
    auto view = [&](Location loc, Field field) -> Value {
      int64_t offset = abi::offsetOf(abi::kErrorSlot, size_t(field));
      Type type = abi::kErrorSlot[size_t(field)] == abi::Field::i32 ? i32 : i64;
      return memref::ViewOp::create(builder, loc, MemRefType::get({}, type), slot,
                                    arith::ConstantIndexOp::create(builder, loc, offset), ValueRange());
    };
    auto load = [&](Location loc, Field field) -> Value {
      return memref::LoadOp::create(builder, loc, view(loc, field));
    };
    auto store = [&](Value value, Field field) {
      memref::StoreOp::create(builder, value.getLoc(), value, view(value.getLoc(), field));
    };
    for (ReportOp op : reports) {
      builder.setInsertionPoint(op);
      Location loc = op.getLoc();
      Value at = arith::IndexCastOp::create(builder, loc, i64, op.getPosition());
      Value known = load(loc, Field::code);
      Value knownAt = load(loc, Field::index);
      Value zero = arith::ConstantOp::create(builder, loc, builder.getI32IntegerAttr(0));
      Value isEmpty = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, known, zero);
      Value isEarlier = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, at, knownAt);
      Value writes = arith::OrIOp::create(builder, loc, isEmpty, isEarlier);
      auto branch = scf::IfOp::create(builder, loc, writes, /*withElseRegion=*/false);
      builder.setInsertionPointToStart(branch.thenBlock());
      Value number = arith::ConstantOp::create(builder, loc, op.getCodeAttr());
      store(number, Field::code);
      store(at, Field::index);
      store(op.getValue(), Field::value);
      store(op.getLimit(), Field::limit);
      op.erase();
    }
    func.walk([&](func::ReturnOp op) {
      builder.setInsertionPoint(op);
      op.setOperand(0, load(op.getLoc(), Field::code));
    });
  }
};
} // namespace
