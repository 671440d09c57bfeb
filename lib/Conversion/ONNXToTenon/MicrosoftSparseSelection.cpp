//===- MicrosoftSparseSelection.cpp - Indexers of sparse attention in ONNX Runtime's operators ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Attention.h"
#include "Indexing.h"
#include "Microsoft.h"
#include "PackedRequests.h"
#include "SparseSelection.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

namespace {
/// Of B sequences of as many tokens, behind a cache of keys that grows, or that has room for more.
class SparseIndexer {
public:
  explicit SparseIndexer(Node &node) : node(node), selection(node) {}

  Results convert() {
    if (node.hasFailed() || !selection.checkOperands({6}, {8, 9, 10, 11, 13}) || !check())
      return failure();
    placeOperands();
    if (node.hasFailed())
      return failure();
    return selection.isQsa ? chooseTokens() : chooseEntries();
  }

private:
  bool check() {
    int64_t width = selection.isQsa ? selection.depth : 2 * selection.depth;
    auto isOf = [&](size_t operand, int64_t rank, int64_t last) {
      Value x = node[operand];
      if (!x || (rankOf(x) == rank && typeOf(x).getShape().back() == last))
        return true;
      node.error() << "expects rank " << rank << " and " << last << " as the last size of operand " << operand
                   << ", but has " << typeOf(x);
      return false;
    };
    if (rankOf(node[0]) != 3)
      node.error() << "expects queries of rank 3, but has " << typeOf(node[0]);
    else if (!node.expect({7}) || !isOf(1, 3, width) || !isOf(7, 3, selection.depth))
      return false;
    else if (node.has(12) && !isSingle(node[12]))
      node.error() << "expects one element as past_sequence_length, but has " << typeOf(node[12]);
    else if (node.has(6) && rankOf(node[6]) != 2)
      node.error() << "expects a matrix as mask, but has " << typeOf(node[6]);
    else if (!selection.isQsa && (!isOf(8, 3, width) || !isOf(9, 2, width) || !isOf(13, 4, width)))
      return false;
    else if (!selection.isQsa &&
             (rankOf(node[10]) != 3 || rankOf(node[11]) != 2 || typeOf(node[9]).getDimSize(0) != selection.ratio ||
              typeOf(node[13]).getDimSize(0) != 2 || typeOf(node[13]).getDimSize(2) >= 2 * selection.ratio))
      node.error() << "expects a position_bias of " << selection.ratio
                   << " rows, head_weights of rank 3, position_ids of "
                   << "rank 2 and a past_proj_buffer of two, shorter than " << 2 * selection.ratio << ", but has "
                   << typeOf(node[9]) << ", " << typeOf(node[10]) << ", " << typeOf(node[11]) << " and "
                   << typeOf(node[13]);
    return !node.hasFailed();
  }

  void placeOperands() {
    query = node[0];
    key = node[1];
    if (!key) { // behind the queries
      AffineExpr all = node.sizeOf(query, 2), own = node.size(selection.depth);
      key = node.slice(query, 2, node.sizes.simplify(all - own), own);
      query = node.slice(query, 2, node.size(0), node.sizes.simplify(all - own));
    }
    batch = node.sizeOf(query, 0);
    length = node.sizeOf(query, 1);
    past =
        node.has(12) ? node.cast(node.reshape(node[12], {}), selection.i64) : numberOf(node, node.sizeOf(node[7], 1));
  }

  /// A number per batch entry and token, the same in each entry.
  Value grid(AffineExpr count, int64_t dim) { return node.iota({batch, count}, dim, selection.i64); }

  /// The cache with rows `[B, S, D]` behind what is in use.
  Value written(Value cache, Value fresh) {
    if (!node.has(12))
      return node.concat({cache, fresh}, 1);
    Value places = node.binary<AddOp>(grid(node.sizeOf(fresh, 1), 1), past);
    return ScatterOp::create(node.builder, node.loc, cache.getType(), IndexMode::error, CombinerAttr(), cache,
                             node.unsqueeze(places, {2}), fresh, ArrayRef<int64_t>{1}, 1);
  }

  Value rows(Value x, Value places) {
    return node.gather(x, node.unsqueeze(places, {rankOf(places)}), {1}, /*batchDims=*/1, IndexMode::clamp);
  }

