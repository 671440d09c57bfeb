//===- ModuleMutator.cpp - Mutations of IR ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ModuleMutator.h"

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/StringExtras.h"

#include <cmath>

using namespace mlir;
using namespace tenon::fuzz;

namespace tenon::fuzz {
namespace {
using Random = std::minstd_rand;

constexpr int64_t kNumbers[] = {0,
                                1,
                                2,
                                3,
                                4,
                                5,
                                7,
                                8,
                                16,
                                63,
                                64,
                                -1,
                                -2,
                                -7,
                                1 << 20,
                                INT32_MAX,
                                INT64_MAX,
                                INT64_MIN,
                                int64_t(1) << 33,
                                int64_t(1) << 40,
                                -(int64_t(1) << 40)};

int64_t number(Random &random) { return kNumbers[random() % std::size(kNumbers)]; }
int64_t near(int64_t value, Random &random) {
  switch (random() % 4) {
  case 0:
    return int64_t(uint64_t(value) + 1);
  case 1:
    return int64_t(uint64_t(value) - 1);
  default:
    return number(random);
  }
}

template <typename List> decltype(auto) pick(List &&list, Random &random) {
  return *std::next(std::begin(list), random() % std::size(list));
}

/// A list with an element less, twice, swapped or changed.
template <typename T, typename Change> void mutateList(SmallVectorImpl<T> &list, Random &random, Change change) {
  if (list.empty()) {
    list.push_back(change(T()));
    return;
  }
  size_t at = random() % list.size();
  switch (random() % 7) {
  case 0:
    list.erase(list.begin() + at);
    break;
  case 1:
    list.insert(list.begin() + at, T(list[at]));
    break;
  case 2:
    std::swap(list[at], list[random() % list.size()]);
    break;
  case 3:
    list[at] = list[random() % list.size()];
    break;
  default:
    list[at] = change(list[at]);
  }
}

SmallVector<Operation *> operationsIn(Operation *root) {
  SmallVector<Operation *> list;
  root->walk([&](Operation *op) {
    if (op != root)
      list.push_back(op);
  });
  return list;
}

/// Values that an op may name: those before it in its block and in the blocks around it.
SmallVector<Value> visibleFrom(Operation *op) {
  SmallVector<Value> values;
  for (Operation *at = op; at && at->getBlock(); at = at->getParentOp()) {
    for (Operation &before : *at->getBlock()) {
      if (&before == at)
        break;
      llvm::append_range(values, before.getResults());
    }
    llvm::append_range(values, at->getBlock()->getArguments());
    if (at->getParentOp()->hasTrait<OpTrait::IsIsolatedFromAbove>())
      break;
  }
  return values;
}

Value pickVisible(Operation *op, Type type, Random &random) {
  SmallVector<Value> values = visibleFrom(op);
  if (type)
    llvm::erase_if(values, [&](Value value) { return value.getType() != type; });
  return values.empty() ? Value() : pick(values, random);
}

Type elementType(MLIRContext *context, Random &random) {
  Builder b(context);
  Type choices[] = {b.getI1Type(),
                    b.getIntegerType(4),
                    b.getI8Type(),
                    b.getIntegerType(8, false),
                    b.getI32Type(),
                    b.getI64Type(),
                    b.getIntegerType(64, false),
                    b.getF16Type(),
                    b.getBF16Type(),
                    b.getF32Type(),
                    b.getF64Type(),
                    b.getIndexType(),
                    Float8E4M3FNType::get(context),
                    ComplexType::get(b.getF32Type()),
                    b.getIntegerType(7),
                    IntegerType::get(context, 32, IntegerType::Signed),
                    b.getIntegerType(2, false),
                    Float128Type::get(context),
                    b.getIntegerType(129)};
  return pick(choices, random);
}
/// Above this number of elements constants stay as they are.
constexpr int64_t kMostElements = 4096;

/// Elements of a constant as those of another type, over and over: what programs of other sizes have.
Attribute retype(DenseElementsAttr constant, ShapedType type) {
  Type element = type.getElementType();
  bool isKnown = isa<DenseIntOrFPElementsAttr>(constant) && constant.getElementType().isIntOrFloat();
  if (!isKnown || constant.empty() || !type.hasStaticShape() || !element.isIntOrFloat())
    return constant;
  int64_t count = 1;
  for (int64_t size : type.getShape())
    if (size < 0 || llvm::MulOverflow(count, size, count) || count > kMostElements)
      return constant;
  // What a splat has one of, or the first of it.
  int64_t known = constant.isSplat() ? 1 : std::min(constant.getNumElements(), std::max<int64_t>(count, 1));
  SmallVector<Attribute> values;
  for (auto value : llvm::make_range(constant.value_begin<Attribute>(), constant.value_begin<Attribute>() + known)) {
    auto integer = dyn_cast<IntegerAttr>(value);
    double real =
        integer ? double(integer.getValue().sextOrTrunc(64).getSExtValue()) : cast<FloatAttr>(value).getValueAsDouble();
    if (isa<FloatType>(element)) {
      values.push_back(FloatAttr::get(element, real));
      continue;
    }
    int64_t rounded = std::isfinite(real) ? int64_t(std::fmod(real, 1e9)) : 0;
    APInt whole = integer ? integer.getValue() : APInt(64, rounded, /*isSigned=*/true);
    values.push_back(IntegerAttr::get(element, whole.sextOrTrunc(element.getIntOrFloatBitWidth())));
  }
  if (values.size() == 1 || count == 0)
    return count == 0 ? DenseElementsAttr::get(type, ArrayRef<Attribute>())
                      : DenseElementsAttr::get(type, values.front());
  SmallVector<Attribute> all;
  for (int64_t i = 0; i < count; ++i)
    all.push_back(values[i % values.size()]);
  return DenseElementsAttr::get(type, all);
}

/// Other types everywhere in a module, constants with them. Integers that lists of attributes state may be sizes, too.
void replaceTypes(
    ModuleOp module, llvm::function_ref<std::optional<Type>(Type)> change,
    llvm::function_ref<int64_t(int64_t)> changeSize = [](int64_t size) { return size; }) {
  AttrTypeReplacer replacer;
  replacer.addReplacement([&](Type type) { return change(type); });
  replacer.addReplacement([&](DenseElementsAttr constant) {
    auto type = dyn_cast_if_present<ShapedType>(replacer.replace(constant.getType()));
    Attribute changed = type && type != constant.getType() ? retype(constant, type) : constant;
    return std::make_optional(std::make_pair(changed, WalkResult::skip()));
  });
  replacer.addReplacement([&](DenseI64ArrayAttr list) {
    SmallVector<int64_t> values = llvm::map_to_vector(list.asArrayRef(), changeSize);
    Attribute changed = DenseI64ArrayAttr::get(list.getContext(), values);
    return std::make_optional(std::make_pair(changed, WalkResult::skip()));
  });
  replacer.recursivelyReplaceElementsIn(module, /*replaceAttrs=*/true, /*replaceLocs=*/false, /*replaceTypes=*/true);
}
} // namespace
} // namespace tenon::fuzz

