//===- OperandTypes.cpp - Element types that ONNX's operators take ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OperandTypes.h"
#include "tenon/Dialect/Tenon/IR/StorageFormat.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

namespace {
/// A bit for each number of `TensorProto.DataType`.
using ElementSet = uint32_t;

constexpr ElementSet sets[] = {
#define ELEMENT_SET(bits) bits,
#define OPERAND_SETS(...)
#include "OperandTypes.inc"
#undef ELEMENT_SET
#undef OPERAND_SETS
};

/// The numbers of the sets of an operator's operands.
ArrayRef<uint8_t> setsOf(StringRef op) {
  static const llvm::StringMap<SmallVector<uint8_t>> table = {
#define ELEMENT_SET(bits)
#define OPERAND_SETS(name, ...) {name, {__VA_ARGS__}},
#include "OperandTypes.inc"
#undef ELEMENT_SET
#undef OPERAND_SETS
  };
  auto it = table.find(op);
  return it == table.end() ? ArrayRef<uint8_t>() : ArrayRef<uint8_t>(it->second);
}

/// In the order of their numbers, of which the first means that there is none.
constexpr StringRef names[] = {
    "undefined", "float32",    "uint8",      "int8",         "uint16",         "int16",      "int32",
    "int64",     "string",     "bool",       "float16",      "float64",        "uint32",     "uint64",
    "complex64", "complex128", "bfloat16",   "float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz",
    "uint4",     "int4",       "float4e2m1", "float8e8m0",   "uint2",          "int2"};
/// 0 of a type that operators don't state.
int64_t numberOf(Type element) {
  int64_t number = dataTypeOf(element);
  return number < int64_t(std::size(names)) ? number : 0;
}
} // namespace

LogicalResult onnx::checkOperandTypes(Node &node) {
  StringRef domain = node.op.getDomain();
  ArrayRef<uint8_t> known = domain.empty() || domain == "ai.onnx" ? setsOf(node.name()) : ArrayRef<uint8_t>();
  if (known.empty())
    return success();
  for (size_t i = 0; i < node.size(); ++i) {
    auto type = node[i] ? dyn_cast<RankedTensorType>(node[i].getType()) : RankedTensorType();
    ElementSet taken = sets[known[std::min(i, known.size() - 1)]];
    int64_t number = type ? numberOf(type.getElementType()) : 0;
    if (!type || !taken || taken >> number & 1)
      continue;
    constexpr int most = 8; // to be listed
    InFlightDiagnostic error = node.error();
    if (llvm::popcount(taken) > most)
      return error << "does not take " << type << " as operand " << i;
    error << "expects elements of type ";
    int left = llvm::popcount(taken);
    for (int64_t other = 1; left > 0; ++other)
      if (taken >> other & 1)
        error << names[other] << (--left == 0 ? "" : left == 1 ? " or " : ", ");
    return error << " as operand " << i << ", but has " << type;
  }
  return success();
}
