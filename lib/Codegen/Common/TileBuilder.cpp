//===- TileBuilder.cpp - Writes the tile program of a kernel ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Codegen/Common/TileBuilder.h"

#include "tenon/Dialect/Tenon/IR/TenonOps.h"

#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

/// Memory of a kernel's tensor: contiguous rows, or rows wherever strides say.
static MemRefType memoryType(RankedTensorType tensor, bool takesStrides) {
  if (!takesStrides)
    return MemRefType::get(tensor.getShape(), tensor.getElementType());
  SmallVector<int64_t> strides(tensor.getRank(), ShapedType::kDynamic);
  strides.back() = 1;
  return MemRefType::get(tensor.getShape(), tensor.getElementType(),
                         StridedLayoutAttr::get(tensor.getContext(), 0, strides));
}

AffineMap codegen::unitsOf(GridOp grid) {
  auto program = cast<ProgramOp>(grid->getParentOp());
  MLIRContext *context = grid.getContext();
  bool isKnown = true;
  auto boundsOf = [&](AffineMap map, ValueRange operands) {
    SmallVector<AffineExpr> values;
    for (Value operand : operands) {
      auto argument = dyn_cast<BlockArgument>(operand);
      isKnown &= argument && argument.getOwner() == &program.getBody().front();
      values.push_back(getAffineSymbolExpr(isKnown ? argument.getArgNumber() : 0, context));
    }
    return map.replaceDimsAndSymbols(ArrayRef(values).take_front(map.getNumDims()),
                                     ArrayRef(values).drop_front(map.getNumDims()), 0, program.getNumIndices());
  };
  AffineMap lows = boundsOf(grid.getLower(), grid.getLowerIndices()), highs = boundsOf(grid.getUpper(), grid.getUpperIndices());
  AffineExpr units = getAffineConstantExpr(1, context);
  for (auto [low, high, step] : llvm::zip(lows.getResults(), highs.getResults(), grid.getSteps()))
    units = units * (high - low).ceilDiv(step);
  return isKnown ? simplifyAffineMap(AffineMap::get(0, program.getNumIndices(), units, context)) : AffineMap();
}

TileBuilder::TileBuilder(KernelOp kernel)
    : kernel(kernel), sizes(kernel.getContext()), context(kernel.getContext()), builder(kernel), loc(kernel.getLoc()) {
  unsigned count = kernel.getNumSymbols(), outputs = kernel.getResultTypes().size();
  SmallVector<MemRefType> types;
  SmallVector<Value> tensors(kernel.getBody().getArguments().drop_front(count));
  llvm::append_range(tensors, kernel.getBody().front().getTerminator()->getOperands());
  unsigned strides = 0;
  for (auto [i, tensor] : llvm::enumerate(tensors)) {
    types.push_back(memoryType(cast<RankedTensorType>(tensor.getType()), kernel.takesStrides(i)));
    strides += kernel.takesStrides(i) ? types.back().getRank() - 1 : 0;
  }
  SmallVector<Type> arguments(count + strides, builder.getIndexType());
  llvm::append_range(arguments, types);
  program = ProgramOp::create(builder, loc, kernel.getSymName(), builder.getFunctionType(arguments, {}),
                              /*sym_visibility=*/nullptr, /*arg_attrs=*/nullptr, /*res_attrs=*/nullptr, outputs,
                              /*guard=*/nullptr, /*warps=*/nullptr);
  Block *block = builder.createBlock(&program.getBody(), {}, arguments, SmallVector<Location>(arguments.size(), loc));
  for (auto [argument, known] : llvm::zip(block->getArguments(), kernel.getBody().getArguments().take_front(count))) {
    argument.setLoc(known.getLoc());
    symbols.push_back(argument);
  }
  llvm::append_range(memory, block->getArguments().drop_front(count + strides));
  ValueRange given = block->getArguments().slice(count, strides);
  for (auto [i, tensor] : llvm::enumerate(tensors)) {
    memory[i].setLoc(tensor.getLoc());
    unsigned used = kernel.takesStrides(i) ? types[i].getRank() - 1 : 0;
    if (used != 0 || !types[i].hasStaticShape())
      bind(i, tensor, given.take_front(used));
    given = given.drop_front(used);
  }
}

