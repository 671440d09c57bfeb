//===- LayoutPrices.h - What layouts of images cost ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_TRANSFORMS_LAYOUTPRICES_H
#define TENON_DIALECT_TENON_TRANSFORMS_LAYOUTPRICES_H

#include <cstdint>

namespace tenon {

/// What a target takes for the parts of ops that depend on the layout, in ns on one core; what counts is how they
/// compare. They come from the target's description (`#tenon_tile.layout_prices`).
struct LayoutPrices {
  double multiplyFirst; ///< per multiplication of a contraction whose columns are places
  double multiplyLast;  ///< whose columns are channels: constant weights lie in panels
  double gatherFirst;   ///< per element of a convolution's windows
  double partLast;      ///< per place, vector of columns and part of a window that lies together
  double tapFirst;      ///< per element that a depthwise convolution or a pooling window reads
  double tapLast;
  double plainTap; ///< per multiplication of a convolution without register tiles
  double toLast;   ///< per element of a transpose
  double toFirst;
  double turned;  ///< per element of a contraction's result whose sums are turned before they are written
  double copied;  ///< per element of a concatenation or slice that isn't contiguous
  double columns; ///< of a register tile: what is left over costs as much as a whole one
  /// Windows of an image with its border may be so many times those parts of them that are in it, before register tiles
  /// pass over the border: runs that end at the image's edges fill them less well.
  double border;

  /// What sizes that aren't known are taken for.
  static constexpr int64_t unknownSize = 64;

  bool operator==(const LayoutPrices &) const = default;
};

} // namespace tenon

#endif // TENON_DIALECT_TENON_TRANSFORMS_LAYOUTPRICES_H
