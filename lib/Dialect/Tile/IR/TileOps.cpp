//===- TileOps.cpp - Kernels ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Bytecode/BytecodeVersion.h"
#include "tenon/Dialect/Host/IR/HostOps.h"
#include "tenon/Dialect/Tenon/IR/Roles.h"
#include "tenon/Dialect/Tenon/IR/SizeAnalysis.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tenon/IR/Verification.h"
#include "tenon/Dialect/Tile/IR/Accuracy.h"
#include "tenon/Dialect/Tile/IR/TilePrograms.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/IntegerSet.h"
#include "mlir/Interfaces/FunctionImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tenon::tile;
using tenon::BindShapeOp;
using tenon::Role;
using tenon::RoleModel;
using tenon::host::kContractAttr;
using tenon::host::kInnerContract;

#include "tenon/Dialect/Tile/IR/TileDialect.cpp.inc"
#include "tenon/Dialect/Tile/IR/TileEnums.cpp.inc"

/// A guard as the map of its constraints: MLIR's lexer takes `>=` within an attribute of a dialect for its end.
static void printGuard(AsmPrinter &printer, IntegerSetAttr guard) {
  IntegerSet set = guard.getValue();
  printer << AffineMapAttr::get(
      AffineMap::get(set.getNumDims(), set.getNumSymbols(), set.getConstraints(), guard.getContext()));
  SmallVector<int64_t> zero;
  for (auto [i, isZero] : llvm::enumerate(set.getEqFlags()))
    if (isZero)
      zero.push_back(i);
  if (!zero.empty()) {
    printer << " zero [";
    llvm::interleaveComma(zero, printer);
    printer << "]";
  }
}

static ParseResult parseGuard(AsmParser &parser, IntegerSetAttr &guard) {
  SMLoc location = parser.getCurrentLocation();
  AffineMapAttr attribute;
  SmallVector<int64_t> zero;
  auto parseNumber = [&] { return parser.parseInteger(zero.emplace_back()); };
  if (parser.parseAttribute(attribute) || (succeeded(parser.parseOptionalKeyword("zero")) &&
                                           parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, parseNumber)))
    return failure();
  AffineMap map = attribute.getValue();
  SmallVector<bool> isZero(map.getNumResults(), false);
  for (int64_t number : zero) {
    if (number < 0 || number >= (int64_t)isZero.size())
      return parser.emitError(location) << "expects a guard with a constraint " << number;
    isZero[number] = true;
  }
  if (isZero.empty())
    return parser.emitError(location) << "expects a guard with a constraint";
  guard = IntegerSetAttr::get(IntegerSet::get(map.getNumDims(), map.getNumSymbols(), map.getResults(), isZero));
  return success();
}

#define GET_TYPEDEF_CLASSES
#include "tenon/Dialect/Tile/IR/TileTypes.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "tenon/Dialect/Tile/IR/TileAttributes.cpp.inc"

namespace {
/// Targets, instructions and memories stand at the top of the text, under their names.
struct TileAsmInterface : OpAsmDialectInterface {
  using OpAsmDialectInterface::OpAsmDialectInterface;

  AliasResult getAlias(Attribute attribute, raw_ostream &out) const override {
    if (auto target = dyn_cast<TargetAttrInterface>(attribute)) {
      out << target.getName();
    } else if (auto instruction = dyn_cast<InstructionAttr>(attribute)) {
      out << instruction.getName().rsplit('.').second;
    } else if (auto memory = dyn_cast<MemoryAttr>(attribute)) {
      out << stringifyMemoryKind(memory.getKind());
      if (memory.getSwizzle())
        out << "_" << memory.getSwizzle();
    } else {
      return AliasResult::NoAlias;
    }
    return AliasResult::FinalAlias;
  }
};
} // namespace

void TileDialect::initialize() {
  addInterfaces<TileAsmInterface>();
  addInterface<VersionedBytecode>(/*current=*/1);
  addAttributes<
#define GET_ATTRDEF_LIST
#include "tenon/Dialect/Tile/IR/TileAttributes.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "tenon/Dialect/Tile/IR/TileTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "tenon/Dialect/Tile/IR/TileOps.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "tenon/Dialect/Tile/IR/TilePrograms.cpp.inc"
      >();
  WindowRowsOp::attachInterface<RoleModel<Role::form>::Of<WindowRowsOp>>(*getContext());
}

