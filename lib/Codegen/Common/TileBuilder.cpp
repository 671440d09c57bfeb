//===- TileBuilder.cpp - Writes the tile program of a kernel ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Codegen/Common/TileBuilder.h"

#include "tenon/Dialect/Tenon/IR/TenonOps.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SmallPtrSet.h"

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

TileBuilder::TileBuilder(KernelOp kernel)
    : kernel(kernel), sizes(kernel.getContext()), context(kernel.getContext()), builder(kernel), loc(kernel.getLoc()) {
  unsigned count = kernel.getNumSymbols(), outputs = kernel.getResultTypes().size();
  SmallVector<MemRefType> types;
  SmallVector<Value> tensors(kernel.getBody().getArguments().drop_front(count));
  llvm::append_range(tensors, kernel.getBody().front().getTerminator()->getOperands());
  unsigned numStrides = 0;
  for (auto [i, tensor] : llvm::enumerate(tensors)) {
    types.push_back(memoryType(cast<RankedTensorType>(tensor.getType()), kernel.takesStrides(i)));
    numStrides += kernel.takesStrides(i) ? types.back().getRank() - 1 : 0;
  }
  SmallVector<Type> arguments(count + numStrides, builder.getIndexType());
  llvm::append_range(arguments, types);
  program = ProgramOp::create(builder, loc, kernel.getSymName(), builder.getFunctionType(arguments, {}),
                              /*sym_visibility=*/nullptr, /*arg_attrs=*/nullptr, /*res_attrs=*/nullptr, outputs,
                              /*guard=*/nullptr, /*warps=*/nullptr);
  Block *block = builder.createBlock(&program.getBody(), {}, arguments, SmallVector<Location>(arguments.size(), loc));
  for (auto [argument, known] : llvm::zip(block->getArguments(), kernel.getBody().getArguments().take_front(count))) {
    argument.setLoc(known.getLoc());
    symbols.push_back(argument);
  }
  llvm::append_range(memory, block->getArguments().drop_front(count + numStrides));
  for (size_t i = 0; i < tensors.size() - outputs; ++i)
    operandsOf.push_back({int64_t(i)});
  ValueRange given = block->getArguments().slice(count, numStrides);
  for (auto [i, tensor] : llvm::enumerate(tensors)) {
    memory[i].setLoc(tensor.getLoc());
    unsigned used = kernel.takesStrides(i) ? types[i].getRank() - 1 : 0;
    strides.emplace_back(given.take_front(used));
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
    parameters.push_back(isPlain ? getAffineDimExpr(position, context)
                                 : getAffineSymbolExpr(position - numDims, context));
    if (all.isFunctionOfSymbol(i))
      list.operands.push_back(value);
  }
  if (isPlain)
    numDims = list.operands.size();
  list.map = all.replaceDimsAndSymbols(dims, parameters, numDims, list.operands.size() - numDims);
  return list;
}

Value TileBuilder::value(AffineExpr expression) {
  List list = listOf(expression);
  if (auto fixed = dyn_cast<AffineConstantExpr>(list.map.getResult(0)))
    return arith::ConstantIndexOp::create(builder, loc, fixed.getValue());
  if (isa<AffineDimExpr, AffineSymbolExpr>(list.map.getResult(0)))
    return list.operands.front();
  return affine::AffineApplyOp::create(builder, loc, list.map, list.operands);
}

AffineExpr TileBuilder::min(AffineExpr a, AffineExpr b) {
  if (auto difference = dyn_cast<AffineConstantExpr>(a - b))
    return difference.getValue() < 0 ? a : b;
  List list = listOf({a, b});
  return index(affine::AffineMinOp::create(builder, loc, list.map, list.operands));
}

AffineExpr TileBuilder::max(AffineExpr a, AffineExpr b) {
  if (auto difference = dyn_cast<AffineConstantExpr>(a - b))
    return difference.getValue() < 0 ? b : a;
  List list = listOf({a, b});
  return index(affine::AffineMaxOp::create(builder, loc, list.map, list.operands));
}

AffineExpr TileBuilder::mul(AffineExpr a, AffineExpr b) {
  if (a.isSymbolicOrConstant() || b.isSymbolicOrConstant())
    return a * b;
  return index(arith::MulIOp::create(builder, loc, value(a), value(b)));
}

