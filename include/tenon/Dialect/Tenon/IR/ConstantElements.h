//===- ConstantElements.h - Elements of constants under another type ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_IR_CONSTANTELEMENTS_H
#define TENON_DIALECT_TENON_IR_CONSTANTELEMENTS_H

#include "tenon/Dialect/Tenon/IR/TenonOps.h"

namespace tenon {
/// The elements of a constant, numbers or strings, under a static type of as many; null where they aren't stored one by
/// one.
inline mlir::TypedAttr reshapedElements(mlir::Attribute elements, mlir::RankedTensorType type) {
  // Strings have no bytes that `DenseElementsAttr::reshape` could take.
  if (auto texts = llvm::dyn_cast<mlir::DenseStringElementsAttr>(elements))
    return mlir::DenseStringElementsAttr::get(type, texts.getRawStringData());
  if (auto dense = llvm::dyn_cast<mlir::DenseElementsAttr>(elements))
    return dense.reshape(type);
  if (auto blob = llvm::dyn_cast<BlobAttr>(elements))
    return blob.withType(type);
  return {};
}
} // namespace tenon

#endif // TENON_DIALECT_TENON_IR_CONSTANTELEMENTS_H
