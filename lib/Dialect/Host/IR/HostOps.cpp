//===- HostOps.cpp - The host program ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Host/IR/HostOps.h"
#include "tenon/Dialect/Bytecode/BytecodeVersion.h"
#include "tenon/Dialect/Tenon/IR/Verification.h"

#include "mlir/IR/DialectImplementation.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::host;

#include "tenon/Dialect/Host/IR/HostDialect.cpp.inc"
#include "tenon/Dialect/Host/IR/HostEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "tenon/Dialect/Host/IR/HostAttributes.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "tenon/Dialect/Host/IR/HostTypes.cpp.inc"

bool tenon::host::isHeld(Type type) {
  if (type.isIntOrIndexOrFloat() || isa<MemRefType, TokenType>(type))
    return false;
  auto tensor = dyn_cast<RankedTensorType>(type);
  return !tensor || !(tensor.getElementType().isIntOrIndexOrFloat() || isa<ComplexType>(tensor.getElementType()));
}

void HostDialect::initialize() {
  addInterface<VersionedBytecode>(/*current=*/1);
  addAttributes<
#define GET_ATTRDEF_LIST
#include "tenon/Dialect/Host/IR/HostAttributes.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "tenon/Dialect/Host/IR/HostTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "tenon/Dialect/Host/IR/HostOps.cpp.inc"
      >();
}

/// Numbers of operands that can be parts of the op's result, ascending.
static LogicalResult verifyPlaced(Operation *op, Attribute value) {
  StringRef name = op->getName().getStringRef();
  auto operands = dyn_cast<DenseI64ArrayAttr>(value);
  // Graphs are of a dialect above this one.
  if (!operands || (name != "tenon.concat" && name != "tenon.pad"))
    return op->emitOpError("expects '") << kPlacedAttr << "' to be numbers of operands of a concat or pad";
  int64_t parts = name == "tenon.concat" ? op->getNumOperands() : 1, before = -1;
  for (int64_t operand : operands.asArrayRef()) {
    if (operand <= before || operand >= parts)
      return op->emitOpError("expects '")
             << kPlacedAttr << "' to be ascending numbers below " << parts << ", but has " << value;
    before = operand;
  }
  return success();
}

LogicalResult HostDialect::verifyOperationAttribute(Operation *op, NamedAttribute attribute) {
  if (attribute.getName() == kPlacedAttr)
    return verifyPlaced(op, attribute.getValue());
  bool isUnit = isa<UnitAttr>(attribute.getValue());
  if (attribute.getName() == kViewAttr && (!isUnit || op->getName().getStringRef() != "tenon.slice"))
    return op->emitOpError("expects '") << kViewAttr << "' to be a mark of a slice";
  if (attribute.getName() == kPlanAttr && (!isUnit || !isa<FunctionOpInterface>(op)))
    return op->emitOpError("expects '") << kPlanAttr << "' to be a mark of a function";
  return success();
}

DeviceAttr host::deviceOf(Value buffer) {
  auto type = dyn_cast<MemRefType>(buffer.getType());
  return type ? dyn_cast_if_present<DeviceAttr>(type.getMemorySpace()) : DeviceAttr();
}

DeviceAttr host::deviceOf(Operation *op) {
  if (isa<LaunchOp, CopyOp>(op))
    for (Value operand : op->getOperands())
      if (DeviceAttr device = deviceOf(operand))
        return device;
  return {};
}

template <typename... Ops> static bool hasInBody(Operation *function) {
  return llvm::any_of(function->getRegions(),
                      [](Region &body) { return !body.empty() && llvm::any_of(body.front(), llvm::IsaPred<Ops...>); });
}

bool host::isPlaced(Operation *function) { return hasInBody<StorageOp, SlotOp, SegmentOp>(function); }
bool host::isCut(Operation *function) { return hasInBody<SegmentOp>(function); }

Value host::insideOf(Value value) {
  auto segment = value.getDefiningOp<SegmentOp>();
  if (!segment)
    return value;
  // The verifier asks, too, before it has seen that all of them are yielded.
  Region &body = segment.getBody();
  unsigned number = cast<OpResult>(value).getResultNumber();
  Operation *last = body.empty() || body.front().empty() ? nullptr : &body.front().back();
  return last && number < last->getNumOperands() ? last->getOperand(number) : value;
}

StorageOp host::storageOf(Value buffer) {
  for (buffer = insideOf(buffer); auto view = buffer.getDefiningOp<ViewOp>();)
    buffer = insideOf(view.getSource());
  return buffer.getDefiningOp<StorageOp>();
}

