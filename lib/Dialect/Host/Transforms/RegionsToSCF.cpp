//===- RegionsToSCF.cpp - Write loops and branches on buffers ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RegionsToSCF.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::host;

bool host::isTensorOp(Operation *op) {
  return isa<BindShapeOp, BindStridesOp, tensor::EmptyOp, ConstantOp, ReshapeOp, tensor::CastOp, ConcatOp, PadOp,
             SliceOp, IfOp, LoopOp, ItemOp, SizeOp>(op) ||
         (isa<LaunchOp, CallOp>(op) && op->getNumResults() != 0);
}

/// Moves what has been placed to a region, which gives `values`; what is left are tensors.
void RegionsToSCF::move(Block &from, Block &to, ValueRange values, Location loc) {
  if (!to.empty())
    to.back().erase();
  for (Operation &inner : llvm::make_early_inc_range(from.without_terminator()))
    if (!isTensorOp(&inner))
      inner.moveBefore(&to, to.end());
  builder.setInsertionPointToEnd(&to);
  scf::YieldOp::create(builder, loc, values);
}

//===----------------------------------------------------------------------===//
// Branches
//===----------------------------------------------------------------------===//

void RegionsToSCF::place(IfOp op) {
  Location loc = op.getLoc();
  SmallVector<std::pair<OpResult, int64_t>> unknown;
  for (OpResult result : op.getResults()) {
    if (!regions.grows(result))
      writer.bufferOf(result);
    for (int64_t dim : regions.unknownDims(result))
      unknown.push_back({result, dim});
  }
  Value condition =
      ReadScalarOp::create(builder, loc, builder.getI1Type(), writer.bufferOf(op.getCondition()), /*position=*/0);
  auto branch = scf::IfOp::create(builder, loc, SmallVector<Type>(unknown.size(), builder.getIndexType()), condition,
                                  /*withElseRegion=*/true);
  writer.beginFlow(op, branch);
  for (auto [source, target] : llvm::zip(op.getRegions(), branch->getRegions()))
    placeArm(source->front(), target.front(), op, unknown);
  writer.endFlow(op);
  builder.setInsertionPoint(op);
  for (auto [dimension, size] : llvm::zip(unknown, branch.getResults()))
    writer.resolve(dimension.first, dimension.second, size);
  for (Value result : op.getResults())
    writer.bufferOf(result);
}