  /// `[B, S, H, D]` times `[B, E, D]`.
  Value products(Value queries, Value keys) {
    return node.contract(queries, keys, 5, {0, 1, 2, 4}, {0, 3, 4}, {0, 1, 2, 3}, selection.f32);
  }

  Results chooseTokens() {
    Value present = written(node[7], key);
    AffineExpr room = node.sizeOf(present, 1), blocks = node.sizes.simplify(room.floorDiv(selection.ratio));
    Value place = node.binary<AddOp>(grid(length, 1), past), order, visible;
    if (node.has(6)) {
      // Blocks are of tokens that the mask shows, whatever lies between them.
      Sizes none(2, node.size(0)), high = none, sizes = {batch, room};
      high[1] = node.sizes.simplify(room - node.sizeOf(node[6], 1));
      Value isShown = node.compare(Predicate::ne, node.cast(node[6], selection.i64), 0.0);
      isShown = node.reshape(node.pad(isShown, node.boolean(false), none, high), sizes);
      Value ones = node.cast(isShown, selection.i64);
      Value upTo = ScanOp::create(node.builder, node.loc, ones.getType(), Combiner::sum, ones, 1, false, false);
      Value rank = node.select(isShown, node.binary<SubOp>(upTo, 1.0), numberOf(node, room));
      Value tokens = node.iota(sizes, 1, selection.i64);
      order = ScatterOp::create(node.builder, node.loc, tokens.getType(), IndexMode::drop, CombinerAttr(),
                                node.splat(0, tokens), node.unsqueeze(rank, {2}), tokens, ArrayRef<int64_t>{1}, 1);
      visible = rows(upTo, place);
    } else {
      order = grid(room, 1);
      visible = node.binary<AddOp>(place, 1.0);
    }
    AffineExpr covered = node.product({blocks, node.size(selection.ratio)});
    Value members = rows(node.cast(present, selection.f32), node.slice(order, 1, node.size(0), covered));
    members = node.reshape(members, {batch, blocks, node.size(selection.ratio), node.size(selection.depth)});
    Value firsts = node.slice(order, 1, node.size(0), blocks, selection.ratio);
    Value keys = selection.keys(selection.pooled(members), selection.anglesAt(firsts, grid(blocks, 0)));
    Value queries = selection.queries(query, selection.anglesAt(place, grid(length, 0)));
    auto chosen = selection.tokens(selection.summed(products(queries, keys), 2, {}), visible);
    if (node.hasFailed())
      return failure();
    Value indices = chosen.indices;
    if (node.has(6))
      indices = node.select(node.compare(Predicate::ge, indices, 0.0), rows(order, indices), indices);
    return {node.cast(indices, node.builder.getI32Type()), present};
  }

  Results chooseEntries() {
    // The buffer has the last whole window where it is as long as one, and what is left of tokens.
    Sizes half = node.sizesOf(node[13]);
    half.erase(half.begin());
    auto buffered = [&](int64_t i, Value fresh) {
      Value old = node.reshape(node.slice(node[13], 0, node.size(i), node.size(1)), half);
      return node.concat({old, fresh}, 1);
    };
    Value keys = buffered(0, key), gates = buffered(1, node[8]);
    int64_t ratio = selection.ratio;
    AffineExpr held = half[1], overlap = node.sizes.simplify(held.floorDiv(ratio) * ratio);
    AffineExpr pending = node.sizes.simplify(held - overlap + length);
    AffineExpr windows = node.sizes.simplify(pending.floorDiv(ratio));
    auto windowsAt = [&](Value x, int64_t first) {
      Sizes none(3, node.size(0)), low = none;
      low[1] = node.sizes.simplify(node.size(ratio) - overlap);
      x = node.pad(node.cast(x, selection.f32), node.scalar(0, selection.f32), low, none);
      x = node.slice(x, 1, node.size(first), node.product({windows, node.size(ratio)}));
      return node.reshape(x, {batch, windows, node.size(ratio), node.size(2 * selection.depth)});
    };
    Value index = grid(windows, 1);
    Value isMissing = node.binary<AndOp>(
        node.compare(Predicate::eq, index, 0.0),
        node.broadcast(node.compare(Predicate::eq, numberOf(node, overlap), 0.0), {}, node.sizesOf(index)));
    Value fresh = selection.compressed(windowsAt(keys, ratio), windowsAt(gates, ratio), windowsAt(keys, 0),
                                       windowsAt(gates, 0), isMissing);
    Value place = node.binary<MulOp>(node.binary<AddOp>(index, past), double(ratio));
    fresh = selection.keys(fresh, selection.anglesAt(place, grid(windows, 0)));
    Value all = written(node.cast(node[7], selection.f32), fresh);
    Value positions = node.cast(node[11], selection.i64);
    Value queries = selection.queries(query, selection.anglesAt(positions, grid(length, 0)));
    Value visible = node.binary<DivOp>(node.binary<AddOp>(positions, 1.0), double(ratio));
    visible = node.binary<MinOp>(
        visible, node.broadcast(node.binary<AddOp>(past, numberOf(node, windows)), {}, node.sizesOf(visible)));
    auto chosen = selection.entries(selection.summed(products(queries, all), 2, node[10]), visible);
    AffineExpr none = node.size(0);
    AffineExpr first = node.choose(windows, none, none, node.sizes.simplify(overlap + (windows - 1) * ratio));
    AffineExpr count = node.choose(windows, none, node.sizes.simplify(held + length),
                                   node.sizes.simplify(node.size(ratio) + pending % ratio));
    auto left = [&](Value x) { return node.unsqueeze(node.slice(x, 1, first, count), {0}); };
    if (node.hasFailed())
      return failure();
    Value present = written(node[7], node.cast(fresh, elementOf(node[7])));
    return {node.cast(chosen.indices, node.builder.getI32Type()), present,
            node.isUsed(2) ? node.concat({left(keys), left(gates)}, 0) : Value()};
  }