LogicalResult TileDialect::verifyOperationAttribute(Operation *op, NamedAttribute attribute) {
  if (attribute.getName() == kComputesAttr && (!isa<ProgramOp>(op) || !isa<FlatSymbolRefAttr>(attribute.getValue())))
    return op->emitOpError("expects '") << kComputesAttr << "' to be the kernel of a program";
  if (attribute.getName() == kAccuracyAttr) {
    auto name = dyn_cast<StringAttr>(attribute.getValue());
    if (!isa<ModuleOp>(op) || !name || !symbolizeAccuracy(name.getValue()))
      return op->emitOpError("expects '") << kAccuracyAttr << "' to be \"strict\", \"default\" or \"fast\" of a module";
  }
  // The op is verified after its attributes; a program's own verifier looks at its arguments.
  if (attribute.getName() == kWorkersAttr && (!isa<ProgramOp>(op) || !isa<AffineMapAttr>(attribute.getValue())))
    return op->emitOpError("expects '") << kWorkersAttr << "' to be a map of a program";
  if (attribute.getName() == kProgramPlanAttr &&
      (!isa<FunctionOpInterface>(op) || !isa<PlanAttr>(attribute.getValue())))
    return op->emitOpError("expects '") << kProgramPlanAttr << "' to be the plan of a function";
  if (attribute.getName() != kScheduleAttr)
    return success();
  if (!isa<KernelOp>(op) || !isa<ScheduleAttr>(attribute.getValue()))
    return op->emitOpError("expects '") << kScheduleAttr << "' to be a schedule of a kernel";
  return success();
}

//===----------------------------------------------------------------------===//
// Schedules
//===----------------------------------------------------------------------===//

/// `a = 1, b = 2` between the delimiters.
static ParseResult parseKnobs(AsmParser &parser, AsmParser::Delimiter delimiter, ScheduleAttr &schedule) {
  NamedAttrList knobs;
  auto parseKnob = [&]() -> ParseResult {
    SMLoc location = parser.getCurrentLocation();
    StringRef name;
    int64_t value;
    if (parser.parseKeyword(&name) || parser.parseEqual() || parser.parseInteger(value))
      return failure();
    if (knobs.get(name))
      return parser.emitError(location) << "sets '" << name << "' twice";
    knobs.append(name, parser.getBuilder().getI64IntegerAttr(value));
    return success();
  };
  if (parser.parseCommaSeparatedList(delimiter, parseKnob))
    return failure();
  schedule = parser.getChecked<ScheduleAttr>(parser.getContext(), knobs.getDictionary(parser.getContext()));
  return success(bool(schedule));
}

static void printKnobs(AsmPrinter &printer, ScheduleAttr schedule) {
  llvm::interleaveComma(schedule.getKnobs(), printer, [&](NamedAttribute knob) {
    printer << knob.getName().getValue() << " = " << cast<IntegerAttr>(knob.getValue()).getInt();
  });
}

Attribute ScheduleAttr::parse(AsmParser &parser, Type) {
  ScheduleAttr schedule;
  return parseKnobs(parser, AsmParser::Delimiter::LessGreater, schedule) ? Attribute() : schedule;
}

void ScheduleAttr::print(AsmPrinter &printer) const {
  printer << "<";
  printKnobs(printer, *this);
  printer << ">";
}

static ParseResult parseSchedule(OpAsmParser &parser, ScheduleAttr &schedule) {
  return parseKnobs(parser, AsmParser::Delimiter::Paren, schedule);
}

static void printSchedule(OpAsmPrinter &printer, Operation *, ScheduleAttr schedule) {
  printer << "(";
  printKnobs(printer, schedule);
  printer << ")";
}