/// What an arm gives is copied to where the result lives; the branch gives the sizes that it has.
void RegionsToSCF::placeArm(Block &body, Block &target, IfOp op, ArrayRef<std::pair<OpResult, int64_t>> unknown) {
  Location loc = op.getLoc();
  placeBlock(body);
  auto yield = cast<tenon::YieldOp>(body.getTerminator());
  builder.setInsertionPoint(yield);
  SmallVector<Value> extents;
  for (auto [result, dim] : unknown)
    extents.push_back(writer.valueOf(sizes.sizesOf(yield.getValues()[result.getResultNumber()])[dim], loc));
  for (auto [value, result] : llvm::zip(yield.getValues(), op.getResults()))
    if (regions.grows(result))
      writer.growTo(value, analysis.placeOf(result).number, loc);
    else
      writer.copyTo(value, result, loc);
  move(body, target, extents, loc);
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

SmallVector<RegionsToSCF::CarriedSize> RegionsToSCF::carriedSizesOf(LoopOp op) {
  SmallVector<CarriedSize> result;
  unsigned carried = op.getCarried().size();
  for (unsigned i = 0; i < op.getNumResults(); ++i) {
    if (!regions.grows(op.getResult(i)))
      continue;
    llvm::SmallSetVector<int64_t, 4> dims;
    dims.insert_range(regions.unknownDims(op.getResult(i)));
    if (i < carried)
      dims.insert_range(regions.unknownDims(op.getBody().getArgument(i + 1)));
    else
      dims.remove(0); // the number of iterations
    for (int64_t dim : dims)
      result.push_back({i, dim});
  }
  return result;
}

void RegionsToSCF::place(LoopOp op) {
  SmallVector<CarriedSize> carriedSizes = carriedSizesOf(op);
  Value one = arith::ConstantIndexOp::create(builder, op.getLoc(), 1);
  scf::WhileOp loop = createLoop(op, carriedSizes);
  writer.beginFlow(op, loop);
  placeBody(op, *loop.getAfterBody(), carriedSizes, one);
  writer.endFlow(op);
  builder.setInsertionPoint(op);
  for (auto [carriedSize, size] : llvm::zip(carriedSizes, loop.getResults().drop_front()))
    writer.resolve(op.getResult(carriedSize.result), carriedSize.dim, size);
  for (OpResult result : op.getResults().drop_front(op.getCarried().size()))
    setCount(result, loop.getResult(0));
  for (Value result : op.getResults())
    writer.bufferOf(result);
}

/// What the loop begins with is copied to where it is carried.
void RegionsToSCF::copyInitial(LoopOp op) {
  for (auto [value, result] : llvm::zip(op.getCarried(), op.getResults()))
    if (regions.grows(result))
      writer.growTo(value, analysis.placeOf(result).number, op.getLoc());
    else
      writer.copyTo(value, result, op.getLoc());
  for (Value result : op.getResults())
    if (!regions.grows(result))
      writer.bufferOf(result);
}

/// The loop carries its place, whether it goes on, and sizes; scan values have none before the first.
scf::WhileOp RegionsToSCF::createLoop(LoopOp op, ArrayRef<CarriedSize> carriedSizes) {
  Location loc = op.getLoc();
  Type index = builder.getIndexType(), i1 = builder.getI1Type();
  Value trip = ReadScalarOp::create(builder, loc, index, writer.bufferOf(op.getTripCount()), /*position=*/0);
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  trip = arith::MaxSIOp::create(builder, loc, trip, zero);
  writer.setTripCount(op, trip);
  Value condition = ReadScalarOp::create(builder, loc, i1, writer.bufferOf(op.getCondition()), /*position=*/0);
  copyInitial(op);
  SmallVector<Value> initial = {zero, condition};
  for (auto [i, dim] : carriedSizes)
    initial.push_back(i < op.getCarried().size() ? writer.valueOf(sizes.sizesOf(op.getCarried()[i])[dim], loc) : zero);
  SmallVector<Type> state(initial.size(), index), passed(initial.size() - 1, index);
  state[1] = i1;
  auto loop = scf::WhileOp::create(builder, loc, passed, initial);
  Block *before = builder.createBlock(&loop.getBefore(), {}, state, SmallVector<Location>(state.size(), loc));
  Value below = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, before->getArgument(0), trip);
  Value goesOn = arith::AndIOp::create(builder, loc, below, before->getArgument(1));
  SmallVector<Value> kept(before->getArguments());
  kept.erase(kept.begin() + 1);
  scf::ConditionOp::create(builder, loc, goesOn, kept);
  builder.createBlock(&loop.getAfter(), {}, passed, SmallVector<Location>(passed.size(), loc));
  return loop;
}

void RegionsToSCF::placeBody(LoopOp op, Block &after, ArrayRef<CarriedSize> carriedSizes, Value one) {
  Location loc = op.getLoc();
  unsigned carried = op.getCarried().size();
  Value place = after.getArgument(0);
  ValueRange given = after.getArguments().drop_front();
  Block &body = op.getBody().front();
  for (auto [carriedSize, size] : llvm::zip(carriedSizes, given))
    if (carriedSize.result < carried)
      writer.resolve(body.getArgument(carriedSize.result + 1), carriedSize.dim, size);
  builder.setInsertionPoint(&body.front());
  WriteScalarOp::create(builder, loc, place, writer.bufferOf(body.getArgument(0)), /*position=*/0);
  placeBlock(body);

  auto yield = cast<tenon::YieldOp>(body.getTerminator());
  ValueRange values = yield.getValues().drop_front();
  builder.setInsertionPoint(yield);
  SmallVector<Value> next = {arith::AddIOp::create(builder, loc, place, one)};
  next.push_back(ReadScalarOp::create(builder, loc, builder.getI1Type(), writer.bufferOf(yield.getValues().front()),
                                      /*position=*/0));
  for (auto [i, dim] : carriedSizes)
    next.push_back(writer.valueOf(sizes.sizesOf(values[i])[i < carried ? dim : dim - 1], loc));
  checkScanned(carriedSizes, carried, place, given, ArrayRef(next).drop_front(2), loc);
  for (auto [value, result] : llvm::zip(values.drop_front(carried), op.getResults().drop_front(carried)))
    appendTo(value, result, place, loc);
  exchangeCarried(values, op);
  move(body, after, next, loc);
}

