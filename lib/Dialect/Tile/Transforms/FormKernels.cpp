//===- FormKernels.cpp - Partition the graph into kernels ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GroupGraph.h"
#include "KernelBuilder.h"
#include "tenon/Dialect/Host/IR/HostOps.h"
#include "tenon/Dialect/Tenon/IR/StorageFormat.h"
#include "tenon/Dialect/Tenon/Transforms/Resolve.h"
#include "tenon/Dialect/Tile/Analysis/FusionBenefit.h"
#include "tenon/Dialect/Tile/Transforms/Passes.h"

#include "mlir/Analysis/TopologicalSortUtils.h"

#include <map>

using namespace mlir;
using namespace tenon;
using namespace tenon::tile;

namespace tenon::tile {
#define GEN_PASS_DEF_FORMKERNELSPASS
#include "tenon/Dialect/Tile/Transforms/Passes.h.inc"
} // namespace tenon::tile

namespace {
/// Code of more ops takes long to compile, and its vectors don't fit into registers.
constexpr size_t maxOps = 64;

/// Why nodes weren't fused: once for each pair, in the order of their names.
class Refusals {
public:
  void add(Operation *producer, Operation *consumer, StringRef reason) {
    reasons.try_emplace({Name{nodeNameOf(consumer)}, Name{nodeNameOf(producer)}},
                        Refusal{consumer->getLoc(), reason.str()});
  }

  void emitRemarks() const {
    for (const auto &[names, refusal] : reasons) {
      if (names.first.text == names.second.text)
        emitRemark(refusal.loc) << "is more than one kernel: " << refusal.reason;
      else
        emitRemark(refusal.loc) << "isn't in one kernel with " << names.second.text << ": " << refusal.reason;
    }
  }

private:
  /// Numbers in names count as such.
  struct Name {
    std::string text;
    bool operator<(const Name &other) const { return StringRef(text).compare_numeric(other.text) < 0; }
  };
  struct Refusal {
    Location loc;
    std::string reason;
  };
  std::map<std::pair<Name, Name>, Refusal> reasons;
};

class KernelFormation {
public:
  /// `refusals` may be null.
  KernelFormation(func::FuncOp func, const KernelStrategies &strategies, const FusionPrices &prices, KernelTable &table,
                  Refusals *refusals)
      : func(func), strategies(strategies), prices(prices), refusals(refusals), sizes(func.getContext()),
        layouts(sizes), kernels(func, sizes, layouts, table) {}

  LogicalResult run() {
    func.walk<WalkOrder::PreOrder>([&](Block *block) { splitCheapBroadcasts(*block); });
    return runOn(func.getBody().front());
  }

private:
  /// Forms the kernels of a block, and of the blocks in it.
  LogicalResult runOn(Block &block) {
    GroupGraph graph(block);
    SmallVector<Operation *> ops;
    DenseSet<Operation *> columns = columnsIn(block);
    for (Operation &op : block) {
      if (op.hasTrait<OpTrait::IsTerminator>() || isPlacement(&op) || columns.contains(&op))
        continue;
      if (isa<IfOp, LoopOp>(op)) {
        for (Region &region : op.getRegions())
          if (failed(runOn(region.front())))
            return failure();
        continue;
      }
      if (failed(checkIsOfKernels(&op)))
        return failure();
      ops.push_back(&op);
    }
    group(ops, graph);
    // A group's ops are looked at when the first of them comes; all that is read later is a launch's by then.
    DenseSet<Operation *> done;
    for (Operation *op : ops) {
      if (done.contains(op))
        continue;
      ArrayRef<Operation *> members = graph.groupOf(op);
      done.insert(members.begin(), members.end());
      const KernelStrategy *strategy = strategies.find(OpGroup(members, sizes));
      if (!strategy)
        return op->emitError() << "'" << op->getName() << "' suits no strategy that is registered";
      if (failed(kernels.build(members, *strategy)))
        return failure();
    }
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
      if (isOpTriviallyDead(&op))
        op.erase();
    if (!sortTopologically(&block))
      return func.emitError() << "has kernels that need each other's results";
    return success();
  }

