//===- Combination.h - How reductions combine elements ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_REFERENCE_COMBINATION_H
#define TENON_LIB_REFERENCE_COMBINATION_H

#include "Elements.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"

namespace tenon::reference {

/// How elements are combined in a compute type.
template <typename C> struct Combination {
  Combination(Combiner combiner, const Format &format) : combiner(combiner), format(format) {
    // On i1 the sum is or, the product and.
    if (format.isBool() && combiner == Combiner::sum)
      this->combiner = Combiner::max;
    if (format.isBool() && combiner == Combiner::prod)
      this->combiner = Combiner::min;
  }

  C initial() const {
    switch (combiner) {
    case Combiner::sum:
    case Combiner::mean:
      return C(0);
    case Combiner::prod:
      return C(1);
    case Combiner::min:
      return largest();
    case Combiner::max:
      return least();
    }
    return C(0);
  }

  void combine(C &sum, C value) const {
    using W = std::conditional_t<std::is_floating_point_v<C>, C, uint64_t>;
    switch (combiner) {
    case Combiner::sum:
    case Combiner::mean:
      sum = C(W(sum) + W(value));
      return;
    case Combiner::prod:
      sum = C(W(sum) * W(value));
      return;
    case Combiner::min:
      sum = smaller(sum, value);
      return;
    case Combiner::max:
      sum = larger(sum, value);
      return;
    }
  }

  C finish(C sum, int64_t count) const {
    if (combiner != Combiner::mean)
      return sum;
    if constexpr (std::is_floating_point_v<C>) {
      return sum / C(count);
    } else {
      // The sum wraps where the type ends.
      unsigned unused = 64 - format.bits;
      return count == 0 ? C(0) : C(C(uint64_t(sum) << unused) >> unused) / C(count);
    }
  }

  /// A row of contiguous elements.
  C combineRow(const C *row, int64_t length, C sum) const {
    if constexpr (std::is_floating_point_v<C>)
      if (combiner == Combiner::sum || combiner == Combiner::mean) {
        for (int64_t i = 0; i < length; ++i)
          sum += row[i];
        return sum;
      }
    for (int64_t i = 0; i < length; ++i)
      combine(sum, row[i]);
    return sum;
  }

private:
  C largest() const {
    if constexpr (std::is_floating_point_v<C>)
      return extreme(false);
    else
      return C(format.largest());
  }
  C least() const {
    if constexpr (std::is_floating_point_v<C>)
      return extreme(true);
    else
      return C(format.least());
  }
  double extreme(bool negative) const {
    if (format.hasInfinity())
      return negative ? -HUGE_VAL : HUGE_VAL;
    llvm::APFloat value = llvm::APFloat::getLargest(*format.semantics, negative);
    bool lost;
    value.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven, &lost);
    return value.convertToDouble();
  }

  Combiner combiner;
  const Format &format;
};

} // namespace tenon::reference

#endif // TENON_LIB_REFERENCE_COMBINATION_H
