//===- Strings.cpp - Strings of the reference interpreter ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Elements.h"
#include "Regex.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "llvm/Support/ConvertUTF.h"

#include <cwctype>
#include <locale.h>

using namespace mlir;
using namespace tenon::reference;

static llvm::Error giveStrings(Call &call, unsigned result, ArrayRef<int64_t> shape, std::vector<std::string> texts) {
  llvm::Expected<Tensor> tensor =
      Tensor::create(cast<RankedTensorType>(call.op->getResult(result).getType()).getElementType(), shape);
  if (tensor)
    tensor->getStrings() = std::move(texts);
  return push(call, std::move(tensor));
}

static llvm::Error evaluateConcat(Call &call) {
  const Tensor &a = call.tensor(0), &b = call.tensor(1);
  if (a.getShape() != b.getShape())
    return call.fail("expects operands of one shape, but has " + a.describe() + " and " + b.describe());
  std::vector<std::string> texts(a.getStrings());
  for (auto [text, more] : llvm::zip(texts, b.getStrings()))
    text += more;
  return giveStrings(call, 0, a.getShape(), std::move(texts));
}

static llvm::Error evaluateMatch(Call &call) {
  const Tensor &operand = call.tensor(0);
  std::vector<bool> results;
  std::string error;
  if (!matchAll(cast<tenon::StringMatchOp>(call.op).getPattern().str(), operand.getStrings(), results, error))
    return call.fail("has a pattern that is no regular expression: " + error);
  return push(call, storeAll(call.resultElementType(), operand.getShape(),
                             std::vector<uint64_t>(results.begin(), results.end())));
}

/// Text with each letter mapped; text that is no UTF-8 stays as it is.
static std::string mapCase(StringRef text, wint_t (*map)(wint_t, locale_t)) {
  static const locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  std::wstring wide;
  std::string result;
  if (!locale || !llvm::ConvertUTF8toWide(text, wide))
    return text.str();
  for (wchar_t &letter : wide)
    letter = map(letter, locale);
  return llvm::convertWideToUTF8(wide, result) ? result : text.str();
}

static llvm::Error evaluateNormalize(Call &call) {
  auto op = cast<tenon::StringNormalizeOp>(call.op);
  auto comparable = [&](StringRef text) { return op.getCaseSensitive() ? text.str() : mapCase(text, towlower_l); };
  std::vector<std::string> stops, kept;
  for (StringRef word : op.getStopWords().getAsValueRange<StringAttr>())
    stops.push_back(comparable(word));
  for (const std::string &text : call.tensor(0).getStrings())
    if (!llvm::is_contained(stops, comparable(text)))
      kept.push_back(op.getChange() == "lower"   ? mapCase(text, towlower_l)
                     : op.getChange() == "upper" ? mapCase(text, towupper_l)
                                                 : text);
  if (kept.empty())
    kept.emplace_back();
  SmallVector<int64_t> shape(call.tensor(0).getShape());
  shape.back() = kept.size();
  return giveStrings(call, 0, shape, std::move(kept));
}

static std::vector<std::string> split(StringRef text, StringRef delimiter, int64_t limit) {
  constexpr StringLiteral space = " \t\n\v\f\r";
  std::vector<std::string> parts;
  bool bySpace = delimiter.empty();
  if (bySpace)
    text = text.trim(space);
  while (!text.empty() && (limit < 0 || (int64_t)parts.size() < limit)) {
    size_t end = bySpace ? text.find_first_of(space) : text.find(delimiter);
    if (end == StringRef::npos)
      break;
    parts.push_back(text.take_front(end).str());
    text = bySpace ? text.drop_front(end).ltrim(space) : text.drop_front(end + delimiter.size());
    // What follows the last delimiter is a part, too.
    if (!bySpace && text.empty())
      parts.emplace_back();
  }
  if (!text.empty())
    parts.push_back(text.str());
  return parts;
}

static llvm::Error evaluateSplit(Call &call) {
  auto op = cast<tenon::StringSplitOp>(call.op);
  const Tensor &operand = call.tensor(0);
  std::vector<std::vector<std::string>> lists;
  std::vector<int64_t> counts;
  std::vector<std::string> all;
  size_t most = 0;
  for (const std::string &text : operand.getStrings()) {
    lists.push_back(split(text, op.getDelimiter(), int64_t(op.getMaxSplits())));
    counts.push_back(lists.back().size());
    most = std::max(most, lists.back().size());
  }
  for (std::vector<std::string> &list : lists) {
    list.resize(most);
    all.insert(all.end(), list.begin(), list.end());
  }
  SmallVector<int64_t> shape(operand.getShape());
  shape.push_back(most);
  if (llvm::Error error = giveStrings(call, 0, shape, std::move(all)))
    return error;
  return push(call, storeAll(IntegerType::get(call.op->getContext(), 64), operand.getShape(), counts));
}

/// An element as something to compare: the text, or the number's value.
static std::string keyAt(const Tensor &tensor, int64_t i) {
  if (tensor.holdsStrings())
    return tensor.getStrings()[i];
  Format format(tensor.getElementType());
  return withCompute(format, [&](auto zero) {
    decltype(zero) value;
    format.load(tensor.getData(), i, 1, &value);
    if (value != value)
      return std::string("nan");
    value += zero; // -0 becomes 0
    return std::string(reinterpret_cast<const char *>(&value), sizeof(value));
  });
}

static llvm::Error evaluateLookup(Call &call) {
  const Tensor &operand = call.tensor(0), &keys = call.tensor(1), &values = call.tensor(2), &other = call.tensor(3);
  if (keys.getNumElements() != values.getNumElements())
    return call.fail("expects as many values as keys");
  llvm::StringMap<int64_t> places;
  for (int64_t i = 0; i < keys.getNumElements(); ++i)
    places.try_emplace(keyAt(keys, i), i);
  llvm::Expected<Tensor> result = Tensor::create(call.resultElementType(), operand.getShape());
  if (!result)
    return push(call, std::move(result));
  Format format(values.holdsStrings() ? IntegerType::get(call.op->getContext(), 8) : values.getElementType());
  for (int64_t i = 0; i < operand.getNumElements(); ++i) {
    auto found = places.find(keyAt(operand, i));
    const Tensor &from = found == places.end() ? other : values;
    int64_t at = found == places.end() ? 0 : found->second;
    if (values.holdsStrings()) {
      result->getStrings()[i] = from.getStrings()[at];
      continue;
    }
    withCompute(format, [&](auto value) {
      format.load(from.getData(), at, 1, &value);
      format.store(result->getData(), i, 1, &value);
    });
  }
  return push(call, std::move(result));
}

void tenon::reference::registerStrings(Interpreter &interpreter) {
  interpreter.registerOp(tenon::StringConcatOp::getOperationName(), evaluateConcat);
  interpreter.registerOp(tenon::StringMatchOp::getOperationName(), evaluateMatch);
  interpreter.registerOp(tenon::StringNormalizeOp::getOperationName(), evaluateNormalize);
  interpreter.registerOp(tenon::StringSplitOp::getOperationName(), evaluateSplit);
  interpreter.registerOp(tenon::LookupOp::getOperationName(), evaluateLookup);
}
