//===- RandomInputs.cpp - Operands that checks run on ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RandomInputs.h"

#include "ProgramInterpreter.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tenon::reference;

static llvm::Error fail(const llvm::Twine &message) { return llvm::createStringError(message); }

llvm::Expected<Tensor> tenon::reference::randomTensor(Type elementType, ArrayRef<int64_t> sizes,
                                                      std::mt19937_64 &random, std::optional<int64_t> limit) {
  int64_t count = 1;
  for (int64_t size : sizes)
    if (size < 0 || llvm::MulOverflow(count, size, count) || count > kMostElements)
      return fail("has operands of sizes " + describeShape(sizes));
  if (isa<StringType>(elementType)) {
    llvm::Expected<Tensor> result = Tensor::create(elementType, sizes);
    if (result)
      for (std::string &text : result->getStrings())
        for (uint64_t letter = random() % 4; letter != 0; letter = random() % 4)
          text.push_back('a' + letter - 1);
    return result;
  }
  Format format(elementType);
  if (!format.valid)
    return fail("has operands that aren't numbers");
  if (format.isFloat()) {
    std::vector<double> values(count);
    for (double &value : values)
      value = double(random() >> 11) / double(int64_t(1) << 52) - 1;
    return storeAll(elementType, sizes, values);
  }
  std::vector<int64_t> values(count);
  for (int64_t &value : values)
    value = limit ? random() % (*limit + 1) : format.bits <= 8 ? random() >> 1 : int64_t(random() % 201) - 100;
  return storeAll(elementType, sizes, values);
}

llvm::Expected<SmallVector<int64_t>> tenon::reference::sizesOf(Interpreter &interpreter, BlockArgument argument,
                                                               ArrayRef<int64_t> indices) {
  SmallVector<int64_t> sizes(cast<RankedTensorType>(argument.getType()).getShape());
  for (Operation *user : argument.getUsers()) {
    auto bind = dyn_cast<tenon::BindShapeOp>(user);
    if (!bind)
      continue;
    for (auto [size, mixed] : llvm::zip(sizes, bind.getMixedSizes())) {
      if (!ShapedType::isDynamic(size))
        continue;
      if (std::optional<int64_t> fixed = getConstantIntValue(mixed)) {
        size = *fixed;
        continue;
      }
      llvm::Expected<int64_t> value = indexValue(interpreter, cast<mlir::Value>(mixed), indices);
      if (!value)
        return value.takeError();
      size = *value;
    }
  }
  return sizes;
}
