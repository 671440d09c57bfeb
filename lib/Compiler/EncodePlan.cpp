//===- EncodePlan.cpp - The plan of a variant as an artifact has it ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "EncodePlan.h"

#include "tenon/Artifact/LaunchPlan.h"
#include "tenon/Codegen/Common/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IntegerSet.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::artifact;
using codegen::kKernelAttr;

namespace {
/// Writes the words of one program's plan.
class PlanEncoder {
public:
  /// Numbers below `symbols` are symbols, those behind them strides.
  explicit PlanEncoder(unsigned symbols) : symbols(symbols) {}

  void encode(tile::PlanAttr plan, unsigned firstGrid) {
    encode(firstGrid);
    encodeLeast(plan.getWorkgroup());
    encodeLeast(plan.getLaunch());
    AffineMapAttr workers = plan.getWorkers();
    if (!workers)
      encode(kAllWorkers);
    for (auto [i, most] : llvm::enumerate(workers ? workers.getValue().getResults() : ArrayRef<AffineExpr>())) {
      encode(most);
      if (i != 0)
        add(PlanOp::maximum);
    }
    for (Attribute grid : plan.getGrids()) {
      AffineMap counts = cast<AffineMapAttr>(grid).getValue();
      for (auto [i, count] : llvm::enumerate(counts.getResults())) {
        encode(count);
        // Along a dimension there may be none; two of less than none are not some.
        if (!isa<AffineConstantExpr>(count)) {
          encode(0);
          add(PlanOp::maximum);
        }
        if (i != 0)
          add(PlanOp::multiply);
      }
    }
    add(PlanOp::end);
  }

  /// The test of each constraint; all of them skip `words`, and what of the guard is behind them.
  void encodeGuard(IntegerSet guard, size_t words) {
    SmallVector<size_t> skips;
    for (unsigned i = 0; i < guard.getNumConstraints(); ++i) {
      encode(guard.getConstraint(i));
      skips.push_back(this->words.size());
      add(guard.isEq(i) ? PlanOp::skipUnlessZero : PlanOp::skipIfNegative);
    }
    for (size_t skip : skips)
      this->words[skip] = planWord(opOf(this->words[skip]), this->words.size() - skip - 1 + words);
  }

  std::vector<int64_t> words;
  bool isTooLarge = false; ///< a constant

private:
  void add(PlanOp op, int64_t operand = 0) {
    isTooLarge |= !fitsPlanWord(operand);
    words.push_back(planWord(op, operand));
  }
  void encode(int64_t constant) { add(PlanOp::constant, constant); }

  void encodeLeast(AffineMapAttr map) {
    if (!map)
      return encode(0);
    for (auto [i, bytes] : llvm::enumerate(map.getValue().getResults())) {
      encode(bytes);
      if (i != 0)
        add(PlanOp::minimum);
    }
  }

  void encode(AffineExpr expression) {
    if (auto constant = dyn_cast<AffineConstantExpr>(expression))
      return encode(constant.getValue());
    if (auto number = dyn_cast<AffineSymbolExpr>(expression))
      return number.getPosition() < symbols ? add(PlanOp::symbol, number.getPosition())
                                            : add(PlanOp::stride, number.getPosition() - symbols);
    auto binary = cast<AffineBinaryOpExpr>(expression);
    encode(binary.getLHS());
    if (binary.getKind() == AffineExprKind::CeilDiv) {
      encode(binary.getRHS());
      add(PlanOp::add);
      encode(-1);
      add(PlanOp::add);
    } else if (binary.getKind() == AffineExprKind::Mod) {
      // What is left of whole ones.
      encode(binary.getLHS().floorDiv(binary.getRHS()) * -1 * binary.getRHS());
      return add(PlanOp::add);
    }
    encode(binary.getRHS());
    switch (binary.getKind()) {
    case AffineExprKind::Add:
      return add(PlanOp::add);
    case AffineExprKind::Mul:
      return add(PlanOp::multiply);
    default:
      return add(PlanOp::floorDivide);
    }
  }

  unsigned symbols;
};
} // namespace

FailureOr<LaunchPlan> tenon::encodePlan(tile::VariantOp variant) {
  LaunchPlan result;
  SmallVector<std::pair<tile::PlanAttr, unsigned>> programs; // and where their grids begin
  for (auto function : variant.getOps<func::FuncOp>()) {
    auto plan = function->getAttrOfType<tile::PlanAttr>(tile::kProgramPlanAttr);
    if (plan)
      programs.push_back({plan, result.gridCount});
    if (programs.empty())
      return function->emitOpError() << "expects '" << tile::kProgramPlanAttr << "', by which it can be launched";
    ++result.gridCount;
  }
  for (auto [i, program] : llvm::enumerate(programs)) {
    unsigned end = i + 1 < programs.size() ? programs[i + 1].second : result.gridCount;
    if (program.first.getGrids().size() != end - program.second)
      return variant.emitOpError() << "has " << end - program.second << " functions for a program of "
                                   << program.first.getGrids().size() << " grids";
    if ((bool)program.first.getGuard() != (i + 1 < programs.size()))
      return variant.emitOpError("expects a guard in all plans but the last");
  }
  auto counts = variant.getFunction()->getAttrOfType<DictionaryAttr>(kKernelAttr);
  auto symbols = counts ? counts.getAs<IntegerAttr>("symbols") : IntegerAttr();
  if (!symbols)
    return variant.getFunction()->emitOpError() << "expects " << kKernelAttr << " to state the number of symbols";
  bool isTooLarge = false;
  SmallVector<size_t> begins; // of programs, behind their guards
  for (auto [plan, firstGrid] : programs) {
    PlanEncoder body(symbols.getInt()), guard(symbols.getInt());
    body.encode(plan, firstGrid);
    if (plan.getGuard())
      guard.encodeGuard(plan.getGuard().getValue(), body.words.size());
    isTooLarge |= body.isTooLarge || guard.isTooLarge;
    llvm::append_range(result.words, guard.words);
    begins.push_back(result.words.size());
    llvm::append_range(result.words, body.words);
  }
  // How high the stack is doesn't depend on the numbers, but for the program that runs.
  auto strides = counts.getAs<IntegerAttr>("strides");
  std::vector<int64_t> zeros(symbols.getInt() + (strides ? strides.getInt() : 0));
  PlanInputs inputs{zeros.data(), zeros.data(), uint32_t(zeros.size()), uint32_t(zeros.size())};
  int64_t numbers[kMaxPlanNumbers];
  for (size_t begin : begins)
    isTooLarge |= evaluatePlan(result.words.data() + begin, result.words.size() - begin, inputs, numbers) == 0;
  if (isTooLarge)
    return variant.emitOpError("has a plan that is too long: of more grids, larger numbers or longer expressions than "
                               "launches take");
  return result;
}
