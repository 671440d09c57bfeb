//===- Training.cpp - Steps of optimisers ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MachineLearning.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

namespace {
/// Operands are a rate, a count of steps, then for each tensor itself, its gradient and what the optimiser remembers of
/// it, one kind after the other.
class Optimizer {
public:
  Optimizer(Node &node, size_t kinds) : node(node), kinds(kinds), tensors((node.size() - 2) / kinds) {}

  /// `step` takes what belongs to tensor i and gives its new value and memory, of the types of the old ones.
  Results convert(llvm::function_ref<SmallVector<Value>(ArrayRef<Value>)> step) {
    if (tensors == 0 || node.size() != 2 + kinds * tensors)
      return node.error() << "expects a rate, a count and " << kinds << " operands for each tensor, but has "
                          << node.size() << " operands";
    rate = node.single(node[0], "one rate");
    count = node.single(node[1], "one count of steps");
    if (!rate || !count)
      return failure();
    SmallVector<Value> results((kinds - 1) * tensors);
    for (size_t i = 0; i < tensors; ++i) {
      SmallVector<Value> own;
      for (size_t kind = 0; kind < kinds; ++kind)
        own.push_back(node[2 + kind * tensors + i]);
      Value x = own.front();
      for (Value &other : own) {
        if (elementOf(other) != elementOf(x) || rankOf(other) != rankOf(x))
          return node.error() << "expects what belongs to a tensor to have its type, but has " << typeOf(x) << " and "
                              << typeOf(other);
        other = node.withSizes(other, node.sizesOf(x), "what belongs to a tensor to have its sizes");
      }
      if (node.hasFailed())
        return failure();
      for (auto [kind, value] : llvm::enumerate(step(own)))
        results[kind * tensors + i] = value;
    }
    return node.hasFailed() ? Results(failure()) : Results(ArrayRef(results));
  }

  Value add(Value a, Value b) { return node.binary<AddOp>(a, b); }
  Value sub(Value a, Value b) { return node.binary<SubOp>(a, b); }
  Value mul(Value a, Value b) { return node.binary<MulOp>(a, b); }
  Value mul(Value a, double b) { return node.binary<MulOp>(a, b); }
  Value div(Value a, Value b) { return node.binary<DivOp>(a, b); }

  /// The gradient with that of the penalty on large values.
  Value regularized(Value x, Value gradient) {
    double coefficient = node.number("norm_coefficient", 0);
    return coefficient == 0 ? gradient : add(mul(x, coefficient), gradient);
  }
  Value rateLike(Value x) { return node.cast(rate, elementOf(x)); }
  Value countLike(Value x) { return node.cast(count, elementOf(x)); }
  Value isFirst() { return node.compare(Predicate::le, count, 0.0); }
  Value number(double value, Value like) { return node.scalar(value, elementOf(like)); }

private:
  Node &node;
  size_t kinds, tensors;
  Value rate, count;
};

Results adagrad(Node &node) {
  Optimizer o(node, 3);
  double decay = node.number("decay_factor", 0), epsilon = node.number("epsilon", 1e-6);
  return o.convert([&](ArrayRef<Value> own) -> SmallVector<Value> {
    Value x = own[0], gradient = o.regularized(x, own[1]);
    Value rate = o.div(o.rateLike(x), o.add(o.mul(o.countLike(x), decay), o.number(1, x)));
    Value squares = o.add(own[2], o.mul(gradient, gradient));
    Value scale = o.add(node.unary<SqrtOp>(squares), o.number(epsilon, x));
    return {o.sub(x, o.div(o.mul(rate, gradient), scale)), squares};
  });
}

Results adam(Node &node) {
  Optimizer o(node, 4);
  double alpha = node.number("alpha", 0.9f), beta = node.number("beta", 0.999f), epsilon = node.number("epsilon", 1e-6);
  double after = node.number("norm_coefficient_post", 0);
  return o.convert([&](ArrayRef<Value> own) -> SmallVector<Value> {
    Value x = own[0], gradient = o.regularized(x, own[1]), one = o.number(1, x);
    Value mean = o.add(o.mul(own[2], alpha), o.mul(gradient, 1 - alpha));
    Value squares = o.add(o.mul(own[3], beta), o.mul(o.mul(gradient, gradient), 1 - beta));
    Value scale = o.add(node.unary<SqrtOp>(squares), o.number(epsilon, x));
    // What averages over few steps lack.
    auto missing = [&](double factor) { return o.sub(one, node.binary<PowOp>(o.number(factor, x), o.countLike(x))); };
    Value adjusted = o.div(o.mul(o.rateLike(x), node.unary<SqrtOp>(missing(beta))), missing(alpha));
    Value rate = node.select(o.isFirst(), o.rateLike(x), adjusted);
    Value result = o.sub(x, o.div(o.mul(rate, mean), scale));
    return {after == 0 ? result : o.mul(result, 1 - after), mean, squares};
  });
}

Results momentum(Node &node) {
  StringRef mode = node.string("mode", "");
  if (mode != "standard" && mode != "nesterov")
    return node.error() << "expects mode standard or nesterov, but has '" << mode << "'";
  for (StringRef name : {"alpha", "beta"})
    if (!node.hasAttribute(name))
      return node.error() << "expects the attribute '" << name << "'";
  Optimizer o(node, 3);
  double alpha = node.number("alpha", 0), beta = node.number("beta", 0);
  return o.convert([&](ArrayRef<Value> own) -> SmallVector<Value> {
    Value x = own[0], gradient = o.regularized(x, own[1]);
    Value factor = node.select(o.isFirst(), o.number(1, x), o.number(beta, x));
    Value memory = o.add(o.mul(own[2], alpha), o.mul(factor, gradient));
    Value direction = mode == "standard" ? memory : o.add(gradient, o.mul(memory, alpha));
    return {o.sub(x, o.mul(o.rateLike(x), direction)), memory};
  });
}
} // namespace

void onnx::addTrainingConverters(ConverterTable &table) {
  table.add("ai.onnx.preview.training.Adagrad", 1, 5, ConverterTable::variadic, adagrad);
  table.add("ai.onnx.preview.training.Adam", 1, 6, ConverterTable::variadic, adam);
  table.add("ai.onnx.preview.training.Momentum", 1, 5, ConverterTable::variadic, momentum);
  table.refuse("ai.onnx.preview.training.Gradient",
               "a model is compiled as it stands, not differentiated; export the gradients' own operators, as "
               "frameworks do that train");
}
