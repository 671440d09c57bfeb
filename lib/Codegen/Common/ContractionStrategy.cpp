//===- ContractionStrategy.cpp - Kernels of register tiles ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BuildContraction.h"
#include "ContractionPlan.h"
#include "tenon/Codegen/Common/Strategies.h"
#include "tenon/Dialect/Tile/IR/TilePrograms.h"

#include <cmath>

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

namespace {
/// Register tiles of `tile_rows` rows and `vectors` vectors of columns.
class ContractionSpace : public VectorSpace {
public:
  /// `isTurned`: whether sums are turned before they are written, and read in other vectors for it. `hasOwnPanels`:
  /// whether no other variant has the same constant in panels.
  ContractionSpace(KernelOp kernel, ContractOp contract, CPUTargetAttr target, std::optional<int64_t> rows,
                   std::optional<int64_t> columns, bool isTurned, bool isPacked, bool hasOwnPanels,
                   bool hasRowsInEpilogue)
      : VectorSpace(kernel, target, "contractions", /*hasVectors=*/true), first(knobs.size()), rows(rows),
        columns(columns), rate(productsRate(contract, target)), fragments(fragmentsRate(contract, target)) {
    std::optional<ConstantExpression> expression = columnsExpression(contract);
    int64_t three = 3 * target.getVectorBytes() / bytesOfElement;
    // All columns in one tile; or, of what is multiplied as it lies in memory, several tiles without a rest.
    bool areThree = columns && (isTurned || *columns == three || (isPacked && *columns < three));
    isInThrees = isPacked && hasOwnPanels && !expression && columns && *columns % three == 0 &&
                 getElementTypeOrSelf(contract.getLhs()).isF32() && getElementTypeOrSelf(contract.getRhs()).isF32();
    takesThree = areThree || isInThrees;
    if (rate)
      knobs[0].candidates = {rate.getInstruction().getN() * bytesOfElement};
    else
      rate = target.getMultiplyAdd();
    knobs[1].candidates = {2, 1, 4};
    if (takesThree)
      knobs[1].candidates.push_back(3);
    knobs.push_back({knob::tileRows, {}});
    for (int64_t rows = target.getVectorRegisters(); rows > 0; --rows)
      knobs.back().candidates.push_back(rows);
    // The cost model says nothing of these: the first ones were measured.
    auto add = [&](StringLiteral name, double measured, ArrayRef<int64_t> others) {
      knobs.push_back({name, {int64_t(measured)}, /*isPriced=*/false});
      llvm::copy_if(others, std::back_inserter(knobs.back().candidates),
                    [&](int64_t other) { return other != measured; });
    };
    add(knob::depthBlock, prices.depthBlock, {256, 384, 512, 768, 1024, 1536});
    add(knob::turnSize, prices.turnSize, {6, 12, 24});
    // Half of the cache is left to panels and results.
    add(knob::residentBytes, double(target.getMemory("L2").getBytes() / 2), {});
    // Those that are made of constants are made for two rows at once: as many twice as of others.
    add(knob::wideRows, (expression ? 2 : 1) * prices.wideRows, {});
    add(knob::fetchRows, prices.fetchRows, {});
    add(knob::epilogueRows, hasRowsInEpilogue ? 1 : wholeTile, {wholeTile, 1});
    add(knob::unitRows, prices.unitRows, {48, 96, 192});
    // Rows are prepared for all columns of a unit, which are made four vectors at a time.
    double unitColumns = prices.unitColumns, panelColumns = unitColumns;
    if (expression) {
      panelColumns = 4 * target.getVectorBytes() / bytesOfElement;
      unitColumns = columns && *columns <= panelColumns ? panelColumns : 2 * panelColumns;
    }
    add(knob::unitColumns, unitColumns, {16, 32, 64, 128});
    // Panels of a unit's columns: few rows read them from front to back.
    if (isPacked)
      add(knob::panelColumns, panelColumns, {16, 32, 64, 128});
  }

