//===- TileTargets.cpp - What there is to know of targets ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tile/IR/TileTargets.h"

#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/bit.h"

#include <charconv>
#include <cmath>

using namespace mlir;
using namespace tenon;
using namespace tenon::tile;

#include "tenon/Dialect/Tile/IR/TileTargets.cpp.inc"

//===----------------------------------------------------------------------===//
// Numbers and prices
//===----------------------------------------------------------------------===//

/// As short as it is read back the same.
static std::string textOf(double value) {
  char digits[32];
  std::string text(digits, std::to_chars(digits, std::end(digits), value).ptr);
  // Without a point the parser sees no exponent.
  if (size_t exponent = text.find('e'); exponent != std::string::npos && !StringRef(text).contains('.'))
    text.insert(exponent, ".0");
  return text;
}

static FailureOr<double> parseNumber(AsmParser &parser) {
  int64_t integer;
  OptionalParseResult isInteger = parser.parseOptionalInteger(integer);
  if (isInteger.has_value())
    return failed(*isInteger) ? FailureOr<double>(failure()) : double(integer);
  double value;
  if (parser.parseFloat(value))
    return failure();
  return value;
}

template <typename Prices> using PriceTable = ArrayRef<std::pair<StringLiteral, double Prices::*>>;

static PriceTable<LayoutPrices> tableOf(const LayoutPrices &) {
  static constexpr std::pair<StringLiteral, double LayoutPrices::*> table[] = {
      {"multiply_first", &LayoutPrices::multiplyFirst},
      {"multiply_last", &LayoutPrices::multiplyLast},
      {"gather_first", &LayoutPrices::gatherFirst},
      {"part_last", &LayoutPrices::partLast},
      {"tap_first", &LayoutPrices::tapFirst},
      {"tap_last", &LayoutPrices::tapLast},
      {"plain_tap", &LayoutPrices::plainTap},
      {"to_last", &LayoutPrices::toLast},
      {"to_first", &LayoutPrices::toFirst},
      {"turned", &LayoutPrices::turned},
      {"copied", &LayoutPrices::copied},
      {"columns", &LayoutPrices::columns},
      {"border", &LayoutPrices::border}};
  return table;
}

static PriceTable<SchedulePrices> tableOf(const SchedulePrices &) {
  static constexpr std::pair<StringLiteral, double SchedulePrices::*> table[] = {
      {"loads_per_cycle", &SchedulePrices::loadsPerCycle},
      {"instructions_per_cycle", &SchedulePrices::instructionsPerCycle},
      {"turn_cycles", &SchedulePrices::turnCycles},
      {"many_instructions", &SchedulePrices::manyInstructions},
      {"tile_cycles", &SchedulePrices::tileCycles},
      {"depth_block", &SchedulePrices::depthBlock},
      {"turn_size", &SchedulePrices::turnSize},
      {"wide_rows", &SchedulePrices::wideRows},
      {"fetch_rows", &SchedulePrices::fetchRows},
      {"unit_rows", &SchedulePrices::unitRows},
      {"unit_columns", &SchedulePrices::unitColumns}};
  return table;
}

static PriceTable<LaunchPrices> tableOf(const LaunchPrices &) {
  static constexpr std::pair<StringLiteral, double LaunchPrices::*> table[] = {{"alone", &LaunchPrices::alone},
                                                                               {"woken", &LaunchPrices::woken},
                                                                               {"workers", &LaunchPrices::workers},
                                                                               {"long_rows", &LaunchPrices::longRows}};
  return table;
}

template <typename Prices> static llvm::hash_code hashPrices(const Prices &prices) {
  llvm::hash_code hash = 0;
  for (auto [name, price] : tableOf(prices))
    hash = llvm::hash_combine(hash, llvm::bit_cast<uint64_t>(prices.*price));
  return hash;
}