void tenon::fuzz::ModuleMutator::learn(ModuleOp seed) {
  seed.walk([&](Operation *op) {
    if (op != seed && op->getParentOp())
      operations.push_back(op);
    for (NamedAttribute named : op->getAttrs())
      attributes[named.getName()].insert(named.getValue());
    for (Region &region : op->getRegions())
      for (Block &block : region)
        for (BlockArgument argument : block.getArguments())
          types.insert(argument.getType());
    for (Type type : op->getResultTypes())
      types.insert(type);
  });
}

//===----------------------------------------------------------------------===//
// Attributes and types
//===----------------------------------------------------------------------===//

Type tenon::fuzz::ModuleMutator::mutateType(Type type, Random &random) const {
  if (random() % 8 == 0 && !types.empty())
    return pick(types, random);
  if (auto function = dyn_cast<FunctionType>(type)) {
    SmallVector<Type> inputs(function.getInputs()), results(function.getResults());
    mutateList(random() % 2 ? inputs : results, random,
               [&](Type t) { return t ? mutateType(t, random) : pick(types, random); });
    return FunctionType::get(type.getContext(), inputs, results);
  }
  auto shaped = dyn_cast<ShapedType>(type);
  if (!shaped || !shaped.hasRank())
    return random() % 2 ? elementType(type.getContext(), random) : pick(types, random);
  SmallVector<int64_t> shape(shaped.getShape());
  Type element = shaped.getElementType();
  if (random() % 2)
    element = elementType(type.getContext(), random);
  else
    mutateList(shape, random, [&](int64_t size) {
      return random() % 3 == 0    ? ShapedType::kDynamic
             : random() % 12 == 0 ? std::abs(number(random) / 2)
                                  : int64_t(random() % 9);
    });
  if (isa<RankedTensorType>(type))
    return RankedTensorType::get(shape, element);
  if (auto memref = dyn_cast<MemRefType>(type); memref && BaseMemRefType::isValidElementType(element)) {
    bool keepsRank = memref.getRank() == int64_t(shape.size());
    MemRefLayoutAttrInterface layout = keepsRank ? memref.getLayout() : MemRefLayoutAttrInterface();
    if (auto strided = dyn_cast_if_present<StridedLayoutAttr>(layout); strided && random() % 4 == 0) {
      SmallVector<int64_t> strides(strided.getStrides());
      for (int64_t &stride : strides)
        stride = random() % 2 ? stride : random() % 2 ? ShapedType::kDynamic : near(stride, random);
      layout = StridedLayoutAttr::get(type.getContext(), near(strided.getOffset(), random), strides);
    }
    return MemRefType::get(shape, element, layout, memref.getMemorySpace());
  }
  if (isa<VectorType>(type) && VectorType::isValidElementType(element) &&
      llvm::all_of(shape, [](int64_t size) { return size > 0; }))
    return VectorType::get(shape, element);
  return pick(types, random);
}

