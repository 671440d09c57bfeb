//===- TileOps.cpp - Kernels ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tile/IR/TileOps.h"
#include "tenon/Dialect/Host/IR/HostOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/Interfaces/FunctionImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tenon::tile;
using tenon::host::kContractAttr;
using tenon::host::kInnerContract;

#include "tenon/Dialect/Tile/IR/TileDialect.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "tenon/Dialect/Tile/IR/TileAttributes.cpp.inc"

void TileDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "tenon/Dialect/Tile/IR/TileAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "tenon/Dialect/Tile/IR/TileOps.cpp.inc"
      >();
}

/// What panels of a matrix must look like.
static LogicalResult verifyPanels(function_ref<InFlightDiagnostic()> emitError, ShapedType panels, ShapedType matrix,
                                  int64_t depth) {
  if (matrix.getRank() != 2 || depth < 0 || depth > 1)
    return emitError() << "expects a matrix and a depth of 0 or 1, but has " << matrix << " and " << depth;
  int64_t columns = matrix.getDimSize(1 - depth);
  int64_t shape[] = {(int64_t)llvm::divideCeil(columns, panelColumns), matrix.getDimSize(depth), panelColumns};
  if (panels.getShape() != ArrayRef(shape) || panels.getElementType() != matrix.getElementType())
    return emitError() << "expects panels " << RankedTensorType::get(shape, matrix.getElementType()) << " of " << matrix
                       << ", but has " << panels;
  return success();
}

LogicalResult PanelsAttr::verify(function_ref<InFlightDiagnostic()> emitError, ShapedType type, TypedAttr value,
                                 int64_t depth) {
  auto matrix = dyn_cast<RankedTensorType>(value.getType());
  if (!matrix)
    return emitError() << "expects a constant matrix";
  return verifyPanels(emitError, type, matrix, depth);
}

LogicalResult UnpackOp::verify() {
  return verifyPanels([&] { return emitOpError(); }, cast<ShapedType>(getOperand().getType()),
                      cast<ShapedType>(getResult().getType()), getDepth());
}

//===----------------------------------------------------------------------===//
// KernelOp
//===----------------------------------------------------------------------===//

ParseResult KernelOp::parse(OpAsmParser &parser, OperationState &result) {
  auto buildType = [](Builder &builder, ArrayRef<Type> arguments, ArrayRef<Type> results,
                      function_interface_impl::VariadicFlag, std::string &) {
    return builder.getFunctionType(arguments, results);
  };
  return function_interface_impl::parseFunctionOp(parser, result, /*allowVariadic=*/false,
                                                  getFunctionTypeAttrName(result.name), buildType,
                                                  getArgAttrsAttrName(result.name), getResAttrsAttrName(result.name));
}

void KernelOp::print(OpAsmPrinter &printer) {
  function_interface_impl::printFunctionOp(printer, *this, /*isVariadic=*/false, getFunctionTypeAttrName(),
                                           getArgAttrsAttrName(), getResAttrsAttrName());
}

bool KernelOp::takesStrides(unsigned tensor) {
  unsigned arguments = getArgumentTypes().size() - getNumSymbols();
  return tensor < arguments ? (bool)getArgAttr(getNumSymbols() + tensor, kContractAttr)
                            : (bool)getResultAttr(tensor - arguments, kContractAttr);
}

/// The contract of an argument or result, where it states one.
static LogicalResult verifyContract(KernelOp kernel, Attribute contract, Type type) {
  if (!contract)
    return success();
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (contract != StringAttr::get(kernel.getContext(), kInnerContract) || !tensor || tensor.getRank() < 2)
    return kernel.emitOpError("expects the contract 'inner', of a tensor of two dimensions or more, but has ")
           << contract << " of " << type;
  return success();
}

LogicalResult KernelOp::verify() {
  unsigned symbols = getNumSymbols();
  for (auto [i, type] : llvm::enumerate(getArgumentTypes()))
    if (failed(verifyContract(*this, getArgAttr(i, kContractAttr), type)))
      return failure();
  for (auto [i, type] : llvm::enumerate(getResultTypes()))
    if (failed(verifyContract(*this, getResultAttr(i, kContractAttr), type)))
      return failure();
  for (auto [i, type] : llvm::enumerate(getArgumentTypes()))
    if (type.isIndex() != (i < symbols) || (!type.isIndex() && !isa<RankedTensorType>(type)))
      return emitOpError("expects index arguments, then tensors, but has ") << type << " as argument " << i;
  if (getWork().getNumDims() != 0 || getWork().getNumSymbols() != symbols || getWork().getNumResults() != 1)
    return emitOpError("expects work as a map from ") << symbols << " symbols to one number, but has " << getWorkAttr();
  auto yield = dyn_cast<YieldOp>(getBody().front().back());
  if (!yield || yield.getOperandTypes() != TypeRange(getResultTypes()))
    return emitOpError("expects a body that yields ") << getResultTypes();
  return success();
}

LogicalResult MicrokernelOp::verify() {
  if (getRows().empty() || getRows().size() != getNumResults())
    return emitOpError("expects one result per row, but has ")
           << getRows().size() << " rows and " << getNumResults() << " results";
  for (Type type : getResultTypes())
    if (type != getResultTypes().front())
      return emitOpError("expects results of one type, but has ") << type;
  if (cast<MemRefType>(getLhs().getType()).getRank() != 1 || cast<MemRefType>(getRhs().getType()).getRank() != 1)
    return emitOpError("expects flat buffers");
  if (!getInit().empty() && getInit().getTypes() != getResultTypes())
    return emitOpError("expects initial sums of the results' types, but has ") << getInit().getTypes();
  if (getUnroll() < 1)
    return emitOpError("expects to add products, but has unroll ") << getUnroll();
  if (!getPrefetch() != !getPrefetchStep())
    return emitOpError("expects a place to prefetch and a step, or neither");
  return success();
}

#define GET_OP_CLASSES
#include "tenon/Dialect/Tile/IR/TileOps.cpp.inc"
