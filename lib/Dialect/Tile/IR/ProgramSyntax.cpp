//===- ProgramSyntax.cpp - What programs, loops and compute look like ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ExpressionSyntax.h"

#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/FunctionImplementation.h"

using namespace mlir;
using namespace tenon::tile;
using Argument = OpAsmParser::Argument;
using UnresolvedOperand = OpAsmParser::UnresolvedOperand;

//===----------------------------------------------------------------------===//
// Programs and forms
//===----------------------------------------------------------------------===//

/// `expression >= 0` or `== 0` on the leading arguments.
static ParseResult parseConstraint(OpAsmParser &parser, ArrayRef<Argument> arguments,
                                   SmallVectorImpl<AffineExpr> &constraints, SmallVectorImpl<bool> &isEquality) {
  SmallVector<UnresolvedOperand> dims, symbols;
  AffineExpr expression;
  SMLoc location = parser.getCurrentLocation();
  if (parser.parseAffineExprOfSSAIds(dims, symbols, expression))
    return failure();
  SmallVector<AffineExpr> positions;
  for (UnresolvedOperand &dim : dims) {
    const auto *found =
        llvm::find_if(arguments, [&](const Argument &argument) { return argument.ssaName.name == dim.name; });
    if (found == arguments.end() || !found->type.isIndex())
      return parser.emitError(location) << "expects a guard on the program's index arguments";
    positions.push_back(getAffineDimExpr(found - arguments.begin(), parser.getContext()));
  }
  if (!symbols.empty())
    return parser.emitError(location) << "expects a guard on the program's index arguments";
  constraints.push_back(expression.replaceDims(positions));
  isEquality.push_back(failed(parser.parseOptionalGreater()));
  int64_t zero;
  if ((isEquality.back() && parser.parseEqual()) || parser.parseEqual() || parser.parseInteger(zero))
    return failure();
  if (zero != 0)
    return parser.emitError(location) << "expects a guard that compares with 0";
  return success();
}

static ParseResult parseGuard(OpAsmParser &parser, ArrayRef<Argument> arguments, IntegerSetAttr &guard) {
  SmallVector<AffineExpr> constraints;
  SmallVector<bool> isEquality;
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Paren,
                                     [&] { return parseConstraint(parser, arguments, constraints, isEquality); }))
    return failure();
  if (constraints.empty())
    return parser.emitError(parser.getCurrentLocation()) << "expects a constraint in the guard";
  unsigned indices = llvm::count_if(arguments, [](const Argument &argument) { return argument.type.isIndex(); });
  guard = IntegerSetAttr::get(IntegerSet::get(indices, 0, constraints, isEquality));
  return success();
}

ParseResult ProgramOp::parse(OpAsmParser &parser, OperationState &result) {
  Builder &builder = parser.getBuilder();
  StringAttr name;
  SmallVector<Argument> arguments;
  auto parseArguments = [&] {
    return parser.parseArgumentList(arguments, AsmParser::Delimiter::Paren, /*allowType=*/true, /*allowAttrs=*/true);
  };
  if (parser.parseSymbolName(name, getSymNameAttrName(result.name), result.attributes) || parseArguments() ||
      parser.parseArrow())
    return failure();
  size_t inputs = arguments.size();
  if (parseArguments())
    return failure();
  auto typeOf = [](const Argument &argument) { return argument.type; };
  result.addAttribute(getFunctionTypeAttrName(result.name),
                      TypeAttr::get(builder.getFunctionType(llvm::map_to_vector(arguments, typeOf), {})));
  result.addAttribute(getOutputsAttrName(result.name), builder.getI64IntegerAttr(arguments.size() - inputs));
  if (llvm::any_of(arguments, [](const Argument &argument) { return argument.attrs && !argument.attrs.empty(); }))
    result.addAttribute(getArgAttrsAttrName(result.name),
                        builder.getArrayAttr(llvm::map_to_vector(arguments, [&](const Argument &argument) -> Attribute {
                          return argument.attrs ? argument.attrs : builder.getDictionaryAttr({});
                        })));
  if (succeeded(parser.parseOptionalKeyword("guard"))) {
    IntegerSetAttr guard;
    if (parseGuard(parser, arguments, guard))
      return failure();
    result.addAttribute(getGuardAttrName(result.name), guard);
  }
  return failure(parser.parseOptionalAttrDictWithKeyword(result.attributes) ||
                 parser.parseRegion(*result.addRegion(), arguments));
}

