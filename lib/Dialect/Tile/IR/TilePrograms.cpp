//===- TilePrograms.cpp - What the parts of tile programs look like ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ExpressionSyntax.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace tenon::tile;
using Argument = OpAsmParser::Argument;
using UnresolvedOperand = OpAsmParser::UnresolvedOperand;

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

static ParseResult parseExpressions(OpAsmParser &parser, AffineMapAttr &map,
                                    SmallVectorImpl<UnresolvedOperand> &operands) {
  ExpressionParser expressions(parser);
  if (parser.parseCommaSeparatedList([&] { return expressions.parseExpression(); }))
    return failure();
  map = expressions.getMap();
  expressions.appendOperands(operands);
  return success();
}

static void printExpressions(OpAsmPrinter &printer, Operation *, AffineMapAttr map, ValueRange operands) {
  llvm::interleaveComma(llvm::seq(map.getValue().getNumResults()), printer,
                        [&](unsigned i) { printExpression(printer, map.getValue(), i, operands); });
}

/// Coordinates in brackets; there are none of what has rank 0.
static ParseResult parsePlace(OpAsmParser &parser, AffineMapAttr &map, SmallVectorImpl<UnresolvedOperand> &operands) {
  ExpressionParser expressions(parser);
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&] { return expressions.parseExpression(); }))
    return failure();
  map = expressions.getMap();
  expressions.appendOperands(operands);
  return success();
}

static void printPlace(OpAsmPrinter &printer, Operation *op, AffineMapAttr map, ValueRange operands) {
  printer << "[";
  printExpressions(printer, op, map, operands);
  printer << "]";
}

/// Coordinates of which some may be `gather %tile`.
static ParseResult parseCoordinates(OpAsmParser &parser, AffineMapAttr &map,
                                    SmallVectorImpl<UnresolvedOperand> &operands, DenseI64ArrayAttr &gathered,
                                    SmallVectorImpl<UnresolvedOperand> &places) {
  ExpressionParser expressions(parser);
  SmallVector<int64_t> positions;
  int64_t position = 0;
  auto parseCoordinate = [&]() -> ParseResult {
    int64_t current = position++;
    if (parser.parseOptionalKeyword("gather"))
      return expressions.parseExpression();
    positions.push_back(current);
    expressions.addZero();
    return parser.parseOperand(places.emplace_back());
  };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, parseCoordinate))
    return failure();
  map = expressions.getMap();
  expressions.appendOperands(operands);
  if (!positions.empty())
    gathered = parser.getBuilder().getDenseI64ArrayAttr(positions);
  return success();
}

static void printCoordinates(OpAsmPrinter &printer, Operation *, AffineMapAttr map, ValueRange operands,
                             DenseI64ArrayAttr gathered, ValueRange places) {
  printer << "[";
  llvm::interleaveComma(llvm::seq(map.getValue().getNumResults()), printer, [&](unsigned i) {
    ArrayRef<int64_t> positions = gathered ? gathered.asArrayRef() : ArrayRef<int64_t>();
    const auto *found = llvm::find(positions, (int64_t)i);
    if (found == positions.end())
      printExpression(printer, map.getValue(), i, operands);
    else
      printer << "gather " << places[found - positions.begin()];
  });
  printer << "]";
}

//===----------------------------------------------------------------------===//
// Values and types
//===----------------------------------------------------------------------===//

/// A number in parentheses, which may leave out the type where it is written as an f64 or i64.
static ParseResult parseNumber(OpAsmParser &parser, Attribute &number, SMLoc &location) {
  location = parser.getCurrentLocation();
  return failure(parser.parseLParen() || parser.parseAttribute(number) || parser.parseRParen());
}

