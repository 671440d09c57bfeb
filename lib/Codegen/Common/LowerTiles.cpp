//===- LowerTiles.cpp - Turn tile programs into functions of loops over vectors ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProgramLowering.h"
#include "tenon/Codegen/Common/Passes.h"
#include "tenon/Codegen/Common/TileBuilder.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tile/Analysis/ScheduleSpace.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

namespace tenon::codegen {
#define GEN_PASS_DEF_LOWERTILESPASS
#include "tenon/Codegen/Common/Passes.h.inc"
} // namespace tenon::codegen

KernelSignature ProgramLowering::signatureOf() {
  KernelSignature signature;
  int64_t operands = 0; // of the kernel
  for (unsigned i = program.getNumIndices(); i < program.getNumArguments(); ++i) {
    auto memory = cast<MemRefType>(program.getArgumentTypes()[i]);
    bool isResult = i >= program.getFirstResult();
    SmallVector<int64_t> of = isResult ? SmallVector<int64_t>{operands++} : program.getOperandsOf(i);
    if (!isResult)
      operands = std::max(operands, *llvm::max_element(of) + 1);
    if (program.getArgAttr(i, kFormAttr)) {
      signature.constants.push_back(memory.getElementType());
      continue;
    }
    signature.places.push_back(of.front());
    signature.tensors.push_back(memory.getElementType());
    signature.strides +=
        llvm::count(memory.getStridesAndOffset().first, ShapedType::kDynamic) * !memory.getLayout().isIdentity();
  }
  if (llvm::equal(signature.places, llvm::seq<int64_t>(0, signature.places.size())))
    signature.places.clear();
  signature.results = program.getOutputs();
  signature.checks = canFail(program);
  for (auto [scratch, place] : placeScratch(program)) {
    places[scratch] = place;
    signature.hasScratch |= place == ScratchPlace::workgroup;
    signature.hasLaunchScratch |= place == ScratchPlace::launch;
  }
  return signature;
}

FailureOr<func::FuncOp> ProgramLowering::run() {
  KernelSignature signature = signatureOf();
  if (signature.strides > program.getNumIndices())
    return program.emitError("has more strides than index arguments");
  signature.symbols = program.getNumIndices() - signature.strides;
  FailureOr<KernelFunction> function = KernelFunction::create(builder, program.getLoc(), name, signature);
  if (failed(function))
    return failure();
  Block &source = program.getBody().front();
  SmallVector<Value> indices(function->symbols);
  llvm::append_range(indices, function->strides);
  for (auto [argument, value] : llvm::zip(source.getArguments().take_front(indices.size()), indices))
    argument.replaceAllUsesWith(value);
  SmallVector<Attribute> constants;
  size_t nextBuffer = 0;
  for (BlockArgument argument : source.getArguments().drop_front(indices.size())) {
    unsigned i = argument.getArgNumber();
    auto form = program.getArgAttrOfType<FlatSymbolRefAttr>(i, kFormAttr);
    bases[argument] = form ? function->constants[constants.size()] : function->buffers[nextBuffer++];
    if (form)
      constants.push_back(builder.getDictionaryAttr(
          {builder.getNamedAttr("form", form),
           builder.getNamedAttr("operands", builder.getDenseI64ArrayAttr(program.getOperandsOf(i)))}));
  }
  if (!constants.empty())
    program->getParentOp()->setAttr(kConstantsAttr, builder.getArrayAttr(constants));
  begin = function->begin;
  end = function->end;
  scratch[0] = {function->scratch, Value()};
  scratch[1] = {function->launchScratch, Value()};
  if (failed(emitOps(source)))
    return failure();
  if (auto bits = program->getAttrOfType<IntegerAttr>(kFunctionBitsAttr); bits && bits.getInt() == fewFunctionBits)
    approximateFunctions(function->function);
  func::ReturnOp::create(builder, e.loc, e.integer(builder.getI32Type(), 0));
  program.erase();
  return function->function;
}

//===----------------------------------------------------------------------===//
// Index values
//===----------------------------------------------------------------------===//

SmallVector<Value> ProgramLowering::valuesOf(AffineMap map, ValueRange operands) {
  ValueRange dims = operands.take_front(map.getNumDims()), symbols = operands.drop_front(map.getNumDims());
  return llvm::map_to_vector(map.getResults(), [&](AffineExpr expression) -> Value {
    if (auto constant = dyn_cast<AffineConstantExpr>(expression))
      return e.index(constant.getValue());
    return affine::expandAffineExpr(builder, e.loc, expression, dims, symbols);
  });
}

