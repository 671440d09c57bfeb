//===- VerifyPrograms.cpp - What tile programs must be ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProgramVerification.h"
#include "tenon/Dialect/Tenon/IR/Verification.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace tenon::tile;
using tenon::functionOf;
using tenon::TenonDialect;

//===----------------------------------------------------------------------===//
// Programs and forms
//===----------------------------------------------------------------------===//

SmallVector<int64_t> ProgramOp::getOperandsOf(unsigned argument) {
  SmallVector<int64_t> operands = {-1};
  for (unsigned i = getNumIndices(); i <= argument; ++i) {
    auto named = getArgAttrOfType<ArrayAttr>(i, kOperandsAttr);
    operands = named ? llvm::map_to_vector(named.getAsValueRange<IntegerAttr>(),
                                           [](const APInt &value) { return value.getSExtValue(); })
                     : SmallVector<int64_t>{operands.back() + 1};
  }
  return operands;
}

/// The attributes of one argument.
static LogicalResult verifyArgument(ProgramOp program, unsigned i) {
  bool isOutput = i >= program.getFirstResult(), isMemory = isa<MemRefType>(program.getArgumentTypes()[i]);
  for (NamedAttribute attribute :
       program.getArgAttrDict(i) ? program.getArgAttrDict(i).getValue() : ArrayRef<NamedAttribute>()) {
    auto refuse = [&](const llvm::Twine &expected) {
      return program.emitOpError("expects ") << expected << " as '" << attribute.getName().getValue()
                                             << "' of argument " << i << ", but has " << attribute.getValue();
    };
    if (attribute.getName() == kFormAttr && (isOutput || !isMemory || !isa<FlatSymbolRefAttr>(attribute.getValue())))
      return refuse("the name of a form of an operand");
    if (attribute.getName() == kOperandsAttr) {
      auto operands = dyn_cast<ArrayAttr>(attribute.getValue());
      bool fits =
          operands && !operands.empty() && llvm::all_of(operands, [](Attribute operand) {
            auto number = dyn_cast<IntegerAttr>(operand);
            return number && number.getType().isInteger(64) && number.getInt() >= 0 && number.getInt() < kLargest;
          });
      if (isOutput || !isMemory || !fits)
        return refuse("numbers of the kernel's tensors");
    }
    if (attribute.getName() == kTiedAttr) {
      auto number = dyn_cast<IntegerAttr>(attribute.getValue());
      if (!isOutput || !number || number.getInt() < program.getNumIndices() ||
          number.getInt() >= program.getFirstResult() ||
          program.getArgumentTypes()[number.getInt()] != program.getArgumentTypes()[i])
        return refuse("an operand of the result's type");
    }
    if (attribute.getName() == kPresentAttr &&
        (!isa<UnitAttr>(attribute.getValue()) || !program.getArgAttr(i, kTiedAttr)))
      return refuse("nothing more, and a tied result");
    if (attribute.getName() == kAlignAttr) {
      auto bytes = dyn_cast<IntegerAttr>(attribute.getValue());
      if (!isMemory || !bytes || bytes.getInt() < 1 || !llvm::isPowerOf2_64(bytes.getInt()))
        return refuse("a power of two");
    }
  }
  return success();
}

LogicalResult ProgramOp::verify() {
  unsigned indices = getNumIndices();
  if (!getFunctionType().getResults().empty())
    return emitOpError("expects results as arguments, but returns ") << getFunctionType().getResults();
  for (auto [i, type] : llvm::enumerate(getArgumentTypes())) {
    auto memory = dyn_cast<MemRefType>(type);
    if (type.isIndex() != (i < indices) || (!type.isIndex() && !memory))
      return emitOpError("expects index arguments, then memory, but has ") << type << " as argument " << i;
    if (memory && failed(verifyMemory(*this, memory, /*mayBePacked=*/true)))
      return failure();
    if (memory && memory.getMemorySpace())
      return emitOpError("expects arguments in no memory of the program's own, but has ") << memory;
  }
  int64_t outputs = getOutputs();
  if (outputs < 1 || outputs > (int64_t)(getArgumentTypes().size() - indices))
    return emitOpError("expects a result");
  for (unsigned i = 0; i < getArgumentTypes().size(); ++i)
    if (failed(verifyArgument(*this, i)))
      return failure();
  if (auto guard = getGuard(); guard && (guard->getNumDims() != indices || guard->getNumSymbols() != 0))
    return emitOpError("expects a guard of its ") << indices << " index arguments, but has " << getGuardAttr();
  if (getWarps() && ((int64_t)*getWarps() < 1 || *getWarps() > 64))
    return emitOpError("expects 1 to 64 warps, but has ") << (int64_t)*getWarps();
  if (auto workers = (*this)->getAttrOfType<AffineMapAttr>(kWorkersAttr))
    if (AffineMap map = workers.getValue();
        map.getNumDims() != 0 || map.getNumResults() == 0 || map.getNumSymbols() != indices)
      return emitOpError("expects '") << kWorkersAttr << "' to be a map from its " << indices
                                      << " index arguments, as symbols, to numbers";
  return success();
}

