//===- TransposesStrategy.cpp - Kernels that transpose ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowerings.h"
#include "tenon/Codegen/Common/KernelBody.h"
#include "tenon/Codegen/Common/Strategies.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

/// Rows of fewer elements don't fill a vector.
static constexpr int64_t shortRow = 8;

/// Whether `op` reads what another kernel wrote, in vectors along dimension `dim` of its result.
static bool isTurned(TransposeOp op, int64_t dim) {
  ArrayRef<int64_t> permutation = op.getPermutation();
  int64_t last = (int64_t)permutation.size() - 1;
  return last > 0 && dim < last && permutation[dim] == last && isa<BlockArgument>(op.getOperand()) &&
         cast<RankedTensorType>(op.getType()).getElementTypeBitWidth() >= 8;
}

/// The dimension along which transposed operands of the ops lie, of kernels that do little else: each row of a block of
/// vectors is code of its own. It must fill vectors; the last dimension must do so, or be so short that rows of it are
/// written together.
static std::optional<int64_t> turnedDim(const OpGroup &group) {
  constexpr int64_t maxOps = 6;
  if (llvm::none_of(group.ops(), llvm::IsaPred<TransposeOp>))
    return std::nullopt;
  auto isShort = [](AffineExpr size) {
    int64_t known = SizeAnalysis::staticSize(size);
    return !ShapedType::isDynamic(known) && known < shortRow;
  };
  auto computes = [](Operation *op) { return op->hasTrait<OpTrait::Elementwise>(); };
  if (llvm::count_if(group.ops(), computes) > maxOps || llvm::any_of(group.ops(), llvm::IsaPred<DecomposableInterface>))
    return std::nullopt;
  SmallVector<AffineExpr> space = group.sizes.sizesOf(group.firstResult());
  for (Operation *op : group.ops())
    if (auto transpose = dyn_cast<TransposeOp>(op))
      for (int64_t dim = 0; dim + 1 < (int64_t)space.size(); ++dim)
        if (isTurned(transpose, dim) && group.sizesOf(transpose) == space && !isShort(space[dim]))
          return dim;
  return std::nullopt;
}

/// Places along a dimension that make up a unit of work: about a square of those along which operands and results lie, so
/// that both are read and written some cache lines at a time.
static int64_t turnedPlaces(ArrayRef<AffineExpr> space, int64_t turned, int64_t dim) {
  constexpr int64_t side = 64, mostLanes = 16;
  static_assert(side * side == blockElements);
  int64_t last = space.size() - 1;
  if (dim != turned && dim != last)
    return 1;
  int64_t other = SizeAnalysis::staticSize(space[dim == last ? turned : last]);
  if (ShapedType::isDynamic(other) || other >= side)
    return side;
  return llvm::alignTo(blockElements / std::max<int64_t>(other, 1), mostLanes);
}

/// `shuffle` on vectors of a type that can be shuffled.
static SmallVector<Value> shuffled(ElementEmitter &e, ArrayRef<Value> vectors,
                                   function_ref<SmallVector<Value>(SmallVector<Value>)> shuffle) {
  SmallVector<Value> rows(vectors);
  auto type = cast<VectorType>(rows.front().getType());
  if (!isa<FloatType>(type.getElementType()) || type.getElementTypeBitWidth() != 16)
    return shuffle(rows);
  auto cast = [&](VectorType to) {
    for (Value &row : rows)
      row = arith::BitcastOp::create(e.builder, e.loc, to, row);
  };
  cast(type.clone(e.builder.getI16Type()));
  rows = shuffle(rows);
  cast(type);
  return rows;
}