  bool isLegal(ArrayRef<int64_t> point, raw_ostream *reason) const override {
    if (!VectorSpace::isLegal(point, reason))
      return false;
    auto [bytes, vectors, tileRows, depthBlock, turnSize] = values(point);
    if (!rate.getSum().isF32() && bytes != rate.getInstruction().getN() * bytesOfElement)
      return refuse(reason, "vectors have the {0} bytes of the instruction that multiplies, not {1}",
                    rate.getInstruction().getN() * bytesOfElement, bytes);
    int64_t width = vectors * bytes / bytesOfElement;
    int64_t unitRows = point[first + 7], unitColumns = point[first + 8];
    auto isWidth = [](int64_t columns) {
      return llvm::isPowerOf2_64(columns) && columns >= 4 && columns <= mostColumns;
    };
    if (unitRows < 1 || unitRows > mostRows)
      return refuse(reason, "a unit of work has from 1 to {0} rows, not {1}", mostRows, unitRows);
    if (!isWidth(unitColumns))
      return refuse(reason, "a unit of work has a power of two of columns from 4 to {0}, not {1}", mostColumns,
                    unitColumns);
    if (width > unitColumns)
      return refuse(reason, "a register tile of {0} columns is wider than a unit of work, which has {1}", width,
                    unitColumns);
    // The next tile of the panel would not be whole.
    if (knobs.size() > first + 9) {
      int64_t panel = point[first + 9];
      if (!isWidth(panel))
        return refuse(reason, "a panel has a power of two of columns from 4 to {0}, not {1}", mostColumns, panel);
      if (panel < width)
        return refuse(reason, "a register tile of {0} columns is wider than a panel of the constant, which has {1}",
                      width, panel);
    }
    if (unitColumns % width != 0 && *columns > width && !(isInThrees && *columns % width == 0))
      return refuse(reason, "register tiles of {0} columns don't divide a unit of work, and there are {1}", width,
                    *columns);
    if (isInFragments(tileRows, width)) {
      auto [high, wide] = fragmentsOf(tileRows, width);
      if (int64_t number = high * wide + high + wide; number > mostFragments)
        return refuse(reason, "a register tile of {0} rows and {1} columns needs {2} matrices in registers, of {3}",
                      tileRows, width, number, mostFragments);
    }
    // Accumulators, columns, and an element of the first operand in all lanes.
    int64_t registers = tileRows * vectors + vectors + 1;
    if (!isInFragments(tileRows, width) && registers > target.getVectorRegisters())
      return refuse(reason, "a register tile of {0} rows and {1} vectors needs {2} registers, but target '{3}' has {4}",
                    tileRows, vectors, registers, target.getName(), target.getVectorRegisters());
    if (int64_t rows = point[first + 6]; rows != 1 && rows < tileRows)
      return refuse(reason, "what follows has code for one row or for all {0} of a register tile, not for {1}",
                    tileRows, rows);
    if (depthBlock < leastDepthBlock)
      return refuse(reason, "a depth block has at least {0} products, not {1}", leastDepthBlock, depthBlock);
    if (turnSize > mostTurnSize)
      return refuse(reason, "a turn of a register tile's loop adds at most {0} products, not {1}", mostTurnSize,
                    turnSize);
    return true;
  }

