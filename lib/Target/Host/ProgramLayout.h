//===- ProgramLayout.h - What the functions of a host program agree on ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_TARGET_HOST_PROGRAMLAYOUT_H
#define TENON_LIB_TARGET_HOST_PROGRAMLAYOUT_H

#include "tenon/Dialect/Host/IR/HostOps.h"
#include "tenon/Target/Host/HostProgram.h"

#include "llvm/ADT/MapVector.h"

#include <map>

namespace tenon::host {

/// The segments, symbols, slots and launches of a program, numbered. A segment ends where a buffer is needed whose size is
/// data that the segment reads, and where a loop or branch names buffers: those have segments of their own inside. It
/// works on a copy of the function, to which it adds the index arithmetic that placing left implicit.
class ProgramLayout {
public:
  explicit ProgramLayout(mlir::func::FuncOp main) : main(main) {}

  /// Numbers everything and fills the metadata.
  mlir::LogicalResult build();

  /// A value of a segment's plan: a constant, or what a slot holds. Neither where data of the segment decides.
  struct Size {
    std::optional<int64_t> constant;
    std::optional<unsigned> slot;
  };
  Size sizeOf(mlir::OpFoldResult value, unsigned segment);

  /// Sizes and strides of a buffer, in elements.
  llvm::SmallVector<mlir::OpFoldResult> extentsOf(mlir::Value buffer);
  llvm::SmallVector<mlir::OpFoldResult> stridesOf(mlir::Value buffer);

  /// An input size that must equal an expression: the symbol that it is bound to, and the expression.
  struct Equality {
    unsigned symbol;
    mlir::Value expected;
  };

  struct Segment {
    llvm::SmallVector<mlir::Operation *> ops; ///< of one block, in order
    bool runsOnce = false;                    ///< in the function's block, so in every run
    /// Index values by slot; arena buffers' bytes, which stand in slots of their own.
    llvm::MapVector<mlir::Value, unsigned> slots;
    llvm::MapVector<mlir::Operation *, unsigned> byteSlots;
    std::map<llvm::SmallVector<const void *>, unsigned> slotsOfSizes; ///< of arena buffers: by type and sizes
    unsigned slotCount = 0;
    /// Data that the plan reads: what stands behind the symbols, by its place there.
    llvm::MapVector<mlir::Value, unsigned> planData;
    llvm::SmallVector<StorageOp> growing;
  };

  /// What `run` does in turn: a segment, or a loop or branch with what it does inside.
  struct Step {
    unsigned segment = 0;
    mlir::Operation *flow = nullptr;
    std::vector<std::vector<Step>> bodies; ///< per region of a branch; of a loop, its body
  };

  /// A buffer of an arena: whose, and which one.
  struct ArenaPlace {
    unsigned segment, number;
  };

  /// Longer segments are executed by several functions: LLVM's time grows with the square of a function's length.
  static constexpr size_t kOpsPerFunction = 512;
  /// Whether data that is read outlives the function that reads it.
  bool keepsData() const;

  /// The number of a device in the metadata's table.
  unsigned deviceNumber(DeviceAttr device);

  mlir::func::FuncOp main;
  artifact::ModelMetadata metadata;
  llvm::SmallVector<mlir::TypedAttr> constants;
  std::vector<Segment> segments;
  std::vector<Step> steps;
  llvm::MapVector<mlir::Value, unsigned> data; ///< numbers that are read, or that loops and branches give, in order
  llvm::DenseMap<mlir::Operation *, ArenaPlace> arenas;
  llvm::DenseMap<std::pair<uint64_t, DeviceAttr>, StorageOp> arenaNames; ///< the first storage of each
  llvm::StringMap<unsigned> symbols; ///< sizes, by name
  llvm::DenseMap<mlir::Operation *, unsigned> bindings; ///< ops that stand for one of the metadata's symbols
  llvm::SmallVector<Equality> equalities;
  llvm::DenseMap<mlir::Operation *, unsigned> launches, calls;
  /// The place of a slot in `ctx->held`.
  unsigned placeOf(SlotOp slot);
  /// The code that reports a message, which the metadata then has.
  int32_t codeOf(const std::string &message);

private:
  std::vector<Step> cut(mlir::Block &block);
  Step cutFlow(mlir::Operation *op);
  /// What segments from `from` on know.
  void addData(mlir::ValueRange values, unsigned from);
  mlir::LogicalResult addStorage(StorageOp storage, unsigned segment);
  template <typename Op> mlir::LogicalResult addInput(Op place, mlir::Type type);
  mlir::LogicalResult addSlot(SlotOp slot);
  /// The description of an input or output, all but its dimensions.
  mlir::FailureOr<artifact::TensorInfo> describe(mlir::Operation *op, llvm::StringRef name, mlir::Type type);
  void addInputDims(artifact::TensorInfo &info, llvm::ArrayRef<mlir::OpFoldResult> sizes);
  mlir::LogicalResult addOutput(StorageOp storage, unsigned segment);
  mlir::LogicalResult addSymbols();
  void addLaunch(LaunchOp launch);
  void addCall(CallOp call);
  mlir::LogicalResult checkOutputs();
  mlir::LogicalResult addArena(StorageOp storage, unsigned segment);
  void extendLives();
  mlir::FailureOr<artifact::Dim> outputDim(StorageOp output, mlir::OpFoldResult size);
  /// The first segment whose plan can compute the value; none for what a region computes.
  std::optional<unsigned> knownFrom(mlir::Value value);

  llvm::StringMap<unsigned> kernels;
  llvm::SmallVector<uint32_t> constantDevices; ///< by constant: the devices that read it
  llvm::DenseMap<mlir::Value, unsigned> dataFrom;
  llvm::DenseMap<mlir::Value, std::optional<unsigned>> known;
};

/// The names of the model's nodes in a location, each once.
void collectNames(mlir::Location loc, llvm::SmallVectorImpl<llvm::StringRef> &names);
/// What an error says: the nodes, if any, and what is wrong with them.
std::string messageAt(mlir::Location loc, llvm::StringRef what);
/// Adds `int32_t plan_<segment>(const int64_t *symbols, int64_t *slots)`, in arith, affine and the LLVM dialect.
mlir::LogicalResult emitPlan(ProgramLayout &layout, unsigned segment, mlir::OpBuilder &builder);
/// Lets the divisions of the plan give something where they would trap, once it is arithmetic: what is wrong with them is
/// said elsewhere.
void guardDivisions(mlir::func::FuncOp plan);
/// Adds `execute_<segment>` of each segment.
mlir::LogicalResult emitExecute(ProgramLayout &layout, mlir::OpBuilder &builder);
/// Adds `run`, once the plans are known.
mlir::LogicalResult emitRun(ProgramLayout &layout, mlir::OpBuilder &builder);

} // namespace tenon::host

#endif // TENON_LIB_TARGET_HOST_PROGRAMLAYOUT_H