LogicalResult ScheduleAttr::verify(function_ref<InFlightDiagnostic()> emitError, DictionaryAttr knobs) {
  for (NamedAttribute knob : knobs) {
    auto value = dyn_cast<IntegerAttr>(knob.getValue());
    if (!value || !value.getType().isInteger(64) || value.getInt() <= 0)
      return emitError() << "expects a positive number for '" << knob.getName().getValue() << "', but has "
                         << knob.getValue();
  }
  return success();
}

std::optional<int64_t> ScheduleAttr::get(StringRef knob) const {
  auto value = getKnobs().getAs<IntegerAttr>(knob);
  return value ? std::optional<int64_t>(value.getInt()) : std::nullopt;
}

//===----------------------------------------------------------------------===//
// Memories and instructions
//===----------------------------------------------------------------------===//

LogicalResult MemoryAttr::verify(function_ref<InFlightDiagnostic()> emitError, MemoryKind kind, int64_t swizzle) {
  if (swizzle != 0 && ((swizzle != 32 && swizzle != 64 && swizzle != 128) || kind != MemoryKind::workgroup))
    return emitError() << "expects a swizzle of 32, 64 or 128 bytes, in memory of a workgroup, but has " << swizzle;
  return success();
}

LogicalResult PlanAttr::verify(function_ref<InFlightDiagnostic()> emitError, ArrayAttr grids, AffineMapAttr workgroup,
                               AffineMapAttr launch, AffineMapAttr workers, IntegerSetAttr guard) {
  std::optional<unsigned> numbers;
  auto isFrom = [&](unsigned dims, unsigned symbols) {
    bool fits = dims == 0 && numbers.value_or(symbols) == symbols;
    numbers = symbols;
    return fits;
  };
  if (grids.empty())
    return emitError() << "expects a grid";
  SmallVector<Attribute> maps(grids.getValue());
  maps.append({workgroup, launch, workers});
  for (Attribute map : maps) {
    auto counts = dyn_cast_if_present<AffineMapAttr>(map);
    if (map && (!counts || counts.getValue().getNumResults() == 0 ||
                !isFrom(counts.getValue().getNumDims(), counts.getValue().getNumSymbols())))
      return emitError() << "expects maps from the same symbols to numbers, but has " << map;
  }
  if (guard && !isFrom(guard.getValue().getNumDims(), guard.getValue().getNumSymbols()))
    return emitError() << "expects a guard of the same symbols, but has " << guard;
  return success();
}

LogicalResult InstructionAttr::verify(function_ref<InFlightDiagnostic()> emitError, StringRef name, int64_t m,
                                      int64_t n, int64_t k) {
  if (name.empty())
    return emitError() << "expects an instruction with a name";
  for (int64_t size : {m, n, k})
    if (size < 1 || size > 4096)
      return emitError() << "expects sizes from 1 to 4096, but has " << size;
  return success();
}

//===----------------------------------------------------------------------===//
// Windows
//===----------------------------------------------------------------------===//

SmallVector<AffineExpr> WindowRowsOp::resultSizes(SizeAnalysis &sizes, unsigned) {
  SmallVector<AffineExpr> operand = sizes.sizesOf(getOperand()), result = {operand.front()};
  AffineExpr depth = operand.back();
  for (auto [i, size] : llvm::enumerate(getSizes())) {
    AffineExpr extent = operand[1 + i] + (getLowPad(i) + getHighPad(i));
    result.push_back((extent - (getDilations()[i] * (size - 1) + 1)).floorDiv(getStrides()[i]) + 1);
    depth = depth * size;
  }
  result.push_back(depth);
  return result;
}