/// Says how many scan values there are, now that the loop has run.
void RegionsToSCF::setCount(OpResult result, Value count) {
  if (!llvm::is_contained(regions.unknownDims(result), 0))
    return;
  writer.resolve(result, 0, count);
  if (!regions.grows(result))
    writer.setBuffer(result, writer.contiguousView(writer.bufferOf(result), result, sizes.sizesOf(result)));
}

/// Scan values have one size in all iterations.
void RegionsToSCF::checkScanned(ArrayRef<CarriedSize> carriedSizes, unsigned carried, Value place, ValueRange before,
                                ValueRange now, Location loc) {
  for (auto [carriedSize, expected, actual] : llvm::zip(carriedSizes, before, now)) {
    if (carriedSize.result < carried)
      continue;
    Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
    Value isFirst = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, place, zero);
    Value same = arith::SelectOp::create(builder, loc, isFirst, actual, expected);
    CheckEqualOp::create(builder, loc, actual, same, "scan values of the iterations differ in size");
  }
}

/// The scan value of one iteration, behind those of the ones before.
void RegionsToSCF::appendTo(Value value, Value result, Value place, Location loc) {
  SmallVector<AffineExpr> extents = sizes.sizesOf(value);
  extents.insert(extents.begin(), sizes.constant(1));
  SmallVector<AffineExpr> whole = writer.capacityOf(result), zeros(extents.size(), sizes.constant(0)), offsets(zeros),
                          ones(extents.size(), sizes.constant(1));
  offsets[0] = sizes.expressionOf(place);
  Value all;
  if (regions.grows(result)) {
    whole = extents;
    whole[0] = offsets[0] + 1;
    all = writer.storage(result, whole, StorageKind::growing, analysis.placeOf(result).number);
  } else {
    all = writer.bufferOf(result);
  }
  Value part = writer.strided(all, whole, offsets, extents, ones, loc);
  Value source = writer.strided(writer.bufferOf(value), extents, zeros, extents, ones, loc);
  CopyOp::create(builder, loc, source, part);
}

/// What the body gives becomes what the next iteration is given: what grows changes places with it.
void RegionsToSCF::exchangeCarried(ValueRange values, LoopOp op) {
  Location loc = op.getLoc();
  SmallVector<std::pair<Value, Value>> pairs;
  for (auto [i, given] : llvm::enumerate(op.getBody().getArguments().drop_front()))
    if (regions.grows(given) && analysis.rootOf(values[i]) != given)
      pairs.push_back(
          {storageOf(writer.bufferOf(given)), writer.growTo(values[i], analysis.backOf(op.getResult(i)), loc)});
  copyCarried(values.take_front(op.getCarried().size()), op);
  for (auto [given, next] : pairs)
    ExchangeOp::create(builder, loc, given, next);
}

/// What the body gives takes the place of what it was given. A value that is itself carried is saved first, where
/// another one is written before it is read.
void RegionsToSCF::copyCarried(ValueRange values, LoopOp op) {
  Location loc = op.getLoc();
  DenseMap<size_t, Value> saved;
  for (auto [i, value] : llvm::enumerate(values)) {
    Value root = analysis.rootOf(value);
    auto owner = root.getDefiningOp<LoopOp>();
    if (regions.grows(op.getResult(i)) || owner != op || cast<OpResult>(root).getResultNumber() >= i)
      continue;
    saved[i] = writer.temporary(value, op);
    writer.copy(writer.bufferOf(value), saved[i], loc);
  }
  for (auto [i, value] : llvm::enumerate(values)) {
    Value result = op.getResult(i);
    if (regions.grows(result))
      continue;
    if (Value copy = saved.lookup(i))
      writer.copy(copy, writer.bufferOf(result), loc);
    else
      writer.copyTo(value, result, loc);
  }
}
