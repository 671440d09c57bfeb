//===- TileTargets.td - What there is to know of targets ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TILE_IR_TILETARGETS
#define TENON_DIALECT_TILE_IR_TILETARGETS

include "tenon/Dialect/Tile/IR/TileDialect.td"

//===----------------------------------------------------------------------===//
// The parts of a description
//===----------------------------------------------------------------------===//

def Tile_Number : AttrParameter<"::tenon::tile::Number", "a number">;
def Tile_LayoutPrices : AttrParameter<"::tenon::LayoutPrices", "what layouts of images cost">;
def Tile_SchedulePrices : AttrParameter<"::tenon::tile::SchedulePrices", "what schedules cost">;

def Tile_LaunchPrices : DefaultValuedParameter<"::tenon::tile::LaunchPrices", "::tenon::tile::LaunchPrices()",
                                               "what launches cost">;

def Tile_MemoryLevelAttr : AttrDef<Tile_Dialect, "MemoryLevel"> {
  let mnemonic = "memory_level";
  let summary = "A memory of a target";
  let description = [{
    A level that is shared counts as a whole, others count per core. `bytes_per_cycle` is what one core reads from it.

    ```mlir
    #tenon_tile.memory_level<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>
    ```
  }];
  let parameters = (ins StringRefParameter<>:$name, "int64_t":$bytes, Tile_Number:$bytes_per_cycle, "bool":$shared);
  let assemblyFormat = "`<` $name `,` struct($bytes, $bytes_per_cycle, $shared) `>`";
  let genVerifyDecl = 1;
}

def Tile_RateAttr : AttrDef<Tile_Dialect, "Rate"> {
  let mnemonic = "rate";
  let summary = "An instruction that multiplies and adds, and how fast it is";
  let description = [{
    Of the element types of its operands and of its sums; how many a core starts per cycle, and cycles until a sum is there.

    ```mlir
    #tenon_tile.rate<#tenon_tile.instruction<"x86.vpdpbusd", m = 1, n = 16, k = 4>, ui8, i8, i32, per_cycle = 2, latency = 5>
    ```
  }];
  let parameters = (ins "::tenon::tile::InstructionAttr":$instruction, "::mlir::Type":$lhs, "::mlir::Type":$rhs,
                        "::mlir::Type":$sum, Tile_Number:$per_cycle, "int64_t":$latency);
  let assemblyFormat = "`<` $instruction `,` $lhs `,` $rhs `,` $sum `,` struct($per_cycle, $latency) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    double getProductsPerCycle() const;
  }];
}

//===----------------------------------------------------------------------===//
// Descriptions
//===----------------------------------------------------------------------===//

def Tile_TargetAttrInterface : AttrInterface<"TargetAttrInterface"> {
  let cppNamespace = "::tenon::tile";
  let description = [{
    What schedules and code depend on of a target: two equal ones give equal code. Each family of targets (CPUs, the GPUs of one
    vendor) has one such attribute, and what only this family's code generation asks for is there.
  }];
  let methods = [
    InterfaceMethod<"What variants for it are called, and what users know it by.", "::llvm::StringRef", "getName">,
    InterfaceMethod<"Its triple, as LLVM has it.", "::llvm::StringRef", "getTriple">,
    InterfaceMethod<"Its memories, the nearest one first.", "::llvm::ArrayRef<::tenon::tile::MemoryLevelAttr>",
                    "getMemories">,
    InterfaceMethod<"The instructions that multiply and add: what `via` of `tenon_tile.mma` may name.",
                    "::llvm::ArrayRef<::tenon::tile::RateAttr>", "getRates">,
    InterfaceMethod<"What layouts of images cost.", "::tenon::LayoutPrices", "getLayouts">,
    InterfaceMethod<"What one kernel saves over two.", "::tenon::tile::FusionPrices", "getFusion">
  ];
  let extraClassDeclaration = [{
    /// The memory of that name; null if there is none.
    ::tenon::tile::MemoryLevelAttr getMemory(::llvm::StringRef name);
    /// The instruction for these types that does most products per cycle; null if there is none.
    ::tenon::tile::RateAttr getRate(::mlir::Type lhs, ::mlir::Type rhs, ::mlir::Type sum);
    /// Whether it has the instruction.
    bool has(::tenon::tile::InstructionAttr instruction);
  }];
}

