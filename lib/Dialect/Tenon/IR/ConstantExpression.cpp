//===- ConstantExpression.cpp - Arithmetic on elements of constants ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/ConstantExpression.h"
#include "tenon/Dialect/Tenon/IR/StorageFormat.h"

#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace tenon;

/// More ops would be more code than pays.
static constexpr size_t mostOps = 24;

using Digit = ConstantExpression::Digit;
using Digits = SmallVector<Digit, 1>;

int64_t ConstantExpression::Leaf::stepAlong(unsigned dim) const {
  int64_t step = 0;
  for (const auto &digits : dims)
    for (const Digit &digit : digits)
      if (digit.dim == dim)
        step = step == 0 ? digit.step : std::min(step, digit.step);
  return step;
}

int64_t ConstantExpression::getBytes() const {
  int64_t bits = 0;
  for (const Leaf &leaf : leaves)
    if (leaf.value)
      bits +=
          cast<RankedTensorType>(leaf.value.getType()).getNumElements() * StorageFormat(leaf.getElement()).getBits();
  return bits / 8;
}

//===----------------------------------------------------------------------===//
// From the tensor to its constants
//===----------------------------------------------------------------------===//

/// Goes up from the tensor and keeps which of its elements is read.
class ConstantExpression::Walk {
public:
  Walk(ConstantExpression &result, function_ref<bool(Value)> isConstant) : result(result), isConstant(isConstant) {}

  /// The node of a value whose dimensions run along those of the tensor as `dims` say.
  std::optional<unsigned> visit(Value value, SmallVector<Digits> dims, Operation *user) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    if (!type || !type.hasStaticShape() || !type.getElementType().isIntOrFloat() || result.nodes.size() > 4 * mostOps)
      return std::nullopt;
    DenseElementsAttr known;
    Operation *op = value.getDefiningOp();
    if (matchPattern(value, m_Constant(&known)) && known.isSplat() && !isConstant(value)) {
      keep(op);
      return add({{}, cast<TypedAttr>(known.getSplatValue<Attribute>()), {}});
    }
    if (isConstant(value)) {
      // Elements that share bytes are in no register.
      if (StorageFormat(type.getElementType()).sharesBytes() && !isa_and_present<CastOp>(user))
        return std::nullopt;
      Leaf leaf{value, {}, std::move(dims)};
      return isRegular(leaf) ? std::optional(add(std::move(leaf))) : std::nullopt;
    }
    if (!op || !isPure(op) || op->getNumResults() != 1 || result.ops.size() > mostOps)
      return std::nullopt;
    if (op->hasTrait<OpTrait::Elementwise>()) {
      Node node{op, 0, {}};
      for (Value operand : op->getOperands()) {
        if (cast<ShapedType>(operand.getType()).getShape() != type.getShape())
          return std::nullopt;
        std::optional<unsigned> number = visit(operand, dims, op);
        if (!number)
          return std::nullopt;
        node.operands.push_back(*number);
      }
      keep(op);
      result.nodes.push_back(std::move(node));
      return result.nodes.size() - 1;
    }
    std::optional<SmallVector<Digits>> before = moved(op, dims);
    if (!before)
      return std::nullopt;
    std::optional<unsigned> number = visit(op->getOperand(0), std::move(*before), user);
    if (number)
      keep(op);
    return number;
  }

  SmallVector<Digits> whole() {
    SmallVector<Digits> dims;
    for (auto [dim, size] : llvm::enumerate(result.type.getShape()))
      dims.push_back(size == 1 ? Digits() : Digits{{unsigned(dim), size, 1}});
    return dims;
  }

