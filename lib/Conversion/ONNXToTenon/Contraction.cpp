//===- Contraction.cpp - ONNX operators that are sums of products ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Contraction.h"

#include "Node.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

//===----------------------------------------------------------------------===//
// Matrix products
//===----------------------------------------------------------------------===//

namespace {
/// Matrix operands whose batch dimensions run together: those that are repeated are dropped or broadcast.
class BatchedProduct {
public:
  BatchedProduct(Node &node, Value a, Value b) : node(node) {
    rows = rankOf(a) > 1;
    columns = rankOf(b) > 1;
    split(a, rows ? 2 : 1, lhs);
    split(b, columns ? 2 : 1, rhs);
  }

  Value build(Type element) {
    AffineExpr depth = lhs.matrix.back(), other = rhs.matrix.front();
    if (isStatic(depth) && isStatic(other) && depth != other) {
      node.error() << "expects as many columns of the first matrix as rows of the second, but has "
                   << lhs.value.getType() << " and " << rhs.value.getType();
      return lhs.value;
    }
    size_t batch = std::max(lhs.batch.size(), rhs.batch.size());
    unsigned m = batch, n = m + rows, k = n + columns;
    SmallVector<unsigned> result;
    Sizes none;
    for (size_t i = 0; i < batch; ++i) {
      result.push_back(i);
      align(i, batch);
    }
    if (node.hasFailed())
      return lhs.value;
    if (rows)
      result.push_back(m);
    if (columns)
      result.push_back(n);
    Value a = place(lhs), b = place(rhs);
    SmallVector<unsigned> aDims = lhs.kept, bDims = rhs.kept;
    if (rows)
      aDims.push_back(m);
    aDims.push_back(k);
    bDims.push_back(k);
    if (columns)
      bDims.push_back(n);
    return node.contract(a, b, k + 1, aDims, bDims, result, element);
  }

private:
  struct Operand {
    Value value;
    Sizes batch, matrix;          ///< batch sizes after broadcasting
    SmallVector<unsigned> kept;   ///< batch dimensions of the product that the operand has
    SmallVector<int64_t> dropped; ///< dimensions of size 1 that it loses
  };

  void split(Value value, size_t matrix, Operand &operand) {
    operand.value = value;
    Sizes all = node.sizesOf(value);
    operand.batch.assign(all.begin(), all.end() - matrix);
    operand.matrix.assign(all.end() - matrix, all.end());
  }

  /// Decides about batch dimension i of the product.
  void align(size_t i, size_t batch) {
    auto sizeIn = [&](Operand &operand) -> AffineExpr * {
      size_t missing = batch - operand.batch.size();
      return i < missing ? nullptr : &operand.batch[i - missing];
    };
    AffineExpr *x = sizeIn(lhs), *y = sizeIn(rhs);
    auto keep = [&](Operand &operand) { operand.kept.push_back(i); };
    auto drop = [&](Operand &operand) { operand.dropped.push_back(i - (batch - operand.batch.size())); };
    if (!x || !y || *x == *y) {
      if (x)
        keep(lhs);
      if (y)
        keep(rhs);
    } else if (isStatic(*x, 1)) {
      drop(lhs);
      keep(rhs);
    } else if (isStatic(*y, 1)) {
      keep(lhs);
      drop(rhs);
    } else if (auto common = node.broadcastSizes(Sizes{*x}, Sizes{*y})) {
      *x = *y = common->front();
      keep(lhs);
      keep(rhs);
    }
  }

  Value place(Operand &operand) {
    Sizes sizes = operand.batch;
    sizes.append(operand.matrix);
    return node.squeeze(node.broadcastTo(operand.value, sizes), operand.dropped);
  }

  Node &node;
  Operand lhs, rhs;
  bool rows, columns;
};

Results matMulNode(Node &node) {
  if (elementOf(node[0]) != elementOf(node[1]))
    return node.error() << "expects operands of one element type, but has " << elementOf(node[0]) << " and "
                        << elementOf(node[1]);
  return matMul(node, node[0], node[1], elementOf(node[0]));
}

Value scaled(Node &node, Value x, double factor) { return factor == 1 ? x : node.binary<MulOp>(x, factor); }

} // namespace

Results onnx::gemm(Node &node) {
  Value a = node[0], b = node[1];
  for (size_t i : {0, 1})
    if (rankOf(node[i]) != 2)
      return node.error() << "expects matrices, but operand " << i << " has " << typeOf(node[i]);
  Type element = elementOf(a);
  double alpha = node.number("alpha", 1), beta = node.number("beta", 1);
  if (!isa<FloatType>(element) && (alpha != std::trunc(alpha) || beta != std::trunc(beta)))
    return node.unsupported() << "alpha " << alpha << " and beta " << beta << " on integers";
  SmallVector<unsigned> aDims = {0, 2}, bDims = {2, 1};
  if (node.flag("transA"))
    std::swap(aDims[0], aDims[1]);
  if (node.flag("transB"))
    std::swap(bDims[0], bDims[1]);
  AffineExpr depth = node.sizeOf(a, node.flag("transA") ? 0 : 1), other = node.sizeOf(b, node.flag("transB") ? 1 : 0);
  if (isStatic(depth) && isStatic(other) && depth != other)
    return node.error() << "expects as many columns of the first matrix as rows of the second, but has " << typeOf(a)
                        << " and " << typeOf(b) << (node.flag("transA") ? ", the first transposed" : "")
                        << (node.flag("transB") ? ", the second transposed" : "");
  Value y = scaled(node, node.contract(a, b, 3, aDims, bDims, {0, 1}, element), alpha);
  if (!node.has(2) || beta == 0)
    return y;
  return node.binary<AddOp>(y, node.broadcastTo(scaled(node, node[2], beta), node.sizesOf(y)));
}