template <typename Prices> static AsmPrinter &printPrices(AsmPrinter &printer, const Prices &prices) {
  printer << "{";
  llvm::interleaveComma(tableOf(prices), printer,
                        [&](auto entry) { printer << entry.first << " = " << textOf(prices.*entry.second); });
  printer << "}";
  return printer;
}

template <typename Prices> static FailureOr<Prices> parsePrices(AsmParser &parser) {
  Prices prices = {};
  llvm::StringSet<> given;
  auto parsePrice = [&]() -> ParseResult {
    SMLoc location = parser.getCurrentLocation();
    StringRef name;
    if (parser.parseKeyword(&name) || parser.parseEqual())
      return failure();
    auto entry = llvm::find_if(tableOf(prices), [&](auto entry) { return entry.first == name; });
    if (entry == tableOf(prices).end() || !given.insert(name).second)
      return parser.emitError(location) << "expects no '" << name << "' here";
    FailureOr<double> value = parseNumber(parser);
    if (failed(value))
      return failure();
    prices.*entry->second = *value;
    return success();
  };
  SMLoc location = parser.getCurrentLocation();
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Braces, parsePrice))
    return failure();
  for (auto [name, price] : tableOf(prices))
    if (!given.contains(name)) {
      parser.emitError(location) << "expects '" << name << "'";
      return failure();
    }
  return prices;
}

llvm::hash_code tile::hash_value(const Number &number) {
  return llvm::hash_value(llvm::bit_cast<uint64_t>(number.value));
}
llvm::hash_code tile::hash_value(const SchedulePrices &prices) { return hashPrices(prices); }
llvm::hash_code tile::hash_value(const LaunchPrices &prices) { return hashPrices(prices); }
llvm::hash_code tenon::hash_value(const LayoutPrices &prices) { return hashPrices(prices); }

AsmPrinter &tile::operator<<(AsmPrinter &printer, Number number) { return printer << textOf(number), printer; }
AsmPrinter &tile::operator<<(AsmPrinter &printer, const SchedulePrices &prices) { return printPrices(printer, prices); }
AsmPrinter &tile::operator<<(AsmPrinter &printer, const LaunchPrices &prices) { return printPrices(printer, prices); }
AsmPrinter &tenon::operator<<(AsmPrinter &printer, const LayoutPrices &prices) { return printPrices(printer, prices); }

FailureOr<Number> FieldParser<Number>::parse(AsmParser &parser) {
  FailureOr<double> value = parseNumber(parser);
  return failed(value) ? FailureOr<Number>(failure()) : Number{*value};
}
FailureOr<SchedulePrices> FieldParser<SchedulePrices>::parse(AsmParser &parser) {
  return parsePrices<SchedulePrices>(parser);
}
FailureOr<LaunchPrices> FieldParser<LaunchPrices>::parse(AsmParser &parser) {
  return parsePrices<LaunchPrices>(parser);
}
FailureOr<LayoutPrices> FieldParser<LayoutPrices>::parse(AsmParser &parser) {
  return parsePrices<LayoutPrices>(parser);
}

//===----------------------------------------------------------------------===//
// What a description may say
//===----------------------------------------------------------------------===//

using EmitError = function_ref<InFlightDiagnostic()>;

static LogicalResult verifyPositive(EmitError emitError, ArrayRef<double> values) {
  for (double value : values)
    if (!(value > 0) || !std::isfinite(value))
      return emitError() << "expects positive numbers, but has " << textOf(value);
  return success();
}

LogicalResult MemoryLevelAttr::verify(EmitError emitError, StringRef name, int64_t bytes, Number bytesPerCycle, bool) {
  if (name.empty())
    return emitError() << "expects a memory with a name";
  return verifyPositive(emitError, {double(bytes), bytesPerCycle});
}

LogicalResult RateAttr::verify(EmitError emitError, InstructionAttr, Type lhs, Type rhs, Type sum, Number perCycle,
                               int64_t latency) {
  for (Type type : {lhs, rhs, sum})
    if (!type.isIntOrFloat())
      return emitError() << "expects types of numbers, but has " << type;
  return verifyPositive(emitError, {perCycle, double(latency)});
}