Coordinates ProgramLowering::coordinatesOf(AffineMap map, ValueRange operands) {
  Coordinates result;
  for (Value value : valuesOf(map, operands)) {
    std::optional<int64_t> constant = getConstantIntValue(value);
    result.push_back(constant ? Coordinate{Value(), 0, Value(), *constant} : Coordinate{value, 0, Value()});
  }
  return result;
}

SmallVector<AffineExpr> ProgramLowering::sizesOf(AffineMap map, ValueRange operands) {
  SmallVector<AffineExpr> values =
      llvm::map_to_vector(operands, [&](Value value) { return sizes.expressionOf(value); });
  ArrayRef<AffineExpr> all(values);
  return llvm::map_to_vector(map.getResults(), [&](AffineExpr expression) {
    return sizes.simplify(
        expression.replaceDimsAndSymbols(all.take_front(map.getNumDims()), all.drop_front(map.getNumDims())));
  });
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

LogicalResult ProgramLowering::emitOps(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(block))
    if (failed(emit(&op)))
      return failure();
  return success();
}

LogicalResult ProgramLowering::emitBody(Region &region, ValueRange arguments) {
  Block &block = region.front();
  for (auto [argument, value] : llvm::zip(block.getArguments(), arguments))
    argument.replaceAllUsesWith(value);
  return emitOps(block);
}

LogicalResult ProgramLowering::emit(Operation *op) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<BindOp, ScratchOp, ViewOp, GridOp, ForOp, PeelOp, StageOp, scf::IfOp, ComputeOp, LoadOp, StoreOp,
            PrefetchOp, TopKRowOp, MmaOp, ReduceOp, FillOp, PositionOp>([&](auto known) { return emit(known); })
      .Case<tile::YieldOp, scf::YieldOp>([](auto) { return success(); })
      .Case([&](tensor::ExtractOp extract) { return emit(extract); })
      .Case([&](ReportOp report) {
        builder.clone(*report);
        return success();
      })
      .Default([&](Operation *other) -> LogicalResult {
        if (isa<ElementInterface>(other))
          return emitTile(other);
        bool isIndex = isa_and_present<affine::AffineDialect, arith::ArithDialect>(other->getDialect()) &&
                       llvm::all_of(other->getResultTypes(), [](Type type) { return type.isIntOrIndex(); });
        if (!isIndex || other->getNumRegions() != 0)
          return refuse(other);
        other->replaceAllUsesWith(builder.clone(*other));
        return success();
      });
}

//===----------------------------------------------------------------------===//
// Units, loops and branches
//===----------------------------------------------------------------------===//

LogicalResult ProgramLowering::emit(GridOp grid) {
  // All memory is known in front of the loop.
  for (BlockArgument argument : program.getBody().getArguments())
    if (bases.contains(argument))
      bufferOf(argument);
  SmallVector<Value> lows = valuesOf(grid.getLower(), grid.getLowerIndices()),
                     highs = valuesOf(grid.getUpper(), grid.getUpperIndices());
  auto loop = scf::ForOp::create(builder, e.loc, begin, end, e.index(1));
  OpBuilder::InsertionGuard guard(builder);
  ElementEmitter::Scope scope(e);
  builder.setInsertionPointToStart(loop.getBody());
  e.unit = loop.getInductionVar();
  SmallVector<Value> counts;
  for (auto [low, high, step] : llvm::zip(lows, highs, grid.getSteps()))
    counts.push_back(builder.createOrFold<arith::CeilDivUIOp>(e.loc, e.sub(high, low), e.index(step)));
  SmallVector<Value> arguments;
  SmallVector<Value> positions = e.delinearize(e.unit, counts);
  for (auto [d, position] : llvm::enumerate(positions)) {
    arguments.push_back(e.add(lows[d], e.mul(position, e.index(grid.getSteps()[d]))));
    if (grid.getExtents()[d])
      arguments.push_back(extentOf(arguments.back(), highs[d], grid.getSteps()[d]));
  }
  return emitBody(grid.getBody(), arguments);
}

Value ProgramLowering::extentOf(Value place, Value high, int64_t step) {
  return builder.createOrFold<arith::MinSIOp>(e.loc, e.index(step), e.sub(high, place));
}

/// All of a loop's body, if that parts whole steps from what is left of one.
static PeelOp lonePeel(ForOp loop) {
  auto peel = dyn_cast<PeelOp>(loop.getBody().front().front());
  bool isLone = peel && llvm::hasSingleElement(loop.getBody().front().without_terminator());
  return isLone && loop.getExtents().back() &&
                 peel.getExtent() == loop.getBody().getArgument(loop.getNumPlaces() - 1) &&
                 (int64_t)peel.getStep() == loop.getSteps().back() &&
                 loop.getBody().front().getTerminator()->getOperands() == peel.getResults()
             ? peel
             : PeelOp();
}

