//===- KnownDivisor.h - Division by a number that is known ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_COMMON_KNOWNDIVISOR_H
#define TENON_LIB_CODEGEN_COMMON_KNOWNDIVISOR_H

namespace tenon::codegen {

/// A divisor, normal and far from the limits of f32, and its inverse as the sum of two numbers.
struct KnownDivisor {
  explicit KnownDivisor(float divisor);

  /// Whether `fma(x, inverse, x * rest)` is the quotient as division rounds it, of each x whose quotient is far from
  /// the limits too.
  bool restDoes() const;

  float divisor, inverse, rest;
};

} // namespace tenon::codegen

#endif // TENON_LIB_CODEGEN_COMMON_KNOWNDIVISOR_H
