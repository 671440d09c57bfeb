//===- Recurrent.cpp - Recurrent cells of ONNX, as loops over time ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Activation.h"
#include "Indexing.h"
#include "Loop.h"
#include "Quantization.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

namespace {
/// What the cells have in common: operands by direction, the loop over time, sequences of different lengths.
class Recurrent {
public:
  Recurrent(Node &node, int64_t gates, ArrayRef<StringRef> activations, bool hasCell)
      : node(node), gates(gates), hasCell(hasCell), defaults(activations) {}
  virtual ~Recurrent() = default;

  Results convert() {
    if (!check())
      return failure();
    // Lengths from 0 to that of the sequences.
    if (node.has(4))
      lengths = expectPlaces(node, operands[4], node.sizeOf(sequence, 0) + 1);
    SmallVector<Value> outputs, lasts, cells;
    for (int64_t d = 0; d < directions; ++d)
      if (!runDirection(d, outputs, lasts, cells))
        return failure();
    auto stack = [&](ArrayRef<Value> values, int64_t dim) {
      SmallVector<Value> parts;
      for (Value value : values)
        parts.push_back(node.unsqueeze(value, {dim}));
      return node.concat(parts, dim);
    };
    // [T, D, B, H] and [D, B, H], or with layout 1 [B, T, D, H] and [B, D, H].
    Value y = stack(outputs, 1), last = stack(lasts, 0), cell = hasCell ? stack(cells, 0) : Value();
    if (batchFirst) {
      y = node.transpose(y, {2, 0, 1, 3});
      last = node.transpose(last, {1, 0, 2});
      cell = cell ? node.transpose(cell, {1, 0, 2}) : cell;
    }
    return {y, last, cell};
  }

protected:
  /// The states after one step; `x` is the product of the step's input with all gates' weights, without bias.
  virtual SmallVector<Value> step(Value x, ArrayRef<Value> states) = 0;
  /// Sets the hidden size, and checks the weights, `[D, G*H, I]` and `[D, G*H, H]`; false after an error.
  virtual bool checkWeights();
  /// Sets what a step needs of the state's weights of a direction.
  virtual void loadWeights(int64_t d) { weights = ofDirection(2, d); }
  /// All inputs, `[T, B, I]`, times a direction's weights, to `[T, B, G*H]`.
  virtual Value projectInputs(Value inputs, int64_t d) {
    return node.contract(inputs, ofDirection(1, d), 4, {0, 1, 3}, {2, 3}, {0, 1, 2}, elementOf(inputs));
  }

  /// Entry d of an operand's first dimension; null where it is left out.
  Value ofDirection(size_t operand, int64_t d, int64_t dim = 0) {
    if (!node.has(operand))
      return {};
    Value value = operands[operand];
    if (rankOf(value) <= dim) {
      node.error() << "expects operand " << operand << " of a higher rank, but has " << typeOf(value);
      return {};
    }
    return node.squeeze(node.slice(value, dim, node.size(d), node.size(1)), {dim});
  }

  /// Gate k of a vector or matrix whose dimension `dim` holds all gates.
  Value gate(Value all, int64_t k, int64_t dim, int64_t count = 1) {
    return node.slice(all, dim, times(k), times(count));
  }
  /// `[B, H] x [G*H, H]` to `[B, G*H]`.
  Value recur(Value state, Value weights) {
    return node.contract(state, weights, 3, {0, 2}, {1, 2}, {0, 1}, elementOf(state));
  }
  Value activate(size_t i, Value x) {
    if (clip > 0)
      x = node.clamp(x, -clip, clip);
    return activations[i].apply(node, x);
  }
  Value addVector(Value x, Value vector) { return vector ? node.binary<AddOp>(x, node.along(vector, 1, x)) : x; }

  /// So many times the hidden size.
  AffineExpr times(int64_t count) { return node.sizes.simplify(hidden * count); }

  Node &node;
  SmallVector<Value> operands; ///< of the sizes that weights and directions say
  int64_t gates, directions = 1;
  AffineExpr hidden;
  /// Of the present direction; biases and peepholes are null where they are left out.
  Value weights, inputBias, stateBias, peepholes;
  SmallVector<Activation> activations;
  double clip = 0;

private:
  bool check() {
    for (size_t i : {0, 1, 2})
      if (node.expect(i) && rankOf(node[i]) != 3) {
        node.error() << "expects operand " << i << " of rank 3, but has " << typeOf(node[i]);
        return false;
      }
    if (node.hasFailed())
      return false;
    StringRef direction = node.string("direction", "forward");
    if (direction != "forward" && direction != "reverse" && direction != "bidirectional") {
      node.error() << "expects direction forward, reverse or bidirectional, but has '" << direction << "'";
      return false;
    }
    reversed = direction == "reverse";
    directions = direction == "bidirectional" ? 2 : 1;
    operands.assign(node.all().begin(), node.all().end());
    if (!checkWeights())
      return false;
    clip = node.number("clip", 0);
    batchFirst = node.flag("layout");
    if (!checkBatch())
      return false;
    sequence = batchFirst ? node.moveDim(operands[0], 1, 0) : operands[0];
    return readActivations();
  }

