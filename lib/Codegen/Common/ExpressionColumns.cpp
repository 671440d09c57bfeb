//===- ExpressionColumns.cpp - Columns that are arithmetic on constants ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ExpressionColumns.h"
#include "ColumnOperand.h"
#include "tenon/Dialect/Tenon/IR/StorageFormat.h"
#include "tenon/Dialect/Tile/IR/Accuracy.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

using Leaf = ConstantExpression::Leaf;
using Node = ConstantExpression::Node;

ExpressionColumns::ExpressionColumns(ContractionPlan &plan) : b(plan.b), plan(plan), expression(*plan.expression) {
  measure();
  // What is added would be as much as the sum of numbers, and what is left of both would have few digits.
  linear = judge() && !plan.op->hasAttr(kFarOffsetsAttr);
  int64_t rows = *constantOf(plan.depth);
  for (const Source &source : sources)
    if (linear && source.step > 1)
      block = std::gcd(block, source.step);
  linear &= block % group == 0;
  if (!linear || block == 0)
    block = llvm::alignTo(rows, group);
  depth = llvm::alignTo(rows, block);
  for (unsigned leaf = 0; leaf < sources.size(); ++leaf)
    if (expression.getLeaves()[leaf].value)
      form(leaf);
}

/// Words are read whole, so blocks have whole ones; where they don't numbers of few bits take a byte each.
void ExpressionColumns::measure() {
  unsigned row = *plan.packed, column = *plan.positionIn(1, plan.roles.column);
  block = 0;
  int64_t steps = 0;
  for (const Leaf &leaf : expression.getLeaves()) {
    Source source{{}, leaf.stepAlong(row), leaf.stepAlong(column) != 0};
    auto integer = dyn_cast<IntegerType>(leaf.getElement());
    if (integer && source.step == 1 && source.isColumn && StorageFormat(integer).sharesBytes()) {
      source.bits = integer.getWidth();
      source.moved = integer.isUnsigned() ? 0 : -(1 << (source.bits - 1));
    } else if (integer && source.step == 1 && integer.isUnsigned() && integer.getWidth() == 8) {
      // Sums of numbers that are centred lose no digits when an offset is added.
      source.moved = 128;
    }
    if (source.step > 1)
      steps = std::gcd(steps, source.step);
    sources.push_back(source);
  }
  // What is stored otherwise is converted first.
  for (const Node &node : expression.getNodes())
    for (unsigned operand : node.operands)
      if (const Node &leaf = expression.getNodes()[operand]; !leaf.op && !isa<CastOp>(node.op))
        sources[leaf.leaf].moved = 0;
  for (Source &source : sources)
    if (32 % std::max<int64_t>(source.bits, 1) == 0 && steps % source.perWord() == 0)
      group = std::max(group, source.perWord());
    else if (source.bits)
      source.bits = source.moved = 0;
  if (group == 1)
    group = std::gcd<int64_t>(steps, 4);
}

/// Whether all integers of one type are in the other.
static bool holdsIntegers(Type from, Type to) {
  auto a = dyn_cast<IntegerType>(from), b = dyn_cast<IntegerType>(to);
  if (!a || !b || a.getWidth() == 1)
    return false;
  return a.isUnsigned() == b.isUnsigned() ? b.getWidth() >= a.getWidth()
                                          : a.isUnsigned() && b.getWidth() > a.getWidth();
}

/// Whether a node is an integer of at most 16 bits, as it is stored or converted.
bool ExpressionColumns::isNarrow(unsigned n) const {
  const Node *node = &expression.getNodes()[n];
  while (node->op && isa<CastOp>(node->op)) {
    if (!holdsIntegers(getElementTypeOrSelf(node->op->getOperand(0)), getElementTypeOrSelf(node->op->getResult(0))))
      return false;
    node = &expression.getNodes()[node->operands[0]];
  }
  if (node->op)
    return false;
  const Leaf &leaf = expression.getLeaves()[node->leaf];
  constexpr int64_t mostBits = 16;
  if (auto number = dyn_cast_if_present<IntegerAttr>(leaf.value ? Attribute() : Attribute(leaf.number)))
    return number.getValue().getSignificantBits() <= mostBits;
  auto integer = dyn_cast<IntegerType>(leaf.getElement());
  return integer && integer.getWidth() <= mostBits;
}