void ProgramOp::print(OpAsmPrinter &printer) {
  printer << " ";
  printer.printSymbolName(getSymName());
  ArrayRef<BlockArgument> arguments = getBody().getArguments();
  auto printArguments = [&](ArrayRef<BlockArgument> some) {
    printer << "(";
    llvm::interleaveComma(some, printer, [&](BlockArgument argument) {
      DictionaryAttr attributes = getArgAttrDict(argument.getArgNumber());
      printer.printRegionArgument(argument, attributes ? attributes.getValue() : ArrayRef<NamedAttribute>());
    });
    printer << ")";
  };
  printArguments(arguments.take_front(getFirstResult()));
  printer << " -> ";
  printArguments(arguments.drop_front(getFirstResult()));
  if (std::optional<IntegerSet> guard = getGuard()) {
    SmallVector<Value> indices(arguments.take_front(getNumIndices()));
    printer << " guard (";
    llvm::interleaveComma(llvm::seq(guard->getNumConstraints()), printer, [&](unsigned i) {
      printer.printAffineExprOfSSAIds(guard->getConstraint(i), indices, {});
      printer << (guard->isEq(i) ? " == 0" : " >= 0");
    });
    printer << ")";
  }
  function_interface_impl::printFunctionAttributes(
      printer, *this, {getFunctionTypeAttrName(), getArgAttrsAttrName(), getOutputsAttrName(), getGuardAttrName()});
  printer << " ";
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

ParseResult FormOp::parse(OpAsmParser &parser, OperationState &result) {
  auto buildType = [](Builder &builder, ArrayRef<Type> arguments, ArrayRef<Type> results,
                      function_interface_impl::VariadicFlag,
                      std::string &) { return builder.getFunctionType(arguments, results); };
  return function_interface_impl::parseFunctionOp(parser, result, /*allowVariadic=*/false,
                                                  getFunctionTypeAttrName(result.name), buildType,
                                                  getArgAttrsAttrName(result.name), getResAttrsAttrName(result.name));
}

void FormOp::print(OpAsmPrinter &printer) {
  function_interface_impl::printFunctionOp(printer, *this, /*isVariadic=*/false, getFunctionTypeAttrName(),
                                           getArgAttrsAttrName(), getResAttrsAttrName());
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

namespace {
/// What grids and loops have between their name and what they carry: `(%i, %mi) = lo to hi step s, ..`.
struct LoopHeader {
  explicit LoopHeader(OpAsmParser &parser) : parser(parser), lower(parser), upper(parser) {}

  ParseResult parse() {
    return parser.parseCommaSeparatedList([&] { return parseDim(); });
  }
  ParseResult parseDim() {
    Type index = parser.getBuilder().getIndexType();
    auto parseArgument = [&]() -> ParseResult {
      Argument &argument = arguments.emplace_back();
      argument.type = index;
      return parser.parseArgument(argument);
    };
    if (parser.parseLParen() || parseArgument())
      return failure();
    extents.push_back(succeeded(parser.parseOptionalComma()));
    if (extents.back() && parseArgument())
      return failure();
    if (parser.parseRParen() || parser.parseEqual() || lower.parseExpression() || parser.parseKeyword("to") ||
        upper.parseExpression())
      return failure();
    steps.push_back(1);
    return failure(succeeded(parser.parseOptionalKeyword("step")) && parser.parseInteger(steps.back()));
  }

  OpAsmParser &parser;
  ExpressionParser lower, upper;
  SmallVector<Argument> arguments;
  SmallVector<int64_t> steps;
  SmallVector<bool> extents;
};
} // namespace

/// The rest of a grid or loop behind its header; `init` are the operands that it carries.
template <typename Op>
static ParseResult parseLoop(OpAsmParser &parser, OperationState &result, LoopHeader &header,
                             ArrayRef<UnresolvedOperand> init, SMLoc location) {
  Builder &builder = parser.getBuilder();
  SmallVector<int32_t> segments;
  for (ExpressionParser *bounds : {&header.lower, &header.upper}) {
    size_t before = result.operands.size();
    if (bounds->resolve(result.operands))
      return failure();
    segments.push_back(result.operands.size() - before);
  }
  if (parser.resolveOperands(init, result.types, location, result.operands))
    return failure();
  result.addAttribute(Op::getLowerAttrName(result.name), header.lower.getMap());
  result.addAttribute(Op::getUpperAttrName(result.name), header.upper.getMap());
  result.addAttribute(Op::getStepsAttrName(result.name), builder.getDenseI64ArrayAttr(header.steps));
  result.addAttribute(Op::getExtentsAttrName(result.name), builder.getDenseBoolArrayAttr(header.extents));
  if constexpr (std::is_same_v<Op, ForOp>)
    segments.push_back(init.size());
  result.addAttribute(Op::getOperandSegmentSizeAttr(), builder.getDenseI32ArrayAttr(segments));
  if (parser.parseOptionalAttrDictWithKeyword(result.attributes) ||
      parser.parseRegion(*result.addRegion(), header.arguments))
    return failure();
  Op::ensureTerminator(*result.regions.front(), builder, result.location);
  return success();
}

ParseResult GridOp::parse(OpAsmParser &parser, OperationState &result) {
  LoopHeader header(parser);
  return failure(header.parse() || parseLoop<GridOp>(parser, result, header, {}, parser.getNameLoc()));
}

ParseResult ForOp::parse(OpAsmParser &parser, OperationState &result) {
  LoopHeader header(parser);
  SmallVector<UnresolvedOperand> init;
  SmallVector<Argument> carried;
  SMLoc location = parser.getCurrentLocation();
  if (header.parse())
    return failure();
  if (succeeded(parser.parseOptionalKeyword("iter_args"))) {
    location = parser.getCurrentLocation();
    if (parser.parseAssignmentList(carried, init) || parser.parseArrow() || parser.parseLParen() ||
        parser.parseTypeList(result.types) || parser.parseRParen())
      return failure();
    if (carried.size() != result.types.size())
      return parser.emitError(location) << "expects one type per carried value, but has " << result.types.size()
                                        << " for " << carried.size();
    for (auto [argument, type] : llvm::zip(carried, result.types))
      argument.type = type;
    llvm::append_range(header.arguments, carried);
  }
  return parseLoop<ForOp>(parser, result, header, init, location);
}

template <typename Op> static void printHeader(OpAsmPrinter &printer, Op op) {
  unsigned argument = 0;
  llvm::interleaveComma(llvm::seq(op.getNumDims()), printer, [&](unsigned dim) {
    printer << "(" << op.getBody().getArgument(argument++);
    if (op.getExtents()[dim])
      printer << ", " << op.getBody().getArgument(argument++);
    printer << ") = ";
    printExpression(printer, op.getLower(), dim, op.getLowerIndices());
    printer << " to ";
    printExpression(printer, op.getUpper(), dim, op.getUpperIndices());
    if (op.getSteps()[dim] != 1)
      printer << " step " << op.getSteps()[dim];
  });
}

template <typename Op> static void printBody(OpAsmPrinter &printer, Op op) {
  printer.printOptionalAttrDictWithKeyword(op->getDiscardableAttrDictionary().getValue());
  printer << " ";
  printer.printRegion(op.getBody(), /*printEntryBlockArgs=*/false,
                      /*printBlockTerminators=*/op->getNumResults() != 0);
}

void GridOp::print(OpAsmPrinter &printer) {
  printer << " ";
  printHeader(printer, *this);
  printBody(printer, *this);
}

void ForOp::print(OpAsmPrinter &printer) {
  printer << " ";
  printHeader(printer, *this);
  if (!getInit().empty()) {
    printer << " iter_args(";
    llvm::interleaveComma(llvm::zip(getBody().getArguments().drop_front(getNumPlaces()), getInit()), printer,
                          [&](auto pair) { printer << std::get<0>(pair) << " = " << std::get<1>(pair); });
    printer << ") -> (" << getResultTypes() << ")";
  }
  printBody(printer, *this);
}

ParseResult PeelOp::parse(OpAsmParser &parser, OperationState &result) {
  Builder &builder = parser.getBuilder();
  Argument argument;
  argument.type = builder.getIndexType();
  UnresolvedOperand extent;
  int64_t step;
  if (parser.parseLParen() || parser.parseArgument(argument) || parser.parseEqual() || parser.parseOperand(extent) ||
      parser.parseRParen() || parser.parseKeyword("of") || parser.parseInteger(step) ||
      parser.parseOptionalArrowTypeList(result.types) || parser.parseOptionalAttrDictWithKeyword(result.attributes) ||
      parser.resolveOperand(extent, argument.type, result.operands) ||
      parser.parseRegion(*result.addRegion(), argument))
    return failure();
  result.addAttribute(getStepAttrName(result.name), builder.getI64IntegerAttr(step));
  ensureTerminator(*result.regions.front(), builder, result.location);
  return success();
}

void PeelOp::print(OpAsmPrinter &printer) {
  printer << " (" << getBody().getArgument(0) << " = " << getExtent() << ") of " << getStep();
  if (getNumResults())
    printer << " -> (" << getResultTypes() << ")";
  printBody(printer, *this);
}

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

/// Coordinates have a letter for each dimension around them, extents that with an m before it.
template <typename Op> static void nameCoordinates(Op op, OpAsmSetValueNameFn setName) {
  static constexpr StringLiteral letters = "ijklnpqrst";
  size_t depth = 0;
  for (Operation *parent = op->getParentOp(); parent; parent = parent->getParentOp())
    if (auto grid = dyn_cast<GridOp>(parent))
      depth += grid.getNumDims();
    else if (auto loop = dyn_cast<ForOp>(parent))
      depth += loop.getNumDims();
  ArrayRef<BlockArgument> arguments = op.getBody().getArguments();
  if (arguments.size() < op.getNumPlaces())
    return;
  for (bool hasExtent : op.getExtents()) {
    std::string letter(1, letters[depth++ % letters.size()]);
    setName(arguments.front(), letter);
    if (hasExtent)
      setName(arguments[1], "m" + letter);
    arguments = arguments.drop_front(hasExtent ? 2 : 1);
  }
}

void GridOp::getAsmBlockArgumentNames(Region &, OpAsmSetValueNameFn setName) { nameCoordinates(*this, setName); }
void ForOp::getAsmBlockArgumentNames(Region &, OpAsmSetValueNameFn setName) { nameCoordinates(*this, setName); }
void PeelOp::getAsmBlockArgumentNames(Region &region, OpAsmSetValueNameFn setName) {
  setName(region.getArgument(0), "e");
}
void PutOp::getAsmBlockArgumentNames(Region &region, OpAsmSetValueNameFn setName) {
  setName(region.getArgument(0), "slot");
}
void ProcessorsOp::getAsmResultNames(OpAsmSetValueNameFn setName) { setName(getResult(), "processors"); }
void ScratchOp::getAsmResultNames(OpAsmSetValueNameFn setName) { setName(getResult(), "scratch"); }
void RingOp::getAsmResultNames(OpAsmSetValueNameFn setName) { setName(getResult(), "ring"); }
void TakeOp::getAsmResultNames(OpAsmSetValueNameFn setName) { setName(getSlot(), "slot"); }

//===----------------------------------------------------------------------===//
// Compute
//===----------------------------------------------------------------------===//

static void printPlace(OpAsmPrinter &printer, AffineMap map, ValueRange operands) {
  printer << "[";
  llvm::interleaveComma(llvm::seq(map.getNumResults()), printer,
                        [&](unsigned i) { printExpression(printer, map, i, operands); });
  printer << "]";
}

/// `%a = %input at [..] : type of type`.
static ParseResult parseInput(OpAsmParser &parser, OperationState &result, SmallVectorImpl<Value> &inputs,
                              SmallVectorImpl<Value> &indices, SmallVectorImpl<Attribute> &places,
                              SmallVectorImpl<Argument> &arguments) {
  Argument &argument = arguments.emplace_back();
  UnresolvedOperand input;
  Type type;
  if (parser.parseArgument(argument) || parser.parseEqual() || parser.parseOperand(input))
    return failure();
  places.push_back(parser.getBuilder().getUnitAttr());
  if (succeeded(parser.parseOptionalKeyword("at"))) {
    ExpressionParser place(parser);
    if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&] { return place.parseExpression(); }) ||
        place.resolve(indices))
      return failure();
    places.back() = place.getMap();
  }
  SMLoc location = parser.getCurrentLocation();
  if (parser.parseColonType(type) || parser.resolveOperand(input, type, inputs))
    return failure();
  if (auto memory = dyn_cast<MemRefType>(type)) {
    argument.type = RankedTensorType::get(memory.getShape(), memory.getElementType());
    return success();
  }
  if (!isa<RankedTensorType>(type))
    return parser.emitError(location) << "expects memory or a tile";
  return failure(parser.parseKeyword("of") || parser.parseType(argument.type));
}