static ParseResult convertNumber(OpAsmParser &parser, SMLoc location, Attribute number, Type tile, TypedAttr &value) {
  Type type = getElementTypeOrSelf(tile);
  if (auto integer = dyn_cast<IntegerAttr>(number); integer && isa<IntegerType>(type)) {
    value = IntegerAttr::get(type, integer.getValue().sextOrTrunc(type.getIntOrFloatBitWidth()));
    return success();
  }
  auto real = dyn_cast<FloatAttr>(number);
  if (!real || !isa<FloatType>(type))
    return parser.emitError(location) << "expects a number of type " << type << ", but has " << number;
  APFloat converted = real.getValue();
  bool losesInfo;
  converted.convert(cast<FloatType>(type).getFloatSemantics(), APFloat::rmNearestTiesToEven, &losesInfo);
  value = FloatAttr::get(type, converted);
  return success();
}

static ParseResult parseValueAndType(OpAsmParser &parser, TypedAttr &value, Type &type) {
  Attribute number;
  SMLoc location;
  return failure(parseNumber(parser, number, location) || parser.parseColonType(type) ||
                 convertNumber(parser, location, number, type, value));
}

static void printValueAndType(OpAsmPrinter &printer, Operation *, TypedAttr value, Type type) {
  printer << "(" << value << ") : " << type;
}

/// The type of a memory, and that of all gathered coordinates where there are some.
static ParseResult parseMemoryTypes(OpAsmParser &parser, Type &memory, SmallVectorImpl<Type> &types,
                                    const SmallVectorImpl<UnresolvedOperand> &places) {
  Type place;
  if (parser.parseType(memory) || (!places.empty() && (parser.parseComma() || parser.parseType(place))))
    return failure();
  types.assign(places.size(), place);
  return success();
}

static void printMemoryTypes(OpAsmPrinter &printer, Operation *, Type memory, TypeRange types, ValueRange) {
  printer << memory;
  if (!types.empty())
    printer << ", " << types.front();
}

static ParseResult parseFillAndTypes(OpAsmParser &parser, TypedAttr &fill, Type &memory, SmallVectorImpl<Type> &types,
                                     Type &tile, const SmallVectorImpl<UnresolvedOperand> &places) {
  Attribute number;
  SMLoc location;
  if (succeeded(parser.parseOptionalKeyword("fill")) && parseNumber(parser, number, location))
    return failure();
  if (parser.parseColon() || parseMemoryTypes(parser, memory, types, places) || parser.parseArrow() ||
      parser.parseType(tile))
    return failure();
  return number ? convertNumber(parser, location, number, tile, fill) : success();
}

static void printFillAndTypes(OpAsmPrinter &printer, Operation *op, TypedAttr fill, Type memory, TypeRange types,
                              Type tile, ValueRange places) {
  if (fill)
    printer << "fill (" << fill << ") ";
  printer << ": ";
  printMemoryTypes(printer, op, memory, types, places);
  printer << " -> " << tile;
}

static ParseResult parseMap(OpAsmParser &parser, AffineMapAttr &map) {
  AffineMap value;
  if (parser.parseAffineMap(value))
    return failure();
  map = AffineMapAttr::get(value);
  return success();
}

static void printMap(OpAsmPrinter &printer, Operation *, AffineMapAttr map) {
  map.getValue().print(printer.getStream());
}

static ParseResult parseSlotRegion(OpAsmParser &parser, std::optional<UnresolvedOperand> &condition, Region &body) {
  Argument slot;
  slot.type = parser.getBuilder().getIndexType();
  if (parser.parseArgument(slot))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("when")) && parser.parseOperand(condition.emplace()))
    return failure();
  if (parser.parseRegion(body, slot))
    return failure();
  PutOp::ensureTerminator(body, parser.getBuilder(), parser.getEncodedSourceLoc(parser.getNameLoc()));
  return success();
}

static void printSlotRegion(OpAsmPrinter &printer, PutOp op, Value condition, Region &body) {
  printer << body.getArgument(0);
  if (condition)
    printer << " when " << condition;
  printer << " ";
  printer.printRegion(body, /*printEntryBlockArgs=*/false, /*printBlockTerminators=*/false);
}

#define GET_OP_CLASSES
#include "tenon/Dialect/Tile/IR/TilePrograms.cpp.inc"
