//===- Node.cpp - What a node says: attributes, operands, errors ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Node.h"

#include "Diagnostics.h"
#include "Graph.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/IR/Matchers.h"
#include "tenon/Dialect/Tenon/IR/ShapeArithmetic.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

Node::Node(Graph &graph, NodeOp op, ArrayRef<Value> operands)
    : graph(graph), op(op), builder(graph.builder), sizes(graph.sizes), loc(op.getLoc()), operands(operands) {}

//===----------------------------------------------------------------------===//
// Diagnostics
//===----------------------------------------------------------------------===//

InFlightDiagnostic onnx::errorAt(NodeOp op) {
  InFlightDiagnostic error = op.emitError() << "'" << op.getOpType() << "' (opset " << op.getVersion() << ") ";
  if (auto origin = op->getAttrOfType<StringAttr>("tenon_onnx.origin"))
    error.attachNote(op.getLoc()) << "it comes from " << origin.getValue();
  return error;
}

InFlightDiagnostic Node::error() {
  // One error per node: those that follow from the first say nothing.
  if (std::exchange(failed, true))
    return InFlightDiagnostic();
  return errorAt(op);
}

InFlightDiagnostic Node::unsupported() {
  ++graph.unsupported;
  return error() << "is not supported: ";
}

bool Node::expect(ArrayRef<size_t> required) {
  for (size_t i : required)
    if (!has(i))
      error() << "expects operand " << i;
  return !failed;
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

Value Node::single(Value value, const Twine &expected) {
  if (!typeOf(value).hasStaticShape() || isSingle(value))
    return reshape(value, {});
  error() << "expects " << expected << ", but has " << typeOf(value);
  return {};
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

int64_t Node::integer(StringRef name, int64_t otherwise) {
  Attribute value = attribute(name);
  if (!value)
    return otherwise;
  auto number = dyn_cast<IntegerAttr>(value);
  if (number && number.getType().isSignlessInteger(64))
    return number.getInt();
  error() << "expects an integer as attribute '" << name << "', but has " << value;
  return otherwise;
}

double Node::number(StringRef name, double otherwise) {
  Attribute value = attribute(name);
  if (!value)
    return otherwise;
  if (auto number = dyn_cast<FloatAttr>(value))
    return number.getValueAsDouble();
  error() << "expects a floating-point number as attribute '" << name << "', but has " << value;
  return otherwise;
}

StringRef Node::string(StringRef name, StringRef otherwise) {
  Attribute value = attribute(name);
  if (!value)
    return otherwise;
  if (auto string = dyn_cast<StringAttr>(value))
    return string.getValue();
  error() << "expects a string as attribute '" << name << "', but has " << value;
  return otherwise;
}

std::optional<SmallVector<int64_t>> Node::integers(StringRef name) {
  Attribute value = attribute(name);
  if (!value)
    return std::nullopt;
  if (auto list = dyn_cast<DenseI64ArrayAttr>(value))
    return SmallVector<int64_t>(list.asArrayRef());
  if (auto list = dyn_cast<ArrayAttr>(value); list && list.empty())
    return SmallVector<int64_t>();
  error() << "expects a list of integers as attribute '" << name << "', but has " << value;
  return std::nullopt;
}

std::optional<SmallVector<double>> Node::numbers(StringRef name) {
  Attribute value = attribute(name);
  if (!value)
    return std::nullopt;
  if (auto list = dyn_cast<DenseF32ArrayAttr>(value))
    return SmallVector<double>(list.asArrayRef());
  if (auto list = dyn_cast<ArrayAttr>(value); list && list.empty())
    return SmallVector<double>();
  error() << "expects a list of floating-point numbers as attribute '" << name << "', but has " << value;
  return std::nullopt;
}

SmallVector<int64_t> Node::integers(StringRef name, size_t count, int64_t otherwise) {
  auto list = integers(name);
  if (list && list->size() == count)
    return *list;
  if (list)
    error() << "expects " << count << " values in attribute '" << name << "', but has " << list->size();
  return SmallVector<int64_t>(count, otherwise);
}

int64_t Node::dimension(int64_t axis, int64_t rank) {
  if (axis >= -rank && axis < rank)
    return axis < 0 ? axis + rank : axis;
  error() << "expects an axis from " << -rank << " to " << rank - 1 << ", but has " << axis;
  return 0;
}

SmallVector<int64_t> Node::dimensions(ArrayRef<int64_t> axes, int64_t rank) {
  SmallVector<int64_t> dims;
  for (int64_t axis : axes) {
    int64_t dim = dimension(axis, rank);
    if (failed)
      return {};
    if (llvm::is_contained(dims, dim)) {
      error() << "expects different axes, but has " << axis << " twice";
      return {};
    }
    dims.push_back(dim);
  }
  llvm::sort(dims);
  return dims;
}

//===----------------------------------------------------------------------===//
// What is known of values
//===----------------------------------------------------------------------===//

/// Constants of more elements aren't looked at.
static constexpr int64_t kMostElements = 1 << 20;
/// No list of sizes or axes is longer: nothing has such a rank.
static constexpr int64_t kMostSizes = 1 << 12;

std::optional<SmallVector<int64_t>> Node::constantIntegers(Value value) {
  if (!value || !elementOf(value).isInteger())
    return std::nullopt;
  SmallVector<int64_t> result;
  if (typeOf(value).hasStaticShape() && typeOf(value).getNumElements() == 0)
    return result;
  DenseElementsAttr dense;
  if (!matchPattern(value, m_Constant(&dense)))
    dense = graph.known.elementsOf(value);
  if (!dense || dense.getNumElements() > kMostElements)
    return std::nullopt;
  bool isUnsigned = dense.getElementType().isUnsignedInteger() || dense.getElementType().isInteger(1);
  for (APInt element : dense.getValues<APInt>())
    result.push_back(isUnsigned ? element.getZExtValue() : element.getSExtValue());
  return result;
}

std::optional<SmallVector<double>> Node::constantNumbers(Value value) {
  if (!value || !isa<FloatType>(elementOf(value))) {
    auto integers = constantIntegers(value);
    return integers ? std::optional(SmallVector<double>(integers->begin(), integers->end())) : std::nullopt;
  }
  DenseElementsAttr dense;
  if (!matchPattern(value, m_Constant(&dense)))
    dense = graph.known.elementsOf(value);
  if (!dense || dense.getNumElements() > kMostElements)
    return std::nullopt;
  SmallVector<double> result;
  for (APFloat element : dense.getValues<APFloat>()) {
    bool loses;
    element.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &loses);
    result.push_back(element.convertToDouble());
  }
  return result;
}

Sizes Node::constants(ArrayRef<int64_t> values) {
  return llvm::map_to_vector(values, [&](int64_t value) { return size(value); });
}

std::optional<Sizes> Node::elements(Value value, std::optional<int64_t> count) {
  if (failed)
    return std::nullopt;
  RankedTensorType type = typeOf(value);
  if (type.getRank() > 1 || !type.getElementType().isInteger()) {
    error() << "expects integers of rank 0 or 1, but has " << type;
    return std::nullopt;
  }
  if (!type.hasStaticShape() && (!count || *count < 0)) {
    unsupported() << "the number of sizes in " << type << " is not known when compiling" << wayToKnow(sizeOf(value, 0));
    return std::nullopt;
  }
  if (!type.hasStaticShape()) {
    value = withSizes(value, size(*count), "as many sizes, axes or amounts as follow from the ranks in the model");
    type = typeOf(value);
  }
  if (type.getNumElements() > kMostSizes) {
    error() << "expects at most " << kMostSizes << " sizes or axes, but has " << type;
    return std::nullopt;
  }
  Sizes result;
  if (auto known = constantIntegers(value))
    result = llvm::map_to_vector(*known, [&](int64_t element) { return size(element); });
  else
    result = sizes.elementsOf(value).value_or(Sizes(type.getNumElements()));
  for (auto [i, element] : llvm::enumerate(result))
    if (!element)
      element = sizes.expressionOf(ItemOp::create(builder, loc, builder.getIndexType(), value, i).getResult());
  return result;
}

bool Node::mayBeNegative(AffineExpr size) {
  return !isNonNegative(size) || llvm::any_of(sizes.valuesOf(size), [&](Value value) {
    Operation *op = value.getDefiningOp();
    return isa_and_present<ItemOp, arith::SelectOp, arith::MinSIOp, arith::MaxSIOp, arith::DivSIOp>(op) &&
           !graph.isNonNegative(sizes.expressionOf(value));
  });
}

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

/// The factors of a product; the constant ones are multiplied into `constant`, false where that overflows.
static bool addFactors(AffineExpr expression, int64_t &constant, SmallVectorImpl<AffineExpr> &factors) {
  if (auto number = dyn_cast<AffineConstantExpr>(expression))
    return !llvm::MulOverflow(constant, number.getValue(), constant);
  auto binary = dyn_cast<AffineBinaryOpExpr>(expression);
  if (binary && binary.getKind() == AffineExprKind::Mul)
    return addFactors(binary.getLHS(), constant, factors) && addFactors(binary.getRHS(), constant, factors);
  factors.push_back(expression);
  return true;
}

AffineExpr Node::product(ArrayRef<AffineExpr> factors) {
  int64_t constant = 1;
  Sizes symbolic;
  for (AffineExpr factor : factors)
    if (!addFactors(factor, constant, symbolic)) {
      error() << "has a product of sizes that exceeds 64 bits";
      return size(0);
    }
  AffineExpr result = size(constant);
  for (AffineExpr factor : symbolic)
    result = factor * result;
  return sizes.simplify(result);
}

AffineExpr Node::quotient(ArrayRef<AffineExpr> factors, ArrayRef<AffineExpr> divisors) {
  int64_t constant = 1, divisor = 1;
  Sizes symbolic, below;
  bool fits = true;
  for (AffineExpr factor : factors)
    fits &= addFactors(sizes.simplify(factor), constant, symbolic);
  for (AffineExpr factor : divisors)
    fits &= addFactors(sizes.simplify(factor), divisor, below);
  if (!fits) {
    error() << "has a product of sizes that exceeds 64 bits";
    return size(0);
  }
  llvm::erase_if(below, [&](AffineExpr factor) {
    auto it = llvm::find(symbolic, factor);
    if (it == symbolic.end())
      return false;
    symbolic.erase(it);
    return true;
  });
  if (divisor == 0)
    return size(0);
  if (constant % divisor == 0) {
    constant /= divisor;
    divisor = 1;
  }
  symbolic.push_back(size(constant));
  AffineExpr dividend = product(symbolic);
  if (below.empty())
    return divisor == 1 ? dividend : sizes.simplify(dividend.floorDiv(divisor));
  below.push_back(size(divisor));
  AffineExpr rest = product(below);
  return graph.derive("div", {dividend, rest}, [&]() -> Value {
    Value a = getValueOrCreateConstantIndexOp(builder, loc, materialize(dividend));
    Value b = getValueOrCreateConstantIndexOp(builder, loc, materialize(rest));
    // Of no elements, any number of rows is right: 0 is.
    Value one = arith::ConstantIndexOp::create(builder, loc, 1);
    return arith::DivSIOp::create(builder, loc, a, arith::MaxSIOp::create(builder, loc, b, one));
  });
}

AffineExpr Node::least(AffineExpr a, AffineExpr b) {
  AffineExpr difference = sizes.simplify(a - b);
  if (auto constant = dyn_cast<AffineConstantExpr>(difference))
    return constant.getValue() <= 0 ? a : b;
  if (!mayBeNegative(difference))
    return b;
  if (!mayBeNegative(sizes.simplify(b - a)))
    return a;
  AffineExpr result = graph.derive("min", {a, b}, [&]() -> Value {
    Value x = getValueOrCreateConstantIndexOp(builder, loc, materialize(a));
    return arith::MinSIOp::create(builder, loc, x, getValueOrCreateConstantIndexOp(builder, loc, materialize(b)));
  });
  if (!mayBeNegative(a) && !mayBeNegative(b))
    graph.assumeNonNegative(result);
  return result;
}

AffineExpr Node::largest(AffineExpr a, AffineExpr b) {
  AffineExpr difference = sizes.simplify(a - b);
  if (auto constant = dyn_cast<AffineConstantExpr>(difference))
    return constant.getValue() >= 0 ? a : b;
  if (!mayBeNegative(difference))
    return a;
  if (!mayBeNegative(sizes.simplify(b - a)))
    return b;
  AffineExpr result = graph.derive("max", {a, b}, [&]() -> Value {
    Value x = getValueOrCreateConstantIndexOp(builder, loc, materialize(a));
    return arith::MaxSIOp::create(builder, loc, x, getValueOrCreateConstantIndexOp(builder, loc, materialize(b)));
  });
  if (!mayBeNegative(a) || !mayBeNegative(b))
    graph.assumeNonNegative(result);
  return result;
}

AffineExpr Node::choose(AffineExpr a, AffineExpr b, AffineExpr x, AffineExpr y) {
  if (x == y || a == b)
    return x;
  if (isStatic(a) && isStatic(b))
    return y;
  return graph.derive("choose", {a, b, x, y}, [&]() -> Value {
    auto value = [&](AffineExpr e) { return getValueOrCreateConstantIndexOp(builder, loc, materialize(e)); };
    Value isEqual = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, value(a), value(b));
    return arith::SelectOp::create(builder, loc, isEqual, value(x), value(y));
  });
}