  /// What only contractions read that make it of constants: it goes into each of their kernels.
  static DenseSet<Operation *> columnsIn(Block &block) {
    DenseSet<Value> read;
    DenseSet<Operation *> candidates, columns;
    block.walk([&](ContractOp op) {
      if (std::optional<ConstantExpression> expression = columnsExpression(op)) {
        read.insert(op.getRhs());
        candidates.insert(expression->getOps().begin(), expression->getOps().end());
      }
    });
    for (Operation &op : llvm::reverse(block)) {
      auto isColumns = [&](OpOperand &use) {
        return columns.contains(use.getOwner()) ||
               (isa<ContractOp>(use.getOwner()) && use.getOperandNumber() == 1 && read.contains(use.get()));
      };
      if (candidates.contains(&op) && llvm::all_of(op.getUses(), isColumns))
        columns.insert(&op);
    }
    return columns;
  }

  static LogicalResult checkIsOfKernels(Operation *op) {
    if (isa<HostCallInterface>(op))
      return op->emitError() << "'" << op->getName() << "' is no kernel's: tenon-form-host-calls makes a call of it";
    auto isOfKernels = [](Type type) {
      auto tensor = dyn_cast<RankedTensorType>(type);
      return tensor && isNumber(tensor.getElementType());
    };
    if (llvm::all_of(op->getResultTypes(), isOfKernels) &&
        llvm::all_of(op->getOperandTypes(), [&](Type type) { return type.isIndex() || isOfKernels(type); }))
      return success();
    return op->emitError() << "'" << op->getName() << "' can't be compiled yet";
  }

  /// A broadcast that several ops read is repeated, so that each can take it along.
  void splitCheapBroadcasts(Block &body) {
    for (Operation &op : llvm::make_early_inc_range(body)) {
      if (!isa<BroadcastOp, IotaOp>(op) || op.use_empty())
        continue;
      OpBuilder builder(&op);
      for (OpOperand &use : llvm::make_early_inc_range(llvm::drop_begin(op.getUses()))) {
        builder.setInsertionPoint(use.getOwner());
        use.set(builder.clone(op)->getResult(0));
      }
    }
  }

  //===--------------------------------------------------------------------===//
  // Grouping
  //===--------------------------------------------------------------------===//

  /// A conversion to more bits for one reader, which had better read the fewer.
  static bool widens(Operation *op) {
    auto bitsOf = [](Value value) { return getElementTypeOrSelf(value).getIntOrFloatBitWidth(); };
    return isa<CastOp>(op) && op->hasOneUse() && bitsOf(op->getOperand(0)) < bitsOf(op->getResult(0)) &&
           cast<RankedTensorType>(op->getResult(0).getType()).getRank() > 0;
  }

  /// Each op joins the groups of what it reads, in order; conversions to more bits those of who reads them first.
  void group(ArrayRef<Operation *> ops, GroupGraph &graph) {
    struct Pair {
      Operation *producer, *op;
      std::string reason;
    };
    std::vector<Pair> apart, later;
    auto joinOrNote = [&](Operation *producer, Operation *op) {
      if (graph.areOne(producer, op))
        return;
      std::string reason;
      llvm::raw_string_ostream stream(reason);
      if (!join(producer, op, graph, refusals ? &stream : nullptr) && refusals)
        apart.push_back({producer, op, std::move(reason)});
    };
    DenseSet<Operation *> known;
    for (Operation *op : ops) {
      known.insert(op);
      for (Value operand : op->getOperands()) {
        Operation *producer = operand.getDefiningOp();
        if (!producer)
          continue;
        if (!known.contains(producer)) {
          // What says where elements lie stands between kernels.
          if (refusals && isa<ReshapeOp, SliceOp, ConcatOp, PadOp>(producer))
            for (Value source : producer->getOperands())
              if (known.contains(source.getDefiningOp()))
                apart.push_back({source.getDefiningOp(), op,
                                 nodeNameOf(producer) + " between them says how the elements lie in memory"});
          continue;
        }
        if (widens(op))
          later.push_back({producer, op, {}});
        else
          joinOrNote(producer, op);
      }
    }
    for (const Pair &pair : later)
      joinOrNote(pair.producer, pair.op);
    // Another operand may have brought two together.
    for (const Pair &pair : apart)
      if (!graph.areOne(pair.producer, pair.op))
        refusals->add(pair.producer, pair.op, pair.reason);
  }

