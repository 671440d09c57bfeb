//===- Sequences.cpp - ONNX operators on sequences and optionals ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Loop.h"
#include "Values.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

Type onnx::heldType(Type type) {
  if (auto sequence = dyn_cast<SequenceType>(type))
    return sequence.getElementType();
  auto optional = dyn_cast<OptionalType>(type);
  return optional ? optional.getElementType() : Type();
}

Type onnx::joinTypes(Type a, Type b) {
  if (a == b)
    return a;
  auto tensor = dyn_cast<TensorType>(a), other = dyn_cast<TensorType>(b);
  if (tensor && other) {
    if (tensor.getElementType() != other.getElementType())
      return {};
    if (!tensor.hasRank() || !other.hasRank() || tensor.getRank() != other.getRank())
      return UnrankedTensorType::get(tensor.getElementType());
    SmallVector<int64_t> shape;
    for (auto [size, with] : llvm::zip(tensor.getShape(), other.getShape()))
      shape.push_back(size == with ? size : ShapedType::kDynamic);
    return RankedTensorType::get(shape, tensor.getElementType());
  }
  if (a.getTypeID() != b.getTypeID() || !heldType(a))
    return {};
  Type held = joinTypes(heldType(a), heldType(b));
  if (!held)
    return {};
  return isa<SequenceType>(a) ? Type(SequenceType::get(a.getContext(), held)) : OptionalType::get(a.getContext(), held);
}

namespace {
bool isSequence(Node &node, size_t i) {
  if (isa<SequenceType>(node[i].getType()))
    return true;
  node.error() << "expects a sequence as operand " << i << ", but has " << node[i].getType();
  return false;
}

/// An integer scalar, or a vector of one, as `tensor<i64>`.
Value position(Node &node, Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !type.getElementType().isInteger()) {
    node.error() << "expects an integer scalar as position, but has " << value.getType();
    return {};
  }
  value = node.single(value, "an integer scalar as position");
  return value ? node.cast(value, node.builder.getI64Type()) : Value();
}

/// What a sequence or optional gives, with the rank that the model states where it is not known.
Type takenType(Node &node, Type held) {
  if (!isa<UnrankedTensorType>(held))
    return held;
  auto stated = dyn_cast<RankedTensorType>(node.op->getResult(0).getType());
  if (stated && stated.getElementType() == cast<ShapedType>(held).getElementType())
    return stated;
  node.unsupported() << "the rank of the result is not known";
  return {};
}

Value emptySequence(Node &node, Type element) {
  auto type = SequenceType::get(node.builder.getContext(), element);
  return SequenceConstructOp::create(node.builder, node.loc, type, ValueRange());
}

Results sequenceEmpty(Node &node) {
  Type element = elementTypeOf(node.integer("dtype", 1), node.builder.getContext());
  if (!element)
    return node.error() << "expects a known dtype, but has " << node.attribute("dtype");
  return emptySequence(node, UnrankedTensorType::get(element));
}

Results sequenceConstruct(Node &node) {
  Type element = node[0].getType();
  for (Value value : node.all()) {
    element = joinTypes(element, value.getType());
    if (!element)
      return node.error() << "expects operands of one element type, but has " << value.getType();
  }
  auto type = SequenceType::get(node.builder.getContext(), element);
  return Value(SequenceConstructOp::create(node.builder, node.loc, type, node.all()));
}

Results sequenceInsert(Node &node) {
  if (!isSequence(node, 0))
    return failure();
  Value sequence = node[0], place = node.has(2) ? position(node, node[2]) : Value();
  if (node.hasFailed())
    return failure();
  // What is in an empty sequence is as good as anything.
  auto construct = sequence.getDefiningOp<SequenceConstructOp>();
  Type element = heldType(sequence.getType()), joined = joinTypes(element, node[1].getType());
  if (construct && construct.getOperands().empty() && joined) {
    joined = node[1].getType();
    sequence = emptySequence(node, joined);
  }
  if (!joined)
    return node.error() << "cannot insert " << node[1].getType() << " into " << sequence.getType();
  auto type = SequenceType::get(node.builder.getContext(), joined);
  return Value(SequenceInsertOp::create(node.builder, node.loc, type, sequence, node[1], place));
}

Results sequenceErase(Node &node) {
  if (!isSequence(node, 0))
    return failure();
  Value place = node.has(1) ? position(node, node[1]) : Value();
  if (node.hasFailed())
    return failure();
  return Value(SequenceEraseOp::create(node.builder, node.loc, node[0].getType(), node[0], place));
}

Value valueAt(Node &node, Value sequence, Value place) {
  Type type = takenType(node, heldType(sequence.getType()));
  return type ? Value(SequenceAtOp::create(node.builder, node.loc, type, sequence, place)) : Value();
}

Results sequenceAt(Node &node) {
  Value place = isSequence(node, 0) ? position(node, node[1]) : Value();
  return place ? Results(valueAt(node, node[0], place)) : Results(failure());
}

Value lengthOf(Node &node, Value sequence) {
  return SequenceLengthOp::create(node.builder, node.loc, RankedTensorType::get({}, node.builder.getI64Type()),
                                  sequence);
}

Results sequenceLength(Node &node) {
  return isSequence(node, 0) ? Results(lengthOf(node, node[0])) : Results(failure());
}