static LogicalResult verifySizes(Operation *op, MemRefType type, ArrayRef<int64_t> fixed, size_t dynamic) {
  if ((int64_t)fixed.size() != type.getRank() || (size_t)llvm::count(fixed, ShapedType::kDynamic) != dynamic)
    return op->emitOpError("expects ") << type.getRank() << " sizes with one operand per dynamic one";
  if (failed(verifyCompatibleShape(fixed, type.getShape())))
    return op->emitOpError("expects the sizes of ") << type;
  return success();
}

/// Whether a list of static and dynamic numbers has one operand per dynamic one.
static LogicalResult verifyMixed(Operation *op, StringRef what, ArrayRef<int64_t> fixed, size_t dynamic) {
  if ((size_t)llvm::count(fixed, ShapedType::kDynamic) == dynamic)
    return success();
  return op->emitOpError("expects one operand per dynamic ") << what << ", but has " << dynamic;
}

/// Inputs, outputs and buffers are counted from 0.
static LogicalResult verifyNumber(Operation *op, int64_t number) {
  if (number >= 0 && number < (1 << 24))
    return success();
  return op->emitOpError("expects a number from 0 to ") << (1 << 24) - 1 << ", but has " << number;
}

LogicalResult StorageOp::verify() {
  if (failed(verifyNumber(*this, getNumber())))
    return failure();
  auto type = cast<MemRefType>(getResult().getType());
  bool isBound = getKind() == StorageKind::input || getKind() == StorageKind::output;
  if (getStrides().empty() && !type.getLayout().isIdentity())
    return emitOpError("expects contiguous rows, but has ") << type;
  if (!getStrides().empty() && (!isBound || (int64_t)getStrides().size() != type.getRank() - 1))
    return emitOpError("expects strides of an input or output, of all dimensions but the last");
  if (getLive() && (getKind() != StorageKind::arena || getLive()->size() != 2 || (*getLive())[0] > (*getLive())[1]))
    return emitOpError("expects a first and a last launch of an arena buffer");
  if (getBytes() && getKind() != StorageKind::arena && getKind() != StorageKind::growing)
    return emitOpError("expects bytes of a buffer of the arena, or of one that grows");
  if ((getKind() == StorageKind::constant) != getValue().has_value())
    return emitOpError("expects a value of a constant and of nothing else");
  if (auto value = dyn_cast_if_present<TypedAttr>(getValueAttr()))
    if (auto given = dyn_cast<ShapedType>(value.getType());
        given && (!given.hasStaticShape() || given.getElementType() != type.getElementType() ||
                  failed(verifyCompatibleShape(given.getShape(), type.getShape()))))
      return emitOpError("expects a value like ") << type << ", but has " << given;
  if (type.getMemorySpace() && isBound)
    return emitOpError("expects what the caller binds on the host, but has ") << type;
  return verifySizes(*this, type, getStaticSizes(), getSizes().size());
}

LogicalResult BindStridesOp::verify() {
  int64_t rank = cast<RankedTensorType>(getOperand().getType()).getRank();
  if (rank == 0 || (int64_t)getStrides().size() != rank - 1)
    return emitOpError("expects strides of all dimensions but the last, but has ")
           << getStrides().size() << " of " << getOperand().getType();
  return success();
}

LogicalResult ExchangeOp::verify() {
  for (Value buffer : {getFirst(), getSecond()}) {
    auto storage = insideOf(buffer).getDefiningOp<StorageOp>();
    StorageKindAttr kind = storage ? storage.getProperties().kind : StorageKindAttr();
    if (!kind || kind.getValue() != StorageKind::growing)
      return emitOpError("expects growing storages");
  }
  return success();
}

LogicalResult ViewOp::verify() {
  if (failed(verifySingle(*this, {0})))
    return failure();
  auto type = cast<MemRefType>(getResult().getType());
  if (getStaticOffsets().size() != 1)
    return emitOpError("expects one offset, but has ") << getStaticOffsets().size();
  if ((int64_t)getStaticStrides().size() != type.getRank())
    return emitOpError("expects ") << type.getRank() << " strides, but has " << getStaticStrides().size();
  if (failed(verifyMixed(*this, "offset", getStaticOffsets(), getOffsets().size())) ||
      failed(verifyMixed(*this, "stride", getStaticStrides(), getStrides().size())))
    return failure();
  if (cast<MemRefType>(getSource().getType()).getElementType() != type.getElementType())
    return emitOpError("expects source and result of one element type");
  if (cast<MemRefType>(getSource().getType()).getMemorySpace() != type.getMemorySpace())
    return emitOpError("expects source and result in one memory space");
  return verifySizes(*this, type, getStaticSizes(), getSizes().size());
}

