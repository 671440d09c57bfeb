//===- Tensor.h - Values that the reference interpreter computes with ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// A tensor of the interpreter: an element type, sizes and the elements, row by row without gaps. Booleans
// take one byte each, other elements narrower than a byte are packed from the lowest bits, strings are
// objects. Copying a tensor shares its elements; whoever fills one does so right after creating it.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_REFERENCE_TENSOR_H
#define TENON_REFERENCE_TENSOR_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace tenon::reference {

class Tensor {
public:
  Tensor() = default;

  /// A tensor with elements of its own, not set. Fails on negative sizes, on more bytes than can be had and
  /// on element types other than strings, integers of 1 to 8, 16, 32 or 64 bits and floating point up to 64
  /// bits.
  static llvm::Expected<Tensor> create(mlir::Type elementType, llvm::ArrayRef<int64_t> shape);
  /// A tensor on bytes of someone else, which must stay in place as long as any copy of the tensor.
  static llvm::Expected<Tensor> borrow(mlir::Type elementType, llvm::ArrayRef<int64_t> shape,
                                       llvm::ArrayRef<char> bytes);
  /// A tensor from a copy of elements of whole bytes each: a packed element takes the low bits of one.
  static llvm::Expected<Tensor> fromWholeBytes(mlir::Type elementType, llvm::ArrayRef<int64_t> shape,
                                               llvm::ArrayRef<char> bytes);
  /// The elements of a constant: `dense<...>`, a resource or `#tenon.blob`.
  static llvm::Expected<Tensor> fromAttribute(mlir::TypedAttr attribute);

  mlir::Type getElementType() const { return elementType; }
  llvm::ArrayRef<int64_t> getShape() const { return shape; }
  int64_t getRank() const { return shape.size(); }
  int64_t getDimSize(int64_t dim) const { return shape[dim]; }
  int64_t getNumElements() const { return elements; }
  int64_t getNumBytes() const { return bytes; }
  bool holdsStrings() const { return strings != nullptr; }

  const char *getData() const { return data; }
  char *getData() { return data; }
  const std::vector<std::string> &getStrings() const { return *strings; }
  std::vector<std::string> &getStrings() { return *strings; }

  /// The same elements under other sizes; their number must agree.
  Tensor reshaped(llvm::ArrayRef<int64_t> shape) const;

  /// The elements with a whole number of bytes each; packed integers are extended by their sign. Not for
  /// strings.
  std::vector<char> toWholeBytes() const;

  /// `tensor<2x3xf32>`, for messages.
  std::string describe() const;

private:
  mlir::Type elementType;
  llvm::SmallVector<int64_t, 4> shape;
  int64_t elements = 0, bytes = 0;
  std::shared_ptr<char> owner;
  char *data = nullptr;
  std::shared_ptr<std::vector<std::string>> strings;
};

struct Sequence;
struct Optional;

/// What a value of another dialect stands for, such as memory.
struct Object {
  virtual ~Object() = default;
};

/// What an SSA value holds: a tensor, an index (or another scalar integer), a sequence, an optional, an object.
using Value =
    std::variant<Tensor, int64_t, std::shared_ptr<Sequence>, std::shared_ptr<Optional>, std::shared_ptr<Object>>;

struct Sequence {
  std::vector<Value> values;
};

struct Optional {
  std::vector<Value> value; ///< empty or one
};

} // namespace tenon::reference

#endif // TENON_REFERENCE_TENSOR_H
