//===- MicrosoftNGrams.cpp - Hashes of the last tokens in ONNX Runtime's operators ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Indexing.h"
#include "Microsoft.h"
#include "PackedRequests.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

namespace {
/// Of each token the last n, for n from 2 on, times a factor each, joined by exclusive or, modulo the size of a
/// vocabulary per head. Tokens `[B, S]`, or `[N]` of several requests, have what lies before them as a tensor `[B, P]`.
class NGrams {
public:
  NGrams(Node &node, bool isPacked) : node(node), isPacked(isPacked), at(isPacked) {}

  Results convert() {
    if (!check())
      return failure();
    element = elementOf(node[0]);
    Sizes sizes = node.sizesOf(node[0]);
    if (isPacked)
      requests.emplace(node, node[3], sizes[0]);
    Sizes old = {isPacked ? requests->count : sizes[0], node.size(reach)};
    missing =
        node.has(at.eos) ? node.reshape(node[at.eos], {}) : node.scalarInteger(node.integer("pad_id", 0), element);
    Value history = node.has(at.past) ? expectSizes(at.past, old) : node.broadcast(missing, {}, old);
    Value segmentHistory;
    if (node.has(at.pastSegments))
      segmentHistory = expectSizes(at.pastSegments, old);
    if (node.hasFailed())
      return failure();
    Value hashes = hash(history, segmentHistory);
    Value segments = node[at.segments];
    Value presentSegments, update;
    if (isPacked && node.isUsed(2)) {
      if (!segments || !segmentHistory)
        return node.error() << "expects segment_ids and past_segment_ids where present_segment_ids is used";
      presentSegments = requests->last(segments, segmentHistory, requests->lengths);
    }
    if (isPacked && node.isUsed(3))
      update = states(history);
    return {hashes, present(history), presentSegments, update};
  }

private:
  /// Where operands stand.
  struct Operands {
    explicit Operands(bool isPacked) {
      if (isPacked)
        past = 4, offsets = 5, eos = 6, segments = 7, pastSegments = 8, counts = 9;
    }
    size_t past = 3, offsets = 4, eos = 5, segments = 6, pastSegments = 7, counts = 8;
  };

  bool check() {
    int64_t longest = node.integer("max_ngram_size", 0);
    heads = node.integer("n_head_per_ngram", 0);
    capacity = node.integer("state_update_capacity", 0);
    constexpr int64_t limit = 1 << 12;
    if (longest < 2 || heads < 1 || longest > limit || heads > limit)
      node.error() << "expects max_ngram_size of at least 2 and n_head_per_ngram of at least 1, both at most " << limit
                   << ", but has " << longest << " and " << heads;
    reach = longest - 1;
    int64_t all = reach * heads;
    if (!node.hasAttribute("pad_id"))
      node.error() << "expects the attribute 'pad_id'";
    else if (rankOf(node[0]) != (isPacked ? 1 : 2) || !isa<IntegerType>(elementOf(node[0])))
      node.error() << "expects integers of rank " << (isPacked ? 1 : 2) << " as input_ids, but has " << typeOf(node[0]);
    else if (rankOf(node[1]) != 1 || typeOf(node[1]).getDimSize(0) < longest)
      node.error() << "expects " << longest << " multipliers, but has " << typeOf(node[1]);
    else if (rankOf(node[2]) != 1 || typeOf(node[2]).getDimSize(0) != all)
      node.error() << "expects " << all << " vocab_sizes, but has " << typeOf(node[2]);
    else if (node.has(at.offsets) && (rankOf(node[at.offsets]) != 1 || typeOf(node[at.offsets]).getDimSize(0) != all))
      node.error() << "expects " << all << " head_offsets, but has " << typeOf(node[at.offsets]);
    else if (node.has(at.eos) && !isSingle(node[at.eos]))
      node.error() << "expects a scalar as eos_token_id, but has " << typeOf(node[at.eos]);
    else if (node.has(at.segments) && rankOf(node[at.segments]) != rankOf(node[0]))
      node.error() << "expects segment_ids of the sizes of input_ids, but has " << typeOf(node[at.segments]);
    else if (capacity < 0 || capacity > 8 || (capacity > 0) != node.has(at.counts))
      node.error() << "expects state_update_capacity from 0 to 8, and capture_count where it is positive, but has "
                   << capacity;
    else if (auto sizes = node.constantIntegers(node[2]);
             sizes && llvm::any_of(*sizes, [](int64_t x) { return x < 1; }))
      node.error() << "expects positive vocab_sizes";
    return !node.hasFailed();
  }