/// Each step exchanges a bit of the row's number for one of the column's. Within four elements, those that most instructions
/// shuffle among, interleaving the halves of two rows does so for the higher bit; beyond, the rows exchange halves.
SmallVector<Value> codegen::turn(ElementEmitter &e, ArrayRef<Value> block) {
  constexpr int64_t quad = 4;
  return shuffled(e, block, [&](SmallVector<Value> rows) {
    int64_t count = rows.size();
    auto exchange = [&](int64_t bit, function_ref<int64_t(int64_t lane, bool isHigh)> source) {
      SmallVector<int64_t> low, high;
      for (int64_t lane = 0; lane < count; ++lane) {
        low.push_back(source(lane, false));
        high.push_back(source(lane, true));
      }
      for (int64_t i = 0; i < count; ++i)
        if (!(i & bit)) {
          Value first = rows[i], second = rows[i | bit];
          rows[i] = vector::ShuffleOp::create(e.builder, e.loc, first, second, low);
          rows[i | bit] = vector::ShuffleOp::create(e.builder, e.loc, first, second, high);
        }
    };
    for (int64_t bit = std::min(count, quad) / 2; bit > 0; bit /= 2)
      exchange(bit, [&](int64_t lane, bool isHigh) {
        int64_t within = lane % quad;
        return lane - within + within / 2 + (isHigh ? std::min(count, quad) / 2 : 0) + within % 2 * count;
      });
    for (int64_t bit = quad; bit < count; bit *= 2)
      exchange(bit, [&](int64_t lane, bool isHigh) {
        return isHigh ? (lane & bit ? count + lane : lane + bit) : (lane & bit ? count + lane - bit : lane);
      });
    return rows;
  });
}

namespace {
/// Kernels that transpose: an operand lies along another dimension than the results do. As many vectors of it as they have
/// lanes become as many of a result. Where the results' rows are shorter than a vector, as many of it as rows have elements
/// become several rows. What is left at the ends is read element by element.
class Turning {
public:
  Turning(KernelBody &body, int64_t dim) : body(body), e(body.e), dim(dim), last(body.space.size() - 1) {
    for (TransposeOp op : body.kernel.getBody().getOps<TransposeOp>())
      if (isTurned(op, dim) && e.sizes.sizesOf(op.getResult()) == body.structure.space)
        transposes.push_back(op);
  }

  LogicalResult run() {
    ArrayRef<int64_t> dims = body.structure.unitDims;
    return body.loop(body.begin, body.end, 1, [&](Value unit) {
      e.unit = unit;
      SmallVector<Value> extents = llvm::map_to_vector(dims, [&](int64_t d) {
        return e.builder.createOrFold<arith::CeilDivUIOp>(e.loc, body.space[d], e.index(turnedPlaces(body.structure.space, dim, d)));
      });
      place.assign(body.space.size(), Coordinate());
      for (auto [d, position] : llvm::zip(dims, e.delinearize(unit, extents)))
        place[d] = {position, 0, Value()};
      auto [low, high] = rangeOf(dim);
      auto [lastLow, lastHigh] = rangeOf(last);
      std::optional<int64_t> length = getConstantIntValue(body.space[last]);
      if (length == 0)
        return success();
      Value rest = restOf(dim, low, high), whole = e.sub(high, rest);
      if (length && *length < shortRow)
        return emitShortRows(low, whole, high);
      Value lastRest = restOf(last, lastLow, lastHigh), lastWhole = e.sub(lastHigh, lastRest);
      // Blocks next to each other write whole cache lines.
      if (failed(body.loop(lastLow, lastWhole, lineElements, [&](Value line) {
            Value end = e.builder.createOrFold<arith::MinUIOp>(e.loc, e.add(line, e.index(lineElements)), lastWhole);
            return body.loop(low, whole, e.lanes, [&](Value first) {
              return body.loop(line, end, e.lanes, [&](Value start) { return emitBlock(first, start); });
            });
          })))
        return failure();
      auto emitRest = [&](Value start) {
        return atRest(dim, rest, [&](Value rows) { return emitRestOfRows(whole, rows, start); });
      };
      if (failed(body.loop(lastLow, lastWhole, e.lanes, emitRest)))
        return failure();
      return atRest(last, lastRest, [&](Value columns) {
        e.valid = columns;
        LogicalResult result = body.loop(low, whole, e.lanes, [&](Value first) { return emitBlock(first, lastWhole); });
        if (succeeded(result))
          result = emitRest(lastWhole);
        e.valid = Value();
        return result;
      });
    });
  }

private:
  static constexpr int64_t lineElements = 16;