  Node &node;
  SparseSelection selection;
  Value query, key, past; ///< `past` is how many rows of the cache are in use
  AffineExpr batch, length;
};

/// Of requests that lie one behind the other, each with a state of fixed size. A request whose state has no room for
/// what its tokens add, or whose numbers contradict, leaves its state as it is and selects nothing.
class PackedIndexer {
public:
  explicit PackedIndexer(Node &node) : node(node), selection(node) {}

  Results convert() {
    for (size_t operand : {18, 19, 20, 21})
      if (node.has(operand))
        return node.unsupported() << "selections that are shared between layers (operand " << operand << ")";
    if (node.integer("max_output_entries", 0) != 0 || node.isUsed(7))
      return node.unsupported() << "selections that are shared between layers (max_output_entries)";
    if (node.hasFailed() || !selection.checkOperands({16, 17}, {8, 9, 10, 11, 14}) || !check())
      return failure();
    requests.emplace(node, node[6], node.sizeOf(node[0], 0));
    placeOperands();
    countEntries();
    if (node.hasFailed())
      return failure();
    return selection.isQsa ? chooseTokens() : chooseEntries();
  }

private:
  bool check() {
    int64_t width = selection.isQsa ? selection.depth : 2 * selection.depth;
    room = node.integer("state_capacity", 0);
    captured = node.integer("state_update_capacity", 0);
    if (!node.expect({6, 7, 12, 13, 15}))
      return false;
    auto isOf = [&](size_t operand, ArrayRef<int64_t> wanted) {
      Value x = node[operand];
      if (!x)
        return true;
      bool fits = rankOf(x) == (int64_t)wanted.size();
      for (int64_t i = 0; fits && i < rankOf(x); ++i)
        fits = wanted[i] < 0 || typeOf(x).getDimSize(i) == wanted[i];
      if (!fits) {
        InFlightDiagnostic error = node.error() << "expects sizes (";
        llvm::interleaveComma(wanted, error, [&](int64_t size) { size < 0 ? error << "any" : error << size; });
        error << ") of operand " << operand << ", but has " << typeOf(x);
      }
      return fits;
    };
    if (room < 1 || captured < 0 || captured > 8 || (captured > 0 && !selection.isQsa))
      node.error()
          << "expects a positive state_capacity, and state_update_capacity from 0 to 8 of policy_mode qsa, but has "
          << room << " and " << captured;
    else if ((captured > 0) != node.has(16))
      node.error() << "expects state_update_capture_count where state_update_capacity is positive";
    int64_t buffer = 2 * selection.ratio - 1;
    return !node.hasFailed() && isOf(0, {-1, -1}) && isOf(1, {-1, width}) && isOf(7, {-1}) && isOf(8, {-1, width}) &&
           isOf(9, {selection.ratio, width}) && isOf(10, {-1, -1}) && isOf(11, {-1}) &&
           isOf(12, {-1, room, selection.depth}) && isOf(13, {-1, buffer, width}) && isOf(14, {-1, buffer, width}) &&
           isOf(15, {-1, 2}) && isOf(16, {-1}) && isOf(17, {1});
  }