LogicalResult ProgramLowering::emit(ForOp loop) {
  SmallVector<Value> lows = valuesOf(loop.getLower(), loop.getLowerIndices()),
                     highs = valuesOf(loop.getUpper(), loop.getUpperIndices());
  if (loop.getNumResults() != 0)
    return emitCarrying(loop, lows.front(), highs.front());
  SmallVector<Value> arguments;
  auto nest = [&](auto &nest, size_t d) -> LogicalResult {
    if (d == lows.size())
      return emitBody(loop.getBody(), arguments);
    if (PeelOp peel = lonePeel(loop); peel && d + 1 == lows.size())
      return emitPeeled(loop, peel, lows[d], highs[d], arguments);
    int64_t step = loop.getSteps()[d];
    return emitLoop(lows[d], highs[d], step, [&](Value place) {
      arguments.push_back(place);
      if (loop.getExtents()[d])
        arguments.push_back(extentOf(place, highs[d], step));
      return nest(nest, d + 1);
    });
  };
  return nest(nest, 0);
}

void ProgramLowering::defineRegisters(ValueRange tiles, ArrayRef<size_t> counts, ValueRange registers) {
  for (auto [tile, count] : llvm::zip(tiles, counts)) {
    e.addRegisters(tile, registers.take_front(count));
    registers = registers.drop_front(count);
  }
}

FailureOr<SmallVector<Value>> ProgramLowering::registersOf(ValueRange tiles, SmallVectorImpl<size_t> *counts) {
  SmallVector<Value> result;
  for (Value tile : tiles) {
    FailureOr<SmallVector<Value>> pieces = registersOf(tile);
    if (failed(pieces))
      return failure();
    llvm::append_range(result, *pieces);
    if (counts)
      counts->push_back(pieces->size());
  }
  return result;
}

/// What it carries are registers: the vectors of all rows of all tiles.
LogicalResult ProgramLowering::emitCarrying(ForOp loop, Value low, Value high) {
  SmallVector<size_t> counts;
  FailureOr<SmallVector<Value>> init = SmallVector<Value>();
  for (auto [tile, carried, result] :
       llvm::zip(loop.getInit(), loop.getBody().getArguments().drop_front(loop.getNumPlaces()), loop.getResults())) {
    InstructionAttr via = fragmentsVia(carried);
    if (via && !staysInFragments(result))
      return refuse(loop);
    FailureOr<SmallVector<Value>> pieces = via ? fragmentsOf(tile, via) : registersOf(tile);
    if (failed(pieces))
      return failure();
    llvm::append_range(*init, *pieces);
    counts.push_back(pieces->size());
  }
  PeelOp peel = lonePeel(loop);
  // One step, or of a loop that is nothing but a peel one for an extent.
  auto emitStep = [&](ForOp copy, ArrayRef<Value> arguments, ValueRange carried) -> FailureOr<SmallVector<Value>> {
    Block &body = copy.getBody().front();
    defineRegisters(body.getArguments().drop_front(copy.getNumPlaces()), counts, carried);
    if (failed(peel ? emitBody(copy.getBody(), arguments, arguments.back()) : emitBody(copy.getBody(), arguments)))
      return failure();
    return registersOf(peel ? cast<PeelOp>(body.front()).getBody().front().getTerminator()->getOperands()
                            : body.getTerminator()->getOperands());
  };
  int64_t step = loop.getSteps().front();
  FailureOr<SmallVector<Value>> results;
  if (peel) {
    auto [wholeEnd, rest] = wholeSteps(low, high, step);
    // Each op is emitted once, and stays: what it gives is known by it.
    auto whole = cast<ForOp>(OpBuilder(loop).clone(*loop));
    results = emitLoop(low, wholeEnd, step, *init, [&](Value place, ValueRange carried) {
      return emitStep(whole, {place, e.index(step)}, carried);
    });
    if (succeeded(results) && getConstantIntValue(rest) != 0) {
      Value isLeft = arith::CmpIOp::create(builder, e.loc, arith::CmpIPredicate::sgt, rest, e.index(0));
      SmallVector<Value> carried = *results;
      results = emitIf(isLeft, carried, [&] { return emitStep(loop, {wholeEnd, rest}, carried); });
    }
  } else {
    results = emitLoop(low, high, step, *init, [&](Value place, ValueRange carried) {
      SmallVector<Value> arguments = {place};
      if (loop.getExtents().front())
        arguments.push_back(extentOf(place, high, step));
      return emitStep(loop, arguments, carried);
    });
  }
  if (failed(results))
    return failure();
  defineRegisters(loop.getResults(), counts, *results);
  return success();
}