AffineExpr Node::fromEnd(AffineExpr place, AffineExpr extent) {
  return graph.derive("from_end", {place, extent}, [&]() -> Value {
    Value at = getValueOrCreateConstantIndexOp(builder, loc, materialize(place));
    Value length = getValueOrCreateConstantIndexOp(builder, loc, materialize(extent));
    Value isNegative = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, at,
                                             arith::ConstantIndexOp::create(builder, loc, 0));
    return arith::SelectOp::create(builder, loc, isNegative, arith::AddIOp::create(builder, loc, at, length), at);
  });
}

void Node::expectEqual(AffineExpr actual, AffineExpr expected, StringRef message) {
  if (sizes.simplify(actual - expected) == size(0) || graph.unify(actual, expected, /*broadcast=*/false))
    return;
  Value a = getValueOrCreateConstantIndexOp(builder, loc, materialize(actual));
  Value b = getValueOrCreateConstantIndexOp(builder, loc, materialize(expected));
  cf::AssertOp::create(builder, loc, arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, a, b), message);
}

void Node::expectElements(AffineExpr extent, AffineExpr wanted, int64_t dim) {
  extent = sizes.simplify(extent), wanted = sizes.simplify(wanted);
  bool isEmpty = isStatic(extent, 0);
  if ((isStatic(extent) && !isEmpty) || isStatic(wanted, 0))
    return;
  std::string what =
      ("expects elements along axis " + Twine(dim) + " of which there can be more, but there is none").str();
  if (isEmpty && isStatic(wanted))
    error() << what;
  else
    expectEqual(choose(extent, size(0), wanted, size(0)), size(0), what);
}

