//===- Contraction.cpp - Sums of products in the reference interpreter ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Elements.h"
#include "RawElements.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"

using namespace mlir;
using namespace tenon::reference;

//===----------------------------------------------------------------------===//
// Matrix product in f64 or modulo 2^64
//===----------------------------------------------------------------------===//

static constexpr int64_t columns = 16, rows = 4, depth = 256;

/// A block of up to 4 rows and 16 columns: `c[i][j] += sum over k of a[i][k] * b[k][j]`, b a panel of 16
/// columns. Products and sums round separately, so that the result doesn't depend on the machine.
template <typename C>
[[gnu::always_inline]] static inline void multiplyBlock(const C *a, int64_t strideA, const C *b, C *c, int64_t strideC,
                                                        int64_t k, int64_t m, int64_t n) {
#pragma clang fp contract(off)
  typedef C Vector __attribute__((vector_size(columns * sizeof(C) / 2), aligned(8)));
  if (m == rows) {
    Vector sums[rows][2] = {};
    for (int64_t p = 0; p < k; ++p) {
      Vector b0 = *reinterpret_cast<const Vector *>(b + p * columns);
      Vector b1 = *reinterpret_cast<const Vector *>(b + p * columns + columns / 2);
      for (int64_t i = 0; i < rows; ++i) {
        C scale = a[i * strideA + p];
        sums[i][0] += b0 * scale;
        sums[i][1] += b1 * scale;
      }
    }
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < n; ++j)
        c[i * strideC + j] += sums[i][j / (columns / 2)][j % (columns / 2)];
    return;
  }
  for (int64_t i = 0; i < m; ++i) {
    Vector sums[2] = {};
    for (int64_t p = 0; p < k; ++p) {
      C scale = a[i * strideA + p];
      sums[0] += *reinterpret_cast<const Vector *>(b + p * columns) * scale;
      sums[1] += *reinterpret_cast<const Vector *>(b + p * columns + columns / 2) * scale;
    }
    for (int64_t j = 0; j < n; ++j)
      c[i * strideC + j] += sums[j / (columns / 2)][j % (columns / 2)];
  }
}

template <typename C>
[[gnu::always_inline]] static inline void multiplyLoops(int64_t m, int64_t n, int64_t k, const C *a, const C *b, C *c,
                                                        C *panel) {
  for (int64_t p = 0; p < k; p += depth) {
    int64_t length = std::min(depth, k - p);
    for (int64_t j = 0; j < n; j += columns) {
      int64_t width = std::min(columns, n - j);
      for (int64_t q = 0; q < length; ++q)
        for (int64_t l = 0; l < columns; ++l)
          panel[q * columns + l] = l < width ? b[(p + q) * n + j + l] : C(0);
      for (int64_t i = 0; i < m; i += rows)
        multiplyBlock(a + i * k + p, k, panel, c + i * n + j, n, length, std::min(rows, m - i), width);
    }
  }
}

__attribute__((target_clones("avx512f", "avx2", "default"))) static void
multiplyFor(int64_t m, int64_t n, int64_t k, const double *a, const double *b, double *c, double *panel) {
  multiplyLoops(m, n, k, a, b, c, panel);
}
static void multiplyFor(int64_t m, int64_t n, int64_t k, const uint64_t *a, const uint64_t *b, uint64_t *c,
                        uint64_t *panel) {
  multiplyLoops(m, n, k, a, b, c, panel);
}

/// `c[m][n] += a[m][k] * b[k][n]`.
template <typename C> static void multiply(int64_t m, int64_t n, int64_t k, const C *a, const C *b, C *c) {
  std::vector<C> panel(depth * columns);
  multiplyFor(m, n, k, a, b, c, panel.data());
}

/// Runs `f` in f64 if any of the types is floating point, else modulo 2^64.
template <typename F> static auto withProducts(ArrayRef<Type> types, F f) {
  return llvm::any_of(types, [](Type type) { return isa<FloatType>(type); }) ? f(double()) : f(uint64_t());
}

