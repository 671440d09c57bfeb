//===- Instructions.cpp - Instructions of x86 that multiply and add ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Instructions.h"
#include "tenon/Codegen/Common/ProductsInterface.h"
#include "tenon/Dialect/Tile/IR/TileOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

namespace {
/// LLVM's intrinsics (IntrinsicsX86.td), by how many sums a vector has.
StringRef intrinsicOf(StringRef instruction, int64_t sums) {
  static constexpr std::tuple<StringLiteral, int64_t, StringLiteral> known[] = {
      {"x86.vpdpbusd", 4, "llvm.x86.avx512.vpdpbusd.128"},  {"x86.vpdpbusd", 8, "llvm.x86.avx512.vpdpbusd.256"},
      {"x86.vpdpbusd", 16, "llvm.x86.avx512.vpdpbusd.512"}, {"x86.vpmaddwd", 4, "llvm.x86.sse2.pmadd.wd"},
      {"x86.vpmaddwd", 8, "llvm.x86.avx2.pmadd.wd"},        {"x86.vpmaddwd", 16, "llvm.x86.avx512.pmaddw.d.512"},
      {"x86.vpmaddubsw", 8, "llvm.x86.avx2.pmadd.ub.sw"},   {"x86.vpmaddubsw", 16, "llvm.x86.avx512.pmaddubs.w.512"}};
  for (const auto &[name, number, intrinsic] : known)
    if (name == instruction && number == sums)
      return intrinsic;
  return {};
}

struct ProductsModel : ProductsInterface::ExternalModel<ProductsModel, CPUTargetAttr> {
  Value emitProducts(Attribute, OpBuilder &builder, Location loc, InstructionAttr instruction, Value sums, Value lhs,
                     Value rhs) const {
    if (instruction.getM() > 1)
      return emitTileProducts(builder, loc, instruction, sums, lhs, rhs);
    int64_t number = instruction.getN();
    StringRef name = instruction.getName(), intrinsic = intrinsicOf(name, number);
    if (intrinsic.empty())
      return nullptr;
    auto call = [&](StringRef intrinsic, Type type, ValueRange operands) {
      return LLVM::CallIntrinsicOp::create(builder, loc, type, builder.getStringAttr(intrinsic), operands).getResult(0);
    };
    if (name == "x86.vpdpbusd")
      return call(intrinsic, sums.getType(), {sums, lhs, rhs});
    // Sums of two products of 16 bits fit 32, and none is saturated: nor are those of 8 and 7 bits in 16.
    if (name == "x86.vpmaddubsw") {
      auto pairs = VectorType::get(2 * number, builder.getI16Type());
      lhs = call(intrinsic, pairs, {lhs, rhs});
      rhs = arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(pairs, builder.getI16IntegerAttr(1)));
      intrinsic = intrinsicOf("x86.vpmaddwd", number);
    }
    return arith::AddIOp::create(builder, loc, sums, call(intrinsic, sums.getType(), {lhs, rhs}));
  }

  // Intel SDM volume 1, chapter 18: eight tiles of 16 rows of 64 bytes. LLVM gives them their registers and shapes.
  Value emitFragment(Attribute, OpBuilder &builder, Location loc, int64_t rows, int64_t bytes, Value address,
                     Value stride) const {
    Tiles tiles{builder, loc};
    SmallVector<Value> operands = {tiles.size(rows), tiles.size(bytes)};
    if (address)
      operands.append({tiles.pointer(address), tiles.wide(stride)});
    return LLVM::CallIntrinsicOp::create(
               builder, loc, tiles.type(),
               builder.getStringAttr(address ? "llvm.x86.tileloadd64.internal" : "llvm.x86.tilezero.internal"),
               operands)
        .getResult(0);
  }
  void storeFragment(Attribute, OpBuilder &builder, Location loc, int64_t rows, int64_t bytes, Value address,
                     Value stride, Value fragment) const {
    Tiles tiles{builder, loc};
    LLVM::CallIntrinsicOp::create(
        builder, loc, builder.getStringAttr("llvm.x86.tilestored64.internal"),
        ValueRange{tiles.size(rows), tiles.size(bytes), tiles.pointer(address), tiles.wide(stride), fragment});
  }

private:
  struct Tiles {
    OpBuilder &builder;
    Location loc;

    Type type() const { return LLVM::LLVMX86AMXType::get(builder.getContext()); }
    Value size(int64_t number) const {
      return arith::ConstantIntOp::create(builder, loc, builder.getI16Type(), number);
    }
    Value wide(Value index) const { return arith::IndexCastOp::create(builder, loc, builder.getI64Type(), index); }
    Value pointer(Value address) const {
      return LLVM::IntToPtrOp::create(builder, loc, LLVM::LLVMPointerType::get(builder.getContext()), wide(address));
    }
  };

  static Value emitTileProducts(OpBuilder &builder, Location loc, InstructionAttr instruction, Value sums, Value lhs,
                                Value rhs) {
    // Rows, and bytes of a row of sums and of one of factors.
    if (instruction.getName() != "x86.tdpbusd")
      return nullptr;
    Tiles tiles{builder, loc};
    return LLVM::CallIntrinsicOp::create(builder, loc, tiles.type(), builder.getStringAttr("llvm.x86.tdpbusd.internal"),
                                         {tiles.size(instruction.getM()), tiles.size(4 * instruction.getN()),
                                          tiles.size(instruction.getK()), sums, lhs, rhs})
        .getResult(0);
  }
};
} // namespace

void cpu::registerInstructions(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, TileDialect *) {
    CPUTargetAttr::attachInterface<ProductsModel>(*context);
    context->loadDialect<LLVM::LLVMDialect>();
  });
}