  /// Cycles per product.
  double cost(ArrayRef<int64_t> point) const override {
    auto [bytes, vectors, tileRows, depthBlock, turnSize] = values(point);
    int64_t width = vectors * bytes / bytesOfElement;
    double level2Rate = target.getMemory("L2").getBytesPerCycle();
    // Columns of a panel that is wider than a tile are every other line of the cache, and share half of its places:
    // products of 128 rows by 768 columns take 0.98 of the time where they lie together (AVX2 on a Zen 4).
    constexpr double apart = 1.02;
    double columnTiles = (isInThrees && panel(point) >= 2 * width ? apart : 1) * this->columnTiles(width);
    auto ofTiles = [&, bytes = bytes, vectors = vectors](int64_t number, double height) {
      if (isInFragments(int64_t(height), width)) {
        // Each reads and multiplies as many products as vectors do in several steps.
        auto [high, wide] = fragmentsOf(int64_t(height), width);
        double steps = double(fragments.getInstruction().getK()) / rate.getInstruction().getK();
        double multiplied = high * wide / fragments.getPerCycle() / steps, read = (high + wide) / prices.loadsPerCycle,
               latency = fragments.getLatency() / steps;
        return number * (std::max({multiplied, read, latency}) + prices.tileCycles);
      }
      // An element of a row in all lanes takes a cycle, whatever else is loaded: tiles of one vector reach
      // half of the peak.
      double busy = std::max({height * vectors / rate.getPerCycle(), height, (height + vectors) / prices.loadsPerCycle,
                              double(vectors * bytes) / level2Rate});
      // Few sums wait for each other, more than the longer of both times.
      double cycles = std::pow(std::pow(busy, 4) + std::pow(rate.getLatency(), 4), 0.25);
      return number * (cycles + prices.tileCycles);
    };
    if (rows) {
      // All tiles are of one height.
      int64_t count = std::max<int64_t>(*rows, 1), height = std::min(count, tileRows);
      return columnTiles * ofTiles(llvm::divideCeil(count, height), height) / count;
    }
    // A unit of them is the guess.
    int64_t number = prices.unitRows;
    double cycles = ofTiles(number / tileRows, tileRows);
    return columnTiles * (cycles + ofTiles(llvm::divideCeil(number % tileRows, restRows), restRows)) / number;
  }

private:
  /// Tiles that AMX has, of sums and of factors.
  static constexpr int64_t mostFragments = 8;
  bool isInFragments(int64_t height, int64_t width) const {
    return fragments && height % fragments.getInstruction().getM() == 0 &&
           width % fragments.getInstruction().getN() == 0 && (!rows || *rows >= height);
  }
  /// How many there are from top to bottom, and next to each other.
  std::pair<int64_t, int64_t> fragmentsOf(int64_t height, int64_t width) const {
    return {height / fragments.getInstruction().getM(), width / fragments.getInstruction().getN()};
  }

  static constexpr int64_t leastDepthBlock = 16, mostTurnSize = 64, mostRows = 4096, mostColumns = 512;
  /// More rows than a register tile can have.
  static constexpr int64_t wholeTile = 32;
  std::tuple<int64_t, int64_t, int64_t, int64_t, int64_t> values(ArrayRef<int64_t> point) const {
    return {point[0], point[1], point[first], point[first + 1], point[first + 2]};
  }

  /// Columns that lie next to each other in the second operand.
  int64_t panel(ArrayRef<int64_t> point) const {
    return knobs.size() > first + 9 ? point[first + 9] : point[first + 8];
  }

  /// Register tiles next to each other, for each of the columns.
  double columnTiles(int64_t width) const {
    if (!columns || *columns == 0)
      return 1.0 / width;
    return double(llvm::divideCeil(*columns, width)) / *columns;
  }

  /// Three vectors don't divide a unit, but may be all that there is.
  bool isLegalNumber(int64_t vectors) const override {
    return VectorSpace::isLegalNumber(vectors) || (takesThree && vectors == 3);
  }

  size_t first; ///< of the knobs that only contractions have
  std::optional<int64_t> rows, columns;
  bool takesThree;    ///< whether register tiles may have three vectors
  bool isInThrees;    ///< whether there may be several of these, in panels of their own
  RateAttr rate;      ///< of what multiplies and adds
  RateAttr fragments; ///< of what multiplies matrices, or null
};

class ContractionStrategy : public KernelStrategy {
public:
  StringRef getName() const override { return "contraction"; }
  bool suits(const OpGroup &group) const override { return (bool)contractionOf(group); }
  bool accepts(const OpGroup &group, raw_ostream *reason) const override;
  KernelStructure structureOf(const OpGroup &group) const override;
  SmallVector<FreeSize> freeSizesOf(const OpGroup &group, const KernelStructure &structure,
                                    const FusionPrices &prices) const override;
  std::unique_ptr<ScheduleSpace> spaceOf(KernelOp kernel, TargetAttrInterface target) const override;
  int64_t estimateInstructions(Operation *op) const override { return codegen::estimateInstructions(op); }
  LogicalResult build(KernelOp kernel, ScheduleAttr schedule) const override;
  SmallVector<Value> formedOperandsOf(const OpGroup &group) const override {
    ContractOp contract = contractionOf(group);
    SmallVector<Value> constants;
    if (std::optional<ConstantExpression> columns = columnsExpression(contract)) {
      for (const ConstantExpression::Leaf &leaf : columns->getLeaves())
        leaf.value ? constants.push_back(leaf.value) : void();
    } else if (constantDepth(contract)) {
      constants.push_back(contract.getRhs());
    }
    return constants;
  }

private:
  static ContractOp contractionOf(const OpGroup &group) {
    for (Operation *op : group.ops())
      if (auto contract = dyn_cast<ContractOp>(op); contract && contractionRoles(contract))
        return contract;
    return nullptr;
  }
};
} // namespace

