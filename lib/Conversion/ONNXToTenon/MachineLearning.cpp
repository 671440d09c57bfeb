//===- MachineLearning.cpp - ONNX's operators of classical models ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MachineLearning.h"
#include "tenon/Dialect/Tenon/IR/BlobFiles.h"
#include "tenon/Dialect/Tenon/IR/OutputKeys.h"

#include <cmath>
#include <limits>
#include <numbers>

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

//===----------------------------------------------------------------------===//
// What operators share
//===----------------------------------------------------------------------===//

SmallVector<double> onnx::numbersOf(Node &node, StringRef name) {
  Attribute value = node.attribute(name);
  if (!value)
    value = node.attribute((name + "_as_tensor").str());
  auto tensor = dyn_cast_if_present<TypedAttr>(value);
  if (!tensor || !isa<RankedTensorType>(tensor.getType()))
    return node.numbers(name).value_or(SmallVector<double>());
  if (auto blob = dyn_cast<BlobAttr>(value)) {
    llvm::Expected<ArrayRef<char>> bytes = blob.getData();
    if (!bytes) {
      node.error() << "has an attribute '" << name << "' that can't be read: " << llvm::toString(bytes.takeError());
      return {};
    }
    tensor = denseFromBlob(blob.getType(), *bytes);
  }
  Value constant = node.constant(tensor);
  if (auto numbers = node.constantNumbers(constant))
    return *numbers;
  if (auto integers = node.constantIntegers(constant))
    return llvm::map_to_vector(*integers, [](int64_t number) { return double(number); });
  node.error() << "expects numbers in attribute '" << name << "', but has " << tensor.getType();
  return {};
}

/// sqrt(2) times the inverse of the error function at 2 x - 1, by Winitzki's approximation.
static Value probit(Node &node, Value x) {
  constexpr double a = 0.147;
  x = node.binary<SubOp>(node.binary<MulOp>(x, 2.0), 1.0);
  Value one = node.splat(1, x);
  Value log = node.unary<LogOp>(node.binary<MulOp>(node.binary<SubOp>(one, x), node.binary<AddOp>(one, x)));
  Value half = node.binary<AddOp>(node.binary<MulOp>(log, 0.5), 2 / (std::numbers::pi * a));
  Value root = node.unary<SqrtOp>(node.binary<SubOp>(node.binary<MulOp>(half, half), node.binary<DivOp>(log, a)));
  Value size = node.unary<SqrtOp>(node.binary<SubOp>(root, half));
  Value y = node.binary<MulOp>(size, std::numbers::sqrt2);
  return node.select(node.compare(Predicate::lt, x, 0.0), node.unary<NegOp>(y), y);
}

Value onnx::transformedScores(Node &node, Value scores, StringRef transform) {
  if (transform == "NONE")
    return scores;
  if (transform == "LOGISTIC")
    return node.unary<SigmoidOp>(scores);
  if (transform == "PROBIT")
    return probit(node, scores);
  if (transform != "SOFTMAX" && transform != "SOFTMAX_ZERO") {
    node.error() << "expects post_transform NONE, SOFTMAX, LOGISTIC, SOFTMAX_ZERO or PROBIT, but has '" << transform
                 << "'";
    return scores;
  }
  if (transform == "SOFTMAX")
    return SoftmaxOp::create(node.builder, node.loc, scores.getType(), scores, ArrayRef<int64_t>{1});
  // Scores of zero stay zero.
  Sizes sizes = node.sizesOf(scores);
  Value largest = node.broadcastTo(node.reduce(Combiner::max, scores, {1}, /*keepDims=*/true), sizes);
  Value exponential = node.unary<ExpOp>(node.binary<SubOp>(scores, largest));
  Value isThere = node.compare(Predicate::gt, node.unary<AbsOp>(scores), 1e-7);
  Value scaled = node.binary<MulOp>(scores, node.unary<ExpOp>(node.unary<NegOp>(largest)));
  Value y = node.select(isThere, exponential, scaled);
  return node.binary<DivOp>(y, node.broadcastTo(node.reduce(Combiner::sum, y, {1}, /*keepDims=*/true), sizes));
}

