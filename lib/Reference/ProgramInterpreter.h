//===- ProgramInterpreter.h - The state of a tile program's run ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_REFERENCE_PROGRAMINTERPRETER_H
#define TENON_LIB_REFERENCE_PROGRAMINTERPRETER_H

#include "Memory.h"
#include "tenon/Reference/Programs.h"

#include <functional>
#include <map>

namespace tenon::reference {

/// Who writes elements: what others must wait for before they read them.
struct Writer {
  uint32_t role, stage;
  bool isCopy = false;
  bool hasArrived = true, wasReleased = false;
};

/// Copies that were begun together, and may not have been done yet.
struct Transfer {
  uint32_t writer;
  std::vector<std::function<llvm::Error()>> copies;
};

struct Ring : Object {
  explicit Ring(int64_t slots) : slots(slots) {}
  int64_t slots;
  struct Number {
    Transfer transfer;
    bool hasCopies, wasTaken = false;
  };
  std::vector<Number> numbers; ///< of the unit that runs
  int64_t released = 0;        ///< how many numbers are
  bool tookSinceRelease = true;
};

class ProgramInterpreter : public Interpreter {
public:
  ProgramInterpreter(tile::ProgramOp program, const RunChoices &choices);
  ~ProgramInterpreter();

  tile::ProgramOp program;
  RunChoices choices;
  /// On a GPU threads of a group see each other's writes at the end of a stage only.
  bool hasThreads;

  /// Who runs now. Roles have stages of their own.
  uint32_t unit = 1, firstUnitOfGrid = 2, role = 0, stage = 1;
  std::vector<Writer> writers = {{0, 0}};
  std::vector<std::shared_ptr<Ring>> rings;
  /// Copies of the stage that runs, outside of `put`.
  std::optional<Transfer> loose;
  /// Where the copies of the `put` that runs are collected.
  Transfer *transfer = nullptr;
  /// Hands over to another role and comes back; false once the program has failed. Null outside of roles.
  std::function<bool()> handOver;
  uint64_t progress = 0; ///< of rings: grows with each number that is put, taken or released

  /// Begins a stage, or what stands behind one.
  void beginStage() { stage = ++stages; }
  /// A writer for plain stores of the stage that runs.
  uint32_t storeWriter();
  uint32_t addWriter(const Writer &writer) {
    writers.push_back(writer);
    return writers.size() - 1;
  }
  llvm::Error finish(const Transfer &transfer);

  /// The bytes of an element that is read by an op, if it may be.
  llvm::Expected<const char *> read(Call &call, const Buffer &buffer, int64_t place);
  /// Marks an element as written by a writer, and writes it where there are bytes.
  llvm::Error write(Call &call, const Buffer &buffer, int64_t place, const char *bytes, uint32_t writer);
  /// A tensor of a tile whose elements are those of nothing.
  llvm::Expected<Tensor> unspecified(mlir::RankedTensorType type);

  /// The tile of each result of `compute`.
  llvm::Error compute(Call &call);

private:
  uint32_t stages = 1, lastStoreStage = 0, lastStoreWriter = 0;
  /// An elementwise op on tensors of other sizes than it has in the text.
  mlir::Operation *resized(mlir::Operation *op, llvm::ArrayRef<int64_t> sizes);
  friend class Asked;
  std::map<std::pair<mlir::Operation *, std::vector<int64_t>>, mlir::Operation *> resizedOps;
  mlir::OwningOpRef<mlir::ModuleOp> resizedModule;
};

inline ProgramInterpreter &interpreterOf(Call &call) { return static_cast<ProgramInterpreter &>(call.interpreter); }

inline const std::shared_ptr<Buffer> bufferOf(const Value &value) {
  return std::static_pointer_cast<Buffer>(std::get<std::shared_ptr<Object>>(value));
}

/// The values of a list of expressions whose operands begin at `first` of the call's; advances it behind them.
llvm::Expected<llvm::SmallVector<int64_t>> evaluateMap(Call &call, mlir::AffineMap map, unsigned &first);
/// Extents, or whole dimensions where there are none.
llvm::Expected<llvm::SmallVector<int64_t>> evaluateExtents(Call &call, std::optional<mlir::AffineMap> map,
                                                           unsigned &first, llvm::ArrayRef<int64_t> tile,
                                                           bool mayBeEmpty);

/// The value of an index that follows from a program's or kernel's index arguments, by evaluating what leads to it.
llvm::Expected<int64_t> indexValue(Interpreter &interpreter, mlir::Value value, llvm::ArrayRef<int64_t> indices);
/// The values of an op's map whose operands are such indices.
llvm::Expected<llvm::SmallVector<int64_t>> mapValues(Interpreter &interpreter, mlir::Operation *op, mlir::AffineMap map,
                                                     mlir::OperandRange operands, llvm::ArrayRef<int64_t> indices);

/// Elements beyond these are none that a run has.
inline constexpr int64_t kMostElements = int64_t(1) << 26;

/// A buffer with memory of its own; elements lie as strides say.
llvm::Expected<std::shared_ptr<Buffer>> allocate(Memory::Kind kind, std::string name, mlir::Type elementType,
                                                 llvm::ArrayRef<int64_t> sizes, llvm::ArrayRef<int64_t> strides);

void registerPrograms(ProgramInterpreter &interpreter);
void registerProgramMemory(ProgramInterpreter &interpreter);
void registerProgramPipelines(ProgramInterpreter &interpreter);

} // namespace tenon::reference

#endif // TENON_LIB_REFERENCE_PROGRAMINTERPRETER_H