Attribute tenon::fuzz::ModuleMutator::mutateAttribute(Attribute attribute, Random &random) const {
  MLIRContext *context = attribute.getContext();
  Builder builder(context);
  if (auto integer = dyn_cast<IntegerAttr>(attribute)) {
    unsigned width = integer.getValue().getBitWidth();
    if (width == 1)
      return builder.getBoolAttr(integer.getValue().isZero());
    if (width > 64)
      return attribute;
    int64_t value = near(integer.getValue().getSExtValue(), random);
    return IntegerAttr::get(integer.getType(), APInt(width, uint64_t(value), false, /*implicitTrunc=*/true));
  }
  if (auto real = dyn_cast<FloatAttr>(attribute)) {
    double values[] = {0.0, -0.0, 1.0, -1.0, 1e300, -1e-300, INFINITY, NAN};
    return FloatAttr::get(real.getType(), pick(values, random));
  }
  if (auto array = dyn_cast<DenseI64ArrayAttr>(attribute)) {
    SmallVector<int64_t> values(array.asArrayRef());
    mutateList(values, random, [&](int64_t value) { return near(value, random); });
    return builder.getDenseI64ArrayAttr(values);
  }
  if (auto array = dyn_cast<DenseI32ArrayAttr>(attribute)) {
    SmallVector<int32_t> values(array.asArrayRef());
    mutateList(values, random, [&](int32_t value) { return int32_t(near(value, random)); });
    return builder.getDenseI32ArrayAttr(values);
  }
  if (auto constant = dyn_cast<DenseIntOrFPElementsAttr>(attribute);
      constant && constant.getElementType().isIntOrFloat() && !constant.empty() &&
      constant.getNumElements() <= kMostElements) {
    SmallVector<Attribute> values(constant.getValues<Attribute>());
    for (unsigned round = 1 + random() % 2; round != 0; --round) {
      Attribute &value = pick(values, random);
      value = mutateAttribute(value, random);
    }
    return DenseElementsAttr::get(constant.getType(), values);
  }
  if (auto array = dyn_cast<ArrayAttr>(attribute)) {
    SmallVector<Attribute> values(array.getValue());
    mutateList(values, random,
               [&](Attribute value) { return value ? mutateAttribute(value, random) : builder.getUnitAttr(); });
    return builder.getArrayAttr(values);
  }
  if (auto dictionary = dyn_cast<DictionaryAttr>(attribute)) {
    NamedAttrList list(dictionary);
    auto &named = pick(attributes, random);
    if (random() % 2 && !dictionary.empty()) {
      NamedAttribute chosen = pick(dictionary.getValue(), random);
      list.set(chosen.getName(), mutateAttribute(chosen.getValue(), random));
    } else
      list.set(named.first, pick(named.second, random));
    return list.getDictionary(context);
  }
  if (auto map = dyn_cast<AffineMapAttr>(attribute)) {
    AffineMap value = map.getValue();
    SmallVector<AffineExpr> results(value.getResults());
    mutateList(results, random, [&](AffineExpr old) {
      AffineExpr constant = getAffineConstantExpr(number(random), context);
      AffineExpr dim = getAffineDimExpr(random() % (value.getNumDims() + 1), context);
      AffineExpr symbol = getAffineSymbolExpr(random() % (value.getNumSymbols() + 1), context);
      if (!old || random() % 2)
        return random() % 3 == 0 ? constant : random() % 2 ? dim : symbol;
      return random() % 3 == 0 ? old + dim : random() % 2 ? old * 2 : old.floorDiv(constant);
    });
    unsigned dims = value.getNumDims(), symbols = value.getNumSymbols();
    for (AffineExpr result : results)
      result.walk([&](AffineExpr part) {
        if (auto dim = dyn_cast<AffineDimExpr>(part))
          dims = std::max(dims, dim.getPosition() + 1);
        if (auto symbol = dyn_cast<AffineSymbolExpr>(part))
          symbols = std::max(symbols, symbol.getPosition() + 1);
      });
    return AffineMapAttr::get(AffineMap::get(dims + (random() % 8 == 0), symbols, results, context));
  }
  if (auto type = dyn_cast<TypeAttr>(attribute))
    return TypeAttr::get(mutateType(type.getValue(), random));
  if (isa<SymbolRefAttr>(attribute)) {
    auto names = attributes.find(builder.getStringAttr("sym_name"));
    auto name = names == attributes.end() ? StringAttr() : dyn_cast<StringAttr>(pick(names->second, random));
    return name && random() % 4 ? FlatSymbolRefAttr::get(name) : FlatSymbolRefAttr::get(context, "nobody");
  }
  if (isa<StringAttr>(attribute)) {
    StringRef words[] = {"", "main", "x", "tenon_runtime", "k", "gpu", "\x1b[31m\n\"", "a"};
    return builder.getStringAttr(pick(words, random));
  }
  return pick(pick(attributes, random).second, random);
}

