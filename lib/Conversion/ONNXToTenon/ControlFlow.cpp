//===- ControlFlow.cpp - ONNX operators with subgraphs ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Branch.h"
#include "Indexing.h"
#include "Loop.h"
#include "Values.h"

#include <limits>

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

namespace {
bool isTensor(Node &node, Value value) {
  if (isa<RankedTensorType>(value.getType()))
    return true;
  node.unsupported() << "a subgraph gives a value of type " << value.getType();
  return false;
}

//===----------------------------------------------------------------------===//
// Loop
//===----------------------------------------------------------------------===//

Value scalarOf(Node &node, Value value, Type element) {
  if (elementOf(value) == element)
    return node.single(value, "a scalar");
  node.error() << "expects a scalar of type " << element << ", but has " << typeOf(value);
  return {};
}

Results loop(Node &node) {
  Region *source = node.op.getBody("body");
  size_t carriedCount = node.size() < 2 ? 0 : node.size() - 2, results = node.op->getNumResults();
  if (!source || source->front().getNumArguments() != carriedCount + 2 || results < carriedCount ||
      source->front().getTerminator()->getNumOperands() != results + 1)
    return node.error() << "expects the subgraph 'body' with " << carriedCount + 2 << " inputs and " << results + 1
                        << " outputs";
  SmallVector<Value> initial;
  for (size_t i = 0; i < carriedCount; ++i) {
    if (!node.has(i + 2))
      return node.error() << "expects carried value " << i;
    initial.push_back(node[i + 2]);
  }
  for (size_t i : {0, 1})
    if (node.has(i) && !isTensor(node, node[i]))
      return failure();
  Type i64 = node.builder.getI64Type(), i1 = node.builder.getI1Type();
  Value tripCount =
      node.has(0) ? scalarOf(node, node[0], i64) : node.scalarInteger(std::numeric_limits<int64_t>::max(), i64);
  Value condition = node.has(1) ? scalarOf(node, node[1], i1) : node.boolean(true);
  if (node.hasFailed())
    return failure();
  auto body = [&](Value iteration, ArrayRef<Value> carried) -> std::optional<LoopBuilder::Yielded> {
    Block &block = source->front();
    // The body runs only while the condition holds.
    SmallVector<Value> arguments = {iteration, node.boolean(true)};
    arguments.append(carried.begin(), carried.end());
    // A subgraph may declare its scalars as vectors of one element.
    for (size_t i : {0, 1})
      if (auto stated = dyn_cast<RankedTensorType>(block.getArgument(i).getType()); stated && stated.getRank() == 1)
        arguments[i] = node.reshape(arguments[i], node.size(1));
    auto values = node.graph.convertBody(*source, arguments);
    // Carried values may be sequences and optionals.
    if (failed(values) || !isTensor(node, values->front()) ||
        !llvm::all_of(llvm::drop_begin(*values, 1 + carriedCount), [&](Value value) { return isTensor(node, value); }))
      return std::nullopt;
    Value goesOn = scalarOf(node, values->front(), i1);
    if (!goesOn)
      return std::nullopt;
    auto rest = ArrayRef(*values).drop_front();
    return LoopBuilder::Yielded{goesOn, SmallVector<Value>(rest.take_front(carriedCount)),
                                SmallVector<Value>(rest.drop_front(carriedCount))};
  };
  SmallVector<bool> isRead;
  for (BlockArgument carried : source->front().getArguments().drop_front(2))
    isRead.push_back(!carried.use_empty());
  auto values = LoopBuilder(node, initial, isRead).build(tripCount, condition, body);
  return values ? Results(ArrayRef(*values)) : Results(failure());
}

//===----------------------------------------------------------------------===//
// Scan
//===----------------------------------------------------------------------===//

/// A loop over the places of its last operands along their scan axes.
class Scan {
public:
  explicit Scan(Node &node) : node(node) {}

  Results convert() {
    if (!setOperands(node.all()))
      return failure();
    size_t scans = scanned.size();
    inputAxes = node.integers("scan_input_axes", scans, 0);
    inputsReversed = node.integers("scan_input_directions", scans, 0);
    SmallVector<int64_t> outputAxes = node.integers("scan_output_axes", outputs, 0);
    SmallVector<int64_t> outputsReversed = node.integers("scan_output_directions", outputs, 0);
    auto values = run();
    if (!values)
      return failure();
    for (size_t i = 0; i < outputs; ++i) {
      Value &value = (*values)[states.size() + i];
      int64_t dim = node.dimension(outputAxes[i], rankOf(value));
      if (node.hasFailed())
        return failure();
      if (outputsReversed[i])
        value = node.slice(value, 0, node.sizes.simplify(length - 1), length, -1);
      value = node.moveDim(value, 0, dim);
    }
    return Results(ArrayRef(*values));
  }

