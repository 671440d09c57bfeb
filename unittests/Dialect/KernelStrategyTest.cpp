//===- KernelStrategyTest.cpp - A strategy that is added to those that there are ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tile/Analysis/KernelStrategy.h"
#include "Module.h"
#include "Reference/Elements.h"
#include "tenon/Codegen/Common/Passes.h"
#include "tenon/Codegen/Common/TileBuilder.h"
#include "tenon/Dialect/Tile/Analysis/FusionBenefit.h"
#include "tenon/Dialect/Tile/Transforms/Passes.h"
#include "tenon/Reference/Programs.h"

#include "mlir/Pass/PassManager.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::tile;

namespace {
/// Vectors of one length.
class OneVector : public ScheduleSpace {
public:
  explicit OneVector(MLIRContext *context) : ScheduleSpace(context, "negations") {
    knobs.push_back({knob::vectorBytes, {16}});
  }
  bool isLegal(ArrayRef<int64_t> point, raw_ostream *reason) const override {
    return point[0] == 16 || refuse(reason, "negations have vectors of 16 bytes, not {0}", point[0]);
  }
  double cost(ArrayRef<int64_t> point) const override { return 1; }
};

/// Negations of one row, and nothing else: a unit of work is a vector.
class Negations : public KernelStrategy {
public:
  StringRef getName() const override { return "negations"; }
  bool suits(const OpGroup &group) const override {
    return llvm::any_of(group.ops(), llvm::IsaPred<NegOp>) && group.sizes.sizesOf(group.firstResult()).size() == 1;
  }
  bool accepts(const OpGroup &group, raw_ostream *reason) const override {
    return llvm::all_of(group.ops(), llvm::IsaPred<NegOp>) || refuse(reason, "negations keep to themselves");
  }
  KernelStructure structureOf(const OpGroup &group) const override {
    KernelStructure result;
    result.space = group.sizes.sizesOf(group.firstResult());
    result.work = group.sizes.constant(1);
    return result;
  }
  std::unique_ptr<ScheduleSpace> spaceOf(KernelOp kernel, TargetAttrInterface) const override {
    return std::make_unique<OneVector>(kernel.getContext());
  }
  LogicalResult build(KernelOp kernel, ScheduleAttr schedule) const override {
    codegen::TileBuilder b(kernel);
    int64_t lanes = *schedule.get(knob::vectorBytes) / 4;
    AffineExpr zero = b.constant(0), length = b.size(b.sizes.sizesOf(b.results().front()).front());
    b.grid({{zero, length.ceilDiv(lanes)}}, [&](codegen::TileBuilder::Expressions unit) {
      AffineExpr from = unit[0] * lanes, end = b.min(from + lanes, length);
      b.tiles(from, end, lanes, [&](AffineExpr place, AffineExpr extent) {
        ValueRange tiles = b.compute(b.results(), place, lanes, extent);
        for (auto [i, tile] : llvm::enumerate(tiles))
          b.store(tile, b.result(i), place, extent);
      });
    });
    return success();
  }
};

constexpr StringLiteral program = R"(
  func.func @main(%x: tensor<64xf32>) -> tensor<64xf32> {
    %0 = tenon.exp %x : tensor<64xf32>
    %1 = tenon.neg %0 : tensor<64xf32>
    %2 = tenon.neg %1 : tensor<64xf32>
    return %2 : tensor<64xf32>
  })";

TEST(KernelStrategy, canBeAddedWithoutAChangeToTheCompiler) {
  Module given(program);
  ASSERT_TRUE(given.module);
  addStrategy<Negations>(given.context.getLoadedDialect<TileDialect>());
  std::string remarks;
  ScopedDiagnosticHandler handler(&given.context, [&](Diagnostic &diagnostic) { remarks += diagnostic.str() + "\n"; });
  PassManager pm(&given.context);
  pm.addPass(createFormKernelsPass([&](StringRef) { return targetOf(given.context).getFusion(); }, /*explain=*/true));
  pm.addPass(codegen::createFormVariantsPass(
      [](MLIRContext *context, StringRef) -> llvm::Expected<SmallVector<TargetAttrInterface>> {
        return SmallVector{targetOf(*context)};
      }));
  OpPassManager &variant = pm.nest<VariantsOp>().nest<VariantOp>();
  variant.addPass(codegen::createSelectSchedulesPass());
  variant.addPass(codegen::createBuildTilesPass());
  variant.addPass(codegen::createLowerTilesPass());
  ASSERT_TRUE(succeeded(pm.run(*given.module))) << remarks;
  EXPECT_NE(remarks.find("isn't in one kernel with 'tenon.exp': negations keep to themselves"), std::string::npos)
      << remarks;
  // Both negations are one kernel, of vectors of 16 bytes; the other kernel has longer ones.
  SmallVector<int64_t> bytes;
  given.module->walk([&](VariantOp op) {
    EXPECT_TRUE(isa<func::FuncOp>(*op.getFunction()));
    bytes.push_back(*op.getScheduleAttr().get(knob::vectorBytes));
  });
  llvm::sort(bytes);
  EXPECT_EQ(bytes, (SmallVector<int64_t>{16, 32}));
}

