//===- FormEvaluation.cpp - Constants in the forms that programs want them in ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FormEvaluation.h"

#include "tenon/Dialect/Tenon/IR/BlobFiles.h"
#include "tenon/Dialect/Tenon/IR/StorageFormat.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tile/Analysis/FormPieces.h"
#include "tenon/Reference/Interpreter.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tenon;
using InterpretedValue = tenon::reference::Value;
using tenon::reference::Tensor;

namespace {
/// Elements of a constant under other dimensions, with a filler where there are none.
class Movement {
public:
  explicit Movement(RankedTensorType type) : extents(type.getShape()) {
    for (auto [d, size] : llvm::enumerate(type.getShape()))
      dims.push_back({size, unsigned(d), 1});
    offsets.assign(extents.size(), 0);
  }

  /// What the op makes of it; false where that is no movement.
  bool apply(Operation *op) {
    return llvm::TypeSwitch<Operation *, bool>(op)
        .Case<ReshapeOp, TransposeOp, SliceOp, PadOp>([&](auto known) { return apply(known); })
        .Default(false);
  }

  /// Whether it gives its source.
  bool isUnchanged() const {
    for (auto [d, dim] : llvm::enumerate(dims))
      if (dim.source != d || dim.step != 1 || dim.size != extents[d] || offsets[d] != 0)
        return false;
    return dims.size() == extents.size();
  }

  llvm::Error write(ArrayRef<char> source, size_t elementBytes, ByteSink sink) const;

private:
  /// A dimension: `step` places of source dimension `source` apart.
  struct Dim {
    int64_t size;
    unsigned source;
    int64_t step;
  };

  bool apply(TransposeOp op) {
    SmallVector<Dim> before = dims;
    for (auto [dim, from] : llvm::zip(dims, op.getPermutation()))
      dim = before[from];
    return true;
  }

  /// Dimensions are split, or those run together that lie in rows; what nothing has changed yet has other rows at once.
  bool apply(ReshapeOp op) {
    ArrayRef<int64_t> shape = op.getType().getShape();
    if (!op.getType().hasStaticShape() || op.getType().getNumElements() == 0)
      return false;
    if (isUnchanged()) {
      *this = Movement(op.getType());
      return true;
    }
    // Both from the last dimension on: each new one takes part of an old one, or several whole ones.
    SmallVector<Dim> before, after;
    for (const Dim &dim : dims)
      if (dim.size != 1)
        before.push_back(dim);
    for (int64_t size : llvm::reverse(shape)) {
      if (size == 1) {
        after.push_back({1, 0, 0});
        continue;
      }
      if (before.empty())
        return false;
      Dim taken = before.pop_back_val();
      while (taken.size < size) {
        if (before.empty() || before.back().source != taken.source || before.back().step != taken.step * taken.size)
          return false;
        taken.size *= before.pop_back_val().size;
      }
      if (taken.size % size != 0)
        return false;
      if (taken.size != size)
        before.push_back({taken.size / size, taken.source, taken.step * size});
      after.push_back({size, taken.source, taken.step});
    }
    dims.assign(after.rbegin(), after.rend());
    return before.empty();
  }

  bool apply(SliceOp op) {
    for (auto [dim, offset, size, stride] :
         llvm::zip(dims, op.getStaticOffsets(), op.getStaticSizes(), op.getStaticStrides())) {
      if (ShapedType::isDynamic(offset) || ShapedType::isDynamic(size) || ShapedType::isDynamic(stride))
        return false;
      // A filler that was cut off could come back: `pad` looks at the source alone.
      offsets[dim.source] += dim.step * offset;
      dim.size = size;
      dim.step *= stride;
    }
    isCut = true;
    return true;
  }

  bool apply(PadOp op) {
    DenseElementsAttr value;
    if (op.getMode() != PadMode::constant || isCut || !matchPattern(op.getValue(), m_Constant(&value)))
      return false;
    if (filler && filler != value)
      return false;
    for (auto [dim, low, high] : llvm::zip(dims, op.getStaticLow(), op.getStaticHigh())) {
      if (ShapedType::isDynamic(low) || ShapedType::isDynamic(high) || low < 0 || high < 0)
        return false;
      if (low == 0 && high == 0)
        continue;
      // Beyond a part of a dimension is the next part.
      unsigned source = dim.source;
      if (llvm::count_if(dims, [&](const Dim &other) { return other.source == source && other.size != 1; }) > 1 ||
          dim.step != 1)
        return false;
      offsets[source] -= low;
      dim.size += low + high;
    }
    filler = value;
    return true;
  }