Value onnx::matMul(Node &node, Value a, Value b, Type element) {
  if (rankOf(a) == 0 || rankOf(b) == 0) {
    node.error() << "expects operands of rank 1 or more, but has " << a.getType() << " and " << b.getType();
    return a;
  }
  return BatchedProduct(node, a, b).build(element);
}

//===----------------------------------------------------------------------===//
// Einsum
//===----------------------------------------------------------------------===//

namespace {
/// One term of an equation: a letter per dimension. The dimensions of an ellipsis are letters above all
/// others.
using Letters = SmallVector<unsigned>;
constexpr unsigned firstOfEllipsis = 256;

class Einsum {
public:
  explicit Einsum(Node &node) : node(node) {}

  Results convert() {
    std::string equation = node.string("equation", "").str();
    llvm::erase_if(equation, [](char c) { return c == ' '; });
    auto [left, right] = StringRef(equation).split("->");
    SmallVector<StringRef> terms;
    left.split(terms, ',');
    if (terms.size() != node.size())
      return node.error() << "expects one term per operand in '" << equation << "', but has " << node.size()
                          << " operands";
    for (auto [i, term] : llvm::enumerate(terms))
      if (!addOperand(term, node[i]))
        return failure();
    if (!setResult(StringRef(equation).contains("->"), right, left) || !resolveSizes())
      return failure();

    Value value = values.front();
    Letters letters = operandTerms.front();
    for (size_t i = 1; i < values.size(); ++i) {
      Letters kept = lettersOf(i, letters);
      value = product(value, letters, values[i], operandTerms[i], kept);
      letters = kept;
    }
    return finish(value, letters);
  }

private:
  bool addOperand(StringRef term, Value value) {
    Letters letters;
    int64_t named = llvm::count_if(term, [](char c) { return isalpha(c); });
    bool hasEllipsis = term.contains("...");
    if (hasEllipsis ? rankOf(value) < named : rankOf(value) != named) {
      node.error() << "expects a term for " << typeOf(value) << ", but has '" << term << "'";
      return false;
    }
    for (size_t i = 0; i < term.size(); ++i) {
      if (isalpha(term[i])) {
        letters.push_back(term[i]);
      } else if (term.substr(i).starts_with("...")) {
        // Counted from the end: dimensions of different ellipses run together there.
        for (int64_t rest = rankOf(value) - named; rest > 0; --rest)
          letters.push_back(firstOfEllipsis + rest - 1);
        // ONNX: "ellipsis must indicate a fixed number of dimensions".
        unsigned covered = rankOf(value) - named;
        if (ellipsisTerm && ellipsis != covered) {
          node.error() << "expects each '...' to stand for as many dimensions, but has " << ellipsis << " in '"
                       << *ellipsisTerm << "' and " << covered << " in '" << term << "'";
          return false;
        }
        ellipsis = covered;
        ellipsisTerm = term;
        i += 2;
      } else {
        node.error() << "expects letters and '...' in an equation, but has '" << term << "'";
        return false;
      }
    }
    takeDiagonals(letters, value);
    operandTerms.push_back(letters);
    values.push_back(value);
    return !node.hasFailed();
  }

  /// Of dimensions of one letter the places that are equal: those where all others are hidden leave one of each.
  void takeDiagonals(Letters &letters, Value &value) {
    for (size_t last = letters.size(); last-- > 1;) {
      auto first = llvm::find(letters, letters[last]) - letters.begin();
      if (first == (int64_t)last)
        continue;
      Sizes sizes = node.sizesOf(value);
      if (isStatic(sizes[first]) && isStatic(sizes[last]) && sizes[first] != sizes[last])
        node.error() << "expects dimensions of one size for a letter, but has " << typeOf(value);
      if (node.hasFailed())
        return;
      node.expectEqual(sizes[first], sizes[last], "Einsum has a diagonal of dimensions of different sizes");
      // Row i of what has the others' dimensions behind it, then its place i.
      int64_t rank = rankOf(value);
      Value rows = node.moveDim(node.moveDim(value, last, rank - 1), first, 0),
            place = node.iota(sizes[first], 0, node.builder.getI64Type());
      Value diagonal = node.gather(rows, node.unsqueeze(place, {1}), {rank - 1}, 1);
      value = node.moveDim(diagonal, 0, first);
      letters.erase(letters.begin() + last);
    }
  }