TEST(KernelStrategy, writesProgramsThatCompute) {
  Module given(R"(
    tenon_tile.kernel @negated(%x: tensor<6xf32>) -> tensor<6xf32> {
      %0 = tenon.neg %x : tensor<6xf32>
      tenon_tile.yield %0 : tensor<6xf32>
    })");
  ASSERT_TRUE(given.module);
  auto kernel = given.first<KernelOp>();
  ASSERT_TRUE(succeeded(Negations().build(kernel, OneVector(&given.context).attributeOf({16}))));
  std::vector<double> numbers = {1, -2, 3, -4, 5, -6}, negated = {-1, 2, -3, 4, -5, 6};
  Type f32 = Float32Type::get(&given.context);
  reference::Tensor operand = llvm::cantFail(reference::storeAll(f32, {6}, numbers));
  auto results = reference::runProgram(given.first<ProgramOp>(), {}, operand, {});
  ASSERT_TRUE((bool)results) << llvm::toString(results.takeError());
  EXPECT_EQ(reference::loadAll<double>(results->front()), negated);
}

/// Why the last op of a function isn't computed in one kernel with those before; empty where it is.
std::string refusalOfLast(StringRef program, const FusionPrices &prices) {
  Module given(program);
  SizeAnalysis sizes(&given.context);
  SmallVector<Operation *> ops;
  for (Operation &op : given.first<func::FuncOp>().getBody().front().without_terminator())
    ops.push_back(&op);
  const KernelStrategies &strategies = *KernelStrategies::of(&given.context);
  OpGroup whole(ops, sizes), a(ArrayRef(ops).drop_back(), sizes), b(ops.back(), sizes);
  std::string reason;
  llvm::raw_string_ostream out(reason);
  EXPECT_EQ(isWorthFusing(a, b, whole, strategies, *strategies.find(whole), prices, &out), reason.empty());
  return reason;
}

/// What is written and read again alone, and what is computed.
constexpr FusionPrices bytesAlone = {
    .launch = 1, .wake = 1, .byte = 1, .instruction = 1e-9, .workers = 1, .longRows = 64};

TEST(Fusion, savesWhatIsNotWrittenAndRead) { EXPECT_EQ(refusalOfLast(program, bytesAlone), ""); }

TEST(Fusion, leavesWorkToOtherWorkers) {
  StringRef sum = R"(
    func.func @main(%x: tensor<1000000xf32>) -> tensor<f32> {
      %0 = tenon.exp %x : tensor<1000000xf32>
      %1 = tenon.reduce sum %0 dims [0] : tensor<1000000xf32> -> tensor<f32>
      return %1 : tensor<f32>
    })";
  FusionPrices prices = {.launch = 80, .wake = 2000, .byte = 0.01, .instruction = 0.1, .workers = 1, .longRows = 64};
  EXPECT_EQ(refusalOfLast(sum, prices), "");
  prices.workers = 16;
  EXPECT_EQ(refusalOfLast(sum, prices), "fewer processors could work at once than on each of them");
}

TEST(Fusion, computesAgainWhatTakesLessThanALaunch) {
  auto repeating = [](StringRef rows) {
    return ("func.func @main(%x: tensor<4xf32>, %n: index) -> tensor<" + rows + "x4xf32> {\n" +
            "%0 = tenon.exp %x : tensor<4xf32>\n" + "%1 = tenon.broadcast %0 dims [1] sizes [" +
            (rows == "?" ? "%n" : rows) + ", 4] : tensor<4xf32> -> tensor<" + rows + "x4xf32>\n" +
            "return %1 : tensor<" + rows + "x4xf32>\n}")
        .str();
  };
  FusionPrices prices = {.launch = 80, .wake = 2000, .byte = 0.01, .instruction = 0.1, .workers = 1, .longRows = 64};
  EXPECT_EQ(refusalOfLast(repeating("4"), prices), "");
  EXPECT_EQ(refusalOfLast(repeating("64"), prices), "what 'tenon.broadcast' repeats would be computed again each time");
  EXPECT_EQ(refusalOfLast(repeating("?"), prices), "what 'tenon.broadcast' repeats would be computed again each time");
}
} // namespace