double RateAttr::getProductsPerCycle() const {
  InstructionAttr instruction = getInstruction();
  return getPerCycle() * instruction.getM() * instruction.getN() * instruction.getK();
}

template <typename Prices> static LogicalResult verifyPrices(EmitError emitError, const Prices &prices) {
  return verifyPositive(emitError,
                        llvm::map_to_vector(tableOf(prices), [&](auto entry) { return prices.*entry.second; }));
}

//===----------------------------------------------------------------------===//
// Descriptions
//===----------------------------------------------------------------------===//

MemoryLevelAttr TargetAttrInterface::getMemory(StringRef name) {
  auto found = llvm::find_if(getMemories(), [&](MemoryLevelAttr memory) { return memory.getName() == name; });
  return found == getMemories().end() ? MemoryLevelAttr() : *found;
}

RateAttr TargetAttrInterface::getRate(Type lhs, Type rhs, Type sum) {
  RateAttr best;
  for (RateAttr rate : getRates())
    if (rate.getLhs() == lhs && rate.getRhs() == rhs && rate.getSum() == sum &&
        (!best || rate.getProductsPerCycle() > best.getProductsPerCycle()))
      best = rate;
  return best;
}

bool TargetAttrInterface::has(InstructionAttr instruction) {
  return llvm::any_of(getRates(), [&](RateAttr rate) { return rate.getInstruction() == instruction; });
}

LogicalResult CPUTargetAttr::verify(EmitError emitError, StringRef name, StringRef, StringRef, StringRef, StringRef,
                                    int64_t vectorBytes, int64_t vectorRegisters, ArrayRef<MemoryLevelAttr> memories,
                                    ArrayRef<RateAttr> rates, LayoutPrices layouts, SchedulePrices schedules,
                                    LaunchPrices launches) {
  if (name.empty())
    return emitError() << "expects a target with a name";
  if (vectorBytes != 16 && vectorBytes != 32 && vectorBytes != 64)
    return emitError() << "expects vectors of 16, 32 or 64 bytes, but has " << vectorBytes;
  llvm::StringSet<> levels;
  for (MemoryLevelAttr memory : memories)
    if (!levels.insert(memory.getName()).second)
      return emitError() << "has two memories '" << memory.getName() << "'";
  if (!levels.contains("L2"))
    return emitError() << "expects a memory 'L2'";
  if (llvm::none_of(rates, [](RateAttr rate) { return rate.getSum().isF32() && rate.getLhs().isF32(); }))
    return emitError() << "expects a rate of f32";
  if (failed(verifyPositive(emitError, {double(vectorRegisters)})) || failed(verifyPrices(emitError, layouts)) ||
      failed(verifyPrices(emitError, launches)))
    return failure();
  return verifyPrices(emitError, schedules);
}

SmallVector<StringRef> CPUTargetAttr::getFeatureNames() const {
  SmallVector<StringRef> names;
  getFeatures().split(names, ',', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  for (StringRef &name : names)
    name.consume_front("+");
  return names;
}

MemoryLevelAttr CPUTargetAttr::getMemory(StringRef name) const { return TargetAttrInterface(*this).getMemory(name); }

FusionPrices CPUTargetAttr::getFusion() const {
  int64_t lanes = getVectorBytes() / 4;
  return {.launch = getLaunches().alone,
          .wake = getLaunches().woken,
          .byte = 1 / getMemories().back().getBytesPerCycle(),
          .instruction = 1 / (getSchedules().instructionsPerCycle * lanes),
          .workers = int64_t(getLaunches().workers),
          .longRows = int64_t(getLaunches().longRows)};
}

RateAttr CPUTargetAttr::getMultiplyAdd() const {
  Type f32 = Float32Type::get(getContext());
  return TargetAttrInterface(*this).getRate(f32, f32, f32);
}