private:
  void keep(Operation *op) {
    if (!llvm::is_contained(result.ops, op))
      result.ops.push_back(op);
  }

  unsigned add(Leaf leaf) {
    result.leaves.push_back(std::move(leaf));
    result.nodes.push_back({nullptr, unsigned(result.leaves.size() - 1), {}});
    return result.nodes.size() - 1;
  }

  /// Where the elements of an op's operand are that moves them; nothing where that is not said by parts of dimensions.
  std::optional<SmallVector<Digits>> moved(Operation *op, ArrayRef<Digits> dims) {
    auto source =
        op->getNumOperands() == 1 ? dyn_cast<RankedTensorType>(op->getOperand(0).getType()) : RankedTensorType();
    if (!source || !source.hasStaticShape())
      return std::nullopt;
    SmallVector<Digits> before(source.getRank());
    if (auto transpose = dyn_cast<TransposeOp>(op)) {
      for (auto [dim, from] : llvm::zip(dims, transpose.getPermutation()))
        before[from] = dim;
      return before;
    }
    if (auto broadcast = dyn_cast<BroadcastOp>(op)) {
      for (auto [i, dim] : llvm::enumerate(broadcast.getDims()))
        if (source.getDimSize(i) != 1)
          before[i] = dims[dim];
      return before;
    }
    if (auto slice = dyn_cast<SliceOp>(op))
      return uncut(slice, dims, source);
    if (isa<ReshapeOp>(op))
      return regrouped(dims, cast<RankedTensorType>(op->getResult(0).getType()).getShape(), source.getShape());
    return std::nullopt;
  }

  /// Of a slice from the start on: a whole dimension of the tensor may have places behind its end.
  std::optional<SmallVector<Digits>> uncut(SliceOp slice, ArrayRef<Digits> dims, RankedTensorType source) {
    SmallVector<Digits> before(dims);
    for (auto [dim, offset, size, stride] :
         llvm::enumerate(slice.getStaticOffsets(), slice.getStaticSizes(), slice.getStaticStrides())) {
      int64_t all = source.getDimSize(dim);
      if (size == all && offset == 0 && stride == 1)
        continue;
      if (offset != 0 || stride != 1 || dims[dim].size() != 1 || dims[dim].front().step != 1 ||
          dims[dim].front().size != size || result.type.getDimSize(dims[dim].front().dim) != size)
        return std::nullopt;
      before[dim].front().size = all;
    }
    return before;
  }

  static std::optional<SmallVector<Digits>> regrouped(ArrayRef<Digits> dims, ArrayRef<int64_t> shape,
                                                      ArrayRef<int64_t> source) {
    SmallVector<Digit> left;
    for (auto [digits, size] : llvm::zip(dims, shape)) {
      int64_t all = 1;
      for (const Digit &digit : digits)
        all *= digit.size, left.push_back(digit);
      if (all != size)
        return std::nullopt;
    }
    SmallVector<Digits> before(source.size());
    for (int64_t dim = int64_t(source.size()) - 1; dim >= 0; --dim)
      for (int64_t missing = source[dim]; missing > 1;) {
        if (left.empty())
          return std::nullopt;
        Digit &last = left.back();
        int64_t size = std::gcd(last.size, missing);
        if (size != std::min(last.size, missing))
          return std::nullopt;
        before[dim].insert(before[dim].begin(), {last.dim, size, last.step});
        missing /= size;
        last = {last.dim, last.size / size, last.step * size};
        if (last.size == 1)
          left.pop_back();
      }
    return left.empty() ? std::optional(before) : std::nullopt;
  }

  /// Whether along each dimension of the tensor the leaf has an element for every place, or every block of equal size.
  bool isRegular(const Leaf &leaf) {
    for (auto [dim, size] : llvm::enumerate(result.type.getShape())) {
      SmallVector<Digit> digits;
      for (const auto &parts : leaf.dims)
        llvm::copy_if(parts, std::back_inserter(digits), [&](const Digit &digit) { return digit.dim == dim; });
      llvm::sort(digits, [](const Digit &a, const Digit &b) { return a.step > b.step; });
      for (auto [outer, inner] : llvm::zip(digits, ArrayRef(digits).drop_front(!digits.empty())))
        if (outer.step != inner.step * inner.size)
          return false;
      if (!digits.empty() && digits.front().step * digits.front().size < size)
        return false;
    }
    return true;
  }

  ConstantExpression &result;
  function_ref<bool(Value)> isConstant;
};

std::optional<ConstantExpression> ConstantExpression::of(Value root, function_ref<bool(Value)> isConstant) {
  ConstantExpression result;
  result.type = dyn_cast<RankedTensorType>(root.getType());
  if (!result.type || !result.type.hasStaticShape() || isConstant(root))
    return std::nullopt;
  Walk walk(result, isConstant);
  if (!walk.visit(root, walk.whole(), nullptr) || result.ops.empty() ||
      llvm::none_of(result.leaves, [](const Leaf &leaf) { return (bool)leaf.value; }))
    return std::nullopt;
  return result;
}