AffineExpr TileBuilder::divide(AffineExpr a, AffineExpr b) {
  if (b == constant(0))
    return b;
  if (isa<AffineConstantExpr>(a) && isa<AffineConstantExpr>(b))
    return a.floorDiv(b);
  return index(arith::DivUIOp::create(builder, loc, value(a), value(b)));
}

AffineExpr TileBuilder::ceilDiv(AffineExpr a, AffineExpr b) {
  if (b == constant(0))
    return b;
  if (isa<AffineConstantExpr>(a) && isa<AffineConstantExpr>(b))
    return a.ceilDiv(b);
  return index(arith::CeilDivUIOp::create(builder, loc, value(a), value(b)));
}

SmallVector<AffineExpr> TileBuilder::delinearize(AffineExpr place, Expressions extents) {
  // Dimensions of one place have no coordinate.
  SmallVector<AffineExpr> result(extents.size(), constant(0));
  SmallVector<size_t> dims;
  for (auto [i, extent] : llvm::enumerate(extents))
    if (extent != constant(1))
      dims.push_back(i);
  for (size_t n = dims.size(); n-- > 1;) {
    Value whole = value(place), extent = value(extents[dims[n]]);
    result[dims[n]] = index(arith::RemUIOp::create(builder, loc, whole, extent));
    place = index(arith::DivUIOp::create(builder, loc, whole, extent));
  }
  if (!dims.empty())
    result[dims.front()] = place;
  return result;
}

Value TileBuilder::isAtMost(AffineExpr a, AffineExpr b) {
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sle, value(a), value(b));
}

AffineExpr TileBuilder::ifAtMost(AffineExpr a, AffineExpr b, AffineExpr yes, AffineExpr no) {
  if (auto difference = dyn_cast<AffineConstantExpr>(a - b))
    return difference.getValue() <= 0 ? yes : no;
  return select(isAtMost(a, b), yes, no);
}

AffineExpr TileBuilder::select(Value condition, AffineExpr yes, AffineExpr no) {
  return index(arith::SelectOp::create(builder, loc, condition, value(yes), value(no)));
}