  static bool isConstant(Value value, int64_t expected) { return getConstantIntValue(value) == std::optional(expected); }

  /// The unit's places along a dimension of the block.
  std::pair<Value, Value> rangeOf(int64_t d) {
    Value places = e.index(turnedPlaces(body.structure.space, dim, d)), low = e.mul(e.first(place[d]), places);
    return {low, e.builder.createOrFold<arith::MinUIOp>(e.loc, e.add(low, places), body.space[d])};
  }

  /// What of a range is left over by whole vectors: nothing, where all of the dimension leaves nothing.
  Value restOf(int64_t d, Value low, Value high) {
    std::optional<int64_t> size = getConstantIntValue(body.space[d]);
    if (size && *size % e.lanes == 0)
      return e.index(0);
    return e.builder.createOrFold<arith::RemUIOp>(e.loc, e.sub(high, low), e.index(e.lanes));
  }

  /// `emit` with what is left over along a dimension, if anything is: as many places in all units, where its size is known.
  LogicalResult atRest(int64_t d, Value rest, function_ref<LogicalResult(Value)> emit) {
    if (getConstantIntValue(rest))
      return isConstant(rest, 0) ? success() : emit(rest);
    std::optional<int64_t> size = getConstantIntValue(body.space[d]);
    Value isLeft = arith::CmpIOp::create(e.builder, e.loc, arith::CmpIPredicate::ugt, rest, e.index(0));
    return body.when(isLeft, [&] { return emit(size ? e.index(*size % e.lanes) : rest); });
  }

  /// Fewer rows than a block has, which is turned nevertheless if their number is known.
  LogicalResult emitRestOfRows(Value first, Value rows, Value start) {
    return getConstantIntValue(rows) && !e.valid ? emitBlock(first, start, rows) : emitRows(first, e.add(first, rows), start);
  }

  LogicalResult emitShortRows(Value low, Value whole, Value high) {
    // Rows that are apart from each other are written one by one.
    if (dim + 1 != last || llvm::any_of(body.outputs, [](const Buffer &output) { return output.isStrided; }))
      whole = low;
    else if (failed(body.loop(low, whole, e.lanes, [&](Value first) { return emitInterleaved(first); })))
      return failure();
    return body.vectors(e.index(0), body.space[last], [&](Value start) { return emitRows(whole, high, start); });
  }

  /// The results along the turned dimension, a vector for each element of a short row; then as they lie.
  LogicalResult emitInterleaved(Value first) {
    int64_t length = *getConstantIntValue(body.space[last]);
    for (auto [result, output] : llvm::zip(body.results, body.outputs)) {
      SmallVector<Value> vectors;
      place[dim] = {first, 1, Value()};
      for (int64_t i = 0; i < length; ++i) {
        place[last] = {e.index(i), 0, Value()};
        FailureOr<Value> vector = e.at(result, place);
        if (failed(vector))
          return failure();
        vectors.push_back(e.asVector(*vector));
      }
      place[dim] = {first, 0, Value()};
      for (auto [i, vector] : llvm::enumerate(interleave(vectors))) {
        place[last] = {e.index(i * e.lanes), 1, Value()};
        e.store(vector, output, place);
      }
    }
    return success();
  }

  LogicalResult emitRows(Value low, Value high, Value start) {
    return body.loop(low, high, 1, [&](Value position) {
      place[dim] = {position, 0, Value()};
      place[last] = {start, 1, Value()};
      return storeResults(body, place, true);
    });
  }

  /// A block of vectors of the operands becomes one of the results, or the first `rows` of it. Of those at the end of rows
  /// only `e.valid` lanes are in use.
  LogicalResult emitBlock(Value first, Value start, Value rows = Value()) {
    Value columns = std::exchange(e.valid, rows);
    SmallVector<SmallVector<Value>> blocks;
    for (TransposeOp op : transposes) {
      FailureOr<SmallVector<Value>> block = read(op, first, start, columns);
      if (failed(block))
        return failure();
      blocks.push_back(turn(e, *block));
    }
    e.valid = columns;
    place[last] = {start, 1, Value()};
    for (int64_t i = 0; i < (rows ? *getConstantIntValue(rows) : e.lanes); ++i) {
      place[dim] = {e.add(first, e.index(i)), 0, Value()};
      for (auto [op, block] : llvm::zip(transposes, blocks))
        e.define(op.getResult(), place, block[i]);
      if (failed(storeResults(body, place, true)))
        return failure();
    }
    return success();
  }