  Value expectSizes(size_t operand, const Sizes &sizes) {
    if (rankOf(node[operand]) == 2 && isStatic(node.sizeOf(node[operand], 1), reach))
      return node.reshape(node[operand], sizes);
    node.error() << "expects a matrix of " << reach << " columns as operand " << operand << ", but has "
                 << typeOf(node[operand]);
    return node[operand];
  }

  /// What stands `distance` tokens before each; without a history the first one goes on before itself.
  Value shifted(Value x, Value history, int64_t distance) {
    if (isPacked)
      return history ? requests->before(x, history, distance) : requests->beforeWithin(x, distance);
    if (history)
      return node.slice(node.concat({history, x}, 1), 1, node.size(reach - distance), node.sizeOf(x, 1));
    Value place = node.iota({node.sizeOf(x, 1)}, 0, node.builder.getI64Type());
    return take(node, x, node.binary<MaxOp>(node.binary<SubOp>(place, double(distance)), 0.0), 1, IndexMode::clamp);
  }

  Value hash(Value history, Value segmentHistory) {
    Value ids = node[0], segments = node[at.segments];
    bool resets = node.has(at.eos) && node.flag("reset_on_eos");
    Sizes sizes = node.sizesOf(ids);
    Value isHidden = node.broadcast(node.boolean(false), {}, sizes), mix, later = segments;
    SmallVector<Value> hashes;
    for (int64_t n = 0; n <= reach; ++n) {
      Value token = n == 0 ? ids : shifted(ids, history, n);
      if (n > 0 && resets)
        isHidden = node.binary<OrOp>(isHidden, node.compare(Predicate::eq, token, missing));
      if (n > 0 && segments) {
        Value segment = shifted(segments, segmentHistory, n);
        isHidden = node.binary<OrOp>(isHidden, node.compare(Predicate::ne, segment, later));
        later = segment;
      }
      if (n > 0 && (resets || segments))
        token = node.select(isHidden, missing, token);
      Value factor = node.reshape(node.slice(node[1], 0, node.size(n), node.size(1)), {});
      Value product = node.binary<MulOp>(token, factor);
      mix = mix ? node.binary<XorOp>(mix, product) : product;
      if (n > 0)
        hashes.push_back(headsOf(mix, n - 1));
    }
    return node.concat(hashes, rankOf(ids));
  }

  /// Modulo the vocabulary of each head. One that isn't positive gives 0, as there is no remainder.
  Value headsOf(Value mix, int64_t order) {
    Sizes sizes = node.sizesOf(mix);
    int64_t dim = sizes.size();
    sizes.push_back(node.size(heads));
    auto perHead = [&](Value x) {
      return node.broadcast(node.slice(x, 0, node.size(order * heads), node.size(heads)), {dim}, sizes);
    };
    Value modulus = perHead(node[2]);
    Value isThere = node.compare(Predicate::gt, modulus, 0.0);
    modulus = node.select(isThere, modulus, node.splat(1, modulus));
    Value each = node.broadcast(mix, llvm::to_vector(llvm::seq<int64_t>(0, dim)), sizes);
    Value rest = node.binary<ModOp>(each, modulus);
    return node.has(at.offsets) ? node.binary<AddOp>(rest, perHead(node[at.offsets])) : rest;
  }

  Value present(Value history) {
    if (isPacked)
      return requests->last(node[0], history, requests->lengths);
    Value all = node.concat({history, node[0]}, 1);
    return node.slice(all, 1, node.sizeOf(node[0], 1), node.size(reach));
  }

  /// What `present` would be after each of the first tokens of a request.
  Value states(Value history) {
    Sizes sizes = {requests->count, node.size(capacity)};
    Value count = node.binary<AddOp>(node.iota(sizes, 1, node.builder.getI64Type()), 1.0);
    Value all = requests->last(node[0], history, count);
    Value isThere = node.broadcast(requests->isCounted(capacity, node[at.counts]), {0, 1}, node.sizesOf(all));
    return node.select(isThere, all, node.scalarInteger(node.integer("pad_id", 0), element));
  }

  Node &node;
  bool isPacked;
  Operands at;
  std::optional<PackedRequests> requests;
  Type element;
  int64_t reach = 0, heads = 0, capacity = 0;
  Value missing; ///< what stands for tokens that there are none of
};

template <bool isPacked> Results nGramHashMapping(Node &node) { return NGrams(node, isPacked).convert(); }
} // namespace

void onnx::addMicrosoftNGramConverters(ConverterTable &table) {
  table.add("com.microsoft.NGramHashMapping", 1, 3, 7, nGramHashMapping<false>);
  table.add("com.microsoft.VarlenNGramHashMapping", 1, 4, 10, nGramHashMapping<true>);
}
