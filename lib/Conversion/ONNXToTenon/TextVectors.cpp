//===- TextVectors.cpp - Vectors that count what a text holds ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// The n-grams of a model are a tree of tokens, written down as tables: a state and the number of a token lead to
// another state, which may be an n-gram with a place in the result. From each place of a text a walk goes as deep as
// there are tokens.
//
//===----------------------------------------------------------------------===//

#include "Indexing.h"
#include "MachineLearning.h"

#include <map>

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

namespace {
/// Places in a list that is sorted, -1 for what isn't in it.
Value placesIn(Node &node, ArrayRef<int64_t> sorted, Value x) {
  Value missing = node.splat(-1, x);
  if (sorted.empty())
    return missing;
  Value list = node.integersConstant(sorted), last = missing;
  auto at = [&](Value place) { return take(node, list, place, 0, IndexMode::clamp); };
  // The last that isn't larger, by halves.
  for (int64_t step = llvm::PowerOf2Ceil(sorted.size()); step > 0; step /= 2) {
    Value next = node.binary<AddOp>(last, double(step));
    Value isThere = node.compare(Predicate::lt, next, double(sorted.size()));
    Value fits = node.binary<AndOp>(isThere, node.compare(Predicate::le, at(next), x));
    last = node.select(fits, next, last);
  }
  Value isFound = node.compare(Predicate::eq, at(node.binary<MaxOp>(last, 0.0)), x);
  return node.select(isFound, last, missing);
}

class TfIdf {
public:
  explicit TfIdf(Node &node) : node(node), i64(node.builder.getI64Type()) {}

  Results convert() {
    if (!readAttributes() || !readPool())
      return failure();
    Value x = node[0];
    int64_t rank = rankOf(x);
    if (rank > 2)
      return node.error() << "expects tokens [C] or [N, C], but has " << typeOf(x);
    Sizes given = node.sizesOf(x), rows = given;
    while (rows.size() < 2)
      rows.insert(rows.begin(), node.size(1));
    Value tokens = numbersOf(x);
    if (node.hasFailed())
      return failure();
    tokens = node.reshape(tokens, rows);
    Value counts = count(tokens, rows);
    if (mode == "IDF")
      counts = node.cast(node.compare(Predicate::gt, counts, 0.0), elementOf(counts));
    if (mode != "TF" && !weights.empty()) {
      // Of each place in the result that of the n-gram which is counted there.
      SmallVector<double> perPlace(width);
      for (auto [place, weight] : llvm::zip(places, weights))
        perPlace[place] = weight;
      counts = node.binary<MulOp>(counts, node.along(node.numbersConstant(perPlace, elementOf(counts)), 1, counts));
    }
    return rank == 2 ? counts : node.reshape(counts, {node.size(width)});
  }

private:
  bool readAttributes() {
    mode = node.string("mode", "");
    shortest = node.integer("min_gram_length", 0);
    longest = node.integer("max_gram_length", 0);
    skips = node.integer("max_skip_count", -1);
    starts = node.integers("ngram_counts").value_or(starts);
    places = node.integers("ngram_indexes").value_or(places);
    weights = node.numbers("weights").value_or(weights);
    if (mode != "TF" && mode != "IDF" && mode != "TFIDF")
      node.error() << "expects mode TF, IDF or TFIDF, but has '" << mode << "'";
    else if (shortest < 1 || longest < shortest || longest > (int64_t)starts.size() || skips < 0 || skips > mostSkips)
      node.error() << "expects min_gram_length from 1 to max_gram_length, ngram_counts for each length and "
                      "max_skip_count from 0 to "
                   << mostSkips << ", but has " << shortest << ", " << longest << ", " << starts.size() << " and "
                   << skips;
    else if (places.empty() || llvm::any_of(places, [](int64_t place) { return place < 0 || place > mostPlaces; }))
      node.error() << "expects places from 0 to " << mostPlaces << " in ngram_indexes";
    if (node.hasFailed())
      return false;
    width = *llvm::max_element(places) + 1;
    if (weights.empty() || mode == "TF")
      return true;
    if (weights.size() != places.size())
      node.error() << "expects " << places.size() << " weights, as many as ngram_indexes, but has " << weights.size();
    return !node.hasFailed();
  }

