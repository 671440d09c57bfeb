//===- ScheduleSpace.cpp - The schedules that a kernel can have ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Codegen/Common/ScheduleSpace.h"
#include "tenon/Codegen/Common/ElementEmitter.h"
#include "tenon/Dialect/Tile/Analysis/KernelStructure.h"

#include <limits>

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

//===----------------------------------------------------------------------===//
// Spaces
//===----------------------------------------------------------------------===//

void ScheduleSpace::forEach(ArrayRef<std::optional<int64_t>> fixed,
                            function_ref<void(ArrayRef<int64_t>)> visit) const {
  SchedulePoint point(knobs.size());
  auto nest = [&](auto &nest, size_t i) -> void {
    if (i == knobs.size()) {
      if (isLegal(point))
        visit(point);
      return;
    }
    if (fixed[i]) {
      point[i] = *fixed[i];
      return nest(nest, i + 1);
    }
    for (int64_t candidate : knobs[i].candidates) {
      point[i] = candidate;
      nest(nest, i + 1);
    }
  };
  nest(nest, 0);
}

SchedulePoint ScheduleSpace::cheapest(ArrayRef<std::optional<int64_t>> fixed) const {
  SchedulePoint best;
  double least = std::numeric_limits<double>::infinity();
  forEach(fixed, [&](ArrayRef<int64_t> point) {
    if (double estimate = cost(point); estimate < least) {
      least = estimate;
      best.assign(point.begin(), point.end());
    }
  });
  return best;
}

FailureOr<SmallVector<std::optional<int64_t>>> ScheduleSpace::valuesOf(ScheduleAttr schedule,
                                                                       EmitError emitError) const {
  SmallVector<std::optional<int64_t>> values(knobs.size());
  if (!schedule)
    return values;
  for (NamedAttribute entry : schedule.getKnobs()) {
    StringRef name = entry.getName();
    const Knob *knob = llvm::find_if(knobs, [&](const Knob &knob) { return knob.name == name; });
    if (knob == knobs.end())
      return emitError() << "has a schedule with '" << name << "', but " << kind << " have "
                         << llvm::join(
                                llvm::map_range(knobs, [](const Knob &knob) { return knob.name.str(); }),
                                ", ");
    values[knob - knobs.begin()] = schedule.get(name);
  }
  return values;
}

FailureOr<SchedulePoint> ScheduleSpace::best(ScheduleAttr given, EmitError emitError) const {
  FailureOr<SmallVector<std::optional<int64_t>>> fixed = valuesOf(given, emitError);
  if (failed(fixed))
    return failure();
  SchedulePoint point = cheapest(*fixed);
  if (!point.empty())
    return point;
  // What is wrong shows best next to what would have been chosen.
  point = cheapest(SmallVector<std::optional<int64_t>>(knobs.size()));
  for (auto [value, kept] : llvm::zip(point, *fixed))
    value = kept.value_or(value);
  return refuse(point, emitError);
}

LogicalResult ScheduleSpace::refuse(ArrayRef<int64_t> point, EmitError emitError) const {
  std::string reason;
  llvm::raw_string_ostream stream(reason);
  isLegal(point, &stream);
  return emitError() << "can't have this schedule: " << reason;
}

FailureOr<SchedulePoint> ScheduleSpace::read(ScheduleAttr schedule, EmitError emitError) const {
  FailureOr<SmallVector<std::optional<int64_t>>> values = valuesOf(schedule, emitError);
  if (failed(values))
    return failure();
  SchedulePoint point;
  for (auto [knob, value] : llvm::zip(knobs, *values)) {
    if (!value)
      return emitError() << "expects a schedule with '" << knob.name
                         << "': run tenon-select-schedules before";
    point.push_back(*value);
  }
  if (!isLegal(point))
    return refuse(point, emitError);
  return point;
}

ScheduleAttr ScheduleSpace::attributeOf(ArrayRef<int64_t> point) const {
  Builder builder(context);
  SmallVector<NamedAttribute> values;
  for (auto [knob, value] : llvm::zip(knobs, point))
    values.push_back(builder.getNamedAttr(knob.name, builder.getI64IntegerAttr(value)));
  return ScheduleAttr::get(context, builder.getDictionaryAttr(values));
}

Diagnostic &codegen::operator<<(Diagnostic &diagnostic, const ScheduleSpace &space) {
  int64_t schedules = 0;
  space.forEach(SmallVector<std::optional<int64_t>>(space.getKnobs().size()),
                [&](ArrayRef<int64_t>) { ++schedules; });
  diagnostic << schedules << " schedules of " << space.getKind() << ":";
  for (const Knob &knob : space.getKnobs()) {
    diagnostic << " " << knob.name << " {";
    llvm::interleave(
        knob.candidates, [&](int64_t value) { diagnostic << value; }, [&] { diagnostic << ", "; });
    diagnostic << "}";
  }
  return diagnostic;
}

//===----------------------------------------------------------------------===//
// Kernels of vectors
//===----------------------------------------------------------------------===//