static bool hasExponentsOfF32(Type type) {
  auto real = dyn_cast<FloatType>(type);
  return real && APFloat::semanticsMaxExponent(real.getFloatSemantics()) >=
                     APFloat::semanticsMaxExponent(APFloat::IEEEsingle());
}

/// The kinds of nodes, and whether the root is numbers times something plus something.
bool ExpressionColumns::judge() {
  std::optional<unsigned> found;
  for (const Node &node : expression.getNodes()) {
    Kind kind = Kind::shared;
    auto of = [&](unsigned i) { return kinds[node.operands[i]]; };
    bool isReal = node.op && getElementTypeOrSelf(node.op->getResult(0)).isF32();
    if (!node.op) {
      if (sources[node.leaf].step == 1) {
        kind = found || !sources[node.leaf].isColumn ? Kind::other : Kind::numbers;
        found = node.leaf;
      }
    } else if (llvm::any_of(node.operands, [&](unsigned operand) { return kinds[operand] == Kind::other; })) {
      kind = Kind::other;
    } else if (isa<CastOp>(node.op)) {
      // Rounding to less is no factor, but at last, where sums are more exact without it.
      Type from = getElementTypeOrSelf(node.op->getOperand(0)), to = getElementTypeOrSelf(node.op->getResult(0));
      bool holds =
          to.isF32() || holdsIntegers(from, to) || (isa<FloatType>(to) && &node == &expression.getNodes().back());
      kind = of(0) == Kind::numbers && !holds ? Kind::other : of(0);
    } else if (isa<AddOp, SubOp>(node.op)) {
      bool areBoth = of(0) == Kind::numbers && of(1) == Kind::numbers;
      // Sums of integers may wrap, but for those of narrow ones in 32 bits; those of f16 are rounded.
      bool isExact = isReal || (getElementTypeOrSelf(node.op->getResult(0)).getIntOrFloatBitWidth() >= 32 &&
                                llvm::all_of(node.operands, [&](unsigned operand) { return isNarrow(operand); }));
      kind = areBoth || !isExact ? Kind::other : std::max(of(0), of(1));
    } else if (isa<MulOp>(node.op) && isReal) {
      bool areBoth = of(0) == Kind::numbers && of(1) == Kind::numbers;
      kind = areBoth ? Kind::other : std::max(of(0), of(1));
    } else if (isa<DivOp>(node.op) && isReal) {
      kind = of(1) == Kind::numbers ? Kind::other : of(0);
    } else if (llvm::any_of(node.operands, [&](unsigned operand) { return kinds[operand] == Kind::numbers; })) {
      kind = Kind::other;
    }
    offset |= isa_and_present<AddOp, SubOp>(node.op) && kind == Kind::numbers;
    scale |= isa_and_present<MulOp, DivOp>(node.op) && kind == Kind::numbers;
    kinds.push_back(kind);
  }
  numbers = found.value_or(0);
  offset |= found && sources[numbers].moved != 0;
  // Those with the exponents of f32 may be at its limits themselves.
  bool isFar = found && (scale || offset) && hasExponentsOfF32(expression.getLeaves()[numbers].getElement());
  return kinds.back() == Kind::numbers && !isFar && accuracyOf(plan.op) != Accuracy::strict;
}

//===----------------------------------------------------------------------===//
// Forms
//===----------------------------------------------------------------------===//

