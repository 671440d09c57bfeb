//===- Signatures.cpp - What ONNX lets operators take and give ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Signatures.h"
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
#define SIGNATURE(...)
#include "Signatures.inc"
#undef ELEMENT_SET
#undef OPERAND_SETS
#undef SIGNATURE
};

/// The numbers of the sets of an operator's operands.
ArrayRef<uint8_t> setsOf(StringRef op) {
  static const llvm::StringMap<SmallVector<uint8_t>> table = {
#define ELEMENT_SET(bits)
#define OPERAND_SETS(name, ...) {name, {__VA_ARGS__}},
#define SIGNATURE(...)
#include "Signatures.inc"
#undef ELEMENT_SET
#undef OPERAND_SETS
#undef SIGNATURE
  };
  auto it = table.find(op);
  return it == table.end() ? ArrayRef<uint8_t>() : ArrayRef<uint8_t>(it->second);
}

/// What an operator is from a version on.
struct Signature {
  int64_t since;
  size_t results;       // at most
  StringRef attributes; // each a letter for its kind, and its name
};

const Signature *signatureOf(StringRef op, int64_t version) {
  static const auto table = [] {
    llvm::StringMap<SmallVector<Signature, 2>> signatures;
#define ELEMENT_SET(bits)
#define OPERAND_SETS(...)
#define SIGNATURE(name, since, results, attributes) signatures[name].push_back({since, size_t(results), attributes});
#include "Signatures.inc"
#undef ELEMENT_SET
#undef OPERAND_SETS
#undef SIGNATURE
    return signatures;
  }();
  auto it = table.find(op);
  const Signature *last = nullptr;
  if (it != table.end())
    for (const Signature &signature : it->second)
      if (signature.since <= version)
        last = &signature;
  return last;
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

/// What kind of an attribute a letter of `Signature::attributes` means, in words, and whether one is of that kind;
/// those of tensors and types are not told apart. Null for graphs, which are regions.
static StringRef findKind(char letter, Attribute attribute, bool &holds) {
  auto isString = [](Attribute element) { return isa<StringAttr>(element); };
  auto isEmptyList = [&] { return isa_and_nonnull<ArrayAttr>(attribute) && cast<ArrayAttr>(attribute).empty(); };
  switch (letter) {
  case 'f':
    holds = isa_and_nonnull<FloatAttr>(attribute);
    return "a floating-point number";
  case 'i':
    holds = isa_and_nonnull<IntegerAttr>(attribute);
    return "an integer";
  case 's':
    holds = isa_and_nonnull<StringAttr>(attribute);
    return "a string";
  case 'F':
    holds = isa_and_nonnull<DenseF32ArrayAttr>(attribute) || isEmptyList();
    return "a list of floating-point numbers";
  case 'I':
    holds = isa_and_nonnull<DenseI64ArrayAttr>(attribute) || isEmptyList();
    return "a list of integers";
  case 'S':
    holds = isa_and_nonnull<ArrayAttr>(attribute) && llvm::all_of(cast<ArrayAttr>(attribute), isString);
    return "a list of strings";
  case 'g':
    holds = !attribute;
    return "a graph";
  default:
    holds = attribute && !isa<FloatAttr, IntegerAttr, StringAttr, DenseF32ArrayAttr, DenseI64ArrayAttr>(attribute);
    return letter == 't' ? "a tensor" : "something else";
  }
}

static LogicalResult checkAttributesAndResults(Node &node, StringRef op) {
  const Signature *signature = signatureOf(op, node.version());
  if (!signature)
    return success();
  SmallVector<StringRef> known;
  signature->attributes.split(known, ' ', -1, /*KeepEmpty=*/false);
  auto nameOf = [](StringRef kindAndName) { return kindAndName.drop_front(); };
  auto check = [&](StringRef name, Attribute attribute) -> LogicalResult {
    // Tools keep notes of their own under such names.
    if (name.starts_with("__"))
      return success();
    auto found = llvm::find_if(known, [&](StringRef each) { return nameOf(each) == name; });
    if (found == known.end()) {
      InFlightDiagnostic error = node.error() << "has no attribute '" << name << "'";
      if (!known.empty())
        error << ", only " << llvm::join(llvm::map_range(known, nameOf), ", ");
      return error;
    }
    bool holds;
    StringRef kind = findKind(found->front(), attribute, holds);
    if (holds)
      return success();
    InFlightDiagnostic error = node.error() << "expects " << kind << " as attribute '" << name << "', but has ";
    return attribute ? error << attribute : error << "a graph";
  };
  for (NamedAttribute attribute : node.op.getNodeAttributes())
    if (failed(check(attribute.getName(), attribute.getValue())))
      return failure();
  for (auto name : node.op.getRegionNames().getAsRange<StringAttr>())
    if (failed(check(name, {})))
      return failure();
  size_t results = node.op->getNumResults();
  if (results > signature->results)
    return node.error() << "gives at most " << signature->results << " results, but has " << results;
  return success();
}

LogicalResult onnx::checkSignature(Node &node) {
  if (StringRef domain = node.op.getDomain(); !domain.empty() && domain != "ai.onnx") {
    // Their converters tell numbers apart, but none takes complex ones.
    for (size_t i = 0; i < node.size(); ++i)
      if (node[i] && isa<ComplexType>(getElementTypeOrSelf(node[i].getType())))
        return node.error() << "does not take " << node[i].getType() << " as operand " << i;
    return checkAttributesAndResults(node, (domain + "::" + node.name()).str());
  }
  if (failed(checkAttributesAndResults(node, node.name())))
    return failure();
  ArrayRef<uint8_t> known = setsOf(node.name());
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