  bool join(Operation *producer, Operation *op, GroupGraph &graph, raw_ostream *reason) {
    OpGroup whole(graph.unionOf(producer, op), sizes);
    if (whole.ops().size() > maxOps) {
      if (reason)
        *reason << "a kernel has at most " << maxOps << " operations";
      return false;
    }
    // Bytes that elements share are written by one unit of work.
    auto sharesBytes = [&](Operation *member) {
      return llvm::any_of(member->getResults(), [&](Value result) {
        auto type = dyn_cast<RankedTensorType>(result.getType());
        return type && type.getElementType().isIntOrFloat() && StorageFormat(type.getElementType()).sharesBytes();
      });
    };
    if (llvm::any_of(whole.ops(), sharesBytes)) {
      if (reason)
        *reason << "elements that share bytes are written by a kernel of their own";
      return false;
    }
    const KernelStrategy *strategy = strategies.find(whole);
    if (!strategy || !strategy->accepts(whole, reason))
      return false;
    OpGroup a(graph.groupOf(producer), sizes), b(graph.groupOf(op), sizes);
    if (!isWorthFusing(a, b, whole, strategies, *strategy, prices, reason))
      return false;
    if (graph.unite(producer, op))
      return true;
    if (reason)
      *reason << "what is computed between them needs the one, and the other needs it";
    return false;
  }

  func::FuncOp func;
  const KernelStrategies &strategies;
  const FusionPrices &prices;
  Refusals *refusals;
  SizeAnalysis sizes;
  host::Layouts layouts;
  KernelBuilder kernels;
};

struct FormKernelsPass : tile::impl::FormKernelsPassBase<FormKernelsPass> {
  FormKernelsPass(FusionPricesResolver resolver, bool explains) : resolver(std::move(resolver)) { explain = explains; }
  FormKernelsPass(const FormKernelsPass &other) : FormKernelsPassBase(other), resolver(other.resolver) {}

  void runOnChecked() override {
    const KernelStrategies *strategies = KernelStrategies::of(&getContext());
    if (!strategies) {
      getOperation().emitError("kernels can't be formed: no strategies are registered");
      return signalPassFailure();
    }
    FailureOr<FusionPrices> prices = resolve(getOperation(), resolver, target);
    if (failed(prices))
      return signalPassFailure();
    KernelTable table(getOperation());
    Refusals refusals;
    SmallVector<func::FuncOp> funcs(getOperation().getOps<func::FuncOp>());
    for (func::FuncOp func : funcs)
      if (!func.isExternal() && !func->hasAttr(kKernelAttr) &&
          failed(KernelFormation(func, *strategies, *prices, table, explain ? &refusals : nullptr).run()))
        return signalPassFailure();
    refusals.emitRemarks();
  }

private:
  FusionPricesResolver resolver;
};
} // namespace

std::unique_ptr<Pass> tile::createFormKernelsPass(FusionPricesResolver resolver, bool explain) {
  return std::make_unique<FormKernelsPass>(std::move(resolver), explain);
}

void tile::registerTileTransforms(const LayoutPricesResolver &layouts, const FusionPricesResolver &fusion) {
  registerPass([fusion] { return createFormKernelsPass(fusion); });
  registerPass([layouts] { return createLowerConvolutionsPass(layouts); });
  registerPass([] { return createCountNonZeroPass(); });
  registerPass([] { return createPackResultsPass(); });
  registerPass([] { return createCheckSizesPass(); });
  registerPass([] { return createCanonicalizeContractionsPass(); });
  registerPass([] { return createAssignViewsPass(); });
  registerPass([] { return createMergeFormsPass(); });
  registerPass([fusion] { return createGeneralizeSizesPass(fusion); });
}