static bool isStored(Value value) {
  auto constant = value.getDefiningOp<ConstantOp>();
  return constant && !isa<SplatElementsAttr>(constant.getValue()) &&
         cast<ShapedType>(constant.getType()).getNumElements() != 1;
}

std::optional<ConstantExpression> ConstantExpression::of(Value root) { return of(root, isStored); }

//===----------------------------------------------------------------------===//
// Forms
//===----------------------------------------------------------------------===//

Value ConstantExpression::asMatrix(OpBuilder &builder, Value leaf, const Leaf &like, unsigned row, unsigned column) {
  Location loc = leaf.getLoc();
  Type element = getElementTypeOrSelf(leaf.getType());
  auto reshape = [&](ArrayRef<int64_t> shape) {
    if (cast<RankedTensorType>(leaf.getType()).getShape() != shape)
      leaf = ReshapeOp::create(builder, loc, RankedTensorType::get(shape, element), leaf, ValueRange(), shape);
  };
  SmallVector<Digit> digits;
  for (const auto &parts : like.dims)
    llvm::append_range(digits, parts);
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, digits.size())), sizes, moved;
  for (const Digit &digit : digits)
    sizes.push_back(digit.size);
  llvm::sort(order, [&](int64_t a, int64_t b) {
    bool isRow = digits[a].dim == row, isOtherRow = digits[b].dim == row;
    return isRow != isOtherRow ? isRow : digits[a].step > digits[b].step;
  });
  int64_t rows = 1, columns = 1;
  for (int64_t i : order) {
    moved.push_back(sizes[i]);
    (digits[i].dim == row ? rows : columns) *= sizes[i];
  }
  reshape(sizes);
  if (!llvm::is_sorted(order))
    leaf = TransposeOp::create(builder, loc, RankedTensorType::get(moved, element), leaf, order);
  reshape({rows, columns});
  return leaf;
}

//===----------------------------------------------------------------------===//
// Columns of contractions
//===----------------------------------------------------------------------===//

std::optional<ConstantExpression> tenon::constantColumns(ContractOp op, function_ref<bool(Value)> isConstant) {
  auto map = [&](unsigned i) { return cast<AffineMapAttr>(op.getIndexingMaps()[i]).getValue(); };
  AffineMap rows = map(0), columns = map(1), result = map(2);
  auto isReal = [](Value value) {
    Type element = getElementTypeOrSelf(value.getType());
    return element.isF32() || element.isF16() || element.isBF16();
  };
  // One dimension is the result's last, the other is summed.
  if (!isReal(op.getLhs()) || !isReal(op.getRhs()) || !isReal(op.getResult()) || columns.getNumResults() != 2 ||
      result.getNumResults() == 0)
    return std::nullopt;
  for (unsigned dim = 0; dim < result.getNumDims(); ++dim)
    if (!result.isFunctionOfDim(dim) && !columns.isFunctionOfDim(dim))
      return std::nullopt;
  AffineExpr last = result.getResults().back();
  for (AffineExpr dim : columns.getResults())
    if (dim != last && (llvm::is_contained(result.getResults(), dim) || !llvm::is_contained(rows.getResults(), dim)))
      return std::nullopt;
  if (!llvm::is_contained(columns.getResults(), last) || llvm::is_contained(rows.getResults(), last) ||
      columns.getResult(0) == columns.getResult(1))
    return std::nullopt;
  std::optional<ConstantExpression> expression = ConstantExpression::of(op.getRhs(), isConstant);
  // Widening as it is read takes time, too.
  constexpr double mostBytes = 0.7;
  auto bytes = [](RankedTensorType type) { return type.getNumElements() * type.getElementTypeBitWidth() / 8; };
  if (!expression || expression->getBytes() > mostBytes * bytes(expression->getType()))
    return std::nullopt;
  // Neighbouring columns are read together: each has elements of its own, or all share one.
  unsigned column = columns.getResult(0) == last ? 0 : 1;
  if (llvm::any_of(expression->getLeaves(),
                   [&](const ConstantExpression::Leaf &leaf) { return leaf.value && leaf.stepAlong(column) > 1; }))
    return std::nullopt;
  return expression;
}

std::optional<ConstantExpression> tenon::constantColumns(ContractOp op) { return constantColumns(op, isStored); }