/// Memory is read and written by this dialect's ops only, and `tenon` ops compute with tiles. Which others have a
/// lowering is for that to say: conversions of a whole module pass through programs, too.
static LogicalResult verifyPart(Operation *op) {
  bool isOurs = isa_and_nonnull<TileDialect, TenonDialect>(op->getDialect());
  if (isa<KernelOp, VariantsOp, VariantOp, ProgramOp, FormOp, WindowRowsOp>(op) ||
      (!isOurs && !op->hasTrait<OpTrait::HasRecursiveMemoryEffects>() && !isMemoryEffectFree(op)))
    return op->emitOpError("is no part of a tile program");
  if (isa<PutOp>(op->getParentOp()) && !isa<CopyOp, YieldOp>(op) && !isMemoryEffectFree(op))
    return op->emitOpError("is no copy, of which a put consists");
  if (op->getParentOfType<ComputeOp>() || !isa_and_nonnull<TenonDialect>(op->getDialect()))
    return success();
  for (Type type :
       llvm::concat<const Type>(llvm::to_vector(op->getOperandTypes()), llvm::to_vector(op->getResultTypes())))
    if (isa<RankedTensorType>(type) && failed(verifyTile(op, type)))
      return failure();
  return success();
}

LogicalResult ProgramOp::verifyRegions() {
  Block &block = getBody().front();
  if (block.getArgumentTypes() != TypeRange(getArgumentTypes()))
    return emitOpError("expects a body with its arguments");
  auto isGrid = llvm::IsaPred<GridOp>;
  auto firstGrid = llvm::find_if(block, isGrid);
  if (firstGrid == block.end())
    return emitOpError("expects a grid");
  for (Operation &op : llvm::make_range(firstGrid, block.end()))
    if (!isGrid(op))
      return op.emitOpError("stands behind a grid, but a program is its prelude, then grids");
  for (Operation &op : llvm::make_range(block.begin(), firstGrid))
    if (op.getNumRegions() != 0 ||
        isa<LoadOp, StoreOp, TopKRowOp, CopyOp, PrefetchOp, PutOp, TakeOp, ReleaseOp, YieldOp, ReportOp>(op))
      return op.emitOpError("is no part of a program's prelude");
  WalkResult parts = getBody().walk([](Operation *op) { return WalkResult(verifyPart(op)); });
  if (parts.wasInterrupted())
    return failure();
  for (BlockArgument argument : block.getArguments()) {
    auto memory = dyn_cast<MemRefType>(argument.getType());
    if (!memory)
      continue;
    auto [strides, offset] = memory.getStridesAndOffset();
    // Strides of contiguous rows follow from sizes; where one is 0 the type doesn't say them.
    bool isDynamic = !memory.hasStaticShape() ||
                     (!memory.getLayout().isIdentity() && llvm::is_contained(strides, ShapedType::kDynamic));
    if (!ShapedType::isStatic(offset) || offset != 0)
      return emitOpError("expects argument ")
             << argument.getArgNumber() << " to begin at its address, but has " << memory;
    size_t binds = llvm::count_if(argument.getUsers(), llvm::IsaPred<BindOp>);
    if (binds > 1 || (binds == 0 && isDynamic))
      return emitOpError("expects one bind of argument ")
             << argument.getArgNumber() << ", which has dynamic sizes or strides, but has " << binds;
  }
  return success();
}

FormOp tenon::tile::lookupForm(ProgramOp program, unsigned argument) {
  auto name = program.getArgAttrOfType<FlatSymbolRefAttr>(argument, kFormAttr);
  for (Operation *table = program->getParentOp(); name && table; table = table->getParentOp())
    if (table->hasTrait<OpTrait::SymbolTable>())
      if (auto form = dyn_cast_or_null<FormOp>(SymbolTable::lookupSymbolIn(table, name.getAttr())))
        return functionOf(form) ? form : FormOp();
  return {};
}