  /// The tree, from n-grams that stand one behind the other, by their lengths.
  bool readPool() {
    auto texts = dyn_cast_if_present<ArrayAttr>(node.attribute("pool_strings"));
    SmallVector<int64_t> integers = node.integers("pool_int64s").value_or(SmallVector<int64_t>());
    bool isText = isa<tenon::StringType>(elementOf(node[0]));
    if ((texts && !texts.empty()) != isText || integers.empty() != isText) {
      node.error() << "expects pool_strings for strings or pool_int64s for integers, but has " << typeOf(node[0]);
      return false;
    }
    // The numbers of tokens.
    SmallVector<int64_t> pool;
    if (isText) {
      std::map<StringRef, int64_t> numbers;
      for (StringRef text : texts.getAsValueRange<StringAttr>()) {
        auto [entry, isNew] = numbers.try_emplace(text, words.size());
        if (isNew)
          words.push_back(text);
        pool.push_back(entry->second);
      }
      kinds = words.size();
    } else {
      known = integers;
      llvm::sort(known);
      known.erase(llvm::unique(known), known.end());
      for (int64_t token : integers)
        pool.push_back(llvm::lower_bound(known, token) - known.begin());
      kinds = known.size();
    }
    size_t gram = 0;
    places.resize(std::max(places.size(), pool.size()), -1);
    gramPlaces = {-1};
    for (size_t length = 1; length <= starts.size(); ++length) {
      int64_t begin = starts[length - 1], end = length < starts.size() ? starts[length] : pool.size();
      if (begin < 0 || end < begin || end > (int64_t)pool.size() || (end - begin) % length != 0) {
        node.error() << "expects ngram_counts that part the pool of " << pool.size() << " into whole n-grams, but has "
                     << begin << " to " << end << " for those of " << length;
        return false;
      }
      for (int64_t at = begin; at < end; at += length, ++gram) {
        if ((int64_t)length < shortest || (int64_t)length > longest)
          continue;
        int64_t state = 0;
        for (int64_t token : ArrayRef(pool).slice(at, length)) {
          auto [entry, isNew] = steps.try_emplace(state * kinds + token, gramPlaces.size());
          if (isNew)
            gramPlaces.push_back(-1);
          state = entry->second;
        }
        gramPlaces[state] = places[gram];
      }
    }
    return true;
  }

  /// Tokens by their numbers, -1 where the pool has none.
  Value numbersOf(Value x) {
    if (words.empty())
      return placesIn(node, known, node.cast(x, i64));
    auto type = RankedTensorType::get({(int64_t)words.size()}, tenon::StringType::get(node.builder.getContext()));
    Value keys = node.constant(DenseStringElementsAttr::get(type, words));
    Value numbers = node.integersConstant(llvm::to_vector(llvm::seq<int64_t>(0, words.size())));
    return LookupOp::create(node.builder, node.loc, typeOf(x).clone(i64), x, keys, numbers,
                            node.scalarInteger(-1, i64));
  }

  Value next(Value state, Value token) {
    SmallVector<int64_t> keys, states;
    for (auto [key, to] : steps) {
      keys.push_back(key);
      states.push_back(to);
    }
    Value key = node.binary<AddOp>(node.binary<MulOp>(state, double(kinds)), token);
    Value isThere =
        node.binary<AndOp>(node.compare(Predicate::ge, state, 0.0), node.compare(Predicate::ge, token, 0.0));
    Value place = placesIn(node, keys, node.select(isThere, key, node.splat(-1, key)));
    Value found = take(node, node.integersConstant(states), node.binary<MaxOp>(place, 0.0), 0);
    return node.select(node.compare(Predicate::ge, place, 0.0), found, place);
  }

  Value count(Value tokens, const Sizes &rows) {
    Sizes none(2, node.size(0)), behind = none;
    behind[1] = node.size((longest - 1) * (skips + 1));
    Value padded = node.pad(tokens, node.scalarInteger(-1, i64), none, behind);
    SmallVector<Value> all;
    // Single tokens have nothing to skip.
    for (int64_t distance = 1, first = shortest; distance <= skips + 1 && first <= longest; ++distance) {
      Value state = node.splat(0, tokens);
      for (int64_t length = 1; length <= longest && !steps.empty(); ++length) {
        state = next(state, node.slice(padded, 1, node.size((length - 1) * distance), rows[1]));
        if (length < first)
          continue;
        Value place = take(node, node.integersConstant(gramPlaces), node.binary<MaxOp>(state, 0.0), 0);
        all.push_back(node.select(node.compare(Predicate::lt, state, 0.0), state, place));
      }
      first = std::max<int64_t>(first, 2);
    }
    Type f32 = node.builder.getF32Type();
    Value counts = node.broadcast(node.scalar(0, f32), {}, {rows[0], node.size(width)});
    if (all.empty())
      return counts;
    Value place = node.concat(all, 1);
    // What is nothing lies outside.
    place = node.select(node.compare(Predicate::lt, place, 0.0), node.splat(width, place), place);
    Value ones = node.broadcast(node.scalar(1, f32), {}, node.sizesOf(place));
    auto sum = CombinerAttr::get(node.builder.getContext(), Combiner::sum);
    return ScatterOp::create(node.builder, node.loc, counts.getType(), IndexMode::drop, sum, counts,
                             node.unsqueeze(place, {2}), ones, ArrayRef<int64_t>{1}, 1);
  }

  static constexpr int64_t mostSkips = 64, mostPlaces = 1 << 24;

  Node &node;
  Type i64;
  StringRef mode;
  int64_t shortest = 0, longest = 0, skips = 0, width = 0, kinds = 0;
  SmallVector<int64_t> starts, places, known;
  SmallVector<StringRef> words;
  SmallVector<double> weights;
  std::map<int64_t, int64_t> steps; ///< from a state and a token to a state
  SmallVector<int64_t> gramPlaces;  ///< of each state, -1 of one that is no n-gram
};

Results tfIdfVectorizer(Node &node) { return TfIdf(node).convert(); }
} // namespace

void onnx::addTextConverters(ConverterTable &table) {
  table.add("TfIdfVectorizer", 9, 1, 1, tfIdfVectorizer, Accepts::tensors);
}