TileBuilder::List TileBuilder::extentsOf(Expressions extents, ArrayRef<int64_t> shape) {
  bool isWhole = llvm::all_of(llvm::zip(extents, shape),
                              [&](auto pair) { return std::get<0>(pair) == constant(std::get<1>(pair)); });
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
    Op::build(builder, state, TypeRange(), low.map, low.operands, high.map, high.operands, steps, extents,
              ValueRange());
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

void TileBuilder::grid(ArrayRef<Dim> dims, Region body) { loopOver<GridOp>(dims, body); }
void TileBuilder::loop(ArrayRef<Dim> dims, Region body) { loopOver<ForOp>(dims, body); }

TileBuilder::Carried TileBuilder::carryOver(const Dim &dim, ValueRange init,
                                            function_ref<Carried(Expressions, ValueRange)> body) {
  List low = listOf(dim.low), high = listOf(dim.high);
  auto loop = ForOp::create(builder, loc, init.getTypes(), low.map, low.operands, high.map, high.operands,
                            ArrayRef<int64_t>(dim.step), ArrayRef<bool>(dim.extent), init);
  OpBuilder::InsertionGuard guard(builder);
  unsigned numPlaces = dim.extent ? 2 : 1;
  SmallVector<Type> types(numPlaces, builder.getIndexType());
  llvm::append_range(types, init.getTypes());
  Block *block =
      builder.createBlock(&loop.getBody(), {}, types, SmallVector<Location>(types.size(), builder.getUnknownLoc()));
  ValueRange arguments = block->getArguments();
  SmallVector<AffineExpr> places;
  for (Value place : arguments.take_front(numPlaces))
    places.push_back(index(place));
  Carried next = body(places, arguments.drop_front(numPlaces));
  builder.setInsertionPointToEnd(block);
  tile::YieldOp::create(builder, loc, next);
  return Carried(loop.getResults());
}

TileBuilder::Carried TileBuilder::carryAll(const Dim &dim, ValueRange init,
                                           function_ref<Carried(AffineExpr, ValueRange)> body) {
  return carryOver(dim, init, [&](Expressions places, ValueRange carried) { return body(places.front(), carried); });
}

TileBuilder::Carried TileBuilder::carryAllTiles(AffineExpr low, AffineExpr high, int64_t step, ValueRange init,
                                                function_ref<Carried(AffineExpr, AffineExpr, ValueRange)> body) {
  auto count = dyn_cast<AffineConstantExpr>(high - low);
  if (count && count.getValue() < step)
    return count.getValue() > 0 ? body(low, count, init) : Carried(init);
  if (count && count.getValue() % step == 0)
    return carryAll({low, high, step}, init,
                    [&](AffineExpr place, ValueRange carried) { return body(place, constant(step), carried); });
  return carryOver({low, high, step, /*extent=*/true}, init, [&](Expressions places, ValueRange carried) -> Carried {
    auto peel = PeelOp::create(builder, loc, init.getTypes(), listOf(places[1]).operands.front(), step);
    OpBuilder::InsertionGuard guard(builder);
    Block *block = builder.createBlock(&peel.getBody(), {}, builder.getIndexType(), builder.getUnknownLoc());
    Carried next = body(places[0], index(block->getArgument(0)), carried);
    builder.setInsertionPointToEnd(block);
    tile::YieldOp::create(builder, loc, next);
    return Carried(peel.getResults());
  });
}

Value TileBuilder::carry(const Dim &dim, Value init, function_ref<Value(AffineExpr, Value)> body) {
  return carryAll(dim, init,
                  [&](AffineExpr place, ValueRange carried) -> Carried { return {body(place, carried.front())}; })
      .front();
}

Value TileBuilder::carryTiles(AffineExpr low, AffineExpr high, int64_t step, Value init,
                              function_ref<Value(AffineExpr, AffineExpr, Value)> body) {
  return carryAllTiles(low, high, step, init,
                       [&](AffineExpr place, AffineExpr extent, ValueRange carried) -> Carried {
                         return {body(place, extent, carried.front())};
                       })
      .front();
}

void TileBuilder::when(Value condition, function_ref<void()> yes, function_ref<void()> no) {
  auto branch = scf::IfOp::create(builder, loc, condition, /*withElseRegion=*/(bool)no);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(branch.thenBlock());
  yes();
  if (no) {
    builder.setInsertionPointToStart(branch.elseBlock());
    no();
  }
}

void TileBuilder::peel(AffineExpr extent, int64_t step, function_ref<void(AffineExpr)> body) {
  if (isa<AffineConstantExpr>(extent))
    return body(extent);
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

Value TileBuilder::formed(ValueRange operands, StringRef name, function_ref<Value(OpBuilder &, ValueRange)> make) {
  SmallVector<int64_t> numbers = llvm::map_to_vector(operands, [&](Value operand) {
    return int64_t(cast<BlockArgument>(operand).getArgNumber() - kernel.getNumSymbols());
  });
  // Behind the programs, in the table of symbols that they look into.
  OpBuilder inForm(program.getContext());
  inForm.setInsertionPointToEnd(program->getBlock());
  SmallVector<Location> locs = llvm::map_to_vector(operands, [](Value operand) { return operand.getLoc(); });
  std::string unique = name.str();
  for (unsigned i = 0; SymbolTable::lookupSymbolIn(program->getParentOp(), unique); ++i)
    unique = (name + "_" + llvm::Twine(i)).str();
  auto form = FormOp::create(inForm, loc, unique, builder.getFunctionType(operands.getTypes(), {}), StringAttr(),
                             ArrayAttr(), ArrayAttr());
  Block *body = inForm.createBlock(&form.getBody(), {}, operands.getTypes(), locs);
  Value made = make(inForm, body->getArguments());
  tile::YieldOp::create(inForm, loc, made);
  form.setFunctionType(builder.getFunctionType(operands.getTypes(), made.getType()));

  // The new argument takes the place of the first operand that goes, or stands behind the operands.
  auto type = cast<RankedTensorType>(made.getType());
  unsigned indices = program.getNumIndices(), place = indices + operandsOf.size();
  for (int64_t number : numbers) {
    auto argument = cast_if_present<BlockArgument>(memory[number]);
    Value operand = kernel.getBody().getArgument(kernel.getNumSymbols() + number);
    auto reads = llvm::count_if(operand.getUses(), [](OpOperand &use) { return !isa<BindShapeOp>(use.getOwner()); });
    if (!argument || reads > 1 || !llvm::all_of(argument.getUsers(), llvm::IsaPred<BindOp>))
      continue;
    for (Operation *bind : llvm::make_early_inc_range(argument.getUsers()))
      bind->erase();
    place = argument.getArgNumber();
    memory[number] = {};
    operandsOf.erase(operandsOf.begin() + (place - indices));
    (void)program.eraseArgument(place);
  }
  (void)program.insertArgument(place, MemRefType::get(type.getShape(), type.getElementType()),
                               builder.getDictionaryAttr({}), operands.front().getLoc());
  operandsOf.insert(operandsOf.begin() + (place - indices), numbers);
  program.setArgAttr(place, kFormAttr, FlatSymbolRefAttr::get(form.getSymNameAttr()));
  nameOperands();
  return program.getBody().getArgument(place);
}

void TileBuilder::nameOperands() {
  SmallVector<int64_t> next = {0};
  for (auto [i, numbers] : llvm::enumerate(operandsOf)) {
    unsigned argument = program.getNumIndices() + i;
    if (numbers == next)
      program.removeArgAttr(argument, kOperandsAttr);
    else
      program.setArgAttr(argument, kOperandsAttr, builder.getI64ArrayAttr(numbers));
    next = {numbers.back() + 1};
  }
}

Value TileBuilder::memoryOf(Value tensor) {
  return memory[cast<BlockArgument>(tensor).getArgNumber() - kernel.getNumSymbols()];
}

SmallVector<AffineExpr> TileBuilder::stridesOf(Value tensor) {
  ArrayRef<Value> given = strides[cast<BlockArgument>(tensor).getArgNumber() - kernel.getNumSymbols()];
  SmallVector<AffineExpr> extents = sizes.sizesOf(tensor), result(extents.size(), constant(1));
  for (int64_t dim = (int64_t)extents.size() - 2; dim >= 0; --dim)
    result[dim] = given.empty() ? mul(result[dim + 1], size(extents[dim + 1])) : index(given[dim]);
  return result;
}

Value TileBuilder::scratch(ArrayRef<int64_t> shape, Type element) {
  auto type = MemRefType::get(shape, element, MemRefLayoutAttrInterface(),
                              MemoryAttr::get(context, MemoryKind::workgroup, /*swizzle=*/0));
  return ScratchOp::create(builder, loc, type, AffineMapAttr(), ValueRange());
}

Value TileBuilder::scratch(Expressions sizes, Type element, MemoryKind kind) {
  SmallVector<int64_t> shape;
  SmallVector<AffineExpr> dynamic;
  for (AffineExpr size : sizes) {
    auto known = dyn_cast<AffineConstantExpr>(size);
    shape.push_back(known ? known.getValue() : ShapedType::kDynamic);
    if (!known)
      dynamic.push_back(size);
  }
  auto type =
      MemRefType::get(shape, element, MemRefLayoutAttrInterface(), MemoryAttr::get(context, kind, /*swizzle=*/0));
  List list = dynamic.empty() ? List() : listOf(dynamic);
  return ScratchOp::create(builder, loc, type, list.map ? AffineMapAttr::get(list.map) : AffineMapAttr(),
                           list.operands);
}

Value TileBuilder::view(Value source, AffineMap map, Expressions sizes) {
  List extents = listOf(sizes);
  auto memory = cast<MemRefType>(source.getType());
  FailureOr<MemRefType> type =
      viewType([&] { return emitError(loc); }, memory, map, extents.map, memory.getElementType());
  return ViewOp::create(builder, loc, *type, source, map, extents.map, extents.operands);
}

Value TileBuilder::splat(ArrayRef<int64_t> shape, TypedAttr element) {
  auto type = RankedTensorType::get(shape, element.getType());
  return ConstantOp::create(builder, loc, type, DenseElementsAttr::get(type, Attribute(element)));
}

Value TileBuilder::scalar(AffineExpr size, Type element) {
  return CastOp::create(builder, loc, RankedTensorType::get({}, element), position(size));
}

Value TileBuilder::position(AffineExpr index) {
  List list = listOf(index);
  return PositionOp::create(builder, loc, RankedTensorType::get({}, builder.getI64Type()), list.map, list.operands,
                            nullptr);
}

Value TileBuilder::positions(AffineExpr index, int64_t count, bool grows) {
  List list = listOf(index);
  return PositionOp::create(builder, loc, RankedTensorType::get(count, builder.getI64Type()), list.map, list.operands,
                            grows ? builder.getI64IntegerAttr(0) : IntegerAttr());
}

void TileBuilder::report(int64_t code, AffineExpr unit, Value value, Value limit) {
  auto number = [&](Value index) { return create<arith::IndexCastOp>(builder.getI64Type(), index); };
  ReportOp::create(builder, loc, code, this->value(unit), number(value), number(limit));
}

void TileBuilder::setPresent(unsigned number, Value operand) {
  auto argument = cast<BlockArgument>(result(number)), from = cast<BlockArgument>(memoryOf(operand));
  program.setArgAttr(argument.getArgNumber(), kTiedAttr, builder.getI64IntegerAttr(from.getArgNumber()));
  program.setArgAttr(argument.getArgNumber(), kPresentAttr, builder.getUnitAttr());
}

AffineExpr TileBuilder::extract(Value scalar) {
  auto wide = RankedTensorType::get({}, builder.getI64Type());
  Value number = scalar.getType() == wide ? scalar : create<CastOp>(wide, scalar);
  number = create<tensor::ExtractOp>(number, ValueRange());
  return index(create<arith::IndexCastOp>(builder.getIndexType(), number));
}

Value TileBuilder::fill(Value tile, Expressions extents, TypedAttr element) {
  List within = extentsOf(extents, cast<RankedTensorType>(tile.getType()).getShape());
  return within.map
             ? FillOp::create(builder, loc, tile.getType(), tile, within.map, within.operands, element).getResult()
             : tile;
}

Value TileBuilder::cast(Value tile, Type element) {
  auto type = llvm::cast<RankedTensorType>(tile.getType());
  return type.getElementType() == element ? tile : create<CastOp>(type.clone(element), tile);
}

Value TileBuilder::repeat(Operation *op, ValueRange tiles) {
  IRMapping mapping;
  mapping.map(op->getOperands(), tiles);
  Operation *repeated = builder.insert(op->clone(mapping));
  Value result = repeated->getResult(0);
  result.setType(llvm::cast<RankedTensorType>(tiles.front().getType()).clone(getElementTypeOrSelf(result.getType())));
  return result;
}

DenseI64ArrayAttr TileBuilder::dimsOf(ArrayRef<int64_t> dims, int64_t rank) {
  bool areLast = llvm::equal(dims, llvm::seq<int64_t>(rank - (int64_t)dims.size(), rank));
  return areLast ? DenseI64ArrayAttr() : builder.getDenseI64ArrayAttr(dims);
}

Value TileBuilder::load(Value memref, Expressions at, ArrayRef<int64_t> shape, Expressions extents,
                        ArrayRef<int64_t> dims, ArrayRef<std::pair<int64_t, Value>> gathered, ArrayRef<int64_t> steps) {
  List place = listOf(at), within = extentsOf(extents, shape);
  auto type = RankedTensorType::get(shape, cast<MemRefType>(memref.getType()).getElementType());
  SmallVector<int64_t> positions = llvm::map_to_vector(gathered, [](auto entry) { return entry.first; });
  SmallVector<Value> places = llvm::map_to_vector(gathered, [](auto entry) { return entry.second; });
  return LoadOp::create(
      builder, loc, type, memref, place.map, place.operands,
      positions.empty() ? DenseI64ArrayAttr() : builder.getDenseI64ArrayAttr(positions), places,
      within.map ? AffineMapAttr::get(within.map) : AffineMapAttr(), within.operands, dimsOf(dims, at.size()),
      llvm::all_of(steps, [](int64_t step) { return step == 1; }) ? DenseI64ArrayAttr()
                                                                  : builder.getDenseI64ArrayAttr(steps),
      /*fill=*/nullptr, /*stream=*/false);
}

void TileBuilder::store(Value tile, Value memref, Expressions at, Expressions extents, ArrayRef<int64_t> dims) {
  List place = listOf(at), within = extentsOf(extents, cast<RankedTensorType>(tile.getType()).getShape());
  StoreOp::create(builder, loc, tile, memref, place.map, place.operands, /*gathered=*/nullptr, ValueRange(),
                  within.map ? AffineMapAttr::get(within.map) : AffineMapAttr(), within.operands,
                  dimsOf(dims, at.size()),
                  /*steps=*/nullptr, /*stream=*/false);
}

void TileBuilder::prefetch(Value memref, Expressions at, bool isWrite) {
  List place = listOf(at);
  PrefetchOp::create(builder, loc, memref, place.map, place.operands, /*level=*/2, /*lines=*/1, isWrite);
}

void TileBuilder::topk(Value source, Expressions at, int64_t dim, int64_t lanes, bool smallest, Value values,
                       Value positions, Value scratch) {
  List place = listOf(at);
  TopKRowOp::create(builder, loc, source, place.map, place.operands, dim, lanes, smallest, values, positions, scratch);
}

Value TileBuilder::mma(Value lhs, Value rhs, Value sums, InstructionAttr via) {
  return MmaOp::create(builder, loc, sums.getType(), lhs, rhs, sums, via);
}

namespace {
/// What of a kernel's body `values` follow from, up to those that are known.
struct Slice {
  Slice(KernelOp kernel, ValueRange values, ArrayRef<TileBuilder::Known> known) {
    for (const TileBuilder::Known &value : known)
      ends.insert(value.value);
    llvm::for_each(values, [&](Value value) { add(value); });
    for (BlockArgument tensor : kernel.getBody().getArguments().drop_front(kernel.getNumSymbols()))
      if (reached.contains(tensor))
        inputs.push_back(tensor);
  }

  void add(Value value) {
    if (!reached.insert(value).second || ends.contains(value))
      return;
    if (Operation *op = value.getDefiningOp())
      add(op);
    else if (isa<RankedTensorType>(value.getType()))
      for (Operation *user : value.getUsers())
        if (isa<BindShapeOp>(user))
          add(user);
  }

  void add(Operation *op) {
    if (ops.insert(op).second)
      llvm::for_each(op->getOperands(), [&](Value operand) { add(operand); });
  }

  DenseSet<Value> ends, reached;
  SmallPtrSet<Operation *, 16> ops;
  SmallVector<BlockArgument> inputs; ///< tensors in memory, in their order
};
} // namespace

void TileBuilder::bindShape(Value value, Value there) {
  if (cast<RankedTensorType>(there.getType()).hasStaticShape())
    return;
  SmallVector<OpFoldResult> shape;
  for (AffineExpr expression : sizes.sizesOf(value)) {
    AffineExpr here = size(expression);
    auto fixed = dyn_cast<AffineConstantExpr>(here);
    shape.push_back(fixed ? OpFoldResult(builder.getIndexAttr(fixed.getValue())) : OpFoldResult(this->value(here)));
  }
  SmallVector<Value> dynamic;
  SmallVector<int64_t> known;
  dispatchIndexOpFoldResults(shape, dynamic, known);
  BindShapeOp::create(builder, loc, there, dynamic, known);
}

ValueRange TileBuilder::compute(ValueRange values, Expressions at, ArrayRef<int64_t> shape, Expressions extents,
                                ArrayRef<int64_t> dims, ArrayRef<Known> known) {
  Slice slice(kernel, values, known);
  SmallVector<Type> results;
  for (Value value : values)
    results.push_back(RankedTensorType::get(shape, getElementTypeOrSelf(value.getType())));
  SmallVector<Value> inputs = llvm::map_to_vector(slice.inputs, [&](Value tensor) { return memoryOf(tensor); });
  SmallVector<Attribute> places(inputs.size(), builder.getUnitAttr());
  SmallVector<Value> placeOperands;
  SmallVector<const Known *> used;
  for (const Known &value : known) {
    if (!slice.reached.contains(value.value))
      continue;
    used.push_back(&value);
    inputs.push_back(value.tile);
    List place = value.at ? listOf(*value.at) : List();
    places.push_back(value.at ? Attribute(AffineMapAttr::get(place.map)) : builder.getUnitAttr());
    llvm::append_range(placeOperands, place.operands);
  }
  List place = listOf(at), within = extentsOf(extents, shape);
  auto op = ComputeOp::create(builder, loc, results, AffineMapAttr::get(place.map), place.operands,
                              dimsOf(dims, at.size()), within.map ? AffineMapAttr::get(within.map) : AffineMapAttr(),
                              within.operands, inputs, builder.getArrayAttr(places), placeOperands);
  OpBuilder::InsertionGuard guard(builder);
  Block *block = builder.createBlock(&op.getBody());
  Block &source = kernel.getBody().front();
  IRMapping mapping;
  for (auto [symbol, there] : llvm::zip(source.getArguments(), symbols))
    mapping.map(symbol, there);
  for (Value tensor : slice.inputs)
    mapping.map(tensor, block->addArgument(tensor.getType(), tensor.getLoc()));
  for (const Known *value : used) {
    mapping.map(value->value, block->addArgument(value->value.getType(), value->value.getLoc()));
    bindShape(value->value, mapping.lookup(value->value));
  }
  for (Operation &inner : source)
    if (slice.ops.contains(&inner))
      builder.clone(inner, mapping);
  tile::YieldOp::create(builder, loc, llvm::map_to_vector(values, [&](Value value) { return mapping.lookup(value); }));
  return op.getResults();
}