std::optional<ClassLabels> ClassLabels::of(Node &node) {
  ClassLabels result;
  Builder &builder = node.builder;
  if (auto list = dyn_cast_if_present<ArrayAttr>(node.attribute("classlabels_strings")); list && !list.empty()) {
    SmallVector<StringRef> texts(list.getAsValueRange<StringAttr>());
    result.count = texts.size();
    result.labels = DenseStringElementsAttr::get(
        RankedTensorType::get(result.count, tenon::StringType::get(builder.getContext())), texts);
    return result;
  }
  StringRef name = node.hasAttribute("classlabels_ints") ? "classlabels_ints" : "classlabels_int64s";
  auto numbers = node.integers(name);
  if (!numbers || numbers->empty()) {
    node.error() << "expects the labels of classes";
    return std::nullopt;
  }
  result.count = numbers->size();
  result.labels =
      DenseElementsAttr::get(RankedTensorType::get(result.count, builder.getI64Type()), ArrayRef<int64_t>(*numbers));
  return result;
}

Value ClassLabels::at(Node &node, Value classes) { return take(node, node.constant(labels), classes, 0); }

namespace {
//===----------------------------------------------------------------------===//
// Linear models
//===----------------------------------------------------------------------===//

/// Rows times coefficients `[targets, features]`, plus intercepts: `[N, targets]`, null after an error.
Value linear(Node &node, int64_t targets) {
  Value x = node.cast(node[0], node.builder.getF32Type());
  if (rankOf(x) == 1)
    x = node.unsqueeze(x, {0});
  SmallVector<double> coefficients = numbersOf(node, "coefficients"), intercepts = numbersOf(node, "intercepts");
  if (rankOf(x) != 2 || targets < 1 || coefficients.empty() || coefficients.size() % targets != 0)
    node.error() << "expects rows of numbers and coefficients for each of " << targets << " targets, but has "
                 << typeOf(node[0]) << " and " << coefficients.size() << " coefficients";
  if (!intercepts.empty() && (int64_t)intercepts.size() != targets)
    node.error() << "expects " << targets << " intercepts, but has " << intercepts.size();
  if (node.hasFailed())
    return {};
  AffineExpr features = node.size(coefficients.size() / targets), width = node.sizeOf(x, 1);
  if (isStatic(width) && width != features) {
    node.error() << "expects " << coefficients.size() / targets << " features, but has " << typeOf(x);
    return {};
  }
  node.expectEqual(width, features, (node.name() + " has rows of another number of features").str());
  Value weights = node.reshape(node.numbersConstant(coefficients, elementOf(x)), {node.size(targets), features});
  Value y = node.contract(x, weights, 3, {0, 1}, {2, 1}, {0, 2}, elementOf(x));
  return intercepts.empty() ? y
                            : node.binary<AddOp>(y, node.along(node.numbersConstant(intercepts, elementOf(y)), 1, y));
}

Results linearRegressor(Node &node) {
  int64_t targets = node.integer("targets", 1);
  StringRef transform = node.string("post_transform", "NONE");
  Value y = linear(node, targets);
  // There is nothing to compare one target with.
  if (y && (targets > 1 || transform == "PROBIT"))
    y = transformedScores(node, y, transform);
  return node.hasFailed() ? Results(failure()) : Results(y);
}

/// One score for two classes is that of the second.
Results linearClassifier(Node &node) {
  auto labels = ClassLabels::of(node);
  if (!labels)
    return failure();
  int64_t scored = numbersOf(node, "intercepts").size();
  if (scored == 0 || labels->count < 2 || (scored != labels->count && !(scored == 1 && labels->count == 2)))
    return node.error() << "expects an intercept for each of " << labels->count << " classes, or one for two, but has "
                        << scored;
  Value scores = linear(node, scored);
  if (!scores)
    return failure();
  Type i64 = node.builder.getI64Type();
  StringRef transform = node.string("post_transform", "NONE");
  Value best;
  if (scored == 1) {
    best = node.cast(node.compare(Predicate::gt, node.squeeze(scores, {1}), 0.0), i64);
    if (transform == "PROBIT")
      return node.unsupported() << "post_transform PROBIT of one score for two classes";
    // There is nothing to compare one score with: ONNX Runtime leaves it.
    if (!transform.starts_with("SOFTMAX"))
      scores = transformedScores(node, scores, transform);
    scores = node.concat({node.binary<SubOp>(node.splat(1, scores), scores), scores}, 1);
  } else {
    best = ArgReduceOp::create(node.builder, node.loc, node.typeFor(i64, {node.sizeOf(scores, 0)}), Combiner::max,
                               scores, 1, /*last=*/false);
    scores = transformedScores(node, scores, transform);
  }
  return node.hasFailed() ? Results(failure()) : Results({labels->at(node, best), scores});
}

//===----------------------------------------------------------------------===//
// Features
//===----------------------------------------------------------------------===//

/// The columns with these numbers; of a vector, as a row.
Results arrayFeatureExtractor(Node &node) {
  Value x = node[0], columns = node[1];
  if (rankOf(x) < 1)
    return node.error() << "expects an operand of rank 1 or more, but has " << typeOf(x);
  columns = node.reshape(columns, node.product(node.sizesOf(columns)));
  Value y = take(node, x, columns, rankOf(x) - 1);
  return rankOf(x) == 1 ? node.unsqueeze(y, {0}) : y;
}

Results binarizer(Node &node) {
  Value x = node[0];
  return node.cast(node.compare(Predicate::gt, x, node.number("threshold", 0)), elementOf(x));
}

/// (x - offset) * scale, with one number each for all columns or for each of them.
Results scaler(Node &node) {
  Value x = node[0];
  if (!elementOf(x).isF64())
    x = node.cast(x, node.builder.getF32Type());
  if (rankOf(x) < 1)
    return node.error() << "expects an operand of rank 1 or more, but has " << typeOf(x);
  auto columnsOf = [&](StringRef name) -> Value {
    SmallVector<double> numbers = numbersOf(node, name);
    AffineExpr width = node.sizeOf(x, rankOf(x) - 1);
    if (numbers.empty() || (numbers.size() != 1 && isStatic(width) && !isStatic(width, numbers.size())))
      node.error() << "expects one number or one for each column in '" << name << "', but has " << numbers.size()
                   << " and " << typeOf(x);
    if (node.hasFailed())
      return x;
    if (numbers.size() == 1)
      return node.splat(numbers[0], x);
    node.expectEqual(width, node.size(numbers.size()), "Scaler has rows of another number of columns");
    return node.along(node.numbersConstant(numbers, elementOf(x)), rankOf(x) - 1, x);
  };
  Value offset = columnsOf("offset"), scale = columnsOf("scale");
  if (node.hasFailed())
    return failure();
  return node.cast(node.binary<MulOp>(node.binary<SubOp>(x, offset), scale), node.builder.getF32Type());
}

/// Rows by their largest number, the sum of sizes or the length; rows of zeros stay.
Results normalizer(Node &node) {
  Value x = node.cast(node[0], node.builder.getF32Type());
  StringRef norm = node.string("norm", "MAX");
  if (rankOf(x) < 1 || (norm != "MAX" && norm != "L1" && norm != "L2"))
    return node.error() << "expects an operand of rank 1 or more and norm MAX, L1 or L2, but has " << typeOf(x)
                        << " and '" << norm << "'";
  int64_t last = rankOf(x) - 1;
  Value size;
  if (norm == "MAX")
    size = node.reduce(Combiner::max, x, {last}, /*keepDims=*/true);
  else if (norm == "L1")
    size = node.reduce(Combiner::sum, node.unary<AbsOp>(x), {last}, /*keepDims=*/true);
  else
    size = node.unary<SqrtOp>(node.reduce(Combiner::sum, node.binary<MulOp>(x, x), {last}, /*keepDims=*/true));
  Value isZero = node.compare(Predicate::eq, size, 0.0);
  return node.binary<DivOp>(x, node.broadcastTo(node.select(isZero, node.splat(1, size), size), node.sizesOf(x)));
}

/// What is equal to a number, or is none, becomes another, for all columns or for each of them.
Results imputer(Node &node) {
  Value x = node[0];
  bool isFloat = isa<FloatType>(elementOf(x));
  SmallVector<double> numbers = isFloat ? numbersOf(node, "imputed_value_floats") : SmallVector<double>();
  SmallVector<int64_t> integers;
  if (!isFloat)
    integers = node.integers("imputed_value_int64s").value_or(integers);
  size_t count = isFloat ? numbers.size() : integers.size();
  int64_t last = rankOf(x) - 1;
  if (last < 0 || count == 0 ||
      (count != 1 && isStatic(node.sizeOf(x, last)) && !isStatic(node.sizeOf(x, last), count)))
    return node.error() << "expects one value or one for each column, but has " << count << " and " << typeOf(x);
  Value others =
      isFloat ? node.numbersConstant(numbers, elementOf(x)) : node.cast(node.integersConstant(integers), elementOf(x));
  Value value =
      count == 1 ? node.broadcast(node.reshape(others, {}), {}, node.sizesOf(x)) : node.along(others, last, x);
  if (!isFloat) {
    Value replaced = node.scalarInteger(node.integer("replaced_value_int64", 0), elementOf(x));
    Value isReplaced = node.compare(Predicate::eq, x, node.broadcast(replaced, {}, node.sizesOf(x)));
    return node.select(isReplaced, value, x);
  }
  double replaced = node.number("replaced_value_float", 0);
  Value isReplaced = std::isnan(replaced)
                         ? Value(IsNanOp::create(node.builder, node.loc, typeOf(x).clone(node.builder.getI1Type()), x))
                         : node.compare(Predicate::eq, x, replaced);
  return node.select(isReplaced, value, x);
}

/// The columns of all operands side by side; vectors are rows.
Results featureVectorizer(Node &node) {
  SmallVector<Value> parts;
  auto widths = node.integers("inputdimensions");
  if (widths && widths->size() != node.size())
    return node.error() << "expects a size for each operand in inputdimensions, but has " << widths->size();
  for (auto [i, x] : llvm::enumerate(node.all())) {
    if (!x || rankOf(x) < 1 || rankOf(x) > 2)
      return node.error() << "expects operands of rank 1 or 2";
    Value part = node.cast(rankOf(x) == 1 ? node.unsqueeze(x, {0}) : x, node.builder.getF32Type());
    AffineExpr width = node.sizeOf(part, 1), stated = widths ? node.size((*widths)[i]) : width;
    // Of more columns the first, of less zeros behind them.
    if (width != stated)
      part = node.pad(part, node.scalar(0, elementOf(part)), {node.size(0), node.size(0)},
                      {node.size(0), node.sizes.simplify(stated - width)});
    parts.push_back(part);
  }
  return node.concat(parts, 1);
}

/// 1 where a value is that category, along a new last dimension.
Results oneHotEncoder(Node &node) {
  Value x = node[0];
  Type i64 = node.builder.getI64Type();
  Value categories;
  int64_t count = 0;
  if (auto list = dyn_cast_if_present<ArrayAttr>(node.attribute("cats_strings")); list && !list.empty()) {
    // Strings are found by their place in the list.
    SmallVector<StringRef> texts(list.getAsValueRange<StringAttr>());
    count = texts.size();
    if (!isa<tenon::StringType>(elementOf(x)))
      return node.error() << "expects strings, as cats_strings are, but has " << typeOf(x);
    TypedAttr keys = DenseStringElementsAttr::get(RankedTensorType::get(count, elementOf(x)), texts);
    SmallVector<int64_t> numbers = llvm::to_vector(llvm::seq<int64_t>(0, count));
    x = LookupOp::create(node.builder, node.loc, typeOf(x).clone(i64), x, node.constant(keys),
                         node.integersConstant(numbers), node.scalarInteger(-1, i64));
    categories = node.integersConstant(numbers);
  } else if (auto numbers = node.integers("cats_int64s")) {
    count = numbers->size();
    if (isa<tenon::StringType>(elementOf(x)))
      return node.error() << "expects numbers, as cats_int64s are, but has " << typeOf(x);
    categories = node.integersConstant(*numbers);
    x = node.cast(x, i64);
  }
  if (count == 0)
    return node.error() << "expects cats_strings or cats_int64s";
  Sizes sizes = node.sizesOf(x);
  SmallVector<int64_t> dims = llvm::to_vector(llvm::seq<int64_t>(0, sizes.size()));
  sizes.push_back(node.size(count));
  Value isEqual = node.compare(Predicate::eq, node.broadcast(x, dims, sizes),
                               node.broadcast(categories, {(int64_t)dims.size()}, sizes));
  if (!node.flag("zeros", true)) {
    // Each value must be a category: as many are as there are values.
    Value isKnown = node.reduce(Combiner::max, node.cast(isEqual, i64), {(int64_t)dims.size()});
    auto known = node.elements(node.reduce(Combiner::sum, isKnown, dims));
    if (!known)
      return failure();
    node.expectEqual(known->front(), node.product(node.sizesOf(x)), "OneHotEncoder has a value that is no category");
  }
  return node.cast(isEqual, node.builder.getF32Type());
}
/// A dictionary per row. Its keys are known: the values stay a tensor, whose columns have them as names.
Results zipMap(Node &node) {
  auto keys = dyn_cast_if_present<ArrayAttr>(node.attribute("classlabels_strings"));
  if (keys && keys.empty())
    keys = {};
  if (auto numbers = node.integers("classlabels_int64s"); numbers && !numbers->empty()) {
    if (keys)
      return node.error() << "has both classlabels_strings and classlabels_int64s";
    keys = node.builder.getI64ArrayAttr(*numbers);
  }
  if (!keys)
    return node.error() << "expects classlabels_strings or classlabels_int64s";
  Value x = node[0];
  if (rankOf(x) == 1)
    x = node.unsqueeze(x, {0});
  if (rankOf(x) != 2)
    return node.error() << "expects an operand of rank 1 or 2, but has " << typeOf(x);
  for (OpOperand &use : node.op->getResult(0).getUses()) {
    auto function = dyn_cast<func::FuncOp>(use.getOwner()->getParentOp());
    if (!function)
      return node.unsupported() << "a dictionary is used in the model, where only outputs can be dictionaries";
    auto name = function.getResultAttrOfType<StringAttr>(use.getOperandNumber(), "tenon.name");
    if (name)
      setKeys(function->getParentOfType<ModuleOp>(), name, keys);
  }
  node.expectEqual(node.sizeOf(x, 1), node.size(keys.size()), "ZipMap expects a column for each of its keys");
  return x;
}
} // namespace

