//===- TenonDialect.cpp - The graph dialect ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/TenonDialect.h"
#include "BlobFilesInterface.h"
#include "tenon/Dialect/Bytecode/BytecodeVersion.h"
#include "tenon/Dialect/Tenon/IR/Roles.h"
#include "tenon/Dialect/Tenon/IR/ShapeArithmetic.h"
#include "tenon/Dialect/Tenon/IR/TenonBits.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/Format.h"

using namespace mlir;
using namespace tenon;

#include "tenon/Dialect/Tenon/IR/TenonDialect.cpp.inc"
#include "tenon/Dialect/Tenon/IR/TenonEnums.cpp.inc"
#include "tenon/Dialect/Tenon/IR/TenonInterfaces.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "tenon/Dialect/Tenon/IR/TenonTypes.cpp.inc"

static ParseResult parseChecksum(AsmParser &parser, uint64_t &checksum) {
  checksum = 0;
  return failure(succeeded(parser.parseOptionalComma()) &&
                 (parser.parseKeyword("xxh3") || parser.parseInteger(checksum)));
}

static void printChecksum(AsmPrinter &printer, uint64_t checksum) {
  if (checksum)
    printer << ", xxh3 0x" << llvm::format_hex_no_prefix(checksum, 16);
}

#define GET_ATTRDEF_CLASSES
#include "tenon/Dialect/Tenon/IR/TenonAttributes.cpp.inc"

namespace {
/// In text, a symbol's value has the symbol's name.
struct SymbolName : OpAsmOpInterface::ExternalModel<SymbolName, SymbolOp> {
  void getAsmResultNames(Operation *op, OpAsmSetValueNameFn setName) const {
    setName(op->getResult(0), cast<SymbolOp>(op).getName());
  }
};
} // namespace

void TenonDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "tenon/Dialect/Tenon/IR/TenonTypes.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "tenon/Dialect/Tenon/IR/TenonAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "tenon/Dialect/Tenon/IR/TenonElementwise.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "tenon/Dialect/Tenon/IR/TenonContraction.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "tenon/Dialect/Tenon/IR/TenonReduction.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "tenon/Dialect/Tenon/IR/TenonNormalization.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "tenon/Dialect/Tenon/IR/TenonAttention.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "tenon/Dialect/Tenon/IR/TenonDataMovement.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "tenon/Dialect/Tenon/IR/TenonIndexing.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "tenon/Dialect/Tenon/IR/TenonShape.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "tenon/Dialect/Tenon/IR/TenonControlFlow.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "tenon/Dialect/Tenon/IR/TenonHostCalls.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "tenon/Dialect/Tenon/IR/TenonBits.cpp.inc"
      >();
  SymbolOp::attachInterface<SymbolName>(*getContext());
  attachRoles(getContext());
  attachShapeArithmetic(getContext());
  addInterfaces<BlobFiles>();
  addInterface<VersionedBytecode>(/*current=*/1);
}

Operation *TenonDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type, Location loc) {
  auto typed = dyn_cast<TypedAttr>(value);
  if (!typed || typed.getType() != type)
    return nullptr;
  if (type.isIndex())
    return arith::ConstantOp::create(builder, loc, typed);
  if (!isa<RankedTensorType>(type))
    return nullptr;
  return ConstantOp::create(builder, loc, type, typed);
}