void TileBuilder::bind(unsigned tensor, Value value, ValueRange strides) {
  List shape = listOf(llvm::map_to_vector(sizes.sizesOf(value), [&](AffineExpr size) { return this->size(size); }));
  List rows;
  if (!strides.empty()) {
    SmallVector<AffineExpr> expressions = llvm::map_to_vector(strides, [&](Value stride) { return index(stride); });
    expressions.push_back(constant(1));
    rows = listOf(expressions);
  }
  BindOp::create(builder, loc, memory[tensor], AffineMapAttr::get(shape.map), shape.operands,
                 rows.map ? AffineMapAttr::get(rows.map) : AffineMapAttr(), rows.operands);
}

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

AffineExpr TileBuilder::index(Value value) {
  auto *known = llvm::find(indices, value);
  unsigned position = known - indices.begin();
  if (known == indices.end())
    indices.push_back(value);
  return getAffineDimExpr(position, context);
}

AffineExpr TileBuilder::size(AffineExpr size) {
  // What a kernel's sizes follow from are its symbols: they are the program's, in the same order.
  ValueRange known = kernel.getBody().getArguments().take_front(kernel.getNumSymbols());
  return sizes.mapOf(size, known)->getResult(0);
}

TileBuilder::List TileBuilder::listOf(Expressions expressions) {
  AffineMap all = AffineMap::get(indices.size(), symbols.size(), expressions, context);
  // Symbols are written as such only where they are factors or divisors.
  bool isPlain = llvm::all_of(expressions, [](AffineExpr expression) { return expression.isPureAffine(); });
  List list;
  SmallVector<AffineExpr> dims, parameters;
  for (auto [i, value] : llvm::enumerate(indices)) {
    dims.push_back(getAffineDimExpr(list.operands.size(), context));
    if (all.isFunctionOfDim(i))
      list.operands.push_back(value);
  }
  unsigned numDims = list.operands.size();
  for (auto [i, value] : llvm::enumerate(symbols)) {
    unsigned position = list.operands.size();
    parameters.push_back(isPlain ? getAffineDimExpr(position, context) : getAffineSymbolExpr(position - numDims, context));
    if (all.isFunctionOfSymbol(i))
      list.operands.push_back(value);
  }
  if (isPlain)
    numDims = list.operands.size();
  list.map = all.replaceDimsAndSymbols(dims, parameters, numDims, list.operands.size() - numDims);
  return list;
}