Value Node::withSizes(Value value, ArrayRef<AffineExpr> expected, const Twine &what) {
  Sizes result;
  for (auto [own, wanted] : llvm::zip_equal(sizesOf(value), expected)) {
    AffineExpr known = wanted ? sizes.simplify(wanted) : own;
    if (isStatic(own) && isStatic(known) && own != known && !failed)
      error() << "expects " << what << ", but has " << typeOf(value);
    if (!failed && own != known)
      expectEqual(own, known, ("expects " + what).str());
    result.push_back(isStatic(own) ? own : known);
  }
  return reshape(value, result);
}

Value Node::withSize(Value value, int64_t dim, AffineExpr expected, const Twine &what) {
  Sizes all(rankOf(value));
  all[dim] = expected;
  return withSizes(value, all, what);
}

void Node::expectMultiple(AffineExpr size, AffineExpr divisor, const Twine &what) {
  size = sizes.simplify(size), divisor = sizes.simplify(divisor);
  if (isStatic(size) && isStatic(divisor)) {
    int64_t number = SizeAnalysis::staticSize(size), by = SizeAnalysis::staticSize(divisor);
    if (by < 1 || number % by != 0)
      error() << "expects " << what << ", but has " << number << " and " << by;
    return;
  }
  expectEqual(product({quotient(size, divisor), divisor}), size, ("expects " + what).str());
}