namespace {
/// Kernels that take so many instructions per vector compute longer than they read and write.
constexpr int64_t manyInstructions = 16;

/// Everything but contractions: vectors run along the last dimension.
class VectorSpace : public ScheduleSpace {
public:
  /// `length` of the last dimension, and the `instructions` that a vector takes.
  VectorSpace(TargetAttr target, StringRef kind, bool hasVectors, int64_t length = 1,
              int64_t instructions = 1)
      : ScheduleSpace(target.getContext(), kind), target(target), length(length), instructions(instructions) {
    knobs.push_back({knob::vectorBytes, {}});
    for (int64_t bytes = target.getVectorBytes(); bytes >= 16; bytes /= 2)
      knobs.back().candidates.push_back(bytes);
    if (hasVectors)
      knobs.push_back({knob::vectors, {1, 2, 4}});
  }

  bool isLegal(ArrayRef<int64_t> point, raw_ostream *reason) const override {
    int64_t bytes = point[0];
    if (bytes != 16 && bytes != 32 && bytes != 64)
      return refuse(reason, "vectors have 16, 32 or 64 bytes, not {0}", bytes);
    if (bytes > target.getVectorBytes())
      return refuse(reason, "vectors have {0} bytes, but those of target '{1}' have {2}", bytes,
                    target.getName(), target.getVectorBytes());
    if (point.size() > 1 && !isLegalNumber(point[1]))
      return refuse(reason, "1, 2, 4 or 8 vectors are computed at once, not {0}", point[1]);
    return true;
  }

  /// Cycles along the last dimension. Where little is computed memory is the limit, and one vector at a time
  /// is as good as several; else several hide the latency of each other, as long as what is left of a row
  /// fills them.
  double cost(ArrayRef<int64_t> point) const override {
    int64_t vectors = point.size() > 1 ? point[1] : 1, lanes = point[0] / bytesOfElement;
    double latency = instructions < manyInstructions ? 0 : latencyCycles;
    int64_t turns = llvm::divideCeil(length, lanes * vectors);
    return turns * (vectors * double(instructions) / instructionsPerCycle + latency);
  }

protected:
  static bool isLegalNumber(int64_t vectors) {
    return vectors == 1 || vectors == 2 || vectors == 4 || vectors == 8;
  }

  static constexpr int64_t bytesOfElement = 4;

  TargetAttr target;

private:
  static constexpr int64_t instructionsPerCycle = 2;
  static constexpr double latencyCycles = 8;

  int64_t length, instructions;
};

//===----------------------------------------------------------------------===//
// Contractions
//===----------------------------------------------------------------------===//

/// Register tiles of `tile_rows` rows and `vectors` vectors of columns.
class ContractionSpace : public VectorSpace {
public:
  ContractionSpace(TargetAttr target, std::optional<int64_t> rows, std::optional<int64_t> columns)
      : VectorSpace(target, "contractions", /*hasVectors=*/true), rows(rows), columns(columns) {
    knobs.back().candidates = {2, 1, 4};
    knobs.push_back({knob::tileRows, {}});
    for (int64_t rows = target.getVectorRegisters(); rows > 0; --rows)
      knobs.back().candidates.push_back(rows);
    // The cost model says nothing of these: the first ones were measured (docs/performance).
    knobs.push_back({knob::depthBlock, {768, 256, 384, 512, 1024, 1536}});
    knobs.push_back({knob::turnSize, {12, 6, 24}});
    // Half of the cache is left to panels and results.
    knobs.push_back({knob::residentBytes, {target.getLevel2Bytes() / 2}});
  }

  bool isLegal(ArrayRef<int64_t> point, raw_ostream *reason) const override {
    if (!VectorSpace::isLegal(point, reason))
      return false;
    auto [bytes, vectors, tileRows, depthBlock, turnSize, residentBytes] = values(point);
    int64_t width = vectors * bytes / bytesOfElement;
    if (width > panelColumns)
      return refuse(reason, "a register tile of {0} columns is wider than a panel, which has {1}", width,
                    panelColumns);
    // Accumulators, columns, and an element of the first operand in all lanes.
    int64_t registers = tileRows * vectors + vectors + 1;
    if (registers > target.getVectorRegisters())
      return refuse(
          reason, "a register tile of {0} rows and {1} vectors needs {2} registers, but target '{3}' has {4}",
          tileRows, vectors, registers, target.getName(), target.getVectorRegisters());
    if (depthBlock < leastDepthBlock)
      return refuse(reason, "a depth block has at least {0} products, not {1}", leastDepthBlock, depthBlock);
    if (turnSize > mostTurnSize)
      return refuse(reason, "a turn of a register tile's loop adds at most {0} products, not {1}",
                    mostTurnSize, turnSize);
    return true;
  }

