//===- Tensor.cpp - Tensors of the reference interpreter ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Elements.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "tenon/Dialect/Tenon/IR/TenonDialect.h"
#include "llvm/Support/MathExtras.h"

#include <cstdlib>

using namespace mlir;
using namespace tenon::reference;

static llvm::Error makeError(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

static std::string print(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

std::string tenon::reference::describeShape(ArrayRef<int64_t> shape) {
  std::string text = "[";
  for (auto [i, size] : llvm::enumerate(shape))
    text += (i ? ", " : "") + std::to_string(size);
  return text + "]";
}

std::string Tensor::describe() const {
  std::string text = "tensor<";
  for (int64_t size : shape)
    text += std::to_string(size) + "x";
  return text + print(elementType) + ">";
}

/// The number of elements, or an error if a size is negative or their product beyond 2^48.
static llvm::Expected<int64_t> countElements(ArrayRef<int64_t> shape) {
  int64_t count = 1;
  bool overflow = false;
  for (int64_t size : shape) {
    if (size < 0)
      return makeError("a size is negative in " + describeShape(shape));
    overflow = __builtin_mul_overflow(count, size, &count) || overflow;
  }
  if (llvm::is_contained(shape, 0))
    return 0;
  if (overflow || count > (int64_t(1) << 48))
    return makeError("the sizes " + describeShape(shape) + " have too many elements");
  return count;
}

llvm::Expected<Tensor> Tensor::create(Type elementType, ArrayRef<int64_t> shape) {
  llvm::Expected<int64_t> count = countElements(shape);
  if (!count)
    return count.takeError();
  Tensor tensor;
  tensor.elementType = elementType;
  tensor.shape.assign(shape.begin(), shape.end());
  tensor.elements = *count;
  if (isa<tenon::StringType>(elementType)) {
    // A vector that finds no memory ends the process.
    constexpr int64_t most = int64_t(1) << 26;
    if (*count > most)
      return makeError("no memory for " + tensor.describe());
    tensor.strings = std::make_shared<std::vector<std::string>>(*count);
    return tensor;
  }
  Format format(elementType);
  if (!format.valid)
    return makeError("elements of type " + print(elementType) + " can't be computed with");
  tensor.bytes = format.bytesFor(*count);
  // Space for one more word, so that packed elements may be read a word at a time.
  tensor.owner = std::shared_ptr<char>(static_cast<char *>(std::malloc(tensor.bytes + 8)), std::free);
  tensor.data = tensor.owner.get();
  if (!tensor.data)
    return makeError("no memory for " + tensor.describe());
  if (format.isPacked())
    std::memset(tensor.data, 0, tensor.bytes + 8);
  return tensor;
}

llvm::Expected<Tensor> Tensor::borrow(Type elementType, ArrayRef<int64_t> shape, ArrayRef<char> bytes) {
  llvm::Expected<int64_t> count = countElements(shape);
  if (!count)
    return count.takeError();
  Format format(elementType);
  if (!format.valid)
    return makeError("elements of type " + print(elementType) + " can't be computed with");
  Tensor tensor;
  tensor.elementType = elementType;
  tensor.shape.assign(shape.begin(), shape.end());
  tensor.elements = *count;
  tensor.bytes = format.bytesFor(*count);
  if ((int64_t)bytes.size() != tensor.bytes)
    return makeError(tensor.describe() + " takes " + llvm::Twine(tensor.bytes) + " bytes, but there are " +
                     llvm::Twine(bytes.size()));
  tensor.data = const_cast<char *>(bytes.data());
  return tensor;
}

llvm::Expected<Tensor> Tensor::fromWholeBytes(Type elementType, ArrayRef<int64_t> shape, ArrayRef<char> bytes) {
  llvm::Expected<Tensor> tensor = create(elementType, shape);
  if (!tensor)
    return tensor;
  Format format(elementType);
  int64_t expected = tensor->elements * (format.bits < 8 ? 1 : format.bits / 8);
  if (tensor->strings || (int64_t)bytes.size() != expected)
    return makeError(tensor->describe() + " takes " + llvm::Twine(expected) + " bytes, but there are " +
                     llvm::Twine(bytes.size()));
  if (!format.isPacked()) {
    llvm::copy(bytes, tensor->data);
    return tensor;
  }
  Format raw(IntegerType::get(elementType.getContext(), format.bits, IntegerType::Unsigned));
  for (auto [i, byte] : llvm::enumerate(bytes)) {
    uint64_t value = uint8_t(byte);
    raw.store(tensor->data, i, 1, &value);
  }
  return tensor;
}

std::vector<char> Tensor::toWholeBytes() const {
  Format format(elementType);
  if (!format.isPacked())
    return std::vector<char>(data, data + bytes);
  Format raw(IntegerType::get(elementType.getContext(), format.bits,
                              format.kind == Kind::Signed ? IntegerType::Signless : IntegerType::Unsigned));
  std::vector<char> whole(elements);
  for (auto [i, byte] : llvm::enumerate(whole)) {
    int64_t value;
    raw.load(data, i, 1, &value);
    byte = char(value);
  }
  return whole;
}

Tensor Tensor::reshaped(ArrayRef<int64_t> newShape) const {
  Tensor tensor = *this;
  tensor.shape.assign(newShape.begin(), newShape.end());
  return tensor;
}

static llvm::Expected<Tensor> fromDense(DenseElementsAttr dense, ArrayRef<int64_t> shape) {
  Type type = dense.getElementType();
  if (auto strings = dyn_cast<DenseStringElementsAttr>(dense)) {
    llvm::Expected<Tensor> tensor = Tensor::create(type, shape);
    if (tensor)
      for (auto [i, value] : llvm::enumerate(strings.getValues<StringRef>()))
        tensor->getStrings()[i] = value.str();
    return tensor;
  }
  Format format(type);
  if (format.valid && format.bits >= 8 && !dense.isSplat())
    return Tensor::borrow(type, shape, dense.getRawData());
  llvm::Expected<Tensor> tensor = Tensor::create(type, shape);
  if (!tensor || tensor->getNumElements() == 0)
    return tensor;
  auto toBits = [&](int64_t i) -> uint64_t {
    if (format.isFloat())
      return (dense.isSplat() ? dense.getSplatValue<APFloat>() : dense.getValues<APFloat>()[i])
          .bitcastToAPInt()
          .getZExtValue();
    return (dense.isSplat() ? dense.getSplatValue<APInt>() : dense.getValues<APInt>()[i]).getZExtValue();
  };
  Format raw(IntegerType::get(type.getContext(), format.bits, IntegerType::Unsigned));
  if (dense.isSplat()) {
    std::vector<uint64_t> bits(tensor->getNumElements(), toBits(0));
    raw.store(tensor->getData(), 0, bits.size(), bits.data());
    return tensor;
  }
  for (int64_t i = 0, e = tensor->getNumElements(); i < e; ++i) {
    uint64_t bits = toBits(i);
    raw.store(tensor->getData(), i, 1, &bits);
  }
  return tensor;
}

llvm::Expected<Tensor> Tensor::fromAttribute(TypedAttr attribute) {
  auto type = dyn_cast<ShapedType>(attribute.getType());
  if (!type || !type.hasStaticShape())
    return makeError("a constant has no static sizes");
  if (auto blob = dyn_cast<tenon::BlobAttr>(attribute)) {
    llvm::Expected<ArrayRef<char>> data = blob.getData();
    if (!data)
      return data.takeError();
    return borrow(type.getElementType(), type.getShape(), *data);
  }
  if (auto dense = dyn_cast<DenseElementsAttr>(attribute))
    return fromDense(dense, type.getShape());
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attribute)) {
    AsmResourceBlob *data = resource.getRawHandle().getBlob();
    if (!data)
      return makeError("the resource '" + resource.getRawHandle().getKey() + "' has no data");
    return borrow(type.getElementType(), type.getShape(), data->getData());
  }
  return makeError("a constant is stored in a form that can't be read");
}