void onnx::addMachineLearningConverters(ConverterTable &table) {
  table.add("ai.onnx.ml.ArrayFeatureExtractor", 1, 2, 2, arrayFeatureExtractor, Accepts::tensors);
  table.add("ai.onnx.ml.Binarizer", 1, 1, 1, binarizer);
  table.add("ai.onnx.ml.FeatureVectorizer", 1, 1, ConverterTable::variadic, featureVectorizer);
  table.add("ai.onnx.ml.Imputer", 1, 1, 1, imputer);
  table.add("ai.onnx.ml.LinearClassifier", 1, 1, 1, linearClassifier);
  table.add("ai.onnx.ml.LinearRegressor", 1, 1, 1, linearRegressor);
  table.add("ai.onnx.ml.Normalizer", 1, 1, 1, normalizer);
  table.add("ai.onnx.ml.OneHotEncoder", 1, 1, 1, oneHotEncoder, Accepts::tensors);
  table.add("ai.onnx.ml.Scaler", 1, 1, 1, scaler);
  table.add("ai.onnx.ml.ZipMap", 1, 1, 1, zipMap);
  for (StringRef name : {"ai.onnx.ml.CastMap", "ai.onnx.ml.DictVectorizer"})
    table.refuse(name,
                 "it takes a dictionary, which no tensor is; give the model what the dictionary holds as tensors");
  addSupportVectorConverters(table);
  addTextConverters(table);
  addTrainingConverters(table);
  addTreeConverters(table);
}