std::optional<int64_t> Node::statedRank(size_t result) {
  return result < op->getNumResults() ? graph.statedRank(op->getResult(result)) : std::nullopt;
}

std::string Node::wayToKnow(AffineExpr size) {
  for (Value value : sizes.valuesOf(size))
    if (auto symbol = value.getDefiningOp<SymbolOp>())
      return "; fix '" + symbol.getName().str() + "' when compiling: --size " + symbol.getName().str() +
             "=N of tenon-compile, or sizes of tenon.compile";
  return "";
}

OpFoldResult Node::materialize(AffineExpr size) {
  // This constant marks sizes that aren't static.
  if (isStatic(sizes.simplify(size), ShapedType::kDynamic) && isStatic(sizes.simplify(size))) {
    error() << "has a size or an amount of " << ShapedType::kDynamic;
    return builder.getIndexAttr(0);
  }
  return graph.materialize(loc, size);
}

std::optional<Sizes> Node::broadcastSizes(ArrayRef<AffineExpr> a, ArrayRef<AffineExpr> b) {
  if (a.size() < b.size())
    std::swap(a, b);
  Sizes result(a);
  for (auto [x, y] : llvm::zip(llvm::drop_begin(result, a.size() - b.size()), b)) {
    if (x == y || isStatic(y, 1))
      continue;
    if (isStatic(x, 1)) {
      x = y;
    } else if (isStatic(x) && isStatic(y)) {
      error() << "cannot broadcast sizes " << SizeAnalysis::staticSize(x) << " and " << SizeAnalysis::staticSize(y);
      return std::nullopt;
    } else if (isStatic(y)) {
      x = y;
    } else if (!isStatic(x)) {
      AffineExpr whole = graph.unify(x, y, /*broadcast=*/true);
      x = whole ? whole : choose(x, size(1), y, x);
    }
  }
  return result;
}

std::optional<Sizes> Node::broadcastSizes(ArrayRef<Value> values) {
  std::optional<Sizes> result = Sizes();
  for (Value value : values)
    if (result)
      result = broadcastSizes(*result, sizesOf(value));
  return result;
}
