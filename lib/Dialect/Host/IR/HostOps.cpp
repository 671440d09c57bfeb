//===- HostOps.cpp - The host program ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Host/IR/HostOps.h"

#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;
using namespace tenon::host;

#include "tenon/Dialect/Host/IR/HostDialect.cpp.inc"
#include "tenon/Dialect/Host/IR/HostEnums.cpp.inc"

void HostDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "tenon/Dialect/Host/IR/HostOps.cpp.inc"
      >();
}

static LogicalResult verifySizes(Operation *op, MemRefType type, ArrayRef<int64_t> fixed, size_t dynamic) {
  if ((int64_t)fixed.size() != type.getRank() || (size_t)llvm::count(fixed, ShapedType::kDynamic) != dynamic)
    return op->emitOpError("expects ") << type.getRank() << " sizes with one operand per dynamic one";
  if (failed(verifyCompatibleShape(fixed, type.getShape())))
    return op->emitOpError("expects the sizes of ") << type;
  return success();
}

LogicalResult StorageOp::verify() {
  auto type = cast<MemRefType>(getResult().getType());
  if (!type.getLayout().isIdentity())
    return emitOpError("expects contiguous rows, but has ") << type;
  if (getLive() && (getKind() != StorageKind::arena || getLive()->size() != 2 || (*getLive())[0] > (*getLive())[1]))
    return emitOpError("expects a first and a last launch of an arena buffer");
  if ((getKind() == StorageKind::constant) != getValue().has_value())
    return emitOpError("expects a value of a constant and of nothing else");
  return verifySizes(*this, type, getStaticSizes(), getSizes().size());
}

LogicalResult ExchangeOp::verify() {
  for (Value buffer : {getFirst(), getSecond()}) {
    auto storage = buffer.getDefiningOp<StorageOp>();
    if (!storage || storage.getKind() != StorageKind::growing)
      return emitOpError("expects growing storages");
  }
  return success();
}

LogicalResult ViewOp::verify() {
  auto type = cast<MemRefType>(getResult().getType());
  if (getStaticOffsets().size() != 1)
    return emitOpError("expects one offset, but has ") << getStaticOffsets().size();
  if ((int64_t)getStaticStrides().size() != type.getRank())
    return emitOpError("expects ") << type.getRank() << " strides, but has " << getStaticStrides().size();
  if (cast<MemRefType>(getSource().getType()).getElementType() != type.getElementType())
    return emitOpError("expects source and result of one element type");
  return verifySizes(*this, type, getStaticSizes(), getSizes().size());
}

LogicalResult LaunchOp::verify() {
  bool onTensors = llvm::all_of(getOuts().getTypes(), llvm::IsaPred<RankedTensorType>);
  bool onMemRefs = llvm::all_of(getOuts().getTypes(), llvm::IsaPred<MemRefType>);
  if (getOuts().empty() || (!onTensors && !onMemRefs))
    return emitOpError("expects outs that are all tensors or all memrefs");
  for (Type type : getIns().getTypes())
    if (onTensors ? !isa<RankedTensorType>(type) : !isa<MemRefType>(type))
      return emitOpError("expects ins of the same kind as outs, but has ") << type;
  if (onMemRefs && getNumResults() != 0)
    return emitOpError("expects no results on memrefs");
  if (onTensors && getResultTypes() != getOuts().getTypes())
    return emitOpError("expects one result per out, of its type");
  return success();
}

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  Operation *kernel = symbols.lookupNearestSymbolFrom(*this, getKernelAttr());
  if (!kernel)
    return emitOpError("launches ") << getKernelAttr() << ", which is not defined";
  return success();
}

void LaunchOp::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  for (OpOperand &operand : getInsMutable())
    if (isa<MemRefType>(operand.get().getType()))
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
  for (OpOperand &operand : getOutsMutable())
    if (isa<MemRefType>(operand.get().getType()))
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
}

#define GET_OP_CLASSES
#include "tenon/Dialect/Host/IR/HostOps.cpp.inc"