LogicalResult ProgramOp::verifySymbolUses(SymbolTableCollection &) {
  for (unsigned i = getNumIndices(); i < getFirstResult(); ++i) {
    auto name = getArgAttrOfType<FlatSymbolRefAttr>(i, kFormAttr);
    if (!name)
      continue;
    FormOp form = lookupForm(*this, i);
    if (!form)
      return emitOpError("expects a form ") << name << " of argument " << i;
    auto memory = cast<MemRefType>(getArgumentTypes()[i]);
    Type expected = RankedTensorType::get(memory.getShape(), memory.getElementType());
    if (!memory.getLayout().isIdentity() || form.getResultTypes() != ArrayRef<Type>(expected))
      return emitOpError("expects form ")
             << name << " of argument " << i << " to give " << expected << ", but it gives " << form.getResultTypes();
    if (form.getArgumentTypes().size() != getOperandsOf(i).size())
      return emitOpError("expects form ") << name << " of argument " << i << " to take " << getOperandsOf(i).size()
                                          << " tensors, but it takes " << form.getArgumentTypes().size();
  }
  return success();
}

LogicalResult FormOp::verify() {
  if (getBody().empty() || getArgumentTypes().empty())
    return emitOpError("expects tensors that it is made of, and a body");
  for (Type type : llvm::concat<const Type>(getArgumentTypes(), getResultTypes()))
    if (auto tensor = dyn_cast<RankedTensorType>(type); !tensor || !tensor.hasStaticShape())
      return emitOpError("expects tensors of static sizes, but has ") << type;
  Block &block = getBody().front();
  auto yield = block.empty() ? YieldOp() : dyn_cast<YieldOp>(block.back());
  if (getResultTypes().size() != 1 || !getBody().hasOneBlock() || !yield ||
      yield.getOperandTypes() != TypeRange(getResultTypes()))
    return emitOpError("expects a body that yields one tensor, ") << getResultTypes();
  return success();
}

LogicalResult BindOp::verify() {
  if (failed(verifySingle(*this, {0})))
    return failure();
  auto type = cast<MemRefType>(getMemref().getType());
  auto argument = dyn_cast<BlockArgument>(getMemref());
  if (!argument || argument.getOwner()->getParentOp() != (*this)->getParentOp())
    return emitOpError("expects an argument of the program");
  if (failed(verifyMemory(*this, type, /*mayBePacked=*/true)) ||
      failed(verifyExpressions(*this, "sizes", getSizes(), getSizeIndices().size(), type.getRank())))
    return failure();
  auto verifyStatic = [&](StringRef what, AffineMap map, ArrayRef<int64_t> expected) -> LogicalResult {
    for (auto [expression, value] : llvm::zip(map.getResults(), expected))
      if (auto constant = dyn_cast<AffineConstantExpr>(expression);
          !ShapedType::isDynamic(value) && (!constant || constant.getValue() != value))
        return emitOpError("expects ") << what << " " << value << " of " << type << ", but has "
                                       << describe(expression);
    return success();
  };
  if (failed(verifyStatic("size", getSizes(), type.getShape())))
    return failure();
  auto [strides, offset] = type.getStridesAndOffset();
  // Rows without gaps need no strides, whatever their sizes.
  if (getStrides().has_value() == type.getLayout().isIdentity())
    return emitOpError(type.getLayout().isIdentity() ? "expects no strides of contiguous memory "
                                                     : "expects strides of memory ")
           << type;
  if (!getStrides())
    return getStrideIndices().empty() ? success() : emitOpError("expects no operands of strides");
  if (failed(verifyExpressions(*this, "strides", *getStrides(), getStrideIndices().size(), type.getRank())))
    return failure();
  return verifyStatic("stride", *getStrides(), strides);
}

LogicalResult ScratchOp::verify() {
  MemRefType type = cast<MemRefType>(getResult().getType());
  if (!isa_and_nonnull<MemoryAttr>(type.getMemorySpace()) || !type.getLayout().isIdentity())
    return emitOpError("expects contiguous rows in a #tenon_tile.memory, but has ") << type;
  if (failed(verifyMemory(*this, type)))
    return failure();
  if (!getSizes())
    return type.hasStaticShape() && getIndices().empty()
               ? success()
               : emitOpError("expects a size for each dynamic one of ") << type;
  return verifyExpressions(*this, "dynamic sizes", *getSizes(), getIndices().size(), type.getNumDynamicDims());
}

