//===- LowerKernels.cpp - Turn kernels into functions of loops over vectors ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelBody.h"
#include "tenon/Dialect/Tile/Analysis/KernelChecks.h"
#include "tenon/Codegen/Common/Passes.h"
#include "tenon/Codegen/Common/ScheduleSpace.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

namespace tenon::codegen {
#define GEN_PASS_DEF_LOWERKERNELSPASS
#include "tenon/Codegen/Common/Passes.h.inc"
} // namespace tenon::codegen

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

LogicalResult KernelBody::loop(Value low, Value high, int64_t step, function_ref<LogicalResult(Value)> body) {
  Value stepValue = e.index(step);
  auto loop = scf::ForOp::create(e.builder, e.loc, low, high, stepValue);
  OpBuilder::InsertionGuard guard(e.builder);
  ElementEmitter::Scope scope(e);
  e.builder.setInsertionPointToStart(loop.getBody());
  return body(loop.getInductionVar());
}

Coordinates KernelBody::rowAt(Value unit) {
  SmallVector<int64_t> kept = structure.kept();
  SmallVector<Value> extents = llvm::map_to_vector(kept, [&](int64_t dim) { return space[dim]; });
  Coordinates result(space.size());
  for (auto [dim, position] : llvm::zip(kept, e.delinearize(unit, extents)))
    result[dim] = {position, 0, Value()};
  return result;
}