  /// Sequences, lengths and first states have one batch, which is known where one of them states it.
  bool checkBatch() {
    constexpr std::pair<size_t, int64_t> ranks[] = {{0, 3}, {4, 1}, {5, 3}, {6, 3}};
    AffineExpr batch;
    for (bool isFound : {false, true})
      for (auto [i, rank] : ranks) {
        if (!node.has(i))
          continue;
        if (rankOf(operands[i]) != rank) {
          node.error() << "expects operand " << i << " of rank " << rank << ", but has " << typeOf(operands[i]);
          return false;
        }
        int64_t dim = rank == 1 || batchFirst ? 0 : 1;
        AffineExpr stated = node.sizeOf(operands[i], dim);
        if (isFound)
          operands[i] = node.withSize(operands[i], dim, batch, "one batch of sequences, lengths and states");
        else if (!batch || (!isStatic(batch) && isStatic(stated)))
          batch = stated;
      }
    return !node.hasFailed();
  }

  bool readActivations() {
    SmallVector<std::string> names;
    if (auto list = dyn_cast_or_null<ArrayAttr>(node.attribute("activations")))
      for (Attribute name : list)
        names.push_back(isa<StringAttr>(name) ? cast<StringAttr>(name).getValue().lower() : "");
    else
      for (int64_t d = 0; d < directions; ++d)
        for (StringRef name : defaults)
          names.push_back(name.str());
    if (names.size() != defaults.size() * directions) {
      node.error() << "expects " << defaults.size() * directions << " activations, but has " << names.size();
      return false;
    }
    // Parameters stand in the order of those activations that have any.
    auto alphas = node.numbers("activation_alpha").value_or(SmallVector<double>());
    auto betas = node.numbers("activation_beta").value_or(SmallVector<double>());
    static constexpr StringRef withAlpha[] = {"hardsigmoid", "affine", "scaledtanh",
                                              "leakyrelu",   "elu",    "thresholdedrelu"};
    static constexpr StringRef withBeta[] = {"hardsigmoid", "affine", "scaledtanh"};
    size_t alpha = 0, beta = 0;
    for (const std::string &name : names) {
      Activation activation{name, std::nullopt, std::nullopt};
      if (llvm::is_contained(withAlpha, name) && alpha < alphas.size())
        activation.alpha = alphas[alpha++];
      if (llvm::is_contained(withBeta, name) && beta < betas.size())
        activation.beta = betas[beta++];
      all.push_back(activation);
    }
    return !node.hasFailed();
  }

  Value initialState(size_t operand, int64_t d) {
    if (Value given = ofDirection(operand, d, batchFirst ? 1 : 0))
      return given;
    return node.broadcast(node.scalar(0, elementOf(sequence)), {}, {node.sizeOf(sequence, 1), hidden});
  }

  bool runDirection(int64_t d, SmallVectorImpl<Value> &outputs, SmallVectorImpl<Value> &lasts,
                    SmallVectorImpl<Value> &cells) {
    bool backwards = reversed || d == 1;
    activations.assign(all.begin() + d * defaults.size(), all.begin() + (d + 1) * defaults.size());
    loadWeights(d);
    Value bias = ofDirection(3, d);
    inputBias = bias ? node.slice(bias, 0, node.size(0), times(gates)) : Value();
    stateBias = bias ? node.slice(bias, 0, times(gates), times(gates)) : Value();
    peepholes = hasCell ? ofDirection(7, d) : Value();
    SmallVector<Value> initial = {initialState(5, d)};
    if (hasCell)
      initial.push_back(initialState(6, d));
    if (node.hasFailed())
      return false;
    // All inputs at once: one large product instead of one per step.
    Value products = projectInputs(sequence, d);
    if (node.hasFailed())
      return false;
    AffineExpr length = node.sizeOf(sequence, 0);
    auto scalar = RankedTensorType::get({}, node.builder.getI64Type());
    auto body = [&](Value iteration, ArrayRef<Value> states) -> std::optional<LoopBuilder::Yielded> {
      Value time = iteration;
      if (backwards)
        time = node.binary<SubOp>(node.fromSizes(node.sizes.simplify(length - 1), scalar), iteration);
      SmallVector<Value> next = step(take(node, products, time, 0), states);
      Value output = next.front();
      if (lengths)
        keepEnded(time, states, next, output);
      if (node.hasFailed())
        return std::nullopt;
      return LoopBuilder::Yielded{node.boolean(true), next, {output}};
    };
    auto values = LoopBuilder(node, initial).build(node.fromSizes(length, scalar), node.boolean(true), body);
    if (!values)
      return false;
    Value output = values->back();
    if (backwards)
      output = node.slice(output, 0, node.sizes.simplify(length - 1), length, -1);
    outputs.push_back(output);
    lasts.push_back(lastOf(values->front()));
    if (hasCell)
      cells.push_back(lastOf((*values)[1]));
    return true;
  }