  void placeOperands() {
    query = node[0];
    key = node[1];
    if (!key) { // behind the queries
      AffineExpr all = node.sizeOf(query, 1), own = node.size(selection.depth);
      key = node.slice(query, 1, node.sizes.simplify(all - own), own);
      query = node.slice(query, 1, node.size(0), node.sizes.simplify(all - own));
    }
    Sizes each = {requests->count};
    past = node.reshape(node.cast(node[7], selection.i64), each);
    auto column = [&](int64_t i) {
      Value all = node.cast(node[15], selection.i64);
      return node.reshape(node.slice(all, 1, node.size(i), node.size(1)), each);
    };
    entriesBefore = column(0);
    heldBefore = column(1);
  }

  Value both(Value a, Value b) { return node.binary<AndOp>(a, b); }
  Value isWithin(Value x, double low, double high) {
    return both(node.compare(Predicate::ge, x, low), node.compare(Predicate::le, x, high));
  }
  Value perRequest(Value scalar) { return node.broadcast(scalar, {}, {requests->count}); }

  /// What each request's tokens add, and whether they may.
  void countEntries() {
    double ratio = selection.ratio, most = selection.isQsa ? ratio - 1 : 2 * ratio - 1;
    Value isValid = both(isWithin(entriesBefore, 0, room), isWithin(heldBefore, 0, most));
    isValid = both(isValid, node.compare(Predicate::ge, past, 0.0));
    isValid = both(isValid, node.compare(Predicate::ge, requests->lengths, 0.0));
    Value ends = node.cast(node[6], selection.i64);
    Value first = node.reshape(node.slice(ends, 0, node.size(0), node.size(1)), {});
    Value last = node.reshape(node.slice(ends, 0, requests->count, node.size(1)), {});
    isValid = both(isValid,
                   perRequest(node.binary<AndOp>(node.compare(Predicate::eq, first, 0.0),
                                                 node.compare(Predicate::eq, last, numberOf(node, requests->tokens)))));
    if (selection.isQsa) {
      isValid = both(isValid, node.compare(Predicate::eq, entriesBefore, node.binary<DivOp>(past, ratio)));
      isValid = both(isValid, node.compare(Predicate::eq, heldBefore, node.binary<RemOp>(past, ratio)));
    }
    entriesBefore = node.clamp(entriesBefore, 0, room);
    heldBefore = node.clamp(heldBefore, 0, most);
    overlap = node.binary<MulOp>(node.binary<DivOp>(heldBefore, ratio), ratio);
    auto added = [&](Value count) {
      pending = node.binary<AddOp>(node.binary<SubOp>(heldBefore, overlap), count);
      return node.binary<DivOp>(pending, ratio);
    };
    Value isRoom =
        node.compare(Predicate::le, node.binary<AddOp>(entriesBefore, added(requests->lengths)), double(room));
    isTaken = both(isValid, isRoom);
    Value one = node.scalar(1, selection.i64), two = node.scalar(2, selection.i64);
    status = node.select(isTaken, node.splat(0, past), node.select(isValid, two, one));
    taken = node.select(isTaken, requests->lengths, node.splat(0, past));
    fresh = added(taken);
    entriesAfter = node.binary<AddOp>(entriesBefore, fresh);
    mostFresh = node.sizes.simplify(requests->tokens.ceilDiv(selection.ratio));
  }

  Value along(Value x, ArrayRef<AffineExpr> sizes) { return requests->along(x, sizes); }
  Value iota(AffineExpr count) { return node.iota({requests->count, count}, 1, selection.i64); }

  Value rows(Value x, Value places) {
    return node.gather(x, node.unsqueeze(places, {rankOf(places)}), {1}, /*batchDims=*/1, IndexMode::clamp);
  }

  Value wide(Value flags, Value like) {
    return node.broadcast(flags, llvm::to_vector(llvm::seq<int64_t>(0, rankOf(flags))), node.sizesOf(like));
  }

  /// Rows at places `[B, Q]` of a request's buffer and, behind that, its tokens.
  Value pendingRows(Value x, Value buffer, Value places) {
    Sizes sizes = node.sizesOf(places);
    Value held = along(heldBefore, sizes), old = rows(buffer, places);
    Value own = requests->takeTokens(x, requests->placeOf(node.binary<SubOp>(places, held)));
    return node.select(wide(node.compare(Predicate::lt, places, held), old), old, own);
  }

