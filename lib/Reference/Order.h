//===- Order.h - Elements of a line in order ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_REFERENCE_ORDER_H
#define TENON_LIB_REFERENCE_ORDER_H

#include "llvm/ADT/STLExtras.h"

#include <numeric>
#include <vector>

namespace tenon::reference {

/// The positions of a line's elements, `stride` apart, largest first, or the smallest: of equal elements the first one
/// first. NaN is above all numbers.
template <typename C> void orderLine(const C *line, int64_t stride, bool smallest, std::vector<int64_t> &order) {
  auto below = [&](int64_t a, int64_t b) {
    C x = line[a * stride], y = line[b * stride];
    return x < y || (x == x && y != y);
  };
  std::iota(order.begin(), order.end(), 0);
  llvm::sort(order, [&](int64_t a, int64_t b) {
    bool first = smallest ? below(a, b) : below(b, a), second = smallest ? below(b, a) : below(a, b);
    return first || (!second && a < b);
  });
}

} // namespace tenon::reference

#endif // TENON_LIB_REFERENCE_ORDER_H