  SmallVector<int64_t> extents; ///< of the source
  SmallVector<int64_t> offsets; ///< places of the first element along dimensions of the source
  SmallVector<Dim> dims;
  DenseElementsAttr filler;
  bool isCut = false;
};

template <typename Element> void copyElements(char *to, const char *from, int64_t count, int64_t stride) {
  for (int64_t i = 0; i < count; ++i)
    std::memcpy(to + i * sizeof(Element), from + i * stride * int64_t(sizeof(Element)), sizeof(Element));
}

void copyElements(char *to, const char *from, int64_t count, int64_t stride, size_t bytes) {
  if (stride == 1)
    return void(std::memcpy(to, from, count * bytes));
  switch (bytes) {
  case 1:
    return copyElements<uint8_t>(to, from, count, stride);
  case 2:
    return copyElements<uint16_t>(to, from, count, stride);
  case 4:
    return copyElements<uint32_t>(to, from, count, stride);
  case 8:
    return copyElements<uint64_t>(to, from, count, stride);
  default:
    for (int64_t i = 0; i < count; ++i)
      std::memcpy(to + i * bytes, from + i * stride * int64_t(bytes), bytes);
  }
}
/// Rows of a few elements each, `rowStride` apart.
template <typename Element>
void copyRows(char *to, const char *from, int64_t rows, int64_t rowStride, int64_t count, int64_t stride) {
  for (int64_t row = 0; row < rows; ++row, to += count * sizeof(Element))
    copyElements<Element>(to, from + row * rowStride * int64_t(sizeof(Element)), count, stride);
}

void copyRows(char *to, const char *from, int64_t rows, int64_t rowStride, int64_t count, int64_t stride,
              size_t bytes) {
  switch (bytes) {
  case 1:
    return copyRows<uint8_t>(to, from, rows, rowStride, count, stride);
  case 2:
    return copyRows<uint16_t>(to, from, rows, rowStride, count, stride);
  case 4:
    return copyRows<uint32_t>(to, from, rows, rowStride, count, stride);
  default:
    for (int64_t row = 0; row < rows; ++row)
      copyElements(to + row * count * bytes, from + row * rowStride * int64_t(bytes), count, stride, bytes);
  }
}
} // namespace