//===----------------------------------------------------------------------===//
// Modules
//===----------------------------------------------------------------------===//

void tenon::fuzz::ModuleMutator::mutate(ModuleOp module, Random &random) const {
  SmallVector<Operation *> list = operationsIn(module);
  if (list.empty())
    return;
  Operation *op = pick(list, random);
  MLIRContext *context = module.getContext();
  switch (random() % 22) {
  case 0: // another operand of the same type, or of any
  case 1: {
    if (op->getNumOperands() == 0)
      return;
    OpOperand &operand = op->getOpOperand(random() % op->getNumOperands());
    if (Value value = pickVisible(op, random() % 4 ? operand.get().getType() : Type(), random))
      operand.set(value);
    return;
  }
  case 2: { // an operand less or twice
    if (op->getNumOperands() == 0)
      return;
    unsigned at = random() % op->getNumOperands();
    if (random() % 2)
      op->eraseOperand(at);
    else
      op->insertOperands(at, op->getOperand(at));
    return;
  }
  case 3: // the op itself
    if (op->getNumOperands() != 0 && op->getNumResults() != 0)
      op->setOperand(random() % op->getNumOperands(), op->getResult(random() % op->getNumResults()));
    return;
  case 4: { // one value of another type
    SmallVector<Value> values(op->getResults());
    for (Region &region : op->getRegions())
      for (Block &block : region)
        llvm::append_range(values, block.getArguments());
    if (values.empty())
      return;
    Value value = pick(values, random);
    value.setType(mutateType(value.getType(), random));
    return;
  }
  case 5: // a type is another one everywhere
  case 6:
  case 7: {
    SmallVector<Type> known(op->getResultTypes());
    llvm::append_range(known, op->getOperandTypes());
    if (known.empty())
      return;
    Type from = pick(known, random), to = mutateType(from, random);
    if (auto tensor = dyn_cast<RankedTensorType>(from); tensor && random() % 3 == 0) {
      // ... or an element type is, in all of them.
      from = tensor.getElementType();
      to = elementType(context, random);
    }
    replaceTypes(module, [&](Type type) { return type == from ? std::optional(to) : std::nullopt; });
    return;
  }
  case 16: // a size is another one everywhere
  case 17: {
    SmallVector<int64_t> known;
    for (Type type : llvm::concat<const Type>(op->getResultTypes(), op->getOperandTypes()))
      if (auto shaped = dyn_cast<ShapedType>(type); shaped && shaped.hasRank())
        llvm::append_range(known, shaped.getShape());
    if (known.empty())
      return;
    int64_t from = pick(known, random), to = random() % 4 ? int64_t(random() % 9) : std::abs(number(random) / 2);
    auto changed = [&](int64_t size) { return size == from ? to : size; };
    replaceTypes(
        module,
        [&](Type type) -> std::optional<Type> {
          auto shaped = dyn_cast<ShapedType>(type);
          if (!shaped || !shaped.hasRank() || (isa<VectorType>(type) && to <= 0))
            return std::nullopt;
          return shaped.clone(llvm::map_to_vector(shaped.getShape(), changed));
        },
        changed);
    return;
  }
  case 8: // another attribute
  case 9:
  case 10: {
    ArrayRef<NamedAttribute> own = op->getAttrs();
    if (own.empty())
      return;
    NamedAttribute named = pick(own, random);
    auto known = attributes.find(named.getName());
    if (random() % 4 == 0 && known != attributes.end())
      op->setAttr(named.getName(), pick(known->second, random));
    else
      op->setAttr(named.getName(), mutateAttribute(named.getValue(), random));
    return;
  }
  case 11: { // an attribute less or more
    ArrayRef<NamedAttribute> own = op->getAttrs();
    if (random() % 2 && !own.empty()) {
      op->removeAttr(pick(own, random).getName());
      return;
    }
    auto &named = pick(attributes, random);
    op->setAttr(named.first, pick(named.second, random));
    return;
  }
  case 12: { // an op less
    for (OpResult result : op->getResults()) {
      if (result.use_empty())
        continue;
      Value other = pickVisible(op, result.getType(), random);
      if (!other)
        return;
      result.replaceAllUsesWith(other);
    }
    op->erase();
    return;
  }
  case 13: { // an op twice
    if (op->hasTrait<OpTrait::IsTerminator>())
      return;
    Operation *copy = OpBuilder(op).clone(*op);
    for (auto [from, to] : llvm::zip(op->getResults(), copy->getResults()))
      from.replaceUsesWithIf(to, [&](OpOperand &use) { return use.getOwner() != copy && random() % 2; });
    return;
  }
  case 14: { // an op elsewhere
    Operation *other = pick(list, random);
    if (!op->isAncestor(other) && !other->hasTrait<OpTrait::IsTerminator>() && !op->hasTrait<OpTrait::IsTerminator>() &&
        (op->getBlock() == other->getBlock() || random() % 4 == 0))
      op->moveBefore(other);
    return;
  }
  case 18: { // a region less, or its block
    if (op->getNumRegions() == 0)
      return;
    Region &region = op->getRegion(random() % op->getNumRegions());
    if (random() % 2 || region.empty()) {
      region.dropAllReferences();
      region.getBlocks().clear();
    } else {
      region.front().dropAllReferences();
      region.front().clear();
    }
    return;
  }
  case 19: { // a program in another
    auto inner = ModuleOp::create(UnknownLoc::get(context));
    bool isWhole = random() % 2;
    if (!isWhole)
      while (op->getParentOp() != module)
        op = op->getParentOp();
    inner.getBody()->getOperations().splice(inner.getBody()->begin(), module.getBody()->getOperations(),
                                            isWhole ? module.getBody()->begin() : op->getIterator(),
                                            isWhole ? module.getBody()->end() : std::next(op->getIterator()));
    module.getBody()->push_back(inner);
    return;
  }
  case 20: { // an op that nobody knows
    OperationState state(op->getLoc(), "unknown.op", op->getOperands(), op->getResultTypes(),
                         llvm::to_vector(op->getDiscardableAttrs()));
    for (Region &region : op->getRegions())
      state.addRegion()->takeBody(region);
    Operation *unknown = OpBuilder(op).create(state);
    op->replaceAllUsesWith(unknown);
    op->erase();
    return;
  }
  default: { // an op of another program, on values that are here
    Operation *foreign = pick(operations, random);
    if (foreign->hasTrait<OpTrait::IsTerminator>() && random() % 4)
      return;
    IRMapping mapping;
    bool isIsolated = foreign->hasTrait<OpTrait::IsIsolatedFromAbove>();
    if (isIsolated && random() % 2)
      op = &module.getBody()->front();
    SmallVector<Value> needed(foreign->getOperands());
    if (!isIsolated)
      foreign->walk([&](Operation *inner) { llvm::append_range(needed, inner->getOperands()); });
    for (Value value : needed) {
      Operation *owner = value.getParentBlock()->getParentOp();
      if (mapping.contains(value) || foreign->isAncestor(owner))
        continue;
      Value known = pickVisible(op, value.getType(), random);
      if (!known && random() % 2)
        known = pickVisible(op, {}, random);
      if (!known)
        return;
      mapping.map(value, known);
    }
    Operation *copy = OpBuilder(op).clone(*foreign, mapping);
    for (OpResult result : copy->getResults())
      for (Value value : visibleFrom(copy))
        if (value.getType() == result.getType() && random() % 2)
          value.replaceUsesWithIf(result, [&](OpOperand &use) {
            return use.getOwner()->getBlock() == copy->getBlock() && copy->isBeforeInBlock(use.getOwner()) &&
                   random() % 2;
          });
    return;
  }
  }
}