TileBuilder::List TileBuilder::extentsOf(Expressions extents, ArrayRef<int64_t> shape) {
  bool isWhole = llvm::all_of(llvm::zip(extents, shape), [&](auto pair) {
    return std::get<0>(pair) == constant(std::get<1>(pair));
  });
  return isWhole ? List() : listOf(extents);
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

template <typename Op> void TileBuilder::loopOver(ArrayRef<Dim> dims, Region body) {
  SmallVector<AffineExpr> lows, highs, places;
  SmallVector<int64_t> steps;
  SmallVector<bool> extents;
  for (const Dim &dim : dims) {
    lows.push_back(dim.low);
    highs.push_back(dim.high);
    steps.push_back(dim.step);
    extents.push_back(dim.extent);
  }
  List low = listOf(lows), high = listOf(highs);
  OperationState state(loc, Op::getOperationName());
  if constexpr (std::is_same_v<Op, GridOp>)
    Op::build(builder, state, low.map, low.operands, high.map, high.operands, steps, extents);
  else
    Op::build(builder, state, TypeRange(), low.map, low.operands, high.map, high.operands, steps, extents, ValueRange());
  Operation *op = builder.create(state);
  OpBuilder::InsertionGuard guard(builder);
  SmallVector<Type> types(dims.size() + llvm::count(extents, true), builder.getIndexType());
  // Coordinates aren't called as the model's values are.
  Block *block =
      builder.createBlock(&op->getRegion(0), {}, types, SmallVector<Location>(types.size(), builder.getUnknownLoc()));
  for (Value argument : block->getArguments())
    places.push_back(index(argument));
  body(places);
  builder.setInsertionPointToEnd(block);
  tile::YieldOp::create(builder, loc);
}

void TileBuilder::grid(ArrayRef<Dim> dims, Region body) {
  loopOver<GridOp>(dims, body);
  program->setAttr(kUnitsAttr, AffineMapAttr::get(unitsOf(*program.getBody().getOps<GridOp>().begin())));
}
void TileBuilder::loop(ArrayRef<Dim> dims, Region body) { loopOver<ForOp>(dims, body); }

void TileBuilder::peel(AffineExpr extent, int64_t step, function_ref<void(AffineExpr)> body) {
  List list = listOf(extent);
  auto peel = PeelOp::create(builder, loc, TypeRange(), list.operands.front(), step);
  OpBuilder::InsertionGuard guard(builder);
  Block *block = builder.createBlock(&peel.getBody(), {}, builder.getIndexType(), builder.getUnknownLoc());
  body(index(block->getArgument(0)));
  builder.setInsertionPointToEnd(block);
  tile::YieldOp::create(builder, loc);
}

void TileBuilder::tiles(AffineExpr low, AffineExpr high, int64_t step,
                        function_ref<void(AffineExpr, AffineExpr)> body) {
  auto count = dyn_cast<AffineConstantExpr>(high - low);
  int64_t whole = count ? count.getValue() / step : 0;
  if (count && whole == 0) {
    // Nothing of which there is a whole step.
    if (count.getValue() > 0)
      body(low, count);
    return;
  }
  if (count && count.getValue() % step == 0)
    return loop({{low, high, step}}, [&](Expressions places) { body(places[0], constant(step)); });
  loop({{low, high, step, /*extent=*/true}},
       [&](Expressions places) { peel(places[1], step, [&](AffineExpr extent) { body(places[0], extent); }); });
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

ValueRange TileBuilder::compute(Expressions at, ArrayRef<int64_t> shape, Expressions extents) {
  Block &source = kernel.getBody().front();
  auto yield = cast<tile::YieldOp>(source.getTerminator());
  SmallVector<Type> results;
  for (Value value : yield.getValues())
    results.push_back(RankedTensorType::get(shape, getElementTypeOrSelf(value.getType())));
  List place = listOf(at), within = extentsOf(extents, shape);
  unsigned count = symbols.size();
  SmallVector<Value> operands(ArrayRef(memory).drop_back(yield.getNumOperands()));
  auto op = ComputeOp::create(builder, loc, results, AffineMapAttr::get(place.map), place.operands, /*dims=*/nullptr,
                              within.map ? AffineMapAttr::get(within.map) : AffineMapAttr(), within.operands, operands,
                              builder.getArrayAttr(SmallVector<Attribute>(operands.size(), builder.getUnitAttr())),
                              ValueRange());
  OpBuilder::InsertionGuard guard(builder);
  Block *block = builder.createBlock(&op.getBody());
  IRMapping mapping;
  for (auto [known, symbol] : llvm::zip(source.getArguments().take_front(count), symbols))
    mapping.map(known, symbol);
  for (BlockArgument tensor : source.getArguments().drop_front(count))
    mapping.map(tensor, block->addArgument(tensor.getType(), tensor.getLoc()));
  for (Operation &inner : source)
    builder.clone(inner, mapping);
  return op.getResults();
}

void TileBuilder::store(Value tile, unsigned result, Expressions at, Expressions extents) {
  unsigned first = memory.size() - kernel.getResultTypes().size();
  List place = listOf(at), within = extentsOf(extents, cast<RankedTensorType>(tile.getType()).getShape());
  StoreOp::create(builder, loc, tile, memory[first + result], place.map, place.operands,
                  /*gathered=*/nullptr, ValueRange(), within.map ? AffineMapAttr::get(within.map) : AffineMapAttr(),
                  within.operands, /*dims=*/nullptr, /*steps=*/nullptr, /*stream=*/false);
}