FailureOr<SmallVector<Value>> ProgramLowering::emitLoop(Value low, Value high, int64_t step, ValueRange init,
                                                        ElementEmitter::LoopBody body) {
  auto loop = scf::ForOp::create(builder, e.loc, low, high, e.index(step), init);
  OpBuilder::InsertionGuard guard(builder);
  ElementEmitter::Scope scope(e);
  builder.setInsertionPointToStart(loop.getBody());
  FailureOr<SmallVector<Value>> next = body(loop.getInductionVar(), loop.getRegionIterArgs());
  if (failed(next))
    return failure();
  scf::YieldOp::create(builder, e.loc, *next);
  return SmallVector<Value>(loop.getResults());
}

FailureOr<SmallVector<Value>> ProgramLowering::emitIf(Value condition, ValueRange otherwise,
                                                      function_ref<FailureOr<SmallVector<Value>>()> body) {
  auto branch = scf::IfOp::create(builder, e.loc, otherwise.getTypes(), condition, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(builder);
  ElementEmitter::Scope scope(e);
  builder.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(builder, e.loc, otherwise);
  builder.setInsertionPointToStart(branch.thenBlock());
  FailureOr<SmallVector<Value>> values = body();
  if (failed(values))
    return failure();
  scf::YieldOp::create(builder, e.loc, *values);
  return SmallVector<Value>(branch.getResults());
}

LogicalResult ProgramLowering::emit(tensor::ExtractOp extract) {
  auto type = extract.getTensor().getType();
  Type result = extract.getType();
  if (!isTile(type) || type.getRank() != 0 || !result.isSignlessInteger())
    return refuse(extract);
  e.lanes = 1;
  FailureOr<Value> element = e.at(extract.getTensor(), {});
  if (failed(element) || element->getType() != result)
    return failed(element) ? failure() : refuse(extract);
  extract.getResult().replaceAllUsesWith(*element);
  return success();
}

LogicalResult ProgramLowering::emitLoop(Value low, Value high, int64_t step, function_ref<LogicalResult(Value)> body) {
  auto loop = scf::ForOp::create(builder, e.loc, low, high, e.index(step));
  OpBuilder::InsertionGuard guard(builder);
  ElementEmitter::Scope scope(e);
  builder.setInsertionPointToStart(loop.getBody());
  return body(loop.getInductionVar());
}

LogicalResult ProgramLowering::emitIf(Value condition, function_ref<LogicalResult()> body) {
  auto branch = scf::IfOp::create(builder, e.loc, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(builder);
  ElementEmitter::Scope scope(e);
  builder.setInsertionPointToStart(branch.thenBlock());
  return body();
}

LogicalResult ProgramLowering::emit(scf::IfOp branch) {
  if (branch.getNumResults() != 0)
    return refuse(branch);
  bool hasElse = !branch.getElseRegion().empty();
  auto copy = scf::IfOp::create(builder, e.loc, branch.getCondition(), hasElse);
  for (auto [source, target] : {std::pair(&branch.getThenRegion(), &copy.getThenRegion()),
                                std::pair(&branch.getElseRegion(), &copy.getElseRegion())}) {
    if (source->empty())
      continue;
    OpBuilder::InsertionGuard guard(builder);
    ElementEmitter::Scope scope(e);
    builder.setInsertionPointToStart(&target->front());
    if (failed(emitOps(source->front())))
      return failure();
  }
  return success();
}

LogicalResult ProgramLowering::emit(StageOp stage) {
  if (stage.getNumResults() != 0)
    return refuse(stage);
  return emitOps(stage.getBody().front());
}

std::pair<Value, Value> ProgramLowering::wholeSteps(Value low, Value high, int64_t step) {
  std::optional<int64_t> first = getConstantIntValue(low), last = getConstantIntValue(high);
  if (first && last) {
    int64_t left = std::max<int64_t>(*last - *first, 0) % step;
    return {e.index(*last - left), e.index(left)};
  }
  Value rest = arith::RemUIOp::create(builder, e.loc, e.sub(high, low), e.index(step));
  return {e.sub(high, rest), rest};
}

LogicalResult ProgramLowering::emitPeeled(ForOp loop, PeelOp peel, Value low, Value high, SmallVector<Value> outer) {
  int64_t step = peel.getStep();
  auto [wholeEnd, rest] = wholeSteps(low, high, step);
  // The body of whole steps is a copy: each op is emitted once.
  auto whole = cast<ForOp>(OpBuilder(loop).clone(*loop));
  auto emitStep = [&](ForOp copy, Value place, Value extent) {
    SmallVector<Value> arguments = outer;
    arguments.append({place, extent});
    return emitBody(copy.getBody(), arguments, extent);
  };
  if (failed(emitLoop(low, wholeEnd, step, [&](Value place) { return emitStep(whole, place, e.index(step)); })))
    return failure();
  if (getConstantIntValue(rest) == 0)
    return success();
  auto tail = [&] { return emitStep(loop, wholeEnd, rest); };
  if (getConstantIntValue(rest)) {
    ElementEmitter::Scope scope(e);
    return tail();
  }
  return emitIf(arith::CmpIOp::create(builder, e.loc, arith::CmpIPredicate::sgt, rest, e.index(0)), tail);
}

/// The body of a loop that is nothing but a peel, for one extent.
LogicalResult ProgramLowering::emitBody(Region &region, ValueRange arguments, Value extent) {
  for (auto [argument, value] : llvm::zip(region.front().getArguments(), arguments))
    argument.replaceAllUsesWith(value);
  return emitBody(cast<PeelOp>(region.front().front()).getBody(), extent);
}

LogicalResult ProgramLowering::emit(PeelOp peel) {
  Value step = e.index(peel.getStep());
  auto whole = cast<PeelOp>(OpBuilder(peel).clone(*peel));
  SmallVector<Type> types;
  SmallVector<size_t> counts;
  for (Value tile : peel.getResults()) {
    SmallVector<Type> pieces = registerTypes(tile);
    counts.push_back(pieces.size());
    llvm::append_range(types, pieces);
  }
  auto branch = scf::IfOp::create(
      builder, e.loc, types, arith::CmpIOp::create(builder, e.loc, arith::CmpIPredicate::sge, peel.getExtent(), step),
      /*withElseRegion=*/true);
  for (auto [copy, block, extent] :
       {std::tuple(whole, branch.thenBlock(), step), std::tuple(peel, branch.elseBlock(), Value(peel.getExtent()))}) {
    OpBuilder::InsertionGuard guard(builder);
    ElementEmitter::Scope scope(e);
    builder.setInsertionPointToStart(block);
    if (failed(emitBody(copy.getBody(), extent)))
      return failure();
    FailureOr<SmallVector<Value>> values = registersOf(copy.getBody().front().getTerminator()->getOperands());
    if (failed(values))
      return failure();
    if (!types.empty())
      scf::YieldOp::create(builder, e.loc, *values);
  }
  defineRegisters(peel.getResults(), counts, branch.getResults());
  return success();
}

namespace {
struct LowerTilesPass : codegen::impl::LowerTilesPassBase<LowerTilesPass> {
  void runOnOperation() override {
    VariantOp variant = getOperation();
    StringRef name = cast<VariantsOp>(variant->getParentOp()).getSymName();
    unsigned number = 0; // of grids
    for (auto program : llvm::make_early_inc_range(variant.getOps<ProgramOp>()))
      if (failed(lower(program, name, number)))
        return signalPassFailure();
  }

private:
  /// Each grid becomes a function, the first of which has the plan.
  static LogicalResult lower(ProgramOp program, StringRef name, unsigned &number) {
    for (unsigned i = program.getNumIndices(); i < program.getFirstResult(); ++i)
      if (size_t count = program.getOperandsOf(i).size(); count != 1 && !program.getArgAttr(i, kFormAttr))
        return program.emitError() << "has argument " << i << " of " << count << " operands, but no form of it";
    FailureOr<PlanAttr> plan = planOf(program);
    if (failed(plan) || failed(decomposeComposites(program)))
      return failure();
    for (size_t left = plan->getGrids().size(), grid = 0; left-- != 0; ++grid) {
      // What stands before the grids is in each function, as far as it is used there.
      ProgramOp own = left == 0 ? program : cast<ProgramOp>(OpBuilder(program).clone(*program));
      SmallVector<GridOp> grids(own.getBody().getOps<GridOp>());
      for (size_t i = 0; i < grids.size(); ++i)
        if (i != grid)
          grids[i].erase();
      std::string function = VariantOp::nameOfGrid(name, number++);
      FailureOr<func::FuncOp> lowered = ProgramLowering(own, function).run();
      if (failed(lowered))
        return failure();
      if (grid == 0)
        (*lowered)->setAttr(kProgramPlanAttr, *plan);
    }
    return success();
  }
};
} // namespace