  /// The state after a sequence's last step: 0 where it has none, as ONNX Runtime has it; the standard doesn't say.
  Value lastOf(Value state) {
    if (!lengths)
      return state;
    Value hasSteps = node.broadcast(node.compare(Predicate::gt, lengths, 0.0), {0}, node.sizesOf(state));
    return node.select(hasSteps, state, node.splat(0, state));
  }

  /// Beyond a sequence's length the states stay and the output is 0.
  void keepEnded(Value time, ArrayRef<Value> states, SmallVectorImpl<Value> &next, Value &output) {
    Value isInside = node.compare(Predicate::lt, time, lengths);
    isInside = node.broadcast(isInside, {0}, node.sizesOf(output));
    output = node.select(isInside, output, node.splat(0, output));
    for (auto [before, after] : llvm::zip(states, next))
      after = node.select(isInside, after, before);
  }

  bool hasCell, reversed = false, batchFirst = false;
  SmallVector<StringRef> defaults;
  SmallVector<Activation> all;
  Value sequence, lengths; ///< lengths are null where all sequences are as long as the first dimension
};

bool Recurrent::checkWeights() {
  RankedTensorType inputs = typeOf(node[1]), states = typeOf(node[2]);
  // What is stated of the hidden size by whichever says it.
  hidden = node.sizeOf(node[2], 2);
  if (node.hasAttribute("hidden_size") && !isStatic(hidden))
    hidden = node.size(node.integer("hidden_size", 0));
  for (int64_t rows : {inputs.getDimSize(1), states.getDimSize(1)})
    if (!isStatic(hidden) && !ShapedType::isDynamic(rows) && rows % gates == 0)
      hidden = node.size(rows / gates);
  AffineExpr all = node.size(directions);
  std::string what = "weights for " + std::to_string(directions) +
                     (directions == 1 ? " direction and " : " directions and ") + std::to_string(gates) +
                     (gates == 1 ? " gate" : " gates");
  auto expect = [&](size_t i, ArrayRef<AffineExpr> sizes, const Twine &what) {
    if (node.has(i) && rankOf(node[i]) != (int64_t)sizes.size())
      node.error() << "expects operand " << i << " of rank " << sizes.size() << ", but has " << typeOf(node[i]);
    else if (node.has(i) && !node.hasFailed())
      operands[i] = node.withSizes(node[i], sizes, what);
  };
  expect(1, {all, times(gates), AffineExpr()}, what);
  expect(2, {all, times(gates), hidden}, what);
  expect(3, {all, times(2 * gates)}, "two biases for each gate and direction");
  AffineExpr any;
  bool isBatchFirst = node.flag("layout");
  for (size_t i : {5, 6})
    expect(i, {isBatchFirst ? any : all, isBatchFirst ? all : any, hidden}, "first states for each direction");
  if (hasCell)
    expect(7, {all, times(3)}, "three peepholes for each direction");
  return !node.hasFailed();
}

class SimpleCell : public Recurrent {
public:
  explicit SimpleCell(Node &node) : Recurrent(node, 1, {"tanh"}, false) {}

private:
  SmallVector<Value> step(Value x, ArrayRef<Value> states) override {
    Value sum = node.binary<AddOp>(x, recur(states[0], weights));
    return {activate(0, addVector(addVector(sum, inputBias), stateBias))};
  }
};

/// Gates in the order z, r, h.
class GatedCell : public Recurrent {
public:
  explicit GatedCell(Node &node)
      : Recurrent(node, 3, {"sigmoid", "tanh"}, false), resetsLast(node.flag("linear_before_reset")) {}

private:
  SmallVector<Value> step(Value x, ArrayRef<Value> states) override {
    Value h = states[0];
    x = addVector(x, inputBias);
    Value product = addVector(recur(h, gate(weights, 0, 0, 2)), stateBias ? gate(stateBias, 0, 0, 2) : Value());
    Value opened = activate(0, node.binary<AddOp>(gate(x, 0, 1, 2), product));
    Value z = gate(opened, 0, 1), r = gate(opened, 1, 1);
    Value hidden = gate(weights, 2, 0), bias = stateBias ? gate(stateBias, 2, 0) : Value();
    Value candidate = resetsLast ? node.binary<MulOp>(r, addVector(recur(h, hidden), bias))
                                 : addVector(recur(node.binary<MulOp>(r, h), hidden), bias);
    candidate = activate(1, node.binary<AddOp>(gate(x, 2, 1), candidate));
    Value rest = node.binary<SubOp>(node.splat(1, z), z);
    return {node.binary<AddOp>(node.binary<MulOp>(rest, candidate), node.binary<MulOp>(z, h))};
  }