static llvm::Error checkTypes(Call &call) {
  for (Type type : {call.tensor(0).getElementType(), call.tensor(1).getElementType(), call.resultElementType()})
    if (!Format(type).valid)
      return call.fail("is not defined on elements of this type");
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Contract
//===----------------------------------------------------------------------===//

namespace {
/// Loop dimensions of one operand or result.
struct Axes {
  explicit Axes(AffineMap map) {
    for (AffineExpr expression : map.getResults())
      dims.push_back(cast<AffineDimExpr>(expression).getPosition());
  }
  bool has(unsigned dim) const { return llvm::is_contained(dims, dim); }
  SmallVector<unsigned> dims;
};
} // namespace

/// The elements of a tensor with its axes in another order; axes that are not in the order are summed.
template <typename C> static std::vector<C> permuted(const Tensor &tensor, const Axes &axes, ArrayRef<unsigned> order) {
  std::vector<C> elements = loadAll<C>(tensor);
  SmallVector<int64_t> strides = rowMajorStrides(tensor.getShape()), sizes, orderedStrides, summedSizes, summedStrides;
  for (unsigned dim : order) {
    unsigned position = llvm::find(axes.dims, dim) - axes.dims.begin();
    sizes.push_back(tensor.getDimSize(position));
    orderedStrides.push_back(strides[position]);
  }
  for (auto [position, dim] : llvm::enumerate(axes.dims))
    if (!llvm::is_contained(order, dim)) {
      summedSizes.push_back(tensor.getDimSize(position));
      summedStrides.push_back(strides[position]);
    }
  if (summedSizes.empty() && ArrayRef<unsigned>(axes.dims) == order)
    return elements;
  int64_t count = 1, summed = 1;
  for (int64_t size : sizes)
    count *= size;
  for (int64_t size : summedSizes)
    summed *= size;
  std::vector<C> result(count);
  if (tensor.getNumElements() == 0)
    return result;
  sizes.append(summedSizes);
  orderedStrides.append(summedStrides);
  std::vector<C> moved(count * summed);
  copyByTables(reinterpret_cast<const char *>(elements.data()), reinterpret_cast<char *>(moved.data()),
               stridedTables(sizes, orderedStrides), sizeof(C), nullptr);
  if (summed == 1)
    return moved;
  for (int64_t i = 0; i < count; ++i)
    for (int64_t j = 0; j < summed; ++j)
      result[i] += moved[i * summed + j];
  return result;
}

static llvm::Error evaluateContract(Call &call) {
  if (llvm::Error error = checkTypes(call))
    return error;
  auto op = cast<tenon::ContractOp>(call.op);
  const Tensor &lhs = call.tensor(0), &rhs = call.tensor(1);
  Axes lhsAxes(op.getOperandMaps()[0]), rhsAxes(op.getOperandMaps()[1]), resultAxes(op.getResultMaps()[0]);
  unsigned dims = op.getResultMaps()[0].getNumDims();
  SmallVector<int64_t> sizes(dims, -1);
  for (auto [tensor, axes] : {std::pair(&lhs, &lhsAxes), std::pair(&rhs, &rhsAxes)})
    for (auto [dim, size] : llvm::zip(axes->dims, tensor->getShape())) {
      if (sizes[dim] != -1 && sizes[dim] != size)
        return call.fail("expects one size of dimension d" + llvm::Twine(dim) + ", but has " + llvm::Twine(sizes[dim]) +
                         " and " + llvm::Twine(size));
      sizes[dim] = size;
    }
  SmallVector<unsigned> batch, m, n, k;
  int64_t batchSize = 1, mSize = 1, nSize = 1, kSize = 1;
  for (unsigned dim = 0; dim < dims; ++dim) {
    bool inLhs = lhsAxes.has(dim), inRhs = rhsAxes.has(dim), inResult = resultAxes.has(dim);
    auto add = [&](SmallVector<unsigned> &list, int64_t &size) {
      list.push_back(dim);
      size *= sizes[dim];
    };
    if (inLhs && inRhs)
      inResult ? add(batch, batchSize) : add(k, kSize);
    else if (inResult)
      inLhs ? add(m, mSize) : add(n, nSize);
  }
  auto join = [](ArrayRef<unsigned> a, ArrayRef<unsigned> b, ArrayRef<unsigned> c) {
    SmallVector<unsigned> all(a);
    all.append(b.begin(), b.end());
    all.append(c.begin(), c.end());
    return all;
  };
  SmallVector<int64_t> shape;
  for (unsigned dim : resultAxes.dims)
    shape.push_back(sizes[dim]);
  llvm::Expected<Tensor> result = Tensor::create(call.resultElementType(), shape);
  if (!result)
    return push(call, std::move(result));
  withProducts({lhs.getElementType(), rhs.getElementType(), result->getElementType()}, [&](auto zero) {
    using C = decltype(zero);
    std::vector<C> a = permuted<C>(lhs, lhsAxes, join(batch, m, k));
    std::vector<C> b = permuted<C>(rhs, rhsAxes, join(batch, k, n));
    std::vector<C> c(batchSize * mSize * nSize);
    for (int64_t i = 0; i < batchSize; ++i)
      multiply(mSize, nSize, kSize, a.data() + i * mSize * kSize, b.data() + i * kSize * nSize,
               c.data() + i * mSize * nSize);
    SmallVector<unsigned> order = join(batch, m, n);
    if (order != resultAxes.dims) {
      SmallVector<int64_t> orderSizes, strides;
      for (unsigned dim : order)
        orderSizes.push_back(sizes[dim]);
      SmallVector<int64_t> orderStrides = rowMajorStrides(orderSizes);
      for (unsigned dim : resultAxes.dims)
        strides.push_back(orderStrides[llvm::find(order, dim) - order.begin()]);
      std::vector<C> moved(c.size());
      copyByTables(reinterpret_cast<const char *>(c.data()), reinterpret_cast<char *>(moved.data()),
                   stridedTables(shape, strides), sizeof(C), nullptr);
      c = std::move(moved);
    }
    Format(result->getElementType()).store(result->getData(), 0, c.size(), c.data());
  });
  return push(call, std::move(result));
}

//===----------------------------------------------------------------------===//
// Conv
//===----------------------------------------------------------------------===//

static llvm::Error convChannelsFirst(Call &call) {
  if (llvm::Error error = checkTypes(call))
    return error;
  auto op = cast<tenon::ConvOp>(call.op);
  const Tensor &input = call.tensor(0), &filter = call.tensor(1);
  int64_t spatial = input.getRank() - 2, groups = op.getGroups(), channels = filter.getDimSize(1),
          filters = filter.getDimSize(0);
  if (input.getDimSize(1) != channels * groups || filters % groups != 0)
    return call.fail("expects input channels (" + llvm::Twine(input.getDimSize(1)) + ") to be groups (" +
                     llvm::Twine(groups) + ") x filter channels (" + llvm::Twine(channels) +
                     "), and groups to divide " + llvm::Twine(filters) + " filters");
  SmallVector<int64_t> shape = {input.getDimSize(0), filters};
  int64_t places = 1, taps = 1, inputPlaces = 1;
  for (int64_t i = 0; i < spatial; ++i) {
    int64_t extent = input.getDimSize(i + 2) + op.getPads()[i] + op.getPads()[i + spatial] -
                     op.getDilations()[i] * (filter.getDimSize(i + 2) - 1) - 1;
    shape.push_back(extent < 0 ? llvm::divideFloorSigned(extent, op.getStrides()[i]) + 1
                               : extent / op.getStrides()[i] + 1);
    if (shape.back() < 0)
      return call.fail("has a filter that is larger than the padded input in dimension " + llvm::Twine(i + 2));
    places *= shape.back();
    taps *= filter.getDimSize(i + 2);
    inputPlaces *= input.getDimSize(i + 2);
  }
  llvm::Expected<Tensor> result = Tensor::create(call.resultElementType(), shape);
  if (!result)
    return push(call, std::move(result));
  // Where each tap reads for each output place, per spatial dimension; negative is outside.
  SmallVector<int64_t> filterSizes(filter.getShape().drop_front(2)), outputSizes(ArrayRef(shape).drop_front(2));
  auto offsetsOf = [&](int64_t tap, int64_t firstPlace, int64_t count, std::vector<int64_t> &offsets) {
    SmallVector<int64_t> tapAt(spatial), placeAt(spatial);
    int64_t rest = firstPlace;
    for (int64_t i = spatial - 1; i >= 0; --i) {
      tapAt[i] = tap % filterSizes[i];
      tap /= filterSizes[i];
      placeAt[i] = rest % outputSizes[i];
      rest /= outputSizes[i];
    }
    for (int64_t p = 0; p < count; ++p) {
      int64_t offset = 0;
      for (int64_t i = 0; i < spatial; ++i) {
        int64_t at = placeAt[i] * op.getStrides()[i] + tapAt[i] * op.getDilations()[i] - op.getPads()[i];
        bool inside = at >= 0 && at < input.getDimSize(i + 2);
        offset = inside && offset >= 0 ? offset * input.getDimSize(i + 2) + at : -1;
      }
      offsets[p] = offset;
      for (int64_t i = spatial - 1; i >= 0 && ++placeAt[i] == outputSizes[i]; --i)
        placeAt[i] = 0;
    }
  };
  withProducts({input.getElementType(), filter.getElementType(), result->getElementType()}, [&](auto zero) {
    using C = decltype(zero);
    std::vector<C> x = loadAll<C>(input), w = loadAll<C>(filter);
    int64_t perGroup = filters / groups, reduced = channels * taps;
    int64_t block = std::max<int64_t>(columns, std::min<int64_t>(places, (1 << 21) / std::max<int64_t>(reduced, 1)));
    std::vector<C> gathered, sums;
    std::vector<int64_t> offsets(std::min(block, places));
    Format format(result->getElementType());
    for (int64_t image = 0; image < shape[0]; ++image)
      for (int64_t group = 0; group < groups; ++group)
        for (int64_t first = 0; first < places; first += block) {
          int64_t count = std::min(block, places - first);
          gathered.assign(reduced * count, C(0));
          sums.assign(perGroup * count, C(0));
          for (int64_t tap = 0; tap < taps; ++tap) {
            offsetsOf(tap, first, count, offsets);
            for (int64_t c = 0; c < channels; ++c) {
              const C *plane = x.data() + ((image * groups + group) * channels + c) * inputPlaces;
              C *row = gathered.data() + (c * taps + tap) * count;
              for (int64_t p = 0; p < count; ++p)
                if (offsets[p] >= 0)
                  row[p] = plane[offsets[p]];
            }
          }
          multiply(perGroup, count, reduced, w.data() + group * perGroup * reduced, gathered.data(), sums.data());
          for (int64_t m = 0; m < perGroup; ++m)
            format.store(result->getData(), ((image * groups + group) * perGroup + m) * places + first, count,
                         sums.data() + m * count);
        }
  });
  return push(call, std::move(result));
}

static llvm::Error evaluateConv(Call &call) {
  auto op = cast<tenon::ConvOp>(call.op);
  if (!op.getChannelsLast())
    return convChannelsFirst(call);
  int64_t rank = call.tensor(0).getRank();
  SmallVector<int64_t> image = channelsLastToFirst(rank), filter = {rank - 1, rank - 2};
  llvm::append_range(filter, llvm::seq<int64_t>(0, rank - 2));
  return evaluatePermuted(call, {image, filter}, image, convChannelsFirst);
}

void tenon::reference::registerContraction(Interpreter &interpreter) {
  interpreter.registerOp(tenon::ContractOp::getOperationName(), evaluateContract);
  interpreter.registerOp(tenon::ConvOp::getOperationName(), evaluateConv);
}
