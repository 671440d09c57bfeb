//===- FormPieces.cpp - Parts of what a form makes ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tile/Analysis/FormPieces.h"

#include "tenon/Dialect/Tenon/IR/StorageFormat.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::tile;

namespace {
RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// The places [begin, end) of dimension `dim`.
struct Places {
  int64_t dim, begin, end;
  int64_t size() const { return end - begin; }
  bool operator==(const Places &) const = default;
  RankedTensorType of(RankedTensorType type) const {
    SmallVector<int64_t> shape(type.getShape());
    shape[dim] = size();
    return type.clone(shape);
  }
};
/// Nothing is all of a tensor.
using Asked = std::optional<Places>;

/// Narrows the ops of a form from the last to the first, to what is asked of each: one part of a dimension by all of
/// its users.
class Narrowing {
public:
  explicit Narrowing(FormOp form) : form(form), block(form.getBody().front()) {}

  bool run(const Places &places) {
    Operation *yield = block.getTerminator();
    if (!ask(yield->getOperand(0), places))
      return false;
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block.without_terminator())))
      if (!visit(op))
        return false;
    return true;
  }

  /// What is asked of an argument; afterwards its type has those elements only, where they lie together.
  FormPiece::Elements narrow(BlockArgument argument) {
    RankedTensorType type = typeOf(argument);
    int64_t all = type.getNumElements();
    auto found = asked.find(argument);
    if (found == asked.end() || !found->second)
      return {0, all};
    const Places &places = *found->second;
    ArrayRef<int64_t> shape = type.getShape();
    int64_t around = llvm::product_of(shape.take_front(places.dim)),
            inner = llvm::product_of(shape.drop_front(places.dim + 1));
    unsigned bits = StorageFormat(type.getElementType()).getBits();
    if (around == 1 && places.begin * inner * bits % 8 == 0) {
      argument.setType(places.of(type));
      return {places.begin * inner, places.size() * inner};
    }
    OpBuilder builder = OpBuilder::atBlockBegin(&block);
    slice(builder, argument, places);
    return {0, all};
  }

