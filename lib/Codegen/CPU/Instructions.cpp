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
      {"x86.vpmaddwd", 8, "llvm.x86.avx2.pmadd.wd"},        {"x86.vpmaddwd", 16, "llvm.x86.avx512.pmaddw.d.512"}};
  for (const auto &[name, number, intrinsic] : known)
    if (name == instruction && number == sums)
      return intrinsic;
  return {};
}

struct ProductsModel : ProductsInterface::ExternalModel<ProductsModel, CPUTargetAttr> {
  Value emitProducts(Attribute, OpBuilder &builder, Location loc, InstructionAttr instruction, Value sums, Value lhs,
                     Value rhs) const {
    StringRef intrinsic = intrinsicOf(instruction.getName(), instruction.getN());
    if (intrinsic.empty())
      return nullptr;
    auto call = [&](ValueRange operands) {
      return LLVM::CallIntrinsicOp::create(builder, loc, sums.getType(), builder.getStringAttr(intrinsic), operands)
          .getResult(0);
    };
    // Sums of two products of 16 bits fit 32, and none is saturated. With VNNI it is one instruction with the addition.
    if (instruction.getName() == "x86.vpmaddwd")
      return arith::AddIOp::create(builder, loc, sums, call({lhs, rhs}));
    return call({sums, lhs, rhs});
  }
};
} // namespace

void cpu::registerInstructions(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, TileDialect *) {
    CPUTargetAttr::attachInterface<ProductsModel>(*context);
    context->loadDialect<LLVM::LLVMDialect>();
  });
}