  /// Vectors along the turned dimension, one for each place of a vector along the last one. Where only `columns` of those are in
  /// use, the others are read at the last place of all.
  FailureOr<SmallVector<Value>> read(TransposeOp op, Value first, Value start, Value columns) {
    SmallVector<Value> block;
    place[dim] = {first, 1, Value()};
    std::optional<int64_t> used = columns ? getConstantIntValue(columns) : e.lanes;
    for (int64_t i = 0; i < e.lanes; ++i) {
      if (used && i >= *used) {
        block.push_back(block.front());
        continue;
      }
      Value position = e.add(start, e.index(i));
      if (!used)
        position = arith::MinUIOp::create(e.builder, e.loc, position, e.sub(body.space[last], e.index(1)));
      place[last] = {position, 0, Value()};
      Coordinates source(place.size());
      for (auto [from, coordinate] : llvm::zip(op.getPermutation(), place))
        source[from] = coordinate;
      FailureOr<Value> vector = e.at(op.getOperand(), source);
      if (failed(vector))
        return failure();
      block.push_back(*vector);
    }
    return block;
  }

  /// The first elements of all vectors, then the second ones and so on, in as many vectors.
  SmallVector<Value> interleave(SmallVector<Value> vectors) {
    return shuffled(e, vectors, [&](SmallVector<Value> columns) {
      int64_t count = columns.size();
      SmallVector<Value> result;
      for (int64_t i = 0; i < count; ++i) {
        // Each column puts its elements where they belong; those of the first wait for the second.
        Value gathered = columns[0];
        for (int64_t column = 1; column < count; ++column) {
          SmallVector<int64_t> lanes;
          for (int64_t lane = 0; lane < e.lanes; ++lane) {
            int64_t source = (i * e.lanes + lane) % count, position = (i * e.lanes + lane) / count;
            lanes.push_back(source == column ? e.lanes + position : column == 1 ? position : lane);
          }
          gathered = vector::ShuffleOp::create(e.builder, e.loc, gathered, columns[column], lanes);
        }
        result.push_back(gathered);
      }
      return result;
    });
  }

  KernelBody &body;
  ElementEmitter &e;
  int64_t dim, last;
  SmallVector<TransposeOp> transposes;
  Coordinates place;
};
} // namespace

namespace {
class TransposesStrategy : public ElementsStrategy {
public:
  StringRef getName() const override { return "transposes"; }
  bool hasPrograms() const override { return false; }

  bool suits(const OpGroup &group) const override { return turnedDim(group).has_value(); }

  KernelStructure structureOf(const OpGroup &group) const override {
    KernelStructure result;
    result.space = group.sizes.sizesOf(group.firstResult());
    result.unitDims = result.kept();
    result.work = group.sizes.constant(1);
    int64_t turned = *turnedDim(group);
    for (int64_t dim : result.unitDims)
      result.work = result.work * result.space[dim].ceilDiv(turnedPlaces(result.space, turned, dim));
    return result;
  }

  std::unique_ptr<ScheduleSpace> spaceOf(KernelOp kernel, TargetAttrInterface target) const override {
    auto cpu = dyn_cast<CPUTargetAttr>(target);
    return cpu ? std::make_unique<VectorSpace>(kernel, cpu, "transposing kernels", /*hasVectors=*/false) : nullptr;
  }

  LogicalResult lower(KernelBody &body) const override {
    return Turning(body, *turnedDim(OpGroup(body.kernel, body.e.sizes))).run();
  }
};
} // namespace

void codegen::addTransposesStrategy(TileDialect *dialect) { addStrategy<TransposesStrategy>(dialect); }