LogicalResult LaunchOp::verify() {
  bool onTensors = llvm::all_of(getOuts().getTypes(), llvm::IsaPred<RankedTensorType>);
  bool onMemRefs = llvm::all_of(getOuts().getTypes(), llvm::IsaPred<MemRefType>);
  if (getOuts().empty() || (!onTensors && !onMemRefs))
    return emitOpError("expects outs that are all tensors or all memrefs");
  for (Type type : getIns().getTypes())
    if (onTensors ? !isa<RankedTensorType>(type) : !isa<MemRefType>(type))
      return emitOpError("expects ins of the same kind as outs, but has ") << type;
  if (onMemRefs)
    for (Value operand : llvm::concat<Value>(getIns(), getOuts()))
      if (deviceOf(operand) != deviceOf(getOuts().front()))
        return emitOpError("expects buffers in one memory space, but has ") << operand.getType();
  if (onMemRefs && getNumResults() != 0)
    return emitOpError("expects no results on memrefs");
  if (onTensors && getResultTypes() != getOuts().getTypes())
    return emitOpError("expects one result per out, of its type");
  return success();
}

LogicalResult AsyncOp::verify() {
  if (!llvm::hasSingleElement(getBody().front()) || !isa<LaunchOp, CopyOp>(getOperationInside()))
    return emitOpError("expects one launch or copy inside");
  if (!deviceOf(&getOperationInside()))
    return emitOpError("expects a buffer on a device");
  return success();
}

/// The kernel, unless it is lowered to a function of buffers and numbers.
static FunctionOpInterface kernelOf(LaunchOp launch, Operation *symbol) {
  FunctionOpInterface function = functionOf(symbol);
  bool isKernel = function && function.getNumArguments() == launch.getSymbols().size() + launch.getIns().size() &&
                  function.getNumResults() == launch.getOuts().size();
  return isKernel ? function : FunctionOpInterface();
}

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  Operation *kernel = symbols.lookupNearestSymbolFrom(*this, getKernelAttr());
  if (!kernel)
    return emitOpError("launches ") << getKernelAttr() << ", which is not defined";
  FunctionOpInterface function = kernelOf(*this, kernel);
  // Kernels are of a dialect above this one.
  if (!function && kernel->getName().getStringRef() == "tenon_tile.kernel")
    return emitOpError("expects the symbols, ins and outs of ")
           << getKernelAttr() << ", but has " << getSymbols().size() << ", " << getIns().size() << " and "
           << getOuts().size();
  if (!function)
    return success();
  SmallVector<Type> taken(function.getArgumentTypes().drop_front(getSymbols().size()));
  llvm::append_range(taken, function.getResultTypes());
  for (auto [i, buffer] : llvm::enumerate(llvm::concat<Value>(getIns(), getOuts()))) {
    auto given = dyn_cast<ShapedType>(buffer.getType()), expectedType = dyn_cast<ShapedType>(taken[i]);
    if (given && expectedType && given.getElementType() != expectedType.getElementType())
      return emitOpError("expects operand ") << i << " like " << expectedType << ", but has " << given;
    auto type = dyn_cast<MemRefType>(buffer.getType());
    if (!type)
      continue;
    int64_t expected = takesStrides(kernel, i) ? std::max<int64_t>(type.getRank() - 1, 0) : 0, actual = 0;
    if (auto layout = dyn_cast<StridedLayoutAttr>(type.getLayout()))
      actual = llvm::count(layout.getStrides(), ShapedType::kDynamic);
    if (actual != expected || (expected == 0 && type.getRank() > 1 && !type.getLayout().isIdentity()))
      return emitOpError("expects ") << (expected ? "dynamic strides" : "contiguous rows") << " of operand " << i
                                     << ", but has " << type;
  }
  return success();
}

bool LaunchOp::takesStrides(Operation *symbol, unsigned i) {
  FunctionOpInterface kernel = kernelOf(*this, symbol);
  if (!kernel)
    return false;
  return i < getIns().size() ? (bool)kernel.getArgAttr(getSymbols().size() + i, kContractAttr)
                             : (bool)kernel.getResultAttr(i - getIns().size(), kContractAttr);
}

void LaunchOp::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  for (OpOperand &operand : getInsMutable())
    if (isa<MemRefType>(operand.get().getType()))
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
  for (OpOperand &operand : getOutsMutable())
    if (isa<MemRefType>(operand.get().getType()))
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
}