/// The dimension of a contraction's iteration space that each dimension of its result is.
static SmallVector<unsigned> resultDims(ContractOp op) {
  auto map = cast<AffineMapAttr>(op.getIndexingMaps()[2]).getValue();
  return llvm::map_to_vector(map.getResults(), [](AffineExpr dim) { return cast<AffineDimExpr>(dim).getPosition(); });
}

/// The transpose behind a contraction that puts its rows next to each other: blocks of sums are turned when
/// they are complete.
static TransposeOp turnedResult(const OpGroup &group, ContractOp contract) {
  constexpr int64_t leastRows = 8;
  auto transpose = contract->hasOneUse() ? dyn_cast<TransposeOp>(*contract->user_begin()) : TransposeOp();
  if (!transpose || !group.contains(transpose))
    return nullptr;
  ContractionRoles roles = *contractionRoles(contract);
  SmallVector<unsigned> dims = resultDims(contract);
  if (roles.rows.empty() || dims[transpose.getPermutation().back()] != roles.rows.back())
    return nullptr;
  // Few rows go along a panel, as it lies in memory: they have columns next to each other.
  int64_t rows = 1;
  for (auto [dim, size] : llvm::zip(dims, contract.getType().getShape()))
    if (llvm::is_contained(roles.rows, dim))
      rows *= ShapedType::isDynamic(size) ? 0 : size;
  return rows >= leastRows || contract.getLhs().getDefiningOp<WindowRowsOp>() ? transpose : nullptr;
}

bool ContractionStrategy::accepts(const OpGroup &group, raw_ostream *reason) const {
  ContractOp contract = contractionOf(group);
  for (Operation *op : group.ops()) {
    Role role = roleOf(op);
    if (op != contract && role != Role::free && role != Role::cheap)
      return refuse(reason, "{0} and {1} compute more than arithmetic on elements: each has a kernel of its own",
                    nodeNameOf(contract), nodeNameOf(op));
  }
  TransposeOp turned = turnedResult(group, contract);
  for (Operation *op : group.ops())
    if (turned && op != turned && isa<TransposeOp>(op))
      return refuse(reason, "{0} would be read element by element, along the rows of {1}", nodeNameOf(op),
                    nodeNameOf(contract));
  return acceptsEpilogue(group, contract, reason, turned);
}

KernelStructure ContractionStrategy::structureOf(const OpGroup &group) const {
  KernelStructure result;
  result.contract = contractionOf(group);
  result.turned = turnedResult(group, result.contract);
  result.space = group.sizesOf(result.contract);
  ContractionRoles roles = *contractionRoles(result.contract);
  auto product = [&](ArrayRef<unsigned> dims) {
    AffineExpr total = group.sizes.constant(1);
    for (auto [dim, size] : llvm::zip(resultDims(result.contract), result.space))
      if (llvm::is_contained(dims, dim))
        total = total * size;
    return total;
  };
  // About: what units there are is the schedule's.
  constexpr int64_t unitRows = 96, unitColumns = 32;
  result.work = product(roles.batch) * result.space.back().ceilDiv(unitColumns) * product(roles.rows).ceilDiv(unitRows);
  return result;
}