//===----------------------------------------------------------------------===//
// Units and loops
//===----------------------------------------------------------------------===//

template <typename Op> static LogicalResult verifyLoop(Op op, TypeRange carried) {
  size_t dims = op.getNumDims();
  if (dims == 0 || op.getExtents().size() != dims)
    return op.emitOpError("expects dimensions, and of each whether its extent is named");
  if (failed(verifyExpressions(op, "lower bounds", op.getLower(), op.getLowerIndices().size(), dims)) ||
      failed(verifyExpressions(op, "upper bounds", op.getUpper(), op.getUpperIndices().size(), dims)) ||
      failed(verifySteps(op, op.getSteps(), dims)))
    return failure();
  SmallVector<Type> arguments = indexTypes(op, op.getNumPlaces());
  llvm::append_range(arguments, carried);
  return failure(failed(verifyArguments(op, op.getBody(), arguments)) ||
                 failed(verifyYield(op, op.getBody(), carried)));
}

LogicalResult GridOp::verify() { return verifyLoop(*this, {}); }

LogicalResult ForOp::verify() {
  if (!getInit().empty() && getNumDims() != 1)
    return emitOpError("expects one dimension where it carries tiles, but has ") << getNumDims();
  if (getInit().getTypes() != getResultTypes())
    return emitOpError("expects results of what it carries, ")
           << getInit().getTypes() << ", but has " << getResultTypes();
  return verifyLoop(*this, getResultTypes());
}

LogicalResult PeelOp::verify() {
  if ((int64_t)getStep() < 1 || (int64_t)getStep() > kLargest)
    return emitOpError("expects a step from 1 to ") << kLargest << ", but has " << (int64_t)getStep();
  return failure(failed(verifyArguments(*this, getBody(), indexTypes(*this, 1))) ||
                 failed(verifyYield(*this, getBody(), getResultTypes())));
}

LogicalResult StageOp::verify() {
  return failure(failed(verifyArguments(*this, getBody(), {})) ||
                 failed(verifyYield(*this, getBody(), getResultTypes())));
}

//===----------------------------------------------------------------------===//
// Pipelines and roles
//===----------------------------------------------------------------------===//

LogicalResult RingOp::verify() {
  if ((int64_t)getSlots() < 1 || getSlots() > 64)
    return emitOpError("expects 1 to 64 slots, but has ") << (int64_t)getSlots();
  return success();
}

LogicalResult PutOp::verify() {
  if (failed(verifySingle(*this, {0})))
    return failure();
  return failure(failed(verifyExpressions(*this, "number", getNumber(), getIndices().size(), 1)) ||
                 failed(verifyArguments(*this, getBody(), indexTypes(*this, 1))) ||
                 failed(verifyYield(*this, getBody(), {})));
}

LogicalResult TakeOp::verify() { return verifyExpressions(*this, "number", getNumber(), getIndices().size(), 1); }

LogicalResult ReleaseOp::verify() {
  if ((int64_t)getLag() < 0 || getLag() > 64)
    return emitOpError("expects a lag from 0 to 64, but has ") << (int64_t)getLag();
  return verifyExpressions(*this, "number", getNumber(), getIndices().size(), 1);
}

LogicalResult RolesOp::verifyRegions() {
  int64_t warps = 0;
  for (Operation &op : getBody().front()) {
    auto role = dyn_cast<RoleOp>(op);
    if (!role)
      return emitOpError("expects nothing but roles, but has '") << op.getName() << "'";
    warps += role.getWarps();
  }
  auto program = (*this)->getParentOfType<ProgramOp>();
  if (!program || warps != (int64_t)program.getWarps().value_or(0))
    return emitOpError("expects roles whose warps sum up to the program's, but they have ") << warps;
  return failure(failed(verifyArguments(*this, getBody(), {})));
}

LogicalResult RoleOp::verify() {
  if ((int64_t)getWarps() < 1 || getWarps() > 64 || (getRegisters() && (*getRegisters() < 24 || *getRegisters() > 256)))
    return emitOpError("expects 1 to 64 warps of 24 to 256 registers");
  return failure(failed(verifyArguments(*this, getBody(), {})) || failed(verifyYield(*this, getBody(), {})));
}