LogicalResult WindowRowsOp::verify() {
  auto operand = cast<RankedTensorType>(getOperand().getType());
  auto result = cast<RankedTensorType>(getResult().getType());
  int64_t spatial = operand.getRank() - 2;
  if (spatial < 1 || result.getRank() != operand.getRank() || result.getElementType() != operand.getElementType() ||
      operand.isDynamicDim(spatial + 1))
    return emitOpError(
               "expects images of a known number of channels and a result of their rank and element type, but has ")
           << operand << " and " << result;
  if ((int64_t)getSizes().size() != spatial || (int64_t)getStrides().size() != spatial ||
      (int64_t)getDilations().size() != spatial)
    return emitOpError("expects ") << spatial << " sizes, strides and dilations";
  if (getPads() &&
      ((int64_t)getPads()->size() != 2 * spatial || llvm::any_of(*getPads(), [](int64_t pad) { return pad < 0; })))
    return emitOpError("expects ") << 2 * spatial << " pads that aren't negative";
  if (failed(verifyPositive(*this, "sizes", getSizes())) || failed(verifyPositive(*this, "strides", getStrides())) ||
      failed(verifyPositive(*this, "dilations", getDilations())) ||
      failed(verifyPads(*this, getPads().value_or(ArrayRef<int64_t>()))))
    return failure();
  return verifyResultSizes(cast<OpResult>(getResult()));
}

//===----------------------------------------------------------------------===//
// KernelOp
//===----------------------------------------------------------------------===//

ParseResult KernelOp::parse(OpAsmParser &parser, OperationState &result) {
  auto buildType = [](Builder &builder, ArrayRef<Type> arguments, ArrayRef<Type> results,
                      function_interface_impl::VariadicFlag,
                      std::string &) { return builder.getFunctionType(arguments, results); };
  return function_interface_impl::parseFunctionOp(parser, result, /*allowVariadic=*/false,
                                                  getFunctionTypeAttrName(result.name), buildType,
                                                  getArgAttrsAttrName(result.name), getResAttrsAttrName(result.name));
}

void KernelOp::print(OpAsmPrinter &printer) {
  function_interface_impl::printFunctionOp(printer, *this, /*isVariadic=*/false, getFunctionTypeAttrName(),
                                           getArgAttrsAttrName(), getResAttrsAttrName());
}

bool KernelOp::takesStrides(unsigned tensor) {
  unsigned arguments = getArgumentTypes().size() - getNumSymbols();
  return tensor < arguments ? (bool)getArgAttr(getNumSymbols() + tensor, kContractAttr)
                            : (bool)getResultAttr(tensor - arguments, kContractAttr);
}

/// The contract of an argument or result, where it states one.
static LogicalResult verifyContract(KernelOp kernel, Attribute contract, Type type) {
  if (!contract)
    return success();
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (contract != StringAttr::get(kernel.getContext(), kInnerContract) || !tensor || tensor.getRank() < 2)
    return kernel.emitOpError("expects the contract 'inner', of a tensor of two dimensions or more, but has ")
           << contract << " of " << type;
  return success();
}

LogicalResult KernelOp::verify() {
  unsigned symbols = getNumSymbols();
  for (auto [i, type] : llvm::enumerate(getArgumentTypes()))
    if (failed(verifyContract(*this, getArgAttr(i, kContractAttr), type)))
      return failure();
  for (auto [i, type] : llvm::enumerate(getResultTypes()))
    if (failed(verifyContract(*this, getResultAttr(i, kContractAttr), type)))
      return failure();
  for (auto [i, type] : llvm::enumerate(getArgumentTypes()))
    if (type.isIndex() != (i < symbols) || (!type.isIndex() && !isa<RankedTensorType>(type)))
      return emitOpError("expects index arguments, then tensors, but has ") << type << " as argument " << i;
  for (auto [i, type] : llvm::enumerate(getArgumentTypes()))
    if (Attribute constant = getArgAttr(i, kConstantAttr);
        constant && (!isa<UnitAttr>(constant) || type.isIndex() || !cast<ShapedType>(type).hasStaticShape() ||
                     getArgAttr(i, kContractAttr)))
      return emitOpError("expects constants to be contiguous tensors of static sizes, but argument ")
             << i << " is " << type;
  for (Type type : llvm::concat<const Type>(getArgumentTypes().drop_front(symbols), getResultTypes()))
    if (!isNumber(getElementTypeOrSelf(type)))
      return emitOpError("expects tensors of numbers, but has ") << type;
  Block &body = getBody().front();
  auto yield = body.empty() ? YieldOp() : dyn_cast<YieldOp>(body.back());
  if (!yield || yield.getOperandTypes() != TypeRange(getResultTypes()))
    return emitOpError("expects a body that yields ") << getResultTypes();
  if (getResultTypes().empty())
    return emitOpError("expects a result");
  for (BlockArgument argument : body.getArguments())
    if (auto tensor = dyn_cast<RankedTensorType>(argument.getType());
        tensor && !tensor.hasStaticShape() &&
        !llvm::any_of(argument.getUsers(), [](Operation *user) { return isa<BindShapeOp>(user); }))
      return emitOpError("expects tenon.bind_shape of argument ")
             << argument.getArgNumber() << ", whose sizes are dynamic";
  return success();
}