  bool setResult(bool isStated, StringRef right, StringRef left) {
    auto addEllipsis = [&] {
      for (unsigned rest = ellipsis; rest > 0; --rest)
        result.push_back(firstOfEllipsis + rest - 1);
    };
    if (!isStated) {
      addEllipsis();
      std::string sorted = left.str();
      llvm::sort(sorted);
      for (char c : sorted)
        if (isalpha(c) && llvm::count(sorted, c) == 1)
          result.push_back(c);
      return true;
    }
    for (size_t i = 0; i < right.size(); ++i) {
      if (right.substr(i).starts_with("...")) {
        addEllipsis();
        i += 2;
      } else if (isalpha(right[i]) && !llvm::is_contained(result, (unsigned)right[i]) &&
                 llvm::any_of(operandTerms, [&](Letters &t) { return llvm::is_contained(t, (unsigned)right[i]); })) {
        result.push_back(right[i]);
      } else {
        node.error() << "expects different letters of the operands in the result, but has '" << right << "'";
        return false;
      }
    }
    return true;
  }

  /// Drops dimensions of size 1 that are larger elsewhere.
  bool resolveSizes() {
    llvm::DenseMap<unsigned, AffineExpr> common;
    for (auto [letters, value] : llvm::zip(operandTerms, values))
      for (auto [letter, extent] : llvm::zip(letters, node.sizesOf(value))) {
        AffineExpr &known = common[letter];
        auto both = node.broadcastSizes(known ? Sizes{known} : Sizes(), Sizes{extent});
        if (!both)
          return false;
        known = both->front();
      }
    for (auto [letters, value] : llvm::zip(operandTerms, values)) {
      SmallVector<int64_t> dropped;
      Letters kept;
      Sizes target;
      for (auto [i, extent] : llvm::enumerate(node.sizesOf(value))) {
        if (isStatic(extent, 1) && extent != common[letters[i]])
          dropped.push_back(i);
        else
          kept.push_back(letters[i]);
        target.push_back(dropped.empty() || dropped.back() != (int64_t)i ? common[letters[i]] : extent);
      }
      value = node.squeeze(node.broadcastTo(value, target), dropped);
      letters = kept;
    }
    return true;
  }

  /// What the product of all operands before i with operand i must keep.
  Letters lettersOf(size_t i, ArrayRef<unsigned> before) {
    Letters kept;
    bool isLast = i + 1 == values.size();
    if (isLast) {
      for (unsigned letter : result)
        if (llvm::is_contained(before, letter) || llvm::is_contained(operandTerms[i], letter))
          kept.push_back(letter);
      return kept;
    }
    for (unsigned letter : llvm::concat<const unsigned>(before, operandTerms[i])) {
      bool isNeeded = llvm::is_contained(result, letter) ||
                      llvm::any_of(ArrayRef(operandTerms).drop_front(i + 1),
                                   [&](const Letters &term) { return llvm::is_contained(term, letter); });
      if (isNeeded && !llvm::is_contained(kept, letter))
        kept.push_back(letter);
    }
    return kept;
  }

  Value product(Value a, ArrayRef<unsigned> aLetters, Value b, ArrayRef<unsigned> bLetters, ArrayRef<unsigned> kept) {
    Letters space(kept);
    for (unsigned letter : llvm::concat<const unsigned>(aLetters, bLetters))
      if (!llvm::is_contained(space, letter))
        space.push_back(letter);
    auto dims = [&](ArrayRef<unsigned> letters) {
      return llvm::map_to_vector(letters,
                                 [&](unsigned letter) { return unsigned(llvm::find(space, letter) - space.begin()); });
    };
    return node.contract(a, b, space.size(), dims(aLetters), dims(bLetters), dims(kept), elementOf(a));
  }

  Results finish(Value value, Letters letters) {
    SmallVector<int64_t> summed, order;
    Letters kept;
    for (auto [i, letter] : llvm::enumerate(letters)) {
      if (llvm::is_contained(result, letter))
        kept.push_back(letter);
      else
        summed.push_back(i);
    }
    value = node.reduce(Combiner::sum, value, summed);
    for (unsigned letter : result) {
      if (!llvm::is_contained(kept, letter))
        return node.unsupported() << "a dimension of the result that is 1 in every operand";
      order.push_back(llvm::find(kept, letter) - kept.begin());
    }
    return node.transpose(value, order);
  }

  Node &node;
  SmallVector<Value> values;
  SmallVector<Letters> operandTerms;
  Letters result;
  unsigned ellipsis = 0;
  std::optional<StringRef> ellipsisTerm;
};

Results einsum(Node &node) { return Einsum(node).convert(); }
} // namespace

void onnx::addContractionConverters(ConverterTable &table) {
  table.add("MatMul", 1, 2, 2, matMulNode);
  table.add("Gemm", 1, 3, 3, gemm);
  table.add("Gemm", 11, 2, 3, gemm);
  table.add("Einsum", 12, 1, ConverterTable::variadic, einsum);
  addConvolutionConverters(table);
}
