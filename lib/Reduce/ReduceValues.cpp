//===- ReduceValues.cpp - Makes sizes, constants and attributes simpler ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Reductions.h"

#include "tenon/Dialect/ONNX/IR/ONNXOps.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/AttrTypeSubElements.h"

#include <set>

using namespace mlir;
using namespace tenon;
using namespace tenon::reduce;

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

/// All elements 1.
static Attribute ones(ShapedType type) {
  Builder builder(type.getContext());
  Type element = type.getElementType();
  if (auto floating = dyn_cast<FloatType>(element))
    return DenseElementsAttr::get(type, builder.getFloatAttr(floating, 1.0));
  return element.isIntOrIndex() ? DenseElementsAttr::get(type, builder.getIntegerAttr(element, 1)) : Attribute();
}

static SmallVector<ConstantOp> unequalConstants(ModuleOp module) {
  SmallVector<ConstantOp> constants;
  module.walk([&](ConstantOp constant) {
    if (!isa<SplatElementsAttr>(constant.getValue()) && ones(constant.getType()))
      constants.push_back(constant);
  });
  return constants;
}

Reduction tenon::reduce::elementReduction() {
  return {[](ModuleOp module) -> unsigned { return unequalConstants(module).size(); },
          [](ModuleOp module, unsigned begin, unsigned end) {
            for (ConstantOp constant : ArrayRef(unequalConstants(module)).slice(begin, end - begin))
              constant.setValueAttr(cast<TypedAttr>(ones(constant.getType())));
            return true;
          }};
}

/// The first elements of a constant under another type, or ones where they aren't whole bytes.
static Attribute resized(Attribute value, ShapedType type) {
  if (auto splat = dyn_cast<SplatElementsAttr>(value))
    return splat.resizeSplat(type);
  Type element = type.getElementType();
  ArrayRef<char> bytes;
  if (auto dense = dyn_cast<DenseIntOrFPElementsAttr>(value))
    bytes = dense.getRawData();
  else if (auto blob = dyn_cast<tenon::BlobAttr>(value)) {
    if (llvm::Expected<ArrayRef<char>> data = blob.getData())
      bytes = *data;
    else
      llvm::consumeError(data.takeError());
  }
  if (!element.isIntOrFloat() || element.getIntOrFloatBitWidth() % 8 != 0)
    return ones(type);
  size_t needed = type.getNumElements() * (element.getIntOrFloatBitWidth() / 8);
  return needed <= bytes.size() && needed != 0 ? DenseElementsAttr::getFromRawBuffer(type, bytes.take_front(needed))
                                               : ones(type);
}

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

SmallVector<int64_t> tenon::reduce::sizesIn(ModuleOp module) {
  std::set<int64_t, std::greater<>> sizes;
  auto add = [&](TypeRange types) {
    for (Type type : types)
      if (auto shaped = dyn_cast<ShapedType>(type); shaped && shaped.hasRank())
        for (int64_t size : shaped.getShape())
          if (size > 1)
            sizes.insert(size);
  };
  module.walk([&](Operation *op) {
    add(op->getResultTypes());
    for (Region &region : op->getRegions())
      for (Block &block : region)
        add(block.getArgumentTypes());
  });
  return SmallVector<int64_t>(sizes.begin(), sizes.end());
}

void tenon::reduce::replaceSize(ModuleOp module, int64_t from, int64_t to, bool withMultiples) {
  auto isMeant = [&](int64_t size) {
    return size == from || (withMultiples && !ShapedType::isDynamic(size) && size > from && size % from == 0);
  };
  auto replaced = [&](ArrayRef<int64_t> sizes) {
    return llvm::map_to_vector(sizes, [&](int64_t size) { return isMeant(size) ? size / from * to : size; });
  };
  AttrTypeReplacer replacer;
  replacer.addReplacement([&](ShapedType type) -> std::optional<Type> {
    return type.hasRank() ? std::optional<Type>(type.clone(replaced(type.getShape()))) : std::nullopt;
  });
  replacer.addReplacement([&](DenseI64ArrayAttr sizes) -> std::optional<Attribute> {
    return DenseI64ArrayAttr::get(sizes.getContext(), replaced(sizes.asArrayRef()));
  });
  replacer.addReplacement([&](ElementsAttr value) -> std::optional<std::pair<Attribute, WalkResult>> {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    if (!type)
      return std::nullopt;
    Attribute result = value;
    auto dense = dyn_cast<DenseIntElementsAttr>(value);
    // A shape that is computed with.
    if (dense && type.getElementType().isInteger(64) && type.getNumElements() <= 16) {
      SmallVector<int64_t> elements(dense.getValues<int64_t>());
      result = DenseElementsAttr::get(type, ArrayRef<int64_t>(replaced(elements)));
    }
    if (llvm::any_of(type.getShape(), isMeant))
      result = resized(result, type.clone(replaced(type.getShape())));
    return std::pair(result ? result : value, WalkResult::skip());
  });
  replacer.addReplacement([&](tenon::BlobAttr value) -> std::optional<std::pair<Attribute, WalkResult>> {
    auto type = cast<ShapedType>(value.getType());
    Attribute result = llvm::any_of(type.getShape(), isMeant) ? resized(value, type.clone(replaced(type.getShape())))
                                                              : Attribute(value);
    return std::pair(result ? result : value, WalkResult::skip());
  });
  replacer.recursivelyReplaceElementsIn(module, /*replaceAttrs=*/true, /*replaceLocs=*/false, /*replaceTypes=*/true);
}