/// How often something is multiplied helps no schedule; rows, columns and depth of register tiles do.
SmallVector<FreeSize> ContractionStrategy::freeSizesOf(const OpGroup &group, const KernelStructure &structure,
                                                       const FusionPrices &) const {
  ContractOp contract = structure.contract;
  // Forms are of one size.
  if (constantDepth(contract))
    return {};
  ContractionRoles roles = *contractionRoles(contract);
  SmallVector<FreeSize> result;
  for (auto [i, dim] : llvm::enumerate(resultDims(contract)))
    if (llvm::is_contained(roles.batch, dim))
      result.push_back({contract.getResult(), (int64_t)i});
  return result;
}

/// Whether what follows a contraction is so long that it is a loop over rows, once in code: it goes through
/// memory.
static bool hasRowsInEpilogue(KernelOp kernel, const KernelStructure &structure) {
  constexpr int64_t fewInstructions = 6;
  // Fewer pay behind panels, whose columns are read faster: measured with one more.
  int64_t instructions = constantDepth(structure.contract) ? 1 : 0;
  DenseSet<Operation *> others = {structure.contract};
  if (std::optional<ConstantExpression> columns = columnsExpression(structure.contract))
    others.insert(columns->getOps().begin(), columns->getOps().end());
  for (Operation &op : kernel.getBody().front().without_terminator())
    if (!others.contains(&op))
      instructions += estimateInstructions(&op);
  return instructions > fewInstructions;
}

std::unique_ptr<ScheduleSpace> ContractionStrategy::spaceOf(KernelOp kernel, TargetAttrInterface target) const {
  auto cpu = dyn_cast<CPUTargetAttr>(target);
  if (!cpu)
    return nullptr;
  SizeAnalysis sizes(kernel.getContext());
  KernelStructure structure = structureOf(OpGroup(kernel, sizes));
  ContractionRoles roles = *contractionRoles(structure.contract);
  std::optional<int64_t> rows = 1;
  for (auto [dim, size] : llvm::zip(resultDims(structure.contract), structure.space)) {
    if (!llvm::is_contained(roles.rows, dim))
      continue;
    int64_t extent = SizeAnalysis::staticSize(size);
    rows = rows && !ShapedType::isDynamic(extent) ? std::optional(*rows * extent) : std::nullopt;
  }
  int64_t columns = SizeAnalysis::staticSize(structure.space.back());
  // Several variants have panels in common: those of 24 columns would be stored beside those of 32.
  auto variants = kernel->getParentOfType<VariantsOp>();
  bool isAlone = !variants || llvm::hasSingleElement(variants.getOps<VariantOp>());
  return std::make_unique<ContractionSpace>(kernel, structure.contract, cpu, rows,
                                            ShapedType::isDynamic(columns) ? std::nullopt : std::optional(columns),
                                            (bool)structure.turned, constantDepth(structure.contract).has_value(),
                                            isAlone, hasRowsInEpilogue(kernel, structure));
}

/// Register tiles read their operands from memory, and windows element after element.
LogicalResult ContractionStrategy::build(KernelOp kernel, ScheduleAttr schedule) const {
  SizeAnalysis sizes(kernel.getContext());
  KernelStructure structure = structureOf(OpGroup(kernel, sizes));
  ContractOp contract = structure.contract;
  auto windows = contract.getLhs().getDefiningOp<WindowRowsOp>();
  std::optional<ConstantExpression> columns = columnsExpression(contract);
  for (Value operand : {windows ? windows.getOperand() : contract.getLhs(), contract.getRhs()})
    if (!isa<BlockArgument>(operand) && !(columns && operand == contract.getRhs()))
      return contract.emitOpError("expects operands that are the kernel's");
  AffineMap lhs = cast<AffineMapAttr>(contract.getIndexingMaps()[0]).getValue();
  if (windows && lhs.getResults().back() != getAffineDimExpr(contractionRoles(contract)->depth, lhs.getContext()))
    return contract.emitOpError("expects to sum the elements of windows");
  buildContraction(kernel, structure, schedule);
  return success();
}

void codegen::addContractionStrategy(TileDialect *dialect) { addStrategy<ContractionStrategy>(dialect); }
