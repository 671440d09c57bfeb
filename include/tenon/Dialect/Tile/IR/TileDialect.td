//===- TileDialect.td - The dialect, its attributes and types ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TILE_IR_TILEDIALECT
#define TENON_DIALECT_TILE_IR_TILEDIALECT

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"

def Tile_Dialect : Dialect {
  let name = "tenon_tile";
  let cppNamespace = "::tenon::tile";
  let summary = "Kernels: what one launch computes, and tile programs: how a target computes it";
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let hasOperationAttrVerify = 1;
  let dependentDialects = ["::tenon::TenonDialect"];
}

class Tile_Op<string mnemonic, list<Trait> traits = []> : Op<Tile_Dialect, mnemonic, traits>;

def Tile_ScheduleAttr : AttrDef<Tile_Dialect, "Schedule"> {
  let mnemonic = "schedule";
  let summary = "How a kernel's loops are tiled, vectorised and unrolled";
  let description = [{
    A value for each knob that it fixes; `tenon-select-schedules` chooses the others. Which knobs there are depends on the
    kernel's structure:

    | knob | kernels | meaning |
    |---|---|---|
    | `vector_bytes` | all | bytes of a vector: 16, 32 or 64 |
    | `vectors` | all but ordered and transposing ones | vectors along the last dimension that are computed at once |
    | `tile_rows` | contractions | most rows of a register tile |
    | `depth_block` | contractions | most products that are summed before the next rows' turn |
    | `turn_size` | contractions | rows times products that one turn of a register tile's loop adds |
    | `resident_bytes` | contractions | bytes of rows up to which all of them wait in a cache for panel after panel; of more, a block does |
    | `wide_rows` | contractions | up to so many rows read a panel once, from front to back |
    | `function_bits` | all, where the module's `tenon_tile.accuracy` is "fast" | bits that elementary functions of f32 keep: 12 or 24 |
    | `epilogue_rows` | contractions | rows for which what follows has code: 1, in a loop over sums in scratch, or all of a register tile |
    | `part_elements` | rows that are only reduced | elements of a part, where a row is so long that it has several |
    | `panel_columns` | contractions with constants | most columns that lie next to each other in the form of the second operand |
    | `unit_elements` | elementwise and transposing ones | about how many elements a unit of work has |
    | `unit_rows`, `unit_columns` | contractions | most rows and columns of a unit of work |
    | `fetch_rows` | contractions | fewer rows fetch nothing ahead of an operand that isn't in panels |

    How a launch is cut between threads is no part of it: the variant's program says that by its grids.

    ```mlir
    #tenon_tile.schedule<tile_rows = 4, vectors = 2>
    ```
  }];
  let parameters = (ins "::mlir::DictionaryAttr":$knobs);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The value of a knob, or none where it is open.
    std::optional<int64_t> get(llvm::StringRef knob) const;
  }];
}

def Tile_MemoryKind : I32EnumAttr<"MemoryKind", "whose memory it is", [
    I32EnumAttrCase<"workgroup", 0>, I32EnumAttrCase<"launch", 1>]> {
  let cppNamespace = "::tenon::tile";
}

def Tile_MemoryAttr : AttrDef<Tile_Dialect, "Memory"> {
  let mnemonic = "memory";
  let summary = "The memory that scratch of a program lies in";
  let description = [{
    `workgroup` is memory of whoever runs one unit: a worker's stack or scratch, shared memory of a thread block. `launch`
    is one memory for all units, which outlives a grid. With `swizzle` s (32, 64 or 128 bytes) the number of each 16-byte
    chunk has its bits below s / 16 exchanged by those of `byte offset / max(128, bytes of a row)`, as TMA does.

    ```mlir
    memref<4x128x32xf16, #tenon_tile.memory<workgroup, swizzle = 64>>
    ```
  }];
  let parameters = (ins EnumParameter<Tile_MemoryKind>:$kind, DefaultValuedParameter<"int64_t", "0">:$swizzle);
  let assemblyFormat = "`<` $kind (`,` `swizzle` `=` $swizzle^)? `>`";
  let genVerifyDecl = 1;
}

def Tile_InstructionAttr : AttrDef<Tile_Dialect, "Instruction"> {
  let mnemonic = "instruction";
  let summary = "The instruction that a register tile is made of";
  let description = [{
    `m` rows, `n` columns and `k` products per instruction.

    ```mlir
    #tenon_tile.instruction<"x86.vpdpbusd", m = 1, n = 16, k = 4>
    ```
  }];
  let parameters = (ins StringRefParameter<>:$name, "int64_t":$m, "int64_t":$n, "int64_t":$k);
  let assemblyFormat = "`<` $name `,` `m` `=` $m `,` `n` `=` $n `,` `k` `=` $k `>`";
  let genVerifyDecl = 1;
}

def Tile_PlanAttr : AttrDef<Tile_Dialect, "Plan"> {
  let mnemonic = "plan";
  let summary = "What a launch of a program needs to know";
  let description = [{
    On the function of a program's first grid, as `tenon_tile.plan`: the units of each of its `grids`, the bytes of scratch
    that each worker has for itself (`workgroup`) and that all of them share (`launch`), from the kernel's symbols, then the
    strides that come with a launch. Bytes are the least of a map's results. A launch pays for as many `workers` as the most of
    a map's results, or for any number. Where `guard` doesn't hold, the next program runs: the results of a map are at least 0,
    those that `zero` names are 0.

    ```mlir
    #tenon_tile.plan<grids = [affine_map<()[s0] -> (s0 ceildiv 98)>], workgroup = affine_map<()[s0] -> (s0 * 64, 6400)>>
    #tenon_tile.plan<grids = [affine_map<()[s0, s1] -> (s0)>], guard = affine_map<()[s0, s1] -> (-s0 + 4, s1 - 8)> zero [1]>
    ```
  }];
  let parameters = (ins "::mlir::ArrayAttr":$grids, OptionalParameter<"::mlir::AffineMapAttr">:$workgroup,
                        OptionalParameter<"::mlir::AffineMapAttr">:$launch,
                        OptionalParameter<"::mlir::AffineMapAttr">:$workers,
                        OptionalParameter<"::mlir::IntegerSetAttr">:$guard);
  let assemblyFormat = "`<` struct($grids, $workgroup, $launch, $workers, custom<Guard>($guard)) `>`";
  let genVerifyDecl = 1;
}

def Tile_RingType : TypeDef<Tile_Dialect, "Ring"> {
  let mnemonic = "ring";
  let summary = "Slots of scratch that copies fill while what they brought before is read";
}

#endif // TENON_DIALECT_TILE_IR_TILEDIALECT