Results concatFromSequence(Node &node) {
  if (!isSequence(node, 0))
    return failure();
  bool isNew = node.flag("new_axis");
  auto element = dyn_cast<RankedTensorType>(heldType(node[0].getType()));
  auto stated = dyn_cast<RankedTensorType>(node.op->getResult(0).getType());
  if (!element && !stated)
    return node.unsupported() << "the rank of the result is not known";
  int64_t rank = element ? element.getRank() + isNew : stated.getRank();
  int64_t dim = node.dimension(node.integer("axis", 0), rank);
  if (node.hasFailed())
    return failure();
  SmallVector<int64_t> shape(rank, ShapedType::kDynamic);
  if (element) {
    shape.assign(element.getShape().begin(), element.getShape().end());
    if (isNew)
      shape.insert(shape.begin() + dim, ShapedType::kDynamic);
    shape[dim] = ShapedType::kDynamic;
  }
  Type type = RankedTensorType::get(shape, cast<ShapedType>(heldType(node[0].getType())).getElementType());
  return Value(SequenceConcatOp::create(node.builder, node.loc, type, node[0], dim, isNew));
}

Results splitToSequence(Node &node) {
  int64_t dim = node.dimension(node.integer("axis", 0), rankOf(node[0]));
  bool drops = !node.has(1) && !node.flag("keepdims", true);
  if (node.hasFailed())
    return failure();
  Value split;
  if (node.has(1)) {
    if (rankOf(node[1]) > 1 || !elementOf(node[1]).isInteger())
      return node.error() << "expects one size or a list of sizes, but has " << typeOf(node[1]);
    split = node.cast(node[1], node.builder.getI64Type());
  }
  SmallVector<int64_t> part(typeOf(node[0]).getShape());
  part[dim] = split ? ShapedType::kDynamic : 1;
  if (drops)
    part.erase(part.begin() + dim);
  auto type = SequenceType::get(node.builder.getContext(), RankedTensorType::get(part, elementOf(node[0])));
  return Value(SequenceSplitOp::create(node.builder, node.loc, type, node[0], split, dim, drops));
}

/// The body's values for each place of the first sequence, a sequence for each.
Results sequenceMap(Node &node) {
  Region *source = node.op.getBody("body");
  if (!isSequence(node, 0))
    return failure();
  if (!source || source->front().getNumArguments() != node.size() ||
      source->front().getTerminator()->getNumOperands() != node.op->getNumResults())
    return node.error() << "expects the subgraph 'body' with " << node.size() << " inputs and "
                        << node.op->getNumResults() << " outputs";
  SmallVector<Value> initial;
  for (auto [stated, each] : llvm::zip(node.op->getResultTypes(), source->front().getTerminator()->getOperandTypes())) {
    Type held = isa<SequenceType>(stated) ? heldType(stated) : each;
    if (!isa<ShapedType>(held))
      return node.unsupported() << "the type of a result is not stated";
    initial.push_back(emptySequence(node, held));
  }
  auto body = [&](Value iteration, ArrayRef<Value> carried) -> std::optional<LoopBuilder::Yielded> {
    SmallVector<Value> arguments;
    for (Value operand : node.all())
      arguments.push_back(isa<SequenceType>(operand.getType()) ? valueAt(node, operand, iteration) : operand);
    if (node.hasFailed())
      return std::nullopt;
    auto values = node.graph.convertBody(*source, arguments);
    if (failed(values))
      return std::nullopt;
    LoopBuilder::Yielded yielded{node.boolean(true), {}, {}};
    for (auto [value, sequence] : llvm::zip(*values, carried))
      yielded.carried.push_back(
          SequenceInsertOp::create(node.builder, node.loc, sequence.getType(), sequence, value, Value()));
    return yielded;
  };
  auto values = LoopBuilder(node, initial).build(lengthOf(node, node[0]), node.boolean(true), body);
  return values ? Results(ArrayRef(*values)) : Results(failure());
}

//===----------------------------------------------------------------------===//
// Optionals
//===----------------------------------------------------------------------===//

Results optional(Node &node) {
  auto stated = dyn_cast_if_present<TypeAttr>(node.attribute("type"));
  if (!node.has(0) && !stated)
    return node.error() << "expects an operand or the attribute 'type'";
  Type held = node.has(0) ? node[0].getType() : stated.getValue();
  auto type = OptionalType::get(node.builder.getContext(), held);
  return Value(OptionalMakeOp::create(node.builder, node.loc, type, node[0]));
}

Results optionalHas(Node &node) {
  if (!node.has(0) || !isa<OptionalType>(node[0].getType()))
    return node.boolean(node.has(0));
  auto type = RankedTensorType::get({}, node.builder.getI1Type());
  return Value(OptionalHasOp::create(node.builder, node.loc, type, node[0]));
}

Results optionalGet(Node &node) {
  if (!isa<OptionalType>(node[0].getType()))
    return node[0];
  Type type = takenType(node, heldType(node[0].getType()));
  return type ? Results(Value(OptionalGetOp::create(node.builder, node.loc, type, node[0]))) : Results(failure());
}
} // namespace

void onnx::addSequenceConverters(ConverterTable &table) {
  constexpr auto values = Accepts::values;
  table.add("SequenceEmpty", 11, 0, 0, sequenceEmpty);
  table.add("SequenceConstruct", 11, 1, ConverterTable::variadic, sequenceConstruct, values);
  table.add("SequenceInsert", 11, 2, 3, sequenceInsert, values);
  table.add("SequenceErase", 11, 1, 2, sequenceErase, values);
  table.add("SequenceAt", 11, 2, 2, sequenceAt, values);
  table.add("SequenceLength", 11, 1, 1, sequenceLength, values);
  table.add("ConcatFromSequence", 11, 1, 1, concatFromSequence, values);
  table.add("SplitToSequence", 11, 1, 2, splitToSequence, Accepts::tensors);
  table.add("SequenceMap", 17, 1, ConverterTable::variadic, sequenceMap, values);
  table.add("Optional", 15, 0, 1, optional, values);
  table.add("OptionalHasElement", 15, 0, 1, optionalHas, values);
  table.add("OptionalGetElement", 15, 1, 1, optionalGet, values);
}
