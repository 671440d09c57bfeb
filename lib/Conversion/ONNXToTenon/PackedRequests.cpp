//===- PackedRequests.cpp - Sequences that lie one behind the other ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PackedRequests.h"
#include "Attention.h"
#include "Indexing.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

static SmallVector<int64_t> firstDims(int64_t count) { return llvm::to_vector(llvm::seq<int64_t>(0, count)); }

PackedRequests::PackedRequests(Node &node, Value ends, AffineExpr tokens) : tokens(tokens), node(node) {
  if (rankOf(ends) != 1 || isStatic(node.sizeOf(ends, 0), 0)) {
    node.error() << "expects a vector of where requests begin and the last ends, but has " << typeOf(ends);
    ends = node.integersConstant({0, 0});
  }
  Type i64 = node.builder.getI64Type();
  ends = node.cast(ends, i64);
  count = node.sizes.simplify(node.sizeOf(ends, 0) - 1);
  starts = node.slice(ends, 0, node.size(0), count);
  Value next = node.slice(ends, 0, node.size(1), count);
  lengths = node.binary<SubOp>(next, starts);
  // The request of a token is how many have ended before it.
  Sizes grid = {tokens, count};
  Value hasEnded = node.compare(Predicate::le, node.broadcast(next, {1}, grid), node.iota(grid, 0, i64));
  request = node.reduce(Combiner::sum, node.cast(hasEnded, i64), {1});
  place = node.binary<SubOp>(node.iota({tokens}, 0, i64), take(node, starts, request, 0, IndexMode::clamp));
}

Value PackedRequests::along(Value perRequest, ArrayRef<AffineExpr> sizes) {
  return node.broadcast(perRequest, {0}, sizes);
}

Value PackedRequests::placeOf(Value local) { return node.binary<AddOp>(local, along(starts, node.sizesOf(local))); }

Value PackedRequests::beside(Value flags, Value like) {
  return node.broadcast(flags, firstDims(rankOf(flags)), node.sizesOf(like));
}

Value PackedRequests::takeHistory(Value history, Value request, Value place) {
  int64_t last = rankOf(place);
  Value indices = node.concat({node.unsqueeze(request, {last}), node.unsqueeze(place, {last})}, last);
  return node.gather(history, indices, {0, 1}, /*batchDims=*/0, IndexMode::clamp);
}

Value PackedRequests::takeTokens(Value x, Value places) {
  Sizes none(rankOf(x), node.size(0)), behind = none;
  behind[0] = node.size(1);
  return take(node, node.pad(x, node.scalar(0, elementOf(x)), none, behind), places, 0, IndexMode::clamp);
}

Value PackedRequests::beforeWithin(Value x, int64_t distance) {
  Value at = node.binary<MaxOp>(node.binary<SubOp>(place, double(distance)), 0.0);
  return takeTokens(x, node.binary<AddOp>(at, take(node, starts, request, 0, IndexMode::clamp)));
}

Value PackedRequests::before(Value x, Value history, int64_t distance) {
  Value at = node.binary<SubOp>(place, double(distance)); // below 0 in the history
  Value own = takeTokens(x, node.binary<AddOp>(at, take(node, starts, request, 0, IndexMode::clamp)));
  Value old = takeHistory(history, request, node.binary<AddOp>(at, numberOf(node, node.sizeOf(history, 1))));
  return node.select(beside(node.compare(Predicate::ge, at, 0.0), own), own, old);
}

Value PackedRequests::last(Value x, Value history, Value count) {
  AffineExpr room = node.sizeOf(history, 1);
  Sizes sizes = node.sizesOf(count);
  sizes.push_back(room);
  int64_t last = sizes.size() - 1;
  Value back = node.binary<SubOp>(node.iota(sizes, last, node.builder.getI64Type()), numberOf(node, room));
  Value at = node.binary<AddOp>(back, node.broadcast(count, firstDims(last), sizes)); // below 0 in the history
  Value own = takeTokens(x, placeOf(at));
  Value old = takeHistory(history, node.iota(sizes, 0, node.builder.getI64Type()),
                          node.binary<AddOp>(at, numberOf(node, room)));
  return node.select(beside(node.compare(Predicate::ge, at, 0.0), own), own, old);
}

Value PackedRequests::isCounted(int64_t capacity, Value counted) {
  Sizes sizes = {count, node.size(capacity)};
  Value local = node.iota(sizes, 1, node.builder.getI64Type());
  Value limit = node.binary<MinOp>(node.cast(counted, node.builder.getI64Type()), lengths);
  return node.compare(Predicate::lt, local, along(limit, sizes));
}

Value PackedRequests::first(Value x, int64_t capacity, Value counted, double otherwise) {
  Value local = node.iota({count, node.size(capacity)}, 1, node.builder.getI64Type());
  Value own = takeTokens(x, placeOf(local));
  return node.select(beside(isCounted(capacity, counted), own), own, node.splat(otherwise, own));
}