LogicalResult SlotOp::verify() {
  if (failed(verifyNumber(*this, getNumber())))
    return failure();
  if (getKind() == StorageKind::constant)
    return emitOpError("expects an input, an output or a place of the program's own");
  auto type = dyn_cast<RankedTensorType>(getType().getType());
  size_t rank = type && getKind() == StorageKind::input ? type.getRank() : 0;
  if (getStaticSizes().size() != rank ||
      (size_t)llvm::count(getStaticSizes(), ShapedType::kDynamic) != getSizes().size())
    return emitOpError("expects ") << rank << " sizes with one operand per dynamic one";
  return success();
}

Value CallOp::getDestination(OpResult result) {
  if (isHeld(result.getType()))
    return {};
  unsigned position = 0;
  for (OpResult other : getResults().take_front(result.getResultNumber()))
    position += !isHeld(other.getType());
  return getOuts()[position];
}

LogicalResult CallOp::verify() {
  bool isPlaced = getNumResults() == 0;
  for (Type type : llvm::concat<const Type>(getIns().getTypes(), getOuts().getTypes()))
    if (isPlaced ? !isa<MemRefType, ValueType>(type) : !isa<RankedTensorType>(type) && !isHeld(type))
      return emitOpError("expects ") << (isPlaced ? "buffers and slots" : "no buffers where it has results")
                                     << ", but has " << type;
  if (isPlaced)
    return success();
  SmallVector<Type> written;
  for (Type type : getResultTypes())
    if (!isHeld(type))
      written.push_back(type);
  if (!llvm::equal(written, getOuts().getTypes()))
    return emitOpError("expects one out of its type for each tensor of numbers among the results");
  return success();
}

void CallOp::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  if (getNumResults() != 0)
    return;
  for (OpOperand &operand : getInsMutable())
    effects.emplace_back(MemoryEffects::Read::get(), &operand);
  for (OpOperand &operand : getOutsMutable())
    effects.emplace_back(MemoryEffects::Write::get(), &operand);
}

//===----------------------------------------------------------------------===//
// Segments and plans
//===----------------------------------------------------------------------===//

LogicalResult SegmentOp::verify() {
  // What it ends with is looked at later.
  Block &body = getBody().front();
  auto yield = body.empty() ? host::YieldOp() : dyn_cast<host::YieldOp>(body.back());
  if (yield && getResultTypes() != yield.getOperandTypes())
    return emitOpError("expects results of the types that it yields");
  return success();
}

/// At the end of a segment whose results are not known yet.
void host::YieldOp::build(OpBuilder &, OperationState &) {}

LogicalResult PlanOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto function = symbols.lookupNearestSymbolFrom<FunctionOpInterface>(*this, getFunctionAttr());
  // What converts functions may leave programs in modules inside as they are.
  if (function && function->getName().getDialectNamespace() == "llvm")
    return success();
  if (!function || !function->hasAttr(kPlanAttr))
    return emitOpError("is computed by ") << getFunctionAttr() << ", which is no plan";
  // So no plan asks for itself.
  if (auto around = (*this)->getParentOfType<FunctionOpInterface>(); around && around->hasAttr(kPlanAttr))
    return emitOpError("has no place in a plan");
  if (!llvm::equal(function.getArgumentTypes(), getData().getTypes()) ||
      !llvm::equal(function.getResultTypes(), getResultTypes()))
    return emitOpError("expects data and results of the types of ") << getFunctionAttr();
  return success();
}

LogicalResult BufferBytesOp::verify() {
  return verifySizes(*this, cast<MemRefType>(getBuffer()), getStaticSizes(), getSizes().size());
}

LogicalResult CheckRowsOp::verify() {
  if (failed(verifyNumber(*this, getNumber())))
    return failure();
  if (getKind() != StorageKind::input && getKind() != StorageKind::output)
    return emitOpError("expects an input or an output");
  if (getStaticStrides().size() + 1 != getStaticSizes().size())
    return emitOpError("expects strides of all dimensions but the last, but has ")
           << getStaticStrides().size() << " of " << getStaticSizes().size() << " dimensions";
  if (failed(verifyMixed(*this, "size", getStaticSizes(), getSizes().size())))
    return failure();
  return verifyMixed(*this, "stride", getStaticStrides(), getStrides().size());
}

#define GET_OP_CLASSES
#include "tenon/Dialect/Host/IR/HostOps.cpp.inc"