/// What is yielded is checked by the op around.
LogicalResult YieldOp::verify() {
  Operation *parent = (*this)->getParentOp();
  if (!isa_and_nonnull<TileDialect>(parent->getDialect()))
    return emitOpError("expects to end a region of this dialect, but stands in '") << parent->getName() << "'";
  return success();
}

//===----------------------------------------------------------------------===//
// Variants
//===----------------------------------------------------------------------===//

/// Parts are verified behind the whole: attributes that they need may be missing.
LogicalResult VariantsOp::verify() {
  llvm::SmallDenseSet<Attribute> targets;
  for (Operation &op : getBody().front()) {
    auto variant = dyn_cast<VariantOp>(op);
    if (!variant)
      return emitOpError("expects nothing but variants, but has '") << op.getName() << "'";
    if (auto target = variant.getProperties().target; target && !targets.insert(target).second)
      return variant.emitOpError("is the second one for target '")
             << cast<TargetAttrInterface>(target).getName() << "'";
  }
  return success();
}

/// Programs of one variant are called alike; the first one whose guard holds runs.
static LogicalResult verifyPrograms(VariantOp variant) {
  Block &block = variant.getBody().front();
  auto first = cast<ProgramOp>(block.front());
  for (Operation &op : block) {
    auto program = dyn_cast<ProgramOp>(op);
    if (isa<FormOp>(op))
      continue;
    if (!program)
      return variant.emitOpError("expects nothing beside programs and forms, but has '") << op.getName() << "'";
    const auto &own = program.getProperties(), &its = first.getProperties();
    if (own.function_type != its.function_type || own.arg_attrs != its.arg_attrs || own.outputs != its.outputs)
      return program.emitOpError("expects the arguments of the variant's first program");
    if ((bool)own.guard != isa_and_present<ProgramOp>(op.getNextNode()))
      return program.emitOpError("expects a guard of all programs but the last");
  }
  WalkResult result = variant.walk([&](MmaOp op) {
    InstructionAttr via = op.getViaAttr();
    if (!via || variant.getTarget().has(via))
      return WalkResult::advance();
    op.emitOpError("expects an instruction of target '")
        << variant.getTarget().getName() << "', which doesn't have " << via;
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

LogicalResult VariantOp::verify() {
  StringRef kernel = cast<VariantsOp>((*this)->getParentOp()).getSymName();
  Block &block = getBody().front();
  if (!block.empty() && isa<ProgramOp>(block.front()))
    return verifyPrograms(*this);
  // A kernel alone, or a function for each grid of each program; then forms.
  unsigned number = 0;
  for (Operation &op : block) {
    auto function = dyn_cast<SymbolOpInterface>(op);
    if (number != 0 && isa<FormOp>(op)) {
      if (!isa_and_present<FormOp>(op.getNextNode()) && op.getNextNode())
        return emitOpError("expects forms behind all functions, but has '") << op.getNextNode()->getName() << "'";
      continue;
    }
    if (!function || function.getName() != nameOfGrid(kernel, number) || (number != 0 && isa<KernelOp>(block.front())))
      return number == 0 || isa<KernelOp>(block.front())
                 ? emitOpError("expects one function, of the name '") << kernel << "'"
                 : emitOpError("expects functions of one grid each, but instead of '")
                       << nameOfGrid(kernel, number) << "' has '" << op.getName() << "'";
    ++number;
  }
  if (block.empty())
    return emitOpError("expects one function, of the name '") << kernel << "'";
  return success();
}

#define GET_OP_CLASSES
#include "tenon/Dialect/Tile/IR/TileOps.cpp.inc"
