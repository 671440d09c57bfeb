//===- Shape.cpp - ONNX operators about sizes, constants and types ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Random.h"
#include "tenon/Dialect/Tenon/IR/ConstantElements.h"
#include "tenon/Dialect/Tenon/IR/StorageFormat.h"
#include "tenon/Dialect/Tenon/IR/TenonBits.h"

#include <cmath>

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

/// Of those that operators compute with.
Type onnx::elementTypeOf(int64_t dataType, MLIRContext *context) {
  Type element = typeOfDataType(dataType, context);
  return element && element.isIntOrFloat() && !isa<Float6E2M3FNType, Float6E3M2FNType>(element) ? element : Type();
}

namespace {
//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

/// From version 15 on a part of the shape.
Results shape(Node &node) {
  Sizes sizes = node.sizesOf(node[0]);
  int64_t rank = sizes.size();
  auto clamped = [&](StringRef name, int64_t otherwise) {
    int64_t value = node.integer(name, otherwise);
    return std::clamp<int64_t>(value < 0 ? value + rank : value, 0, rank);
  };
  int64_t start = clamped("start", 0), end = std::max(start, clamped("end", rank));
  auto type = RankedTensorType::get({end - start}, node.builder.getI64Type());
  return node.fromSizes(ArrayRef(sizes).slice(start, end - start), type);
}

Results sizeNode(Node &node) {
  return node.fromSizes(node.product(node.sizesOf(node[0])), RankedTensorType::get({}, node.builder.getI64Type()));
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

Results constantNode(Node &node) {
  if (auto value = dyn_cast_or_null<TypedAttr>(node.attribute("value")))
    if (isa<RankedTensorType>(value.getType()) && isa<ElementsAttr, tenon::BlobAttr>(value))
      return node.constant(value);
  auto rank0 = [&](Type element, Attribute value) -> Value {
    return node.constant(DenseElementsAttr::get(RankedTensorType::get({}, element), value));
  };
  if (auto value = dyn_cast_or_null<IntegerAttr>(node.attribute("value_int")))
    return rank0(value.getType(), value);
  if (auto value = dyn_cast_or_null<FloatAttr>(node.attribute("value_float")))
    return rank0(value.getType(), value);
  if (auto values = node.integers("value_ints"))
    return node.integersConstant(*values);
  if (auto values = node.numbers("value_floats"))
    return node.numbersConstant(*values, node.builder.getF32Type());
  auto text = tenon::StringType::get(node.builder.getContext());
  if (auto value = dyn_cast_or_null<StringAttr>(node.attribute("value_string")))
    return node.constant(DenseStringElementsAttr::get(RankedTensorType::get({}, text), value.getValue()));
  if (auto values = dyn_cast_or_null<ArrayAttr>(node.attribute("value_strings"))) {
    SmallVector<StringRef> texts(values.getAsValueRange<StringAttr>());
    return node.constant(DenseStringElementsAttr::get(RankedTensorType::get({(int64_t)texts.size()}, text), texts));
  }
  return node.unsupported() << "it has no value that is a dense tensor";
}

Results constantOfShape(Node &node) {
  auto sizes = node.elements(node[0], node.statedRank(0));
  if (!sizes)
    return failure();
  for (AffineExpr extent : *sizes)
    if (isStatic(extent) && SizeAnalysis::staticSize(extent) < 0)
      return node.error() << "expects sizes that aren't negative, but has " << SizeAnalysis::staticSize(extent);
  Attribute stated = node.attribute("value");
  auto dense = dyn_cast_or_null<DenseElementsAttr>(stated);
  if (stated && (!dense || dense.getNumElements() != 1))
    return node.error() << "expects one element as 'value', but has " << stated;
  Value value = node.scalar(0, node.builder.getF32Type());
  if (dense)
    value = node.constant(reshapedElements(dense, RankedTensorType::get({}, dense.getElementType())));
  return node.broadcast(value, {}, *sizes);
}

/// start + i * delta below limit.
Results range(Node &node) {
  Value scalars[3];
  for (auto [scalar, value] : llvm::zip(scalars, node.all())) {
    if (elementOf(value) != elementOf(node[0]))
      node.error() << "expects scalars of one type, but has " << typeOf(value);
    if (!(scalar = node.single(value, "scalars of one type")) || node.hasFailed())
      return failure();
  }
  auto [start, limit, delta] = scalars;
  Type element = elementOf(start);
  if (!delta) // ONNX Runtime's own operator may leave it out
    delta = node.scalar(1, element);
  AffineExpr count;
  auto known = node.constantNumbers(delta);
  if (known && known->front() == 0)
    return node.error() << "expects a delta other than 0";
  if (!known) {
    Value isZero = node.cast(node.compare(Predicate::eq, delta, 0.0), node.builder.getI64Type());
    auto zero = node.elements(isZero);
    if (!zero)
      return failure();
    node.expectEqual(zero->front(), node.size(0), "the delta is 0");
  }
  if (isa<FloatType>(element)) {
    auto from = node.constantNumbers(start), to = node.constantNumbers(limit);
    if (known && from && to) {
      double steps = std::ceil((to->front() - from->front()) / known->front());
      if (!(steps < 1e15))
        return node.error() << "expects a range of fewer elements, but has " << steps;
      count = node.size(std::max<int64_t>(0, steps));
    } else {
      Value steps = node.unary<CeilOp>(node.binary<DivOp>(node.binary<SubOp>(limit, start), delta));
      auto item = node.elements(node.cast(steps, node.builder.getI64Type()));
      if (!item)
        return failure();
      count = node.largest(item->front(), node.size(0));
    }
  } else if (known && known->front() > -1e15) {
    auto from = node.elements(start), to = node.elements(limit);
    if (!from || !to)
      return failure();
    int64_t step = known->front();
    AffineExpr distance = step > 0 ? to->front() - from->front() : from->front() - to->front();
    AffineExpr steps = distance.ceilDiv(std::abs(step));
    count = node.largest(node.sizes.simplify(steps), node.size(0));
  } else {
    // Rounded away from the start: (limit - start + delta - sign(delta)) / delta.
    Value distance = node.binary<AddOp>(node.binary<SubOp>(limit, start), delta);
    Value steps = node.binary<DivOp>(node.binary<SubOp>(distance, node.unary<SignOp>(delta)), delta);
    auto item = node.elements(steps);
    if (!item)
      return failure();
    count = node.largest(item->front(), node.size(0));
  }
  Value places = node.iota(count, 0, element);
  auto from = node.constantNumbers(start);
  if (!known || known->front() != 1)
    places = node.binary<MulOp>(places, delta);
  if (!from || from->front() != 0)
    places = node.binary<AddOp>(places, start);
  return places;
}

Results eyeLike(Node &node) {
  if (rankOf(node[0]) != 2)
    return node.error() << "expects a matrix, but has " << typeOf(node[0]);
  Type element = elementOf(node[0]);
  if (node.hasAttribute("dtype"))
    element = elementTypeOf(node.integer("dtype", 1), node.builder.getContext());
  if (!element)
    return node.unsupported() << "elements of type number " << node.integer("dtype", 1);
  Sizes sizes = node.sizesOf(node[0]);
  Type i64 = node.builder.getI64Type();
  Value row = node.iota(sizes, 0, i64), column = node.iota(sizes, 1, i64);
  if (int64_t k = node.integer("k", 0))
    row = node.binary<AddOp>(row, k);
  return node.cast(node.compare(Predicate::eq, row, column), element);
}

/// The upper or lower triangle of matrices.
Results trilu(Node &node) {
  Value x = node[0];
  if (rankOf(x) < 2)
    return node.error() << "expects an operand of rank 2 or more, but has " << typeOf(x);
  Sizes matrix(ArrayRef(node.sizesOf(x)).take_back(2));
  Type i64 = node.builder.getI64Type();
  Value row = node.iota(matrix, 0, i64), column = node.iota(matrix, 1, i64);
  if (node.has(1)) {
    Value k = node.single(node[1], "a scalar as k");
    if (!k)
      return failure();
    auto known = node.constantIntegers(k);
    if (!known || known->front() != 0)
      row = node.binary<AddOp>(row, k);
  }
  Value isKept = node.compare(node.flag("upper", true) ? Predicate::ge : Predicate::le, column, row);
  return node.select(node.broadcastTo(isKept, node.sizesOf(x)), x, node.splat(0, x));
}

/// a - b cos(2 pi i / n) + c cos(4 pi i / n), over a period, or symmetric with one place less.
Results cosineWindow(Node &node, double a, double b, double c) {
  Value length = node.single(node[0], "one element as size");
  auto count = length ? node.elements(length) : std::nullopt;
  Type element = elementTypeOf(node.integer("output_datatype", 1), node.builder.getContext());
  if (!count || !element)
    return count ? Results(node.unsupported() << "elements of type number " << node.integer("output_datatype", 1))
                 : Results(failure());
  Type compute = isa<FloatType>(element) ? element : node.builder.getF32Type();
  Value period =
      node.cast(node.fromSizes(count->front(), RankedTensorType::get({}, node.builder.getI64Type())), compute);
  if (!node.flag("periodic", true))
    period = node.binary<SubOp>(period, 1.0);
  Value angle = node.binary<DivOp>(node.binary<MulOp>(node.iota(*count, 0, compute), 2 * M_PI), period);
  Value window = node.binary<AddOp>(node.binary<MulOp>(node.unary<CosOp>(angle), -b), a);
  if (c != 0) {
    Value twice = node.unary<CosOp>(node.binary<MulOp>(angle, 2.0));
    window = node.binary<AddOp>(window, node.binary<MulOp>(twice, c));
  }
  return node.cast(window, element);
}

Results hannWindow(Node &node) { return cosineWindow(node, 0.5, 0.5, 0); }
Results hammingWindow(Node &node) { return cosineWindow(node, 25.0 / 46, 21.0 / 46, 0); }
Results blackmanWindow(Node &node) { return cosineWindow(node, 0.42, 0.5, 0.08); }

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

bool isNarrowFloat(Type type) { return isa<FloatType>(type) && type.getIntOrFloatBitWidth() <= 8; }

/// The power of two of f32 above a magnitude, or below it. The least is 2^-127, half of the least normal number.
Value toPowerOfTwo(Node &node, Value x, bool isUp) {
  Type ui32 = node.builder.getIntegerType(32, /*isSigned=*/false), f32 = node.builder.getF32Type();
  constexpr double magnitude = 0x7FFFFFFF, fraction = 0x7FFFFF, infinity = 0x7F800000, least = 0x400000;
  auto bitcast = [&](Value x, Type element) -> Value {
    return BitcastOp::create(node.builder, node.loc, typeOf(x).clone(element), x);
  };
  Value bits = node.binary<AndOp>(bitcast(x, ui32), magnitude);
  Value isNan = node.compare(Predicate::gt, bits, infinity);
  Value sum = isUp ? node.binary<AddOp>(bits, fraction) : bits;
  Value power = node.binary<ShlOp>(node.binary<ShrOp>(sum, 23.0), 23.0);
  power =
      node.select(node.compare(Predicate::le, isUp ? bits : power, isUp ? least : 0), node.splat(least, bits), power);
  return bitcast(node.select(isNan, bits, power), f32);
}

Results castTo(Node &node, Type element) {
  bool saturate = isNarrowFloat(element) && node.flag("saturate", true);
  StringRef mode = node.string("round_mode", "up");
  if (!isa<Float8E8M0FNUType>(element) || mode == "nearest")
    return node.cast(node[0], element, saturate);
  if (mode != "up" && mode != "down")
    return node.error() << "expects round_mode up, down or nearest, but has '" << mode << "'";
  Value x = toPowerOfTwo(node, node.cast(node[0], node.builder.getF32Type()), mode == "up");
  return node.cast(x, element, saturate);
}

/// The bits as another type of their width. A boolean is a byte of 0 or 1.
Results bitCast(Node &node) {
  int64_t to = node.integer("to", 0);
  Type from = elementOf(node[0]), element = elementTypeOf(to, node.builder.getContext());
  if (!element || !isNumber(element) || !isNumber(from))
    return node.unsupported() << "bits of " << from << " as elements of type number " << to;
  auto widthOf = [](Type type) { return type.isInteger(1) ? 8 : type.getIntOrFloatBitWidth(); };
  if (widthOf(from) != widthOf(element))
    return node.error() << "expects a type of the operand's width, but has " << from << " and " << element;
  if (from != element && (isa<Float4E2M1FNType>(from) || isa<Float4E2M1FNType>(element)))
    return node.unsupported() << "bits of " << from << " as " << element << ", which share bytes; cast to float first";
  Type byte = node.builder.getIntegerType(8, /*isSigned=*/false);
  Value x = from.isInteger(1) && from != element ? node.cast(node[0], byte) : node[0];
  Type bits = element.isInteger(1) && from != element ? byte : element;
  if (elementOf(x) != bits)
    x = BitcastOp::create(node.builder, node.loc, typeOf(x).clone(bits), x);
  return node.cast(x, element);
}

Results castNode(Node &node) {
  int64_t to = node.integer("to", 0);
  Type element = elementTypeOf(to, node.builder.getContext());
  return element ? castTo(node, element) : Results(node.unsupported() << "a cast to elements of type number " << to);
}

/// The type's name in the first version.
Results castByName(Node &node) {
  static const llvm::StringMap<int64_t> numbers = {{"FLOAT", 1},    {"UINT8", 2},   {"INT8", 3},    {"UINT16", 4},
                                                   {"INT16", 5},    {"INT32", 6},   {"INT64", 7},   {"BOOL", 9},
                                                   {"FLOAT16", 10}, {"DOUBLE", 11}, {"UINT32", 12}, {"UINT64", 13}};
  StringRef name = node.string("to", "");
  auto known = numbers.find(name);
  if (known == numbers.end())
    return node.error() << "expects the name of a type in 'to', but has '" << name << "'";
  return castTo(node, elementTypeOf(known->second, node.builder.getContext()));
}

Results castLike(Node &node) { return castTo(node, elementOf(node[1])); }

Results identity(Node &node) { return node[0]; }

/// Nothing is dropped outside of training, which before version 7 an attribute denies: how much remains larger there no
/// version says.
Results dropout(Node &node) {
  if (node.version() < 7 && !node.flag("is_test") && node.number("ratio", 0.5) != 0)
    return node.unsupported() << "training mode (is_test = 0)";
  for (double ratio :
       node.has(1) ? node.constantNumbers(node[1]).value_or(SmallVector<double>()) : SmallVector<double>())
    if (!(ratio >= 0 && ratio < 1))
      return node.error() << "expects a ratio that is at least 0 and less than 1, but has " << ratio;
  if (node.has(2)) {
    auto training = node.constantIntegers(node[2]);
    Value ratio = node.has(1) ? node.single(node[1], "one ratio") : node.scalar(0.5, node.builder.getF32Type());
    Value condition = node.single(node[2], "one truth value as training_mode");
    if (!ratio || !condition)
      return failure();
    if (!training || training->front() != 0) {
      Dropped dropped = dropRandomly(node, node[0], ratio, condition);
      return {dropped.result, dropped.mask};
    }
  }
  Value mask;
  if (node.isUsed(1)) {
    mask = node.broadcast(node.boolean(true), {}, node.sizesOf(node[0]));
    if (node.version() < 10)
      mask = node.cast(mask, elementOf(node[0]));
  }
  return {node[0], mask};
}
} // namespace

void onnx::addShapeConverters(ConverterTable &table) {
  table.add("Shape", 1, 1, 1, shape, Accepts::tensors);
  table.add("Size", 1, 1, 1, sizeNode, Accepts::tensors);
  table.add("Constant", 1, 0, 0, constantNode);
  table.add("ConstantOfShape", 9, 1, 1, constantOfShape);
  table.add("Range", 11, 3, 3, range);
  table.add("com.microsoft.Range", 1, 2, 3, range);
  table.add("EyeLike", 9, 1, 1, eyeLike);
  table.add("Trilu", 14, 1, 2, trilu);
  table.add("com.microsoft.Trilu", 1, 1, 2, trilu);
  table.add("HannWindow", 17, 1, 1, hannWindow);
  table.add("HammingWindow", 17, 1, 1, hammingWindow);
  table.add("BlackmanWindow", 17, 1, 1, blackmanWindow);
  table.add("Cast", 1, 1, 1, castByName).keepsSizes = true;
  table.add("Cast", 6, 1, 1, castNode).keepsSizes = true;
  table.add("BitCast", 26, 1, 1, bitCast).keepsSizes = true;
  table.add("CastLike", 15, 2, 2, castLike).keepsSizes = true;
  table.add("Identity", 1, 1, 1, identity, Accepts::values).keepsSizes = true;
  table.add("Dropout", 1, 1, 1, dropout).keepsSizes = true;
  table.add("Dropout", 12, 1, 3, dropout).keepsSizes = true;
}
