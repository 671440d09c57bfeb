//===- Comparison.h - Whether two results agree ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_REFERENCE_COMPARISON_H
#define TENON_REFERENCE_COMPARISON_H

#include "tenon/Reference/Tensor.h"
#include <optional>

namespace tenon::reference {

/// The first difference between two values, in words, or nothing if they agree. Sizes, integers, booleans and
/// strings must be equal. Floating point agrees where both are NaN, or both are equal with the same sign of
/// zero, or
/// `|actual - expected| <= tolerance * max(1, |expected|)`; with tolerance 0 it must be equal.
std::optional<std::string> findDifference(const Value &actual, const Value &expected, double tolerance);

} // namespace tenon::reference

#endif // TENON_REFERENCE_COMPARISON_H