llvm::Error Movement::write(ArrayRef<char> source, size_t elementBytes, ByteSink sink) const {
  std::vector<char> fillerStorage;
  llvm::Expected<ArrayRef<char>> outside =
      filler ? bytesOf(filler, fillerStorage) : llvm::Expected<ArrayRef<char>>(ArrayRef<char>());
  if (!outside)
    return outside.takeError();
  SmallVector<int64_t> strides(extents.size(), 1);
  for (int64_t d = int64_t(extents.size()) - 2; d >= 0; --d)
    strides[d] = strides[d + 1] * extents[d + 1];
  // Those that lie in rows of one source dimension are one.
  SmallVector<Dim> loops;
  for (const Dim &dim : dims) {
    if (dim.size == 0)
      return llvm::Error::success();
    if (dim.size == 1)
      continue;
    if (!loops.empty() && loops.back().source == dim.source && loops.back().step == dim.step * dim.size)
      loops.back() = {loops.back().size * dim.size, dim.source, dim.step};
    else
      loops.push_back(dim);
  }
  if (loops.empty())
    loops.push_back({1, 0, 0});
  Dim inner = loops.pop_back_val();
  int64_t rows = 1;
  for (const Dim &dim : loops)
    rows *= dim.size;

  // Rows are made in a buffer that is handed on when it is full; long ones in parts.
  constexpr int64_t bufferBytes = 1 << 20;
  int64_t most = std::max<int64_t>(bufferBytes / elementBytes, 1);
  std::vector<char> buffer(std::min(most, rows * inner.size) * elementBytes);
  int64_t used = 0, room = buffer.size() / elementBytes;
  auto flush = [&] {
    bool isTaken = sink(ArrayRef<char>(buffer.data(), used * elementBytes));
    used = 0;
    return isTaken;
  };
  auto fill = [&](int64_t count) {
    for (; count > 0; --count)
      std::memcpy(buffer.data() + used++ * elementBytes, outside->data(), elementBytes);
  };
  SmallVector<int64_t> place(offsets), counters(loops.size(), 0);
  auto advance = [&](int64_t d) {
    for (; d >= 0; --d) {
      place[loops[d].source] += loops[d].step;
      if (++counters[d] < loops[d].size)
        break;
      place[loops[d].source] -= loops[d].step * loops[d].size;
      counters[d] = 0;
    }
  };
  // Of short rows, as runs of products are, all of a dimension are copied at once where they are there.
  constexpr int64_t fewElements = 16;
  Dim around = inner.size <= fewElements && !loops.empty() ? loops.back() : Dim{1, 0, 0};
  int64_t block = around.size * inner.size;
  auto isBlockInside = [&] {
    for (size_t d = 0; d < extents.size(); ++d) {
      int64_t least = place[d], most = place[d];
      for (const Dim &dim : {around, inner})
        if (dim.source == d)
          (dim.step < 0 ? least : most) += dim.step * (dim.size - 1);
      if (least < 0 || most >= extents[d])
        return false;
    }
    return true;
  };
  for (int64_t row = 0; row < rows; ++row) {
    if (around.size > 1 && counters.back() == 0 && block <= room && isBlockInside()) {
      if (used + block > room && !flush())
        return llvm::createStringError("the constants can't be written");
      int64_t start = 0;
      for (size_t d = 0; d < extents.size(); ++d)
        start += place[d] * strides[d];
      copyRows(buffer.data() + used * elementBytes, source.data() + start * int64_t(elementBytes), around.size,
               around.step * strides[around.source], inner.size, inner.step * strides[inner.source], elementBytes);
      used += block;
      if (used == room && !flush())
        return llvm::createStringError("the constants can't be written");
      row += around.size - 1;
      advance(int64_t(loops.size()) - 2);
      continue;
    }
    bool isInside = true;
    int64_t start = 0;
    for (size_t d = 0; d < extents.size(); ++d) {
      isInside &= d == inner.source || (place[d] >= 0 && place[d] < extents[d]);
      start += place[d] * strides[d];
    }
    // The elements [first, last) of the row are there.
    int64_t at = place[inner.source], size = extents[inner.source], first = 0, last = isInside ? inner.size : 0;
    if (inner.step > 0) {
      first = at < 0 ? llvm::divideCeil(-at, inner.step) : 0;
      last = std::min(last, at < size ? (size - 1 - at) / inner.step + 1 : 0);
    } else if (inner.step < 0) {
      first = at >= size ? llvm::divideCeil(at - size + 1, -inner.step) : 0;
      last = std::min(last, at >= 0 ? at / -inner.step + 1 : 0);
    } else if (at < 0 || at >= size) {
      last = 0;
    }
    first = std::min(first, last);
    for (int64_t done = 0; done < inner.size;) {
      int64_t end = std::min(inner.size, done + room - used);
      fill(std::min(first, end) - done);
      int64_t from = std::clamp(done, first, last), to = std::clamp(end, first, last);
      if (from < to) {
        copyElements(buffer.data() + used * elementBytes,
                     source.data() + (start + from * inner.step * strides[inner.source]) * int64_t(elementBytes),
                     to - from, inner.step * strides[inner.source], elementBytes);
        used += to - from;
      }
      fill(end - std::max(done, last));
      done = end;
      if (used == room && !flush())
        return llvm::createStringError("the constants can't be written");
    }
    advance(int64_t(loops.size()) - 1);
  }
  return used == 0 || flush() ? llvm::Error::success() : llvm::createStringError("the constants can't be written");
}