ParseResult ComputeOp::parse(OpAsmParser &parser, OperationState &result) {
  Builder &builder = parser.getBuilder();
  ExpressionParser place(parser), extents(parser);
  auto parseList = [&](ExpressionParser &list) {
    return parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&] { return list.parseExpression(); });
  };
  if (parser.parseKeyword("at") || parseList(place))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("dims"))) {
    auto dims = dyn_cast_or_null<DenseI64ArrayAttr>(DenseI64ArrayAttr::parse(parser, Type()));
    if (!dims)
      return failure();
    result.addAttribute(getDimsAttrName(result.name), dims);
  }
  if (succeeded(parser.parseOptionalKeyword("extents"))) {
    if (parseList(extents))
      return failure();
    result.addAttribute(getExtentsAttrName(result.name), extents.getMap());
  }
  SmallVector<Value> inputs, placeIndices;
  SmallVector<Attribute> places;
  SmallVector<Argument> arguments;
  if (parser.parseCommaSeparatedList(
          AsmParser::Delimiter::Paren,
          [&] { return parseInput(parser, result, inputs, placeIndices, places, arguments); }) ||
      parser.parseArrowTypeList(result.types) || parser.parseOptionalAttrDictWithKeyword(result.attributes))
    return failure();
  SmallVector<int32_t> segments;
  auto addOperands = [&](ArrayRef<Value> operands) {
    result.addOperands(operands);
    segments.push_back(operands.size());
  };
  SmallVector<Value> indices, extentIndices;
  if (place.resolve(indices) || extents.resolve(extentIndices))
    return failure();
  addOperands(indices);
  addOperands(extentIndices);
  addOperands(inputs);
  addOperands(placeIndices);
  result.addAttribute(getCoordinatesAttrName(result.name), place.getMap());
  result.addAttribute(getPlacesAttrName(result.name), builder.getArrayAttr(places));
  result.addAttribute(getOperandSegmentSizeAttr(), builder.getDenseI32ArrayAttr(segments));
  return parser.parseRegion(*result.addRegion(), arguments);
}

void ComputeOp::print(OpAsmPrinter &printer) {
  printer << " at ";
  printPlace(printer, getCoordinates(), getIndices());
  if (DenseI64ArrayAttr dims = getDimsAttr()) {
    printer << " dims ";
    dims.print(printer);
  }
  if (getExtents()) {
    printer << " extents ";
    printPlace(printer, *getExtents(), getExtentIndices());
  }
  printer << " (";
  unsigned used = 0;
  llvm::interleaveComma(llvm::enumerate(getInputs()), printer, [&](auto pair) {
    Value input = pair.value(), argument = getBody().getArgument(pair.index());
    printer << argument << " = " << input;
    if (auto map = dyn_cast<AffineMapAttr>(getPlaces()[pair.index()])) {
      printer << " at ";
      printPlace(printer, map.getValue(), getPlaceIndices().slice(used, map.getValue().getNumInputs()));
      used += map.getValue().getNumInputs();
    }
    printer << " : " << input.getType();
    if (!isa<MemRefType>(input.getType()))
      printer << " of " << argument.getType();
  });
  printer << ")";
  printer.printArrowTypeList(getResultTypes());
  printBody(printer, *this);
}