namespace {
/// Writes ops of a form.
struct FormWriter {
  Value cast(Value x, Type element) {
    return create<CastOp>(llvm::cast<RankedTensorType>(x.getType()).clone(element), x);
  }
  Value splat(Value like, Attribute element) {
    auto type = llvm::cast<RankedTensorType>(like.getType());
    return create<ConstantOp>(type, DenseElementsAttr::get(type, element));
  }
  /// With so many rows: the last one again and again, so that what is computed of it is a number.
  Value withRows(Value x, int64_t rows) {
    auto type = llvm::cast<RankedTensorType>(x.getType());
    int64_t missing = rows - type.getDimSize(0), columns = type.getDimSize(1);
    if (missing == 0)
      return x;
    if (missing < 0)
      return create<SliceOp>(type.clone({rows, columns}), x, ValueRange(), ValueRange(), ValueRange(),
                             ArrayRef<int64_t>{0, 0}, ArrayRef<int64_t>{rows, columns}, ArrayRef<int64_t>{1, 1});
    auto scalar = RankedTensorType::get({}, type.getElementType());
    Value zero = create<ConstantOp>(scalar, DenseElementsAttr::get(scalar, builder.getZeroAttr(type.getElementType())));
    PadMode mode = type.getDimSize(0) == 0 ? PadMode::constant : PadMode::edge;
    return create<PadOp>(type.clone({rows, columns}), mode, x, zero, ValueRange(), ValueRange(),
                         ArrayRef<int64_t>{0, 0}, ArrayRef<int64_t>{missing, 0});
  }
  Value reshape(Value x, ArrayRef<int64_t> shape) {
    return create<ReshapeOp>(llvm::cast<RankedTensorType>(x.getType()).clone(shape), x, ValueRange(), shape);
  }
  template <typename OpT, typename... Arguments> Value create(Arguments &&...arguments) {
    return OpT::create(builder, loc, std::forward<Arguments>(arguments)...)->getResult(0);
  }

  /// The numbers less `moved`, in 32 bits.
  Value moved(Value x, int64_t moved) {
    x = cast(x, builder.getI32Type());
    return moved ? create<SubOp>(x, splat(x, builder.getI32IntegerAttr(moved))) : x;
  }

  /// Of each column the next numbers in a word, the first in the lowest bits.
  Value words(Value x, int64_t bits) {
    int64_t perWord = 32 / bits;
    ArrayRef<int64_t> shape = llvm::cast<RankedTensorType>(x.getType()).getShape();
    int64_t rows = shape[0] / perWord, columns = shape[1];
    x = reshape(x, {rows, perWord, columns});
    SmallVector<int32_t> places;
    for (int64_t i = 0; i < perWord; ++i)
      places.push_back(i * bits);
    auto type = RankedTensorType::get(perWord, builder.getI32Type());
    Value shift = create<ConstantOp>(type, DenseElementsAttr::get(type, ArrayRef(places)));
    shift = create<BroadcastOp>(x.getType(), shift, ValueRange(), ArrayRef<int64_t>{1},
                                llvm::cast<RankedTensorType>(x.getType()).getShape());
    return create<ReduceOp>(type.clone({rows, columns}), Combiner::sum, create<ShlOp>(x, shift), ArrayRef<int64_t>{1});
  }

  OpBuilder &builder;
  Location loc;
};
} // namespace

