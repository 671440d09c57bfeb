//===- ExpandReports.cpp - Turn error reports into writes to the worker's error slot ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Codegen/Common/Passes.h"
#include "tenon/Dialect/Tile/IR/TileOps.h"
#include "tenon/Runtime/KernelABI.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
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
    if (func.getNumArguments() == 0 || !isa<LLVM::LLVMPointerType>(func.getArgumentTypes().back()) ||
        func.getNumResults() != 1 || !func.getResultTypes().front().isInteger(32)) {
      func.emitOpError() << "with '" << codegen::kChecksAttr
                         << "' expects a pointer to its error as last argument, and to give "
                         << "an i32";
      return signalPassFailure();
    }
    Value slot = func.getArguments().back();
    SmallVector<ReportOp> reports;
    func.walk([&](ReportOp op) { reports.push_back(op); });
    OpBuilder builder(func.getContext());
    Type i32 = builder.getI32Type(), i64 = builder.getI64Type();
    auto type = LLVM::LLVMStructType::getLiteral(func.getContext(),
                                                 abi::typesOf<Type>(abi::kErrorSlot, slot.getType(), i32, i64));
    using Field = abi::ErrorSlot;
    auto address = [&](Location loc, Field field) -> Value {
      return LLVM::GEPOp::create(builder, loc, slot.getType(), type, slot, ArrayRef<LLVM::GEPArg>{0, (int32_t)field});
    };
    for (ReportOp op : reports) {
      builder.setInsertionPoint(op);
      Location loc = op.getLoc();
      Value at = arith::IndexCastOp::create(builder, loc, i64, op.getPosition());
      Value known = LLVM::LoadOp::create(builder, loc, i32, address(loc, Field::code));
      Value knownAt = LLVM::LoadOp::create(builder, loc, i64, address(loc, Field::index));
      Value zero = arith::ConstantOp::create(builder, loc, builder.getI32IntegerAttr(0));
      Value isEmpty = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, known, zero);
      Value isEarlier = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, at, knownAt);
      Value writes = arith::OrIOp::create(builder, loc, isEmpty, isEarlier);
      auto branch = scf::IfOp::create(builder, loc, writes, /*withElseRegion=*/false);
      builder.setInsertionPointToStart(branch.thenBlock());
      Value number = arith::ConstantOp::create(builder, loc, op.getCodeAttr());
      LLVM::StoreOp::create(builder, loc, number, address(loc, Field::code));
      LLVM::StoreOp::create(builder, loc, at, address(loc, Field::index));
      LLVM::StoreOp::create(builder, loc, op.getValue(), address(loc, Field::value));
      LLVM::StoreOp::create(builder, loc, op.getLimit(), address(loc, Field::limit));
      op.erase();
    }
    func.walk([&](func::ReturnOp op) {
      builder.setInsertionPoint(op);
      op.setOperand(0, LLVM::LoadOp::create(builder, op.getLoc(), i32, address(op.getLoc(), Field::code)));
    });
  }
};
} // namespace