  /// The state with fresh entries `[B, F, D]` behind what is in use.
  Value extended(Value entries) {
    Sizes none(3, node.size(0)), high = none, sizes = {requests->count, node.size(room)};
    high[1] = node.size(1);
    entries = node.pad(node.cast(entries, elementOf(node[12])), node.scalar(0, elementOf(node[12])), none, high);
    Value place = node.binary<SubOp>(iota(node.size(room)), along(entriesBefore, sizes));
    Value isFresh =
        both(node.compare(Predicate::ge, place, 0.0), node.compare(Predicate::lt, place, along(fresh, sizes)));
    Value added = rows(entries, place);
    return node.select(wide(isFresh, added), added, node.reshape(node[12], node.sizesOf(added)));
  }

  /// What is left of a buffer and tokens: `count` rows from a place on.
  Value leftOver(Value x, Value buffer, Value first, Value count) {
    Value row = iota(node.sizeOf(buffer, 1));
    Sizes sizes = node.sizesOf(row);
    Value moved = pendingRows(x, buffer, node.binary<AddOp>(row, along(first, sizes)));
    Value isUsed = node.compare(Predicate::lt, row, along(count, sizes));
    return node.select(wide(isUsed, moved), moved, node.reshape(buffer, node.sizesOf(moved)));
  }

  Value lengthsAfter(Value held) {
    return node.cast(node.concat({node.unsqueeze(entriesAfter, {1}), node.unsqueeze(held, {1})}, 1),
                     node.builder.getI32Type());
  }

  Value ofRequest(Value x) { return take(node, x, requests->request, 0, IndexMode::clamp); }

  /// Sums over heads of each token's products with the state of its own request: `[N, E]`.
  Value scores(Value queries, Value state, Value weights) {
    Value all = node.contract(queries, node.cast(state, selection.f32), 5, {0, 1, 4}, {2, 3, 4}, {0, 1, 2, 3},
                              selection.f32); // [N, H, B, E]
    Value sums = selection.summed(all, 1, weights);
    return node.gather(sums, node.unsqueeze(requests->request, {1}), {1}, /*batchDims=*/1, IndexMode::clamp);
  }

  Results finish(SparseSelection::Selected chosen, Value state, Value buffer, Value gates, Value held, Value update) {
    Type i32 = node.builder.getI32Type();
    Value isChosen = ofRequest(isTaken);
    Value count = node.select(isChosen, chosen.count, node.splat(0, chosen.count));
    Value indices = node.select(wide(isChosen, chosen.indices), chosen.indices, node.splat(-1, chosen.indices));
    Value after = lengthsAfter(held);
    if (node.hasFailed())
      return failure();
    return {node.cast(indices, i32), node.cast(count, i32), state, buffer, gates, after, update, Value(),
            node.cast(status, i32)};
  }

  Results chooseTokens() {
    double ratio = selection.ratio;
    Value place = iota(node.product({mostFresh, node.size(selection.ratio)}));
    Value blocks = node.cast(pendingRows(key, node[13], place), selection.f32);
    blocks = node.reshape(blocks, {requests->count, mostFresh, node.size(selection.ratio), node.size(selection.depth)});
    Value index = iota(mostFresh);
    Sizes sizes = node.sizesOf(index);
    Value first = node.binary<MulOp>(node.binary<AddOp>(index, along(entriesBefore, sizes)), ratio);
    Value entries =
        selection.keys(selection.pooled(blocks), selection.anglesAt(first, node.iota(sizes, 0, selection.i64)));
    Value state = extended(entries);
    Value held = node.binary<SubOp>(pending, node.binary<MulOp>(fresh, ratio));
    Value buffer = leftOver(key, node[13], node.binary<MulOp>(fresh, ratio), held);
    Value position = node.binary<AddOp>(ofRequest(past), requests->place);
    Value queries = selection.queries(query, selection.anglesAt(position, requests->request));
    auto chosen = selection.tokens(scores(queries, state, {}), node.binary<AddOp>(position, 1.0));
    return finish(chosen, state, buffer, Value(), held, captured > 0 ? update(entries) : Value());
  }