  bool resetsLast;
};

/// Gates in the order i, o, f, c; peepholes in the order i, o, f.
class LongShortCell : public Recurrent {
public:
  explicit LongShortCell(Node &node)
      : Recurrent(node, 4, {"sigmoid", "tanh", "tanh"}, true), couples(node.flag("input_forget")) {}

protected:
  virtual Value projectState(Value state) { return recur(state, weights); }

private:
  SmallVector<Value> step(Value x, ArrayRef<Value> states) override {
    Value h = states[0], c = states[1];
    Value sum = addVector(addVector(node.binary<AddOp>(x, projectState(h)), inputBias), stateBias);
    auto looked = [&](int64_t k, Value cell) {
      Value x = gate(sum, k, 1);
      return peepholes ? node.binary<AddOp>(x, node.binary<MulOp>(node.along(gate(peepholes, k, 0), 1, cell), cell))
                       : x;
    };
    Value i = activate(0, looked(0, c));
    Value f = couples ? node.binary<SubOp>(node.splat(1, i), i) : activate(0, looked(2, c));
    Value candidate = activate(1, gate(sum, 3, 1));
    Value next = node.binary<AddOp>(node.binary<MulOp>(f, c), node.binary<MulOp>(i, candidate));
    Value o = activate(0, looked(1, next));
    return {node.binary<MulOp>(o, activations[2].apply(node, next)), next};
  }

  bool couples;
};

/// ONNX Runtime's: weights in 8 bits, `[D, I, 4*H]` and `[D, H, 4*H]`, with scales and zero points as operands 8 to 11,
/// one per direction or one per column. Inputs are quantised all at once, states step by step.
class QuantizedLongShortCell : public LongShortCell {
public:
  using LongShortCell::LongShortCell;

private:
  bool checkWeights() override {
    if (!node.expect({8, 9, 10, 11}))
      return false;
    RankedTensorType inputs = typeOf(node[1]), states = typeOf(node[2]);
    int64_t size = states.getDimSize(1);
    hidden = node.size(size);
    if (!ShapedType::isDynamic(size) && inputs.getDimSize(2) == 4 * size && states.getDimSize(2) == 4 * size &&
        inputs.getDimSize(0) == directions && states.getDimSize(0) == directions)
      return checkParameters(size);
    node.error() << "expects weights for " << directions << " directions and 4 gates, but has " << inputs << " and "
                 << states;
    return false;
  }

  bool checkParameters(int64_t size) {
    for (size_t i : {8, 9, 10, 11}) {
      ArrayRef<int64_t> shape = typeOf(node[i]).getShape();
      if (shape != ArrayRef(directions) && shape != ArrayRef({directions, 4 * size}))
        node.error() << "expects " << directions << " or " << directions << "x" << 4 * size
                     << " scales and zero points, but operand " << i << " has " << typeOf(node[i]);
    }
    return !node.hasFailed();
  }

  void loadWeights(int64_t d) override {
    weights = centred(node, ofDirection(2, d), ofDirection(11, d), 1);
    stateScale = ofDirection(10, d);
  }
  Value projectInputs(Value inputs, int64_t d) override {
    return multiply(inputs, centred(node, ofDirection(1, d), ofDirection(9, d), 1), ofDirection(8, d));
  }
  Value projectState(Value state) override { return multiply(state, weights, stateScale); }

  Value multiply(Value x, Value centredWeights, Value scale) {
    Quantized numbers = quantizeDynamically(node, x);
    Value sum = centredProduct(node, numbers, {centredWeights, {}, {}});
    if (!sum)
      return x;
    return node.cast(rescale(node, sum, combineScales(node, {numbers.scale, scale}), rankOf(x) - 1), elementOf(x));
  }

  Value stateScale;
};

template <typename Cell> Results recurrent(Node &node) { return Cell(node).convert(); }
} // namespace

void onnx::addRecurrentConverters(ConverterTable &table) {
  table.add("RNN", 1, 3, 6, recurrent<SimpleCell>);
  table.add("GRU", 1, 3, 6, recurrent<GatedCell>);
  table.add("LSTM", 1, 3, 8, recurrent<LongShortCell>);
  table.add("com.microsoft.DynamicQuantizeLSTM", 1, 1, 12, recurrent<QuantizedLongShortCell>);
}