void ExpressionColumns::form(unsigned number) {
  const Leaf &leaf = expression.getLeaves()[number];
  Source &source = sources[number];
  unsigned row = *plan.packed, column = *plan.positionIn(1, plan.roles.column);
  StringRef name = source.bits ? "words" : source.step == 1 ? "numbers" : "parameters";
  source.memory = b.formed(leaf.value, name, [&](OpBuilder &builder, ValueRange operands) {
    FormWriter writer{builder, leaf.value.getLoc()};
    Value matrix = ConstantExpression::asMatrix(builder, operands.front(), leaf, row, column);
    auto integer = dyn_cast<IntegerType>(leaf.getElement());
    if (integer && !source.bits && StorageFormat(integer).sharesBytes())
      matrix = writer.cast(matrix, IntegerType::get(builder.getContext(), 8, integer.getSignedness()));
    matrix = writer.withRows(matrix, source.step ? llvm::divideCeil(depth, source.step) : 1);
    if (source.bits)
      matrix = writer.words(writer.moved(matrix, source.moved), source.bits);
    else if (source.moved)
      matrix = writer.cast(writer.moved(matrix, source.moved), builder.getI8Type());
    return source.isColumn ? makePanels(builder, matrix, 0, 1, plan.panelWidth())
                           : writer.reshape(matrix, cast<RankedTensorType>(matrix.getType()).getDimSize(0));
  });
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

/// A row of a leaf.
Value ExpressionColumns::read(unsigned number, AffineExpr row, AffineExpr column, ArrayRef<int64_t> shape) {
  const Source &source = sources[number];
  if (!source.memory)
    return b.splat(shape, expression.getLeaves()[number].number);
  int64_t panel = plan.panelWidth();
  if (source.isColumn)
    return b.load(source.memory, {column.floorDiv(panel), row, column % panel}, shape);
  Value element = b.load(source.memory, row, 1);
  return b.create<BroadcastOp>(cast<RankedTensorType>(element.getType()).clone(shape), element, ValueRange(),
                               ArrayRef<int64_t>{int64_t(shape.size()) - 1}, shape);
}

void ExpressionColumns::fetch(AffineExpr k, AffineExpr column, int64_t width) {
  constexpr int64_t lineBytes = 64, ahead = 4096;
  int64_t panel = plan.panelWidth();
  for (const Source &source : sources) {
    if (!source.memory || !source.isColumn || source.step != 1)
      continue;
    int64_t bytes = std::max(1u, cast<MemRefType>(source.memory.getType()).getElementTypeBitWidth() / 8),
            rows = group / source.perWord();
    AffineExpr row = k.floorDiv(source.perWord()) + ahead / (panel * bytes);
    for (int64_t at = 0; at < rows * width * bytes; at += lineBytes)
      b.prefetch(source.memory, {column.floorDiv(panel), row, column % panel + at / bytes});
  }
}

SmallVector<Value> ExpressionColumns::load(AffineExpr k, AffineExpr column, int64_t width) {
  ArrayRef<Node> nodes = expression.getNodes();
  SmallVector<Value> tiles(nodes.size()), words(nodes.size()), result;
  Type i32 = IntegerType::get(plan.op.getContext(), 32);
  auto number = [&](int64_t value) { return b.splat({1, width}, Builder(plan.op).getI32IntegerAttr(value)); };
  // What a group shares is made once.
  SmallVector<bool> varies;
  for (const Node &node : nodes)
    varies.push_back(node.op ? llvm::any_of(node.operands, [&](unsigned operand) { return varies[operand]; })
                             : sources[node.leaf].step == 1);
  for (int64_t i = 0; i < group; ++i) {
    for (auto [n, node] : llvm::enumerate(nodes)) {
      if (tiles[n] && !varies[n])
        continue;
      if (node.op) {
        tiles[n] =
            b.repeat(node.op, llvm::map_to_vector(node.operands, [&](unsigned operand) { return tiles[operand]; }));
        continue;
      }
      const Source &source = sources[node.leaf];
      if (!source.bits) {
        AffineExpr row = source.step == 1 ? k + i : source.step ? k.floorDiv(source.step) : plan.zero;
        tiles[n] = read(node.leaf, row, column, {1, width});
        if (source.moved) {
          Value stored = b.cast(tiles[n], i32);
          tiles[n] = b.create<AddOp>(stored.getType(), stored, number(source.moved));
        }
        continue;
      }
      int64_t perWord = source.perWord();
      if (i % perWord == 0)
        words[n] = read(node.leaf, k.floorDiv(perWord) + i / perWord, column, {1, width});
      Type type = words[n].getType();
      Value moved = i % perWord ? b.create<ShrOp>(type, words[n], number(i % perWord * source.bits)) : words[n];
      tiles[n] = b.create<AndOp>(type, moved, number((1 << source.bits) - 1));
      if (source.moved)
        tiles[n] = b.create<AddOp>(type, tiles[n], number(source.moved));
    }
    result.push_back(b.cast(tiles.back(), plan.columnElement));
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Numbers and what blocks of them share
//===----------------------------------------------------------------------===//

/// All but the numbers in the bits that have the sign stay where they are.
SmallVector<float> ExpressionColumns::getFactors() const {
  SmallVector<float> factors;
  const Source &source = sources[numbers];
  for (int64_t i = 0; i < group; ++i) {
    int64_t place = i % source.perWord();
    bool isLast = place > 0 && place == source.perWord() - 1;
    factors.push_back(source.bits ? std::ldexp(1.0f, -int((place - isLast) * source.bits)) : 1.0f);
  }
  return factors;
}

SmallVector<Value> ExpressionColumns::loadNumbers(AffineExpr k, AffineExpr column, int64_t width) {
  const Source &source = sources[numbers];
  SmallVector<Value> result;
  Value words;
  for (int64_t i = 0; i < group; ++i) {
    if (!source.bits) {
      result.push_back(b.cast(read(numbers, k + i, column, {1, width}), plan.columnElement));
      continue;
    }
    int64_t perWord = source.perWord(), place = i % perWord;
    if (place == 0)
      words = read(numbers, k.floorDiv(perWord) + i / perWord, column, {1, width});
    auto number = [&](uint32_t value) { return b.splat({1, width}, Builder(plan.op).getI32IntegerAttr(value)); };
    bool isLast = place > 0 && place == perWord - 1;
    Value moved = isLast ? b.create<ShrOp>(words.getType(), words, number(source.bits)) : words;
    uint32_t mask = (uint32_t(1) << source.bits) - 1;
    Value masked = b.create<AndOp>(words.getType(), moved, number(mask << ((place - isLast) * source.bits)));
    result.push_back(b.cast(masked, plan.columnElement));
  }
  return result;
}

Value ExpressionColumns::shared(unsigned n, AffineExpr k, AffineExpr column, int64_t width) {
  const Node &node = expression.getNodes()[n];
  if (!node.op) {
    int64_t step = sources[node.leaf].step;
    return read(node.leaf, step ? k.floorDiv(step) : plan.zero, column, width);
  }
  return b.repeat(
      node.op, llvm::map_to_vector(node.operands, [&](unsigned operand) { return shared(operand, k, column, width); }));
}

ExpressionColumns::Shared ExpressionColumns::loadShared(AffineExpr k, AffineExpr column, int64_t width) {
  auto splat = [&](Type element, double value) {
    Builder builder(plan.op);
    return b.splat(width, isa<FloatType>(element) ? TypedAttr(builder.getFloatAttr(element, value))
                                                  : TypedAttr(builder.getIntegerAttr(element, int64_t(value))));
  };
  auto binary = [&](auto op, Value x, Value y) -> Value { return b.create<decltype(op)>(x.getType(), x, y); };
  auto negated = [&](Value x) -> Value { return b.create<NegOp>(x.getType(), x); };
  auto visit = [&](auto &visit, unsigned n) -> Shared {
    const Node &node = expression.getNodes()[n];
    if (!node.op) {
      int64_t moved = sources[node.leaf].moved;
      return {moved ? splat(Builder(plan.op).getI32Type(), moved) : Value(), Value(), Value()};
    }
    unsigned side = kinds[node.operands[0]] == Kind::numbers ? 0 : 1;
    Shared of = visit(visit, node.operands[side]);
    if (isa<CastOp>(node.op)) {
      // Of floating point it rounds at last.
      if (of.before && !of.scale && !isa<FloatType>(getElementTypeOrSelf(of.before)))
        of.before = b.repeat(node.op, of.before);
      return of;
    }
    Value other = shared(node.operands[1 - side], k, column, width);
    if (isa<MulOp, DivOp>(node.op)) {
      bool isDivided = isa<DivOp>(node.op);
      auto scaled = [&](Value x) { return isDivided ? binary(DivOp(), x, other) : binary(MulOp(), x, other); };
      of.scale = of.scale || isDivided ? scaled(of.scale ? of.scale : splat(plan.columnElement, 1)) : other;
      of.after = of.after ? scaled(of.after) : Value();
      return of;
    }
    // Until it is scaled what is added goes with the numbers.
    Value &added = of.scale ? of.after : of.before;
    bool isTaken = isa<SubOp>(node.op);
    if (isTaken && side == 1) {
      of.scale = of.scale ? negated(of.scale) : splat(plan.columnElement, -1);
      if (of.after)
        of.after = negated(of.after);
      of.after = of.after ? binary(AddOp(), of.after, other) : other;
      return of;
    }
    if (added)
      added = isTaken ? binary(SubOp(), added, other) : binary(AddOp(), added, other);
    else
      added = isTaken ? negated(other) : other;
    return of;
  };
  Shared of = visit(visit, expression.getNodes().size() - 1);
  for (Value *x : {&of.before, &of.scale, &of.after})
    *x = *x ? b.cast(*x, plan.columnElement) : *x;
  return of;
}