  /// The first tokens of a request as the state takes them in: the entry that a token completes, else its key.
  Value update(Value entries) {
    Value token = requests->first(key, captured, node[16], 0);
    Value index = iota(node.size(captured));
    Sizes sizes = node.sizesOf(index), none(3, node.size(0)), high = none;
    high[1] = node.size(1);
    Value place = node.binary<AddOp>(node.binary<AddOp>(index, along(heldBefore, sizes)), 1.0);
    Value entry = node.binary<SubOp>(node.binary<DivOp>(place, double(selection.ratio)), 1.0);
    Value added = rows(node.pad(entries, node.scalar(0, selection.f32), none, high), entry);
    Value completes = node.compare(Predicate::eq, node.binary<RemOp>(place, double(selection.ratio)), 0.0);
    Value isThere = both(requests->isCounted(captured, node[16]), along(isTaken, sizes));
    if (node.has(17)) {
      Value active = node.compare(Predicate::ne, node.reshape(node[17], {}), 0.0);
      isThere = both(isThere, node.broadcast(active, {}, sizes));
    }
    Value all = node.select(wide(completes, token), node.cast(added, elementOf(key)), token);
    return node.select(wide(isThere, all), all, node.splat(0, all));
  }

  Results chooseEntries() {
    double ratio = selection.ratio;
    Value index = iota(mostFresh);
    Sizes sizes = node.sizesOf(index);
    auto windowsAt = [&](Value x, Value buffer, int64_t shift) {
      Sizes flat = {requests->count, node.product({mostFresh, node.size(selection.ratio)})};
      Value place = node.binary<AddOp>(node.iota(flat, 1, selection.i64), along(overlap, flat));
      Value all = pendingRows(x, buffer, node.binary<AddOp>(place, double(shift)));
      return node.reshape(node.cast(all, selection.f32),
                          {requests->count, mostFresh, node.size(selection.ratio), node.size(2 * selection.depth)});
    };
    Value isMissing =
        both(node.compare(Predicate::eq, index, 0.0), along(node.compare(Predicate::eq, overlap, 0.0), sizes));
    Value entries = selection.compressed(windowsAt(key, node[13], 0), windowsAt(node[8], node[14], 0),
                                         windowsAt(key, node[13], -selection.ratio),
                                         windowsAt(node[8], node[14], -selection.ratio), isMissing);
    Value first = node.binary<MulOp>(node.binary<AddOp>(index, along(entriesBefore, sizes)), ratio);
    entries = selection.keys(entries, selection.anglesAt(first, node.iota(sizes, 0, selection.i64)));
    Value state = extended(entries);
    Value isAdded = node.compare(Predicate::gt, fresh, 0.0);
    Value closed = node.binary<MulOp>(fresh, ratio);
    Value start =
        node.select(isAdded, node.binary<SubOp>(node.binary<AddOp>(overlap, closed), ratio), node.splat(0, fresh));
    Value held = node.select(isAdded, node.binary<AddOp>(node.binary<SubOp>(pending, closed), ratio),
                             node.binary<AddOp>(heldBefore, taken));
    Value buffer = leftOver(key, node[13], start, held), gates = leftOver(node[8], node[14], start, held);
    Value position = node.cast(node[11], selection.i64);
    Value queries = selection.queries(query, selection.anglesAt(position, requests->request));
    Value visible = node.binary<DivOp>(node.binary<AddOp>(position, 1.0), ratio);
    visible = node.binary<MinOp>(visible, ofRequest(entriesAfter));
    return finish(selection.entries(scores(queries, state, node[10]), visible), state, buffer, gates, held, Value());
  }

  Node &node;
  SparseSelection selection;
  std::optional<PackedRequests> requests;
  int64_t room = 0, captured = 0;
  Value query, key;
  // Per request: tokens before these, entries and rows of the buffer before them, what they add.
  Value past, entriesBefore, heldBefore, overlap, pending, taken, fresh, entriesAfter, isTaken, status;
  AffineExpr mostFresh;
};

Results sparseAttentionIndexer(Node &node) { return SparseIndexer(node).convert(); }
Results packedSparseAttentionIndexer(Node &node) { return PackedIndexer(node).convert(); }
} // namespace

void onnx::addMicrosoftSparseSelectionConverters(ConverterTable &table) {
  table.add("com.microsoft.SparseAttentionIndexer", 1, 1, 14, sparseAttentionIndexer);
  table.add("com.microsoft.PackedSparseAttentionIndexer", 1, 1, 22, packedSparseAttentionIndexer);
}