def Tile_CPUTargetAttr : AttrDef<Tile_Dialect, "CPUTarget", [Tile_TargetAttrInterface]> {
  let mnemonic = "cpu";
  let summary = "A kind of CPU";
  let description = [{
    `core` is whose rates and prices these are; `cpu` and `features` are LLVM's names of what code is generated for.
    `tenon-compile --print-target` prints one.

    Prices of `layouts` are in ns on one core; what counts is how they compare:

    | price | of |
    |---|---|
    | `multiply_first`, `multiply_last` | a multiplication of a contraction whose columns are places, or channels |
    | `gather_first` | an element of a convolution's windows |
    | `part_last` | a place, vector of columns and part of a window that lies together |
    | `tap_first`, `tap_last` | an element that a depthwise convolution or a pooling window reads |
    | `plain_tap` | a multiplication of a convolution without register tiles |
    | `to_last`, `to_first` | an element of a transpose to channels last, or first |
    | `turned` | an element of a contraction's result whose sums are turned before they are written |
    | `copied` | an element of a concatenation or slice that isn't contiguous |
    | `columns` | no price: the width of a register tile; what is left over costs as much as a whole one |
    | `border` | no price: windows of an image with its border may be so many times what of them lies in it, before register tiles pass over the border |

    Those of `schedules`:

    | price | meaning |
    |---|---|
    | `loads_per_cycle`, `instructions_per_cycle` | vector loads, and other vector instructions, that a core does per cycle |
    | `turn_cycles` | cycles for which the instructions of a turn of a loop wait for each other |
    | `many_instructions` | kernels of so many instructions per vector compute longer than they read and write |
    | `tile_cycles` | cycles of a register tile apart from its products, per product of a depth of some hundreds |
    | `depth_block`, `turn_size`, `wide_rows`, `fetch_rows`, `unit_rows`, `unit_columns` | values of knobs that the model of costs doesn't see, as measured |

    Those of `launches`, which are left out where they are as in most targets:

    | price | meaning |
    |---|---|
    | `alone`, `woken` | cycles of a launch that one worker computes, and more where others are woken |
    | `workers` | how many a launch may be cut between |
    | `long_rows` | no price: rows of so many elements or more hardly feel that one kernel is launched for all their lengths |
  }];
  let parameters = (ins StringRefParameter<>:$name, StringRefParameter<>:$core, StringRefParameter<>:$triple,
                        StringRefParameter<>:$cpu, StringRefParameter<>:$features, "int64_t":$vector_bytes,
                        "int64_t":$vector_registers,
                        ArrayRefParameter<"::tenon::tile::MemoryLevelAttr">:$memories,
                        ArrayRefParameter<"::tenon::tile::RateAttr">:$rates,
                        Tile_LayoutPrices:$layouts, Tile_SchedulePrices:$schedules, Tile_LaunchPrices:$launches);
  let assemblyFormat = [{
    `<` struct($name, $core, $triple, $cpu, $features, $vector_bytes, $vector_registers) `,`
    `memories` `=` `[` $memories `]` `,` `rates` `=` `[` $rates `]` `,` `layouts` `=` $layouts `,` `schedules` `=` $schedules
    (`,` `launches` `=` $launches^)? `>`
  }];
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// LLVM's names of its features.
    ::llvm::SmallVector<::llvm::StringRef> getFeatureNames() const;
    ::tenon::tile::MemoryLevelAttr getMemory(::llvm::StringRef name) const;
    ::tenon::tile::FusionPrices getFusion() const;
    /// The multiply-add of vectors of f32.
    ::tenon::tile::RateAttr getMultiplyAdd() const;
  }];
}

#endif // TENON_DIALECT_TILE_IR_TILETARGETS
