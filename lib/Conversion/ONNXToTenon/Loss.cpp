//===- Loss.cpp - Losses of ONNX ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Indexing.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

namespace {
/// -weight[class] * x[class] of each place, summed, averaged by weight, or as it is. `x` has the classes in
/// dimension 1; places of the class `ignore_index`, which need not exist, don't count.
Results negativeLogLikelihood(Node &node, Value x, Value target, Value weight) {
  int64_t rank = rankOf(x), last = rankOf(target);
  StringRef reduction = node.string("reduction", "mean");
  if (reduction != "mean" && reduction != "sum" && reduction != "none")
    return node.error() << "expects reduction none, sum or mean, but has '" << reduction << "'";
  if (rank < 2 || last != rank - 1 || !isa<IntegerType>(elementOf(target)))
    return node.error() << "expects classes of rank " << rank - 1 << ", but has " << typeOf(target);
  Value counted;
  if (node.hasAttribute("ignore_index")) {
    counted = node.compare(Predicate::ne, target, double(node.integer("ignore_index", 0)));
    target = node.select(counted, target, node.splat(0, target));
  }
  Value picked = node.gather(node.moveDim(x, 1, rank - 1), node.unsqueeze(target, {last}), {last}, last);
  Value share = weight ? take(node, weight, target, 0) : node.splat(1, picked);
  if (node.hasFailed())
    return failure();
  if (counted)
    share = node.select(counted, share, node.splat(0, share));
  Value loss = node.unary<NegOp>(weight || counted ? node.binary<MulOp>(picked, share) : picked);
  if (reduction == "none")
    return loss;
  SmallVector<int64_t> dims = llvm::to_vector(llvm::seq<int64_t>(0, last));
  Value sum = node.reduce(Combiner::sum, loss, dims);
  return reduction == "sum" ? sum : node.binary<DivOp>(sum, node.reduce(Combiner::sum, share, dims));
}

Results negativeLogLikelihoodLoss(Node &node) { return negativeLogLikelihood(node, node[0], node[1], node[2]); }

Results softmaxCrossEntropyLoss(Node &node) {
  Value x = node[0];
  if (rankOf(x) < 2)
    return node.error() << "expects scores of rank 2 or more, but has " << typeOf(x);
  Value logarithm = SoftmaxOp::create(node.builder, node.loc, x.getType(), x, ArrayRef<int64_t>{1}, /*log=*/true);
  Results loss = negativeLogLikelihood(node, logarithm, node[1], node[2]);
  return loss.isFailure ? loss : Results{loss.values[0], logarithm};
}
} // namespace

void onnx::addLossConverters(ConverterTable &table) {
  table.add("NegativeLogLikelihoodLoss", 12, 2, 3, negativeLogLikelihoodLoss);
  table.add("SoftmaxCrossEntropyLoss", 12, 2, 3, softmaxCrossEntropyLoss);
}
