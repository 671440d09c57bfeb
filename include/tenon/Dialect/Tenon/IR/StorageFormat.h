//===- StorageFormat.h - How elements lie in memory ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_IR_STORAGEFORMAT_H
#define TENON_DIALECT_TENON_IR_STORAGEFORMAT_H

#include "mlir/IR/Types.h"

namespace tenon {

/// How elements of a type lie in memory, in files of weights, and in buffers of programs. Booleans take a byte each,
/// indices eight; other elements narrower than a byte are packed from the lowest bits on, and share bytes.
class StorageFormat {
public:
  explicit StorageFormat(mlir::Type element);

  /// What an element takes; 0 where elements are held elsewhere, as strings are.
  unsigned getBits() const { return bits; }
  /// What an element takes that shares no byte.
  unsigned getBytes() const { return bits / 8; }
  bool sharesBytes() const { return bits % 8 != 0; }
  /// What so many elements take, from the start of a byte on.
  uint64_t bytesFor(uint64_t elements) const {
    return sharesBytes() ? (elements * bits + 7) / 8 : elements * getBytes();
  }

private:
  unsigned bits = 0;
};

/// The element type of a number of ONNX's TensorProto.DataType, by which artifacts tell them apart too; null for
/// numbers that the standard doesn't know, and for UNDEFINED.
mlir::Type typeOfDataType(int64_t dataType, mlir::MLIRContext *context);
/// The number of an element type; 0 of one that ONNX doesn't have. Signless integers are signed.
int32_t dataTypeOf(mlir::Type element);

} // namespace tenon

#endif // TENON_DIALECT_TENON_IR_STORAGEFORMAT_H
