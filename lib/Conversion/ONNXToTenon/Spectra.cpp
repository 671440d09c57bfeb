//===- Spectra.cpp - ONNX operators on frequencies ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Attention.h"
#include "Indexing.h"
#include "RuntimeAxes.h"
#include "Sampling.h"

#include <cmath>
#include <numbers>

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

namespace {
//===----------------------------------------------------------------------===//
// Transforms
//===----------------------------------------------------------------------===//

/// Up to this length a transform is one product with a matrix.
constexpr int64_t mostByMatrix = 512;
/// Up to this one, and where the length isn't known, numbers of f32 are multiplied in f64, so that what cancels is zero
/// to the last digit: short ones take no longer than reading and writing.
constexpr int64_t mostInDouble = 16;

/// Cosines, or sines, of 2 pi i k / n for places i and frequencies k, whose product is reduced modulo n before it is
/// rounded.
template <typename Op> Value waves(Node &node, AffineExpr places, AffineExpr frequencies, AffineExpr n) {
  Type i64 = node.builder.getI64Type(), f64 = node.builder.getF64Type();
  Sizes sizes = {places, frequencies};
  Value turns = node.binary<MulOp>(node.iota(sizes, 0, i64), node.iota(sizes, 1, i64));
  turns = node.cast(node.binary<ModOp>(turns, numberOf(node, n)), f64);
  Value angle = node.binary<DivOp>(node.binary<MulOp>(turns, 2 * std::numbers::pi), node.cast(numberOf(node, n), f64));
  return node.unary<Op>(angle);
}

/// `[places, parts, frequencies, 2]`: what each part of a complex number adds to those of each frequency, or that of a
/// real one.
Value matrixOf(Node &node, AffineExpr places, int64_t parts, AffineExpr frequencies, AffineExpr n, bool isInverse,
               Type element) {
  Value cosine = waves<CosOp>(node, places, frequencies, n), sine = waves<SinOp>(node, places, frequencies, n);
  Value negative = node.unary<NegOp>(sine);
  auto pair = [&](Value a, Value b) { return node.concat({node.unsqueeze(a, {2}), node.unsqueeze(b, {2})}, 2); };
  SmallVector<Value> rows = {node.unsqueeze(pair(cosine, isInverse ? sine : negative), {1})};
  if (parts == 2)
    rows.push_back(node.unsqueeze(pair(isInverse ? negative : sine, cosine), {1}));
  return node.cast(node.concat(rows, 1), element);
}

/// `[.., n, c]` times `[n, c, m, d]`, over the first two of them.
Value multiplied(Node &node, Value x, Value matrix) {
  Sizes from = node.sizesOf(x), to = node.sizesOf(matrix);
  Value rows = node.reshape(x, {from[0], node.product({from[1], from[2]})});
  Value y = node.contract(rows, node.reshape(matrix, {node.product({to[0], to[1]}), node.product({to[2], to[3]})}), 3,
                          {0, 1}, {1, 2}, {0, 2}, elementOf(x));
  return node.reshape(y, {from[0], to[2], to[3]});
}

/// The divisor of n nearest to its root that isn't trivial; 1 of primes.
int64_t factorOf(int64_t n) {
  for (int64_t factor = std::sqrt(double(n)); factor > 1; --factor)
    if (n % factor == 0)
      return factor;
  return 1;
}

/// The first `count` frequencies `[P, count, 2]` of the transform over dimension 1 of `[P, n, c]`, where c is 1 for
/// real numbers and 2 for the parts of complex ones. An inverse one has the other sign, and isn't divided by n.
Value transformed(Node &node, Value x, AffineExpr count, bool isInverse) {
  Sizes sizes = node.sizesOf(x);
  AffineExpr n = sizes[1];
  int64_t parts = typeOf(x).getDimSize(2);
  Type element = elementOf(x);
  int64_t known = SizeAnalysis::staticSize(n), factor = isStatic(n) && known > mostByMatrix ? factorOf(known) : 1;
  if (factor == 1)
    return multiplied(node, x, matrixOf(node, n, parts, count, n, isInverse, element));
  // Place i * s + j, frequency k + l * r with r * s = n: over i first, then, turned by j * k / n, over j.
  AffineExpr r = node.size(factor), s = node.size(known / factor), two = node.size(2);
  Value rows = node.reshape(node.transpose(node.reshape(x, {sizes[0], r, s, sizes[2]}), {0, 2, 1, 3}),
                            {node.product({sizes[0], s}), r, sizes[2]});
  Value y = node.reshape(transformed(node, rows, r, isInverse), {sizes[0], s, r, two});
  Sizes all = node.sizesOf(y), each = {sizes[0], s, r};
  auto part = [&](int64_t i) { return node.squeeze(node.slice(y, 3, node.size(i), node.size(1)), {3}); };
  Value real = part(0), imaginary = part(1);
  Value cosine = node.broadcast(node.cast(waves<CosOp>(node, s, r, n), element), {1, 2}, each);
  Value sine = waves<SinOp>(node, s, r, n);
  sine = node.broadcast(node.cast(isInverse ? sine : node.unary<NegOp>(sine), element), {1, 2}, each);
  Value turnedReal = node.binary<SubOp>(node.binary<MulOp>(real, cosine), node.binary<MulOp>(imaginary, sine));
  Value turnedImaginary = node.binary<AddOp>(node.binary<MulOp>(real, sine), node.binary<MulOp>(imaginary, cosine));
  y = node.concat({node.unsqueeze(turnedReal, {3}), node.unsqueeze(turnedImaginary, {3})}, 3);
  y = node.reshape(node.transpose(y, {0, 2, 1, 3}), {node.product({sizes[0], r}), s, two});
  y = node.reshape(transformed(node, y, s, isInverse), {sizes[0], r, s, two});
  y = node.reshape(node.transpose(y, {0, 2, 1, 3}), {sizes[0], n, two});
  return node.slice(y, 1, node.size(0), count);
}

/// The n real numbers `[P, n]` whose first frequencies are `[P, n / 2 + 1, 2]`: all of them but the first, and the last
/// of an even n, stand for two.
Value realFromHalf(Node &node, Value x, AffineExpr n) {
  Type i64 = node.builder.getI64Type(), f64 = node.builder.getF64Type();
  AffineExpr half = node.sizeOf(x, 1);
  Sizes matrix = {half, n};
  Value frequency = node.iota(matrix, 0, i64), length = node.broadcast(numberOf(node, n), {}, matrix);
  Value isSingle = node.binary<OrOp>(node.compare(Predicate::eq, frequency, 0.0),
                                     node.compare(Predicate::eq, node.binary<MulOp>(frequency, 2.0), length));
  Value weight = node.select(isSingle, node.scalar(1, f64), node.scalar(2, f64));
  weight = node.binary<DivOp>(weight, node.cast(length, f64));
  auto row = [&](Value waves) {
    return node.unsqueeze(node.cast(node.binary<MulOp>(waves, weight), elementOf(x)), {1, 3});
  };
  Value parts[] = {row(waves<CosOp>(node, half, n, n)), row(node.unary<NegOp>(waves<SinOp>(node, half, n, n)))};
  return node.squeeze(multiplied(node, x, node.concat(parts, 1)), {2});
}

AffineExpr halfOf(Node &node, AffineExpr n) { return node.sizes.simplify(n.floorDiv(2) + 1); }

/// Whether a size that a node states may be positive: an error where it isn't, when compiling or at run time.
bool isPositive(Node &node, AffineExpr size, StringRef what) {
  AffineExpr one = node.size(1);
  if (isStatic(size) && SizeAnalysis::staticSize(size) < 1)
    node.error() << "expects a positive " << what << ", but has " << SizeAnalysis::staticSize(size);
  else
    node.expectEqual(size, node.largest(size, one), ("expects a positive " + what).str());
  return !node.hasFailed();
}

/// One number of a scalar operand as a size; null after an error.
AffineExpr sizeFrom(Node &node, size_t operand, const Twine &expected) {
  Value stated = node.single(node[operand], expected);
  auto sizes = stated ? node.elements(stated) : std::nullopt;
  return sizes ? sizes->front() : AffineExpr();
}

//===----------------------------------------------------------------------===//
// DFT
//===----------------------------------------------------------------------===//

/// Numbers whose last dimension is 1, of real ones, or 2, the parts of complex ones; where that shows at run time, both
/// parts, of which the second may be zero.
Value partsOf(Node &node, Value x) {
  int64_t last = rankOf(x) - 1;
  AffineExpr parts = node.sizeOf(x, last), two = node.size(2);
  node.expectEqual(node.choose(parts, node.size(1), two, parts), two, "expects a last dimension of 1 or 2");
  Sizes low(last + 1, node.size(0)), high = low, both = node.sizesOf(x);
  high[last] = node.sizes.simplify(two - parts);
  both[last] = two;
  return node.reshape(node.pad(x, node.scalar(0, elementOf(x)), low, high), both);
}

Results dftOf(Node &node, Value x, int64_t axis) {
  bool isInverse = node.flag("inverse"), isHalf = node.flag("onesided");
  int64_t rank = rankOf(x);
  if (rank > 0 && !isStatic(node.sizeOf(x, rank - 1)))
    x = isInverse && isHalf ? node.withSize(x, rank - 1, node.size(2), "complex numbers, of which the inverse is real")
                            : partsOf(node, x);
  int64_t parts = rank > 0 ? typeOf(x).getShape().back() : 0;
  if (rank < 2 || !isa<FloatType>(elementOf(x)) || (parts != 1 && parts != 2))
    return node.error() << "expects floating-point numbers with a last dimension of 1 or 2, the parts of complex ones, "
                           "but has "
                        << typeOf(x);
  int64_t dim = node.dimension(axis, rank);
  if (!node.hasFailed() && dim == rank - 1)
    node.error() << "expects an axis other than the last, but has " << axis;
  if (node.hasFailed())
    return failure();
  if (isInverse && isHalf && parts == 1)
    return node.error() << "expects complex numbers, of which the inverse is real, but has " << typeOf(x);
  AffineExpr given = node.sizeOf(x, dim), n = given;
  if (node.has(1))
    n = sizeFrom(node, 1, "one length");
  else if (isInverse && isHalf)
    n = node.sizes.simplify((given - 1) * 2);
  if (!n || !isPositive(node, n, "dft_length"))
    return failure();
  // What is missing is zero.
  AffineExpr taken = isInverse && isHalf ? halfOf(node, n) : n;
  bool isShort = !isStatic(n) || SizeAnalysis::staticSize(n) <= mostInDouble;
  x = node.cast(x, isShort ? node.builder.getF64Type() : computedIn(node, elementOf(x)));
  if (taken != given) {
    Sizes low(rank, node.size(0)), high = low;
    high[dim] = node.sizes.simplify(taken - given);
    x = node.pad(x, node.scalar(0, elementOf(x)), low, high);
  }
  x = node.moveDim(x, dim, rank - 2);
  Sizes outer(ArrayRef(node.sizesOf(x)).drop_back(2));
  x = node.reshape(x, {node.product(outer), taken, node.size(parts)});
  Sizes sizes = outer;
  if (isInverse && isHalf) {
    x = realFromHalf(node, x, n);
    sizes.append({n, node.size(1)});
  } else {
    AffineExpr count = isHalf ? halfOf(node, n) : n;
    x = transformed(node, x, count, isInverse);
    if (isInverse)
      x = node.binary<DivOp>(x, node.cast(numberOf(node, n), elementOf(x)));
    sizes.append({count, node.size(2)});
  }
  x = node.moveDim(node.reshape(x, sizes), rank - 2, dim);
  return node.cast(x, elementOf(node[0]));
}

/// The axis is an attribute before version 20.
Results dftAttribute(Node &node) { return dftOf(node, node[0], node.integer("axis", 1)); }

/// Along an axis that is data: the middle of three dimensions, before that of the parts.
Results dftAlongData(Node &node, Value stated) {
  Value x = node[0];
  int64_t rank = rankOf(x);
  if (rank < 2)
    return node.error() << "expects an operand of rank 2 or more, but has " << typeOf(x);
  // From the end -1 is the dimension of the parts, which is not among those that it may be.
  Type i64 = node.builder.getI64Type();
  stated = node.cast(stated, i64);
  Value isNegative = node.compare(Predicate::lt, stated, 0.0);
  stated = node.select(isNegative, node.binary<AddOp>(stated, double(rank)), stated);
  auto axis = RuntimeAxes::read(node, stated, rank - 1);
  if (!axis)
    return failure();
  Sizes sizes = node.sizesOf(x);
  AffineExpr parts = sizes.pop_back_val();
  Value along = axis->around(x, sizes, 0, parts);
  Results result = dftOf(node, along, 1);
  if (result.isFailure)
    return result;
  Value y = result.values.front();
  sizes = axis->spread(node.sizeOf(y, 1), sizes);
  sizes.push_back(node.sizeOf(y, 3));
  return node.reshape(y, sizes);
}

Results dft(Node &node) {
  if (!node.has(2))
    return dftOf(node, node[0], -2);
  Value stated = node.single(node[2], "one axis");
  if (!stated)
    return failure();
  auto axis = node.constantIntegers(stated);
  return axis ? dftOf(node, node[0], axis->front()) : dftAlongData(node, stated);
}

//===----------------------------------------------------------------------===//
// Rfft and Irfft
//===----------------------------------------------------------------------===//

bool isPlainTransform(Node &node) {
  if (node.flag("normalized") || !node.flag("onesided", true))
    node.unsupported() << "a transform that is normalised or has both sides";
  else if (node.integer("signal_ndim", 1) != 1)
    node.unsupported() << "a transform over " << node.integer("signal_ndim", 1) << " dimensions";
  else if (!isa<FloatType>(elementOf(node[0])) || rankOf(node[0]) < 1)
    node.error() << "expects floating-point numbers of rank 1 or more, but has " << typeOf(node[0]);
  return !node.hasFailed();
}

/// Of n real numbers the n / 2 + 1 first complex ones, whose parts are a last dimension.
Results rfft(Node &node) {
  if (!isPlainTransform(node))
    return failure();
  Value x = node.cast(node[0], computedIn(node, elementOf(node[0])));
  Sizes sizes = node.sizesOf(x);
  AffineExpr n = sizes.pop_back_val(), half = halfOf(node, n);
  Value y = transformed(node, node.reshape(x, {node.product(sizes), n, node.size(1)}), half, /*isInverse=*/false);
  sizes.append({half, node.size(2)});
  return node.cast(node.reshape(y, sizes), elementOf(node[0]));
}

/// The inverse, of an even n.
Results irfft(Node &node) {
  if (!isPlainTransform(node))
    return failure();
  Value x = node.cast(node[0], computedIn(node, elementOf(node[0])));
  int64_t rank = rankOf(x);
  if (rank < 2 || typeOf(x).getShape().back() != 2)
    return node.error() << "expects a last dimension of 2, the parts of complex numbers, but has " << typeOf(x);
  Sizes sizes = node.sizesOf(x);
  AffineExpr half = sizes[rank - 2], n = node.sizes.simplify((half - 1) * 2);
  sizes.truncate(rank - 2);
  Value y = realFromHalf(node, node.reshape(x, {node.product(sizes), half, node.size(2)}), n);
  sizes.push_back(n);
  return node.cast(node.reshape(y, sizes), elementOf(node[0]));
}
//===----------------------------------------------------------------------===//
// STFT
//===----------------------------------------------------------------------===//

/// The transforms of frames that begin a step apart, each times a window.
Results stft(Node &node) {
  Value x = node[0], window = node[2];
  if (rankOf(x) == 2)
    x = node.unsqueeze(x, {2});
  bool isHalf = node.flag("onesided", true);
  if (rankOf(x) == 3 && !isStatic(node.sizeOf(x, 2)))
    x = isHalf ? node.withSize(x, 2, node.size(1), "a real signal where onesided is set") : partsOf(node, x);
  int64_t parts = rankOf(x) == 3 ? typeOf(x).getDimSize(2) : 0;
  if (!isa<FloatType>(elementOf(x)) || (parts != 1 && parts != 2))
    return node.error() << "expects signals [N, L, 1] or [N, L, 2] of floating-point numbers, but has "
                        << typeOf(node[0]);
  if (window && (rankOf(window) != 1 || elementOf(window) != elementOf(x)))
    return node.error() << "expects a vector of the signal's type as window, but has " << typeOf(window);
  if (isHalf && parts == 2)
    return node.error() << "expects a real signal where onesided is set, but has " << typeOf(x);
  AffineExpr step = sizeFrom(node, 1, "one frame_step");
  AffineExpr length = node.has(3)   ? sizeFrom(node, 3, "one frame_length")
                      : node.has(2) ? node.sizeOf(window, 0)
                                    : node.sizeOf(x, 1);
  if (!step || !length)
    return failure();
  if (window)
    node.expectEqual(node.sizeOf(window, 0), length, "the window of STFT isn't as long as a frame");
  if (!isPositive(node, step, "frame_step") || !isPositive(node, length, "frame_length"))
    return failure();
  Type wide = computedIn(node, elementOf(x));
  AffineExpr batch = node.sizeOf(x, 0), rest = node.sizes.simplify(node.sizeOf(x, 1) - length);
  AffineExpr frames = isStatic(step) ? node.sizes.simplify(rest.floorDiv(SizeAnalysis::staticSize(step)) + 1)
                                     : node.sizes.simplify(rest.floorDiv(step) + 1);
  AffineExpr count = isHalf ? halfOf(node, length) : length;
  x = node.cast(x, wide);
  Sizes result = {batch, frames, count, node.size(2)};
  Value y;
  if (isStatic(step) && isStatic(length) && SizeAnalysis::staticSize(length) <= mostByMatrix) {
    // A convolution: its filters are a window of waves each.
    Value waves = matrixOf(node, length, parts, count, length, /*isInverse=*/false, wide);
    if (window)
      waves = node.binary<MulOp>(waves, node.along(node.cast(window, wide), 0, waves));
    Value filter = node.reshape(node.transpose(waves, {2, 3, 1, 0}),
                                {node.product({count, node.size(2)}), node.size(parts), length});
    y = node.sized<ConvOp>(3, wide, node.transpose(x, {0, 2, 1}), filter,
                           ArrayRef<int64_t>{SizeAnalysis::staticSize(step)}, ArrayRef<int64_t>{1},
                           ArrayRef<int64_t>{0, 0}, 1);
    y = node.reshape(node.transpose(y, {0, 2, 1}), result);
  } else {
    Type i64 = node.builder.getI64Type();
    Sizes places = {frames, length};
    Value at = node.binary<MulOp>(node.iota(places, 0, i64), numberOf(node, step));
    Value cut = take(node, x, node.binary<AddOp>(at, node.iota(places, 1, i64)), 1);
    if (window)
      cut = node.binary<MulOp>(cut, node.along(node.cast(window, wide), 2, cut));
    cut = node.reshape(cut, {node.product({batch, frames}), length, node.size(parts)});
    y = node.reshape(transformed(node, cut, count, /*isInverse=*/false), result);
  }
  return node.hasFailed() ? Results(failure()) : Results(node.cast(y, elementOf(node[0])));
}

//===----------------------------------------------------------------------===//
// MelWeightMatrix
//===----------------------------------------------------------------------===//

/// Triangles over the frequencies of a transform, evenly spaced on the mel scale.
Results melWeightMatrix(Node &node) {
  Type f64 = node.builder.getF64Type();
  AffineExpr bands = sizeFrom(node, 0, "one num_mel_bins"), length = sizeFrom(node, 1, "one dft_length");
  SmallVector<Value> scalars;
  for (size_t i : {2, 3, 4}) {
    Value scalar = node.single(node[i], "one number");
    if (!scalar || !bands || !length)
      return failure();
    scalars.push_back(node.cast(scalar, f64));
  }
  Type element = elementTypeOf(node.integer("output_datatype", 1), node.builder.getContext());
  if (!element)
    return node.error() << "expects a known output_datatype, but has " << node.integer("output_datatype", 1);
  auto mel = [&](Value hertz) {
    return node.binary<MulOp>(node.unary<Log1pOp>(node.binary<DivOp>(hertz, 700.0)), 2595 / std::numbers::ln10);
  };
  // The rate divides.
  auto rate = node.elements(node.cast(node.compare(Predicate::gt, scalars[0], 0.0), node.builder.getI64Type()));
  if (!rate)
    return failure();
  node.expectEqual(rate->front(), node.size(1), "expects a positive sample_rate");
  Value low = mel(scalars[1]), high = mel(scalars[2]);
  AffineExpr edges = node.sizes.simplify(bands + 2);
  Value step = node.binary<DivOp>(node.binary<SubOp>(high, low), node.cast(numberOf(node, edges), f64));
  Value at = node.binary<AddOp>(node.binary<MulOp>(node.iota({edges}, 0, f64), step), low);
  Value hertz = node.binary<MulOp>(node.unary<Expm1Op>(node.binary<MulOp>(at, std::numbers::ln10 / 2595)), 700.0);
  Value places = node.cast(numberOf(node, node.sizes.simplify(length + 1)), f64);
  Value edge = node.unary<FloorOp>(node.binary<DivOp>(node.binary<MulOp>(hertz, places), scalars[0]));
  Sizes sizes = {halfOf(node, length), bands};
  auto edgesFrom = [&](int64_t i) { return node.broadcast(node.slice(edge, 0, node.size(i), bands), {1}, sizes); };
  Value lower = edgesFrom(0), centre = edgesFrom(1), upper = edgesFrom(2), place = node.iota(sizes, 0, f64);
  auto both = [&](Predicate a, Value low, Predicate b, Value high) {
    return node.binary<AndOp>(node.compare(a, place, low), node.compare(b, place, high));
  };
  Value zero = node.splat(0, place), one = node.splat(1, place);
  Value rise = node.binary<SubOp>(centre, lower), fall = node.binary<SubOp>(upper, centre);
  Value isPoint = node.compare(Predicate::eq, rise, 0.0);
  Value rising = node.select(isPoint, one, node.binary<DivOp>(node.binary<SubOp>(place, lower), rise));
  Value y = node.select(both(Predicate::ge, lower, Predicate::le, centre), rising, zero);
  Value falling = node.binary<DivOp>(node.binary<SubOp>(upper, place), fall);
  y = node.select(both(Predicate::ge, centre, Predicate::lt, upper), falling, y);
  return node.cast(y, element);
}
} // namespace

void onnx::addSpectraConverters(ConverterTable &table) {
  table.add("DFT", 17, 1, 2, dftAttribute);
  table.add("DFT", 20, 1, 3, dft);
  table.add("MelWeightMatrix", 17, 5, 5, melWeightMatrix);
  table.add("STFT", 17, 2, 4, stft);
  table.add("com.microsoft.Irfft", 1, 1, 1, irfft);
  table.add("com.microsoft.Rfft", 1, 1, 1, rfft);
}