LogicalResult KernelBody::when(Value condition, function_ref<LogicalResult()> body) {
  auto branch = scf::IfOp::create(e.builder, e.loc, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(e.builder);
  ElementEmitter::Scope scope(e);
  e.builder.setInsertionPointToStart(branch.thenBlock());
  return body();
}

LogicalResult KernelBody::vectors(Value low, Value high, function_ref<LogicalResult(Value)> body) {
  std::optional<int64_t> first = getConstantIntValue(low), last = getConstantIntValue(high);
  Value extent = e.sub(high, low), width = e.index(e.lanes);
  Value rest, wholeEnd;
  if (first && last) {
    rest = e.index((*last - *first) % e.lanes);
    wholeEnd = e.index(*last - (*last - *first) % e.lanes);
  } else {
    rest = arith::RemUIOp::create(e.builder, e.loc, extent, width);
    wholeEnd = e.sub(high, rest);
  }
  if (!first || getConstantIntValue(wholeEnd) != first)
    if (failed(loop(low, wholeEnd, e.lanes, body)))
      return failure();
  if (getConstantIntValue(rest) == 0)
    return success();
  auto tail = [&] {
    Value previous = std::exchange(e.valid, rest);
    LogicalResult result = body(wholeEnd);
    e.valid = previous;
    return result;
  };
  if (getConstantIntValue(rest)) {
    ElementEmitter::Scope scope(e);
    return tail();
  }
  return when(arith::CmpIOp::create(e.builder, e.loc, arith::CmpIPredicate::sgt, rest, e.index(0)), tail);
}

//===----------------------------------------------------------------------===//
// Structures
//===----------------------------------------------------------------------===//

/// Computes and stores the results that have one element per place of `coordinates`.
static LogicalResult storeResults(KernelBody &body, ArrayRef<Coordinate> coordinates, bool wholeRows) {
  for (auto [result, output] : llvm::zip(body.results, body.outputs)) {
    if ((output.strides.size() == body.structure.space.size()) != wholeRows)
      continue;
    FailureOr<Value> element = body.e.at(result, coordinates);
    if (failed(element))
      return failure();
    body.e.store(*element, output, coordinates);
  }
  return success();
}

/// Coordinates of the unit at hand along the dimensions that units run over; the others are left open.
static Coordinates unitCoordinates(KernelBody &body, Value unit) {
  SmallVector<int64_t> dims = body.structure.unitDims();
  SmallVector<Value> extents = llvm::map_to_vector(dims, [&](int64_t dim) { return body.space[dim]; });
  Coordinates result(body.space.size());
  for (auto [dim, place] : llvm::zip(dims, body.e.delinearize(unit, extents)))
    result[dim] = {place, 0, Value()};
  return result;
}

static LogicalResult emitElements(KernelBody &body) {
  ElementEmitter &e = body.e;
  return body.loop(body.begin, body.end, 1, [&](Value unit) -> LogicalResult {
    e.unit = unit;
    if (body.space.empty())
      return storeResults(body, {}, true);
    Coordinates place(body.space.size());
    Value low = e.index(0), high = body.space.back();
    if (body.structure.isBlocked()) {
      for (Coordinate &coordinate : place)
        coordinate = {e.index(0), 0, Value()};
      low = e.mul(unit, e.index(blockElements));
      high = arith::MinSIOp::create(e.builder, e.loc, e.add(low, e.index(blockElements)), high);
    } else {
      place = unitCoordinates(body, unit);
    }
    std::function<LogicalResult(size_t)> nest = [&](size_t dim) -> LogicalResult {
      if (dim + 1 < place.size())
        return body.loop(e.index(0), body.space[dim], 1, [&](Value position) {
          place[dim] = {position, 0, Value()};
          return nest(dim + 1);
        });
      return body.vectors(low, high, [&](Value start) {
        place.back() = {start, 1, Value()};
        return storeResults(body, place, true);
      });
    };
    return nest(body.structure.isBlocked() ? place.size() - 1 : body.structure.unitDims().size());
  });
}

namespace {
/// Kernels that transpose: an operand lies along another dimension than the results do. As many vectors of it as they have
/// lanes become as many of a result. Where the results' rows are shorter than a vector, as many of it as rows have elements
/// become several rows. What is left at the ends is read element by element.
class Turning {
public:
  explicit Turning(KernelBody &body) : body(body), e(body.e), dim(*body.structure.turned), last(body.space.size() - 1) {
    for (TransposeOp op : body.kernel.getBody().getOps<TransposeOp>())
      if (isTurned(op, dim) && e.sizes.sizesOf(op.getResult()) == body.structure.space)
        transposes.push_back(op);
  }

  LogicalResult run() {
    SmallVector<int64_t> dims = body.structure.unitDims();
    return body.loop(body.begin, body.end, 1, [&](Value unit) {
      e.unit = unit;
      SmallVector<Value> extents = llvm::map_to_vector(dims, [&](int64_t d) {
        return e.builder.createOrFold<arith::CeilDivUIOp>(e.loc, body.space[d], e.index(body.structure.turnedPlaces(d)));
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
    Value places = e.index(body.structure.turnedPlaces(d)), low = e.mul(place[d].base, places);
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
      blocks.push_back(turn(*block));
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

  /// `shuffle` on vectors of a type that can be shuffled.
  SmallVector<Value> shuffled(SmallVector<Value> rows, function_ref<SmallVector<Value>(SmallVector<Value>)> shuffle) {
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

  /// A perfect shuffle of the rows, with pairs of them interleaved, is one step of a transpose; there are as many as an
  /// index has bits.
  SmallVector<Value> turn(SmallVector<Value> block) {
    return shuffled(block, [&](SmallVector<Value> rows) {
      int64_t count = rows.size();
      SmallVector<int64_t> low, high;
      for (int64_t i = 0; i < count; ++i) {
        low.push_back(i / 2 + (i % 2) * count);
        high.push_back((count + i) / 2 + (i % 2) * count);
      }
      for (int64_t step = 1; step < count; step *= 2) {
        SmallVector<Value> next;
        for (int64_t i = 0; i < count / 2; ++i)
          for (ArrayRef<int64_t> lanes : {ArrayRef(low), ArrayRef(high)})
            next.push_back(vector::ShuffleOp::create(e.builder, e.loc, rows[i], rows[i + count / 2], lanes));
        rows = next;
      }
      return rows;
    });
  }

  /// The first elements of all vectors, then the second ones and so on, in as many vectors.
  SmallVector<Value> interleave(SmallVector<Value> vectors) {
    return shuffled(vectors, [&](SmallVector<Value> columns) {
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

/// The reductions of a row, then what is stored for each of its elements.
static LogicalResult emitRow(KernelBody &body, Coordinates place) {
  ElementEmitter &e = body.e;
  Coordinates kept;
  for (int64_t dim : body.structure.kept())
    kept.push_back(place[dim]);
  for (ReduceOp reduce : body.kernel.getBody().getOps<ReduceOp>())
    if (failed(e.at(reduce.getResult(), kept)))
      return failure();
  if (failed(storeResults(body, kept, false)))
    return failure();
  if (llvm::none_of(body.outputs, [&](Buffer &output) { return output.strides.size() == place.size(); }))
    return success();
  ArrayRef<int64_t> reduced = body.structure.reduced;
  if (reduced.empty())
    return storeResults(body, place, true);
  bool across = reduced.back() == (int64_t)place.size() - 1;
  std::function<LogicalResult(size_t)> nest = [&](size_t i) -> LogicalResult {
    if (i == reduced.size())
      return storeResults(body, place, true);
    int64_t dim = reduced[i];
    if (across && i + 1 == reduced.size())
      return body.vectors(e.index(0), body.space[dim], [&](Value start) {
        place[dim] = {start, 1, Value()};
        return nest(i + 1);
      });
    return body.loop(e.index(0), body.space[dim], 1, [&](Value position) {
      place[dim] = {position, 0, Value()};
      return nest(i + 1);
    });
  };
  return nest(0);
}

static LogicalResult emitRows(KernelBody &body) {
  ElementEmitter &e = body.e;
  int64_t last = body.space.size() - 1;
  return body.loop(body.begin, body.end, 1, [&](Value unit) -> LogicalResult {
    e.unit = unit;
    Coordinates place = unitCoordinates(body, unit);
    if (body.space.empty() || body.structure.isReduced(last))
      return emitRow(body, place);
    return body.vectors(e.index(0), body.space[last], [&](Value start) {
      place[last] = {start, 1, Value()};
      return emitRow(body, place);
    });
  });
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

namespace {
class KernelLowering {
public:
  /// The schedule must be complete.
  KernelLowering(KernelOp kernel, ScheduleAttr schedule)
      : kernel(kernel), builder(kernel.getContext()), schedule(schedule) {}

  LogicalResult run() {
    // Work was counted before composites are decomposed.
    SizeAnalysis sizes(kernel.getContext());
    std::optional<int64_t> turned = structure(sizes).turned;
    if (failed(decomposeComposites()))
      return failure();
    SmallVector<Type> bases;
    for (Type type : llvm::concat<const Type>(tensorTypes(), kernel.getResultTypes())) {
      Type storage = storageType(cast<RankedTensorType>(type).getElementType());
      if (!storage)
        return kernel.emitError() << "elements of " << getElementTypeOrSelf(type) << " can't be compiled";
      bases.push_back(MemRefType::get({}, storage));
    }
    for (Type type : kernel.getResultTypes())
      if (isPacked(cast<RankedTensorType>(type).getElementType()))
        return kernel.emitError() << "can't write elements of " << getElementTypeOrSelf(type) << ", which share bytes";
    unsigned symbols = kernel.getNumSymbols(), strides = 0;
    for (auto [i, type] : llvm::enumerate(llvm::concat<const Type>(tensorTypes(), kernel.getResultTypes())))
      if (kernel.takesStrides(i))
        strides += cast<RankedTensorType>(type).getRank() - 1;
    SmallVector<Type> inputs(bases);
    inputs.append(strides + symbols + 2, builder.getIndexType());
    bool checks = kernel.getBody().walk([](Operation *op) {
      auto gather = dyn_cast<GatherOp>(op);
      auto scatter = dyn_cast<ScatterOp>(op);
      bool fails = (gather && gather.getMode() == IndexMode::error) ||
                   (scatter && scatter.getMode() == IndexMode::error) || isa<TopKOp>(op);
      return fails ? WalkResult::interrupt() : WalkResult::advance();
    }).wasInterrupted();
    bool hasScratch = (bool)scratchOf(kernel);
    if (hasScratch)
      inputs.push_back(MemRefType::get({}, builder.getI8Type()));
    if (checks)
      inputs.push_back(LLVM::LLVMPointerType::get(builder.getContext()));
    builder.setInsertionPoint(kernel);
    auto func = func::FuncOp::create(builder, kernel.getLoc(), kernel.getSymName(),
                                     builder.getFunctionType(inputs, builder.getI32Type()));
    func->setAttr(kKernelAttr,
                  builder.getDictionaryAttr({builder.getNamedAttr("buffers", builder.getI64IntegerAttr(bases.size())),
                                             builder.getNamedAttr("strides", builder.getI64IntegerAttr(strides)),
                                             builder.getNamedAttr("symbols", builder.getI64IntegerAttr(symbols))}));
    if (checks)
      func->setAttr(kChecksAttr, builder.getUnitAttr());
    if (hasScratch)
      func->setAttr(kScratchAttr, builder.getUnitAttr());
    Block *entry = func.addEntryBlock();
    builder.setInsertionPointToStart(entry);
    LogicalResult result = emitBody(func, bases.size(), strides, turned);
    kernel.erase();
    return result;
  }

private:
  ArrayRef<Type> tensorTypes() { return kernel.getArgumentTypes().drop_front(kernel.getNumSymbols()); }

  LogicalResult decomposeComposites() {
    bool changed = true;
    while (changed) {
      changed = false;
      SmallVector<DecomposableInterface> composites;
      kernel.walk([&](DecomposableInterface op) { composites.push_back(op); });
      for (DecomposableInterface op : composites) {
        builder.setInsertionPoint(op);
        FailureOr<SmallVector<Value>> values = op.decompose(builder);
        if (failed(values))
          return op.emitError("can't be decomposed");
        op->replaceAllUsesWith(*values);
        op->erase();
        changed = true;
      }
    }
    return success();
  }

  KernelStructure structure(SizeAnalysis &sizes) {
    Block &block = kernel.getBody().front();
    SmallVector<Operation *> ops;
    for (Operation &op : block.without_terminator())
      ops.push_back(&op);
    return structureOf(ops, block.getTerminator()->getOperands(), sizes);
  }

  LogicalResult emitBody(func::FuncOp func, unsigned buffers, unsigned strides, std::optional<int64_t> turned) {
    Block &source = kernel.getBody().front();
    unsigned symbols = kernel.getNumSymbols();
    auto numbers = func.getArguments().drop_front(buffers + strides);
    // Symbols of the kernel become those of the function, so that sizes are computed from them.
    for (unsigned i = 0; i < symbols; ++i)
      source.getArgument(i).replaceAllUsesWith(numbers[i]);
    // Index constants are what sizes are computed with: they are needed in the function as well.
    SizeAnalysis sizes(func.getContext());
    auto yield = cast<tile::YieldOp>(source.getTerminator());
    KernelStructure structure = this->structure(sizes);
    structure.turned = turned;
    // As many elements as 32-bit ones make up the vectors, whatever their type.
    int64_t lanes = *schedule.get(knob::vectorBytes) / 4 * schedule.get(knob::vectors).value_or(1);
    ElementEmitter emitter(builder, kernel.getLoc(), sizes, lanes);
    KernelBody body{kernel, structure, emitter, numbers[symbols], numbers[symbols + 1],
                    SmallVector<Value>(yield.getValues()), {}, tiles(), Value(), {}};
    if (func->hasAttr(kScratchAttr))
      body.scratch = numbers[symbols + 2];
    auto givenStrides = func.getArguments().slice(buffers, strides);
    for (auto [i, tensor] : llvm::enumerate(llvm::concat<Value>(
             SmallVector<Value>(source.getArguments().drop_front(symbols)), SmallVector<Value>(body.results)))) {
      std::optional<ValueRange> given;
      if (kernel.takesStrides(i)) {
        given = givenStrides.take_front(cast<RankedTensorType>(tensor.getType()).getRank() - 1);
        givenStrides = givenStrides.drop_front(given->size());
      }
      Buffer buffer = makeBuffer(emitter, tensor, func.getArgument(i), given);
      if (i < source.getNumArguments() - symbols)
        emitter.addBuffer(tensor, buffer);
      else
        body.outputs.push_back(buffer);
    }
    for (AffineExpr size : body.structure.space)
      body.space.push_back(emitter.index(size));
    LogicalResult result = success();
    if (body.structure.kind == KernelStructure::contraction)
      result = emitContraction(body);
    else if (body.structure.kind == KernelStructure::rows)
      result = emitRows(body);
    else if (body.structure.kind == KernelStructure::ordered)
      result = emitOrdered(body);
    else if (body.structure.turned)
      result = Turning(body).run();
    else
      result = emitElements(body);
    Value zero = emitter.integer(builder.getI32Type(), 0);
    func::ReturnOp::create(builder, kernel.getLoc(), zero);
    return result;
  }

  ContractionSchedule tiles() {
    return {schedule.get(knob::tileRows).value_or(0), schedule.get(knob::depthBlock).value_or(0),
            schedule.get(knob::turnSize).value_or(0), schedule.get(knob::residentBytes).value_or(0)};
  }

  /// The tensor's flat buffer with the strides of contiguous rows, or those that are given for all but the last dimension.
  Buffer makeBuffer(ElementEmitter &e, Value tensor, Value base, std::optional<ValueRange> given) {
    SmallVector<AffineExpr> extents = e.sizes.sizesOf(tensor);
    Buffer buffer;
    OpFoldResult count;
    if (given) {
      buffer.isStrided = true;
      buffer.strides = getAsOpFoldResult(*given);
      buffer.strides.push_back(builder.getIndexAttr(1));
      Value last = e.index(1);
      for (auto [stride, extent] : llvm::zip(buffer.strides, extents))
        last = e.add(last, e.mul(e.sub(e.index(extent), e.index(1)), e.index(stride)));
      count = last;
    } else {
      AffineExpr stride = e.sizes.constant(1);
      buffer.strides.resize(extents.size());
      for (int64_t i = (int64_t)extents.size() - 1; i >= 0; --i) {
        buffer.strides[i] = e.sizes.materialize(builder, e.loc, stride);
        stride = stride * extents[i];
      }
      count = e.sizes.materialize(builder, e.loc, stride);
    }
    auto type = MemRefType::get({getConstantIntValue(count).value_or(ShapedType::kDynamic)},
                                cast<MemRefType>(base.getType()).getElementType());
    buffer.memref = memref::ReinterpretCastOp::create(builder, e.loc, type, base, OpFoldResult(builder.getIndexAttr(0)),
                                                      ArrayRef<OpFoldResult>{count},
                                                      ArrayRef<OpFoldResult>{builder.getIndexAttr(1)});
    return buffer;
  }

  KernelOp kernel;
  OpBuilder builder;
  ScheduleAttr schedule;
};

struct LowerKernelsPass : codegen::impl::LowerKernelsPassBase<LowerKernelsPass> {
  using Base::Base;

  void runOnOperation() override {
    VariantOp variant = getOperation();
    if (failed(checkKernels(variant)))
      return signalPassFailure();
    std::unique_ptr<ScheduleSpace> space = scheduleSpaceOf(variant);
    if (!space)
      return;
    if (failed(space->read(variant.getScheduleAttr(), [&] { return variant.emitOpError(); })) ||
        failed(KernelLowering(cast<KernelOp>(*variant.getFunction()), variant.getScheduleAttr()).run()))
      signalPassFailure();
  }
};
} // namespace
