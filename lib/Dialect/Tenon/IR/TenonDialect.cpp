//===- TenonDialect.cpp - The graph dialect ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/TenonDialect.h"
#include "tenon/Dialect/Bytecode/BytecodeVersion.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MemoryBuffer.h"
#include <mutex>

using namespace mlir;
using namespace tenon;

#include "tenon/Dialect/Tenon/IR/TenonDialect.cpp.inc"
#include "tenon/Dialect/Tenon/IR/TenonEnums.cpp.inc"
#include "tenon/Dialect/Tenon/IR/TenonInterfaces.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "tenon/Dialect/Tenon/IR/TenonTypes.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "tenon/Dialect/Tenon/IR/TenonAttributes.cpp.inc"

namespace {
/// Files that blobs refer to, mapped once per context, and once more when one has grown beyond what was mapped.
class BlobFiles : public DialectInterface::Base<BlobFiles> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(BlobFiles)
  explicit BlobFiles(Dialect *dialect) : Base(dialect) {}

  /// The content of a file, at least up to `end` if it has so much.
  llvm::Expected<llvm::StringRef> map(StringRef file, uint64_t end) const {
    std::lock_guard<std::mutex> lock(mutex);
    auto &mapped = buffers[file];
    if (mapped.empty() || mapped.back()->getBufferSize() < end) {
      auto opened = llvm::MemoryBuffer::getFile(file, /*IsText=*/false, /*RequiresNullTerminator=*/false);
      if (std::error_code error = opened.getError())
        return llvm::createStringError(error, "cannot read the constants in '%s': %s", file.str().c_str(),
                                       error.message().c_str());
      // Earlier ones stay: someone may look at their bytes.
      mapped.push_back(std::move(*opened));
    }
    return mapped.back()->getBuffer();
  }

private:
  mutable std::mutex mutex;
  mutable llvm::StringMap<SmallVector<std::unique_ptr<llvm::MemoryBuffer>, 1>> buffers;
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
  addInterfaces<BlobFiles>();
  addInterface<VersionedBytecode>(/*current=*/1);
}

Operation *TenonDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type, Location loc) {
  auto typed = dyn_cast<TypedAttr>(value);
  if (!typed || typed.getType() != type || !isa<RankedTensorType>(type))
    return nullptr;
  return ConstantOp::create(builder, loc, type, typed);
}

LogicalResult tenon::BlobAttr::verify(function_ref<InFlightDiagnostic()> emitError, ShapedType type, StringRef file,
                               uint64_t offset, uint64_t bytes) {
  if (!type.hasStaticShape())
    return emitError() << "a blob needs a static shape, but has " << type;
  Type element = type.getElementType();
  if (!element.isIntOrFloat())
    return emitError() << "a blob holds integers or floating point, not " << element;
  unsigned bits = element.getIntOrFloatBitWidth();
  // Booleans take a byte each, other narrow elements are packed.
  uint64_t expected = bits == 1 ? type.getNumElements() : (type.getNumElements() * uint64_t(bits) + 7) / 8;
  if (bytes != expected)
    return emitError() << "a blob of " << type << " takes " << expected << " bytes, not " << bytes;
  return success();
}

llvm::Expected<ArrayRef<char>> tenon::BlobAttr::getData() const {
  const BlobFiles *files = getContext()->getLoadedDialect<TenonDialect>()->getRegisteredInterface<BlobFiles>();
  llvm::Expected<StringRef> content = files->map(getFile(), getOffset() + getBytes());
  if (!content)
    return content.takeError();
  if (getOffset() > content->size() || getBytes() > content->size() - getOffset())
    return llvm::createStringError(std::errc::result_out_of_range,
                                   "the file '%s' has %zu bytes, but a constant lies at %llu to %llu",
                                   getFile().str().c_str(), content->size(), (unsigned long long)getOffset(),
                                   (unsigned long long)(getOffset() + getBytes()));
  return ArrayRef<char>(content->data() + getOffset(), getBytes());
}