  /// Version 8 scans each element of a batch, which is the first dimension of all operands and results.
  Results convertBatched() {
    if (node.has(0))
      return node.unsupported() << "sequences of different lengths in a batch";
    SmallVector<Value> batched(node.all().drop_front(std::min<size_t>(1, node.size())));
    if (!setOperands(batched))
      return failure();
    inputAxes.assign(scanned.size(), 0);
    inputsReversed = node.integers("directions", scanned.size(), 0);
    for (Value operand : batched)
      if (rankOf(operand) < 1)
        return node.error() << "expects operands with a batch, but has " << typeOf(operand);
    Value count = tripCount(node.sizeOf(batched.front(), 0));
    auto body = [&](Value element, ArrayRef<Value>) -> std::optional<LoopBuilder::Yielded> {
      SmallVector<Value> own;
      for (Value operand : batched)
        own.push_back(take(node, operand, element, 0));
      states.assign(own.begin(), own.begin() + states.size());
      scanned.assign(own.begin() + states.size(), own.end());
      auto values = run();
      return values ? std::optional(LoopBuilder::Yielded{node.boolean(true), {}, *values}) : std::nullopt;
    };
    auto values = LoopBuilder(node, {}).build(count, node.boolean(true), body);
    return values ? Results(ArrayRef(*values)) : Results(failure());
  }

private:
  /// States come first, then what is scanned.
  bool setOperands(ArrayRef<Value> operands) {
    int64_t scans = node.integer("num_scan_inputs", 0), count = operands.size();
    source = node.op.getBody("body");
    if (!source || scans < 1 || scans > count) {
      node.error() << "expects the subgraph 'body' and num_scan_inputs from 1 to " << count << ", but has " << scans;
      return false;
    }
    int64_t results = node.op->getNumResults();
    if (results < count - scans || source->front().getNumArguments() != operands.size() ||
        source->front().getTerminator()->getNumOperands() != (size_t)results) {
      node.error() << "expects a body with " << count << " inputs and " << results << " outputs";
      return false;
    }
    for (auto [i, operand] : llvm::enumerate(operands))
      if (!operand) {
        node.error() << "expects operand " << i;
        return false;
      }
    states.assign(operands.begin(), operands.end() - scans);
    scanned.assign(operands.end() - scans, operands.end());
    outputs = results - states.size();
    return true;
  }

  Value tripCount(AffineExpr count) {
    return node.fromSizes(count, RankedTensorType::get({}, node.builder.getI64Type()));
  }

  /// The last states, then what is scanned out, along a first dimension.
  std::optional<SmallVector<Value>> run() {
    for (size_t i = 0; i < scanned.size() && !node.hasFailed(); ++i)
      inputAxes[i] = node.dimension(inputAxes[i], rankOf(scanned[i]));
    if (node.hasFailed() || !setLength())
      return std::nullopt;
    auto body = [&](Value iteration, ArrayRef<Value> carried) { return step(iteration, carried); };
    return LoopBuilder(node, states).build(tripCount(length), node.boolean(true), body);
  }

  bool setLength() {
    length = AffineExpr();
    for (size_t i = 0; i < inputAxes.size(); ++i) {
      AffineExpr size = node.sizeOf(scanned[i], inputAxes[i]);
      if (length && isStatic(size) && isStatic(length) && size != length) {
        node.error() << "expects one length of all scanned operands, but has " << SizeAnalysis::staticSize(length)
                     << " and " << SizeAnalysis::staticSize(size);
        return false;
      }
      if (!length || isStatic(size))
        length = size;
    }
    return true;
  }

  std::optional<LoopBuilder::Yielded> step(Value iteration, ArrayRef<Value> carried) {
    SmallVector<Value> arguments(carried);
    for (size_t i = 0; i < inputAxes.size(); ++i) {
      Value place = iteration;
      if (inputsReversed[i]) {
        Value last = node.fromSizes(node.sizes.simplify(length - 1), typeOf(iteration));
        place = node.binary<SubOp>(last, iteration);
      }
      arguments.push_back(take(node, scanned[i], place, inputAxes[i]));
    }
    auto values = node.graph.convertBody(*source, arguments);
    if (failed(values) || !llvm::all_of(*values, [&](Value value) { return isTensor(node, value); }))
      return std::nullopt;
    return LoopBuilder::Yielded{node.boolean(true), SmallVector<Value>(ArrayRef(*values).take_front(states.size())),
                                SmallVector<Value>(ArrayRef(*values).drop_front(states.size()))};
  }

  Node &node;
  Region *source = nullptr;
  SmallVector<Value> states, scanned;
  size_t outputs = 0;
  SmallVector<int64_t> inputAxes, inputsReversed;
  AffineExpr length;
};

Results scan(Node &node) { return Scan(node).convert(); }

Results batchedScan(Node &node) { return Scan(node).convertBatched(); }
} // namespace

void onnx::addControlFlowConverters(ConverterTable &table) {
  table.add("If", 1, 1, 1, branch);
  table.add("Loop", 1, 0, ConverterTable::variadic, loop, Accepts::values);
  table.add("Scan", 8, 0, ConverterTable::variadic, batchedScan);
  table.add("Scan", 9, 1, ConverterTable::variadic, scan);
}
