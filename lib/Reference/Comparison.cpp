//===- Comparison.cpp - Whether two results agree ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Reference/Comparison.h"

#include "Elements.h"
#include "llvm/Support/Format.h"

using namespace tenon::reference;

static bool agree(double actual, double expected, double tolerance) {
  if (std::isnan(actual) || std::isnan(expected))
    return std::isnan(actual) && std::isnan(expected);
  if (actual == expected)
    return tolerance > 0 || std::signbit(actual) == std::signbit(expected);
  return std::isfinite(actual) && std::isfinite(expected) &&
         std::fabs(actual - expected) <= tolerance * std::max(1.0, std::fabs(expected));
}

static std::string place(const Tensor &tensor, int64_t position) {
  llvm::SmallVector<int64_t> at;
  for (auto [size, stride] : llvm::zip(tensor.getShape(), rowMajorStrides(tensor.getShape())))
    at.push_back(position / stride % size);
  return describeShape(at);
}

static std::string print(double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.9g", value);
  return text;
}

static std::optional<std::string> differenceOfTensors(const Tensor &actual, const Tensor &expected, double tolerance) {
  if (actual.getElementType() != expected.getElementType() || actual.getShape() != expected.getShape())
    return "has " + actual.describe() + ", expected " + expected.describe();
  auto describePair = [&](int64_t position, const std::string &a, const std::string &b) {
    return "has " + a + " at " + place(actual, position) + ", expected " + b;
  };
  if (actual.holdsStrings()) {
    for (int64_t i = 0; i < actual.getNumElements(); ++i)
      if (actual.getStrings()[i] != expected.getStrings()[i])
        return describePair(i, "'" + actual.getStrings()[i] + "'", "'" + expected.getStrings()[i] + "'");
    return std::nullopt;
  }
  Format format(actual.getElementType());
  std::optional<std::string> difference;
  withCompute(format, [&](auto zero) {
    using C = decltype(zero);
    std::vector<C> a = loadAll<C>(actual), b = loadAll<C>(expected);
    int64_t count = 0, first = -1;
    double worst = 0;
    for (size_t i = 0; i < a.size(); ++i) {
      bool same = a[i] == b[i];
      if constexpr (std::is_floating_point_v<C>)
        same = agree(a[i], b[i], tolerance);
      if (same)
        continue;
      first = count++ == 0 ? i : first;
      worst = std::max(worst, std::fabs(double(a[i]) - double(b[i])));
    }
    if (count == 0)
      return;
    if constexpr (std::is_floating_point_v<C>)
      difference = describePair(first, print(a[first]), print(b[first]));
    else
      difference = describePair(first, std::to_string(a[first]), std::to_string(b[first]));
    *difference += " (" + std::to_string(count) + " of " + std::to_string(a.size()) + " elements differ, by at most " +
                   print(worst) + ")";
  });
  return difference;
}

std::optional<std::string> tenon::reference::findDifference(const Value &actual, const Value &expected,
                                                            double tolerance) {
  if (actual.index() != expected.index())
    return "has another kind of value than expected";
  if (const Tensor *tensor = std::get_if<Tensor>(&actual))
    return differenceOfTensors(*tensor, std::get<Tensor>(expected), tolerance);
  if (const int64_t *index = std::get_if<int64_t>(&actual)) {
    int64_t other = std::get<int64_t>(expected);
    return *index == other ? std::nullopt
                           : std::optional("has " + std::to_string(*index) + ", expected " + std::to_string(other));
  }
  auto valuesOf = [](const Value &value) -> const std::vector<Value> & {
    const auto *sequence = std::get_if<std::shared_ptr<Sequence>>(&value);
    return sequence ? (*sequence)->values : std::get<std::shared_ptr<Optional>>(value)->value;
  };
  const std::vector<Value> &a = valuesOf(actual), &b = valuesOf(expected);
  if (a.size() != b.size())
    return "has " + std::to_string(a.size()) + " values, expected " + std::to_string(b.size());
  for (size_t i = 0; i < a.size(); ++i)
    if (auto difference = findDifference(a[i], b[i], tolerance))
      return "value " + std::to_string(i) + " " + *difference;
  return std::nullopt;
}