private:
  /// All users take a part of a value that is there as a whole.
  void slice(OpBuilder &builder, Value value, const Places &places) {
    RankedTensorType type = typeOf(value), part = places.of(type);
    SmallVector<int64_t> offsets(type.getRank(), 0), strides(type.getRank(), 1);
    offsets[places.dim] = places.begin;
    auto slice = SliceOp::create(builder, form.getLoc(), part, value, ValueRange(), ValueRange(), ValueRange(), offsets,
                                 part.getShape(), strides);
    value.replaceAllUsesExcept(slice, slice);
  }

  bool ask(Value value, const Asked &places) {
    auto [it, isNew] = asked.try_emplace(value, places);
    return isNew || it->second == places;
  }

  bool visit(Operation &op) {
    if (op.use_empty()) {
      op.erase();
      return true;
    }
    if (op.getNumResults() != 1)
      return false;
    Value result = op.getResult(0);
    Asked places = asked.lookup(result);
    if (!places)
      return llvm::all_of(op.getOperands(), [&](Value operand) { return ask(operand, std::nullopt); });
    if (isa<ConstantOp>(op)) {
      OpBuilder builder(op.getContext());
      builder.setInsertionPointAfter(&op);
      slice(builder, result, *places);
      return true;
    }
    bool isNarrowed = llvm::TypeSwitch<Operation *, bool>(&op)
                          .Case<BroadcastOp, ReshapeOp, PadOp>([&](auto known) { return narrow(known, *places); })
                          .Default([&](Operation *) { return narrow(op, *places); });
    if (isNarrowed)
      result.setType(places->of(typeOf(result)));
    return isNarrowed;
  }

  /// What an op makes at a place follows from that place of its operands, wherever it is.
  bool narrow(Operation &op, const Places &places) {
    auto maps = dyn_cast<IndexingMapsInterface>(op);
    if (!maps || !(op.hasTrait<OpTrait::Elementwise>() || isa<TransposeOp, ReduceOp>(op)))
      return false;
    AffineExpr loop = maps.getResultMaps()[0].getResult(places.dim);
    return llvm::all_of(llvm::zip(op.getOperands(), maps.getOperandMaps()), [&](auto pair) {
      auto [operand, map] = pair;
      std::optional<unsigned> dim = map.getResultPosition(loop);
      return ask(operand, dim ? Asked({*dim, places.begin, places.end}) : std::nullopt);
    });
  }

  bool narrow(BroadcastOp op, const Places &places) {
    SmallVector<int64_t> sizes(op.getStaticSizes());
    sizes[places.dim] = places.size();
    op.setStaticSizes(sizes);
    const auto *along = llvm::find(op.getDims(), places.dim);
    int64_t dim = along - op.getDims().begin();
    bool varies = along != op.getDims().end() && typeOf(op.getOperand()).getDimSize(dim) != 1;
    return ask(op.getOperand(), varies ? Asked({dim, places.begin, places.end}) : std::nullopt);
  }

  /// Places of a dimension are whole places of one that holds as many elements before it.
  bool narrow(ReshapeOp op, const Places &places) {
    ArrayRef<int64_t> from = typeOf(op.getOperand()).getShape(), to = op.getType().getShape();
    int64_t around = llvm::product_of(to.take_front(places.dim)),
            inner = llvm::product_of(to.drop_front(places.dim + 1));
    int64_t dim = 0;
    for (int64_t before = 1; dim < int64_t(from.size()) && (before < around || from[dim] == 1); ++dim)
      before *= from[dim];
    if (dim == int64_t(from.size()) || llvm::product_of(from.take_front(dim)) != around)
      return false;
    int64_t each = llvm::product_of(from.drop_front(dim + 1));
    if (each == 0 || places.begin * inner % each != 0 || places.end * inner % each != 0)
      return false;
    SmallVector<int64_t> sizes(to);
    sizes[places.dim] = places.size();
    op.setStaticSizes(sizes);
    return ask(op.getOperand(), Places{dim, places.begin * inner / each, places.end * inner / each});
  }

  bool narrow(PadOp op, const Places &places) {
    SmallVector<int64_t> low(op.getStaticLow()), high(op.getStaticHigh());
    int64_t size = typeOf(op.getOperand()).getDimSize(places.dim), &before = low[places.dim];
    if (before == 0 && high[places.dim] == 0)
      return ask(op.getOperand(), places) && ask(op.getValue(), std::nullopt);
    if (op.getMode() != PadMode::constant || before < 0 || high[places.dim] < 0)
      return false;
    int64_t begin = std::clamp<int64_t>(places.begin - before, 0, size),
            end = std::clamp<int64_t>(places.end - before, 0, size);
    before = std::clamp<int64_t>(before - places.begin, 0, places.size());
    high[places.dim] = places.size() - before - (end - begin);
    op.setStaticLow(low);
    op.setStaticHigh(high);
    return ask(op.getOperand(), Places{places.dim, begin, end}) && ask(op.getValue(), std::nullopt);
  }

  FormOp form;
  Block &block;
  DenseMap<Value, Asked> asked;
};
} // namespace

std::optional<FormPiece> tile::pieceOf(FormOp form, int64_t begin, int64_t end) {
  auto made = cast<RankedTensorType>(form.getResultTypes().front());
  if (form.getResultTypes().size() != 1 || made.getRank() == 0)
    return std::nullopt;
  FormPiece piece;
  piece.form = form.clone();
  Narrowing narrowing(*piece.form);
  if (!narrowing.run({0, begin, end}))
    return std::nullopt;
  Block &block = piece.form->getBody().front();
  for (BlockArgument argument : block.getArguments())
    piece.arguments.push_back(narrowing.narrow(argument));
  piece.form->setFunctionType(
      FunctionType::get(form.getContext(), block.getArgumentTypes(), block.getTerminator()->getOperandTypes()));
  return piece;
}

int64_t tile::placesFor(FormOp form, int64_t elements) {
  auto made = cast<RankedTensorType>(form.getResultTypes().front());
  int64_t most = 1, places = made.getRank() == 0 ? 1 : made.getDimSize(0);
  for (Operation &op : form.getBody().front().without_terminator())
    for (Value result : op.getResults())
      most = std::max(most, typeOf(result).getNumElements());
  return std::clamp<int64_t>(places * std::min<double>(1, double(elements) / most), 1, std::max<int64_t>(places, 1));
}
