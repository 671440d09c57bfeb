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

/// The segments, symbols, launches and buffers of a program that is planned, numbered.
class ProgramLayout {
public:
  explicit ProgramLayout(mlir::func::FuncOp main) : main(main) {}

  /// Numbers everything and fills the metadata.
  mlir::LogicalResult build();

  struct Segment {
    SegmentOp op;
    PlanOp plan;
    mlir::func::FuncOp function; ///< that plans it
    bool isTop;                  ///< in the function's block, so in every run

    llvm::SmallVector<mlir::Operation *> ops() const;
  };

  /// A buffer of an arena: whose, and which one.
  struct ArenaPlace {
    unsigned segment, number;
  };

  /// Longer segments are executed by several functions: LLVM's time grows with the square of a function's length.
  static constexpr size_t kOpsPerFunction = 512;

  /// The number of a device in the metadata's table.
  unsigned deviceNumber(DeviceAttr device);
  /// The symbol of the metadata that an op stands for.
  std::optional<unsigned> symbolOf(mlir::Operation *op) const;
  /// The place of a slot in `ctx->held`.
  unsigned placeOf(SlotOp slot);
  /// The place in `ctx->values` of a number that outlives the function that computes it.
  std::optional<unsigned> placeOf(mlir::Value number) const;
  /// The code that reports a message, which the metadata then has.
  int32_t codeOf(const std::string &message);

  mlir::func::FuncOp main;
  artifact::ModelMetadata metadata;
  llvm::SmallVector<mlir::TypedAttr> constants;
  llvm::SmallVector<bool> isReadElsewhere; ///< by constant: not only as an operand of launches
  std::vector<LaunchOperands> launchOperands;
  std::vector<Segment> segments;
  llvm::DenseMap<mlir::Operation *, ArenaPlace> arenas;
  llvm::DenseMap<mlir::Operation *, unsigned> launches, calls;
  llvm::DenseMap<mlir::Value, std::pair<DeviceAttr, int32_t>> tokens; ///< of the segments that are converted
  int32_t tokenCount = 0;

private:
  mlir::LogicalResult findSegments();
  mlir::LogicalResult addSegment(unsigned segment);
  mlir::LogicalResult addOp(mlir::Operation *op, unsigned segment);
  mlir::LogicalResult addStorage(StorageOp storage, unsigned segment);
  mlir::LogicalResult addConstant(StorageOp storage);
  mlir::LogicalResult addInputs();
  template <typename Op> mlir::LogicalResult addInput(Op place, mlir::Type type);
  mlir::LogicalResult addSlot(SlotOp slot);
  /// The description of an input or output, all but its dimensions.
  mlir::FailureOr<artifact::TensorInfo> describe(mlir::Operation *op, llvm::StringRef name, mlir::Type type);
  void addInputDims(artifact::TensorInfo &info, llvm::ArrayRef<mlir::OpFoldResult> sizes);
  mlir::LogicalResult addOutput(StorageOp storage);
  mlir::LogicalResult addSymbols();
  void addLaunch(LaunchOp launch);
  void findConstantReads();
  void addCall(CallOp call);
  mlir::LogicalResult checkOutputs();
  mlir::LogicalResult addArena(StorageOp storage, unsigned segment);
  /// The number among the segment's plan's results of a buffer's bytes.
  mlir::FailureOr<unsigned> bytesOf(StorageOp storage, unsigned segment);
  void addValues(const Segment &segment);
  void extendLives();
  mlir::FailureOr<artifact::Dim> outputDim(StorageOp output, mlir::OpFoldResult size);

  llvm::MapVector<uint64_t, StorageOp> outputs; ///< the last storage of each states the sizes that it is returned under
  llvm::StringMap<unsigned> symbols;            ///< sizes, by name
  std::map<std::pair<uint64_t, uint64_t>, unsigned> strides, aliasBits; ///< by input and dimension, output and input
  llvm::DenseMap<mlir::Value, unsigned> values;
  llvm::DenseMap<std::pair<uint64_t, DeviceAttr>, StorageOp> arenaNames; ///< the first storage of each
  llvm::StringMap<unsigned> kernels;
  llvm::SmallVector<uint32_t> constantDevices; ///< by constant: the devices that read it
};

/// The names of the model's nodes in a location, each once.
void collectNames(mlir::Location loc, llvm::SmallVectorImpl<llvm::StringRef> &names);
/// What an error says: the nodes, if any, and what is wrong with them.
std::string messageAt(mlir::Location loc, llvm::StringRef what);
/// Adds `int32_t plan_<segment>(const int64_t *symbols, int64_t *slots)`, in arith, affine and the LLVM dialect.
mlir::LogicalResult convertPlan(ProgramLayout &layout, unsigned segment, mlir::OpBuilder &builder);
/// Lets the divisions of the plan give something where they would trap, once it is arithmetic: what is wrong with them
/// is said elsewhere.
void guardDivisions(mlir::func::FuncOp plan);
/// Adds `int32_t execute_<segment>(tenon_context *ctx, const int64_t *slots)`.
mlir::LogicalResult convertSegment(ProgramLayout &layout, unsigned segment, mlir::OpBuilder &builder);
/// Adds `int32_t run(tenon_context *ctx)`.
mlir::LogicalResult convertRun(ProgramLayout &layout, mlir::OpBuilder &builder);

} // namespace tenon::host

#endif // TENON_LIB_TARGET_HOST_PROGRAMLAYOUT_H
