//===- Strings.cpp - ONNX operators on strings, and functions from outside ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Loop.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

namespace {
bool areStrings(Node &node) {
  for (Value value : node.all())
    if (!isa<tenon::StringType>(elementOf(value))) {
      node.error() << "expects strings, but has " << typeOf(value);
      return false;
    }
  return true;
}

SmallVector<int64_t> shapeOf(Value value) { return SmallVector<int64_t>(typeOf(value).getShape()); }

Results stringConcat(Node &node) {
  SmallVector<Value> values(node.all());
  if (!areStrings(node) || !node.broadcastAll(values))
    return failure();
  return Value(StringConcatOp::create(node.builder, node.loc, values[0].getType(), values[0], values[1]));
}

Results regexFullMatch(Node &node) {
  if (!areStrings(node))
    return failure();
  if (!node.hasAttribute("pattern"))
    return node.error() << "expects the attribute 'pattern'";
  Type type = typeOf(node[0]).clone(node.builder.getI1Type());
  return Value(StringMatchOp::create(node.builder, node.loc, type, node[0], node.string("pattern", "")));
}

Results stringNormalizer(Node &node) {
  std::string change = node.string("case_change_action", "NONE").lower();
  if (!areStrings(node))
    return failure();
  auto words = dyn_cast_if_present<ArrayAttr>(node.attribute("stopwords"));
  SmallVector<int64_t> shape = shapeOf(node[0]);
  if (shape.empty())
    return node.error() << "expects rank 1 or 2, but has " << typeOf(node[0]);
  Value x = node[0];
  if (shape.size() == 2)
    x = node.withSize(x, 0, node.size(1), "one row of strings");
  if (node.hasFailed())
    return failure();
  shape = shapeOf(x);
  shape.back() = ShapedType::kDynamic;
  return Value(StringNormalizeOp::create(node.builder, node.loc, RankedTensorType::get(shape, elementOf(x)), change, x,
                                         words ? words : node.builder.getStrArrayAttr({}),
                                         node.flag("is_case_sensitive")));
}

Results stringSplit(Node &node) {
  if (!areStrings(node))
    return failure();
  SmallVector<int64_t> shape = shapeOf(node[0]);
  Type counts = RankedTensorType::get(shape, node.builder.getI64Type());
  shape.push_back(ShapedType::kDynamic);
  auto op = StringSplitOp::create(node.builder, node.loc, RankedTensorType::get(shape, elementOf(node[0])), counts,
                                  node[0], node.string("delimiter", ""), node.integer("maxsplit", -1));
  return {op.getParts(), op.getCounts()};
}

/// A list under `keys_strings`, `keys_int64s` or the like, or nothing.
TypedAttr listAttribute(Node &node, StringRef what) {
  Builder &builder = node.builder;
  auto vectorOf = [](size_t size, Type element) { return RankedTensorType::get({(int64_t)size}, element); };
  if (auto list = dyn_cast_if_present<ArrayAttr>(node.attribute((what + "_strings").str()))) {
    SmallVector<StringRef> texts(list.getAsValueRange<StringAttr>());
    return DenseStringElementsAttr::get(vectorOf(texts.size(), tenon::StringType::get(builder.getContext())), texts);
  }
  if (auto list = dyn_cast_if_present<DenseI64ArrayAttr>(node.attribute((what + "_int64s").str())))
    return DenseElementsAttr::get(vectorOf(list.size(), builder.getI64Type()), list.asArrayRef());
  if (auto list = dyn_cast_if_present<DenseF32ArrayAttr>(node.attribute((what + "_floats").str())))
    return DenseElementsAttr::get(vectorOf(list.size(), builder.getF32Type()), list.asArrayRef());
  return dyn_cast_if_present<TypedAttr>(node.attribute((what + "_tensor").str()));
}

Results labelEncoder(Node &node) {
  TypedAttr keys = listAttribute(node, "keys"), values = listAttribute(node, "values");
  if (!keys || !values)
    return node.error() << "expects keys and values";
  Type element = cast<ShapedType>(values.getType()).getElementType();
  auto scalar = RankedTensorType::get({}, element);
  TypedAttr fallback = dyn_cast_if_present<TypedAttr>(node.attribute("default_tensor"));
  if (!fallback && isa<tenon::StringType>(element))
    fallback = DenseStringElementsAttr::get(scalar, node.string("default_string", "_Unused"));
  else if (!fallback && element.isInteger(64))
    fallback = DenseElementsAttr::get(scalar, node.integer("default_int64", -1));
  else if (!fallback && element.isF32())
    fallback = DenseElementsAttr::get(scalar, (float)node.number("default_float", -0.0));
  if (!fallback || cast<ShapedType>(fallback.getType()).getElementType() != element)
    return node.error() << "expects a default of the values' element type, " << element;
  Value otherwise = node.reshape(node.constant(fallback), {});
  return Value(LookupOp::create(node.builder, node.loc, typeOf(node[0]).clone(element), node[0], node.constant(keys),
                                node.constant(values), otherwise));
}

/// Strings to integers or back, by two lists of one length.
Value mapped(Node &node, ArrayAttr texts, ArrayRef<int64_t> numbers) {
  Value x = node[0];
  Builder &builder = node.builder;
  Type i64 = builder.getI64Type(), string = tenon::StringType::get(builder.getContext());
  if (!texts || texts.size() != numbers.size()) {
    node.error() << "expects as many strings as integers, but has " << (texts ? texts.size() : 0) << " and "
                 << numbers.size();
    return {};
  }
  SmallVector<StringRef> words(texts.getAsValueRange<StringAttr>());
  auto textsOf = [&](ArrayRef<int64_t> shape, ArrayRef<StringRef> values) {
    return node.constant(DenseStringElementsAttr::get(RankedTensorType::get(shape, string), values));
  };
  Value strings = textsOf({(int64_t)words.size()}, words), integers = node.integersConstant(numbers);
  if (isa<tenon::StringType>(elementOf(x)))
    return LookupOp::create(node.builder, node.loc, typeOf(x).clone(i64), x, strings, integers,
                            node.scalarInteger(node.integer("default_int64", -1), i64));
  Value otherwise = textsOf({}, {node.string("default_string", "_Unused")});
  return LookupOp::create(node.builder, node.loc, typeOf(x).clone(string), node.cast(x, i64), integers, strings,
                          otherwise);
}

Results categoryMapper(Node &node) {
  Value result = mapped(node, dyn_cast_if_present<ArrayAttr>(node.attribute("cats_strings")),
                        node.integers("cats_int64s").value_or(SmallVector<int64_t>()));
  return result ? Results(result) : Results(failure());
}

/// Strings by their places in a list, or back.
Results labelEncoderByPlace(Node &node) {
  auto texts = dyn_cast_if_present<ArrayAttr>(node.attribute("classes_strings"));
  Value result = mapped(node, texts, llvm::to_vector(llvm::seq<int64_t>(0, texts ? texts.size() : 0)));
  return result ? Results(result) : Results(failure());
}

/// A function that the application or a library has. Results have the types that the model states; with `sizes_of`
/// result i has the sizes of that operand, else what isn't stated the function says.
Results callExternal(Node &node) {
  if (!node.hasAttribute("function"))
    return node.error() << "expects the attribute 'function'";
  for (Type type : node.op->getResultTypes())
    if (!isa<RankedTensorType, SequenceType, OptionalType>(type))
      return node.error() << "expects the model to state types of all results, tensors with their rank";
  auto like = node.integers("sizes_of");
  auto call = CallExternalOp::create(node.builder, node.loc, node.op->getResultTypes(), node.string("function", ""),
                                     node.string("library", ""), node.all());
  for (auto [i, operand] : llvm::enumerate(like.value_or(SmallVector<int64_t>()))) {
    Value result = i < call.getNumResults() ? call.getResult(i) : Value();
    if (operand < 0)
      continue;
    if (!result || !isa<RankedTensorType>(result.getType()) || !node.has(operand) ||
        !isa<RankedTensorType>(node[operand].getType()) || rankOf(node[operand]) != rankOf(result))
      return node.error() << "expects an operand of the rank of result " << i << " in 'sizes_of', but has " << operand;
    bindSizes(node, result, node.sizesOf(node[operand]));
  }
  return Results(ArrayRef(llvm::to_vector_of<Value>(call.getResults())));
}
} // namespace

void onnx::addStringConverters(ConverterTable &table) {
  constexpr auto strings = Accepts::tensors;
  table.add("StringConcat", 20, 2, 2, stringConcat, strings);
  table.add("RegexFullMatch", 20, 1, 1, regexFullMatch, strings);
  table.add("StringNormalizer", 10, 1, 1, stringNormalizer, strings);
  table.add("StringSplit", 20, 1, 1, stringSplit, strings);
  table.add("ai.onnx.ml.CategoryMapper", 1, 1, 1, categoryMapper, strings);
  table.add("ai.onnx.ml.LabelEncoder", 1, 1, 1, labelEncoderByPlace, strings);
  table.add("ai.onnx.ml.LabelEncoder", 2, 1, 1, labelEncoder, strings);
  table.refuse("ImageDecoder",
               "decoding needs a library for each format of images; decode before the model, and give it "
               "the pixels");
  table.add("tenon.CallExternal", 1, 0, ConverterTable::variadic, callExternal, Accepts::values);
}