//===----------------------------------------------------------------------===//
// Text and bytes
//===----------------------------------------------------------------------===//

std::string tenon::fuzz::ModuleMutator::mutateText(std::string text, Random &random) const {
  // Tokens with where they begin.
  SmallVector<std::pair<size_t, size_t>> tokens;
  auto isWord = [](char c) {
    return llvm::isAlnum(c) || c == '_' || c == '%' || c == '@' || c == '#' || c == '!' || c == '.';
  };
  for (size_t at = 0; at < text.size();) {
    size_t end = at + 1;
    if (isWord(text[at]))
      while (end < text.size() && isWord(text[end]))
        ++end;
    if (!llvm::isSpace(text[at]))
      tokens.push_back({at, end - at});
    at = end;
  }
  if (tokens.empty())
    return text;
  auto [at, size] = pick(tokens, random);
  auto [from, length] = pick(tokens, random);
  std::string token = text.substr(at, size), other = text.substr(from, length);
  switch (random() % 6) {
  case 0:
    text.erase(at, size);
    break;
  case 1:
    text.insert(at, token + " ");
    break;
  case 2:
    text.replace(at, size, other);
    break;
  case 3: { // a line less or twice
    size_t begin = text.rfind('\n', at), end = text.find('\n', at);
    begin = begin == std::string::npos ? 0 : begin;
    end = end == std::string::npos ? text.size() : end;
    if (random() % 2)
      text.erase(begin, end - begin);
    else
      text.insert(begin, text, begin, end - begin);
    break;
  }
  default: { // a number
    SmallVector<std::pair<size_t, size_t>> digits;
    for (size_t i = 0; i < text.size();) {
      size_t end = i;
      while (end < text.size() && llvm::isDigit(text[end]))
        ++end;
      // MLIR's parser makes room for as many results as a use of one says: more than memory has.
      if (end != i && (i == 0 || text[i - 1] != '#'))
        digits.push_back({i, end - i});
      i = end + 1;
    }
    if (!digits.empty()) {
      auto [begin, count] = pick(digits, random);
      text.replace(begin, count, std::to_string(number(random)));
    }
  }
  }
  return text;
}
