//===- LowerTiles.cpp - Turn tile programs into functions of loops over vectors ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// One walk over the program: each op is emitted where it stands, its index values are replaced by what they become. A tile
// is emitted element by element where it is used, if that is once and in the same block, and nothing that it reads is
// written before; else where it stands, a vector for each of its rows.
//
//===----------------------------------------------------------------------===//

#include "KernelFunction.h"
#include "tenon/Codegen/Common/ElementEmitter.h"
#include "tenon/Codegen/Common/Passes.h"
#include "tenon/Codegen/Common/TileBuilder.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tile/Analysis/ScheduleSpace.h"
#include "tenon/Dialect/Tile/IR/TilePrograms.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
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

namespace {
class ProgramLowering {
public:
  ProgramLowering(ProgramOp program, StringRef name)
      : program(program), name(name), builder(program), sizes(program.getContext()),
        e(builder, program.getLoc(), sizes, /*lanes=*/1) {}

  LogicalResult run() {
    if (program.getGuard() || program->getNextNode())
      return program.emitError("programs with guards can't be compiled: launches run the only one");
    SmallVector<GridOp> grids(program.getBody().getOps<GridOp>());
    if (grids.size() != 1)
      return program.emitError() << "has " << grids.size() << " grids, but launches run one";
    // The host program was written before: it launches as many units as it knows of.
    auto counted = program->getAttrOfType<AffineMapAttr>(kUnitsAttr);
    AffineMap units = unitsOf(grids.front());
    if (!counted || !units || counted.getValue() != units)
      return grids.front().emitOpError() << "has other units of work than launches count, which '" << kUnitsAttr
                                         << "' of its program says: bounds and steps of a grid can't be changed";
    if (failed(decomposeComposites(program)))
      return failure();
    KernelSignature signature;
    for (Type type : program.getArgumentTypes())
      if (auto memory = dyn_cast<MemRefType>(type)) {
        signature.tensors.push_back(memory.getElementType());
        signature.strides += llvm::count(memory.getStridesAndOffset().first, ShapedType::kDynamic) *
                             !memory.getLayout().isIdentity();
      }
    signature.results = program.getOutputs();
    if (signature.strides > program.getNumIndices())
      return program.emitError("has more strides than index arguments");
    signature.symbols = program.getNumIndices() - signature.strides;
    signature.checks = canFail(program);
    FailureOr<KernelFunction> function = KernelFunction::create(builder, program.getLoc(), name, signature);
    if (failed(function))
      return failure();
    Block &source = program.getBody().front();
    SmallVector<Value> indices(function->symbols);
    llvm::append_range(indices, function->strides);
    for (auto [argument, value] : llvm::zip(source.getArguments().take_front(indices.size()), indices))
      argument.replaceAllUsesWith(value);
    for (auto [argument, base] : llvm::zip(source.getArguments().drop_front(indices.size()), function->buffers))
      bases[argument] = base;
    begin = function->begin;
    end = function->end;
    if (failed(emitOps(source)))
      return failure();
    if (auto bits = program->getAttrOfType<IntegerAttr>(kFunctionBitsAttr); bits && bits.getInt() == fewFunctionBits)
      approximateFunctions(function->function);
    func::ReturnOp::create(builder, e.loc, e.integer(builder.getI32Type(), 0));
    program.erase();
    return success();
  }

private:
  //===--------------------------------------------------------------------===//
  // Index values
  //===--------------------------------------------------------------------===//

  SmallVector<Value> valuesOf(AffineMap map, ValueRange operands) {
    ValueRange dims = operands.take_front(map.getNumDims()), symbols = operands.drop_front(map.getNumDims());
    return llvm::map_to_vector(map.getResults(), [&](AffineExpr expression) -> Value {
      if (auto constant = dyn_cast<AffineConstantExpr>(expression))
        return e.index(constant.getValue());
      return affine::expandAffineExpr(builder, e.loc, expression, dims, symbols);
    });
  }

  Coordinates coordinatesOf(AffineMap map, ValueRange operands) {
    Coordinates result;
    for (Value value : valuesOf(map, operands)) {
      std::optional<int64_t> constant = getConstantIntValue(value);
      result.push_back(constant ? Coordinate{Value(), 0, Value(), *constant} : Coordinate{value, 0, Value()});
    }
    return result;
  }