/// The movement that a form is, of its one argument.
static std::optional<Movement> movementOf(tile::FormOp form) {
  Block &body = form.getBody().front();
  auto type = cast<RankedTensorType>(form.getArgumentTypes().front());
  if (body.getNumArguments() != 1 || StorageFormat(type.getElementType()).sharesBytes() || type.getRank() == 0 ||
      type.getNumElements() == 0)
    return std::nullopt;
  Movement movement(type);
  Value known = body.getArgument(0);
  for (Operation &op : body.without_terminator()) {
    if (isa<ConstantOp>(op))
      continue;
    if (op.getOperand(0) != known || !movement.apply(&op))
      return std::nullopt;
    known = op.getResult(0);
  }
  return body.getTerminator()->getOperand(0) == known ? std::optional(movement) : std::nullopt;
}

/// Computes a form of the elements that its arguments have.
static llvm::Error writeComputed(tile::FormOp form, ArrayRef<ArrayRef<char>> operands, ByteSink sink) {
  std::vector<InterpretedValue> values;
  for (auto [type, bytes] : llvm::zip(form.getArgumentTypes(), operands)) {
    auto tensor = cast<RankedTensorType>(type);
    llvm::Expected<Tensor> borrowed = Tensor::borrow(tensor.getElementType(), tensor.getShape(), bytes);
    if (!borrowed)
      return borrowed.takeError();
    values.push_back(*borrowed);
  }
  llvm::Expected<std::vector<InterpretedValue>> made = reference::Interpreter().runBody(form.getBody(), values);
  if (!made)
    return made.takeError();
  const Tensor &result = std::get<Tensor>(made->front());
  return writePieces(ArrayRef<char>(result.getData(), result.getNumBytes()), sink);
}

/// Computes a form in pieces that end where bytes do, or as a whole where it has none: the interpreter holds each
/// element that it computes in 64 bits.
static llvm::Error writeInPieces(tile::FormOp form, ArrayRef<ArrayRef<char>> operands, ByteSink sink) {
  constexpr int64_t mostElements = 1 << 18;
  auto made = cast<RankedTensorType>(form.getResultTypes().front());
  int64_t places = made.getRank() == 0 ? 1 : made.getDimSize(0), step = tile::placesFor(form, mostElements);
  StorageFormat stored(made.getElementType());
  uint64_t bits = stored.getBits() * uint64_t(places == 0 ? 0 : made.getNumElements() / places);
  if (step >= places || bits % 8 != 0)
    return writeComputed(form, operands, sink);
  SmallVector<tile::FormPiece> pieces;
  for (int64_t begin = 0; begin < places; begin += step) {
    std::optional<tile::FormPiece> piece = tile::pieceOf(form, begin, std::min(begin + step, places));
    if (!piece)
      return writeComputed(form, operands, sink);
    pieces.push_back(std::move(*piece));
  }
  for (tile::FormPiece &piece : pieces) {
    SmallVector<ArrayRef<char>> parts;
    for (auto [type, bytes, part] : llvm::zip(form.getArgumentTypes(), operands, piece.arguments)) {
      StorageFormat format(getElementTypeOrSelf(type));
      parts.push_back(bytes.slice(part.first * format.getBits() / 8, format.bytesFor(part.count)));
    }
    if (llvm::Error error = writeComputed(*piece.form, parts, sink))
      return error;
  }
  return llvm::Error::success();
}

llvm::Error tenon::writeFormed(tile::FormOp form, ArrayRef<TypedAttr> constants, ByteSink sink) {
  SmallVector<ArrayRef<char>> operands;
  std::vector<std::vector<char>> storages(constants.size());
  for (auto [constant, storage] : llvm::zip(constants, storages)) {
    llvm::Expected<ArrayRef<char>> bytes = bytesOf(constant, storage);
    if (!bytes)
      return bytes.takeError();
    operands.push_back(*bytes);
  }
  auto write = [&]() -> llvm::Error {
    auto first = cast<RankedTensorType>(form.getArgumentTypes().front());
    if (std::optional<Movement> movement = movementOf(form))
      return movement->isUnchanged()
                 ? writeConstant(constants.front(), sink)
                 : movement->write(operands.front(), StorageFormat(first.getElementType()).getBytes(), sink);
    return writeInPieces(form, operands, sink);
  };
  llvm::Error error = write();
  for (TypedAttr constant : constants)
    if (auto blob = dyn_cast<tenon::BlobAttr>(constant))
      releasePages(blob);
  return error;
}
