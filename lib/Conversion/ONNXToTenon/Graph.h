//===- Graph.h - A model's function while it is converted ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CONVERSION_ONNXTOTENON_GRAPH_H
#define TENON_LIB_CONVERSION_ONNXTOTENON_GRAPH_H

#include "KnownValues.h"
#include "Node.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <map>
#include <memory>

namespace tenon::onnx {

/// What the conversion of a block has led to: values of the results of an op of the model. It is the one that
/// holds the block, or one further out where branches differ in rank: what follows them is then part of them.
struct Reached {
  mlir::Operation *op;
  llvm::SmallVector<mlir::Value> values;
};

/// That two sizes are equal, or that they aren't.
struct Equality {
  mlir::AffineExpr a, b;
  bool holds;
};

/// Converts one function: its nodes in order, with those of subgraphs where the nodes that hold them are
/// converted.
class Graph {
public:
  /// Symbols in `fixed` have these sizes.
  Graph(mlir::func::FuncOp func, const ConverterTable &table, Evaluator evaluator,
        const llvm::StringMap<int64_t> &fixed);
  ~Graph();

  mlir::LogicalResult convert();

  /// Builds a subgraph at the insertion point with these values as its arguments; gives the values it yields,
  /// or a failure that has been reported.
  mlir::FailureOr<llvm::SmallVector<mlir::Value>> convertBody(mlir::Region &source,
                                                              llvm::ArrayRef<mlir::Value> arguments);

  /// The same where it may lead further than to the end of the subgraph.
  mlir::FailureOr<Reached> convertBlock(mlir::Region &source, llvm::ArrayRef<mlir::Value> arguments);

  /// Builds what follows an op of the model in its block, once more, with these values as the op's results.
  /// Values that became part of this copy are known as long as a `Copy` lives.
  mlir::FailureOr<Reached> convertAfter(Reached reached);
  class Copy {
  public:
    explicit Copy(Graph &graph) : graph(graph), saved(graph.values) {}
    ~Copy() { graph.values = std::move(saved); }

  private:
    Graph &graph;
    llvm::DenseMap<mlir::Value, mlir::Value> saved;
  };

  /// States what holds in the innermost region that is built, and asks what is known there.
  void assume(const Equality &equality) { scopes.back().facts[{equality.a, equality.b}] = equality.holds; }
  std::optional<bool> isKnown(const Equality &equality) const;

  /// A region that lives as long as the conversion: sizes may refer to what a discarded attempt holds.
  mlir::Region &newRegion();

  /// The rank that the model states for a result, itself or by what operators that keep sizes make of it.
  std::optional<int64_t> statedRank(mlir::Value result);

  /// Builds at the end of a region's block, with values that are computed there known there only.
  class Inside {
  public:
    Inside(Graph &graph, mlir::Region &region) : graph(graph), guard(graph.builder) {
      graph.builder.setInsertionPointToEnd(&region.front());
      graph.scopes.emplace_back();
    }
    ~Inside() { graph.scopes.pop_back(); }

  private:
    Graph &graph;
    mlir::OpBuilder::InsertionGuard guard;
  };

  /// The expression as an attribute or as a value, computed once per region.
  mlir::OpFoldResult materialize(mlir::Location loc, mlir::AffineExpr size);

  /// A size that no affine expression can say, computed once per region: `key` names the function and `build`
  /// its value at the insertion point. Equal sizes are then one expression.
  mlir::AffineExpr derive(llvm::StringRef key, llvm::ArrayRef<mlir::AffineExpr> arguments,
                          llvm::function_ref<mlir::Value()> build);

  /// States that a derived size isn't negative, and asks whether it was stated.
  void assumeNonNegative(mlir::AffineExpr size) { nonNegative.insert(size); }
  bool isNonNegative(mlir::AffineExpr size) const { return nonNegative.contains(size); }

  /// A size that a slice clamps.
  struct Clamped {
    mlir::AffineExpr whole; ///< what is asked for
    bool isSeveral = false; ///< whether two places are there at least, so that it is 1 where `whole` is
  };
  /// States that a derived size is clamped. What was stated first counts.
  void assumeClamped(mlir::AffineExpr size, const Clamped &known) { clamped.try_emplace(size, known); }
  /// The whole one where one of two sizes that must be equal, or may be `broadcast` from 1, is the other one clamped:
  /// in runs without an error it isn't shorter, so that it need not be a size of its own. Else null, as where what is
  /// built may not be reached.
  mlir::AffineExpr unify(mlir::AffineExpr a, mlir::AffineExpr b, bool broadcast);

  mlir::OpBuilder builder;
  SizeAnalysis sizes;
  KnownValues known;
  unsigned unsupported = 0; ///< errors so far that aren't the model's
  unsigned copies = 0;      ///< of what follows branches that differ in rank

private:
  mlir::Value valueOf(mlir::Value value); ///< null where its node has failed
  /// What the operands of the end of a block became; none is an error.
  mlir::FailureOr<llvm::SmallVector<mlir::Value>> yieldedBy(mlir::Operation *terminator);
  mlir::LogicalResult checkOthers();
  mlir::LogicalResult checkOperators();
  mlir::LogicalResult convertArguments();
  mlir::LogicalResult convertReturn(llvm::ArrayRef<mlir::Value> results);
  /// Nothing where the node's results have their values, else what its conversion has led to.
  mlir::FailureOr<std::optional<Reached>> convertNode(NodeOp op);
  mlir::FailureOr<Reached> convertNodes(mlir::Block &block, mlir::Block::iterator first);
  /// The constant that a result of integers is, where it follows from constants; else the value.
  mlir::Value foldSizes(mlir::Location loc, mlir::Value value);
  /// Notes a result whose type is none of those that the model states for it.
  void checkHint(NodeOp op, unsigned number, mlir::Value value);
  void reportContradictions();
  /// Gives clamped sizes that must be whole their whole values.
  void replaceUnified();
  void eraseDead();

  /// Collects what a node creates, so that it is verified at once.
  struct Recorder : mlir::OpBuilder::Listener {
    void notifyOperationInserted(mlir::Operation *op, mlir::OpBuilder::InsertPoint) override { ops.push_back(op); }
    llvm::SmallVector<mlir::Operation *> ops;
  };

  mlir::func::FuncOp func;
  const ConverterTable &table;
  const llvm::StringMap<int64_t> &fixed;
  Recorder recorder;
  llvm::DenseMap<mlir::Value, mlir::Value> values; ///< what a value of the model became
  /// What was computed in each open region, the innermost last.
  struct Scope {
    llvm::DenseMap<mlir::AffineExpr, mlir::Value> values;
    std::map<std::pair<std::string, std::vector<const void *>>, mlir::AffineExpr> derived;
    llvm::DenseMap<std::pair<mlir::AffineExpr, mlir::AffineExpr>, bool> facts; ///< which sizes are equal
  };
  llvm::SmallVector<Scope> scopes;
  llvm::SmallVector<std::unique_ptr<mlir::Region>> regions;
  llvm::DenseSet<mlir::AffineExpr> nonNegative;
  llvm::DenseMap<mlir::AffineExpr, Clamped> clamped;
  llvm::SetVector<mlir::AffineExpr> unified;             ///< clamped ones that are whole
  llvm::MapVector<mlir::Value, mlir::Type> contradicted; ///< values of the model, and what types they have
};

} // namespace tenon::onnx

#endif // TENON_LIB_CONVERSION_ONNXTOTENON_GRAPH_H
