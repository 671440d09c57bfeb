//===- Verification.h - What verifiers of several families ask ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_IR_VERIFICATION_H
#define TENON_DIALECT_TENON_IR_VERIFICATION_H

#include "tenon/Dialect/Tenon/IR/TenonOps.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

namespace tenon {
/// Windows, strides, dilations and pads above this are none that a tensor has: arithmetic on them stays within 64 bits.
inline constexpr int64_t kLargestAmount = int64_t(1) << 31;

/// No memory holds more elements. Their bytes, and those of what kernels pad, stay within 64 bits.
inline constexpr int64_t kMostElements = int64_t(1) << 56;

/// Whether sizes, of which those below zero aren't known, make no more than that.
inline bool areCountable(llvm::ArrayRef<int64_t> sizes) {
  int64_t elements = 1;
  return llvm::none_of(sizes, [&](int64_t size) {
    return size > 0 && (llvm::MulOverflow(elements, size, elements) || elements > kMostElements);
  });
}

/// Whether all are positive numbers of places.
inline mlir::LogicalResult verifyPositive(mlir::Operation *op, llvm::StringRef what, llvm::ArrayRef<int64_t> amounts) {
  for (int64_t amount : amounts)
    if (amount < 1 || amount > kLargestAmount)
      return op->emitOpError("expects positive ") << what << " of at most " << kLargestAmount << ", but has " << amount;
  return mlir::success();
}

/// Whether pads, which may crop, are numbers of places.
inline mlir::LogicalResult verifyPads(mlir::Operation *op, llvm::ArrayRef<int64_t> pads) {
  for (int64_t pad : pads)
    if (pad < -kLargestAmount || pad > kLargestAmount)
      return op->emitOpError("expects pads of at most ") << kLargestAmount << ", but has " << pad;
  return mlir::success();
}

/// Whether the dimensions are different ones of a tensor.
inline mlir::LogicalResult verifyDims(mlir::Operation *op, llvm::ArrayRef<int64_t> dims, int64_t rank) {
  llvm::SmallVector<bool> seen(rank, false);
  for (int64_t dim : dims) {
    if (dim < 0 || dim >= rank || seen[dim])
      return op->emitOpError("expects different dimensions below ") << rank << ", but has " << dim;
    seen[dim] = true;
  }
  return mlir::success();
}

/// Whether groups of operands that are one operand each are so. ODS checks that groups add up to all operands, and that
/// optional ones have no more than one, but not that those without a mark have one: their getters would be anything.
template <typename OpT> mlir::LogicalResult verifySingle(OpT op, std::initializer_list<unsigned> groups) {
  for (unsigned group : groups)
    if (unsigned count = op.getODSOperandIndexAndLength(group).second; count != 1)
      return op.emitOpError("expects 1 operand in group ") << group << " of 'operandSegmentSizes', but has " << count;
  return mlir::success();
}

/// Whether a list of static and dynamic amounts has one operand per dynamic one.
inline mlir::LogicalResult verifyMixed(mlir::Operation *op, llvm::StringRef what, llvm::ArrayRef<int64_t> amounts,
                                       size_t operands) {
  size_t dynamic = llvm::count(amounts, mlir::ShapedType::kDynamic);
  if (dynamic == operands)
    return mlir::success();
  return op->emitOpError("expects one operand per dynamic ") << what << ", but has " << operands << " for " << dynamic;
}

/// The function that a symbol names; null where it is another op, or none that can be asked for its types and their
/// attributes: what a verifier looks up may not be verified yet.
inline mlir::FunctionOpInterface functionOf(mlir::Operation *symbol) {
  auto function = llvm::dyn_cast_if_present<mlir::FunctionOpInterface>(symbol);
  auto type = function ? llvm::dyn_cast_if_present<mlir::TypeAttr>(
                             symbol->getInherentAttr("function_type").value_or(mlir::Attribute()))
                       : mlir::TypeAttr();
  if (!type || !llvm::isa<mlir::FunctionType>(type.getValue()))
    return {};
  auto describes = [](mlir::ArrayAttr attributes, size_t count) {
    return !attributes || (attributes.size() == count && llvm::all_of(attributes, llvm::IsaPred<mlir::DictionaryAttr>));
  };
  return describes(function.getArgAttrsAttr(), function.getNumArguments()) &&
                 describes(function.getResAttrsAttr(), function.getNumResults())
             ? function
             : mlir::FunctionOpInterface();
}

/// Whether the sizes of a result are those that follow from the op and its operands' types. What computes operands may
/// not be verified yet: the op is looked at alone, on arguments of their types.
inline mlir::LogicalResult verifyResultSizes(mlir::OpResult result) {
  mlir::Operation *op = result.getOwner();
  mlir::Block arguments;
  mlir::IRMapping alone;
  for (mlir::Value operand : op->getOperands())
    if (!alone.contains(operand))
      alone.map(operand, arguments.addArgument(operand.getType(), operand.getLoc()));
  mlir::OwningOpRef<mlir::Operation *> copy = op->cloneWithoutRegions(alone);
  SizeAnalysis sizes(op->getContext());
  auto type = llvm::cast<mlir::RankedTensorType>(result.getType());
  llvm::SmallVector<mlir::AffineExpr> inferred = sizes.inferredSizesOf((*copy)->getResult(result.getResultNumber()));
  if ((int64_t)inferred.size() != type.getRank())
    return op->emitOpError("expects a result of rank ") << inferred.size() << ", but has " << type;
  for (auto [dim, expression] : llvm::enumerate(inferred)) {
    int64_t expected = SizeAnalysis::staticSize(sizes.simplify(expression));
    if (mlir::ShapedType::isDynamic(expected))
      continue;
    if (expected < 0)
      return op->emitOpError("expects sizes that aren't negative, but result dimension ")
             << dim << " would have " << expected;
    if (!type.isDynamicDim(dim) && type.getDimSize(dim) != expected)
      return op->emitOpError("expects size ")
             << expected << " of result dimension " << dim << ", but it is " << type.getDimSize(dim);
  }
  return mlir::success();
}
} // namespace tenon

#endif // TENON_DIALECT_TENON_IR_VERIFICATION_H