  /// Cycles per product of the summed dimension, over all tiles of a panel's columns and a block of rows.
  double cost(ArrayRef<int64_t> point) const override {
    auto [bytes, vectors, tileRows, depthBlock, turnSize, residentBytes] = values(point);
    int64_t width = vectors * bytes / bytesOfElement;
    auto ofTiles = [&, bytes = bytes, vectors = vectors](int64_t number, double height) {
      // An element of a row in all lanes takes a cycle, whatever else is loaded: tiles of one vector reach half of the peak.
      double cycles = std::max(
          {height * vectors / target.getFmasPerCycle(), height, (height + vectors) / target.getLoadsPerCycle(),
           double(target.getFmaLatency()), double(vectors * bytes) / target.getLevel2BytesPerCycle()});
      return number * (cycles + tileCost);
    };
    if (rows) {
      int64_t height = blockHeight(), tiles = llvm::divideCeil(height, tileRows);
      return columnTiles(width) * ofTiles(tiles, double(height) / tiles);
    }
    double cycles = 0;
    for (int64_t left = blockRows, height = tileRows; left > 0; height = lowerTile(height)) {
      cycles += ofTiles(left / height, height);
      left %= height;
    }
    return columnTiles(width) * cycles;
  }

private:
  static constexpr int64_t leastDepthBlock = 16, mostTurnSize = 64;
  /// What a tile costs apart from its products, per product of a depth of some hundreds.
  static constexpr double tileCost = 0.01;

  static std::tuple<int64_t, int64_t, int64_t, int64_t, int64_t, int64_t> values(ArrayRef<int64_t> point) {
    return {point[0], point[1], point[2], point[3], point[4], point[5]};
  }

  /// Rows of a unit of work, where their number is known: blocks are of nearly equal size.
  int64_t blockHeight() const {
    int64_t count = std::max<int64_t>(*rows, 1);
    return llvm::divideCeil(count, llvm::divideCeil(count, blockRows));
  }

  /// Register tiles next to each other, per panel.
  double columnTiles(int64_t width) const {
    double whole = panelColumns / width;
    if (!columns || *columns == 0)
      return whole;
    int64_t panels = *columns / panelColumns, rest = *columns % panelColumns;
    double tiles = panels * whole + llvm::divideCeil(rest, width);
    return tiles * panelColumns / *columns;
  }

  std::optional<int64_t> rows, columns;
};
} // namespace

/// How long the vectors' loop is: a row of unknown length may be short.
static int64_t lengthOf(const KernelStructure &structure) {
  constexpr int64_t unknownLength = 32;
  if (structure.space.empty())
    return 1;
  int64_t length = SizeAnalysis::staticSize(structure.space.back());
  if (structure.isBlocked())
    return ShapedType::isDynamic(length) ? blockElements : std::min(length, blockElements);
  return ShapedType::isDynamic(length) ? unknownLength : length;
}

/// About how many instructions a vector of the kernel's results takes.
static int64_t instructionsOf(const KernelStructure &structure, ArrayRef<Operation *> ops) {
  // A reduction's vectors wait for each other.
  int64_t result = structure.kind == KernelStructure::rows ? manyInstructions : 0;
  for (Operation *op : ops) {
    if (auto element = dyn_cast<ElementInterface>(op))
      result += element.estimateInstructions();
    else if (isa<DecomposableInterface>(op))
      result += manyInstructions;
  }
  return result;
}

std::unique_ptr<ScheduleSpace> codegen::scheduleSpaceOf(VariantOp variant) {
  auto kernel = dyn_cast<KernelOp>(*variant.getFunction());
  if (!kernel)
    return nullptr;
  TargetAttr target = variant.getTarget();
  SizeAnalysis sizes(kernel.getContext());
  Block &block = kernel.getBody().front();
  SmallVector<Operation *> ops;
  for (Operation &op : block.without_terminator())
    ops.push_back(&op);
  KernelStructure structure = structureOf(ops, block.getTerminator()->getOperands(), sizes);
  switch (structure.kind) {
  case KernelStructure::elements:
    if (structure.turned)
      return std::make_unique<VectorSpace>(target, "transposing kernels", /*hasVectors=*/false);
    return std::make_unique<VectorSpace>(target, "elementwise kernels", /*hasVectors=*/true,
                                         lengthOf(structure), instructionsOf(structure, ops));
  case KernelStructure::rows:
    return std::make_unique<VectorSpace>(target, "kernels of rows", /*hasVectors=*/true, lengthOf(structure),
                                         instructionsOf(structure, ops));
  case KernelStructure::ordered:
    return std::make_unique<VectorSpace>(target, "ordered kernels", /*hasVectors=*/false);
  case KernelStructure::contraction:
    break;
  }
  ContractionRoles roles = *contractionRoles(structure.contract);
  AffineMap result = cast<AffineMapAttr>(structure.contract.getIndexingMaps()[2]).getValue();
  std::optional<int64_t> rows = 1;
  for (auto [expression, size] : llvm::zip(result.getResults(), structure.space)) {
    if (!llvm::is_contained(roles.rows, cast<AffineDimExpr>(expression).getPosition()))
      continue;
    int64_t extent = SizeAnalysis::staticSize(size);
    rows = rows && !ShapedType::isDynamic(extent) ? std::optional(*rows * extent) : std::nullopt;
  }
  int64_t columns = SizeAnalysis::staticSize(structure.space.back());
  return std::make_unique<ContractionSpace>(
      target, rows, ShapedType::isDynamic(columns) ? std::nullopt : std::optional(columns));
}