  /// The expressions of a list as sizes.
  SmallVector<AffineExpr> sizesOf(AffineMap map, ValueRange operands) {
    SmallVector<AffineExpr> values = llvm::map_to_vector(operands, [&](Value value) { return sizes.expressionOf(value); });
    ArrayRef<AffineExpr> all(values);
    return llvm::map_to_vector(map.getResults(), [&](AffineExpr expression) {
      return sizes.simplify(
          expression.replaceDimsAndSymbols(all.take_front(map.getNumDims()), all.drop_front(map.getNumDims())));
    });
  }

  //===--------------------------------------------------------------------===//
  // Ops
  //===--------------------------------------------------------------------===//

  LogicalResult emitOps(Block &block) {
    for (Operation &op : llvm::make_early_inc_range(block))
      if (failed(emit(&op)))
        return failure();
    return success();
  }

  LogicalResult emitBody(Region &region, ValueRange arguments) {
    Block &block = region.front();
    for (auto [argument, value] : llvm::zip(block.getArguments(), arguments))
      argument.replaceAllUsesWith(value);
    return emitOps(block);
  }

  LogicalResult emit(Operation *op) {
    return llvm::TypeSwitch<Operation *, LogicalResult>(op)
        .Case<BindOp, GridOp, ForOp, PeelOp, ComputeOp, LoadOp, StoreOp>([&](auto known) { return emit(known); })
        .Case([&](StageOp stage) {
          if (stage.getNumResults() != 0)
            return refuse(stage);
          return emitOps(stage.getBody().front());
        })
        .Case([](tile::YieldOp) { return success(); })
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

  LogicalResult refuse(Operation *op) { return op->emitOpError("can't be compiled on this target yet"); }

  LogicalResult emit(BindOp bind) {
    shapes[bind.getMemref()] = sizesOf(bind.getSizes(), bind.getSizeIndices());
    if (bind.getStrides())
      strides[bind.getMemref()] = valuesOf(*bind.getStrides(), bind.getStrideIndices());
    return success();
  }

  /// Where the elements of a memory are.
  const Buffer &bufferOf(Value memref) {
    if (!e.bufferOf(memref)) {
      auto type = cast<MemRefType>(memref.getType());
      auto stated = shapes.find(memref);
      SmallVector<AffineExpr> extents =
          stated != shapes.end() ? stated->second : llvm::map_to_vector(type.getShape(), [&](int64_t size) {
            return sizes.constant(size);
          });
      std::optional<ValueRange> given;
      if (auto rows = strides.find(memref); rows != strides.end())
        given = ValueRange(rows->second).drop_back();
      e.addBuffer(memref, e.makeBuffer(bases.lookup(memref), extents, given));
    }
    return *e.bufferOf(memref);
  }

  //===--------------------------------------------------------------------===//
  // Units and loops
  //===--------------------------------------------------------------------===//

  LogicalResult emit(GridOp grid) {
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

  /// How many of a step are left.
  Value extentOf(Value place, Value high, int64_t step) {
    return builder.createOrFold<arith::MinSIOp>(e.loc, e.index(step), e.sub(high, place));
  }

  LogicalResult emit(ForOp loop) {
    if (loop.getNumResults() != 0)
      return refuse(loop);
    SmallVector<Value> lows = valuesOf(loop.getLower(), loop.getLowerIndices()),
                       highs = valuesOf(loop.getUpper(), loop.getUpperIndices());
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

  LogicalResult emitLoop(Value low, Value high, int64_t step, function_ref<LogicalResult(Value)> body) {
    auto loop = scf::ForOp::create(builder, e.loc, low, high, e.index(step));
    OpBuilder::InsertionGuard guard(builder);
    ElementEmitter::Scope scope(e);
    builder.setInsertionPointToStart(loop.getBody());
    return body(loop.getInductionVar());
  }

  LogicalResult emitIf(Value condition, function_ref<LogicalResult()> body) {
    auto branch = scf::IfOp::create(builder, e.loc, condition, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(builder);
    ElementEmitter::Scope scope(e);
    builder.setInsertionPointToStart(branch.thenBlock());
    return body();
  }

  /// All of a loop's body, if that parts whole steps from what is left of one.
  static PeelOp lonePeel(ForOp loop) {
    auto peel = dyn_cast<PeelOp>(loop.getBody().front().front());
    bool isLone = peel && llvm::hasSingleElement(loop.getBody().front().without_terminator());
    return isLone && loop.getExtents().back() && peel.getExtent() == loop.getBody().front().getArguments().back() &&
                   (int64_t)peel.getStep() == loop.getSteps().back() && peel.getNumResults() == 0
               ? peel
               : PeelOp();
  }

  /// A loop over whole steps, then what is left. `outer` are the arguments of the dimensions before.
  LogicalResult emitPeeled(ForOp loop, PeelOp peel, Value low, Value high, SmallVector<Value> outer) {
    int64_t step = peel.getStep();
    std::optional<int64_t> first = getConstantIntValue(low), last = getConstantIntValue(high);
    Value rest, wholeEnd;
    if (first && last) {
      int64_t left = std::max<int64_t>(*last - *first, 0) % step;
      rest = e.index(left);
      wholeEnd = e.index(*last - left);
    } else {
      rest = arith::RemUIOp::create(builder, e.loc, e.sub(high, low), e.index(step));
      wholeEnd = e.sub(high, rest);
    }
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
  LogicalResult emitBody(Region &region, ValueRange arguments, Value extent) {
    for (auto [argument, value] : llvm::zip(region.front().getArguments(), arguments))
      argument.replaceAllUsesWith(value);
    return emitBody(cast<PeelOp>(region.front().front()).getBody(), extent);
  }

  LogicalResult emit(PeelOp peel) {
    if (peel.getNumResults() != 0)
      return refuse(peel);
    Value step = e.index(peel.getStep());
    auto whole = cast<PeelOp>(OpBuilder(peel).clone(*peel));
    auto branch = scf::IfOp::create(
        builder, e.loc, arith::CmpIOp::create(builder, e.loc, arith::CmpIPredicate::sge, peel.getExtent(), step),
        /*withElseRegion=*/true);
    for (auto [copy, block, extent] : {std::tuple(whole, branch.thenBlock(), step),
                                       std::tuple(peel, branch.elseBlock(), Value(peel.getExtent()))}) {
      OpBuilder::InsertionGuard guard(builder);
      ElementEmitter::Scope scope(e);
      builder.setInsertionPointToStart(block);
      if (failed(emitBody(copy.getBody(), extent)))
        return failure();
    }
    whole.erase();
    return success();
  }

  //===--------------------------------------------------------------------===//
  // Tiles
  //===--------------------------------------------------------------------===//

  LogicalResult emit(ComputeOp compute) {
    Coordinates at = coordinatesOf(compute.getCoordinates(), compute.getIndices());
    for (auto [i, input] : llvm::enumerate(compute.getInputs())) {
      BlockArgument whole = compute.getBody().getArgument(i);
      if (isa<MemRefType>(input.getType())) {
        e.addBuffer(whole, Buffer(bufferOf(input)));
        continue;
      }
      ComputeOp::Place place = compute.getPlace(i);
      // At one place they are one value: bases are compared.
      Coordinates from = isa<AffineMapAttr>(compute.getPlaces()[i]) ? coordinatesOf(place.coordinates, place.operands) : at;
      e.addTile(whole, {input, from, place.dims, /*isKnown=*/true});
    }
    auto yield = cast<tile::YieldOp>(compute.getBody().front().getTerminator());
    for (auto [result, value] : llvm::zip(compute.getResults(), yield.getValues()))
      e.addTile(result, {value, at, compute.getTileDims(), /*isKnown=*/false});
    return emitTile(compute);
  }

  LogicalResult emit(LoadOp load) {
    bool isPlain = !load.getFill() && load.getPlaces().empty() &&
                   llvm::all_of(load.getTileSteps(), [](int64_t step) { return step == 1; });
    if (!isPlain)
      return refuse(load);
    bufferOf(load.getMemref());
    e.addTile(load.getTile(), {load.getMemref(), coordinatesOf(load.getCoordinates(), load.getIndices()),
                               load.getTileDims(), /*isKnown=*/false});
    return emitTile(load);
  }

  /// Leaves a tile for its user to ask, or gives it registers.
  LogicalResult emitTile(Operation *op) {
    if (llvm::any_of(op->getResults(), [](Value tile) { return !isTile(tile.getType()); }))
      return refuse(op);
    if (op->hasTrait<OpTrait::ConstantLike>() || isAsked(op))
      return success();
    for (Value tile : op->getResults())
      if (failed(forEachRow(tile, [&](Coordinates place) { return success(succeeded(e.at(tile, place))); })))
        return failure();
    return success();
  }

  /// Calls `f` with the coordinates of each row of a tile, of which the last dimension is lanes.
  LogicalResult forEachRow(Value tile, function_ref<LogicalResult(Coordinates)> f) {
    ArrayRef<int64_t> shape = cast<RankedTensorType>(tile.getType()).getShape();
    e.lanes = shape.empty() ? 1 : shape.back();
    Coordinates place(shape.size());
    if (!shape.empty())
      place.back().step = shape.back() == 1 ? 0 : 1;
    auto nest = [&](auto &nest, size_t dim) -> LogicalResult {
      if (dim + 1 >= shape.size())
        return f(place);
      for (place[dim].offset = 0; place[dim].offset < shape[dim]; ++place[dim].offset)
        if (failed(nest(nest, dim + 1)))
          return failure();
      return success();
    };
    return nest(nest, 0);
  }

  static bool isAsked(Operation *op) {
    SmallVector<Operation *> users(op->getUsers());
    if (users.empty())
      return true;
    bool isOnce = llvm::all_of(op->getResults(), [](Value tile) { return tile.use_empty() || tile.hasOneUse(); }) &&
                  llvm::all_of(users, [&](Operation *user) { return user->getBlock() == op->getBlock(); });
    if (!isOnce)
      return false;
    // What is read is read in front of the next write to its memory.
    SmallPtrSet<Operation *, 4> waiting(llvm::from_range, users);
    for (Operation *next = op->getNextNode(); next && !waiting.empty(); next = next->getNextNode()) {
      waiting.erase(next);
      if (!waiting.empty() && writesWhatIsRead(next, op))
        return false;
    }
    return true;
  }

  /// Whether `op` writes where `tile`, or what that asks, reads.
  static bool writesWhatIsRead(Operation *op, Operation *tile) {
    if (isMemoryEffectFree(op) || isa<LoadOp, ComputeOp, PrefetchOp>(op))
      return false;
    auto store = dyn_cast<StoreOp>(op);
    auto target = store ? dyn_cast<BlockArgument>(store.getMemref()) : BlockArgument();
    auto program = op->getParentOfType<ProgramOp>();
    if (!target || target.getOwner() != &program.getBody().front())
      return true;
    // Results are not read, but where they lie in an operand.
    return (bool)program.getArgAttr(target.getArgNumber(), kTiedAttr);
  }

  LogicalResult emit(StoreOp store) {
    Value tile = store.getTile();
    ArrayRef<int64_t> shape = cast<RankedTensorType>(tile.getType()).getShape();
    if (!store.getPlaces().empty() || llvm::any_of(store.getTileSteps(), [](int64_t step) { return step != 1; }))
      return refuse(store);
    Coordinates at = coordinatesOf(store.getCoordinates(), store.getIndices());
    SmallVector<Value> extents;
    if (store.getExtents())
      extents = valuesOf(*store.getExtents(), store.getExtentIndices());
    for (size_t dim = 0; dim + 1 < extents.size(); ++dim)
      if (getConstantIntValue(extents[dim]) != shape[dim])
        return refuse(store);
    bool isPartial = !extents.empty() && getConstantIntValue(extents.back()) != shape.back();
    Value previous = std::exchange(e.valid, isPartial ? extents.back() : Value());
    LogicalResult result = forEachRow(tile, [&](Coordinates within) -> LogicalResult {
      FailureOr<Value> element = e.at(tile, within);
      if (failed(element))
        return failure();
      Coordinates place = at;
      for (auto [dim, coordinate] : llvm::zip(store.getTileDims(), within))
        place[dim] = e.add(place[dim], coordinate);
      e.store(*element, bufferOf(store.getMemref()), place);
      return success();
    });
    e.valid = previous;
    return result;
  }

  ProgramOp program;
  StringRef name;
  OpBuilder builder;
  SizeAnalysis sizes;
  ElementEmitter e;
  Value begin, end; ///< the units of work to do
  DenseMap<Value, Value> bases;
  DenseMap<Value, SmallVector<AffineExpr>> shapes;
  DenseMap<Value, SmallVector<Value>> strides;
};

struct LowerTilesPass : codegen::impl::LowerTilesPassBase<LowerTilesPass> {
  void runOnOperation() override {
    VariantOp variant = getOperation();
    auto program = dyn_cast<ProgramOp>(variant.getBody().front().front());
    if (program &&
        failed(ProgramLowering(program, cast<VariantsOp>(variant->getParentOp()).getSymName()).run()))
      signalPassFailure();
  }
};
} // namespace