/// The names of sizes in inputs of imported models; "" for those without one.
static std::vector<std::string> namesOfSizes(ModuleOp module) {
  std::vector<std::string> names;
  for (auto function : module.getOps<func::FuncOp>())
    for (unsigned i = 0; i < function.getNumArguments(); ++i) {
      auto dims = function.getArgAttrOfType<ArrayAttr>(i, "tenon.dims");
      auto type = dyn_cast<RankedTensorType>(function.getArgumentTypes()[i]);
      if (!dims || !type || (int64_t)dims.size() != type.getRank())
        continue;
      for (auto [size, name] : llvm::zip(type.getShape(), dims.getAsRange<StringAttr>()))
        if (ShapedType::isDynamic(size) && !llvm::is_contained(names, name.getValue()))
          names.push_back(name.str());
    }
  return names;
}

/// The type and names of a value whose sizes of these names are 3.
static bool fixSizes(ArrayRef<std::string> names, Type &type, ArrayAttr &dims) {
  auto ranked = dyn_cast<RankedTensorType>(type);
  if (!dims || !ranked || (int64_t)dims.size() != ranked.getRank())
    return false;
  SmallVector<int64_t> shape(ranked.getShape());
  SmallVector<Attribute> left(dims.begin(), dims.end());
  for (auto [size, name] : llvm::zip(shape, left))
    if (ShapedType::isDynamic(size) && llvm::is_contained(names, cast<StringAttr>(name).getValue())) {
      size = 3;
      name = StringAttr::get(type.getContext(), "");
    }
  type = ranked.clone(shape);
  dims = ArrayAttr::get(type.getContext(), left);
  return true;
}

Reduction tenon::reduce::symbolicSizeReduction() {
  auto apply = [](ModuleOp module, unsigned begin, unsigned end) {
    std::vector<std::string> names = namesOfSizes(module);
    ArrayRef<std::string> fixed = ArrayRef(names).slice(begin, end - begin);
    for (auto function : module.getOps<func::FuncOp>()) {
      if (function.isExternal())
        continue;
      for (BlockArgument argument : function.getArguments()) {
        Type type = argument.getType();
        auto dims = function.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(), "tenon.dims");
        if (!fixSizes(fixed, type, dims))
          continue;
        argument.setType(type);
        function.setArgAttr(argument.getArgNumber(), "tenon.dims", dims);
      }
      function.setFunctionType(
          FunctionType::get(module.getContext(), function.getBody().getArgumentTypes(), function.getResultTypes()));
    }
    return true;
  };
  return {[](ModuleOp module) -> unsigned { return namesOfSizes(module).size(); }, apply};
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

namespace {
struct AttributePlace {
  Operation *op;
  StringAttr name;
  bool isOfNode;
  Attribute byDefault; ///< null where an op may do without
};
} // namespace

/// What an attribute of an op is that nobody sets, or null.
static Attribute defaultOf(Operation *op, StringAttr name) {
  if (!op->getPropertiesStorage())
    return {};
  Operation *unset = Operation::create(op->getLoc(), op->getName(), TypeRange(), ValueRange(), NamedAttrList(),
                                       OpaqueProperties(nullptr), BlockRange(), /*numRegions=*/0);
  Attribute value = unset->getInherentAttr(name).value_or(Attribute());
  unset->destroy();
  return value;
}

/// Attributes that an op may do without; which it can't, its verifier says.
static SmallVector<AttributePlace> attributesOf(ModuleOp module) {
  static constexpr StringRef kNeeded[] = {"sym_name",  "function_type",   "value",
                                          "op_type",   "version",         "arg_attrs",
                                          "res_attrs", "node_attributes", "operandSegmentSizes"};
  SmallVector<AttributePlace> places;
  module.walk([&](Operation *op) {
    for (NamedAttribute attribute : op->getAttrs())
      if (!llvm::is_contained(kNeeded, attribute.getName().getValue()))
        if (Attribute value = defaultOf(op, attribute.getName()); value != attribute.getValue())
          places.push_back({op, attribute.getName(), false, value});
    if (auto node = dyn_cast<onnx::NodeOp>(op))
      for (NamedAttribute attribute : node.getNodeAttributes())
        places.push_back({op, attribute.getName(), true, {}});
  });
  return places;
}

Reduction tenon::reduce::attributeReduction() {
  return {[](ModuleOp module) -> unsigned { return attributesOf(module).size(); },
          [](ModuleOp module, unsigned begin, unsigned end) {
            SmallVector<AttributePlace> places = attributesOf(module);
            for (const AttributePlace &place : ArrayRef(places).slice(begin, end - begin))
              if (auto node = dyn_cast<onnx::NodeOp>(place.op); node && place.isOfNode) {
                NamedAttrList left(node.getNodeAttributes());
                left.erase(place.name);
                node.setNodeAttributesAttr(left.getDictionary(module.getContext()));
              } else if (place.byDefault) {
                place.op->setAttr(place.name, place.byDefault);
              } else {
                place.op->removeAttr(place.name);
              }
            return true;
          }};
}
